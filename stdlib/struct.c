/* struct.c - the module _struct: C values packed into bytes and back.
 *
 * A format is never compiled: `cursor` walks its text, which for the short formats in use costs less than looking a compiled one
 * up. A row of `codes` says what a letter is; how its bytes lie follows from kind and size.
 */
#include <math.h>

#include "runtime/asy.h"

typedef enum { SIGNED, UNSIGNED, REAL, TRUTH, CHARACTER, TEXT, PASCAL, PAD, POINTER } item_kind;

typedef struct {
  item_kind kind;
  uint8_t native, standard; /* bytes; standard 0: only in native mode */
} code_row;

static const code_row codes[128] = {
  ['x'] = {PAD, 1, 1},      ['c'] = {CHARACTER, 1, 1}, ['b'] = {SIGNED, 1, 1},   ['B'] = {UNSIGNED, 1, 1},
  ['?'] = {TRUTH, 1, 1},    ['h'] = {SIGNED, 2, 2},    ['H'] = {UNSIGNED, 2, 2}, ['i'] = {SIGNED, 4, 4},
  ['I'] = {UNSIGNED, 4, 4}, ['l'] = {SIGNED, 8, 4},    ['L'] = {UNSIGNED, 8, 4}, ['q'] = {SIGNED, 8, 8},
  ['Q'] = {UNSIGNED, 8, 8}, ['n'] = {SIGNED, 8, 0},    ['N'] = {UNSIGNED, 8, 0}, ['e'] = {REAL, 2, 2},
  ['f'] = {REAL, 4, 4},     ['d'] = {REAL, 8, 8},      ['s'] = {TEXT, 1, 1},     ['p'] = {PASCAL, 1, 1},
  ['P'] = {POINTER, 8, 0},
};

typedef struct {
  const char *at; /* in the format's text, NUL-terminated */
  bool big, native;
  size_t offset; /* of the item that comes next */
  /* The item group that next_group has found: */
  item_kind kind;
  char code;
  uint8_t size;
  size_t count; /* repeats; for TEXT and PASCAL the length of the one item */
} cursor;

static asy_value wrong(asy_vm *vm, const char *text) { return asy_raise_own(vm, "_struct", "error", "%s", text); }

static cursor cursor_at(const char *format) {
  cursor c = {.at = format, .native = true};
  switch (*format) {
    case '>':
    case '!': c.big = true; /* fall through */
    case '<':
    case '=': c.native = false; /* fall through */
    case '@': c.at++;
  }
  return c;
}

/* The next group: 1, 0 at the end, -1 raised. c->offset is where its first item lies. */
static int next_group(asy_vm *vm, cursor *c) {
  const char *p = c->at;
  while (*p == ' ' || (*p >= '\t' && *p <= '\r')) p++;
  if (!*p) return 0;
  size_t count = 1;
  if (*p >= '0' && *p <= '9') {
    for (count = 0; *p >= '0' && *p <= '9'; p++)
      if (__builtin_mul_overflow(count, 10, &count) || __builtin_add_overflow(count, (size_t)(*p - '0'), &count) ||
          count > INT64_MAX)
        return wrong(vm, "total struct size too long"), -1;
    if (!*p) return wrong(vm, "repeat count given without format specifier"), -1;
  }
  const code_row *row = (unsigned char)*p < 128 ? &codes[(unsigned char)*p] : &codes[0];
  c->code = *p;
  c->kind = row->kind;
  c->size = c->native ? row->native : row->standard;
  c->count = count;
  c->at = p + 1;
  if (!c->size) return wrong(vm, "bad char in struct format"), -1;
  if (c->native) c->offset = (c->offset + c->size - 1) & ~(size_t)(c->size - 1);
  return 1;
}

static bool advance(asy_vm *vm, cursor *c) {
  size_t bytes;
  if (!__builtin_mul_overflow(c->count, (size_t)c->size, &bytes) &&
      !__builtin_add_overflow(c->offset, bytes, &c->offset) && c->offset <= INT64_MAX - 16)
    return true;
  wrong(vm, "total struct size too long");
  return false;
}

/* Bytes and values of a format; checks it whole. */
static bool measure(asy_vm *vm, const char *format, size_t *size, size_t *values) {
  cursor c = cursor_at(format);
  *values = 0;
  int more;
  while ((more = next_group(vm, &c)) > 0) {
    if (c.kind == TEXT || c.kind == PASCAL) *values += 1;
    else if (c.kind != PAD) *values += c.count;
    if (!advance(vm, &c)) return false;
  }
  *size = c.offset;
  return more == 0;
}

/* ---- Numbers ---- */

static void put_bits(uint8_t *to, uint64_t bits, unsigned size, bool big) {
  if (big) bits = __builtin_bswap64(bits << (64 - 8 * size));
  memcpy(to, &bits, size);
}

static uint64_t get_bits(const uint8_t *from, unsigned size, bool big) {
  uint64_t bits = 0;
  memcpy(&bits, from, size);
  return big ? __builtin_bswap64(bits) >> (64 - 8 * size) : bits;
}

/* d as a binary16, rounded to even. False: too large. */
static bool half_from_double(double d, uint16_t *out) {
  uint64_t bits;
  memcpy(&bits, &d, 8);
  uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
  double a = fabs(d);
  if (isnan(d)) {
    uint64_t payload = bits >> 42 & 0x3ff;
    *out = (uint16_t)(sign | 0x7c00 | (payload ? payload : 0x200));
  } else if (isinf(d)) {
    *out = sign | 0x7c00;
  } else if (a < 0x1p-14) { /* subnormal: the multiples of 2^-24 */
    *out = (uint16_t)(sign | (uint16_t)nearbyint(a * 0x1p24));
  } else {
    int e;
    double m = frexp(a, &e);             /* m in [0.5, 1) */
    double scaled = nearbyint(m * 2048); /* eleven bits */
    uint32_t all = (uint32_t)(e + 13) * 1024 + ((uint32_t)scaled);
    if (e > 16 || all >= 0x7c00) return false;
    *out = (uint16_t)(sign | all);
  }
  return true;
}

static double half_to_double(uint16_t h) {
  int e = h >> 10 & 31, m = h & 1023;
  double d = e == 31 ? (m ? NAN : INFINITY) : e ? ldexp(1024 + m, e - 25) : ldexp(m, -24);
  return h & 0x8000 ? -d : d;
}

static bool too_large(asy_vm *vm, asy_value v, char letter) {
  if (asy_is_integer(v)) wrong(vm, "int too large to convert");
  else asy_raise(vm, ASY_OverflowError, "float too large to pack with %c format", (uint32_t)letter);
  return false;
}

static bool put_real(asy_vm *vm, uint8_t *to, const cursor *c, asy_value v) {
  double d;
  if (!asy_to_double(vm, v, &d)) {
    asy_clear_exception(vm);
    return wrong(vm, "required argument is not a float"), false;
  }
  uint64_t bits = 0;
  if (c->size == 8) {
    memcpy(&bits, &d, 8);
  } else if (c->size == 4) {
    float f = (float)d;
    if (isinf(f) && !isinf(d) && !c->native) return too_large(vm, v, 'f');
    memcpy(&bits, &f, 4);
  } else {
    uint16_t half;
    if (!half_from_double(d, &half)) return too_large(vm, v, 'e');
    bits = half;
  }
  put_bits(to, bits, c->size, c->big);
  return true;
}

static asy_value get_real(asy_vm *vm, const uint8_t *from, const cursor *c) {
  uint64_t bits = get_bits(from, c->size, c->big);
  double d;
  float f;
  if (c->size == 8) {
    memcpy(&d, &bits, 8);
  } else if (c->size == 4) {
    memcpy(&f, &bits, 4);
    d = (double)f;
  } else {
    d = half_to_double((uint16_t)bits);
  }
  return asy_from_double(vm, d);
}

static bool out_of_range(asy_vm *vm, const cursor *c) {
  unsigned bits = c->size * 8u;
  if (c->kind == SIGNED) {
    int64_t high = (int64_t)((uint64_t)-1 >> (65 - bits));
    asy_raise_own(vm, "_struct", "error", "'%c' format requires %lld <= number <= %lld", (uint32_t)c->code,
                  (long long)(-high - 1), (long long)high);
  } else {
    asy_value high = asy_from_uint64(vm, (uint64_t)-1 >> (64 - bits));
    asy_raise_own(vm, "_struct", "error", "'%c' format requires 0 <= number <= %R", (uint32_t)c->code, high);
  }
  return false;
}

static bool put_integer(asy_vm *vm, uint8_t *to, const cursor *c, asy_value v) {
  if (!asy_is_integer(v)) {
    asy_value index = asy_index(vm, v);
    if (asy_failed(index)) {
      if (!asy_raised_is(vm, ASY_TypeError)) return false;
      asy_clear_exception(vm);
      return wrong(vm, "required argument is not an integer"), false;
    }
    v = index;
  }
  uint64_t bits;
  int64_t i;
  unsigned width = c->size * 8u;
  if (c->kind == SIGNED) {
    if (!asy_is_number_int64(v, &i)) return out_of_range(vm, c);
    int64_t high = (int64_t)((uint64_t)-1 >> (65 - width));
    if (i > high || i < -high - 1) return out_of_range(vm, c);
    bits = (uint64_t)i;
  } else if (!asy_int_to_uint64(v, &bits) || (width < 64 && bits >> width)) {
    if (c->kind != POINTER) return out_of_range(vm, c);
    if (!asy_is_number_int64(v, &i)) return wrong(vm, "int too large to convert"), false;
    bits = (uint64_t)i;
  }
  put_bits(to, bits, c->size, c->big);
  return true;
}

static asy_value get_integer(asy_vm *vm, const uint8_t *from, const cursor *c) {
  uint64_t bits = get_bits(from, c->size, c->big);
  if (c->kind != SIGNED) return c->size < 8 ? asy_from_small((int64_t)bits) : asy_from_uint64(vm, bits);
  unsigned shift = 64 - c->size * 8u;
  int64_t i = (int64_t)(bits << shift) >> shift;
  return c->size < 8 ? asy_from_small(i) : asy_from_int64(vm, i);
}

/* ---- Packing: `to` is zeroed and has room for the whole format ---- */

static bool put_text(asy_vm *vm, uint8_t *to, const cursor *c, asy_value v) {
  asy_buffer b;
  if (!asy_is_kind(v, KIND_BYTES) && !asy_is_kind(v, KIND_BYTEARRAY))
    return asy_raise_own(vm, "_struct", "error", "argument for '%c' must be a bytes object", (uint32_t)c->code), false;
  if (!asy_buffer_get(vm, v, &b)) return false;
  size_t n = b.len, room = c->count;
  if (c->kind == PASCAL && room) {
    n = n < room ? n : room - 1;
    *to++ = (uint8_t)(n < 255 ? n : 255);
  }
  memcpy(to, b.data, n < room ? n : room);
  asy_buffer_release(vm, &b);
  return true;
}

static bool put_one(asy_vm *vm, uint8_t *to, const cursor *c, asy_value v) {
  switch (c->kind) {
    case REAL: return put_real(vm, to, c, v);
    case TRUTH: {
      int truth = asy_truth(vm, v);
      *to = truth > 0;
      return truth >= 0;
    }
    case CHARACTER:
      if (!asy_is_kind(v, KIND_BYTES) || ((asy_bytes *)asy_obj_of(v))->len != 1)
        return wrong(vm, "char format requires a bytes object of length 1"), false;
      *to = ((asy_bytes *)asy_obj_of(v))->data[0];
      return true;
    default: return put_integer(vm, to, c, v);
  }
}

static bool pack(asy_vm *vm, const char *format, uint8_t *to, const asy_value *values) {
  cursor c = cursor_at(format);
  int more;
  while ((more = next_group(vm, &c)) > 0) {
    if (c.kind == TEXT || c.kind == PASCAL) {
      if (!put_text(vm, to + c.offset, &c, *values++)) return false;
    } else if (c.kind != PAD) {
      for (size_t i = 0; i < c.count; i++)
        if (!put_one(vm, to + c.offset + i * c.size, &c, *values++)) return false;
    }
    if (!advance(vm, &c)) return false;
  }
  return more == 0;
}

/* ---- Unpacking ---- */

static asy_value get_text(asy_vm *vm, const uint8_t *from, const cursor *c) {
  if (c->kind == TEXT) return asy_from_bytes(vm, from, c->count);
  size_t n = c->count ? *from : 0;
  if (n >= c->count) n = c->count ? c->count - 1 : 0;
  return asy_from_bytes(vm, from + 1, n);
}

static asy_value get_one(asy_vm *vm, const uint8_t *from, const cursor *c) {
  switch (c->kind) {
    case REAL: return get_real(vm, from, c);
    case TRUTH: return asy_from_bool(*from != 0);
    case CHARACTER: return asy_from_bytes(vm, from, 1);
    default: return get_integer(vm, from, c);
  }
}

static asy_value unpack(asy_vm *vm, const char *format, size_t values, const uint8_t *from) {
  if (values > INT32_MAX) return asy_raise_no_memory(vm);
  asy_tuple *result = asy_tuple_new(vm, NULL, (uint32_t)values);
  if (!result) return ASY_FAILED;
  cursor c = cursor_at(format);
  size_t n = 0;
  while (next_group(vm, &c) > 0) {
    bool text = c.kind == TEXT || c.kind == PASCAL;
    for (size_t i = 0; i < (text ? 1 : c.kind == PAD ? 0 : c.count); i++) {
      asy_value v = text ? get_text(vm, from + c.offset, &c) : get_one(vm, from + c.offset + i * c.size, &c);
      if (asy_failed(v)) return ASY_FAILED;
      asy_store(vm, result, &result->items[n++], v);
    }
    if (!advance(vm, &c)) return ASY_FAILED;
  }
  return asy_from_obj(result);
}

/* ---- What Struct objects and module functions share ---- */

typedef struct {
  const char *text;
  size_t size, values;
} layout;

/* The text of a format given as str or bytes. */
static bool format_text(asy_vm *vm, asy_value format, const char **out) {
  if (asy_is_str(format)) {
    asy_str *s = (asy_str *)asy_obj_of(format);
    if (s->head.flags & STR_ASCII && memchr(asy_str_data(s), 0, s->len))
      return wrong(vm, "embedded null character"), false;
    if (s->head.flags & STR_ASCII) return asy_to_cstr(vm, format, out);
    asy_call_method(vm, format, asy_intern(vm, "encode"), 1, (asy_value[]){asy_from_cstr(vm, "ascii")});
    return false;
  }
  if (!asy_is_kind(format, KIND_BYTES))
    return asy_raise(vm, ASY_TypeError, "Struct() argument 1 must be a str or bytes object, not %T", format), false;
  *out = (const char *)((asy_bytes *)asy_obj_of(format))->data;
  if (strlen(*out) == ((asy_bytes *)asy_obj_of(format))->len) return true;
  return wrong(vm, "embedded null character"), false;
}

static bool layout_of(asy_vm *vm, asy_value format, layout *out) {
  return format_text(vm, format, &out->text) && measure(vm, out->text, &out->size, &out->values);
}

static bool right_count(asy_vm *vm, const layout *l, size_t given, const char *what) {
  if (given == l->values) return true;
  asy_raise_own(vm, "_struct", "error", "%s expected %zu items for packing (got %zu)", what, l->values, given);
  return false;
}

static asy_value do_pack(asy_vm *vm, const layout *l, const asy_value *values, size_t given) {
  if (!right_count(vm, l, given, "pack")) return ASY_FAILED;
  asy_bytes *out = asy_bytes_new(vm, NULL, l->size);
  return out && pack(vm, l->text, out->data, values) ? asy_from_obj(out) : ASY_FAILED;
}

/* Where `size` bytes begin in a buffer of `length`; `needs` is "pack_into" or "unpack_from". False: raised. */
static bool place(asy_vm *vm, int64_t *offset, size_t length, size_t size, bool packing) {
  const char *verb = packing ? "pack" : "unpack";
  if (*offset < 0) {
    if (*offset + (int64_t)size > 0) {
      if (packing)
        asy_raise_own(vm, "_struct", "error", "no space to pack %zu bytes at offset %lld", size, (long long)*offset);
      else
        asy_raise_own(vm, "_struct", "error", "not enough data to unpack %zu bytes at offset %lld", size,
                      (long long)*offset);
      return false;
    }
    if (*offset + (int64_t)length < 0) {
      asy_raise_own(vm, "_struct", "error", "offset %lld out of range for %zu-byte buffer", (long long)*offset, length);
      return false;
    }
    *offset += (int64_t)length;
  }
  if ((uint64_t)*offset <= length && length - (size_t)*offset >= size) return true;
  asy_raise_own(
    vm, "_struct", "error",
    "%s requires a buffer of at least %llu bytes for %sing %zu bytes at offset %lld (actual buffer size is %zu)",
    packing ? "pack_into" : "unpack_from", (unsigned long long)size + (unsigned long long)*offset, verb, size,
    (long long)*offset, length);
  return false;
}

static bool to_offset(asy_vm *vm, asy_value v, bool packing, int64_t *out) {
  if (asy_to_int64(vm, v, out)) return true;
  if (packing && asy_raised_is(vm, ASY_OverflowError)) {
    asy_clear_exception(vm);
    asy_raise(vm, ASY_IndexError, "cannot fit 'int' into an index-sized integer");
  }
  return false;
}

/* rest: buffer, offset, values */
static asy_value do_pack_into(asy_vm *vm, const layout *l, const asy_tuple *rest) {
  if (rest->len < 1) return wrong(vm, "pack_into expected buffer argument");
  if (rest->len < 2) return wrong(vm, "pack_into expected offset argument");
  if (!right_count(vm, l, rest->len - 2, "pack_into")) return ASY_FAILED;
  int64_t offset;
  asy_buffer b;
  if (!to_offset(vm, rest->items[1], true, &offset)) return ASY_FAILED;
  if (!asy_buffer_get_writable(vm, rest->items[0], &b)) {
    asy_clear_exception(vm);
    return asy_raise(vm, ASY_TypeError, "argument must be read-write bytes-like object, not %T", rest->items[0]);
  }
  bool good = place(vm, &offset, b.len, l->size, true);
  if (good) {
    memset(b.data + offset, 0, l->size);
    good = pack(vm, l->text, b.data + offset, rest->items + 2);
  }
  asy_buffer_release(vm, &b);
  return good ? ASY_NONE : ASY_FAILED;
}

static asy_value do_unpack(asy_vm *vm, const layout *l, asy_value data) {
  asy_buffer b;
  if (!asy_buffer_get(vm, data, &b)) return ASY_FAILED;
  asy_value result = b.len == l->size
                       ? unpack(vm, l->text, l->values, b.data)
                       : asy_raise_own(vm, "_struct", "error", "unpack requires a buffer of %zu bytes", l->size);
  asy_buffer_release(vm, &b);
  return result;
}

static asy_value do_unpack_from(asy_vm *vm, const layout *l, asy_value data, asy_value at) {
  int64_t offset;
  asy_buffer b;
  if (!to_offset(vm, at, false, &offset) || !asy_buffer_get(vm, data, &b)) return ASY_FAILED;
  asy_value result = place(vm, &offset, b.len, l->size, false) ? unpack(vm, l->text, l->values, b.data + offset)
                                                               : ASY_FAILED;
  asy_buffer_release(vm, &b);
  return result;
}

/* ---- Struct ---- */

typedef struct {
  asy_obj head;
  asy_value format; /* a str of ASCII */
  uint64_t size, values;
} struct_object;

typedef struct {
  asy_obj head;
  asy_value format, data;
  uint64_t size, values, at;
} unpacker;

extern const asy_type asy_struct_type, asy_unpack_iterator_type;

static void struct_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((struct_object *)o)->format); }

static layout layout_from(asy_vm *vm, asy_value format, size_t size, size_t values) {
  layout l = {.size = size, .values = values};
  if (!asy_to_cstr(vm, format, &l.text)) l.text = "";
  return l;
}

static layout self_layout(asy_vm *vm, asy_value self) {
  const struct_object *s = (struct_object *)asy_obj_of(self);
  return layout_from(vm, s->format, s->size, s->values);
}

static asy_value struct_new(asy_vm *vm, const asy_value *args) {
  layout l;
  if (!layout_of(vm, args[1], &l)) return ASY_FAILED;
  asy_value text = asy_from_cstr(vm, l.text);
  struct_object *s = asy_failed(text) ? NULL : asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!s) return ASY_FAILED;
  s->format = text;
  s->size = l.size;
  s->values = l.values;
  asy_barrier(vm, s);
  return asy_from_obj(s);
}

static asy_value struct_repr(asy_vm *vm, asy_value self) {
  asy_str *text = asy_str_format(vm, "%N(%R)", asy_type_of(vm, self), ((struct_object *)asy_obj_of(self))->format);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value struct_pack(asy_vm *vm, const asy_value *args) {
  layout l = self_layout(vm, args[0]);
  const asy_tuple *values = (asy_tuple *)asy_obj_of(args[1]);
  return do_pack(vm, &l, values->items, values->len);
}
static asy_value struct_pack_into(asy_vm *vm, const asy_value *args) {
  layout l = self_layout(vm, args[0]);
  return do_pack_into(vm, &l, (asy_tuple *)asy_obj_of(args[1]));
}
static asy_value struct_unpack(asy_vm *vm, const asy_value *args) {
  layout l = self_layout(vm, args[0]);
  return do_unpack(vm, &l, args[1]);
}
static asy_value struct_unpack_from(asy_vm *vm, const asy_value *args) {
  layout l = self_layout(vm, args[0]);
  return do_unpack_from(vm, &l, args[1], args[2]);
}

static asy_value start_unpacking(asy_vm *vm, asy_value format, const layout *l, asy_value data) {
  asy_buffer b;
  if (!l->size) return wrong(vm, "cannot iteratively unpack with a struct of length 0");
  if (!asy_buffer_get(vm, data, &b)) return ASY_FAILED;
  size_t left = b.len % l->size;
  asy_buffer_release(vm, &b);
  if (left)
    return asy_raise_own(vm, "_struct", "error", "iterative unpacking requires a buffer of a multiple of %zu bytes",
                         l->size);
  unpacker *u = asy_new_object(vm, &asy_unpack_iterator_type);
  if (!u) return ASY_FAILED;
  u->format = format;
  u->data = data;
  u->size = l->size;
  u->values = l->values;
  return asy_from_obj(u);
}

static asy_value struct_iter_unpack(asy_vm *vm, const asy_value *args) {
  layout l = self_layout(vm, args[0]);
  return start_unpacking(vm, ((struct_object *)asy_obj_of(args[0]))->format, &l, args[1]);
}

static asy_value struct_sizeof(asy_vm *vm, const asy_value *args) {
  (void)vm, (void)args;
  return asy_from_small((int64_t)sizeof(struct_object));
}

static const asy_native struct_methods[] = {
  {"__sizeof__", SIG("(self, /)"), struct_sizeof, DOC("S.__sizeof__() -> size of S in memory, in bytes"), 0},
  {"iter_unpack", SIG("(self, buffer, /)"), struct_iter_unpack, DOC("Return an iterator yielding tuples."), 0},
  {"pack", SIG("(self, /, *v)"), struct_pack,
   DOC("Return a bytes object containing the values packed according to the format."), 0},
  {"pack_into", SIG("(self, /, *v)"), struct_pack_into, DOC("Pack the values into a writable buffer, from offset on."),
   0},
  {"unpack", SIG("(self, buffer, /)"), struct_unpack, DOC("Return a tuple containing unpacked values."), 0},
  {"unpack_from", SIG("(self, /, buffer, offset=0)"), struct_unpack_from,
   DOC("Return a tuple of values, read from offset on."), 0},
  {0},
};

static const asy_member struct_members[] = {
  {"format", offsetof(struct_object, format), MEMBER_VALUE, false},
  {"size", offsetof(struct_object, size), MEMBER_INT64, false},
  {0},
};

const asy_type asy_struct_type = {
  .name = "_struct.Struct",
  .doc = "Struct(fmt) --> compiled struct object",
  .size = sizeof(struct_object),
  .visit = struct_visit,
  .new_ = struct_new,
  .new_signature = SIG("(cls, format)"),
  .repr = struct_repr,
  .methods = struct_methods,
  .members = struct_members,
};

/* ---- The iterator ---- */

static void unpacker_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_value(v, ((unpacker *)o)->format);
  asy_visit_value(v, ((unpacker *)o)->data);
}

static asy_value unpacker_iter(asy_vm *vm, asy_value self) {
  (void)vm;
  return self;
}

static asy_value unpacker_next(asy_vm *vm, asy_value self) {
  unpacker *u = (unpacker *)asy_obj_of(self);
  asy_buffer b;
  const char *format;
  if (!asy_to_cstr(vm, u->format, &format) || !asy_buffer_get(vm, u->data, &b)) return ASY_FAILED;
  asy_value result = ASY_END;
  if (u->at + u->size <= b.len) result = unpack(vm, format, u->values, b.data + u->at);
  u->at += u->size;
  asy_buffer_release(vm, &b);
  return result;
}

static asy_value unpacker_length(asy_vm *vm, const asy_value *args) {
  unpacker *u = (unpacker *)asy_obj_of(args[0]);
  asy_buffer b;
  if (!asy_buffer_get(vm, u->data, &b)) return ASY_FAILED;
  size_t length = b.len;
  asy_buffer_release(vm, &b);
  return asy_from_small(u->at < length ? (int64_t)((length - u->at) / u->size) : 0);
}

static const asy_native unpacker_methods[] = {
  {"__length_hint__", SIG("(self, /)"), unpacker_length, 0, 0},
  {0},
};

const asy_type asy_unpack_iterator_type = {
  .name = "_struct.unpack_iterator",
  .size = sizeof(unpacker),
  .flags = ASY_TYPE_NO_NEW,
  .visit = unpacker_visit,
  .iter = unpacker_iter,
  .next = unpacker_next,
  .methods = unpacker_methods,
};

/* ---- The module ---- */

static asy_value mod_calcsize(asy_vm *vm, const asy_value *args) {
  layout l;
  return layout_of(vm, args[0], &l) ? asy_from_uint64(vm, l.size) : ASY_FAILED;
}
static asy_value mod_pack(asy_vm *vm, const asy_value *args) {
  const asy_tuple *given = (asy_tuple *)asy_obj_of(args[0]);
  layout l;
  if (!given->len) return asy_raise(vm, ASY_TypeError, "missing format argument");
  return layout_of(vm, given->items[0], &l) ? do_pack(vm, &l, given->items + 1, given->len - 1) : ASY_FAILED;
}
static asy_value mod_pack_into(asy_vm *vm, const asy_value *args) {
  layout l;
  return layout_of(vm, args[0], &l) ? do_pack_into(vm, &l, (asy_tuple *)asy_obj_of(args[1])) : ASY_FAILED;
}
static asy_value mod_unpack(asy_vm *vm, const asy_value *args) {
  layout l;
  return layout_of(vm, args[0], &l) ? do_unpack(vm, &l, args[1]) : ASY_FAILED;
}
static asy_value mod_unpack_from(asy_vm *vm, const asy_value *args) {
  layout l;
  return layout_of(vm, args[0], &l) ? do_unpack_from(vm, &l, args[1], args[2]) : ASY_FAILED;
}
static asy_value mod_iter_unpack(asy_vm *vm, const asy_value *args) {
  layout l;
  if (!layout_of(vm, args[0], &l)) return ASY_FAILED;
  asy_value format = asy_from_cstr(vm, l.text);
  return asy_failed(format) ? ASY_FAILED : start_unpacking(vm, format, &l, args[1]);
}
static asy_value mod_clearcache(asy_vm *vm, const asy_value *args) {
  (void)vm, (void)args;
  return ASY_NONE;
}

static const asy_native struct_natives[] = {
  {"_clearcache", SIG("()"), mod_clearcache, DOC("Clear the internal cache: there is none."), 0},
  {"calcsize", SIG("(format, /)"), mod_calcsize,
   DOC("Return size in bytes of the struct described by the format string."), 0},
  {"iter_unpack", SIG("(format, buffer, /)"), mod_iter_unpack,
   DOC("Return an iterator yielding tuples unpacked from the bytes."), 0},
  {"pack", SIG("(*v)"), mod_pack,
   DOC("Return a bytes object containing the values packed according to the format string."), 0},
  {"pack_into", SIG("(format, /, *v)"), mod_pack_into, DOC("Pack the values into a writable buffer, from offset on."),
   0},
  {"unpack", SIG("(format, buffer, /)"), mod_unpack,
   DOC("Return a tuple containing values unpacked according to the format string."), 0},
  {"unpack_from", SIG("(format, /, buffer, offset=0)"), mod_unpack_from,
   DOC("Return a tuple of values, read from offset on."), 0},
  {0},
};

static bool struct_init(asy_vm *vm, asy_value module) {
  return asy_module_add_type(vm, module, "Struct", &asy_struct_type) &&
         asy_define_exception(vm, module, "struct.error", ASY_Exception);
}

const asy_module_def asy_module_struct = {"_struct", struct_natives,
                                          "Functions to convert between Python values and C structs.", struct_init};
