/* remote.c - the tasks of another process that runs this program: the module _remote_debugging, for `asy -m asyncio ps`.
 *
 * Its memory is copied by process_vm_readv; it takes no part, nothing in it is written, and it may hang in a loop. Both processes
 * run the same file (asyncio/tools.asy compares them), so structs are alike, and what is static lies `shift` bytes from ours. The
 * way in is the one pointer that no VM holds: that to the VM which gets signals.
 *
 *   receiver -> asy_vm -> threads -> running loop -> its tasks -> frames -> code: name, file, line
 *                                                             \-> callbacks: who waits for it
 * Must stay true: the process goes on meanwhile, so all that is read may be half changed, or freed and in use for something else.
 * No address is followed but by fetch(), kinds are checked, every loop and recursion is bounded; what does not fit together is a
 * RuntimeError, upon which the caller tries again.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "runtime/class.h"
#include "runtime/frame.h"
#include "runtime/gather.h"
#include "runtime/loop.h"
#include "runtime/task.h"
#include "runtime/types/sequence.h"

/* What is beyond these is not what it seems. */
enum {
  TEXT_MOST = 4096,
  POSITIONS_MOST = 1 << 22,
  FRAMES_MOST = 1000,
  ATTRIBUTES_MOST = 100,
  CELLS_MOST = 64,
  NESTED_MOST = 16,
  TASKS_MOST = 1 << 24,
  THREADS_MOST = 1 << 16,
  COPIES_MOST = 1 << 22, /* for one task */
};

typedef struct {
  asy_vm *vm;        /* ours */
  int pid;           /* of the other process */
  int64_t shift;     /* how far its statics lie behind ours */
  asy_vm *other;     /* a copy of its VM; malloc'ed */
  uint32_t copies;   /* that are still made for a task */
  int64_t thread;    /* whose loop is being read: the kernel's number */
  asy_value *base;   /* of the frame which that thread runs */
  asy_value running; /* the task which it runs, or 0 */
} reader;

static bool changed(reader *r) {
  asy_raise(r->vm, ASY_RuntimeError, "the process has changed its memory meanwhile");
  return false;
}

/* Addresses of the other process are numbers here: what is reckoned with them may be nonsense. */
static bool fetch(reader *r, uint64_t from, void *to, size_t size) {
  struct iovec ours = {to, size}, theirs = {(void *)(uintptr_t)from, size};
  if (!r->copies--) return changed(r);
  ssize_t n = process_vm_readv(r->pid, &ours, 1, &theirs, 1, 0);
  if (n == (ssize_t)size) return true;
  if (n >= 0 || errno == EFAULT) return changed(r);
  asy_raise_errno(r->vm, errno, ASY_UNBOUND);
  return false;
}

/* The object's header, and with it as much as `size` says; of any kind when that is negative. */
static bool fetch_object(reader *r, asy_value object, int kind, void *to, size_t size) {
  if (!asy_is_obj(object) || !fetch(r, object, to, size)) return asy_raised(r->vm) ? false : changed(r);
  const asy_obj *head = to;
  return (head->gc & ASY_GC_LIVE && (kind < 0 || head->kind == kind)) || changed(r);
}

/* ---- Texts, attributes ---------------------------------------------------------------------------------------------- */

static asy_value text_of(reader *r, const asy_str *place) {
  asy_str s;
  union {
    uint8_t narrow[TEXT_MOST];
    uint16_t wide[TEXT_MOST];
    uint32_t points[TEXT_MOST];
  } data;
  if (!fetch_object(r, asy_from_obj(place), KIND_STR, &s, sizeof s)) return ASY_FAILED;
  unsigned width = asy_str_width(&s);
  uint64_t from = s.head.flags & STR_BUFFERED ? (uintptr_t)s.shared.data
                                              : asy_from_obj(place) + offsetof(asy_str, bytes);
  if (s.len > TEXT_MOST || (width != 1 && width != 2 && width != 4)) return changed(r), ASY_FAILED;
  if (!fetch(r, from, &data, (size_t)s.len * width)) return ASY_FAILED;
  if (width == 1) return asy_object_or_failed(asy_str_new_latin1(r->vm, data.narrow, s.len));
  for (uint32_t i = s.len; width == 2 && i--;) data.points[i] = data.wide[i];
  for (uint32_t i = 0; i < s.len; i++)
    if (data.points[i] > 0x10FFFF) return changed(r), ASY_FAILED;
  return asy_object_or_failed(asy_str_new_ucs4(r->vm, data.points, s.len));
}

static bool shape_of(reader *r, asy_value object, asy_shape *shape) {
  asy_obj head;
  uint64_t place;
  if (!fetch_object(r, object, -1, &head, sizeof head)) return false;
  if (head.shape >= r->other->nshapes) return changed(r);
  return fetch(r, (uintptr_t)r->other->shapes + head.shape * sizeof place, &place, sizeof place) &&
         fetch(r, place, shape, sizeof *shape);
}

/* An attribute of an instance of a script class; None: it has none of that name. */
static bool attribute(reader *r, asy_value object, const char *name, asy_value *out) {
  asy_shape shape, at;
  asy_class cls;
  *out = ASY_NONE;
  if (!shape_of(r, object, &shape)) return false;
  at = shape;
  for (unsigned n = 0; at.parent && n < ATTRIBUTES_MOST; n++) {
    asy_value text = text_of(r, at.name);
    if (asy_failed(text)) return false;
    if (asy_str_equal_cstr((asy_str *)asy_obj_of(text), name)) {
      uint32_t slot = at.count - 1;
      if (!fetch(r, asy_from_obj(shape.cls), &cls, sizeof cls)) return false;
      uint64_t slots = object + cls.slots_offset, more;
      if (slot < shape.inline_cap) return fetch(r, slots + slot * sizeof *out, out, sizeof *out);
      more = slots - sizeof more;
      slot -= shape.inline_cap;
      return fetch(r, more, &more, sizeof more) &&
             fetch(r, more + offsetof(asy_slots, items) + slot * sizeof *out, out, sizeof *out);
    }
    if (!fetch(r, (uintptr_t)at.parent, &at, sizeof at)) return false;
  }
  return true;
}

/* ---- Frames --------------------------------------------------------------------------------------------------------- */

static int32_t line_of(reader *r, asy_code *code, uint64_t pc) {
  if (!pc) return code->first_line;
  size_t size = code->npositions * sizeof *code->positions;
  asy_position *rows = code->npositions < POSITIONS_MOST ? malloc(size + 1) : NULL;
  bool ok = rows ? fetch(r, (uintptr_t)code->positions, rows, size) : changed(r);
  code->positions = rows;
  int32_t line = ok ? asy_code_position(code, (uint32_t)((pc - (uintptr_t)code->words) / sizeof *code->words)).line : 0;
  free(rows);
  return line;
}

/* (qualified name, file, line) of where a function stands; pc 0: at its beginning. */
static asy_value place_of(reader *r, asy_value function, uint64_t pc) {
  asy_func func;
  asy_code code;
  if (!fetch_object(r, function, KIND_FUNCTION, &func, sizeof func) ||
      !fetch_object(r, asy_from_obj(func.code), KIND_CODE, &code, sizeof code))
    return ASY_FAILED;
  asy_value name = text_of(r, code.qualname), file = asy_failed(name) ? ASY_FAILED : text_of(r, code.filename);
  int32_t line = asy_failed(file) ? 0 : line_of(r, &code, pc);
  return asy_raised(r->vm) ? ASY_FAILED : asy_tuple_of(r->vm, 3, name, file, asy_from_small(line));
}

/* Of a coroutine that has no frame: one that has not begun, or an async native. */
static bool add_coroutine(reader *r, asy_list *frames, asy_value value) {
  asy_coro coro;
  asy_obj head;
  asy_nativefunc native;
  if (!fetch_object(r, value, -1, &head, sizeof head) || head.kind != KIND_COROUTINE) return !asy_raised(r->vm);
  if (!fetch(r, value, &coro, offsetof(asy_coro, on)) || !fetch_object(r, coro.func, -1, &head, sizeof head))
    return false;
  asy_value place;
  if (head.kind == KIND_NATIVE) {
    if (!fetch(r, coro.func, &native, sizeof native)) return false;
    asy_value name = text_of(r, native.name);
    place = asy_failed(name) ? ASY_FAILED : asy_tuple_of(r->vm, 3, name, ASY_NONE, ASY_NONE);
  } else {
    place = place_of(r, coro.func, 0);
  }
  return !asy_failed(place) && asy_list_append(r->vm, frames, place);
}

/* A list of places, innermost first. */
static asy_value frames_of(reader *r, asy_value task, const asy_task *t) {
  asy_list *frames = asy_list_new(r->vm, 0);
  uint64_t base = (uintptr_t)(task == r->running ? r->base : t->base);
  for (unsigned n = 0; frames && base && n < FRAMES_MOST; n++) {
    asy_value header[FRAME_HEADER], *copy = header + FRAME_HEADER;
    if (!fetch(r, base - sizeof header, header, sizeof header)) return ASY_FAILED;
    asy_value place = FRAME_FUNC(copy) ? place_of(r, FRAME_FUNC(copy), FRAME_PC(copy)) : ASY_NONE;
    if (place != ASY_NONE && (asy_failed(place) || !asy_list_append(r->vm, frames, place))) return ASY_FAILED;
    base = FRAME_BACK(copy);
  }
  if (!frames || (!frames->len && !add_coroutine(r, frames, t->coro))) return ASY_FAILED;
  return asy_from_obj(frames);
}

/* ---- Who waits for whom --------------------------------------------------------------------------------------------- */

static bool add_waiters(reader *r, asy_list *found, asy_value callback, unsigned depth);

static bool add_task(reader *r, asy_list *found, asy_value task) {
  asy_value id = asy_from_uint64(r->vm, task);
  return !asy_failed(id) && asy_list_append(r->vm, found, id);
}

/* callback, context, callback, context ... */
static bool add_each(reader *r, asy_list *found, asy_value callbacks, unsigned depth) {
  asy_list list;
  if (!fetch(r, callbacks, &list, sizeof list)) return false;
  for (uint32_t i = 0; i < list.len; i += 2) {
    asy_value callback;
    if (!fetch(r, (uintptr_t)list.items + i * sizeof callback, &callback, sizeof callback) ||
        !add_waiters(r, found, callback, depth))
      return false;
  }
  return true;
}

/* A function that holds a future is taken to complete it, as those of asyncio.wait and shield do. */
static bool add_held(reader *r, asy_list *found, asy_value function, unsigned depth) {
  asy_func func;
  asy_tuple closure;
  if (!fetch(r, function, &func, sizeof func)) return false;
  if (!func.closure) return true;
  if (!fetch_object(r, asy_from_obj(func.closure), KIND_TUPLE, &closure, sizeof closure)) return false;
  for (uint32_t i = 0; i < closure.len && i < CELLS_MOST; i++) {
    asy_value place;
    asy_cell cell;
    asy_obj head = {0};
    if (!fetch(r, asy_from_obj(func.closure) + offsetof(asy_tuple, items) + i * sizeof place, &place, sizeof place) ||
        !fetch_object(r, place, KIND_CELL, &cell, sizeof cell) ||
        (asy_is_obj(cell.value) && !fetch_object(r, cell.value, -1, &head, sizeof head)))
      return false;
    if (head.kind == KIND_FUTURE && !add_waiters(r, found, cell.value, depth)) return false;
  }
  return true;
}

/* What is called when a future is done: a task, a gather future, or a callable; or a list of them. */
static bool add_waiters(reader *r, asy_list *found, asy_value callback, unsigned depth) {
  asy_obj head;
  asy_future future;
  asy_method method;
  asy_value parent;
  if (!callback || !asy_is_obj(callback) || !depth--) return true;
  if (!fetch_object(r, callback, -1, &head, sizeof head)) return false;
  switch (head.kind) {
    case KIND_TASK: return add_task(r, found, callback);
    case KIND_FUTURE:
      return fetch(r, callback, &future, sizeof future) && add_waiters(r, found, future.callbacks, depth);
    case KIND_LIST: return add_each(r, found, callback, depth);
    case KIND_FUNCTION: return add_held(r, found, callback, depth);
    case KIND_METHOD: /* of a TaskGroup, of as_completed */
      return fetch(r, callback, &method, sizeof method) && attribute(r, method.self, "_parent_task", &parent) &&
             add_waiters(r, found, parent, depth);
    default: return true;
  }
}

/* The task that has the lock which a task waits for, else None. */
static asy_value holder_of(reader *r, asy_value waiting) {
  asy_shape shape;
  asy_value owner, holder;
  if (!waiting || !asy_is_obj(waiting)) return ASY_NONE;
  if (!shape_of(r, waiting, &shape)) return ASY_FAILED;
  if ((uintptr_t)shape.type != (uintptr_t)&asy_waiters_type + (uint64_t)r->shift) return ASY_NONE;
  if (!fetch(r, waiting + asy_waiters_type.members->offset, &owner, sizeof owner)) return ASY_FAILED;
  if (!asy_is_obj(owner)) return ASY_NONE;
  if (!attribute(r, owner, "_owner", &holder)) return ASY_FAILED;
  return asy_is_obj(holder) ? asy_from_uint64(r->vm, holder) : ASY_NONE;
}

/* ---- Tasks ---------------------------------------------------------------------------------------------------------- */

static asy_value name_of(reader *r, const asy_task *t) {
  asy_future_extra extra = {0};
  if (t->future.extra && !fetch(r, asy_from_obj(t->future.extra), &extra, sizeof extra)) return ASY_FAILED;
  return extra.name ? text_of(r, (asy_str *)asy_obj_of(extra.name))
                    : asy_object_or_failed(asy_str_format(r->vm, "Task-%u", t->number));
}

/* (thread, id, name, frames, ids of tasks that wait for it, id of the task whose lock it waits for, or None) */
static asy_value row_of(reader *r, asy_value task, const asy_task *t) {
  r->copies = COPIES_MOST;
  asy_value name = name_of(r, t), frames = asy_failed(name) ? ASY_FAILED : frames_of(r, task, t);
  asy_list *waiters = asy_failed(frames) ? NULL : asy_list_new(r->vm, 0);
  if (!waiters || !add_waiters(r, waiters, t->future.callbacks, NESTED_MOST)) return ASY_FAILED;
  asy_value holder = holder_of(r, t->waiting);
  if (asy_failed(holder)) return ASY_FAILED;
  return asy_tuple_of(r->vm, 6, asy_from_small(r->thread), asy_from_uint64(r->vm, task), name, frames,
                      asy_from_obj(waiters), holder);
}

static bool add_tasks(reader *r, asy_list *rows, asy_value loop_place) {
  asy_loop loop;
  if (!fetch_object(r, loop_place, KIND_LOOP, &loop, sizeof loop)) return false;
  const asy_task *before = NULL;
  for (uint32_t n = 0; loop.tasks; n++) {
    asy_task task;
    asy_value place = asy_from_obj(loop.tasks);
    if (!fetch_object(r, place, KIND_TASK, &task, sizeof task)) return false;
    if (task.prev != before || n == TASKS_MOST) return changed(r);
    asy_value row = row_of(r, place, &task);
    if (asy_failed(row) || !asy_list_append(r->vm, rows, row)) return false;
    before = loop.tasks;
    loop.tasks = task.next;
  }
  return true;
}

/* The fields of the VM that belong to a thread: in the VM while it runs, else put away. */
enum { FIELDS = offsetof(asy_vm, base), FIELDS_BYTES = offsetof(asy_vm, shapes) - FIELDS };

/* Whether a loop runs in any of the threads. */
static bool add_threads(reader *r, asy_list *rows, bool *runs) {
  asy_vm *other = r->other;
  const asy_thread *current = other->thread, *place = other->threads.first;
  uintptr_t fields[THREAD_SAVED_WORDS];
  asy_thread thread;
  memcpy(fields, (char *)other + FIELDS, FIELDS_BYTES);
  for (unsigned n = 0; place && n < THREADS_MOST; n++, place = thread.next) {
    if (!fetch(r, (uintptr_t)place, &thread, sizeof thread)) return false;
    memcpy((char *)other + FIELDS, place == current ? fields : thread.saved, FIELDS_BYTES);
    if (!other->running_loop || (place != current && !thread.parked)) continue;
    *runs = true;
    r->thread = thread.native_id;
    r->base = other->base;
    r->running = asy_from_obj(other->current_task);
    if (!add_tasks(r, rows, asy_from_obj(other->running_loop))) return false;
  }
  return true;
}

static asy_value read_tasks(asy_vm *vm, const asy_value *args) {
  reader r = {.vm = vm, .copies = COPIES_MOST};
  uint64_t place;
  bool runs = false;
  if (!asy_to_int(vm, args[0], 1, INT32_MAX, &r.pid) || !asy_to_int64(vm, args[1], &r.shift)) return ASY_FAILED;
  if (!fetch(&r, (uintptr_t)asy_signals_receiver() + (uint64_t)r.shift, &place, sizeof place)) return ASY_FAILED;
  if (!place) return ASY_NONE;
  asy_list *rows = asy_list_new(vm, 0);
  r.other = rows ? malloc(sizeof *r.other) : NULL;
  if (!r.other) return asy_raise_no_memory(vm);
  bool ok = fetch(&r, place, r.other, sizeof *r.other) && add_threads(&r, rows, &runs);
  free(r.other);
  return !ok ? ASY_FAILED : runs ? asy_from_obj(rows) : ASY_NONE;
}

static const asy_native natives[] = {
  {"read_tasks", SIG("(pid, shift, /)"), read_tasks, DOC("The tasks of its loops; None: none runs."), 0},
  {0},
};

const asy_module_def asy_module_remote_debugging = {"_remote_debugging", natives, "Other processes of this program.",
                                                    NULL};
