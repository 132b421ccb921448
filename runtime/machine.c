/* machine.c - a VM's beginning and end, its roots, and running the code of modules.
 * Order of start: heap, strings, tuples, classes, exceptions, builtins, import. Nothing before the classes may collect.
 */
#include <stdlib.h>

#include "runtime/builtins.h"
#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/file.h"
#include "runtime/frame.h"
#include "runtime/import.h"
#include "runtime/loop.h"
#include "runtime/module.h"
#include "runtime/scripts.h"
#include "runtime/trace.h"
#include "runtime/traceback.h"
#include "runtime/types/codec.h"

enum { RECURSION_LIMIT = 1000 };

static bool start(asy_vm *vm, const asy_options *options) {
  asy_dispatch_select(vm, false);
  if (!asy_heap_init(vm) || !asy_threads_init(vm)) return false;
  if (!vm->gate.hash_key(vm->gate.context, vm->hash_key, sizeof vm->hash_key)) return false;
  if (!asy_strings_init(vm) || !asy_tuple_init(vm) || !asy_classes_init(vm)) return false;
  asy_value error = asy_new_exception(vm, ASY_MemoryError, "");
  if (error == ASY_FAILED) return false;
  vm->memory_error = error;
  return asy_builtins_init(vm) && asy_import_init(vm, options);
}

const char *asy_environment(asy_vm *vm, const char *name) {
  const char *text = vm->options.ignore_environment ? NULL : getenv(name);
  return text && *text ? text : NULL;
}

asy_vm *asy_vm_new(const asy_options *options) {
  asy_vm *vm = calloc(1, sizeof *vm);
  if (!vm) return NULL;
  vm->gate = options && options->gate ? *options->gate : asy_gate_system();
  if (options && options->virtual_time) asy_gate_virtual(&vm->gate, &vm->gate_state);
  if (options && options->seeded) asy_gate_seeded(&vm->gate, &vm->gate_state, options->seed);
  if (options) vm->options = *options;
  vm->strict_async = options && options->strict_async;
  vm->watchdog.limit = options ? (int64_t)options->watchdog_ms * 1000000 : 0;
  vm->argc = options ? options->argc : 0;
  vm->argv = options ? options->argv : NULL;
  vm->recursion_limit = RECURSION_LIMIT;
  vm->int_max_str_digits = 4300;
  vm->next_keys_version = 1;
  vm->next_kind = KIND_COUNT;
  const char *caches = getenv("ASY_IC");
  vm->ic_off = caches && strcmp(caches, "off") == 0;
  vm->ic_verify = caches && strcmp(caches, "verify") == 0;
  if (start(vm, options)) return vm;
  asy_vm_free(vm);
  return NULL;
}

void asy_vm_free(asy_vm *vm) {
  if (!vm) return;
  asy_signals_detach(vm);
  if (vm->stdout_file) asy_flush_std(vm);
  asy_watchdog_end(vm);
  if (!asy_threads_end(vm)) return;
  asy_loop_state_free(vm);
  if (vm->heap) asy_heap_destroy(vm);
  asy_io_free(vm);
  asy_codecs_free(vm);
  asy_stack_pool_free(vm);
  asy_classes_free(vm);
  asy_sources_free(vm);
  asy_strings_free(vm);
  free(vm->import_state);
  free(vm->unicode_names);
  asy_native_texts_free(vm);
  asy_scripts_free(vm);
  asy_libraries_free(vm);
  free(vm->float_powers);
  free(vm);
}

static void visit_if(asy_visitor *v, asy_value value) {
  if (value) asy_visit_value(v, value);
}

void asy_vm_visit_roots(asy_vm *vm, asy_visitor *v) {
  asy_frames_visit(vm, v);
  const asy_value values[] = {
    vm->exception,      vm->result,     vm->sent,         vm->stop_value,         vm->thrown,
    vm->pending_future, vm->handled,    vm->sys_module,   vm->main_module,        vm->stdout_file,
    vm->stderr_file,    vm->stdin_file, vm->memory_error, vm->async_gen_hooks[0], vm->async_gen_hooks[1],
    vm->trace,          vm->profile,    vm->monitor};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) visit_if(v, values[i]);
  for (unsigned i = 0; i < KIND_COUNT; i++) asy_visit_obj(v, vm->classes[i]);
  for (unsigned i = 0; vm->exceptions && i < ASY_EXCEPTION_COUNT; i++) asy_visit_obj(v, vm->exceptions[i]);
  for (unsigned i = 0; i < NAME_COUNT; i++) asy_visit_obj(v, vm->names[i]);
  for (unsigned i = 0; i < 256; i++) asy_visit_obj(v, vm->latin1[i]);
  asy_visit_obj(v, vm->empty_str);
  asy_visit_obj(v, vm->empty_tuple);
  asy_visit_obj(v, vm->builtins);
  asy_visit_obj(v, vm->modules);
  asy_visit_obj(v, vm->path);
  asy_visit_obj(v, vm->current_task);
  asy_visit_obj(v, vm->running_loop);
  asy_visit_obj(v, vm->current_loop);
  asy_visit_obj(v, vm->spread);
  asy_visit_obj(v, vm->context);
  asy_intern_visit(vm, v);
  if (vm->loop_state) asy_loop_state_visit(vm, v);
  asy_visit_obj(v, vm->watchdog.places);
  if (vm->stack) { /* the running stack, and those below it that wait for it */
    vm->stack->top = vm->top;
    vm->stack->base = vm->base;
  }
  for (asy_stack *s = vm->stack; s; s = s->below) asy_stack_visit(s, v);
  asy_threads_visit(vm, v);
  asy_signals_visit(vm, v);
}

/* ---- Code of modules ------------------------------------------------------------------------------------------------ */

asy_value asy_run_body(asy_vm *vm, asy_func *func, asy_value locals) {
  return asy_call1(vm, asy_from_obj(func), locals);
}

asy_value asy_run_code(asy_vm *vm, asy_code *code, asy_dict *globals, asy_value locals) {
  asy_func *func = asy_func_new(vm, code, globals);
  if (!func) return ASY_FAILED;
  asy_value builtins = asy_dict_get_str(vm, globals, ASY_NAME(vm, __builtins__));
  if (asy_is_kind(builtins, KIND_MODULE)) func->builtins = ((asy_module *)asy_obj_of(builtins))->dict;
  else if (asy_is_kind(builtins, KIND_DICT)) func->builtins = (asy_dict *)asy_obj_of(builtins);
  return asy_run_body(vm, func, locals);
}
