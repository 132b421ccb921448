/* fork.c - what the child of a fork does before script code goes on: the VM forgets the parent's other threads and its loops. */
#include "runtime/loop.h"
#include "runtime/thread.h"
#include "runtime/vm.h"

/* libuv polls through a descriptor that the parent shares: the child gets its own, so that closing does not reach the parent's. */
static bool part_loop(asy_vm *vm, asy_loop *loop) {
  int rc = loop && loop->uv ? uv_loop_fork(&loop->uv->loop) : 0;
  return rc == 0 || (asy_raise_uv(vm, rc, "event loop"), false);
}

bool asy_after_fork(asy_vm *vm) {
  asy_threads_after_fork(vm);
  asy_loop *running = vm->running_loop, *current = vm->current_loop;
  vm->running_loop = vm->current_loop = NULL;
  vm->current_loop_set = false;
  return part_loop(vm, running) && (running == current || part_loop(vm, current));
}
