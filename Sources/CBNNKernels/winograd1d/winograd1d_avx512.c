#include "bnn_isa.h"

#if BNN_X86_64

#define BNN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define BNN_WIDTH 16
#define BNN_VECTORS 4
#define BNN_COLUMNS 6
#include "winograd1d_loops.h"

const bnn_winograd1d bnn_winograd1d_6x64__avx512 = {
  .name = "bnn_winograd1d_6x64__avx512",
  .isa = BNN_ISA_AVX512,
  BNN_WINOGRAD1D_FUNCTIONS,
};

#endif
