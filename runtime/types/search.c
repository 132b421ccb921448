/* search.c - finding code points and spans of them: what find, count, split, replace and `in` are made of.
 * Width 1 goes to memchr of libc and find_bytes. Width 2 and 4 search the bytes the same way and skip matches that begin inside a
 * code point. A narrow needle in wide text is widened first (those have at most a few bytes
 * more); the search is for code points, so both sides of asy_find_points have the same width.
 */
#include <wchar.h>

#include "runtime/types/lanes.h"
#include "runtime/types/str_internal.h"

int64_t asy_find_point(const void *hay, size_t n, uint32_t c, unsigned width) {
  if (width == 1) {
    if (c > 0xFF) return -1;
    const uint8_t *found = memchr(hay, (int)c, n);
    return found ? found - (const uint8_t *)hay : -1;
  }
  if (width == 2) {
    const uint16_t *points = hay;
    if (c > 0xFFFF) return -1;
    asy_lanes16 wanted = asy_all16((uint16_t)c);
    size_t i = 0;
    while (i + 8 <= n && !asy_any((asy_lanes64)(asy_load16(points + i) == wanted))) i += 8;
    for (; i < n; i++)
      if (points[i] == c) return (int64_t)i;
    return -1;
  }
  const wchar_t *found = wmemchr(hay, (wchar_t)c, n);
  return found ? found - (const wchar_t *)hay : -1;
}

int64_t asy_rfind_point(const void *hay, size_t n, uint32_t c, unsigned width) {
  if (width == 1) {
    if (c > 0xFF) return -1;
    const uint8_t *found = memrchr(hay, (int)c, n);
    return found ? found - (const uint8_t *)hay : -1;
  }
  for (size_t i = n; i-- > 0;)
    if (asy_peek(hay, width, i) == c) return (int64_t)i;
  return -1;
}

static const uint8_t *find_in_few(const uint8_t *hay, size_t n, const uint8_t *needle, size_t m) {
  for (const uint8_t *end = hay + n - m; hay <= end; hay++)
    if (hay[0] == needle[0] && hay[m - 1] == needle[m - 1] && memcmp(hay + 1, needle + 1, m - 2) == 0) return hay;
  return NULL;
}

/* As memmem, whose tables cost more than most searches: where 16 places at a time have the needle's first and last byte, the rest is
 * compared (after W. Mula, SIMD-friendly algorithms for substring searching, 2016). Too many of these in vain, and memmem, which is
 * linear, goes on. m is 2 or more, and n is not less. */
static const uint8_t *find_bytes(const uint8_t *hay, size_t n, const uint8_t *needle, size_t m) {
  if (n < 15 + m) return find_in_few(hay, n, needle, m);
  const asy_lanes8 first = asy_all8(needle[0]), last = asy_all8(needle[m - 1]);
  size_t i = 0, vain = 0;
  for (; i + 15 + m <= n; i += 16) {
    asy_lanes64 hits = (asy_lanes64)((asy_load8(hay + i) == first) & (asy_load8(hay + i + m - 1) == last));
    if (!asy_any(hits)) continue;
    for (unsigned half = 0; half < 2; half++) {
      for (uint64_t bits = hits[half]; bits; vain++) {
        unsigned lane = (unsigned)__builtin_ctzll(bits) / 8;
        const uint8_t *at = hay + i + half * 8 + lane;
        if (memcmp(at + 1, needle + 1, m - 2) == 0) return at;
        bits &= ~(UINT64_C(0xFF) << lane * 8);
      }
    }
    if (vain > 32 + i / 8) return memmem(hay + i + 16, n - i - 16, needle, m);
  }
  return n - i < m ? NULL : find_in_few(hay + i, n - i, needle, m); /* at most 15 places */
}

int64_t asy_find_points(const void *hay, size_t n, const void *needle, size_t m, unsigned width) {
  if (m > n) return -1;
  if (m == 0) return 0;
  if (m == 1) return asy_find_point(hay, n, asy_peek(needle, width, 0), width);
  const uint8_t *at = hay, *end = at + n * width;
  if (width == 1) {
    const uint8_t *found = find_bytes(at, n, needle, m);
    return found ? found - at : -1;
  }
  while ((size_t)(end - at) >= m * width) {
    const uint8_t *found = find_bytes(at, (size_t)(end - at), needle, m * width);
    if (!found) return -1;
    size_t offset = (size_t)(found - (const uint8_t *)hay);
    if (offset % width == 0) return (int64_t)(offset / width);
    at = found + (width - offset % width);
  }
  return -1;
}

int64_t asy_rfind_points(const void *hay, size_t n, const void *needle, size_t m, unsigned width) {
  if (m > n) return -1;
  if (m == 0) return (int64_t)n;
  uint32_t first = asy_peek(needle, width, 0);
  size_t limit = n - m + 1;
  for (;;) {
    int64_t at = asy_rfind_point(hay, limit, first, width);
    if (at < 0 || memcmp(asy_at(hay, width, (size_t)at), needle, m * width) == 0) return at;
    limit = (size_t)at;
  }
}

int64_t asy_find_narrow(const void *hay, size_t n, const void *needle, size_t m, unsigned width,
                        unsigned needle_width) {
  uint32_t first = asy_peek(needle, needle_width, 0);
  if (m > n) return -1;
  for (size_t start = 0; start + m <= n;) {
    int64_t at = asy_find_point(asy_at(hay, width, start), n - m + 1 - start, first, width);
    if (at < 0) return -1;
    start += (size_t)at;
    size_t i = 1;
    while (i < m && asy_peek(hay, width, start + i) == asy_peek(needle, needle_width, i)) i++;
    if (i == m) return (int64_t)start;
    start++;
  }
  return -1;
}

static size_t count_point(const void *hay, size_t n, uint32_t c, unsigned width) {
  size_t count = 0;
  if (width == 1) {
    const uint8_t *bytes = hay;
    asy_lanes8 wanted = asy_all8((uint8_t)c);
    size_t i = 0;
    if (c > 0xFF) return 0;
    while (i + 16 <= n) {
      asy_lanes8 sums = {0}; /* each lane counts up to 255 */
      size_t end = n - i > 255 * 16 ? i + 255 * 16 : n;
      for (; i + 16 <= end; i += 16) sums -= (asy_lanes8)(asy_load8(bytes + i) == wanted);
      for (unsigned lane = 0; lane < 16; lane++) count += sums[lane];
    }
    for (; i < n; i++) count += bytes[i] == c;
    return count;
  }
  for (size_t i = 0; i < n; i++) count += asy_peek(hay, width, i) == c;
  return count;
}

size_t asy_count_points(const void *hay, size_t n, const void *needle, size_t m, unsigned width, size_t most) {
  size_t count = 0;
  if (m == 0) return n < most ? n + 1 : most;
  if (m == 1 && most >= n) return count_point(hay, n, asy_peek(needle, width, 0), width);
  for (size_t start = 0; count < most && start + m <= n; count++) {
    int64_t at = asy_find_points(asy_at(hay, width, start), n - start, needle, m, width);
    if (at < 0) break;
    start += (size_t)at + m;
  }
  return count;
}
