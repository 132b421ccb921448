"""The command line, case by case: cases.CASES maps names to functions that raise AssertionError.

Each function drives the real program: `asy(...)` runs it in a fresh folder and answers (status, stdout, stderr).
"""
import contextlib
import os
import pathlib
import pty
import re
import signal
import subprocess
import tempfile
import time

CASES = {}
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def case(function):
    CASES[function.__name__] = function
    return function


class Program:
    """asy in a folder of its own, without the variables that it reads."""

    def __init__(self, command, folder):
        self.command, self.folder = command, pathlib.Path(folder)
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(('ASY', 'PYTHON')) and name not in ('NO_COLOR', 'FORCE_COLOR')}

    def write(self, name, text, mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    def start(self, *arguments, env=(), **how):
        how = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE} | how
        return subprocess.Popen([*self.command, *arguments], cwd=self.folder, env=self.env | dict(env), **how)

    def __call__(self, *arguments, text=None, **how):
        if text is not None:
            how['stdin'] = subprocess.PIPE
        process = self.start(*arguments, **how)
        out, err = process.communicate(None if text is None else text.encode(), timeout=30)
        return process.returncode, (out or b'').decode('utf-8', 'surrogateescape'), (err or b'').decode('utf-8', 'surrogateescape')

    def terminal(self, *arguments, env=(), wait=0.0):
        """The same on a pseudo-terminal: what it shows, and the status."""
        pid, master = pty.fork()
        if not pid:
            os.chdir(self.folder)
            os.execvpe(self.command[0], [*self.command, *arguments], self.env | {'TERM': 'xterm-256color'} | dict(env))
        shown = b''
        with contextlib.suppress(OSError):
            while data := os.read(master, 65536):
                shown += data
        os.close(master)
        return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def check(name, command):
    """What is wrong with a case, or None: for tests/run.py."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            CASES[name](Program(command, os.path.realpath(folder)))
        except AssertionError as wrong:
            line = wrong.__traceback__.tb_next.tb_lineno
            return f'{pathlib.Path(__file__).name}:{line}: {wrong}'
    return None


def same(got, expected):
    assert got == expected, f'expected {expected!r}\n     got {got!r}'


# --- What is run ------------------------------------------------------------------------------------------------------

@case
def file_and_arguments(asy):
    asy.write('a.asy', 'import sys; print(sys.argv, __name__, __file__)')
    same(asy('a.asy', '-c', '--help', 'é'), (0, f"['a.asy', '-c', '--help', 'é'] __main__ {asy.folder}/a.asy\n", ''))


@case
def text(asy):
    same(asy('-c', 'import sys; print(sys.argv)', '-x', 'y'), (0, "['-c', '-x', 'y']\n", ''))
    same(asy('-cprint(1)'), (0, '1\n', ''))


@case
def text_missing(asy):
    same(asy('-c'), (2, '', 'asy: an argument is missing: -c TEXT. All options: asy --help\n'))


@case
def module(asy):
    asy.write('tool.asy', 'import sys; print(sys.argv, __name__, __spec__.name)')
    same(asy('-m', 'tool', '-v'), (0, f"['{asy.folder}/tool.asy', '-v'] __main__ tool\n", ''))


@case
def module_of_package(asy):
    asy.write('pack/__init__.asy', 'value = 3')
    asy.write('pack/__main__.asy', 'from . import value; print(value, __package__)')
    asy.write('pack/sub.asy', 'print(__name__, __package__)')
    same(asy('-m', 'pack'), (0, '3 pack\n', ''))
    same(asy('-m', 'pack.sub'), (0, '__main__ pack\n', ''))


@case
def module_missing(asy):
    same(asy('-m', 'no_such'), (1, '', 'asy: No module named no_such\n'))
    asy.write('bare/__init__.asy', '')
    same(asy('-m', 'bare'), (1, '', "asy: No module named bare.__main__; 'bare' is a package and cannot be directly executed\n"))


@case
def asyncio_prompt(asy):
    status, out, err = asy('-m', 'asyncio', text='async def f():\n    return await asyncio.sleep(0, 7)\n\nawait f()\n1/0\nexit(4)\nprint(5)\n')
    same((status, out.split('\n', 1)[1]), (4, 'asyncio REPL: use "await" directly instead of "asyncio.run()"\n'
                                           '>>> import asyncio\n>>> ... ... >>> 7\n>>> >>> '))
    assert err.endswith('ZeroDivisionError: division by zero\n'), err
    same(asy('-q', '-m', 'asyncio', text='await asyncio.sleep(0, 8)'), (0, '>>> 8\n>>> ', ''))


@case
def module_awaits(asy):
    asy.write('later.asy', 'import asyncio\nprint(await asyncio.sleep(0, "slept"))')
    same(asy('-m', 'later'), (0, 'slept\n', ''))


@case
def standard_input(asy):
    same(asy(text='import sys; print(sys.argv)'), (0, "['']\n", ''))
    same(asy('-', 'a', text='import sys; print(sys.argv)'), (0, "['-', 'a']\n", ''))


@case
def standard_input_error(asy):
    status, out, err = asy(text='x = 1\nprint(y)\n')
    same((status, out), (1, ''))
    same(err, 'Traceback (most recent call last):\n  File "<stdin>", line 2, in <module>\n    print(y)\n          ^\n'
              "NameError: name 'y' is not defined\n")


@case
def folder(asy):
    asy.write('app/__main__.asy', 'import sys, helper; print(sys.argv, helper.value, __package__ == "")')
    asy.write('app/helper.asy', 'value = 5')
    same(asy('app', 'x'), (0, "['app', 'x'] 5 True\n", ''))


@case
def folder_without_main(asy):
    (asy.folder / 'empty').mkdir()
    same(asy('empty'), (1, '', "asy: can't find '__main__' module in 'empty'\n"))


@case
def archive(asy):
    import zipfile
    with zipfile.ZipFile(asy.folder / 'app.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('__main__.asy', 'import sys, part.inner; print(sys.argv, part.inner.value)')
        archive.writestr('part/__init__.asy', '')
        archive.writestr('part/inner.asy', 'value = "zipped"')
    same(asy('app.zip', '1'), (0, "['app.zip', '1'] zipped\n", ''))


@case
def shebang(asy):
    path = asy.write('tool', f'#!{asy.command[0]}\nimport sys\nprint("ran", sys.argv[1:])\n', 0o755)
    done = subprocess.run([path, 'a'], env=asy.env, capture_output=True, text=True, timeout=30)
    same((done.returncode, done.stdout, done.stderr), (0, "ran ['a']\n", ''))


@case
def file_missing(asy):
    same(asy('none.asy'), (2, '', f"asy: can't open file '{asy.folder}/none.asy': [Errno 2] No such file or directory\n"))


@case
def end_of_options(asy):
    asy.write('-odd.asy', 'print("odd")')
    same(asy('--', '-odd.asy'), (0, 'odd\n', ''))


@case
def path_of_script(asy):
    asy.write('lib/a.asy', 'import b, sys; print(b.value, sys.path[0])')
    asy.write('lib/b.asy', 'value = 7')
    same(asy('lib/a.asy'), (0, f'7 {asy.folder}/lib\n', ''))


# --- Top-level await --------------------------------------------------------------------------------------------------

@case
def await_in_file(asy):
    asy.write('a.asy', 'import asyncio\nasync def f(): return 4\nprint(await f())\n'
                       'async with asyncio.timeout(1): print("in time")\nprint([x async for x in g()] if 0 else __name__)\n')
    same(asy('a.asy'), (0, '4\nin time\n__main__\n', ''))


@case
def await_in_text(asy):
    same(asy('-c', 'import asyncio; print(await asyncio.sleep(0, 1))'), (0, '1\n', ''))


@case
def await_in_input(asy):
    same(asy(text='import asyncio; print(await asyncio.sleep(0, 1))'), (0, '1\n', ''))


@case
def await_not_in_python_files(asy):
    asy.write('a.py', 'import asyncio\nawait asyncio.sleep(0)\n')
    status, out, err = asy('a.py')
    same((status, out, err.splitlines()[-2]), (1, '', "SyntaxError: 'await' outside function"))


@case
def await_not_in_imported_files(asy):
    asy.write('m.asy', 'import asyncio\nawait asyncio.sleep(0)\n')
    assert "SyntaxError: 'await' outside function" in asy('-c', 'import m')[2]


# --- Options ----------------------------------------------------------------------------------------------------------

@case
def help(asy):
    status, out, err = asy('--help')
    same((status, err), (0, ''))
    assert out.startswith('usage: asy') and len(out.splitlines()) < 60 and max(map(len, out.splitlines())) <= 100, out
    same(asy('-h'), (status, out, err))


@case
def version(asy):
    same(asy('--version')[1], asy('-V')[1])
    assert re.fullmatch(r'asy \d+\.\d+\.\d+\n', asy('-V')[1])
    assert re.fullmatch(r'asy \S+ \(Python 3\.13; libuv .*\)\n', asy('-VV')[1])


@case
def unknown_option(asy):
    same(asy('--virtual-tme', 'x'), (2, '', "asy: unknown option '--virtual-tme'. Did you mean '--virtual-time'? "
                                            "All options: asy --help\n"))
    same(asy('-versio')[2], "asy: unknown option '-versio'. Did you mean '--version'? All options: asy --help\n")
    same(asy('-Z'), (2, '', "asy: unknown option '-Z'. All options: asy --help\n"))
    same(asy('--stats=1'), (2, '', 'asy: --stats takes no argument. All options: asy --help\n'))


@case
def letters_together(asy):
    same(asy('-OIc', 'import sys; print(sys.flags.optimize, sys.flags.isolated)'), (0, '1 1\n', ''))


@case
def no_asserts(asy):
    same(asy('-O', '-c', 'assert 0; print(__debug__)'), (0, 'False\n', ''))
    asy.write('m.asy', 'assert 0')
    same(asy('-OO', '-c', 'import m, sys; exec("assert 0"); print(sys.flags.optimize)'), (0, '2\n', ''))


@case
def unbuffered(asy):
    process = asy.start('-u', '-c', 'import time; print("a", end=""); time.sleep(20)')
    same(os.read(process.stdout.fileno(), 10), b'a')
    process.kill()
    process.communicate()


@case
def warning_filters(asy):
    text = 'import warnings; warnings.warn("careful")'
    same(asy('-W', 'ignore', '-c', text), (0, '', ''))
    same(asy('-Werror', '-c', text)[0], 1)
    same(asy('-c', text, env={'ASYWARNINGS': 'ignore'}), (0, '', ''))
    same(asy('-E', '-c', text, env={'ASYWARNINGS': 'ignore'})[2], '<string>:1: UserWarning: careful\n  ' + text + '\n')
    same(asy('-Wa', '-Wb', '-c', 'import sys; print(sys.warnoptions)', env={'ASYWARNINGS': 'c,d'})[1], "['c', 'd', 'a', 'b']\n")


@case
def x_options(asy):
    same(asy('-X', 'utf8', '-Xname=value', '-c', 'import sys; print(sys._xoptions)')[1], "{'utf8': True, 'name': 'value'}\n")
    same(asy('-X', 'dev', '-c', 'import sys; print(sys.flags.dev_mode, sys.warnoptions)')[1], "True ['default']\n")
    same(asy('-X', 'int_max_str_digits=700', '-c', 'print(len(str(10**698)))')[1], '699\n')
    same(asy('-X', 'int_max_str_digits=700', '-c', 'str(10**701)')[0], 1)


@case
def import_times(asy):
    lines = asy('-X', 'importtime', '-c', 'import json')[2].splitlines()
    same(lines[0], 'import time: self [us] | cumulative | imported package')
    assert re.fullmatch(r'import time: +\d+ \| +\d+ \| json', lines[-1]), lines[-1]


@case
def verbose(asy):
    asy.write('m.asy', '')
    same(asy('-v', '-c', 'import m')[2], f"import 'm' # {asy.folder}/m.asy\n")


@case
def isolated(asy):
    asy.write('m.asy', 'print("found")')
    asy.write('s.asy', 'import m')
    same(asy('-c', 'import m'), (0, 'found\n', ''))
    same(asy('-I', '-c', 'import m')[0], 1)
    same(asy('-P', 's.asy')[0], 1)
    same(asy('-c', 'import sys; print("there" in sys.path)', env={'ASYPATH': 'there'})[1], 'True\n')
    same(asy('-E', '-c', 'import sys; print("there" in sys.path)', env={'ASYPATH': 'there'})[1], 'False\n')


@case
def accepted(asy):
    same(asy('-s', '-S', '-B', '-b', '-d', '-q', '-c', 'import sys; print(sys.flags.no_site, sys.flags.quiet)'), (0, '1 1\n', ''))


@case
def path_variable(asy):
    asy.write('one/m1.asy', 'value = 1')
    asy.write('two/m2.asy', 'value = 2')
    same(asy('-c', 'import m1, m2; print(m1.value, m2.value)', env={'ASYPATH': 'one:two'})[1], '1 2\n')


@case
def hash_seed(asy):
    one, two = (asy('-c', 'print(hash("text"))', env={'ASYHASHSEED': '7'})[1] for _ in range(2))
    same(one, two)
    assert one != asy('-c', 'print(hash("text"))', env={'ASYHASHSEED': '8'})[1]


@case
def virtual_time(asy):
    start = time.monotonic()
    same(asy('--virtual-time', '-c', 'import asyncio; await asyncio.sleep(3600); print("slept")'), (0, 'slept\n', ''))
    assert time.monotonic() - start < 20


@case
def seed(asy):
    text = ('import asyncio, random\nasync def f(n): print(n, end=" ")\n'
            'async with asyncio.TaskGroup() as g:\n  for n in range(8): g.create_task(f(n))\nprint(random.random())')
    same(asy('--seed', '3', '-c', text), asy('--seed=3', '-c', text))
    assert asy('--seed', '3', '-c', text) != asy('--seed', '4', '-c', text)
    same(asy('--seed', 'x'), (2, '', "asy: --seed needs a number, not 'x'. All options: asy --help\n"))


@case
def strict_async(asy):
    text = 'async def f(): pass\nf()\n'
    same(asy('-c', text)[0], 0)
    same(asy('--strict-async', '-c', text)[0], 1)


@case
def watchdog(asy):
    text = 'import asyncio, time\nawait asyncio.sleep(0)\ntime.sleep(0.4)'
    err = asy('--watchdog', '50', '-c', text)[2].splitlines()
    same(err, ['asy: Task-1 holds the loop for more than 50 ms', '  File "<string>", line 3, in <module>', '    time.sleep(0.4)',
               'hint: `await asyncio.sleep(..)` lets the other tasks run meanwhile'])
    same(asy('--watchdog', '0', '-c', text)[2], '')
    same(asy('-c', text, env={'ASY_WATCHDOG': '0'})[2], '')


@case
def stats(asy):
    status, out, err = asy('--stats', '-c', 'import asyncio; await asyncio.sleep(0); print("done")')
    same((status, out), (0, 'done\n'))
    assert re.match(r'tasks: \d+\nmemory: ', err) and 'collections:' in err and 'pauses:' in err, err


@case
def listings(asy):
    asy.write('a.asy', 'x = 1\n')
    assert 'LOAD_I' in asy('--dis', 'a.asy')[1]
    assert 'Module' in asy('--ast', 'a.asy')[1]
    same(asy('--dis', 'none.asy')[0], 2)
    asy.write('bad.asy', 'x = = 1\n')
    same(asy('--dis', 'bad.asy')[0], 1)


@case
def inspect(asy):
    asy.write('a.asy', 'x = 41\n')
    status, out, err = asy('-i', 'a.asy', text='print(x + 1)\n')
    same(status, 0)
    assert '42' in out, (out, err)


@case
def completions(asy):
    for shell, words in {'bash': ['complete -o default -F _asy asy', '--virtual-time'], 'zsh': ['#compdef asy', '--seed=['],
                         'fish': ['complete -c asy -l strict-async', '-s W']}.items():
        status, out, err = asy('--completions', shell)
        same((status, err), (0, ''))
        assert all(word in out for word in words), out
    same(asy('--completions', 'tcsh'), (2, '', "asy: no completions for 'tcsh'; there are some for bash, zsh and fish\n"))


@case
def bash_completions_work(asy):
    (asy.folder / 'asy.bash').write_text(asy('--completions', 'bash')[1])
    ask = '. ./asy.bash; COMP_WORDS=(asy {}); COMP_CWORD={}; _asy; echo "${{COMPREPLY[*]}}"'
    for words, expected in {'--vir': '--virtual-time', '--str': '--strict-async', '--completions z': 'zsh', '-W er': 'error'}.items():
        done = subprocess.run(['bash', '-c', ask.format(words, len(words.split()))], cwd=asy.folder, capture_output=True, text=True)
        same((done.stdout, done.stderr), (f'{expected}\n', ''))


@case
def man_page(asy):
    done = subprocess.run([os.sys.executable, ROOT / 'docs/man.py', *asy.command], capture_output=True, text=True)
    same(done.stdout, (ROOT / 'docs/asy.1').read_text())


# --- Exit status ------------------------------------------------------------------------------------------------------

@case
def status_of_exit(asy):
    for text, status, err in [('', 0, ''), ('3', 3, ''), ('True', 1, ''), ('None', 0, ''), ('-1', 255, ''), ('300', 44, ''),
                              ('2**70', 255, ''), ('"why"', 1, 'why\n'), ('1.5', 1, '1.5\n'), ('[1]', 1, '[1]\n')]:
        same((text, asy('-c', f'import sys; sys.exit({text})')), (text, (status, '', err)))


@case
def status_of_exception(asy):
    same(asy('-c', '1/0')[0], 1)
    same(asy('-c', 'x = = 1')[0], 1)
    same(asy('-c', 'raise SystemExit(7)')[0], 7)
    same(asy('-c', 'import os; os._exit(9)')[0], 9)


@case
def status_of_exit_in_task(asy):
    same(asy('-c', 'import asyncio, sys\nasync def main(): sys.exit(5)\nasyncio.run(main())'), (5, '', ''))


@case
def status_of_deadlock(asy):
    status, out, err = asy('-c', 'import asyncio; await asyncio.Event().wait()')
    same((status, out, err.splitlines()[0]), (13, '', 'asy: deadlock: nothing that could go on is left'))


@case
def output_lost(asy):
    with open('/dev/full', 'wb') as full:
        status, _, err = asy('-c', 'print("x")', stdout=full)
    same(status, 120)
    assert err.endswith('OSError: [Errno 28] No space left on device\n') and err.startswith('Exception ignored in: '), err


@case
def closed_pipe(asy):
    for text in ['for i in range(100000): print(i)', 'print("x", flush=True); print("y")']:
        reading, writing = os.pipe()
        process = asy.start('-c', f'import time; time.sleep(0.1)\n{text}', stdout=writing)
        os.close(writing), os.close(reading)
        same((process.communicate(timeout=30)[1], process.returncode), (b'', -signal.SIGPIPE))


@case
def closed_output(asy):
    done = subprocess.run(['sh', '-c', 'exec "$@" >&-', 'sh', *asy.command, '-c', 'import sys; print(1); sys.exit(sys.stdout is None)'],
                          capture_output=True, env=asy.env, timeout=30)
    same((done.returncode, done.stderr), (1, b''))


def interrupted(asy, text, ready=b'ready\n'):
    process = asy.start('-c', text, start_new_session=True)
    same(os.read(process.stdout.fileno(), 100), ready)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    return process.returncode, err.decode().splitlines()[-1:]


@case
def interrupt(asy):
    same(interrupted(asy, 'print("ready", flush=True)\nwhile True: pass'), (-signal.SIGINT, ['KeyboardInterrupt']))
    same(interrupted(asy, 'import time; print("ready", flush=True); time.sleep(20)'), (-signal.SIGINT, ['KeyboardInterrupt']))


@case
def interrupt_of_tasks(asy):
    same(interrupted(asy, 'import asyncio; print("ready", flush=True); await asyncio.sleep(20)'), (-signal.SIGINT, ['KeyboardInterrupt']))


@case
def interrupt_caught(asy):
    same(interrupted(asy, 'import time, sys\ntry:\n  print("ready", flush=True); time.sleep(20)\n'
                          'except KeyboardInterrupt: sys.exit(4)'), (4, []))


@case
def terminated(asy):
    process = asy.start('-c', 'import time; print("ready", flush=True); time.sleep(20)')
    os.read(process.stdout.fileno(), 100)
    process.terminate()
    process.communicate(timeout=30)
    same(process.returncode, -signal.SIGTERM)


# --- Text and colours -------------------------------------------------------------------------------------------------

@case
def utf8_always(asy):
    same(asy('-c', 'import sys; print("é家", sys.argv[1], ascii(sys.argv[2]), sys.stdout.encoding)', '家', b'\xff',
             env={'LC_ALL': 'C', 'LANG': 'C'})[1], "é家 家 '\\udcff' utf-8\n")


COLORED = ('Traceback (most recent call last):\r\n'
           '  File \x1b[35m"<string>"\x1b[0m, line \x1b[35m1\x1b[0m, in \x1b[35m<module>\x1b[0m\r\n'
           '    \x1b[31m1 \x1b[0m\x1b[1;31m/\x1b[0m\x1b[31m 0\x1b[0m\r\n'
           '    \x1b[31m~~\x1b[0m\x1b[1;31m^\x1b[0m\x1b[31m~~\x1b[0m\r\n'
           '\x1b[1;35mZeroDivisionError\x1b[0m: \x1b[35mdivision by zero\x1b[0m\r\n')


@case
def colored_on_terminals(asy):
    same(asy.terminal('-c', '1 / 0'), (COLORED, 1))


@case
def colored_syntax_error(asy):
    same(asy.terminal('-c', 'x = (1 2)')[0],
         '  File \x1b[35m"<string>"\x1b[0m, line \x1b[35m1\x1b[0m\r\n    x = (\x1b[1;31m1 2\x1b[0m)\r\n         \x1b[1;31m^^^\x1b[0m\r\n'
         '\x1b[1;35mSyntaxError\x1b[0m: \x1b[35minvalid syntax. Perhaps you forgot a comma?\x1b[0m\r\n')


@case
def colors_by_variables(asy):
    for env, colored in [({'NO_COLOR': '1'}, False), ({'TERM': 'dumb'}, False), ({'ASY_COLORS': '0'}, False),
                         ({'NO_COLOR': '1', 'ASY_COLORS': '1'}, True), ({'TERM': 'dumb', 'FORCE_COLOR': '1'}, True)]:
        same((env, '\x1b[' in asy.terminal('-c', '1 / 0', env=env)[0]), (env, colored))
    same(asy.terminal('-E', '-c', '1 / 0', env={'NO_COLOR': '1'})[0], COLORED)


@case
def no_colors_in_files(asy):
    assert '\x1b' not in asy('-c', '1 / 0')[2]
    same(asy('-c', '1 / 0', env={'FORCE_COLOR': '1'})[2], COLORED.replace('\r', ''))


@case
def prompt_only_on_terminals(asy):
    same(asy(text=''), (0, '', ''))
