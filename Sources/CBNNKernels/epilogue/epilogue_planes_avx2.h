// The epilogues of bit planes, after the loops of `epilogue_loops.h` for AVX2: four rows at a time.
#include "../planes_avx2.h"

enum { group_rows = 8 };

// Eight outputs of four rows in 16 bits each, whose rows are in the order of `place_of_row`.
typedef struct row_numbers {
  uint16_t twice[block / 8][rows_at_once][8] __attribute__((aligned(32)));
} row_numbers;

// What two vectors of bytes are interleaved to has the rows 0 and 2, then 1 and 3.
BNN_INLINE size_t place_of_row(size_t row) { return row % 2 * 2 + row / 2; }

BNN_INLINE void numbers_of_rows(const bnn_planes *planes, size_t first_row, row_numbers *out) {
  // Vector i has the outputs 8i to 8i + 7 of each row in the row's lane.
  __m256i low[8], high[8];
  BNN_UNROLL for (size_t i = 0; i < 8; i++)
    low[i] = _mm256_load_si256((const __m256i *)(planes->words[i] + first_row));
  transpose_bytes(low);
  BNN_UNROLL for (size_t i = 0; i < 8; i++)
    high[i] = _mm256_load_si256((const __m256i *)(planes->words[i + 8] + first_row));
  transpose_bytes(high);
  BNN_UNROLL for (size_t i = 0; i < 8; i++) {
    __m256i *to = (__m256i *)out->twice[i];
    _mm256_store_si256(to, _mm256_unpacklo_epi8(low[i], high[i]));
    _mm256_store_si256(to + 1, _mm256_unpackhi_epi8(low[i], high[i]));
  }
}

BNN_INLINE uint16_t number_at(const row_numbers *numbers, size_t row, size_t channel) {
  return numbers->twice[channel / 8][place_of_row(row)][channel % 8];
}

// 16 of the channels of a row as numbers.
BNN_INLINE void numbers_of_row(
  const row_numbers *numbers, size_t row, size_t channel, const int32_t *base, floats16 *to) {
  typedef int32_t integers8 __attribute__((ext_vector_type(8)));
  typedef uint16_t words8 __attribute__((ext_vector_type(8)));
  typedef float floats8 __attribute__((ext_vector_type(8)));
  floats8 halves[2];
  BNN_UNROLL for (size_t i = 0; i < 2; i++) {
    words8 twice;
    integers8 bases;
    memcpy(&twice, numbers->twice[channel / 8 + i][place_of_row(row)], sizeof twice);
    memcpy(&bases, base + channel + 8 * i, sizeof bases);
    halves[i] = __builtin_convertvector(bases - __builtin_convertvector(twice, integers8), floats8);
  }
  memcpy(to, halves, sizeof halves);
}

// The numbers of four rows and of `width` channels of a block, whole vectors of which 16 at a time go
// through the steps.
BNN_INLINE void finish_rows(
  const bnn_planes *planes, const int32_t *const *bases, bool has_one_base, size_t width, part p,
  const job *job, beginning begins) {
  row_numbers numbers;
  numbers_of_rows(planes, p.row % group_rows, &numbers);
  block_bits found = {0};
  part own = p;
  for (size_t c = 0; c < width; c += lanes, own.channel += lanes) {
    floats16 v[rows_at_once];
    BNN_UNROLL for (size_t m = 0; m < rows_at_once; m++)
      numbers_of_row(&numbers, m, c, bases[has_one_base ? 0 : m] + p.channel, &v[m]);
    finish_vectors(rows_at_once, own, job, begins, v, found);
  }
  if (job->bits) store_words(found, p, job);
}

#include "epilogue_planes.h"

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
  for (size_t row = 0; row < rows; row += rows_at_once) {
    const size_t left = rows - row, some = left < rows_at_once ? left : rows_at_once;
    const bnn_planes *own = planes + row / group_rows * blocks;
    for (size_t i = 0; i < blocks; i++, own++) {
      const size_t index = channels.first / block + i;
      const __m256i plus = _mm256_set1_epi64x((long long)outside_is_plus[index]);
      uint64_t found[rows_at_once] __attribute__((aligned(32)));
      const __m256i inside =
        test_rows(some, index, &own->words[1][row % group_rows], bounds + row);
      _mm256_store_si256((__m256i *)found, _mm256_xor_si256(inside, plus));
      for (size_t m = 0; m < some; m++) bits[(row + m) * words + index] = found[m];
    }
  }
}
