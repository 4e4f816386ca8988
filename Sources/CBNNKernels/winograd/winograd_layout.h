// Where the operands of a convolution in tiles lie.
#ifndef BNN_WINOGRAD_LAYOUT_H
#define BNN_WINOGRAD_LAYOUT_H

#include "bnn_winograd.h"

enum {
  points = bnn_winograd_points,
  // Channels of a phase of rows stand in chunks, the last of which may have fewer. One such channel
  // is a channel of the image in one of the phases of columns.
  chunk = 8,
  // Outputs that stand together in packed weights:
  // [block][column's point][channel][row's point][output of the block].
  output_block = 16,
};

static inline size_t phase_channels(const bnn_winograd_shape *s) {
  return s->axes[1].stride * s->channels;
}

static inline size_t phase_chunks(const bnn_winograd_shape *s) {
  return (phase_channels(s) + chunk - 1) / chunk;
}

static inline size_t chunk_count(const bnn_winograd_shape *s) {
  return s->axes[0].stride * phase_chunks(s);
}

static inline size_t output_blocks(const bnn_winograd_shape *s) {
  return (s->outputs + output_block - 1) / output_block;
}

// Numbers of the weights of one block at one of the columns' points.
static inline size_t point_weights(const bnn_winograd_shape *s) {
  return s->axes[0].stride * phase_channels(s) * points * output_block;
}

#endif
