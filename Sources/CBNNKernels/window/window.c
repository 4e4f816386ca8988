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

static size_t rounded_up(size_t bytes, size_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

bnn_row_places bnn_window_row_places(
  const bnn_window *w, size_t pixel_bytes, size_t copied_bytes, size_t alignment) {
  const size_t line_bytes = (size_t)w->input[2] * pixel_bytes;
  const size_t y_step = (size_t)w->dilation[1] * line_bytes;
  const size_t z_step = (size_t)(w->dilation[0] * w->input[1]) * line_bytes;
  const size_t y_bytes = (size_t)(w->kernel[1] - 1) * y_step;
  // What a line of taps takes, and the least distance from one to another.
  const size_t span = (size_t)((w->kernel[2] - 1) * w->dilation[2]) * pixel_bytes + copied_bytes;
  size_t distance = SIZE_MAX;
  if (w->kernel[1] > 1) distance = y_step;
  if (w->kernel[0] > 1 && z_step - y_bytes < distance) distance = z_step - y_bytes;
  bnn_row_places places = {
    .row_bytes = (size_t)(w->kernel[0] - 1) * z_step + y_bytes + span,
    .step = rounded_up(span, alignment),
    .together = 1,
  };
  enum { most_together = 1 << 10 };
  if (distance > span) places.together = (distance - span) / places.step + 1;
  if (places.together > most_together) places.together = most_together;
  places.group_step =
    rounded_up((places.together - 1) * places.step + places.row_bytes, alignment);
  return places;
}

size_t bnn_row_places_bytes(const bnn_row_places *places, size_t rows) {
  const size_t groups = rows / places->together, left = rows % places->together;
  return groups * places->group_step
    + (left == 0 ? 0 : (left - 1) * places->step + places->row_bytes);
}
