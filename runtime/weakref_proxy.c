/* weakref_proxy.c - weakref.proxy: an object that does what its referent does, as long as that lives.
 * A proxy owns a weak reference object, so the collector knows one kind of weak object only; that one knows the proxy, which is what
 * its callback is given.
 */
#include "runtime/class.h"
#include "runtime/weakref.h"

typedef struct {
  asy_obj head;
  asy_weakref *ref;
} proxy;

/* The referent, or ASY_FAILED: ReferenceError. */
static asy_value target(asy_vm *vm, asy_value self) {
  const asy_obj *o = ((const proxy *)asy_obj_of(self))->ref->referent;
  return o ? asy_from_obj(o) : asy_raise(vm, ASY_ReferenceError, "weakly-referenced object no longer exists");
}

static bool is_proxy(asy_vm *vm, asy_value v) {
  const asy_class *cls = asy_is_obj(v) ? asy_type_of(vm, v) : NULL;
  return cls && (cls->type == &asy_proxy_type || cls->type == &asy_callable_proxy_type);
}

/* v's referent if it is a proxy, else v: true; false with the exception set. */
static bool unwrap(asy_vm *vm, asy_value *v) {
  if (is_proxy(vm, *v)) *v = target(vm, *v);
  return !asy_failed(*v);
}

static void proxy_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((const proxy *)o)->ref); }

asy_value asy_proxy_new(asy_vm *vm, const asy_value *args) {
  bool sharing = args[1] == ASY_NONE && asy_is_obj(args[0]);
  const asy_weakref *shared = sharing ? asy_weak_shared(vm, asy_obj_of(args[0]), WEAK_PROXY) : NULL;
  if (shared) return asy_from_obj(shared->proxy);
  asy_weakref *ref = asy_weakref_new(vm, vm->classes[KIND_WEAKREF], args[0], args[1]);
  if (!ref) return ASY_FAILED;
  bool callable = asy_callable(vm, args[0]);
  proxy *p = asy_new_object(vm, callable ? &asy_callable_proxy_type : &asy_proxy_type);
  if (!p) return ASY_FAILED;
  p->ref = ref;
  ref->proxy = &p->head;
  asy_barrier(vm, ref);
  if (sharing) asy_weak_share(vm, asy_obj_of(args[0]), WEAK_PROXY, ref);
  return asy_from_obj(p);
}

static asy_value proxy_repr(asy_vm *vm, asy_value self) {
  const asy_obj *o = ((const proxy *)asy_obj_of(self))->ref->referent;
  asy_value v = o ? asy_from_obj(o) : ASY_NONE;
  asy_str *s = asy_str_format(vm, "<weakproxy at %p to %T at %p>", (void *)asy_obj_of(self), v, (void *)(uintptr_t)v);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value proxy_str(asy_vm *vm, asy_value self) { return unwrap(vm, &self) ? asy_str_of(vm, self) : ASY_FAILED; }
static int proxy_truth(asy_vm *vm, asy_value self) { return unwrap(vm, &self) ? asy_truth(vm, self) : -1; }
static int64_t proxy_length(asy_vm *vm, asy_value self) { return unwrap(vm, &self) ? asy_length(vm, self) : -1; }
static asy_value proxy_index(asy_vm *vm, asy_value self) {
  return unwrap(vm, &self) ? asy_index(vm, self) : ASY_FAILED;
}
static asy_value proxy_iter(asy_vm *vm, asy_value self) { return unwrap(vm, &self) ? asy_iter(vm, self) : ASY_FAILED; }

static asy_value proxy_next(asy_vm *vm, asy_value self) {
  if (!unwrap(vm, &self)) return ASY_FAILED;
  asy_value found, iterator;
  int there = asy_find_special(vm, self, ASY_NAME(vm, __next__), &found, &iterator);
  if (there > 0) return asy_next(vm, self);
  return there < 0 ? ASY_FAILED
                   : asy_raise(vm, ASY_TypeError, "Weakref proxy referenced a non-iterator '%T' object", self);
}

static asy_value proxy_get_item(asy_vm *vm, asy_value self, asy_value key) {
  return unwrap(vm, &self) && unwrap(vm, &key) ? asy_get_item(vm, self, key) : ASY_FAILED;
}

static bool proxy_set_item(asy_vm *vm, asy_value self, asy_value key, asy_value value) {
  if (!unwrap(vm, &self)) return false;
  return value == ASY_UNBOUND ? asy_del_item(vm, self, key) : asy_set_item(vm, self, key, value);
}

static int proxy_contains(asy_vm *vm, asy_value self, asy_value item) {
  return unwrap(vm, &self) ? asy_contains(vm, self, item) : -1;
}

static asy_value proxy_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  return unwrap(vm, &self) && unwrap(vm, &other) ? asy_compare(vm, self, other, op) : ASY_FAILED;
}

static asy_value proxy_get_attr(asy_vm *vm, asy_value self, asy_str *name) {
  return unwrap(vm, &self) ? asy_get_attr(vm, self, name) : ASY_FAILED;
}

static bool proxy_set_attr(asy_vm *vm, asy_value self, asy_str *name, asy_value value) {
  if (!unwrap(vm, &self)) return false;
  return value == ASY_UNBOUND ? asy_del_attr(vm, self, name) : asy_set_attr(vm, self, name, value);
}

static asy_value proxy_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  return unwrap(vm, &self) ? asy_call_kw(vm, self, nargs, args, kwnames) : ASY_FAILED;
}

#define X(name, ...)                                                                                                   \
  static asy_value binary_##name(asy_vm *vm, asy_value a, asy_value b) {                                               \
    return unwrap(vm, &a) && unwrap(vm, &b) ? asy_binary(vm, BINARY_##name, a, b) : ASY_FAILED;                        \
  }                                                                                                                    \
  static asy_value inplace_##name(asy_vm *vm, asy_value a, asy_value b) {                                              \
    return unwrap(vm, &a) && unwrap(vm, &b) ? asy_inplace(vm, BINARY_##name, a, b) : ASY_FAILED;                       \
  }
ASY_BINARY_OPS(X)
#undef X

static asy_value negated(asy_vm *vm, asy_value self) {
  return unwrap(vm, &self) ? asy_unary(vm, UNARY_NEG, self) : ASY_FAILED;
}
static asy_value plus(asy_vm *vm, asy_value self) {
  return unwrap(vm, &self) ? asy_unary(vm, UNARY_POS, self) : ASY_FAILED;
}
static asy_value inverted(asy_vm *vm, asy_value self) {
  return unwrap(vm, &self) ? asy_unary(vm, UNARY_INVERT, self) : ASY_FAILED;
}

static asy_value forward(asy_vm *vm, asy_value self, asy_str *name) {
  return name && unwrap(vm, &self) ? asy_call_method(vm, self, name, 0, NULL) : ASY_FAILED;
}

/* Conversions and the like are the referent's: name, parameters. */
#define FORWARDED(X) X(__bytes__) X(__reversed__) X(__abs__) X(__int__) X(__float__)
#define X(name)                                                                                                        \
  static asy_value proxy##name(asy_vm *vm, const asy_value *args) {                                                    \
    return forward(vm, args[0], asy_intern(vm, #name));                                                                \
  }
FORWARDED(X)
#undef X

static asy_value proxy_divmod(asy_vm *vm, const asy_value *args) {
  asy_value self = args[0], other = args[1];
  asy_str *name = asy_intern(vm, "__divmod__");
  return name && unwrap(vm, &self) && unwrap(vm, &other) ? asy_call_method(vm, self, name, 1, &other) : ASY_FAILED;
}

static const asy_native methods[] = {
#define X(name) {#name, SIG("(self, /)"), proxy##name, 0, 0},
  FORWARDED(X)
#undef X
    {"__divmod__", SIG("(self, value, /)"), proxy_divmod, 0, 0},
  {0},
};

#define B(name, ...) [BINARY_##name] = binary_##name,
#define I(name, ...) [BINARY_##name] = inplace_##name,
#define PROXY_SLOTS(...)                                                                                               \
  .size = sizeof(proxy), .visit = proxy_visit, .repr = proxy_repr, .str = proxy_str, .compare = proxy_compare,         \
  .length = proxy_length, .iter = proxy_iter, .next = proxy_next,                                                      \
  .special = &(const asy_special){.truth = proxy_truth,                                                                \
                                  .get_item = proxy_get_item,                                                          \
                                  .set_item = proxy_set_item,                                                          \
                                  .contains = proxy_contains,                                                          \
                                  .get_attr = proxy_get_attr,                                                          \
                                  .set_attr = proxy_set_attr,                                                          \
                                  .index = proxy_index,                                                                \
                                  __VA_ARGS__},                                                                        \
  .operators = &(                                                                                                      \
    const asy_operators){.binary = {ASY_BINARY_OPS(B)},                                                                \
                         .inplace = {ASY_BINARY_OPS(I)},                                                               \
                         .unary = {[UNARY_NEG] = negated, [UNARY_POS] = plus, [UNARY_INVERT] = inverted}},             \
  .methods = methods, .flags = ASY_TYPE_NO_NEW | ASY_TYPE_FINAL | ASY_TYPE_UNHASHABLE
const asy_type asy_proxy_type = {.name = "weakref.ProxyType", PROXY_SLOTS()};
const asy_type asy_callable_proxy_type = {.name = "weakref.CallableProxyType", PROXY_SLOTS(.call = proxy_call)};
#undef PROXY_SLOTS
#undef I
#undef B
