/* stat.c - the module stat: what the bits of st_mode mean. */
#include <sys/stat.h>

#include "stdlib/posix.h"

static bool mode_of(asy_vm *vm, asy_value v, mode_t *out) {
  int64_t mode;
  if (!asy_is_integer(v)) return asy_raise(vm, ASY_TypeError, "an integer is required"), false;
  if (!asy_to_int64(vm, v, &mode)) return false;
  if (mode < 0) return asy_raise(vm, ASY_OverflowError, "can't convert negative value to unsigned int"), false;
  if (mode > UINT32_MAX) return asy_raise(vm, ASY_OverflowError, "mode out of range"), false;
  *out = (mode_t)mode;
  return true;
}

#define KINDS(X) X(S_ISBLK) X(S_ISCHR) X(S_ISDIR) X(S_ISFIFO) X(S_ISLNK) X(S_ISREG) X(S_ISSOCK)
#define X(name)                                                                                                        \
  static asy_value s_##name(asy_vm *vm, const asy_value *args) {                                                       \
    mode_t mode;                                                                                                       \
    return mode_of(vm, args[0], &mode) ? asy_from_bool(name(mode)) : ASY_FAILED;                                       \
  }
KINDS(X)
#undef X

static asy_value s_never(asy_vm *vm, const asy_value *args) {
  mode_t mode;
  return mode_of(vm, args[0], &mode) ? ASY_FALSE : ASY_FAILED;
}
static asy_value s_imode(asy_vm *vm, const asy_value *args) {
  mode_t mode;
  return mode_of(vm, args[0], &mode) ? asy_from_small(mode & 07777) : ASY_FAILED;
}
static asy_value s_ifmt(asy_vm *vm, const asy_value *args) {
  mode_t mode;
  return mode_of(vm, args[0], &mode) ? asy_from_small(mode & S_IFMT) : ASY_FAILED;
}

/* "-rwxr-xr-x" */
static asy_value s_filemode(asy_vm *vm, const asy_value *args) {
  static const struct {
    mode_t kind;
    char letter;
  } kinds[] = {{S_IFLNK, 'l'}, {S_IFSOCK, 's'}, {S_IFREG, '-'}, {S_IFBLK, 'b'},
               {S_IFDIR, 'd'}, {S_IFCHR, 'c'},  {S_IFIFO, 'p'}};
  mode_t mode;
  char text[] = "?rwxrwxrwx";
  if (!mode_of(vm, args[0], &mode)) return ASY_FAILED;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if ((mode & S_IFMT) == kinds[i].kind) text[0] = kinds[i].letter;
  for (int i = 0; i < 9; i++)
    if (!(mode & (0400u >> i))) text[i + 1] = '-';
  if (mode & S_ISUID) text[3] = mode & S_IXUSR ? 's' : 'S';
  if (mode & S_ISGID) text[6] = mode & S_IXGRP ? 's' : 'S';
  if (mode & S_ISVTX) text[9] = mode & S_IXOTH ? 't' : 'T';
  return asy_from_cstr(vm, text);
}

static const asy_native natives[] = {
#define X(name) {#name, SIG("(mode, /)"), s_##name, 0, 0},
  KINDS(X)
#undef X
    {"S_IFMT", SIG("(mode, /)"), s_ifmt, DOC("Return the portion of the file's mode that describes the file type."), 0},
  {"S_IMODE", SIG("(mode, /)"), s_imode, DOC("Return the portion of the file's mode that can be set by os.chmod()."),
   0},
  {"S_ISDOOR", SIG("(mode, /)"), s_never, DOC("False: there are no doors on Linux."), 0},
  {"S_ISPORT", SIG("(mode, /)"), s_never, DOC("False: there are no event ports on Linux."), 0},
  {"S_ISWHT", SIG("(mode, /)"), s_never, DOC("False: there are no whiteouts on Linux."), 0},
  {"filemode", SIG("(mode, /)"), s_filemode, DOC("Convert a file's mode to a string of the form '-rwxrwxrwx'."), 0},
  {0},
};

enum { S_ENFMT = S_ISGID, S_IFDOOR = 0, S_IFPORT = 0, S_IFWHT = 0 };
/* Places in the tuple that os.stat returns. */
enum {
  ST_MODE = 0,
  ST_INO = 1,
  ST_DEV = 2,
  ST_NLINK = 3,
  ST_UID = 4,
  ST_GID = 5,
  ST_SIZE = 6,
  ST_ATIME = 7,
  ST_MTIME = 8,
  ST_CTIME = 9
};
/* Flags of BSD and Windows. */
enum {
  UF_SETTABLE = 0xffff,
  UF_NODUMP = 1,
  UF_IMMUTABLE = 2,
  UF_APPEND = 4,
  UF_OPAQUE = 8,
  UF_NOUNLINK = 0x10,
  UF_COMPRESSED = 0x20,
  UF_TRACKED = 0x40,
  UF_DATAVAULT = 0x80,
  UF_HIDDEN = 0x8000
};
enum {
  SF_ARCHIVED = 0x10000,
  SF_IMMUTABLE = 0x20000,
  SF_APPEND = 0x40000,
  SF_RESTRICTED = 0x80000,
  SF_NOUNLINK = 0x100000,
  SF_SNAPSHOT = 0x200000,
  SF_FIRMLINK = 0x800000,
  SF_DATALESS = 0x40000000
};
#define SF_SETTABLE 0xffff0000
enum {
  FILE_ATTRIBUTE_ARCHIVE = 32,
  FILE_ATTRIBUTE_COMPRESSED = 2048,
  FILE_ATTRIBUTE_DEVICE = 64,
  FILE_ATTRIBUTE_DIRECTORY = 16,
  FILE_ATTRIBUTE_ENCRYPTED = 16384,
  FILE_ATTRIBUTE_HIDDEN = 2,
  FILE_ATTRIBUTE_INTEGRITY_STREAM = 32768,
  FILE_ATTRIBUTE_NORMAL = 128,
  FILE_ATTRIBUTE_NOT_CONTENT_INDEXED = 8192,
  FILE_ATTRIBUTE_NO_SCRUB_DATA = 131072,
  FILE_ATTRIBUTE_OFFLINE = 4096,
  FILE_ATTRIBUTE_READONLY = 1,
  FILE_ATTRIBUTE_REPARSE_POINT = 1024,
  FILE_ATTRIBUTE_SPARSE_FILE = 512,
  FILE_ATTRIBUTE_SYSTEM = 4,
  FILE_ATTRIBUTE_TEMPORARY = 256,
  FILE_ATTRIBUTE_VIRTUAL = 65536
};
static const asy_constants constants = CONSTANTS(
  "stat", S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK, S_IRGRP, S_IROTH, S_IRUSR, S_IRWXG, S_IRWXO,
  S_IRWXU, S_ISGID, S_ISUID, S_ISVTX, S_IWGRP, S_IWOTH, S_IWUSR, S_IXGRP, S_IXOTH, S_IXUSR, S_IREAD, S_IWRITE, S_IEXEC,
  S_ENFMT, S_IFDOOR, S_IFPORT, S_IFWHT, ST_MODE, ST_INO, ST_DEV, ST_NLINK, ST_UID, ST_GID, ST_SIZE, ST_ATIME, ST_MTIME,
  ST_CTIME, UF_SETTABLE, UF_NODUMP, UF_IMMUTABLE, UF_APPEND, UF_OPAQUE, UF_NOUNLINK, UF_COMPRESSED, UF_TRACKED,
  UF_DATAVAULT, UF_HIDDEN, SF_ARCHIVED, SF_IMMUTABLE, SF_APPEND, SF_RESTRICTED, SF_NOUNLINK, SF_SNAPSHOT, SF_FIRMLINK,
  SF_DATALESS, FILE_ATTRIBUTE_ARCHIVE, FILE_ATTRIBUTE_COMPRESSED, FILE_ATTRIBUTE_DEVICE, FILE_ATTRIBUTE_DIRECTORY,
  FILE_ATTRIBUTE_ENCRYPTED, FILE_ATTRIBUTE_HIDDEN, FILE_ATTRIBUTE_INTEGRITY_STREAM, FILE_ATTRIBUTE_NORMAL,
  FILE_ATTRIBUTE_NOT_CONTENT_INDEXED, FILE_ATTRIBUTE_NO_SCRUB_DATA, FILE_ATTRIBUTE_OFFLINE, FILE_ATTRIBUTE_READONLY,
  FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_SPARSE_FILE, FILE_ATTRIBUTE_SYSTEM, FILE_ATTRIBUTE_TEMPORARY,
  FILE_ATTRIBUTE_VIRTUAL);
static const asy_constants unsigned_constants = UNSIGNED_CONSTANTS("stat_unsigned", SF_SETTABLE);

static bool init(asy_vm *vm, asy_value module) {
  return asy_module_add_constants(vm, module, &constants) && asy_module_add_constants(vm, module, &unsigned_constants);
}

const asy_module_def asy_module_stat = {"stat", natives, "Constants and functions for results of os.stat().", init};
