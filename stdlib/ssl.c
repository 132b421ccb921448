/* ssl.c - contexts, connections, sessions and buffers of TLS, as ssl.asy needs them; libssl is loaded when the first is made.
 *
 * A connection reads one MemoryBIO and writes another. Over a socket they are its own, and each operation moves bytes between them
 * and the descriptor without blocking; what would block is waited for by poll, with the lock of the VM given up, so that OpenSSL
 * itself always runs under that lock. Not more than one TLS record is taken from a socket at a time: behind the last one may follow
 * plain text for whoever goes on without TLS.
 *
 *   socket --recv--> incoming --SSL_read-->  script  --SSL_write--> outgoing --send--> socket
 *   (or whoever holds the two MemoryBIOs fills the one and empties the other)
 *
 * The error classes are the script's; they are looked up in the module ssl when one is raised.
 * Must stay true: objects are freed in any order, so each holds the address of the function that frees what it owns.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/asy.h"

/* clang-format off */
#define SSL_FUNCTIONS(X)                                                                                                     \
  X(SSL_CTX_new) X(SSL_CTX_free) X(TLS_method) X(TLS_client_method) X(TLS_server_method) X(SSL_CTX_ctrl)                     \
  X(SSL_CTX_use_certificate_chain_file) X(SSL_CTX_use_PrivateKey_file) X(SSL_CTX_check_private_key)                          \
  X(SSL_CTX_set_default_passwd_cb) X(SSL_CTX_set_default_passwd_cb_userdata) X(SSL_CTX_load_verify_locations)                \
  X(SSL_CTX_set_default_verify_paths) X(SSL_CTX_set_verify) X(SSL_CTX_set_cipher_list) X(SSL_CTX_get_options)                \
  X(SSL_CTX_set_options) X(SSL_CTX_clear_options) X(SSL_CTX_set_alpn_protos) X(SSL_CTX_set_alpn_select_cb)                   \
  X(SSL_CTX_get_cert_store) X(SSL_CTX_get0_param) X(SSL_CTX_callback_ctrl) X(SSL_CTX_set_keylog_callback)                    \
  X(SSL_CTX_set_num_tickets) X(SSL_CTX_get_num_tickets) X(SSL_CTX_get_security_level) X(SSL_CTX_set_session_id_context)      \
  X(SSL_CTX_set0_tmp_dh_pkey) X(SSL_CTX_set_psk_client_callback) X(SSL_CTX_set_psk_server_callback)                          \
  X(SSL_CTX_use_psk_identity_hint) X(SSL_new) X(SSL_free) X(SSL_set_bio) X(SSL_set_ex_data) X(SSL_get_ex_data)               \
  X(SSL_set_connect_state) X(SSL_set_accept_state) X(SSL_do_handshake) X(SSL_read) X(SSL_write) X(SSL_shutdown)              \
  X(SSL_get_error) X(SSL_get_shutdown) X(SSL_pending) X(SSL_ctrl) X(SSL_set_verify) X(SSL_get0_param) X(SSL_set_SSL_CTX)     \
  X(SSL_get_version) X(SSL_get_current_cipher) X(SSL_get_ciphers) X(SSL_get_client_ciphers) X(SSL_CIPHER_get_name)           \
  X(SSL_CIPHER_get_version) X(SSL_CIPHER_get_bits) X(SSL_CIPHER_get_id) X(SSL_CIPHER_description) X(SSL_CIPHER_is_aead)      \
  X(SSL_CIPHER_get_cipher_nid) X(SSL_CIPHER_get_digest_nid) X(SSL_CIPHER_get_kx_nid) X(SSL_CIPHER_get_auth_nid)              \
  X(SSL_get1_peer_certificate) X(SSL_get0_verified_chain) X(SSL_get_peer_cert_chain) X(SSL_get0_alpn_selected)               \
  X(SSL_select_next_proto) X(SSL_get_verify_result) X(SSL_get_servername) X(SSL_get_finished) X(SSL_get_peer_finished)       \
  X(SSL_is_init_finished) X(SSL_session_reused) X(SSL_get1_session) X(SSL_set_session) X(SSL_SESSION_free)                   \
  X(SSL_SESSION_get_id) X(SSL_SESSION_get_time) X(SSL_SESSION_get_timeout) X(SSL_SESSION_get_ticket_lifetime_hint)           \
  X(SSL_SESSION_has_ticket) X(SSL_SESSION_dup) X(SSL_set_post_handshake_auth) X(SSL_verify_client_post_handshake)
#define CRYPTO_FUNCTIONS(X)                                                                                                  \
  X(BIO_new) X(BIO_s_mem) X(BIO_new_file) X(BIO_free) X(BIO_up_ref) X(BIO_read) X(BIO_write) X(BIO_ctrl)                     \
  X(ERR_peek_last_error) X(ERR_clear_error) X(ERR_reason_error_string) X(ERR_lib_error_string) X(X509_free) X(i2d_X509)      \
  X(d2i_X509) X(X509_check_ca) X(X509_STORE_add_cert) X(X509_STORE_get0_objects) X(X509_OBJECT_get_type)                     \
  X(X509_OBJECT_get0_X509) X(OPENSSL_sk_num) X(OPENSSL_sk_value) X(X509_VERIFY_PARAM_set1_host)                              \
  X(X509_VERIFY_PARAM_set1_ip_asc) X(X509_VERIFY_PARAM_get_flags) X(X509_VERIFY_PARAM_set_flags)                             \
  X(X509_VERIFY_PARAM_clear_flags) X(X509_VERIFY_PARAM_get_hostflags) X(X509_VERIFY_PARAM_set_hostflags)                     \
  X(X509_verify_cert_error_string) X(X509_get_default_cert_file) X(X509_get_default_cert_dir) X(PEM_read_bio_Parameters)     \
  X(EVP_PKEY_free) X(OBJ_txt2obj) X(OBJ_nid2obj) X(OBJ_obj2nid) X(OBJ_nid2sn) X(OBJ_nid2ln) X(OBJ_sn2nid) X(OBJ_obj2txt)     \
  X(ASN1_OBJECT_free) X(RAND_add) X(RAND_status) X(OpenSSL_version) X(OpenSSL_version_num)
/* clang-format on */

typedef struct {
  asy_obj head;
  struct functions {
#define X(name) __typeof__(&name) name;
    SSL_FUNCTIONS(X) CRYPTO_FUNCTIONS(X)
#undef X
  } f;
} library;

typedef struct {
  asy_obj head;
  library *lib;
  __typeof__(&SSL_CTX_free) release;
  SSL_CTX *ctx;
  asy_vm *vm;
  asy_value sni, psk_client, psk_server; /* callbacks; 0: none */
  asy_value keylog;                      /* path of the file that secrets are added to; 0: none */
  int32_t protocol;                      /* ssl.PROTOCOL_ */
  int32_t verify;                        /* ssl.CERT_ */
  bool check_hostname, post_handshake_auth;
  unsigned char *offers; /* ALPN's list, for the server's choice; owned; NULL: none */
  uint32_t offers_length;
} context;

typedef struct {
  asy_obj head;
  library *lib;
  __typeof__(&BIO_free) release;
  BIO *bio;
  size_t noted; /* bytes of it that the collector knows of */
  bool ended;   /* write_eof */
} memory_bio;

typedef struct {
  asy_obj head;
  library *lib;
  __typeof__(&SSL_free) release;
  SSL *ssl;
  asy_vm *vm;
  context *ctx;
  asy_value owner;    /* the SSLObject or SSLSocket, for the server name's callback */
  asy_value socket;   /* whose descriptor and timeout count; 0: none */
  asy_value hostname; /* a str; 0: none */
  asy_value failure;  /* an exception that the next receive raises; 0: none */
  memory_bio *incoming, *outgoing;
  int code;            /* SSL_get_error of the last operation */
  int written;         /* bytes of a write that is done but for the socket's taking them all; 0: none */
  uint8_t record[5];   /* the header of the record that comes from the socket */
  uint32_t have, left; /* bytes of the header that have come; bytes of the record still to come */
  bool server;
} connection;

typedef struct {
  asy_obj head;
  library *lib;
  __typeof__(&SSL_SESSION_free) release;
  SSL_SESSION *session;
  context *ctx;
} session;

static const asy_type library_type, context_type, memory_bio_type, connection_type, session_type;

enum { SSL_TAKES = 64 * 1024 }; /* about what a connection costs in OpenSSL: buffers, keys, certificates */

static context *context_of(asy_value v) { return (context *)asy_obj_of(v); }
static connection *connection_of(asy_value v) { return (connection *)asy_obj_of(v); }
static session *session_of(asy_value v) { return (session *)asy_obj_of(v); }
static memory_bio *memory_of(asy_value v) { return (memory_bio *)asy_obj_of(v); }
static asy_value value_or_none(asy_value v) { return v ? v : ASY_NONE; }
static asy_value text_or_none(asy_vm *vm, const char *text) { return text ? asy_from_cstr(vm, text) : ASY_NONE; }

/* ---- The library ---------------------------------------------------------------------------------------------------- */

enum {
#define X(name) COUNT_##name,
  SSL_FUNCTIONS(X) SSL_COUNT,
#undef X
};

/* The one of this VM: _ssl._library. NULL: ImportError. */
static library *the_library(asy_vm *vm) {
#define X(name) #name "\0"
  static const asy_library ssl = {"libssl.so.3", "libssl3", "*", SSL_FUNCTIONS(X), 0};
  static const asy_library crypto = {"libcrypto.so.3", "libssl3", "*", CRYPTO_FUNCTIONS(X), 0};
#undef X
  asy_value module = asy_import(vm, "_ssl"), found;
  asy_str *name = asy_intern(vm, "_library");
  if (asy_failed(module) || !name) return NULL;
  int there = asy_find_attr(vm, module, name, &found);
  if (there) return there > 0 ? (library *)asy_obj_of(found) : NULL;
  library *lib = asy_new_object(vm, &library_type);
  char *table = lib ? (char *)&lib->f : NULL;
  if (!lib || !asy_load_functions(vm, &crypto, table + SSL_COUNT * sizeof(void *)) ||
      !asy_load_functions(vm, &ssl, table) || !asy_module_set(vm, module, "_library", asy_from_obj(lib)))
    return NULL;
  return lib;
}

/* ---- Errors --------------------------------------------------------------------------------------------------------- */

/* Raises ssl.`cls`(code, text), with what is known besides. library and reason may be NULL. */
static asy_value raise_as(asy_vm *vm, const char *cls, int64_t code, asy_str *text, const char *library_name,
                          const char *reason, long verify, asy_value verify_text) {
  asy_value module = asy_import(vm, "ssl");
  asy_value type = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, cls);
  asy_value number = asy_from_int64(vm, code);
  if (asy_failed(type) || asy_failed(number) || !text) return ASY_FAILED;
  asy_value error = asy_call2(vm, type, number, asy_from_obj(text));
  if (asy_failed(error) || !asy_set_attr_cstr(vm, error, "library", text_or_none(vm, library_name)) ||
      !asy_set_attr_cstr(vm, error, "reason", text_or_none(vm, reason)))
    return ASY_FAILED;
  if (verify && (!asy_set_attr_cstr(vm, error, "verify_code", asy_from_int64(vm, verify)) ||
                 !asy_set_attr_cstr(vm, error, "verify_message", verify_text)))
    return ASY_FAILED;
  return asy_raise_value(vm, error);
}

static asy_value raise_plain(asy_vm *vm, const char *cls, int64_t code, const char *text) {
  return raise_as(vm, cls, code, asy_str_format(vm, "%s", text), NULL, NULL, 0, ASY_NONE);
}

/* SSLError of the text alone. */
static asy_value raise_text(asy_vm *vm, const char *text) {
  asy_value module = asy_import(vm, "ssl"),
            type = asy_failed(module) ? module : asy_get_attr_cstr(vm, module, "SSLError");
  asy_value error = asy_failed(type) ? type : asy_call1(vm, type, asy_from_cstr(vm, text));
  return asy_failed(error) ? error : asy_raise_value(vm, error);
}

/* "tlsv1 alert unknown ca" as TLSV1_ALERT_UNKNOWN_CA */
static void reason_name(const char *text, char *out, size_t size) {
  size_t i = 0;
  for (; text[i] && i < size - 1; i++) {
    char c = text[i];
    out[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c == ' ' || c == '-' || c == '/' ? '_' : c;
  }
  out[i] = 0;
}

static const char *library_name(const library *lib, unsigned long error, char *out, size_t size) {
  static const struct {
    int number;
    const char *name;
  } renamed[] = {{ERR_LIB_X509, "X509"}, {ERR_LIB_X509V3, "X509V3"}, {ERR_LIB_ASN1, "ASN1"},
                 {ERR_LIB_EVP, "EVP"},   {ERR_LIB_PROV, "PROV"},     {ERR_LIB_SYS, "SYS"}};
  for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
    if (renamed[i].number == ERR_GET_LIB(error)) return renamed[i].name;
  const char *text = lib->f.ERR_lib_error_string(error);
  if (!text) return NULL;
  reason_name(text, out, size);
  out[strcspn(out, "_")] = 0;
  return out;
}

/* The error that OpenSSL noted last; its number stands for code where that is 0. `of` says whose certificate it may be about. */
static asy_value raise_noted(asy_vm *vm, const library *lib, const char *cls, int64_t code, const char *text,
                             const connection *of) {
  unsigned long error = lib->f.ERR_peek_last_error();
  char name[80], where[40];
  const char *from = error ? library_name(lib, error, where, sizeof where) : NULL, *reason = NULL;
  if (error && !text) text = lib->f.ERR_reason_error_string(error);
  if (error && !(ERR_GET_REASON(error) & ERR_RFLAG_COMMON) && lib->f.ERR_reason_error_string(error)) {
    reason_name(lib->f.ERR_reason_error_string(error), name, sizeof name);
    reason = name;
  }
  lib->f.ERR_clear_error();
  if (!text) text = "unknown error";
  long verify = 0;
  asy_str *message = NULL;
  if (of && reason && !strcmp(reason, "CERTIFICATE_VERIFY_FAILED")) {
    cls = "SSLCertVerificationError";
    verify = lib->f.SSL_get_verify_result(of->ssl);
    if (verify == X509_V_ERR_HOSTNAME_MISMATCH || verify == X509_V_ERR_IP_ADDRESS_MISMATCH)
      message = asy_str_format(vm, "%s mismatch, certificate is not valid for '%S'.",
                               verify == X509_V_ERR_HOSTNAME_MISMATCH ? "Hostname" : "IP address",
                               value_or_none(of->hostname));
    else message = asy_str_format(vm, "%s", lib->f.X509_verify_cert_error_string(verify));
    if (!message) return ASY_FAILED;
  }
  asy_str *all = message          ? asy_str_format(vm, "[%s: %s] %s: %U", from, reason, text, message)
                 : from && reason ? asy_str_format(vm, "[%s: %s] %s", from, reason, text)
                 : from           ? asy_str_format(vm, "[%s] %s", from, text)
                                  : asy_str_format(vm, "%s", text);
  return raise_as(vm, cls, code ? code : (int64_t)error, all, from, reason, verify,
                  message ? asy_from_obj(message) : ASY_NONE);
}

/* Of a function of contexts that failed: a callback's exception, the system's error, or OpenSSL's. */
static asy_value raise_context(asy_vm *vm, const library *lib, int error) {
  if (asy_raised(vm)) return lib->f.ERR_clear_error(), ASY_FAILED;
  if (!error) return raise_noted(vm, lib, "SSLError", 0, NULL, NULL);
  lib->f.ERR_clear_error();
  return asy_raise_errno(vm, error, ASY_UNBOUND);
}

/* Of an operation on a connection that failed. */
static asy_value raise_connection(asy_vm *vm, connection *s) {
  const library *lib = s->lib;
  unsigned long error = lib->f.ERR_peek_last_error();
  int code = s->code;
  if (asy_raised(vm)) return lib->f.ERR_clear_error(), ASY_FAILED;
  switch (code) {
    case SSL_ERROR_ZERO_RETURN:
      return raise_plain(vm, "SSLZeroReturnError", code, "TLS/SSL connection has been closed (EOF)");
    case SSL_ERROR_WANT_READ: return raise_plain(vm, "SSLWantReadError", code, "The operation did not complete (read)");
    case SSL_ERROR_WANT_WRITE:
      return raise_plain(vm, "SSLWantWriteError", code, "The operation did not complete (write)");
    case SSL_ERROR_SYSCALL:
      if (error) return raise_noted(vm, lib, "SSLSyscallError", code, NULL, NULL);
      return raise_plain(vm, "SSLEOFError", 8, "EOF occurred in violation of protocol");
    default: break;
  }
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
    return raise_noted(vm, lib, "SSLEOFError", 8, "EOF occurred in violation of protocol", NULL);
  return raise_noted(vm, lib, "SSLError", code, error ? NULL : "A failure in the SSL library occurred", s);
}

/* ---- MemoryBIO ------------------------------------------------------------------------------------------------------ */

static size_t pending_in(const memory_bio *m) { return (size_t)m->lib->f.BIO_ctrl(m->bio, BIO_CTRL_PENDING, 0, NULL); }

/* After bytes were added. */
static void note_growth(asy_vm *vm, memory_bio *m) {
  size_t size = pending_in(m);
  if (size <= m->noted) return;
  asy_mem_note(vm, (ptrdiff_t)(size - m->noted));
  m->noted = size;
}

static void end_memory(memory_bio *m) {
  m->ended = true;
  m->lib->f.BIO_ctrl(m->bio, BIO_C_SET_BUF_MEM_EOF_RETURN, 0, NULL);
}

static bool memory_open(asy_vm *vm, memory_bio *m) {
  library *lib = m ? the_library(vm) : NULL;
  if (!lib) return false;
  m->lib = lib;
  m->release = lib->f.BIO_free;
  m->bio = lib->f.BIO_new(lib->f.BIO_s_mem());
  if (!m->bio) return asy_raise_no_memory(vm), false;
  lib->f.BIO_ctrl(m->bio, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, NULL);
  return true;
}

/* A new one in the place of the old: that keeps the most it ever held. */
static bool empty_memory(asy_vm *vm, memory_bio *m) {
  asy_mem_note(vm, -(ptrdiff_t)m->noted);
  m->noted = 0;
  m->release(m->bio);
  m->bio = NULL;
  return memory_open(vm, m);
}

static asy_value memory_new(asy_vm *vm, const asy_value *args) {
  memory_bio *m = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  return memory_open(vm, m) ? asy_from_obj(m) : ASY_FAILED;
}

static asy_value memory_take(asy_vm *vm, memory_bio *m, size_t size) {
  asy_bytes *bytes = asy_bytes_new(vm, NULL, size);
  if (!bytes) return ASY_FAILED;
  if (size) m->lib->f.BIO_read(m->bio, bytes->data, (int)size);
  return asy_from_obj(bytes);
}

static asy_value memory_read(asy_vm *vm, const asy_value *args) {
  memory_bio *m = memory_of(args[0]);
  int64_t n;
  if (!asy_to_int64(vm, args[1], &n)) return ASY_FAILED;
  size_t size = pending_in(m);
  return memory_take(vm, m, n >= 0 && (uint64_t)n < size ? (size_t)n : size);
}

static asy_value memory_write(asy_vm *vm, const asy_value *args) {
  memory_bio *m = memory_of(args[0]);
  asy_buffer b;
  if (!asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  asy_value result = asy_from_int64(vm, (int64_t)b.len);
  if (b.len > INT_MAX) result = asy_raise(vm, ASY_OverflowError, "string longer than %d bytes", INT_MAX);
  else if (m->ended) result = raise_text(vm, "cannot write() after write_eof()");
  else if (b.len && m->lib->f.BIO_write(m->bio, b.data, (int)b.len) < 0) result = asy_raise_no_memory(vm);
  note_growth(vm, m);
  asy_buffer_release(vm, &b);
  return result;
}

static asy_value memory_write_eof(asy_vm *vm, const asy_value *args) {
  return end_memory(memory_of(args[0])), ASY_NONE;
}

static asy_value memory_pending(asy_vm *vm, const asy_value *args) {
  return asy_from_int64(vm, (int64_t)pending_in(memory_of(args[0])));
}

static asy_value memory_eof(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(memory_of(args[0])->ended && !pending_in(memory_of(args[0])));
}

static void memory_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((memory_bio *)o)->lib); }

static void memory_free(asy_vm *vm, asy_obj *o) {
  memory_bio *m = (memory_bio *)o;
  asy_mem_note(vm, -(ptrdiff_t)m->noted);
  if (m->bio) m->release(m->bio);
}

static const asy_native memory_methods[] = {
  {"read", SIG("(self, size=-1, /)"), memory_read, DOC("Read up to size bytes from the memory BIO."), 0},
  {"write", SIG("(self, b, /)"), memory_write, DOC("Writes the bytes b into the memory BIO."), 0},
  {"write_eof", SIG("(self, /)"), memory_write_eof, DOC("Write an EOF marker to the memory BIO."), 0},
  {"pending", SIG("(self)"), memory_pending, DOC("The number of bytes pending in the memory BIO."), ASY_NATIVE_GETTER},
  {"eof", SIG("(self)"), memory_eof, DOC("Whether the memory BIO is at EOF."), ASY_NATIVE_GETTER},
  {0},
};

static const asy_type memory_bio_type = {
  .name = "_ssl.MemoryBIO",
  .size = sizeof(memory_bio),
  .visit = memory_visit,
  .free = memory_free,
  .new_ = memory_new,
  .new_signature = SIG("(cls, /)"),
  .methods = memory_methods,
};

/* ---- Certificates and ciphers --------------------------------------------------------------------------------------- */

static asy_value der_of(asy_vm *vm, const library *lib, X509 *cert) {
  int n = cert ? lib->f.i2d_X509(cert, NULL) : 0;
  if (n <= 0) return ASY_NONE;
  asy_bytes *bytes = asy_bytes_new(vm, NULL, (size_t)n);
  if (!bytes) return ASY_FAILED;
  unsigned char *out = bytes->data;
  lib->f.i2d_X509(cert, &out);
  return asy_from_obj(bytes);
}

typedef asy_value show_item(asy_vm *vm, const library *lib, const void *item);

static asy_value show_cert(asy_vm *vm, const library *lib, const void *item) {
  return der_of(vm, lib, (X509 *)(uintptr_t)item);
}

/* A list of what `show` makes of each item; None when there is no stack. */
static asy_value list_of(asy_vm *vm, const library *lib, const void *stack, show_item *show) {
  if (!stack) return ASY_NONE;
  asy_list *list = asy_list_new(vm, 0);
  int n = lib->f.OPENSSL_sk_num(stack);
  for (int i = 0; list && i < n; i++) {
    asy_value item = show(vm, lib, lib->f.OPENSSL_sk_value(stack, i));
    if (asy_failed(item) || !asy_list_append(vm, list, item)) return ASY_FAILED;
  }
  return list ? asy_from_obj(list) : ASY_FAILED;
}

static asy_value show_cipher(asy_vm *vm, const library *lib, const void *item) {
  return asy_tuple_of(vm, 3, text_or_none(vm, lib->f.SSL_CIPHER_get_name(item)),
                      text_or_none(vm, lib->f.SSL_CIPHER_get_version(item)),
                      asy_from_small(lib->f.SSL_CIPHER_get_bits(item, NULL)));
}

/* (id, name, protocol, description, strength bits, bits, aead, symmetric, digest, key exchange, authentication) */
static asy_value show_cipher_fully(asy_vm *vm, const library *lib, const void *item) {
  char text[512];
  int bits, strength = lib->f.SSL_CIPHER_get_bits(item, &bits);
  int nids[] = {lib->f.SSL_CIPHER_get_cipher_nid(item), lib->f.SSL_CIPHER_get_digest_nid(item),
                lib->f.SSL_CIPHER_get_kx_nid(item), lib->f.SSL_CIPHER_get_auth_nid(item)};
  asy_value names[4];
  for (int i = 0; i < 4; i++) names[i] = text_or_none(vm, nids[i] ? lib->f.OBJ_nid2ln(nids[i]) : NULL);
  lib->f.SSL_CIPHER_description(item, text, sizeof text);
  return asy_tuple_of(vm, 11, asy_from_int64(vm, lib->f.SSL_CIPHER_get_id(item)),
                      text_or_none(vm, lib->f.SSL_CIPHER_get_name(item)),
                      text_or_none(vm, lib->f.SSL_CIPHER_get_version(item)),
                      asy_from_text(vm, text, strcspn(text, "\n")), asy_from_small(strength), asy_from_small(bits),
                      asy_from_bool(lib->f.SSL_CIPHER_is_aead(item)), names[0], names[1], names[2], names[3]);
}

/* ---- Contexts ------------------------------------------------------------------------------------------------------- */

enum { PROTOCOL_TLS = 2, PROTOCOL_TLSV1 = 3, PROTOCOL_TLSV1_2 = 5, PROTOCOL_CLIENT = 16, PROTOCOL_SERVER = 17 };
static const char default_ciphers[] =
  "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM";

static asy_value context_new(asy_vm *vm, const asy_value *args) {
  int protocol;
  if (!asy_to_int(vm, args[1], INT_MIN, INT_MAX, &protocol)) return ASY_FAILED;
  bool fixed = protocol >= PROTOCOL_TLSV1 && protocol <= PROTOCOL_TLSV1_2;
  if (protocol != PROTOCOL_TLS && !fixed && protocol != PROTOCOL_CLIENT && protocol != PROTOCOL_SERVER)
    return asy_raise(vm, ASY_ValueError, "invalid or unsupported protocol version %d", protocol);
  context *c = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  library *lib = c ? the_library(vm) : NULL;
  if (!lib) return ASY_FAILED;
  c->lib = lib;
  c->vm = vm;
  c->release = lib->f.SSL_CTX_free;
  c->protocol = protocol;
  c->ctx = lib->f.SSL_CTX_new(protocol == PROTOCOL_CLIENT   ? lib->f.TLS_client_method()
                              : protocol == PROTOCOL_SERVER ? lib->f.TLS_server_method()
                                                            : lib->f.TLS_method());
  if (!c->ctx) return raise_noted(vm, lib, "SSLError", 0, NULL, NULL);
  int version = fixed ? TLS1_VERSION + protocol - PROTOCOL_TLSV1 : 0;
  lib->f.SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, fixed ? version : TLS1_2_VERSION, NULL);
  lib->f.SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_MAX_PROTO_VERSION, version, NULL);
  lib->f.SSL_CTX_ctrl(c->ctx, SSL_CTRL_MODE,
                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY | SSL_MODE_RELEASE_BUFFERS, NULL);
  lib->f.SSL_CTX_set_options(c->ctx, (SSL_OP_ALL & ~SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS) | SSL_OP_NO_SSLv3 |
                                       SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                       SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
  lib->f.X509_VERIFY_PARAM_set_flags(lib->f.SSL_CTX_get0_param(c->ctx), X509_V_FLAG_TRUSTED_FIRST);
  lib->f.X509_VERIFY_PARAM_set_hostflags(lib->f.SSL_CTX_get0_param(c->ctx), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (!lib->f.SSL_CTX_set_cipher_list(c->ctx, default_ciphers))
    return raise_noted(vm, lib, "SSLError", 0, "No cipher can be selected.", NULL);
  if (protocol != PROTOCOL_CLIENT) /* there it would forbid pre-shared keys */
    lib->f.SSL_CTX_set_session_id_context(c->ctx, (const unsigned char *)"Python", sizeof "Python");
  c->check_hostname = protocol == PROTOCOL_CLIENT;
  c->verify = c->check_hostname ? 2 : 0;
  lib->f.SSL_CTX_set_verify(c->ctx, c->check_hostname ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0, NULL);
  return asy_from_obj(c);
}

static void context_visit(asy_obj *o, asy_visitor *v) {
  context *c = (context *)o;
  asy_visit_obj(v, c->lib);
  asy_visit_value(v, c->sni);
  asy_visit_value(v, c->psk_client);
  asy_visit_value(v, c->psk_server);
  asy_visit_value(v, c->keylog);
}

static void context_free(asy_vm *vm, asy_obj *o) {
  context *c = (context *)o;
  if (c->ctx) c->release(c->ctx);
  if (c->offers) asy_mem_free(vm, c->offers, c->offers_length);
}

/* What a number says of a context. get and set have one case each. */
enum { SET_OPTIONS, SET_VERIFY_FLAGS, SET_HOST_FLAGS, SET_LOWEST, SET_HIGHEST, SET_TICKETS, SET_LEVEL, SET_VERIFY };

static asy_value context_get(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const struct functions *f = &c->lib->f;
  switch (asy_small(args[1])) {
    case SET_OPTIONS: return asy_from_uint64(vm, f->SSL_CTX_get_options(c->ctx));
    case SET_VERIFY_FLAGS: return asy_from_uint64(vm, f->X509_VERIFY_PARAM_get_flags(f->SSL_CTX_get0_param(c->ctx)));
    case SET_HOST_FLAGS: return asy_from_int64(vm, f->X509_VERIFY_PARAM_get_hostflags(f->SSL_CTX_get0_param(c->ctx)));
    case SET_LOWEST: return asy_from_int64(vm, f->SSL_CTX_ctrl(c->ctx, SSL_CTRL_GET_MIN_PROTO_VERSION, 0, NULL));
    case SET_HIGHEST: return asy_from_int64(vm, f->SSL_CTX_ctrl(c->ctx, SSL_CTRL_GET_MAX_PROTO_VERSION, 0, NULL));
    case SET_TICKETS: return asy_from_int64(vm, (int64_t)f->SSL_CTX_get_num_tickets(c->ctx));
    case SET_LEVEL: return asy_from_int64(vm, f->SSL_CTX_get_security_level(c->ctx));
    default: return asy_from_int64(vm, c->verify);
  }
}

/* True when it could be set. */
static asy_value context_set(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const struct functions *f = &c->lib->f;
  int64_t value;
  if (!asy_to_int64(vm, args[2], &value)) return ASY_FAILED;
  X509_VERIFY_PARAM *param = f->SSL_CTX_get0_param(c->ctx);
  switch (asy_small(args[1])) {
    case SET_OPTIONS:
      f->SSL_CTX_clear_options(c->ctx, f->SSL_CTX_get_options(c->ctx) & ~(uint64_t)value);
      f->SSL_CTX_set_options(c->ctx, (uint64_t)value);
      return ASY_TRUE;
    case SET_VERIFY_FLAGS:
      f->X509_VERIFY_PARAM_clear_flags(param, f->X509_VERIFY_PARAM_get_flags(param) & ~(unsigned long)value);
      return asy_from_bool(f->X509_VERIFY_PARAM_set_flags(param, (unsigned long)value));
    case SET_HOST_FLAGS: f->X509_VERIFY_PARAM_set_hostflags(param, (unsigned)value); return ASY_TRUE;
    case SET_LOWEST: return asy_from_bool(f->SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, value, NULL));
    case SET_HIGHEST: return asy_from_bool(f->SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_MAX_PROTO_VERSION, value, NULL));
    case SET_TICKETS: return asy_from_bool(f->SSL_CTX_set_num_tickets(c->ctx, (size_t)value));
    default:
      c->verify = (int32_t)value;
      f->SSL_CTX_set_verify(c->ctx,
                            value == 0   ? SSL_VERIFY_NONE
                            : value == 1 ? SSL_VERIFY_PEER
                                         : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                            NULL);
      return ASY_TRUE;
  }
}

static asy_value context_stat(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  int number;
  if (!asy_to_int(vm, args[1], SSL_CTRL_SESS_NUMBER, SSL_CTRL_SESS_CACHE_FULL, &number)) return ASY_FAILED;
  return asy_from_int64(vm, c->lib->f.SSL_CTX_ctrl(c->ctx, number, 0, NULL));
}

/* A password may be text, bytes, or what gives one. */
typedef struct {
  asy_vm *vm;
  asy_value password;
} password_source;

static int give_password(char *out, int size, int writing, void *data) {
  password_source *source = data;
  asy_vm *vm = source->vm;
  asy_value password = source->password;
  if (!asy_is_str(password) && !asy_is_bytes_like(password)) {
    password = asy_call0(vm, password);
    if (asy_failed(password)) return -1;
    if (!asy_is_str(password) && !asy_is_bytes_like(password))
      return asy_raise(vm, ASY_TypeError, "password callback must return a string"), -1;
  }
  asy_buffer b = {.data = NULL};
  if (asy_is_str(password)) {
    size_t length;
    b.data = (uint8_t *)(uintptr_t)asy_str_utf8(vm, (asy_str *)asy_obj_of(password), &length, &b.owner);
    if (!b.data) return -1;
    b.len = length;
  } else if (!asy_buffer_get(vm, password, &b)) {
    return -1;
  }
  int n = b.len > (size_t)size ? -1 : (int)b.len;
  if (n >= 0) memcpy(out, b.data, b.len);
  else asy_raise(vm, ASY_ValueError, "password cannot be longer than %d bytes", size);
  if (!asy_is_str(password)) asy_buffer_release(vm, &b);
  return n;
}

static asy_value context_load_cert_chain(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const struct functions *f = &c->lib->f;
  const char *cert, *key;
  if (!asy_to_cstr(vm, args[1], &cert) || !asy_to_cstr(vm, args[2], &key)) return ASY_FAILED;
  password_source source = {vm, args[3]};
  if (args[3] != ASY_NONE) {
    f->SSL_CTX_set_default_passwd_cb(c->ctx, give_password);
    f->SSL_CTX_set_default_passwd_cb_userdata(c->ctx, &source);
  }
  f->ERR_clear_error();
  errno = 0;
  bool good = f->SSL_CTX_use_certificate_chain_file(c->ctx, cert) == 1;
  int error = good ? 0 : errno;
  if (good) {
    errno = 0;
    good = f->SSL_CTX_use_PrivateKey_file(c->ctx, key, SSL_FILETYPE_PEM) == 1;
    if (!good) error = errno;
  }
  if (good) good = f->SSL_CTX_check_private_key(c->ctx) == 1;
  f->SSL_CTX_set_default_passwd_cb(c->ctx, NULL);
  f->SSL_CTX_set_default_passwd_cb_userdata(c->ctx, NULL);
  return good ? ASY_NONE : raise_context(vm, c->lib, error);
}

static asy_value context_load_verify(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const char *file = NULL, *folder = NULL;
  if ((args[1] != ASY_NONE && !asy_to_cstr(vm, args[1], &file)) ||
      (args[2] != ASY_NONE && !asy_to_cstr(vm, args[2], &folder)))
    return ASY_FAILED;
  c->lib->f.ERR_clear_error();
  errno = 0;
  bool good = file || folder ? c->lib->f.SSL_CTX_load_verify_locations(c->ctx, file, folder) == 1
                             : c->lib->f.SSL_CTX_set_default_verify_paths(c->ctx) == 1;
  return good ? ASY_NONE : raise_context(vm, c->lib, errno);
}

/* Certificates in DER, one after the other; how many. */
static asy_value context_add_certs(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const struct functions *f = &c->lib->f;
  asy_buffer b;
  if (!asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  const unsigned char *at = b.data, *end = b.data + b.len;
  int n = 0;
  bool good = true;
  while (good && at < end) {
    X509 *cert = f->d2i_X509(NULL, &at, end - at);
    if (!cert) break;
    good = f->X509_STORE_add_cert(f->SSL_CTX_get_cert_store(c->ctx), cert) == 1;
    f->X509_free(cert);
    n++;
  }
  asy_buffer_release(vm, &b);
  if (n && at < end && good && f->ERR_peek_last_error()) good = false; /* something else behind the certificates */
  if (!good) return raise_noted(vm, c->lib, "SSLError", 0, NULL, NULL);
  f->ERR_clear_error();
  return asy_from_small(n);
}

/* [(DER, whether it is a CA)] of the certificates, and how many revocation lists. */
static asy_value context_store(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const struct functions *f = &c->lib->f;
  const void *objects = f->X509_STORE_get0_objects(f->SSL_CTX_get_cert_store(c->ctx));
  asy_list *certs = asy_list_new(vm, 0);
  int lists = 0;
  for (int i = 0, n = f->OPENSSL_sk_num(objects); certs && i < n; i++) {
    const X509_OBJECT *o = f->OPENSSL_sk_value(objects, i);
    if (f->X509_OBJECT_get_type(o) == X509_LU_CRL) lists++;
    X509 *cert = f->X509_OBJECT_get_type(o) == X509_LU_X509 ? f->X509_OBJECT_get0_X509(o) : NULL;
    if (!cert) continue;
    asy_value pair = asy_tuple_of(vm, 2, der_of(vm, c->lib, cert), asy_from_bool(f->X509_check_ca(cert)));
    if (asy_failed(pair) || !asy_list_append(vm, certs, pair)) return ASY_FAILED;
  }
  return certs ? asy_tuple_of(vm, 2, asy_from_obj(certs), asy_from_small(lists)) : ASY_FAILED;
}

static asy_value context_set_ciphers(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const char *text;
  if (!asy_to_cstr(vm, args[1], &text)) return ASY_FAILED;
  return asy_from_bool(c->lib->f.SSL_CTX_set_cipher_list(c->ctx, text) == 1);
}

static asy_value context_ciphers(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  SSL *ssl = c->lib->f.SSL_new(c->ctx);
  if (!ssl) return raise_noted(vm, c->lib, "SSLError", 0, NULL, NULL);
  asy_value list = list_of(vm, c->lib, c->lib->f.SSL_get_ciphers(ssl), show_cipher_fully);
  c->lib->f.SSL_free(ssl);
  return list;
}

static asy_value context_load_dh_params(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const struct functions *f = &c->lib->f;
  const char *path;
  if (!asy_to_cstr(vm, args[1], &path)) return ASY_FAILED;
  f->ERR_clear_error();
  errno = 0;
  BIO *file = f->BIO_new_file(path, "r");
  if (!file) return c->lib->f.ERR_clear_error(), asy_raise_errno(vm, errno, args[1]);
  EVP_PKEY *key = f->PEM_read_bio_Parameters(file, NULL);
  f->BIO_free(file);
  if (!key) return raise_context(vm, c->lib, 0);
  if (f->SSL_CTX_set0_tmp_dh_pkey(c->ctx, key) == 1) return ASY_NONE;
  f->EVP_PKEY_free(key);
  return raise_context(vm, c->lib, 0);
}

static asy_value context_set_ecdh_curve(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const char *name;
  if (!asy_to_cstr(vm, args[1], &name)) return ASY_FAILED;
  int nid = c->lib->f.OBJ_sn2nid(name);
  if (!nid) return asy_raise(vm, ASY_ValueError, "unknown elliptic curve name %R", args[1]);
  return c->lib->f.SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_GROUPS, 1, &nid) ? ASY_NONE : raise_context(vm, c->lib, 0);
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in,
                           unsigned inlen, void *arg) {
  (void)ssl;
  context *c = arg;
  int got = c->lib->f.SSL_select_next_proto((unsigned char **)(uintptr_t)out, outlen, c->offers, c->offers_length, in,
                                            inlen);
  return got == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static asy_value context_set_protocols(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  asy_buffer b;
  if (!asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  unsigned char *offers = b.len ? asy_mem_alloc(vm, b.len) : NULL;
  bool good = offers || !b.len;
  if (offers) memcpy(offers, b.data, b.len);
  if (good) {
    if (c->offers) asy_mem_free(vm, c->offers, c->offers_length);
    c->offers = offers;
    c->offers_length = (uint32_t)b.len;
    c->lib->f.SSL_CTX_set_alpn_protos(c->ctx, offers, (unsigned)b.len);
    c->lib->f.SSL_CTX_set_alpn_select_cb(c->ctx, offers ? choose_protocol : NULL, c);
  }
  asy_buffer_release(vm, &b);
  return good ? ASY_NONE : ASY_FAILED;
}

/* ---- Callbacks of a handshake: they run script code below OpenSSL, in the thread that does the handshake ------------ */

/* The connection behind an SSL where OpenSSL hands over nothing else. */
static connection *connection_behind(const SSL *ssl) {
  void *handle = dlopen("libssl.so.3", RTLD_LAZY | RTLD_NOLOAD);
  __typeof__(&SSL_get_ex_data) get;
  *(void **)&get = handle ? dlsym(handle, "SSL_get_ex_data") : NULL;
  connection *s = get ? get(ssl, 0) : NULL;
  if (handle) dlclose(handle);
  return s;
}

static int alert(asy_vm *vm, asy_value callback, int *out, int number) {
  if (asy_raised(vm)) asy_report_unraisable(vm, callback);
  *out = number;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int choose_by_name(SSL *ssl, int *out, void *arg) {
  context *c = arg;
  asy_vm *vm = c->vm;
  connection *s = c->lib->f.SSL_get_ex_data(ssl, 0);
  const char *name = c->lib->f.SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  asy_value callback = c->sni, args[3] = {s->owner, text_or_none(vm, name), asy_from_obj(c)};
  if (!callback) return SSL_TLSEXT_ERR_OK;
  asy_value result = asy_failed(args[1]) ? ASY_FAILED : asy_call(vm, callback, 3, args);
  if (asy_failed(result)) return alert(vm, callback, out, SSL_AD_HANDSHAKE_FAILURE);
  if (result == ASY_NONE) return SSL_TLSEXT_ERR_OK;
  int number;
  if (!asy_to_int(vm, result, 0, 255, &number)) return alert(vm, callback, out, SSL_AD_INTERNAL_ERROR);
  return alert(vm, callback, out, number);
}

static asy_value context_set_sni(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  if (args[1] != ASY_NONE && !asy_callable(vm, args[1])) return asy_raise(vm, ASY_TypeError, "not a callable object");
  asy_store(vm, c, &c->sni, args[1] == ASY_NONE ? 0 : args[1]);
  c->lib->f.SSL_CTX_callback_ctrl(c->ctx, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                                  c->sni ? (void (*)(void))choose_by_name : NULL);
  c->lib->f.SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG, 0, c);
  return ASY_NONE;
}

/* Secrets are added to the file that the context names. */
static void write_secret(const SSL *ssl, const char *line) {
  connection *s = connection_behind(ssl);
  const char *path;
  if (!s || !s->ctx->keylog || !asy_to_cstr(s->vm, s->ctx->keylog, &path)) return;
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  dprintf(fd, "%s\n", line);
  close(fd);
}

static asy_value context_set_keylog(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  asy_store(vm, c, &c->keylog, args[1] == ASY_NONE ? 0 : args[1]);
  c->lib->f.SSL_CTX_set_keylog_callback(c->ctx, c->keylog ? write_secret : NULL);
  return ASY_NONE;
}

/* Copies bytes or text that a callback gave; -1: it does not fit, or is something else. */
static int copy_out(asy_vm *vm, asy_value v, void *out, unsigned size) {
  asy_buffer b;
  if (!asy_buffer_get(vm, v, &b)) return -1;
  int n = b.len > size ? -1 : (int)b.len;
  if (n > 0) memcpy(out, b.data, b.len);
  asy_buffer_release(vm, &b);
  if (n < 0) asy_raise(vm, ASY_ValueError, "psk too long");
  return n;
}

/* The bytes of a key, 0 when the callback failed or has none. */
static unsigned key_or_nothing(asy_vm *vm, asy_value callback, int n) {
  if (asy_raised(vm)) asy_report_unraisable(vm, callback);
  return n > 0 ? (unsigned)n : 0;
}

static unsigned give_client_key(SSL *ssl, const char *hint, char *identity, unsigned identity_size, unsigned char *psk,
                                unsigned psk_size) {
  connection *s = connection_behind(ssl);
  asy_value callback = s ? s->ctx->psk_client : 0;
  if (!callback) return 0;
  asy_vm *vm = s->vm;
  asy_value pair = asy_call1(vm, callback, text_or_none(vm, hint)), name, key;
  int n = -1;
  if (!asy_failed(pair)) {
    name = asy_get_item(vm, pair, asy_from_small(0));
    key = asy_failed(name) ? ASY_FAILED : asy_get_item(vm, pair, asy_from_small(1));
    const char *text = "";
    if (!asy_failed(key) && (name == ASY_NONE || asy_to_cstr(vm, name, &text))) {
      if (strlen(text) < identity_size) n = copy_out(vm, key, psk, psk_size);
      else asy_raise(vm, ASY_ValueError, "identity too long");
      if (n >= 0) strcpy(identity, text);
    }
  }
  return key_or_nothing(vm, callback, n);
}

static unsigned give_server_key(SSL *ssl, const char *identity, unsigned char *psk, unsigned psk_size) {
  connection *s = connection_behind(ssl);
  asy_value callback = s ? s->ctx->psk_server : 0;
  if (!callback) return 0;
  asy_value key = asy_call1(s->vm, callback, text_or_none(s->vm, identity && *identity ? identity : NULL));
  return key_or_nothing(s->vm, callback, asy_failed(key) ? -1 : copy_out(s->vm, key, psk, psk_size));
}

static asy_value context_set_psk(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const char *hint = NULL;
  bool server = args[1] == ASY_TRUE;
  if (args[2] != ASY_NONE && !asy_callable(vm, args[2]))
    return asy_raise(vm, ASY_TypeError, "callback must be callable");
  if (args[3] != ASY_NONE && !asy_to_cstr(vm, args[3], &hint)) return ASY_FAILED;
  asy_value callback = args[2] == ASY_NONE ? 0 : args[2];
  asy_store(vm, c, server ? &c->psk_server : &c->psk_client, callback);
  if (!server) {
    c->lib->f.SSL_CTX_set_psk_client_callback(c->ctx, callback ? give_client_key : NULL);
  } else {
    if (c->lib->f.SSL_CTX_use_psk_identity_hint(c->ctx, hint) != 1) return raise_context(vm, c->lib, 0);
    c->lib->f.SSL_CTX_set_psk_server_callback(c->ctx, callback ? give_server_key : NULL);
  }
  return ASY_NONE;
}

/* ---- Sessions ------------------------------------------------------------------------------------------------------- */

static asy_value session_id(asy_vm *vm, const asy_value *args) {
  unsigned length;
  const unsigned char *id = session_of(args[0])->lib->f.SSL_SESSION_get_id(session_of(args[0])->session, &length);
  return asy_from_bytes(vm, id, length);
}
static asy_value session_time(asy_vm *vm, const asy_value *args) {
  return asy_from_int64(vm, session_of(args[0])->lib->f.SSL_SESSION_get_time(session_of(args[0])->session));
}
static asy_value session_timeout(asy_vm *vm, const asy_value *args) {
  return asy_from_int64(vm, session_of(args[0])->lib->f.SSL_SESSION_get_timeout(session_of(args[0])->session));
}
static asy_value session_hint(asy_vm *vm, const asy_value *args) {
  session *s = session_of(args[0]);
  return asy_from_int64(vm, (int64_t)s->lib->f.SSL_SESSION_get_ticket_lifetime_hint(s->session));
}
static asy_value session_has_ticket(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(session_of(args[0])->lib->f.SSL_SESSION_has_ticket(session_of(args[0])->session));
}

static asy_value session_compare(asy_vm *vm, asy_value a, asy_value b, asy_compare_op op) {
  if ((op != COMPARE_EQ && op != COMPARE_NE) || asy_type_of(vm, b) != asy_type_of(vm, a)) return ASY_NOT_IMPLEMENTED;
  asy_value left = session_id(vm, &a), right = session_id(vm, &b);
  int same = asy_failed(left) || asy_failed(right) ? -1 : asy_equal(vm, left, right);
  return same < 0 ? ASY_FAILED : asy_from_bool(same == (op == COMPARE_EQ));
}

static void session_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_obj(v, ((session *)o)->lib);
  asy_visit_obj(v, ((session *)o)->ctx);
}

static void session_free(asy_vm *vm, asy_obj *o) {
  if (((session *)o)->session) ((session *)o)->release(((session *)o)->session);
}

static const asy_native session_methods[] = {
  {"id", SIG("(self)"), session_id, DOC("Session ID."), ASY_NATIVE_GETTER},
  {"time", SIG("(self)"), session_time, DOC("Session creation time (seconds since epoch)."), ASY_NATIVE_GETTER},
  {"timeout", SIG("(self)"), session_timeout, DOC("Session timeout (delta in seconds)."), ASY_NATIVE_GETTER},
  {"ticket_lifetime_hint", SIG("(self)"), session_hint, DOC("Ticket life time hint."), ASY_NATIVE_GETTER},
  {"has_ticket", SIG("(self)"), session_has_ticket, DOC("Does the session contain a ticket?"), ASY_NATIVE_GETTER},
  {0},
};

static const asy_type session_type = {
  .name = "_ssl.SSLSession",
  .size = sizeof(session),
  .flags = ASY_TYPE_NO_NEW,
  .visit = session_visit,
  .free = session_free,
  .compare = session_compare,
  .methods = session_methods,
};
/* ---- Connections: the socket's side --------------------------------------------------------------------------------- */

/* One operation as it goes on: when it must end, and what a TimeoutError says. */
typedef struct {
  int fd;           /* -1: between two MemoryBIOs */
  int64_t deadline; /* INT64_MAX: none; 0: the socket does not block */
  const char *late;
} attempt;

static asy_value call_socket(asy_vm *vm, const connection *s, const char *method) {
  asy_str *name = asy_intern(vm, method);
  return name ? asy_call_method(vm, s->socket, name, 0, NULL) : ASY_FAILED;
}

static bool begin(asy_vm *vm, connection *s, attempt *a, const char *late) {
  *a = (attempt){.fd = -1, .deadline = INT64_MAX, .late = late};
  if (!s->socket) return true;
  double seconds;
  asy_value fd = call_socket(vm, s, "fileno"), timeout = asy_failed(fd) ? ASY_FAILED : call_socket(vm, s, "gettimeout");
  if (asy_failed(timeout) || !asy_to_int(vm, fd, -1, INT_MAX, &a->fd)) return false;
  if (a->fd < 0) return raise_plain(vm, "SSLError", 0, "Underlying socket has been closed."), false;
  if (timeout == ASY_NONE) return true;
  if (!asy_to_double(vm, timeout, &seconds)) return false;
  a->deadline = seconds > 0 ? asy_clock_ns(vm, ASY_CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9) : 0;
  return true;
}

/* Until the socket is ready for events. False: TimeoutError, a signal handler raised, or poll failed. */
static bool wait_ready(asy_vm *vm, const attempt *a, short events) {
  for (;;) {
    int ms = -1;
    if (a->deadline != INT64_MAX) {
      int64_t left = a->deadline - asy_clock_ns(vm, ASY_CLOCK_MONOTONIC);
      if (left <= 0) return asy_raise(vm, ASY_TimeoutError, "The %s operation timed out", a->late), false;
      left = (left + 999999) / 1000000;
      ms = left > INT_MAX ? INT_MAX : (int)left;
    }
    struct pollfd p = {.fd = a->fd, .events = events};
    asy_thread *self = asy_thread_release(vm);
    int n = poll(&p, 1, ms);
    asy_thread_acquire(vm, self);
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return asy_raise_errno(vm, errno, ASY_UNBOUND), false;
    if (n < 0 && !asy_check_signals(vm)) return false;
  }
}

/* False: errno says why the socket takes none. */
static bool send_some(connection *s, int fd, const char *data, size_t size) {
  char sink[4096]; /* the only way to take bytes out of OpenSSL's memory */
  ssize_t left = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (left < 0) return false;
  while (left > 0)
    left -= s->lib->f.BIO_read(s->outgoing->bio, sink, left < (ssize_t)sizeof sink ? (int)left : (int)sizeof sink);
  return true;
}

/* False: the socket does not take bytes now (SSLWantWriteError where it does not block) or failed. What was not sent stays. */
static bool send_pending(asy_vm *vm, connection *s, const attempt *a) {
  char *data;
  for (;;) {
    long size = s->lib->f.BIO_ctrl(s->outgoing->bio, BIO_CTRL_INFO, 0, &data);
    if (size <= 0) return true;
    if (send_some(s, a->fd, data, (size_t)size)) {
      continue;
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
      return asy_raise_errno(vm, errno, ASY_UNBOUND), false;
    } else if (a->deadline == 0) {
      return raise_plain(vm, "SSLWantWriteError", SSL_ERROR_WANT_WRITE, "The operation did not complete (write)"),
             false;
    } else if (!wait_ready(vm, a, POLLOUT)) {
      return false;
    }
  }
}

/* Bytes of the record that comes, no more than it has. */
static bool receive_some(asy_vm *vm, connection *s, const attempt *a) {
  uint8_t data[4096];
  for (;;) {
    size_t room = s->have < sizeof s->record ? sizeof s->record - s->have
                  : s->left < sizeof data    ? s->left
                                             : sizeof data;
    ssize_t n = recv(a->fd, data, room, MSG_DONTWAIT);
    if (n == 0) return end_memory(s->incoming), true;
    if (n > 0) {
      if (s->have < sizeof s->record) {
        memcpy(s->record + s->have, data, (size_t)n);
        s->have += (uint32_t)n;
        if (s->have == sizeof s->record) s->left = (uint32_t)(s->record[3] << 8 | s->record[4]);
      } else {
        s->left -= (uint32_t)n;
      }
      if (s->have == sizeof s->record && !s->left) s->have = 0;
      if (s->lib->f.BIO_write(s->incoming->bio, data, (int)n) == n) return true;
      return asy_raise_no_memory(vm), false;
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
      return asy_raise_errno(vm, errno, ASY_UNBOUND), false;
    if (a->deadline == 0)
      return raise_plain(vm, "SSLWantReadError", SSL_ERROR_WANT_READ, "The operation did not complete (read)"), false;
    if (!wait_ready(vm, a, POLLIN)) return false;
  }
}

/* ---- Connections: what they do -------------------------------------------------------------------------------------- */

static int do_handshake(connection *s, void *data, int size) { return s->lib->f.SSL_do_handshake(s->ssl); }
static int do_read(connection *s, void *data, int size) { return s->lib->f.SSL_read(s->ssl, data, size); }
static int do_write(connection *s, void *data, int size) { return s->lib->f.SSL_write(s->ssl, data, size); }

/* The first call sends, the second looks for the other side's answer; 1 as well when that does not say. */
static int do_shutdown(connection *s, void *data, int size) {
  int rc = s->lib->f.SSL_shutdown(s->ssl);
  if (rc == 0) rc = s->lib->f.SSL_shutdown(s->ssl);
  return rc == 0 ? 1 : rc;
}

/* Calls an operation until it has what it needs of the socket; what it gave last, which may be a failure that s->code names.
 * INT_MIN: an exception is set. */
static int perform(asy_vm *vm, connection *s, const attempt *a, int (*operation)(connection *s, void *data, int size),
                   void *data, int size) {
  for (;;) {
    s->lib->f.ERR_clear_error();
    int rc = operation(s, data, size);
    s->code = s->lib->f.SSL_get_error(s->ssl, rc);
    if (a->fd < 0) return asy_raised(vm) ? INT_MIN : rc;
    asy_value raised = asy_raised(vm) ? asy_take_exception(vm) : 0;
    bool sent = send_pending(vm, s, a);
    if (raised) {
      asy_clear_exception(vm);
      asy_set_exception(vm, raised);
      return INT_MIN;
    }
    if (!sent && s->code == SSL_ERROR_SSL && rc <= 0) { /* the other side is gone; what it did wrong says more */
      asy_clear_exception(vm);
      return rc;
    }
    if (!sent && operation == do_read && rc > 0) { /* what is to be sent waits for the next operation */
      asy_clear_exception(vm);
      return rc;
    }
    if (!sent) return INT_MIN;
    if (rc > 0 || s->code != SSL_ERROR_WANT_READ) return rc;
    if (!receive_some(vm, s, a)) return INT_MIN;
  }
}

static asy_value connection_handshake(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  attempt a;
  if (!begin(vm, s, &a, "handshake")) return ASY_FAILED;
  int rc = perform(vm, s, &a, do_handshake, NULL, 0);
  return rc > 0 ? ASY_NONE : rc == INT_MIN ? ASY_FAILED : raise_connection(vm, s);
}

static asy_value connection_shutdown(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  attempt a;
  if (!begin(vm, s, &a, "read")) return ASY_FAILED;
  int rc = perform(vm, s, &a, do_shutdown, NULL, 0);
  return rc > 0 ? value_or_none(s->socket) : rc == INT_MIN ? ASY_FAILED : raise_connection(vm, s);
}

/* Bytes read, 0 at the end of what the other side sends, -1 with an exception. */
static int read_into(asy_vm *vm, connection *s, void *data, int size) {
  attempt a;
  if (!begin(vm, s, &a, "read")) return -1;
  int rc = perform(vm, s, &a, do_read, data, size);
  if (rc > 0) return rc;
  bool ended = rc != INT_MIN && s->code == SSL_ERROR_ZERO_RETURN;
  if (ended && s->lib->f.SSL_get_shutdown(s->ssl) == SSL_RECEIVED_SHUTDOWN) return 0;
  if (rc != INT_MIN) raise_connection(vm, s);
  return -1;
}

enum { RECORD = 16384 }; /* the most that one record holds */

static asy_value connection_read(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  int n;
  if (!asy_to_int(vm, args[1], INT_MIN, INT_MAX, &n)) return ASY_FAILED;
  if (args[2] != ASY_NONE) {
    asy_buffer b;
    if (!asy_buffer_get_writable(vm, args[2], &b)) return ASY_FAILED;
    if (n <= 0 || (size_t)n > b.len) n = b.len > INT_MAX ? INT_MAX : (int)b.len;
    int got = n ? read_into(vm, s, b.data, n) : 0;
    asy_buffer_release(vm, &b);
    return got < 0 ? ASY_FAILED : asy_from_small(got);
  }
  if (n < 0) return asy_raise(vm, ASY_ValueError, "size should not be negative");
  uint8_t data[RECORD];
  int got = n ? read_into(vm, s, data, n < RECORD ? n : RECORD) : 0;
  return got < 0 ? ASY_FAILED : asy_from_bytes(vm, data, (size_t)got);
}

enum { MOST = 256 * 1024 }; /* bytes that asyncio reads at once */

/* All that is there now, up to `room` bytes; b'': nothing, None: the other side has ended it. An error behind good bytes is kept for
 * the next call. */
static asy_value read_all(asy_vm *vm, connection *s, uint8_t *data, int room) {
  int size = 0, rc = 0;
  while (size < room) {
    s->lib->f.ERR_clear_error();
    rc = s->lib->f.SSL_read(s->ssl, data + size, room - size);
    if (rc <= 0) break;
    size += rc;
  }
  s->code = s->lib->f.SSL_get_error(s->ssl, rc);
  bool ended = s->code == SSL_ERROR_ZERO_RETURN;
  if (asy_raised(vm)) return ASY_FAILED;
  if (rc <= 0 && !ended && s->code != SSL_ERROR_WANT_READ) {
    raise_connection(vm, s);
    if (!size) return ASY_FAILED;
    asy_store(vm, s, &s->failure, asy_take_exception(vm));
  }
  return size || !ended ? asy_from_bytes(vm, data, (size_t)size) : ASY_NONE;
}

/* For asyncio: puts in what came, and reads. */
static asy_value connection_receive(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  asy_buffer b;
  if (!asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  bool good = !b.len || (b.len <= INT_MAX && s->lib->f.BIO_write(s->incoming->bio, b.data, (int)b.len) == (int)b.len);
  asy_buffer_release(vm, &b);
  if (!good) return asy_raise_no_memory(vm);
  note_growth(vm, s->incoming);
  if (s->failure) {
    asy_value failure = s->failure;
    s->failure = 0;
    return asy_raise_value(vm, failure);
  }
  uint8_t little[4 * RECORD], *data = little;
  size_t room = pending_in(s->incoming) + (size_t)s->lib->f.SSL_pending(s->ssl);
  if (room > MOST) room = MOST;
  if (room > sizeof little) data = asy_mem_alloc(vm, room);
  else room = sizeof little;
  asy_value result = data ? read_all(vm, s, data, (int)room) : ASY_FAILED;
  if (data && data != little) asy_mem_free(vm, data, room);
  return result;
}

enum { AT_ONCE = 4 * RECORD }; /* the most that is enciphered before a socket is given it */

/* Bytes written; INT_MIN with an exception, 0 or less when s->code says why. All of them, unless the socket does not block and is
 * full: then at least what it took before, and what is enciphered already counts for the next write. */
static int write_all(asy_vm *vm, connection *s, const attempt *a, const asy_buffer *b) {
  if (b->len > INT_MAX) return asy_raise(vm, ASY_OverflowError, "string longer than %d bytes", INT_MAX), INT_MIN;
  if (a->fd < 0) return perform(vm, s, a, do_write, b->data, (int)b->len);
  if (s->written || pending_in(s->outgoing)) { /* of a write, or a read, that was interrupted */
    if (!send_pending(vm, s, a)) return INT_MIN;
    int done = s->written;
    s->written = 0;
    if (done) return done;
  }
  int total = 0, length = (int)b->len;
  while (total < length) {
    int size = length - total < AT_ONCE ? length - total : AT_ONCE;
    int rc = perform(vm, s, a, do_write, b->data + total, size);
    bool full = rc == INT_MIN && s->code == SSL_ERROR_NONE; /* enciphered, but not all is sent */
    if (full) s->written = size;
    if (full && total && !a->deadline) asy_clear_exception(vm);
    else if (rc <= 0) return rc;
    if (full) break;
    total += rc;
  }
  return total;
}

static asy_value connection_write(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  asy_buffer b;
  attempt a;
  if (!begin(vm, s, &a, "write") || !asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  bool empty = !b.len;
  int rc = empty ? 0 : write_all(vm, s, &a, &b);
  asy_buffer_release(vm, &b);
  if (rc > 0 || (!rc && empty)) return asy_from_small(rc);
  return rc == INT_MIN ? ASY_FAILED : raise_connection(vm, s);
}

/* For asyncio: enciphers data and gives it to the socket fd (-1: none); what that did not take. None: it could not be written yet. */
static asy_value connection_send(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  asy_buffer b;
  int fd;
  char *out;
  if (!asy_to_int(vm, args[2], -1, INT_MAX, &fd) || !asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  s->lib->f.ERR_clear_error();
  int rc = b.len <= INT_MAX ? s->lib->f.SSL_write(s->ssl, b.data, (int)b.len) : -1;
  asy_buffer_release(vm, &b);
  s->code = s->lib->f.SSL_get_error(s->ssl, rc);
  if (asy_raised(vm)) return ASY_FAILED;
  if (rc <= 0) return s->code == SSL_ERROR_WANT_READ ? ASY_NONE : raise_connection(vm, s);
  note_growth(vm, s->outgoing);
  long size = s->lib->f.BIO_ctrl(s->outgoing->bio, BIO_CTRL_INFO, 0, &out);
  if (fd >= 0 && size > 0) send_some(s, fd, out, (size_t)size);
  return memory_take(vm, s->outgoing, pending_in(s->outgoing));
}

/* The connection is over: lets go of the buffers, which may be large; what is known of the other side stays. */
static asy_value connection_detach(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  s->lib->f.SSL_set_bio(s->ssl, NULL, NULL);
  return empty_memory(vm, s->incoming) && empty_memory(vm, s->outgoing) ? ASY_NONE : ASY_FAILED;
}

static asy_value connection_pending(asy_vm *vm, const asy_value *args) {
  return asy_from_int64(vm, connection_of(args[0])->lib->f.SSL_pending(connection_of(args[0])->ssl));
}

static asy_value connection_version(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  return s->lib->f.SSL_is_init_finished(s->ssl) ? text_or_none(vm, s->lib->f.SSL_get_version(s->ssl)) : ASY_NONE;
}

static asy_value connection_cipher(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  const SSL_CIPHER *cipher = s->lib->f.SSL_get_current_cipher(s->ssl);
  return cipher ? show_cipher(vm, s->lib, cipher) : ASY_NONE;
}

/* Those of the client that the server has too; None on the client's side. */
static asy_value connection_shared_ciphers(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  const struct functions *f = &s->lib->f;
  const void *theirs = f->SSL_get_client_ciphers(s->ssl), *ours = f->SSL_get_ciphers(s->ssl);
  if (!theirs || !ours) return ASY_NONE;
  asy_list *list = asy_list_new(vm, 0);
  for (int i = 0, n = f->OPENSSL_sk_num(theirs); list && i < n; i++) {
    const void *one = f->OPENSSL_sk_value(theirs, i);
    int at = f->OPENSSL_sk_num(ours);
    while (--at >= 0 && f->OPENSSL_sk_value(ours, at) != one) {}
    asy_value row = at < 0 ? ASY_NONE : show_cipher(vm, s->lib, one);
    if (asy_failed(row) || (at >= 0 && !asy_list_append(vm, list, row))) return ASY_FAILED;
  }
  return list ? asy_from_obj(list) : ASY_FAILED;
}

static asy_value connection_protocol(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  const unsigned char *name;
  unsigned length;
  s->lib->f.SSL_get0_alpn_selected(s->ssl, &name, &length);
  return name ? asy_from_text(vm, (const char *)name, length) : ASY_NONE;
}

/* The other side's certificate as DER; None: it has shown none. */
static asy_value connection_certificate(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  if (!s->lib->f.SSL_is_init_finished(s->ssl)) return asy_raise(vm, ASY_ValueError, "handshake not done yet");
  X509 *cert = s->lib->f.SSL_get1_peer_certificate(s->ssl);
  asy_value der = der_of(vm, s->lib, cert);
  s->lib->f.X509_free(cert);
  return der;
}

static asy_value connection_chain(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  const void *chain = args[1] == ASY_TRUE ? s->lib->f.SSL_get0_verified_chain(s->ssl)
                                          : (const void *)s->lib->f.SSL_get_peer_cert_chain(s->ssl);
  asy_value list = list_of(vm, s->lib, chain, show_cert);
  if (asy_failed(list) || list == ASY_NONE || args[1] == ASY_TRUE || !s->server) return list;
  asy_value own = connection_certificate(vm, args); /* a server's chain lacks it */
  asy_list *certs = (asy_list *)asy_obj_of(list), *all = asy_list_new(vm, certs->len + 1);
  if (asy_failed(own) || !all || !asy_list_append(vm, all, own)) return ASY_FAILED;
  for (uint32_t i = 0; i < certs->len; i++)
    if (!asy_list_append(vm, all, certs->items[i])) return ASY_FAILED;
  return asy_from_obj(all);
}

/* tls-unique: what both sides have seen of the first message that ended a handshake. */
static asy_value connection_finished(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  uint8_t data[128];
  bool own = s->lib->f.SSL_session_reused(s->ssl) ? s->server : !s->server;
  size_t n = own ? s->lib->f.SSL_get_finished(s->ssl, data, sizeof data)
                 : s->lib->f.SSL_get_peer_finished(s->ssl, data, sizeof data);
  return n ? asy_from_bytes(vm, data, n) : ASY_NONE;
}

static asy_value connection_post_handshake(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  s->lib->f.ERR_clear_error();
  if (s->lib->f.SSL_verify_client_post_handshake(s->ssl) == 1) return ASY_NONE;
  s->code = SSL_ERROR_SSL;
  return raise_noted(vm, s->lib, "SSLError", 0, NULL, NULL);
}

static asy_value connection_get_session(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  SSL_SESSION *got = s->lib->f.SSL_get1_session(s->ssl);
  SSL_SESSION *now = got ? s->lib->f.SSL_SESSION_dup(got) : NULL; /* a close without close_notify spoils the first */
  if (got) s->lib->f.SSL_SESSION_free(got);
  session *object = now ? asy_new_object(vm, &session_type) : NULL;
  if (!object) {
    if (now) s->lib->f.SSL_SESSION_free(now);
    return now ? ASY_FAILED : ASY_NONE;
  }
  object->session = now;
  object->lib = s->lib;
  object->release = s->lib->f.SSL_SESSION_free;
  object->ctx = s->ctx;
  return asy_from_obj(object);
}

static asy_value connection_set_session(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  if (args[1] == ASY_UNBOUND || asy_type_of(vm, args[1])->type != &session_type)
    return asy_raise(vm, ASY_TypeError, "Value is not a SSLSession.");
  session *given = session_of(args[1]);
  if (given->ctx != s->ctx) return asy_raise(vm, ASY_ValueError, "Session refers to a different SSLContext.");
  if (s->server) return asy_raise(vm, ASY_ValueError, "Cannot set session for server-side SSLSocket.");
  if (s->lib->f.SSL_is_init_finished(s->ssl))
    return asy_raise(vm, ASY_ValueError, "Cannot set session after handshake.");
  SSL_SESSION *copy = s->lib->f.SSL_SESSION_dup(given->session); /* setting it may change it */
  bool good = copy && s->lib->f.SSL_set_session(s->ssl, copy) == 1;
  if (copy) s->lib->f.SSL_SESSION_free(copy);
  return good ? ASY_NONE : raise_noted(vm, s->lib, "SSLError", 0, NULL, NULL);
}

static asy_value connection_session_reused(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(connection_of(args[0])->lib->f.SSL_session_reused(connection_of(args[0])->ssl));
}

static bool is_context(asy_vm *vm, asy_value v) {
  return v != ASY_UNBOUND && asy_type_of(vm, v)->type == &context_type;
}

static asy_value connection_get_context(asy_vm *vm, const asy_value *args) {
  return asy_from_obj(connection_of(args[0])->ctx);
}

static asy_value connection_set_context(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  if (!is_context(vm, args[1])) return asy_raise(vm, ASY_TypeError, "The value must be a SSLContext");
  s->ctx = context_of(args[1]);
  asy_barrier(vm, s);
  s->lib->f.SSL_set_SSL_CTX(s->ssl, s->ctx->ctx);
  return ASY_NONE;
}

static void connection_visit(asy_obj *o, asy_visitor *v) {
  connection *s = (connection *)o;
  asy_visit_obj(v, s->lib);
  asy_visit_obj(v, s->ctx);
  asy_visit_value(v, s->owner);
  asy_visit_value(v, s->socket);
  asy_visit_value(v, s->hostname);
  asy_visit_value(v, s->failure);
  asy_visit_obj(v, s->incoming);
  asy_visit_obj(v, s->outgoing);
}

static void connection_free(asy_vm *vm, asy_obj *o) {
  connection *s = (connection *)o;
  if (!s->ssl) return;
  s->release(s->ssl);
  asy_mem_note(vm, -SSL_TAKES);
}

static const asy_native connection_methods[] = {
  {"chain", SIG("(self, verified, /)"), connection_chain, 0, 0},
  {"cipher", SIG("(self, /)"), connection_cipher, 0, 0},
  {"detach", SIG("(self, /)"), connection_detach, 0, 0},
  {"do_handshake", SIG("(self, /)"), connection_handshake, 0, 0},
  {"finished", SIG("(self, /)"), connection_finished, 0, 0},
  {"certificate", SIG("(self, /)"), connection_certificate, 0, 0},
  {"pending", SIG("(self, /)"), connection_pending, 0, 0},
  {"read", SIG("(self, len, buffer=None, /)"), connection_read, 0, 0},
  {"receive", SIG("(self, data, /)"), connection_receive, 0, 0},
  {"selected_alpn_protocol", SIG("(self, /)"), connection_protocol, 0, 0},
  {"send", SIG("(self, data, fd, /)"), connection_send, 0, 0},
  {"shared_ciphers", SIG("(self, /)"), connection_shared_ciphers, 0, 0},
  {"shutdown", SIG("(self, /)"), connection_shutdown, 0, 0},
  {"verify_client_post_handshake", SIG("(self, /)"), connection_post_handshake, 0, 0},
  {"version", SIG("(self, /)"), connection_version, 0, 0},
  {"write", SIG("(self, data, /)"), connection_write, 0, 0},
  {"context", SIG("(self)"), connection_get_context, 0, ASY_NATIVE_GETTER},
  {"context", SIG("(self, value)"), connection_set_context, 0, ASY_NATIVE_SETTER},
  {"session", SIG("(self)"), connection_get_session, 0, ASY_NATIVE_GETTER},
  {"session", SIG("(self, value)"), connection_set_session, 0, ASY_NATIVE_SETTER},
  {"session_reused", SIG("(self)"), connection_session_reused, 0, ASY_NATIVE_GETTER},
  {0},
};

static const asy_member connection_members[] = {
  {"server_side", offsetof(connection, server), MEMBER_BOOL8, false},
  {"server_hostname", offsetof(connection, hostname), MEMBER_VALUE, false},
  {"owner", offsetof(connection, owner), MEMBER_VALUE, false},
  {0},
};

static const asy_type connection_type = {
  .name = "_ssl._SSLSocket",
  .size = sizeof(connection),
  .flags = ASY_TYPE_NO_NEW,
  .visit = connection_visit,
  .free = connection_free,
  .methods = connection_methods,
  .members = connection_members,
};

/* The name that is sent, and that the certificate must be for. */
static bool set_hostname(asy_vm *vm, context *c, connection *s, asy_value hostname) {
  const struct functions *f = &c->lib->f;
  const char *name;
  unsigned char address[16];
  if (!asy_to_cstr(vm, hostname, &name)) {
    if (asy_raised_is(vm, ASY_ValueError))
      asy_raise(vm, ASY_TypeError, "argument must be encoded string without null bytes, not str");
    return false;
  }
  if (!*name || *name == '.') {
    asy_raise(vm, ASY_ValueError, "server_hostname cannot be an empty string or start with a leading dot.");
    return false;
  }
  s->hostname = hostname;
  bool digits = inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1, good = true;
  if (!digits)
    good = f->SSL_ctrl(s->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)name) == 1;
  X509_VERIFY_PARAM *param = f->SSL_get0_param(s->ssl);
  if (good && c->check_hostname)
    good = (digits ? f->X509_VERIFY_PARAM_set1_ip_asc(param, name)
                   : f->X509_VERIFY_PARAM_set1_host(param, name, strlen(name))) == 1;
  if (!good) raise_noted(vm, c->lib, "SSLError", 0, NULL, NULL);
  return good;
}

/* The MemoryBIO that was given, or a new one for a socket. */
static memory_bio *side_of(asy_vm *vm, asy_value socket, asy_value given, const char *name) {
  if (socket == ASY_NONE) {
    if (asy_type_of(vm, given)->type == &memory_bio_type) return memory_of(given);
    if (given == ASY_NONE)
      asy_raise(vm, ASY_TypeError, "_wrap_bio() argument '%s' must be _ssl.MemoryBIO, not None", name);
    else asy_raise(vm, ASY_TypeError, "_wrap_bio() argument '%s' must be _ssl.MemoryBIO, not %T", name, given);
    return NULL;
  }
  memory_bio *m = asy_new_object(vm, &memory_bio_type);
  return memory_open(vm, m) ? m : NULL;
}

/* A connection of `owner`, over a socket or between two MemoryBIOs. */
static asy_value context_wrap(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const struct functions *f = &c->lib->f;
  asy_value owner = args[1], socket = args[2], hostname = args[6], resumed = args[7];
  bool server = asy_truth(vm, args[5]) > 0;
  if (asy_raised(vm)) return ASY_FAILED;
  if (c->protocol == (server ? PROTOCOL_CLIENT : PROTOCOL_SERVER))
    return raise_plain(vm, "SSLError", 0,
                       server ? "Cannot create a server socket with a PROTOCOL_TLS_CLIENT context"
                              : "Cannot create a client socket with a PROTOCOL_TLS_SERVER context");
  memory_bio *in = side_of(vm, socket, args[3], "incoming"),
             *out = in ? side_of(vm, socket, args[4], "outgoing") : NULL;
  connection *s = out ? asy_new_object(vm, &connection_type) : NULL;
  if (!s) return ASY_FAILED;
  *s = (connection){.head = s->head,
                    .lib = c->lib,
                    .release = f->SSL_free,
                    .vm = vm,
                    .ctx = c,
                    .owner = owner,
                    .socket = socket == ASY_NONE ? 0 : socket,
                    .incoming = in,
                    .outgoing = out,
                    .server = server};
  f->ERR_clear_error();
  s->ssl = f->SSL_new(c->ctx);
  if (!s->ssl) return raise_noted(vm, c->lib, "SSLError", 0, NULL, NULL);
  asy_mem_note(vm, SSL_TAKES);
  f->SSL_set_ex_data(s->ssl, 0, s);
  f->BIO_up_ref(in->bio);
  f->BIO_up_ref(out->bio);
  f->SSL_set_bio(s->ssl, in->bio, out->bio);
  if (hostname != ASY_NONE && !set_hostname(vm, c, s, hostname)) return ASY_FAILED;
  if (c->post_handshake_auth && !server) f->SSL_set_post_handshake_auth(s->ssl, 1);
  if (c->post_handshake_auth && server && c->verify)
    f->SSL_set_verify(
      s->ssl, SSL_VERIFY_PEER | SSL_VERIFY_POST_HANDSHAKE | (c->verify == 2 ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
      NULL);
  if (server) f->SSL_set_accept_state(s->ssl);
  else f->SSL_set_connect_state(s->ssl);
  if (resumed != ASY_NONE && asy_failed(connection_set_session(vm, (asy_value[]){asy_from_obj(s), resumed})))
    return ASY_FAILED;
  return asy_from_obj(s);
}

static const asy_native context_methods[] = {
  {"_add_certs", SIG("(self, der, /)"), context_add_certs, 0, 0},
  {"_ciphers", SIG("(self, /)"), context_ciphers, 0, 0},
  {"_get", SIG("(self, what, /)"), context_get, 0, 0},
  {"_load_cert_chain", SIG("(self, cert, key, password, /)"), context_load_cert_chain, 0, 0},
  {"_load_verify", SIG("(self, file, folder, /)"), context_load_verify, 0, 0},
  {"_set", SIG("(self, what, value, /)"), context_set, 0, 0},
  {"_set_ciphers", SIG("(self, text, /)"), context_set_ciphers, 0, 0},
  {"_set_keylog", SIG("(self, path, /)"), context_set_keylog, 0, 0},
  {"_set_protocols", SIG("(self, wire, /)"), context_set_protocols, 0, 0},
  {"_set_psk", SIG("(self, server, callback, hint, /)"), context_set_psk, 0, 0},
  {"_set_sni", SIG("(self, callback, /)"), context_set_sni, 0, 0},
  {"_stat", SIG("(self, number, /)"), context_stat, 0, 0},
  {"_store", SIG("(self, /)"), context_store, 0, 0},
  {"_wrap", SIG("(self, owner, socket, incoming, outgoing, server_side, hostname, session, /)"), context_wrap, 0, 0},
  {"_load_dh_params", SIG("(self, filepath, /)"), context_load_dh_params, 0, 0},
  {"_set_ecdh_curve", SIG("(self, name, /)"), context_set_ecdh_curve, 0, 0},
  {0},
};

static const asy_member context_members[] = {
  {"_protocol", offsetof(context, protocol), MEMBER_INT32, false},
  {"_check_hostname", offsetof(context, check_hostname), MEMBER_BOOL8, true},
  {"_post_handshake_auth", offsetof(context, post_handshake_auth), MEMBER_BOOL8, true},
  {"_sni", offsetof(context, sni), MEMBER_VALUE, false},
  {"_keylog", offsetof(context, keylog), MEMBER_VALUE, false},
  {0},
};

static const asy_type context_type = {
  .name = "_ssl._SSLContext",
  .size = sizeof(context),
  .visit = context_visit,
  .free = context_free,
  .new_ = context_new,
  .new_signature = SIG("(cls, protocol, /)"),
  .methods = context_methods,
  .members = context_members,
};

/* ---- The module ----------------------------------------------------------------------------------------------------- */

static asy_value object_row(asy_vm *vm, const library *lib, ASN1_OBJECT *o) {
  char oid[100];
  int nid = lib->f.OBJ_obj2nid(o), n = lib->f.OBJ_obj2txt(oid, sizeof oid, o, 1);
  return asy_tuple_of(vm, 4, asy_from_small(nid), text_or_none(vm, nid ? lib->f.OBJ_nid2sn(nid) : NULL),
                      text_or_none(vm, nid ? lib->f.OBJ_nid2ln(nid) : NULL), n > 0 ? asy_from_cstr(vm, oid) : ASY_NONE);
}

/* (number, short name, long name, oid) */
static asy_value ssl_txt2obj(asy_vm *vm, const asy_value *args) {
  library *lib = the_library(vm);
  const char *text;
  int by_name = asy_truth(vm, args[1]);
  if (!lib || by_name < 0 || !asy_to_cstr(vm, args[0], &text)) return ASY_FAILED;
  ASN1_OBJECT *o = lib->f.OBJ_txt2obj(text, !by_name);
  lib->f.ERR_clear_error();
  if (!o) return asy_raise(vm, ASY_ValueError, "unknown object '%s'", text);
  asy_value row = object_row(vm, lib, o);
  lib->f.ASN1_OBJECT_free(o);
  return row;
}

static asy_value ssl_nid2obj(asy_vm *vm, const asy_value *args) {
  library *lib = the_library(vm);
  int nid;
  if (!lib || !asy_to_int(vm, args[0], INT_MIN, INT_MAX, &nid)) return ASY_FAILED;
  if (nid < 0) return asy_raise(vm, ASY_ValueError, "NID must be positive.");
  ASN1_OBJECT *o = lib->f.OBJ_nid2obj(nid);
  lib->f.ERR_clear_error();
  return o ? object_row(vm, lib, o) : asy_raise(vm, ASY_ValueError, "unknown NID %d", nid);
}

/* (version, its number, default file and folder of certificates) */
static asy_value ssl_about(asy_vm *vm, const asy_value *args) {
  library *lib = the_library(vm);
  if (!lib) return ASY_FAILED;
  return asy_tuple_of(
    vm, 4, asy_from_cstr(vm, lib->f.OpenSSL_version(0)), asy_from_uint64(vm, lib->f.OpenSSL_version_num()),
    asy_from_cstr(vm, lib->f.X509_get_default_cert_file()), asy_from_cstr(vm, lib->f.X509_get_default_cert_dir()));
}

static asy_value ssl_rand_add(asy_vm *vm, const asy_value *args) {
  library *lib = the_library(vm);
  double entropy;
  asy_buffer b = {.data = NULL};
  size_t length;
  if (!lib || !asy_to_double(vm, args[1], &entropy)) return ASY_FAILED;
  bool text = asy_is_str(args[0]);
  if (text) {
    b.data = (uint8_t *)(uintptr_t)asy_str_utf8(vm, (asy_str *)asy_obj_of(args[0]), &length, &b.owner);
    b.len = length;
    if (!b.data) return ASY_FAILED;
  } else if (!asy_buffer_get(vm, args[0], &b)) {
    return ASY_FAILED;
  }
  lib->f.RAND_add(b.data, b.len > INT_MAX ? INT_MAX : (int)b.len, entropy);
  if (!text) asy_buffer_release(vm, &b);
  return ASY_NONE;
}

static asy_value ssl_rand_status(asy_vm *vm, const asy_value *args) {
  library *lib = the_library(vm);
  return lib ? asy_from_bool(lib->f.RAND_status() == 1) : ASY_FAILED;
}

static void library_visit(asy_obj *o, asy_visitor *v) {}

static const asy_type library_type = {
  .name = "_ssl._Library", .size = sizeof(library), .flags = ASY_TYPE_NO_NEW, .visit = library_visit};

static const asy_native natives[] = {
  {"RAND_add", SIG("(string, entropy, /)"), ssl_rand_add, DOC("Mix string into the OpenSSL PRNG state."), 0},
  {"RAND_status", SIG("()"), ssl_rand_status, DOC("True if the OpenSSL PRNG has been seeded with enough data."), 0},
  {"_about", SIG("()"), ssl_about, 0, 0},
  {"nid2obj", SIG("(nid, /)"), ssl_nid2obj, DOC("Lookup NID, short name, long name and OID of an ASN1_OBJECT by NID."),
   0},
  {"txt2obj", SIG("(txt, name=False)"), ssl_txt2obj,
   DOC("Lookup NID, short name, long name and OID of an ASN1_OBJECT."), 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  return asy_module_add_type(vm, module, "_SSLContext", &context_type) &&
         asy_module_add_type(vm, module, "_SSLSocket", &connection_type) &&
         asy_module_add_type(vm, module, "SSLSession", &session_type) &&
         asy_module_add_type(vm, module, "MemoryBIO", &memory_bio_type);
}

const asy_module_def asy_module_ssl = {"_ssl", natives, "OpenSSL's contexts, connections and sessions.", init};
