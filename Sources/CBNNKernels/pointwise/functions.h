// Elementary functions of float32 numbers, without branches, for loops that the compiler
// vectorizes. They are computed in double precision, so that the result is the nearest number (but
// for 24 numbers of tanh and 16 of erf, where it is the other neighbor) and never falls where the
// function rises, and with operations that every CPU rounds alike (no fused ones): BNNTensor
// computes the same numbers bit for bit. Coefficients: fixtures/scripts/fit_functions.py.
#ifndef BNN_FUNCTIONS_H
#define BNN_FUNCTIONS_H

#include <stdint.h>
#include <string.h>

#pragma clang fp contract(off)

#define BNN_FUNCTION __attribute__((always_inline)) static inline

BNN_FUNCTION uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

BNN_FUNCTION double from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// A double to which adding a small number leaves the nearest integer in the lowest bits.
static const double rounding_shift = 0x1.8p52;

static const double ln2_high = 0x1.62e42fee00000p-1;  // 32 bits: a product with an exponent is exact
static const double ln2_low = 1.9082149292705877e-10;

// e^x for |x| < 700: 2^n · e^r with |r| <= ln 2 / 2, e^r = 1 + r + r² · p(r).
BNN_FUNCTION double exponential_in_range(double x) {
  const double shifted = x * 1.4426950408889634 + rounding_shift, n = shifted - rounding_shift;
  const double r = x - n * ln2_high - n * ln2_low;
  double p = 2.761380686153829e-07;
  p = p * r + 2.762511557828763e-06;
  p = p * r + 2.4801536388690766e-05;
  p = p * r + 0.00019841208732536384;
  p = p * r + 0.0013888888905881542;
  p = p * r + 0.008333333353729397;
  p = p * r + 0.04166666666665136;
  p = p * r + 0.1666666666664829;
  p = p * r + 0.5;
  return (1 + (r + r * r * p)) * from_bits((bits_of(shifted) + 1023) << 52);
}

// Beyond the limits the result is 0 and infinity as well.
BNN_FUNCTION float exponential_of(float x) {
  const float above = x < -150 ? -150 : x;
  return (float)exponential_in_range(above > 130 ? 130 : above);
}

// log((1 + s) / (1 − s)) for |s| <= 0.1716: 2 s + 2 s³ · p(s²).
BNN_FUNCTION double logarithm_of_ratio(double s) {
  const double z = s * s;
  double p = 0.08311038520891986;
  p = p * z + 0.0907008830015765;
  p = p * z + 0.11111431336825661;
  p = p * z + 0.14285712067353898;
  p = p * z + 0.20000000005608948;
  p = p * z + 0.3333333333333104;
  return 2 * (s + s * z * p);
}

// log(2^k · m) with m from √½ to √2.
BNN_FUNCTION float logarithm_of(float x) {
  const uint64_t bits = bits_of(x);
  const uint64_t biased = (bits + (UINT64_C(1024) << 52) - UINT64_C(0x3fe6a09e667f3bcd)) >> 52;
  const double m = from_bits(bits - ((biased - 1024) << 52));
  const double k = from_bits(biased | UINT64_C(0x4330000000000000)) - (0x1p52 + 1024);
  const double y = k * ln2_high + (k * ln2_low + logarithm_of_ratio((m - 1) / (m + 1)));
  const float finite = x > 0 ? (float)y : (x == 0 ? -__builtin_inff() : __builtin_nanf(""));
  return x < __builtin_inff() ? finite : x;
}

// log(1 + x) for x from 0 to 1.
BNN_FUNCTION float logarithm_of_one_plus(float x) {
  const double y = x;
  const _Bool is_large = x > 0.41421356f;
  const double s = (is_large ? y - 1 : y) / (is_large ? y + 3 : y + 2);
  return (float)((is_large ? 0.6931471805599453 : 0) + logarithm_of_ratio(s));
}

// (e^2|x| − 1) / (e^2|x| + 1) with the sign of x; numbers so small that it rounds to x are kept,
// for which the difference would lose its bits.
BNN_FUNCTION float tanh_of(float x) {
  const float magnitude = __builtin_fabsf(x);
  const double e = exponential_in_range(2 * (double)(magnitude > 20 ? 20 : magnitude));
  const float y = __builtin_copysignf((float)((e - 1) / (e + 1)), x);
  return magnitude < 0x1p-13f ? x : y;
}

// x · p((x² − 8) / 8), even and odd powers apart: from 4 on the result is ±1.
BNN_FUNCTION float erf_of(float x) {
  const float above = x < -4 ? -4 : x;
  const double y = above > 4 ? 4 : above, u = y * y * 0.125 - 1, v = u * u;
  double even = 1.470596054227332e-07;
  even = even * v + 6.435055673730993e-07;
  even = even * v + 7.17946533355761e-06;
  even = even * v + 4.751330675829427e-05;
  even = even * v + 0.00027577056977207826;
  even = even * v + 0.0012925067184882686;
  even = even * v + 0.0048535834651676395;
  even = even * v + 0.01434959246109288;
  even = even * v + 0.03306063349320292;
  even = even * v + 0.05988690492345173;
  even = even * v + 0.09020899411407204;
  even = even * v + 0.13167511689468112;
  even = even * v + 0.35353099564340495;
  double odd = -4.877086856145344e-07;
  odd = odd * v - 1.7848993024438428e-06;
  odd = odd * v - 1.9631487154950747e-05;
  odd = odd * v - 0.00011653664526997821;
  odd = odd * v - 0.0006137606235525727;
  odd = odd * v - 0.002577846611250372;
  odd = odd * v - 0.008606338067955617;
  odd = odd * v - 0.022473544656357074;
  odd = odd * v - 0.04576511340256077;
  odd = odd * v - 0.07472786553616904;
  odd = odd * v - 0.10771044253534588;
  odd = odd * v - 0.17657623330130645;
  return (float)(y * (even + u * odd));
}

#endif
