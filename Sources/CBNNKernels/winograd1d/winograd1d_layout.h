// Where the operands of a convolution in tiles along rows lie.
#ifndef BNN_WINOGRAD1D_LAYOUT_H
#define BNN_WINOGRAD1D_LAYOUT_H

#include "bnn_winograd1d.h"

enum {
  points = bnn_winograd1d_points,
  // Outputs that stand together in packed weights:
  // [block][point][phase][plane][tap along columns, and channel of a pixel][output of the block].
  output_block = 16,
};

// A line of an image is one of its planes' lines, or one with all channels of each pixel.
static inline size_t planes(const bnn_winograd1d_shape *s) { return s->is_planar ? s->channels : 1; }
static inline size_t pixel_step(const bnn_winograd1d_shape *s) {
  return s->is_planar ? 1 : s->channels;
}

// Numbers of a line that a position sees: they lie side by side.
static inline size_t run_length(const bnn_winograd1d_shape *s) {
  return s->kernel[1] * pixel_step(s);
}

// Products of an output at a point.
static inline size_t point_products(const bnn_winograd1d_shape *s) {
  return s->stride[0] * planes(s) * run_length(s);
}

static inline size_t output_blocks(const bnn_winograd1d_shape *s) {
  return (s->outputs + output_block - 1) / output_block;
}

#endif
