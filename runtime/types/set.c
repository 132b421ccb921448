/* set.c - set and frozenset: an open-addressed table of {hash, key}.
 *
 * Probing (runs of 9 neighbours, then i*5 + perturb + 1), growth and the order of every operation follow CPython's, so that sets of
 * numbers iterate as they do there. Deleted slots have key 0 and hash -1 and are dropped when the table is rebuilt.
 *
 * Must stay true: fill <= 3/5 cap, so every probe ends; a frozenset does not change once script code has seen it; after a
 * comparison that may run script code, `mutations` is looked at, and the lookup starts again when it has changed.
 */
#include "runtime/types/iter.h"
#include "runtime/types/key.h"
#include "runtime/types/sequence.h"
#include "runtime/vm.h"

enum { SMALLEST = ASY_SET_SMALL, NEIGHBOURS = 9, PERTURB_SHIFT = 5, DELETED_HASH = -1 };
enum { ABSENT = -1, FAILED = -2, CHANGED = -3 }; /* instead of a slot number */

static inline asy_set *set_of(asy_value v) { return (asy_set *)asy_obj_of(v); }

/* ---- Storage ---- */

/* Writes a key that is absent into a table without deleted slots. */
static void insert_clean(asy_set_entry *entries, uint32_t mask, asy_set_entry e) {
  uint64_t perturb = (uint64_t)e.hash, i = perturb & mask;
  for (;;) {
    uint64_t last = i + NEIGHBOURS <= mask ? i + NEIGHBOURS : i;
    for (uint64_t j = i; j <= last; j++) {
      if (entries[j].key) continue;
      entries[j] = e;
      return;
    }
    perturb >>= PERTURB_SHIFT;
    i = (i * 5 + 1 + perturb) & mask;
  }
}

/* Gives the table back, whoever owns it. */
static void release_table(asy_vm *vm, asy_set *set) {
  if (set->entries == set->small) memset(set->small, 0, sizeof set->small);
  else if (set->entries) asy_mem_free(vm, set->entries, set->cap * sizeof *set->entries);
}

/* A table with more than `need` slots; deleted ones dropped. False: MemoryError, nothing changed. */
static bool resize(asy_vm *vm, asy_set *set, uint64_t need) {
  uint64_t cap = SMALLEST;
  while (cap <= need) cap *= 2;
  if (cap > (uint64_t)1 << 31) {
    asy_raise_no_memory(vm);
    return false;
  }
  asy_set_entry rebuilt[ASY_SET_SMALL] = {0}, *entries = rebuilt;
  if (cap > ASY_SET_SMALL) {
    entries = asy_mem_alloc(vm, cap * sizeof *entries);
    if (!entries) return false;
    memset(entries, 0, cap * sizeof *entries);
  }
  for (uint32_t i = 0; i < set->cap; i++) {
    if (set->entries[i].key) insert_clean(entries, (uint32_t)cap - 1, set->entries[i]);
  }
  release_table(vm, set);
  if (entries == rebuilt) memcpy(set->small, rebuilt, sizeof rebuilt);
  set->entries = entries == rebuilt ? set->small : entries;
  set->cap = (uint32_t)cap;
  set->fill = set->used;
  set->mutations++;
  return true;
}

static bool grow(asy_vm *vm, asy_set *set) {
  return resize(vm, set, set->used > 50000 ? (uint64_t)set->used * 2 : (uint64_t)set->used * 4);
}

/* Room for `more` further items, as CPython makes it before merging. */
static bool presize(asy_vm *vm, asy_set *set, uint32_t more) {
  uint64_t mask = set->cap ? set->cap - 1 : SMALLEST - 1;
  if (((uint64_t)set->fill + more) * 5 < mask * 3) return true;
  return resize(vm, set, ((uint64_t)set->used + more) * 2);
}

static void drop_storage(asy_vm *vm, asy_set *set) {
  release_table(vm, set);
  set->entries = NULL;
  set->used = set->fill = set->cap = 0;
}

asy_set *asy_set_new(asy_vm *vm, unsigned kind) { return asy_new_kind(vm, kind, sizeof(asy_set)); }

void asy_set_clear(asy_vm *vm, asy_set *set) {
  drop_storage(vm, set);
  set->mutations++;
}

bool asy_set_next(asy_set *set, uint32_t *position, asy_value *item) {
  for (uint32_t i = *position; i < set->cap; i++) {
    if (!set->entries[i].key) continue;
    *item = set->entries[i].key;
    *position = i + 1;
    return true;
  }
  *position = set->cap;
  return false;
}

/* ---- Lookup ---- */

/* Slot i has the hash that is looked for: i when its key equals, ABSENT, FAILED, or CHANGED when the set did meanwhile. */
static __attribute__((noinline)) int64_t match(asy_vm *vm, asy_set *set, uint64_t i, asy_value key) {
  asy_value candidate = set->entries[i].key;
  int quick = asy_quick_equal(candidate, key);
  if (quick >= 0) return quick ? (int64_t)i : ABSENT;
  uint32_t mutations = set->mutations;
  int equal = asy_equal(vm, candidate, key);
  if (equal < 0) return FAILED;
  if (set->mutations != mutations) return CHANGED;
  return equal ? (int64_t)i : ABSENT;
}

/* The slot of key. ABSENT: *unused is the slot where it would go: the last deleted one passed, or one never used. */
static inline int64_t find_once(asy_vm *vm, asy_set *set, asy_value key, int64_t hash, uint64_t *unused) {
  uint64_t mask = set->cap - 1, perturb = (uint64_t)hash, i = perturb & mask;
  *unused = UINT64_MAX;
  for (;;) {
    uint64_t last = i + NEIGHBOURS <= mask ? i + NEIGHBOURS : i;
    for (uint64_t j = i; j <= last; j++) {
      const asy_set_entry *e = &set->entries[j];
      if (e->key == key) return (int64_t)j;
      if (!e->key) {
        if (e->hash == DELETED_HASH || *unused == UINT64_MAX) *unused = j;
        if (e->hash == 0) return ABSENT;
        continue;
      }
      if (e->hash != hash) continue;
      int64_t found = match(vm, set, j, key);
      if (found != ABSENT) return found;
    }
    perturb >>= PERTURB_SHIFT;
    i = (i * 5 + 1 + perturb) & mask;
  }
}

static inline int64_t find(asy_vm *vm, asy_set *set, asy_value key, int64_t hash) {
  uint64_t unused;
  int64_t found = CHANGED;
  while (found == CHANGED) found = set->used ? find_once(vm, set, key, hash, &unused) : ABSENT;
  return found;
}

/* ---- Changes ---- */

static int add_hashed(asy_vm *vm, asy_set *set, asy_value key, int64_t hash) {
  uint64_t unused = 0;
  int64_t found = CHANGED;
  while (found == CHANGED) { /* a comparison may even have emptied the set */
    if (set->cap == 0 && !resize(vm, set, 0)) return -1;
    found = find_once(vm, set, key, hash, &unused);
  }
  if (found != ABSENT) return found == FAILED ? -1 : 0;
  bool reused = set->entries[unused].hash == DELETED_HASH;
  set->entries[unused] = (asy_set_entry){.hash = hash, .key = key};
  set->used++;
  set->mutations++;
  asy_barrier_value(vm, set, key);
  if (reused) return 1;
  set->fill++;
  if ((uint64_t)set->fill * 5 < (uint64_t)(set->cap - 1) * 3) return 1;
  return grow(vm, set) ? 1 : -1;
}

static void remove_slot(asy_set *set, int64_t i) {
  set->entries[i] = (asy_set_entry){.hash = DELETED_HASH};
  set->used--;
  set->mutations++;
}

static int discard_hashed(asy_vm *vm, asy_set *set, asy_value key, int64_t hash) {
  int64_t i = find(vm, set, key, hash);
  if (i < 0) return i == ABSENT ? 0 : -1;
  remove_slot(set, i);
  return 1;
}

int asy_set_add(asy_vm *vm, asy_set *set, asy_value item) {
  int64_t hash;
  return asy_key_hash(vm, item, &hash) ? add_hashed(vm, set, item, hash) : -1;
}

static bool hash_of_set(asy_vm *vm, asy_value self, int64_t *out);

/* The hash of an item to look for: a set stands for the frozenset of its items. */
static bool lookup_hash(asy_vm *vm, asy_value item, int64_t *out) {
  if (asy_key_hash(vm, item, out)) return true;
  if (!asy_is_kind(item, KIND_SET) || !asy_raised_is(vm, ASY_TypeError)) return false;
  asy_clear_exception(vm);
  return hash_of_set(vm, item, out);
}

int asy_set_contains(asy_vm *vm, asy_set *set, asy_value item) {
  int64_t hash;
  if (!lookup_hash(vm, item, &hash)) return -1;
  int64_t i = find(vm, set, item, hash);
  return i >= 0 ? 1 : i == ABSENT ? 0 : -1;
}

int asy_set_discard(asy_vm *vm, asy_set *set, asy_value item) {
  int64_t hash;
  return lookup_hash(vm, item, &hash) ? discard_hashed(vm, set, item, hash) : -1;
}

static bool merge_set(asy_vm *vm, asy_set *set, asy_set *other) {
  if (set == other || other->used == 0) return true;
  if (!presize(vm, set, other->used)) return false;
  if (set->fill == 0) {
    if (set->cap == 0 && !resize(vm, set, 0)) return false;
    if (set->cap == other->cap && other->fill == other->used) {
      memcpy(set->entries, other->entries, other->cap * sizeof *other->entries);
    } else {
      for (uint32_t i = 0; i < other->cap; i++) {
        if (other->entries[i].key) insert_clean(set->entries, set->cap - 1, other->entries[i]);
      }
    }
    set->fill = set->used = other->used;
    set->mutations++;
    asy_barrier(vm, set);
    return true;
  }
  for (uint32_t i = 0; i < other->cap; i++) { /* a comparison may change other: read it again each time */
    asy_set_entry e = other->entries[i];
    if (e.key && add_hashed(vm, set, e.key, e.hash) < 0) return false;
  }
  return true;
}

static bool merge_keys(asy_vm *vm, asy_set *set, asy_dict *dict) {
  if (!presize(vm, set, dict->used)) return false;
  for (uint32_t i = 0; i < dict->fill; i++) { /* a comparison may change dict: read it again each time */
    asy_dict_entry e = dict->entries[i];
    if (e.key && add_hashed(vm, set, e.key, asy_dict_entry_hash(&e)) < 0) return false;
  }
  return true;
}

bool asy_set_update(asy_vm *vm, asy_set *set, asy_value iterable) {
  if (asy_is_any_set(iterable)) return merge_set(vm, set, set_of(iterable));
  if (asy_is_exact(iterable, KIND_DICT)) return merge_keys(vm, set, (asy_dict *)asy_obj_of(iterable));
  asy_value iterator = asy_iter(vm, iterable);
  if (asy_failed(iterator)) return false;
  for (;;) {
    asy_value item = asy_next(vm, iterator);
    if (item == ASY_END) return true;
    if (asy_failed(item) || asy_set_add(vm, set, item) < 0) return false;
  }
}

asy_set *asy_set_copy(asy_vm *vm, asy_set *set, unsigned kind) {
  asy_set *copy = asy_set_new(vm, kind);
  return copy && merge_set(vm, copy, set) ? copy : NULL;
}

/* iterable itself when it is a set, else a set of its items. NULL failed. */
static asy_set *as_set(asy_vm *vm, asy_value iterable) {
  if (asy_is_any_set(iterable)) return set_of(iterable);
  asy_set *set = asy_set_new(vm, KIND_SET);
  return set && asy_set_update(vm, set, iterable) ? set : NULL;
}

bool asy_set_difference_update(asy_vm *vm, asy_set *set, asy_value iterable) {
  if (iterable == asy_from_obj(set)) {
    asy_set_clear(vm, set);
    return true;
  }
  if (asy_is_any_set(iterable)) {
    asy_set *other = set_of(iterable);
    for (uint32_t i = 0; i < other->cap; i++) {
      asy_set_entry e = other->entries[i];
      if (e.key && discard_hashed(vm, set, e.key, e.hash) < 0) return false;
    }
  } else if (asy_is_exact(iterable, KIND_DICT)) {
    asy_dict *other = (asy_dict *)asy_obj_of(iterable);
    for (uint32_t i = 0; i < other->fill; i++) {
      asy_dict_entry e = other->entries[i];
      if (e.key && discard_hashed(vm, set, e.key, asy_dict_entry_hash(&e)) < 0) return false;
    }
  } else {
    asy_value iterator = asy_iter(vm, iterable);
    if (asy_failed(iterator)) return false;
    for (asy_value item; (item = asy_next(vm, iterator)) != ASY_END;) {
      int64_t hash;
      if (asy_failed(item) || !asy_key_hash(vm, item, &hash) || discard_hashed(vm, set, item, hash) < 0) return false;
    }
  }
  uint32_t mask = set->cap ? set->cap - 1 : SMALLEST - 1;
  return set->fill - set->used <= mask / 4 || grow(vm, set);
}

bool asy_set_symmetric_update(asy_vm *vm, asy_set *set, asy_value iterable) {
  if (iterable == asy_from_obj(set)) {
    asy_set_clear(vm, set);
    return true;
  }
  asy_set *other = as_set(vm, iterable);
  if (!other) return false;
  for (uint32_t i = 0; i < other->cap; i++) {
    asy_set_entry e = other->entries[i];
    if (!e.key) continue;
    int gone = discard_hashed(vm, set, e.key, e.hash);
    if (gone < 0 || (!gone && add_hashed(vm, set, e.key, e.hash) < 0)) return false;
  }
  return true;
}

/* ---- Algebra: each makes a new set of `kind`, NULL failed ---- */

static asy_set *intersection(asy_vm *vm, asy_set *set, asy_value iterable, unsigned kind) {
  asy_set *result = asy_set_new(vm, kind);
  if (!result) return NULL;
  if (!asy_is_any_set(iterable)) {
    asy_value iterator = asy_iter(vm, iterable);
    if (asy_failed(iterator)) return NULL;
    for (asy_value item; (item = asy_next(vm, iterator)) != ASY_END;) {
      int64_t hash;
      if (asy_failed(item) || !asy_key_hash(vm, item, &hash)) return NULL;
      int64_t at = find(vm, set, item, hash);
      if (at == FAILED || (at >= 0 && add_hashed(vm, result, item, hash) < 0)) return NULL;
    }
    return result;
  }
  asy_set *small = set_of(iterable), *large = set;
  if (small->used > large->used) {
    small = set;
    large = set_of(iterable);
  }
  for (uint32_t i = 0; i < small->cap; i++) {
    asy_set_entry e = small->entries[i];
    if (!e.key) continue;
    int64_t at = find(vm, large, e.key, e.hash);
    if (at == FAILED || (at >= 0 && add_hashed(vm, result, e.key, e.hash) < 0)) return NULL;
  }
  return result;
}

static asy_set *difference(asy_vm *vm, asy_set *set, asy_value iterable, unsigned kind) {
  bool any_set = asy_is_any_set(iterable), dict = asy_is_exact(iterable, KIND_DICT);
  uint32_t other_size = any_set ? set_of(iterable)->used : dict ? ((asy_dict *)asy_obj_of(iterable))->used : 0;
  if ((!any_set && !dict) || set->used >> 2 > other_size) {
    asy_set *copy = asy_set_copy(vm, set, kind);
    return copy && asy_set_difference_update(vm, copy, iterable) ? copy : NULL;
  }
  asy_set *result = asy_set_new(vm, kind);
  for (uint32_t i = 0; result && i < set->cap; i++) {
    asy_set_entry e = set->entries[i];
    asy_value value;
    if (!e.key) continue;
    int inside;
    if (any_set) {
      int64_t at = find(vm, set_of(iterable), e.key, e.hash);
      inside = at >= 0 ? 1 : at == ABSENT ? 0 : -1;
    } else {
      inside = asy_dict_get_hashed(vm, (asy_dict *)asy_obj_of(iterable), e.key, e.hash, &value);
    }
    if (inside < 0 || (!inside && add_hashed(vm, result, e.key, e.hash) < 0)) return NULL;
  }
  return result;
}

/* 1 when every item of a is in b, 0, -1. */
static int subset(asy_vm *vm, asy_set *a, asy_set *b) {
  if (a->used > b->used) return 0;
  for (uint32_t i = 0; i < a->cap; i++) {
    asy_set_entry e = a->entries[i];
    if (!e.key) continue;
    int64_t at = find(vm, b, e.key, e.hash);
    if (at < 0) return at == ABSENT ? 0 : -1;
  }
  return 1;
}

/* ---- Slots ---- */

static void set_visit(asy_obj *o, asy_visitor *v) {
  asy_set *set = (asy_set *)o;
  for (uint32_t i = 0; i < set->cap; i++) {
    if (set->entries[i].key) asy_visit_value(v, set->entries[i].key);
  }
}

static void set_free(asy_vm *vm, asy_obj *o) { drop_storage(vm, (asy_set *)o); }

static asy_value set_init(asy_vm *vm, const asy_value *args) {
  asy_set *set = set_of(args[0]);
  if (set->used) asy_set_clear(vm, set);
  if (args[1] != ASY_UNBOUND && !asy_set_update(vm, set, args[1])) return ASY_FAILED;
  return ASY_NONE;
}

static asy_value frozenset_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  bool exact = cls == vm->classes[KIND_FROZENSET];
  if (exact && asy_is_exact(args[1], KIND_FROZENSET)) return args[1];
  asy_set *set = exact ? asy_set_new(vm, KIND_FROZENSET) : asy_new_instance(vm, cls);
  if (!set || (args[1] != ASY_UNBOUND && !asy_set_update(vm, set, args[1]))) return ASY_FAILED;
  return asy_from_obj(set);
}

static asy_value set_repr(asy_vm *vm, asy_value self) {
  asy_set *set = set_of(self);
  asy_str *name = asy_class_of(vm, self)->name;
  bool plain = set->head.shape == KIND_SET;
  asy_repr_guard guard;
  asy_text text;
  if (!asy_repr_check(vm)) return ASY_FAILED;
  bool entered = set->used && asy_repr_enter(vm, &guard, set);
  asy_text_init(&text, vm);
  if (!plain || !entered) {
    asy_text_str(&text, name);
    asy_text_char(&text, '(');
  }
  if (entered) {
    asy_value item;
    bool more = false;
    asy_text_char(&text, '{');
    for (uint32_t i = 0; !text.failed && asy_set_next(set, &i, &item); more = true) {
      if (more) asy_text_ascii(&text, ", ");
      asy_text_repr_of(&text, item);
    }
    asy_text_char(&text, '}');
    asy_repr_leave(vm, &guard);
  } else if (set->used) {
    asy_text_ascii(&text, "...");
  }
  if (!plain || !entered) asy_text_char(&text, ')');
  return asy_object_or_failed(asy_text_finish(&text));
}

static uint64_t shuffle_bits(uint64_t h) { return ((h ^ 89869747u) ^ h << 16) * 3644798167u; }

static bool hash_of_set(asy_vm *vm, asy_value self, int64_t *out) {
  asy_set *set = set_of(self);
  (void)vm;
  if (set->frozen_hash && set->head.kind == KIND_FROZENSET) {
    *out = set->frozen_hash;
    return true;
  }
  uint64_t hash = 0;
  for (uint32_t i = 0; i < set->cap; i++) {
    if (set->entries[i].key) hash ^= shuffle_bits((uint64_t)set->entries[i].hash);
  }
  hash ^= ((uint64_t)set->used + 1) * 1927868237u;
  hash ^= hash >> 11 ^ hash >> 25;
  hash = hash * 69069u + 907133923u;
  if (hash == UINT64_MAX) hash = 590923713u;
  set->frozen_hash = (int64_t)hash;
  *out = (int64_t)hash;
  return true;
}

static asy_value set_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!asy_is_any_set(other)) return ASY_NOT_IMPLEMENTED;
  asy_set *a = set_of(self), *b = set_of(other);
  int answer = 0;
  if (!asy_check_c_stack(vm)) return ASY_FAILED;
  switch (op) {
    case COMPARE_EQ:
    case COMPARE_NE: answer = a->used == b->used ? subset(vm, a, b) : 0; break;
    case COMPARE_LT: answer = a->used < b->used ? subset(vm, a, b) : 0; break;
    case COMPARE_LE: answer = subset(vm, a, b); break;
    case COMPARE_GT: answer = a->used > b->used ? subset(vm, b, a) : 0; break;
    default: answer = subset(vm, b, a); break;
  }
  if (answer < 0) return ASY_FAILED;
  return asy_from_bool((answer == 1) != (op == COMPARE_NE));
}

static int64_t set_length(asy_vm *vm, asy_value self) {
  (void)vm;
  return set_of(self)->used;
}

static int set_contains(asy_vm *vm, asy_value self, asy_value item) { return asy_set_contains(vm, set_of(self), item); }

static asy_value set_iter(asy_vm *vm, asy_value self) { return asy_set_iter_new(vm, set_of(self)); }

static inline bool both_sets(asy_value left, asy_value right) { return asy_is_any_set(left) && asy_is_any_set(right); }

static asy_value set_or(asy_vm *vm, asy_value left, asy_value right) {
  if (!both_sets(left, right)) return ASY_NOT_IMPLEMENTED;
  asy_set *result = asy_set_copy(vm, set_of(left), asy_obj_of(left)->kind);
  return result && merge_set(vm, result, set_of(right)) ? asy_from_obj(result) : ASY_FAILED;
}

static asy_value set_and(asy_vm *vm, asy_value left, asy_value right) {
  if (!both_sets(left, right)) return ASY_NOT_IMPLEMENTED;
  return asy_object_or_failed(intersection(vm, set_of(left), right, asy_obj_of(left)->kind));
}

static asy_value set_sub(asy_vm *vm, asy_value left, asy_value right) {
  if (!both_sets(left, right)) return ASY_NOT_IMPLEMENTED;
  return asy_object_or_failed(difference(vm, set_of(left), right, asy_obj_of(left)->kind));
}

/* left ^ iterable: the items of one only, in the order CPython gives them. */
static asy_value symmetric(asy_vm *vm, asy_value left, asy_value iterable) {
  asy_set *result = asy_set_new(vm, asy_obj_of(left)->kind);
  if (!result || !asy_set_update(vm, result, iterable)) return ASY_FAILED;
  return asy_set_symmetric_update(vm, result, left) ? asy_from_obj(result) : ASY_FAILED;
}

static asy_value set_xor(asy_vm *vm, asy_value left, asy_value right) {
  return both_sets(left, right) ? symmetric(vm, left, right) : ASY_NOT_IMPLEMENTED;
}

/* Gives set the items of `from`, which is ours alone. */
static void take_items(asy_vm *vm, asy_set *set, asy_set *from) {
  drop_storage(vm, set);
  if (from->entries == from->small) memcpy(set->small, from->small, sizeof set->small);
  set->entries = from->entries == from->small ? set->small : from->entries;
  set->used = from->used;
  set->fill = from->fill;
  set->cap = from->cap;
  set->mutations++;
  if (from->entries == from->small) memset(from->small, 0, sizeof from->small);
  from->entries = NULL;
  from->used = from->fill = from->cap = 0;
  asy_barrier(vm, set);
}

static asy_value set_ior(asy_vm *vm, asy_value self, asy_value right) {
  if (!asy_is_any_set(right)) return ASY_NOT_IMPLEMENTED;
  return merge_set(vm, set_of(self), set_of(right)) ? self : ASY_FAILED;
}

static asy_value set_iand(asy_vm *vm, asy_value self, asy_value right) {
  if (!asy_is_any_set(right)) return ASY_NOT_IMPLEMENTED;
  asy_set *result = intersection(vm, set_of(self), right, KIND_SET);
  if (!result) return ASY_FAILED;
  take_items(vm, set_of(self), result);
  return self;
}

static asy_value set_isub(asy_vm *vm, asy_value self, asy_value right) {
  if (!asy_is_any_set(right)) return ASY_NOT_IMPLEMENTED;
  return asy_set_difference_update(vm, set_of(self), right) ? self : ASY_FAILED;
}

static asy_value set_ixor(asy_vm *vm, asy_value self, asy_value right) {
  if (!asy_is_any_set(right)) return ASY_NOT_IMPLEMENTED;
  return asy_set_symmetric_update(vm, set_of(self), right) ? self : ASY_FAILED;
}

/* ---- Methods of both ---- */

static asy_value set_copy(asy_vm *vm, const asy_value *args) {
  if (asy_is_exact(args[0], KIND_FROZENSET)) return args[0];
  return asy_object_or_failed(asy_set_copy(vm, set_of(args[0]), asy_obj_of(args[0])->kind));
}

static asy_value set_union(asy_vm *vm, const asy_value *args) {
  asy_tuple *others = (asy_tuple *)asy_obj_of(args[1]);
  asy_set *result = asy_set_copy(vm, set_of(args[0]), asy_obj_of(args[0])->kind);
  for (uint32_t i = 0; result && i < others->len; i++) {
    if (!asy_set_update(vm, result, others->items[i])) return ASY_FAILED;
  }
  return asy_object_or_failed(result);
}

static asy_set *intersection_all(asy_vm *vm, asy_value self, asy_tuple *others) {
  unsigned kind = asy_obj_of(self)->kind;
  if (others->len == 0) return asy_set_copy(vm, set_of(self), kind);
  asy_set *result = set_of(self);
  for (uint32_t i = 0; result && i < others->len; i++) result = intersection(vm, result, others->items[i], kind);
  return result;
}

static asy_value set_intersection(asy_vm *vm, const asy_value *args) {
  return asy_object_or_failed(intersection_all(vm, args[0], (asy_tuple *)asy_obj_of(args[1])));
}

static asy_value set_difference(asy_vm *vm, const asy_value *args) {
  asy_tuple *others = (asy_tuple *)asy_obj_of(args[1]);
  unsigned kind = asy_obj_of(args[0])->kind;
  if (others->len == 0) return asy_object_or_failed(asy_set_copy(vm, set_of(args[0]), kind));
  asy_set *result = difference(vm, set_of(args[0]), others->items[0], kind);
  for (uint32_t i = 1; result && i < others->len; i++) {
    if (!asy_set_difference_update(vm, result, others->items[i])) return ASY_FAILED;
  }
  return asy_object_or_failed(result);
}

static asy_value set_symmetric_difference(asy_vm *vm, const asy_value *args) { return symmetric(vm, args[0], args[1]); }

static asy_value set_isdisjoint(asy_vm *vm, const asy_value *args) {
  asy_set *set = set_of(args[0]);
  if (asy_is_any_set(args[1])) {
    asy_set *small = set_of(args[1]), *large = set;
    if (small->used > large->used) {
      small = set;
      large = set_of(args[1]);
    }
    for (uint32_t i = 0; i < small->cap; i++) {
      asy_set_entry e = small->entries[i];
      int64_t at = e.key ? find(vm, large, e.key, e.hash) : ABSENT;
      if (at != ABSENT) return at == FAILED ? ASY_FAILED : ASY_FALSE;
    }
    return ASY_TRUE;
  }
  asy_value iterator = asy_iter(vm, args[1]);
  if (asy_failed(iterator)) return ASY_FAILED;
  for (asy_value item; (item = asy_next(vm, iterator)) != ASY_END;) {
    int64_t hash;
    if (asy_failed(item) || !asy_key_hash(vm, item, &hash)) return ASY_FAILED;
    int64_t at = find(vm, set, item, hash);
    if (at != ABSENT) return at == FAILED ? ASY_FAILED : ASY_FALSE;
  }
  return ASY_TRUE;
}

static asy_value set_issubset(asy_vm *vm, const asy_value *args) {
  asy_set *other = as_set(vm, args[1]);
  int answer = other ? subset(vm, set_of(args[0]), other) : -1;
  return answer < 0 ? ASY_FAILED : asy_from_bool(answer);
}

static asy_value set_issuperset(asy_vm *vm, const asy_value *args) {
  asy_set *other = as_set(vm, args[1]);
  int answer = other ? subset(vm, other, set_of(args[0])) : -1;
  return answer < 0 ? ASY_FAILED : asy_from_bool(answer);
}

/* ---- Methods of set ---- */

static asy_value set_add(asy_vm *vm, const asy_value *args) {
  return asy_set_add(vm, set_of(args[0]), args[1]) < 0 ? ASY_FAILED : ASY_NONE;
}

static asy_value set_discard(asy_vm *vm, const asy_value *args) {
  return asy_set_discard(vm, set_of(args[0]), args[1]) < 0 ? ASY_FAILED : ASY_NONE;
}

static asy_value set_remove(asy_vm *vm, const asy_value *args) {
  int gone = asy_set_discard(vm, set_of(args[0]), args[1]);
  if (gone == 0) return asy_raise_key(vm, args[1]);
  return gone < 0 ? ASY_FAILED : ASY_NONE;
}

static asy_value set_pop(asy_vm *vm, const asy_value *args) {
  asy_set *set = set_of(args[0]);
  if (set->used == 0) return asy_raise_format(vm, ASY_KeyError, "pop from an empty set");
  uint32_t i = set->finger & (set->cap - 1);
  while (!set->entries[i].key) i = (i + 1) & (set->cap - 1);
  asy_value item = set->entries[i].key;
  remove_slot(set, i);
  set->finger = i + 1;
  return item;
}

static asy_value set_clear(asy_vm *vm, const asy_value *args) {
  asy_set_clear(vm, set_of(args[0]));
  return ASY_NONE;
}

static asy_value set_update(asy_vm *vm, const asy_value *args) {
  asy_tuple *others = (asy_tuple *)asy_obj_of(args[1]);
  for (uint32_t i = 0; i < others->len; i++) {
    if (!asy_set_update(vm, set_of(args[0]), others->items[i])) return ASY_FAILED;
  }
  return ASY_NONE;
}

static asy_value set_intersection_update(asy_vm *vm, const asy_value *args) {
  asy_set *result = intersection_all(vm, args[0], (asy_tuple *)asy_obj_of(args[1]));
  if (!result) return ASY_FAILED;
  take_items(vm, set_of(args[0]), result);
  return ASY_NONE;
}

static asy_value set_difference_update(asy_vm *vm, const asy_value *args) {
  asy_tuple *others = (asy_tuple *)asy_obj_of(args[1]);
  for (uint32_t i = 0; i < others->len; i++) {
    if (!asy_set_difference_update(vm, set_of(args[0]), others->items[i])) return ASY_FAILED;
  }
  return ASY_NONE;
}

static asy_value set_symmetric_difference_update(asy_vm *vm, const asy_value *args) {
  return asy_set_symmetric_update(vm, set_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value set_reduce(asy_vm *vm, const asy_value *args) {
  asy_str *getstate = asy_intern(vm, "__getstate__");
  asy_value state = getstate ? asy_call_method(vm, args[0], getstate, 0, NULL) : ASY_FAILED;
  asy_list *items = state == ASY_FAILED ? NULL : asy_list_from_iterable(vm, args[0]);
  asy_value arguments = items ? asy_tuple_of(vm, 1, asy_from_obj(items)) : ASY_FAILED;
  return arguments == ASY_FAILED ? ASY_FAILED
                                 : asy_tuple_of(vm, 3, asy_from_obj(asy_type_of(vm, args[0])), arguments, state);
}

#define METHODS_OF_BOTH                                                                                                \
  {"__reduce__", SIG("(self, /)"), set_reduce, DOC("Return state information for pickling."), 0},                      \
    {"copy", SIG("(self, /)"), set_copy, DOC("Return a shallow copy of a set."), 0},                                   \
    {"union", SIG("(self, /, *others)"), set_union,                                                                    \
     DOC("Return a new set with elements from the set and all others."), 0},                                           \
    {"intersection", SIG("(self, /, *others)"), set_intersection,                                                      \
     DOC("Return a new set with elements common to the set and all others."), 0},                                      \
    {"difference", SIG("(self, /, *others)"), set_difference,                                                          \
     DOC("Return a new set with elements in the set that are not in the others."), 0},                                 \
    {"symmetric_difference", SIG("(self, other, /)"), set_symmetric_difference,                                        \
     DOC("Return a new set with elements in either the set or other but not both."), 0},                               \
    {"isdisjoint", SIG("(self, other, /)"), set_isdisjoint, DOC("Return True if two sets have a null intersection."),  \
     0},                                                                                                               \
    {"issubset", SIG("(self, other, /)"), set_issubset, DOC("Report whether another set contains this set."), 0}, {    \
    "issuperset", SIG("(self, other, /)"), set_issuperset, DOC("Report whether this set contains another set."), 0     \
  }

static const asy_native frozenset_methods[] = {METHODS_OF_BOTH, {0}};

static const asy_native set_methods[] = {
  METHODS_OF_BOTH,
  {"add", SIG("(self, object, /)"), set_add, DOC("Add an element to a set."), 0},
  {"discard", SIG("(self, object, /)"), set_discard, DOC("Remove an element from a set if it is a member."), 0},
  {"remove", SIG("(self, object, /)"), set_remove, DOC("Remove an element from a set; it must be a member."), 0},
  {"pop", SIG("(self, /)"), set_pop, DOC("Remove and return an arbitrary set element."), 0},
  {"clear", SIG("(self, /)"), set_clear, DOC("Remove all elements from this set."), 0},
  {"update", SIG("(self, /, *others)"), set_update, DOC("Update the set, adding elements from all others."), 0},
  {"intersection_update", SIG("(self, /, *others)"), set_intersection_update,
   DOC("Update the set, keeping only elements found in it and all others."), 0},
  {"difference_update", SIG("(self, /, *others)"), set_difference_update,
   DOC("Update the set, removing elements found in others."), 0},
  {"symmetric_difference_update", SIG("(self, other, /)"), set_symmetric_difference_update,
   DOC("Update the set, keeping only elements found in either set, but not in both."), 0},
  {0},
};

#undef METHODS_OF_BOTH

const asy_type asy_set_type = {
  .name = "set",
  .doc = "Build an unordered collection of unique elements.",
  .size = sizeof(asy_set),
  .flags = ASY_TYPE_UNHASHABLE,
  .visit = set_visit,
  .free = set_free,
  .new_ = asy_new_empty,
  .init = set_init,
  .init_signature = SIG("(self, iterable=?, /)"),
  .repr = set_repr,
  .compare = set_compare,
  .length = set_length,
  .special = &(const asy_special){.contains = set_contains},
  .iter = set_iter,
  .operators =
    &(const asy_operators){
      .binary = {[BINARY_SUB] = set_sub, [BINARY_AND] = set_and, [BINARY_OR] = set_or, [BINARY_XOR] = set_xor},
      .inplace = {[BINARY_SUB] = set_isub, [BINARY_AND] = set_iand, [BINARY_OR] = set_ior, [BINARY_XOR] = set_ixor}},
  .methods = set_methods,
};

const asy_type asy_frozenset_type = {
  .name = "frozenset",
  .doc = "Build an immutable unordered collection of unique elements.",
  .size = sizeof(asy_set),
  .visit = set_visit,
  .free = set_free,
  .new_ = frozenset_new,
  .new_signature = SIG("(cls, iterable=?, /)"),
  .repr = set_repr,
  .hash = hash_of_set,
  .compare = set_compare,
  .length = set_length,
  .special = &(const asy_special){.contains = set_contains},
  .iter = set_iter,
  .operators =
    &(const asy_operators){
      .binary = {[BINARY_SUB] = set_sub, [BINARY_AND] = set_and, [BINARY_OR] = set_or, [BINARY_XOR] = set_xor}},
  .methods = frozenset_methods,
};
