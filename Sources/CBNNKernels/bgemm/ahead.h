// What is asked for while products are computed: tables take four times the bits of the weights, and
// mostly come from outside of the second-level cache.
#ifndef BNN_AHEAD_H
#define BNN_AHEAD_H

#include <stddef.h>

// The next lines to ask for, and how many of them at a time.
typedef struct ahead {
  const char *from;
  size_t lines;
} ahead;

enum { line_bytes = 64 };

// Shares bytes among so many parts of the work before them. None where `next` is null.
static inline ahead ahead_of(const void *next, size_t bytes, size_t parts) {
  const size_t lines = (bytes + line_bytes - 1) / line_bytes;
  return (ahead){next, next && parts > 0 ? (lines + parts - 1) / parts : 0};
}

// Asks for the next part, into the second-level cache.
static inline void ask(ahead *ahead) {
  enum { for_reading, into_second_level = 2 };
  for (size_t i = 0; i < ahead->lines; i++, ahead->from += line_bytes)
    __builtin_prefetch(ahead->from, for_reading, into_second_level);
}

#endif
