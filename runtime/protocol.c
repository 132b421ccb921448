/* protocol.c - containers as any value may be one: length, items, membership, index. Iteration is in iteration.c. */
#include "runtime/protocol.h"

#include "runtime/exc.h"
#include "runtime/number.h"
#include "runtime/types/alias.h"
#include "runtime/types/iter.h"

/* ---- Length --------------------------------------------------------------------------------------------------------------- */

/* The int that __len__ or __length_hint__ gave, checked. */
static int64_t as_length(asy_vm *vm, asy_value result) {
  if (result == ASY_FAILED) return -1;
  int64_t n;
  asy_value index = asy_index(vm, result);
  if (index == ASY_FAILED) return -1;
  if (!asy_is_number_int64(index, &n)) {
    asy_raise(vm, ASY_OverflowError, "cannot fit '%T' into an index-sized integer", result);
    return -1;
  }
  if (n >= 0) return n;
  asy_raise(vm, ASY_ValueError, "__len__() should return >= 0");
  return -1;
}

int64_t asy_length(asy_vm *vm, asy_value v) {
  asy_way way;
  if (!asy_find_way(vm, asy_class_of(vm, v), ASY_NAME(vm, __len__), &way)) return -1;
  if (way.value != ASY_UNBOUND) return as_length(vm, asy_call_way(vm, v, &way, 0, NULL));
  int64_t (*length)(asy_vm *, asy_value) = way.type ? ASY_SLOT(way.type, length) : NULL;
  if (length) return length(vm, v);
  asy_raise(vm, ASY_TypeError, "object of type '%T' has no len()", v);
  return -1;
}

int64_t asy_length_hint(asy_vm *vm, asy_value v, int64_t otherwise) {
  asy_class *cls = asy_class_of(vm, v);
  bool known = cls->flags & ASY_CLASS_BUILTIN ? ASY_SLOT(cls->type, length) != NULL : false;
  if (!known && !(cls->flags & ASY_CLASS_BUILTIN)) {
    asy_lookup *record = asy_class_lookup(vm, cls, ASY_NAME(vm, __len__));
    if (!record) return -1;
    known = record->kind != LOOKUP_ABSENT;
  }
  if (known) {
    int64_t n = asy_length(vm, v);
    if (n >= 0) return n;
    if (!asy_raised_is(vm, ASY_TypeError)) return -1;
    asy_clear_exception(vm);
  }
  asy_value hint = asy_call_special(vm, v, ASY_NAME(vm, __length_hint__), 0, NULL);
  if (hint == ASY_UNBOUND || hint == ASY_NOT_IMPLEMENTED) return otherwise;
  if (hint == ASY_FAILED) {
    if (!asy_raised_is(vm, ASY_TypeError)) return -1;
    asy_clear_exception(vm);
    return otherwise;
  }
  int64_t n;
  if (!asy_is_number_int64(hint, &n)) {
    asy_raise(vm, ASY_TypeError, "__length_hint__ must be an integer, not %T", hint);
    return -1;
  }
  if (n >= 0) return n;
  asy_raise(vm, ASY_ValueError, "__length_hint__() should return >= 0");
  return -1;
}

/* ---- Items ------------------------------------------------------------------------------------------------------------------ */

/* cls[key]: the metaclass's __getitem__ did not want it, so __class_getitem__ of the class has its say. */
static asy_value class_item(asy_vm *vm, asy_value v, asy_value key) {
  asy_class *cls = (asy_class *)asy_obj_of(v);
  if (cls == vm->classes[KIND_TYPE])
    return asy_generic_alias_new(vm, v, key); /* type has no __class_getitem__: its classes would */
  asy_value fn = asy_class_get(vm, cls, ASY_NAME(vm, __class_getitem__));
  if (fn == ASY_FAILED) return ASY_FAILED;
  if (fn != ASY_UNBOUND) return asy_call1(vm, fn, key);
  return asy_raise(vm, ASY_TypeError, "type '%N' is not subscriptable", cls);
}

asy_value asy_get_item(asy_vm *vm, asy_value v, asy_value key) {
  asy_way way;
  if (!asy_find_way(vm, asy_class_of(vm, v), ASY_NAME(vm, __getitem__), &way)) return ASY_FAILED;
  if (way.value != ASY_UNBOUND) return asy_call_way(vm, v, &way, 1, &key);
  asy_value (*get)(asy_vm *, asy_value, asy_value) = way.type ? ASY_SPECIAL(way.type, get_item) : NULL;
  if (get) return get(vm, v, key);
  if (asy_is_kind(v, KIND_TYPE)) return class_item(vm, v, key);
  return asy_raise(vm, ASY_TypeError, "'%T' object is not subscriptable", v);
}

bool asy_set_item(asy_vm *vm, asy_value v, asy_value key, asy_value value) {
  asy_way way;
  if (!asy_find_way(vm, asy_class_of(vm, v), ASY_NAME(vm, __setitem__), &way)) return false;
  if (way.value != ASY_UNBOUND) {
    asy_value args[2] = {key, value};
    return asy_call_way(vm, v, &way, 2, args) != ASY_FAILED;
  }
  bool (*set)(asy_vm *, asy_value, asy_value, asy_value) = way.type ? ASY_SPECIAL(way.type, set_item) : NULL;
  if (set) return set(vm, v, key, value);
  asy_raise(vm, ASY_TypeError, "'%T' object does not support item assignment", v);
  return false;
}

bool asy_del_item(asy_vm *vm, asy_value v, asy_value key) {
  asy_way way;
  if (!asy_find_way(vm, asy_class_of(vm, v), ASY_NAME(vm, __delitem__), &way)) return false;
  if (way.value != ASY_UNBOUND) return asy_call_way(vm, v, &way, 1, &key) != ASY_FAILED;
  bool (*set)(asy_vm *, asy_value, asy_value, asy_value) = way.type ? ASY_SPECIAL(way.type, set_item) : NULL;
  if (set) return set(vm, v, key, ASY_UNBOUND);
  bool sequence = !way.type || way.type->flags & ASY_TYPE_SEQUENCE || asy_is_str(v) || asy_is_kind(v, KIND_SET) ||
                  asy_is_kind(v, KIND_FROZENSET); /* CPython's two wordings */
  asy_raise(vm, ASY_TypeError, "'%T' object does%s support item deletion", v,
            sequence && asy_is_integer(key) ? "n't" : " not");
  return false;
}

static int contains_by_iteration(asy_vm *vm, asy_value v, asy_value item) {
  asy_value it = asy_iter(vm, v);
  if (it == ASY_FAILED) {
    if (asy_raised_is(vm, ASY_TypeError)) {
      asy_clear_exception(vm);
      asy_raise(vm, ASY_TypeError, "argument of type '%T' is not iterable", v);
    }
    return -1;
  }
  for (;;) {
    asy_value next = asy_next(vm, it);
    if (next == ASY_END) return 0;
    if (next == ASY_FAILED) return -1;
    int equal = asy_equal(vm, next, item);
    if (equal) return equal;
  }
}

int asy_contains(asy_vm *vm, asy_value v, asy_value item) {
  asy_way way;
  if (!asy_find_way(vm, asy_class_of(vm, v), ASY_NAME(vm, __contains__), &way)) return -1;
  if (way.value == ASY_NONE) {
    asy_raise(vm, ASY_TypeError, "'%T' object is not a container", v);
    return -1;
  }
  if (way.value != ASY_UNBOUND) {
    asy_value result = asy_call_way(vm, v, &way, 1, &item);
    return result == ASY_FAILED ? -1 : asy_truth(vm, result);
  }
  int (*contains)(asy_vm *, asy_value, asy_value) = way.type ? ASY_SPECIAL(way.type, contains) : NULL;
  return contains ? contains(vm, v, item) : contains_by_iteration(vm, v, item);
}

/* ---- Index --------------------------------------------------------------------------------------------------------------------- */

asy_value asy_converted(asy_vm *vm, asy_value result, bool wanted, bool exact, const char *method, const char *type) {
  if (asy_failed(result) || exact) return result;
  if (!wanted) return asy_raise(vm, ASY_TypeError, "%s returned non-%s (type %T)", method, type, result);
  asy_str *text = asy_str_format(
    vm,
    "%s returned non-%s (type %T).  The ability to return an instance of a strict subclass of "
    "%s is deprecated, and may be removed in a future version of Python.",
    method, type, result, type);
  const char *message;
  if (!text || !asy_to_cstr(vm, asy_from_obj(text), &message)) return ASY_FAILED;
  return asy_warn(vm, ASY_DeprecationWarning, message, 1) ? result : ASY_FAILED;
}

asy_value asy_converted_int(asy_vm *vm, asy_value result, const char *method) {
  bool exact = asy_is_int(result) || asy_is_exact(result, KIND_INT);
  return asy_converted(vm, result, asy_is_integer(result), exact, method, "int");
}

asy_value asy_index(asy_vm *vm, asy_value v) {
  if (asy_is_int(v)) return v;
  if (asy_is_integer(v)) return v;
  asy_way way;
  if (!asy_find_way(vm, asy_class_of(vm, v), ASY_NAME(vm, __index__), &way)) return ASY_FAILED;
  if (way.value != ASY_UNBOUND) {
    asy_value result = asy_call_way(vm, v, &way, 0, NULL);
    return asy_converted_int(vm, result, "__index__");
  }
  asy_value (*index)(asy_vm *, asy_value) = way.type ? ASY_SPECIAL(way.type, index) : NULL;
  return index ? index(vm, v) : asy_raise(vm, ASY_TypeError, "'%T' object cannot be interpreted as an integer", v);
}
