"""base64 and binascii: encoded data, damaged, with every option of the readers; data for the writers."""
import base64
import binascii
import quopri

from tools import damaged, data, options, small

PIECES = [b'=', b'==', b'====', b'\n', b' ', b'\r\n', b'\0', b'A', b'z', b'~', b'-', b'_', b'+', b'/', b'\x80', b'\xff', b'M', b'`', b'!', b'0', b'1', b'O', b'8', b'<~', b'~>', b'y', b'!!!!!', b's8W-"', b'=\n', b'=3D']
WRITERS = [base64.b64encode, base64.urlsafe_b64encode, base64.b32encode, base64.b32hexencode, base64.b16encode, base64.a85encode, base64.b85encode, base64.z85encode, base64.encodebytes, binascii.hexlify,
           binascii.b2a_base64, quopri.encodestring]


def encoded(r):
    return damaged(r, r.choice(WRITERS)(data(r, 30)), PIECES)


def argument(r):
    """Mostly bytes; sometimes what readers take besides or refuse."""
    good = encoded(r)
    if r.random() < 0.8: return good
    return r.choice([good.decode('latin-1'), bytearray(good), memoryview(good), None, 5, 'h\xe9', [1]])


def read_64(r): return base64.b64decode, argument(r), options(r, altchars=[b'-_', '-_', b'ab', b'a', None, 'é_'], validate=[True, False])
def read_url(r): return r.choice([base64.urlsafe_b64decode, base64.standard_b64decode, base64.decodebytes, base64.b85decode, base64.z85decode]), argument(r)
def read_32(r): return base64.b32decode, argument(r), options(r, casefold=[True, False], map01=[b'L', b'I', 'L', None, 'LI'])
def read_32hex(r): return r.choice([base64.b32hexdecode, base64.b16decode]), argument(r), options(r, casefold=[True, False])
def read_85(r): return base64.a85decode, argument(r), options(r, foldspaces=[True], adobe=[True, False], ignorechars=[b'', b' \n', b'x'])
def read_own(r, write, read):
    return read, damaged(r, write(data(r, 30)), PIECES)
def read_uu(r): return binascii.a2b_uu, damaged(r, binascii.b2a_uu(data(r, 45)), PIECES)
def read_strict(r): return binascii.a2b_base64, argument(r), options(r, strict_mode=[True, True, False])
def read_hex(r): return r.choice([binascii.unhexlify, binascii.a2b_hex, bytes.fromhex, bytearray.fromhex]), damaged(r, binascii.hexlify(data(r, 12)), PIECES) if r.random() < 0.5 else damaged(r, data(r, 9).hex(r.choice(' :')), [' ', 'g', 'é', '\n', 'A', '\u2003'])
def read_qp(r): return r.choice([binascii.a2b_qp, quopri.decodestring]), damaged(r, binascii.b2a_qp(data(r)), PIECES), options(r, header=[True, False])


def write_64(r): return base64.b64encode, data(r), options(r, altchars=[b'-_', b'a', '-_', None])
def write_85(r): return base64.a85encode, data(r), options(r, foldspaces=[True], wrapcol=[0, 1, 2, 5, 20], pad=[True], adobe=[True])
def write_b85(r): return base64.b85encode, data(r), options(r, pad=[True])
def write_any(r): return r.choice(WRITERS), r.choice([data(r), data(r, 200), bytearray(data(r)), memoryview(data(r)), 'text', None])
def write_lines(r): return binascii.b2a_base64, data(r), options(r, newline=[True, False])
def write_uu(r): return binascii.b2a_uu, data(r, 50), options(r, backtick=[True, False])
def write_hex(r): return r.choice([binascii.hexlify, binascii.b2a_hex]), data(r), r.choice(['-', b':', 'é', '', b'ab', '\u20ac']), small(r, 6) if r.random() < 0.9 else 2**31 - 1
def write_qp(r): return binascii.b2a_qp, damaged(r, data(r, 120), [b' ', b'\t', b'\n', b'\r\n', b'=', b'.', b'_', b'x' * 80]), options(r, quotetabs=[True], istext=[True, False], header=[True])
def checksums(r): return r.choice([binascii.crc32, binascii.crc_hqx]), data(r), r.choice([0, 1, -1, 2**32 - 1, 2**32, 2**64 + 5, 0x1234])


USES = [read_64, read_64, read_url, read_url, read_32, read_32hex, read_85, read_uu, read_strict, read_strict, read_hex, read_qp, write_64, write_85, write_b85, write_any, write_any, write_lines, write_uu,
        write_hex, write_qp, write_qp, checksums,
        lambda r: read_own(r, base64.b64encode, base64.b64decode), lambda r: read_own(r, base64.b32encode, base64.b32decode), lambda r: read_own(r, base64.b85encode, base64.b85decode),
        lambda r: read_own(r, base64.a85encode, base64.a85decode), lambda r: read_own(r, base64.b16encode, base64.b16decode), lambda r: read_own(r, base64.z85encode, base64.z85decode)]
