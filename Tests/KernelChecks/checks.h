// What the checks of kernels share: buffers between pages that cannot be touched, random operands
// and the report.
//
// Every case runs with its buffers at the start and again at the end of their pages, so that an
// access outside of a buffer ends the program, wherever alignment leaves no gap. Bytes next to a
// buffer that can be accessed are compared afterwards.
#ifndef CHECKS_H
#define CHECKS_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CBNNKernels.h"

typedef enum side { at_start, at_end, side_count } side;

// Says whether the CPU runs the kernel, and if so begins its cases, the same for every kernel.
bool begin_kernel(const char *name, bnn_isa isa);
void end_kernel(void);

// Names the case that follows, with buffers at that side of their pages.
__attribute__((format(printf, 2, 3))) void begin_case(side side, const char *format, ...);
// Compares what is next to the buffers of the case and frees them.
void end_case(void);

#define EACH_SIDE(name) for (side name = at_start; name < side_count; name++)
#define EACH(type, name, ...)                                                            \
  for (const type *name = (const type[]){__VA_ARGS__},                                   \
                  *name##_end = name + sizeof((const type[]){__VA_ARGS__}) / sizeof(type); \
       name < name##_end; name++)

// Buffers of the current case, filled with the byte `untouched`, or with a copy.
enum { untouched = 0xa5 };
void *place(size_t bytes, size_t alignment);
void *place_copy(const void *from, size_t bytes, size_t alignment);

// Memory for references, filled with `untouched`; ends the program where there is none.
void *reference(size_t bytes);

// End the program with the current case unless all elements are the same.
void expect_bytes(const char *what, const void *found, const void *expected, size_t bytes);
// Bit for bit, but any NaN is a NaN.
void expect_floats(const char *what, const float *found, const float *expected, size_t count);
__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *format, ...);

uint64_t random_bits(void);
static inline size_t random_below(size_t bound) { return random_bits() % bound; }
static inline int64_t random_between(int64_t low, int64_t high) {
  return low + (int64_t)random_below((size_t)(high - low + 1));
}
// In (−2, 2); `random_special` is often a zero, an infinity, a NaN or a small integer instead.
float random_number(void);
float random_special(void);
void fill_special(float *numbers, size_t count);
// A window with an output of at least one position, for images of up to `dimensions` extents.
// Where `fits`, it is no larger than the image without its padding.
bnn_window random_window(bool fits);

void check_bgemm(const bnn_bgemm *kernel);
void check_bslice(const bnn_bslice *kernel);
void check_bits(const bnn_bits *kernel);
void check_copy_bits(void);
void check_epilogue(const bnn_epilogue *kernel);
void check_fgemm(const bnn_fgemm *kernel);
void check_gather(const bnn_gather *kernel);
void check_igemm(const bnn_igemm *kernel);
void check_transpose(void);
void check_transpose_bits(void);
void check_threads(void);
void check_pointwise(const bnn_pointwise *kernel);
void check_windowpool(const bnn_windowpool *kernel);
void check_winograd(const bnn_winograd *kernel);
void check_winograd1d(const bnn_winograd1d *kernel);

#endif
