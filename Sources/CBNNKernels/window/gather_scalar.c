#include <string.h>

#include "../bits/word_bits.h"
#include "bnn_bits.h"
#include "bnn_window.h"
#include "quotient.h"

// Runs of a few words are the common case; a call to memcpy costs more than they do.
static inline void copy_words(uint64_t *to, const uint64_t *from, size_t count) {
  switch (count) {
    case 4: to[3] = from[3];  // fall through
    case 3: to[2] = from[2];  // fall through
    case 2: to[1] = from[1];  // fall through
    case 1: to[0] = from[0];  // fall through
    case 0: return;
    default: memcpy(to, from, count * sizeof(uint64_t));
  }
}

// What is the same for all rows of one call.
typedef struct source {
  const bnn_window *window;
  const uint64_t *input;
  size_t pixel_words, first_bit, bits;
} source;

// How `bits` from `first_bit` of a pixel reach bit `at` of a row, for taps along the last axis.
typedef void copy_taps(
  const source *from, const uint64_t *pixel, size_t pixel_step, size_t taps, uint64_t *row,
  size_t at);

static void copy_taps_by_words(
  const source *from, const uint64_t *pixel, size_t pixel_step, size_t taps, uint64_t *row,
  size_t at) {
  const size_t words = from->bits / 64;
  uint64_t *to = row + at / 64;
  pixel += from->first_bit / 64;
  if (words == pixel_step) return copy_words(to, pixel, taps * words);
  for (size_t t = 0; t < taps; t++, to += words, pixel += pixel_step) copy_words(to, pixel, words);
}

#define BNN_COPY_TAPS(function, type)                                                           \
  static void function(                                                                         \
    const source *from, const uint64_t *pixel, size_t pixel_step, size_t taps, uint64_t *row,   \
    size_t at) {                                                                                \
    const char *bits = (const char *)pixel + from->first_bit / 8;                               \
    char *to = (char *)row + at / 8;                                                            \
    for (size_t t = 0; t < taps; t++, to += sizeof(type), bits += 8 * pixel_step)               \
      memcpy(to, bits, sizeof(type));                                                           \
  }

BNN_COPY_TAPS(copy_taps_of_8, uint8_t)
BNN_COPY_TAPS(copy_taps_of_16, uint16_t)
BNN_COPY_TAPS(copy_taps_of_32, uint32_t)

static void copy_taps_by_bytes(
  const source *from, const uint64_t *pixel, size_t pixel_step, size_t taps, uint64_t *row,
  size_t at) {
  const size_t bytes = from->bits / 8;
  const char *bits = (const char *)pixel + from->first_bit / 8;
  char *to = (char *)row + at / 8;
  for (size_t t = 0; t < taps; t++) memcpy(to + t * bytes, bits + t * 8 * pixel_step, bytes);
}

static void copy_taps_by_bits(
  const source *from, const uint64_t *pixel, size_t pixel_step, size_t taps, uint64_t *row,
  size_t at) {
  for (size_t t = 0; t < taps; t++, at += from->bits, pixel += pixel_step)
    if (from->bits <= 64)
      bnn_write_bits(row, at, bnn_read_bits(pixel, from->first_bit, from->bits), from->bits);
    else
      bnn_copy_bits(row, at, pixel, from->first_bit, from->bits);
}

static void gather_row(
  const source *from, copy_taps *copy, const bnn_taps *taps, int outside, uint64_t *row,
  size_t row_words) {
  const bnn_window *w = from->window;
  const size_t row_bits = (size_t)(w->kernel[0] * w->kernel[1] * w->kernel[2]) * from->bits;
  // Whole-word taps that are all inside leave nothing to clear.
  int complete = copy == copy_taps_by_words;
  for (int axis = 0; axis < 3; axis++)
    complete &= taps->first[axis] == 0 && taps->end[axis] == w->kernel[axis];
  if (!complete) {
    memset(row, outside ? 0xff : 0, row_words * sizeof(uint64_t));
    if (outside && row_bits % 64 != 0) row[row_words - 1] = ((uint64_t)1 << row_bits % 64) - 1;
  }
  const int64_t x = taps->origin[2] + taps->first[2] * w->dilation[2];
  const size_t count = (size_t)(taps->end[2] - taps->first[2]);
  const size_t pixel_step = (size_t)w->dilation[2] * from->pixel_words;
  if (count == 0) return;
  for (int64_t kz = taps->first[0]; kz < taps->end[0]; kz++)
    for (int64_t ky = taps->first[1]; ky < taps->end[1]; ky++) {
      const int64_t z = taps->origin[0] + kz * w->dilation[0];
      const int64_t y = taps->origin[1] + ky * w->dilation[1];
      const int64_t pixel =
        ((taps->image * w->input[0] + z) * w->input[1] + y) * w->input[2] + x;
      const int64_t tap = (kz * w->kernel[1] + ky) * w->kernel[2] + taps->first[2];
      copy(
        from, from->input + (size_t)pixel * from->pixel_words, pixel_step, count, row,
        (size_t)tap * from->bits);
    }
}

static void gather_bits(
  const bnn_window *window, const uint64_t *input, size_t pixel_words, size_t first_bit,
  size_t bits, int outside, size_t position, size_t count, uint64_t *rows, size_t row_words) {
  const source from = {window, input, pixel_words, first_bit, bits};
  copy_taps *copy = copy_taps_by_bits;
  if (bits % 64 == 0 && first_bit % 64 == 0) {
    copy = copy_taps_by_words;
  } else if (first_bit % 8 == 0 && bits % 8 == 0) {
    copy = bits == 8 ? copy_taps_of_8
      : bits == 16   ? copy_taps_of_16
      : bits == 32   ? copy_taps_of_32
                     : copy_taps_by_bytes;
  }
  bnn_taps taps = bnn_window_taps(window, position);
  for (size_t i = 0; i < count; i++, bnn_window_next(window, &taps))
    gather_row(&from, copy, &taps, outside, rows + i * row_words, row_words);
}

// Where the pixel of tap (z, y, x), which may lie outside, begins.
static inline int64_t byte_of_pixel(
  const bnn_window *w, const bnn_taps *taps, const int64_t tap[3], size_t pixel_bytes) {
  int64_t pixel = taps->image;
  for (int axis = 0; axis < 3; axis++)
    pixel = pixel * w->input[axis] + taps->origin[axis] + tap[axis] * w->dilation[axis];
  return pixel * (int64_t)pixel_bytes;
}

// A few bytes, which a call would take longer for than copying them.
static inline void copy_few(char *to, const char *from, size_t bytes) {
  if (bytes > 256) {
    memcpy(to, from, bytes);
    return;
  }
#pragma clang loop unroll(disable)
  for (; bytes >= 16; bytes -= 16, to += 16, from += 16) memcpy(to, from, 16);
  if (bytes >= 8) memcpy(to, from, 8), bytes -= 8, to += 8, from += 8;
  if (bytes >= 4) memcpy(to, from, 4), bytes -= 4, to += 4, from += 4;
#pragma clang loop unroll(disable) vectorize(disable)
  for (; bytes > 0; bytes--) *to++ = *from++;
}

// What `fill_row` does, for taps of a constant number of few bytes: each is copied from inside or from
// outside without a branch that could be foreseen wrongly.
static inline __attribute__((always_inline)) void fill_small_taps(
  const bnn_window *w, const bnn_taps *taps, const char *input, size_t pixel_bytes,
  size_t tap_bytes, const char *outside, char *row) {
  const int64_t zero[3] = {0, 0, 0};
  const int64_t origin = byte_of_pixel(w, taps, zero, pixel_bytes);
  const int64_t line_bytes = w->input[2] * (int64_t)pixel_bytes;
  const int64_t step = w->dilation[2] * (int64_t)pixel_bytes;
  for (int64_t z = 0; z < w->kernel[0]; z++)
    for (int64_t y = 0; y < w->kernel[1]; y++) {
      const bool is_inside = (z >= taps->first[0]) & (z < taps->end[0]) & (y >= taps->first[1])
        & (y < taps->end[1]);
      const int64_t first = is_inside ? taps->first[2] : 0, end = is_inside ? taps->end[2] : 0;
      int64_t at = (z * w->dilation[0] * w->input[1] + y * w->dilation[1]) * line_bytes;
      for (int64_t x = 0; x < w->kernel[2]; x++, at += step) {
        const bool is_tap_inside = (x >= first) & (x < end);
        const char *from = is_tap_inside ? input + (origin + at) : outside;
        memcpy(row + at, from, tap_bytes);
      }
    }
}

// A row with the taps inside at their distance from tap 0 in the input. `outside` has a line of taps.
static void fill_row(
  const bnn_window *w, const bnn_taps *taps, const char *input, size_t pixel_bytes,
  size_t tap_bytes, const char *outside, char *row) {
  switch (tap_bytes) {
    case 4: return fill_small_taps(w, taps, input, pixel_bytes, 4, outside, row);
    case 8: return fill_small_taps(w, taps, input, pixel_bytes, 8, outside, row);
    case 16: return fill_small_taps(w, taps, input, pixel_bytes, 16, outside, row);
    default: break;
  }
  const int64_t zero[3] = {0, 0, 0};
  const int64_t origin = byte_of_pixel(w, taps, zero, pixel_bytes);
  const int64_t line_bytes = w->input[2] * (int64_t)pixel_bytes;
  const size_t taps_in_line = (size_t)w->kernel[2];
  const size_t step = (size_t)w->dilation[2] * pixel_bytes;
  // Whether the taps of a line lie side by side.
  const bool is_run = tap_bytes == step;
  for (int64_t z = 0; z < w->kernel[0]; z++)
    for (int64_t y = 0; y < w->kernel[1]; y++) {
      const int64_t at = (z * w->dilation[0] * w->input[1] + y * w->dilation[1]) * line_bytes;
      const int64_t from = origin + at;
      char *to = row + at;
      size_t first = 0, end = 0;
      if (z >= taps->first[0] && z < taps->end[0] && y >= taps->first[1] && y < taps->end[1]) {
        first = (size_t)taps->first[2];
        end = (size_t)taps->end[2];
      }
      if (is_run) {
        copy_few(to, outside, first * step);
        if (end > first)
          copy_few(to + first * step, input + from + first * step, (end - first) * step);
        copy_few(to + end * step, outside, (taps_in_line - end) * step);
      } else {
        for (size_t x = 0; x < taps_in_line; x++, to += step)
          copy_few(
            to, x >= first && x < end ? input + from + (int64_t)(x * step) : outside, tap_bytes);
      }
    }
}

// How many positions after this one lie in the same line and have all their taps inside, too, when
// this one has.
static size_t positions_inside(const bnn_window *w, const bnn_taps *taps) {
  const int64_t left = w->output[2] - 1 - taps->output[2];
  const int64_t last = w->input[2] - 1 - (w->kernel[2] - 1) * w->dilation[2];
  const int64_t steps = quotient(last - taps->origin[2], w->stride[2]);
  return (size_t)(steps < left ? steps : left);
}

static void gather_rows(
  const bnn_window *window, const void *input, size_t pixel_bytes, size_t tap_bytes,
  const void *outside, size_t position, size_t count, const void **rows, void *scratch,
  const bnn_row_places *places) {
  const int64_t zero[3] = {0, 0, 0};
  const size_t step = (size_t)window->stride[2] * pixel_bytes;
  char *next = scratch;
  size_t left = 0;
  bnn_taps taps = bnn_window_taps(window, position);
  for (size_t i = 0; i < count; bnn_window_next(window, &taps)) {
    int complete = 1;
    for (int axis = 0; axis < 3; axis++)
      complete &= taps.first[axis] == 0 && taps.end[axis] == window->kernel[axis];
    if (complete) {
      const char *row = (const char *)input + byte_of_pixel(window, &taps, zero, pixel_bytes);
      size_t run = positions_inside(window, &taps) + 1;
      if (run > count - i) run = count - i;
      for (size_t r = 0; r < run; r++, row += step) rows[i++] = row;
      taps.output[2] += (int64_t)run - 1;
    } else {
      if (left == 0) left = places->together;
      fill_row(window, &taps, input, pixel_bytes, tap_bytes, outside, next);
      rows[i++] = next;
      left--;
      next += left > 0 ? places->step : places->group_step - (places->together - 1) * places->step;
    }
  }
}

static void gather_floats(
  const bnn_window *w, const float *input, size_t pixel_channels, size_t first_channel,
  size_t channels, size_t position, size_t count, float *rows) {
  const size_t taps_per_row = (size_t)(w->kernel[0] * w->kernel[1] * w->kernel[2]);
  const int is_run = channels == pixel_channels && w->dilation[2] == 1;
  bnn_taps taps = bnn_window_taps(w, position);
  for (size_t i = 0; i < count; i++, rows += taps_per_row * channels, bnn_window_next(w, &taps)) {
    memset(rows, 0, taps_per_row * channels * sizeof(float));
    const size_t run = (size_t)(taps.end[2] - taps.first[2]);
    // A window beside the image has no pixel to point to.
    if (run == 0) continue;
    for (int64_t kz = taps.first[0]; kz < taps.end[0]; kz++)
      for (int64_t ky = taps.first[1]; ky < taps.end[1]; ky++) {
        const int64_t z = taps.origin[0] + kz * w->dilation[0];
        const int64_t y = taps.origin[1] + ky * w->dilation[1];
        const int64_t x = taps.origin[2] + taps.first[2] * w->dilation[2];
        const int64_t pixel =
          ((taps.image * w->input[0] + z) * w->input[1] + y) * w->input[2] + x;
        const int64_t tap = (kz * w->kernel[1] + ky) * w->kernel[2] + taps.first[2];
        const float *from = input + (size_t)pixel * pixel_channels + first_channel;
        float *to = rows + (size_t)tap * channels;
        const size_t step = (size_t)w->dilation[2] * pixel_channels;
        if (is_run) {
          memcpy(to, from, run * channels * sizeof(float));
        } else {
          for (size_t t = 0; t < run; t++)
            memcpy(to + t * channels, from + t * step, channels * sizeof(float));
        }
      }
  }
}

const bnn_gather bnn_gather_1__scalar = {
  .name = "bnn_gather_1__scalar",
  .isa = BNN_ISA_SCALAR,
  .bits = gather_bits,
  .rows = gather_rows,
  .floats = gather_floats,
};
