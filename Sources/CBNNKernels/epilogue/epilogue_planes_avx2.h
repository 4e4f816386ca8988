// Tests of bit planes, after the loops of `epilogue_loops.h` for AVX2: four rows at a time.
#include "../planes_avx2.h"

enum { group_rows = 8, lane_rows = 4 };

// Whether mismatches, of which the planes of four rows from the second one on are given, are below a
// bound: where they differ from it in a bit, the bound's bit decides, from the lowest on.
BNN_INLINE __m256i below_bound(const uint64_t *planes, const uint64_t *bound, size_t count) {
  __m256i below = _mm256_setzero_si256();
  for (size_t plane = 0; plane < count; plane++) {
    const __m256i bits = _mm256_load_si256((const __m256i *)(planes + plane * group_rows));
    const __m256i own = _mm256_set1_epi64x((long long)bound[plane]);
    const __m256i decides = _mm256_xor_si256(bits, own);
    below =
      _mm256_xor_si256(below, _mm256_and_si256(decides, _mm256_xor_si256(below, own)));
  }
  return below;
}

// The words of up to four rows. Rows in the middle of an image have the same bounds.
BNN_INLINE __m256i test_rows(
  size_t rows, size_t index, const uint64_t *planes, const bnn_plane_bounds *const *bounds) {
  const __m256i places = _mm256_setr_epi64x(1, 2, 4, 8);
  __m256i words = _mm256_setzero_si256();
  for (unsigned left = (1u << rows) - 1; left != 0;) {
    const bnn_plane_bounds *first = bounds[__builtin_ctz(left)], *own = first + index;
    unsigned same = 0;
    // Too few for masked vectors, which some emulators read beyond their ends.
#pragma clang loop vectorize(disable)
    for (size_t m = 0; m < rows; m++) same |= (unsigned)(bounds[m] == first) << m;
    const __m256i inside = _mm256_andnot_si256(
      below_bound(planes, own->from, own->planes), below_bound(planes, own->to, own->planes));
    const __m256i chosen = _mm256_and_si256(_mm256_set1_epi64x(same), places);
    words = _mm256_blendv_epi8(words, inside, _mm256_cmpeq_epi64(chosen, places));
    left &= ~same;
  }
  return exchange_rows(words, 0);
}

BNN_TARGET static void test_planes(
  size_t rows, bnn_channel_range channels, const bnn_planes *planes,
  const bnn_plane_bounds *const *bounds, const uint64_t *outside_is_plus, uint64_t *bits) {
  const size_t words = (channels.all + block - 1) / block;
  const size_t blocks = (channels.count + block - 1) / block;
  for (size_t row = 0; row < rows; row += lane_rows) {
    const size_t left = rows - row, some = left < lane_rows ? left : lane_rows;
    const bnn_planes *own = planes + row / group_rows * blocks;
    for (size_t i = 0; i < blocks; i++, own++) {
      const size_t index = channels.first / block + i;
      const __m256i plus = _mm256_set1_epi64x((long long)outside_is_plus[index]);
      uint64_t found[lane_rows] __attribute__((aligned(32)));
      const __m256i inside =
        test_rows(some, index, &own->words[1][row % group_rows], bounds + row);
      _mm256_store_si256((__m256i *)found, _mm256_xor_si256(inside, plus));
      for (size_t m = 0; m < some; m++) bits[(row + m) * words + index] = found[m];
    }
  }
}
