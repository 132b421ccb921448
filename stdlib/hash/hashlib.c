/* hashlib.c - the module _hashlib: message digests of OpenSSL's libcrypto, which is loaded at the first use.
 *
 * Each digest owns one EVP context.
 */
#include <openssl/evp.h>
#include <sched.h>

#include "runtime/asy.h"

/* In the order of `names`. */
typedef struct {
  EVP_MD_CTX *(*context_new)(void);
  void (*context_free)(EVP_MD_CTX *);
  int (*context_copy)(EVP_MD_CTX *, const EVP_MD_CTX *);
  EVP_MD *(*fetch)(OSSL_LIB_CTX *, const char *, const char *);
  void (*release)(EVP_MD *);
  int (*digest_init)(EVP_MD_CTX *, const EVP_MD *, ENGINE *);
  int (*update)(EVP_MD_CTX *, const void *, size_t);
  int (*final)(EVP_MD_CTX *, unsigned char *, unsigned *);
  int (*final_xof)(EVP_MD_CTX *, unsigned char *, size_t);
  int (*digest_size)(const EVP_MD *);
  int (*block_size)(const EVP_MD *);
  int (*pbkdf2)(const char *, int, const unsigned char *, int, int, const EVP_MD *, int, unsigned char *);
  int (*scrypt)(const char *, size_t, const unsigned char *, size_t, uint64_t, uint64_t, uint64_t, uint64_t,
                unsigned char *, size_t);
} crypto;

static const char names[] =
  "EVP_MD_CTX_new\0EVP_MD_CTX_free\0EVP_MD_CTX_copy_ex\0EVP_MD_fetch\0EVP_MD_free\0EVP_DigestInit_ex\0EVP_"
  "DigestUpdate\0"
  "EVP_DigestFinal_ex\0EVP_DigestFinalXOF\0EVP_MD_get_size\0EVP_MD_get_block_size\0PKCS5_PBKDF2_HMAC\0EVP_PBE_scrypt\0";
static const asy_library library = {"libcrypto.so.3", "libssl3", "*", names, sizeof(crypto)};

/* NULL: ImportError. Not while the VM lock is released. */
static const crypto *lib(asy_vm *vm) { return asy_library_table(vm, &library); }

typedef struct {
  asy_obj head;
  asy_str *name; /* as CPython writes it: "sha256" */
  EVP_MD_CTX *context;
  bool busy;           /* another thread is in it and does not hold the VM lock */
  int32_t digest_size; /* 0: as long as wanted (SHAKE) */
  int32_t block_size;
} digest;

enum { RELEASE_FROM = 2048 }; /* bytes: other threads may run while more is hashed */

static const asy_type digest_type;

static digest *digest_of(asy_value v) { return (digest *)asy_obj_of(v); }

/* The name libcrypto knows; the others are the same in both. */
static const char *const renamed[][2] = {
  {"sha3_224", "SHA3-224"},   {"sha3_256", "SHA3-256"},   {"sha3_384", "SHA3-384"},     {"sha3_512", "SHA3-512"},
  {"shake_128", "SHAKE128"},  {"shake_256", "SHAKE256"},  {"sha512_224", "SHA512-224"}, {"sha512_256", "SHA512-256"},
  {"blake2b", "BLAKE2B-512"}, {"blake2s", "BLAKE2S-256"}, {"md5-sha1", "MD5-SHA1"},
};

static EVP_MD *find_algorithm(asy_vm *vm, asy_value name) {
  const char *text;
  if (!lib(vm)) return NULL;
  if (!asy_is_str(name)) return asy_raise(vm, ASY_TypeError, "name must be a string"), NULL;
  if (!asy_to_cstr(vm, name, &text)) return NULL;
  for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
    if (!strcmp(text, renamed[i][0])) text = renamed[i][1];
  EVP_MD *algorithm = lib(vm)->fetch(NULL, text, NULL);
  if (!algorithm) asy_raise(vm, ASY_ValueError, "unsupported hash type %S", name);
  return algorithm;
}

static digest *new_digest(asy_vm *vm, asy_str *name) {
  digest *d = asy_new_object(vm, &digest_type);
  if (!d) return NULL;
  d->name = name;
  d->context = lib(vm)->context_new();
  if (!d->context) asy_raise_no_memory(vm);
  return d->context ? d : NULL;
}

/* Waits until no other thread is in the digest. */
static void wait_until_free(asy_vm *vm, const digest *d) {
  while (d->busy) {
    asy_thread *self = asy_thread_release(vm);
    sched_yield();
    asy_thread_acquire(vm, self);
  }
}

static bool feed(asy_vm *vm, digest *d, asy_value data) {
  if (asy_is_str(data)) return asy_raise(vm, ASY_TypeError, "Strings must be encoded before hashing"), false;
  asy_buffer buffer;
  if (!asy_buffer_get(vm, data, &buffer)) {
    if (asy_raised_is(vm, ASY_TypeError)) {
      asy_clear_exception(vm);
      asy_raise(vm, ASY_TypeError, "object supporting the buffer API required");
    }
    return false;
  }
  wait_until_free(vm, d);
  d->busy = true;
  const crypto *api = lib(vm);
  asy_thread *self = buffer.len >= RELEASE_FROM ? asy_thread_release(vm) : NULL;
  api->update(d->context, buffer.data, buffer.len);
  if (self) asy_thread_acquire(vm, self);
  d->busy = false;
  asy_buffer_release(vm, &buffer);
  return true;
}

static asy_value hashlib_new(asy_vm *vm, const asy_value *args) {
  EVP_MD *algorithm = find_algorithm(vm, args[0]);
  digest *d = algorithm ? new_digest(vm, (asy_str *)asy_obj_of(args[0])) : NULL;
  bool ready = d && lib(vm)->digest_init(d->context, algorithm, NULL);
  if (ready) {
    bool shake = asy_str_equal_cstr(d->name, "shake_128") || asy_str_equal_cstr(d->name, "shake_256");
    d->digest_size = shake ? 0 : lib(vm)->digest_size(algorithm);
    d->block_size = lib(vm)->block_size(algorithm);
  } else if (d) {
    asy_raise(vm, ASY_ValueError, "unsupported hash type %S", args[0]);
  }
  if (algorithm) lib(vm)->release(algorithm);
  return ready && (args[1] == ASY_NONE || feed(vm, d, args[1])) ? asy_from_obj(d) : ASY_FAILED;
}

/* ---- Digests ---- */

static asy_value digest_update(asy_vm *vm, const asy_value *args) {
  return feed(vm, digest_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value digest_copy(asy_vm *vm, const asy_value *args) {
  const digest *d = digest_of(args[0]);
  digest *copy = new_digest(vm, d->name);
  if (!copy) return ASY_FAILED;
  copy->digest_size = d->digest_size;
  copy->block_size = d->block_size;
  wait_until_free(vm, d);
  return lib(vm)->context_copy(copy->context, d->context) ? asy_from_obj(copy) : asy_raise_no_memory(vm);
}

/* The digest so far, `length` bytes of it where that can be chosen. */
static asy_bytes *digest_bytes(asy_vm *vm, const asy_value *args) {
  const digest *d = digest_of(args[0]);
  int64_t length = d->digest_size;
  if (!length) {
    if (args[1] == ASY_UNBOUND) {
      asy_raise(vm, ASY_TypeError, "digest() missing required argument 'length' (pos 1)");
      return NULL;
    }
    if (!asy_to_int64(vm, args[1], &length)) return NULL;
    if (length < 0) return asy_raise(vm, ASY_ValueError, "value must be positive"), NULL;
    if (length >= 1 << 29) return asy_raise(vm, ASY_ValueError, "length is too large"), NULL;
  } else if (args[1] != ASY_UNBOUND) {
    return asy_raise(vm, ASY_TypeError, "HASH.digest() takes no arguments (1 given)"), NULL;
  }
  asy_bytes *bytes = asy_bytes_new(vm, NULL, (size_t)length);
  EVP_MD_CTX *copy = bytes ? lib(vm)->context_new() : NULL;
  if (!copy) return bytes ? (asy_raise_no_memory(vm), NULL) : NULL;
  wait_until_free(vm, d);
  bool done = lib(vm)->context_copy(copy, d->context) &&
              (d->digest_size ? lib(vm)->final(copy, bytes->data, NULL)
                              : length == 0 || lib(vm)->final_xof(copy, bytes->data, (size_t)length));
  lib(vm)->context_free(copy);
  if (!done) asy_raise_no_memory(vm);
  return done ? bytes : NULL;
}

static asy_value digest_digest(asy_vm *vm, const asy_value *args) {
  asy_bytes *bytes = digest_bytes(vm, args);
  return bytes ? asy_from_obj(bytes) : ASY_FAILED;
}

static asy_value digest_hexdigest(asy_vm *vm, const asy_value *args) {
  asy_bytes *bytes = digest_bytes(vm, args);
  if (!bytes) return ASY_FAILED;
  void *data;
  asy_str *text = bytes->len ? asy_str_new_empty(vm, bytes->len * 2, 1, &data) : asy_str_from_cstr(vm, "");
  if (!text) return ASY_FAILED;
  for (uint32_t i = 0; i < bytes->len; i++) {
    ((char *)data)[i * 2] = "0123456789abcdef"[bytes->data[i] >> 4];
    ((char *)data)[i * 2 + 1] = "0123456789abcdef"[bytes->data[i] & 15];
  }
  return asy_from_obj(text);
}

static asy_value digest_repr(asy_vm *vm, asy_value self) {
  asy_str *text = asy_str_format(vm, "<%U _hashlib.HASH object @ 0x%llx>", digest_of(self)->name,
                                 (unsigned long long)self);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static void digest_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((digest *)o)->name); }

static void digest_free(asy_vm *vm, asy_obj *o) {
  digest *d = (digest *)o;
  if (d->context) lib(vm)->context_free(d->context);
  d->context = NULL;
}

static const asy_native digest_methods[] = {
  {"update", SIG("(self, obj, /)"), digest_update, DOC("Update this hash object's state with the provided string."), 0},
  {"digest", SIG("(self, length=?)"), digest_digest, DOC("Return the digest value as a bytes object."), 0},
  {"hexdigest", SIG("(self, length=?)"), digest_hexdigest,
   DOC("Return the digest value as a string of hexadecimal digits."), 0},
  {"copy", SIG("(self, /)"), digest_copy, DOC("Return a copy of the hash object."), 0},
  {0},
};

static const asy_member digest_members[] = {
  {"name", offsetof(digest, name), MEMBER_OBJECT, false},
  {"digest_size", offsetof(digest, digest_size), MEMBER_INT32, false},
  {"block_size", offsetof(digest, block_size), MEMBER_INT32, false},
  {0},
};

static const asy_type digest_type = {
  .name = "_hashlib.HASH",
  .doc = "A hash is an object used to calculate a checksum of a string of information.",
  .size = sizeof(digest),
  .flags = ASY_TYPE_FINAL,
  .visit = digest_visit,
  .free = digest_free,
  .repr = digest_repr,
  .methods = digest_methods,
  .members = digest_members,
};

/* ---- Key derivation ---- */

/* (hash_name, password, salt, iterations, dklen) */
static asy_value hashlib_pbkdf2(asy_vm *vm, const asy_value *args) {
  int64_t iterations, length;
  EVP_MD *algorithm = find_algorithm(vm, args[0]);
  if (!algorithm) return ASY_FAILED;
  length = lib(vm)->digest_size(algorithm);
  asy_buffer password, salt;
  asy_bytes *key = NULL;
  if (!asy_to_int64(vm, args[3], &iterations) || (args[4] != ASY_NONE && !asy_to_int64(vm, args[4], &length))) {
  } else if (iterations < 1) {
    asy_raise(vm, ASY_ValueError, "iteration value must be greater than 0.");
  } else if (length < 1) {
    asy_raise(vm, ASY_ValueError, "key length must be greater than 0.");
  } else if (iterations > INT32_MAX || length > INT32_MAX) {
    asy_raise(vm, ASY_OverflowError,
              iterations > INT32_MAX ? "iteration value is too great." : "key length is too great.");
  } else if (asy_buffer_get(vm, args[1], &password)) {
    if (asy_buffer_get(vm, args[2], &salt)) {
      key = asy_bytes_new(vm, NULL, (size_t)length);
      const crypto *api = lib(vm);
      asy_thread *self = key ? asy_thread_release(vm) : NULL;
      if (key)
        api->pbkdf2((const char *)password.data, (int)password.len, salt.data, (int)salt.len, (int)iterations,
                    algorithm, (int)length, key->data);
      if (self) asy_thread_acquire(vm, self);
      asy_buffer_release(vm, &salt);
    }
    asy_buffer_release(vm, &password);
  }
  lib(vm)->release(algorithm);
  return key ? asy_from_obj(key) : ASY_FAILED;
}

/* (password, salt, n, r, p, maxmem, dklen) */
static asy_value hashlib_scrypt(asy_vm *vm, const asy_value *args) {
  int64_t number[7];
  const crypto *api = lib(vm);
  if (!api) return ASY_FAILED;
  for (int i = 2; i < 7; i++)
    if (!asy_to_int64(vm, args[i], &number[i])) return ASY_FAILED;
  int64_t n = number[2], r = number[3], p = number[4], most = number[5], length = number[6];
  if (n < 2 || n & (n - 1)) return asy_raise(vm, ASY_ValueError, "n must be a power of 2.");
  if (most < 0 || most > INT32_MAX)
    return asy_raise(vm, ASY_ValueError, "maxmem must be positive and smaller than 2147483647");
  if (length < 1 || length > INT32_MAX)
    return asy_raise(vm, ASY_ValueError, "dklen must be greater than 0 and smaller than 2147483647");
  asy_buffer password, salt;
  if (!asy_buffer_get(vm, args[0], &password)) return ASY_FAILED;
  if (!asy_buffer_get(vm, args[1], &salt)) {
    asy_buffer_release(vm, &password);
    return ASY_FAILED;
  }
  asy_bytes *key = asy_bytes_new(vm, NULL, (size_t)length);
  asy_thread *self = key ? asy_thread_release(vm) : NULL;
  bool done = key && api->scrypt((const char *)password.data, password.len, salt.data, salt.len, (uint64_t)n,
                                 (uint64_t)r, (uint64_t)p, (uint64_t)most, key->data, (size_t)length);
  if (self) asy_thread_acquire(vm, self);
  asy_buffer_release(vm, &salt);
  asy_buffer_release(vm, &password);
  if (key && !done) return asy_raise(vm, ASY_ValueError, "Invalid parameter combination for n, r, p, maxmem.");
  return key ? asy_from_obj(key) : ASY_FAILED;
}

/* ---- The module ---- */

/* (a, b): equal, in a time that does not tell where they differ */
static asy_value compare_digest(asy_vm *vm, const asy_value *args) {
  asy_buffer a, b;
  asy_value left = args[0], right = args[1];
  if (asy_is_str(left) && asy_is_str(right)) {
    for (int i = 0; i < 2; i++)
      if (!(((asy_str *)asy_obj_of(args[i]))->head.flags & STR_ASCII))
        return asy_raise(vm, ASY_TypeError, "comparing strings with non-ASCII characters is not supported");
    const asy_str *x = (asy_str *)asy_obj_of(left), *y = (asy_str *)asy_obj_of(right);
    left = asy_from_bytes(vm, asy_str_data(x), x->len);
    right = asy_failed(left) ? ASY_FAILED : asy_from_bytes(vm, asy_str_data(y), y->len);
    if (asy_failed(right)) return ASY_FAILED;
  }
  if (!asy_is_bytes_like(left) && !asy_is_bytes_like(right))
    return asy_raise(vm, ASY_TypeError, "unsupported operand types(s) or combination of types: '%T' and '%T'", left,
                     right);
  if (!asy_buffer_get(vm, left, &a)) return ASY_FAILED;
  if (!asy_buffer_get(vm, right, &b)) {
    asy_buffer_release(vm, &a);
    return ASY_FAILED;
  }
  volatile uint8_t different = a.len != b.len;
  const uint8_t *with = a.len == b.len ? a.data : b.data;
  for (size_t i = 0; i < b.len; i++) different = (uint8_t)(different | (with[i] ^ b.data[i]));
  asy_buffer_release(vm, &b);
  asy_buffer_release(vm, &a);
  return asy_from_bool(!different);
}

static const asy_native natives[] = {
  {"new", SIG("(name, data=None, /)"), hashlib_new, DOC("A digest of this name, fed with data."), 0},
  {"pbkdf2_hmac", SIG("(hash_name, password, salt, iterations, dklen=None, /)"), hashlib_pbkdf2,
   DOC("Password based key derivation function 2 (PKCS #5 v2.0) with HMAC as pseudorandom function."), 0},
  {"scrypt", SIG("(password, salt, n, r, p, maxmem, dklen, /)"), hashlib_scrypt,
   DOC("scrypt password-based key derivation function."), 0},
  {"compare_digest", SIG("(a, b, /)"), compare_digest, DOC("Return 'a == b'."), 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) { return asy_module_add_type(vm, module, "HASH", &digest_type); }

const asy_module_def asy_module_hashlib = {"_hashlib", natives, "OpenSSL interface for hashlib module", init};
