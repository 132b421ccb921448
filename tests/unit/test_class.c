/* test_class.c - shapes, records and classes: what inline caches rely on. */
#include <criterion/criterion.h>

#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/traceback.h"

static asy_vm *vm;
static asy_value module;

static void open_vm(void) {
  vm = asy_vm_new(&(asy_options){0});
  cr_assert_not_null(vm);
}

static void close_vm(void) { asy_vm_free(vm); }

TestSuite(class, .init = open_vm, .fini = close_vm);

static asy_value run_as(const char *text, const char *name) {
  asy_value made = asy_run_source(vm, text, strlen(text), name, name);
  if (made == ASY_FAILED) asy_print_exception(vm, asy_take_exception(vm));
  cr_assert_neq(made, ASY_FAILED);
  return made;
}

/* The program under test, and what happens to it later, seen from another module. */
static void run(const char *text) { module = run_as(text, "first"); }
static void then(const char *text) { run_as(text, "later"); }

static asy_value global(const char *name) {
  asy_value value = asy_get_attr_cstr(vm, module, name);
  cr_assert_neq(value, ASY_FAILED, "no global %s", name);
  return value;
}

static asy_class *class_named(const char *name) { return (asy_class *)asy_obj_of(global(name)); }
static asy_shape *shape_of(const char *name) { return vm->shapes[asy_obj_of(global(name))->shape]; }
static asy_str *name_of(const char *text) { return asy_intern(vm, text); }

static const char *text_of(asy_value v) {
  static char text[4096];
  asy_value shown = asy_repr(vm, v), keep;
  size_t length;
  cr_assert_neq(shown, ASY_FAILED);
  snprintf(text, sizeof text, "%s", asy_str_utf8(vm, (asy_str *)asy_obj_of(shown), &length, &keep));
  return text;
}

Test(class, objects_that_get_the_same_attributes_in_the_same_order_share_a_shape) {
  run(
    "class A: pass\n"
    "a = A(); a.x = 1; a.y = 2\n"
    "b = A(); b.x = 3; b.y = 4\n"
    "c = A(); c.y = 1; c.x = 2\n");
  cr_assert_eq(shape_of("a"), shape_of("b"));
  cr_assert_neq(shape_of("a"), shape_of("c"));
  cr_assert_eq(asy_shape_find(shape_of("a"), name_of("y")), 1);
  cr_assert_eq(asy_shape_find(shape_of("c"), name_of("y")), 0);
  cr_assert_eq(asy_shape_find(shape_of("a"), name_of("z")), -1);
}

Test(class, instances_that_overflow_make_room_in_those_to_come) {
  run(
    "class A: pass\n"
    "def fill(o):\n"
    "  for i in range(20): setattr(o, 'a%d' % i, i)\n"
    "  return o\n"
    "a = fill(A()); b = fill(A()); c = fill(A())\n"
    "total = sum(getattr(o, 'a%d' % i) for o in (a, b, c) for i in range(20))\n");
  cr_assert_lt(shape_of("a")->inline_cap, 20);
  cr_assert_lt(shape_of("a")->inline_cap, shape_of("c")->inline_cap);
  cr_assert_eq(asy_small(global("total")), 3 * 190);
}

Test(class, more_than_64_attributes_or_a_hole_turn_an_object_to_dictionary_mode) {
  run(
    "class A: pass\n"
    "a = A()\n"
    "for i in range(64): setattr(a, 'a%d' % i, i)\n"
    "b = A(); b.x = 1; b.y = 2; del b.y\n"
    "c = A(); c.x = 1; c.y = 2; del c.x\n");
  cr_assert(!shape_of("a")->dictionary);
  cr_assert(!shape_of("b")->dictionary);
  cr_assert_eq(shape_of("b")->count, 1);
  cr_assert(shape_of("c")->dictionary);
  then("from first import a, c\na.more = 1\nassert a.a63 == 63 and a.more == 1 and c.y == 2 and not hasattr(c, 'x')\n");
  cr_assert(shape_of("a")->dictionary);
}

Test(class, slots_lie_before_the_attributes_and_have_no_names) {
  run(
    "class A: __slots__ = ('x', 'y')\n"
    "class B(A): pass\n"
    "b = B(); b.z = 1; b.y = 2\n");
  cr_assert_eq(shape_of("b")->reserved, 2);
  cr_assert_eq(shape_of("b")->count, 3);
  cr_assert_eq(asy_shape_find(shape_of("b"), name_of("y")), -1);
  cr_assert_str_eq(text_of(asy_get_attr_cstr(vm, global("b"), "__dict__")), "{'z': 1}");
  cr_assert_eq(asy_get_attr_cstr(vm, global("b"), "y"), asy_from_small(2));
  cr_assert(class_named("A")->flags & ASY_CLASS_NO_DICT);
  cr_assert(!(class_named("B")->flags & ASY_CLASS_NO_DICT));
}

Test(class, a_record_stays_true_when_a_class_above_changes) {
  run(
    "class A: pass\n"
    "class B(A): pass\n");
  asy_lookup *record = asy_class_lookup(vm, class_named("B"), name_of("m"));
  cr_assert_eq(record->kind, LOOKUP_ABSENT);
  then("from first import A, B\nA.m = 5\n");
  cr_assert_eq(record->kind, LOOKUP_PLAIN);
  cr_assert_eq(record->value, asy_from_small(5));
  cr_assert_eq(record->owner, class_named("A"));
  then("from first import A, B\ndef m(self): pass\nB.m = m\n");
  cr_assert_eq(record->kind, LOOKUP_METHOD);
  cr_assert_eq(record->owner, class_named("B"));
  then("from first import A, B\nB.m = property(m) if 0 else property(lambda self: 1)\n");
  cr_assert_eq(record->kind, LOOKUP_DATA);
  then("from first import A, B\ndel B.m\ndel A.m\n");
  cr_assert_eq(record->kind, LOOKUP_ABSENT);
  cr_assert_eq(asy_class_lookup(vm, class_named("B"), name_of("m")), record);
}

Test(class, a_record_stays_true_when_bases_change_or_a_descriptor_class_does) {
  run(
    "class P: x = 1\n"
    "class Q: x = 2\n"
    "class A(P): pass\n"
    "class D: pass\n"
    "class U: d = D()\n");
  asy_lookup *x = asy_class_lookup(vm, class_named("A"), name_of("x"));
  asy_lookup *d = asy_class_lookup(vm, class_named("U"), name_of("d"));
  cr_assert_eq(x->value, asy_from_small(1));
  cr_assert_eq(d->kind, LOOKUP_PLAIN);
  then("from first import A, Q, D\nA.__bases__ = (Q,)\nD.__get__ = lambda self, obj, owner: 7\n");
  cr_assert_eq(x->value, asy_from_small(2));
  cr_assert_eq(d->kind, LOOKUP_DESCRIPTOR);
  then("from first import D\nD.__set__ = lambda self, obj, value: None\n");
  cr_assert_eq(d->kind, LOOKUP_DATA);
}

Test(class, init_fn_is_known_only_while_nothing_else_has_a_say) {
  run(
    "class A:\n"
    "  def __init__(self): pass\n"
    "class B(A): pass\n"
    "class N(A):\n"
    "  def __new__(cls): return object.__new__(cls)\n"
    "class L(list):\n"
    "  def __init__(self): pass\n");
  cr_assert_not_null(class_named("A")->init_fn);
  cr_assert_eq(class_named("B")->init_fn, class_named("A")->init_fn);
  cr_assert_null(class_named("N")->init_fn);
  cr_assert_null(class_named("L")->init_fn);
  asy_class *b = class_named("B");
  then("from first import A\nA.__new__ = staticmethod(lambda cls: object.__new__(cls))\n");
  cr_assert_null(b->init_fn);
  then("from first import A\ndel A.__new__\n");
  cr_assert_not_null(b->init_fn);
}

Test(class, flags_follow_the_special_methods_of_the_whole_mro) {
  run("class A: pass\nclass B(A): pass\n");
  asy_class *b = class_named("B");
  cr_assert(!(b->flags & ASY_CLASS_HAS_GETATTR));
  then(
    "from first import A\nA.__getattr__ = lambda self, name: name\nA.__setattr__ = lambda self, name, value: None\n");
  cr_assert(b->flags & ASY_CLASS_HAS_GETATTR);
  cr_assert(b->flags & ASY_CLASS_HAS_SETATTR);
  then("from first import A\ndel A.__getattr__, A.__setattr__\n");
  cr_assert(!(b->flags & (ASY_CLASS_HAS_GETATTR | ASY_CLASS_HAS_SETATTR)));
}

Test(class, dead_classes_leave_the_list_of_their_base) {
  run(
    "class A: pass\n"
    "def many():\n"
    "  for i in range(50):\n"
    "    class B(A): pass\n"
    "    B().x = 1\n"
    "many()\n");
  for (int i = 0; i < 3; i++) asy_collect(vm, ASY_COLLECT_MAJOR);
  cr_assert_lt(class_named("A")->nsubclasses, 10);
}

static const char *error_of(const char *text) {
  static char out[4096];
  asy_value result = asy_run_source(vm, text, strlen(text), "nowhere", "other");
  cr_assert_eq(result, ASY_FAILED);
  asy_value exception = asy_take_exception(vm), keep;
  asy_value shown = asy_format_exception_only(vm, exception);
  size_t length;
  cr_assert_neq(shown, ASY_FAILED);
  snprintf(out, sizeof out, "%s", asy_str_utf8(vm, (asy_str *)asy_obj_of(shown), &length, &keep));
  return out;
}

Test(class, errors_say_what_cpython_says) {
  cr_assert_str_eq(error_of("class X: pass\nclass Y(X): pass\nclass Z(X, Y): pass\n"),
                   "TypeError: Cannot create a consistent method resolution order (MRO) for bases X, Y\n");
  cr_assert_str_eq(error_of("class X(bool): pass\n"), "TypeError: type 'bool' is not an acceptable base type\n");
  cr_assert_str_eq(error_of("class X(int, str): pass\n"), "TypeError: multiple bases have instance lay-out conflict\n");
  cr_assert_str_eq(error_of("object().x = 1\n"),
                   "AttributeError: 'object' object has no attribute 'x' and no __dict__ for setting new attributes\n");
  cr_assert_str_eq(error_of("class A: colour = 1\nA().color\n"),
                   "AttributeError: 'A' object has no attribute 'color'. Did you mean: 'colour'?\n");
  cr_assert_str_eq(error_of("raise ExceptionGroup('g', [ValueError(1), KeyError(2)])\n"),
                   "ExceptionGroup: g (2 sub-exceptions)\n");
}

static const char *show(const char *line, int start, int end) {
  static char out[1024];
  asy_sink sink = {0};
  asy_source_span span = {line, strlen(line)};
  asy_show_source(&sink, &span, 1, start, end, true);
  snprintf(out, sizeof out, "%s", sink.data);
  free(sink.data);
  return out;
}

Test(class, carets_mark_the_operator_the_brackets_or_the_segment) {
  cr_assert_str_eq(show("  x = a * b + c", 6, 15), "    x = a * b + c\n        ~~~~~~^~~\n");
  cr_assert_str_eq(show("x = d['a'][0]", 4, 13), "    x = d['a'][0]\n        ~~~~~~^^^\n");
  cr_assert_str_eq(show("print(f(1))", 6, 10), "    print(f(1))\n          ~^^^\n");
  cr_assert_str_eq(show("x = a.b", 4, 7), "    x = a.b\n        ^^^\n");
  cr_assert_str_eq(show("a.b", 0, 3), "    a.b\n");
  cr_assert_str_eq(show("x = f(1)", 4, 8), "    x = f(1)\n");
  cr_assert_str_eq(show("return f(1)", 7, 11), "    return f(1)\n");
  cr_assert_str_eq(show("return o.f(1)", 7, 13), "    return o.f(1)\n           ~~~^^^\n");
  cr_assert_str_eq(show("x = -a ** b", 4, 11), "    x = -a ** b\n        ^^^^^^^\n");
}
