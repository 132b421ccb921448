/* exceptions.h - the built-in exception classes: one table. X(name, base) in the order they are made. */
#ifndef ASY_RUNTIME_EXCEPTIONS_H
#define ASY_RUNTIME_EXCEPTIONS_H

/* clang-format off */
#define ASY_EXCEPTIONS(X)                                                                                                    \
  X(BaseException, BaseException) X(BaseExceptionGroup, BaseException) X(GeneratorExit, BaseException)                       \
  X(KeyboardInterrupt, BaseException) X(SystemExit, BaseException) X(Exception, BaseException)                               \
  X(ArithmeticError, Exception) X(FloatingPointError, ArithmeticError) X(OverflowError, ArithmeticError)                     \
  X(ZeroDivisionError, ArithmeticError) X(AssertionError, Exception) X(AttributeError, Exception) X(BufferError, Exception)  \
  X(EOFError, Exception) X(ExceptionGroup, BaseExceptionGroup) X(ImportError, Exception) X(ModuleNotFoundError, ImportError) \
  X(LookupError, Exception) X(IndexError, LookupError) X(KeyError, LookupError) X(MemoryError, Exception)                    \
  X(NameError, Exception) X(UnboundLocalError, NameError) X(OSError, Exception) X(BlockingIOError, OSError)                  \
  X(ChildProcessError, OSError) X(ConnectionError, OSError) X(BrokenPipeError, ConnectionError)                              \
  X(ConnectionAbortedError, ConnectionError) X(ConnectionRefusedError, ConnectionError)                                      \
  X(ConnectionResetError, ConnectionError) X(FileExistsError, OSError) X(FileNotFoundError, OSError)                         \
  X(InterruptedError, OSError) X(IsADirectoryError, OSError) X(NotADirectoryError, OSError) X(PermissionError, OSError)      \
  X(ProcessLookupError, OSError) X(TimeoutError, OSError) X(ReferenceError, Exception) X(RuntimeError, Exception)            \
  X(NotImplementedError, RuntimeError) X(PythonFinalizationError, RuntimeError) X(RecursionError, RuntimeError)              \
  X(StopAsyncIteration, Exception) X(StopIteration, Exception) X(SyntaxError, Exception) X(IndentationError, SyntaxError)    \
  X(TabError, IndentationError) X(SystemError, Exception) X(TypeError, Exception) X(ValueError, Exception)                   \
  X(UnicodeError, ValueError) X(UnicodeDecodeError, UnicodeError) X(UnicodeEncodeError, UnicodeError)                        \
  X(UnicodeTranslateError, UnicodeError) X(Warning, Exception) X(BytesWarning, Warning) X(DeprecationWarning, Warning)       \
  X(EncodingWarning, Warning) X(FutureWarning, Warning) X(ImportWarning, Warning) X(PendingDeprecationWarning, Warning)      \
  X(ResourceWarning, Warning) X(RuntimeWarning, Warning) X(SyntaxWarning, Warning) X(UnicodeWarning, Warning)                \
  X(UserWarning, Warning)                                                                                                    \
  /* asyncio's own, in its module only; their first __module__ is asyncio.exceptions */                                      \
  X(CancelledError, BaseException) X(InvalidStateError, Exception)
/* clang-format on */

typedef enum {
#define X(name, base) ASY_##name,
  ASY_EXCEPTIONS(X)
#undef X
    ASY_EXCEPTION_COUNT
} asy_exc_id;

#endif
