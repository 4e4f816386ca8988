#include "bnn_bgemm.h"

static const bnn_bgemm *const kernels[] = {
#define BNN_BGEMM_KERNEL(object) BNN_LIST_KERNEL(bnn_bgemm, object)
#include "bnn_bgemm.inc"
#undef BNN_BGEMM_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_bgemm, kernels)

double bnn_bgemm_cycles(const bnn_bgemm *kernel, size_t rows, size_t outputs, size_t words) {
  const bnn_bgemm_cost cost = kernel->cost;
  const size_t row_parts = (rows + cost.rows - 1) / cost.rows;
  const size_t output_parts = (outputs + cost.outputs - 1) / cost.outputs;
  return (double)row_parts * (double)output_parts * ((double)words * cost.word + cost.rest);
}
