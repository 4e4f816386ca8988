#include "bnn_fgemm.h"

enum { columns = bnn_fgemm_columns };

static void multiply(
  const bnn_float_rows *rows, size_t outputs, const float *packed_weights, float *out,
  size_t out_stride) {
  for (size_t tile = 0; tile < outputs; tile += columns, packed_weights += (rows->depth + 1) * columns)
    for (size_t m = 0; m < rows->count; m++) {
      const float *row = rows->rows[m];
      float sums[columns] = {0};
      for (size_t k = 0; k < rows->depth; k++) {
        const float value = row[rows->offsets[k]];
        for (size_t i = 0; i < columns; i++) sums[i] += value * packed_weights[k * columns + i];
      }
      for (size_t i = 0; i < columns && tile + i < outputs; i++)
        out[m * out_stride + tile + i] = sums[i] + packed_weights[rows->depth * columns + i];
    }
}

#define BNN_TARGET
#define BNN_FEW_LANES 4
#define BNN_FEW_ROWS 3
#include "few_outputs.h"

const bnn_fgemm bnn_fgemm_1x16__scalar = {
  .name = "bnn_fgemm_1x16__scalar",
  .isa = BNN_ISA_SCALAR,
  .rows_per_tile = 1,
  .multiply = multiply,
  BNN_FGEMM_FEW,
};
