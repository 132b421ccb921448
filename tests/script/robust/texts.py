# What the random programs found: which of several mistakes is reported.
def attempt(action):
    try:
        print(action())
    except TypeError as e:
        print(e)


def f(*args, **kw):
    return args, kw


numbers, group = {1: 2}, {1, 2}
attempt(lambda: f(**numbers))
attempt(lambda: [](**numbers))
attempt(lambda: (5)(*[1], **numbers))
attempt(lambda: f(*True, **numbers))
attempt(lambda: f(**numbers, **numbers))
attempt(lambda: group.__class__.__name__)
try:
    del group[1]
except TypeError as e:
    print(e)
try:
    del group['a']
except TypeError as e:
    print(e)
try:
    del frozenset()[True]
except TypeError as e:
    print(e)
