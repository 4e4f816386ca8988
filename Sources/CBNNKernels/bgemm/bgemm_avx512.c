// Harley–Seal counting in byte lanes, as for AVX2 (`bgemm_avx2.c`), with vectors of 64 outputs ×
// 8 bits of K: a carry-save adder is two ternary operations, and two rows share the weights that
// are loaded.
//
// Weights: [tile][pair of bytes][second, XOR][64 outputs in the order of `position`]. Rows:
// [pair][second, XOR], each byte four times, for a 32-bit broadcast.
#include "bnn_bgemm.h"

#if BNN_X86_64

#include <immintrin.h>
#include <string.h>

#define BNN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define BNN_TARGET_INLINE \
  static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512vl,avx512dq")))

enum {
  columns = 64,
  rows_per_tile = 2,
  pairs_per_word = 4,
  pair_bytes = 2 * columns,
  word_bytes = pairs_per_word * pair_bytes,
  row_bytes_per_word = 32,
};

static size_t weight_bytes(size_t outputs, size_t words) {
  return (outputs + columns - 1) / columns * words * word_bytes;
}

// The byte lane of an output: widening the bytes of a vector to 16 and then to 32 bits, which
// takes them in halves of 128-bit lanes, gives the outputs in their order.
static size_t position(size_t output) {
  return 16 * (output / 8 % 4) + 8 * (output / 32) + output % 8;
}

static void pack_weights(size_t outputs, size_t words, const uint64_t *rows, void *packed) {
  uint8_t *out = packed;
  memset(out, 0, weight_bytes(outputs, words));
  for (size_t o = 0; o < outputs; o++) {
    const uint8_t *bytes = (const uint8_t *)(rows + o * words);
    uint8_t *column = out + o / columns * words * word_bytes + position(o % columns);
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
  char *packed = arranged;
  const size_t words = bnn_row_words(rows);
  const bool is_whole = bnn_row_words_are_whole(rows);
  for (size_t m = 0; m < rows->count; m++)
    for (size_t k = 0; k < words; k++, packed += row_bytes_per_word) {
      long long word;
      if (is_whole) {
        memcpy(&word, rows->rows[m] + rows->offsets[2 * k], sizeof word);
      } else {
        word = (long long)bnn_row_word(rows, m, k);
      }
      _mm256_store_si256((__m256i *)packed, replicated(_mm256_set1_epi64x(word)));
    }
}

// a ^ b ^ c, and (b ^ sum) ? a or c : b, which is the carry.
enum { exclusive_or = 0x96, carry_of = 0xb2 };

// sum + 2 · carry = sum + b + c in each bit.
BNN_TARGET_INLINE __m512i add_carry(__m512i *sum, __m512i b, __m512i c) {
  const __m512i next = _mm512_ternarylogic_epi64(*sum, b, c, exclusive_or);
  const __m512i carry = _mm512_ternarylogic_epi64(b, next, c, carry_of);
  *sum = next;
  return carry;
}

// What is counted of one row.
typedef struct counter {
  __m512i ones, twos, fours, eights, sixteens;
} counter;

// Adds the mismatches of one pair of bytes to the ones; returns the carry.
BNN_TARGET_INLINE __m512i add_pair(
  counter *to, const char *row, __m512i second_weights, __m512i both_weights) {
  int32_t second, both;
  memcpy(&second, row, 4);
  memcpy(&both, row + 4, 4);
  const __m512i x = _mm512_xor_si512(second_weights, _mm512_set1_epi32(second));
  const __m512i next = _mm512_ternarylogic_epi64(
    both_weights, _mm512_set1_epi32(both), to->ones, exclusive_or);
  const __m512i carry = _mm512_ternarylogic_epi64(x, next, to->ones, carry_of);
  to->ones = next;
  return carry;
}

// The set bits of each byte, times 1 << shift.
BNN_TARGET_INLINE __m512i count_bytes(__m512i x, int shift) {
  const __m512i nibble = _mm512_set1_epi8(0x0f);
  const __m512i table = _mm512_slli_epi16(
    _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4)),
    (unsigned)shift);
  const __m512i low = _mm512_and_si512(x, nibble);
  const __m512i high = _mm512_and_si512(_mm512_srli_epi16(x, 4), nibble);
  return _mm512_add_epi8(_mm512_shuffle_epi8(table, low), _mm512_shuffle_epi8(table, high));
}

// Adds `words` (one or two) words of K of each row.
BNN_TARGET_INLINE void add_words(
  size_t rows, size_t words, counter *to, const char *row, size_t row_step, const char *weights) {
  __m512i eights[rows_per_tile][2], fours[rows_per_tile][2], twos[rows_per_tile][2];
#pragma clang loop unroll(full)
  for (size_t word = 0; word < words; word++) {
#pragma clang loop unroll(full)
    for (size_t pair = 0; pair < pairs_per_word; pair++) {
      const char *at = weights + word * word_bytes + pair * pair_bytes;
      const __m512i second = _mm512_load_si512(at), both = _mm512_load_si512(at + columns);
#pragma clang loop unroll(full)
      for (size_t m = 0; m < rows; m++) {
        const char *from = row + m * row_step + word * row_bytes_per_word + pair * 8;
        twos[m][pair % 2] = add_pair(to + m, from, second, both);
        if (pair % 2 == 1)
          fours[m][pair / 2] = add_carry(&to[m].twos, twos[m][0], twos[m][1]);
        if (pair == 3) eights[m][word] = add_carry(&to[m].fours, fours[m][0], fours[m][1]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++) {
    const __m512i other = words == 2 ? eights[m][1] : _mm512_setzero_si512();
    const __m512i carry = add_carry(&to[m].eights, eights[m][0], other);
    to[m].sixteens = _mm512_add_epi8(to[m].sixteens, count_bytes(carry, 0));
  }
}

// out = from − 2 · counts for 16 outputs, those of the mask.
BNN_TARGET_INLINE void subtract_twice(
  int32_t *out, const int32_t *from, __m256i counts, __mmask16 mask) {
  const __m512i twice = _mm512_slli_epi32(_mm512_cvtepu16_epi32(counts), 1);
  const __m512i base = _mm512_maskz_loadu_epi32(mask, from);
  _mm512_mask_storeu_epi32(out, mask, _mm512_sub_epi32(base, twice));
}

BNN_TARGET_INLINE void finish(const counter *from, const int32_t *base, int32_t *out, uint64_t mask) {
  const __m512i zero = _mm512_setzero_si512();
  const __m512i rest = _mm512_add_epi8(
    _mm512_add_epi8(count_bytes(from->ones, 0), count_bytes(from->twos, 1)),
    _mm512_add_epi8(count_bytes(from->fours, 2), count_bytes(from->eights, 3)));
  const __m512i low = _mm512_add_epi16(
    _mm512_slli_epi16(_mm512_unpacklo_epi8(from->sixteens, zero), 4),
    _mm512_unpacklo_epi8(rest, zero));
  const __m512i high = _mm512_add_epi16(
    _mm512_slli_epi16(_mm512_unpackhi_epi8(from->sixteens, zero), 4),
    _mm512_unpackhi_epi8(rest, zero));
  subtract_twice(out, base, _mm512_castsi512_si256(low), (__mmask16)mask);
  subtract_twice(
    out + 16, base + 16, _mm512_extracti64x4_epi64(low, 1), (__mmask16)(mask >> 16));
  subtract_twice(out + 32, base + 32, _mm512_castsi512_si256(high), (__mmask16)(mask >> 32));
  subtract_twice(
    out + 48, base + 48, _mm512_extracti64x4_epi64(high, 1), (__mmask16)(mask >> 48));
}

// A byte of `sixteens` holds at most 8 per two words: 31 · 8 = 248.
enum { longest_chunk = 62 };

// `rows` is a constant at every call, so that the loops over it unroll into registers.
BNN_TARGET_INLINE void multiply_tile(
  size_t rows, size_t words, const char *row, const char *weights, uint64_t mask,
  const int32_t *const *bases, size_t first, int32_t *out, size_t out_stride) {
  const size_t row_step = words * row_bytes_per_word;
  const size_t all = words;
  do {
    const size_t chunk = words < longest_chunk ? words : longest_chunk;
    counter counters[rows_per_tile];
#pragma clang loop unroll(full)
    for (size_t m = 0; m < rows; m++) {
      const __m512i zero = _mm512_setzero_si512();
      counters[m] = (counter){zero, zero, zero, zero, zero};
    }
    size_t k = 0;
    for (; k + 2 <= chunk; k += 2) {
      add_words(rows, 2, counters, row, row_step, weights);
      row += 2 * row_bytes_per_word;
      weights += 2 * word_bytes;
    }
    if (k < chunk) {
      add_words(rows, 1, counters, row, row_step, weights);
      row += row_bytes_per_word;
      weights += word_bytes;
    }
#pragma clang loop unroll(full)
    for (size_t m = 0; m < rows; m++) {
      int32_t *to = out + m * out_stride + first;
      finish(&counters[m], words == all ? bases[m] + first : to, to, mask);
    }
    words -= chunk;
  } while (words > 0);
}

BNN_TARGET static void multiply(
  const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *packed_weights,
  const void *next, const int32_t *const *bases, int32_t *out, size_t out_stride) {
  (void)arranged;
  (void)next;
  const size_t words = bnn_row_words(rows);
  // The rows of a tile stay in the first level cache while the weights pass by.
  for (size_t m = 0; m < rows->count; m += rows_per_tile) {
    const size_t count = rows->count - m < rows_per_tile ? 1 : rows_per_tile;
    const char *row = (const char *)arranged + m * words * row_bytes_per_word;
    const char *weights = packed_weights;
    for (size_t o = 0; o < outputs; o += columns, weights += words * word_bytes) {
      const size_t left = outputs - o;
      const uint64_t mask = left < columns ? ((uint64_t)1 << left) - 1 : ~(uint64_t)0;
      int32_t *to = out + m * out_stride;
      if (count == 1) {
        multiply_tile(1, words, row, weights, mask, bases + m, o, to, out_stride);
      } else {
        multiply_tile(2, words, row, weights, mask, bases + m, o, to, out_stride);
      }
    }
  }
}

const bnn_bgemm bnn_bgemm_2x64__avx512 = {
  .name = "bnn_bgemm_2x64__avx512",
  .isa = BNN_ISA_AVX512,
  .costs[BNN_CPU_OTHER] = {.rows = 1, .outputs = 64, .word = 19, .rest = 79, .tested_rest = 79},
  .costs[BNN_CPU_INTEL] = {.rows = 1, .outputs = 64, .word = 12.2, .rest = 100, .tested_rest = 78},
  .costs[BNN_CPU_ZEN5] = {.rows = 1, .outputs = 64, .word = 13, .rest = 40, .tested_rest = 40},
  .best_rows = 32,
  .best_outputs = 0,
  .weight_bytes = weight_bytes,
  .pack_weights = pack_weights,
  .arranged_bytes = arranged_bytes,
  .arrange = arrange,
  .halves_per_gather = 384,
  .multiply = multiply,
  .count = NULL,
};

#endif
