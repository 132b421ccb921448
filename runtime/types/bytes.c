/* bytes.c - the bytes object, the buffer view of bytes-like objects, and the operators bytes and bytearray share. */
#include "runtime/types/bytes_internal.h"

#include "runtime/types/codec.h"
#include "runtime/types/format.h"
#include "runtime/types/iter.h"
#include "runtime/types/slice.h"

/* ---- Making ---------------------------------------------------------------------------------------------------------- */

asy_bytes *asy_bytes_new(asy_vm *vm, const void *data, size_t len) {
  if (len > INT32_MAX - 64) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  asy_bytes *b = asy_new_kind(vm, KIND_BYTES, sizeof(asy_bytes) + len + 1);
  if (!b) return NULL;
  b->len = (uint32_t)len;
  if (data && len) memcpy(b->data, data, len);
  else memset(b->data, 0, len);
  return b;
}

asy_value asy_from_bytes(asy_vm *vm, const void *data, size_t len) {
  asy_bytes *b = asy_bytes_new(vm, len ? data : NULL, len);
  return b ? asy_from_obj(b) : ASY_FAILED;
}

asy_value asy_octets_new(asy_vm *vm, asy_value like, const void *data, size_t len) {
  if (!is_bytearray(like)) return asy_from_bytes(vm, data, len);
  asy_bytearray *b = asy_bytearray_new(vm, data, len);
  return b ? asy_from_obj(b) : ASY_FAILED;
}

bool asy_to_byte(asy_vm *vm, asy_value v, uint8_t *out) {
  int64_t i;
  asy_value index = asy_is_int(v) ? v : asy_index(vm, v);
  if (asy_failed(index)) return false;
  if (!asy_is_number_int64(index, &i) || i < 0 || i > 255) {
    asy_raise(vm, ASY_ValueError, "byte must be in range(0, 256)");
    return false;
  }
  *out = (uint8_t)i;
  return true;
}

/* ---- The buffer view -------------------------------------------------------------------------------------------------- */

static bool exports_buffer(const asy_obj *o) { return o->kind >= KIND_COUNT && o->flags & ASY_EXPORTS_BUFFER; }

bool asy_is_bytes_like(asy_value v) {
  if (!asy_is_obj(v)) return false;
  const asy_obj *o = asy_obj_of(v);
  return o->kind == KIND_BYTES || o->kind == KIND_BYTEARRAY || o->kind == KIND_MEMORYVIEW || exports_buffer(o);
}

asy_value asy_script_buffer(asy_vm *vm, asy_value v) {
  asy_str *name = asy_intern(vm, "__buffer__");
  asy_value flags = asy_from_small(0x11c); /* PyBUF_FULL_RO */
  if (!name || !asy_is_obj(v) || asy_is_bytes_like(v)) return name ? ASY_UNBOUND : ASY_FAILED;
  asy_value view = asy_call_special(vm, v, name, 1, &flags);
  if (view == ASY_UNBOUND || asy_failed(view) || asy_is_kind(view, KIND_MEMORYVIEW)) return view;
  return asy_raise(vm, ASY_TypeError, "__buffer__ returned non-memoryview object");
}

bool asy_buffer_get(asy_vm *vm, asy_value v, asy_buffer *out) {
  *out = (asy_buffer){.owner = v};
  if (asy_is_kind(v, KIND_BYTES)) {
    out->data = bytes_of(v)->data;
    out->len = bytes_of(v)->len;
    return true;
  }
  if (is_bytearray(v)) {
    asy_bytearray *b = bytearray_of(v);
    b->exports++;
    out->data = asy_bytearray_data(b);
    out->len = b->len;
    out->writable = true;
    return true;
  }
  if (asy_is_kind(v, KIND_MEMORYVIEW)) {
    asy_memoryview *view = (asy_memoryview *)asy_obj_of(v);
    if (!view->owner) {
      asy_raise(vm, ASY_ValueError, "operation forbidden on released memoryview object");
      return false;
    }
    if (view->stride != view->itemsize && view->len > 1) {
      asy_raise(vm, ASY_BufferError, "memoryview: underlying buffer is not C-contiguous");
      return false;
    }
    view->exports++;
    out->data = view->data;
    out->len = (size_t)view->len * view->itemsize;
    out->writable = !view->readonly;
    return true;
  }
  if (asy_is_obj(v) && exports_buffer(asy_obj_of(v)))
    return ASY_SPECIAL(asy_class_of(vm, v)->type, get_buffer)(vm, v, out);
  asy_value view = asy_script_buffer(vm, v);
  if (view != ASY_UNBOUND) return !asy_failed(view) && asy_buffer_get(vm, view, out);
  asy_raise(vm, ASY_TypeError, "a bytes-like object is required, not '%T'", v);
  return false;
}

bool asy_buffer_get_writable(asy_vm *vm, asy_value v, asy_buffer *out) {
  if (asy_is_bytes_like(v)) {
    if (!asy_buffer_get(vm, v, out)) return false;
    if (out->writable) return true;
    asy_buffer_release(vm, out);
  }
  asy_raise(vm, ASY_TypeError, "a read-write bytes-like object is required, not '%T'", v);
  return false;
}

void asy_buffer_release(asy_vm *vm, asy_buffer *buffer) {
  asy_value owner = buffer->owner;
  if (!owner) return;
  if (is_bytearray(owner)) bytearray_of(owner)->exports--;
  else if (asy_is_kind(owner, KIND_MEMORYVIEW)) ((asy_memoryview *)asy_obj_of(owner))->exports--;
  else if (exports_buffer(asy_obj_of(owner))) ASY_SPECIAL(asy_class_of(vm, owner)->type, release_buffer)(owner);
  buffer->owner = 0;
}

/* ---- Operators both types share ----------------------------------------------------------------------------------------- */

asy_value asy_octets_get_item(asy_vm *vm, asy_value self, asy_value key) {
  bool array = is_bytearray(self);
  int64_t at, stop, step, count;
  size_t len;
  if (asy_is_kind(key, KIND_SLICE)) {
    if (!asy_slice_unpack(vm, key, &at, &stop, &step)) return ASY_FAILED;
    const uint8_t *data = octets(self, &len);
    count = asy_slice_adjust((int64_t)len, &at, &stop, step);
    if (count < 0) count = 0;
    if (step == 1) {
      if (!array && (size_t)count == len && asy_is_exact(self, KIND_BYTES)) return self;
      return asy_octets_new(vm, self, data + (count ? at : 0), (size_t)count);
    }
    asy_value result = asy_octets_new(vm, self, NULL, (size_t)count);
    if (asy_failed(result)) return result;
    uint8_t *to = (uint8_t *)(uintptr_t)octets(result, &len);
    data = octets(self, &len);
    for (int64_t i = 0; i < count; i++) to[i] = data[at + i * step];
    return result;
  }
  if (!asy_is_integer(key) && !asy_defers_to(vm, key, ASY_NAME(vm, __index__))) {
    return asy_raise(vm, ASY_TypeError,
                     array ? "bytearray indices must be integers or slices, not %T"
                           : "byte indices must be integers or slices, not %T",
                     key);
  }
  asy_value index = asy_index(vm, key);
  if (asy_failed(index)) return ASY_FAILED;
  const uint8_t *data = octets(self, &len);
  if (!asy_item_index(vm, index, (int64_t)len, array ? "bytearray index out of range" : "index out of range", &at))
    return ASY_FAILED;
  return asy_from_small(data[at]);
}

asy_value asy_octets_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  asy_buffer a, b;
  if (!asy_is_bytes_like(other)) return ASY_NOT_IMPLEMENTED;
  if (asy_is_kind(other, KIND_MEMORYVIEW) && op != COMPARE_EQ && op != COMPARE_NE) return ASY_NOT_IMPLEMENTED;
  if (!asy_buffer_get(vm, self, &a)) return ASY_FAILED;
  if (!asy_buffer_get(vm, other, &b)) {
    asy_buffer_release(vm, &a);
    return ASY_FAILED;
  }
  int order;
  if ((op == COMPARE_EQ || op == COMPARE_NE) && a.len != b.len) {
    order = 1;
  } else {
    order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    if (order == 0) order = a.len < b.len ? -1 : a.len > b.len;
  }
  asy_buffer_release(vm, &a);
  asy_buffer_release(vm, &b);
  switch (op) {
    case COMPARE_EQ: return asy_from_bool(order == 0);
    case COMPARE_NE: return asy_from_bool(order != 0);
    case COMPARE_LT: return asy_from_bool(order < 0);
    case COMPARE_LE: return asy_from_bool(order <= 0);
    case COMPARE_GT: return asy_from_bool(order > 0);
    default: return asy_from_bool(order >= 0);
  }
}

asy_value asy_octets_add(asy_vm *vm, asy_value left, asy_value right) {
  if (!asy_is_kind(left, KIND_BYTES) && !is_bytearray(left)) return ASY_NOT_IMPLEMENTED;
  if (!asy_is_bytes_like(right)) {
    if (asy_defers_to(vm, right, ASY_NAME(vm, __radd__))) return ASY_NOT_IMPLEMENTED;
    return asy_raise(vm, ASY_TypeError, "can't concat %T to %T", right, left);
  }
  asy_buffer a, b;
  if (!asy_buffer_get(vm, left, &a)) return ASY_FAILED;
  if (!asy_buffer_get(vm, right, &b)) {
    asy_buffer_release(vm, &a);
    return ASY_FAILED;
  }
  asy_value result;
  if (b.len == 0 && asy_is_exact(left, KIND_BYTES)) result = left;
  else if (a.len == 0 && asy_is_exact(left, KIND_BYTES) && asy_is_exact(right, KIND_BYTES)) result = right;
  else if (!asy_failed(result = asy_octets_new(vm, left, NULL, a.len + b.len))) {
    size_t len;
    uint8_t *to = (uint8_t *)(uintptr_t)octets(result, &len);
    memcpy(to, a.data, a.len);
    memcpy(to + a.len, b.data, b.len);
  }
  asy_buffer_release(vm, &a);
  asy_buffer_release(vm, &b);
  return result;
}

asy_value asy_octets_mul(asy_vm *vm, asy_value left, asy_value right) {
  if (!asy_is_kind(left, KIND_BYTES) && !is_bytearray(left)) {
    asy_value swap = left;
    left = right;
    right = swap;
  }
  if (!asy_is_kind(left, KIND_BYTES) && !is_bytearray(left)) return ASY_NOT_IMPLEMENTED;
  int64_t count;
  if (!asy_is_integer(right) && !asy_defers_to(vm, right, ASY_NAME(vm, __index__))) {
    if (asy_defers_to(vm, right, ASY_NAME(vm, __rmul__))) return ASY_NOT_IMPLEMENTED;
    return asy_raise(vm, ASY_TypeError, "can't multiply sequence by non-int of type '%T'", right);
  }
  if (!asy_to_size(vm, right, &count)) return ASY_FAILED;
  size_t len;
  octets(left, &len);
  if (count < 0) count = 0;
  if (count == 1 && asy_is_exact(left, KIND_BYTES)) return left;
  if (len && count > (INT32_MAX - 64) / (int64_t)len) return asy_raise_no_memory(vm);
  size_t total = len * (size_t)count;
  asy_value result = asy_octets_new(vm, left, NULL, total);
  if (asy_failed(result) || total == 0) return result;
  const uint8_t *data = octets(left, &len);
  uint8_t *to = (uint8_t *)(uintptr_t)octets(result, &total);
  for (size_t done = 0; done < total;) {
    size_t n = done == 0 ? len : done < total - done ? done : total - done;
    memcpy(to + done, done == 0 ? data : to, n);
    done += n;
  }
  return result;
}

asy_value asy_octets_mod(asy_vm *vm, asy_value left, asy_value right) {
  if (!asy_is_kind(left, KIND_BYTES) && !is_bytearray(left)) return ASY_NOT_IMPLEMENTED;
  return asy_bytes_percent(vm, left, right);
}

int asy_octets_contains(asy_vm *vm, asy_value self, asy_value item) {
  size_t len;
  if (asy_is_integer(item) || (!asy_is_bytes_like(item) && asy_defers_to(vm, item, ASY_NAME(vm, __index__)))) {
    uint8_t c;
    if (!asy_to_byte(vm, item, &c)) return -1;
    const uint8_t *data = octets(self, &len);
    return len && memchr(data, c, len) != NULL;
  }
  asy_buffer needle;
  if (!asy_buffer_get(vm, item, &needle)) return -1;
  const uint8_t *data = octets(self, &len);
  int found = asy_find_points(data, len, needle.data, needle.len, 1) >= 0;
  asy_buffer_release(vm, &needle);
  return found;
}

void asy_text_octets(asy_text *t, const uint8_t *data, size_t len, bool escape_single) {
  static const char digits[] = "0123456789abcdef";
  uint8_t quote = len && memchr(data, '\'', len) && !memchr(data, '"', len) ? '"' : '\'';
  asy_text_char(t, 'b');
  asy_text_char(t, quote);
  for (size_t i = 0; i < len; i++) {
    uint8_t c = data[i];
    if (c == quote || c == '\\' || (escape_single && c == '\'')) {
      asy_text_char(t, '\\');
      asy_text_char(t, c);
    } else if (c == '\t' || c == '\n' || c == '\r') {
      asy_text_ascii(t, c == '\t' ? "\\t" : c == '\n' ? "\\n" : "\\r");
    } else if (c < 32 || c >= 127) {
      char out[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
      asy_text_ascii_n(t, out, 4);
    } else {
      asy_text_char(t, c);
    }
  }
  asy_text_char(t, quote);
}

asy_value asy_octets_str(asy_vm *vm, asy_value self) { return asy_repr(vm, self); }

/* ---- bytes ---------------------------------------------------------------------------------------------------------------- */

static asy_value bytes_repr(asy_vm *vm, asy_value self) {
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_octets(&t, bytes_of(self)->data, bytes_of(self)->len, false);
  asy_str *s = asy_text_finish(&t);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static bool bytes_hash(asy_vm *vm, asy_value self, int64_t *out) {
  asy_bytes *b = bytes_of(self);
  if (b->hash == 0) b->hash = asy_hash_memory(vm, b->data, b->len);
  *out = b->hash;
  return true;
}

static int64_t bytes_length(asy_vm *vm, asy_value self) {
  (void)vm;
  return bytes_of(self)->len;
}

/* An instance of a subclass with the data of b. */
static asy_value of_class(asy_vm *vm, asy_class *cls, asy_value exact) {
  if (asy_failed(exact) || cls == vm->classes[KIND_BYTES]) return exact;
  asy_bytes *b = bytes_of(exact);
  asy_bytes *copy = asy_new_variable(vm, cls, asy_bytes_inline_size(b->len));
  if (!copy) return ASY_FAILED;
  copy->len = b->len;
  memcpy(copy->data, b->data, b->len);
  return asy_from_obj(copy);
}

static asy_value bytes_exact(asy_vm *vm, asy_value v) {
  return asy_is_exact(v, KIND_BYTES) ? v : asy_from_bytes(vm, bytes_of(v)->data, bytes_of(v)->len);
}

static asy_value bytes_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  asy_value source = args[1], result;
  if (source != ASY_UNBOUND && args[2] == ASY_UNBOUND && args[3] == ASY_UNBOUND && !asy_is_str(source)) {
    if (asy_is_exact(source, KIND_BYTES)) return of_class(vm, cls, source);
    asy_value made = asy_call_special(vm, source, ASY_NAME(vm, __bytes__), 0, NULL);
    if (asy_failed(made)) return made;
    if (made != ASY_UNBOUND) {
      if (!asy_is_kind(made, KIND_BYTES))
        return asy_raise(vm, ASY_TypeError, "__bytes__ returned non-bytes (type %T)", made);
      return cls == vm->classes[KIND_BYTES] ? made : of_class(vm, cls, made);
    }
  }
  asy_bytearray *filled = asy_bytearray_new(vm, NULL, 0);
  if (!filled || !asy_bytearray_fill(vm, filled, "bytes", source, args[2], args[3])) return ASY_FAILED;
  result = asy_from_bytes(vm, asy_bytearray_data(filled), filled->len);
  return of_class(vm, cls, result);
}

static asy_value bytes_getnewargs(asy_vm *vm, const asy_value *args) {
  asy_value exact = bytes_exact(vm, args[0]);
  return asy_failed(exact) ? exact : asy_tuple_of(vm, 1, exact);
}

static asy_value bytes_bytes(asy_vm *vm, const asy_value *args) { return bytes_exact(vm, args[0]); }

static const asy_native bytes_methods[] = {
  ASY_OCTETS_METHODS(ASY_OCTETS_ROW){"fromhex", SIG("(cls, string, /)"), asy_octets_fromhex,
                                     DOC("Create a bytes object from a string of hexadecimal numbers."),
                                     ASY_NATIVE_CLASS},
  {"maketrans", SIG("(frm, to, /)"), asy_octets_maketrans,
   DOC("Return a translation table usable for the translate method."), ASY_NATIVE_STATIC},
  {"__getnewargs__", SIG("(self, /)"), bytes_getnewargs, 0, 0},
  {"__bytes__", SIG("(self, /)"), bytes_bytes, DOC("Convert this value to exact type bytes."), 0},
  {0},
};

const asy_type asy_bytes_type = {
  .name = "bytes",
  .doc =
    "bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\nbytes(bytes_or_buffer) -> immutable "
    "copy "
    "of bytes_or_buffer\nbytes(int) -> bytes object of size given by the parameter initialized with null "
    "bytes\nbytes() -> empty bytes object",
  .size = sizeof(asy_bytes),
  .new_ = bytes_new,
  .new_signature = SIG("(cls, source=?, encoding=?, errors=?)"),
  .repr = bytes_repr,
  .hash = bytes_hash,
  .compare = asy_octets_compare,
  .length = bytes_length,
  .special = &(const asy_special){.get_item = asy_octets_get_item, .contains = asy_octets_contains},
  .iter = asy_octets_iter,
  .operators =
    &(const asy_operators){
      .binary = {[BINARY_ADD] = asy_octets_add, [BINARY_MUL] = asy_octets_mul, [BINARY_MOD] = asy_octets_mod}},
  .methods = bytes_methods,
};

/* ---- The iterator ------------------------------------------------------------------------------------------------------------ */

static void bytes_iter_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((asy_bytes_iter *)o)->octets); }

asy_value asy_octets_iter(asy_vm *vm, asy_value self) {
  asy_bytes_iter *iterator = asy_new_kind(vm, KIND_BYTES_ITER, sizeof(asy_bytes_iter));
  if (!iterator) return ASY_FAILED;
  iterator->octets = self;
  return asy_from_obj(iterator);
}

static asy_value bytes_iter_next(asy_vm *vm, asy_value self) {
  (void)vm;
  asy_bytes_iter *iterator = (asy_bytes_iter *)asy_obj_of(self);
  size_t len;
  if (!iterator->octets) return ASY_END;
  const uint8_t *data = octets(iterator->octets, &len);
  if (iterator->index < len) return asy_from_small(data[iterator->index++]);
  iterator->octets = 0;
  return ASY_END;
}

static asy_value iter_self(asy_vm *vm, asy_value self) {
  (void)vm;
  return self;
}

static asy_value bytes_iter_hint(asy_vm *vm, const asy_value *args) {
  (void)vm;
  asy_bytes_iter *iterator = (asy_bytes_iter *)asy_obj_of(args[0]);
  size_t len = 0;
  if (iterator->octets) octets(iterator->octets, &len);
  return asy_from_small(len > iterator->index ? (int64_t)(len - iterator->index) : 0);
}

static const asy_native bytes_iter_methods[] = {
  {"__length_hint__", SIG("(self, /)"), bytes_iter_hint, DOC("Private method returning an estimate of len(list(it))."),
   0},
  ASY_INDEXED_ITERATOR_ROWS,
  {0},
};

const asy_type asy_bytes_iter_type = {
  .name = "bytes_iterator",
  .size = sizeof(asy_bytes_iter),
  .flags = ASY_TYPE_NO_NEW | ASY_TYPE_FINAL,
  .visit = bytes_iter_visit,
  .iter = iter_self,
  .next = bytes_iter_next,
  .methods = bytes_iter_methods,
};
