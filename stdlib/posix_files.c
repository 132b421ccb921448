/* posix_files.c - the functions of posix that take a path. Each is a thin wrapper of the *at call of its name. */
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "stdlib/posix.h"

/* ---- stat ---- */

static const asy_member stat_fields[] = {
#define FIELD(name, place)                                                                                             \
  { name, ASY_RECORD(place), MEMBER_VALUE, false }
  FIELD("st_mode", 0),
  FIELD("st_ino", 1),
  FIELD("st_dev", 2),
  FIELD("st_nlink", 3),
  FIELD("st_uid", 4),
  FIELD("st_gid", 5),
  FIELD("st_size", 6),
  FIELD("st_atime", 10),
  FIELD("st_mtime", 11),
  FIELD("st_ctime", 12),
  FIELD("st_atime_ns", 13),
  FIELD("st_mtime_ns", 14),
  FIELD("st_ctime_ns", 15),
  FIELD("st_blksize", 16),
  FIELD("st_blocks", 17),
  FIELD("st_rdev", 18),
  {0},
};
enum { STAT_ITEMS = 10, STAT_VALUES = 19 }; /* items 7 to 9 are the times in whole seconds, and have no name */

static const asy_member statvfs_fields[] = {
  FIELD("f_bsize", 0),  FIELD("f_frsize", 1),  FIELD("f_blocks", 2), FIELD("f_bfree", 3),
  FIELD("f_bavail", 4), FIELD("f_files", 5),   FIELD("f_ffree", 6),  FIELD("f_favail", 7),
  FIELD("f_flag", 8),   FIELD("f_namemax", 9), FIELD("f_fsid", 10),  {0},
#undef FIELD
};
enum { STATVFS_ITEMS = 10 };

static asy_value from_nanoseconds(asy_vm *vm, const struct timespec *t) {
  int64_t ns;
  if (!__builtin_mul_overflow(t->tv_sec, INT64_C(1000000000), &ns) && !__builtin_add_overflow(ns, t->tv_nsec, &ns))
    return asy_from_int64(vm, ns);
  asy_value seconds = asy_int_binary(vm, BINARY_MUL, asy_from_int64(vm, t->tv_sec), asy_from_small(1000000000));
  return asy_failed(seconds) ? ASY_FAILED : asy_int_binary(vm, BINARY_ADD, seconds, asy_from_small(t->tv_nsec));
}

asy_value posix_stat_result(asy_vm *vm, const struct stat *s) {
  asy_class *cls = asy_define_long_record(vm, "os.stat_result", stat_fields, STAT_ITEMS);
  const struct timespec *times[] = {&s->st_atim, &s->st_mtim, &s->st_ctim};
  asy_value items[STAT_VALUES] = {
    [0] = asy_from_small(s->st_mode),        [1] = asy_from_uint64(vm, s->st_ino),
    [2] = asy_from_uint64(vm, s->st_dev),    [3] = asy_from_uint64(vm, s->st_nlink),
    [4] = asy_from_small(s->st_uid),         [5] = asy_from_small(s->st_gid),
    [6] = asy_from_int64(vm, s->st_size),    [16] = asy_from_int64(vm, s->st_blksize),
    [17] = asy_from_int64(vm, s->st_blocks), [18] = asy_from_uint64(vm, s->st_rdev),
  };
  for (int i = 0; i < 3; i++) {
    items[7 + i] = asy_from_int64(vm, times[i]->tv_sec);
    items[10 + i] = asy_from_double(vm, (double)times[i]->tv_sec + 1e-9 * (double)times[i]->tv_nsec);
    items[13 + i] = from_nanoseconds(vm, times[i]);
  }
  return cls ? asy_record_new(vm, cls, items) : ASY_FAILED;
}

static asy_value no_dir_fd(asy_vm *vm, const char *function) {
  return asy_raise(vm, ASY_ValueError, "%s: can't specify dir_fd without matching path", function);
}

static asy_value do_stat(asy_vm *vm, const char *function, asy_value where, asy_value dir_fd, asy_value follow) {
  posix_path path;
  int dir, rc;
  bool follows;
  struct stat status;
  if (!posix_path_of(vm, where, function, "path", PATH_FD, &path) || !posix_dir_fd(vm, dir_fd, &dir) ||
      !posix_flag(vm, follow, &follows))
    return ASY_FAILED;
  if (!path.name && dir != AT_FDCWD) return no_dir_fd(vm, function);
  if (!path.name && !follows)
    return asy_raise(vm, ASY_ValueError, "%s: cannot use fd and follow_symlinks together", function);
  if (path.name) POSIX_WAIT(vm, rc, fstatat(dir, path.name, &status, follows ? 0 : AT_SYMLINK_NOFOLLOW));
  else POSIX_WAIT(vm, rc, fstat(path.fd, &status));
  return rc ? posix_path_error(vm, &path) : posix_stat_result(vm, &status);
}

/* (path, *, dir_fd=None, follow_symlinks=True) */
static asy_value p_stat(asy_vm *vm, const asy_value *args) { return do_stat(vm, "stat", args[0], args[1], args[2]); }

static asy_value p_lstat(asy_vm *vm, const asy_value *args) {
  posix_path path;
  if (!posix_path_of(vm, args[0], "lstat", "path", PATH_ONLY, &path)) return ASY_FAILED;
  return do_stat(vm, "lstat", args[0], args[1], ASY_FALSE);
}

static asy_value p_fstat(asy_vm *vm, const asy_value *args) {
  int fd, rc;
  struct stat status;
  if (!posix_fd(vm, args[0], &fd)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, fstat(fd, &status));
  return rc ? posix_error(vm) : posix_stat_result(vm, &status);
}

static asy_value statvfs_result(asy_vm *vm, const struct statvfs *s) {
  asy_class *cls = asy_define_long_record(vm, "os.statvfs_result", statvfs_fields, STATVFS_ITEMS);
  const uint64_t parts[] = {s->f_bsize, s->f_frsize, s->f_blocks, s->f_bfree,   s->f_bavail, s->f_files,
                            s->f_ffree, s->f_favail, s->f_flag,   s->f_namemax, s->f_fsid};
  asy_value items[STATVFS_ITEMS + 1];
  for (int i = 0; i <= STATVFS_ITEMS; i++) items[i] = asy_from_uint64(vm, parts[i]);
  return cls ? asy_record_new(vm, cls, items) : ASY_FAILED;
}

static asy_value p_statvfs(asy_vm *vm, const asy_value *args) {
  posix_path path;
  struct statvfs status;
  int rc;
  if (!posix_path_of(vm, args[0], "statvfs", "path", PATH_FD, &path)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, path.name ? statvfs(path.name, &status) : fstatvfs(path.fd, &status));
  return rc ? posix_path_error(vm, &path) : statvfs_result(vm, &status);
}

static asy_value p_fstatvfs(asy_vm *vm, const asy_value *args) {
  int fd, rc;
  struct statvfs status;
  if (!posix_fd(vm, args[0], &fd)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, fstatvfs(fd, &status));
  return rc ? posix_error(vm) : statvfs_result(vm, &status);
}

/* ---- Rights and owners ---- */

/* (path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True) */
static asy_value p_access(asy_vm *vm, const asy_value *args) {
  posix_path path;
  int mode, dir, rc;
  bool effective, follows;
  if (!posix_path_of(vm, args[0], "access", "path", PATH_ONLY, &path) || !posix_int(vm, args[1], &mode) ||
      !posix_dir_fd(vm, args[2], &dir) || !posix_flag(vm, args[3], &effective) || !posix_flag(vm, args[4], &follows))
    return ASY_FAILED;
  int flags = (effective ? AT_EACCESS : 0) | (follows ? 0 : AT_SYMLINK_NOFOLLOW);
  POSIX_WAIT(vm, rc, faccessat(dir, path.name, mode, flags));
  return rc && asy_raised(vm) ? ASY_FAILED : asy_from_bool(!rc);
}

/* (path, mode, *, dir_fd=None, follow_symlinks=True) */
static asy_value p_chmod(asy_vm *vm, const asy_value *args) {
  posix_path path;
  int mode, dir, rc;
  bool follows;
  if (!posix_path_of(vm, args[0], "chmod", "path", PATH_FD, &path) || !posix_int(vm, args[1], &mode) ||
      !posix_dir_fd(vm, args[2], &dir) || !posix_flag(vm, args[3], &follows))
    return ASY_FAILED;
  if (!path.name && dir != AT_FDCWD) return no_dir_fd(vm, "chmod");
  if (!path.name && !follows) return asy_raise(vm, ASY_ValueError, "chmod: cannot use fd and follow_symlinks together");
  if (path.name) POSIX_WAIT(vm, rc, fchmodat(dir, path.name, (mode_t)mode, follows ? 0 : AT_SYMLINK_NOFOLLOW));
  else POSIX_WAIT(vm, rc, fchmod(path.fd, (mode_t)mode));
  if (rc && !follows && errno == EOPNOTSUPP)
    return asy_raise(vm, ASY_NotImplementedError, "chmod: follow_symlinks unavailable on this platform");
  return rc ? posix_path_error(vm, &path) : ASY_NONE;
}

static asy_value p_fchmod(asy_vm *vm, const asy_value *args) {
  int fd, mode, rc;
  if (!posix_fd(vm, args[0], &fd) || !posix_int(vm, args[1], &mode)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, fchmod(fd, (mode_t)mode));
  return posix_done(vm, rc);
}

static asy_value do_chown(asy_vm *vm, const char *function, asy_value where, const asy_value *ids, asy_value dir_fd,
                          asy_value follow) {
  posix_path path;
  uint32_t uid, gid;
  int dir, rc;
  bool follows;
  unsigned allowed = function[0] == 'c' ? PATH_FD : PATH_ONLY; /* not lchown */
  if (!posix_path_of(vm, where, function, "path", allowed, &path) || !posix_id(vm, ids[0], "uid", &uid) ||
      !posix_id(vm, ids[1], "gid", &gid) || !posix_dir_fd(vm, dir_fd, &dir) || !posix_flag(vm, follow, &follows))
    return ASY_FAILED;
  if (!path.name && dir != AT_FDCWD) return no_dir_fd(vm, function);
  if (!path.name && !follows)
    return asy_raise(vm, ASY_ValueError, "%s: cannot use fd and follow_symlinks together", function);
  if (path.name) POSIX_WAIT(vm, rc, fchownat(dir, path.name, uid, gid, follows ? 0 : AT_SYMLINK_NOFOLLOW));
  else POSIX_WAIT(vm, rc, fchown(path.fd, uid, gid));
  return rc ? posix_path_error(vm, &path) : ASY_NONE;
}

/* (path, uid, gid, *, dir_fd=None, follow_symlinks=True) */
static asy_value p_chown(asy_vm *vm, const asy_value *args) {
  return do_chown(vm, "chown", args[0], args + 1, args[3], args[4]);
}
static asy_value p_lchown(asy_vm *vm, const asy_value *args) {
  return do_chown(vm, "lchown", args[0], args + 1, ASY_NONE, ASY_FALSE);
}

static asy_value p_fchown(asy_vm *vm, const asy_value *args) {
  int fd, rc;
  uint32_t uid, gid;
  if (!posix_fd(vm, args[0], &fd) || !posix_id(vm, args[1], "uid", &uid) || !posix_id(vm, args[2], "gid", &gid))
    return ASY_FAILED;
  POSIX_WAIT(vm, rc, fchown(fd, uid, gid));
  return posix_done(vm, rc);
}

/* ---- Where we are ---- */

static asy_value current_folder(asy_vm *vm, bool bytes) {
  char *name = getcwd(NULL, 0);
  if (!name) return posix_error(vm);
  asy_value folder = posix_name_value(vm, bytes, name, strlen(name));
  free(name);
  return folder;
}
static asy_value p_getcwd(asy_vm *vm, const asy_value *args) { return current_folder(vm, false); }
static asy_value p_getcwdb(asy_vm *vm, const asy_value *args) { return current_folder(vm, true); }

static asy_value p_chdir(asy_vm *vm, const asy_value *args) {
  posix_path path;
  int rc;
  if (!posix_path_of(vm, args[0], "chdir", "path", PATH_FD, &path)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, path.name ? chdir(path.name) : fchdir(path.fd));
  return rc ? posix_path_error(vm, &path) : ASY_NONE;
}

static asy_value p_fchdir(asy_vm *vm, const asy_value *args) {
  int fd, rc;
  if (!posix_fd_or_file(vm, args[0], &fd)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, fchdir(fd));
  return posix_done(vm, rc);
}

static asy_value p_chroot(asy_vm *vm, const asy_value *args) {
  posix_path path;
  int rc;
  if (!posix_path_of(vm, args[0], "chroot", "path", PATH_ONLY, &path)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, chroot(path.name));
  return rc ? posix_path_error(vm, &path) : ASY_NONE;
}

/* ---- Making and removing ---- */

/* (path, mode, *, dir_fd=None) */
static bool path_mode_dir(asy_vm *vm, const asy_value *args, const char *function, posix_path *path, int *mode,
                          int *dir) {
  return posix_path_of(vm, args[0], function, "path", PATH_ONLY, path) && posix_int(vm, args[1], mode) &&
         posix_dir_fd(vm, args[2], dir);
}

static asy_value p_mkdir(asy_vm *vm, const asy_value *args) {
  posix_path path;
  int mode, dir, rc;
  if (!path_mode_dir(vm, args, "mkdir", &path, &mode, &dir)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, mkdirat(dir, path.name, (mode_t)mode));
  return rc ? posix_path_error(vm, &path) : ASY_NONE;
}

static asy_value p_mkfifo(asy_vm *vm, const asy_value *args) {
  posix_path path;
  int mode, dir, rc;
  if (!path_mode_dir(vm, args, "mkfifo", &path, &mode, &dir)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, mkfifoat(dir, path.name, (mode_t)mode));
  return rc ? posix_path_error(vm, &path) : ASY_NONE;
}

/* (path, mode=0o600, device=0, *, dir_fd=None) */
static asy_value p_mknod(asy_vm *vm, const asy_value *args) {
  posix_path path;
  int mode, dir, rc;
  int64_t device;
  if (!asy_is_integer(args[2])) return asy_raise(vm, ASY_TypeError, "an integer is required");
  if (!posix_path_of(vm, args[0], "mknod", "path", PATH_ONLY, &path) || !posix_int(vm, args[1], &mode) ||
      !asy_to_int64(vm, args[2], &device) || !posix_dir_fd(vm, args[3], &dir))
    return ASY_FAILED;
  POSIX_WAIT(vm, rc, mknodat(dir, path.name, (mode_t)mode, (dev_t)device));
  return posix_done(vm, rc);
}

/* (path, *, dir_fd=None) */
static asy_value do_unlink(asy_vm *vm, const asy_value *args, const char *function, int flags) {
  posix_path path;
  int dir, rc;
  if (!posix_path_of(vm, args[0], function, "path", PATH_ONLY, &path) || !posix_dir_fd(vm, args[1], &dir))
    return ASY_FAILED;
  POSIX_WAIT(vm, rc, unlinkat(dir, path.name, flags));
  return rc ? posix_path_error(vm, &path) : ASY_NONE;
}
static asy_value p_unlink(asy_vm *vm, const asy_value *args) { return do_unlink(vm, args, "unlink", 0); }
static asy_value p_remove(asy_vm *vm, const asy_value *args) { return do_unlink(vm, args, "remove", 0); }
static asy_value p_rmdir(asy_vm *vm, const asy_value *args) { return do_unlink(vm, args, "rmdir", AT_REMOVEDIR); }

/* Two paths and their folders. */
typedef struct {
  posix_path from, to;
  int from_dir, to_dir;
} path_pair;

static bool pair_of(asy_vm *vm, const char *function, const asy_value *paths, const asy_value *dirs, path_pair *pair) {
  return posix_path_of(vm, paths[0], function, "src", PATH_ONLY, &pair->from) &&
         posix_path_of(vm, paths[1], function, "dst", PATH_ONLY, &pair->to) &&
         posix_dir_fd(vm, dirs[0], &pair->from_dir) && posix_dir_fd(vm, dirs[1], &pair->to_dir);
}

static asy_value pair_done(asy_vm *vm, const path_pair *pair, int rc) {
  if (!rc) return ASY_NONE;
  return asy_raised(vm) ? ASY_FAILED : asy_raise_errno2(vm, errno, pair->from.given, pair->to.given);
}

/* (src, dst, *, src_dir_fd=None, dst_dir_fd=None) */
static asy_value do_rename(asy_vm *vm, const asy_value *args, const char *function) {
  path_pair pair;
  int rc;
  if (!pair_of(vm, function, args, args + 2, &pair)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, renameat(pair.from_dir, pair.from.name, pair.to_dir, pair.to.name));
  return pair_done(vm, &pair, rc);
}
static asy_value p_rename(asy_vm *vm, const asy_value *args) { return do_rename(vm, args, "rename"); }
static asy_value p_replace(asy_vm *vm, const asy_value *args) { return do_rename(vm, args, "replace"); }

/* (src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True) */
static asy_value p_link(asy_vm *vm, const asy_value *args) {
  path_pair pair;
  bool follows;
  int rc;
  if (!pair_of(vm, "link", args, args + 2, &pair) || !posix_flag(vm, args[4], &follows)) return ASY_FAILED;
  /* as CPython, which calls link() when nothing was asked for: Linux's does not follow */
  bool plain = pair.from_dir == AT_FDCWD && pair.to_dir == AT_FDCWD && follows;
  int flags = plain || !follows ? 0 : AT_SYMLINK_FOLLOW;
  POSIX_WAIT(vm, rc, linkat(pair.from_dir, pair.from.name, pair.to_dir, pair.to.name, flags));
  return pair_done(vm, &pair, rc);
}

/* (src, dst, target_is_directory=False, *, dir_fd=None) */
static asy_value p_symlink(asy_vm *vm, const asy_value *args) {
  path_pair pair = {.from_dir = AT_FDCWD};
  int rc;
  if (!posix_path_of(vm, args[0], "symlink", "src", PATH_ONLY, &pair.from) ||
      !posix_path_of(vm, args[1], "symlink", "dst", PATH_ONLY, &pair.to) || !posix_dir_fd(vm, args[3], &pair.to_dir))
    return ASY_FAILED;
  POSIX_WAIT(vm, rc, symlinkat(pair.from.name, pair.to_dir, pair.to.name));
  return pair_done(vm, &pair, rc);
}

/* (path, *, dir_fd=None) */
static asy_value p_readlink(asy_vm *vm, const asy_value *args) {
  posix_path path;
  int dir;
  char target[PATH_MAX];
  ssize_t n;
  if (!posix_path_of(vm, args[0], "readlink", "path", PATH_ONLY, &path) || !posix_dir_fd(vm, args[1], &dir))
    return ASY_FAILED;
  POSIX_WAIT(vm, n, readlinkat(dir, path.name, target, sizeof target));
  return n < 0 ? posix_path_error(vm, &path) : posix_name_value(vm, path.bytes, target, (size_t)n);
}

static asy_value p_truncate(asy_vm *vm, const asy_value *args) {
  posix_path path;
  int64_t length;
  int rc;
  if (!posix_path_of(vm, args[0], "truncate", "path", PATH_FD, &path) || !asy_to_int64(vm, args[1], &length))
    return ASY_FAILED;
  POSIX_WAIT(vm, rc, path.name ? truncate(path.name, length) : ftruncate(path.fd, length));
  return rc ? posix_path_error(vm, &path) : ASY_NONE;
}

/* (path, flags, mode=0o777, *, dir_fd=None) */
static asy_value p_open(asy_vm *vm, const asy_value *args) {
  posix_path path;
  int flags, mode, dir, fd;
  if (!posix_path_of(vm, args[0], "open", "path", PATH_ONLY, &path) || !posix_int(vm, args[1], &flags) ||
      !posix_int(vm, args[2], &mode) || !posix_dir_fd(vm, args[3], &dir))
    return ASY_FAILED;
  POSIX_WAIT(vm, fd, openat(dir, path.name, flags | O_CLOEXEC, mode));
  return fd < 0 ? posix_path_error(vm, &path) : asy_from_small(fd);
}

/* ---- Times ---- */

/* A pair of whole nanoseconds. */
static bool nanosecond_pair(asy_vm *vm, const asy_tuple *pair, struct timespec out[2]) {
  for (int i = 0; i < 2; i++) {
    int64_t ns;
    if (!asy_to_int64(vm, pair->items[i], &ns)) return false;
    out[i].tv_sec = ns / 1000000000 - (ns % 1000000000 < 0);
    out[i].tv_nsec = ns - out[i].tv_sec * 1000000000;
  }
  return true;
}

/* A pair of seconds, whole or not; fractions are cut towards minus infinity. */
static bool second_pair(asy_vm *vm, const asy_tuple *pair, struct timespec out[2]) {
  for (int i = 0; i < 2; i++) {
    double s;
    int64_t whole;
    out[i] = (struct timespec){0};
    if (!asy_is_float(pair->items[i])) {
      if (!asy_to_int64(vm, pair->items[i], &whole)) return false;
      out[i].tv_sec = whole;
      continue;
    }
    s = asy_float_value(pair->items[i]);
    if (isnan(s)) return asy_raise(vm, ASY_ValueError, "Invalid value NaN (not a number)"), false;
    if (fabs(s) > 9.2e18) return asy_raise(vm, ASY_OverflowError, "timestamp out of range for platform time_t"), false;
    double seconds = floor(s), fraction = floor((s - seconds) * 1e9);
    out[i].tv_sec = (time_t)seconds;
    out[i].tv_nsec = (long)fraction;
  }
  return true;
}

static bool is_pair(asy_value v) { return asy_is_kind(v, KIND_TUPLE) && ((const asy_tuple *)asy_obj_of(v))->len == 2; }

/* (path, times=None, *, ns=?, dir_fd=None, follow_symlinks=True) */
static asy_value p_utime(asy_vm *vm, const asy_value *args) {
  posix_path path;
  int dir, rc;
  bool follows;
  asy_value times = args[1], ns = args[2];
  struct timespec at[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
  if (!posix_path_of(vm, args[0], "utime", "path", PATH_FD, &path) || !posix_dir_fd(vm, args[3], &dir) ||
      !posix_flag(vm, args[4], &follows))
    return ASY_FAILED;
  if (times != ASY_NONE && ns != ASY_UNBOUND)
    return asy_raise(vm, ASY_ValueError, "utime: you may specify either 'times' or 'ns' but not both");
  if (times != ASY_NONE && !is_pair(times))
    return asy_raise(vm, ASY_TypeError, "utime: 'times' must be either a tuple of two ints or None");
  if (ns != ASY_UNBOUND && !is_pair(ns)) return asy_raise(vm, ASY_TypeError, "utime: 'ns' must be a tuple of two ints");
  if (times != ASY_NONE && !second_pair(vm, (const asy_tuple *)asy_obj_of(times), at)) return ASY_FAILED;
  if (ns != ASY_UNBOUND && !nanosecond_pair(vm, (const asy_tuple *)asy_obj_of(ns), at)) return ASY_FAILED;
  if (!path.name && dir != AT_FDCWD) return no_dir_fd(vm, "utime");
  if (!path.name && !follows) return asy_raise(vm, ASY_ValueError, "utime: cannot use fd and follow_symlinks together");
  if (path.name) POSIX_WAIT(vm, rc, utimensat(dir, path.name, at, follows ? 0 : AT_SYMLINK_NOFOLLOW));
  else POSIX_WAIT(vm, rc, futimens(path.fd, at));
  return rc ? posix_path_error(vm, &path) : ASY_NONE;
}

/* ---- Extended attributes ---- */

typedef struct {
  posix_path path, attribute;
  bool follows;
} xattr_place;

static bool xattr_place_of(asy_vm *vm, const char *function, asy_value path, asy_value attribute, asy_value follow,
                           unsigned allowed, xattr_place *out) {
  if (!posix_path_of(vm, path, function, "path", PATH_FD | allowed, &out->path) ||
      !posix_flag(vm, follow, &out->follows))
    return false;
  if (attribute != ASY_UNBOUND && !posix_path_of(vm, attribute, function, "attribute", PATH_ONLY, &out->attribute))
    return false;
  if (out->path.name || out->follows) return true;
  asy_raise(vm, ASY_ValueError, "%s: cannot use fd and follow_symlinks together", function);
  return false;
}

static ssize_t read_xattr(const xattr_place *at, void *value, size_t size) {
  if (!at->path.name) return fgetxattr(at->path.fd, at->attribute.name, value, size);
  return (at->follows ? getxattr : lgetxattr)(at->path.name, at->attribute.name, value, size);
}

/* (path, attribute, *, follow_symlinks=True) */
static asy_value p_getxattr(asy_vm *vm, const asy_value *args) {
  xattr_place at;
  if (!xattr_place_of(vm, "getxattr", args[0], args[1], args[2], 0, &at)) return ASY_FAILED;
  char *value = malloc(XATTR_SIZE_MAX);
  if (!value) return asy_raise_no_memory(vm);
  ssize_t n;
  POSIX_WAIT(vm, n, read_xattr(&at, value, XATTR_SIZE_MAX));
  asy_value result = n < 0 ? posix_path_error(vm, &at.path) : asy_from_bytes(vm, value, (size_t)n);
  free(value);
  return result;
}

static int write_xattr(const xattr_place *at, const asy_buffer *value, int flags) {
  if (!at->path.name) return fsetxattr(at->path.fd, at->attribute.name, value->data, value->len, flags);
  return (at->follows ? setxattr : lsetxattr)(at->path.name, at->attribute.name, value->data, value->len, flags);
}

/* (path, attribute, value, flags=0, *, follow_symlinks=True) */
static asy_value p_setxattr(asy_vm *vm, const asy_value *args) {
  xattr_place at;
  asy_buffer value;
  int flags, rc;
  if (!xattr_place_of(vm, "setxattr", args[0], args[1], args[4], 0, &at) || !posix_int(vm, args[3], &flags) ||
      !asy_buffer_get(vm, args[2], &value))
    return ASY_FAILED;
  POSIX_WAIT(vm, rc, write_xattr(&at, &value, flags));
  asy_value result = rc ? posix_path_error(vm, &at.path) : ASY_NONE;
  asy_buffer_release(vm, &value);
  return result;
}

static int drop_xattr(const xattr_place *at) {
  if (!at->path.name) return fremovexattr(at->path.fd, at->attribute.name);
  return (at->follows ? removexattr : lremovexattr)(at->path.name, at->attribute.name);
}

/* (path, attribute, *, follow_symlinks=True) */
static asy_value p_removexattr(asy_vm *vm, const asy_value *args) {
  xattr_place at;
  int rc;
  if (!xattr_place_of(vm, "removexattr", args[0], args[1], args[2], 0, &at)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, drop_xattr(&at));
  return rc ? posix_path_error(vm, &at.path) : ASY_NONE;
}

static ssize_t list_xattr(const xattr_place *at, char *names, size_t size) {
  if (!at->path.name) return flistxattr(at->path.fd, names, size);
  return (at->follows ? listxattr : llistxattr)(at->path.name, names, size);
}

/* (path=None, *, follow_symlinks=True) */
static asy_value p_listxattr(asy_vm *vm, const asy_value *args) {
  xattr_place at;
  if (!xattr_place_of(vm, "listxattr", args[0], ASY_UNBOUND, args[1], PATH_NONE, &at)) return ASY_FAILED;
  char *names = malloc(XATTR_LIST_MAX);
  if (!names) return asy_raise_no_memory(vm);
  ssize_t n;
  POSIX_WAIT(vm, n, list_xattr(&at, names, XATTR_LIST_MAX));
  asy_list *list = n < 0 ? NULL : asy_list_new(vm, 0);
  if (n < 0) posix_path_error(vm, &at.path);
  for (const char *name = names; list && name < names + n; name += strlen(name) + 1) {
    asy_value value = asy_fs_decode(vm, name, strlen(name));
    if (asy_failed(value) || !asy_list_append(vm, list, value)) list = NULL;
  }
  free(names);
  return list ? asy_from_obj(list) : ASY_FAILED;
}

/* ---- Limits of a path ---- */

static const asy_constants pathconf_names = CONSTANTS(
  "pathconf_names", _PC_ALLOC_SIZE_MIN, _PC_ASYNC_IO, _PC_CHOWN_RESTRICTED, _PC_FILESIZEBITS, _PC_LINK_MAX,
  _PC_MAX_CANON, _PC_MAX_INPUT, _PC_NAME_MAX, _PC_NO_TRUNC, _PC_PATH_MAX, _PC_PIPE_BUF, _PC_PRIO_IO,
  _PC_REC_INCR_XFER_SIZE, _PC_REC_MAX_XFER_SIZE, _PC_REC_MIN_XFER_SIZE, _PC_REC_XFER_ALIGN, _PC_SOCK_MAXBUF,
  _PC_SYMLINK_MAX, _PC_SYNC_IO, _PC_VDISABLE);

static asy_value p_pathconf(asy_vm *vm, const asy_value *args) {
  posix_path path;
  int name;
  if (!posix_path_of(vm, args[0], "pathconf", "path", PATH_FD, &path) ||
      !posix_named(vm, args[1], &pathconf_names, &name))
    return ASY_FAILED;
  errno = 0;
  long limit = path.name ? pathconf(path.name, name) : fpathconf(path.fd, name);
  return limit == -1 && errno ? posix_path_error(vm, &path) : asy_from_int64(vm, limit);
}

static asy_value p_fpathconf(asy_vm *vm, const asy_value *args) {
  int fd, name;
  if (!posix_fd_or_file(vm, args[0], &fd) || !posix_named(vm, args[1], &pathconf_names, &name)) return ASY_FAILED;
  errno = 0;
  long limit = fpathconf(fd, name);
  return limit == -1 && errno ? posix_error(vm) : asy_from_int64(vm, limit);
}

static asy_value p_umask(asy_vm *vm, const asy_value *args) {
  int mask;
  return posix_int(vm, args[0], &mask) ? asy_from_small(umask((mode_t)mask)) : ASY_FAILED;
}

static asy_value p_sync(asy_vm *vm, const asy_value *args) {
  asy_thread *self = asy_thread_release(vm);
  sync();
  asy_thread_acquire(vm, self);
  return ASY_NONE;
}

static const asy_native natives[] = {
  {"access", SIG("(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)"), p_access,
   DOC("Whether the real user may access the path in this way."), 0},
  {"chdir", SIG("(path)"), p_chdir, DOC("Change the current working directory."), 0},
  {"chmod", SIG("(path, mode, *, dir_fd=None, follow_symlinks=True)"), p_chmod,
   DOC("Change the access permissions of a file."), 0},
  {"chown", SIG("(path, uid, gid, *, dir_fd=None, follow_symlinks=True)"), p_chown,
   DOC("Change owner and group of a file."), 0},
  {"chroot", SIG("(path)"), p_chroot, DOC("Change the root directory to path."), 0},
  {"fchdir", SIG("(fd)"), p_fchdir, DOC("Change to the directory of an open descriptor."), 0},
  {"fchmod", SIG("(fd, mode)"), p_fchmod, DOC("Change the access permissions of an open file."), 0},
  {"fchown", SIG("(fd, uid, gid)"), p_fchown, DOC("Change owner and group of an open file."), 0},
  {"fpathconf", SIG("(fd, name, /)"), p_fpathconf, DOC("A configuration limit of an open file."), 0},
  {"fstat", SIG("(fd)"), p_fstat, DOC("Perform a stat system call on an open descriptor."), 0},
  {"fstatvfs", SIG("(fd, /)"), p_fstatvfs, DOC("Status of the file system of an open descriptor."), 0},
  {"getcwd", SIG("()"), p_getcwd, DOC("The current working directory as str."), 0},
  {"getcwdb", SIG("()"), p_getcwdb, DOC("The current working directory as bytes."), 0},
  {"getxattr", SIG("(path, attribute, *, follow_symlinks=True)"), p_getxattr,
   DOC("The value of an extended attribute."), 0},
  {"lchown", SIG("(path, uid, gid)"), p_lchown, DOC("As chown, of a link itself."), 0},
  {"link", SIG("(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)"), p_link,
   DOC("Create a hard link to a file."), 0},
  {"listxattr", SIG("(path=None, *, follow_symlinks=True)"), p_listxattr, DOC("Names of the extended attributes."), 0},
  {"lstat", SIG("(path, *, dir_fd=None)"), p_lstat, DOC("As stat, of a link itself."), 0},
  {"mkdir", SIG("(path, mode=511, *, dir_fd=None)"), p_mkdir, DOC("Create a directory."), 0},
  {"mkfifo", SIG("(path, mode=438, *, dir_fd=None)"), p_mkfifo, DOC("Create a FIFO."), 0},
  {"mknod", SIG("(path, mode=384, device=0, *, dir_fd=None)"), p_mknod, DOC("Create a file, a FIFO or a device."), 0},
  {"open", SIG("(path, flags, mode=511, *, dir_fd=None)"), p_open,
   DOC("Open a file; returns a descriptor that is not inherited."), 0},
  {"pathconf", SIG("(path, name)"), p_pathconf, DOC("A configuration limit of a file."), 0},
  {"readlink", SIG("(path, *, dir_fd=None)"), p_readlink, DOC("What a symbolic link points to."), 0},
  {"remove", SIG("(path, *, dir_fd=None)"), p_remove, DOC("Remove a file."), 0},
  {"removexattr", SIG("(path, attribute, *, follow_symlinks=True)"), p_removexattr,
   DOC("Remove an extended attribute."), 0},
  {"rename", SIG("(src, dst, *, src_dir_fd=None, dst_dir_fd=None)"), p_rename, DOC("Rename a file or directory."), 0},
  {"replace", SIG("(src, dst, *, src_dir_fd=None, dst_dir_fd=None)"), p_replace,
   DOC("Rename a file or directory, overwriting the destination."), 0},
  {"rmdir", SIG("(path, *, dir_fd=None)"), p_rmdir, DOC("Remove a directory."), 0},
  {"setxattr", SIG("(path, attribute, value, flags=0, *, follow_symlinks=True)"), p_setxattr,
   DOC("Set an extended attribute."), 0},
  {"stat", SIG("(path, *, dir_fd=None, follow_symlinks=True)"), p_stat,
   DOC("Perform a stat system call on the given path."), 0},
  {"statvfs", SIG("(path)"), p_statvfs, DOC("Status of the file system of a path."), 0},
  {"symlink", SIG("(src, dst, target_is_directory=False, *, dir_fd=None)"), p_symlink, DOC("Create a symbolic link."),
   0},
  {"sync", SIG("()"), p_sync, DOC("Force everything to disk."), 0},
  {"truncate", SIG("(path, length)"), p_truncate, DOC("Truncate a file to length bytes."), 0},
  {"umask", SIG("(mask, /)"), p_umask, DOC("Set the numeric umask; returns the previous one."), 0},
  {"unlink", SIG("(path, *, dir_fd=None)"), p_unlink, DOC("Remove a file."), 0},
  {"utime", SIG("(path, times=None, *, ns=?, dir_fd=None, follow_symlinks=True)"), p_utime,
   DOC("Set the access and modified time of path."), 0},
  {0},
};

bool posix_init_files(asy_vm *vm, asy_value module) {
  asy_class *stat_class = asy_define_long_record(vm, "os.stat_result", stat_fields, STAT_ITEMS);
  asy_class *statvfs_class = asy_define_long_record(vm, "os.statvfs_result", statvfs_fields, STATVFS_ITEMS);
  return stat_class && statvfs_class && asy_module_set(vm, module, "stat_result", asy_from_obj(stat_class)) &&
         asy_module_set(vm, module, "statvfs_result", asy_from_obj(statvfs_class)) && posix_add(vm, module, natives) &&
         posix_add_names(vm, module, "pathconf_names", &pathconf_names);
}
