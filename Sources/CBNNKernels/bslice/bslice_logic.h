// Adders of two operands an instruction, for BNN_TARGET and the type `slice`.
#define BNN_MAJORITY(a, b, c) (((a) & (b)) | ((c) & ((a) ^ (b))))

// Two slices of the same weight: one of them, and where they differ.
typedef struct slice_pair {
  slice one, differ;
} slice_pair;

#define BNN_ADDER BNN_TARGET static inline __attribute__((always_inline))

// sum + a = sum + 2 · carry.
BNN_ADDER slice add_two(slice *sum, slice_pair a) {
  const slice mixed = a.differ | (a.one ^ *sum);
  *sum ^= a.differ;
  return *sum ^ mixed;
}

// sum + a + b = sum + 2 · (both carries). That two slices come as a pair and leave as one saves two of
// ten operations of two full adders (Demenkov, Kojevnikov, Kulikov, Yaroslavtsev: New upper bounds on
// the Boolean circuit complexity of symmetric functions, 2010).
BNN_ADDER slice_pair add_four(slice *sum, slice_pair a, slice_pair b) {
  const slice mixed = a.differ | (a.one ^ *sum), first = *sum ^ a.differ;
  *sum = first ^ b.differ;
  return (slice_pair){first ^ mixed, mixed ^ (~b.differ & (b.one ^ first))};
}
