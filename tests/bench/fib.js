function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
const start = performance.now();
if (fib(27) !== 196418) throw new Error('wrong');
console.log('RESULT fib', (performance.now() - start) * 1e6 / 832040, 'ns/call');
