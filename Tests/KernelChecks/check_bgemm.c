#include "checks.h"

// Words hold fields of some bits, each for as many outputs.
typedef struct shape {
  size_t rows, outputs, halves, row_step, out_stride, field;
} shape;

// The operands of one case, in plain memory.
typedef struct operands {
  uint32_t *bits, *offsets;
  uint64_t *weights;
  int32_t *bases, *out, *out_of_second;
} operands;

// The halves of a second group are this or less further on.
enum { most_apart = 2 };

static size_t bit_count(shape s) { return (s.rows - 1) * s.row_step + s.halves; }
static size_t words(shape s) { return (s.halves + 1) / 2; }
static bool is_shuffled(shape s) { return s.rows % 2 == 1 && s.rows != 9; }
static size_t out_count(shape s) { return (s.rows - 1) * s.out_stride + s.outputs; }

// Where `is_opposite`, every bit is a mismatch, so that counters reach their limits.
static operands make_operands(shape s, bool is_opposite) {
  const operands x = {
    .bits = reference((bit_count(s) + most_apart) * sizeof(uint32_t)),
    .offsets = reference(s.halves * sizeof(uint32_t)),
    .weights = reference(s.outputs * words(s) * sizeof(uint64_t)),
    .bases = reference(s.rows * s.outputs * sizeof(int32_t)),
    .out = reference(out_count(s) * sizeof(int32_t)),
    .out_of_second = reference(out_count(s) * sizeof(int32_t)),
  };
  for (size_t i = 0; i < bit_count(s) + most_apart; i++)
    x.bits[i] = is_opposite ? 0 : (uint32_t)random_bits();
  // Halves in their order, in runs of five of which the last comes first, or in any order.
  for (size_t i = 0; i < s.halves; i++) {
    const size_t end = i / 5 * 5 + 5, first = end < s.halves ? s.halves - end : 0;
    x.offsets[i] = (uint32_t)(s.rows == 9 ? first + i % 5 : i);
  }
  for (size_t i = s.halves - 1; i > 0 && is_shuffled(s); i--) {
    const size_t other = random_below(i + 1);
    const uint32_t offset = x.offsets[i];
    x.offsets[i] = x.offsets[other];
    x.offsets[other] = offset;
  }
  for (size_t i = 0; i < s.outputs * words(s); i++) {
    const bool is_half = s.halves % 2 == 1 && i % words(s) == words(s) - 1;
    x.weights[i] = (is_opposite ? ~(uint64_t)0 : random_bits()) & (is_half ? UINT32_MAX : ~0ull);
  }
  for (size_t i = 0; i < s.rows * s.outputs; i++) x.bases[i] = (int32_t)random_between(-9999, 9999);
  return x;
}

// The bits of a word that count for an output.
static uint64_t own_bits(shape s, size_t output) {
  return s.field == 64 ? ~0ull : ((1ull << s.field) - 1) << output % 64 / s.field * s.field;
}

static void multiply(shape s, operands x, const uint32_t *bits, int32_t *out) {
  for (size_t m = 0; m < s.rows; m++)
    for (size_t o = 0; o < s.outputs; o++) {
      int32_t mismatches = 0;
      for (size_t h = 0; h < s.halves; h++) {
        const uint64_t word = x.weights[o * words(s) + h / 2];
        const uint32_t weight = (uint32_t)(word >> 32 * (h % 2));
        const uint32_t own = (uint32_t)(own_bits(s, o) >> 32 * (h % 2));
        mismatches += __builtin_popcount((bits[m * s.row_step + x.offsets[h]] ^ weight) & own);
      }
      out[m * s.out_stride + o] = x.bases[m * s.outputs + o] - 2 * mismatches;
    }
}

// The product of a group, or the products of two whose rows are arranged together.
static void run(const bnn_bgemm *kernel, shape s, operands x, size_t groups) {
  const size_t halves = bit_count(s) + (groups - 1) * kernel->halves_apart;
  const uint32_t *bits = place_copy(x.bits, halves * sizeof(uint32_t), 4);
  const int32_t *bases = place_copy(x.bases, s.rows * s.outputs * sizeof(int32_t), 4);
  const uint32_t **rows = place(s.rows * sizeof *rows, sizeof *rows);
  const int32_t **row_bases = place(s.rows * sizeof *row_bases, sizeof *row_bases);
  for (size_t m = 0; m < s.rows; m++) {
    rows[m] = bits + m * s.row_step;
    row_bases[m] = bases + m * s.outputs;
  }
  const bnn_bit_rows source = {
    .count = s.rows,
    .halves = s.halves,
    .rows = rows,
    .offsets = place_copy(x.offsets, s.halves * sizeof(uint32_t), 4),
  };
  const uint64_t *weights = place_copy(x.weights, s.outputs * words(s) * sizeof(uint64_t), 8);
  void *packed = place(kernel->weight_bytes(s.outputs, words(s)), 64);
  const size_t arranged_bytes = kernel->arrange ? kernel->arranged_bytes(s.rows, words(s)) : 0;
  char *arranged = kernel->arrange ? place(groups * arranged_bytes, 64) : NULL;
  int32_t *out = place(out_count(s) * sizeof(int32_t), 4);
  kernel->pack_weights(s.outputs, words(s), weights, packed);
  if (groups == 2) {
    kernel->arrange_two(&source, arranged);
  } else if (kernel->arrange) {
    kernel->arrange(&source, arranged);
  }
  // What is asked for is not read: it may lie anywhere.
  const void *next = (const char *)packed + kernel->weight_bytes(s.outputs, words(s));
  for (size_t group = 0; group < groups; group++, arranged += arranged_bytes) {
    kernel->multiply(&source, arranged, s.outputs, packed, next, row_bases, out, s.out_stride);
    expect_bytes(
      "out", out, group == 0 ? x.out : x.out_of_second, out_count(s) * sizeof(int32_t));
  }
}

// Planes of the product of a group are what is subtracted from the bases.
static void run_count(const bnn_bgemm *kernel, shape s, operands x) {
  const uint32_t *bits = place_copy(x.bits, bit_count(s) * sizeof(uint32_t), 4);
  const uint32_t **rows = place(s.rows * sizeof *rows, sizeof *rows);
  for (size_t m = 0; m < s.rows; m++) rows[m] = bits + m * s.row_step;
  const uint32_t *offsets = place_copy(x.offsets, s.halves * sizeof(uint32_t), 4);
  const bnn_bit_rows source = {s.rows, s.halves, rows, offsets};
  void *packed = place(kernel->weight_bytes(s.outputs, words(s)), 64);
  void *arranged = place(kernel->arranged_bytes(s.rows, words(s)), 64);
  const size_t blocks = (s.outputs + 63) / 64;
  bnn_planes *planes = place((s.rows + 7) / 8 * blocks * sizeof *planes, 64);
  int32_t *out = place(out_count(s) * sizeof(int32_t), 4);
  kernel->pack_weights(s.outputs, words(s), x.weights, packed);
  kernel->arrange(&source, arranged);
  kernel->count(&source, arranged, s.outputs, packed, NULL, planes);
  memcpy(out, x.out, out_count(s) * sizeof(int32_t));
  for (size_t m = 0; m < s.rows; m++)
    for (size_t o = 0; o < s.outputs; o++) {
      const bnn_planes *own = planes + m / 8 * blocks + o / 64;
      int32_t twice = 0;
      for (int plane = 0; plane < 16; plane++)
        twice |= (int32_t)(own->words[plane][m % 8] >> (o % 8 * 8 + o % 64 / 8) & 1) << plane;
      out[m * s.out_stride + o] = x.bases[m * s.outputs + o] - twice;
    }
  expect_bytes("planes", out, x.out, out_count(s) * sizeof(int32_t));
}

static void check_shape(const bnn_bgemm *kernel, shape s, bool is_opposite) {
  const operands x = make_operands(s, is_opposite);
  multiply(s, x, x.bits, x.out);
  multiply(s, x, x.bits + kernel->halves_apart, x.out_of_second);
  EACH_SIDE(side) {
    begin_case(
      side, "%zu rows, %zu outputs, %zu halves, fields of %zu bits%s", s.rows, s.outputs, s.halves,
      s.field, is_opposite ? ", all mismatches" : "");
    run(kernel, s, x, 1);
    if (kernel->arrange_two) run(kernel, s, x, 2);
    if (kernel->count && words(s) <= kernel->most_counted_words) run_count(kernel, s, x);
    end_case();
  }
  free(x.bits), free(x.offsets), free(x.weights), free(x.bases), free(x.out);
  free(x.out_of_second);
}

static void check_shapes(const bnn_bgemm *kernel, size_t rows, size_t outputs, size_t halves) {
  const size_t step = halves + random_below(3), stride = outputs + random_below(3);
  const shape s = {rows, outputs, halves, step, stride, 64};
  check_shape(kernel, s, rows == 3 || halves > 120);
  if (rows <= 4) check_shape(kernel, s, false);
  // Rows that see the same words, as those of neighboring windows do.
  if (rows > 7) check_shape(kernel, (shape){rows, outputs, halves, 2, stride, 64}, false);
  if (kernel->of_two_groups && outputs % 64 == 0 && halves % 2 == 0) {
    const shape grouped = {rows, outputs, halves, step, stride, 32};
    check_shape(kernel->of_two_groups, grouped, rows == 3);
    check_shape(kernel->of_two_groups, grouped, false);
  }
}

void check_bgemm(const bnn_bgemm *kernel) {
  // Around the tiles of all kernels and the chunks after which they empty their counters.
  EACH(size_t, rows, 1, 2, 3, 4, 5, 7, 8, 9, 17)
  EACH(size_t, outputs, 1, 3, 4, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 129)
  EACH(
    size_t, halves, 1, 2, 3, 4, 5, 6, 8, 10, 18, 30, 31, 32, 61, 62, 63, 64, 123, 124, 125, 126,
    250, 507, 508, 509, 512)
  check_shapes(kernel, *rows, *outputs, *halves);
}
