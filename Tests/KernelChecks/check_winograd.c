#include "checks.h"

typedef struct shape {
  bnn_window window;
  size_t channels, outputs;
} shape;

// The operands of one case, in plain memory; `size` is the largest sum of products' magnitudes.
typedef struct operands {
  float *image, *weights;
  double *out, size;
} operands;

static size_t image_count(shape s) {
  return (size_t)(s.window.input[1] * s.window.input[2]) * s.channels;
}
static size_t weight_count(shape s) {
  return s.outputs * (size_t)(s.window.kernel[1] * s.window.kernel[2]) * s.channels;
}
static size_t row_count(shape s) { return (size_t)s.window.output[2] * s.outputs; }

static void convolve(shape s, operands *x, int64_t oy, int64_t ox, size_t o) {
  const bnn_window *w = &s.window;
  double sum = 0, size = 0;
  for (int64_t ky = 0; ky < w->kernel[1]; ky++)
    for (int64_t kx = 0; kx < w->kernel[2]; kx++) {
      const int64_t y = oy * w->stride[1] + ky - w->pad[1];
      const int64_t x_ = ox * w->stride[2] + kx - w->pad[2];
      if (y < 0 || x_ < 0 || y >= w->input[1] || x_ >= w->input[2]) continue;
      const float *pixel = x->image + (size_t)(y * w->input[2] + x_) * s.channels;
      const size_t tap = (o * (size_t)w->kernel[1] + (size_t)ky) * (size_t)w->kernel[2];
      const float *weights = x->weights + (tap + (size_t)kx) * s.channels;
      for (size_t c = 0; c < s.channels; c++) {
        const double product = (double)pixel[c] * (double)weights[c];
        sum += product;
        size += fabs(product);
      }
    }
  x->out[(size_t)oy * row_count(s) + (size_t)ox * s.outputs + o] = sum;
  if (size > x->size) x->size = size;
}

static operands make_operands(shape s) {
  operands x = {
    .image = reference(image_count(s) * sizeof(float)),
    .weights = reference(weight_count(s) * sizeof(float)),
    .out = reference((size_t)s.window.output[1] * row_count(s) * sizeof(double)),
  };
  for (size_t i = 0; i < image_count(s); i++) x.image[i] = random_number();
  for (size_t i = 0; i < weight_count(s); i++) x.weights[i] = random_number();
  for (int64_t oy = 0; oy < s.window.output[1]; oy++)
    for (int64_t ox = 0; ox < s.window.output[2]; ox++)
      for (size_t o = 0; o < s.outputs; o++) convolve(s, &x, oy, ox, o);
  return x;
}

// Rows of the result, and places for them: as many as there are.
typedef struct result {
  size_t first, count;
  float **out;
} result;

static result place_rows(shape s, size_t first, size_t most) {
  const size_t left = (size_t)s.window.output[1] - first;
  result r = {.first = first, .count = left < most ? left : most};
  r.out = place(r.count * sizeof *r.out, sizeof *r.out);
  for (size_t i = 0; i < r.count; i++) r.out[i] = place(row_count(s) * sizeof(float), 4);
  return r;
}

static void compare_rows(shape s, operands x, result r) {
  for (size_t i = 0; i < r.count; i++)
    for (size_t j = 0; j < row_count(s); j++) {
      const double expected = x.out[(r.first + i) * row_count(s) + j];
      const double found = (double)r.out[i][j];
      // The powers and differences of the points enlarge what is rounded.
      if (!(fabs(found - expected) <= 0x1p-20 * x.size))
        fail("row %zu, number %zu is %.9g instead of %.9g", r.first + i, j, found, expected);
    }
}

static void run_row(
  const bnn_winograd *kernel, shape s, const bnn_winograd_shape *tiles, operands x, size_t row) {
  const float *image = place_copy(x.image, image_count(s) * sizeof(float), 4);
  float *packed = place(bnn_winograd_weight_bytes(tiles), 4);
  bnn_winograd_pack_weights(
    tiles, place_copy(x.weights, weight_count(s) * sizeof(float), 4), packed);
  void *scratch = place(kernel->scratch_bytes(tiles), 4);
  const result rows = place_rows(s, row * tiles->axes[0].outputs, tiles->axes[0].outputs);
  kernel->tile_row(tiles, image, packed, row, scratch, rows.out);
  compare_rows(s, x, rows);
}

static void begin_shape(int side, shape s, size_t row) {
  const bnn_window *w = &s.window;
  begin_case(
    side, "%dx%d by %d, %d, pads %d, %d, image %dx%dx%zu, %zu outputs, row %zu", (int)w->kernel[1],
    (int)w->kernel[2], (int)w->stride[1], (int)w->stride[2], (int)w->pad[1], (int)w->pad[2],
    (int)w->input[1], (int)w->input[2], s.channels, s.outputs, row);
}

static void check_shape(const bnn_winograd *kernel, shape s) {
  bnn_winograd_shape tiles;
  if (!bnn_winograd_shape_of(&s.window, s.channels, s.outputs, &tiles)) return;
  // Buffers of checks have no room for more.
  if (bnn_winograd_weight_bytes(&tiles) > 1 << 20) return;
  const operands x = make_operands(s);
  EACH_SIDE(side)
    for (size_t row = 0; row < tiles.axes[0].tiles; row++) {
      begin_shape(side, s, row);
      run_row(kernel, s, &tiles, x, row);
      end_case();
    }
  free(x.image), free(x.weights), free(x.out);
}

// Both layouts of an image give the same numbers.
static void run_tile(
  const bnn_winograd1d *kernel, shape s, bool is_planar, operands x, size_t tile) {
  bnn_winograd1d_shape tiles;
  bnn_winograd1d_shape_of(&s.window, s.channels, s.outputs, is_planar, &tiles);
  float *image = place_copy(x.image, image_count(s) * sizeof(float), 4);
  if (is_planar) {
    const size_t pixels = image_count(s) / s.channels;
    for (size_t i = 0; i < image_count(s); i++)
      image[i] = x.image[i % pixels * s.channels + i / pixels];
  }
  float *packed = place(bnn_winograd1d_weight_bytes(&tiles), 4);
  bnn_winograd1d_pack_weights(
    &tiles, place_copy(x.weights, weight_count(s) * sizeof(float), 4), packed);
  void *scratch = place(kernel->scratch_bytes(&tiles), 4);
  const result rows = place_rows(s, tile * tiles.tile_rows, tiles.tile_rows);
  kernel->tile(&tiles, image, packed, tile, scratch, rows.out);
  compare_rows(s, x, rows);
}

static void check_lines(const bnn_winograd1d *kernel, shape s) {
  bnn_winograd1d_shape tiles;
  if (!bnn_winograd1d_shape_of(&s.window, s.channels, s.outputs, false, &tiles)) return;
  if (bnn_winograd1d_weight_bytes(&tiles) > 1 << 20) return;
  const operands x = make_operands(s);
  EACH_SIDE(side)
    for (size_t tile = 0; tile < tiles.tiles; tile++) {
      begin_shape(side, s, tile);
      run_tile(kernel, s, false, x, tile);
      run_tile(kernel, s, true, x, tile);
      end_case();
    }
  free(x.image), free(x.weights), free(x.out);
}

// An axis with a kernel of `taps` taps in each phase, the last of which some phases lack, and an
// output of at least one position.
static void choose_axis(bnn_window *window, int axis, size_t taps, size_t stride) {
  const int64_t kernel = (int64_t)(taps * stride - random_below(stride));
  const int64_t before = (int64_t)random_below((size_t)kernel + 2);
  const int64_t after = (int64_t)random_below((size_t)kernel);
  int64_t input = (int64_t)random_below(30) + 1;
  if (input + before + after < kernel) input = kernel;
  window->input[axis] = input;
  window->kernel[axis] = kernel;
  window->stride[axis] = (int64_t)stride;
  window->dilation[axis] = 1;
  window->pad[axis] = before;
  window->output[axis] = (input + before + after - kernel) / (int64_t)stride + 1;
}

void check_winograd(const bnn_winograd *kernel) {
  EACH(size_t, row_taps, 3, 4, 5)
  EACH(size_t, column_taps, 3, 4, 5)
  EACH(size_t, stride, 1, 2, 3, 4)
  EACH(size_t, channels, 1, 3, 8, 19)
  EACH(size_t, outputs, 1, 4, 8, 15, 16, 17, 40) {
    shape s = {.channels = *channels, .outputs = *outputs};
    s.window = (bnn_window){{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}};
    choose_axis(&s.window, 1, *row_taps, *stride);
    choose_axis(&s.window, 2, *column_taps, random_below(3) ? *stride : 1);
    if (random_below(4) == 0) check_shape(kernel, s);
  }
}

void check_winograd1d(const bnn_winograd1d *kernel) {
  EACH(size_t, row_taps, 4, 5, 6)
  EACH(size_t, width, 1, 3, 5)
  EACH(size_t, stride, 1, 2, 3, 4)
  EACH(size_t, channels, 1, 3, 5)
  EACH(size_t, outputs, 1, 8, 15, 16, 17, 32, 33, 40, 64, 65, 100) {
    shape s = {.channels = *channels, .outputs = *outputs};
    s.window = (bnn_window){{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}};
    choose_axis(&s.window, 1, *row_taps, *stride);
    choose_axis(&s.window, 2, *width, random_below(3) ? *stride : 1);
    if (random_below(4) == 0) check_lines(kernel, s);
  }
}
