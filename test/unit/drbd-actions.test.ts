import { describe, expect, test } from 'vitest';
import { drbd as agent } from '../../agents/drbd/agent.ts';
import type { Log } from '../../lib/ocf/log.ts';
import { runAction } from '../../lib/ocf/run.ts';
import { FakeDrbd, resource, volumes } from '../fake/drbd.ts';
import { hangs } from '../fake/machine.ts';

const silent: Log = { crit() {}, error() {}, warn() {}, info() {}, debug() {} };
const timeout = (ms: number) => ({ OCF_RESKEY_CRM_meta_timeout: String(ms) });
const good = 'UpToDate';
const beta = 'beta Connected Secondary UpToDate';
const away = 'beta Connecting Unknown DUnknown';
const isSecondary = resource('Secondary', volumes(good), [beta]);
const isPrimary = resource('Primary', volumes(good), [beta]);
const busy = { code: 11, stderr: '0: State change failed: (-12) Device is held open by someone\n' };
const undefinedHere = { code: 1, stderr: "'r0' not defined in your config (for this host).\n" };

type Setup = ConstructorParameters<typeof FakeDrbd>[0];

async function act(action: string, drbd: FakeDrbd, log = silent) {
  const { code, reason = '' } = await runAction(agent, action, drbd.machine, log);
  return { code, reason, did: drbd.did, score: drbd.score };
}

/** The device is mounted, so that it cannot become Secondary. */
function heldOpen(drbd: FakeDrbd): FakeDrbd {
  drbd.machine.files.set(
    '/proc/self/mountinfo',
    '30 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 30 147:0 / /srv/nfs rw - xfs /dev/drbd0 rw\n',
  );
  drbd.machine.process(815, { comm: 'tar\n' }, { 'fd/3': '/dev/drbd0', 'ns/mnt': 'mnt:[1]' });
  return drbd.answer('drbdadm secondary', busy);
}

const waits = '--wfc-timeout=5 --degr-wfc-timeout=5 --outdated-wfc-timeout=5';
const fresh = ['check-resize r0', 'new-resource r0', 'new-minor r0', 'adjust --skip-net r0'].map(
  (words) => `drbdadm ${words}`,
);
const connected = ['drbdadm adjust r0', `drbdsetup wait-connect-resource r0 ${waits}`];

describe('start', () => {
  const starts: readonly (readonly [string, Setup, readonly string[], string?])[] = [
    ['fresh', {}, [...fresh, ...connected]],
    ['without the module', { module: false }, ['modprobe -s drbd minor_count=32', ...fresh, ...connected]],
    ['connect only after promotion', { env: { OCF_RESKEY_connect_only_after_promote: 'yes' } }, fresh],
    ['wfc_timeout empty', { env: { OCF_RESKEY_wfc_timeout: '' } }, [...fresh, 'drbdadm adjust r0']],
    ['wfc_timeout=none', { env: { OCF_RESKEY_wfc_timeout: 'none' } }, [...fresh, 'drbdadm adjust r0']],
    [
      'wfc_timeout=30',
      { env: { OCF_RESKEY_wfc_timeout: '30' } },
      [...fresh, ...connected].map((line) => line.replaceAll('=5', '=30')),
    ],
    ['already Secondary', { state: isSecondary }, connected],
    ['already Primary', { state: isPrimary }, ['drbdadm secondary r0', ...connected]],
    [
      'Inconsistent, alone',
      { configured: resource('Secondary', volumes('Inconsistent'), [away]) },
      [...fresh, ...connected],
      '-',
    ],
    [
      'DRBD 8.4',
      { generation: 8, env: { OCF_RESKEY_CRM_meta_notify_slave_uname: 'me beta' } },
      [
        ...fresh.slice(0, 3),
        'drbdadm attach r0',
        'drbdadm --peer beta adjust r0',
        `drbdsetup wait-connect /dev/drbd0 ${waits}`,
      ],
    ],
    [
      'DRBD 8.4, left created only',
      {
        generation: 8,
        state: resource('Secondary', volumes('Diskless'), ['peer StandAlone Unknown DUnknown']),
      },
      ['drbdadm attach r0', 'drbdadm adjust r0', `drbdsetup wait-connect /dev/drbd0 ${waits}`],
    ],
  ];
  test.each(starts.map(([what, setup, did, score = '10000']) => [what, setup, did, score] as const))(
    'from %s',
    async (_what, setup, did, score) => {
      const drbd = new FakeDrbd(setup);
      expect(await act('start', drbd)).toEqual({ code: 0, reason: '', did, score });
      expect(drbd.state?.role).toBe('Secondary');
    },
  );

  test('the Primary that the cluster knows is connected first', async () => {
    const drbd = new FakeDrbd({});
    drbd.promotedNodes = ['beta'];
    expect((await act('start', drbd)).did).toEqual([
      ...fresh,
      'drbdadm -d connect r0:beta',
      'drbdadm adjust r0:beta',
      `drbdsetup wait-connect-connection r0 1 ${waits}`,
      ...connected,
    ]);
  });

  const failures: readonly (readonly [string, (drbd: FakeDrbd) => unknown, number, string, Setup?])[] = [
    [
      'modprobe fails',
      (drbd) => drbd.answer('modprobe', { code: 1, stderr: 'modprobe: FATAL: Module drbd not found\n' }),
      5,
      'Module drbd not found',
      { module: false },
    ],
    [
      'no module at all',
      (drbd) => drbd.answer('modinfo', { code: 1 }),
      5,
      'neither loaded nor installed',
      { module: false },
    ],
    [
      'not in the configuration',
      (drbd) => drbd.answer('drbdadm sh-dev', undefinedHere),
      5,
      "'r0' not defined in your config",
    ],
    [
      'no configuration file',
      (drbd) => drbd.answer('drbdadm sh-dev', { code: 20, stderr: "Can not open '/etc/drbd.conf'.\n.\n" }),
      5,
      "Can not open '/etc/drbd.conf'",
    ],
    [
      'new-resource fails',
      (drbd) =>
        drbd.answer('drbdadm new-resource', { code: 10, stderr: 'r0: Failure: (161) out of memory\n' }),
      1,
      'r0: Failure: (161) out of memory',
    ],
    [
      'attach fails twice',
      (drbd) => drbd.answer('drbdadm adjust --skip-net', { code: 1, stderr: 'No valid meta data found\n' }),
      1,
      'r0 failed to attach: No valid meta data found',
    ],
    [
      'the device node does not come',
      () => {},
      1,
      'device node /dev/drbd0 does not appear',
      { nodes: false },
    ],
  ];
  test.each(
    failures.map(([what, spoil, code, reason, setup = {}]) => [what, spoil, code, reason, setup] as const),
  )('%s', async (_what, spoil, code, reason, setup) => {
    const drbd = new FakeDrbd({ ...setup, env: timeout(240_000) });
    spoil(drbd);
    const result = await act('start', drbd);
    expect(result).toMatchObject({ code, reason: expect.stringContaining(reason) });
    expect(drbd.machine.clock).toBeLessThan(230_000);
  });

  test('attach works the second time', async () => {
    const drbd = new FakeDrbd({});
    drbd.answer('drbdadm adjust --skip-net', (times) => (times === 0 ? { code: 1 } : undefined));
    expect((await act('start', drbd)).code).toBe(0);
  });

  test.each([
    ['adjust fails', 'drbdadm adjust r0', { code: 1, stderr: 'r0: Failure: (102) Local address in use\n' }],
    ['nobody connects', 'drbdsetup wait-connect', { code: 5 }],
  ])('%s: started all the same', async (_what, command, answer) => {
    const drbd = new FakeDrbd({}).answer(command, answer);
    expect((await act('start', drbd)).code).toBe(0);
  });

  test('waiting for a connection ends before the timeout', async () => {
    const drbd = new FakeDrbd({ env: { ...timeout(60_000), OCF_RESKEY_wfc_timeout: '0' } });
    const { machine } = drbd;
    machine.on('drbdsetup', (args, command) =>
      args[0] === 'events2'
        ? `exists resource name:r0 role:Secondary suspended:no\nexists -\n`
        : hangs(command, machine),
    );
    expect((await act('start', drbd)).code).toBe(0);
    expect(machine.clock).toBeLessThan(60_000);
  });

  test('Primary and held open: ends with who does it', async () => {
    const drbd = heldOpen(new FakeDrbd({ state: isPrimary, env: timeout(20_000) }));
    const result = await act('start', drbd);
    expect(result).toMatchObject({
      code: 1,
      reason: expect.stringContaining('/dev/drbd0 mounted on /srv/nfs'),
    });
  });
});

describe('promote', () => {
  test.each<readonly [string, Setup, number, readonly string[]]>([
    ['Secondary', { state: isSecondary }, 0, ['drbdadm primary r0']],
    ['already Primary', { state: isPrimary }, 0, []],
    [
      'connects after it',
      { state: isSecondary, env: { OCF_RESKEY_connect_only_after_promote: '1' } },
      0,
      ['drbdadm primary r0', 'drbdadm adjust r0'],
    ],
    ['not started', {}, 1, []],
    ['no module', { module: false }, 1, []],
  ])('%s', async (_what, setup, code, did) => {
    const drbd = new FakeDrbd(setup);
    const result = await act('promote', drbd);
    expect(result).toMatchObject({ code, did, score: '=' });
    expect(result.reason === '').toBe(code === 0);
    expect(drbd.machine.clock).toBeLessThan(1000);
  });

  const noData = { code: 17, stderr: '0: State change failed: (-2) Need access to UpToDate data\n' };
  test('no UpToDate data: one try, a reason that says why, 15 s for things to change', async () => {
    const state = resource('Secondary', volumes('Consistent'), [away]);
    const drbd = new FakeDrbd({ state, env: timeout(90_000) }).answer('drbdadm primary', noData);
    const result = await act('promote', drbd);
    expect(result).toMatchObject({ code: 1, did: ['drbdadm primary r0'] });
    expect(result.reason).toContain('volume 0 is Consistent');
    expect(drbd.machine.clock).toBeGreaterThanOrEqual(15_000);
    expect(drbd.machine.clock).toBeLessThan(17_000);
  });

  test('no UpToDate data, then the peer comes: tried again', async () => {
    const state = resource('Secondary', volumes('Consistent'), [away]);
    const drbd = new FakeDrbd({ state, env: timeout(90_000) });
    drbd.answer('drbdadm primary', (times) => (times === 0 ? noData : undefined));
    drbd.machine.onTick = (clock) => {
      if (clock > 3000 && drbd.state === state) drbd.state = isSecondary;
    };
    expect((await act('promote', drbd)).code).toBe(0);
  });

  const twoPrimaries = {
    code: 11,
    stderr: '0: State change failed: (-1) Multiple primaries not allowed by config\n',
  };
  const withPrimary = resource('Secondary', volumes(good), ['beta Connected Primary UpToDate']);
  test('another Primary: retries until shortly before the timeout, with the kernel’s words', async () => {
    const drbd = new FakeDrbd({ state: withPrimary, env: timeout(20_000) }).answer(
      'drbdadm primary',
      twoPrimaries,
    );
    const result = await act('promote', drbd);
    expect(result).toMatchObject({
      code: 1,
      reason: expect.stringContaining('Multiple primaries not allowed'),
    });
    expect(result.did.length).toBeGreaterThan(5);
    expect(drbd.machine.clock).toBeLessThan(20_000);
  });

  const early = { OCF_RESKEY_fail_promote_early_if_peer_primary: 'true' };
  test('another Primary that the cluster does not know: gives up early and takes its score back', async () => {
    const drbd = new FakeDrbd({ state: withPrimary, env: early }).answer('drbdadm primary', twoPrimaries);
    const result = await act('promote', drbd);
    expect(result).toMatchObject({ code: 1, did: ['drbdadm primary r0'], score: '-' });
    expect(result.reason).toContain('a peer is Primary');
  });
  test.each([
    ['that the cluster knows', withPrimary, ['beta']],
    ['is none', isSecondary, []],
  ])('another Primary %s: retries', async (_what, state, promoted) => {
    const drbd = new FakeDrbd({ state, env: early }).answer('drbdadm primary', twoPrimaries);
    drbd.promotedNodes = promoted;
    const result = await act('promote', drbd);
    expect(result.code).toBe(1);
    expect(result.did.length).toBeGreaterThan(5);
  });

  test('says yes and stays Secondary', async () => {
    const drbd = new FakeDrbd({ state: isSecondary }).answer('drbdadm primary', '');
    expect(await act('promote', drbd)).toMatchObject({
      code: 1,
      reason: expect.stringContaining('stays Secondary'),
    });
  });

  test('DRBD 8.4, halfway: not promoted until every volume is', async () => {
    const half = resource('Primary', volumes(`${good} Primary`, `${good} Secondary`), [
      'peer Connected Secondary UpToDate UpToDate',
    ]);
    const drbd = new FakeDrbd({ generation: 8, state: half }).answer('drbdadm primary', {
      code: 11,
      stderr: '1: State change failed: (-7)\n',
    });
    expect(await act('promote', drbd)).toMatchObject({ code: 1, reason: expect.stringContaining('(-7)') });
  });

  test('the state is unknown: failed, nothing done', async () => {
    const drbd = new FakeDrbd({ state: isSecondary }).answer('drbdsetup', { code: 20, stderr: 'netlink\n' });
    expect(await act('promote', drbd)).toMatchObject({
      code: 1,
      did: [],
      reason: expect.stringContaining('netlink'),
    });
  });
});

describe('demote', () => {
  test.each<readonly [string, Setup, number, readonly string[]]>([
    ['Primary', { state: isPrimary }, 0, ['drbdadm secondary r0']],
    ['Secondary', { state: isSecondary }, 0, []],
    ['not started', {}, 1, []],
  ])('%s', async (_what, setup, code, did) => {
    expect(await act('demote', new FakeDrbd(setup))).toMatchObject({ code, did });
  });
  test('held open: before the timeout, with everyone who does it', async () => {
    const drbd = heldOpen(new FakeDrbd({ state: isPrimary, env: timeout(90_000) }));
    const { code, reason } = await act('demote', drbd);
    expect(code).toBe(1);
    expect(reason).toBe(
      'demoting r0 failed: /dev/drbd0 mounted on /srv/nfs, /dev/drbd0 open in tar (pid 815): 0: State change failed: (-12) Device is held open by someone',
    );
    expect(drbd.machine.clock).toBeLessThan(90_000);
  });
  test('the configuration is gone', async () => {
    const drbd = new FakeDrbd({ state: isPrimary }).answer('drbdadm', undefinedHere);
    expect(await act('demote', drbd)).toMatchObject({
      code: 0,
      did: ['drbdadm secondary r0', 'drbdsetup secondary r0'],
    });
  });
  test('the configuration is gone, DRBD 8.4', async () => {
    const drbd = new FakeDrbd({ generation: 8, state: isPrimary }).answer('drbdadm', undefinedHere);
    expect((await act('demote', drbd)).did).toEqual(['drbdadm secondary r0', 'drbdsetup secondary 0']);
  });
});

describe('stop', () => {
  test.each<readonly [string, Setup, readonly string[]]>([
    ['Secondary', { state: isSecondary }, ['drbdadm down r0']],
    ['Primary', { state: isPrimary }, ['drbdadm secondary r0', 'drbdadm down r0']],
    ['not there', {}, []],
    ['no module', { module: false }, []],
    [
      'Primary, device nodes gone',
      { state: isPrimary, nodes: false },
      ['drbdadm secondary r0', 'drbdadm down r0'],
    ],
    [
      'DRBD 8.4, only created',
      {
        generation: 8,
        state: resource('Secondary', volumes('Diskless'), ['peer StandAlone Unknown DUnknown']),
      },
      ['drbdadm down r0'],
    ],
  ])('%s', async (_what, setup, did) => {
    const drbd = new FakeDrbd(setup);
    expect(await act('stop', drbd)).toEqual({ code: 0, reason: '', did, score: '-' });
    expect(drbd.state).toBeUndefined();
  });

  test('Primary and held open: failed, who and why', async () => {
    const drbd = heldOpen(new FakeDrbd({ state: isPrimary, env: timeout(100_000) }));
    const result = await act('stop', drbd);
    expect(result).toMatchObject({
      code: 1,
      score: '=',
      reason: expect.stringContaining('mounted on /srv/nfs'),
    });
    expect(drbd.machine.clock).toBeLessThan(100_000);
  });
  test('the opener closes in time', async () => {
    const drbd = new FakeDrbd({ state: isPrimary });
    drbd.answer('drbdadm secondary', (times) => (times < 3 ? busy : undefined));
    expect((await act('stop', drbd)).code).toBe(0);
  });
  test('Primary, device node missing, down fails: never 0', async () => {
    const drbd = new FakeDrbd({ state: isPrimary, nodes: false }).answer('drbdadm', busy);
    expect((await act('stop', drbd)).code).toBe(1);
  });
  test.each([
    ['fails', { code: 20, stderr: 'could not connect\n' }],
    ['prints nothing', ''],
    ['tells half', 'exists resource name:r0 role:Primary suspended:no\n'],
  ])('Primary, the query %s, down fails: never 0', async (_what, answer) => {
    const drbd = new FakeDrbd({ state: isPrimary }).answer('drbdsetup', answer).answer('drbdadm', busy);
    const result = await act('stop', drbd);
    expect(result).toMatchObject({ code: 1, score: '=' });
    expect(result.reason).toContain('drbdsetup events2');
  });
  test('down says yes but the resource stays', async () => {
    const drbd = new FakeDrbd({ state: isSecondary }).answer('drbdadm down', '');
    expect((await act('stop', drbd)).code).toBe(1);
  });
  test('down hangs: the reason names it', async () => {
    const drbd = new FakeDrbd({ state: isSecondary });
    drbd.machine.on('drbdadm', (_args, command) => hangs(command, drbd.machine));
    const result = await act('stop', drbd);
    expect(result).toMatchObject({ code: 1, reason: expect.stringContaining('hung') });
  });
  test.each([
    ['gone', undefinedHere],
    ['broken', { code: 10, stderr: "a.res:1: Parse error: 'on' expected\n" }],
    ['and drbdadm are gone', { code: 127, missing: true as const }],
  ])('the configuration is %s: by the kernel’s own name', async (_what, answer) => {
    const drbd = new FakeDrbd({ state: isPrimary }).answer('drbdadm', answer);
    const result = await act('stop', drbd);
    expect(result.code).toBe(0);
    expect(result.did.filter((line) => line.startsWith('drbdsetup'))).toEqual([
      'drbdsetup secondary r0',
      'drbdsetup down r0',
    ]);
  });
  test('no tools, nothing there', async () => {
    const drbd = new FakeDrbd({ module: false, env: { OCF_TESTER_FAIL_HAVE_BINARY: '1' } });
    expect((await act('stop', drbd)).code).toBe(0);
  });
  test.each([
    ['a name that no resource has', { OCF_RESKEY_drbd_resource: 'a b' }],
    [
      'a clone that is misconfigured',
      { OCF_RESKEY_CRM_meta_clone_node_max: '2', OCF_RESKEY_CRM_meta_notify: 'false' },
    ],
  ])('%s', async (_what, env) => {
    expect((await act('stop', new FakeDrbd({ env }))).code).toBe(0);
  });

  const outdates = { OCF_RESKEY_stop_outdates_secondary: 'true' };
  test.each([
    ['another node stays promoted', { OCF_RESKEY_CRM_meta_notify_master_uname: 'beta' }, true],
    ['in newer words', { OCF_RESKEY_CRM_meta_notify_promoted_uname: 'beta' }, true],
    ['nobody is promoted', { OCF_RESKEY_CRM_meta_notify_promoted_uname: ' ' }, false],
    ['only this node is', { OCF_RESKEY_CRM_meta_notify_promoted_uname: 'ME' }, false],
    [
      'that one stops too',
      { OCF_RESKEY_CRM_meta_notify_promoted_uname: 'beta', OCF_RESKEY_CRM_meta_notify_stop_uname: 'me beta' },
      false,
    ],
  ])('outdates the own data when %s: %s', async (_what, env, outdated) => {
    const drbd = new FakeDrbd({ state: isSecondary, env: { ...outdates, ...env } });
    const { did } = await act('stop', drbd);
    expect(did.includes('drbdadm outdate r0')).toBe(outdated);
  });
});

describe('reload', () => {
  test.each<readonly [string, Setup, number, readonly string[], string]>([
    ['Secondary', { state: isSecondary }, 0, ['drbdadm adjust r0'], '10000'],
    ['Primary', { state: isPrimary }, 0, ['drbdadm adjust r0'], '10000'],
    ['not started', {}, 1, [], '-'],
  ])('%s', async (_what, setup, code, did, score) => {
    for (const action of ['reload', 'reload-agent'])
      expect(await act(action, new FakeDrbd(setup))).toMatchObject({ code, did, score });
  });
  test('adjust fails', async () => {
    const drbd = new FakeDrbd({ state: isSecondary }).answer('drbdadm adjust', {
      code: 10,
      stderr: 'Parse error\n',
    });
    expect(await act('reload-agent', drbd)).toMatchObject({
      code: 1,
      reason: expect.stringContaining('Parse error'),
    });
  });
});

describe('notify', () => {
  const told = (type: string, operation: string, more: NodeJS.ProcessEnv = {}) => ({
    OCF_RESKEY_CRM_meta_notify_type: type,
    OCF_RESKEY_CRM_meta_notify_operation: operation,
    ...more,
  });
  const alone = resource('Secondary', volumes(good), [away]);
  const beside = (state: typeof alone) => ({ state, configured: state });
  const outdates = {
    OCF_RESKEY_stop_outdates_secondary: 'true',
    OCF_RESKEY_CRM_meta_notify_promoted_uname: 'beta',
  };
  test.each<readonly [string, Setup, readonly string[], string]>([
    ['pre start', { env: told('pre', 'start'), state: isSecondary }, ['drbdadm adjust r0'], '='],
    ['post start', { env: told('post', 'start'), state: isSecondary }, ['drbdadm adjust r0'], '10000'],
    ['pre start, not running here', { env: told('pre', 'start') }, [], '='],
    ['pre stop', { env: told('pre', 'stop'), state: isSecondary }, [], '='],
    ['pre promote', { env: told('pre', 'promote'), state: isSecondary }, [], '='],
    ['pre demote', { env: told('pre', 'demote'), state: isSecondary }, [], '='],
    ['post stop', { env: told('post', 'stop'), state: isSecondary }, [], '10000'],
    ['post promote', { env: told('post', 'promote'), state: isPrimary }, [], '10000'],
    ['post demote', { env: told('post', 'demote'), state: isSecondary }, [], '10000'],
    ['post stop, peer away', { env: told('post', 'stop'), state: alone }, [], '1000'],
    ['post stop, not running here', { env: told('post', 'stop') }, [], '-'],
    [
      'connects only after promotion',
      { env: told('pre', 'start', { OCF_RESKEY_connect_only_after_promote: 'yes' }), state: isSecondary },
      [],
      '=',
    ],
    [
      'post promote, the promoted one out of sight',
      { env: told('post', 'promote', outdates), state: alone },
      ['drbdadm outdate r0'],
      '-',
    ],
    [
      'the same, Primary here',
      { env: told('post', 'promote', outdates), state: resource('Primary', volumes(good), [away]) },
      [],
      '10000',
    ],
    [
      '8.4',
      {
        generation: 8,
        env: told('pre', 'start', { OCF_RESKEY_CRM_meta_notify_start_uname: 'beta' }),
        ...beside(alone),
      },
      ['drbdadm --peer beta adjust r0'],
      '=',
    ],
    ['nothing said', { state: isSecondary }, [], '='],
  ])('%s', async (_what, setup, did, score) => {
    expect(await act('notify', new FakeDrbd(setup))).toEqual({ code: 0, reason: '', did, score });
  });

  test.each<readonly [string, (drbd: FakeDrbd) => unknown]>([
    ['adjust fails', (drbd) => drbd.answer('drbdadm adjust', { code: 1 })],
    ['the configuration is gone', (drbd) => drbd.answer('drbdadm', undefinedHere)],
    ['the kernel cannot be asked', (drbd) => drbd.answer('drbdsetup', { code: 20 })],
    ['the tools are gone', (drbd) => drbd.machine.on('drbdsetup', () => ({ code: 127, missing: true }))],
  ])('is 0 and quick when %s', async (_what, spoil) => {
    const drbd = new FakeDrbd({ env: { ...told('post', 'start'), ...timeout(90_000) }, state: isSecondary });
    spoil(drbd);
    expect((await act('notify', drbd)).code).toBe(0);
    expect(drbd.machine.clock).toBeLessThan(15_000);
  });
});
