#include "checks.h"

// One convolution in plain memory.
typedef struct task {
  bnn_bslice_shape shape;
  bnn_bslice_plan plan;
  size_t images, outputs, positions, taps, row_words;
  uint64_t *input, *weights;
  // Per output position and output.
  int32_t *bases, *expected;
  uint32_t *mismatches;
} task;

static bool bit_at(const uint64_t *bits, size_t index) {
  return bits[index / 64] >> index % 64 & 1;
}

static size_t product3(const int64_t *extents) {
  return (size_t)(extents[0] * extents[1] * extents[2]);
}

// The input bit of a channel that tap `tap` of an output position sees.
static bool input_bit(const task *t, size_t position, size_t tap, size_t channel) {
  const bnn_window *w = &t->shape.window;
  int64_t rest = (int64_t)position, at[3];
  int64_t taps = (int64_t)tap;
  for (int axis = 2; axis >= 0; axis--) {
    at[axis] = rest % w->output[axis] * w->stride[axis] - w->pad[axis]
      + taps % w->kernel[axis] * w->dilation[axis];
    rest /= w->output[axis];
    taps /= w->kernel[axis];
  }
  int64_t pixel = rest;
  for (int axis = 0; axis < 3; axis++) {
    if (at[axis] < 0 || at[axis] >= w->input[axis]) return t->shape.outside_is_plus;
    pixel = pixel * w->input[axis] + at[axis];
  }
  return bit_at(t->input + (size_t)pixel * t->plan.pixel_words, channel);
}

static void compute(task *t) {
  const size_t bits = t->shape.bits_per_tap;
  for (size_t p = 0; p < t->positions; p++)
    for (size_t o = 0; o < t->outputs; o++) {
      uint32_t count = 0;
      for (size_t i = 0; i < t->taps * bits; i++) {
        const size_t channel = o / t->shape.outputs_per_group * bits + i % bits;
        count +=
          input_bit(t, p, i / bits, channel) != bit_at(t->weights + o * t->row_words, i);
      }
      t->mismatches[p * t->outputs + o] = count;
      t->expected[p * t->outputs + o] = t->bases[p * t->outputs + o] - 2 * (int32_t)count;
    }
}

static task make_task(const bnn_bslice *kernel, bnn_bslice_shape shape) {
  task t = {.shape = shape, .plan = bnn_bslice_make_plan(kernel, &shape)};
  t.images = 1 + random_below(2);
  t.outputs = shape.groups * shape.outputs_per_group;
  t.positions = t.images * product3(shape.window.output);
  t.taps = product3(shape.window.kernel);
  t.row_words = (t.taps * shape.bits_per_tap + 63) / 64;
  const size_t pixels = t.images * product3(shape.window.input);
  t.input = reference(pixels * t.plan.pixel_words * sizeof(uint64_t));
  for (size_t i = 0; i < pixels * t.plan.pixel_words; i++) t.input[i] = random_bits();
  t.weights = reference(t.outputs * t.row_words * sizeof(uint64_t));
  for (size_t i = 0; i < t.outputs * t.row_words; i++) t.weights[i] = random_bits();
  const size_t results = t.positions * t.outputs;
  t.bases = reference(results * sizeof(int32_t));
  for (size_t i = 0; i < results; i++) t.bases[i] = (int32_t)random_between(-9999, 9999);
  t.expected = reference(results * sizeof(int32_t));
  t.mismatches = reference(results * sizeof(uint32_t));
  compute(&t);
  return t;
}

static void free_task(task *t) {
  free(t->input), free(t->weights), free(t->bases), free(t->expected), free(t->mismatches);
}

// Operands in buffers of the case.
static bnn_bslice_operands place_operands(const task *t) {
  uint32_t *offsets = place(bnn_bslice_offset_count(&t->plan) * sizeof(uint32_t), 4);
  uint64_t *weights = place(bnn_bslice_weight_words(&t->plan) * sizeof(uint64_t), 64);
  bnn_bslice_fill_offsets(&t->plan, offsets);
  bnn_bslice_pack_weights(
    &t->plan, place_copy(t->weights, t->outputs * t->row_words * sizeof(uint64_t), 8),
    t->row_words, weights);
  const size_t words = t->images * product3(t->shape.window.input) * t->plan.pixel_words;
  return (bnn_bslice_operands){
    .offsets = offsets,
    .weights = weights,
    .input = place_copy(t->input, words * sizeof(uint64_t), 8),
  };
}

// Lines from the first to the last or backwards.
static size_t line_number(const task *t, size_t i, bool backwards) {
  const size_t lines = t->images * bnn_bslice_lines(&t->plan);
  return backwards ? lines - 1 - i : i;
}

static void run_integers(const task *t, bool backwards) {
  const bnn_bslice_operands operands = place_operands(t);
  void *scratch = place(bnn_bslice_scratch_bytes(&t->plan), 64);
  const size_t results = t->positions * t->outputs;
  const int32_t *bases = place_copy(t->bases, results * sizeof(int32_t), 4);
  int32_t *out = place(results * sizeof(int32_t), 4);
  bnn_bslice_begin(&t->plan, scratch);
  for (size_t i = 0; i < t->images * bnn_bslice_lines(&t->plan); i++) {
    const size_t line = line_number(t, i, backwards);
    const bnn_bslice_line at = bnn_bslice_line_at(&t->plan, line);
    const int32_t **rows = reference(at.count * sizeof *rows);
    for (size_t p = 0; p < at.count; p++) rows[p] = bases + (at.position + p) * t->outputs;
    bnn_bslice_integers(
      &t->plan, &operands, line, scratch, rows, out + at.position * t->outputs);
    free(rows);
  }
  expect_bytes("out", out, t->expected, results * sizeof(int32_t));
}

// The bounds of a vector of a line, and the bits that follow from them.
static void make_test(
  const task *t, const bnn_bslice_line *at, size_t vector, bool has_lower, uint32_t *fewest,
  uint32_t *most, uint64_t *outside, uint64_t *expected) {
  const size_t lanes = 64 * t->plan.kernel->vector_words, per_position = 64 * t->plan.lane_words;
  memset(outside, 0, lanes / 8);
  for (size_t i = 0; i < lanes; i++) {
    const size_t lane = vector * lanes + i, o = lane % per_position;
    const size_t p = at->position + lane / per_position;
    const bool is_output = lane / per_position < at->count && o < t->outputs;
    fewest[i] = has_lower ? (uint32_t)random_below(t->plan.inputs + 1) : 0;
    most[i] = (uint32_t)random_below(t->plan.inputs + 1);
    if (!is_output) fewest[i] = 0, most[i] = (uint32_t)t->plan.inputs;
    if (fewest[i] > most[i]) fewest[i] = 1, most[i] = 0;
    const bool is_outside = !is_output || random_below(2) == 0;
    outside[i / 64] |= (uint64_t)is_outside << i % 64;
    if (!is_output) continue;
    const uint32_t count = t->mismatches[p * t->outputs + o];
    const bool is_inside = fewest[i] <= count && count <= most[i];
    uint64_t *word = expected + p * t->plan.lane_words + o / 64;
    *word |= (uint64_t)(is_inside != is_outside) << o % 64;
  }
}

static void run_bits(const task *t, bool has_lower, bool backwards) {
  const size_t vector_words = t->plan.kernel->vector_words;
  const size_t image_lines = bnn_bslice_lines(&t->plan), lines = t->images * image_lines;
  const size_t line_vectors = bnn_bslice_line_vectors(&t->plan);
  const size_t test_words = bnn_bslice_test_words(&t->plan);
  const size_t words = t->positions * t->plan.lane_words;
  const bnn_bslice_operands operands = place_operands(t);
  void *scratch = place(bnn_bslice_scratch_bytes(&t->plan), 64);
  uint64_t *out = place(words * sizeof *out, 8);
  uint64_t *tests = place(line_vectors * test_words * sizeof *tests, 8);
  // The tests of each line are packed for it alone.
  const size_t image_vectors = product3(t->shape.window.output)
    / (size_t)t->shape.window.output[2] * line_vectors;
  uint32_t *index = place(image_vectors * sizeof *index, 4);
  for (size_t i = 0; i < image_vectors; i++) index[i] = (uint32_t)(i % line_vectors);
  uint64_t *expected = reference(words * sizeof *expected);
  memset(expected, 0, words * sizeof *expected);
  uint32_t *fewest = reference(64 * vector_words * sizeof *fewest);
  uint32_t *most = reference(64 * vector_words * sizeof *most);
  uint64_t *outside = reference(vector_words * sizeof *outside);
  bnn_bslice_begin(&t->plan, scratch);
  for (size_t i = 0; i < lines; i++) {
    const size_t line = line_number(t, i, backwards);
    const bnn_bslice_line at = bnn_bslice_line_at(&t->plan, line);
    const size_t first = (size_t)at.x * t->plan.lane_words / vector_words;
    bool needs_lower = false;
    for (size_t v = 0; v * vector_words < at.count * t->plan.lane_words; v++) {
      make_test(t, &at, v, has_lower, fewest, most, outside, expected);
      needs_lower |= bnn_bslice_pack_test(
        &t->plan, fewest, most, outside, tests + (first + v) * test_words);
    }
    const bnn_bslice_tests own = {tests, index, needs_lower};
    bnn_bslice_bits(&t->plan, &operands, line, line + 1, scratch, &own, out);
  }
  expect_bytes("bits", out, expected, words * sizeof *out);
  free(expected), free(fewest), free(most), free(outside);
}

// Twice the mismatches of an output at one of 8 positions.
static uint32_t number_in_planes(const bnn_planes *planes, size_t position, size_t output) {
  uint32_t number = 0;
  for (size_t plane = 0; plane < 16; plane++) {
    const uint64_t word = planes->words[plane][position];
    number |= (uint32_t)(word >> (output % 8 * 8 + output / 8) & 1) << plane;
  }
  return number;
}

// Each line by itself, behind positions that do not belong to it.
static void run_planes(const task *t, bool backwards) {
  enum { before = 5 };
  const bnn_bslice_operands operands = place_operands(t);
  void *scratch = place(bnn_bslice_scratch_bytes(&t->plan), 64);
  const size_t groups = (before + t->plan.part_positions + 7) / 8;
  const size_t bytes = groups * t->plan.lane_words * sizeof(bnn_planes);
  bnn_planes *planes = place(bytes, 64);
  uint32_t *found = reference(t->positions * t->outputs * sizeof *found);
  bnn_bslice_clear_planes(&t->plan, groups * 8, planes);
  bnn_bslice_begin(&t->plan, scratch);
  for (size_t i = 0; i < t->images * bnn_bslice_lines(&t->plan); i++) {
    const size_t line = line_number(t, i, backwards);
    const bnn_bslice_line at = bnn_bslice_line_at(&t->plan, line);
    bnn_bslice_planes(&t->plan, &operands, line, scratch, before, planes);
    for (size_t p = 0; p < at.count; p++)
      for (size_t o = 0; o < t->outputs; o++) {
        const size_t group = (before + p) / 8 * t->plan.lane_words + o / 64;
        found[(at.position + p) * t->outputs + o] =
          number_in_planes(planes + group, (before + p) % 8, o % 64) / 2;
      }
  }
  expect_bytes("planes", found, t->mismatches, t->positions * t->outputs * sizeof *found);
  free(found);
}

static void check_shape(const bnn_bslice *kernel, bnn_bslice_shape shape, const char *kind) {
  task t = make_task(kernel, shape);
  for (int backwards = 0; backwards < 2; backwards++) EACH_SIDE(side)
    for (int end = 0; end < 4; end++) {
      if (end == 3 && !kernel->planes) continue;
      begin_case(
        side, "%s, %zu positions, %zu taps, %zu groups of %zu bits and %zu outputs, end %d", kind,
        t.positions, t.taps, shape.groups, shape.bits_per_tap, shape.outputs_per_group, end);
      if (end == 0)
        run_integers(&t, backwards != 0);
      else if (end == 3)
        run_planes(&t, backwards != 0);
      else
        run_bits(&t, end == 2, backwards != 0);
      end_case();
    }
  free_task(&t);
}

// A line of positions, each of which sees some of the next pixels.
static bnn_window line_window(int64_t positions, int64_t taps) {
  return (bnn_window){
    .input = {1, 1, positions}, .output = {1, 1, positions}, .kernel = {1, 1, taps},
    .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad = {0, 0, taps / 2}};
}

void check_bslice(const bnn_bslice *kernel) {
  // Numbers of inputs, for every way in which they are added up.
  EACH(size_t, bits, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 40, 63, 64, 65)
  EACH(int64_t, taps, 1, 2, 9) {
    check_shape(
      kernel, (bnn_bslice_shape){line_window(3, *taps), 1, *bits, 65, random_below(2)}, "inputs");
    check_shape(
      kernel, (bnn_bslice_shape){line_window(9, *taps), 3, *bits, 8, random_below(2)}, "inputs");
  }
  EACH(size_t, outputs, 1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 511, 512, 513, 1024)
  EACH(int64_t, positions, 1, 2, 3, 9, 17) {
    const bnn_window window = line_window(*positions, 1);
    check_shape(kernel, (bnn_bslice_shape){window, 1, 3, *outputs, false}, "dense");
    check_shape(kernel, (bnn_bslice_shape){window, *outputs, 1, 1, false}, "depthwise");
  }
  // Parts of a line.
  EACH(int64_t, positions, 63, 64, 65, 127, 129)
  check_shape(
    kernel, (bnn_bslice_shape){line_window(*positions, 3), 64, 1, 1, true}, "parts");
  EACH(size_t, groups, 2, 3, 7, 17)
  EACH(size_t, bits, 1, 2, 3, 4, 8, 12, 16, 32)
  EACH(size_t, outputs, 1, 2, 3, 4, 8, 12, 16, 32, 64, 65) {
    const bnn_bslice_shape shape = {
      random_window(false), *groups, *bits, *outputs, random_below(2)};
    if (*groups * *outputs * product3(shape.window.output) > 20000) continue;
    check_shape(kernel, shape, "window");
  }
}
