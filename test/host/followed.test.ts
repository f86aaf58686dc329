import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nodeSys } from '../../lib/host/node-sys.ts';

// A command that is read while it runs, as `drbdsetup events2` is, with real processes.

const alive = (pid: string) => {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
};

test('each piece of output wakes the reader at once, and the end takes all descendants', async () => {
  const sys = nodeSys(process.env);
  const events = await sys.follow(['sh', '-c', 'echo $$; sleep 0.3; echo second; sleep 60 & wait']);
  const pid = (await events.next(5000)).trim();
  const since = performance.now();
  expect(await events.next(5000)).toBe('second\n');
  expect(performance.now() - since).toBeLessThan(2000);
  expect(await events.next(50)).toBe('');
  events.end();
  for (let tries = 0; alive(pid) && tries < 50; tries++) await sleep(20);
  expect(alive(pid)).toBe(false);
});

test('one that ended, and one that does not exist, are silence and not a busy loop', async () => {
  const sys = nodeSys(process.env);
  for (const argv of [['true'], ['/nonexistent/drbdsetup']] as const) {
    const events = await sys.follow(argv);
    const since = performance.now();
    expect(await events.next(200)).toBe('');
    expect(performance.now() - since).toBeGreaterThan(150);
    events.end();
  }
});

test('what is still followed ends with the action', async () => {
  const sys = nodeSys(process.env);
  const events = await sys.follow(['sh', '-c', 'echo $$; exec sleep 60']);
  const pid = (await events.next(5000)).trim();
  sys.killUnderway();
  for (let tries = 0; alive(pid) && tries < 50; tries++) await sleep(20);
  expect(alive(pid)).toBe(false);
});
