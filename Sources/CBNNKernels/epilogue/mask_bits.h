// Masks of vectors, whose lanes are all ones or 0, to bits; for BNN_TARGET, which the including
// file defines.
#ifndef BNN_MASK_BITS_H
#define BNN_MASK_BITS_H

#include "../channel_blocks.h"

#if BNN_AARCH64

#include <arm_neon.h>

// AArch64 has no instruction that takes one bit of each lane. Each byte of a mask keeps a bit of
// its own among eight, and pairwise additions bring them together.
BNN_INLINE uint16_t bits_of_mask(const integers16 *mask) {
  typedef int8_t bytes16 __attribute__((ext_vector_type(16)));
  const bytes16 narrow = __builtin_convertvector(*mask, bytes16);
  uint8x16_t bytes;
  memcpy(&bytes, &narrow, sizeof bytes);
  const uint8x16_t places = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  bytes = vandq_u8(bytes, places);
  for (int step = 0; step < 3; step++) bytes = vpaddq_u8(bytes, bytes);
  return vgetq_lane_u16(vreinterpretq_u16_u8(bytes), 0);
}

#else

BNN_INLINE uint16_t bits_of_mask(const integers16 *mask) {
  const bits16 bits = __builtin_convertvector(*mask, bits16);
  uint16_t word;
  memcpy(&word, &bits, sizeof word);
  return word;
}

#endif

#endif
