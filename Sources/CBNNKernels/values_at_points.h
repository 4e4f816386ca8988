// What both families of minimal filtering make of the taps of a kernel.
#ifndef BNN_VALUES_AT_POINTS_H
#define BNN_VALUES_AT_POINTS_H

#include <stddef.h>

// The values of a polynomial with these coefficients at `finite` points, divided by what the
// interpolation there divides by, ∏ (p − q) over the other points q; then its value at ∞.
static inline void values_at_points(
  const double *at, size_t finite, const double *taps, size_t count, double *values) {
  for (size_t i = 0; i < finite; i++) {
    double value = 0, divisor = 1;
    for (size_t t = count; t-- > 0;) value = value * at[i] + taps[t];
    for (size_t other = 0; other < finite; other++)
      if (other != i) divisor *= at[i] - at[other];
    values[i] = value / divisor;
  }
  values[finite] = taps[count - 1];
}

#endif
