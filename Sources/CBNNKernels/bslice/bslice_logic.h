// Logic of two operands an instruction, for BNN_TARGET and the type `slice`.
#define BNN_MAJORITY(a, b, c) (((a) & (b)) | ((c) & ((a) ^ (b))))

#include "../carry_pairs.h"
