/* ctypes.c - the module _foreign: raw memory, shared libraries, calls and callbacks by libffi, as ctypes/ needs them.
 *
 * Memory is given by its address; whose it is and whether it lives is the script's business. What a function takes and gives is said
 * by a spec: a letter as in CPython's `_type_` ("v": nothing), or a tuple of specs, a structure, whose value is its address.
 *
 * A call gives the VM up while it lasts. A callback takes it back: `calls` says, thread by thread, which call it comes out of. What
 * calls back from a thread that is in none gets zero.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include <wchar.h>

#include "runtime/asy.h"

/* ---- libffi, as far as it is needed (its ABI; the header need not be installed) ---- */

typedef struct ffi_type {
  size_t size; /* 0: a structure that libffi measures */
  unsigned short alignment, type;
  struct ffi_type **elements;
} ffi_type;

typedef struct { /* at least as large as the library's */
  _Alignas(16) char opaque[128];
} ffi_cif;

typedef void ffi_function(ffi_cif *cif, void *result, void **args, void *user);

enum { FFI_TYPE_STRUCT = 13, CLOSURE_SIZE = 128 };
#ifdef __x86_64__
enum { FFI_ABI = 2 };
#else
enum { FFI_ABI = 1 };
#endif

typedef struct { /* in the order of the names below */
  int (*prep_cif)(ffi_cif *, int abi, unsigned nargs, ffi_type *result, ffi_type **args);
  void (*call)(ffi_cif *, void *function, void *result, void **args);
  void *(*closure_alloc)(size_t size, void **code);
  void (*closure_free)(void *);
  int (*prep_closure_loc)(void *closure, ffi_cif *, ffi_function *, void *user, void *code);
  ffi_type *none, *u8, *s8, *u16, *s16, *u32, *s32, *u64, *s64, *f32, *f64, *long_double, *pointer;
} ffi_library;

static const asy_library library = {
  "libffi.so.8", "libffi8", "ffi_*",
  "prep_cif\0call\0closure_alloc\0closure_free\0prep_closure_loc\0type_void\0type_uint8\0type_sint8\0type_uint16\0type_"
  "sint16\0"
  "type_uint32\0type_sint32\0type_uint64\0type_sint64\0type_float\0type_double\0type_longdouble\0type_pointer\0",
  sizeof(ffi_library)};

/* ---- Values in memory ---- */

static bool address_of(asy_vm *vm, asy_value v, void **out) {
  asy_value number = asy_index(vm, v);
  if (asy_failed(number)) return false;
  *out = (void *)(uintptr_t)asy_int_mask64(number);
  return true;
}

static asy_value from_address(asy_vm *vm, const void *p) { return asy_from_uint64(vm, (uintptr_t)p); }

static int code_of(asy_value spec) {
  return asy_is_str(spec) && ((asy_str *)asy_obj_of(spec))->len == 1 ? (int)asy_str_at((asy_str *)asy_obj_of(spec), 0)
                                                                     : 0;
}

static asy_value load(asy_vm *vm, int code, const void *p) {
#define LOAD(letter, type, make)                                                                                       \
  case letter: {                                                                                                       \
    type x;                                                                                                            \
    memcpy(&x, p, sizeof x);                                                                                           \
    return make;                                                                                                       \
  }
  switch (code) {
    LOAD('?', uint8_t, asy_from_bool(x != 0))
    LOAD('c', uint8_t, asy_from_bytes(vm, &x, 1))
    LOAD('b', int8_t, asy_from_small(x))
    LOAD('B', uint8_t, asy_from_small(x))
    LOAD('h', int16_t, asy_from_small(x))
    LOAD('H', uint16_t, asy_from_small(x))
    LOAD('i', int32_t, asy_from_small(x))
    LOAD('I', uint32_t, asy_from_small(x))
    LOAD('l', int64_t, asy_from_int64(vm, x))
    LOAD('q', int64_t, asy_from_int64(vm, x))
    LOAD('L', uint64_t, asy_from_uint64(vm, x))
    LOAD('Q', uint64_t, asy_from_uint64(vm, x))
    LOAD('f', float, asy_from_double(vm, (double)x))
    LOAD('d', double, asy_from_double(vm, x))
    LOAD('g', long double, asy_from_double(vm, (double)x))
    LOAD('P', uint64_t, asy_from_uint64(vm, x))
    LOAD('v', uint8_t, ((void)x, ASY_NONE))
  }
#undef LOAD
  return asy_raise(vm, ASY_ValueError, "unknown code");
}

/* Writes `size` bytes of a number at most as wide as that; the rest of the word, when there is room for it, is its sign. */
static bool store(asy_vm *vm, int code, void *p, asy_value v, bool whole_word) {
  double d;
  size_t size = 0;
  switch (code) {
    case 'v': return true;
    case '?': {
      int truth = asy_truth(vm, v);
      if (truth >= 0) memset(p, 0, whole_word ? 8 : 1), *(uint8_t *)p = (uint8_t)truth;
      return truth >= 0;
    }
    case 'f':
      if (asy_to_double(vm, v, &d)) return memcpy(p, &(float){(float)d}, sizeof(float)), true;
      return false;
    case 'd':
      if (asy_to_double(vm, v, &d)) return memcpy(p, &d, sizeof d), true;
      return false;
    case 'g':
      if (asy_to_double(vm, v, &d)) return memcpy(p, &(long double){(long double)d}, sizeof(long double)), true;
      return false;
    case 'b':
    case 'B': size = 1; break;
    case 'h':
    case 'H': size = 2; break;
    case 'i':
    case 'I': size = 4; break;
    case 'l':
    case 'L':
    case 'q':
    case 'Q':
    case 'P': size = 8; break;
    default: asy_raise(vm, ASY_ValueError, "unknown code"); return false;
  }
  if (!asy_is_integer(v)) {
    asy_raise(vm, ASY_TypeError, "int expected instead of %T instance", v);
    return false;
  }
  uint64_t number = asy_int_mask64(v);
  memcpy(p, &number, whole_word ? 8 : size);
  return true;
}

static asy_value ct_get(asy_vm *vm, const asy_value *args) {
  void *p;
  return address_of(vm, args[0], &p) ? load(vm, code_of(args[1]), p) : ASY_FAILED;
}

static asy_value ct_set(asy_vm *vm, const asy_value *args) {
  void *p;
  return address_of(vm, args[0], &p) && store(vm, code_of(args[1]), p, args[2], false) ? ASY_NONE : ASY_FAILED;
}

static asy_value ct_read(asy_vm *vm, const asy_value *args) {
  void *p;
  int64_t size;
  if (!address_of(vm, args[0], &p) || !asy_to_int64(vm, args[1], &size)) return ASY_FAILED;
  if (size < 0 || size > INT32_MAX) return asy_raise_no_memory(vm);
  return asy_from_bytes(vm, p, (size_t)size);
}

static asy_value ct_write(asy_vm *vm, const asy_value *args) {
  void *p;
  asy_buffer b;
  if (!address_of(vm, args[0], &p) || !asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  memmove(p, b.data, b.len);
  asy_buffer_release(vm, &b);
  return ASY_NONE;
}

static asy_value ct_length(asy_vm *vm, const asy_value *args) {
  void *p;
  if (!address_of(vm, args[0], &p)) return ASY_FAILED;
  return asy_from_small((int64_t)(args[1] == ASY_TRUE ? wcslen(p) : strlen(p)));
}

/* ---- Instances: memory that may be looked at as bytes ---- */

typedef struct {
  asy_obj head;
  uint8_t *address;
  size_t size;
} data;

static asy_value data_new(asy_vm *vm, const asy_value *args) {
  data *d = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!d) return ASY_FAILED;
  d->head.flags |= ASY_EXPORTS_BUFFER;
  return asy_from_obj(d);
}

/* An __init__ is the script's business. */
static asy_value data_init(asy_vm *vm, const asy_value *args) {
  (void)vm, (void)args;
  return ASY_NONE;
}

static asy_value data_bind(asy_vm *vm, const asy_value *args) {
  data *d = (data *)asy_obj_of(args[0]);
  void *address;
  int64_t size;
  if (!address_of(vm, args[1], &address) || !asy_to_int64(vm, args[2], &size)) return ASY_FAILED;
  d->address = address;
  d->size = (size_t)size;
  return ASY_NONE;
}

static asy_value data_address(asy_vm *vm, const asy_value *args) {
  return from_address(vm, ((data *)asy_obj_of(args[0]))->address);
}

static bool data_get_buffer(asy_vm *vm, asy_value self, asy_buffer *out) {
  (void)vm;
  data *d = (data *)asy_obj_of(self);
  *out = (asy_buffer){.data = d->address, .len = d->size, .owner = self, .writable = true};
  return true;
}

static void data_release_buffer(asy_value self) { (void)self; }

static const asy_native data_methods[] = {
  {"_b_address_", SIG("(self, /)"), data_address, 0, ASY_NATIVE_GETTER},
  {"_bind", SIG("(self, address, size, /)"), data_bind, 0, 0},
  {0},
};
const asy_type asy_ctypes_data_type = {
  .name = "_foreign._Data",
  .size = sizeof(data),
  .new_ = data_new,
  .new_signature = SIG("(cls, /, *args, **kwargs)"),
  .init = data_init,
  .init_signature = SIG("(self, /, *args, **kwargs)"),
  .special = &(const asy_special){.get_buffer = data_get_buffer, .release_buffer = data_release_buffer},
  .methods = data_methods,
};

static asy_value ct_address(asy_vm *vm, const asy_value *args) {
  asy_buffer b;
  if (!asy_buffer_get(vm, args[0], &b)) return ASY_FAILED;
  asy_value address = from_address(vm, b.data);
  asy_buffer_release(vm, &b);
  return address;
}

/* ---- Shared libraries ---- */

static asy_value ct_dlopen(asy_vm *vm, const asy_value *args) {
  const char *name = NULL;
  int mode;
  if ((args[0] != ASY_NONE && !asy_to_cstr(vm, args[0], &name)) ||
      !asy_to_int(vm, args[1], INT32_MIN, INT32_MAX, &mode))
    return ASY_FAILED;
  void *handle = dlopen(name, mode | RTLD_NOW);
  return handle ? from_address(vm, handle) : asy_raise(vm, ASY_OSError, "%s", dlerror());
}

static asy_value ct_dlsym(asy_vm *vm, const asy_value *args) {
  void *handle;
  const char *name;
  if (!address_of(vm, args[0], &handle) || !asy_to_cstr(vm, args[1], &name)) return ASY_FAILED;
  void *symbol = dlsym(handle, name);
  return symbol ? from_address(vm, symbol) : asy_raise(vm, ASY_OSError, "%s", dlerror());
}

static asy_value ct_dlclose(asy_vm *vm, const asy_value *args) {
  void *handle;
  if (!address_of(vm, args[0], &handle)) return ASY_FAILED;
  return dlclose(handle) ? asy_raise(vm, ASY_OSError, "%s", dlerror()) : ASY_NONE;
}

/* ---- Specs as types of libffi ---- */

typedef struct structure {
  struct structure *next;
  ffi_type type;
  ffi_type *elements[];
} structure;

static void free_structures(structure *s) {
  for (structure *next; s; s = next) {
    next = s->next;
    free(s);
  }
}

static ffi_type *type_of(asy_vm *vm, const ffi_library *ffi, asy_value spec, structure **made) {
  switch (code_of(spec)) {
    case 'v': return ffi->none;
    case '?':
    case 'B':
    case 'c': return ffi->u8;
    case 'b': return ffi->s8;
    case 'h': return ffi->s16;
    case 'H': return ffi->u16;
    case 'i': return ffi->s32;
    case 'I': return ffi->u32;
    case 'l':
    case 'q': return ffi->s64;
    case 'L':
    case 'Q': return ffi->u64;
    case 'f': return ffi->f32;
    case 'd': return ffi->f64;
    case 'g': return ffi->long_double;
    case 'P': return ffi->pointer;
  }
  if (!asy_is_kind(spec, KIND_TUPLE)) return asy_raise(vm, ASY_TypeError, "no type of C"), NULL;
  if (!asy_check_c_stack(vm)) return NULL;
  const asy_tuple *parts = (const asy_tuple *)asy_obj_of(spec);
  structure *s = calloc(1, sizeof *s + (parts->len + 1) * sizeof *s->elements);
  if (!s) return asy_raise_no_memory(vm), NULL;
  s->next = *made;
  *made = s;
  s->type.type = FFI_TYPE_STRUCT;
  s->type.elements = s->elements;
  for (uint32_t i = 0; i < parts->len; i++)
    if (!(s->elements[i] = type_of(vm, ffi, parts->items[i], made))) return NULL;
  return &s->type;
}

typedef struct {
  ffi_cif cif;
  structure *structures;
  ffi_type **types; /* owned */
} interface;

static void interface_free(interface *f) {
  free_structures(f->structures);
  free(f->types);
}

/* On failure what was made is in *f all the same: the caller frees it. */
static bool interface_make(asy_vm *vm, const ffi_library *ffi, interface *f, asy_value result, const asy_tuple *args) {
  f->types = calloc(args->len + 1, sizeof *f->types);
  if (!f->types) return asy_raise_no_memory(vm), false;
  for (uint32_t i = 0; i < args->len; i++)
    if (!(f->types[i] = type_of(vm, ffi, args->items[i], &f->structures))) return false;
  ffi_type *given = type_of(vm, ffi, result, &f->structures);
  if (!given) return false;
  if (ffi->prep_cif(&f->cif, FFI_ABI, args->len, given, f->types))
    return asy_raise(vm, ASY_RuntimeError, "ffi_prep_cif failed"), false;
  return true;
}

/* ---- The machine: what calls share ---- */

typedef struct call {
  struct call *next;
  uv_thread_t thread;
  asy_thread *self; /* what acquires the VM; nothing while a callback has it */
} call;

typedef struct {
  asy_obj head;
  const ffi_library *ffi;
  uv_mutex_t lock; /* of calls */
  call *calls;     /* that are under way, innermost first */
} machine;

static void machine_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  machine *m = (machine *)o;
  if (m->ffi) uv_mutex_destroy(&m->lock);
}

static asy_value machine_new(asy_vm *vm, const asy_value *args) {
  const ffi_library *ffi = asy_library_table(vm, &library);
  machine *m = ffi ? asy_new_instance(vm, (asy_class *)asy_obj_of(args[0])) : NULL;
  if (!m) return ASY_FAILED;
  if (uv_mutex_init(&m->lock)) return asy_raise_no_memory(vm);
  m->ffi = ffi;
  return asy_from_obj(m);
}

static call *call_of_this_thread(machine *m) {
  uv_thread_t me = uv_thread_self();
  uv_mutex_lock(&m->lock);
  call *c = m->calls;
  while (c && !uv_thread_equal(&c->thread, &me)) c = c->next;
  uv_mutex_unlock(&m->lock);
  return c;
}

static void run_call(asy_vm *vm, machine *m, ffi_cif *cif, void *function, void *result, void **args, void *saved) {
  call mine = {.thread = uv_thread_self()};
  uv_mutex_lock(&m->lock);
  mine.next = m->calls;
  m->calls = &mine;
  uv_mutex_unlock(&m->lock);
  int other = 0;
  if (saved) memcpy(&other, saved, sizeof other);
  mine.self = asy_thread_release(vm);
  if (saved) errno = other;
  m->ffi->call(cif, function, result, args);
  other = errno;
  asy_thread_acquire(vm, mine.self);
  if (saved) memcpy(saved, &other, sizeof other);
  uv_mutex_lock(&m->lock);
  call **link = &m->calls;
  while (*link != &mine) link = &(*link)->next;
  *link = mine.next;
  uv_mutex_unlock(&m->lock);
}

typedef union {
  uint64_t word;
  long double wide;
  char bytes[16];
} slot;

/* call(function, result spec, place of a result that is a structure, specs, values, bytearray with errno as ctypes has it, or None) */
static asy_value machine_call(asy_vm *vm, const asy_value *args) {
  machine *m = (machine *)asy_obj_of(args[0]);
  void *function, *place;
  if (!address_of(vm, args[1], &function) || !address_of(vm, args[3], &place)) return ASY_FAILED;
  const asy_tuple *specs = (const asy_tuple *)asy_obj_of(args[4]), *values = (const asy_tuple *)asy_obj_of(args[5]);
  uint32_t n = specs->len;
  interface f = {0};
  slot result = {0}, *slots = calloc(n + 1, sizeof *slots);
  void **pointers = calloc(n + 1, sizeof *pointers);
  bool ready = slots && pointers;
  if (!ready) asy_raise_no_memory(vm);
  else ready = interface_make(vm, m->ffi, &f, args[2], specs);
  for (uint32_t i = 0; ready && i < n; i++) {
    int code = code_of(specs->items[i]);
    pointers[i] = &slots[i];
    ready = code ? store(vm, code, &slots[i], values->items[i], true) : address_of(vm, values->items[i], &pointers[i]);
  }
  int code = code_of(args[2]);
  if (ready)
    run_call(vm, m, &f.cif, function, code ? (void *)&result : place, pointers,
             asy_is_kind(args[6], KIND_BYTEARRAY) ? asy_bytearray_data((asy_bytearray *)asy_obj_of(args[6])) : NULL);
  free(slots);
  free(pointers);
  interface_free(&f);
  if (!ready) return ASY_FAILED;
  return code ? load(vm, code, &result) : ASY_NONE;
}

/* ---- Callbacks ---- */

typedef struct {
  asy_obj head;
  asy_vm *vm;
  machine *machine;
  asy_value callable;
  asy_tuple *specs;
  int result;
  interface face;
  void *memory, *code; /* the closure: where it is written, where it is called */
} callback;

static void callback_visit(asy_obj *o, asy_visitor *v) {
  callback *c = (callback *)o;
  asy_visit_obj(v, &c->machine->head);
  asy_visit_value(v, c->callable);
  asy_visit_obj(v, &c->specs->head);
}

static void callback_free(asy_vm *vm, asy_obj *o) {
  callback *c = (callback *)o;
  const ffi_library *ffi = c->memory ? asy_library_table(vm, &library) : NULL;
  if (ffi) ffi->closure_free(c->memory);
  interface_free(&c->face);
}

static bool run_callback(callback *c, void *result, void **args) {
  asy_vm *vm = c->vm;
  asy_list *values = asy_list_new(vm, c->specs->len);
  for (uint32_t i = 0; values && i < c->specs->len; i++) {
    int code = code_of(c->specs->items[i]);
    asy_value v = code ? load(vm, code, args[i]) : from_address(vm, args[i]);
    if (asy_failed(v) || !asy_list_append(vm, values, v)) return false;
  }
  asy_value given = values ? asy_call(vm, c->callable, (int)values->len, values->items) : ASY_FAILED;
  return !asy_failed(given) && store(vm, c->result, result, given, true);
}

static void enter_callback(ffi_cif *cif, void *result, void **args, void *user) {
  (void)cif;
  callback *c = user;
  if (c->result != 'v') memset(result, 0, c->result == 'g' ? sizeof(long double) : 8);
  call *from = call_of_this_thread(c->machine);
  if (!from) return;
  asy_thread_acquire(c->vm, from->self);
  if (!run_callback(c, result, args)) asy_report_unraisable(c->vm, c->callable);
  from->self = asy_thread_release(c->vm);
}

/* callback(callable, result spec, specs): an object with an address that C may call as long as the object lives. */
static asy_value machine_callback(asy_vm *vm, const asy_value *args) {
  machine *m = (machine *)asy_obj_of(args[0]);
  extern const asy_type asy_ctypes_callback_type;
  callback *c = asy_new_object(vm, &asy_ctypes_callback_type);
  if (!c) return ASY_FAILED;
  c->vm = vm;
  c->machine = m;
  c->callable = args[1];
  c->result = code_of(args[2]);
  c->specs = (asy_tuple *)asy_obj_of(args[3]);
  if (!c->result) return asy_raise(vm, ASY_TypeError, "invalid result type for callback function");
  if (!interface_make(vm, m->ffi, &c->face, args[2], c->specs)) return ASY_FAILED;
  c->memory = m->ffi->closure_alloc(CLOSURE_SIZE, &c->code);
  if (!c->memory) return asy_raise_no_memory(vm);
  if (m->ffi->prep_closure_loc(c->memory, &c->face.cif, enter_callback, c, c->code))
    return asy_raise(vm, ASY_RuntimeError, "ffi_prep_closure_loc failed");
  return asy_from_obj(c);
}

static asy_value callback_address(asy_vm *vm, const asy_value *args) {
  return from_address(vm, ((callback *)asy_obj_of(args[0]))->code);
}

static const asy_native callback_methods[] = {
  {"address", SIG("(self, /)"), callback_address, 0, ASY_NATIVE_GETTER},
  {0},
};
const asy_type asy_ctypes_callback_type = {
  .name = "_foreign.Callback",
  .size = sizeof(callback),
  .visit = callback_visit,
  .free = callback_free,
  .methods = callback_methods,
};

static const asy_native machine_methods[] = {
  {"call", SIG("(self, function, result, place, specs, values, saved_errno, /)"), machine_call, 0, 0},
  {"callback", SIG("(self, callable, result, specs, /)"), machine_callback, 0, 0},
  {0},
};
const asy_type asy_ctypes_machine_type = {
  .name = "_foreign.Machine",
  .size = sizeof(machine),
  .free = machine_free,
  .new_ = machine_new,
  .new_signature = SIG("(cls, /)"),
  .methods = machine_methods,
};

/* ---- The module ---- */

static const asy_constants constants = CONSTANTS("ctypes", RTLD_LOCAL, RTLD_GLOBAL);

static bool init(asy_vm *vm, asy_value module) {
  return asy_module_add_constants(vm, module, &constants) &&
         asy_module_add_type(vm, module, "Machine", &asy_ctypes_machine_type) &&
         asy_module_add_type(vm, module, "_Data", &asy_ctypes_data_type);
}

static const asy_native natives[] = {
  {"address", SIG("(object, /)"), ct_address, DOC("Where the bytes of an object lie."), 0},
  {"dlclose", SIG("(handle, /)"), ct_dlclose, 0, 0},
  {"dlopen", SIG("(name, mode, /)"), ct_dlopen, 0, 0},
  {"dlsym", SIG("(handle, name, /)"), ct_dlsym, 0, 0},
  {"get", SIG("(address, code, /)"), ct_get, DOC("The value of a code in memory."), 0},
  {"length", SIG("(address, wide, /)"), ct_length, DOC("How many characters stand before a NUL."), 0},
  {"read", SIG("(address, size, /)"), ct_read, DOC("Bytes of memory."), 0},
  {"set", SIG("(address, code, value, /)"), ct_set, DOC("Write a value to memory."), 0},
  {"write", SIG("(address, data, /)"), ct_write, DOC("Write bytes to memory."), 0},
  {0},
};

const asy_module_def asy_module_ctypes = {"_foreign", natives, "Memory, shared libraries and calls, for ctypes.", init};
