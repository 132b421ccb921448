/* mmap.c - the module _mmap: memory that stands for a file, as mmap.asy needs it.
 *
 * `Map` is the memory and its buffer; everything that can be said in script (positions, items, limits of access) is the script's.
 * Whoever holds a view of the memory keeps it where it is: `exports` counts them, and unmapping and resizing are refused meanwhile. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/asy.h"

typedef struct {
  asy_obj head;
  uint8_t *data; /* NULL: closed */
  size_t len;
  uint32_t exports;
  bool readonly;
} map;

static map *map_of(asy_value v) { return (map *)asy_obj_of(v); }
static asy_value fail(asy_vm *vm) { return asy_raise_errno(vm, errno, ASY_UNBOUND); }

static void map_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  map *m = (map *)o;
  if (m->data) munmap(m->data, m->len);
}

/* (cls, fd, length, flags, prot, offset); fd -1: memory of no file. */
static asy_value map_new(asy_vm *vm, const asy_value *args) {
  int fd, flags, prot;
  int64_t length, offset;
  if (!asy_to_int(vm, args[1], INT32_MIN, INT32_MAX, &fd) || !asy_to_int64(vm, args[2], &length) ||
      !asy_to_int(vm, args[3], INT32_MIN, INT32_MAX, &flags) || !asy_to_int(vm, args[4], INT32_MIN, INT32_MAX, &prot) ||
      !asy_to_int64(vm, args[5], &offset))
    return ASY_FAILED;
  map *m = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!m) return ASY_FAILED;
  void *data = mmap(NULL, (size_t)length, prot, flags, fd, (off_t)offset);
  if (data == MAP_FAILED) return fail(vm);
  m->head.flags |= ASY_EXPORTS_BUFFER;
  m->data = data;
  m->len = (size_t)length;
  m->readonly = !(prot & PROT_WRITE);
  return asy_from_obj(m);
}

static bool check_open(asy_vm *vm, const map *m) {
  return m->data || (asy_raise(vm, ASY_ValueError, "mmap closed or invalid"), false);
}

static bool check_unused(asy_vm *vm, map *m, const char *text) {
  if (!m->exports) return true;
  asy_collect_views(vm, &m->head); /* a view that is garbage may hold it */
  return !m->exports || (asy_raise(vm, ASY_BufferError, "%s", text), false);
}

static bool map_get_buffer(asy_vm *vm, asy_value self, asy_buffer *out) {
  map *m = map_of(self);
  if (!check_open(vm, m)) return false;
  m->exports++;
  *out = (asy_buffer){.data = m->data, .len = m->len, .owner = self, .writable = !m->readonly};
  return true;
}

static void map_release_buffer(asy_value self) { map_of(self)->exports--; }

static int64_t map_length(asy_vm *vm, asy_value self) {
  map *m = map_of(self);
  return check_open(vm, m) ? (int64_t)m->len : -1;
}

static asy_value map_closed(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return map_of(args[0])->data ? ASY_FALSE : ASY_TRUE;
}

static asy_value map_close(asy_vm *vm, const asy_value *args) {
  map *m = map_of(args[0]);
  if (!m->data) return ASY_NONE;
  if (!check_unused(vm, m, "cannot close exported pointers exist")) return ASY_FAILED;
  munmap(m->data, m->len);
  m->data = NULL;
  return ASY_NONE;
}

static asy_value map_resize(asy_vm *vm, const asy_value *args) {
  map *m = map_of(args[0]);
  int64_t length;
  if (!asy_to_int64(vm, args[1], &length) || !check_open(vm, m) ||
      !check_unused(vm, m, "mmap can't resize with extant buffers exported."))
    return ASY_FAILED;
  void *moved = mremap(m->data, m->len, (size_t)length, MREMAP_MAYMOVE);
  if (moved == MAP_FAILED) return fail(vm);
  m->data = moved;
  m->len = (size_t)length;
  return ASY_NONE;
}

/* offset and length lie inside the memory: the script looks at them. */
static asy_value map_sync(asy_vm *vm, const asy_value *args) {
  map *m = map_of(args[0]);
  int64_t offset, length;
  if (!asy_to_int64(vm, args[1], &offset) || !asy_to_int64(vm, args[2], &length) || !check_open(vm, m))
    return ASY_FAILED;
  return msync(m->data + offset, (size_t)length, MS_SYNC) < 0 ? fail(vm) : ASY_NONE;
}

static asy_value map_advise(asy_vm *vm, const asy_value *args) {
  map *m = map_of(args[0]);
  int advice;
  int64_t start, length;
  if (!asy_to_int(vm, args[1], INT32_MIN, INT32_MAX, &advice) || !asy_to_int64(vm, args[2], &start) ||
      !asy_to_int64(vm, args[3], &length) || !check_open(vm, m))
    return ASY_FAILED;
  return madvise(m->data + start, (size_t)length, advice) < 0 ? fail(vm) : ASY_NONE;
}

/* search(text, start, end, backwards): the place of text inside, -1 when it is not there. */
static asy_value map_search(asy_vm *vm, const asy_value *args) {
  map *m = map_of(args[0]);
  int64_t start, end, found = -1;
  int backwards = asy_truth(vm, args[4]);
  asy_buffer b;
  if (backwards < 0 || !asy_to_int64(vm, args[2], &start) || !asy_to_int64(vm, args[3], &end) ||
      !asy_buffer_get(vm, args[1], &b))
    return ASY_FAILED;
  if (!m->data || end > (int64_t)m->len) end = start; /* closed or shorter meanwhile */
  if (!backwards && start <= end && m->data) {
    uint8_t *at = memmem(m->data + start, (size_t)(end - start), b.data, b.len);
    found = at ? at - m->data : -1;
  }
  for (int64_t at = end - (int64_t)b.len; backwards && m->data && at >= start && found < 0; at--)
    if (!memcmp(m->data + at, b.data, b.len)) found = at;
  asy_buffer_release(vm, &b);
  return asy_from_small(found);
}

static const asy_native map_methods[] = {
  {"_advise", SIG("(self, advice, start, length, /)"), map_advise, 0, 0},
  {"_resize", SIG("(self, length, /)"), map_resize, 0, 0},
  {"_search", SIG("(self, text, start, end, backwards, /)"), map_search, 0, 0},
  {"_sync", SIG("(self, offset, length, /)"), map_sync, 0, 0},
  {"close", SIG("(self, /)"), map_close, DOC("Unmap the memory."), 0},
  {"closed", SIG("(self, /)"), map_closed, 0, ASY_NATIVE_GETTER},
  {0},
};

const asy_type asy_map_memory_type = {
  .name = "_mmap.Map",
  .size = sizeof(map),
  .free = map_free,
  .new_ = map_new,
  .new_signature = SIG("(cls, fd, length, flags, prot, offset, /)"),
  .length = map_length,
  .special = &(const asy_special){.get_buffer = map_get_buffer, .release_buffer = map_release_buffer},
  .methods = map_methods,
};

static const asy_constants constants = CONSTANTS(
  "mmap", MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, MADV_REMOVE, MADV_DONTFORK,
  MADV_DOFORK, MADV_HWPOISON, MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP,
  MADV_DODUMP, MADV_FREE, MAP_SHARED, MAP_PRIVATE, MAP_ANON, MAP_ANONYMOUS, MAP_DENYWRITE, MAP_EXECUTABLE,
  MAP_NORESERVE, MAP_POPULATE, MAP_STACK, PROT_EXEC, PROT_READ, PROT_WRITE);

static bool mmap_init(asy_vm *vm, asy_value module) {
  asy_value page = asy_from_small(sysconf(_SC_PAGESIZE));
#ifdef MAP_32BIT
  if (!asy_module_set(vm, module, "MAP_32BIT", asy_from_small(MAP_32BIT))) return false;
#endif
  return asy_module_add_constants(vm, module, &constants) && asy_module_set(vm, module, "PAGESIZE", page) &&
         asy_module_add_type(vm, module, "Map", &asy_map_memory_type);
}

const asy_module_def asy_module__mmap = {"_mmap", NULL, "Memory that stands for a file.", mmap_init};
