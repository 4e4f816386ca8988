// The maximum, average or weighted sum of what windows over channels-last images see, channel by
// channel, in the row-major order of taps.
#ifndef BNN_WINDOWPOOL_H
#define BNN_WINDOWPOOL_H

#include "bnn_window.h"

typedef struct bnn_windowpool {
  const char *name;
  bnn_isa isa;
  // The larger of two, the first where they are equal, the number where one is NaN; −∞ where no
  // tap is inside. Rows of results follow each other. `signs`, which may be null and is padded to a
  // multiple of 64 entries, has the sign bit of channels whose minimum is wanted, which is that of
  // the negated numbers.
  void (*maximum)(
    const bnn_window *window, const float *input, size_t channels, const uint32_t *signs,
    size_t position, size_t count, float *out);
  // Sums from 0, divided by the taps inside, or inside the input and its padding, which at the ends
  // of the axes is `pads_end`.
  void (*average)(
    const bnn_window *window, const float *input, size_t channels, size_t position, size_t count,
    bool counts_padding, const int64_t pads_end[3], float *out);
  // Sums from 0 of the taps inside times their weights, [tap][channel]: a convolution with as many
  // groups as channels. A multiplication and an addition may round once or twice.
  void (*weighted)(
    const bnn_window *window, const float *input, size_t channels, const float *weights,
    size_t position, size_t count, float *out);
} bnn_windowpool;

#define BNN_WINDOWPOOL_KERNEL(object) BNN_DECLARE_KERNEL(bnn_windowpool, object)
#include "bnn_windowpool.inc"
#undef BNN_WINDOWPOOL_KERNEL
BNN_DECLARE_DISPATCH(bnn_windowpool)

#endif
