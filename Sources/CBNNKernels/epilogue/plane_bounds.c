#include <string.h>

#include "bnn_epilogue.h"

static void set(uint64_t planes[bnn_bound_planes], int64_t bound, uint64_t bit) {
  const int64_t most = (1 << bnn_bound_planes) - 1;
  const int64_t clamped = bound < 0 ? 0 : bound > most ? most : bound;
  for (int plane = 0; plane < bnn_bound_planes; plane++)
    if (clamped >> plane & 1) planes[plane] |= bit;
}

void bnn_plane_bounds_pack(
  size_t channels, const int32_t *bases, const int32_t *lower, const int32_t *upper,
  bnn_plane_bounds *bounds) {
  memset(bounds, 0, (channels + 63) / 64 * sizeof *bounds);
  for (size_t c = 0; c < channels; c++) {
    const int64_t base = bases[c];
    const uint64_t bit = (uint64_t)1 << (c % 8 * 8 + c % 64 / 8);
    // Halves are rounded up in the first, and down in the second, by an arithmetic shift.
    set(bounds[c / 64].from, (base - upper[c] + 1) >> 1, bit);
    set(bounds[c / 64].to, ((base - lower[c]) >> 1) + 1, bit);
  }
}
