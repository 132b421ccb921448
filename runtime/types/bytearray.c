/* bytearray.c - the bytearray object: bytes that change.
 * Every change of length goes through asy_bytearray_resize or replace_range, which refuse while a buffer is handed out. Deleting from the
 * front only moves `start`; the slack is used up again when the store must grow.
 */
#include "runtime/types/bytes_internal.h"
#include "runtime/types/codec.h"
#include "runtime/types/slice.h"

asy_bytearray *asy_bytearray_new(asy_vm *vm, const void *data, size_t len) {
  asy_bytearray *b = asy_new_kind(vm, KIND_BYTEARRAY, sizeof(asy_bytearray));
  if (!b || !asy_bytearray_resize(vm, b, len)) return NULL;
  if (len && data) memcpy(b->store, data, len);
  else if (len) memset(b->store, 0, len);
  return b;
}

bool asy_bytearray_can_resize(asy_vm *vm, asy_bytearray *b) {
  if (b->exports == 0) return true;
  asy_collect_views(vm, &b->head); /* CPython would have dropped an unused view at once */
  if (b->exports == 0) return true;
  asy_raise(vm, ASY_BufferError, "Existing exports of data: object cannot be re-sized");
  return false;
}

bool asy_bytearray_resize(asy_vm *vm, asy_bytearray *b, size_t len) {
  if (len == b->len) return true;
  if (!asy_bytearray_can_resize(vm, b)) return false;
  if (len > INT32_MAX - 64) {
    asy_raise_no_memory(vm);
    return false;
  }
  if ((size_t)b->start + len + 1 > b->cap) {
    size_t cap = len + 1 > b->cap && b->len ? len + len / 8 + 16 : len + 1;
    if (b->start && len + 1 <= b->cap && b->start >= b->cap / 2) {
      memmove(b->store, b->store + b->start, b->len);
    } else {
      uint8_t *store = asy_mem_alloc(vm, cap);
      if (!store) return false;
      if (b->len) memcpy(store, b->store + b->start, b->len < len ? b->len : len);
      asy_mem_free(vm, b->store, b->cap);
      b->store = store;
      b->cap = (uint32_t)cap;
    }
    b->start = 0;
  } else if (len == 0) {
    b->start = 0;
  }
  b->len = (uint32_t)len;
  b->store[b->start + len] = 0;
  return true;
}

bool asy_bytearray_append(asy_vm *vm, asy_bytearray *b, const void *data, size_t len) {
  size_t old = b->len;
  if (!asy_bytearray_resize(vm, b, old + len)) return false;
  if (len) memcpy(b->store + b->start + old, data, len);
  return true;
}

bool asy_bytearray_delete_front(asy_vm *vm, asy_bytearray *b, size_t len) {
  if (len == 0) return true;
  if (!asy_bytearray_can_resize(vm, b)) return false;
  b->len -= (uint32_t)len;
  b->start = b->len ? b->start + (uint32_t)len : 0;
  b->store[b->start + b->len] = 0;
  return true;
}

/* b[start:end] = data, of another object than b. */
static bool replace_range(asy_vm *vm, asy_bytearray *b, size_t start, size_t end, const uint8_t *data, size_t len) {
  size_t tail = b->len - end, total = start + len + tail;
  if (len == 0 && start == 0) return asy_bytearray_delete_front(vm, b, end);
  if (total > b->len && !asy_bytearray_resize(vm, b, total)) return false;
  if (total < b->len && !asy_bytearray_can_resize(vm, b)) return false;
  uint8_t *at = asy_bytearray_data(b);
  if (len != end - start) memmove(at + start + len, at + end, tail);
  if (len) memcpy(at + start, data, len);
  return asy_bytearray_resize(vm, b, total);
}

/* ---- Filling from any source ---------------------------------------------------------------------------------------- */

static bool fill_items(asy_vm *vm, asy_bytearray *out, asy_value iterable, const char *what) {
  asy_value iterator = asy_iter(vm, iterable);
  if (asy_failed(iterator)) {
    if (asy_raised_is(vm, ASY_TypeError)) {
      asy_clear_exception(vm);
      asy_raise(vm, ASY_TypeError, "cannot convert '%T' object to %s", iterable, what);
    }
    return false;
  }
  for (;;) {
    asy_value item = asy_next(vm, iterator);
    int64_t i;
    if (item == ASY_END) return true;
    if (asy_failed(item)) return false;
    asy_value index = asy_is_int(item) ? item : asy_index(vm, item);
    if (asy_failed(index)) return false;
    if (!asy_is_number_int64(index, &i) || i < 0 || i > 255) {
      asy_raise(vm, ASY_ValueError,
                strcmp(what, "bytes") == 0 ? "bytes must be in range(0, 256)" : "byte must be in range(0, 256)");
      return false;
    }
    uint8_t octet = (uint8_t)i;
    if (!asy_bytearray_append(vm, out, &octet, 1)) return false;
  }
}

static bool fill_text(asy_vm *vm, asy_bytearray *out, asy_value text, asy_value encoding, asy_value errors) {
  const char *encoding_name = NULL, *errors_name = NULL;
  if (encoding == ASY_UNBOUND && errors == ASY_UNBOUND) {
    asy_raise(vm, ASY_TypeError, "string argument without an encoding");
    return false;
  }
  if (encoding != ASY_UNBOUND && !asy_to_cstr(vm, encoding, &encoding_name)) return false;
  if (errors != ASY_UNBOUND && !asy_to_cstr(vm, errors, &errors_name)) return false;
  asy_value encoded = asy_encode(vm, str_of(text), encoding_name, errors_name);
  return !asy_failed(encoded) && asy_bytearray_append(vm, out, bytes_of(encoded)->data, bytes_of(encoded)->len);
}

bool asy_bytearray_fill(asy_vm *vm, asy_bytearray *out, const char *what, asy_value source, asy_value encoding,
                        asy_value errors) {
  if (source != ASY_UNBOUND && asy_is_str(source)) return fill_text(vm, out, source, encoding, errors);
  if (encoding != ASY_UNBOUND || errors != ASY_UNBOUND) {
    asy_raise(vm, ASY_TypeError,
              encoding != ASY_UNBOUND ? "encoding without a string argument" : "errors without a string argument");
    return false;
  }
  if (source == ASY_UNBOUND) return true;
  if (asy_is_bytes_like(source)) {
    asy_buffer b;
    if (asy_is_kind(source, KIND_MEMORYVIEW)) {
      asy_bytes *copy = asy_memoryview_copy(vm, (asy_memoryview *)asy_obj_of(source));
      return copy && asy_bytearray_append(vm, out, copy->data, copy->len);
    }
    if (!asy_buffer_get(vm, source, &b)) return false;
    bool good = asy_bytearray_append(vm, out, b.data, b.len);
    asy_buffer_release(vm, &b);
    return good;
  }
  if (asy_is_integer(source) || asy_defers_to(vm, source, ASY_NAME(vm, __index__))) {
    int64_t n;
    if (!asy_to_size(vm, source, &n)) return false;
    if (n < 0) {
      asy_raise(vm, ASY_ValueError, "negative count");
      return false;
    }
    if (!asy_bytearray_resize(vm, out, (size_t)n)) return false;
    memset(asy_bytearray_data(out), 0, (size_t)n);
    return true;
  }
  asy_value view = asy_script_buffer(vm, source);
  if (view != ASY_UNBOUND) return !asy_failed(view) && asy_bytearray_fill(vm, out, what, view, encoding, errors);
  return fill_items(vm, out, source, what);
}

/* ---- Slots ------------------------------------------------------------------------------------------------------------- */

static void bytearray_free(asy_vm *vm, asy_obj *o) {
  asy_bytearray *b = (asy_bytearray *)o;
  asy_mem_free(vm, b->store, b->cap);
}

static asy_value bytearray_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  asy_bytearray *b = cls == vm->classes[KIND_BYTEARRAY] ? asy_bytearray_new(vm, NULL, 0) : asy_new_instance(vm, cls);
  return b ? asy_from_obj(b) : ASY_FAILED;
}

static asy_value bytearray_init(asy_vm *vm, const asy_value *args) {
  asy_bytearray *b = bytearray_of(args[0]);
  if (!asy_bytearray_resize(vm, b, 0) || !asy_bytearray_fill(vm, b, "bytearray", args[1], args[2], args[3]))
    return ASY_FAILED;
  return ASY_NONE;
}

static asy_value bytearray_repr(asy_vm *vm, asy_value self) {
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_str(&t, asy_type_of(vm, self)->name);
  asy_text_char(&t, '(');
  asy_text_octets(&t, asy_bytearray_data(bytearray_of(self)), bytearray_of(self)->len, true);
  asy_text_char(&t, ')');
  asy_str *s = asy_text_finish(&t);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static int64_t bytearray_length(asy_vm *vm, asy_value self) {
  (void)vm;
  return bytearray_of(self)->len;
}

/* The octets to be stored: a bytes object or a copy, so that nothing changes them meanwhile. */
static asy_value octets_for_slice(asy_vm *vm, asy_value value) {
  if (asy_is_kind(value, KIND_BYTES)) return value;
  if (asy_is_integer(value) || asy_is_str(value)) {
    return asy_raise(vm, ASY_TypeError, "can assign only bytes, buffers, or iterables of ints in range(0, 256)");
  }
  asy_bytearray *copy = asy_bytearray_new(vm, NULL, 0);
  if (!copy || !asy_bytearray_fill(vm, copy, "bytearray", value, ASY_UNBOUND, ASY_UNBOUND)) return ASY_FAILED;
  return asy_from_obj(copy);
}

static bool set_slice(asy_vm *vm, asy_bytearray *b, asy_value key, asy_value value) {
  int64_t start, stop, step;
  size_t len = 0;
  const uint8_t *data = NULL;
  asy_value source = ASY_NONE;
  if (value != ASY_UNBOUND && asy_failed(source = octets_for_slice(vm, value))) return false;
  if (!asy_slice_unpack(vm, key, &start, &stop, &step)) return false;
  int64_t count = asy_slice_adjust(b->len, &start, &stop, step);
  if (value != ASY_UNBOUND) data = octets(source, &len);
  if (count < 0) count = 0;
  if (step == 1) return replace_range(vm, b, (size_t)start, (size_t)(start + count), data, len);
  if (value != ASY_UNBOUND) {
    if (len == 0 && count) value = ASY_UNBOUND;
    else if ((int64_t)len != count) {
      asy_raise(vm, ASY_ValueError, "attempt to assign bytes of size %zu to extended slice of size %lld", len,
                (long long)count);
      return false;
    }
  }
  uint8_t *at = asy_bytearray_data(b);
  if (value != ASY_UNBOUND) {
    for (int64_t i = 0; i < count; i++) at[start + i * step] = data[i];
    return true;
  }
  if (count == 0) return true;
  if (!asy_bytearray_can_resize(vm, b)) return false;
  if (step < 0) {
    start += (count - 1) * step;
    step = -step;
  }
  size_t to = (size_t)start, gone = 0;
  for (size_t from = to; from < b->len; from++) {
    bool drop = gone < (size_t)count && (int64_t)(from - (size_t)start) % step == 0;
    if (drop) gone++;
    else at[to++] = at[from];
  }
  return asy_bytearray_resize(vm, b, to);
}

static bool bytearray_set_item(asy_vm *vm, asy_value self, asy_value key, asy_value value) {
  asy_bytearray *b = bytearray_of(self);
  int64_t at;
  uint8_t octet = 0;
  if (asy_is_kind(key, KIND_SLICE)) return set_slice(vm, b, key, value);
  if (!asy_is_integer(key) && !asy_defers_to(vm, key, ASY_NAME(vm, __index__))) {
    asy_raise(vm, ASY_TypeError, "bytearray indices must be integers or slices, not %T", key);
    return false;
  }
  asy_value index = asy_index(vm, key);
  if (asy_failed(index)) return false;
  if (value != ASY_UNBOUND && !asy_to_byte(vm, value, &octet)) return false;
  if (!asy_item_index(vm, index, b->len, "bytearray index out of range", &at)) return false;
  if (value == ASY_UNBOUND) return replace_range(vm, b, (size_t)at, (size_t)at + 1, NULL, 0);
  asy_bytearray_data(b)[at] = octet;
  return true;
}

static asy_value bytearray_iadd(asy_vm *vm, asy_value self, asy_value other) {
  asy_bytearray *b = bytearray_of(self);
  if (!asy_is_bytes_like(other)) return asy_raise(vm, ASY_TypeError, "can't concat %T to %T", other, self);
  if (other == self) {
    size_t len = b->len;
    if (!asy_bytearray_resize(vm, b, len * 2)) return ASY_FAILED;
    memcpy(asy_bytearray_data(b) + len, asy_bytearray_data(b), len);
    return self;
  }
  asy_buffer buffer;
  if (!asy_buffer_get(vm, other, &buffer)) return ASY_FAILED;
  bool good = asy_bytearray_append(vm, b, buffer.data, buffer.len);
  asy_buffer_release(vm, &buffer);
  return good ? self : ASY_FAILED;
}

static asy_value bytearray_imul(asy_vm *vm, asy_value self, asy_value count) {
  asy_bytearray *b = bytearray_of(self);
  int64_t n;
  if (!asy_is_integer(count) && !asy_defers_to(vm, count, ASY_NAME(vm, __index__))) return ASY_NOT_IMPLEMENTED;
  if (!asy_to_size(vm, count, &n)) return ASY_FAILED;
  size_t unit = b->len;
  if (n < 0) n = 0;
  if (unit && n > (INT32_MAX - 64) / (int64_t)unit) return asy_raise_no_memory(vm);
  if (!asy_bytearray_resize(vm, b, unit * (size_t)n)) return ASY_FAILED;
  for (size_t done = unit; done < b->len; done += unit)
    memcpy(asy_bytearray_data(b) + done, asy_bytearray_data(b), unit);
  return self;
}

/* ---- Methods -------------------------------------------------------------------------------------------------------------- */

static asy_value bytearray_append(asy_vm *vm, const asy_value *args) {
  uint8_t octet;
  if (!asy_to_byte(vm, args[1], &octet)) return ASY_FAILED;
  return asy_bytearray_append(vm, bytearray_of(args[0]), &octet, 1) ? ASY_NONE : ASY_FAILED;
}

static asy_value bytearray_extend(asy_vm *vm, const asy_value *args) {
  if (asy_is_bytes_like(args[1])) return asy_failed(bytearray_iadd(vm, args[0], args[1])) ? ASY_FAILED : ASY_NONE;
  asy_bytearray *more = asy_bytearray_new(vm, NULL, 0);
  if (!more) return ASY_FAILED;
  if (asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "expected iterable of integers; got: 'str'");
  asy_value iterator = asy_iter(vm, args[1]);
  if (asy_failed(iterator)) {
    if (!asy_raised_is(vm, ASY_TypeError)) return ASY_FAILED;
    asy_clear_exception(vm);
    return asy_raise(vm, ASY_TypeError, "can't extend bytearray with %T", args[1]);
  }
  if (!fill_items(vm, more, iterator, "bytearray")) return ASY_FAILED;
  return asy_bytearray_append(vm, bytearray_of(args[0]), asy_bytearray_data(more), more->len) ? ASY_NONE : ASY_FAILED;
}

static asy_value bytearray_insert(asy_vm *vm, const asy_value *args) {
  asy_bytearray *b = bytearray_of(args[0]);
  int64_t at;
  uint8_t octet;
  if (!asy_to_size(vm, args[1], &at) || !asy_to_byte(vm, args[2], &octet)) return ASY_FAILED;
  if (at < 0) at = at + b->len < 0 ? 0 : at + b->len;
  if (at > b->len) at = b->len;
  return replace_range(vm, b, (size_t)at, (size_t)at, &octet, 1) ? ASY_NONE : ASY_FAILED;
}

static asy_value bytearray_pop(asy_vm *vm, const asy_value *args) {
  asy_bytearray *b = bytearray_of(args[0]);
  int64_t at;
  asy_value index = asy_index(vm, args[1]); /* first: __index__ may change the length */
  if (asy_failed(index)) return ASY_FAILED;
  if (b->len == 0) return asy_raise(vm, ASY_IndexError, "pop from empty bytearray");
  if (!asy_item_index(vm, index, b->len, "pop index out of range", &at)) return ASY_FAILED;
  uint8_t octet = asy_bytearray_data(b)[at];
  return replace_range(vm, b, (size_t)at, (size_t)at + 1, NULL, 0) ? asy_from_small(octet) : ASY_FAILED;
}

static asy_value bytearray_remove(asy_vm *vm, const asy_value *args) {
  asy_bytearray *b = bytearray_of(args[0]);
  uint8_t octet;
  if (!asy_to_byte(vm, args[1], &octet)) return ASY_FAILED;
  int64_t at = asy_find_point(asy_bytearray_data(b), b->len, octet, 1);
  if (at < 0) return asy_raise(vm, ASY_ValueError, "value not found in bytearray");
  return replace_range(vm, b, (size_t)at, (size_t)at + 1, NULL, 0) ? ASY_NONE : ASY_FAILED;
}

static asy_value bytearray_reverse(asy_vm *vm, const asy_value *args) {
  (void)vm;
  asy_bytearray *b = bytearray_of(args[0]);
  uint8_t *data = asy_bytearray_data(b);
  for (uint32_t i = 0, j = b->len; i + 1 < j; i++) {
    uint8_t swap = data[i];
    data[i] = data[--j];
    data[j] = swap;
  }
  return ASY_NONE;
}

static asy_value bytearray_clear(asy_vm *vm, const asy_value *args) {
  return asy_bytearray_resize(vm, bytearray_of(args[0]), 0) ? ASY_NONE : ASY_FAILED;
}

static asy_value bytearray_copy(asy_vm *vm, const asy_value *args) {
  asy_bytearray *b = bytearray_of(args[0]);
  return asy_octets_new(vm, args[0], asy_bytearray_data(b), b->len);
}

static asy_value bytearray_alloc(asy_vm *vm, const asy_value *args) {
  return asy_from_int64(vm, bytearray_of(args[0])->cap);
}

static const asy_native bytearray_methods[] = {
  ASY_OCTETS_METHODS(ASY_OCTETS_ROW){"fromhex", SIG("(cls, string, /)"), asy_octets_fromhex,
                                     DOC("Create a bytearray object from a string of hexadecimal numbers."),
                                     ASY_NATIVE_CLASS},
  {"maketrans", SIG("(frm, to, /)"), asy_octets_maketrans,
   DOC("Return a translation table usable for the translate method."), ASY_NATIVE_STATIC},
  {"append", SIG("(self, item, /)"), bytearray_append, DOC("Append a single item to the end of the bytearray."), 0},
  {"clear", SIG("(self, /)"), bytearray_clear, DOC("Remove all items from the bytearray."), 0},
  {"copy", SIG("(self, /)"), bytearray_copy, DOC("Return a copy."), 0},
  {"extend", SIG("(self, iterable_of_ints, /)"), bytearray_extend,
   DOC("Append all the items from the iterator or sequence to the end."), 0},
  {"insert", SIG("(self, index, item, /)"), bytearray_insert, DOC("Insert a single item before the given index."), 0},
  {"pop", SIG("(self, index=-1, /)"), bytearray_pop, DOC("Remove and return a single item."), 0},
  {"remove", SIG("(self, value, /)"), bytearray_remove, DOC("Remove the first occurrence of a value."), 0},
  {"reverse", SIG("(self, /)"), bytearray_reverse, DOC("Reverse the order of the values in place."), 0},
  {"__alloc__", SIG("(self, /)"), bytearray_alloc, DOC("Return the number of bytes actually allocated."), 0},
  {0},
};

const asy_type asy_bytearray_type = {
  .name = "bytearray",
  .doc =
    "bytearray(iterable_of_ints) -> bytearray\nbytearray(string, encoding[, errors]) -> "
    "bytearray\nbytearray(bytes_or_buffer) -> "
    "mutable copy of bytes_or_buffer\nbytearray(int) -> bytes array of size given by the parameter initialized with "
    "null bytes\n"
    "bytearray() -> empty bytes array",
  .size = sizeof(asy_bytearray),
  .flags = ASY_TYPE_UNHASHABLE,
  .free = bytearray_free,
  .new_ = bytearray_new,
  .new_signature = SIG("(cls, *args, **kwargs)"),
  .init = bytearray_init,
  .init_signature = SIG("(self, source=?, encoding=?, errors=?)"),
  .repr = bytearray_repr,
  .compare = asy_octets_compare,
  .length = bytearray_length,
  .special = &(const asy_special){.get_item = asy_octets_get_item,
                                  .set_item = bytearray_set_item,
                                  .contains = asy_octets_contains},
  .iter = asy_octets_iter,
  .operators =
    &(const asy_operators){
      .binary = {[BINARY_ADD] = asy_octets_add, [BINARY_MUL] = asy_octets_mul, [BINARY_MOD] = asy_octets_mod},
      .inplace = {[BINARY_ADD] = bytearray_iadd, [BINARY_MUL] = bytearray_imul}},
  .methods = bytearray_methods,
};
