// The population count of bytes: one vector is 4 outputs × 32 bits of K, a tile 4 rows × 16 outputs
// in sixteen counters. Three instructions for 128 products (XOR, count, add). A carry-save adder
// takes three to save one count and one addition, so bit planes, as for AVX2, do not pay here.
//
// Byte lanes are summed to lanes of 32 bits, one per output, before they could overflow.
//
// Weights: [tile of 16 outputs][half of a word][16 outputs]. Rows of a tile: [half][row], each half
// four times.
#include "bnn_bgemm.h"

#if BNN_AARCH64

#include <arm_neon.h>
#include <string.h>

#define BNN_INLINE static inline __attribute__((always_inline))

enum { rows_per_tile = 4, columns = 16, lanes = 4, vectors = columns / lanes };

static size_t weight_bytes(size_t outputs, size_t words) {
  return (outputs + columns - 1) / columns * columns * words * sizeof(uint64_t);
}

static void pack_weights(size_t outputs, size_t words, const uint64_t *rows, void *packed) {
  uint32_t *out = packed;
  for (size_t tile = 0; tile < outputs; tile += columns)
    for (size_t half = 0; half < 2 * words; half++)
      for (size_t i = 0; i < columns; i++) {
        const uint64_t word = tile + i < outputs ? rows[(tile + i) * words + half / 2] : 0;
        *out++ = (uint32_t)(word >> 32 * (half % 2));
      }
}

static size_t arranged_bytes(size_t rows, size_t words) {
  return rows * 2 * words * lanes * sizeof(uint32_t);
}

static void arrange(const bnn_bit_rows *rows, void *arranged) {
  uint32_t *out = arranged;
  for (size_t first = 0; first < rows->count; first += rows_per_tile) {
    const size_t left = rows->count - first;
    const size_t end = first + (left < rows_per_tile ? left : rows_per_tile);
    for (size_t half = 0; half < rows->halves; half++)
      for (size_t m = first; m < end; m++, out += lanes)
        vst1q_u32(out, vdupq_n_u32(rows->rows[m][rows->offsets[half]]));
  }
}

// Mismatches in each byte over at most `longest_chunk` halves. `rows` is a constant at every call,
// so that the loops over it unroll into registers.
BNN_INLINE void count_chunk(
  size_t rows, size_t halves, const uint32_t *bits, const uint32_t *weights,
  uint8x16_t counts[rows_per_tile][vectors]) {
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++)
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) counts[m][v] = vdupq_n_u8(0);
  for (size_t half = 0; half < halves; half++, bits += rows * lanes, weights += columns) {
    uint32x4_t w[vectors];
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) w[v] = vld1q_u32(weights + v * lanes);
#pragma clang loop unroll(full)
    for (size_t m = 0; m < rows; m++) {
      const uint32x4_t row = vld1q_u32(bits + m * lanes);
#pragma clang loop unroll(full)
      for (size_t v = 0; v < vectors; v++) {
        const uint8x16_t differ = vreinterpretq_u8_u32(veorq_u32(w[v], row));
        counts[m][v] = vaddq_u8(counts[m][v], vcntq_u8(differ));
      }
    }
  }
}

// out = from − 2 · mismatches for 4 outputs.
BNN_INLINE void subtract_twice(int32_t *out, const int32_t *from, uint8x16_t counts) {
  const int32x4_t mismatches = vreinterpretq_s32_u32(vpaddlq_u16(vpaddlq_u8(counts)));
  vst1q_s32(out, vsubq_s32(vld1q_s32(from), vshlq_n_s32(mismatches, 1)));
}

// A byte counts at most 8 per half: 31 · 8 = 248.
enum { longest_chunk = 31 };

BNN_INLINE void multiply_tile(
  size_t rows, size_t halves, const uint32_t *bits, const uint32_t *weights,
  const int32_t *const *bases, size_t first, int32_t *out, size_t out_stride) {
  for (size_t done = 0; done < halves; done += longest_chunk) {
    const size_t left = halves - done;
    uint8x16_t counts[rows_per_tile][vectors];
    count_chunk(
      rows, left < longest_chunk ? left : longest_chunk, bits + done * rows * lanes,
      weights + done * columns, counts);
#pragma clang loop unroll(full)
    for (size_t m = 0; m < rows; m++) {
      int32_t *to = out + m * out_stride;
      const int32_t *from = done == 0 ? bases[m] + first : to;
#pragma clang loop unroll(full)
      for (size_t v = 0; v < vectors; v++)
        subtract_twice(to + v * lanes, from + v * lanes, counts[m][v]);
    }
  }
}

static void multiply_rows(
  size_t rows, size_t halves, const uint32_t *bits, const uint32_t *weights,
  const int32_t *const *bases, size_t first, int32_t *out, size_t out_stride) {
  switch (rows) {
    case 1: return multiply_tile(1, halves, bits, weights, bases, first, out, out_stride);
    case 2: return multiply_tile(2, halves, bits, weights, bases, first, out, out_stride);
    case 3: return multiply_tile(3, halves, bits, weights, bases, first, out, out_stride);
    default: return multiply_tile(4, halves, bits, weights, bases, first, out, out_stride);
  }
}

// The last outputs, fewer than a tile has.
static void multiply_edge(
  size_t rows, size_t halves, const uint32_t *bits, const uint32_t *weights, size_t outputs,
  const int32_t *const *bases, size_t first, int32_t *out, size_t out_stride) {
  int32_t edge[rows_per_tile][columns] = {0};
  const int32_t *const edge_bases[rows_per_tile] = {edge[0], edge[1], edge[2], edge[3]};
  for (size_t m = 0; m < rows; m++) memcpy(edge[m], bases[m] + first, outputs * sizeof(int32_t));
  multiply_rows(rows, halves, bits, weights, edge_bases, 0, edge[0], columns);
  for (size_t m = 0; m < rows; m++)
    memcpy(out + m * out_stride, edge[m], outputs * sizeof(int32_t));
}

static void multiply(
  const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *packed_weights,
  const void *next, const int32_t *const *bases, int32_t *out, size_t out_stride) {
  (void)arranged;
  (void)next;
  const size_t halves = rows->halves, tile_halves = 2 * bnn_row_words(rows) * columns;
  // The rows of a tile stay in the first level cache while the weights pass by.
  for (size_t m = 0; m < rows->count; m += rows_per_tile) {
    const size_t count = rows->count - m < rows_per_tile ? rows->count - m : rows_per_tile;
    const uint32_t *bits = (const uint32_t *)arranged + m * halves * lanes;
    const uint32_t *weights = packed_weights;
    for (size_t o = 0; o < outputs; o += columns, weights += tile_halves) {
      const size_t left = outputs - o;
      int32_t *to = out + m * out_stride + o;
      if (left >= columns) {
        multiply_rows(count, halves, bits, weights, bases + m, o, to, out_stride);
      } else {
        multiply_edge(count, halves, bits, weights, left, bases + m, o, to, out_stride);
      }
    }
  }
}

const bnn_bgemm bnn_bgemm_4x16__neon = {
  .name = "bnn_bgemm_4x16__neon",
  .isa = BNN_ISA_NEON,
  .costs[BNN_CPU_OTHER] = {.rows = 1, .outputs = 16, .word = 16, .rest = 20, .tested_rest = 20},
  .best_rows = 32,
  .best_outputs = 0,
  .weight_bytes = weight_bytes,
  .pack_weights = pack_weights,
  .arranged_bytes = arranged_bytes,
  .arrange = arrange,
  .halves_per_gather = 192,
  .multiply = multiply,
  .count = NULL,
};

#endif
