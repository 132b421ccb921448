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

bool posix_named(asy_vm *vm, asy_value v, const asy_module_constant *names, int *out) {
  const char *text;
  if (asy_is_integer(v)) return posix_int(vm, v, out);
  if (!asy_is_str(v)) return asy_raise(vm, ASY_TypeError, "configuration names must be strings or integers"), false;
  if (!asy_to_cstr(vm, v, &text)) return false;
  for (; names->name; names++) {
    if (strcmp(names->name, text)) continue;
    *out = (int)names->value;
    return true;
  }
  asy_raise(vm, ASY_ValueError, "unrecognized configuration name");
  return false;
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

bool posix_add_names(asy_vm *vm, asy_value module, const char *attribute, const asy_module_constant *names) {
  asy_dict *dict = asy_dict_new(vm, 64);
  for (; dict && names->name; names++) {
    asy_str *name = asy_intern(vm, names->name);
    if (!name || !asy_dict_set_str(vm, dict, name, asy_from_int64(vm, names->value))) return false;
  }
  return dict && asy_module_set(vm, module, attribute, asy_from_obj(dict));
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

static const asy_module_constant sysconf_names[] = {
#define X(name) {"SC_" #name, _SC_##name},
  X(2_CHAR_TERM) X(2_C_BIND) X(2_C_DEV) X(2_C_VERSION) X(2_FORT_DEV) X(2_FORT_RUN) X(2_LOCALEDEF) X(2_SW_DEV) X(2_UPE)
    X(2_VERSION) X(AIO_LISTIO_MAX) X(AIO_MAX) X(AIO_PRIO_DELTA_MAX) X(ARG_MAX) X(ASYNCHRONOUS_IO) X(ATEXIT_MAX)
      X(AVPHYS_PAGES) X(BC_BASE_MAX) X(BC_DIM_MAX) X(BC_SCALE_MAX) X(BC_STRING_MAX) X(CHARCLASS_NAME_MAX) X(CHAR_BIT)
        X(CHAR_MAX) X(CHAR_MIN) X(CHILD_MAX) X(CLK_TCK) X(COLL_WEIGHTS_MAX) X(DELAYTIMER_MAX) X(EQUIV_CLASS_MAX)
          X(EXPR_NEST_MAX) X(FSYNC) X(GETGR_R_SIZE_MAX) X(GETPW_R_SIZE_MAX) X(INT_MAX) X(INT_MIN) X(IOV_MAX)
            X(JOB_CONTROL) X(LINE_MAX) X(LOGIN_NAME_MAX) X(LONG_BIT) X(MAPPED_FILES) X(MB_LEN_MAX) X(MEMLOCK)
              X(MEMLOCK_RANGE) X(MEMORY_PROTECTION) X(MESSAGE_PASSING) X(MINSIGSTKSZ) X(MQ_OPEN_MAX) X(MQ_PRIO_MAX)
                X(NGROUPS_MAX) X(NL_ARGMAX) X(NL_LANGMAX) X(NL_MSGMAX) X(NL_NMAX) X(NL_SETMAX) X(NL_TEXTMAX)
                  X(NPROCESSORS_CONF) X(NPROCESSORS_ONLN) X(NZERO) X(OPEN_MAX) X(PAGESIZE) X(PAGE_SIZE) X(PASS_MAX)
                    X(PHYS_PAGES) X(PII) X(PII_INTERNET) X(PII_INTERNET_DGRAM) X(PII_INTERNET_STREAM) X(PII_OSI)
                      X(PII_OSI_CLTS) X(PII_OSI_COTS) X(PII_OSI_M) X(PII_SOCKET) X(PII_XTI) X(POLL) X(PRIORITIZED_IO)
                        X(PRIORITY_SCHEDULING) X(REALTIME_SIGNALS) X(RE_DUP_MAX) X(RTSIG_MAX) X(SAVED_IDS) X(SCHAR_MAX)
                          X(SCHAR_MIN) X(SELECT) X(SEMAPHORES) X(SEM_NSEMS_MAX) X(SEM_VALUE_MAX)
                            X(SHARED_MEMORY_OBJECTS) X(SHRT_MAX) X(SHRT_MIN) X(SIGQUEUE_MAX) X(SIGSTKSZ) X(SSIZE_MAX)
                              X(STREAM_MAX) X(SYNCHRONIZED_IO) X(THREADS) X(THREAD_ATTR_STACKADDR)
                                X(THREAD_ATTR_STACKSIZE) X(THREAD_DESTRUCTOR_ITERATIONS) X(THREAD_KEYS_MAX)
                                  X(THREAD_PRIORITY_SCHEDULING) X(THREAD_PRIO_INHERIT) X(THREAD_PRIO_PROTECT)
                                    X(THREAD_PROCESS_SHARED) X(THREAD_SAFE_FUNCTIONS) X(THREAD_STACK_MIN)
                                      X(THREAD_THREADS_MAX) X(TIMERS) X(TIMER_MAX) X(TTY_NAME_MAX) X(TZNAME_MAX)
                                        X(T_IOV_MAX) X(UCHAR_MAX) X(UINT_MAX) X(UIO_MAXIOV) X(ULONG_MAX) X(USHRT_MAX)
                                          X(VERSION) X(WORD_BIT) X(XBS5_ILP32_OFF32) X(XBS5_ILP32_OFFBIG)
                                            X(XBS5_LP64_OFF64) X(XBS5_LPBIG_OFFBIG) X(XOPEN_CRYPT) X(XOPEN_ENH_I18N)
                                              X(XOPEN_LEGACY) X(XOPEN_REALTIME) X(XOPEN_REALTIME_THREADS) X(XOPEN_SHM)
                                                X(XOPEN_UNIX) X(XOPEN_VERSION) X(XOPEN_XCU_VERSION) X(XOPEN_XPG2)
                                                  X(XOPEN_XPG3) X(XOPEN_XPG4){0},
#undef X
};

static asy_value p_sysconf(asy_vm *vm, const asy_value *args) {
  int name;
  if (!posix_named(vm, args[0], sysconf_names, &name)) return ASY_FAILED;
  errno = 0;
  long value = sysconf(name);
  return value == -1 && errno ? posix_error(vm) : asy_from_int64(vm, value);
}

static const asy_module_constant confstr_names[] = {
#define X(name) {"CS_" #name, _CS_##name},
  X(GNU_LIBC_VERSION) X(GNU_LIBPTHREAD_VERSION) X(LFS64_CFLAGS) X(LFS64_LDFLAGS) X(LFS64_LIBS) X(LFS64_LINTFLAGS)
    X(LFS_CFLAGS) X(LFS_LDFLAGS) X(LFS_LIBS) X(LFS_LINTFLAGS) X(PATH) X(XBS5_ILP32_OFF32_CFLAGS)
      X(XBS5_ILP32_OFF32_LDFLAGS) X(XBS5_ILP32_OFF32_LIBS) X(XBS5_ILP32_OFF32_LINTFLAGS) X(XBS5_ILP32_OFFBIG_CFLAGS)
        X(XBS5_ILP32_OFFBIG_LDFLAGS) X(XBS5_ILP32_OFFBIG_LIBS) X(XBS5_ILP32_OFFBIG_LINTFLAGS) X(XBS5_LP64_OFF64_CFLAGS)
          X(XBS5_LP64_OFF64_LDFLAGS) X(XBS5_LP64_OFF64_LIBS) X(XBS5_LP64_OFF64_LINTFLAGS) X(XBS5_LPBIG_OFFBIG_CFLAGS)
            X(XBS5_LPBIG_OFFBIG_LDFLAGS) X(XBS5_LPBIG_OFFBIG_LIBS) X(XBS5_LPBIG_OFFBIG_LINTFLAGS){0},
#undef X
};

static asy_value p_confstr(asy_vm *vm, const asy_value *args) {
  int name;
  char text[512];
  if (!posix_named(vm, args[0], confstr_names, &name)) return ASY_FAILED;
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

static const asy_module_constant constants[] = {
#define X(name) {#name, name},
  X(CLD_CONTINUED) X(CLD_DUMPED) X(CLD_EXITED) X(CLD_KILLED) X(CLD_STOPPED) X(CLD_TRAPPED) X(CLONE_FILES) X(CLONE_FS)
    X(CLONE_NEWCGROUP) X(CLONE_NEWIPC) X(CLONE_NEWNET) X(CLONE_NEWNS) X(CLONE_NEWPID) X(CLONE_NEWTIME) X(CLONE_NEWUSER)
      X(CLONE_NEWUTS) X(CLONE_SIGHAND) X(CLONE_SYSVSEM) X(CLONE_THREAD) X(CLONE_VM) X(EFD_CLOEXEC) X(EFD_NONBLOCK)
        X(EFD_SEMAPHORE) X(EX_CANTCREAT) X(EX_CONFIG) X(EX_DATAERR) X(EX_IOERR) X(EX_NOHOST) X(EX_NOINPUT) X(EX_NOPERM)
          X(EX_NOUSER) X(EX_OK) X(EX_OSERR) X(EX_OSFILE) X(EX_PROTOCOL) X(EX_SOFTWARE) X(EX_TEMPFAIL) X(EX_UNAVAILABLE)
            X(EX_USAGE) X(F_LOCK) X(F_OK) X(F_TEST) X(F_TLOCK) X(F_ULOCK) X(GRND_NONBLOCK) X(GRND_RANDOM)
              X(MFD_ALLOW_SEALING) X(MFD_CLOEXEC) X(MFD_HUGETLB) X(MFD_HUGE_16GB) X(MFD_HUGE_16MB) X(MFD_HUGE_1GB)
                X(MFD_HUGE_1MB) X(MFD_HUGE_256MB) X(MFD_HUGE_2GB) X(MFD_HUGE_2MB) X(MFD_HUGE_32MB) X(MFD_HUGE_512KB)
                  X(MFD_HUGE_512MB) X(MFD_HUGE_64KB) X(MFD_HUGE_8MB) X(MFD_HUGE_MASK) X(MFD_HUGE_SHIFT) X(NGROUPS_MAX)
                    X(O_ACCMODE) X(O_APPEND) X(O_ASYNC) X(O_CLOEXEC) X(O_CREAT) X(O_DIRECT) X(O_DIRECTORY) X(O_DSYNC)
                      X(O_EXCL) X(O_FSYNC) X(O_LARGEFILE) X(O_NDELAY) X(O_NOATIME) X(O_NOCTTY) X(O_NOFOLLOW)
                        X(O_NONBLOCK) X(O_PATH) X(O_RDONLY) X(O_RDWR) X(O_RSYNC) X(O_SYNC) X(O_TMPFILE) X(O_TRUNC)
                          X(O_WRONLY) X(POSIX_FADV_DONTNEED) X(POSIX_FADV_NOREUSE) X(POSIX_FADV_NORMAL)
                            X(POSIX_FADV_RANDOM) X(POSIX_FADV_SEQUENTIAL) X(POSIX_FADV_WILLNEED) X(PRIO_PGRP)
                              X(PRIO_PROCESS) X(PRIO_USER) X(P_ALL) X(P_PGID) X(P_PID) X(P_PIDFD) X(RTLD_DEEPBIND)
                                X(RTLD_GLOBAL) X(RTLD_LAZY) X(RTLD_LOCAL) X(RTLD_NODELETE) X(RTLD_NOLOAD) X(RTLD_NOW)
                                  X(RWF_APPEND) X(RWF_DSYNC) X(RWF_HIPRI) X(RWF_NOWAIT) X(RWF_SYNC) X(R_OK)
                                    X(SCHED_BATCH) X(SCHED_FIFO) X(SCHED_IDLE) X(SCHED_OTHER) X(SCHED_RESET_ON_FORK)
                                      X(SCHED_RR) X(SEEK_DATA) X(SEEK_HOLE) X(SPLICE_F_MORE) X(SPLICE_F_MOVE)
                                        X(SPLICE_F_NONBLOCK) X(ST_APPEND) X(ST_MANDLOCK) X(ST_NOATIME) X(ST_NODEV)
                                          X(ST_NODIRATIME) X(ST_NOEXEC) X(ST_NOSUID) X(ST_RDONLY) X(ST_RELATIME)
                                            X(ST_SYNCHRONOUS) X(ST_WRITE) X(TFD_CLOEXEC) X(TFD_NONBLOCK)
                                              X(TFD_TIMER_ABSTIME) X(TFD_TIMER_CANCEL_ON_SET) X(TMP_MAX) X(WCONTINUED)
                                                X(WEXITED) X(WNOHANG) X(WNOWAIT) X(WSTOPPED) X(WUNTRACED) X(W_OK)
                                                  X(XATTR_CREATE) X(XATTR_REPLACE) X(XATTR_SIZE_MAX) X(X_OK)
#undef X
                                                    {"POSIX_SPAWN_OPEN", 0},
  {"POSIX_SPAWN_CLOSE", 1},
  {"POSIX_SPAWN_DUP2", 2},
  {"POSIX_SPAWN_CLOSEFROM", 3},
  {0},
};

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
         asy_module_add_constants(vm, module, constants) && posix_init_files(vm, module) &&
         posix_init_scandir(vm, module) && posix_init_fd(vm, module) && posix_init_process(vm, module) &&
         posix_add_names(vm, module, "sysconf_names", sysconf_names) &&
         posix_add_names(vm, module, "confstr_names", confstr_names) &&
         asy_module_set(vm, module, "environ", environment(vm)) &&
         asy_module_set(vm, module, "error", asy_get_attr_cstr(vm, asy_import(vm, "builtins"), "OSError"));
}

const asy_module_def asy_module_posix = {
  "posix", natives, "Functions of the operating system, as the POSIX standard has them. Use the module os instead.",
  init};
