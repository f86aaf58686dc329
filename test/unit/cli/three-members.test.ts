import { rmSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { maintenance } from '../../../cli/commands/maintenance.ts';
import { splitBrain } from '../../../cli/commands/split-brain.ts';
import type { FakeMachine } from '../../fake/machine.ts';
import { FakePair } from '../../fake/pair.ts';

// A third member, which has no disk, is there for the quorum: it knows nothing of DRBD, and to DRBD 8.4 the other end has no name.

const said = vi.hoisted(() => [] as string[]);
vi.mock('../../../cli/output/print.ts', () => ({
  print: (_: number, text: string) => void said.push(text),
  printLines: (lines: readonly string[]) => void said.push(`${lines.join('\n')}\n`),
}));

const kept: FakePair[] = [];
afterEach(() => {
  said.splice(0);
  for (const { lockDirs } of kept.splice(0))
    for (const dir of Object.values(lockDirs)) rmSync(dir, { recursive: true, force: true });
});

/** What a program of the machine says, with a change. */
function changed(machine: FakeMachine, program: string, change: (text: string) => string): void {
  const honest = machine.handler(program);
  machine.on(program, async (args, command) => {
    const output = await honest?.(args, command);
    return change(typeof output === 'string' ? output : (output?.stdout ?? ''));
  });
}

function trio(state: 'healthy' | 'split'): FakePair {
  const pair = new FakePair(state);
  kept.push(pair);
  for (const machine of Object.values(pair.machines)) {
    changed(machine, 'cibadmin', (cib) =>
      cib.replace(/(<nodes>[\s\S]*?)<\/nodes>/, '$1<node id="3" uname="node3"/></nodes>'),
    );
    changed(machine, 'crm_mon', (mon) =>
      mon.replace(
        /(<nodes>[\s\S]*?)<\/nodes>/,
        '$1<node name="node3" id="3" online="true" standby="false" type="member"/></nodes>',
      ),
    );
  }
  return pair;
}

const tryOn = (pair: FakePair, node: string) =>
  maintenance(pair.call('node2'), { to: 'on', node, dryRun: true, yes: true });

describe('maintenance on, asked on the member without a disk', () => {
  /** node2's machine plays it. */
  function third(change: (cib: string) => string): FakePair {
    const pair = trio('healthy');
    const { node2 } = pair.machines;
    node2.files.set('/proc/sys/kernel/hostname', 'node3\n');
    node2.on('drbdsetup', () => '');
    changed(node2, 'cibadmin', change);
    return pair;
  }

  test.each([
    ['both agents say that all is well', (cib: string) => cib, 'well'],
    [
      'an agent says that a copy is missing',
      (cib: string) => cib.replace(/(name="tsha-drbd-data" value=)"connected"/, '$1"connecting"'),
      'unknown',
    ],
    ['the agents say nothing', (cib: string) => cib.replaceAll('"tsha-drbd-data"', '"other"'), 'unknown'],
  ] as const)('%s: %s', async (_, change, ending) => {
    const came = await tryOn(third(change), 'node1').catch((error) => error);
    if (ending === 'well') return expect(came).toBe('well');
    expect(came).toMatchObject({ ending, fix: ['tsha maintenance on node1   # node1'] });
    expect(came.message).toMatch(/data is not on this node/);
    return undefined;
  });

  test('the third one itself has nothing to lose', async () =>
    expect(
      await tryOn(
        third((cib) => cib.replaceAll('"tsha-drbd-data"', '"other"')),
        'node3',
      ),
    ).toBe('well'));
});

describe('DRBD 8.4 does not name the other end', () => {
  const hosts = (...names: readonly string[]) =>
    `<config file="x"><resource name="data">${names.map((name) => `<host name="${name}"><volume vnr="0"/></host>`).join('')}</resource></config>\n`;
  const asked = (pair: FakePair): readonly string[] =>
    pair.machines.node1.journal.flatMap((line) => /^run ssh .* -- (\S+) /.exec(line)?.[1] ?? []);

  const look = async (pair: FakePair) =>
    splitBrain(
      { ...pair.call('node1'), json: false },
      {
        ...{ resource: 'data', discard: null, confirm: null },
        ...{ snapshot: false, dryRun: false },
      },
    );

  // biome-ignore format: a table
  test.each<readonly [string, hosts: string, ssh: readonly string[], proposal: RegExp]>([
    ['DRBD’s configuration does',              hosts('node1', 'node2'), ['node2'], /Proposal: keep node1/],
    ['it does, with domains',                  hosts('node1.example', 'node2.example'), ['node2'], /Proposal: keep node1/],
    ['it has several others',                  hosts('node1', 'node2', 'node3'), [], /No proposal: the role of peer is not known/],
    ['nobody does',                            '', [], /No proposal: the role of peer is not known/],
  ])('%s', async (_, dump, ssh, proposal) => {
    const pair = trio('split');
    pair.machines.node1.on('drbdadm', () => (dump === '' ? { code: 10, stderr: 'no config\n' } : dump));
    expect(await look(pair)).toBe('broken');
    expect([...new Set(asked(pair))]).toEqual(ssh);
    expect(said.join('')).toMatch(proposal);
  });

  test('nobody does: no side that has no name gives up anything', async () => {
    const pair = trio('split');
    pair.machines.node1.on('drbdadm', () => ({ code: 10, stderr: 'no config\n' }));
    const options = { resource: 'data', discard: 'peer', confirm: 'peer', snapshot: false, dryRun: false };
    await expect(splitBrain(pair.call('node1'), options)).rejects.toMatchObject({ ending: 'unknown' });
    expect(asked(pair)).toEqual([]);
  });

  test('maintenance of the node whose copy is the only current one is refused all the same', async () => {
    const pair = trio('healthy');
    const { node2 } = pair.machines;
    changed(node2, 'drbdsetup', (text) =>
      text.replace(/(device name:data .*)disk:UpToDate/, '$1disk:Failed'),
    );
    node2.on('drbdadm', () => ({ code: 10, stderr: 'no config\n' }));
    await expect(tryOn(pair, 'node1')).rejects.toThrow(/only current copy of data is on node1/);
    expect(await tryOn(pair, 'node3')).toBe('well');
  });
});
