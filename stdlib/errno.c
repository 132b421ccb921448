/* errno.c - the module errno: the system's error numbers by name, and errorcode, the names by number. */
#include <errno.h>

#include "runtime/asy.h"

static const asy_constants errors = CONSTANTS(
  "errno", EPERM, ENOENT, ESRCH, EINTR, EIO, ENXIO, E2BIG, ENOEXEC, EBADF, ECHILD, EAGAIN, ENOMEM, EACCES, EFAULT,
  ENOTBLK, EBUSY, EEXIST, EXDEV, ENODEV, ENOTDIR, EISDIR, EINVAL, ENFILE, EMFILE, ENOTTY, ETXTBSY, EFBIG, ENOSPC,
  ESPIPE, EROFS, EMLINK, EPIPE, EDOM, ERANGE, EDEADLOCK, ENAMETOOLONG, ENOLCK, ENOSYS, ENOTEMPTY, ELOOP, ENOMSG, EIDRM,
  ECHRNG, EL2NSYNC, EL3HLT, EL3RST, ELNRNG, EUNATCH, ENOCSI, EL2HLT, EBADE, EBADR, EXFULL, ENOANO, EBADRQC, EBADSLT,
  EBFONT, ENOSTR, ENODATA, ETIME, ENOSR, ENONET, ENOPKG, EREMOTE, ENOLINK, EADV, ESRMNT, ECOMM, EPROTO, EMULTIHOP,
  EDOTDOT, EBADMSG, EOVERFLOW, ENOTUNIQ, EBADFD, EREMCHG, ELIBACC, ELIBBAD, ELIBSCN, ELIBMAX, ELIBEXEC, EILSEQ,
  ERESTART, ESTRPIPE, EUSERS, ENOTSOCK, EDESTADDRREQ, EMSGSIZE, EPROTOTYPE, ENOPROTOOPT, EPROTONOSUPPORT,
  ESOCKTNOSUPPORT, ENOTSUP, EPFNOSUPPORT, EAFNOSUPPORT, EADDRINUSE, EADDRNOTAVAIL, ENETDOWN, ENETUNREACH, ENETRESET,
  ECONNABORTED, ECONNRESET, ENOBUFS, EISCONN, ENOTCONN, ESHUTDOWN, ETOOMANYREFS, ETIMEDOUT, ECONNREFUSED, EHOSTDOWN,
  EHOSTUNREACH, EALREADY, EINPROGRESS, ESTALE, EUCLEAN, ENOTNAM, ENAVAIL, EISNAM, EREMOTEIO, EDQUOT, ENOMEDIUM,
  EMEDIUMTYPE, ECANCELED, ENOKEY, EKEYEXPIRED, EKEYREVOKED, EKEYREJECTED, EOWNERDEAD, ENOTRECOVERABLE, ERFKILL);
/* Other names of some. */
static const asy_constants synonyms = CONSTANTS("errno_synonyms", EDEADLK, EOPNOTSUPP, EWOULDBLOCK);

static bool init(asy_vm *vm, asy_value module) {
  asy_dict *numbers = asy_dict_new(vm, errors.count), *names = asy_dict_new(vm, errors.count);
  if (!numbers || !names || !asy_add_constants(vm, numbers, &errors, 0)) return false;
  asy_value name, number;
  for (uint32_t at = 0; asy_dict_next(numbers, &at, &name, &number);)
    if (!asy_dict_set(vm, names, number, name)) return false;
  return asy_module_add_constants(vm, module, &errors) && asy_module_add_constants(vm, module, &synonyms) &&
         asy_module_set(vm, module, "errorcode", asy_from_obj(names));
}

const asy_module_def asy_module_errno = {"errno", NULL, "Standard errno system symbols.", init};
