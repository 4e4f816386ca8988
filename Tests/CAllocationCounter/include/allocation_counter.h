// Counts what the calling thread allocates, where the C library allows it.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stddef.h>

// Whether allocations are counted at all.
bool allocation_counter_works(void);
// How often this thread has allocated so far.
size_t allocation_count(void);

#endif
