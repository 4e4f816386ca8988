#include "bnn_bits.h"

static const bnn_bits *const kernels[] = {
#define BNN_BITS_KERNEL(object) BNN_LIST_KERNEL(bnn_bits, object)
#include "bnn_bits.inc"
#undef BNN_BITS_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_bits, kernels)

static inline uint64_t low_bits(size_t count) {
  return count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
}

// `count` bits (1…64) from a bit position; touches a second word only where they reach into it.
static inline uint64_t read_bits(const uint64_t *from, size_t bit, size_t count) {
  const size_t shift = bit % 64;
  uint64_t value = from[bit / 64] >> shift;
  if (shift + count > 64) value |= from[bit / 64 + 1] << (64 - shift);
  return value & low_bits(count);
}

void bnn_copy_bits(
  uint64_t *to, size_t to_bit, const uint64_t *from, size_t from_bit, size_t count) {
  while (count > 0) {
    // As many as are left in the word that is written.
    const size_t shift = to_bit % 64;
    const size_t part = count < 64 - shift ? count : 64 - shift;
    const uint64_t mask = low_bits(part) << shift;
    uint64_t *word = to + to_bit / 64;
    *word = (*word & ~mask) | read_bits(from, from_bit, part) << shift;
    to_bit += part;
    from_bit += part;
    count -= part;
  }
}
