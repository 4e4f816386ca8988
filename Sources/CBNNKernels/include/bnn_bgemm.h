// Binary matrix product: rows of bits times rows of weight bits, 1 for +1 and 0 for −1.
//
//   out[m][o] = bases[m][o] − 2 · popcount(row m XOR weights of o)
//
// With bases[m][o] = K that is the sum of K products of ±1. Taps that count nothing (zero
// padding) are gathered as 0 bits and corrected in the base: each contributes popcount(weights of
// the tap) mismatches and none of K, so the base is K − taps' bits + 2 · popcount(their weights).
//
// A "word" is 64 bits of K, made of two halves; the bits after the last of K are 0 on both sides.
// Weights are laid out once at load, as the kernel wants them; rows are given where they lie.
#ifndef BNN_BGEMM_H
#define BNN_BGEMM_H

#include "bnn_isa.h"

// Half h of row m is rows[m][offsets[h]]. The last word may have one half only.
typedef struct bnn_bit_rows {
  size_t count, halves;
  const uint32_t *const *rows;
  const uint32_t *offsets;
} bnn_bit_rows;

static inline size_t bnn_row_words(const bnn_bit_rows *rows) { return (rows->halves + 1) / 2; }

static inline uint64_t bnn_row_word(const bnn_bit_rows *rows, size_t row, size_t word) {
  const uint32_t *bits = rows->rows[row], *offsets = rows->offsets + 2 * word;
  const uint64_t low = bits[offsets[0]];
  return 2 * word + 1 < rows->halves ? low | (uint64_t)bits[offsets[1]] << 32 : low;
}

// Whether the halves of each word lie side by side, so that it can be read at once.
static inline bool bnn_row_words_are_whole(const bnn_bit_rows *rows) {
  if (rows->halves % 2 != 0) return false;
  for (size_t half = 0; half < rows->halves; half += 2)
    if (rows->offsets[half + 1] != rows->offsets[half] + 1) return false;
  return true;
}

// Twice the mismatches of 8 rows and 64 outputs as bit planes of the weights 1, 2, 4, …: a word per
// plane and row, in which output o is bit o % 8 · 8 + o / 8. The first and the last plane are 0. Aligned to 64.
typedef struct bnn_planes {
  uint64_t words[16][8];
} bnn_planes;

// About how many cycles a product and its epilogue take, all but what is the same for all kernels:
// what was measured, in parts of `rows` rows × `outputs` outputs, whole ones even where less is
// asked for, but for vectors of numbers that follow.
typedef struct bnn_bgemm_cost {
  size_t rows, outputs;
  // Cycles for each word of K of a part, and for the rest of it: where numbers follow, and where
  // accumulators are only tested for bits.
  double word, rest, tested_rest;
  // For each word of `rows` rows, once for all outputs; more where they are those of one of several
  // groups; more for each word of a part that no second part of the outputs accompanies; and more
  // for each word where one part of outputs is all there is, whose weights do not fit into the
  // first-level cache.
  double row_word, group_word, lone_word, outside_word;
} bnn_bgemm_cost;

typedef struct bnn_bgemm_shape {
  size_t rows, outputs, words;
  // Whether accumulators are only tested for bits, and whether it is one of several groups.
  bool is_tested, is_grouped;
} bnn_bgemm_shape;

typedef struct bnn_bgemm {
  const char *name;
  bnn_isa isa;
  // What it costs on each CPU; where its `rows` are 0, what it costs on others.
  bnn_bgemm_cost costs[bnn_cpu_count];
  // Rows and outputs that `multiply` is best given at a time; 0 outputs stand for all.
  size_t best_rows, best_outputs;
  // Bytes of the weights of `outputs` rows of `words` in the kernel's layout; align them to 64.
  size_t (*weight_bytes)(size_t outputs, size_t words);
  void (*pack_weights)(size_t outputs, size_t words, const uint64_t *rows, void *packed);
  // Rows as the kernel wants them, which is done once for all outputs; align them to 64. Null where
  // rows are read where they lie. `arrange_two` arranges the rows of two groups, one after the other:
  // those of the second are `halves_apart` halves further on. Null where that is no faster.
  size_t (*arranged_bytes)(size_t rows, size_t words);
  void (*arrange)(const bnn_bit_rows *rows, void *arranged);
  void (*arrange_two)(const bnn_bit_rows *rows, void *arranged);
  size_t halves_apart;
  // How many halves times outputs take about as long as gathering one row without gaps: rows with
  // gaps are worth it up to there.
  size_t halves_per_gather;
  // `out` has `out_stride` elements from row to row. Outputs may be multiplied a part at a time: the
  // weights of those from a multiple of 64 on begin at `weight_bytes` of the outputs before them.
  // `next` are those that as many outputs are multiplied with afterwards, which may be asked for
  // meanwhile; null where they are not known, or in the cache.
  void (*multiply)(
    const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *packed_weights,
    const void *next, const int32_t *const *bases, int32_t *out, size_t out_stride);
  // Instead of what is left of the bases, the planes themselves: [8 rows][64 outputs]. Those of rows
  // and outputs after the last are not specified. Null where a kernel has none; `most_counted_words` is the
  // number of words that they can hold, and for less than `fewest_counted_outputs` they are not worth it.
  void (*count)(
    const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *packed_weights,
    const void *next, bnn_planes *planes);
  size_t most_counted_words, fewest_counted_outputs;
  // The same design for two groups of 32 bits per tap and 32 outputs at once: a word of K has the
  // bits of one tap side by side, and the outputs are side by side, too. Of the bits of a row of
  // weights only those of its own group count. Null where there is none.
  const struct bnn_bgemm *of_two_groups;
} bnn_bgemm;

#define BNN_BGEMM_KERNEL(object) BNN_DECLARE_KERNEL(bnn_bgemm, object)
#include "bnn_bgemm.inc"
#undef BNN_BGEMM_KERNEL
BNN_DECLARE_DISPATCH(bnn_bgemm)

// The model of the cost that chooses between kernels: the parts, the rows, and the weights, which
// come from outside of the second-level cache once in a run of a network.
double bnn_bgemm_cycles(const bnn_bgemm *kernel, bnn_bgemm_shape shape);

#endif
