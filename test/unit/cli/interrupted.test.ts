import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CommandError } from '../../../cli/exit.ts';
import { takenBack } from '../../../cli/interrupt.ts';
import { migrate } from '../../../cli/migrate/command.ts';
import { pacemakerBelow } from '../../fake/pacemaker.ts';
import { FakePair } from '../../fake/pair.ts';

// How a command ends that a signal has ended: 130 only where nothing of it is left.

const said = vi.hoisted(() => [] as string[]);
vi.mock('../../../cli/output/print.ts', () => ({
  print: (_: number, text: string) => void said.push(text),
  printLines: (lines: readonly string[]) => void said.push(`${lines.join('\n')}\n`),
}));

const kept: FakePair[] = [];
beforeEach(() => void said.splice(0));
afterEach(() => {
  for (const { lockDirs } of kept.splice(0))
    for (const dir of Object.values(lockDirs)) rmSync(dir, { recursive: true, force: true });
});

function pairOf(): FakePair {
  const pair = new FakePair('healthy');
  kept.push(pair);
  return pair;
}

describe('what is taken back', () => {
  const told: unknown[] = [];
  const tell = (error: unknown) => void told.push(error);
  const error = new CommandError('broken', 'no');

  test.each([
    ['nothing was begun', [], 'interrupted'],
    ['all of it is taken back', [async () => {}, async () => undefined], 'interrupted'],
    ['the worst wins', [async () => 'attention', async () => 'halfway', async () => {}], 'halfway'],
    ['whatever comes after it', [async () => 'halfway', async () => 'attention'], 'halfway'],
    ['it was done', [async () => 'well', async () => {}], 'well'],
  ] as const)('%s', async (_, works, ending) => expect(await takenBack(works, tell)).toBe(ending));

  test('one that fails is told, leaves the command half-way, and does not keep the others from it', async () => {
    let isDone = false;
    const works = [
      () => Promise.reject<undefined>(error),
      async () => {
        isDone = true;
      },
    ];
    expect(await takenBack(works, tell)).toBe('halfway');
    expect([told, isDone]).toEqual([[error], true]);
  });
});

test.each([
  [false, 'interrupted', /the agents are those of before/],
  [true, 'halfway', /stays in maintenance mode/],
] as const)('migrate, whose way back fails: %s', async (fails, ending, sentence) => {
  const pair = pairOf();
  const pacemaker = await pacemakerBelow(pair, 'stock');
  pair.machines.node2.onTick = () => {
    if (fails && pacemaker.isInMaintenance) pacemaker.wish = 'nfsshare';
  };
  const work = () => migrate(pair.call('node2'), { to: 'tsha', dryRun: false, yes: true, although: [] });
  await pair.run(work, { call: 20, when: 'after', signal: 'INT' });
  expect(pacemaker.isInMaintenance).toBe(fails);
  expect(said.join('')).toMatch(sentence);
  expect(pair.ending).toBe(ending);
});
