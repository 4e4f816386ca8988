// float32 matrix product: out[m][o] = Σ_k rows[m][offsets[k]] · weights[o][k] + bias[o], summed in the
// order of k, the bias last.
//
// A multiplication and an addition may round once or twice (kernels with FMA), so kernels agree
// within a tolerance; within one kernel a result does not depend on the other rows of the call.
#ifndef BNN_FGEMM_H
#define BNN_FGEMM_H

#include "bnn_isa.h"

// Element k of row m is rows[m][offsets[k]].
typedef struct bnn_float_rows {
  size_t count, depth;
  const float *const *rows;
  const uint32_t *offsets;
} bnn_float_rows;

// Outputs that stand together in packed weights: [tile of outputs][k, then the bias][output of the
// tile], the last tile filled with zeros. Without a bias −0 stands there, which changes no sum.
enum { bnn_fgemm_columns = 16 };

// Rows of runs of numbers: run r of row m is the `run` numbers from from[m * runs + r] on.
typedef struct bnn_float_runs {
  size_t count, runs, run;
  const float *const *from;
} bnn_float_runs;

// Up to so many outputs have a product of their own, in lanes along k.
enum { bnn_fgemm_few = 4 };

typedef struct bnn_fgemm {
  const char *name;
  bnn_isa isa;
  // Rows of a tile: calls with multiples of it lose nothing.
  size_t rows_per_tile;
  void (*multiply)(
    const bnn_float_rows *rows, size_t outputs, const float *packed_weights, float *out,
    size_t out_stride);
  // Sums over all runs for 1 to `bnn_fgemm_few` outputs, of lanes first, in an order of the kernel's.
  void (*multiply_few)(
    const bnn_float_runs *rows, size_t outputs, const float *packed_weights, float *out,
    size_t out_stride);
} bnn_fgemm;

#define BNN_FGEMM_KERNEL(object) BNN_DECLARE_KERNEL(bnn_fgemm, object)
#include "bnn_fgemm.inc"
#undef BNN_FGEMM_KERNEL
BNN_DECLARE_DISPATCH(bnn_fgemm)

size_t bnn_fgemm_weight_bytes(size_t outputs, size_t depth);
// `bias` may be null.
void bnn_fgemm_pack_weights(
  size_t outputs, size_t depth, const float *rows, const float *bias, float *packed);
// For `multiply_few`: [16 numbers of a run][output][number], zeros after the run's last; the biases.
size_t bnn_fgemm_few_bytes(size_t outputs, size_t runs, size_t run);
void bnn_fgemm_pack_few(
  size_t outputs, size_t runs, size_t run, const float *rows, const float *bias, float *packed);
// As `bnn_fgemm_pack_weights` without a bias, where output o and element k are at matrix[k * stride + o].
void bnn_fgemm_pack_columns(
  size_t outputs, size_t depth, const float *matrix, size_t stride, float *packed);

#endif
