/* file.c - the file object. One buffer for each direction; a switch from reading to writing drops what was read ahead and moves
 * the descriptor back to where the script believes it to be.
 */
#include "runtime/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/class.h"
#include "runtime/number.h"
#include "runtime/types/bytes.h"
#include "runtime/types/codec.h"

/* ---- The descriptor ---- */

static bool check_open(asy_vm *vm, const asy_file *file) {
  if (file->fd >= 0) return true;
  asy_raise(vm, ASY_ValueError, "I/O operation on closed file.");
  return false;
}

/* Writes everything; a descriptor that does not block is waited for. 0 or errno. */
static int write_all(int fd, const uint8_t *bytes, size_t length) {
  while (length) {
    ssize_t n = write(fd, bytes, length);
    if (n >= 0) {
      bytes += n;
      length -= (size_t)n;
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return errno;
    struct pollfd wait = {fd, POLLOUT, 0};
    poll(&wait, 1, -1);
  }
  return 0;
}

static ssize_t read_some(int fd, uint8_t *bytes, size_t length) {
  for (;;) {
    ssize_t n = read(fd, bytes, length);
    if (n >= 0 || (errno != EINTR && errno != EAGAIN)) return n;
    if (errno == EAGAIN) {
      struct pollfd wait = {fd, POLLIN, 0};
      poll(&wait, 1, -1);
    }
  }
}

static bool raise_os(asy_vm *vm, int error) {
  asy_raise_errno(vm, error, ASY_UNBOUND);
  return false;
}

bool asy_file_flush(asy_vm *vm, asy_file *file) {
  if (!check_open(vm, file)) return false;
  if (!file->out_len) return true;
  int error = write_all(file->fd, file->out, file->out_len);
  file->out_len = 0;
  return error ? raise_os(vm, error) : true;
}

/* Bytes read ahead are given back, so that the descriptor stands where the script is. */
static void drop_input(asy_file *file) {
  if (file->in_start < file->in_end) lseek(file->fd, -(off_t)(file->in_end - file->in_start), SEEK_CUR);
  file->in_start = file->in_end = 0;
  file->eof = file->skip_lf = false;
}

/* What was printed before an error message is seen before it. */
static bool flush_before_errors(asy_vm *vm) {
  asy_file *out = vm->stdout_file ? asy_file_of(vm, vm->stdout_file) : NULL;
  return !out || out->fd < 0 || !out->out_len || asy_file_flush(vm, out);
}

bool asy_file_write_bytes(asy_vm *vm, asy_file *file, const void *bytes, size_t length) {
  if (!check_open(vm, file)) return false;
  if (!file->writable) {
    asy_raise(vm, ASY_OSError, "not writable");
    return false;
  }
  if (file->in_end) drop_input(file);
  if (file->fd == STDERR_FILENO && !flush_before_errors(vm)) return false;
  if (file->unbuffered || length >= ASY_FILE_BUFFER) {
    if (!asy_file_flush(vm, file)) return false;
    int error = write_all(file->fd, bytes, length);
    return error ? raise_os(vm, error) : true;
  }
  if (!file->out && !(file->out = malloc(ASY_FILE_BUFFER))) {
    asy_raise_no_memory(vm);
    return false;
  }
  if (file->out_len + length > ASY_FILE_BUFFER && !asy_file_flush(vm, file)) return false;
  memcpy(file->out + file->out_len, bytes, length);
  file->out_len += (uint32_t)length;
  if (file->line_buffered && memrchr(bytes, '\n', length)) return asy_file_flush(vm, file);
  return true;
}

static bool is_utf8(const asy_file *file) {
  return asy_is_str(file->encoding) && (asy_str_equal_cstr((asy_str *)asy_obj_of(file->encoding), "utf-8") ||
                                        asy_str_equal_cstr((asy_str *)asy_obj_of(file->encoding), "UTF-8"));
}

static bool has_surrogate(const asy_str *s) {
  if (asy_str_width(s) == 1) return false;
  for (uint32_t i = 0; i < s->len; i++) {
    uint32_t c = asy_str_at(s, i);
    if (c >= 0xd800 && c < 0xe000) return true;
  }
  return false;
}

static bool write_translated(asy_vm *vm, asy_file *file, const char *bytes, size_t length) {
  if (!file->write_crlf) return asy_file_write_bytes(vm, file, bytes, length);
  while (length) {
    const char *newline = memchr(bytes, '\n', length);
    size_t part = newline ? (size_t)(newline - bytes) : length;
    if (!asy_file_write_bytes(vm, file, bytes, part)) return false;
    if (newline && !asy_file_write_bytes(vm, file, "\r\n", 2)) return false;
    part += newline != NULL;
    bytes += part;
    length -= part;
  }
  return true;
}

bool asy_file_write_str(asy_vm *vm, asy_file *file, asy_str *text) {
  if (text->head.flags & STR_ASCII) return write_translated(vm, file, asy_str_data(text), text->len);
  if (is_utf8(file) && !has_surrogate(text)) {
    asy_value keep = 0;
    size_t length;
    const char *utf8 = asy_str_utf8(vm, text, &length, &keep);
    return utf8 && write_translated(vm, file, utf8, length);
  }
  const char *encoding, *errors;
  if (!asy_to_cstr(vm, file->encoding, &encoding) || !asy_to_cstr(vm, file->errors, &errors)) return false;
  asy_value encoded = asy_encode(vm, text, encoding, errors);
  if (asy_failed(encoded)) return false;
  const asy_bytes *bytes = (const asy_bytes *)asy_obj_of(encoded);
  return write_translated(vm, file, (const char *)bytes->data, bytes->len);
}

/* ---- Reading ---- */

/* Universal newlines: in place, returns the new length. */
static size_t translate(asy_file *file, uint8_t *bytes, size_t length) {
  if (!file->skip_lf && !memchr(bytes, '\r', length)) return length;
  uint8_t *to = bytes;
  for (size_t i = 0; i < length; i++) {
    uint8_t c = bytes[i];
    if (c == '\n' && file->skip_lf) {
      file->skip_lf = false;
      continue;
    }
    file->skip_lf = c == '\r';
    *to++ = c == '\r' ? '\n' : c;
  }
  return (size_t)(to - bytes);
}

/* Reads ahead a piece more; file->eof is set when there is none. */
static bool fill(asy_vm *vm, asy_file *file) {
  if (file->in_start && file->in_start == file->in_end) file->in_start = file->in_end = 0;
  if (file->in_cap - file->in_end < ASY_FILE_BUFFER / 2) {
    if (file->in_start) {
      memmove(file->in, file->in + file->in_start, file->in_end - file->in_start);
      file->in_end -= file->in_start;
      file->in_start = 0;
    }
    if (file->in_cap - file->in_end < ASY_FILE_BUFFER / 2) {
      size_t cap = file->in_cap ? file->in_cap * 2 : ASY_FILE_BUFFER;
      uint8_t *grown = realloc(file->in, cap);
      if (!grown) {
        asy_raise_no_memory(vm);
        return false;
      }
      file->in = grown;
      file->in_cap = cap;
    }
  }
  ssize_t n = read_some(file->fd, file->in + file->in_end, file->in_cap - file->in_end);
  if (n < 0) return raise_os(vm, errno);
  if (n == 0) file->eof = true;
  size_t kept = file->translate ? translate(file, file->in + file->in_end, (size_t)n) : (size_t)n;
  file->in_end += kept;
  return true;
}

static bool begin_read(asy_vm *vm, asy_file *file) {
  if (!check_open(vm, file)) return false;
  if (!file->readable) {
    asy_raise(vm, ASY_OSError, "not readable");
    return false;
  }
  file->eof = false;
  return !file->out_len || asy_file_flush(vm, file);
}

/* The next n bytes of the buffer as str or bytes. */
static asy_value take(asy_vm *vm, asy_file *file, size_t n) {
  const uint8_t *start = file->in + file->in_start;
  file->in_start += n;
  if (!file->text) {
    asy_bytes *bytes = asy_bytes_new(vm, start, n);
    return bytes ? asy_from_obj(bytes) : ASY_FAILED;
  }
  const char *encoding, *errors;
  if (!asy_to_cstr(vm, file->encoding, &encoding) || !asy_to_cstr(vm, file->errors, &errors)) return ASY_FAILED;
  asy_str *text = asy_decode(vm, 0, start, n, encoding, errors);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value empty(asy_vm *vm, asy_file *file) {
  file->in_start = file->in_end = 0;
  if (file->text) return asy_from_obj(vm->empty_str);
  asy_bytes *bytes = asy_bytes_new(vm, "", 0);
  return bytes ? asy_from_obj(bytes) : ASY_FAILED;
}

asy_value asy_file_read_line(asy_vm *vm, asy_file *file, int64_t limit) {
  if (!begin_read(vm, file)) return ASY_FAILED;
  size_t scanned = 0;
  for (;;) {
    size_t available = file->in_end - file->in_start;
    const uint8_t *start = file->in + file->in_start;
    const uint8_t *newline = available > scanned ? memchr(start + scanned, '\n', available - scanned) : NULL;
    size_t length = newline ? (size_t)(newline - start) + 1 : available;
    if (limit >= 0 && length >= (size_t)limit) return take(vm, file, (size_t)limit);
    if (newline) return take(vm, file, length);
    if (file->eof) return available ? take(vm, file, available) : empty(vm, file);
    scanned = available;
    if (!fill(vm, file)) return ASY_FAILED;
  }
}

/* Bytes that hold `count` characters, as far as they are buffered; *found says how many characters that is. */
static size_t span_of_chars(const asy_file *file, size_t count, size_t *found) {
  size_t available = file->in_end - file->in_start, i = 0, chars = 0;
  const uint8_t *p = file->in + file->in_start;
  if (!file->text || !is_utf8(file)) {
    *found = available < count ? available : count;
    return *found;
  }
  while (i < available && chars < count) {
    size_t width = p[i] < 0xc0 ? 1 : p[i] < 0xe0 ? 2 : p[i] < 0xf0 ? 3 : 4;
    if (i + width > available && !file->eof) break;
    i = i + width > available ? available : i + width;
    chars++;
  }
  *found = chars;
  return i;
}

static asy_value read_count(asy_vm *vm, asy_file *file, int64_t count) {
  if (!begin_read(vm, file)) return ASY_FAILED;
  for (;;) {
    if (count < 0) {
      if (file->eof) break;
    } else {
      size_t found, span = span_of_chars(file, (size_t)count, &found);
      if (found == (size_t)count || file->eof) return span ? take(vm, file, span) : empty(vm, file);
    }
    if (!fill(vm, file)) return ASY_FAILED;
  }
  size_t available = file->in_end - file->in_start;
  return available ? take(vm, file, available) : empty(vm, file);
}

/* ---- Opening and closing ---- */

static asy_file *new_file(asy_vm *vm, int fd, asy_value name, const char *mode) {
  asy_class *cls = asy_define_type(vm, &asy_file_type);
  asy_file *file = cls ? asy_new_instance(vm, cls) : NULL;
  if (!file) return NULL;
  file->fd = -1;
  file->name = name;
  file->encoding = file->errors = file->mode = ASY_NONE;
  asy_value mode_text = asy_from_cstr(vm, mode);
  if (asy_failed(mode_text)) return NULL;
  asy_store(vm, file, &file->mode, mode_text);
  file->fd = fd;
  return file;
}

static bool set_encoding(asy_vm *vm, asy_file *file, const char *encoding, const char *errors) {
  asy_str *a = asy_intern(vm, encoding), *b = asy_intern(vm, errors);
  if (!a || !b) return false;
  asy_store(vm, file, &file->encoding, asy_from_obj(a));
  asy_store(vm, file, &file->errors, asy_from_obj(b));
  return true;
}

asy_value asy_file_standard(asy_vm *vm, int fd, const char *name, const char *mode) {
  asy_value name_text = asy_from_cstr(vm, name);
  if (asy_failed(name_text)) return ASY_FAILED;
  asy_file *file = new_file(vm, fd, name_text, mode);
  if (!file || !set_encoding(vm, file, "utf-8", fd == 2 ? "backslashreplace" : "strict")) return ASY_FAILED;
  file->text = true;
  file->readable = *mode == 'r';
  file->writable = *mode != 'r';
  file->translate = file->readable;
  file->line_buffered = file->writable && isatty(fd);
  file->unbuffered = fd == 2;
  return asy_from_obj(file);
}

typedef struct {
  bool reading, writing, appending, creating, updating, text, binary;
} open_mode;

static bool parse_mode(asy_vm *vm, const char *text, open_mode *mode) {
  *mode = (open_mode){0};
  bool *const flags[128] = {
    ['r'] = &mode->reading,  ['w'] = &mode->writing, ['a'] = &mode->appending, ['x'] = &mode->creating,
    ['+'] = &mode->updating, ['t'] = &mode->text,    ['b'] = &mode->binary};
  for (const char *p = text; *p; p++) {
    bool *flag = (unsigned char)*p < 128 ? flags[(unsigned char)*p] : NULL;
    if (!flag || *flag) {
      asy_raise(vm, ASY_ValueError, "invalid mode: '%s'", text);
      return false;
    }
    *flag = true;
  }
  int ways = mode->reading + mode->writing + mode->appending + mode->creating;
  const char *wrong = NULL;
  if (mode->text && mode->binary) wrong = "can't have text and binary mode at once";
  else if (ways > 1) wrong = "must have exactly one of create/read/write/append mode";
  else if (!ways) wrong = "Must have exactly one of create/read/write/append mode and at most one plus";
  if (wrong) asy_raise(vm, ASY_ValueError, "%s", wrong);
  return !wrong;
}

/* A path from str, bytes or __fspath__; *keep holds its memory. */
static const char *path_of(asy_vm *vm, asy_value file, asy_value *keep) {
  asy_value path = file;
  if (!asy_is_str(path) && !asy_is_kind(path, KIND_BYTES)) {
    path = asy_call_special(vm, file, ASY_NAME(vm, __fspath__), 0, NULL);
    if (path == ASY_UNBOUND) asy_raise(vm, ASY_TypeError, "expected str, bytes or os.PathLike object, not %T", file);
    if (path == ASY_UNBOUND || asy_failed(path)) return NULL;
  }
  *keep = path;
  if (asy_is_kind(path, KIND_BYTES)) {
    const asy_bytes *bytes = (const asy_bytes *)asy_obj_of(path);
    if (!memchr(bytes->data, 0, bytes->len)) return (const char *)bytes->data;
    asy_raise(vm, ASY_ValueError, "embedded null byte");
    return NULL;
  }
  if (!asy_is_str(path)) {
    asy_raise(vm, ASY_TypeError, "expected %T.__fspath__() to return str or bytes, not %T", file, path);
    return NULL;
  }
  asy_str *s = (asy_str *)asy_obj_of(path);
  for (uint32_t i = 0; i < s->len; i++) {
    if (asy_str_at(s, i)) continue;
    asy_raise(vm, ASY_ValueError, "embedded null character");
    return NULL;
  }
  if (s->head.flags & STR_ASCII) {
    size_t length;
    return asy_str_utf8(vm, s, &length, keep);
  }
  asy_value encoded = asy_encode(vm, s, "utf-8", "surrogateescape");
  if (asy_failed(encoded)) return NULL;
  *keep = encoded;
  return (const char *)((const asy_bytes *)asy_obj_of(encoded))->data;
}

static int open_flags(const open_mode *mode) {
  int flags = mode->updating ? O_RDWR : mode->reading ? O_RDONLY : O_WRONLY;
  if (mode->writing) flags |= O_CREAT | O_TRUNC;
  if (mode->appending) flags |= O_CREAT | O_APPEND;
  if (mode->creating) flags |= O_CREAT | O_EXCL;
  return flags | O_CLOEXEC;
}

static int open_path(asy_vm *vm, asy_value file, int flags, asy_value opener) {
  if (opener != ASY_NONE) {
    int fd;
    asy_value made = asy_call2(vm, opener, file, asy_from_small(flags));
    if (asy_failed(made) || !asy_to_int(vm, made, INT32_MIN, INT32_MAX, &fd)) return -1;
    if (fd < 0) asy_raise(vm, ASY_ValueError, "opener returned %d", fd);
    return fd;
  }
  asy_value keep = 0;
  const char *path = path_of(vm, file, &keep);
  if (!path) return -1;
  int fd;
  do fd = open(path, flags, 0666);
  while (fd < 0 && errno == EINTR);
  struct stat status;
  if (fd >= 0 && !fstat(fd, &status) && S_ISDIR(status.st_mode)) {
    close(fd);
    fd = -1;
    errno = EISDIR;
  }
  if (fd < 0) asy_raise_errno(vm, errno, file);
  return fd;
}

static bool set_newline(asy_vm *vm, asy_file *file, asy_value newline) {
  if (newline == ASY_NONE) {
    file->translate = true;
    return true;
  }
  const char *text;
  if (!asy_is_str(newline)) {
    asy_raise(vm, ASY_TypeError, "open() argument 'newline' must be str or None, not %T", newline);
    return false;
  }
  if (!asy_to_cstr(vm, newline, &text)) return false;
  if (*text && strcmp(text, "\n") && strcmp(text, "\r") && strcmp(text, "\r\n")) {
    asy_raise(vm, ASY_ValueError, "illegal newline value: %R", newline);
    return false;
  }
  file->write_crlf = !strcmp(text, "\r\n");
  return true;
}

asy_value asy_file_open(asy_vm *vm, asy_value name, const char *mode_text, int64_t buffering, asy_value encoding,
                        asy_value errors, asy_value newline, bool closefd, asy_value opener) {
  open_mode mode;
  if (!parse_mode(vm, mode_text, &mode)) return ASY_FAILED;
  const char *encoding_name = "UTF-8", *errors_name = "strict";
  if (mode.binary) {
    const char *extra = encoding != ASY_NONE  ? "encoding"
                        : errors != ASY_NONE  ? "errors"
                        : newline != ASY_NONE ? "newline"
                                              : NULL;
    if (extra)
      return asy_raise(vm, ASY_ValueError, "binary mode doesn't take %s %s argument", *extra == 'n' ? "a" : "an",
                       extra);
  } else if (buffering == 0) return asy_raise(vm, ASY_ValueError, "can't have unbuffered text I/O");
  if (encoding != ASY_NONE && !asy_to_cstr(vm, encoding, &encoding_name)) return ASY_FAILED;
  if (!strcmp(encoding_name, "locale")) encoding_name = "utf-8";
  if (!asy_codec_known(encoding_name)) return asy_raise(vm, ASY_LookupError, "unknown encoding: %s", encoding_name);
  if (errors != ASY_NONE && !asy_to_cstr(vm, errors, &errors_name)) return ASY_FAILED;

  int fd;
  bool given = asy_is_integer(name);
  if (given) {
    if (!asy_to_int(vm, name, INT32_MIN, INT32_MAX, &fd)) return ASY_FAILED;
    if (fd < 0) return asy_raise(vm, ASY_ValueError, "negative file descriptor");
    struct stat status;
    if (fstat(fd, &status)) return asy_raise_errno(vm, errno, name);
  } else {
    if (!closefd) return asy_raise(vm, ASY_ValueError, "Cannot use closefd=False with file name");
    fd = open_path(vm, name, open_flags(&mode), opener);
    if (fd < 0) return ASY_FAILED;
  }

  asy_file *file = new_file(vm, fd, name, mode_text);
  if (!file) {
    if (!given) close(fd);
    return ASY_FAILED;
  }
  file->owns_fd = closefd;
  file->text = !mode.binary;
  file->readable = mode.reading || mode.updating;
  file->writable = !mode.reading || mode.updating;
  file->appending = mode.appending;
  file->unbuffered = buffering == 0;
  file->line_buffered = buffering == 1 || (buffering < 0 && file->writable && isatty(fd));
  if (mode.appending) lseek(fd, 0, SEEK_END);
  if (file->text && (!set_encoding(vm, file, encoding_name, errors_name) || !set_newline(vm, file, newline)))
    return ASY_FAILED;
  return asy_from_obj(file);
}

asy_file *asy_file_of(asy_vm *vm, asy_value v) {
  if (!asy_is_obj(v)) return NULL;
  asy_class *cls = asy_class_for(vm, &asy_file_type);
  return cls && asy_obj_of(v)->kind == cls->kind ? (asy_file *)asy_obj_of(v) : NULL;
}

bool asy_read_whole_file(asy_vm *vm, const char *path, char **bytes, size_t *length) {
  int fd;
  do fd = open(path, O_RDONLY | O_CLOEXEC);
  while (fd < 0 && errno == EINTR);
  int error = fd < 0 ? errno : 0;
  size_t cap = 0, n = 0;
  char *data = NULL;
  struct stat status;
  if (!error && !fstat(fd, &status)) {
    if (S_ISDIR(status.st_mode)) error = EISDIR;
    else cap = (size_t)status.st_size + 1;
  }
  while (!error) {
    if (n + 1 >= cap || !data) {
      cap = cap < 4096 ? 4096 : n + 1 >= cap ? cap * 2 : cap;
      char *grown = realloc(data, cap);
      if (!grown) error = ENOMEM;
      else data = grown;
      if (error) break;
    }
    ssize_t got = read_some(fd, (uint8_t *)data + n, cap - n - 1);
    if (got < 0) error = errno;
    if (got <= 0) break;
    n += (size_t)got;
  }
  if (fd >= 0) close(fd);
  if (error) {
    free(data);
    asy_value name = asy_from_cstr(vm, path);
    if (!asy_failed(name)) asy_raise_errno(vm, error, name);
    return false;
  }
  data[n] = 0;
  *bytes = data;
  *length = n;
  return true;
}

/* ---- The type ---- */

static asy_file *self_of(const asy_value *args) { return (asy_file *)asy_obj_of(args[0]); }

static void file_visit(asy_obj *o, asy_visitor *v) {
  const asy_file *file = (const asy_file *)o;
  asy_visit_value(v, file->name);
  asy_visit_value(v, file->mode);
  asy_visit_value(v, file->encoding);
  asy_visit_value(v, file->errors);
}

static void file_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  asy_file *file = (asy_file *)o;
  if (file->fd >= 0 && file->out_len) write_all(file->fd, file->out, file->out_len);
  if (file->fd >= 0 && file->owns_fd) close(file->fd);
  free(file->out);
  free(file->in);
}

static asy_value file_repr(asy_vm *vm, asy_value self) {
  const asy_file *file = (const asy_file *)asy_obj_of(self);
  asy_str *text = file->text ? asy_str_format(vm, "<_io.TextIOWrapper name=%R mode=%R encoding=%R>", file->name,
                                              file->mode, file->encoding == ASY_NONE ? ASY_NONE : file->encoding)
                             : asy_str_format(vm, "<_io.BufferedReader name=%R>", file->name);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value file_write(asy_vm *vm, const asy_value *args) {
  asy_file *file = self_of(args);
  if (file->text) {
    if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "write() argument must be str, not %T", args[1]);
    asy_str *text = (asy_str *)asy_obj_of(args[1]);
    return asy_file_write_str(vm, file, text) ? asy_from_small(text->len) : ASY_FAILED;
  }
  asy_buffer buffer;
  if (!asy_buffer_get(vm, args[1], &buffer)) return ASY_FAILED;
  size_t length = buffer.len;
  bool good = asy_file_write_bytes(vm, file, buffer.data, length);
  asy_buffer_release(vm, &buffer);
  return good ? asy_from_small((int64_t)length) : ASY_FAILED;
}

static asy_value file_writelines(asy_vm *vm, const asy_value *args) {
  asy_value iterator = asy_iter(vm, args[1]);
  if (asy_failed(iterator)) return ASY_FAILED;
  for (;;) {
    asy_value pair[2] = {args[0], asy_next(vm, iterator)};
    if (pair[1] == ASY_END) return ASY_NONE;
    if (asy_failed(pair[1]) || asy_failed(file_write(vm, pair))) return ASY_FAILED;
  }
}

static bool size_argument(asy_vm *vm, asy_value v, int64_t *out) {
  *out = -1;
  return v == ASY_NONE || asy_to_int64(vm, v, out);
}

static asy_value file_read(asy_vm *vm, const asy_value *args) {
  int64_t count;
  return size_argument(vm, args[1], &count) ? read_count(vm, self_of(args), count) : ASY_FAILED;
}

static asy_value file_readline(asy_vm *vm, const asy_value *args) {
  int64_t limit;
  return size_argument(vm, args[1], &limit) ? asy_file_read_line(vm, self_of(args), limit) : ASY_FAILED;
}

static bool is_empty(asy_value line) {
  return asy_is_str(line) ? !((asy_str *)asy_obj_of(line))->len : !((asy_bytes *)asy_obj_of(line))->len;
}

static asy_value file_readlines(asy_vm *vm, const asy_value *args) {
  int64_t hint, total = 0;
  asy_list *lines = asy_list_new(vm, 0);
  if (!lines || !size_argument(vm, args[1], &hint)) return ASY_FAILED;
  for (;;) {
    asy_value line = asy_file_read_line(vm, self_of(args), -1);
    if (asy_failed(line)) return ASY_FAILED;
    if (is_empty(line)) return asy_from_obj(lines);
    if (!asy_list_append(vm, lines, line)) return ASY_FAILED;
    total += asy_is_str(line) ? ((asy_str *)asy_obj_of(line))->len : ((asy_bytes *)asy_obj_of(line))->len;
    if (hint > 0 && total >= hint) return asy_from_obj(lines);
  }
}

static asy_value file_iter(asy_vm *vm, asy_value self) {
  return check_open(vm, (asy_file *)asy_obj_of(self)) ? self : ASY_FAILED;
}

static asy_value file_next(asy_vm *vm, asy_value self) {
  asy_value line = asy_file_read_line(vm, (asy_file *)asy_obj_of(self), -1);
  return !asy_failed(line) && is_empty(line) ? ASY_END : line;
}

static asy_value file_flush(asy_vm *vm, const asy_value *args) {
  return asy_file_flush(vm, self_of(args)) ? ASY_NONE : ASY_FAILED;
}

static asy_value file_close(asy_vm *vm, const asy_value *args) {
  asy_file *file = self_of(args);
  if (file->fd < 0) return ASY_NONE;
  bool flushed = asy_file_flush(vm, file);
  int fd = file->fd;
  file->fd = -1;
  if (file->owns_fd && close(fd) && flushed) return asy_raise_errno(vm, errno, ASY_UNBOUND);
  return flushed ? ASY_NONE : ASY_FAILED;
}

static asy_value file_enter(asy_vm *vm, const asy_value *args) {
  return check_open(vm, self_of(args)) ? args[0] : ASY_FAILED;
}

static asy_value file_exit(asy_vm *vm, const asy_value *args) { return file_close(vm, args); }

static asy_value file_seek(asy_vm *vm, const asy_value *args) {
  asy_file *file = self_of(args);
  int64_t offset;
  int whence;
  if (!asy_to_int64(vm, args[1], &offset) || !asy_to_int(vm, args[2], 0, 2, &whence)) return ASY_FAILED;
  if (!check_open(vm, file) || !asy_file_flush(vm, file)) return ASY_FAILED;
  if (file->text && whence && offset)
    return asy_raise(vm, ASY_OSError, "can't do nonzero %s-relative seeks", whence == 1 ? "cur" : "end");
  drop_input(file);
  off_t at = lseek(file->fd, (off_t)offset, whence);
  return at < 0 ? asy_raise_errno(vm, errno, ASY_UNBOUND) : asy_from_int64(vm, at);
}

static asy_value file_tell(asy_vm *vm, const asy_value *args) {
  asy_file *file = self_of(args);
  if (!check_open(vm, file) || !asy_file_flush(vm, file)) return ASY_FAILED;
  off_t at = lseek(file->fd, 0, SEEK_CUR);
  if (at < 0) return asy_raise_errno(vm, errno, ASY_UNBOUND);
  return asy_from_int64(vm, at - (off_t)(file->in_end - file->in_start));
}

static asy_value file_truncate(asy_vm *vm, const asy_value *args) {
  asy_file *file = self_of(args);
  asy_value at = args[1] == ASY_NONE ? file_tell(vm, args) : args[1];
  int64_t size;
  if (asy_failed(at) || !asy_to_int64(vm, at, &size) || !asy_file_flush(vm, file)) return ASY_FAILED;
  if (ftruncate(file->fd, (off_t)size)) return asy_raise_errno(vm, errno, ASY_UNBOUND);
  return asy_from_int64(vm, size);
}

static asy_value file_fileno(asy_vm *vm, const asy_value *args) {
  return check_open(vm, self_of(args)) ? asy_from_small(self_of(args)->fd) : ASY_FAILED;
}
static asy_value file_isatty(asy_vm *vm, const asy_value *args) {
  return check_open(vm, self_of(args)) ? asy_from_bool(isatty(self_of(args)->fd)) : ASY_FAILED;
}
static asy_value file_readable(asy_vm *vm, const asy_value *args) {
  return check_open(vm, self_of(args)) ? asy_from_bool(self_of(args)->readable) : ASY_FAILED;
}
static asy_value file_writable(asy_vm *vm, const asy_value *args) {
  return check_open(vm, self_of(args)) ? asy_from_bool(self_of(args)->writable) : ASY_FAILED;
}
static asy_value file_seekable(asy_vm *vm, const asy_value *args) {
  if (!check_open(vm, self_of(args))) return ASY_FAILED;
  return asy_from_bool(lseek(self_of(args)->fd, 0, SEEK_CUR) >= 0);
}
static asy_value file_closed(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_bool(self_of(args)->fd < 0);
}
static asy_value file_line_buffering(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_bool(self_of(args)->line_buffered);
}

/* The same descriptor for bytes: what is buffered goes first, and input read ahead moves along. */
static asy_value file_buffer(asy_vm *vm, const asy_value *args) {
  asy_file *file = self_of(args);
  if (!file->text) return asy_raise(vm, ASY_AttributeError, "'%T' object has no attribute 'buffer'", args[0]);
  if (!asy_file_flush(vm, file)) return ASY_FAILED;
  asy_file *raw = new_file(vm, file->fd, file->name, file->readable ? "rb" : "wb");
  if (!raw) return ASY_FAILED;
  raw->readable = file->readable;
  raw->writable = file->writable;
  raw->unbuffered = true;
  raw->in = file->in;
  raw->in_start = file->in_start;
  raw->in_end = file->in_end;
  raw->in_cap = file->in_cap;
  file->in = NULL;
  file->in_start = file->in_end = file->in_cap = 0;
  return asy_from_obj(raw);
}

static asy_value file_reconfigure(asy_vm *vm, const asy_value *args) {
  asy_file *file = self_of(args);
  if (!asy_file_flush(vm, file)) return ASY_FAILED;
  const char *encoding, *errors;
  asy_value new_encoding = args[1] == ASY_NONE ? file->encoding : args[1];
  asy_value new_errors = args[2] != ASY_NONE ? args[2] : file->errors;
  if (!asy_to_cstr(vm, new_encoding, &encoding) || !asy_to_cstr(vm, new_errors, &errors)) return ASY_FAILED;
  if (!asy_codec_known(encoding)) return asy_raise(vm, ASY_LookupError, "unknown encoding: %s", encoding);
  if (!set_encoding(vm, file, encoding, errors)) return ASY_FAILED;
  if (args[3] != ASY_UNBOUND && !set_newline(vm, file, args[3])) return ASY_FAILED;
  if (args[4] != ASY_NONE) {
    int on = asy_truth(vm, args[4]);
    if (on < 0) return ASY_FAILED;
    file->line_buffered = on;
  }
  if (args[5] != ASY_NONE) {
    int on = asy_truth(vm, args[5]);
    if (on < 0) return ASY_FAILED;
    file->unbuffered = on;
  }
  return ASY_NONE;
}

static asy_value file_new(asy_vm *vm, const asy_value *args) {
  (void)args;
  return asy_raise(vm, ASY_TypeError, "cannot create '_io.TextIOWrapper' instances: use open()");
}

static const asy_native file_methods[] = {
  {"__enter__", "(self, /)", file_enter, NULL, 0},
  {"__exit__", "(self, type=None, value=None, traceback=None, /)", file_exit, NULL, 0},
  {"buffer", "(self)", file_buffer, NULL, ASY_NATIVE_GETTER},
  {"close", "(self, /)", file_close, "Flush and close the IO object.", 0},
  {"closed", "(self)", file_closed, NULL, ASY_NATIVE_GETTER},
  {"fileno", "(self, /)", file_fileno, "Return underlying file descriptor.", 0},
  {"flush", "(self, /)", file_flush, "Flush write buffers.", 0},
  {"isatty", "(self, /)", file_isatty, "Return whether this is an 'interactive' stream.", 0},
  {"line_buffering", "(self)", file_line_buffering, NULL, ASY_NATIVE_GETTER},
  {"read", "(self, size=-1, /)", file_read, "Read at most size characters or bytes; all when negative or None.", 0},
  {"readable", "(self, /)", file_readable, NULL, 0},
  {"readline", "(self, size=-1, /)", file_readline, "Read until newline or end of file.", 0},
  {"readlines", "(self, hint=-1, /)", file_readlines, "Return a list of lines.", 0},
  {"reconfigure", "(self, *, encoding=None, errors=None, newline=?, line_buffering=None, write_through=None)",
   file_reconfigure, "Reconfigure the text stream with new parameters.", 0},
  {"seek", "(self, offset, whence=0, /)", file_seek, "Set the stream position, and return the new absolute position.",
   0},
  {"seekable", "(self, /)", file_seekable, NULL, 0},
  {"tell", "(self, /)", file_tell, "Return the stream position.", 0},
  {"truncate", "(self, size=None, /)", file_truncate, NULL, 0},
  {"writable", "(self, /)", file_writable, NULL, 0},
  {"write", "(self, text, /)", file_write, "Write string s to stream.", 0},
  {"writelines", "(self, lines, /)", file_writelines, "Write a list of lines to stream.", 0},
  {0},
};

static const asy_member file_members[] = {
  {"name", offsetof(asy_file, name), MEMBER_VALUE, false},
  {"mode", offsetof(asy_file, mode), MEMBER_VALUE, false},
  {"encoding", offsetof(asy_file, encoding), MEMBER_VALUE, false},
  {"errors", offsetof(asy_file, errors), MEMBER_VALUE, false},
  {0},
};

const asy_type asy_file_type = {
  .name = "_io.TextIOWrapper",
  .size = sizeof(asy_file),
  .visit = file_visit,
  .free = file_free,
  .new_ = file_new,
  .new_signature = "(cls, *args, **kwargs)",
  .repr = file_repr,
  .iter = file_iter,
  .next = file_next,
  .methods = file_methods,
  .members = file_members,
};
