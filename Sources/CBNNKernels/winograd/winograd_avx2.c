#include "bnn_isa.h"

#if BNN_X86_64

#define BNN_TARGET __attribute__((target("avx2,fma")))
#define BNN_WIDTH 8
#define BNN_TILES 2
#define BNN_VECTORS 2
#define BNN_POINTS 3
#include "winograd_loops.h"

const bnn_winograd bnn_winograd_2x16__avx2 = {
  .name = "bnn_winograd_2x16__avx2",
  .isa = BNN_ISA_AVX2,
  BNN_WINOGRAD_FUNCTIONS,
};

#endif
