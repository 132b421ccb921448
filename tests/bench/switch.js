// The nearest there is: a microtask turn of each of 1,000 async functions.
const TASKS = 1000, TURNS = 200;
async function spin() { for (let i = 0; i < TURNS; i++) await null; }
(async () => {
  const start = performance.now();
  await Promise.all(Array.from({length: TASKS}, spin));
  console.log('RESULT switch', (performance.now() - start) * 1e6 / (TASKS * TURNS), 'ns/switch');
})();
