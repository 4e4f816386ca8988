#include "bnn_window.h"

bnn_taps bnn_window_taps(const bnn_window *window, size_t position) {
  bnn_taps taps;
  int64_t rest = (int64_t)position;
  for (int axis = 2; axis >= 0; axis--) {
    const int64_t at = rest % window->output[axis];
    rest /= window->output[axis];
    const int64_t step = window->dilation[axis];
    const int64_t origin = at * window->stride[axis] - window->pad[axis];
    const int64_t room = window->input[axis] - origin;
    int64_t first = origin < 0 ? (-origin + step - 1) / step : 0;
    int64_t end = room <= 0 ? 0 : (room + step - 1) / step;
    if (end > window->kernel[axis]) end = window->kernel[axis];
    if (first > end) first = end;
    taps.origin[axis] = origin;
    taps.first[axis] = first;
    taps.end[axis] = end;
  }
  taps.image = rest;
  return taps;
}
