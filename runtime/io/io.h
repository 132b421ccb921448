/* io.h - the stack of streams: FileIO over a descriptor, Buffered* over a raw stream, TextIOWrapper over a buffered one; BytesIO and
 * StringIO over memory. All begin with io_base, as do the instances of script classes that derive from io's base classes.
 *
 *   TextIOWrapper --buffer--> BufferedReader/Writer/Random --raw--> FileIO --fd--> the system
 *
 * Each layer has a short way to the one below when that is exactly of its native class, and calls its methods otherwise.
 * Must stay true: a lower layer that belongs to an upper native one has its finaliser cancelled, so that collecting all three
 * at once flushes from the top; text that goes through the short way lies in the buffer of the Buffered alone.
 */
#ifndef ASY_RUNTIME_IO_IO_H
#define ASY_RUNTIME_IO_IO_H

#include "runtime/class.h"
#include "runtime/types/bytes.h"
#include "runtime/types/codec.h"

enum { IO_BUFFER_SIZE = 8192 }; /* io.DEFAULT_BUFFER_SIZE */

typedef struct {
  asy_obj head;
  bool closed; /* by _IOBase.close; the natives keep it too */
} io_base;

typedef struct io_file {
  io_base base;
  int fd; /* -1: closed, or not opened yet */
  bool readable, writable, appending, created, closefd;
  int8_t seekable; /* -1: not asked yet */
  asy_value name;  /* as given to the constructor; 0 none */
} io_file;

typedef struct io_buffered {
  io_base base;
  bool ready; /* __init__ has succeeded, not detached */
  bool detached;
  bool readable, writable; /* the directions of this class */
  bool busy;               /* a call of the raw stream is running: reentrant use is refused */
  bool unbuffered;         /* what is written is written at once */
  asy_value raw;
  io_file *file; /* raw when it is exactly a FileIO; else NULL */
  size_t size;   /* of a buffer */
  uint8_t *in;   /* read ahead: in[in_start .. in_end); malloc'ed, NULL until used */
  size_t in_start, in_end;
  uint8_t *out; /* out[0 .. out_len) is not written yet; malloc'ed, NULL until used */
  size_t out_len;
  struct io_buffered *next_dirty,
    **dirty; /* in the list of those with out_len > 0 over a FileIO; dirty NULL: not in it */
} io_buffered;

/* Which line ends reading knows. */
typedef enum { NEWLINE_UNIVERSAL, NEWLINE_UNIVERSAL_KEPT, NEWLINE_LF, NEWLINE_CR, NEWLINE_CRLF } io_newline;
enum { SEEN_CR = 1, SEEN_LF = 2, SEEN_CRLF = 4 };

typedef struct io_text {
  io_base base;
  bool ready, detached;
  bool readable, writable; /* of the buffer when it was taken */
  bool line_buffering, write_through, seekable, telling, has_read1;
  bool busy;            /* a read of the buffer is running: reentrant use is refused */
  bool started;         /* something was read since the last seek */
  asy_codec_kind codec; /* OTHER: through `encoder` and `decoder` */
  io_newline newline;
  uint8_t seen;                       /* SEEN_ bits of lines read */
  bool eof;                           /* the buffer gave its last bytes */
  bool has_cr;                        /* in[in_start .. in_end) holds a \r */
  asy_value buffer, encoding, errors; /* encoding and errors as given */
  const char *errors_name;            /* C text of `errors`; NULL strict */
  io_buffered *direct;                /* buffer when it is exactly a Buffered of ours over a FileIO; else NULL */
  asy_value encoder, decoder;         /* 0 for native codecs */
  uint8_t *in;                        /* native codecs: bytes not decoded yet, in[in_start .. in_end); malloc'ed */
  size_t in_start, in_end, in_cap;
  asy_str *decoded; /* other codecs: text read ahead, given from decoded_at on; NULL none */
  uint32_t decoded_at;
  asy_value snapshot; /* (flags, bytes) of the decoder before `decoded`; 0 none */
  uint8_t *out;       /* encoded, not given to `buffer` yet (never with `direct`); malloc'ed */
  size_t out_len, out_cap;
  asy_value mode; /* a str set by open(); 0 none */
  int64_t chunk;  /* _CHUNK_SIZE */
} io_text;

typedef struct asy_io_state {
  asy_class *base, *raw_base, *buffered_base, *text_base;
  asy_class *file, *reader, *writer, *random, *bytes, *string, *text, *newline_decoder;
  asy_class *unsupported;
  io_buffered *dirty; /* what has bytes to write; weak */
  bool stdout_broken; /* the reader of standard output has gone */
} asy_io_state;

extern const asy_type asy_iobase_type, asy_rawiobase_type, asy_bufferediobase_type, asy_textiobase_type,
  asy_fileio_type, asy_buffered_reader_type, asy_buffered_writer_type, asy_buffered_random_type, asy_bytesio_type,
  asy_stringio_type, asy_textio_type, asy_newline_decoder_type;

static inline bool io_exactly(asy_vm *vm, asy_value v, const asy_class *cls) {
  return asy_is_obj(v) && vm->shapes[asy_obj_of(v)->shape]->cls == cls;
}

/* ---- base.c ---- */
asy_value io_unsupported(asy_vm *vm, const char *text);
bool io_check_open(asy_vm *vm, bool closed); /* ValueError "I/O operation on closed file." */
asy_value io_call(asy_vm *vm, asy_value self, const char *method, int nargs, const asy_value *args);
int io_is_closed(asy_vm *vm, asy_value stream); /* its `closed`: 0, 1, -1 */
void io_finalize(asy_vm *vm, asy_obj *o);       /* closes it, as its __del__ */
bool io_adopt(asy_vm *vm, asy_value lower);     /* an upper layer's finaliser takes its place; with io_release back */
bool io_release(asy_vm *vm, asy_value lower);
bool io_size(asy_vm *vm, asy_value v,
             int64_t *out); /* None: -1; TypeError "argument should be integer or None, not 'T'" */
asy_value io_readlines(asy_vm *vm, const asy_value *args);
asy_value io_self(asy_vm *vm, asy_value self); /* an iter slot */

/* ---- fileio.c ---- */
/* Bytes; -1 with errno (EAGAIN: would block), -2 with an exception set (a signal's handler raised). */
ssize_t io_fd_read(asy_vm *vm, int fd, void *to, size_t length);
ssize_t io_fd_write(asy_vm *vm, int fd, const void *from, size_t length);
asy_value io_file_open(asy_vm *vm, asy_value name, const char *mode, bool closefd, asy_value opener);
asy_value io_file_on(asy_vm *vm, int fd, asy_value name, bool reading); /* a standard stream's, no questions asked */
asy_value io_file_readall(asy_vm *vm, io_file *file);

/* ---- buffered.c ---- */
asy_value io_buffered_on(asy_vm *vm, asy_class *cls, asy_value raw, int64_t size);
bool io_buffered_write(asy_vm *vm, io_buffered *b, const void *data, size_t length);
bool io_buffered_flush(asy_vm *vm, io_buffered *b);
/* What is buffered, or one read of the raw stream, at most `length` bytes: 0 at the end, -1 failed, -2 would block. */
int64_t io_buffered_read1(asy_vm *vm, io_buffered *b, uint8_t *to, size_t length);
int64_t io_buffered_tell(asy_vm *vm, io_buffered *b); /* -1 failed */
void io_flush_dirty(
  asy_vm *vm); /* all of them, but the standard streams: before a file is opened; failures stay for later */

/* ---- textio.c ---- */
asy_value io_text_on(asy_vm *vm, asy_value buffer, asy_value encoding, asy_value errors, asy_value newline,
                     bool line_buffering, bool write_through);
bool io_text_write(asy_vm *vm, io_text *t, asy_str *s);
bool io_text_write_ascii(asy_vm *vm, io_text *t, const char *text, size_t length);
bool io_newline_of(asy_vm *vm, asy_value v, const char *where, io_newline *out); /* None or a legal text */

#endif
