/* json.c - the module _json. */
#include "stdlib/json/json.h"

static const asy_native natives[] = {
  {"scanstring", "(string, end, strict=True, /)", asy_json_scanstring,
   "Scan the string for a JSON string. End is the index of the character after the quote that started it.", 0},
  {"encode_basestring", "(string, /)", asy_json_quote, "Return a JSON representation of a Python string.", 0},
  {"encode_basestring_ascii", "(string, /)", asy_json_quote_ascii,
   "Return an ASCII-only JSON representation of a Python string.", 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  asy_class *scanner = asy_define_type(vm, &asy_json_scanner_type),
            *encoder = asy_define_type(vm, &asy_json_encoder_type);
  return scanner && encoder && asy_module_set(vm, module, "Scanner", asy_from_obj(scanner)) &&
         asy_module_set(vm, module, "Encoder", asy_from_obj(encoder));
}

const asy_module_def asy_module_json = {"_json", natives, "Natives of json.", init};
