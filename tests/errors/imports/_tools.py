def divide(a, b):
    return a / b


def apply(function, *args):
    return function(*args)


class Parser:
    def parse(self, text):
        return [self.number(part) for part in text.split(",")]

    def number(self, text):
        try:
            return int(text)
        except ValueError as exc:
            raise ParseError(text) from exc


class ParseError(Exception):
    pass
