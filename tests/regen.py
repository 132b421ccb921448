#!/usr/bin/env python3
"""Make or compare the expected outputs of the script tests with CPython 3.13, the reference.

regen.py --check [FILE...]   says where CPython prints something else than the file beside the script; status 1 then
regen.py --write [FILE...]   writes what CPython prints

Without files: all of tests/script and samples. Scripts marked `# differs: why` are left out, their .out is written by hand.
A .err is only compared or rewritten where one stands beside the script. Needs a python3.13, found on the PATH, in pyenv
or in $PYTHON313; CI does not need this tool.
"""
import argparse
import concurrent.futures
import glob
import os
import pathlib
import shutil
import sys

import run

# Lets CPython import .asy modules as asy does, then runs the script as __main__.
REFERENCE = '''
import sys, importlib.machinery as machinery
loaders = [(machinery.SourceFileLoader, [".asy", ".py"]), (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES)]
sys.path_hooks.insert(0, machinery.FileFinder.path_hook(*loaders))
sys.path_importer_cache.clear()
sys.dont_write_bytecode = True
'''


def python313():
    candidates = [os.environ.get('PYTHON313'), shutil.which('python3.13'),
                  *sorted(glob.glob(os.path.expanduser('~/.pyenv/versions/3.13*/bin/python3')))]
    for candidate in filter(None, candidates):
        if os.access(candidate, os.X_OK) and 'shims' not in candidate:
            return candidate
    sys.exit('regen.py: no CPython 3.13 found; name one in $PYTHON313')


def needs_import_of_scripts(path):
    return any(path.parent.rglob('_*.asy')) or any(path.parent.rglob('__init__.asy'))


def reference_command(path, python):
    """How CPython runs a script: plainly, so that tracebacks are its own, unless the script imports .asy files."""
    if not needs_import_of_scripts(path):
        return [python, '-X', 'utf8']
    hook = f'{REFERENCE}import runpy; sys.argv.pop(0); sys.path[0] = {str(path.parent)!r}; ' \
           f'runpy.run_path(sys.argv[0], run_name="__main__")'
    return [python, '-X', 'utf8', '-c', hook]


def compare(path, options):
    """Run one script on CPython; returns what is wrong, after --write only what could not be written."""
    said = run.directives(path)
    options = argparse.Namespace(**{**vars(options), 'bin': reference_command(path, options.python)})
    result = run.run_script(path, options)
    wrong_program = (run.ROOT / 'tests/errors') in path.parents
    status = int(said.get('exit', 1 if wrong_program else 0))
    if result.status != status:
        return f'CPython: {run.status_text(result.status)}, expected {run.status_text(status)}\n{result.stderr}'
    wrong = []
    for suffix, text in (('.out', result.stdout), ('.err', result.stderr)):
        file = path.with_suffix(suffix)
        if suffix == '.err' and not file.exists():
            continue
        old = run.read(file) if file.exists() else ''
        if run.TIME.sub(r'\1_', old) == run.TIME.sub(r'\1_', text) and file.exists():
            continue
        if options.write:
            file.write_text(text, 'utf-8')
            print(f'wrote {run.relative(file)}')
        else:
            wrong.append(run.difference(old, text, file.name) or f'{file.name} is missing')
    return '\n'.join(wrong) or None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument('--check', action='store_true')
    action.add_argument('--write', action='store_true')
    parser.add_argument('files', nargs='*', type=pathlib.Path)
    options = parser.parse_args()
    options.python, options.env, options.timeout, options.outputs = python313(), [], 60, None
    files = [file.resolve() for file in options.files] or [
        *run.scripts(run.ROOT / 'tests/script', ('.asy', '.py')), *run.scripts(run.ROOT / 'samples')]
    files = [file for file in files if 'differs' not in run.directives(file)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wrong = [(file, text) for file, text in zip(files, pool.map(lambda file: compare(file, options), files)) if text]
    for file, text in wrong:
        print(f'--- {run.relative(file)}\n{text}')
    print(f'{len(files) - len(wrong)} agree with CPython, {len(wrong)} do not')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
