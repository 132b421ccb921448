/* file.h - the file object that open() returns and that print writes to: buffered bytes over a POSIX descriptor, read and
 * written as text or as bytes. Writing blocks until the system has taken the bytes.
 */
#ifndef ASY_RUNTIME_FILE_H
#define ASY_RUNTIME_FILE_H

#include "runtime/asy.h"

enum { ASY_FILE_BUFFER = 32768 };

typedef struct asy_file {
  asy_obj head;
  int fd;    /* -1 once closed */
  bool text; /* str in and out; else bytes */
  bool readable, writable, appending;
  bool owns_fd;       /* closing closes fd */
  bool line_buffered; /* a text with a newline is written through */
  bool unbuffered;    /* everything is written through */
  bool translate;     /* reading: \r\n and \r become \n */
  bool write_crlf;    /* writing: \n becomes \r\n */
  bool skip_lf;       /* reading: the last byte was \r, already given as \n */
  bool eof;
  uint8_t *out; /* bytes not yet written; owned, NULL until used */
  uint32_t out_len;
  uint8_t *in; /* bytes read ahead: in[in_start .. in_end); owned */
  size_t in_start, in_end, in_cap;
  asy_value name;     /* as given to open: a str, bytes or int */
  asy_value mode;     /* a str */
  asy_value encoding; /* a str; None for binary */
  asy_value errors;
} asy_file;

extern const asy_type asy_file_type;

asy_value asy_file_standard(asy_vm *vm, int fd, const char *name, const char *mode);
/* open(): `file` is a path (str, bytes, __fspath__) or a descriptor. encoding, errors, newline: str or None. */
asy_value asy_file_open(asy_vm *vm, asy_value file, const char *mode, int64_t buffering, asy_value encoding,
                        asy_value errors, asy_value newline, bool closefd, asy_value opener);
asy_file *asy_file_of(asy_vm *vm, asy_value v); /* NULL when v is no file object (or a subclass's) */
bool asy_file_write_bytes(asy_vm *vm, asy_file *file, const void *bytes,
                          size_t length); /* OSError, ValueError when closed */
bool asy_file_write_str(asy_vm *vm, asy_file *file, asy_str *text);
bool asy_file_flush(asy_vm *vm, asy_file *file);
asy_value asy_file_read_line(asy_vm *vm, asy_file *file,
                             int64_t limit); /* with its newline; empty at the end; limit < 0: none */
/* The whole content of a file: malloc'ed, NUL-terminated. False: OSError. */
bool asy_read_whole_file(asy_vm *vm, const char *path, char **bytes, size_t *length);

#endif
