/* itertools.c - the module itertools: lazy iterators over iterators.
 *
 *   stage        one or two inputs, a function, a value kept between two steps: count, cycle, islice, accumulate ...
 *   arrangement  indices into a pool: product, permutations, combinations
 *   groupby, tee, zip_longest have structs of their own
 *
 * Must stay true: an exhausted input is dropped (source 0) and never asked again; a field is read again after each call of script
 * code, which may step the same iterator.
 */
#include <string.h>

#include "runtime/asy.h"

static asy_class *class_arg(asy_value v) { return (asy_class *)asy_obj_of(v); }
static asy_tuple *tuple_arg(asy_value v) { return (asy_tuple *)asy_obj_of(v); }
static asy_value iter_self(asy_vm *vm, asy_value self) { return self; }
static asy_value or_failed(const void *object) { return object ? asy_from_obj(object) : ASY_FAILED; }

/* ---- Stages --------------------------------------------------------------------------------------------------------- */

typedef struct {
  asy_obj head;
  asy_value source;             /* the input's iterator; 0 once exhausted */
  asy_value other;              /* a function, a second iterator, a step; None or 0: none */
  asy_value value;              /* kept between two steps; 0: nothing yet */
  int64_t at, next, stop, step; /* places, where a stage counts; stop -1: no end */
  bool flag;                    /* the stage's own */
} stage;

static stage *stage_of(asy_value v) { return (stage *)asy_obj_of(v); }

static void stage_visit(asy_obj *o, asy_visitor *v) {
  const stage *s = (const stage *)o;
  asy_visit_value(v, s->source);
  asy_visit_value(v, s->other);
  asy_visit_value(v, s->value);
}

/* An instance of cls over iterable's iterator (UNBOUND: none). NULL failed. */
static stage *stage_new(asy_vm *vm, asy_value cls, asy_value iterable) {
  asy_value source = iterable == ASY_UNBOUND ? 0 : asy_iter(vm, iterable);
  stage *s = asy_failed(source) ? NULL : asy_new_instance(vm, class_arg(cls));
  if (!s) return NULL;
  s->source = source;
  s->stop = -1;
  return s;
}

/* The next item of the stage's input; an input that ends is dropped. */
static asy_value pull(asy_vm *vm, stage *s) {
  if (!s->source) return ASY_END;
  asy_value item = asy_next(vm, s->source);
  if (item == ASY_END) s->source = 0;
  return item;
}

/* As asy_truth, at once for what selects items most of the time. */
static inline int truth_of(asy_vm *vm, asy_value v) {
  if (asy_is_bool(v)) return v == ASY_TRUE;
  return asy_is_int(v) ? v != asy_from_small(0) : asy_truth(vm, v);
}

#define STAGE_TYPE(variable, its_name, its_doc, make, signature, step)                                                 \
  static const asy_type variable = {                                                                                   \
    .name = "itertools." its_name,                                                                                     \
    .doc = its_doc,                                                                                                    \
    .size = sizeof(stage),                                                                                             \
    .visit = stage_visit,                                                                                              \
    .new_ = make,                                                                                                      \
    .new_signature = signature,                                                                                        \
    .iter = iter_self,                                                                                                 \
    .next = step,                                                                                                      \
  }

/* count: value is the next number, other the step. */

static bool is_number(asy_vm *vm, asy_value v) {
  static const char *const names[] = {"__index__", "__float__", "__complex__"};
  if (asy_is_integer(v) || asy_is_float(v)) return true;
  asy_value cls = asy_from_obj(asy_type_of(vm, v)), found;
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    asy_str *name = asy_intern(vm, names[i]);
    int there = name ? asy_find_attr(vm, cls, name, &found) : -1;
    if (there) return there > 0;
  }
  return false;
}

static asy_value count_new(asy_vm *vm, const asy_value *args) {
  if (!is_number(vm, args[1]) || !is_number(vm, args[2]))
    return asy_raised(vm) ? ASY_FAILED : asy_raise(vm, ASY_TypeError, "a number is required");
  stage *s = stage_new(vm, args[0], ASY_UNBOUND);
  if (!s) return ASY_FAILED;
  s->value = args[1];
  s->other = args[2];
  return asy_from_obj(s);
}

static asy_value count_next(asy_vm *vm, asy_value self) {
  stage *s = stage_of(self);
  asy_value now = s->value, following;
  bool small = asy_is_int(now) && asy_small(now) < ASY_INT_MAX && s->other == asy_from_small(1);
  following = small ? asy_from_small(asy_small(now) + 1) : asy_binary(vm, BINARY_ADD, now, s->other);
  if (asy_failed(following)) return ASY_FAILED;
  asy_store(vm, s, &s->value, following);
  return now;
}

static asy_value count_repr(asy_vm *vm, asy_value self) {
  const stage *s = stage_of(self);
  const asy_class *cls = asy_type_of(vm, self);
  if (s->other == asy_from_small(1)) return or_failed(asy_str_format(vm, "%N(%R)", cls, s->value));
  return or_failed(asy_str_format(vm, "%N(%R, %R)", cls, s->value, s->other));
}

static const asy_type count_type = {
  .name = "itertools.count",
  .doc = "count(start=0, step=1): start, start + step, start + 2 * step, ...",
  .size = sizeof(stage),
  .visit = stage_visit,
  .new_ = count_new,
  .new_signature = SIG("(cls, start=0, step=1)"),
  .iter = iter_self,
  .next = count_next,
  .repr = count_repr,
};

/* cycle: value is the list of what came so far; flag: it is complete. */

static asy_value cycle_new(asy_vm *vm, const asy_value *args) {
  stage *s = stage_new(vm, args[0], args[1]);
  asy_list *saved = s ? asy_list_new(vm, 0) : NULL;
  if (!saved) return ASY_FAILED;
  asy_store(vm, s, &s->value, asy_from_obj(saved));
  return asy_from_obj(s);
}

/* Again through what came; the end when nothing did. */
static inline asy_value cycle_again(stage *s) {
  const asy_list *saved = (const asy_list *)asy_obj_of(s->value);
  if (!saved->len) return ASY_END;
  if (s->at >= saved->len) s->at = 0;
  return saved->items[s->at++];
}

static asy_value cycle_first(asy_vm *vm, stage *s) {
  asy_value item = pull(vm, s);
  if (item == ASY_END) return cycle_again(s);
  return asy_failed(item) || asy_list_append(vm, (asy_list *)asy_obj_of(s->value), item) ? item : ASY_FAILED;
}

static asy_value cycle_next(asy_vm *vm, asy_value self) {
  stage *s = stage_of(self);
  return s->source ? cycle_first(vm, s) : cycle_again(s);
}

STAGE_TYPE(cycle_type, "cycle",
           "Return elements from the iterable until it is exhausted, then repeat the sequence indefinitely.", cycle_new,
           SIG("(cls, iterable, /)"), cycle_next);

/* repeat: value again and again, stop times. */

static asy_value repeat_new(asy_vm *vm, const asy_value *args) {
  int64_t times = -1;
  if (args[2] != ASY_UNBOUND) {
    if (!asy_to_int64(vm, args[2], &times)) return ASY_FAILED;
    if (times < 0) times = 0;
  }
  stage *s = stage_new(vm, args[0], ASY_UNBOUND);
  if (!s) return ASY_FAILED;
  s->value = args[1];
  s->stop = times;
  return asy_from_obj(s);
}

static asy_value repeat_next(asy_vm *vm, asy_value self) {
  stage *s = stage_of(self);
  if (s->stop == 0) return ASY_END;
  if (s->stop > 0) s->stop--;
  return s->value;
}

static asy_value repeat_repr(asy_vm *vm, asy_value self) {
  const stage *s = stage_of(self);
  const asy_class *cls = asy_type_of(vm, self);
  if (s->stop < 0) return or_failed(asy_str_format(vm, "%N(%R)", cls, s->value));
  return or_failed(asy_str_format(vm, "%N(%R, %lld)", cls, s->value, (long long)s->stop));
}

static asy_value repeat_length_hint(asy_vm *vm, const asy_value *args) {
  int64_t left = stage_of(args[0])->stop;
  return left < 0 ? asy_raise(vm, ASY_TypeError, "len() of unsized object") : asy_from_int64(vm, left);
}

static const asy_native repeat_methods[] = {
  {"__length_hint__", SIG("(self, /)"), repeat_length_hint, DOC("How often the object is still returned."), 0},
  {0},
};

static const asy_type repeat_type = {
  .name = "itertools.repeat",
  .doc = "repeat(object [,times]): the object again and again, at most the given number of times.",
  .size = sizeof(stage),
  .visit = stage_visit,
  .new_ = repeat_new,
  .new_signature = SIG("(cls, object, times=?)"),
  .iter = iter_self,
  .next = repeat_next,
  .repr = repeat_repr,
  .methods = repeat_methods,
};

/* accumulate: value is the total; flag: it is the initial one, still to be returned. */

static asy_value accumulate_new(asy_vm *vm, const asy_value *args) {
  stage *s = stage_new(vm, args[0], args[1]);
  if (!s) return ASY_FAILED;
  s->other = args[2];
  s->flag = args[3] != ASY_NONE;
  s->value = s->flag ? args[3] : 0;
  return asy_from_obj(s);
}

static asy_value accumulate_next(asy_vm *vm, asy_value self) {
  stage *s = stage_of(self);
  if (s->flag) {
    s->flag = false;
    return s->value;
  }
  asy_value item = pull(vm, s), total = item;
  if (item == ASY_END || asy_failed(item)) return item;
  if (s->value)
    total = s->other == ASY_NONE ? asy_binary(vm, BINARY_ADD, s->value, item) : asy_call2(vm, s->other, s->value, item);
  if (asy_failed(total)) return ASY_FAILED;
  asy_store(vm, s, &s->value, total);
  return total;
}

STAGE_TYPE(accumulate_type, "accumulate", "Return series of accumulated sums (or other binary function results).",
           accumulate_new, SIG("(cls, iterable, func=None, *, initial=None)"), accumulate_next);

/* chain: source iterates over the iterables, other is the iterator of the current one, or 0. */

static asy_value chain_new(asy_vm *vm, const asy_value *args) { return or_failed(stage_new(vm, args[0], args[1])); }

/* The iterator of the iterable in turn, in s->other. False: *end is ASY_END or ASY_FAILED. */
static bool chain_enter(asy_vm *vm, stage *s, asy_value *end) {
  if (s->other) return true;
  *end = pull(vm, s);
  if (*end == ASY_END || asy_failed(*end)) return false;
  asy_value iterator = asy_iter(vm, *end);
  if (asy_failed(iterator)) {
    *end = ASY_FAILED;
    s->source = 0;
    return false;
  }
  asy_store(vm, s, &s->other, iterator);
  return true;
}

static asy_value chain_next(asy_vm *vm, asy_value self) {
  stage *s = stage_of(self);
  asy_value item;
  for (; chain_enter(vm, s, &item); s->other = 0) {
    item = asy_next(vm, s->other);
    if (item != ASY_END) break;
  }
  return item;
}

static asy_value chain_next_into(asy_vm *vm, asy_value self, const asy_taker *taker) {
  stage *s = stage_of(self);
  asy_value item;
  for (; chain_enter(vm, s, &item); s->other = 0) {
    item = asy_next_into(vm, s->other, taker);
    if (item != ASY_END) break;
  }
  return item;
}

static const asy_native chain_methods[] = {
  {"from_iterable", SIG("(cls, iterable, /)"), chain_new,
   DOC("Alternative chain() constructor taking a single iterable argument."), ASY_NATIVE_CLASS},
  {0},
};

static const asy_type chain_type = {
  .name = "itertools.chain",
  .doc = "Return elements from the first iterable until it is exhausted, then from the next, and so on.",
  .size = sizeof(stage),
  .visit = stage_visit,
  .new_ = chain_new,
  .new_signature = SIG("(cls, /, *iterables)"),
  .iter = iter_self,
  .next = chain_next,
  .special = &(const asy_special){.next_into = chain_next_into},
  .methods = chain_methods,
};

/* compress: other is the selectors' iterator. */

static asy_value compress_new(asy_vm *vm, const asy_value *args) {
  asy_value selectors = asy_iter(vm, args[2]);
  stage *s = asy_failed(selectors) ? NULL : stage_new(vm, args[0], args[1]);
  if (!s) return ASY_FAILED;
  s->other = selectors;
  return asy_from_obj(s);
}

static asy_value compress_next(asy_vm *vm, asy_value self) {
  stage *s = stage_of(self);
  for (;;) {
    asy_value item = pull(vm, s);
    if (item == ASY_END || asy_failed(item)) return item;
    asy_value selector = asy_next(vm, s->other);
    if (selector == ASY_END || asy_failed(selector)) return selector;
    int keep = truth_of(vm, selector);
    if (keep) return keep < 0 ? ASY_FAILED : item;
  }
}

STAGE_TYPE(compress_type, "compress", "Return data elements corresponding to true selector elements.", compress_new,
           SIG("(cls, data, selectors)"), compress_next);

/* dropwhile, takewhile, filterfalse, starmap: other is the function. */

static asy_value with_function_new(asy_vm *vm, const asy_value *args) {
  stage *s = stage_new(vm, args[0], args[2]);
  if (!s) return ASY_FAILED;
  s->other = args[1];
  return asy_from_obj(s);
}

/* The truth of function(item): 0, 1, -1. No function: of the item. */
static int test_item(asy_vm *vm, asy_value function, asy_value item) {
  asy_value answer = function == ASY_NONE ? item : asy_call1(vm, function, item);
  return asy_failed(answer) ? -1 : truth_of(vm, answer);
}

static asy_value dropwhile_next(asy_vm *vm, asy_value self) {
  stage *s = stage_of(self);
  for (;;) {
    asy_value item = pull(vm, s);
    if (item == ASY_END || asy_failed(item) || s->flag) return item;
    asy_value answer = asy_call1(vm, s->other, item);
    int drop = asy_failed(answer) ? -1 : truth_of(vm, answer);
    if (drop < 0) return ASY_FAILED;
    if (drop) continue;
    s->flag = true;
    return item;
  }
}

static asy_value takewhile_next(asy_vm *vm, asy_value self) {
  stage *s = stage_of(self);
  asy_value item = s->flag ? ASY_END : pull(vm, s);
  if (item == ASY_END || asy_failed(item)) return item;
  asy_value answer = asy_call1(vm, s->other, item);
  int take = asy_failed(answer) ? -1 : truth_of(vm, answer);
  if (take < 0) return ASY_FAILED;
  if (!take) s->flag = true;
  return take ? item : ASY_END;
}

static asy_value filterfalse_next(asy_vm *vm, asy_value self) {
  stage *s = stage_of(self);
  for (;;) {
    asy_value item = pull(vm, s);
    if (item == ASY_END || asy_failed(item)) return item;
    int drop = test_item(vm, s->other, item);
    if (drop <= 0) return drop < 0 ? ASY_FAILED : item;
  }
}

static asy_value starmap_next(asy_vm *vm, asy_value self) {
  stage *s = stage_of(self);
  asy_value item = pull(vm, s);
  if (item == ASY_END || asy_failed(item)) return item;
  asy_tuple *args = asy_tuple_from_iterable(vm, item);
  return args ? asy_call_ex(vm, s->other, args, NULL) : ASY_FAILED;
}

STAGE_TYPE(dropwhile_type, "dropwhile",
           "Drop items from the iterable while predicate(item) is true, then return every element.", with_function_new,
           SIG("(cls, predicate, iterable, /)"), dropwhile_next);
STAGE_TYPE(takewhile_type, "takewhile",
           "Return successive entries from an iterable as long as the predicate evaluates to true.", with_function_new,
           SIG("(cls, predicate, iterable, /)"), takewhile_next);
STAGE_TYPE(filterfalse_type, "filterfalse", "Return those items of iterable for which function(item) is false.",
           with_function_new, SIG("(cls, function, iterable, /)"), filterfalse_next);
STAGE_TYPE(starmap_type, "starmap",
           "Return an iterator whose values are returned from the function evaluated with an argument tuple"
           " taken from the given sequence.",
           with_function_new, SIG("(cls, function, iterable, /)"), starmap_next);

/* islice: `at` items were taken, the one wanted next is number `next`. */

static const char islice_indices[] = "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.";

/* An index of islice, or `none` for None. */
static bool islice_index(asy_vm *vm, asy_value v, int64_t none, const char *complaint, int64_t *out) {
  *out = none;
  if (v == ASY_NONE) return true;
  if (asy_to_int64(vm, v, out) && *out >= 0) return true;
  if (asy_raised(vm) && !asy_raised_is(vm, ASY_TypeError) && !asy_raised_is(vm, ASY_OverflowError)) return false;
  asy_clear_exception(vm);
  asy_raise(vm, ASY_ValueError, complaint);
  return false;
}

static asy_value islice_new(asy_vm *vm, const asy_value *args) {
  const asy_tuple *rest = tuple_arg(args[2]);
  int64_t start = 0, stop, step = 1;
  if (rest->len < 1 || rest->len > 3)
    return asy_raise(vm, ASY_TypeError, "islice expected at %s arguments, got %u", rest->len ? "most 4" : "least 2",
                     rest->len + 1);
  if (rest->len == 1) {
    static const char complaint[] = "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    if (!islice_index(vm, rest->items[0], -1, complaint, &stop)) return ASY_FAILED;
  } else {
    if (!islice_index(vm, rest->items[1], -1,
                      "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.", &stop) ||
        !islice_index(vm, rest->items[0], 0, islice_indices, &start))
      return ASY_FAILED;
    static const char complaint[] = "Step for islice() must be a positive integer or None.";
    if (rest->len == 3 && !islice_index(vm, rest->items[2], 1, complaint, &step)) return ASY_FAILED;
    if (step < 1) return asy_raise(vm, ASY_ValueError, complaint);
  }
  stage *s = stage_new(vm, args[0], args[1]);
  if (!s) return ASY_FAILED;
  s->next = start;
  s->stop = stop;
  s->step = step;
  return asy_from_obj(s);
}

static asy_value islice_next(asy_vm *vm, asy_value self) {
  stage *s = stage_of(self);
  while (s->at < s->next) {
    asy_value skipped = pull(vm, s);
    if (skipped == ASY_END || asy_failed(skipped)) return skipped;
    s->at++;
  }
  if (s->stop >= 0 && s->at >= s->stop) {
    s->source = 0;
    return ASY_END;
  }
  asy_value item = pull(vm, s);
  if (item == ASY_END || asy_failed(item)) return item;
  s->at++;
  if (__builtin_add_overflow(s->next, s->step, &s->next)) s->next = INT64_MAX;
  if (s->stop >= 0 && s->next > s->stop) s->next = s->stop;
  return item;
}

STAGE_TYPE(islice_type, "islice",
           "islice(iterable, stop) or islice(iterable, start, stop[, step]): the items a slice would have.", islice_new,
           SIG("(cls, iterable, /, *args)"), islice_next);

/* pairwise: value is the item before. */

static asy_value pairwise_new(asy_vm *vm, const asy_value *args) { return or_failed(stage_new(vm, args[0], args[1])); }

static asy_value pairwise_next(asy_vm *vm, asy_value self) {
  stage *s = stage_of(self);
  if (!s->value) {
    asy_value first = pull(vm, s);
    if (first == ASY_END || asy_failed(first)) return first;
    asy_store(vm, s, &s->value, first);
  }
  asy_value before = s->value, item = pull(vm, s);
  if (item == ASY_END || asy_failed(item)) return item;
  asy_store(vm, s, &s->value, item);
  return or_failed(asy_tuple_pair(vm, before, item));
}

STAGE_TYPE(pairwise_type, "pairwise", "Return an iterator of overlapping pairs taken from the input iterator.",
           pairwise_new, SIG("(cls, iterable, /)"), pairwise_next);

/* batched: tuples of `step` items; flag: the last may not be shorter. */

static asy_value batched_new(asy_vm *vm, const asy_value *args) {
  int64_t n;
  int strict = asy_truth(vm, args[3]);
  if (strict < 0 || !asy_to_int64(vm, args[2], &n)) return ASY_FAILED;
  if (n < 1) return asy_raise(vm, ASY_ValueError, "n must be at least one");
  stage *s = stage_new(vm, args[0], args[1]);
  if (!s) return ASY_FAILED;
  s->step = n;
  s->flag = strict;
  return asy_from_obj(s);
}

enum { AT_ONCE = 64 };

/* At most `most` items of the stage's input; -1 failed. */
static int64_t pull_some(asy_vm *vm, stage *s, asy_value *items, int64_t most) {
  for (int64_t n = 0; n < most; n++) {
    items[n] = pull(vm, s);
    if (asy_failed(items[n])) return -1;
    if (items[n] == ASY_END) return n;
  }
  return most;
}

static asy_value batched_next(asy_vm *vm, asy_value self) {
  stage *s = stage_of(self);
  asy_value items[AT_ONCE];
  asy_list *batch = NULL; /* of a batch that items does not hold */
  int64_t size = s->step, n = 0, got;
  do {
    got = pull_some(vm, s, items, size - n < AT_ONCE ? size - n : AT_ONCE);
    if (got < 0) return ASY_FAILED;
    n += got;
    if (size <= AT_ONCE) break;
    if (!batch && !(batch = asy_list_new(vm, AT_ONCE))) return ASY_FAILED;
    for (int64_t i = 0; i < got; i++)
      if (!asy_list_append(vm, batch, items[i])) return ASY_FAILED;
  } while (got == AT_ONCE && n < size);
  if (!n) return ASY_END;
  if (s->flag && n < size) return asy_raise(vm, ASY_ValueError, "batched(): incomplete batch");
  return or_failed(batch ? asy_list_to_tuple(vm, batch) : asy_tuple_new(vm, items, (uint32_t)n));
}

STAGE_TYPE(batched_type, "batched", "Batch data into tuples of length n. The last batch may be shorter than n.",
           batched_new, SIG("(cls, iterable, n, *, strict=False)"), batched_next);

#undef STAGE_TYPE

/* ---- groupby -------------------------------------------------------------------------------------------------------- */

typedef struct {
  asy_obj head;
  asy_value source, key;   /* iterator; key function or None */
  asy_value target;        /* key of the group given out last; 0 none */
  asy_value current, item; /* the newest item and its key; item 0: taken */
  asy_obj *group;          /* the group that may still take items */
} groupby;

typedef struct {
  asy_obj head;
  groupby *parent;
  asy_value target;
} group;

static groupby *groupby_of(asy_value v) { return (groupby *)asy_obj_of(v); }

static void groupby_visit(asy_obj *o, asy_visitor *v) {
  const groupby *g = (const groupby *)o;
  const asy_value values[] = {g->source, g->key, g->target, g->current, g->item};
  asy_visit_values(v, values, sizeof values / sizeof *values);
  asy_visit_obj(v, g->group);
}

static void group_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_obj(v, ((const group *)o)->parent);
  asy_visit_value(v, ((const group *)o)->target);
}

static asy_value groupby_new(asy_vm *vm, const asy_value *args) {
  asy_value source = asy_iter(vm, args[1]);
  groupby *g = asy_failed(source) ? NULL : asy_new_instance(vm, class_arg(args[0]));
  if (!g) return ASY_FAILED;
  g->source = source;
  g->key = args[2];
  return asy_from_obj(g);
}

/* Takes the next item and its key: true, or the end or failure in *out. */
static bool groupby_step(asy_vm *vm, groupby *g, asy_value *out) {
  asy_value item = *out = asy_next(vm, g->source);
  if (item == ASY_END || asy_failed(item)) return false;
  asy_value key = *out = g->key == ASY_NONE ? item : asy_call1(vm, g->key, item);
  if (asy_failed(key)) return false;
  g->item = item;
  g->current = key;
  asy_barrier(vm, g);
  return true;
}

static const asy_type group_type;

static asy_value groupby_next(asy_vm *vm, asy_value self) {
  groupby *g = groupby_of(self);
  asy_value out;
  g->group = NULL;
  for (;;) { /* past what is left of the group before */
    if (g->current) {
      if (!g->target) break;
      int same = asy_equal(vm, g->target, g->current);
      if (same < 0) return ASY_FAILED;
      if (!same) break;
    }
    if (!groupby_step(vm, g, &out)) return out;
  }
  group *made = asy_new_object(vm, &group_type);
  if (!made) return ASY_FAILED;
  made->parent = g;
  made->target = g->target = g->current;
  g->group = &made->head;
  asy_barrier(vm, g);
  return or_failed(asy_tuple_pair(vm, g->current, asy_from_obj(made)));
}

static asy_value group_next(asy_vm *vm, asy_value self) {
  group *mine = (group *)asy_obj_of(self);
  groupby *g = mine->parent;
  asy_value out;
  if (g->group != &mine->head) return ASY_END;
  if (!g->item && !groupby_step(vm, g, &out)) return out;
  int same = asy_equal(vm, mine->target, g->current);
  if (same <= 0) return same < 0 ? ASY_FAILED : ASY_END;
  asy_value item = g->item;
  g->item = 0;
  return item ? item : ASY_END;
}

static const asy_type groupby_type = {
  .name = "itertools.groupby",
  .doc = "groupby(iterable, key=None): pairs of a key and an iterator of consecutive items that have it.",
  .size = sizeof(groupby),
  .visit = groupby_visit,
  .new_ = groupby_new,
  .new_signature = SIG("(cls, iterable, key=None)"),
  .iter = iter_self,
  .next = groupby_next,
};

static const asy_type group_type = {
  .name = "itertools._grouper",
  .size = sizeof(group),
  .flags = ASY_TYPE_NO_NEW,
  .visit = group_visit,
  .iter = iter_self,
  .next = group_next,
};

/* ---- tee: a chain of cells, shared by the iterators ------------------------------------------------------------------- */

typedef struct tee_cell {
  asy_obj head;
  asy_value source; /* the shared iterator */
  asy_value value;  /* 0: not asked for yet */
  struct tee_cell *next;
  bool running;
} tee_cell;

typedef struct {
  asy_obj head;
  tee_cell *cell; /* whose value comes next */
} tee;

static const asy_type tee_cell_type, tee_type;

static void tee_cell_visit(asy_obj *o, asy_visitor *v) {
  const tee_cell *cell = (const tee_cell *)o;
  asy_visit_value(v, cell->source);
  asy_visit_value(v, cell->value);
  asy_visit_obj(v, cell->next);
}

static void tee_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((const tee *)o)->cell); }

static tee_cell *tee_cell_new(asy_vm *vm, asy_value source) {
  tee_cell *cell = asy_new_object(vm, &tee_cell_type);
  if (cell) cell->source = source;
  return cell;
}

static tee *tee_at(asy_vm *vm, tee_cell *cell) {
  asy_class *cls = asy_define_type(vm, &tee_type);
  tee *t = cls && cell ? asy_new_instance(vm, cls) : NULL;
  if (t) t->cell = cell;
  return t;
}

/* `iterator` itself when it is one of these, else one that shares it from now on. */
static tee *tee_of(asy_vm *vm, asy_value iterator) {
  asy_class *cls = asy_define_type(vm, &tee_type);
  if (cls && asy_type_of(vm, iterator) == cls) return (tee *)asy_obj_of(iterator);
  return cls ? tee_at(vm, tee_cell_new(vm, iterator)) : NULL;
}

static asy_value tee_new(asy_vm *vm, const asy_value *args) {
  asy_value iterator = asy_iter(vm, args[1]);
  tee *t = asy_failed(iterator) ? NULL : tee_of(vm, iterator);
  return t ? or_failed(tee_at(vm, t->cell)) : ASY_FAILED;
}

static asy_value tee_copy(asy_vm *vm, const asy_value *args) {
  return or_failed(tee_at(vm, ((tee *)asy_obj_of(args[0]))->cell));
}

static asy_value tee_next(asy_vm *vm, asy_value self) {
  tee *t = (tee *)asy_obj_of(self);
  tee_cell *cell = t->cell;
  if (!cell->value) {
    if (cell->running) return asy_raise(vm, ASY_RuntimeError, "cannot re-enter the tee iterator");
    cell->running = true;
    asy_value item = asy_next(vm, cell->source);
    cell->running = false;
    if (item == ASY_END || asy_failed(item)) return item;
    tee_cell *next = tee_cell_new(vm, cell->source);
    if (!next) return ASY_FAILED;
    cell->next = next;
    asy_store(vm, cell, &cell->value, item);
    asy_barrier(vm, cell);
  }
  t->cell = cell->next;
  asy_barrier(vm, t);
  return cell->value;
}

static const asy_type tee_cell_type = {
  .name = "itertools._tee_dataobject",
  .size = sizeof(tee_cell),
  .flags = ASY_TYPE_NO_NEW | ASY_TYPE_FINAL,
  .visit = tee_cell_visit,
};

static const asy_native tee_methods[] = {
  {"__copy__", SIG("(self, /)"), tee_copy, DOC("Returns an independent iterator."), 0},
  {0},
};

static const asy_type tee_type = {
  .name = "itertools._tee",
  .doc = "Iterator wrapped to make it copyable.",
  .size = sizeof(tee),
  .flags = ASY_TYPE_FINAL,
  .visit = tee_visit,
  .new_ = tee_new,
  .new_signature = SIG("(cls, iterable, /)"),
  .iter = iter_self,
  .next = tee_next,
  .methods = tee_methods,
};

static asy_value itertools_tee(asy_vm *vm, const asy_value *args) {
  int64_t n;
  if (!asy_to_int64(vm, args[1], &n)) return ASY_FAILED;
  if (n < 0) return asy_raise(vm, ASY_ValueError, "n must be >= 0");
  if (n > INT32_MAX) return asy_raise_no_memory(vm);
  asy_tuple *all = asy_tuple_new(vm, NULL, (uint32_t)n);
  if (!all || !n) return or_failed(all);
  asy_value iterator = asy_iter(vm, args[0]);
  if (asy_failed(iterator)) return ASY_FAILED;
  tee *first = tee_of(vm, iterator);
  for (uint32_t i = 0; i < all->len; i++) {
    tee *t = !first || i == 0 ? first : tee_at(vm, first->cell);
    if (!t) return ASY_FAILED;
    asy_store(vm, all, &all->items[i], asy_from_obj(t));
  }
  return asy_from_obj(all);
}

/* ---- zip_longest ---------------------------------------------------------------------------------------------------- */

typedef struct {
  asy_obj head;
  asy_tuple *iterators; /* None in the place of one that ended */
  asy_value fill;
  uint32_t active; /* iterators that have not ended */
} zip_longest;

static void zip_longest_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_obj(v, ((const zip_longest *)o)->iterators);
  asy_visit_value(v, ((const zip_longest *)o)->fill);
}

static asy_value zip_longest_new(asy_vm *vm, const asy_value *args) {
  const asy_tuple *iterables = tuple_arg(args[1]);
  asy_tuple *iterators = asy_tuple_new(vm, NULL, iterables->len);
  for (uint32_t i = 0; iterators && i < iterables->len; i++) {
    asy_value iterator = asy_iter(vm, iterables->items[i]);
    if (asy_failed(iterator)) return ASY_FAILED;
    asy_store(vm, iterators, &iterators->items[i], iterator);
  }
  zip_longest *z = iterators ? asy_new_instance(vm, class_arg(args[0])) : NULL;
  if (!z) return ASY_FAILED;
  z->iterators = iterators;
  z->fill = args[2];
  z->active = iterators->len;
  return asy_from_obj(z);
}

static asy_value zip_longest_next(asy_vm *vm, asy_value self) {
  zip_longest *z = (zip_longest *)asy_obj_of(self);
  asy_tuple *iterators = z->iterators;
  if (!z->active) return ASY_END;
  asy_tuple *items = asy_tuple_new(vm, NULL, iterators->len);
  if (!items) return ASY_FAILED;
  for (uint32_t i = 0; i < iterators->len; i++) {
    asy_value item = iterators->items[i] == ASY_NONE ? ASY_END : asy_next(vm, iterators->items[i]);
    if (asy_failed(item)) {
      z->active = 0;
      return ASY_FAILED;
    }
    if (item == ASY_END) {
      if (iterators->items[i] != ASY_NONE) {
        iterators->items[i] = ASY_NONE;
        if (z->active == 0 || --z->active == 0) return ASY_END;
      }
      item = z->fill;
    }
    asy_store(vm, items, &items->items[i], item);
  }
  return asy_from_obj(items);
}

static const asy_type zip_longest_type = {
  .name = "itertools.zip_longest",
  .doc = "As zip, but goes on until the longest iterable is exhausted, with fillvalue for the others.",
  .size = sizeof(zip_longest),
  .visit = zip_longest_visit,
  .new_ = zip_longest_new,
  .new_signature = SIG("(cls, /, *iterables, fillvalue=None)"),
  .iter = iter_self,
  .next = zip_longest_next,
};

/* ---- Arrangements ----------------------------------------------------------------------------------------------------- */

typedef struct {
  asy_obj head;
  asy_tuple *pool;   /* what is chosen from; product: a tuple of pools, one a place */
  uint32_t *indices; /* owned: of the items chosen; permutations: of all, followed by r cycle counters */
  uint32_t count;    /* of words at indices */
  uint32_t r;        /* items in a result */
  bool started, ended;
} arrangement;

static arrangement *arrangement_of(asy_value v) { return (arrangement *)asy_obj_of(v); }

static void arrangement_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((const arrangement *)o)->pool); }

static void arrangement_free(asy_vm *vm, asy_obj *o) {
  const arrangement *a = (const arrangement *)o;
  asy_mem_free(vm, a->indices, a->count * sizeof *a->indices);
}

static arrangement *arrangement_new(asy_vm *vm, asy_value cls, asy_tuple *pool, uint64_t count, int64_t r) {
  if (count > INT32_MAX || r > INT32_MAX) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  arrangement *a = asy_new_instance(vm, class_arg(cls));
  if (!a) return NULL;
  a->pool = pool;
  a->r = (uint32_t)r;
  if (count) {
    uint32_t *indices = asy_mem_alloc(vm, count * sizeof *indices);
    if (!indices) return NULL;
    memset(indices, 0, count * sizeof *indices);
    a->indices = indices;
    a->count = (uint32_t)count;
  }
  return a;
}

/* r items of the pool, at the indices. */
static asy_value chosen(asy_vm *vm, const arrangement *a) {
  asy_tuple *items = asy_tuple_new(vm, NULL, a->r);
  for (uint32_t i = 0; items && i < a->r; i++) items->items[i] = a->pool->items[a->indices[i]];
  return or_failed(items);
}

static bool size_argument(asy_vm *vm, asy_value v, int64_t *r) {
  if (!asy_to_int64(vm, v, r)) return false;
  if (*r < 0) asy_raise(vm, ASY_ValueError, "r must be non-negative");
  return *r >= 0;
}

static asy_value product_new(asy_vm *vm, const asy_value *args) {
  const asy_tuple *iterables = tuple_arg(args[1]);
  int64_t repeat;
  uint64_t n;
  if (!asy_to_int64(vm, args[2], &repeat)) return ASY_FAILED;
  if (repeat < 0) return asy_raise(vm, ASY_ValueError, "repeat argument cannot be negative");
  if (__builtin_mul_overflow((uint64_t)iterables->len, (uint64_t)repeat, &n) || n > INT32_MAX)
    return asy_raise(vm, ASY_OverflowError, "repeat argument too large");
  asy_tuple *pools = asy_tuple_new(vm, NULL, (uint32_t)n);
  if (!pools) return ASY_FAILED;
  bool empty = false;
  for (uint32_t i = 0; i < n; i++) {
    asy_value pool = i >= iterables->len ? pools->items[i - iterables->len]
                                         : or_failed(asy_tuple_from_iterable(vm, iterables->items[i]));
    if (asy_failed(pool)) return ASY_FAILED;
    empty |= !tuple_arg(pool)->len;
    asy_store(vm, pools, &pools->items[i], pool);
  }
  arrangement *a = arrangement_new(vm, args[0], pools, n, (int64_t)n);
  if (!a) return ASY_FAILED;
  a->ended = empty;
  return asy_from_obj(a);
}

static asy_value product_next(asy_vm *vm, asy_value self) {
  arrangement *a = arrangement_of(self);
  if (a->started && !a->ended) {
    uint32_t i = a->r;
    while (i > 0 && ++a->indices[i - 1] == tuple_arg(a->pool->items[i - 1])->len) a->indices[--i] = 0;
    a->ended = i == 0;
  }
  if (a->ended) return ASY_END;
  a->started = true;
  asy_tuple *items = asy_tuple_new(vm, NULL, a->r);
  for (uint32_t i = 0; items && i < a->r; i++) items->items[i] = tuple_arg(a->pool->items[i])->items[a->indices[i]];
  return or_failed(items);
}

static asy_value permutations_new(asy_vm *vm, const asy_value *args) {
  asy_tuple *pool = asy_tuple_from_iterable(vm, args[1]);
  if (!pool) return ASY_FAILED;
  int64_t r = pool->len;
  if (args[2] != ASY_NONE) {
    if (!asy_is_integer(args[2])) return asy_raise(vm, ASY_TypeError, "Expected int as r");
    if (!size_argument(vm, args[2], &r)) return ASY_FAILED;
  }
  bool ended = r > pool->len;
  if (ended) r = 0;
  arrangement *a = arrangement_new(vm, args[0], pool, (uint64_t)pool->len + (uint64_t)r, r);
  if (!a) return ASY_FAILED;
  a->ended = ended;
  for (uint32_t i = 0; i < pool->len; i++) a->indices[i] = i;
  for (uint32_t i = 0; i < a->r; i++) a->indices[pool->len + i] = pool->len - i;
  return asy_from_obj(a);
}

static asy_value permutations_next(asy_vm *vm, asy_value self) {
  arrangement *a = arrangement_of(self);
  if (a->started && !a->ended) {
    uint32_t n = a->pool->len, i = a->r, *indices = a->indices, *cycles = indices + n;
    while (i > 0 &&
           --cycles[i - 1] == 0) { /* this place has had every item: the rest rotates, the place before goes on */
      i--;
      uint32_t first = indices[i];
      memmove(indices + i, indices + i + 1, (n - i - 1) * sizeof *indices);
      indices[n - 1] = first;
      cycles[i] = n - i;
    }
    if (i > 0) {
      uint32_t *a1 = &indices[i - 1], *a2 = &indices[n - cycles[i - 1]], kept = *a1;
      *a1 = *a2;
      *a2 = kept;
    }
    a->ended = i == 0;
  }
  if (a->ended) return ASY_END;
  a->started = true;
  return chosen(vm, a);
}

static asy_value combinations_new(asy_vm *vm, const asy_value *args) {
  asy_tuple *pool = asy_tuple_from_iterable(vm, args[1]);
  int64_t r;
  if (!pool || !size_argument(vm, args[2], &r)) return ASY_FAILED;
  bool ended = r > pool->len;
  if (ended) r = 0;
  arrangement *a = arrangement_new(vm, args[0], pool, (uint64_t)r, r);
  if (!a) return ASY_FAILED;
  a->ended = ended;
  for (uint32_t i = 0; i < a->r; i++) a->indices[i] = i;
  return asy_from_obj(a);
}

static asy_value combinations_next(asy_vm *vm, asy_value self) {
  arrangement *a = arrangement_of(self);
  if (a->started && !a->ended) {
    uint32_t n = a->pool->len, i = a->r;
    while (i > 0 && a->indices[i - 1] == n - a->r + i - 1) i--;
    a->ended = i == 0;
    if (i > 0) a->indices[i - 1]++;
    for (; i > 0 && i < a->r; i++) a->indices[i] = a->indices[i - 1] + 1;
  }
  if (a->ended) return ASY_END;
  a->started = true;
  return chosen(vm, a);
}

static asy_value replacement_new(asy_vm *vm, const asy_value *args) {
  asy_tuple *pool = asy_tuple_from_iterable(vm, args[1]);
  int64_t r;
  if (!pool || !size_argument(vm, args[2], &r)) return ASY_FAILED;
  bool ended = !pool->len && r > 0;
  if (ended) r = 0;
  arrangement *a = arrangement_new(vm, args[0], pool, (uint64_t)r, r);
  if (!a) return ASY_FAILED;
  a->ended = ended;
  return asy_from_obj(a);
}

static asy_value replacement_next(asy_vm *vm, asy_value self) {
  arrangement *a = arrangement_of(self);
  if (a->started && !a->ended) {
    uint32_t i = a->r;
    while (i > 0 && a->indices[i - 1] + 1 == a->pool->len) i--;
    a->ended = i == 0;
    uint32_t index = i > 0 ? a->indices[i - 1] + 1 : 0;
    for (; i > 0 && i <= a->r; i++) a->indices[i - 1] = index;
  }
  if (a->ended) return ASY_END;
  a->started = true;
  return chosen(vm, a);
}

#define ARRANGEMENT_TYPE(variable, its_name, its_doc, make, signature, step)                                           \
  static const asy_type variable = {                                                                                   \
    .name = "itertools." its_name,                                                                                     \
    .doc = its_doc,                                                                                                    \
    .size = sizeof(arrangement),                                                                                       \
    .visit = arrangement_visit,                                                                                        \
    .free = arrangement_free,                                                                                          \
    .new_ = make,                                                                                                      \
    .new_signature = signature,                                                                                        \
    .iter = iter_self,                                                                                                 \
    .next = step,                                                                                                      \
  }
ARRANGEMENT_TYPE(product_type, "product", "Cartesian product of input iterables. Equivalent to nested for-loops.",
                 product_new, SIG("(cls, /, *iterables, repeat=1)"), product_next);
ARRANGEMENT_TYPE(permutations_type, "permutations",
                 "Return successive r-length permutations of elements in the iterable.", permutations_new,
                 SIG("(cls, iterable, r=None)"), permutations_next);
ARRANGEMENT_TYPE(combinations_type, "combinations",
                 "Return successive r-length combinations of elements in the iterable.", combinations_new,
                 SIG("(cls, iterable, r)"), combinations_next);
ARRANGEMENT_TYPE(
  replacement_type, "combinations_with_replacement",
  "Return successive r-length combinations of elements in the iterable, allowing individual elements to repeat.",
  replacement_new, SIG("(cls, iterable, r)"), replacement_next);
#undef ARRANGEMENT_TYPE

/* ---- The module --------------------------------------------------------------------------------------------------------- */

static const asy_native natives[] = {
  {"tee", SIG("(iterable, n=2, /)"), itertools_tee, DOC("Returns a tuple of n independent iterators."), 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  static const asy_type *const types[] = {
    &accumulate_type,  &batched_type,      &chain_type,     &combinations_type, &replacement_type, &compress_type,
    &count_type,       &cycle_type,        &dropwhile_type, &filterfalse_type,  &groupby_type,     &islice_type,
    &pairwise_type,    &permutations_type, &product_type,   &repeat_type,       &starmap_type,     &takewhile_type,
    &zip_longest_type, &group_type,        &tee_type,       &tee_cell_type,
  };
  for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
    if (!asy_module_add_type(vm, module, strchr(types[i]->name, '.') + 1, types[i])) return false;
  }
  return true;
}

const asy_module_def asy_module_itertools = {"itertools", natives, "Functional tools for creating and using iterators.",
                                             init};
