/* dunder.c - the filled C slots of a built-in type as methods of its class: list.__len__, int.__add__ ...
 *
 * One row per method: its name, its signature, the slot it needs, and two wrappers. A native gets no context, so which descriptor's
 * slot a wrapper calls depends on which of the two it is: `root` calls that of the first descriptor in self's chain of bases
 * (int.__repr__(True) is '1'), `own` that of the most derived one (bool.__repr__).
 */
#include "runtime/class.h"
#include "runtime/coro.h"
#include "runtime/exc.h"

/* The descriptor whose slots a wrapper calls. */
static const asy_type *root_type(asy_vm *vm, asy_value self) {
  const asy_type *type = asy_class_of(vm, self)->type;
  while (type->base) type = type->base;
  return type;
}
static const asy_type *own_type(asy_vm *vm, asy_value self) { return asy_class_of(vm, self)->type; }

static asy_value wrong_self(asy_vm *vm, asy_value self) {
  return asy_raise(vm, ASY_TypeError, "descriptor requires another type than '%T'", self);
}
static asy_value bool_result(int result) { return result < 0 ? ASY_FAILED : asy_from_bool(result); }
static asy_value none_result(bool ok) { return ok ? ASY_NONE : ASY_FAILED; }

/* A pair of wrappers around `body`, which sees vm, args and the descriptor `type`. */
#define WRAPPER(name, body)                                                                                            \
  static asy_value name##_in(asy_vm *vm, const asy_value *args, const asy_type *type) { body }                         \
  static asy_value name##_root(asy_vm *vm, const asy_value *args) {                                                    \
    return name##_in(vm, args, root_type(vm, args[0]));                                                                \
  }                                                                                                                    \
  static asy_value name##_own(asy_vm *vm, const asy_value *args) { return name##_in(vm, args, own_type(vm, args[0])); }
#define OR_FAIL(slot)                                                                                                  \
  __auto_type fn = slot;                                                                                               \
  if (!fn) return wrong_self(vm, args[0]);
#define SLOT_OR_FAIL(slot) OR_FAIL(ASY_SLOT(type, slot))
#define SPECIAL_OR_FAIL(slot) OR_FAIL(ASY_SPECIAL(type, slot))
#define OPERATOR_OR_FAIL(slot) OR_FAIL(ASY_OPERATOR(type, slot))

WRAPPER(wrap_repr, SLOT_OR_FAIL(repr) return fn(vm, args[0]);)
WRAPPER(wrap_str, SLOT_OR_FAIL(str) return fn(vm, args[0]);)
WRAPPER(wrap_hash, SLOT_OR_FAIL(hash) int64_t hash;
        return fn(vm, args[0], &hash) ? asy_from_int64(vm, hash) : ASY_FAILED;)
WRAPPER(wrap_lt, SLOT_OR_FAIL(compare) return fn(vm, args[0], args[1], COMPARE_LT);)
WRAPPER(wrap_le, SLOT_OR_FAIL(compare) return fn(vm, args[0], args[1], COMPARE_LE);)
WRAPPER(wrap_eq, SLOT_OR_FAIL(compare) return fn(vm, args[0], args[1], COMPARE_EQ);)
WRAPPER(wrap_ne, SLOT_OR_FAIL(compare) return fn(vm, args[0], args[1], COMPARE_NE);)
WRAPPER(wrap_gt, SLOT_OR_FAIL(compare) return fn(vm, args[0], args[1], COMPARE_GT);)
WRAPPER(wrap_ge, SLOT_OR_FAIL(compare) return fn(vm, args[0], args[1], COMPARE_GE);)
WRAPPER(wrap_bool, SPECIAL_OR_FAIL(truth) return bool_result(fn(vm, args[0]));)
WRAPPER(wrap_len, SLOT_OR_FAIL(length) int64_t n = fn(vm, args[0]); return n < 0 ? ASY_FAILED : asy_from_int64(vm, n);)
WRAPPER(wrap_getitem, SPECIAL_OR_FAIL(get_item) return fn(vm, args[0], args[1]);)
WRAPPER(wrap_setitem, SPECIAL_OR_FAIL(set_item) return none_result(fn(vm, args[0], args[1], args[2]));)
WRAPPER(wrap_delitem, SPECIAL_OR_FAIL(set_item) return none_result(fn(vm, args[0], args[1], ASY_UNBOUND));)
WRAPPER(wrap_contains, SPECIAL_OR_FAIL(contains) return bool_result(fn(vm, args[0], args[1]));)
WRAPPER(wrap_iter, SLOT_OR_FAIL(iter) return fn(vm, args[0]);)
WRAPPER(wrap_next, SLOT_OR_FAIL(next) vm->stop_value = ASY_NONE; asy_value item = fn(vm, args[0]);
        return item == ASY_END ? asy_raised(vm) ? ASY_FAILED : asy_raise_stop(vm, asy_take_stop_value(vm)) : item;)
WRAPPER(wrap_index, SPECIAL_OR_FAIL(index) return fn(vm, args[0]);)
WRAPPER(wrap_neg, OPERATOR_OR_FAIL(unary[UNARY_NEG]) return fn(vm, args[0]);)
WRAPPER(wrap_pos, OPERATOR_OR_FAIL(unary[UNARY_POS]) return fn(vm, args[0]);)
WRAPPER(wrap_invert, OPERATOR_OR_FAIL(unary[UNARY_INVERT]) return fn(vm, args[0]);)
WRAPPER(wrap_await, SPECIAL_OR_FAIL(await_) return fn(vm, args[0]);)

static bool name_argument(asy_vm *vm, asy_value name) {
  if (asy_is_str(name)) return true;
  asy_raise(vm, ASY_TypeError, "attribute name must be string, not '%T'", name);
  return false;
}
WRAPPER(wrap_getattribute, SPECIAL_OR_FAIL(get_attr) return name_argument(vm, args[1])
                             ? fn(vm, args[0], (asy_str *)asy_obj_of(args[1]))
                             : ASY_FAILED;)
WRAPPER(wrap_setattr, SPECIAL_OR_FAIL(set_attr) return name_argument(vm, args[1])
                        ? none_result(fn(vm, args[0], (asy_str *)asy_obj_of(args[1]), args[2]))
                        : ASY_FAILED;)
WRAPPER(wrap_delattr, SPECIAL_OR_FAIL(set_attr) return name_argument(vm, args[1])
                        ? none_result(fn(vm, args[0], (asy_str *)asy_obj_of(args[1]), ASY_UNBOUND))
                        : ASY_FAILED;)
WRAPPER(wrap_set, SPECIAL_OR_FAIL(descr_set) return none_result(fn(vm, args[0], args[1], args[2]));)
WRAPPER(wrap_delete, SPECIAL_OR_FAIL(descr_set) return none_result(fn(vm, args[0], args[1], ASY_UNBOUND));)

/* (self, instance, owner=None, /) */
WRAPPER(wrap_get, SPECIAL_OR_FAIL(descr_get) bool instance = args[1] != ASY_NONE;
        if (!instance && args[2] == ASY_NONE) return asy_raise(vm, ASY_TypeError, "__get__(None, None) is invalid");
        asy_class *owner = asy_is_kind(args[2], KIND_TYPE) ? (asy_class *)asy_obj_of(args[2])
                                                           : asy_class_of(vm, args[1]);
        return fn(vm, args[0], instance ? args[1] : ASY_UNBOUND, owner);)

/* (self, /, *args, **kwargs) */
WRAPPER(
  wrap_call, SPECIAL_OR_FAIL(call) const asy_tuple *positional = (const asy_tuple *)asy_obj_of(args[1]);
  asy_dict *named = asy_is_kind(args[2], KIND_DICT) ? (asy_dict *)asy_obj_of(args[2]) : NULL;
  if (!named || !named->used) return fn(vm, args[0], positional->items, (int)positional->len, NULL);
  asy_tuple *all = asy_tuple_new(vm, NULL, positional->len + named->used);
  asy_tuple *names = asy_tuple_new(vm, NULL, named->used); if (!all || !names) return ASY_FAILED;
  memcpy(all->items, positional->items, positional->len * sizeof(asy_value)); asy_value key; asy_value value;
  uint32_t n = 0; for (uint32_t at = 0; asy_dict_next(named, &at, &key, &value); n++) {
    names->items[n] = key;
    all->items[positional->len + n] = value;
  } asy_barrier(vm, all);
  asy_barrier(vm, names); return fn(vm, args[0], all->items, (int)all->len, names);)

#define X(op, symbol, method, reflected, in_place)                                                                     \
  WRAPPER(wrap_##method, OPERATOR_OR_FAIL(binary[BINARY_##op]) return fn(vm, args[0], args[1]);)                       \
  WRAPPER(wrap_##reflected, OPERATOR_OR_FAIL(binary[BINARY_##op]) return fn(vm, args[1], args[0]);)                    \
  WRAPPER(wrap_##in_place, OPERATOR_OR_FAIL(inplace[BINARY_##op]) return fn(vm, args[0], args[1]);)
ASY_BINARY_OPS(X)
#undef X
#undef WRAPPER
#undef SLOT_OR_FAIL
#undef OPERATOR_OR_FAIL
#undef SPECIAL_OR_FAIL
#undef OR_FAIL

typedef struct {
  uint16_t table;       /* where the descriptor has the slot's table, or WHOLE: the descriptor itself */
  uint16_t slot;        /* that must be filled: its offset there */
  bool reflected;       /* __radd__ and its like: sequences do not have it for + */
  asy_native native[2]; /* root, own */
} dunder;
enum { WHOLE = UINT16_MAX };

#define IN_TYPE(member) WHOLE, offsetof(asy_type, member)
#define IN_SPECIAL(member) offsetof(asy_type, special), offsetof(asy_special, member)
#define IN_OPERATORS(member) offsetof(asy_type, operators), offsetof(asy_operators, member)
#define ROW_OF(name, signature, place, reflected, wrapper, doc)                                                        \
  {                                                                                                                    \
    place, reflected, {                                                                                                \
      {name, signature, wrapper##_root, doc, 0}, { name, signature, wrapper##_own, doc, 0 }                            \
    }                                                                                                                  \
  }
#define ROW(name, signature, member, wrapper, doc) ROW_OF(name, signature, IN_TYPE(member), false, wrapper, doc)
#define SPECIAL_ROW(name, signature, member, wrapper, doc)                                                             \
  ROW_OF(name, signature, IN_SPECIAL(member), false, wrapper, doc)
#define OPERATOR_ROW(name, signature, member, wrapper, doc)                                                            \
  ROW_OF(name, signature, IN_OPERATORS(member), false, wrapper, doc)
#define ROW_REFLECTED(name, member, wrapper, doc)                                                                      \
  ROW_OF(name, SIG("(self, value, /)"), IN_OPERATORS(member), true, wrapper, doc)

/* Of each operator: plain, reflected, in place. */
#define DOCS_ADD DOC("Return self+value."), DOC("Return value+self."), DOC("Return self+=value.")
#define DOCS_SUB DOC("Return self-value."), DOC("Return value-self."), DOC("Return self-=value.")
#define DOCS_MUL DOC("Return self*value."), DOC("Return value*self."), DOC("Return self*=value.")
#define DOCS_TRUEDIV DOC("Return self/value."), DOC("Return value/self."), DOC("Return self/=value.")
#define DOCS_FLOORDIV DOC("Return self//value."), DOC("Return value//self."), DOC("Return self//=value.")
#define DOCS_MOD DOC("Return self%value."), DOC("Return value%self."), DOC("Return self%=value.")
#define DOCS_POW DOC("Return pow(self, value, mod)."), DOC("Return pow(value, self, mod)."), DOC("Return self**=value.")
#define DOCS_LSHIFT DOC("Return self<<value."), DOC("Return value<<self."), DOC("Return self<<=value.")
#define DOCS_RSHIFT DOC("Return self>>value."), DOC("Return value>>self."), DOC("Return self>>=value.")
#define DOCS_AND DOC("Return self&value."), DOC("Return value&self."), DOC("Return self&=value.")
#define DOCS_OR DOC("Return self|value."), DOC("Return value|self."), DOC("Return self|=value.")
#define DOCS_XOR DOC("Return self^value."), DOC("Return value^self."), DOC("Return self^=value.")
#define DOCS_MATMUL DOC("Return self@value."), DOC("Return value@self."), DOC("Return self@=value.")
#define FIRST(a, b, c) a
#define SECOND(a, b, c) b
#define THIRD(a, b, c) c
#define DOC_OF(which, docs) which(docs)

static const dunder dunders[] = {
  ROW("__repr__", SIG("(self, /)"), repr, wrap_repr, DOC("Return repr(self).")),
  ROW("__str__", SIG("(self, /)"), str, wrap_str, DOC("Return str(self).")),
  ROW("__hash__", SIG("(self, /)"), hash, wrap_hash, DOC("Return hash(self).")),
  ROW("__lt__", SIG("(self, value, /)"), compare, wrap_lt, DOC("Return self<value.")),
  ROW("__le__", SIG("(self, value, /)"), compare, wrap_le, DOC("Return self<=value.")),
  ROW("__eq__", SIG("(self, value, /)"), compare, wrap_eq, DOC("Return self==value.")),
  ROW("__ne__", SIG("(self, value, /)"), compare, wrap_ne, DOC("Return self!=value.")),
  ROW("__gt__", SIG("(self, value, /)"), compare, wrap_gt, DOC("Return self>value.")),
  ROW("__ge__", SIG("(self, value, /)"), compare, wrap_ge, DOC("Return self>=value.")),
  SPECIAL_ROW("__bool__", SIG("(self, /)"), truth, wrap_bool, DOC("True if self else False")),
  ROW("__len__", SIG("(self, /)"), length, wrap_len, DOC("Return len(self).")),
  SPECIAL_ROW("__getitem__", SIG("(self, key, /)"), get_item, wrap_getitem, DOC("Return self[key].")),
  SPECIAL_ROW("__setitem__", SIG("(self, key, value, /)"), set_item, wrap_setitem, DOC("Set self[key] to value.")),
  SPECIAL_ROW("__delitem__", SIG("(self, key, /)"), set_item, wrap_delitem, DOC("Delete self[key].")),
  SPECIAL_ROW("__contains__", SIG("(self, key, /)"), contains, wrap_contains, DOC("Return bool(key in self).")),
  ROW("__iter__", SIG("(self, /)"), iter, wrap_iter, DOC("Implement iter(self).")),
  ROW("__next__", SIG("(self, /)"), next, wrap_next, DOC("Implement next(self).")),
  SPECIAL_ROW("__index__", SIG("(self, /)"), index, wrap_index,
              DOC("Return self converted to an integer, if self is suitable for use as an index into a list.")),
  OPERATOR_ROW("__neg__", SIG("(self, /)"), unary[UNARY_NEG], wrap_neg, DOC("-self")),
  OPERATOR_ROW("__pos__", SIG("(self, /)"), unary[UNARY_POS], wrap_pos, DOC("+self")),
  OPERATOR_ROW("__invert__", SIG("(self, /)"), unary[UNARY_INVERT], wrap_invert, DOC("~self")),
  SPECIAL_ROW("__await__", SIG("(self, /)"), await_, wrap_await,
              DOC("Return an iterator to be used in await expression.")),
  SPECIAL_ROW("__getattribute__", SIG("(self, name, /)"), get_attr, wrap_getattribute,
              DOC("Return getattr(self, name).")),
  SPECIAL_ROW("__setattr__", SIG("(self, name, value, /)"), set_attr, wrap_setattr,
              DOC("Implement setattr(self, name, value).")),
  SPECIAL_ROW("__delattr__", SIG("(self, name, /)"), set_attr, wrap_delattr, DOC("Implement delattr(self, name).")),
  SPECIAL_ROW("__get__", SIG("(self, instance, owner=None, /)"), descr_get, wrap_get,
              DOC("Return an attribute of instance, which is of type owner.")),
  SPECIAL_ROW("__set__", SIG("(self, instance, value, /)"), descr_set, wrap_set,
              DOC("Set an attribute of instance to value.")),
  SPECIAL_ROW("__delete__", SIG("(self, instance, /)"), descr_set, wrap_delete,
              DOC("Delete an attribute of instance.")),
  SPECIAL_ROW("__call__", SIG("(self, /, *args, **kwargs)"), call, wrap_call, DOC("Call self as a function.")),
#define X(op, symbol, method, reflected, in_place)                                                                     \
  OPERATOR_ROW(#method, SIG("(self, value, /)"), binary[BINARY_##op], wrap_##method, DOC_OF(FIRST, DOCS_##op)),        \
    ROW_REFLECTED(#reflected, binary[BINARY_##op], wrap_##reflected, DOC_OF(SECOND, DOCS_##op)),                       \
    OPERATOR_ROW(#in_place, SIG("(self, value, /)"), inplace[BINARY_##op], wrap_##in_place, DOC_OF(THIRD, DOCS_##op)),
  ASY_BINARY_OPS(X)
#undef X
};
#undef ROW
#undef OPERATOR_ROW
#undef SPECIAL_ROW
#undef ROW_REFLECTED

static bool filled(const asy_type *type, const dunder *row) {
  const char *table = (const char *)type;
  void *fn = NULL;
  if (row->table != WHOLE) memcpy(&table, table + row->table, sizeof table);
  if (table) memcpy(&fn, table + row->slot, sizeof fn);
  return fn != NULL;
}

/* Sequences concatenate from the left only: no __radd__. */
static bool hides_reflected(const asy_type *type, const dunder *row) {
  if (!row->reflected || row->slot != offsetof(asy_operators, binary[BINARY_ADD])) return false;
  return type->flags & ASY_TYPE_SEQUENCE || type == &asy_str_type || type == &asy_bytes_type ||
         type == &asy_bytearray_type;
}

bool asy_class_add_dunders(asy_vm *vm, asy_class *cls) {
  const asy_type *type = cls->type;
  for (unsigned i = 0; i < sizeof dunders / sizeof *dunders; i++) {
    const dunder *row = &dunders[i];
    if (!filled(type, row) || hides_reflected(type, row)) continue;
    const asy_native *def = &row->native[type->base ? 1 : 0];
    asy_str *name = asy_intern(vm, def->name);
    asy_value native = name ? asy_new_native(vm, def, ASY_UNBOUND, ASY_NONE) : ASY_FAILED;
    if (native == ASY_FAILED) return false;
    asy_native_own(vm, native, cls);
    if (!asy_dict_set_str(vm, cls->dict, name, native)) return false;
  }
  return true;
}
