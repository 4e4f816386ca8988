#include "bnn_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct member {
  bnn_pool *pool;
  size_t number;
  pthread_t thread;
} member;

struct bnn_pool {
  pthread_mutex_t mutex;
  pthread_cond_t work, done;
  // Under the mutex: the number of the current job, workers still busy with it, and the end.
  uint64_t job;
  size_t busy;
  bool closing;
  // The job; written before its number changes.
  bnn_pool_body *body;
  void *context;
  size_t count, grain;
  atomic_size_t next;

  size_t helpers;
  member members[];
};

// Takes pieces until none is left.
static void help(bnn_pool *pool, size_t worker) {
  for (;;) {
    const size_t begin = atomic_fetch_add(&pool->next, pool->grain);
    if (begin >= pool->count) return;
    const size_t rest = pool->count - begin;
    pool->body(pool->context, begin, begin + (rest < pool->grain ? rest : pool->grain), worker);
  }
}

static void *work(void *argument) {
  const member *self = argument;
  bnn_pool *pool = self->pool;
  uint64_t seen = 0;
  pthread_mutex_lock(&pool->mutex);
  for (;;) {
    while (pool->job == seen && !pool->closing) pthread_cond_wait(&pool->work, &pool->mutex);
    if (pool->closing) break;
    seen = pool->job;
    pthread_mutex_unlock(&pool->mutex);
    help(pool, self->number);
    pthread_mutex_lock(&pool->mutex);
    if (--pool->busy == 0) pthread_cond_signal(&pool->done);
  }
  pthread_mutex_unlock(&pool->mutex);
  return NULL;
}

bnn_pool *bnn_pool_create(size_t threads) {
  const size_t helpers = threads > 1 ? threads - 1 : 0;
  bnn_pool *pool = calloc(1, sizeof(bnn_pool) + helpers * sizeof(member));
  if (!pool) return NULL;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->work, NULL);
  pthread_cond_init(&pool->done, NULL);
  for (; pool->helpers < helpers; pool->helpers++) {
    member *next = &pool->members[pool->helpers];
    next->pool = pool;
    next->number = pool->helpers + 1;
    if (pthread_create(&next->thread, NULL, work, next) != 0) {
      bnn_pool_destroy(pool);
      return NULL;
    }
  }
  return pool;
}

void bnn_pool_destroy(bnn_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  pool->closing = true;
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->mutex);
  for (size_t i = 0; i < pool->helpers; i++) pthread_join(pool->members[i].thread, NULL);
  pthread_cond_destroy(&pool->done);
  pthread_cond_destroy(&pool->work);
  pthread_mutex_destroy(&pool->mutex);
  free(pool);
}

void bnn_pool_run(bnn_pool *pool, size_t count, size_t grain, bnn_pool_body *body, void *context) {
  if (count == 0) return;
  // Not worth waking anyone.
  if (pool->helpers == 0 || count <= grain) {
    body(context, 0, count, 0);
    return;
  }
  pthread_mutex_lock(&pool->mutex);
  pool->body = body;
  pool->context = context;
  pool->count = count;
  pool->grain = grain > 0 ? grain : 1;
  atomic_store(&pool->next, 0);
  pool->busy = pool->helpers;
  pool->job++;
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->mutex);
  help(pool, 0);
  pthread_mutex_lock(&pool->mutex);
  while (pool->busy > 0) pthread_cond_wait(&pool->done, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}
