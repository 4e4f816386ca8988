#include "bnn_winograd.h"

#include <string.h>

#include "../values_at_points.h"
#include "winograd_layout.h"

static const bnn_winograd *const kernels[] = {
#define BNN_WINOGRAD_KERNEL(object) BNN_LIST_KERNEL(bnn_winograd, object)
#include "bnn_winograd.inc"
#undef BNN_WINOGRAD_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_winograd, kernels)

static bool axis_of(const bnn_window *window, int axis, bnn_winograd_axis *a) {
  const size_t kernel = (size_t)window->kernel[axis], stride = (size_t)window->stride[axis];
  const size_t taps = (kernel + stride - 1) / stride;
  const size_t fewest = points + 1 - bnn_winograd_most_outputs;
  if (window->dilation[axis] != 1 || taps < fewest || taps >= points) return false;
  *a = (bnn_winograd_axis){
    .input = (size_t)window->input[axis],
    .output = (size_t)window->output[axis],
    .stride = stride,
    .pad = (size_t)window->pad[axis],
    .taps = taps,
    .full_phases = kernel - (taps - 1) * stride,
    .outputs = points + 1 - taps,
  };
  a->tiles = (a->output + a->outputs - 1) / a->outputs;
  return true;
}

bool bnn_winograd_shape_of(
  const bnn_window *window, size_t channels, size_t outputs, bnn_winograd_shape *shape) {
  const bool is_flat = window->input[0] == 1 && window->output[0] == 1 && window->kernel[0] == 1;
  shape->channels = channels;
  shape->outputs = outputs;
  if (channels == 0 || outputs == 0) return false;
  return is_flat && axis_of(window, 1, &shape->axes[0]) && axis_of(window, 2, &shape->axes[1]);
}

size_t bnn_winograd_weight_bytes(const bnn_winograd_shape *shape) {
  return output_blocks(shape) * points * point_weights(shape) * sizeof(float);
}

static const double finite_points[points - 1] = {0, 1, -1, 2, -0.5};

// The products' factors for one output, channel and pair of phases; taps are `step` apart.
static void transform_taps(
  const bnn_winograd_shape *s, const float *weights, size_t row_phase, size_t column_phase,
  double factors[points][points]) {
  const bnn_winograd_axis *rows = &s->axes[0], *columns = &s->axes[1];
  const size_t width = (columns->taps - 1) * columns->stride + columns->full_phases;
  const size_t height = (rows->taps - 1) * rows->stride + rows->full_phases;
  double lines[points][points];
  for (size_t y = 0; y < rows->taps; y++) {
    double taps[points] = {0};
    const size_t row = y * rows->stride + row_phase;
    for (size_t x = 0; x < columns->taps; x++) {
      const size_t column = x * columns->stride + column_phase;
      if (row < height && column < width)
        taps[x] = (double)weights[(row * width + column) * s->channels];
    }
    values_at_points(finite_points, points - 1, taps, columns->taps, lines[y]);
  }
  for (size_t x = 0; x < points; x++) {
    double taps[points], values[points];
    for (size_t y = 0; y < rows->taps; y++) taps[y] = lines[y][x];
    values_at_points(finite_points, points - 1, taps, rows->taps, values);
    for (size_t y = 0; y < points; y++) factors[y][x] = values[y];
  }
}

void bnn_winograd_pack_weights(
  const bnn_winograd_shape *shape, const float *weights, float *packed) {
  const bnn_winograd_axis *rows = &shape->axes[0], *columns = &shape->axes[1];
  const size_t width = (columns->taps - 1) * columns->stride + columns->full_phases;
  const size_t height = (rows->taps - 1) * rows->stride + rows->full_phases;
  memset(packed, 0, bnn_winograd_weight_bytes(shape));
  for (size_t o = 0; o < shape->outputs; o++) {
    const float *from = weights + o * height * width * shape->channels;
    float *block = packed + o / output_block * points * point_weights(shape) + o % output_block;
    for (size_t py = 0, k = 0; py < rows->stride; py++)
      for (size_t px = 0; px < columns->stride; px++)
        for (size_t c = 0; c < shape->channels; c++, k++) {
          double factors[points][points];
          transform_taps(shape, from + c, py, px, factors);
          for (size_t x = 0; x < points; x++)
            for (size_t y = 0; y < points; y++)
              block[x * point_weights(shape) + (k * points + y) * output_block] =
                (float)factors[y][x];
        }
  }
}
