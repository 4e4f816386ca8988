#include "checks.h"

enum { most_pieces = 1000, most_threads = 6 };

typedef struct tally {
  int times[most_pieces];
  // One per worker, so that no two threads write to one place.
  size_t done[most_threads];
} tally;

static void count(void *context, size_t begin, size_t end, size_t worker) {
  tally *to = context;
  for (size_t i = begin; i < end; i++) to->times[i]++;
  to->done[worker] += end - begin;
}

void check_threads(void) {
  for (size_t threads = 1; threads <= most_threads; threads++) {
    bnn_pool *pool = bnn_pool_create(threads);
    if (!pool) fail("no pool of %zu threads", threads);
    for (int job = 0; job < 2000; job++) {
      const size_t pieces = random_below(most_pieces + 1), grain = 1 + random_below(40);
      tally own = {0};
      bnn_pool_run(pool, pieces, grain, count, &own);
      size_t sum = 0;
      for (size_t worker = 0; worker < threads; worker++) sum += own.done[worker];
      if (sum != pieces) fail("%zu of %zu pieces were run", sum, pieces);
      for (size_t i = 0; i < most_pieces; i++)
        if (own.times[i] != (i < pieces)) fail("piece %zu ran %d times", i, own.times[i]);
    }
    bnn_pool_destroy(pool);
  }
}
