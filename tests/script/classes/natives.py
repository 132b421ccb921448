# What natives in classes and bound natives are: their types, what they have; __slots__ and __weakref__ in the dicts of classes.
for x in len, str.upper, 'a'.upper, str.__add__, 'a'.__add__, dict.fromkeys, int.real, object.__init__, [].append, type.__call__, print, classmethod, property():
    print(getattr(x,'__name__',x.__class__.__name__), type(x).__name__, hasattr(x, '__get__'), hasattr(x, '__set__'), hasattr(x,'__self__'), hasattr(x,'__objclass__'), hasattr(x,'__text_signature__'))
import math, itertools, functools, asyncio, json
print(hasattr(math.sin, '__get__'), hasattr(functools.reduce,'__get__'), type(math.sin))
class S(str):
    __slots__ = ('a', '__dict__')
s = S('x'); s.a = 1; print(s.a)
class F(float): __slots__ = ('a',)
f = F(1.5); f.a = 2; print(f.a)
class L(list): __slots__ = ('a',)
class D(dict): __slots__ = ('a',)
class E(Exception): __slots__ = ('a',)
class ST(set): __slots__ = ('a',)
class BA(bytearray): __slots__ = ('a',)
class FS(frozenset): __slots__ = ('a',)
class CX(complex): __slots__ = ('a',)
for cls, args in (L, ()), (D, ()), (E, ()), (ST, ()), (BA, ()), (FS, ()), (CX, ()):
    o = cls(*args); o.a = 5; print(cls.__name__, o.a, cls.a, hasattr(o, '__dict__'))
for base in int, bytes, tuple:
    try: type('X', (base,), {'__slots__': ('a',)})
    except TypeError as e: print(e)
class W: pass
print(sorted(k for k in vars(W)), W.__weakref__, type(W.__weakref__))
class V(W): pass
print(sorted(vars(V)))
class U:
    __slots__ = ('__weakref__', 'x')
print(sorted(vars(U)), U.__weakref__)
import weakref
u = U(); r = weakref.ref(u); print(u.__weakref__ is r, W().__weakref__)
print(sorted(vars(S)), sorted(vars(E)))
class N: __slots__ = ()
print(sorted(vars(N)))
class T2(tuple): pass
print(sorted(vars(T2)), sorted(vars(type('I', (int,), {}))))
import inspect, types, pickle, copy
print(inspect.isbuiltin([].append), inspect.ismethod([].append), inspect.ismethodwrapper('a'.__add__), inspect.ismethoddescriptor(str.upper),
      inspect.isroutine(str.__add__), inspect.isgetsetdescriptor(int.real), inspect.ismemberdescriptor(F.a))
print(types.BuiltinMethodType is types.BuiltinFunctionType, types.MethodWrapperType, types.WrapperDescriptorType,
      types.MethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType)
l = []
print(l.append == l.append, l.append == [].append, hash(l.append) == hash(l.append), len == len, len != print, l.append != 5,
      l.append.__qualname__, l.append.__self__ is l, 'x'.__add__.__qualname__, str.upper.__qualname__, 'x'.__add__.__self__)
print(repr(len), repr(str.upper), repr(str.__add__), repr([].append)[:40], repr('x'.__add__)[:38], repr(int.real), repr(F.a))
for f in l.append, 'x'.upper, len:
    print(pickle.loads(pickle.dumps(f)).__name__, copy.copy(f) == f)
class M:
    def m(self): return self
    n = len
m = M()
print(m.m.__get__(5)() is m, m.n('abc'), types.MethodType(len, 'ab')(), type(types.MethodType(len, 'ab')))
bound = str.upper.__get__('x')
print(bound(), type(bound).__name__, str.__add__.__get__('a')('b'), hasattr(bound, '__func__'), bound.__module__, len.__module__)
for f, name in (len, '__objclass__'), (str.upper, '__self__'), (str.upper, '__module__'), (bound, '__func__'):
    try: getattr(f, name)
    except AttributeError as e: print(e)
class Static:
    def __init__(self): self.x = 1; self.__y: int = 2; self.z += 1; (self.p, self.q) = 1, 2; del self.x; other.w = 3
    def f(this): this.n = 1
    class B:
        def g(self): self.inner = 1
    lam = lambda self: [setattr(self, 'k', 1) for self.i in range(3)]
print(sorted(Static.__static_attributes__), Static.B.__static_attributes__)
