# differs: CPython writes into the freed buffer when the index of b[i] = 7 extends a bytearray
# An __index__ that changes the length of what it indexes: the length after it counts.
class Clears:
    def __init__(self, target, change):
        self.target, self.change = target, change

    def __index__(self):
        self.change(self.target)
        return 3


def attempt(action, make, change):
    b = make()
    try:
        print(action(b, Clears(b, change)), b)
    except (IndexError, ValueError) as e:
        print(type(e).__name__, e, b)


def shrink(b):
    del b[2:]


for change in (shrink, lambda b: b.clear(), lambda b: b.extend(range(40))):
    for make in (lambda: bytearray(b'abcdef'), lambda: [1, 2, 3, 4, 5]):
        attempt(lambda b, i: b.pop(i), make, change)
        attempt(lambda b, i: b[i], make, change)
        attempt(lambda b, i: b.__setitem__(i, 7), make, change)
        attempt(lambda b, i: b.__delitem__(i), make, change)
        attempt(lambda b, i: b.insert(i, 9), make, change)
        attempt(lambda b, i: b[:i], make, change)
        attempt(lambda b, i: b.index(b[0], i), make, change)
