// Elements in another order.
#ifndef BNN_LAYOUT_H
#define BNN_LAYOUT_H

#include "bnn_isa.h"

// to[i · to_step + p] = from[p · from_step + i] for i < rows, p < columns.
void bnn_transpose(
  size_t rows, size_t columns, const uint32_t *from, size_t from_step, uint32_t *to,
  size_t to_step);

#endif
