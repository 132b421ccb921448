/* abc.c - the natives behind abc.asy, as the module _abc: what the runtime must know about abstract base classes. */
#include "runtime/asy.h"

/* Instances of cls and of its subclasses match sequence (1) or mapping (2) patterns. */
static asy_value abc_mark_pattern(asy_vm *vm, const asy_value *args) {
  int what;
  if (!asy_is_kind(args[0], KIND_TYPE))
    return asy_raise(vm, ASY_TypeError, "mark_pattern: a class expected, not %T", args[0]);
  if (!asy_to_int(vm, args[1], 0, 2, &what)) return ASY_FAILED;
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  if (what && !(cls->flags & ASY_CLASS_BUILTIN)) cls->flags |= what == 1 ? ASY_CLASS_SEQUENCE : ASY_CLASS_MAPPING;
  return ASY_NONE;
}

static asy_value abc_pattern_of(asy_vm *vm, const asy_value *args) {
  if (!asy_is_kind(args[0], KIND_TYPE))
    return asy_raise(vm, ASY_TypeError, "pattern_of: a class expected, not %T", args[0]);
  const asy_class *cls = (const asy_class *)asy_obj_of(args[0]);
  for (uint32_t i = 0; i < cls->mro->len; i++) {
    const asy_class *base = (const asy_class *)asy_obj_of(cls->mro->items[i]);
    if (base->flags & ASY_CLASS_SEQUENCE) return asy_from_small(1);
    if (base->flags & ASY_CLASS_MAPPING) return asy_from_small(2);
  }
  return asy_from_small(0);
}

/* type.__subclasscheck__ without a detour through the metaclass: by the mro only. */
static asy_value abc_derives(asy_vm *vm, const asy_value *args) {
  if (!asy_is_kind(args[0], KIND_TYPE)) return asy_raise(vm, ASY_TypeError, "issubclass() arg 1 must be a class");
  return asy_from_bool(asy_is_subclass((const asy_class *)asy_obj_of(args[0]), (const asy_class *)asy_obj_of(args[1])));
}

static const asy_native natives[] = {
  {"derives", SIG("(cls, base, /)"), abc_derives, DOC("Whether base is in the mro of cls."), 0},
  {"mark_pattern", SIG("(cls, what, /)"), abc_mark_pattern,
   DOC("Let instances match sequence (1) or mapping (2) patterns."), 0},
  {"pattern_of", SIG("(cls, /)"), abc_pattern_of,
   DOC("1 when instances of cls were marked as sequences, 2 as mappings, else 0."), 0},
  {0},
};

const asy_module_def asy_module_abc = {"_abc", natives, "Natives of abc.", NULL};
