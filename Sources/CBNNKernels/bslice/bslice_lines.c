// Lines of planes in a thread's scratch, and the lines of output that are counted from them.
#include <string.h>

#include "bslice_plan.h"

// What a kept line holds: an input line of a part, a line outside of the image, or nothing yet.
enum { line_outside = -1, line_nothing = -2 };

// The scratch: what each kept line holds, the rows of fields of one line, the kept lines.
typedef struct scratch_parts {
  int64_t *held;
  uint64_t *source, *lines;
} scratch_parts;

static size_t kept_lines(const bnn_bslice_plan *plan) {
  return (size_t)plan->shape.window.kernel[0] * plan->kept_lines;
}
static size_t held_words(const bnn_bslice_plan *plan) { return (kept_lines(plan) + 7) / 8 * 8; }
static size_t source_words(const bnn_bslice_plan *plan) {
  return plan->field == 0 ? 0 : plan->source_rows * plan->plane_words;
}

static scratch_parts parts_of(const bnn_bslice_plan *plan, void *scratch) {
  uint64_t *words = scratch;
  uint64_t *source = words + held_words(plan);
  return (scratch_parts){scratch, source, source + source_words(plan)};
}

// The last plane is read up to a vector beyond its end.
size_t bnn_bslice_scratch_bytes(const bnn_bslice_plan *plan) {
  const size_t words = held_words(plan) + source_words(plan)
    + kept_lines(plan) * plan->line_words + 2 * plan->kernel->vector_words;
  return words * sizeof(uint64_t);
}

size_t bnn_bslice_line_vectors(const bnn_bslice_plan *plan) {
  const size_t vector = plan->kernel->vector_words;
  return ((size_t)plan->shape.window.output[2] * plan->lane_words + vector - 1) / vector;
}

size_t bnn_bslice_lines(const bnn_bslice_plan *plan) {
  const int64_t *output = plan->shape.window.output;
  return (size_t)(output[0] * output[1]) * plan->parts;
}

bnn_bslice_line bnn_bslice_line_at(const bnn_bslice_plan *plan, size_t line) {
  const int64_t *output = plan->shape.window.output;
  const size_t height = (size_t)output[1], width = (size_t)output[2];
  const size_t part = line / height % plan->parts, plane = line / height / plan->parts;
  const size_t left = width - part * plan->part_positions;
  bnn_bslice_line at = {
    .y = (int64_t)(line % height),
    .z = (int64_t)plane % output[0],
    .image = (int64_t)plane / output[0],
    .x = (int64_t)(part * plan->part_positions),
    .count = left < plan->part_positions ? left : plan->part_positions,
  };
  at.line = (size_t)at.z * height + (size_t)at.y;
  at.position = (plane * height + (size_t)at.y) * width + (size_t)at.x;
  return at;
}

void bnn_bslice_begin(const bnn_bslice_plan *plan, void *scratch) {
  int64_t *held = scratch;
  for (size_t i = 0; i < kept_lines(plan); i++) held[i] = line_nothing;
}

static void write_line(
  const bnn_bslice_plan *plan, const uint64_t *line, int64_t x, uint64_t *source, uint64_t *to) {
  if (plan->field == 0) return bnn_bslice_write_source(plan, line, x, to);
  bnn_bslice_write_source(plan, line, x, source);
  for (size_t first = 0; first < plan->shape.bits_per_tap; first += plan->field) {
    const size_t left = plan->shape.bits_per_tap - first;
    plan->kernel->spread(
      source + first / plan->field * plan->plane_words, plan->plane_words, plan->field,
      left < plan->field ? left : plan->field, plan->in_pairs, to + first * plan->plane_words,
      plan->plane_words);
  }
}

// Makes the input lines that an output line sees; returns its offsets.
static const uint32_t *make_lines(
  const bnn_bslice_plan *plan, const bnn_bslice_operands *operands, const bnn_bslice_line *at,
  scratch_parts scratch) {
  const bnn_window *w = &plan->shape.window;
  const size_t kept = plan->kept_lines, line_words = (size_t)w->input[2] * plan->pixel_words;
  const size_t first = (size_t)(at->y * w->stride[1]) % kept;
  const int64_t x = at->x * w->stride[2] - w->pad[2];
  for (int64_t kz = 0; kz < w->kernel[0]; kz++)
    for (int64_t ky = 0; ky < w->kernel[1]; ky++) {
      const int64_t z = at->z * w->stride[0] - w->pad[0] + kz * w->dilation[0];
      const int64_t y = at->y * w->stride[1] - w->pad[1] + ky * w->dilation[1];
      const size_t slot =
        (size_t)kz * kept + (first + (size_t)(ky * w->dilation[1])) % kept;
      const bool is_inside = z >= 0 && z < w->input[0] && y >= 0 && y < w->input[1];
      const int64_t line = (at->image * w->input[0] + z) * w->input[1] + y;
      const int64_t wanted =
        is_inside ? line * w->output[2] + at->x : (int64_t)line_outside;
      if (scratch.held[slot] == wanted) continue;
      scratch.held[slot] = wanted;
      write_line(
        plan, is_inside ? operands->input + (size_t)line * line_words : NULL, x, scratch.source,
        scratch.lines + slot * plan->line_words);
    }
  return operands->offsets + first * plan->inputs;
}

static bnn_bslice_rows rows_of(
  const bnn_bslice_plan *plan, const bnn_bslice_operands *operands, const bnn_bslice_line *at,
  void *scratch) {
  const scratch_parts parts = parts_of(plan, scratch);
  return (bnn_bslice_rows){
    .sharing = plan->lane_words / plan->plane_lanes,
    .inputs = plan->inputs,
    .count_bits = plan->count_bits,
    .words = at->count * plan->lane_words,
    .period = plan->period,
    .in_pairs = plan->in_pairs,
    .lines = parts.lines,
    .offsets = make_lines(plan, operands, at, parts),
    .weights = operands->weights,
  };
}

void bnn_bslice_bits(
  const bnn_bslice_plan *plan, const bnn_bslice_operands *operands, size_t first, size_t end,
  void *scratch, const bnn_bslice_tests *tests, uint64_t *out) {
  const size_t line_vectors = bnn_bslice_line_vectors(plan);
  const size_t width = (size_t)plan->shape.window.output[2];
  bnn_bslice_line at = bnn_bslice_line_at(plan, first);
  for (size_t line = first; line < end; line++) {
    const bnn_bslice_rows rows = rows_of(plan, operands, &at, scratch);
    bnn_bslice_tests own = *tests;
    own.index += at.line * line_vectors
      + (size_t)at.x * plan->lane_words / plan->kernel->vector_words;
    plan->kernel->bits(&rows, &own, out + at.position * plan->lane_words);
    if (++at.y == plan->shape.window.output[1]) {
      at = bnn_bslice_line_at(plan, line + 1);
    } else {
      at.line++;
      at.position += width;
    }
  }
}

void bnn_bslice_integers(
  const bnn_bslice_plan *plan, const bnn_bslice_operands *operands, size_t line, void *scratch,
  const int32_t *const *bases, int32_t *out) {
  const bnn_bslice_line at = bnn_bslice_line_at(plan, line);
  const bnn_bslice_rows rows = rows_of(plan, operands, &at, scratch);
  plan->kernel->integers(&rows, plan->lane_words, outputs_of(plan), bases, out);
}

void bnn_bslice_clear_planes(
  const bnn_bslice_plan *plan, size_t positions, bnn_planes *planes) {
  const size_t count = (positions + 7) / 8 * plan->lane_words;
  for (size_t i = 0; i < count; i++) {
    memset(planes[i].words[0], 0, sizeof planes->words[0]);
    const size_t after = plan->count_bits + 1;
    memset(planes[i].words[after], 0, (16 - after) * sizeof planes->words[0]);
  }
}

void bnn_bslice_planes(
  const bnn_bslice_plan *plan, const bnn_bslice_operands *operands, size_t line, void *scratch,
  size_t position, bnn_planes *planes) {
  const bnn_bslice_line at = bnn_bslice_line_at(plan, line);
  const bnn_bslice_rows rows = rows_of(plan, operands, &at, scratch);
  plan->kernel->planes(&rows, plan->lane_words, position, planes);
}
