/* builtins.h - the builtins module, and the standard files that print writes to. */
#ifndef ASY_RUNTIME_BUILTINS_H
#define ASY_RUNTIME_BUILTINS_H

#include "runtime/asy.h"

/* vm->builtins filled, sys.stdin, stdout, stderr made. Classes must exist. */
bool asy_builtins_init(asy_vm *vm);
/* print's work: text to sys.stdout or `file`. */
bool asy_write_stdout(asy_vm *vm, const char *text, size_t length); /* to the VM's standard output, buffered */
bool asy_write_stderr(asy_vm *vm, const char *text, size_t length); /* flushes standard output first; unbuffered */
void asy_flush_std(asy_vm *vm);                                     /* both; errors are ignored */
/* INTRINSIC_PRINT: sys.displayhook(value). */
bool asy_display(asy_vm *vm, asy_value value);
bool asy_display_default(asy_vm *vm, asy_value value); /* sys.displayhook as it is at the start */
/* dir(v), sorted. */
asy_value asy_dir(asy_vm *vm, asy_value v);

#endif
