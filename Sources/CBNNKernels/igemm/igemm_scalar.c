#define BNN_TARGET
#include "quantize_loops.h"

// Outputs of a vector, as compilers lay it out for any CPU: a product fits into 16 bits.
enum { columns = 16 };
typedef int16_t shorts16 __attribute__((vector_size(32)));
typedef int32_t integers16 __attribute__((vector_size(64)));
typedef uint32_t words16 __attribute__((vector_size(64)));

static size_t weight_bytes(size_t outputs, size_t depth) {
  return (outputs + columns - 1) / columns * columns * depth * 4 * sizeof(int16_t);
}

// [tile of outputs][k][i][output of the tile] in 16 bits: the innermost loop is one vector of
// outputs.
static void pack_weights(size_t outputs, size_t depth, const int8_t *rows, void *packed) {
  int16_t *to = packed;
  for (size_t tile = 0; tile < outputs; tile += columns)
    for (size_t k = 0; k < depth * 4; k++)
      for (size_t o = tile; o < tile + columns; o++)
        *to++ = o < outputs ? rows[o * depth * 4 + k] : 0;
}

static void multiply(
  const bnn_byte_rows *rows, size_t outputs, const void *packed_weights, const int32_t *bases,
  int32_t *out, size_t out_stride) {
  const int16_t *weights = packed_weights;
  for (size_t tile = 0; tile < outputs; tile += columns, weights += rows->depth * columns * 4)
    for (size_t m = 0; m < rows->count; m++) {
      // Unsigned, because sums on the way may wrap around.
      words16 sums = {0};
      for (size_t k = 0; k < rows->depth; k++) {
        const uint8_t *x = rows->rows[m] + rows->offsets[k];
        const int16_t *w = weights + k * columns * 4;
        for (size_t i = 0; i < 4; i++, w += columns) {
          shorts16 products;
          memcpy(&products, w, sizeof products);
          products *= (int16_t)x[i];
          sums += (words16)__builtin_convertvector(products, integers16);
        }
      }
      for (size_t o = 0; o < columns && tile + o < outputs; o++)
        out[m * out_stride + tile + o] = (int32_t)(sums[o] + (uint32_t)bases[tile + o]);
    }
}

const bnn_igemm bnn_igemm_1x16__scalar = {
  .name = "bnn_igemm_1x16__scalar",
  .isa = BNN_ISA_SCALAR,
  .rows_per_tile = 1,
  .weight_bytes = weight_bytes,
  .pack_weights = pack_weights,
  .multiply = multiply,
  .quantize = quantize,
};
