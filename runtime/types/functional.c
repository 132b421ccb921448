/* functional.c - enumerate, zip, map and filter: lazy iterators over other iterators.
 */
#include "runtime/types/iter.h"
#include "runtime/types/sequence.h"
#include "runtime/vm.h"

static inline asy_class *class_arg(asy_value v) { return (asy_class *)asy_obj_of(v); }

/* ---- enumerate ---- */

typedef struct {
  asy_obj head;
  asy_value iterator;
  asy_value count; /* an integer, maybe a big one: of the next item */
} enumerate;

static asy_value enumerate_new(asy_vm *vm, const asy_value *args) {
  asy_value count = asy_index(vm, args[2]);
  asy_value iterator = asy_failed(count) ? ASY_FAILED : asy_iter(vm, args[1]);
  enumerate *it = asy_failed(iterator) ? NULL : asy_new_instance(vm, class_arg(args[0]));
  if (!it) return ASY_FAILED;
  it->iterator = iterator;
  it->count = count;
  return asy_from_obj(it);
}

static void enumerate_visit(asy_obj *o, asy_visitor *v) {
  enumerate *it = (enumerate *)o;
  asy_visit_value(v, it->iterator);
  asy_visit_value(v, it->count);
}

/* The next pair in pair[0], pair[1]: 1, 0 at the end, -1 failed. */
static int enumerate_step(asy_vm *vm, enumerate *it, asy_value *pair) {
  asy_value item = asy_next(vm, it->iterator);
  if (item == ASY_END || asy_failed(item)) return item == ASY_END ? 0 : -1;
  asy_value count = it->count;
  bool small = asy_is_int(count) && asy_small(count) < ASY_INT_MAX;
  asy_value following = small ? asy_from_small(asy_small(count) + 1)
                              : asy_binary(vm, BINARY_ADD, count, asy_from_small(1));
  if (asy_failed(following)) return -1;
  asy_store(vm, it, &it->count, following);
  pair[0] = count;
  pair[1] = item;
  return 1;
}

static asy_value enumerate_next(asy_vm *vm, asy_value self) {
  asy_value pair[2];
  int step = enumerate_step(vm, (enumerate *)asy_obj_of(self), pair);
  if (step <= 0) return step ? ASY_FAILED : ASY_END;
  return asy_object_or_failed(asy_tuple_pair(vm, pair[0], pair[1]));
}

static asy_value enumerate_reduce(asy_vm *vm, const asy_value *args) {
  enumerate *it = (enumerate *)asy_obj_of(args[0]);
  asy_value arguments = asy_tuple_of(vm, 2, it->iterator, it->count);
  return asy_failed(arguments) ? ASY_FAILED : asy_tuple_of(vm, 2, asy_from_obj(asy_type_of(vm, args[0])), arguments);
}
static const asy_native enumerate_methods[] = {ASY_REDUCE_ROW(enumerate_reduce), {0}};

const asy_type asy_enumerate_type = {
  .name = "enumerate",
  .doc = "Return an enumerate object: pairs of a count (from start) and a value yielded by the iterable.",
  .size = sizeof(enumerate),
  .visit = enumerate_visit,
  .new_ = enumerate_new,
  .new_signature = SIG("(cls, iterable, start=0)"),
  .iter = asy_iter_self,
  .next = enumerate_next,
  .methods = enumerate_methods,
};

/* ---- zip and map: several iterators in step ---- */

typedef struct {
  asy_obj head;
  asy_tuple *iterators;
  asy_value function; /* map's */
  bool strict;        /* zip's */
} parallel;

static void parallel_visit(asy_obj *o, asy_visitor *v) {
  parallel *it = (parallel *)o;
  asy_visit_obj(v, it->iterators);
  asy_visit_value(v, it->function);
}

/* An instance of cls over iterators of all iterables. NULL failed. */
static parallel *parallel_new(asy_vm *vm, asy_class *cls, asy_tuple *iterables) {
  asy_tuple *iterators = asy_tuple_new(vm, NULL, iterables->len);
  if (!iterators) return NULL;
  for (uint32_t i = 0; i < iterables->len; i++) {
    asy_value iterator = asy_iter(vm, iterables->items[i]);
    if (asy_failed(iterator)) return NULL;
    asy_store(vm, iterators, &iterators->items[i], iterator);
  }
  parallel *it = asy_new_instance(vm, cls);
  if (!it) return NULL;
  it->iterators = iterators;
  it->function = ASY_NONE;
  return it;
}

static asy_value zip_new(asy_vm *vm, const asy_value *args) {
  int strict = asy_truth(vm, args[2]);
  parallel *it = strict < 0 ? NULL : parallel_new(vm, class_arg(args[0]), (asy_tuple *)asy_obj_of(args[1]));
  if (!it) return ASY_FAILED;
  it->strict = strict;
  return asy_from_obj(it);
}

static asy_value uneven(asy_vm *vm, uint32_t argument, const char *how) {
  if (argument == 2) return asy_raise(vm, ASY_ValueError, "zip() argument 2 is %s than argument 1", how);
  return asy_raise(vm, ASY_ValueError, "zip() argument %u is %s than arguments 1-%u", argument, how, argument - 1);
}

/* Iterator i of a strict zip ended: that is the end, when all of them end now. */
static asy_value zip_strict_end(asy_vm *vm, parallel *it, uint32_t i) {
  if (i > 0) return uneven(vm, i + 1, "shorter");
  for (uint32_t j = 1; j < it->iterators->len; j++) {
    asy_value item = asy_next(vm, it->iterators->items[j]);
    if (asy_failed(item)) return ASY_FAILED;
    if (item != ASY_END) return uneven(vm, j + 1, "longer");
  }
  return ASY_END;
}

static asy_value zip_next(asy_vm *vm, asy_value self) {
  parallel *it = (parallel *)asy_obj_of(self);
  uint32_t n = it->iterators->len;
  if (n == 0) return ASY_END;
  asy_value first = asy_next(vm, it->iterators->items[0]);
  if (first == ASY_END) return it->strict ? zip_strict_end(vm, it, 0) : ASY_END;
  if (asy_failed(first)) return ASY_FAILED;
  asy_tuple *items = asy_tuple_new(vm, NULL, n);
  if (!items) return ASY_FAILED;
  items->items[0] = first;
  for (uint32_t i = 1; i < n; i++) {
    asy_value item = asy_next(vm, it->iterators->items[i]);
    if (item == ASY_END) return it->strict ? zip_strict_end(vm, it, i) : ASY_END;
    if (asy_failed(item)) return ASY_FAILED;
    asy_store(vm, items, &items->items[i], item);
  }
  return asy_from_obj(items);
}

static asy_value zip_reduce(asy_vm *vm, const asy_value *args) {
  parallel *it = (parallel *)asy_obj_of(args[0]);
  asy_value cls = asy_from_obj(asy_type_of(vm, args[0])), iterators = asy_from_obj(it->iterators);
  return it->strict ? asy_tuple_of(vm, 3, cls, iterators, ASY_TRUE) : asy_tuple_of(vm, 2, cls, iterators);
}
static asy_value zip_setstate(asy_vm *vm, const asy_value *args) {
  int strict = asy_truth(vm, args[1]);
  if (strict < 0) return ASY_FAILED;
  ((parallel *)asy_obj_of(args[0]))->strict = strict;
  return ASY_NONE;
}
static const asy_native zip_methods[] = {
  ASY_REDUCE_ROW(zip_reduce),
  {"__setstate__", SIG("(self, state, /)"), zip_setstate, DOC("Set state information for unpickling."), 0},
  {0},
};

const asy_type asy_zip_type = {
  .name = "zip",
  .doc = "Yield tuples of the next items of all iterables, until the shortest is exhausted.",
  .size = sizeof(parallel),
  .visit = parallel_visit,
  .new_ = zip_new,
  .new_signature = SIG("(cls, /, *iterables, strict=False)"),
  .iter = asy_iter_self,
  .next = zip_next,
  .methods = zip_methods,
};

static int zip_step(asy_vm *vm, parallel *it, asy_value *pair) {
  for (uint32_t i = 0; i < 2; i++) {
    pair[i] = asy_next(vm, it->iterators->items[i]);
    if (pair[i] == ASY_END && it->strict) pair[i] = zip_strict_end(vm, it, i);
    if (pair[i] == ASY_END || asy_failed(pair[i])) return pair[i] == ASY_END ? 0 : -1;
  }
  return 1;
}

int asy_next_pair(asy_vm *vm, asy_value iterator, asy_value *pair) {
  switch (asy_obj_of(iterator)->shape) {
    case KIND_DICT_ITER: return asy_dict_iter_step(vm, (asy_dict_iter *)asy_obj_of(iterator), pair);
    case KIND_ENUMERATE: return enumerate_step(vm, (enumerate *)asy_obj_of(iterator), pair);
    case KIND_ZIP: {
      parallel *it = (parallel *)asy_obj_of(iterator);
      return it->iterators->len == 2 ? zip_step(vm, it, pair) : -2;
    }
    default: return -2;
  }
}

static asy_value map_new(asy_vm *vm, const asy_value *args) {
  asy_tuple *rest = (asy_tuple *)asy_obj_of(args[1]); /* the function and the iterables */
  if (rest->len < 2) return asy_raise(vm, ASY_TypeError, "map() must have at least two arguments.");
  asy_tuple *iterables = asy_tuple_slice(vm, rest, 1, rest->len);
  parallel *it = iterables ? parallel_new(vm, class_arg(args[0]), iterables) : NULL;
  if (!it) return ASY_FAILED;
  it->function = rest->items[0];
  return asy_from_obj(it);
}

static asy_value map_next(asy_vm *vm, asy_value self) {
  parallel *it = (parallel *)asy_obj_of(self);
  asy_value few[4], *args = few;
  uint32_t n = it->iterators->len;
  if (n > 4) {
    asy_tuple *many = asy_tuple_new(vm, NULL, n);
    if (!many) return ASY_FAILED;
    for (uint32_t i = 0; i < n; i++) {
      asy_value item = asy_next(vm, it->iterators->items[i]);
      if (item == ASY_END || asy_failed(item)) return item;
      asy_store(vm, many, &many->items[i], item);
    }
    return asy_call_ex(vm, it->function, many, NULL);
  }
  for (uint32_t i = 0; i < n; i++) {
    args[i] = asy_next(vm, it->iterators->items[i]);
    if (args[i] == ASY_END || asy_failed(args[i])) return args[i];
  }
  return asy_call(vm, it->function, (int)n, args);
}

static asy_value map_reduce(asy_vm *vm, const asy_value *args) {
  parallel *it = (parallel *)asy_obj_of(args[0]);
  asy_value function = asy_tuple_of(vm, 1, it->function);
  asy_value arguments = asy_failed(function) ? ASY_FAILED
                                             : asy_binary(vm, BINARY_ADD, function, asy_from_obj(it->iterators));
  return asy_failed(arguments) ? ASY_FAILED : asy_tuple_of(vm, 2, asy_from_obj(asy_type_of(vm, args[0])), arguments);
}
static const asy_native map_methods[] = {ASY_REDUCE_ROW(map_reduce), {0}};

const asy_type asy_map_type = {
  .name = "map",
  .doc = "Make an iterator that computes the function using arguments from each of the iterables.",
  .size = sizeof(parallel),
  .visit = parallel_visit,
  .new_ = map_new,
  .new_signature = SIG("(cls, /, *args)"),
  .iter = asy_iter_self,
  .next = map_next,
  .methods = map_methods,
};

/* ---- filter ---- */

typedef struct {
  asy_obj head;
  asy_value function; /* None: the truth of the item */
  asy_value iterator;
} filter;

static asy_value filter_new(asy_vm *vm, const asy_value *args) {
  asy_value iterator = asy_iter(vm, args[2]);
  filter *it = asy_failed(iterator) ? NULL : asy_new_instance(vm, class_arg(args[0]));
  if (!it) return ASY_FAILED;
  bool is_bool = args[1] == asy_from_obj(vm->classes[KIND_BOOL]);
  it->function = is_bool ? ASY_NONE : args[1];
  it->iterator = iterator;
  return asy_from_obj(it);
}

static void filter_visit(asy_obj *o, asy_visitor *v) {
  filter *it = (filter *)o;
  asy_visit_value(v, it->function);
  asy_visit_value(v, it->iterator);
}

static asy_value filter_next(asy_vm *vm, asy_value self) {
  filter *it = (filter *)asy_obj_of(self);
  for (;;) {
    asy_value item = asy_next(vm, it->iterator);
    if (item == ASY_END || asy_failed(item)) return item;
    asy_value answer = it->function == ASY_NONE ? item : asy_call1(vm, it->function, item);
    int keep = asy_failed(answer) ? -1 : asy_truth(vm, answer);
    if (keep) return keep < 0 ? ASY_FAILED : item;
  }
}

static asy_value filter_reduce(asy_vm *vm, const asy_value *args) {
  filter *it = (filter *)asy_obj_of(args[0]);
  asy_value arguments = asy_tuple_of(vm, 2, it->function, it->iterator);
  return asy_failed(arguments) ? ASY_FAILED : asy_tuple_of(vm, 2, asy_from_obj(asy_type_of(vm, args[0])), arguments);
}
static const asy_native filter_methods[] = {ASY_REDUCE_ROW(filter_reduce), {0}};

const asy_type asy_filter_type = {
  .name = "filter",
  .doc = "Return an iterator yielding those items of iterable for which function(item) is true.",
  .size = sizeof(filter),
  .visit = filter_visit,
  .new_ = filter_new,
  .new_signature = SIG("(cls, function, iterable, /)"),
  .iter = asy_iter_self,
  .next = filter_next,
  .methods = filter_methods,
};
