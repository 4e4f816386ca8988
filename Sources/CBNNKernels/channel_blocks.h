// Blocks of up to 64 channels as vectors of 16 numbers, which the compiler maps to the registers of
// BNN_TARGET; the including file defines it.
#ifndef BNN_CHANNEL_BLOCKS_H
#define BNN_CHANNEL_BLOCKS_H

#include <string.h>

#include "bnn_isa.h"

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
BNN_INLINE void load(void *to, const void *from, span s, size_t vector) {
  const char *at = (const char *)from + vector * lanes * 4;
  if (s.rest != 0 && vector + 1 == s.vectors) {
    memset(to, 0, lanes * 4);
    memcpy(to, at, s.rest * 4);
  } else {
    memcpy(to, at, lanes * 4);
  }
}

BNN_INLINE void store(void *to, const void *from, span s, size_t vector) {
  char *at = (char *)to + vector * lanes * 4;
  memcpy(at, from, s.rest != 0 && vector + 1 == s.vectors ? s.rest * 4 : lanes * 4);
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
