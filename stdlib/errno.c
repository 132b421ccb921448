/* errno.c - the module errno: the system's error numbers by name, and errorcode, the names by number. */
#include <errno.h>

#include "runtime/asy.h"

/* clang-format off */
#define ERRORS(X)                                                                                                      \
  X(EPERM)                                                                                                             \
  X(ENOENT)                                                                                                            \
  X(ESRCH)                                                                                                             \
  X(EINTR)                                                                                                             \
  X(EIO) X(ENXIO) X(E2BIG) X(ENOEXEC) X(EBADF) X(ECHILD) X(EAGAIN) X(ENOMEM) X(EACCES) X(EFAULT) X(ENOTBLK) X(EBUSY)   \
    X(EEXIST) X(EXDEV) X(ENODEV) X(ENOTDIR) X(EISDIR) X(EINVAL) X(ENFILE) X(EMFILE) X(ENOTTY) X(ETXTBSY) X(EFBIG)      \
      X(ENOSPC) X(ESPIPE) X(EROFS) X(EMLINK) X(EPIPE) X(EDOM) X(ERANGE) X(EDEADLK) X(ENAMETOOLONG) X(ENOLCK) X(ENOSYS) \
        X(ENOTEMPTY) X(ELOOP) X(ENOMSG) X(EIDRM) X(ENODATA) X(ETIME) X(EPROTO) X(EOVERFLOW) X(EILSEQ) X(ENOTSOCK)      \
          X(EDESTADDRREQ) X(EMSGSIZE) X(EPROTOTYPE) X(ENOPROTOOPT) X(EPROTONOSUPPORT) X(ESOCKTNOSUPPORT) X(EOPNOTSUPP) \
            X(EPFNOSUPPORT) X(EAFNOSUPPORT) X(EADDRINUSE) X(EADDRNOTAVAIL) X(ENETDOWN) X(ENETUNREACH) X(ENETRESET)     \
              X(ECONNABORTED) X(ECONNRESET) X(ENOBUFS) X(EISCONN) X(ENOTCONN) X(ESHUTDOWN) X(ETOOMANYREFS)             \
                X(ETIMEDOUT) X(ECONNREFUSED) X(EHOSTDOWN) X(EHOSTUNREACH) X(EALREADY) X(EINPROGRESS) X(ESTALE)         \
                  X(EDQUOT) X(ECANCELED) X(EOWNERDEAD) X(ENOTRECOVERABLE)
/* clang-format on */

static const struct {
  const char *name;
  int number;
} errors[] = {
#define X(name) {#name, name},
  ERRORS(X)
#undef X
    {"EWOULDBLOCK", EWOULDBLOCK},
  {"ENOTSUP", ENOTSUP},
};
enum { NAMED_TWICE = 2 }; /* the last rows: other names of numbers above */

static bool init(asy_vm *vm, asy_value module) {
  size_t count = sizeof errors / sizeof *errors;
  asy_dict *codes = asy_dict_new(vm, (uint32_t)count);
  if (!codes) return false;
  for (size_t i = 0; i < count; i++) {
    asy_value number = asy_from_small(errors[i].number), name = asy_from_cstr(vm, errors[i].name);
    if (asy_failed(name) || !asy_module_set(vm, module, errors[i].name, number)) return false;
    if (i < count - NAMED_TWICE && !asy_dict_set(vm, codes, number, name)) return false;
  }
  return asy_module_set(vm, module, "errorcode", asy_from_obj(codes));
}

const asy_module_def asy_module_errno = {"errno", NULL, "Standard errno system symbols.", init};
