#include "bnn_isa.h"

#if BNN_X86_64

#define BNN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define BNN_HAS_MASKS
#define BNN_MULTIPLY_ADD __builtin_elementwise_fma
#include "windowpool_loops.h"

const bnn_windowpool bnn_windowpool_64__avx512 = {
  .name = "bnn_windowpool_64__avx512",
  .isa = BNN_ISA_AVX512,
  BNN_WINDOWPOOL_FUNCTIONS,
};

#endif
