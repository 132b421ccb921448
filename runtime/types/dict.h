/* dict.h - compact ordered hash table.
 *
 *   entries:  [hash key value][hash key value].. in insertion order; a deleted entry has key 0
 *   index:    open addressing, u8/u16/u32 entry numbers + 1, 0 empty; none while cap <= 8. A deletion leaves its slot: it leads
 *             to an entry without key, or to a later key that took the entry, which is found there as well as in its own chain
 *
 * keys_version identifies the set of keys and their places: it is given to a dict when an inline cache first asks for it (taken
 * from vm->next_keys_version, never reused) and set to 0 again by every insertion of a new key, deletion, clear or
 * reallocation, never by a plain store to an existing key. So while it is unchanged, &entries[i].value stays the place of the
 * same key. `mutations` counts structural changes, for iterators and for operations that call script code in between.
 */
#ifndef ASY_RUNTIME_TYPES_DICT_H
#define ASY_RUNTIME_TYPES_DICT_H

#include "runtime/object.h"

typedef struct {
  uint32_t hash;      /* asy_hash_fold of the key's hash: what the index goes by */
  uint32_t hash_high; /* upper half of the whole hash: see asy_dict_entry_hash */
  asy_value key;      /* 0: deleted */
  asy_value value;
} asy_dict_entry;

struct asy_dict {
  asy_obj head;
  uint32_t used;         /* live entries */
  uint32_t fill;         /* entries written, deleted ones included */
  uint32_t cap;          /* entries allocated */
  uint32_t keys_version; /* see above */
  uint32_t mutations;
  uint32_t index_size;     /* power of two; 0: no index, scan the entries */
  asy_dict_entry *entries; /* owned */
  void *index;             /* owned */
  uint32_t index_used;     /* index slots written since it was made: stale ones included */
  uint32_t first;          /* every entry before it is deleted */
};

enum {                      /* head.flags */
       DICT_MIXED_KEYS = 1, /* some key was not an exact str, so a lookup may have to call script code */
       DICT_DEFAULT = 2,    /* an asy_default_dict: its factory is to be visited */
};

typedef struct { /* collections.defaultdict */
  asy_dict dict;
  asy_value factory; /* callable or None */
} asy_default_dict;

extern const asy_type asy_ordered_dict_type; /* collections.OrderedDict */

asy_dict *asy_dict_new(asy_vm *vm, uint32_t expected);
asy_dict *asy_dict_copy(asy_vm *vm, asy_dict *dict);
/* Any hashable key. Found: 1 and *out set; 0 absent; -1 failed (unhashable key, __eq__ raised). */
int asy_dict_get(asy_vm *vm, asy_dict *dict, asy_value key, asy_value *out);
bool asy_dict_set(asy_vm *vm, asy_dict *dict, asy_value key, asy_value value);
int asy_dict_delete(asy_vm *vm, asy_dict *dict, asy_value key,
                    asy_value *old); /* 1 deleted (old may be NULL), 0 absent, -1 */
/* Interned string keys: cannot fail, cannot run script code. UNBOUND when absent. */
asy_value asy_dict_get_str(asy_vm *vm, asy_dict *dict, asy_str *key);
bool asy_dict_set_str(asy_vm *vm, asy_dict *dict, asy_str *key, asy_value value); /* false: MemoryError */
asy_dict_entry *asy_dict_find_str(asy_vm *vm, asy_dict *dict, asy_str *key);      /* NULL when absent */
bool asy_dict_update(asy_vm *vm, asy_dict *dict, asy_value mapping_or_pairs);     /* as dict.update with one argument */
bool asy_dict_merge(asy_vm *vm, asy_dict *dict, asy_value mapping, bool override); /* a mapping only */
void asy_dict_clear(asy_vm *vm, asy_dict *dict);
/* Iterate: i from 0; false at the end. Do not run script code between calls without checking `mutations`. */
bool asy_dict_next(asy_dict *dict, uint32_t *position, asy_value *key, asy_value *value);
uint32_t asy_dict_version(asy_vm *vm, asy_dict *dict); /* keys_version, given one when it is 0 */

/* Makes key the last or the first one: 1, 0 absent, -1 failed. */
int asy_dict_move_to_end(asy_vm *vm, asy_dict *dict, asy_value key, bool last);
bool asy_dict_drop_first(asy_dict *dict);                       /* false: it is empty */
bool asy_dict_count(asy_vm *vm, asy_dict *dict, asy_value key); /* dict[key] = dict.get(key, 0) + 1 */

/* With the hash already known (of the whole key, not folded); else as above. */
int asy_dict_get_hashed(asy_vm *vm, asy_dict *dict, asy_value key, int64_t hash, asy_value *out);
bool asy_dict_set_hashed(asy_vm *vm, asy_dict *dict, asy_value key, int64_t hash, asy_value value);
int asy_dict_delete_hashed(asy_vm *vm, asy_dict *dict, asy_value key, int64_t hash, asy_value *old);
asy_value asy_dict_item(asy_vm *vm, asy_dict *dict, asy_value key); /* dict[key]: with __missing__ and KeyError */
asy_value asy_mapping_proxy_new(asy_vm *vm, asy_value mapping);     /* a read-only view; mapping is not checked */

static inline uint32_t asy_hash_fold(int64_t hash) { return (uint32_t)((uint64_t)hash ^ (uint64_t)hash >> 32); }
static inline int64_t asy_dict_entry_hash(const asy_dict_entry *e) {
  return (int64_t)((uint64_t)e->hash_high << 32 | (e->hash ^ e->hash_high));
}

/* set and frozenset: an open table of its own, laid out and probed as CPython's, so that sets of ints iterate in the same order.
 *   entries:  cap slots; key 0 with hash 0: never used; key 0 with hash -1: deleted (no hash is -1) */
typedef struct {
  int64_t hash; /* the full hash of the key */
  asy_value key;
} asy_set_entry;

enum { ASY_SET_SMALL = 8 };

typedef struct asy_set {
  asy_obj head;
  uint32_t used;          /* live items */
  uint32_t fill;          /* slots used once: live and deleted */
  uint32_t cap;           /* slots, a power of two; 0 before the first item */
  uint32_t mutations;     /* structural changes */
  uint32_t finger;        /* where pop looks next */
  int64_t frozen_hash;    /* cached hash of a frozenset, 0 none */
  asy_set_entry *entries; /* NULL; `small`; or owned memory. Slots of `small` are empty while it is not in use */
  asy_set_entry small[ASY_SET_SMALL];
} asy_set;

asy_set *asy_set_new(asy_vm *vm, unsigned kind /* KIND_SET or KIND_FROZENSET */);
int asy_set_add(asy_vm *vm, asy_set *set, asy_value item); /* 1 added, 0 was there, -1 failed */
int asy_set_contains(asy_vm *vm, asy_set *set, asy_value item);
int asy_set_discard(asy_vm *vm, asy_set *set, asy_value item);
bool asy_set_update(asy_vm *vm, asy_set *set, asy_value iterable);
bool asy_set_next(asy_set *set, uint32_t *position, asy_value *item);
asy_set *asy_set_copy(asy_vm *vm, asy_set *set, unsigned kind);
void asy_set_clear(asy_vm *vm, asy_set *set);
bool asy_set_difference_update(asy_vm *vm, asy_set *set, asy_value iterable);
bool asy_set_symmetric_update(asy_vm *vm, asy_set *set, asy_value iterable);
static inline bool asy_is_any_set(asy_value v) { return asy_is_kind(v, KIND_SET) || asy_is_kind(v, KIND_FROZENSET); }

#endif
