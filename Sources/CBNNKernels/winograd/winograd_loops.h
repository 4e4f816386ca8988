// The loops of convolutions in tiles for BNN_TARGET, with vectors of BNN_WIDTH outputs and
// BNN_TILES tiles side by side; the including file defines the three, and ends with
// BNN_WINOGRAD_FUNCTIONS in its object.
//
// A row of tiles is computed in four steps:
// 1. The rows of pixels that it sees, phase by phase, become rows at the six points, written with
//    their padding to strips.
// 2. For each tile six columns of a strip become columns at the six points, in chunks of channels.
// 3. At each of the columns' points, products over all channels are summed at the six points of
//    rows, and brought back to rows of the result while they are in registers.
// 4. The columns' points are brought back to columns of the result.
#include <string.h>

#include "winograd_layout.h"

#define BNN_INLINE BNN_TARGET static inline __attribute__((always_inline))
#define BNN_UNROLL _Pragma("clang loop unroll(full)")

enum { width = BNN_WIDTH, group = BNN_TILES };

typedef float floats_of_chunk __attribute__((ext_vector_type(chunk)));
typedef float floats_of_width __attribute__((ext_vector_type(width)));

// Groups of tiles whose transformed input is kept in the first-level cache.
static inline size_t groups_of_batch(const bnn_winograd_shape *s) {
  const size_t bytes = points * points * chunk_count(s) * group * chunk * sizeof(float);
  const size_t groups = 28672 / bytes;
  return groups == 0 ? 1 : groups;
}

// Numbers of a strip: all columns that tiles see, and what a load of a chunk reads after them.
static inline size_t strip_length(const bnn_winograd_shape *s) {
  const bnn_winograd_axis *columns = &s->axes[1];
  const size_t pixels = ((columns->tiles - 1) * columns->outputs + points) * columns->stride;
  return pixels * s->channels + chunk;
}

typedef struct regions {
  // [column's point][group of tiles][chunk][row's point][tile][channel of the chunk]
  float *inputs;
  // [column's point][tile of the batch][row][output of a block]
  float *sums;
  // [row's phase][row's point][column and channel]
  float *strips;
  // What rows outside the image see.
  float *zeros;
} regions;

// Divides the scratch, unless it is null, and returns how many bytes it has.
static size_t divide_scratch(const bnn_winograd_shape *s, float *scratch, regions *r) {
  const size_t groups = groups_of_batch(s);
  const size_t inputs = points * groups * chunk_count(s) * points * group * chunk;
  const size_t sums = points * groups * group * s->axes[0].outputs * output_block;
  const size_t strips = s->axes[0].stride * points * strip_length(s);
  const size_t zeros = s->axes[1].input * s->channels;
  if (scratch) {
    r->inputs = scratch;
    r->sums = r->inputs + inputs;
    r->strips = r->sums + sums;
    r->zeros = r->strips + strips;
  }
  return (inputs + sums + strips + zeros) * sizeof(float);
}

static size_t scratch_bytes(const bnn_winograd_shape *s) { return divide_scratch(s, NULL, NULL); }

// What the products at the points need of six numbers: the coefficients of ∏ (x − q) over the other
// finite points q, for ∞ over all of them.
#define BNN_TO_POINTS(type, d, v)                               \
  do {                                                          \
    const type even = (d)[4] - (d)[2], odd = (d)[3] - (d)[1];   \
    (v)[0] = even - 1.5f * odd + ((d)[0] - (d)[2]);             \
    (v)[1] = even - 0.5f * odd - 1.5f * ((d)[1] + (d)[2]);      \
    (v)[2] = even - odd + 1.5f * ((d)[2] - (d)[3]);             \
    (v)[3] = even + 0.5f * odd;                                 \
    (v)[4] = even - 2.0f * odd;                                 \
    (v)[5] = (d)[5] - (d)[3] - 1.5f * even - odd;               \
  } while (0)

// What six products say about `count` outputs: the powers of the points times the products.
BNN_INLINE void from_points(size_t count, const floats_of_width *m, floats_of_width *y) {
  const floats_of_width sum = m[1] + m[2], difference = m[1] - m[2];
  y[0] = m[0] + sum + (m[3] + m[4]);
  y[1] = difference + 2.0f * m[3] - 0.5f * m[4];
  if (count > 2) y[2] = sum + 4.0f * m[3] + 0.25f * m[4];
  if (count > 3) y[3] = difference + 8.0f * m[3] - 0.125f * m[4];
  y[count - 1] += m[5];
}

BNN_TARGET static void rows_to_points(
  size_t count, const float *const *rows, float *strip, size_t step) {
  const float *d0 = rows[0], *d1 = rows[1], *d2 = rows[2];
  const float *d3 = rows[3], *d4 = rows[4], *d5 = rows[5];
  _Pragma("clang loop vectorize(assume_safety)")
  for (size_t i = 0; i < count; i++) {
    const float d[points] = {d0[i], d1[i], d2[i], d3[i], d4[i], d5[i]};
    float v[points];
    BNN_TO_POINTS(float, d, v);
    strip[i] = v[0];
    strip[step + i] = v[1];
    strip[2 * step + i] = v[2];
    strip[3 * step + i] = v[3];
    strip[4 * step + i] = v[4];
    strip[5 * step + i] = v[5];
  }
}

// Step 1.
BNN_TARGET static void fill_strips(
  const bnn_winograd_shape *s, const float *image, size_t tile, regions r) {
  const bnn_winograd_axis *rows = &s->axes[0], *columns = &s->axes[1];
  const size_t line = columns->input * s->channels, padding = columns->pad * s->channels;
  // Tiles may see neither the whole line nor the whole padding.
  const size_t length = strip_length(s), seen_length = length - chunk;
  const size_t left = padding < seen_length ? padding : seen_length;
  const size_t count = line < seen_length - left ? line : seen_length - left;
  memset(r.zeros, 0, line * sizeof(float));
  for (size_t phase = 0; phase < rows->stride; phase++) {
    const float *lines[points];
    for (size_t i = 0; i < points; i++) {
      const size_t y = (tile * rows->outputs + i) * rows->stride + phase;
      const bool is_inside = y >= rows->pad && y - rows->pad < rows->input;
      lines[i] = is_inside ? image + (y - rows->pad) * line : r.zeros;
    }
    float *strip = r.strips + phase * points * length;
    rows_to_points(count, lines, strip + left, length);
    for (size_t i = 0; i < points; i++, strip += length) {
      memset(strip, 0, left * sizeof(float));
      memset(strip + left + count, 0, (length - left - count) * sizeof(float));
    }
  }
}

// Step 2, for tile `index` of a batch, which is tile `tile` of the row.
BNN_INLINE void columns_to_points(
  const bnn_winograd_shape *s, size_t tile, size_t index, size_t groups, regions r) {
  const size_t channels = phase_channels(s), chunks = phase_chunks(s);
  const size_t length = strip_length(s);
  const size_t point_step = groups * chunk_count(s) * points * group * chunk;
  const float *first = r.strips + tile * s->axes[1].outputs * channels;
  float *to = r.inputs + index / group * chunk_count(s) * points * group * chunk;
  to += index % group * chunk;
  for (size_t phase = 0; phase < s->axes[0].stride; phase++)
    for (size_t c = 0; c < chunks; c++, to += points * group * chunk)
      for (size_t y = 0; y < points; y++) {
        const float *from = first + (phase * points + y) * length + c * chunk;
        floats_of_chunk d[points], v[points];
        BNN_UNROLL for (size_t i = 0; i < points; i++)
          memcpy(&d[i], from + i * channels, sizeof d[i]);
        BNN_TO_POINTS(floats_of_chunk, d, v);
        BNN_UNROLL for (size_t i = 0; i < points; i++)
          memcpy(to + i * point_step + y * group * chunk, &v[i], sizeof v[i]);
      }
}

// Adds the products of `count` channels at the first `used` points of rows.
BNN_INLINE void add_products(
  size_t tiles, size_t used, size_t count, const float *inputs, const float *weights,
  floats_of_width sums[group][points]) {
  for (size_t k = 0; k < count; k++) {
    BNN_UNROLL for (size_t y = 0; y < used; y++) {
      floats_of_width weight;
      memcpy(&weight, weights + (k * points + y) * output_block, sizeof weight);
      BNN_UNROLL for (size_t t = 0; t < tiles; t++)
        sums[t][y] += inputs[(y * group + t) * chunk + k] * weight;
    }
  }
}

// Step 3 for a group of tiles, a vector of outputs and a column's point: `counted` is how many
// channels of a phase of rows have a product there.
BNN_INLINE void sum_products(
  const bnn_winograd_shape *s, size_t tiles, size_t rows, size_t counted, const float *inputs,
  const float *weights, float *to) {
  floats_of_width sums[group][points];
  BNN_UNROLL for (size_t t = 0; t < tiles; t++)
    BNN_UNROLL for (size_t y = 0; y < points; y++) sums[t][y] = 0;
  const size_t channels = phase_channels(s);
  const size_t phase_inputs = phase_chunks(s) * points * group * chunk;
  // One order for all kernels: phases without a last tap, whose products are smaller, come first.
  for (size_t phase = s->axes[0].stride; phase-- > 0;) {
    const bool is_full = phase < s->axes[0].full_phases;
    const float *weight = weights + phase * channels * points * output_block;
    const float *input = inputs + phase * phase_inputs;
    for (size_t c = 0; c < counted; c += chunk, input += points * group * chunk) {
      const size_t left = counted - c, count = left < chunk ? left : chunk;
      if (is_full)
        add_products(tiles, points, count, input, weight, sums);
      else
        add_products(tiles, points - 1, count, input, weight, sums);
      weight += chunk * points * output_block;
    }
  }
  BNN_UNROLL for (size_t t = 0; t < tiles; t++) {
    floats_of_width y[bnn_winograd_most_outputs];
    from_points(rows, sums[t], y);
    BNN_UNROLL for (size_t i = 0; i < rows; i++)
      memcpy(to + (t * rows + i) * output_block, &y[i], sizeof y[i]);
  }
}

// Step 4 for a row of a tile and a vector of outputs.
BNN_INLINE void columns_from_points(
  size_t columns, const float *sums, size_t point_step, float *to, size_t stride) {
  floats_of_width m[points], y[bnn_winograd_most_outputs];
  BNN_UNROLL for (size_t x = 0; x < points; x++) memcpy(&m[x], sums + x * point_step, sizeof m[x]);
  from_points(columns, m, y);
  BNN_UNROLL for (size_t x = 0; x < columns; x++) memcpy(to + x * stride, &y[x], sizeof y[x]);
}

typedef struct batch {
  size_t first_tile, tiles;
} batch;

BNN_INLINE void sum_batch(
  const bnn_winograd_shape *s, size_t rows, size_t block, batch b, const float *packed_weights,
  regions r) {
  const size_t groups = (b.tiles + group - 1) / group;
  const size_t group_inputs = chunk_count(s) * points * group * chunk;
  for (size_t x = 0; x < points; x++) {
    const size_t phases = x + 1 == points ? s->axes[1].full_phases : s->axes[1].stride;
    const float *weights = packed_weights + (block * points + x) * point_weights(s);
    for (size_t lane = 0; lane < output_block; lane += width)
      for (size_t g = 0; g < groups; g++) {
        const float *inputs = r.inputs + (x * groups + g) * group_inputs;
        const size_t tiles = b.tiles - g * group < group ? b.tiles - g * group : group;
        float *to = r.sums + (x * b.tiles + g * group) * rows * output_block + lane;
        const size_t counted = phases * s->channels;
        switch (tiles) {
#if BNN_TILES == 4
          case 4: sum_products(s, 4, rows, counted, inputs, weights + lane, to); break;
          case 3: sum_products(s, 3, rows, counted, inputs, weights + lane, to); break;
#endif
          case 2: sum_products(s, 2, rows, counted, inputs, weights + lane, to); break;
          default: sum_products(s, 1, rows, counted, inputs, weights + lane, to);
        }
      }
  }
}

BNN_INLINE void store_batch(
  const bnn_winograd_shape *s, size_t columns, size_t tile_row, size_t block, batch b, regions r,
  float *const *out) {
  const size_t rows = s->axes[0].outputs;
  const size_t rows_left = s->axes[0].output - tile_row * rows;
  const size_t rows_present = rows_left < rows ? rows_left : rows;
  const size_t point_step = b.tiles * rows * output_block;
  for (size_t t = 0; t < b.tiles; t++) {
    const size_t column = (b.first_tile + t) * columns, left = s->axes[1].output - column;
    for (size_t lane = 0; lane < output_block; lane += width) {
      const size_t o = block * output_block + lane;
      if (o >= s->outputs) break;
      const size_t present = s->outputs - o;
      const float *sums = r.sums + t * rows * output_block + lane;
      for (size_t i = 0; i < rows_present; i++, sums += output_block) {
        float *to = out[i] + column * s->outputs + o;
        if (left >= columns && present >= width) {
          columns_from_points(columns, sums, point_step, to, s->outputs);
        } else {
          float edge[bnn_winograd_most_outputs * width];
          columns_from_points(columns, sums, point_step, edge, width);
          for (size_t x = 0; x < columns && x < left; x++)
            memcpy(
              to + x * s->outputs, edge + x * width,
              (present < width ? present : width) * sizeof(float));
        }
      }
    }
  }
}

#define BNN_WITH_OUTPUTS(outputs, call) \
  switch (outputs) {                    \
    case 4: call(4); break;             \
    case 3: call(3); break;             \
    default: call(2);                   \
  }

BNN_TARGET static void tile_row(
  const bnn_winograd_shape *s, const float *image, const float *packed_weights, size_t tile,
  void *scratch, float *const *out) {
  regions r;
  divide_scratch(s, scratch, &r);
  const size_t length = groups_of_batch(s) * group, tiles = s->axes[1].tiles;
  fill_strips(s, image, tile, r);
  for (size_t first = 0; first < tiles; first += length) {
    const batch b = {first, tiles - first < length ? tiles - first : length};
    const size_t groups = (b.tiles + group - 1) / group;
    for (size_t t = 0; t < b.tiles; t++) columns_to_points(s, first + t, t, groups, r);
    for (size_t block = 0; block < output_blocks(s); block++) {
#define BNN_SUM(rows) sum_batch(s, rows, block, b, packed_weights, r)
      BNN_WITH_OUTPUTS(s->axes[0].outputs, BNN_SUM)
#define BNN_STORE(columns) store_batch(s, columns, tile, block, b, r, out)
      BNN_WITH_OUTPUTS(s->axes[1].outputs, BNN_STORE)
    }
  }
}

#define BNN_WINOGRAD_FUNCTIONS .scratch_bytes = scratch_bytes, .tile_row = tile_row
