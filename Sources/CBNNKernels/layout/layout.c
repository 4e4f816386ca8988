#include "bnn_layout.h"

#include <string.h>

// `columns` is a constant at every call.
static inline __attribute__((always_inline)) void transpose_few(
  size_t rows, size_t columns, const uint32_t *restrict from, size_t from_step,
  uint32_t *restrict to) {
  for (size_t i = 0; i < rows; i++)
    for (size_t p = 0; p < columns; p++) to[i * columns + p] = from[p * from_step + i];
}

enum { block = 8, tile = 2 * block };
typedef uint32_t vector __attribute__((ext_vector_type(block)));

#define BNN_UNROLL _Pragma("clang loop unroll(full)")

// 8 × 8 elements: pairs of rows by elements, then by pairs of elements, then by halves.
static inline __attribute__((always_inline)) void transpose_block(
  const uint32_t *restrict from, size_t from_step, uint32_t *restrict to, size_t to_step) {
  vector rows[block], mixed[block];
  BNN_UNROLL for (size_t p = 0; p < block; p++)
    memcpy(&rows[p], from + p * from_step, sizeof rows[p]);
  BNN_UNROLL for (size_t p = 0; p < block; p += 2) {
    const vector a = rows[p], b = rows[p + 1];
    mixed[p] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
    mixed[p + 1] = __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
  }
  BNN_UNROLL for (size_t p = 0; p < block; p += 4)
    BNN_UNROLL for (size_t half = 0; half < 2; half++) {
      const vector a = mixed[p + half], b = mixed[p + 2 + half];
      rows[p + 2 * half] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
      rows[p + 2 * half + 1] = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
    }
  BNN_UNROLL for (size_t p = 0; p < block / 2; p++) {
    const vector a = rows[p], b = rows[p + block / 2];
    mixed[p] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
    mixed[p + block / 2] = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
  }
  BNN_UNROLL for (size_t p = 0; p < block; p++)
    memcpy(to + p * to_step, &mixed[p], sizeof mixed[p]);
}

static inline __attribute__((always_inline)) void transpose_part(
  size_t rows, size_t columns, const uint32_t *restrict from, size_t from_step,
  uint32_t *restrict to, size_t to_step) {
  for (size_t p = 0; p < columns; p++)
    for (size_t i = 0; i < rows; i++) to[i * to_step + p] = from[p * from_step + i];
}

// `rows` is a constant at every call.
static inline __attribute__((always_inline)) void transpose_few_rows(
  size_t rows, size_t columns, const uint32_t *restrict from, size_t from_step,
  uint32_t *restrict to, size_t to_step) {
  for (size_t p = 0; p < columns; p++, from += from_step)
    BNN_UNROLL for (size_t i = 0; i < rows; i++) to[i * to_step + p] = from[i];
}

static inline __attribute__((always_inline)) void transpose(
  size_t rows, size_t columns, const uint32_t *from, size_t from_step, uint32_t *to,
  size_t to_step) {
  if (to_step == columns) switch (columns) {
      case 1: return transpose_few(rows, 1, from, from_step, to);
      case 2: return transpose_few(rows, 2, from, from_step, to);
      case 3: return transpose_few(rows, 3, from, from_step, to);
      case 4: return transpose_few(rows, 4, from, from_step, to);
      default: break;
    }
  switch (rows) {
    case 1: return transpose_few_rows(1, columns, from, from_step, to, to_step);
    case 2: return transpose_few_rows(2, columns, from, from_step, to, to_step);
    case 3: return transpose_few_rows(3, columns, from, from_step, to, to_step);
    case 4: return transpose_few_rows(4, columns, from, from_step, to, to_step);
    default: break;
  }
  // Lines of the cache on both sides are used whole.
  for (size_t i = 0; i < rows; i += tile)
    for (size_t p = 0; p < columns; p += tile)
      for (size_t r = i; r < i + tile && r < rows; r += block)
        for (size_t c = p; c < p + tile && c < columns; c += block) {
          const uint32_t *own = from + c * from_step + r;
          uint32_t *out = to + r * to_step + c;
          const size_t height = rows - r, width = columns - c;
          if (height >= block && width >= block)
            transpose_block(own, from_step, out, to_step);
          else
            transpose_part(
              height < block ? height : block, width < block ? width : block, own, from_step, out,
              to_step);
        }
}

#if BNN_X86_64

__attribute__((target("avx2"))) static void transpose_avx2(
  size_t rows, size_t columns, const uint32_t *from, size_t from_step, uint32_t *to,
  size_t to_step) {
  transpose(rows, columns, from, from_step, to, to_step);
}

#endif

void bnn_transpose(
  size_t rows, size_t columns, const uint32_t *from, size_t from_step, uint32_t *to,
  size_t to_step) {
#if BNN_X86_64
  if (bnn_isa_supported(BNN_ISA_AVX2))
    return transpose_avx2(rows, columns, from, from_step, to, to_step);
#endif
  transpose(rows, columns, from, from_step, to, to_step);
}

// Halves of pairs of words `distance` apart change places, all at once for 64 × 64 bits.
#define BNN_SWAP_BITS(distance, low_halves)                                              \
  for (size_t i = 0; i < 64; i += 2 * distance)                                          \
    for (size_t p = i; p < i + distance; p++) {                                          \
      const uint64_t swapped = (square[p] >> distance ^ square[p + distance]) & low_halves; \
      square[p] ^= swapped << distance;                                                  \
      square[p + distance] ^= swapped;                                                   \
    }

static void transpose_square(uint64_t square[static 64]) {
  BNN_SWAP_BITS(32, UINT64_C(0x00000000ffffffff))
  BNN_SWAP_BITS(16, UINT64_C(0x0000ffff0000ffff))
  BNN_SWAP_BITS(8, UINT64_C(0x00ff00ff00ff00ff))
  BNN_SWAP_BITS(4, UINT64_C(0x0f0f0f0f0f0f0f0f))
  BNN_SWAP_BITS(2, UINT64_C(0x3333333333333333))
  BNN_SWAP_BITS(1, UINT64_C(0x5555555555555555))
}

void bnn_transpose_bits(
  size_t rows, size_t columns, const uint64_t *from, size_t from_step, uint64_t *to,
  size_t to_step) {
  for (size_t row = 0; row < rows; row += 64)
    for (size_t column = 0; column < columns; column += 64) {
      const size_t height = rows - row < 64 ? rows - row : 64;
      const size_t width = columns - column < 64 ? columns - column : 64;
      uint64_t square[64];
      for (size_t p = 0; p < width; p++)
        square[p] = from[(column + p) * from_step + row / 64];
      memset(square + width, 0, (64 - width) * sizeof square[0]);
      transpose_square(square);
      for (size_t i = 0; i < height; i++) to[(row + i) * to_step + column / 64] = square[i];
    }
}
