/* verify.c - a code unit checked. Reads the instruction table by operand kind, as the disassembler does. */
#include "lang/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lang/dis.h"
#include "lang/opcode.h"

typedef struct {
  const asy_unit_code *code;
  bool *starts; /* an instruction starts at this word */
  asy_buf *out;
  bool ok;
} checker;

__attribute__((format(printf, 3, 4))) static void complain(checker *k, uint32_t pc, const char *format, ...) {
  char text[200];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  const char *op = pc < k->code->nwords ? asy_op_table[ASY_WORD_OP(k->code->words[pc])].name : "end";
  asy_buf_format(k->out, "%s: word %u, %s: %s\n", k->code->qualname, pc, op, text);
  k->ok = false;
}

/* The registers that an operand of kind N stands for: base of how many. */
static unsigned base_count(const uint32_t *words, int which) {
  uint32_t word = words[0];
  unsigned b = ASY_WORD_C(word);
  switch (ASY_WORD_OP(word)) {
    case OP_FOR_AITER:
    case OP_GET_SLICE:
    case OP_MATCH_EXC_GROUP: return 2;
    case OP_UNPACK: return b;
    case OP_UNPACK_EX: return b + 1 + words[1];
    case OP_BUILD_SLICE:
    case OP_EXC_INFO: return 3;
    case OP_BUILD_TUPLE:
    case OP_BUILD_LIST:
    case OP_BUILD_SET:
    case OP_BUILD_STRING: return b;
    case OP_BUILD_MAP: return b * 2;
    case OP_FORMAT: return b & 4 ? 2 : 1;
    case OP_CALL:
    case OP_CALL_METHOD:
    case OP_CALL_KW:
    case OP_CALL_METHOD_KW:
    case OP_AWAIT_CALL:
    case OP_AWAIT_CALL_METHOD: return b + 4;
    case OP_CALL_EX: return b ? 6 : 5;
    case OP_IMPORT_NAME: return 2;
    case OP_MAKE_FUNCTION: return (unsigned)__builtin_popcount(b);
    case OP_MATCH_CLASS: return 2;
    case OP_INTRINSIC:
      switch (b) {
        case INTRINSIC_TYPEVAR: return 4;
        case INTRINSIC_UNPACK_LIST:
        case INTRINSIC_PARAMSPEC:
        case INTRINSIC_TYPEVARTUPLE: return 2;
        case INTRINSIC_TYPEALIAS: return 3;
        default: return 1;
      }
    default: (void)which; return 1;
  }
}

static void check_register(checker *k, uint32_t pc, unsigned reg, unsigned count) {
  if (reg + count > k->code->nregs) complain(k, pc, "register %u of %u", reg + count - 1, k->code->nregs);
}

static void check_jump(checker *k, uint32_t pc, int64_t target) {
  if (target < 0 || target >= k->code->nwords || !k->starts[target])
    complain(k, pc, "jump to word %lld", (long long)target);
}

static void check_operands(checker *k, uint32_t pc) {
  const asy_unit_code *code = k->code;
  uint32_t word = code->words[pc];
  const asy_op_info *info = &asy_op_table[ASY_WORD_OP(word)];
  for (int which = 0; which < 4; which++) {
    bool wide = info->format == FORMAT_ABX && which == 1;
    uint32_t value = which == 0                        ? ASY_WORD_A(word)
                     : wide                            ? ASY_WORD_BX(word)
                     : which == 1                      ? ASY_WORD_B(word)
                     : which == 2                      ? ASY_WORD_C(word)
                     : asy_op_words(info->format) == 2 ? code->words[pc + 1]
                                                       : 0;
    switch (info->operand[which]) {
      case KIND_W:
      case KIND_R:
      case KIND_RW: check_register(k, pc, value, 1); break;
      case KIND_N: {
        unsigned count = base_count(code->words + pc, which);
        if (count) check_register(k, pc, value, count);
        break;
      }
      case KIND_K:
        if (value >= code->nconstants) complain(k, pc, "constant %u of %u", value, code->nconstants);
        break;
      case KIND_S:
        if (value >= code->nsites || code->sites[value].name >= code->nnames)
          complain(k, pc, "site %u of %u", value, code->nsites);
        break;
      case KIND_V:
        if (value >= code->nfreevars) complain(k, pc, "free variable %u of %u", value, code->nfreevars);
        break;
      case KIND_J:
        if (info->format == FORMAT_SJ) check_jump(k, pc, (int64_t)pc + 1 + ASY_WORD_SJ(word));
        else check_jump(k, pc, (int64_t)pc + 2 + (int32_t)value);
        break;
      default: break;
    }
  }
}

/* Rules between neighbours, and of single instructions. */
static void check_rules(checker *k, uint32_t pc) {
  const asy_unit_code *code = k->code;
  uint32_t word = code->words[pc];
  unsigned op = ASY_WORD_OP(word), a = ASY_WORD_A(word);
  uint32_t next = pc + asy_op_words(asy_op_table[op].format);
  uint32_t after = next < code->nwords ? code->words[next] : 0;
  if (op == OP_AWAIT_CALL || op == OP_AWAIT_CALL_METHOD || op == OP_FOR_AITER) {
    unsigned reg = op == OP_FOR_AITER ? a + 1 : a;
    if (ASY_WORD_OP(after) != OP_AWAIT || ASY_WORD_A(after) != reg || ASY_WORD_B(after) != reg)
      complain(k, pc, "no AWAIT of register %u follows", reg);
    if (reg < code->nlocals) complain(k, pc, "register %u is a local", reg);
  }
  if (op == OP_JUMP && ASY_WORD_SJ(word) < 0) complain(k, pc, "goes backward");
  if (op == OP_JUMP_BACK && (int32_t)code->words[pc + 1] >= 0) complain(k, pc, "goes forward");
  if (op == OP_JUMP_BACK && (a < code->nlocals || a > code->nregs)) complain(k, pc, "%u live registers", a);
  if (op == OP_LOAD_METHOD) check_register(k, pc, a, 5);
  if (op == OP_LOAD_SPECIAL) check_register(k, pc, a, 2);
  if (op == OP_MAKE_FUNCTION && code->words[pc + 1] < code->nconstants &&
      code->constants[code->words[pc + 1]].kind != ASY_CONST_CODE)
    complain(k, pc, "constant %u is no code", code->words[pc + 1]);
  if ((op == OP_CALL_KW || op == OP_CALL_METHOD_KW) && code->words[pc + 1] < code->nconstants) {
    const asy_const *names = &code->constants[code->words[pc + 1]];
    if (names->kind != ASY_CONST_TUPLE || names->length > ASY_WORD_C(word))
      complain(k, pc, "keyword names are no tuple");
  }
}

static void check_tables(checker *k) {
  const asy_unit_code *code = k->code;
  for (uint32_t i = 0; i < code->nhandlers; i++) {
    const asy_handler *h = &code->handlers[i];
    if (h->start >= h->end || h->end > code->nwords || !k->starts[h->start] ||
        (h->end < code->nwords && !k->starts[h->end]))
      complain(k, h->start, "handler row %u guards %u..%u", i, h->start, h->end);
    if (h->target >= code->nwords || !k->starts[h->target])
      complain(k, h->start, "handler row %u goes to %u", i, h->target);
    if (h->reg < code->nlocals || h->reg >= code->nregs)
      complain(k, h->start, "handler row %u stores to register %u", i, h->reg);
    for (uint32_t j = 0; j < i; j++) {
      const asy_handler *inner = &code->handlers[j];
      if (inner->start < h->start && inner->end > h->start && inner->end < h->end)
        complain(k, h->start, "handler rows %u and %u overlap", j, i);
    }
  }
  for (uint32_t i = 1; i < code->npositions; i++)
    if (code->positions[i].word < code->positions[i - 1].word + !asy_is_mark(&code->positions[i - 1]))
      complain(k, code->positions[i].word, "position row %u is out of order", i);
  if (code->nlocals > code->nregs) complain(k, 0, "%u locals, %u registers", code->nlocals, code->nregs);
  for (uint32_t i = 0; i < code->nlocals; i++)
    if (!code->varnames[i]) complain(k, 0, "local %u has no name", i);
}

bool asy_verify(const asy_unit_code *code, asy_buf *out) {
  checker k = {.code = code, .starts = calloc(code->nwords + 1, sizeof(bool)), .out = out, .ok = true};
  if (!k.starts) return true;
  uint32_t pc = 0, last = 0;
  while (pc < code->nwords) {
    if (ASY_WORD_OP(code->words[pc]) >= OP_COUNT_) {
      complain(&k, 0, "word %u is no instruction", pc);
      free(k.starts);
      return false;
    }
    k.starts[pc] = true;
    last = pc;
    pc += asy_op_words(asy_op_table[ASY_WORD_OP(code->words[pc])].format);
  }
  if (!code->nwords || pc != code->nwords) complain(&k, last, "the code ends within an instruction");
  else if (!(asy_op_table[ASY_WORD_OP(code->words[last])].effects & EFFECT_ENDS))
    complain(&k, last, "control falls off the end");
  for (pc = 0; k.ok && pc < code->nwords; pc += asy_op_words(asy_op_table[ASY_WORD_OP(code->words[pc])].format)) {
    check_operands(&k, pc);
    check_rules(&k, pc);
  }
  check_tables(&k);
  free(k.starts);
  for (uint32_t i = 0; i < code->nconstants; i++)
    if (code->constants[i].kind == ASY_CONST_CODE) k.ok &= asy_verify(code->constants[i].code, out);
  return k.ok;
}

void asy_verify_or_abort(const asy_unit_code *code) {
  asy_buf out = {0};
  if (!asy_verify(code, &out)) {
    asy_buf_text(&out, "\n");
    asy_dis(code, &out);
    fputs(out.data ? out.data : "", stderr);
    abort();
  }
  asy_buf_free(&out);
}
