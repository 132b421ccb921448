/* object.c - what can be asked of any value: its class, its truth, its text, its hash.
 *
 * Each question goes to a C slot when the class is built in or inherited the answer from a built-in class, else to the special
 * method found on the class (never on the instance).
 * Identity hashes: hash(object()) must not depend on addresses, which differ from run to run, so it is taken from the place of
 * the object in the heap's one range of cells.
 */
#include "runtime/exc.h"
#include "runtime/heap_internal.h"
#include "runtime/number.h"
#include "runtime/protocol.h"
#include "runtime/types/format.h"

/* ---- Classes -------------------------------------------------------------------------------------------------------------- */

asy_class *asy_type_of(asy_vm *vm, asy_value v) { return asy_class_of(vm, v); }

bool asy_is_subclass(const asy_class *cls, const asy_class *of) {
  if (cls == of) return true;
  const asy_tuple *mro = cls->mro;
  if (!mro) return false;
  for (uint32_t i = 1; i < mro->len; i++)
    if (mro->items[i] == asy_from_obj(of)) return true;
  return false;
}

bool asy_is_instance(asy_vm *vm, asy_value v, const asy_class *cls) {
  return asy_is_subclass(asy_class_of(vm, v), cls);
}

/* What v.__bases__ is when that is a tuple: then v may stand for a class. 1, 0, -1 */
static int abstract_bases(asy_vm *vm, asy_value v, asy_value *out) {
  int found = asy_find_attr(vm, v, ASY_NAME(vm, __bases__), out);
  return found > 0 ? asy_is_kind(*out, KIND_TUPLE) : found;
}

static int abstract_subclass(asy_vm *vm, asy_value derived, asy_value cls) {
  for (;;) {
    asy_value bases;
    if (derived == cls) return 1;
    int found = abstract_bases(vm, derived, &bases);
    if (found <= 0) return found;
    const asy_tuple *tuple = (const asy_tuple *)asy_obj_of(bases);
    if (tuple->len == 0) return 0;
    if (tuple->len == 1) {
      derived = tuple->items[0];
      continue;
    }
    if (!asy_check_c_stack_in(vm, " in __subclasscheck__")) return -1;
    for (uint32_t i = 0; i < tuple->len; i++) {
      found = abstract_subclass(vm, tuple->items[i], cls);
      if (found) return found;
    }
    return 0;
  }
}

int asy_abstract_subclass(asy_vm *vm, asy_value derived, asy_value cls) {
  asy_value bases;
  int found = asy_is_kind(derived, KIND_TYPE) ? 1 : abstract_bases(vm, derived, &bases);
  if (found == 0) asy_raise(vm, ASY_TypeError, "issubclass() arg 1 must be a class");
  if (found <= 0) return -1;
  found = asy_is_kind(cls, KIND_TYPE) ? 1 : abstract_bases(vm, cls, &bases);
  if (found == 0) asy_raise(vm, ASY_TypeError, "issubclass() arg 2 must be a class, a tuple of classes, or a union");
  return found <= 0 ? -1 : abstract_subclass(vm, derived, cls);
}

static int abstract_instance(asy_vm *vm, asy_value v, asy_value cls) {
  asy_value bases, claimed;
  int found = abstract_bases(vm, cls, &bases);
  if (found == 0) asy_raise(vm, ASY_TypeError, "isinstance() arg 2 must be a type, a tuple of types, or a union");
  if (found <= 0) return -1;
  found = asy_find_attr(vm, v, ASY_NAME(vm, __class__), &claimed);
  return found <= 0 ? found : abstract_subclass(vm, claimed, cls);
}

/* Whether v.__class__ can be anything but v's class: isinstance must ask then. */
static bool may_claim(asy_vm *vm, asy_value v) {
  asy_class *cls = asy_class_of(vm, v);
  if (cls->flags & ASY_CLASS_HAS_GETATTRIBUTE || ASY_SPECIAL(cls->type, get_attr)) return true;
  if (cls->flags & ASY_CLASS_BUILTIN) return false;
  asy_lookup *found = asy_class_lookup(vm, cls, ASY_NAME(vm, __class__));
  asy_lookup *usual = asy_class_lookup(vm, vm->classes[KIND_OBJECT], ASY_NAME(vm, __class__));
  return !found || !usual || found->value != usual->value;
}

/* isinstance and issubclass share everything but the method they ask. */
static int class_check(asy_vm *vm, asy_value v, asy_value what, bool instance) {
  asy_value type = asy_from_obj(vm->classes[KIND_TYPE]);
  if (asy_is_kind(what, KIND_TYPE)) {
    asy_class *cls = (asy_class *)asy_obj_of(what);
    if (instance && asy_class_of(vm, v) == cls) return 1;
    bool plain = asy_from_obj(asy_class_of(vm, what)) == type; /* no metaclass that could have its own opinion */
    if (plain && !instance && asy_is_kind(v, KIND_TYPE)) return asy_is_subclass((asy_class *)asy_obj_of(v), cls);
    if (plain && instance && asy_is_instance(vm, v, cls)) return 1;
    if (plain && instance && !may_claim(vm, v)) return 0;
  }
  if (asy_is_kind(what, KIND_TUPLE)) {
    if (!asy_check_c_stack_in(vm, instance ? " in __instancecheck__" : " in __subclasscheck__")) return -1;
    const asy_tuple *tuple = (const asy_tuple *)asy_obj_of(what);
    for (uint32_t i = 0; i < tuple->len; i++) {
      int found = class_check(vm, v, tuple->items[i], instance);
      if (found) return found;
    }
    return 0;
  }
  asy_str *name = instance ? ASY_NAME(vm, __instancecheck__) : ASY_NAME(vm, __subclasscheck__);
  asy_value result = asy_call_special(vm, what, name, 1, &v);
  if (result == ASY_FAILED) return -1;
  if (result != ASY_UNBOUND) return asy_truth(vm, result);
  return instance ? abstract_instance(vm, v, what) : asy_abstract_subclass(vm, v, what);
}

int asy_isinstance(asy_vm *vm, asy_value v, asy_value cls_or_tuple) { return class_check(vm, v, cls_or_tuple, true); }
int asy_issubclass(asy_vm *vm, asy_value cls, asy_value cls_or_tuple) {
  return class_check(vm, cls, cls_or_tuple, false);
}

bool asy_callable(asy_vm *vm, asy_value v) {
  asy_class *cls = asy_class_of(vm, v);
  switch (asy_is_obj(v) ? asy_obj_of(v)->kind : KIND_NONE) {
    case KIND_FUNCTION:
    case KIND_NATIVE:
    case KIND_METHOD:
    case KIND_TYPE: return true;
    default: break;
  }
  if (cls->flags & ASY_CLASS_BUILTIN && ASY_SPECIAL(cls->type, call)) return true;
  asy_lookup *record = asy_class_lookup(vm, cls, ASY_NAME(vm, __call__));
  return record && record->kind != LOOKUP_ABSENT;
}

/* ---- Special methods -------------------------------------------------------------------------------------------------------- */

int asy_find_special(asy_vm *vm, asy_value v, asy_str *name, asy_value *fn, asy_value *self) {
  asy_class *cls = asy_class_of(vm, v);
  asy_lookup *record = asy_class_lookup(vm, cls, name);
  if (!record) return -1;
  if (record->kind == LOOKUP_ABSENT) return 0;
  if (record->kind == LOOKUP_METHOD) {
    *fn = record->value;
    *self = v;
    return 1;
  }
  *self = ASY_UNBOUND;
  *fn = asy_bind(vm, record->value, (asy_lookup_kind)record->kind, v, cls);
  return *fn == ASY_FAILED ? -1 : 1;
}

static asy_value call_bound(asy_vm *vm, asy_value fn, asy_value self, int nargs, const asy_value *args) {
  if (self == ASY_UNBOUND) return asy_call(vm, fn, nargs, args);
  asy_value all[4] = {self};
  for (int i = 0; i < nargs; i++) all[i + 1] = args[i];
  return asy_call(vm, fn, nargs + 1, all);
}

asy_value asy_call_special(asy_vm *vm, asy_value v, asy_str *name, int nargs, const asy_value *args) {
  asy_value fn, self;
  int found = asy_find_special(vm, v, name, &fn, &self);
  if (found <= 0) return found < 0 ? ASY_FAILED : ASY_UNBOUND;
  return call_bound(vm, fn, self, nargs, args);
}

asy_value asy_call_way(asy_vm *vm, asy_value v, const asy_way *way, int nargs, const asy_value *args) {
  if (way->kind == LOOKUP_METHOD) return call_bound(vm, way->value, v, nargs, args);
  asy_value fn = asy_bind(vm, way->value, (asy_lookup_kind)way->kind, v, asy_class_of(vm, v));
  return fn == ASY_FAILED ? ASY_FAILED : asy_call(vm, fn, nargs, args);
}

/* ---- Truth ------------------------------------------------------------------------------------------------------------------- */

static int truth_by_slots(asy_vm *vm, const asy_type *type, asy_value v) {
  int (*truth)(asy_vm *, asy_value) = ASY_SPECIAL(type, truth);
  if (truth) return truth(vm, v);
  int64_t (*length)(asy_vm *, asy_value) = ASY_SLOT(type, length);
  if (!length) return 1;
  int64_t n = length(vm, v);
  return n < 0 ? -1 : n != 0;
}

int asy_truth(asy_vm *vm, asy_value v) {
  if (__builtin_expect(v == ASY_NOT_IMPLEMENTED, 0))
    return asy_warn(vm, ASY_DeprecationWarning, "NotImplemented should not be used in a boolean context", 1) ? 1 : -1;
  if (asy_is_constant(v)) return v != ASY_FALSE && v != ASY_NONE;
  if (asy_is_int(v)) return v != asy_from_small(0);
  if (asy_is_flonum(v)) return asy_flonum(v) != 0.0;
  asy_class *cls = asy_class_of(vm, v);
  if (cls->flags & ASY_CLASS_BUILTIN) return truth_by_slots(vm, cls->type, v);
  asy_way way;
  if (!asy_find_way(vm, cls, ASY_NAME(vm, __bool__), &way)) return -1;
  if (way.type) return truth_by_slots(vm, way.type, v);
  if (way.value != ASY_UNBOUND) {
    asy_value result = asy_call_way(vm, v, &way, 0, NULL);
    if (result == ASY_FAILED) return -1;
    if (asy_is_bool(result)) return result == ASY_TRUE;
    asy_raise(vm, ASY_TypeError, "__bool__ should return bool, returned %T", result);
    return -1;
  }
  asy_lookup *length = asy_class_lookup(vm, cls, ASY_NAME(vm, __len__));
  if (!length) return -1;
  if (length->kind == LOOKUP_ABSENT) return 1;
  int64_t n = asy_length(vm, v);
  return n < 0 ? -1 : n != 0;
}

/* ---- Text --------------------------------------------------------------------------------------------------------------------- */

asy_value asy_default_repr(asy_vm *vm, asy_value v) {
  asy_class *cls = asy_class_of(vm, v);
  asy_value module = asy_dict_get_str(vm, cls->dict, ASY_NAME(vm, __module__));
  char address[32];
  snprintf(address, sizeof address, "0x%012llx", (unsigned long long)v);
  bool named = module != ASY_UNBOUND && asy_is_str(module) && module != ASY_NAME_VALUE(vm, builtins);
  asy_str *s = named ? asy_str_format(vm, "<%S.%U object at %s>", module, cls->qualname, address)
                     : asy_str_format(vm, "<%U object at %s>", cls->qualname, address);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value check_text(asy_vm *vm, asy_value text, const char *method) {
  if (text == ASY_FAILED || asy_is_str(text)) return text;
  return asy_raise(vm, ASY_TypeError, "%s returned non-string (type %T)", method, text);
}

static asy_value repr_by_slots(asy_vm *vm, const asy_type *type, asy_value v) {
  asy_value (*repr)(asy_vm *, asy_value) = ASY_SLOT(type, repr);
  return repr ? repr(vm, v) : asy_default_repr(vm, v);
}

asy_value asy_repr(asy_vm *vm, asy_value v) {
  if (!asy_check_c_stack_in(vm, " while getting the repr of an object")) return ASY_FAILED;
  asy_way way;
  if (!asy_find_way(vm, asy_class_of(vm, v), ASY_NAME(vm, __repr__), &way)) return ASY_FAILED;
  if (way.value != ASY_UNBOUND) return check_text(vm, asy_call_way(vm, v, &way, 0, NULL), "__repr__");
  return repr_by_slots(vm, way.type ? way.type : &asy_object_type, v);
}

asy_value asy_str_of(asy_vm *vm, asy_value v) {
  if (asy_is_exact(v, KIND_STR)) return v;
  if (asy_is_int(v)) {
    asy_str *digits = asy_int_to_str(vm, v, 10);
    return digits ? asy_from_obj(digits) : ASY_FAILED;
  }
  if (!asy_check_c_stack_in(vm, " while getting the str of an object")) return ASY_FAILED;
  asy_way way;
  if (!asy_find_way(vm, asy_class_of(vm, v), ASY_NAME(vm, __str__), &way)) return ASY_FAILED;
  if (way.value != ASY_UNBOUND) return check_text(vm, asy_call_way(vm, v, &way, 0, NULL), "__str__");
  asy_value (*str)(asy_vm *, asy_value) = way.type ? ASY_SLOT(way.type, str) : NULL;
  if (str) return str(vm, v);
  return asy_repr(vm, v); /* object.__str__ */
}

asy_value asy_format(asy_vm *vm, asy_value v, asy_value spec) {
  bool empty = !((const asy_str *)asy_obj_of(spec))->len;
  if (empty && (asy_is_exact(v, KIND_STR) || asy_is_int(v) || asy_is_flonum(v))) return asy_str_of(vm, v);
  const asy_value args[] = {v, spec};
  if (asy_is_int(v)) return asy_format_int(vm, args);
  if (asy_is_flonum(v)) return asy_format_float(vm, args);
  if (asy_is_exact(v, KIND_STR)) return asy_format_str(vm, args);
  asy_value result = asy_call_special(vm, v, ASY_NAME(vm, __format__), 1, &spec);
  if (result == ASY_FAILED || asy_is_str(result)) return result;
  if (result == ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "Type %T doesn't define __format__", v);
  return asy_raise(vm, ASY_TypeError, "__format__ must return a str, not %T", result);
}

asy_value asy_ascii(asy_vm *vm, asy_value v) {
  asy_value text = asy_repr(vm, v);
  if (text == ASY_FAILED) return ASY_FAILED;
  const asy_str *s = (const asy_str *)asy_obj_of(text);
  if (s->head.flags & STR_ASCII) return text;
  asy_text out;
  asy_text_init(&out, vm);
  for (uint32_t i = 0; i < s->len; i++) {
    uint32_t c = asy_str_at(s, i);
    char escape[16];
    if (c < 128) {
      asy_text_char(&out, c);
      continue;
    }
    if (c < 0x100) snprintf(escape, sizeof escape, "\\x%02x", c);
    else if (c < 0x10000) snprintf(escape, sizeof escape, "\\u%04x", c);
    else snprintf(escape, sizeof escape, "\\U%08x", c);
    asy_text_ascii(&out, escape);
  }
  asy_str *result = asy_text_finish(&out);
  return result ? asy_from_obj(result) : ASY_FAILED;
}

/* ---- Hash ------------------------------------------------------------------------------------------------------------------------ */

int64_t asy_identity_hash(asy_vm *vm, asy_value v) {
  if (asy_is_obj(v)) return (int64_t)(((uintptr_t)v - (uintptr_t)vm->heap->base) >> 4);
  return (int64_t)(v >> 3) + 1; /* a constant */
}

static bool raise_unhashable(asy_vm *vm, asy_value v) {
  asy_raise(vm, ASY_TypeError, "unhashable type: '%T'", v);
  return false;
}

static bool hash_by_slots(asy_vm *vm, const asy_type *type, asy_value v, int64_t *out) {
  for (const asy_type *t = type; t; t = t->base) {
    if (t->flags & ASY_TYPE_UNHASHABLE) return raise_unhashable(vm, v);
    if (t->hash) return t->hash(vm, v, out);
  }
  *out = asy_identity_hash(vm, v);
  return true;
}

bool asy_hash(asy_vm *vm, asy_value v, int64_t *out) {
  asy_class *cls = asy_class_of(vm, v);
  asy_way way;
  if (!asy_find_way(vm, cls, ASY_NAME(vm, __hash__), &way)) return false;
  if (way.value == ASY_UNBOUND) {
    if (!asy_check_c_stack(vm)) return false;
    return hash_by_slots(vm, way.type ? way.type : &asy_object_type, v, out);
  }
  if (way.value == ASY_NONE) return raise_unhashable(vm, v);
  asy_value result = asy_call_way(vm, v, &way, 0, NULL);
  if (result == ASY_FAILED) return false;
  if (!asy_is_integer(result)) {
    asy_raise(vm, ASY_TypeError, "__hash__ method should return an integer");
    return false;
  }
  if (!asy_is_number_int64(result, out)) *out = asy_int_hash(result);
  if (*out == -1) *out = -2;
  return true;
}
