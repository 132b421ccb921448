/* mro.c - the method resolution order: C3, with CPython's words when there is none. */
#include "runtime/class.h"

#include <stdlib.h>

/* One list to merge: the mro of a base, or the bases themselves; items before `at` are placed. */
typedef struct {
  const asy_tuple *list;
  uint32_t at;
} merge_list;

static bool in_tail(const merge_list *lists, uint32_t n, asy_value candidate) {
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = lists[i].at + 1; j < lists[i].list->len; j++)
      if (lists[i].list->items[j] == candidate) return true;
  return false;
}

static bool raise_inconsistent(asy_vm *vm, const merge_list *lists, uint32_t n) {
  asy_list *heads = asy_list_new(vm, n);
  asy_str *separator = asy_str_from_cstr(vm, ", ");
  if (!heads || !separator) return false;
  for (uint32_t i = 0; i < n; i++) {
    if (lists[i].at >= lists[i].list->len) continue;
    asy_class *head = (asy_class *)asy_obj_of(lists[i].list->items[lists[i].at]);
    bool seen = false;
    for (uint32_t j = 0; j < heads->len; j++) seen = seen || heads->items[j] == asy_from_obj(head->name);
    if (!seen && !asy_list_append(vm, heads, asy_from_obj(head->name))) return false;
  }
  asy_str *names = asy_str_join(vm, separator, heads->items, heads->len);
  if (names)
    asy_raise(vm, ASY_TypeError, "Cannot create a consistent method resolution order (MRO) for bases %U", names);
  return false;
}

static bool merge(asy_vm *vm, merge_list *lists, uint32_t n, asy_list *out) {
  for (;;) {
    bool all_empty = true;
    asy_value next = 0;
    for (uint32_t i = 0; i < n && !next; i++) {
      if (lists[i].at >= lists[i].list->len) continue;
      all_empty = false;
      asy_value head = lists[i].list->items[lists[i].at];
      if (!in_tail(lists, n, head)) next = head;
    }
    if (all_empty) return true;
    if (!next) return raise_inconsistent(vm, lists, n);
    if (!asy_list_append(vm, out, next)) return false;
    for (uint32_t i = 0; i < n; i++)
      if (lists[i].at < lists[i].list->len && lists[i].list->items[lists[i].at] == next) lists[i].at++;
  }
}

bool asy_class_compute_mro(asy_vm *vm, asy_class *cls) {
  asy_tuple *bases = cls->bases;
  for (uint32_t i = 0; i < bases->len; i++)
    for (uint32_t j = i + 1; j < bases->len; j++)
      if (bases->items[i] == bases->items[j]) {
        asy_raise(vm, ASY_TypeError, "duplicate base class %N", (asy_class *)asy_obj_of(bases->items[i]));
        return false;
      }
  asy_list *out = asy_list_new(vm, 8);
  if (!out || !asy_list_append(vm, out, asy_from_obj(cls))) return false;
  if (bases->len == 1) { /* the usual case: one base */
    asy_tuple *above = ((asy_class *)asy_obj_of(bases->items[0]))->mro;
    for (uint32_t i = 0; i < above->len; i++)
      if (!asy_list_append(vm, out, above->items[i])) return false;
  } else if (bases->len) {
    merge_list *lists = malloc((bases->len + 1) * sizeof *lists);
    if (!lists) return asy_raise_no_memory(vm), false;
    for (uint32_t i = 0; i < bases->len; i++)
      lists[i] = (merge_list){.list = ((asy_class *)asy_obj_of(bases->items[i]))->mro};
    lists[bases->len] = (merge_list){.list = bases};
    bool ok = merge(vm, lists, bases->len + 1, out);
    free(lists);
    if (!ok) return false;
  }
  asy_tuple *mro = asy_list_to_tuple(vm, out);
  if (!mro) return false;
  cls->mro = mro;
  asy_barrier(vm, cls);
  return true;
}

bool asy_class_remake_mros(asy_vm *vm, asy_class *cls) {
  asy_tuple *below = asy_class_subclasses(vm, cls); /* a copy: an mro() of a script may change bases */
  for (uint32_t i = 0; below && i < below->len; i++) {
    asy_class *sub = (asy_class *)asy_obj_of(below->items[i]);
    asy_tuple *before = sub->mro;
    if (asy_class_order(vm, sub) && asy_class_remake_mros(vm, sub)) continue;
    asy_value failure = asy_take_exception(vm);
    sub->mro = before;
    asy_barrier(vm, sub);
    if (failure) asy_set_exception(vm, failure);
    return false;
  }
  return below != NULL;
}
