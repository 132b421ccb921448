/* dis.c - code as text. The operand kinds of the table say what to print; no instruction is known by name. */
#include "lang/dis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lang/opcode.h"

static void print_text(const char *text, uint32_t length, asy_buf *out) {
  enum { SHOWN = 60 };
  asy_buf_char(out, '\'');
  for (uint32_t i = 0; i < length && i < SHOWN; i++) {
    unsigned char ch = (unsigned char)text[i];
    if (ch == '\n') asy_buf_text(out, "\\n");
    else if (ch == '\'' || ch == '\\') asy_buf_format(out, "\\%c", ch);
    else if (ch < 32 || ch == 127) asy_buf_format(out, "\\x%02x", ch);
    else asy_buf_char(out, (char)ch);
  }
  asy_buf_text(out, length > SHOWN ? "'..." : "'");
}

static void print_real(double d, asy_buf *out) {
  char text[40];
  for (int precision = 1; precision < 18; precision++) {
    snprintf(text, sizeof text, "%.*g", precision, d);
    if (strtod(text, NULL) == d) break;
  }
  asy_buf_text(out, text);
  if (isfinite(d) && !strpbrk(text, ".e")) asy_buf_text(out, ".0");
}

static void print_constant(const asy_const *k, asy_buf *out) {
  switch (k->kind) {
    case ASY_CONST_NONE: asy_buf_text(out, "None"); break;
    case ASY_CONST_FALSE: asy_buf_text(out, "False"); break;
    case ASY_CONST_TRUE: asy_buf_text(out, "True"); break;
    case ASY_CONST_ELLIPSIS: asy_buf_text(out, "..."); break;
    case ASY_CONST_INT: asy_buf_format(out, "%lld", (long long)k->integer); break;
    case ASY_CONST_BIGINT: asy_buf_add(out, k->text, k->length); break;
    case ASY_CONST_FLOAT: print_real(k->real, out); break;
    case ASY_CONST_COMPLEX:
      asy_buf_char(out, '(');
      print_real(k->real, out);
      asy_buf_text(out, signbit(k->imaginary) ? "" : "+");
      print_real(k->imaginary, out);
      asy_buf_text(out, "j)");
      break;
    case ASY_CONST_STR: print_text(k->text, k->length, out); break;
    case ASY_CONST_BYTES:
      asy_buf_char(out, 'b');
      print_text(k->text, k->length, out);
      break;
    case ASY_CONST_TUPLE:
    case ASY_CONST_FROZENSET:
      asy_buf_text(out, k->kind == ASY_CONST_TUPLE ? "(" : "frozenset(");
      for (uint32_t i = 0; i < k->length; i++) {
        if (i) asy_buf_text(out, ", ");
        if (i == 12) {
          asy_buf_text(out, "...");
          break;
        }
        print_constant(&k->items[i], out);
      }
      asy_buf_text(out, k->kind == ASY_CONST_TUPLE && k->length == 1 ? ",)" : ")");
      break;
    case ASY_CONST_CODE: asy_buf_format(out, "<code %s>", k->code->qualname); break;
  }
}

static void print_register(const asy_unit_code *code, unsigned reg, asy_buf *out) {
  asy_buf_format(out, "r%u", reg);
  if (reg < code->nlocals && code->varnames[reg][0]) asy_buf_format(out, "(%s)", code->varnames[reg]);
}

typedef struct {
  const asy_unit_code *code;
  uint32_t *labels; /* number of the label at a word, or 0 */
  uint32_t count;
} listing;

static void mark(listing *l, uint32_t word) {
  if (word < l->code->nwords && !l->labels[word]) l->labels[word] = 1;
}

/* The word a jump goes to, or UINT32_MAX when the instruction is none. */
static uint32_t jump_target(const asy_unit_code *code, uint32_t pc) {
  uint32_t word = code->words[pc];
  const asy_op_info *info = &asy_op_table[ASY_WORD_OP(word)];
  if (info->format == FORMAT_SJ) return pc + 1 + (uint32_t)ASY_WORD_SJ(word);
  if (info->operand[3] == KIND_J) return pc + 2 + code->words[pc + 1];
  return UINT32_MAX;
}

static void find_labels(listing *l) {
  const asy_unit_code *code = l->code;
  for (uint32_t pc = 0; pc < code->nwords; pc += asy_op_words(asy_op_table[ASY_WORD_OP(code->words[pc])].format)) {
    uint32_t target = jump_target(code, pc);
    if (target != UINT32_MAX) mark(l, target);
  }
  for (uint32_t i = 0; i < code->nhandlers; i++) mark(l, code->handlers[i].target);
  for (uint32_t pc = 0; pc < code->nwords; pc++)
    if (l->labels[pc]) l->labels[pc] = ++l->count;
}

static void print_label(const listing *l, uint32_t word, asy_buf *out) {
  if (word < l->code->nwords) asy_buf_format(out, "L%u", l->labels[word]);
  else asy_buf_format(out, "word %u", word);
}

static void print_operand(const listing *l, uint32_t pc, int which, asy_buf *out) {
  const asy_unit_code *code = l->code;
  uint32_t word = code->words[pc];
  const asy_op_info *info = &asy_op_table[ASY_WORD_OP(word)];
  bool wide = info->format == FORMAT_ABX && which == 1;
  uint32_t value = which == 0   ? ASY_WORD_A(word)
                   : wide       ? ASY_WORD_BX(word)
                   : which == 1 ? ASY_WORD_B(word)
                   : which == 2 ? ASY_WORD_C(word)
                                : code->words[pc + (asy_op_words(info->format) == 2)];
  asy_buf_text(out, " ");
  switch (info->operand[which]) {
    case KIND_W:
    case KIND_R:
    case KIND_RW:
    case KIND_N: print_register(code, value, out); break;
    case KIND_K:
      if (value < code->nconstants) print_constant(&code->constants[value], out);
      else asy_buf_format(out, "constant %u", value);
      break;
    case KIND_I: asy_buf_format(out, "%d", wide ? (int)(int16_t)value : (int)(int8_t)value); break;
    case KIND_U: asy_buf_format(out, "%u", value); break;
    case KIND_J: print_label(l, jump_target(code, pc), out); break;
    case KIND_S:
      if (value < code->nsites && code->sites[value].name < code->nnames)
        asy_buf_format(out, ".%s", code->names[code->sites[value].name]);
      else asy_buf_format(out, "site %u", value);
      break;
    case KIND_V:
      if (value < code->nfreevars) asy_buf_format(out, "<%s>", code->freevars[value]);
      else asy_buf_format(out, "free %u", value);
      break;
    default: break;
  }
}

static void print_handlers(const listing *l, asy_buf *out) {
  const asy_unit_code *code = l->code;
  for (uint32_t i = 0; i < code->nhandlers; i++) {
    const asy_handler *h = &code->handlers[i];
    asy_buf_format(out, "  handler %u..%u -> ", h->start, h->end);
    print_label(l, h->target, out);
    asy_buf_format(out, " r%u\n", h->reg);
  }
}

static void print_header(const asy_unit_code *code, asy_buf *out) {
  static const struct {
    uint32_t flag;
    const char *name;
  } names[] = {
    {CODE_VARARGS, "varargs"},         {CODE_VARKEYWORDS, "varkeywords"},         {CODE_GENERATOR, "generator"},
    {CODE_COROUTINE, "coroutine"},     {CODE_ASYNC_GENERATOR, "async generator"}, {CODE_CLASS_BODY, "class body"},
    {CODE_MODULE_BODY, "module body"}, {CODE_HAS_DOCSTRING, "docstring"},
  };
  asy_buf_format(out, "%s: %u registers, %u locals", code->qualname, code->nregs, code->nlocals);
  if (code->argcount || code->kwonly) asy_buf_format(out, ", %u arguments", code->argcount);
  if (code->posonly) asy_buf_format(out, " (%u positional-only)", code->posonly);
  if (code->kwonly) asy_buf_format(out, " and %u keyword-only", code->kwonly);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (code->flags & names[i].flag) asy_buf_format(out, ", %s", names[i].name);
  asy_buf_char(out, '\n');
}

void asy_dis(const asy_unit_code *code, asy_buf *out) {
  listing l = {.code = code, .labels = calloc(code->nwords + 1, sizeof *l.labels)};
  if (!l.labels) {
    out->oom = true;
    return;
  }
  find_labels(&l);
  print_header(code, out);
  uint32_t row = 0;
  int32_t line = -1, here = 0;
  for (uint32_t pc = 0; pc < code->nwords;) {
    const asy_op_info *info = &asy_op_table[ASY_WORD_OP(code->words[pc])];
    for (; row < code->npositions && code->positions[row].word <= pc; row++)
      if (!asy_is_mark(&code->positions[row])) here = code->positions[row].line;
    if (l.labels[pc]) asy_buf_format(out, "L%u:\n", l.labels[pc]);
    if (here != line && here) asy_buf_format(out, "%5d", here);
    else asy_buf_text(out, "     ");
    line = here;
    asy_buf_format(out, " %5u  %s", pc, info->name);
    for (int i = 0; i < 4; i++)
      if (info->operand[i] != KIND__) print_operand(&l, pc, i, out);
    asy_buf_char(out, '\n');
    pc += asy_op_words(info->format);
  }
  print_handlers(&l, out);
  free(l.labels);
  for (uint32_t i = 0; i < code->nconstants; i++) {
    if (code->constants[i].kind != ASY_CONST_CODE) continue;
    asy_buf_char(out, '\n');
    asy_dis(code->constants[i].code, out);
  }
}
