#define BNN_TARGET
#include "pointwise_loops.h"

const bnn_pointwise bnn_pointwise_1__scalar = {
  .name = "bnn_pointwise_1__scalar",
  .isa = BNN_ISA_SCALAR,
  BNN_POINTWISE_FUNCTIONS,
};
