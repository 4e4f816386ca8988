#include "bnn_isa.h"

bool bnn_isa_supported(bnn_isa isa) {
  switch (isa) {
    case BNN_ISA_SCALAR:
      return true;
    case BNN_ISA_AVX2:
#if BNN_X86_64
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
      return false;
#endif
  }
  return false;
}

bnn_isa bnn_isa_best(void) {
  return bnn_isa_supported(BNN_ISA_AVX2) ? BNN_ISA_AVX2 : BNN_ISA_SCALAR;
}
