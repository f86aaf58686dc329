import { describe, expect, test } from 'vitest';
import { didNotWork, openersIn } from '../../../../lib/host/drbd/admin.ts';
import { nameTrouble } from '../../../../lib/host/drbd/state.ts';
import type { Output } from '../../../../lib/host/sys/sys.ts';
import { FakeDrbd, resource, volumes } from '../../../fake/drbd.ts';
import {
  act,
  away,
  beta,
  busy,
  good,
  heldOpen,
  isPrimary,
  isSecondary,
  meta,
  noData,
  param,
  primary,
  secondary,
  timeout,
} from '../../../fake/drbd-actions.ts';
import { hangs } from '../../../fake/machine.ts';

// Faults that were found beside the specification, by their rows. Each is a kind: its neighbours stand below it.

const readsNothing: readonly (readonly [string, Partial<Output>])[] = [
  ['is ended by SIGSEGV', { code: 139, stderr: '' }],
  ['is ended by SIGABRT', { code: 134, stderr: "drbdadm: config.c:12: Assertion `0 == 1' failed.\n" }],
  ['is ended by SIGKILL', { code: 137 }],
  ['may not be executed', { code: 126, stderr: 'sh: drbdadm: Permission denied\n' }],
  [
    'lacks a library',
    { code: 127, stderr: 'drbdadm: error while loading shared libraries: libkeyutils.so.1\n' },
  ],
  ['is not installed', { code: 127, missing: true }],
  ['cannot read its configuration', { code: 10, stderr: "a.res:1: Parse error: 'on' expected\n" }],
  ['does not know the resource', { code: 1, stderr: "'r0' not defined in your config (for this host).\n" }],
  ['cannot run drbdsetup', { code: 20, stderr: 'Can not exec drbdsetup\n' }],
  ['hangs', { code: 124, hung: 'pid 77 in state D after 9 s' }],
  ['says nothing at all', { code: 1 }],
  [
    'asks for a minor that is not there',
    { code: 10, stderr: '5: Failure: (127) Device minor not allocated\n' },
  ],
  ['asks for a resource that is not there', { code: 10, stderr: 'r1: Failure: (158) Unknown resource\n' }],
  ['crashes after DRBD has refused', { code: 139, stderr: busy.stderr }],
];
const refuses: readonly (readonly [string, Partial<Output>])[] = [
  ['the device is open', busy],
  ['no data', noData],
  ['a failure in words', { code: 10, stderr: 'r0: Failure: (143) Interrupted by user\n' }],
  ['in a language of its own', { code: 11, stderr: 'Device is held open\n' }],
];

describe('D1 drbdadm itself does not work', () => {
  test.each(readsNothing)('%s: drbdsetup stops a Secondary', async (_what, answer) => {
    const drbd = new FakeDrbd({ state: isSecondary }).answer('drbdadm', answer);
    expect(await act('stop', drbd)).toMatchObject({
      code: 0,
      reason: '',
      did: ['drbdadm down r0', 'drbdsetup down r0'],
    });
  });
  test.each(readsNothing)('%s: drbdsetup demotes and stops a Primary', async (_what, answer) => {
    const demoted = new FakeDrbd({ state: isPrimary }).answer('drbdadm', answer);
    expect((await act('demote', demoted)).code).toBe(0);
    const eight = new FakeDrbd({ generation: 8, state: primary([good, good], `${beta} UpToDate`) });
    expect((await act('stop', eight.answer('drbdadm', answer))).did).toEqual([
      'drbdsetup secondary 0',
      'drbdsetup secondary 1',
      'drbdadm down r0',
      'drbdsetup down r0',
    ]);
  });
  test.each(readsNothing)('%s: never a promotion without it', async (_what, answer) => {
    const drbd = new FakeDrbd({ state: isSecondary }).answer('drbdadm primary', answer);
    const { code, did } = await act('promote', drbd);
    expect(code).toBe(1);
    expect(did.filter((line) => line.startsWith('drbdsetup'))).toEqual([]);
    expect(drbd.state?.role).toBe('Secondary');
  });
  test.each(refuses)('DRBD refuses, %s: nobody asks again in another way', async (_what, answer) => {
    const drbd = new FakeDrbd({ state: isSecondary, env: timeout(4000) }).answer('drbdadm down', answer);
    const { code, did } = await act('stop', drbd);
    expect(code).toBe(1);
    expect(did.filter((line) => line.startsWith('drbdsetup'))).toEqual([]);
  });
  test('drbdadm hangs until it is killed: half of the time is left for drbdsetup', async () => {
    const drbd = new FakeDrbd({ state: isSecondary, env: timeout(100_000) });
    drbd.machine.on('drbdadm', (_args, command) => hangs(command, drbd.machine));
    expect((await act('stop', drbd)).code).toBe(0);
    expect(drbd.machine.clock).toBeLessThan(60_000);
  });
  test('drbdsetup is missing as well: its absence does not hide what drbdadm said', async () => {
    const state = resource('Secondary', volumes(good), ['peer Connected Secondary UpToDate']);
    const drbd = new FakeDrbd({ generation: 8, state }).answer('drbdadm', { code: 139 });
    for (const [file, text] of [['/sys/kernel/debug/drbd/resources/r0/volumes/0/x', '']] as const)
      drbd.machine.files.set(file, text);
    drbd.machine.links.set('/sys/kernel/debug/drbd/minors/0', '../resources/r0/volumes/0');
    drbd.answer('drbdsetup', { code: 127, missing: true });
    const { code, reason } = await act('stop', drbd);
    expect(code).toBe(1);
    expect(reason).toContain('ended by signal 11');
  });
  test('a start that meets an aborting drbdadm is a failure here, not a node without DRBD', async () => {
    expect((await act('start', new FakeDrbd({}).answer('drbdadm sh-dev', { code: 139 }))).code).toBe(1);
  });
  test('what is a refusal', () => {
    const output = (given: Partial<Output>) => ({ code: 0, stdout: '', stderr: '', ...given });
    for (const [, given] of readsNothing) expect(didNotWork(output(given))).toBe(true);
    for (const [, given] of refuses) expect(didNotWork(output(given))).toBe(false);
    expect(didNotWork(output({}))).toBe(false);
  });
});

describe('D2 the kernel names who has the device open', () => {
  const stderr = `${busy.stderr}additional info from kernel:\ndrbd0 opened by dd (pid 6835) at 2026-11-28 17:29:39.433\nCommand 'drbdsetup secondary r0' terminated with exit code 11\n`;
  test.each(['demote', 'stop'])('%s: nobody else knows it', async (action) => {
    const drbd = new FakeDrbd({ state: isPrimary }).answer('drbdadm secondary', { code: 11, stderr });
    const { code, reason } = await act(action, drbd);
    expect(code).toBe(1);
    expect(reason).toContain('/dev/drbd0 opened by dd (pid 6835)');
    expect(reason).not.toContain('nobody visible');
  });
  test('a process that /proc shows as well is named once', async () => {
    const drbd = heldOpen(new FakeDrbd({ state: isPrimary }));
    const twice = stderr.replace('dd (pid 6835)', 'tar (pid 815)');
    const { reason } = await act('stop', drbd.answer('drbdadm secondary', { code: 11, stderr: twice }));
    expect(reason.match(/pid 815/g)).toHaveLength(1);
    expect(reason).toContain('mounted on /srv/nfs');
  });
  test('names hold anything, and there can be several', () => {
    const text = 'drbd1 opened by a (pid b) (pid 12) at x\ndrbd2 opened by tmux: server (pid 7) at y\n';
    expect(openersIn({ stderr: text })).toEqual([
      { device: 'drbd1', name: 'a (pid b)', pid: 12 },
      { device: 'drbd2', name: 'tmux: server', pid: 7 },
    ]);
  });
});

describe('D4 a fencing constraint is ours by resource and clone', () => {
  const located = (id: string, rsc = 'p_drbd-clone') =>
    `<rsc_location id="${id}" rsc="${rsc}"><rule role="Master" score="-INFINITY"/></rsc_location>`;
  const clones = (inner: string) =>
    `<resources><clone id="p_drbd-clone">${inner}</clone><clone id="other"/></resources>`;
  const node = (xml: string, env: NodeJS.ProcessEnv, handler = '') => {
    const drbd = new FakeDrbd({ state: isPrimary, env });
    drbd.options = `<section name="net"><option name="fencing" value="resource-only"/></section><section name="handlers"><option name="fence-peer" value="/usr/lib/drbd/crm-fence-peer.9.sh${handler}"/><option name="unfence-peer" value="x"/></section>`;
    drbd.machine.on('/usr/lib/drbd/crm-fence-peer.9.sh', () => '');
    drbd.answer('crm_resource', '<op name="promote" timeout="300s"/>');
    return (
      drbd.machine.on('cibadmin', (args) =>
        args.includes('resources')
          ? clones('<group><primitive id="p_drbd"/></group>')
          : `<constraints>${xml}</constraints>`,
      ) && drbd
    );
  };
  test.each([
    ['ours', located('drbd-fence-by-handler-r0-p_drbd-clone'), '', 1],
    [
      'of another resource whose name ends like ours',
      located('drbd-fence-by-handler-my-r0-p_drbd-clone'),
      '',
      0,
    ],
    ['of a resource whose name begins like ours', located('drbd-fence-by-handler-r0-my-p_drbd-clone'), '', 0],
    ['of another clone', located('drbd-fence-by-handler-r0-other', 'other'), '', 0],
    [
      'of nobody: an ordinary location',
      '<rsc_location id="cli-prefer-r0-p_drbd-clone" rsc="p_drbd-clone" node="me" score="INFINITY"/>',
      '',
      0,
    ],
    ['with our own prefix', located('mine-r0-p_drbd-clone'), ' --id-prefix=mine', 1],
    ['with our own prefix, of another resource', located('mine-my-r0-p_drbd-clone'), ' --id-prefix mine', 0],
    ['without the clone', located('drbd-fence-by-handler-r0'), '', 1],
  ])('%s', async (_what, xml, handler, times) => {
    const audited = await act('validate-all', node(xml, { OCF_CHECK_LEVEL: '10' }, handler));
    expect(audited.lines.filter((line) => line.includes('still forbids'))).toHaveLength(times);
    const drbd = node(xml, param('unfence_if_all_uptodate', 'yes'), handler);
    const ran = (await act('monitor', drbd)).did.filter((line) => line.includes('unfence-peer'));
    expect(ran).toHaveLength(times);
  });
});

describe('D5 force comes 15 s before the timeout, whatever the first try does', () => {
  const env = { ...param('demote_force', 'yes'), ...timeout(90_000) };
  const forced = 'drbdsetup secondary --force=yes r0';
  const clockAtForce = async (action: string, prepare: (drbd: FakeDrbd) => unknown) => {
    const drbd = new FakeDrbd({ state: isPrimary, env });
    prepare(drbd);
    let clock: number | undefined;
    drbd.answer(forced, () => {
      clock = drbd.machine.clock;
      return undefined;
    });
    expect((await act(action, drbd)).code).toBe(0);
    return clock;
  };
  test.each(['demote', 'stop'])('%s: drbdadm and drbdsetup hang', async (action) => {
    const clock = await clockAtForce(action, (drbd) => {
      const { machine } = drbd;
      machine.on('drbdadm', (args, command) => {
        if (args.includes('secondary')) return hangs(command, machine);
        drbd.state = undefined;
        return '';
      });
      drbd.onDrbdsetup('secondary', (command) =>
        command.argv.includes('--force=yes') ? undefined : hangs(command, machine),
      );
    });
    expect(clock).toBeGreaterThanOrEqual(75_000);
    expect(clock).toBeLessThan(77_500);
  });
  test('drbdadm alone hangs: drbdsetup does it long before', async () => {
    const drbd = new FakeDrbd({ state: isPrimary, env });
    drbd.machine.on('drbdadm', (_args, command) => hangs(command, drbd.machine));
    const { code, did } = await act('demote', drbd);
    expect({ code, last: did.at(-1) }).toEqual({ code: 0, last: 'drbdsetup secondary r0' });
  });
  test('it is refused again and again', async () => {
    const clock = await clockAtForce('demote', (drbd) => drbd.answer('drbdadm secondary', busy));
    expect(clock).toBeGreaterThanOrEqual(75_000);
    expect(clock).toBeLessThan(77_500);
  });
});

describe('D6 a name that means more, or less, than one resource', () => {
  const names = ['all', 'r0/0', 'r0:beta', 'r0:beta/1', 'minor-0', '/dev/drbd0'];
  test.each(names)('%s: nothing is brought up', async (name) => {
    for (const action of ['start', 'promote', 'reload', 'validate-all']) {
      const drbd = new FakeDrbd({ env: param('drbd_resource', name) });
      expect(await act(action, drbd)).toMatchObject({
        code: 6,
        did: [],
        reason: expect.stringContaining(name),
      });
    }
  });
  test.each(names)('%s: a stop touches nothing', async (name) => {
    const drbd = new FakeDrbd({ state: isPrimary, env: param('drbd_resource', name) });
    expect((await act('stop', drbd)).did).toEqual([]);
    expect(drbd.state).toBe(isPrimary);
  });
  test.each(['r0', 'all-data', 'minor-data', 'data.0', 'vm%1@site=a', '_x'])('%s is one', (name) =>
    expect(nameTrouble(name)).toBeUndefined(),
  );
});

describe('D7 a resync that is suspended', () => {
  test.each([
    ['SyncTarget', 'user', 'suspended by user'],
    ['SyncTarget', 'peer', 'suspended by peer'],
    ['PausedSyncS', 'dependency', 'suspended by dependency'],
    ['PausedSyncT', 'user,dependency', /suspended by user \(.*\) and dependency/],
  ])('%s, %s', async (replication, pauses, words) => {
    const state = secondary(
      ['Inconsistent'],
      `beta Connected Primary UpToDate+${replication}:42.5:${pauses}`,
    );
    const { lines, state: attribute } = await act('monitor', { state });
    expect(lines.join()).toMatch(words);
    expect(lines.join()).not.toContain('being synchronized');
    expect(attribute).toBe(`${replication.toLowerCase()} 40% suspended ${pauses}`);
  });
  test('one that goes on is not', async () => {
    const state = secondary(['Inconsistent'], 'beta Connected Primary UpToDate+SyncTarget:42.5');
    expect((await act('monitor', { state })).lines.join()).toContain('is being synchronized with beta');
  });
});

describe('D8 the resource was renamed in the kernel', () => {
  const renamed = (role: 'Primary' | 'Secondary') => ({ ...primary([good], beta), role, name: 'other' });
  const actions = ['monitor', 'demote', 'stop'] as const;
  const probe = meta('interval', '0');
  test.each(actions)('%s: a Primary has its minor by the configuration', async (action) => {
    const { code, reason, did } = await act(action, { state: renamed('Primary') });
    expect({ code, did }).toEqual({ code: 1, did: [] });
    expect(reason).toContain('minor 0 of r0 is up in the kernel as other (Primary): if that is r0, renamed:');
  });
  test.each(actions)('%s: it was seen on that minor', async (action) => {
    for (const role of ['Primary', 'Secondary'] as const) {
      const drbd = new FakeDrbd({ state: isSecondary });
      await act('monitor', drbd);
      drbd.state = renamed(role);
      const { code, reason, did } = await act(action, drbd);
      expect({ code, did }).toEqual({ code: 1, did: [] });
      expect(reason).toContain(`as other (${role}): drbdsetup rename-resource other r0`);
    }
  });
  test('a probe does not call it stopped', async () => {
    expect((await act('monitor', { state: renamed('Primary'), env: probe })).code).toBe(1);
  });
  describe.each([
    ['is Secondary', 'Secondary', false],
    ['is itself in the configuration', 'Primary', true],
  ] as const)(
    'D17 only the configuration gives the minor to it, and who has the minor %s',
    (_what, role, isKnown) => {
      const node = (env: NodeJS.ProcessEnv = {}) => {
        const drbd = new FakeDrbd({ state: renamed(role), env });
        return isKnown ? drbd.answer('drbdadm sh-dev other', '/dev/drbd7\n') : drbd;
      };
      test.each([
        ['monitor', 7],
        ['demote', 7],
        ['stop', 0],
      ] as const)('%s: %i, told', async (action, code) => {
        const outdates = {
          ...param('stop_outdates_secondary', '1'),
          ...meta('notify_promoted_uname', 'beta'),
        };
        const drbd = node(outdates);
        const answer = await act(action, drbd);
        expect(answer).toMatchObject({ code, did: [] });
        expect(answer.lines.join()).toContain(`minor 0 of r0 is up in the kernel as other (${role})`);
        expect(answer.lines.join()).not.toContain('rename-resource');
        expect(drbd.state).toEqual(renamed(role));
      });
      test('a probe: 7', async () => expect((await act('monitor', node(probe))).code).toBe(7));
      test('a start fails, and nothing was touched', async () => {
        const { code, did, reason } = await act('start', node());
        expect({ code, did }).toEqual({ code: 1, did: [] });
        expect(reason).toContain('minor 0 of r0 is up in the kernel as other');
      });
    },
  );
  test.each(actions)('%s: its minor as it was seen last is up, the configuration is gone', async (action) => {
    const drbd = new FakeDrbd({ state: isPrimary });
    await act('monitor', drbd);
    drbd.state = renamed('Primary');
    drbd.answer('drbdadm', { code: 1, stderr: "'r0' not defined in your config (for this host).\n" });
    expect((await act(action, drbd)).code).toBe(1);
  });
  test('a start does not go on beside it', async () => {
    expect((await act('start', new FakeDrbd({ state: renamed('Secondary') }))).did).toEqual([]);
  });
  test('the minor was removed since, and made anew for somebody else', async () => {
    const drbd = new FakeDrbd({ state: isPrimary });
    drbd.machine.files.set('/sys/block/drbd0/diskseq', '11\n');
    await act('monitor', drbd);
    drbd.state = renamed('Primary');
    drbd.machine.files.set('/sys/block/drbd0/diskseq', '12\n');
    drbd.answer('drbdadm sh-dev', '/dev/drbd5\n');
    expect((await act('stop', drbd)).code).toBe(0);
  });
  test('another resource is up, with minors of its own', async () => {
    const state = { ...renamed('Primary'), devices: [{ ...volumes(good)[0], minor: 7 } as never] };
    expect((await act('stop', new FakeDrbd({ state }))).code).toBe(0);
    expect((await act('monitor', new FakeDrbd({ state }))).code).toBe(7);
  });
  test('who is up cannot be asked: not absent', async () => {
    const drbd = new FakeDrbd({ state: renamed('Primary') });
    drbd.machine.on('drbdsetup', (args) =>
      args.length > 2 ? 'exists -\n' : { code: 20, stderr: 'netlink\n' },
    );
    for (const action of actions) expect((await act(action, drbd)).code).toBe(1);
  });
  test.each([
    ['fails once', { code: 20, stderr: 'netlink\n' }],
    ['is incomplete once', 'exists resource name:other role:Primary suspended:no\n'],
  ])('D18 who is up: the query %s: asked again', async (_what, answer) => {
    for (const [action, code] of [
      ['monitor', 7],
      ['demote', 7],
      ['stop', 0],
    ] as const) {
      let times = 0;
      const drbd = new FakeDrbd({});
      drbd.machine.on('drbdsetup', (args) => {
        if (args.length > 2) return 'exists -\n';
        times += 1;
        return times === 1 ? answer : 'exists -\n';
      });
      expect((await act(action, drbd)).code).toBe(code);
      expect(times).toBe(2);
    }
  });
  test('who is up: the query hangs for ever: a reason before the timeout', async () => {
    const drbd = new FakeDrbd({ env: timeout(20_000) });
    drbd.machine.on('drbdsetup', (args, command) =>
      args.length > 2 ? 'exists -\n' : hangs(command, drbd.machine),
    );
    expect(await act('monitor', drbd)).toMatchObject({ code: 1, reason: expect.stringContaining('hung') });
    expect(drbd.machine.clock).toBeLessThan(20_000);
  });
  test('after a stop its minors are forgotten', async () => {
    const drbd = new FakeDrbd({ state: isSecondary });
    for (const action of ['monitor', 'stop']) await act(action, drbd);
    drbd.state = renamed('Secondary');
    drbd.answer('drbdadm sh-dev', { code: 1, stderr: 'not defined\n' });
    expect((await act('stop', drbd)).code).toBe(0);
  });
});

describe('an error is no absence', () => {
  test.each([
    ['/proc/drbd', 'EIO'],
    ['/sys/module/drbd', 'EACCES'],
  ])('%s: %s', async (path, code) => {
    for (const action of ['monitor', 'stop', 'demote']) {
      const drbd = new FakeDrbd({ state: isPrimary, module: path === '/proc/drbd' });
      const { machine } = drbd;
      const fails = (looked: string) => {
        if (looked === path) throw Object.assign(new Error(code), { code });
      };
      const { read, facts } = { read: machine.read.bind(machine), facts: machine.facts.bind(machine) };
      machine.read = async (file) => {
        fails(file);
        return read(file);
      };
      machine.facts = async (file, follow) => {
        fails(file);
        return facts(file, follow);
      };
      const { code: answer, reason } = await act(action, drbd);
      expect(answer).toBe(1);
      expect(reason).toContain(`cannot look at ${path}: ${code}`);
    }
  });
});

test('nothing of this is told of a peer that is simply away', async () => {
  expect((await act('monitor', { state: primary([good], away) })).lines).toEqual([
    'r0: connection to beta is Connecting',
  ]);
});
