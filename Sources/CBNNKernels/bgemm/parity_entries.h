// What the tables of parities hold; see `bgemm_parity_avx512.c`.
#ifndef BNN_PARITY_ENTRIES_H
#define BNN_PARITY_ENTRIES_H

#include <stddef.h>
#include <stdint.h>

enum { table_entries = 8 };

// The parities of some outputs before, within and after a pair of bits of K, one bit for each.
typedef struct output_parities {
  uint64_t before, within, after;
} output_parities;

// After the next pair: their bits are given.
static inline output_parities next_parities(uint64_t before, uint64_t first, uint64_t second) {
  return (output_parities){before, before ^ first, before ^ first ^ second};
}

// The carry of a pair for a row whose parities before, within and after it are the bits of `row`.
static inline uint64_t table_entry(output_parities own, size_t row) {
  const uint64_t before = own.before ^ (0 - (uint64_t)(row & 1));
  const uint64_t within = own.within ^ (0 - (uint64_t)(row >> 1 & 1));
  const uint64_t after = own.after ^ (0 - (uint64_t)(row >> 2 & 1));
  return (within & ~after) | (~within & before);
}

#endif
