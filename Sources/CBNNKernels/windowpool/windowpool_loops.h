// The loops of the pools for BNN_TARGET, which the including file defines, as BNN_MULTIPLY_ADD where it
// has an instruction for that; it ends with BNN_WINDOWPOOL_FUNCTIONS in its object.
#include <math.h>

#include "../channel_blocks.h"
#include "bnn_windowpool.h"

#ifndef BNN_MULTIPLY_ADD
#define BNN_MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif

// How taps are brought together. A maximum from −∞ on needs one instruction per tap, but forgets
// windows of nothing but NaN.
typedef enum kind { sum, maximum_of_numbers, maximum_of_all } kind;

// How far the taps of a window inside of the image are from its first one, in their order; none where
// there are too many.
enum { most_taps = 64 };
typedef struct tap_steps {
  size_t count;
  ptrdiff_t steps[most_taps];
} tap_steps;

BNN_TARGET static tap_steps steps_of(const bnn_window *w, size_t channels) {
  tap_steps steps = {0};
  const int64_t *kernel = w->kernel, *dilation = w->dilation;
  if (kernel[0] > most_taps || kernel[1] > most_taps || kernel[2] > most_taps) return steps;
  if (kernel[0] * kernel[1] * kernel[2] > most_taps) return steps;
  for (int64_t kz = 0; kz < kernel[0]; kz++)
    for (int64_t ky = 0; ky < kernel[1]; ky++)
      for (int64_t kx = 0; kx < kernel[2]; kx++) {
        const int64_t line = kz * dilation[0] * w->input[1] + ky * dilation[1];
        const int64_t pixel = line * w->input[2] + kx * dilation[2];
        steps.steps[steps.count++] = (ptrdiff_t)pixel * (ptrdiff_t)channels;
      }
  return steps;
}

// The first tap of a window that is inside of the image; null for others.
BNN_INLINE const float *first_tap(
  const tap_steps *steps, const bnn_window *w, const bnn_taps *taps, const float *input,
  size_t channels) {
  bool is_inside = steps->count > 0;
  for (int axis = 0; axis < 3; axis++)
    is_inside = is_inside && taps->first[axis] == 0 && taps->end[axis] == w->kernel[axis];
  if (!is_inside) return NULL;
  const int64_t z = taps->image * w->input[0] + taps->origin[0];
  const int64_t y = z * w->input[1] + taps->origin[1];
  return input + (size_t)(y * w->input[2] + taps->origin[2]) * channels;
}

// Takes a tap of a block of channels. Signs of numbers are changed where `signs` is not null.
BNN_INLINE void add_tap(
  kind kind, span s, const float *from, const integers16 *signs, bool is_first,
  floats16 v[block / lanes]) {
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
}

// One block of channels of one position; `x` is the block in the first pixel of the input, or, where
// there are steps, in the first tap.
BNN_INLINE void pool_taps(
  kind kind, span s, const bnn_window *w, const bnn_taps *taps, const tap_steps *steps,
  const float *x, size_t channels, const integers16 *signs, floats16 v[block / lanes]) {
  BNN_EACH_VECTOR v[i] = kind == sum ? 0 : -INFINITY;
  if (steps) {
    for (size_t tap = 0; tap < steps->count; tap++)
      add_tap(kind, s, x + steps->steps[tap], signs, tap == 0, v);
    return;
  }
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
        add_tap(kind, s, from, signs, is_first, v);
        is_first = false;
      }
    }
}

BNN_INLINE void pool_block(
  bool is_maximum, span s, const bnn_window *w, const bnn_taps *taps, const tap_steps *steps,
  const float *x, size_t channels, const uint32_t *signs, float divisor, float *out) {
  floats16 v[block / lanes];
  integers16 masks[block / lanes];
  const integers16 *changed = NULL;
  if (signs) {
    BNN_EACH_VECTOR memcpy(&masks[i], signs + i * lanes, sizeof masks[i]);
    changed = masks;
  }
  if (is_maximum) {
    pool_taps(maximum_of_numbers, s, w, taps, steps, x, channels, changed, v);
    integers16 is_unknown = 0;
    const floats16 lowest = -INFINITY;
    BNN_EACH_VECTOR is_unknown |= v[i] == lowest;
    if (__builtin_reduce_or(is_unknown) != 0)
      pool_taps(maximum_of_all, s, w, taps, steps, x, channels, changed, v);
  } else {
    pool_taps(sum, s, w, taps, steps, x, channels, changed, v);
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
  const tap_steps steps = steps_of(window, channels);
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
    const float *inside = first_tap(&steps, window, &taps, input, channels);
    const tap_steps *own = inside ? &steps : NULL;
    for (size_t c = 0; c < channels; c += block, out += block) {
      const size_t left = channels - c;
      const float *x = (inside ? inside : input) + c;
      const uint32_t *changed = signs ? signs + c : NULL;
#define BNN_POOL_BLOCK(s) \
  pool_block(is_maximum, s, window, &taps, own, x, channels, changed, (float)divisor, out)
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

// One block of channels of a window inside of the image, `x` in its first tap.
BNN_INLINE void weigh_inside(
  span s, const tap_steps *steps, const float *x, size_t channels, const float *weights,
  float *out) {
  floats16 v[block / lanes];
  BNN_EACH_VECTOR v[i] = 0;
  for (size_t tap = 0; tap < steps->count; tap++, weights += channels)
    BNN_EACH_VECTOR {
      floats16 next, weight;
      load(&next, x + steps->steps[tap], s, i);
      load(&weight, weights, s, i);
      v[i] = BNN_MULTIPLY_ADD(next, weight, v[i]);
    }
  BNN_EACH_VECTOR store(out, &v[i], s, i);
}

// One block of channels of any window, `x` in the first pixel of the input.
BNN_INLINE void weigh_any(
  span s, const bnn_window *w, const bnn_taps *taps, const float *x, size_t channels,
  const float *weights, float *out) {
  floats16 v[block / lanes];
  BNN_EACH_VECTOR v[i] = 0;
  const bool is_beside = taps->first[2] == taps->end[2];
  for (int64_t kz = taps->first[0]; kz < taps->end[0] && !is_beside; kz++)
    for (int64_t ky = taps->first[1]; ky < taps->end[1]; ky++) {
      const int64_t z = taps->image * w->input[0] + taps->origin[0] + kz * w->dilation[0];
      const int64_t y = z * w->input[1] + taps->origin[1] + ky * w->dilation[1];
      for (int64_t kx = taps->first[2]; kx < taps->end[2]; kx++) {
        const int64_t pixel = y * w->input[2] + taps->origin[2] + kx * w->dilation[2];
        const int64_t tap = (kz * w->kernel[1] + ky) * w->kernel[2] + kx;
        BNN_EACH_VECTOR {
          floats16 next, weight;
          load(&next, x + (size_t)pixel * channels, s, i);
          load(&weight, weights + (size_t)tap * channels, s, i);
          v[i] = BNN_MULTIPLY_ADD(next, weight, v[i]);
        }
      }
    }
  BNN_EACH_VECTOR store(out, &v[i], s, i);
}

BNN_TARGET static void weighted(
  const bnn_window *window, const float *input, size_t channels, const float *weights,
  size_t position, size_t count, float *out) {
  bnn_taps taps = bnn_window_taps(window, position);
  const tap_steps steps = steps_of(window, channels);
  for (size_t row = 0; row < count; row++, bnn_window_next(window, &taps), out += channels) {
    const float *inside = first_tap(&steps, window, &taps, input, channels);
    for (size_t c = 0; c < channels; c += block) {
      const size_t left = channels - c;
#define BNN_WEIGH_INSIDE(s) weigh_inside(s, &steps, inside + c, channels, weights + c, out + c)
#define BNN_WEIGH_ANY(s) weigh_any(s, window, &taps, input + c, channels, weights + c, out + c)
      if (inside)
        BNN_WITH_SPAN(left, BNN_WEIGH_INSIDE)
      else
        BNN_WITH_SPAN(left, BNN_WEIGH_ANY)
    }
  }
}

#define BNN_WINDOWPOOL_FUNCTIONS .maximum = maximum, .average = average, .weighted = weighted
