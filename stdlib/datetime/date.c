/* date.c - date, its ISO calendar triple, and what dates and datetimes share: adding, subtracting, strftime. */
#include <math.h>
#include <time.h>

#include "stdlib/datetime/datetime.h"

asy_value asy_type_text(asy_vm *vm, asy_value self, const char *exact) {
  asy_class *cls = asy_type_of(vm, self);
  return is_exact(cls) ? asy_from_cstr(vm, exact) : or_failed(asy_str_format(vm, "%N(", cls));
}

static date *date_alloc(asy_vm *vm, asy_class *cls, int year, int month, int day) {
  date *d = asy_new_instance(vm, cls);
  if (!d) return NULL;
  d->year = year;
  d->month = month;
  d->day = day;
  return d;
}

asy_value asy_date_make(asy_vm *vm, asy_class *cls, int year, int month, int day) {
  if (is_exact(cls) && cls->type == &asy_date_type)
    return asy_check_date(vm, year, month, day) ? or_failed(date_alloc(vm, cls, year, month, day)) : ASY_FAILED;
  const asy_value args[] = {asy_from_small(year), asy_from_small(month), asy_from_small(day)};
  return asy_call(vm, asy_from_obj(cls), 3, args);
}

static asy_value missing(asy_vm *vm, const char *name, int position) {
  return asy_raise(vm, ASY_TypeError, "function missing required argument '%s' (pos %d)", name, position);
}

static asy_value date_new(asy_vm *vm, const asy_value *args) {
  uint8_t state[4];
  if (args[2] == ASY_UNBOUND && asy_read_state(args[1], state, 4) && state[2] >= 1 && state[2] <= 12) {
    int year = state[0] << 8 | state[1];
    if (!asy_check_date(vm, year, state[2], state[3])) return ASY_FAILED;
    return or_failed(date_alloc(vm, class_arg(args[0]), year, state[2], state[3]));
  }
  static const char *const names[] = {"", "year", "month", "day"};
  int32_t parts[4];
  for (int i = 1; i <= 3; i++) {
    if (args[i] == ASY_UNBOUND) return missing(vm, names[i], i);
    if (!asy_field_int(vm, args[i], &parts[i])) return ASY_FAILED;
  }
  if (!asy_check_date(vm, parts[1], parts[2], parts[3])) return ASY_FAILED;
  return or_failed(date_alloc(vm, class_arg(args[0]), parts[1], parts[2], parts[3]));
}

static int ordinal_of(asy_value v) {
  const date *d = date_of(v);
  return asy_ordinal(d->year, d->month, d->day);
}

static asy_value from_ordinal(asy_vm *vm, asy_class *cls, int64_t ordinal) {
  int32_t year, month, day;
  if (ordinal < 1) return asy_raise(vm, ASY_ValueError, "ordinal must be >= 1");
  if (ordinal > MAX_ORDINAL)
    return asy_raise(vm, ASY_ValueError, "year %lld is out of range", (long long)asy_year_of(ordinal));
  asy_ordinal_to_date((int)ordinal, &year, &month, &day);
  return asy_date_make(vm, cls, year, month, day);
}

/* ---- Constructors ---- */

static asy_value date_fromtimestamp(asy_vm *vm, const asy_value *args) {
  int64_t whole;
  int32_t micros;
  asy_value stamp = args[1];
  if (asy_is_float(stamp)) stamp = asy_from_double(vm, floor(asy_float_value(stamp)));
  if (asy_failed(stamp) || !asy_read_timestamp(vm, stamp, &whole, &micros)) return ASY_FAILED;
  struct tm t;
  time_t at = whole;
  if (!localtime_r(&at, &t)) return asy_raise_errno(vm, 75, ASY_UNBOUND);
  return asy_date_make(vm, class_arg(args[0]), t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
}

static asy_value date_today(asy_vm *vm, const asy_value *args) {
  int64_t now = asy_clock_ns(vm, ASY_CLOCK_WALL);
  asy_class *cls = class_arg(args[0]);
  const asy_value again[] = {args[0], asy_from_small(now / 1000000000)};
  if (is_exact(cls) && cls->type == &asy_date_type) return date_fromtimestamp(vm, again);
  asy_str *name = asy_intern(vm, "fromtimestamp");
  asy_value seconds = asy_from_double(vm, (double)(now / 1000) / 1e6);
  return name ? asy_call_method(vm, args[0], name, 1, &seconds) : ASY_FAILED;
}

static asy_value date_fromordinal(asy_vm *vm, const asy_value *args) {
  int32_t ordinal;
  return asy_field_int(vm, args[1], &ordinal) ? from_ordinal(vm, class_arg(args[0]), ordinal) : ASY_FAILED;
}

static asy_value date_fromisoformat(asy_vm *vm, const asy_value *args) {
  fields f = {0};
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "fromisoformat: argument must be str");
  return asy_parse_iso_date(vm, args[1], &f) ? asy_date_make(vm, class_arg(args[0]), f.year, f.month, f.day)
                                             : ASY_FAILED;
}

static asy_value date_fromisocalendar(asy_vm *vm, const asy_value *args) {
  int32_t year, week, day;
  fields f = {0};
  if (!asy_field_int(vm, args[1], &year) || !asy_field_int(vm, args[2], &week) || !asy_field_int(vm, args[3], &day)) {
    if (!asy_raised_is(vm, ASY_OverflowError)) return ASY_FAILED;
    asy_clear_exception(vm);
    return asy_raise(vm, ASY_ValueError, "ISO calendar component out of range");
  }
  if (!asy_iso_to_date(vm, year, week, day, &f)) return ASY_FAILED;
  return asy_date_make(vm, class_arg(args[0]), f.year, f.month, f.day);
}

/* ---- Reading ---- */

static asy_value date_toordinal(asy_vm *vm, const asy_value *args) {
  return (void)vm, asy_from_small(ordinal_of(args[0]));
}
static asy_value date_weekday(asy_vm *vm, const asy_value *args) {
  return (void)vm, asy_from_small((ordinal_of(args[0]) + 6) % 7);
}
static asy_value date_isoweekday(asy_vm *vm, const asy_value *args) {
  return (void)vm, asy_from_small((ordinal_of(args[0]) + 6) % 7 + 1);
}

static const asy_member iso_fields[] = {
  {"year", ASY_RECORD(0), MEMBER_VALUE, false},
  {"week", ASY_RECORD(1), MEMBER_VALUE, false},
  {"weekday", ASY_RECORD(2), MEMBER_VALUE, false},
  {0},
};

static asy_value date_isocalendar(asy_vm *vm, const asy_value *args) {
  const date *d = date_of(args[0]);
  int year, week, weekday;
  asy_class *cls = asy_define_long_record(vm, "datetime.IsoCalendarDate", iso_fields, 3);
  if (!cls) return ASY_FAILED;
  asy_iso_calendar(d->year, d->month, d->day, &year, &week, &weekday);
  const asy_value items[] = {asy_from_small(year), asy_from_small(week), asy_from_small(weekday)};
  return asy_record_new(vm, cls, items);
}

static asy_value date_isoformat(asy_vm *vm, const asy_value *args) {
  const date *d = date_of(args[0]);
  char text[40];
  return asy_from_text(vm, text, (size_t)snprintf(text, sizeof text, "%04d-%02d-%02d", d->year, d->month, d->day));
}
static asy_value date_str(asy_vm *vm, asy_value self) {
  asy_str *name = asy_intern(vm, "isoformat");
  if (is_exact(asy_type_of(vm, self))) return date_isoformat(vm, &self);
  return name ? asy_call_method(vm, self, name, 0, NULL) : ASY_FAILED;
}

static asy_value date_repr(asy_vm *vm, asy_value self) {
  const date *d = date_of(self);
  asy_value head = asy_type_text(vm, self, "datetime.date(");
  return asy_failed(head) ? ASY_FAILED
                          : or_failed(asy_str_format(vm, "%S%d, %d, %d)", head, d->year, d->month, d->day));
}

static asy_value date_ctime(asy_vm *vm, const asy_value *args) {
  static const char days[][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  static const char months[][4] = {"",    "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  fields f = asy_fields_of(vm, args[0]);
  char text[64];
  snprintf(text, sizeof text, "%s %s %2d %02d:%02d:%02d %04d", days[asy_weekday(f.year, f.month, f.day)],
           months[f.month], f.day, f.hour, f.minute, f.second, f.year);
  return asy_from_cstr(vm, text);
}

asy_value asy_time_struct(asy_vm *vm, const fields *f, int isdst) {
  asy_value module = asy_import(vm, "time");
  asy_value cls = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "struct_time");
  if (asy_failed(cls)) return ASY_FAILED;
  asy_value items = asy_tuple_of(vm, 9, asy_from_small(f->year), asy_from_small(f->month), asy_from_small(f->day),
                                 asy_from_small(f->hour), asy_from_small(f->minute), asy_from_small(f->second),
                                 asy_from_small(asy_weekday(f->year, f->month, f->day)),
                                 asy_from_small(asy_day_of_year(f->year, f->month, f->day)), asy_from_small(isdst));
  return asy_failed(items) ? ASY_FAILED : asy_call1(vm, cls, items);
}

static asy_value date_timetuple(asy_vm *vm, const asy_value *args) {
  const date *d = date_of(args[0]);
  fields f = {.year = d->year, .month = d->month, .day = d->day};
  return asy_time_struct(vm, &f, -1);
}

fields asy_fields_of(asy_vm *vm, asy_value v) {
  fields f = {.zone = ASY_NONE};
  if (is_of(vm, v, &asy_date_type)) {
    const date *d = date_of(v);
    f.year = d->year;
    f.month = d->month;
    f.day = d->day;
    return f;
  }
  const moment *m = moment_of(v);
  return (fields){m->year, m->month, m->day, m->hour, m->minute, m->second, m->microsecond, m->fold, m->zone};
}

/* ---- strftime ---- */

/* %z, %:z: the offset of self; nothing when it has none. */
static bool append_offset(asy_vm *vm, asy_text *out, asy_value self, asy_value zone, const char *separator) {
  char text[24];
  int64_t us;
  int has = asy_zone_us(vm, zone, self, &us);
  if (has > 0) asy_text_ascii_n(out, text, asy_offset_text(text, us, separator));
  return has >= 0;
}

/* A '%' of the name stands for itself. */
static bool append_name(asy_vm *vm, asy_text *out, asy_value self, asy_value zone) {
  asy_value name = asy_zone_name(vm, zone, self);
  if (asy_failed(name) || name == ASY_NONE) return name == ASY_NONE;
  const asy_str *s = (asy_str *)asy_obj_of(name);
  for (uint32_t i = 0; i < s->len; i++) {
    uint32_t c = asy_str_at(s, i);
    if (c == '%') asy_text_char(out, c);
    asy_text_char(out, c);
  }
  return true;
}

/* The format with its fractions and zones filled in. */
static asy_str *fill_in(asy_vm *vm, asy_value self, const fields *f, const char *text, const char *end) {
  asy_value about = is_time(vm, self) ? ASY_NONE : self;
  asy_text out;
  asy_text_init(&out, vm);
  for (bool good = true; text < end;) {
    const char *percent = memchr(text, '%', (size_t)(end - text));
    if (!percent || percent + 1 == end || percent[1] & 0x80) percent = percent ? percent + 1 : end;
    asy_text_utf8(&out, text, (size_t)(percent - text));
    text = percent;
    if (text == end || *text != '%') continue;
    char number[24];
    text += 2;
    switch (percent[1]) {
      case 'f': snprintf(number, sizeof number, "%06d", f->microsecond), asy_text_ascii(&out, number); break;
      case 'z': good = append_offset(vm, &out, about, f->zone, ""); break;
      case 'Z': good = append_name(vm, &out, about, f->zone); break;
      default:
        if (percent[1] == ':' && text < end && *text == 'z')
          text++, good = append_offset(vm, &out, about, f->zone, ":");
        else asy_text_utf8(&out, percent, 2);
    }
    if (good) continue;
    asy_text_discard(&out);
    return NULL;
  }
  return asy_text_finish(&out);
}

/* Behind a directive of libc: flags, a width, E or O, a letter. */
static const char *behind_directive(const char *at, const char *end) {
  while (at < end && *at && strchr("_-0^#", *at)) at++;
  while (at < end && *at >= '0' && *at <= '9') at++;
  if (at < end && (*at == 'E' || *at == 'O')) at++;
  return at < end ? at + 1 : end;
}

/* One directive of the format, of `length` bytes, through libc. */
static void append_libc(asy_text *out, const struct tm *t, const char *directive, size_t length) {
  char one[16], text[256];
  if (length >= sizeof one) return;
  memcpy(one, directive, length);
  one[length] = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  asy_text_utf8(out, text, strftime(text, sizeof text, one, t));
#pragma GCC diagnostic pop
}

/* Fractions and zones are self's; the rest is libc's. */
asy_value asy_strftime(asy_vm *vm, asy_value self, const fields *f, asy_value format) {
  if (!asy_is_str(format)) return asy_raise(vm, ASY_TypeError, "strftime() argument 1 must be str, not %T", format);
  asy_value keep;
  size_t length;
  const char *text = asy_str_utf8(vm, (asy_str *)asy_obj_of(format), &length, &keep);
  asy_str *filled = text ? fill_in(vm, self, f, text, text + length) : NULL;
  text = filled ? asy_str_utf8(vm, filled, &length, &keep) : NULL;
  if (!text) return ASY_FAILED;
  struct tm t = {.tm_year = f->year - 1900,
                 .tm_mon = f->month - 1,
                 .tm_mday = f->day,
                 .tm_hour = f->hour,
                 .tm_min = f->minute,
                 .tm_sec = f->second,
                 .tm_isdst = -1,
                 .tm_wday = (asy_weekday(f->year, f->month, f->day) + 1) % 7,
                 .tm_yday = asy_day_of_year(f->year, f->month, f->day) - 1};
  asy_text out;
  asy_text_init(&out, vm);
  for (const char *end = text + length; text < end;) {
    const char *percent = memchr(text, '%', (size_t)(end - text));
    if (!percent) percent = end;
    asy_text_utf8(&out, text, (size_t)(percent - text));
    if (percent == end) break;
    text = behind_directive(percent + 1, end);
    if (text[-1] & 0x80) asy_text_utf8(&out, percent, (size_t)(--text - percent)); /* no directive */
    else append_libc(&out, &t, percent, (size_t)(text - percent));
  }
  return or_failed(asy_text_finish(&out));
}

static asy_value date_strftime(asy_vm *vm, const asy_value *args) {
  fields f = asy_fields_of(vm, args[0]);
  return asy_strftime(vm, args[0], &f, args[1]);
}

/* (self, format): str(self) for an empty one. */
static asy_value date_format(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "__format__() argument 1 must be str, not %T", args[1]);
  if (((asy_str *)asy_obj_of(args[1]))->len == 0) return asy_str_of(vm, args[0]);
  asy_str *name = asy_intern(vm, "strftime");
  return name ? asy_call_method(vm, args[0], name, 1, &args[1]) : ASY_FAILED;
}

/* ---- Arithmetic, also of datetimes ---- */

static asy_value out_of_range(asy_vm *vm) { return asy_raise(vm, ASY_OverflowError, "date value out of range"); }

static void set_clock(fields *f, int64_t us) {
  int seconds = (int)(us / SECOND_US);
  f->hour = seconds / 3600;
  f->minute = seconds / 60 % 60;
  f->second = seconds % 60;
  f->microsecond = (int)(us % SECOND_US);
}

static asy_value shift(asy_vm *vm, asy_value when, const delta *d, int sign) {
  asy_class *cls = asy_type_of(vm, when);
  if (is_datetime(vm, when)) {
    const moment *m = moment_of(when);
    fields f = {.year = m->year, .month = m->month, .day = m->day, .zone = m->zone};
    int64_t days = (int64_t)sign * d->days, in_day = asy_time_us(m) + sign * (d->seconds * SECOND_US + d->microseconds);
    if (in_day < 0) in_day += DAY_US, days--;
    else if (in_day >= DAY_US) in_day -= DAY_US, days++;
    if (days) {
      int64_t ordinal = days + asy_ordinal(f.year, f.month, f.day);
      if (ordinal < 1 || ordinal > MAX_ORDINAL) return out_of_range(vm);
      asy_ordinal_to_date((int)ordinal, &f.year, &f.month, &f.day);
    }
    set_clock(&f, in_day);
    return asy_datetime_make(vm, cls, &f);
  }
  int64_t ordinal = ordinal_of(when) + (int64_t)sign * d->days;
  return ordinal < 1 || ordinal > MAX_ORDINAL ? out_of_range(vm) : from_ordinal(vm, cls, ordinal);
}

bool asy_fields_at(asy_vm *vm, wide us, fields *out) {
  if (us < 0 || us >= (wide)MAX_ORDINAL * DAY_US) return out_of_range(vm), false;
  int64_t n = (int64_t)us;
  *out = (fields){.zone = ASY_NONE};
  asy_ordinal_to_date((int)(n / DAY_US) + 1, &out->year, &out->month, &out->day);
  set_clock(out, n % DAY_US);
  return true;
}

asy_value asy_add_dates(asy_vm *vm, asy_value a, asy_value b) {
  if (is_date(vm, a) && is_delta(vm, b)) return shift(vm, a, delta_of(b), 1);
  if (is_date(vm, b) && is_delta(vm, a)) return shift(vm, b, delta_of(a), 1);
  return ASY_NOT_IMPLEMENTED;
}

asy_value asy_sub_dates(asy_vm *vm, asy_value a, asy_value b) {
  if (is_date(vm, a) && is_delta(vm, b)) return shift(vm, a, delta_of(b), -1);
  if (is_datetime(vm, a) && is_datetime(vm, b)) {
    int64_t x = 0, y = 0;
    if (moment_of(a)->zone != moment_of(b)->zone) {
      int has_x = asy_zone_us(vm, moment_of(a)->zone, a, &x),
          has_y = has_x < 0 ? -1 : asy_zone_us(vm, moment_of(b)->zone, b, &y);
      if (has_y < 0) return ASY_FAILED;
      if (has_x != has_y) return asy_raise(vm, ASY_TypeError, "can't subtract offset-naive and offset-aware datetimes");
    }
    return asy_delta_new(vm, asy_instant(moment_of(a)) - x - (asy_instant(moment_of(b)) - y));
  }
  if (is_of(vm, a, &asy_date_type) && is_of(vm, b, &asy_date_type))
    return asy_delta_new(vm, (wide)(ordinal_of(a) - ordinal_of(b)) * DAY_US);
  return ASY_NOT_IMPLEMENTED;
}

static asy_value date_compare(asy_vm *vm, asy_value a, asy_value b, asy_compare_op op) {
  if (!is_of(vm, b, &asy_date_type)) return ASY_NOT_IMPLEMENTED;
  const date *x = date_of(a), *y = date_of(b);
  int order = x->year != y->year ? x->year - y->year : x->month != y->month ? x->month - y->month : x->day - y->day;
  const bool answers[] = {
    [COMPARE_LT] =
      order<0, [COMPARE_LE] = order <= 0, [COMPARE_EQ] = order == 0, [COMPARE_NE] = order != 0, [COMPARE_GT] = order> 0,
    [COMPARE_GE] = order >= 0};
  return asy_from_bool(answers[op]);
}

static bool date_hash(asy_vm *vm, asy_value self, int64_t *out) {
  *out = asy_hash_memory(vm, &date_of(self)->year, 3 * sizeof(int32_t));
  return true;
}

/* ---- Copies ---- */

static asy_value date_replace(asy_vm *vm, const asy_value *args) {
  int32_t parts[] = {date_of(args[0])->year, date_of(args[0])->month, date_of(args[0])->day};
  if (!asy_replace_fields(vm, args + 1, parts, 3)) return ASY_FAILED;
  return asy_date_make(vm, asy_type_of(vm, args[0]), parts[0], parts[1], parts[2]);
}

static asy_value date_reduce(asy_vm *vm, const asy_value *args) {
  const date *d = date_of(args[0]);
  const uint8_t state[] = {(uint8_t)(d->year >> 8), (uint8_t)d->year, (uint8_t)d->month, (uint8_t)d->day};
  asy_value bytes = asy_from_bytes(vm, state, sizeof state);
  asy_value arguments = asy_failed(bytes) ? ASY_FAILED : asy_tuple_of(vm, 1, bytes);
  return asy_failed(arguments) ? ASY_FAILED : asy_tuple_of(vm, 2, asy_from_obj(asy_type_of(vm, args[0])), arguments);
}

static const asy_native methods[] = {
  {"fromtimestamp", SIG("(cls, timestamp, /)"), date_fromtimestamp, DOC("Create a date from a POSIX timestamp."),
   ASY_NATIVE_CLASS},
  {"fromordinal", SIG("(cls, ordinal, /)"), date_fromordinal,
   DOC("int -> date corresponding to a proleptic Gregorian ordinal."), ASY_NATIVE_CLASS},
  {"fromisoformat", SIG("(cls, string, /)"), date_fromisoformat,
   DOC("str -> Construct a date from a string in ISO 8601 format."), ASY_NATIVE_CLASS},
  {"fromisocalendar", SIG("(cls, year, week, day)"), date_fromisocalendar,
   DOC("int, int, int -> Construct a date from the ISO year, week number and weekday."), ASY_NATIVE_CLASS},
  {"today", SIG("(cls)"), date_today,
   DOC("Current date or datetime:  same as self.__class__.fromtimestamp(time.time())."), ASY_NATIVE_CLASS},
  {"ctime", SIG("(self)"), date_ctime, DOC("Return ctime() style string."), 0},
  {"strftime", SIG("(self, format)"), date_strftime, DOC("format -> strftime() style string."), 0},
  {"__format__", SIG("(self, spec, /)"), date_format, DOC("Formats self with strftime."), 0},
  {"timetuple", SIG("(self)"), date_timetuple, DOC("Return time tuple, compatible with time.localtime()."), 0},
  {"isocalendar", SIG("(self)"), date_isocalendar,
   DOC("Return a named tuple containing ISO year, week number, and weekday."), 0},
  {"isoformat", SIG("(self)"), date_isoformat, DOC("Return string in ISO 8601 format, YYYY-MM-DD."), 0},
  {"isoweekday", SIG("(self)"), date_isoweekday,
   DOC("Return the day of the week represented by the date: Monday == 1 ... Sunday == 7"), 0},
  {"toordinal", SIG("(self)"), date_toordinal,
   DOC("Return proleptic Gregorian ordinal.  January 1 of year 1 is day 1."), 0},
  {"weekday", SIG("(self)"), date_weekday,
   DOC("Return the day of the week represented by the date, Monday == 0 ... Sunday == 6."), 0},
  {"replace", SIG("(self, year=?, month=?, day=?)"), date_replace, DOC("Return date with new specified fields."), 0},
  {"__replace__", SIG("(self, /, *, year=?, month=?, day=?)"), date_replace, DOC("The same as replace()."), 0},
  {"__reduce__", SIG("(self, /)"), date_reduce, DOC("__reduce__() -> (cls, state)"), 0},
  {0},
};

static const asy_member members[] = {
  {"year", offsetof(date, year), MEMBER_INT32, false},
  {"month", offsetof(date, month), MEMBER_INT32, false},
  {"day", offsetof(date, day), MEMBER_INT32, false},
  {0},
};

const asy_type asy_date_type = {
  .name = "datetime.date",
  .doc = "date(year, month, day) --> date object",
  .size = sizeof(date),
  .new_ = date_new,
  .new_signature = SIG("(cls, year=?, month=?, day=?)"),
  .repr = date_repr,
  .str = date_str,
  .hash = date_hash,
  .compare = date_compare,
  .operators = &(const asy_operators){.binary = {[BINARY_ADD] = asy_add_dates, [BINARY_SUB] = asy_sub_dates}},
  .methods = methods,
  .members = members,
};
