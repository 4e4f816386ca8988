#include "checks.h"

#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

enum { slots = 32, slot_bytes = 1 << 21, border = 64 };

// A buffer in its slot.
typedef struct buffer {
  char *at;
  size_t bytes;
} buffer;

static struct {
  const char *kernel;
  size_t cases;
  char name[256];
  side side;
  buffer buffers[slots];
  size_t buffer_count;
} current;

static char *first_slot;
static size_t page_bytes;

static char *slot_start(size_t slot) {
  return first_slot + slot * (slot_bytes + page_bytes) + page_bytes;
}

// Address sanitizer has a report of its own.
#if __has_feature(address_sanitizer)
static void watch_faults(void) {}
#else
// Says which case made an access outside of its buffers.
static void report_fault(int signal) {
  const char *parts[] = {
    signal == SIGILL ? "illegal instruction: " : "access outside of a buffer: ", current.kernel,
    ", ", current.name, "\n"};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0) break;
  _exit(1);
}

static void watch_faults(void) {
  signal(SIGSEGV, report_fault);
  signal(SIGBUS, report_fault);
  signal(SIGILL, report_fault);
}
#endif

static void make_slots(void) {
  page_bytes = (size_t)sysconf(_SC_PAGESIZE);
  const size_t bytes = slots * (slot_bytes + page_bytes) + page_bytes;
  void *all = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) fail("no memory");
  first_slot = all;
  for (size_t i = 0; i < slots; i++)
    if (mprotect(slot_start(i), slot_bytes, PROT_READ | PROT_WRITE) != 0) fail("no memory");
  watch_faults();
}

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s, %s: ", current.kernel ? current.kernel : "setup", current.name);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

static uint64_t random_state;

bool begin_kernel(const char *name, bnn_isa isa) {
  if (first_slot == NULL) make_slots();
  const bool runs = bnn_isa_supported(isa);
  printf("  %-36s ", name);
  if (!runs) printf("not supported by this CPU\n");
  fflush(stdout);
  current.kernel = name;
  current.cases = 0;
  random_state = 0x9e3779b97f4a7c15;
  return runs;
}

void end_kernel(void) { printf("%zu cases\n", current.cases); }

void begin_case(side side, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(current.name, sizeof current.name, format, arguments);
  va_end(arguments);
  if (length > 0 && (size_t)length < sizeof current.name)
    snprintf(
      current.name + length, sizeof current.name - (size_t)length, ", buffers at the %s of pages",
      side == at_start ? "start" : "end");
  current.side = side;
  current.cases++;
}

// The bytes before and after a buffer in its slot that are compared.
static void borders(size_t slot, buffer of, char **before, char **end) {
  char *start = slot_start(slot), *stop = start + slot_bytes;
  *before = of.at - start < border ? start : of.at - border;
  *end = stop - (of.at + of.bytes) < border ? stop : of.at + of.bytes + border;
}

void *place(size_t bytes, size_t alignment) {
  const size_t room = (bytes + alignment - 1) / alignment * alignment;
  if (room > slot_bytes || current.buffer_count == slots) fail("no room for a buffer");
  const size_t slot = current.buffer_count++;
  const buffer new = {
    slot_start(slot) + (current.side == at_start ? 0 : slot_bytes - room), bytes};
  char *before, *end;
  borders(slot, new, &before, &end);
  memset(before, untouched, (size_t)(end - before));
  current.buffers[slot] = new;
  return new.at;
}

void *place_copy(const void *from, size_t bytes, size_t alignment) {
  return memcpy(place(bytes, alignment), from, bytes);
}

void end_case(void) {
  for (size_t i = 0; i < current.buffer_count; i++) {
    const buffer b = current.buffers[i];
    char *before, *end;
    borders(i, b, &before, &end);
    for (char *at = before; at < end; at++)
      if ((at < b.at || at >= b.at + b.bytes) && (unsigned char)*at != untouched)
        fail("wrote %td bytes from buffer %zu of %zu bytes", at - b.at, i, b.bytes);
  }
  current.buffer_count = 0;
}

void *reference(size_t bytes) {
  void *memory = malloc(bytes + 1);
  if (memory == NULL) fail("no memory");
  return memset(memory, untouched, bytes);
}

void expect_bytes(const char *what, const void *found, const void *expected, size_t bytes) {
  const unsigned char *f = found, *e = expected;
  for (size_t i = 0; i < bytes; i++)
    if (f[i] != e[i]) fail("%s: byte %zu is %#x instead of %#x", what, i, f[i], e[i]);
}

void expect_floats(const char *what, const float *found, const float *expected, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const bool both_nan = isnan(found[i]) && isnan(expected[i]);
    if (!both_nan && memcmp(found + i, expected + i, sizeof(float)) != 0)
      fail("%s: number %zu is %.9g instead of %.9g", what, i, found[i], expected[i]);
  }
}

uint64_t random_bits(void) {
  uint64_t x = random_state += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

float random_number(void) { return (float)(int32_t)(random_bits() >> 32) / (float)(1 << 30); }

float random_special(void) {
  switch (random_below(12)) {
    case 0: return 0.0f;
    case 1: return -0.0f;
    case 2: return INFINITY;
    case 3: return -INFINITY;
    case 4: return NAN;
    case 5: return 1e-40f;
    case 6: return 3e38f;
    case 7:
    case 8: return (float)random_between(-2, 2);
    default: return random_number();
  }
}

void fill_special(float *numbers, size_t count) {
  for (size_t i = 0; i < count; i++) numbers[i] = random_special();
}
