"""A program on a pseudo-terminal, and a small model of the terminal that shows what it writes.

The model knows what line editors use of ECMA-48: motion (CUU CUD CUF CUB CHA CUP), erasing (ED EL), SGR, and private modes, which
are noted by number. A character takes 0, 1 or 2 cells; the cell behind a wide one holds ''.
"""
import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
import unicodedata

SEQUENCE = re.compile(r'\x1b\[([?>]?)([\d;]*)([@-~])|\x1b[()][\w]|\x1b[=>78M]|\x1b\]\d*;[^\x07\x1b]*(?:\x07|\x1b\\)')


def columns_of(char):
    if unicodedata.combining(char) or unicodedata.category(char) in ('Mn', 'Me', 'Cf'):
        return 0
    return 2 if unicodedata.east_asian_width(char) in 'WF' else 1


class Screen:
    """Cells of (characters, SGR), the cursor, and what has scrolled off the top."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.lines = [self._blank() for _ in range(rows)]
        self.gone = []
        self.row = self.column = 0
        self.style = ''
        self.modes = set()
        self.rest = ''

    def _blank(self):
        return [(' ', '')] * self.columns

    def feed(self, text):
        text = self.rest + text
        self.rest = ''
        at = 0
        while at < len(text):
            c = text[at]
            if c == '\x1b':
                found = SEQUENCE.match(text, at)
                if not found:
                    self.rest = text[at:]
                    return
                at = found.end()
                if found[3]:
                    self._control(found[1], [int(n or 0) for n in found[2].split(';')], found[3])
                continue
            at += 1
            if c == '\r':
                self.column = 0
            elif c == '\n':
                self._line_feed()
            elif c == '\b':
                self.column = max(0, self.column - 1)
            elif c >= ' ':
                self._put(c)

    def _line_feed(self):
        if self.row + 1 < self.rows:
            self.row += 1
        else:
            self.gone.append(self.lines.pop(0))
            self.lines.append(self._blank())

    def _put(self, c):
        width = columns_of(c)
        line = self.lines[self.row]
        if not width:
            before = max(0, self.column - 1)
            while before and line[before][0] == '':
                before -= 1
            line[before] = (line[before][0] + c, line[before][1])
            return
        if self.column + width > self.columns:
            self.column = 0
            self._line_feed()
            line = self.lines[self.row]
        line[self.column] = (c, self.style)
        if width == 2:
            line[self.column + 1] = ('', self.style)
        self.column += width

    def _control(self, private, numbers, final):
        n = numbers[0] or 1
        if private:
            for number in numbers:
                (self.modes.add if final == 'h' else self.modes.discard)(number)
        elif final == 'A':
            self.row = max(0, self.row - n)
        elif final == 'B':
            self.row = min(self.rows - 1, self.row + n)
        elif final == 'C':
            self.column = min(self.columns - 1, self.column + n)
        elif final == 'D':
            self.column = max(0, self.column - n)
        elif final == 'G':
            self.column = min(self.columns - 1, n - 1)
        elif final == 'H':
            self.row, self.column = min(self.rows, n) - 1, min(self.columns, (numbers + [1])[1] or 1) - 1
        elif final == 'K':
            start, end = [(self.column, self.columns), (0, self.column + 1), (0, self.columns)][numbers[0]]
            self.lines[self.row][start:end] = [(' ', '')] * (end - start)
        elif final == 'J':
            if numbers[0] == 2:
                self.lines = [self._blank() for _ in range(self.rows)]
            else:
                self.lines[self.row][self.column:] = [(' ', '')] * (self.columns - self.column)
                self.lines[self.row + 1:] = [self._blank() for _ in range(self.rows - self.row - 1)]
        elif final == 'm':
            self.style = ';'.join(map(str, filter(None, numbers)))

    def resize(self, columns, rows):
        """Rows are cut or filled, not wrapped anew."""
        fitted = [(line + [(' ', '')] * columns)[:columns] for line in self.lines]
        while len(fitted) > rows and self.row + 1 < len(fitted):
            fitted.pop()
        drop = max(0, len(fitted) - rows)
        self.columns, self.rows = columns, rows
        self.lines = fitted[drop:] + [self._blank() for _ in range(rows - len(fitted))]
        self.row -= drop
        self.column = min(self.column, columns - 1)

    def text(self):
        """The rows down to the last that is not empty."""
        rows = [''.join(cell for cell, _ in line).rstrip() for line in self.lines]
        while rows and not rows[-1]:
            rows.pop()
        return '\n'.join(rows)

    def style_of(self, word):
        """The SGR of the last place where word stands."""
        for line in reversed(self.lines):
            at = ''.join(cell or '\0' for cell, _ in line).rfind(word)
            if at >= 0:
                return line[at][1]
        return None


class Program:
    """A child with a terminal of its own."""

    def __init__(self, command, environment, columns=80, rows=24, folder=None):
        self.screen = Screen(columns, rows)
        self.output = ''
        self.status = None
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if not self.pid:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
                os.chdir(folder or '/')
                os.execve(command[0], command, environment)
            finally:
                os._exit(127)
        self._bytes = b''

    def read(self, seconds):
        """What comes within some time goes to the screen; False: nothing did."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b''
        if not data:
            if self.status is None:
                self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            return False
        self._bytes += data
        try:
            text, self._bytes = self._bytes.decode(), b''
        except UnicodeDecodeError as error:
            text, self._bytes = self._bytes[:error.start].decode(), self._bytes[error.start:]
        self.output += text
        self.screen.feed(text)
        return True

    def until(self, condition, seconds=10):
        """Read until the condition holds; False: it does not in that time."""
        limit = time.monotonic() + seconds
        while not condition():
            left = limit - time.monotonic()
            if left <= 0 or self.status is not None:
                return condition()
            self.read(min(left, .2))
        return True

    def settle(self, seconds=.05):
        """Read until nothing more comes."""
        while self.read(seconds):
            pass

    def send(self, text):
        data = text.encode()
        while data:
            select.select([self.fd], [self.fd], [], 5)
            self.read(0)
            try:
                data = data[os.write(self.fd, data[:1024]):]
            except BlockingIOError:
                pass

    def resize(self, columns, rows):
        self.screen.resize(columns, rows)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def signal(self, number):
        os.kill(self.pid, number)

    def flags(self):
        """The local flags of its terminal."""
        return termios.tcgetattr(self.fd)[3]

    def end(self):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        os.close(self.fd)
