// The layout that all grouped kernels share.
//
// Packed weights, per tile of 16 outputs: its first unit (with 15 lanes of padding), the unit of
// each lane counted from there, the bits that belong to the lane's group (in the last part, where
// taps may be missing, and in the others), and for each part, 32 bits of taps, the weights.
//
// Scratch: for each row of a tile and each part, the units of all groups side by side.
#ifndef BNN_BGROUP_LAYOUT_H
#define BNN_BGROUP_LAYOUT_H

#include "bnn_bgroup.h"

enum { group_lanes = 16, group_rows = 4 };

typedef struct group_tile {
  uint32_t first_unit[group_lanes];
  uint32_t unit[group_lanes];
  uint32_t mask[group_lanes];
  uint32_t last_mask[group_lanes];
  uint32_t weights[][group_lanes];
} group_tile;

static inline size_t bits_per_unit(const bnn_group_shape *shape) {
  return shape->bits_per_tap < 8 ? 8 : shape->bits_per_tap;
}
static inline size_t taps_per_part(const bnn_group_shape *shape) {
  return 32 / bits_per_unit(shape);
}
static inline size_t parts_of(const bnn_group_shape *shape) {
  const size_t taps = taps_per_part(shape);
  return (shape->taps + taps - 1) / taps;
}
// Units of a pixel, and as many as a tile at the end may read.
static inline size_t units_of(const bnn_group_shape *shape) {
  return shape->pixel_words * 64 / bits_per_unit(shape);
}
static inline size_t unit_stride(const bnn_group_shape *shape) {
  return (units_of(shape) + 2 * group_lanes - 1) / group_lanes * group_lanes;
}
static inline size_t outputs_of(const bnn_group_shape *shape) {
  return shape->groups * shape->outputs_per_group;
}
static inline size_t tile_bytes(const bnn_group_shape *shape) {
  return sizeof(group_tile) + parts_of(shape) * group_lanes * sizeof(uint32_t);
}

#endif
