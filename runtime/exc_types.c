/* exc_types.c - exception classes that know more than their arguments: attributes, text, __init__ of each family.
 * A family is a descriptor whose base is that of BaseException; the C struct is the same, `fields` are what differs.
 */
#include "runtime/class.h"
#include "runtime/exc.h"

#define FIELD(name, index)                                                                                             \
  { name, offsetof(asy_exception, fields) + (index) * sizeof(asy_value), MEMBER_VALUE, true }
#define FAMILY                                                                                                         \
  .base = &asy_base_exception_type, .size = sizeof(asy_exception), .flags = ASY_TYPE_ATTRS, .visit = asy_exception_visit

static asy_value field(const asy_exception *e, unsigned index) {
  return e->fields[index] ? e->fields[index] : ASY_NONE;
}
static void set_field(asy_vm *vm, asy_exception *e, unsigned index, asy_value value) {
  asy_store(vm, e, &e->fields[index], value == ASY_UNBOUND ? 0 : value);
}
static asy_value text(asy_str *s) { return s ? asy_from_obj(s) : ASY_FAILED; }

/* The arguments of (self, /, *args, **kwargs) or (self, /, *args, name=..): e.args is set from args[1]. */
static asy_tuple *take_args(asy_vm *vm, const asy_value *args) {
  asy_exception *e = asy_exception_of(args[0]);
  e->args = (asy_tuple *)asy_obj_of(args[1]);
  asy_barrier(vm, e);
  return e->args;
}

/* ---- StopIteration, SystemExit, KeyError ------------------------------------------------------------------------------------- */

static asy_value stop_init(asy_vm *vm, const asy_value *args) {
  asy_tuple *given = take_args(vm, args);
  set_field(vm, asy_exception_of(args[0]), FIELD_STOP_VALUE, given->len ? given->items[0] : ASY_NONE);
  return ASY_NONE;
}
static const asy_member stop_members[] = {FIELD("value", FIELD_STOP_VALUE), {0}};
const asy_type asy_stop_iteration_type = {
  .name = "StopIteration",
  FAMILY,
  .doc = "Signal the end from iterator.__next__().",
  .init = stop_init,
  .init_signature = SIG("(self, /, *args)"),
  .members = stop_members,
};

static asy_value exit_init(asy_vm *vm, const asy_value *args) {
  asy_tuple *given = take_args(vm, args);
  asy_value code = given->len == 0 ? ASY_NONE : given->len == 1 ? given->items[0] : asy_from_obj(given);
  set_field(vm, asy_exception_of(args[0]), FIELD_EXIT_CODE, code);
  return ASY_NONE;
}
static const asy_member exit_members[] = {FIELD("code", FIELD_EXIT_CODE), {0}};
const asy_type asy_system_exit_type = {
  .name = "SystemExit",
  FAMILY,
  .doc = "Request to exit from the interpreter.",
  .init = exit_init,
  .init_signature = SIG("(self, /, *args)"),
  .members = exit_members,
};

static asy_value key_str(asy_vm *vm, asy_value self) {
  asy_tuple *args = asy_exception_of(self)->args;
  return args->len == 1 ? asy_repr(vm, args->items[0]) : asy_exception_base_str(vm, self);
}
const asy_type asy_key_error_type = {.name = "KeyError", FAMILY, .doc = "Mapping key not found.", .str = key_str};

/* ---- OSError ------------------------------------------------------------------------------------------------------------------ */

/* OSError(errno, strerror[, filename[, winerror[, filename2]]]) */
static void os_fields(asy_vm *vm, asy_exception *e, asy_tuple *args) {
  e->args = args;
  asy_barrier(vm, e);
  if (args->len < 2 || args->len > 5) return;
  set_field(vm, e, FIELD_ERRNO, args->items[0]);
  set_field(vm, e, FIELD_STRERROR, args->items[1]);
  if (args->len < 3 || args->items[2] == ASY_NONE) return;
  set_field(vm, e, FIELD_FILENAME, args->items[2]);
  if (args->len == 5 && args->items[4] != ASY_NONE) set_field(vm, e, FIELD_FILENAME2, args->items[4]);
  asy_tuple *shown = asy_tuple_new(vm, args->items, 2);
  if (!shown) return;
  e->args = shown;
  asy_barrier(vm, e);
}

static asy_value os_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  asy_tuple *given = (asy_tuple *)asy_obj_of(args[1]);
  asy_value init;
  asy_class *init_owner;
  asy_class_find(vm, cls, ASY_NAME(vm, __init__), &init, &init_owner);
  bool own_init = init_owner && !(init_owner->flags & ASY_CLASS_BUILTIN); /* then the arguments are its business */
  if (!own_init && asy_is_kind(args[2], KIND_DICT) && ((asy_dict *)asy_obj_of(args[2]))->used)
    return asy_raise(vm, ASY_TypeError, "%N() takes no keyword arguments", cls);
  int64_t error;
  if (cls == vm->exceptions[ASY_OSError] && given->len >= 2 && given->len <= 5 &&
      asy_is_number_int64(given->items[0], &error))
    cls = vm->exceptions[asy_errno_class(error > 0 && error < 4096 ? (int)error : 0)];
  asy_value v = asy_new_exception_object(vm, cls, NULL);
  if (v != ASY_FAILED && !own_init) os_fields(vm, asy_exception_of(v), given);
  return v;
}
static asy_value os_init(asy_vm *vm, const asy_value *args) {
  asy_value value;
  asy_class *new_owner, *cls = asy_class_of(vm, args[0]);
  asy_class_find(vm, cls, ASY_NAME(vm, __new__), &value, &new_owner);
  asy_class *init_owner;
  asy_class_find(vm, cls, ASY_NAME(vm, __init__), &value, &init_owner);
  if (!(new_owner->flags & ASY_CLASS_BUILTIN) && init_owner->flags & ASY_CLASS_BUILTIN)
    return ASY_NONE; /* a script's __new__ has done what is to be done */
  if (asy_is_kind(args[2], KIND_DICT) && ((asy_dict *)asy_obj_of(args[2]))->used)
    return asy_raise(vm, ASY_TypeError, "%T() takes no keyword arguments", args[0]);
  os_fields(vm, asy_exception_of(args[0]), (asy_tuple *)asy_obj_of(args[1]));
  return ASY_NONE;
}
static asy_value os_str(asy_vm *vm, asy_value self) {
  const asy_exception *e = asy_exception_of(self);
  asy_value number = field(e, FIELD_ERRNO), reason = field(e, FIELD_STRERROR);
  if (e->fields[FIELD_FILENAME] && e->fields[FIELD_FILENAME2])
    return text(asy_str_format(vm, "[Errno %S] %S: %R -> %R", number, reason, field(e, FIELD_FILENAME),
                               field(e, FIELD_FILENAME2)));
  if (e->fields[FIELD_FILENAME])
    return text(asy_str_format(vm, "[Errno %S] %S: %R", number, reason, field(e, FIELD_FILENAME)));
  if (number != ASY_NONE && reason != ASY_NONE) return text(asy_str_format(vm, "[Errno %S] %S", number, reason));
  return asy_exception_base_str(vm, self);
}
/* The file names, which args leaves out. */
static asy_value os_reduce(asy_vm *vm, const asy_value *args) {
  asy_exception *e = asy_exception_of(args[0]);
  asy_dict *dict = asy_instance_dict(vm, &e->head);
  asy_value given = asy_from_obj(e->args), file = field(e, FIELD_FILENAME), file2 = field(e, FIELD_FILENAME2);
  if (e->args->len == 2 && e->fields[FIELD_FILENAME])
    given = e->fields[FIELD_FILENAME2]
              ? asy_tuple_of(vm, 5, e->args->items[0], e->args->items[1], file, ASY_NONE, file2)
              : asy_tuple_of(vm, 3, e->args->items[0], e->args->items[1], file);
  if (!dict || given == ASY_FAILED) return ASY_FAILED;
  asy_value cls = asy_from_obj(asy_class_of(vm, args[0]));
  return dict->used ? asy_tuple_of(vm, 3, cls, given, asy_from_obj(dict)) : asy_tuple_of(vm, 2, cls, given);
}
/* BlockingIOError: its third argument, when that is a number. */
static asy_value get_written(asy_vm *vm, const asy_value *args) {
  const asy_exception *e = asy_exception_of(args[0]);
  if (asy_is_int(field(e, FIELD_FILENAME)) && asy_is_instance(vm, args[0], vm->exceptions[ASY_BlockingIOError]))
    return field(e, FIELD_FILENAME);
  return asy_raise(vm, ASY_AttributeError, "characters_written");
}
static asy_value set_written(asy_vm *vm, const asy_value *args) {
  asy_value number = args[1] == ASY_UNBOUND ? ASY_UNBOUND : asy_index(vm, args[1]);
  if (number == ASY_FAILED) return ASY_FAILED;
  if (number == ASY_UNBOUND && !asy_is_int(field(asy_exception_of(args[0]), FIELD_FILENAME)))
    return asy_raise(vm, ASY_AttributeError, "characters_written");
  set_field(vm, asy_exception_of(args[0]), FIELD_FILENAME, number);
  return ASY_NONE;
}
static const asy_native os_methods[] = {
  {"__reduce__", SIG("(self, /)"), os_reduce, 0, 0},
  {"characters_written", SIG("(self)"), get_written, 0, ASY_NATIVE_GETTER},
  {"characters_written", SIG("(self, value)"), set_written, 0, ASY_NATIVE_SETTER},
  {0},
};
static const asy_member os_members[] = {
  FIELD("errno", FIELD_ERRNO),
  FIELD("strerror", FIELD_STRERROR),
  FIELD("filename", FIELD_FILENAME),
  FIELD("filename2", FIELD_FILENAME2),
  {0},
};
const asy_type asy_os_error_type = {
  .name = "OSError",
  FAMILY,
  .doc = "Base class for I/O related errors.",
  .new_ = os_new,
  .new_signature = SIG("(cls, /, *args, **kwargs)"),
  .init = os_init,
  .init_signature = SIG("(self, /, *args, **kwargs)"),
  .str = os_str,
  .methods = os_methods,
  .members = os_members,
};

/* ---- ImportError, NameError, AttributeError --------------------------------------------------------------------------------------- */

/* (self, /, *args, name=?, path=?, name_from=?) */
static asy_value import_init(asy_vm *vm, const asy_value *args) {
  asy_tuple *given = take_args(vm, args);
  asy_exception *e = asy_exception_of(args[0]);
  set_field(vm, e, FIELD_IMPORT_MSG, given->len == 1 ? given->items[0] : ASY_NONE);
  for (unsigned i = 0; i < 3; i++) set_field(vm, e, FIELD_IMPORT_NAME + i, args[2 + i]);
  return ASY_NONE;
}
static asy_value import_str(asy_vm *vm, asy_value self) {
  asy_value message = field(asy_exception_of(self), FIELD_IMPORT_MSG);
  return asy_is_exact(message, KIND_STR) ? message : asy_exception_base_str(vm, self);
}
/* __reduce__ with fields that args leaves out put into the state by name; names ends with NULL. */
static asy_value reduce_with(asy_vm *vm, asy_value self, const char *const *names, const unsigned *fields) {
  asy_exception *e = asy_exception_of(self);
  asy_dict *dict = asy_instance_dict(vm, &e->head), *state = dict ? asy_dict_copy(vm, dict) : NULL;
  for (unsigned i = 0; state && names[i]; i++)
    if (e->fields[fields[i]] && !asy_dict_set_str(vm, state, asy_intern(vm, names[i]), e->fields[fields[i]]))
      return ASY_FAILED;
  asy_value cls = asy_from_obj(asy_class_of(vm, self)), given = asy_from_obj(e->args);
  if (!state) return ASY_FAILED;
  return state->used ? asy_tuple_of(vm, 3, cls, given, asy_from_obj(state)) : asy_tuple_of(vm, 2, cls, given);
}

static asy_value import_reduce(asy_vm *vm, const asy_value *args) {
  static const char *const names[] = {"name", "path", "name_from", NULL};
  return reduce_with(vm, args[0], names, (const unsigned[]){FIELD_IMPORT_NAME, FIELD_IMPORT_PATH, FIELD_IMPORT_FROM});
}
static const asy_native import_methods[] = {{"__reduce__", SIG("(self, /)"), import_reduce, 0, 0}, {0}};
static const asy_member import_members[] = {
  FIELD("msg", FIELD_IMPORT_MSG),
  FIELD("name", FIELD_IMPORT_NAME),
  FIELD("path", FIELD_IMPORT_PATH),
  FIELD("name_from", FIELD_IMPORT_FROM),
  {0},
};
const asy_type asy_import_error_type = {
  .name = "ImportError",
  FAMILY,
  .doc = "Import can't find module, or can't find name in module.",
  .init = import_init,
  .init_signature = SIG("(self, /, *args, name=?, path=?, name_from=?)"),
  .str = import_str,
  .methods = import_methods,
  .members = import_members,
};

static asy_value name_init(asy_vm *vm, const asy_value *args) {
  take_args(vm, args);
  set_field(vm, asy_exception_of(args[0]), FIELD_NAME, args[2]);
  return ASY_NONE;
}
static const asy_member name_members[] = {FIELD("name", FIELD_NAME), {0}};
const asy_type asy_name_error_type = {
  .name = "NameError",
  FAMILY,
  .doc = "Name not found globally.",
  .init = name_init,
  .init_signature = SIG("(self, /, *args, name=?)"),
  .members = name_members,
};

static asy_value attribute_init(asy_vm *vm, const asy_value *args) {
  take_args(vm, args);
  set_field(vm, asy_exception_of(args[0]), FIELD_NAME, args[2]);
  set_field(vm, asy_exception_of(args[0]), FIELD_OBJ, args[3]);
  return ASY_NONE;
}
static asy_value attribute_reduce(asy_vm *vm, const asy_value *args) {
  static const char *const names[] = {"name", NULL};
  return reduce_with(vm, args[0], names, (const unsigned[]){FIELD_NAME});
}
static const asy_native attribute_methods[] = {{"__reduce__", SIG("(self, /)"), attribute_reduce, 0, 0}, {0}};
static const asy_member attribute_members[] = {FIELD("name", FIELD_NAME), FIELD("obj", FIELD_OBJ), {0}};
const asy_type asy_attribute_error_type = {
  .name = "AttributeError",
  FAMILY,
  .doc = "Attribute not found.",
  .init = attribute_init,
  .init_signature = SIG("(self, /, *args, name=?, obj=?)"),
  .methods = attribute_methods,
  .members = attribute_members,
};

/* ---- SyntaxError --------------------------------------------------------------------------------------------------------------------- */

/* SyntaxError(msg, (filename, lineno, offset, text[, end_lineno, end_offset])) */
static asy_value syntax_init(asy_vm *vm, const asy_value *args) {
  asy_tuple *given = take_args(vm, args);
  asy_exception *e = asy_exception_of(args[0]);
  if (given->len >= 1) set_field(vm, e, FIELD_SYNTAX_MSG, given->items[0]);
  if (given->len != 2) return ASY_NONE;
  asy_list *info = asy_list_new(vm, 6);
  if (!info || !asy_list_extend(vm, info, given->items[1])) return ASY_FAILED;
  if (info->len != 4 && info->len != 6)
    return asy_raise(vm, ASY_TypeError, "function %s takes %s %d arguments (%u given)", "",
                     info->len < 4 ? "at least" : "at most", info->len < 4 ? 4 : 6, info->len);
  for (unsigned i = 0; i < 4; i++) set_field(vm, e, FIELD_SYNTAX_FILE + i, info->items[i]);
  if (info->len == 6) {
    asy_tuple *end = asy_tuple_new(vm, info->items + 4, 2);
    if (!end) return ASY_FAILED;
    set_field(vm, e, FIELD_SYNTAX_END, asy_from_obj(end));
  }
  return ASY_NONE;
}
static asy_value syntax_str(asy_vm *vm, asy_value self) {
  const asy_exception *e = asy_exception_of(self);
  asy_value file = field(e, FIELD_SYNTAX_FILE), line = field(e, FIELD_SYNTAX_LINE),
            message = field(e, FIELD_SYNTAX_MSG);
  bool has_line = asy_is_int(line), has_file = asy_is_str(file);
  asy_str *name = NULL;
  if (has_file) {
    name = (asy_str *)asy_obj_of(file);
    uint32_t start = name->len;
    while (start && asy_str_at(name, start - 1) != '/') start--;
    name = asy_str_slice(vm, name, start, name->len);
    if (!name) return ASY_FAILED;
  }
  if (has_file && has_line)
    return text(asy_str_format(vm, "%S (%U, line %lld)", message, name, (long long)asy_small(line)));
  if (has_file) return text(asy_str_format(vm, "%S (%U)", message, name));
  if (has_line) return text(asy_str_format(vm, "%S (line %lld)", message, (long long)asy_small(line)));
  return asy_str_of(vm, message);
}
static asy_value syntax_end(const asy_value *args, unsigned i) {
  asy_value end = field(asy_exception_of(args[0]), FIELD_SYNTAX_END);
  return asy_is_kind(end, KIND_TUPLE) ? ((asy_tuple *)asy_obj_of(end))->items[i] : ASY_NONE;
}
static asy_value set_syntax_end(asy_vm *vm, const asy_value *args, unsigned i) {
  asy_value items[2] = {syntax_end(args, 0), syntax_end(args, 1)};
  items[i] = args[1] == ASY_UNBOUND ? ASY_NONE : args[1];
  asy_tuple *end = asy_tuple_new(vm, items, 2);
  if (!end) return ASY_FAILED;
  set_field(vm, asy_exception_of(args[0]), FIELD_SYNTAX_END, asy_from_obj(end));
  return ASY_NONE;
}
static asy_value get_end_lineno(asy_vm *vm, const asy_value *args) { return syntax_end(args, 0); }
static asy_value get_end_offset(asy_vm *vm, const asy_value *args) { return syntax_end(args, 1); }
static asy_value set_end_lineno(asy_vm *vm, const asy_value *args) { return set_syntax_end(vm, args, 0); }
static asy_value set_end_offset(asy_vm *vm, const asy_value *args) { return set_syntax_end(vm, args, 1); }
static asy_value get_print_file(asy_vm *vm, const asy_value *args) { return ASY_NONE; }
static const asy_native syntax_methods[] = {
  {"end_lineno", SIG("(self)"), get_end_lineno, 0, ASY_NATIVE_GETTER},
  {"end_lineno", SIG("(self, value)"), set_end_lineno, 0, ASY_NATIVE_SETTER},
  {"end_offset", SIG("(self)"), get_end_offset, 0, ASY_NATIVE_GETTER},
  {"end_offset", SIG("(self, value)"), set_end_offset, 0, ASY_NATIVE_SETTER},
  {"print_file_and_line", SIG("(self)"), get_print_file, 0, ASY_NATIVE_GETTER},
  {0},
};
static const asy_member syntax_members[] = {
  FIELD("msg", FIELD_SYNTAX_MSG),       FIELD("filename", FIELD_SYNTAX_FILE), FIELD("lineno", FIELD_SYNTAX_LINE),
  FIELD("offset", FIELD_SYNTAX_OFFSET), FIELD("text", FIELD_SYNTAX_TEXT),     {0},
};
const asy_type asy_syntax_error_type = {
  .name = "SyntaxError",
  FAMILY,
  .doc = "Invalid syntax.",
  .init = syntax_init,
  .init_signature = SIG("(self, /, *args)"),
  .str = syntax_str,
  .methods = syntax_methods,
  .members = syntax_members,
};

/* ---- Unicode errors --------------------------------------------------------------------------------------------------------------------- */

typedef struct {
  asy_value object;
  int64_t start, end;
} unicode_span;

static bool span_of(const asy_exception *e, unicode_span *span) {
  span->object = field(e, FIELD_OBJECT);
  return asy_is_number_int64(field(e, FIELD_START), &span->start) &&
         asy_is_number_int64(field(e, FIELD_END), &span->end);
}

static asy_value unicode_init(asy_vm *vm, const asy_value *args, unsigned first_field, const char *kinds) {
  asy_tuple *given = take_args(vm, args);
  asy_exception *e = asy_exception_of(args[0]);
  uint32_t n = (uint32_t)strlen(kinds);
  if (given->len != n)
    return asy_raise(vm, ASY_TypeError, "function takes exactly %u arguments (%u given)", n, given->len);
  for (uint32_t i = 0; i < n; i++) {
    asy_value v = given->items[i];
    int64_t number;
    if (kinds[i] == 's' && !asy_is_str(v))
      return asy_raise(vm, ASY_TypeError, "argument %u must be str, not %T", i + 1, v);
    if (kinds[i] == 'i' && !asy_is_number_int64(v, &number))
      return asy_raise(vm, ASY_TypeError, "'%T' object cannot be interpreted as an integer", v);
    if (kinds[i] == 'b' && !asy_is_kind(v, KIND_BYTES) && !asy_is_kind(v, KIND_BYTEARRAY))
      return asy_raise(vm, ASY_TypeError, "a bytes-like object is required, not '%T'", v);
    set_field(vm, e, first_field + i, v);
  }
  return ASY_NONE;
}
static asy_value decode_init(asy_vm *vm, const asy_value *args) {
  return unicode_init(vm, args, FIELD_ENCODING, "sbiis");
}
static asy_value encode_init(asy_vm *vm, const asy_value *args) {
  return unicode_init(vm, args, FIELD_ENCODING, "ssiis");
}
static asy_value translate_init(asy_vm *vm, const asy_value *args) {
  return unicode_init(vm, args, FIELD_OBJECT, "siis");
}

static asy_value decode_str(asy_vm *vm, asy_value self) {
  const asy_exception *e = asy_exception_of(self);
  unicode_span span;
  if (!span_of(e, &span)) return asy_from_obj(vm->empty_str);
  asy_value encoding = field(e, FIELD_ENCODING), reason = field(e, FIELD_REASON);
  if (span.end == span.start + 1) {
    asy_value byte = asy_get_item(vm, span.object, asy_from_small(span.start));
    if (byte == ASY_FAILED) return ASY_FAILED;
    char hex[8];
    snprintf(hex, sizeof hex, "0x%02x", (unsigned)asy_small(byte) & 0xff);
    return text(asy_str_format(vm, "'%S' codec can't decode byte %s in position %lld: %S", encoding, hex,
                               (long long)span.start, reason));
  }
  return text(asy_str_format(vm, "'%S' codec can't decode bytes in position %lld-%lld: %S", encoding,
                             (long long)span.start, (long long)span.end - 1, reason));
}

static void escape_char(char out[16], uint32_t c) {
  snprintf(out, 16, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

static asy_value encode_or_translate_str(asy_vm *vm, asy_value self, asy_str *prefix, const char *verb) {
  const asy_exception *e = asy_exception_of(self);
  unicode_span span;
  if (!prefix) return ASY_FAILED;
  if (!span_of(e, &span) || !asy_is_str(span.object)) return asy_from_obj(vm->empty_str);
  asy_value reason = field(e, FIELD_REASON);
  asy_str *object = (asy_str *)asy_obj_of(span.object);
  if (span.end == span.start + 1 && span.start >= 0 && span.start < (int64_t)object->len) {
    char escaped[16];
    escape_char(escaped, asy_str_at(object, (uint32_t)span.start));
    return text(asy_str_format(vm, "%Ucan't %s character '%s' in position %lld: %S", prefix, verb, escaped,
                               (long long)span.start, reason));
  }
  return text(asy_str_format(vm, "%Ucan't %s characters in position %lld-%lld: %S", prefix, verb, (long long)span.start,
                             (long long)span.end - 1, reason));
}
static asy_value encode_str(asy_vm *vm, asy_value self) {
  asy_str *prefix = asy_str_format(vm, "'%S' codec ", field(asy_exception_of(self), FIELD_ENCODING));
  return encode_or_translate_str(vm, self, prefix, "encode");
}
static asy_value translate_str(asy_vm *vm, asy_value self) {
  return encode_or_translate_str(vm, self, vm->empty_str, "translate");
}

static const asy_member unicode_members[] = {
  FIELD("encoding", FIELD_ENCODING), FIELD("object", FIELD_OBJECT), FIELD("start", FIELD_START),
  FIELD("end", FIELD_END),           FIELD("reason", FIELD_REASON), {0},
};
const asy_type asy_unicode_decode_error_type = {
  .name = "UnicodeDecodeError",
  FAMILY,
  .doc = "Unicode decoding error.",
  .init = decode_init,
  .init_signature = SIG("(self, /, *args)"),
  .str = decode_str,
  .members = unicode_members,
};
const asy_type asy_unicode_encode_error_type = {
  .name = "UnicodeEncodeError",
  FAMILY,
  .doc = "Unicode encoding error.",
  .init = encode_init,
  .init_signature = SIG("(self, /, *args)"),
  .str = encode_str,
  .members = unicode_members,
};
const asy_type asy_unicode_translate_error_type = {
  .name = "UnicodeTranslateError",
  FAMILY,
  .doc = "Unicode translation error.",
  .init = translate_init,
  .init_signature = SIG("(self, /, *args)"),
  .str = translate_str,
  .members = unicode_members,
};

/* ---- Which class begins which family ---------------------------------------------------------------------------------------------------- */

const asy_type *asy_exception_family(asy_exc_id id) {
  switch (id) {
    case ASY_StopIteration: return &asy_stop_iteration_type;
    case ASY_SystemExit: return &asy_system_exit_type;
    case ASY_KeyError: return &asy_key_error_type;
    case ASY_OSError: return &asy_os_error_type;
    case ASY_ImportError: return &asy_import_error_type;
    case ASY_NameError: return &asy_name_error_type;
    case ASY_AttributeError: return &asy_attribute_error_type;
    case ASY_SyntaxError: return &asy_syntax_error_type;
    case ASY_UnicodeDecodeError: return &asy_unicode_decode_error_type;
    case ASY_UnicodeEncodeError: return &asy_unicode_encode_error_type;
    case ASY_UnicodeTranslateError: return &asy_unicode_translate_error_type;
    case ASY_BaseExceptionGroup: return &asy_exception_group_type;
    default: return NULL;
  }
}

/* __doc__ of the classes that begin no family. */
static const char *const docs[ASY_EXCEPTION_COUNT] = {
  [ASY_GeneratorExit] = "Request that a generator exit.",
  [ASY_KeyboardInterrupt] = "Program interrupted by user.",
  [ASY_Exception] = "Common base class for all non-exit exceptions.",
  [ASY_ArithmeticError] = "Base class for arithmetic errors.",
  [ASY_FloatingPointError] = "Floating-point operation failed.",
  [ASY_OverflowError] = "Result too large to be represented.",
  [ASY_ZeroDivisionError] = "Second argument to a division or modulo operation was zero.",
  [ASY_AssertionError] = "Assertion failed.",
  [ASY_BufferError] = "Buffer error.",
  [ASY_EOFError] = "Read beyond end of file.",
  [ASY_ModuleNotFoundError] = "Module not found.",
  [ASY_LookupError] = "Base class for lookup errors.",
  [ASY_IndexError] = "Sequence index out of range.",
  [ASY_MemoryError] = "Out of memory.",
  [ASY_UnboundLocalError] = "Local name referenced but not bound to a value.",
  [ASY_BlockingIOError] = "I/O operation would block.",
  [ASY_ChildProcessError] = "Child process error.",
  [ASY_ConnectionError] = "Connection error.",
  [ASY_BrokenPipeError] = "Broken pipe.",
  [ASY_ConnectionAbortedError] = "Connection aborted.",
  [ASY_ConnectionRefusedError] = "Connection refused.",
  [ASY_ConnectionResetError] = "Connection reset.",
  [ASY_FileExistsError] = "File already exists.",
  [ASY_FileNotFoundError] = "File not found.",
  [ASY_InterruptedError] = "Interrupted by signal.",
  [ASY_IsADirectoryError] = "Operation doesn't work on directories.",
  [ASY_NotADirectoryError] = "Operation only works on directories.",
  [ASY_PermissionError] = "Not enough permissions.",
  [ASY_ProcessLookupError] = "Process not found.",
  [ASY_TimeoutError] = "Timeout expired.",
  [ASY_ReferenceError] = "Weak ref proxy used after referent went away.",
  [ASY_RuntimeError] = "Unspecified run-time error.",
  [ASY_NotImplementedError] = "Method or function hasn't been implemented yet.",
  [ASY_PythonFinalizationError] = "Operation blocked during Python finalization.",
  [ASY_RecursionError] = "Recursion limit exceeded.",
  [ASY_StopAsyncIteration] = "Signal the end from iterator.__anext__().",
  [ASY_IndentationError] = "Improper indentation.",
  [ASY_TabError] = "Improper mixture of spaces and tabs.",
  [ASY_SystemError] =
    "Internal error in the Python interpreter.\n\nPlease report this to the Python maintainer, along with the "
    "traceback,\nthe Python version, and the hardware/OS platform and version.",
  [ASY_TypeError] = "Inappropriate argument type.",
  [ASY_ValueError] = "Inappropriate argument value (of correct type).",
  [ASY_UnicodeError] = "Unicode related error.",
  [ASY_Warning] = "Base class for warning categories.",
  [ASY_BytesWarning] =
    "Base class for warnings about bytes and buffer related problems, mostly\nrelated to conversion from str or "
    "comparing to str.",
  [ASY_DeprecationWarning] = "Base class for warnings about deprecated features.",
  [ASY_EncodingWarning] = "Base class for warnings about encodings.",
  [ASY_FutureWarning] = "Base class for warnings about constructs that will change semantically\nin the future.",
  [ASY_ImportWarning] = "Base class for warnings about probable mistakes in module imports",
  [ASY_PendingDeprecationWarning] = "Base class for warnings about features which will be deprecated\nin the future.",
  [ASY_ResourceWarning] = "Base class for warnings about resource usage.",
  [ASY_RuntimeWarning] = "Base class for warnings about dubious runtime behavior.",
  [ASY_SyntaxWarning] = "Base class for warnings about dubious syntax.",
  [ASY_UnicodeWarning] =
    "Base class for warnings about Unicode related problems, mostly\nrelated to conversion problems.",
  [ASY_UserWarning] = "Base class for warnings generated by user code.",
  [ASY_CancelledError] = "The Future or Task was cancelled.",
  [ASY_InvalidStateError] = "The operation is not allowed in this state.",
};

const char *asy_exception_doc(asy_exc_id id) { return docs[id]; }
