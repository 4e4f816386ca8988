#include "bnn_isa.h"

#if BNN_X86_64

#define BNN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define BNN_HAS_MASKS
enum { rows_at_once = 8 };
#include "epilogue_loops.h"
#include "epilogue_planes_avx512.h"

const bnn_epilogue bnn_epilogue_64__avx512 = {
  .name = "bnn_epilogue_64__avx512",
  .isa = BNN_ISA_AVX512,
  BNN_EPILOGUE_FUNCTIONS,
  .planes = finish_planes,
  .plane_bits = test_planes,
};

#endif
