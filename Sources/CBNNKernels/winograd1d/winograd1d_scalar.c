#define BNN_TARGET
#define BNN_WIDTH 4
#define BNN_VECTORS 2
#define BNN_COLUMNS 6
#include "winograd1d_loops.h"

const bnn_winograd1d bnn_winograd1d_6x8__scalar = {
  .name = "bnn_winograd1d_6x8__scalar",
  .isa = BNN_ISA_SCALAR,
  BNN_WINOGRAD1D_FUNCTIONS,
};
