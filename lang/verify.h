/* verify.h - a code unit checked: what the VM takes for granted. */
#ifndef ASY_LANG_VERIFY_H
#define ASY_LANG_VERIFY_H

#include "lang/buf.h"
#include "lang/unit.h"

/* False, and what is wrong in *out, when code (or code inside it) breaks a rule of opcode.h or unit.h. */
bool asy_verify(const asy_unit_code *code, asy_buf *out);

/* For debug builds: prints what is wrong with the disassembly, and aborts. */
void asy_verify_or_abort(const asy_unit_code *code);

#endif
