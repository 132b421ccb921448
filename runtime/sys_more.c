/* sys_more.c - the natives behind _sys.asy, which holds what of sys is rarely asked for. */
#include "runtime/class.h"
#include "runtime/coro.h"
#include "runtime/exc.h"
#include "runtime/thread.h"
#include "runtime/types/dict.h"

/* {ident: what } of the threads that have begun. */
static asy_value by_thread(asy_vm *vm, asy_value (*of)(asy_vm *vm, asy_vm *fields, asy_stack *stack)) {
  asy_dict *dict = asy_dict_new(vm, vm->threads.count);
  if (!dict) return ASY_FAILED;
  for (asy_thread *t = vm->threads.first; t; t = t->next) {
    bool runs = t == vm->thread;
    if (!runs && !t->parked) continue;
    asy_value ident = asy_from_uint64(vm, (uint64_t)(uintptr_t)t->handle);
    asy_value value = of(vm, asy_thread_fields(vm, t), runs ? vm->stack : t->top_stack);
    if (asy_failed(ident) || asy_failed(value)) return ASY_FAILED;
    if (value != ASY_UNBOUND && !asy_dict_set(vm, dict, ident, value)) return ASY_FAILED;
  }
  return asy_from_obj(dict);
}

static asy_value frame_of(asy_vm *vm, asy_vm *fields, asy_stack *stack) {
  (void)stack;
  return fields->base ? asy_frame_object(vm, fields->base) : ASY_UNBOUND;
}

static asy_value exception_of(asy_vm *vm, asy_vm *fields, asy_stack *stack) {
  (void)vm, (void)stack;
  return fields->handled ? fields->handled : ASY_NONE;
}

static asy_value current_frames(asy_vm *vm, const asy_value *args) { return by_thread(vm, frame_of); }
static asy_value current_exceptions(asy_vm *vm, const asy_value *args) { return by_thread(vm, exception_of); }

static asy_value is_interned(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[0])) return asy_raise(vm, ASY_TypeError, "_is_interned() argument must be str, not %T", args[0]);
  return asy_from_bool(asy_obj_of(args[0])->flags & STR_INTERNED);
}

static asy_value get_blocks(asy_vm *vm, const asy_value *args) {
  return asy_from_uint64(vm, asy_heap_get_stats(vm).objects);
}

static asy_value get_origin_depth(asy_vm *vm, const asy_value *args) { return asy_from_small(vm->origin_depth); }

static asy_value set_origin_depth(asy_vm *vm, const asy_value *args) {
  int depth;
  if (!asy_to_c_int(vm, args[0], &depth)) return ASY_FAILED;
  if (depth < 0) return asy_raise(vm, ASY_ValueError, "depth must be >= 0");
  vm->origin_depth = (uint32_t)depth;
  return ASY_NONE;
}

static const asy_native natives[] = {
  {"_current_frames", SIG("()"), current_frames, DOC("The frame in which each thread runs now."), 0},
  {"_current_exceptions", SIG("()"), current_exceptions, DOC("The exception that each thread handles now, or None."),
   0},
  {"_is_interned", SIG("(string, /)"), is_interned, DOC("Whether the string is in the table of interned strings."), 0},
  {"getallocatedblocks", SIG("()"), get_blocks, DOC("How many objects there are."), 0},
  {"get_coroutine_origin_tracking_depth", SIG("()"), get_origin_depth, 0, 0},
  {"set_coroutine_origin_tracking_depth", SIG("(depth)"), set_origin_depth,
   DOC("Whether coroutines tell where they were made: for any depth but 0 the innermost place."), 0},
  {0},
};

const asy_module_def asy_module_sys_more = {"_sys_natives", natives, "What the rare part of sys is made of.", NULL};
