#include "bnn_isa.h"

#if BNN_X86_64
// Each level asks for what it adds.
static bool has_level(bnn_isa isa) {
  switch (isa) {
    case BNN_ISA_SCALAR:
      return true;
    case BNN_ISA_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case BNN_ISA_AVX512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    case BNN_ISA_AVX512_VNNI:
      return __builtin_cpu_supports("avx512vnni");
    case BNN_ISA_AVX512_VPOPCNTDQ:
      return __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512bitalg")
        && __builtin_cpu_supports("avx512vbmi");
    case BNN_ISA_NEON:
      return false;
  }
  return false;
}

bool bnn_cpu_is_intel(void) { return __builtin_cpu_is("intel"); }
#else
bool bnn_cpu_is_intel(void) { return false; }

static bool has_level(bnn_isa isa) {
  return isa == BNN_ISA_SCALAR || (BNN_AARCH64 && isa == BNN_ISA_NEON);
}
#endif

bool bnn_isa_supported(bnn_isa isa) {
  for (int level = BNN_ISA_SCALAR; level <= (int)isa; level++)
    if (bnn_isa_includes(isa, (bnn_isa)level) && !has_level((bnn_isa)level)) return false;
  return true;
}

bnn_isa bnn_isa_best(void) {
  bnn_isa best = BNN_ISA_SCALAR;
  for (int level = BNN_ISA_SCALAR; level <= BNN_ISA_NEON; level++)
    if (bnn_isa_supported((bnn_isa)level)) best = (bnn_isa)level;
  return best;
}
