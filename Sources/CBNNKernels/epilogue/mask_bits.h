// Masks of a block of channels, vector by vector, to the bits of one word; for BNN_TARGET, which
// the including file defines.
#ifndef BNN_MASK_BITS_H
#define BNN_MASK_BITS_H

#include "../channel_blocks.h"

#if BNN_AARCH64

#include <arm_neon.h>

// AArch64 has no instruction that takes one bit of each lane. Each byte of a mask keeps a bit of
// its own among eight, and pairwise additions bring those of all vectors together.
typedef struct mask_bits {
  uint8x16_t bits[block / lanes];
} mask_bits;

BNN_INLINE void add_mask(mask_bits *to, size_t vector, const integers16 *mask) {
  typedef int8_t bytes16 __attribute__((ext_vector_type(16)));
  const bytes16 narrow = __builtin_convertvector(*mask, bytes16);
  uint8x16_t bytes;
  memcpy(&bytes, &narrow, sizeof bytes);
  const uint8x16_t places = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  to->bits[vector] = vandq_u8(bytes, places);
}

BNN_INLINE uint64_t word_of_masks(const mask_bits *masks) {
  const uint8x16_t low = vpaddq_u8(masks->bits[0], masks->bits[1]);
  const uint8x16_t high = vpaddq_u8(masks->bits[2], masks->bits[3]);
  const uint8x16_t bytes = vpaddq_u8(low, high);
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(bytes, bytes)), 0);
}

#else

typedef struct mask_bits {
  uint64_t word;
} mask_bits;

BNN_INLINE void add_mask(mask_bits *to, size_t vector, const integers16 *mask) {
  const bits16 bits = __builtin_convertvector(*mask, bits16);
  uint16_t part;
  memcpy(&part, &bits, sizeof part);
  to->word |= (uint64_t)part << vector * lanes;
}

BNN_INLINE uint64_t word_of_masks(const mask_bits *masks) { return masks->word; }

#endif

#endif
