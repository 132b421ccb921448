/* unicodedata.c - what unicodedata.asy needs of the tables of the runtime: names, categories, digits, and the packed properties. */
#include <stdlib.h>

#include "runtime/asy.h"

/* The one character of an argument, called `what` in the error. */
static bool to_char(asy_vm *vm, asy_value v, const char *what, uint32_t *out) {
  if (asy_is_str(v) && ((const asy_str *)asy_obj_of(v))->len == 1) {
    *out = asy_str_at((const asy_str *)asy_obj_of(v), 0);
    return true;
  }
  asy_raise(vm, ASY_TypeError, "%s must be a unicode character, not %T", what, v);
  return false;
}

static asy_value otherwise(asy_vm *vm, asy_value fallback, const char *message) {
  return fallback == ASY_UNBOUND ? asy_raise(vm, ASY_ValueError, "%s", message) : fallback;
}

static asy_value unicodedata_category(asy_vm *vm, const asy_value *args) {
  uint32_t c;
  return to_char(vm, args[0], "category() argument", &c) ? asy_from_cstr(vm, asy_unicode_category(c)) : ASY_FAILED;
}

static asy_value unicodedata_name(asy_vm *vm, const asy_value *args) {
  uint32_t c;
  char name[UNI_NAME_MAX];
  if (!to_char(vm, args[0], "name() argument 1", &c)) return ASY_FAILED;
  size_t length = asy_unicode_name(vm, c, name);
  return length ? asy_from_text(vm, name, length) : otherwise(vm, args[1], "no such name");
}

static asy_value unicodedata_lookup(asy_vm *vm, const asy_value *args) {
  asy_value keep;
  size_t length;
  if (!asy_is_str(args[0])) return asy_raise(vm, ASY_TypeError, "lookup() argument must be str, not %T", args[0]);
  const char *name = asy_str_utf8(vm, (asy_str *)asy_obj_of(args[0]), &length, &keep);
  if (!name) return ASY_FAILED;
  uint32_t c = asy_unicode_find(vm, name, length);
  if (!c) return asy_raise(vm, ASY_KeyError, "undefined character name '%S'", args[0]);
  asy_str *found = asy_str_char(vm, c);
  return found ? asy_from_obj(found) : ASY_FAILED;
}

static asy_value unicodedata_decimal(asy_vm *vm, const asy_value *args) {
  uint32_t c;
  if (!to_char(vm, args[0], "decimal() argument 1", &c)) return ASY_FAILED;
  int value = asy_unicode_decimal(c);
  return value >= 0 ? asy_from_small(value) : otherwise(vm, args[1], "not a decimal");
}

static asy_value unicodedata_digit(asy_vm *vm, const asy_value *args) {
  uint32_t c;
  if (!to_char(vm, args[0], "digit() argument 1", &c)) return ASY_FAILED;
  int value = asy_unicode_of(c)->digit;
  return value >= 0 ? asy_from_small(value) : otherwise(vm, args[1], "not a digit");
}

static asy_value unicodedata_properties(asy_vm *vm, const asy_value *args) {
  uint8_t *text = asy_unpack(&asy_unicode_properties);
  if (!text) return asy_raise_no_memory(vm);
  asy_value result = asy_from_text(vm, (const char *)text, asy_unicode_properties.length);
  free(text);
  return result;
}

static const asy_native natives[] = {
  {"category", SIG("(chr, /)"), unicodedata_category,
   DOC("Returns the general category assigned to the character chr as string."), 0},
  {"decimal", SIG("(chr, default=?, /)"), unicodedata_decimal,
   DOC("Converts a Unicode character into its equivalent decimal value."), 0},
  {"digit", SIG("(chr, default=?, /)"), unicodedata_digit,
   DOC("Converts a Unicode character into its equivalent digit value."), 0},
  {"lookup", SIG("(name, /)"), unicodedata_lookup, DOC("Look up character by name."), 0},
  {"name", SIG("(chr, default=?, /)"), unicodedata_name,
   DOC("Returns the name assigned to the character chr as a string."), 0},
  {"_properties", SIG("()"), unicodedata_properties, DOC("The text that unicodedata.asy reads."), 0},
  {0},
};

const asy_module_def asy_module_unicodedata = {"_unicodedata", natives, "Natives of unicodedata.", NULL};
