import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { snapshotHere } from '../../../cli/commands/discard.ts';
import { splitBrain } from '../../../cli/commands/split-brain.ts';
import { disksOf } from '../../../cli/facts/side.ts';
import { wordsIn } from '../../../cli/output/words.ts';
import { hostOn } from '../../../lib/host/host.ts';
import { FakeMachine, hangs } from '../../fake/machine.ts';
import { FakePair } from '../../fake/pair.ts';

// A way back before anything is given up: all of it or none, and named wherever it stays.

const said = vi.hoisted(() => [] as string[]);
vi.mock('../../../cli/output/print.ts', () => ({
  print: (fd: number, text: string) => void (fd === 2 && said.push(text)),
  printLines: () => {},
}));

const words = wordsIn('en');
const gibibyte = 1024 ** 3;
const kept: FakePair[] = [];
beforeEach(() => void said.splice(0));
afterEach(() => {
  for (const { lockDirs } of kept.splice(0))
    for (const dir of Object.values(lockDirs)) rmSync(dir, { recursive: true, force: true });
});

type Lvm = {
  readonly volumes: Set<string>;
  /** The group's free space, or the thin pool's used percent. */
  readonly free?: number;
  readonly poolPercent?: number;
};

/** LVM below two volumes, `vg0/a` and `vg0/b`. */
function withLvm(machine: FakeMachine, { volumes, free = 10 * gibibyte, poolPercent }: Lvm): FakeMachine {
  const nameIn = (path = '') => path.replace('/dev/', '');
  const drbdadm = machine.handler('drbdadm');
  return machine
    .on('drbdadm', (args, command) =>
      args.includes('sh-ll-dev') ? '/dev/vg0/a\n/dev/vg0/b\n' : (drbdadm?.(args, command) ?? ''),
    )
    .on('lvs', (args) => {
      const name = nameIn(args.at(-1));
      if (name === 'vg0/pool') return `  ${gibibyte}|${poolPercent}\n`;
      if (!volumes.has(name)) return { code: 5, stderr: `  Failed to find logical volume "${name}"\n` };
      const kind = poolPercent === undefined ? 'linear|' : 'thin|pool';
      return `  vg0|${name.slice(4)}|${gibibyte}|${free}|${kind}\n`;
    })
    .on('lvcreate', (args) => {
      volumes.add(`vg0/${args[args.indexOf('--name') + 1]}`);
      return '';
    })
    .on('lvremove', (args) =>
      volumes.delete(nameIn(args.at(-1)))
        ? ''
        : { code: 5, stderr: `  Failed to find logical volume "${nameIn(args.at(-1))}"\n` },
    );
}

const plain = () => new Set(['vg0/a', 'vg0/b']);
const left = (volumes: ReadonlySet<string>): readonly string[] =>
  [...volumes].filter((name) => name.includes('-discarded-'));
const make = (machine: FakeMachine, changedKiB: number | null = 1024) =>
  snapshotHere(
    hostOn(machine, 600_000),
    'data',
    { node: 'beta', changedKiB, stamp: '20261128-231502', begun: [] },
    words,
  );

describe('all or none', () => {
  test('a snapshot of each volume', async () => {
    const volumes = plain();
    expect(
      await make(
        withLvm(
          new FakeMachine().on('drbdadm', () => ''),
          { volumes },
        ),
      ),
    ).toEqual(['/dev/vg0/a-discarded-20261128-231502', '/dev/vg0/b-discarded-20261128-231502']);
    expect(left(volumes)).toHaveLength(2);
  });

  test.each([
    ['fails', false],
    ['hangs, and was made all the same', true],
  ])('the second one %s: none is left', async (_, isHanging) => {
    const volumes = plain();
    const machine = withLvm(
      new FakeMachine().on('drbdadm', () => ''),
      { volumes },
    );
    const create = machine.handler('lvcreate');
    machine.on('lvcreate', (args, command) => {
      if (!args.at(-1)?.endsWith('/b')) return create?.(args, command) ?? '';
      if (!isHanging) return { code: 5, stderr: 'no\n' };
      void create?.(args, command);
      return hangs(command, machine);
    });
    await expect(make(machine)).rejects.toMatchObject({
      ending: 'broken',
      message: expect.stringMatching(/no snapshot of beta.*nothing has been changed/),
    });
    expect(left(volumes)).toEqual([]);
  });

  test('what cannot be taken away again is named', async () => {
    const volumes = plain();
    const machine = withLvm(
      new FakeMachine().on('drbdadm', () => ''),
      { volumes },
    );
    machine.on('lvcreate', (_, command) => hangs(command, machine));
    machine.on('lvremove', (_, command) => hangs(command, machine));
    await expect(make(machine)).rejects.toMatchObject({ ending: 'halfway' });
    expect(said.join('')).toContain('lvremove /dev/vg0/a-discarded-20261128-231502');
  });

  // biome-ignore format: a table
  test.each<readonly [string, lvm: Omit<Lvm, 'volumes'>, changedKiB: number | null, isEnough: boolean]>([
    ['a group with room',               { free: gibibyte }, 1024, true],
    ['a group without',                 { free: 1024 }, 1024, false],
    ['a pool with room',                { free: 0, poolPercent: 20 }, 1024, true],
    ['a pool that is nearly full',      { free: 10 * gibibyte, poolPercent: 90 }, 1024, false],
    ['a pool, and nobody knows how much', { free: 10 * gibibyte, poolPercent: 20 }, null, false],
  ])('%s', async (_, lvm, changedKiB, isEnough) => {
    const volumes = plain();
    const made = await make(withLvm(new FakeMachine().on('drbdadm', () => ''), { ...lvm, volumes }), changedKiB).catch((error) => error.message);
    if (isEnough) expect(made).toHaveLength(2);
    else expect(made).toMatch(/free, .* are needed/);
    expect(left(volumes)).toHaveLength(isEnough ? 2 : 0);
  });
});

// biome-ignore format: a table
describe('whether it is a logical volume', () => {
  test.each<readonly [string, answer: (machine: FakeMachine) => FakeMachine, isKnown: boolean]>([
    ['none, by LVM’s word',     (machine) => machine.on('lvs', () => ({ code: 5, stderr: '  Volume group "vdb" not found\n  Cannot process volume group vdb\n' })), true],
    ['there is no LVM',         (machine) => machine, true],
    ['LVM does not answer',     (machine) => machine.on('lvs', (_, command) => hangs(command, machine)), false],
    ['LVM has its own trouble', (machine) => machine.on('lvs', () => ({ code: 5, stderr: '  Can\'t get lock for vdb.\n' })), false],
  ])('%s', async (_, answer, isKnown) => {
    const machine = new FakeMachine().on('drbdadm', () => '/dev/vdb\n').on('lvs', () => ({ code: 127, missing: true }));
    const [disk] = await disksOf(hostOn(answer(machine), 600_000), 'data');
    expect([disk?.lv, disk?.why === undefined]).toEqual([null, isKnown]);
  });
});

describe('the repair is interrupted', () => {
  const repairing = (pair: FakePair, from: 'node1' | 'node2') =>
    splitBrain(pair.call(from), {
      ...{ resource: 'data', discard: 'node2', confirm: 'node2' },
      ...{ snapshot: true, dryRun: false },
    });

  function split(): { readonly pair: FakePair; readonly volumes: Set<string> } {
    const [pair, volumes] = [new FakePair('split'), plain()];
    kept.push(pair);
    withLvm(pair.machines.node2, { volumes });
    return { pair, volumes };
  }

  test('at any call, from the other node: what may be there is named', async () => {
    const whole = split();
    await whole.pair.run(() => repairing(whole.pair, 'node1'), null);
    expect([left(whole.volumes).length, whole.pair.lost]).toEqual([2, 'node2']);
    for (let call = 1; call <= whole.pair.calls; call++) {
      const { pair, volumes } = split();
      said.splice(0);
      await pair.run(() => repairing(pair, 'node1'), { call, when: 'after', signal: 'INT' });
      const names = left(volumes);
      for (const name of names) expect(said.join(''), `${call}`).toContain(`/dev/${name}`);
      expect([pair.ending, names.length > 0], `${call}: ${said.join('')}`).not.toEqual(['interrupted', true]);
    }
  });

  test('at any call, on the node that gives up: none is left, or all of them and their names', async () => {
    const whole = split();
    await whole.pair.run(() => repairing(whole.pair, 'node2'), null);
    expect(left(whole.volumes)).toHaveLength(2);
    const seen = new Set<string>();
    for (let call = 1; call <= whole.pair.calls; call++)
      for (const when of ['before', 'after'] as const) {
        const { pair, volumes } = split();
        said.splice(0);
        await pair.run(() => repairing(pair, 'node2'), { call, when, signal: 'INT' });
        const names = left(volumes);
        const what = `${when} ${call}: ${said.join('')}`;
        if (pair.ending === 'interrupted') expect([names, pair.lost], what).toEqual([[], null]);
        else for (const name of names) expect(said.join(''), what).toContain(name);
        if (pair.lost !== null) expect([pair.ending, names.length], what).toEqual(['halfway', 2]);
        seen.add(`${pair.ending} ${names.length}`);
      }
    expect([...seen].sort()).toEqual(['halfway 2', 'interrupted 0']);
  });
});
