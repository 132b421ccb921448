/* gc.c - the module gc. The collector is generational and tracing: thresholds are accepted and shown, but it paces itself. */
#include "runtime/asy.h"

static asy_value gc_collect(asy_vm *vm, const asy_value *args) {
  int generation;
  if (!asy_to_int(vm, args[0], 0, 2, &generation)) {
    if (asy_raised_is(vm, ASY_ValueError)) asy_clear_exception(vm);
    else return ASY_FAILED;
    return asy_raise(vm, ASY_ValueError, "invalid generation");
  }
  asy_clear_spare_registers(vm);
  asy_heap_stats before = asy_heap_get_stats(vm);
  asy_collect(vm, generation == 0 ? ASY_COLLECT_MINOR : ASY_COLLECT_MAJOR);
  asy_run_finalizers(vm);
  asy_heap_stats after = asy_heap_get_stats(vm);
  return asy_from_uint64(vm, before.objects > after.objects ? before.objects - after.objects : 0);
}

static asy_value gc_none(asy_vm *vm, const asy_value *args) {
  (void)vm, (void)args;
  return ASY_NONE;
}

static asy_value gc_isenabled(asy_vm *vm, const asy_value *args) {
  (void)vm, (void)args;
  return ASY_TRUE;
}

static asy_value gc_zero(asy_vm *vm, const asy_value *args) {
  (void)vm, (void)args;
  return asy_from_small(0);
}

static asy_value gc_get_count(asy_vm *vm, const asy_value *args) {
  (void)args;
  return asy_tuple_of(vm, 3, asy_from_small(0), asy_from_small(0), asy_from_small(0));
}

static asy_value gc_get_threshold(asy_vm *vm, const asy_value *args) {
  (void)args;
  return asy_tuple_of(vm, 3, asy_from_small(2000), asy_from_small(10), asy_from_small(0));
}

static asy_value gc_empty_list(asy_vm *vm, const asy_value *args) {
  (void)args;
  asy_list *list = asy_list_new(vm, 0);
  return list ? asy_from_obj(list) : ASY_FAILED;
}

static asy_value gc_is_tracked(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_bool(asy_is_obj(args[0]) && !asy_is_str(args[0]) && !asy_is_float(args[0]) &&
                       !asy_is_integer(args[0]));
}

static const asy_native natives[] = {
  {"collect", "(generation=2)", gc_collect, DOC("Run the garbage collector. Returns how many objects went."), 0},
  {"disable", "()", gc_none, DOC("Accepted; asy's collector stays on."), 0},
  {"enable", "()", gc_none, 0, 0},
  {"freeze", "()", gc_none, 0, 0},
  {"get_count", "()", gc_get_count, 0, 0},
  {"get_debug", "()", gc_zero, 0, 0},
  {"get_freeze_count", "()", gc_zero, 0, 0},
  {"get_objects", "(generation=None)", gc_empty_list, 0, 0},
  {"get_referents", "(*objs)", gc_empty_list, 0, 0},
  {"get_referrers", "(*objs)", gc_empty_list, 0, 0},
  {"get_threshold", "()", gc_get_threshold, 0, 0},
  {"is_tracked", "(obj, /)", gc_is_tracked, 0, 0},
  {"isenabled", "()", gc_isenabled, 0, 0},
  {"set_debug", "(flags, /)", gc_none, 0, 0},
  {"set_threshold", "(threshold0, threshold1=0, threshold2=0, /)", gc_none, 0, 0},
  {"unfreeze", "()", gc_none, 0, 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  asy_list *garbage = asy_list_new(vm, 0), *callbacks = asy_list_new(vm, 0);
  return garbage && callbacks && asy_module_set(vm, module, "garbage", asy_from_obj(garbage)) &&
         asy_module_set(vm, module, "callbacks", asy_from_obj(callbacks));
}

const asy_module_def asy_module_gc = {"gc", natives, "This module provides access to the garbage collector.", init};
