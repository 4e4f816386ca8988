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
//
// Where a group has 32 outputs and as many bits of a tap, two are multiplied at once: the bits of a
// tap side by side in a word of K, the outputs side by side in a block. A table has eight entries of
// 32 outputs for each of them, which `vpermd` looks up. Rows: the indices of even and of odd pairs.
#include "bnn_bgemm.h"

#if BNN_X86_64

#include <immintrin.h>
#include <string.h>

#include "../bits/word_bits.h"
#include "../planes_avx512.h"
#include "../unindexed.h"
#include "ahead.h"
#include "parity_entries.h"
#include "parity_rows_avx512.h"

enum { most_blocks = 2 };

static size_t weight_bytes_of(size_t field, size_t outputs, size_t words) {
  return (outputs + columns - 1) / columns * block_vectors(field, words) * sizeof(__m512i);
}

static size_t arranged_bytes(size_t rows, size_t words) {
  return (rows + group_rows - 1) / group_rows * group_vectors(words) * sizeof(__m512i);
}

// Which of the three exchanges that transpose 8 × 8 bits are left to the planes: the last one would
// tear fields of half a word apart.
static size_t exchanged_later(size_t field) { return field == 64 ? 3 : 2; }

// The bit of an output in the words of its block: a transposition of 8 × 8, so that the outputs
// that share a bit of their bytes follow each other, but for what is exchanged later.
static size_t position(size_t field, size_t output) {
  for (size_t i = 0; i < exchanged_later(field); i++) {
    const size_t differ = (output >> i ^ output >> (i + 3)) & 1;
    output ^= differ << i | differ << (i + 3);
  }
  return output;
}

// The entries of one pair, of fields of outputs.
static void fill_entries(size_t field, output_parities own, uint64_t *entries) {
  for (size_t row = 0; row < table_entries; row++) {
    const uint64_t found = table_entry(own, row);
    for (size_t bit = 0; bit < 64; bit += field) {
      char *entry = (char *)entries + (bit / field * table_entries + row) * (field / 8);
      memcpy(entry, (const char *)&found + bit / 8, field / 8);
    }
  }
}

// Bit k of each field for its own outputs.
static uint64_t own_bits(size_t field, const uint64_t planes[columns], size_t k) {
  if (field == 64) return planes[k];
  return (planes[k] & UINT32_MAX) | (planes[field + k] & ~(uint64_t)UINT32_MAX);
}

static void pack_rows(
  size_t field, size_t outputs, size_t words, const uint64_t *rows, void *packed) {
  uint64_t *out = packed;
  for (size_t first = 0; first < outputs; first += columns) {
    uint64_t parity = 0;
    for (size_t k = 0; k < words; k++) {
      uint64_t planes[columns] = {0};
      for (size_t o = first; o < first + columns && o < outputs; o++)
        planes[position(field, o - first)] = rows[o * words + k];
      bnn_transpose_words(planes);
      for (size_t pair = 0; pair < pairs_per_word(field); pair++, out += 8) {
        const output_parities own = next_parities(
          parity, own_bits(field, planes, 2 * pair), own_bits(field, planes, 2 * pair + 1));
        fill_entries(field, own, out);
        parity = own.after;
      }
    }
    for (size_t lane = 0; lane < 8; lane++) *out++ = parity;
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

// How many pairs of blocks side by side ask for a share of the next tables: enough for all of them
// where four groups of rows do.
static inline size_t pairs_per_ask(size_t blocks) { return 8 / blocks; }

static ahead next_tables(
  size_t field, const void *next, const void *now, size_t blocks, size_t words, size_t groups) {
  const size_t bytes = blocks * block_vectors(field, words) * sizeof(__m512i);
  return ahead_of(next, now, bytes, groups * words * (pairs_per_word(field) / pairs_per_ask(blocks)));
}

// The index of a pair in the low bits of each field. A vector read some bytes later has the bytes of
// all lanes that much lower: where they begin on a byte, that relieves the ports of arithmetic of a
// shift. Where two blocks share a shift, reading across cache lines costs more.
BNN_TARGET_INLINE __m512i index_of(
  size_t field, const __m512i *row, unsigned pair, size_t blocks) {
  if (field == 32) return _mm512_srli_epi64(row[pair % 2], pair / 2 * 4);
  const unsigned bit = 2 * pair;
  if (pair == 0) return row[0];
  if (blocks == 1 && bit % 8 == 0) return _mm512_loadu_si512((const char *)row + bit / 8);
  return _mm512_srli_epi64(row[1], bit - 1);
}

BNN_TARGET_INLINE __m512i look_up(size_t field, __m512i indices, __m512i table) {
  return field == 64 ? _mm512_permutexvar_epi64(indices, table)
                     : _mm512_permutexvar_epi32(indices, table);
}

// The pairs whose carries have the weight 64, and how many words they are.
enum { unit_pairs = 1 << (low_planes - 1) };
BNN_TARGET_INLINE size_t words_per_unit(size_t field) { return unit_pairs / pairs_per_word(field); }

// Adds a unit of words of a group of rows, or one word, for each block of outputs; `carries` have the
// weight 64.
BNN_TARGET_INLINE void add_words(
  size_t field, size_t words, size_t blocks, const __m512i *row, const __m512i *const *tables,
  size_t first, ahead *ahead, low_counter *counters, __m512i *carries) {
  // The carries of each plane wait for a second one.
  __m512i waiting[most_blocks][low_planes], found[most_blocks];
  const unsigned pairs = (unsigned)(words * pairs_per_word(field));
  size_t plane = 0;
  row += first * vectors_per_word;
  BNN_UNINDEXED(row);
  const __m512i *table[most_blocks];
  BNN_UNROLL for (size_t b = 0; b < blocks; b++) {
    table[b] = tables[b] + first * pairs_per_word(field);
    BNN_UNINDEXED(table[b]);
  }
  BNN_UNROLL for (unsigned pair = 0; pair < pairs; pair++) {
    const unsigned word = pair / pairs_per_word(field), own = pair % pairs_per_word(field);
    if (pair % pairs_per_ask(blocks) == 0) ask(ahead);
    const __m512i index = index_of(field, row + word * vectors_per_word, own, blocks);
    BNN_UNROLL for (size_t b = 0; b < blocks; b++) {
      found[b] = look_up(field, index, table[b][pair]);
      for (plane = 0; pair >> plane & 1; plane++)
        found[b] = add_carry(&counters[b].planes[plane], waiting[b][plane], found[b]);
      waiting[b][plane] = found[b];
    }
  }
  // Of less than a unit the last carry has none to wait for.
  BNN_UNROLL for (size_t b = 0; b < blocks; b++) {
    for (size_t last = plane; last < low_planes - 1; last++)
      found[b] = add_carry(&counters[b].planes[last], found[b], _mm512_setzero_si512());
    carries[b] = found[b];
  }
}

// Planes of the weights 128, 256, …, where they are in the end: each takes two carries at a time.
typedef struct high_counter {
  size_t carries;
  __m512i waiting[high_planes], *planes;
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

// Planes before anything is counted.
BNN_TARGET_INLINE void begin(bnn_planes *out, low_counter *low, high_counter *high) {
  const __m512i zero = _mm512_setzero_si512();
  BNN_UNROLL for (size_t plane = 0; plane < low_planes; plane++) low->planes[plane] = zero;
  high->carries = 0;
  high->planes = (__m512i *)out->words[high_at];
  _mm512_store_si512(out->words[0], zero);
  BNN_UNROLL for (size_t plane = high_at; plane <= last_plane; plane++)
    _mm512_store_si512(out->words[plane], zero);
}

// Completes the planes of a block; those above the number of carries are 0.
BNN_TARGET_INLINE void finish_planes(
  size_t field, const low_counter *low, high_counter *high, bnn_planes *out) {
  const size_t first = exchanged_later(field);
  settle(high);
  BNN_UNROLL for (size_t plane = 0; plane < low_planes; plane++)
    _mm512_store_si512(out->words[low_at + plane], exchange_rows(low->planes[plane], first));
  for (size_t plane = 0; field != 64 && high->carries >> plane != 0; plane++)
    high->planes[plane] = exchange_rows(high->planes[plane], first);
}

// Counts `words` words, but for the parity. `field` and `blocks` are constants.
BNN_TARGET_INLINE void count_words(
  size_t field, size_t blocks, const __m512i *row, const __m512i *const *tables, size_t first,
  size_t words, ahead *ahead, bnn_planes *const *out) {
  const __m512i zero = _mm512_setzero_si512();
  const size_t unit = words_per_unit(field), end = first + words;
  low_counter low[most_blocks];
  high_counter high[most_blocks];
  BNN_UNROLL for (size_t b = 0; b < blocks; b++) begin(out[b], &low[b], &high[b]);
  for (size_t word = first; word < end;) {
    __m512i carries[2][most_blocks] = {{zero, zero}, {zero, zero}};
    if (end - word < unit) {
      add_words(field, 1, blocks, row, tables, word, ahead, low, carries[0]);
      word += 1;
    } else {
      add_words(field, unit, blocks, row, tables, word, ahead, low, carries[0]);
      word += unit;
      if (end - word >= unit) {
        add_words(field, unit, blocks, row, tables, word, ahead, low, carries[1]);
        word += unit;
      }
    }
    BNN_UNROLL for (size_t b = 0; b < blocks; b++)
      add_high(
        &high[b], add_carry(&low[b].planes[low_planes - 1], carries[0][b], carries[1][b]));
  }
  BNN_UNROLL for (size_t b = 0; b < blocks; b++) finish_planes(field, &low[b], &high[b], out[b]);
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
  size_t field, size_t blocks, const __m512i *row, const __m512i *weights, size_t words,
  size_t first, size_t chunk, ahead *ahead, bnn_planes *const *counts) {
  const __m512i *const tables[most_blocks] = {weights, weights + block_vectors(field, words)};
  if (blocks == 1) {
    count_words(field, 1, row, tables, first, chunk, ahead, counts);
  } else {
    count_words(field, 2, row, tables, first, chunk, ahead, counts);
  }
  for (size_t b = 0; b < blocks; b++) {
    const bool is_last = first + chunk == words;
    const __m512i parity = _mm512_xor_si512(
      row[words * vectors_per_word], tables[b][words * pairs_per_word(field)]);
    _mm512_store_si512(
      counts[b]->words[parity_at],
      is_last ? exchange_rows(parity, exchanged_later(field)) : _mm512_setzero_si512());
  }
}

BNN_TARGET_INLINE void multiply_group(
  size_t field, size_t blocks, const __m512i *row, const __m512i *weights, size_t words,
  size_t outputs, ahead *ahead, target to) {
  const int32_t *sums[group_rows];
  size_t first = 0;
  do {
    const size_t left = words - first, chunk = left < longest_chunk ? left : longest_chunk;
    bnn_planes planes[most_blocks] __attribute__((aligned(64)));
    bnn_planes *const counts[most_blocks] = {planes, planes + 1};
    count_chunk(field, blocks, row, weights, words, first, chunk, ahead, counts);
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

// How many of the blocks that are left are multiplied together; the same word has other groups in
// each block where it has several.
static inline size_t blocks_of(size_t field, size_t left) { return field == 64 && left > 1 ? 2 : 1; }

BNN_TARGET_INLINE void multiply_rows(
  size_t field, const bnn_bit_rows *rows, const void *arranged, size_t outputs,
  const void *packed_weights, const void *next, target to) {
  const size_t words = bnn_row_words(rows), groups = (rows->count + group_rows - 1) / group_rows;
  const __m512i *weights = packed_weights;
  const int32_t *const *bases = to.bases;
  int32_t *out = to.out;
  // The tables of a block or two are used by all rows before those of the next are read.
  while (to.first < outputs) {
    const size_t left = outputs - to.first;
    const size_t blocks = blocks_of(field, (left + columns - 1) / columns);
    const __m512i *row = arranged, *following = weights + blocks * block_vectors(field, words);
    const bool is_last = left <= blocks * columns;
    ahead ahead = next_tables(field, is_last ? next : following, weights, blocks, words, groups);
    for (size_t m = 0; m < rows->count; m += group_rows, row += group_vectors(words)) {
      to.rows = rows->count - m < group_rows ? rows->count - m : group_rows;
      to.bases = bases + m;
      to.out = out + m * to.out_stride;
      multiply_group(field, blocks, row, weights, words, left, &ahead, to);
    }
    to.first += blocks * columns;
    weights = following;
  }
}

BNN_TARGET_INLINE void count_rows(
  size_t field, const bnn_bit_rows *rows, const void *arranged, size_t outputs,
  const void *packed_weights, const void *next, bnn_planes *planes) {
  const size_t words = bnn_row_words(rows), groups = (rows->count + group_rows - 1) / group_rows;
  const size_t all = (outputs + columns - 1) / columns;
  const __m512i *weights = packed_weights;
  size_t blocks;
  for (size_t block = 0; block < all; block += blocks) {
    blocks = blocks_of(field, all - block);
    const __m512i *row = arranged, *following = weights + blocks * block_vectors(field, words);
    const bool is_last = all - block <= blocks;
    ahead ahead = next_tables(field, is_last ? next : following, weights, blocks, words, groups);
    for (size_t group = 0; group < groups; group++, row += group_vectors(words)) {
      bnn_planes *to = planes + group * all + block;
      count_chunk(
        field, blocks, row, weights, words, 0, words, &ahead, (bnn_planes *const[]){to, to + 1});
    }
    weights = following;
  }
}

// The functions for words of fields of FIELD bits.
#define BNN_PARITY_FUNCTIONS(FIELD)                                                            \
  static size_t weight_bytes_##FIELD(size_t outputs, size_t words) {                           \
    return weight_bytes_of(FIELD, outputs, words);                                             \
  }                                                                                            \
  static void pack_weights_##FIELD(                                                            \
    size_t outputs, size_t words, const uint64_t *rows, void *packed) {                        \
    pack_rows(FIELD, outputs, words, rows, packed);                                            \
  }                                                                                            \
  BNN_TARGET static void arrange_##FIELD(const bnn_bit_rows *rows, void *arranged) {           \
    arrange_rows(FIELD, rows, 1, arranged);                                                    \
  }                                                                                            \
  BNN_TARGET static void arrange_two_##FIELD(const bnn_bit_rows *rows, void *arranged) {       \
    arrange_rows(FIELD, rows, 2, arranged);                                                    \
  }                                                                                            \
  BNN_TARGET static void multiply_##FIELD(                                                     \
    const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *weights,       \
    const void *next, const int32_t *const *bases, int32_t *out, size_t out_stride) {          \
    const target to = {.bases = bases, .out = out, .out_stride = out_stride};                  \
    multiply_rows(FIELD, rows, arranged, outputs, weights, next, to);                          \
  }                                                                                            \
  BNN_TARGET static void count_##FIELD(                                                        \
    const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *weights,       \
    const void *next, bnn_planes *planes) {                                                    \
    count_rows(FIELD, rows, arranged, outputs, weights, next, planes);                         \
  }

#define BNN_PARITY_MEMBERS(FIELD)                                                              \
  .isa = BNN_ISA_AVX512, .best_rows = 32, .best_outputs = 128,                                 \
  .weight_bytes = weight_bytes_##FIELD, .pack_weights = pack_weights_##FIELD,                  \
  .arranged_bytes = arranged_bytes, .arrange = arrange_##FIELD,                                \
  .arrange_two = arrange_two_##FIELD, .halves_apart = 2,                                       \
  .halves_per_gather = 512, .multiply = multiply_##FIELD, .count = count_##FIELD,              \
  .most_counted_words = longest_chunk

BNN_PARITY_FUNCTIONS(64)
BNN_PARITY_FUNCTIONS(32)

static const bnn_bgemm of_two_groups = {
  .name = "bnn_bgemm_8x2x32__avx512",
  .costs[BNN_CPU_OTHER] = {.rows = 8, .outputs = 64, .word = 50, .rest = 430, .tested_rest = 110, .row_word = 23},
  .costs[BNN_CPU_INTEL] = {
    .rows = 8, .outputs = 64, .word = 29, .rest = 440, .tested_rest = 110, .row_word = 14},
  .costs[BNN_CPU_ZEN5] = {
    .rows = 8, .outputs = 64, .word = 44, .rest = 0, .tested_rest = 20, .row_word = 10},
  BNN_PARITY_MEMBERS(32),
};

const bnn_bgemm bnn_bgemm_8x64__avx512 = {
  .name = "bnn_bgemm_8x64__avx512",
  .costs[BNN_CPU_OTHER] = {
    .rows = 8, .outputs = 64, .word = 80, .rest = 455, .tested_rest = 110, .row_word = 10,
    .group_word = 18, .outside_word = 8},
  .costs[BNN_CPU_INTEL] = {
    .rows = 8, .outputs = 64, .word = 51, .rest = 440, .tested_rest = 110, .row_word = 12,
    .group_word = 25, .lone_word = 14},
  .costs[BNN_CPU_ZEN5] = {
    .rows = 8, .outputs = 64, .word = 52.5, .rest = 0, .tested_rest = 20, .row_word = 22,
    .lone_word = 13},
  .of_two_groups = &of_two_groups,
  BNN_PARITY_MEMBERS(64),
};

#endif
