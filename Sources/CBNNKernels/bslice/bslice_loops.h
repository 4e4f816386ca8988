// The loops of the family for BNN_TARGET, which the including file defines with the type `slice`
// of `slice_words` words, BNN_MAJORITY of three slices, and `slice_pair` with the functions `pair_of`,
// `add_two`, `add_four` and `write_word`; it ends with BNN_BSLICE_FUNCTIONS in its object.
#include <string.h>

#include "bnn_bslice.h"

#define BNN_INLINE BNN_TARGET static inline __attribute__((always_inline))
#define BNN_UNROLL _Pragma("clang loop unroll(full)")
#define BNN_EACH BNN_UNROLL for (size_t r = 0; r < n; r++)

// Vectors that are counted at once: they share weights. The bits of a block of inputs are added by
// a tree whose carry has weight 8, two of which give one of weight 16.
enum { most_bits = 32, together = 2, block_inputs = 8, carry_level = 4 };

// A number per bit lane. Of the carries that arrive at a level the first is its plane; then they
// are added in pairs, so that each takes half an adder.
typedef struct counter {
  slice planes[most_bits + 4][together], pending[most_bits + 4][together];
} counter;

// The carry is the `arrived`-th at its level. Every second one but the first carries on.
BNN_INLINE void add_carry(size_t n, counter *c, size_t level, size_t arrived, slice *carry) {
  for (; arrived > 2 && arrived % 2 == 1; level++, arrived /= 2)
    BNN_EACH carry[r] = add_two(&c->planes[level][r], pair_of(c->pending[level][r], carry[r]));
  slice *to = arrived == 1 ? c->planes[level] : c->pending[level];
  BNN_EACH to[r] = carry[r];
}

// The inputs of the vectors that are counted at once, from one of them on.
typedef struct input_cursor {
  const uint64_t *lines[together], *weights;
  const uint32_t *offsets;
} input_cursor;

BNN_INLINE void differ(size_t n, const input_cursor *from, size_t input, slice *bits) {
  slice own;
  memcpy(&own, from->weights + input * slice_words, sizeof own);
  const size_t offset = from->offsets[input];
  BNN_EACH {
    memcpy(&bits[r], from->lines[r] + offset, sizeof own);
    bits[r] ^= own;
  }
}

BNN_INLINE void advance(input_cursor *from, size_t inputs) {
  from->weights += inputs * slice_words;
  from->offsets += inputs;
}

// Two inputs. Of channels in pairs, the second has what differs from the first on both sides.
BNN_INLINE void load_two(
  size_t n, bool in_pairs, const input_cursor *from, size_t input, slice_pair *two) {
  slice first[together], second[together];
  differ(n, from, input, first);
  differ(n, from, input + 1, second);
  BNN_EACH two[r] =
    in_pairs ? (slice_pair){first[r], second[r]} : pair_of(first[r], second[r]);
}

// sum + four inputs = sum + 2 · (both carries).
BNN_INLINE void add_inputs(
  size_t n, bool in_pairs, const input_cursor *from, size_t input, slice *sum,
  slice_pair *carries) {
  slice_pair a[together], b[together];
  load_two(n, in_pairs, from, input, a);
  load_two(n, in_pairs, from, input + 2, b);
  BNN_EACH carries[r] = add_four(&sum[r], a[r], b[r]);
}

// Adds what is pending from the lowest level on, to which `arrived` carries came. Planes after the
// last become 0, up to a multiple of four.
BNN_INLINE void add_pending(size_t n, counter *c, size_t levels, size_t arrived) {
  for (size_t level = levels; level % 4 != 0; level++) BNN_EACH c->planes[level][r] = (slice)0;
  for (size_t level = carry_level; level < levels; level++, arrived /= 2) {
    if (arrived == 0) BNN_EACH c->planes[level][r] = (slice)0;
    // An odd number of carries has left half of those before the last one.
    if (arrived % 2 == 1) {
      arrived--;
      continue;
    }
    if (arrived == 0) continue;
    slice carry[together];
    BNN_EACH {
      carry[r] = c->planes[level][r] & c->pending[level][r];
      c->planes[level][r] ^= c->pending[level][r];
    }
    add_carry(n, c, level + 1, arrived / 2, carry);
  }
}

// Four pairs: ones + 2 · twos + 4 · fours + inputs = ones + 2 · twos + 4 · fours + 8 · carry.
BNN_INLINE void add_block(
  size_t n, bool in_pairs, const input_cursor *from, size_t input, slice *ones, slice *twos,
  slice *fours, slice *carry) {
  slice_pair low[together], high[together];
  add_inputs(n, in_pairs, from, input, ones, low);
  add_inputs(n, in_pairs, from, input + 4, ones, high);
  BNN_EACH carry[r] = add_two(&fours[r], add_four(&twos[r], low[r], high[r]));
}

// Mismatches in vectors `vector` and, where n is 2, the one `step` later. `count_bits` and `in_pairs`,
// which are those of the rows, may be constants.
BNN_INLINE void count_vectors(
  size_t n, const bnn_bslice_rows *rows, size_t count_bits, bool in_pairs,
  const uint64_t *weights, size_t step, size_t vector, counter *c) {
  slice ones[together], twos[together], fours[together], eights[together];
  BNN_EACH ones[r] = twos[r] = fours[r] = eights[r] = (slice)0;
  input_cursor from = {.weights = weights, .offsets = rows->offsets};
  BNN_EACH from.lines[r] = rows->lines + (vector + r * step) / rows->sharing * slice_words;
  size_t input = rows->inputs % 2;
  if (input == 1) {
    differ(n, &from, 0, ones);
    advance(&from, 1);
  }
  for (; input < rows->inputs % block_inputs; input += 2, advance(&from, 2)) {
    slice_pair two[together];
    load_two(n, in_pairs, &from, 0, two);
    BNN_EACH {
      const slice carry = add_two(&ones[r], two[r]), both = twos[r] & carry;
      twos[r] ^= carry;
      fours[r] ^= both;
    }
  }
  if (count_bits == carry_level || rows->inputs / block_inputs % 2 == 1) {
    add_block(n, in_pairs, &from, 0, ones, twos, fours, eights);
    input += block_inputs;
    advance(&from, block_inputs);
  }
  size_t carries = 0;
  for (; count_bits > carry_level && input < rows->inputs; input += 2 * block_inputs) {
    slice low[together], high[together];
    add_block(n, in_pairs, &from, 0, ones, twos, fours, low);
    add_block(n, in_pairs, &from, block_inputs, ones, twos, fours, high);
    advance(&from, 2 * block_inputs);
    BNN_EACH high[r] = add_two(&eights[r], pair_of(low[r], high[r]));
    add_carry(n, c, carry_level, ++carries, high);
  }
  BNN_EACH {
    c->planes[0][r] = ones[r];
    c->planes[1][r] = twos[r];
    c->planes[2][r] = fours[r];
    c->planes[3][r] = eights[r];
  }
  if (count_bits > carry_level) add_pending(n, c, count_bits, carries);
}

// Calls FINISH(r, vector) for all vectors, the mismatches of which are c.planes[…][r].
#define BNN_EACH_VECTOR(rows, count_bits, in_pairs, FINISH)                                   \
  const size_t vectors = ((rows)->words + slice_words - 1) / slice_words;                     \
  const size_t step = (rows)->period;                                                         \
  counter c;                                                                                  \
  for (size_t first = 0; first < vectors; first += together * step)                           \
    for (size_t v = first; v < first + step && v < vectors; v++) {                            \
      const uint64_t *weights = (rows)->weights + (v - first) * (rows)->inputs * slice_words; \
      if (v + step < vectors) {                                                               \
        count_vectors(together, rows, count_bits, in_pairs, weights, step, v, &c);            \
        FINISH(0, v);                                                                         \
        FINISH(1, v + step);                                                                  \
      } else {                                                                                \
        count_vectors(1, rows, count_bits, in_pairs, weights, step, v, &c);                   \
        FINISH(0, v);                                                                         \
      }                                                                                       \
    }

// mismatches ≤ upper bound bit by bit from the lowest: where they differ from the bound in a bit,
// its bit decides, which is a majority.
BNN_INLINE void test_vector(
  size_t count_bits, const counter *c, size_t r, const uint64_t *test, bool has_lower,
  uint64_t *out, size_t words) {
  slice inside = (slice)0 - 1, bound;
  const uint64_t *upper = test + slice_words;
  for (size_t b = 0; b < count_bits; b++) {
    memcpy(&bound, upper + b * slice_words, sizeof bound);
    const slice fewer = ~c->planes[b][r];
    inside = BNN_MAJORITY(fewer, bound, inside);
  }
  if (has_lower) {
    const uint64_t *lower = upper + count_bits * slice_words;
    slice above = (slice)0 - 1;
    for (size_t b = 0; b < count_bits; b++) {
      memcpy(&bound, lower + b * slice_words, sizeof bound);
      const slice more = c->planes[b][r];
      above = BNN_MAJORITY(more, bound, above);
    }
    inside &= above;
  }
  memcpy(&bound, test, sizeof bound);
  inside ^= bound;
  if (words >= slice_words)
    memcpy(out, &inside, sizeof inside);
  else
    memcpy(out, &inside, words * sizeof *out);
}

BNN_INLINE void test_vectors(
  const bnn_bslice_rows *rows, size_t count_bits, bool in_pairs, const bnn_bslice_tests *tests,
  uint64_t *out) {
  const size_t test_words = (1 + 2 * count_bits) * slice_words;
#define BNN_TEST_VECTOR(r, vector)                                                      \
  test_vector(                                                                          \
    count_bits, &c, r, tests->packed + tests->index[vector] * test_words,               \
    tests->has_lower, out + (vector) * slice_words, rows->words - (vector) * slice_words)
  BNN_EACH_VECTOR(rows, count_bits, in_pairs, BNN_TEST_VECTOR)
}

// Windows of 3 × 3 of single channels are counted in registers.
BNN_TARGET static void finish_bits(
  const bnn_bslice_rows *rows, const bnn_bslice_tests *tests, uint64_t *out) {
  if (rows->in_pairs)
    test_vectors(rows, rows->count_bits, true, tests, out);
  else if (rows->count_bits == carry_level)
    test_vectors(rows, carry_level, false, tests, out);
  else
    test_vectors(rows, rows->count_bits, false, tests, out);
}

BNN_INLINE void write_vector(
  const bnn_bslice_rows *rows, size_t count_bits, const counter *c, size_t r, size_t vector,
  size_t lane_words, size_t outputs, const int32_t *const *bases, int32_t *out) {
  size_t word = vector * slice_words, position = word / lane_words;
  size_t block = word % lane_words;
  for (size_t i = 0; i < slice_words && word < rows->words; i++, word++) {
    const size_t first = 64 * block, left = outputs - first;
    write_word(
      (const uint64_t *)&c->planes[0][r] + i, together * slice_words, count_bits,
      left < 64 ? left : 64, bases[position] + first, out + position * outputs + first);
    if (++block == lane_words) {
      block = 0;
      position++;
    }
  }
}

BNN_INLINE void write_vectors(
  const bnn_bslice_rows *rows, size_t count_bits, bool in_pairs, size_t lane_words,
  size_t outputs, const int32_t *const *bases, int32_t *out) {
#define BNN_WRITE_VECTOR(r, vector) \
  write_vector(rows, count_bits, &c, r, vector, lane_words, outputs, bases, out)
  BNN_EACH_VECTOR(rows, count_bits, in_pairs, BNN_WRITE_VECTOR)
}

BNN_TARGET static void finish_integers(
  const bnn_bslice_rows *rows, size_t lane_words, size_t outputs, const int32_t *const *bases,
  int32_t *out) {
  if (rows->in_pairs)
    write_vectors(rows, rows->count_bits, true, lane_words, outputs, bases, out);
  else if (rows->count_bits == carry_level)
    write_vectors(rows, carry_level, false, lane_words, outputs, bases, out);
  else
    write_vectors(rows, rows->count_bits, false, lane_words, outputs, bases, out);
}

// The lowest bit of each field, moved there from `plane`, times a field of ones.
BNN_TARGET static void spread(
  const uint64_t *restrict source, size_t words, size_t field, size_t count, bool in_pairs,
  uint64_t *restrict planes, size_t plane_words) {
  const uint64_t lowest = field == 64 ? 1 : ~(uint64_t)0 / (((uint64_t)1 << field) - 1);
  for (size_t plane = 0; plane < count; plane++, planes += plane_words) {
    // What differs from the bit below it is kept of every second one.
    const uint64_t below = in_pairs && plane % 2 == 1 ? ~(uint64_t)0 : 0;
    for (size_t w = 0; w < words; w++) {
      const uint64_t bits = (source[w] ^ (source[w] << 1 & below)) >> plane & lowest;
      planes[w] = (field == 64 ? 0 : bits << (field % 64)) - bits;
    }
  }
}

#define BNN_BSLICE_FUNCTIONS \
  .vector_words = slice_words, .spread = spread, .bits = finish_bits, .integers = finish_integers
