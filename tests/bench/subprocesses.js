const {execFile} = require('child_process');
const PROCESSES = 200, AT_ONCE = 10;
const one = i => new Promise((resolve, reject) => execFile('/bin/echo', [String(i)], (error, output) =>
  error || output !== `${i}\n` ? reject(error) : resolve()));
async function worker(next) {
  for (let i; (i = next()) < PROCESSES;) await one(i);
}
(async () => {
  let count = 0;
  const start = performance.now();
  await Promise.all(Array.from({length: AT_ONCE}, () => worker(() => count++)));
  console.log('RESULT subprocesses', (performance.now() - start) * 1e3 / PROCESSES, 'us/process');
})();
