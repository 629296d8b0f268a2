// Compares two layouts of a record's key and value slices, for
// docs/decisions/2026-11-23-slice-layout.md.
//
//   view   16 bytes: length, then up to 12 bytes in place, else prefix + buffer number + offset
//   ptr    16 bytes: pointer, length
//
// Four kernels, each over batches of 1,024 records, 64 batches in turn (so that they do not fit
// in the first-level cache): filter on the value's first byte and forward, map to a new value of
// the same size, count per key and emit the count, and scatter to two partitions by hash.
//
//   make bench-layout        prints nanoseconds per record: median and maximum of 15 rounds
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N = 1024, BATCHES = 64, ROUNDS = 15, PASSES = 12, KEYS = 100000, SLOTS = 1 << 18 };

typedef struct {
  uint32_t len;
  union {
    uint8_t in[12];
    struct {
      uint8_t prefix[4];
      uint32_t buf, off;
    } r;
  } u;
} view;
typedef struct {
  const uint8_t* p;
  uint32_t n, pad;
} ptr;

#define BATCH(T, NAME)      \
  typedef struct {          \
    T key[N], value[N];     \
    int64_t ts[N];          \
    uint64_t hash[N];       \
    const uint8_t* bufs[2]; \
    uint8_t* arena;         \
    uint32_t used, count;   \
  } NAME;
BATCH(view, view_batch)
BATCH(ptr, ptr_batch)

static uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

static inline const uint8_t* view_data(const view* v, const uint8_t* const* bufs) {
  return v->len <= 12 ? v->u.in : bufs[v->u.r.buf] + v->u.r.off;
}
static inline const uint8_t* ptr_data(const ptr* v, const uint8_t* const* bufs) {
  (void)bufs;
  return v->p;
}

static inline void view_put(view* v, view_batch* b, const uint8_t* p, uint32_t n) {
  v->len = n;
  if (n <= 12) {
    memset(v->u.in, 0, 12);
    memcpy(v->u.in, p, n);
    return;
  }
  memcpy(b->arena + b->used, p, n);
  memcpy(v->u.r.prefix, p, 4);
  v->u.r.buf = 1;
  v->u.r.off = b->used;
  b->used += n;
}
static inline void ptr_put(ptr* v, ptr_batch* b, const uint8_t* p, uint32_t n) {
  memcpy(b->arena + b->used, p, n);
  v->p = b->arena + b->used;
  v->n = n;
  v->pad = 0;
  b->used += n;
}

static inline uint32_t view_len(const view* v) { return v->len; }
static inline uint32_t ptr_len(const ptr* v) { return v->n; }

static uint64_t table_key[SLOTS], table_count[SLOTS];
static uint64_t* count_of(uint64_t key, uint64_t hash) {
  uint64_t i = hash & (SLOTS - 1);
  while (table_key[i] && table_key[i] != key) i = (i + 1) & (SLOTS - 1);
  table_key[i] = key;
  return &table_count[i];
}

#define KERNELS(L)                                                                                \
  __attribute__((noinline)) static void L##_filter(L##_batch* in, L##_batch* out, L##_batch* u) { \
    (void)u;                                                                                      \
    out->count = out->used = 0;                                                                   \
    out->bufs[0] = in->arena;                                                                     \
    out->bufs[1] = out->arena;                                                                    \
    for (uint32_t i = 0; i < N; i++)                                                              \
      if (L##_data(&in->value[i], in->bufs)[0] & 1) {                                             \
        uint32_t o = out->count++;                                                                \
        out->key[o] = in->key[i];                                                                 \
        out->value[o] = in->value[i];                                                             \
        out->ts[o] = in->ts[i];                                                                   \
        out->hash[o] = in->hash[i];                                                               \
      }                                                                                           \
  }                                                                                               \
  __attribute__((noinline)) static void L##_map(L##_batch* in, L##_batch* out, L##_batch* u) {    \
    (void)u;                                                                                      \
    out->count = out->used = 0;                                                                   \
    out->bufs[1] = out->arena;                                                                    \
    for (uint32_t i = 0; i < N; i++) {                                                            \
      uint8_t t[128];                                                                             \
      uint32_t n = L##_len(&in->value[i]);                                                        \
      memcpy(t, L##_data(&in->value[i], in->bufs), n);                                            \
      t[0] ^= 1;                                                                                  \
      uint32_t o = out->count++;                                                                  \
      out->key[o] = in->key[i];                                                                   \
      L##_put(&out->value[o], out, t, n);                                                         \
      out->ts[o] = in->ts[i];                                                                     \
      out->hash[o] = in->hash[i];                                                                 \
    }                                                                                             \
  }                                                                                               \
  __attribute__((noinline)) static void L##_count(L##_batch* in, L##_batch* out, L##_batch* u) {  \
    (void)u;                                                                                      \
    out->count = out->used = 0;                                                                   \
    out->bufs[1] = out->arena;                                                                    \
    for (uint32_t i = 0; i < N; i++) {                                                            \
      uint64_t k;                                                                                 \
      memcpy(&k, L##_data(&in->key[i], in->bufs), 8);                                             \
      uint64_t c = ++*count_of(k, in->hash[i]);                                                   \
      uint32_t o = out->count++;                                                                  \
      out->key[o] = in->key[i];                                                                   \
      L##_put(&out->value[o], out, (uint8_t*)&c, 8);                                              \
      out->ts[o] = in->ts[i];                                                                     \
      out->hash[o] = in->hash[i];                                                                 \
    }                                                                                             \
  }                                                                                               \
  __attribute__((noinline)) static void L##_scatter(L##_batch* in, L##_batch* a, L##_batch* b) {  \
    L##_batch* to[2] = {a, b};                                                                    \
    a->count = a->used = b->count = b->used = 0;                                                  \
    for (uint32_t i = 0; i < N; i++) {                                                            \
      L##_batch* t = to[in->hash[i] >> 63];                                                       \
      uint32_t o = t->count++;                                                                    \
      L##_put(&t->key[o], t, L##_data(&in->key[i], in->bufs), L##_len(&in->key[i]));              \
      L##_put(&t->value[o], t, L##_data(&in->value[i], in->bufs), L##_len(&in->value[i]));        \
      t->ts[o] = in->ts[i];                                                                       \
      t->hash[o] = in->hash[i];                                                                   \
    }                                                                                             \
  }                                                                                               \
  static void L##_fill(L##_batch* b, uint32_t vlen, uint64_t* seed) {                             \
    b->count = b->used = 0;                                                                       \
    b->bufs[1] = b->arena;                                                                        \
    for (uint32_t i = 0; i < N; i++) {                                                            \
      uint64_t k = mix(*seed += 1) % KEYS + 1;                                                    \
      uint8_t v[128];                                                                             \
      for (uint32_t j = 0; j < vlen; j += 8) {                                                    \
        uint64_t w = mix(k + j + *seed);                                                          \
        memcpy(v + j, &w, 8);                                                                     \
      }                                                                                           \
      L##_put(&b->key[i], b, (uint8_t*)&k, 8);                                                    \
      L##_put(&b->value[i], b, v, vlen);                                                          \
      b->ts[i] = (int64_t)i;                                                                      \
      b->hash[i] = mix(k);                                                                        \
    }                                                                                             \
    b->count = N;                                                                                 \
  }
KERNELS(view)
KERNELS(ptr)

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}
static int ascending(const void* a, const void* b) {
  double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

#define MEASURE(L, K)                                                \
  do {                                                               \
    for (int p = 0; p < PASSES; p++)                                 \
      for (int b = 0; b < BATCHES; b++)                              \
        L##_##K(&L##_in[b], &L##_out[b & 7], &L##_out[8 + (b & 7)]); \
  } while (0)
#define COMPARE(K)                                                                      \
  do {                                                                                  \
    double v[ROUNDS], q[ROUNDS];                                                        \
    for (int r = 0; r < ROUNDS; r++) {                                                  \
      double t = now();                                                                 \
      MEASURE(view, K);                                                                 \
      double m = now();                                                                 \
      MEASURE(ptr, K);                                                                  \
      double e = now();                                                                 \
      v[r] = (m - t) / (PASSES * BATCHES * N);                                          \
      q[r] = (e - m) / (PASSES * BATCHES * N);                                          \
    }                                                                                   \
    qsort(v, ROUNDS, 8, ascending);                                                     \
    qsort(q, ROUNDS, 8, ascending);                                                     \
    printf("%6u  %-8s %8.2f %8.2f   %8.2f %8.2f   %5.2f\n", vlen, #K, v[ROUNDS / 2],    \
           v[ROUNDS - 1], q[ROUNDS / 2], q[ROUNDS - 1], v[ROUNDS / 2] / q[ROUNDS / 2]); \
  } while (0)

int main(void) {
  view_batch *view_in = calloc(BATCHES, sizeof *view_in), *view_out = calloc(16, sizeof *view_out);
  ptr_batch *ptr_in = calloc(BATCHES, sizeof *ptr_in), *ptr_out = calloc(16, sizeof *ptr_out);
  if (!view_in || !view_out || !ptr_in || !ptr_out) return 1;
  for (int b = 0; b < BATCHES; b++) {
    view_in[b].arena = malloc(N * 160);
    ptr_in[b].arena = malloc(N * 160);
  }
  for (int b = 0; b < 16; b++) {
    view_out[b].arena = malloc(N * 160);
    ptr_out[b].arena = malloc(N * 160);
  }
  printf("ns per record; key 8 bytes, batches of %d, %d rounds\n", N, ROUNDS);
  printf(" value  kernel      view      max        ptr      max   view/ptr\n");
  const uint32_t lengths[] = {8, 100};
  for (int l = 0; l < 2; l++) {
    uint32_t vlen = lengths[l];
    uint64_t s = 1, t = 1;
    for (int b = 0; b < BATCHES; b++) {
      view_fill(&view_in[b], vlen, &s);
      ptr_fill(&ptr_in[b], vlen, &t);
    }
    COMPARE(filter);
    COMPARE(map);
    COMPARE(count);
    COMPARE(scatter);
  }
  return 0;
}
