/* unpack.c - a Zstandard decoder for what is known to be good; see unpack.h. Names and order are those of RFC 8878.
 *
 *   block  = [header 3 bytes][literals][sequences]           literals: bytes, coded by Huffman
 *   sequence: copy so many literals, then so many bytes from so far back; three numbers, each a code (by FSE) and extra bits
 *
 * Streams of bits are written forwards and read backwards: a reader is a position, counted in bits, that falls.
 */
#include "runtime/unpack.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = sizeof(uint64_t), BLOCK_MAX = 1 << 17, HUFFMAN_BITS = 11, FSE_BITS = 9, WEIGHT_BITS = 6, SYMBOLS = 256 };
enum { BLOCK_RAW, BLOCK_REPEAT, BLOCK_PACKED };
enum { LITERALS_RAW, LITERALS_REPEAT, LITERALS_PACKED, LITERALS_SAME_TREE };
enum { TABLE_USUAL, TABLE_ONE_SYMBOL, TABLE_GIVEN, TABLE_SAME };

/* A state of a finite state coder: the symbol it stands for, and where its successor is: base + the next `bits` bits. */
typedef struct {
  uint16_t base;
  uint8_t symbol, bits;
} fse_state;

typedef struct {
  fse_state states[1 << FSE_BITS];
  unsigned bits; /* log2 of how many there are */
} fse_table;

typedef struct {
  uint8_t symbol, bits;
} huffman_entry;

struct asy_unpacker {
  const uint8_t *in;
  uint8_t *out;
  size_t at, end;    /* in out: what is written, and the whole text */
  size_t offsets[3]; /* used last */
  uint8_t literals[BLOCK_MAX];
  size_t n_literals;
  huffman_entry huffman[1 << HUFFMAN_BITS];
  unsigned huffman_bits;
  fse_table tables[3]; /* of literal lengths, offsets, match lengths: see kinds */
};

/* ---- Bits ---- */

typedef struct {
  const uint8_t *start;
  ptrdiff_t at; /* bits not read yet; negative when more was read than there was */
} bits_back;

static inline uint64_t load(const uint8_t *p) {
  uint64_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

/* A stream ends with a 1 and zeros up to a byte. */
static bits_back open_bits(const uint8_t *start, size_t length) {
  return (bits_back){start, (ptrdiff_t)length * 8 - 1 - (__builtin_clz(start[length - 1]) - 24)};
}

/* The next n <= 56 bits: what would lie before the start of the stream is anything. */
static inline uint64_t peek(const bits_back *b, unsigned n) {
  ptrdiff_t at = b->at - (ptrdiff_t)n;
  return load(b->start + (at >> 3)) >> (at & 7) & ((1ull << n) - 1);
}

static inline uint64_t take(bits_back *b, unsigned n) {
  uint64_t value = peek(b, n);
  b->at -= n;
  return value;
}

static unsigned log2_of(uint32_t n) { return 31 - (unsigned)__builtin_clz(n); }

/* ---- Tables of finite state coders ---- */

/* counts: how many states each symbol has; -1 is one with the full number of bits, at the end. */
static void make_table(fse_table *table, const int16_t *counts, unsigned n, unsigned bits) {
  unsigned size = 1u << bits, high = size, at = 0, step = (size >> 1) + (size >> 3) + 3;
  uint16_t next[SYMBOLS];
  for (unsigned s = 0; s < n; s++) {
    next[s] = (uint16_t)(counts[s] < 0 ? 1 : counts[s]);
    if (counts[s] < 0) table->states[--high].symbol = (uint8_t)s;
  }
  for (unsigned s = 0; s < n; s++)
    for (int i = 0; i < counts[s]; i++) {
      table->states[at].symbol = (uint8_t)s;
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  for (unsigned i = 0; i < size; i++) {
    fse_state *state = &table->states[i];
    unsigned x = next[state->symbol]++;
    state->bits = (uint8_t)(bits - log2_of(x));
    state->base = (uint16_t)((x << state->bits) - size);
  }
  table->bits = bits;
}

/* The counts are numbers of as many bits as what is left to give away needs, read forwards. Returns the byte behind. */
static const uint8_t *read_table(fse_table *table, const uint8_t *in) {
  int16_t counts[SYMBOLS];
  size_t at = 4;
  unsigned bits = (in[0] & 15) + 5, n = 0;
  int left = (1 << bits) + 1;
  while (left > 1) {
    unsigned width = log2_of((uint32_t)left) + 1;
    uint32_t word = (uint32_t)(load(in + (at >> 3)) >> (at & 7));
    int half = 1 << (width - 1), spare = 2 * half - 1 - left, value = (int)(word & (uint32_t)(half - 1));
    if (value < spare) {
      at += width - 1;
    } else {
      value = (int)(word & (uint32_t)(2 * half - 1));
      if (value >= half) value -= spare;
      at += width;
    }
    int count = value - 1;
    left -= count < 0 ? 1 : count;
    counts[n++] = (int16_t)count;
    for (unsigned zeros = count ? 0 : 3; zeros == 3;) {
      zeros = in[at >> 3] >> (at & 7);
      if ((at & 7) == 7) zeros |= (unsigned)in[(at >> 3) + 1] << 1;
      zeros &= 3;
      at += 2;
      for (unsigned i = 0; i < zeros; i++) counts[n++] = 0;
    }
  }
  make_table(table, counts, n, bits);
  return in + (at + 7) / 8;
}

/* ---- Literals ---- */

/* The weights of the symbols but the last, by two coders in turn, which share a table. Returns how many. */
static unsigned read_weights(const uint8_t *in, size_t length, uint8_t weights[SYMBOLS]) {
  fse_table table;
  const uint8_t *start = read_table(&table, in);
  bits_back b = open_bits(start, (size_t)(in + length - start));
  unsigned states[2], n = 0;
  for (int i = 0; i < 2; i++) states[i] = (unsigned)take(&b, table.bits);
  for (;; n++) {
    const fse_state *state = &table.states[states[n & 1]];
    weights[n] = state->symbol;
    states[n & 1] = state->base + (unsigned)take(&b, state->bits);
    if (b.at < 0) break;
  }
  weights[n + 1] = table.states[states[~n & 1]].symbol;
  return n + 2;
}

/* A symbol of weight w has 2^(w - 1) entries of the table; those of little weight come first. Returns the byte behind. */
static const uint8_t *read_tree(asy_unpacker *u, const uint8_t *in) {
  uint8_t weights[SYMBOLS];
  unsigned length = *in++, n = length, total = 0, at = 0;
  if (length < 128) {
    n = read_weights(in, length, weights);
  } else {
    n = length - 127;
    length = (n + 1) / 2;
    for (unsigned i = 0; i < n; i++) weights[i] = i & 1 ? in[i / 2] & 15 : in[i / 2] >> 4;
  }
  for (unsigned i = 0; i < n; i++) total += 1u << weights[i] >> 1;
  u->huffman_bits = log2_of(total) + 1;
  weights[n++] = (uint8_t)(log2_of((1u << u->huffman_bits) - total) + 1); /* the last symbol has what is left */
  for (unsigned weight = 1; weight <= u->huffman_bits; weight++)
    for (unsigned s = 0; s < n; s++)
      for (unsigned i = 0; weights[s] == weight && i < 1u << (weight - 1); i++)
        u->huffman[at++] = (huffman_entry){(uint8_t)s, (uint8_t)(u->huffman_bits + 1 - weight)};
  return in + length;
}

static void read_stream(const asy_unpacker *u, const uint8_t *in, size_t length, uint8_t *out, size_t n) {
  bits_back b = open_bits(in, length);
  for (size_t i = 0; i < n; i++) {
    huffman_entry entry = u->huffman[peek(&b, u->huffman_bits)];
    b.at -= entry.bits;
    out[i] = entry.symbol;
  }
}

static size_t two_bytes(const uint8_t *p) { return p[0] | (size_t)p[1] << 8; }

static void read_streams(const asy_unpacker *u, const uint8_t *in, const uint8_t *end, unsigned n_streams,
                         uint8_t *out) {
  size_t n = u->n_literals, each = n_streams == 1 ? n : (n + 3) / 4;
  const uint8_t *start = in + (n_streams - 1) * 2; /* the lengths of all but the last come first */
  for (unsigned i = 0; i < n_streams; i++) {
    bool last = i == n_streams - 1;
    size_t length = last ? (size_t)(end - start) : two_bytes(in + i * 2);
    read_stream(u, start, length, out + i * each, last ? n - i * each : each);
    start += length;
  }
}

/* Returns the byte behind the literals. */
static const uint8_t *read_literals(asy_unpacker *u, const uint8_t *in) {
  unsigned type = in[0] & 3, format = in[0] >> 2 & 3;
  uint64_t header = load(in);
  if (type == LITERALS_RAW || type == LITERALS_REPEAT) {
    unsigned size = format == 1 ? 2 : format == 3 ? 3 : 1;
    u->n_literals = header >> (size == 1 ? 3 : 4) & ((1u << (size * 8 - (size == 1 ? 3 : 4))) - 1);
    in += size;
    if (type == LITERALS_RAW) return memcpy(u->literals, in, u->n_literals), in + u->n_literals;
    memset(u->literals, *in, u->n_literals);
    return in + 1;
  }
  unsigned size = format < 2 ? 3 : format + 2, width = format < 2 ? 10 : format * 4 + 6;
  u->n_literals = header >> 4 & ((1u << width) - 1);
  const uint8_t *end = in + size + (header >> (4 + width) & ((1u << width) - 1));
  in += size;
  if (type == LITERALS_PACKED) in = read_tree(u, in);
  read_streams(u, in, end, format == 0 ? 1 : 4, u->literals);
  return end;
}

/* ---- Sequences ---- */

/* The three numbers of a sequence, in the order in which their tables are given. A code stands for base + so many bits. */
enum { LITERAL_LENGTH, OFFSET, MATCH_LENGTH };

static const uint32_t literal_bases[] = {0,  1,  2,   3,   4,   5,    6,    7,    8,    9,     10,    11,
                                         12, 13, 14,  15,  16,  18,   20,   22,   24,   28,    32,    40,
                                         48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536};
static const uint8_t literal_bits[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  1,  1,
                                       1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
/* of the codes from 32 on; those before stand for themselves + 3 */
static const uint32_t match_bases[] = {35,  37,  39,  41,   43,   47,   51,   59,    67,    83,   99,
                                       131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539};
static const uint8_t match_bits[] = {1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
enum { FIRST_LONG_MATCH = 32, SHORTEST_MATCH = 3 };

static const int16_t usual_literals[] = {4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,  1,  2,  2,
                                         2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1};
static const int16_t usual_offsets[] = {1, 1, 1, 1, 1, 1, 2, 2, 2, 1,  1,  1,  1,  1, 1,
                                        1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1};
static const int16_t usual_matches[] = {1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1,  1,  1,  1,  1,  1,  1, 1,
                                        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1, 1,
                                        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1};
static const struct {
  const int16_t *usual;
  unsigned n, bits;
} kinds[] = {
  {usual_literals, sizeof usual_literals / sizeof usual_literals[0], 6},
  {usual_offsets, sizeof usual_offsets / sizeof usual_offsets[0], 5},
  {usual_matches, sizeof usual_matches / sizeof usual_matches[0], 6},
};

static const uint8_t *choose_table(fse_table *table, unsigned kind, unsigned mode, const uint8_t *in) {
  switch (mode) {
    case TABLE_USUAL: make_table(table, kinds[kind].usual, kinds[kind].n, kinds[kind].bits); return in;
    case TABLE_ONE_SYMBOL:
      table->states[0] = (fse_state){.symbol = *in};
      table->bits = 0;
      return in + 1;
    case TABLE_GIVEN: return read_table(table, in);
    default: return in; /* that of the block before */
  }
}

/* What a written offset means: 1 to 3 name one of the last three, shifted by one when no literals come before. */
static size_t offset_of(asy_unpacker *u, size_t written, bool literals) {
  size_t *last = u->offsets;
  size_t which = written > 3 ? 3 : written - 1 + !literals;
  size_t offset = written > 3 ? written - 3 : which == 3 ? last[0] - 1 : last[which];
  if (which > 1) last[2] = last[1];
  if (which > 0) last[1] = last[0];
  return last[0] = offset;
}

/* A match may reach into what it writes: a word is copied at once only when it lies behind. Up to ROOM bytes more are written. */
static void copy_match(asy_unpacker *u, size_t offset, size_t length) {
  uint8_t *to = u->out + u->at, *end = to + length;
  if (offset >= sizeof(uint64_t))
    for (; to < end; to += sizeof(uint64_t)) memcpy(to, to - offset, sizeof(uint64_t));
  for (; to < end; to++) *to = *(to - offset);
  u->at += length;
}

static void copy_literals(asy_unpacker *u, const uint8_t **literals, size_t length) {
  memcpy(u->out + u->at, *literals, length);
  *literals += length;
  u->at += length;
}

static void run_sequences(asy_unpacker *u, bits_back b, size_t n) {
  const uint8_t *literals = u->literals;
  const fse_state *state[3];
  for (int i = 0; i < 3; i++) state[i] = &u->tables[i].states[take(&b, u->tables[i].bits)];
  while (n-- > 0) {
    unsigned offset_code = state[OFFSET]->symbol, match = state[MATCH_LENGTH]->symbol,
             literal = state[LITERAL_LENGTH]->symbol;
    size_t written = ((size_t)1 << offset_code) + take(&b, offset_code);
    size_t length = match < FIRST_LONG_MATCH
                      ? match + SHORTEST_MATCH
                      : match_bases[match - FIRST_LONG_MATCH] + take(&b, match_bits[match - FIRST_LONG_MATCH]);
    size_t before = literal_bases[literal] + take(&b, literal_bits[literal]);
    copy_literals(u, &literals, before);
    copy_match(u, offset_of(u, written, before > 0), length);
    if (n == 0) break;
    static const uint8_t order[] = {LITERAL_LENGTH, MATCH_LENGTH, OFFSET};
    for (int i = 0; i < 3; i++) {
      const fse_state *s = state[order[i]];
      state[order[i]] = &u->tables[order[i]].states[s->base + take(&b, s->bits)];
    }
  }
  copy_literals(u, &literals, (size_t)(u->literals + u->n_literals - literals));
}

static void unpack_block(asy_unpacker *u, const uint8_t *end) {
  const uint8_t *in = read_literals(u, u->in);
  size_t n = *in++;
  if (n == 255) n = two_bytes(in) + 0x7F00, in += 2;
  else if (n >= 128) n = (n - 128) << 8 | *in++;
  bits_back b = {0};
  if (n > 0) {
    unsigned modes = *in++;
    for (unsigned i = 0; i < 3; i++) in = choose_table(&u->tables[i], i, modes >> (6 - 2 * i) & 3, in);
    b = open_bits(in, (size_t)(end - in));
    run_sequences(u, b, n);
  } else {
    const uint8_t *literals = u->literals;
    copy_literals(u, &literals, u->n_literals);
  }
}

asy_unpacker *asy_unpack_begin(const asy_packed *packed) {
  asy_unpacker *u = malloc(sizeof *u);
  uint8_t *out = malloc(packed->length + ROOM);
  if (!u || !out) return free(u), free(out), NULL;
  u->in = packed->data;
  u->out = out;
  u->at = 0;
  u->end = packed->length;
  memcpy(u->offsets, (size_t[]){1, 4, 8}, sizeof u->offsets);
  return u;
}

const uint8_t *asy_unpack_until(asy_unpacker *u, size_t length) {
  while (u->at < length) {
    unsigned header = u->in[0] | (unsigned)u->in[1] << 8 | (unsigned)u->in[2] << 16, type = header >> 1 & 3;
    size_t size = header >> 3;
    u->in += 3;
    if (type == BLOCK_PACKED) {
      unpack_block(u, u->in + size);
    } else {
      if (type == BLOCK_RAW) memcpy(u->out + u->at, u->in, size);
      else memset(u->out + u->at, *u->in, size);
      u->at += size;
    }
    u->in += type == BLOCK_REPEAT ? 1 : size;
  }
  return u->out;
}

void asy_unpack_end(asy_unpacker *u) {
  if (u) free(u->out);
  free(u);
}

uint8_t *asy_unpack(const asy_packed *packed) {
  asy_unpacker *u = asy_unpack_begin(packed);
  if (!u) return NULL;
  asy_unpack_until(u, u->end);
  uint8_t *text = u->out;
  free(u);
  return text;
}
