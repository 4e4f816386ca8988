#define BNN_TARGET
#define BNN_WIDTH 4
#define BNN_TILES 2
#define BNN_VECTORS 1
#define BNN_POINTS 6
#include "winograd_loops.h"

const bnn_winograd bnn_winograd_2x4__scalar = {
  .name = "bnn_winograd_2x4__scalar",
  .isa = BNN_ISA_SCALAR,
  BNN_WINOGRAD_FUNCTIONS,
};
