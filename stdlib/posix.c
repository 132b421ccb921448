/* posix.c - the module posix: arguments that are names of files, constants, environment, what the system says of itself. */
#include "stdlib/posix.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/memfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- Arguments ---- */

asy_value posix_fspath(asy_vm *vm, asy_value v) {
  if (asy_is_str(v) || asy_is_kind(v, KIND_BYTES)) return v;
  asy_str *name = asy_intern(vm, "__fspath__");
  asy_value path = name ? asy_call_special(vm, v, name, 0, NULL) : ASY_FAILED;
  if (path == ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "expected str, bytes or os.PathLike object, not %T", v);
  if (asy_failed(path) || asy_is_str(path) || asy_is_kind(path, KIND_BYTES)) return path;
  return asy_raise(vm, ASY_TypeError, "expected %T.__fspath__() to return str or bytes, not %T", v, path);
}

static bool is_index(asy_vm *vm, asy_value v) {
  asy_value method, self;
  asy_str *name = asy_intern(vm, "__index__");
  return asy_is_integer(v) || (name && asy_find_special(vm, v, name, &method, &self) > 0);
}

bool posix_int(asy_vm *vm, asy_value v, int *out) { return asy_to_c_int(vm, v, out); }

bool posix_fd(asy_vm *vm, asy_value v, int *out) { return posix_int(vm, v, out); }

bool posix_fd_or_file(asy_vm *vm, asy_value v, int *out) {
  asy_value fd = v, method;
  if (!asy_is_integer(v)) {
    asy_str *name = asy_intern(vm, "fileno");
    int found = name ? asy_find_attr(vm, v, name, &method) : -1;
    if (found < 0) return false;
    if (!found) return asy_raise(vm, ASY_TypeError, "argument must be an int, or have a fileno() method."), false;
    fd = asy_call0(vm, method);
    if (asy_failed(fd)) return false;
    if (!asy_is_integer(fd)) return asy_raise(vm, ASY_TypeError, "fileno() returned a non-integer"), false;
  }
  if (!posix_int(vm, fd, out)) return false;
  if (*out >= 0) return true;
  asy_raise(vm, ASY_ValueError, "file descriptor cannot be a negative integer (%d)", *out);
  return false;
}

bool posix_dir_fd(asy_vm *vm, asy_value v, int *out) {
  *out = AT_FDCWD;
  if (v == ASY_NONE) return true;
  if (is_index(vm, v)) return posix_int(vm, v, out);
  asy_raise(vm, ASY_TypeError, "argument should be integer or None, not %T", v);
  return false;
}

bool posix_flag(asy_vm *vm, asy_value v, bool *out) {
  int truth = asy_truth(vm, v);
  *out = truth > 0;
  return truth >= 0;
}

bool posix_id(asy_vm *vm, asy_value v, const char *what, uint32_t *out) {
  int64_t id;
  if (!is_index(vm, v)) return asy_raise(vm, ASY_TypeError, "%s should be integer, not %T", what, v), false;
  asy_value index = asy_index(vm, v);
  if (asy_failed(index)) return false;
  if (!asy_is_number_int64(index, &id)) id = asy_int_sign(index) < 0 ? INT64_MIN : INT64_MAX;
  bool beyond_long = id == INT64_MAX; /* what a long holds counts as too small, in CPython too */
  if (id < -1 || (id > UINT32_MAX && !beyond_long))
    return asy_raise(vm, ASY_OverflowError, "%s is less than minimum", what), false;
  if (beyond_long) return asy_raise(vm, ASY_OverflowError, "%s is greater than maximum", what), false;
  *out = (uint32_t)id;
  return true;
}

enum { UNDERSCORE = 1 }; /* _SC_ARG_MAX is called SC_ARG_MAX, and so on */

bool posix_named(asy_vm *vm, asy_value v, const asy_constants *names, int *out) {
  const char *text;
  int64_t number;
  if (asy_is_integer(v)) return posix_int(vm, v, out);
  if (!asy_is_str(v)) return asy_raise(vm, ASY_TypeError, "configuration names must be strings or integers"), false;
  if (!asy_to_cstr(vm, v, &text)) return false;
  int found = asy_find_constant(vm, names, UNDERSCORE, text, &number);
  if (!found) asy_raise(vm, ASY_ValueError, "unrecognized configuration name");
  if (found > 0) *out = (int)number;
  return found > 0;
}

bool posix_add_names(asy_vm *vm, asy_value module, const char *attribute, const asy_constants *names) {
  asy_dict *dict = asy_dict_new(vm, names->count);
  return dict && asy_add_constants(vm, dict, names, UNDERSCORE) &&
         asy_module_set(vm, module, attribute, asy_from_obj(dict));
}

static bool is_pathlike(asy_vm *vm, asy_value v) {
  asy_value method, self;
  asy_str *name = asy_intern(vm, "__fspath__");
  return name && asy_find_special(vm, v, name, &method, &self) > 0;
}

static bool refuse_path(asy_vm *vm, asy_value v, const char *function, const char *argument, unsigned allowed) {
  static const char *const wanted[] = {
    [PATH_ONLY] = "string, bytes or os.PathLike",
    [PATH_FD] = "string, bytes, os.PathLike or integer",
    [PATH_NONE] = "string, bytes, os.PathLike or None",
    [PATH_FD | PATH_NONE] = "string, bytes, os.PathLike, integer or None",
  };
  asy_raise(vm, ASY_TypeError, "%s: %s should be %s, not %T", function, argument, wanted[allowed], v);
  return false;
}

bool posix_path_of(asy_vm *vm, asy_value v, const char *function, const char *argument, unsigned allowed,
                   posix_path *out) {
  *out = (posix_path){.fd = -1, .given = v};
  if (v == ASY_NONE && allowed & PATH_NONE) {
    out->name = ".";
    out->given = ASY_UNBOUND;
    return true;
  }
  if (!asy_is_str(v) && !asy_is_kind(v, KIND_BYTES)) {
    if (allowed & PATH_FD && is_index(vm, v)) {
      int64_t fd;
      asy_value index = asy_index(vm, v);
      if (asy_failed(index)) return false;
      if (!asy_is_number_int64(index, &fd)) fd = asy_int_sign(index) < 0 ? INT64_MIN : INT64_MAX;
      if (fd > INT_MAX) return asy_raise(vm, ASY_OverflowError, "fd is greater than maximum"), false;
      if (fd < INT_MIN) return asy_raise(vm, ASY_OverflowError, "fd is less than minimum"), false;
      out->fd = (int)fd;
      return true;
    }
    asy_str *name = asy_intern(vm, "__fspath__");
    v = name ? asy_call_special(vm, v, name, 0, NULL) : ASY_FAILED;
    if (asy_failed(v)) return false;
    if (v == ASY_UNBOUND) return refuse_path(vm, out->given, function, argument, allowed);
    if (!asy_is_str(v) && !asy_is_kind(v, KIND_BYTES))
      return asy_raise(vm, ASY_TypeError, "expected %T.__fspath__() to return str or bytes, not %T", out->given, v),
             false;
    out->given = v;
  }
  size_t length;
  out->keep = v;
  if (asy_is_str(v)) {
    out->name = asy_fs_encode(vm, (asy_str *)asy_obj_of(v), &length, &out->keep);
  } else {
    const asy_bytes *bytes = (const asy_bytes *)asy_obj_of(v);
    out->bytes = true;
    out->name = (const char *)bytes->data;
    length = bytes->len;
  }
  if (!out->name) return false;
  if (strlen(out->name) == length) return true;
  asy_raise(vm, ASY_ValueError, "%s: embedded null character in %s", function, argument);
  return false;
}

/* ---- Results ---- */

asy_value posix_name_value(asy_vm *vm, bool bytes, const char *name, size_t length) {
  return bytes ? asy_from_bytes(vm, name, length) : asy_fs_decode(vm, name, length);
}

asy_value posix_error(asy_vm *vm) { return asy_raised(vm) ? ASY_FAILED : asy_raise_errno(vm, errno, ASY_UNBOUND); }
asy_value posix_path_error(asy_vm *vm, const posix_path *path) {
  return asy_raised(vm) ? ASY_FAILED : asy_raise_errno(vm, errno, path->given);
}
asy_value posix_done(asy_vm *vm, int rc) { return rc == -1 ? posix_error(vm) : ASY_NONE; }
asy_value posix_number(asy_vm *vm, int64_t n) { return n == -1 ? posix_error(vm) : asy_from_int64(vm, n); }

bool posix_add(asy_vm *vm, asy_value module, const asy_native *natives) {
  asy_value name = asy_from_cstr(vm, "posix");
  for (; natives->name; natives++)
    if (asy_failed(name) || !asy_module_set(vm, module, natives->name, asy_new_native(vm, natives, ASY_UNBOUND, name)))
      return false;
  return true;
}

/* ---- Paths as text ---- */

static asy_value p_fspath(asy_vm *vm, const asy_value *args) { return posix_fspath(vm, args[0]); }

/* A path without "." and needless slashes, with ".." taken back where that is possible; in place. */
static size_t normalize(const char *path, size_t length, char *out) {
  size_t root = 0, n = 0;
  while (root < length && path[root] == '/') root++;
  if (root > 2) root = 1; /* exactly two slashes mean something of their own */
  memset(out, '/', root);
  n = root;
  for (size_t at = 0; at < length;) {
    size_t end = at;
    while (end < length && path[end] != '/') end++;
    size_t size = end - at;
    const char *part = path + at;
    at = end + 1;
    if (!size || (size == 1 && *part == '.')) continue;
    bool up = size == 2 && part[0] == '.' && part[1] == '.';
    bool nothing_above = n == root;
    bool above_is_up = n - root >= 2 && out[n - 1] == '.' && out[n - 2] == '.' && (n - root == 2 || out[n - 3] == '/');
    if (up && nothing_above && root) continue;
    if (up && !nothing_above && !above_is_up) {
      while (n > root && out[n - 1] != '/') n--;
      if (n > root) n--;
      continue;
    }
    if (n > root) out[n++] = '/';
    memmove(out + n, part, size);
    n += size;
  }
  if (!n) out[n++] = '.';
  return n;
}

static asy_value p_normpath(asy_vm *vm, const asy_value *args) {
  asy_value v = posix_fspath(vm, args[0]), keep = v;
  if (asy_failed(v)) {
    if (!asy_raised_is(vm, ASY_TypeError) || is_pathlike(vm, args[0])) return ASY_FAILED;
    asy_clear_exception(vm);
    return refuse_path(vm, args[0], "_path_normpath", "path", PATH_ONLY), ASY_FAILED;
  }
  size_t length;
  const char *path;
  if (asy_is_str(v)) path = asy_str_utf8(vm, (asy_str *)asy_obj_of(v), &length, &keep);
  else path = (const char *)((const asy_bytes *)asy_obj_of(v))->data, length = ((const asy_bytes *)asy_obj_of(v))->len;
  char *out = path ? malloc(length + 2) : NULL;
  if (!out) return path ? asy_raise_no_memory(vm) : ASY_FAILED;
  size_t n = normalize(path, length, out);
  asy_value result = asy_is_str(v) ? asy_from_text(vm, out, n) : asy_from_bytes(vm, out, n);
  free(out);
  return result;
}

/* ---- Environment ---- */

/* environ as it is now: a dict of bytes. */
static asy_value environment(asy_vm *vm) {
  asy_dict *dict = asy_dict_new(vm, 32);
  for (char **p = environ; dict && p && *p; p++) {
    const char *equals = strchr(*p + (**p == '='), '=');
    if (!equals) continue;
    asy_value name = asy_from_bytes(vm, *p, (size_t)(equals - *p)), known;
    asy_value value = asy_from_bytes(vm, equals + 1, strlen(equals + 1));
    if (asy_failed(name) || asy_failed(value)) return ASY_FAILED;
    int found = asy_dict_get(vm, dict, name, &known); /* of two the first counts, as for getenv */
    if (found < 0 || (!found && !asy_dict_set(vm, dict, name, value))) return ASY_FAILED;
  }
  return dict ? asy_from_obj(dict) : ASY_FAILED;
}

static asy_value p_putenv(asy_vm *vm, const asy_value *args) {
  posix_path name, value;
  if (!posix_path_of(vm, args[0], "putenv", "name", PATH_ONLY, &name) ||
      !posix_path_of(vm, args[1], "putenv", "value", PATH_ONLY, &value))
    return ASY_FAILED;
  if (strchr(name.name, '=')) return asy_raise(vm, ASY_ValueError, "illegal environment variable name");
  return posix_done(vm, setenv(name.name, value.name, 1));
}

static asy_value p_unsetenv(asy_vm *vm, const asy_value *args) {
  posix_path name;
  if (!posix_path_of(vm, args[0], "unsetenv", "name", PATH_ONLY, &name)) return ASY_FAILED;
  return posix_done(vm, unsetenv(name.name));
}

/* ---- The system ---- */

static asy_value p_strerror(asy_vm *vm, const asy_value *args) {
  int error;
  char buffer[128];
  return posix_int(vm, args[0], &error) ? asy_from_cstr(vm, strerror_r(error, buffer, sizeof buffer)) : ASY_FAILED;
}

static asy_value p_urandom(asy_vm *vm, const asy_value *args) {
  int64_t size;
  if (!asy_to_int64(vm, args[0], &size)) return ASY_FAILED;
  if (size < 0) return asy_raise(vm, ASY_ValueError, "negative argument not allowed");
  if (size > INT_MAX) return asy_raise_no_memory(vm);
  asy_bytes *bytes = asy_bytes_new(vm, NULL, (size_t)size);
  if (!bytes) return ASY_FAILED;
  return asy_random_bytes(vm, bytes->data, (size_t)size) ? asy_from_obj(bytes) : ASY_FAILED;
}

/* (size, flags=0): the flags only say from where and whether to wait, which the gate decides */
static asy_value p_getrandom(asy_vm *vm, const asy_value *args) {
  int flags, size;
  if (!posix_int(vm, args[0], &size) || !posix_int(vm, args[1], &flags)) return ASY_FAILED;
  if (size >= 0 && !(flags & ~(GRND_NONBLOCK | GRND_RANDOM))) return p_urandom(vm, args);
  return asy_raise_errno(vm, EINVAL, ASY_UNBOUND);
}

static const asy_constants sysconf_names = CONSTANTS(
  "sysconf_names", _SC_2_CHAR_TERM, _SC_2_C_BIND, _SC_2_C_DEV, _SC_2_C_VERSION, _SC_2_FORT_DEV, _SC_2_FORT_RUN,
  _SC_2_LOCALEDEF, _SC_2_SW_DEV, _SC_2_UPE, _SC_2_VERSION, _SC_AIO_LISTIO_MAX, _SC_AIO_MAX, _SC_AIO_PRIO_DELTA_MAX,
  _SC_ARG_MAX, _SC_ASYNCHRONOUS_IO, _SC_ATEXIT_MAX, _SC_AVPHYS_PAGES, _SC_BC_BASE_MAX, _SC_BC_DIM_MAX, _SC_BC_SCALE_MAX,
  _SC_BC_STRING_MAX, _SC_CHARCLASS_NAME_MAX, _SC_CHAR_BIT, _SC_CHAR_MAX, _SC_CHAR_MIN, _SC_CHILD_MAX, _SC_CLK_TCK,
  _SC_COLL_WEIGHTS_MAX, _SC_DELAYTIMER_MAX, _SC_EQUIV_CLASS_MAX, _SC_EXPR_NEST_MAX, _SC_FSYNC, _SC_GETGR_R_SIZE_MAX,
  _SC_GETPW_R_SIZE_MAX, _SC_INT_MAX, _SC_INT_MIN, _SC_IOV_MAX, _SC_JOB_CONTROL, _SC_LINE_MAX, _SC_LOGIN_NAME_MAX,
  _SC_LONG_BIT, _SC_MAPPED_FILES, _SC_MB_LEN_MAX, _SC_MEMLOCK, _SC_MEMLOCK_RANGE, _SC_MEMORY_PROTECTION,
  _SC_MESSAGE_PASSING, _SC_MINSIGSTKSZ, _SC_MQ_OPEN_MAX, _SC_MQ_PRIO_MAX, _SC_NGROUPS_MAX, _SC_NL_ARGMAX,
  _SC_NL_LANGMAX, _SC_NL_MSGMAX, _SC_NL_NMAX, _SC_NL_SETMAX, _SC_NL_TEXTMAX, _SC_NPROCESSORS_CONF, _SC_NPROCESSORS_ONLN,
  _SC_NZERO, _SC_OPEN_MAX, _SC_PAGESIZE, _SC_PAGE_SIZE, _SC_PASS_MAX, _SC_PHYS_PAGES, _SC_PII, _SC_PII_INTERNET,
  _SC_PII_INTERNET_DGRAM, _SC_PII_INTERNET_STREAM, _SC_PII_OSI, _SC_PII_OSI_CLTS, _SC_PII_OSI_COTS, _SC_PII_OSI_M,
  _SC_PII_SOCKET, _SC_PII_XTI, _SC_POLL, _SC_PRIORITIZED_IO, _SC_PRIORITY_SCHEDULING, _SC_REALTIME_SIGNALS,
  _SC_RE_DUP_MAX, _SC_RTSIG_MAX, _SC_SAVED_IDS, _SC_SCHAR_MAX, _SC_SCHAR_MIN, _SC_SELECT, _SC_SEMAPHORES,
  _SC_SEM_NSEMS_MAX, _SC_SEM_VALUE_MAX, _SC_SHARED_MEMORY_OBJECTS, _SC_SHRT_MAX, _SC_SHRT_MIN, _SC_SIGQUEUE_MAX,
  _SC_SIGSTKSZ, _SC_SSIZE_MAX, _SC_STREAM_MAX, _SC_SYNCHRONIZED_IO, _SC_THREADS, _SC_THREAD_ATTR_STACKADDR,
  _SC_THREAD_ATTR_STACKSIZE, _SC_THREAD_DESTRUCTOR_ITERATIONS, _SC_THREAD_KEYS_MAX, _SC_THREAD_PRIORITY_SCHEDULING,
  _SC_THREAD_PRIO_INHERIT, _SC_THREAD_PRIO_PROTECT, _SC_THREAD_PROCESS_SHARED, _SC_THREAD_SAFE_FUNCTIONS,
  _SC_THREAD_STACK_MIN, _SC_THREAD_THREADS_MAX, _SC_TIMERS, _SC_TIMER_MAX, _SC_TTY_NAME_MAX, _SC_TZNAME_MAX,
  _SC_T_IOV_MAX, _SC_UCHAR_MAX, _SC_UINT_MAX, _SC_UIO_MAXIOV, _SC_ULONG_MAX, _SC_USHRT_MAX, _SC_VERSION, _SC_WORD_BIT,
  _SC_XBS5_ILP32_OFF32, _SC_XBS5_ILP32_OFFBIG, _SC_XBS5_LP64_OFF64, _SC_XBS5_LPBIG_OFFBIG, _SC_XOPEN_CRYPT,
  _SC_XOPEN_ENH_I18N, _SC_XOPEN_LEGACY, _SC_XOPEN_REALTIME, _SC_XOPEN_REALTIME_THREADS, _SC_XOPEN_SHM, _SC_XOPEN_UNIX,
  _SC_XOPEN_VERSION, _SC_XOPEN_XCU_VERSION, _SC_XOPEN_XPG2, _SC_XOPEN_XPG3, _SC_XOPEN_XPG4);

static asy_value p_sysconf(asy_vm *vm, const asy_value *args) {
  int name;
  if (!posix_named(vm, args[0], &sysconf_names, &name)) return ASY_FAILED;
  errno = 0;
  long value = sysconf(name);
  return value == -1 && errno ? posix_error(vm) : asy_from_int64(vm, value);
}

static const asy_constants confstr_names = CONSTANTS(
  "confstr_names", _CS_GNU_LIBC_VERSION, _CS_GNU_LIBPTHREAD_VERSION, _CS_LFS64_CFLAGS, _CS_LFS64_LDFLAGS,
  _CS_LFS64_LIBS, _CS_LFS64_LINTFLAGS, _CS_LFS_CFLAGS, _CS_LFS_LDFLAGS, _CS_LFS_LIBS, _CS_LFS_LINTFLAGS, _CS_PATH,
  _CS_XBS5_ILP32_OFF32_CFLAGS, _CS_XBS5_ILP32_OFF32_LDFLAGS, _CS_XBS5_ILP32_OFF32_LIBS, _CS_XBS5_ILP32_OFF32_LINTFLAGS,
  _CS_XBS5_ILP32_OFFBIG_CFLAGS, _CS_XBS5_ILP32_OFFBIG_LDFLAGS, _CS_XBS5_ILP32_OFFBIG_LIBS,
  _CS_XBS5_ILP32_OFFBIG_LINTFLAGS, _CS_XBS5_LP64_OFF64_CFLAGS, _CS_XBS5_LP64_OFF64_LDFLAGS, _CS_XBS5_LP64_OFF64_LIBS,
  _CS_XBS5_LP64_OFF64_LINTFLAGS, _CS_XBS5_LPBIG_OFFBIG_CFLAGS, _CS_XBS5_LPBIG_OFFBIG_LDFLAGS,
  _CS_XBS5_LPBIG_OFFBIG_LIBS, _CS_XBS5_LPBIG_OFFBIG_LINTFLAGS);

static asy_value p_confstr(asy_vm *vm, const asy_value *args) {
  int name;
  char text[512];
  if (!posix_named(vm, args[0], &confstr_names, &name)) return ASY_FAILED;
  errno = 0;
  size_t length = confstr(name, text, sizeof text);
  if (!length) return errno ? posix_error(vm) : ASY_NONE;
  return asy_fs_decode(vm, text, (length < sizeof text ? length : sizeof text) - 1);
}

static const asy_member uname_fields[] = {
  {"sysname", ASY_RECORD(0), MEMBER_VALUE, false}, {"nodename", ASY_RECORD(1), MEMBER_VALUE, false},
  {"release", ASY_RECORD(2), MEMBER_VALUE, false}, {"version", ASY_RECORD(3), MEMBER_VALUE, false},
  {"machine", ASY_RECORD(4), MEMBER_VALUE, false}, {0},
};

static asy_value p_uname(asy_vm *vm, const asy_value *args) {
  struct utsname u;
  if (uname(&u) < 0) return posix_error(vm);
  const char *parts[] = {u.sysname, u.nodename, u.release, u.version, u.machine};
  asy_value items[5];
  for (int i = 0; i < 5; i++) items[i] = asy_fs_decode(vm, parts[i], strlen(parts[i]));
  asy_class *cls = asy_define_record(vm, "posix.uname_result", uname_fields);
  return cls ? asy_record_new(vm, cls, items) : ASY_FAILED;
}

static asy_value p_getloadavg(asy_vm *vm, const asy_value *args) {
  double load[3];
  if (getloadavg(load, 3) != 3) return asy_raise(vm, ASY_OSError, "Load averages are unobtainable");
  return asy_tuple_of(vm, 3, asy_from_double(vm, load[0]), asy_from_double(vm, load[1]), asy_from_double(vm, load[2]));
}

static asy_value p_cpu_count(asy_vm *vm, const asy_value *args) {
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n > 0 ? asy_from_int64(vm, n) : ASY_NONE;
}

static bool device(asy_vm *vm, asy_value v, uint64_t *out) {
  asy_value index = asy_index(vm, v);
  if (asy_failed(index)) return false;
  if (asy_int_to_uint64(index, out)) return true;
  int64_t n;
  if (asy_is_number_int64(index, &n) && n == -1) return *out = UINT64_MAX, true; /* NODEV */
  asy_raise(vm, ASY_OverflowError,
            asy_int_sign(index) < 0 ? "can't convert negative int to unsigned" : "int too big to convert");
  return false;
}
static asy_value p_major(asy_vm *vm, const asy_value *args) {
  uint64_t dev;
  return device(vm, args[0], &dev) ? asy_from_uint64(vm, major(dev)) : ASY_FAILED;
}
static asy_value p_minor(asy_vm *vm, const asy_value *args) {
  uint64_t dev;
  return device(vm, args[0], &dev) ? asy_from_uint64(vm, minor(dev)) : ASY_FAILED;
}
static asy_value p_makedev(asy_vm *vm, const asy_value *args) {
  uint64_t major_number, minor_number;
  if (!device(vm, args[0], &major_number) || !device(vm, args[1], &minor_number)) return ASY_FAILED;
  return asy_from_uint64(vm, makedev((unsigned)major_number, (unsigned)minor_number));
}

/* ---- The module ---- */

enum { POSIX_SPAWN_OPEN = 0, POSIX_SPAWN_CLOSE = 1, POSIX_SPAWN_DUP2 = 2, POSIX_SPAWN_CLOSEFROM = 3 };
static const asy_constants constants = CONSTANTS(
  "posix", CLD_CONTINUED, CLD_DUMPED, CLD_EXITED, CLD_KILLED, CLD_STOPPED, CLD_TRAPPED, CLONE_FILES, CLONE_FS,
  CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER, CLONE_NEWUTS,
  CLONE_SIGHAND, CLONE_SYSVSEM, CLONE_THREAD, CLONE_VM, EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE, EX_CANTCREAT,
  EX_CONFIG, EX_DATAERR, EX_IOERR, EX_NOHOST, EX_NOINPUT, EX_NOPERM, EX_NOUSER, EX_OK, EX_OSERR, EX_OSFILE, EX_PROTOCOL,
  EX_SOFTWARE, EX_TEMPFAIL, EX_UNAVAILABLE, EX_USAGE, F_LOCK, F_OK, F_TEST, F_TLOCK, F_ULOCK, GRND_NONBLOCK,
  GRND_RANDOM, MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_HUGETLB, MFD_HUGE_16MB, MFD_HUGE_1GB, MFD_HUGE_1MB, MFD_HUGE_256MB,
  MFD_HUGE_2GB, MFD_HUGE_2MB, MFD_HUGE_32MB, MFD_HUGE_512KB, MFD_HUGE_512MB, MFD_HUGE_64KB, MFD_HUGE_8MB, MFD_HUGE_MASK,
  MFD_HUGE_SHIFT, NGROUPS_MAX, O_ACCMODE, O_APPEND, O_ASYNC, O_CLOEXEC, O_CREAT, O_DIRECT, O_DIRECTORY, O_DSYNC, O_EXCL,
  O_FSYNC, O_LARGEFILE, O_NDELAY, O_NOATIME, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY, O_RDWR, O_RSYNC,
  O_SYNC, O_TMPFILE, O_TRUNC, O_WRONLY, POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE, POSIX_FADV_NORMAL, POSIX_FADV_RANDOM,
  POSIX_FADV_SEQUENTIAL, POSIX_FADV_WILLNEED, PRIO_PGRP, PRIO_PROCESS, PRIO_USER, P_ALL, P_PGID, P_PID, P_PIDFD,
  RTLD_DEEPBIND, RTLD_GLOBAL, RTLD_LAZY, RTLD_LOCAL, RTLD_NODELETE, RTLD_NOLOAD, RTLD_NOW, RWF_APPEND, RWF_DSYNC,
  RWF_HIPRI, RWF_NOWAIT, RWF_SYNC, R_OK, SCHED_BATCH, SCHED_FIFO, SCHED_IDLE, SCHED_OTHER, SCHED_RESET_ON_FORK,
  SCHED_RR, SEEK_DATA, SEEK_HOLE, SPLICE_F_MORE, SPLICE_F_MOVE, SPLICE_F_NONBLOCK, ST_APPEND, ST_MANDLOCK, ST_NOATIME,
  ST_NODEV, ST_NODIRATIME, ST_NOEXEC, ST_NOSUID, ST_RDONLY, ST_RELATIME, ST_SYNCHRONOUS, ST_WRITE, TFD_CLOEXEC,
  TFD_NONBLOCK, TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET, TMP_MAX, WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WSTOPPED,
  WUNTRACED, W_OK, XATTR_CREATE, XATTR_REPLACE, XATTR_SIZE_MAX, X_OK, POSIX_SPAWN_OPEN, POSIX_SPAWN_CLOSE,
  POSIX_SPAWN_DUP2, POSIX_SPAWN_CLOSEFROM);
static const asy_constants unsigned_constants = UNSIGNED_CONSTANTS("posix_unsigned", MFD_HUGE_16GB);

static const asy_native natives[] = {
  {"_path_normpath", SIG("(path)"), p_normpath, DOC("Normalize path, eliminating double slashes, etc."), 0},
  {"confstr", SIG("(name, /)"), p_confstr, DOC("Return a string-valued system configuration variable."), 0},
  {"cpu_count", SIG("()"), p_cpu_count, DOC("Return the number of logical CPUs in the system."), 0},
  {"fspath", SIG("(path)"), p_fspath, DOC("Return the file system path representation of the object."), 0},
  {"getloadavg", SIG("()"), p_getloadavg, DOC("Return average recent system load information."), 0},
  {"getrandom", SIG("(size, flags=0)"), p_getrandom, DOC("Obtain a series of random bytes."), 0},
  {"major", SIG("(device, /)"), p_major, DOC("Extracts a device major number from a raw device number."), 0},
  {"makedev", SIG("(major, minor, /)"), p_makedev, DOC("Composes a raw device number."), 0},
  {"minor", SIG("(device, /)"), p_minor, DOC("Extracts a device minor number from a raw device number."), 0},
  {"putenv", SIG("(name, value, /)"), p_putenv, DOC("Change or add an environment variable."), 0},
  {"strerror", SIG("(code, /)"), p_strerror, DOC("Translate an error code to a message string."), 0},
  {"sysconf", SIG("(name, /)"), p_sysconf, DOC("Return an integer-valued system configuration variable."), 0},
  {"uname", SIG("()"), p_uname, DOC("Return an object identifying the current operating system."), 0},
  {"unsetenv", SIG("(name, /)"), p_unsetenv, DOC("Delete an environment variable."), 0},
  {"urandom", SIG("(size, /)"), p_urandom, DOC("Return a bytes object containing random bytes."), 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  asy_class *uname_class = asy_define_record(vm, "posix.uname_result", uname_fields);
  return uname_class && asy_module_set(vm, module, "uname_result", asy_from_obj(uname_class)) &&
         asy_module_add_constants(vm, module, &constants) &&
         asy_module_add_constants(vm, module, &unsigned_constants) && posix_init_files(vm, module) &&
         posix_init_scandir(vm, module) && posix_init_fd(vm, module) && posix_init_process(vm, module) &&
         posix_add_names(vm, module, "sysconf_names", &sysconf_names) &&
         posix_add_names(vm, module, "confstr_names", &confstr_names) &&
         asy_module_set(vm, module, "environ", environment(vm)) &&
         asy_module_set(vm, module, "error", asy_get_attr_cstr(vm, asy_import(vm, "builtins"), "OSError"));
}

const asy_module_def asy_module_posix = {
  "posix", natives, "Functions of the operating system, as the POSIX standard has them. Use the module os instead.",
  init};
