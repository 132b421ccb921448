"""urllib.parse: URLs by the grammar and damaged, every function that takes them apart, joins or quotes."""
import re
import urllib.parse as p

from tools import damaged, data, options, small, text

SCHEMES = ['http', 'https', 'HTTP', 'ftp', 'file', 'mailto', 'urn', 'svn+ssh', 'x-1.2', 'javascript', 'ws', 'sftp', 'data', 'tel', '1a', 'h\xe9', '', 'itms-services']
HOSTS = ['example.com', 'EXAMPLE.com', 'user@host', 'user:pw@host', 'a@b@c', 'localhost', '127.0.0.1', '[::1]', '[fe80::1%25en0]', '[v1.x:y]', '[::1', '::1]', '[1.2.3.4]', '[v1]', '[]', '', 'b\xfccher.example', 'host\u2100', '%41', 'h ost']
PORTS = ['', '', ':80', ':0', ':65535', ':65536', ':', ':-1', ':abc', ':\u0663', ':8_0', ': 80', ':99999999999999999999']
PATHS = ['', '/', '/a', '/a/b/c', 'a', 'a/b', '..', '../..', '/./x', '/a/../b', '/a/./', '//a', '///a', '/a;p=1', '/a;p/b;q', '/%2e%2E', '/a b', '/\xe9', '/\u20ac', '.', './', '/..', 'a:b', '/:', '/a?', '*']
QUERIES = ['', '', '?', '?a=1', '?a=1&b=2', '?a=1;b=2', '?a', '?a=', '?=1', '?&&', '?a=%20+b', '?a=%FF', '?%zz=%', '?a=1&a=2', '??', '?\xe9=\u20ac', '?a=b=c', '?' + 'a=1&' * 20]
FRAGMENTS = ['', '', '#', '#f', '#a#b', '#?x', '#%41', '#/']
PIECES = [':', '/', '//', '?', '#', '@', '[', ']', ';', '&', '=', '%', '%2', '%zz', '%c3%a9', '%E2%82', '%ff', '+', ' ', '\t', '\n', '\r', '\0', '\x1f', '\\', '\xe9', '\uff0f', '\u2100', '\ufeff', '\udc80', '\U0001f600', '..', '.', '0', 'a', '\u0663', ',', '~']


def url(r):
    scheme = r.choice(SCHEMES)
    start = r.choice([scheme + ':', scheme + '://', scheme + '://', '', '//', scheme + ':/'])
    host = r.choice(HOSTS) + r.choice(PORTS) if '//' in start else ''
    return start + host + r.choice(PATHS) + r.choice(QUERIES) + r.choice(FRAGMENTS)


def broken(r):
    made = damaged(r, url(r), PIECES) if r.random() < 0.6 else url(r)
    if re.search(r'[^/@]\[|\][^/?#:]|\[[^/?#]*@', made): made = made.replace('[', '(')   # 3.13.0 lets pass what later ones refuse
    if r.random() < 0.1: return made.encode('ascii', 'replace') if r.random() < 0.7 else made.encode('utf-8', 'replace')
    return made


def split(r):
    def parts(function, url, **names):
        s, out = getattr(p, function)(url, **names), []
        for name in ('username', 'password', 'hostname', 'port'):
            try: out.append(getattr(s, name))
            except ValueError as e: out.append(str(e))
        return s, out, s.geturl()
    return parts, r.choice(['urlsplit', 'urlparse']), broken(r), options(r, scheme=['http', '', 'FTP', b'x'], allow_fragments=[False, True])


def join(r): return p.urljoin, broken(r), broken(r), options(r, allow_fragments=[False])
def defrag(r): return p.urldefrag, broken(r)
def back(r): return r.choice([p.urlunsplit, p.urlunparse]), [r.choice([r.choice(PATHS), r.choice(HOSTS), r.choice(SCHEMES), None, '', b'']) for _ in range(r.choice([5, 6, 6, 4]))]


def query(r): return damaged(r, '&'.join(r.choice(QUERIES)[1:] for _ in range(r.randrange(4))), PIECES)
def read_query(r):
    given = query(r) if r.random() < 0.9 else query(r).encode('ascii', 'replace')
    return r.choice([p.parse_qs, p.parse_qsl]), given, options(r, keep_blank_values=[True], strict_parsing=[True], encoding=['utf-8', 'latin-1', 'ascii', 'no-such'], errors=['strict', 'ignore', 'replace'], max_num_fields=[0, 1, 5],
                                                                 separator=['&', ';', '', 'ab', b'&', None])


def escaped(r): return damaged(r, ''.join(r.choice(['%41', '%C3%A9', '%c3', '%E2%82%AC', '%F0%9F%98%80', '%', '%2', '+', 'a', '\xe9', '\u20ac', '%00', '%ed%a0%80', '%FF']) for _ in range(r.randrange(8))), PIECES)
def unquote(r): return r.choice([p.unquote, p.unquote_plus]), escaped(r), options(r, encoding=['utf-8', 'latin-1', 'ascii', 'utf-16', 'no-such', None], errors=['strict', 'ignore', 'replace', 'backslashreplace', None])
def unquote_bytes(r): return r.choice([p.unquote_to_bytes, p.unquote]), r.choice([escaped(r), escaped(r).encode('utf-8', 'replace'), escaped(r).encode('utf-8', 'replace'), None, 5])
def quote(r):
    names = options(r, safe=['', '/', 'a%', '\xe9', b'/:', '~', ' ', '/?#'], encoding=['utf-8', 'latin-1', 'ascii'], errors=['strict', 'replace', 'xmlcharrefreplace', 'surrogatepass'])
    given = text(r, 12) if r.random() < 0.8 else r.choice([data(r), bytearray(data(r)), None, 5])
    return r.choice([p.quote, p.quote_plus]), given, names if not isinstance(given, (bytes, bytearray)) or r.random() < 0.2 else {k: v for k, v in names.items() if k == 'safe'}
def quote_bytes(r): return p.quote_from_bytes, r.choice([data(r), bytearray(data(r)), 'x']), r.choice(['', '/', b'%', '\xe9'])
def encode(r):
    item = lambda: r.choice([text(r, 5), text(r, 5), data(r, 5), 1, 2.5, None, True, [1, 'b'], ('x', b'\xff'), [], 'ab'])
    given = r.choice([{text(r, 3): item() for _ in range(3)}, [(text(r, 3), item()) for _ in range(3)], [(b'k', item())], ((1, 2),), 'ab', ['ab', 'cd'], [1], 5, {}, '', None])
    return p.urlencode, given, options(r, doseq=[True, False], safe=['', '/', b'/'], quote_via=[p.quote, p.quote_plus], encoding=['utf-8', 'latin-1'], errors=['strict', 'replace'])


USES = [split] * 6 + [join] * 4 + [defrag, back] + [read_query] * 4 + [unquote] * 3 + [unquote_bytes] + [quote] * 3 + [quote_bytes, encode, encode]
