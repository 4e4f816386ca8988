#include "checks.h"

typedef struct group_case {
  bnn_group_shape shape;
  size_t rows, row_step, out_stride;
} group_case;

static size_t outputs_of(const bnn_group_shape *s) { return s->groups * s->outputs_per_group; }
static size_t row_words(const bnn_group_shape *s) { return (s->taps * s->bits_per_tap + 63) / 64; }

static int bit_at(const uint32_t *bits, size_t index) { return bits[index / 32] >> index % 32 & 1; }

static int32_t accumulator(
  const group_case *c, const uint32_t *row, const uint32_t *offsets, const uint64_t *weights,
  size_t output, int32_t base) {
  const bnn_group_shape *s = &c->shape;
  const size_t first = output / s->outputs_per_group * s->bits_per_tap;
  for (size_t tap = 0; tap < s->taps; tap++)
    for (size_t bit = 0; bit < s->bits_per_tap; bit++) {
      const size_t index = tap * s->bits_per_tap + bit;
      const int weight = weights[output * row_words(s) + index / 64] >> index % 64 & 1;
      if (bit_at(row + offsets[tap], first + bit) != weight) base -= 2;
    }
  return base;
}

static void check_case(const bnn_bgroup *kernel, group_case c) {
  const bnn_group_shape *s = &c.shape;
  const size_t outputs = outputs_of(s), pixel_halves = 2 * s->pixel_words;
  const size_t halves = (c.rows - 1) * c.row_step + s->taps * pixel_halves;
  const size_t weight_words = outputs * row_words(s);
  const size_t out_count = (c.rows - 1) * c.out_stride + outputs;
  uint32_t *bits = reference(halves * sizeof *bits);
  uint32_t *offsets = reference(s->taps * sizeof *offsets);
  uint64_t *weights = reference(weight_words * sizeof *weights);
  int32_t *bases = reference(outputs * sizeof *bases);
  int32_t *expected = reference(out_count * sizeof *expected);
  for (size_t i = 0; i < halves; i++) bits[i] = (uint32_t)random_bits();
  // Taps from the last to the first.
  for (size_t t = 0; t < s->taps; t++) offsets[t] = (uint32_t)((s->taps - 1 - t) * pixel_halves);
  for (size_t i = 0; i < weight_words; i++) weights[i] = random_bits();
  for (size_t i = 0; i < outputs; i++) bases[i] = (int32_t)random_between(-999, 999);
  for (size_t m = 0; m < c.rows; m++)
    for (size_t o = 0; o < outputs; o++)
      expected[m * c.out_stride + o] =
        accumulator(&c, bits + m * c.row_step, offsets, weights, o, bases[o]);
  EACH_SIDE(side) {
    begin_case(
      side, "%zu rows, %zu taps, %zu groups of %zu bits and %zu outputs", c.rows, s->taps,
      s->groups, s->bits_per_tap, s->outputs_per_group);
    const uint32_t *own_bits = place_copy(bits, halves * sizeof *bits, 8);
    const int32_t *own_bases = place_copy(bases, outputs * sizeof *bases, 4);
    const uint32_t **rows = place(c.rows * sizeof *rows, sizeof *rows);
    const int32_t **row_bases = place(c.rows * sizeof *row_bases, sizeof *row_bases);
    for (size_t m = 0; m < c.rows; m++) {
      rows[m] = own_bits + m * c.row_step;
      row_bases[m] = own_bases;
    }
    const bnn_tap_rows source = {
      .count = c.rows,
      .rows = rows,
      .tap_offsets = place_copy(offsets, s->taps * sizeof *offsets, 4),
    };
    void *packed = place(bnn_bgroup_weight_bytes(s), 64);
    bnn_bgroup_pack_weights(
      s, place_copy(weights, weight_words * sizeof *weights, 8), row_words(s), packed);
    int32_t *out = place(out_count * sizeof *out, 4);
    kernel->multiply(
      s, &source, packed, place(bnn_bgroup_scratch_bytes(s), 64), row_bases, out, c.out_stride);
    expect_bytes("out", out, expected, out_count * sizeof *out);
    end_case();
  }
  free(bits), free(offsets), free(weights), free(bases), free(expected);
}

void check_bgroup(const bnn_bgroup *kernel) {
  EACH(size_t, bits, 1, 2, 4, 8, 16, 32)
  EACH(size_t, outputs, 1, 2, 3, 8, 15, 16, 17, 33)
  EACH(size_t, taps, 1, 2, 3, 4, 5, 9)
  EACH(size_t, groups, 2, 3, 7, 16, 65) {
    const bnn_group_shape shape = {
      .taps = *taps,
      .groups = *groups,
      .bits_per_tap = *bits,
      .outputs_per_group = *outputs,
      .pixel_words = (*groups * *bits + 63) / 64,
    };
    if (!bnn_bgroup_fits(kernel, &shape)) continue;
    const size_t step = 2 * shape.pixel_words * (1 + random_below(2));
    const group_case c = {
      shape, 1 + random_below(6), step, outputs_of(&shape) + random_below(3)};
    check_case(kernel, c);
  }
}
