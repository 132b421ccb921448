/* bisect.c - the module bisect (and _bisect): places in sorted sequences. Without keys, an item counts as its own key. */
#include "runtime/asy.h"

enum { ARG_A, ARG_X, ARG_LO, ARG_HI, ARG_KEY };
typedef enum { LEFT, RIGHT } side; /* of equal items */

/* The range to search: false: an exception is set. */
static bool bounds(asy_vm *vm, const asy_value *args, int64_t *lo, int64_t *hi) {
  if (!asy_to_int64(vm, args[ARG_LO], lo)) return false;
  if (*lo < 0) return asy_raise(vm, ASY_ValueError, "lo must be non-negative"), false;
  if (args[ARG_HI] != ASY_NONE) return asy_to_int64(vm, args[ARG_HI], hi);
  *hi = asy_length(vm, args[ARG_A]);
  return *hi >= 0;
}

static asy_value item_at(asy_vm *vm, asy_value a, int64_t i) {
  if (asy_is_exact(a, KIND_LIST)) {
    const asy_list *list = (const asy_list *)asy_obj_of(a);
    if (i < list->len) return list->items[i];
  }
  return asy_get_item(vm, a, asy_from_int64(vm, i));
}

/* Where x, which is compared with the items' keys, belongs. -1 failed. */
static int64_t place(asy_vm *vm, const asy_value *args, asy_value x, side where) {
  int64_t lo, hi;
  if (!bounds(vm, args, &lo, &hi)) return -1;
  while (lo < hi) {
    int64_t middle = lo + (hi - lo) / 2;
    asy_value item = item_at(vm, args[ARG_A], middle);
    if (!asy_failed(item) && args[ARG_KEY] != ASY_NONE) item = asy_call1(vm, args[ARG_KEY], item);
    if (asy_failed(item)) return -1;
    int less = where == RIGHT ? asy_less(vm, x, item) : asy_less(vm, item, x);
    if (less < 0) return -1;
    if ((where == RIGHT) == (less == 1)) hi = middle;
    else lo = middle + 1;
  }
  return lo;
}

static asy_value bisect(asy_vm *vm, const asy_value *args, side where) {
  int64_t i = place(vm, args, args[ARG_X], where);
  return i < 0 ? ASY_FAILED : asy_from_int64(vm, i);
}

static asy_value insort(asy_vm *vm, const asy_value *args, side where) {
  asy_value key = args[ARG_KEY] == ASY_NONE ? args[ARG_X] : asy_call1(vm, args[ARG_KEY], args[ARG_X]);
  int64_t i = asy_failed(key) ? -1 : place(vm, args, key, where);
  if (i < 0) return ASY_FAILED;
  if (asy_is_exact(args[ARG_A], KIND_LIST))
    return asy_list_insert(vm, (asy_list *)asy_obj_of(args[ARG_A]), i, args[ARG_X]) ? ASY_NONE : ASY_FAILED;
  asy_str *insert = asy_intern(vm, "insert");
  asy_value given[] = {asy_from_int64(vm, i), args[ARG_X]};
  return insert && !asy_failed(asy_call_method(vm, args[ARG_A], insert, 2, given)) ? ASY_NONE : ASY_FAILED;
}

static asy_value bisect_left(asy_vm *vm, const asy_value *args) { return bisect(vm, args, LEFT); }
static asy_value bisect_right(asy_vm *vm, const asy_value *args) { return bisect(vm, args, RIGHT); }
static asy_value insort_left(asy_vm *vm, const asy_value *args) { return insort(vm, args, LEFT); }
static asy_value insort_right(asy_vm *vm, const asy_value *args) { return insort(vm, args, RIGHT); }

#define SIGNATURE SIG("(a, x, lo=0, hi=None, *, key=None)")
static const asy_native natives[] = {
  {"bisect_left", SIGNATURE, bisect_left, DOC("Return the index where to insert item x in list a: before equal items."),
   0},
  {"bisect_right", SIGNATURE, bisect_right,
   DOC("Return the index where to insert item x in list a: behind equal items."), 0},
  {"insort_left", SIGNATURE, insort_left, DOC("Insert item x in list a, and keep it sorted: before equal items."), 0},
  {"insort_right", SIGNATURE, insort_right, DOC("Insert item x in list a, and keep it sorted: behind equal items."), 0},
  {0},
};
#undef SIGNATURE

static bool init(asy_vm *vm, asy_value module) {
  asy_value right = asy_get_attr_cstr(vm, module, "bisect_right"), in = asy_get_attr_cstr(vm, module, "insort_right");
  return !asy_failed(right) && !asy_failed(in) && asy_module_set(vm, module, "bisect", right) &&
         asy_module_set(vm, module, "insort", in);
}

static const char doc[] = "Bisection algorithms: keep a list sorted without sorting it after each insertion.";
const asy_module_def asy_module_bisect = {"bisect", natives, doc, init};
const asy_module_def asy_module_bisect_natives = {"_bisect", natives, doc, init};
