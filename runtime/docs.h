/* docs.h - the doc strings of natives, which lie packed in the binary: few programs ask for them.
 *
 * DOC of a string literal, in a row of natives, is a number made by the compiler of the text's length and 32 of its characters; docs.py
 * finds the texts in the sources and sees to it that no two have the same number. 0 is no text.
 */
#ifndef ASY_RUNTIME_DOCS_H
#define ASY_RUNTIME_DOCS_H

#include <stdint.h>

#include "runtime/unpack.h"
#include "runtime/value.h"

enum { DOC_SAMPLES = 32, DOC_PRIME = 0x01000193 };
#define DOC_ONE(number, text, size, i) ((number)*DOC_PRIME + (unsigned char)(text)[((size)-1) * (i) / DOC_SAMPLES])
#define DOC_TWO(number, text, size, i) DOC_ONE(DOC_ONE(number, text, size, i), text, size, (i) + 1)
#define DOC_FOUR(number, text, size, i) DOC_TWO(DOC_TWO(number, text, size, i), text, size, (i) + 2)
#define DOC_EIGHT(number, text, size, i) DOC_FOUR(DOC_FOUR(number, text, size, i), text, size, (i) + 4)
#define DOC_SIXTEEN(number, text, size, i) DOC_EIGHT(DOC_EIGHT(number, text, size, i), text, size, (i) + 8)
#define DOC_NUMBER(text, size) DOC_SIXTEEN(DOC_SIXTEEN((uint32_t)(size), text, size, 0), text, size, 16)
#define DOC(text) DOC_NUMBER(text, sizeof(text))

typedef struct asy_vm asy_vm;
asy_value asy_doc_text(asy_vm *vm, uint32_t doc); /* a str; None for 0 */

extern const asy_packed asy_native_docs; /* each text with its NUL */

#endif
