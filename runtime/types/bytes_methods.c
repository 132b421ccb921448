/* bytes_methods.c - the methods that bytes and bytearray have in common.
 * A bytearray may change while an argument's __index__ runs: arguments are read first, the octets of self last. A result has the
 * type of self; bytes that do not change are returned as they are, bytearrays are always copied.
 */
#include "runtime/types/bytes_internal.h"
#include "runtime/types/codec.h"

#define METHOD(name) asy_value asy_octets_method_##name(asy_vm *vm, const asy_value *args)

static asy_value unchanged(asy_vm *vm, asy_value self) {
  size_t len;
  if (asy_is_exact(self, KIND_BYTES)) return self;
  const uint8_t *data = octets(self, &len);
  return asy_octets_new(vm, self, data, len);
}

/* self[start:end] as a new object. */
static asy_value part(asy_vm *vm, asy_value self, size_t start, size_t end) {
  size_t len;
  const uint8_t *data = octets(self, &len);
  if (start == 0 && end == len) return unchanged(vm, self);
  return asy_octets_new(vm, self, data + start, end - start);
}

/* A new object of len octets for the caller to fill in. */
static uint8_t *make(asy_vm *vm, asy_value self, size_t len, asy_value *result) {
  *result = asy_octets_new(vm, self, NULL, len);
  return asy_failed(*result) ? NULL : (uint8_t *)(uintptr_t)octets(*result, &len);
}

/* ---- Searching -------------------------------------------------------------------------------------------------------- */

/* What to look for: a bytes-like object or one byte. */
typedef struct {
  asy_buffer buffer; /* owner 0: `byte` */
  uint8_t byte;
} pattern;

static bool get_pattern(asy_vm *vm, asy_value v, pattern *p) {
  if (asy_is_bytes_like(v)) return asy_buffer_get(vm, v, &p->buffer);
  if (!asy_is_integer(v) && !asy_defers_to(vm, v, ASY_NAME(vm, __index__))) {
    asy_raise(vm, ASY_TypeError, "argument should be integer or bytes-like object, not '%T'", v);
    return false;
  }
  p->buffer = (asy_buffer){.data = &p->byte, .len = 1};
  return asy_to_byte(vm, v, &p->byte);
}

static bool bounds(asy_vm *vm, asy_value self, const asy_value *args, int64_t *start, int64_t *end) {
  size_t len;
  octets(self, &len);
  if (!asy_slice_bound(vm, args[0], 0, (int64_t)len, start) ||
      !asy_slice_bound(vm, args[1], (int64_t)len, (int64_t)len, end))
    return false;
  octets(self, &len);
  if (*end > (int64_t)len) *end = (int64_t)len;
  return true;
}

static bool search(asy_vm *vm, const asy_value *args, bool from_right, int64_t *found) {
  pattern p;
  int64_t start, end;
  size_t len;
  if (!get_pattern(vm, args[1], &p)) return false;
  bool good = bounds(vm, args[0], args + 2, &start, &end);
  if (good) {
    const uint8_t *data = octets(args[0], &len);
    *found = -1;
    if (start <= end) {
      *found = from_right ? asy_rfind_points(data + start, (size_t)(end - start), p.buffer.data, p.buffer.len, 1)
                          : asy_find_points(data + start, (size_t)(end - start), p.buffer.data, p.buffer.len, 1);
      if (*found >= 0) *found += start;
    }
  }
  asy_buffer_release(vm, &p.buffer);
  return good;
}

METHOD(find) {
  int64_t found;
  return search(vm, args, false, &found) ? asy_from_small(found) : ASY_FAILED;
}

METHOD(rfind) {
  int64_t found;
  return search(vm, args, true, &found) ? asy_from_small(found) : ASY_FAILED;
}

static asy_value index_of(asy_vm *vm, const asy_value *args, bool from_right) {
  int64_t found;
  if (!search(vm, args, from_right, &found)) return ASY_FAILED;
  return found < 0 ? asy_raise(vm, ASY_ValueError, "subsection not found") : asy_from_small(found);
}

METHOD(index) { return index_of(vm, args, false); }
METHOD(rindex) { return index_of(vm, args, true); }

METHOD(count) {
  pattern p;
  int64_t start, end;
  size_t len, count = 0;
  if (!get_pattern(vm, args[1], &p)) return ASY_FAILED;
  bool good = bounds(vm, args[0], args + 2, &start, &end);
  const uint8_t *data = octets(args[0], &len);
  if (good && start <= end)
    count = asy_count_points(data + start, (size_t)(end - start), p.buffer.data, p.buffer.len, 1, SIZE_MAX);
  asy_buffer_release(vm, &p.buffer);
  return good ? asy_from_small((int64_t)count) : ASY_FAILED;
}

/* 1, 0, -1: self[start:end] begins (or ends) with `what`. */
static int tail_matches(asy_vm *vm, asy_value self, int64_t start, int64_t end, asy_value what, bool at_end) {
  asy_buffer b;
  size_t len;
  if (!asy_buffer_get(vm, what, &b)) return -1;
  const uint8_t *data = octets(self, &len);
  bool match = start <= end && end - start >= (int64_t)b.len &&
               memcmp(data + (at_end ? end - (int64_t)b.len : start), b.data, b.len) == 0;
  asy_buffer_release(vm, &b);
  return match;
}

static asy_value tail_match(asy_vm *vm, const asy_value *args, const char *name, bool at_end) {
  int64_t start, end;
  int match = 0;
  if (!bounds(vm, args[0], args + 2, &start, &end)) return ASY_FAILED;
  if (asy_is_kind(args[1], KIND_TUPLE)) {
    asy_tuple *parts = (asy_tuple *)asy_obj_of(args[1]);
    for (uint32_t i = 0; i < parts->len && match == 0; i++)
      match = tail_matches(vm, args[0], start, end, parts->items[i], at_end);
  } else if (!asy_is_bytes_like(args[1])) {
    return asy_raise(vm, ASY_TypeError, "%s first arg must be bytes or a tuple of bytes, not %T", name, args[1]);
  } else {
    match = tail_matches(vm, args[0], start, end, args[1], at_end);
  }
  return match < 0 ? ASY_FAILED : asy_from_bool(match);
}

METHOD(startswith) { return tail_match(vm, args, "startswith", false); }
METHOD(endswith) { return tail_match(vm, args, "endswith", true); }

static asy_value remove_tail(asy_vm *vm, const asy_value *args, bool at_end) {
  size_t len;
  asy_buffer b;
  octets(args[0], &len);
  int match = tail_matches(vm, args[0], 0, (int64_t)len, args[1], at_end);
  if (match < 0) return ASY_FAILED;
  if (!match) return unchanged(vm, args[0]);
  if (!asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  size_t cut = b.len;
  asy_buffer_release(vm, &b);
  return at_end ? part(vm, args[0], 0, len - cut) : part(vm, args[0], cut, len);
}

METHOD(removeprefix) { return remove_tail(vm, args, false); }
METHOD(removesuffix) { return remove_tail(vm, args, true); }

/* ---- Splitting and joining ------------------------------------------------------------------------------------------------ */

static bool is_space(uint8_t c) { return c == 32 || (c >= 9 && c <= 13); }

static bool add_part(asy_vm *vm, asy_list *list, asy_value self, size_t start, size_t end) {
  asy_value section = part(vm, self, start, end);
  return !asy_failed(section) && asy_list_append(vm, list, section);
}

static bool split_space(asy_vm *vm, asy_list *list, asy_value self, int64_t most) {
  size_t n, i = 0;
  const uint8_t *data = octets(self, &n);
  while (i < n) {
    while (i < n && is_space(data[i])) i++;
    if (i == n) break;
    size_t start = i;
    if (most-- == 0) return add_part(vm, list, self, start, n);
    while (i < n && !is_space(data[i])) i++;
    if (!add_part(vm, list, self, start, i)) return false;
  }
  return true;
}

static bool rsplit_space(asy_vm *vm, asy_list *list, asy_value self, int64_t most) {
  size_t n;
  const uint8_t *data = octets(self, &n);
  while (n > 0) {
    while (n > 0 && is_space(data[n - 1])) n--;
    if (n == 0) break;
    size_t end = n;
    if (most-- == 0) return add_part(vm, list, self, 0, end);
    while (n > 0 && !is_space(data[n - 1])) n--;
    if (!add_part(vm, list, self, n, end)) return false;
  }
  return true;
}

static bool split_at(asy_vm *vm, asy_list *list, asy_value self, const asy_buffer *separator, int64_t most) {
  size_t len, start = 0;
  const uint8_t *data = octets(self, &len);
  while (most-- != 0) {
    int64_t at = asy_find_points(data + start, len - start, separator->data, separator->len, 1);
    if (at < 0) break;
    if (!add_part(vm, list, self, start, start + (size_t)at)) return false;
    start += (size_t)at + separator->len;
  }
  return add_part(vm, list, self, start, len);
}

static bool rsplit_at(asy_vm *vm, asy_list *list, asy_value self, const asy_buffer *separator, int64_t most) {
  size_t end;
  const uint8_t *data = octets(self, &end);
  while (most-- != 0) {
    int64_t at = asy_rfind_points(data, end, separator->data, separator->len, 1);
    if (at < 0) break;
    if (!add_part(vm, list, self, (size_t)at + separator->len, end)) return false;
    end = (size_t)at;
  }
  return add_part(vm, list, self, 0, end);
}

static asy_value split(asy_vm *vm, const asy_value *args, bool from_right) {
  int64_t most;
  asy_buffer separator = {0};
  if (!asy_to_size(vm, args[2], &most)) return ASY_FAILED;
  if (args[1] != ASY_NONE && !asy_buffer_get(vm, args[1], &separator)) return ASY_FAILED;
  asy_list *list = asy_list_new(vm, 8);
  bool done = list != NULL;
  if (args[1] == ASY_NONE) {
    done = done && (from_right ? rsplit_space(vm, list, args[0], most) : split_space(vm, list, args[0], most));
  } else if (separator.len == 0) {
    asy_raise(vm, ASY_ValueError, "empty separator");
    done = false;
  } else {
    done = done && (from_right ? rsplit_at(vm, list, args[0], &separator, most)
                               : split_at(vm, list, args[0], &separator, most));
  }
  asy_buffer_release(vm, &separator);
  if (!done) return ASY_FAILED;
  for (uint32_t i = 0, j = list->len; from_right && i + 1 < j; i++) {
    asy_value swap = list->items[i];
    list->items[i] = list->items[--j];
    list->items[j] = swap;
  }
  return asy_from_obj(list);
}

METHOD(split) { return split(vm, args, false); }
METHOD(rsplit) { return split(vm, args, true); }

METHOD(splitlines) {
  int keep = asy_truth(vm, args[1]);
  asy_list *list = keep < 0 ? NULL : asy_list_new(vm, 8);
  if (!list) return ASY_FAILED;
  size_t len;
  const uint8_t *data = octets(args[0], &len);
  for (size_t i = 0; i < len;) {
    size_t start = i, end;
    while (i < len && data[i] != '\n' && data[i] != '\r') i++;
    end = i;
    if (i < len) {
      i += data[i] == '\r' && i + 1 < len && data[i + 1] == '\n' ? 2 : 1;
      if (keep) end = i;
    }
    if (!add_part(vm, list, args[0], start, end)) return ASY_FAILED;
  }
  return asy_from_obj(list);
}

static asy_value partition(asy_vm *vm, const asy_value *args, bool from_right) {
  asy_buffer separator;
  size_t len;
  if (!asy_buffer_get(vm, args[1], &separator)) return ASY_FAILED;
  size_t m = separator.len;
  const uint8_t *data = octets(args[0], &len);
  int64_t at = m == 0       ? 0
               : from_right ? asy_rfind_points(data, len, separator.data, m, 1)
                            : asy_find_points(data, len, separator.data, m, 1);
  asy_value middle = asy_octets_new(vm, args[0], at < 0 ? NULL : separator.data, at < 0 ? 0 : m);
  asy_buffer_release(vm, &separator);
  if (m == 0) return asy_raise(vm, ASY_ValueError, "empty separator");
  asy_value before, after;
  if (at < 0) {
    before = from_right ? asy_octets_new(vm, args[0], NULL, 0) : unchanged(vm, args[0]);
    after = from_right ? unchanged(vm, args[0]) : asy_octets_new(vm, args[0], NULL, 0);
  } else {
    before = part(vm, args[0], 0, (size_t)at);
    after = part(vm, args[0], (size_t)at + m, len);
  }
  if (asy_failed(before) || asy_failed(middle) || asy_failed(after)) return ASY_FAILED;
  return asy_tuple_of(vm, 3, before, middle, after);
}

METHOD(partition) { return partition(vm, args, false); }
METHOD(rpartition) { return partition(vm, args, true); }

METHOD(join) {
  asy_list *items;
  if (asy_is_exact(args[1], KIND_LIST)) {
    items = (asy_list *)asy_obj_of(args[1]);
  } else {
    asy_value iterator = asy_iter(vm, args[1]);
    if (asy_failed(iterator)) {
      if (!asy_raised_is(vm, ASY_TypeError)) return ASY_FAILED;
      asy_clear_exception(vm);
      return asy_raise(vm, ASY_TypeError, "can only join an iterable");
    }
    items = asy_list_new(vm, 0);
    if (!items || !asy_list_extend(vm, items, iterator)) return ASY_FAILED;
  }
  size_t separator_len, total = 0, len;
  octets(args[0], &separator_len);
  for (uint32_t i = 0; i < items->len; i++) {
    asy_buffer b;
    if (asy_is_kind(items->items[i], KIND_BYTES)) {
      total += bytes_of(items->items[i])->len + (i ? separator_len : 0);
      continue;
    }
    if (!asy_is_bytes_like(items->items[i])) {
      return asy_raise(vm, ASY_TypeError, "sequence item %u: expected a bytes-like object, %T found", i,
                       items->items[i]);
    }
    if (!asy_buffer_get(vm, items->items[i], &b)) return ASY_FAILED;
    total += b.len + (i ? separator_len : 0);
    asy_buffer_release(vm, &b);
  }
  if (items->len == 1 && asy_is_exact(items->items[0], KIND_BYTES) && !is_bytearray(args[0])) return items->items[0];
  asy_value result;
  uint8_t *to = make(vm, args[0], total, &result);
  if (!to) return ASY_FAILED;
  const uint8_t *separator = octets(args[0], &len);
  for (uint32_t i = 0; i < items->len; i++) {
    asy_buffer b;
    if (i) {
      memcpy(to, separator, separator_len);
      to += separator_len;
    }
    if (asy_is_kind(items->items[i], KIND_BYTES)) {
      asy_bytes *item = bytes_of(items->items[i]);
      memcpy(to, item->data, item->len);
      to += item->len;
      continue;
    }
    if (!asy_buffer_get(vm, items->items[i], &b)) return ASY_FAILED;
    memcpy(to, b.data, b.len);
    to += b.len;
    asy_buffer_release(vm, &b);
  }
  return result;
}

/* ---- Stripping, padding ------------------------------------------------------------------------------------------------------ */

enum { STRIP_LEFT = 1, STRIP_RIGHT = 2 };

static asy_value strip(asy_vm *vm, const asy_value *args, unsigned sides) {
  bool drop[256] = {[9] = true, true, true, true, true, [32] = true};
  if (args[1] != ASY_NONE) {
    asy_buffer set;
    if (!asy_buffer_get(vm, args[1], &set)) return ASY_FAILED;
    memset(drop, 0, sizeof drop);
    for (size_t i = 0; i < set.len; i++) drop[set.data[i]] = true;
    asy_buffer_release(vm, &set);
  }
  size_t start = 0, end;
  const uint8_t *data = octets(args[0], &end);
  while ((sides & STRIP_LEFT) && start < end && drop[data[start]]) start++;
  while ((sides & STRIP_RIGHT) && end > start && drop[data[end - 1]]) end--;
  return part(vm, args[0], start, end);
}

METHOD(strip) { return strip(vm, args, STRIP_LEFT | STRIP_RIGHT); }
METHOD(lstrip) { return strip(vm, args, STRIP_LEFT); }
METHOD(rstrip) { return strip(vm, args, STRIP_RIGHT); }

typedef enum { PAD_LEFT, PAD_RIGHT, PAD_BOTH } padding;

static asy_value pad(asy_vm *vm, const asy_value *args, const char *name, padding where) {
  int64_t width;
  uint8_t fill = ' ';
  size_t len;
  if (!asy_to_size(vm, args[1], &width)) return ASY_FAILED;
  if (args[2] != ASY_UNBOUND) {
    const uint8_t *data = NULL;
    if (asy_is_kind(args[2], KIND_BYTES) || is_bytearray(args[2])) data = octets(args[2], &len);
    if (!data || len != 1)
      return asy_raise(vm, ASY_TypeError, "%s() argument 2 must be a byte string of length 1, not %T", name, args[2]);
    fill = data[0];
  }
  octets(args[0], &len);
  if (width <= (int64_t)len) return unchanged(vm, args[0]);
  size_t total = (size_t)width, extra = total - len;
  size_t left = where == PAD_LEFT ? extra : where == PAD_RIGHT ? 0 : extra / 2 + (extra & total & 1);
  asy_value result;
  uint8_t *to = make(vm, args[0], total, &result);
  if (!to) return ASY_FAILED;
  memset(to, fill, total);
  memcpy(to + left, octets(args[0], &len), len);
  return result;
}

METHOD(center) { return pad(vm, args, "center", PAD_BOTH); }
METHOD(ljust) { return pad(vm, args, "ljust", PAD_RIGHT); }
METHOD(rjust) { return pad(vm, args, "rjust", PAD_LEFT); }

METHOD(zfill) {
  int64_t width;
  size_t len;
  if (!asy_to_size(vm, args[1], &width)) return ASY_FAILED;
  const uint8_t *data = octets(args[0], &len);
  if (width <= (int64_t)len) return unchanged(vm, args[0]);
  asy_value result;
  uint8_t *to = make(vm, args[0], (size_t)width, &result);
  if (!to) return ASY_FAILED;
  size_t sign = len && (data[0] == '+' || data[0] == '-');
  memset(to, '0', (size_t)width);
  if (sign) to[0] = data[0];
  memcpy(to + (size_t)width - len + sign, data + sign, len - sign);
  return result;
}

METHOD(expandtabs) {
  int size;
  if (!asy_to_int(vm, args[1], INT32_MIN, INT32_MAX, &size)) return ASY_FAILED;
  size_t len;
  asy_bytearray *out = asy_bytearray_new(vm, NULL, 0);
  if (!out) return ASY_FAILED;
  const uint8_t *data = octets(args[0], &len);
  int column = 0;
  for (size_t i = 0; i < len; i++) {
    if (data[i] == '\t') {
      int n = size > 0 ? size - column % size : 0;
      for (int k = 0; k < n; k++)
        if (!asy_bytearray_append(vm, out, " ", 1)) return ASY_FAILED;
      column += n;
    } else {
      if (!asy_bytearray_append(vm, out, data + i, 1)) return ASY_FAILED;
      column = data[i] == '\n' || data[i] == '\r' ? 0 : column + 1;
    }
  }
  return is_bytearray(args[0]) ? asy_from_obj(out) : asy_from_bytes(vm, asy_bytearray_data(out), out->len);
}

/* ---- Replacing, translating ------------------------------------------------------------------------------------------------------ */

static asy_value replaced(asy_vm *vm, asy_value self, const asy_buffer *old, const asy_buffer *new, int64_t most) {
  size_t len;
  const uint8_t *data = octets(self, &len);
  size_t count = asy_count_points(data, len, old->data, old->len, 1, most < 0 ? SIZE_MAX : (size_t)most);
  if (count == 0) return unchanged(vm, self);
  if (new->len > old->len &&new->len - old->len > (INT32_MAX - 64 - len) / count) {
    return asy_raise(vm, ASY_OverflowError, "replace bytes is too long");
  }
  asy_value result;
  uint8_t *to = make(vm, self, len + count * new->len - count * old->len, &result);
  if (!to) return ASY_FAILED;
  const uint8_t *end = data + len;
  for (; count > 0; count--) {
    size_t gap = (size_t)asy_find_points(data, (size_t)(end - data), old->data, old->len, 1);
    memcpy(to, data, gap);
    memcpy(to + gap, new->data, new->len);
    to += gap + new->len;
    data += gap + old->len;
    if (old->len == 0 && data < end) *to++ = *data++;
  }
  memcpy(to, data, (size_t)(end - data));
  return result;
}

METHOD(replace) {
  asy_buffer old, new;
  int64_t most;
  if (!asy_to_size(vm, args[3], &most)) return ASY_FAILED;
  if (!asy_buffer_get(vm, args[1], &old)) return ASY_FAILED;
  asy_value result = ASY_FAILED;
  if (asy_buffer_get(vm, args[2], &new)) {
    result = replaced(vm, args[0], &old, &new, most);
    asy_buffer_release(vm, &new);
  }
  asy_buffer_release(vm, &old);
  return result;
}

METHOD(translate) {
  uint8_t map[256];
  bool drop[256] = {false};
  asy_buffer b;
  size_t len, n = 0;
  for (unsigned i = 0; i < 256; i++) map[i] = (uint8_t)i;
  if (args[1] != ASY_NONE) {
    if (!asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
    bool good = b.len == 256;
    if (good) memcpy(map, b.data, 256);
    asy_buffer_release(vm, &b);
    if (!good) return asy_raise(vm, ASY_ValueError, "translation table must be 256 characters long");
  }
  if (args[2] != ASY_UNBOUND) {
    if (!asy_buffer_get(vm, args[2], &b)) return ASY_FAILED;
    for (size_t i = 0; i < b.len; i++) drop[b.data[i]] = true;
    asy_buffer_release(vm, &b);
  }
  const uint8_t *data = octets(args[0], &len);
  for (size_t i = 0; i < len; i++) n += !drop[data[i]];
  asy_value result;
  uint8_t *to = make(vm, args[0], n, &result);
  if (!to) return ASY_FAILED;
  data = octets(args[0], &len);
  for (size_t i = 0; i < len; i++)
    if (!drop[data[i]]) *to++ = map[data[i]];
  return result;
}

asy_value asy_octets_maketrans(asy_vm *vm, const asy_value *args) {
  asy_buffer from, to;
  if (!asy_buffer_get(vm, args[0], &from)) return ASY_FAILED;
  if (!asy_buffer_get(vm, args[1], &to)) {
    asy_buffer_release(vm, &from);
    return ASY_FAILED;
  }
  asy_bytes *table = NULL;
  if (from.len != to.len) asy_raise(vm, ASY_ValueError, "maketrans arguments must have same length");
  else if ((table = asy_bytes_new(vm, NULL, 256))) {
    for (unsigned i = 0; i < 256; i++) table->data[i] = (uint8_t)i;
    for (size_t i = 0; i < from.len; i++) table->data[from.data[i]] = to.data[i];
  }
  asy_buffer_release(vm, &from);
  asy_buffer_release(vm, &to);
  return table ? asy_from_obj(table) : ASY_FAILED;
}

/* ---- Case and tests: ASCII ------------------------------------------------------------------------------------------------------- */

static inline bool is_lower(uint8_t c) { return c >= 'a' && c <= 'z'; }
static inline bool is_upper(uint8_t c) { return c >= 'A' && c <= 'Z'; }
static inline bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static inline bool is_alpha(uint8_t c) { return is_lower(c | 32); }
static inline bool is_alnum(uint8_t c) { return is_alpha(c) || is_digit(c); }
static inline uint8_t to_lower(uint8_t c) { return is_upper(c) ? c + 32 : c; }
static inline uint8_t to_upper(uint8_t c) { return is_lower(c) ? c - 32 : c; }

typedef enum { CASE_LOWER, CASE_UPPER, CASE_SWAP, CASE_TITLE, CASE_CAPITALIZE } case_change;

static asy_value change_case(asy_vm *vm, asy_value self, case_change how) {
  size_t len;
  asy_value result;
  octets(self, &len);
  uint8_t *to = make(vm, self, len, &result);
  if (!to) return ASY_FAILED;
  const uint8_t *data = octets(self, &len);
  bool inside = false;
  for (size_t i = 0; i < len; i++) {
    uint8_t c = data[i];
    switch (how) {
      case CASE_LOWER: to[i] = to_lower(c); break;
      case CASE_UPPER: to[i] = to_upper(c); break;
      case CASE_SWAP: to[i] = is_upper(c) ? to_lower(c) : to_upper(c); break;
      case CASE_TITLE:
        to[i] = inside ? to_lower(c) : to_upper(c);
        inside = is_alpha(c);
        break;
      case CASE_CAPITALIZE: to[i] = i ? to_lower(c) : to_upper(c); break;
    }
  }
  return result;
}

METHOD(lower) { return change_case(vm, args[0], CASE_LOWER); }
METHOD(upper) { return change_case(vm, args[0], CASE_UPPER); }
METHOD(swapcase) { return change_case(vm, args[0], CASE_SWAP); }
METHOD(title) { return change_case(vm, args[0], CASE_TITLE); }
METHOD(capitalize) { return change_case(vm, args[0], CASE_CAPITALIZE); }

static asy_value all_are(asy_value self, bool (*test)(uint8_t)) {
  size_t len;
  const uint8_t *data = octets(self, &len);
  for (size_t i = 0; i < len; i++)
    if (!test(data[i])) return ASY_FALSE;
  return asy_from_bool(len > 0);
}

METHOD(isalnum) {
  (void)vm;
  return all_are(args[0], is_alnum);
}
METHOD(isalpha) {
  (void)vm;
  return all_are(args[0], is_alpha);
}
METHOD(isdigit) {
  (void)vm;
  return all_are(args[0], is_digit);
}
METHOD(isspace) {
  (void)vm;
  return all_are(args[0], is_space);
}

METHOD(isascii) {
  (void)vm;
  size_t len;
  const uint8_t *data = octets(args[0], &len);
  return asy_from_bool(asy_max_point(data, 1, len) < 128);
}

static asy_value cased_are(asy_value self, bool (*wanted)(uint8_t), bool (*unwanted)(uint8_t)) {
  size_t len;
  bool any = false;
  const uint8_t *data = octets(self, &len);
  for (size_t i = 0; i < len; i++) {
    if (unwanted(data[i])) return ASY_FALSE;
    any |= wanted(data[i]);
  }
  return asy_from_bool(any);
}

METHOD(islower) {
  (void)vm;
  return cased_are(args[0], is_lower, is_upper);
}
METHOD(isupper) {
  (void)vm;
  return cased_are(args[0], is_upper, is_lower);
}

METHOD(istitle) {
  (void)vm;
  size_t len;
  bool any = false, inside = false;
  const uint8_t *data = octets(args[0], &len);
  for (size_t i = 0; i < len; i++) {
    if ((is_upper(data[i]) && inside) || (is_lower(data[i]) && !inside)) return ASY_FALSE;
    inside = is_alpha(data[i]);
    any |= inside;
  }
  return asy_from_bool(any);
}

/* ---- Text ------------------------------------------------------------------------------------------------------------------------ */

static bool optional_name(asy_vm *vm, asy_value v, const char *what, const char **out) {
  if (v == ASY_UNBOUND) return true;
  if (!asy_is_str(v)) {
    asy_raise(vm, ASY_TypeError, "decode() argument '%s' must be str, not %T", what, v);
    return false;
  }
  return asy_to_cstr(vm, v, out);
}

METHOD(decode) {
  const char *encoding = NULL, *errors = NULL;
  asy_buffer b;
  if (!optional_name(vm, args[1], "encoding", &encoding) || !optional_name(vm, args[2], "errors", &errors))
    return ASY_FAILED;
  if (!asy_buffer_get(vm, args[0], &b)) return ASY_FAILED;
  if (!b.len) encoding = errors = NULL; /* whether they exist is not asked */
  asy_str *s = asy_decode(vm, is_bytearray(args[0]) ? 0 : args[0], b.data, b.len, encoding, errors);
  asy_buffer_release(vm, &b);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

asy_value asy_octets_hex(asy_vm *vm, const uint8_t *data, size_t len, asy_value separator, asy_value group) {
  static const char digits[] = "0123456789abcdef";
  uint32_t between = 0;
  int size;
  if (!asy_to_c_int(vm, group, &size)) return ASY_FAILED;
  if (separator == ASY_UNBOUND) {
    size = 0;
  } else {
    int64_t n = asy_length(vm, separator);
    if (n < 0) return ASY_FAILED;
    if (asy_is_str(separator)) {
      if (n == 1) between = asy_str_at(str_of(separator), 0);
    } else if (asy_is_kind(separator, KIND_BYTES)) {
      if (n == 1) between = bytes_of(separator)->data[0];
    } else {
      return asy_raise(vm, ASY_TypeError, "sep must be str or bytes.");
    }
    if (n != 1) return asy_raise(vm, ASY_ValueError, "sep must be length 1.");
    if (between > 127) return asy_raise(vm, ASY_ValueError, "sep must be ASCII.");
  }
  size_t every = (size_t)(size < 0 ? -(int64_t)size : size);
  size_t separators = every && len ? (len - 1) / every : 0;
  void *out;
  asy_str *s = asy_str_alloc(vm, len * 2 + separators, 127, &out);
  if (!s) return ASY_FAILED;
  uint8_t *to = out;
  for (size_t i = 0; i < len; i++) {
    if (every && i && (size > 0 ? (len - i) % every == 0 : i % every == 0)) *to++ = (uint8_t)between;
    *to++ = (uint8_t)digits[data[i] >> 4];
    *to++ = (uint8_t)digits[data[i] & 15];
  }
  return asy_from_obj(s);
}

METHOD(hex) {
  asy_buffer b;
  if (!asy_buffer_get(vm, args[0], &b)) return ASY_FAILED;
  asy_value result = asy_octets_hex(vm, b.data, b.len, args[1], args[2]);
  asy_buffer_release(vm, &b);
  return result;
}

static int hex_digit(uint32_t c) {
  return c >= '0' && c <= '9' ? (int)c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (int)(c | 32) - 'a' + 10 : -1;
}

asy_value asy_octets_fromhex(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "fromhex() argument must be str, not %T", args[1]);
  asy_str *s = str_of(args[1]);
  bool array = cls->kind == KIND_BYTEARRAY;
  asy_bytearray *out = asy_bytearray_new(vm, NULL, 0);
  if (!out) return ASY_FAILED;
  uint32_t ascii = 0;
  while (ascii < s->len && asy_str_at(s, ascii) < 128) ascii++;
  for (uint32_t i = ascii == s->len ? 0 : ascii; i < s->len;) {
    uint32_t c = asy_str_at(s, i);
    if (c < 128 && is_space((uint8_t)c)) {
      i++;
      continue;
    }
    int high = hex_digit(c), low = i + 1 < s->len ? hex_digit(asy_str_at(s, i + 1)) : -1;
    if (high < 0 || low < 0) {
      return asy_raise(vm, ASY_ValueError, "non-hexadecimal number found in fromhex() arg at position %u",
                       high < 0 ? i : i + 1);
    }
    uint8_t octet = (uint8_t)(high << 4 | low);
    if (!asy_bytearray_append(vm, out, &octet, 1)) return ASY_FAILED;
    i += 2;
  }
  asy_value result = array ? asy_from_obj(out) : asy_from_bytes(vm, asy_bytearray_data(out), out->len);
  if (asy_failed(result) || cls == vm->classes[cls->kind]) return result;
  return asy_call1(vm, args[0], result);
}
