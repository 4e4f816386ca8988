#include "bnn_isa.h"

#if BNN_X86_64

#define BNN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define BNN_WIDTH 16
#define BNN_TILES 4
#define BNN_VECTORS 2
#define BNN_POINTS 3
#include "winograd_loops.h"

const bnn_winograd bnn_winograd_4x32__avx512 = {
  .name = "bnn_winograd_4x32__avx512",
  .isa = BNN_ISA_AVX512,
  BNN_WINOGRAD_FUNCTIONS,
};

#endif
