#include "checks.h"

static float combine(bnn_arithmetic operation, float a, float b) {
  switch (operation) {
    case BNN_ADD: return a + b;
    case BNN_SUBTRACT: return a - b;
    case BNN_MULTIPLY: return a * b;
    default: return a / b;
  }
}

static void check_arithmetic(
  const bnn_pointwise *kernel, bnn_arithmetic operation, size_t count, size_t a_step,
  size_t b_step, bool is_in_place) {
  const size_t a_count = a_step ? count : 1, b_count = b_step ? count : 1;
  float *a = reference(a_count * sizeof(float)), *b = reference(b_count * sizeof(float));
  float *expected = reference(count * sizeof(float));
  fill_special(a, a_count);
  fill_special(b, b_count);
  for (size_t i = 0; i < count; i++)
    expected[i] = combine(operation, a[i * a_step], b[i * b_step]);
  EACH_SIDE(side) {
    begin_case(
      side, "operation %d of %zu, steps %zu and %zu%s", operation, count, a_step, b_step,
      is_in_place ? ", in place" : "");
    float *x = place_copy(a, a_count * sizeof(float), 4);
    const float *other = place_copy(b, b_count * sizeof(float), 4);
    float *y = is_in_place ? x : place(count * sizeof(float), 4);
    bnn_combine(kernel, operation, count, x, a_step, other, b_step, y);
    expect_floats("y", y, expected, count);
    end_case();
  }
  free(a), free(b), free(expected);
}

static void check_function(
  const bnn_pointwise *kernel, bnn_function function, size_t count, bool is_in_place) {
  float *numbers = reference(count * sizeof(float)), *expected = reference(count * sizeof(float));
  const float alpha = random_special(), beta = random_special();
  fill_special(numbers, count);
  for (size_t i = 0; i < count; i++) {
    if (random_below(2)) numbers[i] *= 30;
    bnn_apply_function(
      &bnn_pointwise_1__scalar, function, 1, numbers + i, alpha, beta, expected + i);
  }
  EACH_SIDE(side) {
    begin_case(side, "function %d of %zu%s", function, count, is_in_place ? ", in place" : "");
    float *x = place_copy(numbers, count * sizeof(float), 4);
    float *y = is_in_place ? x : place(count * sizeof(float), 4);
    bnn_apply_function(kernel, function, count, x, alpha, beta, y);
    expect_floats("y", y, expected, count);
    end_case();
  }
  free(numbers), free(expected);
}

static void check_combined(const bnn_pointwise *kernel, size_t count) {
  float *x = reference(count * sizeof(float));
  fill_special(x, count);
  const float maximum = bnn_pointwise_1__scalar.maximum(count, x);
  const float sum = bnn_pointwise_1__scalar.sum(count, x);
  EACH_SIDE(side) {
    begin_case(side, "maximum and sum of %zu", count);
    const float *placed = place_copy(x, count * sizeof(float), 4);
    const float found[2] = {kernel->maximum(count, placed), kernel->sum(count, placed)};
    expect_floats("results", found, (const float[2]){maximum, sum}, 2);
    end_case();
  }
  free(x);
}

static void check_places(
  const bnn_pointwise *kernel, size_t lines, size_t length, bool side_by_side, unsigned flags) {
  const bool is_maximum = flags & 1, selects_last = flags >> 1 & 1;
  const size_t line_step = side_by_side ? 1 : length + 1;
  const size_t step = side_by_side ? lines + random_below(2) : 1;
  const size_t count = (lines - 1) * line_step + (length - 1) * step + 1;
  float *x = reference(count * sizeof(float));
  fill_special(x, count);
  int64_t *expected = reference(lines * sizeof(int64_t));
  for (size_t i = 0; i < lines; i++) {
    size_t best = 0;
    for (size_t p = 1; p < length; p++) {
      const float candidate = x[i * line_step + p * step], current = x[i * line_step + best * step];
      if ((is_maximum ? candidate > current : candidate < current)
          || (selects_last && candidate == current))
        best = p;
    }
    expected[i] = (int64_t)best;
  }
  EACH_SIDE(side) {
    begin_case(side, "places in %zu lines of %zu, flags %u", lines, length, flags);
    int64_t *y = place(lines * sizeof(int64_t), 8);
    kernel->place_of_extremum(
      lines, length, place_copy(x, count * sizeof(float), 4), line_step, step, is_maximum,
      selects_last, y);
    expect_bytes("y", y, expected, lines * sizeof(int64_t));
    end_case();
  }
  free(x), free(expected);
}

void check_pointwise(const bnn_pointwise *kernel) {
  for (size_t count = 0; count < 140; count++) {
    for (size_t operation = 0; operation < bnn_arithmetic_count; operation++)
      for (size_t steps = 0; steps < 4; steps++)
        for (int is_in_place = 0; is_in_place <= (int)(steps & 1); is_in_place++)
          check_arithmetic(
            kernel, (bnn_arithmetic)operation, count, steps & 1, steps >> 1, is_in_place);
    for (size_t function = 0; function < bnn_function_count; function++)
      for (int is_in_place = 0; is_in_place < 2; is_in_place++)
        check_function(kernel, (bnn_function)function, count, is_in_place);
    check_combined(kernel, count);
  }
  EACH(size_t, lines, 1, 2, 15, 16, 17, 40)
  EACH(size_t, length, 1, 2, 9, 21, 64, 130)
  for (unsigned flags = 0; flags < 8; flags++)
    check_places(kernel, *lines, *length, flags >> 2, flags);
}

void check_transpose(void) {
  EACH(size_t, columns, 1, 2, 3, 4, 5, 8, 15, 16, 17, 33)
  EACH(size_t, rows, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 33, 100)
  EACH(size_t, gap, 0, 1, 3)
  EACH_SIDE(side) {
    begin_case(side, "%zu columns of %zu, %zu between rows", *columns, *rows, *gap);
    const size_t from_step = *rows + random_below(3), to_step = *columns + *gap;
    const size_t from_count = (*columns - 1) * from_step + *rows;
    const size_t to_count = (*rows - 1) * to_step + *columns;
    uint32_t *from = place(from_count * sizeof(uint32_t), 4);
    uint32_t *to = place(to_count * sizeof(uint32_t), 4);
    for (size_t i = 0; i < from_count; i++) from[i] = (uint32_t)random_bits();
    for (size_t i = 0; i < to_count; i++) to[i] = (uint32_t)i;
    bnn_transpose(*rows, *columns, from, from_step, to, to_step);
    for (size_t i = 0; i < to_count; i++) {
      const size_t row = i / to_step, column = i % to_step;
      const uint32_t expected =
        column < *columns ? from[column * from_step + row] : (uint32_t)i;
      if (to[i] != expected) fail("row %zu, column %zu", row, column);
    }
    end_case();
  }
}

void check_transpose_bits(void) {
  EACH(size_t, columns, 1, 2, 63, 64, 65, 130)
  EACH(size_t, rows, 1, 3, 63, 64, 65, 200)
  EACH(size_t, gap, 0, 2)
  EACH_SIDE(side) {
    begin_case(side, "%zu columns of %zu bits, %zu words between rows", *columns, *rows, *gap);
    const size_t row_words = (*rows + 63) / 64, column_words = (*columns + 63) / 64;
    const size_t from_step = row_words + random_below(3), to_step = column_words + *gap;
    const size_t from_count = (*columns - 1) * from_step + row_words;
    const size_t to_count = (*rows - 1) * to_step + column_words;
    uint64_t *from = place(from_count * sizeof(uint64_t), 8);
    uint64_t *to = place(to_count * sizeof(uint64_t), 8);
    for (size_t i = 0; i < from_count; i++) from[i] = random_bits();
    for (size_t i = 0; i < to_count; i++) to[i] = i;
    bnn_transpose_bits(*rows, *columns, from, from_step, to, to_step);
    for (size_t i = 0; i < to_count; i++) {
      const size_t row = i / to_step, word = i % to_step;
      uint64_t expected = word < column_words ? 0 : i;
      for (size_t bit = 0; word < column_words && bit < 64 && 64 * word + bit < *columns; bit++) {
        const uint64_t *own = from + (64 * word + bit) * from_step;
        expected |= (own[row / 64] >> row % 64 & 1) << bit;
      }
      if (to[i] != expected) fail("row %zu, word %zu", row, word);
    }
    end_case();
  }
}
