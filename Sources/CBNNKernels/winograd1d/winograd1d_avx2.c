#include "bnn_isa.h"

#if BNN_X86_64

#define BNN_TARGET __attribute__((target("avx2,fma")))
#define BNN_WIDTH 8
#define BNN_VECTORS 2
#define BNN_COLUMNS 6
#include "winograd1d_loops.h"

const bnn_winograd1d bnn_winograd1d_6x16__avx2 = {
  .name = "bnn_winograd1d_6x16__avx2",
  .isa = BNN_ISA_AVX2,
  BNN_WINOGRAD1D_FUNCTIONS,
};

#endif
