// Tiles in plain C, which the compiler vectorizes for BNN_TARGET.
#include "bgroup_layout.h"

BNN_TARGET static void count_tile(
  size_t rows, size_t parts, size_t stride, const uint32_t *units, const group_tile *tile,
  size_t outputs, const int32_t *const *bases, size_t first, int32_t *out, size_t out_stride) {
  for (size_t m = 0; m < rows; m++) {
    uint32_t mismatches[group_lanes] = {0};
    for (size_t part = 0; part < parts; part++, units += stride)
      for (size_t lane = 0; lane < group_lanes; lane++) {
        const uint32_t differ = units[tile->unit[lane]] ^ tile->weights[part][lane];
        const uint32_t mask = part + 1 < parts ? tile->mask[lane] : tile->last_mask[lane];
        mismatches[lane] += (uint32_t)__builtin_popcount(differ & mask);
      }
    for (size_t lane = 0; lane < outputs; lane++)
      out[m * out_stride + first + lane] =
        bases[m][first + lane] - 2 * (int32_t)mismatches[lane];
  }
}

#define BNN_COUNT_TILE count_tile
#include "bgroup_loops.h"
