/* test_parse.c - texts to trees, and the messages for texts that are none. tests/parse_corpus.py has the large comparison. */
#include <criterion/criterion.h>

#include "lang/buf.h"
#include "lang/parse.h"

static asy_buf shown; /* what the last helper answered */

static const char *parsed(const char *text, size_t len, asy_parse_mode mode) {
  asy_buf_free(&shown);
  asy_source source;
  asy_diagnostic error = {0};
  asy_arena arena;
  asy_arena_init(&arena);
  asy_node *tree = NULL;
  bool read = asy_source_init(&source, "test", text, len, &error);
  if (read) tree = asy_parse(&arena, &source, mode, &error);
  if (tree) asy_ast_print(tree, &shown);
  else
    asy_buf_format(&shown, "%s %u:%u %s", asy_diagnostic_kind_name(error.kind), error.line, error.col, error.message);
  asy_arena_free(&arena);
  if (read) asy_source_free(&source);
  return shown.data;
}

static const char *expression(const char *text) { return parsed(text, strlen(text), PARSE_EXPR); }
static const char *program(const char *text) { return parsed(text, strlen(text), PARSE_FILE); }

#define SHOWS(got, expected) cr_assert_str_eq(got, expected)

Test(parse, precedence) {
  SHOWS(expression("1 + 2 * 3"),
        "Expression(body=BinOp(left=Constant(value=1), op=Add(), right=BinOp(left=Constant(value=2), op=Mult(), "
        "right=Constant(value=3))))");
  SHOWS(
    expression("-2 ** 2"),
    "Expression(body=UnaryOp(op=USub(), operand=BinOp(left=Constant(value=2), op=Pow(), right=Constant(value=2))))");
}

Test(parse, chains_are_flat) {
  SHOWS(expression("1 < 2 <= 3"),
        "Expression(body=Compare(left=Constant(value=1), ops=[Lt(), LtE()], comparators=[Constant(value=2), "
        "Constant(value=3)]))");
  SHOWS(expression("1 or 2 or 3"),
        "Expression(body=BoolOp(op=Or(), values=[Constant(value=1), Constant(value=2), Constant(value=3)]))");
}

Test(parse, literals_are_decoded) {
  SHOWS(expression("'a' \"b\\n\" '\\ud800\\x41'"), "Expression(body=Constant(value='ab\\n\\ud800A'))");
  SHOWS(expression("b'\\xff' rb'\\n'"), "Expression(body=Constant(value=b'\\xff\\\\n'))");
  SHOWS(expression("0xFFFF_FFFF_FFFF_FFFF"), "Expression(body=Constant(value=18446744073709551615))");
  SHOWS(expression("1_0.5e1"), "Expression(body=Constant(value=105.0))");
  SHOWS(expression("2j"), "Expression(body=Constant(value=2j))");
}

Test(parse, fstrings) {
  SHOWS(expression("f'a{x!r:>{w}}{{' 'b'"),
        "Expression(body=JoinedStr(values=[Constant(value='a'), FormattedValue(value=Name(id='x', ctx=Load()), "
        "conversion=114, "
        "format_spec=JoinedStr(values=[Constant(value='>'), FormattedValue(value=Name(id='w', ctx=Load()), "
        "conversion=-1)])), "
        "Constant(value='{b')]))");
  SHOWS(expression("f'{x = }'"),
        "Expression(body=JoinedStr(values=[Constant(value='x = '), FormattedValue(value=Name(id='x', ctx=Load()), "
        "conversion=114)]))");
}

Test(parse, targets_are_stored) {
  SHOWS(program("a, *b = c"),
        "Module(body=[Assign(targets=[Tuple(elts=[Name(id='a', ctx=Store()), Starred(value=Name(id='b', ctx=Store()), "
        "ctx=Store())], ctx=Store())], value=Name(id='c', ctx=Load()))])");
}

Test(parse, parenthesised_with_items_are_items) {
  SHOWS(program("with (a as b, c): pass"),
        "Module(body=[With(items=[withitem(context_expr=Name(id='a', ctx=Load()), optional_vars=Name(id='b', "
        "ctx=Store())), "
        "withitem(context_expr=Name(id='c', ctx=Load()))], body=[Pass()])])");
  SHOWS(program("with (a, b) as c: pass"),
        "Module(body=[With(items=[withitem(context_expr=Tuple(elts=[Name(id='a', ctx=Load()), Name(id='b', "
        "ctx=Load())], ctx=Load()), "
        "optional_vars=Name(id='c', ctx=Store()))], body=[Pass()])])");
}

Test(parse, parameters_of_every_kind) {
  SHOWS(program("def f(a, /, b=1, *c, d, e=2, **g): pass"),
        "Module(body=[FunctionDef(name='f', args=arguments(posonlyargs=[arg(arg='a')], args=[arg(arg='b')], "
        "vararg=arg(arg='c'), "
        "kwonlyargs=[arg(arg='d'), arg(arg='e')], kw_defaults=[None, Constant(value=2)], kwarg=arg(arg='g'), "
        "defaults=[Constant(value=1)]), "
        "body=[Pass()])])");
}

Test(parse, patterns) {
  SHOWS(program("match x:\n  case [1, *_] | {'a': b, **c}: pass\n  case P(1, y=_) as q if z: pass\n"),
        "Module(body=[Match(subject=Name(id='x', ctx=Load()), "
        "cases=[match_case(pattern=MatchOr(patterns=[MatchSequence(patterns=["
        "MatchValue(value=Constant(value=1)), MatchStar()]), MatchMapping(keys=[Constant(value='a')], "
        "patterns=[MatchAs(name='b')], rest='c')]), "
        "body=[Pass()]), match_case(pattern=MatchAs(pattern=MatchClass(cls=Name(id='P', ctx=Load()), "
        "patterns=[MatchValue(value=Constant(value=1))], "
        "kwd_attrs=['y'], kwd_patterns=[MatchAs()]), name='q'), guard=Name(id='z', ctx=Load()), body=[Pass()])])])");
}

Test(parse, await_is_accepted_anywhere) {
  SHOWS(program("await f()"), "Module(body=[Expr(value=Await(value=Call(func=Name(id='f', ctx=Load()))))])");
}

Test(parse, errors_point_at_the_cause) {
  SHOWS(program("f() = 1"),
        "SyntaxError 1:0 cannot assign to function call here. Maybe you meant '==' instead of '='?");
  SHOWS(program("if x = 1: pass"), "SyntaxError 1:3 invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
  SHOWS(program("f(a b)"), "SyntaxError 1:2 invalid syntax. Perhaps you forgot a comma?");
  SHOWS(program("print 'x'"), "SyntaxError 1:0 Missing parentheses in call to 'print'. Did you mean print(...)?");
  SHOWS(program("if x\n  y"), "SyntaxError 1:4 expected ':'");
  SHOWS(program("while x:\ny"), "IndentationError 2:0 expected an indented block after 'while' statement on line 1");
  SHOWS(program("x = (1,\ny = 2\n"), "SyntaxError 1:4 '(' was never closed");
  SHOWS(program("f(a=1, b)"), "SyntaxError 1:8 positional argument follows keyword argument");
  SHOWS(program("(a as b)"), "SyntaxError 1:3 invalid syntax");
}

Test(parse, text_that_is_no_text) {
  SHOWS(parsed("a\0b", 3, PARSE_FILE), "SyntaxError 1:0 source code cannot contain null bytes");
  SHOWS(program("# coding: klingon\n"), "SyntaxError 0:0 unknown encoding: klingon");
}

static const char *repeated(const char *before, const char *text, int count, const char *after) {
  static asy_buf buf;
  asy_buf_free(&buf);
  asy_buf_text(&buf, before);
  for (int i = 0; i < count; i++) asy_buf_text(&buf, text);
  asy_buf_text(&buf, after);
  return buf.data;
}

Test(parse, long_chains_have_no_limit) {
  cr_assert_eq(*expression(repeated("", "1+", 100000, "1")), 'E');
  cr_assert_eq(*expression(repeated("x", ".y", 100000, "")), 'E');
  cr_assert_eq(*expression(repeated("x", "()", 100000, "")), 'E');
  cr_assert_eq(*program(repeated("if a: b\n", "elif c: d\n", 50000, "")), 'M');
}

Test(parse, deep_nesting_ends_in_a_message) {
  SHOWS(expression(repeated("", "(", 10000, "")), "SyntaxError 1:200 too many nested parentheses");
  cr_assert_not_null(strstr(expression(repeated("", "not ", 100000, "x")), "too deeply nested"));
  cr_assert_not_null(strstr(expression(repeated("", "-", 5000, "x")), "too deeply nested"));
}

static asy_completeness complete(const char *text) { return asy_parse_completeness(text, strlen(text)); }

Test(parse, completeness) {
  cr_assert_eq(complete("x = 1\n"), PARSE_COMPLETE);
  cr_assert_eq(complete(""), PARSE_COMPLETE);
  cr_assert_eq(complete("if x:\n  y\n"), PARSE_INCOMPLETE);
  cr_assert_eq(complete("if x:\n  y\n\n"), PARSE_COMPLETE);
  cr_assert_eq(complete("if x:\n"), PARSE_INCOMPLETE);
  cr_assert_eq(complete("def f(a,\n"), PARSE_INCOMPLETE);
  cr_assert_eq(complete("'''abc\n"), PARSE_INCOMPLETE);
  cr_assert_eq(complete("x = \\\n"), PARSE_INCOMPLETE);
  cr_assert_eq(complete("@a\n"), PARSE_INCOMPLETE);
  cr_assert_eq(complete("try:\n  x\n"), PARSE_INCOMPLETE);
  cr_assert_eq(complete("'\\N{BULLET}'\n"), PARSE_COMPLETE);
  cr_assert_eq(complete("x = \n"), PARSE_INVALID);
  cr_assert_eq(complete("x = 'abc\n"), PARSE_INVALID);
  cr_assert_eq(complete(")\n"), PARSE_INVALID);
  cr_assert_eq(complete("1 2\n"), PARSE_INVALID);
}

Test(parse, a_diagnostic_prints_like_cpython) {
  static const char text[] = "def f():\n    return 1 +* 2\n";
  asy_source source;
  asy_diagnostic error;
  asy_arena arena;
  asy_buf out = {0};
  asy_arena_init(&arena);
  cr_assert(asy_source_init(&source, "a.py", text, sizeof text - 1, &error));
  cr_assert_null(asy_parse(&arena, &source, PARSE_FILE, &error));
  asy_diagnostic_print(&error, &source, &out);
  SHOWS(out.data, "  File \"a.py\", line 2\n    return 1 +* 2\n              ^\nSyntaxError: invalid syntax\n");
  asy_buf_free(&out);
  asy_source_free(&source);
  asy_arena_free(&arena);
}
