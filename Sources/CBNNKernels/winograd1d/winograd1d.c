#include "bnn_winograd1d.h"

#include <string.h>

#include "../values_at_points.h"
#include "winograd1d_layout.h"

static const bnn_winograd1d *const kernels[] = {
#define BNN_WINOGRAD1D_KERNEL(object) BNN_LIST_KERNEL(bnn_winograd1d, object)
#include "bnn_winograd1d.inc"
#undef BNN_WINOGRAD1D_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_winograd1d, kernels)

bool bnn_winograd1d_shape_of(
  const bnn_window *window, size_t channels, size_t outputs, bool is_planar,
  bnn_winograd1d_shape *shape) {
  const bool is_flat = window->input[0] == 1 && window->output[0] == 1 && window->kernel[0] == 1;
  if (!is_flat || channels == 0 || outputs == 0) return false;
  for (int axis = 0; axis < 2; axis++) {
    if (window->dilation[axis + 1] != 1) return false;
    shape->input[axis] = (size_t)window->input[axis + 1];
    shape->output[axis] = (size_t)window->output[axis + 1];
    shape->kernel[axis] = (size_t)window->kernel[axis + 1];
    shape->stride[axis] = (size_t)window->stride[axis + 1];
    shape->pad[axis] = (size_t)window->pad[axis + 1];
    // Lines are laid out with their padding, which must not be larger than anything there is.
    if (shape->pad[axis] > shape->kernel[axis] || shape->stride[axis] > shape->kernel[axis])
      return false;
  }
  shape->channels = channels;
  shape->outputs = outputs;
  shape->is_planar = is_planar;
  shape->taps = (shape->kernel[0] + shape->stride[0] - 1) / shape->stride[0];
  shape->full_phases = shape->kernel[0] - (shape->taps - 1) * shape->stride[0];
  const size_t fewest = points + 1 - bnn_winograd1d_most_outputs;
  if (shape->taps < fewest || shape->taps >= points) return false;
  shape->tile_rows = points + 1 - shape->taps;
  shape->tiles = (shape->output[0] + shape->tile_rows - 1) / shape->tile_rows;
  return true;
}

size_t bnn_winograd1d_weight_bytes(const bnn_winograd1d_shape *shape) {
  return output_blocks(shape) * points * point_products(shape) * output_block * sizeof(float);
}

static const double finite_points[points - 1] = {0, 1, -1, 2, -2, -0.5};

void bnn_winograd1d_pack_weights(
  const bnn_winograd1d_shape *shape, const float *weights, float *packed) {
  const size_t step = pixel_step(shape), line = shape->kernel[1] * shape->channels;
  const size_t point = point_products(shape) * output_block;
  memset(packed, 0, bnn_winograd1d_weight_bytes(shape));
  for (size_t o = 0; o < shape->outputs; o++) {
    const float *from = weights + o * shape->kernel[0] * line;
    float *to = packed + o / output_block * points * point + o % output_block;
    for (size_t phase = 0; phase < shape->stride[0]; phase++)
      for (size_t plane = 0; plane < planes(shape); plane++)
        for (size_t i = 0; i < run_length(shape); i++, to += output_block) {
          const size_t place = i / step * shape->channels + i % step + plane;
          double taps[points] = {0}, values[points];
          for (size_t t = 0; t < shape->taps; t++) {
            const size_t row = t * shape->stride[0] + phase;
            if (row < shape->kernel[0]) taps[t] = (double)from[row * line + place];
          }
          values_at_points(finite_points, points - 1, taps, shape->taps, values);
          for (size_t p = 0; p < points; p++) to[p * point] = (float)values[p];
        }
  }
}
