local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
local start = os.clock()
assert(fib(27) == 196418)
print('RESULT fib', (os.clock() - start) * 1e9 / 832040, 'ns/call')
