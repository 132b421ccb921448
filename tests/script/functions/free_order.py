# Free variables stand in the order of their names.
def outer():
    zeta, alpha, mid = 1, 2, 3
    def inner():
        return [zeta + x for x in [alpha]], mid
    def other():
        nonlocal alpha
        alpha = 5
        return (lambda: (mid, zeta, alpha))()
    return inner, other


inner, other = outer()
print(inner.__code__.co_freevars, [c.cell_contents for c in inner.__closure__])
print(inner(), other(), inner(), other.__code__.co_freevars)
