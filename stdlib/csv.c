/* csv.c - the module _csv: the reader and the writer behind csv.asy, which has the dialects and checks them.
 * A dialect arrives here as plain numbers (code points; NONE for "none"). A field that is neither quoted nor escaped is a slice of
 * its line; others collect in `field`.
 */
#include "runtime/asy.h"

enum { NONE = 0xFFFFFFFF };
typedef enum { QUOTE_MINIMAL, QUOTE_ALL, QUOTE_NONNUMERIC, QUOTE_NONE, QUOTE_STRINGS, QUOTE_NOTNULL } quoting;

typedef struct {
  uint32_t delimiter, quote, escape;
  bool double_quote, skip_space, strict;
  quoting quoting;
} rules;

typedef enum {
  START_RECORD,
  START_FIELD,
  IN_FIELD,
  IN_QUOTED,
  ESCAPED,
  ESCAPED_IN_QUOTED,
  QUOTE_IN_QUOTED,
  EAT_NEWLINE,
  AFTER_ESCAPED_NEWLINE
} parse_state;

static asy_value wrong(asy_vm *vm, const char *text) { return asy_raise_own(vm, "_csv", "Error", "%s", text); }

/* args: delimiter, quotechar, escapechar (str or None), doublequote, skipinitialspace, strict, quoting */
static bool read_rules(asy_vm *vm, const asy_value *args, rules *r) {
  uint32_t *chars[] = {&r->delimiter, &r->quote, &r->escape};
  for (int i = 0; i < 3; i++) {
    *chars[i] = NONE;
    if (args[i] == ASY_NONE) continue;
    if (!asy_is_str(args[i]) || ((asy_str *)asy_obj_of(args[i]))->len != 1)
      return asy_raise(vm, ASY_TypeError, "a 1-character string is needed"), false;
    *chars[i] = asy_str_at((asy_str *)asy_obj_of(args[i]), 0);
  }
  int flags[3], kind;
  for (int i = 0; i < 3; i++)
    if ((flags[i] = asy_truth(vm, args[3 + i])) < 0) return false;
  if (!asy_to_int(vm, args[6], QUOTE_MINIMAL, QUOTE_NOTNULL, &kind)) return false;
  r->double_quote = flags[0];
  r->skip_space = flags[1];
  r->strict = flags[2];
  r->quoting = (quoting)kind;
  return true;
}

/* ---- Reading ---- */

typedef struct {
  asy_obj head;
  rules rules;
  parse_state state;
  bool unquoted; /* the field was not quoted */
  bool busy;     /* a line is being asked for */
  int64_t limit; /* characters of a field */
  int64_t line_num;
  asy_value input, dialect;
  asy_list *record; /* fields so far */
  asy_text field;   /* malloc'ed text */
} reader;

extern const asy_type asy_csv_reader_type, asy_csv_writer_type;

static void reader_visit(asy_obj *o, asy_visitor *v) {
  const reader *r = (const reader *)o;
  asy_visit_value(v, r->input);
  asy_visit_value(v, r->dialect);
  asy_visit_obj(v, r->record);
}

static void reader_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  asy_text_discard(&((reader *)o)->field);
}

static bool append_field(asy_vm *vm, reader *r, asy_str *text) {
  asy_value v = text ? asy_from_obj(text) : ASY_FAILED;
  if (!text) return false;
  quoting q = r->rules.quoting;
  if (r->unquoted && !text->len && (q == QUOTE_NOTNULL || q == QUOTE_STRINGS)) v = ASY_NONE;
  else if (r->unquoted && text->len && (q == QUOTE_NONNUMERIC || q == QUOTE_STRINGS))
    v = asy_call1(vm, asy_from_obj(asy_type_of(vm, asy_from_double(vm, 0.5))), v);
  r->unquoted = false;
  return !asy_failed(v) && asy_list_append(vm, r->record, v);
}

static bool save_field(asy_vm *vm, reader *r) {
  asy_str *text = asy_text_finish(&r->field);
  asy_text_init(&r->field, vm);
  return append_field(vm, r, text);
}

static bool too_long(asy_vm *vm, reader *r, size_t length) {
  if (!length || (int64_t)length <= r->limit) return false;
  asy_raise_own(vm, "_csv", "Error", "field larger than field limit (%lld)", (long long)r->limit);
  return true;
}

static bool add_char(asy_vm *vm, reader *r, uint32_t c) {
  asy_text_char(&r->field, c);
  return !too_long(vm, r, r->field.len);
}

static bool is_newline(uint32_t c) { return c == '\n' || c == '\r'; }

/* c at a place where a field begins. c NONE: the end of the line. */
static bool start_field(asy_vm *vm, reader *r, uint32_t c) {
  const rules *u = &r->rules;
  if (c == NONE || is_newline(c)) {
    r->unquoted = true;
    if (!save_field(vm, r)) return false;
    r->state = c == NONE ? START_RECORD : EAT_NEWLINE;
  } else if (c == u->quote && u->quoting != QUOTE_NONE) {
    r->unquoted = false;
    r->state = IN_QUOTED;
  } else if (c == u->escape) {
    r->unquoted = true;
    r->state = ESCAPED;
  } else if (c == ' ' && u->skip_space) {
    return true;
  } else if (c == u->delimiter) {
    r->unquoted = true;
    return save_field(vm, r);
  } else {
    r->unquoted = true;
    r->state = IN_FIELD;
    return add_char(vm, r, c);
  }
  return true;
}

static bool step(asy_vm *vm, reader *r, uint32_t c) {
  const rules *u = &r->rules;
  bool end = c == NONE || is_newline(c);
  switch (r->state) {
    case START_RECORD:
      if (c == NONE) return true;
      if (is_newline(c)) {
        r->state = EAT_NEWLINE;
        return true;
      }
      r->state = START_FIELD;
      return start_field(vm, r, c);
    case START_FIELD: return start_field(vm, r, c);
    case ESCAPED:
      r->state = is_newline(c) ? AFTER_ESCAPED_NEWLINE : IN_FIELD;
      return add_char(vm, r, c == NONE ? '\n' : c);
    case AFTER_ESCAPED_NEWLINE:
      if (c == NONE) return true;
      /* fall through */
    case IN_FIELD:
      if (end) {
        r->state = c == NONE ? START_RECORD : EAT_NEWLINE;
        return save_field(vm, r);
      }
      if (c == u->escape) r->state = ESCAPED;
      else if (c == u->delimiter) {
        r->state = START_FIELD;
        return save_field(vm, r);
      } else return add_char(vm, r, c);
      return true;
    case IN_QUOTED:
      if (c == NONE) return true;
      if (c == u->escape) r->state = ESCAPED_IN_QUOTED;
      else if (c == u->quote && u->quoting != QUOTE_NONE) r->state = u->double_quote ? QUOTE_IN_QUOTED : IN_FIELD;
      else return add_char(vm, r, c);
      return true;
    case ESCAPED_IN_QUOTED: r->state = IN_QUOTED; return add_char(vm, r, c == NONE ? '\n' : c);
    case QUOTE_IN_QUOTED:
      if (u->quoting != QUOTE_NONE && c == u->quote) {
        r->state = IN_QUOTED;
        return add_char(vm, r, c);
      }
      if (c == u->delimiter) {
        r->state = START_FIELD;
        return save_field(vm, r);
      }
      if (end) {
        r->state = c == NONE ? START_RECORD : EAT_NEWLINE;
        return save_field(vm, r);
      }
      if (u->strict)
        return asy_raise_own(vm, "_csv", "Error", "'%c' expected after '%c'", u->delimiter, u->quote), false;
      r->state = IN_FIELD;
      return add_char(vm, r, c);
    case EAT_NEWLINE:
      if (is_newline(c)) return true;
      if (c == NONE) {
        r->state = START_RECORD;
        return true;
      }
      return wrong(vm, "new-line character seen in unquoted field - do you need to open the file with newline=''?"),
             false;
  }
  return true;
}

/* At the beginning of a field, the plain ones: as slices of the line. The place where something else comes. */
static uint32_t plain_fields(asy_vm *vm, reader *r, asy_str *line, uint32_t i, bool *good) {
  const rules *u = &r->rules;
  const uint8_t *data = asy_str_width(line) == 1 ? asy_str_data(line) : NULL;
  if (!data) return i;
  while (i < line->len) {
    uint32_t start = i, first = data[i];
    if (first == u->quote || first == ' ' || is_newline(first)) return i;
    while (i < line->len && data[i] != u->delimiter && data[i] != u->escape && !is_newline(data[i])) i++;
    if (i == line->len || data[i] != u->delimiter) return start;
    r->unquoted = true;
    if (too_long(vm, r, i - start) || !append_field(vm, r, asy_str_slice(vm, line, start, i))) {
      *good = false;
      return i;
    }
    i++;
    r->state = START_FIELD;
  }
  return i;
}

static bool parse_line(asy_vm *vm, reader *r, asy_str *line) {
  bool good = true;
  for (uint32_t i = 0; i < line->len;) {
    if (r->state <= START_FIELD) {
      uint32_t at = plain_fields(vm, r, line, i, &good);
      if (!good) return false;
      if (at > i) {
        i = at;
        continue;
      }
    }
    if (!step(vm, r, asy_str_at(line, i++))) return false;
  }
  return step(vm, r, NONE);
}

static asy_value reader_next(asy_vm *vm, asy_value self) {
  reader *r = (reader *)asy_obj_of(self);
  if (r->busy) return wrong(vm, "iterator has already advanced the reader");
  asy_list *record = asy_list_new(vm, 8);
  if (!record) return ASY_FAILED;
  r->record = record;
  asy_barrier(vm, r);
  asy_text_discard(&r->field);
  asy_text_init(&r->field, vm);
  r->state = START_RECORD;
  r->unquoted = false;
  do {
    r->busy = true;
    asy_value line = asy_next(vm, r->input);
    r->busy = false;
    if (asy_failed(line)) return line;
    if (line == ASY_END) {
      if (!r->field.len && r->state != IN_QUOTED) return ASY_END;
      if (r->rules.strict) return wrong(vm, "unexpected end of data");
      if (!save_field(vm, r)) return ASY_FAILED;
      break;
    }
    if (!asy_is_str(line))
      return asy_raise_own(vm, "_csv", "Error",
                           "iterator should return strings, not %T (the file should be opened in text mode)", line);
    r->line_num++;
    if (!parse_line(vm, r, (asy_str *)asy_obj_of(line))) return ASY_FAILED;
  } while (r->state != START_RECORD);
  record = r->record;
  r->record = NULL;
  return asy_from_obj(record);
}

static asy_value reader_iter(asy_vm *vm, asy_value self) {
  (void)vm;
  return self;
}

static const asy_member reader_members[] = {
  {"dialect", offsetof(reader, dialect), MEMBER_VALUE, false},
  {"line_num", offsetof(reader, line_num), MEMBER_INT64, false},
  {0},
};

const asy_type asy_csv_reader_type = {
  .name = "_csv.reader",
  .size = sizeof(reader),
  .flags = ASY_TYPE_NO_NEW,
  .visit = reader_visit,
  .free = reader_free,
  .iter = reader_iter,
  .next = reader_next,
  .members = reader_members,
};

static asy_value csv_new_reader(asy_vm *vm, const asy_value *args) {
  asy_value input = asy_iter(vm, args[0]);
  asy_class *cls = asy_define_type(vm, &asy_csv_reader_type);
  reader *r = cls && !asy_failed(input) ? asy_new_instance(vm, cls) : NULL;
  if (!r) return ASY_FAILED;
  asy_text_init(&r->field, vm);
  r->input = input;
  r->dialect = args[1];
  if (!read_rules(vm, args + 2, &r->rules) || !asy_to_int64(vm, args[9], &r->limit)) return ASY_FAILED;
  return asy_from_obj(r);
}

/* ---- Writing ---- */

typedef struct {
  asy_obj head;
  rules rules;
  asy_value write, dialect, line_end; /* a bound method; an object; a str */
} writer;

static void writer_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_value(v, ((writer *)o)->write);
  asy_visit_value(v, ((writer *)o)->dialect);
  asy_visit_value(v, ((writer *)o)->line_end);
}

static bool must_escape(const writer *w, uint32_t c) {
  if (c == w->rules.delimiter || c == w->rules.quote || c == w->rules.escape || is_newline(c)) return true;
  const asy_str *end = (const asy_str *)asy_obj_of(w->line_end);
  for (uint32_t i = 0; i < end->len; i++)
    if (asy_str_at(end, i) == c) return true;
  return false;
}

/* One field (None when it is absent), quoted when it has to be. */
static bool put_field(asy_vm *vm, writer *w, asy_text *out, const asy_str *s, bool absent, bool quoted) {
  const rules *u = &w->rules;
  asy_text body;
  asy_text_init(&body, vm);
  if (!s->len && u->skip_space && u->delimiter == ' ') {
    if (u->quoting == QUOTE_NONE || (absent && (u->quoting == QUOTE_STRINGS || u->quoting == QUOTE_NOTNULL)))
      return wrong(vm, "empty field must be quoted if delimiter is a space and skipinitialspace is true"), false;
    quoted = true;
  }
  for (uint32_t i = 0; i < s->len; i++) {
    uint32_t c = asy_str_at(s, i);
    if (must_escape(w, c)) {
      bool escape = u->quoting == QUOTE_NONE;
      if (!escape) {
        if (c == u->quote) {
          if (u->double_quote) asy_text_char(&body, u->quote);
          else escape = true;
        } else if (c == u->escape) {
          escape = true;
        }
        if (!escape) quoted = true;
      }
      if (escape) {
        if (u->escape == NONE) {
          asy_text_discard(&body);
          return wrong(vm, "need to escape, but no escapechar set"), false;
        }
        asy_text_char(&body, u->escape);
      }
    }
    asy_text_char(&body, c);
  }
  asy_str *text = asy_text_finish(&body);
  if (!text) return false;
  if (quoted) asy_text_char(out, u->quote);
  asy_text_str(out, text);
  if (quoted) asy_text_char(out, u->quote);
  return true;
}

static bool is_number(asy_vm *vm, asy_value v) {
  return asy_is_integer(v) || asy_is_float(v) ||
         asy_find_special(vm, v, asy_intern(vm, "__float__"), &(asy_value){0}, &(asy_value){0}) > 0 ||
         asy_find_special(vm, v, asy_intern(vm, "__index__"), &(asy_value){0}, &(asy_value){0}) > 0;
}

static bool put_value(asy_vm *vm, writer *w, asy_text *out, asy_value v) {
  bool quoted = false;
  switch (w->rules.quoting) {
    case QUOTE_NONNUMERIC: quoted = !is_number(vm, v); break;
    case QUOTE_ALL: quoted = true; break;
    case QUOTE_STRINGS: quoted = asy_is_str(v); break;
    case QUOTE_NOTNULL: quoted = v != ASY_NONE; break;
    default: break;
  }
  bool absent = v == ASY_NONE;
  asy_value text = absent ? asy_from_cstr(vm, "") : asy_is_str(v) ? v : asy_str_of(vm, v);
  return !asy_failed(text) && put_field(vm, w, out, (const asy_str *)asy_obj_of(text), absent, quoted);
}

static asy_value writer_writerow(asy_vm *vm, const asy_value *args) {
  writer *w = (writer *)asy_obj_of(args[0]);
  asy_value fields = asy_iter(vm, args[1]);
  if (asy_failed(fields)) {
    if (!asy_raised_is(vm, ASY_TypeError)) return ASY_FAILED;
    asy_clear_exception(vm);
    return asy_raise_own(vm, "_csv", "Error", "iterable expected, not %T", args[1]);
  }
  asy_text out;
  asy_text_init(&out, vm);
  uint32_t count = 0;
  bool null_field = false;
  for (asy_value v; (v = asy_next(vm, fields)) != ASY_END; count++) {
    if (asy_failed(v)) return asy_text_discard(&out), ASY_FAILED;
    if (count) asy_text_char(&out, w->rules.delimiter);
    null_field = v == ASY_NONE;
    if (!put_value(vm, w, &out, v)) return asy_text_discard(&out), ASY_FAILED;
  }
  if (count == 1 && !out.len) { /* a lone empty field would be read as no field */
    quoting q = w->rules.quoting;
    if (q == QUOTE_NONE || (null_field && (q == QUOTE_STRINGS || q == QUOTE_NOTNULL))) {
      asy_text_discard(&out);
      return wrong(vm, "single empty field record must be quoted");
    }
    asy_text_char(&out, w->rules.quote);
    asy_text_char(&out, w->rules.quote);
  }
  asy_text_str(&out, (const asy_str *)asy_obj_of(w->line_end));
  asy_str *row = asy_text_finish(&out);
  return row ? asy_call1(vm, w->write, asy_from_obj(row)) : ASY_FAILED;
}

static asy_value writer_writerows(asy_vm *vm, const asy_value *args) {
  asy_value rows = asy_iter(vm, args[1]);
  if (asy_failed(rows)) return rows;
  for (asy_value row; (row = asy_next(vm, rows)) != ASY_END;)
    if (asy_failed(row) || asy_failed(writer_writerow(vm, (asy_value[]){args[0], row}))) return ASY_FAILED;
  return ASY_NONE;
}

static const asy_native writer_methods[] = {
  {"writerow", SIG("(self, row, /)"), writer_writerow,
   DOC("Construct and write a CSV record from an iterable of fields."), 0},
  {"writerows", SIG("(self, rows, /)"), writer_writerows,
   DOC("Construct and write a series of iterables to a csv file."), 0},
  {0},
};

static const asy_member writer_members[] = {
  {"dialect", offsetof(writer, dialect), MEMBER_VALUE, false},
  {0},
};

const asy_type asy_csv_writer_type = {
  .name = "_csv.writer",
  .size = sizeof(writer),
  .flags = ASY_TYPE_NO_NEW,
  .visit = writer_visit,
  .methods = writer_methods,
  .members = writer_members,
};

static asy_value csv_new_writer(asy_vm *vm, const asy_value *args) {
  asy_value write = asy_get_attr_cstr(vm, args[0], "write");
  if (asy_failed(write) || !asy_callable(vm, write)) {
    asy_clear_exception(vm);
    return asy_raise(vm, ASY_TypeError, "argument 1 must have a \"write\" method");
  }
  writer *w = asy_new_object(vm, &asy_csv_writer_type);
  if (!w) return ASY_FAILED;
  w->write = write;
  w->dialect = args[1];
  w->line_end = args[9];
  if (!asy_is_str(args[9])) return asy_raise(vm, ASY_TypeError, "\"lineterminator\" must be a string");
  return read_rules(vm, args + 2, &w->rules) ? asy_from_obj(w) : ASY_FAILED;
}

static const asy_native csv_natives[] = {
  {"new_reader",
   SIG("(input, dialect, delimiter, quotechar, escapechar, doublequote, skipinitialspace, strict, quoting, limit, /)"),
   csv_new_reader, DOC("A reader by the rules given."), 0},
  {"new_writer",
   SIG("(output, dialect, delimiter, quotechar, escapechar, doublequote, skipinitialspace, strict, quoting, "
       "lineterminator, /)"),
   csv_new_writer, DOC("A writer by the rules given."), 0},
  {0},
};

static bool csv_init(asy_vm *vm, asy_value module) {
  return asy_module_add_type(vm, module, "Reader", &asy_csv_reader_type) &&
         asy_module_add_type(vm, module, "Writer", &asy_csv_writer_type) &&
         asy_define_exception(vm, module, "_csv.Error", ASY_Exception);
}

const asy_module_def asy_module_csv = {"_csv", csv_natives, "The reader and the writer of the module csv.", csv_init};
