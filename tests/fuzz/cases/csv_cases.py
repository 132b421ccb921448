"""csv: texts with quotes, escapes and line ends in every place, dialects of every kind; rows for the writer; samples for Sniffer."""
import csv
import io

from tools import LETTERS, options, text

CELLS = ['a', 'b c', '', ' ', '1', '2.5', '-1e5', '"', '""', "'", '\\', '\\"', ',', ';', '\t', '|', '\n', '\r\n', '\r', 'x"y', '"q"', '"a,b"', '"a\nb"', '"a""b"', '"open', '\xe9', '\u20ac', '\U0001f600', '\0', 'nan', 'None']
CHARS = [',', ';', '\t', '|', '"', "'", '\\', ' ', 'a', '\n', '\r', '\xe9', '\U0001f600', '\0', '', 'ab', None, 5, b',']


class Odd:
    def __str__(self): return 'odd,"'
    def __repr__(self): return 'Odd'
class Raising:
    def __str__(self): raise KeyError('str')
    def __repr__(self): return 'Raising'


def choices(r):
    if r.random() < 0.3: return options(r, quoting=[0, 1, 2, 3, 4, 5], skipinitialspace=[True], strict=[True])
    return options(r, delimiter=CHARS[:4] * 3 + CHARS, quotechar=['"', "'", '"', None] * 2 + CHARS, escapechar=['\\', None, '\\'] + CHARS, doublequote=[True, False], skipinitialspace=[True, False],
                   lineterminator=['\n', '\r\n', '', 'EOL', None, 5, '\u20ac,'], quoting=[0, 1, 2, 3, 4, 5, 6, -1, 'x'], strict=[True, False], wrong=[1] if r.random() < 0.05 else [None][:0] or [1]) \
        if r.random() < 0.15 else options(r, delimiter=CHARS[:4], quotechar=['"', "'", '|', None], escapechar=['\\', None, '^'], doublequote=[True, False], skipinitialspace=[True, False],
                                          lineterminator=['\n', '\r\n', '!'], quoting=[0, 1, 2, 3, 4, 5], strict=[True, False])


def document(r):
    rows = [r.choice([',', ',', ',', ';', '\t']).join(r.choice(CELLS) if r.random() < 0.8 else text(r, 5) for _ in range(r.randrange(5))) for _ in range(r.randrange(4))]
    return r.choice(['\n', '\r\n', '\r', '\n']).join(rows) + r.choice(['', '\n', '\r\n'])


def lines(r):
    whole = document(r)
    kind = r.randrange(4)
    if kind == 0: return whole.splitlines(True)
    if kind == 1: return whole.splitlines()
    if kind == 2: return [whole]
    return [r.choice([whole[:5], whole, b'bytes', None, 3, '']) if r.random() < 0.1 else line for line in whole.split('\n')]


def read(r):
    def rows(lines, **names):
        reader, out = csv.reader(lines, **names), []
        try:
            for row in reader: out.append((row, reader.line_num))
        except (csv.Error, ValueError) as e: out.append((type(e).__name__, str(e), reader.line_num))
        return out
    return rows, lines(r), choices(r)


def read_limited(r):
    def rows(lines, limit):
        old = csv.field_size_limit(limit)
        try: return list(csv.reader(lines))
        finally: csv.field_size_limit(old)
    return rows, lines(r), r.choice([0, 1, 3, 10, -1])


def value(r):
    return r.choice([r.choice(CELLS), text(r, 4), None, 1, 2.5, -0.0, 1e300, 10**20, True, Odd(), b'b', float('nan')] + [Raising()] * (r.random() < 0.02))


def write(r):
    def out(rows, **names):
        f = io.StringIO(newline='')
        writer, results = csv.writer(f, **names), []
        for row in rows:
            try: results.append(writer.writerow(row))
            except csv.Error as e: results.append(str(e))
        return f.getvalue(), results
    return out, [r.choice([list, tuple])(value(r) for _ in range(r.randrange(4))) if r.random() < 0.97 else r.choice([5, None, 'abc', iter('xy')]) for _ in range(r.randrange(4))], choices(r)


def there_and_back(r):
    def back(rows, **names):
        f = io.StringIO(newline='')
        csv.writer(f, **names).writerows(rows)
        return list(csv.reader(io.StringIO(f.getvalue(), newline=''), **names))
    return back, [[r.choice(CELLS) for _ in range(r.randrange(4))] for _ in range(r.randrange(4))], choices(r)


def dicts(r):
    def rows(lines, fields, **names): return list(csv.DictReader(lines, fields, **names))
    return rows, document(r).splitlines(True), r.choice([None, ['a', 'b'], 'xyz', []]), options(r, restkey=['rest', None], restval=['none', 0])


def write_dicts(r):
    def out(rows, fields, **names):
        f = io.StringIO(newline='')
        writer = csv.DictWriter(f, fields, **names)
        writer.writeheader()
        writer.writerows(rows)
        return f.getvalue()
    return out, [{r.choice('ab'): value(r) for _ in range(3)} | ({'z': 1} if r.random() < 0.2 else {}) for _ in range(2)], r.choice([['a', 'b'], ('b', 'a', 'c')]), options(r, restval=['-', None], extrasaction=['ignore', 'raise', 'IGNORE', 'no'])


def sample(r):
    mark = r.choice(',;\t|: a')
    cells = ['a', 'bc', '12', '"q"', "'s'", ' x', '', '3.5', '"a b"', '"d""e"']
    width = r.randrange(1, 5)
    return '\n'.join(mark.join(r.choice(cells) for _ in range(width if r.random() < 0.9 else width + 1)) for _ in range(r.randrange(1, 6))) + r.choice(['', '\n'])


def sniff(r):
    def found(sample, delimiters):
        d = csv.Sniffer().sniff(sample, delimiters)
        return d.delimiter, d.quotechar, d.doublequote, d.skipinitialspace
    return found, sample(r) if r.random() < 0.8 else text(r, 30, LETTERS), r.choice([None, None, ',;', ';|', ''])


def header(r): return csv.Sniffer().has_header, sample(r)


USES = [read] * 6 + [write] * 4 + [there_and_back] * 2 + [read_limited, dicts, write_dicts, sniff, header]
