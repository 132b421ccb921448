/* resource.c - the module resource: what a process has used, and what it may use. */
#include <sys/resource.h>
#include <unistd.h>

#include "stdlib/posix.h"

/* ---- Usage ---- */

static const asy_member usage_fields[] = {
#define FIELD(name, place)                                                                                             \
  { name, ASY_RECORD(place), MEMBER_VALUE, false }
  FIELD("ru_utime", 0),
  FIELD("ru_stime", 1),
  FIELD("ru_maxrss", 2),
  FIELD("ru_ixrss", 3),
  FIELD("ru_idrss", 4),
  FIELD("ru_isrss", 5),
  FIELD("ru_minflt", 6),
  FIELD("ru_majflt", 7),
  FIELD("ru_nswap", 8),
  FIELD("ru_inblock", 9),
  FIELD("ru_oublock", 10),
  FIELD("ru_msgsnd", 11),
  FIELD("ru_msgrcv", 12),
  FIELD("ru_nsignals", 13),
  FIELD("ru_nvcsw", 14),
  FIELD("ru_nivcsw", 15),
  {0},
#undef FIELD
};
enum { USAGE_FIELDS = 16 };

static asy_value seconds(asy_vm *vm, const struct timeval *t) {
  return asy_from_double(vm, (double)t->tv_sec + 1e-6 * (double)t->tv_usec);
}

asy_value posix_rusage_value(asy_vm *vm, const struct rusage *u) {
  const long counts[] = {u->ru_maxrss, u->ru_ixrss,    u->ru_idrss,   u->ru_isrss,   u->ru_minflt,
                         u->ru_majflt, u->ru_nswap,    u->ru_inblock, u->ru_oublock, u->ru_msgsnd,
                         u->ru_msgrcv, u->ru_nsignals, u->ru_nvcsw,   u->ru_nivcsw};
  asy_value items[USAGE_FIELDS] = {seconds(vm, &u->ru_utime), seconds(vm, &u->ru_stime)};
  for (int i = 2; i < USAGE_FIELDS; i++) items[i] = asy_from_int64(vm, counts[i - 2]);
  asy_class *cls = asy_define_record(vm, "resource.struct_rusage", usage_fields);
  return cls ? asy_record_new(vm, cls, items) : ASY_FAILED;
}

static asy_value r_getrusage(asy_vm *vm, const asy_value *args) {
  int who;
  struct rusage usage;
  if (!posix_int(vm, args[0], &who)) return ASY_FAILED;
  if (asy_usage(vm, who, &usage)) return posix_rusage_value(vm, &usage);
  return errno == EINVAL ? asy_raise(vm, ASY_ValueError, "invalid who parameter") : posix_error(vm);
}

/* ---- Limits ---- */

static asy_value limits_value(asy_vm *vm, const struct rlimit *limits) {
  /* RLIM_INFINITY is -1 for scripts */
  return asy_tuple_of(vm, 2, asy_from_int64(vm, (int64_t)limits->rlim_cur),
                      asy_from_int64(vm, (int64_t)limits->rlim_max));
}

static bool limits_of(asy_vm *vm, asy_value v, struct rlimit *out) {
  asy_list *pair = asy_list_from_iterable(vm, v);
  int64_t soft, hard;
  if (!pair) return false;
  if (pair->len != 2) return asy_raise(vm, ASY_ValueError, "expected a tuple of 2 integers"), false;
  if (!asy_to_int64(vm, pair->items[0], &soft) || !asy_to_int64(vm, pair->items[1], &hard)) return false;
  *out = (struct rlimit){(rlim_t)soft, (rlim_t)hard};
  return true;
}

static bool resource_of(asy_vm *vm, asy_value v, int *out) {
  if (!posix_int(vm, v, out)) return false;
  if (*out >= 0 && *out < RLIM_NLIMITS) return true;
  asy_raise(vm, ASY_ValueError, "invalid resource specified");
  return false;
}

static asy_value limit_error(asy_vm *vm) {
  if (errno == EINVAL) return asy_raise(vm, ASY_ValueError, "current limit exceeds maximum limit");
  if (errno == EPERM) return asy_raise(vm, ASY_ValueError, "not allowed to raise maximum limit");
  return posix_error(vm);
}

static asy_value r_getrlimit(asy_vm *vm, const asy_value *args) {
  int resource;
  struct rlimit limits;
  if (!resource_of(vm, args[0], &resource)) return ASY_FAILED;
  return getrlimit((__rlimit_resource_t)resource, &limits) ? posix_error(vm) : limits_value(vm, &limits);
}

static asy_value r_setrlimit(asy_vm *vm, const asy_value *args) {
  int resource;
  struct rlimit limits;
  if (!resource_of(vm, args[0], &resource) || !limits_of(vm, args[1], &limits)) return ASY_FAILED;
  return setrlimit((__rlimit_resource_t)resource, &limits) ? limit_error(vm) : ASY_NONE;
}

/* (pid, resource, limits=?) */
static asy_value r_prlimit(asy_vm *vm, const asy_value *args) {
  int pid, resource;
  struct rlimit old, limits;
  if (!posix_int(vm, args[0], &pid) || !resource_of(vm, args[1], &resource)) return ASY_FAILED;
  bool sets = args[2] != ASY_UNBOUND && args[2] != ASY_NONE;
  if (sets && !limits_of(vm, args[2], &limits)) return ASY_FAILED;
  if (prlimit(pid, (enum __rlimit_resource)resource, sets ? &limits : NULL, &old)) return limit_error(vm);
  return limits_value(vm, &old);
}

static asy_value r_getpagesize(asy_vm *vm, const asy_value *args) { return asy_from_small(getpagesize()); }

static const asy_native natives[] = {
  {"getpagesize", SIG("()"), r_getpagesize, DOC("The number of bytes in a page of memory."), 0},
  {"getrlimit", SIG("(resource, /)"), r_getrlimit, DOC("The soft and the hard limit of a resource."), 0},
  {"getrusage", SIG("(who, /)"), r_getrusage, DOC("What the process, its children or the thread have used."), 0},
  {"prlimit", SIG("(pid, resource, limits=?, /)"), r_prlimit, DOC("Get and perhaps set limits of another process."), 0},
  {"setrlimit", SIG("(resource, limits, /)"), r_setrlimit, DOC("Set the limits (soft, hard) of a resource."), 0},
  {0},
};

static const asy_constants constants = CONSTANTS(
  "resource", RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE,
  RLIMIT_NICE, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_OFILE, RLIMIT_RSS, RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_SIGPENDING,
  RLIMIT_STACK, RUSAGE_CHILDREN, RUSAGE_SELF, RUSAGE_THREAD);

static bool init(asy_vm *vm, asy_value module) {
  asy_class *cls = asy_define_record(vm, "resource.struct_rusage", usage_fields);
  return cls && asy_module_set(vm, module, "struct_rusage", asy_from_obj(cls)) &&
         asy_module_set(vm, module, "error", asy_get_attr_cstr(vm, asy_import(vm, "builtins"), "OSError")) &&
         asy_module_add_constants(vm, module, &constants) &&
         asy_module_set(vm, module, "RLIM_INFINITY", asy_from_small(-1));
}

const asy_module_def asy_module_resource = {"resource", natives, "What a process uses, and its limits.", init};
