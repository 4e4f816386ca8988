// Adders of two operands an instruction, for BNN_TARGET and the type `slice`.
#define BNN_MAJORITY(a, b, c) (((a) & (b)) | ((c) & ((a) ^ (b))))

// sum + a + b = sum + 2 · carry. `carry` may be `a` or `b`.
BNN_TARGET static inline __attribute__((always_inline)) void add_bits(
  slice *sum, const slice *a, const slice *b, slice *carry) {
  const slice x = *sum, y = *a, z = *b;
  *sum = x ^ y ^ z;
  *carry = BNN_MAJORITY(x, y, z);
}
