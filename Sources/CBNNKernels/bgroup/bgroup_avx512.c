#include "bnn_isa.h"

#if BNN_X86_64

#define BNN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#include "bgroup_plain.h"

const bnn_bgroup bnn_bgroup_4x16__avx512 = {
  .name = "bnn_bgroup_4x16__avx512",
  .isa = BNN_ISA_AVX512,
  .most_bits_per_tap = 16,
  .multiply = multiply,
};

#endif
