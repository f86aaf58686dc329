import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSandbox as openExports } from './exportfs/sandbox.ts';
import { isFree, openSandbox, recurring } from './Filesystem/sandbox.ts';
import { randomFrom } from './killed.ts';

// SIGKILL at random points of start and stop: whatever is left, the next monitor tells what it is, and the next stop undoes it.

/** How often an action was cut off, by what it had done. */
class Tally {
  readonly counts: Record<string, number> = {};
  add(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
  all(words = ''): number {
    return Object.entries(this.counts).reduce((sum, [what, n]) => sum + (what.includes(words) ? n : 0), 0);
  }
}

/** Chooses the moments. How long an action takes depends on what else the machine has to do: sooner after one that came to its end. */
class Clock {
  #wholeMs: number;

  constructor(wholeMs: number) {
    this.#wholeMs = wholeMs;
  }

  /** Not while the runtime starts: nothing has happened then. */
  async cut(random: () => number, kill: (afterMs: number) => Promise<boolean>): Promise<boolean> {
    const began = performance.now();
    const wasCut = await kill(this.#wholeMs * (0.25 + 0.75 * random()));
    this.#wholeMs = wasCut ? this.#wholeMs * 1.05 : Math.min(performance.now() - began, this.#wholeMs * 0.7);
    return wasCut;
  }
}

const settings = [{}, { force_unmount: 'true,move' }, { fstype: 'xfs' }, { nested: true }] as const;

test.concurrent('Filesystem: 200 times', async () => {
  const box = await openSandbox();
  try {
    const tally = new Tally();
    const one = async (setting: (typeof settings)[number], at: number): Promise<void> => {
      const random = randomFrom(at + 1);
      const { nested, ...more } = { nested: false, fstype: 'ext4', ...setting };
      const directory = join(box.folder, `m${at}`);
      const params = {
        device: await box.disk(more.fstype as 'ext4' | 'xfs'),
        directory,
        OCF_RESOURCE_INSTANCE: `t${at}`,
        ...more,
      };
      const aside = join(box.folder, `.m${at}`);
      const on = async () => (await box.mounted()).map((line) => line.split(' ')[0]);
      const { ms } = await box.ours('start', params);
      const clock = new Clock(ms);
      for (let round = 0; round < 50; round++) {
        const action = round % 2 === 0 ? 'stop' : 'start';
        if (action === 'stop' && !(await on()).includes(directory)) {
          await box.run('mount', params.device, directory);
        }
        if (action === 'stop' && nested) {
          await box.run('mkdir', '-p', `${directory}/sub`);
          await box.run('mount', '-t', 'tmpfs', 'x', `${directory}/sub`);
        }
        const cut = await clock.cut(random, (afterMs) => box.killed(action, params, afterMs));
        const left = await on();
        const expected = left.includes(directory) ? 0 : left.includes(aside) ? 1 : 7;
        const where = `round ${round}: ${action}, left on ${left.join(' ')}`;
        const { code } = await box.ours('monitor', { ...params, ...recurring });
        expect(code, where).toBe(expected);
        const state = { 0: 'mounted', 1: 'aside', 7: 'unmounted' }[expected];
        tally.add(cut ? `${action} cut off: ${state}` : `${action} ended`);
        expect(await box.ours('stop', params), where).toMatchObject({ code: 0 });
        expect((await on()).filter((target) => target?.startsWith(directory) || target === aside)).toEqual(
          [],
        );
        expect(isFree(params.device), where).toBe(true);
      }
    };
    await Promise.all(settings.map(one));
    console.log('Filesystem, killed:', tally.counts);
    expect(tally.all()).toBe(200);
    expect(tally.all('start cut off')).toBeGreaterThan(20);
    expect(tally.all('stop cut off')).toBeGreaterThan(20);
  } finally {
    await box.close();
  }
}, 1_800_000);

test.concurrent('exportfs: 50 times, two directories', async () => {
  const box = await openExports();
  try {
    const random = randomFrom(7);
    const paths = [box.directory('a'), box.directory('b')];
    const params = {
      clientspec: '*',
      options: 'rw',
      fsid: 1,
      directory: paths.join(' '),
      rmtab_backup: 'none',
    };
    const since = performance.now();
    await box.ours('start', params);
    const clock = new Clock(performance.now() - since);
    const tally = new Tally();
    for (let round = 0; round < 50; round++) {
      const action = round % 2 === 0 ? 'stop' : 'start';
      if (action === 'stop')
        await box.run('exportfs', '-i', '-o', 'rw,fsid=1', ...paths.map((path) => `*:${path}`));
      const cut = await clock.cut(random, (afterMs) => box.killed(action, params, afterMs));
      const left = await box.exported();
      const expected = left.length === 2 ? 0 : left.length === 1 ? 1 : 7;
      const where = `round ${round}: ${action}, left ${left.join(', ')}`;
      expect((await box.ours('monitor', { ...params, ...recurring })).code, where).toBe(expected);
      tally.add(cut ? `${action} cut off: ${left.length} exported` : `${action} ended`);
      expect((await box.ours('stop', params)).code, where).toBe(0);
      expect(await box.exported(), where).toEqual([]);
    }
    console.log('exportfs, killed:', tally.counts);
    expect(tally.all('cut off')).toBeGreaterThan(10);
  } finally {
    await box.close();
  }
}, 1_800_000);
