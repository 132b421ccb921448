/* ast_print.c - the tree as CPython's ast.dump writes it, with ascii() for every text. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/ast.h"
#include "lang/buf.h"

typedef struct {
  asy_buf *out;
  bool positions;
} printer;

/* ascii(text) of a str (code points) or bytes. */
static void print_text(asy_buf *out, const char *text, size_t len, bool bytes) {
  const unsigned char *s = (const unsigned char *)text;
  char quote = memchr(text, '\'', len) && !memchr(text, '"', len) ? '"' : '\'';
  if (bytes) asy_buf_char(out, 'b');
  asy_buf_char(out, quote);
  for (size_t i = 0; i < len;) {
    uint32_t c = s[i++];
    if (!bytes && c >= 0x80) {
      size_t more = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
      c &= 0x3Fu >> more;
      while (more-- && i < len) c = c << 6 | (s[i++] & 63);
    }
    if (c == (unsigned char)quote || c == '\\') asy_buf_format(out, "\\%c", (char)c);
    else if (c == '\n') asy_buf_text(out, "\\n");
    else if (c == '\r') asy_buf_text(out, "\\r");
    else if (c == '\t') asy_buf_text(out, "\\t");
    else if (c >= 0x20 && c < 0x7F) asy_buf_char(out, (char)c);
    else asy_buf_format(out, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
  }
  asy_buf_char(out, quote);
}

/* repr of a float: the shortest digits that read back as the same value. */
static void print_float(asy_buf *out, double d, bool imaginary) {
  char digits[40];
  if (isinf(d)) return asy_buf_text(out, "inf");
  int precision = 1;
  do snprintf(digits, sizeof digits, "%.*e", precision - 1, d);
  while (strtod(digits, NULL) != d && ++precision <= 17);
  char *e = strchr(digits, 'e');
  int exponent = atoi(e + 1);
  *e = 0;
  if (exponent < -4 || exponent >= 16) {
    asy_buf_format(out, "%se%c%02d", digits, exponent < 0 ? '-' : '+', abs(exponent));
  } else {
    int decimals = precision - 1 - exponent;
    asy_buf_format(out, "%.*f", decimals > 0 ? decimals : 0, d);
    if (decimals <= 0 && !imaginary) asy_buf_text(out, ".0");
  }
}

/* Digits with a prefix, in decimal. */
static void print_big(asy_buf *out, const char *text, size_t len) {
  uint32_t base = text[0] != '0' || len < 2 ? 10 : text[1] == 'x' ? 16 : text[1] == 'o' ? 8 : 2;
  if (base == 10) return asy_buf_add(out, text, len);
  enum { LIMB = 1000000000 };
  uint32_t *limbs = calloc(len / 2 + 2, sizeof *limbs); /* a hexadecimal digit is less than 1.3 decimal ones */
  size_t count = 1;
  if (!limbs) return;
  for (size_t i = 2; i < len; i++) {
    uint64_t carry = (uint32_t)(text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10);
    for (size_t k = 0; k < count; k++) {
      carry += (uint64_t)limbs[k] * base;
      limbs[k] = (uint32_t)(carry % LIMB);
      carry /= LIMB;
    }
    if (carry) limbs[count++] = (uint32_t)carry;
  }
  asy_buf_format(out, "%u", limbs[count - 1]);
  for (size_t k = count - 1; k-- > 0;) asy_buf_format(out, "%09u", limbs[k]);
  free(limbs);
}

static void print_constant(asy_buf *out, const asy_constant *value) {
  switch ((asy_const_kind)value->kind) {
    case CONST_NONE: return asy_buf_text(out, "None");
    case CONST_TRUE: return asy_buf_text(out, "True");
    case CONST_FALSE: return asy_buf_text(out, "False");
    case CONST_ELLIPSIS: return asy_buf_text(out, "Ellipsis");
    case CONST_INT: return asy_buf_format(out, "%lld", (long long)value->i);
    case CONST_BIGINT: return print_big(out, value->text, value->len);
    case CONST_FLOAT: return print_float(out, value->d, false);
    case CONST_COMPLEX: print_float(out, value->d, true); return asy_buf_char(out, 'j');
    case CONST_STR: return print_text(out, value->text, value->len, false);
    case CONST_BYTES: return print_text(out, value->text, value->len, true);
  }
}

static void print_node(printer *p, const asy_node *node);

static void print_ops(asy_buf *out, const uint8_t *ops, uint32_t count) {
  asy_buf_char(out, '[');
  for (uint32_t i = 0; i < count; i++) asy_buf_format(out, "%s%s()", i ? ", " : "", asy_ast_op_name(ops[i]));
  asy_buf_char(out, ']');
}

/* False when the field is left out, as ast.dump leaves out None and []. */
static bool has_value(const asy_ast_field *field, const void *value) {
  switch ((asy_ast_field_type)field->type) {
    case FIELD_NODE:
    case FIELD_NAME: return *(void *const *)value != NULL;
    case FIELD_LIST: return ((const asy_node_list *)value)->len > 0;
    case FIELD_NAMES: return ((const asy_name_list *)value)->len > 0;
    default: return true;
  }
}

static void print_field(printer *p, const asy_node *node, const asy_ast_field *field) {
  static const char *const contexts[] = {"Load()", "Store()", "Del()"};
  asy_buf *out = p->out;
  const void *value = asy_ast_field_of(node, field);
  switch ((asy_ast_field_type)field->type) {
    case FIELD_END: return;
    case FIELD_NODE: return print_node(p, *(asy_node *const *)value);
    case FIELD_NAME: return print_text(out, (*(asy_name *const *)value)->text, (*(asy_name *const *)value)->len, false);
    case FIELD_OP: return asy_buf_format(out, "%s()", asy_ast_op_name(*(const asy_ast_op *)value));
    case FIELD_OPS: return print_ops(out, *(uint8_t *const *)value, node->compare.comparators.len);
    case FIELD_CTX: return asy_buf_text(out, contexts[*(const asy_ast_ctx *)value]);
    case FIELD_INT: return asy_buf_format(out, "%d", *(const int *)value);
    case FIELD_CONSTANT:
      print_constant(out, value);
      if (((const asy_constant *)value)->u_prefix) asy_buf_text(out, ", kind='u'");
      return;
    case FIELD_LIST: {
      const asy_node_list *list = value;
      asy_buf_char(out, '[');
      for (uint32_t i = 0; i < list->len; i++) {
        if (i) asy_buf_text(out, ", ");
        if (list->items[i]) print_node(p, list->items[i]);
        else asy_buf_text(out, "None");
      }
      return asy_buf_char(out, ']');
    }
    case FIELD_NAMES: {
      const asy_name_list *list = value;
      asy_buf_char(out, '[');
      for (uint32_t i = 0; i < list->len; i++) {
        if (i) asy_buf_text(out, ", ");
        print_text(out, list->items[i]->text, list->items[i]->len, false);
      }
      return asy_buf_char(out, ']');
    }
  }
}

static bool has_positions(const asy_node *node) {
  return node->kind > AST_Expression && node->kind != AST_comprehension && node->kind != AST_arguments &&
         node->kind != AST_withitem && node->kind != AST_match_case;
}

static void print_end(printer *p, const asy_node *node, bool first) {
  if (p->positions && has_positions(node))
    asy_buf_format(p->out, "%slineno=%u, col_offset=%u, end_lineno=%u, end_col_offset=%u", first ? "" : ", ",
                   node->line, node->col, node->end_line, node->end_col);
  asy_buf_char(p->out, ')');
}

/* Everything after the first `skip` fields; `first`: nothing was printed before. */
static void print_fields(printer *p, const asy_node *node, int skip, bool first) {
  for (const asy_ast_field *field = asy_ast_fields(node->kind) + skip; field->type; field++) {
    if (!has_value(field, asy_ast_field_of(node, field))) continue;
    asy_buf_format(p->out, "%s%s=", first ? "" : ", ", field->name);
    print_field(p, node, field);
    first = false;
  }
  print_end(p, node, first);
}

static const asy_node *first_field(const asy_node *node) {
  return *(asy_node *const *)asy_ast_field_of(node, asy_ast_fields(node->kind));
}

static bool has_elif(const asy_node *node) {
  return node->kind == AST_If && node->if_.orelse.len == 1 && node->if_.orelse.items[0]->kind == AST_If;
}

/* Down a chain of `elif`, then what closes each node. */
static void print_elif_chain(printer *p, const asy_node *node) {
  const asy_node *last = node;
  for (; has_elif(last); last = last->if_.orelse.items[0]) {
    asy_buf_text(p->out, "If(test=");
    print_node(p, last->if_.test);
    asy_buf_text(p->out, ", body=");
    print_field(p, last, asy_ast_fields(AST_If) + 1);
    asy_buf_text(p->out, ", orelse=[");
  }
  print_node(p, last);
  size_t count = 0, i = 0;
  for (const asy_node *n = node; n != last; n = n->if_.orelse.items[0]) count++;
  const asy_node **chain = malloc((count + 1) * sizeof *chain);
  if (!chain) {
    p->out->oom = true;
    return;
  }
  for (const asy_node *n = node; n != last; n = n->if_.orelse.items[0]) chain[i++] = n;
  while (i > 0) {
    asy_buf_char(p->out, ']');
    print_end(p, chain[--i], false);
  }
  free(chain);
}

/* Down the left spine first, then the rest of each node on the way up. */
static void print_node(printer *p, const asy_node *node) {
  if (has_elif(node)) return print_elif_chain(p, node);
  if (!asy_ast_has_left_spine(node)) {
    asy_buf_format(p->out, "%s(", asy_ast_kind_name(node->kind));
    return print_fields(p, node, 0, true);
  }
  size_t len = 0, cap = 0;
  const asy_node **spine = NULL;
  for (; asy_ast_has_left_spine(node); node = first_field(node)) {
    if (len == cap) {
      cap = cap ? cap * 2 : 16;
      const asy_node **bigger = realloc(spine, cap * sizeof *spine);
      if (!bigger) {
        p->out->oom = true;
        return free(spine);
      }
      spine = bigger;
    }
    spine[len++] = node;
    asy_buf_format(p->out, "%s(%s=", asy_ast_kind_name(node->kind), asy_ast_fields(node->kind)->name);
  }
  print_node(p, node);
  while (len) print_fields(p, spine[--len], 1, false);
  free(spine);
}

void asy_ast_print(const asy_node *node, asy_buf *out) { print_node(&(printer){.out = out}, node); }

void asy_ast_print_positions(const asy_node *node, asy_buf *out) {
  print_node(&(printer){.out = out, .positions = true}, node);
}
