#include "checks.h"

enum { most_steps = 4 };

typedef enum source { floats, integers, accumulators, planes, plane_bits, source_count } source;

static const char *const names[source_count] = {
  "floats", "integers", "accumulators", "planes", "plane bits"};

// One case in plain memory. `x` holds integers unless the source is floats.
typedef struct task {
  source source;
  size_t rows, channels, words, padded, count, first_part;
  // From row to row of `x` and `values`.
  size_t x_step, values_step;
  bnn_epilogue_step steps[most_steps];
  bool has_values, has_bits, is_in_place, is_last_first;
  void *x, *lower, *upper;
  uint64_t *outside;
  float *values;
  uint64_t *bits;
  // Integers are `base − 2 · mismatches`: the bases of each of two classes of rows.
  int32_t *bases[2], *mismatches;
  bool *classes;
} task;

static bool tests_integers(source source) {
  return source == accumulators || source == plane_bits;
}

static bool is_per_channel(bnn_epilogue_kind kind) {
  return kind == BNN_EPILOGUE_AFFINE || kind == BNN_EPILOGUE_SLOPES;
}
static bool is_scalar(bnn_epilogue_kind kind) {
  return kind == BNN_EPILOGUE_ADD_SCALAR || kind == BNN_EPILOGUE_MULTIPLY_SCALAR;
}
static bool has_operand(bnn_epilogue_kind kind) {
  return kind == BNN_EPILOGUE_ADD || kind == BNN_EPILOGUE_MULTIPLY || is_scalar(kind);
}

// Entries of the parameters `a` of a step.
static size_t entries(const task *t, const bnn_epilogue_step *step) {
  if (is_per_channel(step->kind)) return t->padded;
  return (t->rows - 1) * step->stride + (is_scalar(step->kind) ? 1 : t->channels);
}

static float *random_parameters(size_t count) {
  float *numbers = reference(count * sizeof(float));
  fill_special(numbers, count);
  return numbers;
}

static bnn_epilogue_step random_step(const task *t) {
  bnn_epilogue_step step = {.kind = (bnn_epilogue_kind)random_below(8)};
  step.stride = (is_scalar(step.kind) ? 1 : t->channels) + random_below(3);
  step.lower = random_number() - 1;
  step.upper = random_number() + 1;
  if (is_per_channel(step.kind)) step.b = random_parameters(t->padded);
  if (is_per_channel(step.kind) || has_operand(step.kind))
    step.a = random_parameters(entries(t, &step));
  return step;
}

// Numbers of either type, of which many are equal.
static void *random_tested(bool is_float, size_t count) {
  float *numbers = random_parameters(count);
  for (size_t i = 0; i < count && !is_float; i++) {
    const int32_t whole = random_below(9) == 0 ? INT32_MIN : (int32_t)random_between(-9, 9);
    memcpy(numbers + i, &whole, sizeof whole);
  }
  return numbers;
}

// Replaces the integers of a task by others that are given by their mismatches.
static void make_mismatches(task *t) {
  const bool is_large = random_below(3) == 0;
  t->mismatches = reference(t->rows * t->channels * sizeof(int32_t));
  t->classes = reference(t->rows * sizeof(bool));
  for (size_t i = 0; i < 2; i++) {
    t->bases[i] = reference(t->channels * sizeof(int32_t));
    for (size_t c = 0; c < t->channels; c++)
      t->bases[i][c] = (int32_t)random_between(0, is_large ? 32000 : 40);
  }
  for (size_t row = 0; row < t->rows; row++) {
    t->classes[row] = random_below(3) == 0;
    for (size_t c = 0; c < t->channels; c++) {
      const size_t i = row * t->channels + c;
      t->mismatches[i] = (int32_t)random_below(is_large ? 254 * 64 + 1 : 30);
      if (t->source >= planes)
        ((int32_t *)t->x)[i] = t->bases[t->classes[row]][c] - 2 * t->mismatches[i];
    }
  }
}

static task make_task(source source, size_t rows, size_t channels) {
  task t = {
    .source = source, .rows = rows, .channels = channels, .words = (channels + 63) / 64};
  t.padded = t.words * 64;
  const size_t step = source == floats ? 16 : 64;
  t.first_part = channels > step && random_below(2) == 0 ? step : channels;
  t.is_last_first = random_below(2) == 0;
  t.count = tests_integers(source) ? 0 : random_below(most_steps + 1);
  for (size_t i = 0; i < t.count; i++) t.steps[i] = random_step(&t);
  t.has_bits = tests_integers(source) || random_below(2) == 0;
  t.has_values = !t.has_bits || (!tests_integers(source) && random_below(2) == 0);
  t.is_in_place = t.has_values && source == floats && random_below(2) == 0;
  t.x_step = channels + (source == floats ? random_below(3) : 0);
  t.values_step = t.is_in_place ? t.x_step : channels + random_below(3);
  t.x = random_tested(source == floats, rows * t.x_step);
  t.lower = random_tested(!tests_integers(source), t.padded);
  t.upper = random_tested(!tests_integers(source), t.padded);
  make_mismatches(&t);
  // Tests of one side only, as most are.
  if (!tests_integers(source) && random_below(2) == 0)
    for (size_t c = 0; c < t.padded; c++) ((float *)t.upper)[c] = INFINITY;
  t.outside = reference(t.words * sizeof(uint64_t));
  for (size_t w = 0; w < t.words; w++) t.outside[w] = random_bits();
  if (channels % 64 != 0) t.outside[t.words - 1] &= ((uint64_t)1 << channels % 64) - 1;
  t.values = reference(rows * t.values_step * sizeof(float));
  // What is between rows stays what it is.
  if (t.is_in_place) memcpy(t.values, t.x, rows * t.x_step * sizeof(float));
  t.bits = reference(rows * t.words * sizeof(uint64_t));
  memset(t.bits, 0, rows * t.words * sizeof(uint64_t));
  return t;
}

static void free_task(task *t) {
  for (size_t i = 0; i < t->count; i++) free((void *)t->steps[i].a), free((void *)t->steps[i].b);
  free(t->x), free(t->lower), free(t->upper), free(t->outside), free(t->values), free(t->bits);
  free(t->bases[0]), free(t->bases[1]), free(t->mismatches), free(t->classes);
}

static float apply(const bnn_epilogue_step *step, float x, size_t row, size_t c) {
  switch (step->kind) {
    case BNN_EPILOGUE_AFFINE: {
      const float product = x * step->a[c];
      return product + step->b[c];
    }
    case BNN_EPILOGUE_SLOPES: return x < 0 ? x * step->b[c] : x * step->a[c];
    case BNN_EPILOGUE_CLAMP: {
      const float raised = x < step->lower ? step->lower : x;
      return raised > step->upper ? step->upper : raised;
    }
    case BNN_EPILOGUE_RELU: return isnan(x) || x > 0 ? x : 0;
    case BNN_EPILOGUE_ADD: return x + step->a[row * step->stride + c];
    case BNN_EPILOGUE_MULTIPLY: return x * step->a[row * step->stride + c];
    case BNN_EPILOGUE_ADD_SCALAR: return x + step->a[row * step->stride];
    case BNN_EPILOGUE_MULTIPLY_SCALAR: return x * step->a[row * step->stride];
  }
  return x;
}

static void compute(task *t) {
  for (size_t row = 0; row < t->rows; row++)
    for (size_t c = 0; c < t->channels; c++) {
      const size_t i = row * t->x_step + c;
      const int32_t whole = ((const int32_t *)t->x)[i];
      float x = t->source == floats ? ((const float *)t->x)[i] : (float)whole;
      for (size_t s = 0; s < t->count; s++) x = apply(&t->steps[s], x, row, c);
      t->values[row * t->values_step + c] = x;
      const float *from = t->lower, *to = t->upper;
      const int32_t *whole_from = t->lower, *whole_to = t->upper;
      const bool is_inside = tests_integers(t->source)
        ? whole_from[c] <= whole && whole <= whole_to[c]
        : from[c] <= x && x <= to[c];
      const bool bit = is_inside != (t->outside[c / 64] >> c % 64 & 1);
      t->bits[row * t->words + c / 64] |= (uint64_t)bit << c % 64;
    }
}

// Planes of some channels; what is in them beyond the rows and channels is arbitrary.
static void run_planes(
  const bnn_epilogue *kernel, const task *t, bnn_channel_range channels,
  const bnn_epilogue_step *steps, float *values, const bnn_epilogue_test *test, uint64_t *bits) {
  const size_t blocks = (channels.count + 63) / 64, groups = (t->rows + 7) / 8;
  bnn_planes *all = place(groups * blocks * sizeof *all, 64);
  for (size_t i = 0; i < groups * blocks; i++) {
    memset(all[i].words[0], 0, sizeof all[i].words[0]);
    memset(all[i].words[15], 0, sizeof all[i].words[15]);
  }
  for (size_t row = 0; row < t->rows; row++)
    for (size_t c = 0; c < channels.count; c++) {
      bnn_planes *to = all + row / 8 * blocks + c / 64;
      const int32_t count = t->mismatches[row * channels.all + channels.first + c];
      const uint64_t bit = (uint64_t)1 << (c % 8 * 8 + c % 64 / 8);
      for (int plane = 0; plane < 14; plane++) {
        uint64_t *word = &to->words[plane + 1][row % 8];
        *word = count >> plane & 1 ? *word | bit : *word & ~bit;
      }
    }
  size_t most = 0;
  for (size_t i = 0; i < t->rows * t->channels; i++)
    if ((size_t)t->mismatches[i] > most) most = (size_t)t->mismatches[i];
  const int32_t *bases[2];
  bnn_plane_bounds *bounds[2];
  for (size_t i = 0; i < 2; i++) {
    bases[i] = place_copy(t->bases[i], channels.all * sizeof(int32_t), 4);
    bounds[i] = place((channels.all + 63) / 64 * sizeof **bounds, 8);
    bnn_plane_bounds_pack(channels.all, most, bases[i], test->lower, test->upper, bounds[i]);
  }
  const int32_t **row_bases = place(t->rows * sizeof *row_bases, 8);
  const bnn_plane_bounds **row_bounds = place(t->rows * sizeof *row_bounds, 8);
  for (size_t row = 0; row < t->rows; row++) {
    row_bases[row] = bases[t->classes[row]];
    row_bounds[row] = bounds[t->classes[row]];
  }
  if (t->source == planes) {
    kernel->planes(
      t->rows, channels, all, row_bases, steps, t->count, values, t->values_step, test, bits);
  } else {
    kernel->plane_bits(t->rows, channels, all, row_bounds, test->outside_is_plus, bits);
  }
}

// Numbers of some channels, where they lie.
static void run_floats(
  const bnn_epilogue *kernel, const task *t, bnn_channel_range channels, const float *x,
  const bnn_epilogue_step *steps, float *values, const bnn_epilogue_test *test, uint64_t *bits) {
  kernel->floats(
    t->rows, channels, x + channels.first, t->x_step, steps, t->count, values, t->values_step,
    test, bits);
}

// Integers of some channels.
static void run_integers(
  const bnn_epilogue *kernel, const task *t, bnn_channel_range channels,
  const bnn_epilogue_step *steps, float *values, const bnn_epilogue_test *test, uint64_t *bits) {
  int32_t *x = place(t->rows * channels.count * sizeof(int32_t), 4);
  for (size_t row = 0; row < t->rows; row++)
    memcpy(
      x + row * channels.count, (const int32_t *)t->x + row * channels.all + channels.first,
      channels.count * sizeof(int32_t));
  if (t->source == integers) {
    kernel->integers(
      t->rows, channels, x, steps, t->count, values, t->values_step, test, bits);
  } else {
    kernel->accumulators(t->rows, channels, x, test, bits);
  }
}

static void run(const bnn_epilogue *kernel, const task *t) {
  // Nothing is read or written after the last row.
  const size_t last = (t->rows - 1) * t->values_step + t->channels;
  const size_t bytes = last * sizeof(float);
  const size_t x_bytes = ((t->rows - 1) * t->x_step + t->channels) * sizeof(float);
  const size_t bit_bytes = t->rows * t->words * sizeof(uint64_t);
  bnn_epilogue_step steps[most_steps];
  for (size_t i = 0; i < t->count; i++) {
    steps[i] = t->steps[i];
    if (steps[i].a) steps[i].a = place_copy(steps[i].a, entries(t, &steps[i]) * sizeof(float), 4);
    if (steps[i].b) steps[i].b = place_copy(steps[i].b, t->padded * sizeof(float), 4);
  }
  void *x = t->source == floats ? place_copy(t->x, x_bytes, 4) : NULL;
  float *values = t->is_in_place ? x : t->has_values ? place(bytes, 4) : NULL;
  uint64_t *bits = t->has_bits ? place(bit_bytes, 8) : NULL;
  const bnn_epilogue_test test = {
    .lower = place_copy(t->lower, t->padded * sizeof(float), 4),
    .upper = place_copy(t->upper, t->padded * sizeof(float), 4),
    .outside_is_plus = place_copy(t->outside, t->words * sizeof(uint64_t), 8),
  };
  // All channels at once, or the first ones before or after the others.
  const size_t rest = t->channels - t->first_part;
  for (size_t i = 0; i < (rest > 0 ? 2 : 1); i++) {
    const bool is_rest = (i == 0) == t->is_last_first && rest > 0;
    const bnn_channel_range range = {
      t->channels, is_rest ? t->first_part : 0, is_rest ? rest : t->first_part};
    if (t->source == floats)
      run_floats(kernel, t, range, x, steps, values, &test, bits);
    else
      (t->source < planes ? run_integers : run_planes)(
        kernel, t, range, steps, values, &test, bits);
  }
  if (values) expect_floats("values", values, t->values, last);
  if (bits) expect_bytes("bits", bits, t->bits, bit_bytes);
}

static bool takes(const bnn_epilogue *kernel, source source) {
  return source == planes ? kernel->planes != NULL
                          : source != plane_bits || kernel->plane_bits != NULL;
}

void check_epilogue(const bnn_epilogue *kernel) {
  for (source source = floats; source < source_count; source++) {
    if (!takes(kernel, source)) continue;
    EACH(size_t, rows, 1, 3, 4, 7, 8, 9)
    EACH(
      size_t, channels, 1, 2, 15, 16, 17, 31, 32, 33, 40, 47, 48, 49, 63, 64, 65, 80, 96, 112, 127,
      128, 129, 200)
    for (int repeat = 0; repeat < 8; repeat++) {
      task t = make_task(source, *rows, *channels);
      compute(&t);
      EACH_SIDE(side) {
        begin_case(
          side, "%s, %zu rows, %zu channels, repeat %d", names[source], t.rows, t.channels, repeat);
        run(kernel, &t);
        end_case();
      }
      free_task(&t);
    }
  }
}
