const LEVELS = 6, BRANCHES = 6;
let TASKS = 0;
for (let i = 1; i <= LEVELS; i++) TASKS += BRANCHES ** i;
const plain = async () => 1;
const asleep = async () => { await new Promise(done => setTimeout(done, 50)); return 1; };
async function gathered(level, leaf) {
  if (level === 0) return await leaf();
  const parts = [];
  for (let i = 0; i < BRANCHES; i++) parts.push(gathered(level - 1, leaf));
  return (await Promise.all(parts)).reduce((a, b) => a + b);
}
async function main() {
  for (const [name, leaf] of [['gather', plain], ['sleeps', asleep]]) {
    const start = performance.now();
    if (await gathered(LEVELS, leaf) !== BRANCHES ** LEVELS) throw new Error(name);
    console.log(`RESULT tree_${name}`, (performance.now() - start) * 1e6 / TASKS, 'ns/task');
  }
}
main();
