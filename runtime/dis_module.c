/* dis_module.c - the natives behind the module dis: the table of instructions, and the parts of a code object that its attributes
 * do not show. The words themselves are co_code.
 */
#include "lang/opcode.h"
#include "runtime/class.h"
#include "runtime/func.h"
#include "runtime/types/sequence.h"

/* One row an instruction: (name, format, operand kinds as text). */
static asy_value table(asy_vm *vm, const asy_value *args) {
  static const char formats[][8] = {
    [FORMAT_NONE] = "", [FORMAT_A] = "A",   [FORMAT_AB] = "AB",     [FORMAT_ABC] = "ABC",  [FORMAT_ABX] = "ABx",
    [FORMAT_SJ] = "sJ", [FORMAT_AX] = "AX", [FORMAT_ABX_S] = "ABX", [FORMAT_ABCX] = "ABCX"};
  static const char kinds[] = {
    [KIND__] = '_', [KIND_W] = 'W', [KIND_R] = 'R', [KIND_RW] = 'B', [KIND_N] = 'N', [KIND_K] = 'K',
    [KIND_I] = 'I', [KIND_U] = 'U', [KIND_J] = 'J', [KIND_S] = 'S',  [KIND_V] = 'V'};
  asy_list *rows = asy_list_new(vm, OP_COUNT_);
  for (unsigned op = 0; rows && op < OP_COUNT_; op++) {
    const asy_op_info *info = &asy_op_table[op];
    char operands[5] = {0};
    for (unsigned i = 0; i < 4; i++) operands[i] = kinds[info->operand[i]];
    asy_value row = asy_tuple_of(vm, 3, asy_from_cstr(vm, info->name), asy_from_cstr(vm, formats[info->format]),
                                 asy_from_cstr(vm, operands));
    if (row == ASY_FAILED || !asy_list_append(vm, rows, row)) return ASY_FAILED;
  }
  return rows ? asy_from_obj(rows) : ASY_FAILED;
}

static asy_value names_of(asy_vm *vm, asy_str **names, uint32_t n) {
  asy_tuple *tuple = asy_tuple_new(vm, NULL, n);
  for (uint32_t i = 0; tuple && i < n; i++) tuple->items[i] = asy_from_obj(names[i]);
  return asy_object_or_failed(tuple);
}

/* (names of the registers that are locals, names of the sites, [(start, end, target, register) of each handler]) */
static asy_value parts(asy_vm *vm, const asy_value *args) {
  if (!asy_is_kind(args[0], KIND_CODE))
    return asy_raise(vm, ASY_TypeError, "a code object is required, not %T", args[0]);
  const asy_code *code = (const asy_code *)asy_obj_of(args[0]);
  asy_list *handlers = asy_list_new(vm, code->nhandlers);
  for (uint32_t i = 0; handlers && i < code->nhandlers; i++) {
    const asy_handler *h = &code->handlers[i];
    asy_value row = asy_tuple_of(vm, 4, asy_from_small(h->start), asy_from_small(h->end), asy_from_small(h->target),
                                 asy_from_small(h->reg));
    if (row == ASY_FAILED || !asy_list_append(vm, handlers, row)) return ASY_FAILED;
  }
  asy_value locals = names_of(vm, code->varnames, code->nlocals), sites = names_of(vm, code->site_names, code->nsites);
  if (!handlers || locals == ASY_FAILED || sites == ASY_FAILED) return ASY_FAILED;
  return asy_tuple_of(vm, 3, locals, sites, asy_from_obj(handlers));
}

static const asy_native natives[] = {
  {"table", SIG("()"), table, DOC("The instructions: (name, format, operand kinds)."), 0},
  {"parts", SIG("(code, /)"), parts, DOC("Names of registers and sites, and the handlers."), 0},
  {0},
};

const asy_module_def asy_module_opcode = {"_opcode", natives, "The instruction set: the natives behind dis.", NULL};
