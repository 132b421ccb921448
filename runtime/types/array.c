/* array.c - the module array: items of one C type in one piece of memory. A row of `codes` says what a typecode is. The memory is
 * locked (its size stays) while buffers of it are handed out.
 */
#include <stdlib.h>

#include "runtime/number.h"
#include "runtime/types/slice.h"
#include "runtime/types/str_internal.h"

typedef enum { SIGNED, UNSIGNED, REAL, TEXT } item_kind;

typedef struct {
  char code, view; /* typecode; the struct code that a memoryview shows */
  uint8_t size;
  item_kind kind;
  const char *name; /* in messages */
} code_row;

static const code_row codes[] = {
  {'b', 'b', 1, SIGNED, "signed char"},
  {'B', 'B', 1, UNSIGNED, "unsigned byte integer"},
  {'u', 'w', 4, TEXT, NULL},
  {'w', 'w', 4, TEXT, NULL},
  {'h', 'h', 2, SIGNED, "signed short integer"},
  {'H', 'H', 2, UNSIGNED, "unsigned short"},
  {'i', 'i', 4, SIGNED, "signed integer"},
  {'I', 'I', 4, UNSIGNED, "unsigned int"},
  {'l', 'l', 8, SIGNED, "long"},
  {'L', 'L', 8, UNSIGNED, "unsigned long"},
  {'q', 'q', 8, SIGNED, "long long"},
  {'Q', 'Q', 8, UNSIGNED, "unsigned long long"},
  {'f', 'f', 4, REAL, "float"},
  {'d', 'd', 8, REAL, "double"},
};
enum { CODES = sizeof codes / sizeof *codes };

typedef struct {
  asy_obj head;
  const code_row *row;
  uint8_t *data; /* asy_mem_alloc'ed, cap items; NULL while cap is 0 */
  uint32_t len, cap;
  uint32_t exports; /* buffers handed out: the size is locked */
} array;

typedef struct {
  asy_obj head;
  array *of; /* NULL: exhausted */
  uint32_t at;
} array_iterator;

extern const asy_type asy_array_type, asy_array_iterator_type;

static array *array_of(asy_value v) { return (array *)asy_obj_of(v); }
static asy_value or_failed(const void *object) { return object ? asy_from_obj(object) : ASY_FAILED; }

static bool is_array(asy_vm *vm, asy_value v) {
  asy_class *cls = asy_class_for(vm, &asy_array_type);
  return cls && asy_is_obj(v) && asy_obj_of(v)->kind == cls->kind;
}

/* ---- Items ---- */

static asy_value get(asy_vm *vm, const array *a, uint32_t i) {
  const uint8_t *p = a->data + (size_t)i * a->row->size;
  union {
    int16_t h;
    uint16_t H;
    int32_t i;
    uint32_t I;
    int64_t q;
    uint64_t Q;
    float f;
    double d;
  } u;
  memcpy(&u, p, a->row->size);
  switch (a->row->code) {
    case 'b': return asy_from_small((int8_t)*p);
    case 'B': return asy_from_small(*p);
    case 'h': return asy_from_small(u.h);
    case 'H': return asy_from_small(u.H);
    case 'i': return asy_from_small(u.i);
    case 'I': return asy_from_small(u.I);
    case 'f': return asy_from_double(vm, (double)u.f);
    case 'd': return asy_from_double(vm, u.d);
    case 'u':
    case 'w':
      if (u.I > 0x10ffff)
        return asy_raise(vm, ASY_ValueError, "character U+%d is not in range [U+0000; U+10ffff]", u.i);
      return or_failed(asy_str_char(vm, u.I));
    case 'L':
    case 'Q': return asy_from_uint64(vm, u.Q);
    default: return asy_from_int64(vm, u.q);
  }
}

static bool put_integer(asy_vm *vm, const code_row *row, asy_value v, uint8_t *out) {
  v = asy_is_integer(v) ? v : asy_index(vm, v);
  if (asy_failed(v)) return false;
  int64_t i;
  uint64_t bits;
  unsigned width = row->size * 8u;
  bool fits = asy_is_number_int64(v, &i);
  if (row->size == 8) {
    if (row->kind == SIGNED ? !fits : !asy_int_to_uint64(v, &bits)) {
      const char *text = row->code == 'q' || row->code == 'Q' ? "int too big to convert"
                         : row->kind == SIGNED                ? "Python int too large to convert to C long"
                                                              : "Python int too large to convert to C unsigned long";
      if (row->kind == UNSIGNED && asy_int_sign(v) < 0)
        text = row->code == 'Q' ? "can't convert negative int to unsigned"
                                : "can't convert negative value to unsigned int";
      asy_raise(vm, ASY_OverflowError, "%s", text);
      return false;
    }
    if (row->kind == SIGNED) bits = (uint64_t)i;
  } else {
    int64_t high = row->kind == SIGNED ? ((int64_t)1 << (width - 1)) - 1 : ((int64_t)1 << width) - 1;
    int64_t low = row->kind == SIGNED ? -high - 1 : 0;
    if (!fits || i < low || i > high) {
      if (row->code == 'I' && asy_int_sign(v) < 0)
        return asy_raise(vm, ASY_OverflowError, "can't convert negative value to unsigned int"), false;
      bool small = fits ? i < low : asy_int_sign(v) < 0;
      asy_raise(vm, ASY_OverflowError, small ? "%s is less than minimum" : "%s is greater than maximum", row->name);
      return false;
    }
    bits = (uint64_t)i;
  }
  memcpy(out, &bits, row->size);
  return true;
}

/* The bytes of an item; script code may run, so the array is not looked at meanwhile. */
static bool put(asy_vm *vm, const code_row *row, asy_value v, uint8_t out[8]) {
  double d;
  switch (row->kind) {
    case REAL:
      if (!asy_to_double(vm, v, &d)) return false;
      if (row->size == 8) memcpy(out, &d, 8);
      else memcpy(out, &(float){(float)d}, 4);
      return true;
    case TEXT:
      if (!asy_is_str(v) || ((asy_str *)asy_obj_of(v))->len != 1)
        return asy_raise(vm, ASY_TypeError, "array item must be unicode character"), false;
      memcpy(out, &(uint32_t){asy_str_at((asy_str *)asy_obj_of(v), 0)}, 4);
      return true;
    default: return put_integer(vm, row, v, out);
  }
}

/* ---- Size ---- */

static bool can_resize(asy_vm *vm, array *a) {
  if (!a->exports) return true;
  asy_collect_views(vm, &a->head); /* a view that is garbage may hold it */
  if (a->exports) asy_raise(vm, ASY_BufferError, "cannot resize an array that is exporting buffers");
  return !a->exports;
}

static bool resize(asy_vm *vm, array *a, uint64_t len) {
  if (len != a->len && !can_resize(vm, a)) return false;
  if (len > a->cap) {
    if (len > INT32_MAX / a->row->size) return asy_raise_no_memory(vm), false;
    uint64_t cap = len + (len >> 3) + (len < 8 ? 4 : 8);
    uint8_t *grown = asy_mem_realloc(vm, a->data, (size_t)a->cap * a->row->size, (size_t)cap * a->row->size);
    if (!grown) return false;
    a->data = grown;
    a->cap = (uint32_t)cap;
  }
  a->len = (uint32_t)len;
  return true;
}

static array *new_array(asy_vm *vm, asy_class *cls, const code_row *row, const void *data, uint64_t len) {
  array *a = asy_new_instance(vm, cls);
  if (!a) return NULL;
  a->head.flags |= ASY_EXPORTS_BUFFER;
  a->row = row;
  if (!resize(vm, a, len)) return NULL;
  if (len && data) memcpy(a->data, data, (size_t)len * row->size);
  return a;
}

static array *like(asy_vm *vm, const array *a, const void *data, uint64_t len) {
  return new_array(vm, asy_class_for(vm, &asy_array_type), a->row, data, len);
}

static uint8_t *place(const array *a, uint64_t i) { return a->data + i * a->row->size; }

/* Room for n items at `at`; what lies there moves up. */
static bool open_gap(asy_vm *vm, array *a, uint32_t at, uint64_t n) {
  uint32_t old = a->len;
  if (!resize(vm, a, (uint64_t)old + n)) return false;
  if (at < old) memmove(place(a, at + n), place(a, at), (size_t)(old - at) * a->row->size);
  return true;
}

static bool close_gap(asy_vm *vm, array *a, uint32_t at, uint32_t n) {
  if (!n) return true;
  if (!can_resize(vm, a)) return false;
  memmove(place(a, at), place(a, at + n), (size_t)(a->len - at - n) * a->row->size);
  a->len -= n;
  return true;
}

static bool append(asy_vm *vm, array *a, asy_value v) {
  uint8_t item[8];
  if (!put(vm, a->row, v, item) || !resize(vm, a, (uint64_t)a->len + 1)) return false;
  memcpy(place(a, a->len - 1), item, a->row->size);
  return true;
}

static bool append_bytes(asy_vm *vm, array *a, const void *data, size_t length) {
  size_t items = length / a->row->size;
  uint32_t old = a->len;
  if (!resize(vm, a, (uint64_t)old + items)) return false;
  if (length) memcpy(place(a, old), data, length);
  return true;
}

static bool append_text(asy_vm *vm, array *a, const asy_str *s) {
  uint32_t old = a->len;
  if (!resize(vm, a, (uint64_t)old + s->len)) return false;
  for (uint32_t i = 0; i < s->len; i++) memcpy(place(a, old + i), &(uint32_t){asy_str_at(s, i)}, 4);
  return true;
}

static bool extend(asy_vm *vm, array *a, asy_value from) {
  if (is_array(vm, from)) {
    array *b = array_of(from);
    if (b->row != a->row) return asy_raise(vm, ASY_TypeError, "can only extend with array of same kind"), false;
    uint32_t old = a->len, n = b->len;
    if (!resize(vm, a, (uint64_t)old + n)) return false;
    if (n) memcpy(place(a, old), b->data, (size_t)n * a->row->size);
    return true;
  }
  asy_value iterator = asy_iter(vm, from);
  if (asy_failed(iterator)) return false;
  for (;;) {
    asy_value v = asy_next(vm, iterator);
    if (v == ASY_END) return true;
    if (asy_failed(v) || !append(vm, a, v)) return false;
  }
}

/* ---- Making one ---- */

static const code_row *row_of(uint32_t code) {
  for (int i = 0; i < CODES; i++)
    if ((uint8_t)codes[i].code == code) return &codes[i];
  return NULL;
}

static asy_value array_new(asy_vm *vm, const asy_value *args) {
  asy_value initial = args[2];
  if (!asy_is_str(args[1]) || ((asy_str *)asy_obj_of(args[1]))->len != 1)
    return asy_raise(vm, ASY_TypeError, "array() argument 1 must be a unicode character, not %T", args[1]);
  uint32_t code = asy_str_at((asy_str *)asy_obj_of(args[1]), 0);
  const code_row *row = row_of(code);
  bool text = row && row->kind == TEXT;
  if (asy_is_str(initial) && !text)
    return asy_raise(vm, ASY_TypeError, "cannot use a str to initialize an array with typecode '%c'", code);
  if (is_array(vm, initial) && (array_of(initial)->row->kind == TEXT) != text)
    return asy_raise(vm, ASY_TypeError, "cannot use a unicode array to initialize an array with typecode '%c'", code);
  if (!row) return asy_raise(vm, ASY_ValueError, "bad typecode (must be b, B, u, h, H, i, I, l, L, q, Q, f or d)");
  array *a = new_array(vm, (asy_class *)asy_obj_of(args[0]), row, NULL, 0);
  if (!a || initial == ASY_UNBOUND) return or_failed(a);
  bool good;
  if (asy_is_str(initial)) {
    good = append_text(vm, a, (asy_str *)asy_obj_of(initial));
  } else if (asy_is_kind(initial, KIND_BYTES) || asy_is_kind(initial, KIND_BYTEARRAY)) {
    asy_buffer b;
    if (!asy_buffer_get(vm, initial, &b)) return ASY_FAILED;
    good = b.len % row->size == 0;
    if (good) good = append_bytes(vm, a, b.data, b.len);
    else asy_raise(vm, ASY_ValueError, "bytes length not a multiple of item size");
    asy_buffer_release(vm, &b);
  } else if (is_array(vm, initial) && array_of(initial)->row != row) {
    asy_tuple *items = asy_tuple_from_iterable(vm, initial);
    good = items && extend(vm, a, asy_from_obj(items));
  } else {
    good = extend(vm, a, initial);
  }
  return good ? asy_from_obj(a) : ASY_FAILED;
}

static void array_free(asy_vm *vm, asy_obj *o) {
  array *a = (array *)o;
  if (a->data) asy_mem_free(vm, a->data, (size_t)a->cap * a->row->size);
}

static bool array_get_buffer(asy_vm *vm, asy_value self, asy_buffer *out) {
  array *a = array_of(self);
  a->exports++;
  *out = (asy_buffer){.data = a->data ? a->data : (uint8_t *)"",
                      .len = (size_t)a->len * a->row->size,
                      .owner = self,
                      .writable = true,
                      .format = a->row->view,
                      .itemsize = a->row->size};
  return true;
}

static void array_release_buffer(asy_value self) { array_of(self)->exports--; }

/* ---- As a sequence ---- */

static int64_t array_length(asy_vm *vm, asy_value self) { return array_of(self)->len; }

/* Start, step and count of a slice, by the length the array has once its bounds are known. */
static bool slice_of(asy_vm *vm, const array *a, asy_value key, int64_t *start, int64_t *step, int64_t *count) {
  int64_t stop;
  if (!asy_slice_unpack(vm, key, start, &stop, step)) return false;
  *count = asy_slice_adjust(a->len, start, &stop, *step);
  if (*count < 0) *count = 0;
  return true;
}

static asy_value array_get_item(asy_vm *vm, asy_value self, asy_value key) {
  array *a = array_of(self);
  int64_t i, step, count;
  if (asy_is_kind(key, KIND_SLICE)) {
    if (!slice_of(vm, a, key, &i, &step, &count)) return ASY_FAILED;
    array *part = like(vm, a, step == 1 && count ? place(a, (uint64_t)i) : NULL, (uint64_t)count);
    if (!part) return ASY_FAILED;
    if (step != 1)
      for (int64_t n = 0; n < count; n++)
        memcpy(place(part, (uint64_t)n), place(a, (uint64_t)(i + n * step)), a->row->size);
    return asy_from_obj(part);
  }
  if (!asy_is_integer(key) && asy_failed(key = asy_index(vm, key))) {
    asy_clear_exception(vm);
    return asy_raise(vm, ASY_TypeError, "array indices must be integers");
  }
  return asy_item_index(vm, key, a->len, "array index out of range", &i) ? get(vm, a, (uint32_t)i) : ASY_FAILED;
}

static bool set_slice(asy_vm *vm, array *a, asy_value key, asy_value value) {
  int64_t start, step, count;
  array *other = NULL;
  if (value != ASY_UNBOUND) {
    if (!is_array(vm, value))
      return asy_raise(vm, ASY_TypeError, "can only assign array (not \"%T\") to array slice", value), false;
    other = array_of(value);
    if (other->row != a->row) return asy_raise(vm, ASY_TypeError, "bad argument type for built-in operation"), false;
    if (other == a && !(other = like(vm, a, a->data, a->len))) return false;
  }
  if (!slice_of(vm, a, key, &start, &step, &count)) return false;
  uint32_t given = other ? other->len : 0;
  if (step == 1) {
    uint32_t at = (uint32_t)start, old = (uint32_t)count;
    if (given > old ? !open_gap(vm, a, at + old, given - old) : !close_gap(vm, a, at + given, old - given))
      return false;
    if (given) memcpy(place(a, at), other->data, (size_t)given * a->row->size);
    return true;
  }
  if (!other || !given) { /* nothing for an extended slice deletes it too */
    if (!count) return true;
    if (!can_resize(vm, a)) return false;
    uint32_t to = 0;
    for (uint32_t i = 0; i < a->len; i++) {
      int64_t offset = (int64_t)i - start;
      bool drop = offset % step == 0 && offset / step >= 0 && offset / step < count;
      if (!drop) memmove(place(a, to++), place(a, i), a->row->size);
    }
    a->len = to;
    return true;
  }
  if (given != count)
    return asy_raise(vm, ASY_ValueError, "attempt to assign array of size %u to extended slice of size %lld", given,
                     (long long)count),
           false;
  for (int64_t n = 0; n < count; n++)
    memcpy(place(a, (uint64_t)(start + n * step)), place(other, (uint64_t)n), a->row->size);
  return true;
}

static bool array_set_item(asy_vm *vm, asy_value self, asy_value key, asy_value value) {
  array *a = array_of(self);
  uint8_t item[8];
  int64_t i;
  if (asy_is_kind(key, KIND_SLICE)) return set_slice(vm, a, key, value);
  if (!asy_is_integer(key) && asy_failed(key = asy_index(vm, key))) {
    asy_clear_exception(vm);
    return asy_raise(vm, ASY_TypeError, "array indices must be integers"), false;
  }
  if (value != ASY_UNBOUND && !put(vm, a->row, value, item)) return false;
  if (!asy_item_index(vm, key, a->len, "array assignment index out of range", &i)) return false;
  if (value == ASY_UNBOUND) return close_gap(vm, a, (uint32_t)i, 1);
  memcpy(place(a, (uint64_t)i), item, a->row->size);
  return true;
}

/* The first index of an equal item in [start, stop); -1 none, -2 raised. */
static int64_t find(asy_vm *vm, array *a, asy_value v, int64_t start, int64_t stop) {
  for (int64_t i = start; i < stop && i < a->len; i++) {
    asy_value item = get(vm, a, (uint32_t)i);
    int equal = asy_failed(item) ? -1 : asy_equal(vm, item, v);
    if (equal) return equal < 0 ? -2 : i;
  }
  return -1;
}

static int array_contains(asy_vm *vm, asy_value self, asy_value v) {
  int64_t at = find(vm, array_of(self), v, 0, INT64_MAX);
  return at == -2 ? -1 : at >= 0;
}

static asy_value array_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!is_array(vm, self) || !is_array(vm, other)) return ASY_NOT_IMPLEMENTED;
  array *a = array_of(self), *b = array_of(other);
  if (a->len != b->len && (op == COMPARE_EQ || op == COMPARE_NE)) return asy_from_bool(op == COMPARE_NE);
  for (uint32_t i = 0; i < a->len && i < b->len; i++) {
    asy_value x = get(vm, a, i), y = get(vm, b, i);
    int equal = asy_failed(x) || asy_failed(y) ? -1 : asy_equal(vm, x, y);
    if (equal < 0) return ASY_FAILED;
    if (equal) continue;
    if (op == COMPARE_EQ || op == COMPARE_NE) return asy_from_bool(op == COMPARE_NE);
    return asy_compare(vm, x, y, op);
  }
  return asy_compare(vm, asy_from_small(a->len), asy_from_small(b->len), op);
}

static asy_value array_repr(asy_vm *vm, asy_value self) {
  array *a = array_of(self);
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_str(&t, asy_type_of(vm, self)->name);
  asy_text_ascii(&t, "('");
  asy_text_char(&t, (uint8_t)a->row->code);
  asy_text_char(&t, '\'');
  if (a->len && a->row->kind == TEXT) {
    asy_str *s = asy_str_new_ucs4(vm, (const uint32_t *)a->data, a->len);
    if (!s) return asy_text_discard(&t), ASY_FAILED;
    asy_text_ascii(&t, ", ");
    asy_text_repr_of(&t, asy_from_obj(s));
  } else if (a->len) {
    asy_text_ascii(&t, ", [");
    for (uint32_t i = 0; i < a->len; i++) {
      asy_value v = get(vm, a, i);
      if (asy_failed(v)) return asy_text_discard(&t), ASY_FAILED;
      if (i) asy_text_ascii(&t, ", ");
      asy_text_repr_of(&t, v);
    }
    asy_text_char(&t, ']');
  }
  asy_text_char(&t, ')');
  return or_failed(asy_text_finish(&t));
}

static asy_value array_add(asy_vm *vm, asy_value left, asy_value right) {
  if (!is_array(vm, left)) return ASY_NOT_IMPLEMENTED;
  if (!is_array(vm, right)) return asy_raise(vm, ASY_TypeError, "can only append array (not \"%T\") to array", right);
  array *a = array_of(left), *b = array_of(right);
  if (a->row != b->row) return asy_raise(vm, ASY_TypeError, "bad argument type for built-in operation");
  array *sum = like(vm, a, NULL, (uint64_t)a->len + b->len);
  if (!sum) return ASY_FAILED;
  if (a->len) memcpy(sum->data, a->data, (size_t)a->len * a->row->size);
  if (b->len) memcpy(place(sum, a->len), b->data, (size_t)b->len * a->row->size);
  return asy_from_obj(sum);
}

static asy_value array_iadd(asy_vm *vm, asy_value self, asy_value other) {
  if (!is_array(vm, other)) return asy_raise(vm, ASY_TypeError, "can only extend array with array (not \"%T\")", other);
  return extend(vm, array_of(self), other) ? self : ASY_FAILED;
}

/* The number of a repetition: -1 when the value is no integer (then NotImplemented), with the exception clear. */
static bool repeats(asy_vm *vm, asy_value v, uint32_t len, uint64_t *total) {
  int64_t n;
  if (!asy_to_int64(vm, v, &n)) return false;
  if (n < 0) n = 0;
  if (!__builtin_mul_overflow((uint64_t)len, (uint64_t)n, total) && *total <= INT32_MAX) return true;
  asy_raise_no_memory(vm);
  return false;
}

static void repeat_into(array *to, const uint8_t *data, size_t bytes, uint64_t total) {
  for (uint64_t at = 0; bytes && at < total * to->row->size; at += bytes) memmove(to->data + at, data, bytes);
}

static asy_value array_mul(asy_vm *vm, asy_value left, asy_value right) {
  asy_value self = is_array(vm, left) ? left : right, count = self == left ? right : left;
  if (!asy_is_integer(count)) {
    asy_value index = asy_index(vm, count);
    if (asy_failed(index)) {
      if (!asy_raised_is(vm, ASY_TypeError)) return ASY_FAILED;
      asy_clear_exception(vm);
      return asy_raise(vm, ASY_TypeError, "can't multiply sequence by non-int of type '%T'", count);
    }
    count = index;
  }
  array *a = array_of(self);
  uint64_t total;
  if (!repeats(vm, count, a->len, &total)) return ASY_FAILED;
  array *product = like(vm, a, NULL, total);
  if (!product) return ASY_FAILED;
  repeat_into(product, a->data, (size_t)a->len * a->row->size, total);
  return asy_from_obj(product);
}

static asy_value array_imul(asy_vm *vm, asy_value self, asy_value count) {
  array *a = array_of(self);
  uint64_t total;
  asy_value index = asy_index(vm, count);
  size_t bytes = (size_t)a->len * a->row->size;
  if (asy_failed(index) || !repeats(vm, index, a->len, &total) || !resize(vm, a, total)) return ASY_FAILED;
  repeat_into(a, a->data, bytes, total);
  return self;
}

/* ---- Methods ---- */

static asy_value array_append(asy_vm *vm, const asy_value *args) {
  return append(vm, array_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}
static asy_value array_extend(asy_vm *vm, const asy_value *args) {
  return extend(vm, array_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value array_buffer_info(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  return asy_tuple_of(vm, 2, asy_from_uint64(vm, (uintptr_t)a->data), asy_from_small(a->len));
}

static asy_value array_byteswap(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  unsigned size = a->row->size;
  for (uint32_t i = 0; i < a->len; i++)
    for (unsigned b = 0; b < size / 2; b++) {
      uint8_t *p = place(a, i), held = p[b];
      p[b] = p[size - 1 - b];
      p[size - 1 - b] = held;
    }
  return ASY_NONE;
}

static asy_value array_clear(asy_vm *vm, const asy_value *args) {
  return resize(vm, array_of(args[0]), 0) ? ASY_NONE : ASY_FAILED;
}

static asy_value array_copy(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  return or_failed(like(vm, a, a->data, a->len));
}

static asy_value array_count(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  int64_t n = 0, at = -1;
  while ((at = find(vm, a, args[1], at + 1, INT64_MAX)) >= 0) n++;
  return at == -2 ? ASY_FAILED : asy_from_small(n);
}

static asy_value array_index(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  int64_t start, stop;
  if (!asy_slice_bound(vm, args[2], 0, a->len, &start) || !asy_slice_bound(vm, args[3], a->len, a->len, &stop))
    return ASY_FAILED;
  int64_t at = find(vm, a, args[1], start, stop);
  return at >= 0    ? asy_from_small(at)
         : at == -2 ? ASY_FAILED
                    : asy_raise(vm, ASY_ValueError, "array.index(x): x not in array");
}

static asy_value array_insert(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  int64_t at;
  uint8_t item[8];
  if (!asy_to_int64(vm, args[1], &at) || !put(vm, a->row, args[2], item)) return ASY_FAILED;
  if (at < 0) at = at + a->len < 0 ? 0 : at + a->len;
  if (at > a->len) at = a->len;
  if (!open_gap(vm, a, (uint32_t)at, 1)) return ASY_FAILED;
  memcpy(place(a, (uint64_t)at), item, a->row->size);
  return ASY_NONE;
}

static asy_value array_pop(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  int64_t at;
  asy_value index = asy_index(vm, args[1]);
  if (asy_failed(index)) return index;
  if (!asy_is_number_int64(index, &at))
    return asy_raise(vm, ASY_OverflowError, "Python int too large to convert to C ssize_t");
  if (!a->len) return asy_raise(vm, ASY_IndexError, "pop from empty array");
  if (!asy_item_index(vm, index, a->len, "pop index out of range", &at)) return ASY_FAILED;
  asy_value v = get(vm, a, (uint32_t)at);
  return !asy_failed(v) && close_gap(vm, a, (uint32_t)at, 1) ? v : ASY_FAILED;
}

static asy_value array_remove(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  int64_t at = find(vm, a, args[1], 0, INT64_MAX);
  if (at == -1) return asy_raise(vm, ASY_ValueError, "array.remove(x): x not in array");
  if (at < 0) return ASY_FAILED;
  return at >= a->len || close_gap(vm, a, (uint32_t)at, 1) ? ASY_NONE : ASY_FAILED; /* an __eq__ may have shrunk it */
}

static asy_value array_reverse(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  uint8_t held[8];
  for (uint32_t i = 0; i < a->len / 2; i++) {
    memcpy(held, place(a, i), a->row->size);
    memcpy(place(a, i), place(a, a->len - 1 - i), a->row->size);
    memcpy(place(a, a->len - 1 - i), held, a->row->size);
  }
  return ASY_NONE;
}

static asy_value array_tobytes(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  return asy_from_bytes(vm, a->data ? a->data : (uint8_t *)"", (size_t)a->len * a->row->size);
}

static asy_value array_frombytes(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  asy_buffer b;
  if (!asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  bool good = false;
  if (b.itemsize > 1) asy_raise(vm, ASY_TypeError, "a bytes-like object is required");
  else if (b.len % a->row->size) asy_raise(vm, ASY_ValueError, "bytes length not a multiple of item size");
  else good = append_bytes(vm, a, b.data, b.len);
  asy_buffer_release(vm, &b);
  return good ? ASY_NONE : ASY_FAILED;
}

static asy_value array_tolist(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  asy_list *list = asy_list_new(vm, a->len);
  for (uint32_t i = 0; list && i < a->len; i++) {
    asy_value v = get(vm, a, i);
    if (asy_failed(v) || !asy_list_append(vm, list, v)) return ASY_FAILED;
  }
  return or_failed(list);
}

static asy_value array_fromlist(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  if (!asy_is_kind(args[1], KIND_LIST)) return asy_raise(vm, ASY_TypeError, "arg must be list");
  const asy_list *list = (asy_list *)asy_obj_of(args[1]);
  uint32_t old = a->len, n = list->len;
  for (uint32_t i = 0; i < n; i++) {
    bool good = i < list->len ? append(vm, a, list->items[i])
                              : (asy_raise(vm, ASY_RuntimeError, "list changed size during iteration"), false);
    if (good) continue;
    if (a->len > old && !a->exports) a->len = old;
    return ASY_FAILED;
  }
  return ASY_NONE;
}

static bool need_text(asy_vm *vm, const array *a, const char *method) {
  if (a->row->kind == TEXT) return true;
  asy_raise(vm, ASY_ValueError, "%s() may only be called on unicode type arrays ('u' or 'w')", method);
  return false;
}

static asy_value array_fromunicode(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "fromunicode() argument must be str, not %T", args[1]);
  return need_text(vm, a, "fromunicode") && append_text(vm, a, (asy_str *)asy_obj_of(args[1])) ? ASY_NONE : ASY_FAILED;
}

static asy_value array_tounicode(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  if (!need_text(vm, a, "tounicode")) return ASY_FAILED;
  return or_failed(a->len ? asy_str_new_ucs4(vm, (const uint32_t *)a->data, a->len) : vm->empty_str);
}

static asy_value array_tofile(asy_vm *vm, const asy_value *args) {
  asy_value bytes = array_tobytes(vm, args);
  if (asy_failed(bytes)) return bytes;
  return asy_failed(asy_call_method(vm, args[1], ASY_NAME(vm, write), 1, &bytes)) ? ASY_FAILED : ASY_NONE;
}

static asy_value array_fromfile(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  int64_t n;
  if (!asy_to_int64(vm, args[2], &n)) return ASY_FAILED;
  if (n < 0) return asy_raise(vm, ASY_ValueError, "negative count");
  if (n > INT32_MAX / a->row->size) return asy_raise_no_memory(vm);
  asy_value size = asy_from_small(n * a->row->size);
  asy_value bytes = asy_call_method(vm, args[1], asy_intern(vm, "read"), 1, &size);
  if (asy_failed(bytes)) return bytes;
  if (!asy_is_kind(bytes, KIND_BYTES)) return asy_raise(vm, ASY_TypeError, "read() didn't return bytes");
  bool all = ((asy_bytes *)asy_obj_of(bytes))->len == asy_small(size);
  if (asy_failed(array_frombytes(vm, (asy_value[]){args[0], bytes}))) return ASY_FAILED;
  return all ? ASY_NONE : asy_raise(vm, ASY_EOFError, "read() didn't return enough bytes");
}

/* array(typecode, list of the items) */
static asy_value array_reduce(asy_vm *vm, const asy_value *args) {
  array *a = array_of(args[0]);
  asy_dict *dict = asy_instance_has_dict(asy_type_of(vm, args[0])) ? asy_instance_dict(vm, asy_obj_of(args[0])) : NULL;
  asy_value items = a->row->kind == TEXT ? array_tounicode(vm, args) : array_tolist(vm, args);
  asy_str *code = asy_str_char(vm, (uint8_t)a->row->code);
  asy_value with = asy_failed(items) || !code ? ASY_FAILED : asy_tuple_of(vm, 2, asy_from_obj(code), items);
  return asy_failed(with) || asy_raised(vm)
           ? ASY_FAILED
           : asy_tuple_of(vm, 3, asy_from_obj(asy_type_of(vm, args[0])), with, dict ? asy_from_obj(dict) : ASY_NONE);
}

static asy_value array_typecode(asy_vm *vm, const asy_value *args) {
  return or_failed(asy_str_char(vm, (uint8_t)array_of(args[0])->row->code));
}
static asy_value array_itemsize(asy_vm *vm, const asy_value *args) {
  return asy_from_small(array_of(args[0])->row->size);
}
static asy_value array_sizeof(asy_vm *vm, const asy_value *args) {
  return asy_from_small((int64_t)(sizeof(array) + (size_t)array_of(args[0])->cap * array_of(args[0])->row->size));
}

static const asy_native array_methods[] = {
  {"__class_getitem__", SIG("(cls, item, /)"), asy_class_getitem, DOC("See PEP 585"), ASY_NATIVE_CLASS},
  {"__copy__", SIG("(self, /)"), array_copy, DOC("Return a copy of the array."), 0},
  {"__deepcopy__", SIG("(self, unused, /)"), array_copy, DOC("Return a copy of the array."), 0},
  {"__reduce_ex__", SIG("(self, value, /)"), array_reduce, DOC("Return state information for pickling."), 0},
  {"__sizeof__", SIG("(self, /)"), array_sizeof, DOC("Size of the array in memory, in bytes."), 0},
  {"append", SIG("(self, v, /)"), array_append, DOC("Append new value v to the end of the array."), 0},
  {"buffer_info", SIG("(self, /)"), array_buffer_info,
   DOC("Return a tuple (address, length) giving the current memory address and the length in items."), 0},
  {"byteswap", SIG("(self, /)"), array_byteswap, DOC("Byteswap all items of the array."), 0},
  {"clear", SIG("(self, /)"), array_clear, DOC("Remove all items from the array."), 0},
  {"count", SIG("(self, v, /)"), array_count, DOC("Return number of occurrences of v in the array."), 0},
  {"extend", SIG("(self, bb, /)"), array_extend, DOC("Append items to the end of the array."), 0},
  {"frombytes", SIG("(self, buffer, /)"), array_frombytes,
   DOC("Appends items from the string, interpreting it as an array of machine values."), 0},
  {"fromfile", SIG("(self, f, n, /)"), array_fromfile,
   DOC("Read n objects from the file object f and append them to the end of the array."), 0},
  {"fromlist", SIG("(self, list, /)"), array_fromlist, DOC("Append items to array from list."), 0},
  {"fromunicode", SIG("(self, ustr, /)"), array_fromunicode,
   DOC("Extends this array with data from the unicode string ustr."), 0},
  {"index", SIG("(self, v, start=0, stop=None, /)"), array_index,
   DOC("Return index of first occurrence of v in the array."), 0},
  {"insert", SIG("(self, i, v, /)"), array_insert, DOC("Insert a new item v into the array before position i."), 0},
  {"itemsize", SIG("(self)"), array_itemsize, DOC("the size, in bytes, of one array item"), ASY_NATIVE_GETTER},
  {"pop", SIG("(self, i=-1, /)"), array_pop, DOC("Return the i-th element and delete it from the array."), 0},
  {"remove", SIG("(self, v, /)"), array_remove, DOC("Remove the first occurrence of v in the array."), 0},
  {"reverse", SIG("(self, /)"), array_reverse, DOC("Reverse the order of the items in the array."), 0},
  {"tobytes", SIG("(self, /)"), array_tobytes,
   DOC("Convert the array to an array of machine values and return the bytes representation."), 0},
  {"tofile", SIG("(self, f, /)"), array_tofile, DOC("Write all items (as machine values) to the file object f."), 0},
  {"tolist", SIG("(self, /)"), array_tolist, DOC("Convert array to an ordinary list with the same items."), 0},
  {"tounicode", SIG("(self, /)"), array_tounicode, DOC("Convert the array to a unicode string."), 0},
  {"typecode", SIG("(self)"), array_typecode, DOC("the typecode character used to create the array"),
   ASY_NATIVE_GETTER},
  {0},
};

static asy_value array_iter(asy_vm *vm, asy_value self);

const asy_type asy_array_type = {
  .name = "array.array",
  .doc = "array(typecode [, initializer]) -> array",
  .size = sizeof(array),
  .flags = ASY_TYPE_SEQUENCE | ASY_TYPE_UNHASHABLE,
  .free = array_free,
  .new_ = array_new,
  .new_signature = SIG("(cls, typecode, initializer=?, /)"),
  .repr = array_repr,
  .compare = array_compare,
  .length = array_length,
  .special = &(const asy_special){.get_item = array_get_item,
                                  .set_item = array_set_item,
                                  .contains = array_contains,
                                  .get_buffer = array_get_buffer,
                                  .release_buffer = array_release_buffer},
  .iter = array_iter,
  .operators = &(const asy_operators){.binary = {[BINARY_ADD] = array_add, [BINARY_MUL] = array_mul},
                                      .inplace = {[BINARY_ADD] = array_iadd, [BINARY_MUL] = array_imul}},
  .methods = array_methods,
};

/* ---- The iterator ---- */

static asy_value array_iter(asy_vm *vm, asy_value self) {
  array_iterator *iterator = asy_new_object(vm, &asy_array_iterator_type);
  if (iterator) iterator->of = array_of(self);
  return or_failed(iterator);
}

static void iterator_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((array_iterator *)o)->of); }
static asy_value iterator_iter(asy_vm *vm, asy_value self) { return self; }

static asy_value iterator_next(asy_vm *vm, asy_value self) {
  array_iterator *iterator = (array_iterator *)asy_obj_of(self);
  if (!iterator->of) return ASY_END;
  if (iterator->at < iterator->of->len) return get(vm, iterator->of, iterator->at++);
  iterator->of = NULL;
  return ASY_END;
}

static asy_value iterator_reduce(asy_vm *vm, const asy_value *args) {
  array_iterator *iterator = (array_iterator *)asy_obj_of(args[0]);
  asy_value iter = asy_dict_get_str(vm, vm->builtins, asy_intern(vm, "iter"));
  if (!iterator->of) return asy_tuple_of(vm, 2, iter, asy_tuple_of(vm, 1, asy_from_obj(vm->empty_tuple)));
  return asy_tuple_of(vm, 3, iter, asy_tuple_of(vm, 1, asy_from_obj(iterator->of)), asy_from_small(iterator->at));
}

static asy_value iterator_setstate(asy_vm *vm, const asy_value *args) {
  array_iterator *iterator = (array_iterator *)asy_obj_of(args[0]);
  int64_t at;
  if (!asy_to_int64(vm, args[1], &at)) return ASY_FAILED;
  if (iterator->of) iterator->at = at < 0 ? 0 : at > iterator->of->len ? iterator->of->len : (uint32_t)at;
  return ASY_NONE;
}

static const asy_native iterator_methods[] = {
  {"__reduce__", SIG("(self, /)"), iterator_reduce, 0, 0},
  {"__setstate__", SIG("(self, state, /)"), iterator_setstate, 0, 0},
  {0},
};

const asy_type asy_array_iterator_type = {
  .name = "array.arrayiterator",
  .size = sizeof(array_iterator),
  .flags = ASY_TYPE_NO_NEW,
  .visit = iterator_visit,
  .iter = iterator_iter,
  .next = iterator_next,
  .methods = iterator_methods,
};

/* ---- The module ---- */

static asy_value array_reconstructor(asy_vm *vm, const asy_value *args) {
  int format;
  if (!asy_is_kind(args[0], KIND_TYPE))
    return asy_raise(vm, ASY_TypeError, "first argument must be a type object, not %T", args[0]);
  if (!asy_to_int(vm, args[2], INT32_MIN, INT32_MAX, &format)) return ASY_FAILED;
  if (!asy_is_kind(args[3], KIND_BYTES))
    return asy_raise(vm, ASY_TypeError, "fourth argument should be bytes, not %T", args[3]);
  /* Formats as CPython writes them: two of every integer size (little, big), with signed ones in between. */
  static const struct {
    uint8_t size;
    item_kind kind;
    bool big;
  } formats[] = {{1, UNSIGNED, 0}, {1, SIGNED, 0},   {2, UNSIGNED, 0}, {2, UNSIGNED, 1}, {2, SIGNED, 0},
                 {2, SIGNED, 1},   {4, UNSIGNED, 0}, {4, UNSIGNED, 1}, {4, SIGNED, 0},   {4, SIGNED, 1},
                 {8, UNSIGNED, 0}, {8, UNSIGNED, 1}, {8, SIGNED, 0},   {8, SIGNED, 1},   {4, REAL, 0},
                 {4, REAL, 1},     {8, REAL, 0},     {8, REAL, 1},     {2, TEXT, 0},     {2, TEXT, 1},
                 {4, TEXT, 0},     {4, TEXT, 1}};
  if (format < 0 || format >= (int)(sizeof formats / sizeof *formats))
    return asy_raise(vm, ASY_ValueError, "third argument must be a valid machine format code.");
  asy_value made = asy_call1(vm, args[0], args[1]);
  if (asy_failed(made)) return made;
  if (!is_array(vm, made) || array_of(made)->row->size != formats[format].size ||
      array_of(made)->row->kind != formats[format].kind)
    return asy_raise(vm, ASY_NotImplementedError, "array of another machine format");
  if (asy_failed(array_frombytes(vm, (asy_value[]){made, args[3]}))) return ASY_FAILED;
  return formats[format].big ? (array_byteswap(vm, &made), made) : made;
}

static const asy_native array_natives[] = {
  {"_array_reconstructor", SIG("(arraytype, typecode, mformat_code, items, /)"), array_reconstructor,
   DOC("Internal. Used for pickling support."), 0},
  {0},
};

static bool array_init(asy_vm *vm, asy_value module) {
  asy_class *cls = asy_define_type(vm, &asy_array_type);
  return cls && asy_module_set(vm, module, "array", asy_from_obj(cls)) &&
         asy_module_set(vm, module, "ArrayType", asy_from_obj(cls)) &&
         asy_module_set(vm, module, "typecodes", asy_from_cstr(vm, "bBuwhHiIlLqQfd"));
}

const asy_module_def asy_module_array = {"array", array_natives, "Arrays of C values of one type.", array_init};
