/* transport.h - a stream socket or pipe on the loop, non-blocking: what asyncio's transports are made of.
 *
 *   readable --> reader != NULL: bytes go straight into the StreamReader, whose waiting task wakes
 *            --> else the transport goes on the ready ring, and its turn calls protocol.data_received or buffer_updated
 *   write    --> the system at once; what it does not take is queued and goes out when the descriptor is writable
 *
 * Above `high` queued bytes the protocol is told to pause, at or below `low` to go on; tasks in drain() are parked on the transport.
 * Events that are no longer wanted are dropped only when they happen once more, so that short pauses cost no system call.
 *
 *   open --close()--> closing --queue empty--> lost (connection_lost has been called, descriptor closed)
 *     \---error, abort(): queue dropped-------/
 *
 * Must stay true: libuv's callbacks run no bytecode: what calls the protocol is noted in `todo` and done by the ready ring.
 */
#ifndef ASY_RUNTIME_NET_TRANSPORT_H
#define ASY_RUNTIME_NET_TRANSPORT_H

#include <sys/socket.h>

#include "runtime/net/reader.h"
#include "runtime/net/watch.h"

typedef enum { TRANSPORT_SOCKET, TRANSPORT_READ_PIPE, TRANSPORT_WRITE_PIPE } asy_transport_kind;

/* todo */
enum { TODO_READ = 1, TODO_RESUME = 2, TODO_LOST = 4 };

typedef struct {
  asy_value owner;     /* a bytes object */
  const uint8_t *data; /* what is left of it */
  size_t length;
} asy_unsent;

typedef struct {
  struct sockaddr_storage address;
  socklen_t length; /* 0: unknown */
} asy_peer;

typedef struct asy_transport {
  asy_obj head;
  asy_loop *loop;
  asy_watch *watch; /* NULL: not started, or lost */
  int fd;           /* -1 once closed */
  uint8_t kind;     /* asy_transport_kind */
  uint8_t todo;
  bool queued; /* on the ready ring */
  bool closing, lost;
  bool paused;          /* pause_reading */
  bool eof;             /* nothing more to read */
  bool eof_sent;        /* write_eof */
  bool held;            /* write() is refused: a file is being sent */
  bool protocol_paused; /* above `high`, not yet below `low` */
  bool buffered;        /* the protocol is a BufferedProtocol */
  uint32_t writes_lost; /* writes since the connection was lost */
  asy_reader *reader;   /* NULL: see above */
  asy_value protocol;   /* 0 once lost */
  asy_value sock;       /* an object whose close() closes fd; 0: the transport does */
  asy_value extra;      /* a dict; 0 none */
  asy_value server;     /* its _detach is called in the end; 0 none */
  asy_value failure;    /* what connection_lost is told; 0 none */
  asy_value context;    /* the Context in which the protocol is called, None for an empty one */
  asy_list *drainers;   /* tasks in drain(); NULL none */
  asy_unsent *queue;    /* owned; [first, first + count) */
  uint32_t first, count, cap;
  size_t queued_bytes, high, low;
  asy_peer here, there; /* addresses of a socket */
} asy_transport;

/* pause_reading() and resume_reading() of any transport; ASY_FAILED. */
asy_value asy_transport_pause_reading(asy_vm *vm, asy_value transport);
asy_value asy_transport_resume_reading(asy_vm *vm, asy_value transport);

extern const asy_type asy_transport_type;

#endif
