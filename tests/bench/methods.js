const N = 500000;
class Base {
  constructor() { this.x = 1; this.y = 2; }
  get() { return this.x; }
  add(a, b = 1) { return a + b; }
}
class Point extends Base {}
const functions = {
  method_call(p) { let t = 0; for (let i = 0; i < N; i++) t += p.get(); return t; },
  method_arguments(p) { let t = 0; for (let i = 0; i < N; i++) t = p.add(t); return t; },
  attribute_read(p) { let t = 0; for (let i = 0; i < N; i++) t += p.x + p.y - p.x - p.x; return t; },
  attribute_write(p) { for (let i = 0; i < N; i++) { p.x = i; p.y = i; } p.x = 1; return N; },
  instance(p) { let q; for (let i = 0; i < N; i++) q = new Point(); return q; },
};
for (const [name, f] of Object.entries(functions)) {
  const p = new Point(), start = performance.now();
  f(p);
  console.log('RESULT', name, (performance.now() - start) * 1e6 / N, 'ns/turn');
}
