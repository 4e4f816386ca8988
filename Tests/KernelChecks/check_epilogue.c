#include "checks.h"

enum { most_steps = 4 };

typedef enum source { floats, integers, accumulators, source_count } source;

static const char *const names[source_count] = {"floats", "integers", "accumulators"};

// One case in plain memory. `x` holds integers unless the source is floats.
typedef struct task {
  source source;
  size_t rows, channels, words, padded, count, first_part;
  bnn_epilogue_step steps[most_steps];
  bool has_values, has_bits, is_in_place;
  void *x, *lower, *upper;
  uint64_t *outside;
  float *values;
  uint64_t *bits;
} task;

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

static task make_task(source source, size_t rows, size_t channels) {
  task t = {
    .source = source, .rows = rows, .channels = channels, .words = (channels + 63) / 64};
  t.padded = t.words * 64;
  t.first_part = channels > 64 && random_below(2) == 0 ? 64 : channels;
  t.count = source == accumulators ? 0 : random_below(most_steps + 1);
  for (size_t i = 0; i < t.count; i++) t.steps[i] = random_step(&t);
  t.has_bits = source == accumulators || random_below(2) == 0;
  t.has_values = !t.has_bits || (source != accumulators && random_below(2) == 0);
  t.is_in_place = t.has_values && source == floats && random_below(2) == 0;
  t.x = random_tested(source == floats, rows * channels);
  t.lower = random_tested(source != accumulators, t.padded);
  t.upper = random_tested(source != accumulators, t.padded);
  t.outside = reference(t.words * sizeof(uint64_t));
  for (size_t w = 0; w < t.words; w++) t.outside[w] = random_bits();
  if (channels % 64 != 0) t.outside[t.words - 1] &= ((uint64_t)1 << channels % 64) - 1;
  t.values = reference(rows * channels * sizeof(float));
  t.bits = reference(rows * t.words * sizeof(uint64_t));
  memset(t.bits, 0, rows * t.words * sizeof(uint64_t));
  return t;
}

static void free_task(task *t) {
  for (size_t i = 0; i < t->count; i++) free((void *)t->steps[i].a), free((void *)t->steps[i].b);
  free(t->x), free(t->lower), free(t->upper), free(t->outside), free(t->values), free(t->bits);
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
      const size_t i = row * t->channels + c;
      const int32_t whole = ((const int32_t *)t->x)[i];
      float x = t->source == floats ? ((const float *)t->x)[i] : (float)whole;
      for (size_t s = 0; s < t->count; s++) x = apply(&t->steps[s], x, row, c);
      t->values[i] = x;
      const float *from = t->lower, *to = t->upper;
      const int32_t *whole_from = t->lower, *whole_to = t->upper;
      const bool is_inside = t->source == accumulators
        ? whole_from[c] <= whole && whole <= whole_to[c]
        : from[c] <= x && x <= to[c];
      const bool bit = is_inside != (t->outside[c / 64] >> c % 64 & 1);
      t->bits[row * t->words + c / 64] |= (uint64_t)bit << c % 64;
    }
}

// Integers of some channels.
static void run_part(
  const bnn_epilogue *kernel, const task *t, bnn_channel_range channels,
  const bnn_epilogue_step *steps, float *values, const bnn_epilogue_test *test, uint64_t *bits) {
  int32_t *x = place(t->rows * channels.count * sizeof(int32_t), 4);
  for (size_t row = 0; row < t->rows; row++)
    memcpy(
      x + row * channels.count, (const int32_t *)t->x + row * channels.all + channels.first,
      channels.count * sizeof(int32_t));
  if (t->source == integers) {
    kernel->integers(t->rows, channels, x, steps, t->count, values, test, bits);
  } else {
    kernel->accumulators(t->rows, channels, x, test, bits);
  }
}

static void run(const bnn_epilogue *kernel, const task *t) {
  const size_t bytes = t->rows * t->channels * sizeof(float);
  const size_t bit_bytes = t->rows * t->words * sizeof(uint64_t);
  bnn_epilogue_step steps[most_steps];
  for (size_t i = 0; i < t->count; i++) {
    steps[i] = t->steps[i];
    if (steps[i].a) steps[i].a = place_copy(steps[i].a, entries(t, &steps[i]) * sizeof(float), 4);
    if (steps[i].b) steps[i].b = place_copy(steps[i].b, t->padded * sizeof(float), 4);
  }
  void *x = t->source == floats ? place_copy(t->x, bytes, 4) : NULL;
  float *values = t->is_in_place ? x : t->has_values ? place(bytes, 4) : NULL;
  uint64_t *bits = t->has_bits ? place(bit_bytes, 8) : NULL;
  const bnn_epilogue_test test = {
    .lower = place_copy(t->lower, t->padded * sizeof(float), 4),
    .upper = place_copy(t->upper, t->padded * sizeof(float), 4),
    .outside_is_plus = place_copy(t->outside, t->words * sizeof(uint64_t), 8),
  };
  if (t->source == floats)
    kernel->floats(t->rows, t->channels, x, steps, t->count, values, &test, bits);
  else
    // All channels at once, or the first blocks before the others.
    for (size_t first = 0, count = t->first_part; first < t->channels;
         first += count, count = t->channels - first)
      run_part(kernel, t, (bnn_channel_range){t->channels, first, count}, steps, values, &test, bits);
  if (values) expect_floats("values", values, t->values, t->rows * t->channels);
  if (bits) expect_bytes("bits", bits, t->bits, bit_bytes);
}

void check_epilogue(const bnn_epilogue *kernel) {
  for (source source = floats; source < source_count; source++)
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
