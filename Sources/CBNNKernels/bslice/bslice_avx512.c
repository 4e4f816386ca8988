// Adders of two instructions, and planes that are masks.
#include "bnn_isa.h"

#if BNN_X86_64

#include <immintrin.h>

#include "bnn_bslice.h"

#define BNN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define BNN_TERNARY(a, b, c, table) \
  ((slice)_mm512_ternarylogic_epi64((__m512i)(a), (__m512i)(b), (__m512i)(c), table))
#define BNN_MAJORITY(a, b, c) BNN_TERNARY(a, b, c, 0xe8)

enum { slice_words = 8 };
typedef uint64_t slice __attribute__((ext_vector_type(slice_words)));

// sum + a + b = sum + 2 · carry. Where a and b differ, the carry is the complement of the new sum: so
// both instructions write over what is not needed any more.
BNN_TARGET static inline __attribute__((always_inline)) void add_bits(
  slice *sum, const slice *a, const slice *b, slice *carry) {
  const slice next = BNN_TERNARY(*sum, *a, *b, 0x96);
  *carry = BNN_TERNARY(*a, next, *b, 0xb2);
  *sum = next;
}

// Up to eight planes, constantly many, to bytes.
BNN_TARGET static inline __attribute__((always_inline)) __m512i bytes_of_planes(
  const uint64_t *planes, size_t step, size_t count) {
  __m512i bytes = _mm512_maskz_set1_epi8(planes[0], 1);
#pragma clang loop unroll(full)
  for (size_t plane = 1; plane < count; plane++)
    bytes = _mm512_mask_add_epi8(
      bytes, planes[plane * step], bytes, _mm512_set1_epi8((char)(1 << plane)));
  return bytes;
}

// out = bases − 2 · numbers: eight planes to bytes, those to integers. Planes after the last are 0,
// up to a multiple of four.
BNN_TARGET static inline __attribute__((always_inline)) void write_word(
  const uint64_t *planes, size_t step, size_t count, size_t outputs, const int32_t *bases,
  int32_t *out) {
  __m512i numbers[4];
  for (size_t first = 0; first < count; first += 8) {
    const uint64_t *own = planes + first * step;
    const __m512i bytes =
      count - first <= 4 ? bytes_of_planes(own, step, 4) : bytes_of_planes(own, step, 8);
    const __m128i parts[4] = {
      _mm512_castsi512_si128(bytes), _mm512_extracti32x4_epi32(bytes, 1),
      _mm512_extracti32x4_epi32(bytes, 2), _mm512_extracti32x4_epi32(bytes, 3)};
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 4; i++) {
      const __m512i part =
        _mm512_slli_epi32(_mm512_cvtepu8_epi32(parts[i]), (unsigned)first + 1);
      numbers[i] = first == 0 ? part : _mm512_add_epi32(numbers[i], part);
    }
  }
  if (outputs == 64) {
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 4; i++)
      _mm512_storeu_si512(
        out + 16 * i, _mm512_sub_epi32(_mm512_loadu_si512(bases + 16 * i), numbers[i]));
    return;
  }
#pragma clang loop unroll(full)
  for (size_t i = 0; i < 4; i++) {
    const size_t left = outputs <= 16 * i ? 0 : outputs - 16 * i;
    const __mmask16 mask = (__mmask16)(left >= 16 ? 0xffff : (1u << left) - 1);
    const __m512i base = _mm512_maskz_loadu_epi32(mask, bases + 16 * i);
    _mm512_mask_storeu_epi32(out + 16 * i, mask, _mm512_sub_epi32(base, numbers[i]));
  }
}

#include "bslice_loops.h"

const bnn_bslice bnn_bslice_8__avx512 = {
  .name = "bnn_bslice_8__avx512",
  .isa = BNN_ISA_AVX512,
  .most_grouped = {.bits = 32, .integers = 32},
  .most_ungrouped = {.bits = 16, .integers = 8},
  BNN_BSLICE_FUNCTIONS,
};

// The same for CPUs whose other products are faster.
const bnn_bslice bnn_bslice_8__avx512vpopcntdq = {
  .name = "bnn_bslice_8__avx512vpopcntdq",
  .isa = BNN_ISA_AVX512_VPOPCNTDQ,
  .most_grouped = {.bits = 32, .integers = 16},
  .most_ungrouped = {.bits = 16, .integers = 8},
  BNN_BSLICE_FUNCTIONS,
};

#endif
