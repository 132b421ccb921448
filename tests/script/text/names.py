# Names beyond ASCII are the same name when their normal forms (NFKC) are: PEP 3131.
import ast

𝐚𝐛 = 1
print(ab)


class C:
    ﬁeld = 3

    def __init__(self, *, ª=1):
        self.ªx = ª

    __ﬁ = 4


print(C.field, C().ax, 'ﬁeld' in vars(C), [k for k in vars(C) if 'fi' in k])
𝕕𝕖𝕗 = 5                       # no keyword: that is asked of what was written
print(globals()['def'], C(a=7).ax)
é, é = 1, 2                   # e with an accent above, in one character and in two
print(é, [k for k in globals() if not k.isascii()])
Ω = 1
Ω = 2                          # the sign of the unit
print(Ω)


def f(ſ, /, **ﬀ):
    global ⅷ
    ⅷ = s, ff
    return [µ for µ in 'ab'], locals()


print(f(1, ﬅ=2), viii)
привет = 'мир'
print(f'{привет} {ﬁ if (ﬁ := 3) else 0}', fi)
print(ast.dump(ast.parse('ﬀ = ℋ.ℌ; import ﬁ.ﬂ as ª')))
print(eval('x.ﬀ', {'x': type('T', (), {'ff': 6})}))
match {'k': C()}:
    case {'k': C(ﬁeld=ª), **ﬆ}:
        print(a, st)
for bad in 'a¾ = 1', '€ = 2', 'x = ⁂', 'ab​c = 1':
    try:
        compile(bad, 'text', 'exec')
    except SyntaxError as exc:
        print(exc, exc.offset, exc.end_offset)
