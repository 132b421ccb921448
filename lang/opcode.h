/* opcode.h - the instruction set of the register machine: one table.
 *
 * Code is an array of 32-bit words. An instruction is one word `op:8 A:8 B:8 C:8` (op in the low byte, then A, B, C upwards),
 * `op:8 A:8 BX:16`, or `op:8 SJ:24`; formats ending in X have a second word. Jump distances count words from the first
 * word after the instruction. A frame has up to 256 registers: parameters first (positional, keyword-only, *args, **kwargs),
 * then the other locals, then temporaries, which the compiler uses as a stack.
 *
 * A call window at register W is `W: callee, W+1..W+3: room for the frame header, W+4..: arguments`. The callee's registers
 * overlap the arguments. At any instruction that may collect (CALLS), registers below the window (or below the temporaries it
 * reads) must all have been written: locals start as UNBOUND.
 *
 * The running program rewrites nothing but opcode bytes (quickening).
 */
#ifndef ASY_LANG_OPCODE_H
#define ASY_LANG_OPCODE_H

#include <stdbool.h>
#include <stdint.h>

/* Operand kinds: W register written, R register read, RW both, N register base of several (meaning says how many),
 * K constant index (BX, or X), I signed small int, U unsigned small int, J jump distance (X or SJ), S inline-cache site (X),
 * V free variable index (BX), _ unused.
 * Effects: CALLS may run script code or collect; RAISES may raise; SUSPENDS may suspend the frame; JUMPS; ENDS never falls
 * through. name, format, A, B, C or BX, X, effects, meaning (for those who read this) */
/* clang-format off */
#define ASY_OPCODES(OP)                                                                                                    \
  OP(NOP, NONE, _, _, _, _, 0, "nothing")                                                                                  \
  OP(MOVE, AB, W, R, _, _, 0, "A = B")                                                                                     \
  OP(LOAD_K, ABX, W, K, _, _, 0, "A = constants[BX]")                                                                      \
  OP(LOAD_I, ABX, W, I, _, _, 0, "A = BX as a signed int")                                                                 \
  OP(CLEAR, A, W, _, _, _, 0, "A = UNBOUND")                                                                               \
  OP(CHECK_BOUND, A, R, _, _, _, EFFECT_RAISES, "raise UnboundLocalError naming local A when it is UNBOUND")               \
  OP(DEL_LOCAL, A, RW, _, _, _, EFFECT_RAISES, "check as CHECK_BOUND, then A = UNBOUND")                                   \
  OP(MAKE_CELL, A, RW, _, _, _, 0, "A = a new cell holding A (which may be UNBOUND)")                                      \
  OP(LOAD_CELL, AB, W, R, _, _, EFFECT_RAISES, "A = what the cell in B holds; NameError when empty (name of local B)")     \
  OP(STORE_CELL, AB, R, R, _, _, 0, "the cell in A holds B")                                                               \
  OP(DEL_CELL, A, R, _, _, _, EFFECT_RAISES, "empty the cell in A; NameError when empty")                                  \
  OP(LOAD_FREE, ABX, W, V, _, _, EFFECT_RAISES, "A = what free variable BX holds; NameError when empty")                   \
  OP(STORE_FREE, ABX, R, V, _, _, 0, "free variable BX holds A")                                                           \
  OP(DEL_FREE, ABX, _, V, _, _, EFFECT_RAISES, "empty free variable BX; NameError when empty")                             \
  OP(LOAD_CLOSURE, ABX, W, V, _, _, 0, "A = the cell of free variable BX")                                                 \
  OP(LOAD_FREE_CLASS, ABX, W, V, _, _, EFFECT_CALLS | EFFECT_RAISES, "A = name of free variable BX in the namespace R0, else LOAD_FREE") \
  OP(LOAD_GLOBAL, AX, W, _, _, S, EFFECT_CALLS | EFFECT_RAISES, "A = global or builtin named by site X")                   \
  OP(STORE_GLOBAL, AX, R, _, _, S, EFFECT_CALLS | EFFECT_RAISES, "global named by site X = A")                             \
  OP(DEL_GLOBAL, AX, _, _, _, S, EFFECT_CALLS | EFFECT_RAISES, "delete the global named by site X")                        \
  OP(LOAD_NAME, AX, W, _, _, S, EFFECT_CALLS | EFFECT_RAISES, "A = name of site X in the namespace R0, else global or builtin") \
  OP(STORE_NAME, AX, R, _, _, S, EFFECT_CALLS | EFFECT_RAISES, "name of site X in the namespace R0 = A")                   \
  OP(DEL_NAME, AX, _, _, _, S, EFFECT_CALLS | EFFECT_RAISES, "delete the name of site X from the namespace R0")            \
  OP(LOAD_BUILD_CLASS, A, W, _, _, _, EFFECT_RAISES, "A = builtins.__build_class__")                                       \
  OP(LOAD_ASSERTION_ERROR, A, W, _, _, _, 0, "A = AssertionError")                                                         \
  OP(LOAD_LOCALS, A, W, _, _, _, 0, "A = the namespace R0 (class and module bodies)")                                      \
  OP(GET_ATTR, ABX_S, W, R, _, S, EFFECT_CALLS | EFFECT_RAISES, "A = B.name of site X")                                    \
  OP(SET_ATTR, ABX_S, R, R, _, S, EFFECT_CALLS | EFFECT_RAISES, "A.name of site X = B")                                    \
  OP(DEL_ATTR, AX, R, _, _, S, EFFECT_CALLS | EFFECT_RAISES, "del A.name of site X")                                       \
  OP(LOAD_METHOD, ABX_S, W, R, _, S, EFFECT_CALLS | EFFECT_RAISES, "A = method named by site X of B and A+4 = B, or A = B.name and A+4 = UNBOUND") \
  OP(LOAD_SPECIAL, ABC, W, R, U, _, EFFECT_CALLS | EFFECT_RAISES, "A = special method C (asy_special) of B's class, A+1 = B; or A = bound value, A+1 = UNBOUND") \
  OP(GET_ITEM, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B[C]")                                                  \
  OP(GET_ITEM_I, ABC, W, R, I, _, EFFECT_CALLS | EFFECT_RAISES, "A = B[the int C]")                                        \
  OP(GET_SLICE, ABC, W, R, N, _, EFFECT_CALLS | EFFECT_RAISES, "A = B[C:C+1]")                                             \
  OP(SET_ITEM, ABC, R, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A[B] = C")                                                  \
  OP(DEL_ITEM, AB, R, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "del A[B]")                                                   \
  OP(BUILD_SLICE, AB, W, N, _, _, 0, "A = slice(B, B+1, B+2)")                                                             \
  OP(ADD, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B + C")                                                      \
  OP(SUB, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B - C")                                                      \
  OP(MUL, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B * C")                                                      \
  OP(TRUEDIV, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B / C")                                                  \
  OP(FLOORDIV, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B // C")                                                \
  OP(MOD, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B % C")                                                      \
  OP(POW, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B ** C")                                                     \
  OP(LSHIFT, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B << C")                                                  \
  OP(RSHIFT, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B >> C")                                                  \
  OP(AND, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B & C")                                                      \
  OP(OR, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B | C")                                                       \
  OP(XOR, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B ^ C")                                                      \
  OP(MATMUL, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B @ C")                                                   \
  OP(ADD_I, ABC, W, R, I, _, EFFECT_CALLS | EFFECT_RAISES, "A = B + the int C")                                            \
  OP(SUB_I, ABC, W, R, I, _, EFFECT_CALLS | EFFECT_RAISES, "A = B - the int C")                                            \
  OP(INPLACE, ABCX, W, R, R, U, EFFECT_CALLS | EFFECT_RAISES, "A = B op= C, X the row of ASY_BINARY_OPS")                  \
  OP(IADD, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B += C")                                                    \
  OP(IADD_I, ABC, W, R, I, _, EFFECT_CALLS | EFFECT_RAISES, "A = B += the int C")                                          \
  OP(ISUB_I, ABC, W, R, I, _, EFFECT_CALLS | EFFECT_RAISES, "A = B -= the int C")                                          \
  OP(NEG, AB, W, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "A = -B")                                                          \
  OP(POS, AB, W, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "A = +B")                                                          \
  OP(INVERT, AB, W, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "A = ~B")                                                       \
  OP(NOT, AB, W, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "A = not B")                                                       \
  OP(LT, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B < C")                                                       \
  OP(LE, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B <= C")                                                      \
  OP(EQ, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B == C")                                                      \
  OP(NE, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B != C")                                                      \
  OP(GT, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B > C")                                                       \
  OP(GE, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B >= C")                                                      \
  OP(IS, ABC, W, R, R, _, 0, "A = B is C")                                                                                 \
  OP(IS_NOT, ABC, W, R, R, _, 0, "A = B is not C")                                                                         \
  OP(IN, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B in C")                                                      \
  OP(NOT_IN, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = B not in C")                                              \
  OP(JUMP, SJ, _, _, _, J, EFFECT_JUMPS | EFFECT_ENDS, "jump")                                                             \
  OP(JUMP_BACK, AX, U, _, _, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS | EFFECT_ENDS, "safepoint, then jump; registers from A up are dead") \
  OP(JUMP_IF_TRUE, AX, R, _, _, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when A is true")                     \
  OP(JUMP_IF_FALSE, AX, R, _, _, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when A is false")                   \
  OP(JUMP_IF_NONE, AX, R, _, _, J, EFFECT_JUMPS, "jump when A is None")                                                    \
  OP(JUMP_IF_NOT_NONE, AX, R, _, _, J, EFFECT_JUMPS, "jump when A is not None")                                            \
  OP(JUMP_LT, ABCX, R, R, U, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when (A < B) is C (1 true, 0 false)")   \
  OP(JUMP_LE, ABCX, R, R, U, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when (A <= B) is C")                    \
  OP(JUMP_EQ, ABCX, R, R, U, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when (A == B) is C")                    \
  OP(JUMP_NE, ABCX, R, R, U, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when (A != B) is C")                    \
  OP(JUMP_GT, ABCX, R, R, U, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when (A > B) is C")                     \
  OP(JUMP_GE, ABCX, R, R, U, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when (A >= B) is C")                    \
  OP(JUMP_LT_I, ABCX, R, I, U, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when (A < the int B) is C")           \
  OP(JUMP_LE_I, ABCX, R, I, U, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when (A <= the int B) is C")          \
  OP(JUMP_EQ_I, ABCX, R, I, U, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when (A == the int B) is C")          \
  OP(JUMP_NE_I, ABCX, R, I, U, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when (A != the int B) is C")          \
  OP(JUMP_GT_I, ABCX, R, I, U, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when (A > the int B) is C")           \
  OP(JUMP_GE_I, ABCX, R, I, U, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when (A >= the int B) is C")          \
  OP(JUMP_IS, ABCX, R, R, U, J, EFFECT_JUMPS, "jump when (A is B) is C")                                                   \
  OP(JUMP_IN, ABCX, R, R, U, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "jump when (A in B) is C")                    \
  OP(GET_ITER, AB, W, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "A = iter(B)")                                                \
  OP(FOR_ITER, ABX_S, R, W, _, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_JUMPS, "B = next(A), or jump when exhausted")       \
  OP(UNPACK, ABC, N, R, U, _, EFFECT_CALLS | EFFECT_RAISES, "A .. A+C-1 = the C items of B")                               \
  OP(UNPACK_EX, ABCX, N, R, U, U, EFFECT_CALLS | EFFECT_RAISES, "A.. = first C items of B, a list of the rest, the last X items") \
  OP(BUILD_TUPLE, ABC, W, N, U, _, 0, "A = tuple of the C registers from B")                                               \
  OP(BUILD_LIST, ABC, W, N, U, _, 0, "A = list of the C registers from B")                                                 \
  OP(BUILD_SET, ABC, W, N, U, _, EFFECT_CALLS | EFFECT_RAISES, "A = set of the C registers from B")                        \
  OP(BUILD_MAP, ABC, W, N, U, _, EFFECT_CALLS | EFFECT_RAISES, "A = dict of the C key, value pairs from B")                \
  OP(BUILD_STRING, ABC, W, N, U, _, EFFECT_RAISES, "A = the C strings from B joined")                                      \
  OP(LIST_APPEND, AB, R, R, _, _, EFFECT_RAISES, "append B to the list A")                                                 \
  OP(LIST_EXTEND, AB, R, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "append the items of the iterable B to the list A (message of a * argument)") \
  OP(LIST_TO_TUPLE, AB, W, R, _, _, 0, "A = tuple of the list B")                                                          \
  OP(SET_ADD, AB, R, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "add B to the set A")                                          \
  OP(SET_UPDATE, AB, R, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "add the items of the iterable B to the set A")             \
  OP(MAP_ADD, ABC, R, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A[B] = C in the dict A")                                     \
  OP(DICT_UPDATE, AB, R, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "update the dict A by the mapping B")                      \
  OP(DICT_MERGE, ABC, R, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "as DICT_UPDATE for ** arguments of callee C: TypeError on a repeated key") \
  OP(FORMAT, ABC, W, N, U, _, EFFECT_CALLS | EFFECT_RAISES, "A = format of B; C & 3: 0 none, 1 !s, 2 !r, 3 !a; C & 4: spec in B+1") \
  OP(CALL, ABC, W, N, U, _, EFFECT_CALLS | EFFECT_RAISES, "A = call of the window at B with C arguments")                  \
  OP(CALL_METHOD, ABC, W, N, U, _, EFFECT_CALLS | EFFECT_RAISES, "as CALL after LOAD_METHOD: C counts B+4, which is dropped when UNBOUND") \
  OP(CALL_KW, ABCX, W, N, U, K, EFFECT_CALLS | EFFECT_RAISES, "as CALL; the last arguments are named by the tuple constant X") \
  OP(CALL_METHOD_KW, ABCX, W, N, U, K, EFFECT_CALLS | EFFECT_RAISES, "as CALL_METHOD and CALL_KW")                         \
  OP(CALL_EX, ABC, W, N, U, _, EFFECT_CALLS | EFFECT_RAISES, "A = call of B with the items of the iterable B+4 and, if C, the dict B+5") \
  OP(AWAIT_CALL, ABC, W, N, U, _, EFFECT_CALLS | EFFECT_RAISES | EFFECT_SUSPENDS, "as CALL, and always followed by AWAIT A A: an async callee runs in place and skips it") \
  OP(AWAIT_CALL_METHOD, ABC, W, N, U, _, EFFECT_CALLS | EFFECT_RAISES | EFFECT_SUSPENDS, "as CALL_METHOD, likewise")       \
  OP(AWAIT, ABC, W, RW, U, _, EFFECT_CALLS | EFFECT_RAISES | EFFECT_SUSPENDS, "A = result of awaiting B, a temporary that may be replaced; run again on resume; C: where B comes from (asy_await_origin)") \
  OP(RETURN, A, R, _, _, _, EFFECT_ENDS, "return A")                                                                       \
  OP(RETURN_NONE, NONE, _, _, _, _, EFFECT_ENDS, "return None")                                                            \
  OP(YIELD, AB, W, R, _, _, EFFECT_RAISES | EFFECT_SUSPENDS, "yield B; A = what is sent")                                  \
  OP(GET_YIELD_FROM_ITER, AB, W, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "A = iter(B), or B itself when a generator (or a coroutine where allowed)") \
  OP(YIELD_FROM, AB, W, R, _, _, EFFECT_CALLS | EFFECT_RAISES | EFFECT_SUSPENDS, "A = result of delegating to the iterator B; run again on resume") \
  OP(GET_AITER, AB, W, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "A = B.__aiter__(), checked")                                \
  OP(FOR_AITER, AX, N, _, _, J, EFFECT_CALLS | EFFECT_RAISES | EFFECT_SUSPENDS | EFFECT_JUMPS, "A+1 = A.__anext__(), always followed by AWAIT A+1 A+1; an async generator runs in place, skips it, and jumps at its end") \
  OP(END_ASYNC_FOR, AX, R, _, _, J, EFFECT_RAISES | EFFECT_JUMPS, "jump when the exception A is StopAsyncIteration, else raise it again") \
  OP(RAISE, ABC, R, R, U, _, EFFECT_CALLS | EFFECT_RAISES | EFFECT_ENDS, "C 0: bare raise; 1: raise A; 2: raise A from B") \
  OP(RERAISE, A, R, _, _, _, EFFECT_RAISES | EFFECT_ENDS, "raise the exception A on, traceback and context kept")          \
  OP(PUSH_HANDLED, AB, W, R, _, _, 0, "A = the exception being handled (or None); now B is")                               \
  OP(POP_HANDLED, A, R, _, _, _, 0, "the exception being handled is A again")                                              \
  OP(MATCH_EXC, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = exception B matches the class or tuple C")             \
  OP(MATCH_EXC_GROUP, ABC, N, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "except*: A = matching part of B for C or None, A+1 = the rest or None") \
  OP(MERGE_EXC_GROUP, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "except* end: A = what list C of raised and unhandled exceptions of B leaves to raise, or None") \
  OP(EXC_INFO, AB, N, R, _, _, 0, "A, A+1, A+2 = type, value, traceback of the exception B")                               \
  OP(IMPORT_NAME, ABX_S, W, N, _, S, EFFECT_CALLS | EFFECT_RAISES, "A = import of the name of site X; fromlist B, level B+1") \
  OP(IMPORT_FROM, ABX_S, W, R, _, S, EFFECT_CALLS | EFFECT_RAISES, "A = name of site X from the module B, ImportError when absent") \
  OP(IMPORT_STAR, A, R, _, _, _, EFFECT_CALLS | EFFECT_RAISES, "all public names of the module A into the namespace R0")   \
  OP(MAKE_FUNCTION, ABCX, W, N, U, K, 0, "A = function of code constant X; parts from B up as C (asy_function_part) says")  \
  OP(SETUP_ANNOTATIONS, NONE, _, _, _, _, EFFECT_CALLS | EFFECT_RAISES, "the namespace R0 gets __annotations__ when it has none") \
  OP(MATCH_SEQUENCE, AB, W, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "A = B matches sequence patterns")                      \
  OP(MATCH_MAPPING, AB, W, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "A = B matches mapping patterns")                        \
  OP(MATCH_KEYS, ABC, W, R, R, _, EFFECT_CALLS | EFFECT_RAISES, "A = tuple of the values of the mapping B for the keys tuple C, or None") \
  OP(MATCH_CLASS, ABCX, W, N, U, K, EFFECT_CALLS | EFFECT_RAISES, "A = tuple of attributes of B for class B+1, C positional patterns and keyword names constant X; or None") \
  OP(GET_LEN, AB, W, R, _, _, EFFECT_CALLS | EFFECT_RAISES, "A = len(B)")                                                  \
  OP(INTRINSIC, ABC, W, N, U, _, EFFECT_CALLS | EFFECT_RAISES, "A = asy_intrinsic C applied to the registers from B")      \
  OP(DROP, A, R, _, _, _, EFFECT_CALLS | EFFECT_RAISES, "the value A of an expression statement is not used")              \
  OP(LOAD_FAR, ABX, W, U, _, _, 0, "A = item BX of the list of far locals in the last local register; UnboundLocalError when UNBOUND") \
  OP(STORE_FAR, ABX, R, U, _, _, 0, "item BX of the far locals = A")
/* clang-format on */

typedef enum {
#define OP(name, ...) OP_##name,
  ASY_OPCODES(OP)
#undef OP
    OP_COUNT_
} asy_op;

enum { EFFECT_CALLS = 1, EFFECT_RAISES = 2, EFFECT_SUSPENDS = 4, EFFECT_JUMPS = 8, EFFECT_ENDS = 16 };

/* One word: NONE, A, AB, ABC, ABX (16-bit BX in B and C), SJ (24 bits). Two words: AX, ABX_S (A, B and X), ABCX. */
typedef enum {
  FORMAT_NONE,
  FORMAT_A,
  FORMAT_AB,
  FORMAT_ABC,
  FORMAT_ABX,
  FORMAT_SJ,
  FORMAT_AX,
  FORMAT_ABX_S,
  FORMAT_ABCX
} asy_code_format;
typedef enum {
  KIND__,
  KIND_W,
  KIND_R,
  KIND_RW,
  KIND_N,
  KIND_K,
  KIND_I,
  KIND_U,
  KIND_J,
  KIND_S,
  KIND_V
} asy_operand_kind;

typedef struct {
  const char *name;
  uint8_t format;     /* asy_code_format */
  uint8_t operand[4]; /* asy_operand_kind of A, B (or BX), C, X */
  uint8_t effects;
} asy_op_info;
extern const asy_op_info asy_op_table[OP_COUNT_];

static inline unsigned asy_op_words(unsigned format) { return format >= FORMAT_AX ? 2 : 1; }

#define ASY_WORD_OP(w) ((w)&0xff)
#define ASY_WORD_A(w) ((w) >> 8 & 0xff)
#define ASY_WORD_B(w) ((w) >> 16 & 0xff)
#define ASY_WORD_C(w) ((w) >> 24)
#define ASY_WORD_BX(w) ((w) >> 16)
#define ASY_WORD_SBX(w) ((int32_t)(w) >> 16)
#define ASY_WORD_SB(w) ((int8_t)((w) >> 16))
#define ASY_WORD_SC(w) ((int8_t)((w) >> 24))
#define ASY_WORD_SJ(w) ((int32_t)(w) >> 8)

/* Parts that follow each other in the registers from B of MAKE_FUNCTION, in this order, when the bit is set. */
enum asy_function_part {
  PART_DEFAULTS = 1,    /* tuple of positional defaults */
  PART_KWDEFAULTS = 2,  /* dict of keyword-only defaults */
  PART_ANNOTATIONS = 4, /* dict */
  PART_CLOSURE = 8,     /* tuple of cells, in the order of the code's free variables */
  PART_TYPE_PARAMS = 16 /* tuple */
};

enum asy_special { SPECIAL_ENTER, SPECIAL_EXIT, SPECIAL_AENTER, SPECIAL_AEXIT };

/* What the awaited value is, for the message when it is not awaitable. */
enum asy_await_origin { AWAIT_EXPRESSION, AWAIT_AENTER, AWAIT_AEXIT, AWAIT_ANEXT };

enum asy_intrinsic {
  INTRINSIC_PRINT, /* the REPL's display of an expression statement: B */
  /* bound, constraints, default: a function without parameters that computes the value when it is asked for, or None */
  INTRINSIC_TYPEVAR,             /* B name, B+1 bound, B+2 constraints (the function gives a tuple), B+3 default */
  INTRINSIC_PARAMSPEC,           /* B name, B+1 default */
  INTRINSIC_TYPEVARTUPLE,        /* B name, B+1 default */
  INTRINSIC_TYPEALIAS,           /* B name, B+1 type params tuple or None, B+2 function computing the value */
  INTRINSIC_SUBSCRIPT_GENERIC,   /* B type params tuple: typing.Generic[...] */
  INTRINSIC_UNPACK_LIST,         /* B iterable, B+1 how many items: a list of exactly that many, errors as UNPACK */
  INTRINSIC_STOP_ITERATION_ERROR /* B exception: RuntimeError "generator raised StopIteration" in its place */
};

#endif
