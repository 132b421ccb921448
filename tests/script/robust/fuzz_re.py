# What ./dev fuzz re found: possessive groups, groups repeated no times, atomic groups behind a repetition - before and after the JIT.
import re

CASES = [
    (r'\b(?P<n>\S)*+c+|cB?', 'cb1'),            # a capture stayed set from a branch that failed
    (r'(?!1)|(b)*+s', 'b'),
    (r'(?:^b*){2,}+|c', 'ba'),                  # an earlier turn was asked again
    (r'(?:\D{2,}(?<!B)){2}+', '\nb Bb1'),
    (r'((?:ab?)++)(b?)', 'abab'),
    (r'(a|ab)(?:c|bcd)?+(d*)', 'abcd'),
    (r'(?a:b\A|\A1){0}b{1,2}B', '1bbB'),        # taken for a pattern that must match at the start
    (r'(?:1+|^){0}', 'c1a'),
    (r'(a|\A){0}?[^Aa]', 'BBB'),
    (r'(?=(a)|\A){0}b', 'cb'),
    (r'(?:a(b)){0}c|d(?(1)x)', 'cd'),
    (r'(?:(a)|^){0,0}+b', 'cab'),
    (r'(?<=(?:a|\A){0}b)c', 'bc'),
    (r'(?<=(a|\A){0}b)c(?(1)d)', 'bcd'),         # not of a fixed width to PCRE2
    (r'(?<!(?:(?<=(a))x*){0,0}+b)(c)\1?', 'acbc'),
    (r'((?i:a)(b)){0}?(?i:c)|d', 'Cd'),
    (r'(?:\n|)b*^', '\nbbc'),                   # the JIT took a repetition for tried, from the end of another branch
    (r'(?:([ab]b|.)b+)(.)', 'babb'),
    (r'(?:[^a].(?:.)|a).+a', 'b\naaab'),
    (r'(?:(a|)[ab].*){2}', 'aa'),
    (r'x(?:(?i:ab)|a){1,2}b*bc', 'xabbc'),
    (r'c*(?:1a)*+\D', 'c'),                     # what stands before was made possessive
    (r'c*(?>(?:1a)*)\D', 'c'),
    (r'(?:A[a-c]*(?:zd)?+a)', 'Aaz'),
    (r'((1?|c)(?P<n>b1|a){,2}+\d)', 'A1'),
    ('([a-zA-Z][a-c]*(?>\u044f)?+){2}', 'Aa\u044f'),
    (r'(?:ab){70000}+|x', 'x'),
    (r'(?i)(?>b*\b|)\B', 'Bb\x1cc'),            # the JIT went back into an atomic group
    (r'(?i)(?=(b*)\b|)\B', 'Bb\x1cc'),
]
for pattern, text in CASES:
    p = re.compile(pattern)
    found = [[(m.span(), m.groups(), m.lastindex) for m in p.finditer(text)] for _ in range(400)]
    print(ascii(pattern), found[0], [f for f in found if f != found[0]][:1])
