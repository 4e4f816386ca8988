#define BNN_TARGET
#include "windowpool_loops.h"

const bnn_windowpool bnn_windowpool_64__scalar = {
  .name = "bnn_windowpool_64__scalar",
  .isa = BNN_ISA_SCALAR,
  BNN_WINDOWPOOL_FUNCTIONS,
};
