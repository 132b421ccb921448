#!/usr/bin/env python3
"""Writes the tables of unicode.c from the files of Debian's package unicode-data.

usage: unicode_tables.py OUTPUT.c [DIRECTORY]

A code point finds its record by its page, the page's book and the book's shelf (asy_unicode_of in unicode.h); characters whose
behaviour is the same share a record, equal pages, books and shelves are kept once, so 34 KB serve all of Unicode.

The names are a packed text of three parts, in the order of their code points, then come the aliases. First the most frequent words
with a space, a line each; from WORD_CODE on a byte stands for one of them. Then what a name does not share with the one before, a
line each without a space at its end; `*` stands for the code point in hexadecimal. Last, a letter for each name: how many words it
shares with the name before, or `+` and no line when all but the last, which follows on the last one there (B on A, 12 on 11). A name
is that of the next code point; `=`, hexadecimal digits and a line feed say how many are left out, for aliases which one is next.
"""
import bz2
import collections
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from pack import numbers, packed   # noqa: E402 (the path comes first)

PAGE_BITS, BOOK_BITS, SHELF_BITS = 2, 3, 4   # as in unicode.h
LIMIT = 0x110000
WORD_CODE = 0x80   # as in unicode_name.c

# The order must be that of the UNI_ bits in unicode.h.
FLAGS = ["ALPHA", "DECIMAL", "DIGIT", "NUMERIC", "LOWER", "UPPER", "TITLE", "SPACE", "PRINTABLE", "XID_START", "XID_CONTINUE",
         "CASED", "CASE_IGNORABLE", "LINE_BREAK", "WIDE", "COMBINING"]
BIT = {name: 1 << i for i, name in enumerate(FLAGS)}
CATEGORIES = ["Cn", "Lu", "Ll", "Lt", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Lm", "Lo",
              "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So"]

# Characters that Unicode 15.1 added to the 15.0 of Debian 12; adding them again to newer data changes nothing.
ADDED_15_1 = [(0x2FFC, 0x2FFF, "So"), (0x31EF, 0x31EF, "So"), (0x2EBF0, 0x2EE5D, "Lo")]


def lines(directory, name):
    path = os.path.join(directory, name)
    opener = bz2.open if name.endswith(".bz2") else open
    with opener(path, "rt", encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].strip()
            if line:
                yield line


def fields(directory, name, separator=";"):
    for line in lines(directory, name):
        yield [field.strip() for field in line.split(separator)]


def span(text):
    first, _, last = text.partition("..")
    return range(int(first, 16), int(last or first, 16) + 1)


ADDED_NAMES_15_1 = {0x2FFC: "SURROUND FROM RIGHT", 0x2FFD: "SURROUND FROM LOWER RIGHT", 0x2FFE: "HORIZONTAL REFLECTION",
                    0x2FFF: "ROTATION", 0x31EF: "SUBTRACTION"}


class Character:
    __slots__ = ("category", "flags", "digit", "upper", "lower", "title", "fold")

    def __init__(self, code):
        self.category = "Cn"
        self.flags = 0
        self.digit = -1
        self.upper = self.lower = self.title = (code,)
        self.fold = None


def read(directory):
    characters = [Character(code) for code in range(LIMIT)]
    first = None
    for row in fields(directory, "UnicodeData.txt"):
        code = int(row[0], 16)
        if row[1].endswith(", First>"):
            first = code
            continue
        for c in range(first if first is not None else code, code + 1):
            char = characters[c]
            char.category = row[2]
            if row[6]:
                char.flags |= BIT["DECIMAL"]
            if row[7]:
                char.flags |= BIT["DIGIT"]
                char.digit = int(row[7])
            if row[8]:
                char.flags |= BIT["NUMERIC"]
            if row[4] in ("WS", "B", "S") or row[2] == "Zs":
                char.flags |= BIT["SPACE"]
            if row[4] == "B":
                char.flags |= BIT["LINE_BREAK"]
            if row[3] != "0":
                char.flags |= BIT["COMBINING"]
            if row[12]:
                char.upper = (int(row[12], 16),)
            if row[13]:
                char.lower = (int(row[13], 16),)
            char.title = (int(row[14], 16),) if row[14] else char.upper
        first = None
    for low, high, category in ADDED_15_1:
        for c in range(low, high + 1):
            characters[c].category = category
            if category == "Lo":
                characters[c].flags |= BIT["XID_START"] | BIT["XID_CONTINUE"]
    for row in fields(directory, "Unihan_NumericValues.txt.bz2", "\t"):
        characters[int(row[0][2:], 16)].flags |= BIT["NUMERIC"]
    for row in fields(directory, "SpecialCasing.txt"):
        if row[4]:
            continue                       # conditional: final sigma is in the code, the rest depends on a language
        char = characters[int(row[0], 16)]
        char.lower, char.title, char.upper = (tuple(int(c, 16) for c in text.split()) for text in row[1:4])
    for row in fields(directory, "CaseFolding.txt"):
        if row[1] in "CF":
            characters[int(row[0], 16)].fold = tuple(int(c, 16) for c in row[2].split())
    derived = {"Lowercase": "LOWER", "Uppercase": "UPPER", "XID_Start": "XID_START", "XID_Continue": "XID_CONTINUE",
               "Cased": "CASED", "Case_Ignorable": "CASE_IGNORABLE"}
    for row in fields(directory, "DerivedCoreProperties.txt"):
        if row[1] in derived:
            for c in span(row[0]):
                characters[c].flags |= BIT[derived[row[1]]]
    for row in fields(directory, "EastAsianWidth.txt"):
        if row[1] in "WF":
            for c in span(row[0]):
                characters[c].flags |= BIT["WIDE"]
    for c, char in enumerate(characters):
        if char.category[0] == "L":
            char.flags |= BIT["ALPHA"]
        if char.category == "Lt":
            char.flags |= BIT["TITLE"]
        if char.category not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs") or c == 32:
            char.flags |= BIT["PRINTABLE"]
        if c in (0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029):
            char.flags |= BIT["LINE_BREAK"]
        else:
            char.flags &= ~BIT["LINE_BREAK"]
        if char.fold is None:
            char.fold = (c,)
    return characters


class Tables:
    def __init__(self):
        self.extra = []
        self.extra_at = {}
        self.records = {}

    def mapping(self, code, target):
        """A difference, or for several characters (the low bit says) where they are in EXTRA and how many."""
        if len(target) == 1:
            return (target[0] - code) << 1
        if target not in self.extra_at:
            self.extra_at[target] = len(self.extra)
            self.extra.extend(target)
        return (self.extra_at[target] << 2 | len(target)) << 1 | 1

    def record(self, code, char):
        row = (char.flags, char.digit, CATEGORIES.index(char.category), self.mapping(code, char.upper),
               self.mapping(code, char.lower), self.mapping(code, char.title), self.mapping(code, char.fold))
        return self.records.setdefault(row, len(self.records))


def read_names(directory):
    """(code point, name) by code point, then the aliases."""
    names = {code: f"IDEOGRAPHIC DESCRIPTION CHARACTER {rest}" for code, rest in ADDED_NAMES_15_1.items()}
    for row in fields(directory, "UnicodeData.txt"):
        if not row[1].startswith("<"):
            names[int(row[0], 16)] = row[1]
    main = sorted(names.items())
    aliases = [(int(row[0], 16), row[1]) for row in fields(directory, "NameAliases.txt")]
    return main, aliases


def shared_words(words, before):
    """How many words two names begin with in common; the last word of neither counts."""
    count = 0
    while count < min(len(words), len(before)) - 1 and words[count] == before[count]:
        count += 1
    return count


def write_packed(file, name, text):
    file.write(f"static const uint8_t {name}_packed[] = {{\n{numbers(packed(text))}\n}};\n"
               f"const asy_packed asy_unicode_{name} = {{{name}_packed, {len(text)}}};\n\n")


def successor(word):
    """The word that follows: its number and one, of as many digits, or its last letter moved on."""
    stem = word.rstrip("0123456789")
    digits = word[len(stem):]
    return stem + str(int(digits) + 1).zfill(len(digits)) if digits.strip("9") else word[:-1] + chr(ord(word[-1]) + 1)


def write_names(file, directory):
    main, aliases = read_names(directory)
    letters, rests, before, following = "", [], [], 0
    for i, (code, name) in enumerate(main + aliases):
        if code != following:
            letters += f"={code - following if i < len(main) else code:X}\n"
        suffix = f"-{code:04X}"
        words = ((name[:-len(suffix)] + "-*") if name.endswith(suffix) else name).split(" ")
        same = shared_words(words, before)
        if before and words == before[:-1] + [successor(before[-1])] and "*" not in words[-1]:
            letters += "+"
        else:
            letters += chr(ord("A") + same)
            rests.append(words[same:])
        before, following = words, code + 1
    room = collections.Counter()
    for word in (word for rest in rests for word in rest if len(word) > 1 and "*" not in word):
        room[word] += len(word)
    frequent = sorted(room, key=lambda word: (-room[word], word))[:256 - WORD_CODE]
    codes = {word: chr(WORD_CODE + i) for i, word in enumerate(frequent)}
    lines = ("".join(codes.get(word, word + " ") for word in rest).removesuffix(" ") for rest in rests)
    text = "".join(line + "\n" for line in (*(word + " " for word in frequent), *lines)).encode("latin-1")
    counts = len(main), len(main) + len(aliases), sum(len(name) + 1 for _, name in main + aliases), len(text)
    file.write(f"const uint32_t asy_unicode_name_counts[] = {{{', '.join(map(str, counts))}}};\n")
    write_packed(file, "names", text + letters.encode("ascii"))


def ranges_of(values):
    """A dict by code point as `start length value` in hexadecimal: start is the distance from the end of the run before."""
    runs = []
    for code in sorted(values):
        if runs and runs[-1][0] + runs[-1][1] == code and runs[-1][2] == values[code]:
            runs[-1][1] += 1
        else:
            runs.append([code, 1, values[code]])
    out, end = [], 0
    for start, length, value in runs:
        out.append(f"{start - end:x} {length:x} {value}")
        end = start + length
    return ",".join(out)


def write_properties(file, directory):
    """The properties that only the module unicodedata asks for, as packed text: a line each, see unicodedata.asy."""
    combining, bidi, mirrored, numeric, decomposition, width = {}, {}, {}, {}, {}, {}
    first = None
    for row in fields(directory, "UnicodeData.txt"):
        code = int(row[0], 16)
        if row[1].endswith(", First>"):
            first = code
            continue
        for c in range(first if first is not None else code, code + 1):
            bidi[c] = row[4]
            if row[3] != "0":
                combining[c] = row[3]
            if row[9] == "Y":
                mirrored[c] = "1"
            if row[8]:
                numeric[c] = row[8]
            if row[5]:
                decomposition[c] = row[5].replace(" ", "_")
        first = None
    for low, high, category in ADDED_15_1:
        bidi.update((c, "L" if category == "Lo" else "ON") for c in range(low, high + 1))
    for row in fields(directory, "Unihan_NumericValues.txt.bz2", "\t"):
        numeric[int(row[0][2:], 16)] = row[2].split()[0]
    for row in fields(directory, "EastAsianWidth.txt"):
        for c in span(row[0]):
            width[c] = row[1]
    for low, high, _ in ADDED_15_1:
        width.update((c, "W") for c in range(low, high + 1))
    excluded = {c: "1" for row in fields(directory, "CompositionExclusions.txt") for c in span(row[0])}
    text = "\n".join(map(ranges_of, [combining, bidi, mirrored, numeric, decomposition, width, excluded])).encode("ascii")
    write_packed(file, "properties", text)


def shared(values, size):
    """values in rows of this size: the different rows, and which of them stands at each place."""
    rows, row_of = {}, []
    for start in range(0, len(values), size):
        row_of.append(rows.setdefault(tuple(values[start:start + size]), len(rows)))
    return rows, row_of


def main():
    output = sys.argv[1]
    directory = sys.argv[2] if len(sys.argv) > 2 else "/usr/share/unicode"
    if not os.path.exists(os.path.join(directory, "UnicodeData.txt")):
        sys.exit(f"unicode_tables.py: {directory}/UnicodeData.txt is missing: install the package unicode-data")
    tables = Tables()
    of_character = [tables.record(code, char) for code, char in enumerate(read(directory))]
    pages, page_of = shared(of_character, 1 << PAGE_BITS)
    books, book_of = shared(page_of, 1 << BOOK_BITS)
    shelves, shelf_of = shared(book_of, 1 << SHELF_BITS)
    with open(output, "w", encoding="ascii") as file:
        file.write('/* Written by runtime/types/unicode_tables.py. */\n#include "runtime/types/unicode.h"\n\n')
        file.write(f"const asy_unicode_record asy_unicode_records[{len(tables.records)}] = {{\n")
        for row in tables.records:
            file.write("  {" + ", ".join(map(str, row)) + "},\n")
        file.write("};\n\n")
        file.write(f"const uint32_t asy_unicode_extra[{len(tables.extra)}] = {{\n{numbers(tables.extra)}\n}};\n\n")
        for bits, name, rows in ((8, "shelf_of", [shelf_of]), (16, "shelves", shelves), (16, "books", books), (16, "pages", pages)):
            flat = [number for row in rows for number in row]
            file.write(f"const uint{bits}_t asy_unicode_{name}[{len(flat)}] = {{\n{numbers(flat)}\n}};\n\n")
        write_names(file, directory)
        write_properties(file, directory)


main()
