# What ./dev fuzz numbers found: spaces and underscores in texts, powers of complex numbers, widths of %, Fractions beside complex ones,
# literals with two faults.
import operator
import warnings
from decimal import Decimal
from fractions import Fraction

warnings.simplefilter('ignore', SyntaxWarning)


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
for text in ('01e_4', '07E____5', '07e', '0_7e_', '00e', '01ee', '1e_5', '012', '012e5', '07E+', '07jx', '07e-_5', '0_7', '00if 1else 2', '09e_.5', '07\xe9', '1\xe9', '0x1\xe9', '1.5\u0663', '1j\xe9'):
    try: print(text, eval(text))
    except SyntaxError as e: print(ascii(text), e.msg, e.offset, e.end_offset)
for spec in '{=.99999999999999', '0>.99999999999999', '{=.5', '.2147483648', '=.99999999999999q': show(format, 1+2j, spec)
for width in range(14):
    for value in '0', '-7', '123', '1234', '1234567.5':
        show(format, Decimal(value), f'0{width},')
        show(format, Fraction(value), f'0{width},.2f')
        show(format, Fraction(value), f'0{width}_g')
print(len(format(Decimal('30'), 'z#0104000,.40')), len(format(Fraction(30), '0104000,.4f')))   # took ten seconds
for spec in '00', '007.2f', '07.02f', '<07', '*<7.05f', '07.00f', '=07', '0.5', '0', '0f', '\u0663', '\u0663f', '.\u0663f', '05\u0663f', '0\u0663f', '05.02f', '5.0f':
    show(format, Decimal('1.5'), spec)
    show(format, Fraction('1.5'), spec)
for n in -1, 0, -2, 1, -128, -129, 127, 128:
    for length in range(3): show(lambda n, length: n.to_bytes(length, 'big', signed=True), n, length)
for text in ('-1.7(58inf79e308e119j', '(8.5e-18.5e-1j', '1(.79e308jinf', 'f(a b', 'f(a b +', 'f(a b, c', 'f(a b if', 'f(a b for', 'f(a b else', 'f(a b(c', 'f(a b(c d', 'f(a b]', 'f(a [', '{1:2inf', '(1orx)', 'a[1orx', '1andé', '1elsex',
             '1inx', '(0x1for x in y)', '1if 1else 2', '(a b', '(a b\n', '[a b c', '+f8.5e-1(e0_1', 'a b(', 'a b', 'a b(c d', 'a b(c)', 'f(a b=3', 'f(a "x'):
    try: eval(text)
    except SyntaxError as e: print(ascii(text), e.msg, e.lineno, e.offset, e.end_lineno, e.end_offset)
    except NameError as e: print(text, e)
for text in 'a b(', 'import a b(', 'x\na b(\n', 'f(a)\nb c[1\nd':
    try: compile(text, 'text', 'exec')
    except SyntaxError as e: print(ascii(text), e.msg, e.lineno, e.offset, e.end_lineno, e.end_offset)
