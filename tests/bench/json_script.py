# A JSON parser written in script: characters, slices, recursion, dicts and lists.
import time

ESCAPES = {'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}


class Parser:
    def __init__(self, text):
        self.text = text
        self.at = 0

    def skip_space(self):
        text, at = self.text, self.at
        while text[at] in ' \t\r\n':
            at += 1
        self.at = at

    def expect(self, char):
        if self.text[self.at] != char:
            raise ValueError(f'{char!r} expected at {self.at}, not {self.text[self.at]!r}')
        self.at += 1

    def value(self):
        self.skip_space()
        char = self.text[self.at]
        if char == '{':
            return self.object()
        if char == '[':
            return self.array()
        if char == '"':
            return self.string()
        for word, value in (('true', True), ('false', False), ('null', None)):
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        return self.number()

    def number(self):
        text, start = self.text, self.at
        end = start
        while end < len(text) and text[end] in '0123456789+-.eE':
            end += 1
        self.at = end
        literal = text[start:end]
        return float(literal) if '.' in literal or 'e' in literal else int(literal)

    def string(self):
        self.expect('"')
        parts, text, start = [], self.text, self.at
        at = start
        while text[at] != '"':
            if text[at] == '\\':
                parts.append(text[start:at])
                if text[at + 1] == 'u':
                    parts.append(chr(int(text[at + 2:at + 6], 16)))
                    at += 6
                else:
                    parts.append(ESCAPES[text[at + 1]])
                    at += 2
                start = at
            else:
                at += 1
        parts.append(text[start:at])
        self.at = at + 1
        return ''.join(parts)

    def array(self):
        self.expect('[')
        items = []
        self.skip_space()
        while self.text[self.at] != ']':
            items.append(self.value())
            self.skip_space()
            if self.text[self.at] == ',':
                self.at += 1
        self.at += 1
        return items

    def object(self):
        self.expect('{')
        members = {}
        self.skip_space()
        while self.text[self.at] != '}':
            self.skip_space()
            name = self.string()
            self.skip_space()
            self.expect(':')
            members[name] = self.value()
            self.skip_space()
            if self.text[self.at] == ',':
                self.at += 1
        self.at += 1
        return members


record = '{"name": "J\\u00fcrgen \\"x\\"", "age": 42, "tags": ["a", "b", null, true], "score": -12.5e1, "inner": {"deep": [1, 2, 3]}}'
text = '[' + ', '.join([record] * 400) + ']'
start = time.perf_counter()
result = Parser(text).value()
elapsed = time.perf_counter() - start
assert len(result) == 400 and result[7]['score'] == -125.0 and result[3]['name'] == 'J\u00fcrgen "x"'
print('RESULT json_script', elapsed * 1e9 / len(text), 'ns/char')
