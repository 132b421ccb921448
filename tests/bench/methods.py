# Method calls and attributes of instances, also through one level of inheritance.
import time

N = 500_000


class Base:
    def __init__(self):
        self.x = 1
        self.y = 2

    def get(self):
        return self.x

    def add(self, a, b=1):
        return a + b


class Point(Base):
    pass


def method_call(p):
    total = 0
    for _ in range(N):
        total += p.get()
    return total


def method_arguments(p):
    total = 0
    for i in range(N):
        total = p.add(total)
    return total


def attribute_read(p):
    total = 0
    for _ in range(N):
        total += p.x + p.y - p.x - p.x
    return total


def attribute_write(p):
    for i in range(N):
        p.x = i
        p.y = i
    p.x = 1
    return N


def instance(p):
    for _ in range(N):
        Point()
    return N


for function in (method_call, method_arguments, attribute_read, attribute_write, instance):
    p = Point()
    start = time.perf_counter()
    assert function(p) in (N, 0)
    print('RESULT', function.__name__, (time.perf_counter() - start) * 1e9 / N, 'ns/turn')
