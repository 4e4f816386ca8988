// The loops of the pools for BNN_TARGET, which the including file defines; it ends with
// BNN_WINDOWPOOL_FUNCTIONS in its object.
#include <math.h>

#include "../channel_blocks.h"
#include "bnn_windowpool.h"

// How taps are brought together. A maximum from −∞ on needs one instruction per tap, but forgets
// windows of nothing but NaN.
typedef enum kind { sum, maximum_of_numbers, maximum_of_all } kind;

// One block of channels of one position; `x` is the block in the first pixel of the input. Signs of
// numbers are changed where `signs` is not null.
BNN_INLINE void pool_taps(
  kind kind, span s, const bnn_window *w, const bnn_taps *taps, const float *x, size_t channels,
  const integers16 *signs, floats16 v[block / lanes]) {
  BNN_EACH_VECTOR v[i] = kind == sum ? 0 : -INFINITY;
  bool is_first = true;
  // A window beside the image has no pixel to point to.
  const bool is_beside = taps->first[2] == taps->end[2];
  for (int64_t kz = taps->first[0]; kz < taps->end[0] && !is_beside; kz++)
    for (int64_t ky = taps->first[1]; ky < taps->end[1]; ky++) {
      const int64_t z = taps->image * w->input[0] + taps->origin[0] + kz * w->dilation[0];
      const int64_t y = z * w->input[1] + taps->origin[1] + ky * w->dilation[1];
      const int64_t first = taps->origin[2] + taps->first[2] * w->dilation[2];
      const float *from = x + (size_t)(y * w->input[2] + first) * channels;
      const size_t step = (size_t)w->dilation[2] * channels;
      for (int64_t kx = taps->first[2]; kx < taps->end[2]; kx++, from += step) {
        BNN_EACH_VECTOR {
          floats16 next;
          load(&next, from, s, i);
          if (signs) next = (floats16)((integers16)next ^ signs[i]);
          if (kind == sum)
            v[i] = v[i] + next;
          else if (kind == maximum_of_numbers)
            v[i] = next > v[i] ? next : v[i];
          else if (is_first)
            v[i] = next;
          else
            v[i] = ((next > v[i]) | (v[i] != v[i])) ? next : v[i];
        }
        is_first = false;
      }
    }
}

BNN_INLINE void pool_block(
  bool is_maximum, span s, const bnn_window *w, const bnn_taps *taps, const float *x,
  size_t channels, const uint32_t *signs, float divisor, float *out) {
  floats16 v[block / lanes];
  integers16 masks[block / lanes];
  const integers16 *changed = NULL;
  if (signs) {
    BNN_EACH_VECTOR memcpy(&masks[i], signs + i * lanes, sizeof masks[i]);
    changed = masks;
  }
  if (is_maximum) {
    pool_taps(maximum_of_numbers, s, w, taps, x, channels, changed, v);
    integers16 is_unknown = 0;
    const floats16 lowest = -INFINITY;
    BNN_EACH_VECTOR is_unknown |= v[i] == lowest;
    if (__builtin_reduce_or(is_unknown) != 0)
      pool_taps(maximum_of_all, s, w, taps, x, channels, changed, v);
  } else {
    pool_taps(sum, s, w, taps, x, channels, changed, v);
    BNN_EACH_VECTOR v[i] = v[i] / divisor;
  }
  BNN_EACH_VECTOR {
    if (changed) v[i] = (floats16)((integers16)v[i] ^ changed[i]);
    store(out, &v[i], s, i);
  }
}

BNN_INLINE void pool_rows(
  bool is_maximum, const bnn_window *window, const float *input, size_t channels,
  const uint32_t *signs, size_t position, size_t count, bool counts_padding,
  const int64_t pads_end[3], float *out) {
  bnn_taps taps = bnn_window_taps(window, position);
  for (size_t row = 0; row < count; row++, bnn_window_next(window, &taps)) {
    int64_t divisor = 1;
    for (int axis = 0; axis < 3 && !is_maximum; axis++) {
      int64_t part = taps.end[axis] - taps.first[axis];
      if (counts_padding) {
        // A window that is cut off at the end (rounded up extents) counts less.
        const int64_t room = window->input[axis] + pads_end[axis] - taps.origin[axis];
        const int64_t reach = (room + window->dilation[axis] - 1) / window->dilation[axis];
        part = reach < window->kernel[axis] ? reach : window->kernel[axis];
      }
      divisor *= part;
    }
    for (size_t c = 0; c < channels; c += block, out += block) {
      const size_t left = channels - c;
      const float *x = input + c;
      const uint32_t *changed = signs ? signs + c : NULL;
#define BNN_POOL_BLOCK(s) \
  pool_block(is_maximum, s, window, &taps, x, channels, changed, (float)divisor, out)
      BNN_WITH_SPAN(left, BNN_POOL_BLOCK)
    }
    if (channels % block != 0) out -= block - channels % block;
  }
}

BNN_TARGET static void maximum(
  const bnn_window *window, const float *input, size_t channels, const uint32_t *signs,
  size_t position, size_t count, float *out) {
  if (signs)
    pool_rows(true, window, input, channels, signs, position, count, false, NULL, out);
  else
    pool_rows(true, window, input, channels, NULL, position, count, false, NULL, out);
}

BNN_TARGET static void average(
  const bnn_window *window, const float *input, size_t channels, size_t position, size_t count,
  bool counts_padding, const int64_t pads_end[3], float *out) {
  pool_rows(false, window, input, channels, NULL, position, count, counts_padding, pads_end, out);
}

#define BNN_WINDOWPOOL_FUNCTIONS .maximum = maximum, .average = average
