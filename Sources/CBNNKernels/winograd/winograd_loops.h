// The loops of convolutions in tiles for BNN_TARGET, with BNN_VECTORS vectors of BNN_WIDTH outputs of
// BNN_TILES tiles side by side at BNN_POINTS of the points of rows, which are all or half of them; the
// including file defines the five, and ends with BNN_WINOGRAD_FUNCTIONS in its object.
//
// A row of tiles is computed in four steps:
// 1. The rows of pixels that it sees, phase by phase, become rows at the six points, written with
//    their padding to strips, in chunks of channels.
// 2. For each tile six columns of a strip become columns at the six points.
// 3. At each of the columns' points, products over all channels are summed at the six points of
//    rows, and brought back to rows of the result while they are in registers.
// 4. The columns' points are brought back to columns of the result.
#include <string.h>

#include "winograd_layout.h"

#define BNN_INLINE BNN_TARGET static inline __attribute__((always_inline))
#define BNN_UNROLL _Pragma("clang loop unroll(full)")

enum {
  width = BNN_WIDTH,
  vectors = BNN_VECTORS,
  // Outputs of a tile that are computed together.
  span = width * vectors,
  // Tiles that fill the registers with sums, of several vectors of outputs, or of one.
  wide_tiles = BNN_TILES,
  narrow_tiles = BNN_TILES * BNN_VECTORS,
  // Points of rows whose sums are in registers together. Less than all share what is read of the
  // weights and of the input among more vectors and tiles.
  points_at_once = BNN_POINTS,
  // Numbers of a chunk of channels at the six points of rows.
  cell = points * chunk,
};

typedef float floats_of_chunk __attribute__((ext_vector_type(chunk)));
typedef float floats_of_width __attribute__((ext_vector_type(width)));

// About as many tiles in each batch of a row of tiles. The weights are read once for each, from the
// second-level cache, which has to hold what there is of its tiles, too; of many channels a batch is
// worth reading them.
static inline size_t tiles_of_batch(const bnn_winograd_shape *s) {
  enum { input_bytes = 56 << 10, fewest = 8 };
  const size_t all = s->axes[1].tiles;
  const size_t fitting = input_bytes / (points * chunk_count(s) * cell * sizeof(float));
  const size_t most = fitting < fewest ? fewest : fitting, batches = (all + most - 1) / most;
  const size_t even = (all + batches - 1) / batches;
  return (even + wide_tiles - 1) / wide_tiles * wide_tiles;
}

// The columns that tiles of a batch see, in units of the stride.
static inline size_t strip_length(const bnn_winograd_shape *s, size_t tiles) {
  return (tiles - 1) * s->axes[1].outputs + points;
}

typedef struct batch {
  size_t first_tile, tiles;
} batch;

typedef struct regions {
  // [column's point][tile of the batch][chunk] cells
  float *inputs;
  // [column's point][tile of the batch][row][output of a span]
  float *sums;
  // [chunk][column] cells
  float *strips;
  // What rows outside the image see.
  float *zeros;
} regions;

// Divides the scratch, unless it is null, and returns how many bytes it has.
static size_t divide_scratch(const bnn_winograd_shape *s, float *scratch, regions *r) {
  const size_t tiles = tiles_of_batch(s);
  const size_t inputs = points * tiles * chunk_count(s) * cell;
  const size_t sums = points * tiles * s->axes[0].outputs * span;
  const size_t strips = chunk_count(s) * strip_length(s, tiles) * cell;
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

// What six products say about `count` outputs: the powers of the points times the products. First what
// the first three of them say, then what the others add.
BNN_INLINE void from_first_points(size_t count, const floats_of_width *m, floats_of_width *y) {
  const floats_of_width sum = m[1] + m[2], difference = m[1] - m[2];
  y[0] = m[0] + sum;
  y[1] = difference;
  if (count > 2) y[2] = sum;
  if (count > 3) y[3] = difference;
}

BNN_INLINE void add_last_points(size_t count, const floats_of_width *m, floats_of_width *y) {
  y[0] += m[0] + m[1];
  y[1] = y[1] + 2.0f * m[0] - 0.5f * m[1];
  if (count > 2) y[2] = y[2] + 4.0f * m[0] + 0.25f * m[1];
  if (count > 3) y[3] = y[3] + 8.0f * m[0] - 0.125f * m[1];
  y[count - 1] += m[2];
}

BNN_INLINE void from_points(size_t count, const floats_of_width *m, floats_of_width *y) {
  from_first_points(count, m, y);
  add_last_points(count, m + points / 2, y);
}

// A chunk of six rows becomes a cell.
BNN_INLINE void rows_to_points(const float *const *rows, ptrdiff_t offset, float *to) {
  floats_of_chunk d[points], v[points];
  BNN_UNROLL for (size_t i = 0; i < points; i++) memcpy(&d[i], rows[i] + offset, sizeof d[i]);
  BNN_TO_POINTS(floats_of_chunk, d, v);
  memcpy(to, v, sizeof v);
}

// The same where a chunk is not inside of the line, which has `line` numbers.
BNN_TARGET static void edge_to_points(
  const float *const *rows, ptrdiff_t offset, ptrdiff_t line, float *to) {
  float edge[points][chunk] = {{0}};
  const float *edges[points];
  for (size_t i = 0; i < points; i++) {
    for (ptrdiff_t c = 0; c < chunk; c++)
      if (offset + c >= 0 && offset + c < line) edge[i][c] = rows[i][offset + c];
    edges[i] = edge[i];
  }
  rows_to_points(edges, 0, to);
}

// Step 1.
BNN_TARGET static void fill_strips(
  const bnn_winograd_shape *s, const float *image, size_t tile, batch b, regions r) {
  const bnn_winograd_axis *rows = &s->axes[0], *columns = &s->axes[1];
  const ptrdiff_t line = (ptrdiff_t)(columns->input * s->channels);
  const ptrdiff_t step = (ptrdiff_t)phase_channels(s);
  const size_t length = strip_length(s, b.tiles);
  const ptrdiff_t padding = (ptrdiff_t)(columns->pad * s->channels);
  const ptrdiff_t first = (ptrdiff_t)(b.first_tile * columns->outputs) * step - padding;
  float *to = r.strips;
  for (size_t phase = 0; phase < rows->stride; phase++) {
    const float *lines[points];
    for (size_t i = 0; i < points; i++) {
      const size_t y = (tile * rows->outputs + i) * rows->stride + phase;
      const bool is_inside = y >= rows->pad && y - rows->pad < rows->input;
      lines[i] = is_inside ? image + (ptrdiff_t)(y - rows->pad) * line : r.zeros;
    }
    for (size_t c = 0; c < phase_chunks(s); c++) {
      ptrdiff_t offset = (ptrdiff_t)(c * chunk) + first;
      for (size_t x = 0; x < length; x++, offset += step, to += cell)
        if (offset >= 0 && offset + chunk <= line)
          rows_to_points(lines, offset, to);
        else
          edge_to_points(lines, offset, line, to);
    }
  }
}

// Step 2, for tile `index` of a batch of `tiles`, which is tile `tile` of the row.
BNN_INLINE void columns_to_points(
  const bnn_winograd_shape *s, size_t index, size_t tiles, regions r) {
  const size_t chunks = chunk_count(s), length = strip_length(s, tiles) * cell;
  const size_t point_step = tiles * chunks * cell;
  const float *from = r.strips + index * s->axes[1].outputs * cell;
  float *to = r.inputs + index * chunks * cell;
  for (size_t c = 0; c < chunks; c++, from += length, to += cell)
    BNN_UNROLL for (size_t lane = 0; lane < cell; lane += width) {
      floats_of_width d[points], v[points];
      BNN_UNROLL for (size_t i = 0; i < points; i++)
        memcpy(&d[i], from + i * cell + lane, sizeof d[i]);
      BNN_TO_POINTS(floats_of_width, d, v);
      BNN_UNROLL for (size_t i = 0; i < points; i++)
        memcpy(to + i * point_step + lane, &v[i], sizeof v[i]);
    }
}

// Adds the products of `count` channels, of which `first` is the first one in the weights, at the
// points of rows from `from` up to `to`.
BNN_INLINE void add_products(
  size_t tiles, size_t wide, size_t from, size_t to, size_t count, const float *inputs,
  size_t tile_step, const float *const *weights, size_t first, floats_of_width *sums) {
  for (size_t k = 0; k < count; k++) {
    BNN_UNROLL for (size_t y = from; y < to; y++) {
      const size_t place = ((first + k) * points + y) * output_block;
      floats_of_width weight[vectors];
      BNN_UNROLL for (size_t v = 0; v < wide; v++)
        memcpy(&weight[v], weights[v] + place, sizeof weight[v]);
      BNN_UNROLL for (size_t t = 0; t < tiles; t++) {
        const floats_of_width input = inputs[t * tile_step + y * chunk + k];
        BNN_UNROLL for (size_t v = 0; v < wide; v++)
          sums[(t * wide + v) * points_at_once + y - from] += input * weight[v];
      }
    }
  }
}

// The sums at some points of rows, from `from` on.
BNN_INLINE void sum_points(
  const bnn_winograd_shape *s, size_t tiles, size_t wide, size_t from, size_t counted,
  const float *inputs, const float *const *weights, floats_of_width *sums) {
  BNN_UNROLL for (size_t i = 0; i < tiles * wide * points_at_once; i++) sums[i] = 0;
  const size_t channels = phase_channels(s), tile_step = chunk_count(s) * cell;
  const size_t to = from + points_at_once;
  // One order for all kernels: phases without a last tap, whose products are smaller, come first.
  for (size_t phase = s->axes[0].stride; phase-- > 0;) {
    const bool is_full = phase < s->axes[0].full_phases;
    const float *input = inputs + phase * phase_chunks(s) * cell;
    for (size_t c = 0; c < counted; c += chunk, input += cell) {
      const size_t left = counted - c, count = left < chunk ? left : chunk;
      const size_t first = phase * channels + c;
      if (is_full || to < points)
        add_products(tiles, wide, from, to, count, input, tile_step, weights, first, sums);
      else
        add_products(tiles, wide, from, points - 1, count, input, tile_step, weights, first, sums);
    }
  }
}

// Step 3 for some tiles, vectors of outputs and a column's point: `counted` is how many
// channels of a phase of rows have a product there.
BNN_INLINE void sum_products(
  const bnn_winograd_shape *s, size_t tiles, size_t wide, size_t rows, size_t counted,
  const float *inputs, const float *const *weights, float *to) {
  BNN_UNROLL for (size_t from = 0; from < points; from += points_at_once) {
    floats_of_width sums[narrow_tiles * points_at_once];
    sum_points(s, tiles, wide, from, counted, inputs, weights, sums);
    BNN_UNROLL for (size_t t = 0; t < tiles; t++)
      BNN_UNROLL for (size_t v = 0; v < wide; v++) {
        const floats_of_width *own = sums + (t * wide + v) * points_at_once;
        float *place = to + t * rows * span + v * width;
        floats_of_width y[bnn_winograd_most_outputs];
        if (points_at_once == points) {
          from_points(rows, own, y);
        } else if (from == 0) {
          from_first_points(rows, own, y);
        } else {
          BNN_UNROLL for (size_t i = 0; i < rows; i++)
            memcpy(&y[i], place + i * span, sizeof y[i]);
          add_last_points(rows, own, y);
        }
        BNN_UNROLL for (size_t i = 0; i < rows; i++)
          memcpy(place + i * span, &y[i], sizeof y[i]);
      }
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

// Weights of a span at a point that fit into the first-level cache beside everything else, or
// nearly: beyond that, four tiles have to share what is read of them.
enum { most_wide_weights = 1 << 14 };

BNN_INLINE void sum_vectors(
  const bnn_winograd_shape *s, size_t tiles, size_t wide, size_t rows, size_t output, batch b,
  const float *packed_weights, regions r) {
  const size_t tile_step = chunk_count(s) * cell;
  for (size_t x = 0; x < points; x++) {
    const size_t phases = x + 1 == points ? s->axes[1].full_phases : s->axes[1].stride;
    const float *weights[vectors];
    BNN_UNROLL for (size_t v = 0; v < wide; v++) {
      const size_t o = output + v * width, block = o / output_block * points + x;
      weights[v] = packed_weights + block * point_weights(s) + o % output_block;
    }
    size_t t = 0;
#define BNN_SUM(together)                                                                  \
  sum_products(                                                                            \
    s, together, wide, rows, phases * s->channels,                                         \
    r.inputs + (x * b.tiles + t) * tile_step,                                              \
    weights, r.sums + (x * b.tiles + t) * rows * span + output % span)
    for (; t + tiles <= b.tiles; t += tiles) BNN_SUM(tiles);
    for (; t + 2 <= b.tiles; t += 2) BNN_SUM(2);
    for (; t < b.tiles; t++) BNN_SUM(1);
#undef BNN_SUM
  }
}

// Sums the outputs of a span from `output` on.
BNN_INLINE void sum_batch(
  const bnn_winograd_shape *s, size_t rows, size_t output, batch b, const float *packed_weights,
  regions r) {
  const size_t left = s->outputs - output;
  if (left > span - width && point_weights(s) * vectors <= most_wide_weights) {
    sum_vectors(s, wide_tiles, vectors, rows, output, b, packed_weights, r);
  } else {
    for (size_t o = output; o < output + span && o < s->outputs; o += width)
      sum_vectors(s, narrow_tiles, 1, rows, o, b, packed_weights, r);
  }
}

BNN_INLINE void store_batch(
  const bnn_winograd_shape *s, size_t columns, size_t tile_row, size_t output, batch b, regions r,
  float *const *out) {
  const size_t rows = s->axes[0].outputs;
  const size_t rows_left = s->axes[0].output - tile_row * rows;
  const size_t rows_present = rows_left < rows ? rows_left : rows;
  const size_t point_step = b.tiles * rows * span;
  for (size_t t = 0; t < b.tiles; t++) {
    const size_t column = (b.first_tile + t) * columns, left = s->axes[1].output - column;
    for (size_t lane = 0; lane < span; lane += width) {
      const size_t o = output + lane;
      if (o >= s->outputs) break;
      const size_t present = s->outputs - o;
      const float *sums = r.sums + t * rows * span + lane;
      for (size_t i = 0; i < rows_present; i++, sums += span) {
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
  const size_t length = tiles_of_batch(s), tiles = s->axes[1].tiles;
  memset(r.zeros, 0, s->axes[1].input * s->channels * sizeof(float));
  for (size_t first = 0; first < tiles; first += length) {
    const batch b = {first, tiles - first < length ? tiles - first : length};
    fill_strips(s, image, tile, b, r);
    for (size_t t = 0; t < b.tiles; t++) columns_to_points(s, t, b.tiles, r);
    for (size_t output = 0; output < s->outputs; output += span) {
#define BNN_SUM(rows) sum_batch(s, rows, output, b, packed_weights, r)
      BNN_WITH_OUTPUTS(s->axes[0].outputs, BNN_SUM)
#define BNN_STORE(columns) store_batch(s, columns, tile, output, b, r, out)
      BNN_WITH_OUTPUTS(s->axes[1].outputs, BNN_STORE)
    }
  }
}

#define BNN_WINOGRAD_FUNCTIONS .scratch_bytes = scratch_bytes, .tile_row = tile_row
