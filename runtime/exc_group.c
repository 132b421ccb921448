/* exc_group.c - exception groups: made, divided and put together again, as except* does. */
#include "runtime/class.h"
#include "runtime/exc.h"

static asy_class *exception_class(asy_vm *vm, asy_exc_id id) { return vm->exceptions[id]; }
static bool is_group(asy_vm *vm, asy_value v) {
  return asy_is_instance(vm, v, exception_class(vm, ASY_BaseExceptionGroup));
}
static asy_tuple *members_of(asy_value group) {
  return (asy_tuple *)asy_obj_of(asy_exception_of(group)->fields[FIELD_EXCEPTIONS]);
}

/* (cls, /, *args) */
static asy_value group_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  asy_tuple *given = (asy_tuple *)asy_obj_of(args[1]);
  if (given->len != 2)
    return asy_raise(vm, ASY_TypeError, "BaseExceptionGroup.__new__() takes exactly 2 arguments (%u given)",
                     given->len);
  asy_value message = given->items[0], sequence = given->items[1];
  if (!asy_is_str(message))
    return asy_raise(vm, ASY_TypeError, "BaseExceptionGroup.__new__() argument 1 must be str, not %T", message);
  bool is_sequence = asy_is_kind(sequence, KIND_LIST) || asy_is_kind(sequence, KIND_TUPLE);
  asy_list *list = asy_list_new(vm, 0);
  if (!list) return ASY_FAILED;
  if (!is_sequence) {
    asy_lookup *item = asy_class_lookup(vm, asy_class_of(vm, sequence), ASY_NAME(vm, __getitem__));
    if (!item) return ASY_FAILED;
    if (item->kind == LOOKUP_ABSENT || asy_is_kind(sequence, KIND_DICT))
      return asy_raise(vm, ASY_TypeError, "second argument (exceptions) must be a sequence");
  }
  if (!asy_list_extend(vm, list, sequence)) return ASY_FAILED;
  if (!list->len) return asy_raise(vm, ASY_ValueError, "second argument (exceptions) must be a non-empty sequence");
  bool nested_base = false;
  for (uint32_t i = 0; i < list->len; i++) {
    if (!asy_is_exception_instance(list->items[i]))
      return asy_raise(vm, ASY_ValueError, "Item %u of second argument (exceptions) is not an exception", i);
    if (!asy_is_instance(vm, list->items[i], exception_class(vm, ASY_Exception))) nested_base = true;
  }
  if (cls == exception_class(vm, ASY_BaseExceptionGroup)) {
    if (!nested_base) cls = exception_class(vm, ASY_ExceptionGroup);
  } else if (nested_base && cls == exception_class(vm, ASY_ExceptionGroup)) {
    return asy_raise(vm, ASY_TypeError, "Cannot nest BaseExceptions in an ExceptionGroup");
  } else if (nested_base && asy_is_subclass(cls, exception_class(vm, ASY_Exception))) {
    return asy_raise(vm, ASY_TypeError, "Cannot nest BaseExceptions in '%N'", cls);
  }
  asy_tuple *members = asy_list_to_tuple(vm, list);
  asy_value group = members ? asy_new_exception_object(vm, cls, given) : ASY_FAILED;
  if (group == ASY_FAILED) return ASY_FAILED;
  asy_exception *e = asy_exception_of(group);
  e->fields[FIELD_MESSAGE] = message;
  e->fields[FIELD_EXCEPTIONS] = asy_from_obj(members);
  asy_barrier(vm, e);
  return group;
}

static asy_value group_init(asy_vm *vm, const asy_value *args) {
  if (asy_is_kind(args[2], KIND_DICT) && ((asy_dict *)asy_obj_of(args[2]))->used)
    return asy_raise(vm, ASY_TypeError, "%T() takes no keyword arguments", args[0]);
  return asy_exception_set_args(vm, asy_exception_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value group_str(asy_vm *vm, asy_value self) {
  uint32_t n = members_of(self)->len;
  asy_str *s = asy_str_format(vm, "%S (%u sub-exception%s)", asy_exception_of(self)->fields[FIELD_MESSAGE], n,
                              n == 1 ? "" : "s");
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value group_derive(asy_vm *vm, const asy_value *args) {
  asy_value arguments[2] = {asy_exception_of(args[0])->fields[FIELD_MESSAGE], args[1]};
  return asy_call(vm, asy_from_obj(exception_class(vm, ASY_BaseExceptionGroup)), 2, arguments);
}

/* ---- Dividing ------------------------------------------------------------------------------------------------------------------ */

/* A group of `list` with the origin's message, traceback, cause, context and notes; None when the list is empty. */
static asy_value derive_copy(asy_vm *vm, asy_value origin, asy_list *list) {
  if (!list->len) return ASY_NONE;
  asy_str *name = asy_intern(vm, "derive");
  asy_value members = asy_from_obj(list);
  asy_value group = name ? asy_call_method(vm, origin, name, 1, &members) : ASY_FAILED;
  if (group == ASY_FAILED) return ASY_FAILED;
  if (!asy_is_exception_instance(group) || !is_group(vm, group))
    return asy_raise(vm, ASY_TypeError, "derive must return an instance of BaseExceptionGroup");
  asy_exception *to = asy_exception_of(group), *from = asy_exception_of(origin);
  to->traceback = from->traceback;
  to->cause = from->cause;
  to->context = from->context;
  to->suppress_context = from->suppress_context;
  asy_barrier(vm, to);
  asy_value notes;
  int found = asy_find_attr(vm, origin, ASY_NAME(vm, __notes__), &notes);
  if (found < 0) return ASY_FAILED;
  if (found && (asy_is_kind(notes, KIND_LIST) || asy_is_kind(notes, KIND_TUPLE))) {
    asy_list *copy = asy_list_new(vm, 0);
    if (!copy || !asy_list_extend(vm, copy, notes) ||
        !asy_set_attr(vm, group, ASY_NAME(vm, __notes__), asy_from_obj(copy)))
      return ASY_FAILED;
  }
  return group;
}

/* 1 when the condition (class, tuple of classes, or callable) holds for e */
static int condition_holds(asy_vm *vm, asy_value e, asy_value what) {
  if (asy_is_exception_class(what) || asy_is_kind(what, KIND_TUPLE)) return asy_exception_matches(vm, e, what);
  asy_value result = asy_call1(vm, what, e);
  return result == ASY_FAILED ? -1 : asy_truth(vm, result);
}

/* Divides e; a part that is not wanted (NULL) is not built. */
static bool split(asy_vm *vm, asy_value e, asy_value what, asy_value *matching, asy_value *rest) {
  if (!asy_check_c_stack(vm)) return false;
  if (matching) *matching = ASY_NONE;
  if (rest) *rest = ASY_NONE;
  int whole = condition_holds(vm, e, what);
  if (whole < 0) return false;
  if (whole || !is_group(vm, e)) {
    if (whole && matching) *matching = e;
    if (!whole && rest) *rest = e;
    return true;
  }
  asy_tuple *members = members_of(e);
  asy_list *yes = asy_list_new(vm, 0), *no = asy_list_new(vm, 0);
  if (!yes || !no) return false;
  for (uint32_t i = 0; i < members->len; i++) {
    asy_value in, out;
    if (!split(vm, members->items[i], what, &in, rest ? &out : NULL)) return false;
    if (in != ASY_NONE && !asy_list_append(vm, yes, in)) return false;
    if (rest && out != ASY_NONE && !asy_list_append(vm, no, out)) return false;
  }
  if (matching && (*matching = derive_copy(vm, e, yes)) == ASY_FAILED) return false;
  return !rest || (*rest = derive_copy(vm, e, no)) != ASY_FAILED;
}

static bool check_condition(asy_vm *vm, asy_value what) {
  bool ok = asy_is_exception_class(what) || (asy_callable(vm, what) && !asy_is_kind(what, KIND_TYPE));
  if (asy_is_kind(what, KIND_TUPLE)) {
    const asy_tuple *tuple = (const asy_tuple *)asy_obj_of(what);
    ok = true;
    for (uint32_t i = 0; i < tuple->len; i++) ok = ok && asy_is_exception_class(tuple->items[i]);
  }
  if (!ok)
    asy_raise(vm, ASY_TypeError,
              "expected an exception type, a tuple of exception types, or a callable (other than a class)");
  return ok;
}

bool asy_group_split(asy_vm *vm, asy_value exception, asy_value what, asy_value *matching, asy_value *rest) {
  return split(vm, exception, what, matching, rest);
}

static bool check_star_class(asy_vm *vm, asy_value what) {
  if (!asy_is_exception_class(what)) {
    asy_raise(vm, ASY_TypeError, "catching classes that do not inherit from BaseException is not allowed");
    return false;
  }
  if (asy_is_subclass((asy_class *)asy_obj_of(what), exception_class(vm, ASY_BaseExceptionGroup))) {
    asy_raise(vm, ASY_TypeError, "catching ExceptionGroup with except* is not allowed. Use except instead.");
    return false;
  }
  return true;
}

bool asy_exception_group_match(asy_vm *vm, asy_value exception, asy_value what, asy_value *matching, asy_value *rest) {
  if (asy_is_kind(what, KIND_TUPLE)) {
    const asy_tuple *tuple = (const asy_tuple *)asy_obj_of(what);
    for (uint32_t i = 0; i < tuple->len; i++)
      if (!check_star_class(vm, tuple->items[i])) return false;
  } else if (!check_star_class(vm, what)) {
    return false;
  }
  *matching = ASY_NONE;
  *rest = exception;
  if (exception == ASY_NONE) return true; /* earlier clauses took everything */
  if (is_group(vm, exception)) return split(vm, exception, what, matching, rest);
  int matches = asy_exception_matches(vm, exception, what);
  if (matches <= 0) return matches == 0;
  asy_tuple *one = asy_tuple_new(vm, &exception, 1);
  if (!one) return false;
  asy_value arguments[2] = {asy_from_obj(vm->empty_str), asy_from_obj(one)};
  *matching = asy_call(vm, asy_from_obj(exception_class(vm, ASY_BaseExceptionGroup)), 2, arguments);
  *rest = ASY_NONE;
  return *matching != ASY_FAILED;
}

static asy_value group_split(asy_vm *vm, const asy_value *args) {
  asy_value matching, rest;
  if (!check_condition(vm, args[1]) || !split(vm, args[0], args[1], &matching, &rest)) return ASY_FAILED;
  return asy_tuple_of(vm, 2, matching, rest);
}
static asy_value group_subgroup(asy_vm *vm, const asy_value *args) {
  asy_value matching;
  return check_condition(vm, args[1]) && split(vm, args[0], args[1], &matching, NULL) ? matching : ASY_FAILED;
}

/* ---- The end of except* ---------------------------------------------------------------------------------------------------------- */

/* Whether e is a part of `original`, unhandled: it carries the same traceback, cause, context and notes. */
static bool same_metadata(asy_vm *vm, asy_value a, asy_value b) {
  asy_exception *x = asy_exception_of(a), *y = asy_exception_of(b);
  return x->traceback == y->traceback && x->cause == y->cause && x->context == y->context;
}

/* The leaf exceptions of v into `leaves`. */
static bool collect_leaves(asy_vm *vm, asy_value v, asy_list *leaves) {
  if (!asy_check_c_stack(vm)) return false;
  if (!is_group(vm, v)) return asy_list_append(vm, leaves, v);
  asy_tuple *members = members_of(v);
  for (uint32_t i = 0; i < members->len; i++)
    if (!collect_leaves(vm, members->items[i], leaves)) return false;
  return true;
}

static bool contains(const asy_list *list, asy_value v) {
  for (uint32_t i = 0; i < list->len; i++)
    if (list->items[i] == v) return true;
  return false;
}

/* The part of group v whose leaves are in `keep`, nested as in v; None when there is none. */
static asy_value project(asy_vm *vm, asy_value v, const asy_list *keep) {
  if (!asy_check_c_stack(vm)) return ASY_FAILED;
  if (!is_group(vm, v)) return contains(keep, v) ? v : ASY_NONE;
  asy_tuple *members = members_of(v);
  asy_list *list = asy_list_new(vm, 0);
  if (!list) return ASY_FAILED;
  bool all = true;
  for (uint32_t i = 0; i < members->len; i++) {
    asy_value part = project(vm, members->items[i], keep);
    if (part == ASY_FAILED || (part != ASY_NONE && !asy_list_append(vm, list, part))) return ASY_FAILED;
    all = all && part == members->items[i];
  }
  return all ? v : derive_copy(vm, v, list);
}

asy_value asy_exception_group_merge(asy_vm *vm, asy_value original, asy_list *list) {
  asy_list *raised = asy_list_new(vm, 0), *leaves = asy_list_new(vm, 0);
  if (!raised || !leaves) return ASY_FAILED;
  if (!is_group(vm, original)) { /* a naked exception that except* had wrapped: at most one entry */
    for (uint32_t i = 0; i < list->len; i++)
      if (list->items[i] != ASY_NONE) return list->items[i];
    return ASY_NONE;
  }
  bool any = false;
  for (uint32_t i = 0; i < list->len; i++) {
    asy_value e = list->items[i];
    if (e == ASY_NONE) continue;
    any = true;
    bool ok = same_metadata(vm, e, original) ? collect_leaves(vm, e, leaves) : asy_list_append(vm, raised, e);
    if (!ok) return ASY_FAILED;
  }
  if (!any) return ASY_NONE;
  asy_value unhandled = leaves->len ? project(vm, original, leaves) : ASY_NONE;
  if (unhandled == ASY_FAILED) return ASY_FAILED;
  if (!raised->len) return unhandled;
  if (unhandled != ASY_NONE && !asy_list_append(vm, raised, unhandled)) return ASY_FAILED;
  if (raised->len == 1) return raised->items[0];
  asy_value arguments[2] = {asy_from_obj(vm->empty_str), asy_from_obj(raised)};
  return asy_call(vm, asy_from_obj(exception_class(vm, ASY_BaseExceptionGroup)), 2, arguments);
}

static asy_value group_class_getitem(asy_vm *vm, const asy_value *args) { return args[0]; }

static const asy_native group_methods[] = {
  {"derive", SIG("(self, excs, /)"), group_derive, 0, 0},
  {"split", SIG("(self, matcher_value, /)"), group_split, 0, 0},
  {"subgroup", SIG("(self, matcher_value, /)"), group_subgroup, 0, 0},
  {"__class_getitem__", SIG("(cls, item, /)"), group_class_getitem, 0, ASY_NATIVE_CLASS},
  {0},
};
static const asy_member group_members[] = {
  {"message", offsetof(asy_exception, fields) + FIELD_MESSAGE * sizeof(asy_value), MEMBER_VALUE, false},
  {"exceptions", offsetof(asy_exception, fields) + FIELD_EXCEPTIONS * sizeof(asy_value), MEMBER_VALUE, false},
  {0},
};
const asy_type asy_exception_group_type = {
  .name = "BaseExceptionGroup",
  .base = &asy_base_exception_type,
  .size = sizeof(asy_exception),
  .flags = ASY_TYPE_ATTRS,
  .visit = asy_exception_visit,
  .doc = "A combination of multiple unrelated exceptions.",
  .new_ = group_new,
  .new_signature = SIG("(cls, /, *args, **kwargs)"),
  .init = group_init,
  .init_signature = SIG("(self, /, *args, **kwargs)"),
  .str = group_str,
  .methods = group_methods,
  .members = group_members,
};
