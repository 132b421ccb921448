/* module.c - the module _datetime: its classes and their constants. */
#include "stdlib/datetime/datetime.h"

/* min, max and resolution of a class. */
static bool limits(asy_vm *vm, asy_class *cls, asy_value min, asy_value max, asy_value resolution) {
  return asy_class_constant(vm, cls, "min", min) && asy_class_constant(vm, cls, "max", max) &&
         asy_class_constant(vm, cls, "resolution", resolution);
}

static asy_value zone_of_minutes(asy_vm *vm, int minutes) {
  asy_value offset = asy_delta_new(vm, minutes * 60 * SECOND_US);
  timezone_obj *z = asy_failed(offset) ? NULL : asy_new_instance(vm, asy_class_for(vm, &asy_timezone_type));
  if (z) z->offset = delta_of(offset);
  return or_failed(z);
}

static bool init(asy_vm *vm, asy_value module) {
  static const struct {
    const char *name;
    const asy_type *type;
  } classes[] = {
    {"timedelta", &asy_delta_type},   {"date", &asy_date_type}, {"tzinfo", &asy_tzinfo_type},
    {"timezone", &asy_timezone_type}, {"time", &asy_time_type}, {"datetime", &asy_datetime_type},
  };
  asy_class *made[6];
  for (int i = 0; i < 6; i++) {
    made[i] = asy_define_type(vm, classes[i].type);
    if (!made[i] || !asy_module_set(vm, module, classes[i].name, asy_from_obj(made[i]))) return false;
  }
  fields first = {.year = 1, .month = 1, .day = 1, .zone = ASY_NONE};
  fields last = {.year = MAX_YEAR,
                 .month = 12,
                 .day = 31,
                 .hour = 23,
                 .minute = 59,
                 .second = 59,
                 .microsecond = 999999,
                 .zone = ASY_NONE};
  fields last_time = last;
  last_time.year = last_time.month = last_time.day = 0;
  fields midnight = {.zone = ASY_NONE};
  asy_value microsecond = asy_delta_new(vm, 1), utc = zone_of_minutes(vm, 0);
  const wide most = (wide)1000000000 * DAY_US;
  return limits(vm, made[0], asy_delta_new(vm, DAY_US - most), asy_delta_new(vm, most - 1), microsecond) &&
         limits(vm, made[1], asy_date_make(vm, made[1], 1, 1, 1), asy_date_make(vm, made[1], MAX_YEAR, 12, 31),
                asy_delta_new(vm, DAY_US)) &&
         asy_class_constant(vm, made[3], "utc", utc) &&
         asy_class_constant(vm, made[3], "min", zone_of_minutes(vm, -1439)) &&
         asy_class_constant(vm, made[3], "max", zone_of_minutes(vm, 1439)) &&
         limits(vm, made[4], asy_time_make(vm, made[4], &midnight), asy_time_make(vm, made[4], &last_time),
                microsecond) &&
         limits(vm, made[5], asy_datetime_make(vm, made[5], &first), asy_datetime_make(vm, made[5], &last),
                microsecond) &&
         asy_module_set(vm, module, "UTC", utc) && asy_module_set(vm, module, "MINYEAR", asy_from_small(1)) &&
         asy_module_set(vm, module, "MAXYEAR", asy_from_small(MAX_YEAR));
}

const asy_module_def asy_module_datetime = {"_datetime", NULL, "Fast implementation of the datetime module.", init};
