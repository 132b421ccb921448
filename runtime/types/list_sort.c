/* list_sort.c - list.sort: stable, adaptive merge sort.
 *
 * What is moved around is not the elements but their places: each element becomes {rank, place}, the list's elements and keys
 * stay where they are, and only a sort that succeeded permutes them. So a comparison that raises leaves the list as it was.
 *
 *   rank   an integer that orders most pairs without touching memory: the int itself, the bits of a float made monotonic, the
 *          first bytes of a str; for tuples that of the first item; 0 when nothing is known of the keys
 *   tie    what decides between equal ranks; NULL when equal ranks are equal keys
 *
 * Runs already in order are found and merged as in timsort (galloping, powersort's merge order).
 * Must stay true: while script code may run (keys, comparisons) the list is empty, and its elements hang on a list of our own that
 * the C stack keeps alive.
 */
#include "runtime/types/list.h"

#include "runtime/types/key.h"
#include "runtime/types/sequence.h"
#include "runtime/vm.h"

typedef struct {
  int64_t rank;
  uint32_t place; /* index of the element in the list as it was */
} ranked;

typedef struct sorter sorter;
typedef int (*tie_breaker)(sorter *s, uint32_t a, uint32_t b); /* keys[a] < keys[b]: 0, 1, -1 failed */

enum { GALLOP_AFTER = 7, MAX_RUNS = 64, SMALL_SORT = 64, RUN_MAX = 64 };

struct sorter {
  asy_vm *vm;
  asy_list *keys; /* private; not changed while sorting */
  tie_breaker tie;
  ranked *items;
  ranked *temp; /* half as many */
  uint32_t n;
  uint32_t min_gallop;
  uint32_t nruns;
  struct {
    uint32_t start, length;
    int power;
  } runs[MAX_RUNS]; /* waiting to be merged */
};

/* ---- Comparing ---- */

static inline int less(sorter *s, ranked a, ranked b) {
  if (a.rank != b.rank) return a.rank < b.rank;
  return s->tie ? s->tie(s, a.place, b.place) : 0;
}

static int tie_any(sorter *s, uint32_t a, uint32_t b) {
  const asy_value *keys = s->keys->items;
  return asy_less(s->vm, keys[a], keys[b]);
}

static int tie_str(sorter *s, uint32_t a, uint32_t b) {
  const asy_value *keys = s->keys->items;
  return asy_str_compare((const asy_str *)asy_obj_of(keys[a]), (const asy_str *)asy_obj_of(keys[b])) < 0;
}

/* All keys are exact tuples: the first items that differ decide. */
static int tie_tuple(sorter *s, uint32_t a, uint32_t b) {
  const asy_tuple *x = (const asy_tuple *)asy_obj_of(s->keys->items[a]),
                  *y = (const asy_tuple *)asy_obj_of(s->keys->items[b]);
  for (uint32_t i = 0; i < x->len && i < y->len; i++) {
    asy_value v = x->items[i], w = y->items[i];
    if (v == w) continue;
    if (asy_both_int(v, w)) return asy_small(v) < asy_small(w);
    if (asy_is_exact(v, KIND_STR) && asy_is_exact(w, KIND_STR)) {
      int order = asy_str_compare((const asy_str *)asy_obj_of(v), (const asy_str *)asy_obj_of(w));
      if (order) return order < 0;
      continue;
    }
    int same = asy_equal(s->vm, v, w);
    if (same) {
      if (same < 0) return -1;
      continue;
    }
    return asy_less(s->vm, v, w);
  }
  return x->len < y->len;
}

/* ---- Ranks ---- */

typedef enum { RANK_NONE, RANK_INT, RANK_FLOAT, RANK_BYTES, RANK_STR } rank_kind; /* texts last */

static rank_kind rank_kind_of(asy_value v) {
  if (asy_is_int(v)) return RANK_INT;
  if (asy_is_flonum(v)) return asy_flonum(v) == asy_flonum(v) ? RANK_FLOAT : RANK_NONE;
  if (!asy_is_obj(v)) return RANK_NONE;
  if (asy_obj_of(v)->shape == KIND_STR) return asy_str_width((asy_str *)asy_obj_of(v)) == 1 ? RANK_BYTES : RANK_STR;
  if (asy_obj_of(v)->shape == KIND_FLOAT) return asy_float_value(v) == asy_float_value(v) ? RANK_FLOAT : RANK_NONE;
  return RANK_NONE;
}

static int64_t rank_of_float(double d) {
  int64_t bits;
  if (d == 0) d = 0; /* -0.0 equals 0.0 */
  memcpy(&bits, &d, sizeof bits);
  return bits < 0 ? bits ^ INT64_MAX : bits;
}

static int64_t rank_of_str(const asy_str *s, rank_kind kind) {
  uint64_t rank = 0;
  if (kind == RANK_STR) { /* three code points of 21 bits */
    for (uint32_t i = 0; i < 3; i++) rank = rank << 21 | (i < s->len ? asy_str_at(s, i) : 0);
    return (int64_t)rank;
  }
  memcpy(&rank, asy_str_data(s), s->len < 8 ? s->len : 8);
  return (int64_t)(__builtin_bswap64(rank) ^ (uint64_t)1 << 63);
}

static int64_t rank_of(asy_value v, rank_kind kind) {
  switch (kind) {
    case RANK_INT: return asy_small(v);
    case RANK_FLOAT: return rank_of_float(asy_is_flonum(v) ? asy_flonum(v) : asy_float_value(v));
    case RANK_BYTES:
    case RANK_STR: return rank_of_str((const asy_str *)asy_obj_of(v), kind);
    default: return 0;
  }
}

/* What v is ranked by: itself, or the first item of a tuple. 0: nothing. */
static inline asy_value ranked_part(asy_value v, bool tuples) {
  if (!tuples) return v;
  const asy_tuple *t = (const asy_tuple *)asy_obj_of(v);
  return t->len ? t->items[0] : 0;
}

static bool all_tuples(const asy_value *keys, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    if (!asy_is_exact(keys[i], KIND_TUPLE)) return false;
  }
  return true;
}

/* What all keys, or the first items of all tuples, can be ranked by. */
static rank_kind common_kind(const asy_value *keys, uint32_t n, bool tuples) {
  rank_kind kind = RANK_NONE;
  for (uint32_t i = 0; i < n; i++) {
    asy_value part = ranked_part(keys[i], tuples);
    rank_kind other = part ? rank_kind_of(part) : RANK_NONE;
    if (other == RANK_NONE) return RANK_NONE;
    if (i == 0) kind = other;
    if (other == kind) continue;
    if (kind < RANK_BYTES || other < RANK_BYTES) return RANK_NONE;
    kind = RANK_STR;
  }
  return kind;
}

/* Fills s->items and s->tie. */
static void rank_all(sorter *s) {
  const asy_value *keys = s->keys->items;
  bool tuples = asy_is_exact(keys[0], KIND_TUPLE) && all_tuples(keys, s->n);
  rank_kind kind = common_kind(keys, s->n, tuples);
  for (uint32_t i = 0; i < s->n; i++) {
    s->items[i] = (ranked){.rank = kind == RANK_NONE ? 0 : rank_of(ranked_part(keys[i], tuples), kind), .place = i};
  }
  if (tuples) s->tie = tie_tuple;
  else if (kind == RANK_NONE) s->tie = tie_any;
  else s->tie = kind >= RANK_BYTES ? tie_str : NULL;
}

/* ---- Runs ---- */

static void reverse_range(ranked *a, uint32_t n) {
  for (uint32_t i = 0, j = n; i + 1 < j; i++) {
    ranked item = a[i];
    a[i] = a[--j];
    a[j] = item;
  }
}

/* How far a[0..i) goes on without an item that is smaller than the one before; 0 failed. */
static uint32_t extend_run(sorter *s, const ranked *a, uint32_t i, uint32_t n) {
  for (; i < n; i++) {
    int smaller = less(s, a[i], a[i - 1]);
    if (smaller) return smaller < 0 ? 0 : i;
  }
  return i;
}

/* The length of the run that begins at start, put in ascending order; 0 failed. A run that descends, with stretches of equal items in
 * it, is turned, the stretches twice, and goes on as long as it ascends: comparisons are made in CPython's order. */
static uint32_t find_run(sorter *s, uint32_t start) {
  ranked *a = s->items + start;
  uint32_t n = s->n - start, equal = 0, i = n < 2 ? n : extend_run(s, a, 1, n);
  if (!i || i == n) return i;
  if (i > 1) {
    int ascending = less(s, a[0], a[i - 1]);
    if (ascending) return ascending < 0 ? 0 : i;
    reverse_range(a, i);
  }
  for (i++; i < n; i++) {
    int smaller = less(s, a[i], a[i - 1]);
    if (!smaller) {
      int larger = less(s, a[i - 1], a[i]);
      if (larger < 0) return 0;
      if (larger) break;
      equal++;
    } else if (smaller < 0) {
      return 0;
    } else if (equal) {
      reverse_range(a + i - equal - 1, equal + 1);
      equal = 0;
    }
  }
  if (equal) reverse_range(a + i - equal - 1, equal + 1);
  reverse_range(a, i);
  return extend_run(s, a, i, n);
}

/* Sorts a[0..n), of which a[0..sorted) is in order. */
static bool insertion_sort(sorter *s, ranked *a, uint32_t n, uint32_t sorted) {
  for (uint32_t i = sorted; i < n; i++) {
    ranked item = a[i];
    uint32_t low = 0, high = i;
    while (low < high) {
      uint32_t middle = (low + high) / 2;
      int before = less(s, item, a[middle]);
      if (before < 0) return false;
      if (before) high = middle;
      else low = middle + 1;
    }
    memmove(a + low + 1, a + low, (i - low) * sizeof *a);
    a[low] = item;
  }
  return true;
}

static uint32_t shortest_run(uint32_t n) {
  uint32_t odd = 0;
  while (n >= RUN_MAX) {
    odd |= n & 1;
    n >>= 1;
  }
  return n + odd;
}

/* ---- Merging ---- */

/* How many of a[0..n) stand before key: those < key (before equal ones), or with after_equal those <= key. Searches outwards from
 * the left end, or from the right. -1 failed. */
static int64_t gallop(sorter *s, ranked key, const ranked *a, uint32_t n, bool after_equal, bool from_right) {
  int64_t low = 0, high = n; /* the answer lies in low..high */
  for (int64_t step = 1; low < high; step = step * 2 + 1) {
    int64_t probe = from_right ? (int64_t)n - step : step - 1;
    if (probe < low || probe >= high) break;
    int before = after_equal ? less(s, key, a[probe]) : less(s, a[probe], key);
    if (before < 0) return -1;
    if (before == !after_equal) low = probe + 1; /* a[probe] stands before key */
    else high = probe;
    if (from_right ? low == probe + 1 : high == probe) break;
  }
  while (low < high) {
    int64_t middle = (low + high) / 2;
    int before = after_equal ? less(s, key, a[middle]) : less(s, a[middle], key);
    if (before < 0) return -1;
    if (before == !after_equal) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* Merges a[0..na) and the nb that follow, na <= nb. It is known that b[0] < a[0]. */
static bool merge_low(sorter *s, ranked *out, uint32_t na, uint32_t nb) {
  memcpy(s->temp, out, na * sizeof *out);
  const ranked *a = s->temp, *a_end = a + na, *b = out + na, *b_end = b + nb;
  *out++ = *b++;
  while (a < a_end && b < b_end) {
    uint32_t a_wins = 0, b_wins = 0;
    while (a < a_end && b < b_end && a_wins < s->min_gallop && b_wins < s->min_gallop) {
      int right = less(s, *b, *a);
      if (right < 0) return false;
      if (right) {
        *out++ = *b++;
        b_wins++;
        a_wins = 0;
      } else {
        *out++ = *a++;
        a_wins++;
        b_wins = 0;
      }
    }
    while (a < a_end && b < b_end) { /* one side wins again and again: copy by the stretch */
      int64_t n = gallop(s, *b, a, (uint32_t)(a_end - a), true, false);
      if (n < 0) return false;
      memcpy(out, a, (size_t)n * sizeof *out);
      out += n;
      a += n;
      if (a == a_end) break;
      *out++ = *b++;
      int64_t m = b == b_end ? 0 : gallop(s, *a, b, (uint32_t)(b_end - b), false, false);
      if (m < 0) return false;
      memmove(out, b, (size_t)m * sizeof *out);
      out += m;
      b += m;
      *out++ = *a++;
      if (n < GALLOP_AFTER && m < GALLOP_AFTER) {
        s->min_gallop += 2;
        break;
      }
      if (s->min_gallop > 1) s->min_gallop--;
    }
  }
  memcpy(out, a, (size_t)(a_end - a) * sizeof *out); /* what is left of b is in place */
  return true;
}

/* The same from the right end, nb <= na. It is known that a's last is greater than b's last. */
static bool merge_high(sorter *s, ranked *base, uint32_t na, uint32_t nb) {
  memcpy(s->temp, base + na, nb * sizeof *base);
  const ranked *a_begin = base, *a = base + na, *b_begin = s->temp, *b = s->temp + nb; /* a and b: one past the next */
  ranked *out = base + na + nb;
  *--out = *--a;
  while (a > a_begin && b > b_begin) {
    uint32_t a_wins = 0, b_wins = 0;
    while (a > a_begin && b > b_begin && a_wins < s->min_gallop && b_wins < s->min_gallop) {
      int left = less(s, b[-1], a[-1]);
      if (left < 0) return false;
      if (left) {
        *--out = *--a;
        a_wins++;
        b_wins = 0;
      } else {
        *--out = *--b;
        b_wins++;
        a_wins = 0;
      }
    }
    while (a > a_begin && b > b_begin) {
      int64_t keep = gallop(s, b[-1], a_begin, (uint32_t)(a - a_begin), true, true);
      if (keep < 0) return false;
      int64_t n = (a - a_begin) - keep;
      a -= n;
      out -= n;
      memmove(out, a, (size_t)n * sizeof *out);
      if (a == a_begin) break;
      *--out = *--b;
      if (b == b_begin) break;
      keep = gallop(s, a[-1], b_begin, (uint32_t)(b - b_begin), false, true);
      if (keep < 0) return false;
      int64_t m = (b - b_begin) - keep;
      b -= m;
      out -= m;
      memcpy(out, b, (size_t)m * sizeof *out);
      if (b == b_begin) break;
      *--out = *--a;
      if (n < GALLOP_AFTER && m < GALLOP_AFTER) {
        s->min_gallop += 2;
        break;
      }
      if (s->min_gallop > 1) s->min_gallop--;
    }
  }
  size_t left = (size_t)(b - b_begin);
  memcpy(out - left, b_begin, left * sizeof *out); /* what is left of a is in place */
  return true;
}

/* Merges waiting runs i and i + 1. */
static bool merge_runs(sorter *s, uint32_t i) {
  uint32_t start = s->runs[i].start, na = s->runs[i].length, nb = s->runs[i + 1].length;
  s->runs[i].length = na + nb;
  for (uint32_t j = i + 1; j + 1 < s->nruns; j++) s->runs[j] = s->runs[j + 1];
  s->nruns--;
  ranked *a = s->items + start, *b = a + na;
  int64_t in_place = gallop(s, b[0], a, na, true, false);
  if (in_place < 0) return false;
  a += in_place;
  na -= (uint32_t)in_place;
  if (na == 0) return true;
  int64_t below = gallop(s, a[na - 1], b, nb, false, true);
  if (below < 0) return false;
  nb = (uint32_t)below;
  if (nb == 0) return true;
  return na <= nb ? merge_low(s, a, na, nb) : merge_high(s, a, na, nb);
}

/* The depth at which powersort's merge tree puts the border between two runs. */
static int power_of(uint64_t start, uint64_t na, uint64_t nb, uint64_t n) {
  uint64_t a = 2 * start + na, b = a + na + nb; /* twice the middles */
  for (int power = 1;; power++) {
    if (a >= n) {
      a -= n;
      b -= n;
    } else if (b >= n) {
      return power;
    }
    a <<= 1;
    b <<= 1;
  }
}

static bool push_run(sorter *s, uint32_t start, uint32_t length) {
  if (s->nruns) {
    uint32_t last = s->nruns - 1;
    int power = power_of(s->runs[last].start, s->runs[last].length, length, s->n);
    while (s->nruns > 1 && s->runs[s->nruns - 2].power > power) {
      if (!merge_runs(s, s->nruns - 2)) return false;
    }
    s->runs[s->nruns - 1].power = power;
  }
  s->runs[s->nruns].start = start;
  s->runs[s->nruns].length = length;
  s->runs[s->nruns].power = 0;
  s->nruns++;
  return true;
}

static bool merge_sort(sorter *s) {
  uint32_t shortest = shortest_run(s->n);
  for (uint32_t start = 0; start < s->n;) {
    uint32_t length = find_run(s, start);
    if (length == 0) return false;
    if (length < shortest) {
      uint32_t forced = s->n - start < shortest ? s->n - start : shortest;
      if (!insertion_sort(s, s->items + start, forced, length)) return false;
      length = forced;
    }
    if (!push_run(s, start, length)) return false;
    start += length;
  }
  while (s->nruns > 1) {
    uint32_t i = s->nruns - 2;
    if (i > 0 && s->runs[i - 1].length < s->runs[i + 1].length) i--;
    if (!merge_runs(s, i)) return false;
  }
  return true;
}

/* ---- The list ---- */

/* The keys of the elements, in order; `values` itself without a key function. NULL failed. */
static asy_list *make_keys(asy_vm *vm, asy_list *values, asy_value key) {
  if (key == ASY_NONE) return values;
  asy_list *keys = asy_list_new(vm, values->len);
  for (uint32_t i = 0; keys && i < values->len; i++) {
    asy_value k = asy_call1(vm, key, values->items[i]);
    if (asy_failed(k) || !asy_list_append(vm, keys, k)) return NULL;
  }
  return keys;
}

/* Puts values in the order of the sorted items. Reverse keeps the order of equal keys: they were sorted back to front. */
static bool permute(asy_vm *vm, asy_list *values, const ranked *items, bool reverse) {
  uint32_t n = values->len, in_place = 0;
  while (in_place < n && items[reverse ? n - 1 - in_place : in_place].place == in_place) in_place++;
  if (in_place == n) return true;
  asy_value *out = asy_mem_alloc(vm, n * sizeof *out);
  if (!out) return false;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t place = items[reverse ? n - 1 - i : i].place;
    out[i] = values->items[place];
  }
  memcpy(values->items, out, n * sizeof *out);
  asy_mem_free(vm, out, n * sizeof *out);
  return true;
}

static bool sort_values(asy_vm *vm, asy_list *values, asy_list *keys, bool reverse) {
  ranked small[SMALL_SORT + SMALL_SORT / 2];
  sorter s = {.vm = vm, .keys = keys, .n = values->len, .min_gallop = GALLOP_AFTER, .items = small};
  size_t size = ((size_t)s.n + s.n / 2) * sizeof *s.items;
  if (s.n > SMALL_SORT && !(s.items = asy_mem_alloc(vm, size))) return false;
  s.temp = s.items + s.n;
  rank_all(&s);
  if (reverse) reverse_range(s.items, s.n); /* equal keys stay in order when the result is read backwards */
  bool done = merge_sort(&s) && permute(vm, values, s.items, reverse);
  if (s.items != small) asy_mem_free(vm, s.items, size);
  return done;
}

static void move_storage(asy_vm *vm, asy_list *to, asy_list *from) {
  to->items = from->items;
  to->len = from->len;
  to->cap = from->cap;
  from->items = NULL;
  from->len = from->cap = 0;
  asy_barrier(vm, to);
}

bool asy_list_sort(asy_vm *vm, asy_list *list, asy_value key, bool reverse) {
  if (list->len < 2 && key == ASY_NONE) return true;
  asy_list *values = asy_list_new(vm, 0);
  if (!values) return false;
  move_storage(vm, values, list);
  asy_list *keys = make_keys(vm, values, key);
  bool done = keys && (values->len < 2 || sort_values(vm, values, keys, reverse));
  bool touched = list->items != NULL;
  if (touched) asy_list_clear(vm, list);
  move_storage(vm, list, values);
  if (done && touched) {
    asy_raise(vm, ASY_ValueError, "list modified during sort");
    return false;
  }
  return done;
}
