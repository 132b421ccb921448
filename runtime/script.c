/* script.c - running the main script, and the end of a program. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
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
#include "runtime/sys.h"
#include "runtime/traceback.h"

enum { STATUS_OUTPUT_LOST = 120 };

/* ---- Running ---- */

/* Only the program itself may await outside functions, and not in a .py file: that stays Python. */
static unsigned main_flags(asy_vm *vm, const char *path) {
  size_t n = strlen(path);
  bool python = n > 3 && !strcmp(path + n - 3, ".py");
  return ASY_COMPILE_USUAL(vm) | (python ? 0 : ASY_COMPILE_TOP_LEVEL_AWAIT);
}

/* asyncio.run is no place of the program's: its entries go. */
static void hide_runner(asy_vm *vm) {
  asy_exception *e = vm->exception ? asy_exception_of(vm->exception) : NULL;
  while (e && e->traceback && e->traceback->func->code->filename->len &&
         asy_str_at(e->traceback->func->code->filename, 0) == '<' &&
         !asy_str_equal_cstr(e->traceback->func->code->name, "<module>"))
    e->traceback = e->traceback->next;
  if (e) asy_barrier(vm, e);
}

/* Runs the body of a module; one that awaits outside functions is a coroutine, which asyncio.run drives. */
static bool run_body(asy_vm *vm, asy_code *code, asy_module *module) {
  asy_value result = asy_run_code(vm, code, module->dict, asy_from_obj(module->dict));
  if (asy_failed(result) || !asy_is_kind(result, KIND_COROUTINE)) return !asy_failed(result);
  asy_value asyncio = asy_import(vm, "asyncio"),
            run = asy_failed(asyncio) ? ASY_FAILED : asy_get_attr_cstr(vm, asyncio, "run");
  if (!asy_failed(run) && !asy_failed(asy_call1(vm, run, result))) return true;
  hide_runner(vm);
  return false;
}

static asy_module *new_module(asy_vm *vm, const char *name) {
  asy_str *module_name = asy_intern(vm, name);
  asy_module *module = module_name ? asy_module_new(vm, module_name) : NULL;
  asy_value builtins = asy_dict_get_str(vm, vm->modules, ASY_NAME(vm, builtins));
  if (!module || !asy_dict_set_str(vm, module->dict, ASY_NAME(vm, __builtins__), builtins)) return NULL;
  if (!asy_dict_set_str(vm, vm->modules, module_name, asy_from_obj(module))) return NULL;
  if (!strcmp(name, "__main__")) vm->main_module = asy_from_obj(module);
  return module;
}

static asy_value run_module(asy_vm *vm, asy_value code, const char *path, const char *name) {
  asy_module *module = new_module(vm, name);
  if (!module) return ASY_FAILED;
  asy_value self = asy_from_obj(module);
  if (*path != '<' && !asy_module_set(vm, self, "__file__", asy_fs_decode(vm, path, strlen(path)))) return ASY_FAILED;
  return run_body(vm, (asy_code *)asy_obj_of(code), module) ? self : ASY_FAILED;
}

/* The first folder in which modules are looked for. */
static bool set_first_folder(asy_vm *vm, const char *path, size_t length) {
  if (vm->options.safe_path) return true;
  asy_value folder = asy_fs_decode(vm, path, length);
  return !asy_failed(folder) && asy_list_insert(vm, vm->path, 0, folder);
}

asy_value asy_run_source(asy_vm *vm, const char *text, size_t length, const char *path, const char *name) {
  if (*path == '<' && !asy_source_keep(vm, path, text, length)) return asy_raise_no_memory(vm);
  if (!strcmp(name, "__main__") && !set_first_folder(vm, "", 0)) return ASY_FAILED;
  asy_value code = asy_compile_text(vm, text, length, path, ASY_MODE_EXEC, main_flags(vm, path));
  return asy_failed(code) ? ASY_FAILED : run_module(vm, code, path, name);
}

/* runpy finds the code; named: sys.argv[0] becomes its file. */
static asy_value run_found(asy_vm *vm, const char *name, bool named) {
  asy_value runpy = new_module(vm, "__main__") ? asy_import(vm, "runpy") : ASY_FAILED;
  asy_value run = asy_failed(runpy) ? ASY_FAILED : asy_get_attr_cstr(vm, runpy, "_run_module_as_main");
  asy_value text = asy_fs_decode(vm, name, strlen(name));
  return asy_failed(run) || asy_failed(text) ? ASY_FAILED : asy_call2(vm, run, text, asy_from_bool(named));
}

asy_value asy_run_module(asy_vm *vm, const char *name) {
  char cwd[PATH_MAX];
  if (!getcwd(cwd, sizeof cwd)) *cwd = 0;
  return set_first_folder(vm, cwd, strlen(cwd)) ? run_found(vm, name, true) : ASY_FAILED;
}

asy_value asy_run_folder(asy_vm *vm, const char *path) {
  asy_value folder = asy_fs_decode(vm, path, strlen(path));
  return asy_failed(folder) || !asy_list_insert(vm, vm->path, 0, folder) ? ASY_FAILED
                                                                         : run_found(vm, "__main__", false);
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
  return set_first_folder(vm, real, slash ? (size_t)(slash == real ? 1 : slash - real) : 0);
}

asy_value asy_run_file(asy_vm *vm, const char *path) {
  char full[PATH_MAX], *text;
  size_t length;
  absolute(path, full);
  if (!asy_read_whole_file(vm, path, &text, &length)) return ASY_FAILED;
  bool ready = set_script_folder(vm, path);
  asy_value code = ready ? asy_compile_text(vm, text, length, full, ASY_MODE_EXEC, main_flags(vm, full)) : ASY_FAILED;
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

/* sys.excepthook, where the program has put one of its own; else its work. */
static void show_uncaught(asy_vm *vm, asy_value exception) {
  asy_str *name = asy_intern(vm, "excepthook"), *original = asy_intern(vm, "__excepthook__");
  asy_value hook = name ? asy_sys_get(vm, name) : ASY_UNBOUND,
            usual = original ? asy_sys_get(vm, original) : ASY_UNBOUND;
  if (hook == ASY_UNBOUND || hook == usual) return asy_print_exception(vm, exception);
  asy_traceback *traceback = asy_exception_of(exception)->traceback;
  asy_value args[] = {asy_from_obj(asy_type_of(vm, exception)), exception,
                      traceback ? asy_from_obj(traceback) : ASY_NONE};
  if (!asy_failed(asy_call(vm, hook, 3, args)) || asy_raised_is(vm, ASY_SystemExit)) return asy_clear_exception(vm);
  static const char first[] = "Error in sys.excepthook:\n", second[] = "\nOriginal exception was:\n";
  asy_value failure = asy_take_exception(vm);
  asy_write_stderr(vm, first, sizeof first - 1);
  asy_print_exception(vm, failure);
  asy_write_stderr(vm, second, sizeof second - 1);
  asy_print_exception(vm, exception);
}

static int take_status(asy_vm *vm) {
  if (!asy_raised(vm)) return 0;
  bool is_exit = asy_raised_is(vm, ASY_SystemExit), interrupted = asy_raised_is(vm, ASY_KeyboardInterrupt),
       broken = asy_raised_is(vm, ASY_BrokenPipeError) &&
                vm->io_state->stdout_broken; /* as in `| head`: nothing is said */
  asy_value exception = asy_take_exception(vm);
  if (is_exit) return exit_code(vm, exception);
  if (broken) return ASY_STATUS_SIGNAL + SIGPIPE;
  show_uncaught(vm, exception);
  return interrupted ? ASY_STATUS_SIGNAL + SIGINT : 1;
}

/* What is left in sys.stdout. Output that is lost is said and shows in the status; the reader's leaving is not said. */
static int flush_output(asy_vm *vm, int status) {
  asy_value out = asy_sys_get(vm, ASY_NAME(vm, stdout)), closed = ASY_TRUE;
  asy_str *name = asy_intern(vm, "closed");
  if (out == ASY_UNBOUND || out == ASY_NONE || !name) return status;
  int found = asy_find_attr(vm, out, name, &closed);
  if (found >= 0 && (!found || closed != ASY_TRUE) &&
      !asy_failed(asy_call_method(vm, out, ASY_NAME(vm, flush), 0, NULL)))
    return status;
  if (!asy_raised(vm)) return status;
  if (vm->io_state->stdout_broken) {
    asy_clear_exception(vm);
    return ASY_STATUS_SIGNAL + SIGPIPE;
  }
  asy_report_unraisable(vm, out);
  return STATUS_OUTPUT_LOST;
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
  status = flush_output(vm, status);
  asy_flush_std(vm);
  return status == 0 && vm->strict_async && vm->async_forgotten ? 1 : status;
}
