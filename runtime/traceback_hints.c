/* traceback_hints.c - one line below an uncaught exception that says what to do about it, where its text alone leaves a learner of
 * async programs at a loss. Only a person reads it: what scripts format has CPython's text and no more. */
#include <fnmatch.h>

#include "runtime/traceback.h"
#include "runtime/vm.h"

/* The first row whose pattern fits the exception's text counts; patterns are fnmatch's, with its @(a|b). */
static const struct {
  asy_exc_id what;
  const char *pattern, *hint;
} hints[] = {
  {ASY_SyntaxError, "'@(await|async for|async with)' outside async function",
   "the function around it must be `async def`"},
  {ASY_SyntaxError, "'@(await|async for|async with)' outside function",
   "it stands in an `async def`, or outside functions of the .asy file that is run"},
  {ASY_SyntaxError, "asynchronous comprehension outside of an asynchronous function",
   "the function around it must be `async def`"},
  {ASY_RuntimeError, "@(asyncio.run|Runner.run)() cannot be called from a running event loop",
   "this code runs on the loop already: `await main()` takes the place of `asyncio.run(main())`"},
  {ASY_RuntimeError, "This event loop is already running", "code on the loop awaits; it does not run the loop again"},
  {ASY_RuntimeError, "no running event loop",
   "only what asyncio.run has started runs on a loop: put this into an `async def`"},
  {ASY_RuntimeError, "cannot reuse already awaited coroutine",
   "a coroutine runs once: call the function again, or make a task and await that"},
  {ASY_TypeError, "'async for' requires an object with __aiter__ method, got coroutine",
   "either it is no generator, then `for` goes over what `await` gives, or its `yield` is missing"},
  {ASY_TypeError, "'async for' requires an object with __aiter__ method, got *",
   "a plain iterable is gone over by `for`, without `async`"},
  {ASY_TypeError, "'async_generator' object is not iterable", "an async generator is gone over by `async for`"},
  {ASY_TypeError, "'coroutine' object is not callable",
   "a callback is a plain function, not a coroutine; asyncio.create_task(f()) runs a coroutine"},
  {ASY_TypeError, "coroutines cannot be used with *",
   "a callback is a plain function; asyncio.create_task(f()) runs a coroutine, which may sleep first"},
  {ASY_Exception, "a coroutine was expected, got <function *", "the function was not called: asyncio.run(main())"},
  {ASY_Exception, "a coroutine was expected, got *", "a coroutine is what an `async def` gives when it is called"},
  {ASY_TypeError, "An asyncio.Future, a coroutine or an awaitable is required",
   "was a function passed that should be called?"},
  {ASY_TypeError, "Passing coroutines is forbidden, use tasks explicitly.",
   "a task of a coroutine: asyncio.create_task(f())"},
  {ASY_TypeError, "*'coroutine'*", "a coroutine was not awaited: `await` is missing before the call"},
  {ASY_AttributeError, "'coroutine' object has no attribute *", "it was not awaited: (await f()).name"},
  {ASY_TypeError, "object @(function|method) can't be used in 'await' expression", "it was not called: await f()"},
  {ASY_TypeError, "object async_generator can't be used in 'await' expression",
   "an async generator is gone over by `async for`"},
  {ASY_TypeError, "object * can't be used in 'await' expression",
   "coroutines, tasks and futures are awaited; a plain function is called without `await`"},
  {ASY_TypeError, "'*' object does not support the asynchronous context manager protocol",
   "a plain context manager is entered by `with`, without `async`"},
  {ASY_TypeError,
   "'@(Lock|Condition|Semaphore|BoundedSemaphore|TaskGroup|Timeout|Runner|_AsyncGeneratorContextManager)' object does "
   "not support "
   "the context manager protocol",
   "this one is entered by `async with`"},
};

static const char *hint_for(asy_vm *vm, asy_value exception, const char *text) {
  for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
    if (asy_is_instance(vm, exception, vm->exceptions[hints[i].what]) && !fnmatch(hints[i].pattern, text, FNM_EXTMATCH))
      return hints[i].hint;
  if (asy_is_instance(vm, exception, vm->exceptions[ASY_ModuleNotFoundError]) && asy_is_missing_stdlib(vm, exception))
    return "the module is part of CPython's standard library, and asy does not bring it";
  return NULL;
}

void asy_add_hint(asy_vm *vm, asy_sink *out, asy_value exception, const char *text) {
  const char *hint = text ? hint_for(vm, exception, text) : NULL;
  if (!hint) return;
  asy_sink_text(out, "hint: ");
  asy_sink_text(out, hint);
  asy_sink_text(out, "\n");
}
