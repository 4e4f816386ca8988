// The layout of parity tables: what words of K are made of, and rows as tables look them up.
//
// A word holds one field of 64 bits of K, or two of 32 bits, each of a group of its own with as many
// outputs: a block of 64, too. A table then has eight entries of 32 outputs for each group, and an
// index is three parities and the number of the group. In every fourth bit of a field one begins.
#ifndef BNN_PARITY_ROWS_AVX512_H
#define BNN_PARITY_ROWS_AVX512_H

#include <immintrin.h>

#include "bnn_bgemm.h"

#define BNN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define BNN_TARGET_INLINE \
  static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512vl,avx512dq")))
#define BNN_UNROLL _Pragma("clang loop unroll(full)")

enum { columns = 64, group_rows = 8, vectors_per_word = 2 };

static inline size_t pairs_per_word(size_t field) { return field / 2; }

static inline size_t block_vectors(size_t field, size_t words) {
  return words * pairs_per_word(field) + 1;
}
static inline size_t group_vectors(size_t words) { return words * vectors_per_word + 1; }

// How many halves from a word on lie side by side: up to those of two words.
static inline size_t halves_in_a_row(const bnn_bit_rows *rows, size_t word) {
  const uint32_t *offsets = rows->offsets + 2 * word;
  const size_t left = rows->halves - 2 * word, most = left < 4 ? left : 4;
  size_t count = 1;
  while (count < most && offsets[count] == offsets[0] + count) count++;
  return count;
}

// One word of each row of a group, whose halves lie side by side; 0 for rows after the last.
BNN_TARGET_INLINE __m512i load_words(const uint32_t *const *rows, size_t count, size_t offset) {
  __m512i words = _mm512_setzero_si512();
  BNN_UNROLL for (size_t m = 0; m < group_rows; m++) {
    if (m >= count) break;
    const __m128i bits = _mm_loadl_epi64((const void *)(rows[m] + offset));
    words = _mm512_mask_broadcastq_epi64(words, (__mmask8)(1u << m), bits);
  }
  return words;
}

// The same where its halves lie apart.
BNN_TARGET_INLINE __m512i gather_words(
  const uint32_t *const *rows, size_t count, size_t low, size_t high) {
  __m512i words = _mm512_setzero_si512();
  BNN_UNROLL for (size_t m = 0; m < group_rows; m++) {
    if (m >= count) break;
    const uint64_t bits = rows[m][low] | (uint64_t)rows[m][high] << 32;
    words = _mm512_mask_set1_epi64(words, (__mmask8)(1u << m), (long long)bits);
  }
  return words;
}

// The same where it has one half only.
BNN_TARGET_INLINE __m512i gather_halves(const uint32_t *const *rows, size_t count, size_t low) {
  __m512i words = _mm512_setzero_si512();
  BNN_UNROLL for (size_t m = 0; m < group_rows; m++) {
    if (m >= count) break;
    words = _mm512_mask_set1_epi64(words, (__mmask8)(1u << m), rows[m][low]);
  }
  return words;
}

// Two words side by side of each row of a whole group.
BNN_TARGET_INLINE void load_two_words(
  const uint32_t *const *rows, size_t offset, __m512i words[2]) {
  __m512i pairs[2];
  BNN_UNROLL for (size_t odd = 0; odd < 2; odd++) {
    pairs[odd] = _mm512_castsi128_si512(_mm_loadu_si128((const void *)(rows[odd] + offset)));
    BNN_UNROLL for (size_t m = 2; m < group_rows; m += 2) {
      const __m128i pair = _mm_loadu_si128((const void *)(rows[m + odd] + offset));
      pairs[odd] = _mm512_mask_broadcast_i64x2(pairs[odd], (__mmask8)(3u << m), pair);
    }
  }
  words[0] = _mm512_unpacklo_epi64(pairs[0], pairs[1]);
  words[1] = _mm512_unpackhi_epi64(pairs[0], pairs[1]);
}

BNN_TARGET_INLINE __m512i shift_fields(size_t field, __m512i x, unsigned bits) {
  return field == 64 ? _mm512_slli_epi64(x, bits) : _mm512_slli_epi32(x, bits);
}

// 2 · a − b in each field.
BNN_TARGET_INLINE __m512i twice_less(size_t field, __m512i a, __m512i b) {
  if (field == 64) return _mm512_sub_epi64(_mm512_add_epi64(a, a), b);
  return _mm512_sub_epi32(_mm512_add_epi32(a, a), b);
}

// The highest bit of each field in all its bits.
BNN_TARGET_INLINE __m512i spread_highest(size_t field, __m512i x) {
  return field == 64 ? _mm512_srai_epi64(x, 63) : _mm512_srai_epi32(x, 31);
}

// Bit k of each field becomes the parity of its bits up to k.
BNN_TARGET_INLINE __m512i prefix_parities(size_t field, __m512i words) {
  BNN_UNROLL for (unsigned step = 1; step < field; step *= 2)
    words = _mm512_xor_si512(words, shift_fields(field, words, step));
  return words;
}

// Indices of every second pair of bits of two groups from the parities before, within and after it.
BNN_TARGET_INLINE __m512i indices_of(__m512i parities) {
  enum { and_or = 0xea };
  return _mm512_ternarylogic_epi64(
    parities, _mm512_set1_epi64(0x7777777777777777),
    _mm512_set1_epi64((long long)0x8888888800000000), and_or);
}

// Writes one word of the rows of a group; all bits of a field of `parity` are the parity before it.
BNN_TARGET_INLINE __m512i arrange_word(
  size_t field, __m512i bits, __m512i parity, __m512i *out) {
  const __m512i after = _mm512_xor_si512(prefix_parities(field, bits), parity);
  const __m512i before = twice_less(field, after, parity);
  out[0] = field == 64 ? before : indices_of(before);
  out[1] = field == 64 ? after : indices_of(_mm512_srli_epi64(after, 1));
  return spread_highest(field, after);
}

// Whether the first elements of rows follow each other as their words do in a vector.
static bool are_neighbors(const uint32_t *const *rows) {
  for (size_t m = 0; m + 1 < group_rows; m++)
    if (rows[m] + 2 != rows[m + 1]) return false;
  return true;
}

// Arranges whole words of a whole group of neighbors.
BNN_TARGET_INLINE void arrange_neighbors(
  size_t field, const bnn_bit_rows *rows, size_t first, __m512i *out) {
  const size_t words = bnn_row_words(rows);
  __m512i parity = _mm512_setzero_si512();
  for (size_t k = 0; k < words; k++, out += vectors_per_word) {
    const __m512i bits = _mm512_loadu_si512(rows->rows[first] + rows->offsets[2 * k]);
    parity = arrange_word(field, bits, parity, out);
  }
  *out = parity;
}

BNN_TARGET_INLINE void arrange_group(
  size_t field, const bnn_bit_rows *rows, size_t first, size_t count, size_t group, __m512i *out) {
  const uint32_t *const *pointers = rows->rows + first;
  const size_t words = bnn_row_words(rows);
  __m512i parity = _mm512_setzero_si512();
  for (size_t k = 0; k < words; k++, out += vectors_per_word) {
    const uint32_t *offsets = rows->offsets + 2 * k;
    const size_t halves = halves_in_a_row(rows, k), at = offsets[0] + 2 * group;
    // One word, or the second of two.
    __m512i bits[2];
    if (halves == 1) {
      bits[1] = 2 * k + 1 < rows->halves ? gather_words(pointers, count, at, offsets[1] + 2 * group)
                                         : gather_halves(pointers, count, at);
    } else if (halves == 4 && count == group_rows) {
      load_two_words(pointers, at, bits);
      parity = arrange_word(field, bits[0], parity, out);
      out += vectors_per_word;
      k++;
    } else {
      bits[1] = load_words(pointers, count, at);
    }
    parity = arrange_word(field, bits[1], parity, out);
  }
  *out = parity;
}

// Arranges two groups whose words lie side by side, of eight rows each.
BNN_TARGET_INLINE void arrange_two_groups(
  size_t field, const bnn_bit_rows *rows, size_t first, __m512i *const out[2]) {
  const size_t words = bnn_row_words(rows);
  __m512i parity[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
  for (size_t k = 0; k < words; k++) {
    __m512i bits[2];
    load_two_words(rows->rows + first, rows->offsets[2 * k], bits);
    BNN_UNROLL for (size_t i = 0; i < 2; i++)
      parity[i] =
        arrange_word(field, bits[i], parity[i], out[i] + k * vectors_per_word);
  }
  BNN_UNROLL for (size_t i = 0; i < 2; i++) out[i][words * vectors_per_word] = parity[i];
}

// Rows of one group, or of two.
BNN_TARGET_INLINE void arrange_rows(
  size_t field, const bnn_bit_rows *rows, size_t groups, void *arranged) {
  const bool is_whole = bnn_row_words_are_whole(rows);
  const size_t step = group_vectors(bnn_row_words(rows));
  const size_t group_step = (rows->count + group_rows - 1) / group_rows * step;
  __m512i *out = arranged;
  for (size_t m = 0; m < rows->count; m += group_rows, out += step) {
    const size_t left = rows->count - m, count = left < group_rows ? left : group_rows;
    const bool is_regular = is_whole && count == group_rows;
    if (is_regular && groups == 2) {
      arrange_two_groups(field, rows, m, (__m512i *const[]){out, out + group_step});
    } else if (is_regular && are_neighbors(rows->rows + m)) {
      arrange_neighbors(field, rows, m, out);
    } else {
      for (size_t group = 0; group < groups; group++)
        arrange_group(field, rows, m, count, group, out + group * group_step);
    }
  }
}

#endif
