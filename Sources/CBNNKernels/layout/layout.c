#include "bnn_layout.h"

// `planes` is a constant at every call but the last.
static inline __attribute__((always_inline)) void interleave(
  size_t count, size_t planes, const uint32_t *restrict from, size_t plane_step,
  uint32_t *restrict to) {
  for (size_t i = 0; i < count; i++)
    for (size_t p = 0; p < planes; p++) to[i * planes + p] = from[p * plane_step + i];
}

static inline __attribute__((always_inline)) void interleave_planes(
  size_t count, size_t planes, const uint32_t *from, size_t plane_step, uint32_t *to) {
  // Lines of the cache on both sides are used whole.
  enum { tile = 16 };
  switch (planes) {
    case 1: return interleave(count, 1, from, plane_step, to);
    case 2: return interleave(count, 2, from, plane_step, to);
    case 3: return interleave(count, 3, from, plane_step, to);
    case 4: return interleave(count, 4, from, plane_step, to);
    default:
      for (size_t i = 0; i < count; i += tile)
        for (size_t p = 0; p < planes; p += tile) {
          const size_t rows = count - i < tile ? count - i : tile;
          const size_t columns = planes - p < tile ? planes - p : tile;
          for (size_t c = 0; c < columns; c++)
            for (size_t r = 0; r < rows; r++)
              to[(i + r) * planes + p + c] = from[(p + c) * plane_step + i + r];
        }
  }
}

#if BNN_X86_64

__attribute__((target("avx2"))) static void interleave_avx2(
  size_t count, size_t planes, const uint32_t *from, size_t plane_step, uint32_t *to) {
  interleave_planes(count, planes, from, plane_step, to);
}

#endif

void bnn_interleave(
  size_t count, size_t planes, const uint32_t *from, size_t plane_step, uint32_t *to) {
#if BNN_X86_64
  if (bnn_isa_supported(BNN_ISA_AVX2)) return interleave_avx2(count, planes, from, plane_step, to);
#endif
  interleave_planes(count, planes, from, plane_step, to);
}
