#include <string.h>

#include "../bits/word_bits.h"
#include "bslice_plan.h"

static const bnn_bslice *const kernels[] = {
#define BNN_BSLICE_KERNEL(object) BNN_LIST_KERNEL(bnn_bslice, object)
#include "bnn_bslice.inc"
#undef BNN_BSLICE_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_bslice, kernels)

// A part's accumulators take about 16 KiB. Parts but the last begin at a vector of any kernel.
enum { part_outputs = 4096, part_step = 8 };

// Beyond these lines of planes leave the caches.
enum { most_scratch_bytes = 5 << 18 };

static size_t round_up(size_t value, size_t step) { return (value + step - 1) / step * step; }

static size_t greatest_common_divisor(size_t a, size_t b) {
  while (b != 0) {
    const size_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

// Fields are the outputs of a group where those fill a word, or a word. Otherwise planes are made
// directly.
static void choose_source(bnn_bslice_plan *plan) {
  const bnn_bslice_shape *shape = &plan->shape;
  const size_t outputs = shape->outputs_per_group;
  if (shape->groups == 1 || outputs % 64 == 0)
    plan->field = 64;
  else if (64 % outputs == 0 && !(outputs == 1 && shape->bits_per_tap == 1))
    plan->field = outputs;
  plan->source_rows = plan->field == 0
    ? shape->bits_per_tap
    : (shape->bits_per_tap + plan->field - 1) / plan->field;
  plan->in_pairs = shape->bits_per_tap % 2 == 0 && plan->field != 0 && plan->field % 2 == 0;
}

bnn_bslice_plan bnn_bslice_make_plan(const bnn_bslice *kernel, const bnn_bslice_shape *shape) {
  const bnn_window *w = &shape->window;
  const size_t vector = kernel->vector_words, width = (size_t)w->output[2];
  const size_t stride = (size_t)w->stride[2];
  bnn_bslice_plan plan = {.shape = *shape, .kernel = kernel};
  plan.inputs = (size_t)(w->kernel[0] * w->kernel[1] * w->kernel[2]) * shape->bits_per_tap;
  plan.count_bits = 64 - (size_t)__builtin_clzll(plan.inputs);
  plan.pixel_words = (shape->groups * shape->bits_per_tap + 63) / 64;
  plan.lane_words = (outputs_of(&plan) + 63) / 64;
  const bool is_shared = shape->groups == 1 && plan.lane_words % vector == 0;
  plan.plane_lanes = is_shared ? vector : plan.lane_words;
  plan.period = plan.lane_words / greatest_common_divisor(plan.lane_words, vector);
  const size_t fitting = part_outputs / (64 * plan.lane_words);
  const size_t parts = fitting < part_step ? (width + part_step - 1) / part_step
                                           : (width + fitting - 1) / fitting;
  plan.part_positions = parts == 1 ? width : round_up((width + parts - 1) / parts, part_step);
  plan.parts = (width + plan.part_positions - 1) / plan.part_positions;
  plan.part_pixels = (plan.part_positions - 1) * stride
    + (size_t)((w->kernel[2] - 1) * w->dilation[2]) + 1;
  plan.phases = stride;
  plan.phase_pixels = (plan.part_pixels + stride - 1) / stride;
  choose_source(&plan);
  bnn_bslice_make_masks(&plan);
  plan.plane_words = round_up(plan.phases * plan.phase_pixels * plan.plane_lanes, 8);
  plan.line_words = plan.plane_words * shape->bits_per_tap;
  plan.kept_lines = (size_t)((w->kernel[1] - 1) * w->dilation[1]) + 1;
  return plan;
}

bool bnn_bslice_fits(
  const bnn_bslice *kernel, const bnn_bslice_shape *shape, bool needs_integers) {
  const bnn_bslice_limit most = shape->groups == 1 ? kernel->most_ungrouped
    : shape->outputs_per_group < 64                ? kernel->most_narrow
                                                   : kernel->most_wide;
  if (shape->bits_per_tap > (needs_integers ? most.integers : most.bits)) return false;
  // Windows may be so large that their planes cannot be counted in 64 bits.
  const bnn_window *w = &shape->window;
  double words = (double)shape->bits_per_tap;
  for (int axis = 0; axis < 3; axis++)
    words *= (double)w->kernel[axis] * (double)w->dilation[axis] * (double)w->stride[axis];
  if (words > most_scratch_bytes) return false;
  const bnn_bslice_plan plan = bnn_bslice_make_plan(kernel, shape);
  return bnn_bslice_scratch_bytes(&plan) <= most_scratch_bytes;
}

size_t bnn_bslice_offset_count(const bnn_bslice_plan *plan) {
  return plan->kept_lines * plan->inputs;
}

size_t bnn_bslice_weight_words(const bnn_bslice_plan *plan) {
  return plan->period * plan->inputs * plan->kernel->vector_words;
}

// The order of inputs: taps of a line last, so that they find the plane, or the two of a pair, in the
// cache.
static size_t input_of(const bnn_bslice_plan *plan, size_t tap, size_t channel) {
  const size_t width = (size_t)plan->shape.window.kernel[2], step = plan->in_pairs ? 2 : 1;
  const size_t place = channel % step, first = channel - place;
  return (tap / width * plan->shape.bits_per_tap + first) * width + tap % width * step + place;
}

void bnn_bslice_fill_offsets(const bnn_bslice_plan *plan, uint32_t *offsets) {
  const bnn_window *w = &plan->shape.window;
  const size_t kept = plan->kept_lines;
  for (size_t first = 0; first < kept; first++, offsets += plan->inputs)
    for (size_t tap = 0; tap < plan->inputs / plan->shape.bits_per_tap; tap++) {
      const size_t x = tap % (size_t)w->kernel[2] * (size_t)w->dilation[2];
      const size_t line = tap / (size_t)w->kernel[2];
      const size_t y = line % (size_t)w->kernel[1] * (size_t)w->dilation[1];
      const size_t slot = line / (size_t)w->kernel[1] * kept + (first + y) % kept;
      const size_t pixel = x % plan->phases * plan->phase_pixels + x / plan->phases;
      for (size_t channel = 0; channel < plan->shape.bits_per_tap; channel++)
        offsets[input_of(plan, tap, channel)] = (uint32_t)(
          slot * plan->line_words + channel * plan->plane_words + pixel * plan->plane_lanes);
    }
}

void bnn_bslice_pack_weights(
  const bnn_bslice_plan *plan, const uint64_t *rows, size_t row_words, uint64_t *packed) {
  const size_t vector = plan->kernel->vector_words, bits = plan->shape.bits_per_tap;
  memset(packed, 0, bnn_bslice_weight_words(plan) * sizeof *packed);
  for (size_t word = 0; word < plan->period * vector; word++) {
    uint64_t *to = packed + word / vector * plan->inputs * vector + word % vector;
    const size_t first = word % plan->lane_words * 64, left = outputs_of(plan) - first;
    for (size_t i = 0; i < plan->inputs; i += 64) {
      uint64_t block[64] = {0};
      for (size_t bit = 0; bit < 64 && bit < left; bit++)
        block[bit] = rows[(first + bit) * row_words + i / 64];
      bnn_transpose_words(block);
      for (size_t k = i; k < i + 64 && k < plan->inputs; k++) {
        const uint64_t before = plan->in_pairs && k % 2 == 1 ? block[k - i - 1] : 0;
        to[input_of(plan, k / bits, k % bits) * vector] = block[k - i] ^ before;
      }
    }
  }
}

size_t bnn_bslice_test_words(const bnn_bslice_plan *plan) {
  return (1 + 2 * plan->count_bits) * plan->kernel->vector_words;
}

// Packed: which bits are inverted; the upper bounds; the complement of the lower ones.
bool bnn_bslice_pack_test(
  const bnn_bslice_plan *plan, const uint32_t *fewest, const uint32_t *most,
  const uint64_t *outside_is_plus, uint64_t *packed) {
  const size_t vector = plan->kernel->vector_words, bounds = plan->count_bits * vector;
  bool has_two = false;
  memset(packed, 0, bnn_bslice_test_words(plan) * sizeof *packed);
  for (size_t i = 0; i < 64 * vector; i++) {
    uint32_t lower = fewest[i], upper = most[i];
    uint64_t inverted = outside_is_plus[i / 64] >> i % 64 & 1;
    const bool is_empty = lower > upper;
    if (lower > 0 && (is_empty || upper >= plan->inputs)) {
      upper = is_empty ? (uint32_t)plan->inputs : lower - 1;
      lower = 0;
      inverted ^= 1;
    }
    has_two |= lower > 0;
    uint64_t *to = packed + i / 64;
    *to |= inverted << i % 64;
    for (size_t b = 0; b < plan->count_bits; b++) {
      to += vector;
      to[0] |= (uint64_t)(upper >> b & 1) << i % 64;
      to[bounds] |= (uint64_t)(~lower >> b & 1) << i % 64;
    }
  }
  return has_two;
}
