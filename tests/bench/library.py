# hashlib over 100 MB, and chains of itertools.
import hashlib
import itertools
import time

BLOCK = bytes(range(256)) * 4096   # 1 MiB
ROUNDS = 5


def best(function, *args):
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        function(*args)
        times.append(time.perf_counter() - start)
    return min(times)


def digest(name):
    h = hashlib.new(name)
    for _ in range(100):
        h.update(BLOCK)
    return h.hexdigest()


for name in ('md5', 'sha1', 'sha256', 'sha512', 'blake2b'):
    print('RESULT', 'hashlib_' + name, best(digest, name) * 1e9 / (100 * len(BLOCK)), 'ns/byte')

N = 200_000
numbers = list(range(N))
pairs = [(i, i + 1) for i in range(N)]
chains = {
    'chain': lambda: sum(itertools.chain(numbers, numbers)),
    'list_chain': lambda: list(itertools.chain(numbers, numbers)),
    'from_iterable': lambda: sum(itertools.chain.from_iterable(pairs)),
    'count_islice': lambda: sum(itertools.islice(itertools.count(3, 2), N)),
    'accumulate': lambda: max(itertools.accumulate(numbers)),
    'takewhile': lambda: sum(itertools.takewhile(lambda x: x < N, itertools.dropwhile(lambda x: x < 10, numbers))),
    'compress_cycle': lambda: sum(itertools.compress(numbers, itertools.cycle((1, 0, 1)))),
    'groupby': lambda: sum(len(list(group)) for _, group in itertools.groupby(numbers, lambda x: x >> 4)),
    'product': lambda: sum(1 for _ in itertools.product(range(60), range(60), range(60))),
    'combinations': lambda: sum(1 for _ in itertools.combinations(range(110), 3)),
    'permutations': lambda: sum(1 for _ in itertools.permutations(range(8))),
    'zip_longest': lambda: sum(1 for _ in itertools.zip_longest(numbers, pairs)),
    'starmap': lambda: sum(itertools.starmap(int.__add__, pairs)),
    'pairwise': lambda: sum(1 for _ in itertools.pairwise(numbers)),
    'batched': lambda: sum(1 for _ in itertools.batched(numbers, 3)),
    'tee': lambda: sum(a - b for a, b in zip(*itertools.tee(numbers))),
}
for name, run in chains.items():
    print('RESULT', 'itertools_' + name, best(run) * 1e9 / N, 'ns/item')
