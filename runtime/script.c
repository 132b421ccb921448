/* script.c - running the main script, and the end of a program. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/builtins.h"
#include "runtime/class.h"
#include "runtime/file.h"
#include "runtime/func.h"
#include "runtime/import.h"
#include "runtime/io/io.h"
#include "runtime/loop.h"
#include "runtime/module.h"
#include "runtime/traceback.h"

/* ---- Running ---- */

static asy_value run_module(asy_vm *vm, asy_value code, const char *path, const char *name) {
  asy_str *module_name = asy_intern(vm, name);
  asy_module *module = module_name ? asy_module_new(vm, module_name) : NULL;
  if (!module) return ASY_FAILED;
  asy_value self = asy_from_obj(module);
  if (*path != '<' && !asy_module_set(vm, self, "__file__", asy_from_cstr(vm, path))) return ASY_FAILED;
  asy_value builtins = asy_dict_get_str(vm, vm->modules, ASY_NAME(vm, builtins));
  if (!asy_dict_set_str(vm, module->dict, ASY_NAME(vm, __builtins__), builtins)) return ASY_FAILED;
  if (!asy_dict_set_str(vm, vm->modules, module_name, self)) return ASY_FAILED;
  if (!strcmp(name, "__main__")) vm->main_module = self;
  asy_value result = asy_run_code(vm, (asy_code *)asy_obj_of(code), module->dict, asy_from_obj(module->dict));
  return asy_failed(result) ? ASY_FAILED : self;
}

asy_value asy_run_source(asy_vm *vm, const char *text, size_t length, const char *path, const char *name) {
  if (*path == '<' && !asy_source_keep(vm, path, text, length)) return asy_raise_no_memory(vm);
  asy_value code = asy_compile_text(vm, text, length, path, ASY_MODE_EXEC, 0);
  return asy_failed(code) ? ASY_FAILED : run_module(vm, code, path, name);
}

/* As CPython: the script's path is made absolute by putting the current folder in front. */
static void absolute(const char *path, char out[PATH_MAX]) {
  char cwd[PATH_MAX];
  int n = -1;
  if (*path != '/' && getcwd(cwd, sizeof cwd)) n = snprintf(out, PATH_MAX, "%s/%s", cwd, path);
  if (n < 0 || n >= PATH_MAX) snprintf(out, PATH_MAX, "%s", path);
}

static bool set_script_folder(asy_vm *vm, const char *path) {
  char real[PATH_MAX];
  if (!realpath(path, real)) snprintf(real, sizeof real, "%s", path);
  char *slash = strrchr(real, '/');
  size_t length = slash ? (size_t)(slash == real ? 1 : slash - real) : 0;
  asy_value folder = asy_from_text(vm, real, length);
  return !asy_failed(folder) && asy_list_insert(vm, vm->path, 0, folder);
}

asy_value asy_run_file(asy_vm *vm, const char *path) {
  char full[PATH_MAX], *text;
  size_t length;
  absolute(path, full);
  if (!asy_read_whole_file(vm, path, &text, &length)) return ASY_FAILED;
  asy_value code = set_script_folder(vm, path) ? asy_compile_text(vm, text, length, full, ASY_MODE_EXEC, 0)
                                               : ASY_FAILED;
  free(text);
  return asy_failed(code) ? ASY_FAILED : run_module(vm, code, full, "__main__");
}

/* ---- The end ---- */

/* The status that SystemExit asks for; a code that is no int is printed. */
static int exit_code(asy_vm *vm, asy_value exception) {
  asy_value code = asy_get_attr_cstr(vm, exception, "code");
  if (asy_failed(code)) {
    asy_clear_exception(vm);
    return 1;
  }
  int64_t status;
  if (code == ASY_NONE) return 0;
  if (asy_is_integer(code)) return asy_is_number_int64(code, &status) ? (int)(status & 0xff) : 255;
  asy_value text = asy_str_of(vm, code);
  if (asy_failed(text)) {
    asy_clear_exception(vm);
    return 1;
  }
  asy_value keep = 0;
  size_t length;
  const char *utf8 = asy_str_utf8(vm, (asy_str *)asy_obj_of(text), &length, &keep);
  if (utf8) asy_write_stderr(vm, utf8, length);
  asy_write_stderr(vm, "\n", 1);
  return 1;
}

static int take_status(asy_vm *vm) {
  if (!asy_raised(vm)) return 0;
  bool is_exit = asy_raised_is(vm, ASY_SystemExit);
  asy_value exception = asy_take_exception(vm);
  if (is_exit) return exit_code(vm, exception);
  if (vm->io_state->stdout_broken && asy_is_instance(vm, exception, vm->exceptions[ASY_BrokenPipeError])) return 1; /* as `| head` */
  asy_print_exception(vm, exception);
  return 1;
}

/* Calls a function of a module that the program has imported. */
static void call_if_imported(asy_vm *vm, const char *module_name, const char *function) {
  asy_str *name = asy_intern(vm, module_name);
  asy_value module = name ? asy_dict_get_str(vm, vm->modules, name) : ASY_UNBOUND;
  if (module == ASY_UNBOUND) return;
  asy_value run = asy_get_attr_cstr(vm, module, function);
  if (asy_failed(run) || asy_failed(asy_call0(vm, run))) asy_report_unraisable(vm, module);
}

int asy_finish(asy_vm *vm) {
  int status = take_status(vm);
  call_if_imported(vm, "threading", "_shutdown"); /* waits for threads that are not daemons */
  call_if_imported(vm, "atexit", "_run_exitfuncs");
  vm->threads.ended = true; /* other threads stay where they are */
  asy_loop_finish(vm);
  asy_finalize_all(vm);
  asy_flush_std(vm);
  return status == 0 && vm->strict_async && vm->async_forgotten ? 1 : status;
}
