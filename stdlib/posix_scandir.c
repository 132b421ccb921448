/* posix_scandir.c - the entries of a folder: listdir, scandir, DirEntry.
 * An entry is what readdir said: name, inode, kind. Its path is joined when asked for, its stat_result is made once.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stdlib/posix.h"

typedef struct {
  asy_obj head;
  asy_value name;      /* a str or bytes */
  asy_value prefix;    /* of its path: the folder as given and a slash; ASY_NONE when that was a descriptor */
  asy_value path;      /* 0: not joined yet */
  asy_value status[2]; /* stat_result of a link itself, of what it points to; 0: not asked for yet */
  uint64_t inode;
  int dir;            /* AT_FDCWD, or the descriptor */
  unsigned char kind; /* DT_ */
} entry;

typedef struct {
  asy_obj head;
  DIR *stream; /* NULL once closed or exhausted */
  asy_value prefix;
  int dir;
  bool bytes;
} iterator;

static const asy_type entry_type, iterator_type;

/* ---- Reading ---- */

/* fdopendir takes the descriptor, the caller keeps his own. */
static DIR *open_fd(int fd) {
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  DIR *stream = copy < 0 ? NULL : fdopendir(copy);
  if (stream) rewinddir(stream);
  else if (copy >= 0) close(copy);
  return stream;
}

static DIR *open_path(asy_vm *vm, const posix_path *path) {
  asy_thread *self = asy_thread_release(vm);
  DIR *stream = path->name ? opendir(path->name) : open_fd(path->fd);
  asy_thread_acquire(vm, self);
  return stream;
}

static bool is_dots(const char *name) { return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])); }

/* The next entry but the dots; NULL at the end or, with errno, on failure. */
static const struct dirent *read_entry(DIR *stream) {
  const struct dirent *found;
  do {
    errno = 0;
    found = readdir(stream);
  } while (found && is_dots(found->d_name));
  return found;
}

static asy_value p_listdir(asy_vm *vm, const asy_value *args) {
  posix_path path;
  if (!posix_path_of(vm, args[0], "listdir", "path", PATH_FD | PATH_NONE, &path)) return ASY_FAILED;
  DIR *stream = open_path(vm, &path);
  if (!stream) return posix_path_error(vm, &path);
  asy_list *names = asy_list_new(vm, 0);
  const struct dirent *found = NULL;
  while (names && (found = read_entry(stream))) {
    asy_value name = posix_name_value(vm, path.bytes, found->d_name, strlen(found->d_name));
    if (asy_failed(name) || !asy_list_append(vm, names, name)) names = NULL;
  }
  int error = names ? errno : 0;
  closedir(stream);
  errno = error;
  return !names ? ASY_FAILED : error ? posix_path_error(vm, &path) : asy_from_obj(names);
}

/* ---- scandir ---- */

static iterator *iterator_of(asy_value v) { return (iterator *)asy_obj_of(v); }

static void iterator_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((iterator *)o)->prefix); }

static void iterator_end(iterator *it) {
  if (it->stream) closedir(it->stream);
  it->stream = NULL;
}
static void iterator_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  iterator_end((iterator *)o);
}

/* The folder's name as given and a slash. */
static asy_value prefix_of(asy_vm *vm, const posix_path *path) {
  if (!path->name) return ASY_NONE;
  size_t length = strlen(path->name);
  char *text = malloc(length + 2);
  if (!text) return asy_raise_no_memory(vm);
  memcpy(text, path->name, length);
  if (length && text[length - 1] != '/') text[length++] = '/';
  asy_value prefix = posix_name_value(vm, path->bytes, text, length);
  free(text);
  return prefix;
}

static asy_value p_scandir(asy_vm *vm, const asy_value *args) {
  posix_path path;
  if (!posix_path_of(vm, args[0], "scandir", "path", PATH_FD | PATH_NONE, &path)) return ASY_FAILED;
  asy_class *cls = asy_class_for(vm, &iterator_type);
  asy_value prefix = prefix_of(vm, &path);
  iterator *it = asy_failed(prefix) ? NULL : asy_new_instance(vm, cls);
  if (!it) return ASY_FAILED;
  it->prefix = prefix;
  it->dir = path.name ? AT_FDCWD : path.fd;
  it->bytes = path.bytes;
  it->stream = open_path(vm, &path);
  return it->stream ? asy_from_obj(it) : posix_path_error(vm, &path);
}

static asy_value iterator_next(asy_vm *vm, asy_value self) {
  iterator *it = iterator_of(self);
  if (!it->stream) return ASY_END;
  const struct dirent *found = read_entry(it->stream);
  if (!found) {
    int error = errno;
    iterator_end(it);
    return error ? asy_raise_errno(vm, error, ASY_UNBOUND) : ASY_END;
  }
  unsigned char kind = found->d_type;
  uint64_t inode = found->d_ino;
  asy_value name = posix_name_value(vm, it->bytes, found->d_name, strlen(found->d_name));
  entry *e = asy_failed(name) ? NULL : asy_new_instance(vm, asy_class_for(vm, &entry_type));
  if (!e) return ASY_FAILED;
  e->name = name;
  e->prefix = it->prefix;
  e->inode = inode;
  e->dir = it->dir;
  e->kind = kind;
  return asy_from_obj(e);
}

static asy_value iterator_self(asy_vm *vm, asy_value self) { return self; }
static asy_value iterator_enter(asy_vm *vm, const asy_value *args) { return args[0]; }
static asy_value iterator_close(asy_vm *vm, const asy_value *args) {
  iterator_end(iterator_of(args[0]));
  return ASY_NONE;
}

static const asy_native iterator_methods[] = {
  {"__enter__", SIG("(self, /)"), iterator_enter, 0, 0},
  {"__exit__", SIG("(self, /, *args)"), iterator_close, 0, 0},
  {"close", SIG("(self, /)"), iterator_close, DOC("Close the iterator and free its descriptor."), 0},
  {0},
};

static const asy_type iterator_type = {
  .name = "posix.ScandirIterator",
  .size = sizeof(iterator),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = iterator_visit,
  .free = iterator_free,
  .iter = iterator_self,
  .next = iterator_next,
  .methods = iterator_methods,
};

/* ---- DirEntry ---- */

static entry *entry_of(asy_value v) { return (entry *)asy_obj_of(v); }

static void entry_visit(asy_obj *o, asy_visitor *v) {
  entry *e = (entry *)o;
  asy_visit_value(v, e->name);
  asy_visit_value(v, e->prefix);
  asy_visit_value(v, e->path);
  asy_visit_values(v, e->status, 2);
}

static asy_value entry_path(asy_vm *vm, const asy_value *args) {
  entry *e = entry_of(args[0]);
  if (e->path) return e->path;
  asy_value path = e->prefix == ASY_NONE ? e->name : asy_binary(vm, BINARY_ADD, e->prefix, e->name);
  if (!asy_failed(path)) asy_store(vm, e, &e->path, path);
  return path;
}

static asy_value entry_status(asy_vm *vm, asy_value self, bool follows) {
  entry *e = entry_of(self);
  if (e->kind != DT_LNK && e->kind != DT_UNKNOWN) follows = true; /* the same: kept once */
  if (e->status[follows]) return e->status[follows];
  posix_path path;
  asy_value where = entry_path(vm, &self);
  struct stat status;
  int rc;
  if (asy_failed(where) || !posix_path_of(vm, where, "stat", "path", PATH_ONLY, &path)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, fstatat(e->dir, path.name, &status, follows ? 0 : AT_SYMLINK_NOFOLLOW));
  asy_value result = rc ? posix_path_error(vm, &path) : posix_stat_result(vm, &status);
  if (!asy_failed(result)) asy_store(vm, e, &e->status[follows], result);
  return result;
}

/* (self, /, *, follow_symlinks=True) */
static asy_value entry_stat(asy_vm *vm, const asy_value *args) {
  bool follows;
  return posix_flag(vm, args[1], &follows) ? entry_status(vm, args[0], follows) : ASY_FAILED;
}

/* Whether it is of this kind, by readdir's word where that suffices. */
static asy_value is_kind(asy_vm *vm, asy_value self, bool follows, unsigned char kind, mode_t mode) {
  const entry *e = entry_of(self);
  if (e->kind != DT_UNKNOWN && !(follows && e->kind == DT_LNK)) return asy_from_bool(e->kind == kind);
  asy_value status = entry_status(vm, self, follows);
  if (asy_failed(status)) {
    if (!asy_raised_is(vm, ASY_FileNotFoundError)) return ASY_FAILED;
    asy_clear_exception(vm);
    return ASY_FALSE;
  }
  return asy_from_bool(((mode_t)asy_small(((const asy_tuple *)asy_obj_of(status))->items[0]) & S_IFMT) == mode);
}

static asy_value entry_is_dir(asy_vm *vm, const asy_value *args) {
  bool follows;
  return posix_flag(vm, args[1], &follows) ? is_kind(vm, args[0], follows, DT_DIR, S_IFDIR) : ASY_FAILED;
}
static asy_value entry_is_file(asy_vm *vm, const asy_value *args) {
  bool follows;
  return posix_flag(vm, args[1], &follows) ? is_kind(vm, args[0], follows, DT_REG, S_IFREG) : ASY_FAILED;
}
static asy_value entry_is_symlink(asy_vm *vm, const asy_value *args) {
  return is_kind(vm, args[0], false, DT_LNK, S_IFLNK);
}
static asy_value entry_is_junction(asy_vm *vm, const asy_value *args) { return ASY_FALSE; }
static asy_value entry_inode(asy_vm *vm, const asy_value *args) {
  return asy_from_uint64(vm, entry_of(args[0])->inode);
}

static asy_value entry_repr(asy_vm *vm, asy_value self) {
  asy_str *text = asy_str_format(vm, "<DirEntry %R>", entry_of(self)->name);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static const asy_native entry_methods[] = {
  {"path", SIG("(self)"), entry_path, DOC("The entry's full path: what scandir was given, joined with the name."),
   ASY_NATIVE_GETTER},
  {"__fspath__", SIG("(self, /)"), entry_path, DOC("Returns the path for the entry."), 0},
  {"inode", SIG("(self, /)"), entry_inode, DOC("Return inode of the entry; cached per entry."), 0},
  {"is_dir", SIG("(self, /, *, follow_symlinks=True)"), entry_is_dir, DOC("Whether the entry is a directory; cached."),
   0},
  {"is_file", SIG("(self, /, *, follow_symlinks=True)"), entry_is_file, DOC("Whether the entry is a file; cached."), 0},
  {"is_junction", SIG("(self, /)"), entry_is_junction, DOC("False: there are junctions on Windows only."), 0},
  {"is_symlink", SIG("(self, /)"), entry_is_symlink, DOC("Whether the entry is a symbolic link; cached."), 0},
  {"stat", SIG("(self, /, *, follow_symlinks=True)"), entry_stat,
   DOC("Return stat_result object for the entry; cached."), 0},
  {0},
};

static const asy_member entry_members[] = {
  {"name", offsetof(entry, name), MEMBER_VALUE, false},
  {0},
};

static const asy_type entry_type = {
  .name = "posix.DirEntry",
  .size = sizeof(entry),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = entry_visit,
  .repr = entry_repr,
  .methods = entry_methods,
  .members = entry_members,
};

static const asy_native natives[] = {
  {"listdir", SIG("(path=None)"), p_listdir, DOC("A list of the names of the files in the directory."), 0},
  {"scandir", SIG("(path=None)"), p_scandir, DOC("An iterator of DirEntry objects for the directory."), 0},
  {0},
};

bool posix_init_scandir(asy_vm *vm, asy_value module) {
  return asy_module_add_type(vm, module, "DirEntry", &entry_type) && asy_define_type(vm, &iterator_type) &&
         posix_add(vm, module, natives);
}
