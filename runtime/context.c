/* context.c - contextvars: Context, ContextVar, Token. See context.h.
 *
 * The map is a hash trie of tuples that are never changed: 32 branches a level, by five bits of the variable's hash, which no two
 * variables share. A node is (entries, nodes, key, value, key, value .., node, node ..): two bit sets that say which branches end
 * in an entry and which lead to a node, then the entries and the nodes in the order of their bits.
 */
#include "runtime/context.h"

#include "runtime/class.h"
#include "runtime/descriptors.h"
#include "runtime/exc.h"

/* ---- The map --------------------------------------------------------------------------------------------------------- */

typedef struct {
  asy_obj head;
  asy_str *name;
  asy_value initial; /* default=; 0 none */
  uint32_t hash;     /* its own: a number times an odd one */
} variable;

enum { NODE_HEAD = 2, LEVEL_BITS = 5 };

static variable *variable_of(asy_value v) { return (variable *)asy_obj_of(v); }
static uint32_t entries_of(const asy_tuple *node) { return (uint32_t)asy_small(node->items[0]); }
static uint32_t nodes_of(const asy_tuple *node) { return (uint32_t)asy_small(node->items[1]); }
static uint32_t bit_of(const variable *key, unsigned shift) { return 1u << (key->hash >> shift & 31); }
static uint32_t entry_place(const asy_tuple *node, uint32_t bit) {
  return NODE_HEAD + 2 * (uint32_t)__builtin_popcount(entries_of(node) & (bit - 1));
}
static uint32_t node_place(const asy_tuple *node, uint32_t bit) {
  return NODE_HEAD + 2 * (uint32_t)__builtin_popcount(entries_of(node)) +
         (uint32_t)__builtin_popcount(nodes_of(node) & (bit - 1));
}
static asy_tuple *child(const asy_tuple *node, uint32_t bit) {
  return (asy_tuple *)asy_obj_of(node->items[node_place(node, bit)]);
}

/* The value of key; 0 absent. */
static asy_value map_get(const asy_tuple *node, const variable *key) {
  for (unsigned shift = 0; node; shift += LEVEL_BITS) {
    uint32_t bit = bit_of(key, shift);
    if (entries_of(node) & bit) {
      uint32_t at = entry_place(node, bit);
      return asy_obj_of(node->items[at]) == &key->head ? node->items[at + 1] : 0;
    }
    node = nodes_of(node) & bit ? child(node, bit) : NULL;
  }
  return 0;
}

/* A node like `from` (NULL: empty) with the words [at, at + drop) replaced by n others. */
static asy_tuple *edited(asy_vm *vm, const asy_tuple *from, uint32_t entries, uint32_t nodes, uint32_t at,
                         uint32_t drop, uint32_t n, const asy_value *words) {
  uint32_t len = from ? from->len : NODE_HEAD;
  asy_tuple *node = asy_tuple_new(vm, NULL, len - drop + n);
  if (!node) return NULL;
  if (from) memcpy(node->items, from->items, at * sizeof *node->items);
  if (n) memcpy(node->items + at, words, n * sizeof *words);
  if (from) memcpy(node->items + at + n, from->items + at + drop, (len - at - drop) * sizeof *node->items);
  node->items[0] = asy_from_small(entries);
  node->items[1] = asy_from_small(nodes);
  return node;
}

static asy_tuple *map_set(asy_vm *vm, asy_tuple *node, asy_value key, asy_value value, unsigned shift);

/* The branch `bit` holds another key: both go into a node below. */
static asy_tuple *split(asy_vm *vm, asy_tuple *node, uint32_t bit, asy_value key, asy_value value, unsigned shift) {
  uint32_t at = entry_place(node, bit);
  asy_tuple *below = map_set(vm, NULL, node->items[at], node->items[at + 1], shift + LEVEL_BITS);
  if (below) below = map_set(vm, below, key, value, shift + LEVEL_BITS);
  asy_tuple *without = below ? edited(vm, node, entries_of(node) & ~bit, nodes_of(node), at, 2, 0, NULL) : NULL;
  if (!without) return NULL;
  asy_value word = asy_from_obj(below);
  return edited(vm, without, entries_of(without), nodes_of(without) | bit, node_place(without, bit), 0, 1, &word);
}

/* The map with key = value. NULL: MemoryError. */
static asy_tuple *map_set(asy_vm *vm, asy_tuple *node, asy_value key, asy_value value, unsigned shift) {
  uint32_t bit = bit_of(variable_of(key), shift);
  const asy_value words[] = {key, value};
  if (!node) return edited(vm, NULL, bit, 0, NODE_HEAD, 0, 2, words);
  uint32_t entries = entries_of(node), nodes = nodes_of(node);
  if (entries & bit) {
    uint32_t at = entry_place(node, bit);
    if (node->items[at] != key) return split(vm, node, bit, key, value, shift);
    return edited(vm, node, entries, nodes, at, 2, 2, words);
  }
  if (!(nodes & bit)) return edited(vm, node, entries | bit, nodes, entry_place(node, bit), 0, 2, words);
  asy_tuple *below = map_set(vm, child(node, bit), key, value, shift + LEVEL_BITS);
  asy_value word = below ? asy_from_obj(below) : 0;
  return below ? edited(vm, node, entries, nodes, node_place(node, bit), 1, 1, &word) : NULL;
}

/* The map without key, which is there. A node may be left empty: it costs a step, no more. NULL: MemoryError. */
static asy_tuple *map_delete(asy_vm *vm, asy_tuple *node, const variable *key, unsigned shift) {
  uint32_t bit = bit_of(key, shift), entries = entries_of(node), nodes = nodes_of(node);
  if (entries & bit) return edited(vm, node, entries & ~bit, nodes, entry_place(node, bit), 2, 0, NULL);
  asy_tuple *below = map_delete(vm, child(node, bit), key, shift + LEVEL_BITS);
  asy_value word = below ? asy_from_obj(below) : 0;
  return below ? edited(vm, node, entries, nodes, node_place(node, bit), 1, 1, &word) : NULL;
}

typedef enum { LIST_KEYS, LIST_VALUES, LIST_ITEMS } listing;

static bool list_map(asy_vm *vm, asy_tuple *node, listing what, asy_list *out) {
  if (!node) return true;
  uint32_t at = NODE_HEAD, end = NODE_HEAD + 2 * (uint32_t)__builtin_popcount(entries_of(node));
  for (; at < end; at += 2) {
    asy_value v = what == LIST_ITEMS ? asy_tuple_of(vm, 2, node->items[at], node->items[at + 1])
                                     : node->items[at + (what == LIST_VALUES)];
    if (asy_failed(v) || !asy_list_append(vm, out, v)) return false;
  }
  for (; at < node->len; at++)
    if (!list_map(vm, (asy_tuple *)asy_obj_of(node->items[at]), what, out)) return false;
  return true;
}

static uint32_t map_count(const asy_tuple *node) {
  if (!node) return 0;
  uint32_t entries = (uint32_t)__builtin_popcount(entries_of(node)), count = entries;
  for (uint32_t at = NODE_HEAD + 2 * entries; at < node->len; at++)
    count += map_count((asy_tuple *)asy_obj_of(node->items[at]));
  return count;
}

/* ---- Contexts -------------------------------------------------------------------------------------------------------- */

static const asy_type variable_type, token_type;

static asy_context *context_of(asy_value v) { return (asy_context *)asy_obj_of(v); }

asy_context *asy_context_new(asy_vm *vm) { return asy_new_object(vm, &asy_context_type); }

static asy_value copy_of(asy_vm *vm, asy_tuple *map) {
  asy_context *copy = asy_context_new(vm);
  if (!copy) return ASY_FAILED;
  copy->map = map;
  asy_barrier(vm, copy);
  return asy_from_obj(copy);
}

asy_value asy_context_snapshot(asy_vm *vm) {
  return vm->context && vm->context->map ? copy_of(vm, vm->context->map) : ASY_NONE;
}

bool asy_is_context(asy_vm *vm, asy_value v) {
  asy_class *cls = asy_class_for(vm, &asy_context_type);
  return cls && asy_class_of(vm, v) == cls;
}

bool asy_context_enter(asy_vm *vm, asy_context *context) {
  if (context->entered) {
    asy_raise(vm, ASY_RuntimeError, "cannot enter context: %R is already entered", asy_from_obj(context));
    return false;
  }
  context->previous = vm->context;
  context->entered = true;
  asy_barrier(vm, context);
  vm->context = context;
  return true;
}

void asy_context_leave(asy_vm *vm, asy_context *context) {
  vm->context = context->previous;
  context->previous = NULL;
  context->entered = false;
}

asy_context *asy_context_begin(asy_vm *vm, asy_value own) {
  asy_context *outer = vm->context;
  vm->context = own == ASY_NONE ? NULL : context_of(own);
  if (vm->context) vm->context->entered = true;
  return outer;
}

void asy_context_end(asy_vm *vm, void *owner, asy_value *slot, asy_context *outer) {
  if (vm->context) {
    vm->context->entered = false;
    asy_store(vm, owner, slot, asy_from_obj(vm->context));
  }
  vm->context = outer;
}

/* The current one; made when it is only thought of. NULL: no memory. */
static asy_context *current(asy_vm *vm) {
  if (!vm->context) {
    vm->context = asy_context_new(vm);
    if (vm->context) vm->context->entered = true;
  }
  return vm->context;
}

static void context_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_obj(v, ((asy_context *)o)->map);
  asy_visit_obj(v, ((asy_context *)o)->previous);
}

static asy_value context_new(asy_vm *vm, const asy_value *args) {
  if (((asy_tuple *)asy_obj_of(args[1]))->len || ((asy_dict *)asy_obj_of(args[2]))->used)
    return asy_raise(vm, ASY_TypeError, "Context() does not accept any arguments");
  return copy_of(vm, NULL);
}

static asy_value context_run(asy_vm *vm, const asy_value *args) {
  asy_context *context = context_of(args[0]);
  asy_tuple *rest = (asy_tuple *)asy_obj_of(args[1]);
  if (!rest->len) return asy_raise(vm, ASY_TypeError, "run() missing 1 required positional argument");
  asy_tuple *given = asy_tuple_new(vm, rest->items + 1, rest->len - 1);
  if (!given || !asy_context_enter(vm, context)) return ASY_FAILED;
  asy_value result = asy_call_ex(vm, rest->items[0], given, (asy_dict *)asy_obj_of(args[2]));
  asy_context_leave(vm, context);
  return result;
}

asy_value asy_context_copy(asy_vm *vm, asy_value context) {
  return context == ASY_NONE ? context : copy_of(vm, context_of(context)->map);
}

static asy_value context_copy(asy_vm *vm, const asy_value *args) { return asy_context_copy(vm, args[0]); }

/* The variable that a key must be; NULL: TypeError. */
static variable *key_of(asy_vm *vm, asy_value key) {
  asy_class *cls = asy_class_for(vm, &variable_type);
  if (cls && asy_class_of(vm, key) == cls) return variable_of(key);
  asy_raise(vm, ASY_TypeError, "a ContextVar key was expected, got %R", key);
  return NULL;
}

static asy_value context_get(asy_vm *vm, const asy_value *args) {
  variable *key = key_of(vm, args[1]);
  if (!key) return ASY_FAILED;
  asy_value value = map_get(context_of(args[0])->map, key);
  return value ? value : args[2];
}

static asy_value context_item(asy_vm *vm, asy_value self, asy_value name) {
  variable *key = key_of(vm, name);
  if (!key) return ASY_FAILED;
  asy_value value = map_get(context_of(self)->map, key);
  return value ? value : asy_raise_key(vm, name);
}

static int context_contains(asy_vm *vm, asy_value self, asy_value name) {
  variable *key = key_of(vm, name);
  return key ? map_get(context_of(self)->map, key) != 0 : -1;
}

static int64_t context_length(asy_vm *vm, asy_value self) { return map_count(context_of(self)->map); }

static asy_value iterate(asy_vm *vm, asy_value self, listing what) {
  asy_list *list = asy_list_new(vm, 0);
  if (!list || !list_map(vm, context_of(self)->map, what, list)) return ASY_FAILED;
  return asy_iter(vm, asy_from_obj(list));
}

static asy_value context_iter(asy_vm *vm, asy_value self) { return iterate(vm, self, LIST_KEYS); }
static asy_value context_keys(asy_vm *vm, const asy_value *args) { return iterate(vm, args[0], LIST_KEYS); }
static asy_value context_values(asy_vm *vm, const asy_value *args) { return iterate(vm, args[0], LIST_VALUES); }
static asy_value context_items(asy_vm *vm, const asy_value *args) { return iterate(vm, args[0], LIST_ITEMS); }

/* Equal when they hold equal values for the same variables. */
static int maps_equal(asy_vm *vm, asy_tuple *a, asy_tuple *b) {
  if (a == b) return 1;
  if (map_count(a) != map_count(b)) return 0;
  asy_list *keys = asy_list_new(vm, 0);
  if (!keys || !list_map(vm, a, LIST_KEYS, keys)) return -1;
  for (uint32_t i = 0; i < keys->len; i++) {
    variable *key = variable_of(keys->items[i]);
    asy_value other = map_get(b, key);
    int equal = other ? asy_equal(vm, map_get(a, key), other) : 0;
    if (equal != 1) return equal;
  }
  return 1;
}

static asy_value context_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!asy_is_context(vm, other) || (op != COMPARE_EQ && op != COMPARE_NE)) return ASY_NOT_IMPLEMENTED;
  int equal = maps_equal(vm, context_of(self)->map, context_of(other)->map);
  return equal < 0 ? ASY_FAILED : asy_from_bool(equal == (op == COMPARE_EQ));
}

static const asy_native context_methods[] = {
  {"run", SIG("(self, /, *args, **kwargs)"), context_run, DOC("Call a function with this as the current context."), 0},
  {"copy", SIG("(self, /)"), context_copy, DOC("A copy, at no cost."), 0},
  {"get", SIG("(self, key, default=None, /)"), context_get, DOC("The value of a variable."), 0},
  {"keys", SIG("(self, /)"), context_keys, DOC("The variables that have values."), 0},
  {"values", SIG("(self, /)"), context_values, DOC("Their values."), 0},
  {"items", SIG("(self, /)"), context_items, DOC("Pairs of them."), 0},
  {0},
};

const asy_type asy_context_type = {
  .name = "_contextvars.Context",
  .doc = "The values that context variables have for a flow of work.",
  .size = sizeof(asy_context),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_UNHASHABLE,
  .visit = context_visit,
  .new_ = context_new,
  .new_signature = SIG("(cls, /, *args, **kwargs)"),
  .compare = context_compare,
  .length = context_length,
  .special = &(const asy_special){.get_item = context_item, .contains = context_contains},
  .iter = context_iter,
  .methods = context_methods,
};

/* ---- Tokens ---------------------------------------------------------------------------------------------------------- */

typedef struct { /* undoes one set() */
  asy_obj head;
  asy_context *context;
  variable *variable;
  asy_value old; /* 0: it had no value */
  bool used;
} token;

static token *token_of(asy_value v) { return (token *)asy_obj_of(v); }

static void token_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_obj(v, ((token *)o)->context);
  asy_visit_obj(v, ((token *)o)->variable);
  if (((token *)o)->old) asy_visit_value(v, ((token *)o)->old);
}

static asy_value text_with_address(asy_vm *vm, asy_str *text, const void *address) {
  char at[32];
  snprintf(at, sizeof at, " at %p>", address);
  asy_str *all = text ? asy_str_format(vm, "%U%s", text, at) : NULL;
  return all ? asy_from_obj(all) : ASY_FAILED;
}

static asy_value token_repr(asy_vm *vm, asy_value self) {
  asy_str *text = asy_str_format(vm, "<Token%s var=%R", token_of(self)->used ? " used" : "",
                                 asy_from_obj(token_of(self)->variable));
  return text_with_address(vm, text, asy_obj_of(self));
}

static asy_value missing(asy_vm *vm) {
  return asy_get_attr_cstr(vm, asy_from_obj(asy_class_for(vm, &token_type)), "MISSING");
}

static asy_value token_old(asy_vm *vm, const asy_value *args) {
  return token_of(args[0])->old ? token_of(args[0])->old : missing(vm);
}

static asy_value token_new(asy_vm *vm, const asy_value *args) {
  return asy_raise(vm, ASY_RuntimeError, "Tokens can only be created by ContextVars");
}

static asy_value make_alias(asy_vm *vm, const asy_value *args) {
  asy_value types = asy_import(vm, "types"),
            alias = asy_failed(types) ? ASY_FAILED : asy_get_attr_cstr(vm, types, "GenericAlias");
  return asy_failed(alias) ? ASY_FAILED : asy_call2(vm, alias, args[0], args[1]);
}

static const asy_native token_methods[] = {
  {"old_value", SIG("(self)"), token_old, DOC("The value before; Token.MISSING for none."), ASY_NATIVE_GETTER},
  {"__class_getitem__", SIG("(cls, item, /)"), make_alias, 0, ASY_NATIVE_CLASS},
  {0},
};

static const asy_member token_members[] = {
  {"var", offsetof(token, variable), MEMBER_OBJECT, false},
  {0},
};

static const asy_type token_type = {
  .name = "_contextvars.Token",
  .doc = "What ContextVar.set() gives, for reset().",
  .size = sizeof(token),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_UNHASHABLE,
  .visit = token_visit,
  .new_ = token_new,
  .new_signature = SIG("(cls, /, *args, **kwargs)"),
  .repr = token_repr,
  .methods = token_methods,
  .members = token_members,
};

/* What Token.MISSING is: nothing but its repr. */
static asy_value missing_repr(asy_vm *vm, asy_value self) { return (void)self, asy_from_cstr(vm, "<Token.MISSING>"); }

static const asy_type missing_type = {
  .name = "_contextvars.Token.MISSING",
  .size = sizeof(asy_obj),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .repr = missing_repr,
};

/* ---- Variables ------------------------------------------------------------------------------------------------------- */

static void variable_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_obj(v, ((variable *)o)->name);
  if (((variable *)o)->initial) asy_visit_value(v, ((variable *)o)->initial);
}

static asy_value variable_new(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "context variable name must be a str");
  variable *made = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!made) return ASY_FAILED;
  made->name = (asy_str *)asy_obj_of(args[1]);
  made->initial = args[2] == ASY_UNBOUND ? 0 : args[2];
  made->hash = ++vm->context_variables * UINT32_C(0x9E3779B1);
  asy_barrier(vm, made);
  return asy_from_obj(made);
}

static asy_value variable_repr(asy_vm *vm, asy_value self) {
  const variable *v = variable_of(self);
  asy_str *text = v->initial ? asy_str_format(vm, "<ContextVar name=%R default=%R", asy_from_obj(v->name), v->initial)
                             : asy_str_format(vm, "<ContextVar name=%R", asy_from_obj(v->name));
  return text_with_address(vm, text, v);
}

static asy_value variable_get(asy_vm *vm, const asy_value *args) {
  const variable *v = variable_of(args[0]);
  asy_value value = vm->context ? map_get(vm->context->map, v) : 0;
  if (value) return value;
  if (args[1] != ASY_UNBOUND) return args[1];
  if (v->initial) return v->initial;
  asy_value error = asy_call1(vm, asy_from_obj(vm->exceptions[ASY_LookupError]), args[0]);
  return asy_failed(error) ? ASY_FAILED : asy_raise_value(vm, error);
}

static bool assign(asy_vm *vm, asy_context *context, asy_value self, asy_value value) {
  asy_tuple *map = value ? map_set(vm, context->map, self, value, 0)
                         : map_delete(vm, context->map, variable_of(self), 0);
  if (!map) return false;
  context->map = map;
  asy_barrier(vm, context);
  return true;
}

static asy_value variable_set(asy_vm *vm, const asy_value *args) {
  asy_context *context = current(vm);
  asy_class *cls = context ? asy_class_for(vm, &token_type) : NULL;
  token *made = cls ? asy_new_instance(vm, cls) : NULL;
  if (!made) return ASY_FAILED;
  made->context = context;
  made->variable = variable_of(args[0]);
  made->old = map_get(context->map, variable_of(args[0]));
  asy_barrier(vm, made);
  return assign(vm, context, args[0], args[1]) ? asy_from_obj(made) : ASY_FAILED;
}

static asy_value variable_reset(asy_vm *vm, const asy_value *args) {
  if (asy_class_of(vm, args[1]) != asy_class_for(vm, &token_type))
    return asy_raise(vm, ASY_TypeError, "expected an instance of Token, got %R", args[1]);
  token *t = token_of(args[1]);
  if (t->used) return asy_raise(vm, ASY_RuntimeError, "%R has already been used once", args[1]);
  if (t->variable != variable_of(args[0]))
    return asy_raise(vm, ASY_ValueError, "%R was created by a different ContextVar", args[1]);
  if (t->context != vm->context) return asy_raise(vm, ASY_ValueError, "%R was created in a different Context", args[1]);
  if (t->old || map_get(t->context->map, t->variable))
    if (!assign(vm, t->context, args[0], t->old)) return ASY_FAILED;
  t->used = true;
  return ASY_NONE;
}

static const asy_native variable_methods[] = {
  {"get", SIG("(self, default=?, /)"), variable_get, DOC("Its value in the current context."), 0},
  {"set", SIG("(self, value, /)"), variable_set, DOC("Give it a value in the current context; the token undoes that."),
   0},
  {"reset", SIG("(self, token, /)"), variable_reset, DOC("What it had before the set() that gave the token."), 0},
  {"__class_getitem__", SIG("(cls, item, /)"), make_alias, 0, ASY_NATIVE_CLASS},
  {0},
};

static const asy_member variable_members[] = {
  {"name", offsetof(variable, name), MEMBER_OBJECT, false},
  {0},
};

static const asy_type variable_type = {
  .name = "_contextvars.ContextVar",
  .doc = "A variable with a value for each context.",
  .size = sizeof(variable),
  .flags = ASY_TYPE_FINAL,
  .visit = variable_visit,
  .new_ = variable_new,
  .new_signature = SIG("(cls, name, /, *, default=?)"),
  .repr = variable_repr,
  .methods = variable_methods,
  .members = variable_members,
};

/* ---- The module ------------------------------------------------------------------------------------------------------ */

static asy_value copy_context(asy_vm *vm, const asy_value *args) {
  (void)args;
  return copy_of(vm, vm->context ? vm->context->map : NULL);
}

static bool context_init(asy_vm *vm, asy_value module) {
  static const struct {
    const char *name;
    const asy_type *type;
  } types[] = {{"Context", &asy_context_type}, {"ContextVar", &variable_type}, {"Token", &token_type}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    if (!asy_module_add_type(vm, module, types[i].name, types[i].type)) return false;
  }
  asy_obj *made = asy_new_object(vm, &missing_type);
  asy_str *name = made ? asy_intern(vm, "MISSING") : NULL;
  return name && asy_class_set(vm, asy_class_for(vm, &token_type), name, asy_from_obj(made));
}

static const asy_native context_natives[] = {
  {"copy_context", SIG("()"), copy_context, DOC("A copy of the current context."), 0},
  {0},
};

const asy_module_def asy_module_contextvars = {"_contextvars", context_natives, "Context variables.", context_init};
