#define BNN_TARGET
enum { rows_at_once = 4 };
#include "epilogue_loops.h"

const bnn_epilogue bnn_epilogue_64__scalar = {
  .name = "bnn_epilogue_64__scalar",
  .isa = BNN_ISA_SCALAR,
  BNN_EPILOGUE_FUNCTIONS,
  .planes = NULL,
  .plane_bits = NULL,
};
