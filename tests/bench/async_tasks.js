const TASKS = 200_000, TIMERS = 100_000;
const one = async x => x;
const report = (name, start, n, unit) => console.log('RESULT', name, (performance.now() - start) * 1e6 / n, unit);
async function main() {
  let start = performance.now();
  const tasks = [];
  for (let i = 0; i < TASKS; i++) tasks.push(one(i));
  for (const task of tasks) await task;
  report('task_create', start, TASKS, 'ns/task');
  const called = [];
  start = performance.now();
  for (let i = 0; i < TASKS; i++) {
    let done;
    new Promise(resolve => { done = resolve; }).then(x => called.push(x));
    done(i);
    if (i % 1000 === 0) await null;
  }
  await null;
  report('task_callback', start, TASKS, 'ns/callback');
  start = performance.now();
  const timers = [];
  for (let i = 0; i < TIMERS; i++) timers.push(setTimeout(one, 1000000 + i * 7919 % 1000 * 1000));
  for (const timer of timers) clearTimeout(timer);
  report('task_timer', start, TIMERS, 'ns/timer');
}
main();
