# Floats: five bodies attracting each other.
import time

STEPS = 20_000
BODIES = [
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47841760435743],
    [4.841431442464721, -1.1603200440274284, -0.10362204447112311, 0.6063263929958315, 2.81198684491626,
     -0.02521836165988763, 0.03769367487038949],
    [8.34336671824458, 4.124798564124305, -0.4035234171143214, -1.0107743461787924, 1.8256623712304119,
     0.008415761376584154, 0.011286326131968767],
    [12.894369562139131, -15.111151401698631, -0.22330757889265573, 1.082791006441535, 0.8687130181696082,
     -0.010832637401363636, 0.0017237240570597112],
    [15.379697114850917, -25.919314609987964, 0.17925877295037118, 0.979090732243898, 0.5946989986476762,
     -0.034755955504078104, 0.0020336868699246304],
]


def advance(bodies, pairs, steps, dt):
    for _ in range(steps):
        for a, b in pairs:
            dx = a[0] - b[0]
            dy = a[1] - b[1]
            dz = a[2] - b[2]
            mag = dt * (dx * dx + dy * dy + dz * dz) ** -1.5
            bm = b[6] * mag
            am = a[6] * mag
            a[3] -= dx * bm
            a[4] -= dy * bm
            a[5] -= dz * bm
            b[3] += dx * am
            b[4] += dy * am
            b[5] += dz * am
        for body in bodies:
            body[0] += dt * body[3]
            body[1] += dt * body[4]
            body[2] += dt * body[5]


pairs = [(BODIES[i], BODIES[j]) for i in range(5) for j in range(i + 1, 5)]
start = time.perf_counter()
advance(BODIES, pairs, STEPS, 0.01)
elapsed = time.perf_counter() - start
assert abs(BODIES[1][0]) < 6
print('RESULT nbody', elapsed * 1e6 / STEPS, 'us/step')
