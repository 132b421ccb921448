/* subprocess.c - the module _posixsubprocess: starting a program in a new process.
 *
 * Everything the child needs is made before the fork. The child then only makes system calls, so that it may share our memory
 * (vfork) until it has become the other program; only preexec_fn wants a real fork. What goes wrong there is written to a pipe as
 * "TYPE:ERRNO in hex:message", which subprocess.asy turns into the exception.
 * Must stay true: between fork and exec no allocation, no lock, no stdio.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/asy.h"

typedef struct {
  char **argv, **envp, **programs; /* each ends with NULL; envp NULL: ours */
  char **cwd;                      /* one text; NULL: ours */
  int *keep;                       /* descriptors that stay open */
  size_t nkeep;
  gid_t *groups;
  int ngroups;                        /* -1: as they are */
  int child_in, child_out, child_err; /* what becomes 0, 1, 2; -1: as it is */
  int ours[3];                        /* the parent's ends, closed in the child; -1 none */
  int report;                         /* where failures are told */
  int64_t group, gid, uid, umask;     /* -1: as they are */
  bool close_fds, restore_signals, new_session;
  asy_value preexec; /* None */
} plan;

/* ---- The child ------------------------------------------------------------------------------------------------------- */

static void tell(int fd, const char *text, size_t length) {
  while (length) {
    ssize_t n = write(fd, text, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text += n;
    length -= (size_t)n;
  }
}

static _Noreturn void fail(const plan *p, const char *message) {
  char text[64] = "OSError:", digits[16];
  size_t n = 0, length = strlen(text);
  for (unsigned error = (unsigned)errno; error || !n; error >>= 4) digits[n++] = "0123456789ABCDEF"[error & 15];
  while (n) text[length++] = digits[--n];
  text[length++] = ':';
  tell(p->report, text, length);
  tell(p->report, message, strlen(message));
  _exit(255);
}

/* `from` becomes descriptor `to`, open in the new program. */
static void place(const plan *p, int from, int to) {
  if (from < 0) return;
  if (from != to) {
    if (dup2(from, to) < 0) fail(p, "noexec");
    return;
  }
  int flags = fcntl(to, F_GETFD);
  if (flags < 0 || fcntl(to, F_SETFD, flags & ~FD_CLOEXEC) < 0) fail(p, "noexec");
}

/* Closes all descriptors above 2 that are not kept; the report pipe closes by itself at exec. */
static void close_others(const plan *p) {
  unsigned from = 3;
  for (size_t i = 0; i <= p->nkeep; i++) { /* keep is sorted, with the report pipe in it */
    unsigned to = i < p->nkeep ? (unsigned)p->keep[i] : ~0u;
    if (to > from && syscall(SYS_close_range, from, to - 1, 0) < 0) {
      long most = sysconf(_SC_OPEN_MAX);
      for (unsigned fd = from; fd < to && fd < (unsigned long)most; fd++) close((int)fd);
    }
    if (to >= from) from = to + 1;
    if (to == ~0u) return;
  }
}

static void keep_open(const plan *p) {
  for (size_t i = 0; i < p->nkeep; i++) {
    if (p->keep[i] == p->report) continue;
    int flags = fcntl(p->keep[i], F_GETFD);
    if (flags < 0 || fcntl(p->keep[i], F_SETFD, flags & ~FD_CLOEXEC) < 0) fail(p, "noexec");
  }
}

static void place_standard(plan *p) {
  for (int i = 0; i < 3; i++)
    if (p->ours[i] >= 0) close(p->ours[i]);
  /* What is to become a higher one must not be overwritten before. */
  if (p->child_out == 0 && (p->child_out = fcntl(p->child_out, F_DUPFD_CLOEXEC, 3)) < 0) fail(p, "noexec");
  while (p->child_err == 0 || p->child_err == 1)
    if ((p->child_err = fcntl(p->child_err, F_DUPFD_CLOEXEC, 3)) < 0) fail(p, "noexec");
  place(p, p->child_in, 0);
  place(p, p->child_out, 1);
  place(p, p->child_err, 2);
}

static void become(const plan *p) {
  if (p->cwd && chdir(p->cwd[0]) < 0) fail(p, "noexec:chdir");
  if (p->umask >= 0) umask((mode_t)p->umask);
  if (p->restore_signals) {
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
  }
  if (p->new_session) setsid();
  if (p->group >= 0 && setpgid(0, (pid_t)p->group) < 0) fail(p, "noexec");
  /* the system calls: libc's functions would change every thread of the parent when memory is shared */
  if (p->ngroups >= 0 && syscall(SYS_setgroups, (size_t)p->ngroups, p->groups) < 0) fail(p, "noexec");
  if (p->gid >= 0 && syscall(SYS_setresgid, (gid_t)p->gid, (gid_t)p->gid, -1) < 0) fail(p, "noexec");
  if (p->uid >= 0 && syscall(SYS_setresuid, (uid_t)p->uid, (uid_t)p->uid, -1) < 0) fail(p, "noexec");
}

static _Noreturn void execute(const plan *p) {
  int error = ENOENT;
  for (char **program = p->programs; *program; program++) {
    if (p->envp) execve(*program, p->argv, p->envp);
    else execv(*program, p->argv);
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
  }
  errno = error;
  fail(p, "");
}

static _Noreturn void run_child(asy_vm *vm, plan *p, const sigset_t *mask) {
  place_standard(p);
  keep_open(p);
  become(p);
  sigprocmask(SIG_SETMASK, mask, NULL);
  if (p->preexec != ASY_NONE && (!asy_after_fork(vm) || asy_failed(asy_call0(vm, p->preexec)))) {
    static const char text[] = "SubprocessError:0:Exception occurred in preexec_fn.";
    tell(p->report, text, sizeof text - 1);
    _exit(255);
  }
  if (p->close_fds) close_others(p);
  execute(p);
}

/* Handlers must not run in a child that shares our memory: what the program catches has its default effect there. */
static void default_handlers(void) {
  for (int i = 1; i < NSIG; i++) {
    struct sigaction now;
    if (sigaction(i, NULL, &now) || now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN) continue;
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigaction(i, &plain, NULL);
  }
}

static __attribute__((noinline)) pid_t start(asy_vm *vm, plan *p) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pid_t pid = p->preexec == ASY_NONE ? vfork() : fork();
  if (!pid) {
    if (p->preexec == ASY_NONE) default_handlers();
    run_child(vm, p, &before);
  }
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
  return pid;
}

/* ---- The plan -------------------------------------------------------------------------------------------------------- */

/* The bytes of a str or bytes object without NUL, as long as it and *keep live. NULL: an exception is set. */
static const char *to_text(asy_vm *vm, asy_value v, size_t *length, asy_value *keep) {
  const char *text = NULL;
  if (asy_is_str(v)) {
    text = asy_fs_encode(vm, (asy_str *)asy_obj_of(v), length, keep);
  } else if (asy_is_kind(v, KIND_BYTES)) {
    *length = ((asy_bytes *)asy_obj_of(v))->len;
    text = (const char *)((asy_bytes *)asy_obj_of(v))->data;
  } else {
    asy_raise(vm, ASY_TypeError, "expected str, bytes or os.PathLike object, not %T", v);
  }
  if (!text || !memchr(text, 0, *length)) return text;
  asy_raise(vm, ASY_ValueError, "embedded null byte");
  return NULL;
}

/* The texts of a sequence, ended by NULL: one malloc for all. NULL: an exception is set. */
static char **to_texts(asy_vm *vm, asy_value sequence) {
  asy_list *list = asy_list_new(vm, 0);
  if (!list || !asy_list_extend(vm, list, sequence)) return NULL;
  size_t total = (list->len + 1) * sizeof(char *), length;
  asy_value keep = 0;
  for (uint32_t i = 0; i < list->len; i++) {
    if (!to_text(vm, list->items[i], &length, &keep)) return NULL;
    total += length + 1;
  }
  char **texts = malloc(total);
  if (!texts) asy_raise_no_memory(vm);
  char *to = (char *)(texts + list->len + 1);
  for (uint32_t i = 0; texts && i < list->len; i++) {
    const char *text = to_text(vm, list->items[i], &length, &keep);
    if (!text) {
      free(texts);
      return NULL;
    }
    texts[i] = to;
    memcpy(to, text, length + 1);
    to += length + 1;
  }
  if (texts) texts[list->len] = NULL;
  return texts;
}

/* The ints of a sequence, malloc'ed. */
static int64_t *to_ints(asy_vm *vm, asy_value sequence, size_t *n) {
  asy_list *list = asy_list_new(vm, 0);
  if (!list || !asy_list_extend(vm, list, sequence)) return NULL;
  int64_t *ints = malloc((list->len + 1) * sizeof *ints);
  if (!ints) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  for (*n = 0; *n < list->len; ++*n)
    if (!asy_to_int64(vm, list->items[*n], &ints[*n])) {
      free(ints);
      return NULL;
    }
  return ints;
}

static int by_value(const void *a, const void *b) {
  return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

static bool read_kept(asy_vm *vm, asy_value sequence, plan *p) {
  int64_t *ints = to_ints(vm, sequence, &p->nkeep);
  p->keep = ints ? malloc((p->nkeep + 1) * sizeof *p->keep) : NULL;
  if (!p->keep) {
    if (ints) asy_raise_no_memory(vm);
    free(ints);
    return false;
  }
  for (size_t i = 0; i < p->nkeep; i++) p->keep[i] = (int)ints[i];
  p->keep[p->nkeep++] = p->report;
  qsort(p->keep, p->nkeep, sizeof *p->keep, by_value);
  free(ints);
  return true;
}

static bool read_groups(asy_vm *vm, asy_value sequence, plan *p) {
  p->ngroups = -1;
  if (sequence == ASY_NONE) return true;
  size_t n;
  int64_t *ints = to_ints(vm, sequence, &n);
  p->groups = ints ? malloc((n + 1) * sizeof *p->groups) : NULL;
  for (size_t i = 0; p->groups && i < n; i++) p->groups[i] = (gid_t)ints[i];
  if (ints && !p->groups) asy_raise_no_memory(vm);
  p->ngroups = (int)n;
  free(ints);
  return p->groups != NULL;
}

static bool to_id(asy_vm *vm, asy_value v, int64_t *out) {
  *out = -1;
  return v == ASY_NONE || asy_to_int64(vm, v, out);
}

static bool read_plan(asy_vm *vm, const asy_value *args, plan *p) {
  int64_t fds[8], mask;
  for (int i = 0; i < 8; i++)
    if (!asy_to_int64(vm, args[6 + i], &fds[i])) return false;
  p->child_in = (int)fds[0], p->ours[0] = (int)fds[1], p->ours[1] = (int)fds[2], p->child_out = (int)fds[3];
  p->ours[2] = (int)fds[4], p->child_err = (int)fds[5], p->report = (int)fds[7];
  int close_fds = asy_truth(vm, args[2]), restore = asy_truth(vm, args[14]), session = asy_truth(vm, args[15]);
  if (close_fds < 0 || restore < 0 || session < 0) return false;
  p->close_fds = close_fds, p->restore_signals = restore, p->new_session = session;
  p->preexec = args[21];
  if (!asy_to_int64(vm, args[16], &p->group) || !to_id(vm, args[17], &p->gid) || !to_id(vm, args[19], &p->uid) ||
      !asy_to_int64(vm, args[20], &mask))
    return false;
  p->umask = mask;
  asy_value folder = args[4];
  asy_list *one = folder == ASY_NONE ? NULL : asy_list_from(vm, &folder, 1);
  if (folder != ASY_NONE && !one) return false;
  return (!one || (p->cwd = to_texts(vm, asy_from_obj(one)))) && read_kept(vm, args[3], p) &&
         read_groups(vm, args[18], p) && (p->argv = to_texts(vm, args[0])) && (p->programs = to_texts(vm, args[1])) &&
         (args[5] == ASY_NONE || (p->envp = to_texts(vm, args[5])));
}

static void free_plan(plan *p) {
  free(p->argv);
  free(p->envp);
  free(p->programs);
  free(p->cwd);
  free(p->keep);
  free(p->groups);
}

static asy_value fork_exec(asy_vm *vm, const asy_value *args) {
  plan p = {.ngroups = -1};
  pid_t pid = -1;
  if (read_plan(vm, args, &p)) {
    pid = start(vm, &p);
    if (pid < 0) asy_raise_errno(vm, errno, ASY_UNBOUND);
  }
  free_plan(&p);
  return pid < 0 ? ASY_FAILED : asy_from_small(pid);
}

static const asy_native natives[] = {
  {"fork_exec",
   SIG(
     "(args, executable_list, close_fds, pass_fds, cwd, env, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, "
     "errpipe_read, errpipe_write, restore_signals, start_new_session, process_group, gid, extra_groups, uid, umask, "
     "preexec_fn, allow_vfork=True, /)"),
   fork_exec, DOC("Start a program in a new process; its pid."), 0},
  {0},
};

const asy_module_def asy_module_posixsubprocess = {"_posixsubprocess", natives, "Starting programs.", NULL};
