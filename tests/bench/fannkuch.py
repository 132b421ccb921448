# Permutations and reversals of short lists (the fannkuch-redux problem of the Benchmarks Game): list items, slices, integers.
import time


def fannkuch(n):
    permutation = list(range(n))
    counts = [0] * n
    flips_most = checksum = turn = 0
    r = n
    while True:
        while r != 1:
            counts[r - 1] = r
            r -= 1
        first = permutation[0]
        if first:
            copy = permutation[:]
            flips = 0
            while first:
                copy[:first + 1] = copy[first::-1]
                flips += 1
                first = copy[0]
            if flips > flips_most:
                flips_most = flips
            checksum += -flips if turn & 1 else flips
        turn += 1
        while True:
            if r == n:
                return checksum, flips_most
            permutation.insert(r, permutation.pop(0))
            counts[r] -= 1
            if counts[r] > 0:
                break
            r += 1


start = time.perf_counter()
assert fannkuch(8) == (1616, 22)
print('RESULT fannkuch', (time.perf_counter() - start) * 1e3, 'ms')
