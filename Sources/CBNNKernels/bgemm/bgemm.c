#include "bnn_bgemm.h"

static const bnn_bgemm *const kernels[] = {
#define BNN_BGEMM_KERNEL(object) BNN_LIST_KERNEL(bnn_bgemm, object)
#include "bnn_bgemm.inc"
#undef BNN_BGEMM_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_bgemm, kernels)

// Measured where the weights of a whole network leave the second-level cache.
static const double cycles_per_weight_byte = 0.15;
static const size_t first_level_bytes = 32 << 10;

double bnn_bgemm_cycles(
  const bnn_bgemm *kernel, size_t rows, size_t outputs, size_t words, bool is_tested) {
  const bnn_bgemm_cost cost = kernel->cost;
  const size_t row_parts = (rows + cost.rows - 1) / cost.rows;
  const size_t output_parts = (outputs + cost.outputs - 1) / cost.outputs;
  const size_t bytes = kernel->weight_bytes(outputs, words);
  const bool is_lone = output_parts == 1 && bytes > first_level_bytes;
  const double part = (double)words * (cost.word + (is_lone ? cost.lone_word : 0))
    + (is_tested ? cost.tested_rest : cost.rest);
  return (double)row_parts * ((double)output_parts * part + (double)words * cost.row_word)
    + (double)bytes * cycles_per_weight_byte;
}
