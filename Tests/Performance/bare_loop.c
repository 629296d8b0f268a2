// The job of `apus bench keyed-count` with everything taken away that makes a runtime: a bound on
// what Apus can reach on a machine, for docs/benchmarks.md.
//
// Each of two threads makes 8-byte keys (splitmix64), deals them out by hash over rings of batches
// of 1,024 pairs of 8 bytes, and counts what it receives in an open-addressing table of (key,
// count), with both passes over a batch fetched ahead; (key, count) is copied to an output buffer.
// No plugin, no views, no event times, no growth, no removal, no checks.
//
//   make bench-bare        prints million records/s for 100 k, 1 M and 10 M keys
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { BATCH = 1024, DEPTH = 16, THREADS = 2, WINDOWS = 5 };

typedef struct {
  uint64_t key[BATCH], value[BATCH];
  uint32_t count;
} batch;

// One writer, one reader; a slot belongs to the writer until `tail` passes it.
typedef struct {
  _Alignas(128) _Atomic uint64_t head;
  _Alignas(128) _Atomic uint64_t tail;
  batch slots[DEPTH];
} ring;

typedef struct {
  uint64_t key, count;
} entry;

static ring *rings[THREADS][THREADS];
static uint64_t key_count;
static atomic_int is_done;
static _Alignas(128) _Atomic uint64_t counted[THREADS][16];

static uint64_t mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

static void *map(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) exit(1);
  madvise(memory, size, MADV_HUGEPAGE);
  return memory;
}

static void count_batch(const batch *b, entry *table, uint64_t mask, uint64_t *out) {
  uint64_t at[BATCH];
  for (uint32_t i = 0; i < b->count; i++) {
    at[i] = mix(b->key[i]) & mask;
    __builtin_prefetch(&table[at[i]], 1);
  }
  for (uint32_t i = 0; i < b->count; i++) {
    uint64_t j = at[i];
    while (table[j].key && table[j].key != b->key[i]) j = (j + 1) & mask;
    table[j].key = b->key[i];
    out[2 * i] = b->key[i];
    out[2 * i + 1] = ++table[j].count;
  }
}

static void *run(void *argument) {
  uint64_t self = (uint64_t)(uintptr_t)argument;
  uint64_t capacity = 16;
  while (capacity < key_count) capacity *= 2;
  entry *table = map(capacity * sizeof(entry));
  uint64_t *out = map(2 * BATCH * sizeof(uint64_t));
  uint64_t n = self, done = 0;
  batch *open[THREADS] = {NULL, NULL};
  while (!atomic_load_explicit(&is_done, memory_order_relaxed)) {
    for (int from = 0; from < THREADS; from++) {
      ring *r = rings[from][self];
      uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
      while (head != atomic_load_explicit(&r->tail, memory_order_acquire)) {
        const batch *b = &r->slots[head % DEPTH];
        count_batch(b, table, capacity - 1, out);
        done += b->count;
        atomic_store_explicit(&r->head, ++head, memory_order_release);
      }
    }
    atomic_store_explicit(&counted[self][0], done, memory_order_relaxed);
    for (int to = 0; to < THREADS; to++) {
      if (open[to]) continue;
      ring *r = rings[self][to];
      uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
      if (tail - atomic_load_explicit(&r->head, memory_order_acquire) < DEPTH) {
        open[to] = &r->slots[tail % DEPTH];
        open[to]->count = 0;
      }
    }
    while (open[0] && open[1]) {
      uint64_t key = 1 + (uint64_t)(((__uint128_t)mix(n * 0x9e3779b97f4a7c15u) * key_count) >> 64);
      int to = (int)(mix(key) >> 63);
      batch *b = open[to];
      b->key[b->count] = key;
      b->value[b->count] = n;
      n += THREADS;
      if (++b->count < BATCH) continue;
      ring *r = rings[self][to];
      atomic_fetch_add_explicit(&r->tail, 1, memory_order_release);
      open[to] = NULL;
    }
  }
  return NULL;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t total(void) { return counted[0][0] + counted[1][0]; }

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(void) {
  const uint64_t sizes[] = {100000, 1000000, 10000000};
  for (int size = 0; size < 3; size++) {
    key_count = sizes[size];
    is_done = 0;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
      counted[i][0] = 0;
      for (int j = 0; j < THREADS; j++) rings[i][j] = map(sizeof(ring));
    }
    for (int i = 0; i < THREADS; i++)
      pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i);
    while (total() < 5 * key_count + 20000000) nanosleep(&(struct timespec){0, 10000000}, NULL);
    double rates[WINDOWS];
    for (int w = 0; w < WINDOWS; w++) {
      uint64_t before = total();
      double start = now();
      nanosleep(&(struct timespec){1, 0}, NULL);
      rates[w] = (double)(total() - before) / (now() - start) / 1e6;
    }
    is_done = 1;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    qsort(rates, WINDOWS, sizeof(double), ascending);
    printf("bare loop: %.1f M records/s (%.1f to %.1f, %d windows of 1 s); %llu keys, 2 threads\n",
           rates[WINDOWS / 2], rates[0], rates[WINDOWS - 1], WINDOWS,
           (unsigned long long)key_count);
  }
  return 0;
}
