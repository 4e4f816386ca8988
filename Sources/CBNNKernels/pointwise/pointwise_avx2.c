#include "bnn_isa.h"

#if BNN_X86_64

#define BNN_TARGET __attribute__((target("avx2")))
#include "pointwise_loops.h"

const bnn_pointwise bnn_pointwise_8__avx2 = {
  .name = "bnn_pointwise_8__avx2",
  .isa = BNN_ISA_AVX2,
  BNN_POINTWISE_FUNCTIONS,
};

#endif
