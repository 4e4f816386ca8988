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

// Compilers never store where two slices differ: it is part of the exclusive or of three operands
// that follows.
#include "../slice_pair.h"

// sum + a = sum + 2 · carry: where the sum changes, a has one bit, and the carry is the old sum.
BNN_ADDER slice add_two(slice *sum, slice_pair a) {
  const slice next = *sum ^ a.differ;
  const slice carry = BNN_TERNARY(a.one, next, *sum, 0xb2);
  *sum = next;
  return carry;
}

// sum + a + b = sum + 2 · (both carries).
BNN_ADDER slice_pair add_four(slice *sum, slice_pair a, slice_pair b) {
  const slice first = add_two(sum, a), second = add_two(sum, b);
  return (slice_pair){first, first ^ second};
}

// Up to eight planes, constantly many, to bytes.
BNN_TARGET static inline __attribute__((always_inline)) __m512i bytes_of_word(
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
      count - first <= 4 ? bytes_of_word(own, step, 4) : bytes_of_word(own, step, 8);
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

#include "../planes_avx512.h"
#include "bslice_loops.h"

// One vector of counted planes to the positions and words that it holds.
BNN_INLINE void place_vector(
  const bnn_bslice_rows *rows, const counter *c, size_t r, size_t vector, size_t lane_words,
  size_t position, bnn_planes *out) {
  uint64_t planes[most_bits][slice_words] __attribute__((aligned(64)));
  for (size_t plane = 0; plane < rows->count_bits; plane++)
    _mm512_store_si512(planes[plane], transpose_bits((__m512i)c->planes[plane][r]));
  size_t word = vector * slice_words, block = word % lane_words;
  position += word / lane_words;
  for (size_t i = 0; i < slice_words && word < rows->words; i++, word++) {
    bnn_planes *to = out + position / 8 * lane_words + block;
    for (size_t plane = 0; plane < rows->count_bits; plane++)
      to->words[plane + 1][position % 8] = planes[plane][i];
    if (++block == lane_words) {
      block = 0;
      position++;
    }
  }
}

BNN_TARGET static void place_planes(
  const bnn_bslice_rows *rows, size_t lane_words, size_t position, bnn_planes *out) {
#define BNN_PLACE_VECTOR(r, vector) \
  place_vector(rows, &c, r, vector, lane_words, position, out)
  if (rows->in_pairs) {
    BNN_EACH_VECTOR(rows, rows->count_bits, true, BNN_PLACE_VECTOR)
  } else {
    BNN_EACH_VECTOR(rows, rows->count_bits, false, BNN_PLACE_VECTOR)
  }
}

const bnn_bslice bnn_bslice_8__avx512 = {
  .name = "bnn_bslice_8__avx512",
  .isa = BNN_ISA_AVX512,
  .most_narrow = {.bits = 32, .integers = 32},
  .most_wide = {.bits = 16, .integers = 16},
  .most_ungrouped = {.bits = 16, .integers = 8},
  BNN_BSLICE_FUNCTIONS,
  .planes = place_planes,
};

// The same for CPUs whose other products are faster.
const bnn_bslice bnn_bslice_8__avx512vpopcntdq = {
  .name = "bnn_bslice_8__avx512vpopcntdq",
  .isa = BNN_ISA_AVX512_VPOPCNTDQ,
  .most_narrow = {.bits = 32, .integers = 16},
  .most_wide = {.bits = 16, .integers = 16},
  .most_ungrouped = {.bits = 16, .integers = 8},
  BNN_BSLICE_FUNCTIONS,
  .planes = place_planes,
};

#endif
