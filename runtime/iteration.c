/* iteration.c - iterators as any value may be one: asy_iter, asy_next. Compiled for speed: every consumer of items comes here,
 * once for each level of iterators over iterators.
 */
#include "runtime/coro.h"
#include "runtime/exc.h"
#include "runtime/protocol.h"
#include "runtime/types/iter.h"

static bool has_next(asy_vm *vm, asy_value v) {
  asy_class *cls = asy_class_of(vm, v);
  if (cls->flags & ASY_CLASS_BUILTIN) return ASY_SLOT(cls->type, next) != NULL;
  asy_lookup *record = asy_class_lookup(vm, cls, ASY_NAME(vm, __next__));
  return record && record->kind != LOOKUP_ABSENT;
}

asy_value asy_iter(asy_vm *vm, asy_value v) {
  asy_class *cls = asy_class_of(vm, v);
  asy_way way;
  if (!asy_find_way(vm, cls, ASY_NAME(vm, __iter__), &way)) return ASY_FAILED;
  if (way.value != ASY_UNBOUND && way.value != ASY_NONE) {
    asy_value it = asy_call_way(vm, v, &way, 0, NULL);
    if (it == ASY_FAILED || has_next(vm, it)) return it;
    return asy_raised(vm) ? ASY_FAILED : asy_raise(vm, ASY_TypeError, "iter() returned non-iterator of type '%T'", it);
  }
  asy_value (*iter)(asy_vm *, asy_value) = way.type ? ASY_SLOT(way.type, iter) : NULL;
  if (iter) return iter(vm, v);
  if (way.value != ASY_NONE && !(cls->flags & ASY_CLASS_BUILTIN)) { /* the old way: items 0, 1, 2 .. until IndexError */
    asy_lookup *item = asy_class_lookup(vm, cls, ASY_NAME(vm, __getitem__));
    if (!item) return ASY_FAILED;
    if (item->kind != LOOKUP_ABSENT && cls->kind != KIND_TYPE) return asy_sequence_iter_new(vm, v);
  } else if (way.type && cls->kind != KIND_TYPE && ASY_SPECIAL(way.type, get_item) &&
             way.type->flags & ASY_TYPE_SEQUENCE) {
    return asy_sequence_iter_new(vm, v);
  }
  return asy_raise_format(vm, ASY_TypeError, "'%T' object is not iterable", v);
}

#define NOINLINE __attribute__((noinline)) /* what is rare stays out of the frames of what is not */

/* A step failed: a StopIteration that came out of it (from the function of a map, say) is the end. */
static NOINLINE asy_value end_or_failure(asy_vm *vm) {
  if (!asy_raised_is(vm, ASY_StopIteration)) return ASY_FAILED;
  vm->stop_value = asy_stop_value(asy_take_exception(vm));
  return ASY_END;
}

/* Iterators of iterators may be nested to any depth. */
static inline bool stack_ends(asy_vm *vm) {
  return UNLIKELY((char *)__builtin_frame_address(0) < vm->c_stack_limit) && !asy_check_c_stack(vm);
}

/* A step by the slot of a descriptor. */
static inline asy_value step(asy_vm *vm, asy_value iterator, asy_value (*next)(asy_vm *, asy_value)) {
  if (stack_ends(vm)) return ASY_FAILED;
  asy_value item = next(vm, iterator);
  return LIKELY(item != ASY_FAILED) ? item : end_or_failure(vm);
}

static NOINLINE asy_value next_by_method(asy_vm *vm, asy_value iterator) {
  asy_way way;
  if (!asy_find_way(vm, asy_class_of(vm, iterator), ASY_NAME(vm, __next__), &way)) return ASY_FAILED;
  if (way.value != ASY_UNBOUND) {
    asy_value item = asy_call_way(vm, iterator, &way, 0, NULL);
    return item != ASY_FAILED ? item : end_or_failure(vm);
  }
  asy_value (*next)(asy_vm *, asy_value) = way.type ? ASY_SLOT(way.type, next) : NULL;
  if (next) return step(vm, iterator, next);
  return asy_raise(vm, ASY_TypeError, "'%T' object is not an iterator", iterator);
}

static NOINLINE asy_value next_by_slot(asy_vm *vm, asy_value iterator) {
  const asy_class *cls = vm->shapes[asy_obj_of(iterator)->shape]->cls;
  if (LIKELY(cls->flags & ASY_CLASS_BUILTIN && cls->type->next)) return step(vm, iterator, cls->type->next);
  return next_by_method(vm, iterator);
}

asy_value asy_next(asy_vm *vm, asy_value iterator) {
  vm->stop_value = ASY_NONE;
  if (!asy_is_obj(iterator)) return next_by_method(vm, iterator); /* not an iterator: a TypeError */
  asy_value item = asy_next_known(iterator);
  return item != ASY_UNBOUND ? item : next_by_slot(vm, iterator);
}

/* ---- Many items at once: what asks for them and what dispatches is not gone through for each ---- */

static asy_value into_from_generator(asy_vm *vm, asy_value generator, const asy_taker *taker) {
  asy_gen *gen = (asy_gen *)asy_obj_of(generator);
  if (gen->state == GEN_RUNNING) return asy_next(vm, generator); /* an error */
  gen->taker = taker;
  asy_value item = asy_gen_resume(vm, gen, ASY_NONE, 0);
  gen->taker = NULL;
  return item;
}

static asy_value into_by_slot(asy_vm *vm, asy_value iterator, const asy_taker *taker, const asy_type *type) {
  if (stack_ends(vm)) return ASY_FAILED;
  asy_value item;
  if (type->special && type->special->next_into) {
    item = type->special->next_into(vm, iterator, taker);
  } else {
    do item = type->next(vm, iterator);
    while (item != ASY_END && item != ASY_FAILED && taker->take(vm, taker, item));
  }
  return item != ASY_FAILED ? item : end_or_failure(vm);
}

asy_value asy_next_into(asy_vm *vm, asy_value iterator, const asy_taker *taker) {
  vm->stop_value = ASY_NONE;
  if (!asy_is_obj(iterator)) return asy_next(vm, iterator);
  asy_value item;
  do item = asy_next_known(iterator);
  while (item != ASY_UNBOUND && item != ASY_END && taker->take(vm, taker, item));
  if (item != ASY_UNBOUND) return item;
  if (asy_is_exact(iterator, KIND_GENERATOR)) return into_from_generator(vm, iterator, taker);
  const asy_class *cls = vm->shapes[asy_obj_of(iterator)->shape]->cls;
  if (cls->flags & ASY_CLASS_BUILTIN && cls->type->next) return into_by_slot(vm, iterator, taker, cls->type);
  return next_by_method(vm, iterator);
}
