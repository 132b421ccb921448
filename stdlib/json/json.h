/* json.h - the natives behind the package json: reading (decode.c) and writing (encode.c), gathered in the module _json. */
#ifndef ASY_JSON_H
#define ASY_JSON_H

#include "runtime/asy.h"

/* Scanner(context): reads the attributes strict, object_hook, object_pairs_hook, parse_float, parse_int and parse_constant of a
 * decoder once; None (or the built-in float and int) means the usual way. scanner(text, index) gives (value, end);
 * scanner.decode(text) reads a text that holds one value. */
extern const asy_type asy_json_scanner_type;
asy_value asy_json_scanstring(asy_vm *vm,
                              const asy_value *args); /* (string, end, strict): (text, end after the quote) */

/* Encoder(default, skipkeys, ensure_ascii, check_circular, allow_nan, sort_keys, indent, item_separator, key_separator): calling it
 * with a value gives the text. indent is None or the str of one level. */
extern const asy_type asy_json_encoder_type;
asy_value asy_json_quote(asy_vm *vm, const asy_value *args);       /* (text): quoted, only what must be escaped is */
asy_value asy_json_quote_ascii(asy_vm *vm, const asy_value *args); /* (text): quoted, everything beyond ASCII escaped */

#endif
