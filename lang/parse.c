/* parse.c - drives lexer and parser, and says what is wrong when the parser is stuck.
 * The parser is fed one token at a time, so its stack is here to be looked at when it refuses one: what it holds and which
 * tokens it would have taken make the message. As in CPython an error of the lexer further down wins over the parser's, for
 * an open bracket or string is more often the cause than the token where it shows.
 */
#include "lang/parse.h"

#include <stdlib.h>
#include <string.h>

#include "lang/check.h"
#include "lang/token.h"

/* --- Messages -------------------------------------------------------------------------------------------------------- */

static bool is_among(int token, const int *tokens, int count) {
  for (int i = 0; i < count; i++)
    if (tokens[i] == token) return true;
  return false;
}

static bool starts_expression(int token) {
  static const int starts[] = {
    TOKEN_NAME, TOKEN_NUMBER, TOKEN_STRING, TOKEN_FSTRING_START, TOKEN_NONE, TOKEN_TRUE, TOKEN_FALSE,
    TOKEN_NOT,  TOKEN_LAMBDA, TOKEN_AWAIT,  TOKEN_ELLIPSIS,      '(',        '[',        '{',
    '~',        '-',          '+'};
  return is_among(token, starts, sizeof starts / sizeof *starts);
}

static bool ends_expression(int token) {
  static const int ends[] = {TOKEN_NAME, TOKEN_NUMBER, TOKEN_STRING, TOKEN_FSTRING_END,
                             TOKEN_NONE, TOKEN_TRUE,   TOKEN_FALSE,  TOKEN_ELLIPSIS,
                             ')',        ']',          '}'};
  return is_among(token, ends, sizeof ends / sizeof *ends);
}

/* The statements that have a block, as messages name them. */
static const struct {
  int token;
  const char *text;
} headers[] = {
  {TOKEN_IF, "'if' statement"},       {TOKEN_ELIF, "'elif' statement"},     {TOKEN_ELSE, "'else' statement"},
  {TOKEN_WHILE, "'while' statement"}, {TOKEN_FOR, "'for' statement"},       {TOKEN_WITH, "'with' statement"},
  {TOKEN_TRY, "'try' statement"},     {TOKEN_EXCEPT, "'except' statement"}, {TOKEN_FINALLY, "'finally' statement"},
  {TOKEN_MATCH, "'match' statement"}, {TOKEN_CASE, "'case' statement"},     {TOKEN_DEF, "function definition"},
  {TOKEN_CLASS, "class definition"},
};

/* The header the parser is in: the nearest of these keywords on its stack. NULL when there is none. */
static const char *find_header(asy_grammar_pstate *ps, int *token, uint32_t *line) {
  int above = 0;
  for (int depth = 0;; depth++) {
    asy_grammar_item item = asy_grammar_stack_item(ps, depth);
    if (item.symbol < 0) return NULL;
    int keyword = asy_grammar_token_of(item.symbol);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
      if (headers[i].token != keyword) continue;
      *token = keyword;
      *line = item.span.line;
      if (keyword == TOKEN_EXCEPT && above == '*') return "'except*' statement";
      return headers[i].text;
    }
    above = keyword;
  }
}

static asy_span joined(asy_span from, asy_span to) { return (asy_span){from.line, from.col, to.end_line, to.end_col}; }

static bool is_legacy_statement(const asy_token *token) {
  return token->kind == TOKEN_NAME && (!strcmp(token->name->text, "print") || !strcmp(token->name->text, "exec"));
}

/* A lexer that looks ahead of the parser, with errors of its own. */
static asy_lexer ahead_of(const asy_parser *p, asy_diagnostic *ignored) {
  asy_lexer copy = p->lexer;
  copy.error = ignored;
  copy.looking_ahead = true;
  return copy;
}

static int kind_ahead(const asy_parser *p) {
  asy_diagnostic ignored;
  asy_lexer copy = ahead_of(p, &ignored);
  return asy_lexer_next(&copy).kind;
}

/* The operand that follows `=` where a condition was meant: up to what binds less tightly than `|`. False: there is none, or
 * another `=` follows. *next: what stands behind it. */
static bool operand_ahead(const asy_parser *p, asy_span *span, asy_span *next) {
  static const int ends[] = {':',      ',',      ')',        ']',       '}',       TOKEN_NEWLINE, TOKEN_END, TOKEN_EQ,
                             TOKEN_NE, '<',      '>',        TOKEN_LE,  TOKEN_GE,  TOKEN_IN,      TOKEN_IS,  TOKEN_AND,
                             TOKEN_OR, TOKEN_IF, TOKEN_ELSE, TOKEN_FOR, TOKEN_NOT, TOKEN_ASYNC};
  asy_diagnostic ignored;
  asy_lexer copy = ahead_of(p, &ignored);
  bool any = false;
  for (;; any = true) {
    asy_token token = asy_lexer_next(&copy);
    *next = token.span;
    if (token.kind == LEX_ERROR || token.kind == '=' || token.kind == TOKEN_WALRUS) return false;
    if (copy.paren_count <= p->lexer.paren_count && is_among(token.kind, ends, sizeof ends / sizeof *ends) &&
        !(copy.paren_count == p->lexer.paren_count && (token.kind == ')' || token.kind == ']' || token.kind == '}')))
      return any;
    *span = token.span;
  }
}

/* From the opening bracket at hand to the one that closes it, or to itself when none does. */
static asy_span bracket_ahead(const asy_parser *p) {
  asy_diagnostic ignored;
  asy_lexer copy = ahead_of(p, &ignored);
  asy_token token;
  do token = asy_lexer_next(&copy);
  while (copy.paren_count >= p->lexer.paren_count && token.kind != LEX_ERROR && token.kind != TOKEN_END);
  return copy.paren_count < p->lexer.paren_count ? joined(p->token.span, token.span) : p->token.span;
}

/* The expressions, with commas, that begin with the token at hand: up to where a statement ends or no operator stands between two
 * operands. */
static asy_span expressions_ahead(const asy_parser *p) {
  static const int ends[] = {TOKEN_NEWLINE, ';', '=', ':', ')', ']', '}'}, joins[] = {'(', '[', '+', '-'};
  asy_diagnostic ignored;
  asy_lexer copy = ahead_of(p, &ignored);
  asy_token last = p->token;
  for (;;) {
    uint32_t depth = copy.paren_count;
    asy_token token = asy_lexer_next(&copy);
    bool nested = depth > p->lexer.paren_count;
    if (token.kind == LEX_ERROR || token.kind == TOKEN_END || (!nested && is_among(token.kind, ends, 7))) break;
    if (!nested && ends_expression(last.kind) && starts_expression(token.kind) && !is_among(token.kind, joins, 4))
      break;
    last = token;
  }
  return last.span;
}

/* Whether the text ends within the operand that begins with the token at hand, in an open bracket: that is the error then. */
static bool ends_in_operand(const asy_parser *p) {
  static const int ends[] = {TOKEN_NEWLINE, ';', '=',          ':',       ',',         ')',
                             ']',           '}', TOKEN_WALRUS, TOKEN_FOR, TOKEN_ASYNC, TOKEN_ELSE},
                   joins[] = {'(', '[', '+', '-'};
  asy_diagnostic found = {0};
  asy_lexer copy = ahead_of(p, &found);
  asy_token last = p->token;
  for (;;) {
    bool nested = copy.paren_count > p->lexer.paren_count;
    asy_token token = asy_lexer_next(&copy);
    if (token.kind == LEX_ERROR) {
      if (copy.never_closed) *p->error = found;
      return copy.never_closed;
    }
    if (!nested && is_among(token.kind, ends, sizeof ends / sizeof *ends)) return false;
    if (ends_expression(last.kind) && starts_expression(token.kind) && !is_among(token.kind, joins, 4)) return false;
    last = token;
  }
}

/* Where a message about a token points to: the end of the text is the end of its last line. */
static asy_span place_of(asy_parser *p) {
  asy_span span = p->token.span;
  if (p->token.start != p->lexer.limit || span.line < 2) return span;
  size_t len;
  if (!asy_source_line(p->source, span.line - 1, &len)) return span;
  return (asy_span){span.line - 1, (uint32_t)len, span.line - 1, DIAG_NO_COLUMN};
}

static asy_span start_of(asy_span span) { return (asy_span){span.line, span.col, span.line, span.col}; }

/* Each of these knows one family of mistakes; true when it has found the words for this one. */
typedef struct {
  asy_parser *p;
  asy_grammar_pstate *ps;
  const int *expected; /* tokens that could have come; empty when there are many */
  int count;
  asy_grammar_item top; /* of the stack */
  bool complete;        /* an expression has just ended */
  int header;           /* keyword of the compound statement, or 0 */
  uint32_t header_line;
  const char *header_text;
} stuck;

static bool say(const stuck *s, asy_span span, const char *message) {
  return asy_parser_fail(s->p, span, "%s", message), true;
}

static int stack_token(const stuck *s, int depth) {
  return asy_grammar_token_of(asy_grammar_stack_item(s->ps, depth).symbol);
}

static bool expects(const stuck *s, int token) { return is_among(token, s->expected, s->count); }

static bool in_blocks(const stuck *s) {
  asy_parser *p = s->p;
  if (s->count == 1 && expects(s, TOKEN_INDENT) && s->header_text) {
    asy_parser_fail(p, place_of(p), "expected an indented block after %s on line %u", s->header_text, s->header_line);
    p->error->kind = DIAG_INDENTATION;
    return true;
  }
  if (p->token.kind == TOKEN_INDENT) {
    asy_span span = p->token.span;
    asy_parser_fail(p, (asy_span){span.line, span.col ? span.col - 1 : 0, span.line, DIAG_NO_COLUMN},
                    "unexpected indent");
    p->error->kind = DIAG_INDENTATION;
    return true;
  }
  if (s->count == 2 && expects(s, TOKEN_EXCEPT) && expects(s, TOKEN_FINALLY))
    return say(s, place_of(p), "expected 'except' or 'finally' block");
  return false;
}

/* Inside the braces of an f-string, and in no other bracket there. */
static bool in_field(const stuck *s) {
  asy_parser *p = s->p;
  int token = p->token.kind;
  if (!p->in_field) return false;
  if (p->before.kind == '{' && (token == '}' || token == '!' || token == ':' || token == '=')) {
    asy_parser_fail(p, p->token.span, "f-string: valid expression required before '%c'", token);
    return true;
  }
  if (p->before.kind == '!')
    return say(s, p->token.span,
               token == '}' || token == ':' ? "f-string: missing conversion character"
                                            : "f-string: invalid conversion character");
  if (stack_token(s, 1) == '!') return say(s, p->token.span, "f-string: expecting ':' or '}'");
  if (s->complete && starts_expression(token)) return false;
  int depth = 0;
  while (stack_token(s, depth) != '{') {
    if (asy_grammar_stack_item(s->ps, depth).symbol < 0) return false;
    depth++;
  }
  if (depth == 0) return say(s, p->token.span, "f-string: expecting a valid expression after '{'");
  asy_grammar_item first = asy_grammar_stack_item(s->ps, depth - 1);
  int keyword = asy_grammar_token_of(first.symbol);
  if (keyword == TOKEN_LAMBDA)
    return say(s, p->before.kind == ':' ? joined(first.span, p->before.span) : first.span,
               "f-string: lambda expressions are not allowed without parentheses");
  if (keyword) return say(s, first.span, "f-string: expecting a valid expression after '{'");
  return say(s, depth > 1 ? asy_grammar_stack_item(s->ps, depth - 2).span : p->token.span,
             "f-string: expecting '=', or '!', or ':', or '}'");
}

static bool in_parameters(const stuck *s) {
  asy_parser *p = s->p;
  int token = p->token.kind;
  if (p->before.kind == TOKEN_NAME && token == '=' && !s->top.node) {
    if (p->earlier.kind == '*') return say(s, p->token.span, "var-positional argument cannot have default value");
    if (p->earlier.kind == TOKEN_POW) return say(s, p->token.span, "var-keyword argument cannot have default value");
  }
  if (p->before.kind == '=' && (token == ')' || token == ',')) {
    if (asy_grammar_stack_item(s->ps, 1).node)
      return say(s, joined(asy_grammar_stack_item(s->ps, 1).span, p->before.span),
                 "expected argument value expression");
    return say(s, p->before.span, "expected default value expression");
  }
  if (token == '(' && !s->top.node && stack_token(s, 1) == TOKEN_LAMBDA)
    return say(s, bracket_ahead(p), "Lambda expression parameters cannot be parenthesized");
  if (token == '(' && !s->top.node && stack_token(s, 1) == '(' && stack_token(s, 4) == TOKEN_DEF)
    return say(s, bracket_ahead(p), "Function parameters cannot be parenthesized");
  if (p->before.kind == '[' && token == ']' && stack_token(s, 1) == TOKEN_NAME)
    return say(s, start_of(p->token.span), "Type parameter list cannot be empty");
  if (s->count == 1 && expects(s, '(') && s->header == TOKEN_DEF) return say(s, p->token.span, "expected '('");
  return false;
}

/* `not` where an operand of arithmetic was expected: from it to the end of the comparison that follows. False: none does. */
static bool negation_ahead(const asy_parser *p, asy_span *span) {
  static const int ends[] = {TOKEN_NEWLINE, ';',      '=',        ':',       ',',          TOKEN_AND,
                             TOKEN_OR,      TOKEN_IF, TOKEN_ELSE, TOKEN_FOR, TOKEN_WALRUS, TOKEN_LAMBDA};
  asy_diagnostic ignored;
  asy_lexer copy = ahead_of(p, &ignored);
  *span = p->token.span;
  bool found = false;
  for (;;) {
    asy_token token = asy_lexer_next(&copy);
    bool nested = copy.paren_count > p->lexer.paren_count;
    if (token.kind == LEX_ERROR || token.kind == TOKEN_END || copy.paren_count < p->lexer.paren_count ||
        (!nested && is_among(token.kind, ends, sizeof ends / sizeof *ends)))
      return found;
    if (!ends_expression(token.kind)) continue;
    *span = joined(*span, token.span);
    found = true;
  }
}

static bool in_expression(const stuck *s) {
  static const int arithmetic[] = {'+', '-', '~', '*', '/', '%', '@', TOKEN_FLOORDIV};
  asy_parser *p = s->p;
  const asy_token *token = &p->token, *before = &p->before;
  asy_span negation;
  if (before->kind == '(' && token->kind == TOKEN_POW)
    return say(s, token->span, "cannot use double starred expression here");
  if (token->kind == TOKEN_NOT && is_among(before->kind, arithmetic, sizeof arithmetic / sizeof *arithmetic) &&
      (is_among(before->kind, arithmetic, 3) || asy_grammar_stack_item(s->ps, 1).node) && negation_ahead(p, &negation))
    return say(s, negation, "'not' after an operator must be parenthesized");
  if (!s->complete) return false;
  if (is_legacy_statement(before) && starts_expression(token->kind) && token->kind != '(') {
    asy_parser_fail(p, joined(before->span, expressions_ahead(p)),
                    "Missing parentheses in call to '%s'. Did you mean %s(...)?", before->name->text,
                    before->name->text);
    return true;
  }
  if (asy_grammar_is_or_test(s->top.symbol) && stack_token(s, 1) == TOKEN_IF && token->kind != ':') {
    asy_grammar_item body = asy_grammar_stack_item(s->ps, 2);
    if (asy_grammar_is_or_test(body.symbol))
      return say(s, joined(body.node->span, s->top.node->span), "expected 'else' after 'if' expression");
  }
  if (token->kind == TOKEN_FOR && s->top.keyword && s->top.keyword->keyword.arg) {
    asy_span span = s->top.keyword->span;
    return say(s, (asy_span){span.line, span.col, span.line, span.col + s->top.keyword->keyword.arg->len + 1},
               "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
  }
  const asy_node *target = token->kind == TOKEN_WALRUS ? asy_grammar_statement_value(s->ps) : NULL;
  if (target && (target->kind != AST_Name || target->parens) && starts_expression(kind_ahead(p))) {
    asy_parser_fail(p, target->span, "cannot use assignment expressions with %s", asy_check_expr_name(target));
    return true;
  }
  const asy_node *node = s->top.node;
  if (token->kind == '=' && node) {
    asy_span value, next;
    if (node->kind == AST_Name && operand_ahead(p, &value, &next))
      return say(s, joined(s->top.span, value), "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
    bool never = node->kind == AST_List || node->kind == AST_Tuple || node->kind == AST_GeneratorExp ||
                 node->kind == AST_Compare || (node->kind == AST_Constant && node->constant.value.kind <= CONST_FALSE);
    if (!never) {
      asy_parser_fail(p, s->top.span, "cannot assign to %s here. Maybe you meant '==' instead of '='?",
                      asy_check_expr_name(node));
      return true;
    }
  }
  bool operand = node || p->options->mode == PARSE_EXPR || asy_grammar_statement_value(s->ps);
  if (operand && starts_expression(token->kind) &&
      !(before->kind == TOKEN_NAME && (token->kind == TOKEN_STRING || token->kind == TOKEN_FSTRING_START))) {
    if (ends_in_operand(p)) return true;
    if (node && p->parens_before)
      return say(s, joined(node->span, token->span), "invalid syntax. Perhaps you forgot a comma?");
  }
  return false;
}

/* `:` is missing where nothing else could stand, or the line ends without it. */
static bool at_colon(const stuck *s) {
  if (!expects(s, ':') || !s->header_text) return false;
  static const int forced[] = {TOKEN_ELSE, TOKEN_TRY, TOKEN_FINALLY, TOKEN_DEF};
  if (s->p->token.kind != TOKEN_NEWLINE && !(s->count == 1 && is_among(s->header, forced, 4))) return false;
  return say(s, s->p->token.span, "expected ':'");
}

/* Lets the span go on to the colon that ends the line's statement. False: the line has none there. */
static bool reach_colon(asy_parser *p, asy_span *span) {
  size_t length;
  const char *line = asy_source_line(p->source, span->end_line, &length);
  const char *colon = line && span->end_col < length ? memchr(line + span->end_col, ':', length - span->end_col) : NULL;
  if (colon) span->end_col = (uint32_t)(colon - line);
  return colon != NULL;
}

static bool in_statement(const stuck *s) {
  asy_parser *p = s->p;
  int token = p->token.kind, before = p->before.kind;
  if (s->header == TOKEN_EXCEPT && token == ',' && ends_expression(before)) {
    asy_span types = asy_grammar_stack_item(s->ps, 1).span;
    if (reach_colon(p, &types)) return say(s, types, "multiple exception types must be parenthesized");
  }
  if (s->header == TOKEN_EXCEPT && before == '*' && (token == ':' || token == TOKEN_NEWLINE))
    return say(s, p->token.span, "expected one or more exception types");
  if (before == ',' && token == TOKEN_NEWLINE && p->first.kind == TOKEN_FROM)
    return say(s, p->token.span, "trailing comma not allowed without surrounding parentheses");
  if (before == TOKEN_IMPORT && token == TOKEN_NEWLINE)
    return say(s, start_of(p->token.span), "Expected one or more names after 'import'");
  return false;
}

static bool in_dict(const stuck *s) {
  asy_parser *p = s->p;
  if (!asy_grammar_is_dict(s->ps)) return false;
  if (p->before.kind == ':' && (p->token.kind == '}' || p->token.kind == ','))
    return say(s, p->before.span, "expression expected after dictionary key and ':'");
  asy_span value, next;
  if (p->before.kind == ':' && p->token.kind == '*' && operand_ahead(p, &value, &next))
    return say(s, joined(p->token.span, start_of(next)), "cannot use a starred expression in a dictionary value");
  if (s->complete && s->count == 1 && expects(s, ':'))
    return say(s, (asy_span){p->before.span.end_line, p->before.span.end_col - 1, 0, 0},
               "':' expected after dictionary key");
  return false;
}

void asy_parse_stuck(asy_parser *p, asy_grammar_pstate *ps, const int *expected, int count) {
  stuck s = {.p = p, .ps = ps, .expected = expected, .count = count, .top = asy_grammar_stack_item(ps, 0)};
  s.header_text = find_header(ps, &s.header, &s.header_line);
  s.complete = asy_grammar_token_of(s.top.symbol) == 0 && ends_expression(p->before.kind);
  if (in_blocks(&s) || in_field(&s) || in_parameters(&s) || in_expression(&s) || at_colon(&s) || in_statement(&s) ||
      in_dict(&s))
    return;
  if (p->before.kind == TOKEN_AS && p->parens_before && p->first.kind != TOKEN_WITH && p->first.kind != TOKEN_FROM &&
      p->first.kind != TOKEN_CASE && p->first.kind != TOKEN_ASYNC)
    return asy_parser_fail(p, p->before.span, "invalid syntax");
  bool less_greater = p->token.kind == '>' && p->before.kind == '<';
  asy_parser_fail(p, less_greater ? p->before.span : place_of(p), "invalid syntax");
}

/* --- Driver ---------------------------------------------------------------------------------------------------------- */

static int start_token(asy_parse_mode mode) {
  return mode == PARSE_FILE ? TOKEN_START_FILE : mode == PARSE_EXPR ? TOKEN_START_EXPR : TOKEN_START_SINGLE;
}

static bool is_layout(int kind) { return kind == TOKEN_NEWLINE || kind == TOKEN_INDENT || kind == TOKEN_DEDENT; }

/* NEWLINE, INDENT and DEDENT take no room: they stand at the end of the last token before them. */
static int push(asy_grammar_pstate *ps, asy_parser *p, int kind) {
  ASY_GRAMMAR_STYPE value;
  if (kind == TOKEN_NAME) value.name = p->token.name;
  else value.token.start = p->token.start, value.token.len = p->token.len, value.token.raw = p->token.raw;
  asy_span span = p->token.span;
  if (is_layout(kind)) span = p->text_end;
  else p->text_end = (asy_span){span.end_line, span.end_col, span.end_line, span.end_col};
  return asy_grammar_push_parse(ps, kind, &value, &span, p);
}

/* After an error of the parser: one of the lexer, further down, takes its place. */
static void look_for_lexer_error(asy_parser *p) {
  if (p->token.kind == TOKEN_INDENT && p->error->kind == DIAG_INDENTATION) return;
  asy_diagnostic later = {0};
  asy_span at = p->token.span;
  p->lexer.error = &later;
  int kind;
  do kind = asy_lexer_next(&p->lexer).kind;
  while (kind != TOKEN_END && kind != LEX_ERROR);
  if (kind == TOKEN_END || p->lexer.yields) return;
  if (p->lexer.never_closed) {
    bool after = later.line == at.line && later.col >= at.col && p->lexer.line > at.line + 1;
    if (later.line >= at.line && !after) return;
  }
  *p->error = later;
}

/* The name of the token in normal form, as PEP 3131 wants it; NULL: that failed. */
static asy_name *normal_name(const asy_parser *p, asy_name *written) {
  if (!p->options->normalize) return written;
  if (!written->normal) {
    size_t len;
    const char *normal = p->options->normalize(p->options->context, written->text, written->len, &len);
    written->normal = normal ? asy_arena_intern(p->arena, normal, len) : NULL;
  }
  return written->normal;
}

/* Fills p->result, or p->error. */
static void run(asy_parser *p) {
  asy_grammar_pstate *ps = asy_grammar_pstate_new();
  p->reserve = malloc(ASY_PARSER_RESERVE);
  if (!ps || !p->reserve) {
    asy_diagnostic_set(p->error, DIAG_MEMORY, 0, 0, 0, 0, "out of memory");
    if (ps) asy_grammar_pstate_delete(ps);
    return free(p->reserve);
  }
  asy_lexer_init(&p->lexer, p->arena, p->source, p->error);
  int status = push(ps, p, start_token(p->options->mode));
  bool begins = true;
  while (status == YYPUSH_MORE && !p->error->kind && !p->arena->oom) {
    p->earlier = p->before;
    p->before = p->token;
    p->in_field = p->lexer.paren_count && p->lexer.parens[p->lexer.paren_count - 1].field;
    p->parens_before = p->lexer.paren_count;
    p->token = asy_lexer_next(&p->lexer);
    if (p->token.kind == LEX_ERROR) break;
    if (p->token.wide && !(p->token.name = normal_name(p, p->token.name))) {
      asy_diagnostic_set(p->error, DIAG_MEMORY, 0, 0, 0, 0, "out of memory");
      break;
    }
    if (begins) p->first = p->token;
    begins = is_layout(p->token.kind) || p->token.kind == ';';
    status = push(ps, p, p->token.kind);
    if (p->token.kind == TOKEN_NEWLINE) asy_check_statement_end(p);
  }
  asy_grammar_pstate_delete(ps);
  free(p->reserve);
  p->reserve = NULL;
  if (p->error->kind && p->token.kind != LEX_ERROR && p->token.kind != TOKEN_END) look_for_lexer_error(p);
  if (p->arena->oom) asy_diagnostic_set(p->error, DIAG_MEMORY, 0, 0, 0, 0, "out of memory");
  if (p->error->kind) p->result = NULL;
}

asy_node *asy_parse_with(asy_arena *arena, asy_source *source, const asy_parse_options *options, asy_diagnostic *out) {
  asy_parser p = {.arena = arena, .source = source, .error = out, .options = options};
  *out = (asy_diagnostic){0};
  run(&p);
  return p.result;
}

asy_node *asy_parse(asy_arena *arena, asy_source *source, asy_parse_mode mode, asy_diagnostic *out) {
  return asy_parse_with(arena, source, &(asy_parse_options){.mode = mode}, out);
}

static bool ends_in_empty_line(const char *text, size_t len) {
  while (len && (text[len - 1] == ' ' || text[len - 1] == '\t' || text[len - 1] == '\r')) len--;
  if (!len || text[len - 1] != '\n') return false;
  for (len--; len && (text[len - 1] == ' ' || text[len - 1] == '\t' || text[len - 1] == '\r');) len--;
  return !len || text[len - 1] == '\n';
}

/* Whether a name of a character is known does not make a text more or less complete. */
static uint32_t any_character(void *context, const char *name, size_t len) {
  (void)context, (void)name, (void)len;
  return 0xFFFD;
}

asy_completeness asy_parse_completeness(const char *text, size_t len) {
  asy_arena arena;
  asy_source source;
  asy_diagnostic error = {0};
  if (!asy_source_init(&source, "", text, len, &error)) return PARSE_INVALID;
  asy_arena_init(&arena);
  asy_parse_options options = {.mode = PARSE_SINGLE, .find_character = any_character};
  asy_parser p = {.arena = &arena, .source = &source, .error = &error, .options = &options};
  run(&p);
  asy_completeness answer = PARSE_COMPLETE;
  if (error.kind) {
    bool at_end = p.token.span.line > 1 && p.token.start == p.lexer.limit; /* DEDENT or END where a block was to come */
    answer = p.lexer.ends_early || at_end ? PARSE_INCOMPLETE : PARSE_INVALID;
  } else if (p.result->interactive.body.len) {
    const asy_node *last = p.result->interactive.body.items[p.result->interactive.body.len - 1];
    bool compound = last->kind == AST_FunctionDef || last->kind == AST_AsyncFunctionDef || last->kind == AST_ClassDef ||
                    (last->kind >= AST_For && last->kind <= AST_Match) || last->kind == AST_Try ||
                    last->kind == AST_TryStar;
    if (compound && !ends_in_empty_line(text, len)) answer = PARSE_INCOMPLETE;
  }
  asy_arena_free(&arena);
  asy_source_free(&source);
  return answer;
}
