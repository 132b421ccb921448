/* test_str.c - what C code relies on in text: widths, interning, the watermark of +=, slices, codecs, asy_raise's directives. */
#include <criterion/criterion.h>

#include "runtime/types/bytes.h"
#include "runtime/types/codec.h"
#include "runtime/types/format.h"
#include "runtime/vm.h"

static asy_vm *vm;

static void open_vm(void) {
  vm = asy_vm_new(&(asy_options){0});
  cr_assert_not_null(vm);
}

static void close_vm(void) { asy_vm_free(vm); }

TestSuite(str, .init = open_vm, .fini = close_vm);

static asy_str *of(const char *text) {
  asy_str *s = asy_str_from_cstr(vm, text);
  cr_assert_not_null(s);
  return s;
}

static const char *text_of(asy_str *s) {
  size_t length;
  asy_value keep;
  cr_assert_not_null(s);
  return asy_str_utf8(vm, s, &length, &keep);
}

Test(str, is_as_narrow_as_its_widest_character) {
  cr_assert_eq(asy_str_width(of("abc")), 1);
  cr_assert_eq(asy_str_width(of("caf\xC3\xA9")), 1);
  cr_assert_eq(asy_str_width(of("\xE2\x82\xAC")), 2);
  cr_assert_eq(asy_str_width(of("\xF0\x9F\x98\x80x")), 4);
}

Test(str, a_slice_is_narrowed_again) {
  asy_str *wide = of(
    "ab\xF0\x9F\x98\x80"
    "cd");
  asy_str *narrow = asy_str_slice(vm, wide, 0, 2);
  cr_assert_eq(asy_str_width(narrow), 1);
  cr_assert(narrow->head.flags & STR_ASCII);
  cr_assert(asy_str_equal(narrow, of("ab")));
}

Test(str, one_latin1_character_is_shared) {
  cr_assert_eq(asy_str_char(vm, 'x'), asy_str_slice(vm, of("wxyz"), 1, 2));
  cr_assert_eq(asy_str_char(vm, 0xE9), of("\xC3\xA9"));
}

Test(str, equal_interned_strings_are_the_same_object) {
  asy_str *name = asy_intern(vm, "some_name");
  cr_assert_eq(asy_str_intern(vm, of("some_name")), name);
  cr_assert_neq(asy_intern(vm, "some_other_name"), name);
}

Test(str, appending_in_a_loop_does_not_copy) {
  asy_str *s = of("0123456789"), *piece = of("0123456789");
  const void *data = NULL;
  unsigned moves = 0;
  for (int i = 0; i < 20000; i++) {
    s = asy_str_concat(vm, s, piece);
    if (asy_str_data(s) != data) moves++;
    data = asy_str_data(s);
  }
  cr_assert_eq(s->len, 200010);
  cr_assert_lt(moves, 100, "%u copies", moves);
}

Test(str, a_prefix_of_a_buffer_keeps_its_text) {
  char base[401];
  memset(base, 'a', 400);
  base[400] = 0;
  asy_str *s = asy_str_concat(vm, of(base), of("b"));
  asy_str *left = asy_str_concat(vm, s, of("left"));
  asy_str *right = asy_str_concat(vm, s, of("right"));
  cr_assert_eq(s->len, 401);
  cr_assert_eq(asy_str_at(s, 400), 'b');
  cr_assert(asy_str_equal(asy_str_slice(vm, left, 400, left->len), of("bleft")));
  cr_assert(asy_str_equal(asy_str_slice(vm, right, 400, right->len), of("bright")));
  cr_assert_eq(text_of(s)[401], 0);
}

Test(str, order_is_by_code_point_whatever_the_width) {
  cr_assert_lt(asy_str_compare(of("abc"), of("abd")), 0);
  cr_assert_lt(asy_str_compare(of("z"), of("\xE2\x82\xAC")), 0);
  cr_assert_gt(asy_str_compare(of("\xF0\x9F\x98\x80"), of("\xEF\xBF\xBD")), 0);
  cr_assert_eq(asy_str_compare(of("same"), of("same")), 0);
}

Test(str, is_found_in_text_of_any_width) {
  asy_str *wide = of(
    "a\xE2\x82\xAC"
    "bc\xE2\x82\xAC"
    "bd");
  cr_assert_eq(asy_str_find(vm, wide, 0, wide->len, of("bd")), 5);
  cr_assert_eq(asy_str_find(vm, wide, 0, wide->len,
                            of("\xE2\x82\xAC"
                               "b")),
               1);
  cr_assert_eq(asy_str_find(vm, wide, 2, wide->len,
                            of("\xE2\x82\xAC"
                               "b")),
               4);
  cr_assert_eq(asy_str_find(vm, of("plain"), 0, 5, of("\xE2\x82\xAC")), -1);
}

Test(str, format_directives) {
  asy_value three = asy_from_small(3), name = asy_from_obj(of("it's"));
  asy_str *s = asy_str_format(vm, "%s %.2s %d %u %lld %zu %c %x %% %R %S %T %U", "text", "abcdef", -5, 7u, -1LL,
                              (size_t)9, 0x20AC, 255, name, name, three, of("end"));
  cr_assert_str_eq(text_of(s), "text ab -5 7 -1 9 \xE2\x82\xAC ff % \"it's\" it's int end");
}

Test(str, builder_widens_and_narrows) {
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_ascii(&t, "abc");
  asy_text_char(&t, 0x1F600);
  asy_text_fill(&t, '-', 3);
  cr_assert_str_eq(text_of(asy_text_finish(&t)), "abc\xF0\x9F\x98\x80---");
  asy_text_init(&t, vm);
  asy_text_slice(&t,
                 of("\xF0\x9F\x98\x80"
                    "abc"),
                 1, 4);
  asy_str *s = asy_text_finish(&t);
  cr_assert(s->head.flags & STR_ASCII);
  cr_assert_str_eq(text_of(s), "abc");
}

Test(str, malformed_utf8_raises) {
  cr_assert_null(asy_str_new_utf8(vm, "a\xFF", 2));
  cr_assert(asy_raised_is(vm, ASY_UnicodeDecodeError));
  asy_clear_exception(vm);
}

Test(str, utf8_in_pieces_leaves_an_incomplete_end) {
  size_t used;
  asy_str *s = asy_decode_utf8_partial(vm, (const uint8_t *)"ab\xE2\x82", 4, "strict", &used);
  cr_assert_str_eq(text_of(s), "ab");
  cr_assert_eq(used, 2);
}

Test(str, bytearray_deletes_its_front_without_moving) {
  asy_bytearray *b = asy_bytearray_new(vm, "hello world", 11);
  cr_assert(asy_bytearray_delete_front(vm, b, 6));
  cr_assert_eq(b->len, 5);
  cr_assert(memcmp(asy_bytearray_data(b), "world", 6) == 0);
  cr_assert(asy_bytearray_append(vm, b, "!!", 2));
  cr_assert(memcmp(asy_bytearray_data(b), "world!!", 8) == 0);
}

Test(str, an_exported_bytearray_keeps_its_size) {
  asy_bytearray *b = asy_bytearray_new(vm, "abc", 3);
  asy_buffer buffer;
  cr_assert(asy_buffer_get(vm, asy_from_obj(b), &buffer));
  cr_assert_not(asy_bytearray_append(vm, b, "d", 1));
  cr_assert(asy_raised_is(vm, ASY_BufferError));
  asy_clear_exception(vm);
  asy_buffer_release(vm, &buffer);
  cr_assert(asy_bytearray_append(vm, b, "d", 1));
}

static const char *formatted(asy_value v, const char *spec) {
  asy_value args[2] = {v, asy_from_obj(of(spec))};
  asy_value text = asy_is_float(v) ? asy_format_float(vm, args) : asy_format_int(vm, args);
  cr_assert_neq(text, ASY_FAILED);
  return text_of((asy_str *)asy_obj_of(text));
}

Test(str, zero_filling_reaches_through_separators) {
  asy_value n = asy_from_small(1234);
  cr_assert_str_eq(formatted(n, "06,"), "01,234");
  cr_assert_str_eq(formatted(n, "07,"), "001,234");
  cr_assert_str_eq(formatted(n, "08,"), "0,001,234");
  cr_assert_str_eq(formatted(n, "09,"), "0,001,234");
  cr_assert_str_eq(formatted(asy_from_small(-255), "#010x"), "-0x00000ff");
}

Test(str, float_presentation_types) {
  asy_value x = asy_from_double(vm, 1234.5678);
  cr_assert_str_eq(formatted(x, ".2f"), "1234.57");
  cr_assert_str_eq(formatted(x, "+,.1f"), "+1,234.6");
  cr_assert_str_eq(formatted(x, ".3"), "1.23e+03");
  cr_assert_str_eq(formatted(x, ".1%"), "123456.8%");
  cr_assert_str_eq(formatted(asy_from_double(vm, -0.0001), "z.1f"), "0.0");
}
