// Moving, combining and unpacking bits that are addressed in 64-bit words, least significant
// first.
#ifndef BNN_BITS_H
#define BNN_BITS_H

#include "bnn_isa.h"

// Copies `count` bits; the other bits of `to` stay. Reads and writes only words that hold some of
// the bits. The regions must not overlap.
void bnn_copy_bits(
  uint64_t *to, size_t to_bit, const uint64_t *from, size_t from_bit, size_t count);

typedef struct bnn_bits {
  const char *name;
  bnn_isa isa;
  // For `rows` rows of `words` words: to |= from where the bit of `inverted`, which is the same for
  // all rows, is 0, to &= from where it is 1. Rows of `from` begin `step` words after each other,
  // those of `to` have no gap.
  void (*pool)(
    size_t rows, size_t words, const uint64_t *from, size_t step, const uint64_t *inverted,
    uint64_t *to);
  // Rows of `channels` bits in whole words to +1 and −1.
  void (*unpack)(size_t rows, size_t channels, const uint64_t *bits, float *out);
} bnn_bits;

#define BNN_BITS_KERNEL(object) BNN_DECLARE_KERNEL(bnn_bits, object)
#include "bnn_bits.inc"
#undef BNN_BITS_KERNEL
BNN_DECLARE_DISPATCH(bnn_bits)

#endif
