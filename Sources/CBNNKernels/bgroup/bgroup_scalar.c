#define BNN_TARGET
#include "bgroup_plain.h"

const bnn_bgroup bnn_bgroup_4x16__scalar = {
  .name = "bnn_bgroup_4x16__scalar",
  .isa = BNN_ISA_SCALAR,
  .most_bits_per_tap = 16,
  .multiply = multiply,
};
