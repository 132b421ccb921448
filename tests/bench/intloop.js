const N = 2_000_000;
function whileLoop(n) { let s = 0, i = 0; while (i < n) { s += i * i - i; i += 1; } return s; }
function forRange(n) { let s = 0; for (let i = 0; i < n; i++) s += i * i - i; return s; }
for (const [name, f] of [['while_loop', whileLoop], ['for_range', forRange]]) {
  const start = performance.now();
  if (f(N) < 2e18) throw new Error('wrong');
  console.log('RESULT', 'intloop_' + name, (performance.now() - start) * 1e6 / N, 'ns/turn');
}
