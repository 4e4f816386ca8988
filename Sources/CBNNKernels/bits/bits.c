#include "bnn_bits.h"

#include "word_bits.h"

static const bnn_bits *const kernels[] = {
#define BNN_BITS_KERNEL(object) BNN_LIST_KERNEL(bnn_bits, object)
#include "bnn_bits.inc"
#undef BNN_BITS_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_bits, kernels)

void bnn_copy_bits(
  uint64_t *to, size_t to_bit, const uint64_t *from, size_t from_bit, size_t count) {
  while (count > 0) {
    // To the end of the word that is written, so that the next ones are written whole.
    const size_t room = 64 - to_bit % 64;
    const size_t part = count < room ? count : room;
    bnn_write_bits(to, to_bit, bnn_read_bits(from, from_bit, part), part);
    to_bit += part;
    from_bit += part;
    count -= part;
  }
}
