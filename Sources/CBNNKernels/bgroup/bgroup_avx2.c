#include "bnn_isa.h"

#if BNN_X86_64

#define BNN_TARGET __attribute__((target("avx2")))
#include "bgroup_plain.h"

const bnn_bgroup bnn_bgroup_4x16__avx2 = {
  .name = "bnn_bgroup_4x16__avx2",
  .isa = BNN_ISA_AVX2,
  .most_bits_per_tap = 16,
  .multiply = multiply,
};

#endif
