/* file.h - opening files, as the rest of the runtime sees it; the streams themselves are in io/. */
#ifndef ASY_RUNTIME_FILE_H
#define ASY_RUNTIME_FILE_H

#include "runtime/asy.h"

bool asy_io_init(asy_vm *vm); /* the classes of streams: before the standard ones are made */
void asy_io_free(asy_vm *vm);
asy_value asy_file_standard(asy_vm *vm, int fd, const char *name, bool reading); /* sys.stdin and its like */
/* open(): `file` is a path (str, bytes, __fspath__) or a descriptor. encoding, errors, newline: str or None. */
asy_value asy_file_open(asy_vm *vm, asy_value file, const char *mode, int64_t buffering, asy_value encoding,
                        asy_value errors, asy_value newline, bool closefd, asy_value opener);
asy_value asy_open_native(asy_vm *vm, const asy_value *args); /* the same with the arguments of open() */
/* The whole content of a file: malloc'ed, NUL-terminated. False: OSError. */
bool asy_read_whole_file(asy_vm *vm, const char *path, char **bytes, size_t *length);

#endif
