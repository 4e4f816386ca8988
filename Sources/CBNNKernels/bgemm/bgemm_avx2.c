// Harley–Seal counting in byte lanes: one vector is 32 outputs × 8 bits of K.
//
// Each XOR of a weight vector with a replicated activation byte yields mismatches. Instead of
// counting every one of them, carry-save adders keep four bit planes (ones, twos, fours, eights)
// per bit position, and only their overflow, one vector in sixteen, goes through the table
// popcount. All outputs of a tile have a byte lane of their own, so that what is left in the
// planes is counted once for 32 outputs.
//
// Adders take two XORs of the same weight as one of them and where they differ, so both sides store,
// for each pair of bytes of K, the second byte and the XOR of both.
//
// Weights: [tile][pair of bytes][second, XOR][32 outputs]. Rows: [pair][second, XOR], each byte
// four times, for a 32-bit broadcast.
#include "bnn_bgemm.h"

#if BNN_X86_64

#include <immintrin.h>
#include <string.h>

#define BNN_TARGET __attribute__((target("avx2")))
#define BNN_TARGET_INLINE static inline __attribute__((always_inline, target("avx2")))

typedef __m256i slice;
#include "../carry_pairs.h"

enum { columns = 32, pairs_per_word = 4, pair_bytes = 2 * columns, row_bytes_per_word = 32 };

static size_t weight_bytes(size_t outputs, size_t words) {
  return (outputs + columns - 1) / columns * words * pairs_per_word * pair_bytes;
}

static void pack_weights(size_t outputs, size_t words, const uint64_t *rows, void *packed) {
  uint8_t *out = packed;
  memset(out, 0, weight_bytes(outputs, words));
  for (size_t o = 0; o < outputs; o++) {
    const uint8_t *bytes = (const uint8_t *)(rows + o * words);
    uint8_t *column = out + o / columns * words * pairs_per_word * pair_bytes + o % columns;
    for (size_t pair = 0; pair < words * pairs_per_word; pair++) {
      column[pair * pair_bytes] = bytes[2 * pair + 1];
      column[pair * pair_bytes + columns] = bytes[2 * pair] ^ bytes[2 * pair + 1];
    }
  }
}

// A word as [pair][second, XOR], each byte four times.
BNN_TARGET_INLINE __m256i replicated(__m256i word) {
  const __m256i replicate = _mm256_setr_epi8(
    1, 1, 1, 1, 0, 0, 0, 0, 3, 3, 3, 3, 2, 2, 2, 2, 5, 5, 5, 5, 4, 4, 4, 4, 7, 7, 7, 7, 6, 6, 6, 6);
  // The first byte of each pair gives way to the XOR of both.
  const __m256i pairs = _mm256_xor_si256(word, _mm256_srli_epi16(word, 8));
  return _mm256_shuffle_epi8(pairs, replicate);
}

static size_t arranged_bytes(size_t rows, size_t words) {
  return rows * words * row_bytes_per_word;
}

BNN_TARGET static void arrange(const bnn_bit_rows *rows, void *arranged) {
  __m256i *packed = arranged;
  const size_t words = bnn_row_words(rows);
  const bool is_whole = bnn_row_words_are_whole(rows);
  for (size_t m = 0; m < rows->count; m++)
    for (size_t k = 0; k < words; k++) {
      long long word;
      if (is_whole) {
        memcpy(&word, rows->rows[m] + rows->offsets[2 * k], sizeof word);
      } else {
        word = (long long)bnn_row_word(rows, m, k);
      }
      _mm256_store_si256(packed++, replicated(_mm256_set1_epi64x(word)));
    }
}

// The mismatches of one pair of bytes.
BNN_TARGET_INLINE slice_pair compare_pair(const uint8_t *row, const uint8_t *weights) {
  int32_t second, both;
  memcpy(&second, row, 4);
  memcpy(&both, row + 4, 4);
  const __m256i *own = (const __m256i *)weights;
  return (slice_pair){
    _mm256_xor_si256(_mm256_set1_epi32(second), _mm256_load_si256(own)),
    _mm256_xor_si256(_mm256_set1_epi32(both), _mm256_load_si256(own + 1))};
}

// Adds one word of K (eight bytes) to ones and twos; returns the carries, of weight four.
BNN_TARGET_INLINE slice_pair add_word(
  __m256i planes[4], const uint8_t *row, const uint8_t *weights) {
  slice_pair twos[2];
  for (int half = 0; half < 2; half++) {
    const uint8_t *first = weights + 2 * half * pair_bytes;
    twos[half] = add_four(
      &planes[0], compare_pair(row + 16 * half, first),
      compare_pair(row + 16 * half + 8, first + pair_bytes));
  }
  return add_four(&planes[1], twos[0], twos[1]);
}

// The set bits of each byte, times 1 << shift.
BNN_TARGET_INLINE __m256i count_bytes(__m256i x, int shift) {
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  const __m256i table = _mm256_slli_epi16(
    _mm256_setr_epi8(
      0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3,
      4),
    shift);
  __m256i low = _mm256_and_si256(x, nibble);
  __m256i high = _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble);
  return _mm256_add_epi8(_mm256_shuffle_epi8(table, low), _mm256_shuffle_epi8(table, high));
}

// Mismatches of 32 outputs over at most `longest_chunk` words, as 16-bit numbers: outputs 0…7 and
// 16…23 in counts[0], the others in counts[1].
BNN_TARGET_INLINE void count_chunk(
  size_t words, const uint8_t *row, const uint8_t *weights, __m256i counts[2]) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i planes[4] = {zero, zero, zero, zero};
  __m256i sixteens = zero;
  const size_t word_bytes = pairs_per_word * pair_bytes;
  size_t k = 0;
  for (; k + 2 <= words; k += 2) {
    slice_pair first = add_word(planes, row, weights);
    slice_pair second = add_word(planes, row + row_bytes_per_word, weights + word_bytes);
    __m256i carry = add_two(&planes[3], add_four(&planes[2], first, second));
    sixteens = _mm256_add_epi8(sixteens, count_bytes(carry, 0));
    row += 2 * row_bytes_per_word;
    weights += 2 * word_bytes;
  }
  if (k < words) {
    __m256i eight = add_two(&planes[2], add_word(planes, row, weights));
    __m256i carry = add_two(&planes[3], pair_of(eight, zero));
    sixteens = _mm256_add_epi8(sixteens, count_bytes(carry, 0));
  }
  __m256i rest = _mm256_add_epi8(
    _mm256_add_epi8(count_bytes(planes[0], 0), count_bytes(planes[1], 1)),
    _mm256_add_epi8(count_bytes(planes[2], 2), count_bytes(planes[3], 3)));
  counts[0] = _mm256_add_epi16(
    _mm256_slli_epi16(_mm256_unpacklo_epi8(sixteens, zero), 4), _mm256_unpacklo_epi8(rest, zero));
  counts[1] = _mm256_add_epi16(
    _mm256_slli_epi16(_mm256_unpackhi_epi8(sixteens, zero), 4), _mm256_unpackhi_epi8(rest, zero));
}

// out[0…7] = from[0…7] − 2 · counts.
BNN_TARGET_INLINE void subtract_twice(int32_t *out, const int32_t *from, __m128i counts) {
  __m256i twice = _mm256_slli_epi32(_mm256_cvtepu16_epi32(counts), 1);
  __m256i base = _mm256_loadu_si256((const __m256i *)from);
  _mm256_storeu_si256((__m256i *)out, _mm256_sub_epi32(base, twice));
}

// A byte of `sixteens` holds at most 8 per two words: 31 · 8 = 248.
enum { longest_chunk = 62 };

BNN_TARGET_INLINE void multiply_tile(
  size_t words, const uint8_t *row, const uint8_t *weights, const int32_t *base, int32_t *out) {
  const size_t word_bytes = pairs_per_word * pair_bytes;
  do {
    size_t chunk = words < longest_chunk ? words : longest_chunk;
    __m256i counts[2];
    count_chunk(chunk, row, weights, counts);
    subtract_twice(out, base, _mm256_castsi256_si128(counts[0]));
    subtract_twice(out + 8, base + 8, _mm256_castsi256_si128(counts[1]));
    subtract_twice(out + 16, base + 16, _mm256_extracti128_si256(counts[0], 1));
    subtract_twice(out + 24, base + 24, _mm256_extracti128_si256(counts[1], 1));
    base = out;
    row += chunk * row_bytes_per_word;
    weights += chunk * word_bytes;
    words -= chunk;
  } while (words > 0);
}

BNN_TARGET static void multiply(
  const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *packed_weights,
  const void *next, const int32_t *const *bases, int32_t *out, size_t out_stride) {
  (void)arranged;
  (void)next;
  const uint8_t *weights = packed_weights;
  const size_t words = bnn_row_words(rows);
  for (size_t tile = 0; tile < outputs; tile += columns) {
    const size_t count = outputs - tile < columns ? outputs - tile : columns;
    for (size_t m = 0; m < rows->count; m++) {
      const uint8_t *row = (const uint8_t *)arranged + m * words * row_bytes_per_word;
      int32_t *to = out + m * out_stride + tile;
      if (count == columns) {
        multiply_tile(words, row, weights, bases[m] + tile, to);
      } else {
        int32_t edge[columns] = {0};
        memcpy(edge, bases[m] + tile, count * sizeof(int32_t));
        multiply_tile(words, row, weights, edge, edge);
        memcpy(to, edge, count * sizeof(int32_t));
      }
    }
    weights += words * pairs_per_word * pair_bytes;
  }
}

const bnn_bgemm bnn_bgemm_1x32__avx2 = {
  .name = "bnn_bgemm_1x32__avx2",
  .isa = BNN_ISA_AVX2,
  .costs[BNN_CPU_OTHER] = {.rows = 1, .outputs = 32, .word = 13.5, .rest = 54, .tested_rest = 50},
  .costs[BNN_CPU_INTEL] = {.rows = 1, .outputs = 32, .word = 16, .rest = 68, .tested_rest = 57},
  .best_rows = 32,
  .best_outputs = 0,
  .weight_bytes = weight_bytes,
  .pack_weights = pack_weights,
  .arranged_bytes = arranged_bytes,
  .arrange = arrange,
  .halves_per_gather = 256,
  .multiply = multiply,
  .count = NULL,
};

#endif
