// Convolutions of float32 images of few channels with fewer multiplications: Winograd's minimal
// filtering along rows of pixels only. Seven products give what `outputs` rows see through `taps`
// taps, where outputs + taps = 8; along columns every tap has a product.
//
// A stride of s along rows is brought to 1 by taking the s phases of the rows as channels: tap t of
// phase p is row t · s + p of the kernel. The last tap of some phases is missing where s does not
// divide the kernel; the products at the point ∞ are 0 there and left out.
//
// The points are 0, 1, −1, 2, −2, −1/2 and ∞, with rounding errors of about twice those of sums of
// products. Kernels agree within a tolerance, as those of `bnn_fgemm.h`. An infinity or a NaN in
// the input reaches all rows of the tiles that see it.
#ifndef BNN_WINOGRAD1D_H
#define BNN_WINOGRAD1D_H

#include "bnn_window.h"

enum { bnn_winograd1d_points = 7, bnn_winograd1d_most_outputs = 4 };

typedef struct bnn_winograd1d_shape {
  // Extents of an image without its padding, and of the result: rows of pixels, then columns.
  size_t input[2], output[2];
  size_t kernel[2], stride[2], pad[2];
  size_t channels, outputs;
  // Whether an image is [channel][row][column] instead of [row][column][channel].
  bool is_planar;
  // Taps of a phase of rows, and how many of the phases have all of them.
  size_t taps, full_phases;
  // Rows of the result that a tile has, and how many tiles there are.
  size_t tile_rows, tiles;
} bnn_winograd1d_shape;

// Whether tiles can compute the convolution; if so, `shape` says how.
bool bnn_winograd1d_shape_of(
  const bnn_window *window, size_t channels, size_t outputs, bool is_planar,
  bnn_winograd1d_shape *shape);

size_t bnn_winograd1d_weight_bytes(const bnn_winograd1d_shape *shape);
// `weights` are [output][tap along rows][tap along columns][channel].
void bnn_winograd1d_pack_weights(
  const bnn_winograd1d_shape *shape, const float *weights, float *packed);

typedef struct bnn_winograd1d {
  const char *name;
  bnn_isa isa;
  size_t (*scratch_bytes)(const bnn_winograd1d_shape *shape);
  // The rows of the result that tile `tile` of an image has: out[i] begins row tile · tile_rows + i,
  // if there is one.
  void (*tile)(
    const bnn_winograd1d_shape *shape, const float *image, const float *packed_weights, size_t tile,
    void *scratch, float *const *out);
} bnn_winograd1d;

#define BNN_WINOGRAD1D_KERNEL(object) BNN_DECLARE_KERNEL(bnn_winograd1d, object)
#include "bnn_winograd1d.inc"
#undef BNN_WINOGRAD1D_KERNEL
BNN_DECLARE_DISPATCH(bnn_winograd1d)

#endif
