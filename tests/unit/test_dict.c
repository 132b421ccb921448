/* test_dict.c - the table of dict: order, deletion, growth, and the keys_version that inline caches rely on. */
#include <criterion/criterion.h>

#include "runtime/vm.h"

static asy_vm *vm;

static void open_vm(void) {
  vm = asy_vm_new(&(asy_options){0});
  cr_assert_not_null(vm);
}

static void close_vm(void) { asy_vm_free(vm); }

TestSuite(dict, .init = open_vm, .fini = close_vm);

static void set(asy_dict *dict, int64_t key, int64_t value) {
  cr_assert(asy_dict_set(vm, dict, asy_from_small(key), asy_from_small(value)));
}

static int drop(asy_dict *dict, int64_t key) { return asy_dict_delete(vm, dict, asy_from_small(key), NULL); }

/* "1:10 2:20" in the order of iteration. */
static const char *text_of(asy_dict *dict) {
  static char text[4096];
  asy_value key, value;
  size_t n = 0;
  text[0] = 0;
  for (uint32_t i = 0; asy_dict_next(dict, &i, &key, &value);) {
    n += (size_t)snprintf(text + n, sizeof text - n, "%s%lld:%lld", n ? " " : "", (long long)asy_small(key),
                          (long long)asy_small(value));
  }
  return text;
}

Test(dict, keeps_the_order_of_insertion) {
  asy_dict *dict = asy_dict_new(vm, 0);
  set(dict, 3, 30);
  set(dict, 1, 10);
  set(dict, 2, 20);
  set(dict, 3, 31);
  cr_assert_str_eq(text_of(dict), "3:31 1:10 2:20");
}

Test(dict, a_key_deleted_and_set_again_comes_last) {
  asy_dict *dict = asy_dict_new(vm, 0);
  for (int i = 1; i <= 4; i++) set(dict, i, i * 10);
  cr_assert_eq(drop(dict, 2), 1);
  cr_assert_eq(drop(dict, 2), 0);
  set(dict, 2, 22);
  cr_assert_str_eq(text_of(dict), "1:10 3:30 4:40 2:22");
}

Test(dict, finds_every_key_while_it_grows_and_shrinks) {
  asy_dict *dict = asy_dict_new(vm, 0);
  asy_value value;
  for (int i = 0; i < 100000; i++) set(dict, (int64_t)i * 4096, i);
  for (int i = 0; i < 100000; i += 2) cr_assert_eq(drop(dict, (int64_t)i * 4096), 1);
  cr_assert_eq(dict->used, 50000);
  for (int i = 0; i < 100000; i++) {
    int found = asy_dict_get(vm, dict, asy_from_small((int64_t)i * 4096), &value);
    cr_assert_eq(found, i & 1);
    if (found) cr_assert_eq(value, asy_from_small(i));
  }
}

Test(dict, many_keys_through_few_places_do_not_make_it_grow) {
  asy_dict *dict = asy_dict_new(vm, 0);
  for (int i = 0; i < 20; i++) set(dict, i, i);
  uint32_t cap = dict->cap;
  for (int i = 20; i < 20000; i++) {
    set(dict, i, i);
    cr_assert_eq(drop(dict, i - 20), 1);
  }
  cr_assert_eq(dict->used, 20);
  cr_assert_leq(dict->cap, cap * 4);
}

Test(dict, a_key_that_comes_and_goes_does_not_make_it_grow) {
  asy_dict *dict = asy_dict_new(vm, 0);
  for (int i = 0; i < 30; i++) set(dict, i, i);
  uint32_t cap = dict->cap;
  for (int i = 100; i < 10000; i++) {
    set(dict, i, i);
    cr_assert_eq(drop(dict, i), 1);
  }
  cr_assert_leq(dict->cap, cap * 2);
  asy_value value;
  for (int i = 0; i < 30; i++) cr_assert_eq(asy_dict_get(vm, dict, asy_from_small(i), &value), 1);
}

Test(dict, keys_version_survives_stores_and_dies_with_the_set_of_keys) {
  asy_dict *dict = asy_dict_new(vm, 0);
  set(dict, 1, 10);
  uint32_t version = asy_dict_version(vm, dict);
  cr_assert_neq(version, 0);
  set(dict, 1, 11);
  cr_assert_eq(dict->keys_version, version);
  set(dict, 2, 20);
  cr_assert_eq(dict->keys_version, 0);
  cr_assert_neq(asy_dict_version(vm, dict), version);
  drop(dict, 2);
  cr_assert_eq(dict->keys_version, 0);
  asy_dict_version(vm, dict);
  asy_dict_clear(vm, dict);
  cr_assert_eq(dict->keys_version, 0);
}

Test(dict, str_keys_are_found_by_content_whatever_else_is_in_it) {
  asy_dict *dict = asy_dict_new(vm, 0);
  asy_str *key = asy_intern(vm, "apple");
  cr_assert(asy_dict_set_str(vm, dict, key, asy_from_small(1)));
  for (int i = 0; i < 100; i++) set(dict, i, i);
  asy_value value, twin = asy_from_text(vm, "apple", 5);
  cr_assert_eq(asy_dict_get(vm, dict, twin, &value), 1);
  cr_assert_eq(value, asy_from_small(1));
  cr_assert_eq(asy_dict_get_str(vm, dict, asy_intern(vm, "pear")), ASY_UNBOUND);
  cr_assert_eq(asy_dict_find_str(vm, dict, key)->value, asy_from_small(1));
}

Test(dict, a_copy_closes_the_gaps_and_is_independent) {
  asy_dict *dict = asy_dict_new(vm, 0);
  for (int i = 0; i < 6; i++) set(dict, i, i);
  drop(dict, 0);
  drop(dict, 3);
  asy_dict *copy = asy_dict_copy(vm, dict);
  set(copy, 9, 9);
  cr_assert_str_eq(text_of(copy), "1:1 2:2 4:4 5:5 9:9");
  cr_assert_str_eq(text_of(dict), "1:1 2:2 4:4 5:5");
}

Test(dict, an_unhashable_key_fails) {
  asy_dict *dict = asy_dict_new(vm, 0);
  asy_value value;
  cr_assert_eq(asy_dict_get(vm, dict, asy_from_obj(asy_list_new(vm, 0)), &value), -1);
  cr_assert(asy_raised_is(vm, ASY_TypeError));
  asy_clear_exception(vm);
}
