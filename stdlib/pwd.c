/* pwd.c - the modules pwd and grp: users and groups by name and number. */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "stdlib/posix.h"

static const asy_member user_fields[] = {
#define FIELD(name, place)                                                                                             \
  { name, ASY_RECORD(place), MEMBER_VALUE, false }
  FIELD("pw_name", 0),  FIELD("pw_passwd", 1), FIELD("pw_uid", 2),   FIELD("pw_gid", 3),
  FIELD("pw_gecos", 4), FIELD("pw_dir", 5),    FIELD("pw_shell", 6), {0},
};
static const asy_member group_fields[] = {
  FIELD("gr_name", 0), FIELD("gr_passwd", 1), FIELD("gr_gid", 2), FIELD("gr_mem", 3), {0},
#undef FIELD
};

static asy_value text(asy_vm *vm, const char *s) { return s ? asy_fs_decode(vm, s, strlen(s)) : ASY_NONE; }

static asy_value user_value(asy_vm *vm, const struct passwd *p) {
  asy_class *cls = asy_define_record(vm, "pwd.struct_passwd", user_fields);
  asy_value items[] = {text(vm, p->pw_name),      text(vm, p->pw_passwd), asy_from_small(p->pw_uid),
                       asy_from_small(p->pw_gid), text(vm, p->pw_gecos),  text(vm, p->pw_dir),
                       text(vm, p->pw_shell)};
  return cls ? asy_record_new(vm, cls, items) : ASY_FAILED;
}

static asy_value group_value(asy_vm *vm, const struct group *g) {
  asy_class *cls = asy_define_record(vm, "grp.struct_group", group_fields);
  asy_list *members = asy_list_new(vm, 0);
  for (char **member = g->gr_mem; members && *member; member++) {
    asy_value name = text(vm, *member);
    if (asy_failed(name) || !asy_list_append(vm, members, name)) members = NULL;
  }
  if (!cls || !members) return ASY_FAILED;
  asy_value items[] = {text(vm, g->gr_name), text(vm, g->gr_passwd), asy_from_small(g->gr_gid), asy_from_obj(members)};
  return asy_record_new(vm, cls, items);
}

/* Looks up by what `call` asks, with a buffer that grows until the entry fits. *found NULL: there is none. False: raised. */
typedef struct {
  const char *name;
  uint32_t id;
  struct passwd user;
  struct group group;
  char *buffer; /* owned */
} search;

static int user_by_name(search *s, size_t size, void **found) {
  return getpwnam_r(s->name, &s->user, s->buffer, size, (struct passwd **)found);
}
static int user_by_id(search *s, size_t size, void **found) {
  return getpwuid_r(s->id, &s->user, s->buffer, size, (struct passwd **)found);
}
static int group_by_name(search *s, size_t size, void **found) {
  return getgrnam_r(s->name, &s->group, s->buffer, size, (struct group **)found);
}
static int group_by_id(search *s, size_t size, void **found) {
  return getgrgid_r(s->id, &s->group, s->buffer, size, (struct group **)found);
}

static bool look_up(asy_vm *vm, search *s, int (*call)(search *s, size_t size, void **found), void **found) {
  int error = ERANGE;
  for (size_t size = 1024; error == ERANGE && size <= 1 << 24; size *= 4) {
    char *grown = realloc(s->buffer, size);
    if (!grown) return asy_raise_no_memory(vm), false;
    s->buffer = grown;
    asy_thread *self = asy_thread_release(vm);
    error = call(s, size, found);
    asy_thread_acquire(vm, self);
  }
  if (error == ERANGE || error == ENOMEM) return asy_raise_no_memory(vm), false;
  return true; /* other errors: not found, as CPython has it */
}

static asy_value raise_not_found(asy_vm *vm, const char *text_, asy_value what) {
  asy_str *message = what == ASY_UNBOUND ? asy_str_format(vm, "%s not found", text_)
                                         : asy_str_format(vm, "%s not found: %R", text_, what);
  return message ? asy_raise_key(vm, asy_from_obj(message)) : ASY_FAILED;
}

static asy_value by_name(asy_vm *vm, asy_value v, const char *function, bool user) {
  search s = {0};
  posix_path name;
  void *found = NULL;
  if (!asy_is_str(v)) return asy_raise(vm, ASY_TypeError, "%s() argument must be str, not %T", function, v);
  if (!posix_path_of(vm, v, function, "name", PATH_ONLY, &name)) return ASY_FAILED;
  s.name = name.name;
  asy_value result = ASY_FAILED;
  if (look_up(vm, &s, user ? user_by_name : group_by_name, &found)) {
    if (found) result = user ? user_value(vm, &s.user) : group_value(vm, &s.group);
    else result = raise_not_found(vm, user ? "getpwnam(): name" : "getgrnam(): name", v);
  }
  free(s.buffer);
  return result;
}

static asy_value by_id(asy_vm *vm, asy_value v, bool user) {
  search s = {0};
  void *found = NULL;
  asy_value result = ASY_FAILED, shown = v;
  if (!posix_id(vm, v, user ? "uid" : "gid", &s.id)) { /* a number that no user can have is not found */
    if (!asy_raised_is(vm, ASY_OverflowError)) return ASY_FAILED;
    asy_clear_exception(vm);
    shown = ASY_UNBOUND;
  } else if (!look_up(vm, &s, user ? user_by_id : group_by_id, &found)) {
    goto done;
  }
  if (found) result = user ? user_value(vm, &s.user) : group_value(vm, &s.group);
  else result = raise_not_found(vm, user ? "getpwuid(): uid" : "getgrgid(): gid", shown);
done:
  free(s.buffer);
  return result;
}

static asy_value p_getpwnam(asy_vm *vm, const asy_value *args) { return by_name(vm, args[0], "getpwnam", true); }
static asy_value p_getgrnam(asy_vm *vm, const asy_value *args) { return by_name(vm, args[0], "getgrnam", false); }
static asy_value p_getpwuid(asy_vm *vm, const asy_value *args) { return by_id(vm, args[0], true); }
static asy_value p_getgrgid(asy_vm *vm, const asy_value *args) { return by_id(vm, args[0], false); }

static asy_value p_getpwall(asy_vm *vm, const asy_value *args) {
  asy_list *all = asy_list_new(vm, 0);
  setpwent();
  for (struct passwd *p; all && (p = getpwent());) {
    asy_value user = user_value(vm, p);
    if (asy_failed(user) || !asy_list_append(vm, all, user)) all = NULL;
  }
  endpwent();
  return all ? asy_from_obj(all) : ASY_FAILED;
}
static asy_value p_getgrall(asy_vm *vm, const asy_value *args) {
  asy_list *all = asy_list_new(vm, 0);
  setgrent();
  for (struct group *g; all && (g = getgrent());) {
    asy_value group = group_value(vm, g);
    if (asy_failed(group) || !asy_list_append(vm, all, group)) all = NULL;
  }
  endgrent();
  return all ? asy_from_obj(all) : ASY_FAILED;
}

static const asy_native pwd_natives[] = {
  {"getpwall", SIG("()"), p_getpwall, DOC("A list of all users."), 0},
  {"getpwnam", SIG("(name, /)"), p_getpwnam, DOC("The user of this name."), 0},
  {"getpwuid", SIG("(uidobj, /)"), p_getpwuid, DOC("The user of this number."), 0},
  {0},
};
static const asy_native grp_natives[] = {
  {"getgrall", SIG("()"), p_getgrall, DOC("A list of all groups."), 0},
  {"getgrgid", SIG("(id)"), p_getgrgid, DOC("The group of this number."), 0},
  {"getgrnam", SIG("(name)"), p_getgrnam, DOC("The group of this name."), 0},
  {0},
};

static bool pwd_init(asy_vm *vm, asy_value module) {
  asy_class *cls = asy_define_record(vm, "pwd.struct_passwd", user_fields);
  return cls && asy_module_set(vm, module, "struct_passwd", asy_from_obj(cls));
}
static bool grp_init(asy_vm *vm, asy_value module) {
  asy_class *cls = asy_define_record(vm, "grp.struct_group", group_fields);
  return cls && asy_module_set(vm, module, "struct_group", asy_from_obj(cls));
}

const asy_module_def asy_module_pwd = {"pwd", pwd_natives, "The users of the system.", pwd_init};
const asy_module_def asy_module_grp = {"grp", grp_natives, "The groups of the system.", grp_init};
