// The loops of convolutions in tiles along rows for BNN_TARGET, with sums of BNN_COLUMNS columns of
// BNN_VECTORS vectors of BNN_WIDTH outputs in registers; the including file defines the four, and ends
// with BNN_WINOGRAD1D_FUNCTIONS in its object.
//
// A tile is computed in three steps:
// 1. The lines of pixels that it sees, phase by phase, become lines at the seven points, written with
//    their padding.
// 2. At each point products are summed for a batch of columns.
// 3. The points of the batch are brought back to rows of the result.
#include <string.h>

#include "winograd1d_layout.h"

#define BNN_INLINE BNN_TARGET static inline __attribute__((always_inline))
#define BNN_UNROLL _Pragma("clang loop unroll(full)")

enum {
  width = BNN_WIDTH,
  vectors = BNN_VECTORS,
  columns = BNN_COLUMNS,
  // Outputs that are computed together; half of them with twice as many columns where no more are left.
  span = width * vectors,
  // Columns between two readings of the weights, which come from the second-level cache.
  batch = 4 * columns,
  // Lines at points begin at whole cache lines.
  line_unit = 16,
};

typedef float floats_of_width __attribute__((ext_vector_type(width)));

static inline size_t whole_units(size_t count) {
  return (count + line_unit - 1) / line_unit * line_unit;
}

// Numbers of a line of an image, of the padding before it with what aligns the line, and of both with
// what the last columns see.
static inline size_t image_line(const bnn_winograd1d_shape *s) { return s->input[1] * pixel_step(s); }
static inline size_t lead(const bnn_winograd1d_shape *s) {
  return whole_units(s->pad[1] * pixel_step(s));
}
static inline size_t line_length(const bnn_winograd1d_shape *s) {
  const size_t all = (s->output[1] + 2 * columns - 1) / (2 * columns) * (2 * columns);
  const size_t first = lead(s) - s->pad[1] * pixel_step(s);
  const size_t seen = first + (all - 1) * s->stride[1] * pixel_step(s) + run_length(s);
  const size_t present = lead(s) + image_line(s);
  return whole_units(seen > present ? seen : present);
}

typedef struct regions {
  // [point][phase][plane] lines
  float *lines;
  // [point][column of a batch][output of a span]
  float *sums;
  // What rows outside the image see.
  float *zeros;
} regions;

// Divides the scratch, unless it is null, and returns how many bytes it has.
static size_t divide_scratch(const bnn_winograd1d_shape *s, float *scratch, regions *r) {
  const size_t lines = points * s->stride[0] * planes(s) * line_length(s);
  const size_t sums = points * batch * span;
  if (scratch) {
    r->lines = scratch;
    r->sums = r->lines + lines;
    r->zeros = r->sums + sums;
  }
  return (lines + sums + image_line(s)) * sizeof(float);
}

static size_t scratch_bytes(const bnn_winograd1d_shape *s) { return divide_scratch(s, NULL, NULL); }

// What the products at the points need of seven numbers: the coefficients of ∏ (x − q) over the other
// finite points q, for ∞ over all of them.
#define BNN_TO_POINTS(type, d, v)                                                             \
  do {                                                                                        \
    const type low = (d)[4] - 5.0f * (d)[2] + 4.0f * (d)[0];                                  \
    const type high = (d)[5] - 5.0f * (d)[3] + 4.0f * (d)[1];                                 \
    const type one = (d)[4] - 4.0f * (d)[2], next_one = (d)[5] - 4.0f * (d)[3];               \
    const type two = (d)[4] - (d)[2], next_two = (d)[5] - (d)[3];                             \
    const type even_one = one + 0.5f * ((d)[3] - 4.0f * (d)[1]), odd_one = next_one + 0.5f * one; \
    const type even_two = 2.0f * two + ((d)[3] - (d)[1]), odd_two = next_two + 0.5f * two;    \
    (v)[0] = high + 0.5f * low;                                                               \
    (v)[1] = odd_one + even_one;                                                              \
    (v)[2] = odd_one - even_one;                                                              \
    (v)[3] = odd_two + even_two;                                                              \
    (v)[4] = odd_two - even_two;                                                              \
    (v)[5] = high;                                                                            \
    (v)[6] = (d)[6] - 5.0f * (d)[4] + 4.0f * (d)[2] + 0.5f * high;                            \
  } while (0)

// What seven products say about `rows` outputs: the powers of the points times the products.
BNN_INLINE void from_points(size_t rows, const floats_of_width *m, floats_of_width *y) {
  const floats_of_width sum_one = m[1] + m[2], difference_one = m[1] - m[2];
  const floats_of_width sum_two = m[3] + m[4], difference_two = m[3] - m[4];
  y[0] = m[0] + sum_one + (sum_two + m[5]);
  y[1] = difference_one + 2.0f * difference_two - 0.5f * m[5];
  if (rows > 2) y[2] = sum_one + 4.0f * sum_two + 0.25f * m[5];
  if (rows > 3) y[3] = difference_one + 8.0f * difference_two - 0.125f * m[5];
  y[rows - 1] += m[6];
}

// Step 1 for the lines that a phase and plane see; a point's result is `step` after that of the last.
BNN_TARGET static void lines_to_points(
  const float *const *lines, size_t length, float *to, size_t step) {
  size_t x = 0;
  for (; x + width <= length; x += width) {
    floats_of_width d[points], v[points];
    BNN_UNROLL for (size_t i = 0; i < points; i++) memcpy(&d[i], lines[i] + x, sizeof d[i]);
    BNN_TO_POINTS(floats_of_width, d, v);
    BNN_UNROLL for (size_t i = 0; i < points; i++) memcpy(to + i * step + x, &v[i], sizeof v[i]);
  }
  for (; x < length; x++) {
    float d[points], v[points];
    BNN_UNROLL for (size_t i = 0; i < points; i++) d[i] = lines[i][x];
    BNN_TO_POINTS(float, d, v);
    BNN_UNROLL for (size_t i = 0; i < points; i++) to[i * step + x] = v[i];
  }
}

BNN_TARGET static void fill_lines(
  const bnn_winograd1d_shape *s, const float *image, size_t tile, regions r) {
  const size_t length = line_length(s), before = lead(s), present = image_line(s);
  const size_t step = s->stride[0] * planes(s) * length;
  float *to = r.lines;
  for (size_t phase = 0; phase < s->stride[0]; phase++)
    for (size_t plane = 0; plane < planes(s); plane++, to += length) {
      const float *lines[points];
      for (size_t i = 0; i < points; i++) {
        const size_t y = (tile * s->tile_rows + i) * s->stride[0] + phase;
        const bool is_inside = y >= s->pad[0] && y - s->pad[0] < s->input[0];
        lines[i] =
          is_inside ? image + (plane * s->input[0] + y - s->pad[0]) * present : r.zeros;
      }
      for (size_t i = 0; i < points; i++) {
        memset(to + i * step, 0, before * sizeof(float));
        memset(to + i * step + before + present, 0, (length - before - present) * sizeof(float));
      }
      lines_to_points(lines, present, to + before, step);
    }
}

// The operands of step 2 at a point.
typedef struct operands {
  // Weights of each vector of outputs, and the lines of the first column.
  const float *weights[vectors];
  const float *lines;
  // How many lines columns see, `line` apart, and how much of each.
  size_t runs, line, run;
  // From what a column sees to what the next one sees.
  size_t column_step;
} operands;

// Products of `many` columns and `wide` vectors of outputs, summed in registers.
BNN_INLINE void sum_columns(
  size_t many, size_t wide, const operands *x, const float *input, float *to) {
  floats_of_width sums[vectors * columns];
  BNN_UNROLL for (size_t i = 0; i < many * wide; i++) sums[i] = 0;
  size_t place = 0;
  for (size_t run = 0; run < x->runs; run++, input += x->line) {
    // Three columns have addresses from one pointer.
    const float *third[2 * columns / 3];
    BNN_UNROLL for (size_t t = 0; t < many; t += 3) third[t / 3] = input + t * x->column_step;
    for (size_t k = 0; k < x->run; k++, place += output_block) {
      floats_of_width weight[vectors];
      BNN_UNROLL for (size_t v = 0; v < wide; v++)
        memcpy(&weight[v], x->weights[v] + place, sizeof weight[v]);
      BNN_UNROLL for (size_t t = 0; t < many; t++) {
        const floats_of_width number = third[t / 3][k + t % 3 * x->column_step];
        BNN_UNROLL for (size_t v = 0; v < wide; v++) sums[t * wide + v] += number * weight[v];
      }
    }
  }
  BNN_UNROLL for (size_t i = 0; i < many * wide; i++)
    memcpy(to + i * width, &sums[i], sizeof sums[i]);
}

// Step 2 for `wide` vectors of the outputs from `output` on and `count` columns from `first` on, `many`
// of them at a time.
BNN_INLINE void sum_points(
  const bnn_winograd1d_shape *s, size_t many, size_t wide, size_t output, size_t first, size_t count,
  const float *packed_weights, regions r) {
  const size_t products = point_products(s) * output_block;
  operands x = {
    .lines = r.lines + lead(s) - s->pad[1] * pixel_step(s) + first * s->stride[1] * pixel_step(s),
    .line = line_length(s),
    .run = run_length(s),
    .column_step = s->stride[1] * pixel_step(s),
  };
  BNN_UNROLL for (size_t v = 0; v < wide; v++) {
    // Vectors after the last output are computed, and not stored.
    const size_t o = output + v * width < s->outputs ? output + v * width : output;
    x.weights[v] = packed_weights + o / output_block * points * products + o % output_block;
  }
  for (size_t p = 0; p < points; p++) {
    x.runs = (p + 1 == points ? s->full_phases : s->stride[0]) * planes(s);
    for (size_t t = 0; t < count; t += many)
      sum_columns(
        many, wide, &x, x.lines + t * x.column_step, r.sums + (p * batch + t) * wide * width);
    x.lines += s->stride[0] * planes(s) * x.line;
    BNN_UNROLL for (size_t v = 0; v < wide; v++) x.weights[v] += products;
  }
}

// Step 3 for a column and a vector of outputs, whose rows go to `place` after `out`.
BNN_INLINE void rows_from_points(
  size_t rows, const float *sums, size_t point_step, float *const *out, size_t place) {
  floats_of_width m[points], y[bnn_winograd1d_most_outputs];
  BNN_UNROLL for (size_t i = 0; i < points; i++) memcpy(&m[i], sums + i * point_step, sizeof m[i]);
  from_points(rows, m, y);
  BNN_UNROLL for (size_t i = 0; i < rows; i++) memcpy(out[i] + place, &y[i], sizeof y[i]);
}

BNN_INLINE void store_rows(
  const bnn_winograd1d_shape *s, size_t rows, size_t wide, size_t output, size_t first, size_t count,
  size_t tile, regions r, float *const *out) {
  const size_t rows_left = s->output[0] - tile * rows, point_step = batch * wide * width;
  float edge[bnn_winograd1d_most_outputs][width];
  float *edges[bnn_winograd1d_most_outputs], *to[bnn_winograd1d_most_outputs];
  for (size_t i = 0; i < rows; i++) {
    edges[i] = edge[i];
    to[i] = i < rows_left ? out[i] : NULL;
  }
  for (size_t v = 0; v < wide && output + v * width < s->outputs; v++) {
    const size_t left = s->outputs - output - v * width;
    const float *sums = r.sums + v * width;
    size_t place = first * s->outputs + output + v * width;
    for (size_t t = 0; t < count; t++, sums += wide * width, place += s->outputs) {
      if (rows_left >= rows && left >= width) {
        rows_from_points(rows, sums, point_step, to, place);
        continue;
      }
      rows_from_points(rows, sums, point_step, edges, 0);
      for (size_t i = 0; i < rows && i < rows_left; i++)
        memcpy(to[i] + place, edge[i], (left < width ? left : width) * sizeof(float));
    }
  }
}

BNN_TARGET static void compute_tile(
  const bnn_winograd1d_shape *s, const float *image, const float *packed_weights, size_t tile,
  void *scratch, float *const *out) {
  regions r;
  divide_scratch(s, scratch, &r);
  memset(r.zeros, 0, image_line(s) * sizeof(float));
  fill_lines(s, image, tile, r);
  for (size_t first = 0; first < s->output[1]; first += batch) {
    const size_t count = s->output[1] - first < batch ? s->output[1] - first : batch;
    for (size_t output = 0; output < s->outputs; output += span) {
      const bool is_wide = s->outputs - output > span / 2;
      const size_t wide = is_wide ? vectors : vectors / 2;
      if (is_wide)
        sum_points(s, columns, vectors, output, first, count, packed_weights, r);
      else
        sum_points(s, 2 * columns, vectors / 2, output, first, count, packed_weights, r);
#define BNN_STORE(rows) store_rows(s, rows, wide, output, first, count, tile, r, out)
      switch (s->tile_rows) {
        case 4: BNN_STORE(4); break;
        case 3: BNN_STORE(3); break;
        default: BNN_STORE(2);
      }
    }
  }
}

#define BNN_WINOGRAD1D_FUNCTIONS .scratch_bytes = scratch_bytes, .tile = compute_tile
