// Up to 64 bits at any bit position; private to the kernels.
#ifndef BNN_WORD_BITS_H
#define BNN_WORD_BITS_H

#include <stddef.h>
#include <stdint.h>

// 1…64 ones.
static inline uint64_t bnn_low_bits(size_t count) { return ~(uint64_t)0 >> (64 - count); }

// `count` bits (1…64) from a bit position; touches a second word only where they reach into it.
static inline uint64_t bnn_read_bits(const uint64_t *from, size_t bit, size_t count) {
  const size_t shift = bit % 64;
  uint64_t value = from[bit / 64] >> shift;
  if (shift + count > 64) value |= from[bit / 64 + 1] << (64 - shift);
  return value & bnn_low_bits(count);
}

// Replaces `count` bits (1…64); `value` has no others.
static inline void bnn_write_bits(uint64_t *to, size_t bit, uint64_t value, size_t count) {
  const size_t shift = bit % 64;
  uint64_t *word = to + bit / 64;
  const uint64_t mask = bnn_low_bits(count);
  word[0] = (word[0] & ~(mask << shift)) | value << shift;
  if (shift + count > 64)
    word[1] = (word[1] & ~(mask >> (64 - shift))) | value >> (64 - shift);
}

// Bit i of word k becomes bit k of word i.
static inline void bnn_transpose_words(uint64_t words[64]) {
  uint64_t mask = 0xffffffff;
  for (size_t step = 32; step > 0; step /= 2, mask ^= mask << step)
    for (size_t first = 0; first < 64; first += 2 * step)
      for (size_t k = first; k < first + step; k++) {
        const uint64_t swapped = ((words[k] >> step) ^ words[k + step]) & mask;
        words[k] ^= swapped << step;
        words[k + step] ^= swapped;
      }
}

#endif
