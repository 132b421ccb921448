# Containers and helpers of the library that programs lean on: deque, defaultdict, Counter, OrderedDict, namedtuple, enum, heapq,
# bisect, operator, lru_cache.
import time
from bisect import bisect_right, insort
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from enum import Enum
from functools import lru_cache
from heapq import heapify, heappop, heappush
from operator import attrgetter, itemgetter

N = 200_000


def measure(name, work, n=N):
    start = time.perf_counter()
    work()
    print('RESULT', name, (time.perf_counter() - start) * 1e9 / n, 'ns/item')


def deque_ends():
    d = deque(maxlen=1000)
    for i in range(N):
        d.append(i)
        if i & 1:
            d.popleft()


def deque_iterate(d=deque(range(N))):
    total = 0
    for item in d:
        total += item


def default_dict():
    groups = defaultdict(list)
    for i in range(N):
        groups[i % 1000].append(i)


def default_count():
    counts = defaultdict(int)
    for i in range(N):
        counts[i & 1023] += 1


def counter(words=[str(i % 5000) for i in range(N)]):
    Counter(words).most_common(10)


def ordered():
    d = OrderedDict()
    for i in range(N):
        d[i % 500] = i
        d.move_to_end(i % 500)
        if len(d) > 400:
            d.popitem(last=False)


Point = namedtuple('Point', 'x y')


def fields(points=[Point(i, i + 1) for i in range(1000)]):
    total = 0
    for _ in range(N // 1000):
        for p in points:
            total += p.x + p.y


def make_points():
    for i in range(N):
        Point(i, i)


class Color(Enum):
    RED = 1
    GREEN = 2


def members():
    n = 0
    for i in range(N):
        if (Color.RED if i & 1 else Color.GREEN) is Color.RED:
            n += 1


def heap():
    h = [(i * 7919) % N for i in range(N // 2)]
    heapify(h)
    for i in range(N // 2):
        heappush(h, i)
        heappop(h)


def pairs_heap():
    h = []
    for i in range(N // 4):
        heappush(h, ((i * 7919) % N, i))
    while h:
        heappop(h)


def bisection(a=list(range(0, N, 2))):
    for i in range(N):
        bisect_right(a, i)


def insertion():
    a = []
    for i in range(N // 20):
        insort(a, (i * 7919) % N)


def sort_by_item(rows=[(i, (i * 7919) % N) for i in range(N)]):
    sorted(rows, key=itemgetter(1))


class Row:
    def __init__(self, v):
        self.v = v


def sort_by_attr(rows=[Row((i * 7919) % N) for i in range(N)]):
    sorted(rows, key=attrgetter('v'))


@lru_cache(maxsize=512)
def cached(x):
    return x


@lru_cache(maxsize=None)
def fib(n, k=0):
    return n if n < 2 else fib(n - 1, k) + fib(n - 2, k)


def cache_hits():
    for i in range(N):
        cached(i & 255)


def cache_misses():
    for i in range(N):
        cached(i)


def cache_two():
    for k in range(N // 100):
        fib(100, k)


for name, work in [('deque_ends', deque_ends), ('deque_iterate', deque_iterate), ('defaultdict_list', default_dict),
                   ('defaultdict_int', default_count), ('counter', counter), ('ordereddict', ordered), ('namedtuple_read', fields),
                   ('namedtuple_make', make_points), ('enum_member', members), ('heap_ints', heap), ('heap_pairs', pairs_heap),
                   ('bisect', bisection), ('insort', insertion), ('itemgetter_sort', sort_by_item),
                   ('attrgetter_sort', sort_by_attr), ('lru_hits', cache_hits), ('lru_misses', cache_misses),
                   ('lru_two_args', cache_two)]:
    measure(name, work)
