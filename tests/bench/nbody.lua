local STEPS = 20000
local BODIES = {
  {0, 0, 0, 0, 0, 0, 39.47841760435743},
  {4.841431442464721, -1.1603200440274284, -0.10362204447112311, 0.6063263929958315, 2.81198684491626,
    -0.02521836165988763, 0.03769367487038949},
  {8.34336671824458, 4.124798564124305, -0.4035234171143214, -1.0107743461787924, 1.8256623712304119,
    0.008415761376584154, 0.011286326131968767},
  {12.894369562139131, -15.111151401698631, -0.22330757889265573, 1.082791006441535, 0.8687130181696082,
    -0.010832637401363636, 0.0017237240570597112},
  {15.379697114850917, -25.919314609987964, 0.17925877295037118, 0.979090732243898, 0.5946989986476762,
    -0.034755955504078104, 0.0020336868699246304},
}
local function advance(bodies, pairs, steps, dt)
  for _ = 1, steps do
    for p = 1, #pairs do
      local a, b = pairs[p][1], pairs[p][2]
      local dx, dy, dz = a[1] - b[1], a[2] - b[2], a[3] - b[3]
      local mag = dt * (dx * dx + dy * dy + dz * dz) ^ -1.5
      local bm, am = b[7] * mag, a[7] * mag
      a[4] = a[4] - dx * bm a[5] = a[5] - dy * bm a[6] = a[6] - dz * bm
      b[4] = b[4] + dx * am b[5] = b[5] + dy * am b[6] = b[6] + dz * am
    end
    for i = 1, #bodies do
      local body = bodies[i]
      body[1] = body[1] + dt * body[4] body[2] = body[2] + dt * body[5] body[3] = body[3] + dt * body[6]
    end
  end
end
local pairs_ = {}
for i = 1, 5 do for j = i + 1, 5 do pairs_[#pairs_ + 1] = {BODIES[i], BODIES[j]} end end
local start = os.clock()
advance(BODIES, pairs_, STEPS, 0.01)
print('RESULT nbody', (os.clock() - start) * 1e6 / STEPS, 'us/step')
