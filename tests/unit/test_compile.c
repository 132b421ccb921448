/* test_compile.c - source to instructions, and what may not be compiled. */
#include <criterion/criterion.h>

#include "lang/compile.h"
#include "lang/dis.h"
#include "lang/unparse.h"
#include "lang/verify.h"

static asy_arena arena;
static asy_buf text;
static asy_diagnostic d;

static void set_up(void) { asy_arena_init(&arena); }

static void tear_down(void) {
  asy_arena_free(&arena);
  asy_buf_free(&text);
}

TestSuite(compile, .init = set_up, .fini = tear_down);

static const asy_unit_code *unit_of(const char *program, const asy_compile_options *options,
                                    asy_diagnostic *diagnostic) {
  asy_source source;
  if (!asy_source_init(&source, "test", program, strlen(program), diagnostic)) return NULL;
  const asy_unit_code *code = asy_compile(&arena, &source, options, diagnostic);
  asy_source_free(&source);
  return code;
}

/* "line:column message" of the error, or "fine". */
static const char *error_of(const char *program) {
  if (unit_of(program, NULL, &d)) return "fine";
  text.len = 0;
  asy_buf_format(&text, "%u:%u %s", d.line, d.col, d.message);
  return text.data;
}

/* The instructions of the first function of the program, without positions: "ADD r0(a) r0(a) r1(b); RETURN r0(a)". */
static const char *code_of(const char *program) {
  const asy_unit_code *code = unit_of(program, NULL, &d);
  if (!code) return d.message;
  cr_assert(asy_verify(code, &text), "%s", text.data);
  for (uint32_t i = 0; i < code->nconstants; i++)
    if (code->constants[i].kind == ASY_CONST_CODE) {
      code = code->constants[i].code;
      break;
    }
  asy_buf listing = {0};
  asy_dis(code, &listing);
  text.len = 0;
  for (char *line = strchr(listing.data, '\n') + 1, *end; (end = strchr(line, '\n')) && end > line; line = end + 1) {
    if (line[0] != ' ' && line[0] != 'L') break;
    const char *from = line[0] == 'L' ? line : !strncmp(line, "  handler", 9) ? line + 2 : line + 13;
    if (text.len) asy_buf_text(&text, line > listing.data && line[-2] == ':' ? " " : "; ");
    asy_buf_add(&text, from, (size_t)(end - from));
  }
  asy_buf_free(&listing);
  return text.data;
}

/* --- Instructions -------------------------------------------------------------------------------------------------------- */

Test(compile, a_local_is_used_where_it_is) {
  cr_assert_str_eq(code_of("def f(a, b): return a + b"), "ADD r2 r0(a) r1(b); RETURN r2");
}

Test(compile, the_last_instruction_writes_the_local) {
  cr_assert_str_eq(code_of("def f(s, i): s = s + i * i"), "MUL r2 r1(i) r1(i); ADD r0(s) r0(s) r2; RETURN_NONE");
}

Test(compile, a_call_writes_its_result_to_the_local) {
  cr_assert_str_eq(code_of("def f(g, x): x = g(x)"), "MOVE r2 r0(g); MOVE r6 r1(x); CALL r1(x) r2 1; RETURN_NONE");
}

Test(compile, a_local_that_a_walrus_rebinds_is_copied) {
  cr_assert_str_eq(code_of("def f(a): return a + (a := 1)"),
                   "MOVE r1 r0(a); LOAD_I r2 1; MOVE r0(a) r2; ADD r1 r1 r2; RETURN r1");
}

Test(compile, a_swap_makes_no_tuple) {
  cr_assert_str_eq(code_of("def f(a, b): a, b = b, a"), "MOVE r2 r0(a); MOVE r0(a) r1(b); MOVE r1(b) r2; RETURN_NONE");
}

Test(compile, only_a_local_without_certain_value_is_checked) {
  cr_assert_str_eq(code_of("def f(c):\n  if c: x = 1\n  return x"),
                   "JUMP_IF_FALSE r0(c) L1; LOAD_I r1(x) 1; L1: CHECK_BOUND r1(x); RETURN r1(x)");
  cr_assert_str_eq(code_of("def f(c):\n  if c: x = 1\n  else: x = 2\n  return x"),
                   "JUMP_IF_FALSE r0(c) L1; LOAD_I r1(x) 1; RETURN r1(x); L1: LOAD_I r1(x) 2; RETURN r1(x)");
}

Test(compile, a_deleted_local_has_no_certain_value_in_a_loop) {
  cr_assert_str_eq(code_of("def f(x):\n  while x:\n    del x"),
                   "L1: CHECK_BOUND r0(x); JUMP_IF_FALSE r0(x) L2; CLEAR r0(x); JUMP_BACK 1 L1; L2: RETURN_NONE");
}

Test(compile, conditions_jump_without_a_value) {
  cr_assert_str_eq(
    code_of("def f(a, b):\n  while a < b and not a is None: a += 1"),
    "L1: JUMP_LT r0(a) r1(b) 0 L2; JUMP_IF_NONE r0(a) L2; IADD_I r0(a) r0(a) 1; JUMP_BACK 2 L1; L2: RETURN_NONE");
}

Test(compile, break_in_an_if_is_one_jump) {
  cr_assert_str_eq(code_of("def f(a):\n  while True:\n    if a == 3: break"),
                   "L1: JUMP_EQ_I r0(a) 3 1 L2; JUMP_BACK 1 L1; L2: RETURN_NONE");
}

Test(compile, a_comparison_chain_evaluates_each_operand_once) {
  cr_assert_str_eq(code_of("def f(a, g):\n  if 0 < g() < a: return 1"),
                   "LOAD_I r2 0; MOVE r3 r1(g); CALL r3 r3 0; JUMP_LT r2 r3 0 L1; MOVE r2 r3; JUMP_LT r2 r0(a) 0 L1; "
                   "LOAD_I r2 1; RETURN r2; L1: RETURN_NONE");
}

Test(compile, await_of_a_call_is_a_pair) {
  cr_assert_str_eq(code_of("async def f(g): return await g(1)"),
                   "MOVE r2 r0(g); LOAD_I r6 1; AWAIT_CALL r2 r2 1; AWAIT r2 r2 0; RETURN r2");
  cr_assert_str_eq(code_of("async def f(g): await g"), "MOVE r2 r0(g); AWAIT r2 r2 0; DROP r2; RETURN_NONE");
}

Test(compile, the_value_of_a_return_outlives_finally) {
  cr_assert_str_eq(code_of("def f(x):\n  try: return x\n  finally: x = 2"),
                   "MOVE r1 r0(x); LOAD_I r0(x) 2; RETURN r1"); /* nothing in the body can raise */
  cr_assert_str_eq(
    code_of("def f(g):\n  try: return g()\n  finally: g = 2"),
    "MOVE r1 r0(g); CALL r1 r1 0; LOAD_I r0(g) 2; RETURN r1; L1: PUSH_HANDLED r2 r1; LOAD_I r0(g) 2; POP_HANDLED r2; "
    "RERAISE r1; handler 0..2 -> L1 r1");
}

Test(compile, a_comprehension_variable_lives_where_the_iteration_puts_it) {
  cr_assert_str_eq(
    code_of("def f(a): return [x for x in a]"),
    "BUILD_LIST r1 r1 0; GET_ITER r2 r0(a); L1: FOR_ITER r2 r3 L2; LIST_APPEND r1 r3; JUMP_BACK 4 L1; L2: RETURN r1");
}

Test(compile, equal_constants_of_different_kinds_are_apart) {
  const asy_unit_code *code = unit_of("x = 1.0, 0.0, -0.0, 0.0\ny = 'a'\nz = 'a'", NULL, &d);
  cr_assert_not_null(code);
  cr_assert_eq(code->nconstants, 2, "the tuple and the text");
  cr_assert_eq(code->constants[0].length, 4);
  cr_assert_neq(__builtin_signbit(code->constants[0].items[2].real), 0);
}

Test(compile, long_spines_need_no_stack) {
  asy_buf program = {0};
  asy_buf_text(&program, "x = a");
  for (int i = 0; i < 100000; i++) asy_buf_text(&program, i % 2 ? ".b()" : " + c");
  cr_assert_not_null(unit_of(program.data, NULL, &d), "%s", d.message);
  asy_buf_free(&program);
}

Test(compile, many_locals_spill_into_a_list) {
  asy_buf program = {0};
  asy_buf_text(&program, "def f():\n");
  for (int i = 0; i < 400; i++) asy_buf_format(&program, " a%d = %d\n", i, i);
  asy_buf_text(&program, " return a399\n");
  const char *code = code_of(program.data);
  cr_assert_not_null(strstr(code, "LOAD_FAR r181 219; RETURN r181"), "%s", code);
  asy_buf_free(&program);
}

Test(compile, top_level_await_makes_the_module_a_coroutine) {
  const asy_unit_code *code = unit_of(
    "x = await f()", &(asy_compile_options){.parse = {.mode = PARSE_FILE}, .top_level_await = true}, &d);
  cr_assert_not_null(code, "%s", d.message);
  cr_assert(code->flags & CODE_COROUTINE);
  cr_assert_str_eq(error_of("x = await f()"), "1:4 'await' outside function");
}

/* --- Errors --------------------------------------------------------------------------------------------------------------- */

#define WRONG(name, program, message)                                                                                  \
  Test(compile, wrong_##name) { cr_assert_str_eq(error_of(program), message); }

WRONG(return, "return 1", "1:0 'return' outside function")
WRONG(yield, "class C:\n  yield", "2:2 'yield' outside function")
WRONG(await, "def f():\n  await x", "2:2 'await' outside async function")
WRONG(async_for, "def f():\n  async for x in y: pass", "2:2 'async for' outside async function")
WRONG(async_comprehension, "def f(): return [x async for x in y]",
      "1:16 asynchronous comprehension outside of an asynchronous function")
WRONG(yield_from, "async def f(): yield from x", "1:15 'yield from' inside async function")
WRONG(return_in_async_generator, "async def f():\n  yield\n  return 1", "3:2 'return' with value in async generator")
WRONG(break, "if x: break", "1:6 'break' outside loop")
WRONG(continue, "def f():\n  continue", "2:2 'continue' not properly in loop")
WRONG(duplicate, "def f(a, a): pass", "1:9 duplicate argument 'a' in function definition")
WRONG(param_and_global, "def f(a):\n  global a", "2:2 name 'a' is parameter and global")
WRONG(used_before_global, "def f():\n  print(a)\n  global a", "3:2 name 'a' is used prior to global declaration")
WRONG(assigned_before_nonlocal, "def f():\n  a = 1\n  nonlocal a",
      "3:2 name 'a' is assigned to before nonlocal declaration")
WRONG(no_binding, "def f():\n  nonlocal a", "2:2 no binding for nonlocal 'a' found")
WRONG(module_nonlocal, "nonlocal a", "1:0 nonlocal declaration not allowed at module level")
WRONG(import_star, "def f():\n  from a import *", "2:16 import * only allowed at module level")
WRONG(late_future, "x = 1\nfrom __future__ import annotations",
      "2:0 from __future__ imports must occur at the beginning of the file")
WRONG(unknown_future, "from __future__ import spam", "1:0 future feature spam is not defined")
WRONG(debug, "__debug__ = 1", "1:0 cannot assign to __debug__")
WRONG(rebound_iteration, "[x := 1 for x in y]",
      "1:1 assignment expression cannot rebind comprehension iteration variable 'x'")
WRONG(walrus_in_class, "class C: [x := 1 for y in z]",
      "1:10 assignment expression within a comprehension cannot be used in a class body")
WRONG(stars, "*a, *b = c", "1:0 multiple starred expressions in assignment")
WRONG(except_star, "while 1:\n  try: pass\n  except* E: break",
      "3:13 'break', 'continue' and 'return' cannot appear in an except* block")
WRONG(unreachable_pattern, "match x:\n  case y: pass\n  case 1: pass",
      "2:7 name capture 'y' makes remaining patterns unreachable")
WRONG(different_names, "match x:\n  case [a] | [b]: pass", "2:7 alternative patterns bind different names")
WRONG(duplicate_key, "match x:\n  case {1: a, 1.0: b}: pass", "2:7 mapping pattern checks duplicate key (1.0)")
WRONG(blocks,
      "for a in b:\n for a in b:\n  for a in b:\n   for a in b:\n    for a in b:\n     for a in b:\n      for a in "
      "b:\n       for a in b:\n        for a in b:\n         for a in b:\n          for a in b:\n           for a in "
      "b:\n            for a in b:\n             for a in b:\n              for a in b:\n               for a in b:\n  "
      "              for a in b:\n                 for a in b:\n                  for a in b:\n                   for "
      "a in b:\n                    for a in b: pass",
      "21:20 too many statically nested blocks")

/* --- Text of annotations ---------------------------------------------------------------------------------------------------- */

static const char *unparsed(const char *expression) {
  asy_source source;
  cr_assert(asy_source_init(&source, "test", expression, strlen(expression), &d));
  const asy_node *tree = asy_parse(&arena, &source, PARSE_EXPR, &d);
  asy_source_free(&source);
  if (!tree) return d.message;
  text.len = 0;
  asy_unparse(tree->expression.body, &text);
  return text.data;
}

Test(compile, annotations_are_written_as_ast_unparse_does) {
  cr_assert_str_eq(unparsed("a|None"), "a | None");
  cr_assert_str_eq(unparsed("x [ 1,2 ]"), "x[1, 2]");
  cr_assert_str_eq(unparsed("(a+b)*-c**d"), "(a + b) * -c ** d");
  cr_assert_str_eq(unparsed("lambda x,/,y=1,*,z:(x,)"), "lambda x, /, y=1, *, z: (x,)");
  cr_assert_str_eq(unparsed("[i for i in a if b]"), "[i for i in a if b]");
  cr_assert_str_eq(unparsed("f(*a,k=1,**b)[1:2,::3]"), "f(*a, k=1, **b)[1:2, ::3]");
  cr_assert_str_eq(unparsed("'it\\'s' \"\\n\""), "\"it's\\n\"");
}
