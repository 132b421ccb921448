/* iter.c - the iterators of the built-in containers, of sequences by __getitem__, of callables, and reversed().
 * See iter.h for the structs and what the VM relies on.
 */
#include "runtime/types/iter.h"

#include "runtime/types/key.h"
#include "runtime/types/sequence.h"
#include "runtime/vm.h"

asy_value asy_iter_self(asy_vm *vm, asy_value iterator) {
  (void)vm;
  return iterator;
}

bool asy_caught_stop(asy_vm *vm) {
  if (!asy_raised_is(vm, ASY_StopIteration)) return false;
  asy_clear_exception(vm);
  return true;
}

/* What every iterator type but its names and functions has. */
#define ITERATOR_TYPE(type_name, type_struct, prefix)                                                                  \
  .name = type_name, .size = sizeof(type_struct), .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW, .visit = prefix##_visit,  \
  .iter = asy_iter_self, .methods = prefix##_methods

/* ---- list ---- */

asy_value asy_list_iter_new(asy_vm *vm, asy_list *list) {
  asy_list_iter *it = asy_new_kind(vm, KIND_LIST_ITER, sizeof *it);
  if (!it) return ASY_FAILED;
  it->list = list;
  return asy_from_obj(it);
}

static void list_iter_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((asy_list_iter *)o)->list); }

asy_value asy_list_iter_next(asy_vm *vm, asy_value iterator) {
  asy_list_iter *it = (asy_list_iter *)asy_obj_of(iterator);
  (void)vm;
  if (!it->list) return ASY_END;
  if (it->index < it->list->len) return it->list->items[it->index++];
  it->list = NULL;
  return ASY_END;
}

static asy_value list_iter_hint(asy_vm *vm, const asy_value *args) {
  asy_list_iter *it = (asy_list_iter *)asy_obj_of(args[0]);
  (void)vm;
  return asy_from_small(it->list && it->index < it->list->len ? it->list->len - it->index : 0);
}

static const asy_native list_iter_methods[] = {
  {"__length_hint__", SIG("(self, /)"), list_iter_hint, DOC("Private method returning an estimate of len(list(it))."),
   0},
  ASY_INDEXED_ITERATOR_ROWS,
  {0},
};

const asy_type asy_list_iter_type = {
  ITERATOR_TYPE("list_iterator", asy_list_iter, list_iter),
  .next = asy_list_iter_next,
};

/* ---- tuple ---- */

asy_value asy_tuple_iter_new(asy_vm *vm, asy_tuple *tuple) {
  asy_tuple_iter *it = asy_new_kind(vm, KIND_TUPLE_ITER, sizeof *it);
  if (!it) return ASY_FAILED;
  it->tuple = tuple;
  return asy_from_obj(it);
}

static void tuple_iter_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((asy_tuple_iter *)o)->tuple); }

asy_value asy_tuple_iter_next(asy_vm *vm, asy_value iterator) {
  asy_tuple_iter *it = (asy_tuple_iter *)asy_obj_of(iterator);
  (void)vm;
  if (!it->tuple) return ASY_END;
  if (it->index < it->tuple->len) return it->tuple->items[it->index++];
  it->tuple = NULL;
  return ASY_END;
}

static asy_value tuple_iter_hint(asy_vm *vm, const asy_value *args) {
  asy_tuple_iter *it = (asy_tuple_iter *)asy_obj_of(args[0]);
  (void)vm;
  return asy_from_small(it->tuple ? it->tuple->len - it->index : 0);
}

static const asy_native tuple_iter_methods[] = {
  {"__length_hint__", SIG("(self, /)"), tuple_iter_hint, DOC("Private method returning an estimate of len(list(it))."),
   0},
  ASY_INDEXED_ITERATOR_ROWS,
  {0},
};

const asy_type asy_tuple_iter_type = {
  ITERATOR_TYPE("tuple_iterator", asy_tuple_iter, tuple_iter),
  .next = asy_tuple_iter_next,
};

/* ---- dict: keys, values and items, forward and backward ---- */

static asy_dict_iter *dict_iter_new(asy_vm *vm, asy_dict *dict, asy_dict_what what) {
  asy_dict_iter *it = asy_new_kind(vm, KIND_DICT_ITER, sizeof *it);
  if (!it) return NULL;
  it->dict = dict;
  it->used = it->left = dict->used;
  it->what = what;
  return it;
}

asy_value asy_dict_iter_new(asy_vm *vm, asy_dict *dict, asy_dict_what what) {
  asy_dict_iter *it = dict_iter_new(vm, dict, what);
  if (!it) return ASY_FAILED;
  it->position = dict->first;
  return asy_from_obj(it);
}

asy_value asy_dict_reversed_new(asy_vm *vm, asy_dict *dict, asy_dict_what what) {
  asy_dict_iter *it = dict_iter_new(vm, dict, what);
  if (!it) return ASY_FAILED;
  it->position = dict->fill;
  it->backward = true;
  return asy_from_obj(it);
}

static void dict_iter_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((asy_dict_iter *)o)->dict); }

static bool dict_step(asy_dict_iter *it, asy_value *key, asy_value *value) {
  asy_dict *dict = it->dict;
  if (!it->backward) return asy_dict_next(dict, &it->position, key, value);
  uint32_t i = it->position < dict->fill ? it->position : dict->fill;
  while (i > 0) {
    const asy_dict_entry *e = &dict->entries[--i];
    if (!e->key) continue;
    it->position = i;
    *key = e->key;
    *value = e->value;
    return true;
  }
  return false;
}

/* The next entry: 1, 0 at the end, -1 failed. */
static int dict_iter_entry(asy_vm *vm, asy_dict_iter *it, asy_value *key, asy_value *value) {
  if (!it->dict) return 0;
  if (it->dict->used != it->used) {
    it->used = UINT32_MAX; /* stays an error */
    asy_raise(vm, ASY_RuntimeError, "dictionary changed size during iteration");
    return -1;
  }
  if (!dict_step(it, key, value)) {
    it->dict = NULL;
    return 0;
  }
  if (it->left == 0) {
    asy_raise(vm, ASY_RuntimeError, "dictionary keys changed during iteration");
    return -1;
  }
  it->left--;
  return 1;
}

int asy_dict_iter_step(asy_vm *vm, asy_dict_iter *it, asy_value *pair) {
  return it->what == DICT_WHAT_ITEMS ? dict_iter_entry(vm, it, &pair[0], &pair[1]) : -2;
}

asy_value asy_dict_iter_next(asy_vm *vm, asy_value iterator) {
  asy_dict_iter *it = (asy_dict_iter *)asy_obj_of(iterator);
  asy_value key, value;
  int step = dict_iter_entry(vm, it, &key, &value);
  if (step <= 0) return step ? ASY_FAILED : ASY_END;
  if (it->what == DICT_WHAT_KEYS) return key;
  if (it->what == DICT_WHAT_VALUES) return value;
  return asy_object_or_failed(asy_tuple_pair(vm, key, value));
}

static asy_value dict_iter_hint(asy_vm *vm, const asy_value *args) {
  asy_dict_iter *it = (asy_dict_iter *)asy_obj_of(args[0]);
  (void)vm;
  return asy_from_small(it->dict && it->dict->used == it->used ? it->left : 0);
}

static const asy_native dict_iter_methods[] = {
  {"__length_hint__", SIG("(self, /)"), dict_iter_hint, DOC("Private method returning an estimate of len(list(it))."),
   0},
  ASY_REDUCE_ROW(asy_table_iter_reduce),
  {0},
};

const asy_type asy_dict_iter_type = {
  ITERATOR_TYPE("dict_keyiterator", asy_dict_iter, dict_iter),
  .next = asy_dict_iter_next,
};

/* ---- set ---- */

asy_value asy_set_iter_new(asy_vm *vm, asy_set *set) {
  asy_set_iter *it = asy_new_kind(vm, KIND_SET_ITER, sizeof *it);
  if (!it) return ASY_FAILED;
  it->set = set;
  it->used = it->left = set->used;
  return asy_from_obj(it);
}

static void set_iter_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((asy_set_iter *)o)->set); }

asy_value asy_set_iter_next(asy_vm *vm, asy_value iterator) {
  asy_set_iter *it = (asy_set_iter *)asy_obj_of(iterator);
  asy_value item;
  if (!it->set) return ASY_END;
  if (it->set->used != it->used) {
    it->used = UINT32_MAX; /* stays an error */
    return asy_raise(vm, ASY_RuntimeError, "Set changed size during iteration");
  }
  if (!asy_set_next(it->set, &it->position, &item)) {
    it->set = NULL;
    return ASY_END;
  }
  if (it->left) it->left--;
  return item;
}

static asy_value set_iter_hint(asy_vm *vm, const asy_value *args) {
  asy_set_iter *it = (asy_set_iter *)asy_obj_of(args[0]);
  (void)vm;
  return asy_from_small(it->set && it->set->used == it->used ? it->left : 0);
}

static const asy_native set_iter_methods[] = {
  {"__length_hint__", SIG("(self, /)"), set_iter_hint, DOC("Private method returning an estimate of len(list(it))."),
   0},
  ASY_REDUCE_ROW(asy_table_iter_reduce),
  {0},
};

const asy_type asy_set_iter_type = {
  ITERATOR_TYPE("set_iterator", asy_set_iter, set_iter),
  .next = asy_set_iter_next,
};

/* ---- anything with __getitem__ ---- */

asy_value asy_sequence_iter_new(asy_vm *vm, asy_value sequence) {
  asy_sequence_iter *it = asy_new_kind(vm, KIND_SEQUENCE_ITER, sizeof *it);
  if (!it) return ASY_FAILED;
  it->sequence = sequence;
  return asy_from_obj(it);
}

static void sequence_iter_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((asy_sequence_iter *)o)->sequence); }

/* After a subscript failed: true when that means the end, and the exception is cleared. */
static bool caught_end(asy_vm *vm) {
  if (!asy_raised_is(vm, ASY_IndexError)) return asy_caught_stop(vm);
  asy_clear_exception(vm);
  return true;
}

static asy_value sequence_iter_next(asy_vm *vm, asy_value iterator) {
  asy_sequence_iter *it = (asy_sequence_iter *)asy_obj_of(iterator);
  if (it->sequence == ASY_UNBOUND) return ASY_END;
  asy_value item = asy_get_item(vm, it->sequence, asy_from_small(it->index));
  if (!asy_failed(item)) {
    it->index++;
    return item;
  }
  if (!caught_end(vm)) return ASY_FAILED;
  it->sequence = ASY_UNBOUND;
  return ASY_END;
}

static asy_value sequence_iter_hint(asy_vm *vm, const asy_value *args) {
  asy_sequence_iter *it = (asy_sequence_iter *)asy_obj_of(args[0]);
  asy_value fn, self;
  if (it->sequence == ASY_UNBOUND) return asy_from_small(0);
  int has = asy_find_special(vm, it->sequence, ASY_NAME(vm, __len__), &fn, &self);
  if (has <= 0) return has < 0 ? ASY_FAILED : ASY_NOT_IMPLEMENTED;
  int64_t length = asy_length(vm, it->sequence);
  if (length < 0) return ASY_FAILED;
  return asy_from_small(length > it->index ? length - it->index : 0);
}

static const asy_native sequence_iter_methods[] = {
  {"__length_hint__", SIG("(self, /)"), sequence_iter_hint,
   DOC("Private method returning an estimate of len(list(it))."), 0},
  ASY_INDEXED_ITERATOR_ROWS,
  {0},
};

const asy_type asy_sequence_iter_type = {
  ITERATOR_TYPE("iterator", asy_sequence_iter, sequence_iter),
  .next = sequence_iter_next,
};

/* ---- iter(callable, sentinel) ---- */

asy_value asy_callable_iter_new(asy_vm *vm, asy_value callable, asy_value sentinel) {
  asy_callable_iter *it = asy_new_kind(vm, KIND_CALLABLE_ITER, sizeof *it);
  if (!it) return ASY_FAILED;
  it->callable = callable;
  it->sentinel = sentinel;
  return asy_from_obj(it);
}

static void callable_iter_visit(asy_obj *o, asy_visitor *v) {
  asy_callable_iter *it = (asy_callable_iter *)o;
  asy_visit_value(v, it->callable);
  asy_visit_value(v, it->sentinel);
}

static asy_value callable_iter_next(asy_vm *vm, asy_value iterator) {
  asy_callable_iter *it = (asy_callable_iter *)asy_obj_of(iterator);
  if (it->callable == ASY_UNBOUND) return ASY_END;
  asy_value item = asy_call0(vm, it->callable);
  if (asy_failed(item)) {
    if (!asy_caught_stop(vm)) return ASY_FAILED;
  } else {
    int last = asy_same(vm, it->sentinel, item);
    if (last <= 0) return last < 0 ? ASY_FAILED : item;
  }
  it->callable = it->sentinel = ASY_UNBOUND;
  return ASY_END;
}

static const asy_native callable_iter_methods[] = {ASY_REDUCE_ROW(asy_callable_iter_reduce), {0}};

const asy_type asy_callable_iter_type = {
  ITERATOR_TYPE("callable_iterator", asy_callable_iter, callable_iter),
  .next = callable_iter_next,
};

/* ---- reversed(sequence) ---- */

asy_value asy_reversed_new(asy_vm *vm, asy_value sequence, int64_t length) {
  asy_reversed *it = asy_new_kind(vm, KIND_REVERSED, sizeof *it);
  if (!it) return ASY_FAILED;
  it->sequence = sequence;
  it->index = length - 1;
  return asy_from_obj(it);
}

static asy_value not_reversible(asy_vm *vm, asy_value v) {
  return asy_raise(vm, ASY_TypeError, "'%T' object is not reversible", v);
}

/* Whether v has a special method; None counts as a refusal: 1, 0, -1. */
static int has_special(asy_vm *vm, asy_value v, asy_str *name, asy_value *fn) {
  asy_value self;
  return asy_find_special(vm, v, name, fn, &self);
}

static asy_value reversed_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  asy_value v = args[1], fn;
  bool exact = cls == vm->classes[KIND_REVERSED];
  if (exact && (asy_is_exact(v, KIND_LIST) || asy_is_exact(v, KIND_TUPLE)))
    return asy_reversed_new(vm, v, asy_length(vm, v));
  asy_value self;
  int has = asy_find_special(vm, v, ASY_NAME(vm, __reversed__), &fn, &self);
  if (has < 0) return ASY_FAILED;
  if (has && fn == ASY_NONE) return not_reversible(vm, v);
  if (has) return self == ASY_UNBOUND ? asy_call0(vm, fn) : asy_call1(vm, fn, self);
  has = asy_is_kind(v, KIND_DICT) ? 0 : has_special(vm, v, ASY_NAME(vm, __getitem__), &fn);
  if (has > 0) has = has_special(vm, v, ASY_NAME(vm, __len__), &fn);
  if (has <= 0) return has < 0 ? ASY_FAILED : not_reversible(vm, v);
  int64_t length = asy_length(vm, v);
  if (length < 0) return ASY_FAILED;
  if (exact) return asy_reversed_new(vm, v, length);
  asy_reversed *it = asy_new_instance(vm, cls);
  if (!it) return ASY_FAILED;
  it->sequence = v;
  it->index = length - 1;
  return asy_from_obj(it);
}

static void reversed_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((asy_reversed *)o)->sequence); }

static asy_value reversed_item(asy_vm *vm, asy_reversed *it) {
  if (asy_is_exact(it->sequence, KIND_LIST) || asy_is_exact(it->sequence, KIND_TUPLE)) {
    uint32_t length;
    const asy_value *items = asy_elements(asy_obj_of(it->sequence), &length);
    return it->index < length ? items[it->index] : ASY_END; /* a list may have become shorter */
  }
  asy_value item = asy_get_item(vm, it->sequence, asy_from_small(it->index));
  return asy_failed(item) && caught_end(vm) ? ASY_END : item;
}

static asy_value reversed_next(asy_vm *vm, asy_value iterator) {
  asy_reversed *it = (asy_reversed *)asy_obj_of(iterator);
  if (it->sequence == ASY_UNBOUND) return ASY_END;
  asy_value item = it->index < 0 ? ASY_END : reversed_item(vm, it);
  if (item == ASY_END) {
    it->sequence = ASY_UNBOUND;
  } else if (!asy_failed(item)) {
    it->index--;
  }
  return item;
}

static asy_value reversed_hint(asy_vm *vm, const asy_value *args) {
  asy_reversed *it = (asy_reversed *)asy_obj_of(args[0]);
  if (it->sequence == ASY_UNBOUND) return asy_from_small(0);
  int64_t length = asy_length(vm, it->sequence);
  if (length < 0) return ASY_FAILED;
  return asy_from_small(length > it->index ? it->index + 1 : 0);
}

static const asy_native reversed_methods[] = {
  {"__length_hint__", SIG("(self, /)"), reversed_hint, DOC("Private method returning an estimate of len(list(it))."),
   0},
  ASY_INDEXED_ITERATOR_ROWS,
  {0},
};

const asy_type asy_reversed_type = {
  .name = "reversed",
  .doc = "Return a reverse iterator over the values of the given sequence.",
  .size = sizeof(asy_reversed),
  .visit = reversed_visit,
  .new_ = reversed_new,
  .new_signature = SIG("(cls, object, /)"),
  .iter = asy_iter_self,
  .next = reversed_next,
  .methods = reversed_methods,
};

#undef ITERATOR_TYPE
