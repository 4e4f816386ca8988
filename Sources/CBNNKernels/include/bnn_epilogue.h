// What follows a product, element by element: 64 channels of a row go through all steps in
// registers, and are stored as numbers, as bits of a threshold test, or both.
//
// Every arithmetic operation rounds by itself: no kernel of this family may fuse a multiplication
// with an addition. Rows of numbers begin `x_step`, or `values_step`, after the one before; rows of
// bits are whole words without a gap. Parameters per channel are padded to multiples of 64 entries.
#ifndef BNN_EPILOGUE_H
#define BNN_EPILOGUE_H

#include "bnn_bgemm.h"

typedef enum bnn_epilogue_kind {
  BNN_EPILOGUE_AFFINE,           // x · a[c] + b[c]
  BNN_EPILOGUE_SLOPES,           // x < 0 ? x · b[c] : x · a[c]
  BNN_EPILOGUE_CLAMP,            // min(max(x, lower), upper); NaN stays NaN
  BNN_EPILOGUE_RELU,             // max(x, 0), which is +0 for −0; NaN stays NaN
  BNN_EPILOGUE_ADD,              // x + a[row · stride + c]; `a` is not padded
  BNN_EPILOGUE_MULTIPLY,         // x · a[row · stride + c]; `a` is not padded
  BNN_EPILOGUE_ADD_SCALAR,       // x + a[row · stride]
  BNN_EPILOGUE_MULTIPLY_SCALAR,  // x · a[row · stride]
} bnn_epilogue_kind;

typedef struct bnn_epilogue_step {
  bnn_epilogue_kind kind;
  const float *a, *b;
  size_t stride;
  float lower, upper;
} bnn_epilogue_step;

// Bit c of a row is set when `lower[c] <= x[c] && x[c] <= upper[c]` differs from bit c of
// `outside_is_plus`, whose bits after the last channel must be 0, as are those of the result. A
// NaN lies in no interval. The bounds are of the type of x: float after steps, else as the source.
typedef struct bnn_epilogue_test {
  const void *lower, *upper;
  const uint64_t *outside_is_plus;
} bnn_epilogue_test;

// Mismatches of 64 outputs are inside when `from <= mismatches && mismatches < to`: the planes of
// both, in the order of `bnn_planes`. All after the first `planes`, and those of mismatches, are 0.
// Of channels that do not exist nothing is inside.
enum { bnn_bound_planes = 14 };
typedef struct bnn_plane_bounds {
  size_t planes;
  uint64_t from[bnn_bound_planes], to[bnn_bound_planes];
} bnn_plane_bounds;

// The channels of a row that are finished; the first is a multiple of 64, or of 16 where numbers are
// given, and so is their count, or they are the last. Bits of other channels stay what they are.
typedef struct bnn_channel_range {
  size_t all, first, count;
} bnn_channel_range;

typedef struct bnn_epilogue {
  const char *name;
  bnn_isa isa;
  // `values` (which may lie where `x` does) and `bits` (with its test) may each be null. Rows of `x` begin with the first of the given channels, all others with the first of all.
  void (*floats)(
    size_t rows, bnn_channel_range channels, const float *x, size_t x_step,
    const bnn_epilogue_step *steps, size_t count, float *values, size_t values_step,
    const bnn_epilogue_test *test, uint64_t *bits);
  // Integers become floats first. Rows of `x` are the given channels without a gap.
  void (*integers)(
    size_t rows, bnn_channel_range channels, const int32_t *x, const bnn_epilogue_step *steps,
    size_t count, float *values, size_t values_step, const bnn_epilogue_test *test,
    uint64_t *bits);
  // Tests integers as they are.
  void (*accumulators)(
    size_t rows, bnn_channel_range channels, const int32_t *x, const bnn_epilogue_test *test,
    uint64_t *bits);
  // The same from planes of [8 rows][64 of the channels] and the bases of each row; this and the next
  // one are null where a kernel takes none.
  void (*planes)(
    size_t rows, bnn_channel_range channels, const bnn_planes *planes,
    const int32_t *const *bases, const bnn_epilogue_step *steps, size_t count, float *values,
    size_t values_step, const bnn_epilogue_test *test, uint64_t *bits);
  // Tests mismatches in planes against the bounds of each row, one for 64 of all channels.
  void (*plane_bits)(
    size_t rows, bnn_channel_range channels, const bnn_planes *planes,
    const bnn_plane_bounds *const *bounds, const uint64_t *outside_is_plus, uint64_t *bits);
} bnn_epilogue;

// The bounds of mismatches, up to `most` of which there are, for which `base − 2 · mismatches` is
// inside of the bounds of channels. `most` is less than 1 << `bnn_bound_planes`, less 1.
void bnn_plane_bounds_pack(
  size_t channels, size_t most, const int32_t *bases, const int32_t *lower, const int32_t *upper,
  bnn_plane_bounds *bounds);

#define BNN_EPILOGUE_KERNEL(object) BNN_DECLARE_KERNEL(bnn_epilogue, object)
#include "bnn_epilogue.inc"
#undef BNN_EPILOGUE_KERNEL
BNN_DECLARE_DISPATCH(bnn_epilogue)

#endif
