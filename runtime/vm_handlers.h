/* vm_handlers.h - what each instruction does. Included by vm.c inside the loop (goto, switch) or at file level (tail calls);
 * see there for the macros. One handler a row of the opcode table, in its order; the table says what each means. */

HANDLER(NOP) { NEXT(); }
HANDLER(MOVE) {
  R(A) = R(B);
  NEXT();
}
HANDLER(LOAD_K) {
  R(A) = k[ASY_WORD_BX(w)];
  NEXT();
}
HANDLER(LOAD_I) {
  R(A) = asy_from_small(ASY_WORD_SBX(w));
  NEXT();
}
HANDLER(CLEAR) {
  R(A) = ASY_UNBOUND;
  NEXT();
}
HANDLER(CHECK_BOUND) {
  if (UNLIKELY(R(A) == ASY_UNBOUND)) {
    SAVE();
    asy_op_unbound(vm, CODE()->varnames[A], false);
    UNWIND();
  }
  NEXT();
}
HANDLER(DEL_LOCAL) {
  if (UNLIKELY(R(A) == ASY_UNBOUND)) {
    SAVE();
    asy_op_unbound(vm, CODE()->varnames[A], false);
    UNWIND();
  }
  R(A) = ASY_UNBOUND;
  NEXT();
}

/* ---- Cells ---- */
HANDLER(MAKE_CELL) {
  SAVE();
  asy_cell *cell = asy_cell_new(vm, R(A));
  CHECK(cell);
  R(A) = asy_from_obj(cell);
  NEXT();
}
HANDLER(LOAD_CELL) {
  asy_value v = ((asy_cell *)asy_obj_of(R(B)))->value;
  if (UNLIKELY(v == ASY_UNBOUND)) {
    SAVE();
    asy_op_unbound(vm, CODE()->varnames[B], false);
    UNWIND();
  }
  R(A) = v;
  NEXT();
}
HANDLER(STORE_CELL) {
  asy_cell *cell = (asy_cell *)asy_obj_of(R(A));
  asy_store(vm, cell, &cell->value, R(B));
  NEXT();
}
HANDLER(DEL_CELL) {
  asy_cell *cell = (asy_cell *)asy_obj_of(R(A));
  if (UNLIKELY(cell->value == ASY_UNBOUND)) {
    SAVE();
    asy_op_unbound(vm, CODE()->varnames[A], false);
    UNWIND();
  }
  cell->value = ASY_UNBOUND;
  NEXT();
}
HANDLER(LOAD_FREE) {
  unsigned i = ASY_WORD_BX(w);
  asy_value v = ((asy_cell *)asy_obj_of(asy_frame_func(base)->closure->items[i]))->value;
  if (UNLIKELY(v == ASY_UNBOUND)) {
    SAVE();
    asy_op_unbound(vm, CODE()->freevars[i], true);
    UNWIND();
  }
  R(A) = v;
  NEXT();
}
HANDLER(STORE_FREE) {
  asy_cell *cell = (asy_cell *)asy_obj_of(asy_frame_func(base)->closure->items[ASY_WORD_BX(w)]);
  asy_store(vm, cell, &cell->value, R(A));
  NEXT();
}
HANDLER(DEL_FREE) {
  unsigned i = ASY_WORD_BX(w);
  asy_cell *cell = (asy_cell *)asy_obj_of(asy_frame_func(base)->closure->items[i]);
  if (UNLIKELY(cell->value == ASY_UNBOUND)) {
    SAVE();
    asy_op_unbound(vm, CODE()->freevars[i], true);
    UNWIND();
  }
  cell->value = ASY_UNBOUND;
  NEXT();
}
HANDLER(LOAD_CLOSURE) {
  R(A) = asy_frame_func(base)->closure->items[ASY_WORD_BX(w)];
  NEXT();
}
HANDLER(LOAD_FREE_CLASS) {
  SAVE();
  SET_A(asy_op_load_free_class(vm, R(0), asy_frame_func(base), ASY_WORD_BX(w)));
  NEXT();
}

/* ---- Names ---- */
HANDLER(LOAD_GLOBAL) {
  uint32_t x = *pc++;
  asy_func *func = asy_frame_func(base);
  asy_ic *ic = &func->code->ics[x];
  if (LIKELY(ic->shape == func->globals->keys_version)) {
    if (LIKELY(ic->kind == IC_GLOBAL) ||
        (ic->kind == IC_BUILTIN && vm->builtins->keys_version == vm->builtins_version)) {
      R(A) = *(asy_value *)(uintptr_t)ic->payload;
      NEXT();
    }
  }
  SAVE();
  SET_A(asy_ic_load_global(vm, func, func->code->site_names[x], ic));
  NEXT();
}
HANDLER(STORE_GLOBAL) {
  uint32_t x = *pc++;
  asy_func *func = asy_frame_func(base);
  asy_ic *ic = &func->code->ics[x];
  if (LIKELY(ic->kind == IC_GLOBAL && ic->shape == func->globals->keys_version)) {
    asy_store(vm, func->globals, (asy_value *)(uintptr_t)ic->payload, R(A));
    NEXT();
  }
  SAVE();
  CHECK(asy_ic_store_global(vm, func, func->code->site_names[x], R(A), ic));
  NEXT();
}
HANDLER(DEL_GLOBAL) {
  uint32_t x = *pc++;
  SAVE();
  CHECK(asy_op_delete_name(vm, asy_from_obj(asy_frame_func(base)->globals), SITE_NAME(x)));
  NEXT();
}
HANDLER(LOAD_NAME) {
  uint32_t x = *pc++;
  asy_func *func = asy_frame_func(base);
  SAVE();
  if (LIKELY(R(0) == asy_from_obj(func->globals))) {
    asy_ic *ic = &func->code->ics[x];
    if (LIKELY(ic->shape == func->globals->keys_version) &&
        (ic->kind == IC_GLOBAL || (ic->kind == IC_BUILTIN && vm->builtins->keys_version == vm->builtins_version))) {
      R(A) = *(asy_value *)(uintptr_t)ic->payload;
      NEXT();
    }
    SET_A(asy_ic_load_global(vm, func, func->code->site_names[x], ic));
    NEXT();
  }
  SET_A(asy_op_load_name(vm, R(0), func, func->code->site_names[x]));
  NEXT();
}
HANDLER(STORE_NAME) {
  uint32_t x = *pc++;
  asy_func *func = asy_frame_func(base);
  SAVE();
  if (LIKELY(R(0) == asy_from_obj(func->globals))) {
    asy_ic *ic = &func->code->ics[x];
    if (LIKELY(ic->kind == IC_GLOBAL && ic->shape == func->globals->keys_version)) {
      asy_store(vm, func->globals, (asy_value *)(uintptr_t)ic->payload, R(A));
      NEXT();
    }
    CHECK(asy_ic_store_global(vm, func, func->code->site_names[x], R(A), ic));
    NEXT();
  }
  CHECK(asy_op_store_name(vm, R(0), func->code->site_names[x], R(A)));
  NEXT();
}
HANDLER(DEL_NAME) {
  uint32_t x = *pc++;
  SAVE();
  CHECK(asy_op_delete_name(vm, R(0), SITE_NAME(x)));
  NEXT();
}
HANDLER(LOAD_BUILD_CLASS) {
  SAVE();
  asy_value v = asy_dict_get_str(vm, vm->builtins, ASY_NAME(vm, __build_class__));
  if (UNLIKELY(v == ASY_UNBOUND)) v = asy_raise(vm, ASY_NameError, "__build_class__ not found");
  SET_A(v);
  NEXT();
}
HANDLER(LOAD_ASSERTION_ERROR) {
  R(A) = asy_from_obj(vm->exceptions[ASY_AssertionError]);
  NEXT();
}
HANDLER(LOAD_LOCALS) {
  R(A) = R(0);
  NEXT();
}

/* ---- Attributes ---- */
HANDLER(GET_ATTR) {
  uint32_t x = *pc++;
  asy_value v = R(B);
  asy_ic *ic = IC(x);
  if (LIKELY(asy_is_obj(v) && ic->shape == asy_obj_of(v)->shape && ic->kind == IC_SLOT)) {
    R(A) = *(asy_value *)((char *)asy_obj_of(v) + ic->slot);
    NEXT();
  }
  asy_value cached = asy_ic_hit(v, ic);
  if (LIKELY(cached != ASY_UNBOUND)) {
    R(A) = cached;
    NEXT();
  }
  SAVE();
  asy_value getter = getter_hit(v, ic);
  if (getter != ASY_UNBOUND) {
    asy_func *func = (asy_func *)asy_obj_of(getter);
    asy_code *code = func->code;
    asy_value *args = vm->top + FRAME_HEADER; /* no window was made for it: above the frame */
    if (LIKELY(code->simple && code->argcount == 1 && args + code->nregs <= vm->limit)) {
      args[0] = v;
      ENTER_FUNCTION(func, code, args, 1, A);
    }
    asy_value result;
    asy_action action = asy_call_slow(vm, getter, 0, NULL, &R(B), 1, NULL, A, &result);
    if (action == ACT_NEXT) {
      R(A) = result;
      NEXT();
    }
    ACT(action);
  }
  SET_A(asy_ic_get_attr(vm, v, SITE_NAME(x), ic));
  NEXT();
}
HANDLER(SET_ATTR) {
  uint32_t x = *pc++;
  asy_value v = R(A);
  asy_ic *ic = IC(x);
  if (LIKELY(asy_is_obj(v) && ic->shape == asy_obj_of(v)->shape)) {
    asy_obj *o = asy_obj_of(v);
    if (LIKELY(ic->kind == IC_SLOT)) {
      asy_store(vm, o, (asy_value *)((char *)o + ic->slot), R(B));
      NEXT();
    }
    if (ic->kind == IC_ADD) {
      o->shape = (uint32_t)ic->payload;
      asy_store(vm, o, (asy_value *)((char *)o + ic->slot), R(B));
      NEXT();
    }
  }
  SAVE();
  CHECK(asy_ic_set_attr(vm, v, SITE_NAME(x), R(B), ic));
  NEXT();
}
HANDLER(DEL_ATTR) {
  uint32_t x = *pc++;
  SAVE();
  CHECK(asy_del_attr(vm, R(A), SITE_NAME(x)));
  NEXT();
}
HANDLER(LOAD_METHOD) {
  uint32_t x = *pc++;
  asy_value v = R(B);
  asy_ic *ic = IC(x);
  if (LIKELY(asy_is_obj(v) && ic->shape == asy_obj_of(v)->shape && ic->kind == IC_METHOD)) {
    asy_lookup *record = (asy_lookup *)(uintptr_t)ic->payload;
    if (LIKELY(record->kind == LOOKUP_METHOD)) {
      asy_value *a = &R(A);
      a[4] = v;
      a[0] = record->value;
      NEXT();
    }
  }
  asy_value cached = asy_ic_hit(v, ic);
  if (LIKELY(cached != ASY_UNBOUND)) {
    asy_value *a = &R(A);
    a[4] = ASY_UNBOUND;
    a[0] = cached;
    NEXT();
  }
  SAVE();
  CHECK(asy_ic_load_method(vm, &R(A), v, SITE_NAME(x), ic));
  NEXT();
}
HANDLER(LOAD_SPECIAL) {
  SAVE();
  CHECK(asy_op_load_special(vm, &R(A), R(B), C) != ASY_FAILED);
  NEXT();
}

/* ---- Items ---- */
HANDLER(GET_ITEM) {
  asy_value v = R(B), key = R(C), item;
  if (LIKELY(item_of_sequence(v, key, &item))) {
    R(A) = item;
    NEXT();
  }
  SAVE();
  SET_A(get_item_slow(vm, v, key));
  NEXT();
}
HANDLER(GET_ITEM_I) {
  asy_value v = R(B), key = asy_from_small(ASY_WORD_SC(w)), item;
  if (LIKELY(item_of_sequence(v, key, &item))) {
    R(A) = item;
    NEXT();
  }
  SAVE();
  SET_A(get_item_slow(vm, v, key));
  NEXT();
}
HANDLER(GET_SLICE) {
  SAVE();
  SET_A(get_slice(vm, R(B), &R(C)));
  NEXT();
}
HANDLER(SET_ITEM) {
  asy_value v = R(A), key = R(B), item = R(C);
  uint32_t i;
  if (LIKELY(asy_is_exact(v, KIND_LIST)) && LIKELY(list_index(((asy_list *)asy_obj_of(v))->len, key, &i))) {
    asy_list *list = (asy_list *)asy_obj_of(v);
    list->items[i] = item;
    asy_barrier_value(vm, list, item);
    NEXT();
  }
  SAVE();
  CHECK(set_item_slow(vm, v, key, item));
  NEXT();
}
HANDLER(DEL_ITEM) {
  SAVE();
  CHECK(asy_del_item(vm, R(A), R(B)));
  NEXT();
}
HANDLER(BUILD_SLICE) {
  SAVE();
  SET_A(asy_slice_new(vm, R(B), R(B + 1), R(B + 2)));
  NEXT();
}

/* ---- Arithmetic ---- */
HANDLER(ADD) {
  asy_value b = R(B), c = R(C);
  double x, y;
  if (LIKELY(add_ints(&R(A), b, c))) NEXT();
  if (floats(b, c, &x, &y) && put_float(&R(A), x + y)) NEXT();
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_ADD, b, c));
  NEXT();
}
HANDLER(SUB) {
  asy_value b = R(B), c = R(C);
  double x, y;
  if (LIKELY(sub_ints(&R(A), b, c))) NEXT();
  if (floats(b, c, &x, &y) && put_float(&R(A), x - y)) NEXT();
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_SUB, b, c));
  NEXT();
}
HANDLER(MUL) {
  asy_value b = R(B), c = R(C);
  double x, y;
  if (LIKELY(mul_ints(&R(A), b, c))) NEXT();
  if (floats(b, c, &x, &y) && put_float(&R(A), x * y)) NEXT();
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_MUL, b, c));
  NEXT();
}
HANDLER(TRUEDIV) {
  asy_value b = R(B), c = R(C);
  double x = 0, y = 0;
  if (floats(b, c, &x, &y) && y != 0 && put_float(&R(A), x / y)) NEXT();
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_TRUEDIV, b, c));
  NEXT();
}
HANDLER(FLOORDIV) {
  asy_value b = R(B), c = R(C);
  if (asy_both_int(b, c) && c != asy_from_small(0)) {
    int64_t q = asy_small(b);
    q = asy_small(c) == -1 ? -q : floor_div(q, asy_small(c));
    if (LIKELY(asy_int_fits(q))) {
      R(A) = asy_from_small(q);
      NEXT();
    }
  }
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_FLOORDIV, b, c));
  NEXT();
}
HANDLER(MOD) {
  asy_value b = R(B), c = R(C);
  if (asy_both_int(b, c) && c != asy_from_small(0)) {
    R(A) = asy_small(c) == -1 ? asy_from_small(0) : asy_from_small(floor_mod(asy_small(b), asy_small(c)));
    NEXT();
  }
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_MOD, b, c));
  NEXT();
}
HANDLER(POW) {
  double x, y;
  if (floats(R(B), R(C), &x, &y) && x > 0) {
    double power = pow(x, y);
    if (isfinite(power) && put_float(&R(A), power)) NEXT();
  }
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_POW, R(B), R(C)));
  NEXT();
}
HANDLER(LSHIFT) {
  asy_value b = R(B), c = R(C);
  if (asy_both_int(b, c) && (uint64_t)asy_small(c) < 62) {
    int64_t i = asy_small(b), shifted = (int64_t)((uint64_t)i << asy_small(c));
    if (LIKELY(shifted >> asy_small(c) == i && asy_int_fits(shifted))) {
      R(A) = asy_from_small(shifted);
      NEXT();
    }
  }
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_LSHIFT, b, c));
  NEXT();
}
HANDLER(RSHIFT) {
  asy_value b = R(B), c = R(C);
  if (asy_both_int(b, c) && (int64_t)c > 0) {
    int64_t count = asy_small(c);
    R(A) = asy_from_small(asy_small(b) >> (count > 63 ? 63 : count));
    NEXT();
  }
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_RSHIFT, b, c));
  NEXT();
}
HANDLER(AND) {
  asy_value b = R(B), c = R(C);
  if (asy_both_int(b, c)) {
    R(A) = b & c;
    NEXT();
  }
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_AND, b, c));
  NEXT();
}
HANDLER(OR) {
  asy_value b = R(B), c = R(C);
  if (asy_both_int(b, c)) {
    R(A) = b | c;
    NEXT();
  }
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_OR, b, c));
  NEXT();
}
HANDLER(XOR) {
  asy_value b = R(B), c = R(C);
  if (asy_both_int(b, c)) {
    R(A) = (b ^ c) | 1;
    NEXT();
  }
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_XOR, b, c));
  NEXT();
}
HANDLER(MATMUL) {
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_MATMUL, R(B), R(C)));
  NEXT();
}
HANDLER(ADD_I) {
  asy_value b = R(B), c = asy_from_small(ASY_WORD_SC(w));
  if (LIKELY(add_ints(&R(A), b, c))) NEXT();
  if (asy_is_flonum(b) && put_float(&R(A), asy_flonum(b) + ASY_WORD_SC(w))) NEXT();
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_ADD, b, c));
  NEXT();
}
HANDLER(SUB_I) {
  asy_value b = R(B), c = asy_from_small(ASY_WORD_SC(w));
  if (LIKELY(sub_ints(&R(A), b, c))) NEXT();
  if (asy_is_flonum(b) && put_float(&R(A), asy_flonum(b) - ASY_WORD_SC(w))) NEXT();
  SAVE();
  SET_A(arithmetic_slow(vm, BINARY_SUB, b, c));
  NEXT();
}
HANDLER(INPLACE) {
  uint32_t x = *pc++;
  asy_value b = R(B), c = R(C);
  double f, g;
  if (x == BINARY_SUB && (sub_ints(&R(A), b, c) || (floats(b, c, &f, &g) && put_float(&R(A), f - g)))) NEXT();
  if (x == BINARY_MUL && (mul_ints(&R(A), b, c) || (floats(b, c, &f, &g) && put_float(&R(A), f * g)))) NEXT();
  SAVE();
  SET_A(asy_inplace(vm, (asy_binary_op)x, b, c));
  NEXT();
}
HANDLER(IADD) {
  asy_value b = R(B), c = R(C);
  double x, y;
  if (LIKELY(add_ints(&R(A), b, c))) NEXT();
  if (floats(b, c, &x, &y) && put_float(&R(A), x + y)) NEXT();
  SAVE();
  SET_A(asy_inplace(vm, BINARY_ADD, b, c));
  NEXT();
}
HANDLER(IADD_I) {
  asy_value b = R(B), c = asy_from_small(ASY_WORD_SC(w));
  if (LIKELY(add_ints(&R(A), b, c))) NEXT();
  if (asy_is_flonum(b) && put_float(&R(A), asy_flonum(b) + ASY_WORD_SC(w))) NEXT();
  SAVE();
  SET_A(asy_inplace(vm, BINARY_ADD, b, c));
  NEXT();
}
HANDLER(ISUB_I) {
  asy_value b = R(B), c = asy_from_small(ASY_WORD_SC(w));
  if (LIKELY(sub_ints(&R(A), b, c))) NEXT();
  if (asy_is_flonum(b) && put_float(&R(A), asy_flonum(b) - ASY_WORD_SC(w))) NEXT();
  SAVE();
  SET_A(asy_inplace(vm, BINARY_SUB, b, c));
  NEXT();
}
HANDLER(NEG) {
  asy_value b = R(B);
  if (LIKELY(asy_is_int(b) && asy_small(b) != ASY_INT_MIN)) {
    R(A) = asy_from_small(-asy_small(b));
    NEXT();
  }
  if (asy_is_flonum(b) && put_float(&R(A), -asy_flonum(b))) NEXT();
  SAVE();
  SET_A(asy_unary(vm, UNARY_NEG, b));
  NEXT();
}
HANDLER(POS) {
  SAVE();
  SET_A(asy_unary(vm, UNARY_POS, R(B)));
  NEXT();
}
HANDLER(INVERT) {
  asy_value b = R(B);
  if (LIKELY(asy_is_int(b))) {
    R(A) = asy_from_small(~asy_small(b));
    NEXT();
  }
  SAVE();
  SET_A(asy_unary(vm, UNARY_INVERT, b));
  NEXT();
}
HANDLER(NOT) {
  int truth = fast_truth(R(B));
  if (UNLIKELY(truth < 0)) {
    SAVE();
    truth = asy_truth(vm, R(B));
    CHECK(truth >= 0);
  }
  R(A) = asy_from_bool(!truth);
  NEXT();
}

/* ---- Comparisons: values, then jumps ---- */
#define COMPARISON(name, operator)                                                                                     \
  HANDLER(name) {                                                                                                      \
    asy_value b = R(B), c = R(C);                                                                                      \
    if (LIKELY(asy_both_int(b, c))) {                                                                                  \
      R(A) = asy_from_bool((int64_t)b operator(int64_t) c);                                                            \
      NEXT();                                                                                                          \
    }                                                                                                                  \
    if (both_floats(b, c)) {                                                                                           \
      R(A) = asy_from_bool(asy_flonum(b) operator asy_flonum(c));                                                      \
      NEXT();                                                                                                          \
    }                                                                                                                  \
    bool equal;                                                                                                        \
    if ((COMPARE_##name == COMPARE_EQ || COMPARE_##name == COMPARE_NE) && strings_equal(b, c, &equal)) {               \
      R(A) = asy_from_bool(COMPARE_##name == COMPARE_EQ ? equal : !equal);                                             \
      NEXT();                                                                                                          \
    }                                                                                                                  \
    SAVE();                                                                                                            \
    SET_A(asy_compare(vm, b, c, COMPARE_##name));                                                                      \
    NEXT();                                                                                                            \
  }
COMPARISON(LT, <)
COMPARISON(LE, <=)
COMPARISON(EQ, ==)
COMPARISON(NE, !=)
COMPARISON(GT, >)
COMPARISON(GE, >=)
#undef COMPARISON
HANDLER(IS) {
  R(A) = asy_from_bool(R(B) == R(C));
  NEXT();
}
HANDLER(IS_NOT) {
  R(A) = asy_from_bool(R(B) != R(C));
  NEXT();
}
HANDLER(IN) {
  SAVE();
  int found = asy_contains(vm, R(C), R(B));
  CHECK(found >= 0);
  R(A) = asy_from_bool(found);
  NEXT();
}
HANDLER(NOT_IN) {
  SAVE();
  int found = asy_contains(vm, R(C), R(B));
  CHECK(found >= 0);
  R(A) = asy_from_bool(!found);
  NEXT();
}
HANDLER(JUMP) {
  pc += ASY_WORD_SJ(w);
  NEXT();
}
HANDLER(JUMP_BACK) {
  int32_t x = (int32_t)*pc++;
  pc += x;
  if (UNLIKELY(vm->interrupt)) {
    SAVE();
    clear_registers(base, A);
    CHECK(asy_handle_interrupt(vm));
  }
  NEXT();
}
HANDLER(JUMP_IF_TRUE) {
  int32_t x = (int32_t)*pc++;
  int truth = fast_truth(R(A));
  if (UNLIKELY(truth < 0)) {
    SAVE();
    truth = asy_truth(vm, R(A));
    CHECK(truth >= 0);
  }
  if (truth) {
    pc += x;
    NEXT();
  }
  NEXT();
}
HANDLER(JUMP_IF_FALSE) {
  int32_t x = (int32_t)*pc++;
  int truth = fast_truth(R(A));
  if (UNLIKELY(truth < 0)) {
    SAVE();
    truth = asy_truth(vm, R(A));
    CHECK(truth >= 0);
  }
  if (!truth) {
    pc += x;
    NEXT();
  }
  NEXT();
}
HANDLER(JUMP_IF_NONE) {
  int32_t x = (int32_t)*pc++;
  if (R(A) == ASY_NONE) pc += x;
  NEXT();
}
HANDLER(JUMP_IF_NOT_NONE) {
  int32_t x = (int32_t)*pc++;
  if (R(A) != ASY_NONE) pc += x;
  NEXT();
}
#define COMPARE_AND_JUMP(handler, name, operator, right)                                                               \
  HANDLER(handler) {                                                                                                   \
    int32_t x = (int32_t)*pc++;                                                                                        \
    asy_value a = R(A), b = right;                                                                                     \
    int truth;                                                                                                         \
    bool equal;                                                                                                        \
    if (LIKELY(asy_both_int(a, b))) {                                                                                  \
      truth = (int64_t)a operator(int64_t) b;                                                                          \
    } else if (both_floats(a, b)) {                                                                                    \
      truth = asy_flonum(a) operator asy_flonum(b);                                                                    \
    } else if ((COMPARE_##name == COMPARE_EQ || COMPARE_##name == COMPARE_NE) && strings_equal(a, b, &equal)) {        \
      truth = COMPARE_##name == COMPARE_EQ ? equal : !equal;                                                           \
    } else {                                                                                                           \
      SAVE();                                                                                                          \
      truth = compare_slow(vm, a, b, COMPARE_##name);                                                                  \
      CHECK(truth >= 0);                                                                                               \
    }                                                                                                                  \
    if (truth == (int)C) {                                                                                             \
      pc += x;                                                                                                         \
      NEXT(); /* its own dispatch: predicted apart from the one below */                                               \
    }                                                                                                                  \
    NEXT();                                                                                                            \
  }
/* clang-format off */
COMPARE_AND_JUMP(JUMP_LT, LT, <, R(B))
COMPARE_AND_JUMP(JUMP_LE, LE, <=, R(B))
COMPARE_AND_JUMP(JUMP_EQ, EQ, ==, R(B))
COMPARE_AND_JUMP(JUMP_NE, NE, !=, R(B))
COMPARE_AND_JUMP(JUMP_GT, GT, >, R(B))
COMPARE_AND_JUMP(JUMP_GE, GE, >=, R(B))
COMPARE_AND_JUMP(JUMP_LT_I, LT, <, asy_from_small(ASY_WORD_SB(w)))
COMPARE_AND_JUMP(JUMP_LE_I, LE, <=, asy_from_small(ASY_WORD_SB(w)))
COMPARE_AND_JUMP(JUMP_EQ_I, EQ, ==, asy_from_small(ASY_WORD_SB(w)))
COMPARE_AND_JUMP(JUMP_NE_I, NE, !=, asy_from_small(ASY_WORD_SB(w)))
COMPARE_AND_JUMP(JUMP_GT_I, GT, >, asy_from_small(ASY_WORD_SB(w)))
COMPARE_AND_JUMP(JUMP_GE_I, GE, >=, asy_from_small(ASY_WORD_SB(w)))
/* clang-format on */
#undef COMPARE_AND_JUMP
HANDLER(JUMP_IS) {
  int32_t x = (int32_t)*pc++;
  if ((R(A) == R(B)) == C) pc += x;
  NEXT();
}
HANDLER(JUMP_IN) {
  int32_t x = (int32_t)*pc++;
  SAVE();
  int found = asy_contains(vm, R(B), R(A));
  CHECK(found >= 0);
  if (found == (int)C) pc += x;
  NEXT();
}

/* ---- Iteration and unpacking ---- */
HANDLER(GET_ITER) {
  SAVE();
  SET_A(iter_known(vm, R(B)));
  NEXT();
}
HANDLER(FOR_ITER) {
  int32_t x = (int32_t)*pc++;
  asy_value it = R(A);
  asy_value item = asy_next_known(it);
  if (LIKELY(item != ASY_UNBOUND)) {
    if (UNLIKELY(item == ASY_END)) {
      pc += x;
      NEXT();
    }
    R(B) = item;
    NEXT();
  }
  SAVE();
  if (asy_is_exact(it, KIND_GENERATOR)) {
    asy_gen *gen = (asy_gen *)asy_obj_of(it);
    if (UNLIKELY(!resumes_in_place(vm, gen))) ACT(asy_for_iter_generator(vm, gen, B));
    asy_gen_link(vm, gen, FRAME_FOR | B);
    base = asy_gen_base(gen);
    pc = asy_frame_pc(base);
    k = CODE()->constants;
    base[ASY_WORD_A(pc[-1])] = ASY_NONE;
    NEXT();
  }
  if (takes_pair(CODE(), B, *pc)) {
    int step = asy_next_pair(vm, it, &R(ASY_WORD_A(*pc)));
    CHECK(step != -1);
    if (step >= 0) {
      pc += step ? 1 : x; /* behind the UNPACK */
      NEXT();
    }
  }
  item = asy_next(vm, it);
  if (UNLIKELY(item == ASY_FAILED)) UNWIND();
  if (item == ASY_END) {
    pc += x;
    NEXT();
  }
  R(B) = item;
  NEXT();
}
HANDLER(UNPACK) {
  asy_value v = R(B);
  uint32_t n = C;
  if (asy_is_exact(v, KIND_TUPLE) && ((asy_tuple *)asy_obj_of(v))->len == n) {
    asy_tuple *tuple = (asy_tuple *)asy_obj_of(v);
    for (uint32_t i = 0; i < n; i++) base[A + i] = tuple->items[i];
    NEXT();
  }
  SAVE();
  CHECK(asy_op_unpack(vm, &R(A), v, n));
  NEXT();
}
HANDLER(UNPACK_EX) {
  uint32_t x = *pc++;
  SAVE();
  CHECK(asy_op_unpack_ex(vm, &R(A), R(B), C, x));
  NEXT();
}

/* ---- Building ---- */
HANDLER(BUILD_TUPLE) {
  SAVE();
  asy_tuple *tuple = asy_tuple_new(vm, &R(B), C);
  CHECK(tuple);
  R(A) = asy_from_obj(tuple);
  NEXT();
}
HANDLER(BUILD_LIST) {
  SAVE();
  asy_list *list = asy_list_from(vm, &R(B), C);
  CHECK(list);
  R(A) = asy_from_obj(list);
  NEXT();
}
HANDLER(BUILD_SET) {
  SAVE();
  SET_A(asy_op_build_set(vm, &R(B), C));
  NEXT();
}
HANDLER(BUILD_MAP) {
  SAVE();
  SET_A(asy_op_build_map(vm, &R(B), C));
  NEXT();
}
HANDLER(BUILD_STRING) {
  SAVE();
  SET_A(asy_op_build_string(vm, &R(B), C));
  NEXT();
}
HANDLER(LIST_APPEND) {
  asy_list *list = (asy_list *)asy_obj_of(R(A));
  if (LIKELY(list->len < list->cap)) {
    list->items[list->len] = R(B);
    list->len++;
    asy_barrier_value(vm, list, R(B));
    NEXT();
  }
  SAVE();
  CHECK(append_slow(vm, list, R(B), base, pc));
  NEXT();
}
HANDLER(LIST_EXTEND) {
  SAVE();
  CHECK(asy_op_list_extend(vm, R(A), R(B)));
  NEXT();
}
HANDLER(LIST_TO_TUPLE) {
  SAVE();
  asy_tuple *tuple = asy_list_to_tuple(vm, (asy_list *)asy_obj_of(R(B)));
  CHECK(tuple);
  R(A) = asy_from_obj(tuple);
  NEXT();
}
HANDLER(SET_ADD) {
  SAVE();
  CHECK(asy_set_add(vm, (asy_set *)asy_obj_of(R(A)), R(B)) >= 0);
  NEXT();
}
HANDLER(SET_UPDATE) {
  SAVE();
  CHECK(asy_set_update(vm, (asy_set *)asy_obj_of(R(A)), R(B)));
  NEXT();
}
HANDLER(MAP_ADD) {
  SAVE();
  CHECK(asy_dict_set(vm, (asy_dict *)asy_obj_of(R(A)), R(B), R(C)));
  NEXT();
}
HANDLER(DICT_UPDATE) {
  SAVE();
  CHECK(asy_op_dict_update(vm, R(A), R(B)));
  NEXT();
}
HANDLER(DICT_MERGE) {
  SAVE();
  CHECK(asy_op_dict_merge(vm, R(A), R(B), R(C)));
  NEXT();
}
HANDLER(FORMAT) {
  SAVE();
  if ((C & 7) == 0 && asy_is_exact(R(B), KIND_STR)) {
    R(A) = R(B);
    NEXT();
  }
  SET_A(asy_op_format(vm, &R(B), C));
  NEXT();
}

/* ---- Calls ---- */
HANDLER(CALL) {
  asy_value *window = &R(B);
  uint32_t n = C;
  SAVE();
  CALL_FUNCTION(window, n);
}
HANDLER(CALL_METHOD) {
  asy_value *window = &R(B);
  uint32_t n = C;
  asy_value *args = window + FRAME_HEADER;
  SAVE();
  if (UNLIKELY(args[0] == ASY_UNBOUND)) { /* an attribute that is no method, such as a function of a module */
    n--;
    for (uint32_t i = 0; i < n; i++) args[i] = args[i + 1];
    CALL_FUNCTION(window, n);
  }
  asy_value callee = window[0];
  if (LIKELY(asy_is_kind(callee, KIND_FUNCTION))) {
    asy_func *func = (asy_func *)asy_obj_of(callee);
    asy_code *code = func->code;
    if (LIKELY(code->simple && args + code->nregs <= vm->limit) &&
        (LIKELY(code->argcount == n) || add_defaults(func, args, n)))
      ENTER_FUNCTION(func, code, args, code->argcount, A);
    TRY_CALL(plain_suspended(vm, func, args, n));
  } else if (asy_is_kind(callee, KIND_NATIVE)) {
    asy_nativefunc *native = (asy_nativefunc *)asy_obj_of(callee);
    if (asy_native_is_exact(native, n)) {
      SET_A(native->fn(vm, args));
      NEXT();
    }
    TRY_CALL(asy_call_usual(vm, native, 0, args, n));
  }
  CALL_WINDOW(window, args, n, 0, NULL, A);
}
HANDLER(CALL_KW) {
  uint32_t x = *pc++;
  asy_value *window = &R(B);
  SAVE();
  CALL_WINDOW(window, window + FRAME_HEADER, C, 0, (asy_tuple *)asy_obj_of(k[x]), A);
}
HANDLER(CALL_METHOD_KW) {
  uint32_t x = *pc++;
  asy_value *window = &R(B);
  asy_value *args = window + FRAME_HEADER;
  SAVE();
  if (args[0] == ASY_UNBOUND) CALL_WINDOW(window, args + 1, C - 1, 0, (asy_tuple *)asy_obj_of(k[x]), A);
  CALL_WINDOW(window, args, C, 0, (asy_tuple *)asy_obj_of(k[x]), A);
}
HANDLER(CALL_EX) {
  asy_value *window = &R(B);
  SAVE();
  asy_value result;
  asy_action action = asy_call_spread(vm, window, window[FRAME_HEADER], C ? window[FRAME_HEADER + 1] : 0, A, &result);
  if (action == ACT_NEXT) {
    R(A) = result;
    NEXT();
  }
  ACT(action);
}
HANDLER(AWAIT_CALL) {
  asy_value *window = &R(B);
  uint32_t n = C;
  asy_value callee = window[0];
  if (asy_is_kind(callee, KIND_FUNCTION)) {
    asy_func *func = (asy_func *)asy_obj_of(callee);
    asy_code *code = func->code;
    if (LIKELY(code->simple_async && code->argcount == n)) {
      pc++; /* the AWAIT */
      SAVE();
      if (UNLIKELY(window + FRAME_HEADER + code->nregs > vm->limit))
        ACT(asy_enter_async(vm, func, window + FRAME_HEADER, n, A));
      ENTER_FUNCTION(func, code, window + FRAME_HEADER, n, A);
    }
  } else if (asy_is_kind(callee, KIND_NATIVE) &&
             ((asy_nativefunc *)asy_obj_of(callee))->def->flags & ASY_NATIVE_ASYNC) {
    SAVE();
    ACT(asy_await_native(vm, callee, 0, window + FRAME_HEADER, n, A));
  }
  SAVE();
  CALL_WINDOW(window, window + FRAME_HEADER, n, 0, NULL, A);
}
HANDLER(AWAIT_CALL_METHOD) {
  asy_value *window = &R(B);
  uint32_t n = C;
  asy_value *args = window + FRAME_HEADER;
  if (args[0] == ASY_UNBOUND) {
    args++;
    n--;
  }
  asy_value callee = window[0];
  if (asy_is_kind(callee, KIND_FUNCTION)) {
    asy_func *func = (asy_func *)asy_obj_of(callee);
    asy_code *code = func->code;
    if (LIKELY(code->simple_async && code->argcount == n)) {
      if (UNLIKELY(args + code->nregs > vm->limit)) {
        pc++; /* the AWAIT */
        SAVE();
        ACT(asy_enter_async(vm, func, args, n, A));
      }
      if (args != window + FRAME_HEADER) {
        memmove(args - 1, args, n * sizeof *args);
        args--;
      }
      pc++; /* the AWAIT */
      SAVE();
      ENTER_FUNCTION(func, code, args, n, A);
    }
  } else if (asy_is_kind(callee, KIND_NATIVE) &&
             ((asy_nativefunc *)asy_obj_of(callee))->def->flags & ASY_NATIVE_ASYNC) {
    SAVE();
    ACT(asy_await_native(vm, callee, 0, args, n, A));
  }
  SAVE();
  CALL_WINDOW(window, args, n, 0, NULL, A);
}
HANDLER(AWAIT) {
  SAVE();
  ACT(asy_await(vm, A, B));
}
HANDLER(RETURN) {
  asy_value v = R(A);
  asy_value info = FRAME_INFO(base);
  if (UNLIKELY(info & ~(asy_value)0xff)) {
    SAVE();
    ACT(asy_return_slow(vm, v));
  }
  base = asy_frame_back(base);
  vm->base = base;
  vm->depth--;
  asy_code *code = CODE();
  vm->top = base + code->nregs;
  pc = asy_frame_pc(base);
  k = code->constants;
  R(info) = v;
  NEXT();
}
HANDLER(RETURN_NONE) {
  asy_value info = FRAME_INFO(base), v = ASY_NONE;
  if (UNLIKELY(info & ~(asy_value)0xff)) {
    if ((info & ~(asy_value)0xff) != FRAME_INIT) {
      SAVE();
      ACT(asy_return_slow(vm, v));
    }
    v = base[-FRAME_HEADER - 1]; /* the instance that __init__ made */
    info &= 0xff;
  }
  base = asy_frame_back(base);
  vm->base = base;
  vm->depth--;
  asy_code *code = CODE();
  vm->top = base + code->nregs;
  pc = asy_frame_pc(base);
  k = code->constants;
  R(info) = v;
  NEXT();
}

/* ---- Generators and async iteration ---- */
HANDLER(YIELD) {
  asy_value v = R(B);
  asy_gen *gen = asy_gen_of_base(base);
  SAVE();
  if (LIKELY(FRAME_INFO(base) & FRAME_FOR && gen->head.kind == KIND_GENERATOR)) {
    asy_value info = FRAME_INFO(base);
    asy_gen_unlink(vm, gen);
    base = asy_frame_back(base);
    asy_frame_restore(vm, base);
    pc = asy_frame_pc(base);
    k = CODE()->constants;
    base[info & 0xff] = v;
    NEXT();
  }
  if (gen->taker && gen->head.kind == KIND_GENERATOR && gen->taker->take(vm, gen->taker, v)) {
    R(A) = ASY_NONE;
    NEXT();
  }
  ACT(asy_yield(vm, v));
}
HANDLER(GET_YIELD_FROM_ITER) {
  SAVE();
  SET_A(asy_op_yield_from_iter(vm, R(B)));
  NEXT();
}
HANDLER(YIELD_FROM) {
  SAVE();
  ACT(asy_yield_from(vm, A, B));
}
HANDLER(GET_AITER) {
  SAVE();
  SET_A(asy_op_get_aiter(vm, R(B)));
  NEXT();
}
HANDLER(FOR_AITER) {
  pc++;
  SAVE();
  ACT(asy_for_aiter(vm, A));
}
HANDLER(END_ASYNC_FOR) {
  int32_t x = (int32_t)*pc++;
  if (asy_is_instance(vm, R(A), vm->exceptions[ASY_StopAsyncIteration])) {
    pc += x;
    NEXT();
  }
  SAVE();
  asy_set_exception(vm, R(A));
  UNWIND_AGAIN();
}

/* ---- Exceptions ---- */
HANDLER(RAISE) {
  SAVE();
  if (C == 0) {
    if (vm->handled == ASY_NONE) {
      asy_raise(vm, ASY_RuntimeError, "No active exception to reraise");
      UNWIND();
    }
    asy_set_exception(vm, vm->handled);
    UNWIND_AGAIN();
  }
  asy_raise_from(vm, R(A), C == 2 ? R(B) : ASY_UNBOUND);
  UNWIND();
}
HANDLER(RERAISE) {
  SAVE();
  asy_set_exception(vm, R(A));
  UNWIND_AGAIN();
}
HANDLER(PUSH_HANDLED) {
  asy_value e = R(B), before = vm->handled;
  /* What the resumer of a generator handles is not the generator's: the next resumer may be another. */
  if (UNLIKELY(FRAME_INFO(base) & FRAME_HEAP) && before == asy_gen_of_base(base)->outer_handled) before = ASY_UNBOUND;
  R(A) = before;
  vm->handled = e;
  NEXT();
}
HANDLER(POP_HANDLED) {
  asy_value before = R(A);
  vm->handled = UNLIKELY(before == ASY_UNBOUND) ? asy_gen_of_base(base)->outer_handled : before;
  NEXT();
}
HANDLER(MATCH_EXC) {
  SAVE();
  int matches = asy_exception_matches(vm, R(B), R(C));
  CHECK(matches >= 0);
  R(A) = asy_from_bool(matches);
  NEXT();
}
HANDLER(MATCH_EXC_GROUP) {
  SAVE();
  CHECK(asy_op_match_exc_group(vm, &R(A), R(B), R(C)));
  NEXT();
}
HANDLER(MERGE_EXC_GROUP) {
  SAVE();
  SET_A(asy_op_merge_exc_group(vm, R(B), R(C)));
  NEXT();
}
HANDLER(EXC_INFO) {
  asy_op_exc_info(vm, &R(A), R(B));
  NEXT();
}

/* ---- Modules, functions, classes, patterns ---- */
HANDLER(IMPORT_NAME) {
  uint32_t x = *pc++;
  SAVE();
  SET_A(asy_op_import_name(vm, SITE_NAME(x), R(B), R(B + 1)));
  NEXT();
}
HANDLER(IMPORT_FROM) {
  uint32_t x = *pc++;
  SAVE();
  SET_A(asy_op_import_from(vm, R(B), SITE_NAME(x)));
  NEXT();
}
HANDLER(IMPORT_STAR) {
  SAVE();
  CHECK(asy_op_import_star(vm, R(A), R(0)));
  NEXT();
}
HANDLER(MAKE_FUNCTION) {
  uint32_t x = *pc++;
  SAVE();
  SET_A(asy_op_make_function(vm, (asy_code *)asy_obj_of(k[x]), &R(B), C));
  NEXT();
}
HANDLER(SETUP_ANNOTATIONS) {
  SAVE();
  CHECK(asy_op_setup_annotations(vm, R(0)));
  NEXT();
}
HANDLER(MATCH_SEQUENCE) {
  R(A) = asy_from_bool(asy_op_match_type(vm, R(B), ASY_TYPE_SEQUENCE));
  NEXT();
}
HANDLER(MATCH_MAPPING) {
  R(A) = asy_from_bool(asy_op_match_type(vm, R(B), ASY_TYPE_MAPPING));
  NEXT();
}
HANDLER(MATCH_KEYS) {
  SAVE();
  SET_A(asy_op_match_keys(vm, R(B), R(C)));
  NEXT();
}
HANDLER(MATCH_CLASS) {
  uint32_t x = *pc++;
  SAVE();
  SET_A(asy_op_match_class(vm, R(B), R(B + 1), C, k[x]));
  NEXT();
}
HANDLER(GET_LEN) {
  SAVE();
  int64_t length = asy_length(vm, R(B));
  CHECK(length >= 0);
  R(A) = asy_from_small(length);
  NEXT();
}
HANDLER(INTRINSIC) {
  SAVE();
  SET_A(asy_op_intrinsic(vm, C, &R(B)));
  NEXT();
}
HANDLER(DROP) {
  if (UNLIKELY(asy_is_kind(R(A), KIND_COROUTINE))) {
    SAVE();
    CHECK(asy_op_drop(vm, R(A)));
  }
  NEXT();
}
HANDLER(LOAD_FAR) {
  asy_list *far = (asy_list *)asy_obj_of(R(CODE()->nlocals - 1));
  asy_value v = far->items[ASY_WORD_BX(w)];
  if (UNLIKELY(v == ASY_UNBOUND)) {
    SAVE();
    asy_raise(vm, ASY_UnboundLocalError, "cannot access local variable where it is not associated with a value");
    UNWIND();
  }
  R(A) = v;
  NEXT();
}
HANDLER(STORE_FAR) {
  asy_list *far = (asy_list *)asy_obj_of(R(CODE()->nlocals - 1));
  asy_list_set(vm, far, ASY_WORD_BX(w), R(A));
  NEXT();
}
