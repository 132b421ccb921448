/* datetime.h - what the files of the module _datetime share: the structs, calendar arithmetic, how to make values.
 *
 *   delta    days, seconds, microseconds: normalised, 0 <= seconds < 86400, 0 <= microseconds < 10^6, |days| <= 999999999
 *   date     year, month, day in the proleptic Gregorian calendar
 *   moment   a datetime (its first fields are a date's) or a time (whose year, month and day are 0)
 *
 * All are immutable. Between them stands `instant`: microseconds since 0001-01-01 without a zone, as a 128-bit number where sums
 * may leave the range of years 1 to 9999.
 */
#ifndef ASY_STDLIB_DATETIME_H
#define ASY_STDLIB_DATETIME_H

#include <stdio.h>

#include "runtime/asy.h"

typedef __int128 wide;

typedef struct {
  asy_obj head;
  int32_t days, seconds, microseconds;
} delta;

typedef struct {
  asy_obj head;
  int32_t year, month, day;
} date;

typedef struct {
  asy_obj head;
  int32_t year, month, day;
  int32_t hour, minute, second, microsecond, fold;
  asy_value zone; /* a tzinfo or None */
} moment;

typedef struct {
  asy_obj head;
  delta *offset;
  asy_value name; /* a str, or 0 */
} timezone_obj;

/* The fields of a date and a time on the C stack. */
typedef struct {
  int32_t year, month, day, hour, minute, second, microsecond, fold;
  asy_value zone;
} fields;

enum { MAX_YEAR = 9999, MAX_ORDINAL = 3652059, EPOCH_ORDINAL = 719163, DAY_SECONDS = 86400 };
#define SECOND_US INT64_C(1000000)
#define DAY_US (DAY_SECONDS * SECOND_US)

extern const asy_type asy_delta_type, asy_date_type, asy_datetime_type, asy_time_type, asy_tzinfo_type,
  asy_timezone_type;

static inline asy_class *class_arg(asy_value v) { return (asy_class *)asy_obj_of(v); }
static inline delta *delta_of(asy_value v) { return (delta *)asy_obj_of(v); }
static inline date *date_of(asy_value v) { return (date *)asy_obj_of(v); }
static inline moment *moment_of(asy_value v) { return (moment *)asy_obj_of(v); }
static inline asy_value or_failed(const void *o) { return o ? asy_from_obj(o) : ASY_FAILED; }
static inline bool is_of(asy_vm *vm, asy_value v, const asy_type *type) {
  return asy_is_obj(v) && asy_type_of(vm, v)->type == type;
}
static inline bool is_delta(asy_vm *vm, asy_value v) { return is_of(vm, v, &asy_delta_type); }
static inline bool is_datetime(asy_vm *vm, asy_value v) { return is_of(vm, v, &asy_datetime_type); }
static inline bool is_date(asy_vm *vm, asy_value v) { return is_of(vm, v, &asy_date_type) || is_datetime(vm, v); }
static inline bool is_time(asy_vm *vm, asy_value v) { return is_of(vm, v, &asy_time_type); }
static inline bool is_timezone(asy_vm *vm, asy_value v) { return is_of(vm, v, &asy_timezone_type); }
static inline bool is_exact(const asy_class *cls) { return cls->flags & ASY_CLASS_BUILTIN; }

/* ---- The calendar (calendar.c) ---- */
bool asy_is_leap(int year);
int asy_days_in_month(int year, int month);
int asy_day_of_year(int year, int month, int day);
int asy_ordinal(int year, int month, int day); /* 0001-01-01 is day 1 */
void asy_ordinal_to_date(int ordinal, int32_t *year, int32_t *month, int32_t *day);
int asy_weekday(int year, int month, int day); /* Monday is 0 */
int64_t asy_year_of(int64_t ordinal);          /* of any day */
int asy_iso_first_monday(int year);            /* ordinal of the Monday that begins ISO week 1 */
void asy_iso_calendar(int year, int month, int day, int *iso_year, int *week, int *weekday);
bool asy_iso_to_date(asy_vm *vm, int64_t iso_year, int64_t week, int64_t day, fields *out); /* ValueError */
bool asy_check_date(asy_vm *vm, int64_t year, int64_t month, int64_t day); /* ValueError; likewise below */
bool asy_check_time(asy_vm *vm, const fields *f);
bool asy_check_zone(asy_vm *vm, asy_value zone); /* TypeError */
bool asy_field_int(asy_vm *vm, asy_value v, int32_t *out);
/* The parts that replace() was given. */
bool asy_replace_fields(asy_vm *vm, const asy_value *args, int32_t *parts, int count);

/* ---- Deltas (delta.c) ---- */
asy_value asy_delta_new(asy_vm *vm, wide microseconds); /* an exact timedelta; OverflowError */
wide asy_delta_us(const delta *d);
asy_value asy_wide_int(asy_vm *vm, wide n);
asy_value asy_round_ratio(asy_vm *vm, wide numerator,
                          wide denominator); /* a timedelta of the nearest quotient, ties to even */

/* ---- Zones (zone.c) ---- */
asy_value asy_utc(asy_vm *vm);
asy_value asy_timezone_new(asy_vm *vm, delta *offset,
                           asy_value name); /* ValueError for a day and more; name may be 0 */
/* zone.NAME(about) checked: a timedelta or None. */
asy_value asy_zone_offset(asy_vm *vm, asy_value zone, const char *name, asy_value about);
/* The same in microseconds: 1; 0 for None or no zone; -1 failed. */
int asy_zone_us(asy_vm *vm, asy_value zone, asy_value about, int64_t *us);
asy_value asy_zone_name(asy_vm *vm, asy_value zone, asy_value about); /* a str or None */
/* "+01:30", seconds and their fraction when not 0. `separator` may be "". Returns the length. */
size_t asy_offset_text(char out[24], int64_t us, const char *separator);

/* ---- Values (date.c, moment.c) ---- */
asy_value asy_date_make(asy_vm *vm, asy_class *cls, int year, int month, int day); /* checked; calls a subclass */
asy_value asy_datetime_make(asy_vm *vm, asy_class *cls, const fields *f);          /* checked; calls a subclass */
asy_value asy_time_make(asy_vm *vm, asy_class *cls, const fields *f);
/* The fields `us` microseconds after 0001-01-01; OverflowError. */
bool asy_fields_at(asy_vm *vm, wide us, fields *out);
int64_t asy_instant(const moment *m); /* microseconds since 0001-01-01, as the clock shows it */
int64_t asy_time_us(const moment *m); /* those of the day */
asy_value asy_strftime(asy_vm *vm, asy_value self, const fields *f, asy_value format);
fields asy_fields_of(asy_vm *vm, asy_value v);
asy_value asy_add_dates(asy_vm *vm, asy_value left, asy_value right);
asy_value asy_sub_dates(asy_vm *vm, asy_value left, asy_value right);
asy_value asy_time_struct(asy_vm *vm, const fields *f, int isdst);
/* What the clock here shows at a second of UTC; both are counted from 0001-01-01. */
bool asy_local_seconds(asy_vm *vm, int64_t utc_seconds, int64_t *local);
/* A timestamp in seconds and microseconds, ties to even; OverflowError, ValueError for NaN. */
bool asy_read_timestamp(asy_vm *vm, asy_value v, int64_t *seconds, int32_t *micros);
/* What pickle kept: whether v is bytes of this size, or a str of as many latin-1 characters. */
bool asy_read_state(asy_value v, uint8_t *out, uint32_t size);
asy_value asy_type_text(asy_vm *vm, asy_value self, const char *exact); /* what repr begins with */

/* ---- Parsing (parse.c): all of a str; ValueError ---- */
bool asy_parse_iso_date(asy_vm *vm, asy_value text, fields *out);
bool asy_parse_iso_time(asy_vm *vm, asy_value text, fields *out);
bool asy_parse_iso_datetime(asy_vm *vm, asy_value text, fields *out);
/* strptime of plain numeric formats: 1; 0: leave it to the script; -1 failed. */
int asy_parse_simple(asy_vm *vm, asy_str *text, asy_str *format, fields *out);

#endif
