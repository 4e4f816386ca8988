// The grouped kernels for BNN_TARGET, which the including file defines with BNN_COUNT_TILE: the
// mismatches of some rows with one tile.
#include <string.h>

#include "bgroup_layout.h"

#define BNN_INLINE BNN_TARGET static inline __attribute__((always_inline))

// Puts `per_part` units of type `unit` of successive taps side by side.
#define BNN_DEFINE_JOIN(function, unit, per_part)                                          \
  BNN_INLINE void function(                                                                \
    const bnn_group_shape *shape, const uint32_t *row, const uint32_t *offsets,            \
    uint32_t *restrict to) {                                                               \
    const size_t units = units_of(shape), stride = unit_stride(shape);                     \
    for (size_t tap = 0; tap < shape->taps; tap += (per_part), to += stride) {             \
      const unit *restrict from[per_part];                                                 \
      for (size_t i = 0; i < (per_part); i++)                                              \
        from[i] = (const unit *)(row + offsets[tap + i < shape->taps ? tap + i : tap]);    \
      for (size_t u = 0; u < units; u++) {                                                 \
        uint32_t joined = 0;                                                               \
        for (size_t i = 0; i < (per_part); i++)                                            \
          joined |= (uint32_t)from[i][u] << (8 * sizeof(unit) * i % 32);                   \
        to[u] = joined;                                                                    \
      }                                                                                    \
    }                                                                                      \
  }

BNN_DEFINE_JOIN(join_8, uint8_t, 4)
BNN_DEFINE_JOIN(join_16, uint16_t, 2)
BNN_DEFINE_JOIN(join_32, uint32_t, 1)

BNN_TARGET static void multiply(
  const bnn_group_shape *shape, const bnn_tap_rows *rows, const void *packed_weights,
  void *scratch, const int32_t *const *bases, int32_t *out, size_t out_stride) {
  const size_t outputs = outputs_of(shape), parts = parts_of(shape), stride = unit_stride(shape);
  for (size_t m = 0; m < rows->count; m += group_rows) {
    const size_t count = rows->count - m < group_rows ? rows->count - m : group_rows;
    for (size_t r = 0; r < count; r++) {
      uint32_t *units = (uint32_t *)scratch + r * parts * stride;
      switch (bits_per_unit(shape)) {
        case 8: join_8(shape, rows->rows[m + r], rows->tap_offsets, units); break;
        case 16: join_16(shape, rows->rows[m + r], rows->tap_offsets, units); break;
        default: join_32(shape, rows->rows[m + r], rows->tap_offsets, units);
      }
    }
    const char *at = packed_weights;
    for (size_t o = 0; o < outputs; o += group_lanes, at += tile_bytes(shape)) {
      const group_tile *tile = (const group_tile *)at;
      const uint32_t *units = (const uint32_t *)scratch + tile->first_unit[0];
      const size_t left = outputs - o < group_lanes ? outputs - o : group_lanes;
      BNN_COUNT_TILE(
        count, parts, stride, units, tile, left, bases + m, o, out + m * out_stride, out_stride);
    }
  }
}
