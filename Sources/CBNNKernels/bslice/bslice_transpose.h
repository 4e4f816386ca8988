// Bit planes of 64 numbers to integers, for BNN_TARGET, on vectors of the compiler.
#include <string.h>

typedef uint64_t plane_words8 __attribute__((ext_vector_type(8)));
typedef uint8_t plane_bytes64 __attribute__((ext_vector_type(64)));
typedef uint8_t bytes16 __attribute__((ext_vector_type(16)));
typedef int32_t numbers16 __attribute__((ext_vector_type(16)));

// Eight planes to the bytes of 64 lanes: planes' bytes are brought together, then each eight
// transposed as 8 × 8 bits.
BNN_TARGET static inline __attribute__((always_inline)) void bytes_of_planes(
  const uint64_t *planes, size_t step, size_t count, plane_bytes64 *bytes) {
  plane_words8 x = 0;
  for (size_t plane = 0; plane < count; plane++) x[plane] = planes[plane * step];
  plane_bytes64 b;
  memcpy(&b, &x, sizeof b);
  b = __builtin_shufflevector(
    b, b, 0, 8, 16, 24, 32, 40, 48, 56, 1, 9, 17, 25, 33, 41, 49, 57, 2, 10, 18, 26, 34, 42, 50, 58,
    3, 11, 19, 27, 35, 43, 51, 59, 4, 12, 20, 28, 36, 44, 52, 60, 5, 13, 21, 29, 37, 45, 53, 61, 6,
    14, 22, 30, 38, 46, 54, 62, 7, 15, 23, 31, 39, 47, 55, 63);
  memcpy(&x, &b, sizeof x);
#define BNN_SWAP_BITS(distance, mask)                         \
  do {                                                        \
    const plane_words8 t = (x ^ (x >> distance)) & mask;      \
    x ^= t ^ (t << distance);                                 \
  } while (0)
  BNN_SWAP_BITS(7, 0x00aa00aa00aa00aa);
  BNN_SWAP_BITS(14, 0x0000cccc0000cccc);
  BNN_SWAP_BITS(28, 0x00000000f0f0f0f0);
  memcpy(bytes, &x, sizeof x);
}

// Sixteen of them, from lane 16 · i on.
BNN_TARGET static inline __attribute__((always_inline)) void numbers_of_bytes(
  const plane_bytes64 *bytes, size_t i, numbers16 *numbers) {
  bytes16 own;
  memcpy(&own, (const char *)bytes + 16 * i, sizeof own);
  *numbers = __builtin_convertvector(own, numbers16);
}

// out = bases − 2 · numbers.
BNN_TARGET static void write_word(
  const uint64_t *planes, size_t step, size_t count, size_t outputs, const int32_t *bases,
  int32_t *out) {
  plane_bytes64 bytes[4];
  for (size_t part = 0; 8 * part < count; part++)
    bytes_of_planes(
      planes + 8 * part * step, step, count - 8 * part < 8 ? count - 8 * part : 8, &bytes[part]);
  for (size_t i = 0; i < 4; i++) {
    numbers16 sum, own, base = 0;
    numbers_of_bytes(&bytes[0], i, &sum);
    for (size_t part = 1; 8 * part < count; part++) {
      numbers_of_bytes(&bytes[part], i, &own);
      sum += own << (int32_t)(8 * part);
    }
    if (outputs <= 16 * i) return;
    const size_t left = outputs - 16 * i;
    if (left >= 16) {
      memcpy(&base, bases + 16 * i, sizeof base);
      base -= sum + sum;
      memcpy(out + 16 * i, &base, sizeof base);
    } else {
      memcpy(&base, bases + 16 * i, left * sizeof *bases);
      base -= sum + sum;
      memcpy(out + 16 * i, &base, left * sizeof *out);
    }
  }
}
