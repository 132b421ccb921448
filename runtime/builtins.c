/* builtins.c - the functions of the builtins module that work on values; print and the standard files. What compiles, runs or
 * looks at namespaces is in evaluate.c.
 */
#include "runtime/builtins.h"

#include <math.h>

#include "runtime/class.h"
#include "runtime/evaluate.h"
#include "runtime/file.h"
#include "runtime/import.h"
#include "runtime/io/io.h"
#include "runtime/module.h"
#include "runtime/number.h"
#include "runtime/protocol.h"
#include "runtime/sys.h"
#include "runtime/types/bytes.h"
#include "runtime/types/iter.h"

static asy_value or_failed(const void *object) { return object ? asy_from_obj(object) : ASY_FAILED; }

/* ---- Output ---- */

/* One of the standard streams; NULL once it is something else or closed. */
static io_text *standard_stream(asy_vm *vm, asy_value file) {
  io_text *t = file && io_exactly(vm, file, vm->io_state->text) ? (io_text *)asy_obj_of(file) : NULL;
  return t && t->ready && t->direct && t->direct->ready && t->direct->file->fd >= 0 ? t : NULL;
}

bool asy_write_stdout(asy_vm *vm, const char *text, size_t length) {
  io_text *t = standard_stream(vm, vm->stdout_file);
  return t && io_buffered_write(vm, t->direct, text, length);
}

/* What a script has put in the place of sys.stderr. */
static bool write_to_scripts_own(asy_vm *vm, asy_value file, const char *text, size_t length) {
  asy_value pending = asy_raised(vm) ? asy_take_exception(vm) : 0;
  asy_str *write = asy_intern(vm, "write");
  asy_value string = write ? asy_from_text(vm, text, length) : ASY_FAILED;
  bool ok = !asy_failed(string) && !asy_failed(asy_call_method(vm, file, write, 1, &string));
  if (ok && pending) asy_set_exception(vm, pending);
  return ok;
}

bool asy_write_stderr(asy_vm *vm, const char *text, size_t length) {
  asy_str *name = vm->sys_module ? asy_intern(vm, "stderr") : NULL;
  asy_value file = name ? asy_sys_get(vm, name) : ASY_UNBOUND;
  if (file == ASY_NONE) return true;
  if (file != ASY_UNBOUND && file != vm->stderr_file) return write_to_scripts_own(vm, file, text, length);
  io_text *t = standard_stream(vm, vm->stderr_file);
  return t && io_buffered_write(vm, t->direct, text, length) && io_buffered_flush(vm, t->direct);
}

void asy_flush_std(asy_vm *vm) {
  asy_value pending = asy_raised(vm) ? asy_take_exception(vm) : 0;
  const asy_value files[] = {vm->stdout_file, vm->stderr_file};
  for (int i = 0; i < 2; i++) {
    io_text *t = standard_stream(vm, files[i]);
    if (t && t->direct->out_len && !io_buffered_flush(vm, t->direct)) asy_clear_exception(vm);
  }
  asy_value scripts_own = vm->sys_module ? asy_sys_get(vm, ASY_NAME(vm, stdout)) : ASY_UNBOUND;
  if (scripts_own != ASY_UNBOUND && scripts_own != ASY_NONE && scripts_own != vm->stdout_file &&
      asy_failed(asy_call_method(vm, scripts_own, ASY_NAME(vm, flush), 0, NULL)))
    asy_clear_exception(vm);
  if (pending) asy_set_exception(vm, pending);
}

/* str(v) to a stream of ours, without a str object where it is easy to do without. */
static bool write_value(asy_vm *vm, io_text *file, asy_value v) {
  char text[ASY_FLOAT_TEXT];
  if (asy_is_int(v)) {
    char *end = text + sizeof text, *p = end;
    int64_t i = asy_small(v);
    uint64_t rest = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    do *--p = (char)('0' + rest % 10);
    while (rest /= 10);
    if (i < 0) *--p = '-';
    return io_text_write_ascii(vm, file, p, (size_t)(end - p));
  }
  if (asy_is_flonum(v)) return io_text_write_ascii(vm, file, text, asy_float_text(vm, asy_flonum(v), text));
  if (!asy_is_exact(v, KIND_STR)) v = asy_str_of(vm, v);
  return !asy_failed(v) && io_text_write(vm, file, (asy_str *)asy_obj_of(v));
}

static bool write_to(asy_vm *vm, asy_value file, asy_value v) {
  asy_value text = asy_str_of(vm, v);
  return !asy_failed(text) && !asy_failed(asy_call_method(vm, file, ASY_NAME(vm, write), 1, &text));
}

static bool print_to(asy_vm *vm, asy_value file, const asy_tuple *objects, asy_str *separator, asy_str *end) {
  io_text *own = io_exactly(vm, file, vm->io_state->text) ? (io_text *)asy_obj_of(file) : NULL;
  for (uint32_t i = 0; i < objects->len; i++) {
    if (i && !(own ? io_text_write(vm, own, separator) : write_to(vm, file, asy_from_obj(separator)))) return false;
    if (!(own ? write_value(vm, own, objects->items[i]) : write_to(vm, file, objects->items[i]))) return false;
  }
  return own ? io_text_write(vm, own, end) : write_to(vm, file, asy_from_obj(end));
}

static bool text_or_none(asy_vm *vm, asy_value v, const char *name, const char *otherwise, asy_str **out) {
  if (v != ASY_NONE && !asy_is_str(v)) {
    asy_raise(vm, ASY_TypeError, "%s must be None or a string, not %T", name, v);
    return false;
  }
  *out = v == ASY_NONE ? asy_intern(vm, otherwise) : (asy_str *)asy_obj_of(v);
  return *out != NULL;
}

static asy_value builtin_print(asy_vm *vm, const asy_value *args) {
  asy_value file = args[3];
  asy_str *separator, *end;
  if (file == ASY_NONE) {
    file = asy_sys_get(vm, ASY_NAME(vm, stdout));
    if (file == ASY_UNBOUND) return asy_raise(vm, ASY_RuntimeError, "lost sys.stdout");
    if (file == ASY_NONE) return ASY_NONE;
  }
  if (!text_or_none(vm, args[1], "sep", " ", &separator) || !text_or_none(vm, args[2], "end", "\n", &end))
    return ASY_FAILED;
  if (!print_to(vm, file, (const asy_tuple *)asy_obj_of(args[0]), separator, end)) return ASY_FAILED;
  int flush = asy_truth(vm, args[4]);
  if (flush < 0) return ASY_FAILED;
  return flush && asy_failed(asy_call_method(vm, file, ASY_NAME(vm, flush), 0, NULL)) ? ASY_FAILED : ASY_NONE;
}

static asy_value builtin_input(asy_vm *vm, const asy_value *args) {
  asy_value in = asy_sys_get(vm, ASY_NAME(vm, stdin)), out = asy_sys_get(vm, ASY_NAME(vm, stdout));
  if (in == ASY_UNBOUND || in == ASY_NONE) return asy_raise(vm, ASY_RuntimeError, "input(): lost sys.stdin");
  if (out == ASY_UNBOUND || out == ASY_NONE) return asy_raise(vm, ASY_RuntimeError, "input(): lost sys.stdout");
  if (args[0] != ASY_UNBOUND && !write_to(vm, out, args[0])) return ASY_FAILED;
  if (asy_failed(asy_call_method(vm, out, ASY_NAME(vm, flush), 0, NULL))) asy_clear_exception(vm); /* as CPython */
  asy_value line = asy_call_method(vm, in, asy_intern(vm, "readline"), 0, NULL);
  if (asy_failed(line)) return ASY_FAILED;
  if (!asy_is_str(line)) return asy_raise(vm, ASY_TypeError, "object.readline() returned non-string");
  asy_str *text = (asy_str *)asy_obj_of(line);
  if (!text->len) return asy_raise(vm, ASY_EOFError, "EOF when reading a line");
  if (asy_str_at(text, text->len - 1) != '\n') return line;
  return or_failed(asy_str_slice(vm, text, 0, text->len - 1));
}

bool asy_display(asy_vm *vm, asy_value value) {
  asy_value hook = asy_sys_get(vm, asy_intern(vm, "displayhook"));
  if (hook == ASY_UNBOUND) asy_raise(vm, ASY_RuntimeError, "lost sys.displayhook");
  return hook != ASY_UNBOUND && !asy_failed(asy_call1(vm, hook, value));
}

bool asy_display_default(asy_vm *vm, asy_value value) {
  if (value == ASY_NONE) return true;
  if (!asy_dict_set_str(vm, vm->builtins, ASY_NAME(vm, _), ASY_NONE)) return false;
  asy_value out = asy_sys_get(vm, ASY_NAME(vm, stdout));
  if (out == ASY_UNBOUND || out == ASY_NONE) return asy_raise(vm, ASY_RuntimeError, "lost sys.stdout"), false;
  asy_value text = asy_repr(vm, value);
  if (asy_failed(text)) return false;
  asy_str *newline = asy_intern(vm, "\n");
  if (!write_to(vm, out, text) || !write_to(vm, out, asy_from_obj(newline))) return false;
  return asy_dict_set_str(vm, vm->builtins, ASY_NAME(vm, _), value);
}

/* ---- Numbers and characters ---- */

static asy_value builtin_abs(asy_vm *vm, const asy_value *args) { return asy_absolute(vm, args[0]); }
static asy_value builtin_divmod(asy_vm *vm, const asy_value *args) { return asy_divmod(vm, args[0], args[1]); }
static asy_value builtin_pow(asy_vm *vm, const asy_value *args) { return asy_pow(vm, args[0], args[1], args[2]); }

static asy_value with_prefix(asy_vm *vm, asy_value number, int base, const char *prefix) {
  asy_value integer = asy_index(vm, number);
  asy_str *digits = asy_failed(integer) ? NULL : asy_int_to_str(vm, integer, base);
  if (!digits) return ASY_FAILED;
  if (asy_int_sign(integer) >= 0) return or_failed(asy_str_format(vm, "%s%U", prefix, digits));
  asy_str *magnitude = asy_str_slice(vm, digits, 1, digits->len);
  return magnitude ? or_failed(asy_str_format(vm, "-%s%U", prefix, magnitude)) : ASY_FAILED;
}

static asy_value builtin_bin(asy_vm *vm, const asy_value *args) { return with_prefix(vm, args[0], 2, "0b"); }
static asy_value builtin_oct(asy_vm *vm, const asy_value *args) { return with_prefix(vm, args[0], 8, "0o"); }
static asy_value builtin_hex(asy_vm *vm, const asy_value *args) { return with_prefix(vm, args[0], 16, "0x"); }

static asy_value builtin_chr(asy_vm *vm, const asy_value *args) {
  int64_t code;
  asy_value integer = asy_index(vm, args[0]);
  if (asy_failed(integer)) return ASY_FAILED;
  if (!asy_is_number_int64(integer, &code) || code < 0 || code >= 0x110000)
    return asy_raise(vm, ASY_ValueError, "chr() arg not in range(0x110000)");
  return or_failed(asy_str_char(vm, (uint32_t)code));
}

static asy_value builtin_ord(asy_vm *vm, const asy_value *args) {
  size_t length;
  if (asy_is_str(args[0])) {
    const asy_str *s = (const asy_str *)asy_obj_of(args[0]);
    if (s->len == 1) return asy_from_small(asy_str_at(s, 0));
    length = s->len;
  } else if (asy_is_kind(args[0], KIND_BYTES) || asy_is_kind(args[0], KIND_BYTEARRAY)) {
    asy_buffer buffer;
    if (!asy_buffer_get(vm, args[0], &buffer)) return ASY_FAILED;
    length = buffer.len;
    int first = length ? buffer.data[0] : 0;
    asy_buffer_release(vm, &buffer);
    if (length == 1) return asy_from_small(first);
  } else return asy_raise(vm, ASY_TypeError, "ord() expected string of length 1, but %T found", args[0]);
  return asy_raise(vm, ASY_TypeError, "ord() expected a character, but string of length %zu found", length);
}

static asy_value builtin_round(asy_vm *vm, const asy_value *args) {
  if (asy_is_flonum(args[0])) {
    double d = asy_flonum(args[0]);
    return args[1] == ASY_NONE ? asy_int_from_double(vm, rint(d)) : asy_float_round_to(vm, d, args[1]);
  }
  asy_value result = asy_call_special(vm, args[0], ASY_NAME(vm, __round__), args[1] != ASY_NONE, args + 1);
  if (result != ASY_UNBOUND) return result;
  return asy_raise(vm, ASY_TypeError, "type %T doesn't define __round__ method", args[0]);
}

/* ---- Sums: ints in a C integer, floats with Neumaier's compensation, anything else by + ---- */

typedef struct {
  asy_taker taker; /* adds small ints that a generator yields to `sum` */
  asy_vm *vm;
  asy_value iterator;
  asy_value item; /* the next item, when not yet used */
  int64_t sum;
} summing;

static inline __attribute__((always_inline)) bool add_small_int(summing *s, asy_value item) {
  if (!asy_is_int(item) || !asy_int_fits(s->sum + asy_small(item))) return false;
  s->sum += asy_small(item);
  return true;
}

static bool take_small_int(asy_vm *vm, const asy_taker *taker, asy_value item) {
  return add_small_int((summing *)(uintptr_t)taker, item);
}

static bool next_item(summing *s) {
  s->item = asy_next(s->vm, s->iterator);
  return s->item != ASY_END && !asy_failed(s->item);
}

/* Adds leading small ints to *total; false at the end or a failure (s->item says which). */
static bool sum_ints(summing *s, asy_value *total) {
  while (asy_is_int(*total)) {
    s->sum = asy_small(*total);
    do {
      s->item = asy_next_into(s->vm, s->iterator, &s->taker);
      if (s->item == ASY_END || asy_failed(s->item)) {
        *total = asy_from_int64(s->vm, s->sum);
        return false;
      }
    } while (add_small_int(s, s->item));
    *total = asy_from_small(s->sum);
    if (!asy_is_int(s->item) && !asy_is_bool(s->item) && !asy_is_exact(s->item, KIND_INT))
      return true; /* a subclass may have its own + */
    *total = asy_int_add(s->vm, *total, s->item);
    if (asy_failed(*total)) {
      s->item = ASY_FAILED;
      return false;
    }
  }
  return next_item(s);
}

/* The same for floats and ints, from *total, a float; s->item is an item to be added. */
static bool sum_floats(summing *s, asy_value *total) {
  double sum = asy_float_value(*total), lost = 0;
  bool more = true;
  do {
    double x;
    int64_t i;
    if (asy_is_flonum(s->item) || asy_is_exact(s->item, KIND_FLOAT)) x = asy_float_value(s->item);
    else if (asy_is_number_int64(s->item, &i)) x = (double)i;
    else break;
    double t = sum + x;
    lost += fabs(sum) >= fabs(x) ? (sum - t) + x : (x - t) + sum;
    sum = t;
    more = next_item(s);
  } while (more);
  if (lost != 0 && isfinite(lost)) sum += lost;
  *total = asy_from_double(s->vm, sum);
  return more;
}

static asy_value builtin_sum(asy_vm *vm, const asy_value *args) {
  asy_value total = args[1];
  const char *type = asy_is_str(total)                    ? "strings [use ''"
                     : asy_is_kind(total, KIND_BYTES)     ? "bytes [use b''"
                     : asy_is_kind(total, KIND_BYTEARRAY) ? "bytearray [use b''"
                                                          : NULL;
  summing s = {.taker = {take_small_int}, .vm = vm, .iterator = asy_iter(vm, args[0]), .item = ASY_END};
  if (asy_failed(s.iterator)) return ASY_FAILED;
  if (type) return asy_raise(vm, ASY_TypeError, "sum() can't sum %s.join(seq) instead]", type);
  bool more = asy_is_int(total) ? sum_ints(&s, &total) : next_item(&s);
  bool exact_float = asy_is_flonum(s.item) || asy_is_exact(s.item, KIND_FLOAT);
  if (more && exact_float && asy_is_integer(total)) { /* ints became floats */
    double d;
    if (asy_int_to_double(vm, total, &d)) total = asy_from_double(vm, d);
    else asy_clear_exception(vm);
  }
  if (more && (asy_is_flonum(total) || asy_is_exact(total, KIND_FLOAT))) more = sum_floats(&s, &total);
  while (more) {
    total = asy_binary(vm, BINARY_ADD, total, s.item);
    if (asy_failed(total)) return ASY_FAILED;
    more = next_item(&s);
  }
  return asy_failed(s.item) ? ASY_FAILED : total;
}

/* ---- Iterables ---- */

static asy_value any_all(asy_vm *vm, asy_value iterable, int wanted) {
  asy_value iterator = asy_iter(vm, iterable);
  if (asy_failed(iterator)) return ASY_FAILED;
  for (;;) {
    asy_value item = asy_next(vm, iterator);
    if (item == ASY_END) return asy_from_bool(!wanted);
    int truth = asy_failed(item) ? -1 : asy_truth(vm, item);
    if (truth < 0) return ASY_FAILED;
    if (truth == wanted) return asy_from_bool(wanted);
  }
}

static asy_value builtin_any(asy_vm *vm, const asy_value *args) { return any_all(vm, args[0], 1); }
static asy_value builtin_all(asy_vm *vm, const asy_value *args) { return any_all(vm, args[0], 0); }

static int better(asy_vm *vm, asy_value a, asy_value b, asy_compare_op op) {
  if (asy_both_int(a, b)) return op == COMPARE_LT ? asy_small(a) < asy_small(b) : asy_small(a) > asy_small(b);
  asy_value result = asy_compare(vm, a, b, op);
  return asy_failed(result) ? -1 : asy_truth(vm, result);
}

static asy_value extreme(asy_vm *vm, const asy_value *args, const char *name, asy_compare_op op) {
  const asy_tuple *given = (const asy_tuple *)asy_obj_of(args[0]);
  asy_value key = args[1], otherwise = args[2];
  if (!given->len) return asy_raise(vm, ASY_TypeError, "%s expected at least 1 argument, got 0", name);
  if (given->len > 1 && otherwise != ASY_UNBOUND)
    return asy_raise(vm, ASY_TypeError, "Cannot specify a default for %s() with multiple positional arguments", name);
  asy_value iterator = given->len > 1 ? ASY_UNBOUND : asy_iter(vm, given->items[0]);
  if (asy_failed(iterator)) return ASY_FAILED;
  asy_value best = ASY_UNBOUND, best_key = ASY_UNBOUND;
  for (uint32_t i = 0;; i++) {
    asy_value item = iterator != ASY_UNBOUND ? asy_next(vm, iterator) : i < given->len ? given->items[i] : ASY_END;
    if (item == ASY_END) break;
    asy_value item_key = asy_failed(item) || key == ASY_NONE ? item : asy_call1(vm, key, item);
    if (asy_failed(item_key)) return ASY_FAILED;
    int replace = best == ASY_UNBOUND ? 1 : better(vm, item_key, best_key, op);
    if (replace < 0) return ASY_FAILED;
    if (!replace) continue;
    best = item;
    best_key = item_key;
  }
  if (best != ASY_UNBOUND) return best;
  if (otherwise != ASY_UNBOUND) return otherwise;
  return asy_raise(vm, ASY_ValueError, "%s() iterable argument is empty", name);
}

static asy_value builtin_max(asy_vm *vm, const asy_value *args) { return extreme(vm, args, "max", COMPARE_GT); }
static asy_value builtin_min(asy_vm *vm, const asy_value *args) { return extreme(vm, args, "min", COMPARE_LT); }

static asy_value builtin_sorted(asy_vm *vm, const asy_value *args) {
  int reverse = asy_truth(vm, args[2]);
  asy_list *list = reverse < 0 ? NULL : asy_list_new(vm, 0);
  if (!list || !asy_list_extend(vm, list, args[0]) || !asy_list_sort(vm, list, args[1], reverse)) return ASY_FAILED;
  return asy_from_obj(list);
}

static asy_value builtin_iter(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_UNBOUND) return asy_iter(vm, args[0]);
  if (!asy_callable(vm, args[0])) return asy_raise(vm, ASY_TypeError, "iter(v, w): v must be callable");
  return asy_callable_iter_new(vm, args[0], args[1]);
}

static asy_value builtin_next(asy_vm *vm, const asy_value *args) {
  asy_value item = asy_next(vm, args[0]);
  if (item == ASY_END) return args[1] != ASY_UNBOUND ? args[1] : asy_raise_stop(vm, asy_take_stop_value(vm));
  if (!asy_failed(item) || args[1] == ASY_UNBOUND || !asy_raised_is(vm, ASY_StopIteration)) return item;
  asy_clear_exception(vm);
  return args[1];
}

static asy_value builtin_len(asy_vm *vm, const asy_value *args) {
  int64_t length = asy_length(vm, args[0]);
  return length < 0 ? ASY_FAILED : asy_from_int64(vm, length);
}

static asy_value builtin_aiter(asy_vm *vm, const asy_value *args) {
  asy_value result = asy_call_special(vm, args[0], ASY_NAME(vm, __aiter__), 0, NULL);
  if (result == ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "'%T' object is not an async iterable", args[0]);
  if (asy_failed(result)) return ASY_FAILED;
  asy_value next, self;
  int found = asy_find_special(vm, result, ASY_NAME(vm, __anext__), &next, &self);
  if (found > 0) return result;
  if (found < 0) return ASY_FAILED;
  return asy_raise(vm, ASY_TypeError, "aiter() returned not an async iterator of type '%T'", result);
}

static asy_value builtin_anext(asy_vm *vm, const asy_value *args) {
  asy_value result = asy_call_special(vm, args[0], ASY_NAME(vm, __anext__), 0, NULL);
  if (result == ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "'%T' object is not an async iterator", args[0]);
  if (asy_failed(result) || args[1] == ASY_UNBOUND) return result;
  asy_value helpers = asy_import(vm, "_builtins");
  asy_value wrapper = asy_failed(helpers) ? ASY_FAILED : asy_get_attr_cstr(vm, helpers, "anext_or");
  return asy_failed(wrapper) ? ASY_FAILED : asy_call2(vm, wrapper, result, args[1]);
}

/* ---- Objects ---- */

static asy_value builtin_repr(asy_vm *vm, const asy_value *args) { return asy_repr(vm, args[0]); }
static asy_value builtin_ascii(asy_vm *vm, const asy_value *args) { return asy_ascii(vm, args[0]); }
static asy_value builtin_callable(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(asy_callable(vm, args[0]));
}
/* What CPython's module site adds. */
static asy_value builtin_help(asy_vm *vm, const asy_value *args) {
  asy_value pydoc = asy_import(vm, "pydoc"),
            help = asy_failed(pydoc) ? ASY_FAILED : asy_get_attr_cstr(vm, pydoc, "help");
  if (asy_failed(help)) return ASY_FAILED;
  return args[0] == ASY_UNBOUND ? asy_call0(vm, help) : asy_call1(vm, help, args[0]);
}
static asy_value builtin_exit(asy_vm *vm, const asy_value *args) {
  asy_value end = asy_call1(vm, asy_from_obj(vm->exceptions[ASY_SystemExit]), args[0]);
  return asy_failed(end) ? ASY_FAILED : asy_raise_value(vm, end);
}
static asy_value builtin_id(asy_vm *vm, const asy_value *args) { return asy_from_uint64(vm, args[0]); }

static asy_value builtin_hash(asy_vm *vm, const asy_value *args) {
  int64_t hash;
  return asy_hash(vm, args[0], &hash) ? asy_from_int64(vm, hash) : ASY_FAILED;
}

static asy_value builtin_format(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "format() argument 2 must be str, not %T", args[1]);
  return asy_format(vm, args[0], args[1]);
}

static asy_value from_truth(int truth) { return truth < 0 ? ASY_FAILED : asy_from_bool(truth); }

static asy_value builtin_isinstance(asy_vm *vm, const asy_value *args) {
  return from_truth(asy_isinstance(vm, args[0], args[1]));
}
static asy_value builtin_issubclass(asy_vm *vm, const asy_value *args) {
  return from_truth(asy_issubclass(vm, args[0], args[1]));
}

/* The interned attribute name; NULL: TypeError. */
static asy_str *attribute_name(asy_vm *vm, asy_value v) {
  if (asy_is_str(v)) return asy_str_intern(vm, (asy_str *)asy_obj_of(v));
  asy_raise(vm, ASY_TypeError, "attribute name must be string, not '%T'", v);
  return NULL;
}

static asy_value builtin_getattr(asy_vm *vm, const asy_value *args) {
  asy_str *name = attribute_name(vm, args[1]);
  if (!name) return ASY_FAILED;
  if (args[2] == ASY_UNBOUND) return asy_get_attr(vm, args[0], name);
  asy_value value;
  int found = asy_find_attr(vm, args[0], name, &value);
  return found < 0 ? ASY_FAILED : found ? value : args[2];
}

static asy_value builtin_hasattr(asy_vm *vm, const asy_value *args) {
  asy_str *name = attribute_name(vm, args[1]);
  asy_value value;
  return name ? from_truth(asy_find_attr(vm, args[0], name, &value)) : ASY_FAILED;
}

static asy_value builtin_setattr(asy_vm *vm, const asy_value *args) {
  asy_str *name = attribute_name(vm, args[1]);
  return name && asy_set_attr(vm, args[0], name, args[2]) ? ASY_NONE : ASY_FAILED;
}

static asy_value builtin_delattr(asy_vm *vm, const asy_value *args) {
  asy_str *name = attribute_name(vm, args[1]);
  return name && asy_del_attr(vm, args[0], name) ? ASY_NONE : ASY_FAILED;
}

asy_value asy_dir(asy_vm *vm, asy_value v) {
  asy_value names = asy_call_special(vm, v, ASY_NAME(vm, __dir__), 0, NULL);
  if (names == ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "object does not provide __dir__");
  asy_list *list = asy_failed(names) ? NULL : asy_list_new(vm, 0);
  if (!list || !asy_list_extend(vm, list, names) || !asy_list_sort(vm, list, ASY_NONE, false)) return ASY_FAILED;
  return asy_from_obj(list);
}

static asy_value builtin_breakpoint(asy_vm *vm, const asy_value *args) {
  asy_value hook = asy_sys_get(vm, asy_intern(vm, "breakpointhook"));
  if (hook == ASY_UNBOUND) return asy_raise(vm, ASY_RuntimeError, "lost sys.breakpointhook");
  return asy_call_ex(vm, hook, (asy_tuple *)asy_obj_of(args[0]), (asy_dict *)asy_obj_of(args[1]));
}

/* ---- The module ---- */

static const asy_native builtin_natives[] = {
  {"abs", SIG("(x, /)"), builtin_abs, DOC("Return the absolute value of the argument."), 0},
  {"aiter", SIG("(async_iterable, /)"), builtin_aiter, DOC("Return an AsyncIterator for an AsyncIterable object."), 0},
  {"all", SIG("(iterable, /)"), builtin_all,
   DOC("Return True if bool(x) is True for all values x in the iterable.\n\nIf the iterable is empty, return True."),
   0},
  {"anext", SIG("(aiterator, default=?, /)"), builtin_anext, DOC("Return the next item from the async iterator."), 0},
  {"any", SIG("(iterable, /)"), builtin_any,
   DOC("Return True if bool(x) is True for any x in the iterable.\n\nIf the iterable is empty, return False."), 0},
  {"ascii", SIG("(obj, /)"), builtin_ascii, DOC("Return an ASCII-only representation of an object."), 0},
  {"bin", SIG("(number, /)"), builtin_bin, DOC("Return the binary representation of an integer."), 0},
  {"breakpoint", SIG("(*args, **kws)"), builtin_breakpoint, DOC("Call sys.breakpointhook(*args, **kws)."), 0},
  {"help", SIG("(request=?)"), builtin_help, DOC("Show the help of a thing, or of a name."), 0},
  {"exit", SIG("(code=None)"), builtin_exit, DOC("End the program: raise SystemExit(code)."), 0},
  {"quit", SIG("(code=None)"), builtin_exit, DOC("End the program: raise SystemExit(code)."), 0},
  {"callable", SIG("(obj, /)"), builtin_callable,
   DOC("Return whether the object is callable (i.e., some kind of function)."), 0},
  {"chr", SIG("(i, /)"), builtin_chr,
   DOC("Return a Unicode string of one character with ordinal i; 0 <= i <= 0x10ffff."), 0},
  {"delattr", SIG("(obj, name, /)"), builtin_delattr, DOC("Deletes the named attribute from the given object."), 0},
  {"divmod", SIG("(x, y, /)"), builtin_divmod, DOC("Return the tuple (x//y, x%y).  Invariant: div*y + mod == x."), 0},
  {"format", SIG("(value, format_spec='', /)"), builtin_format,
   DOC("Return type(value).__format__(value, format_spec)"), 0},
  {"getattr", SIG("(object, name, default=?, /)"), builtin_getattr, DOC("Get a named attribute from an object."), 0},
  {"hasattr", SIG("(obj, name, /)"), builtin_hasattr,
   DOC("Return whether the object has an attribute with the given name."), 0},
  {"hash", SIG("(obj, /)"), builtin_hash, DOC("Return the hash value for the given object."), 0},
  {"hex", SIG("(number, /)"), builtin_hex, DOC("Return the hexadecimal representation of an integer."), 0},
  {"id", SIG("(obj, /)"), builtin_id, DOC("Return the identity of an object."), 0},
  {"input", SIG("(prompt=?, /)"), builtin_input,
   DOC("Read a string from standard input.  The trailing newline is stripped."), 0},
  {"isinstance", SIG("(obj, class_or_tuple, /)"), builtin_isinstance,
   DOC("Return whether an object is an instance of a class or of a subclass thereof."), 0},
  {"issubclass", SIG("(cls, class_or_tuple, /)"), builtin_issubclass,
   DOC("Return whether 'cls' is derived from another class or is the same class."), 0},
  {"iter", SIG("(object, sentinel=?, /)"), builtin_iter, DOC("Get an iterator from an object."), 0},
  {"len", SIG("(obj, /)"), builtin_len, DOC("Return the number of items in a container."), 0},
  {"max", SIG("(*args, key=None, default=?)"), builtin_max,
   DOC("With a single iterable argument, return its biggest item."), 0},
  {"min", SIG("(*args, key=None, default=?)"), builtin_min,
   DOC("With a single iterable argument, return its smallest item."), 0},
  {"next", SIG("(iterator, default=?, /)"), builtin_next, DOC("Return the next item from the iterator."), 0},
  {"oct", SIG("(number, /)"), builtin_oct, DOC("Return the octal representation of an integer."), 0},
  {"open", SIG("(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)"),
   asy_open_native, DOC("Open file and return a stream.  Raise OSError upon failure."), 0},
  {"ord", SIG("(c, /)"), builtin_ord, DOC("Return the Unicode code point for a one-character string."), 0},
  {"pow", SIG("(base, exp, mod=None)"), builtin_pow,
   DOC("Equivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments."), 0},
  {"print", SIG("(*args, sep=' ', end='\\n', file=None, flush=False)"), builtin_print,
   DOC("Prints the values to a stream, or to sys.stdout by default."), 0},
  {"repr", SIG("(obj, /)"), builtin_repr, DOC("Return the canonical string representation of the object."), 0},
  {"round", SIG("(number, ndigits=None)"), builtin_round, DOC("Round a number to a given precision in decimal digits."),
   0},
  {"setattr", SIG("(obj, name, value, /)"), builtin_setattr,
   DOC("Sets the named attribute on the given object to the specified value."), 0},
  {"sorted", SIG("(iterable, /, *, key=None, reverse=False)"), builtin_sorted,
   DOC("Return a new list containing all items from the iterable in ascending order."), 0},
  {"sum", SIG("(iterable, /, start=0)"), builtin_sum,
   DOC("Return the sum of a 'start' value (default: 0) plus an iterable of numbers"), 0},
  {0},
};

static const uint8_t public_kinds[] = {
  KIND_OBJECT,    KIND_TYPE,      KIND_INT,        KIND_BOOL,     KIND_FLOAT,        KIND_COMPLEX,     KIND_STR,
  KIND_BYTES,     KIND_BYTEARRAY, KIND_MEMORYVIEW, KIND_TUPLE,    KIND_LIST,         KIND_DICT,        KIND_SET,
  KIND_FROZENSET, KIND_RANGE,     KIND_SLICE,      KIND_PROPERTY, KIND_STATICMETHOD, KIND_CLASSMETHOD, KIND_SUPER,
  KIND_REVERSED,  KIND_ENUMERATE, KIND_ZIP,        KIND_MAP,      KIND_FILTER,
};

static bool add_natives(asy_vm *vm, asy_value module, const asy_native *native) {
  for (; native->name; native++)
    if (!asy_module_set(vm, module, native->name,
                        asy_new_native(vm, native, ASY_UNBOUND, ASY_NAME_VALUE(vm, builtins))))
      return false;
  return true;
}

static bool add_classes(asy_vm *vm) {
  for (size_t i = 0; i < sizeof public_kinds; i++) {
    asy_class *cls = vm->classes[public_kinds[i]];
    if (!asy_dict_set_str(vm, vm->builtins, cls->name, asy_from_obj(cls))) return false;
  }
  for (int i = 0; i < ASY_CancelledError; i++) { /* the rest belongs to asyncio */
    asy_class *cls = vm->exceptions[i];
    if (!asy_dict_set_str(vm, vm->builtins, cls->name, asy_from_obj(cls))) return false;
  }
  return true;
}

bool asy_builtins_init(asy_vm *vm) {
  vm->int_max_str_digits = 4300;
  if (!vm->modules) vm->modules = asy_dict_new(vm, 16);
  asy_module *module = vm->modules ? asy_module_new(vm, ASY_NAME(vm, builtins)) : NULL;
  if (!module) return false;
  vm->builtins = module->dict;
  asy_value self = asy_from_obj(module), os_error = asy_from_obj(vm->exceptions[ASY_OSError]);
  if (!asy_dict_set_str(vm, vm->modules, ASY_NAME(vm, builtins), self) || !add_natives(vm, self, builtin_natives) ||
      !add_natives(vm, self, asy_evaluate_natives) || !add_classes(vm) ||
      !asy_module_set(vm, self, "__debug__", asy_from_bool(!vm->options.optimize)) ||
      !asy_module_set(vm, self, "NotImplemented", ASY_NOT_IMPLEMENTED) ||
      !asy_module_set(vm, self, "Ellipsis", ASY_ELLIPSIS) || !asy_module_set(vm, self, "None", ASY_NONE) ||
      !asy_module_set(vm, self, "True", ASY_TRUE) || !asy_module_set(vm, self, "False", ASY_FALSE) ||
      !asy_module_set(vm, self, "IOError", os_error) || !asy_module_set(vm, self, "EnvironmentError", os_error))
    return false;
  if (!asy_io_init(vm)) return false;
  vm->stdin_file = asy_file_standard(vm, 0, "<stdin>", true);
  vm->stdout_file = asy_file_standard(vm, 1, "<stdout>", false);
  vm->stderr_file = asy_file_standard(vm, 2, "<stderr>", false);
  return !asy_failed(vm->stdin_file) && !asy_failed(vm->stdout_file) && !asy_failed(vm->stderr_file);
}
