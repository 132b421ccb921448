# pytest: fixtures, parameters, rewritten assertions, expected exceptions.
import contextlib
import io
import os
import pathlib
import re
import tempfile

import pytest

for name in 'CI', 'BUILD_NUMBER':     # pytest says more on such machines
    os.environ.pop(name, None)
TESTS = '''
import pytest

@pytest.fixture
def five():
    yield 5

def test_fixture(five):
    assert five == 5

@pytest.mark.parametrize('a,b', [(1, 1), (1, 2)])
def test_parameters(a, b):
    assert a == b, 'msg'

def test_raises():
    with pytest.raises(ValueError, match='x'):
        raise ValueError('xyz')

def test_lists():
    assert [1, 2, 3] == [1, 2, 4]

def test_captured(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv('NAME', 'value')
    print('out')
    assert capsys.readouterr().out == 'out\\n'
    (tmp_path / 'file').write_text('text')

@pytest.mark.skip(reason='not now')
def test_skipped():
    pass
'''
with tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, 'test_some.py').write_text(TESTS)
    os.chdir(folder)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = pytest.main(['-q', '-p', 'no:cacheprovider', '-p', 'no:anyio', '-p', 'no:warnings', '--tb=short', folder])
    os.chdir('/')
print(re.sub(r' in [\d.]+s', '', out.getvalue()), status)
