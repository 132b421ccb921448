/* weakref.c - weak references: one object a (referent, callback), cleared by the collector when the referent dies. */
#include "runtime/weakref.h"

#include "runtime/class.h"

enum { WEAKREF_CALL_DUE = 1 }; /* head.flags: the referent died, the callback has not been called yet */

/* Kinds whose exact instances can be referred to weakly. */
static bool is_referable_kind(unsigned kind) {
  static const uint8_t kinds[] = {KIND_TYPE,         KIND_SET,    KIND_FROZENSET, KIND_FUNCTION,  KIND_METHOD,
                                  KIND_CODE,         KIND_MODULE, KIND_GENERATOR, KIND_COROUTINE, KIND_ASYNC_GENERATOR,
                                  KIND_MEMORYVIEW,   KIND_FUTURE, KIND_TASK,      KIND_LOOP,      KIND_HANDLE,
                                  KIND_TIMER_HANDLE, KIND_NATIVE};
  for (unsigned i = 0; i < sizeof kinds; i++)
    if (kind == kinds[i]) return true;
  return kind >= KIND_COUNT;
}

/* Instances of script classes can be, if their layout is fixed and one class of the mro lets them: __slots__ must name __weakref__. */
static bool has_weak_class(const asy_class *cls) {
  for (uint32_t i = 0; i < cls->mro->len; i++) {
    const asy_class *base = (const asy_class *)asy_obj_of(cls->mro->items[i]);
    if (!(base->flags & ASY_CLASS_BUILTIN) && (!base->slots || base->flags & ASY_CLASS_WEAK_SLOT)) return true;
  }
  return false;
}

static bool is_fixed_kind(unsigned kind) { return kind != KIND_INT && kind != KIND_TUPLE && kind != KIND_BYTES; }

static bool is_referable(asy_vm *vm, asy_value v) {
  if (!asy_is_obj(v)) return false;
  const asy_obj *o = asy_obj_of(v);
  if (is_referable_kind(o->kind)) return true;
  const asy_class *cls = asy_type_of(vm, v);
  return !(cls->flags & ASY_CLASS_BUILTIN) && is_fixed_kind(o->kind) && has_weak_class(cls);
}

bool asy_can_add_weakref(const asy_class *cls) {
  if (is_referable_kind(cls->kind) || !is_fixed_kind(cls->kind)) return false;
  for (uint32_t i = 0; i < cls->bases->len; i++)
    if (has_weak_class((const asy_class *)asy_obj_of(cls->bases->items[i]))) return false;
  return true;
}

static asy_value get_weakref(asy_vm *vm, const asy_value *args) {
  asy_list *owners = asy_list_new(vm, 0);
  if (!owners || !asy_weak_owners(vm, args[0], owners)) return ASY_FAILED;
  for (uint32_t i = 0; i < owners->len; i++)
    if (asy_is_kind(owners->items[i], KIND_WEAKREF)) return owners->items[i];
  return ASY_NONE;
}

const asy_native asy_weakref_attribute[] = {
  {"__weakref__", SIG("(self)"), get_weakref, DOC("list of weak references to the object"), ASY_NATIVE_GETTER},
  {0},
};

asy_weakref *asy_weakref_new(asy_vm *vm, asy_class *cls, asy_value referent, asy_value callback) {
  if (!is_referable(vm, referent)) {
    asy_raise(vm, ASY_TypeError, "cannot create weak reference to '%T' object", referent);
    return NULL;
  }
  asy_weakref *ref = asy_new_instance(vm, cls);
  if (!ref) return NULL;
  ref->callback = callback;
  ref->referent = asy_obj_of(referent);
  return asy_weak_add(vm, ref, (void **)&ref->referent) ? ref : NULL;
}

static asy_value weakref_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  bool sharing = cls == vm->classes[KIND_WEAKREF] && args[2] == ASY_NONE && asy_is_obj(args[1]);
  asy_weakref *ref = sharing ? asy_weak_shared(vm, asy_obj_of(args[1]), WEAK_REFERENCE) : NULL;
  if (ref) return asy_from_obj(ref);
  ref = asy_weakref_new(vm, cls, args[1], args[2]);
  if (ref && sharing) asy_weak_share(vm, ref->referent, WEAK_REFERENCE, ref);
  return ref ? asy_from_obj(ref) : ASY_FAILED;
}

/* A subclass may take more arguments than __new__ does: they are its __init__'s business. */
static asy_value weakref_init(asy_vm *vm, const asy_value *args) {
  (void)vm, (void)args;
  return ASY_NONE;
}

bool asy_weakref_wants_call(asy_obj *o) {
  if (o->kind != KIND_WEAKREF || ((asy_weakref *)o)->callback == ASY_NONE) return false;
  o->flags |= WEAKREF_CALL_DUE;
  return true;
}

bool asy_weakref_call_back(asy_vm *vm, asy_obj *o) {
  if (o->kind != KIND_WEAKREF || !(o->flags & WEAKREF_CALL_DUE)) return false;
  asy_weakref *ref = (asy_weakref *)o;
  o->flags &= (uint16_t)~WEAKREF_CALL_DUE;
  asy_value callback = ref->callback;
  ref->callback = ASY_NONE;
  if (asy_failed(asy_call1(vm, callback, asy_from_obj(ref->proxy ? ref->proxy : o))))
    asy_report_unraisable(vm, callback);
  return true;
}

static void weakref_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_value(v, ((asy_weakref *)o)->callback);
  asy_visit_obj(v, ((asy_weakref *)o)->proxy);
}

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
                             : asy_str_format(vm, "<weakref at %p; to '%T' at %p>", (void *)(uintptr_t)self, v,
                                              (void *)(uintptr_t)v);
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
  .name = "weakref.ReferenceType",
  .size = sizeof(asy_weakref),
  .visit = weakref_visit,
  .free = weakref_free,
  .new_ = weakref_new,
  .new_signature = SIG("(cls, object, callback=None, /)"),
  .init = weakref_init,
  .init_signature = SIG("(self, object, callback=None, /)"),
  .repr = weakref_repr,
  .hash = weakref_hash,
  .compare = weakref_compare,
  .special = &(const asy_special){.call = weakref_call},
  .members = weakref_members,
};

/* ---- The module ----------------------------------------------------------------------------------------------------- */

static asy_value getweakrefs(asy_vm *vm, const asy_value *args) {
  asy_list *refs = asy_list_new(vm, 0);
  return refs && asy_weak_owners(vm, args[0], refs) ? asy_from_obj(refs) : ASY_FAILED;
}

static asy_value getweakrefcount(asy_vm *vm, const asy_value *args) {
  asy_list *refs = asy_list_new(vm, 0);
  return refs && asy_weak_owners(vm, args[0], refs) ? asy_from_small(refs->len) : ASY_FAILED;
}

static bool init(asy_vm *vm, asy_value module) {
  asy_value cls = asy_from_obj(vm->classes[KIND_WEAKREF]);
  asy_class *proxy = asy_define_type(vm, &asy_proxy_type), *callable = asy_define_type(vm, &asy_callable_proxy_type);
  return proxy && callable && asy_module_set(vm, module, "ref", cls) &&
         asy_module_set(vm, module, "ReferenceType", cls) &&
         asy_module_set(vm, module, "ProxyType", asy_from_obj(proxy)) &&
         asy_module_set(vm, module, "CallableProxyType", asy_from_obj(callable));
}

static const asy_native natives[] = {
  {"getweakrefcount", SIG("(object, /)"), getweakrefcount, DOC("Return the number of weak references to 'object'."), 0},
  {"getweakrefs", SIG("(object, /)"), getweakrefs,
   DOC("Return a list of all weak reference objects pointing to 'object'."), 0},
  {"proxy", SIG("(object, callback=None, /)"), asy_proxy_new,
   DOC("Create a proxy object that weakly references 'object'."), 0},
  {0},
};

const asy_module_def asy_module_weakref = {"_weakref", natives, "Weak references: the natives behind weakref.", init};
