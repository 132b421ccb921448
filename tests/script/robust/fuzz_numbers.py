# What ./dev fuzz numbers found: spaces and underscores in texts, powers of complex numbers, widths of %, Fractions beside complex ones.
import operator
from decimal import Decimal
from fractions import Fraction


def show(f, *args):
    try: print(ascii(args), ascii(f(*args)))
    except Exception as e: print(ascii(args), type(e).__name__, ascii(str(e)))


for kind in int, float, complex:
    for text in ('5\x1c', '\x1c5', '\u20035', '\u20035\x1c', '5\x85', '5\xa0', '\u06635\x1c', '(5)', '( \u20035)', '1_0+2_0j', '1__0', '(1_)', '1\u2003+2j', 'j\x0b', '(1',
                 'in_f', '_inf', '1e_5', '_1', '1_', '1._0', '1_.0'):
        show(kind, text)
inf, nan = float('inf'), float('nan')
for a, b in ((inf, complex(-5.7e-264, -2.2e-298)), (2.5, complex(0.5, -inf)), (complex(7758, inf), 1.5), (complex(inf), 2), (complex(1e-200, 1e-200), -2), (complex(-0.0), 1), (complex(-0.0), -1),
             (0j, 1j), (-1, 1j), (complex(1e200, 1e200), 2), (1 + 2j, 3), (1 + 2j, -3), (1 + 2j, 0), (nan + 0j, 2), (1j, 1e300)):
    show(pow, a, b)
for name in 'mod', 'floordiv', 'divmod' and 'truediv', 'add':
    for a, b in ((0.5 + 209j, Fraction(260)), (Fraction(1, 2), 1j)): show(getattr(operator, name), a, b)
show(divmod, 1j, Fraction(1, 2))
for value in '0', '0E-5', '0E+7', '1.5', '-0.00':
    for spec in '.3E', '.0E', 'e', '.5e', '#99.4E', '.3%': show(format, Decimal(value), spec)
for spec in '+z.0', 'z', 'z.3e', 'zE', 'z%':
    for value in -inf, nan, -0.0, -1e-9, -2.5: show(format, value, spec)
for layout, values in (('%#+*.9999999999999999999999999o', (9007199254740992, 1)), ('%*d', (2**63, 1)), ('%.*d', (2**31, 1)), ('%.*d', (-2**31, 1)), ('%*d', (-5, 1)), ('%*d', (-1, '')), ('% *.0s', (-1, 'x')), ('%*s', (-1, '')), ('%99999999999999999999d', 1),
                       ('%*d', (-2**63, 1)), ('%.*f', (99999999999999999999, 1.0))):
    show(operator.mod, layout, values)
    show(operator.mod, layout.encode(), values)
