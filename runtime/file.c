/* file.c - the content of a whole file: programs and modules. */
#include "runtime/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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
    else cap = (size_t)status.st_size + 2;
  }
  while (!error) {
    if (n + 1 >= cap || !data) {
      cap = cap < 4096 ? 4096 : n + 1 >= cap ? cap * 2 : cap;
      char *grown = realloc(data, cap);
      if (!grown) error = ENOMEM;
      else data = grown;
      if (error) break;
    }
    ssize_t got = read(fd, data + n, cap - n - 1);
    if (got < 0 && errno == EINTR) continue;
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
