/* time.c - the module time. Clocks come from the VM's gate; the calendar is libc's, in its thread-safe forms. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/asy.h"

static const int64_t SECOND = 1000000000;

static asy_value in_seconds(asy_vm *vm, int64_t ns) {
  return asy_from_double(vm, (double)(ns / SECOND) + (double)(ns % SECOND) / 1e9);
}

static asy_value seconds(asy_vm *vm, asy_clock_id clock) { return in_seconds(vm, asy_clock_ns(vm, clock)); }

static asy_value nanoseconds(asy_vm *vm, asy_clock_id clock) { return asy_from_int64(vm, asy_clock_ns(vm, clock)); }

static asy_value time_time(asy_vm *vm, const asy_value *args) { return (void)args, seconds(vm, ASY_CLOCK_WALL); }
static asy_value time_time_ns(asy_vm *vm, const asy_value *args) { return (void)args, nanoseconds(vm, ASY_CLOCK_WALL); }
static asy_value time_monotonic(asy_vm *vm, const asy_value *args) {
  return (void)args, seconds(vm, ASY_CLOCK_MONOTONIC);
}
static asy_value time_monotonic_ns(asy_vm *vm, const asy_value *args) {
  return (void)args, nanoseconds(vm, ASY_CLOCK_MONOTONIC);
}
static asy_value time_process(asy_vm *vm, const asy_value *args) { return (void)args, seconds(vm, ASY_CLOCK_CPU); }
static asy_value time_process_ns(asy_vm *vm, const asy_value *args) {
  return (void)args, nanoseconds(vm, ASY_CLOCK_CPU);
}

/* ---- Clocks by the system's numbers ---- */

/* The three that the VM knows go through it (virtual time); others are the system's. */
static bool numbered_clock(asy_vm *vm, asy_value number, bool resolution, int64_t *ns) {
  int clock;
  if (!asy_to_int(vm, number, INT32_MIN, INT32_MAX, &clock)) return false;
  if (!resolution && (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_PROCESS_CPUTIME_ID)) {
    *ns = asy_clock_ns(vm, clock == CLOCK_REALTIME    ? ASY_CLOCK_WALL
                           : clock == CLOCK_MONOTONIC ? ASY_CLOCK_MONOTONIC
                                                      : ASY_CLOCK_CPU);
    return true;
  }
  if (!asy_system_clock(clock, resolution, ns)) return asy_raise_errno(vm, errno, ASY_UNBOUND), false;
  return true;
}

static asy_value time_clock_gettime(asy_vm *vm, const asy_value *args) {
  int64_t ns;
  return numbered_clock(vm, args[0], false, &ns) ? in_seconds(vm, ns) : ASY_FAILED;
}
static asy_value time_clock_gettime_ns(asy_vm *vm, const asy_value *args) {
  int64_t ns;
  return numbered_clock(vm, args[0], false, &ns) ? asy_from_int64(vm, ns) : ASY_FAILED;
}
static asy_value time_clock_getres(asy_vm *vm, const asy_value *args) {
  int64_t ns;
  return numbered_clock(vm, args[0], true, &ns) ? in_seconds(vm, ns) : ASY_FAILED;
}

static asy_value set_clock(asy_vm *vm, asy_value number, int64_t ns) {
  int clock;
  if (!asy_to_int(vm, number, INT32_MIN, INT32_MAX, &clock)) return ASY_FAILED;
  struct timespec t = {.tv_sec = ns / SECOND - (ns % SECOND < 0), .tv_nsec = (ns % SECOND + SECOND) % SECOND};
  return clock_settime((clockid_t)clock, &t) == 0 ? ASY_NONE : asy_raise_errno(vm, errno, ASY_UNBOUND);
}

static asy_value time_clock_settime(asy_vm *vm, const asy_value *args) {
  double s;
  if (!asy_to_double(vm, args[1], &s)) return ASY_FAILED;
  if (isnan(s)) return asy_raise(vm, ASY_ValueError, "Invalid value NaN (not a number)");
  if (fabs(s) > 9.2e9) return asy_raise(vm, ASY_OverflowError, "timestamp out of range for platform time_t");
  return set_clock(vm, args[0], (int64_t)(s * 1e9));
}
static asy_value time_clock_settime_ns(asy_vm *vm, const asy_value *args) {
  int64_t ns;
  return asy_to_int64(vm, args[1], &ns) ? set_clock(vm, args[0], ns) : ASY_FAILED;
}

static asy_value time_pthread_getcpuclockid(asy_vm *vm, const asy_value *args) {
  int64_t thread;
  clockid_t clock;
  if (!asy_to_int64(vm, args[0], &thread)) return ASY_FAILED;
  int error = pthread_getcpuclockid((pthread_t)thread, &clock);
  return error ? asy_raise_errno(vm, error, ASY_UNBOUND) : asy_from_int64(vm, clock);
}

static asy_value time_thread(asy_vm *vm, const asy_value *args) {
  const asy_value clock = asy_from_small(CLOCK_THREAD_CPUTIME_ID);
  return (void)args, time_clock_gettime(vm, &clock);
}
static asy_value time_thread_ns(asy_vm *vm, const asy_value *args) {
  const asy_value clock = asy_from_small(CLOCK_THREAD_CPUTIME_ID);
  return (void)args, time_clock_gettime_ns(vm, &clock);
}

static asy_value time_strptime(asy_vm *vm, const asy_value *args) {
  asy_value module = asy_import(vm, "_strptime");
  asy_value parse = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "_strptime_time");
  return asy_failed(parse) ? ASY_FAILED : asy_call(vm, parse, args[1] == ASY_UNBOUND ? 1 : 2, args);
}

/* A number of seconds: a float, or whatever can be an int. */
static bool seconds_of(asy_vm *vm, asy_value v, double *s) {
  if (!asy_is_float(v)) v = asy_index(vm, v);
  if (asy_failed(v) || !asy_to_double(vm, v, s)) return false;
  if (isnan(*s)) asy_raise(vm, ASY_ValueError, "Invalid value NaN (not a number)");
  return !isnan(*s);
}

static asy_value time_sleep(asy_vm *vm, const asy_value *args) {
  double s;
  if (!seconds_of(vm, args[0], &s)) return ASY_FAILED;
  if (s < 0) return asy_raise(vm, ASY_ValueError, "sleep length must be non-negative");
  if (s >= 9.2e9) return asy_raise(vm, ASY_OverflowError, "timestamp out of range for platform time_t");
  return asy_sleep_ns(vm, (int64_t)(s * 1e9)) ? ASY_NONE : ASY_FAILED;
}

/* ---- The calendar ---- */

static const asy_member struct_fields[] = {
  {"tm_year", ASY_RECORD(0), MEMBER_VALUE, false},    {"tm_mon", ASY_RECORD(1), MEMBER_VALUE, false},
  {"tm_mday", ASY_RECORD(2), MEMBER_VALUE, false},    {"tm_hour", ASY_RECORD(3), MEMBER_VALUE, false},
  {"tm_min", ASY_RECORD(4), MEMBER_VALUE, false},     {"tm_sec", ASY_RECORD(5), MEMBER_VALUE, false},
  {"tm_wday", ASY_RECORD(6), MEMBER_VALUE, false},    {"tm_yday", ASY_RECORD(7), MEMBER_VALUE, false},
  {"tm_isdst", ASY_RECORD(8), MEMBER_VALUE, false},   {"tm_zone", ASY_RECORD(9), MEMBER_VALUE, false},
  {"tm_gmtoff", ASY_RECORD(10), MEMBER_VALUE, false}, {0},
};
enum { STRUCT_FIELDS = 9, ALL_FIELDS = 11 };

static asy_class *struct_class(asy_vm *vm) {
  return asy_define_long_record(vm, "time.struct_time", struct_fields, STRUCT_FIELDS);
}

static asy_value from_tm(asy_vm *vm, const struct tm *t) {
  const int parts[STRUCT_FIELDS] = {t->tm_year + 1900, t->tm_mon + 1,        t->tm_mday,     t->tm_hour, t->tm_min,
                                    t->tm_sec,         (t->tm_wday + 6) % 7, t->tm_yday + 1, t->tm_isdst};
  asy_value items[ALL_FIELDS];
  for (int i = 0; i < STRUCT_FIELDS; i++) items[i] = asy_from_small(parts[i]);
  items[9] = asy_from_cstr(vm, t->tm_zone);
  items[10] = asy_from_int64(vm, t->tm_gmtoff);
  if (asy_failed(items[9])) return ASY_FAILED;
  asy_class *cls = struct_class(vm);
  return cls ? asy_record_new(vm, cls, items) : ASY_FAILED;
}

/* A field of a time tuple; the year is kept with 1900 taken off. */
static bool read_part(asy_vm *vm, asy_value v, int64_t min, int *out) {
  int64_t n;
  if (!asy_to_int64(vm, v, &n)) return false;
  if (n < min || n > INT32_MAX) {
    asy_raise(vm, ASY_OverflowError,
              n < INT32_MIN ? "signed integer is less than minimum"
              : n < min     ? "year out of range"
                            : "signed integer is greater than maximum");
    return false;
  }
  *out = (int)n;
  return true;
}

/* A time tuple, for the function `name`. */
static bool to_tm(asy_vm *vm, const char *name, asy_value v, struct tm *t) {
  memset(t, 0, sizeof *t);
  if (v == ASY_NONE) {
    time_t now = (time_t)(asy_clock_ns(vm, ASY_CLOCK_WALL) / SECOND);
    localtime_r(&now, t);
    return true;
  }
  if (!asy_is_kind(v, KIND_TUPLE)) {
    asy_raise(vm, ASY_TypeError, "Tuple or struct_time argument required");
    return false;
  }
  const asy_tuple *tuple = (const asy_tuple *)asy_obj_of(v);
  int parts[STRUCT_FIELDS];
  if (tuple->len != STRUCT_FIELDS) {
    asy_raise(vm, ASY_TypeError, "%s(): illegal time tuple argument", name);
    return false;
  }
  for (int i = 0; i < STRUCT_FIELDS; i++)
    if (!read_part(vm, tuple->items[i], i == 0 ? INT32_MIN + 1900 : INT32_MIN, &parts[i])) return false;
  t->tm_year = parts[0] - 1900;
  t->tm_mon = parts[1] - 1;
  t->tm_mday = parts[2];
  t->tm_hour = parts[3];
  t->tm_min = parts[4];
  t->tm_sec = parts[5];
  t->tm_wday = (parts[6] + 1) % 7;
  t->tm_yday = parts[7] - 1;
  t->tm_isdst = parts[8];
  int64_t east;
  asy_class *cls = struct_class(vm);
  if (!cls) return false;
  asy_value zone = asy_is_instance(vm, v, cls) ? asy_get_attr_cstr(vm, v, "tm_zone") : ASY_NONE;
  if (asy_failed(zone) || !asy_is_str(zone)) return !asy_failed(zone);
  asy_value offset = asy_get_attr_cstr(vm, v, "tm_gmtoff");
  if (asy_failed(offset) || !asy_to_cstr(vm, zone, &t->tm_zone) || !asy_to_int64(vm, offset, &east)) return false;
  t->tm_gmtoff = (long)east;
  return true;
}

/* What asctime and strftime accept. */
static bool check_tm(asy_vm *vm, struct tm *t) {
  if (t->tm_mon == -1) t->tm_mon = 0;
  if (t->tm_mday == 0) t->tm_mday = 1;
  if (t->tm_yday == -1) t->tm_yday = 0;
  const struct {
    int value, max;
    const char *name;
  } rows[] = {
    {t->tm_mon, 11, "month"},         {t->tm_mday, 31, "day of month"}, {t->tm_wday, 6, "day of week"},
    {t->tm_hour, 23, "hour"},         {t->tm_min, 59, "minute"},        {t->tm_sec, 61, "seconds"},
    {t->tm_yday, 365, "day of year"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (rows[i].value >= 0 && rows[i].value <= rows[i].max) continue;
    asy_raise(vm, ASY_ValueError, "%s out of range", rows[i].name);
    return false;
  }
  return true;
}

/* The moment an argument names: None is now; fractions are cut towards minus infinity. */
static bool moment(asy_vm *vm, asy_value v, time_t *out) {
  double s;
  if (v == ASY_NONE) {
    *out = (time_t)(asy_clock_ns(vm, ASY_CLOCK_WALL) / SECOND);
    return true;
  }
  if (!seconds_of(vm, v, &s)) return false;
  if (fabs(s) > 6.7e16) return asy_raise(vm, ASY_OverflowError, "timestamp out of range for platform time_t"), false;
  *out = (time_t)floor(s);
  return true;
}

static asy_value time_localtime(asy_vm *vm, const asy_value *args) {
  time_t at;
  struct tm t;
  if (!moment(vm, args[0], &at)) return ASY_FAILED;
  return localtime_r(&at, &t) ? from_tm(vm, &t) : asy_raise_errno(vm, errno, ASY_UNBOUND);
}

static asy_value time_gmtime(asy_vm *vm, const asy_value *args) {
  time_t at;
  struct tm t;
  if (!moment(vm, args[0], &at)) return ASY_FAILED;
  return gmtime_r(&at, &t) ? from_tm(vm, &t) : asy_raise_errno(vm, errno, ASY_UNBOUND);
}

static asy_value time_mktime(asy_vm *vm, const asy_value *args) {
  struct tm t;
  if (args[0] == ASY_NONE) return asy_raise(vm, ASY_TypeError, "Tuple or struct_time argument required");
  if (!to_tm(vm, "mktime", args[0], &t)) return ASY_FAILED;
  t.tm_wday = -1;
  time_t at = mktime(&t);
  if (at == -1 && t.tm_wday == -1) return asy_raise(vm, ASY_OverflowError, "mktime argument out of range");
  return asy_from_double(vm, (double)at);
}

static asy_value ascii_time(asy_vm *vm, const struct tm *t) {
  static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  asy_str *text = asy_str_format(vm, "%s %s %s%d %s%d:%s%d:%s%d %d", days[t->tm_wday % 7], months[t->tm_mon],
                                 t->tm_mday < 10 ? " " : "", t->tm_mday, t->tm_hour < 10 ? "0" : "", t->tm_hour,
                                 t->tm_min < 10 ? "0" : "", t->tm_min, t->tm_sec < 10 ? "0" : "", t->tm_sec,
                                 t->tm_year + 1900);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value time_asctime(asy_vm *vm, const asy_value *args) {
  struct tm t;
  return to_tm(vm, "asctime", args[0], &t) && check_tm(vm, &t) ? ascii_time(vm, &t) : ASY_FAILED;
}

static asy_value time_ctime(asy_vm *vm, const asy_value *args) {
  time_t at;
  struct tm t;
  if (!moment(vm, args[0], &at)) return ASY_FAILED;
  return localtime_r(&at, &t) ? ascii_time(vm, &t) : asy_raise_errno(vm, errno, ASY_UNBOUND);
}

static asy_value time_strftime(asy_vm *vm, const asy_value *args) {
  const char *format;
  struct tm t;
  if (!asy_is_str(args[0])) return asy_raise(vm, ASY_TypeError, "strftime() argument 1 must be str, not %T", args[0]);
  if (!asy_to_cstr(vm, args[0], &format) || !to_tm(vm, "strftime", args[1], &t) || !check_tm(vm, &t)) return ASY_FAILED;
  size_t size = strlen(format) * 32 + 64; /* no directive gives more than that by far */
  char *buffer = malloc(size);
  if (!buffer) return asy_raise_no_memory(vm);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  size_t length = *format ? strftime(buffer, size, format, &t) : 0;
#pragma GCC diagnostic pop
  asy_value text = asy_from_text(vm, buffer, length);
  free(buffer);
  return text;
}

/* timezone, altzone, daylight and tzname, as the rules in TZ have them now. */
static bool set_zone(asy_vm *vm, asy_value module) {
  tzset();
  struct tm january = {.tm_year = 100, .tm_mday = 1}, july = {.tm_year = 100, .tm_mon = 6, .tm_mday = 1};
  time_t in_january = mktime(&january), in_july = mktime(&july);
  localtime_r(&in_january, &january);
  localtime_r(&in_july, &july);
  bool northern = january.tm_gmtoff <= july.tm_gmtoff; /* summer time is the one further east */
  const struct tm *standard = northern ? &january : &july, *summer = northern ? &july : &january;
  asy_value names = asy_tuple_of(vm, 2, asy_from_cstr(vm, standard->tm_zone), asy_from_cstr(vm, summer->tm_zone));
  return asy_module_set(vm, module, "timezone", asy_from_int64(vm, -standard->tm_gmtoff)) &&
         asy_module_set(vm, module, "altzone", asy_from_int64(vm, -summer->tm_gmtoff)) &&
         asy_module_set(vm, module, "daylight", asy_from_small(january.tm_gmtoff != july.tm_gmtoff)) &&
         asy_module_set(vm, module, "tzname", names);
}

static asy_value time_tzset(asy_vm *vm, const asy_value *args) {
  asy_value module = asy_import(vm, "time");
  return (void)args, asy_failed(module) || !set_zone(vm, module) ? ASY_FAILED : ASY_NONE;
}

/* ---- get_clock_info ---- */

static asy_value time_get_clock_info(asy_vm *vm, const asy_value *args) {
  static const struct {
    const char *name, *call;
    bool monotonic;
  } clocks[] = {
    {"time", "clock_gettime(CLOCK_REALTIME)", false},
    {"monotonic", "clock_gettime(CLOCK_MONOTONIC)", true},
    {"perf_counter", "clock_gettime(CLOCK_MONOTONIC)", true},
    {"process_time", "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", true},
    {"thread_time", "clock_gettime(CLOCK_THREAD_CPUTIME_ID)", true},
  };
  const char *name;
  if (!asy_is_str(args[0]))
    return asy_raise(vm, ASY_TypeError, "get_clock_info() argument 1 must be str, not %T", args[0]);
  if (!asy_to_cstr(vm, args[0], &name)) return ASY_FAILED;
  for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
    if (strcmp(clocks[i].name, name)) continue;
    asy_value info = asy_namespace_new(vm);
    bool good = !asy_failed(info) && asy_set_attr_cstr(vm, info, "implementation", asy_from_cstr(vm, clocks[i].call)) &&
                asy_set_attr_cstr(vm, info, "monotonic", asy_from_bool(clocks[i].monotonic)) &&
                asy_set_attr_cstr(vm, info, "adjustable", asy_from_bool(!clocks[i].monotonic)) &&
                asy_set_attr_cstr(vm, info, "resolution", asy_from_double(vm, 1e-9));
    return good ? info : ASY_FAILED;
  }
  return asy_raise(vm, ASY_ValueError, "unknown clock");
}

static const asy_native natives[] = {
  {"asctime", SIG("(time_tuple=None, /)"), time_asctime, DOC("Convert a time tuple to a string."), 0},
  {"clock_getres", SIG("(clk_id, /)"), time_clock_getres,
   DOC("Return the resolution (precision) of the specified clock clk_id."), 0},
  {"clock_gettime", SIG("(clk_id, /)"), time_clock_gettime,
   DOC("Return the time of the specified clock clk_id as a float."), 0},
  {"clock_gettime_ns", SIG("(clk_id, /)"), time_clock_gettime_ns,
   DOC("Return the time of the specified clock clk_id as nanoseconds."), 0},
  {"clock_settime", SIG("(clk_id, time, /)"), time_clock_settime, DOC("Set the time of the specified clock clk_id."),
   0},
  {"clock_settime_ns", SIG("(clk_id, time, /)"), time_clock_settime_ns,
   DOC("Set the time of the specified clock clk_id, in nanoseconds."), 0},
  {"pthread_getcpuclockid", SIG("(thread_id, /)"), time_pthread_getcpuclockid,
   DOC("Return the clk_id of a thread's CPU time clock."), 0},
  {"ctime", SIG("(seconds=None, /)"), time_ctime,
   DOC("Convert a time in seconds since the Epoch to a string in local time."), 0},
  {"get_clock_info", SIG("(name, /)"), time_get_clock_info, DOC("Get information of the specified clock."), 0},
  {"gmtime", SIG("(seconds=None, /)"), time_gmtime,
   DOC("Convert seconds since the Epoch to a time tuple expressing UTC."), 0},
  {"localtime", SIG("(seconds=None, /)"), time_localtime,
   DOC("Convert seconds since the Epoch to a time tuple expressing local time."), 0},
  {"mktime", SIG("(time_tuple, /)"), time_mktime, DOC("Convert a time tuple in local time to seconds since the Epoch."),
   0},
  {"monotonic", SIG("()"), time_monotonic, DOC("Monotonic clock, cannot go backward."), 0},
  {"monotonic_ns", SIG("()"), time_monotonic_ns, DOC("Monotonic clock as nanoseconds."), 0},
  {"perf_counter", SIG("()"), time_monotonic, DOC("Performance counter for benchmarking."), 0},
  {"perf_counter_ns", SIG("()"), time_monotonic_ns, DOC("Performance counter for benchmarking as nanoseconds."), 0},
  {"process_time", SIG("()"), time_process, DOC("Process time for profiling."), 0},
  {"process_time_ns", SIG("()"), time_process_ns, DOC("Process time for profiling as nanoseconds."), 0},
  {"sleep", SIG("(seconds, /)"), time_sleep, DOC("Delay execution for a given number of seconds."), 0},
  {"strftime", SIG("(format, time_tuple=None, /)"), time_strftime,
   DOC("Convert a time tuple to a string according to a format."), 0},
  {"strptime", SIG("(string, format=?, /)"), time_strptime,
   DOC("Parse a string to a time tuple according to a format specification."), 0},
  {"thread_time", SIG("()"), time_thread, DOC("Thread time for profiling."), 0},
  {"thread_time_ns", SIG("()"), time_thread_ns, DOC("Thread time for profiling as nanoseconds."), 0},
  {"time", SIG("()"), time_time, DOC("Return the current time in seconds since the Epoch."), 0},
  {"time_ns", SIG("()"), time_time_ns, DOC("Return the current time in nanoseconds since the Epoch."), 0},
  {"tzset", SIG("()"), time_tzset, DOC("Use the rules of the environment variable TZ from now on."), 0},
  {0},
};

enum { _STRUCT_TM_ITEMS = ALL_FIELDS };
static const asy_constants constants = CONSTANTS("time", CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                                 CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
                                                 CLOCK_TAI, _STRUCT_TM_ITEMS);

static bool init(asy_vm *vm, asy_value module) {
  asy_class *cls = struct_class(vm);
  return cls && asy_module_set(vm, module, "struct_time", asy_from_obj(cls)) && set_zone(vm, module) &&
         asy_module_add_constants(vm, module, &constants);
}

const asy_module_def asy_module_time = {"time", natives,
                                        "This module provides various functions to manipulate time values.", init};
