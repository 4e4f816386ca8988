#include "bnn_isa.h"

#include <stdatomic.h>

#if BNN_X86_64

#include <cpuid.h>

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

static unsigned cpu_family(void) {
  unsigned version = 0, others[3];
  if (__get_cpuid(1, &version, &others[0], &others[1], &others[2]) == 0) return 0;
  return (version >> 8 & 0xf) + (version >> 20 & 0xff);
}

static bnn_cpu find_cpu(void) {
  if (__builtin_cpu_is("intel")) return BNN_CPU_INTEL;
  return __builtin_cpu_is("amd") && cpu_family() >= 26 ? BNN_CPU_ZEN5 : BNN_CPU_OTHER;
}
#else
static bnn_cpu find_cpu(void) { return BNN_CPU_OTHER; }

static bool has_level(bnn_isa isa) {
  return isa == BNN_ISA_SCALAR || (BNN_AARCH64 && isa == BNN_ISA_NEON);
}
#endif

// Asked for once: virtual machines take long to answer.
bnn_cpu bnn_cpu_found(void) {
  static atomic_int found = -1;
  int cpu = atomic_load_explicit(&found, memory_order_relaxed);
  if (cpu < 0) {
    cpu = (int)find_cpu();
    atomic_store_explicit(&found, cpu, memory_order_relaxed);
  }
  return (bnn_cpu)cpu;
}

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
