#include "checks.h"

typedef struct shape {
  size_t rows, outputs, depth, row_step, out_stride;
} shape;

// The operands of one case, in plain memory; `sizes` are the sums of the products' magnitudes.
typedef struct operands {
  float *numbers, *weights, *bias, *out, *sizes;
  uint32_t *offsets;
} operands;

static size_t number_count(shape s) { return (s.rows - 1) * s.row_step + s.depth; }
static size_t out_count(shape s) { return (s.rows - 1) * s.out_stride + s.outputs; }

static operands make_operands(shape s, bool is_whole) {
  const operands x = {
    .numbers = reference(number_count(s) * sizeof(float)),
    .weights = reference(s.outputs * s.depth * sizeof(float)),
    .bias = reference(s.outputs * sizeof(float)),
    .out = reference(out_count(s) * sizeof(float)),
    .sizes = reference(out_count(s) * sizeof(float)),
    .offsets = reference(s.depth * sizeof(uint32_t)),
  };
  for (size_t i = 0; i < number_count(s); i++)
    x.numbers[i] = is_whole ? (float)random_between(-128, 127) : random_number();
  for (size_t i = 0; i < s.outputs * s.depth; i++)
    x.weights[i] = is_whole ? (float)random_between(-128, 127) : random_number();
  for (size_t o = 0; o < s.outputs; o++)
    x.bias[o] = is_whole ? (float)random_between(-128, 127) : random_number();
  for (size_t k = 0; k < s.depth; k++) x.offsets[k] = (uint32_t)random_below(s.depth);
  return x;
}

static void multiply(shape s, operands x) {
  for (size_t m = 0; m < s.rows; m++)
    for (size_t o = 0; o < s.outputs; o++) {
      double sum = 0, size = 0;
      for (size_t k = 0; k < s.depth; k++) {
        const double number = (double)x.numbers[m * s.row_step + x.offsets[k]];
        const double product = number * (double)x.weights[o * s.depth + k];
        sum += product;
        size += fabs(product);
      }
      x.out[m * s.out_stride + o] = (float)(sum + (double)x.bias[o]);
      x.sizes[m * s.out_stride + o] = (float)(size + fabs((double)x.bias[o]));
    }
}

static void expect_close(shape s, operands x, const float *out, float tolerance) {
  for (size_t i = 0; i < out_count(s); i++) {
    if (i % s.out_stride >= s.outputs) {
      expect_bytes("number between rows", out + i, x.out + i, sizeof(float));
    } else if (!(fabsf(out[i] - x.out[i]) <= tolerance * x.sizes[i])) {
      fail("number %zu is %.9g instead of %.9g", i, out[i], x.out[i]);
    }
  }
}

// A row alone must give the same numbers as among others.
static void check_row_alone(
  const bnn_fgemm *kernel, shape s, const bnn_float_rows *source, const float *packed,
  const float *out) {
  const size_t m = random_below(s.rows);
  bnn_float_rows row = *source;
  row.count = 1;
  row.rows += m;
  float *alone = place(s.outputs * sizeof(float), 4);
  kernel->multiply(&row, s.outputs, packed, alone, s.out_stride);
  expect_floats("row alone", alone, out + m * s.out_stride, s.outputs);
}

static void run(const bnn_fgemm *kernel, shape s, operands x, float tolerance) {
  const float *numbers = place_copy(x.numbers, number_count(s) * sizeof(float), 4);
  const float **rows = place(s.rows * sizeof *rows, sizeof *rows);
  for (size_t m = 0; m < s.rows; m++) rows[m] = numbers + m * s.row_step;
  const bnn_float_rows source = {
    .count = s.rows,
    .depth = s.depth,
    .rows = rows,
    .offsets = place_copy(x.offsets, s.depth * sizeof(uint32_t), 4),
  };
  const float *weights = place_copy(x.weights, s.outputs * s.depth * sizeof(float), 4);
  float *packed = place(bnn_fgemm_weight_bytes(s.outputs, s.depth), 4);
  float *out = place(out_count(s) * sizeof(float), 4);
  bnn_fgemm_pack_weights(s.outputs, s.depth, weights, NULL, packed);
  const size_t step = s.outputs + random_below(3);
  float *matrix = place(((s.depth - 1) * step + s.outputs) * sizeof(float), 4);
  for (size_t o = 0; o < s.outputs; o++)
    for (size_t k = 0; k < s.depth; k++) matrix[k * step + o] = weights[o * s.depth + k];
  float *columns = place(bnn_fgemm_weight_bytes(s.outputs, s.depth), 4);
  bnn_fgemm_pack_columns(s.outputs, s.depth, matrix, step, columns);
  expect_bytes("packed column", columns, packed, bnn_fgemm_weight_bytes(s.outputs, s.depth));
  const float *bias = place_copy(x.bias, s.outputs * sizeof(float), 4);
  bnn_fgemm_pack_weights(s.outputs, s.depth, weights, bias, packed);
  kernel->multiply(&source, s.outputs, packed, out, s.out_stride);
  expect_close(s, x, out, tolerance);
  check_row_alone(kernel, s, &source, packed, out);
}

// Runs of elements in any order, of which the last may not fill a vector.
static void check_few(const bnn_fgemm *kernel, size_t rows, size_t outputs, size_t run, size_t runs) {
  const size_t depth = run * runs;
  const shape s = {rows, outputs, depth, depth + random_below(3), outputs + random_below(3)};
  for (int is_whole = 0; is_whole < 2; is_whole++) {
    const operands x = make_operands(s, is_whole);
    for (size_t r = 0; r < runs; r++) {
      const size_t first = random_below(runs) * run;
      for (size_t i = 0; i < run; i++) x.offsets[r * run + i] = (uint32_t)(first + i);
    }
    multiply(s, x);
    EACH_SIDE(side) {
      begin_case(side, "%zu rows, %zu outputs, %zu runs of %zu", rows, outputs, runs, run);
      const float *numbers = place_copy(x.numbers, number_count(s) * sizeof(float), 4);
      const float **from = place(rows * runs * sizeof *from, sizeof *from);
      for (size_t i = 0; i < rows * runs; i++)
        from[i] = numbers + i / runs * s.row_step + x.offsets[i % runs * run];
      bnn_float_runs source = {rows, runs, run, from};
      float *packed = place(bnn_fgemm_few_bytes(outputs, runs, run), 4);
      bnn_fgemm_pack_few(outputs, runs, run, x.weights, x.bias, packed);
      float *out = place(out_count(s) * sizeof(float), 4);
      kernel->multiply_few(&source, outputs, packed, out, s.out_stride);
      expect_close(s, x, out, is_whole ? 0 : (float)(depth + 2) * 0x1p-24f);
      const size_t m = random_below(rows);
      source.count = 1;
      source.from += m * runs;
      float *alone = place(outputs * sizeof(float), 4);
      kernel->multiply_few(&source, outputs, packed, alone, s.out_stride);
      expect_floats("row alone", alone, out + m * s.out_stride, outputs);
      end_case();
    }
    free(x.numbers), free(x.weights), free(x.bias), free(x.out), free(x.sizes), free(x.offsets);
  }
}

void check_fgemm(const bnn_fgemm *kernel) {
  EACH(size_t, few_rows, 1, 2, 3, 5, 6, 7, 13)
  EACH(size_t, run, 1, 4, 5, 15, 16, 17, 24, 33, 64)
  for (size_t few = 1; few <= bnn_fgemm_few; few++)
    for (size_t runs = 1; runs < 4; runs++) check_few(kernel, *few_rows, few, *run, runs);
  EACH(size_t, rows, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13)
  EACH(size_t, outputs, 1, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33, 48, 49, 63, 64, 65, 129)
  EACH(size_t, depth, 1, 2, 3, 27, 64, 147) {
    const shape s = {
      *rows, *outputs, *depth, *depth + random_below(3), *outputs + random_below(3)};
    for (int is_whole = 0; is_whole < 2; is_whole++) {
      const operands x = make_operands(s, is_whole);
      multiply(s, x);
      EACH_SIDE(side) {
        begin_case(
          side, "%zu rows, %zu outputs, depth %zu%s", s.rows, s.outputs, s.depth,
          is_whole ? ", whole numbers" : "");
        // Each of the additions may be off by half of the last of 24 bits.
        run(kernel, s, x, is_whole ? 0 : (float)(s.depth + 2) * 0x1p-24f);
        end_case();
      }
      free(x.numbers), free(x.weights), free(x.bias), free(x.out), free(x.sizes), free(x.offsets);
    }
  }
}
