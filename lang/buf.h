/* buf.h - growable bytes.
 * `data` is always NUL-terminated once something has been added; `len` does not count the NUL.
 * Running out of memory is sticky: `oom` is set and later additions are dropped, so a caller asks once at the end.
 */
#ifndef ASY_LANG_BUF_H
#define ASY_LANG_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct asy_buf {
  char *data; /* owned; NULL while cap is 0 */
  size_t len;
  size_t cap; /* bytes allocated, the NUL included */
  bool oom;
} asy_buf;

void asy_buf_free(asy_buf *buf);

/* Makes room for extra bytes and the NUL. False and `oom` when memory runs out. */
bool asy_buf_reserve(asy_buf *buf, size_t extra);

static inline void asy_buf_add(asy_buf *buf, const void *bytes, size_t len) {
  if (!len) return;
  if (buf->cap - buf->len <= len && !asy_buf_reserve(buf, len)) return;
  memcpy(buf->data + buf->len, bytes, len);
  buf->len += len;
  buf->data[buf->len] = 0;
}

static inline void asy_buf_char(asy_buf *buf, char c) { asy_buf_add(buf, &c, 1); }
static inline void asy_buf_text(asy_buf *buf, const char *text) { asy_buf_add(buf, text, strlen(text)); }

/* One code point as UTF-8; a surrogate becomes its three bytes. */
void asy_buf_utf8(asy_buf *buf, uint32_t code_point);

__attribute__((format(printf, 2, 3))) void asy_buf_format(asy_buf *buf, const char *format, ...);

#endif
