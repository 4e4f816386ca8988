// The epilogues of bit planes, after the loops of `epilogue_loops.h` for AVX-512.
#include "../planes_avx512.h"

enum { group_rows = 8 };

// Words of bits of a whole group from what was found of a block.
BNN_INLINE void store_words(const block_bits found, part p, const job *job) {
  uint64_t words[group_rows] __attribute__((aligned(64)));
  const size_t step = (job->channels.all + block - 1) / block, index = p.channel / block;
  const __m512i plus = _mm512_set1_epi64((long long)job->test->outside_is_plus[index]);
  _mm512_store_si512(words, _mm512_xor_si512(_mm512_load_si512(found), plus));
  const row_addresses to = rows_from(job->bits + p.row * step + index, step * sizeof(uint64_t));
  BNN_UNROLL for (size_t m = 0; m < group_rows; m++) *(uint64_t *)row_at(to, m) = words[m];
}

// The accumulators of a whole group and of `width` channels of a block, whole vectors of which 16 at a
// time go through the steps. Rows in the middle of an image have the same bases.
BNN_INLINE void finish_group(
  const bnn_planes *planes, const int32_t *const *bases, bool has_one_base, size_t width, part p,
  const job *job, beginning begins) {
  const plane_bytes bytes = bytes_of_planes(planes);
  block_bits found __attribute__((aligned(64)));
  // Channels that do not exist are outside.
  if (width < block) _mm512_store_si512(found, _mm512_setzero_si512());
  part own = p;
  // As a loop it keeps the numbers of all channels in memory, which is faster than in registers.
#pragma clang loop unroll(disable)
  for (size_t i = 0; i < width / 8; i += 2, own.channel += lanes) {
    __m512i rows[4];
    numbers_of_bytes(&bytes, i, rows);
    __m512i x[rows_at_once];
    BNN_UNROLL for (size_t m = 0; m < group_rows; m++) {
      const __m512i pair = rows[m / 4 * 2 + m % 2];
      x[m] = _mm512_cvtepu16_epi32(
        m % 4 < 2 ? _mm512_castsi512_si256(pair) : _mm512_extracti64x4_epi64(pair, 1));
    }
    if (has_one_base) {
      const __m512i base = _mm512_loadu_si512(bases[0] + own.channel);
      BNN_UNROLL for (size_t m = 0; m < group_rows; m++) x[m] = _mm512_sub_epi32(base, x[m]);
    } else {
      BNN_UNROLL for (size_t m = 0; m < group_rows; m++)
        x[m] = _mm512_sub_epi32(_mm512_loadu_si512(bases[m] + own.channel), x[m]);
    }
    floats16 v[rows_at_once];
    BNN_UNROLL for (size_t m = 0; m < group_rows; m++) {
      const __m512 number = _mm512_cvtepi32_ps(x[m]);
      memcpy(&v[m], &number, sizeof number);
    }
    finish_vectors(group_rows, own, job, begins, v, found);
  }
  if (job->bits) store_words(found, p, job);
}

BNN_INLINE bool have_one_base(const int32_t *const *bases) {
  bool all_same = true;
  for (size_t m = 1; m < group_rows; m++) all_same &= bases[m] == bases[0];
  return all_same;
}

// The accumulators of some rows of a group: [row][channel of the block].
BNN_INLINE void accumulators_of_planes(
  const bnn_planes *planes, const int32_t *const *bases, size_t rows, size_t first, size_t count,
  int32_t *out) {
  uint16_t twice[group_rows][block];
  numbers_of_planes(planes, twice);
  for (size_t m = 0; m < rows; m++)
    for (size_t c = 0; c < count; c++) *out++ = bases[m][first + c] - twice[m][c];
}

BNN_TARGET static void finish_planes(
  size_t rows, bnn_channel_range channels, const bnn_planes *planes,
  const int32_t *const *bases, const bnn_epilogue_step *steps, size_t count, float *values,
  size_t values_step, const bnn_epilogue_test *test, uint64_t *bits) {
  const job all = {
    .channels = channels, .steps = steps, .count = count, .values = values,
    .values_step = values_step, .test = test, .bits = bits};
  const beginning begins = beginning_of(&all);
  for (size_t row = 0; row < rows; row += group_rows) {
    const size_t left = rows - row, some = left < group_rows ? left : group_rows;
    const bool has_one_base = left >= group_rows && have_one_base(bases + row);
    for (size_t i = 0; i < channels.count; i += block, planes++) {
      const size_t rest = channels.count - i, width = rest < block ? rest : block;
      const size_t c = channels.first + i;
      if (has_one_base && width % lanes == 0) {
        finish_group(planes, bases + row, true, width, (part){row, c, 0}, &all, begins);
      } else if (left >= group_rows && width % lanes == 0) {
        finish_group(planes, bases + row, false, width, (part){row, c, 0}, &all, begins);
      } else {
        int32_t numbers[group_rows * block];
        accumulators_of_planes(planes, bases + row, some, c, width, numbers);
        job edge = all;
        edge.channels = (bnn_channel_range){channels.all, c, width};
        edge.x = (const char *)numbers;
        edge.x_step = width;
        edge.first_row = row;
        finish(true, row + some, &edge);
      }
    }
  }
}

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
