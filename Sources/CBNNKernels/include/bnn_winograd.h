// Convolutions of float32 images with fewer multiplications (Winograd's minimal filtering): along
// each of two axes, six products give what `outputs` positions see through `taps` taps, where
// outputs + taps = 7.
//
// A stride of s is brought to 1 by taking the s phases of an axis as channels: tap t of phase p is
// tap t · s + p of the kernel. The last tap of some phases is missing where s does not divide the
// kernel; the products at the point ∞ are 0 there and left out.
//
// The points are 0, 1, −1, 2, −1/2 and ∞, with rounding errors of about twice those of sums of
// products. Kernels agree within a tolerance, as those of `bnn_fgemm.h`. An infinity or a NaN in
// the input reaches all outputs of the tiles that see it.
#ifndef BNN_WINOGRAD_H
#define BNN_WINOGRAD_H

#include "bnn_window.h"

enum { bnn_winograd_points = 6, bnn_winograd_most_outputs = 4 };

// One of the two axes, rows of pixels first.
typedef struct bnn_winograd_axis {
  // Extents of the image without its padding, and of the result.
  size_t input, output;
  size_t stride, pad;
  // Taps of a phase, and how many of the phases have all of them.
  size_t taps, full_phases;
  // Outputs of a tile, and how many tiles there are.
  size_t outputs, tiles;
} bnn_winograd_axis;

typedef struct bnn_winograd_shape {
  bnn_winograd_axis axes[2];
  size_t channels, outputs;
} bnn_winograd_shape;

// Whether tiles can compute the convolution; if so, `shape` says how.
bool bnn_winograd_shape_of(
  const bnn_window *window, size_t channels, size_t outputs, bnn_winograd_shape *shape);

size_t bnn_winograd_weight_bytes(const bnn_winograd_shape *shape);
// `weights` are [output][tap along rows][tap along columns][channel].
void bnn_winograd_pack_weights(
  const bnn_winograd_shape *shape, const float *weights, float *packed);

typedef struct bnn_winograd {
  const char *name;
  bnn_isa isa;
  size_t (*scratch_bytes)(const bnn_winograd_shape *shape);
  // The rows of the result that a row of tiles of an image has: out[i] begins row
  // tile · axes[0].outputs + i; rows after the last one are not written.
  void (*tile_row)(
    const bnn_winograd_shape *shape, const float *image, const float *packed_weights, size_t tile,
    void *scratch, float *const *out);
} bnn_winograd;

#define BNN_WINOGRAD_KERNEL(object) BNN_DECLARE_KERNEL(bnn_winograd, object)
#include "bnn_winograd.inc"
#undef BNN_WINOGRAD_KERNEL
BNN_DECLARE_DISPATCH(bnn_winograd)

#endif
