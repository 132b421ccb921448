/* literal.h - the value of a number, a string, an f-string. */
#ifndef ASY_LANG_LITERAL_H
#define ASY_LANG_LITERAL_H

#include "lang/check.h"

asy_node *asy_literal_number(asy_parser *p, const char *text, uint32_t len, asy_span span);

/* One string token with its prefix and quotes. */
asy_node *asy_literal_string(asy_parser *p, const char *text, uint32_t len, asy_span span);

/* The text between the fields of an f-string. */
asy_node *asy_literal_fstring_text(asy_parser *p, const char *text, uint32_t len, bool raw, bool spec, asy_span span);

/* `{value=}`: adds the text of the field to the list, and sets the conversion of the field. */
void asy_literal_debug_text(asy_parser *p, asy_node_list *values, asy_node *field, asy_span from, asy_span to);

/* An f-string or a format spec: adjacent texts joined. */
asy_node *asy_literal_joined(asy_parser *p, asy_node_list values, asy_span span);

/* Adjacent literals, each a Constant or a JoinedStr, as one. */
asy_node *asy_literal_concat(asy_parser *p, asy_node_list parts, asy_span span);

#endif
