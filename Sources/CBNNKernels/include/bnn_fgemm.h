// float32 matrix product: out[m][o] = Σ_k a[m][k] · weights[o][k], summed in the order of k.
//
// A multiplication and an addition may round once or twice (kernels with FMA), so kernels agree
// within a tolerance; within one kernel a result does not depend on the other rows of the call.
#ifndef BNN_FGEMM_H
#define BNN_FGEMM_H

#include "bnn_isa.h"

typedef struct bnn_fgemm {
  const char *name;
  bnn_isa isa;
  // The weights are packed as [tile of outputs][k][output of the tile], the last tile filled with
  // zeros: see `bnn_fgemm_pack_weights`.
  size_t columns;
  void (*multiply)(
    size_t rows, size_t outputs, size_t depth, const float *a, size_t a_stride,
    const float *packed_weights, float *out, size_t out_stride);
} bnn_fgemm;

#define BNN_FGEMM_KERNEL(object) BNN_DECLARE_KERNEL(bnn_fgemm, object)
#include "bnn_fgemm.inc"
#undef BNN_FGEMM_KERNEL
BNN_DECLARE_DISPATCH(bnn_fgemm)

size_t bnn_fgemm_weight_bytes(const bnn_fgemm *kernel, size_t outputs, size_t depth);
void bnn_fgemm_pack_weights(
  const bnn_fgemm *kernel, size_t outputs, size_t depth, const float *rows, float *packed);

#endif
