# The names that 3.14 takes away: they make constants, know them, and warn.
import ast
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    print(ast.dump(ast.Str('a')), isinstance(ast.Constant(1), ast.Num), isinstance(ast.Constant(True), ast.Num), isinstance(ast.Constant('x'), ast.Str),
          ast.Constant('q').s, ast.Constant(2).n, ast.dump(ast.Ellipsis()), ast.NameConstant(None).value, type(ast.Num(3)), ast.Str.__mro__, ast.Bytes._fields,
          isinstance(ast.Constant(None), ast.NameConstant), isinstance(ast.Constant(...), ast.Ellipsis), isinstance(ast.Name('x'), ast.Num))
for warning in caught:
    print(warning.category.__name__, warning.message)

class Mine(ast.Num):
    pass

print(type(Mine(5)), Mine(5).value, isinstance(Mine(5), Mine), isinstance(ast.Constant(5), Mine))
try: ast.nothing
except AttributeError as exc: print(exc)
