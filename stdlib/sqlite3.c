/* _sqlite3.c - databases and statements of SQLite, as sqlite3.asy needs them; the library is loaded when it is first imported.
 *
 * Database and statements share a counted `link`, so they may be freed in any order; sqlite3_close_v2 waits for statements that are
 * not finalized yet, as it does for open blobs. Functions that scripts give are kept by the database (`callables`): first what watches
 * it, then those of SQL, whose user data names their place. Each takes its arguments as one list. */
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/asy.h"

/* clang-format off */
#define FUNCTIONS(X)                                                                                                        \
  X(open_v2) X(close_v2) X(prepare_v2) X(finalize) X(step) X(reset) X(bind_null) X(bind_int64) X(bind_double) X(bind_text)   \
  X(bind_blob) X(bind_parameter_count) X(bind_parameter_name) X(column_count) X(column_name) X(column_decltype)             \
  X(column_type) X(column_int64) X(column_double) X(column_text) X(column_blob) X(column_bytes) X(changes) X(total_changes)  \
  X(last_insert_rowid) X(get_autocommit) X(errmsg) X(extended_errcode) X(extended_result_codes) X(busy_timeout) X(interrupt)  \
  X(libversion) X(create_window_function) X(create_function_v2) X(create_collation_v2) X(aggregate_context) X(value_type) X(value_int64) X(value_double) X(value_text) X(value_blob)   \
  X(value_bytes) X(result_null) X(result_int64) X(result_double) X(result_text) X(result_blob) X(result_error)              \
  X(result_error_nomem) X(result_error_toobig) X(complete) X(stmt_readonly) X(set_authorizer) X(progress_handler)           \
  X(trace_v2) X(expanded_sql) X(free) X(malloc64) X(serialize) X(deserialize) X(limit) X(db_config) X(load_extension)       \
  X(enable_load_extension) X(backup_init) X(backup_step) X(backup_finish) X(backup_remaining) X(backup_pagecount)           \
  X(blob_open) X(blob_close) X(blob_bytes) X(blob_read) X(blob_write)
/* clang-format on */

typedef struct {
#define X(name) __typeof__(&sqlite3_##name) name;
  FUNCTIONS(X)
#undef X
} library;

#define X(name) #name "\0"
static const asy_library sqlite = {"libsqlite3.so.0", "libsqlite3-0", "sqlite3_*", FUNCTIONS(X), 0};
#undef X

typedef struct {
  library lib;
  sqlite3 *db;
  asy_vm *vm;
  unsigned users; /* the database, its statements and blobs */
  bool sweeping;  /* the collector frees a statement: no function may be called */
} link;

typedef enum { AUTHORIZER, PROGRESS, TRACE, WATCHERS } watcher; /* places in callables */

typedef struct {
  asy_obj head;
  link *link;
  bool open;
  asy_value callables; /* list: what watches (or None), functions of SQL */
} database;

typedef struct {
  asy_obj head;
  link *link;
  asy_value owner; /* its database */
  sqlite3_stmt *stmt;
} statement;

typedef struct {
  asy_obj head;
  link *link;
  asy_value owner;
  sqlite3_blob *open; /* NULL when closed */
} blob;

typedef struct {
  link *link;
  database *owner; /* alive while a statement of it runs */
  uint32_t index;  /* in callables */
  int64_t groups;  /* aggregates so far */
} function;

static database *database_of(asy_value v) { return (database *)asy_obj_of(v); }
static statement *statement_of(asy_value v) { return (statement *)asy_obj_of(v); }
static blob *blob_of(asy_value v) { return (blob *)asy_obj_of(v); }
static void database_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((database *)o)->callables); }
static void statement_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((statement *)o)->owner); }
static void blob_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((blob *)o)->owner); }

static void release(link *l) {
  if (l && !--l->users) free(l);
}

static void database_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  database *d = (database *)o;
  if (d->open) d->link->lib.close_v2(d->link->db);
  release(d->link);
}

static void statement_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  statement *s = (statement *)o;
  if (s->stmt) {
    s->link->sweeping = true; /* aggregates in the middle of a group are finished now */
    s->link->lib.finalize(s->stmt);
    s->link->sweeping = false;
  }
  release(s->link);
}

static void blob_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  blob *b = (blob *)o;
  if (b->open) b->link->lib.blob_close(b->open);
  release(b->link);
}

/* Failure("code:text"): the script makes it one of its exceptions. */
static asy_value fail(asy_vm *vm, link *l) {
  if (asy_raised(vm)) return ASY_FAILED;
  return asy_raise_own(vm, "_sqlite3", "Failure", "%d:%s", l->lib.extended_errcode(l->db), l->lib.errmsg(l->db));
}

static asy_value database_new(asy_vm *vm, const asy_value *args) {
  int flags;
  size_t length;
  asy_value keep;
  asy_list *list = asy_list_new(vm, 0);
  for (int i = 0; list && i < WATCHERS; i++)
    if (!asy_list_append(vm, list, ASY_NONE)) return ASY_FAILED;
  if (!list || !asy_to_c_int(vm, args[2], &flags)) return ASY_FAILED;
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "path must be a str");
  const char *path = asy_fs_encode(vm, (asy_str *)asy_obj_of(args[1]), &length, &keep);
  if (!path) return ASY_FAILED;
  if (strlen(path) != length) return asy_raise(vm, ASY_ValueError, "embedded null byte");
  database *d = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!d) return ASY_FAILED;
  d->callables = asy_from_obj(list);
  link *l = d->link = calloc(1, sizeof *l);
  if (!l) return asy_raise_no_memory(vm);
  l->users = 1;
  l->vm = vm;
  if (!asy_load_functions(vm, &sqlite, &l->lib)) return ASY_FAILED;
  int code = l->lib.open_v2(path, &l->db, flags, NULL);
  if (code == SQLITE_OK) {
    l->lib.extended_result_codes(l->db, 1);
    d->open = true;
    return asy_from_obj(d);
  }
  fail(vm, l);
  l->lib.close_v2(l->db);
  return ASY_FAILED;
}

static bool check_open(asy_vm *vm, database *d) { return d->open || (asy_raise(vm, ASY_ValueError, "closed"), false); }

static asy_value database_close(asy_vm *vm, const asy_value *args) {
  (void)vm;
  database *d = database_of(args[0]);
  if (d->open) d->link->lib.close_v2(d->link->db);
  d->open = false;
  return ASY_NONE;
}

extern const asy_type asy_sqlite_statement_type;

/* (statement, or None of a comment; the text behind it) */
static asy_value database_prepare(asy_vm *vm, const asy_value *args) {
  database *d = database_of(args[0]);
  const char *text, *tail = NULL;
  if (!check_open(vm, d) || !asy_to_cstr(vm, args[1], &text)) return ASY_FAILED;
  statement *s = asy_new_object(vm, &asy_sqlite_statement_type);
  if (!s) return ASY_FAILED;
  s->owner = args[0];
  s->link = d->link;
  d->link->users++;
  if (d->link->lib.prepare_v2(d->link->db, text, -1, &s->stmt, &tail) != SQLITE_OK) return fail(vm, d->link);
  asy_value rest = asy_from_cstr(vm, tail);
  return asy_failed(rest) ? ASY_FAILED : asy_tuple_of(vm, 2, s->stmt ? asy_from_obj(s) : ASY_NONE, rest);
}

#define NUMBER(name)                                                                                                   \
  static asy_value database_##name(asy_vm *vm, const asy_value *args) {                                                \
    database *d = database_of(args[0]);                                                                                \
    return check_open(vm, d) ? asy_from_int64(vm, d->link->lib.name(d->link->db)) : ASY_FAILED;                        \
  }
NUMBER(changes)
NUMBER(total_changes)
NUMBER(last_insert_rowid)
NUMBER(get_autocommit)

static asy_value database_interrupt(asy_vm *vm, const asy_value *args) {
  database *d = database_of(args[0]);
  if (!check_open(vm, d)) return ASY_FAILED;
  d->link->lib.interrupt(d->link->db);
  return ASY_NONE;
}

static asy_value database_busy_timeout(asy_vm *vm, const asy_value *args) {
  database *d = database_of(args[0]);
  int ms;
  if (!check_open(vm, d) || !asy_to_int(vm, args[1], 0, INT32_MAX, &ms)) return ASY_FAILED;
  d->link->lib.busy_timeout(d->link->db, ms);
  return ASY_NONE;
}

static asy_value database_complete(asy_vm *vm, const asy_value *args) {
  const char *text;
  return asy_to_cstr(vm, args[1], &text) ? asy_from_bool(database_of(args[0])->link->lib.complete(text)) : ASY_FAILED;
}

static asy_value database_version(asy_vm *vm, const asy_value *args) {
  return asy_from_cstr(vm, database_of(args[0])->link->lib.libversion());
}

static asy_bytes *utf8_of(asy_vm *vm, asy_value text) {
  asy_value utf8 = asy_call_method(vm, text, asy_intern(vm, "encode"), 0, NULL);
  return asy_failed(utf8) ? NULL : (asy_bytes *)asy_obj_of(utf8);
}

/* ---- Functions of scripts ---- */

static asy_value argument(asy_vm *vm, const library *lib, sqlite3_value *v) {
  switch (lib->value_type(v)) {
    case SQLITE_INTEGER: return asy_from_int64(vm, lib->value_int64(v));
    case SQLITE_FLOAT: return asy_from_double(vm, lib->value_double(v));
    case SQLITE_TEXT: return asy_from_text(vm, (const char *)lib->value_text(v), (size_t)lib->value_bytes(v));
    case SQLITE_BLOB: return asy_from_bytes(vm, lib->value_blob(v), (size_t)lib->value_bytes(v));
    default: return ASY_NONE;
  }
}

static bool give_result(asy_vm *vm, const library *lib, sqlite3_context *context, asy_value v) {
  int64_t i;
  asy_buffer b;
  if (v == ASY_NONE) {
    lib->result_null(context);
  } else if (asy_is_integer(v)) {
    if (!asy_to_int64(vm, v, &i)) return false;
    lib->result_int64(context, i);
  } else if (asy_is_float(v)) {
    lib->result_double(context, asy_float_value(v));
  } else if (asy_is_str(v)) {
    asy_bytes *utf8 = utf8_of(vm, v);
    if (!utf8) return false;
    lib->result_text(context, (const char *)utf8->data, (int)utf8->len, SQLITE_TRANSIENT);
  } else {
    if (!asy_buffer_get(vm, v, &b)) return false;
    lib->result_blob(context, b.data, (int)b.len, SQLITE_TRANSIENT);
    asy_buffer_release(vm, &b);
  }
  return true;
}

/* The user data is asked through dlsym: where the library's functions are is known only behind it. */
static function *function_of(sqlite3_context *context) {
  void *loaded = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_NOLOAD);
  void *(*user_data)(sqlite3_context *);
  void *address = dlsym(loaded, "sqlite3_user_data");
  memcpy(&user_data, &address, sizeof user_data);
  function *f = user_data(context);
  dlclose(loaded);
  return f;
}

static asy_value callable_of(const database *d, uint32_t index) {
  return ((asy_list *)asy_obj_of(d->callables))->items[index];
}

/* Calls a function with the list of its arguments, before them, for an aggregate, the name of the step and the group's number.
 * A tuple as result holds the text of an error. */
static void run(sqlite3_context *context, const char *step, int argc, sqlite3_value **argv) {
  function *f = function_of(context);
  if (f->link->sweeping) return;
  asy_vm *vm = f->link->vm;
  const library *lib = &f->link->lib;
  asy_list *args = asy_list_new(vm, (uint32_t)argc + 2);
  bool good = args != NULL;
  if (good && step) {
    int64_t *group = lib->aggregate_context(context, sizeof *group);
    if (group && !*group) *group = ++f->groups;
    asy_value name = asy_from_cstr(vm, step);
    good = group && !asy_failed(name) && asy_list_append(vm, args, name) &&
           asy_list_append(vm, args, asy_from_small(*group));
  }
  for (int i = 0; good && i < argc; i++) {
    asy_value v = argument(vm, lib, argv[i]);
    good = !asy_failed(v) && asy_list_append(vm, args, v);
  }
  asy_value result = good ? asy_call1(vm, callable_of(f->owner, f->index), asy_from_obj(args)) : ASY_FAILED;
  const char *text = "user-defined function raised exception";
  bool wrong = !asy_failed(result) && asy_is_kind(result, KIND_TUPLE);
  if (wrong) {
    if (!asy_to_cstr(vm, ((asy_tuple *)asy_obj_of(result))->items[0], &text)) asy_clear_exception(vm);
  } else if (!asy_failed(result) && give_result(vm, lib, context, result)) {
    return;
  }
  if (asy_raised_is(vm, ASY_MemoryError)) {
    lib->result_error_nomem(context);
  } else if (asy_raised_is(vm, ASY_OverflowError)) {
    lib->result_error_toobig(context);
  } else {
    lib->result_error(context, text, -1);
  }
  asy_clear_exception(vm);
}

static void call_function(sqlite3_context *c, int argc, sqlite3_value **argv) { run(c, NULL, argc, argv); }
static void call_step(sqlite3_context *c, int argc, sqlite3_value **argv) { run(c, "step", argc, argv); }
static void call_inverse(sqlite3_context *c, int argc, sqlite3_value **argv) { run(c, "inverse", argc, argv); }
static void call_value(sqlite3_context *c) { run(c, "value", 0, NULL); }
static void call_finalize(sqlite3_context *c) { run(c, "finalize", 0, NULL); }

static int call_collation(void *data, int na, const void *a, int nb, const void *b) {
  function *f = data;
  asy_vm *vm = f->link->vm;
  asy_value pair[2] = {asy_from_text(vm, a, (size_t)na), asy_from_text(vm, b, (size_t)nb)};
  asy_list *args = asy_list_new(vm, 2);
  int64_t order = 0;
  if (args && !asy_failed(pair[0]) && !asy_failed(pair[1]) && asy_list_append(vm, args, pair[0]) &&
      asy_list_append(vm, args, pair[1])) {
    asy_value result = asy_call1(vm, callable_of(f->owner, f->index), asy_from_obj(args));
    if (!asy_failed(result) && !asy_to_int64(vm, result, &order)) order = 0;
  }
  if (asy_raised(vm)) asy_clear_exception(vm);
  return order < 0 ? -1 : order > 0;
}

/* callable takes the list of arguments; sort: "function", "aggregate", "window", "collation"; callable None takes the name away */
static asy_value database_create(asy_vm *vm, const asy_value *args) {
  database *d = database_of(args[0]);
  const char *sort, *name;
  int nargs, flags, code;
  if (!check_open(vm, d) || !asy_to_cstr(vm, args[1], &sort) || !asy_to_cstr(vm, args[2], &name) ||
      !asy_to_c_int(vm, args[3], &nargs) || !asy_to_int(vm, args[5], 0, INT32_MAX, &flags))
    return ASY_FAILED;
  const library *lib = &d->link->lib;
  function *f = NULL;
  if (args[4] != ASY_NONE) {
    asy_list *list = (asy_list *)asy_obj_of(d->callables);
    f = malloc(sizeof *f);
    if (!f) return asy_raise_no_memory(vm);
    *f = (function){d->link, d, list->len, 0};
    if (!asy_list_append(vm, list, args[4])) return free(f), ASY_FAILED;
  }
  void (*drop)(void *) = f ? free : NULL;
  sqlite3 *db = d->link->db;
  if (sort[0] == 'c') {
    code = lib->create_collation_v2(db, name, flags, f, f ? call_collation : NULL, drop);
    if (code != SQLITE_OK) free(f); /* it does not call the destructor then */
  } else if (sort[0] == 'w') {
    code = lib->create_window_function(db, name, nargs, flags, f, f ? call_step : NULL, f ? call_finalize : NULL,
                                       f ? call_value : NULL, f ? call_inverse : NULL, drop);
  } else {
    bool plain = sort[0] == 'f';
    code = lib->create_function_v2(db, name, nargs, flags, f, f && plain ? call_function : NULL,
                                   f && !plain ? call_step : NULL, f && !plain ? call_finalize : NULL, drop);
  }
  return code == SQLITE_OK ? ASY_NONE : fail(vm, d->link);
}

/* ---- What watches a database, and asks of it as a whole ---- */

/* What a watcher answers to n texts (NULL: None) behind a number; `otherwise` where it fails. */
static int ask(database *d, watcher which, int64_t number, int n, const char *const *texts, int64_t otherwise) {
  asy_vm *vm = d->link->vm;
  asy_list *args = asy_list_new(vm, 0);
  bool good = args && asy_list_append(vm, args, asy_from_small(number));
  for (int i = 0; good && i < n; i++) {
    asy_value text = texts[i] ? asy_from_cstr(vm, texts[i]) : ASY_NONE;
    good = !asy_failed(text) && asy_list_append(vm, args, text);
  }
  asy_value answer = good ? asy_call1(vm, callable_of(d, which), asy_from_obj(args)) : ASY_FAILED;
  if (asy_failed(answer) || !asy_is_number_int64(answer, &number)) number = otherwise;
  asy_clear_exception(vm);
  return number >= INT32_MIN && number <= INT32_MAX ? (int)number : (int)otherwise;
}

static int call_authorizer(void *data, int action, const char *a, const char *b, const char *c, const char *d) {
  return ask(data, AUTHORIZER, action, 4, (const char *[]){a, b, c, d}, SQLITE_DENY);
}

static int call_progress(void *data) { return ask(data, PROGRESS, 0, 0, NULL, 1); }

static int call_trace(unsigned event, void *data, void *stmt, void *sql) {
  const library *lib = &((database *)data)->link->lib;
  char *expanded = lib->expanded_sql(stmt); /* NULL where it would be too long */
  ask(data, TRACE, event, 2, (const char *[]){expanded, sql}, 0);
  lib->free(expanded);
  return 0;
}

/* which: a watcher; callable takes a list and answers with an integer, None takes it away; n: steps between calls for progress */
static asy_value database_watch(asy_vm *vm, const asy_value *args) {
  database *d = database_of(args[0]);
  int which, n;
  if (!check_open(vm, d) || !asy_to_int(vm, args[1], 0, WATCHERS - 1, &which) || !asy_to_c_int(vm, args[3], &n))
    return ASY_FAILED;
  const library *lib = &d->link->lib;
  bool on = args[2] != ASY_NONE;
  asy_list_set(vm, (asy_list *)asy_obj_of(d->callables), (uint32_t)which, args[2]);
  if (which == AUTHORIZER) {
    lib->set_authorizer(d->link->db, on ? call_authorizer : NULL, d);
  } else if (which == PROGRESS) {
    lib->progress_handler(d->link->db, n, on ? call_progress : NULL, d);
  } else {
    lib->trace_v2(d->link->db, on ? SQLITE_TRACE_STMT : 0, on ? call_trace : NULL, d);
  }
  return ASY_NONE;
}

/* Fills this database with the one of that name in source; turn(status, remaining, total) is called after each step. */
static asy_value database_backup(asy_vm *vm, const asy_value *args) {
  database *d = database_of(args[0]), *source = database_of(args[1]);
  const char *name;
  int pages, code;
  if (!check_open(vm, d) || !check_open(vm, source) || !asy_to_cstr(vm, args[2], &name) ||
      !asy_to_c_int(vm, args[3], &pages))
    return ASY_FAILED;
  const library *lib = &d->link->lib;
  sqlite3_backup *b = lib->backup_init(d->link->db, "main", source->link->db, name);
  if (!b) return fail(vm, d->link);
  asy_value turn;
  do {
    code = lib->backup_step(b, pages);
    asy_value how[3] = {asy_from_small(code), asy_from_small(lib->backup_remaining(b)),
                        asy_from_small(lib->backup_pagecount(b))};
    turn = asy_call(vm, args[4], 3, how);
  } while (!asy_failed(turn) && (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED));
  code = lib->backup_finish(b);
  return asy_failed(turn) || code == SQLITE_OK ? turn : fail(vm, d->link);
}

/* bytes, or None where SQLite has nothing to give */
static asy_value database_serialize(asy_vm *vm, const asy_value *args) {
  database *d = database_of(args[0]);
  const char *name;
  sqlite3_int64 size;
  if (!check_open(vm, d) || !asy_to_cstr(vm, args[1], &name)) return ASY_FAILED;
  unsigned char *data = d->link->lib.serialize(d->link->db, name, &size, 0);
  asy_value bytes = data ? asy_from_bytes(vm, data, (size_t)size) : ASY_NONE;
  d->link->lib.free(data);
  return bytes;
}

static asy_value database_deserialize(asy_vm *vm, const asy_value *args) {
  database *d = database_of(args[0]);
  const char *name;
  asy_buffer b;
  if (!check_open(vm, d) || !asy_to_cstr(vm, args[2], &name) || !asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  const library *lib = &d->link->lib;
  unsigned char *copy = lib->malloc64(b.len ? b.len : 1);
  if (copy) memcpy(copy, b.data, b.len);
  sqlite3_int64 size = (sqlite3_int64)b.len;
  asy_buffer_release(vm, &b);
  if (!copy) return asy_raise_no_memory(vm);
  int code = lib->deserialize(d->link->db, name, copy, size, size,
                              SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
  return code == SQLITE_OK ? ASY_NONE : fail(vm, d->link);
}

static asy_value database_limit(asy_vm *vm, const asy_value *args) {
  database *d = database_of(args[0]);
  int category, limit;
  if (!check_open(vm, d) || !asy_to_c_int(vm, args[1], &category) || !asy_to_c_int(vm, args[2], &limit))
    return ASY_FAILED;
  return asy_from_small(d->link->lib.limit(d->link->db, category, limit));
}

/* value: 0, 1, or -1 to ask only */
static asy_value database_config(asy_vm *vm, const asy_value *args) {
  database *d = database_of(args[0]);
  int what, value, now = 0;
  if (!check_open(vm, d) || !asy_to_c_int(vm, args[1], &what) || !asy_to_c_int(vm, args[2], &value)) return ASY_FAILED;
  int code = d->link->lib.db_config(d->link->db, what, value, &now);
  return code == SQLITE_OK ? asy_from_bool(now) : fail(vm, d->link);
}

/* path: True and False allow and forbid it; entry: a name, or None for SQLite's guess */
static asy_value database_extend(asy_vm *vm, const asy_value *args) {
  database *d = database_of(args[0]);
  const char *path, *entry = NULL;
  if (!check_open(vm, d)) return ASY_FAILED;
  const library *lib = &d->link->lib;
  if (args[1] == ASY_TRUE || args[1] == ASY_FALSE)
    return lib->enable_load_extension(d->link->db, args[1] == ASY_TRUE) == SQLITE_OK ? ASY_NONE : fail(vm, d->link);
  if (!asy_to_cstr(vm, args[1], &path) || (args[2] != ASY_NONE && !asy_to_cstr(vm, args[2], &entry))) return ASY_FAILED;
  char *message = NULL;
  int code = lib->load_extension(d->link->db, path, entry, &message);
  if (code == SQLITE_OK) return ASY_NONE;
  asy_raise_own(vm, "_sqlite3", "Failure", "%d:%s", code, message ? message : "");
  lib->free(message);
  return ASY_FAILED;
}

/* ---- Blobs ---- */

extern const asy_type asy_sqlite_blob_type;

static asy_value database_blob(asy_vm *vm, const asy_value *args) {
  database *d = database_of(args[0]);
  const char *table, *column, *name;
  int64_t row;
  if (!check_open(vm, d) || !asy_to_cstr(vm, args[1], &table) || !asy_to_cstr(vm, args[2], &column) ||
      !asy_to_int64(vm, args[3], &row) || !asy_to_cstr(vm, args[5], &name))
    return ASY_FAILED;
  blob *b = asy_new_object(vm, &asy_sqlite_blob_type);
  if (!b) return ASY_FAILED;
  b->owner = args[0];
  b->link = d->link;
  d->link->users++;
  int code = d->link->lib.blob_open(d->link->db, name, table, column, row, args[4] != ASY_TRUE, &b->open);
  return code == SQLITE_OK ? asy_from_obj(b) : fail(vm, d->link);
}

/* Where n bytes of an open blob begin. */
static bool check_place(asy_vm *vm, blob *b, asy_value at, size_t n, int *offset) {
  if (!b->open || n > INT32_MAX) return asy_raise(vm, ASY_ValueError, "closed"), false;
  return asy_to_int(vm, at, 0, INT32_MAX, offset);
}

static asy_value blob_read(asy_vm *vm, const asy_value *args) {
  blob *b = blob_of(args[0]);
  int offset, n;
  if (!asy_to_int(vm, args[2], 0, INT32_MAX, &n) || !check_place(vm, b, args[1], (size_t)n, &offset)) return ASY_FAILED;
  asy_bytes *data = asy_bytes_new(vm, NULL, (size_t)n);
  if (!data) return ASY_FAILED;
  int code = b->link->lib.blob_read(b->open, data->data, n, offset);
  return code == SQLITE_OK ? asy_from_obj(data) : fail(vm, b->link);
}

static asy_value blob_write(asy_vm *vm, const asy_value *args) {
  blob *b = blob_of(args[0]);
  int offset;
  asy_buffer data;
  if (!asy_buffer_get(vm, args[2], &data)) return ASY_FAILED;
  bool good = check_place(vm, b, args[1], data.len, &offset);
  int code = good ? b->link->lib.blob_write(b->open, data.data, (int)data.len, offset) : SQLITE_OK;
  asy_buffer_release(vm, &data);
  return !good ? ASY_FAILED : code == SQLITE_OK ? ASY_NONE : fail(vm, b->link);
}

static asy_value blob_size(asy_vm *vm, const asy_value *args) {
  (void)vm;
  blob *b = blob_of(args[0]);
  return asy_from_small(b->open ? b->link->lib.blob_bytes(b->open) : 0);
}

static asy_value blob_close(asy_vm *vm, const asy_value *args) {
  (void)vm;
  blob *b = blob_of(args[0]);
  if (b->open) b->link->lib.blob_close(b->open);
  b->open = NULL;
  return ASY_NONE;
}

/* ---- Statements ---- */

static bool check_statement(asy_vm *vm, statement *s) {
  if (s->stmt && database_of(s->owner)->open) return true;
  asy_raise(vm, ASY_ValueError, "closed");
  return false;
}

static asy_value statement_bind(asy_vm *vm, const asy_value *args) {
  statement *s = statement_of(args[0]);
  int index, code;
  int64_t i;
  asy_buffer b;
  if (!check_statement(vm, s) || !asy_to_int(vm, args[1], 1, INT32_MAX, &index)) return ASY_FAILED;
  const library *lib = &s->link->lib;
  asy_value v = args[2];
  if (v == ASY_NONE) {
    code = lib->bind_null(s->stmt, index);
  } else if (asy_is_integer(v)) {
    if (!asy_is_number_int64(v, &i))
      return asy_raise(vm, ASY_OverflowError, "Python int too large to convert to SQLite INTEGER");
    code = lib->bind_int64(s->stmt, index, i);
  } else if (asy_is_float(v)) {
    code = lib->bind_double(s->stmt, index, asy_float_value(v));
  } else if (asy_is_str(v)) {
    asy_bytes *bytes = utf8_of(vm, v);
    if (!bytes) return ASY_FAILED;
    code = lib->bind_text(s->stmt, index, (const char *)bytes->data, (int)bytes->len, SQLITE_TRANSIENT);
  } else {
    if (!asy_is_bytes_like(v)) return ASY_FALSE;
    if (!asy_buffer_get(vm, v, &b)) return ASY_FAILED;
    code = lib->bind_blob(s->stmt, index, b.data, (int)b.len, SQLITE_TRANSIENT);
    asy_buffer_release(vm, &b);
  }
  return code == SQLITE_OK ? ASY_TRUE : fail(vm, s->link);
}

static asy_value column(asy_vm *vm, statement *s, int i, bool text_as_bytes) {
  const library *lib = &s->link->lib;
  switch (lib->column_type(s->stmt, i)) {
    case SQLITE_INTEGER: return asy_from_int64(vm, lib->column_int64(s->stmt, i));
    case SQLITE_FLOAT: return asy_from_double(vm, lib->column_double(s->stmt, i));
    case SQLITE_NULL: return ASY_NONE;
    case SQLITE_TEXT:
      if (!text_as_bytes) {
        const char *text = (const char *)lib->column_text(s->stmt, i);
        asy_value v = asy_from_text(vm, text, (size_t)lib->column_bytes(s->stmt, i));
        if (!asy_failed(v) || !asy_raised_is(vm, ASY_UnicodeDecodeError)) return v;
        asy_clear_exception(vm);
        asy_value shown[3] = {asy_from_bytes(vm, text, strlen(text)), asy_from_cstr(vm, "utf-8"),
                              asy_from_cstr(vm, "replace")};
        if (asy_failed(shown[0]) || asy_failed(shown[1]) || asy_failed(shown[2])) return ASY_FAILED;
        shown[0] = asy_call_method(vm, shown[0], asy_intern(vm, "decode"), 2, shown + 1);
        if (asy_failed(shown[0]) || !asy_to_cstr(vm, shown[0], &text)) return ASY_FAILED;
        return asy_raise_own(vm, "_sqlite3", "Failure", "1:Could not decode to UTF-8 column '%s' with text '%s'",
                             lib->column_name(s->stmt, i), text);
      } /* fallthrough */
    default: {
      const void *data = lib->column_blob(s->stmt, i);
      return asy_from_bytes(vm, data ? data : "", (size_t)lib->column_bytes(s->stmt, i));
    }
  }
}

/* A row as a list; None at the end. raw: texts arrive as bytes, each value in a pair with its being text. */
static asy_value statement_step(asy_vm *vm, const asy_value *args) {
  statement *s = statement_of(args[0]);
  if (!check_statement(vm, s)) return ASY_FAILED;
  const library *lib = &s->link->lib;
  int code = lib->step(s->stmt);
  if (code == SQLITE_DONE) return ASY_NONE;
  if (code != SQLITE_ROW) return fail(vm, s->link);
  bool raw = args[1] == ASY_TRUE;
  int n = lib->column_count(s->stmt);
  asy_list *row = asy_list_new(vm, (uint32_t)n);
  if (!row) return ASY_FAILED;
  for (int i = 0; i < n; i++) {
    bool is_text = lib->column_type(s->stmt, i) == SQLITE_TEXT;
    asy_value v = column(vm, s, i, raw);
    if (!asy_failed(v) && raw) v = asy_tuple_of(vm, 2, v, asy_from_bool(is_text));
    if (asy_failed(v) || !asy_list_append(vm, row, v)) return ASY_FAILED;
  }
  return asy_from_obj(row);
}

/* Names and declared types of the columns, names of the parameters: lists of str or None. */
static asy_value statement_describe(asy_vm *vm, const asy_value *args) {
  statement *s = statement_of(args[0]);
  if (!check_statement(vm, s)) return ASY_FAILED;
  const library *lib = &s->link->lib;
  asy_list *lists[3];
  for (int which = 0; which < 3; which++) {
    asy_list *list = lists[which] = asy_list_new(vm, 0);
    if (!list) return ASY_FAILED;
    int n = which == 2 ? lib->bind_parameter_count(s->stmt) : lib->column_count(s->stmt);
    for (int i = 0; i < n; i++) {
      const char *text = which == 0   ? lib->column_name(s->stmt, i)
                         : which == 1 ? lib->column_decltype(s->stmt, i)
                                      : lib->bind_parameter_name(s->stmt, i + 1);
      asy_value v = text ? asy_from_cstr(vm, text) : ASY_NONE;
      if (asy_failed(v) || !asy_list_append(vm, list, v)) return ASY_FAILED;
    }
  }
  return asy_tuple_of(vm, 4, asy_from_obj(lists[0]), asy_from_obj(lists[1]), asy_from_obj(lists[2]),
                      asy_from_bool(lib->stmt_readonly(s->stmt)));
}

static asy_value statement_reset(asy_vm *vm, const asy_value *args) {
  (void)vm;
  statement *s = statement_of(args[0]);
  if (s->stmt) s->link->lib.reset(s->stmt);
  return ASY_NONE;
}

static asy_value statement_finish(asy_vm *vm, const asy_value *args) {
  (void)vm;
  statement *s = statement_of(args[0]);
  if (s->stmt) s->link->lib.finalize(s->stmt);
  s->stmt = NULL;
  return ASY_NONE;
}

static const asy_native database_methods[] = {
  {"backup", SIG("(self, source, name, pages, turn, /)"), database_backup, 0, 0},
  {"blob", SIG("(self, table, column, row, readonly, name, /)"), database_blob, 0, 0},
  {"busy_timeout", SIG("(self, ms, /)"), database_busy_timeout, 0, 0},
  {"changes", SIG("(self, /)"), database_changes, 0, 0},
  {"close", SIG("(self, /)"), database_close, 0, 0},
  {"complete", SIG("(self, text, /)"), database_complete, 0, 0},
  {"config", SIG("(self, what, value, /)"), database_config, 0, 0},
  {"create", SIG("(self, sort, name, nargs, callable, flags, /)"), database_create, 0, 0},
  {"deserialize", SIG("(self, data, name, /)"), database_deserialize, 0, 0},
  {"extend", SIG("(self, path, entry, /)"), database_extend, 0, 0},
  {"get_autocommit", SIG("(self, /)"), database_get_autocommit, 0, 0},
  {"interrupt", SIG("(self, /)"), database_interrupt, 0, 0},
  {"last_insert_rowid", SIG("(self, /)"), database_last_insert_rowid, 0, 0},
  {"limit", SIG("(self, category, limit, /)"), database_limit, 0, 0},
  {"prepare", SIG("(self, text, /)"), database_prepare, 0, 0},
  {"serialize", SIG("(self, name, /)"), database_serialize, 0, 0},
  {"total_changes", SIG("(self, /)"), database_total_changes, 0, 0},
  {"version", SIG("(self, /)"), database_version, 0, 0},
  {"watch", SIG("(self, which, callable, n, /)"), database_watch, 0, 0},
  {0},
};

static const asy_native blob_methods[] = {
  {"close", SIG("(self, /)"), blob_close, 0, 0},
  {"read", SIG("(self, offset, n, /)"), blob_read, 0, 0},
  {"size", SIG("(self, /)"), blob_size, 0, 0},
  {"write", SIG("(self, offset, data, /)"), blob_write, 0, 0},
  {0},
};

static const asy_native statement_methods[] = {
  {"bind", SIG("(self, index, value, /)"), statement_bind, DOC("False: no type of SQLite's."), 0},
  {"describe", SIG("(self, /)"), statement_describe, 0, 0},
  {"finish", SIG("(self, /)"), statement_finish, 0, 0},
  {"reset", SIG("(self, /)"), statement_reset, 0, 0},
  {"step", SIG("(self, raw, /)"), statement_step, 0, 0},
  {0},
};

static const asy_type database_type = {
  .name = "_sqlite3.Database",
  .size = sizeof(database),
  .visit = database_visit,
  .free = database_free,
  .new_ = database_new,
  .new_signature = SIG("(cls, path, flags, /)"),
  .methods = database_methods,
};

const asy_type asy_sqlite_blob_type = {
  .name = "_sqlite3.Blob",
  .size = sizeof(blob),
  .flags = ASY_TYPE_NO_NEW,
  .visit = blob_visit,
  .free = blob_free,
  .methods = blob_methods,
};

const asy_type asy_sqlite_statement_type = {
  .name = "_sqlite3.Statement",
  .size = sizeof(statement),
  .flags = ASY_TYPE_NO_NEW,
  .visit = statement_visit,
  .free = statement_free,
  .methods = statement_methods,
};

static bool init(asy_vm *vm, asy_value module) {
  return asy_module_add_type(vm, module, "Database", &database_type) &&
         asy_define_exception(vm, module, "_sqlite3.Failure", ASY_Exception);
}

const asy_module_def asy_module_sqlite3 = {"_sqlite3", NULL, "SQLite's databases and statements.", init};
