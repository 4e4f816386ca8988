#include "bnn_isa.h"

#if BNN_X86_64

#define BNN_TARGET __attribute__((target("avx2")))
#include "bits_loops.h"

const bnn_bits bnn_bits_256__avx2 = {
  .name = "bnn_bits_256__avx2",
  .isa = BNN_ISA_AVX2,
  .pool = pool,
  .unpack = unpack,
};

#endif
