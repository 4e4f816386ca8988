// Four instructions for 16 outputs and 32 bits: units to lanes, XOR and mask in one, count, add.
#include "bnn_isa.h"

#if BNN_X86_64

#include <immintrin.h>

#include "bgroup_layout.h"

#define BNN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq")))

// (a ^ b) & c
enum { differ_masked = 0x28 };

BNN_TARGET static inline __attribute__((always_inline)) void count_rows(
  size_t rows, size_t parts, size_t stride, const uint32_t *units, const group_tile *tile,
  __mmask16 outputs, const int32_t *const *bases, size_t first, int32_t *out, size_t out_stride) {
  const __m512i unit = _mm512_load_si512(tile->unit);
  __m512i mismatches[group_rows];
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++) mismatches[m] = _mm512_setzero_si512();
  for (size_t part = 0; part < parts; part++, units += stride) {
    const __m512i weights = _mm512_load_si512(tile->weights[part]);
    const __m512i mask = _mm512_load_si512(part + 1 < parts ? tile->mask : tile->last_mask);
#pragma clang loop unroll(full)
    for (size_t m = 0; m < rows; m++) {
      const __m512i row = _mm512_permutexvar_epi32(
        unit, _mm512_loadu_si512(units + m * parts * stride));
      const __m512i differ = _mm512_ternarylogic_epi32(row, weights, mask, differ_masked);
      mismatches[m] = _mm512_add_epi32(mismatches[m], _mm512_popcnt_epi32(differ));
    }
  }
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++) {
    const __m512i base = _mm512_maskz_loadu_epi32(outputs, bases[m] + first);
    const __m512i twice = _mm512_slli_epi32(mismatches[m], 1);
    _mm512_mask_storeu_epi32(
      out + m * out_stride + first, outputs, _mm512_sub_epi32(base, twice));
  }
}

BNN_TARGET static inline __attribute__((always_inline)) void count_tile(
  size_t rows, size_t parts, size_t stride, const uint32_t *units, const group_tile *tile,
  size_t outputs, const int32_t *const *bases, size_t first, int32_t *out, size_t out_stride) {
  const __mmask16 mask = (__mmask16)(0xffff >> (group_lanes - outputs));
  if (rows == group_rows) {
    count_rows(
      group_rows, parts, stride, units, tile, mask, bases, first, out, out_stride);
  } else {
    for (size_t m = 0; m < rows; m++)
      count_rows(
        1, parts, stride, units + m * parts * stride, tile, mask, bases + m, first,
        out + m * out_stride, out_stride);
  }
}

#define BNN_COUNT_TILE count_tile
#include "bgroup_loops.h"

const bnn_bgroup bnn_bgroup_4x16__avx512vpopcntdq = {
  .name = "bnn_bgroup_4x16__avx512vpopcntdq",
  .isa = BNN_ISA_AVX512_VPOPCNTDQ,
  .most_bits_per_tap = 32,
  .multiply = multiply,
};

#endif
