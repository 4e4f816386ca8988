// Binary matrix product: rows of bits times rows of weight bits, 1 for +1 and 0 for −1.
//
//   out[m][o] = bases[m][o] − 2 · popcount(row m XOR weights of o)
//
// With bases[m][o] = K that is the sum of K products of ±1. Taps that count nothing (zero
// padding) are gathered as 0 bits and corrected in the base: each contributes popcount(weights of
// the tap) mismatches and none of K, so the base is K − taps' bits + 2 · popcount(their weights).
//
// Both sides are rearranged into a layout of the kernel's own: weights once at load, rows per
// tile. A "word" is 64 bits of K; the bits after the last of K are 0 on both sides.
#ifndef BNN_BGEMM_H
#define BNN_BGEMM_H

#include "bnn_isa.h"

typedef struct bnn_bgemm {
  const char *name;
  bnn_isa isa;
  // Bytes of the weights of `outputs` rows of `words` in the kernel's layout; align them to 64.
  size_t (*weight_bytes)(size_t outputs, size_t words);
  void (*pack_weights)(size_t outputs, size_t words, const uint64_t *rows, void *packed);
  // Bytes of one row of activations in the kernel's layout, per word.
  size_t row_bytes_per_word;
  // Null where the kernel takes the plain words.
  void (*pack_rows)(size_t rows, size_t words, const uint64_t *bits, void *packed);
  // `out` has `out_stride` elements from row to row.
  void (*multiply)(
    size_t rows, size_t outputs, size_t words, const void *packed_rows,
    const void *packed_weights, const int32_t *const *bases, int32_t *out, size_t out_stride);
} bnn_bgemm;

#define BNN_BGEMM_KERNEL(object) BNN_DECLARE_KERNEL(bnn_bgemm, object)
#include "bnn_bgemm.inc"
#undef BNN_BGEMM_KERNEL
BNN_DECLARE_DISPATCH(bnn_bgemm)

#endif
