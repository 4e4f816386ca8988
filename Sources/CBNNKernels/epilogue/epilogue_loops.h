// The loops of the epilogue kernels for BNN_TARGET and `rows_at_once` rows, which the including file
// defines; it ends with BNN_EPILOGUE_FUNCTIONS in its object.
#include "../channel_blocks.h"
#include "../unindexed.h"
#include "bnn_epilogue.h"
#include "mask_bits.h"

// Compilers fuse a · b + c on their own wherever the target has the instruction.
#pragma clang fp contract(off)

// What runs on some rows. Rows of `x` have the given channels, all others have all.
typedef struct job {
  bnn_channel_range channels;
  // Of the rows from `first_row` on.
  const char *x;
  size_t x_step, first_row;
  const bnn_epilogue_step *steps;
  size_t count;
  float *values;
  size_t values_step;
  const bnn_epilogue_test *test;
  uint64_t *bits;
} job;

// Vectors of the same channels of several rows go through a step together, so that what it needs
// of the channels is read once. `rest` is 0 for a whole vector, else the lanes that are there.
typedef struct part {
  size_t row, channel, rest;
} part;

#define BNN_EACH_ROW BNN_UNROLL for (size_t m = 0; m < rows; m++)

// Rows of memory. Each address is a register and a few steps, so that up to eight take no additions.
typedef struct row_addresses {
  const char *first, *fifth;
  size_t step, three_steps;
} row_addresses;

BNN_INLINE row_addresses rows_from(const void *first, size_t step) {
  row_addresses rows = {first, (const char *)first + 4 * step, step, 3 * step};
  BNN_UNINDEXED(rows.fifth);
  BNN_UNINDEXED(rows.three_steps);
  return rows;
}

BNN_INLINE const char *row_at(row_addresses rows, size_t m) {
  const char *from = m < 4 ? rows.first : rows.fifth;
  return from + (m % 4 == 3 ? rows.three_steps : m % 4 * rows.step);
}

// Up to the channel after the last, parameters are padded.
#define BNN_LOAD_CHANNELS(vector, from) memcpy(&(vector), (from), sizeof(vector))

BNN_INLINE const char *first_row(const job *job, part p) {
  const size_t row = p.row - job->first_row, channel = p.channel - job->channels.first;
  return job->x + (row * job->x_step + channel) * 4;
}

// The bits of each row from masks whose lanes are all ones where a number is inside.
BNN_INLINE void store_bits(
  size_t rows, part p, const job *job, const integers16 inside[rows_at_once]) {
  const size_t step = (job->channels.all + block - 1) / block * sizeof(uint64_t);
  const row_addresses to = rows_from((char *)job->bits + p.row * step + p.channel / 8, step);
  uint16_t outside_is_plus;
  memcpy(
    &outside_is_plus, (const char *)job->test->outside_is_plus + p.channel / 8,
    sizeof outside_is_plus);
  BNN_EACH_ROW {
    uint16_t bits = bits_of_mask(&inside[m]);
    if (p.rest != 0) bits &= (uint16_t)((1u << p.rest) - 1);
    bits ^= outside_is_plus;
    memcpy((char *)row_at(to, m), &bits, sizeof bits);
  }
}

BNN_INLINE void apply_affine(
  const bnn_epilogue_step *step, size_t rows, part p, floats16 v[rows_at_once]) {
  floats16 scale, bias;
  BNN_LOAD_CHANNELS(scale, step->a + p.channel);
  BNN_LOAD_CHANNELS(bias, step->b + p.channel);
  BNN_EACH_ROW {
    v[m] = v[m] * scale;
    v[m] = v[m] + bias;
  }
}

// Adds the operand, or multiplies with it.
BNN_INLINE void apply_operand(
  bool adds, const bnn_epilogue_step *step, size_t rows, part p, floats16 v[rows_at_once]) {
  const row_addresses from =
    rows_from(step->a + p.row * step->stride + p.channel, step->stride * sizeof(float));
  BNN_EACH_ROW {
    floats16 operand;
    load(&operand, row_at(from, m), (span){1, p.rest}, 0);
    v[m] = adds ? v[m] + operand : v[m] * operand;
  }
}

BNN_INLINE void apply(
  const bnn_epilogue_step *step, size_t rows, part p, floats16 v[rows_at_once]) {
  switch (step->kind) {
    case BNN_EPILOGUE_AFFINE: apply_affine(step, rows, p, v); break;
    case BNN_EPILOGUE_SLOPES: {
      floats16 positive, negative;
      BNN_LOAD_CHANNELS(positive, step->a + p.channel);
      BNN_LOAD_CHANNELS(negative, step->b + p.channel);
      BNN_EACH_ROW v[m] = v[m] * (v[m] < 0 ? negative : positive);
      break;
    }
    case BNN_EPILOGUE_CLAMP: {
      const floats16 lower = step->lower, upper = step->upper;
      BNN_EACH_ROW {
        const floats16 raised = ((v[m] > lower) | (v[m] != v[m])) ? v[m] : lower;
        v[m] = ((raised < upper) | (raised != raised)) ? raised : upper;
      }
      break;
    }
    case BNN_EPILOGUE_RELU: {
      const floats16 zero = 0;
      BNN_EACH_ROW v[m] = v[m] <= 0 ? zero : v[m];
      break;
    }
    case BNN_EPILOGUE_ADD: apply_operand(true, step, rows, p, v); break;
    case BNN_EPILOGUE_MULTIPLY: apply_operand(false, step, rows, p, v); break;
    case BNN_EPILOGUE_ADD_SCALAR:
    case BNN_EPILOGUE_MULTIPLY_SCALAR: {
      const float *from = step->a + p.row * step->stride;
      BNN_EACH_ROW {
        v[m] = step->kind == BNN_EPILOGUE_ADD_SCALAR ? v[m] + *from : v[m] * *from;
        from += step->stride;
      }
      break;
    }
  }
}

// What epilogues mostly begin with goes without a look at the kinds of steps for every vector.
typedef struct beginning {
  bool is_affine, then_adds;
} beginning;

BNN_INLINE beginning beginning_of(const job *job) {
  const bnn_epilogue_step *step = job->steps, *end = step + job->count;
  const bool is_affine = step < end && step->kind == BNN_EPILOGUE_AFFINE;
  step += is_affine;
  return (beginning){is_affine, step < end && step->kind == BNN_EPILOGUE_ADD};
}

// The bits of a block of channels of each row before those outside of the bounds are turned around.
typedef uint16_t block_bits[rows_at_once][block / lanes];

// Stores what was found of a block of the channels of each row; channels that do not exist are outside.
BNN_INLINE void store_words(const block_bits found, part p, const job *job) {
  uint64_t words[rows_at_once];
  memcpy(words, found, sizeof words);
  const size_t step = (job->channels.all + block - 1) / block, index = p.channel / block;
  const uint64_t plus = job->test->outside_is_plus[index];
  const row_addresses to = rows_from(job->bits + p.row * step + index, step * sizeof(uint64_t));
  BNN_UNROLL for (size_t m = 0; m < rows_at_once; m++) *(uint64_t *)row_at(to, m) = words[m] ^ plus;
}

// The steps on vectors of rows, and what is stored of them: bits to `found` unless it is null.
BNN_INLINE void finish_vectors(
  size_t rows, part p, const job *job, beginning begins, floats16 v[rows_at_once],
  block_bits found) {
  const bnn_epilogue_step *step = job->steps, *end = step + job->count;
  if (begins.is_affine) apply_affine(step++, rows, p, v);
  if (begins.then_adds) apply_operand(true, step++, rows, p, v);
  for (; step < end; step++) apply(step, rows, p, v);
  if (job->values) {
    const row_addresses to = rows_from(
      job->values + p.row * job->values_step + p.channel, job->values_step * sizeof(float));
    BNN_EACH_ROW store((char *)row_at(to, m), &v[m], (span){1, p.rest}, 0);
  }
  if (job->bits) {
    floats16 lower, upper;
    BNN_LOAD_CHANNELS(lower, (const float *)job->test->lower + p.channel);
    BNN_LOAD_CHANNELS(upper, (const float *)job->test->upper + p.channel);
    integers16 inside[rows_at_once];
    const floats16 infinite = __builtin_inff();
    const integers16 is_open = upper == infinite;
    if (bits_of_mask(&is_open) == 0xffff) {
      BNN_EACH_ROW inside[m] = v[m] >= lower;
    } else {
      BNN_EACH_ROW inside[m] = (v[m] >= lower) & (v[m] <= upper);
    }
    if (found) {
      BNN_EACH_ROW found[m][p.channel / lanes % (block / lanes)] = bits_of_mask(&inside[m]);
    } else {
      store_bits(rows, p, job, inside);
    }
  }
}

BNN_INLINE void finish_part(
  bool is_integer, size_t rows, part p, const job *job, beginning begins) {
  floats16 v[rows_at_once];
  const row_addresses from = rows_from(first_row(job, p), job->x_step * 4);
  BNN_EACH_ROW {
    if (is_integer) {
      integers16 whole;
      load(&whole, row_at(from, m), (span){1, p.rest}, 0);
      v[m] = __builtin_convertvector(whole, floats16);
    } else {
      load(&v[m], row_at(from, m), (span){1, p.rest}, 0);
    }
  }
  finish_vectors(rows, p, job, begins, v, NULL);
}

BNN_INLINE void test_part(size_t rows, part p, const job *job) {
  integers16 lower, upper;
  BNN_LOAD_CHANNELS(lower, (const int32_t *)job->test->lower + p.channel);
  BNN_LOAD_CHANNELS(upper, (const int32_t *)job->test->upper + p.channel);
  integers16 inside[rows_at_once];
  const row_addresses from = rows_from(first_row(job, p), job->x_step * 4);
  BNN_EACH_ROW {
    integers16 x;
    load(&x, row_at(from, m), (span){1, p.rest}, 0);
    inside[m] = (x >= lower) & (x <= upper);
  }
  store_bits(rows, p, job, inside);
}

// The bits that no vector holds after the last channel, where it does not end a word.
BNN_INLINE void clear_after_last(const job *job, size_t end) {
  const bnn_channel_range channels = job->channels;
  if (!job->bits || channels.first + channels.count < channels.all) return;
  const size_t words = (channels.all + block - 1) / block;
  const uint16_t none = 0;
  for (size_t row = job->first_row; row < end; row++)
    for (size_t c = (channels.all + lanes - 1) / lanes * lanes; c < words * block; c += lanes)
      memcpy((char *)(job->bits + row * words) + c / 8, &none, sizeof none);
}

// Calls PART(rows, part) for all parts of the rows up to `end`, with constant numbers of rows.
#define BNN_EACH_PART(PART)                                                               \
  const size_t first = job->channels.first, last = first + job->channels.count;           \
  for (size_t row = job->first_row; row < end;) {                                         \
    const bool is_whole = end - row >= rows_at_once;                                      \
    for (size_t c = first; c < last; c += lanes) {                                        \
      const size_t left = last - c;                                                       \
      if (is_whole && left >= lanes) {                                                    \
        PART(rows_at_once, ((part){row, c, 0}));                                          \
      } else if (is_whole) {                                                              \
        PART(rows_at_once, ((part){row, c, left}));                                       \
      } else if (left >= lanes) {                                                         \
        PART(1, ((part){row, c, 0}));                                                     \
      } else {                                                                            \
        PART(1, ((part){row, c, left}));                                                  \
      }                                                                                   \
    }                                                                                     \
    row += is_whole ? rows_at_once : 1;                                                   \
  }

// Finishes the rows up to `end`.
BNN_INLINE void finish(bool is_integer, size_t end, const job *job) {
  clear_after_last(job, end);
  const beginning begins = beginning_of(job);
#define BNN_FINISH_PART(count, p) finish_part(is_integer, count, p, job, begins)
  BNN_EACH_PART(BNN_FINISH_PART)
}

// Tests the numbers of channels of one word, with the bounds in registers.
BNN_INLINE void test_word(
  bool is_open, span s, size_t channel, const char *x, size_t end, const job *job) {
  floats16 lower[block / lanes], upper[block / lanes];
  BNN_EACH_VECTOR {
    const size_t c = channel + i * lanes;
    BNN_LOAD_CHANNELS(lower[i], (const float *)job->test->lower + c);
    BNN_LOAD_CHANNELS(upper[i], (const float *)job->test->upper + c);
  }
  // The bytes of the vectors, of which the last one may not be full.
  const size_t bytes = s.vectors * sizeof(uint16_t);
  uint64_t outside_is_plus = 0;
  memcpy(&outside_is_plus, (const char *)job->test->outside_is_plus + channel / 8, bytes);
  const uint64_t last = s.rest == 0 ? UINT64_MAX : ((uint64_t)1 << s.rest) - 1;
  const uint64_t used = s.rest == 0 ? last : ~(~last << (s.vectors - 1) * lanes);
  const size_t step = (job->channels.all + block - 1) / block * sizeof(uint64_t);
  char *to = (char *)job->bits + channel / 8;
  for (size_t row = 0; row < end; row++, x += job->x_step * 4, to += step) {
    uint64_t bits = 0;
    BNN_EACH_VECTOR {
      floats16 v;
      load(&v, x, s, i);
      integers16 inside = v >= lower[i];
      if (!is_open) inside &= v <= upper[i];
      bits |= (uint64_t)bits_of_mask(&inside) << i * lanes;
    }
    bits = (bits & used) ^ outside_is_plus;
    memcpy(to, &bits, bytes);
  }
}

// Tests numbers as they are.
BNN_INLINE void test_numbers(size_t end, const job *job) {
  clear_after_last(job, end);
  const size_t first = job->channels.first, last = first + job->channels.count;
  for (size_t c = first; c < last;) {
    const size_t room = block - c % block, left = last - c < room ? last - c : room;
    const char *x = job->x + (c - first) * 4;
    bool is_open = true;
    for (size_t i = c; i < c + left; i++)
      is_open &= ((const float *)job->test->upper)[i] == __builtin_inff();
#define BNN_TEST_OPEN_WORD(s) test_word(true, s, c, x, end, job)
#define BNN_TEST_WORD(s) test_word(false, s, c, x, end, job)
    if (is_open) {
      BNN_WITH_SPAN(left, BNN_TEST_OPEN_WORD)
    } else {
      BNN_WITH_SPAN(left, BNN_TEST_WORD)
    }
    c += left;
  }
}

BNN_TARGET static void finish_floats(
  size_t rows, bnn_channel_range channels, const float *x, size_t x_step,
  const bnn_epilogue_step *steps, size_t count, float *values, size_t values_step,
  const bnn_epilogue_test *test, uint64_t *bits) {
  const job some = {
    .channels = channels, .x = (const char *)x, .x_step = x_step, .steps = steps, .count = count,
    .values = values, .values_step = values_step, .test = test, .bits = bits};
  if (count == 0 && !values)
    test_numbers(rows, &some);
  else
    finish(false, rows, &some);
}

BNN_TARGET static void finish_integers(
  size_t rows, bnn_channel_range channels, const int32_t *x, const bnn_epilogue_step *steps,
  size_t count, float *values, size_t values_step, const bnn_epilogue_test *test,
  uint64_t *bits) {
  const job some = {
    .channels = channels, .x = (const char *)x, .x_step = channels.count, .steps = steps,
    .count = count, .values = values, .values_step = values_step, .test = test, .bits = bits};
  finish(true, rows, &some);
}

BNN_TARGET static void test_accumulators(
  size_t end, bnn_channel_range channels, const int32_t *x, const bnn_epilogue_test *test,
  uint64_t *bits) {
  const job tested = {
    .channels = channels, .x = (const char *)x, .x_step = channels.count, .test = test,
    .bits = bits};
  const job *job = &tested;
  clear_after_last(job, end);
#define BNN_TEST_PART(count, p) test_part(count, p, job)
  BNN_EACH_PART(BNN_TEST_PART)
}

#define BNN_EPILOGUE_FUNCTIONS \
  .floats = finish_floats, .integers = finish_integers, .accumulators = test_accumulators
