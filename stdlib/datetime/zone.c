/* zone.c - tzinfo, which says how subclasses answer, and timezone, a fixed distance from UTC. */
#include "stdlib/datetime/datetime.h"

static timezone_obj *timezone_of(asy_value v) { return (timezone_obj *)asy_obj_of(v); }

asy_value asy_utc(asy_vm *vm) {
  return asy_get_attr_cstr(vm, asy_from_obj(asy_class_for(vm, &asy_timezone_type)), "utc");
}

static bool within_a_day(wide us) { return us > -DAY_US && us < DAY_US; }

size_t asy_offset_text(char out[24], int64_t us, const char *separator) {
  char sign = us < 0 ? '-' : '+';
  if (us < 0) us = -us;
  int seconds = (int)(us / SECOND_US), micros = (int)(us % SECOND_US);
  int n = snprintf(out, 24, "%c%02d%s%02d", sign, seconds / 3600 % 100, separator, seconds / 60 % 60);
  if (seconds % 60 || micros) n += snprintf(out + n, 24 - (size_t)n, "%s%02d", separator, seconds % 60);
  if (micros) n += snprintf(out + n, 24 - (size_t)n, ".%06d", micros);
  return (size_t)n;
}

/* ---- Asking any zone ---- */

asy_value asy_zone_offset(asy_vm *vm, asy_value zone, const char *name, asy_value about) {
  if (zone == ASY_NONE) return ASY_NONE;
  if (asy_is_obj(zone) && is_exact(asy_type_of(vm, zone)) && is_timezone(vm, zone))
    return *name == 'u' ? asy_from_obj(timezone_of(zone)->offset) : ASY_NONE;
  asy_str *method = asy_intern(vm, name);
  asy_value offset = method ? asy_call_method(vm, zone, method, 1, &about) : ASY_FAILED;
  if (asy_failed(offset) || offset == ASY_NONE) return offset;
  if (!is_delta(vm, offset))
    return asy_raise(vm, ASY_TypeError, "tzinfo.%s() must return None or timedelta, not '%T'", name, offset);
  if (within_a_day(asy_delta_us(delta_of(offset)))) return offset;
  return asy_raise(vm, ASY_ValueError,
                   "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24).");
}

int asy_zone_us(asy_vm *vm, asy_value zone, asy_value about, int64_t *us) {
  asy_value offset = asy_zone_offset(vm, zone, "utcoffset", about);
  *us = 0;
  if (asy_failed(offset)) return -1;
  if (offset == ASY_NONE) return 0;
  *us = (int64_t)asy_delta_us(delta_of(offset));
  return 1;
}

asy_value asy_zone_name(asy_vm *vm, asy_value zone, asy_value about) {
  if (zone == ASY_NONE) return ASY_NONE;
  asy_str *method = asy_intern(vm, "tzname");
  asy_value name = method ? asy_call_method(vm, zone, method, 1, &about) : ASY_FAILED;
  if (asy_failed(name) || name == ASY_NONE || asy_is_str(name)) return name;
  return asy_raise(vm, ASY_TypeError, "tzinfo.tzname() must return None or a string, not '%T'", name);
}

/* ---- tzinfo ---- */

static asy_value tzinfo_new(asy_vm *vm, const asy_value *args) {
  return or_failed(asy_new_instance(vm, class_arg(args[0])));
}

static asy_value not_made(asy_vm *vm, const char *name) {
  return asy_raise(vm, ASY_NotImplementedError, "a tzinfo subclass must implement %s()", name);
}
static asy_value tzinfo_tzname(asy_vm *vm, const asy_value *args) { return (void)args, not_made(vm, "tzname"); }
static asy_value tzinfo_utcoffset(asy_vm *vm, const asy_value *args) { return (void)args, not_made(vm, "utcoffset"); }
static asy_value tzinfo_dst(asy_vm *vm, const asy_value *args) { return (void)args, not_made(vm, "dst"); }

static asy_value shifted(asy_vm *vm, asy_value when, asy_value by) { return asy_binary(vm, BINARY_ADD, when, by); }

/* (self, when): when's fields are UTC. Standard time first, then what dst() says of that. */
static asy_value tzinfo_fromutc(asy_vm *vm, const asy_value *args) {
  asy_value when = args[1];
  if (!is_datetime(vm, when)) return asy_raise(vm, ASY_TypeError, "fromutc: argument must be a datetime");
  if (moment_of(when)->zone != args[0]) return asy_raise(vm, ASY_ValueError, "fromutc: dt.tzinfo is not self");
  asy_value offset = asy_zone_offset(vm, args[0], "utcoffset", when);
  if (asy_failed(offset)) return ASY_FAILED;
  if (offset == ASY_NONE) return asy_raise(vm, ASY_ValueError, "fromutc: non-None utcoffset() result required");
  asy_value dst = asy_zone_offset(vm, args[0], "dst", when);
  if (asy_failed(dst)) return ASY_FAILED;
  if (dst == ASY_NONE) return asy_raise(vm, ASY_ValueError, "fromutc: non-None dst() result required");
  asy_value standard = asy_delta_new(vm, asy_delta_us(delta_of(offset)) - asy_delta_us(delta_of(dst)));
  when = asy_failed(standard) ? ASY_FAILED : shifted(vm, when, standard);
  dst = asy_failed(when) ? ASY_FAILED : asy_zone_offset(vm, args[0], "dst", when);
  if (asy_failed(dst)) return ASY_FAILED;
  if (dst == ASY_NONE)
    return asy_raise(vm, ASY_ValueError, "fromutc: tz.dst() gave inconsistent results; cannot convert");
  return asy_delta_us(delta_of(dst)) ? shifted(vm, when, dst) : when;
}

static asy_value call_named(asy_vm *vm, asy_value self, const char *name, asy_value otherwise) {
  asy_value method;
  asy_str *interned = asy_intern(vm, name);
  int found = interned ? asy_find_attr(vm, self, interned, &method) : -1;
  return found < 0 ? ASY_FAILED : found ? asy_call0(vm, method) : otherwise;
}

static asy_value tzinfo_reduce(asy_vm *vm, const asy_value *args) {
  asy_value none = asy_tuple_of(vm, 0);
  asy_value init = call_named(vm, args[0], "__getinitargs__", none), state = ASY_NONE;
  if (!asy_failed(init)) state = call_named(vm, args[0], "__getstate__", ASY_NONE);
  if (asy_failed(init) || asy_failed(state)) return ASY_FAILED;
  asy_value cls = asy_from_obj(asy_type_of(vm, args[0]));
  return asy_tuple_of(vm, 3, cls, init, state);
}

static const asy_native tzinfo_methods[] = {
  {"tzname", SIG("(self, dt, /)"), tzinfo_tzname, DOC("datetime -> string name of time zone."), 0},
  {"utcoffset", SIG("(self, dt, /)"), tzinfo_utcoffset,
   DOC("datetime -> timedelta showing offset from UTC, negative values indicating West of UTC"), 0},
  {"dst", SIG("(self, dt, /)"), tzinfo_dst, DOC("datetime -> DST offset as timedelta positive east of UTC."), 0},
  {"fromutc", SIG("(self, dt, /)"), tzinfo_fromutc, DOC("datetime in UTC -> datetime in local time."), 0},
  {"__reduce__", SIG("(self, /)"), tzinfo_reduce, DOC("-> (cls, state)"), 0},
  {0},
};

const asy_type asy_tzinfo_type = {
  .name = "datetime.tzinfo",
  .doc = "Abstract base class for time zone info objects.",
  .size = sizeof(asy_obj),
  .new_ = tzinfo_new,
  .new_signature = SIG("(cls, /, *args, **kwargs)"),
  .methods = tzinfo_methods,
};

/* ---- timezone ---- */

static void timezone_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_obj(v, ((timezone_obj *)o)->offset);
  asy_visit_value(v, ((timezone_obj *)o)->name);
}

static asy_value timezone_make(asy_vm *vm, asy_class *cls, delta *offset, asy_value name) {
  timezone_obj *z = asy_new_instance(vm, cls);
  if (!z) return ASY_FAILED;
  z->offset = offset;
  z->name = name;
  return asy_from_obj(z);
}

asy_value asy_timezone_new(asy_vm *vm, delta *offset, asy_value name) {
  if (!within_a_day(asy_delta_us(offset)))
    return asy_raise(
      vm, ASY_ValueError,
      "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not %R.",
      asy_from_obj(offset));
  if (!name && asy_delta_us(offset) == 0) return asy_utc(vm);
  return timezone_make(vm, asy_class_for(vm, &asy_timezone_type), offset, name);
}

static asy_value timezone_new(asy_vm *vm, const asy_value *args) {
  if (!is_delta(vm, args[1]))
    return asy_raise(vm, ASY_TypeError, "timezone() argument 1 must be datetime.timedelta, not %T", args[1]);
  if (args[2] != ASY_UNBOUND && !asy_is_str(args[2]))
    return asy_raise(
      vm, ASY_TypeError,
      args[2] == ASY_NONE ? "timezone() argument 2 must be str, not None" : "timezone() argument 2 must be str, not %T",
      args[2]);
  return asy_timezone_new(vm, delta_of(args[1]), args[2] == ASY_UNBOUND ? 0 : args[2]);
}

static bool about_datetime(asy_vm *vm, const char *method, asy_value v) {
  if (v == ASY_NONE || is_datetime(vm, v)) return true;
  asy_raise(vm, ASY_TypeError, "%s(dt) argument must be a datetime instance or None, not %T", method, v);
  return false;
}

static asy_value timezone_utcoffset(asy_vm *vm, const asy_value *args) {
  return about_datetime(vm, "utcoffset", args[1]) ? asy_from_obj(timezone_of(args[0])->offset) : ASY_FAILED;
}

static asy_value timezone_dst(asy_vm *vm, const asy_value *args) {
  return about_datetime(vm, "dst", args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value timezone_str(asy_vm *vm, asy_value self) {
  const timezone_obj *z = timezone_of(self);
  char text[32] = "UTC";
  if (z->name) return z->name;
  int64_t us = (int64_t)asy_delta_us(z->offset);
  if (us) asy_offset_text(text + 3, us, ":");
  return asy_from_cstr(vm, text);
}

static asy_value timezone_tzname(asy_vm *vm, const asy_value *args) {
  return about_datetime(vm, "tzname", args[1]) ? timezone_str(vm, args[0]) : ASY_FAILED;
}

static asy_value timezone_fromutc(asy_vm *vm, const asy_value *args) {
  if (!is_datetime(vm, args[1])) return asy_raise(vm, ASY_TypeError, "fromutc: argument must be a datetime");
  if (moment_of(args[1])->zone != args[0]) return asy_raise(vm, ASY_ValueError, "fromutc: dt.tzinfo is not self");
  return asy_add_dates(vm, args[1], asy_from_obj(timezone_of(args[0])->offset));
}

static asy_value timezone_repr(asy_vm *vm, asy_value self) {
  const timezone_obj *z = timezone_of(self);
  asy_value utc = asy_utc(vm);
  if (asy_failed(utc) || utc == self) return asy_failed(utc) ? ASY_FAILED : asy_from_cstr(vm, "datetime.timezone.utc");
  return or_failed(z->name ? asy_str_format(vm, "datetime.timezone(%R, %R)", asy_from_obj(z->offset), z->name)
                           : asy_str_format(vm, "datetime.timezone(%R)", asy_from_obj(z->offset)));
}

static bool timezone_hash(asy_vm *vm, asy_value self, int64_t *out) {
  return asy_hash(vm, asy_from_obj(timezone_of(self)->offset), out);
}

static asy_value timezone_compare(asy_vm *vm, asy_value a, asy_value b, asy_compare_op op) {
  if (!is_timezone(vm, b) || (op != COMPARE_EQ && op != COMPARE_NE)) return ASY_NOT_IMPLEMENTED;
  bool equal = asy_delta_us(timezone_of(a)->offset) == asy_delta_us(timezone_of(b)->offset);
  return asy_from_bool(equal == (op == COMPARE_EQ));
}

static asy_value timezone_initargs(asy_vm *vm, const asy_value *args) {
  const timezone_obj *z = timezone_of(args[0]);
  return z->name ? asy_tuple_of(vm, 2, asy_from_obj(z->offset), z->name) : asy_tuple_of(vm, 1, asy_from_obj(z->offset));
}

static const asy_native timezone_methods[] = {
  {"tzname", SIG("(self, dt, /)"), timezone_tzname,
   DOC(
     "If name is specified when timezone is created, returns the name.  Otherwise returns offset as 'UTC(+|-)HH:MM'."),
   0},
  {"utcoffset", SIG("(self, dt, /)"), timezone_utcoffset, DOC("Return fixed offset."), 0},
  {"dst", SIG("(self, dt, /)"), timezone_dst, DOC("Return None."), 0},
  {"fromutc", SIG("(self, dt, /)"), timezone_fromutc, DOC("datetime in UTC -> datetime in local time."), 0},
  {"__getinitargs__", SIG("(self, /)"), timezone_initargs, DOC("pickle support"), 0},
  {0},
};

const asy_type asy_timezone_type = {
  .name = "datetime.timezone",
  .doc = "Fixed offset from UTC implementation of tzinfo.",
  .base = &asy_tzinfo_type,
  .size = sizeof(timezone_obj),
  .flags = ASY_TYPE_FINAL,
  .visit = timezone_visit,
  .new_ = timezone_new,
  .new_signature = SIG("(cls, offset, name=?)"),
  .repr = timezone_repr,
  .str = timezone_str,
  .hash = timezone_hash,
  .compare = timezone_compare,
  .methods = timezone_methods,
};
