/* gc.c - the natives behind gc.asy: a collection, and what lies in the heap. */
#include "runtime/asy.h"

/* How many objects went. */
static asy_value gc_collect(asy_vm *vm, const asy_value *args) {
  asy_clear_spare_registers(vm);
  asy_heap_stats before = asy_heap_get_stats(vm);
  asy_collection what = asy_truth(vm, args[0]) ? ASY_COLLECT_MAJOR : ASY_COLLECT_MINOR;
  asy_collect(vm, what);
  if (asy_run_finalizers(vm)) asy_collect(vm, what); /* what they were called for goes too */
  asy_heap_stats after = asy_heap_get_stats(vm);
  return asy_from_uint64(vm, before.objects > after.objects ? before.objects - after.objects : 0);
}

static asy_value gc_objects(asy_vm *vm, const asy_value *args) { return asy_heap_objects(vm); }

static asy_value gc_get_referents(asy_vm *vm, const asy_value *args) { return asy_heap_referents(vm, args[0]); }
static asy_value gc_get_referrers(asy_vm *vm, const asy_value *args) { return asy_heap_referrers(vm, args[0]); }

static asy_value gc_is_tracked(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(asy_is_obj(args[0]) && !asy_is_str(args[0]) && !asy_is_float(args[0]) &&
                       !asy_is_integer(args[0]));
}

static asy_value gc_is_finalized(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(asy_is_obj(args[0]) && asy_obj_of(args[0])->gc & ASY_GC_FINALIZED);
}

static const asy_native natives[] = {
  {"collect", SIG("(all, /)"), gc_collect, 0, 0},
  {"objects", SIG("()"), gc_objects, 0, 0},
  {"get_referents", SIG("(*objs)"), gc_get_referents,
   DOC("Return the list of objects that are directly referred to by objs."), 0},
  {"get_referrers", SIG("(*objs)"), gc_get_referrers,
   DOC("Return the list of objects that directly refer to any of objs."), 0},
  {"is_tracked", SIG("(obj, /)"), gc_is_tracked, DOC("Returns true if the object is tracked by the garbage collector."),
   0},
  {"is_finalized", SIG("(obj, /)"), gc_is_finalized,
   DOC("Returns true if the object has been already finalized by the GC."), 0},
  {0},
};

const asy_module_def asy_module_gc = {"_gc", natives, "What gc is made of.", NULL};
