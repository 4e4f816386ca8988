#include "checks.h"

typedef enum operation { add, divide, operation_count } operation;

static const char *const names[operation_count] = {"add", "divide"};

static float apply(operation operation, float a, float b, float divisor) {
  return operation == add ? a + b : a / divisor;
}

static void run(
  const bnn_pointwise *kernel, operation operation, size_t count, const float *a, const float *b,
  float divisor, float *y) {
  if (operation == add) return kernel->add(count, a, b, y);
  kernel->divide_scalar(count, a, divisor, y);
}

static void check_case(
  const bnn_pointwise *kernel, operation operation, size_t count, bool is_in_place) {
  float *a = reference(count * sizeof(float)), *b = reference(count * sizeof(float));
  float *expected = reference(count * sizeof(float));
  const float divisor = random_special();
  fill_special(a, count);
  fill_special(b, count);
  for (size_t i = 0; i < count; i++) expected[i] = apply(operation, a[i], b[i], divisor);
  EACH_SIDE(side) {
    begin_case(
      side, "%s of %zu%s", names[operation], count, is_in_place ? ", in place" : "");
    float *x = place_copy(a, count * sizeof(float), 4);
    const float *other = place_copy(b, count * sizeof(float), 4);
    float *y = is_in_place ? x : place(count * sizeof(float), 4);
    run(kernel, operation, count, x, other, divisor, y);
    expect_floats("y", y, expected, count);
    end_case();
  }
  free(a), free(b), free(expected);
}

void check_pointwise(const bnn_pointwise *kernel) {
  for (operation operation = add; operation < operation_count; operation++)
    for (size_t count = 0; count < 140; count++)
      for (int is_in_place = 0; is_in_place < 2; is_in_place++)
        check_case(kernel, operation, count, is_in_place);
}

void check_transpose(void) {
  EACH(size_t, columns, 1, 2, 3, 4, 5, 8, 15, 16, 17, 33)
  EACH(size_t, rows, 1, 2, 8, 15, 16, 17, 31, 33, 100)
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
