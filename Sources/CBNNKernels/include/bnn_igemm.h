// Matrix product of unsigned bytes and signed bytes, exact in int32:
//
//   out[m][o] = bases[o] + Σ_k Σ_i<4 bytes(m, k)[i] · weights[o][k][i]
//
// Four bytes of K stand together, because that is what one instruction multiplies and adds. Results
// are those of arithmetic modulo 2³²: with bases[o] = −zero · Σ weights[o] they are the exact sums of
// (byte − zero) · weight as long as those fit.
#ifndef BNN_IGEMM_H
#define BNN_IGEMM_H

#include "bnn_isa.h"

// Group k of row m is the four bytes from rows[m] + offsets[k], at any alignment.
typedef struct bnn_byte_rows {
  size_t count, depth;
  const uint8_t *const *rows;
  const uint32_t *offsets;
} bnn_byte_rows;

typedef struct bnn_igemm {
  const char *name;
  bnn_isa isa;
  // Rows of a tile: calls with multiples of it lose nothing.
  size_t rows_per_tile;
  // Bytes of the weights of `outputs` rows in the kernel's layout; align them to 64.
  size_t (*weight_bytes)(size_t outputs, size_t depth);
  // `rows` has 4 · `depth` weights for each output.
  void (*pack_weights)(size_t outputs, size_t depth, const int8_t *rows, void *packed);
  // `out` has `out_stride` elements from row to row.
  void (*multiply)(
    const bnn_byte_rows *rows, size_t outputs, const void *packed_weights, const int32_t *bases,
    int32_t *out, size_t out_stride);
  // to[i] = round(from[i] · inverse_scale), half to even, + zero, at least 0 and at most 255; NaN
  // becomes 0. The product is rounded to float32; `zero` is from 0 to 255.
  void (*quantize)(
    size_t count, const float *from, float inverse_scale, int32_t zero, uint8_t *to);
} bnn_igemm;

#define BNN_IGEMM_KERNEL(object) BNN_DECLARE_KERNEL(bnn_igemm, object)
#include "bnn_igemm.inc"
#undef BNN_IGEMM_KERNEL
BNN_DECLARE_DISPATCH(bnn_igemm)

#endif
