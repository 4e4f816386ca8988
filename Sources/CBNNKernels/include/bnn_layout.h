// Elements in another order.
#ifndef BNN_LAYOUT_H
#define BNN_LAYOUT_H

#include "bnn_isa.h"

// to[i · to_step + p] = from[p · from_step + i] for i < rows, p < columns.
void bnn_transpose(
  size_t rows, size_t columns, const uint32_t *from, size_t from_step, uint32_t *to,
  size_t to_step);

// The same with bits: bit p of row i of `to` is bit i of row p of `from`. Rows begin `from_step`
// and `to_step` words after each other; the last word of each row of `to` is filled with zeros.
void bnn_transpose_bits(
  size_t rows, size_t columns, const uint64_t *from, size_t from_step, uint64_t *to,
  size_t to_step);

#endif
