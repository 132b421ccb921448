/* iter_reduce.c - copying and pickling iterators: __reduce__ answers how to make the same iterator again, __setstate__ puts one
 * back to where it was.
 *
 * Iterators with an index answer (iter, (container,), index); those that hash answer with a list of what is left; an exhausted one
 * answers an iterator over something empty.
 */
#include "runtime/types/iter.h"
#include "runtime/types/sequence.h"
#include "runtime/types/str.h"
#include "runtime/vm.h"

/* How the index of an iterator is stored. `container` is 0 when it is exhausted. */
typedef struct {
  asy_value container;
  int64_t index, least; /* least: what __setstate__ clamps to */
  uint32_t *narrow;     /* where the index lies: in one of these */
  int64_t *wide;
} cursor;

static asy_value object_or_none(const void *o) { return o ? asy_from_obj(o) : 0; }

static cursor cursor_of(asy_obj *o) {
  switch (o->kind) {
    case KIND_LIST_ITER: {
      asy_list_iter *it = (asy_list_iter *)o;
      return (cursor){object_or_none(it->list), it->index, 0, &it->index, NULL};
    }
    case KIND_TUPLE_ITER: {
      asy_tuple_iter *it = (asy_tuple_iter *)o;
      return (cursor){object_or_none(it->tuple), it->index, 0, &it->index, NULL};
    }
    case KIND_STR_ITER: {
      asy_str_iter *it = (asy_str_iter *)o;
      return (cursor){object_or_none(it->str), it->index, 0, &it->index, NULL};
    }
    case KIND_BYTES_ITER: {
      asy_bytes_iter *it = (asy_bytes_iter *)o;
      return (cursor){it->octets, it->index, 0, &it->index, NULL};
    }
    case KIND_REVERSED: {
      asy_reversed *it = (asy_reversed *)o;
      return (cursor){it->sequence == ASY_UNBOUND ? 0 : it->sequence, it->index, -1, NULL, &it->index};
    }
    default: {
      asy_sequence_iter *it = (asy_sequence_iter *)o;
      return (cursor){it->sequence == ASY_UNBOUND ? 0 : it->sequence, it->index, 0, NULL, &it->index};
    }
  }
}

static asy_value builtin(asy_vm *vm, const char *name) {
  asy_str *key = asy_intern(vm, name);
  if (!key) return ASY_FAILED;
  asy_value found = asy_dict_get_str(vm, vm->builtins, key);
  return found == ASY_UNBOUND ? asy_raise(vm, ASY_AttributeError, "module 'builtins' has no attribute '%s'", name)
                              : found;
}

/* (make, (argument,)), and the state behind it unless that is 0. */
static asy_value recipe(asy_vm *vm, asy_value make, asy_value argument, asy_value state) {
  if (make == ASY_FAILED || argument == ASY_FAILED) return ASY_FAILED;
  asy_value arguments = asy_tuple_of(vm, 1, argument);
  if (arguments == ASY_FAILED) return ASY_FAILED;
  return state ? asy_tuple_of(vm, 3, make, arguments, state) : asy_tuple_of(vm, 2, make, arguments);
}

/* What an exhausted iterator of this kind is made from again. */
static asy_value nothing_for(asy_vm *vm, const asy_obj *o) {
  if (o->kind == KIND_LIST_ITER) return asy_object_or_failed(asy_list_new(vm, 0));
  if (o->kind == KIND_STR_ITER) return asy_from_cstr(vm, "");
  return asy_from_obj(vm->empty_tuple);
}

asy_value asy_iter_reduce(asy_vm *vm, const asy_value *args) {
  asy_obj *o = asy_obj_of(args[0]);
  asy_value make = o->kind == KIND_REVERSED ? asy_from_obj(asy_class_of(vm, args[0])) : builtin(vm, "iter");
  cursor at = cursor_of(o);
  if (!at.container) return recipe(vm, make, nothing_for(vm, o), 0);
  return recipe(vm, make, at.container, asy_from_small(at.index));
}

asy_value asy_iter_setstate(asy_vm *vm, const asy_value *args) {
  int64_t index;
  if (!asy_is_integer(args[1])) return asy_raise(vm, ASY_TypeError, "an integer is required");
  if (!asy_to_int64(vm, args[1], &index)) return ASY_FAILED;
  cursor at = cursor_of(asy_obj_of(args[0]));
  if (!at.container) return ASY_NONE;
  if (index < at.least) index = at.least;
  if (asy_obj_of(args[0])->kind != KIND_SEQUENCE_ITER) {
    int64_t length = asy_length(vm, at.container);
    if (length < 0) return ASY_FAILED;
    if (index > length + at.least) index = length + at.least;
  }
  if (at.wide) *at.wide = index;
  else *at.narrow = (uint32_t)index;
  return ASY_NONE;
}

/* Iterators over tables: a list of what is left, from a copy, so that this one stays where it is. */
asy_value asy_table_iter_reduce(asy_vm *vm, const asy_value *args) {
  asy_obj *o = asy_obj_of(args[0]);
  size_t size = o->kind == KIND_DICT_ITER ? sizeof(asy_dict_iter) : sizeof(asy_set_iter);
  asy_obj *copy = asy_new_kind(vm, o->kind, size);
  if (!copy) return ASY_FAILED;
  memcpy(copy + 1, o + 1, size - sizeof *o);
  asy_barrier(vm, copy);
  asy_value iter = builtin(vm, "iter");
  return recipe(vm, iter, asy_object_or_failed(asy_list_from_iterable(vm, asy_from_obj(copy))), 0);
}

asy_value asy_callable_iter_reduce(asy_vm *vm, const asy_value *args) {
  const asy_callable_iter *it = (const asy_callable_iter *)asy_obj_of(args[0]);
  asy_value iter = builtin(vm, "iter");
  if (iter == ASY_FAILED || it->callable == ASY_UNBOUND) return recipe(vm, iter, asy_from_obj(vm->empty_tuple), 0);
  asy_value arguments = asy_tuple_of(vm, 2, it->callable, it->sentinel);
  return arguments == ASY_FAILED ? ASY_FAILED : asy_tuple_of(vm, 2, iter, arguments);
}
