# slow: hundreds of cases
# A fixed selection of the cases of tests/fuzz/cases; ./dev fuzz json (csv, struct ...) makes more. Lines are target, case, checksum of the answer:
# `python3 tests/fuzz/cases/run.py TARGET CASE 1 show` says what case and answer are.
import os
import sys
import warnings
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../fuzz/cases'))
import run

warnings.simplefilter('ignore')
for target in 'base64', 'codecs', 'csv', 'io', 'json', 'pickle', 'struct', 'tomllib', 'urllib', 'zlib':
    for number, case in run.cases(target, 0, 60):
        print(target, number, f'{zlib.crc32(run.result(case).encode()):08x}')
