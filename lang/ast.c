/* ast.c - making nodes, and the tables that describe them. */
#include "lang/ast.h"

#include <string.h>

/* clang-format off */
/* Inside the function of a kind, `self` is the struct of that kind. */
#define FIELD(field, type) {#field, FIELD_##type, offsetof(self, field)},
#define REQ(field) FIELD(field, NODE)
#define OPT(field) FIELD(field, NODE)
#define LIST(field) FIELD(field, LIST)
#define HOLES(field) FIELD(field, LIST)
#define ID(field) FIELD(field, NAME)
#define OPTID(field) FIELD(field, NAME)
#define IDS(field) FIELD(field, NAMES)
#define OPER(field) FIELD(field, OP)
#define OPERS(field) FIELD(field, OPS)
#define CTX(field) FIELD(field, CTX)
#define INT(field) FIELD(field, INT)
#define CONST(field) FIELD(field, CONSTANT)

#define NODE(kind, member, fields)                                      \
  static const asy_ast_field *fields_of_##kind(void) {                  \
    typedef __typeof__(((asy_node *)0)->member) self __attribute__((unused)); \
    static const asy_ast_field list[] = {fields{0}}; \
    return list;                                                        \
  }
#define SAME(kind, as, member) \
  static const asy_ast_field *fields_of_##kind(void) { return fields_of_##as(); }
ASY_AST_KINDS(NODE, SAME)
#undef NODE
#undef SAME
#undef FIELD
#undef REQ
#undef OPT
#undef LIST
#undef HOLES
#undef ID
#undef OPTID
#undef IDS
#undef OPER
#undef OPERS
#undef CTX
#undef INT
#undef CONST

const asy_ast_field *asy_ast_fields(asy_ast_kind kind) {
  switch (kind) {
#define NODE(kind, member, fields) case AST_##kind: return fields_of_##kind();
#define SAME(kind, as, member) case AST_##kind: return fields_of_##kind();
    ASY_AST_KINDS(NODE, SAME)
#undef NODE
#undef SAME
    case AST_COUNT_: break;
  }
  return NULL;
}

/* clang-format on */

static const struct {
  const char *name;
  uint16_t size;
} kinds[] = {
#define NODE(kind, member, fields) {#kind, sizeof(((asy_node *)0)->member)},
#define SAME(kind, as, member) {#kind, sizeof(((asy_node *)0)->member)},
  ASY_AST_KINDS(NODE, SAME)
#undef NODE
#undef SAME
};

static const struct {
  const char *name, *text;
} ops[] = {
#define OP(name, text) {#name, text},
  ASY_AST_OPS(OP)
#undef OP
};

const char *asy_ast_kind_name(asy_ast_kind kind) { return kinds[kind].name; }
const char *asy_ast_op_name(asy_ast_op op) { return ops[op].name; }
const char *asy_ast_op_text(asy_ast_op op) { return ops[op].text; }

asy_node *asy_ast_new(asy_arena *arena, asy_ast_kind kind, asy_span span) {
  size_t size = ASY_AST_FIELDS_OFFSET + kinds[kind].size;
  asy_node *node = asy_arena_alloc(arena, size);
  if (!node) return NULL;
  memset(node, 0, size);
  node->kind = (uint8_t)kind;
  node->span = span;
  return node;
}

/* The new room for the items of a full list, in which the old ones are copied; NULL when memory runs out. */
static void *grown(asy_arena *arena, const void *items, uint32_t len, uint32_t *cap) {
  uint32_t more = *cap ? *cap * 2 : 2;
  void *bigger = asy_arena_alloc(arena, more * sizeof(void *));
  if (!bigger) return NULL;
  if (len) memcpy(bigger, items, len * sizeof(void *));
  *cap = more;
  return bigger;
}

void asy_node_list_add(asy_arena *arena, asy_node_list *list, asy_node *node) {
  if (list->len == list->cap) {
    void *items = grown(arena, list->items, list->len, &list->cap);
    if (!items) return;
    list->items = items;
  }
  list->items[list->len++] = node;
}

void asy_name_list_add(asy_arena *arena, asy_name_list *list, asy_name *name) {
  if (list->len == list->cap) {
    void *items = grown(arena, list->items, list->len, &list->cap);
    if (!items) return;
    list->items = items;
  }
  list->items[list->len++] = name;
}

static inline void below(uint32_t *depth, const asy_node *child, uint32_t step) {
  if (child && child->depth + step > *depth) *depth = child->depth + step;
}

void asy_ast_seal(asy_node *node) {
  uint32_t depth = 0;
  bool left_spine = asy_ast_has_left_spine(node);
  for (const asy_ast_field *field = asy_ast_fields(node->kind); field->type; field++) {
    const void *value = asy_ast_field_of(node, field);
    if (field->type == FIELD_NODE) {
      below(&depth, *(asy_node *const *)value, left_spine && field->offset == 0 ? 0 : 1);
    } else if (field->type == FIELD_LIST) {
      const asy_node_list *list = value;
      bool elif = node->kind == AST_If && list == &node->if_.orelse && list->len == 1 && list->items[0]->kind == AST_If;
      for (uint32_t i = 0; i < list->len; i++) below(&depth, list->items[i], elif ? 0 : 1);
    }
  }
  node->depth = depth < UINT16_MAX ? (uint16_t)depth : UINT16_MAX;
}
