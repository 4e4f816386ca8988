#include "bnn_bslice.h"

#define BNN_TARGET

enum { slice_words = 2 };
typedef uint64_t slice __attribute__((ext_vector_type(slice_words)));

#include "bslice_logic.h"
#include "bslice_transpose.h"

#include "bslice_loops.h"

const bnn_bslice bnn_bslice_2__scalar = {
  .name = "bnn_bslice_2__scalar",
  .isa = BNN_ISA_SCALAR,
  .most_narrow = {.bits = 64, .integers = 64},
  .most_wide = {.bits = 64, .integers = 64},
  .most_ungrouped = {.bits = 64, .integers = 64},
  BNN_BSLICE_FUNCTIONS,
};
