#include "bnn_isa.h"

#if BNN_X86_64

#define BNN_TARGET __attribute__((target("avx2")))
enum { rows_at_once = 4 };
#include "epilogue_loops.h"
#include "epilogue_planes_avx2.h"

const bnn_epilogue bnn_epilogue_64__avx2 = {
  .name = "bnn_epilogue_64__avx2",
  .isa = BNN_ISA_AVX2,
  BNN_EPILOGUE_FUNCTIONS,
  .planes = finish_planes,
  .plane_bits = test_planes,
};

#endif
