#include "bnn_threshold.h"

static inline unsigned test_i32(const int32_t *x, const int32_t *lower, const int32_t *upper) {
  unsigned bits = 0;
  for (int i = 0; i < 8; i++) bits |= (unsigned)(lower[i] <= x[i] && x[i] <= upper[i]) << i;
  return bits;
}

static inline unsigned test_f32(const float *x, const float *lower, const float *upper) {
  unsigned bits = 0;
  for (int i = 0; i < 8; i++) bits |= (unsigned)(lower[i] <= x[i] && x[i] <= upper[i]) << i;
  return bits;
}

#define BNN_TARGET
#define BNN_TEST_I32 test_i32
#define BNN_TEST_F32 test_f32
#include "threshold_loop.h"

const bnn_threshold bnn_threshold_64__scalar = {
  .name = "bnn_threshold_64__scalar",
  .isa = BNN_ISA_SCALAR,
  .integers = integers,
  .floats = floats,
};
