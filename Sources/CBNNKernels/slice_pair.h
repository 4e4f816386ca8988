// Two slices of the same weight: one of them, and where they differ; for BNN_TARGET and the type
// `slice`, which the including file defines.
typedef struct slice_pair {
  slice one, differ;
} slice_pair;

#define BNN_ADDER BNN_TARGET static inline __attribute__((always_inline))

BNN_ADDER slice_pair pair_of(slice a, slice b) { return (slice_pair){a, a ^ b}; }
