// What the parts of the family share.
#ifndef BNN_BSLICE_PLAN_H
#define BNN_BSLICE_PLAN_H

#include "bnn_bslice.h"

static inline size_t outputs_of(const bnn_bslice_plan *plan) {
  return plan->shape.groups * plan->shape.outputs_per_group;
}

// Fills `field_masks`.
void bnn_bslice_make_masks(bnn_bslice_plan *plan);

// What a line's planes are made of, for a part's pixels from `x` on of a line of the input; null
// outside.
void bnn_bslice_write_source(
  const bnn_bslice_plan *plan, const uint64_t *line, int64_t x, uint64_t *to);

#endif
