// A pool of threads for loops over independent items.
#ifndef BNN_POOL_H
#define BNN_POOL_H

#include "bnn_isa.h"

typedef struct bnn_pool bnn_pool;

// Items [begin, end) for the thread with number `worker` (0 is the caller).
typedef void bnn_pool_body(void *context, size_t begin, size_t end, size_t worker);

// `threads` counts the caller. Null when memory or threads are lacking.
bnn_pool *bnn_pool_create(size_t threads);
void bnn_pool_destroy(bnn_pool *pool);

// Runs the body over [0, count) in pieces of `grain` items (the last may be shorter) and returns
// when all are done. One call at a time; the body must not call it.
void bnn_pool_run(bnn_pool *pool, size_t count, size_t grain, bnn_pool_body *body, void *context);

#endif
