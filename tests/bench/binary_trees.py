# Trees made and dropped (a problem of the Benchmarks Game): allocation, recursion, and the collector.
import time


class Node:
    __slots__ = ('left', 'right')

    def __init__(self, left, right):
        self.left = left
        self.right = right


def tree_of_nodes(depth):
    return Node(tree_of_nodes(depth - 1), tree_of_nodes(depth - 1)) if depth else Node(None, None)


def count_nodes(node):
    return 1 if node.left is None else 1 + count_nodes(node.left) + count_nodes(node.right)


def tree_of_tuples(depth):
    return (tree_of_tuples(depth - 1), tree_of_tuples(depth - 1)) if depth else (None, None)


def count_tuples(node):
    left, right = node
    return 1 if left is None else 1 + count_tuples(left) + count_tuples(right)


def measure(name, make, count, depth=14):
    start = time.perf_counter()
    kept = make(depth)
    nodes = count(kept)
    for small in range(4, depth + 1, 4):
        for _ in range(1 << (depth - small)):
            nodes += count(make(small))
    elapsed = time.perf_counter() - start
    assert nodes > 3 << depth
    print('RESULT', name, elapsed * 1e9 / nodes, 'ns/node')


measure('trees_nodes', tree_of_nodes, count_nodes)
measure('trees_tuples', tree_of_tuples, count_tuples)
