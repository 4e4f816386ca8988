#include <string.h>

#include "bnn_epilogue.h"

static void set(uint64_t planes[bnn_bound_planes], int64_t bound, int64_t most, uint64_t bit) {
  const int64_t clamped = bound < 0 ? 0 : bound > most ? most : bound;
  for (int plane = 0; plane < bnn_bound_planes; plane++)
    if (clamped >> plane & 1) planes[plane] |= bit;
}

void bnn_plane_bounds_pack(
  size_t channels, size_t most, const int32_t *bases, const int32_t *lower, const int32_t *upper,
  bnn_plane_bounds *bounds) {
  const size_t blocks = (channels + 63) / 64;
  const int64_t beyond = (int64_t)most + 1;
  memset(bounds, 0, blocks * sizeof *bounds);
  for (size_t i = 0; i < blocks; i++) bounds[i].planes = 64 - (size_t)__builtin_clzll(most + 1);
  for (size_t c = 0; c < channels; c++) {
    const int64_t base = bases[c];
    const uint64_t bit = (uint64_t)1 << (c % 8 * 8 + c % 64 / 8);
    // Halves are rounded up in the first, and down in the second, by an arithmetic shift.
    set(bounds[c / 64].from, (base - upper[c] + 1) >> 1, beyond, bit);
    set(bounds[c / 64].to, ((base - lower[c]) >> 1) + 1, beyond, bit);
  }
}
