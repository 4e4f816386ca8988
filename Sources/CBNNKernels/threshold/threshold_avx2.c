#include "bnn_threshold.h"

#if BNN_X86_64

#include <immintrin.h>

#define BNN_TARGET __attribute__((target("avx2")))

BNN_TARGET static inline unsigned test_i32(
  const int32_t *x, const int32_t *lower, const int32_t *upper) {
  __m256i value = _mm256_loadu_si256((const __m256i *)x);
  __m256i below = _mm256_cmpgt_epi32(_mm256_loadu_si256((const __m256i *)lower), value);
  __m256i above = _mm256_cmpgt_epi32(value, _mm256_loadu_si256((const __m256i *)upper));
  return 0xff & ~(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_or_si256(below, above)));
}

BNN_TARGET static inline unsigned test_f32(
  const float *x, const float *lower, const float *upper) {
  __m256 value = _mm256_loadu_ps(x);
  __m256 from = _mm256_cmp_ps(value, _mm256_loadu_ps(lower), _CMP_GE_OQ);
  __m256 to = _mm256_cmp_ps(value, _mm256_loadu_ps(upper), _CMP_LE_OQ);
  return (unsigned)_mm256_movemask_ps(_mm256_and_ps(from, to));
}

#define BNN_TEST_I32 test_i32
#define BNN_TEST_F32 test_f32
#include "threshold_loop.h"

const bnn_threshold bnn_threshold_64__avx2 = {
  .name = "bnn_threshold_64__avx2",
  .isa = BNN_ISA_AVX2,
  .integers = integers,
  .floats = floats,
};

#endif
