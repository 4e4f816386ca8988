// Parity tables: one lookup for two bits of K, eight rows × 64 outputs at a time.
//
// For a row and an output let x_k be 1 where bit k of K mismatches, and p_k = x_0 ^ … ^ x_(k−1).
// Two bits and the parity before them add up to
//
//   p_2j + x_2j + x_2j+1 = p_2j+2 + 2 · t_j,    t_j = majority(p_2j, x_2j, x_2j+1)
//
// so there are p_K + 2 · (t_0 + t_1 + …) mismatches: half as many bits to add up as there are bits
// of K. As x_k = p_k ^ p_k+1, t_j follows from three parities: it is p_2j+1 ? !p_2j+2 : p_2j. Each
// of them is the parity of the row's bits XOR that of the output's. For given weights, the three
// parities of the row, which are neighbors in the prefix parities of its bits, choose one of eight
// words of 64 outputs. These are one vector, which `vpermq` looks up for eight rows. Carry-save
// adders add up what it finds as in `bgemm_avx512.c`, all of it in registers.
//
// Weights: [block of 64 outputs]{[word][pair of bits][8 parities of a row] words of 64 outputs in
// the order of `position`, then their p_K, eight times}. Rows: [group of 8]{[word]{prefix parities
// before and after each bit}, then p_K, in all bits of a lane}, one lane per row.
#include "bnn_bgemm.h"

#if BNN_X86_64

#include <immintrin.h>
#include <string.h>

#include "../bits/word_bits.h"
#include "../planes_avx512.h"

#define BNN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define BNN_TARGET_INLINE \
  static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512vl,avx512dq")))
#define BNN_UNROLL _Pragma("clang loop unroll(full)")

enum {
  columns = 64,
  group_rows = 8,
  pairs_per_word = 32,
  vectors_per_word = 2,
  most_blocks = 2,
};

static size_t block_vectors(size_t words) { return words * pairs_per_word + 1; }
static size_t group_vectors(size_t words) { return words * vectors_per_word + 1; }

static size_t weight_bytes(size_t outputs, size_t words) {
  return (outputs + columns - 1) / columns * block_vectors(words) * sizeof(__m512i);
}

static size_t arranged_bytes(size_t rows, size_t words) {
  return (rows + group_rows - 1) / group_rows * group_vectors(words) * sizeof(__m512i);
}

// The bit of an output in the words of its block: a transposition of 8 × 8, so that the outputs
// that share a bit of their bytes follow each other.
static size_t position(size_t output) { return output % 8 * 8 + output / 8; }

// The entries of one pair from the outputs' parities before, within and after it.
static void fill_entries(const uint64_t parities[3], uint64_t entries[8]) {
  for (size_t row = 0; row < 8; row++) {
    const uint64_t before = parities[0] ^ (0 - (uint64_t)(row & 1));
    const uint64_t within = parities[1] ^ (0 - (uint64_t)(row >> 1 & 1));
    const uint64_t after = parities[2] ^ (0 - (uint64_t)(row >> 2 & 1));
    entries[row] = (within & ~after) | (~within & before);
  }
}

static void pack_weights(size_t outputs, size_t words, const uint64_t *rows, void *packed) {
  uint64_t *out = packed;
  for (size_t first = 0; first < outputs; first += columns) {
    uint64_t parity = 0;
    for (size_t k = 0; k < words; k++) {
      uint64_t planes[columns] = {0};
      for (size_t o = first; o < first + columns && o < outputs; o++)
        planes[position(o - first)] = rows[o * words + k];
      bnn_transpose_words(planes);
      for (size_t pair = 0; pair < pairs_per_word; pair++, out += 8) {
        const uint64_t within = parity ^ planes[2 * pair], after = within ^ planes[2 * pair + 1];
        fill_entries((const uint64_t[]){parity, within, after}, out);
        parity = after;
      }
    }
    for (size_t lane = 0; lane < 8; lane++) *out++ = parity;
  }
}

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

// The same where its halves lie apart, or it has one only.
BNN_TARGET_INLINE __m512i gather_words(
  const uint32_t *const *rows, size_t count, const uint32_t *offsets, bool has_two) {
  __m512i words = _mm512_setzero_si512();
  BNN_UNROLL for (size_t m = 0; m < group_rows; m++) {
    if (m >= count) break;
    const uint64_t low = rows[m][offsets[0]], high = has_two ? rows[m][offsets[1]] : 0;
    const long long bits = (long long)(low | high << 32);
    words = _mm512_mask_set1_epi64(words, (__mmask8)(1u << m), bits);
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

// Bit k becomes the parity of the bits up to k.
BNN_TARGET_INLINE __m512i prefix_parities(__m512i words) {
  BNN_UNROLL for (unsigned step = 1; step < 64; step *= 2)
    words = _mm512_xor_si512(words, _mm512_slli_epi64(words, step));
  return words;
}

// Writes one word of the rows of a group; all bits of a lane of `parity` are the parity before it.
BNN_TARGET_INLINE __m512i arrange_word(__m512i bits, __m512i parity, __m512i *out) {
  const __m512i after = _mm512_xor_si512(prefix_parities(bits), parity);
  out[0] = _mm512_sub_epi64(_mm512_add_epi64(after, after), parity);
  out[1] = after;
  return _mm512_srai_epi64(after, 63);
}

// Whether the first elements of rows follow each other as their words do in a vector.
static bool are_neighbors(const uint32_t *const *rows) {
  for (size_t m = 0; m + 1 < group_rows; m++)
    if (rows[m] + 2 != rows[m + 1]) return false;
  return true;
}

// Arranges whole words of a whole group of neighbors.
BNN_TARGET_INLINE void arrange_neighbors(const bnn_bit_rows *rows, size_t first, __m512i *out) {
  const size_t words = bnn_row_words(rows);
  __m512i parity = _mm512_setzero_si512();
  for (size_t k = 0; k < words; k++, out += vectors_per_word) {
    const __m512i bits = _mm512_loadu_si512(rows->rows[first] + rows->offsets[2 * k]);
    parity = arrange_word(bits, parity, out);
  }
  *out = parity;
}

BNN_TARGET_INLINE void arrange_group(
  const bnn_bit_rows *rows, size_t first, size_t count, __m512i *out) {
  const uint32_t *const *pointers = rows->rows + first;
  const size_t words = bnn_row_words(rows);
  __m512i parity = _mm512_setzero_si512();
  for (size_t k = 0; k < words; k++, out += vectors_per_word) {
    const uint32_t *offsets = rows->offsets + 2 * k;
    const size_t halves = halves_in_a_row(rows, k);
    // One word, or the second of two.
    __m512i bits[2];
    if (halves == 1) {
      bits[1] = 2 * k + 1 < rows->halves ? gather_words(pointers, count, offsets, true)
                                         : gather_words(pointers, count, offsets, false);
    } else if (halves == 4 && count == group_rows) {
      load_two_words(pointers, offsets[0], bits);
      parity = arrange_word(bits[0], parity, out);
      out += vectors_per_word;
      k++;
    } else {
      bits[1] = load_words(pointers, count, offsets[0]);
    }
    parity = arrange_word(bits[1], parity, out);
  }
  *out = parity;
}

BNN_TARGET static void arrange(const bnn_bit_rows *rows, void *arranged) {
  __m512i *out = arranged;
  const bool is_whole = bnn_row_words_are_whole(rows);
  const size_t step = group_vectors(bnn_row_words(rows));
  for (size_t m = 0; m < rows->count; m += group_rows, out += step) {
    const size_t left = rows->count - m, count = left < group_rows ? left : group_rows;
    if (is_whole && count == group_rows && are_neighbors(rows->rows + m)) {
      arrange_neighbors(rows, m, out);
    } else {
      arrange_group(rows, m, count, out);
    }
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

// Mismatches as bit planes of the weights 1 (the parity), 2, 4, …: `low` are 2 to 64.
enum { low_planes = 6, high_planes = 7 };

// Where the planes of twice the mismatches are: two bytes, whose first and last bit are 0.
enum { parity_at = 1, low_at = 2, high_at = low_at + low_planes, last_plane = 15 };

typedef struct low_counter {
  __m512i planes[low_planes];
} low_counter;

// What is asked for while products are computed, a share of it for every two words: tables take four
// times the bits of the weights, and mostly come from outside of the second-level cache.
typedef struct ahead {
  const char *from;
  size_t lines;
} ahead;

enum { line_bytes = 64 };

// Shares the tables of some blocks among the words of all groups of rows.
static ahead ahead_of(const void *next, size_t blocks, size_t words, size_t groups) {
  const size_t parts = groups * ((words + 1) / 2), lines = blocks * block_vectors(words);
  return (ahead){next, next && parts > 0 ? (lines + parts - 1) / parts : 0};
}

BNN_TARGET_INLINE void ask(ahead *ahead) {
  for (size_t i = 0; i < ahead->lines; i++, ahead->from += line_bytes)
    _mm_prefetch(ahead->from, _MM_HINT_T1);
}

// The parities before, within and after a pair, in the low bits of each lane. A vector read some
// bytes later has the bytes of all lanes that much lower: where they begin on a byte, that relieves
// the ports of arithmetic of a shift. Where two blocks share a shift, reading across cache lines
// costs more.
BNN_TARGET_INLINE __m512i
parities_of(const __m512i *before, __m512i after, unsigned pair, size_t blocks) {
  const unsigned bit = 2 * pair;
  if (pair == 0) return *before;
  if (blocks == 1 && bit % 8 == 0) return _mm512_loadu_si512((const char *)before + bit / 8);
  return _mm512_srli_epi64(after, bit - 1);
}

// Adds one word of K of a group of rows, for each block of outputs; `carries` have the weight 64.
BNN_TARGET_INLINE void add_word(
  size_t blocks, const __m512i *row, const __m512i *const *tables, size_t word,
  low_counter *counters, __m512i *carries) {
  // The carries of each plane wait for a second one.
  __m512i waiting[most_blocks][low_planes];
  const __m512i *before = row + word * vectors_per_word, after = before[1];
  BNN_UNROLL for (unsigned pair = 0; pair < pairs_per_word; pair++) {
    const __m512i parities = parities_of(before, after, pair, blocks);
    BNN_UNROLL for (size_t b = 0; b < blocks; b++) {
      __m512i found = _mm512_permutexvar_epi64(parities, tables[b][word * pairs_per_word + pair]);
      size_t plane = 0;
      BNN_UNROLL for (; plane < low_planes - 1; plane++) {
        if (pair >> plane & 1) {
          found = add_carry(&counters[b].planes[plane], waiting[b][plane], found);
        } else {
          waiting[b][plane] = found;
          break;
        }
      }
      if (plane == low_planes - 1) carries[b] = found;
    }
  }
}

// Planes of the weights 128, 256, …, in memory: each takes two carries at a time.
typedef struct high_counter {
  size_t carries;
  __m512i waiting[high_planes], planes[high_planes];
} high_counter;

BNN_TARGET_INLINE void add_high(high_counter *to, __m512i carry) {
  size_t plane = 0;
  for (; to->carries >> plane & 1; plane++)
    carry = add_carry(&to->planes[plane], to->waiting[plane], carry);
  to->waiting[plane] = carry;
  to->carries += 1;
}

// Adds the carries that still wait. No plane is set whose weight is above the number of carries.
BNN_TARGET_INLINE void settle(high_counter *counter) {
  __m512i carry = _mm512_setzero_si512();
  for (size_t plane = 0; counter->carries >> plane != 0; plane++) {
    const bool waits = counter->carries >> plane & 1;
    const __m512i waiting = waits ? counter->waiting[plane] : _mm512_setzero_si512();
    carry = add_carry(&counter->planes[plane], waiting, carry);
  }
}

// Writes the planes of `words` words, but for the parity. `blocks` is a constant.
BNN_TARGET_INLINE void count_words(
  size_t blocks, const __m512i *row, const __m512i *const *tables, size_t first, size_t words,
  ahead *ahead, bnn_planes *const *out) {
  const __m512i zero = _mm512_setzero_si512();
  low_counter low[most_blocks];
  high_counter high[most_blocks];
  BNN_UNROLL for (size_t b = 0; b < blocks; b++) {
    BNN_UNROLL for (size_t plane = 0; plane < low_planes; plane++) low[b].planes[plane] = zero;
    high[b].carries = 0;
    for (size_t plane = 0; plane < high_planes; plane++) high[b].planes[plane] = zero;
  }
  for (size_t word = 0; word < words; word += 2) {
    ask(ahead);
    __m512i carries[2][most_blocks] = {{zero, zero}, {zero, zero}};
    add_word(blocks, row, tables, first + word, low, carries[0]);
    if (word + 1 < words) add_word(blocks, row, tables, first + word + 1, low, carries[1]);
    BNN_UNROLL for (size_t b = 0; b < blocks; b++)
      add_high(
        &high[b], add_carry(&low[b].planes[low_planes - 1], carries[0][b], carries[1][b]));
  }
  BNN_UNROLL for (size_t b = 0; b < blocks; b++) {
    settle(&high[b]);
    _mm512_store_si512(out[b]->words[0], zero);
    _mm512_store_si512(out[b]->words[last_plane], zero);
    memcpy(out[b]->words[low_at], low[b].planes, sizeof low[b].planes);
    memcpy(out[b]->words[high_at], high[b].planes, sizeof high[b].planes);
  }
}

// out = base − twice the mismatches for the outputs of the mask.
BNN_TARGET_INLINE void subtract(
  const uint16_t *twice, const int32_t *base, int32_t *out, uint64_t outputs) {
  BNN_UNROLL for (size_t i = 0; i < columns; i += 16) {
    const __m512i counts = _mm512_cvtepu16_epi32(_mm256_load_si256((const __m256i *)(twice + i)));
    const __mmask16 mask = (__mmask16)(outputs >> i);
    const __m512i bases = _mm512_maskz_loadu_epi32(mask, base + i);
    _mm512_mask_storeu_epi32(out + i, mask, _mm512_sub_epi32(bases, counts));
  }
}

// Where the accumulators of a group of rows and a block of outputs go.
typedef struct target {
  const int32_t *const *bases;
  int32_t *out;
  size_t out_stride, rows, first;
} target;

BNN_TARGET static void finish(const bnn_planes *twice, const target *to, size_t outputs) {
  const uint64_t all = ~(uint64_t)0;
  uint16_t numbers[group_rows][columns] __attribute__((aligned(64)));
  numbers_of_planes(twice, numbers);
  const int32_t *const *bases = to->bases;
  int32_t *out = to->out + to->first;
  for (size_t m = 0; m < to->rows; m++, out += to->out_stride) {
    const int32_t *base = bases[m] + to->first;
    if (outputs < columns) {
      subtract(numbers[m], base, out, ((uint64_t)1 << outputs) - 1);
    } else {
      subtract(numbers[m], base, out, all);
    }
  }
}

// Two words at a time give one carry to the high planes, which wait for a second one in as many
// planes: (1 << high_planes) − 1 carries.
enum { longest_chunk = 2 * ((1 << high_planes) - 1) };

// Counts words of a group of rows and of one or two blocks of outputs.
BNN_TARGET_INLINE void count_chunk(
  size_t blocks, const __m512i *row, const __m512i *weights, size_t words, size_t first,
  size_t chunk, ahead *ahead, bnn_planes *const *counts) {
  const __m512i *const tables[most_blocks] = {weights, weights + block_vectors(words)};
  if (blocks == 1) {
    count_words(1, row, tables, first, chunk, ahead, counts);
  } else {
    count_words(2, row, tables, first, chunk, ahead, counts);
  }
  for (size_t b = 0; b < blocks; b++) {
    const bool is_last = first + chunk == words;
    const __m512i parity = _mm512_xor_si512(
      row[words * vectors_per_word], tables[b][words * pairs_per_word]);
    _mm512_store_si512(
      counts[b]->words[parity_at], is_last ? parity : _mm512_setzero_si512());
  }
}

BNN_TARGET static void multiply_group(
  size_t blocks, const __m512i *row, const __m512i *weights, size_t words, size_t outputs,
  ahead *ahead, target to) {
  const int32_t *sums[group_rows];
  size_t first = 0;
  do {
    const size_t left = words - first, chunk = left < longest_chunk ? left : longest_chunk;
    bnn_planes planes[most_blocks] __attribute__((aligned(64)));
    bnn_planes *const counts[most_blocks] = {planes, planes + 1};
    count_chunk(blocks, row, weights, words, first, chunk, ahead, counts);
    for (size_t b = 0; b < blocks; b++) {
      target part = to;
      part.first += b * columns;
      finish(counts[b], &part, outputs - b * columns);
    }
    // Further chunks are subtracted from what is there.
    for (size_t m = 0; m < to.rows; m++) sums[m] = to.out + m * to.out_stride;
    to.bases = sums;
    first += chunk;
  } while (first < words);
}

BNN_TARGET static void multiply(
  const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *packed_weights,
  const void *next, const int32_t *const *bases, int32_t *out, size_t out_stride) {
  const size_t words = bnn_row_words(rows), groups = (rows->count + group_rows - 1) / group_rows;
  const __m512i *weights = packed_weights;
  size_t blocks;
  // The tables of a block or two are used by all rows before those of the next are read.
  for (size_t o = 0; o < outputs; o += blocks * columns) {
    blocks = outputs - o > columns ? 2 : 1;
    const __m512i *row = arranged, *following = weights + blocks * block_vectors(words);
    const bool is_last = outputs - o <= blocks * columns;
    ahead ahead = ahead_of(is_last ? next : following, blocks, words, groups);
    for (size_t m = 0; m < rows->count; m += group_rows, row += group_vectors(words)) {
      const size_t left = rows->count - m;
      const target to = {
        .bases = bases + m,
        .out = out + m * out_stride,
        .out_stride = out_stride,
        .rows = left < group_rows ? left : group_rows,
        .first = o,
      };
      multiply_group(blocks, row, weights, words, outputs - o, &ahead, to);
    }
    weights = following;
  }
}

BNN_TARGET static void count(
  const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *packed_weights,
  const void *next, bnn_planes *planes) {
  const size_t words = bnn_row_words(rows), groups = (rows->count + group_rows - 1) / group_rows;
  const size_t all = (outputs + columns - 1) / columns;
  const __m512i *weights = packed_weights;
  size_t blocks;
  for (size_t block = 0; block < all; block += blocks) {
    blocks = all - block > 1 ? 2 : 1;
    const __m512i *row = arranged, *following = weights + blocks * block_vectors(words);
    const bool is_last = all - block <= blocks;
    ahead ahead = ahead_of(is_last ? next : following, blocks, words, groups);
    for (size_t group = 0; group < groups; group++, row += group_vectors(words)) {
      bnn_planes *to = planes + group * all + block;
      count_chunk(
        blocks, row, weights, words, 0, words, &ahead, (bnn_planes *const[]){to, to + 1});
    }
    weights = following;
  }
}

const bnn_bgemm bnn_bgemm_8x64__avx512 = {
  .name = "bnn_bgemm_8x64__avx512",
  .isa = BNN_ISA_AVX512,
  .cost = {
    .rows = 8, .outputs = 64, .word = 80, .rest = 410, .tested_rest = 110, .row_word = 12,
    .outside_word = 20},
  .intel_cost = {
    .rows = 8, .outputs = 64, .word = 60, .rest = 560, .tested_rest = 110, .row_word = 12,
    .group_word = 25, .lone_word = 14},
  .best_rows = 32,
  .best_outputs = 128,
  .weight_bytes = weight_bytes,
  .pack_weights = pack_weights,
  .arranged_bytes = arranged_bytes,
  .arrange = arrange,
  .halves_per_gather = 512,
  .multiply = multiply,
  .count = count,
  .most_counted_words = longest_chunk,
};

#endif
