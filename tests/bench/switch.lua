-- Coroutines resumed in turn: a switch without a scheduler, futures or cancellation.
local TASKS, TURNS = 1000, 200
local tasks = {}
for i = 1, TASKS do
  tasks[i] = coroutine.create(function() for _ = 1, TURNS do coroutine.yield() end end)
end
local start = os.clock()
for _ = 1, TURNS do for i = 1, TASKS do coroutine.resume(tasks[i]) end end
print('RESULT switch', (os.clock() - start) * 1e9 / (TASKS * TURNS), 'ns/switch')
