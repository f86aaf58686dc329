import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { maintenance } from '../../../cli/commands/maintenance.ts';
import { splitBrain } from '../../../cli/commands/split-brain.ts';
import { switchOver } from '../../../cli/commands/switch.ts';
import { gather } from '../../../cli/facts/gather.ts';
import type { Provider } from '../../../cli/facts/migration.ts';
import { findingsNow } from '../../../cli/findings/now.ts';
import { migrate } from '../../../cli/migrate/command.ts';
import { remove } from '../../../cli/remove/command.ts';
import { hostOn } from '../../../lib/host/host.ts';
import { pacemakerBelow, pacemakerOf } from '../../fake/pacemaker.ts';
import { FakePair, type Kill } from '../../fake/pair.ts';
import { pairFileIn } from '../../fake/pair-file.ts';

// Every command that changes something is ended before and after each program that it calls: by a signal that lets it clean up, and by one
// that does not. What is left is looked at with tsha's own eyes.

const said = vi.hoisted(() => [] as string[]);
vi.mock('../../../cli/output/print.ts', () => ({
  print: (fd: number, text: string) => void (fd === 2 && said.push(text)),
  printLines: () => {},
}));

/** Whoever is killed leaves his drafts behind. */
const drafts = mkdtempSync(join(tmpdir(), 'tsha-kills-'));
const before = process.env['TMPDIR'];
beforeAll(() => {
  process.env['TMPDIR'] = drafts;
});
afterAll(() => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  rmSync(drafts, { recursive: true, force: true });
});

const kept: FakePair[] = [];
function pairOf(state: 'healthy' | 'split'): FakePair {
  const pair = new FakePair(state);
  kept.push(pair);
  return pair;
}
afterEach(() => {
  for (const { lockDirs } of kept.splice(0))
    for (const dir of Object.values(lockDirs)) rmSync(dir, { recursive: true, force: true });
});

type Story = {
  readonly state: 'healthy' | 'split';
  readonly prepare?: (pair: FakePair) => unknown;
  readonly command: (pair: FakePair) => Promise<unknown>;
  /** What must hold wherever it was ended. */
  readonly holds: (pair: FakePair, codes: readonly string[], kill: Kill) => void;
  /** Where another call than the same one may come after it, by the number of the call that it was ended at. */
  readonly again?: (pair: FakePair, call: number) => Promise<unknown>;
  readonly ends?: (pair: FakePair, call: number) => void;
};

const switching = (pair: FakePair) =>
  switchOver(pair.call('node2'), { to: 'node1', service: null, dryRun: false, yes: true, although: [] });
const keeping = (to: 'on' | 'off') => (pair: FakePair) =>
  maintenance(pair.call('node2'), { to, node: 'node1', dryRun: false, yes: true });
const repairing = (from: 'node1' | 'node2') => (pair: FakePair) =>
  splitBrain(pair.call(from), {
    ...{ resource: 'data', discard: 'node2', confirm: 'node2' },
    ...{ snapshot: false, dryRun: false },
  });

const migrating = (to: Provider) => (pair: FakePair) =>
  migrate(pair.call('node2'), { to, dryRun: false, yes: true, although: [] });

/** Maintenance mode is told of, and outside of it nothing is mixed; nothing ever restarts. */
const isSafe =
  (to: Provider) =>
  (pair: FakePair, codes: readonly string[], { signal }: Kill): void => {
    const { restarted, isInMaintenance, provider } = pacemakerOf(pair);
    expect(restarted).toEqual([]);
    if (isInMaintenance) expect(codes).toContain('MIGRATION_UNFINISHED');
    else expect(provider).not.toBe('mixed');
    if (signal === 'INT') expect([isInMaintenance, provider]).not.toContain(true);
    if (provider === to && !isInMaintenance) expect(codes).not.toContain('MIGRATION_UNFINISHED');
  };

/** Nobody gives up anything before both sides are there to meet, and the side that stays is never the one that loses. */
function isWhole({ links, lost }: FakePair): void {
  expect(lost).not.toBe('node1');
  if (lost === null) expect(links.node1.discards).toBe(false);
  else expect([links.node1.state, links.node2.state]).toEqual(['Connected', 'Connected']);
}

function isWholeOrTold(pair: FakePair, codes: readonly string[]): void {
  isWhole(pair);
  if (pair.lost === null) expect(codes).toContain('SPLIT_BRAIN');
}

const [cancelled, mayStand, goesOn] = [
  /disconnected again, nothing was given up/,
  /not known whether it still waits/,
  /DRBD goes on by itself/,
];

/** How an interrupted repair ends, and what is said of it: nothing before anything was begun. */
function isToldTruly({ lost, ending, links }: FakePair, { signal }: Kill): void {
  if (signal !== 'INT') return;
  const [sentence = '', ...others] = said.join('').match(/^.*(interrupted|goes on by itself).*$/gm) ?? [];
  expect([links.node2.discards, others]).toEqual([false, []]);
  if (lost !== null) expect([ending, sentence]).toEqual(['halfway', expect.stringMatching(goesOn)]);
  // what was asked of the other node before may still be at work there
  else if (mayStand.test(sentence)) expect(ending).toBe('halfway');
  else {
    expect(ending).toBe('interrupted');
    if (sentence !== '' || links.node1.state === 'Connecting') expect(sentence).toMatch(cancelled);
  }
}

const stories: { [name: string]: Story } = {
  switch: {
    state: 'healthy',
    command: switching,
    holds: ({ constraint }, codes, { signal }) => {
      if (signal === 'INT') expect(constraint).toBeNull();
      if (constraint === null) return;
      expect(constraint).toMatch(
        /<date_expression [^>]*operation="lt" end="\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"\/>/,
      );
      expect(codes).toContain('SWITCH_UNFINISHED');
    },
  },
  'maintenance on': {
    state: 'healthy',
    command: keeping('on'),
    holds: ({ standby }, codes) => {
      expect([...standby.values()]).not.toContain('forever');
      if (standby.size > 0) expect(codes).toContain('NODE_STANDBY_UNTIL_REBOOT');
    },
  },
  'maintenance off': {
    state: 'healthy',
    prepare: ({ standby }) => standby.set('node1', 'reboot'),
    command: keeping('off'),
    holds: ({ standby }, codes) => {
      expect([...standby.values()]).not.toContain('forever');
      if (standby.size > 0) expect(codes).toContain('NODE_STANDBY_UNTIL_REBOOT');
    },
  },
  'split-brain from the side that stays': {
    state: 'split',
    command: repairing('node1'),
    holds: (pair, codes, kill) => {
      isWholeOrTold(pair, codes);
      isToldTruly(pair, kill);
    },
  },
  'split-brain from the side that gives up': {
    state: 'split',
    command: repairing('node2'),
    holds: (pair, codes, kill) => {
      isWholeOrTold(pair, codes);
      isToldTruly(pair, kill);
    },
  },
  'split-brain from a side that knows of none': {
    state: 'split',
    prepare: (pair) => pair.forgetSplit('node2', 'Connecting'),
    command: repairing('node2'),
    holds: (pair, _, kill) => {
      isWhole(pair);
      isToldTruly(pair, kill);
    },
  },
};

stories['remove'] = {
  state: 'healthy',
  prepare: (pair) => pacemakerBelow(pair, 'tsha'),
  command: (pair) => remove(pair.call('node2'), { config: pairFileIn(drafts), dryRun: false, yes: true }),
  holds: (pair, codes, { signal }) => {
    const { cib } = pacemakerOf(pair);
    if (!cib.includes('value="Stopped"')) return;
    expect(signal).toBe('KILL');
    expect(codes).toContain('RESOURCE_DISABLED');
  },
  ends: (pair) => expect(pacemakerOf(pair).cib).not.toContain('<group id="nfsshare"'),
};

for (const to of ['tsha', 'stock'] as const)
  stories[`migrate to ${to}`] = {
    state: 'healthy',
    prepare: (pair) => pacemakerBelow(pair, to === 'tsha' ? 'stock' : 'tsha'),
    command: migrating(to),
    holds: isSafe(to),
    // forth or back
    again: (pair, call) => migrating(call % 2 === 0 ? to : to === 'tsha' ? 'stock' : 'tsha')(pair),
    ends: (pair, call) =>
      expect(pacemakerOf(pair)).toMatchObject({
        ...{ restarted: [], isInMaintenance: false },
        provider: call % 2 === 0 ? to : to === 'tsha' ? 'stock' : 'tsha',
      }),
  };

async function codesOn(pair: FakePair, name: 'node1' | 'node2'): Promise<readonly string[]> {
  pair.showNotes();
  const machine = pair.machines[name];
  const facts = await gather(hostOn(machine, machine.clock + 60_000), Date.now());
  return findingsNow(facts).map(({ code }) => code);
}

/** Its calls when nobody ends it, by which the points are counted. */
async function lengthOf({ state, prepare, command }: Story): Promise<number> {
  const pair = pairOf(state);
  await prepare?.(pair);
  await pair.run(() => command(pair), null);
  return pair.calls;
}

/** Whoever calls it once more comes to the end; a switch is told what is left, and until when. */
async function onceMore({ command, state, again, ends }: Story, pair: FakePair, call: number): Promise<void> {
  if (pair.constraint !== null) {
    const told = await command(pair).catch((error: Error) => error.message);
    expect(told).toMatch(/in the way: cli-prefer-DataClone, until |^well$/); // well: it had arrived
    if (pair.constraint !== null)
      pair.constraint = pair.constraint.replace(/ end="[^"]*"/, ' end="2020-01-01 00:00:00Z"'); // its time has come
  }
  await (again ? again(pair, call) : command(pair));
  ends?.(pair, call);
  expect(pair.constraint === null || pair.isExpired).toBe(true); // one whose time is over is in nobody's way
  if (state === 'split') expect(pair.lost).toBe('node2');
}

let points = 0;

describe('ended before and after each call', () => {
  test.each(Object.entries(stories))('%s', async (_, story) => {
    const length = await lengthOf(story);
    expect(length).toBeGreaterThan(5);
    for (let call = 1; call <= length; call++)
      for (const when of ['before', 'after'] as const)
        for (const signal of ['KILL', 'INT'] as const) {
          const kill: Kill = { call, when, signal };
          const pair = pairOf(story.state);
          await story.prepare?.(pair);
          said.splice(0);
          expect(await pair.run(() => story.command(pair), kill)).toBe('killed');
          points++;
          const codes = await codesOn(pair, 'node2');
          try {
            story.holds(pair, codes, kill);
            if (when === 'after' && signal === 'KILL') await onceMore(story, pair, call);
          } catch (error) {
            throw new Error(`${JSON.stringify(kill)}: ${(error as Error).message}`, { cause: error });
          }
        }
  });

  test('that was more than a hundred points', () => expect(points).toBeGreaterThan(100));
});

describe('they come to their end', () => {
  test('switch: arrived, no constraint left', async () => {
    const pair = pairOf('healthy');
    expect(await switching(pair)).toBe('well');
    expect([pair.active, pair.constraint]).toEqual(['node1', null]);
  });

  test('switch: what draws the service back is told, and is no success', async () => {
    const pair = pairOf('healthy');
    pair.drawsBack = true;
    expect(await switching(pair)).toBe('halfway');
    expect([pair.active, pair.constraint]).toEqual(['node2', null]);
  });

  test('switch: a constraint whose time is over is in nobody’s way', async () => {
    const pair = pairOf('healthy');
    expect(await pair.run(() => switching(pair), { call: 12, when: 'after', signal: 'KILL' })).toBe('killed');
    pair.constraint ??=
      '<rsc_location id="cli-prefer-DataClone" rsc="DataClone"><rule id="r"><date_expression id="d" operation="lt" end="x"/></rule></rsc_location>';
    pair.constraint = pair.constraint.replace(/ end="[^"]*"/, ' end="2020-01-01 00:00:00Z"');
    expect(await switching(pair)).toBe('well');
    expect([pair.active, pair.constraint]).toEqual(['node1', null]);
  });

  test.each([
    [
      'is offline',
      'crm_mon',
      (text: string) => text.replace(/(<node name="node1"[^>]*online=)"true"/, '$1"false"'),
      /not online/,
    ],
    [
      'has the data by DRBD’s word',
      'drbdsetup',
      (text: string) => text.replace(/(connection .*)role:Secondary/, '$1role:Primary'),
      /is Primary on node1/,
    ],
  ] as const)('maintenance of a node that %s is refused', async (_what, program, change, why) => {
    const pair = pairOf('healthy');
    const { node2 } = pair.machines;
    const honest = node2.handler(program);
    node2.on(program, async (args, command) => {
      const output = await honest?.(args, command);
      return change(typeof output === 'string' ? output : (output?.stdout ?? ''));
    });
    await expect(keeping('on')(pair)).rejects.toThrow(why);
    expect([...pair.standby]).toEqual([]);
  });

  test('maintenance there and back', async () => {
    const pair = pairOf('healthy');
    expect(await keeping('on')(pair)).toBe('well');
    expect([...pair.standby]).toEqual([['node1', 'reboot']]);
    expect(await codesOn(pair, 'node2')).toContain('NODE_STANDBY_UNTIL_REBOOT');
    expect(await keeping('off')(pair)).toBe('well');
    expect([...pair.standby]).toEqual([]);
  });

  test('maintenance off takes away every standby that is set', async () => {
    const pair = pairOf('healthy');
    pair.standby.set('node1', 'both');
    expect(await keeping('off')(pair)).toBe('well');
    expect([...pair.standby]).toEqual([]);
  });

  test('maintenance off of a node that stays in standby does not wait for a copy', async () => {
    const pair = pairOf('healthy');
    pair.standby.set('node1', 'forever');
    pair.staysAway = true;
    const { node2 } = pair.machines;
    const { clock } = node2;
    said.splice(0);
    expect(await keeping('off')(pair)).toBe('halfway');
    expect(node2.clock - clock).toBeLessThan(60_000);
  });

  test.each([
    [
      'a move to it is under way, or was broken off',
      (pair: FakePair) => {
        pair.constraint = '<rsc_location id="cli-prefer-x" rsc="DataClone" node="node1" score="INFINITY"/>';
      },
      /in the way: cli-prefer-x/,
    ],
    [
      'something is at work',
      ({ machines: { node2 } }: FakePair) => {
        const honest = node2.handler('crm_mon');
        node2.on('crm_mon', async (args, command) => {
          const output = await honest?.(args, command);
          return (typeof output === 'string' ? output : '').replace(
            /(<resource id="nfs_ip" [^>]*)role="Started"/,
            '$1role="Starting"',
          );
        });
      },
      /at work: nfs_ip Starting/,
    ],
  ] as const)('maintenance of a node is refused while %s', async (_, begin, why) => {
    const pair = pairOf('healthy');
    begin(pair);
    await expect(
      maintenance(pair.call('node2'), { to: 'on', node: 'node1', dryRun: true, yes: true }),
    ).rejects.toThrow(why);
  });

  test.each(['node1', 'node2'] as const)('a split brain, repaired from %s', async (from) => {
    const pair = pairOf('split');
    expect(await repairing(from)(pair)).toBe('well');
    expect(pair.lost).toBe('node2');
  });

  test.each(
    (['node1', 'node2'] as const).flatMap((from) =>
      (['node1', 'node2'] as const).flatMap((ignorant) =>
        (['StandAlone', 'Connecting'] as const).map((state) => ({ from, ignorant, state })),
      ),
    ),
  )('a split brain that $ignorant, $state, knows nothing of, repaired from $from', async (row) => {
    const pair = pairOf('split');
    pair.forgetSplit(row.ignorant, row.state);
    expect(await repairing(row.from)(pair)).toBe('well');
    expect(pair.lost).toBe('node2');
  });

  test.each([
    ['the other side lets nobody in', false, 'StandAlone', 'attention'],
    ['the other side lets nobody in', false, 'Connecting', 'attention'],
    ['the other side knows of none either', true, 'Connecting', 'attention'],
  ] as const)('%s: nothing is given up (ssh %s, here %s)', async (_, canSsh, state, ending) => {
    const pair = pairOf('split');
    pair.canSsh = canSsh;
    pair.forgetSplit('node2', state);
    if (canSsh) pair.forgetSplit('node1', 'StandAlone');
    const came = await repairing('node2')(pair).catch(({ ending }) => ending);
    expect(came).toBe(ending);
    expect([pair.lost, pair.links.node2.discards]).toEqual([null, false]);
  });

  test.each([
    ['node1', ['discard-younger-primary', 'consensus', 'disconnect'], 'well'],
    ['node2', ['disconnect', 'discard-secondary', 'disconnect'], 'well'],
    ['node1', ['disconnect', 'violently-as0p', 'disconnect'], 'broken'],
    ['node2', ['discard-least-changes', 'call-pri-lost-after-sb', 'disconnect'], 'broken'],
  ] as const)('from %s, policies %j: %s', async (from, policies, ending) => {
    const pair = pairOf('split');
    pair.policies = policies;
    const came = await repairing(from)(pair).catch(({ ending }) => ending);
    expect([came, pair.lost]).toEqual([ending, ending === 'well' ? 'node2' : null]);
    expect(pair.links.node2).toEqual({
      state: ending === 'well' ? 'Connected' : 'StandAlone',
      discards: false,
    });
  });

  test('the other node has an older tsha: neither its silence nor its refusal is taken for more', async () => {
    const pair = pairOf('split');
    [pair.tells, pair.hangup] = [false, 'refused'];
    expect(await repairing('node1')(pair)).toBe('well');
    const waiting = pairOf('split');
    waiting.tells = false;
    waiting.forgetSplit('node1', 'Connecting');
    expect(await repairing('node1')(waiting)).toBe('attention');
    expect(waiting.links.node2.state).toBe('StandAlone');
  });

  test.each(['silent', 'refused'] as const)(
    'interrupted, and the victim’s tsha is %s: not said to be taken back, but for what this side sees',
    async (hangup) => {
      const length = await lengthOf({ state: 'split', command: repairing('node1'), holds: () => {} });
      const endings = new Set<string>();
      for (let call = 1; call <= length; call++) {
        const pair = pairOf('split');
        pair.hangup = hangup;
        said.splice(0);
        const kill: Kill = { call, when: 'after', signal: 'INT' };
        if ((await pair.run(() => repairing('node1')(pair), kill)) === 'ended') continue;
        const [told = ''] = said.filter((text) => /interrupted|goes on by itself/.test(text));
        if (told !== '') expect([call, pair.ending]).toEqual([call, 'halfway']);
        endings.add(told.replace(/:.*/, '').trim());
      }
      expect([...endings]).toEqual([
        '',
        'interrupted, and not known whether it still waits to give up what it has',
        'the two sides are connected; DRBD goes on by itself',
      ]);
    },
  );

  test('somebody disconnects the side that stays meanwhile: it stays so, and the command ends', async () => {
    const pair = pairOf('split');
    pair.canSsh = false;
    const { node1 } = pair.machines;
    const argv = ['drbdadm', 'disconnect', 'data'] as const;
    let done = false;
    node1.onTick = () => {
      if (pair.links.node1.state !== 'Connecting' || done) return;
      done = true;
      void node1.run({ argv, timeoutMs: 1 });
    };
    const { clock } = node1;
    expect(await repairing('node1')(pair)).toBe('halfway');
    expect([pair.links.node1.state, pair.lost]).toEqual(['StandAlone', null]);
    expect(node1.clock - clock).toBeLessThan(60_000);
  });

  test('a split brain whose other side lets nobody in: the victim’s part is done by hand', async () => {
    const pair = pairOf('split');
    pair.canSsh = false;
    const { node1, node2 } = pair.machines;
    const argv = ['drbdadm', 'connect', '--discard-my-data', 'data'] as const;
    node1.onTick = () => {
      if (pair.links.node1.state === 'Connecting') void node2.run({ argv, timeoutMs: 1 });
    };
    const command = repairing('node1')(pair);
    expect(await command).toBe('well');
    expect(pair.lost).toBe('node2');
  });

  test('two at once on one node: the second is told who is at work', async () => {
    const pair = pairOf('healthy');
    const first = switching(pair);
    await expect(switching(pair)).rejects.toThrow(
      /somebody is at work on this node.*tsha switch node1 \(pid \d+\)/,
    );
    expect(await first).toBe('well');
  });

  test('two at once on two nodes: the second constraint is not taken', async () => {
    const pair = pairOf('healthy');
    const { node2 } = pair.machines;
    const honest = node2.handler('cibadmin');
    node2.on('cibadmin', (args, command) => {
      if (args[0] === '--create')
        pair.constraint = '<rsc_location id="cli-prefer-DataClone" rsc="DataClone"/>';
      return honest(args, command);
    });
    await expect(switching(pair)).rejects.toThrow(/did not take the constraint/);
    expect(pair.constraint).not.toBeNull();
  });

  test('cibadmin does not answer: it says that it does not know, and takes nothing of others away', async () => {
    const pair = pairOf('healthy');
    const { node2 } = pair.machines;
    const honest = node2.handler('cibadmin');
    node2.on('cibadmin', (args, command) =>
      args[0] === '--query' ? honest(args, command) : { code: 124, hung: 'pid 77 in state D' },
    );
    await expect(switching(pair)).rejects.toThrow(/cibadmin did not answer.*ends by itself at/);
  });
});
