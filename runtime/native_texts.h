/* native_texts.h - the signatures and doc strings of natives, the texts of errors and the names of constants, which lie packed in the
 * binary.
 *
 * SIG and DOC of a string literal, in a row of natives, are a number that the compiler makes of the text's length and 32 of its
 * characters; native_texts.py finds the texts in the sources and sees to it that no two have the same number. 0 is no text.
 * The third argument of asy_raise is such a number, too, where it is a literal, of at least one character.
 */
#ifndef ASY_RUNTIME_NATIVE_TEXTS_H
#define ASY_RUNTIME_NATIVE_TEXTS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/unpack.h"
#include "runtime/value.h"

enum { TEXT_SAMPLES = 32, TEXT_PRIME = 0x01000193, DOC_BITS = 26 };
#define TEXT_ONE(number, text, size, i) ((number)*TEXT_PRIME + (unsigned char)(text)[((size)-1) * (i) / TEXT_SAMPLES])
#define TEXT_TWO(number, text, size, i) TEXT_ONE(TEXT_ONE(number, text, size, i), text, size, (i) + 1)
#define TEXT_FOUR(number, text, size, i) TEXT_TWO(TEXT_TWO(number, text, size, i), text, size, (i) + 2)
#define TEXT_EIGHT(number, text, size, i) TEXT_FOUR(TEXT_FOUR(number, text, size, i), text, size, (i) + 4)
#define TEXT_SIXTEEN(number, text, size, i) TEXT_EIGHT(TEXT_EIGHT(number, text, size, i), text, size, (i) + 8)
#define TEXT_NUMBER(text, size) TEXT_SIXTEEN(TEXT_SIXTEEN((uint32_t)(size), text, size, 0), text, size, 16)
#define DOC_NUMBER(text, size) (TEXT_NUMBER(text, size) & ((1u << DOC_BITS) - 1))
#define SIG(text) TEXT_NUMBER(text, sizeof(text))
#define DOC(text) DOC_NUMBER(text, sizeof(text))
#define ERROR_NUMBER(text) TEXT_NUMBER(text, sizeof(text))
/* A literal, not the name of an array. */
#define IS_PACKED_ERROR(text)                                                                                          \
  (__builtin_constant_p(text) && sizeof(text) > 1 && __builtin_types_compatible_p(__typeof__(text), char[sizeof(text)]))

/* Numbers that the system's headers name, for a module to show by the same names: CONSTANTS("tag", NAME, ...), outside of functions.
 * The names are packed by native_texts.py, under the tag, which no other list has. */
typedef struct {
  const char *tag;
  uint16_t count;
  bool is_unsigned; /* the values are uint32_t */
  const int32_t *values;
} asy_constants;
#define CONSTANTS_OF(is_unsigned, tag, ...)                                                                            \
  {                                                                                                                    \
    tag, sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t), is_unsigned, (const int32_t[]) { __VA_ARGS__ }      \
  }
#define CONSTANTS(...) CONSTANTS_OF(false, __VA_ARGS__)
#define UNSIGNED_CONSTANTS(...) CONSTANTS_OF(true, __VA_ARGS__)

typedef struct asy_vm asy_vm;
typedef struct asy_dict asy_dict;
const char *asy_signature_text(asy_vm *vm, uint32_t signature); /* lives as long as the VM; NULL failed */
const char *asy_error_text(asy_vm *vm, uint32_t error);         /* the same */
asy_value asy_doc_text(asy_vm *vm, uint32_t doc);               /* a str; None for 0 */
/* Adds names and values to the dict; of each name the first `skip` letters are left out. False: MemoryError. */
bool asy_add_constants(asy_vm *vm, asy_dict *dict, const asy_constants *constants, unsigned skip);
/* The value of the constant called `name` without those letters: 1, 0 there is none, -1 MemoryError. */
int asy_find_constant(asy_vm *vm, const asy_constants *constants, unsigned skip, const char *name, int64_t *value);
void asy_native_texts_free(asy_vm *vm);

extern const asy_packed asy_native_signatures, asy_native_docs, asy_native_errors; /* each text with its NUL */
extern const uint32_t asy_native_signatures_count, asy_native_docs_count, asy_native_errors_count;
extern const asy_packed asy_constant_names; /* each tag with its NUL, then its names, a NUL behind each */

#endif
