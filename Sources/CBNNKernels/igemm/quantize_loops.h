// Quantization for BNN_TARGET, which the including file defines.
#include <string.h>

#include "bnn_igemm.h"

// Compilers fuse a · b + c on their own wherever the target has the instruction.
#pragma clang fp contract(off)

BNN_TARGET static void quantize(
  size_t count, const float *from, float inverse_scale, int32_t zero, uint8_t *to) {
  // Clamping to whole numbers before rounding gives what clamping after it does.
  const float lower = (float)-zero, upper = (float)(255 - zero);
  // Numbers between 2²³ and 2²⁴ are whole: the addition rounds, half to even, and leaves the
  // result in the low bits.
  const float shift = 12582912.0f;
  const int32_t shift_bits = 0x4b400000 - zero;
  for (size_t i = 0; i < count; i++) {
    float x = from[i] * inverse_scale;
    x = x > lower ? x : lower;
    x = x < upper ? x : upper;
    const float shifted = x + shift;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    to[i] = (uint8_t)(bits - shift_bits);
  }
}
