import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { CommandError } from '../../../cli/exit.ts';
import { type Left, takenBack } from '../../../cli/interrupt.ts';
import { migrate } from '../../../cli/migrate/command.ts';
import { remove } from '../../../cli/remove/command.ts';
import { hangs } from '../../fake/machine.ts';
import { type FakePacemaker, pacemakerBelow } from '../../fake/pacemaker.ts';
import { FakePair } from '../../fake/pair.ts';
import { pairFileIn } from '../../fake/pair-file.ts';

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
  const says = (left?: Left) => async () => left;

  test.each([
    ['nothing was begun', [], 'interrupted'],
    ['all of it is taken back', [async () => {}, says()], 'interrupted'],
    ['the worst wins', [says('attention'), says('halfway'), says()], 'halfway'],
    ['whatever comes after it', [says('halfway'), says('attention')], 'halfway'],
    ['it was done', [says('well'), says()], 'well'],
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

describe('remove', () => {
  const removing = (pair: FakePair) => {
    const folder = mkdtempSync(join(tmpdir(), 'tsha-interrupted-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const config = pairFileIn(folder);
    return () => remove(pair.call('node2'), { config, dryRun: false, yes: true });
  };
  const isOff = ({ cib }: FakePacemaker) => cib.includes('value="Stopped"');

  async function lengthOf(): Promise<number> {
    const pair = pairOf();
    const pacemaker = await pacemakerBelow(pair, 'tsha');
    await pair.run(removing(pair), null);
    expect(pacemaker.done).toEqual(['Stopped nfsshare', 'Stopped DataClone', 'patch']);
    return pair.calls;
  }

  test('at any of its calls: as it was before, or all of it gone', async () => {
    const length = await lengthOf();
    const seen = new Map<unknown, number>();
    for (let call = 1; call <= length; call++)
      for (const when of ['before', 'after'] as const) {
        const pair = pairOf();
        const pacemaker = await pacemakerBelow(pair, 'tsha');
        await pair.run(removing(pair), { call, when, signal: 'INT' });
        const isGone = !pacemaker.cib.includes('<group id="nfsshare"');
        expect([pair.ending, isOff(pacemaker)], `${when} ${call}`).toEqual([
          isGone ? 'well' : 'interrupted',
          false,
        ]);
        seen.set(pair.ending, (seen.get(pair.ending) ?? 0) + 1);
      }
    expect(seen.get('well')).toBe(1);
  });

  test('what somebody else had switched off stays so, and has its own word back', async () => {
    const pair = pairOf();
    const pacemaker = await pacemakerBelow(pair, 'tsha');
    const set = (id: string, value: string) =>
      pair.machines.node1.run({
        argv: [
          'crm_resource',
          '--resource',
          id,
          '--meta',
          '--set-parameter',
          'target-role',
          '--parameter-value',
          value,
        ],
        timeoutMs: 1,
      });
    await set('DataClone', 'Stopped');
    await set('nfsshare', 'Started');
    const length = await lengthOf();
    await pair.run(removing(pair), { call: length - 4, when: 'after', signal: 'INT' });
    expect(pair.ending).toBe('interrupted');
    expect(pacemaker.done.slice(2)).toEqual(['Stopped nfsshare', 'Started nfsshare']);
  });

  test.each(['the cluster no longer answers', 'it cannot be switched on'])(
    '%s: half-way, and what does it',
    async (what) => {
      const pair = pairOf();
      const pacemaker = await pacemakerBelow(pair, 'tsha');
      const { node2 } = pair.machines;
      const honest = node2.handler('crm_resource');
      node2.on('crm_resource', async (args, command) => {
        if (args.includes('--delete-parameter')) return { code: 124, stderr: 'timed out\n' };
        if (what.startsWith('the cluster'))
          node2.on('cibadmin', () => ({ code: 124, stderr: 'timed out\n' }));
        return honest(args, command);
      });
      await pair.run(removing(pair), { call: 8, when: 'after', signal: 'INT' });
      expect(pair.ending).toBe('halfway');
      expect(isOff(pacemaker)).toBe(true);
      expect(said.join('')).toMatch(
        /STAYS SWITCHED OFF[\s\S]*→ crm_resource --resource nfsshare --meta --delete-parameter target-role\n/,
      );
    },
  );

  test('the first tool has no answer: half-way, whether it was taken or not', async () => {
    const pair = pairOf();
    await pacemakerBelow(pair, 'tsha');
    pair.machines.node2.on('crm_resource', (_, command) => hangs(command, pair.machines.node2));
    await expect(removing(pair)()).rejects.toMatchObject({
      ending: 'halfway',
      fix: expect.arrayContaining(['crm_resource --resource nfsshare --meta --delete-parameter target-role']),
    });
  });
});
