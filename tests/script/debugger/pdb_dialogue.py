# Dialogues with the debugger, as its users have them: commands by standard input, what it answers.
import os
import subprocess
import sys
import tempfile

PROGRAM = '''\
import asyncio

def twice(n):
    """A docstring."""
    result = n * 2
    return result

def loop(limit):
    total = 0
    for i in range(limit):
        total += twice(i)
    return total

class Thing:
    def __init__(self, name):
        self.name = name

    def shout(self):
        if not self.name:
            raise ValueError('no name')
        return self.name.upper()

def numbers():
    yield 1
    yield 2

async def child(n):
    await asyncio.sleep(0)
    return n + 1

async def parent():
    return await child(1) + await child(2)

print(loop(3))
print(Thing('x').shout())
print(sum(numbers()))
print(asyncio.run(parent()))
Thing('').shout()
'''

DIALOGUES = {
    'steps': ['next', 's', 'b 9', 'c', 'args', 'n', 'n', 's', '', 'p n', 'u', 'p total', 'd', 'r', 'retval', 'n', 'l', 'until', 'until 12',
              'p total', '!total = 100', 'n', 'rv', 'q'],
    'breakpoints': ['b twice', 'tbreak 12', 'b 11, i == 2', 'b', 'c', 'p n', 'disable 1', 'c', 'p i', 'condition 3 i == 7', 'ignore 3 1',
                    'enable 1', 'c', 'b', 'clear 1 3', 'c', 'p total', 'b nothing', 'b 4', 'b 99', 'clear 9', 'condition 9', 'ignore', 'cl 3',
                    'tbreak 3x', 'c', 'q'],
    'values': ['b 5', 'c', 'p n', 'pp {"a": n}', 'whatis n', 'whatis twice', 'whatis Thing', 'whatis Thing.shout', 'display n * 10', 'c', 'display',
               'undisplay n * 10', 'c', 'll', 'source twice', 'a', 'n', 'result', 'zzz', 'n = 5', 'n', 'p [x * n for x in range(3)]', '1 +',
               'alias show p "%1", %2', 'show result result', 'alias', 'unalias show', 'show', '$x = 5', '$x + 1', 'p n;; p n + 1', 'interact', 'n', 'q'],
    'commands': ['b 11', 'commands', 'silent', 'p i', 'c', 'b 12', 'commands 2', 'p total', 'end', 'c', 'q'],
    'errors': ['c', 'p self.name', 'u', 'l', 'exceptions', 'd', 'll', 'q'],
    'jump': ['b 9', 'c', 'j 12', 'n', 'j 10', 'j 11', 'j 1', 'j 99', 'j x', 'q'],
    'generators': ['b 23', 'c', 'n', 'n', 'n', 'n', 'q'],
    'help': ['help nothing', 'n 5', 'u', 'until 0', 'until x', 'list 1, 3', 'list x', 'a', 'retval', 'commands 7', 'q'],
}

with tempfile.TemporaryDirectory() as folder:
    folder = os.path.realpath(folder)
    with open(os.path.join(folder, 'program.py'), 'w') as out:
        out.write(PROGRAM)
    for name, lines in DIALOGUES.items():
        print('==', name)
        done = subprocess.run([sys.executable, '-m', 'pdb', 'program.py'], input='\n'.join(lines) + '\n', text=True, cwd=folder,
                              env={**os.environ, 'HOME': folder}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
        print(done.stdout.replace(folder, 'FOLDER'))
        print(done.returncode)
    for options in (['-m', 'pdb', '-c', 'b loop', '-c', 'c', '-c', 'q', 'program.py'], ['-m', 'pdb', 'missing.py'],
                    ['-c', 'import program']):
        done = subprocess.run([sys.executable, *options], input='q\n', text=True, cwd=folder, env={**os.environ, 'HOME': folder},
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
        print('==', *options)
        print(done.stdout.replace(folder, 'FOLDER'), done.returncode)
