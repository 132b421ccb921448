from ._inner import value
