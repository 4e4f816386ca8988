#include "bnn_fgemm.h"

enum { columns = 8 };

static void multiply(
  size_t rows, size_t outputs, size_t depth, const float *a, size_t a_stride,
  const float *packed_weights, float *out, size_t out_stride) {
  for (size_t tile = 0; tile < outputs; tile += columns, packed_weights += depth * columns)
    for (size_t m = 0; m < rows; m++) {
      float sums[columns] = {0};
      for (size_t k = 0; k < depth; k++)
        for (size_t i = 0; i < columns; i++)
          sums[i] += a[m * a_stride + k] * packed_weights[k * columns + i];
      for (size_t i = 0; i < columns && tile + i < outputs; i++)
        out[m * out_stride + tile + i] = sums[i];
    }
}

const bnn_fgemm bnn_fgemm_1x8__scalar = {
  .name = "bnn_fgemm_1x8__scalar",
  .isa = BNN_ISA_SCALAR,
  .columns = columns,
  .multiply = multiply,
};
