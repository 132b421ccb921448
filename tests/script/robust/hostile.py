# differs: CPython itself dies of some of these
# slow: thousands of cases
# timeout: 60
# A fixed selection of the hostile callbacks of tests/fuzz/evil_cases.py; ./dev fuzz evil runs all of them.
import io, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../fuzz'))
import evil_cases

out, sys.stdout, sys.stderr = sys.stdout, io.StringIO(), io.StringIO()   # what is reported when depends on addresses and time
evil_cases.main(['every', '97'])
print('end', file=out)
