/* posix_process.c - processes in posix: who we are, fork, exec, spawn, wait, kill, scheduling.
 *
 * fork: only the calling thread lives on in the child. asy_after_fork makes the child's VM usable: its event loops get a libuv of
 * their own. Call-backs of register_at_fork run before it in the parent, after it on both sides.
 */
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stdlib/posix.h"

/* ---- Numbers that cannot fail, or say so by -1 ---- */

/* clang-format off */
#define NUMBERS(X) X(getpid) X(getppid) X(getpgrp) X(getuid) X(geteuid) X(getgid) X(getegid)
#define OF_PROCESS(X) X(getpgid) X(getsid)
#define SET_ID(X) X(setuid) X(seteuid) X(setgid) X(setegid)
#define SET_TWO(X) X(setreuid) X(setregid)
#define SET_THREE(X) X(setresuid) X(setresgid)
#define GET_THREE(X) X(getresuid) X(getresgid)
#define STATUS_FLAGS(X) X(WIFEXITED) X(WIFSIGNALED) X(WIFSTOPPED) X(WIFCONTINUED) X(WCOREDUMP)
#define STATUS_NUMBERS(X) X(WEXITSTATUS) X(WTERMSIG) X(WSTOPSIG)
/* clang-format on */

#define X(name)                                                                                                        \
  static asy_value p_##name(asy_vm *vm, const asy_value *args) { return posix_number(vm, name()); }
NUMBERS(X)
#undef X
#define X(name)                                                                                                        \
  static asy_value p_##name(asy_vm *vm, const asy_value *args) {                                                       \
    int pid;                                                                                                           \
    return posix_int(vm, args[0], &pid) ? posix_number(vm, name(pid)) : ASY_FAILED;                                    \
  }
OF_PROCESS(X)
#undef X
static bool ids_of(asy_vm *vm, const asy_value *args, const char *function, int n, uint32_t *ids) {
  const char *what = function[strlen(function) - 3] == 'u' ? "uid" : "gid";
  for (int i = 0; i < n; i++)
    if (!posix_id(vm, args[i], what, &ids[i])) return false;
  return true;
}
#define X(name)                                                                                                        \
  static asy_value p_##name(asy_vm *vm, const asy_value *args) {                                                       \
    uint32_t id;                                                                                                       \
    return ids_of(vm, args, #name, 1, &id) ? posix_done(vm, name(id)) : ASY_FAILED;                                    \
  }
SET_ID(X)
#undef X
#define X(name)                                                                                                        \
  static asy_value p_##name(asy_vm *vm, const asy_value *args) {                                                       \
    uint32_t ids[2];                                                                                                   \
    return ids_of(vm, args, #name, 2, ids) ? posix_done(vm, name(ids[0], ids[1])) : ASY_FAILED;                        \
  }
SET_TWO(X)
#undef X
#define X(name)                                                                                                        \
  static asy_value p_##name(asy_vm *vm, const asy_value *args) {                                                       \
    uint32_t ids[3];                                                                                                   \
    return ids_of(vm, args, #name, 3, ids) ? posix_done(vm, name(ids[0], ids[1], ids[2])) : ASY_FAILED;                \
  }
SET_THREE(X)
#undef X
#define X(name)                                                                                                        \
  static asy_value p_##name(asy_vm *vm, const asy_value *args) {                                                       \
    uint32_t ids[3];                                                                                                   \
    if (name(&ids[0], &ids[1], &ids[2])) return posix_error(vm);                                                       \
    return asy_tuple_of(vm, 3, asy_from_small(ids[0]), asy_from_small(ids[1]), asy_from_small(ids[2]));                \
  }
GET_THREE(X)
#undef X
#define X(name)                                                                                                        \
  static asy_value p_##name(asy_vm *vm, const asy_value *args) {                                                       \
    int status;                                                                                                        \
    return posix_int(vm, args[0], &status) ? asy_from_bool(name(status)) : ASY_FAILED;                                 \
  }
STATUS_FLAGS(X)
#undef X
#define X(name)                                                                                                        \
  static asy_value p_##name(asy_vm *vm, const asy_value *args) {                                                       \
    int status;                                                                                                        \
    return posix_int(vm, args[0], &status) ? asy_from_small(name(status)) : ASY_FAILED;                                \
  }
STATUS_NUMBERS(X)
#undef X

static asy_value p_waitstatus_to_exitcode(asy_vm *vm, const asy_value *args) {
  int status;
  if (!posix_int(vm, args[0], &status)) return ASY_FAILED;
  if (WIFEXITED(status)) return asy_from_small(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) return asy_from_small(-WTERMSIG(status));
  if (WIFSTOPPED(status))
    return asy_raise(vm, ASY_ValueError, "process stopped by delivery of signal %d", WSTOPSIG(status));
  return asy_raise(vm, ASY_ValueError, "invalid wait status: %d", status);
}

static asy_value p_setpgid(asy_vm *vm, const asy_value *args) {
  int pid, group;
  if (!posix_int(vm, args[0], &pid) || !posix_int(vm, args[1], &group)) return ASY_FAILED;
  return posix_done(vm, setpgid(pid, group));
}
static asy_value p_setpgrp(asy_vm *vm, const asy_value *args) { return posix_done(vm, setpgid(0, 0)); }

static asy_value p_getlogin(asy_vm *vm, const asy_value *args) {
  char name[256];
  int error = getlogin_r(name, sizeof name);
  return error ? asy_raise_errno(vm, error, ASY_UNBOUND) : asy_fs_decode(vm, name, strlen(name));
}

/* ---- Groups ---- */

static asy_value groups_value(asy_vm *vm, const gid_t *groups, int n) {
  asy_list *list = n < 0 ? NULL : asy_list_new(vm, (uint32_t)n);
  for (int i = 0; list && i < n; i++)
    if (!asy_list_append(vm, list, asy_from_small(groups[i]))) list = NULL;
  return list ? asy_from_obj(list) : ASY_FAILED;
}

static asy_value p_getgroups(asy_vm *vm, const asy_value *args) {
  gid_t *groups = malloc(NGROUPS_MAX * sizeof *groups);
  if (!groups) return asy_raise_no_memory(vm);
  int n = getgroups(NGROUPS_MAX, groups);
  asy_value result = n < 0 ? posix_error(vm) : groups_value(vm, groups, n);
  free(groups);
  return result;
}

static asy_value p_getgrouplist(asy_vm *vm, const asy_value *args) {
  posix_path user;
  uint32_t gid;
  if (!posix_path_of(vm, args[0], "getgrouplist", "user", PATH_ONLY, &user) || !posix_id(vm, args[1], "gid", &gid))
    return ASY_FAILED;
  gid_t *groups = malloc(NGROUPS_MAX * sizeof *groups);
  if (!groups) return asy_raise_no_memory(vm);
  int n = NGROUPS_MAX;
  asy_value result = getgrouplist(user.name, gid, groups, &n) < 0 ? posix_error(vm) : groups_value(vm, groups, n);
  free(groups);
  return result;
}

static asy_value p_setgroups(asy_vm *vm, const asy_value *args) {
  int64_t length = asy_length(vm, args[0]);
  if (length < 0) {
    asy_clear_exception(vm);
    return asy_raise(vm, ASY_TypeError, "setgroups argument must be a sequence");
  }
  asy_list *list = asy_list_from_iterable(vm, args[0]);
  if (!list) return ASY_FAILED;
  if (list->len > NGROUPS_MAX) return asy_raise(vm, ASY_ValueError, "too many groups");
  gid_t *groups = malloc((list->len + 1) * sizeof *groups);
  if (!groups) return asy_raise_no_memory(vm);
  uint32_t n = 0;
  while (n < list->len && posix_id(vm, list->items[n], "gid", &groups[n])) n++;
  asy_value result = n < list->len ? ASY_FAILED : posix_done(vm, setgroups(n, groups));
  free(groups);
  return result;
}

static asy_value p_initgroups(asy_vm *vm, const asy_value *args) {
  posix_path user;
  uint32_t gid;
  if (!posix_path_of(vm, args[0], "initgroups", "username", PATH_ONLY, &user) || !posix_id(vm, args[1], "gid", &gid))
    return ASY_FAILED;
  return posix_done(vm, initgroups(user.name, gid));
}

/* ---- Signals and ends ---- */

static asy_value p_kill(asy_vm *vm, const asy_value *args) {
  int pid, signal_number;
  if (!posix_int(vm, args[0], &pid) || !posix_int(vm, args[1], &signal_number)) return ASY_FAILED;
  if (kill(pid, signal_number)) return posix_error(vm);
  return asy_check_signals(vm) ? ASY_NONE : ASY_FAILED; /* it may have been for us */
}
static asy_value p_setsid(asy_vm *vm, const asy_value *args) { return posix_done(vm, setsid() < 0 ? -1 : 0); }

static asy_value p_killpg(asy_vm *vm, const asy_value *args) {
  int group, signal_number;
  if (!posix_int(vm, args[0], &group) || !posix_int(vm, args[1], &signal_number)) return ASY_FAILED;
  if (killpg(group, signal_number)) return posix_error(vm);
  return asy_check_signals(vm) ? ASY_NONE : ASY_FAILED;
}

static asy_value p__exit(asy_vm *vm, const asy_value *args) {
  int status;
  if (!posix_int(vm, args[0], &status)) return ASY_FAILED;
  _exit(status);
}
static asy_value p_abort(asy_vm *vm, const asy_value *args) { abort(); }

static asy_value p_pidfd_open(asy_vm *vm, const asy_value *args) {
  int pid, flags;
  if (!posix_int(vm, args[0], &pid) || !posix_int(vm, args[1], &flags)) return ASY_FAILED;
  return posix_number(vm, pidfd_open(pid, (unsigned)flags));
}

/* ---- fork ---- */

static asy_value call_each(asy_vm *vm, asy_value list, bool backwards) {
  asy_list *callbacks = asy_is_kind(list, KIND_LIST) ? (asy_list *)asy_obj_of(list) : NULL;
  for (uint32_t i = 0; callbacks && i < callbacks->len; i++) {
    asy_value callback = callbacks->items[backwards ? callbacks->len - 1 - i : i];
    if (asy_failed(asy_call0(vm, callback))) asy_report_unraisable(vm, callback);
  }
  return ASY_NONE;
}

/* The call-backs of one occasion, as posix._at_fork keeps them. */
static asy_value at_fork(asy_vm *vm, const char *when) {
  asy_value module = asy_import(vm, "posix");
  asy_value lists = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "_at_fork");
  asy_value key = asy_failed(lists) ? ASY_FAILED : asy_from_cstr(vm, when);
  return asy_failed(key) ? ASY_FAILED : asy_get_item(vm, lists, key);
}

/* (*, before=?, after_in_child=?, after_in_parent=?) */
static asy_value p_register_at_fork(asy_vm *vm, const asy_value *args) {
  static const char *const names[] = {"before", "after_in_child", "after_in_parent"};
  bool any = false;
  for (int i = 0; i < 3; i++) {
    if (args[i] == ASY_UNBOUND) continue;
    if (!asy_callable(vm, args[i]))
      return asy_raise(vm, ASY_TypeError, "'%s' must be callable, not %T", names[i], args[i]);
    any = true;
  }
  if (!any) return asy_raise(vm, ASY_TypeError, "At least one argument is required.");
  for (int i = 0; i < 3; i++) {
    if (args[i] == ASY_UNBOUND) continue;
    asy_value list = at_fork(vm, names[i]);
    if (asy_failed(list) || !asy_is_kind(list, KIND_LIST) ||
        !asy_list_append(vm, (asy_list *)asy_obj_of(list), args[i]))
      return ASY_FAILED;
  }
  return ASY_NONE;
}

/* fork, or forkpty when terminal is not NULL. -1 with the exception set. */
static pid_t do_fork(asy_vm *vm, int *terminal) {
  asy_value before = at_fork(vm, "before");
  if (asy_failed(before)) return -1;
  call_each(vm, before, true);
  pid_t pid = terminal ? forkpty(terminal, NULL, NULL, NULL) : fork();
  if (pid < 0) return posix_error(vm), -1;
  if (pid == 0 && !asy_after_fork(vm)) return -1;
  asy_value after = at_fork(vm, pid ? "after_in_parent" : "after_in_child");
  if (asy_failed(after)) return -1;
  call_each(vm, after, false);
  return pid;
}

static asy_value p_fork(asy_vm *vm, const asy_value *args) {
  pid_t pid = do_fork(vm, NULL);
  return pid < 0 ? ASY_FAILED : asy_from_small(pid);
}
static asy_value p_forkpty(asy_vm *vm, const asy_value *args) {
  int terminal = -1;
  pid_t pid = do_fork(vm, &terminal);
  return pid < 0 ? ASY_FAILED : asy_tuple_of(vm, 2, asy_from_small(pid), asy_from_small(terminal));
}

/* ---- exec and spawn ---- */

/* Texts for the system: an array that ends with NULL. The bytes are owned by the values in `keep`. */
typedef struct {
  char **items;
  asy_list *keep;
} texts;

static bool texts_new(asy_vm *vm, size_t n, texts *out) {
  out->items = calloc(n + 1, sizeof(char *));
  out->keep = out->items ? asy_list_new(vm, (uint32_t)n) : NULL;
  if (!out->items) asy_raise_no_memory(vm);
  return out->keep != NULL;
}

static bool texts_put(asy_vm *vm, texts *t, size_t i, const posix_path *text) {
  if (!asy_list_append(vm, t->keep, text->keep)) return false;
  t->items[i] = (char *)text->name;
  return true;
}

static bool arguments_of(asy_vm *vm, asy_value v, const char *function, texts *out) {
  if (!asy_is_kind(v, KIND_LIST) && !asy_is_kind(v, KIND_TUPLE))
    return asy_raise(vm, ASY_TypeError, "%s%s must be a tuple or list", function,
                     function[0] == 'e' ? "() arg 2" : ": argv"),
           false;
  asy_list *list = asy_list_from_iterable(vm, v);
  if (!list) return false;
  const char *where = function[0] == 'e' ? "() arg 2" : ": argv";
  if (!list->len) return asy_raise(vm, ASY_ValueError, "%s%s must not be empty", function, where), false;
  if (!texts_new(vm, list->len, out)) return false;
  for (uint32_t i = 0; i < list->len; i++) {
    posix_path text;
    if (!posix_path_of(vm, list->items[i], function, "argument", PATH_ONLY, &text) || !texts_put(vm, out, i, &text))
      return false;
  }
  if (out->items[0][0]) return true;
  asy_raise(vm, ASY_ValueError, "%s%s first element cannot be empty", function, where);
  return false;
}

static bool environment_of(asy_vm *vm, asy_value v, const char *function, texts *out) {
  asy_dict *env = asy_dict_new(vm, 32);
  if (!env) return false;
  if (!asy_is_kind(v, KIND_DICT) && asy_failed(asy_get_attr_cstr(vm, v, "keys"))) {
    asy_clear_exception(vm);
    asy_raise(vm, ASY_TypeError, "%s: environment must be a mapping object", function);
    return false;
  }
  if (!asy_dict_merge(vm, env, v, true) || !texts_new(vm, env->used, out)) return false;
  uint32_t position = 0;
  size_t n = 0;
  asy_value key, value;
  while (asy_dict_next(env, &position, &key, &value)) {
    posix_path name, content;
    if (!posix_path_of(vm, key, function, "name", PATH_ONLY, &name) ||
        !posix_path_of(vm, value, function, "value", PATH_ONLY, &content))
      return false;
    if (!*name.name || strchr(name.name + 1, '='))
      return asy_raise(vm, ASY_ValueError, "illegal environment variable name"), false;
    size_t name_length = strlen(name.name), length = name_length + 1 + strlen(content.name);
    asy_bytes *line = asy_bytes_new(vm, NULL, length);
    if (!line) return false;
    memcpy(line->data, name.name, name_length);
    line->data[name_length] = '=';
    memcpy(line->data + name_length + 1, content.name, length - name_length - 1);
    posix_path text = {.name = (const char *)line->data, .keep = asy_from_obj(line)};
    if (!texts_put(vm, out, n++, &text)) return false;
  }
  return true;
}

static asy_value p_execv(asy_vm *vm, const asy_value *args) {
  posix_path path;
  texts argv = {0};
  if (!posix_path_of(vm, args[0], "execv", "path", PATH_ONLY, &path)) return ASY_FAILED;
  if (arguments_of(vm, args[1], "execv", &argv)) {
    execv(path.name, argv.items);
    posix_error(vm);
  }
  free(argv.items);
  return ASY_FAILED;
}

static asy_value p_execve(asy_vm *vm, const asy_value *args) {
  posix_path path;
  texts argv = {0}, env = {0};
  if (!posix_path_of(vm, args[0], "execve", "path", PATH_FD, &path)) return ASY_FAILED;
  if (arguments_of(vm, args[1], "execve", &argv) && environment_of(vm, args[2], "execve", &env)) {
    if (path.name) execve(path.name, argv.items, env.items);
    else fexecve(path.fd, argv.items, env.items);
    posix_path_error(vm, &path);
  }
  free(argv.items);
  free(env.items);
  return ASY_FAILED;
}

typedef struct {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  short flags;
} spawning;

static bool add_action(asy_vm *vm, spawning *s, asy_value item, asy_list *keep) {
  const asy_tuple *t = asy_is_kind(item, KIND_TUPLE) ? (const asy_tuple *)asy_obj_of(item) : NULL;
  static const uint32_t lengths[] = {5, 2, 3, 2}; /* open, close, dup2, closefrom */
  int what = -1, fd, other;
  if (!t || !t->len) return asy_raise(vm, ASY_TypeError, "Each file_actions element must be a non-empty tuple"), false;
  if (!posix_int(vm, t->items[0], &what)) return false;
  if (what < 0 || what > 3) return asy_raise(vm, ASY_TypeError, "Unknown file_actions identifier"), false;
  if (t->len != lengths[what])
    return asy_raise(vm, ASY_TypeError, "A file_actions tuple of this kind must have %u elements", lengths[what]),
           false;
  if (!posix_int(vm, t->items[1], &fd)) return false;
  int error = 0;
  if (what == 0) {
    posix_path path;
    int flags, mode;
    if (!posix_path_of(vm, t->items[2], "posix_spawn", "path", PATH_ONLY, &path) ||
        !posix_int(vm, t->items[3], &flags) || !posix_int(vm, t->items[4], &mode) ||
        !asy_list_append(vm, keep, path.keep))
      return false;
    error = posix_spawn_file_actions_addopen(&s->actions, fd, path.name, flags, (mode_t)mode);
  } else if (what == 1) {
    error = posix_spawn_file_actions_addclose(&s->actions, fd);
  } else if (what == 2) {
    if (!posix_int(vm, t->items[2], &other)) return false;
    error = posix_spawn_file_actions_adddup2(&s->actions, fd, other);
  } else {
    error = posix_spawn_file_actions_addclosefrom_np(&s->actions, fd);
  }
  if (error) asy_raise_errno(vm, error, ASY_UNBOUND);
  return !error;
}

static bool add_actions(asy_vm *vm, spawning *s, asy_value v, asy_list *keep) {
  if (v == ASY_NONE) return true;
  asy_list *actions = asy_list_from_iterable(vm, v);
  if (!actions) return false;
  for (uint32_t i = 0; i < actions->len; i++)
    if (!add_action(vm, s, actions->items[i], keep)) return false;
  return true;
}

static bool signal_set(asy_vm *vm, asy_value v, sigset_t *out) {
  asy_list *signals = asy_list_from_iterable(vm, v);
  if (!signals) return false;
  sigemptyset(out);
  for (uint32_t i = 0; i < signals->len; i++) {
    int number;
    if (!posix_int(vm, signals->items[i], &number)) return false;
    if (sigaddset(out, number))
      return asy_raise(vm, ASY_ValueError, "signal number %d out of range [1; %d]", number, NSIG - 1), false;
  }
  return true;
}

/* The keyword arguments: setpgroup, resetids, setsid, setsigmask, setsigdef, scheduler. */
static bool set_attributes(asy_vm *vm, spawning *s, const asy_value *args) {
  bool session;
  int group, reset;
  sigset_t set;
  if (args[0] != ASY_NONE) {
    if (!posix_int(vm, args[0], &group)) return false;
    posix_spawnattr_setpgroup(&s->attributes, group);
    s->flags |= POSIX_SPAWN_SETPGROUP;
  }
  if (!posix_int(vm, args[1], &reset) || !posix_flag(vm, args[2], &session)) return false;
  if (reset) s->flags |= POSIX_SPAWN_RESETIDS;
  if (session) s->flags |= POSIX_SPAWN_SETSID;
  if (args[3] != ASY_NONE) {
    if (!signal_set(vm, args[3], &set)) return false;
    posix_spawnattr_setsigmask(&s->attributes, &set);
    s->flags |= POSIX_SPAWN_SETSIGMASK;
  }
  if (args[4] != ASY_NONE) {
    if (!signal_set(vm, args[4], &set)) return false;
    posix_spawnattr_setsigdefault(&s->attributes, &set);
    s->flags |= POSIX_SPAWN_SETSIGDEF;
  }
  if (args[5] != ASY_NONE) {
    const asy_tuple *pair = asy_is_kind(args[5], KIND_TUPLE) ? (const asy_tuple *)asy_obj_of(args[5]) : NULL;
    struct sched_param param;
    int policy;
    if (!pair || pair->len != 2) return asy_raise(vm, ASY_TypeError, "A scheduler tuple must have two elements"), false;
    asy_value priority = asy_get_attr_cstr(vm, pair->items[1], "sched_priority");
    if (asy_failed(priority) || !posix_int(vm, priority, &param.sched_priority)) return false;
    posix_spawnattr_setschedparam(&s->attributes, &param);
    s->flags |= POSIX_SPAWN_SETSCHEDPARAM;
    if (pair->items[0] != ASY_NONE) {
      if (!posix_int(vm, pair->items[0], &policy)) return false;
      posix_spawnattr_setschedpolicy(&s->attributes, policy);
      s->flags |= POSIX_SPAWN_SETSCHEDULER;
    }
  }
  posix_spawnattr_setflags(&s->attributes, s->flags);
  return true;
}

/* (path, argv, env, /, *, file_actions=(), setpgroup, resetids, setsid, setsigmask, setsigdef, scheduler) */
static asy_value do_spawn(asy_vm *vm, const asy_value *args, const char *function, bool search) {
  posix_path path;
  texts argv = {0}, env = {0};
  spawning s = {0};
  pid_t pid = -1;
  asy_list *keep = asy_list_new(vm, 0);
  if (!keep || !posix_path_of(vm, args[0], function, "path", PATH_ONLY, &path)) return ASY_FAILED;
  posix_spawn_file_actions_init(&s.actions);
  posix_spawnattr_init(&s.attributes);
  bool good = arguments_of(vm, args[1], function, &argv) &&
              (args[2] == ASY_NONE || environment_of(vm, args[2], function, &env)) &&
              add_actions(vm, &s, args[3], keep) && set_attributes(vm, &s, args + 4);
  if (good) {
    int error = (search ? posix_spawnp : posix_spawn)(&pid, path.name, &s.actions, &s.attributes, argv.items,
                                                      env.items ? env.items : environ);
    if (error) good = false, asy_raise_errno(vm, error, path.given);
  }
  posix_spawn_file_actions_destroy(&s.actions);
  posix_spawnattr_destroy(&s.attributes);
  free(argv.items);
  free(env.items);
  return good ? asy_from_small(pid) : ASY_FAILED;
}
static asy_value p_posix_spawn(asy_vm *vm, const asy_value *args) { return do_spawn(vm, args, "posix_spawn", false); }
static asy_value p_posix_spawnp(asy_vm *vm, const asy_value *args) { return do_spawn(vm, args, "posix_spawnp", true); }

/* As libc's system(), with the other threads running meanwhile. */
static asy_value p_system(asy_vm *vm, const asy_value *args) {
  posix_path command;
  if (!posix_path_of(vm, args[0], "system", "command", PATH_ONLY, &command)) return ASY_FAILED;
  asy_thread *self = asy_thread_release(vm);
  int status = system(command.name);
  asy_thread_acquire(vm, self);
  return asy_check_signals(vm) ? asy_from_small(status) : ASY_FAILED;
}

/* ---- wait ---- */

static asy_value pid_and_status(asy_vm *vm, pid_t pid, int status) {
  return pid < 0 ? posix_error(vm) : asy_tuple_of(vm, 2, asy_from_small(pid), asy_from_small(status));
}
static asy_value p_wait(asy_vm *vm, const asy_value *args) {
  int status = 0;
  pid_t pid;
  POSIX_WAIT(vm, pid, wait(&status));
  return pid_and_status(vm, pid, status);
}
static asy_value p_waitpid(asy_vm *vm, const asy_value *args) {
  int wanted, options, status = 0;
  pid_t pid;
  if (!posix_int(vm, args[0], &wanted) || !posix_int(vm, args[1], &options)) return ASY_FAILED;
  POSIX_WAIT(vm, pid, waitpid(wanted, &status, options));
  return pid_and_status(vm, pid, status);
}

static asy_value wait_usage(asy_vm *vm, int wanted, int options) {
  int status = 0;
  pid_t pid;
  struct rusage usage = {0};
  POSIX_WAIT(vm, pid, wait4(wanted, &status, options, &usage));
  if (pid < 0) return posix_error(vm);
  asy_value record = posix_rusage_value(vm, &usage);
  if (asy_failed(record)) return ASY_FAILED;
  return asy_tuple_of(vm, 3, asy_from_small(pid), asy_from_small(status), record);
}
static asy_value p_wait3(asy_vm *vm, const asy_value *args) {
  int options;
  return posix_int(vm, args[0], &options) ? wait_usage(vm, -1, options) : ASY_FAILED;
}
static asy_value p_wait4(asy_vm *vm, const asy_value *args) {
  int pid, options;
  if (!posix_int(vm, args[0], &pid) || !posix_int(vm, args[1], &options)) return ASY_FAILED;
  return wait_usage(vm, pid, options);
}

static const asy_member waitid_fields[] = {
  {"si_pid", ASY_RECORD(0), MEMBER_VALUE, false},   {"si_uid", ASY_RECORD(1), MEMBER_VALUE, false},
  {"si_signo", ASY_RECORD(2), MEMBER_VALUE, false}, {"si_status", ASY_RECORD(3), MEMBER_VALUE, false},
  {"si_code", ASY_RECORD(4), MEMBER_VALUE, false},  {0},
};
static asy_value p_waitid(asy_vm *vm, const asy_value *args) {
  int kind, id, options, rc;
  siginfo_t info = {0};
  if (!posix_int(vm, args[0], &kind) || !posix_int(vm, args[1], &id) || !posix_int(vm, args[2], &options))
    return ASY_FAILED;
  POSIX_WAIT(vm, rc, waitid((idtype_t)kind, (id_t)id, &info, options));
  if (rc) return posix_error(vm);
  if (!info.si_pid) return ASY_NONE;
  const int parts[] = {info.si_pid, (int)info.si_uid, info.si_signo, info.si_status, info.si_code};
  asy_value items[5];
  for (int i = 0; i < 5; i++) items[i] = asy_from_small(parts[i]);
  asy_class *cls = asy_define_record(vm, "posix.waitid_result", waitid_fields);
  return cls ? asy_record_new(vm, cls, items) : ASY_FAILED;
}

/* ---- Times ---- */

static const asy_member times_fields[] = {
  {"user", ASY_RECORD(0), MEMBER_VALUE, false},          {"system", ASY_RECORD(1), MEMBER_VALUE, false},
  {"children_user", ASY_RECORD(2), MEMBER_VALUE, false}, {"children_system", ASY_RECORD(3), MEMBER_VALUE, false},
  {"elapsed", ASY_RECORD(4), MEMBER_VALUE, false},       {0},
};

static double hundredths(const struct timeval *t) { return (double)(t->tv_sec * 100 + t->tv_usec / 10000) / 100; }

static asy_value p_times(asy_vm *vm, const asy_value *args) {
  struct rusage own, children;
  if (!asy_usage(vm, RUSAGE_SELF, &own) || !asy_usage(vm, RUSAGE_CHILDREN, &children)) return posix_error(vm);
  const double parts[] = {hundredths(&own.ru_utime), hundredths(&own.ru_stime), hundredths(&children.ru_utime),
                          hundredths(&children.ru_stime),
                          (double)(asy_clock_ns(vm, ASY_CLOCK_MONOTONIC) / 10000000) / 100};
  asy_value items[5];
  for (int i = 0; i < 5; i++) items[i] = asy_from_double(vm, parts[i]);
  asy_class *cls = asy_define_record(vm, "posix.times_result", times_fields);
  return cls ? asy_record_new(vm, cls, items) : ASY_FAILED;
}

/* ---- Scheduling ---- */

static asy_value p_nice(asy_vm *vm, const asy_value *args) {
  int increment;
  if (!posix_int(vm, args[0], &increment)) return ASY_FAILED;
  errno = 0;
  int value = nice(increment);
  return value == -1 && errno ? posix_error(vm) : asy_from_small(value);
}
static asy_value p_getpriority(asy_vm *vm, const asy_value *args) {
  int which, who;
  if (!posix_int(vm, args[0], &which) || !posix_int(vm, args[1], &who)) return ASY_FAILED;
  errno = 0;
  int value = getpriority((__priority_which_t)which, (id_t)who);
  return value == -1 && errno ? posix_error(vm) : asy_from_small(value);
}
static asy_value p_setpriority(asy_vm *vm, const asy_value *args) {
  int which, who, priority;
  if (!posix_int(vm, args[0], &which) || !posix_int(vm, args[1], &who) || !posix_int(vm, args[2], &priority))
    return ASY_FAILED;
  return posix_done(vm, setpriority((__priority_which_t)which, (id_t)who, priority));
}

static asy_value p_sched_yield(asy_vm *vm, const asy_value *args) {
  asy_thread *self = asy_thread_release(vm);
  int rc = sched_yield();
  asy_thread_acquire(vm, self);
  return posix_done(vm, rc);
}
static asy_value p_sched_get_priority_max(asy_vm *vm, const asy_value *args) {
  int policy;
  return posix_int(vm, args[0], &policy) ? posix_number(vm, sched_get_priority_max(policy)) : ASY_FAILED;
}
static asy_value p_sched_get_priority_min(asy_vm *vm, const asy_value *args) {
  int policy;
  return posix_int(vm, args[0], &policy) ? posix_number(vm, sched_get_priority_min(policy)) : ASY_FAILED;
}
static asy_value p_sched_getscheduler(asy_vm *vm, const asy_value *args) {
  int pid;
  return posix_int(vm, args[0], &pid) ? posix_number(vm, sched_getscheduler(pid)) : ASY_FAILED;
}
static asy_value p_sched_rr_get_interval(asy_vm *vm, const asy_value *args) {
  int pid;
  struct timespec t;
  if (!posix_int(vm, args[0], &pid)) return ASY_FAILED;
  if (sched_rr_get_interval(pid, &t)) return posix_error(vm);
  return asy_from_double(vm, (double)t.tv_sec + 1e-9 * (double)t.tv_nsec);
}

static const asy_member sched_fields[] = {{"sched_priority", ASY_RECORD(0), MEMBER_VALUE, false}, {0}};

static asy_value p_sched_getparam(asy_vm *vm, const asy_value *args) {
  int pid;
  struct sched_param param;
  if (!posix_int(vm, args[0], &pid)) return ASY_FAILED;
  if (sched_getparam(pid, &param)) return posix_error(vm);
  asy_class *cls = asy_define_record(vm, "posix.sched_param", sched_fields);
  asy_value priority = asy_from_small(param.sched_priority);
  return cls ? asy_record_new(vm, cls, &priority) : ASY_FAILED;
}
static bool sched_param_of(asy_vm *vm, asy_value v, struct sched_param *out) {
  const asy_class *cls = asy_define_record(vm, "posix.sched_param", sched_fields);
  if (!cls) return false;
  if (!asy_is_instance(vm, v, cls)) return asy_raise(vm, ASY_TypeError, "must have a sched_param object"), false;
  return posix_int(vm, ((const asy_tuple *)asy_obj_of(v))->items[0], &out->sched_priority);
}
static asy_value p_sched_setparam(asy_vm *vm, const asy_value *args) {
  int pid;
  struct sched_param param;
  if (!posix_int(vm, args[0], &pid) || !sched_param_of(vm, args[1], &param)) return ASY_FAILED;
  return posix_done(vm, sched_setparam(pid, &param));
}
static asy_value p_sched_setscheduler(asy_vm *vm, const asy_value *args) {
  int pid, policy;
  struct sched_param param;
  if (!posix_int(vm, args[0], &pid) || !posix_int(vm, args[1], &policy) || !sched_param_of(vm, args[2], &param))
    return ASY_FAILED;
  return posix_done(vm, sched_setscheduler(pid, policy, &param));
}

static asy_value p_sched_getaffinity(asy_vm *vm, const asy_value *args) {
  int pid;
  cpu_set_t cpus;
  if (!posix_int(vm, args[0], &pid)) return ASY_FAILED;
  if (sched_getaffinity(pid, sizeof cpus, &cpus)) return posix_error(vm);
  asy_set *set = asy_set_new(vm, KIND_SET);
  for (int i = 0; set && i < CPU_SETSIZE; i++)
    if (CPU_ISSET(i, &cpus) && asy_set_add(vm, set, asy_from_small(i)) < 0) set = NULL;
  return set ? asy_from_obj(set) : ASY_FAILED;
}
static asy_value p_sched_setaffinity(asy_vm *vm, const asy_value *args) {
  int pid;
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  asy_list *list = asy_list_from_iterable(vm, args[1]);
  if (!list || !posix_int(vm, args[0], &pid)) return ASY_FAILED;
  for (uint32_t i = 0; i < list->len; i++) {
    int cpu;
    if (!posix_int(vm, list->items[i], &cpu)) return ASY_FAILED;
    if (cpu < 0) return asy_raise(vm, ASY_ValueError, "negative CPU number");
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);
  }
  return posix_done(vm, sched_setaffinity(pid, sizeof cpus, &cpus));
}

static asy_value p_unshare(asy_vm *vm, const asy_value *args) {
  int flags;
  return posix_int(vm, args[0], &flags) ? posix_done(vm, unshare(flags)) : ASY_FAILED;
}
static asy_value p_setns(asy_vm *vm, const asy_value *args) {
  int fd, kind;
  if (!posix_fd_or_file(vm, args[0], &fd) || !posix_int(vm, args[1], &kind)) return ASY_FAILED;
  return posix_done(vm, setns(fd, kind));
}

#define SPAWN_SIGNATURE                                                                                                \
  SIG(                                                                                                                 \
    "(path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, setsigmask=None, "         \
    "setsigdef=None, scheduler=None)")

static const asy_native natives[] = {
#define X(name) {#name, SIG("()"), p_##name, 0, 0},
  NUMBERS(X) GET_THREE(X)
#undef X
#define X(name) {#name, SIG("(pid)"), p_##name, 0, 0},
    OF_PROCESS(X)
#undef X
#define X(name) {#name, SIG("(id, /)"), p_##name, 0, 0},
      SET_ID(X)
#undef X
#define X(name) {#name, SIG("(real, effective, /)"), p_##name, 0, 0},
        SET_TWO(X)
#undef X
#define X(name) {#name, SIG("(real, effective, saved, /)"), p_##name, 0, 0},
          SET_THREE(X)
#undef X
#define X(name) {#name, SIG("(status)"), p_##name, 0, 0},
            STATUS_FLAGS(X) STATUS_NUMBERS(X)
#undef X
              {"_exit", SIG("(status)"), p__exit,
               DOC("Exit to the system with specified status, without normal exit processing."), 0},
  {"abort", SIG("()"), p_abort, DOC("Abort the interpreter immediately."), 0},
  {"execv", SIG("(path, argv, /)"), p_execv,
   DOC("Execute an executable path with arguments, replacing current process."), 0},
  {"execve", SIG("(path, argv, env)"), p_execve, DOC("As execv, with an environment."), 0},
  {"fork", SIG("()"), p_fork, DOC("Fork a child process; 0 in the child, its pid in the parent."), 0},
  {"forkpty", SIG("()"), p_forkpty,
   DOC("Fork a child with a new pseudo-terminal as its controlling tty; (pid, master_fd)."), 0},
  {"getgrouplist", SIG("(user, group, /)"), p_getgrouplist, DOC("List of group ids to which a user belongs."), 0},
  {"getgroups", SIG("()"), p_getgroups, DOC("Return list of supplemental group IDs for the process."), 0},
  {"getlogin", SIG("()"), p_getlogin, DOC("Return the actual login name."), 0},
  {"getpriority", SIG("(which, who)"), p_getpriority, DOC("Return program scheduling priority."), 0},
  {"initgroups", SIG("(username, gid, /)"), p_initgroups, DOC("Initialize the group access list."), 0},
  {"kill", SIG("(pid, signal, /)"), p_kill, DOC("Kill a process with a signal."), 0},
  {"setsid", SIG("()"), p_setsid, DOC("Begin a session."), 0},
  {"killpg", SIG("(pgid, signal, /)"), p_killpg, DOC("Kill a process group with a signal."), 0},
  {"nice", SIG("(increment, /)"), p_nice, DOC("Add increment to the priority of process and return the new priority."),
   0},
  {"pidfd_open", SIG("(pid, flags=0)"), p_pidfd_open, DOC("Return a file descriptor referring to the process *pid*."),
   0},
  {"posix_spawn", SPAWN_SIGNATURE, p_posix_spawn, DOC("Execute the program specified by path in a new process."), 0},
  {"posix_spawnp", SPAWN_SIGNATURE, p_posix_spawnp, DOC("As posix_spawn; the program is searched along PATH."), 0},
  {"register_at_fork", SIG("(*, before=?, after_in_child=?, after_in_parent=?)"), p_register_at_fork,
   DOC("Register callables to be called when forking a new process."), 0},
  {"sched_get_priority_max", SIG("(policy)"), p_sched_get_priority_max,
   DOC("Get the maximum scheduling priority for policy."), 0},
  {"sched_get_priority_min", SIG("(policy)"), p_sched_get_priority_min,
   DOC("Get the minimum scheduling priority for policy."), 0},
  {"sched_getaffinity", SIG("(pid, /)"), p_sched_getaffinity, DOC("The set of CPUs the process may run on."), 0},
  {"sched_getparam", SIG("(pid, /)"), p_sched_getparam, DOC("Returns scheduling parameters for the process."), 0},
  {"sched_getscheduler", SIG("(pid, /)"), p_sched_getscheduler, DOC("Get the scheduling policy for the process."), 0},
  {"sched_rr_get_interval", SIG("(pid, /)"), p_sched_rr_get_interval, DOC("The round-robin quantum, in seconds."), 0},
  {"sched_setaffinity", SIG("(pid, mask, /)"), p_sched_setaffinity, DOC("Set the CPU affinity of the process."), 0},
  {"sched_setparam", SIG("(pid, param, /)"), p_sched_setparam, DOC("Set scheduling parameters for the process."), 0},
  {"sched_setscheduler", SIG("(pid, policy, param, /)"), p_sched_setscheduler, DOC("Set the scheduling policy."), 0},
  {"sched_yield", SIG("()"), p_sched_yield, DOC("Voluntarily relinquish the CPU."), 0},
  {"setgroups", SIG("(groups, /)"), p_setgroups, DOC("Set the groups of the current process to list."), 0},
  {"setns", SIG("(fd, nstype=0)"), p_setns, DOC("Move the calling thread into different namespaces."), 0},
  {"setpgid", SIG("(pid, pgrp, /)"), p_setpgid, DOC("Call the system call setpgid(pid, pgrp)."), 0},
  {"setpgrp", SIG("()"), p_setpgrp, DOC("Make the current process the leader of its process group."), 0},
  {"setpriority", SIG("(which, who, priority)"), p_setpriority, DOC("Set program scheduling priority."), 0},
  {"system", SIG("(command)"), p_system, DOC("Execute the command in a subshell; returns its wait status."), 0},
  {"times", SIG("()"), p_times, DOC("Process times: user, system, children's, elapsed."), 0},
  {"unshare", SIG("(flags)"), p_unshare, DOC("Disassociate parts of a process's execution context."), 0},
  {"wait", SIG("()"), p_wait, DOC("Wait for completion of a child process; (pid, status)."), 0},
  {"wait3", SIG("(options)"), p_wait3, DOC("As wait, with resource usage."), 0},
  {"wait4", SIG("(pid, options)"), p_wait4, DOC("As waitpid, with resource usage."), 0},
  {"waitid", SIG("(idtype, id, options, /)"), p_waitid, DOC("Wait for a child and tell what became of it."), 0},
  {"waitpid", SIG("(pid, options, /)"), p_waitpid, DOC("Wait for completion of a given child process; (pid, status)."),
   0},
  {"waitstatus_to_exitcode", SIG("(status)"), p_waitstatus_to_exitcode, DOC("Convert a wait status to an exit code."),
   0},
  {0},
};

bool posix_init_process(asy_vm *vm, asy_value module) {
  static const struct {
    const char *attribute, *name;
    const asy_member *fields;
  } records[] = {
    {"times_result", "posix.times_result", times_fields},
    {"waitid_result", "posix.waitid_result", waitid_fields},
    {"sched_param", "posix.sched_param", sched_fields},
  };
  for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
    asy_class *cls = asy_define_record(vm, records[i].name, records[i].fields);
    if (!cls || !asy_module_set(vm, module, records[i].attribute, asy_from_obj(cls))) return false;
  }
  static const char *const occasions[] = {"before", "after_in_child", "after_in_parent"};
  asy_dict *at_fork_lists = asy_dict_new(vm, 3);
  for (int i = 0; at_fork_lists && i < 3; i++) {
    asy_list *list = asy_list_new(vm, 0);
    asy_str *name = asy_intern(vm, occasions[i]);
    if (!list || !name || !asy_dict_set_str(vm, at_fork_lists, name, asy_from_obj(list))) return false;
  }
  return at_fork_lists && asy_module_set(vm, module, "_at_fork", asy_from_obj(at_fork_lists)) &&
         posix_add(vm, module, natives);
}
