/* memoryview.c - a view of the bytes of another object, without a copy.
 * One dimension; items of one struct code; a stride that slices may change. The object viewed is locked (a bytearray keeps its size)
 * until release(), the end of a `with`, or until the view is garbage.
 */
#include "runtime/types/bytes_internal.h"
#include "runtime/types/slice.h"

static asy_memoryview *view_of(asy_value v) { return (asy_memoryview *)asy_obj_of(v); }

static void unlock(asy_vm *vm, asy_memoryview *view) {
  asy_buffer_release(vm, &(asy_buffer){.owner = view->owner});
  view->owner = 0;
}

static bool alive(asy_vm *vm, asy_memoryview *view) {
  if (view->owner) return true;
  asy_raise(vm, ASY_ValueError, "operation forbidden on released memoryview object");
  return false;
}

/* The size of a struct code; 0: not one of ours. */
static unsigned code_size(char code) {
  switch (code) {
    case 'b':
    case 'B':
    case 'c':
    case '?': return 1;
    case 'h':
    case 'H': return 2;
    case 'i':
    case 'I':
    case 'f': return 4;
    case 'l':
    case 'L':
    case 'q':
    case 'Q':
    case 'n':
    case 'N':
    case 'd': return 8;
    default: return 0;
  }
}

static asy_memoryview *view_over(asy_vm *vm, asy_value owner, uint8_t *data, size_t len, bool readonly) {
  asy_memoryview *view = asy_new_kind(vm, KIND_MEMORYVIEW, sizeof(asy_memoryview));
  if (!view) return NULL;
  view->data = data;
  view->len = (int64_t)len;
  view->format = 'B';
  view->itemsize = 1;
  view->stride = 1;
  view->readonly = readonly;
  asy_buffer lock; /* of the owner, until unlock() */
  if (!asy_buffer_get(vm, owner, &lock)) return NULL;
  view->owner = owner;
  return view;
}

/* Another view of the same object. */
static asy_memoryview *view_like(asy_vm *vm, asy_memoryview *view) {
  asy_memoryview *copy = view_over(vm, view->owner, view->data, (size_t)view->len, view->readonly);
  if (!copy) return NULL;
  copy->format = view->format;
  copy->itemsize = view->itemsize;
  copy->stride = view->stride;
  return copy;
}

static asy_value from_view(asy_memoryview *view) { return view ? asy_from_obj(view) : ASY_FAILED; }

static asy_value memoryview_new(asy_vm *vm, const asy_value *args) {
  asy_value object = args[1];
  if (asy_is_kind(object, KIND_MEMORYVIEW))
    return alive(vm, view_of(object)) ? from_view(view_like(vm, view_of(object))) : ASY_FAILED;
  asy_buffer b;
  if (!asy_is_bytes_like(object)) {
    asy_value made = asy_script_buffer(vm, object);
    if (made != ASY_UNBOUND) return made;
  }
  if (!asy_is_bytes_like(object))
    return asy_raise(vm, ASY_TypeError, "memoryview: a bytes-like object is required, not '%T'", object);
  if (!asy_buffer_get(vm, object, &b)) return ASY_FAILED;
  asy_memoryview *view = view_over(vm, object, b.data, b.len, !b.writable);
  if (view && b.itemsize) {
    view->format = b.format;
    view->stride = view->itemsize = b.itemsize;
    view->len /= b.itemsize;
  }
  asy_buffer_release(vm, &b);
  return from_view(view);
}

static void memoryview_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((asy_memoryview *)o)->owner); }

asy_obj *asy_memoryview_owner(const asy_obj *view) { return asy_obj_of(((const asy_memoryview *)view)->owner); }

void asy_memoryview_finalize(asy_vm *vm, asy_obj *o) { unlock(vm, (asy_memoryview *)o); }

/* ---- Items --------------------------------------------------------------------------------------------------------------- */

static asy_value read_item(asy_vm *vm, const asy_memoryview *view, int64_t i) {
  const uint8_t *at = view->data + i * view->stride;
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
  memcpy(&u, at, view->itemsize);
  switch (view->format) {
    case 'B': return asy_from_small(*at);
    case 'b': return asy_from_small((int8_t)*at);
    case 'c': return asy_from_bytes(vm, at, 1);
    case '?': return asy_from_bool(*at != 0);
    case 'h': return asy_from_small(u.h);
    case 'H': return asy_from_small(u.H);
    case 'i': return asy_from_small(u.i);
    case 'I': return asy_from_small(u.I);
    case 'f': return asy_from_double(vm, (double)u.f);
    case 'd': return asy_from_double(vm, u.d);
    case 'L':
    case 'Q':
    case 'N': return asy_from_uint64(vm, u.Q);
    default: return asy_from_int64(vm, u.q);
  }
}

static bool wrong_type(asy_vm *vm, char format) {
  asy_raise(vm, ASY_TypeError, "memoryview: invalid type for format '%c'", (uint32_t)format);
  return false;
}

static bool wrong_value(asy_vm *vm, char format) {
  asy_raise(vm, ASY_ValueError, "memoryview: invalid value for format '%c'", (uint32_t)format);
  return false;
}

/* The bytes of an item, before the view is looked at: __index__ may run script code. */
static bool pack_item(asy_vm *vm, char format, asy_value value, uint8_t out[8]) {
  unsigned size = code_size(format);
  if (format == 'c') {
    if (!asy_is_kind(value, KIND_BYTES)) return wrong_type(vm, format);
    if (bytes_of(value)->len != 1) return wrong_value(vm, format);
    out[0] = bytes_of(value)->data[0];
    return true;
  }
  if (format == 'f' || format == 'd') {
    double d;
    if (!asy_to_double(vm, value, &d))
      return asy_raised_is(vm, ASY_TypeError) ? (asy_clear_exception(vm), wrong_type(vm, format)) : false;
    float f = (float)d;
    memcpy(out, format == 'f' ? (void *)&f : (void *)&d, size);
    return true;
  }
  if (format == '?') {
    int truth = asy_truth(vm, value);
    out[0] = truth > 0;
    return truth >= 0;
  }
  if (!asy_is_integer(value) && !asy_defers_to(vm, value, ASY_NAME(vm, __index__))) return wrong_type(vm, format);
  asy_value index = asy_index(vm, value);
  int64_t i;
  if (asy_failed(index)) return false;
  bool is_unsigned = strchr("BHILQN", format) != NULL;
  if (!asy_is_number_int64(index, &i)) {
    if (size < 8 || !is_unsigned || asy_less(vm, index, asy_from_small(0)) > 0) return wrong_value(vm, format);
    asy_value low = asy_binary(vm, BINARY_SUB, index, asy_from_uint64(vm, (uint64_t)1 << 63));
    if (asy_failed(low) || !asy_is_number_int64(low, &i) || i < 0)
      return asy_failed(low) ? false : wrong_value(vm, format);
    i = (int64_t)((uint64_t)i | (uint64_t)1 << 63);
  } else {
    int64_t low = is_unsigned ? 0 : size == 8 ? INT64_MIN : -((int64_t)1 << (size * 8 - 1));
    int64_t high = size == 8 ? INT64_MAX : ((int64_t)1 << (size * 8 - !is_unsigned)) - 1;
    if (i < low || i > high) return wrong_value(vm, format);
  }
  memcpy(out, &i, size);
  return true;
}

static bool item_place(asy_vm *vm, asy_memoryview *view, asy_value key, int64_t *at) {
  if (!asy_is_integer(key) && !asy_defers_to(vm, key, ASY_NAME(vm, __index__))) {
    asy_raise(vm, ASY_TypeError, "memoryview: invalid slice key");
    return false;
  }
  return asy_item_index(vm, key, view->len, "index out of bounds on dimension 1", at) && alive(vm, view);
}

static asy_value memoryview_get_item(asy_vm *vm, asy_value self, asy_value key) {
  asy_memoryview *view = view_of(self);
  int64_t at, step, count;
  if (!alive(vm, view)) return ASY_FAILED;
  if (asy_is_kind(key, KIND_SLICE)) {
    if (!asy_slice_of(vm, key, view->len, &at, &step, &count) || !alive(vm, view)) return ASY_FAILED;
    asy_memoryview *slice = view_like(vm, view);
    if (!slice) return ASY_FAILED;
    slice->len = count > 0 ? count : 0;
    if (count > 0) slice->data += at * view->stride;
    slice->stride = view->stride * step;
    return asy_from_obj(slice);
  }
  if (!item_place(vm, view, key, &at)) return ASY_FAILED;
  return read_item(vm, view, at);
}

static bool set_slice(asy_vm *vm, asy_memoryview *view, asy_value key, asy_value value) {
  asy_buffer source;
  int64_t start, step, count;
  if (!asy_slice_of(vm, key, view->len, &start, &step, &count) || !alive(vm, view)) return false;
  if (!asy_buffer_get(vm, value, &source)) return false;
  bool same = source.len == (size_t)count * view->itemsize;
  if (asy_is_kind(value, KIND_MEMORYVIEW) && view_of(value)->format != view->format) same = false;
  if (same && step == 1 && view->stride == view->itemsize) {
    memmove(view->data + start * view->stride, source.data, source.len);
  } else if (same) {
    for (int64_t i = 0; i < count; i++) {
      memcpy(view->data + (start + i * step) * view->stride, source.data + i * view->itemsize, view->itemsize);
    }
  } else {
    asy_raise(vm, ASY_ValueError, "memoryview assignment: lvalue and rvalue have different structures");
  }
  asy_buffer_release(vm, &source);
  return same;
}

static bool memoryview_set_item(asy_vm *vm, asy_value self, asy_value key, asy_value value) {
  asy_memoryview *view = view_of(self);
  int64_t at;
  uint8_t item[8];
  if (!alive(vm, view)) return false;
  if (view->readonly) {
    asy_raise(vm, ASY_TypeError, "cannot modify read-only memory");
    return false;
  }
  if (value == ASY_UNBOUND) {
    asy_raise(vm, ASY_TypeError, "cannot delete memory");
    return false;
  }
  if (asy_is_kind(key, KIND_SLICE)) return set_slice(vm, view, key, value);
  if (!item_place(vm, view, key, &at) || !pack_item(vm, view->format, value, item) || !alive(vm, view)) return false;
  memcpy(view->data + at * view->stride, item, view->itemsize);
  return true;
}

/* ---- Other slots ------------------------------------------------------------------------------------------------------------ */

static int64_t memoryview_length(asy_vm *vm, asy_value self) {
  return alive(vm, view_of(self)) ? view_of(self)->len : -1;
}

asy_bytes *asy_memoryview_copy(asy_vm *vm, asy_memoryview *view) {
  if (!alive(vm, view)) return NULL;
  asy_bytes *bytes = asy_bytes_new(vm, NULL, (size_t)view->len * view->itemsize);
  if (!bytes) return NULL;
  for (int64_t i = 0; i < view->len; i++)
    memcpy(bytes->data + i * view->itemsize, view->data + i * view->stride, view->itemsize);
  return bytes;
}

static asy_value memoryview_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (op != COMPARE_EQ && op != COMPARE_NE) return ASY_NOT_IMPLEMENTED;
  if (!asy_is_bytes_like(other)) return ASY_NOT_IMPLEMENTED;
  asy_memoryview *a = view_of(self);
  if (!a->owner) return asy_from_bool((self == other) == (op == COMPARE_EQ));
  asy_value right = memoryview_new(vm, (asy_value[]){ASY_NONE, other});
  if (asy_failed(right)) return right;
  asy_memoryview *b = view_of(right);
  bool same = a->len == b->len;
  for (int64_t i = 0; same && i < a->len; i++) {
    int equal;
    if (a->format == b->format && a->format != 'f' && a->format != 'd') {
      equal = memcmp(a->data + i * a->stride, b->data + i * b->stride, a->itemsize) == 0;
    } else {
      asy_value x = read_item(vm, a, i), y = read_item(vm, b, i);
      asy_value result = asy_failed(x) || asy_failed(y) ? ASY_FAILED : asy_compare(vm, x, y, COMPARE_EQ);
      equal = asy_failed(result) ? -1 : result == ASY_TRUE;
    }
    if (equal < 0) return ASY_FAILED;
    same = equal;
  }
  unlock(vm, b);
  return asy_from_bool(same == (op == COMPARE_EQ));
}

static bool memoryview_hash(asy_vm *vm, asy_value self, int64_t *out) {
  asy_memoryview *view = view_of(self);
  if (view->hash == 0) {
    if (!alive(vm, view)) return false;
    if (!view->readonly) {
      asy_raise(vm, ASY_ValueError, "cannot hash writable memoryview object");
      return false;
    }
    asy_bytes *bytes = asy_memoryview_copy(vm, view);
    if (!bytes) return false;
    view->hash = asy_hash_memory(vm, bytes->data, bytes->len);
  }
  *out = view->hash;
  return true;
}

static asy_value memoryview_repr(asy_vm *vm, asy_value self) {
  asy_str *s = asy_str_format(vm, view_of(self)->owner ? "<memory at %p>" : "<released memory at %p>",
                              (void *)asy_obj_of(self));
  return s ? asy_from_obj(s) : ASY_FAILED;
}

/* ---- Methods and attributes --------------------------------------------------------------------------------------------------- */

static asy_value memoryview_tobytes(asy_vm *vm, const asy_value *args) {
  asy_bytes *bytes = asy_memoryview_copy(vm, view_of(args[0]));
  return bytes ? asy_from_obj(bytes) : ASY_FAILED;
}

static asy_value memoryview_tolist(asy_vm *vm, const asy_value *args) {
  asy_memoryview *view = view_of(args[0]);
  asy_list *list = alive(vm, view) ? asy_list_new(vm, (uint32_t)view->len) : NULL;
  if (!list) return ASY_FAILED;
  for (int64_t i = 0; i < view->len; i++) {
    asy_value item = read_item(vm, view, i);
    if (asy_failed(item) || !asy_list_append(vm, list, item)) return ASY_FAILED;
  }
  return asy_from_obj(list);
}

static asy_value memoryview_hex(asy_vm *vm, const asy_value *args) {
  asy_bytes *bytes = asy_memoryview_copy(vm, view_of(args[0]));
  return bytes ? asy_octets_hex(vm, bytes->data, bytes->len, args[1], args[2]) : ASY_FAILED;
}

static asy_value memoryview_release(asy_vm *vm, const asy_value *args) {
  asy_memoryview *view = view_of(args[0]);
  if (view->exports)
    return asy_raise(vm, ASY_BufferError, "memoryview has %u exported buffer%s", view->exports,
                     view->exports == 1 ? "" : "s");
  unlock(vm, view);
  return ASY_NONE;
}

static asy_value memoryview_enter(asy_vm *vm, const asy_value *args) {
  return alive(vm, view_of(args[0])) ? args[0] : ASY_FAILED;
}

static asy_value memoryview_cast(asy_vm *vm, const asy_value *args) {
  asy_memoryview *view = view_of(args[0]);
  const char *code;
  if (!alive(vm, view) || !asy_to_cstr(vm, args[1], &code)) return ASY_FAILED;
  if (*code == '@') code++;
  unsigned size = *code && !code[1] ? code_size(*code) : 0;
  if (size == 0)
    return asy_raise(
      vm, ASY_ValueError,
      "memoryview: destination format must be a native single character format prefixed with an optional '@'");
  if (view->stride != view->itemsize)
    return asy_raise(vm, ASY_TypeError, "memoryview: casts are restricted to C-contiguous views");
  if (code_size(view->format) != 1 && size != 1)
    return asy_raise(vm, ASY_TypeError, "memoryview: cannot cast between two non-byte formats");
  int64_t octets_count = view->len * view->itemsize;
  if (octets_count % size) return asy_raise(vm, ASY_TypeError, "memoryview: length is not a multiple of itemsize");
  asy_memoryview *cast = view_like(vm, view);
  if (!cast) return ASY_FAILED;
  cast->format = *code;
  cast->itemsize = (uint8_t)size;
  cast->stride = (int64_t)size;
  cast->len = octets_count / size;
  return asy_from_obj(cast);
}

static asy_value memoryview_toreadonly(asy_vm *vm, const asy_value *args) {
  asy_memoryview *copy = alive(vm, view_of(args[0])) ? view_like(vm, view_of(args[0])) : NULL;
  if (copy) copy->readonly = true;
  return from_view(copy);
}

static asy_value memoryview_contiguous(asy_vm *vm, const asy_value *args) {
  asy_memoryview *view = view_of(args[0]);
  return alive(vm, view) ? asy_from_bool(view->stride == view->itemsize || view->len <= 1) : ASY_FAILED;
}

#define ATTRIBUTE(name, value)                                                                                         \
  static asy_value memoryview_##name(asy_vm *vm, const asy_value *args) {                                              \
    asy_memoryview *view = view_of(args[0]);                                                                           \
    if (!alive(vm, view)) return ASY_FAILED;                                                                           \
    return value;                                                                                                      \
  }
ATTRIBUTE(obj, view->owner)
ATTRIBUTE(nbytes, asy_from_small(view->len * view->itemsize))
ATTRIBUTE(itemsize, asy_from_small(view->itemsize))
ATTRIBUTE(format, asy_from_text(vm, &view->format, 1))
ATTRIBUTE(ndim, asy_from_small(1))
ATTRIBUTE(readonly, asy_from_bool(view->readonly))
ATTRIBUTE(shape, asy_tuple_of(vm, 1, asy_from_small(view->len)))
ATTRIBUTE(strides, asy_tuple_of(vm, 1, asy_from_small(view->stride)))
ATTRIBUTE(suboffsets, asy_from_obj(vm->empty_tuple))
#undef ATTRIBUTE

static const asy_native memoryview_methods[] = {
  {"tobytes", SIG("(self, /, order='C')"), memoryview_tobytes, DOC("Return the data in the buffer as a byte string."),
   0},
  {"tolist", SIG("(self, /)"), memoryview_tolist, DOC("Return the data in the buffer as a list of elements."), 0},
  {"hex", SIG("(self, /, sep=?, bytes_per_sep=1)"), memoryview_hex,
   DOC("Return the data in the buffer as a str of hexadecimal numbers."), 0},
  {"release", SIG("(self, /)"), memoryview_release,
   DOC("Release the underlying buffer exposed by the memoryview object."), 0},
  {"cast", SIG("(self, /, format)"), memoryview_cast, DOC("Cast a memoryview to a new format."), 0},
  {"toreadonly", SIG("(self, /)"), memoryview_toreadonly, DOC("Return a readonly version of the memoryview."), 0},
  {"__enter__", SIG("(self, /)"), memoryview_enter, 0, 0},
  {"__exit__", SIG("(self, /, *args)"), memoryview_release, 0, 0},
  {"obj", SIG("(self)"), memoryview_obj, DOC("The underlying object of the memoryview."), ASY_NATIVE_GETTER},
  {"nbytes", SIG("(self)"), memoryview_nbytes,
   DOC("The amount of space in bytes that the array would use in a contiguous representation."), ASY_NATIVE_GETTER},
  {"itemsize", SIG("(self)"), memoryview_itemsize, DOC("The size in bytes of each element of the memoryview."),
   ASY_NATIVE_GETTER},
  {"format", SIG("(self)"), memoryview_format, DOC("The struct code of the items."), ASY_NATIVE_GETTER},
  {"ndim", SIG("(self)"), memoryview_ndim, DOC("The number of dimensions: 1."), ASY_NATIVE_GETTER},
  {"readonly", SIG("(self)"), memoryview_readonly, DOC("A bool indicating whether the memory is read only."),
   ASY_NATIVE_GETTER},
  {"shape", SIG("(self)"), memoryview_shape, DOC("A tuple with the number of items."), ASY_NATIVE_GETTER},
  {"strides", SIG("(self)"), memoryview_strides, DOC("A tuple with the bytes from one item to the next."),
   ASY_NATIVE_GETTER},
  {"suboffsets", SIG("(self)"), memoryview_suboffsets, DOC("An empty tuple."), ASY_NATIVE_GETTER},
  {"c_contiguous", SIG("(self)"), memoryview_contiguous, DOC("A bool indicating whether the memory is C contiguous."),
   ASY_NATIVE_GETTER},
  {"f_contiguous", SIG("(self)"), memoryview_contiguous,
   DOC("A bool indicating whether the memory is Fortran contiguous."), ASY_NATIVE_GETTER},
  {"contiguous", SIG("(self)"), memoryview_contiguous, DOC("A bool indicating whether the memory is contiguous."),
   ASY_NATIVE_GETTER},
  {0},
};

const asy_type asy_memoryview_type = {
  .name = "memoryview",
  .doc = "Create a new memoryview object which references the given object.",
  .size = sizeof(asy_memoryview),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_SEQUENCE,
  .visit = memoryview_visit,
  .special = &(const asy_special){.finalize = asy_memoryview_finalize,
                                  .get_item = memoryview_get_item,
                                  .set_item = memoryview_set_item},
  .new_ = memoryview_new,
  .new_signature = SIG("(cls, object)"),
  .repr = memoryview_repr,
  .hash = memoryview_hash,
  .compare = memoryview_compare,
  .length = memoryview_length,
  .methods = memoryview_methods,
};
