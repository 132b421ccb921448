/* fcntl.c - the module fcntl: fcntl, ioctl and locks of files. */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stdlib/posix.h"

enum { ARGUMENT_MAX = 1024 }; /* bytes of an argument that the system reads and writes */

/* What fcntl and ioctl take as their third argument: a number, or bytes in a copy. */
typedef struct {
  bool is_bytes;
  long number;
  size_t length;
  char bytes[ARGUMENT_MAX + 1];
} argument;

static bool number_of(asy_vm *vm, asy_value v, long *out) {
  asy_value index = asy_index(vm, v);
  if (asy_failed(index)) return false;
  *out = (long)asy_int_mask64(index);
  return true;
}

static bool argument_of(asy_vm *vm, asy_value v, const char *function, argument *out) {
  asy_buffer buffer;
  asy_value text = v;
  *out = (argument){0};
  if (asy_is_str(v)) {
    size_t length;
    asy_value keep = 0;
    const char *utf8 = asy_str_utf8(vm, (asy_str *)asy_obj_of(v), &length, &keep);
    text = utf8 ? asy_from_bytes(vm, utf8, length) : ASY_FAILED;
    if (asy_failed(text)) return false;
  } else if (!asy_is_bytes_like(v)) {
    return number_of(vm, v, &out->number);
  }
  if (!asy_buffer_get(vm, text, &buffer)) return false;
  out->is_bytes = true;
  out->length = buffer.len;
  bool fits = buffer.len <= ARGUMENT_MAX;
  if (fits) memcpy(out->bytes, buffer.data, buffer.len);
  else asy_raise(vm, ASY_ValueError, "%s string arg too long", function);
  asy_buffer_release(vm, &buffer);
  return fits;
}

/* (fd, cmd, arg=0) */
static asy_value f_fcntl(asy_vm *vm, const asy_value *args) {
  int fd, command, rc;
  argument a;
  if (!posix_fd_or_file(vm, args[0], &fd) || !posix_int(vm, args[1], &command) ||
      !argument_of(vm, args[2], "fcntl", &a))
    return ASY_FAILED;
  if (a.is_bytes) POSIX_WAIT(vm, rc, fcntl(fd, command, a.bytes));
  else POSIX_WAIT(vm, rc, fcntl(fd, command, a.number));
  if (rc < 0) return posix_error(vm);
  return a.is_bytes ? asy_from_bytes(vm, a.bytes, a.length) : asy_from_small(rc);
}

/* The system writes into the caller's own buffer, by way of a copy when that fits: other code may shrink the buffer. */
static asy_value ioctl_in_place(asy_vm *vm, int fd, unsigned long request, asy_value v) {
  asy_buffer buffer;
  int rc;
  if (!asy_buffer_get_writable(vm, v, &buffer)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, ioctl(fd, request, buffer.data));
  asy_value result = rc < 0 ? posix_error(vm) : asy_from_small(rc);
  asy_buffer_release(vm, &buffer);
  return result;
}

static bool is_writable(asy_vm *vm, asy_value v) {
  asy_buffer buffer;
  if (asy_is_str(v) || asy_is_kind(v, KIND_BYTES) || !asy_is_bytes_like(v)) return false;
  bool writable = asy_buffer_get_writable(vm, v, &buffer);
  if (writable) asy_buffer_release(vm, &buffer);
  else asy_clear_exception(vm);
  return writable;
}

/* (fd, request, arg=0, mutate_flag=True) */
static asy_value f_ioctl(asy_vm *vm, const asy_value *args) {
  int fd, rc;
  long request;
  bool mutates;
  argument a;
  if (!posix_fd_or_file(vm, args[0], &fd) || !number_of(vm, args[1], &request) || !posix_flag(vm, args[3], &mutates))
    return ASY_FAILED;
  if (mutates && is_writable(vm, args[2])) return ioctl_in_place(vm, fd, (unsigned long)request, args[2]);
  if (!argument_of(vm, args[2], "ioctl", &a)) return ASY_FAILED;
  if (a.is_bytes) POSIX_WAIT(vm, rc, ioctl(fd, (unsigned long)request, a.bytes));
  else POSIX_WAIT(vm, rc, ioctl(fd, (unsigned long)request, a.number));
  if (rc < 0) return posix_error(vm);
  return a.is_bytes ? asy_from_bytes(vm, a.bytes, a.length) : asy_from_small(rc);
}

static asy_value f_flock(asy_vm *vm, const asy_value *args) {
  int fd, operation, rc;
  if (!posix_fd_or_file(vm, args[0], &fd) || !posix_int(vm, args[1], &operation)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, flock(fd, operation));
  return posix_done(vm, rc);
}

/* (fd, cmd, len=0, start=0, whence=0) */
static asy_value f_lockf(asy_vm *vm, const asy_value *args) {
  int fd, operation, whence, rc;
  int64_t length, start;
  if (!posix_fd_or_file(vm, args[0], &fd) || !posix_int(vm, args[1], &operation) ||
      !asy_to_int64(vm, args[2], &length) || !asy_to_int64(vm, args[3], &start) || !posix_int(vm, args[4], &whence))
    return ASY_FAILED;
  struct flock lock = {.l_whence = (short)whence, .l_start = start, .l_len = length};
  if (operation == LOCK_UN) lock.l_type = F_UNLCK;
  else if (operation & LOCK_SH) lock.l_type = F_RDLCK;
  else if (operation & LOCK_EX) lock.l_type = F_WRLCK;
  else return asy_raise(vm, ASY_ValueError, "unrecognized lockf argument");
  POSIX_WAIT(vm, rc, fcntl(fd, operation & LOCK_NB ? F_SETLK : F_SETLKW, &lock));
  return posix_done(vm, rc);
}

static const asy_native natives[] = {
  {"fcntl", SIG("(fd, cmd, arg=0, /)"), f_fcntl, DOC("Perform an operation on a file descriptor."), 0},
  {"flock", SIG("(fd, operation, /)"), f_flock, DOC("Lock or unlock an open file."), 0},
  {"ioctl", SIG("(fd, request, arg=0, mutate_flag=True, /)"), f_ioctl, DOC("Perform an operation on a device."), 0},
  {"lockf", SIG("(fd, cmd, len=0, start=0, whence=0, /)"), f_lockf, DOC("Lock or unlock a part of a file."), 0},
  {0},
};

static const asy_constants constants = CONSTANTS(
  "fcntl", DN_ACCESS, DN_ATTRIB, DN_CREATE, DN_DELETE, DN_MODIFY, DN_RENAME, FASYNC, FD_CLOEXEC, FICLONE, FICLONERANGE,
  F_ADD_SEALS, F_DUPFD, F_DUPFD_CLOEXEC, F_EXLCK, F_GETFD, F_GETFL, F_GETLEASE, F_GETLK, F_GETLK64, F_GETOWN,
  F_GETOWN_EX, F_GETPIPE_SZ, F_GETSIG, F_GET_FILE_RW_HINT, F_GET_RW_HINT, F_GET_SEALS, F_NOTIFY, F_OFD_GETLK,
  F_OFD_SETLK, F_OFD_SETLKW, F_OWNER_PGRP, F_OWNER_PID, F_OWNER_TID, F_RDLCK, F_SEAL_FUTURE_WRITE, F_SEAL_GROW,
  F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, F_SETFD, F_SETFL, F_SETLEASE, F_SETLK, F_SETLK64, F_SETLKW, F_SETLKW64,
  F_SETOWN, F_SETOWN_EX, F_SETPIPE_SZ, F_SETSIG, F_SET_FILE_RW_HINT, F_SET_RW_HINT, F_SHLCK, F_UNLCK, F_WRLCK, LOCK_EX,
  LOCK_MAND, LOCK_NB, LOCK_READ, LOCK_RW, LOCK_SH, LOCK_UN, LOCK_WRITE, RWH_WRITE_LIFE_EXTREME, RWH_WRITE_LIFE_LONG,
  RWH_WRITE_LIFE_MEDIUM, RWH_WRITE_LIFE_NONE, RWH_WRITE_LIFE_NOT_SET, RWH_WRITE_LIFE_SHORT);
static const asy_constants unsigned_constants = UNSIGNED_CONSTANTS("fcntl_unsigned", DN_MULTISHOT);

static bool init(asy_vm *vm, asy_value module) {
  return asy_module_add_constants(vm, module, &constants) && asy_module_add_constants(vm, module, &unsigned_constants);
}

const asy_module_def asy_module_fcntl = {"fcntl", natives, "File and device control on descriptors.", init};
