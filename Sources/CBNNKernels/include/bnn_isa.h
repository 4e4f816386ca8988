// Instruction sets, and which of them this CPU runs.
#ifndef BNN_ISA_H
#define BNN_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Packed bits are addressed both as bytes and as 64-bit words: little-endian CPUs only."
#endif

#if defined(__x86_64__)
#define BNN_X86_64 1
#else
#define BNN_X86_64 0
#endif

#if defined(__aarch64__)
#define BNN_AARCH64 1
#else
#define BNN_AARCH64 0
#endif

// The levels of x86-64 in ascending order, each of which includes those before it; then NEON, which
// every AArch64 CPU has and which includes SCALAR only.
typedef enum bnn_isa {
  BNN_ISA_SCALAR = 0,
  BNN_ISA_AVX2 = 1,              // with FMA, as every CPU that has AVX2
  BNN_ISA_AVX512 = 2,            // F, BW, VL and DQ: Skylake-X
  BNN_ISA_AVX512_VNNI = 3,       // Cascade Lake
  BNN_ISA_AVX512_VPOPCNTDQ = 4,  // with BITALG and VBMI: Ice Lake, Zen 4
  BNN_ISA_NEON = 5,
} bnn_isa;

bool bnn_isa_supported(bnn_isa isa);

// The highest level that this CPU runs.
bnn_isa bnn_isa_best(void);

// CPUs on which some instructions cost more or less than on others of the same level.
typedef enum bnn_cpu {
  BNN_CPU_OTHER = 0,
  BNN_CPU_INTEL,
  BNN_CPU_ZEN5,  // and later ones of AMD: 512 bits at full width
  bnn_cpu_count,
} bnn_cpu;

bnn_cpu bnn_cpu_found(void);

// Whether a kernel for `needed` may be used where `chosen` is forced or found.
static inline bool bnn_isa_includes(bnn_isa chosen, bnn_isa needed) {
  if (chosen == BNN_ISA_NEON || needed == BNN_ISA_NEON)
    return needed == BNN_ISA_SCALAR || needed == chosen;
  return needed <= chosen;
}

// What each family's header declares from its list.
#define BNN_DECLARE_KERNEL(family, object) extern const family object;
#define BNN_LIST_KERNEL(family, object) &object,

// In one C file of each family: `<family>_count`, `<family>_at` and `<family>_best` from a
// list, best first, whose last kernel is scalar.
#define BNN_DEFINE_DISPATCH(family, list)                                         \
  size_t family##_count(void) { return sizeof list / sizeof list[0]; }            \
  const family *family##_at(size_t index) { return list[index]; }                 \
  const family *family##_best(bnn_isa isa) {                                      \
    size_t last = family##_count() - 1;                                           \
    for (size_t i = 0; i < last; i++)                                             \
      if (bnn_isa_includes(isa, list[i]->isa)) return list[i];                    \
    return list[last];                                                            \
  }

#define BNN_DECLARE_DISPATCH(family)            \
  size_t family##_count(void);                  \
  const family *family##_at(size_t index);      \
  const family *family##_best(bnn_isa isa);

#endif
