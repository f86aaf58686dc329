import { rmSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Call } from '../../../cli/command.ts';
import { maintenance } from '../../../cli/commands/maintenance.ts';
import { switchOver } from '../../../cli/commands/switch.ts';
import { CommandError } from '../../../cli/exit.ts';
import { migrate } from '../../../cli/migrate/command.ts';
import { type FakePacemaker, pacemakerBelow } from '../../fake/pacemaker.ts';
import { FakePair } from '../../fake/pair.ts';

// A question stands for as long as nobody answers it. What has changed in the meantime is seen before anything is done.

vi.mock('../../../cli/output/print.ts', () => ({ print: () => {}, printLines: () => {} }));

const kept: FakePair[] = [];
afterEach(() => {
  for (const { lockDirs } of kept.splice(0))
    for (const dir of Object.values(lockDirs)) rmSync(dir, { recursive: true, force: true });
});

type Meanwhile = (pair: FakePair, pacemaker: FakePacemaker | null) => void;
type Work = (call: Call) => Promise<unknown>;

const commands: { readonly [name: string]: Work } = {
  switch: (call) => switchOver(call, { to: 'node1', service: null, dryRun: false, yes: false, although: [] }),
  'maintenance on': (call) => maintenance(call, { to: 'on', node: 'node1', dryRun: false, yes: false }),
  migrate: (call) => migrate(call, { to: 'tsha', dryRun: false, yes: false, although: [] }),
};

/** As a person answers; before, something else happens. */
async function asked(name: string, answer: string, meanwhile: Meanwhile) {
  const pair = new FakePair('healthy');
  kept.push(pair);
  const pacemaker = name === 'migrate' ? await pacemakerBelow(pair, 'stock') : null;
  const ran = () => [...pair.machines.node1.ran, ...pair.machines.node2.ran];
  const ask = async (): Promise<string> => {
    meanwhile(pair, pacemaker);
    return answer;
  };
  const ending = await commands[name]?.({ ...pair.call('node2'), ask }).catch((error: unknown) => {
    if (error instanceof CommandError) return error;
    throw error;
  });
  const isChanged = ran().some((line) => /cibadmin --(create|patch|modify)|^crm_standby/.test(line));
  return { ending, isChanged };
}

const all = Object.keys(commands);
const nothing: Meanwhile = () => {};
const answered =
  (program: string, from: RegExp, to: string): Meanwhile =>
  ({ machines }) => {
    for (const machine of Object.values(machines)) {
      const before = machine.handler(program);
      machine.on(program, async (args, command) => {
        const output = await before?.(args, command);
        const text = typeof output === 'string' ? output : (output?.stdout ?? '');
        return text.replace(from, to);
      });
    }
  };

describe('asked', () => {
  test.each(all)('%s: yes, and all is as it was', async (name) => {
    expect(await asked(name, 'y', nothing)).toEqual({ ending: 'well', isChanged: true });
  });

  test.each(all)('%s: anything but a yes', async (name) => {
    for (const answer of ['', 'n', 'yep'])
      expect(await asked(name, answer, nothing)).toMatchObject({
        ending: { ending: 'broken' },
        isChanged: false,
      });
  });

  // biome-ignore format: a table
  test.each<readonly [what: string, command: string, Meanwhile, why: RegExp]>([
    ['the link between the copies drops', 'switch', answered('drbdsetup', /connection:Connected/g, 'connection:Connecting'), /both copies are UpToDate/],
    ['the node that it goes to leaves', 'switch', answered('crm_mon', /(<node name="node1" [^>]*online=)"true"/, '$1"false"'), /online/],
    ['somebody has moved it', 'switch', (pair) => { pair.active = 'node1'; }, /runs on node1 already/],
    ['the node has come to serve', 'maintenance on', (pair) => { pair.active = 'node1'; }, /node1 serves|serves/],
    ['the disk of the node that serves fails', 'maintenance on', answered('drbdsetup', / disk:UpToDate/g, ' disk:Diskless'), /the only current copy of data is on node1/],
    ['DRBD no longer answers', 'maintenance on', ({ machines }) => machines.node2.on('drbdsetup', () => ({ code: 20, stderr: 'no answer' })), /drbdsetup/],
    ['the other node leaves', 'maintenance on', answered('crm_mon', /(<node name="node2" [^>]*online=)"true"/, '$1"false"'), /no other node/],
    ['Pacemaker has something to do', 'migrate', (_, pacemaker) => { if (pacemaker) pacemaker.wish = 'nfsshare'; }, /something to do/],
  ])('%s while the question of %s stands', async (_what, name, meanwhile, why) => {
    const { ending, isChanged } = await asked(name, 'y', meanwhile);
    expect(ending).toMatchObject({ ending: expect.stringMatching(/broken|unknown/), message: expect.stringMatching(why) });
    expect(isChanged).toBe(false);
  });
});

test.each(all)('%s: nobody can be asked', async (name) => {
  const pair = new FakePair('healthy');
  kept.push(pair);
  if (name === 'migrate') await pacemakerBelow(pair, 'stock');
  await expect(commands[name]?.(pair.call('node2'))).rejects.toMatchObject({
    ending: 'unknown',
    message: expect.stringMatching(/--yes/),
  });
});
