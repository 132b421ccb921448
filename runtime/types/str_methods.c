/* str_methods.c - the methods of str: searching, splitting, joining, stripping, padding, tests.
 * Case mappings are in str_case.c. Each native receives every parameter of its signature (see object.h); args[0] is the string.
 */
#include <stdlib.h>

#include "runtime/types/codec.h"
#include "runtime/types/format.h"
#include "runtime/types/lanes.h"
#include "runtime/types/str_case.h"
#include "runtime/types/str_internal.h"
#include "runtime/types/unicode.h"

static asy_value from_str(asy_str *s) { return s ? asy_from_obj(s) : ASY_FAILED; }

/* `what` is as CPython says it: "find() argument 1". */
static bool want_str(asy_vm *vm, asy_value v, const char *what, asy_str **out) {
  if (asy_is_str(v)) {
    *out = str_of(v);
    return true;
  }
  if (v == ASY_NONE) asy_raise(vm, ASY_TypeError, "%s must be str, not None", what);
  else asy_raise(vm, ASY_TypeError, "%s must be str, not %T", what, v);
  return false;
}

static bool bounds(asy_vm *vm, asy_str *s, const asy_value *args, int64_t *start, int64_t *end) {
  if (!asy_slice_bound(vm, args[0], 0, s->len, start) || !asy_slice_bound(vm, args[1], s->len, s->len, end))
    return false;
  if (*end > s->len) *end = s->len;
  return true;
}

/* ---- Searching ----------------------------------------------------------------------------------------------------- */

static int64_t str_rfind_in(asy_str *s, int64_t start, int64_t end, asy_str *needle) {
  unsigned width = asy_str_width(s), needle_width = asy_str_width(needle);
  if (start > end || needle->len > end - start) return -1;
  if (needle->len == 0) return end;
  if (needle_width > width) return -1;
  if (needle_width == width) {
    int64_t at = asy_rfind_points(asy_at(asy_str_data(s), width, (size_t)start), (size_t)(end - start),
                                  asy_str_data(needle), needle->len, width);
    return at < 0 ? -1 : at + start;
  }
  for (int64_t at = end - needle->len; at >= start; at--) {
    uint32_t i = 0;
    while (i < needle->len && asy_str_at(s, (uint32_t)at + i) == asy_str_at(needle, i)) i++;
    if (i == needle->len) return at;
  }
  return -1;
}

static bool search(asy_vm *vm, const asy_value *args, const char *what, bool from_right, int64_t *found) {
  asy_str *s = str_of(args[0]), *needle;
  int64_t start, end;
  if (!want_str(vm, args[1], what, &needle) || !bounds(vm, s, args + 2, &start, &end)) return false;
  if (start > s->len) *found = -1;
  else if (from_right) *found = str_rfind_in(s, start, end, needle);
  else *found = asy_str_find(vm, s, (uint32_t)start, (uint32_t)end, needle);
  return true;
}

static asy_value str_find(asy_vm *vm, const asy_value *args) {
  int64_t found;
  return search(vm, args, "find() argument 1", false, &found) ? asy_from_small(found) : ASY_FAILED;
}

static asy_value str_rfind(asy_vm *vm, const asy_value *args) {
  int64_t found;
  return search(vm, args, "rfind() argument 1", true, &found) ? asy_from_small(found) : ASY_FAILED;
}

static asy_value str_index(asy_vm *vm, const asy_value *args) {
  int64_t found;
  if (!search(vm, args, "index() argument 1", false, &found)) return ASY_FAILED;
  return found < 0 ? asy_raise_format(vm, ASY_ValueError, "substring not found") : asy_from_small(found);
}

static asy_value str_rindex(asy_vm *vm, const asy_value *args) {
  int64_t found;
  if (!search(vm, args, "rindex() argument 1", true, &found)) return ASY_FAILED;
  return found < 0 ? asy_raise_format(vm, ASY_ValueError, "substring not found") : asy_from_small(found);
}

/* How often needle occurs in s[start:end], at most `most` times. */
static size_t count_in(asy_vm *vm, asy_str *s, int64_t start, int64_t end, asy_str *needle, size_t most) {
  unsigned width = asy_str_width(s);
  if (start > end || start > s->len) return 0;
  if (needle->len == 0 || asy_str_width(needle) == width) {
    return asy_count_points(asy_at(asy_str_data(s), width, (size_t)start), (size_t)(end - start), asy_str_data(needle),
                            needle->len, width, most);
  }
  size_t count = 0;
  while (count < most && (start = asy_str_find(vm, s, (uint32_t)start, (uint32_t)end, needle)) >= 0) {
    count++;
    start += needle->len;
  }
  return count;
}

static asy_value str_count(asy_vm *vm, const asy_value *args) {
  asy_str *s = str_of(args[0]), *needle;
  int64_t start, end;
  if (!want_str(vm, args[1], "count() argument 1", &needle) || !bounds(vm, s, args + 2, &start, &end))
    return ASY_FAILED;
  return asy_from_small((int64_t)count_in(vm, s, start, end, needle, SIZE_MAX));
}

static bool points_equal(asy_str *s, int64_t at, asy_str *part) {
  unsigned width = asy_str_width(s);
  if (width == asy_str_width(part)) {
    return memcmp(asy_at(asy_str_data(s), width, (size_t)at), asy_str_data(part), (size_t)part->len * width) == 0;
  }
  for (uint32_t i = 0; i < part->len; i++)
    if (asy_str_at(s, (uint32_t)at + i) != asy_str_at(part, i)) return false;
  return true;
}

static bool tail_matches(asy_str *s, int64_t start, int64_t end, asy_str *part, bool at_end) {
  if (start > s->len || end - start < part->len) return false;
  return points_equal(s, at_end ? end - part->len : start, part);
}

static asy_value tail_match(asy_vm *vm, const asy_value *args, const char *name, bool at_end) {
  asy_str *s = str_of(args[0]);
  int64_t start, end;
  if (!bounds(vm, s, args + 2, &start, &end)) return ASY_FAILED;
  if (asy_is_str(args[1])) return asy_from_bool(tail_matches(s, start, end, str_of(args[1]), at_end));
  if (!asy_is_kind(args[1], KIND_TUPLE)) {
    return asy_raise(vm, ASY_TypeError, "%s first arg must be str or a tuple of str, not %T", name, args[1]);
  }
  asy_tuple *parts = (asy_tuple *)asy_obj_of(args[1]);
  for (uint32_t i = 0; i < parts->len; i++) {
    if (!asy_is_str(parts->items[i])) {
      return asy_raise(vm, ASY_TypeError, "tuple for %s must only contain str, not %T", name, parts->items[i]);
    }
    if (tail_matches(s, start, end, str_of(parts->items[i]), at_end)) return ASY_TRUE;
  }
  return ASY_FALSE;
}

static asy_value str_startswith(asy_vm *vm, const asy_value *args) { return tail_match(vm, args, "startswith", false); }
static asy_value str_endswith(asy_vm *vm, const asy_value *args) { return tail_match(vm, args, "endswith", true); }

static asy_value str_removeprefix(asy_vm *vm, const asy_value *args) {
  asy_str *s = str_of(args[0]), *part;
  if (!want_str(vm, args[1], "removeprefix() argument", &part)) return ASY_FAILED;
  if (part->len == 0 || !tail_matches(s, 0, s->len, part, false)) return asy_str_exact(vm, args[0]);
  return from_str(asy_str_slice(vm, s, part->len, s->len));
}

static asy_value str_removesuffix(asy_vm *vm, const asy_value *args) {
  asy_str *s = str_of(args[0]), *part;
  if (!want_str(vm, args[1], "removesuffix() argument", &part)) return ASY_FAILED;
  if (part->len == 0 || !tail_matches(s, 0, s->len, part, true)) return asy_str_exact(vm, args[0]);
  return from_str(asy_str_slice(vm, s, 0, s->len - part->len));
}

/* ---- Splitting and joining ------------------------------------------------------------------------------------------- */

/* Appends s[start:end]; NULL list or failure passes on as false. */
static bool add_part(asy_vm *vm, asy_list *list, asy_str *s, int64_t start, int64_t end) {
  asy_str *part = asy_str_slice(vm, s, (uint32_t)start, (uint32_t)end);
  if (part && part->head.shape != KIND_STR) {
    asy_value exact = asy_str_exact(vm, asy_from_obj(part));
    if (asy_failed(exact)) return false;
    part = str_of(exact);
  }
  return part && asy_list_append(vm, list, asy_from_obj(part));
}

static bool ascii_space(uint8_t c) { return c == 32 || (c >= 9 && c <= 13) || (c >= 28 && c <= 31); }

static bool space_at(const void *data, unsigned width, size_t i) {
  return width == 1 && ((const uint8_t *)data)[i] < 128 ? ascii_space(((const uint8_t *)data)[i])
                                                        : asy_unicode_is_space(asy_peek(data, width, i));
}

static bool split_space(asy_vm *vm, asy_list *list, asy_str *s, int64_t most) {
  unsigned width = asy_str_width(s);
  uint32_t i = 0, n = s->len;
  const void *data = asy_str_data(s); /* stays: strings neither move nor change */
  while (i < n) {
    while (i < n && space_at(data, width, i)) i++;
    if (i == n) break;
    uint32_t start = i;
    if (most-- == 0) return add_part(vm, list, s, start, n);
    while (i < n && !space_at(data, width, i)) i++;
    if (!add_part(vm, list, s, start, i)) return false;
  }
  return true;
}

static bool rsplit_space(asy_vm *vm, asy_list *list, asy_str *s, int64_t most) {
  unsigned width = asy_str_width(s);
  const void *data = asy_str_data(s);
  uint32_t i = s->len;
  while (i > 0) {
    while (i > 0 && space_at(data, width, i - 1)) i--;
    if (i == 0) break;
    uint32_t end = i;
    if (most-- == 0) return add_part(vm, list, s, 0, end);
    while (i > 0 && !space_at(data, width, i - 1)) i--;
    if (!add_part(vm, list, s, i, end)) return false;
  }
  return true;
}

static bool split_at(asy_vm *vm, asy_list *list, asy_str *s, asy_str *separator, int64_t most) {
  uint32_t start = 0;
  while (most-- != 0) {
    int64_t at = asy_str_find(vm, s, start, s->len, separator);
    if (at < 0) break;
    if (!add_part(vm, list, s, start, at)) return false;
    start = (uint32_t)at + separator->len;
  }
  return add_part(vm, list, s, start, s->len);
}

static bool rsplit_at(asy_vm *vm, asy_list *list, asy_str *s, asy_str *separator, int64_t most) {
  uint32_t end = s->len;
  while (most-- != 0) {
    int64_t at = str_rfind_in(s, 0, end, separator);
    if (at < 0) break;
    if (!add_part(vm, list, s, at + separator->len, end)) return false;
    end = (uint32_t)at;
  }
  return add_part(vm, list, s, 0, end);
}

static void reverse_list(asy_list *list) {
  for (uint32_t i = 0, j = list->len; i + 1 < j; i++) {
    asy_value swap = list->items[i];
    list->items[i] = list->items[--j];
    list->items[j] = swap;
  }
}

static asy_value split(asy_vm *vm, const asy_value *args, bool from_right) {
  asy_str *s = str_of(args[0]);
  int64_t most;
  if (!asy_to_size(vm, args[2], &most)) return ASY_FAILED;
  if (args[1] != ASY_NONE && !asy_is_str(args[1]))
    return asy_raise(vm, ASY_TypeError, "must be str or None, not %T", args[1]);
  if (args[1] != ASY_NONE && str_of(args[1])->len == 0) return asy_raise(vm, ASY_ValueError, "empty separator");
  asy_list *list = asy_list_new(vm, 8);
  if (!list) return ASY_FAILED;
  bool done;
  if (args[1] == ASY_NONE) done = from_right ? rsplit_space(vm, list, s, most) : split_space(vm, list, s, most);
  else done = from_right ? rsplit_at(vm, list, s, str_of(args[1]), most) : split_at(vm, list, s, str_of(args[1]), most);
  if (!done) return ASY_FAILED;
  if (from_right) reverse_list(list);
  return asy_from_obj(list);
}

static asy_value str_split(asy_vm *vm, const asy_value *args) { return split(vm, args, false); }
static asy_value str_rsplit(asy_vm *vm, const asy_value *args) { return split(vm, args, true); }

static asy_value str_splitlines(asy_vm *vm, const asy_value *args) {
  asy_str *s = str_of(args[0]);
  unsigned width = asy_str_width(s);
  const void *data = asy_str_data(s);
  int keep = asy_truth(vm, args[1]);
  asy_list *list = keep < 0 ? NULL : asy_list_new(vm, 8);
  if (!list) return ASY_FAILED;
  for (uint32_t i = 0; i < s->len;) {
    uint32_t start = i, end;
    while (i < s->len && !asy_unicode_is_line_break(asy_peek(data, width, i))) i++;
    end = i;
    if (i < s->len) {
      i += asy_peek(data, width, i) == '\r' && i + 1 < s->len && asy_peek(data, width, i + 1) == '\n' ? 2 : 1;
      if (keep) end = i;
    }
    if (!add_part(vm, list, s, start, end)) return ASY_FAILED;
  }
  return asy_from_obj(list);
}

static asy_value partition(asy_vm *vm, const asy_value *args, bool from_right) {
  asy_str *s = str_of(args[0]), *separator;
  asy_value empty = asy_from_obj(vm->empty_str), whole = asy_str_exact(vm, args[0]);
  if (asy_failed(whole)) return ASY_FAILED;
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "must be str, not %T", args[1]);
  separator = str_of(args[1]);
  if (separator->len == 0) return asy_raise(vm, ASY_ValueError, "empty separator");
  int64_t at = from_right ? str_rfind_in(s, 0, s->len, separator) : asy_str_find(vm, s, 0, s->len, separator);
  if (at < 0) return from_right ? asy_tuple_of(vm, 3, empty, empty, whole) : asy_tuple_of(vm, 3, whole, empty, empty);
  asy_str *before = asy_str_slice(vm, s, 0, (uint32_t)at);
  asy_str *after = asy_str_slice(vm, s, (uint32_t)at + separator->len, s->len);
  if (!before || !after) return ASY_FAILED;
  return asy_tuple_of(vm, 3, asy_from_obj(before), args[1], asy_from_obj(after));
}

static asy_value str_partition(asy_vm *vm, const asy_value *args) { return partition(vm, args, false); }
static asy_value str_rpartition(asy_vm *vm, const asy_value *args) { return partition(vm, args, true); }

static asy_value join_items(asy_vm *vm, asy_str *separator, const asy_value *items, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    if (!asy_is_str(items[i]))
      return asy_raise(vm, ASY_TypeError, "sequence item %u: expected str instance, %T found", i, items[i]);
  }
  return from_str(asy_str_join(vm, separator, items, n));
}

static asy_value str_join(asy_vm *vm, const asy_value *args) {
  asy_str *separator = str_of(args[0]);
  if (asy_is_kind(args[1], KIND_TUPLE)) {
    asy_tuple *tuple = (asy_tuple *)asy_obj_of(args[1]);
    return join_items(vm, separator, tuple->items, tuple->len);
  }
  asy_list *list;
  if (asy_is_exact(args[1], KIND_LIST)) {
    list = (asy_list *)asy_obj_of(args[1]);
  } else {
    asy_value iterator = asy_iter(vm, args[1]);
    if (asy_failed(iterator)) {
      if (!asy_raised_is(vm, ASY_TypeError)) return ASY_FAILED;
      asy_clear_exception(vm);
      return asy_raise(vm, ASY_TypeError, "can only join an iterable");
    }
    list = asy_list_new(vm, 0);
    if (!list || !asy_list_extend(vm, list, iterator)) return ASY_FAILED;
  }
  return join_items(vm, separator, list->items, list->len);
}

/* ---- Stripping, padding ------------------------------------------------------------------------------------------------ */

enum { STRIP_LEFT = 1, STRIP_RIGHT = 2 };

/* Whether code point i of data goes; set NULL: white space does. */
static inline bool stripped(const void *data, unsigned width, uint32_t i, const asy_str *set) {
  if (!set) return space_at(data, width, i);
  return asy_find_point(asy_str_data(set), set->len, asy_peek(data, width, i), asy_str_width(set)) >= 0;
}

static asy_value strip(asy_vm *vm, const asy_value *args, const char *name, unsigned sides) {
  asy_str *s = str_of(args[0]), *set = NULL;
  unsigned width = asy_str_width(s);
  const void *data = asy_str_data(s);
  const uint8_t *bytes = data;
  if (args[1] != ASY_NONE) {
    if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "%s arg must be None or str", name);
    set = str_of(args[1]);
  }
  uint32_t start = 0, end = s->len;
  bool left = sides & STRIP_LEFT, right = sides & STRIP_RIGHT;
  if (!set && s->head.flags & STR_ASCII) {
    while (left && start < end && ascii_space(bytes[start])) start++;
    while (right && end > start && ascii_space(bytes[end - 1])) end--;
  } else {
    while (left && start < end && stripped(data, width, start, set)) start++;
    while (right && end > start && stripped(data, width, end - 1, set)) end--;
  }
  if (start == 0 && end == s->len) return asy_str_exact(vm, args[0]);
  return from_str(asy_str_slice(vm, s, start, end));
}

static asy_value str_strip(asy_vm *vm, const asy_value *args) {
  return strip(vm, args, "strip", STRIP_LEFT | STRIP_RIGHT);
}
static asy_value str_lstrip(asy_vm *vm, const asy_value *args) { return strip(vm, args, "lstrip", STRIP_LEFT); }
static asy_value str_rstrip(asy_vm *vm, const asy_value *args) { return strip(vm, args, "rstrip", STRIP_RIGHT); }

static asy_value padded(asy_vm *vm, asy_value self, int64_t left, int64_t right, uint32_t fill) {
  asy_str *s = str_of(self);
  if (left < 0) left = 0;
  if (right < 0) right = 0;
  if (left == 0 && right == 0) return asy_str_exact(vm, self);
  if (left > INT32_MAX || right > INT32_MAX) return asy_raise_no_memory(vm);
  if ((s->head.flags & STR_ASCII) && fill < 128) {
    void *data;
    asy_str *result = asy_str_alloc(vm, (size_t)(left + right) + s->len, 127, &data);
    if (!result) return ASY_FAILED;
    uint8_t *to = data;
    memset(to, (int)fill, (size_t)left);
    memcpy(to + left, asy_str_data(s), s->len);
    memset(to + left + s->len, (int)fill, (size_t)right);
    return asy_from_obj(result);
  }
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_fill(&t, fill, (size_t)left);
  asy_text_str(&t, s);
  asy_text_fill(&t, fill, (size_t)right);
  return from_str(asy_text_finish(&t));
}

static bool pad_args(asy_vm *vm, const asy_value *args, int64_t *pad, uint32_t *fill) {
  int64_t width;
  if (!asy_to_size(vm, args[1], &width)) return false;
  if (!asy_is_str(args[2])) {
    asy_raise(vm, ASY_TypeError, "The fill character must be a unicode character, not %T", args[2]);
    return false;
  }
  asy_str *c = str_of(args[2]);
  if (c->len != 1) {
    asy_raise(vm, ASY_TypeError, "The fill character must be exactly one character long");
    return false;
  }
  *fill = asy_str_at(c, 0);
  *pad = width - str_of(args[0])->len;
  return true;
}

static asy_value str_center(asy_vm *vm, const asy_value *args) {
  int64_t pad;
  uint32_t fill;
  if (!pad_args(vm, args, &pad, &fill)) return ASY_FAILED;
  if (pad < 0) pad = 0;
  int64_t width = pad + str_of(args[0])->len, left = pad / 2 + (pad & width & 1);
  return padded(vm, args[0], left, pad - left, fill);
}

static asy_value str_ljust(asy_vm *vm, const asy_value *args) {
  int64_t pad;
  uint32_t fill;
  return pad_args(vm, args, &pad, &fill) ? padded(vm, args[0], 0, pad, fill) : ASY_FAILED;
}

static asy_value str_rjust(asy_vm *vm, const asy_value *args) {
  int64_t pad;
  uint32_t fill;
  return pad_args(vm, args, &pad, &fill) ? padded(vm, args[0], pad, 0, fill) : ASY_FAILED;
}

static asy_value str_zfill(asy_vm *vm, const asy_value *args) {
  asy_str *s = str_of(args[0]);
  int64_t width;
  if (!asy_to_size(vm, args[1], &width)) return ASY_FAILED;
  if (width <= s->len) return asy_str_exact(vm, args[0]);
  if (width > INT32_MAX) return asy_raise_no_memory(vm);
  asy_text t;
  uint32_t signs = s->len && (asy_str_at(s, 0) == '+' || asy_str_at(s, 0) == '-');
  asy_text_init(&t, vm);
  asy_text_slice(&t, s, 0, signs);
  asy_text_fill(&t, '0', (size_t)(width - s->len));
  asy_text_slice(&t, s, signs, s->len);
  return from_str(asy_text_finish(&t));
}

static asy_value str_expandtabs(asy_vm *vm, const asy_value *args) {
  asy_str *s = str_of(args[0]);
  int size, column = 0;
  if (!asy_to_int(vm, args[1], INT32_MIN, INT32_MAX, &size)) return ASY_FAILED;
  asy_text t;
  asy_text_init(&t, vm);
  for (uint32_t i = 0; i < s->len; i++) {
    uint32_t c = asy_str_at(s, i);
    if (c == '\t') {
      if (size > 0) {
        int n = size - column % size;
        asy_text_fill(&t, ' ', (size_t)n);
        column = column % size + n;
      }
    } else {
      asy_text_char(&t, c);
      column = c == '\n' || c == '\r' ? 0 : column + 1;
    }
  }
  return from_str(asy_text_finish(&t));
}

/* ---- Replacing, translating -------------------------------------------------------------------------------------------- */

/* s with `count` places of `old` (at least one) replaced, where old may be empty. Text of any width. */
static asy_value replace_any(asy_vm *vm, asy_str *s, asy_str *old, asy_str *new, size_t count) {
  asy_text t;
  uint32_t at = 0;
  asy_text_init(&t, vm);
  for (; count > 0; count--) {
    int64_t found = asy_str_find(vm, s, at, s->len, old);
    if (found < 0) break;
    asy_text_slice(&t, s, at, (uint32_t)found);
    asy_text_str(&t, new);
    at = (uint32_t)found + old->len;
    if (old->len == 0) {
      if (at >= s->len) break;
      asy_text_char(&t, asy_str_at(s, at));
      at++;
    }
  }
  asy_text_slice(&t, s, at, s->len);
  return from_str(asy_text_finish(&t));
}

/* to = from with the code point `what` replaced everywhere. */
static void replace_point(void *data, asy_str *s, uint32_t what, uint32_t with) {
  size_t i = 0, n = s->len;
  const void *points = asy_str_data(s);
  if (asy_str_width(s) == 2) {
    uint16_t *to2 = data;
    const uint16_t *from2 = points;
    for (; i < n; i++) to2[i] = from2[i] == what ? (uint16_t)with : from2[i];
    return;
  }
  if (asy_str_width(s) == 4) {
    uint32_t *to4 = data;
    const uint32_t *from4 = points;
    for (; i < n; i++) to4[i] = from4[i] == what ? with : from4[i];
    return;
  }
  uint8_t *to = data;
  const uint8_t *from = points;
  asy_lanes8 wanted = asy_all8((uint8_t)what), change = asy_all8((uint8_t)(with ^ what));
  for (; i + 16 <= n; i += 16) {
    asy_lanes8 v = asy_load8(from + i);
    asy_save8(to + i, v ^ ((asy_lanes8)(v == wanted) & change));
  }
  for (; i < n; i++) to[i] = from[i] == what ? (uint8_t)with : from[i];
}

/* The largest code point that the representation of s allows. */
static uint32_t class_max(const asy_str *s) {
  return s->head.flags & STR_ASCII ? 127 : asy_str_width(s) == 1 ? 255 : asy_str_width(s) == 2 ? 0xFFFF : 0x10FFFF;
}

/* s, or when what made it wide was taken out, a narrower copy. */
static asy_value canonical(asy_vm *vm, asy_str *s) {
  if (s->len > 1 && ((s->head.flags & STR_ASCII) || asy_str_max(s) == class_max(s))) return asy_from_obj(s);
  return from_str(asy_str_from_points(vm, asy_str_data(s), asy_str_width(s), s->len));
}

enum { MATCHES = 128 };

/* s, old and new all of one width, old not empty: the first `most` places replaced. The first MATCHES places are remembered, so
 * that text is searched once. The result may turn out narrower. */
static asy_value replace_width(asy_vm *vm, asy_str *s, const void *old, uint32_t old_len, const void *new,
                               uint32_t new_len, size_t most) {
  unsigned width = asy_str_width(s);
  const uint8_t *from = asy_str_data(s), *end = from + (size_t)s->len * width;
  uint32_t places[MATCHES];
  size_t count = 0, at = 0;
  while (count < most) {
    int64_t found = asy_find_points(from + at * width, s->len - at, old, old_len, width);
    if (found < 0) break;
    at += (size_t)found;
    if (count < MATCHES) places[count] = (uint32_t)at;
    count++;
    at += old_len;
  }
  if (count == 0) return asy_str_exact(vm, asy_from_obj(s));
  int64_t growth = (int64_t)new_len - old_len;
  if (growth > 0 && growth > (int64_t)((INT32_MAX - 2 - s->len) / count)) return asy_raise_no_memory(vm);
  void *data;
  asy_str *result = asy_str_alloc(vm, (size_t)((int64_t)s->len + growth * (int64_t)count), class_max(s), &data);
  if (!result) return ASY_FAILED;
  uint8_t *to = data;
  size_t done = 0;
  for (size_t i = 0; i < count; i++) {
    size_t place = i < MATCHES
                     ? places[i]
                     : done + (size_t)asy_find_points(from + done * width, s->len - done, old, old_len, width);
    memcpy(to, from + done * width, (place - done) * width);
    to += (place - done) * width;
    memcpy(to, new, (size_t)new_len * width);
    to += (size_t)new_len * width;
    done = place + old_len;
  }
  memcpy(to, from + done * width, (size_t)(end - from) - done * width);
  return canonical(vm, result);
}

/* The code points of s in a width at least its own; in `buffer` or malloc'ed memory, or in place. NULL: MemoryError is set. */
static const void *widened(asy_vm *vm, asy_str *s, unsigned width, uint32_t buffer[64]) {
  if (asy_str_width(s) == width) return asy_str_data(s);
  void *points = s->len <= 64 ? buffer : malloc((size_t)s->len * width);
  if (!points) asy_raise_no_memory(vm);
  else asy_copy_points(points, width, asy_str_data(s), asy_str_width(s), s->len);
  return points;
}

static asy_value replace_narrow(asy_vm *vm, asy_str *s, asy_str *old, asy_str *new, size_t most) {
  uint32_t old_buffer[64], new_buffer[64];
  unsigned width = asy_str_width(s);
  if (most == SIZE_MAX && old->len == 1 && new->len == 1) {
    void *data;
    uint32_t what = asy_str_at(old, 0);
    if (asy_find_point(asy_str_data(s), s->len, what, width) < 0) return asy_str_exact(vm, asy_from_obj(s));
    asy_str *result = asy_str_alloc(vm, s->len, class_max(s), &data);
    if (!result) return ASY_FAILED;
    replace_point(data, s, what, asy_str_at(new, 0));
    return canonical(vm, result);
  }
  const void *old_points = widened(vm, old, width, old_buffer), *new_points = widened(vm, new, width, new_buffer);
  asy_value result = old_points && new_points ? replace_width(vm, s, old_points, old->len, new_points, new->len, most)
                                              : ASY_FAILED;
  if (old_points != old_buffer && old_points != asy_str_data(old)) free((void *)(uintptr_t)old_points);
  if (new_points != new_buffer && new_points != asy_str_data(new)) free((void *)(uintptr_t)new_points);
  return result;
}

static asy_value str_replace(asy_vm *vm, const asy_value *args) {
  asy_str *s = str_of(args[0]), *old, *new;
  int64_t most;
  if (!want_str(vm, args[1], "replace() argument 1", &old) || !want_str(vm, args[2], "replace() argument 2", &new))
    return ASY_FAILED;
  if (!asy_to_size(vm, args[3], &most)) return ASY_FAILED;
  if (most == 0 || old->len > s->len || asy_str_width(old) > asy_str_width(s)) return asy_str_exact(vm, args[0]);
  bool fits = asy_str_width(new) <= asy_str_width(s) && (!(s->head.flags & STR_ASCII) || (new->head.flags &STR_ASCII));
  if (old->len && fits) return replace_narrow(vm, s, old, new, most < 0 ? SIZE_MAX : (size_t)most);
  size_t count = count_in(vm, s, 0, s->len, old, most < 0 ? SIZE_MAX : (size_t)most);
  if (count == 0) return asy_str_exact(vm, args[0]);
  if (new->len > old->len && (new->len - old->len) > (INT32_MAX - 2 - s->len) / count) {
    return asy_raise_no_memory(vm);
  }
  return replace_any(vm, s, old, new, count);
}

/* Appends what the table gives for c. */
static bool translate_one(asy_vm *vm, asy_text *t, asy_value table, uint32_t c) {
  asy_value to = asy_get_item(vm, table, asy_from_small(c));
  if (asy_failed(to)) {
    if (!asy_raised_is(vm, ASY_LookupError)) return false;
    asy_clear_exception(vm);
    asy_text_char(t, c);
    return true;
  }
  int64_t point;
  if (to == ASY_NONE) return true;
  if (asy_is_str(to)) {
    asy_text_str(t, str_of(to));
  } else if (asy_is_integer(to)) {
    if (!asy_is_number_int64(to, &point) || point < 0 || point > 0x10FFFF) {
      asy_raise(vm, ASY_ValueError, "character mapping must be in range(0x110000)");
      return false;
    }
    asy_text_char(t, (uint32_t)point);
  } else {
    asy_raise(vm, ASY_TypeError, "character mapping must return integer, None or str");
    return false;
  }
  return true;
}

/* What a dict gives for the ASCII characters of s: 0..127, or one of the marks. */
enum { TO_NOTHING = 128, TO_UNKNOWN = 129, TO_OTHER = 130 };

static uint8_t ascii_translation(asy_vm *vm, asy_dict *table, uint8_t c) {
  asy_value to;
  int64_t point;
  int found = asy_dict_get(vm, table, asy_from_small(c), &to);
  if (found == 0) return c;
  if (found < 0) { /* the __eq__ of a key raised: the slow path asks again */
    asy_clear_exception(vm);
    return TO_OTHER;
  }
  if (to == ASY_NONE) return TO_NOTHING;
  if (asy_is_int(to) && (point = asy_small(to)) >= 0 && point < 128) return (uint8_t)point;
  if (asy_is_str(to) && str_of(to)->len == 1 && (point = asy_str_at(str_of(to), 0)) < 128) return (uint8_t)point;
  return TO_OTHER;
}

/* ASCII text by an exact dict that keeps it ASCII. Stops before the first character that it cannot do; *done says where. */
static void translate_ascii(asy_vm *vm, asy_text *t, asy_str *s, asy_dict *table, uint32_t *done) {
  const uint8_t *from = asy_str_data(s);
  uint8_t map[128], out[256];
  uint32_t i = 0, n = 0;
  memset(map, TO_UNKNOWN, sizeof map);
  for (; i < s->len; i++) {
    uint8_t to = map[from[i]];
    if (to == TO_UNKNOWN) to = map[from[i]] = ascii_translation(vm, table, from[i]);
    if (to == TO_OTHER) break;
    out[n] = to;
    n += to != TO_NOTHING;
    if (n == sizeof out) {
      asy_text_ascii_n(t, (const char *)out, n);
      n = 0;
    }
  }
  asy_text_ascii_n(t, (const char *)out, n);
  *done = i;
}

static asy_value str_translate(asy_vm *vm, const asy_value *args) {
  asy_str *s = str_of(args[0]);
  asy_text t;
  uint32_t i = 0;
  asy_text_init(&t, vm);
  if ((s->head.flags & STR_ASCII) && asy_is_exact(args[1], KIND_DICT))
    translate_ascii(vm, &t, s, (asy_dict *)asy_obj_of(args[1]), &i);
  for (; i < s->len; i++) {
    if (!translate_one(vm, &t, args[1], asy_str_at(s, i))) {
      asy_text_discard(&t);
      return ASY_FAILED;
    }
  }
  return from_str(asy_text_finish(&t));
}

static asy_value maketrans_dict(asy_vm *vm, asy_dict *from, asy_dict *table) {
  uint32_t position = 0;
  asy_value key, value;
  while (asy_dict_next(from, &position, &key, &value)) {
    if (asy_is_str(key)) {
      if (str_of(key)->len != 1)
        return asy_raise(vm, ASY_ValueError, "string keys in translate table must be of length 1");
      key = asy_from_small(asy_str_at(str_of(key), 0));
    } else if (!asy_is_integer(key)) {
      return asy_raise(vm, ASY_TypeError, "keys in translate table must be strings or integers");
    }
    if (!asy_dict_set(vm, table, key, value)) return ASY_FAILED;
  }
  return asy_from_obj(table);
}

static asy_value str_maketrans(asy_vm *vm, const asy_value *args) {
  asy_dict *table = asy_dict_new(vm, 0);
  if (!table) return ASY_FAILED;
  if (args[1] == ASY_UNBOUND) {
    if (!asy_is_kind(args[0], KIND_DICT)) {
      return asy_raise(vm, ASY_TypeError, "if you give only one argument to maketrans it must be a dict");
    }
    return maketrans_dict(vm, (asy_dict *)asy_obj_of(args[0]), table);
  }
  asy_str *to, *drop;
  if (!want_str(vm, args[1], "maketrans() argument 2", &to)) return ASY_FAILED;
  if (!asy_is_str(args[0])) {
    return asy_raise(vm, ASY_TypeError, "first maketrans argument must be a string if there is a second argument");
  }
  asy_str *from = str_of(args[0]);
  if (from->len != to->len)
    return asy_raise(vm, ASY_ValueError, "the first two maketrans arguments must have equal length");
  for (uint32_t i = 0; i < from->len; i++) {
    if (!asy_dict_set(vm, table, asy_from_small(asy_str_at(from, i)), asy_from_small(asy_str_at(to, i))))
      return ASY_FAILED;
  }
  if (args[2] == ASY_UNBOUND) return asy_from_obj(table);
  if (!want_str(vm, args[2], "maketrans() argument 3", &drop)) return ASY_FAILED;
  for (uint32_t i = 0; i < drop->len; i++) {
    if (!asy_dict_set(vm, table, asy_from_small(asy_str_at(drop, i)), ASY_NONE)) return ASY_FAILED;
  }
  return asy_from_obj(table);
}

/* ---- Tests ---------------------------------------------------------------------------------------------------------------- */

static asy_value all_are(asy_value self, unsigned flags) {
  asy_str *s = str_of(self);
  for (uint32_t i = 0; i < s->len; i++)
    if (!asy_unicode_is(asy_str_at(s, i), flags)) return ASY_FALSE;
  return asy_from_bool(s->len > 0);
}

#define TEST(name, flags)                                                                                              \
  static asy_value name(asy_vm *vm, const asy_value *args) {                                                           \
    (void)vm;                                                                                                          \
    return all_are(args[0], flags);                                                                                    \
  }
TEST(str_isalnum, UNI_ALPHA | UNI_DECIMAL | UNI_DIGIT | UNI_NUMERIC)
TEST(str_isalpha, UNI_ALPHA)
TEST(str_isdecimal, UNI_DECIMAL)
TEST(str_isdigit, UNI_DIGIT | UNI_DECIMAL)
TEST(str_isnumeric, UNI_NUMERIC | UNI_DIGIT | UNI_DECIMAL)
TEST(str_isspace, UNI_SPACE)
#undef TEST

static asy_value str_isprintable(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return str_of(args[0])->len == 0 ? ASY_TRUE : all_are(args[0], UNI_PRINTABLE);
}

static asy_value str_isascii(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_bool(asy_str_max(str_of(args[0])) < 128);
}

static asy_value str_isidentifier(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_bool(asy_str_is_identifier(str_of(args[0])));
}

bool asy_str_is_identifier(const asy_str *s) {
  for (uint32_t i = 0; i < s->len; i++) {
    uint32_t c = asy_str_at(s, i);
    if (!(asy_unicode_is(c, i ? UNI_XID_CONTINUE : UNI_XID_START) || c == '_')) return false;
  }
  return s->len > 0;
}

/* All cased characters are `wanted`, and there is one. */
static asy_value cased_are(asy_value self, unsigned wanted, unsigned unwanted) {
  asy_str *s = str_of(self);
  bool any = false;
  for (uint32_t i = 0; i < s->len; i++) {
    unsigned flags = asy_unicode_of(asy_str_at(s, i))->flags;
    if (flags & unwanted) return ASY_FALSE;
    if (flags & wanted) any = true;
  }
  return asy_from_bool(any);
}

static asy_value str_islower(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return cased_are(args[0], UNI_LOWER, UNI_UPPER | UNI_TITLE);
}

static asy_value str_isupper(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return cased_are(args[0], UNI_UPPER, UNI_LOWER | UNI_TITLE);
}

static asy_value str_istitle(asy_vm *vm, const asy_value *args) {
  (void)vm;
  asy_str *s = str_of(args[0]);
  bool any = false, inside = false;
  for (uint32_t i = 0; i < s->len; i++) {
    unsigned flags = asy_unicode_of(asy_str_at(s, i))->flags;
    if (flags & (UNI_UPPER | UNI_TITLE)) {
      if (inside) return ASY_FALSE;
      inside = any = true;
    } else if (flags & UNI_LOWER) {
      if (!inside) return ASY_FALSE;
      any = true;
    } else {
      inside = false;
    }
  }
  return asy_from_bool(any);
}

/* ---- Encoding, formatting, the rest ----------------------------------------------------------------------------------------- */

static asy_value str_encode(asy_vm *vm, const asy_value *args) {
  const char *encoding = NULL, *errors = NULL;
  asy_str *name;
  if (args[1] != ASY_UNBOUND &&
      (!want_str(vm, args[1], "encode() argument 'encoding'", &name) || !asy_to_cstr(vm, args[1], &encoding)))
    return ASY_FAILED;
  if (args[2] != ASY_UNBOUND &&
      (!want_str(vm, args[2], "encode() argument 'errors'", &name) || !asy_to_cstr(vm, args[2], &errors)))
    return ASY_FAILED;
  return asy_encode(vm, str_of(args[0]), encoding, errors);
}

static asy_value str_format(asy_vm *vm, const asy_value *args) {
  return asy_str_format_method(vm, str_of(args[0]), (asy_tuple *)asy_obj_of(args[1]), (asy_dict *)asy_obj_of(args[2]),
                               ASY_UNBOUND);
}

static asy_value str_format_map(asy_vm *vm, const asy_value *args) {
  return asy_str_format_method(vm, str_of(args[0]), NULL, NULL, args[1]);
}

static asy_value str_getnewargs(asy_vm *vm, const asy_value *args) {
  asy_value exact = asy_str_exact(vm, args[0]);
  return asy_failed(exact) ? exact : asy_tuple_of(vm, 1, exact);
}

const asy_native asy_str_methods[] = {
  {"capitalize", SIG("(self, /)"), asy_str_capitalize, DOC("Return a capitalized version of the string."), 0},
  {"casefold", SIG("(self, /)"), asy_str_casefold,
   DOC("Return a version of the string suitable for caseless comparisons."), 0},
  {"center", SIG("(self, width, fillchar=' ', /)"), str_center, DOC("Return a centered string of length width."), 0},
  {"count", SIG("(self, sub, start=None, end=None, /)"), str_count,
   DOC("Return the number of non-overlapping occurrences of sub."), 0},
  {"encode", SIG("(self, /, encoding=?, errors=?)"), str_encode,
   DOC("Encode the string using the codec registered for encoding."), 0},
  {"endswith", SIG("(self, suffix, start=None, end=None, /)"), str_endswith,
   DOC("Return True if the string ends with the suffix."), 0},
  {"expandtabs", SIG("(self, /, tabsize=8)"), str_expandtabs,
   DOC("Return a copy where all tab characters are expanded using spaces."), 0},
  {"find", SIG("(self, sub, start=None, end=None, /)"), str_find,
   DOC("Return the lowest index where sub is found, or -1."), 0},
  {"format", SIG("(self, /, *args, **kwargs)"), str_format,
   DOC("Return a formatted version of the string, using substitutions."), 0},
  {"format_map", SIG("(self, mapping, /)"), str_format_map,
   DOC("Return a formatted version of the string, using a mapping."), 0},
  {"index", SIG("(self, sub, start=None, end=None, /)"), str_index,
   DOC("Return the lowest index where sub is found, or raise ValueError."), 0},
  {"isalnum", SIG("(self, /)"), str_isalnum, DOC("Return True if the string is an alpha-numeric string."), 0},
  {"isalpha", SIG("(self, /)"), str_isalpha, DOC("Return True if the string is an alphabetic string."), 0},
  {"isascii", SIG("(self, /)"), str_isascii, DOC("Return True if all characters in the string are ASCII."), 0},
  {"isdecimal", SIG("(self, /)"), str_isdecimal, DOC("Return True if the string is a decimal string."), 0},
  {"isdigit", SIG("(self, /)"), str_isdigit, DOC("Return True if the string is a digit string."), 0},
  {"isidentifier", SIG("(self, /)"), str_isidentifier, DOC("Return True if the string is a valid Python identifier."),
   0},
  {"islower", SIG("(self, /)"), str_islower, DOC("Return True if the string is a lowercase string."), 0},
  {"isnumeric", SIG("(self, /)"), str_isnumeric, DOC("Return True if the string is a numeric string."), 0},
  {"isprintable", SIG("(self, /)"), str_isprintable, DOC("Return True if all characters in the string are printable."),
   0},
  {"isspace", SIG("(self, /)"), str_isspace, DOC("Return True if the string is a whitespace string."), 0},
  {"istitle", SIG("(self, /)"), str_istitle, DOC("Return True if the string is a title-cased string."), 0},
  {"isupper", SIG("(self, /)"), str_isupper, DOC("Return True if the string is an uppercase string."), 0},
  {"join", SIG("(self, iterable, /)"), str_join, DOC("Concatenate any number of strings, with this one between them."),
   0},
  {"ljust", SIG("(self, width, fillchar=' ', /)"), str_ljust, DOC("Return a left-justified string of length width."),
   0},
  {"lower", SIG("(self, /)"), asy_str_lower, DOC("Return a copy of the string converted to lowercase."), 0},
  {"lstrip", SIG("(self, chars=None, /)"), str_lstrip,
   DOC("Return a copy of the string with leading whitespace removed."), 0},
  {"maketrans", SIG("(x, y=?, z=?, /)"), str_maketrans, DOC("Return a translation table usable for str.translate()."),
   ASY_NATIVE_STATIC},
  {"partition", SIG("(self, sep, /)"), str_partition,
   DOC("Partition the string into three parts using the given separator."), 0},
  {"removeprefix", SIG("(self, prefix, /)"), str_removeprefix,
   DOC("Return a str with the given prefix string removed if present."), 0},
  {"removesuffix", SIG("(self, suffix, /)"), str_removesuffix,
   DOC("Return a str with the given suffix string removed if present."), 0},
  {"replace", SIG("(self, old, new, /, count=-1)"), str_replace,
   DOC("Return a copy with all occurrences of substring old replaced by new."), 0},
  {"rfind", SIG("(self, sub, start=None, end=None, /)"), str_rfind,
   DOC("Return the highest index where sub is found, or -1."), 0},
  {"rindex", SIG("(self, sub, start=None, end=None, /)"), str_rindex,
   DOC("Return the highest index where sub is found, or raise ValueError."), 0},
  {"rjust", SIG("(self, width, fillchar=' ', /)"), str_rjust, DOC("Return a right-justified string of length width."),
   0},
  {"rpartition", SIG("(self, sep, /)"), str_rpartition,
   DOC("Partition the string into three parts, searching from the end."), 0},
  {"rsplit", SIG("(self, /, sep=None, maxsplit=-1)"), str_rsplit,
   DOC("Return a list of the substrings, splitting from the end."), 0},
  {"rstrip", SIG("(self, chars=None, /)"), str_rstrip,
   DOC("Return a copy of the string with trailing whitespace removed."), 0},
  {"split", SIG("(self, /, sep=None, maxsplit=-1)"), str_split,
   DOC("Return a list of the substrings, using sep as the separator string."), 0},
  {"splitlines", SIG("(self, /, keepends=False)"), str_splitlines,
   DOC("Return a list of the lines in the string, breaking at line boundaries."), 0},
  {"startswith", SIG("(self, prefix, start=None, end=None, /)"), str_startswith,
   DOC("Return True if the string starts with the prefix."), 0},
  {"strip", SIG("(self, chars=None, /)"), str_strip, DOC("Return a copy with leading and trailing whitespace removed."),
   0},
  {"swapcase", SIG("(self, /)"), asy_str_swapcase,
   DOC("Convert uppercase characters to lowercase and lowercase ones to uppercase."), 0},
  {"title", SIG("(self, /)"), asy_str_title, DOC("Return a version of the string where each word is titlecased."), 0},
  {"translate", SIG("(self, table, /)"), str_translate,
   DOC("Replace each character in the string using the given translation table."), 0},
  {"upper", SIG("(self, /)"), asy_str_upper, DOC("Return a copy of the string converted to uppercase."), 0},
  {"zfill", SIG("(self, width, /)"), str_zfill, DOC("Pad a numeric string with zeros on the left."), 0},
  {"__format__", SIG("(self, format_spec, /)"), asy_format_str,
   DOC("Return a formatted version of the string as described by format_spec."), 0},
  {"__getnewargs__", SIG("(self, /)"), str_getnewargs, 0, 0},
  {0},
};
