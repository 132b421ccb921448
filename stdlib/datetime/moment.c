/* moment.c - datetime and time: both are the struct `moment`; a time has no date. */
#include <errno.h>
#include <math.h>
#include <time.h>

#include "stdlib/datetime/datetime.h"

#define EPOCH_SECONDS ((int64_t)(EPOCH_ORDINAL - 1) * DAY_SECONDS)

static asy_value fill(asy_vm *vm, asy_class *cls, const fields *f) {
  moment *m = asy_new_instance(vm, cls);
  if (!m) return ASY_FAILED;
  m->year = f->year;
  m->month = f->month;
  m->day = f->day;
  m->hour = f->hour;
  m->minute = f->minute;
  m->second = f->second;
  m->microsecond = f->microsecond;
  m->fold = f->fold;
  m->zone = f->zone;
  return asy_from_obj(m);
}

static fields fields_in(const moment *m) {
  return (fields){m->year, m->month, m->day, m->hour, m->minute, m->second, m->microsecond, m->fold, m->zone};
}

static asy_value checked_datetime(asy_vm *vm, asy_class *cls, const fields *f) {
  return asy_check_date(vm, f->year, f->month, f->day) && asy_check_time(vm, f) && asy_check_zone(vm, f->zone)
           ? fill(vm, cls, f)
           : ASY_FAILED;
}

asy_value asy_datetime_make(asy_vm *vm, asy_class *cls, const fields *f) {
  if (is_exact(cls)) return checked_datetime(vm, cls, f);
  const asy_value args[] = {
    asy_from_small(f->year),   asy_from_small(f->month),  asy_from_small(f->day),         asy_from_small(f->hour),
    asy_from_small(f->minute), asy_from_small(f->second), asy_from_small(f->microsecond), f->zone};
  asy_value made = asy_call(vm, asy_from_obj(cls), 8, args);
  if (!asy_failed(made) && f->fold && is_datetime(vm, made)) moment_of(made)->fold = f->fold;
  return made;
}

static asy_value checked_time(asy_vm *vm, asy_class *cls, const fields *f) {
  return asy_check_time(vm, f) && asy_check_zone(vm, f->zone) ? fill(vm, cls, f) : ASY_FAILED;
}

asy_value asy_time_make(asy_vm *vm, asy_class *cls, const fields *f) {
  if (is_exact(cls)) return checked_time(vm, cls, f);
  const asy_value args[] = {asy_from_small(f->hour), asy_from_small(f->minute), asy_from_small(f->second),
                            asy_from_small(f->microsecond), f->zone};
  asy_value made = asy_call(vm, asy_from_obj(cls), 5, args);
  if (!asy_failed(made) && f->fold && is_time(vm, made)) moment_of(made)->fold = f->fold;
  return made;
}

int64_t asy_time_us(const moment *m) {
  return ((int64_t)m->hour * 3600 + m->minute * 60 + m->second) * SECOND_US + m->microsecond;
}

int64_t asy_instant(const moment *m) { return (asy_ordinal(m->year, m->month, m->day) - 1) * DAY_US + asy_time_us(m); }

static bool read_fields(asy_vm *vm, const asy_value *args, int32_t *parts, int count) {
  for (int i = 0; i < count; i++)
    if (args[i] != ASY_UNBOUND && !asy_field_int(vm, args[i], &parts[i])) return false;
  return true;
}

/* ---- The state that pickle keeps: 4 bytes of a date, 3 of a time, 3 of microseconds; the fold lies in the first field's top bit
 * (of a time) or the month's. ---- */

static size_t pack(const moment *m, bool with_date, bool with_fold, uint8_t *out) {
  size_t n = 0;
  if (with_date) {
    out[n++] = (uint8_t)(m->year >> 8);
    out[n++] = (uint8_t)m->year;
    out[n++] = (uint8_t)(m->month | (with_fold && m->fold ? 128 : 0));
    out[n++] = (uint8_t)m->day;
  }
  out[n++] = (uint8_t)(m->hour | (!with_date && with_fold && m->fold ? 128 : 0));
  out[n++] = (uint8_t)m->minute;
  out[n++] = (uint8_t)m->second;
  out[n++] = (uint8_t)(m->microsecond >> 16);
  out[n++] = (uint8_t)(m->microsecond >> 8);
  out[n++] = (uint8_t)m->microsecond;
  return n;
}

bool asy_read_state(asy_value v, uint8_t *out, uint32_t size) {
  const void *data = NULL;
  if (asy_is_kind(v, KIND_BYTES)) {
    if (((asy_bytes *)asy_obj_of(v))->len == size) data = ((asy_bytes *)asy_obj_of(v))->data;
  } else if (asy_is_str(v)) { /* from Python 2 */
    const asy_str *s = (asy_str *)asy_obj_of(v);
    if (s->len == size && asy_str_width(s) == 1) data = asy_str_data(s);
  }
  if (data) memcpy(out, data, size);
  return data != NULL;
}

/* Whether v is such a state: its fields. */
static bool unpack(asy_value v, bool with_date, fields *f) {
  uint8_t b[10];
  if (!asy_read_state(v, b, with_date ? 10 : 6)) return false;
  const uint8_t *at = b;
  if (with_date) {
    *f = (fields){.year = b[0] << 8 | b[1], .month = b[2] & 127, .day = b[3], .fold = b[2] >> 7};
    if (f->month < 1 || f->month > 12) return false;
    at += 4;
  } else {
    *f = (fields){.fold = b[0] >> 7};
    if ((b[0] & 127) > 23) return false;
  }
  f->hour = at[0] & (with_date ? 255 : 127);
  f->minute = at[1];
  f->second = at[2];
  f->microsecond = at[3] << 16 | at[4] << 8 | at[5];
  return true;
}

static asy_value reduce(asy_vm *vm, asy_value self, bool with_date, bool with_fold) {
  const moment *m = moment_of(self);
  uint8_t state[10];
  asy_value bytes = asy_from_bytes(vm, state, pack(m, with_date, with_fold, state));
  if (asy_failed(bytes)) return ASY_FAILED;
  asy_value args = m->zone == ASY_NONE ? asy_tuple_of(vm, 1, bytes) : asy_tuple_of(vm, 2, bytes, m->zone);
  return asy_failed(args) ? ASY_FAILED : asy_tuple_of(vm, 2, asy_from_obj(asy_type_of(vm, self)), args);
}

static asy_value datetime_reduce_ex(asy_vm *vm, const asy_value *args) {
  int64_t protocol;
  return asy_to_int64(vm, args[1], &protocol) ? reduce(vm, args[0], true, protocol > 3) : ASY_FAILED;
}
static asy_value datetime_reduce(asy_vm *vm, const asy_value *args) { return reduce(vm, args[0], true, false); }
static asy_value time_reduce_ex(asy_vm *vm, const asy_value *args) {
  int64_t protocol;
  return asy_to_int64(vm, args[1], &protocol) ? reduce(vm, args[0], false, protocol > 3) : ASY_FAILED;
}
static asy_value time_reduce(asy_vm *vm, const asy_value *args) { return reduce(vm, args[0], false, false); }

/* ---- What both answer ---- */

/* The argument a time gives to its zone: None. */
static asy_value about(asy_vm *vm, asy_value self) { return is_time(vm, self) ? ASY_NONE : self; }

static asy_value moment_utcoffset(asy_vm *vm, const asy_value *args) {
  return asy_zone_offset(vm, moment_of(args[0])->zone, "utcoffset", about(vm, args[0]));
}
static asy_value moment_dst(asy_vm *vm, const asy_value *args) {
  return asy_zone_offset(vm, moment_of(args[0])->zone, "dst", about(vm, args[0]));
}
static asy_value moment_tzname(asy_vm *vm, const asy_value *args) {
  return asy_zone_name(vm, moment_of(args[0])->zone, about(vm, args[0]));
}

static const char *const timespecs[] = {"auto", "hours", "minutes", "seconds", "milliseconds", "microseconds"};

/* Digits of `value`, `width` of them. */
static char *put(char *to, int value, int width) {
  for (int i = width - 1; i >= 0; i--, value /= 10) to[i] = (char)('0' + value % 10);
  return to + width;
}

/* The time as ISO 8601 writes it, with the offset. NULL failed. */
static char *put_time(asy_vm *vm, asy_value self, asy_value timespec, char *to) {
  const moment *m = moment_of(self);
  int spec = 0, count = sizeof timespecs / sizeof *timespecs;
  if (timespec != ASY_UNBOUND) {
    if (!asy_is_str(timespec))
      return asy_raise(vm, ASY_TypeError,
                       timespec == ASY_NONE ? "isoformat() argument %d must be str, not None"
                                            : "isoformat() argument %d must be str, not %T",
                       is_time(vm, self) ? 1 : 2, timespec),
             NULL;
    while (spec < count && !asy_str_equal_cstr((asy_str *)asy_obj_of(timespec), timespecs[spec])) spec++;
    if (spec == count) return asy_raise(vm, ASY_ValueError, "Unknown timespec value"), NULL;
  }
  if (spec == 0) spec = m->microsecond ? 5 : 3;
  to = put(to, m->hour, 2);
  if (spec >= 2) *to++ = ':', to = put(to, m->minute, 2);
  if (spec >= 3) *to++ = ':', to = put(to, m->second, 2);
  if (spec == 4) *to++ = '.', to = put(to, m->microsecond / 1000, 3);
  if (spec == 5) *to++ = '.', to = put(to, m->microsecond, 6);
  int64_t us;
  int has = asy_zone_us(vm, m->zone, about(vm, self), &us);
  if (has < 0) return NULL;
  return has ? to + asy_offset_text(to, us, ":") : to;
}

static char *put_date(const moment *m, char *to) {
  to = put(to, m->year, 4);
  *to++ = '-';
  to = put(to, m->month, 2);
  *to++ = '-';
  return put(to, m->day, 2);
}

static asy_value compare_as(int order, asy_compare_op op) {
  const bool answers[] = {
    [COMPARE_LT] =
      order<0, [COMPARE_LE] = order <= 0, [COMPARE_EQ] = order == 0, [COMPARE_NE] = order != 0, [COMPARE_GT] = order> 0,
    [COMPARE_GE] = order >= 0};
  return asy_from_bool(answers[op]);
}

/* Whether another fold gives another offset: 1, 0, -1 failed. Such datetimes equal none of another zone. */
static int depends_on_fold(asy_vm *vm, asy_value self, int64_t us, int has) {
  fields f = fields_in(moment_of(self));
  int64_t other;
  f.fold = !f.fold;
  asy_value flipped = fill(vm, asy_class_for(vm, &asy_datetime_type), &f);
  int has_other = asy_failed(flipped) ? -1 : asy_zone_us(vm, f.zone, flipped, &other);
  return has_other < 0 ? -1 : has_other != has || other != us;
}

static asy_value moment_compare(asy_vm *vm, asy_value a, asy_value b, asy_compare_op op) {
  bool times = is_time(vm, a);
  if (times ? !is_time(vm, b) : !is_datetime(vm, b)) return ASY_NOT_IMPLEMENTED;
  const moment *x = moment_of(a), *y = moment_of(b);
  int64_t at_x = times ? asy_time_us(x) : asy_instant(x), at_y = times ? asy_time_us(y) : asy_instant(y);
  if (x->zone != y->zone) {
    int64_t us_x, us_y;
    int has_x = asy_zone_us(vm, x->zone, about(vm, a), &us_x),
        has_y = has_x < 0 ? -1 : asy_zone_us(vm, y->zone, about(vm, b), &us_y);
    bool by_equality = op == COMPARE_EQ || op == COMPARE_NE;
    if (has_y < 0) return ASY_FAILED;
    if (has_x != has_y) {
      if (by_equality) return asy_from_bool(op == COMPARE_NE);
      return asy_raise(vm, ASY_TypeError, "can't compare offset-naive and offset-aware %s",
                       times ? "times" : "datetimes");
    }
    if (by_equality && !times) {
      int depends = depends_on_fold(vm, a, us_x, has_x);
      if (depends == 0) depends = depends_on_fold(vm, b, us_y, has_y);
      if (depends) return depends < 0 ? ASY_FAILED : asy_from_bool(op == COMPARE_NE);
    }
    at_x -= us_x;
    at_y -= us_y;
  }
  return compare_as(at_x < at_y ? -1 : at_x > at_y, op);
}

/* By the moment in UTC, the fold not looked at. */
static bool moment_hash(asy_vm *vm, asy_value self, int64_t *out) {
  const moment *m = moment_of(self);
  bool timed = is_time(vm, self);
  asy_value unfolded = self;
  int64_t us;
  if (m->fold && m->zone != ASY_NONE && !timed) {
    fields f = fields_in(m);
    f.fold = 0;
    unfolded = fill(vm, asy_class_for(vm, &asy_datetime_type), &f);
  }
  int has = asy_failed(unfolded) ? -1 : asy_zone_us(vm, m->zone, timed ? ASY_NONE : unfolded, &us);
  if (has < 0) return false;
  int64_t key = (timed ? asy_time_us(m) : asy_instant(m)) - us;
  *out = asy_hash_memory(vm, &key, sizeof key);
  return true;
}

/* ---- datetime: constructors ---- */

static asy_value datetime_new(asy_vm *vm, const asy_value *args) {
  fields f = {0};
  if (args[3] == ASY_UNBOUND && unpack(args[1], true, &f)) {
    f.zone = args[2] == ASY_UNBOUND ? ASY_NONE : args[2];
    if (f.zone != ASY_NONE && !asy_is_instance(vm, f.zone, asy_class_for(vm, &asy_tzinfo_type)))
      return asy_raise(vm, ASY_TypeError, "bad tzinfo state arg");
    return checked_datetime(vm, class_arg(args[0]), &f);
  }
  static const char *const names[] = {"year", "month", "day"};
  for (int i = 0; i < 3; i++) {
    if (args[i + 1] == ASY_UNBOUND)
      return asy_raise(vm, ASY_TypeError, "function missing required argument '%s' (pos %d)", names[i], i + 1);
    if (!read_fields(vm, args + i + 1, &f.year + i, 1)) return ASY_FAILED;
  }
  if (!read_fields(vm, args + 4, &f.hour, 4) || !asy_field_int(vm, args[9], &f.fold)) return ASY_FAILED;
  f.zone = args[8];
  return checked_datetime(vm, class_arg(args[0]), &f);
}

bool asy_local_seconds(asy_vm *vm, int64_t seconds, int64_t *local) {
  struct tm t;
  time_t at = seconds - EPOCH_SECONDS;
  if (!localtime_r(&at, &t)) return asy_raise_errno(vm, 75, ASY_UNBOUND), false;
  int year = t.tm_year + 1900;
  if (year < 1 || year > MAX_YEAR) return asy_raise(vm, ASY_ValueError, "year %d is out of range", year), false;
  *local = (int64_t)(asy_ordinal(year, t.tm_mon + 1, t.tm_mday) - 1) * DAY_SECONDS + t.tm_hour * 3600 + t.tm_min * 60 +
           (t.tm_sec < 60 ? t.tm_sec : 59);
  return true;
}

/* The datetime of class cls at `seconds` after the epoch, in UTC, in local time or in `zone` (by its fromutc). */
static asy_value at_seconds(asy_vm *vm, asy_class *cls, int64_t seconds, int32_t micros, asy_value zone, bool utc) {
  const int64_t first = -EPOCH_SECONDS, last = (int64_t)MAX_ORDINAL * DAY_SECONDS - EPOCH_SECONDS;
  fields f;
  if (seconds < first || seconds >= last) {
    int64_t year = asy_year_of(EPOCH_ORDINAL + seconds / DAY_SECONDS - (seconds % DAY_SECONDS < 0));
    if (year - 1900 < INT32_MIN || year - 1900 > INT32_MAX) return asy_raise_errno(vm, EOVERFLOW, ASY_UNBOUND);
    return asy_raise(vm, ASY_ValueError, "year %lld is out of range", (long long)year);
  }
  int64_t shown = seconds + EPOCH_SECONDS;
  bool local = !utc && zone == ASY_NONE;
  if (!utc && is_timezone(vm, zone)) { /* a fixed distance: what its fromutc would do */
    int64_t us;
    if (asy_zone_us(vm, zone, ASY_NONE, &us) < 0 || !asy_fields_at(vm, (wide)shown * SECOND_US + micros + us, &f))
      return ASY_FAILED;
    f.zone = zone;
    return asy_datetime_make(vm, cls, &f);
  }
  if (local && !asy_local_seconds(vm, seconds + EPOCH_SECONDS, &shown)) return ASY_FAILED;
  if (!asy_fields_at(vm, (wide)shown * SECOND_US, &f)) return ASY_FAILED;
  f.microsecond = micros;
  f.zone = utc ? ASY_NONE : zone;
  if (local) { /* the second time the clock shows this? */
    int64_t probe, before = seconds + EPOCH_SECONDS;
    if (!asy_local_seconds(vm, before - DAY_SECONDS, &probe)) return ASY_FAILED;
    int64_t change = shown - probe - DAY_SECONDS;
    if (change < 0) {
      if (!asy_local_seconds(vm, before + change, &probe)) return ASY_FAILED;
      f.fold = probe == shown;
    }
  }
  asy_value made = asy_datetime_make(vm, cls, &f);
  if (asy_failed(made) || f.zone == ASY_NONE) return made;
  asy_str *name = asy_intern(vm, "fromutc");
  return name ? asy_call_method(vm, f.zone, name, 1, &made) : ASY_FAILED;
}

bool asy_read_timestamp(asy_vm *vm, asy_value v, int64_t *seconds, int32_t *micros) {
  *micros = 0;
  if (!asy_is_float(v) && asy_is_number_int64(v, seconds)) return true;
  double s, whole;
  if (!asy_is_float(v)) {
    asy_value whole_number = asy_index(vm, v);
    if (asy_failed(whole_number) || asy_is_number_int64(whole_number, seconds)) return !asy_failed(whole_number);
    return asy_raise(vm, ASY_OverflowError, "timestamp out of range for platform time_t"), false;
  }
  s = asy_float_value(v);
  if (isnan(s)) return asy_raise(vm, ASY_ValueError, "Invalid value NaN (not a number)"), false;
  if (fabs(s) >= 9.2e18) return asy_raise(vm, ASY_OverflowError, "timestamp out of range for platform time_t"), false;
  double us = nearbyint(modf(s, &whole) * 1e6);
  *seconds = (int64_t)whole;
  if (us < 0) us += 1e6, --*seconds;
  if (us >= 1e6) us -= 1e6, ++*seconds;
  *micros = (int32_t)us;
  return true;
}

static asy_value datetime_fromtimestamp(asy_vm *vm, const asy_value *args) {
  int64_t seconds;
  int32_t micros;
  if (!asy_check_zone(vm, args[2]) || !asy_read_timestamp(vm, args[1], &seconds, &micros)) return ASY_FAILED;
  return at_seconds(vm, class_arg(args[0]), seconds, micros, args[2], false);
}

static asy_value datetime_now(asy_vm *vm, const asy_value *args) {
  if (!asy_check_zone(vm, args[1])) return ASY_FAILED;
  int64_t us = asy_clock_ns(vm, ASY_CLOCK_WALL) / 1000;
  return at_seconds(vm, class_arg(args[0]), us / SECOND_US, (int32_t)(us % SECOND_US), args[1], false);
}

static asy_value datetime_today(asy_vm *vm, const asy_value *args) {
  const asy_value now[] = {args[0], ASY_NONE};
  return datetime_now(vm, now);
}

static bool deprecated(asy_vm *vm, const char *text) { return asy_warn(vm, ASY_DeprecationWarning, text, 1); }

static asy_value datetime_utcnow(asy_vm *vm, const asy_value *args) {
  if (!deprecated(vm,
                  "datetime.datetime.utcnow() is deprecated and scheduled for removal in a future version. Use "
                  "timezone-aware objects to represent datetimes in UTC: datetime.datetime.now(datetime.UTC)."))
    return ASY_FAILED;
  int64_t us = asy_clock_ns(vm, ASY_CLOCK_WALL) / 1000;
  return at_seconds(vm, class_arg(args[0]), us / SECOND_US, (int32_t)(us % SECOND_US), ASY_NONE, true);
}

static asy_value datetime_utcfromtimestamp(asy_vm *vm, const asy_value *args) {
  int64_t seconds;
  int32_t micros;
  if (!deprecated(
        vm,
        "datetime.datetime.utcfromtimestamp() is deprecated and scheduled for removal in a future version. Use "
        "timezone-aware objects to represent datetimes in UTC: datetime.datetime.fromtimestamp(timestamp, "
        "datetime.UTC).") ||
      !asy_read_timestamp(vm, args[1], &seconds, &micros))
    return ASY_FAILED;
  return at_seconds(vm, class_arg(args[0]), seconds, micros, ASY_NONE, true);
}

static asy_value datetime_fromisoformat(asy_vm *vm, const asy_value *args) {
  fields f = {.zone = ASY_NONE};
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "fromisoformat: argument must be str");
  return asy_parse_iso_datetime(vm, args[1], &f) ? asy_datetime_make(vm, class_arg(args[0]), &f) : ASY_FAILED;
}

static asy_value datetime_strptime(asy_vm *vm, const asy_value *args) {
  fields f;
  for (int i = 1; i <= 2; i++)
    if (!asy_is_str(args[i]))
      return asy_raise(vm, ASY_TypeError, "strptime() argument %d must be str, not %T", i, args[i]);
  int simple = asy_parse_simple(vm, (asy_str *)asy_obj_of(args[1]), (asy_str *)asy_obj_of(args[2]), &f);
  if (simple) return simple < 0 ? ASY_FAILED : asy_datetime_make(vm, class_arg(args[0]), &f);
  asy_value module = asy_import(vm, "_strptime");
  asy_value parse = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "_strptime_datetime");
  return asy_failed(parse) ? ASY_FAILED : asy_call(vm, parse, 3, args);
}

static asy_value datetime_combine(asy_vm *vm, const asy_value *args) {
  if (!is_date(vm, args[1]))
    return asy_raise(vm, ASY_TypeError, "combine() argument 1 must be datetime.date, not %T", args[1]);
  if (!is_time(vm, args[2]))
    return asy_raise(vm, ASY_TypeError, "combine() argument 2 must be datetime.time, not %T", args[2]);
  const date *d = date_of(args[1]);
  fields f = fields_in(moment_of(args[2]));
  f.year = d->year;
  f.month = d->month;
  f.day = d->day;
  if (args[3] != ASY_UNBOUND) f.zone = args[3];
  return asy_check_zone(vm, f.zone) ? asy_datetime_make(vm, class_arg(args[0]), &f) : ASY_FAILED;
}

/* ---- datetime: reading ---- */

static asy_value datetime_date(asy_vm *vm, const asy_value *args) {
  const moment *m = moment_of(args[0]);
  return asy_date_make(vm, asy_class_for(vm, &asy_date_type), m->year, m->month, m->day);
}

static asy_value time_part(asy_vm *vm, const asy_value *args, asy_value zone) {
  fields f = fields_in(moment_of(args[0]));
  f.year = f.month = f.day = 0;
  f.zone = zone;
  return fill(vm, asy_class_for(vm, &asy_time_type), &f);
}
static asy_value datetime_time(asy_vm *vm, const asy_value *args) { return time_part(vm, args, ASY_NONE); }
static asy_value datetime_timetz(asy_vm *vm, const asy_value *args) {
  return time_part(vm, args, moment_of(args[0])->zone);
}

static asy_value datetime_isoformat(asy_vm *vm, const asy_value *args) {
  const moment *m = moment_of(args[0]);
  char text[72], *at = put_date(m, text);
  if (args[1] != ASY_UNBOUND && (!asy_is_str(args[1]) || ((asy_str *)asy_obj_of(args[1]))->len != 1))
    return asy_raise(vm, ASY_TypeError, "isoformat() argument 1 must be a unicode character, not %T", args[1]);
  uint32_t separator = args[1] == ASY_UNBOUND ? 'T' : asy_str_at((asy_str *)asy_obj_of(args[1]), 0);
  *at++ = (char)separator;
  char *end = put_time(vm, args[0], args[2], at);
  if (!end) return ASY_FAILED;
  if (separator < 128) return or_failed(asy_str_new_latin1(vm, (const uint8_t *)text, (size_t)(end - text)));
  asy_text out;
  asy_text_init(&out, vm);
  asy_text_ascii_n(&out, text, 10);
  asy_text_char(&out, separator);
  asy_text_ascii_n(&out, at, (size_t)(end - at));
  return or_failed(asy_text_finish(&out));
}

static asy_value datetime_str(asy_vm *vm, asy_value self) {
  asy_str *name = asy_intern(vm, "isoformat");
  asy_value space = asy_from_cstr(vm, " ");
  if (!name || asy_failed(space)) return ASY_FAILED;
  const asy_value args[] = {self, space, ASY_UNBOUND};
  return is_exact(asy_type_of(vm, self)) ? datetime_isoformat(vm, args) : asy_call_method(vm, self, name, 1, &space);
}

/* The fold and the zone behind what repr wrote so far. */
static asy_value close_repr(asy_vm *vm, const moment *m, asy_value self, const char *exact, const char *numbers) {
  asy_value head = asy_type_text(vm, self, exact);
  if (asy_failed(head)) return ASY_FAILED;
  const char *fold = m->fold ? ", fold=1" : "";
  if (m->zone == ASY_NONE) return or_failed(asy_str_format(vm, "%S%s%s)", head, numbers, fold));
  if (is_time(vm, self)) return or_failed(asy_str_format(vm, "%S%s, tzinfo=%R%s)", head, numbers, m->zone, fold));
  return or_failed(asy_str_format(vm, "%S%s%s, tzinfo=%R)", head, numbers, fold, m->zone));
}

static asy_value datetime_repr(asy_vm *vm, asy_value self) {
  const moment *m = moment_of(self);
  char text[96];
  int n = snprintf(text, sizeof text, "%d, %d, %d, %d, %d", m->year, m->month, m->day, m->hour, m->minute);
  if (m->second || m->microsecond) n += snprintf(text + n, sizeof text - (size_t)n, ", %d", m->second);
  if (m->microsecond) snprintf(text + n, sizeof text - (size_t)n, ", %d", m->microsecond);
  return close_repr(vm, m, self, "datetime.datetime(", text);
}

static asy_value datetime_timetuple(asy_vm *vm, const asy_value *args) {
  fields f = fields_in(moment_of(args[0]));
  asy_value dst = asy_zone_offset(vm, f.zone, "dst", args[0]);
  if (asy_failed(dst)) return ASY_FAILED;
  return asy_time_struct(vm, &f, dst == ASY_NONE ? -1 : asy_delta_us(delta_of(dst)) != 0);
}

static asy_value datetime_utctimetuple(asy_vm *vm, const asy_value *args) {
  const moment *m = moment_of(args[0]);
  fields f;
  int64_t us;
  if (asy_zone_us(vm, m->zone, args[0], &us) < 0 || !asy_fields_at(vm, asy_instant(m) - us, &f)) return ASY_FAILED;
  return asy_time_struct(vm, &f, 0);
}

/* What the clock here shows as m does, in seconds of UTC since year 1: in a gap or a fold the fold says which side is meant. */
static bool local_to_seconds(asy_vm *vm, const moment *m, int64_t *out) {
  int64_t t = asy_instant(m) / SECOND_US, shown, other, shown_other;
  if (!asy_local_seconds(vm, t, &shown)) return false;
  int64_t a = shown - t, first = t - a;
  if (!asy_local_seconds(vm, first, &shown)) return false;
  int64_t b = shown - first;
  if (shown == t) { /* one answer; is there another one on the fold's side? */
    other = first + (m->fold ? DAY_SECONDS : -DAY_SECONDS);
    if (!asy_local_seconds(vm, other, &shown_other)) return false;
    b = shown_other - other;
    if (a == b) return *out = first, true;
  }
  int64_t second = t - b;
  if (!asy_local_seconds(vm, second, &shown_other)) return false;
  if (shown_other == t) *out = second;
  else if (shown == t) *out = first;
  else *out = m->fold == (first < second) ? first : second; /* a gap */
  return true;
}

/* The distance from UTC of the clock here when it shows what m does; in a gap, that before or behind it. */
static bool local_offset(asy_vm *vm, const moment *m, int64_t *us) {
  moment twin = *m;
  twin.fold = !m->fold;
  int64_t seconds, other, shown;
  if (!local_to_seconds(vm, m, &seconds) || !local_to_seconds(vm, &twin, &other)) return false;
  if (other != seconds && (other > seconds) == m->fold) seconds = other;
  if (!asy_local_seconds(vm, seconds, &shown)) return false;
  *us = (shown - seconds) * SECOND_US;
  return true;
}

static asy_value datetime_timestamp(asy_vm *vm, const asy_value *args) {
  const moment *m = moment_of(args[0]);
  int64_t us, seconds;
  if (m->zone != ASY_NONE) {
    int has = asy_zone_us(vm, m->zone, args[0], &us);
    if (has < 0) return ASY_FAILED;
    if (has) us = asy_instant(m) - us - EPOCH_SECONDS * SECOND_US;
    else us = 0;
    if (has && us < 1LL << 53 && us > -(1LL << 53)) return asy_from_double(vm, (double)us / 1e6);
    if (has) return asy_int_binary(vm, BINARY_TRUEDIV, asy_wide_int(vm, us), asy_from_small(SECOND_US));
  }
  if (!local_to_seconds(vm, m, &seconds)) return ASY_FAILED;
  return asy_from_double(vm, (double)(seconds - EPOCH_SECONDS) + m->microsecond / 1e6);
}

/* The zone that holds here at `seconds` since the epoch, with its name. */
static asy_value zone_here(asy_vm *vm, int64_t seconds) {
  struct tm t;
  time_t at = seconds;
  if (!localtime_r(&at, &t)) return asy_raise_errno(vm, 75, ASY_UNBOUND);
  asy_value offset = asy_delta_new(vm, (wide)t.tm_gmtoff * SECOND_US);
  asy_value name = asy_from_cstr(vm, t.tm_zone);
  return asy_failed(offset) || asy_failed(name) ? ASY_FAILED : asy_timezone_new(vm, delta_of(offset), name);
}

static asy_value datetime_astimezone(asy_vm *vm, const asy_value *args) {
  asy_value self = args[0], zone = args[1];
  const moment *m = moment_of(self);
  int64_t us;
  if (!asy_check_zone(vm, zone)) return ASY_FAILED;
  if (zone != ASY_NONE && zone == m->zone) return self;
  int has = asy_zone_us(vm, m->zone, self, &us);
  if (has < 0) return ASY_FAILED;
  if (!has && !local_offset(vm, m, &us)) return ASY_FAILED;
  wide utc = asy_instant(m) - us;
  if (zone == ASY_NONE) {
    int64_t whole = (int64_t)(utc / SECOND_US) - (utc % SECOND_US < 0);
    zone = zone_here(vm, whole - EPOCH_SECONDS);
  }
  fields f;
  if (asy_failed(zone) || !asy_fields_at(vm, utc, &f)) return ASY_FAILED;
  f.zone = zone;
  asy_str *name = asy_intern(vm, "fromutc");
  asy_value result = name ? asy_datetime_make(vm, asy_type_of(vm, self), &f) : ASY_FAILED;
  return asy_failed(result) ? ASY_FAILED : asy_call_method(vm, zone, name, 1, &result);
}

static asy_value datetime_replace(asy_vm *vm, const asy_value *args) {
  fields f = fields_in(moment_of(args[0]));
  if (!asy_replace_fields(vm, args + 1, &f.year, 7) || !asy_replace_fields(vm, args + 9, &f.fold, 1)) return ASY_FAILED;
  if (args[8] != ASY_UNBOUND) f.zone = args[8];
  return asy_check_date(vm, f.year, f.month, f.day) && asy_check_time(vm, &f) && asy_check_zone(vm, f.zone)
           ? asy_datetime_make(vm, asy_type_of(vm, args[0]), &f)
           : ASY_FAILED;
}

static void moment_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((moment *)o)->zone); }

#define CLASS ASY_NATIVE_CLASS
static const asy_native datetime_methods[] = {
  {"now", SIG("(cls, tz=None)"), datetime_now,
   DOC("Returns new datetime object representing current time local to tz."), CLASS},
  {"today", SIG("(cls)"), datetime_today, DOC("Current date and time, local."), CLASS},
  {"utcnow", SIG("(cls)"), datetime_utcnow, DOC("Return a new datetime representing UTC day and time."), CLASS},
  {"fromtimestamp", SIG("(cls, timestamp, tz=None)"), datetime_fromtimestamp,
   DOC("timestamp[, tz] -> tz's local time from POSIX timestamp."), CLASS},
  {"utcfromtimestamp", SIG("(cls, timestamp, /)"), datetime_utcfromtimestamp,
   DOC("Construct a naive UTC datetime from a POSIX timestamp."), CLASS},
  {"strptime", SIG("(cls, string, format, /)"), datetime_strptime,
   DOC("string, format -> new datetime parsed from a string (like time.strptime())."), CLASS},
  {"combine", SIG("(cls, date, time, tzinfo=?)"), datetime_combine,
   DOC("date, time -> datetime with same date and time fields"), CLASS},
  {"fromisoformat", SIG("(cls, string, /)"), datetime_fromisoformat,
   DOC("string -> datetime from a string in most ISO 8601 formats"), CLASS},
  {"date", SIG("(self)"), datetime_date, DOC("Return date object with same year, month and day."), 0},
  {"time", SIG("(self)"), datetime_time, DOC("Return time object with same time but with tzinfo=None."), 0},
  {"timetz", SIG("(self)"), datetime_timetz, DOC("Return time object with same time and tzinfo."), 0},
  {"timetuple", SIG("(self)"), datetime_timetuple, DOC("Return time tuple, compatible with time.localtime()."), 0},
  {"utctimetuple", SIG("(self)"), datetime_utctimetuple,
   DOC("Return UTC time tuple, compatible with time.localtime()."), 0},
  {"timestamp", SIG("(self)"), datetime_timestamp, DOC("Return POSIX timestamp as float."), 0},
  {"isoformat", SIG("(self, sep=?, timespec=?)"), datetime_isoformat,
   DOC("[sep] -> string in ISO 8601 format, YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM]."), 0},
  {"utcoffset", SIG("(self)"), moment_utcoffset, DOC("Return self.tzinfo.utcoffset(self)."), 0},
  {"tzname", SIG("(self)"), moment_tzname, DOC("Return self.tzinfo.tzname(self)."), 0},
  {"dst", SIG("(self)"), moment_dst, DOC("Return self.tzinfo.dst(self)."), 0},
  {"astimezone", SIG("(self, tz=None)"), datetime_astimezone, DOC("tz -> convert to local time in new timezone tz"), 0},
  {"replace", SIG("(self, year=?, month=?, day=?, hour=?, minute=?, second=?, microsecond=?, tzinfo=?, *, fold=?)"),
   datetime_replace, DOC("Return datetime with new specified fields."), 0},
  {"__replace__",
   SIG("(self, /, *, year=?, month=?, day=?, hour=?, minute=?, second=?, microsecond=?, tzinfo=?, fold=?)"),
   datetime_replace, DOC("The same as replace()."), 0},
  {"__reduce_ex__", SIG("(self, protocol, /)"), datetime_reduce_ex, DOC("__reduce_ex__(proto) -> (cls, state)"), 0},
  {"__reduce__", SIG("(self, /)"), datetime_reduce, DOC("__reduce__() -> (cls, state)"), 0},
  {0},
};
#undef CLASS

static const asy_member moment_members[] = {
  {"hour", offsetof(moment, hour), MEMBER_INT32, false},
  {"minute", offsetof(moment, minute), MEMBER_INT32, false},
  {"second", offsetof(moment, second), MEMBER_INT32, false},
  {"microsecond", offsetof(moment, microsecond), MEMBER_INT32, false},
  {"fold", offsetof(moment, fold), MEMBER_INT32, false},
  {"tzinfo", offsetof(moment, zone), MEMBER_VALUE, false},
  {0},
};

const asy_type asy_datetime_type = {
  .name = "datetime.datetime",
  .doc = "datetime(year, month, day[, hour[, minute[, second[, microsecond[,tzinfo]]]]])",
  .base = &asy_date_type,
  .size = sizeof(moment),
  .visit = moment_visit,
  .new_ = datetime_new,
  .new_signature = SIG(
    "(cls, year=?, month=?, day=?, hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *, fold=0)"),
  .repr = datetime_repr,
  .str = datetime_str,
  .hash = moment_hash,
  .compare = moment_compare,
  .methods = datetime_methods,
  .members = moment_members,
};

/* ---- time ---- */

static asy_value time_new(asy_vm *vm, const asy_value *args) {
  fields f = {0};
  if (unpack(args[1], false, &f)) {
    f.zone = args[2] == asy_from_small(0) ? ASY_NONE : args[2];
    if (f.zone != ASY_NONE && !asy_is_instance(vm, f.zone, asy_class_for(vm, &asy_tzinfo_type)))
      return asy_raise(vm, ASY_TypeError, "bad tzinfo state arg");
    return checked_time(vm, class_arg(args[0]), &f);
  }
  if (!read_fields(vm, args + 1, &f.hour, 4) || !asy_field_int(vm, args[6], &f.fold)) return ASY_FAILED;
  f.zone = args[5];
  return checked_time(vm, class_arg(args[0]), &f);
}

static asy_value time_fromisoformat(asy_vm *vm, const asy_value *args) {
  fields f = {.zone = ASY_NONE};
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "fromisoformat: argument must be str");
  return asy_parse_iso_time(vm, args[1], &f) ? asy_time_make(vm, class_arg(args[0]), &f) : ASY_FAILED;
}

static asy_value time_isoformat(asy_vm *vm, const asy_value *args) {
  char text[56], *end = put_time(vm, args[0], args[1], text);
  return end ? asy_from_text(vm, text, (size_t)(end - text)) : ASY_FAILED;
}

static asy_value time_str(asy_vm *vm, asy_value self) {
  asy_str *name = asy_intern(vm, "isoformat");
  return name ? asy_call_method(vm, self, name, 0, NULL) : ASY_FAILED;
}

static asy_value time_repr(asy_vm *vm, asy_value self) {
  const moment *m = moment_of(self);
  char text[64];
  int n = snprintf(text, sizeof text, "%d, %d", m->hour, m->minute);
  if (m->second || m->microsecond) n += snprintf(text + n, sizeof text - (size_t)n, ", %d", m->second);
  if (m->microsecond) snprintf(text + n, sizeof text - (size_t)n, ", %d", m->microsecond);
  return close_repr(vm, m, self, "datetime.time(", text);
}

static asy_value time_strftime(asy_vm *vm, const asy_value *args) {
  fields f = fields_in(moment_of(args[0]));
  f.year = 1900;
  f.month = f.day = 1;
  return asy_strftime(vm, args[0], &f, args[1]);
}

static asy_value time_format(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "__format__() argument 1 must be str, not %T", args[1]);
  if (((asy_str *)asy_obj_of(args[1]))->len == 0) return asy_str_of(vm, args[0]);
  asy_str *name = asy_intern(vm, "strftime");
  return name ? asy_call_method(vm, args[0], name, 1, &args[1]) : ASY_FAILED;
}

static asy_value time_replace(asy_vm *vm, const asy_value *args) {
  fields f = fields_in(moment_of(args[0]));
  if (!asy_replace_fields(vm, args + 1, &f.hour, 4) || !asy_replace_fields(vm, args + 6, &f.fold, 1)) return ASY_FAILED;
  if (args[5] != ASY_UNBOUND) f.zone = args[5];
  return asy_check_time(vm, &f) && asy_check_zone(vm, f.zone) ? asy_time_make(vm, asy_type_of(vm, args[0]), &f)
                                                              : ASY_FAILED;
}

static const asy_native time_methods[] = {
  {"fromisoformat", SIG("(cls, string, /)"), time_fromisoformat, DOC("string -> time from a string in ISO 8601 format"),
   ASY_NATIVE_CLASS},
  {"isoformat", SIG("(self, timespec=?)"), time_isoformat,
   DOC("Return string in ISO 8601 format, [HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM]."), 0},
  {"strftime", SIG("(self, format)"), time_strftime, DOC("format -> strftime() style string."), 0},
  {"__format__", SIG("(self, spec, /)"), time_format, DOC("Formats self with strftime."), 0},
  {"utcoffset", SIG("(self)"), moment_utcoffset, DOC("Return self.tzinfo.utcoffset(self)."), 0},
  {"tzname", SIG("(self)"), moment_tzname, DOC("Return self.tzinfo.tzname(self)."), 0},
  {"dst", SIG("(self)"), moment_dst, DOC("Return self.tzinfo.dst(self)."), 0},
  {"replace", SIG("(self, hour=?, minute=?, second=?, microsecond=?, tzinfo=?, *, fold=?)"), time_replace,
   DOC("Return time with new specified fields."), 0},
  {"__replace__", SIG("(self, /, *, hour=?, minute=?, second=?, microsecond=?, tzinfo=?, fold=?)"), time_replace,
   DOC("The same as replace()."), 0},
  {"__reduce_ex__", SIG("(self, protocol, /)"), time_reduce_ex, DOC("__reduce_ex__(proto) -> (cls, state)"), 0},
  {"__reduce__", SIG("(self, /)"), time_reduce, DOC("__reduce__() -> (cls, state)"), 0},
  {0},
};

const asy_type asy_time_type = {
  .name = "datetime.time",
  .doc = "time([hour[, minute[, second[, microsecond[, tzinfo]]]]]) --> a time object",
  .size = sizeof(moment),
  .visit = moment_visit,
  .new_ = time_new,
  .new_signature = SIG("(cls, hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *, fold=0)"),
  .repr = time_repr,
  .str = time_str,
  .hash = moment_hash,
  .compare = moment_compare,
  .methods = time_methods,
  .members = moment_members,
};
