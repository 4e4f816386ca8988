#include "bnn_isa.h"

#if BNN_X86_64

#include "bnn_bslice.h"

#define BNN_TARGET __attribute__((target("avx2")))

enum { slice_words = 4 };
typedef uint64_t slice __attribute__((ext_vector_type(slice_words)));

#include "bslice_logic.h"
#include "bslice_transpose.h"

#include "bslice_loops.h"

const bnn_bslice bnn_bslice_4__avx2 = {
  .name = "bnn_bslice_4__avx2",
  .isa = BNN_ISA_AVX2,
  .most_narrow = {.bits = 64, .integers = 24},
  .most_wide = {.bits = 28, .integers = 12},
  .most_ungrouped = {.bits = 28, .integers = 12},
  BNN_BSLICE_FUNCTIONS,
};

#endif
