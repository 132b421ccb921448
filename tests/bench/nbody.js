const STEPS = 20000;
const BODIES = [
  [0, 0, 0, 0, 0, 0, 39.47841760435743],
  [4.841431442464721, -1.1603200440274284, -0.10362204447112311, 0.6063263929958315, 2.81198684491626,
    -0.02521836165988763, 0.03769367487038949],
  [8.34336671824458, 4.124798564124305, -0.4035234171143214, -1.0107743461787924, 1.8256623712304119,
    0.008415761376584154, 0.011286326131968767],
  [12.894369562139131, -15.111151401698631, -0.22330757889265573, 1.082791006441535, 0.8687130181696082,
    -0.010832637401363636, 0.0017237240570597112],
  [15.379697114850917, -25.919314609987964, 0.17925877295037118, 0.979090732243898, 0.5946989986476762,
    -0.034755955504078104, 0.0020336868699246304],
];
function advance(bodies, pairs, steps, dt) {
  for (let step = 0; step < steps; step++) {
    for (const [a, b] of pairs) {
      const dx = a[0] - b[0], dy = a[1] - b[1], dz = a[2] - b[2];
      const mag = dt * (dx * dx + dy * dy + dz * dz) ** -1.5;
      const bm = b[6] * mag, am = a[6] * mag;
      a[3] -= dx * bm; a[4] -= dy * bm; a[5] -= dz * bm;
      b[3] += dx * am; b[4] += dy * am; b[5] += dz * am;
    }
    for (const body of bodies) {
      body[0] += dt * body[3]; body[1] += dt * body[4]; body[2] += dt * body[5];
    }
  }
}
const pairs = [];
for (let i = 0; i < 5; i++) for (let j = i + 1; j < 5; j++) pairs.push([BODIES[i], BODIES[j]]);
const start = performance.now();
advance(BODIES, pairs, STEPS, 0.01);
console.log('RESULT nbody', (performance.now() - start) * 1e3 / STEPS, 'us/step');
