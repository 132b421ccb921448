"""One test for each point of the prompt: functions that take a way to start sessions and raise AssertionError.

POINTS maps names to them; tests/run.py runs each as a test of its own (kind repl).
"""
import contextlib
import os
import pathlib
import re
import signal
import sys
import tempfile
import termios
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from terminal import Program  # noqa: E402

POINTS = {}
UP, DOWN, RIGHT, LEFT, HOME, END = '\x1b[A', '\x1b[B', '\x1b[C', '\x1b[D', '\x1b[H', '\x1b[F'
READY = '\x1b[?2004h'   # what the editor writes when it begins to read


class Session(Program):
    """asy at its prompt, in a folder of its own."""

    def __init__(self, command, folder, term='xterm-256color', columns=80, rows=24, options=(), **environment):
        self.folder = folder
        self.plain = term in ('dumb', None) or 'ASY_BASIC_REPL' in environment
        given = {'PATH': os.environ['PATH'], 'HOME': folder, 'ASY_HISTORY': f'{folder}/history', 'LANG': 'C.UTF-8'}
        given |= {key: value for key, value in os.environ.items() if key.startswith(('ASAN', 'UBSAN', 'ASY_GC'))}
        given |= {'TERM': term} if term else {}
        super().__init__([*command, *options], given | environment, columns, rows, folder)
        self.prompts = 0
        self.command = command[0]
        while '>>> ' not in self.output and self.read(5):
            pass
        self.ready = time.perf_counter()
        self.prompt()

    def _prompts(self):
        return len(re.findall('(?:^|\n|[.>] )>>> ', self.output)) if self.plain else self.output.count(READY)

    def prompt(self, seconds=10):
        """Wait for the next prompt."""
        assert self.until(lambda: self._prompts() > self.prompts, seconds), f'no prompt:\n{self.screen.text()}'
        self.prompts = self._prompts()
        self.settle(.03)

    def type(self, *keys, wait=.06):
        """Send keys and wait until they are shown."""
        for key in keys:
            self.send(key)
            self.settle(wait)

    def paste(self, text):
        self.type(f'\x1b[200~{text}\x1b[201~')

    def run(self, *lines):
        """Type each line with Enter; wait for the prompt that follows."""
        for line in lines:
            self.send(line + ('\n' if self.plain else '\r'))
            self.prompt()

    def shows(self, text, seconds=5):
        """The screen shows the text, now or soon."""
        assert self.until(lambda: text in self.screen.text(), seconds), f'{text!r} is not on the screen:\n{self.screen.text()}'

    def hides(self, text):
        assert text not in self.screen.text(), f'{text!r} is on the screen:\n{self.screen.text()}'

    def last(self, *lines):
        """These are the last rows."""
        self.until(lambda: self.screen.text().split('\n')[-len(lines):] == [line.rstrip() for line in lines], 5)
        rows = self.screen.text().split('\n')[-len(lines):]
        assert rows == [line.rstrip() for line in lines], f'{lines} expected:\n{self.screen.text()}'

    def cursor(self, row_text, column):
        """The cursor is in this row, and column, now or soon."""
        def place():
            return ''.join(cell for cell, _ in self.screen.lines[self.screen.row]).rstrip(), self.screen.column
        wanted = row_text.rstrip(), column
        assert self.until(lambda: place() == wanted, 5), f'{wanted} expected, the cursor is in {place()}'

    def gone(self, seconds=5):
        self.until(lambda: self.status is not None, seconds)
        return self.status


def point(function):
    POINTS[function.__name__] = function
    return function


@contextlib.contextmanager
def sessions(command):
    """Gives a function that starts sessions, all in one folder."""
    begun = []
    with tempfile.TemporaryDirectory(prefix='asy-repl-') as folder:
        def start(**how):
            begun.append(Session(command, folder, **how))
            return begun[-1]
        start.folder = folder
        try:
            yield start
        finally:
            for session in begun:
                session.end()


def check(name, command):
    """Run one point: None, or what is wrong."""
    try:
        with sessions(command) as start:
            POINTS[name](start)
    except AssertionError as error:
        return str(error) or 'an assertion of ' + name
    return None


# ---- Editing

@point
def runs_expressions_and_statements(start):
    t = start()
    t.run('x = 20', 'x * 2 + 2')
    t.last('>>> x = 20', '>>> x * 2 + 2', '42', '>>> ')


@point
def edits_the_whole_block(start):
    t = start()
    t.run('import asyncio')
    t.type('async def f():\r', 'a = 1\r', 'await asyncio.sleep(0)\r', 'b = 2\r', 'return a + b')
    t.type(UP, UP, UP, UP, HOME, '\x1b[1;5C\x1b[1;5C\x1b[1;5C', 'oo')    # async def foo():
    t.last('>>> async def foo():', '...     a = 1', '...     await asyncio.sleep(0)', '...     b = 2', '...     return a + b')
    t.type(DOWN, END, '\r', 'c = 3')   # Enter in the middle begins a line
    t.last('...     a = 1', '...     c = 3', '...     await asyncio.sleep(0)', '...     b = 2', '...     return a + b')
    t.type('\x1b>', '\r')              # at the end, a blank line runs
    t.run('', 'await foo()')
    t.last('>>> await foo()', '3', '>>> ')


@point
def recalled_block_runs_at_its_end(start):
    t = start()
    t.type('def f(n):\r', 'return n\r')
    t.run('')
    t.type(UP)
    t.last('>>> def f(n):', '...     return n')
    t.type(UP, END, '\x7f\x7f, m=5):')
    t.type('\x1b>', '\x7f', 'm')
    t.run('')
    t.run('f(1)')
    t.last('>>> f(1)', '5', '>>> ')


@point
def indents_and_dedents(start):
    t = start()
    t.type('if 1:\r')
    t.cursor('...', 8)
    t.type('while 1:\r')
    t.cursor('...', 12)
    t.type('break\r')
    t.cursor('...', 8)
    t.type('x = [\r')
    t.cursor('...', 12)
    t.type('1]\r')
    t.cursor('...', 12)
    t.type('\x7f')
    t.cursor('...', 8)
    t.type('\x7f')
    t.cursor('...', 4)


@point
def else_goes_to_its_if(start):
    t = start()
    t.type('if 0:\r', 'a = 1\r', 'else:\r', 'print("other")\r')
    t.run('')
    t.last('...     a = 1', '... else:', '...     print("other")', '...', 'other', '>>> ')


@point
def parser_decides_completeness(start):
    t = start()
    for text, shown in ('(1,\r2)', '(1, 2)'), ('"""a\rb"""', "'a\\nb'"), ('1 + \\\r2', '3'), ("f'{1}{\r2}'", "'12'"):
        before = t.prompts
        t.type(text.split('\r')[0] + '\r')
        assert t._prompts() == before, f'{text!r} ran too early'
        t.run(text.split('\r')[1])
        t.shows(shown)
    t.type('@property\r')
    t.last('>>> @property', '... ')
    t.type('\x03')


@point
def syntax_error_is_shown_at_once(start):
    t = start()
    t.run('x = = 1')
    t.last('    x = = 1', '        ^', 'SyntaxError: invalid syntax', '>>> ')


@point
def moves_by_words_and_lines(start):
    t = start()
    t.type('alpha beta_1 (gamma)')
    for keys, column in ('\x01', 4), ('\x05', 24), ('\x1bb', 18), ('\x1b[1;5D', 10), ('\x1b[1;5D', 4), ('\x1bf', 9), ('\x1b[1;5C', 16), \
            ('\x1b[H', 4), ('\x1b[F', 24), ('\x02\x02', 22), ('\x06', 23), ('\x1bOH', 4), ('\x1b[4~', 24):
        t.type(keys)
        t.cursor('>>> alpha beta_1 (gamma)', column)


@point
def kills_and_yanks(start):
    t = start()
    t.type('one two three', '\x1bb', '\x0b')
    t.last('>>> one two ')
    t.type('\x17\x17')
    t.last('>>>')
    t.type('\x19')
    t.last('>>> one two three')   # kills in a row are one
    t.type('\x15', 'x ', '\x19')
    t.last('>>> x one two three')
    t.type('\x15', 'a b', '\x01', '\x1bd', '\x05', '\x19')
    t.last('>>>  ba')
    t.type('\x1by')
    t.last('>>>  bx one two three')


@point
def undoes_and_redoes(start):
    t = start()
    t.type('first', ' ', 'second', '\x17')
    t.last('>>> first ')
    t.type('\x1f')
    t.last('>>> first second')
    t.type('\x1f\x1f\x1f')
    t.last('>>>')
    t.type('\x1b_' * 2)
    t.last('>>> first second')


@point
def transposes_and_changes_case(start):
    t = start()
    t.type('ba', '\x14', ' word', '\x1bb', '\x1bu', ' Two', '\x1bb', '\x1bl')
    t.last('>>> ab WORD two')


@point
def matches_brackets(start):
    t = start()
    t.type('f([1, (2)])')
    assert '33' in t.screen.style_of('(['), 'the mate is not marked'
    t.type('\x03', 'x)')
    assert '31' in t.screen.style_of(')'), 'a bracket without mate is not marked'


@point
def multi_line_strings_and_wide_characters(start):
    t = start()
    t.type('x = "家👩‍💻é"')
    t.type(LEFT)
    column = t.screen.column
    t.type(LEFT)
    assert column - t.screen.column == 1, 'é is one column'
    t.type(LEFT)
    assert column - t.screen.column == 3, 'the emoji is one character of two columns'
    t.type(LEFT)
    assert column - t.screen.column == 5, '家 takes two columns'
    t.type(END, '\x7f\x7f', '"')
    t.run('')
    t.run('len(x)')
    t.last('4', '>>> ')


@point
def wraps_long_lines(start):
    t = start(columns=30)
    t.type('x = "' + 'a' * 60 + '"')
    t.last('>>> x = "' + 'a' * 20, 'a' * 29, 'a' * 11 + '"')
    t.type(HOME)
    t.cursor('>>> x = "' + 'a' * 20, 4)
    t.type(END, '\r')
    t.run('len(x)')
    t.last('60', '>>> ')


@point
def block_higher_than_the_screen(start):
    t = start(rows=8)
    t.type('def f():\r')
    for i in range(12):
        t.type(f'a{i} = {i}\r', wait=.02)
    t.type('return a11')
    t.last('...     a10 = 10', '...     a11 = 11', '...     return a11')
    t.type('\x1b<')
    t.cursor('>>> def f():', 4)
    t.type('\x1b>', '\r')
    t.run('', 'f()')
    t.last('>>> f()', '11', '>>> ')


@point
def resize_redraws(start):
    t = start()
    t.type('value = "' + 'b' * 50 + '"')
    t.resize(40, 24)
    t.settle(.2)
    t.last('>>> value = "' + 'b' * 26, 'b' * 24 + '"')
    t.resize(80, 24)
    t.settle(.2)
    t.run('')
    t.run('len(value)')
    t.last('50', '>>> ')


@point
def colours_while_typing(start):
    t = start()
    t.type('def f(): return "text" # 12 note')
    for word, style in ('def', '1;34'), ('f()', '1'), ('return', '1;34'), ('"text"', '32'), ('# 12', '2'), ('>>>', '1;35'):
        assert t.until(lambda: t.screen.style_of(word) == style, 5), f'{word}: {t.screen.style_of(word)}'
    t.type('\x03', 'len("open')
    assert t.until(lambda: t.screen.style_of('"open') == '32' and t.screen.style_of('len') == '35', 5)


@point
def no_color_and_force_color(start):
    t = start(NO_COLOR='1')
    t.type('def f')
    assert '[1;34m' not in t.output and ';34m' not in t.output
    t = start(term='dumb', FORCE_COLOR='1')
    t.run('[1]')
    assert '[\x1b[36m1\x1b[0m]' in t.output


@point
def pastes_as_one(start):
    t = start()
    text = ''.join(f'def f{i}():\n    x = {i}\n\n    return x\n\n' for i in range(400)) + 'last = f399()\n'
    assert text.count('\n') == 2001
    begin = time.perf_counter()
    t.send(f'\x1b[200~{text}\x1b[201~')
    t.shows('... last = f399()')
    spent = time.perf_counter() - begin
    assert spent < .5, f'{spent:.3f} s'   # 100 ms is the aim, 4 ms what it takes on the idle machine
    t.type('\x1f')
    t.last('>>>')
    t.type('\x1b_')
    t.shows('last = f399()')
    t.run('')
    t.run('last')
    t.last('399', '>>> ')


@point
def pastes_without_brackets(start):
    t = start()
    t.type('def f():\r    if 1:\r        return 8\r    return 9\r')
    t.last('>>> def f():', '...     if 1:', '...         return 8', '...     return 9', '...')
    t.run('', 'f()')
    t.last('8', '>>> ')


@point
def vi_keys(start):
    t = start()
    t.run('%vi')
    t.type('alpha beta gamma', '\x1b', wait=.12)
    t.type('0', 'dw', 'x')
    t.last('>>> eta gamma')
    t.type('u', 'A!', '\x1b', wait=.12)
    t.last('>>> beta gamma!')
    t.type('0', 'cwdelta', '\x1b', wait=.12)
    t.last('>>> delta gamma!')
    t.type('$', 'x', 'Fa', 'D', 'p')
    t.last('>>> delta gamma')
    t.type('0', 'x', '.', '2.', wait=.08)
    t.last('>>> a gamma')
    t.type('0', 'cwfirst', '\x1b', 'w', '.', wait=.12)
    t.last('>>> first first')
    t.type('dd', 'i1 + 1')
    t.run('')
    t.last('2', '>>> ')


@point
def inputrc_chooses_vi(start):
    pathlib.Path(start.folder, '.inputrc').write_text('set editing-mode vi\n')
    t = start()
    t.type('ab', '\x1b', '0', 'x', wait=.12)
    t.last('>>> b')


# ---- History

@point
def history_is_kept_by_block(start):
    t = start()
    t.run('a = 1')
    t.type('def f():\r', 'return 1\r')
    t.run('', 'a = 1', 'b = "\\\\n"')
    t.type('\x04')
    assert t.gone() == 0
    lines = pathlib.Path(start.folder, 'history').read_text().splitlines()
    assert lines == ['a = 1', 'def f():\\n    return 1', 'a = 1', 'b = "\\\\\\\\n"'], lines
    t = start()
    t.type(UP)
    t.last('>>> b = "\\\\n"')
    t.type(UP, UP)
    t.last('>>> def f():', '...     return 1')   # `a = 1` is there once, at its last place
    t.type(UP, UP)
    t.hides('a = 1\n>>> a')


@point
def up_goes_by_prefix(start):
    t = start()
    t.run('alpha = 1', 'beta = 2', 'alpha2 = 3', 'gamma = 4')
    t.type('al', UP)
    t.last('>>> alpha2 = 3')
    t.type(UP)
    t.last('>>> alpha = 1')
    t.type(DOWN)
    t.last('>>> alpha2 = 3')
    t.type(DOWN)
    t.last('>>> al')


@point
def searches_history(start):
    t = start()
    t.run('first = 1', 'second = 2', 'third = 3')
    t.type('\x12', 'ir')
    t.last('>>> third = 3', "(reverse-i-search)`ir'")
    t.type('\x12')
    t.last('>>> first = 1', "(reverse-i-search)`ir'")
    t.type('\x13')
    t.last('>>> third = 3', "(i-search)`ir'")
    t.type('\x07')
    t.last('>>>')
    t.type('\x12', 'sec')
    t.run('')
    t.run('second')
    t.last('2', '>>> ')


@point
def history_of_ten_thousand_and_its_place(start):
    folder = pathlib.Path(start.folder, 'state', 'asy')
    folder.mkdir(parents=True)
    (folder / 'history').write_text(''.join(f'x{i} = {i}\n' for i in range(10000)))
    t = start(ASY_HISTORY='', XDG_STATE_HOME='')   # named empty: none is kept
    t.run('1')
    t.type('\x04')
    t.gone()
    t = start(XDG_STATE_HOME=str(folder.parent), ASY_HISTORY=str(folder / 'history'))
    t.type('x77', UP)
    t.last('>>> x7799 = 7799')


# ---- Completion

@point
def completes_names_and_keywords(start):
    t = start()
    t.run('remarkable = 1', 'remarkably = 2')
    t.type('rem', '\t')
    t.shows('>>> remarkabl')
    t.type('\t')
    t.shows('remarkable  remarkably')
    t.type('\t', '\t')
    t.shows('>>> remarkably')
    t.type('\r')
    t.run('')
    t.shows('\n2\n')
    t.type('nonl\t')
    t.shows('>>> nonlocal')


@point
def completes_attributes_without_running_properties(start):
    t = start()
    t.paste('class A:\n    @property\n    def danger(self): print("it", "ran"); return self\n    def method(self): pass\n')
    t.run('')
    t.run('a = A()')
    t.type('a.dan\t')
    t.shows('>>> a.danger')
    t.type('.met\t')
    t.hides('it ran')
    t.type('\x03', 'a.me\t')
    t.shows('>>> a.method')


@point
def completes_modules(start):
    t = start()
    t.type('import asynci\t')
    t.shows('>>> import asyncio')
    t.type('\x03', 'from asyncio import gath\t')
    t.shows('import gather')
    t.type('\x03', 'import urllib.pars\t')
    t.shows('import urllib.parse')


@point
def completes_keyword_arguments_keys_and_files(start):
    pathlib.Path(start.folder, 'unusual name.txt').write_text('')
    t = start()
    t.run('def f(first, particular=None): return particular\x1b\r')
    t.type('f(')
    t.shows('f(first, particular=None)')
    t.type('partic\t')
    t.shows('>>> f(particular=')
    t.run('5, first=1)', 'd = {"some_key": 7}')
    t.type('d["so\t')
    t.shows('>>> d["some_key"]')
    t.run('')
    t.shows('\n7\n')
    t.type('open("unus\t')
    t.shows('>>> open("unusual name.txt')


# ---- Running

@point
def awaits_at_the_top_level(start):
    t = start()
    t.run('import asyncio', 'await asyncio.sleep(.01, "slept")')
    t.last("'slept'", '>>> ')
    t.type('async def numbers():\r', 'yield 1\r')
    t.run('', '[n async for n in numbers()]')
    t.last('[1]', '>>> ')
    t.type('async for n in numbers():\r', 'print("n", n)\r')
    t.run('')
    t.shows('n 1')
    t.type('async with asyncio.timeout(5):\r', 'inside = 1\r')
    t.run('', 'inside')
    t.last('1', '>>> ')


@point
def asyncio_run_works_too(start):
    t = start()
    t.run('import asyncio', 'async def main(): return 5\x1b\r', 'asyncio.run(main())')
    t.last('5', '>>> ')
    t.run('t = asyncio.create_task(main())', 'await t')
    t.last('5', '>>> ')


@point
def tasks_go_on_and_print_above(start):
    t = start()
    t.run('import asyncio')
    t.type('async def tick():\r', 'for i in range(3):\r', 'await asyncio.sleep(.15)\r', 'print("tick", i)\r')
    t.type('\x7f')
    t.run('')
    t.run('t = asyncio.create_task(tick())')
    t.type('typed = (', '\r', '7')
    t.shows('tick 2')
    t.last('tick 0', 'tick 1', 'tick 2', '>>> typed = (', '...     7')
    t.type(')')
    t.run('')
    t.run('typed')
    t.last('7', '>>> ')


@point
def unfinished_lines_stay(start):
    t = start()
    t.run('import asyncio, sys')
    t.type('async def dots():\r', 'for c in "abc":\r', 'await asyncio.sleep(.08)\r', 'print(c, end="", flush=True)\r', '\x7f')
    t.run('')
    t.run('t = asyncio.create_task(dots())')
    t.type('xy')
    t.shows('abc')
    t.last('abc', '>>> xy')


@point
def last_value_and_pretty_results(start):
    t = start(columns=40)
    t.run('6 * 7', '_ + 1')
    t.last('43', '>>> ')
    t.run('None', '_')
    t.last('43', '>>> ')
    t.run('{f"key{i}": list(range(6)) for i in range(3)}')
    t.last("{'key0': [0, 1, 2, 3, 4, 5],", " 'key1': [0, 1, 2, 3, 4, 5],", " 'key2': [0, 1, 2, 3, 4, 5]}", '>>> ')
    t.run('list(range(100000))')
    t.shows('more, see print(_)')


@point
def words_without_parentheses(start):
    t = start()
    t.run('help')
    t.shows('help(thing)')
    t.run('clear')
    t.last('>>> ')
    t.run('len?')
    t.shows('len(obj, /)')
    t.type('exit\r')
    assert t.gone() == 0
    t = start()
    t.type('quit\r')
    assert t.gone() == 0
    t = start()
    t.type('exit(3)\r')
    assert t.gone() == 3


@point
def interrupt_clears_the_input(start):
    t = start()
    t.type('some text', '\x03')
    t.last('>>> some text^C', '>>> ')
    t.run('1')
    t.last('>>> 1', '1', '>>> ')


@point
def interrupt_ends_the_statement_only(start):
    t = start()
    t.run('import asyncio', 'async def quiet(): await asyncio.sleep(.6); print("survived")\x1b\r',
          't = asyncio.create_task(quiet())')
    t.type('await asyncio.sleep(30)\r', wait=.1)
    t.send('\x03')
    t.prompt()
    t.shows('KeyboardInterrupt')
    t.shows('survived')
    t.type('while True: pass\x1b\r\r', wait=.2)
    t.send('\x03')
    t.prompt()


@point
def second_interrupt_forces(start):
    t = start()
    t.run('import asyncio')
    t.type('async def stubborn():\r', 'while True:\r', 'try: await asyncio.sleep(9)\x1b\r        except asyncio.CancelledError: print("no")\r\x7f\x7f')
    t.run('')
    t.type('await stubborn()\r', wait=.1)
    t.send('\x03')
    t.shows('no')
    t.send('\x03')
    t.prompt()


@point
def interrupt_ends_a_task_that_holds_the_loop(start):
    t = start()
    t.run('import asyncio')
    t.type('async def busy():\r', 'while True: pass\r')
    t.type('\x7f')
    t.run('')
    t.run('t = asyncio.create_task(busy())')
    time.sleep(.1)
    t.send('\x03')
    time.sleep(.1)
    t.send('\x03')
    t.shows('KeyboardInterrupt')
    t.run('1 + 1')
    t.last('2', '>>> ')


@point
def end_of_input_names_tasks(start):
    t = start()
    t.run('import asyncio', 't = asyncio.create_task(asyncio.sleep(99), name="sleeper")')
    t.type('\x04')
    t.shows('still running: sleeper')
    t.last('>>>')
    t.type('\x04')
    assert t.gone() == 0


@point
def coroutine_without_await_gets_a_hint(start):
    t = start()
    t.run('import asyncio', 'asyncio.sleep(1)')
    t.shows('put await in front')


@point
def tells_of_tasks_and_loop(start):
    t = start()
    t.run('import asyncio', 'lock = asyncio.Lock()')
    t.type('async def holder():\r', 'async with lock:\r', 'await asyncio.sleep(99)\r', '\x7f')
    t.run('')
    t.run('async def waiter(): await lock.acquire()\x1b\r', 'a = asyncio.create_task(holder(), name="A")',
          'b = asyncio.create_task(waiter(), name="B")', '%tasks')
    t.shows('1  A  holder()')
    t.shows('2  B  waiter()')
    t.run('%why B')
    t.shows('B (waiter()) waits for a Lock that A (holder()) holds')
    t.shows('A (holder()) waits for')
    t.run('%loop')
    t.shows('2 tasks')
    t.run('%wyh')
    t.shows('did you mean %why?')


@point
def times_and_saves(start):
    t = start()
    t.run('%time x = 6 * 7')
    t.shows('of the processor)')
    t.type('def f():\r', 'return x\r')
    t.run('', 'f()', '%save session.asy', '%save --doctest session.txt')
    folder = pathlib.Path(start.folder)
    assert (folder / 'session.asy').read_text() == 'x = 6 * 7\ndef f():\n    return x\nf()\n'
    assert (folder / 'session.txt').read_text() == '>>> x = 6 * 7\n>>> def f():\n...     return x\n...\n>>> f()\n42\n'


@point
def start_up_file(start):
    path = pathlib.Path(start.folder, 'start.asy')
    path.write_text('import asyncio\nanswer = await asyncio.sleep(0, 42)\n')
    t = start(ASYSTARTUP=str(path))
    t.run('answer')
    t.last('42', '>>> ')


@point
def tracebacks_show_what_was_typed(start):
    t = start()
    t.type('def divide(a):\r', 'return a / 0\r')
    t.run('', 'divide(1)')
    t.shows('    return a / 0\n           ~~^~~\nZeroDivisionError: division by zero')
    t.shows('Traceback (most recent call last):\n  File "<input-2>", line 1, in <module>\n    divide(1)')
    assert t.screen.style_of('ZeroDivisionError') == '1;35', 'tracebacks have colours'
    t.run('import inspect, traceback', 'print(inspect.getsource(divide))')
    t.last('def divide(a):', '    return a / 0', '', '>>> ')
    t.run('import asyncio', 'async def g(): divide(2)\x1b\r', 'await g()')
    t.shows('line 1, in <module>\n    await g()')
    t.hides('_repl')


@point
def context_variables_persist(start):
    t = start()
    t.run('import contextvars', 'v = contextvars.ContextVar("v", default=0)', 'token = v.set(1)', 'v.get()')
    t.last('1', '>>> ')
    t.run('import asyncio', 'await asyncio.sleep(0, v.set(2)) is None', 'v.get()')
    t.last('2', '>>> ')


@point
def input_works_in_a_statement(start):
    t = start()
    t.type('name = input("name: ")\r', wait=.1)
    t.send('somebody\r')
    t.prompt()
    t.run('name')
    t.last("'somebody'", '>>> ')


@point
def terminal_is_put_back(start):
    t = start()
    assert not t.flags() & termios.ICANON
    t.type('import os\r')
    t.send('os.kill(os.getpid(), 15)\r')
    assert t.gone() == -signal.SIGTERM
    t = start()
    flags = []
    t.signal(signal.SIGTERM)
    t.until(lambda: flags.append(t.flags()) or flags[-1] & termios.ICANON, 3)
    assert flags[-1] & termios.ICANON and flags[-1] & termios.ECHO
    assert t.gone() == -signal.SIGTERM and 2004 not in t.screen.modes


@point
def mends_a_terminal_left_raw(start):
    t = Session(['/bin/sh', '-c', 'stty raw -echo; exec "$0"', start().command], start.folder)
    try:
        t.type('import time; time.sleep(.5)\r', wait=.1)
        assert t.flags() & termios.ICANON and t.flags() & termios.ECHO
    finally:
        t.end()


@point
def breakpoint_stops_in_the_debugger(start):
    t = start()
    t.run('x = 41')
    t.type('breakpoint()\r')
    t.shows('(Pdb)')
    t.type('p x + 1\r')
    t.shows('42')
    t.run('c')
    t.run('1 + 1')
    t.last('2', '>>> ')


@point
def signature_of_the_session_module(start):
    t = start()
    t.run('__name__')
    t.last("'__main__'", '>>> ')
    t.run('import sys; sys.modules["__main__"].__dict__ is globals()')
    t.last('True', '>>> ')


@point
def prompt_soon_after_the_start(start):
    best = 1
    for _ in range(8):
        t = start()
        best = min(best, t.ready - t.started)
    # 8 ms on the idle machine: 10 is the aim, the rest is for what runs beside this test.
    assert best < (.03 if b'__asan' not in pathlib.Path(t.command).read_bytes() else 3), f'{best * 1e3:.1f} ms'


@point
def program_then_prompt(start):
    path = pathlib.Path(start.folder, 'program.asy')
    path.write_text('import asyncio\nvalue = 42\nprint(unknown)\n')
    t = start(options=('-i', str(path)))
    t.shows("NameError: name 'unknown' is not defined")
    t.run('value', '__name__')
    t.last('>>> value', '42', '>>> __name__', "'__main__'", '>>> ')


@point
def asyncio_is_there_as_module(start):
    t = start(options=('-m', 'asyncio'))
    t.run('await asyncio.sleep(0, 42)')
    t.last('asyncio REPL: use "await" directly instead of "asyncio.run()"', '>>> import asyncio', '>>> await asyncio.sleep(0, 42)',
           '42', '>>> ')


@point
def clears_the_screen_and_suspends(start):
    t = start()
    t.run('x = 1')
    t.type('y = (', '\r', '2', '\x0c')
    assert t.screen.text() == '>>> y = (\n...     2', t.screen.text()
    t.type('\x1a')   # the leader of its session cannot be stopped: the block is drawn again
    t.last('>>> y = (', '...     2')
    t.type(')')
    t.run('')
    t.run('y')
    t.last('2', '>>> ')


@point
def help_key_and_outside_editor(start):
    editor = pathlib.Path(start.folder, 'editor')
    editor.write_text('#!/bin/sh\necho "6 * 7" > "$1"\n')
    editor.chmod(0o700)
    t = start(EDITOR=str(editor))
    t.type('len', '\x1bOP')
    t.shows('Return the number of items in a container.')
    t.type('(')
    t.hides('Return the number')
    t.type('\x18\x05', wait=.3)
    t.last('>>> 6 * 7')
    t.run('')
    t.last('42', '>>> ')


@point
def quoted_characters_and_tabs(start):
    t = start()
    t.type('\t', '\x7f', 'x = "', '\x16\t', '"')
    t.run('')
    t.run('x')
    t.last("'\\t'", '>>> ')


# ---- Without a capable terminal

def _plain(t):
    t.run('1 + 1')
    t.shows('\n2\n')
    t.send('def f():\n')
    t.settle()
    t.send('    return 5\n')
    t.settle()
    t.run('', 'f()')
    t.shows('\n5\n')
    t.run('import asyncio', 'await asyncio.sleep(.01, "slept")')
    t.shows("'slept'")
    assert '\x1b' not in t.output, 'no sequences'
    t.send('\x04')
    assert t.gone() == 0


@point
def dumb_terminal(start):
    _plain(start(term='dumb'))


@point
def no_terminal_name(start):
    _plain(start(term=None))


@point
def basic_by_request(start):
    t = start(ASY_BASIC_REPL='1', NO_COLOR='1')
    _plain(t)


@point
def dumb_terminal_runs_tasks(start):
    t = start(term='dumb')
    t.run('import asyncio')
    t.run('async def tick(): await asyncio.sleep(.1); print("tick")\n', 't = asyncio.create_task(tick())')
    t.shows('tick')
    t.send('\x03')
    t.prompt()
    t.run('1 + 1')


@point
def dumb_terminal_interrupts(start):
    t = start(term='dumb')
    t.run('import asyncio')
    t.send('await asyncio.sleep(30)\n')
    time.sleep(.15)
    t.send('\x03')
    t.prompt()
    t.shows('KeyboardInterrupt')


@point
def transcripts_of_the_docs(start):
    page = pathlib.Path(__file__).parents[2] / 'docs/repl.md'
    for block in re.findall(r'^```pycon\n(.*?)^```$', page.read_text('utf-8'), re.M | re.S):
        t = start(ASY_BASIC_REPL='1', NO_COLOR='1', columns=150, rows=50)
        typed, shown = [], ['']
        for line in block.splitlines(keepends=True):
            if line.startswith(('>>> ', '...')):
                typed.append(line[4:].rstrip('\n'))
                shown.append('')
            else:
                shown[-1] += line
        at = len(t.output)
        for line, expected in zip(typed, shown[1:]):
            t.send(line + '\n')
            assert t.until(lambda: re.search(r'(?:^|\n)(?:>>>|\.\.\.) $', t.output[at + len(line):].replace('\r', ''))), line
            printed = t.output[at:].replace('\r', '').split('\n', 1)[1][:-4]
            at = len(t.output)
            pattern = '.*'.join(map(re.escape, expected.split('…')))
            assert re.fullmatch(pattern, printed), f'{line}\nexpected:\n{expected}printed:\n{printed}'
