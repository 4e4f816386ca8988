// What planes are made of: rows of words of which each field of `field` bits holds some channels of
// the group that the outputs there belong to, or the planes themselves.
#include <string.h>

#include "../bits/word_bits.h"
#include "bslice_plan.h"

typedef enum source_kind {
  source_is_pixel,   // the words of a pixel
  source_is_copies,  // one group: the channels again and again
  source_is_moved,   // fields whose sizes divide words
  source_is_any,
} source_kind;

static source_kind kind_of(const bnn_bslice_plan *plan) {
  const bnn_bslice_shape *s = &plan->shape;
  const size_t bits = s->bits_per_tap;
  if (bits == s->outputs_per_group && (bits == 1 || bits == plan->field)) return source_is_pixel;
  if (s->groups == 1) return source_is_copies;
  if (plan->field != 0 && plan->field < 64 && 64 % bits == 0) return source_is_moved;
  return source_is_any;
}

// Fields of `width` bits, `stride` apart in runs of `run`; runs are `far` apart per field.
static uint64_t field_mask(size_t width, size_t stride, size_t far, size_t run) {
  uint64_t mask = 0;
  for (size_t i = 0; i * far < 64; i++) {
    const size_t at = i / run * run * far + i % run * stride;
    mask |= bnn_low_bits(width) << at;
  }
  return mask;
}

// Fields of channels are brought to where their outputs are: runs of fields are divided in halves
// that part, or joined to runs of twice as many.
void bnn_bslice_make_masks(bnn_bslice_plan *plan) {
  if (kind_of(plan) != source_is_moved) return;
  const size_t bits = plan->shape.bits_per_tap, field = plan->field;
  const size_t near = bits < field ? bits : field, far = bits < field ? field : bits;
  for (size_t i = 0; far << i <= 64; i++)
    plan->field_masks[i] = field_mask(near, near, far, (size_t)1 << i);
}

// `count` fields; each is moved by `distance` more than the one before.
static uint64_t part_fields(
  const uint64_t *masks, size_t count, size_t distance, uint64_t fields) {
  size_t i = (size_t)__builtin_ctzll(count);
  fields &= masks[i];
  while (i-- > 0) fields = (fields | fields << (distance << i)) & masks[i];
  return fields;
}

static uint64_t join_fields(
  const uint64_t *masks, size_t count, size_t distance, uint64_t fields) {
  fields &= masks[0];
  for (size_t i = 1; (size_t)1 << i <= count; i++)
    fields = (fields | fields >> (distance << (i - 1))) & masks[i];
  return fields;
}

static uint64_t moved_word(
  const bnn_bslice_plan *plan, const uint64_t *pixel, size_t row, size_t word) {
  const size_t bits = plan->shape.bits_per_tap, field = plan->field;
  if (bits <= field) {
    const size_t count = 64 / field, first = word * count * bits;
    const uint64_t own = first / 64 < plan->pixel_words ? pixel[first / 64] : 0;
    return part_fields(plan->field_masks, count, field - bits, own >> first % 64);
  }
  const size_t words = bits / field, count = 64 / bits;
  uint64_t fields = 0;
  for (size_t i = 0; i < words && word * words + i < plan->pixel_words; i++) {
    const uint64_t own = pixel[word * words + i] >> row * field;
    fields |= join_fields(plan->field_masks, count, bits - field, own) << i * count * field;
  }
  return fields;
}

// Field by field.
static uint64_t any_word(
  const bnn_bslice_plan *plan, const uint64_t *pixel, size_t row, size_t word) {
  const bnn_bslice_shape *s = &plan->shape;
  const size_t bits = s->bits_per_tap, outputs = s->outputs_per_group;
  uint64_t fields = 0;
  if (plan->field == 0) {
    for (size_t o = 64 * word, end; o < 64 * word + 64 && o < outputs_of(plan); o = end) {
      const size_t group = o / outputs;
      end = (group + 1) * outputs;
      if (end > 64 * word + 64) end = 64 * word + 64;
      if (bnn_read_bits(pixel, group * bits + row, 1)) fields |= bnn_low_bits(end - o) << o % 64;
    }
    return fields;
  }
  const size_t first = row * plan->field;
  const size_t count = bits - first < plan->field ? bits - first : plan->field;
  for (size_t at = 0; at < 64; at += plan->field) {
    const size_t group = (64 * word + at) / outputs;
    if (group >= s->groups) break;
    fields |= bnn_read_bits(pixel, group * bits + first, count) << at;
  }
  return fields;
}

static void write_pixel(
  const bnn_bslice_plan *plan, source_kind kind, const uint64_t *pixel, uint64_t *to) {
  const size_t words = plan->plane_lanes;
  for (size_t row = 0; row < plan->source_rows; row++, to += plan->plane_words)
    switch (kind) {
      case source_is_pixel:
        for (size_t w = 0; w < words; w++) to[w] = pixel[w];
        break;
      case source_is_copies:
        for (size_t w = 0; w < words; w++) to[w] = pixel[row];
        break;
      case source_is_moved:
        for (size_t w = 0; w < words; w++) to[w] = moved_word(plan, pixel, row, w);
        break;
      case source_is_any:
        for (size_t w = 0; w < words; w++) to[w] = any_word(plan, pixel, row, w);
        break;
    }
}

static void write_outside(const bnn_bslice_plan *plan, uint64_t *to) {
  const uint64_t bits = plan->shape.outside_is_plus ? ~(uint64_t)0 : 0;
  for (size_t row = 0; row < plan->source_rows; row++, to += plan->plane_words)
    for (size_t w = 0; w < plan->plane_lanes; w++) to[w] = bits;
}

// Pixels that are side by side on both sides.
static void write_run(
  const bnn_bslice_plan *plan, source_kind kind, const uint64_t *pixel, size_t count,
  uint64_t *to) {
  const size_t words = plan->plane_lanes;
  if (kind == source_is_pixel) {
    memcpy(to, pixel, count * words * sizeof *to);
  } else if (kind == source_is_copies && words == 2 && plan->pixel_words == 1) {
    for (size_t p = 0; p < count; p++) to[2 * p] = to[2 * p + 1] = pixel[p];
  } else {
    for (size_t p = 0; p < count; p++)
      write_pixel(plan, kind, pixel + p * plan->pixel_words, to + p * words);
  }
}

void bnn_bslice_write_source(
  const bnn_bslice_plan *plan, const uint64_t *line, int64_t x, uint64_t *to) {
  const source_kind kind = kind_of(plan);
  const int64_t left = plan->shape.window.input[2] - x, all = (int64_t)plan->part_pixels;
  const size_t words = plan->plane_lanes, phase_words = plan->phase_pixels * words;
  int64_t first = line == NULL ? all : -x, end = left < all ? left : all;
  first = first < 0 ? 0 : first < all ? first : all;
  if (end < first) end = first;
  if (plan->phases == 1) {
    for (int64_t p = 0; p < first; p++) write_outside(plan, to + (size_t)p * words);
    for (int64_t p = end; p < all; p++) write_outside(plan, to + (size_t)p * words);
    if (end > first)
      write_run(
        plan, kind, line + (size_t)(x + first) * plan->pixel_words,
        (size_t)(end - first), to + (size_t)first * words);
    return;
  }
  size_t phase = 0;
  for (int64_t p = 0; p < all; p++) {
    uint64_t *own = to + phase * phase_words;
    if (p >= first && p < end)
      write_pixel(plan, kind, line + (size_t)(x + p) * plan->pixel_words, own);
    else
      write_outside(plan, own);
    if (++phase == plan->phases) {
      phase = 0;
      to += words;
    }
  }
}
