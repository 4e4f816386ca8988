// Carry-save adders of two operands an instruction, for BNN_TARGET and the type `slice`, which the
// including file defines: one bit in each lane of one bit.
//
// Two slices of the same weight come as one of them and where they differ. Two full adders that take
// and give such pairs take eight operations instead of ten (Demenkov, Kojevnikov, Kulikov,
// Yaroslavtsev: New upper bounds on the Boolean circuit complexity of symmetric functions, 2010).
#include "slice_pair.h"

// sum + a = sum + 2 · carry.
BNN_ADDER slice add_two(slice *sum, slice_pair a) {
  const slice mixed = a.differ | (a.one ^ *sum);
  *sum ^= a.differ;
  return *sum ^ mixed;
}

// sum + a + b = sum + 2 · (both carries).
BNN_ADDER slice_pair add_four(slice *sum, slice_pair a, slice_pair b) {
  const slice mixed = a.differ | (a.one ^ *sum), first = *sum ^ a.differ;
  *sum = first ^ b.differ;
  return (slice_pair){first ^ mixed, mixed ^ (~b.differ & (b.one ^ first))};
}
