/* opcode.c - the expansion of the instruction table that the disassembler, the verifier and the reference page read. */
#include "lang/opcode.h"

const asy_op_info asy_op_table[OP_COUNT_] = {
#define OP(name, format, a, b, c, x, effects, meaning)                                                                 \
  [OP_##name] = {#name, FORMAT_##format, {KIND_##a, KIND_##b, KIND_##c, KIND_##x}, effects},
  ASY_OPCODES(OP)
#undef OP
};
