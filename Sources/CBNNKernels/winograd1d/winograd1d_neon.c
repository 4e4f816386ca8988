#include "bnn_isa.h"

#if BNN_AARCH64

#define BNN_TARGET
#define BNN_WIDTH 4
#define BNN_VECTORS 4
#define BNN_COLUMNS 6
#include "winograd1d_loops.h"

const bnn_winograd1d bnn_winograd1d_6x16__neon = {
  .name = "bnn_winograd1d_6x16__neon",
  .isa = BNN_ISA_NEON,
  BNN_WINOGRAD1D_FUNCTIONS,
};

#endif
