/* binascii.c - the module binascii: bytes as text that survives mail: hexadecimal, base64, uuencode, quoted-printable; and the
 * checksums. Every function reads one bytes-like object (or ASCII text) and writes one new bytes object of a known largest size.
 */
#include <stdlib.h>
#include <zlib.h>

#include "runtime/asy.h"

static asy_value wrong(asy_vm *vm, const char *text) { return asy_raise_own(vm, "binascii", "Error", "%s", text); }

/* Bytes, or the characters of an ASCII text. */
static bool ascii_buffer(asy_vm *vm, asy_value v, asy_buffer *out) {
  if (asy_is_str(v)) {
    asy_str *s = (asy_str *)asy_obj_of(v);
    if (!(s->head.flags & STR_ASCII))
      return asy_raise(vm, ASY_ValueError, "string argument should contain only ASCII characters"), false;
    *out = (asy_buffer){.data = (uint8_t *)(uintptr_t)asy_str_data(s), .len = s->len};
    return true;
  }
  if (!asy_is_bytes_like(v))
    return asy_raise(vm, ASY_TypeError, "argument should be bytes, buffer or ASCII string, not '%T'", v), false;
  return asy_buffer_get(vm, v, out);
}

/* The result of a conversion: `out` was malloc'ed with room for the largest one. */
static asy_value finish(asy_vm *vm, asy_buffer *in, uint8_t *out, size_t length) {
  asy_value result = out ? asy_from_bytes(vm, out, length) : asy_raise_no_memory(vm);
  free(out);
  asy_buffer_release(vm, in);
  return result;
}

static asy_value give_up(asy_vm *vm, asy_buffer *in, uint8_t *out, const char *text) {
  free(out);
  asy_buffer_release(vm, in);
  return wrong(vm, text);
}

/* ---- Hexadecimal ---- */

static int hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 32;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static asy_value do_hexlify(asy_vm *vm, const asy_value *args) {
  asy_buffer b;
  int group;
  uint32_t separator = 0;
  bool separated = args[1] != ASY_UNBOUND;
  if (!asy_to_c_int(vm, args[2], &group)) return ASY_FAILED;
  if (separated) {
    int64_t length = asy_length(vm, args[1]);
    if (length < 0) return ASY_FAILED;
    if (length != 1) return asy_raise(vm, ASY_ValueError, "sep must be length 1.");
    if (asy_is_str(args[1])) separator = asy_str_at((asy_str *)asy_obj_of(args[1]), 0);
    else if (asy_is_kind(args[1], KIND_BYTES)) separator = ((asy_bytes *)asy_obj_of(args[1]))->data[0];
    else return asy_raise(vm, ASY_TypeError, "sep must be str or bytes.");
    if (separator > 255) return asy_raise(vm, ASY_ValueError, "sep must be ASCII.");
  }
  if (!asy_buffer_get(vm, args[0], &b)) return ASY_FAILED;
  if (!separated || !group) group = 0;
  size_t every = (size_t)(group < 0 ? -(int64_t)group : group);
  size_t separators = every && b.len ? (b.len - 1) / every : 0;
  uint8_t *out = malloc(2 * b.len + separators + 1), *p = out;
  for (size_t i = 0; out && i < b.len; i++) {
    static const char digits[] = "0123456789abcdef";
    size_t counted = group < 0 ? i : b.len - i;
    if (every && i && counted % every == 0) *p++ = (uint8_t)separator;
    *p++ = (uint8_t)digits[b.data[i] >> 4];
    *p++ = (uint8_t)digits[b.data[i] & 15];
  }
  return finish(vm, &b, out, (size_t)(p - out));
}

static asy_value do_unhexlify(asy_vm *vm, const asy_value *args) {
  asy_buffer b;
  if (!ascii_buffer(vm, args[0], &b)) return ASY_FAILED;
  if (b.len % 2) return give_up(vm, &b, NULL, "Odd-length string");
  uint8_t *out = malloc(b.len / 2 + 1);
  for (size_t i = 0; out && i < b.len; i += 2) {
    int high = hex_digit(b.data[i]), low = hex_digit(b.data[i + 1]);
    if (high < 0 || low < 0) return give_up(vm, &b, out, "Non-hexadecimal digit found");
    out[i / 2] = (uint8_t)(high << 4 | low);
  }
  return finish(vm, &b, out, b.len / 2);
}

/* ---- Base64 ---- */

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int base64_value(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static asy_value do_b2a_base64(asy_vm *vm, const asy_value *args) {
  asy_buffer b;
  int newline = asy_truth(vm, args[1]);
  if (newline < 0 || !asy_buffer_get(vm, args[0], &b)) return ASY_FAILED;
  uint8_t *out = malloc(b.len / 3 * 4 + 6), *p = out;
  const uint8_t *in = b.data;
  size_t left = b.len;
  for (; out && left >= 3; left -= 3, in += 3) {
    uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
    *p++ = (uint8_t)base64_digits[bits >> 18];
    *p++ = (uint8_t)base64_digits[bits >> 12 & 63];
    *p++ = (uint8_t)base64_digits[bits >> 6 & 63];
    *p++ = (uint8_t)base64_digits[bits & 63];
  }
  if (out && left) {
    uint32_t bits = (uint32_t)in[0] << 16 | (left > 1 ? (uint32_t)in[1] << 8 : 0);
    *p++ = (uint8_t)base64_digits[bits >> 18];
    *p++ = (uint8_t)base64_digits[bits >> 12 & 63];
    *p++ = left > 1 ? (uint8_t)base64_digits[bits >> 6 & 63] : '=';
    *p++ = '=';
  }
  if (out && newline) *p++ = '\n';
  return finish(vm, &b, out, (size_t)(p - out));
}

/* Digits collect in `bits`, four a group; what is no digit is passed over, or is an error in strict mode. */
static asy_value do_a2b_base64(asy_vm *vm, const asy_value *args) {
  asy_buffer b;
  int strict = asy_truth(vm, args[1]);
  if (strict < 0 || !ascii_buffer(vm, args[0], &b)) return ASY_FAILED;
  uint8_t *out = malloc(b.len / 4 * 3 + 4), *p = out;
  if (!out) return finish(vm, &b, out, 0);
  uint32_t bits = 0;
  unsigned have = 0, pads = 0;
  if (strict && b.len && b.data[0] == '=') return give_up(vm, &b, out, "Leading padding not allowed");
  for (size_t i = 0; i < b.len; i++) {
    uint8_t c = b.data[i];
    if (c == '=') {
      pads++;
      if (have >= 2 && have + pads >= 4) {
        if (strict && i + 1 < b.len) return give_up(vm, &b, out, "Excess data after padding");
        return finish(vm, &b, out, (size_t)(p - out));
      }
      if (strict && have == 0) return give_up(vm, &b, out, "Excess padding not allowed");
      continue;
    }
    int value = base64_value(c);
    if (value < 0) {
      if (strict) return give_up(vm, &b, out, "Only base64 data is allowed");
      continue;
    }
    if (strict && pads) return give_up(vm, &b, out, "Discontinuous padding not allowed");
    pads = 0;
    bits = bits << 6 | (uint32_t)value;
    have = (have + 1) & 3;
    if (have == 1) continue;
    *p++ = (uint8_t)(bits >> (have == 2 ? 4 : have == 3 ? 2 : 0));
  }
  if (have == 1) {
    size_t digits = (size_t)(p - out) / 3 * 4 + 1;
    free(out);
    asy_buffer_release(vm, &b);
    return asy_raise_own(
      vm, "binascii", "Error",
      "Invalid base64-encoded string: number of data characters (%zu) cannot be 1 more than a multiple of 4", digits);
  }
  return have ? give_up(vm, &b, out, "Incorrect padding") : finish(vm, &b, out, (size_t)(p - out));
}

/* ---- Uuencode: one line ---- */

static asy_value do_b2a_uu(asy_vm *vm, const asy_value *args) {
  asy_buffer b;
  int backtick = asy_truth(vm, args[1]);
  if (backtick < 0 || !asy_buffer_get(vm, args[0], &b)) return ASY_FAILED;
  if (b.len > 45) return give_up(vm, &b, NULL, "At most 45 bytes at once");
  uint8_t text[64], *p = text, zero = backtick ? '`' : ' ';
  *p++ = b.len ? (uint8_t)(' ' + b.len) : zero;
  for (size_t i = 0; i < b.len; i += 3) {
    uint32_t bits = (uint32_t)b.data[i] << 16 | (i + 1 < b.len ? (uint32_t)b.data[i + 1] << 8 : 0) |
                    (i + 2 < b.len ? b.data[i + 2] : 0u);
    for (int shift = 18; shift >= 0; shift -= 6)
      *p++ = bits >> shift & 63 ? (uint8_t)(' ' + (bits >> shift & 63)) : zero;
  }
  *p++ = '\n';
  asy_buffer_release(vm, &b);
  return asy_from_bytes(vm, text, (size_t)(p - text));
}

static asy_value do_a2b_uu(asy_vm *vm, const asy_value *args) {
  asy_buffer b;
  if (!ascii_buffer(vm, args[0], &b)) return ASY_FAILED;
  const uint8_t *in = b.data, *end = in + b.len;
  uint8_t out[64] = {0};
  size_t length = b.len ? (uint8_t)(*in++ - ' ') & 63 : 32, n = 0;
  uint32_t bits = 0;
  for (unsigned have = 0; n < length;) {
    uint8_t c = in < end ? *in++ : ' ';
    if (c == '\n' || c == '\r') c = ' '; /* an editor may have cut spaces */
    if (c < ' ' || c > ' ' + 64) return give_up(vm, &b, NULL, "Illegal char");
    bits = bits << 6 | ((uint32_t)(c - ' ') & 63);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    out[n++] = (uint8_t)(bits >> have);
  }
  for (; in < end; in++)
    if (*in != ' ' && *in != ' ' + 64 && *in != '\n' && *in != '\r') return give_up(vm, &b, NULL, "Trailing garbage");
  asy_buffer_release(vm, &b);
  return asy_from_bytes(vm, out, length);
}

/* ---- Quoted-printable ---- */

static asy_value do_a2b_qp(asy_vm *vm, const asy_value *args) {
  asy_buffer b;
  int header = asy_truth(vm, args[1]);
  if (header < 0 || !ascii_buffer(vm, args[0], &b)) return ASY_FAILED;
  uint8_t *out = malloc(b.len + 1), *p = out;
  for (size_t i = 0; out && i < b.len;) {
    uint8_t c = b.data[i++];
    if (c == '_' && header) {
      *p++ = ' ';
    } else if (c != '=') {
      *p++ = c;
    } else if (i >= b.len) {
      break;
    } else if (b.data[i] == '\n' || b.data[i] == '\r') { /* a soft line break */
      while (i < b.len && b.data[i] != '\n') i++;
      i++;
    } else if (b.data[i] == '=') { /* broken text, left as it is */
      *p++ = '=';
      i++;
    } else if (i + 1 < b.len && hex_digit(b.data[i]) >= 0 && hex_digit(b.data[i + 1]) >= 0) {
      *p++ = (uint8_t)(hex_digit(b.data[i]) << 4 | hex_digit(b.data[i + 1]));
      i += 2;
    } else {
      *p++ = '=';
    }
  }
  return finish(vm, &b, out, (size_t)(p - out));
}

typedef struct {
  bool quotetabs, istext, header;
} qp_options;

static bool must_quote(const uint8_t *data, size_t len, size_t i, size_t column, const qp_options *o) {
  uint8_t c = data[i];
  if (c > 126 || c == '=' || (o->header && c == '_')) return true;
  if (c == '.' && column == 0 && (i + 1 == len || data[i + 1] == '\n' || data[i + 1] == '\r' || data[i + 1] == 0))
    return true;
  if (!o->istext && (c == '\r' || c == '\n')) return true;
  if ((c == '\t' || c == ' ') && i + 1 == len) return true;
  return c < 33 && c != '\r' && c != '\n' && (o->quotetabs || (c != '\t' && c != ' '));
}

static void put_quoted(uint8_t **p, uint8_t c) {
  static const char digits[] = "0123456789ABCDEF";
  *(*p)++ = '=';
  *(*p)++ = (uint8_t)digits[c >> 4];
  *(*p)++ = (uint8_t)digits[c & 15];
}

static asy_value do_b2a_qp(asy_vm *vm, const asy_value *args) {
  enum { LINE = 76 };
  asy_buffer b;
  int quotetabs = asy_truth(vm, args[1]), istext = quotetabs < 0 ? -1 : asy_truth(vm, args[2]);
  int header = istext < 0 ? -1 : asy_truth(vm, args[3]);
  if (header < 0 || !asy_buffer_get(vm, args[0], &b)) return ASY_FAILED;
  qp_options o = {quotetabs, istext, header};
  const uint8_t *newline = memchr(b.data, '\n', b.len);
  bool crlf = newline && newline > b.data && newline[-1] == '\r';
  uint8_t *out = malloc(b.len * 3 + (b.len * 3 / (LINE - 3) + 2) * 3 + b.len + 1), *p = out;
  size_t column = 0;
  for (size_t i = 0; out && i < b.len;) {
    uint8_t c = b.data[i];
    if (must_quote(b.data, b.len, i, column, &o)) {
      if (column + 3 >= LINE) {
        *p++ = '=';
        if (crlf) *p++ = '\r';
        *p++ = '\n';
        column = 0;
      }
      put_quoted(&p, c);
      column += 3;
      i++;
      continue;
    }
    bool ends = istext && (c == '\n' || (c == '\r' && i + 1 < b.len && b.data[i + 1] == '\n'));
    if (ends) {
      if (column && (p[-1] == ' ' || p[-1] == '\t')) { /* trailing space would be lost */
        uint8_t space = *--p;
        put_quoted(&p, space);
      }
      if (crlf) *p++ = '\r';
      *p++ = '\n';
      i += c == '\r' ? 2 : 1;
      column = 0;
      continue;
    }
    if (i + 1 != b.len && b.data[i + 1] != '\n' && column + 1 >= LINE) {
      *p++ = '=';
      if (crlf) *p++ = '\r';
      *p++ = '\n';
      column = 0;
    }
    *p++ = c == ' ' && header ? '_' : c;
    column++;
    i++;
  }
  return finish(vm, &b, out, (size_t)(p - out));
}

/* ---- Checksums ---- */

static asy_value do_crc32(asy_vm *vm, const asy_value *args) {
  asy_buffer b;
  asy_value start = asy_index(vm, args[1]);
  if (asy_failed(start) || !asy_buffer_get(vm, args[0], &b)) return ASY_FAILED;
  static const asy_library library = {"libz.so.1", "zlib1g", "*", "crc32_z\0", sizeof(&crc32_z)};
  const __typeof__(&crc32_z) *sum = asy_library_table(vm, &library);
  uLong crc = sum ? (*sum)((uint32_t)asy_int_mask64(start), b.data, b.len) : 0;
  asy_buffer_release(vm, &b);
  return sum ? asy_from_small((int64_t)crc) : ASY_FAILED;
}

static asy_value do_crc_hqx(asy_vm *vm, const asy_value *args) {
  asy_buffer b;
  asy_value start = asy_index(vm, args[1]);
  if (asy_failed(start) || !asy_buffer_get(vm, args[0], &b)) return ASY_FAILED;
  uint32_t crc = (uint32_t)asy_int_mask64(start) & 0xffff;
  for (size_t i = 0; i < b.len; i++) {
    crc ^= (uint32_t)b.data[i] << 8;
    for (int bit = 0; bit < 8; bit++) crc = (crc << 1 ^ (crc & 0x8000 ? 0x1021u : 0u)) & 0xffff;
  }
  asy_buffer_release(vm, &b);
  return asy_from_small(crc);
}

static const asy_native binascii_natives[] = {
  {"a2b_base64", SIG("(data, /, *, strict_mode=False)"), do_a2b_base64, DOC("Decode a line of base64 data."), 0},
  {"a2b_hex", SIG("(hexstr, /)"), do_unhexlify, DOC("Binary data of hexadecimal representation."), 0},
  {"a2b_qp", SIG("(data, header=False)"), do_a2b_qp, DOC("Decode a string of qp-encoded data."), 0},
  {"a2b_uu", SIG("(data, /)"), do_a2b_uu, DOC("Decode a line of uuencoded data."), 0},
  {"b2a_base64", SIG("(data, /, *, newline=True)"), do_b2a_base64, DOC("Base64-code line of data."), 0},
  {"b2a_hex", SIG("(data, sep=?, bytes_per_sep=1)"), do_hexlify, DOC("Hexadecimal representation of binary data."), 0},
  {"b2a_qp", SIG("(data, quotetabs=False, istext=True, header=False)"), do_b2a_qp,
   DOC("Encode a string using quoted-printable encoding."), 0},
  {"b2a_uu", SIG("(data, /, *, backtick=False)"), do_b2a_uu, DOC("Uuencode line of data."), 0},
  {"crc32", SIG("(data, crc=0, /)"), do_crc32, DOC("Compute CRC-32 incrementally."), 0},
  {"crc_hqx", SIG("(data, crc, /)"), do_crc_hqx, DOC("Compute CRC-CCITT incrementally."), 0},
  {"hexlify", SIG("(data, sep=?, bytes_per_sep=1)"), do_hexlify, DOC("Hexadecimal representation of binary data."), 0},
  {"unhexlify", SIG("(hexstr, /)"), do_unhexlify, DOC("Binary data of hexadecimal representation."), 0},
  {0},
};

static bool binascii_init(asy_vm *vm, asy_value module) {
  return asy_define_exception(vm, module, "binascii.Error", ASY_ValueError) &&
         asy_define_exception(vm, module, "binascii.Incomplete", ASY_Exception);
}

const asy_module_def asy_module_binascii = {"binascii", binascii_natives, "Conversion between binary data and ASCII",
                                            binascii_init};
