/* mapping_proxy.c - types.MappingProxyType: a read-only view of a mapping. A class's __dict__ is one.
 */
#include "runtime/types/iter.h"
#include "runtime/types/sequence.h"
#include "runtime/vm.h"

typedef struct {
  asy_obj head;
  asy_value mapping;
} proxy;

static inline asy_value mapping_of(asy_value self) { return ((proxy *)asy_obj_of(self))->mapping; }

asy_value asy_mapping_proxy_new(asy_vm *vm, asy_value mapping) {
  proxy *p = asy_new_kind(vm, KIND_MAPPING_PROXY, sizeof *p);
  if (!p) return ASY_FAILED;
  p->mapping = mapping;
  return asy_from_obj(p);
}

static asy_value proxy_new(asy_vm *vm, const asy_value *args) {
  asy_value mapping = args[1], fn, self;
  bool sequence = asy_is_kind(mapping, KIND_LIST) || asy_is_kind(mapping, KIND_TUPLE);
  int has = sequence ? 0 : asy_find_special(vm, mapping, ASY_NAME(vm, __getitem__), &fn, &self);
  if (has < 0) return ASY_FAILED;
  if (!has) return asy_raise(vm, ASY_TypeError, "mappingproxy() argument must be a mapping, not %T", mapping);
  return asy_mapping_proxy_new(vm, mapping);
}

static void proxy_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((proxy *)o)->mapping); }

static asy_value proxy_repr(asy_vm *vm, asy_value self) {
  asy_text text;
  asy_text_init(&text, vm);
  asy_text_ascii(&text, "mappingproxy(");
  asy_text_repr_of(&text, mapping_of(self));
  asy_text_char(&text, ')');
  return asy_object_or_failed(asy_text_finish(&text));
}

static asy_value proxy_str(asy_vm *vm, asy_value self) { return asy_str_of(vm, mapping_of(self)); }
static bool proxy_hash(asy_vm *vm, asy_value self, int64_t *out) { return asy_hash(vm, mapping_of(self), out); }

/* A proxy of proxies may be nested to any depth. */
static int64_t proxy_length(asy_vm *vm, asy_value self) {
  return asy_check_c_stack(vm) ? asy_length(vm, mapping_of(self)) : -1;
}
static asy_value proxy_get_item(asy_vm *vm, asy_value self, asy_value key) {
  return asy_check_c_stack(vm) ? asy_get_item(vm, mapping_of(self), key) : ASY_FAILED;
}
static int proxy_contains(asy_vm *vm, asy_value self, asy_value item) {
  return asy_check_c_stack(vm) ? asy_contains(vm, mapping_of(self), item) : -1;
}
static asy_value proxy_iter(asy_vm *vm, asy_value self) {
  return asy_check_c_stack(vm) ? asy_iter(vm, mapping_of(self)) : ASY_FAILED;
}

static asy_value proxy_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  return asy_compare(vm, mapping_of(self), other, op);
}

static asy_value proxy_or(asy_vm *vm, asy_value left, asy_value right) {
  while (asy_is_kind(left, KIND_MAPPING_PROXY)) left = mapping_of(left);
  while (asy_is_kind(right, KIND_MAPPING_PROXY)) right = mapping_of(right);
  return asy_binary(vm, BINARY_OR, left, right);
}

static asy_value proxy_ior(asy_vm *vm, asy_value self, asy_value right) {
  (void)self;
  (void)right;
  return asy_raise(vm, ASY_TypeError, "'|=' is not supported by mappingproxy; use '|' instead");
}

static asy_value proxy_get(asy_vm *vm, const asy_value *args) {
  return asy_call_method(vm, mapping_of(args[0]), ASY_NAME(vm, get), 2, args + 1);
}

static asy_value proxy_keys(asy_vm *vm, const asy_value *args) {
  return asy_call_method(vm, mapping_of(args[0]), ASY_NAME(vm, keys), 0, NULL);
}

static asy_value proxy_values(asy_vm *vm, const asy_value *args) {
  return asy_call_method(vm, mapping_of(args[0]), ASY_NAME(vm, values), 0, NULL);
}

static asy_value proxy_items(asy_vm *vm, const asy_value *args) {
  return asy_call_method(vm, mapping_of(args[0]), ASY_NAME(vm, items), 0, NULL);
}

static asy_value proxy_copy(asy_vm *vm, const asy_value *args) {
  return asy_call_method(vm, mapping_of(args[0]), ASY_NAME(vm, copy), 0, NULL);
}

static asy_value proxy_reversed(asy_vm *vm, const asy_value *args) {
  return asy_call_method(vm, mapping_of(args[0]), ASY_NAME(vm, __reversed__), 0, NULL);
}

static const asy_native proxy_methods[] = {
  {"get", SIG("(self, key, default=None, /)"), proxy_get,
   DOC("Return the value for key if key is in the mapping, else default."), 0},
  {"keys", SIG("(self, /)"), proxy_keys, DOC("a set-like object providing a view on D's keys"), 0},
  {"values", SIG("(self, /)"), proxy_values, DOC("an object providing a view on D's values"), 0},
  {"items", SIG("(self, /)"), proxy_items, DOC("a set-like object providing a view on D's items"), 0},
  {"copy", SIG("(self, /)"), proxy_copy, DOC("a shallow copy of D"), 0},
  {"__reversed__", SIG("(self, /)"), proxy_reversed, DOC("Return a reverse iterator over the mapping."), 0},
  {0},
};

const asy_type asy_mapping_proxy_type = {
  .name = "mappingproxy",
  .doc = "Read-only proxy of a mapping.",
  .size = sizeof(proxy),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_MAPPING,
  .visit = proxy_visit,
  .new_ = proxy_new,
  .new_signature = SIG("(cls, mapping)"),
  .repr = proxy_repr,
  .str = proxy_str,
  .hash = proxy_hash,
  .compare = proxy_compare,
  .length = proxy_length,
  .special = &(const asy_special){.get_item = proxy_get_item, .contains = proxy_contains},
  .iter = proxy_iter,
  .operators = &(const asy_operators){.binary = {[BINARY_OR] = proxy_or}, .inplace = {[BINARY_OR] = proxy_ior}},
  .methods = proxy_methods,
};
