#include "checks.h"

static void check_pool(const bnn_bits *kernel, size_t rows, size_t words, size_t step) {
  const size_t from_count = (rows - 1) * step + words, to_count = rows * words;
  uint64_t *from = reference(from_count * sizeof(uint64_t));
  uint64_t *inverted = reference(words * sizeof(uint64_t));
  uint64_t *to = reference(to_count * sizeof(uint64_t));
  for (size_t w = 0; w < from_count; w++) from[w] = random_bits();
  for (size_t w = 0; w < words; w++) inverted[w] = random_bits();
  for (size_t w = 0; w < to_count; w++) to[w] = random_bits();
  EACH_SIDE(side) {
    begin_case(side, "pool of %zu rows of %zu words, %zu apart", rows, words, step);
    uint64_t *found = place_copy(to, to_count * sizeof(uint64_t), 8);
    kernel->pool(
      rows, words, place_copy(from, from_count * sizeof(uint64_t), 8), step,
      place_copy(inverted, words * sizeof(uint64_t), 8), found);
    for (size_t w = 0; w < to_count; w++) {
      const uint64_t a = from[w / words * step + w % words], b = to[w];
      const uint64_t expected = (inverted[w % words] & a & b) | (~inverted[w % words] & (a | b));
      if (found[w] != expected) fail("word %zu is wrong", w);
    }
    end_case();
  }
  free(from), free(inverted), free(to);
}

static void check_unpack(const bnn_bits *kernel, size_t rows, size_t channels) {
  const size_t row_words = (channels + 63) / 64;
  uint64_t *bits = reference(rows * row_words * sizeof(uint64_t));
  float *expected = reference(rows * channels * sizeof(float));
  for (size_t w = 0; w < rows * row_words; w++) bits[w] = random_bits();
  for (size_t m = 0; m < rows; m++)
    for (size_t c = 0; c < channels; c++)
      expected[m * channels + c] = bits[m * row_words + c / 64] >> c % 64 & 1 ? 1 : -1;
  EACH_SIDE(side) {
    begin_case(side, "unpacking of %zu rows of %zu channels", rows, channels);
    float *out = place(rows * channels * sizeof(float), 4);
    kernel->unpack(rows, channels, place_copy(bits, rows * row_words * sizeof(uint64_t), 8), out);
    expect_floats("out", out, expected, rows * channels);
    end_case();
  }
  free(bits), free(expected);
}

void check_bits(const bnn_bits *kernel) {
  EACH(size_t, pooled, 1, 2, 7, 8, 9, 33)
  for (size_t words = 1; words < 20; words++)
    for (size_t gap = 0; gap < 4; gap++) check_pool(kernel, *pooled, words, words + gap);
  EACH(size_t, rows, 1, 2, 5)
  EACH(size_t, channels, 1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 128, 129, 192, 200)
  check_unpack(kernel, *rows, *channels);
}

// Source and target have exactly the words that hold the bits.
void check_copy_bits(void) {
  enum { longest = 300 };
  for (int i = 0; i < 4000; i++) {
    const size_t count = random_below(longest), from_bit = random_below(130);
    const size_t to_bit = random_below(130);
    const size_t from_words = (from_bit + count + 63) / 64, to_words = (to_bit + count + 63) / 64;
    EACH_SIDE(side) {
      begin_case(side, "%zu bits from bit %zu to bit %zu", count, from_bit, to_bit);
      uint64_t *from = place(from_words * sizeof(uint64_t), 8);
      uint64_t *to = place(to_words * sizeof(uint64_t), 8);
      uint64_t before[(longest + 130) / 64 + 1];
      for (size_t w = 0; w < from_words; w++) from[w] = random_bits();
      for (size_t w = 0; w < to_words; w++) before[w] = to[w] = random_bits();
      bnn_copy_bits(to, to_bit, from, from_bit, count);
      for (size_t bit = 0; bit < to_words * 64; bit++) {
        const bool is_copied = bit >= to_bit && bit < to_bit + count;
        const size_t source = is_copied ? bit - to_bit + from_bit : bit;
        const uint64_t word = (is_copied ? from : before)[source / 64];
        if ((to[bit / 64] >> bit % 64 & 1) != (word >> source % 64 & 1))
          fail("bit %zu is wrong", bit);
      }
      end_case();
    }
  }
}
