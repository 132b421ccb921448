/* object.h - what every heap object begins with, the kinds of object, the type descriptor, classes and shapes.
 *
 * An object is {8-byte header, C struct of its kind, attribute slots}. The *kind* says which C struct it is, subclasses
 * included; the *shape* says its class and where its attributes lie. Each built-in class owns the shape whose id equals
 * its kind, so `head.shape == KIND_LIST` means "exactly a list" and `head.kind == KIND_LIST` means "a list or a subclass".
 * Natives are told apart by shape alone: in a class they are descriptors of kind NATIVE, and bound ones are of kind METHOD, with the
 * shape of NATIVE or METHOD_WRAPPER. A pair of natives as an attribute is of kind MEMBER with the shape of GETSET_DESCRIPTOR.
 *
 *   instance of a script class        list subclass with attributes
 *   [head][more][slot 0][slot 1]..    [head][len cap items][more][slot 0]..
 *                 ^ slots start at class->slots_offset (more = slots_offset - 8)
 *
 * `more` is 0, or an overflow array of slots (a KIND_SLOTS object), or in dictionary mode the asy_dict of the attributes.
 */
#ifndef ASY_RUNTIME_OBJECT_H
#define ASY_RUNTIME_OBJECT_H

#include <stddef.h>

#include "runtime/native_texts.h"
#include "runtime/value.h"

typedef struct asy_vm asy_vm;
typedef struct asy_class asy_class;
typedef struct asy_dict asy_dict;
typedef struct asy_list asy_list;
typedef struct asy_str asy_str;
typedef struct asy_tuple asy_tuple;
typedef struct asy_type asy_type;
typedef struct asy_visitor asy_visitor;

/* Every C layout the runtime knows. X(kind, descriptor). The descriptor's class is made at start, in this order; rows of
 * the first part are bases of later ones. Natives of modules that define types of their own use KIND_COUNT and above. */
/* clang-format off */
#define ASY_KINDS(X)                          \
  X(OBJECT, asy_object_type)                  \
  X(TYPE, asy_type_type)                      \
  X(NONE, asy_none_type)                      \
  X(NOT_IMPLEMENTED, asy_not_implemented_type)\
  X(ELLIPSIS, asy_ellipsis_type)              \
  X(INT, asy_int_type)                        \
  X(BOOL, asy_bool_type)                      \
  X(FLOAT, asy_float_type)                    \
  X(COMPLEX, asy_complex_type)                \
  X(STR, asy_str_type)                        \
  X(BYTES, asy_bytes_type)                    \
  X(BYTEARRAY, asy_bytearray_type)            \
  X(MEMORYVIEW, asy_memoryview_type)          \
  X(TUPLE, asy_tuple_type)                    \
  X(LIST, asy_list_type)                      \
  X(DICT, asy_dict_type)                      \
  X(SET, asy_set_type)                        \
  X(FROZENSET, asy_frozenset_type)            \
  X(RANGE, asy_range_type)                    \
  X(SLICE, asy_slice_type)                    \
  X(FUNCTION, asy_function_type)              \
  X(NATIVE, asy_nativefunc_type)              \
  X(METHOD_DESCRIPTOR, asy_method_descriptor_type)\
  X(WRAPPER_DESCRIPTOR, asy_wrapper_descriptor_type)\
  X(METHOD, asy_method_type)                  \
  X(METHOD_WRAPPER, asy_method_wrapper_type)  \
  X(CELL, asy_cell_type)                      \
  X(CODE, asy_code_type)                      \
  X(MODULE, asy_module_type)                  \
  X(PROPERTY, asy_property_type)              \
  X(STATICMETHOD, asy_staticmethod_type)      \
  X(CLASSMETHOD, asy_classmethod_type)        \
  X(SUPER, asy_super_type)                    \
  X(MEMBER, asy_member_type)                  \
  X(GETSET_DESCRIPTOR, asy_getset_type)       \
  X(GENERATOR, asy_generator_type)            \
  X(COROUTINE, asy_coroutine_type)            \
  X(ASYNC_GENERATOR, asy_async_generator_type)\
  X(ASYNC_GENERATOR_STEP, asy_async_generator_step_type)\
  X(AWAITER, asy_awaiter_type)                \
  X(EXCEPTION, asy_base_exception_type)       \
  X(TRACEBACK, asy_traceback_type)            \
  X(FRAME, asy_frame_type)                    \
  X(SEQUENCE_ITER, asy_sequence_iter_type)    \
  X(CALLABLE_ITER, asy_callable_iter_type)    \
  X(LIST_ITER, asy_list_iter_type)            \
  X(TUPLE_ITER, asy_tuple_iter_type)          \
  X(RANGE_ITER, asy_range_iter_type)          \
  X(STR_ITER, asy_str_iter_type)              \
  X(BYTES_ITER, asy_bytes_iter_type)          \
  X(DICT_ITER, asy_dict_iter_type)            \
  X(SET_ITER, asy_set_iter_type)              \
  X(REVERSED, asy_reversed_type)              \
  X(DICT_KEYS, asy_dict_keys_type)            \
  X(DICT_VALUES, asy_dict_values_type)        \
  X(DICT_ITEMS, asy_dict_items_type)          \
  X(MAPPING_PROXY, asy_mapping_proxy_type)    \
  X(ENUMERATE, asy_enumerate_type)            \
  X(ZIP, asy_zip_type)                        \
  X(MAP, asy_map_type)                        \
  X(FILTER, asy_filter_type)                  \
  X(WEAKREF, asy_weakref_type)                \
  X(FUTURE, asy_future_type)                  \
  X(TASK, asy_task_type)                      \
  X(LOOP, asy_loop_type)                      \
  X(HANDLE, asy_handle_type)                  \
  X(TIMER_HANDLE, asy_timer_handle_type)      \
  X(SLOTS, asy_slots_type)
/* clang-format on */

typedef enum {
#define X(name, descriptor) KIND_##name,
  ASY_KINDS(X)
#undef X
    KIND_COUNT
} asy_kind;

/* Header bits of `gc`; the heap owns them. */
#define ASY_GC_MARKED 1u     /* reached in the last cycle: old, because mark bits are sticky */
#define ASY_GC_REMEMBERED 2u /* old, written since, and already on the remembered list */
#define ASY_GC_PINNED 4u     /* asy_pin holds it */
#define ASY_GC_FINALIZED 8u  /* its finaliser has run, or is not needed any more */
#define ASY_GC_LIVE 16u      /* the cell holds an object; a free cell has gc == 0 */
#define ASY_GC_CONDEMNED 32u /* a dead class that dead instances still need */

struct asy_obj {
  uint32_t shape; /* index into vm->shapes */
  uint8_t kind;   /* asy_kind, or a module's own */
  uint8_t gc;     /* ASY_GC_ bits */
  uint16_t flags; /* meaning depends on the kind; 0 in a new object */
};

/* In `flags` of objects of module-defined kinds: the type has get_buffer. */
#define ASY_EXPORTS_BUFFER 0x8000u

static inline bool asy_is_kind(asy_value v, unsigned kind) { return asy_is_obj(v) && asy_obj_of(v)->kind == kind; }
static inline bool asy_is_exact(asy_value v, unsigned kind) { return asy_is_obj(v) && asy_obj_of(v)->shape == kind; }

/* ---- The type descriptor: a constant table that a kind's file fills in -------------------------------------------- */

/* Binary operators, in the order of the tables below. X(name, symbol, method, reflected, in-place) */
/* clang-format off */
#define ASY_BINARY_OPS(X)                                   \
  X(ADD, "+", __add__, __radd__, __iadd__)                  \
  X(SUB, "-", __sub__, __rsub__, __isub__)                  \
  X(MUL, "*", __mul__, __rmul__, __imul__)                  \
  X(TRUEDIV, "/", __truediv__, __rtruediv__, __itruediv__)  \
  X(FLOORDIV, "//", __floordiv__, __rfloordiv__, __ifloordiv__) \
  X(MOD, "%", __mod__, __rmod__, __imod__)                  \
  X(POW, "** or pow()", __pow__, __rpow__, __ipow__)        \
  X(LSHIFT, "<<", __lshift__, __rlshift__, __ilshift__)     \
  X(RSHIFT, ">>", __rshift__, __rrshift__, __irshift__)     \
  X(AND, "&", __and__, __rand__, __iand__)                  \
  X(OR, "|", __or__, __ror__, __ior__)                      \
  X(XOR, "^", __xor__, __rxor__, __ixor__)                  \
  X(MATMUL, "@", __matmul__, __rmatmul__, __imatmul__)
/* clang-format on */

typedef enum {
#define X(name, ...) BINARY_##name,
  ASY_BINARY_OPS(X)
#undef X
    BINARY_COUNT
} asy_binary_op;

typedef enum { UNARY_NEG, UNARY_POS, UNARY_INVERT, UNARY_COUNT } asy_unary_op;
typedef enum { COMPARE_LT, COMPARE_LE, COMPARE_EQ, COMPARE_NE, COMPARE_GT, COMPARE_GE, COMPARE_COUNT } asy_compare_op;

/* One C function of a class or module. The signature is Python text, parsed once per VM: "(self, item, /, *, key=None)".
 * A default is None, True, False, an int, a float, a quoted string, (), or ? which passes ASY_UNBOUND. `*args` arrives as
 * a tuple, `**kw` as a dict. The native receives every parameter, in order, filled in; `self` first for methods.
 * The registers behind args belong to the caller: read all that is needed before calling back into the VM is NOT required
 * (they stay valid and are GC roots during the call), but never write to them.
 * Flags say what kind of attribute it makes. */
typedef asy_value (*asy_native_fn)(asy_vm *vm, const asy_value *args);

enum {
  ASY_NATIVE_STATIC = 1, /* staticmethod */
  ASY_NATIVE_CLASS = 2,  /* classmethod: first parameter is the class */
  ASY_NATIVE_GETTER = 4, /* read-only or, with a SETTER row of the same name following, writable attribute */
  ASY_NATIVE_SETTER = 8, /* (self, value); value is ASY_UNBOUND when the attribute is deleted */
  ASY_NATIVE_ASYNC = 16, /* an async native: called by `await f(..)` it may return ASY_PARKED; called plainly it makes a
                            coroutine that calls it when awaited */
  ASY_NATIVE_NEW = 32,   /* __new__ of a type: does not bind; asy_check_new guards its first argument */
};

typedef struct __attribute__((packed, aligned(4))) { /* there are thousands */
  const char *name;
  uint32_t signature; /* SIG of a string literal (native_texts.h) */
  asy_native_fn fn;
  uint32_t doc : DOC_BITS; /* DOC of a string literal, or 0 */
  uint32_t flags : 32 - DOC_BITS;
} asy_native;

/* Slots a built-in type may fill; NULL means "not supported" and is inherited from .base. Every slot that fails returns
 * ASY_FAILED / false / -1 with the exception set. `self` always is of the descriptor's kind (or a subclass). */
struct asy_buffer;
/* Beside the descriptor, because few types have any. */
typedef struct {
  /* left or right operand is of this kind; NOT_IMPLEMENTED when it cannot. Row i is asy_binary_op i. */
  asy_value (*binary[BINARY_COUNT])(asy_vm *vm, asy_value left, asy_value right);
  asy_value (*inplace[BINARY_COUNT])(asy_vm *vm, asy_value self, asy_value right);
  asy_value (*unary[UNARY_COUNT])(asy_vm *vm, asy_value self);
} asy_operators;

/* Who takes the items of an iterator one by one. Embedded in a struct of the caller's. */
typedef struct asy_taker {
  /* False: not taken; nothing has changed. Runs no script code and sets no exception. */
  bool (*take)(asy_vm *vm, const struct asy_taker *taker, asy_value item);
} asy_taker;

/* What few types can do: slots that stand apart, since there are hundreds of types. */
typedef struct {
  void (*finalize)(asy_vm *vm, asy_obj *o); /* may run script code; called once, from a safepoint */
  int (*truth)(asy_vm *vm, asy_value self); /* 0, 1, -1 failed; NULL: length, else true */
  asy_value (*get_item)(asy_vm *vm, asy_value self, asy_value key);
  bool (*set_item)(asy_vm *vm, asy_value self, asy_value key, asy_value value); /* value UNBOUND: delete */
  int (*contains)(asy_vm *vm, asy_value self, asy_value item);                  /* 0, 1, -1 failed; NULL: iterate */
  asy_value (*call)(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames);
  /* Instead of the generic lookup: module, super, type. */
  asy_value (*get_attr)(asy_vm *vm, asy_value self, asy_str *name);
  bool (*set_attr)(asy_vm *vm, asy_value self, asy_str *name, asy_value value);        /* value UNBOUND: delete */
  asy_value (*descr_get)(asy_vm *vm, asy_value self, asy_value obj, asy_class *owner); /* obj UNBOUND: of the class */
  bool (*descr_set)(asy_vm *vm, asy_value self, asy_value obj, asy_value value); /* data descriptor; UNBOUND deletes */
  asy_value (*index)(asy_vm *vm, asy_value self);                                /* __index__ */
  asy_value (*await_)(asy_vm *vm, asy_value self); /* __await__: an iterator (futures are known to the VM) */
  /* The object's bytes, locked until release_buffer: size and place stay. Objects with it set ASY_EXPORTS_BUFFER. */
  bool (*get_buffer)(asy_vm *vm, asy_value self, struct asy_buffer *out);
  void (*release_buffer)(asy_value self);
  /* asy_next_into of an iterator that passes on what another gives; NULL: its `next` again and again. */
  asy_value (*next_into)(asy_vm *vm, asy_value self, const asy_taker *taker);
} asy_special;

struct asy_type {
  const char *name; /* "list"; with a dot the part before it is __module__ */
  const char *doc;
  const asy_type *base; /* NULL means object */
  uint32_t size;        /* sizeof the C struct; 0 when values are immediate only or made by other means */
  uint32_t flags;       /* ASY_TYPE_ bits */
  void (*visit)(asy_obj *o, asy_visitor *v); /* visit every reference the C struct holds (not head, not slots) */
  void (*free)(asy_vm *vm, asy_obj *o);      /* release malloc'ed memory; no script code, no other object touched */
  asy_native_fn new_;                        /* (cls, *args, **kwargs): with new_signature */
  asy_native_fn init;                        /* (self, ...) with init_signature; returns None */
  uint32_t new_signature;  /* SIG of "(cls, iterable=(), /)"; 0: new_ gets cls alone, the rest is init's */
  uint32_t init_signature; /* beside it: two fill a word */
  asy_value (*repr)(asy_vm *vm, asy_value self);          /* a str */
  asy_value (*str)(asy_vm *vm, asy_value self);           /* NULL: repr */
  bool (*hash)(asy_vm *vm, asy_value self, int64_t *out); /* the 61-bit Python hash; never -1 */
  asy_value (*compare)(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op); /* or NOT_IMPLEMENTED */
  int64_t (*length)(asy_vm *vm, asy_value self);                                        /* -1 failed */
  asy_value (*iter)(asy_vm *vm, asy_value self);                                        /* an iterator */
  asy_value (*next)(asy_vm *vm, asy_value self); /* the next item, ASY_END, or ASY_FAILED */
  const asy_special *special;                    /* NULL: none of its own */
  const asy_operators *operators;                /* NULL: none of its own */
  const struct asy_loop_hooks *loop_hooks;       /* loop.h: tasks wait for such objects, or the ready ring runs them */
  const asy_native *methods;                     /* ends with {0} */
  const struct asy_member *members;              /* plain C fields shown as attributes; ends with {0} */
};

/* A C struct field that holds an asy_value or an int, readable (and writable when writable) as an attribute. */
typedef struct asy_member {
  const char *name;
  uint32_t offset;
  enum {
    MEMBER_VALUE,
    MEMBER_OBJECT,
    MEMBER_INT32,
    MEMBER_UINT32,
    MEMBER_INT64,
    MEMBER_BOOL8
  } type; /* 0 values read as None */
  bool writable;
} asy_member;

enum {
  ASY_TYPE_FINAL = 1,    /* "type 'bool' is not an acceptable base type" */
  ASY_TYPE_NO_NEW = 2,   /* "cannot create 'generator' instances" */
  ASY_TYPE_ATTRS = 4,    /* exact instances have attribute slots too (function, exception, module ...) */
  ASY_TYPE_SEQUENCE = 8, /* matches sequence patterns (list, tuple, range ..) */
  ASY_TYPE_MAPPING = 16,
  ASY_TYPE_UNHASHABLE = 32,    /* __hash__ is None */
  ASY_TYPE_LATE_FINALIZE = 64, /* `finalize` applies only to objects given to asy_register_finalizer */
};

/* ---- Shapes and classes -------------------------------------------------------------------------------------------- */

/* Where the attributes of some objects lie. Shapes form a tree per class: adding attribute `name` moves an object to the
 * child shape. A shape never changes once made, save for `children`. Ids are never reused. */
typedef struct asy_shape {
  uint32_t id;
  uint32_t count;      /* attributes in this shape; the newest has slot count-1 */
  uint32_t inline_cap; /* slots inside the object; further ones lie in `more` */
  bool dictionary;     /* attributes live in the asy_dict `more`; no children */
  asy_class *cls;
  struct asy_shape *parent; /* NULL for a root */
  asy_str *name;            /* interned name added by this shape; NULL for a root */
  struct asy_shape **children;
  uint32_t nchildren, children_cap;
  uint32_t *table; /* open-addressed name -> slot index map for shapes with many attributes, made on demand */
  uint32_t table_size;
  asy_str **table_names;
  uint32_t reserved;    /* slots 0..reserved-1 have no name: they belong to member descriptors of __slots__ */
  const asy_type *type; /* descriptor of the C layout: stays when the class has died before its objects were swept */
} asy_shape;

/* What a class lookup found, kept per (class, name) and kept true: when a class dict changes, the records of that name in the
 * class and its subclasses are resolved again, so an inline cache may hold the record's address for ever. */
typedef enum {
  LOOKUP_ABSENT,    /* no such name in the mro */
  LOOKUP_PLAIN,     /* not a descriptor: the value itself */
  LOOKUP_METHOD,    /* a function or native: binds self */
  LOOKUP_DATA,      /* data descriptor: has __set__ or __delete__, wins over the instance */
  LOOKUP_DESCRIPTOR /* non-data descriptor of another sort (classmethod, staticmethod, script __get__) */
} asy_lookup_kind;

typedef struct asy_lookup {
  asy_value value;  /* UNBOUND when absent */
  uint32_t kind;    /* asy_lookup_kind */
  asy_class *owner; /* the class in whose dict it was found */
  asy_class *cls;   /* the class that was asked */
  asy_str *name;
  struct asy_lookup *next; /* in the class's hash bucket */
} asy_lookup;

struct asy_class {
  asy_obj head; /* kind KIND_TYPE; the shape gives the metaclass */
  asy_str *name;
  asy_str *qualname;
  const asy_type *type; /* descriptor of the layout; a script class has that of its "solid base" */
  asy_tuple *bases;
  asy_tuple *mro;        /* this class first, object last */
  asy_dict *dict;        /* name -> value */
  uint32_t kind;         /* kind of the instances */
  uint32_t base_size;    /* bytes of the C struct */
  uint32_t slots_offset; /* base_size + 8 rounded so that slots follow `more`; 0 when instances have no attributes */
  uint32_t flags;        /* ASY_CLASS_ bits */
  asy_shape *root;       /* shape of a new instance */
  asy_shape *dictionary; /* shape of instances in dictionary mode, made on demand */
  asy_lookup **lookups;  /* hash table of records, malloc'ed */
  uint32_t nlookups, lookups_size;
  asy_class **subclasses; /* malloc'ed, weak: the heap drops dead ones */
  uint32_t nsubclasses, subclasses_cap;
  struct asy_func *init_fn; /* cache for calls: plain script __init__ with the default __new__; NULL when unknown */
  const struct asy_nativefunc
    *direct_new;         /* built-in: its own __new__, when calling it is all that a call does; else NULL */
  asy_tuple *slots;      /* __slots__ names (mangled), or NULL */
  asy_shape **old_roots; /* malloc'ed: earlier values of `root`, whose instances live on; shape.c */
  uint32_t nold_roots;
};

enum {
  ASY_CLASS_BUILTIN = 1, /* made from a descriptor: slots of `type` apply directly */
  ASY_CLASS_FINAL = 2,
  ASY_CLASS_NO_DICT = 4,             /* __slots__ without __dict__: unknown attributes are refused */
  ASY_CLASS_HAS_GETATTR = 8,         /* __getattr__ somewhere in the mro */
  ASY_CLASS_HAS_GETATTRIBUTE = 16,   /* __getattribute__ other than object's */
  ASY_CLASS_HAS_SETATTR = 32,        /* __setattr__ or __delattr__ other than object's */
  ASY_CLASS_HAS_FINALIZER = 64,      /* __del__ */
  ASY_CLASS_EXCEPTION = 128,         /* derives from BaseException */
  ASY_CLASS_HEAP_METACLASS = 256,    /* its metaclass is not `type` itself */
  ASY_CLASS_OVERRIDES_EQ_HASH = 512, /* script __eq__ or __hash__ in the mro before the built-in layout class */
  ASY_CLASS_ABSTRACT = 1024,
  ASY_CLASS_VARIABLE = 2048,  /* instances of a script class over a variable-sized kind */
  ASY_CLASS_HAS_ATTRS = 4096, /* instances have attribute slots (or a dict) */
  ASY_CLASS_WEAK_SLOT = 8192, /* its __slots__ name __weakref__ */
  ASY_CLASS_SEQUENCE =
    16384,                   /* a script class whose instances match sequence patterns (abc), those of subclasses too */
  ASY_CLASS_MAPPING = 32768, /* and mapping patterns */
};

/* The `more` word of an object whose class has attribute slots. In variable-sized kinds (tuple, str, bytes, int: class flag
 * ASY_CLASS_VARIABLE) it follows the variable part, inline_cap is 0, and every attribute lies behind it. */
asy_value *asy_variable_more(asy_obj *o);
static inline asy_value *asy_more_of(asy_obj *o, const asy_class *cls) {
  if (cls->flags & ASY_CLASS_VARIABLE) return asy_variable_more(o);
  return (asy_value *)((char *)o + cls->slots_offset - sizeof(asy_value));
}
static inline asy_value *asy_slots_of(asy_obj *o, const asy_class *cls) {
  return (asy_value *)((char *)o + cls->slots_offset);
}

/* An array of values as an object of its own: overflow attribute slots. */
typedef struct {
  asy_obj head;
  uint32_t cap;
  asy_value items[];
} asy_slots;

#endif
