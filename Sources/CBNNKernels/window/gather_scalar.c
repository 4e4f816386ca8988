#include <string.h>

#include "../bits/word_bits.h"
#include "bnn_bits.h"
#include "bnn_window.h"

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

static void copy_taps_by_bytes(
  const source *from, const uint64_t *pixel, size_t pixel_step, size_t taps, uint64_t *row,
  size_t at) {
  const size_t bytes = from->bits / 8;
  const uint8_t *source_byte = (const uint8_t *)pixel + from->first_bit / 8;
  uint8_t *to = (uint8_t *)row + at / 8;
  const size_t step = pixel_step * 8;
  if (bytes == 1)
    for (size_t t = 0; t < taps; t++) to[t] = source_byte[t * step];
  else
    for (size_t t = 0; t < taps; t++) memcpy(to + t * bytes, source_byte + t * step, bytes);
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
  } else if (first_bit % 8 == 0 && (bits == 8 || (bits > 64 && bits % 8 == 0))) {
    copy = copy_taps_by_bytes;
  }
  bnn_taps taps = bnn_window_taps(window, position);
  for (size_t i = 0; i < count; i++, bnn_window_next(window, &taps))
    gather_row(&from, copy, &taps, outside, rows + i * row_words, row_words);
}

// The first word of the pixel of tap (z, y, x), which may lie outside.
static inline int64_t word_of_pixel(
  const bnn_window *w, const bnn_taps *taps, const int64_t tap[3], size_t pixel_words) {
  int64_t pixel = taps->image;
  for (int axis = 0; axis < 3; axis++)
    pixel = pixel * w->input[axis] + taps->origin[axis] + tap[axis] * w->dilation[axis];
  return pixel * (int64_t)pixel_words;
}

// A row with the words of the input inside, at their distance from tap 0.
static void fill_row(
  const bnn_window *w, const bnn_taps *taps, const uint64_t *input, size_t pixel_words,
  size_t words, const uint64_t *outside, uint64_t *row) {
  const int64_t zero[3] = {0, 0, 0};
  const int64_t origin = word_of_pixel(w, taps, zero, pixel_words);
  int64_t tap[3];
  for (tap[0] = 0; tap[0] < w->kernel[0]; tap[0]++)
    for (tap[1] = 0; tap[1] < w->kernel[1]; tap[1]++)
      for (tap[2] = 0; tap[2] < w->kernel[2]; tap[2]++) {
        int inside = 1;
        for (int axis = 0; axis < 3; axis++)
          inside &= tap[axis] >= taps->first[axis] && tap[axis] < taps->end[axis];
        const int64_t word = word_of_pixel(w, taps, tap, pixel_words);
        copy_words(row + (word - origin), inside ? input + word : outside, words);
      }
}

static void gather_bit_rows(
  const bnn_window *window, const uint64_t *input, size_t pixel_words, size_t first_word,
  size_t words, const uint64_t *outside, size_t position, size_t count, const uint64_t **rows,
  uint64_t *scratch, size_t scratch_words) {
  const int64_t zero[3] = {0, 0, 0};
  bnn_taps taps = bnn_window_taps(window, position);
  input += first_word;
  for (size_t i = 0; i < count; i++, bnn_window_next(window, &taps)) {
    int complete = 1;
    for (int axis = 0; axis < 3; axis++)
      complete &= taps.first[axis] == 0 && taps.end[axis] == window->kernel[axis];
    if (complete) {
      rows[i] = input + word_of_pixel(window, &taps, zero, pixel_words);
    } else {
      fill_row(window, &taps, input, pixel_words, words, outside, scratch);
      rows[i] = scratch;
      scratch += scratch_words;
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
  .bit_rows = gather_bit_rows,
  .floats = gather_floats,
};
