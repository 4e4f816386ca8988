// Binary products of small groups of channels: 1, 2, 4, 8, 16 or 32 bits per tap and group.
//
//   out[m][o] = bases[m][o] − 2 · popcount(taps of the group of o in row m XOR weights of o)
//
// A product per group would see a few bits for a few outputs. Here 16 outputs of any groups stand
// side by side in lanes of 32 bits. What a tap shows of a group is a unit of 8, 16 or 32 bits (two
// or more groups share one of 8), and 4, 2 or 1 units of successive taps make a lane: bringing
// them side by side costs a few instructions for all groups together.
#ifndef BNN_BGROUP_H
#define BNN_BGROUP_H

#include "bnn_isa.h"

typedef struct bnn_group_shape {
  size_t taps, groups, bits_per_tap, outputs_per_group;
  // Words of a pixel.
  size_t pixel_words;
} bnn_group_shape;

// Word w of the pixel that tap t of row m sees is rows[m][tap_offsets[t] + 2 · w], and the next
// half after it.
typedef struct bnn_tap_rows {
  size_t count;
  const uint32_t *const *rows;
  const uint32_t *tap_offsets;
} bnn_tap_rows;

typedef struct bnn_bgroup {
  const char *name;
  bnn_isa isa;
  // Up to so many bits per tap it is faster than a product per group.
  size_t most_bits_per_tap;
  // `out` has `out_stride` elements from row to row; weights and scratch are aligned to 64.
  void (*multiply)(
    const bnn_group_shape *shape, const bnn_tap_rows *rows, const void *packed_weights,
    void *scratch, const int32_t *const *bases, int32_t *out, size_t out_stride);
} bnn_bgroup;

#define BNN_BGROUP_KERNEL(object) BNN_DECLARE_KERNEL(bnn_bgroup, object)
#include "bnn_bgroup.inc"
#undef BNN_BGROUP_KERNEL
BNN_DECLARE_DISPATCH(bnn_bgroup)

bool bnn_bgroup_fits(const bnn_bgroup *kernel, const bnn_group_shape *shape);
size_t bnn_bgroup_weight_bytes(const bnn_group_shape *shape);
size_t bnn_bgroup_scratch_bytes(const bnn_group_shape *shape);
// Bit `tap · bits_per_tap + channel` of an output's row of `row_words` words is its weight.
void bnn_bgroup_pack_weights(
  const bnn_group_shape *shape, const uint64_t *rows, size_t row_words, void *packed);

#endif
