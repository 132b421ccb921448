/* buf.c - growable bytes. */
#include "lang/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void asy_buf_free(asy_buf *buf) {
  free(buf->data);
  *buf = (asy_buf){0};
}

bool asy_buf_reserve(asy_buf *buf, size_t extra) {
  if (buf->oom) return false;
  if (buf->cap - buf->len > extra) return true;
  size_t cap = buf->cap ? buf->cap : 64;
  while (cap - buf->len <= extra) {
    if (cap > SIZE_MAX / 2) return buf->oom = true, false;
    cap *= 2;
  }
  char *data = realloc(buf->data, cap);
  if (!data) return buf->oom = true, false;
  buf->data = data;
  buf->cap = cap;
  return true;
}

void asy_buf_utf8(asy_buf *buf, uint32_t c) {
  char bytes[4];
  size_t len;
  if (c < 0x80) {
    bytes[0] = (char)c, len = 1;
  } else if (c < 0x800) {
    bytes[0] = (char)(0xC0 | c >> 6), bytes[1] = (char)(0x80 | (c & 63)), len = 2;
  } else if (c < 0x10000) {
    bytes[0] = (char)(0xE0 | c >> 12), bytes[1] = (char)(0x80 | (c >> 6 & 63)), bytes[2] = (char)(0x80 | (c & 63)),
    len = 3;
  } else {
    bytes[0] = (char)(0xF0 | c >> 18), bytes[1] = (char)(0x80 | (c >> 12 & 63));
    bytes[2] = (char)(0x80 | (c >> 6 & 63)), bytes[3] = (char)(0x80 | (c & 63)), len = 4;
  }
  asy_buf_add(buf, bytes, len);
}

void asy_buf_format(asy_buf *buf, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (len > 0 && asy_buf_reserve(buf, (size_t)len)) {
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
    buf->len += (size_t)len;
  }
  va_end(again);
}
