"""datetime and zoneinfo: ISO texts and formats by the grammar and damaged, fields and sums at the limits, states and zone files from hostile bytes."""
import datetime
import io
import pickle
import re
import struct
from datetime import date, time, timedelta, timezone

from zoneinfo import ZoneInfo

from tools import damaged, data, integer, options, survived, text

PIECES = ['-', ':', '.', ',', 'T', 't', ' ', 'W', 'w', 'Z', 'z', '+', '-0', '00', '24', '60', '99', '0', '9', '\0', '\xe9', '\u0663', '\uff11', '\udc80', '\U0001f600', '000000', '1234567890', '+24:00', '-23:59:59.999999', '/']
DIRECTIVES = 'aAwdbBmyYHIMpjUWVGufzZ%'
FLOATS = [0.0, -0.0, 0.5, -0.5, 1.5, 1e-7, 5e-7, 1e9, 1e15, 1e300, float('inf'), float('nan'), 0.1, 2.5, -1e-6]


def year(r): return r.choice([1, 2, 4, 99, 100, 400, 999, 1000, 1582, 1899, 1900, 1969, 1970, 2000, 2023, 2024, 2026, 2038, 9998, 9999, r.randrange(1, 10000)])
def good_date(r): return date(year(r), r.randrange(1, 13), r.choice([1, 2, 15, 28]))
def good_zone(r):
    return r.choice([None, None, timezone.utc, timezone(timedelta(hours=r.randrange(-23, 24))), timezone(timedelta(seconds=r.randrange(-86399, 86400))), timezone(timedelta(microseconds=r.randrange(-86399999999, 86400000000))),
                     timezone(timedelta(hours=1), r.choice(['CET', '', '\xe9', 'x' * 40]))])
def good_time(r): return time(r.choice([0, 1, 12, 23]), r.choice([0, 30, 59]), r.choice([0, 1, 59]), r.choice([0, 1, 500000, 999999, 120000]), good_zone(r), fold=r.randrange(2))
def good_moment(r): return datetime.datetime.combine(good_date(r), good_time(r))
def good_delta(r): return timedelta(r.choice([0, 1, -1, 999999999, -999999999, r.randrange(-10**6, 10**6)]), r.randrange(86400), r.choice([0, 1, 999999, r.randrange(10**6)]))
def good(r): return r.choice([good_date, good_time, good_moment, good_delta])(r)
def field(r): return r.choice([0, 1, -1, 2, 12, 13, 23, 24, 28, 29, 30, 31, 32, 53, 54, 59, 60, 61, 366, 999999, 10**6, 1970, 9999, 10000, integer(r), 1.5, '1', None, True])


def iso_date(r):
    d = good_date(r)
    return r.choice([d.isoformat(), d.strftime('%Y%m%d').zfill(8), '%04d-W%02d-%d' % (d.year, r.randrange(0, 55), r.randrange(0, 9)), '%04dW%02d' % (d.year, r.randrange(1, 54)), '%04d-W%02d' % (d.year, r.randrange(1, 54)),
                     '%04dW%02d%d' % (d.year, r.randrange(1, 54), r.randrange(1, 8)), '%04d-%02d-%02d' % (d.year, r.randrange(14), r.randrange(33))])


def iso_time(r):
    t = r.choice(['%02d', '%02d:%02d', '%02d:%02d:%02d', '%02d%02d', '%02d%02d%02d', '%02d:%02d%02d'])
    t = t % tuple(r.choice([0, 1, 12, 23, 24, 59, 60]) for _ in range(t.count('%')))
    if r.random() < 0.4: t += r.choice('..,') + str(r.randrange(10**r.randrange(1, 9)))
    if r.random() < 0.4: t += r.choice(['Z', 'z', '+00:00', '-00:00', '+0130', '-05', '+23:59:59', '-01:02:03.004005', '+24:00', '+01:60', '-010203.5', '+1'])
    return t


def iso(r): return damaged(r, r.choice([iso_date(r), iso_time(r), iso_date(r) + r.choice('TT t_\u2003\U0001f600') + iso_time(r)]), PIECES)


ISO_TIME = r'\d\d(?::\d\d(?::\d\d(?:[.,]\d+)?)?|\d\d(?:\d\d(?:[.,]\d+)?)?)?'
ISO = re.compile(fr'(\d{{4}}-\d\d-\d\d|\d{{8}}|\d{{4}}-W\d\d(-\d)?|\d{{4}}W\d\d\d?)(.{ISO_TIME}(Z|[+-]{ISO_TIME})?)?|T?{ISO_TIME}(Z|[+-]{ISO_TIME})?', re.ASCII | re.DOTALL)


def from_iso(r):
    """Of errors only that they come; what CPython 3.13.0 reads though the documentation does not allow it (as rubbish before an offset) is left out."""
    def read(kind, text):
        try: value = kind.fromisoformat(text)
        except ValueError: return 'refused'
        return value if ISO.fullmatch(text) else 'refused'
    kind = r.choice([datetime.datetime, datetime.datetime, date, time])
    given = iso(r)
    runs = re.findall(r'(?<![.,\d])\d+', given)
    if any(len(run) > (8 if i == 0 and kind is not time else 6) or len(run) % 2 for i, run in enumerate(runs)): given = iso_date(r) if kind is not time else '12:30'
    return read, kind, given if r.random() < 0.98 else r.choice([5, None, b'2020-01-01'])


def make(r):
    kind = r.choice([date, time, datetime.datetime, timedelta, timezone])
    if kind is timedelta:
        unit = lambda: r.choice([field(r), r.choice(FLOATS), r.uniform(-1e6, 1e6), integer(r)])
        return kind, options(r, days=[unit()], seconds=[unit()], microseconds=[unit()], milliseconds=[unit()], minutes=[unit()], hours=[unit()], weeks=[unit()])
    if kind is timezone: return kind, r.choice([good_delta(r), timedelta(0), 5]), *r.choice([(), (text(r),), (None,)])
    most = {date: 3, time: 5, datetime.datetime: 8}[kind]
    args = [year(r) if i == 0 and kind is not time and r.random() < 0.9 else field(r) if r.random() < 0.15 else r.randrange(1, 24) for i in range(r.randrange(most + 1))]
    if len(args) == most and kind is not date: args[-1] = good_zone(r) if r.random() < 0.9 else 5
    return kind, *args, options(r, fold=[0, 1, 2, -1], tzinfo=[None, timezone.utc, 3]) if r.random() < 0.2 and (kind is time and len(args) < 5 or most == 8 and 3 <= len(args) < 8) else {}


def layout(r, directives=DIRECTIVES + 'cxX'):
    left = list(directives)
    r.shuffle(left)   # each once: a pattern with the same group twice is an error
    made = ''.join('%' + left.pop() if r.random() < 0.6 else r.choice(['-', ':', ' ', 'T', '/', '.', '\xe9', '%%', '%', '%Q', '%-d', '%:z', '%E', '\\', '(', '+', '\U0001f600', '  '])
                   for _ in range(r.randrange(7)))
    return re.sub('%[-E](?=%)', '', made)   # CPython takes the C of a zone CET for %EC, and digits put in for a width


def write(r): return r.choice([good_date, good_time, good_moment])(r).strftime, layout(r)


def parse(r):
    format, value = layout(r, DIRECTIVES), good_moment(r)
    try:
        made = value.strftime(format)
    except ValueError:       # CPython cannot decode what it wrote
        return value.isoformat,
    return datetime.datetime.strptime, damaged(r, made, PIECES) if r.random() < 0.5 else made, format


def parse_usual(r):
    format = r.choice(['%Y-%m-%d %H:%M:%S', '%Y-%m-%dT%H:%M:%S.%f%z', '%d/%b/%Y', '%A %d %B %Y', '%I:%M %p', '%G-W%V-%u', '%Y-%U-%w', '%Y %W %a', '%y%m%d', '%j %Y', '%H:%M:%S %Z', '%c', '%x %X', '%z'])
    return datetime.datetime.strptime, damaged(r, good_moment(r).strftime(format), PIECES, 1), format


def shown(r):
    kind = r.randrange(4)
    if kind == 0: return good_moment(r).isoformat, r.choice(['T', ' ', '\xe9', '', 'ab', 5, '\udc80']), r.choice(['auto', 'hours', 'minutes', 'seconds', 'milliseconds', 'microseconds', 'x', None])
    if kind == 1: return good_time(r).isoformat, r.choice(['auto', 'hours', 'minutes', 'seconds', 'milliseconds', 'microseconds', ''])
    if kind == 2: return r.choice([repr, str, hash_of_equal, bool]), good(r)
    return format, r.choice([good_date, good_time, good_moment])(r), r.choice(['', '%Y', layout(r)])


def hash_of_equal(value): return hash(value) == hash(type(value).__reduce__(value)[0](*type(value).__reduce__(value)[1]))


def arithmetic(r):
    def apply(a, name, b):
        return {'+': lambda: a + b, '-': lambda: a - b, '*': lambda: a * b, '/': lambda: a / b, '//': lambda: a // b, '%': lambda: a % b, 'divmod': lambda: divmod(a, b), '<': lambda: a < b, '==': lambda: a == b,
                '>=': lambda: a >= b, 'r-': lambda: b - a}[name]()
    other = r.choice([good(r), good_delta(r), integer(r), r.choice(FLOATS), r.uniform(-10, 10), r.randrange(-5, 5), None])
    return apply, r.choice([good, good_delta, good_moment])(r), r.choice(['+', '-', '*', '/', '//', '%', 'divmod', '<', '==', '>=', 'r-']), other


def methods(r):
    kind = r.randrange(12)
    stamp = r.choice([0, -1, 2**31, 253402300799, 253402300800, -62135596800, -62135596801, 1e18, integer(r), r.choice(FLOATS), r.uniform(-1e10, 1e10), 1.5, 1e-6, 0.9999995, 2.5e-6, -1e-7])
    if kind == 0: return datetime.datetime.fromtimestamp, stamp, r.choice([timezone.utc, good_zone(r)])
    if kind == 1: return date.fromtimestamp, stamp
    if kind == 2: return date.fromordinal, r.choice([0, 1, 3652059, 3652060, integer(r)])
    if kind == 3: return r.choice([date, datetime.datetime]).fromisocalendar, year(r), r.choice([0, 1, 52, 53, 54, integer(r)]), r.choice([0, 1, 7, 8])
    if kind == 4: return lambda m: (m.isocalendar(), m.timetuple(), m.toordinal(), m.weekday(), m.ctime()), good_moment(r)
    if kind == 5: return lambda m, z: m.astimezone(z), good_moment(r), good_zone(r)
    if kind == 6: return lambda m: (m.timestamp(), m.utctimetuple(), m.utcoffset(), m.tzname(), m.dst()), good_moment(r)
    if kind == 7: return good_moment(r).replace, options(r, year=[field(r)], month=[field(r), 2], day=[field(r), 30], hour=[field(r)], microsecond=[field(r)], fold=[0, 1, 2], tzinfo=[None, timezone.utc])
    if kind == 8: return lambda d: (d.total_seconds(), abs(d), -d, str(d), d.days, d.seconds, d.microseconds), good_delta(r)
    if kind == 9: return datetime.datetime.combine, r.choice([good_date(r), good_moment(r), 5]), r.choice([good_time(r), 5]), *r.choice([(), (timezone.utc,), (None,)])
    if kind == 10: return lambda d: (d.timetuple(), d.isocalendar(), d.ctime(), d.isoformat()), good_date(r)
    return pickle.loads, pickle.dumps(good(r), r.randrange(6))


def states(r):
    """What pickle hands to the classes: bytes that nobody checked."""
    size = {date: 4, time: 6, datetime.datetime: 10}
    kind = r.choice(list(size))
    state = bytes(r.choice([0, 1, 7, 12, 23, 31, 59, 60, 128, 140, 255, r.randrange(256)]) for _ in range(size[kind] + r.choice([0, 0, 0, 0, 1, -1])))
    def made(kind, state, *zone):
        """CPython looks at the month or hour only, and makes dates that do not exist."""
        octets = state if isinstance(state, bytes) else state.encode('latin-1')
        day, clock = octets[:4] if kind is not time else bytes([7, 208, 1, 1]), octets[4:] if kind is datetime.datetime else octets if kind is time else bytes(6)
        try:
            if len(octets) == size[kind]:
                datetime.datetime(day[0] << 8 | day[1], day[2] & 127, day[3], clock[0] & (127 if kind is time else 255), clock[1], clock[2], clock[3] << 16 | clock[4] << 8 | clock[5])
        except ValueError:
            try: kind(state, *zone)
            except (ValueError, TypeError): pass
            return 'no date'
        return kind(state, *zone)
    return made, kind, r.choice([state, state, state, state.decode('latin-1')]), *r.choice([(), (), (timezone.utc,), (5,)] if kind is not date else [()])


def zone_file(r):
    """A TZif file, version 1 to 3."""
    def block(letter):
        times = sorted(r.randrange(-2**31, 2**31) for _ in range(r.randrange(6)))
        types = [(r.choice([0, 3600, -18000, 1234, 86399, -86400, 7200]), r.randrange(2), r.choice([0, 4, 8])) for _ in range(r.randrange(1, 4))]
        names = b'LMT\0CET\0CEST\0'
        head = b'TZif' + r.choice([b'2', b'3']) + bytes(15) + struct.pack('>6l', 0, 0, 0, len(times), len(types), len(names))
        return head + struct.pack(f'>{len(times)}{letter}', *times) + bytes(r.randrange(len(types)) for _ in times) + b''.join(struct.pack('>lbb', *t) for t in types) + names
    footer = r.choice([b'CET-1CEST,M3.5.0,M10.5.0/3', b'EST5EDT,M3.2.0,M11.1.0', b'UTC0', b'<+03>-3', b'AAA-1BBB,J60,J300/1:02:03', b'X3Y,10,20', b'<-02>2<-01>,M3.5.0/-1,M10.5.0/0', b''])
    return block('l') + block('q') + b'\n' + footer + b'\n'


def zones(r):
    """Files that are good or damaged are only survived: CPython's two readers differ in what they take, one dies of some, the other reads some for ever."""
    def read(file, moment): moment.replace(tzinfo=ZoneInfo.from_file(io.BytesIO(file), key='Test')).utcoffset()
    pieces = [b'\0', b'\xff', b'\xff\xff\xff\x7f', b'\n', b'TZif', b'\0\0\0\1', b',', b'M3', b'/', b'<', b'>', b'J', b'366', b'-25', b'M13.1.1']
    return survived(read), damaged(r, zone_file(r), pieces), good_moment(r)


USES = [from_iso] * 5 + [make] * 3 + [write, write, parse, parse, parse_usual, parse_usual, shown, shown, arithmetic, arithmetic, arithmetic, methods, methods, methods, methods, states, states, zones, zones]
