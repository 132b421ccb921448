"""A stand-in, in script, for the part of CPython's _testcapi that test_call.py cannot be loaded without.

CPython's module holds C functions of every calling convention. asy has one convention, so what is tested here is how calls of all sorts
bind their arguments and report those that do not fit. It is on ASYPATH for tests/conformance.py only; asy itself has no such module.
"""


import sys


def _none(name, args, kwargs):
    if kwargs:
        raise TypeError(f'_testcapi.{name}() takes no keyword arguments')


class _Methods:
    """Functions that answer (self, args[, kwargs]) with the self they were made for."""

    def __init__(self, self_of):
        def meth_varargs(*args, **kwargs):
            _none('meth_varargs', args, kwargs)
            return self_of(), args

        def meth_varargs_keywords(*args, **kwargs):
            return self_of(), args, kwargs

        def meth_o(*args, **kwargs):
            _none('meth_o', args, kwargs)
            if len(args) != 1:
                raise TypeError(f'_testcapi.meth_o() takes exactly one argument ({len(args)} given)')
            return self_of(), args[0]

        def meth_noargs(*args, **kwargs):
            _none('meth_noargs', args, kwargs)
            if args:
                raise TypeError(f'_testcapi.meth_noargs() takes no arguments ({len(args)} given)')
            return self_of()

        def meth_fastcall(*args, **kwargs):
            _none('meth_fastcall', args, kwargs)
            return self_of(), args

        def meth_fastcall_keywords(*args, **kwargs):
            return self_of(), args, kwargs

        self.functions = [meth_varargs, meth_varargs_keywords, meth_o, meth_noargs, meth_fastcall, meth_fastcall_keywords]


for _function in _Methods(lambda: sys.modules[__name__]).functions:
    globals()[_function.__name__] = _function


class MethInstance:
    """Methods."""

    def __getattr__(self, name):
        for function in _Methods(lambda: self).functions:
            if function.__name__ == name:
                return function
        raise AttributeError(name)


class MethClass:
    """Class methods."""


for _function in _Methods(lambda: MethClass).functions:
    setattr(MethClass, _function.__name__, staticmethod(_function))


class MethStatic:
    """Static methods."""


for _function in _Methods(lambda: None).functions:
    setattr(MethStatic, _function.__name__, staticmethod(_function))


def pyobject_fastcall(function, args):
    return function(*(args or ()))


def pyobject_fastcalldict(function, args, kwargs):
    return function(*(args or ()), **(kwargs or {}))


def pyobject_vectorcall(function, args, names):
    args, names = args or (), names or ()
    split = len(args) - len(names)
    return function(*args[:split], **dict(zip(names, args[split:])))
