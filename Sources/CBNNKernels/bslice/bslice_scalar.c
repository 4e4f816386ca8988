#include "bnn_bslice.h"

#define BNN_TARGET

enum { slice_words = 2 };
typedef uint64_t slice __attribute__((ext_vector_type(slice_words)));

#include "bslice_logic.h"
#include "bslice_transpose.h"

#include "bslice_loops.h"

// Products of rows of bits are slower without an instruction that counts bits, as NEON has one.
enum { most = BNN_AARCH64 ? 64 : 1024 };

const bnn_bslice bnn_bslice_2__scalar = {
  .name = "bnn_bslice_2__scalar",
  .isa = BNN_ISA_SCALAR,
  .most_narrow = {.bits = most, .integers = most},
  .most_wide = {.bits = most, .integers = most},
  .most_ungrouped = {.bits = most, .integers = most},
  BNN_BSLICE_FUNCTIONS,
};
