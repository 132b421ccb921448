# Dates and times: reading, the present, arithmetic, writing.
import time
from datetime import datetime, timedelta, timezone


def fromisoformat(n):
    parse = datetime.fromisoformat
    for _ in range(n):
        parse('2024-02-29T12:34:56.789012+01:00')


def strptime(n):
    parse = datetime.strptime
    for _ in range(n):
        parse('2024-02-29 12:34:56', '%Y-%m-%d %H:%M:%S')


def strptime_names(n):
    parse = datetime.strptime
    for _ in range(n):
        parse('29 Feb 2024 12:34:56', '%d %b %Y %H:%M:%S')


def now(n):
    utc = timezone.utc
    for _ in range(n):
        datetime.now(utc)


def arithmetic(n):
    start = at = datetime(2024, 1, 1)
    second = timedelta(seconds=1)
    for _ in range(n):
        at = at + second
        at - start


def isoformat(n):
    at = datetime(2024, 1, 1, 2, 3, 4, 5)
    for _ in range(n):
        at.isoformat()


def strftime(n):
    at = datetime(2024, 1, 1, 2, 3, 4, 5)
    for _ in range(n):
        at.strftime('%Y-%m-%d %H:%M:%S')


for case in (fromisoformat, strptime, strptime_names, now, arithmetic, isoformat, strftime):
    n = 20_000
    best = 9e9
    for _ in range(3):
        began = time.perf_counter()
        case(n)
        best = min(best, time.perf_counter() - began)
    print('RESULT', case.__name__, round(best / n * 1e9, 1), 'ns')
