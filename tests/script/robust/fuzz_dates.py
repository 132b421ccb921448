# env: TZ=UTC
# What ./dev fuzz datetime found: deltas of huge parts, directives with flags, replace(), the first day of all.
import datetime
from datetime import date, datetime as moment, timedelta, timezone


def show(f, *args, **names):
    try: print(ascii(f(*args, **names)))
    except Exception as e: print(type(e).__name__, ascii(str(e)))


big = 2**64
for parts in (dict(microseconds=big), dict(microseconds=-big, seconds=5), dict(weeks=2**200, days=-7 * 2**200, seconds=3), dict(microseconds=2**67), dict(microseconds=2**70, minutes=151, weeks=1e-7),
              dict(days=2**200), dict(hours=1e30), dict(microseconds=1e19), dict(microseconds=-9223372036854775809, milliseconds=28, weeks=2.5), dict(microseconds=2**120, milliseconds=-(2**120) // 1000), dict(microseconds=-2**63), dict(microseconds=-2**63 - 1), dict(microseconds=2**63 - 1), dict(microseconds=-86400000000)):
    show(timedelta, **parts)
for n in 2**63, -2**66, 2**67, -2**130, 2**500:
    for delta in timedelta(microseconds=1), timedelta.max, timedelta.min, timedelta(0):
        show(lambda: delta * n)
        show(lambda: delta // n)
        show(lambda: delta / n)
for value in date(2020, 1, 2), moment(2020, 1, 2), datetime.time(1):
    for name, part in ('day', 2**70), ('day', -2**40), ('year', 2**64), ('month', 13), ('hour', 2**40), ('microsecond', 2**64), ('fold', 2**33), ('fold', 2), ('tzinfo', 5), ('year', 1.5):
        show(value.replace, **{name: part})
show(date, 2**40, 1, 1)
show(moment, 2020, 2**70, 1)
for second in -62135596800, -62135596801, -62135596800 + 86399, -62135596800 + 86400, 253402300799, 253402300800:
    show(moment.fromtimestamp, second)
    show(moment.fromtimestamp, second, timezone.utc)
for value in moment(1, 1, 1, 23), moment(1, 1, 1, 23, fold=1), moment(1, 1, 2), moment(9999, 12, 31, fold=1), moment(9999, 12, 31): show(value.astimezone, timezone.utc)
aware = moment(2024, 5, 2, 23, 30, 1, 120000, timezone(timedelta(hours=1), 'C%T'))
for layout in ('%E%z', '%E\xe9', '%E\U0001f600', '%E%E%z', '%E%f', '%O%:z', '%E%%', '%E', '%-', '%-d', '%Ed', '%EY', '%E%d', '%-%d', '%E%\xe9', '%', '%\xe9', '%-\xe9x%d', '%10d', '%_10d', '%E-%a%', '%E%:z%Y',
               '%5%', '%+%U', '%Z%z', '%:', '%:d'):
    for value in aware, aware.replace(tzinfo=None), aware.date(), aware.timetz(): show(value.strftime, layout)
for text, layout in ('1', '% d'), ('1', '%(d'), ('1', '%'), ('1', '%Q'), ('1', '%E\xe9'), (' 3:59', '%H:%M'), (' 12', '%I'), (' 5', '%d'): show(moment.strptime, text, layout)
for text in ('2020-01-01T24:00', '2020-W01-1T01:02:03,5', '20200101T010203.123456789', '2020-01-01T01:02:03.', '2020-W54-1', '2020W011', '2020-01-01T01:02:03+24:00', '2020-01-01 01:02:03-00:00:00.5', '2020-01-01\U0001f60001:02'):
    show(moment.fromisoformat, text)
