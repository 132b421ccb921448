/* dis.h - code as text. */
#ifndef ASY_LANG_DIS_H
#define ASY_LANG_DIS_H

#include "lang/buf.h"
#include "lang/unit.h"

/* A listing: a line for each instruction, labels for what is jumped to, constants and names spelled out; then the handler
 * table; then the code objects among the constants. */
void asy_dis(const asy_unit_code *code, asy_buf *out);

#endif
