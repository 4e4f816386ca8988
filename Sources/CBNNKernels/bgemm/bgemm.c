#include "bnn_bgemm.h"

static const bnn_bgemm *const kernels[] = {
#define BNN_BGEMM_KERNEL(object) BNN_LIST_KERNEL(bnn_bgemm, object)
#include "bnn_bgemm.inc"
#undef BNN_BGEMM_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_bgemm, kernels)

static const size_t first_level_bytes = 32 << 10;

// Measured where the weights of a whole network leave the second-level cache.
static const double cycles_per_weight_byte[bnn_cpu_count] = {
  [BNN_CPU_OTHER] = 0.15, [BNN_CPU_INTEL] = 0.1, [BNN_CPU_ZEN5] = 0.06};

double bnn_bgemm_cycles(const bnn_bgemm *kernel, bnn_bgemm_shape shape) {
  const bnn_cpu cpu = bnn_cpu_found();
  const bnn_bgemm_cost own = kernel->costs[cpu];
  const bnn_bgemm_cost cost = own.rows == 0 ? kernel->costs[BNN_CPU_OTHER] : own;
  const size_t row_parts = (shape.rows + cost.rows - 1) / cost.rows;
  const size_t output_parts = (shape.outputs + cost.outputs - 1) / cost.outputs;
  const size_t bytes = kernel->weight_bytes(shape.outputs, shape.words);
  const double words = (double)shape.words;
  // Numbers are finished a vector at a time, of those that are asked for only.
  const size_t finished = (shape.outputs + 15) / 16 * 16;
  const double finished_parts =
    shape.is_tested ? (double)output_parts : (double)finished / (double)cost.outputs;
  const double rest = finished_parts * (shape.is_tested ? cost.tested_rest : cost.rest);
  double per_word = cost.row_word;
  if (shape.is_grouped) per_word += cost.group_word;
  if (output_parts % 2 == 1) per_word += cost.lone_word;
  if (output_parts == 1 && bytes > first_level_bytes) per_word += cost.outside_word;
  return (double)row_parts * (words * ((double)output_parts * cost.word + per_word) + rest)
    + (double)bytes * cycles_per_weight_byte[cpu];
}
