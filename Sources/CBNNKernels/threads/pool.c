#include "bnn_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct member {
  bnn_pool *pool;
  size_t number;
  pthread_t thread;
} member;

// What a thread does first of a job: the same part of each, because what it has computed of one
// layer is in its cache when it comes to the next. It lies on a cache line of its own.
typedef struct share {
  atomic_size_t next;
  size_t end;
  char apart[48];
} share;

// A job is open while its owner works on it: helpers that come in time join, those that come late
// are not waited for. `state` says all of it in one word: the number of the job, whether it is open,
// and how many helpers have joined and are not done.
struct bnn_pool {
  _Atomic uint64_t state;
  // The job; written while none is open and nobody is in it.
  bnn_pool_body *body;
  void *context;
  size_t grain;
  // By thread, the caller first.
  share *shares;

  pthread_mutex_t mutex;
  pthread_cond_t work, done;
  // Under the mutex: helpers that sleep, and the end.
  size_t sleepers;
  bool closing;

  size_t helpers;
  member members[];
};

static const uint64_t open_bit = (uint64_t)1 << 31, one_job = (uint64_t)1 << 32;

static uint32_t job_of(uint64_t state) { return (uint32_t)(state >> 32); }
static bool is_open(uint64_t state) { return (state & open_bit) != 0; }
static bool is_left(uint64_t state) { return (state & (one_job - 1)) == 0; }

// The steps of a network follow each other within microseconds: waking a thread takes longer than
// most of them. So threads look again for about 50 µs before they sleep.
enum { spins = 2000 };

static void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Takes pieces until none is left: of the thread's own share, then of those of others.
static void help(bnn_pool *pool, size_t worker) {
  const size_t threads = pool->helpers + 1;
  for (size_t i = 0; i < threads; i++) {
    share *share = &pool->shares[(worker + i) % threads];
    for (;;) {
      const size_t begin = atomic_fetch_add(&share->next, pool->grain);
      if (begin >= share->end) break;
      const size_t rest = share->end - begin;
      pool->body(pool->context, begin, begin + (rest < pool->grain ? rest : pool->grain), worker);
    }
  }
}

// Whole pieces, about as many for each thread.
static void divide(bnn_pool *pool, size_t count) {
  const size_t threads = pool->helpers + 1, grain = pool->grain;
  const size_t pieces = count / grain + (count % grain != 0);
  size_t first = 0;
  for (size_t i = 0; i < threads; i++) {
    const size_t end = i + 1 == threads ? count : (pieces * (i + 1) / threads) * grain;
    atomic_store_explicit(&pool->shares[i].next, first, memory_order_relaxed);
    pool->shares[i].end = end;
    first = end;
  }
}

// Waits for a job after `seen`; false at the end.
static bool await_job(bnn_pool *pool, uint32_t seen) {
  for (int spin = 0; spin < spins; spin++) {
    if (job_of(atomic_load(&pool->state)) != seen) return true;
    pause_briefly();
  }
  pthread_mutex_lock(&pool->mutex);
  while (job_of(atomic_load(&pool->state)) == seen && !pool->closing) {
    pool->sleepers++;
    pthread_cond_wait(&pool->work, &pool->mutex);
    pool->sleepers--;
  }
  const bool closing = pool->closing;
  pthread_mutex_unlock(&pool->mutex);
  return !closing;
}

static void *work(void *argument) {
  const member *self = argument;
  bnn_pool *pool = self->pool;
  uint32_t seen = 0;
  while (await_job(pool, seen)) {
    uint64_t state = atomic_load(&pool->state);
    seen = job_of(state);
    bool joined = false;
    while (!joined && is_open(state) && job_of(state) == seen)
      joined = atomic_compare_exchange_weak(&pool->state, &state, state + 1);
    if (!joined) continue;
    help(pool, self->number);
    if (is_left(atomic_fetch_sub(&pool->state, 1) - 1)) {
      pthread_mutex_lock(&pool->mutex);
      pthread_cond_signal(&pool->done);
      pthread_mutex_unlock(&pool->mutex);
    }
  }
  return NULL;
}

bnn_pool *bnn_pool_create(size_t threads) {
  const size_t helpers = threads > 1 ? threads - 1 : 0;
  bnn_pool *pool = calloc(1, sizeof(bnn_pool) + helpers * sizeof(member));
  if (!pool) return NULL;
  pool->shares = aligned_alloc(sizeof(share), (helpers + 1) * sizeof(share));
  if (!pool->shares) {
    free(pool);
    return NULL;
  }
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
  free(pool->shares);
  free(pool);
}

// Closes the job and waits for those who are in it.
static void finish(bnn_pool *pool) {
  uint64_t state = atomic_fetch_and(&pool->state, ~open_bit) & ~open_bit;
  for (int spin = 0; spin < spins && !is_left(state); spin++) {
    pause_briefly();
    state = atomic_load(&pool->state);
  }
  if (is_left(state)) return;
  pthread_mutex_lock(&pool->mutex);
  while (!is_left(atomic_load(&pool->state))) pthread_cond_wait(&pool->done, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}

void bnn_pool_run(bnn_pool *pool, size_t count, size_t grain, bnn_pool_body *body, void *context) {
  if (count == 0) return;
  // Not worth waking anyone.
  if (pool->helpers == 0 || count <= grain) {
    body(context, 0, count, 0);
    return;
  }
  pool->body = body;
  pool->context = context;
  pool->grain = grain > 0 ? grain : 1;
  divide(pool, count);
  const uint64_t state = atomic_load(&pool->state);
  atomic_store(&pool->state, ((uint64_t)(job_of(state) + 1) << 32) | open_bit);
  pthread_mutex_lock(&pool->mutex);
  if (pool->sleepers > 0) pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->mutex);
  help(pool, 0);
  finish(pool);
}
