#include "checks.h"

typedef struct shape {
  size_t rows, outputs, depth, row_step, out_stride;
} shape;

// The operands of one case, in plain memory.
typedef struct operands {
  uint8_t *bytes;
  int8_t *weights;
  int32_t *bases, *out;
  uint32_t *offsets;
} operands;

static size_t byte_count(shape s) { return (s.rows - 1) * s.row_step + 4 * s.depth; }
static size_t out_count(shape s) { return (s.rows - 1) * s.out_stride + s.outputs; }

// Where `is_extreme`, all products have the largest magnitude.
static operands make_operands(shape s, bool is_extreme) {
  const operands x = {
    .bytes = reference(byte_count(s)),
    .weights = reference(4 * s.outputs * s.depth),
    .bases = reference(s.outputs * sizeof(int32_t)),
    .out = reference(out_count(s) * sizeof(int32_t)),
    .offsets = reference(s.depth * sizeof(uint32_t)),
  };
  for (size_t i = 0; i < byte_count(s); i++) x.bytes[i] = is_extreme ? 255 : (uint8_t)random_bits();
  for (size_t i = 0; i < 4 * s.outputs * s.depth; i++)
    x.weights[i] = is_extreme ? -127 : (int8_t)random_between(-127, 127);
  for (size_t o = 0; o < s.outputs; o++) x.bases[o] = (int32_t)random_between(-99999, 99999);
  // At any alignment, the last one at the end of the row.
  for (size_t k = 0; k < s.depth; k++)
    x.offsets[k] = (uint32_t)(k + 1 < s.depth ? random_below(4 * s.depth - 3) : 4 * s.depth - 4);
  return x;
}

static void multiply(shape s, operands x) {
  for (size_t m = 0; m < s.rows; m++)
    for (size_t o = 0; o < s.outputs; o++) {
      uint32_t sum = (uint32_t)x.bases[o];
      for (size_t k = 0; k < s.depth; k++)
        for (size_t i = 0; i < 4; i++) {
          const int32_t byte = x.bytes[m * s.row_step + x.offsets[k] + i];
          sum += (uint32_t)(byte * x.weights[4 * (o * s.depth + k) + i]);
        }
      x.out[m * s.out_stride + o] = (int32_t)sum;
    }
}

static void run(const bnn_igemm *kernel, shape s, operands x) {
  const uint8_t *bytes = place_copy(x.bytes, byte_count(s), 1);
  const uint8_t **rows = place(s.rows * sizeof *rows, sizeof *rows);
  for (size_t m = 0; m < s.rows; m++) rows[m] = bytes + m * s.row_step;
  const bnn_byte_rows source = {
    .count = s.rows,
    .depth = s.depth,
    .rows = rows,
    .offsets = place_copy(x.offsets, s.depth * sizeof(uint32_t), 4),
  };
  void *packed = place(kernel->weight_bytes(s.outputs, s.depth), 64);
  kernel->pack_weights(
    s.outputs, s.depth, place_copy(x.weights, 4 * s.outputs * s.depth, 1), packed);
  const int32_t *bases = place_copy(x.bases, s.outputs * sizeof(int32_t), 4);
  int32_t *out = place(out_count(s) * sizeof(int32_t), 4);
  kernel->multiply(&source, s.outputs, packed, bases, out, s.out_stride);
  expect_bytes("out", out, x.out, out_count(s) * sizeof(int32_t));
}

static void check_products(const bnn_igemm *kernel) {
  EACH(size_t, rows, 1, 2, 3, 5, 6, 7, 13)
  EACH(size_t, outputs, 1, 3, 8, 15, 16, 17, 31, 33, 63, 64, 65, 129)
  EACH(size_t, depth, 1, 2, 3, 9, 42, 64) {
    const shape s = {
      *rows, *outputs, *depth, 4 * *depth + random_below(5), *outputs + random_below(3)};
    for (int is_extreme = 0; is_extreme < 2; is_extreme++) {
      const operands x = make_operands(s, is_extreme);
      multiply(s, x);
      EACH_SIDE(side) {
        begin_case(
          side, "%zu rows, %zu outputs, depth %zu%s", s.rows, s.outputs, s.depth,
          is_extreme ? ", extreme" : "");
        run(kernel, s, x);
        end_case();
      }
      free(x.bytes), free(x.weights), free(x.bases), free(x.out), free(x.offsets);
    }
  }
}

static uint8_t quantized(float number, float inverse_scale, int32_t zero) {
  const float scaled = number * inverse_scale;
  if (isnan(scaled)) return 0;
  const double level = (double)rintf(scaled) + zero;
  return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

static void check_quantize(const bnn_igemm *kernel) {
  EACH(size_t, count, 0, 1, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 200)
  EACH(int32_t, zero, 0, 1, 128, 255)
  EACH(float, inverse_scale, 0.5f, 1, 37.3f, 0x1p100f) {
    EACH_SIDE(side) {
      begin_case(side, "quantize %zu, zero %d, 1/scale %g", *count, *zero, *inverse_scale);
      float *from = place(*count * sizeof(float), 4);
      fill_special(from, *count);
      uint8_t *to = place(*count, 1);
      kernel->quantize(*count, from, *inverse_scale, *zero, to);
      for (size_t i = 0; i < *count; i++)
        if (to[i] != quantized(from[i], *inverse_scale, *zero))
          fail("number %zu, %.9g, became %d", i, from[i], to[i]);
      end_case();
    }
  }
}

void check_igemm(const bnn_igemm *kernel) {
  check_products(kernel);
  check_quantize(kernel);
}
