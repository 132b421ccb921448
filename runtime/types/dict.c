/* dict.c - compact ordered hash table.
 *
 * Entries stand in insertion order; the index is probed as CPython's (i*5 + perturb + 1). Up to 8 entries there is no index and
 * the entries are scanned. A deletion empties the entry (key, value and hash 0) and leaves the index alone, so that
 *   - a slot may lead to an empty entry: the probe goes on;
 *   - a slot may lead to an entry that popitem freed and another key took: a second way to that key, harmless.
 * `index_used` counts written slots; at 5/8 of the index the table is rebuilt.
 *
 * Must stay true: index_used <= 5/8 index_size, so every probe ends; entries between fill and cap that were used have key 0; after
 * any call that can run script code (a comparison of keys that is not quick), `mutations` is looked at and the lookup starts again
 * when it has changed.
 */
#include "runtime/types/dict.h"

#include "runtime/class.h"
#include "runtime/types/iter.h"
#include "runtime/types/key.h"
#include "runtime/types/sequence.h"
#include "runtime/vm.h"

enum { SCAN_MAX = 8, SMALLEST_INDEX = 32 };
enum { ABSENT = -1, FAILED = -2, CHANGED = -3 }; /* instead of an entry number */

static inline asy_dict *dict_of(asy_value v) { return (asy_dict *)asy_obj_of(v); }

/* ---- The index ---- */

static inline uint32_t index_limit(uint32_t index_size) { return index_size / 8 * 5; }

static size_t index_bytes(uint32_t index_size) {
  return (size_t)index_size * (index_size <= 1u << 8 ? 1 : index_size <= 1u << 16 ? 2 : 4);
}

static inline uint32_t index_get(const asy_dict *dict, uint32_t slot) {
  if (dict->index_size <= 1u << 8) return ((const uint8_t *)dict->index)[slot];
  if (dict->index_size <= 1u << 16) return ((const uint16_t *)dict->index)[slot];
  return ((const uint32_t *)dict->index)[slot];
}

static inline void index_put(asy_dict *dict, uint32_t slot, uint32_t number) {
  if (dict->index_size <= 1u << 8) ((uint8_t *)dict->index)[slot] = (uint8_t)number;
  else if (dict->index_size <= 1u << 16) ((uint16_t *)dict->index)[slot] = (uint16_t)number;
  else ((uint32_t *)dict->index)[slot] = number;
}

typedef struct {
  uint32_t mask, perturb, slot;
} probe;

static inline probe probe_start(const asy_dict *dict, uint32_t hash) {
  uint32_t mask = dict->index_size - 1;
  return (probe){.mask = mask, .perturb = hash, .slot = hash & mask};
}

static inline void probe_next(probe *p) {
  p->perturb >>= 5;
  p->slot = (p->slot * 5 + p->perturb + 1) & p->mask;
}

/* Makes the index lead to entry i. */
static inline void index_add(asy_dict *dict, uint32_t hash, uint32_t i) {
  probe p = probe_start(dict, hash);
  while (index_get(dict, p.slot)) probe_next(&p);
  index_put(dict, p.slot, i + 1);
  dict->index_used++;
}

static void index_rebuild(asy_dict *dict) {
  if (!dict->index_size) return;
  memset(dict->index, 0, index_bytes(dict->index_size));
  dict->index_used = 0;
  for (uint32_t i = dict->first; i < dict->fill; i++)
    if (dict->entries[i].key) index_add(dict, dict->entries[i].hash, i);
}

/* ---- Storage ---- */

/* Writes the live entries of dict, closed up, to `to`, which may be the same array. */
static void close_up(asy_dict *dict, asy_dict_entry *to) {
  uint32_t out = 0;
  if (dict->used == dict->fill) {
    if (to != dict->entries && dict->fill) memcpy(to, dict->entries, dict->fill * sizeof *to);
    return;
  }
  for (uint32_t i = dict->first; i < dict->fill; i++) {
    if (dict->entries[i].key) to[out++] = dict->entries[i];
  }
  if (to == dict->entries) memset(to + out, 0, (dict->fill - out) * sizeof *to);
}

/* An index size for `need` entries; 0: none is needed. */
static uint32_t index_size_for(uint32_t need) {
  uint32_t size = SMALLEST_INDEX;
  if (need <= SCAN_MAX) return 0;
  while (index_limit(size) < need) size *= 2;
  return size;
}

/* New arrays with room for `need` entries, deleted ones dropped. False: MemoryError, nothing changed. */
static bool resize(asy_vm *vm, asy_dict *dict, uint64_t need) {
  if (need > ASY_MAX_LENGTH) {
    asy_raise_no_memory(vm);
    return false;
  }
  uint32_t index_size = index_size_for((uint32_t)need);
  uint32_t cap = index_size ? index_limit(index_size) : need <= SCAN_MAX / 2 ? SCAN_MAX / 2 : SCAN_MAX;
  void *index = NULL;
  asy_dict_entry *entries = asy_mem_alloc(vm, cap * sizeof *entries);
  if (!entries) return false;
  if (index_size && !(index = asy_mem_alloc(vm, index_bytes(index_size)))) {
    asy_mem_free(vm, entries, cap * sizeof *entries);
    return false;
  }
  close_up(dict, entries);
  if (dict->entries) asy_mem_free(vm, dict->entries, dict->cap * sizeof *entries);
  if (dict->index) asy_mem_free(vm, dict->index, index_bytes(dict->index_size));
  memset(entries + dict->used, 0, (cap - dict->used) * sizeof *entries);
  dict->entries = entries;
  dict->cap = cap;
  dict->index = index;
  dict->index_size = index_size;
  dict->index_used = 0;
  dict->fill = dict->used;
  dict->first = 0;
  dict->keys_version = 0;
  dict->mutations++;
  index_rebuild(dict);
  return true;
}

/* Room for one more entry. */
static __attribute__((noinline)) bool make_room(asy_vm *vm, asy_dict *dict) {
  if (dict->cap && dict->used <= dict->cap / 2) { /* enough once the deleted ones are gone */
    close_up(dict, dict->entries);
    dict->fill = dict->used;
    dict->first = 0;
    dict->keys_version = 0;
    dict->mutations++;
    index_rebuild(dict);
    return true;
  }
  return resize(vm, dict, (uint64_t)dict->used + dict->used / 2 + 1);
}

static void drop_storage(asy_vm *vm, asy_dict *dict) {
  if (dict->entries) asy_mem_free(vm, dict->entries, dict->cap * sizeof *dict->entries);
  if (dict->index) asy_mem_free(vm, dict->index, index_bytes(dict->index_size));
  dict->entries = NULL;
  dict->index = NULL;
  dict->used = dict->fill = dict->cap = dict->index_size = dict->index_used = dict->first = 0;
}

asy_dict *asy_dict_new(asy_vm *vm, uint32_t expected) {
  asy_dict *dict = asy_new_kind(vm, KIND_DICT, sizeof *dict);
  if (!dict || (expected && !resize(vm, dict, expected))) return NULL;
  return dict;
}

void asy_dict_clear(asy_vm *vm, asy_dict *dict) {
  drop_storage(vm, dict);
  dict->head.flags &= (uint16_t)~DICT_MIXED_KEYS;
  dict->keys_version = 0;
  dict->mutations++;
}

/* Makes `to`, which is empty, a copy of `from`. */
static bool copy_table(asy_vm *vm, asy_dict *to, asy_dict *from) {
  if (from->used == 0) return true;
  if (!resize(vm, to, from->used)) return false;
  close_up(from, to->entries);
  to->used = to->fill = from->used;
  to->head.flags |= from->head.flags & DICT_MIXED_KEYS;
  index_rebuild(to);
  asy_barrier(vm, to);
  return true;
}

asy_dict *asy_dict_copy(asy_vm *vm, asy_dict *dict) {
  asy_dict *copy = asy_dict_new(vm, 0);
  return copy && copy_table(vm, copy, dict) ? copy : NULL;
}

/* ---- Lookup ---- */

/* Entry i has the hash that is looked for: i when its key equals, ABSENT, FAILED, or CHANGED when the dict did meanwhile. */
static __attribute__((noinline)) int64_t match(asy_vm *vm, asy_dict *dict, uint32_t i, asy_value key) {
  asy_value candidate = dict->entries[i].key;
  int quick = asy_quick_equal(candidate, key);
  if (quick >= 0) return quick ? (int64_t)i : ABSENT;
  uint32_t mutations = dict->mutations;
  int equal = asy_equal(vm, candidate, key);
  if (equal < 0) return FAILED;
  if (dict->mutations != mutations) return CHANGED;
  return equal ? (int64_t)i : ABSENT;
}

static __attribute__((noinline)) int64_t find_once(asy_vm *vm, asy_dict *dict, asy_value key, uint32_t hash) {
  if (!dict->index_size) {
    for (uint32_t i = 0; i < dict->fill; i++) {
      if (dict->entries[i].key == key) return i;
      if (dict->entries[i].hash != hash || !dict->entries[i].key) continue;
      int64_t found = match(vm, dict, i, key);
      if (found != ABSENT) return found;
    }
    return ABSENT;
  }
  probe p = probe_start(dict, hash);
  for (uint32_t number; (number = index_get(dict, p.slot)); probe_next(&p)) {
    const asy_dict_entry *e = &dict->entries[number - 1];
    if (e->key == key) return number - 1;
    if (e->hash != hash || !e->key) continue;
    int64_t found = match(vm, dict, number - 1, key);
    if (found != ABSENT) return found;
  }
  return ABSENT;
}

/* Of a key with the same hash. */
static inline bool same_text(asy_value candidate, const asy_str *key) {
  const asy_str *s = (const asy_str *)asy_obj_of(candidate);
  return asy_is_kind(candidate, KIND_STR) && s->len == key->len && asy_str_width(s) == asy_str_width(key) &&
         asy_same_bytes(asy_str_data(s), asy_str_data(key), (size_t)s->len * asy_str_width(s));
}

/* The entry whose key is a str (or of a subclass) with this text. Runs nothing. */
static inline int64_t find_text(const asy_dict *dict, const asy_str *key, uint32_t hash) {
  asy_value word = asy_from_obj(key);
  if (!dict->index_size) {
    for (uint32_t i = 0; i < dict->fill; i++) {
      const asy_dict_entry *e = &dict->entries[i];
      if (e->key == word) return i;
      if (e->hash == hash && e->key && same_text(e->key, key)) return i;
    }
    return ABSENT;
  }
  probe p = probe_start(dict, hash);
  for (uint32_t number; (number = index_get(dict, p.slot)); probe_next(&p)) {
    const asy_dict_entry *e = &dict->entries[number - 1];
    if (e->key == word) return number - 1;
    if (e->hash == hash && e->key && same_text(e->key, key)) return number - 1;
  }
  return ABSENT;
}

/* The number of key's entry, ABSENT or FAILED. */
static inline __attribute__((always_inline)) int64_t find(asy_vm *vm, asy_dict *dict, asy_value key, uint32_t hash) {
  if (dict->used == 0) return ABSENT;
  if (asy_is_exact(key, KIND_STR) && !(dict->head.flags & DICT_MIXED_KEYS)) {
    return find_text(dict, (const asy_str *)asy_obj_of(key), hash);
  }
  for (;;) {
    int64_t found = find_once(vm, dict, key, hash);
    if (found != CHANGED) return found;
  }
}

/* ---- Changes ---- */

/* Adds a key that is known to be absent. */
static bool add(asy_vm *vm, asy_dict *dict, asy_value key, int64_t full_hash, asy_value value) {
  uint32_t hash = asy_hash_fold(full_hash);
  bool full = dict->fill == dict->cap || (dict->index_size && dict->index_used == index_limit(dict->index_size));
  if (full && !make_room(vm, dict)) return false;
  uint32_t i = dict->fill++;
  dict->entries[i] = (asy_dict_entry){
    .hash = hash, .hash_high = (uint32_t)((uint64_t)full_hash >> 32), .key = key, .value = value};
  dict->used++;
  dict->mutations++;
  dict->keys_version = 0;
  if (dict->index_size) index_add(dict, hash, i);
  if (!asy_is_exact(key, KIND_STR)) dict->head.flags |= DICT_MIXED_KEYS;
  asy_barrier_value(vm, dict, key);
  asy_barrier_value(vm, dict, value);
  return true;
}

/* Empties entry i. */
static void remove_entry(asy_dict *dict, uint32_t i) {
  dict->entries[i] = (asy_dict_entry){.hash = 0};
  dict->used--;
  dict->mutations++;
  dict->keys_version = 0;
  while (dict->first < dict->fill && !dict->entries[dict->first].key) dict->first++;
}

static inline int get_hashed(asy_vm *vm, asy_dict *dict, asy_value key, int64_t hash, asy_value *out) {
  int64_t i = find(vm, dict, key, asy_hash_fold(hash));
  if (i >= 0) *out = dict->entries[i].value;
  return i >= 0 ? 1 : i == ABSENT ? 0 : -1;
}

int asy_dict_get_hashed(asy_vm *vm, asy_dict *dict, asy_value key, int64_t hash, asy_value *out) {
  return get_hashed(vm, dict, key, hash, out);
}

int asy_dict_get(asy_vm *vm, asy_dict *dict, asy_value key, asy_value *out) {
  int64_t hash;
  return asy_key_hash(vm, key, &hash) ? get_hashed(vm, dict, key, hash, out) : -1;
}

static inline bool set_hashed(asy_vm *vm, asy_dict *dict, asy_value key, int64_t hash, asy_value value) {
  int64_t i = find(vm, dict, key, asy_hash_fold(hash));
  if (i == ABSENT) return add(vm, dict, key, hash, value);
  if (i < 0) return false;
  asy_store(vm, dict, &dict->entries[i].value, value);
  return true;
}

bool asy_dict_set_hashed(asy_vm *vm, asy_dict *dict, asy_value key, int64_t hash, asy_value value) {
  return set_hashed(vm, dict, key, hash, value);
}

bool asy_dict_set(asy_vm *vm, asy_dict *dict, asy_value key, asy_value value) {
  int64_t hash;
  return asy_key_hash(vm, key, &hash) && set_hashed(vm, dict, key, hash, value);
}

int asy_dict_delete(asy_vm *vm, asy_dict *dict, asy_value key, asy_value *old) {
  int64_t hash;
  return asy_key_hash(vm, key, &hash) ? asy_dict_delete_hashed(vm, dict, key, hash, old) : -1;
}

int asy_dict_delete_hashed(asy_vm *vm, asy_dict *dict, asy_value key, int64_t hash, asy_value *old) {
  int64_t i = find(vm, dict, key, asy_hash_fold(hash));
  if (i < 0) return i == ABSENT ? 0 : -1;
  if (old) *old = dict->entries[i].value;
  remove_entry(dict, (uint32_t)i);
  return 1;
}

static inline int64_t find_interned(asy_vm *vm, const asy_dict *dict, asy_str *key) {
  if (dict->used == 0) return ABSENT;
  return find_text(dict, key, asy_hash_fold(asy_text_hash(vm, key)));
}

asy_dict_entry *asy_dict_find_str(asy_vm *vm, asy_dict *dict, asy_str *key) {
  int64_t i = find_interned(vm, dict, key);
  return i < 0 ? NULL : &dict->entries[i];
}

asy_value asy_dict_get_str(asy_vm *vm, asy_dict *dict, asy_str *key) {
  int64_t i = find_interned(vm, dict, key);
  return i < 0 ? ASY_UNBOUND : dict->entries[i].value;
}

bool asy_dict_set_str(asy_vm *vm, asy_dict *dict, asy_str *key, asy_value value) {
  int64_t i = find_interned(vm, dict, key);
  if (i < 0) return add(vm, dict, asy_from_obj(key), asy_text_hash(vm, key), value);
  asy_store(vm, dict, &dict->entries[i].value, value);
  return true;
}

bool asy_dict_next(asy_dict *dict, uint32_t *position, asy_value *key, asy_value *value) {
  for (uint32_t i = *position < dict->first ? dict->first : *position; i < dict->fill; i++) {
    const asy_dict_entry *e = &dict->entries[i];
    if (!e->key) continue;
    *key = e->key;
    *value = e->value;
    *position = i + 1;
    return true;
  }
  *position = dict->fill;
  return false;
}

uint32_t asy_dict_version(asy_vm *vm, asy_dict *dict) {
  if (dict->keys_version == 0) dict->keys_version = ++vm->next_keys_version;
  return dict->keys_version;
}

/* ---- Order, for OrderedDict and caches ---- */

/* Room for an entry before the first one. */
static bool open_front(asy_vm *vm, asy_dict *dict) {
  if (dict->first > 0) return true;
  uint32_t gap = dict->used / 2 + 4, used = dict->used;
  if (!resize(vm, dict, (uint64_t)used + gap + 1)) return false;
  memmove(dict->entries + gap, dict->entries, used * sizeof *dict->entries);
  memset(dict->entries, 0, gap * sizeof *dict->entries);
  dict->first = gap;
  dict->fill = used + gap;
  index_rebuild(dict);
  return true;
}

static bool move_entry(asy_vm *vm, asy_dict *dict, uint32_t i, bool last) {
  asy_dict_entry e = dict->entries[i];
  if (last) {
    if (i == dict->fill - 1) return true;
    remove_entry(dict, i);
    return add(vm, dict, e.key, asy_dict_entry_hash(&e), e.value);
  }
  if (i == dict->first) return true;
  remove_entry(dict, i);
  if (!open_front(vm, dict)) return false;
  if (dict->index_size && dict->index_used == index_limit(dict->index_size)) index_rebuild(dict);
  dict->entries[--dict->first] = e;
  dict->used++;
  if (dict->index_size) index_add(dict, e.hash, dict->first);
  asy_barrier(vm, dict);
  return true;
}

int asy_dict_move_to_end(asy_vm *vm, asy_dict *dict, asy_value key, bool last) {
  int64_t hash;
  if (!asy_key_hash(vm, key, &hash)) return -1;
  int64_t i = find(vm, dict, key, asy_hash_fold(hash));
  if (i < 0) return i == ABSENT ? 0 : -1;
  return move_entry(vm, dict, (uint32_t)i, last) ? 1 : -1;
}

bool asy_dict_drop_first(asy_dict *dict) {
  if (!dict->used) return false;
  while (!dict->entries[dict->first].key) dict->first++;
  remove_entry(dict, dict->first);
  return true;
}

bool asy_dict_count(asy_vm *vm, asy_dict *dict, asy_value key) {
  int64_t hash;
  if (!asy_key_hash(vm, key, &hash)) return false;
  int64_t i = find(vm, dict, key, asy_hash_fold(hash));
  if (i < 0) return i == ABSENT && add(vm, dict, key, hash, asy_from_small(1));
  asy_value count = dict->entries[i].value;
  if (asy_is_int(count) && asy_small(count) < ASY_INT_MAX) {
    dict->entries[i].value = asy_from_small(asy_small(count) + 1);
    return true;
  }
  count = asy_binary(vm, BINARY_ADD, count, asy_from_small(1));
  return !asy_failed(count) && asy_dict_set_hashed(vm, dict, key, hash, count);
}

/* ---- Merging ---- */

static bool merge_dict(asy_vm *vm, asy_dict *dict, asy_dict *other, bool override) {
  if (dict == other || other->used == 0) return true;
  if (dict->used == 0) {
    if (dict->entries) drop_storage(vm, dict);
    return copy_table(vm, dict, other);
  }
  if (dict->cap - dict->fill < other->used && !resize(vm, dict, (uint64_t)dict->used + other->used)) return false;
  for (uint32_t i = other->first; i < other->fill; i++) {
    asy_dict_entry e = other->entries[i];
    uint32_t mutations = other->mutations;
    if (!e.key) continue;
    int64_t at = find(vm, dict, e.key, e.hash);
    if (at == FAILED || (at == ABSENT && !add(vm, dict, e.key, asy_dict_entry_hash(&e), e.value))) return false;
    if (at >= 0 && override) asy_store(vm, dict, &dict->entries[at].value, e.value);
    if (other->mutations != mutations) {
      asy_raise(vm, ASY_RuntimeError, "dict mutated during update");
      return false;
    }
  }
  return true;
}

static bool set_unless_there(asy_vm *vm, asy_dict *dict, asy_value key, asy_value value, bool override) {
  int64_t hash;
  if (override) return asy_dict_set(vm, dict, key, value);
  if (!asy_key_hash(vm, key, &hash)) return false;
  int64_t at = find(vm, dict, key, asy_hash_fold(hash));
  return at == ABSENT ? add(vm, dict, key, hash, value) : at >= 0;
}

/* Whether v is a dict whose iteration is a dict's own. */
static bool iterates_as_dict(asy_vm *vm, asy_value v) {
  if (!asy_is_kind(v, KIND_DICT)) return false;
  if (asy_obj_of(v)->shape == KIND_DICT) return true;
  asy_lookup *lookup = asy_class_lookup(vm, asy_class_of(vm, v), ASY_NAME(vm, __iter__));
  return lookup && lookup->owner == vm->classes[KIND_DICT];
}

bool asy_dict_merge(asy_vm *vm, asy_dict *dict, asy_value mapping, bool override) {
  if (iterates_as_dict(vm, mapping)) return merge_dict(vm, dict, dict_of(mapping), override);
  if (asy_raised(vm)) return false;
  asy_value keys = asy_call_method(vm, mapping, ASY_NAME(vm, keys), 0, NULL);
  asy_value iterator = asy_failed(keys) ? ASY_FAILED : asy_iter(vm, keys);
  if (asy_failed(iterator)) return false;
  for (;;) {
    asy_value key = asy_next(vm, iterator);
    if (key == ASY_END) return true;
    if (asy_failed(key)) return false;
    asy_value value = asy_get_item(vm, mapping, key);
    if (asy_failed(value) || !set_unless_there(vm, dict, key, value, override)) return false;
  }
}

/* Element number `number` of the pairs given to update. */
static bool set_pair(asy_vm *vm, asy_dict *dict, asy_value pair, int64_t number) {
  asy_obj *items;
  if (asy_is_exact(pair, KIND_TUPLE) || asy_is_exact(pair, KIND_LIST)) {
    items = asy_obj_of(pair);
  } else {
    asy_value iterator = asy_iter(vm, pair);
    if (asy_failed(iterator)) {
      if (!asy_raised_is(vm, ASY_TypeError)) return false;
      asy_clear_exception(vm);
      asy_raise(vm, ASY_TypeError, "cannot convert dictionary update sequence element #%lld to a sequence",
                (long long)number);
      return false;
    }
    items = (asy_obj *)asy_list_from_iterable(vm, iterator);
    if (!items) return false;
  }
  uint32_t length;
  const asy_value *pair_items = asy_elements(items, &length);
  if (length == 2) return asy_dict_set(vm, dict, pair_items[0], pair_items[1]);
  asy_raise(vm, ASY_ValueError, "dictionary update sequence element #%lld has length %lld; 2 is required",
            (long long)number, (long long)length);
  return false;
}

static bool merge_pairs(asy_vm *vm, asy_dict *dict, asy_value pairs) {
  asy_value iterator = asy_iter(vm, pairs);
  if (asy_failed(iterator)) return false;
  for (int64_t number = 0;; number++) {
    asy_value pair = asy_next(vm, iterator);
    if (pair == ASY_END) return true;
    if (asy_failed(pair) || !set_pair(vm, dict, pair, number)) return false;
  }
}

bool asy_dict_update(asy_vm *vm, asy_dict *dict, asy_value mapping_or_pairs) {
  asy_value keys;
  if (asy_is_kind(mapping_or_pairs, KIND_DICT)) return asy_dict_merge(vm, dict, mapping_or_pairs, true);
  if (asy_is_exact(mapping_or_pairs, KIND_LIST) || asy_is_exact(mapping_or_pairs, KIND_TUPLE)) {
    return merge_pairs(vm, dict, mapping_or_pairs);
  }
  int has = asy_find_attr(vm, mapping_or_pairs, ASY_NAME(vm, keys), &keys);
  if (has < 0) return false;
  return has ? asy_dict_merge(vm, dict, mapping_or_pairs, true) : merge_pairs(vm, dict, mapping_or_pairs);
}

/* ---- Slots ---- */

static void dict_visit(asy_obj *o, asy_visitor *v) {
  asy_dict *dict = (asy_dict *)o;
  if (o->flags & DICT_DEFAULT) asy_visit_value(v, ((asy_default_dict *)o)->factory);
  for (uint32_t i = dict->first; i < dict->fill; i++) {
    if (!dict->entries[i].key) continue;
    asy_visit_value(v, dict->entries[i].key);
    asy_visit_value(v, dict->entries[i].value);
  }
}

static void dict_free(asy_vm *vm, asy_obj *o) { drop_storage(vm, (asy_dict *)o); }

static bool update_from_args(asy_vm *vm, asy_dict *dict, asy_value positional, asy_value keywords) {
  if (positional != ASY_UNBOUND && !asy_dict_update(vm, dict, positional)) return false;
  return merge_dict(vm, dict, dict_of(keywords), true);
}

static asy_value dict_init(asy_vm *vm, const asy_value *args) {
  return update_from_args(vm, dict_of(args[0]), args[1], args[2]) ? ASY_NONE : ASY_FAILED;
}

static asy_value dict_repr(asy_vm *vm, asy_value self) {
  asy_dict *dict = dict_of(self);
  asy_repr_guard guard;
  if (dict->used == 0) return asy_from_cstr(vm, "{}");
  if (!asy_repr_check(vm)) return ASY_FAILED;
  if (!asy_repr_enter(vm, &guard, dict)) return asy_from_cstr(vm, "{...}");
  asy_text text;
  asy_text_init(&text, vm);
  asy_text_char(&text, '{');
  asy_value key, value;
  bool more = false;
  for (uint32_t i = 0; !text.failed && asy_dict_next(dict, &i, &key, &value); more = true) {
    if (more) asy_text_ascii(&text, ", ");
    asy_text_repr_of(&text, key);
    asy_text_ascii(&text, ": ");
    if (!text.failed) asy_text_repr_of(&text, value);
  }
  asy_text_char(&text, '}');
  asy_repr_leave(vm, &guard);
  return asy_object_or_failed(asy_text_finish(&text));
}

/* Same keys with equal values: 1, 0, -1. */
static int dict_equal(asy_vm *vm, asy_dict *a, asy_dict *b) {
  if (a == b) return 1;
  if (a->used != b->used) return 0;
  if (!asy_check_c_stack(vm)) return -1;
  for (uint32_t i = a->first; i < a->fill; i++) {
    asy_dict_entry e = a->entries[i];
    if (!e.key) continue;
    int64_t at = find(vm, b, e.key, e.hash);
    if (at < 0) return at == ABSENT ? 0 : -1;
    int same = asy_same(vm, b->entries[at].value, e.value);
    if (same <= 0) return same;
  }
  return 1;
}

static asy_value dict_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!asy_is_kind(other, KIND_DICT) || (op != COMPARE_EQ && op != COMPARE_NE)) return ASY_NOT_IMPLEMENTED;
  int equal = dict_equal(vm, dict_of(self), dict_of(other));
  return equal < 0 ? ASY_FAILED : asy_from_bool((equal == 1) == (op == COMPARE_EQ));
}

static int64_t dict_length(asy_vm *vm, asy_value self) {
  (void)vm;
  return dict_of(self)->used;
}

static __attribute__((noinline)) asy_value missing(asy_vm *vm, asy_dict *dict, asy_value key) {
  if (dict->head.shape != KIND_DICT) {
    asy_value value = asy_call_special(vm, asy_from_obj(dict), ASY_NAME(vm, __missing__), 1, &key);
    if (value != ASY_UNBOUND) return value;
  }
  return asy_raise_key(vm, key);
}

asy_value asy_dict_item(asy_vm *vm, asy_dict *dict, asy_value key) {
  asy_value value;
  int found = asy_dict_get(vm, dict, key, &value);
  if (found > 0) return value;
  return found < 0 ? ASY_FAILED : missing(vm, dict, key);
}

static asy_value dict_get_item(asy_vm *vm, asy_value self, asy_value key) {
  return asy_dict_item(vm, dict_of(self), key);
}

static bool dict_set_item(asy_vm *vm, asy_value self, asy_value key, asy_value value) {
  if (value != ASY_UNBOUND) return asy_dict_set(vm, dict_of(self), key, value);
  int deleted = asy_dict_delete(vm, dict_of(self), key, NULL);
  if (deleted == 0) asy_raise_key(vm, key);
  return deleted > 0;
}

static int dict_contains(asy_vm *vm, asy_value self, asy_value key) {
  asy_value value;
  return asy_dict_get(vm, dict_of(self), key, &value);
}

static asy_value dict_iter(asy_vm *vm, asy_value self) { return asy_dict_iter_new(vm, dict_of(self), DICT_WHAT_KEYS); }

static asy_value dict_or(asy_vm *vm, asy_value left, asy_value right) {
  if (!asy_is_kind(left, KIND_DICT) || !asy_is_kind(right, KIND_DICT)) return ASY_NOT_IMPLEMENTED;
  asy_dict *result = asy_dict_copy(vm, dict_of(left));
  return result && asy_dict_merge(vm, result, right, true) ? asy_from_obj(result) : ASY_FAILED;
}

static asy_value dict_ior(asy_vm *vm, asy_value self, asy_value right) {
  return asy_dict_update(vm, dict_of(self), right) ? self : ASY_FAILED;
}

/* ---- Methods ---- */

static asy_value dict_get(asy_vm *vm, const asy_value *args) {
  asy_value value;
  int found = asy_dict_get(vm, dict_of(args[0]), args[1], &value);
  return found > 0 ? value : found == 0 ? args[2] : ASY_FAILED;
}

static asy_value dict_setdefault(asy_vm *vm, const asy_value *args) {
  asy_dict *dict = dict_of(args[0]);
  int64_t hash;
  if (!asy_key_hash(vm, args[1], &hash)) return ASY_FAILED;
  int64_t i = find(vm, dict, args[1], asy_hash_fold(hash));
  if (i >= 0) return dict->entries[i].value;
  return i == ABSENT && add(vm, dict, args[1], hash, args[2]) ? args[2] : ASY_FAILED;
}

static asy_value dict_pop(asy_vm *vm, const asy_value *args) {
  asy_value value;
  int found = dict_of(args[0])->used ? asy_dict_delete(vm, dict_of(args[0]), args[1], &value) : 0;
  if (found > 0) return value;
  if (found < 0) return ASY_FAILED;
  return args[2] != ASY_UNBOUND ? args[2] : asy_raise_key(vm, args[1]);
}

static asy_value dict_popitem(asy_vm *vm, const asy_value *args) {
  asy_dict *dict = dict_of(args[0]);
  if (dict->used == 0) return asy_raise(vm, ASY_KeyError, "popitem(): dictionary is empty");
  uint32_t last = dict->fill - 1;
  while (!dict->entries[last].key) last--;
  asy_tuple *pair = asy_tuple_pair(vm, dict->entries[last].key, dict->entries[last].value);
  if (!pair) return ASY_FAILED;
  remove_entry(dict, last);
  dict->fill = last; /* free again, as in CPython: a stack costs no rebuilding */
  if (dict->first > last) dict->first = last;
  return asy_from_obj(pair);
}

static asy_value dict_update(asy_vm *vm, const asy_value *args) {
  return update_from_args(vm, dict_of(args[0]), args[1], args[2]) ? ASY_NONE : ASY_FAILED;
}

static asy_value dict_clear(asy_vm *vm, const asy_value *args) {
  asy_dict_clear(vm, dict_of(args[0]));
  return ASY_NONE;
}

static asy_value dict_copy(asy_vm *vm, const asy_value *args) {
  return asy_object_or_failed(asy_dict_copy(vm, dict_of(args[0])));
}

/* fromkeys of a container that knows the hashes of its items; each step reads it again, as a comparison may change it. */
static bool fill_from_set(asy_vm *vm, asy_dict *dict, asy_set *keys, asy_value value) {
  for (uint32_t i = 0; i < keys->cap; i++) {
    asy_set_entry e = keys->entries[i];
    if (e.key && !asy_dict_set_hashed(vm, dict, e.key, e.hash, value)) return false;
  }
  return true;
}

static bool fill_from_dict(asy_vm *vm, asy_dict *dict, asy_dict *keys, asy_value value) {
  for (uint32_t i = 0; i < keys->fill; i++) {
    asy_dict_entry e = keys->entries[i];
    if (e.key && !asy_dict_set_hashed(vm, dict, e.key, asy_dict_entry_hash(&e), value)) return false;
  }
  return true;
}

static asy_value dict_fromkeys(asy_vm *vm, const asy_value *args) {
  asy_value result = args[0] == asy_from_obj(vm->classes[KIND_DICT]) ? asy_object_or_failed(asy_dict_new(vm, 0))
                                                                     : asy_call0(vm, args[0]);
  if (asy_failed(result)) return ASY_FAILED;
  bool exact = asy_is_exact(result, KIND_DICT);
  if (exact && (asy_is_exact(args[1], KIND_SET) || asy_is_exact(args[1], KIND_FROZENSET))) {
    return fill_from_set(vm, dict_of(result), (asy_set *)asy_obj_of(args[1]), args[2]) ? result : ASY_FAILED;
  }
  if (exact && asy_is_exact(args[1], KIND_DICT)) {
    return fill_from_dict(vm, dict_of(result), dict_of(args[1]), args[2]) ? result : ASY_FAILED;
  }
  asy_value iterator = asy_iter(vm, args[1]);
  if (asy_failed(iterator)) return ASY_FAILED;
  for (;;) {
    asy_value key = asy_next(vm, iterator);
    if (key == ASY_END) return result;
    if (asy_failed(key)) return ASY_FAILED;
    if (!(exact ? asy_dict_set(vm, dict_of(result), key, args[2]) : asy_set_item(vm, result, key, args[2]))) {
      return ASY_FAILED;
    }
  }
}

static asy_value dict_keys(asy_vm *vm, const asy_value *args) {
  return asy_dict_view_new(vm, dict_of(args[0]), DICT_WHAT_KEYS);
}

static asy_value dict_values(asy_vm *vm, const asy_value *args) {
  return asy_dict_view_new(vm, dict_of(args[0]), DICT_WHAT_VALUES);
}

static asy_value dict_items(asy_vm *vm, const asy_value *args) {
  return asy_dict_view_new(vm, dict_of(args[0]), DICT_WHAT_ITEMS);
}

static asy_value dict_reversed(asy_vm *vm, const asy_value *args) {
  return asy_dict_reversed_new(vm, dict_of(args[0]), DICT_WHAT_KEYS);
}

static const asy_native dict_methods[] = {
  {"get", SIG("(self, key, default=None, /)"), dict_get,
   DOC("Return the value for key if key is in the dictionary, else default."), 0},
  {"setdefault", SIG("(self, key, default=None, /)"), dict_setdefault,
   DOC("Insert key with a value of default if key is not in the dictionary."), 0},
  {"pop", SIG("(self, key, default=?, /)"), dict_pop, DOC("Remove specified key and return the corresponding value."),
   0},
  {"popitem", SIG("(self, /)"), dict_popitem,
   DOC("Remove and return a (key, value) pair as a 2-tuple, last in first out."), 0},
  {"update", SIG("(self, mapping=?, /, **kwargs)"), dict_update,
   DOC("Update the dictionary from a mapping or pairs, and keywords."), 0},
  {"clear", SIG("(self, /)"), dict_clear, DOC("Remove all items from the dict."), 0},
  {"copy", SIG("(self, /)"), dict_copy, DOC("Return a shallow copy of the dict."), 0},
  {"fromkeys", SIG("(cls, iterable, value=None, /)"), dict_fromkeys,
   DOC("Create a new dictionary with keys from iterable and values set to value."), ASY_NATIVE_CLASS},
  {"keys", SIG("(self, /)"), dict_keys, DOC("Return a set-like object providing a view on the dict's keys."), 0},
  {"values", SIG("(self, /)"), dict_values, DOC("Return an object providing a view on the dict's values."), 0},
  {"items", SIG("(self, /)"), dict_items, DOC("Return a set-like object providing a view on the dict's items."), 0},
  {"__reversed__", SIG("(self, /)"), dict_reversed, DOC("Return a reverse iterator over the dict keys."), 0},
  {0},
};

const asy_type asy_dict_type = {
  .name = "dict",
  .doc = "dict() -> new empty dictionary; dict(mapping), dict(iterable of pairs), dict(**kwargs)",
  .size = sizeof(asy_dict),
  .flags = ASY_TYPE_MAPPING | ASY_TYPE_UNHASHABLE,
  .visit = dict_visit,
  .free = dict_free,
  .new_ = asy_new_empty,
  .init = dict_init,
  .init_signature = SIG("(self, mapping=?, /, **kwargs)"),
  .repr = dict_repr,
  .compare = dict_compare,
  .length = dict_length,
  .special = &(const asy_special){.get_item = dict_get_item, .set_item = dict_set_item, .contains = dict_contains},
  .iter = dict_iter,
  .operators = &(const asy_operators){.binary = {[BINARY_OR] = dict_or}, .inplace = {[BINARY_OR] = dict_ior}},
  .methods = dict_methods,
};
