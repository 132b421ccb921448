local N = 500000
local Base = {}
Base.__index = Base
function Base:get() return self.x end
function Base:add(a, b) return a + (b or 1) end
local Point = setmetatable({}, Base)
Point.__index = Point
local function new() return setmetatable({x = 1, y = 2}, Point) end
local functions = {
  {'method_call', function(p) local t = 0 for _ = 1, N do t = t + p:get() end return t end},
  {'method_arguments', function(p) local t = 0 for _ = 1, N do t = p:add(t) end return t end},
  {'attribute_read', function(p) local t = 0 for _ = 1, N do t = t + p.x + p.y - p.x - p.x end return t end},
  {'attribute_write', function(p) for i = 1, N do p.x = i p.y = i end p.x = 1 end},
  {'instance', function(p) local q for _ = 1, N do q = new() end return q end},
}
for _, row in ipairs(functions) do
  local p, start = new(), os.clock()
  row[2](p)
  print('RESULT ' .. row[1], (os.clock() - start) * 1e9 / N, 'ns/turn')
end
