/* gather.c - asyncio.gather and ensure_future.
 * A child counts itself at its gather future the moment it ends; only the last one, or a failing one, puts a callback on the
 * ready ring, so gathering a million tasks makes one handle, not a million. The order in which things complete stays Python's:
 * the last child to end is also the one whose callback would have run last.
 */
#include "runtime/gather.h"

#include "runtime/class.h"
#include "runtime/exc.h"

static void gather_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((asy_gather *)o)->children); }

const asy_type asy_gather_type = {
  .name = "_asyncio._Gather",
  .size = sizeof(asy_gather),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = gather_visit,
};

/* ---- ensure_future -------------------------------------------------------------------------------------------------- */

static bool is_foreign_future(asy_vm *vm, asy_value v) {
  asy_value blocking;
  asy_value cls = asy_from_obj(asy_class_of(vm, v));
  int found = asy_find_attr(vm, cls, ASY_NAME(vm, _asyncio_future_blocking), &blocking);
  if (found < 0) asy_clear_exception(vm);
  return found == 1;
}

/* A coroutine that awaits any awaitable; TypeError when it is none. */
static asy_value wrap_awaitable(asy_vm *vm, asy_value awaitable) {
  asy_value method;
  asy_value cls = asy_from_obj(asy_class_of(vm, awaitable));
  int found = asy_find_attr(vm, cls, ASY_NAME(vm, __await__), &method);
  if (found < 0) return ASY_FAILED;
  if (!found && !(asy_is_kind(awaitable, KIND_GENERATOR) && asy_is_coroutine(vm, awaitable)))
    return asy_raise(vm, ASY_TypeError, "An asyncio.Future, a coroutine or an awaitable is required");
  asy_value tasks = asy_import(vm, "asyncio.tasks");
  asy_value wrap = asy_failed(tasks) ? ASY_FAILED : asy_get_attr_cstr(vm, tasks, "_wrap_awaitable");
  return asy_failed(wrap) ? ASY_FAILED : asy_call1(vm, wrap, awaitable);
}

asy_value asy_ensure_future(asy_vm *vm, asy_value awaitable, asy_loop *loop) {
  if (asy_is_native_future(awaitable)) {
    if (loop && asy_future_of(awaitable)->loop != loop)
      return asy_raise(vm, ASY_ValueError,
                       "The future belongs to a different loop than the one specified as the loop argument");
    return awaitable;
  }
  if (!asy_is_kind(awaitable, KIND_COROUTINE)) {
    if (is_foreign_future(vm, awaitable)) return awaitable;
    awaitable = wrap_awaitable(vm, awaitable);
    if (asy_failed(awaitable)) return ASY_FAILED;
  }
  if (!loop) loop = asy_loop_current(vm);
  if (!loop) return ASY_FAILED;
  if (loop->task_factory || loop->scripted & LOOP_CREATE_TASK) {
    asy_str *create_task = asy_intern(vm, "create_task");
    return create_task ? asy_call_method(vm, asy_loop_value(loop), create_task, 1, &awaitable) : ASY_FAILED;
  }
  bool open = asy_loop_check_open(vm, loop);
  asy_task *task = open ? asy_task_new(vm, loop, awaitable, 0, 0, false) : NULL;
  if (!open) {
    asy_value error = asy_take_exception(vm);
    if (!asy_failed(asy_call_method(vm, awaitable, ASY_NAME(vm, close), 0, NULL))) asy_raise_value(vm, error);
  }
  return task ? asy_from_obj(task) : ASY_FAILED;
}

/* ---- gather --------------------------------------------------------------------------------------------------------- */

static bool ended(const asy_future *f) { return asy_future_state(f) != FUTURE_PENDING; }

/* The child of an awaitable that was given before; there are few such. */
static asy_value earlier_child(const asy_value *awaitables, const asy_tuple *children, uint32_t i) {
  for (uint32_t j = 0; j < i; j++)
    if (awaitables[j] == awaitables[i]) return children->items[j];
  return children->items[i];
}

/* Marks an awaitable as taken; false when it was already. Coroutines use the bit of futures: theirs is free. */
static bool take(asy_value awaitable) {
  asy_obj *o = asy_obj_of(awaitable);
  if (o->flags & FUTURE_SEEN) return false;
  o->flags |= FUTURE_SEEN;
  return true;
}

static bool is_marked_kind(asy_value v) { return asy_is_native_future(v) || asy_is_kind(v, KIND_COROUTINE); }

static asy_value child_of(asy_vm *vm, asy_value awaitable, asy_loop **loop) {
  asy_value child = asy_ensure_future(vm, awaitable, asy_is_kind(awaitable, KIND_COROUTINE) ? *loop : NULL);
  if (asy_failed(child)) return child;
  if (!asy_is_native_future(child)) { /* a foreign future: awaited by a task of its own */
    child = wrap_awaitable(vm, child);
    if (!asy_failed(child)) child = asy_ensure_future(vm, child, *loop);
    if (asy_failed(child)) return child;
  }
  if (!*loop) *loop = asy_future_of(child)->loop;
  return child;
}

/* children[i] for each awaitable; *count: how many different ones. */
static bool make_children(asy_vm *vm, const asy_value *awaitables, asy_tuple *children, asy_loop **loop,
                          uint32_t *count) {
  uint32_t n = children->len, done = 0;
  bool ok = true;
  for (; ok && done < n; done++) {
    asy_value v = awaitables[done];
    if (is_marked_kind(v) && !take(v)) {
      asy_value child = earlier_child(awaitables, children, done);
      asy_store(vm, children, &children->items[done], child);
      continue;
    }
    asy_value child = child_of(vm, v, loop);
    ok = !asy_failed(child);
    if (!ok) break;
    if (asy_future_of(child)->loop != *loop) {
      asy_raise(vm, ASY_ValueError,
                "The future belongs to a different loop than the one specified as the loop argument");
      ok = false;
      break;
    }
    asy_store(vm, children, &children->items[done], child);
    ++*count;
  }
  for (uint32_t i = 0; i < n && i <= done; i++)
    if (is_marked_kind(awaitables[i])) asy_obj_of(awaitables[i])->flags &= (uint16_t)~FUTURE_SEEN;
  return ok;
}

static asy_value empty_gather(asy_vm *vm) {
  asy_loop *loop = asy_loop_current(vm);
  asy_list *none = asy_list_new(vm, 0);
  asy_future *f = loop && none ? asy_future_new(vm, loop) : NULL;
  return f && asy_future_set_result(vm, f, asy_from_obj(none)) ? asy_from_obj(f) : ASY_FAILED;
}

asy_value asy_gather_new(asy_vm *vm, const asy_value *awaitables, uint32_t n, bool return_exceptions) {
  if (!n) return empty_gather(vm);
  asy_gather *g = asy_new_object(vm, &asy_gather_type);
  asy_tuple *children = g ? asy_tuple_new(vm, NULL, n) : NULL;
  if (!children) return ASY_FAILED;
  g->children = children;
  asy_barrier(vm, g);
  g->head.flags = EXTRA_IS_GATHER;
  g->return_exceptions = return_exceptions;
  asy_loop *loop = NULL;
  if (!make_children(vm, awaitables, children, &loop, &g->count)) return ASY_FAILED;
  asy_future *outer = asy_future_new(vm, loop);
  if (!outer) return ASY_FAILED;
  outer->extra = &g->head;
  asy_barrier(vm, outer);
  for (uint32_t i = 0; i < n; i++) {
    asy_future *child = asy_future_of(children->items[i]);
    if (child->head.flags & FUTURE_SEEN) continue;
    child->head.flags |= FUTURE_SEEN;
    if (!ended(child) && !asy_future_watch(vm, child, asy_from_obj(outer))) return ASY_FAILED;
  }
  /* Those that were done already count at once, so that nothing but done futures gives a done future. */
  for (uint32_t i = 0; i < n; i++) {
    asy_future *child = asy_future_of(children->items[i]);
    if (!(child->head.flags & FUTURE_SEEN)) continue;
    child->head.flags &= (uint16_t)~FUTURE_SEEN;
    if (!ended(child)) continue;
    g->ended++;
    if (!asy_gather_callback(vm, outer, child)) return ASY_FAILED;
  }
  return asy_from_obj(outer);
}

static bool failed(const asy_future *child) {
  return asy_future_state(child) == FUTURE_CANCELLED || child->head.flags & FUTURE_FAILED;
}

bool asy_gather_child_ended(asy_vm *vm, asy_future *outer, asy_future *child) {
  asy_gather *g = asy_gather_of(outer);
  bool last = ++g->ended == g->count;
  if (!last && (g->return_exceptions || !failed(child)) && !ended(outer)) return true;
  return asy_loop_call_soon(vm, outer->loop, asy_from_obj(outer), asy_from_obj(child), ASY_NONE);
}

/* The exception of a child that failed or was cancelled; asking for it counts as retrieving. */
static asy_value child_exception(asy_vm *vm, asy_future *child) {
  if (asy_future_state(child) == FUTURE_CANCELLED) return asy_cancelled_error(vm, child);
  child->head.flags &= (uint16_t)~FUTURE_UNRETRIEVED;
  asy_cancel_finalizer(child);
  return child->result;
}

/* What stands for a failed child among the results. */
static asy_value exception_result(asy_vm *vm, asy_future *child) {
  if (asy_future_state(child) != FUTURE_CANCELLED) return child_exception(vm, child);
  asy_value message = asy_from_obj(vm->empty_str);
  if (child->head.flags & FUTURE_MESSAGE) message = child->result;
  return asy_call1(vm, asy_from_obj(vm->exceptions[ASY_CancelledError]), message);
}

static asy_value results(asy_vm *vm, asy_gather *g) {
  asy_list *list = asy_list_new(vm, g->children->len);
  if (!list) return ASY_FAILED;
  for (uint32_t i = 0; i < g->children->len; i++) {
    asy_future *child = asy_future_of(g->children->items[i]);
    asy_value item = failed(child) ? exception_result(vm, child) : child->result;
    if (asy_failed(item) || !asy_list_append(vm, list, item)) return ASY_FAILED;
  }
  return asy_from_obj(list);
}

bool asy_gather_callback(asy_vm *vm, asy_future *outer, asy_future *child) {
  asy_gather *g = asy_gather_of(outer);
  if (ended(outer)) {
    if (asy_future_state(child) != FUTURE_CANCELLED && child->head.flags & FUTURE_FAILED) child_exception(vm, child);
    return true;
  }
  if (!g->return_exceptions && failed(child)) {
    asy_value exception = child_exception(vm, child);
    return !asy_failed(exception) && asy_future_end_failed(vm, outer, exception);
  }
  if (g->ended < g->count) return true;
  asy_value all = results(vm, g);
  if (asy_failed(all)) return false;
  if (!g->cancel_requested) return asy_future_set_result(vm, outer, all);
  /* cancelled while children went on: it ends cancelled, whatever they returned */
  asy_value exception = asy_cancelled_error(vm, child);
  return !asy_failed(exception) && asy_future_end_failed(vm, outer, exception);
}

int asy_gather_cancel(asy_vm *vm, asy_future *outer, asy_value message) {
  asy_gather *g = asy_gather_of(outer);
  int any = 0;
  for (uint32_t i = 0; i < g->children->len; i++) {
    int cancelled = asy_future_cancel(vm, asy_future_of(g->children->items[i]), message);
    if (cancelled < 0) return -1;
    any |= cancelled;
  }
  if (any) g->cancel_requested = true;
  return any;
}
