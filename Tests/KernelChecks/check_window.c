// Gathering and pooling of what windows see. Taps outside of the image are found by asking each of
// them where it is.
#include "checks.h"

bnn_window random_window(bool fits) {
  bnn_window w;
  for (int axis = 0; axis < 3; axis++) {
    // Some images have fewer extents.
    const bool is_flat = axis == 0 ? random_below(2) == 0 : random_below(8) == 0;
    int64_t reach, room;
    do {
      w.input[axis] = is_flat ? 1 : random_between(1, 7);
      w.kernel[axis] = is_flat ? 1 : random_between(1, 4);
      w.stride[axis] = random_between(1, 3);
      w.dilation[axis] = random_between(1, 2);
      w.pad[axis] = is_flat ? 0 : random_between(0, 2);
      reach = (w.kernel[axis] - 1) * w.dilation[axis] + 1;
      room = w.input[axis] + 2 * w.pad[axis] - reach;
    } while (room < 0 || (fits && reach > w.input[axis]));
    w.output[axis] = room / w.stride[axis] + 1;
  }
  return w;
}

static size_t volume(const int64_t extents[3]) {
  return (size_t)(extents[0] * extents[1] * extents[2]);
}

// The pixel that a tap sees, or −1 outside of the image.
static int64_t pixel_of(const bnn_window *w, size_t position, size_t tap) {
  int64_t at[3], rest_of_position = (int64_t)position, rest_of_tap = (int64_t)tap;
  bool is_inside = true;
  for (int axis = 2; axis >= 0; axis--) {
    at[axis] = rest_of_position % w->output[axis] * w->stride[axis] - w->pad[axis]
      + rest_of_tap % w->kernel[axis] * w->dilation[axis];
    rest_of_position /= w->output[axis];
    rest_of_tap /= w->kernel[axis];
    is_inside &= at[axis] >= 0 && at[axis] < w->input[axis];
  }
  int64_t pixel = rest_of_position;
  for (int axis = 0; axis < 3; axis++) pixel = pixel * w->input[axis] + at[axis];
  return is_inside ? pixel : -1;
}

static void begin_window(side side, const char *name, const bnn_window *w, size_t channels) {
  char axes[3][64];
  for (int i = 0; i < 3; i++)
    snprintf(
      axes[i], sizeof axes[i], "%d/%d+%d*%d-%d", (int)w->input[i], (int)w->kernel[i],
      (int)w->stride[i], (int)w->dilation[i], (int)w->pad[i]);
  begin_case(side, "%s, input/kernel+stride*dilation-pad %s %s %s, %zu channels", name, axes[0],
    axes[1], axes[2], channels);
}

// A run of positions of some images.
typedef struct span {
  size_t images, position, count;
} span;

static span random_span(const bnn_window *w) {
  const size_t images = 1 + random_below(2), all = images * volume(w->output);
  const size_t position = random_below(all);
  return (span){images, position, 1 + random_below(all - position)};
}

static void check_bit_rows(const bnn_gather *kernel, side side, size_t first_bit, size_t bits) {
  const bnn_window w = random_window(false);
  const span s = random_span(&w);
  const size_t taps = volume(w.kernel), row_words = (taps * bits + 63) / 64;
  const size_t pixel_words = (first_bit + bits + 63) / 64 + random_below(2);
  const int outside = (int)random_below(2);
  begin_window(side, "bits", &w, bits);
  const size_t words = s.images * volume(w.input) * pixel_words;
  uint64_t *input = place(words * sizeof(uint64_t), 8);
  uint64_t *rows = place(s.count * row_words * sizeof(uint64_t), 8);
  for (size_t i = 0; i < words; i++) input[i] = random_bits();
  kernel->bits(
    &w, input, pixel_words, first_bit, bits, outside, s.position, s.count, rows, row_words);
  for (size_t i = 0; i < s.count; i++)
    for (size_t bit = 0; bit < row_words * 64; bit++) {
      bool expected = false;
      if (bit < taps * bits) {
        const int64_t pixel = pixel_of(&w, s.position + i, bit / bits);
        const size_t from = (size_t)pixel * pixel_words * 64 + first_bit + bit % bits;
        expected = pixel < 0 ? outside : (int)(input[from / 64] >> from % 64 & 1);
      }
      if ((rows[i * row_words + bit / 64] >> bit % 64 & 1) != expected)
        fail("bit %zu of row %zu is not %d", bit, i, expected);
    }
  end_case();
}

static size_t positions_with_taps_outside(const bnn_window *w, span s) {
  size_t result = 0;
  for (size_t i = 0; i < s.count; i++) {
    bool is_complete = true;
    for (size_t tap = 0; tap < volume(w->kernel); tap++)
      is_complete &= pixel_of(w, s.position + i, tap) >= 0;
    result += !is_complete;
  }
  return result;
}

static void check_pointed_rows(const bnn_gather *kernel, side side, size_t first, size_t elements) {
  const bnn_window w = random_window(true);
  const span s = random_span(&w);
  const size_t taps = volume(w.kernel), pixel_elements = first + elements + random_below(2) * 3;
  const size_t count = (s.images * volume(w.input) - 1) * pixel_elements + first + elements;
  begin_window(side, "rows", &w, elements);
  uint32_t *input = place(count * sizeof(uint32_t), 4);
  // A line of equal taps.
  const size_t line = (size_t)w.kernel[2] * elements;
  uint32_t *outside = place(line * sizeof(uint32_t), 4);
  uint32_t *offsets = place(taps * elements * sizeof(uint32_t), 4);
  const uint32_t **rows = place(s.count * sizeof *rows, sizeof *rows);
  bnn_window_offsets(&w, pixel_elements, elements, offsets);
  const bnn_row_places places = bnn_window_row_places(
    &w, pixel_elements * sizeof(uint32_t), elements * sizeof(uint32_t), 4 << random_below(3));
  void *scratch =
    place(bnn_row_places_bytes(&places, positions_with_taps_outside(&w, s)), 4);
  for (size_t i = 0; i < count; i++) input[i] = (uint32_t)random_bits();
  for (size_t i = 0; i < line; i++)
    outside[i] = i < elements ? (uint32_t)random_bits() : outside[i - elements];
  kernel->rows(
    &w, input + first, pixel_elements * sizeof(uint32_t), elements * sizeof(uint32_t), outside,
    s.position, s.count, (const void **)rows, scratch, &places);
  for (size_t i = 0; i < s.count; i++)
    for (size_t e = 0; e < taps * elements; e++) {
      const int64_t pixel = pixel_of(&w, s.position + i, e / elements);
      const uint32_t expected = pixel < 0
        ? outside[e % elements]
        : input[(size_t)pixel * pixel_elements + first + e % elements];
      if (rows[i][offsets[e]] != expected) fail("element %zu of row %zu is wrong", e, i);
    }
  end_case();
}

static void check_float_rows(const bnn_gather *kernel, side side, size_t first, size_t channels) {
  const bnn_window w = random_window(false);
  const span s = random_span(&w);
  const size_t width = volume(w.kernel) * channels, pixel_channels = first + channels;
  const size_t count = s.images * volume(w.input) * pixel_channels;
  begin_window(side, "floats", &w, channels);
  float *input = place(count * sizeof(float), 4);
  float *rows = place(s.count * width * sizeof(float), 4);
  for (size_t i = 0; i < count; i++) input[i] = random_number();
  kernel->floats(&w, input, pixel_channels, first, channels, s.position, s.count, rows);
  for (size_t i = 0; i < s.count * width; i++) {
    const int64_t pixel = pixel_of(&w, s.position + i / width, i % width / channels);
    const size_t from = (size_t)pixel * pixel_channels + first + i % channels;
    const float expected = pixel < 0 ? 0 : input[from];
    expect_floats("row", rows + i, &expected, 1);
  }
  end_case();
}

void check_gather(const bnn_gather *kernel) {
  for (int repeat = 0; repeat < 30; repeat++)
    EACH_SIDE(side) {
      EACH(size_t, bits, 1, 3, 8, 16, 24, 32, 33, 40, 63, 64, 65, 96, 128, 192, 256, 320)
      EACH(size_t, first, 0, 8, 5, 64)
      check_bit_rows(kernel, side, *first, *bits);
      EACH(size_t, elements, 1, 2, 3, 4, 8, 17) {
        check_pointed_rows(kernel, side, 0, *elements);
        check_pointed_rows(kernel, side, 2, *elements);
        check_float_rows(kernel, side, 0, *elements);
        check_float_rows(kernel, side, 2, *elements);
      }
    }
}

// One number of a pool, from the taps inside in their order.
static float pooled(
  const bnn_window *w, size_t position, const float *input, size_t channels, size_t c,
  bool is_maximum, float sign, float divisor) {
  float result = is_maximum ? -INFINITY : 0;
  bool is_first = true;
  for (size_t tap = 0; tap < volume(w->kernel); tap++) {
    const int64_t pixel = pixel_of(w, position, tap);
    if (pixel < 0) continue;
    const float x = copysignf(1, sign) * input[(size_t)pixel * channels + c];
    if (!is_maximum) {
      result += x;
    } else if (is_first || isnan(result) || x > result) {
      result = x;
    }
    is_first = false;
  }
  return is_maximum ? copysignf(1, sign) * result : result / divisor;
}

// Taps inside, or inside the image and its padding.
static float taps_counted(
  const bnn_window *w, size_t position, bool counts_padding, const int64_t pads_end[3]) {
  bnn_window counted = *w;
  for (int axis = 0; axis < 3 && counts_padding; axis++) {
    counted.input[axis] += w->pad[axis] + pads_end[axis];
    counted.pad[axis] = 0;
  }
  size_t taps = 0;
  for (size_t tap = 0; tap < volume(w->kernel); tap++)
    taps += pixel_of(&counted, position, tap) >= 0;
  return (float)taps;
}

// Padding at the end of an axis that the last window begins in or before, as it does where extents
// are rounded up.
static int64_t random_pad_end(const bnn_window *w, int axis) {
  const int64_t last = (w->output[axis] - 1) * w->stride[axis] - w->pad[axis];
  const int64_t least = last - w->input[axis] + 1;
  return random_between(least > 0 ? least : 0, w->pad[axis]);
}

typedef enum pool { maximum, extremum, average, average_with_padding, pool_count } pool;

static void check_pool(const bnn_windowpool *kernel, side side, size_t channels, pool pool) {
  const bnn_window w = random_window(false);
  const span s = random_span(&w);
  const bool is_maximum = pool <= extremum, counts_padding = pool == average_with_padding;
  int64_t pads_end[3];
  for (int axis = 0; axis < 3; axis++) pads_end[axis] = random_pad_end(&w, axis);
  begin_window(side, is_maximum ? "maximum" : "average", &w, channels);
  // Of some channels the minimum.
  const size_t padded = (channels + 63) / 64 * 64;
  float *signs = place(padded * sizeof(float), 4);
  for (size_t c = 0; c < padded; c++) signs[c] = pool == extremum && random_below(2) == 0 ? -0.0f : 0;
  const size_t count = s.images * volume(w.input) * channels;
  float *input = place(count * sizeof(float), 4);
  float *out = place(s.count * channels * sizeof(float), 4);
  fill_special(input, count);
  if (is_maximum) {
    kernel->maximum(
      &w, input, channels, pool == extremum ? (const uint32_t *)signs : NULL, s.position, s.count,
      out);
  } else {
    kernel->average(
      &w, input, channels, s.position, s.count, counts_padding, pads_end, out);
  }
  for (size_t i = 0; i < s.count; i++) {
    const float divisor = taps_counted(&w, s.position + i, counts_padding, pads_end);
    for (size_t c = 0; c < channels; c++) {
      const float expected =
        pooled(&w, s.position + i, input, channels, c, is_maximum, signs[c], divisor);
      expect_floats("number", out + i * channels + c, &expected, 1);
    }
  }
  end_case();
}

// Of small integers, whose sums are exact.
static void check_weighted(const bnn_windowpool *kernel, side side, size_t channels) {
  const bnn_window w = random_window(false);
  const span s = random_span(&w);
  begin_window(side, "weighted sum", &w, channels);
  const size_t count = s.images * volume(w.input) * channels;
  const size_t weight_count = volume(w.kernel) * channels;
  float *input = place(count * sizeof(float), 4);
  float *weights = place(weight_count * sizeof(float), 4);
  float *out = place(s.count * channels * sizeof(float), 4);
  for (size_t i = 0; i < count; i++) input[i] = (float)random_between(-100, 100);
  for (size_t i = 0; i < weight_count; i++) weights[i] = (float)random_between(-100, 100);
  kernel->weighted(&w, input, channels, weights, s.position, s.count, out);
  for (size_t i = 0; i < s.count; i++)
    for (size_t c = 0; c < channels; c++) {
      float expected = 0;
      for (size_t tap = 0; tap < volume(w.kernel); tap++) {
        const int64_t pixel = pixel_of(&w, s.position + i, tap);
        if (pixel >= 0)
          expected += input[(size_t)pixel * channels + c] * weights[tap * channels + c];
      }
      expect_floats("number", out + i * channels + c, &expected, 1);
    }
  end_case();
}

void check_windowpool(const bnn_windowpool *kernel) {
  for (int repeat = 0; repeat < 20; repeat++)
    for (pool pool = maximum; pool < pool_count; pool++) {
      EACH(
        size_t, channels, 1, 3, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 80, 127, 128, 130)
      EACH_SIDE(side) {
        check_pool(kernel, side, *channels, pool);
        check_weighted(kernel, side, *channels);
      }
    }
}
