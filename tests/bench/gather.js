const AT_ONCE = 1000, ROUNDS = 50;
async function work(x) { return x; }
(async () => {
  const start = performance.now();
  for (let round = 0; round < ROUNDS; round++) await Promise.all(Array.from({length: AT_ONCE}, (_, i) => work(i)));
  console.log('RESULT gather', (performance.now() - start) * 1e6 / (AT_ONCE * ROUNDS), 'ns/task');
})();
