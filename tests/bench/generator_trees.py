# Trees walked by recursive generators: yield from, and a loop of yields.
import time


class Tree:
    def __init__(self, left, value, right):
        self.left = left
        self.value = value
        self.right = right

    def __iter__(self):
        if self.left is not None:
            yield from self.left
        yield self.value
        if self.right is not None:
            yield from self.right

    def loop(self):
        if self.left is not None:
            for value in self.left.loop():
                yield value
        yield self.value
        if self.right is not None:
            for value in self.right.loop():
                yield value


def make(low, high):
    if low >= high:
        return None
    middle = (low + high) // 2
    return Tree(make(low, middle), middle, make(middle + 1, high))


N = 20_000
tree = make(0, N)
for name, walk in (('yield_from', lambda: sum(tree)), ('loop', lambda: sum(tree.loop()))):
    start = time.perf_counter()
    for _ in range(3):
        assert walk() == N * (N - 1) // 2
    print('RESULT', 'tree_' + name, (time.perf_counter() - start) * 1e9 / (3 * N), 'ns/item')
