#include <string.h>

#include "../bits/word_bits.h"
#include "bgroup_layout.h"

static const bnn_bgroup *const kernels[] = {
#define BNN_BGROUP_KERNEL(object) BNN_LIST_KERNEL(bnn_bgroup, object)
#include "bnn_bgroup.inc"
#undef BNN_BGROUP_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_bgroup, kernels)

bool bnn_bgroup_fits(const bnn_bgroup *kernel, const bnn_group_shape *shape) {
  const size_t bits = shape->bits_per_tap;
  return shape->taps > 0 && shape->groups > 1 && shape->outputs_per_group > 0 && bits > 0
    && bits <= kernel->most_bits_per_tap && (bits & (bits - 1)) == 0;
}

size_t bnn_bgroup_weight_bytes(const bnn_group_shape *shape) {
  return (outputs_of(shape) + group_lanes - 1) / group_lanes * tile_bytes(shape);
}

size_t bnn_bgroup_scratch_bytes(const bnn_group_shape *shape) {
  return group_rows * parts_of(shape) * unit_stride(shape) * sizeof(uint32_t);
}

void bnn_bgroup_pack_weights(
  const bnn_group_shape *shape, const uint64_t *rows, size_t row_words, void *packed) {
  const size_t bits = shape->bits_per_tap, unit_bits = bits_per_unit(shape);
  const size_t per_part = taps_per_part(shape), outputs = outputs_of(shape);
  char *at = packed;
  memset(packed, 0, bnn_bgroup_weight_bytes(shape));
  for (size_t o = 0; o < outputs; o++) {
    group_tile *tile = (group_tile *)(at + o / group_lanes * tile_bytes(shape));
    const size_t lane = o % group_lanes;
    const size_t first_bit = o / shape->outputs_per_group * bits;
    if (lane == 0)
      for (size_t i = 0; i < group_lanes; i++) tile->first_unit[i] = (uint32_t)(first_bit / unit_bits);
    tile->unit[lane] = (uint32_t)(first_bit / unit_bits) - tile->first_unit[lane];
    for (size_t tap = 0; tap < shape->taps; tap++) {
      const size_t shift = tap % per_part * unit_bits + first_bit % unit_bits;
      const uint64_t weights = bnn_read_bits(rows + o * row_words, tap * bits, bits);
      tile->weights[tap / per_part][lane] |= (uint32_t)(weights << shift);
      const uint32_t mask = (uint32_t)(bnn_low_bits(bits) << shift);
      tile->mask[lane] |= mask;
      if (tap / per_part + 1 == parts_of(shape)) tile->last_mask[lane] |= mask;
    }
  }
}
