local N = 2000000
local function while_loop(n) local s, i = 0, 0 while i < n do s = s + i * i - i i = i + 1 end return s end
local function for_range(n) local s = 0 for i = 0, n - 1 do s = s + i * i - i end return s end
for _, row in ipairs {{'while_loop', while_loop}, {'for_range', for_range}} do
  local start = os.clock()
  assert(row[2](N) > 2e18)
  print('RESULT intloop_' .. row[1], (os.clock() - start) * 1e9 / N, 'ns/turn')
end
