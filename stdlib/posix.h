/* posix.h - what the parts of the module posix share: arguments that name files, results, errors.
 *
 *   posix.c           the module, its constants, names of files, environment, system
 *   posix_files.c     what takes a path: stat, mkdir, rename, chmod ...
 *   posix_scandir.c   listdir, scandir and DirEntry
 *   posix_fd.c        what takes a descriptor: read, write, dup, pipe, terminals ...
 *   posix_process.c   ids, fork, exec, wait, signals sent, scheduling
 *
 * Must stay true: a posix_path lives on the C stack, so that what it keeps is found by the collector.
 */
#ifndef ASY_STDLIB_POSIX_H
#define ASY_STDLIB_POSIX_H

#include <errno.h>
#include <sys/types.h>

#include "runtime/asy.h"

typedef struct {
  const char *name; /* bytes and a NUL; NULL when a descriptor was given */
  int fd;           /* -1 when a name was given */
  bool bytes;       /* given as bytes: names in the result are bytes too */
  asy_value given;  /* what errors show; ASY_UNBOUND when None was given */
  asy_value keep;   /* owns name */
} posix_path;

enum { PATH_ONLY = 0, PATH_FD = 1, PATH_NONE = 2 }; /* what else than a name: a descriptor, None (the current folder) */

/* v as the argument `argument` of `function`, which errors name. */
bool posix_path_of(asy_vm *vm, asy_value v, const char *function, const char *argument, unsigned allowed,
                   posix_path *out) __attribute__((warn_unused_result));
asy_value posix_fspath(asy_vm *vm, asy_value v);                         /* a str or bytes */
bool posix_dir_fd(asy_vm *vm, asy_value v, int *out);                    /* None: AT_FDCWD */
bool posix_fd(asy_vm *vm, asy_value v, int *out);                        /* an integer */
bool posix_fd_or_file(asy_vm *vm, asy_value v, int *out);                /* an integer, or an object with fileno() */
bool posix_int(asy_vm *vm, asy_value v, int *out);                       /* a C int; OverflowError */
bool posix_id(asy_vm *vm, asy_value v, const char *what, uint32_t *out); /* a user or group; -1 stays as it is */
bool posix_flag(asy_vm *vm, asy_value v, bool *out);                     /* its truth */
/* A name of sysconf_names and the like, or a number. */
bool posix_named(asy_vm *vm, asy_value v, const asy_constants *names, int *out);

asy_value posix_name_value(asy_vm *vm, bool bytes, const char *name, size_t length); /* a str or bytes */
asy_value posix_error(asy_vm *vm);                                                   /* OSError of errno */
asy_value posix_path_error(asy_vm *vm, const posix_path *path);
asy_value posix_done(asy_vm *vm, int rc);      /* None, or OSError when rc is -1 */
asy_value posix_number(asy_vm *vm, int64_t n); /* n, or OSError when it is -1 */
bool posix_add(asy_vm *vm, asy_value module, const asy_native *natives);

/* The names as a dict, an attribute of the module. */
bool posix_add_names(asy_vm *vm, asy_value module, const char *attribute, const asy_constants *names);

bool posix_init_files(asy_vm *vm, asy_value module);
bool posix_init_scandir(asy_vm *vm, asy_value module);
bool posix_init_fd(asy_vm *vm, asy_value module);
bool posix_init_process(asy_vm *vm, asy_value module);

struct rusage;
asy_value posix_rusage_value(asy_vm *vm, const struct rusage *usage); /* resource.c: a resource.struct_rusage */
struct stat;
asy_value posix_stat_result(asy_vm *vm, const struct stat *status);

/* A call that can take long: other threads run meanwhile. It is repeated when a signal ended it early, unless the signal's
 * handler raised: then result is -1 and the exception is set, which posix_error passes on. */
#define POSIX_WAIT(vm, result, call)                                                                                   \
  do {                                                                                                                 \
    asy_thread *posix_thread = asy_thread_release(vm);                                                                 \
    (result) = (call);                                                                                                 \
    asy_thread_acquire(vm, posix_thread);                                                                              \
  } while ((result) == -1 && errno == EINTR && asy_check_signals(vm))

#endif
