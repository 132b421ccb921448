/* reader.c - asyncio.StreamReader. See reader.h. */
#include "runtime/net/reader.h"

#include <string.h>

#include "runtime/class.h"
#include "runtime/coro.h"
#include "runtime/exc.h"
#include "runtime/net/transport.h"

enum { DEFAULT_LIMIT = 65536, KEPT_STORE = 4096, LEAST_STORE = 256 };

static asy_reader *self_of(const asy_value *args) { return (asy_reader *)asy_obj_of(args[0]); }
static const uint8_t *unread(const asy_reader *r) { return (r->whole ? r->whole->data : r->store) + r->start; }

/* ---- The buffer ----------------------------------------------------------------------------------------------------- */

static void give_back_store(asy_vm *vm, asy_reader *r) {
  if (r->store) asy_mem_free(vm, r->store, r->cap);
  r->store = NULL;
  r->cap = 0;
}

static void drop(asy_vm *vm, asy_reader *r, size_t n) {
  r->start += n;
  if (r->start < r->end) return;
  r->start = r->end = 0;
  r->whole = NULL;
  if (r->cap > KEPT_STORE) give_back_store(vm, r);
}

/* Room for n more bytes behind what the store holds. */
static bool reserve(asy_vm *vm, asy_reader *r, size_t n) {
  size_t size = asy_reader_size(r);
  if (r->start && (r->cap - size >= n) && r->start >= size) {
    memmove(r->store, r->store + r->start, size);
  } else if (r->cap - r->end >= n) {
    return true;
  } else {
    size_t cap = size + n < LEAST_STORE ? LEAST_STORE : (size + n) + (size + n) / 2;
    uint8_t *store = asy_mem_alloc(vm, cap);
    if (!store) return false;
    if (size) memcpy(store, r->store + r->start, size);
    if (r->store) asy_mem_free(vm, r->store, r->cap);
    r->store = store;
    r->cap = cap;
  }
  r->start = 0;
  r->end = size;
  return true;
}

static bool append(asy_vm *vm, asy_reader *r, const void *data, size_t length) {
  asy_bytes *whole = r->whole;
  if (whole) {
    size_t start = r->start, size = asy_reader_size(r);
    r->whole = NULL;
    r->start = r->end = 0;
    if (!reserve(vm, r, size + length)) {
      r->whole = whole;
      r->start = start;
      r->end = start + size;
      return false;
    }
    memcpy(r->store, whole->data + start, size);
    r->end = size;
  }
  if (!reserve(vm, r, length)) return false;
  memcpy(r->store + r->end, data, length);
  r->end += length;
  return true;
}

/* The next n unread bytes, which there are. */
static asy_value take(asy_vm *vm, asy_reader *r, size_t n) {
  asy_value bytes = r->whole && n == r->whole->len ? asy_from_obj(r->whole) : asy_from_bytes(vm, unread(r), n);
  if (asy_failed(bytes)) return bytes;
  drop(vm, r, n);
  if (!r->paused || asy_reader_size(r) > r->limit) return bytes;
  r->paused = false;
  return asy_failed(asy_transport_resume_reading(vm, r->transport)) ? ASY_FAILED : bytes;
}

/* ---- What comes ----------------------------------------------------------------------------------------------------- */

static void wake(asy_vm *vm, asy_reader *r) {
  if (!r->waiter || r->woken) return;
  r->woken = true;
  asy_task_wake(vm, r->waiter);
}

/* whole: the bytes as an object, which is kept instead of a copy; NULL: there is none. */
static bool feed(asy_vm *vm, asy_reader *r, asy_bytes *whole, const void *data, size_t length) {
  if (!length) return true;
  if (!asy_reader_size(r)) {
    if (!whole) whole = asy_bytes_new(vm, data, length);
    if (!whole) return false;
    r->whole = whole;
    asy_barrier(vm, r);
    r->start = 0;
    r->end = length;
  } else if (!append(vm, r, data, length)) {
    return false;
  }
  const asy_read *wanted = &r->wanted;
  bool enough = wanted->kind == READ_ALL       ? false
                : wanted->kind == READ_EXACTLY ? asy_reader_size(r) >= wanted->n
                                               : true;
  if (enough) wake(vm, r);
  return true;
}

bool asy_reader_feed(asy_vm *vm, asy_reader *r, const void *data, size_t length) {
  return feed(vm, r, NULL, data, length);
}

void asy_reader_feed_eof(asy_vm *vm, asy_reader *r) {
  r->eof = true;
  wake(vm, r);
}

bool asy_reader_is_full(const asy_reader *r) {
  if (asy_reader_size(r) <= 2 * r->limit) return false;
  return !(r->waiter && (r->wanted.kind == READ_ALL || r->wanted.kind == READ_EXACTLY) && !r->woken);
}

/* ---- Answering a read ----------------------------------------------------------------------------------------------- */

static asy_value raise_by(asy_vm *vm, const char *name, asy_value first, asy_value second) {
  asy_value module = asy_import(vm, "asyncio.exceptions");
  asy_value cls = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, name);
  asy_value exception = asy_failed(cls) || asy_failed(first) ? ASY_FAILED : asy_call2(vm, cls, first, second);
  return asy_failed(exception) ? ASY_FAILED : asy_raise_value(vm, exception);
}

static asy_value raise_incomplete(asy_vm *vm, asy_reader *r, asy_value expected) {
  asy_value partial = take(vm, r, asy_reader_size(r));
  return raise_by(vm, "IncompleteReadError", partial, expected);
}

/* The earliest end of a separator in the unread bytes; false: none is there. */
static bool find_one(asy_vm *vm, const asy_reader *r, asy_value separator, size_t from, size_t *start, size_t *end,
                     size_t *shortest, size_t *longest) {
  asy_buffer b;
  if (!asy_buffer_get(vm, separator, &b)) return false;
  if (b.len < *shortest) *shortest = b.len;
  if (b.len > *longest) *longest = b.len;
  const uint8_t *data = unread(r);
  size_t size = asy_reader_size(r);
  const uint8_t *found = b.len && from < size ? memmem(data + from, size - from, b.data, b.len) : NULL;
  if (found && (size_t)(found - data) + b.len < *end) {
    *start = (size_t)(found - data);
    *end = *start + b.len;
  }
  asy_buffer_release(vm, &b);
  return true;
}

static bool find_separator(asy_vm *vm, const asy_reader *r, const asy_read *read, size_t *start, size_t *end,
                           size_t *shortest, size_t *longest) {
  *end = SIZE_MAX;
  *shortest = SIZE_MAX;
  *longest = 0;
  asy_value separators = read->separators;
  if (!asy_is_kind(separators, KIND_TUPLE))
    return find_one(vm, r, separators, read->scanned, start, end, shortest, longest);
  const asy_tuple *all = (const asy_tuple *)asy_obj_of(separators);
  for (uint32_t i = 0; i < all->len; i++)
    if (!find_one(vm, r, all->items[i], read->scanned, start, end, shortest, longest)) return false;
  return true;
}

static const char NOT_FOUND[] = "Separator is not found, and chunk exceed the limit";
static const char TOO_LONG[] = "Separator is found, but chunk is longer than limit";

/* A line longer than the limit is dropped, as far as it has come, and ValueError says so. */
static asy_value raise_long_line(asy_vm *vm, asy_reader *r, size_t drop_to, const char *text) {
  asy_value dropped = take(vm, r, drop_to);
  return asy_failed(dropped) ? ASY_FAILED : asy_raise(vm, ASY_ValueError, "%s", text);
}

static asy_value answer_line(asy_vm *vm, asy_reader *r, asy_read *read) {
  size_t size = asy_reader_size(r);
  const uint8_t *data = unread(r);
  const uint8_t *newline = size > read->scanned ? memchr(data + read->scanned, '\n', size - read->scanned) : NULL;
  if (newline) {
    size_t length = (size_t)(newline - data);
    return length > r->limit ? raise_long_line(vm, r, length + 1, TOO_LONG) : take(vm, r, length + 1);
  }
  read->scanned = size;
  if (size > r->limit) return raise_long_line(vm, r, size, NOT_FOUND);
  if (!r->eof) return ASY_PARKED;
  if (!size && read->kind == READ_NEXT) return asy_raise(vm, ASY_StopAsyncIteration, "");
  return take(vm, r, size);
}

static asy_value answer_until(asy_vm *vm, asy_reader *r, asy_read *read) {
  size_t start = 0, end, shortest, longest, size = asy_reader_size(r);
  if (!find_separator(vm, r, read, &start, &end, &shortest, &longest)) return ASY_FAILED;
  if (shortest == SIZE_MAX) return asy_raise(vm, ASY_ValueError, "Separator should contain at least one element");
  if (!shortest) return asy_raise(vm, ASY_ValueError, "Separator should be at least one-byte string");
  if (end != SIZE_MAX) {
    if (start <= r->limit) return take(vm, r, end);
    return raise_by(vm, "LimitOverrunError", asy_from_cstr(vm, TOO_LONG), asy_from_small((int64_t)start));
  }
  if (size >= shortest) {
    read->scanned = size + 1 > longest ? size + 1 - longest : 0;
    if (read->scanned > r->limit)
      return raise_by(vm, "LimitOverrunError", asy_from_cstr(vm, NOT_FOUND), asy_from_small((int64_t)read->scanned));
  }
  return r->eof ? raise_incomplete(vm, r, ASY_NONE) : ASY_PARKED;
}

/* The answer, ASY_FAILED, or ASY_PARKED: more must come first. */
static asy_value answer(asy_vm *vm, asy_reader *r, asy_read *read) {
  size_t size = asy_reader_size(r);
  if (r->exception) return asy_raise_value(vm, r->exception);
  switch (read->kind) {
    case READ_SOME:
      if (!size && !r->eof && read->n) return ASY_PARKED;
      return take(vm, r, size < read->n ? size : read->n);
    case READ_ALL: return r->eof ? take(vm, r, size) : ASY_PARKED;
    case READ_EXACTLY:
      if (size >= read->n) return take(vm, r, read->n);
      return r->eof ? raise_incomplete(vm, r, asy_from_small((int64_t)read->n)) : ASY_PARKED;
    case READ_UNTIL: return answer_until(vm, r, read);
    default: return answer_line(vm, r, read);
  }
}

/* ---- Waiting -------------------------------------------------------------------------------------------------------- */

/* The running task waits for what `read` asks. */
static asy_value park(asy_vm *vm, asy_reader *r, const asy_read *read) {
  static const char *const names[] = {"read", "read", "readexactly", "readuntil", "readuntil", "readuntil"};
  if (r->waiter)
    return asy_raise(vm, ASY_RuntimeError, "%s() called while another coroutine is already waiting for incoming data",
                     names[read->kind]);
  if (r->paused) {
    r->paused = false;
    if (asy_failed(asy_transport_resume_reading(vm, r->transport))) return ASY_FAILED;
  }
  if (!asy_task_park_on(vm, &r->head)) return ASY_PARKED;
  r->waiter = vm->current_task;
  r->woken = false;
  r->wanted = *read;
  asy_barrier(vm, r);
  return ASY_PARKED;
}

static asy_value resume(asy_vm *vm, asy_obj *self, asy_task *task) {
  asy_reader *r = (asy_reader *)self;
  asy_read read = r->wanted;
  r->waiter = NULL;
  r->wanted = (asy_read){.kind = READ_SOME};
  asy_value value = answer(vm, r, &read);
  return value == ASY_PARKED ? park(vm, r, &read) : value;
}

static bool forget(asy_vm *vm, asy_obj *self, asy_task *task) {
  asy_reader *r = (asy_reader *)self;
  if (r->waiter != task) return false;
  r->waiter = NULL;
  r->wanted = (asy_read){.kind = READ_SOME};
  return !r->woken;
}

static const struct asy_loop_hooks reader_hooks = {.resume = resume, .forget = forget};

asy_value asy_wait_elsewhere(asy_vm *vm, const asy_native *native, const asy_value *args, uint32_t nargs) {
  asy_loop *loop = asy_loop_running(vm);
  asy_value func = loop ? asy_new_native(vm, native, ASY_UNBOUND, ASY_NONE) : ASY_FAILED;
  asy_coro *coro = asy_failed(func) ? NULL : asy_coro_new(vm, func, args, nargs);
  asy_task *task = coro ? asy_task_new(vm, loop, asy_from_obj(coro), 0, 0, false) : NULL;
  return task ? asy_yield_future(vm, asy_from_obj(task)) : ASY_FAILED;
}

static asy_value begin(asy_vm *vm, const asy_value *args, uint32_t nargs, asy_read read, const asy_native *native) {
  asy_reader *r = self_of(args);
  asy_value value = answer(vm, r, &read);
  if (value != ASY_PARKED) return value;
  return asy_can_park(vm) ? park(vm, r, &read) : asy_wait_elsewhere(vm, native, args, nargs);
}

/* ---- The Python side ------------------------------------------------------------------------------------------------ */

static const asy_native reader_methods[];
enum { ROW_READ, ROW_READEXACTLY, ROW_READUNTIL, ROW_READLINE, ROW_ANEXT };

static asy_value reader_read(asy_vm *vm, const asy_value *args) {
  int64_t n;
  if (!asy_to_int64(vm, args[1], &n)) return ASY_FAILED;
  asy_read read = {.kind = n < 0 ? READ_ALL : READ_SOME, .n = (size_t)n};
  return begin(vm, args, 2, read, &reader_methods[ROW_READ]);
}

static asy_value reader_readexactly(asy_vm *vm, const asy_value *args) {
  int64_t n;
  if (!asy_to_int64(vm, args[1], &n)) return ASY_FAILED;
  if (n < 0) return asy_raise(vm, ASY_ValueError, "readexactly size can not be less than zero");
  return begin(vm, args, 2, (asy_read){.kind = READ_EXACTLY, .n = (size_t)n}, &reader_methods[ROW_READEXACTLY]);
}

static asy_value reader_readuntil(asy_vm *vm, const asy_value *args) {
  asy_read read = {.kind = READ_UNTIL, .separators = args[1]};
  if (args[1] == ASY_UNBOUND) read.separators = asy_from_bytes(vm, "\n", 1);
  return asy_failed(read.separators) ? ASY_FAILED : begin(vm, args, 2, read, &reader_methods[ROW_READUNTIL]);
}

static asy_value reader_readline(asy_vm *vm, const asy_value *args) {
  return begin(vm, args, 1, (asy_read){.kind = READ_LINE}, &reader_methods[ROW_READLINE]);
}

static asy_value reader_anext(asy_vm *vm, const asy_value *args) {
  return begin(vm, args, 1, (asy_read){.kind = READ_NEXT}, &reader_methods[ROW_ANEXT]);
}

static asy_value reader_aiter(asy_vm *vm, const asy_value *args) { return args[0]; }

static asy_value reader_feed_data(asy_vm *vm, const asy_value *args) {
  asy_reader *r = self_of(args);
  asy_buffer data;
  if (r->eof) return asy_raise(vm, ASY_AssertionError, "feed_data after feed_eof");
  if (!asy_buffer_get(vm, args[1], &data)) return ASY_FAILED;
  asy_bytes *whole = asy_is_exact(args[1], KIND_BYTES) ? (asy_bytes *)asy_obj_of(args[1]) : NULL;
  size_t most = 2 * r->limit, before = asy_reader_size(r);
  bool fed = feed(vm, r, whole, data.data, data.len);
  asy_buffer_release(vm, &data);
  if (!fed) return ASY_FAILED;
  bool full = asy_reader_is_full(r); /* else who waits for all of it lets it go on at once */
  if (!r->transport || r->paused || !(full || (before <= most && asy_reader_size(r) > most))) return ASY_NONE;
  asy_value paused = asy_transport_pause_reading(vm, r->transport);
  if (!asy_failed(paused) && !full) return asy_transport_resume_reading(vm, r->transport);
  if (!asy_failed(paused)) r->paused = true;
  else if (asy_raised_is(vm, ASY_NotImplementedError)) { /* it cannot: never asked again */ asy_clear_exception(vm);
    r->transport = 0;
  } else return ASY_FAILED;
  return ASY_NONE;
}

static asy_value reader_feed_eof(asy_vm *vm, const asy_value *args) {
  asy_reader_feed_eof(vm, self_of(args));
  return ASY_NONE;
}

static asy_value reader_at_eof(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(self_of(args)->eof && !asy_reader_size(self_of(args)));
}

static asy_value reader_exception(asy_vm *vm, const asy_value *args) {
  return self_of(args)->exception ? self_of(args)->exception : ASY_NONE;
}

static asy_value reader_set_exception(asy_vm *vm, const asy_value *args) {
  asy_reader *r = self_of(args);
  asy_store(vm, r, &r->exception, args[1]);
  wake(vm, r);
  return ASY_NONE;
}

static asy_value reader_set_transport(asy_vm *vm, const asy_value *args) {
  asy_reader *r = self_of(args);
  if (r->transport) return asy_raise(vm, ASY_AssertionError, "Transport already set");
  asy_store(vm, r, &r->transport, args[1]);
  return ASY_NONE;
}

static asy_value reader_get_buffer(asy_vm *vm, const asy_value *args) {
  asy_reader *r = self_of(args);
  asy_bytearray *copy = asy_bytearray_new(vm, asy_reader_size(r) ? unread(r) : NULL, asy_reader_size(r));
  return copy ? asy_from_obj(copy) : ASY_FAILED;
}

static asy_value reader_get_waiter(asy_vm *vm, const asy_value *args) {
  asy_reader *r = self_of(args);
  return r->waiter && !r->woken ? asy_from_obj(r->waiter) : ASY_NONE;
}

static asy_value reader_new(asy_vm *vm, const asy_value *args) {
  asy_reader *r = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!r) return ASY_FAILED;
  r->limit = DEFAULT_LIMIT;
  return asy_from_obj(r);
}

static asy_value reader_init(asy_vm *vm, const asy_value *args) {
  asy_reader *r = self_of(args);
  int64_t limit;
  if (!asy_to_int64(vm, args[1], &limit)) return ASY_FAILED;
  if (limit <= 0) return asy_raise(vm, ASY_ValueError, "Limit cannot be <= 0");
  r->limit = (size_t)limit;
  asy_value loop = args[2];
  if (loop == ASY_NONE) {
    asy_loop *current = asy_loop_current(vm);
    if (!current) return ASY_FAILED;
    loop = asy_from_obj(current);
  }
  asy_store(vm, r, &r->loop, loop);
  return ASY_NONE;
}

static asy_value reader_repr(asy_vm *vm, asy_value self) {
  asy_reader *r = (asy_reader *)asy_obj_of(self);
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_ascii(&t, "<");
  asy_text_str(&t, asy_type_of(vm, self)->name);
  asy_str *size = asy_str_format(vm, " %zu bytes", asy_reader_size(r));
  asy_str *limit = asy_str_format(vm, " limit=%zu", r->limit);
  if (!size || !limit) return ASY_FAILED;
  if (asy_reader_size(r)) asy_text_str(&t, size);
  if (r->eof) asy_text_ascii(&t, " eof");
  if (r->limit != DEFAULT_LIMIT) asy_text_str(&t, limit);
  if (r->waiter) {
    asy_text_ascii(&t, " waiter=");
    asy_text_repr_of(&t, asy_from_obj(r->waiter));
  }
  if (r->exception) {
    asy_text_ascii(&t, " exception=");
    asy_text_repr_of(&t, r->exception);
  }
  if (r->transport) {
    asy_text_ascii(&t, " transport=");
    asy_text_repr_of(&t, r->transport);
  }
  if (r->paused) asy_text_ascii(&t, " paused");
  asy_text_ascii(&t, ">");
  asy_str *text = asy_text_finish(&t);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static void reader_visit(asy_obj *o, asy_visitor *v) {
  asy_reader *r = (asy_reader *)o;
  asy_visit_obj(v, r->whole);
  asy_visit_obj(v, r->waiter);
  asy_visit_value(v, r->wanted.separators);
  asy_visit_value(v, r->exception);
  asy_visit_value(v, r->transport);
  asy_visit_value(v, r->loop);
}

static void reader_free(asy_vm *vm, asy_obj *o) { give_back_store(vm, (asy_reader *)o); }

static const asy_native reader_methods[] = {
  [ROW_READ] = {"read", SIG("(self, n=-1)"), reader_read, DOC("Read up to n bytes, or all there will be."),
                ASY_NATIVE_ASYNC},
  [ROW_READEXACTLY] = {"readexactly", SIG("(self, n)"), reader_readexactly, DOC("Read exactly n bytes."),
                       ASY_NATIVE_ASYNC},
  [ROW_READUNTIL] = {"readuntil", SIG("(self, separator=?)"), reader_readuntil,
                     DOC("Read until separator, a bytes or a tuple of them, is found."), ASY_NATIVE_ASYNC},
  [ROW_READLINE] = {"readline", SIG("(self)"), reader_readline, DOC("Read one line, with its newline."),
                    ASY_NATIVE_ASYNC},
  [ROW_ANEXT] = {"__anext__", SIG("(self)"), reader_anext, DOC("The next line."), ASY_NATIVE_ASYNC},
  {"__aiter__", SIG("(self)"), reader_aiter, DOC("Lines."), 0},
  {"feed_data", SIG("(self, data)"), reader_feed_data, DOC("These bytes have come."), 0},
  {"feed_eof", SIG("(self)"), reader_feed_eof, DOC("Nothing more will come."), 0},
  {"at_eof", SIG("(self)"), reader_at_eof, DOC("Whether the buffer is empty and feed_eof() was called."), 0},
  {"exception", SIG("(self)"), reader_exception, DOC("The exception that reads raise, or None."), 0},
  {"set_exception", SIG("(self, exc)"), reader_set_exception, DOC("Let reads raise exc."), 0},
  {"set_transport", SIG("(self, transport)"), reader_set_transport, DOC("Where the bytes come from."), 0},
  {"_buffer", SIG("(self)"), reader_get_buffer, 0, ASY_NATIVE_GETTER},
  {"_waiter", SIG("(self)"), reader_get_waiter, 0, ASY_NATIVE_GETTER},
  {0},
};

static const asy_member reader_members[] = {
  {"_eof", offsetof(asy_reader, eof), MEMBER_BOOL8, true},
  {"_paused", offsetof(asy_reader, paused), MEMBER_BOOL8, true},
  {"_exception", offsetof(asy_reader, exception), MEMBER_VALUE, false},
  {"_transport", offsetof(asy_reader, transport), MEMBER_VALUE, true},
  {"_loop", offsetof(asy_reader, loop), MEMBER_VALUE, false},
  {"_limit", offsetof(asy_reader, limit), MEMBER_INT64, false},
  {0},
};

const asy_type asy_reader_type = {
  .name = "asyncio.streams.StreamReader",
  .doc = "Reads what a stream brings.",
  .size = sizeof(asy_reader),
  .visit = reader_visit,
  .free = reader_free,
  .new_ = reader_new,
  .init = reader_init,
  .init_signature = SIG("(self, limit=65536, loop=None)"),
  .repr = reader_repr,
  .loop_hooks = &reader_hooks,
  .methods = reader_methods,
  .members = reader_members,
};
