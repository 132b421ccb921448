/* module.c - the module _sre: the cache of compiled patterns, and the functions of re that use it. */
#include <stdlib.h>

#include "stdlib/re/re.h"

enum { MAX_CACHED = 512 };

static void shared_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((re_shared *)o)->cache); }
static void shared_free(asy_vm *vm, asy_obj *o) { re_unload((re_shared *)o); }

static const asy_type shared_type = {
  .name = "_sre.shared",
  .size = sizeof(re_shared),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = shared_visit,
  .free = shared_free,
};

static re_shared *shared_of(asy_value v) { return (re_shared *)asy_obj_of(v); }

/* The flags as a number; an int subclass (RegexFlag) too. */
static bool flags_of(asy_vm *vm, asy_value v, uint32_t *out) {
  int64_t flags;
  if (!asy_to_int64(vm, v, &flags)) return false;
  *out = (uint32_t)flags;
  return true;
}

/* The Pattern of a str, bytes or Pattern: from the cache when it is there. The oldest leave a full cache. */
static asy_value pattern_of(asy_vm *vm, re_shared *shared, asy_value source, asy_value flags_value) {
  uint32_t flags;
  if (!flags_of(vm, flags_value, &flags)) return ASY_FAILED;
  if (re_is_pattern(vm, source)) {
    if (!flags) return source;
    return asy_raise(vm, ASY_ValueError, "cannot process flags argument with a compiled pattern");
  }
  bool is_text = asy_is_str(source), plain = asy_is_exact(source, KIND_STR) || asy_is_exact(source, KIND_BYTES);
  if (!is_text && !asy_is_kind(source, KIND_BYTES))
    return asy_raise(vm, ASY_TypeError, "first argument must be string or compiled pattern");
  asy_value key = source, found;
  if (flags || !plain) {
    key = asy_tuple_of(vm, 3, source, asy_from_small(flags), plain ? ASY_NONE : asy_from_obj(asy_type_of(vm, source)));
    if (asy_failed(key)) return ASY_FAILED;
  }
  int has = asy_dict_get(vm, shared->cache, key, &found);
  if (has) return has < 0 ? ASY_FAILED : found;
  asy_value pattern = re_pattern_new(vm, shared, source, flags);
  if (asy_failed(pattern)) return ASY_FAILED;
  uint32_t position = 0;
  asy_value oldest, ignored;
  if (shared->cache->used >= MAX_CACHED && asy_dict_next(shared->cache, &position, &oldest, &ignored) &&
      asy_dict_delete(vm, shared->cache, oldest, NULL) < 0)
    return ASY_FAILED;
  return asy_dict_set(vm, shared->cache, key, pattern) ? pattern : ASY_FAILED;
}

static const asy_value no_pos = 1; /* the small int 0 */
static asy_value no_endpos(void) { return asy_from_small(UINT32_MAX); }

static asy_value sre_compile(asy_vm *vm, const asy_value *args) {
  return pattern_of(vm, shared_of(args[0]), args[1], args[2]);
}

static asy_value match_as(asy_vm *vm, const asy_value *args, re_mode mode) {
  asy_value p = pattern_of(vm, shared_of(args[0]), args[1], args[3]);
  return asy_failed(p) ? ASY_FAILED : re_do_match(vm, p, args[2], no_pos, no_endpos(), mode);
}
static asy_value sre_match(asy_vm *vm, const asy_value *args) { return match_as(vm, args, RE_MATCH); }
static asy_value sre_fullmatch(asy_vm *vm, const asy_value *args) { return match_as(vm, args, RE_FULLMATCH); }
static asy_value sre_search(asy_vm *vm, const asy_value *args) { return match_as(vm, args, RE_SEARCH); }

static asy_value sre_findall(asy_vm *vm, const asy_value *args) {
  asy_value p = pattern_of(vm, shared_of(args[0]), args[1], args[3]);
  return asy_failed(p) ? ASY_FAILED : re_do_findall(vm, p, args[2], no_pos, no_endpos());
}
static asy_value sre_finditer(asy_vm *vm, const asy_value *args) {
  asy_value p = pattern_of(vm, shared_of(args[0]), args[1], args[3]);
  return asy_failed(p) ? ASY_FAILED : re_do_finditer(vm, p, args[2], no_pos, no_endpos());
}
static asy_value sre_split(asy_vm *vm, const asy_value *args) {
  asy_value p = pattern_of(vm, shared_of(args[0]), args[1], args[4]);
  return asy_failed(p) ? ASY_FAILED : re_do_split(vm, p, args[2], args[3]);
}
static asy_value sre_sub(asy_vm *vm, const asy_value *args) {
  asy_value p = pattern_of(vm, shared_of(args[0]), args[1], args[5]);
  return asy_failed(p) ? ASY_FAILED : re_do_sub(vm, p, args[2], args[3], args[4], false);
}
static asy_value sre_subn(asy_vm *vm, const asy_value *args) {
  asy_value p = pattern_of(vm, shared_of(args[0]), args[1], args[5]);
  return asy_failed(p) ? ASY_FAILED : re_do_sub(vm, p, args[2], args[3], args[4], true);
}
static asy_value sre_purge(asy_vm *vm, const asy_value *args) {
  asy_dict_clear(vm, shared_of(args[0])->cache);
  return ASY_NONE;
}

static const char special[] = "()[]{}?*+-|^$\\.&~# \t\n\r\v\f";

static asy_value sre_escape(asy_vm *vm, const asy_value *args) {
  re_reader in = {0};
  if (!asy_is_str(args[1]) && !asy_is_bytes_like(args[1]))
    return asy_raise(vm, ASY_TypeError, "decoding to str: need a bytes-like object, %T found", args[1]);
  asy_value source = args[1];
  if (!asy_is_str(source)) {
    if (!re_reader_text(&in, vm, source)) return ASY_FAILED;
    source = in.str;
  }
  const asy_str *s = (const asy_str *)asy_obj_of(source);
  asy_text t;
  asy_text_init(&t, vm);
  for (uint32_t i = 0; i < s->len; i++) {
    uint32_t c = asy_str_at(s, i);
    if (c && c < 128 && strchr(special, (int)c)) asy_text_char(&t, '\\');
    asy_text_char(&t, c);
  }
  asy_str *text = asy_text_finish(&t);
  if (!text || asy_is_str(args[1])) return text ? asy_from_obj(text) : ASY_FAILED;
  return asy_from_bytes(vm, asy_str_data(text), text->len);
}

/* Bound to the shared object, which is their first argument. */
static const asy_native functions[] = {
  {"compile", SIG("(shared, pattern, flags=0)"), sre_compile,
   DOC("Compile a regular expression pattern, returning a Pattern object."), 0},
  {"match", SIG("(shared, pattern, string, flags=0)"), sre_match,
   DOC("Try to apply the pattern at the start of the string, returning a Match object, or None if no match was found."),
   0},
  {"fullmatch", SIG("(shared, pattern, string, flags=0)"), sre_fullmatch,
   DOC("Try to apply the pattern to all of the string, returning a Match object, or None if no match was found."), 0},
  {"search", SIG("(shared, pattern, string, flags=0)"), sre_search,
   DOC("Scan through string looking for a match to the pattern, returning a Match object, or None if no match was "
       "found."),
   0},
  {"findall", SIG("(shared, pattern, string, flags=0)"), sre_findall,
   DOC("Return a list of all non-overlapping matches in the string."), 0},
  {"finditer", SIG("(shared, pattern, string, flags=0)"), sre_finditer,
   DOC("Return an iterator over all non-overlapping matches in the string."), 0},
  {"split", SIG("(shared, pattern, string, maxsplit=0, flags=0)"), sre_split,
   DOC("Split the source string by the occurrences of the pattern, returning a list containing the resulting "
       "substrings."),
   0},
  {"sub", SIG("(shared, pattern, repl, string, count=0, flags=0)"), sre_sub,
   DOC(
     "Return the string obtained by replacing the leftmost non-overlapping occurrences of the pattern in string by the"
     " replacement repl."),
   0},
  {"subn", SIG("(shared, pattern, repl, string, count=0, flags=0)"), sre_subn,
   DOC("Return a 2-tuple of the string as sub() returns it and the number of replacements."), 0},
  {"purge", SIG("(shared)"), sre_purge, DOC("Clear the regular expression caches"), 0},
  {"escape", SIG("(shared, pattern)"), sre_escape, DOC("Escape special characters in a string."), 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  re_shared *shared = asy_new_object(vm, &shared_type);
  asy_dict *cache = shared ? asy_dict_new(vm, 0) : NULL;
  if (!cache) return false;
  shared->cache = cache;
  asy_barrier(vm, shared);
  asy_value name = asy_from_cstr(vm, "re");
  for (const asy_native *row = functions; row->name; row++) {
    asy_value function = asy_failed(name) ? ASY_FAILED : asy_new_native(vm, row, asy_from_obj(shared), name);
    if (asy_failed(function) || !asy_module_set(vm, module, row->name, function)) return false;
  }
  return re_define_pattern(vm, module) && re_define_match(vm, module);
}

const asy_module_def asy_module_sre = {"_sre", NULL, "The matcher behind re: Python's patterns run by PCRE2.", init};
