/* weakref.c - weak references: one object a (referent, callback), cleared by the collector when the referent dies. */
#include "runtime/class.h"
#include "runtime/weakref.h"

static asy_value weakref_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  asy_value referent = args[1];
  if (!asy_is_obj(referent) || asy_is_kind(referent, KIND_STR) || asy_is_kind(referent, KIND_INT) ||
      asy_is_kind(referent, KIND_TUPLE) || asy_is_kind(referent, KIND_BYTES) || asy_is_exact(referent, KIND_LIST) ||
      asy_is_exact(referent, KIND_DICT))
    return asy_raise(vm, ASY_TypeError, "cannot create weak reference to '%T' object", referent);
  asy_weakref *ref = asy_new_instance(vm, cls);
  if (!ref) return ASY_FAILED;
  ref->callback = args[2];
  ref->referent = asy_obj_of(referent);
  asy_weak_add(vm, ref, (void **)&ref->referent);
  return asy_from_obj(ref);
}

static void weakref_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((asy_weakref *)o)->callback); }

static void weakref_free(asy_vm *vm, asy_obj *o) { asy_weak_remove(vm, (void **)&((asy_weakref *)o)->referent); }

asy_value asy_weakref_get(asy_value self) {
  asy_weakref *ref = (asy_weakref *)asy_obj_of(self);
  return ref->referent ? asy_from_obj(ref->referent) : ASY_NONE;
}

static asy_value weakref_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  (void)args;
  if (nargs || kwnames) return asy_raise(vm, ASY_TypeError, "weakref.__call__() takes no arguments (%d given)", nargs);
  return asy_weakref_get(self);
}

static asy_value weakref_repr(asy_vm *vm, asy_value self) {
  asy_value v = asy_weakref_get(self);
  asy_str *s = v == ASY_NONE ? asy_str_format(vm, "<weakref at %p; dead>", (void *)(uintptr_t)self)
                             : asy_str_format(vm, "<weakref at %p; to '%T' at %p>", (void *)(uintptr_t)self, v, (void *)(uintptr_t)v);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static bool weakref_hash(asy_vm *vm, asy_value self, int64_t *out) {
  asy_weakref *ref = (asy_weakref *)asy_obj_of(self);
  if (!ref->hashed) {
    if (!ref->referent) {
      asy_raise(vm, ASY_TypeError, "weak object has gone away");
      return false;
    }
    if (!asy_hash(vm, asy_from_obj(ref->referent), &ref->hash)) return false;
    ref->hashed = true;
  }
  *out = ref->hash;
  return true;
}

static asy_value weakref_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!asy_is_kind(other, KIND_WEAKREF) || (op != COMPARE_EQ && op != COMPARE_NE)) return ASY_NOT_IMPLEMENTED;
  asy_value a = asy_weakref_get(self), b = asy_weakref_get(other);
  int equal = a == ASY_NONE || b == ASY_NONE ? self == other : asy_equal(vm, a, b);
  return equal < 0 ? ASY_FAILED : asy_from_bool(equal == (op == COMPARE_EQ));
}

static const asy_member weakref_members[] = {
    {"__callback__", offsetof(asy_weakref, callback), MEMBER_VALUE, false},
    {0},
};
const asy_type asy_weakref_type = {
    .name = "weakref.ReferenceType", .size = sizeof(asy_weakref), .visit = weakref_visit, .free = weakref_free,
    .new_ = weakref_new, .new_signature = "(cls, object, callback=None, /)", .repr = weakref_repr, .hash = weakref_hash,
    .compare = weakref_compare, .call = weakref_call, .members = weakref_members,
};
