// Checks every kernel that this CPU supports against plain loops; see `checks.h`.
#include "checks.h"

#define CHECK_FAMILY(family, check)                                  \
  printf(#family "\n");                                              \
  for (size_t i = 0; i < family##_count(); i++) {                    \
    const family *kernel = family##_at(i);                           \
    if (!begin_kernel(kernel->name, kernel->isa)) continue;          \
    check(kernel);                                                   \
    end_kernel();                                                    \
  }                                                                  \
  for (bnn_isa isa = BNN_ISA_SCALAR; isa <= BNN_ISA_NEON; isa++)     \
    if (bnn_isa_supported(isa)) expect_supported(family##_best(isa)->isa);

// No dispatch may choose a kernel that the CPU does not run.
static void expect_supported(bnn_isa chosen) {
  if (!bnn_isa_supported(chosen)) fail("a kernel is chosen that is not supported");
}

#define CHECK_FUNCTION(name, check)      \
  begin_kernel(name, BNN_ISA_SCALAR);    \
  check();                               \
  end_kernel();

int main(void) {
  CHECK_FAMILY(bnn_bgemm, check_bgemm)
  CHECK_FAMILY(bnn_bslice, check_bslice)
  CHECK_FAMILY(bnn_fgemm, check_fgemm)
  CHECK_FAMILY(bnn_igemm, check_igemm)
  CHECK_FAMILY(bnn_winograd, check_winograd)
  CHECK_FAMILY(bnn_winograd1d, check_winograd1d)
  CHECK_FAMILY(bnn_epilogue, check_epilogue)
  CHECK_FAMILY(bnn_pointwise, check_pointwise)
  CHECK_FAMILY(bnn_windowpool, check_windowpool)
  CHECK_FAMILY(bnn_gather, check_gather)
  CHECK_FAMILY(bnn_bits, check_bits)
  printf("functions\n");
  CHECK_FUNCTION("bnn_copy_bits", check_copy_bits)
  CHECK_FUNCTION("bnn_transpose", check_transpose)
  CHECK_FUNCTION("bnn_transpose_bits", check_transpose_bits)
  CHECK_FUNCTION("bnn_pool_run", check_threads)
  return 0;
}
