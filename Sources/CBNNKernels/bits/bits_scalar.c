#define BNN_TARGET
#include "bits_loops.h"

const bnn_bits bnn_bits_64__scalar = {
  .name = "bnn_bits_64__scalar",
  .isa = BNN_ISA_SCALAR,
  .pool = pool,
  .unpack = unpack,
};
