/* unit.h - the result of a compilation: plain C data in one arena, no heap objects, no collector.
 * A unit is the code of a module, expression or interactive statement; the code of functions and classes hangs in its
 * constants. The runtime turns each asy_unit_code into a code object and may then free the arena.
 */
#ifndef ASY_LANG_UNIT_H
#define ASY_LANG_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  ASY_CONST_NONE,
  ASY_CONST_FALSE,
  ASY_CONST_TRUE,
  ASY_CONST_ELLIPSIS,
  ASY_CONST_INT,       /* integer: fits 63 bits */
  ASY_CONST_BIGINT,    /* text: digits with an optional 0x, 0o or 0b prefix, no underscores, optional leading '-' */
  ASY_CONST_FLOAT,     /* real */
  ASY_CONST_COMPLEX,   /* real, imaginary */
  ASY_CONST_STR,       /* text: UTF-8, lone surrogates as three bytes (WTF-8) */
  ASY_CONST_BYTES,     /* text: the bytes */
  ASY_CONST_TUPLE,     /* items */
  ASY_CONST_FROZENSET, /* items */
  ASY_CONST_CODE       /* code */
} asy_unit_const_kind;

typedef struct asy_unit_code asy_unit_code;

typedef struct asy_const {
  asy_unit_const_kind kind;
  bool interned;   /* a str that is an identifier: share one object */
  uint32_t length; /* of text in bytes, or of items */
  union {
    int64_t integer;
    struct {
      double real, imaginary;
    };
    const char *text;
    const struct asy_const *items;
    const asy_unit_code *code;
  };
} asy_const;

/* Words start <= pc < end are guarded: an exception raised there is stored in register `reg` and execution goes on at
 * `target`. Inner ranges come before outer ones, so the first row that matches wins. */
typedef struct {
  uint32_t start, end, target;
  uint8_t reg;
} asy_handler;

/* The source span of all words from `word` up to the next row's. Lines count from 1, columns from 0 in UTF-8 bytes;
 * a line of 0 means "no location". An end_line of 0 makes it a mark: a statement without instructions before the word (col 1: also for who
 * jumps there; 0: for who comes from above), or, at a jump's second word, one that is jumping. Marks have no span. */
typedef struct {
  uint32_t word;
  int32_t line, end_line;
  uint16_t col, end_col;
} asy_position;
static inline bool asy_is_mark(const asy_position *p) { return p->line && !p->end_line; }

/* An inline-cache site: what the instruction names. */
typedef struct {
  uint32_t name; /* index into names */
} asy_site;

enum {
  CODE_OPTIMIZED = 1, /* locals are registers (function bodies); else R0 is the namespace mapping */
  CODE_NEWLOCALS = 2,
  CODE_VARARGS = 4,     /* has *args */
  CODE_VARKEYWORDS = 8, /* has **kwargs */
  CODE_NESTED = 16,
  CODE_GENERATOR = 32,
  CODE_COROUTINE = 128, /* async def */
  CODE_ITERABLE_COROUTINE = 256,
  CODE_ASYNC_GENERATOR = 512,
  CODE_CLASS_BODY = 0x10000, /* the flags above have CPython's values; these are our own */
  CODE_MODULE_BODY = 0x20000,
  CODE_HAS_DOCSTRING = 0x4000000
};

struct asy_unit_code {
  const char *name, *qualname; /* UTF-8, NUL-terminated */
  uint32_t flags;              /* CODE_ bits */
  int32_t first_line;
  uint16_t argcount; /* positional parameters, positional-only ones included */
  uint16_t posonly;
  uint16_t kwonly;
  uint16_t nlocals;            /* registers that are named locals: parameters first; names in varnames */
  uint16_t nregs;              /* registers the frame needs, call windows included */
  uint8_t self_register;       /* async functions and generators: hidden local that may hold the coroutine object */
  const char *const *varnames; /* nlocals names; "" for hidden locals */
  const bool *is_cell;         /* nlocals flags: the register holds a cell */
  const char *const *freevars; /* names of free variables */
  uint16_t nfreevars;
  const uint32_t *words; /* the code */
  uint32_t nwords;
  const asy_const *constants;
  uint32_t nconstants;
  const char *const *names; /* names that sites refer to */
  uint32_t nnames;
  const asy_site *sites;
  uint32_t nsites;
  const asy_handler *handlers;
  uint32_t nhandlers;
  const asy_position *positions;
  uint32_t npositions;
};

#endif
