const N = 500000;
async function plain(x) { return x; }
(async () => {
  let total = 0;
  const start = performance.now();
  for (let i = 0; i < N; i++) total += await plain(i);
  console.log('RESULT await_plain', (performance.now() - start) * 1e6 / N, 'ns/await');
})();
