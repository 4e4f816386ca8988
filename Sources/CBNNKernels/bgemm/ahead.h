// What is asked for while products are computed: tables take four times the bits of the weights, and
// mostly come from outside of the second-level cache.
#ifndef BNN_AHEAD_H
#define BNN_AHEAD_H

#include <stddef.h>

// What is asked for next, and how far apart it is from what is asked for after it.
typedef struct ahead {
  const char *from;
  size_t step;
} ahead;

enum { line_bytes = 64 };

// Shares bytes among so many parts of the work before them. Where `next` is null, what is read now
// is asked for again and again: it is there.
static inline ahead ahead_of(const void *next, const void *now, size_t bytes, size_t parts) {
  if (!next || parts == 0) return (ahead){now, 0};
  return (ahead){next, (bytes + parts - 1) / parts};
}

// Asks for the next part of up to two lines, into the second-level cache: few at a time, because the
// loads of a product wait for what has been asked for. Without branches, so that it costs nothing
// where there is nothing to ask for.
static inline void ask(ahead *ahead) {
  enum { for_reading, into_second_level = 2 };
  __builtin_prefetch(ahead->from, for_reading, into_second_level);
  __builtin_prefetch(ahead->from + line_bytes, for_reading, into_second_level);
  ahead->from += ahead->step;
}

#endif
