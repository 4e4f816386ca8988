#include "bnn_isa.h"

#if BNN_X86_64

#define BNN_TARGET __attribute__((target("avx2,fma")))
#define BNN_MULTIPLY_ADD __builtin_elementwise_fma
#include "windowpool_loops.h"

const bnn_windowpool bnn_windowpool_64__avx2 = {
  .name = "bnn_windowpool_64__avx2",
  .isa = BNN_ISA_AVX2,
  BNN_WINDOWPOOL_FUNCTIONS,
};

#endif
