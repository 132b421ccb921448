const OBJECTS = 10_000_000, KEPT = 10_000;
class Node { constructor(value, other) { this.value = value; this.other = other; } }
function churn(count) {
  const kept = new Array(KEPT).fill(null);
  for (let i = 0; i < count / 2; i++) {
    const a = new Node(i, null), b = new Node(i, a);
    a.other = b;
    if (i % 10 === 0) kept[i / 10 % KEPT] = b;
  }
  return kept;
}
const start = performance.now();
churn(OBJECTS);
console.log('RESULT churn', (performance.now() - start) * 1e6 / OBJECTS, 'ns/object');
console.log('RESULT churn_memory', process.resourceUsage().maxRSS / 1024, 'MB');
