// Elements in another order.
#ifndef BNN_LAYOUT_H
#define BNN_LAYOUT_H

#include "bnn_isa.h"

// to[i · planes + p] = from[p · plane_step + i] for i < count: planes become channels.
void bnn_interleave(
  size_t count, size_t planes, const uint32_t *from, size_t plane_step, uint32_t *to);

#endif
