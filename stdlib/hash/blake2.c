/* blake2.c - the module _blake2: BLAKE2b and BLAKE2s with all parameters (RFC 7693 and the BLAKE2 paper, section 2.5 on the parameter
 * block, 2.10 on trees), which libcrypto does not offer.
 */
#include "stdlib/hash/blake2.h"
#include "runtime/asy.h"

typedef struct {
  asy_obj head;
  blake2_state state;
  uint8_t block[128]; /* the last bytes given: a full block waits until more come, since the last one is hashed apart */
  int32_t filled, digest_size;
  bool small; /* BLAKE2s */
} blake2;

enum { BLOCK_B = 128, BLOCK_S = 64 };

static blake2 *blake2_of(asy_value v) { return (blake2 *)asy_obj_of(v); }
static int32_t block_size(const blake2 *b) { return b->small ? BLOCK_S : BLOCK_B; }

static void hash_block(blake2 *s, const uint8_t *block, bool last) {
  (s->small ? asy_blake2s_block : asy_blake2b_block)(&s->state, block, last);
}

static void feed(blake2 *s, const uint8_t *data, size_t length) {
  const size_t size = (size_t)block_size(s);
  while (length) {
    bool whole = !s->filled && length > size;
    if (whole || (size_t)s->filled == size) {
      s->state.counted += size;
      hash_block(s, whole ? data : s->block, false);
      s->filled = 0;
    }
    size_t room = size - (size_t)s->filled, n = length < room ? length : room;
    if (!whole) {
      memcpy(s->block + s->filled, data, n);
      s->filled += (int32_t)n;
    }
    data += n;
    length -= n;
  }
}

/* The digest of a copy: the state goes on. */
static void finish(blake2 copy, uint8_t *out) {
  copy.state.counted += (uint64_t)copy.filled;
  memset(copy.block + copy.filled, 0, (size_t)(block_size(&copy) - copy.filled));
  hash_block(&copy, copy.block, true);
  memcpy(out, &copy.state.h, (size_t)copy.digest_size);
}

/* ---- Making ---- */

enum {
  CLS,
  DATA,
  DIGEST_SIZE,
  KEY,
  SALT,
  PERSON,
  FANOUT,
  DEPTH,
  LEAF_SIZE,
  NODE_OFFSET,
  NODE_DEPTH,
  INNER_SIZE,
  LAST_NODE
};

typedef struct {
  const char *text; /* NULL: with the numbers of the class */
  int at;
  int64_t least, most;
} bound;

static bool in_bounds(asy_vm *vm, const asy_value *args, bool small, int64_t *number) {
  const int64_t most = small ? 32 : 64;
  const bound bounds[] = {{NULL, DIGEST_SIZE, 1, most},
                          {"fanout must be between 0 and 255", FANOUT, 0, 255},
                          {"depth must be between 1 and 255", DEPTH, 1, 255},
                          {"leaf_size must be between 0 and 4294967295", LEAF_SIZE, 0, UINT32_MAX},
                          {"node_offset is too large", NODE_OFFSET, 0, small ? (INT64_C(1) << 48) - 1 : INT64_MAX},
                          {"node_depth must be between 0 and 255", NODE_DEPTH, 0, 255},
                          {NULL, INNER_SIZE, 0, most}};
  for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
    const bound *b = &bounds[i];
    if (!asy_to_int64(vm, args[b->at], &number[b->at])) return false;
    int64_t given = number[b->at];
    if (given >= b->least && given <= b->most) continue;
    if (b->at == DIGEST_SIZE) asy_raise(vm, ASY_ValueError, "digest_size must be between 1 and %d bytes", (int)most);
    else if (b->at == INNER_SIZE) asy_raise(vm, ASY_ValueError, "inner_size must be between 0 and is %d", (int)most);
    else asy_raise(vm, given < 0 ? ASY_ValueError : b->most > 255 ? ASY_OverflowError : ASY_ValueError, "%s", b->text);
    return false;
  }
  return true;
}

static void put(uint8_t *to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> i * 8);
}

/* Copies a salt, person or key of at most `most` bytes; its length, -1 failed. */
static int64_t take_bytes(asy_vm *vm, asy_value v, const char *name, uint8_t *to, size_t most) {
  asy_buffer buffer;
  if (v == ASY_UNBOUND) return 0;
  if (!asy_buffer_get(vm, v, &buffer)) return -1;
  int64_t length = buffer.len <= most ? (int64_t)buffer.len : -1;
  if (length >= 0) memcpy(to, buffer.data, buffer.len);
  else asy_raise(vm, ASY_ValueError, "maximum %s length is %d bytes", name, (int)most);
  asy_buffer_release(vm, &buffer);
  return length;
}

static bool feed_value(asy_vm *vm, blake2 *s, asy_value data) {
  if (asy_is_str(data)) return asy_raise(vm, ASY_TypeError, "Strings must be encoded before hashing"), false;
  asy_buffer buffer;
  if (!asy_buffer_get(vm, data, &buffer)) return false;
  feed(s, buffer.data, buffer.len);
  asy_buffer_release(vm, &buffer);
  return true;
}

static asy_value make(asy_vm *vm, const asy_value *args, bool small) {
  int64_t number[LAST_NODE + 1];
  uint8_t block[64] = {0}, key[128] = {0};
  const size_t half = small ? 32 : 64, side = half / 4; /* salt and person take a quarter of the parameter block each */
  int last_node = asy_truth(vm, args[LAST_NODE]);
  if (last_node < 0 || !in_bounds(vm, args, small, number)) return ASY_FAILED;
  if (take_bytes(vm, args[SALT], "salt", block + half / 2, side) < 0 ||
      take_bytes(vm, args[PERSON], "person", block + half / 2 + side, side) < 0)
    return ASY_FAILED;
  int64_t key_length = take_bytes(vm, args[KEY], "key", key, half);
  if (key_length < 0) return ASY_FAILED;
  block[0] = (uint8_t)number[DIGEST_SIZE];
  block[1] = (uint8_t)key_length;
  block[2] = (uint8_t)number[FANOUT];
  block[3] = (uint8_t)number[DEPTH];
  put(block + 4, (uint64_t)number[LEAF_SIZE], 4);
  put(block + 8, (uint64_t)number[NODE_OFFSET], small ? 6 : 8);
  block[small ? 14 : 16] = (uint8_t)number[NODE_DEPTH];
  block[small ? 15 : 17] = (uint8_t)number[INNER_SIZE];
  blake2 *s = asy_new_instance(vm, (asy_class *)asy_obj_of(args[CLS]));
  if (!s) return ASY_FAILED;
  s->small = small;
  s->digest_size = (int32_t)number[DIGEST_SIZE];
  s->state.last_node = last_node ? UINT64_MAX : 0;
  asy_blake2_start(&s->state, small, block);
  if (key_length) feed(s, key, (size_t)block_size(s));
  return args[DATA] == ASY_UNBOUND || feed_value(vm, s, args[DATA]) ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value make_b(asy_vm *vm, const asy_value *args) { return make(vm, args, false); }
static asy_value make_s(asy_vm *vm, const asy_value *args) { return make(vm, args, true); }

/* ---- Methods ---- */

static asy_value blake2_update(asy_vm *vm, const asy_value *args) {
  return feed_value(vm, blake2_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value blake2_digest(asy_vm *vm, const asy_value *args) {
  uint8_t out[64];
  finish(*blake2_of(args[0]), out);
  return asy_from_bytes(vm, out, (size_t)blake2_of(args[0])->digest_size);
}

static asy_value blake2_hexdigest(asy_vm *vm, const asy_value *args) {
  uint8_t out[64];
  char text[128];
  int size = blake2_of(args[0])->digest_size;
  finish(*blake2_of(args[0]), out);
  for (int i = 0; i < size * 2; i++) text[i] = "0123456789abcdef"[out[i / 2] >> (i % 2 ? 0 : 4) & 15];
  return asy_from_text(vm, text, (size_t)size * 2);
}

static asy_value blake2_copy(asy_vm *vm, const asy_value *args) {
  blake2 *copy = asy_new_instance(vm, asy_type_of(vm, args[0]));
  if (!copy) return ASY_FAILED;
  const size_t skip = sizeof(asy_obj);
  memcpy((char *)copy + skip, (char *)blake2_of(args[0]) + skip, sizeof *copy - skip);
  return asy_from_obj(copy);
}

static asy_value get_name(asy_vm *vm, const asy_value *args) {
  return asy_from_cstr(vm, blake2_of(args[0])->small ? "blake2s" : "blake2b");
}
static asy_value get_block_size(asy_vm *vm, const asy_value *args) {
  return asy_from_small(block_size(blake2_of(args[0])));
}

static const asy_native methods[] = {
  {"update", SIG("(self, data, /)"), blake2_update,
   DOC("Update this hash object's state with the provided bytes-like object."), 0},
  {"digest", SIG("(self, /)"), blake2_digest, DOC("Return the digest value as a bytes object."), 0},
  {"hexdigest", SIG("(self, /)"), blake2_hexdigest, DOC("Return the digest value as a string of hexadecimal digits."),
   0},
  {"copy", SIG("(self, /)"), blake2_copy, DOC("Return a copy of the hash object."), 0},
  {"name", SIG("(self)"), get_name, 0, ASY_NATIVE_GETTER},
  {"block_size", SIG("(self)"), get_block_size, 0, ASY_NATIVE_GETTER},
  {0},
};

static const asy_member members[] = {{"digest_size", offsetof(blake2, digest_size), MEMBER_INT32, false}, {0}};

static const asy_type blake2b_type = {
  .name = "_blake2.blake2b",
  .doc = "Return a new BLAKE2b hash object.",
  .size = sizeof(blake2),
  .flags = ASY_TYPE_FINAL,
  .new_ = make_b,
  .new_signature = SIG("(cls, data=?, /, *, digest_size=64, key=?, salt=?, person=?, fanout=1, depth=1, leaf_size=0, "
                       "node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True)"),
  .methods = methods,
  .members = members,
};

static const asy_type blake2s_type = {
  .name = "_blake2.blake2s",
  .doc = "Return a new BLAKE2s hash object.",
  .size = sizeof(blake2),
  .flags = ASY_TYPE_FINAL,
  .new_ = make_s,
  .new_signature = SIG("(cls, data=?, /, *, digest_size=32, key=?, salt=?, person=?, fanout=1, depth=1, leaf_size=0, "
                       "node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True)"),
  .methods = methods,
  .members = members,
};

static bool add_class(asy_vm *vm, asy_value module, const char *name, const asy_type *type, int most) {
  asy_class *cls = asy_define_type(vm, type);
  return cls && asy_class_constant(vm, cls, "MAX_DIGEST_SIZE", asy_from_small(most)) &&
         asy_class_constant(vm, cls, "MAX_KEY_SIZE", asy_from_small(most)) &&
         asy_class_constant(vm, cls, "SALT_SIZE", asy_from_small(most / 4)) &&
         asy_class_constant(vm, cls, "PERSON_SIZE", asy_from_small(most / 4)) &&
         asy_module_set(vm, module, name, asy_from_obj(cls));
}

static bool init(asy_vm *vm, asy_value module) {
  return add_class(vm, module, "blake2b", &blake2b_type, 64) && add_class(vm, module, "blake2s", &blake2s_type, 32);
}

const asy_module_def asy_module_blake2 = {"_blake2", NULL, "_blake2b provides BLAKE2b for hashlib", init};
