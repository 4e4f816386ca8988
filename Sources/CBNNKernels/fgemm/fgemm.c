#include "bnn_fgemm.h"

#include <string.h>

static const bnn_fgemm *const kernels[] = {
#define BNN_FGEMM_KERNEL(object) BNN_LIST_KERNEL(bnn_fgemm, object)
#include "bnn_fgemm.inc"
#undef BNN_FGEMM_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_fgemm, kernels)

size_t bnn_fgemm_weight_bytes(size_t outputs, size_t depth) {
  const size_t tiles = (outputs + bnn_fgemm_columns - 1) / bnn_fgemm_columns;
  return tiles * bnn_fgemm_columns * (depth + 1) * sizeof(float);
}

void bnn_fgemm_pack_weights(
  size_t outputs, size_t depth, const float *rows, const float *bias, float *packed) {
  for (size_t tile = 0; tile < outputs; tile += bnn_fgemm_columns) {
    for (size_t k = 0; k < depth; k++)
      for (size_t i = 0; i < bnn_fgemm_columns; i++)
        *packed++ = tile + i < outputs ? rows[(tile + i) * depth + k] : 0;
    for (size_t i = 0; i < bnn_fgemm_columns; i++)
      *packed++ = bias && tile + i < outputs ? bias[tile + i] : -0.0f;
  }
}

size_t bnn_fgemm_few_bytes(size_t outputs, size_t runs, size_t run) {
  const size_t blocks = (run + bnn_fgemm_columns - 1) / bnn_fgemm_columns;
  return outputs * (runs * blocks * bnn_fgemm_columns + 1) * sizeof(float);
}

void bnn_fgemm_pack_few(
  size_t outputs, size_t runs, size_t run, const float *rows, const float *bias, float *packed) {
  for (size_t r = 0; r < runs; r++)
    for (size_t i = 0; i < run; i += bnn_fgemm_columns)
      for (size_t o = 0; o < outputs; o++)
        for (size_t lane = 0; lane < bnn_fgemm_columns; lane++)
          *packed++ = i + lane < run ? rows[(o * runs + r) * run + i + lane] : 0;
  for (size_t o = 0; o < outputs; o++) *packed++ = bias ? bias[o] : -0.0f;
}

void bnn_fgemm_pack_columns(
  size_t outputs, size_t depth, const float *matrix, size_t stride, float *packed) {
  for (size_t tile = 0; tile < outputs; tile += bnn_fgemm_columns) {
    for (size_t k = 0; k < depth; k++, packed += bnn_fgemm_columns) {
      const float *from = matrix + k * stride + tile;
      const size_t left = outputs - tile;
      if (left >= bnn_fgemm_columns) {
        memcpy(packed, from, bnn_fgemm_columns * sizeof(float));
        continue;
      }
      memset(packed, 0, bnn_fgemm_columns * sizeof(float));
      for (size_t i = 0; i < left; i++) packed[i] = from[i];
    }
    for (size_t i = 0; i < bnn_fgemm_columns; i++) *packed++ = -0.0f;
  }
}
