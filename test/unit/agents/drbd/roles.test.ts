import { describe, expect, test } from 'vitest';
import { FakeDrbd, resource, volumes } from '../../../fake/drbd.ts';
import {
  act,
  away,
  good,
  heldOpen,
  isAlone,
  isPrimary,
  isSecondary,
  noData,
  param,
  type Setup,
  timeout,
  undefinedHere,
} from '../../../fake/drbd-actions.ts';
import { hangs } from '../../../fake/machine.ts';

describe('promote', () => {
  test.each<readonly [string, Setup, number, readonly string[]]>([
    ['drbd#146 Secondary', { state: isSecondary }, 0, ['drbdadm primary r0']],
    ['drbd#147 already Primary (D13)', { state: isPrimary }, 0, ['drbdadm primary r0']],
    ['drbd#147 already Primary, DRBD 8.4', { state: isPrimary, generation: 8 }, 0, []],
    [
      'drbd#155 connects after it',
      { state: isSecondary, env: { OCF_RESKEY_connect_only_after_promote: '1' } },
      0,
      ['drbdadm primary r0', 'drbdadm adjust r0'],
    ],
    [
      'drbd#155 connects after it, DRBD 8.4: to the peer that the cluster names',
      {
        generation: 8,
        state: resource('Secondary', volumes(good), ['peer StandAlone Unknown DUnknown']),
        env: {
          ...param('connect_only_after_promote', '1'),
          OCF_RESKEY_CRM_meta_notify_unpromoted_uname: 'me beta',
        },
      },
      0,
      ['drbdadm primary r0', 'drbdadm --peer beta adjust r0'],
    ],
    ['drbd#148 not started', {}, 1, []],
    ['no module', { module: false }, 1, []],
  ])('%s', async (_what, setup, code, did) => {
    const drbd = new FakeDrbd(setup);
    const result = await act('promote', drbd);
    expect(result).toMatchObject({ code, did, score: '=' });
    expect(result.reason === '').toBe(code === 0);
    expect(drbd.machine.clock).toBeLessThan(1000);
  });

  test('drbd#149 no UpToDate data: one try, a reason that says why, 15 s for things to change', async () => {
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
  test('drbd#150 another Primary: retries until shortly before the timeout, with the kernel’s words', async () => {
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

  test('the last try, cut off by the deadline, does not hide the kernel’s words', async () => {
    const drbd = new FakeDrbd({ state: withPrimary, env: timeout(20_000) });
    drbd.machine.on('drbdadm', (_args, command) =>
      drbd.machine.clock < 10_000 ? twoPrimaries : hangs(command, drbd.machine),
    );
    const { reason } = await act('promote', drbd);
    expect(reason).toContain('Multiple primaries not allowed');
  });

  const early = { OCF_RESKEY_fail_promote_early_if_peer_primary: 'true' };
  test('drbd#151 another Primary that the cluster does not know: gives up early and takes its score back', async () => {
    const drbd = new FakeDrbd({ state: withPrimary, env: early }).answer('drbdadm primary', twoPrimaries);
    const result = await act('promote', drbd);
    expect(result).toMatchObject({ code: 1, did: ['drbdadm primary r0'], score: '-' });
    expect(result.reason).toContain('a peer is Primary');
  });
  test.each([
    ['drbd#152 that the cluster knows', withPrimary, ['beta']],
    ['drbd#153 is none', isSecondary, []],
  ])('another Primary %s: retries', async (_what, state, promoted) => {
    const drbd = new FakeDrbd({ state, env: early }).answer('drbdadm primary', twoPrimaries);
    drbd.promotedNodes = promoted;
    const result = await act('promote', drbd);
    expect(result.code).toBe(1);
    expect(result.did.length).toBeGreaterThan(5);
  });

  test('drbd#154 says yes and stays Secondary', async () => {
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
    const drbd = new FakeDrbd({ generation: 8, state: half, configured: half }).answer('drbdadm primary', {
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

describe('wfc_before_promote', () => {
  const env = { ...param('wfc_before_promote', '10'), ...timeout(90_000) };
  test('no peer is connected: waits for one, and not longer than until it comes', async () => {
    const drbd = new FakeDrbd({ state: isAlone, env });
    drbd.machine.onTick = (clock) => {
      if (clock > 4000 && drbd.state === isAlone) drbd.state = isSecondary;
    };
    expect(await act('promote', drbd)).toMatchObject({ code: 0, did: ['drbdadm primary r0'] });
    expect(drbd.machine.clock).toBeLessThan(4100);
  });
  test('nobody comes: promoted alone, when the time is over', async () => {
    const drbd = new FakeDrbd({ state: isAlone, env });
    expect((await act('promote', drbd)).code).toBe(0);
    expect(drbd.machine.clock).toBeGreaterThanOrEqual(10_000);
    expect(drbd.machine.clock).toBeLessThan(11_100);
  });
});

describe.each(['40', '89', '90', '3600'])('wfc_before_promote=%s with a timeout of 60 s', (seconds) => {
  const env = { ...param('wfc_before_promote', seconds), ...timeout(60_000) };
  test('half of the time is left for the promotion, and the log says so', async () => {
    const drbd = new FakeDrbd({ state: isAlone, env });
    const { code, did, lines } = await act('promote', drbd);
    expect({ code, did }).toEqual({ code: 0, did: ['drbdadm primary r0'] });
    expect(drbd.machine.clock).toBeGreaterThan(25_000);
    expect(drbd.machine.clock).toBeLessThanOrEqual(31_000);
    expect(lines).toEqual([expect.stringMatching(/^wfc_before_promote=\d+ is more than half .* for 28 s$/)]);
  });
  test('a peer is there: nothing is said', async () => {
    expect((await act('promote', { state: isSecondary, env })).lines).toEqual([]);
  });
});

describe('demote_force', () => {
  const env = { ...param('demote_force', 'yes'), ...timeout(90_000) };
  const forced = 'drbdsetup secondary --force=yes r0';
  test.each(['demote', 'stop'])(
    'drbd#159 %s, held open: by force, late, and who lost by it is logged',
    async (action) => {
      const drbd = heldOpen(new FakeDrbd({ state: isPrimary, env }));
      const { code, did, lines } = await act(action, drbd);
      expect(code).toBe(0);
      expect(did).toContain(forced);
      expect(lines.join()).toContain('against /dev/drbd0 mounted on /srv/nfs');
      expect(drbd.machine.clock).toBeGreaterThan(65_000);
    },
  );
  test.each([
    ['nobody asked for it', { env: timeout(90_000) }],
    ['DRBD 8.4 does not know it', { env, generation: 8 as const }],
  ])('never when %s', async (_what, setup) => {
    const drbd = heldOpen(new FakeDrbd({ state: isPrimary, ...setup }));
    const { code, did } = await act('demote', drbd);
    expect(code).toBe(1);
    expect(did).not.toContain(forced);
  });
});

describe('demote', () => {
  test.each<readonly [string, Setup, number, readonly string[]]>([
    ['drbd#156 Primary', { state: isPrimary }, 0, ['drbdadm secondary r0']],
    ['drbd#157 Secondary', { state: isSecondary }, 0, []],
    ['drbd#158 not started', {}, 7, []],
    ['no module', { module: false }, 7, []],
  ])('%s', async (_what, setup, code, did) => {
    expect(await act('demote', new FakeDrbd(setup))).toMatchObject({ code, did });
  });
  test('drbd#159 held open: before the timeout, with everyone who does it', async () => {
    const drbd = heldOpen(new FakeDrbd({ state: isPrimary, env: timeout(90_000) }));
    const { code, reason } = await act('demote', drbd);
    expect(code).toBe(1);
    expect(reason).toBe(
      'demoting r0 failed: /dev/drbd0 mounted on /srv/nfs, /dev/drbd0 open in tar (pid 815): 0: State change failed: (-12) Device is held open by someone',
    );
    expect(drbd.machine.clock).toBeLessThan(90_000);
  });
  test('drbd#184 the configuration is gone', async () => {
    const drbd = new FakeDrbd({ state: isPrimary }).answer('drbdadm', undefinedHere);
    expect(await act('demote', drbd)).toMatchObject({
      code: 0,
      did: ['drbdadm secondary r0', 'drbdsetup secondary r0'],
    });
  });
  test('the configuration is gone, DRBD 8.4', async () => {
    const drbd = new FakeDrbd({ generation: 8, state: isPrimary }).answer('drbdadm', undefinedHere);
    expect((await act('demote', drbd)).did).toEqual(['drbdsetup secondary 0']);
  });
});

describe('D23 DRBD 8.4: the minor was changed in the configuration while the resource runs', () => {
  const renumbered = (setup: Setup, ...minors: readonly number[]) =>
    new FakeDrbd({ generation: 8, ...setup })
      .answer('drbdadm sh-dev', minors.map((minor) => `/dev/drbd${minor}\n`).join(''))
      .answer('drbdadm secondary', { code: 10, stderr: '5: Failure: (127) Device minor not allocated\n' });
  test.each([
    ['demote', ['drbdsetup secondary 0']],
    ['stop', ['drbdsetup secondary 0', 'drbdadm down r0']],
  ])('%s acts on the minor that the kernel has', async (action, did) => {
    expect(await act(action, renumbered({ state: isPrimary }, 5))).toMatchObject({ code: 0, did });
  });
  test.each([
    ['another minor', [5], 'minor 5 to r0, which runs on minor 0'],
    ['a further one that is another resource’s', [0, 5], 'minors 0, 5 to r0, which runs on minor 0'],
  ])('%s: nobody is promoted', async (_what, minors, reason) => {
    const drbd = renumbered({ state: isSecondary }, ...minors);
    drbd.machine.files.set('/sys/block/drbd5/dev', '147:5\n');
    expect(await act('promote', drbd)).toMatchObject({
      code: 1,
      did: [],
      reason: `the configuration gives ${reason}`,
    });
    expect(drbd.machine.clock).toBe(0);
  });
  test.each([
    ['a volume that is not made yet', renumbered({ state: isSecondary }, 0, 5)],
    ['a device of another name', renumbered({ state: isSecondary }).answer('drbdadm sh-dev', '/dev/data\n')],
    [
      'a configuration that cannot be read',
      renumbered({ state: isSecondary }).answer('drbdadm sh-dev', undefinedHere),
    ],
    ['DRBD 9, which goes by the name', renumbered({ state: isSecondary, generation: 9 }, 5)],
  ])('%s is no obstacle', async (_what, drbd) => {
    drbd.answer('drbdadm sh-minor', '0\n');
    expect((await act('promote', drbd)).code).toBe(0);
    expect(drbd.did.at(-1)).toBe('drbdadm primary r0');
  });
});
