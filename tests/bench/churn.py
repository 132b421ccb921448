# Ten million objects made and dropped, some of them in cycles and some living for a while: time, and bounded memory.
import time

OBJECTS = 10_000_000
KEPT = 10_000


class Node:
    def __init__(self, value, other):
        self.value = value
        self.other = other


def churn(count):
    kept = [None] * KEPT
    for i in range(count // 2):
        a = Node(i, None)
        b = Node(i, a)
        a.other = b                     # a cycle
        if i % 10 == 0:
            kept[i // 10 % KEPT] = b    # a tenth lives on for a while
    return kept


def peak_megabytes():
    with open('/proc/self/status') as status:
        for line in status:
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) / 1024


start = time.perf_counter()
kept = churn(OBJECTS)
print('RESULT churn', (time.perf_counter() - start) * 1e9 / OBJECTS, 'ns/object')
assert all(node.other.other is node for node in kept)
print('RESULT churn_memory', peak_megabytes(), 'MB')
