# The module json both ways: records of mixed values, numbers, text with escapes, and deep nesting.
import json
import time

record = {'id': 12345, 'name': 'Jürgen "x"', 'tags': ['a', 'b', None, True], 'score': -12.5, 'ratio': 0.1 + 0.2,
          'inner': {'deep': [1, 2, 3], 'text': 'line\nline'}}
documents = [
    ('records', [dict(record, id=i) for i in range(2000)]),
    ('ints', list(range(50_000))),
    ('floats', [i / 7 for i in range(20_000)]),
    ('strings', ['some text of a usual length, number %d' % i for i in range(20_000)]),
    ('unicode', ['текст обычной длины %d' % i for i in range(10_000)]),
    ('nested', [[[[[i]]]] for i in range(5_000)]),
]


def best(function, argument):
    times = []
    for _ in range(15):   # the first calls also pay for memory that the process keeps
        start = time.perf_counter()
        function(argument)
        times.append(time.perf_counter() - start)
    return min(times)


for name, value in documents:
    text = json.dumps(value)
    assert json.loads(text) == value
    print('RESULT', 'json_loads_' + name, best(json.loads, text) * 1e9 / len(text), 'ns/char')
    print('RESULT', 'json_dumps_' + name, best(json.dumps, value) * 1e9 / len(text), 'ns/char')
