/* ssl.c - contexts and connections of OpenSSL, as ssl.asy needs them; libssl is loaded when the module is first imported.
 *
 * A connection never touches a socket: what came is put in (`feed`), what is to be sent is taken out (`drain`). Contexts are counted
 * by OpenSSL itself, so the objects may be freed in any order; each keeps its own table of functions, which outlives what it made. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "runtime/asy.h"

/* clang-format off */
#define FUNCTIONS(X)                                                                                                          \
  X(SSL_CTX_new) X(SSL_CTX_free) X(TLS_method) X(SSL_CTX_use_certificate_chain_file) X(SSL_CTX_use_PrivateKey_file)            \
  X(SSL_CTX_check_private_key) X(SSL_CTX_load_verify_locations) X(SSL_CTX_set_default_verify_paths) X(SSL_CTX_set_verify)      \
  X(SSL_CTX_set_cipher_list) X(SSL_CTX_set_options) X(SSL_CTX_clear_options) X(SSL_CTX_ctrl) X(SSL_CTX_set_alpn_protos)        \
  X(SSL_CTX_set_alpn_select_cb) X(SSL_CTX_get_cert_store) X(SSL_new) X(SSL_free) X(SSL_set_bio) X(SSL_set_connect_state)       \
  X(SSL_set_accept_state) X(SSL_do_handshake) X(SSL_read) X(SSL_write) X(SSL_shutdown) X(SSL_get_error) X(SSL_pending)         \
  X(SSL_ctrl) X(SSL_set1_host) X(SSL_get0_param) X(SSL_get_version) X(SSL_get_current_cipher) X(SSL_CIPHER_get_name)           \
  X(SSL_CIPHER_get_version) X(SSL_CIPHER_get_bits) X(SSL_get1_peer_certificate) X(SSL_get0_alpn_selected)                      \
  X(SSL_get_verify_result) X(SSL_select_next_proto)
#define CRYPTO(X)                                                                                                             \
  X(BIO_new) X(BIO_s_mem) X(BIO_read) X(BIO_write) X(BIO_ctrl) X(ERR_get_error) X(ERR_clear_error)                 \
  X(ERR_reason_error_string) X(ERR_lib_error_string) X(X509_free) X(i2d_X509) X(d2i_X509) X(X509_STORE_add_cert)               \
  X(X509_VERIFY_PARAM_set1_ip_asc) X(X509_verify_cert_error_string) X(OpenSSL_version) X(OpenSSL_version_num)
/* clang-format on */

typedef struct {
#define X(name) __typeof__(&name) name;
  FUNCTIONS(X) CRYPTO(X)
#undef X
} library;

#define X(name) {#name, offsetof(library, name)},
static const asy_symbol ssl_symbols[] = {FUNCTIONS(X){0}};
static const asy_symbol crypto_symbols[] = {CRYPTO(X){0}};
#undef X

typedef struct {
  asy_obj head;
  library lib;
  SSL_CTX *ctx;
  unsigned char protocols[256]; /* ALPN's list, for the server's choice */
  unsigned protocols_length;
} context;

typedef struct {
  asy_obj head;
  library lib;
  asy_value owner; /* its context, whose list of protocols the server's choice reads */
  SSL *ssl;
  BIO *in, *out; /* owned by ssl */
} connection;

static context *context_of(asy_value v) { return (context *)asy_obj_of(v); }
static connection *connection_of(asy_value v) { return (connection *)asy_obj_of(v); }
static void connection_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((connection *)o)->owner); }

static void context_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  if (((context *)o)->ctx) ((context *)o)->lib.SSL_CTX_free(((context *)o)->ctx);
}

static void connection_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  if (((connection *)o)->ssl) ((connection *)o)->lib.SSL_free(((connection *)o)->ssl);
}

/* Failure("code:LIBRARY:REASON:verify result:text"): the script makes it one of its exceptions. */
static asy_value fail(asy_vm *vm, const library *lib, int code, SSL *ssl) {
  unsigned long error = lib->ERR_get_error();
  const char *reason = error ? lib->ERR_reason_error_string(error) : NULL,
             *where = error ? lib->ERR_lib_error_string(error) : NULL;
  long verify = ssl ? lib->SSL_get_verify_result(ssl) : 0;
  lib->ERR_clear_error();
  return asy_raise_own(vm, "_ssl", "Failure", "%d:%s:%s:%d:%s", code, where ? where : "", reason ? reason : "",
                       (int)verify, verify ? lib->X509_verify_cert_error_string(verify) : "");
}

static asy_value context_new(asy_vm *vm, const asy_value *args) {
  context *c = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!c || !asy_load_library(vm, "libcrypto.so.3", "libssl3", crypto_symbols, &c->lib) ||
      !asy_load_library(vm, "libssl.so.3", "libssl3", ssl_symbols, &c->lib))
    return ASY_FAILED;
  c->ctx = c->lib.SSL_CTX_new(c->lib.TLS_method());
  if (!c->ctx) return fail(vm, &c->lib, 1, NULL);
  c->lib.SSL_CTX_ctrl(c->ctx, SSL_CTRL_MODE,
                      SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY, NULL);
  return asy_from_obj(c);
}

static asy_value context_load_cert_chain(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const char *cert, *key;
  if (!asy_to_cstr(vm, args[1], &cert) || !asy_to_cstr(vm, args[2], &key)) return ASY_FAILED;
  bool good = c->lib.SSL_CTX_use_certificate_chain_file(c->ctx, cert) == 1 &&
              c->lib.SSL_CTX_use_PrivateKey_file(c->ctx, key, SSL_FILETYPE_PEM) == 1 &&
              c->lib.SSL_CTX_check_private_key(c->ctx) == 1;
  return good ? ASY_NONE : fail(vm, &c->lib, 1, NULL);
}

static asy_value context_load_verify(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const char *file = NULL, *folder = NULL;
  if ((args[1] != ASY_NONE && !asy_to_cstr(vm, args[1], &file)) ||
      (args[2] != ASY_NONE && !asy_to_cstr(vm, args[2], &folder)))
    return ASY_FAILED;
  bool good = file || folder ? c->lib.SSL_CTX_load_verify_locations(c->ctx, file, folder) == 1
                             : c->lib.SSL_CTX_set_default_verify_paths(c->ctx) == 1;
  return good ? ASY_NONE : fail(vm, &c->lib, 1, NULL);
}

static asy_value context_add_cert(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  asy_buffer b;
  if (!asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  const unsigned char *at = b.data;
  X509 *cert = c->lib.d2i_X509(NULL, &at, (long)b.len);
  asy_buffer_release(vm, &b);
  if (!cert) return fail(vm, &c->lib, 1, NULL);
  c->lib.X509_STORE_add_cert(c->lib.SSL_CTX_get_cert_store(c->ctx), cert);
  c->lib.X509_free(cert);
  return ASY_NONE;
}

static asy_value context_set_ciphers(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const char *text;
  if (!asy_to_cstr(vm, args[1], &text)) return ASY_FAILED;
  return c->lib.SSL_CTX_set_cipher_list(c->ctx, text) == 1 ? ASY_NONE : fail(vm, &c->lib, 1, NULL);
}

/* verify mode, options, lowest and highest version (0: any) */
static asy_value context_configure(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  int mode, lowest, highest;
  int64_t options;
  if (!asy_to_int(vm, args[1], 0, 2, &mode) || !asy_to_int64(vm, args[2], &options) ||
      !asy_to_int(vm, args[3], 0, 0xffff, &lowest) || !asy_to_int(vm, args[4], 0, 0xffff, &highest))
    return ASY_FAILED;
  c->lib.SSL_CTX_set_verify(c->ctx,
                            mode == 0   ? SSL_VERIFY_NONE
                            : mode == 1 ? SSL_VERIFY_PEER
                                        : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                            NULL);
  c->lib.SSL_CTX_clear_options(c->ctx, c->lib.SSL_CTX_set_options(c->ctx, 0));
  c->lib.SSL_CTX_set_options(c->ctx, (uint64_t)options);
  c->lib.SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, lowest, NULL);
  c->lib.SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_MAX_PROTO_VERSION, highest, NULL);
  return ASY_NONE;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in,
                           unsigned inlen, void *arg) {
  (void)ssl;
  context *c = arg;
  int got = c->lib.SSL_select_next_proto((unsigned char **)out, outlen, c->protocols, c->protocols_length, in, inlen);
  return got == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static asy_value context_set_protocols(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  asy_buffer b;
  if (!asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  bool fits = b.len <= sizeof c->protocols;
  if (fits) {
    memcpy(c->protocols, b.data, b.len);
    c->protocols_length = (unsigned)b.len;
    c->lib.SSL_CTX_set_alpn_protos(c->ctx, c->protocols, c->protocols_length);
    c->lib.SSL_CTX_set_alpn_select_cb(c->ctx, choose_protocol, c);
  }
  asy_buffer_release(vm, &b);
  return fits ? ASY_NONE : asy_raise(vm, ASY_OverflowError, "protocols longer than %d bytes", (int)sizeof c->protocols);
}

static asy_value context_version(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  return asy_tuple_of(vm, 2, asy_from_cstr(vm, c->lib.OpenSSL_version(0)),
                      asy_from_int64(vm, (int64_t)c->lib.OpenSSL_version_num()));
}

extern const asy_type asy_ssl_connection_type;

/* (server side, name or None, name to be checked, 0: not, 1: host, 2: address) */
static asy_value context_connection(asy_vm *vm, const asy_value *args) {
  context *c = context_of(args[0]);
  const char *host = NULL;
  int check;
  if ((args[2] != ASY_NONE && !asy_to_cstr(vm, args[2], &host)) || !asy_to_int(vm, args[3], 0, 2, &check))
    return ASY_FAILED;
  connection *s = asy_new_object(vm, &asy_ssl_connection_type);
  if (!s) return ASY_FAILED;
  s->lib = c->lib;
  s->owner = args[0];
  s->ssl = c->lib.SSL_new(c->ctx);
  s->in = c->lib.BIO_new(c->lib.BIO_s_mem());
  s->out = c->lib.BIO_new(c->lib.BIO_s_mem());
  if (!s->ssl || !s->in || !s->out) return asy_raise_no_memory(vm);
  c->lib.BIO_ctrl(s->in, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, NULL);
  c->lib.BIO_ctrl(s->out, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, NULL);
  c->lib.SSL_set_bio(s->ssl, s->in, s->out);
  if (args[1] == ASY_TRUE) {
    c->lib.SSL_set_accept_state(s->ssl);
    return asy_from_obj(s);
  }
  c->lib.SSL_set_connect_state(s->ssl);
  if (host && check != 2)
    c->lib.SSL_ctrl(s->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)host);
  if (host && check == 1) c->lib.SSL_set1_host(s->ssl, host);
  if (host && check == 2) c->lib.X509_VERIFY_PARAM_set1_ip_asc(c->lib.SSL_get0_param(s->ssl), host);
  return asy_from_obj(s);
}

/* ---- Connections ---- */

static asy_value outcome(asy_vm *vm, connection *s, int rc, asy_value good) {
  if (rc > 0) return good;
  return fail(vm, &s->lib, s->lib.SSL_get_error(s->ssl, rc), s->ssl);
}

static asy_value connection_handshake(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  s->lib.ERR_clear_error();
  return outcome(vm, s, s->lib.SSL_do_handshake(s->ssl), ASY_NONE);
}

static asy_value connection_shutdown(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  s->lib.ERR_clear_error();
  int rc = s->lib.SSL_shutdown(s->ssl);
  if (rc == 0) rc = s->lib.SSL_shutdown(s->ssl);
  return outcome(vm, s, rc, ASY_NONE);
}

static asy_value connection_read(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  int n;
  if (!asy_to_int(vm, args[1], 0, INT32_MAX, &n)) return ASY_FAILED;
  unsigned char data[16384];
  if (n > (int)sizeof data) n = sizeof data;
  s->lib.ERR_clear_error();
  int got = s->lib.SSL_read(s->ssl, data, n);
  return got > 0 ? asy_from_bytes(vm, data, (size_t)got) : outcome(vm, s, got, ASY_NONE);
}

static asy_value connection_write(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  asy_buffer b;
  if (!asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  s->lib.ERR_clear_error();
  int sent = b.len ? s->lib.SSL_write(s->ssl, b.data, (int)b.len) : 0;
  bool empty = !b.len;
  asy_buffer_release(vm, &b);
  return empty ? asy_from_int64(vm, 0) : outcome(vm, s, sent, asy_from_int64(vm, sent));
}

/* Data that came; the end of it. */
static asy_value connection_feed(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  asy_buffer b;
  if (!asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  if (b.len) s->lib.BIO_write(s->in, b.data, (int)b.len);
  asy_buffer_release(vm, &b);
  return ASY_NONE;
}

static asy_value connection_feed_eof(asy_vm *vm, const asy_value *args) {
  (void)vm;
  connection *s = connection_of(args[0]);
  s->lib.BIO_ctrl(s->in, BIO_C_SET_BUF_MEM_EOF_RETURN, 0, NULL);
  return ASY_NONE;
}

static asy_value connection_drain(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  size_t n = (size_t)s->lib.BIO_ctrl(s->out, BIO_CTRL_PENDING, 0, NULL);
  asy_bytes *data = asy_bytes_new(vm, NULL, n);
  if (!data) return ASY_FAILED;
  if (n) s->lib.BIO_read(s->out, data->data, (int)n);
  return asy_from_obj(data);
}

static asy_value connection_pending(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  return asy_from_int64(vm, s->lib.SSL_pending(s->ssl));
}

/* (version, cipher's name, its version, its bits, ALPN's protocol, the certificate as DER): None for what there is not */
static asy_value connection_info(asy_vm *vm, const asy_value *args) {
  connection *s = connection_of(args[0]);
  const library *lib = &s->lib;
  const SSL_CIPHER *cipher = lib->SSL_get_current_cipher(s->ssl);
  asy_value der = ASY_NONE;
  X509 *cert = lib->SSL_get1_peer_certificate(s->ssl);
  if (cert) {
    int n = lib->i2d_X509(cert, NULL);
    asy_bytes *bytes = n > 0 ? asy_bytes_new(vm, NULL, (size_t)n) : NULL;
    unsigned char *at = bytes ? bytes->data : NULL;
    if (bytes) lib->i2d_X509(cert, &at);
    lib->X509_free(cert);
    if (!bytes) return asy_raised(vm) ? ASY_FAILED : asy_raise_no_memory(vm);
    der = asy_from_obj(bytes);
  }
  const unsigned char *protocol;
  unsigned length;
  lib->SSL_get0_alpn_selected(s->ssl, &protocol, &length);
  int bits = cipher ? lib->SSL_CIPHER_get_bits(cipher, NULL) : 0;
  return asy_tuple_of(vm, 6, cipher ? asy_from_cstr(vm, lib->SSL_get_version(s->ssl)) : ASY_NONE,
                      cipher ? asy_from_cstr(vm, lib->SSL_CIPHER_get_name(cipher)) : ASY_NONE,
                      cipher ? asy_from_cstr(vm, lib->SSL_CIPHER_get_version(cipher)) : ASY_NONE,
                      asy_from_int64(vm, bits), protocol ? asy_from_text(vm, (const char *)protocol, length) : ASY_NONE,
                      der);
}

static const asy_native context_methods[] = {
  {"add_cert", "(self, der, /)", context_add_cert, NULL, 0},
  {"configure", "(self, mode, options, lowest, highest, /)", context_configure, NULL, 0},
  {"connection", "(self, server, name, check, /)", context_connection, NULL, 0},
  {"load_cert_chain", "(self, cert, key, /)", context_load_cert_chain, NULL, 0},
  {"load_verify", "(self, file, folder, /)", context_load_verify, NULL, 0},
  {"set_ciphers", "(self, text, /)", context_set_ciphers, NULL, 0},
  {"set_protocols", "(self, wire, /)", context_set_protocols, NULL, 0},
  {"version", "(self, /)", context_version, NULL, 0},
  {0},
};

static const asy_native connection_methods[] = {
  {"drain", "(self, /)", connection_drain, NULL, 0},       {"feed", "(self, data, /)", connection_feed, NULL, 0},
  {"feed_eof", "(self, /)", connection_feed_eof, NULL, 0}, {"handshake", "(self, /)", connection_handshake, NULL, 0},
  {"info", "(self, /)", connection_info, NULL, 0},         {"pending", "(self, /)", connection_pending, NULL, 0},
  {"read", "(self, n, /)", connection_read, NULL, 0},      {"shutdown", "(self, /)", connection_shutdown, NULL, 0},
  {"write", "(self, data, /)", connection_write, NULL, 0}, {0},
};

static const asy_type context_type = {
  .name = "_ssl.Context",
  .size = sizeof(context),
  .free = context_free,
  .new_ = context_new,
  .new_signature = "(cls, /)",
  .methods = context_methods,
};

const asy_type asy_ssl_connection_type = {
  .name = "_ssl.Connection",
  .size = sizeof(connection),
  .flags = ASY_TYPE_NO_NEW,
  .visit = connection_visit,
  .free = connection_free,
  .methods = connection_methods,
};

static bool init(asy_vm *vm, asy_value module) {
  return asy_module_add_type(vm, module, "Context", &context_type) &&
         asy_define_exception(vm, module, "_ssl.Failure", ASY_Exception);
}

const asy_module_def asy_module_ssl = {"_ssl", NULL, "OpenSSL's contexts and connections.", init};
