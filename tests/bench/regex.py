# Ten patterns over a megabyte of text: a log, prose with accents, and names that need sixteen bits a character.
import re
import time

LOG = ''.join([f'2026-11-{i % 28 + 1:02} 12:{i % 60:02}:07 host{i % 7} GET /a/b{i}/index.html?id={i * 7} "ok" user{i % 50}@example.org {i % 900}ms\n'
               for i in range(10_000)])
PROSE = ('The quick brown fox jumps over the lazy dog; « déjà vu », dit-il, and ran away from 42 angry bears. ' * 10_300)[:1_000_000]
WIDE = ('Съешь же ещё этих мягких французских булок, да выпей чаю № 7. ' * 16_000)[:1_000_000]

CASES = [
    ('literal', lambda: len(re.findall('angry bears', PROSE))),
    ('words', lambda: len(re.findall(r'\w+', PROSE))),
    ('words_wide', lambda: len(re.findall(r'\w+', WIDE))),
    ('alternation', lambda: len(re.findall(r'fox|dog|bear|cat', PROSE))),
    ('ignorecase', lambda: len(re.findall(r'the\s+\w+', PROSE, re.I))),
    ('groups', lambda: len(re.findall(r'(\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+)', LOG))),
    ('lines', lambda: sum([1 for m in re.finditer(r'^(\S+) (\S+) (\w+) GET (\S+) "([^"]*)" (.*)$', LOG, re.M)])),
    ('mail', lambda: len(re.findall(r'[\w.+-]+@[\w-]+\.[\w.-]+', LOG))),
    ('sub', lambda: len(re.sub(r'(\w+)@(\w+)\.org', r'\2 at \1', LOG))),
    ('split', lambda: len(re.split(r'[\s,;.]+', PROSE))),
]

for name, function in CASES:
    function()
    best = 1e9
    for _ in range(3):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    print('RESULT', 're_' + name, best * 1e3, 'ms')
