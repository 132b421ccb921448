#!/usr/bin/env python3
"""Compares our parser with CPython 3.13's: every file of its Lib, and tests/errors/syntax_cases.txt.

usage: parse_corpus.py DUMP [--python PYTHON] [--positions] [--errors-only] [--verbose] [FILE...]

DUMP is the program built from tests/tools/asy_parse_dump.c. Trees are compared as the text of ast.dump; a file that CPython
refuses has to be refused on the same line. Runs under any Python: it starts a 3.13 for the reference.
"""
import argparse, ast, os, shutil, subprocess, sys, tempfile, warnings

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "errors", "syntax_cases.txt")
PYTHONS = [os.environ.get("ASY_CPYTHON", ""), "/root/.pyenv/versions/3.13.0/bin/python3", "python3.13", sys.executable]


# Differences we know of, and why.
KNOWN = {
    "test/encoded_modules/module_koi8_r.py": "only UTF-8, Latin-1 and ASCII are decoded",
    "turtledemo/clock.py": "only UTF-8, Latin-1 and ASCII are decoded",
}


def find_python(wanted):
    for name in [wanted] if wanted else PYTHONS:
        path = name and shutil.which(name)
        if path and subprocess.run([path, "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 13))"], stderr=subprocess.DEVNULL).returncode == 0:
            return path
    return None


# --- Reference side, run by CPython 3.13 ------------------------------------------------------------------------------

def dump(node, positions):
    """ast.dump, faster, with ascii() in place of repr(), and without type_ignores."""
    if isinstance(node, ast.AST):
        parts = []
        for name in node._fields:
            value = getattr(node, name, None)
            if value is None and not (name == "value" and isinstance(node, (ast.Constant, ast.MatchSingleton))):
                continue
            if value == [] and isinstance(value, list):
                continue
            parts.append(f"{name}={dump(value, positions)}")
        if positions:
            parts += [f"{name}={getattr(node, name)}" for name in node._attributes]
        return f"{type(node).__name__}({', '.join(parts)})"
    if isinstance(node, list):
        return f"[{', '.join([dump(item, positions) for item in node])}]"
    return ascii(node)


def reference(path, positions):
    with open(path, "rb") as file:
        source = file.read()
    try:
        if path.endswith(".case"):    # an erroneous text: what is refused later than by the parser counts as well
            compile(source, path, "exec", dont_inherit=True)
        tree = ast.parse(source, path)
        return dump(tree, positions)
    except SyntaxError as error:
        message = error.msg
        return f"!{type(error).__name__} {error.lineno or 0} {error.offset or 0} {message}"
    except Exception as error:
        return f"!{type(error).__name__} 0 0 {error}"


def serve(positions):
    sys.setrecursionlimit(20000)
    sys.set_int_max_str_digits(0)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        sys.stdout.write(reference(line.rstrip("\n"), positions).replace("\n", "\\n") + "\n")
        sys.stdout.flush()


# --- Comparing --------------------------------------------------------------------------------------------------------

class Worker:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, errors="replace")

    def ask(self, path):
        self.process.stdin.write(path + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")


def workers(options, python, positions):
    ours = [options.dump] + (["-p"] if positions else []) + ["-"]
    theirs = [python, os.path.abspath(__file__), "--serve"] + (["--positions"] if positions else [])
    return Worker(ours), Worker(theirs)


def lib_of(python):
    return subprocess.check_output([python, "-c", "import os; print(os.path.dirname(os.__file__))"], text=True).strip()


def difference(a, b):
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return f"    asy:    ...{a[max(0, at - 60):at + 100]}\n    python: ...{b[max(0, at - 60):at + 100]}"


def compare_files(options, python, files):
    ours, theirs = workers(options, python, options.positions)
    good = refused = left_out = known = 0
    failed = []
    for path in files:
        a, b = ours.ask(path), theirs.ask(path)
        with open(path, "rb") as file:
            if b"\\N{" in file.read() and a.startswith("!") == b.startswith("!"):
                left_out += 1    # names of characters are not the parser's business: only accepted or refused is compared
                continue
        if a == b:
            good += 1
            refused += b.startswith("!")
        elif any(path.endswith(name) for name in KNOWN):
            known += 1
        elif b.startswith("!"):
            refused += 1
            if not a.startswith("!") or a.split(" ")[1] != b.split(" ")[1]:
                failed.append(path)
                print(f"{path}\n    asy:    {a[:200]}\n    python: {b[:200]}")
        else:
            failed.append(path)
            print(path + "\n" + (f"    asy: {a[:200]}" if a.startswith("!") else difference(a, b)))
    print(f"corpus: {len(files)} files, {good} the same, {refused} refused by CPython, {known} known differences, "
          f"{left_out} with \\N compared loosely, {len(failed)} wrong")
    return not failed


def read_cases():
    with open(CASES, encoding="utf-8") as file:
        blocks = file.read().split("\n---\n")
    return [block if block.endswith("\n") else block + "\n" for block in blocks]


def compare_errors(options, python):
    ours, theirs = workers(options, python, False)
    cases, same, lines = read_cases(), 0, 0
    for case in cases:
        with tempfile.NamedTemporaryFile("w", suffix=".case", delete=False, encoding="utf-8") as file:
            file.write(case)
        a, b = ours.ask(file.name), theirs.ask(file.name)
        os.unlink(file.name)
        if a == b:
            same += 1
        elif options.verbose:
            print(f"{case.rstrip()}\n    asy:    {a[:160]}\n    python: {b[:160]}")
        lines += a.split(" ")[:2] == b.split(" ")[:2] and a.startswith("!")
    print(f"errors: {len(cases)} cases, {same} with the same kind, place and message, {lines} with the same kind and line")
    return lines >= len(cases) * 0.95 and same >= len(cases) * 0.85


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dump", nargs="?")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--python")
    parser.add_argument("--positions", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--errors-only", action="store_true")
    parser.add_argument("--serve", action="store_true")
    options = parser.parse_intermixed_args()
    if options.serve:
        return serve(options.positions)
    python = find_python(options.python)
    if not python:
        print("skipped: no CPython 3.13 found")
        return
    if not options.dump or not os.path.exists(options.dump):
        print("skipped: no dump program (tests/tools/asy_parse_dump.c)")
        return
    good = True
    if not options.errors_only:
        files = options.files or sorted(os.path.join(folder, name) for folder, _, names in os.walk(lib_of(python))
                                        for name in names if name.endswith(".py"))
        good = compare_files(options, python, files)
    if not options.files:
        good = compare_errors(options, python) and good
    sys.exit(not good)


if __name__ == "__main__":
    main()
