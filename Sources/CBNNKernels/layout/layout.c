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
