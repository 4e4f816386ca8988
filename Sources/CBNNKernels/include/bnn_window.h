// Windows of a convolution or pool over channels-last images of up to three spatial dimensions
// (fewer: leading extents of 1), and gathering what they see into rows for a matrix product.
//
// Output positions are numbered over [image, output[0], output[1], output[2]].
#ifndef BNN_WINDOW_H
#define BNN_WINDOW_H

#include "bnn_isa.h"

typedef struct bnn_window {
  int64_t input[3], output[3], kernel[3], stride[3], dilation[3], pad[3];
} bnn_window;

// One output position: which it is, the taps along each axis that lie in the input, [first, end),
// and the input position of tap 0.
typedef struct bnn_taps {
  int64_t image, output[3], first[3], end[3], origin[3];
} bnn_taps;

bnn_taps bnn_window_taps(const bnn_window *window, size_t position);

// Where `elements` (words, numbers) of each tap are from those of tap 0, for pixels of
// `pixel_elements`; returns how many there are from the first to the last.
size_t bnn_window_offsets(
  const bnn_window *window, size_t pixel_elements, size_t elements, uint32_t *offsets);

// Where rows with copied taps lie in memory: row n begins n / together · group_step
// + n % together · step bytes after the first. The lines of taps of some rows lie between those of
// others, because the taps of a row are as far apart as in the image.
typedef struct bnn_row_places {
  size_t row_bytes, step, together, group_step;
} bnn_row_places;

// For `copied_bytes`, one at least, of each tap; rows begin at multiples of `alignment`. The window must not be
// larger than the image.
bnn_row_places bnn_window_row_places(
  const bnn_window *window, size_t pixel_bytes, size_t copied_bytes, size_t alignment);
size_t bnn_row_places_bytes(const bnn_row_places *places, size_t rows);

// Goes on to the next position.
void bnn_window_next(const bnn_window *window, bnn_taps *taps);

typedef struct bnn_gather {
  const char *name;
  bnn_isa isa;
  // Bits: for each position a row of `row_words` words with, tap after tap, the bits
  // first_bit … first_bit + bits − 1 of the pixel; taps outside are `outside` (0 or 1). Pixels
  // have `pixel_words` words. Bits after the last tap are 0.
  void (*bits)(
    const bnn_window *window, const uint64_t *input, size_t pixel_words, size_t first_bit,
    size_t bits, int outside, size_t position, size_t count, uint64_t *rows, size_t row_words);
  // Rows without copying: element e of tap t of position `position + i` becomes
  // rows[i][offsets[t * elements + e]] (see `bnn_window_offsets`). Positions whose taps are all
  // inside point into the input; the others are gathered into `scratch`, one place after the other,
  // with taps outside filled from `outside`, which has a line of taps. The window must not be larger
  // than the image.
  void (*rows)(
    const bnn_window *window, const void *input, size_t pixel_bytes, size_t tap_bytes,
    const void *outside, size_t position, size_t count, const void **rows, void *scratch,
    const bnn_row_places *places);
  // The same for floats; taps outside are 0.
  void (*floats)(
    const bnn_window *window, const float *input, size_t pixel_channels, size_t first_channel,
    size_t channels, size_t position, size_t count, float *rows);
} bnn_gather;

#define BNN_GATHER_KERNEL(object) BNN_DECLARE_KERNEL(bnn_gather, object)
#include "bnn_gather.inc"
#undef BNN_GATHER_KERNEL
BNN_DECLARE_DISPATCH(bnn_gather)

#endif
