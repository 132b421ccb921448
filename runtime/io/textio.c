/* textio.c - TextIOWrapper: text over a buffered stream.
 *
 * With a codec of our own (UTF-8, ASCII, Latin-1) what is read ahead stays bytes until a line of it is asked for: in these codecs
 * a line end is a byte of its own, so that lines are found by memchr, each is decoded alone, and the position of the text is that
 * of its bytes: tell() needs no cookie. Other codecs go through their incremental decoder, whose state `snapshot` remembers.
 */
#include <stdlib.h>

#include "runtime/io/io.h"
#include "runtime/types/str_internal.h"

enum { READ_AHEAD = 32768 };

static io_text *text_of(asy_value v) { return (io_text *)asy_obj_of(v); }
static asy_value or_failed(const void *object) { return object ? asy_from_obj(object) : ASY_FAILED; }

bool io_newline_of(asy_vm *vm, asy_value v, const char *where, io_newline *out) {
  static const char *const names[] = {NULL, "", "\n", "\r", "\r\n"};
  const char *text;
  *out = NEWLINE_UNIVERSAL;
  if (v == ASY_NONE) return true;
  if (!asy_is_str(v)) {
    asy_raise(vm, ASY_TypeError, "%s() argument 'newline' must be str or None, not %T", where, v);
    return false;
  }
  if (!asy_to_cstr(vm, v, &text)) return false;
  for (int i = 1; i <= NEWLINE_CRLF; i++) {
    if (strcmp(text, names[i])) continue;
    *out = (io_newline)i;
    return true;
  }
  asy_raise(vm, ASY_ValueError, strcmp(where, "StringIO") ? "illegal newline value: %S" : "illegal newline value: %R",
            v);
  return false;
}

/* ---- Is it usable? ---- */

static bool check_ready(asy_vm *vm, const io_text *t) {
  if (t->ready) return true;
  asy_raise(vm, ASY_ValueError,
            t->detached ? "underlying buffer has been detached" : "I/O operation on uninitialized object");
  return false;
}

static bool check_open(asy_vm *vm, io_text *t) {
  if (!check_ready(vm, t)) return false;
  if (t->direct && t->direct->ready && t->direct->file->fd >= 0) return true;
  int closed = io_is_closed(vm, t->buffer);
  return closed >= 0 && io_check_open(vm, closed);
}

/* ---- Writing ---- */

static bool flush_pending(asy_vm *vm, io_text *t) {
  if (!t->out_len) return true;
  asy_value bytes = asy_from_bytes(vm, t->out, t->out_len);
  if (asy_failed(bytes)) return false;
  t->out_len = 0;
  return !asy_failed(asy_call_method(vm, t->buffer, ASY_NAME(vm, write), 1, &bytes));
}

static bool append_pending(asy_vm *vm, io_text *t, const void *data, size_t length) {
  if (t->out_len + length > (size_t)t->chunk && !flush_pending(vm, t)) return false;
  if (t->out_len + length > t->out_cap) {
    size_t cap = t->out_len + length > IO_BUFFER_SIZE ? t->out_len + length : IO_BUFFER_SIZE;
    uint8_t *grown = realloc(t->out, cap);
    if (!grown) return asy_raise_no_memory(vm), false;
    t->out = grown;
    t->out_cap = cap;
  }
  memcpy(t->out + t->out_len, data, length);
  t->out_len += length;
  return true;
}

static bool put_bytes(asy_vm *vm, io_text *t, const void *data, size_t length) {
  return t->direct ? io_buffered_write(vm, t->direct, data, length) : append_pending(vm, t, data, length);
}

/* Every \n becomes the line end in use. */
static bool put_lines(asy_vm *vm, io_text *t, const char *data, size_t length) {
  while (length) {
    const char *newline = memchr(data, '\n', length);
    size_t part = newline ? (size_t)(newline - data) : length;
    if (!put_bytes(vm, t, data, part)) return false;
    if (!newline) return true;
    if (!put_bytes(vm, t, "\r\n", t->newline == NEWLINE_CRLF ? 2 : 1)) return false;
    data += part + 1;
    length -= part + 1;
  }
  return true;
}

static bool translates_writes(const io_text *t) { return t->newline == NEWLINE_CRLF || t->newline == NEWLINE_CR; }

static asy_value replace_newlines(asy_vm *vm, const io_text *t, asy_str *s) {
  asy_value from = asy_from_cstr(vm, "\n"), to = asy_from_cstr(vm, t->newline == NEWLINE_CRLF ? "\r\n" : "\r");
  return io_call(vm, asy_from_obj(s), "replace", 2, (asy_value[]){from, to});
}

/* The text through another codec's encoder. */
static bool put_encoded(asy_vm *vm, io_text *t, asy_str *s) {
  asy_value text = translates_writes(t) ? replace_newlines(vm, t, s) : asy_from_obj(s);
  asy_value bytes = asy_failed(text) ? text : io_call(vm, t->encoder, "encode", 1, &text);
  if (asy_failed(bytes)) return false;
  if (!asy_is_kind(bytes, KIND_BYTES))
    return asy_raise(vm, ASY_TypeError, "encoder should return a bytes object, not '%T'", bytes), false;
  const asy_bytes *b = (const asy_bytes *)asy_obj_of(bytes);
  return put_bytes(vm, t, b->data, b->len);
}

static bool put_text(asy_vm *vm, io_text *t, asy_str *s) {
  asy_value encoded = 0;
  const char *data;
  size_t length;
  if (t->codec == ASY_CODEC_OTHER) return put_encoded(vm, t, s);
  if (s->head.flags & STR_ASCII) {
    data = asy_str_data(s);
    length = s->len;
  } else {
    static const char *const names[] = {"utf-8", "ascii", "latin-1"};
    encoded = asy_encode(vm, s, names[t->codec], t->errors_name);
    if (asy_failed(encoded)) return false;
    data = (const char *)((const asy_bytes *)asy_obj_of(encoded))->data;
    length = ((const asy_bytes *)asy_obj_of(encoded))->len;
  }
  return translates_writes(t) ? put_lines(vm, t, data, length) : put_bytes(vm, t, data, length);
}

/* What was read ahead is forgotten. */
static void drop_input(io_text *t) {
  t->in_start = t->in_end = 0;
  t->has_cr = t->eof = t->started = false;
  t->decoded = NULL;
  t->decoded_at = 0;
  t->snapshot = 0;
}

static bool flush_buffer(asy_vm *vm, io_text *t) {
  if (t->direct) return io_buffered_flush(vm, t->direct);
  return !asy_failed(asy_call_method(vm, t->buffer, ASY_NAME(vm, flush), 0, NULL));
}

static bool after_write(asy_vm *vm, io_text *t, bool line_end) {
  if (t->write_through || (t->line_buffering && line_end) || t->out_len > (size_t)t->chunk) {
    if (!flush_pending(vm, t)) return false;
    if (t->line_buffering && line_end && !flush_buffer(vm, t)) return false;
  }
  if (t->started) {
    drop_input(t);
    if (t->decoder && asy_failed(io_call(vm, t->decoder, "reset", 0, NULL))) return false;
  }
  return true;
}

static bool check_writes(asy_vm *vm, io_text *t) {
  if (!check_open(vm, t)) return false;
  if (!t->writable) io_unsupported(vm, "not writable");
  return t->writable;
}

static bool has_line_end(const asy_str *s) {
  const void *data = asy_str_data(s);
  unsigned width = asy_str_width(s);
  return asy_find_point(data, s->len, '\n', width) >= 0 || asy_find_point(data, s->len, '\r', width) >= 0;
}

bool io_text_write(asy_vm *vm, io_text *t, asy_str *s) {
  if (!check_writes(vm, t)) return false;
  bool line_end = t->line_buffering && has_line_end(s);
  return put_text(vm, t, s) && after_write(vm, t, line_end);
}

bool io_text_write_ascii(asy_vm *vm, io_text *t, const char *text, size_t length) {
  if (t->codec == ASY_CODEC_OTHER || t->line_buffering || translates_writes(t) || t->started) {
    asy_str *s = asy_str_new_utf8(vm, text, length);
    return s && io_text_write(vm, t, s);
  }
  return check_writes(vm, t) && put_bytes(vm, t, text, length) && (t->direct || after_write(vm, t, false));
}

static asy_value text_write(asy_vm *vm, const asy_value *args) {
  if (!check_ready(vm, text_of(args[0]))) return ASY_FAILED;
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "write() argument must be str, not %T", args[1]);
  asy_str *s = (asy_str *)asy_obj_of(args[1]);
  return io_text_write(vm, text_of(args[0]), s) ? asy_from_small(s->len) : ASY_FAILED;
}

static asy_value text_writelines(asy_vm *vm, const asy_value *args) {
  io_text *t = text_of(args[0]);
  bool exact = io_exactly(vm, args[0], vm->io_state->text);
  if (!check_open(vm, t)) return ASY_FAILED;
  asy_value iterator = asy_iter(vm, args[1]);
  if (asy_failed(iterator)) return ASY_FAILED;
  for (;;) {
    asy_value pair[2] = {args[0], asy_next(vm, iterator)};
    if (pair[1] == ASY_END) return ASY_NONE;
    if (asy_failed(pair[1])) return ASY_FAILED;
    if (asy_failed(exact ? text_write(vm, pair) : asy_call_method(vm, args[0], ASY_NAME(vm, write), 1, &pair[1])))
      return ASY_FAILED;
  }
}

static asy_value text_flush(asy_vm *vm, const asy_value *args) {
  io_text *t = text_of(args[0]);
  if (!check_open(vm, t)) return ASY_FAILED;
  t->telling = t->seekable;
  if (!flush_pending(vm, t)) return ASY_FAILED;
  if (t->direct && t->direct->writable) return io_buffered_flush(vm, t->direct) ? ASY_NONE : ASY_FAILED;
  return asy_call_method(vm, t->buffer, ASY_NAME(vm, flush), 0, NULL);
}

/* ---- Reading bytes ahead ---- */

static bool input_room(asy_vm *vm, io_text *t) {
  if (t->in_start == t->in_end) t->in_start = t->in_end = 0;
  if (t->in_cap - t->in_end >= READ_AHEAD) return true;
  if (t->in_start >= READ_AHEAD) { /* the front is free */
    memmove(t->in, t->in + t->in_start, t->in_end - t->in_start);
    t->in_end -= t->in_start;
    t->in_start = 0;
    return true;
  }
  size_t cap = t->in_cap ? t->in_cap * 2 : READ_AHEAD;
  while (cap - t->in_end < READ_AHEAD) cap *= 2;
  uint8_t *grown = realloc(t->in, cap);
  if (!grown) return asy_raise_no_memory(vm), false;
  t->in = grown;
  t->in_cap = cap;
  return true;
}

/* One piece from a stream that is not ours: a bytes-like object. */
static asy_value read_piece(asy_vm *vm, io_text *t, int64_t size) {
  const char *method = t->has_read1 ? "read1" : "read";
  asy_value count = asy_from_small(size);
  asy_value piece = io_call(vm, t->buffer, method, 1, &count);
  if (!asy_failed(piece) && !asy_is_bytes_like(piece))
    return asy_raise(vm, ASY_TypeError, "underlying %s() should have returned a bytes-like object, not '%T'", method,
                     piece);
  return piece;
}

static int64_t fill_by_script(asy_vm *vm, io_text *t) {
  asy_buffer b;
  asy_value piece = read_piece(vm, t, t->chunk);
  if (asy_failed(piece) || !asy_buffer_get(vm, piece, &b)) return -1;
  int64_t n = (int64_t)b.len;
  while (b.len > t->in_cap - t->in_end) {
    size_t cap = t->in_cap * 2;
    uint8_t *grown = realloc(t->in, cap);
    if (!grown) {
      asy_raise_no_memory(vm);
      n = -1;
      break;
    }
    t->in = grown;
    t->in_cap = cap;
  }
  if (n > 0) memcpy(t->in + t->in_end, b.data, b.len);
  asy_buffer_release(vm, &b);
  return n;
}

/* Line ends of in[from .. in_end) for `newlines`; a \r at the end waits for what follows. */
static void note_ends(io_text *t, size_t from) {
  if (t->newline > NEWLINE_UNIVERSAL_KEPT) return;
  if (!t->has_cr) {
    if (!(t->seen & SEEN_LF) && memchr(t->in + from, '\n', t->in_end - from)) t->seen |= SEEN_LF;
    return;
  }
  if (from > t->in_start && t->in[from - 1] == '\r') from--;
  for (size_t i = from; i < t->in_end; i++) {
    bool last = i + 1 == t->in_end;
    if (t->in[i] == '\n') t->seen |= SEEN_LF;
    if (t->in[i] != '\r' || (last && !t->eof)) continue;
    bool pair = !last && t->in[i + 1] == '\n';
    t->seen |= pair ? SEEN_CRLF : SEEN_CR;
    i += pair;
  }
}

/* Reads a piece more behind in_end: 1, 0 at the end, -1 failed. */
static int fill(asy_vm *vm, io_text *t) {
  if (t->busy) return asy_raise(vm, ASY_RuntimeError, "reentrant call inside %T", asy_from_obj(t)), -1;
  if (!input_room(vm, t)) return -1;
  t->busy = true;
  int64_t n = t->direct ? io_buffered_read1(vm, t->direct, t->in + t->in_end, t->in_cap - t->in_end)
                        : fill_by_script(vm, t);
  t->busy = false;
  if (n == -2)
    asy_raise(vm, ASY_TypeError, "underlying read1() should have returned a bytes-like object, not 'NoneType'");
  if (n < 0) return -1;
  t->started = true;
  t->eof = n == 0;
  if (n && t->newline <= NEWLINE_UNIVERSAL_KEPT && !t->has_cr)
    t->has_cr = memchr(t->in + t->in_end, '\r', (size_t)n) != NULL;
  t->in_end += (size_t)n;
  note_ends(t, t->in_end - (size_t)n);
  return n > 0;
}

/* ---- Bytes to text ---- */

/* in[in_start .. +n) as text; they are used up. Errors show where they lie in what was read ahead. */
static asy_value decode(asy_vm *vm, io_text *t, size_t n) {
  static const char *const names[] = {"utf-8", "ascii", "latin-1"};
  const uint8_t *from = t->in + t->in_start;
  asy_str *s;
  bool malformed = false;
  if (t->codec == ASY_CODEC_LATIN1) {
    s = asy_str_new_latin1(vm, from, n);
  } else {
    s = asy_str_from_utf8_strict(vm, from, n, &malformed);
    if (t->codec == ASY_CODEC_ASCII && s && !(s->head.flags & STR_ASCII)) malformed = true;
    if (malformed) {
      bool strict = !t->errors_name || !strcmp(t->errors_name, "strict");
      size_t before = strict ? t->in_start : 0;
      s = asy_decode(vm, 0, from - before, strict ? t->in_end : n, names[t->codec], t->errors_name);
      if (s && strict) s = asy_decode(vm, 0, from, n, names[t->codec], t->errors_name);
    }
  }
  t->in_start += n;
  if (t->in_start == t->in_end) {
    t->in_start = t->in_end = 0;
    t->has_cr = false;
  }
  return or_failed(s);
}

/* Line ends of in[in_start .. +n) become \n in place, at the end of that span; its new length. *in_start moves up. */
static size_t translate(io_text *t, size_t n) {
  if (!t->has_cr || t->newline != NEWLINE_UNIVERSAL) return n;
  uint8_t *to = t->in + t->in_start + n;
  for (size_t i = t->in_start + n; i-- > t->in_start;) {
    uint8_t c = t->in[i];
    bool pair = c == '\n' && i > t->in_start && t->in[i - 1] == '\r';
    *--to = c == '\r' ? '\n' : c;
    i -= pair;
  }
  size_t start = (size_t)(to - t->in), length = t->in_start + n - start;
  t->in_start = start;
  return length;
}

/* How many bytes the character at p has, as far as counting goes; 0: not all there yet. */
static size_t char_width(const io_text *t, const uint8_t *p, size_t left) {
  if (*p == '\r' && t->newline == NEWLINE_UNIVERSAL) return left > 1 ? 1 + (p[1] == '\n') : t->eof ? 1 : 0;
  if (t->codec != ASY_CODEC_UTF8 || *p < 0xc2 || *p >= 0xf5) return 1;
  size_t need = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4, have = 1;
  while (have < need && have < left && (p[have] & 0xc0) == 0x80) have++;
  return have == need || have < left || t->eof ? have : 0;
}

/* Bytes of at most `count` characters that are here; *found says how many those are. */
static size_t span_of_chars(const io_text *t, size_t available, size_t count, size_t *found) {
  const uint8_t *p = t->in + t->in_start;
  size_t i = 0, chars = 0;
  while (i < available && chars < count) {
    size_t width = char_width(t, p + i, available - i);
    if (!width) break;
    i += width;
    chars++;
  }
  *found = chars;
  return i;
}

static asy_value read_all_bytes(asy_vm *vm, io_text *t) {
  int more;
  while ((more = fill(vm, t)) > 0) {}
  if (more < 0) return ASY_FAILED;
  asy_value text = t->in_end > t->in_start ? decode(vm, t, translate(t, t->in_end - t->in_start))
                                           : asy_from_obj(vm->empty_str);
  if (t->in_cap > 4 * READ_AHEAD && !t->in_end) { /* a whole file was here */
    free(t->in);
    t->in = NULL;
    t->in_cap = 0;
  }
  return text;
}

static asy_value next_chars(asy_vm *vm, io_text *t, size_t count) {
  for (;;) {
    size_t found, span = span_of_chars(t, t->in_end - t->in_start, count, &found);
    if (found == count || t->eof) return span ? decode(vm, t, translate(t, span)) : asy_from_obj(vm->empty_str);
    if (fill(vm, t) < 0) return ASY_FAILED;
  }
}

static asy_value read_chars(asy_vm *vm, io_text *t, size_t count) {
  asy_value text = next_chars(vm, t, count);
  while (!asy_failed(text) && !(t->eof && t->in_start == t->in_end)) { /* bytes may have been ignored */
    size_t length = ((asy_str *)asy_obj_of(text))->len;
    if (length >= count) break;
    asy_value more = next_chars(vm, t, count - length);
    if (asy_failed(more)) return more;
    text = or_failed(asy_str_concat(vm, (asy_str *)asy_obj_of(text), (asy_str *)asy_obj_of(more)));
  }
  return text;
}

/* The length of the line at in_start, from `scanned` on, with its end, whose bytes are *end; 0: no end is here yet. */
static size_t find_line(const io_text *t, size_t scanned, size_t *end) {
  const uint8_t *start = t->in + t->in_start, *stop = t->in + t->in_end, *p = start + scanned;
  if (p >= stop) return 0;
  *end = 1;
  if (t->newline == NEWLINE_CRLF) {
    *end = 2;
    p = memmem(p, (size_t)(stop - p), "\r\n", 2);
  } else if (t->newline == NEWLINE_CR) {
    p = memchr(p, '\r', (size_t)(stop - p));
  } else if (t->newline == NEWLINE_LF || !t->has_cr) {
    p = memchr(p, '\n', (size_t)(stop - p));
  } else {
    while (p < stop && *p != '\n' && *p != '\r') p++;
    if (p == stop) return 0;
    if (*p == '\r') {
      if (p + 1 == stop && !t->eof) return 0; /* a \n may follow */
      *end = 1 + (p + 1 < stop && p[1] == '\n');
    }
  }
  return p ? (size_t)(p - start) + *end : 0;
}

/* The line of n bytes, of which the last `end` are its end. */
static asy_value take_line(asy_vm *vm, io_text *t, size_t n, size_t end) {
  uint8_t *at = t->in + t->in_start + n - end;
  if (t->newline != NEWLINE_UNIVERSAL || !end || *at == '\n') return decode(vm, t, n);
  *at = '\n';
  if (end == 1) return decode(vm, t, n);
  asy_value line = decode(vm, t, n - 1);
  if (++t->in_start == t->in_end) t->in_start = t->in_end = 0; /* the \n behind it */
  return line;
}

/* The next line, at most `limit` characters (< 0: any number); UNBOUND at the end. */
static asy_value read_line(asy_vm *vm, io_text *t, int64_t limit) {
  size_t scanned = 0, end = 0;
  for (;;) {
    size_t available = t->in_end - t->in_start, n = find_line(t, scanned, &end);
    if (!n && t->eof) {
      n = available;
      end = 0;
      if (!n) return ASY_UNBOUND;
    }
    if (limit >= 0 && (n || available >= (size_t)limit)) {
      size_t found, span = span_of_chars(t, n ? n : available, (size_t)limit, &found);
      if (found == (size_t)limit && span < (n ? n : available)) {
        if (!span) return asy_from_obj(vm->empty_str);
        return decode(vm, t, translate(t, span));
      }
    }
    if (n) return take_line(vm, t, n, end);
    scanned = available && t->in[t->in_end - 1] == '\r' ? available - 1 : available;
    if (fill(vm, t) < 0) return ASY_FAILED;
  }
}

/* ---- Through another codec's decoder ---- */

static bool read_decoded(asy_vm *vm, io_text *t, int64_t hint, bool *eof) {
  asy_value before = 0;
  if (t->telling) {
    before = io_call(vm, t->decoder, "getstate", 0, NULL);
    if (asy_failed(before)) return false;
    if (!asy_is_kind(before, KIND_TUPLE) || ((asy_tuple *)asy_obj_of(before))->len < 2 ||
        !asy_is_kind(((asy_tuple *)asy_obj_of(before))->items[0], KIND_BYTES))
      return asy_raise(vm, ASY_TypeError, "illegal decoder state"), false;
  }
  asy_value piece = read_piece(vm, t, hint > t->chunk ? hint : t->chunk);
  int64_t length = asy_failed(piece) ? -1 : asy_length(vm, piece);
  if (length < 0) return false;
  *eof = length == 0;
  asy_value text = io_call(vm, t->decoder, "decode", 2, (asy_value[]){piece, asy_from_bool(*eof)});
  if (asy_failed(text)) return false;
  if (!asy_is_str(text))
    return asy_raise(vm, ASY_TypeError, "decoder should return a string result, not '%T'", text), false;
  t->decoded = (asy_str *)asy_obj_of(text);
  t->decoded_at = 0;
  t->started = true;
  if (t->decoded->len) *eof = false;
  asy_barrier(vm, t);
  if (!before) return true;
  const asy_tuple *state = (const asy_tuple *)asy_obj_of(before);
  asy_value all = asy_binary(vm, BINARY_ADD, state->items[0], piece);
  asy_value snapshot = asy_failed(all) ? all : asy_tuple_of(vm, 2, state->items[1], all);
  if (asy_failed(snapshot)) return false;
  asy_store(vm, t, &t->snapshot, snapshot);
  return true;
}

static asy_str *take_decoded(asy_vm *vm, io_text *t, uint32_t n) {
  if (!t->decoded || !n) return vm->empty_str;
  uint32_t from = t->decoded_at;
  t->decoded_at += n;
  return asy_str_slice(vm, t->decoded, from, from + n);
}

static uint32_t decoded_left(const io_text *t) { return t->decoded ? t->decoded->len - t->decoded_at : 0; }

static asy_value read_decoded_chars(asy_vm *vm, io_text *t, int64_t count) {
  if (count < 0) {
    asy_value bytes = io_call(vm, t->buffer, "read", 0, NULL);
    asy_value rest = asy_failed(bytes) ? bytes : io_call(vm, t->decoder, "decode", 2, (asy_value[]){bytes, ASY_TRUE});
    if (asy_failed(rest)) return rest;
    if (!asy_is_str(rest)) return asy_raise(vm, ASY_TypeError, "decoder should return a string result, not '%T'", rest);
    asy_str *first = take_decoded(vm, t, decoded_left(t));
    t->decoded = NULL;
    t->snapshot = 0;
    return first ? or_failed(asy_str_concat(vm, first, (asy_str *)asy_obj_of(rest))) : ASY_FAILED;
  }
  asy_str *all = vm->empty_str;
  for (bool eof = false; all->len < count;) {
    if (!decoded_left(t)) {
      if (!read_decoded(vm, t, count - all->len, &eof)) return ASY_FAILED;
      if (eof) break;
    }
    uint32_t left = decoded_left(t), wanted = (uint32_t)(count - all->len);
    asy_str *part = take_decoded(vm, t, left < wanted ? left : wanted);
    if (!part || !(all = asy_str_concat(vm, all, part))) return ASY_FAILED;
  }
  return asy_from_obj(all);
}

/* Characters of the decoded text, from decoded_at on, up to the end of the line; 0: no end is here. */
static uint32_t decoded_line(const io_text *t, bool last) {
  const void *data = asy_str_data(t->decoded);
  unsigned width = asy_str_width(t->decoded);
  for (uint32_t i = t->decoded_at; i < t->decoded->len; i++) {
    uint32_t c = asy_peek(data, width, i), next = i + 1 < t->decoded->len ? asy_peek(data, width, i + 1) : 0;
    uint32_t n = i - t->decoded_at + 1;
    if (c == '\n' && t->newline != NEWLINE_CR && t->newline != NEWLINE_CRLF) return n;
    if (c != '\r') continue;
    if (t->newline == NEWLINE_CR) return n;
    if (t->newline == NEWLINE_CRLF && next == '\n') return n + 1;
    if (t->newline == NEWLINE_UNIVERSAL_KEPT && (next || last)) return n + (next == '\n');
  }
  return 0;
}

static asy_value read_decoded_line(asy_vm *vm, io_text *t, int64_t limit) {
  asy_str *line = vm->empty_str;
  for (bool eof = false;;) {
    if (!decoded_left(t)) {
      if (!read_decoded(vm, t, 0, &eof)) return ASY_FAILED;
      if (eof) return line->len ? asy_from_obj(line) : ASY_UNBOUND;
      if (!decoded_left(t)) continue;
    }
    if (line->len && asy_str_at(line, line->len - 1) == '\r' && t->newline >= NEWLINE_UNIVERSAL_KEPT &&
        t->newline != NEWLINE_LF && t->newline != NEWLINE_CR) { /* its end was cut in two */
      bool pair = asy_str_at(t->decoded, t->decoded_at) == '\n';
      if (pair && (limit < 0 || line->len < limit)) return or_failed(asy_str_concat(vm, line, take_decoded(vm, t, 1)));
      if (t->newline == NEWLINE_UNIVERSAL_KEPT) return asy_from_obj(line);
    }
    uint32_t n = decoded_line(t, false), all = n ? n : decoded_left(t);
    bool done = n != 0;
    if (limit >= 0 && line->len + (int64_t)all >= limit) {
      all = (uint32_t)(limit - line->len);
      done = true;
    }
    asy_str *part = take_decoded(vm, t, all);
    if (!part || !(line = line->len ? asy_str_concat(vm, line, part) : part)) return ASY_FAILED;
    if (done) return asy_from_obj(line);
  }
}

/* ---- Reading, as methods ---- */

static bool begin_read(asy_vm *vm, io_text *t) {
  if (!check_open(vm, t)) return false;
  if (!t->readable) return io_unsupported(vm, "not readable"), false;
  t->eof = false; /* a file may have grown since */
  return flush_pending(vm, t);
}

static asy_value text_read(asy_vm *vm, const asy_value *args) {
  io_text *t = text_of(args[0]);
  int64_t count;
  if (!check_ready(vm, t) || !io_size(vm, args[1], &count) || !begin_read(vm, t)) return ASY_FAILED;
  if (t->codec == ASY_CODEC_OTHER) return read_decoded_chars(vm, t, count);
  return count < 0 ? read_all_bytes(vm, t) : read_chars(vm, t, (size_t)count);
}

static asy_value next_line(asy_vm *vm, io_text *t, int64_t limit) {
  return t->codec == ASY_CODEC_OTHER ? read_decoded_line(vm, t, limit) : read_line(vm, t, limit);
}

static asy_value text_readline(asy_vm *vm, const asy_value *args) {
  io_text *t = text_of(args[0]);
  int64_t limit;
  if (!check_ready(vm, t) || !io_size(vm, args[1], &limit) || !begin_read(vm, t)) return ASY_FAILED;
  asy_value line = next_line(vm, t, limit);
  return line == ASY_UNBOUND ? asy_from_obj(vm->empty_str) : line;
}

static asy_value text_iter(asy_vm *vm, asy_value self) { return check_open(vm, text_of(self)) ? self : ASY_FAILED; }

static asy_value text_next(asy_vm *vm, asy_value self) {
  io_text *t = text_of(self);
  if (!check_ready(vm, t)) return ASY_FAILED;
  t->telling = false;
  asy_value line;
  if (asy_type_of(vm, self)->flags & ASY_CLASS_BUILTIN) {
    if (!begin_read(vm, t)) return ASY_FAILED;
    line = next_line(vm, t, -1);
  } else { /* a script class may have a readline of its own */
    line = io_call(vm, self, "readline", 0, NULL);
    if (!asy_failed(line) && !asy_is_str(line))
      return asy_raise(vm, ASY_OSError, "readline() should have returned a str object, not '%T'", line);
    if (!asy_failed(line) && !((asy_str *)asy_obj_of(line))->len) line = ASY_UNBOUND;
  }
  if (line != ASY_UNBOUND) return line;
  t->snapshot = 0;
  t->telling = t->seekable;
  return ASY_END;
}

/* ---- Position ---- */

/* A function of io.asy that knows how positions in the middle of decoded text are written as numbers. */
static asy_value cookie_call(asy_vm *vm, const char *name, int nargs, const asy_value *args) {
  asy_value io = asy_import(vm, "io");
  asy_value fn = asy_failed(io) ? io : asy_get_attr_cstr(vm, io, name);
  return asy_failed(fn) ? fn : asy_call(vm, fn, nargs, args);
}

static asy_value text_tell(asy_vm *vm, const asy_value *args) {
  io_text *t = text_of(args[0]);
  if (!check_open(vm, t)) return ASY_FAILED;
  if (!t->seekable) return io_unsupported(vm, "underlying stream is not seekable");
  if (!t->telling) return asy_raise(vm, ASY_OSError, "telling position disabled by next() call");
  if (!flush_pending(vm, t) || asy_failed(asy_call_method(vm, args[0], ASY_NAME(vm, flush), 0, NULL)))
    return ASY_FAILED;
  asy_value at = io_call(vm, t->buffer, "tell", 0, NULL);
  if (asy_failed(at)) return at;
  if (t->codec != ASY_CODEC_OTHER)
    return asy_binary(vm, BINARY_SUB, at, asy_from_small((int64_t)(t->in_end - t->in_start)));
  if (!t->decoder || !t->snapshot) return at;
  return cookie_call(vm, "_cookie", 4,
                     (asy_value[]){at, t->decoder, t->snapshot, asy_from_small(t->decoded ? t->decoded_at : 0)});
}

static bool reset_encoder(asy_vm *vm, io_text *t, bool at_start) {
  if (!t->encoder) return true;
  asy_value zero = asy_from_small(0);
  return !asy_failed(at_start ? io_call(vm, t->encoder, "reset", 0, NULL)
                              : io_call(vm, t->encoder, "setstate", 1, &zero));
}

/* Goes to a place that tell() named in the middle of decoded text. */
static asy_value seek_cookie(asy_vm *vm, io_text *t, asy_value cookie) {
  asy_value parts = cookie_call(vm, "_cookie_parts", 1, &cookie);
  if (asy_failed(parts)) return parts;
  const asy_value *part = ((asy_tuple *)asy_obj_of(parts))->items; /* position, flags, bytes, characters, at the end */
  if (asy_failed(io_call(vm, t->buffer, "seek", 1, &part[0]))) return ASY_FAILED;
  drop_input(t);
  if (t->decoder) {
    bool plain = cookie == asy_from_small(0);
    asy_value state = plain ? ASY_NONE : asy_tuple_of(vm, 2, asy_from_bytes(vm, "", 0), part[1]);
    if (asy_failed(plain ? io_call(vm, t->decoder, "reset", 0, NULL) : io_call(vm, t->decoder, "setstate", 1, &state)))
      return ASY_FAILED;
    if (part[3] != asy_from_small(0)) {
      asy_value bytes = io_call(vm, t->buffer, "read", 1, &part[2]);
      asy_value text = asy_failed(bytes) ? bytes : io_call(vm, t->decoder, "decode", 2, (asy_value[]){bytes, part[4]});
      if (asy_failed(text)) return text;
      if (!asy_is_str(text) || ((asy_str *)asy_obj_of(text))->len < asy_small(part[3]))
        return asy_raise(vm, ASY_OSError, "can't restore logical file position");
      t->decoded = (asy_str *)asy_obj_of(text);
      t->decoded_at = (uint32_t)asy_small(part[3]);
      asy_value snapshot = asy_tuple_of(vm, 2, part[1], bytes);
      if (asy_failed(snapshot)) return snapshot;
      asy_store(vm, t, &t->snapshot, snapshot);
      asy_barrier(vm, t);
    }
  }
  return reset_encoder(vm, t, cookie == asy_from_small(0)) ? cookie : ASY_FAILED;
}

static asy_value text_seek(asy_vm *vm, const asy_value *args) {
  io_text *t = text_of(args[0]);
  asy_value cookie = args[1];
  int64_t whence;
  if (!asy_to_int64(vm, args[2], &whence) || !check_open(vm, t)) return ASY_FAILED;
  if (!t->seekable) return io_unsupported(vm, "underlying stream is not seekable");
  if (!asy_is_integer(cookie))
    return asy_raise(vm, ASY_TypeError, "'%T' object cannot be interpreted as an integer", cookie);
  if (whence == 1) {
    if (asy_int_sign(cookie)) return io_unsupported(vm, "can't do nonzero cur-relative seeks");
    if (asy_failed(asy_call_method(vm, args[0], ASY_NAME(vm, flush), 0, NULL))) return ASY_FAILED;
    cookie = io_call(vm, args[0], "tell", 0, NULL);
    if (asy_failed(cookie)) return cookie;
  } else if (whence == 2) {
    if (asy_int_sign(cookie)) return io_unsupported(vm, "can't do nonzero end-relative seeks");
    if (asy_failed(asy_call_method(vm, args[0], ASY_NAME(vm, flush), 0, NULL))) return ASY_FAILED;
    drop_input(t);
    if (t->decoder && asy_failed(io_call(vm, t->decoder, "reset", 0, NULL))) return ASY_FAILED;
    asy_value at = io_call(vm, t->buffer, "seek", 2, (asy_value[]){cookie, asy_from_small(2)});
    if (asy_failed(at)) return at;
    return reset_encoder(vm, t, at == asy_from_small(0)) ? at : ASY_FAILED;
  } else if (whence) {
    return asy_raise(vm, ASY_ValueError, "invalid whence (%lld, should be 0, 1 or 2)", (long long)whence);
  }
  if (asy_int_sign(cookie) < 0) return asy_raise(vm, ASY_ValueError, "negative seek position %R", cookie);
  if (asy_failed(asy_call_method(vm, args[0], ASY_NAME(vm, flush), 0, NULL))) return ASY_FAILED;
  if (t->codec == ASY_CODEC_OTHER) return seek_cookie(vm, t, cookie);
  if (asy_failed(io_call(vm, t->buffer, "seek", 1, &cookie))) return ASY_FAILED;
  drop_input(t);
  return cookie;
}

static asy_value text_truncate(asy_vm *vm, const asy_value *args) {
  if (!check_ready(vm, text_of(args[0])) || asy_failed(asy_call_method(vm, args[0], ASY_NAME(vm, flush), 0, NULL)))
    return ASY_FAILED;
  return io_call(vm, text_of(args[0])->buffer, "truncate", 1, &args[1]);
}

/* ---- Its life ---- */

static void text_visit(asy_obj *o, asy_visitor *v) {
  const io_text *t = (const io_text *)o;
  const asy_value values[] = {t->buffer, t->encoding, t->errors, t->encoder, t->decoder, t->snapshot, t->mode};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) asy_visit_value(v, values[i]);
  asy_visit_obj(v, t->decoded);
}

static void text_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  free(((io_text *)o)->in);
  free(((io_text *)o)->out);
}

static asy_value text_new(asy_vm *vm, const asy_value *args) {
  io_text *t = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (t) t->chunk = IO_BUFFER_SIZE;
  return or_failed(t);
}

/* Codecs that are not ours: the incremental coders that the registry has. */
static bool make_coders(asy_vm *vm, io_text *t, asy_value encoding, asy_value errors) {
  asy_value codecs = asy_import(vm, "codecs");
  asy_value info = asy_failed(codecs) ? codecs : io_call(vm, codecs, "lookup", 1, &encoding);
  if (asy_failed(info)) return false;
  asy_value is_text = asy_get_attr_cstr(vm, info, "_is_text_encoding");
  if (asy_failed(is_text)) asy_clear_exception(vm);
  else if (is_text == ASY_FALSE)
    return asy_raise(vm, ASY_LookupError, "%R is not a text encoding; use codecs.open() to handle arbitrary codecs",
                     encoding),
           false;
  asy_value decoder = io_call(vm, info, "incrementaldecoder", 1, &errors);
  if (asy_failed(decoder)) return false;
  if (t->newline <= NEWLINE_UNIVERSAL_KEPT) {
    decoder = asy_call2(vm, asy_from_obj(vm->io_state->newline_decoder), decoder,
                        asy_from_bool(t->newline == NEWLINE_UNIVERSAL));
    if (asy_failed(decoder)) return false;
  }
  asy_store(vm, t, &t->decoder, decoder);
  asy_value encoder = t->writable ? io_call(vm, info, "incrementalencoder", 1, &errors) : 0;
  if (encoder && asy_failed(encoder)) return false;
  asy_store(vm, t, &t->encoder, encoder);
  return true;
}

/* Encoding and errors; None means utf-8 and strict. */
static bool set_codec(asy_vm *vm, io_text *t, asy_value encoding, asy_value errors) {
  const char *name = "UTF-8", *errors_name = NULL;
  if (encoding != ASY_NONE && !asy_to_cstr(vm, encoding, &name)) return false;
  if (!strcmp(name, "locale")) encoding = ASY_NONE, name = "UTF-8";
  if (errors != ASY_NONE && !asy_to_cstr(vm, errors, &errors_name)) return false;
  asy_value shown = encoding == ASY_NONE ? asy_from_cstr(vm, name) : encoding;
  asy_value how = errors == ASY_NONE ? asy_from_cstr(vm, "strict") : errors;
  if (asy_failed(shown) || asy_failed(how)) return false;
  asy_codec_kind kind = asy_codec_find(name);
  t->encoder = t->decoder = 0;
  if (kind > ASY_CODEC_LATIN1) {
    kind = ASY_CODEC_OTHER;
    if (!make_coders(vm, t, shown, how)) return false;
  }
  t->codec = kind;
  asy_store(vm, t, &t->encoding, shown);
  asy_store(vm, t, &t->errors, how);
  t->errors_name = errors_name && strcmp(errors_name, "strict") ? errors_name : NULL;
  return true;
}

/* Where writing begins, an encoder puts its mark; elsewhere it does not. */
static bool fix_encoder_state(asy_vm *vm, io_text *t) {
  if (!t->seekable || !t->encoder) return true;
  asy_value at = io_call(vm, t->buffer, "tell", 0, NULL);
  return !asy_failed(at) && (at == asy_from_small(0) || reset_encoder(vm, t, false));
}

static io_buffered *direct_buffer(asy_vm *vm, asy_value buffer) {
  const asy_io_state *io = vm->io_state;
  if (!io_exactly(vm, buffer, io->reader) && !io_exactly(vm, buffer, io->writer) && !io_exactly(vm, buffer, io->random))
    return NULL;
  io_buffered *b = (io_buffered *)asy_obj_of(buffer);
  return b->file ? b : NULL;
}

static bool ask(asy_vm *vm, asy_value buffer, const char *method, bool *out) {
  asy_value said = io_call(vm, buffer, method, 0, NULL);
  int truth = asy_failed(said) ? -1 : asy_truth(vm, said);
  *out = truth > 0;
  return truth >= 0;
}

static bool text_open(asy_vm *vm, io_text *t, asy_value buffer, asy_value encoding, asy_value errors) {
  asy_value read1;
  asy_str *name = asy_intern(vm, "read1");
  asy_store(vm, t, &t->buffer, buffer);
  if (!ask(vm, buffer, "readable", &t->readable) || !ask(vm, buffer, "writable", &t->writable) ||
      !ask(vm, buffer, "seekable", &t->seekable) || !set_codec(vm, t, encoding, errors))
    return false;
  int has = name ? asy_find_attr(vm, buffer, name, &read1) : -1;
  if (has < 0) return false;
  t->has_read1 = has;
  t->telling = t->seekable;
  t->direct = direct_buffer(vm, buffer);
  drop_input(t);
  t->out_len = 0;
  if (!fix_encoder_state(vm, t)) return false;
  t->ready = true;
  t->detached = t->base.closed = false;
  io_adopt(vm, buffer);
  return true;
}

static bool text_or_none(asy_vm *vm, asy_value v, const char *what) {
  if (v == ASY_NONE || asy_is_str(v)) return true;
  asy_raise(vm, ASY_TypeError, "TextIOWrapper() argument '%s' must be str or None, not %T", what, v);
  return false;
}

static asy_value text_init(asy_vm *vm, const asy_value *args) {
  io_text *t = text_of(args[0]);
  t->ready = t->detached = false;
  int line_buffering = asy_truth(vm, args[5]), write_through = asy_truth(vm, args[6]);
  if (line_buffering < 0 || write_through < 0 || !text_or_none(vm, args[2], "encoding") ||
      !text_or_none(vm, args[3], "errors") || !io_newline_of(vm, args[4], "TextIOWrapper", &t->newline))
    return ASY_FAILED;
  t->line_buffering = line_buffering;
  t->write_through = write_through;
  return text_open(vm, t, args[1], args[2], args[3]) ? ASY_NONE : ASY_FAILED;
}

asy_value io_text_on(asy_vm *vm, asy_value buffer, asy_value encoding, asy_value errors, asy_value newline,
                     bool line_buffering, bool write_through) {
  asy_value cls = asy_from_obj(vm->io_state->text), self = text_new(vm, &cls);
  if (asy_failed(self)) return self;
  io_text *t = text_of(self);
  t->line_buffering = line_buffering;
  t->write_through = write_through;
  if (!io_newline_of(vm, newline, "open", &t->newline)) return ASY_FAILED;
  return text_open(vm, t, buffer, encoding, errors) ? self : ASY_FAILED;
}

static asy_value text_close(asy_vm *vm, const asy_value *args) {
  io_text *t = text_of(args[0]);
  if (!check_ready(vm, t)) return ASY_FAILED;
  int closed = io_is_closed(vm, t->buffer);
  if (closed) return closed < 0 ? ASY_FAILED : ASY_NONE;
  asy_value flushed = asy_call_method(vm, args[0], ASY_NAME(vm, flush), 0, NULL);
  asy_value error = asy_failed(flushed) ? asy_take_exception(vm) : 0;
  asy_value shut = asy_call_method(vm, t->buffer, ASY_NAME(vm, close), 0, NULL);
  if (asy_type_of(vm, args[0])->flags & ASY_CLASS_BUILTIN) asy_cancel_finalizer(t);
  if (!t->busy) {
    free(t->in);
    t->in = NULL;
    t->in_cap = 0;
    drop_input(t);
  }
  if (error && asy_failed(shut)) {
    asy_value second = asy_take_exception(vm);
    asy_set_attr_cstr(vm, second, "__context__", error);
    error = second;
  }
  if (error) asy_set_exception(vm, error);
  return error || asy_failed(shut) ? ASY_FAILED : ASY_NONE;
}

static asy_value text_detach(asy_vm *vm, const asy_value *args) {
  io_text *t = text_of(args[0]);
  if (!check_ready(vm, t) || asy_failed(asy_call_method(vm, args[0], ASY_NAME(vm, flush), 0, NULL))) return ASY_FAILED;
  asy_value buffer = t->buffer;
  t->buffer = 0;
  t->direct = NULL;
  t->ready = false;
  t->detached = true;
  return io_release(vm, buffer) ? buffer : ASY_FAILED;
}

/* A flag that None leaves as it is. */
static bool maybe_flag(asy_vm *vm, asy_value v, bool *flag) {
  if (v == ASY_NONE) return true;
  int truth = asy_truth(vm, v);
  if (truth >= 0) *flag = truth;
  return truth >= 0;
}

static asy_value text_reconfigure(asy_vm *vm, const asy_value *args) {
  io_text *t = text_of(args[0]);
  if (!check_ready(vm, t)) return ASY_FAILED;
  asy_value encoding = args[1], errors = args[2], newline = args[3];
  bool recode = encoding != ASY_NONE || errors != ASY_NONE || newline != ASY_UNBOUND;
  bool line_buffering = t->line_buffering, write_through = t->write_through;
  if (t->started && recode)
    return io_unsupported(vm, "It is not possible to set the encoding or newline of stream after the first read");
  if (!text_or_none(vm, encoding, "encoding") || !text_or_none(vm, errors, "errors") ||
      !maybe_flag(vm, args[4], &line_buffering) || !maybe_flag(vm, args[5], &write_through))
    return ASY_FAILED;
  io_newline kind = t->newline;
  if (newline != ASY_UNBOUND && !io_newline_of(vm, newline, "reconfigure", &kind)) return ASY_FAILED;
  if (asy_failed(asy_call_method(vm, args[0], ASY_NAME(vm, flush), 0, NULL))) return ASY_FAILED;
  t->newline = kind;
  if (recode) {
    asy_value how = errors != ASY_NONE ? errors : encoding != ASY_NONE ? ASY_NONE : t->errors;
    if (!set_codec(vm, t, encoding == ASY_NONE ? t->encoding : encoding, how) || !fix_encoder_state(vm, t))
      return ASY_FAILED;
  }
  t->line_buffering = line_buffering;
  t->write_through = write_through;
  return ASY_NONE;
}

static asy_value of_buffer(asy_vm *vm, const asy_value *args, const char *method) {
  io_text *t = text_of(args[0]);
  return check_ready(vm, t) ? io_call(vm, t->buffer, method, 0, NULL) : ASY_FAILED;
}
static asy_value text_fileno(asy_vm *vm, const asy_value *args) { return of_buffer(vm, args, "fileno"); }
static asy_value text_isatty(asy_vm *vm, const asy_value *args) { return of_buffer(vm, args, "isatty"); }
static asy_value text_seekable(asy_vm *vm, const asy_value *args) { return of_buffer(vm, args, "seekable"); }
static asy_value text_readable(asy_vm *vm, const asy_value *args) { return of_buffer(vm, args, "readable"); }
static asy_value text_writable(asy_vm *vm, const asy_value *args) { return of_buffer(vm, args, "writable"); }

static asy_value text_closed(asy_vm *vm, const asy_value *args) {
  io_text *t = text_of(args[0]);
  return check_ready(vm, t) ? asy_get_attr_cstr(vm, t->buffer, "closed") : ASY_FAILED;
}
static asy_value text_name(asy_vm *vm, const asy_value *args) {
  io_text *t = text_of(args[0]);
  return check_ready(vm, t) ? asy_get_attr_cstr(vm, t->buffer, "name") : ASY_FAILED;
}

static asy_value text_newlines(asy_vm *vm, const asy_value *args) {
  static const char *const names[] = {"\r", "\n", "\r\n"};
  io_text *t = text_of(args[0]);
  asy_value found[3];
  uint32_t n = 0;
  if (!check_ready(vm, t)) return ASY_FAILED;
  if (t->decoder) {
    asy_value seen;
    asy_str *name = asy_intern(vm, "newlines");
    int has = name ? asy_find_attr(vm, t->decoder, name, &seen) : -1;
    return has > 0 ? seen : has ? ASY_FAILED : ASY_NONE;
  }
  for (int i = 0; i < 3; i++) {
    if (!(t->seen & 1 << i)) continue;
    found[n] = asy_from_cstr(vm, names[i]);
    if (asy_failed(found[n++])) return ASY_FAILED;
  }
  if (n < 2) return n ? found[0] : ASY_NONE;
  return or_failed(asy_tuple_new(vm, found, n));
}

static asy_value text_mode(asy_vm *vm, const asy_value *args) {
  io_text *t = text_of(args[0]);
  return t->mode ? t->mode : asy_raise(vm, ASY_AttributeError, "'%T' object has no attribute 'mode'", args[0]);
}

static asy_value text_set_mode(asy_vm *vm, const asy_value *args) {
  asy_store(vm, text_of(args[0]), &text_of(args[0])->mode, args[1] == ASY_UNBOUND ? 0 : args[1]);
  return ASY_NONE;
}

static asy_value text_chunk(asy_vm *vm, const asy_value *args) { return asy_from_small(text_of(args[0])->chunk); }

static asy_value text_set_chunk(asy_vm *vm, const asy_value *args) {
  int64_t size;
  if (args[1] == ASY_UNBOUND) return asy_raise(vm, ASY_AttributeError, "cannot delete attribute");
  if (!asy_to_int64(vm, args[1], &size)) return ASY_FAILED;
  if (size <= 0) return asy_raise(vm, ASY_ValueError, "a strictly positive integer is required");
  text_of(args[0])->chunk = size;
  return ASY_NONE;
}

/* The attribute when it can be had; UNBOUND otherwise. */
static asy_value maybe(asy_vm *vm, asy_value self, const char *name) {
  asy_value v = asy_get_attr_cstr(vm, self, name);
  if (!asy_failed(v)) return v;
  asy_clear_exception(vm);
  return ASY_UNBOUND;
}

static asy_value text_repr(asy_vm *vm, asy_value self) {
  io_text *t = text_of(self);
  if (!asy_check_c_stack_in(vm, " while getting the repr of an object")) return ASY_FAILED;
  asy_text out;
  asy_text_init(&out, vm);
  asy_value parts[] = {maybe(vm, self, "name"), maybe(vm, self, "mode"), t->encoding};
  static const char *const labels[] = {" name=", " mode=", " encoding="};
  asy_text_ascii(&out, "<_io.");
  asy_text_str(&out, asy_type_of(vm, self)->name);
  for (int i = 0; i < 3; i++) {
    if (parts[i] == ASY_UNBOUND) continue;
    asy_text_ascii(&out, labels[i]);
    asy_text_repr_of(&out, parts[i]);
  }
  asy_text_ascii(&out, ">");
  return or_failed(asy_text_finish(&out));
}

static asy_value no_pickle(asy_vm *vm, const asy_value *args) {
  return asy_raise(vm, ASY_TypeError, "cannot pickle '%N' instances", asy_class_of(vm, args[0]));
}

static const asy_native text_methods[] = {
  {"_CHUNK_SIZE", SIG("(self)"), text_chunk, 0, ASY_NATIVE_GETTER},
  {"_CHUNK_SIZE", SIG("(self, value)"), text_set_chunk, 0, ASY_NATIVE_SETTER},
  {"__getstate__", SIG("(self, /)"), no_pickle, 0, 0},
  {"__reduce__", SIG("(self, /)"), no_pickle, 0, 0},
  {"__reduce_ex__", SIG("(self, proto, /)"), no_pickle, 0, 0},
  {"close", SIG("(self, /)"), text_close, DOC("Flush and close the IO object."), 0},
  {"closed", SIG("(self)"), text_closed, 0, ASY_NATIVE_GETTER},
  {"detach", SIG("(self, /)"), text_detach, DOC("Separate the underlying buffer from the TextIOBase and return it."),
   0},
  {"fileno", SIG("(self, /)"), text_fileno, DOC("Return underlying file descriptor."), 0},
  {"flush", SIG("(self, /)"), text_flush, DOC("Flush write buffers."), 0},
  {"isatty", SIG("(self, /)"), text_isatty, DOC("Return whether this is an 'interactive' stream."), 0},
  {"mode", SIG("(self)"), text_mode, 0, ASY_NATIVE_GETTER},
  {"mode", SIG("(self, value)"), text_set_mode, 0, ASY_NATIVE_SETTER},
  {"name", SIG("(self)"), text_name, 0, ASY_NATIVE_GETTER},
  {"newlines", SIG("(self)"), text_newlines, 0, ASY_NATIVE_GETTER},
  {"read", SIG("(self, size=-1, /)"), text_read,
   DOC("Read at most size characters from stream; all when negative or None."), 0},
  {"readable", SIG("(self, /)"), text_readable, 0, 0},
  {"readline", SIG("(self, size=-1, /)"), text_readline, DOC("Read until newline or EOF."), 0},
  {"reconfigure", SIG("(self, *, encoding=None, errors=None, newline=?, line_buffering=None, write_through=None)"),
   text_reconfigure, DOC("Reconfigure the text stream with new parameters."), 0},
  {"seek", SIG("(self, cookie, whence=0, /)"), text_seek,
   DOC("Set the stream position, and return the new stream position."), 0},
  {"seekable", SIG("(self, /)"), text_seekable, 0, 0},
  {"tell", SIG("(self, /)"), text_tell, DOC("Return the stream position as an opaque number."), 0},
  {"truncate", SIG("(self, pos=None, /)"), text_truncate, 0, 0},
  {"writable", SIG("(self, /)"), text_writable, 0, 0},
  {"write", SIG("(self, text, /)"), text_write, DOC("Write string s to stream."), 0},
  {"writelines", SIG("(self, lines, /)"), text_writelines, DOC("Write a list of lines to stream."), 0},
  {0},
};

static const asy_member text_members[] = {
  {"buffer", offsetof(io_text, buffer), MEMBER_VALUE, false},
  {"encoding", offsetof(io_text, encoding), MEMBER_VALUE, false},
  {"errors", offsetof(io_text, errors), MEMBER_VALUE, false},
  {"line_buffering", offsetof(io_text, line_buffering), MEMBER_BOOL8, false},
  {"write_through", offsetof(io_text, write_through), MEMBER_BOOL8, false},
  {0},
};

const asy_type asy_textio_type = {
  .name = "_io.TextIOWrapper",
  .doc = "Character and line based layer over a BufferedIOBase object, buffer.",
  .base = &asy_textiobase_type,
  .size = sizeof(io_text),
  .flags = ASY_TYPE_ATTRS,
  .visit = text_visit,
  .free = text_free,
  .special = &(const asy_special){.finalize = io_finalize},
  .new_ = text_new,
  .new_signature = SIG("(cls, *args, **kwargs)"),
  .init = text_init,
  .init_signature = SIG(
    "(self, buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)"),
  .repr = text_repr,
  .iter = text_iter,
  .next = text_next,
  .methods = text_methods,
  .members = text_members,
};
