// Blocks of up to 64 channels as vectors of 16 numbers, which the compiler maps to the registers of
// BNN_TARGET; the including file defines it, and BNN_HAS_MASKS where parts of vectors are read and
// written by masks (AVX-512).
#ifndef BNN_CHANNEL_BLOCKS_H
#define BNN_CHANNEL_BLOCKS_H

#include <string.h>

#include "bnn_isa.h"

#ifdef BNN_HAS_MASKS
#include <immintrin.h>
#endif

#define BNN_INLINE BNN_TARGET static inline __attribute__((always_inline))
#define BNN_UNROLL _Pragma("clang loop unroll(full)")

enum { lanes = 16, block = 64 };

typedef float floats16 __attribute__((ext_vector_type(16)));
typedef int32_t integers16 __attribute__((ext_vector_type(16)));
typedef bool bits16 __attribute__((ext_vector_type(16)));

// The 1 to 4 vectors of a block of channels. Only the first `rest` lanes of the last one are
// there, all of them where it is 0. Both are constants at every call, or `rest` is not 0.
typedef struct span {
  size_t vectors, rest;
} span;

// Vectors are passed by address: by value they would cross the boundaries of targets.
#ifdef BNN_HAS_MASKS
BNN_INLINE void load_some(void *to, const void *from, size_t count) {
  const __m512i vector = _mm512_maskz_loadu_epi32((__mmask16)((1u << count) - 1), from);
  memcpy(to, &vector, sizeof vector);
}

BNN_INLINE void store_some(void *to, const void *from, size_t count) {
  __m512i vector;
  memcpy(&vector, from, sizeof vector);
  _mm512_mask_storeu_epi32(to, (__mmask16)((1u << count) - 1), vector);
}
#else
// Parts of constant sizes need no calls.
BNN_INLINE void copy_some(char *to, const char *from, size_t count) {
  BNN_UNROLL for (size_t part = lanes / 2; part > 0; part /= 2)
    if (count & part) {
      memcpy(to, from, part * 4);
      to += part * 4;
      from += part * 4;
    }
}

BNN_INLINE void load_some(void *to, const void *from, size_t count) {
  memset(to, 0, lanes * 4);
  copy_some(to, from, count);
}

BNN_INLINE void store_some(void *to, const void *from, size_t count) {
  copy_some(to, from, count);
}
#endif

BNN_INLINE void load(void *to, const void *from, span s, size_t vector) {
  const char *at = (const char *)from + vector * lanes * 4;
  if (s.rest != 0 && vector + 1 == s.vectors)
    load_some(to, at, s.rest);
  else
    memcpy(to, at, lanes * 4);
}

BNN_INLINE void store(void *to, const void *from, span s, size_t vector) {
  char *at = (char *)to + vector * lanes * 4;
  if (s.rest != 0 && vector + 1 == s.vectors)
    store_some(at, from, s.rest);
  else
    memcpy(at, from, lanes * 4);
}

#define BNN_EACH_VECTOR BNN_UNROLL for (size_t i = 0; i < s.vectors; i++)

// Calls BLOCK(span) with a constant number of vectors for `left` channels.
#define BNN_WITH_SPAN(left, BLOCK)                         \
  switch ((left) < block ? (left) : block) {               \
    case 64: BLOCK(((span){4, 0})); break;                 \
    case 48: BLOCK(((span){3, 0})); break;                 \
    case 32: BLOCK(((span){2, 0})); break;                 \
    case 16: BLOCK(((span){1, 0})); break;                 \
    default:                                               \
      switch ((left) / lanes) {                            \
        case 3: BLOCK(((span){4, (left) % lanes})); break; \
        case 2: BLOCK(((span){3, (left) % lanes})); break; \
        case 1: BLOCK(((span){2, (left) % lanes})); break; \
        default: BLOCK(((span){1, (left) % lanes}));       \
      }                                                    \
  }

#endif
