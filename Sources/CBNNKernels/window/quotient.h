// Division of numbers that are small, and mostly by 1: a division of 64 bits takes up to 90 cycles
// whatever they are.
#ifndef BNN_QUOTIENT_H
#define BNN_QUOTIENT_H

#include <stdint.h>

// a / b of numbers that are not negative; b > 0.
static inline int64_t quotient(int64_t a, int64_t b) {
  if (b == 1) return a;
  if (((a | b) >> 32) == 0) return (uint32_t)a / (uint32_t)b;
  return a / b;
}

#endif
