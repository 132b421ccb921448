/* calendar.c - the proleptic Gregorian calendar in whole days, ISO weeks, and the checks of fields. */
#include "stdlib/datetime/datetime.h"

static const int16_t days_before[] = {0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};

bool asy_is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int asy_days_in_month(int year, int month) {
  if (month == 2) return asy_is_leap(year) ? 29 : 28;
  return 30 + ((month + (month >> 3)) & 1);
}

int asy_day_of_year(int year, int month, int day) {
  return days_before[month] + (month > 2 && asy_is_leap(year)) + day;
}

static int days_before_year(int year) {
  int y = year - 1;
  return y * 365 + y / 4 - y / 100 + y / 400;
}

int asy_ordinal(int year, int month, int day) { return days_before_year(year) + asy_day_of_year(year, month, day); }

/* Years are counted from 1 March, so that the leap day is the last one of a year. */
void asy_ordinal_to_date(int ordinal, int32_t *year, int32_t *month, int32_t *day) {
  int n = ordinal + 305; /* days since 0000-03-01 */
  int era = n / 146097, in_era = n % 146097;
  int y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
  int in_year = in_era - (365 * y + y / 4 - y / 100);
  int m = (5 * in_year + 2) / 153;
  *day = in_year - (153 * m + 2) / 5 + 1;
  *month = m < 10 ? m + 3 : m - 9;
  *year = era * 400 + y + (*month <= 2);
}

int64_t asy_year_of(int64_t ordinal) {
  enum { ERA_DAYS = 146097 }; /* of 400 years */
  int32_t year, month, day;
  int64_t eras = ordinal / ERA_DAYS - (ordinal % ERA_DAYS <= 0);
  asy_ordinal_to_date((int)(ordinal - eras * ERA_DAYS), &year, &month, &day);
  return year + eras * 400;
}

int asy_weekday(int year, int month, int day) { return (asy_ordinal(year, month, day) + 6) % 7; }

int asy_iso_first_monday(int year) {
  int first = asy_ordinal(year, 1, 1), weekday = (first + 6) % 7;
  return first - weekday + (weekday > 3 ? 7 : 0);
}

void asy_iso_calendar(int year, int month, int day, int *iso_year, int *week, int *weekday) {
  int today = asy_ordinal(year, month, day), monday = asy_iso_first_monday(year);
  if (today < monday) monday = asy_iso_first_monday(--year);
  else if (today >= monday + 52 * 7 && today >= asy_iso_first_monday(year + 1)) monday = asy_iso_first_monday(++year);
  *iso_year = year;
  *week = (today - monday) / 7 + 1;
  *weekday = (today - monday) % 7 + 1;
}

bool asy_iso_to_date(asy_vm *vm, int64_t iso_year, int64_t week, int64_t day, fields *out) {
  if (iso_year < 1 || iso_year > MAX_YEAR) {
    asy_raise(vm, ASY_ValueError, "Year is out of range: %lld", (long long)iso_year);
    return false;
  }
  int monday = asy_iso_first_monday((int)iso_year);
  bool has_week = week >= 1 &&
                  (week <= 52 || (week == 53 && asy_iso_first_monday((int)iso_year + 1) - monday == 53 * 7));
  if (!has_week) return asy_raise(vm, ASY_ValueError, "Invalid week: %lld", (long long)week), false;
  if (day < 1 || day > 7) {
    asy_raise(vm, ASY_ValueError, "Invalid day: %lld (range is [1, 7])", (long long)day);
    return false;
  }
  int64_t ordinal = monday + (week - 1) * 7 + day - 1;
  if (ordinal < 1 || ordinal > MAX_ORDINAL) {
    asy_raise(vm, ASY_ValueError, "year %d is out of range", ordinal < 1 ? 0 : MAX_YEAR + 1);
    return false;
  }
  asy_ordinal_to_date((int)ordinal, &out->year, &out->month, &out->day);
  return true;
}

bool asy_check_date(asy_vm *vm, int64_t year, int64_t month, int64_t day) {
  if (year < 1 || year > MAX_YEAR) asy_raise(vm, ASY_ValueError, "year %lld is out of range", (long long)year);
  else if (month < 1 || month > 12) asy_raise(vm, ASY_ValueError, "month must be in 1..12");
  else if (day < 1 || day > asy_days_in_month((int)year, (int)month))
    asy_raise(vm, ASY_ValueError, "day is out of range for month");
  else return true;
  return false;
}

bool asy_check_time(asy_vm *vm, const fields *f) {
  const char *what = f->hour < 0 || f->hour > 23                       ? "hour must be in 0..23"
                     : f->minute < 0 || f->minute > 59                 ? "minute must be in 0..59"
                     : f->second < 0 || f->second > 59                 ? "second must be in 0..59"
                     : f->microsecond < 0 || f->microsecond >= 1000000 ? "microsecond must be in 0..999999"
                     : f->fold != 0 && f->fold != 1                    ? "fold must be either 0 or 1"
                                                                       : NULL;
  if (what) asy_raise(vm, ASY_ValueError, what);
  return !what;
}

bool asy_check_zone(asy_vm *vm, asy_value zone) {
  if (zone == ASY_NONE || is_timezone(vm, zone) ||
      (asy_is_obj(zone) && asy_is_instance(vm, zone, asy_class_for(vm, &asy_tzinfo_type))))
    return true;
  asy_raise(vm, ASY_TypeError, "tzinfo argument must be None or of a tzinfo subclass, not type '%T'", zone);
  return false;
}

bool asy_field_int(asy_vm *vm, asy_value v, int32_t *out) {
  int64_t n;
  asy_value index = asy_is_int(v) ? v : asy_index(vm, v);
  if (asy_failed(index)) return false;
  bool fits = asy_is_number_int64(index, &n);
  if (!fits || n < INT32_MIN || n > INT32_MAX) {
    bool low = asy_int_sign(index) < 0;
    asy_raise(vm, ASY_OverflowError,
              !fits ? "Python int too large to convert to C long"
              : low ? "signed integer is less than minimum"
                    : "signed integer is greater than maximum");
    return false;
  }
  *out = (int32_t)n;
  return true;
}

bool asy_replace_fields(asy_vm *vm, const asy_value *args, int32_t *parts, int count) {
  for (int i = 0; i < count; i++) {
    if (args[i] == ASY_UNBOUND || asy_field_int(vm, args[i], &parts[i])) continue;
    if (asy_raised_is(vm, ASY_OverflowError)) {
      asy_clear_exception(vm);
      asy_raise(vm, ASY_OverflowError, "Python int too large to convert to C int");
    }
    return false;
  }
  return true;
}
