/* json.c - the module _json. */
#include "stdlib/json/json.h"

static const asy_native natives[] = {
  {"scanstring", SIG("(string, end, strict=True, /)"), asy_json_scanstring,
   DOC("Scan the string for a JSON string. End is the index of the character after the quote that started it."), 0},
  {"encode_basestring", SIG("(string, /)"), asy_json_quote, DOC("Return a JSON representation of a Python string."), 0},
  {"encode_basestring_ascii", SIG("(string, /)"), asy_json_quote_ascii,
   DOC("Return an ASCII-only JSON representation of a Python string."), 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  return asy_module_add_type(vm, module, "Scanner", &asy_json_scanner_type) &&
         asy_module_add_type(vm, module, "Encoder", &asy_json_encoder_type);
}

const asy_module_def asy_module_json = {"_json", natives, "Natives of json.", init};
