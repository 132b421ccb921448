/* drive.h - what generators, coroutines and their awaitables have in common as objects: send, throw, close by hand. */
#ifndef ASY_RUNTIME_DRIVE_H
#define ASY_RUNTIME_DRIVE_H

#include "runtime/coro.h"

/* Natives: send(value), throw(typ, val, tb), close(); the `next` slot; "<WHAT object QUALNAME at ...>". */
asy_value asy_suspended_send(asy_vm *vm, const asy_value *args);
asy_value asy_suspended_throw(asy_vm *vm, const asy_value *args);
asy_value asy_suspended_close(asy_vm *vm, const asy_value *args);
asy_value asy_suspended_next(asy_vm *vm, asy_value self);
asy_value asy_suspended_repr(asy_vm *vm, const char *what, asy_str *qualname, asy_value self);
asy_value asy_thrown_of(asy_vm *vm, const asy_value *args); /* the exception that throw's arguments mean */
/* After GeneratorExit was thrown in: true when the frame ended, whether by it or by returning; `outcome` as asy_gen_resume. */
bool asy_closed_quietly(asy_vm *vm, asy_value outcome, const char *what);

#endif
