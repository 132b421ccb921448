/* jump.c - f_lineno = N: a trace function sends a frame to another line.
 *
 * Between statements a frame needs nothing but its locals, except in regions of its code that count on registers or on the exception
 * being handled: the frame may leave them, but not come in.
 *
 *   loop     FOR_ITER or FOR_AITER up to where it goes when exhausted: the iterator
 *   with     the guarded body: the manager and its exit method
 *   handled  PUSH_HANDLED up to its last POP_HANDLED: the exception
 *
 * Within an expression that goes over several lines, temporaries hold values: a line whose instructions read one before they write
 * it is refused too.
 */
#include "lang/opcode.h"
#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/trace.h"

typedef enum { REGION_LOOP, REGION_WITH, REGION_HANDLED } region_kind;
typedef struct {
  region_kind kind;
  uint32_t start, end;
  unsigned reg; /* first register it counts on; of HANDLED: what was handled before */
} region;

static unsigned op_at(const asy_code *code, uint32_t word) { return ASY_WORD_OP(code->words[word]); }
static uint32_t behind(const asy_code *code, uint32_t word) {
  return word + asy_op_words(asy_op_table[op_at(code, word)].format);
}

/* Where the last POP_HANDLED of the PUSH_HANDLED at word ends; the next one with its register belongs to another statement. */
static uint32_t end_of_handling(const asy_code *code, uint32_t word) {
  unsigned reg = ASY_WORD_A(code->words[word]);
  uint32_t end = word + 1;
  for (uint32_t at = word + 1; at < code->nwords; at = behind(code, at)) {
    if (ASY_WORD_A(code->words[at]) != reg) continue;
    if (op_at(code, at) == OP_PUSH_HANDLED) break;
    if (op_at(code, at) == OP_POP_HANDLED) end = at + 1;
  }
  return end;
}

/* Whether the handler at word calls an exit method: MOVE, MOVE, EXC_INFO behind its PUSH_HANDLED. */
static bool is_exit(const asy_code *code, uint32_t word) {
  return op_at(code, word) == OP_PUSH_HANDLED && word + 3 < code->nwords && op_at(code, word + 1) == OP_MOVE &&
         op_at(code, word + 3) == OP_EXC_INFO;
}

/* The region that begins with the instruction at word. */
static bool region_of_word(const asy_code *code, uint32_t word, region *out) {
  uint32_t instruction = code->words[word];
  switch (op_at(code, word)) {
    case OP_FOR_ITER:
    case OP_FOR_AITER:
      *out = (region){REGION_LOOP, word, word + 2 + code->words[word + 1], ASY_WORD_A(instruction)};
      return true;
    case OP_PUSH_HANDLED:
      *out = (region){REGION_HANDLED, word, end_of_handling(code, word), ASY_WORD_A(instruction)};
      return true;
    default: return false;
  }
}

static bool holds(const region *r, uint32_t word) { return r->start <= word && word < r->end; }

/* How many regions hold `inside` but not `outside`; the kind of one of them. */
static uint32_t count_regions(const asy_code *code, uint32_t inside, uint32_t outside, region_kind *kind) {
  uint32_t count = 0;
  region r;
  for (uint32_t word = 0; word < code->nwords; word = behind(code, word))
    if (region_of_word(code, word, &r) && holds(&r, inside) && !holds(&r, outside)) count++, *kind = r.kind;
  for (uint32_t i = 0; i < code->nhandlers; i++) {
    const asy_handler *h = &code->handlers[i];
    r = (region){REGION_WITH, h->start, h->end, h->reg};
    if (is_exit(code, h->target) && holds(&r, inside) && !holds(&r, outside)) count++, *kind = r.kind;
  }
  return count;
}

/* Whether the register is one that a region around word counts on. */
static bool is_kept(const asy_code *code, uint32_t word, unsigned reg) {
  region r;
  for (uint32_t at = 0; at < code->nwords; at = behind(code, at))
    if (region_of_word(code, at, &r) && holds(&r, word) && reg >= r.reg && reg <= r.reg + 1) return true;
  for (uint32_t i = 0; i < code->nhandlers; i++) {
    const asy_handler *h = &code->handlers[i];
    if (is_exit(code, h->target) && h->start <= word && word < h->end && reg < h->reg) return true;
  }
  return false;
}

/* Whether the instructions from word on read a temporary that none of them has written. */
static bool within_expression(const asy_code *code, uint32_t word) {
  bool written[256] = {false};
  for (uint32_t at = word; at < code->nwords; at = behind(code, at)) {
    const asy_op_info *info = &asy_op_table[op_at(code, at)];
    const unsigned regs[] = {ASY_WORD_A(code->words[at]), ASY_WORD_B(code->words[at]), ASY_WORD_C(code->words[at])};
    bool nothing = info->operand[1] == KIND_N && info->operand[2] == KIND_U && !regs[2]; /* BUILD_LIST of none */
    for (int i = 0; i < 3 && !nothing; i++) {
      bool reads = info->operand[i] == KIND_R || info->operand[i] == KIND_RW || (i && info->operand[i] == KIND_N);
      if (reads && regs[i] >= code->nlocals && !written[regs[i]] && !is_kept(code, at, regs[i])) return true;
    }
    if (info->operand[0] == KIND_W || info->operand[0] == KIND_N) /* of some, also registers above it */
      for (unsigned reg = regs[0]; reg < 256 && reg < regs[0] + 5; reg++) written[reg] = true;
    if (info->effects & (EFFECT_JUMPS | EFFECT_ENDS)) return false;
  }
  return false;
}

static bool begins_instruction(const asy_code *code, uint32_t word) {
  uint32_t at = 0;
  while (at < word) at = behind(code, at);
  return at == word && word < code->nwords;
}

/* Why the frame cannot go from one word to another; NULL: it can. */
static const char *obstacle(const asy_code *code, uint32_t from, uint32_t to) {
  static const char *const into[] = {"can't jump into the body of a for loop", "incompatible stacks",
                                     "can't jump into an 'except' block as there's no exception"};
  region_kind kind;
  if (count_regions(code, to, from, &kind)) return into[kind];
  return within_expression(code, to) ? "incompatible stacks" : NULL;
}

/* What was handled before the outermost handler that is left is handled again. */
static void leave_handlers(asy_vm *vm, asy_value *base, uint32_t from, uint32_t to) {
  const asy_code *code = asy_frame_code(base);
  region r;
  for (uint32_t word = 0; word < code->nwords; word = behind(code, word)) {
    if (!region_of_word(code, word, &r) || r.kind != REGION_HANDLED || !holds(&r, from) || holds(&r, to)) continue;
    asy_value before = base[r.reg];
    vm->handled = before == ASY_UNBOUND ? asy_gen_of_base(base)->outer_handled : before;
    return;
  }
}

/* Code that was compiled for locals with values may come to run without them. */
static bool give_values(asy_vm *vm, asy_value *base) {
  const asy_code *code = asy_frame_code(base);
  unsigned count = 0;
  for (uint32_t i = 0; i < code->nlocals; i++)
    count += base[i] == ASY_UNBOUND && !code->is_cell[i] && code->varnames[i]->len;
  if (!count || !(code->flags & CODE_OPTIMIZED)) return true;
  char text[48];
  snprintf(text, sizeof text, "assigning None to %u unbound local%s", count, count == 1 ? "" : "s");
  if (!asy_warn(vm, ASY_RuntimeWarning, text, 1)) return false;
  for (uint32_t i = 0; i < code->nlocals; i++)
    if (base[i] == ASY_UNBOUND && !code->is_cell[i] && code->varnames[i]->len) base[i] = ASY_NONE;
  return true;
}

bool asy_trace_jump(asy_vm *vm, asy_value frame, asy_value *base, int64_t wanted) {
  const asy_code *code = asy_frame_code(base);
  int64_t line = INT64_MAX;
  if (wanted < code->first_line)
    return asy_raise(vm, ASY_ValueError, "line %lld comes before the current code block", (long long)wanted), false;
  for (uint32_t i = 0; i < code->npositions; i++)
    if (code->positions[i].line >= wanted && code->positions[i].line < line) line = code->positions[i].line;
  if (line == INT64_MAX)
    return asy_raise(vm, ASY_ValueError, "line %lld comes after the current code block", (long long)wanted), false;
  uint32_t from = asy_frame_word(base) - 1;
  const char *why = NULL;
  uint32_t best = 0, least = UINT32_MAX; /* where the frame leaves as little as it can: `finally` is there twice */
  for (uint32_t i = 0; i < code->npositions; i++) {
    uint32_t to = code->positions[i].word;
    if (code->positions[i].line != line || !begins_instruction(code, to)) continue;
    const char *problem = obstacle(code, from, to);
    if (problem && !why) why = problem;
    region_kind kind;
    uint32_t leaves = problem ? UINT32_MAX : count_regions(code, from, to, &kind);
    if (leaves < least) best = to, least = leaves;
  }
  if (least == UINT32_MAX) return asy_raise(vm, ASY_ValueError, "%s", why ? why : "incompatible stacks"), false;
  if (!give_values(vm, base)) return false;
  leave_handlers(vm, base, from, best);
  asy_frame_trace *state = asy_frame_trace_of(frame);
  state->line = (int32_t)line; /* who jumps knows it: it is not told */
  state->loop_end = 0;
  state->word = -1;
  state->behind = (int32_t)best;
  asy_frame_set_pc(base, code->words + best);
  return true;
}
