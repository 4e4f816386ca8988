// The epilogues of bit planes, after the loops of `epilogue_loops.h` for AVX-512.
#include "../planes_avx512.h"

enum { group_rows = rows_at_once };

// The accumulators of a whole group and of `width` channels of a block, whole vectors of which 16 at a
// time go through the steps. Rows in the middle of an image have the same bases.
BNN_INLINE void finish_rows(
  const bnn_planes *planes, const int32_t *const *bases, bool has_one_base, size_t width, part p,
  const job *job, beginning begins) {
  const plane_bytes bytes = bytes_of_planes(planes);
  block_bits found = {0};
  part own = p;
  // As a loop it keeps the numbers of all channels in memory, which is faster than in registers.
#pragma clang loop unroll(disable)
  for (size_t i = 0; i < width / 8; i += 2, own.channel += lanes) {
    __m512i rows[4];
    numbers_of_bytes(&bytes, i, rows);
    __m512i x[rows_at_once];
    BNN_UNROLL for (size_t m = 0; m < rows_at_once; m++) {
      const __m512i pair = rows[m / 4 * 2 + m % 2];
      x[m] = _mm512_cvtepu16_epi32(
        m % 4 < 2 ? _mm512_castsi512_si256(pair) : _mm512_extracti64x4_epi64(pair, 1));
    }
    if (has_one_base) {
      const __m512i base = _mm512_loadu_si512(bases[0] + own.channel);
      BNN_UNROLL for (size_t m = 0; m < rows_at_once; m++) x[m] = _mm512_sub_epi32(base, x[m]);
    } else {
      BNN_UNROLL for (size_t m = 0; m < rows_at_once; m++)
        x[m] = _mm512_sub_epi32(_mm512_loadu_si512(bases[m] + own.channel), x[m]);
    }
    floats16 v[rows_at_once];
    BNN_UNROLL for (size_t m = 0; m < rows_at_once; m++) {
      const __m512 number = _mm512_cvtepi32_ps(x[m]);
      memcpy(&v[m], &number, sizeof number);
    }
    finish_vectors(rows_at_once, own, job, begins, v, found);
  }
  if (job->bits) store_words(found, p, job);
}

typedef struct row_numbers {
  uint16_t twice[rows_at_once][block];
} row_numbers;

BNN_INLINE void numbers_of_rows(const bnn_planes *planes, size_t first_row, row_numbers *out) {
  (void)first_row;
  numbers_of_planes(planes, out->twice);
}

BNN_INLINE uint16_t number_at(const row_numbers *numbers, size_t row, size_t channel) {
  return numbers->twice[row][channel];
}

#include "epilogue_planes.h"

// The lanes in which the mismatches are inside, of which the planes from the second one on are given.
BNN_INLINE __m512i inside_bounds(const bnn_planes *planes, const bnn_plane_bounds *bounds) {
  enum { borrow = 0x8e };
  __m512i below_from = _mm512_setzero_si512(), below_to = below_from;
  for (size_t plane = 0; plane < bounds->planes; plane++) {
    const __m512i bits = _mm512_load_si512(planes->words[plane + 1]);
    const __m512i from = _mm512_set1_epi64((long long)bounds->from[plane]);
    const __m512i to = _mm512_set1_epi64((long long)bounds->to[plane]);
    below_from = _mm512_ternarylogic_epi64(bits, from, below_from, borrow);
    below_to = _mm512_ternarylogic_epi64(bits, to, below_to, borrow);
  }
  return _mm512_andnot_si512(below_from, below_to);
}

// The words of up to 8 rows. Rows in the middle of an image have the same bounds.
BNN_INLINE __m512i test_group(
  size_t rows, size_t index, const bnn_planes *planes, const bnn_plane_bounds *const *bounds) {
  __m512i words = _mm512_setzero_si512();
  for (__mmask8 left = (__mmask8)((1u << rows) - 1); left != 0;) {
    const bnn_plane_bounds *first = bounds[__builtin_ctz(left)];
    __mmask8 same = 0;
    for (size_t m = 0; m < rows; m++) same |= (__mmask8)((bounds[m] == first) << m);
    words = _mm512_mask_mov_epi64(words, same, inside_bounds(planes, first + index));
    left &= (__mmask8)~same;
  }
  return transpose_bits(words);
}

BNN_TARGET static void test_planes(
  size_t rows, bnn_channel_range channels, const bnn_planes *planes,
  const bnn_plane_bounds *const *bounds, const uint64_t *outside_is_plus, uint64_t *bits) {
  const size_t words = (channels.all + block - 1) / block;
  for (size_t row = 0; row < rows; row += group_rows) {
    const size_t left = rows - row, some = left < group_rows ? left : group_rows;
    for (size_t i = 0; i < channels.count; i += block, planes++) {
      const size_t index = (channels.first + i) / block;
      const __m512i plus = _mm512_set1_epi64((long long)outside_is_plus[index]);
      uint64_t found[group_rows] __attribute__((aligned(64)));
      const __m512i inside = test_group(some, index, planes, bounds + row);
      _mm512_store_si512(found, _mm512_xor_si512(inside, plus));
      for (size_t m = 0; m < some; m++) bits[(row + m) * words + index] = found[m];
    }
  }
}
