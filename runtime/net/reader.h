/* reader.h - asyncio.StreamReader: bytes that have come and were not asked for yet, and the task that waits for more.
 *
 * What comes in one piece while nothing is buffered stays that piece: a read that takes all of it gets the same object, uncopied.
 * More of it, before the first is taken, goes into memory of the reader's own.
 *
 *   whole = b'....' , store = NULL     [start, end) of whole->data is unread
 *   whole = NULL    , store = [....]   [start, end) of store is unread
 *
 * A read that cannot be answered keeps what it asks for in the reader and parks its task on it; it is asked again when the task goes
 * on, and only then takes its bytes, so that a cancelled read loses none. One task waits at a time.
 */
#ifndef ASY_RUNTIME_NET_READER_H
#define ASY_RUNTIME_NET_READER_H

#include "runtime/loop.h"
#include "runtime/task.h"
#include "runtime/types/bytes.h"

typedef enum { READ_SOME, READ_ALL, READ_EXACTLY, READ_UNTIL, READ_LINE, READ_NEXT } asy_read_kind;

typedef struct {
  asy_read_kind kind;
  size_t n;             /* READ_SOME, READ_EXACTLY: bytes */
  asy_value separators; /* READ_UNTIL: a bytes-like object, or a tuple of them */
  size_t scanned;       /* bytes that are known to have no separator */
} asy_read;

typedef struct asy_reader {
  asy_obj head;
  asy_bytes *whole; /* see above */
  uint8_t *store;   /* owned */
  size_t cap, start, end;
  size_t limit;
  bool eof;
  bool paused;                          /* the transport was told to stop */
  bool woken;                           /* the waiter is on its way */
  asy_task *waiter;                     /* NULL: nobody waits */
  asy_read wanted;                      /* by the waiter */
  asy_value exception, transport, loop; /* 0: none */
} asy_reader;

static inline size_t asy_reader_size(const asy_reader *r) { return r->end - r->start; }

bool asy_reader_feed(asy_vm *vm, asy_reader *r, const void *data, size_t length); /* false: MemoryError */
void asy_reader_feed_eof(asy_vm *vm, asy_reader *r);
/* More than twice the limit has come, and nobody waits for all of it: who feeds it shall stop until resume_reading. */
bool asy_reader_is_full(const asy_reader *r);

/* Where the running code cannot park its task (a coroutine driven by hand lies in between): a task of its own calls the async
 * native and waits; args are the native's parameters. */
asy_value asy_wait_elsewhere(asy_vm *vm, const asy_native *native, const asy_value *args, uint32_t nargs);

extern const asy_type asy_reader_type;

static inline bool asy_is_reader(asy_vm *vm, asy_value v) {
  return asy_is_obj(v) && vm->shapes[asy_obj_of(v)->shape]->type == &asy_reader_type;
}

#endif
