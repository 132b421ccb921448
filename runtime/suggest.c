/* suggest.c - "Did you mean": the name that was probably meant, found as CPython 3.13 finds it: the least edit distance among what
 * could have been written there, when at most a third of the letters differ. */
#include "runtime/builtins.h"
#include "runtime/class.h"
#include "runtime/traceback.h"

enum { NAME_MOST = 40, CANDIDATES_MOST = 750, MOVE_COST = 2, CASE_COST = 1 };

static uint32_t lower(uint32_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

static unsigned substitution_cost(uint32_t a, uint32_t b) {
  return a == b ? 0 : lower(a) == lower(b) ? CASE_COST : MOVE_COST;
}

typedef struct {
  const asy_str *s;
  uint32_t start, end;
} span;
static uint32_t at(const span *p, uint32_t i) { return asy_str_at(p->s, p->start + i); }
static uint32_t length(const span *p) { return p->end - p->start; }

/* The cost of changing one name into the other; more than `most` means just that. */
static unsigned edit_distance(const asy_str *x, const asy_str *y, unsigned most) {
  span a = {x, 0, x->len}, b = {y, 0, y->len};
  while (length(&a) && length(&b) && at(&a, 0) == at(&b, 0)) a.start++, b.start++;
  while (length(&a) && length(&b) && at(&a, length(&a) - 1) == at(&b, length(&b) - 1)) a.end--, b.end--;
  if (!length(&a) || !length(&b)) return MOVE_COST * (length(&a) + length(&b));
  if (length(&a) > NAME_MOST || length(&b) > NAME_MOST) return most + 1;
  if (length(&b) < length(&a)) {
    span swap = a;
    a = b;
    b = swap;
  }
  if ((length(&b) - length(&a)) * MOVE_COST > most) return most + 1;
  unsigned row[NAME_MOST], result = 0;
  for (uint32_t i = 0; i < length(&a); i++) row[i] = (i + 1) * MOVE_COST;
  for (uint32_t j = 0; j < length(&b); j++) {
    unsigned distance = result = j * MOVE_COST, least = UINT32_MAX;
    for (uint32_t i = 0; i < length(&a); i++) {
      unsigned substitute = distance + substitution_cost(at(&b, j), at(&a, i));
      distance = row[i];
      unsigned insert = (result < distance ? result : distance) + MOVE_COST;
      result = insert < substitute ? insert : substitute;
      row[i] = result;
      if (result < least) least = result;
    }
    if (least > most) return most + 1;
  }
  return result;
}

/* The best of the names in `list`, or NULL. Entries that are no str are passed over. */
asy_str *asy_closest_name(const asy_list *list, const asy_str *wrong) {
  if (list->len > CANDIDATES_MOST || wrong->len > NAME_MOST) return NULL;
  asy_str *suggestion = NULL;
  unsigned best = UINT32_MAX; /* none yet */
  for (uint32_t i = 0; i < list->len; i++) {
    if (!asy_is_str(list->items[i])) continue;
    asy_str *name = (asy_str *)asy_obj_of(list->items[i]);
    if (asy_str_equal(name, wrong)) continue;
    unsigned most = (name->len + wrong->len + 3) * MOVE_COST / 6;
    if (best != UINT32_MAX && most > best - 1) most = best - 1;
    unsigned distance = edit_distance(wrong, name, most);
    if (distance > most) continue;
    if (!suggestion || distance < best) {
      suggestion = name;
      best = distance;
    }
  }
  return suggestion;
}

static asy_traceback *innermost(const asy_exception *e) {
  asy_traceback *t = e->traceback;
  while (t && t->next) t = t->next;
  return t;
}

/* The innermost frame is a method of obj's class: `self` may well be obj, and private names are its business. */
static bool raised_in_method_of(asy_vm *vm, const asy_exception *e, asy_value obj) {
  asy_traceback *t = innermost(e);
  if (!t || !t->func->code->argcount || !asy_str_equal_cstr(t->func->code->varnames[0], "self")) return false;
  asy_value found;
  asy_class *owner;
  asy_class_find(vm, asy_class_of(vm, obj), t->func->name, &found, &owner);
  return owner && asy_is_kind(found, KIND_FUNCTION) && ((asy_func *)asy_obj_of(found))->code == t->func->code;
}

static asy_list *without_private(asy_vm *vm, asy_list *list) {
  asy_list *kept = asy_list_new(vm, list->len);
  for (uint32_t i = 0; kept && i < list->len; i++) {
    asy_value v = list->items[i];
    bool hidden = asy_is_str(v) && ((asy_str *)asy_obj_of(v))->len && asy_str_at((asy_str *)asy_obj_of(v), 0) == '_';
    if (!hidden && !asy_list_append(vm, kept, v)) return NULL;
  }
  return kept;
}

static asy_list *attribute_names(asy_vm *vm, asy_value obj, bool hide_private) {
  asy_value names = asy_dir(vm, obj);
  if (names == ASY_FAILED || !asy_is_kind(names, KIND_LIST)) return NULL;
  asy_list *list = (asy_list *)asy_obj_of(names);
  return hide_private ? without_private(vm, list) : list;
}

static asy_list *visible_names(asy_vm *vm, const asy_exception *e) {
  asy_traceback *t = innermost(e);
  asy_list *list = t ? asy_list_new(vm, 64) : NULL;
  if (!list) return NULL;
  const asy_code *code = t->func->code;
  for (uint32_t i = 0; i < code->nlocals; i++)
    if (code->varnames[i]->len && !asy_list_append(vm, list, asy_from_obj(code->varnames[i]))) return NULL;
  for (uint32_t i = 0; i < code->nfreevars; i++)
    if (!asy_list_append(vm, list, asy_from_obj(code->freevars[i]))) return NULL;
  if (!asy_list_extend(vm, list, asy_from_obj(t->func->globals))) return NULL;
  return asy_list_extend(vm, list, asy_from_obj(vm->builtins)) ? list : NULL;
}

/* "Did you forget to import 'x'?" */
static bool is_stdlib_module(asy_vm *vm, asy_str *name) {
  asy_value module = asy_import(vm, "_sys");
  asy_value names = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "stdlib_module_names");
  int found = asy_failed(names) ? -1 : asy_contains(vm, names, asy_from_obj(name));
  if (found < 0) asy_clear_exception(vm);
  return found > 0;
}

/* The module that the exception misses; NULL unless it lies at the top. */
static asy_str *missing_module(asy_vm *vm, asy_value exception) {
  asy_value name = asy_exception_of(exception)->fields[FIELD_IMPORT_NAME];
  if (!name || !asy_is_str(name)) return NULL;
  asy_str *text = (asy_str *)asy_obj_of(name);
  for (uint32_t i = 0; i < text->len; i++)
    if (asy_str_at(text, i) == '.') return NULL;
  return text;
}

bool asy_is_missing_stdlib(asy_vm *vm, asy_value exception) {
  asy_str *name = missing_module(vm, exception);
  return name && is_stdlib_module(vm, name);
}

/* The top-level modules of the binary, without those that are others' business. */
static asy_list *module_names(asy_vm *vm) {
  asy_list *list = asy_list_new(vm, 256);
  const asy_embedded *module = list ? asy_embedded_modules(vm) : NULL;
  for (; module && module->name; module++) {
    if (*module->name == '_' || strchr(module->name, '.')) continue;
    asy_value name = asy_from_cstr(vm, module->name);
    if (asy_failed(name) || !asy_list_append(vm, list, name)) return NULL;
  }
  for (const asy_module_def *const *def = asy_native_modules; list && *def; def++) {
    asy_value name = *(*def)->name == '_' ? ASY_NONE : asy_from_cstr(vm, (*def)->name);
    if (asy_failed(name) || !asy_list_append(vm, list, name)) return NULL;
  }
  return list;
}

static void add_name(asy_vm *vm, asy_sink *out, const char *before, asy_str *name, const char *after) {
  size_t n;
  asy_value keep;
  const char *text = asy_str_utf8(vm, name, &n, &keep);
  if (!text) return;
  asy_sink_text(out, before);
  asy_sink_add(out, text, n);
  asy_sink_text(out, after);
}

void asy_suggest(asy_vm *vm, asy_value exception, asy_sink *out) {
  const asy_exception *e = asy_exception_of(exception);
  bool attribute = asy_is_instance(vm, exception, vm->exceptions[ASY_AttributeError]);
  bool name_error = asy_is_instance(vm, exception, vm->exceptions[ASY_NameError]);
  bool import = asy_is_instance(vm, exception, vm->exceptions[ASY_ImportError]);
  if (asy_is_instance(vm, exception, vm->exceptions[ASY_ModuleNotFoundError])) {
    asy_str *missing = missing_module(vm, exception);
    asy_list *modules = missing && missing->len > 2 && !is_stdlib_module(vm, missing) ? module_names(vm) : NULL;
    asy_str *meant = modules ? asy_closest_name(modules, missing) : NULL;
    if (meant) add_name(vm, out, ". Did you mean: '", meant, "'?");
    return asy_clear_exception(vm);
  }
  asy_value wrong = attribute || name_error ? e->fields[FIELD_NAME] : import ? e->fields[FIELD_IMPORT_FROM] : 0;
  if (!wrong || !asy_is_str(wrong)) return;
  asy_str *name = (asy_str *)asy_obj_of(wrong);
  bool private = name->len && asy_str_at(name, 0) == '_';
  asy_list *names = NULL;
  if (attribute && e->fields[FIELD_OBJ]) {
    asy_value obj = e->fields[FIELD_OBJ];
    names = attribute_names(vm, obj, !private && !raised_in_method_of(vm, e, obj));
  } else if (import && e->fields[FIELD_IMPORT_NAME] && asy_is_str(e->fields[FIELD_IMPORT_NAME])) {
    asy_value module;
    int found = asy_dict_get(vm, vm->modules, e->fields[FIELD_IMPORT_NAME], &module);
    if (found > 0) names = attribute_names(vm, module, !private);
  } else if (name_error) {
    names = visible_names(vm, e);
  }
  asy_clear_exception(vm);
  asy_value on_self;
  if (name_error && names && e->fields[FIELD_OBJ] && asy_find_attr(vm, e->fields[FIELD_OBJ], name, &on_self) > 0) {
    add_name(vm, out, ". Did you mean: 'self.", name, "'?");
    names = NULL;
  }
  asy_str *suggestion = names ? asy_closest_name(names, name) : NULL;
  if (suggestion) add_name(vm, out, ". Did you mean: '", suggestion, "'?");
  if (name_error && is_stdlib_module(vm, name))
    add_name(vm, out, suggestion ? " Or did you forget to import '" : ". Did you forget to import '", name, "'?");
  asy_clear_exception(vm);
}
