// Eight outputs at a time on plain words. Weights: [tile][word][output of the tile].
#include "bnn_bgemm.h"

enum { columns = 8 };

static size_t weight_bytes(size_t outputs, size_t words) {
  return (outputs + columns - 1) / columns * columns * words * sizeof(uint64_t);
}

static void pack_weights(size_t outputs, size_t words, const uint64_t *rows, void *packed) {
  uint64_t *out = packed;
  for (size_t tile = 0; tile < outputs; tile += columns)
    for (size_t k = 0; k < words; k++)
      for (size_t i = 0; i < columns; i++)
        *out++ = tile + i < outputs ? rows[(tile + i) * words + k] : 0;
}

static void multiply(
  const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *packed_weights,
  const void *next, const int32_t *const *bases, int32_t *out, size_t out_stride) {
  (void)arranged;
  (void)next;
  const uint64_t *weights = packed_weights;
  const size_t words = bnn_row_words(rows);
  for (size_t tile = 0; tile < outputs; tile += columns, weights += columns * words)
    for (size_t m = 0; m < rows->count; m++) {
      int32_t mismatches[columns] = {0};
      for (size_t k = 0; k < words; k++) {
        const uint64_t word = bnn_row_word(rows, m, k);
        for (size_t i = 0; i < columns; i++)
          mismatches[i] += __builtin_popcountll(word ^ weights[k * columns + i]);
      }
      for (size_t i = 0; i < columns && tile + i < outputs; i++)
        out[m * out_stride + tile + i] = bases[m][tile + i] - 2 * mismatches[i];
    }
}

const bnn_bgemm bnn_bgemm_1x8__scalar = {
  .name = "bnn_bgemm_1x8__scalar",
  .isa = BNN_ISA_SCALAR,
  .costs[BNN_CPU_OTHER] = {.rows = 1, .outputs = 8, .word = 20, .rest = 20, .tested_rest = 20},
  .best_rows = 32,
  .best_outputs = 0,
  .weight_bytes = weight_bytes,
  .pack_weights = pack_weights,
  .arranged_bytes = NULL,
  .arrange = NULL,
  .halves_per_gather = 64,
  .multiply = multiply,
  .count = NULL,
};
