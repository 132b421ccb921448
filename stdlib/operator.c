/* operator.c - the module operator (and _operator): Python's operators as functions, and three kinds of getters.
 * A getter (itemgetter, attrgetter, methodcaller) is one struct: what it was made with, ready for the call. An attrgetter keeps
 * each dotted name as a tuple of interned names.
 */
#include "runtime/asy.h"

static asy_tuple *tuple_arg(asy_value v) { return (asy_tuple *)asy_obj_of(v); }
static asy_value bool_or_failed(int result) { return result < 0 ? ASY_FAILED : asy_from_bool(result); }
static asy_value none_or_failed(bool ok) { return ok ? ASY_NONE : ASY_FAILED; }

/* ---- Operators: one function a row ---- */

#define BINARY_FUNCTIONS(X)                                                                                            \
  X(add, ADD, DOC("Same as a + b."), DOC("Same as a += b."))                                                           \
  X(sub, SUB, DOC("Same as a - b."), DOC("Same as a -= b."))                                                           \
  X(mul, MUL, DOC("Same as a * b."), DOC("Same as a *= b."))                                                           \
  X(truediv, TRUEDIV, DOC("Same as a / b."), DOC("Same as a /= b."))                                                   \
  X(floordiv, FLOORDIV, DOC("Same as a // b."), DOC("Same as a //= b."))                                               \
  X(mod, MOD, DOC("Same as a % b."), DOC("Same as a %= b."))                                                           \
  X(pow, POW, DOC("Same as a ** b."), DOC("Same as a **= b."))                                                         \
  X(lshift, LSHIFT, DOC("Same as a << b."), DOC("Same as a <<= b."))                                                   \
  X(rshift, RSHIFT, DOC("Same as a >> b."), DOC("Same as a >>= b."))                                                   \
  X(and, AND, DOC("Same as a & b."), DOC("Same as a &= b."))                                                           \
  X(or, OR, DOC("Same as a | b."), DOC("Same as a |= b."))                                                             \
  X(xor, XOR, DOC("Same as a ^ b."), DOC("Same as a ^= b."))                                                           \
  X(matmul, MATMUL, DOC("Same as a @ b."), DOC("Same as a @= b."))
#define COMPARE_FUNCTIONS(X)                                                                                           \
  X(lt, LT, DOC("Same as a < b."))                                                                                     \
  X(le, LE, DOC("Same as a <= b."))                                                                                    \
  X(eq, EQ, DOC("Same as a == b."))                                                                                    \
  X(ne, NE, DOC("Same as a != b."))                                                                                    \
  X(gt, GT, DOC("Same as a > b."))                                                                                     \
  X(ge, GE, DOC("Same as a >= b."))
#define UNARY_FUNCTIONS(X)                                                                                             \
  X(neg, NEG, DOC("Same as -a."))                                                                                      \
  X(pos, POS, DOC("Same as +a."))                                                                                      \
  X(invert, INVERT, DOC("Same as ~a."))

#define X(name, op, doc, in_place)                                                                                     \
  static asy_value op_##name(asy_vm *vm, const asy_value *args) {                                                      \
    return asy_binary(vm, BINARY_##op, args[0], args[1]);                                                              \
  }                                                                                                                    \
  static asy_value op_i##name(asy_vm *vm, const asy_value *args) {                                                     \
    return asy_inplace(vm, BINARY_##op, args[0], args[1]);                                                             \
  }
BINARY_FUNCTIONS(X)
#undef X
#define X(name, op, doc)                                                                                               \
  static asy_value op_##name(asy_vm *vm, const asy_value *args) {                                                      \
    return asy_compare(vm, args[0], args[1], COMPARE_##op);                                                            \
  }
COMPARE_FUNCTIONS(X)
#undef X
#define X(name, op, doc)                                                                                               \
  static asy_value op_##name(asy_vm *vm, const asy_value *args) { return asy_unary(vm, UNARY_##op, args[0]); }
UNARY_FUNCTIONS(X)
#undef X

static asy_value op_abs(asy_vm *vm, const asy_value *args) {
  asy_str *name = asy_intern(vm, "__abs__");
  asy_value result = name ? asy_call_special(vm, args[0], name, 0, NULL) : ASY_FAILED;
  return result == ASY_UNBOUND ? asy_raise(vm, ASY_TypeError, "bad operand type for abs(): '%T'", args[0]) : result;
}

static asy_value op_truth(asy_vm *vm, const asy_value *args) { return bool_or_failed(asy_truth(vm, args[0])); }
static asy_value op_index(asy_vm *vm, const asy_value *args) {
  asy_value index = asy_index(vm, args[0]);
  return asy_is_bool(index) ? asy_from_small(index == ASY_TRUE) : index;
}

static asy_value op_not(asy_vm *vm, const asy_value *args) {
  int truth = asy_truth(vm, args[0]);
  return truth < 0 ? ASY_FAILED : asy_from_bool(!truth);
}

static asy_value op_is(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_bool(args[0] == args[1]);
}

static asy_value op_is_not(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_bool(args[0] != args[1]);
}

/* ---- Sequences and containers ---- */

static asy_value op_contains(asy_vm *vm, const asy_value *args) {
  return bool_or_failed(asy_contains(vm, args[0], args[1]));
}
static asy_value op_getitem(asy_vm *vm, const asy_value *args) { return asy_get_item(vm, args[0], args[1]); }
static asy_value op_setitem(asy_vm *vm, const asy_value *args) {
  return none_or_failed(asy_set_item(vm, args[0], args[1], args[2]));
}
static asy_value op_delitem(asy_vm *vm, const asy_value *args) {
  return none_or_failed(asy_del_item(vm, args[0], args[1]));
}

static bool check_sequence(asy_vm *vm, asy_value v) {
  asy_value found;
  asy_str *name = asy_intern(vm, "__getitem__");
  int there = name ? asy_find_attr(vm, v, name, &found) : -1;
  if (there == 0) asy_raise(vm, ASY_TypeError, "'%T' object can't be concatenated", v);
  return there > 0;
}

static asy_value op_concat(asy_vm *vm, const asy_value *args) {
  return check_sequence(vm, args[0]) ? asy_binary(vm, BINARY_ADD, args[0], args[1]) : ASY_FAILED;
}

static asy_value op_iconcat(asy_vm *vm, const asy_value *args) {
  return check_sequence(vm, args[0]) ? asy_inplace(vm, BINARY_ADD, args[0], args[1]) : ASY_FAILED;
}

/* Steps through args[0]: how often args[1] is in it, or, with `first`, the place of the first one (-1 absent). -2 failed. */
static int64_t search(asy_vm *vm, const asy_value *args, bool first) {
  asy_value iterator = asy_iter(vm, args[0]);
  int64_t found = 0;
  if (asy_failed(iterator) && asy_raised_is(vm, ASY_TypeError))
    asy_raise(vm, ASY_TypeError, "argument of type '%T' is not iterable", args[0]);
  if (asy_failed(iterator)) return -2;
  for (int64_t i = 0;; i++) {
    asy_value item = asy_next(vm, iterator);
    if (item == ASY_END) return first ? -1 : found;
    int equal = asy_failed(item) ? -1 : asy_equal(vm, item, args[1]);
    if (equal < 0) return -2;
    if (equal && first) return i;
    found += equal;
  }
}

static asy_value op_count_of(asy_vm *vm, const asy_value *args) {
  int64_t n = search(vm, args, false);
  return n < 0 ? ASY_FAILED : asy_from_small(n);
}

static asy_value op_index_of(asy_vm *vm, const asy_value *args) {
  int64_t place = search(vm, args, true);
  if (place == -1) return asy_raise(vm, ASY_ValueError, "sequence.index(x): x not in sequence");
  return place < 0 ? ASY_FAILED : asy_from_small(place);
}

static asy_value op_length_hint(asy_vm *vm, const asy_value *args) {
  int64_t otherwise;
  if (!asy_is_integer(args[1]))
    return asy_raise(vm, ASY_TypeError, "'%T' object cannot be interpreted as an integer", args[1]);
  if (!asy_to_int64(vm, args[1], &otherwise)) return ASY_FAILED;
  int64_t hint = asy_length_hint(vm, args[0], otherwise);
  return asy_raised(vm) ? ASY_FAILED : asy_from_int64(vm, hint);
}

static asy_value op_call(asy_vm *vm, const asy_value *args) {
  return asy_call_ex(vm, args[0], tuple_arg(args[1]), (asy_dict *)asy_obj_of(args[2]));
}

/* ---- Getters ---- */

typedef struct {
  asy_obj head;
  asy_tuple *items; /* itemgetter: the keys; attrgetter: a tuple of names each; methodcaller: the arguments */
  asy_value
    only;        /* itemgetter: the key when there is one; attrgetter: the name when it is one, without a dot; else 0 */
  asy_str *name; /* methodcaller: the method; else NULL */
  asy_dict *named; /* methodcaller: keyword arguments; else NULL */
} getter;

static getter *getter_of(asy_value v) { return (getter *)asy_obj_of(v); }

static void getter_visit(asy_obj *o, asy_visitor *v) {
  const getter *g = (const getter *)o;
  asy_visit_obj(v, g->items);
  asy_visit_value(v, g->only);
  asy_visit_obj(v, g->name);
  asy_visit_obj(v, g->named);
}

/* (cls, item, /, *items): all of them as one tuple. */
static asy_tuple *all_items(asy_vm *vm, const asy_value *args) {
  const asy_tuple *rest = tuple_arg(args[2]);
  asy_tuple *all = asy_tuple_new(vm, NULL, rest->len + 1);
  if (!all) return NULL;
  all->items[0] = args[1];
  for (uint32_t i = 0; i < rest->len; i++) all->items[i + 1] = rest->items[i];
  return all;
}

static asy_value getter_new(asy_vm *vm, asy_value cls, asy_tuple *items, asy_value only) {
  getter *g = items ? asy_new_instance(vm, (asy_class *)asy_obj_of(cls)) : NULL;
  if (!g) return ASY_FAILED;
  g->items = items;
  g->only = only;
  return asy_from_obj(g);
}

/* The one argument of a getter's call. */
static bool one_argument(asy_vm *vm, const char *name, int nargs, const asy_tuple *kwnames) {
  if (nargs == 1 && !(kwnames && kwnames->len)) return true;
  if (kwnames && kwnames->len) asy_raise(vm, ASY_TypeError, "%s() takes no keyword arguments", name);
  else asy_raise(vm, ASY_TypeError, "%s expected 1 argument, got %d", name, nargs);
  return false;
}

static asy_value items_new(asy_vm *vm, const asy_value *args) {
  return getter_new(vm, args[0], all_items(vm, args), tuple_arg(args[2])->len ? 0 : args[1]);
}

static asy_value items_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  const getter *g = getter_of(self);
  if (!one_argument(vm, "itemgetter", nargs, kwnames)) return ASY_FAILED;
  if (g->only) return asy_get_item(vm, args[0], g->only);
  asy_tuple *result = asy_tuple_new(vm, NULL, g->items->len);
  if (!result) return ASY_FAILED;
  for (uint32_t i = 0; i < g->items->len; i++) {
    asy_value item = asy_get_item(vm, args[0], g->items->items[i]);
    if (asy_failed(item)) return ASY_FAILED;
    asy_store(vm, result, &result->items[i], item);
  }
  return asy_from_obj(result);
}

/* "a.b.c" as a tuple of interned names. NULL failed. */
static asy_tuple *split_name(asy_vm *vm, asy_value v) {
  if (!asy_is_str(v)) return asy_raise(vm, ASY_TypeError, "attribute name must be a string"), NULL;
  asy_str *text = (asy_str *)asy_obj_of(v);
  asy_list *names = asy_list_new(vm, 1);
  for (uint32_t start = 0, i = 0; names && i <= text->len; i++) {
    if (i < text->len && asy_str_at(text, i) != '.') continue;
    asy_str *part = asy_str_slice(vm, text, start, i);
    part = part ? asy_str_intern(vm, part) : NULL;
    if (!part || !asy_list_append(vm, names, asy_from_obj(part))) return NULL;
    start = i + 1;
  }
  return names ? asy_list_to_tuple(vm, names) : NULL;
}

static asy_value attrs_new(asy_vm *vm, const asy_value *args) {
  asy_tuple *all = all_items(vm, args);
  for (uint32_t i = 0; all && i < all->len; i++) {
    asy_tuple *names = split_name(vm, all->items[i]);
    if (!names) return ASY_FAILED;
    asy_store(vm, all, &all->items[i], asy_from_obj(names));
  }
  if (!all) return ASY_FAILED;
  const asy_tuple *first = tuple_arg(all->items[0]);
  return getter_new(vm, args[0], all, all->len == 1 && first->len == 1 ? first->items[0] : 0);
}

static asy_value attribute_at(asy_vm *vm, asy_value v, const asy_tuple *names) {
  for (uint32_t i = 0; i < names->len && !asy_failed(v); i++)
    v = asy_get_attr(vm, v, (asy_str *)asy_obj_of(names->items[i]));
  return v;
}

static asy_value attrs_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  const getter *g = getter_of(self);
  if (!one_argument(vm, "attrgetter", nargs, kwnames)) return ASY_FAILED;
  if (g->only) return asy_get_attr(vm, args[0], (asy_str *)asy_obj_of(g->only));
  if (g->items->len == 1) return attribute_at(vm, args[0], tuple_arg(g->items->items[0]));
  asy_tuple *result = asy_tuple_new(vm, NULL, g->items->len);
  if (!result) return ASY_FAILED;
  for (uint32_t i = 0; i < g->items->len; i++) {
    asy_value item = attribute_at(vm, args[0], tuple_arg(g->items->items[i]));
    if (asy_failed(item)) return ASY_FAILED;
    asy_store(vm, result, &result->items[i], item);
  }
  return asy_from_obj(result);
}

static asy_value caller_new(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "method name must be a string");
  asy_str *name = asy_str_intern(vm, (asy_str *)asy_obj_of(args[1]));
  asy_value made = name ? getter_new(vm, args[0], tuple_arg(args[2]), 0) : ASY_FAILED;
  if (asy_failed(made)) return ASY_FAILED;
  getter_of(made)->name = name;
  getter_of(made)->named = (asy_dict *)asy_obj_of(args[3]);
  asy_barrier(vm, getter_of(made));
  return made;
}

static asy_value caller_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  const getter *g = getter_of(self);
  if (!one_argument(vm, "methodcaller", nargs, kwnames)) return ASY_FAILED;
  if (!g->named->used) return asy_call_method(vm, args[0], g->name, (int)g->items->len, g->items->items);
  asy_value method = asy_get_attr(vm, args[0], g->name);
  return asy_failed(method) ? ASY_FAILED : asy_call_ex(vm, method, g->items, g->named);
}

/* ---- Their text and their pickled form ---- */

/* The arguments a getter was made with, for its type: attrgetter's names dotted again. */
static asy_tuple *made_with(asy_vm *vm, const getter *g, bool names) {
  if (!names) return g->items;
  asy_str *dot = asy_str_from_cstr(vm, ".");
  asy_tuple *all = dot ? asy_tuple_new(vm, NULL, g->items->len) : NULL;
  for (uint32_t i = 0; all && i < g->items->len; i++) {
    const asy_tuple *parts = tuple_arg(g->items->items[i]);
    asy_str *text = asy_str_join(vm, dot, parts->items, parts->len);
    if (!text) return NULL;
    asy_store(vm, all, &all->items[i], asy_from_obj(text));
  }
  return all;
}

static asy_value getter_repr(asy_vm *vm, asy_value self, bool names) {
  const getter *g = getter_of(self);
  asy_tuple *all = made_with(vm, g, names);
  if (!all || !asy_check_c_stack(vm)) return ASY_FAILED;
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_ascii(&t, "operator.");
  asy_text_str(&t, asy_type_of(vm, self)->name);
  asy_text_char(&t, '(');
  if (g->name) asy_text_repr_of(&t, asy_from_obj(g->name));
  for (uint32_t i = 0; i < all->len; i++) {
    if (i || g->name) asy_text_ascii(&t, ", ");
    asy_text_repr_of(&t, all->items[i]);
  }
  uint32_t position = 0;
  asy_value key, value;
  while (g->named && asy_dict_next(g->named, &position, &key, &value)) {
    asy_text_ascii(&t, ", ");
    asy_text_str(&t, (asy_str *)asy_obj_of(key));
    asy_text_char(&t, '=');
    asy_text_repr_of(&t, value);
  }
  asy_text_char(&t, ')');
  asy_str *text = asy_text_finish(&t);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value plain_repr(asy_vm *vm, asy_value self) { return getter_repr(vm, self, false); }
static asy_value attrs_repr(asy_vm *vm, asy_value self) { return getter_repr(vm, self, true); }

static asy_value items_reduce(asy_vm *vm, const asy_value *args) {
  return asy_tuple_of(vm, 2, asy_from_obj(asy_type_of(vm, args[0])), asy_from_obj(getter_of(args[0])->items));
}

static asy_value attrs_reduce(asy_vm *vm, const asy_value *args) {
  asy_tuple *names = made_with(vm, getter_of(args[0]), true);
  return names ? asy_tuple_of(vm, 2, asy_from_obj(asy_type_of(vm, args[0])), asy_from_obj(names)) : ASY_FAILED;
}

/* With keywords: partial(methodcaller, name, **keywords) called with the arguments. */
static asy_value caller_reduce(asy_vm *vm, const asy_value *args) {
  getter *g = getter_of(args[0]);
  asy_value cls = asy_from_obj(asy_type_of(vm, args[0]));
  asy_list *all = asy_list_new(vm, 0);
  if (!all || !asy_list_append(vm, all, asy_from_obj(g->name))) return ASY_FAILED;
  for (uint32_t i = 0; i < g->items->len; i++)
    if (!asy_list_append(vm, all, g->items->items[i])) return ASY_FAILED;
  if (!g->named->used) {
    asy_tuple *items = asy_list_to_tuple(vm, all);
    return items ? asy_tuple_of(vm, 2, cls, asy_from_obj(items)) : ASY_FAILED;
  }
  asy_value functools = asy_import(vm, "functools");
  asy_value partial = asy_failed(functools) ? ASY_FAILED : asy_get_attr_cstr(vm, functools, "partial");
  asy_tuple *first = asy_tuple_pair(vm, cls, asy_from_obj(g->name));
  if (asy_failed(partial) || !first) return ASY_FAILED;
  asy_value maker = asy_call_ex(vm, partial, first, g->named);
  return asy_failed(maker) ? ASY_FAILED : asy_tuple_of(vm, 2, maker, asy_from_obj(g->items));
}

#define GETTER(variable, its_name, its_doc, make, signature, its_call, its_repr, its_reduce)                           \
  static const asy_native variable##_methods[] = {                                                                     \
    {"__reduce__", SIG("(self, /)"), its_reduce, DOC("Return state information for pickling."), 0},                    \
    {0},                                                                                                               \
  };                                                                                                                   \
  static const asy_type variable = {                                                                                   \
    .name = "operator." its_name,                                                                                      \
    .doc = its_doc,                                                                                                    \
    .size = sizeof(getter),                                                                                            \
    .flags = ASY_TYPE_FINAL,                                                                                           \
    .visit = getter_visit,                                                                                             \
    .new_ = make,                                                                                                      \
    .new_signature = signature,                                                                                        \
    .repr = its_repr,                                                                                                  \
    .special = &(const asy_special){.call = its_call},                                                                 \
    .methods = variable##_methods,                                                                                     \
  }
GETTER(itemgetter_type, "itemgetter", "Return a callable object that fetches the given item(s) from its operand.",
       items_new, SIG("(cls, item, /, *items)"), items_call, plain_repr, items_reduce);
GETTER(attrgetter_type, "attrgetter", "Return a callable object that fetches the given attribute(s) from its operand.",
       attrs_new, SIG("(cls, attr, /, *attrs)"), attrs_call, attrs_repr, attrs_reduce);
GETTER(methodcaller_type, "methodcaller", "Return a callable object that calls the given method on its operand.",
       caller_new, SIG("(cls, name, /, *args, **kwargs)"), caller_call, plain_repr, caller_reduce);
#undef GETTER

/* ---- The module ---- */

static const asy_native natives[] = {
#define X(name, op, doc) {#name, SIG("(a, b, /)"), op_##name, doc, 0},
  COMPARE_FUNCTIONS(X)
#undef X
#define X(name, op, doc) {#name, SIG("(a, /)"), op_##name, doc, 0},
    UNARY_FUNCTIONS(X)
#undef X
#define X(name, op, doc, in_place)                                                                                     \
  {BINARY_##op == BINARY_AND || BINARY_##op == BINARY_OR ? #name "_" : #name, SIG("(a, b, /)"), op_##name, doc, 0},    \
    {"i" #name, SIG("(a, b, /)"), op_i##name, in_place, 0},
      BINARY_FUNCTIONS(X)
#undef X
        {"abs", SIG("(a, /)"), op_abs, DOC("Same as abs(a)."), 0},
  {"call", SIG("(obj, /, *args, **kwargs)"), op_call, DOC("Same as obj(*args, **kwargs)."), 0},
  {"concat", SIG("(a, b, /)"), op_concat, DOC("Same as a + b, for a and b sequences."), 0},
  {"contains", SIG("(a, b, /)"), op_contains, DOC("Same as b in a (note reversed operands)."), 0},
  {"countOf", SIG("(a, b, /)"), op_count_of, DOC("Return the number of items in a which are, or which equal, b."), 0},
  {"delitem", SIG("(a, b, /)"), op_delitem, DOC("Same as del a[b]."), 0},
  {"getitem", SIG("(a, b, /)"), op_getitem, DOC("Same as a[b]."), 0},
  {"iconcat", SIG("(a, b, /)"), op_iconcat, DOC("Same as a += b, for a and b sequences."), 0},
  {"index", SIG("(a, /)"), op_index, DOC("Same as a.__index__()"), 0},
  {"indexOf", SIG("(a, b, /)"), op_index_of, DOC("Return the first index of b in a."), 0},
  {"inv", SIG("(a, /)"), op_invert, DOC("Same as ~a."), 0},
  {"is_", SIG("(a, b, /)"), op_is, DOC("Same as a is b."), 0},
  {"is_not", SIG("(a, b, /)"), op_is_not, DOC("Same as a is not b."), 0},
  {"length_hint", SIG("(obj, default=0, /)"), op_length_hint, DOC("Return an estimate of the number of items in obj."),
   0},
  {"not_", SIG("(a, /)"), op_not, DOC("Same as not a."), 0},
  {"setitem", SIG("(a, b, c, /)"), op_setitem, DOC("Same as a[b] = c."), 0},
  {"truth", SIG("(a, /)"), op_truth, DOC("Return True if a is true, False otherwise."), 0},
  {0},
};

/* Operators have a second name, that of the method they call. */
static bool has_method_name(const char *name) {
  static const char *const without[] = {"countOf", "indexOf", "is_", "is_not", "length_hint", "truth"};
  for (unsigned i = 0; i < sizeof without / sizeof *without; i++)
    if (!strcmp(name, without[i])) return false;
  return true;
}

static bool init(asy_vm *vm, asy_value module) {
  static const asy_type *const types[] = {&itemgetter_type, &attrgetter_type, &methodcaller_type};
  asy_list *all = asy_list_new(vm, 0);
  for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
    asy_class *cls = asy_define_type(vm, types[i]);
    if (!cls || !all || !asy_module_set(vm, module, types[i]->name + strlen("operator."), asy_from_obj(cls)) ||
        !asy_list_append(vm, all, asy_from_obj(cls->name)))
      return false;
  }
  for (const asy_native *row = natives; row->name; row++) {
    asy_str *name = asy_intern(vm, row->name);
    asy_value fn = name ? asy_get_attr(vm, module, name) : ASY_FAILED;
    if (asy_failed(fn) || !asy_list_append(vm, all, asy_from_obj(name))) return false;
    if (!has_method_name(row->name)) continue;
    size_t length = strlen(row->name);
    if (row->name[length - 1] == '_') length--;
    asy_str *plain = asy_str_new_utf8(vm, row->name, length),
            *method = plain ? asy_str_format(vm, "__%U__", plain) : NULL;
    method = method ? asy_str_intern(vm, method) : NULL;
    if (!method || !asy_set_attr(vm, module, method, fn)) return false;
  }
  return asy_list_sort(vm, all, ASY_NONE, false) && asy_module_set(vm, module, "__all__", asy_from_obj(all));
}

static const char doc[] = "Operator interface: functions that correspond to the operators of the language.";
const asy_module_def asy_module_operator = {"operator", natives, doc, init};
const asy_module_def asy_module_operator_natives = {"_operator", natives, doc, init};
