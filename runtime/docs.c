/* docs.c - the texts of natives; see docs.h. */
#include "runtime/docs.h"

#include <string.h>

#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/vm.h"

asy_value asy_doc_text(asy_vm *vm, uint32_t doc) {
  if (!doc) return ASY_NONE;
  if (!vm->native_docs) vm->native_docs = (char *)asy_unpack(&asy_native_docs);
  if (!vm->native_docs) return asy_raise_no_memory(vm);
  const char *text = vm->native_docs, *end = text + asy_native_docs.length;
  while (text < end) {
    size_t size = strlen(text) + 1;
    if (DOC_NUMBER(text, size) == doc) return asy_from_cstr(vm, text);
    text += size;
  }
  return asy_raise(vm, ASY_SystemError, "a native's doc string is not in the binary");
}
