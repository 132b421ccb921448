const ITEMS = 300_000;
async function* numbers(n) { for (let i = 0; i < n; i++) yield i; }
async function main() {
  const start = performance.now();
  let total = 0;
  for await (const i of numbers(ITEMS)) total += i;
  console.log('RESULT async_generator', (performance.now() - start) * 1e6 / ITEMS, 'ns/item');
}
main();
