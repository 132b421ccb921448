/* native.c - C functions as objects, and their signatures, parsed from Python text when first called. */
#include <stdlib.h>

#include "lang/buf.h"
#include "runtime/class.h"
#include "runtime/func.h"
#include "runtime/protocol.h"

/* ---- Natives ------------------------------------------------------------------------------------------------------- */

asy_value asy_new_native(asy_vm *vm, const asy_native *def, asy_value self, asy_value module_name) {
  asy_str *name = asy_intern(vm, def->name);
  asy_nativefunc *native = name ? asy_new_kind(vm, KIND_NATIVE, sizeof *native) : NULL;
  if (!native) return ASY_FAILED;
  native->def = def;
  native->fn = def->fn;
  native->self = self;
  native->module = module_name;
  native->name = name;
  return asy_from_obj(native);
}

static void native_visit(asy_obj *o, asy_visitor *v) {
  asy_nativefunc *native = (asy_nativefunc *)o;
  asy_visit_value(v, native->self);
  asy_visit_value(v, native->module);
  asy_visit_obj(v, native->owner);
  asy_visit_obj(v, native->name);
  asy_signature *s = native->signature;
  for (uint32_t i = 0; s && i < s->nparams; i++) {
    asy_visit_obj(v, s->names[i]);
    asy_visit_value(v, s->defaults[i]);
  }
}

static void native_free(asy_vm *vm, asy_obj *o) {
  asy_signature *s = ((asy_nativefunc *)o)->signature;
  if (!s) return;
  uint32_t n = s->nparams;
  asy_mem_free(vm, s, sizeof *s + n * (sizeof(asy_str *) + sizeof(asy_value)));
}

/* Dunders that are ordinary methods; all others in a class fill a slot. */
static bool is_slot(const char *name) {
  static const char *const methods[] = {
    "__bytes__",      "__ceil__",          "__class_getitem__", "__complex__",     "__copy__",     "__deepcopy__",
    "__dir__",        "__enter__",         "__exit__",          "__floor__",       "__format__",   "__fspath__",
    "__getnewargs__", "__getstate__",      "__init_subclass__", "__length_hint__", "__missing__",  "__prepare__",
    "__reduce__",     "__reduce_ex__",     "__reversed__",      "__round__",       "__setstate__", "__sizeof__",
    "__subclasses__", "__instancecheck__", "__subclasscheck__", "__trunc__",
  };
  if (strncmp(name, "__", 2) != 0) return false;
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
    if (strcmp(name, methods[i]) == 0) return false;
  return true;
}

void asy_native_own(asy_vm *vm, asy_value native, asy_class *cls) {
  asy_nativefunc *n = (asy_nativefunc *)asy_obj_of(native);
  n->owner = cls;
  if (!(n->def->flags & (ASY_NATIVE_NEW | ASY_NATIVE_STATIC)))
    n->head.shape = is_slot(n->def->name) ? KIND_WRAPPER_DESCRIPTOR : KIND_METHOD_DESCRIPTOR;
  asy_barrier(vm, &n->head);
}

/* What an object of these classes is made of: itself, or what is bound in it. */
static asy_nativefunc *native_of(asy_value v) {
  return (asy_nativefunc *)asy_obj_of(asy_is_kind(v, KIND_METHOD) ? ((asy_method *)asy_obj_of(v))->func : v);
}

static asy_value bound_self(asy_value v) {
  return asy_is_kind(v, KIND_METHOD) ? ((asy_method *)asy_obj_of(v))->self : native_of(v)->self;
}

static asy_value native_repr(asy_vm *vm, asy_value v) {
  asy_nativefunc *native = native_of(v);
  asy_value self = bound_self(v);
  asy_str *s;
  if (asy_is_exact(v, KIND_METHOD_DESCRIPTOR))
    s = asy_str_format(vm, "<method '%U' of '%N' objects>", native->name, native->owner);
  else if (asy_is_exact(v, KIND_WRAPPER_DESCRIPTOR))
    s = asy_str_format(vm, "<slot wrapper '%U' of '%N' objects>", native->name, native->owner);
  else if (asy_is_exact(v, KIND_METHOD_WRAPPER))
    s = asy_str_format(vm, "<method-wrapper '%U' of %T object at %p>", native->name, self, (void *)(uintptr_t)self);
  else if (self != ASY_UNBOUND && !asy_is_kind(self, KIND_MODULE))
    s = asy_str_format(vm, "<built-in method %U of %T object at %p>", native->name, self, (void *)(uintptr_t)self);
  else if (native->owner)
    s = asy_str_format(vm, "<built-in method %U of type object at %p>", native->name, (void *)native->owner);
  else s = asy_str_format(vm, "<built-in function %U>", native->name);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static bool native_hash(asy_vm *vm, asy_value self, int64_t *out) {
  if (asy_is_kind(self, KIND_METHOD)) return asy_method_hash(vm, self, out);
  *out = asy_identity_hash(vm, self);
  return true;
}

static asy_value native_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (asy_is_kind(self, KIND_METHOD)) return asy_method_compare(vm, self, other, op);
  if (op != COMPARE_EQ && op != COMPARE_NE) return ASY_NOT_IMPLEMENTED;
  return self == other ? asy_from_bool(op == COMPARE_EQ) : ASY_NOT_IMPLEMENTED;
}

static asy_value native_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  return asy_call_kw(vm, self, nargs, args, kwnames);
}

static asy_value native_descr_get(asy_vm *vm, asy_value self, asy_value obj, asy_class *owner) {
  (void)owner;
  return obj == ASY_UNBOUND ? self : asy_method_new(vm, self, obj);
}

static asy_value native_get_name(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_obj(native_of(args[0])->name);
}

static asy_value native_get_qualname(asy_vm *vm, const asy_value *args) {
  asy_nativefunc *native = native_of(args[0]);
  asy_str *s = native->name;
  if (asy_is_kind(args[0], KIND_METHOD) && !asy_is_exact(args[0], KIND_METHOD_WRAPPER)) {
    asy_value self = bound_self(args[0]);
    asy_class *cls = asy_is_kind(self, KIND_TYPE) ? (asy_class *)asy_obj_of(self) : asy_class_of(vm, self);
    s = asy_str_format(vm, "%U.%U", cls->qualname, native->name);
  } else if (native->owner) {
    s = asy_str_format(vm, "%N.%U", native->owner, native->name);
  }
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value native_get_doc(asy_vm *vm, const asy_value *args) {
  return asy_doc_text(vm, native_of(args[0])->def->doc);
}

static asy_value native_get_module(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return native_of(args[0])->module;
}

static asy_value native_set_module(asy_vm *vm, const asy_value *args) {
  asy_nativefunc *native = native_of(args[0]);
  asy_store(vm, &native->head, &native->module, args[1] == ASY_UNBOUND ? ASY_NONE : args[1]);
  return ASY_NONE;
}

static asy_value native_get_self(asy_vm *vm, const asy_value *args) {
  asy_nativefunc *native = native_of(args[0]);
  asy_value self = bound_self(args[0]);
  if (self != ASY_UNBOUND) return self;
  if (native->owner) return asy_from_obj(native->owner); /* a __new__ */
  if (!asy_is_str(native->module)) return ASY_NONE;
  asy_value module = asy_dict_get_str(vm, vm->modules, (asy_str *)asy_obj_of(native->module));
  return module == ASY_UNBOUND ? ASY_NONE : module;
}

static asy_value native_get_objclass(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_obj(native_of(args[0])->owner);
}

static asy_value native_get_text_signature(asy_vm *vm, const asy_value *args) {
  /* for inspect: "(self" is "($self", and a default that is no value cannot be shown */
  const asy_nativefunc *native = native_of(args[0]);
  const char *text = asy_signature_text(vm, native->def->signature);
  if (!text) return ASY_FAILED;
  asy_buf out = {0};
  bool bound = !strncmp(text, "(self", 5), cls = !strncmp(text, "(cls", 4);
  asy_buf_text(&out, bound || cls ? "($" : native->owner ? "(" : text[1] == ')' ? "($module" : "($module, ");
  for (text++; *text; text++) {
    if (!strncmp(text, "=?", 2)) asy_buf_text(&out, "=<unrepresentable>"), text++;
    else asy_buf_char(&out, *text);
  }
  asy_value result = out.oom ? asy_raise_no_memory(vm) : asy_from_text(vm, out.data, out.len);
  asy_buf_free(&out);
  return result;
}

/* Rows that all classes of natives have. */
#define COMMON_ROWS                                                                                                    \
  {"__name__", SIG("(self)"), native_get_name, DOC("Its name."), ASY_NATIVE_GETTER},                                   \
    {"__qualname__", SIG("(self)"), native_get_qualname, DOC("Name with the class."), ASY_NATIVE_GETTER},              \
    {"__doc__", SIG("(self)"), native_get_doc, DOC("What it does."), ASY_NATIVE_GETTER},                               \
    {"__text_signature__", SIG("(self)"), native_get_text_signature, DOC("Its parameters as text."),                   \
     ASY_NATIVE_GETTER},
#define MODULE_ROWS                                                                                                    \
  {"__module__", SIG("(self)"), native_get_module, DOC("The name of its module."), ASY_NATIVE_GETTER},                 \
    {"__module__", SIG("(self, value)"), native_set_module, 0, ASY_NATIVE_SETTER},
#define SELF_ROW {"__self__", SIG("(self)"), native_get_self, DOC("What it is bound to."), ASY_NATIVE_GETTER},
#define CLASS_ROW                                                                                                      \
  {"__objclass__", SIG("(self)"), native_get_objclass, DOC("The class whose method it is."), ASY_NATIVE_GETTER},

static const asy_native native_methods[] = {COMMON_ROWS MODULE_ROWS SELF_ROW{0}};
static const asy_native descriptor_methods[] = {COMMON_ROWS CLASS_ROW{0}};
static const asy_native wrapper_methods[] = {COMMON_ROWS CLASS_ROW SELF_ROW{0}};

/* What the classes share; their objects are asy_nativefunc or, bound, asy_method. */
#define NATIVE_TYPE(c_struct) .size = sizeof(c_struct), .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW, .repr = native_repr

const asy_type asy_nativefunc_type = {
  .name = "builtin_function_or_method",
  NATIVE_TYPE(asy_nativefunc),
  .special = &(const asy_special){.call = native_call},
  .visit = native_visit,
  .free = native_free,
  .hash = native_hash,
  .compare = native_compare,
  .methods = native_methods,
};
#define DESCRIPTOR_TYPE(text)                                                                                          \
  {                                                                                                                    \
    .name = text, NATIVE_TYPE(asy_nativefunc), .visit = native_visit, .free = native_free,                             \
    .special = &(const asy_special){.call = native_call, .descr_get = native_descr_get}, .methods = descriptor_methods \
  }
const asy_type asy_method_descriptor_type = DESCRIPTOR_TYPE("method_descriptor");
const asy_type asy_wrapper_descriptor_type = DESCRIPTOR_TYPE("wrapper_descriptor");
const asy_type asy_method_wrapper_type = {
  .name = "method-wrapper",
  NATIVE_TYPE(asy_method),
  .special = &(const asy_special){.call = native_call},
  .hash = asy_method_hash,
  .compare = asy_method_compare,
  .methods = wrapper_methods,
};

/* ---- Signatures of natives: "(self, item, /, *, key=None)" ---------------------------------------------------------- */

typedef struct {
  asy_vm *vm;
  const char *at;
} signature_reader;

static void skip_spaces(signature_reader *r) {
  while (*r->at == ' ') r->at++;
}

static bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool starts_with(const char *text, const char *word, signature_reader *r) {
  size_t n = strlen(word);
  if (strncmp(text, word, n) != 0 || is_name_char(text[n])) return false;
  r->at += n;
  return true;
}

/* The default written at r; a literal as object.h lists them. */
static asy_value read_default(signature_reader *r) {
  const char *at = r->at;
  if (*at == '?') {
    r->at++;
    return ASY_UNBOUND;
  }
  if (starts_with(at, "None", r)) return ASY_NONE;
  if (starts_with(at, "True", r)) return ASY_TRUE;
  if (starts_with(at, "False", r)) return ASY_FALSE;
  if (at[0] == '(' && at[1] == ')') {
    r->at += 2;
    return asy_from_obj(r->vm->empty_tuple);
  }
  if (at[0] == 'b' && (at[1] == '\'' || at[1] == '"')) {
    const char *end = strchr(at + 2, at[1]);
    r->at = end + 1;
    return asy_from_bytes(r->vm, at + 2, (size_t)(end - at - 2));
  }
  if (*at == '\'' || *at == '"') {
    char text[32];
    size_t n = 0;
    const char *p = at + 1;
    for (; *p != *at; p++) {
      if (*p == '\\') {
        p++;
        text[n++] = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
      } else {
        text[n++] = *p;
      }
    }
    r->at = p + 1;
    return asy_from_text(r->vm, text, n);
  }
  char *end;
  long long i = strtoll(at, &end, 0);
  if (*end == '.' || *end == 'e') {
    double d = strtod(at, &end);
    r->at = end;
    return asy_from_double(r->vm, d);
  }
  r->at = end > at ? end : at + strcspn(at, ",)"); /* another word: shown, but passed as UNBOUND */
  return end > at ? asy_from_int64(r->vm, i) : ASY_UNBOUND;
}

static uint32_t count_parameters(const char *text) {
  uint32_t n = 1;
  for (; *text; text++) n += *text == ',';
  return n;
}

asy_signature *asy_native_signature(asy_vm *vm, asy_nativefunc *native) {
  if (native->signature) return native->signature;
  const char *text = asy_signature_text(vm, native->def->signature);
  if (!text) return NULL;
  uint32_t cap = count_parameters(text);
  asy_str *names[64];
  asy_value defaults[64];
  asy_signature draft = {.varargs = -1, .varkw = -1};
  if (cap > 64 || text[0] != '(') {
    asy_raise(vm, ASY_SystemError, "native %s: bad signature %s", native->def->name, text);
    return NULL;
  }
  signature_reader r = {vm, text + 1};
  bool keyword_only = false, optional = false;
  for (skip_spaces(&r); *r.at && *r.at != ')'; skip_spaces(&r)) {
    if (*r.at == '/') {
      draft.nposonly = draft.nparams;
      r.at++;
    } else if (*r.at == '*' && (r.at[1] == ',' || r.at[1] == ' ')) {
      keyword_only = true;
      r.at++;
    } else {
      int stars = 0;
      while (*r.at == '*') {
        stars++;
        r.at++;
      }
      const char *name = r.at;
      while (is_name_char(*r.at)) r.at++;
      char buffer[64];
      size_t length = (size_t)(r.at - name) < sizeof buffer ? (size_t)(r.at - name) : sizeof buffer - 1;
      memcpy(buffer, name, length);
      buffer[length] = 0;
      uint32_t i = draft.nparams++;
      names[i] = asy_intern(vm, buffer);
      if (!names[i]) return NULL;
      defaults[i] = 0;
      if (stars == 1) {
        draft.varargs = (int16_t)i;
        keyword_only = true;
      } else if (stars == 2) {
        draft.varkw = (int16_t)i;
      } else if (keyword_only) {
        draft.nkwonly++;
      } else {
        draft.npos++;
      }
      skip_spaces(&r);
      if (*r.at == '=') {
        r.at++;
        skip_spaces(&r);
        defaults[i] = read_default(&r);
        if (defaults[i] == ASY_FAILED) return NULL;
        optional = true;
      } else if (!stars && !keyword_only) {
        draft.nrequired++;
      }
    }
    skip_spaces(&r);
    if (*r.at == ',') r.at++;
  }
  draft.exact = !optional && !draft.nkwonly && draft.varargs < 0 && draft.varkw < 0;
  draft.plain = draft.varargs < 0 && draft.varkw < 0;
  for (uint32_t i = draft.npos; i < draft.nparams; i++) draft.plain &= defaults[i] != 0;
  uint32_t n = draft.nparams;
  asy_signature *s = asy_mem_alloc(vm, sizeof *s + n * (sizeof *names + sizeof *defaults));
  if (!s) return NULL;
  *s = draft;
  s->defaults = (asy_value *)(s + 1);
  s->names = (asy_str **)(s->defaults + n);
  memcpy(s->defaults, defaults, n * sizeof *defaults);
  memcpy(s->names, names, n * sizeof *names);
  native->signature = s;
  asy_barrier(vm, native);
  return s;
}
