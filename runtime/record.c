/* record.c - tuples with named items (sys.version_info, time.struct_time) and plain attribute objects (sys.implementation). */
#include "runtime/class.h"
#include "runtime/descriptors.h"

/* ---- Records ---- */

static asy_value record_repr(asy_vm *vm, const asy_value *args) {
  asy_class *cls = asy_class_of(vm, args[0]);
  const asy_tuple *record = (const asy_tuple *)asy_obj_of(args[0]);
  asy_value names = asy_class_get(vm, cls, ASY_NAME(vm, __match_args__));
  if (asy_failed(names)) return ASY_FAILED;
  asy_text t;
  asy_text_init(&t, vm);
  asy_value module = asy_class_get(vm, cls, ASY_NAME(vm, __module__));
  if (asy_is_str(module)) {
    asy_text_str(&t, (asy_str *)asy_obj_of(module));
    asy_text_char(&t, '.');
  }
  asy_text_str(&t, cls->name);
  asy_text_char(&t, '(');
  const asy_tuple *fields = (const asy_tuple *)asy_obj_of(names);
  for (uint32_t i = 0; i < fields->len && i < record->len; i++) {
    if (i) asy_text_ascii(&t, ", ");
    asy_text_str(&t, (asy_str *)asy_obj_of(fields->items[i]));
    asy_text_char(&t, '=');
    asy_text_repr_of(&t, record->items[i]);
  }
  asy_text_char(&t, ')');
  asy_str *text = asy_text_finish(&t);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value record_new_from(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  asy_value names = asy_class_get(vm, cls, ASY_NAME(vm, __match_args__));
  asy_list *items = asy_list_new(vm, 0);
  if (asy_failed(names) || !items || !asy_list_extend(vm, items, args[1])) return ASY_FAILED;
  uint32_t expected = ((const asy_tuple *)asy_obj_of(names))->len;
  if (items->len != expected)
    return asy_raise(vm, ASY_TypeError, "%N() takes a %u-sequence (%u-sequence given)", cls, expected, items->len);
  return asy_record_new(vm, cls, items->items);
}

static const asy_native record_natives[] = {
  {"__repr__", "(self, /)", record_repr, NULL, 0},
  {"__new__", "(cls, sequence, dict=None, /)", record_new_from, NULL, ASY_NATIVE_STATIC},
};
enum { RECORD_REPR, RECORD_NEW };

static bool set(asy_vm *vm, asy_dict *dict, const char *name, asy_value value) {
  asy_str *key = asy_intern(vm, name);
  return key && !asy_failed(value) && asy_dict_set_str(vm, dict, key, value);
}

asy_class *asy_define_record(asy_vm *vm, const char *name, const asy_member *fields) {
  uint32_t n = 0;
  while (fields[n].name) n++;
  asy_dict *ns = asy_dict_new(vm, n + 8);
  asy_tuple *names = asy_tuple_new(vm, NULL, n);
  asy_value base = asy_from_obj(vm->classes[KIND_TUPLE]);
  asy_tuple *bases = asy_tuple_new(vm, &base, 1);
  if (!ns || !names || !bases) return NULL;
  for (uint32_t i = 0; i < n; i++) {
    asy_str *field = asy_intern(vm, fields[i].name);
    if (!field) return NULL;
    names->items[i] = asy_from_obj(field);
    asy_barrier(vm, names);
  }
  const char *dot = strrchr(name, '.');
  asy_value module = asy_from_text(vm, name, dot ? (size_t)(dot - name) : 0);
  asy_str *own_name = asy_intern(vm, dot ? dot + 1 : name);
  asy_value repr = asy_new_native(vm, &record_natives[RECORD_REPR], ASY_UNBOUND, module);
  if (!own_name || asy_failed(repr)) return NULL;
  if (!set(vm, ns, "__module__", module) || !set(vm, ns, "__slots__", asy_from_obj(vm->empty_tuple)) ||
      !set(vm, ns, "__match_args__", asy_from_obj(names)) || !set(vm, ns, "n_fields", asy_from_small(n)) ||
      !set(vm, ns, "n_sequence_fields", asy_from_small(n)) || !set(vm, ns, "n_unnamed_fields", asy_from_small(0)))
    return NULL;
  asy_value made = asy_class_new(vm, vm->classes[KIND_TYPE], own_name, bases, ns, NULL);
  if (asy_failed(made)) return NULL;
  asy_class *cls = (asy_class *)asy_obj_of(made);
  ((asy_nativefunc *)asy_obj_of(repr))->owner = cls; /* natives with an owner bind as methods */
  asy_barrier(vm, asy_obj_of(repr));
  if (!asy_class_set(vm, cls, ASY_NAME(vm, __repr__), repr)) return NULL;
  asy_value construct = asy_new_native(vm, &record_natives[RECORD_NEW], ASY_UNBOUND, module);
  asy_value wrapped = asy_failed(construct) ? ASY_FAILED : asy_wrap_method(vm, KIND_STATICMETHOD, construct);
  if (asy_failed(wrapped) || !asy_class_set(vm, cls, ASY_NAME(vm, __new__), wrapped)) return NULL;
  for (uint32_t i = 0; i < n; i++) {
    asy_value member = asy_member_for_field(vm, cls, &fields[i]);
    if (asy_failed(member) || !asy_class_set(vm, cls, asy_intern(vm, fields[i].name), member)) return NULL;
  }
  return cls;
}

asy_value asy_record_new(asy_vm *vm, asy_class *cls, const asy_value *items) {
  asy_value names = asy_class_get(vm, cls, ASY_NAME(vm, __match_args__));
  if (asy_failed(names)) return ASY_FAILED;
  uint32_t n = ((const asy_tuple *)asy_obj_of(names))->len;
  for (uint32_t i = 0; i < n; i++)
    if (asy_failed(items[i])) return ASY_FAILED;
  asy_tuple *record = asy_alloc(vm, cls->root->id, KIND_TUPLE, sizeof *record + (n + 1) * sizeof(asy_value));
  if (!record) return ASY_FAILED;
  record->len = n;
  memcpy(record->items, items, n * sizeof *items);
  return asy_from_obj(record);
}

/* ---- Namespaces ---- */

typedef struct {
  asy_obj head;
} namespace; /* nothing but attributes */
extern const asy_type asy_namespace_type;

asy_value asy_namespace_new(asy_vm *vm) {
  asy_class *cls = asy_define_type(vm, &asy_namespace_type);
  void *made = cls ? asy_new_instance(vm, cls) : NULL;
  return made ? asy_from_obj(made) : ASY_FAILED;
}

static asy_value namespace_new(asy_vm *vm, const asy_value *args) {
  void *made = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  return made ? asy_from_obj(made) : ASY_FAILED;
}

static asy_value namespace_init(asy_vm *vm, const asy_value *args) {
  asy_dict *all = asy_dict_new(vm, 0);
  if (!all || (args[1] != ASY_UNBOUND && !asy_dict_update(vm, all, args[1])) || !asy_dict_update(vm, all, args[2]))
    return ASY_FAILED;
  uint32_t position = 0;
  asy_value key, value;
  while (asy_dict_next(all, &position, &key, &value)) {
    if (!asy_is_str(key)) return asy_raise(vm, ASY_TypeError, "keywords must be strings");
    asy_str *name = asy_str_intern(vm, (asy_str *)asy_obj_of(key));
    if (!name || !asy_set_attr(vm, args[0], name, value)) return ASY_FAILED;
  }
  return ASY_NONE;
}

static asy_dict *attributes(asy_vm *vm, asy_value v) {
  asy_value dict = asy_get_attr(vm, v, ASY_NAME(vm, __dict__));
  return asy_failed(dict) ? NULL : (asy_dict *)asy_obj_of(dict);
}

static asy_value namespace_repr(asy_vm *vm, asy_value self) {
  asy_dict *dict = attributes(vm, self);
  if (!dict || !asy_check_c_stack(vm)) return ASY_FAILED;
  asy_class *cls = asy_class_of(vm, self);
  asy_text t;
  asy_text_init(&t, vm);
  if (cls->flags & ASY_CLASS_BUILTIN) asy_text_ascii(&t, "namespace");
  else asy_text_str(&t, cls->name);
  asy_text_char(&t, '(');
  uint32_t position = 0;
  asy_value key, value;
  for (bool first = true; asy_dict_next(dict, &position, &key, &value); first = false) {
    if (!first) asy_text_ascii(&t, ", ");
    asy_text_str(&t, (asy_str *)asy_obj_of(key));
    asy_text_char(&t, '=');
    if (value == self) asy_text_ascii(&t, "namespace(...)");
    else asy_text_repr_of(&t, value);
  }
  asy_text_char(&t, ')');
  asy_str *text = asy_text_finish(&t);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value namespace_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if ((op != COMPARE_EQ && op != COMPARE_NE) || !asy_is_obj(other) || asy_obj_of(other)->kind != asy_obj_of(self)->kind)
    return ASY_NOT_IMPLEMENTED;
  asy_dict *a = attributes(vm, self), *b = a ? attributes(vm, other) : NULL;
  return b ? asy_compare(vm, asy_from_obj(a), asy_from_obj(b), op) : ASY_FAILED;
}

const asy_type asy_namespace_type = {
  .name = "types.SimpleNamespace",
  .doc = "A simple attribute-based namespace.",
  .size = sizeof(namespace),
  .flags = ASY_TYPE_ATTRS | ASY_TYPE_UNHASHABLE,
  .new_ = namespace_new,
  .new_signature = "(cls, *args, **kwargs)",
  .init = namespace_init,
  .init_signature = "(self, mapping_or_iterable=?, /, **kwargs)",
  .repr = namespace_repr,
  .compare = namespace_compare,
};
