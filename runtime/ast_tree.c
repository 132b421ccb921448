/* ast_tree.c - the compiler's tree as objects of the module ast, and back.
 *
 * Both ways go by the table of fields in lang/ast.h; the classes are those of the script module _ast, where they have the names of
 * the kinds.
 */
#include "runtime/ast_tree.h"

#include "lang/parse.h"
#include "lang/unparse.h"
#include "runtime/class.h"
#include "runtime/number.h"
#include "runtime/types/bytes.h"
#include "runtime/vm.h"

static const char *const context_names[] = {[AST_Load] = "Load", [AST_Store] = "Store", [AST_Del] = "Del"};

/* ---- From the compiler to objects ---- */

typedef struct {
  asy_vm *vm;
  asy_dict *classes; /* the namespace of _ast */
} maker;

static asy_dict *ast_namespace(asy_vm *vm) {
  asy_value module = asy_import(vm, "_ast");
  asy_value dict = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "__dict__");
  return asy_failed(dict) ? NULL : (asy_dict *)asy_obj_of(dict);
}

static asy_class *class_named(asy_vm *vm, asy_dict *classes, const char *name) {
  asy_str *key = asy_intern(vm, name);
  asy_value cls = key ? asy_dict_get_str(vm, classes, key) : ASY_FAILED;
  if (asy_is_kind(cls, KIND_TYPE)) return (asy_class *)asy_obj_of(cls);
  if (!asy_failed(cls)) asy_raise(vm, ASY_SystemError, "_ast has no class %s", name);
  return NULL;
}

/* An instance without fields: of an operator, a context, or a node to fill in. */
static asy_value bare(maker *m, const char *name) {
  asy_class *cls = class_named(m->vm, m->classes, name);
  asy_obj *o = cls ? asy_new_instance(m->vm, cls) : NULL;
  return o ? asy_from_obj(o) : ASY_FAILED;
}

/* Operators and contexts: the one instance that the class keeps. */
static asy_value single(maker *m, const char *name) {
  asy_class *cls = class_named(m->vm, m->classes, name);
  return cls ? asy_get_attr_cstr(m->vm, asy_from_obj(cls), "_one") : ASY_FAILED;
}

static asy_value constant_object(asy_vm *vm, const asy_constant *c) {
  switch ((asy_const_kind)c->kind) {
    case CONST_NONE: return ASY_NONE;
    case CONST_TRUE: return ASY_TRUE;
    case CONST_FALSE: return ASY_FALSE;
    case CONST_ELLIPSIS: return ASY_ELLIPSIS;
    case CONST_INT: return asy_from_int64(vm, c->i);
    case CONST_BIGINT: return asy_int_from_text(vm, c->text, c->len, 0);
    case CONST_FLOAT: return asy_from_double(vm, c->d);
    case CONST_COMPLEX: return asy_complex_new(vm, 0, c->d);
    case CONST_STR: return asy_from_text(vm, c->text, c->len);
    case CONST_BYTES: return asy_from_bytes(vm, c->text, c->len);
  }
  __builtin_unreachable();
}

static asy_value node_object(maker *m, const asy_node *node);

static asy_value name_object(asy_vm *vm, const asy_name *name) {
  asy_str *text = name ? asy_intern(vm, name->text) : NULL;
  return text ? asy_from_obj(text) : name ? ASY_FAILED : ASY_NONE;
}

static asy_value list_object(maker *m, const asy_node_list *nodes) {
  asy_list *list = asy_list_new(m->vm, nodes->len);
  for (uint32_t i = 0; list && i < nodes->len; i++) {
    asy_value item = node_object(m, nodes->items[i]);
    if (asy_failed(item) || !asy_list_append(m->vm, list, item)) return ASY_FAILED;
  }
  return list ? asy_from_obj(list) : ASY_FAILED;
}

static asy_value names_object(asy_vm *vm, const asy_name_list *names) {
  asy_list *list = asy_list_new(vm, names->len);
  for (uint32_t i = 0; list && i < names->len; i++) {
    asy_value item = name_object(vm, names->items[i]);
    if (asy_failed(item) || !asy_list_append(vm, list, item)) return ASY_FAILED;
  }
  return list ? asy_from_obj(list) : ASY_FAILED;
}

static asy_value operators_object(maker *m, const uint8_t *ops, uint32_t n) {
  asy_list *list = asy_list_new(m->vm, n);
  for (uint32_t i = 0; list && i < n; i++) {
    asy_value item = single(m, asy_ast_op_name(ops[i]));
    if (asy_failed(item) || !asy_list_append(m->vm, list, item)) return ASY_FAILED;
  }
  return list ? asy_from_obj(list) : ASY_FAILED;
}

static asy_value field_object(maker *m, const asy_node *node, const asy_ast_field *field) {
  const void *value = asy_ast_field_of(node, field);
  switch ((asy_ast_field_type)field->type) {
    case FIELD_NODE: return node_object(m, *(asy_node *const *)value);
    case FIELD_LIST: return list_object(m, value);
    case FIELD_NAME: return name_object(m->vm, *(asy_name *const *)value);
    case FIELD_NAMES: return names_object(m->vm, value);
    case FIELD_OP: return single(m, asy_ast_op_name(*(const asy_ast_op *)value));
    case FIELD_OPS: return operators_object(m, *(uint8_t *const *)value, node->compare.comparators.len);
    case FIELD_CTX: return single(m, context_names[*(const asy_ast_ctx *)value]);
    case FIELD_INT: return asy_from_small(*(const int *)value);
    case FIELD_CONSTANT: return constant_object(m->vm, value);
    case FIELD_END: break;
  }
  return ASY_NONE;
}

static bool put(maker *m, asy_value object, const char *name, asy_value value) {
  asy_str *key = asy_failed(value) ? NULL : asy_intern(m->vm, name);
  return key && asy_generic_set_attr(m->vm, object, key, value);
}

static bool has_position(const asy_node *node) {
  switch (node->kind) {
    case AST_Module:
    case AST_Interactive:
    case AST_Expression:
    case AST_comprehension:
    case AST_arguments:
    case AST_withitem:
    case AST_match_case: return false;
    default: return true;
  }
}

static bool put_position(maker *m, asy_value object, const asy_node *node) {
  return put(m, object, "lineno", asy_from_small(node->line)) &&
         put(m, object, "col_offset", asy_from_small(node->col)) &&
         put(m, object, "end_lineno", asy_from_small(node->end_line)) &&
         put(m, object, "end_col_offset", asy_from_small(node->end_col));
}

static asy_value node_object(maker *m, const asy_node *node) {
  if (!node) return ASY_NONE;
  if (!asy_check_c_stack_in(m->vm, " during ast construction")) return ASY_FAILED;
  asy_value object = bare(m, asy_ast_kind_name(node->kind));
  if (asy_failed(object)) return ASY_FAILED;
  for (const asy_ast_field *field = asy_ast_fields(node->kind); field->type; field++)
    if (!put(m, object, field->name, field_object(m, node, field))) return ASY_FAILED;
  if (node->kind == AST_Constant) {
    bool u = node->constant.value.kind == CONST_STR && node->constant.value.u_prefix;
    if (!put(m, object, "kind", u ? asy_from_cstr(m->vm, "u") : ASY_NONE)) return ASY_FAILED;
  }
  if (node->kind == AST_Module && !put(m, object, "type_ignores", list_object(m, &(asy_node_list){0})))
    return ASY_FAILED;
  return has_position(node) && !put_position(m, object, node) ? ASY_FAILED : object;
}

asy_value asy_tree_to_object(asy_vm *vm, const asy_node *node) {
  maker m = {vm, ast_namespace(vm)};
  return m.classes ? node_object(&m, node) : ASY_FAILED;
}

/* ---- From objects to the compiler ----
 * _ast._lower has checked the tree and handed it over as tuples, which nobody can change while they are read:
 * (kind, lineno, col_offset, end_lineno, end_col_offset, field ..), with a tuple for a list and a text for an operator. */

typedef struct {
  asy_vm *vm;
  asy_arena *arena;
} reader;

enum { LOWERED_HEADER = 5 };

static bool failed(reader *r) {
  if (r->arena->oom && !asy_raised(r->vm)) asy_raise_no_memory(r->vm);
  return r->arena->oom;
}

static bool wrong(reader *r, const char *field, asy_value value) {
  asy_raise(r->vm, ASY_TypeError, "AST field '%s' must not be %T", field, value);
  return false;
}

static const char *utf8_of(reader *r, asy_value text, size_t *length, asy_value *keep) {
  return asy_str_utf8(r->vm, (asy_str *)asy_obj_of(text), length, keep);
}

static bool read_name(reader *r, asy_value value, const char *field, asy_name **out) {
  asy_value keep = 0;
  size_t length;
  *out = NULL;
  if (value == ASY_NONE) return true;
  if (!asy_is_str(value)) return wrong(r, field, value);
  const char *text = utf8_of(r, value, &length, &keep);
  if (!text) return false;
  *out = asy_arena_intern(r->arena, text, length);
  return !failed(r);
}

static bool text_is(reader *r, asy_value value, const char *text) {
  const char *s;
  return asy_is_str(value) && asy_to_cstr(r->vm, value, &s) && !strcmp(s, text);
}

static bool read_operator(reader *r, asy_value value, const char *field, asy_ast_op *out) {
  for (*out = 0; *out < AST_OP_COUNT_; (*out)++)
    if (text_is(r, value, asy_ast_op_name(*out))) return true;
  return wrong(r, field, value);
}

static bool read_context(reader *r, asy_value value, asy_ast_ctx *out) {
  for (*out = AST_Load; *out <= AST_Del; (*out)++)
    if (text_is(r, value, context_names[*out])) return true;
  return wrong(r, "ctx", value);
}

/* Text that lives as long as the arena. */
static bool keep_text(reader *r, asy_constant *c, asy_const_kind kind, const char *text, size_t length) {
  c->kind = (uint8_t)kind;
  c->text = text ? asy_arena_copy(r->arena, text, length) : NULL;
  c->len = (uint32_t)length;
  return text && !failed(r);
}

static bool keep_str(reader *r, asy_constant *c, asy_const_kind kind, asy_value v) {
  asy_value keep = 0;
  size_t length = 0;
  const char *text = utf8_of(r, v, &length, &keep);
  return keep_text(r, c, kind, text, length);
}

static bool read_integer(reader *r, asy_value value, asy_constant *c) {
  if (asy_is_int(value) && asy_small(value) >= 0 && asy_small(value) < ((int64_t)1 << 62)) {
    c->kind = CONST_INT;
    c->i = asy_small(value);
    return true;
  }
  asy_value text = asy_format(r->vm, value, asy_from_cstr(r->vm, "#x"));
  return !asy_failed(text) && keep_str(r, c, CONST_BIGINT, text);
}

static bool read_constant(reader *r, asy_value value, asy_constant *c) {
  if (value == ASY_NONE) c->kind = CONST_NONE;
  else if (value == ASY_TRUE) c->kind = CONST_TRUE;
  else if (value == ASY_FALSE) c->kind = CONST_FALSE;
  else if (value == ASY_ELLIPSIS) c->kind = CONST_ELLIPSIS;
  else if (asy_is_integer(value)) return read_integer(r, value, c);
  else if (asy_is_float(value)) c->kind = CONST_FLOAT, c->d = asy_float_value(value);
  else if (asy_is_kind(value, KIND_COMPLEX)) {
    asy_value imaginary = asy_get_attr_cstr(r->vm, value, "imag");
    c->kind = CONST_COMPLEX;
    return !asy_failed(imaginary) && asy_to_double(r->vm, imaginary, &c->d);
  } else if (asy_is_str(value)) return keep_str(r, c, CONST_STR, value);
  else if (asy_is_kind(value, KIND_BYTES)) {
    asy_buffer buffer;
    if (!asy_buffer_get(r->vm, value, &buffer)) return false;
    bool kept = keep_text(r, c, CONST_BYTES, (const char *)buffer.data, buffer.len);
    asy_buffer_release(r->vm, &buffer);
    return kept;
  } else {
    asy_raise(r->vm, ASY_TypeError, "got an invalid type in Constant: %T", value);
    return false;
  }
  return true;
}

static bool read_node(reader *r, asy_value lowered, const char *field, asy_node **out);

static const asy_tuple *items_of(reader *r, asy_value value, const char *field) {
  if (asy_is_kind(value, KIND_TUPLE)) return (const asy_tuple *)asy_obj_of(value);
  wrong(r, field, value);
  return NULL;
}

static bool read_list(reader *r, asy_value value, const char *field, asy_node_list *out) {
  const asy_tuple *items = items_of(r, value, field);
  for (uint32_t i = 0; items && i < items->len; i++) {
    asy_node *item;
    if (!read_node(r, items->items[i], field, &item)) return false;
    asy_node_list_add(r->arena, out, item);
  }
  return items && !failed(r);
}

static bool read_names(reader *r, asy_value value, const char *field, asy_name_list *out) {
  const asy_tuple *items = items_of(r, value, field);
  for (uint32_t i = 0; items && i < items->len; i++) {
    asy_name *item;
    if (!read_name(r, items->items[i], field, &item)) return false;
    asy_name_list_add(r->arena, out, item);
  }
  return items && !failed(r);
}

static bool read_operators(reader *r, asy_value value, const char *field, uint8_t **out) {
  const asy_tuple *items = items_of(r, value, field);
  *out = items ? asy_arena_alloc(r->arena, items->len + 1) : NULL;
  for (uint32_t i = 0; *out && i < items->len; i++) {
    asy_ast_op op;
    if (!read_operator(r, items->items[i], field, &op)) return false;
    (*out)[i] = (uint8_t)op;
  }
  return items && !failed(r);
}

static bool read_field(reader *r, asy_value value, asy_node *node, const asy_ast_field *field) {
  void *out = asy_ast_field_of(node, field);
  switch ((asy_ast_field_type)field->type) {
    case FIELD_NODE: return read_node(r, value, field->name, out);
    case FIELD_LIST: return read_list(r, value, field->name, out);
    case FIELD_NAME: return read_name(r, value, field->name, out);
    case FIELD_NAMES: return read_names(r, value, field->name, out);
    case FIELD_OP: return read_operator(r, value, field->name, out);
    case FIELD_OPS: return read_operators(r, value, field->name, out);
    case FIELD_CTX: return read_context(r, value, out);
    case FIELD_INT: return asy_to_int(r->vm, value, INT32_MIN, INT32_MAX, out);
    case FIELD_CONSTANT: return read_constant(r, value, out);
    case FIELD_END: break;
  }
  return true;
}

static asy_ast_kind kind_named(reader *r, asy_value name) {
  asy_ast_kind kind = 0;
  while (kind < AST_COUNT_ && !text_is(r, name, asy_ast_kind_name(kind))) kind++;
  return kind;
}

static bool read_node(reader *r, asy_value lowered, const char *field, asy_node **out) {
  *out = NULL;
  if (lowered == ASY_NONE) return true;
  if (!asy_check_c_stack_in(r->vm, " during compilation")) return false;
  const asy_tuple *parts = items_of(r, lowered, field);
  asy_ast_kind kind = parts && parts->len >= LOWERED_HEADER ? kind_named(r, parts->items[0]) : AST_COUNT_;
  int at[4];
  if (kind == AST_COUNT_) return parts && wrong(r, field, lowered);
  for (unsigned i = 0; i < 4; i++)
    if (!asy_to_int(r->vm, parts->items[1 + i], 0, INT32_MAX, &at[i])) return false;
  asy_span span = {(uint32_t)at[0], (uint32_t)at[1], (uint32_t)at[2], (uint32_t)at[3]};
  asy_node *node = asy_ast_new(r->arena, kind, span);
  if (failed(r)) return false;
  uint32_t i = LOWERED_HEADER;
  for (const asy_ast_field *f = asy_ast_fields(kind); f->type; f++, i++)
    if (i >= parts->len ? !wrong(r, f->name, lowered) : !read_field(r, parts->items[i], node, f)) return false;
  asy_ast_seal(node);
  if (node->depth >= ASY_AST_MAX_DEPTH) {
    asy_raise(r->vm, ASY_RecursionError, "maximum recursion depth exceeded during compilation");
    return false;
  }
  *out = node;
  return true;
}

asy_node *asy_tree_from_object(asy_vm *vm, asy_value object, const char *mode, asy_arena *arena) {
  reader r = {vm, arena};
  asy_dict *names = ast_namespace(vm);
  asy_value lower = names ? asy_dict_get_str(vm, names, asy_intern(vm, "_lower")) : ASY_FAILED;
  asy_value lowered = asy_failed(lower) ? ASY_FAILED : asy_call2(vm, lower, object, asy_from_cstr(vm, mode));
  asy_node *node;
  return !asy_failed(lowered) && read_node(&r, lowered, "tree", &node) ? node : NULL;
}

int asy_is_tree(asy_vm *vm, asy_value source) {
  if (!asy_is_obj(source) || asy_is_str(source)) return 0;
  if (asy_dict_get_str(vm, vm->modules, asy_intern(vm, "_ast")) == ASY_UNBOUND)
    return 0; /* then there is no tree yet */
  asy_dict *classes = ast_namespace(vm);
  asy_class *cls = classes ? class_named(vm, classes, "AST") : NULL;
  return cls ? asy_is_instance(vm, source, cls) : -1;
}

/* ---- Expressions as text, for ast.unparse ---- */

static asy_value unparse(asy_vm *vm, const asy_value *args) {
  asy_arena arena;
  asy_buf text = {0};
  asy_node *node;
  int place;
  if (!asy_to_int(vm, args[1], UNPARSE_BARE_TUPLE, UNPARSE_PLAIN, &place)) return ASY_FAILED;
  asy_arena_init(&arena);
  reader r = {vm, &arena};
  asy_value result = ASY_FAILED;
  if (read_node(&r, args[0], "expression", &node) && node) {
    asy_unparse_in(node, (asy_unparse_place)place, &text);
    result = text.oom ? asy_raise_no_memory(vm) : asy_from_text(vm, text.data ? text.data : "", text.len);
  }
  asy_buf_free(&text);
  asy_arena_free(&arena);
  return result;
}

/* Whether what was typed at a prompt can be run, needs more lines, or cannot be right. */
static asy_value completeness(asy_vm *vm, const asy_value *args) {
  static const char *const answers[] = {
    [PARSE_COMPLETE] = "complete", [PARSE_INCOMPLETE] = "incomplete", [PARSE_INVALID] = "invalid"};
  asy_value keep = 0;
  size_t length;
  if (!asy_is_str(args[0])) return asy_raise(vm, ASY_TypeError, "source must be str, not %T", args[0]);
  const char *text = asy_str_utf8(vm, (asy_str *)asy_obj_of(args[0]), &length, &keep);
  return text ? asy_from_cstr(vm, answers[asy_parse_completeness(text, length)]) : ASY_FAILED;
}

static const asy_native natives[] = {
  {"completeness", SIG("(source, /)"), completeness, DOC("'complete', 'incomplete' or 'invalid'."), 0},
  {"unparse", SIG("(lowered, place, /)"), unparse, DOC("The text of an expression that _ast has lowered."), 0},
  {0},
};

const asy_module_def asy_module_ast_tree = {"_ast_tree", natives, "Trees of the compiler: the natives behind ast.",
                                            NULL};
