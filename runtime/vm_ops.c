/* vm_ops.c - what instructions do when it is not short: names, unpacking, building, imports, functions, patterns, special methods.
 */
#include "lang/opcode.h"
#include "runtime/builtins.h"
#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/frame.h"
#include "runtime/import.h"

/* ---- Names --------------------------------------------------------------------------------------------------------- */

asy_value asy_raise_name(asy_vm *vm, asy_str *name) {
  asy_value e = asy_new_exception(vm, ASY_NameError, "name '%U' is not defined", name);
  if (e == ASY_FAILED || !asy_set_attr(vm, e, ASY_NAME(vm, name), asy_from_obj(name))) return ASY_FAILED;
  return asy_raise_value(vm, e);
}

asy_value asy_op_unbound(asy_vm *vm, asy_str *name, bool free) {
  asy_value e = free ? asy_new_exception(
                         vm, ASY_NameError,
                         "cannot access free variable '%U' where it is not associated with a value in enclosing scope",
                         name)
                     : asy_new_exception(vm, ASY_UnboundLocalError,
                                         "cannot access local variable '%U' where it is not associated with a value",
                                         name);
  if (e == ASY_FAILED || (free && !asy_set_attr(vm, e, ASY_NAME(vm, name), asy_from_obj(name)))) return ASY_FAILED;
  return asy_raise_value(vm, e);
}

/* The name in a namespace that may be any mapping: 1, 0, -1. */
static int find_in_namespace(asy_vm *vm, asy_value ns, asy_str *name, asy_value *out) {
  if (asy_is_exact(ns, KIND_DICT)) {
    *out = asy_dict_get_str(vm, (asy_dict *)asy_obj_of(ns), name);
    return *out != ASY_UNBOUND;
  }
  *out = asy_get_item(vm, ns, asy_from_obj(name));
  if (*out != ASY_FAILED) return 1;
  if (!asy_raised_is(vm, ASY_KeyError)) return -1;
  asy_clear_exception(vm);
  return 0;
}

asy_value asy_op_load_name(asy_vm *vm, asy_value ns, asy_func *func, asy_str *name) {
  asy_value v;
  int found = find_in_namespace(vm, ns, name, &v);
  if (found) return found > 0 ? v : ASY_FAILED;
  v = asy_dict_get_str(vm, func->globals, name);
  if (v != ASY_UNBOUND) return v;
  v = func->builtins ? asy_dict_get_str(vm, func->builtins, name) : ASY_UNBOUND;
  return v != ASY_UNBOUND ? v : asy_raise_name(vm, name);
}

bool asy_op_store_name(asy_vm *vm, asy_value ns, asy_str *name, asy_value v) {
  if (asy_is_exact(ns, KIND_DICT)) return asy_dict_set_str(vm, (asy_dict *)asy_obj_of(ns), name, v);
  return asy_set_item(vm, ns, asy_from_obj(name), v);
}

bool asy_op_delete_name(asy_vm *vm, asy_value ns, asy_str *name) {
  if (asy_is_exact(ns, KIND_DICT)) {
    int deleted = asy_dict_delete(vm, (asy_dict *)asy_obj_of(ns), asy_from_obj(name), NULL);
    if (deleted == 0) asy_raise_name(vm, name);
    return deleted > 0;
  }
  if (asy_del_item(vm, ns, asy_from_obj(name))) return true;
  if (asy_raised_is(vm, ASY_KeyError)) {
    asy_clear_exception(vm);
    asy_raise_name(vm, name);
  }
  return false;
}

asy_value asy_op_load_free_class(asy_vm *vm, asy_value ns, asy_func *func, unsigned i) {
  asy_value v;
  int found = find_in_namespace(vm, ns, func->code->freevars[i], &v);
  if (found) return found > 0 ? v : ASY_FAILED;
  v = ((asy_cell *)asy_obj_of(func->closure->items[i]))->value;
  return v != ASY_UNBOUND ? v : asy_op_unbound(vm, func->code->freevars[i], true);
}

/* ---- Special methods of `with` --------------------------------------------------------------------------------------- */

asy_value asy_op_load_special(asy_vm *vm, asy_value *a, asy_value object, unsigned which) {
  static const uint16_t names[] = {NAME___enter__, NAME___exit__, NAME___aenter__, NAME___aexit__};
  asy_value fn, self;
  int found = asy_find_special(vm, object, vm->names[names[which]], &fn, &self);
  if (found < 0) return ASY_FAILED;
  if (found) {
    a[0] = fn;
    a[1] = self;
    return ASY_NONE;
  }
  bool async = which >= SPECIAL_AENTER;
  const char *missed = which == SPECIAL_EXIT    ? " (missed __exit__ method)"
                       : which == SPECIAL_AEXIT ? " (missed __aexit__ method)"
                                                : "";
  return asy_raise(vm, ASY_TypeError, "'%T' object does not support the %scontext manager protocol%s", object,
                   async ? "asynchronous " : "", missed);
}

/* ---- Unpacking ----------------------------------------------------------------------------------------------------- */

int asy_is_iterable(asy_vm *vm, asy_value v) {
  asy_value fn, self;
  int found = asy_find_special(vm, v, ASY_NAME(vm, __iter__), &fn, &self);
  return found ? found : asy_find_special(vm, v, ASY_NAME(vm, __getitem__), &fn, &self);
}

static asy_value iterate_to_unpack(asy_vm *vm, asy_value v) {
  asy_value it = asy_iter(vm, v);
  if (it == ASY_FAILED && asy_raised_is(vm, ASY_TypeError)) {
    asy_value pending = asy_take_exception(vm);
    int found = asy_is_iterable(vm, v);
    if (found == 0) return asy_raise(vm, ASY_TypeError, "cannot unpack non-iterable %T object", v);
    if (found > 0) asy_set_exception(vm, pending);
  }
  return it;
}

bool asy_op_unpack(asy_vm *vm, asy_value *regs, asy_value iterable, uint32_t n) {
  if (asy_is_exact(iterable, KIND_TUPLE) || asy_is_exact(iterable, KIND_LIST)) {
    asy_list *list = (asy_list *)asy_obj_of(iterable);
    bool tuple = asy_is_exact(iterable, KIND_TUPLE);
    uint32_t len = tuple ? ((asy_tuple *)list)->len : list->len;
    if (len == n) {
      memcpy(regs, tuple ? ((asy_tuple *)list)->items : list->items, n * sizeof *regs);
      return true;
    }
    if (len > n) asy_raise(vm, ASY_ValueError, "too many values to unpack (expected %u)", n);
    else asy_raise(vm, ASY_ValueError, "not enough values to unpack (expected %u, got %u)", n, len);
    return false;
  }
  asy_value it = iterate_to_unpack(vm, iterable);
  if (it == ASY_FAILED) return false;
  for (uint32_t i = 0; i < n; i++) {
    asy_value v = asy_next(vm, it);
    if (v == ASY_FAILED) return false;
    if (v == ASY_END) {
      asy_raise(vm, ASY_ValueError, "not enough values to unpack (expected %u, got %u)", n, i);
      return false;
    }
    regs[i] = v;
  }
  asy_value rest = asy_next(vm, it);
  if (rest == ASY_FAILED) return false;
  if (rest == ASY_END) return true;
  asy_raise(vm, ASY_ValueError, "too many values to unpack (expected %u)", n);
  return false;
}

bool asy_op_unpack_ex(asy_vm *vm, asy_value *regs, asy_value iterable, uint32_t before, uint32_t after) {
  asy_value it = iterate_to_unpack(vm, iterable);
  asy_list *list = it == ASY_FAILED ? NULL : asy_list_new(vm, 0);
  if (!list || !asy_list_extend(vm, list, it)) return false;
  if (list->len < before + after) {
    asy_raise(vm, ASY_ValueError, "not enough values to unpack (expected at least %u, got %u)", before + after,
              list->len);
    return false;
  }
  uint32_t rest = list->len - before - after;
  memcpy(regs, list->items, before * sizeof *regs);
  memcpy(regs + before + 1, list->items + before + rest, after * sizeof *regs);
  asy_list *middle = asy_list_from(vm, list->items + before, rest);
  if (!middle) return false;
  regs[before] = asy_from_obj(middle);
  return true;
}

/* ---- Building ------------------------------------------------------------------------------------------------------ */

asy_value asy_op_build_string(asy_vm *vm, const asy_value *parts, uint32_t n) {
  asy_str *s = asy_str_join(vm, vm->empty_str, parts, n);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

asy_value asy_op_build_map(asy_vm *vm, const asy_value *pairs, uint32_t n) {
  asy_dict *dict = asy_dict_new(vm, n);
  for (uint32_t i = 0; dict && i < n; i++)
    if (!asy_dict_set(vm, dict, pairs[2 * i], pairs[2 * i + 1])) return ASY_FAILED;
  return dict ? asy_from_obj(dict) : ASY_FAILED;
}

asy_value asy_op_build_set(asy_vm *vm, const asy_value *items, uint32_t n) {
  asy_set *set = asy_set_new(vm, KIND_SET);
  for (uint32_t i = 0; set && i < n; i++)
    if (asy_set_add(vm, set, items[i]) < 0) return ASY_FAILED;
  return set ? asy_from_obj(set) : ASY_FAILED;
}

bool asy_op_list_extend(asy_vm *vm, asy_value list, asy_value iterable) {
  if (asy_list_extend(vm, (asy_list *)asy_obj_of(list), iterable)) return true;
  if (!asy_raised_is(vm, ASY_TypeError)) return false;
  asy_value pending = asy_take_exception(vm);
  int found = asy_is_iterable(vm, iterable);
  if (found == 0) asy_raise(vm, ASY_TypeError, "Value after * must be an iterable, not %T", iterable);
  else asy_set_exception(vm, pending);
  return false;
}

bool asy_op_dict_update(asy_vm *vm, asy_value dict, asy_value mapping) {
  if (asy_dict_merge(vm, (asy_dict *)asy_obj_of(dict), mapping, true)) return true;
  if (asy_raised_is(vm, ASY_AttributeError)) {
    asy_clear_exception(vm);
    asy_raise(vm, ASY_TypeError, "'%T' object is not a mapping", mapping);
  }
  return false;
}

asy_str *asy_callee_text(asy_vm *vm, asy_value callee) {
  asy_value name;
  if (asy_find_attr(vm, callee, ASY_NAME(vm, __qualname__), &name) > 0 && asy_is_str(name)) {
    asy_value module;
    if (!asy_is_kind(callee, KIND_TYPE) && asy_find_attr(vm, callee, ASY_NAME(vm, __module__), &module) > 0 &&
        asy_is_str(module) && !asy_str_equal_cstr((asy_str *)asy_obj_of(module), "builtins"))
      return asy_str_format(vm, "%S.%S()", module, name);
    return asy_str_format(vm, "%S()", name);
  }
  if (asy_raised(vm)) asy_clear_exception(vm);
  return asy_str_format(vm, "%S", callee);
}

static bool merge_pair(asy_vm *vm, asy_dict *into, asy_value key, asy_value value, asy_value callee) {
  asy_value old;
  int found = asy_dict_get(vm, into, key, &old);
  if (found > 0) {
    asy_str *text = asy_callee_text(vm, callee);
    if (text) asy_raise(vm, ASY_TypeError, "%U got multiple values for keyword argument '%S'", text, key);
  }
  return found == 0 && asy_dict_set(vm, into, key, value);
}

/* What is no dict: by its keys(), which may name one twice. */
static bool merge_mapping(asy_vm *vm, asy_dict *into, asy_value mapping, asy_value keys, asy_value callee) {
  asy_value iterator = asy_iter(vm, keys);
  if (iterator == ASY_FAILED) return false;
  for (;;) {
    asy_value key = asy_next(vm, iterator);
    if (key == ASY_END) return true;
    asy_value value = key == ASY_FAILED ? ASY_FAILED : asy_get_item(vm, mapping, key);
    if (value == ASY_FAILED || !merge_pair(vm, into, key, value, callee)) return false;
  }
}

bool asy_op_dict_merge(asy_vm *vm, asy_value dict, asy_value mapping, asy_value callee) {
  asy_dict *into = (asy_dict *)asy_obj_of(dict);
  asy_dict *from = NULL;
  if (asy_is_exact(mapping, KIND_DICT)) {
    from = (asy_dict *)asy_obj_of(mapping);
  } else {
    from = asy_dict_new(vm, 0);
    if (!from) return false;
    asy_value keys;
    int has_keys = asy_is_kind(mapping, KIND_DICT) ? 0 : asy_find_attr(vm, mapping, ASY_NAME(vm, keys), &keys);
    if (has_keys < 0) return false;
    if (has_keys) {
      keys = asy_call0(vm, keys);
      return keys != ASY_FAILED && merge_mapping(vm, into, mapping, keys, callee);
    }
    if (!asy_dict_merge(vm, from, mapping, true)) {
      if (!asy_raised_is(vm, ASY_AttributeError)) return false;
      asy_clear_exception(vm);
      asy_str *text = asy_callee_text(vm, callee);
      if (text) asy_raise(vm, ASY_TypeError, "%U argument after ** must be a mapping, not %T", text, mapping);
      return false;
    }
  }
  uint32_t position = 0;
  asy_value key, value;
  while (asy_dict_next(from, &position, &key, &value))
    if (!merge_pair(vm, into, key, value, callee)) return false;
  return true;
}

asy_value asy_op_format(asy_vm *vm, const asy_value *b, unsigned c) {
  asy_value v = b[0];
  switch (c & 3) {
    case 1: v = asy_str_of(vm, v); break;
    case 2: v = asy_repr(vm, v); break;
    case 3: v = asy_ascii(vm, v); break;
  }
  if (v == ASY_FAILED) return ASY_FAILED;
  if (!(c & 4) && asy_is_exact(v, KIND_STR)) return v;
  return asy_format(vm, v, c & 4 ? b[1] : asy_from_obj(vm->empty_str));
}

/* ---- Iteration protocols ------------------------------------------------------------------------------------------- */

asy_value asy_op_get_aiter(asy_vm *vm, asy_value v) {
  if (asy_is_exact(v, KIND_ASYNC_GENERATOR)) return v;
  asy_value it = asy_call_special(vm, v, ASY_NAME(vm, __aiter__), 0, NULL);
  if (it == ASY_UNBOUND)
    return asy_raise(vm, ASY_TypeError, "'async for' requires an object with __aiter__ method, got %T", v);
  if (it == ASY_FAILED || asy_is_exact(it, KIND_ASYNC_GENERATOR)) return it;
  asy_value fn, self;
  int found = asy_find_special(vm, it, ASY_NAME(vm, __anext__), &fn, &self);
  if (found == 0)
    return asy_raise(vm, ASY_TypeError,
                     "'async for' received an object from __aiter__ that does not implement __anext__: %T", it);
  return found < 0 ? ASY_FAILED : it;
}

asy_value asy_op_yield_from_iter(asy_vm *vm, asy_value v) {
  if (asy_is_kind(v, KIND_GENERATOR)) return v;
  if (asy_is_kind(v, KIND_COROUTINE)) {
    if (asy_frame_code(vm->base)->flags & (CODE_ITERABLE_COROUTINE | CODE_COROUTINE)) return v;
    return asy_raise(vm, ASY_TypeError, "cannot 'yield from' a coroutine object in a non-coroutine generator");
  }
  return asy_iter(vm, v);
}

/* ---- Exceptions ---------------------------------------------------------------------------------------------------- */

void asy_op_exc_info(asy_vm *vm, asy_value *a, asy_value exception) {
  asy_traceback *traceback = asy_exception_of(exception)->traceback;
  a[0] = asy_from_obj(asy_class_of(vm, exception));
  a[1] = exception;
  a[2] = traceback ? asy_from_obj(traceback) : ASY_NONE;
}

bool asy_op_match_exc_group(asy_vm *vm, asy_value *a, asy_value exception, asy_value what) {
  return asy_exception_group_match(vm, exception, what, &a[0], &a[1]);
}

asy_value asy_op_merge_exc_group(asy_vm *vm, asy_value original, asy_value list) {
  return asy_exception_group_merge(vm, original, (asy_list *)asy_obj_of(list));
}

/* ---- Modules and functions ----------------------------------------------------------------------------------------- */

asy_value asy_op_import_name(asy_vm *vm, asy_str *name, asy_value fromlist, asy_value level) {
  asy_func *func = asy_frame_func(vm->base);
  asy_value import = func->builtins ? asy_dict_get_str(vm, func->builtins, ASY_NAME(vm, __import__)) : ASY_UNBOUND;
  if (import == ASY_UNBOUND) return asy_raise(vm, ASY_ImportError, "__import__ not found");
  if (asy_is_kind(import, KIND_NATIVE))
    return asy_import_name(vm, name, func->globals, fromlist, (int)asy_small(level));
  asy_value args[] = {asy_from_obj(name), asy_from_obj(func->globals),
                      func->code->flags & CODE_OPTIMIZED ? ASY_NONE : vm->base[0], fromlist, level};
  return asy_call(vm, import, 5, args);
}

asy_value asy_op_import_from(asy_vm *vm, asy_value module, asy_str *name) { return asy_import_from(vm, module, name); }

bool asy_op_import_star(asy_vm *vm, asy_value module, asy_value ns) { return asy_import_star(vm, module, ns); }

asy_value asy_op_make_function(asy_vm *vm, asy_code *code, const asy_value *parts, unsigned which) {
  asy_func *caller = asy_frame_func(vm->base);
  asy_func *func = asy_func_new(vm, code, caller->globals);
  if (!func) return ASY_FAILED;
  func->builtins = caller->builtins;
  if (which & PART_DEFAULTS) func->defaults = (asy_tuple *)asy_obj_of(*parts++);
  if (which & PART_KWDEFAULTS) func->kwdefaults = (asy_dict *)asy_obj_of(*parts++);
  if (which & PART_ANNOTATIONS) func->annotations = *parts++;
  if (which & PART_CLOSURE) func->closure = (asy_tuple *)asy_obj_of(*parts++);
  if (which & PART_TYPE_PARAMS) func->type_params = *parts;
  return asy_from_obj(func);
}

bool asy_op_setup_annotations(asy_vm *vm, asy_value ns) {
  asy_value v;
  int found = find_in_namespace(vm, ns, ASY_NAME(vm, __annotations__), &v);
  if (found) return found > 0;
  asy_dict *dict = asy_dict_new(vm, 0);
  return dict && asy_op_store_name(vm, ns, ASY_NAME(vm, __annotations__), asy_from_obj(dict));
}

bool asy_op_drop(asy_vm *vm, asy_value v) {
  asy_coro *coro = (asy_coro *)asy_obj_of(v);
  if (coro->state == CORO_CREATED && !coro->warned) {
    coro->warned = true;
    asy_warn_never_awaited(vm, coro);
  }
  return !asy_raised(vm);
}

/* ---- Patterns ------------------------------------------------------------------------------------------------------ */

int asy_op_match_type(asy_vm *vm, asy_value v, uint32_t type_flag) {
  const asy_class *cls = asy_class_of(vm, v);
  for (const asy_type *type = cls->type; type; type = type->base)
    if (type->flags & type_flag) return 1;
  if (cls->flags & ASY_CLASS_BUILTIN) return 0;
  uint32_t class_flag = type_flag == ASY_TYPE_SEQUENCE ? ASY_CLASS_SEQUENCE : ASY_CLASS_MAPPING;
  for (uint32_t i = 0; i < cls->mro->len; i++)
    if (((const asy_class *)asy_obj_of(cls->mro->items[i]))->flags & class_flag) return 1;
  return 0;
}

asy_value asy_op_match_keys(asy_vm *vm, asy_value mapping, asy_value keys) {
  asy_tuple *wanted = (asy_tuple *)asy_obj_of(keys);
  asy_tuple *values = asy_tuple_new(vm, NULL, wanted->len);
  asy_set *seen = asy_set_new(vm, KIND_SET);
  asy_value get = wanted->len ? asy_get_attr(vm, mapping, ASY_NAME(vm, get)) : ASY_NONE;
  if (!values || !seen || get == ASY_FAILED) return ASY_FAILED;
  asy_obj *absent = asy_alloc(vm, KIND_OBJECT, KIND_OBJECT, sizeof(asy_obj) + 8);
  if (!absent) return ASY_FAILED;
  for (uint32_t i = 0; i < wanted->len; i++) {
    int added = asy_set_add(vm, seen, wanted->items[i]);
    if (added < 0) return ASY_FAILED;
    if (added == 0) return asy_raise(vm, ASY_ValueError, "mapping pattern checks duplicate key (%R)", wanted->items[i]);
    asy_value v = asy_call2(vm, get, wanted->items[i], asy_from_obj(absent));
    if (v == ASY_FAILED) return ASY_FAILED;
    if (v == asy_from_obj(absent)) return ASY_NONE;
    asy_store(vm, values, &values->items[i], v);
  }
  return asy_from_obj(values);
}

/* Built-in classes whose one positional pattern is the subject itself. */
static bool matches_itself(asy_vm *vm, asy_class *cls) {
  static const uint8_t kinds[] = {KIND_BOOL, KIND_BYTEARRAY, KIND_BYTES, KIND_DICT, KIND_FLOAT, KIND_FROZENSET,
                                  KIND_INT,  KIND_LIST,      KIND_SET,   KIND_STR,  KIND_TUPLE};
  for (size_t i = 0; i < sizeof kinds; i++)
    if (asy_is_subclass(cls, vm->classes[kinds[i]])) return true;
  return false;
}

/* An attribute a class pattern asks for: 1, 0 absent, -1; "got multiple sub-patterns" when it was asked for before. */
static int pattern_attribute(asy_vm *vm, asy_value subject, asy_class *cls, asy_value name, asy_set *seen,
                             asy_value *out) {
  int added = asy_set_add(vm, seen, name);
  if (added < 0) return -1;
  if (added == 0) {
    asy_raise(vm, ASY_TypeError, "%N() got multiple sub-patterns for attribute %R", cls, name);
    return -1;
  }
  return asy_find_attr(vm, subject, asy_str_intern(vm, (asy_str *)asy_obj_of(name)), out);
}

asy_value asy_op_match_class(asy_vm *vm, asy_value subject, asy_value cls_value, uint32_t npos, asy_value kwnames) {
  if (!asy_is_kind(cls_value, KIND_TYPE)) return asy_raise(vm, ASY_TypeError, "called match pattern must be a class");
  asy_class *cls = (asy_class *)asy_obj_of(cls_value);
  int instance = asy_isinstance(vm, subject, cls_value);
  if (instance <= 0) return instance < 0 ? ASY_FAILED : ASY_NONE;
  asy_tuple *names = asy_is_kind(kwnames, KIND_TUPLE) ? (asy_tuple *)asy_obj_of(kwnames) : vm->empty_tuple;
  asy_tuple *values = asy_tuple_new(vm, NULL, npos + names->len);
  asy_set *seen = asy_set_new(vm, KIND_SET);
  if (!values || !seen) return ASY_FAILED;
  uint32_t at = 0;
  asy_value v;
  if (npos) {
    asy_value match_args;
    int found = asy_find_attr(vm, cls_value, ASY_NAME(vm, __match_args__), &match_args);
    if (found < 0) return ASY_FAILED;
    if (found && !asy_is_kind(match_args, KIND_TUPLE))
      return asy_raise(vm, ASY_TypeError, "%N.__match_args__ must be a tuple (got %T)", cls, match_args);
    bool itself = !found && matches_itself(vm, cls);
    asy_tuple *positions = found ? (asy_tuple *)asy_obj_of(match_args) : vm->empty_tuple;
    uint32_t allowed = itself ? 1 : positions->len;
    if (npos > allowed)
      return asy_raise(vm, ASY_TypeError, "%N() accepts %u positional sub-pattern%s (%u given)", cls, allowed,
                       allowed == 1 ? "" : "s", npos);
    if (itself) {
      asy_store(vm, values, &values->items[at++], subject);
    } else {
      for (uint32_t i = 0; i < npos; i++) {
        asy_value name = positions->items[i];
        if (!asy_is_str(name))
          return asy_raise(vm, ASY_TypeError, "__match_args__ elements must be strings (got %T)", name);
        int has = pattern_attribute(vm, subject, cls, name, seen, &v);
        if (has <= 0) return has < 0 ? ASY_FAILED : ASY_NONE;
        asy_store(vm, values, &values->items[at++], v);
      }
    }
  }
  for (uint32_t i = 0; i < names->len; i++) {
    int has = pattern_attribute(vm, subject, cls, names->items[i], seen, &v);
    if (has <= 0) return has < 0 ? ASY_FAILED : ASY_NONE;
    asy_store(vm, values, &values->items[at++], v);
  }
  return asy_from_obj(values);
}

/* ---- Intrinsics ---------------------------------------------------------------------------------------------------- */

/* The class `name` of the module that makes type parameters, called with the registers given. */
static asy_value type_parameter(asy_vm *vm, const char *name, int nargs, const asy_value *args) {
  asy_value module = asy_import(vm, "_typing");
  if (module == ASY_FAILED) return ASY_FAILED;
  asy_value cls = asy_get_attr_cstr(vm, module, name);
  return cls == ASY_FAILED ? ASY_FAILED : asy_call(vm, cls, nargs, args);
}

static asy_value unpack_list(asy_vm *vm, asy_value iterable, uint32_t n) {
  asy_list *list = asy_list_new(vm, n);
  for (uint32_t i = 0; list && i < n; i++)
    if (!asy_list_append(vm, list, ASY_NONE)) return ASY_FAILED;
  if (!list || !asy_op_unpack(vm, list->items, iterable, n)) return ASY_FAILED;
  asy_barrier(vm, list);
  return asy_from_obj(list);
}

asy_value asy_op_intrinsic(asy_vm *vm, unsigned which, const asy_value *b) {
  switch ((enum asy_intrinsic)which) {
    case INTRINSIC_PRINT: return asy_display(vm, b[0]) ? ASY_NONE : ASY_FAILED;
    case INTRINSIC_TYPEVAR: return type_parameter(vm, "_make_typevar", 4, b);
    case INTRINSIC_PARAMSPEC: return type_parameter(vm, "_make_paramspec", 2, b);
    case INTRINSIC_TYPEVARTUPLE: return type_parameter(vm, "_make_typevartuple", 2, b);
    case INTRINSIC_TYPEALIAS: return type_parameter(vm, "_make_typealias", 3, b);
    case INTRINSIC_SUBSCRIPT_GENERIC: return type_parameter(vm, "_make_generic", 1, b);
    case INTRINSIC_UNPACK_LIST: return unpack_list(vm, b[0], (uint32_t)asy_small(b[1]));
    case INTRINSIC_STOP_ITERATION_ERROR: return b[0];
  }
  return asy_raise(vm, ASY_SystemError, "unknown intrinsic %u", which);
}
