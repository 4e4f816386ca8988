#include "bnn_window.h"

#include "quotient.h"

static void place(const bnn_window *window, int axis, bnn_taps *taps) {
  const int64_t step = window->dilation[axis], kernel = window->kernel[axis];
  const int64_t origin = taps->output[axis] * window->stride[axis] - window->pad[axis];
  int64_t first = 0, end = kernel;
  // Away from the borders all taps are inside, without a division.
  if (origin < 0 || origin + (kernel - 1) * step >= window->input[axis]) {
    const int64_t room = window->input[axis] - origin;
    if (origin < 0) first = quotient(-origin + step - 1, step);
    end = room <= 0 ? 0 : quotient(room + step - 1, step);
    if (end > kernel) end = kernel;
    if (first > end) first = end;
  }
  taps->origin[axis] = origin;
  taps->first[axis] = first;
  taps->end[axis] = end;
}

bnn_taps bnn_window_taps(const bnn_window *window, size_t position) {
  bnn_taps taps;
  int64_t rest = (int64_t)position;
  for (int axis = 2; axis >= 0; axis--) {
    const int64_t next = quotient(rest, window->output[axis]);
    taps.output[axis] = rest - next * window->output[axis];
    rest = next;
    place(window, axis, &taps);
  }
  taps.image = rest;
  return taps;
}

void bnn_window_next(const bnn_window *window, bnn_taps *taps) {
  for (int axis = 2; axis >= 0; axis--) {
    const bool wraps = ++taps->output[axis] == window->output[axis];
    if (wraps) taps->output[axis] = 0;
    place(window, axis, taps);
    if (!wraps) return;
  }
  taps->image++;
}

size_t bnn_window_offsets(
  const bnn_window *window, size_t pixel_elements, size_t elements, uint32_t *offsets) {
  size_t last = 0;
  for (int64_t kz = 0; kz < window->kernel[0]; kz++)
    for (int64_t ky = 0; ky < window->kernel[1]; ky++)
      for (int64_t kx = 0; kx < window->kernel[2]; kx++) {
        const int64_t line = kz * window->dilation[0] * window->input[1] + ky * window->dilation[1];
        const int64_t pixel = line * window->input[2] + kx * window->dilation[2];
        for (size_t e = 0; e < elements; e++) {
          last = (size_t)pixel * pixel_elements + e;
          *offsets++ = (uint32_t)last;
        }
      }
  return last + 1;
}
