#include "bnn_isa.h"

#if BNN_X86_64

#define BNN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#include "pointwise_loops.h"

const bnn_pointwise bnn_pointwise_16__avx512 = {
  .name = "bnn_pointwise_16__avx512",
  .isa = BNN_ISA_AVX512,
  BNN_POINTWISE_FUNCTIONS,
};

#endif
