/* record.c - tuples with named items (sys.version_info, time.struct_time) and plain attribute objects (sys.implementation). */
#include <stdlib.h>

#include "runtime/class.h"
#include "runtime/descriptors.h"

/* ---- Records ---- */

static const asy_record_class *find_by_fields(asy_vm *vm, const asy_member *fields) {
  const asy_class_state *state = vm->class_state;
  for (uint32_t i = 0; i < state->nrecords; i++)
    if (state->records[i].fields == fields) return &state->records[i];
  return NULL;
}

/* What cls was made from; NULL: it is no class of records, TypeError is set. */
static const asy_record_class *find_by_class(asy_vm *vm, const asy_class *cls) {
  const asy_class_state *state = vm->class_state;
  for (uint32_t i = 0; i < state->nrecords; i++)
    if (state->records[i].cls == cls) return &state->records[i];
  asy_raise(vm, ASY_TypeError, "%N is no class of records", cls);
  return NULL;
}

static asy_value record_repr(asy_vm *vm, const asy_value *args) {
  asy_class *cls = asy_class_of(vm, args[0]);
  const asy_tuple *record = (const asy_tuple *)asy_obj_of(args[0]);
  const asy_record_class *made = find_by_class(vm, cls);
  if (!made) return ASY_FAILED;
  asy_text t;
  asy_text_init(&t, vm);
  asy_value module = asy_class_get(vm, cls, ASY_NAME(vm, __module__));
  if (asy_is_str(module) && ((asy_str *)asy_obj_of(module))->len) {
    asy_text_str(&t, (asy_str *)asy_obj_of(module));
    asy_text_char(&t, '.');
  }
  asy_text_str(&t, cls->name);
  asy_text_char(&t, '(');
  for (uint32_t i = 0; i < made->visible; i++) {
    if (i) asy_text_ascii(&t, ", ");
    asy_text_ascii(&t, made->fields[i].name);
    asy_text_char(&t, '=');
    asy_text_repr_of(&t, record->items[i]);
  }
  asy_text_char(&t, ')');
  asy_str *text = asy_text_finish(&t);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

/* Values behind the given ones come from `dict` by name, else they are None. */
static bool complete(asy_vm *vm, const asy_record_class *made, asy_list *items, asy_value dict) {
  uint32_t given = items->len;
  while (items->len < made->visible + made->hidden)
    if (!asy_list_append(vm, items, ASY_NONE)) return false;
  if (!asy_is_kind(dict, KIND_DICT)) return true;
  for (const asy_member *field = made->fields; field->name; field++) {
    uint32_t i = (uint32_t)((field->offset - ASY_RECORD(0)) / sizeof(asy_value));
    asy_str *name = asy_intern(vm, field->name);
    asy_value value = name ? asy_dict_get_str(vm, (asy_dict *)asy_obj_of(dict), name) : ASY_FAILED;
    if (asy_failed(value)) return false;
    if (i >= given && value != ASY_UNBOUND) asy_list_set(vm, items, i, value);
  }
  return true;
}

static asy_value record_new_from(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  if (!asy_is_kind(args[0], KIND_TYPE)) return asy_raise(vm, ASY_TypeError, "%T is no class of records", args[0]);
  const asy_record_class *made = find_by_class(vm, cls);
  asy_list *items = made ? asy_list_new(vm, 0) : NULL;
  if (!items || !asy_list_extend(vm, items, args[1])) return ASY_FAILED;
  uint32_t least = made->visible, most = made->visible + made->hidden;
  if (items->len < least || items->len > most)
    return asy_raise(vm, ASY_TypeError, "%S.%N() takes %s%u-sequence (%u-sequence given)",
                     asy_class_get(vm, cls, ASY_NAME(vm, __module__)), cls,
                     least == most        ? "a "
                     : items->len < least ? "an at least "
                                          : "an at most ",
                     items->len < least ? least : most, items->len);
  return complete(vm, made, items, args[2]) ? asy_record_new(vm, cls, items->items) : ASY_FAILED;
}

/* The only record of one field is os.sched_param, which takes its value and not a sequence. */
static asy_value record_new_single(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  const asy_record_class *made = asy_is_kind(args[0], KIND_TYPE) ? find_by_class(vm, cls) : NULL;
  if (!made || made->visible + made->hidden != 1)
    return asy_raised(vm) ? ASY_FAILED : asy_raise(vm, ASY_TypeError, "sched_param.__new__() needs its own class");
  return asy_record_new(vm, cls, args + 1);
}

/* (cls, (items, values behind them by name)): for pickle and copy. */
static asy_value record_reduce(asy_vm *vm, const asy_value *args) {
  const asy_tuple *record = (const asy_tuple *)asy_obj_of(args[0]);
  asy_class *cls = asy_class_of(vm, args[0]);
  const asy_record_class *made = find_by_class(vm, cls);
  asy_tuple *items = made ? asy_tuple_new(vm, record->items, record->len) : NULL;
  asy_dict *behind = items ? asy_dict_new(vm, made->hidden) : NULL;
  if (!behind) return ASY_FAILED;
  if (made->visible + made->hidden == 1) return asy_tuple_of(vm, 2, asy_from_obj(cls), asy_from_obj(items));
  for (const asy_member *field = made->fields; field->name; field++) {
    uint32_t i = (uint32_t)((field->offset - ASY_RECORD(0)) / sizeof(asy_value));
    asy_str *name = asy_intern(vm, field->name);
    if (!name || (i >= made->visible && !asy_dict_set_str(vm, behind, name, record->items[i]))) return ASY_FAILED;
  }
  asy_value pair = asy_tuple_of(vm, 2, asy_from_obj(items), asy_from_obj(behind));
  return asy_failed(pair) ? ASY_FAILED : asy_tuple_of(vm, 2, asy_from_obj(cls), pair);
}

static const asy_native record_natives[] = {
  {"__repr__", SIG("(self, /)"), record_repr, 0, 0},
  {"__reduce__", SIG("(self, /)"), record_reduce, 0, 0},
  {"__new__", SIG("(cls, sequence, dict=None, /)"), record_new_from, 0, ASY_NATIVE_STATIC},
  {"__new__", SIG("(cls, sched_priority)"), record_new_single, 0, ASY_NATIVE_STATIC},
};
enum { RECORD_REPR, RECORD_REDUCE, RECORD_NEW, RECORD_NEW_SINGLE };

static bool set(asy_vm *vm, asy_dict *dict, const char *name, asy_value value) {
  asy_str *key = asy_intern(vm, name);
  return key && !asy_failed(value) && asy_dict_set_str(vm, dict, key, value);
}

static bool keep_class(asy_vm *vm, asy_record_class made) {
  asy_class_state *state = vm->class_state;
  if (state->nrecords == state->records_cap) {
    uint32_t cap = state->records_cap ? state->records_cap * 2 : 16;
    asy_record_class *grown = realloc(state->records, cap * sizeof *grown);
    if (!grown) return asy_raise_no_memory(vm), false;
    state->records = grown;
    state->records_cap = cap;
  }
  asy_pin(vm, made.cls);
  state->records[state->nrecords++] = made;
  return true;
}

asy_class *asy_define_record(asy_vm *vm, const char *name, const asy_member *fields) {
  uint32_t n = 0;
  while (fields[n].name) n++;
  return asy_define_long_record(vm, name, fields, n);
}

asy_class *asy_define_long_record(asy_vm *vm, const char *name, const asy_member *fields, uint32_t visible) {
  const asy_record_class *known = find_by_fields(vm, fields);
  if (known) return known->cls;
  uint32_t n = 0, named = 0, total = visible; /* fields, those of items, values */
  for (; fields[n].name; n++) {
    uint32_t place = (uint32_t)((fields[n].offset - ASY_RECORD(0)) / sizeof(asy_value));
    if (place < visible) named++;
    if (place >= total) total = place + 1;
  }
  asy_dict *ns = asy_dict_new(vm, n + 8);
  asy_tuple *names = asy_tuple_new(vm, NULL, named);
  asy_value base = asy_from_obj(vm->classes[KIND_TUPLE]);
  asy_tuple *bases = asy_tuple_new(vm, &base, 1);
  if (!ns || !names || !bases) return NULL;
  for (uint32_t i = 0; i < named; i++) {
    asy_str *field = asy_intern(vm, fields[i].name);
    if (!field) return NULL;
    names->items[i] = asy_from_obj(field);
    asy_barrier(vm, names);
  }
  const char *dot = strrchr(name, '.');
  asy_value module = asy_from_text(vm, name, dot ? (size_t)(dot - name) : 0);
  asy_str *own_name = asy_intern(vm, dot ? dot + 1 : name);
  if (!own_name || asy_failed(module)) return NULL;
  if (!set(vm, ns, "__module__", module) || !set(vm, ns, "__slots__", asy_from_obj(vm->empty_tuple)) ||
      !set(vm, ns, "__match_args__", asy_from_obj(names)) || !set(vm, ns, "n_fields", asy_from_small(total)) ||
      !set(vm, ns, "n_sequence_fields", asy_from_small(visible)) ||
      !set(vm, ns, "n_unnamed_fields", asy_from_small(total - n)))
    return NULL;
  asy_value created = asy_class_new(vm, vm->classes[KIND_TYPE], own_name, bases, ns, NULL);
  if (asy_failed(created)) return NULL;
  asy_class *cls = (asy_class *)asy_obj_of(created);
  cls->flags |= ASY_CLASS_FINAL;
  for (int i = RECORD_REPR; i <= RECORD_REDUCE; i++) {
    asy_value method = asy_new_native(vm, &record_natives[i], ASY_UNBOUND, module);
    if (asy_failed(method)) return NULL;
    asy_native_own(vm, method, cls);
    if (!asy_class_set(vm, cls, asy_intern(vm, record_natives[i].name), method)) return NULL;
  }
  const asy_native *make = &record_natives[total == 1 ? RECORD_NEW_SINGLE : RECORD_NEW];
  asy_value construct = asy_new_native(vm, make, ASY_UNBOUND, module);
  asy_value wrapped = asy_failed(construct) ? ASY_FAILED : asy_wrap_method(vm, KIND_STATICMETHOD, construct);
  if (asy_failed(wrapped) || !asy_class_set(vm, cls, ASY_NAME(vm, __new__), wrapped)) return NULL;
  for (uint32_t i = 0; i < n; i++) {
    asy_value member = asy_member_for_field(vm, cls, &fields[i]);
    if (asy_failed(member) || !asy_class_set(vm, cls, asy_intern(vm, fields[i].name), member)) return NULL;
  }
  asy_record_class made = {.fields = fields, .cls = cls, .visible = visible, .hidden = total - visible};
  return keep_class(vm, made) ? cls : NULL;
}

asy_value asy_record_new(asy_vm *vm, asy_class *cls, const asy_value *items) {
  const asy_record_class *made = find_by_class(vm, cls);
  if (!made) return ASY_FAILED;
  uint32_t visible = made->visible, hidden = made->hidden;
  for (uint32_t i = 0; i < visible + hidden; i++)
    if (asy_failed(items[i])) return ASY_FAILED;
  size_t size = sizeof(asy_tuple) + (visible + hidden) * sizeof(asy_value);
  asy_tuple *record = asy_alloc(vm, cls->root->id, KIND_TUPLE, size);
  if (!record) return ASY_FAILED;
  record->len = visible;
  record->head.flags = (uint16_t)hidden;
  memcpy(record->items, items, (visible + hidden) * sizeof *items);
  return asy_from_obj(record);
}

/* ---- Namespaces ---- */

typedef struct {
  asy_obj head;
} namespace; /* nothing but attributes */
extern const asy_type asy_namespace_type;

asy_value asy_namespace_new(asy_vm *vm) {
  void *made = asy_new_object(vm, &asy_namespace_type);
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
  if (!asy_is_obj(other) || asy_obj_of(other)->kind != asy_obj_of(self)->kind) return ASY_NOT_IMPLEMENTED;
  asy_dict *a = attributes(vm, self), *b = a ? attributes(vm, other) : NULL;
  return b ? asy_compare(vm, asy_from_obj(a), asy_from_obj(b), op) : ASY_FAILED;
}

static asy_value namespace_reduce(asy_vm *vm, const asy_value *args) {
  asy_dict *dict = attributes(vm, args[0]);
  asy_tuple *none = dict ? asy_tuple_new(vm, NULL, 0) : NULL;
  return none ? asy_tuple_of(vm, 3, asy_from_obj(asy_class_of(vm, args[0])), asy_from_obj(none), asy_from_obj(dict))
              : ASY_FAILED;
}

static asy_value namespace_replace(asy_vm *vm, const asy_value *args) {
  asy_value made = asy_call(vm, asy_from_obj(asy_class_of(vm, args[0])), 0, NULL);
  asy_dict *from = asy_failed(made) ? NULL : attributes(vm, args[0]), *to = from ? attributes(vm, made) : NULL;
  return to && asy_dict_update(vm, to, asy_from_obj(from)) && asy_dict_update(vm, to, args[1]) ? made : ASY_FAILED;
}

static const asy_native namespace_methods[] = {
  {"__reduce__", SIG("(self, /)"), namespace_reduce, 0, 0},
  {"__replace__", SIG("(self, /, **changes)"), namespace_replace,
   DOC("Return a copy of the namespace object with new values for the specified attributes."), 0},
  {0},
};

const asy_type asy_namespace_type = {
  .name = "types.SimpleNamespace",
  .doc = "A simple attribute-based namespace.",
  .size = sizeof(namespace),
  .flags = ASY_TYPE_ATTRS | ASY_TYPE_UNHASHABLE,
  .new_ = namespace_new,
  .new_signature = SIG("(cls, *args, **kwargs)"),
  .init = namespace_init,
  .init_signature = SIG("(self, mapping_or_iterable=?, /, **kwargs)"),
  .repr = namespace_repr,
  .compare = namespace_compare,
  .methods = namespace_methods,
};
