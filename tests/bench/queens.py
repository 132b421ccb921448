# Eight queens, three ways: sets with backtracking, permutations with generators, bits.
import itertools
import time


def by_sets(n, row=0, columns=frozenset(), sums=frozenset(), differences=frozenset()):
    if row == n:
        return 1
    return sum(by_sets(n, row + 1, columns | {c}, sums | {row + c}, differences | {row - c})
               for c in range(n) if c not in columns and row + c not in sums and row - c not in differences)


def by_permutations(n):
    columns = range(n)
    return sum(1 for p in itertools.permutations(columns)
               if n == len({p[i] + i for i in columns}) == len({p[i] - i for i in columns}))


def by_bits(n, columns=0, left=0, right=0):
    full = (1 << n) - 1
    if columns == full:
        return 1
    found = 0
    free = full & ~(columns | left | right)
    while free:
        bit = free & -free
        free ^= bit
        found += by_bits(n, columns | bit, (left | bit) << 1, (right | bit) >> 1)
    return found


for name, function, n, solutions in (('sets', by_sets, 8, 92), ('permutations', by_permutations, 7, 40), ('bits', by_bits, 9, 352)):
    times = []
    for _ in range(5):
        start = time.perf_counter()
        assert function(n) == solutions
        times.append(time.perf_counter() - start)
    print('RESULT', 'queens_' + name, min(times) * 1e3, 'ms')
