"""A program that writes many records to a log file."""
import logging
import os
import sys
import tempfile
import time


def work(count):
    log = logging.getLogger('bench.worker')
    for i in range(count):
        log.info('item %d of %s', i, 'work')
        log.debug('not written %d', i)


count = int(sys.argv[1]) if len(sys.argv) > 1 else 60000
folder = tempfile.mkdtemp()
path = os.path.join(folder, 'bench.log')
logging.basicConfig(filename=path, level=logging.INFO, format='%(asctime)s %(name)s %(levelname)s %(filename)s:%(lineno)d %(message)s')
begin = time.perf_counter()
work(count)
seconds = time.perf_counter() - begin
logging.shutdown()
with open(path) as file:
    assert sum(1 for line in file) == count
os.remove(path)
os.rmdir(folder)
print('RESULT logging_file', seconds * 1e9 / count, 'ns/record')
