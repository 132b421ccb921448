# Where CPython says that each text of tests/errors/syntax_cases.txt is wrong: line, offset, end line, end offset.
import os
import warnings

# The parser is past the bracket when it sees that it was no group of with items.
LATE = 'with (a as b, c as d) as e: pass\n'

warnings.simplefilter('ignore')
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../errors/syntax_cases.txt')
with open(path, encoding='utf-8') as file:
    cases = file.read().split('---\n')
for case in cases:
    try:
        compile(case, 'case', 'exec')
    except SyntaxError as exc:
        if case != LATE:
            print(ascii(case[:40]), type(exc).__name__, exc.lineno, exc.offset, exc.end_lineno, exc.end_offset)
print(len(cases))
