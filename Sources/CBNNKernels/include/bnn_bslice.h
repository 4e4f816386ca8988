// Binary convolutions of few channels per group: one bit for each output, side by side.
//
// The results of a line of positions are a row of bits, outputs of a position after each other and
// each position in whole words. For tap t and channel j of every group there is such a row of what
// the outputs see there. It is plane j of an input line, in which each channel's bit stands for all
// outputs of its group, moved by some pixels. Where there is one group and a position fills vectors, all
// of these are the same, and a plane has one of them. So the mismatches of 512, 256 or 128 outputs
//
//   Σ over (t, j) of plane bit XOR weight bit
//
// are counted at once by carry-save adders. They end as bit planes, which are compared with bit
// planes of bounds, or become integers
//
//   out[position][o] = bases[position][o] − 2 · mismatches
//
// A line of planes is made once and used by all taps of all output lines that see it.
//
// Adders take two inputs as one of them and where they differ. Where a group has an even number of
// channels that are fields, the plane of every second one holds where it differs from the one before
// it, as do its weights: one exclusive or less for two inputs.
#ifndef BNN_BSLICE_H
#define BNN_BSLICE_H

#include "bnn_bgemm.h"
#include "bnn_window.h"

typedef struct bnn_bslice bnn_bslice;

typedef struct bnn_bslice_shape {
  bnn_window window;
  size_t groups, bits_per_tap, outputs_per_group;
  bool outside_is_plus;
} bnn_bslice_shape;

// A shape and what follows from it. Lines are parts of lines of output positions, numbered over
// [image, output[0], part, output[1]], so that successive ones see the same input lines.
typedef struct bnn_bslice_plan {
  bnn_bslice_shape shape;
  const bnn_bslice *kernel;
  // Plane bits of all taps for one output, and bits of their number.
  size_t inputs, count_bits;
  size_t pixel_words, lane_words;
  // Words of a pixel in planes: those of a position, or of the vector that stands for all of them.
  size_t plane_lanes;
  // Vectors after which a line's positions begin at a vector again.
  size_t period;
  size_t part_positions, parts;
  // Input pixels of a part are ordered by their remainder by the stride.
  size_t phases, phase_pixels, part_pixels;
  // A line's planes: words of each, and of all. What they are made of: rows of fields of some bits,
  // or the planes themselves where `field` is 0.
  size_t plane_words, line_words, source_rows, field;
  // Whether every second plane holds where a channel differs from the one before it.
  bool in_pairs;
  // Where fields of fewer or more bits are on their way there, in runs of 1, 2, 4, … of them.
  uint64_t field_masks[7];
  // Input lines that are kept per tap along the first axis.
  size_t kept_lines;
} bnn_bslice_plan;

// One output line: its first position and how many, and its number among those of an image.
typedef struct bnn_bslice_line {
  size_t position, count, line;
  int64_t image, z, y, x;
} bnn_bslice_line;

// `offsets` and `weights` of a plan, and the image.
typedef struct bnn_bslice_operands {
  const uint32_t *offsets;
  const uint64_t *weights;
  const uint64_t *input;
} bnn_bslice_operands;

// Rows of bits to be counted: bit row i of vector v is lines[offsets[i] + v / sharing · words of a
// vector], where `sharing` vectors of a position see the same.
typedef struct bnn_bslice_rows {
  size_t sharing;
  size_t inputs, count_bits, words, period;
  // Whether every second row, and its weights, holds where an input differs from the one before it.
  bool in_pairs;
  const uint64_t *lines;
  const uint32_t *offsets;
  const uint64_t *weights;
} bnn_bslice_rows;

// A test of mismatches for every vector of a line; see `bnn_bslice_pack_test`.
typedef struct bnn_bslice_tests {
  const uint64_t *packed;
  const uint32_t *index;
  bool has_lower;
} bnn_bslice_tests;

typedef struct bnn_bslice_limit {
  size_t bits, integers;
} bnn_bslice_limit;

struct bnn_bslice {
  const char *name;
  bnn_isa isa;
  size_t vector_words;
  // Up to so many bits per tap it is faster than products of rows of bits of the same instruction
  // set: in several groups, of fewer than 64 outputs or more, and in one, where it ends in bits and
  // where integers are needed.
  bnn_bslice_limit most_narrow, most_wide, most_ungrouped;
  // `count` planes from a row of fields: in plane i each field is all ones or zeros as its bit i, or in
  // every second one of pairs as that differs from bit i − 1.
  void (*spread)(
    const uint64_t *source, size_t words, size_t field, size_t count, bool in_pairs,
    uint64_t *planes, size_t plane_words);
  void (*bits)(const bnn_bslice_rows *rows, const bnn_bslice_tests *tests, uint64_t *out);
  // Positions have `lane_words`, of which the first `outputs` bits count.
  void (*integers)(
    const bnn_bslice_rows *rows, size_t lane_words, size_t outputs, const int32_t *const *bases,
    int32_t *out);
  // Mismatches as planes instead, of positions from `position` on: [8 positions][word of a position].
  // Only planes that can be set are written. Null where a kernel has none.
  void (*planes)(
    const bnn_bslice_rows *rows, size_t lane_words, size_t position, bnn_planes *out);
};

#define BNN_BSLICE_KERNEL(object) BNN_DECLARE_KERNEL(bnn_bslice, object)
#include "bnn_bslice.inc"
#undef BNN_BSLICE_KERNEL
BNN_DECLARE_DISPATCH(bnn_bslice)

// What follows needs at least one tap, bit per tap, output and position.

// Whether the kernel is a good choice.
bool bnn_bslice_fits(
  const bnn_bslice *kernel, const bnn_bslice_shape *shape, bool needs_integers);

bnn_bslice_plan bnn_bslice_make_plan(const bnn_bslice *kernel, const bnn_bslice_shape *shape);

// Elements of `offsets`, words of weights, bytes of scratch (aligned to 64) of each thread.
size_t bnn_bslice_offset_count(const bnn_bslice_plan *plan);
size_t bnn_bslice_weight_words(const bnn_bslice_plan *plan);
size_t bnn_bslice_scratch_bytes(const bnn_bslice_plan *plan);

void bnn_bslice_fill_offsets(const bnn_bslice_plan *plan, uint32_t *offsets);
// Bit `tap · bits_per_tap + channel` of an output's row of `row_words` words is its weight.
void bnn_bslice_pack_weights(
  const bnn_bslice_plan *plan, const uint64_t *rows, size_t row_words, uint64_t *packed);

// A test for one vector of outputs: bit i is set when `fewest[i] <= mismatches <= most[i]` differs
// from bit i of `outside_is_plus`. Bounds are from 0 to the number of inputs, or 1 and 0 for none.
// Returns whether there are outputs with two bounds, for which `has_lower` has to be set.
size_t bnn_bslice_test_words(const bnn_bslice_plan *plan);
bool bnn_bslice_pack_test(
  const bnn_bslice_plan *plan, const uint32_t *fewest, const uint32_t *most,
  const uint64_t *outside_is_plus, uint64_t *packed);

// Vectors of one line with all its parts.
size_t bnn_bslice_line_vectors(const bnn_bslice_plan *plan);

// Lines of one image.
size_t bnn_bslice_lines(const bnn_bslice_plan *plan);
bnn_bslice_line bnn_bslice_line_at(const bnn_bslice_plan *plan, size_t line);

// Forgets what the scratch holds of another input.
void bnn_bslice_begin(const bnn_bslice_plan *plan, void *scratch);

// The bits of all outputs of some lines, whose positions have whole words. Tests have an index for
// each vector of each line of an image.
void bnn_bslice_bits(
  const bnn_bslice_plan *plan, const bnn_bslice_operands *operands, size_t first, size_t end,
  void *scratch, const bnn_bslice_tests *tests, uint64_t *out);

// Most mismatches that planes hold.
enum { bnn_bslice_most_in_planes = (1 << 14) - 1 };

// Clears what `bnn_bslice_planes` does not write in the planes of some positions.
void bnn_bslice_clear_planes(
  const bnn_bslice_plan *plan, size_t positions, bnn_planes *planes);

// The planes of all outputs of a line, whose first position is number `position` of the planes.
void bnn_bslice_planes(
  const bnn_bslice_plan *plan, const bnn_bslice_operands *operands, size_t line, void *scratch,
  size_t position, bnn_planes *planes);

// The integers of all outputs of a line.
void bnn_bslice_integers(
  const bnn_bslice_plan *plan, const bnn_bslice_operands *operands, size_t line, void *scratch,
  const int32_t *const *bases, int32_t *out);

#endif
