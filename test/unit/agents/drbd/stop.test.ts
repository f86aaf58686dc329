import { describe, expect, test } from 'vitest';
import { FakeDrbd, resource, volumes } from '../../../fake/drbd.ts';
import {
  act,
  busy,
  heldOpen,
  isPrimary,
  isSecondary,
  type Setup,
  timeout,
  undefinedHere,
} from '../../../fake/drbd-actions.ts';
import { hangs } from '../../../fake/machine.ts';

describe('stop', () => {
  test.each<readonly [string, Setup, readonly string[]]>([
    ['drbd#160 Secondary', { state: isSecondary }, ['drbdadm down r0']],
    ['drbd#161 Primary', { state: isPrimary }, ['drbdadm secondary r0', 'drbdadm down r0']],
    ['drbd#162 not there', {}, []],
    ['drbd#166 no module', { module: false }, []],
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
    expect(await act('stop', drbd)).toMatchObject({ code: 0, reason: '', did, score: '-', state: '-' });
    expect(drbd.state).toBeUndefined();
  });

  test('drbd#163 Primary and held open: failed, who and why', async () => {
    const drbd = heldOpen(new FakeDrbd({ state: isPrimary, env: timeout(100_000) }));
    const result = await act('stop', drbd);
    expect(result).toMatchObject({
      code: 1,
      score: '=',
      reason: expect.stringContaining('mounted on /srv/nfs'),
    });
    expect(drbd.machine.clock).toBeLessThan(100_000);
  });
  test.each([
    ['everybody was looked at: nobody has it', 0, true],
    ['the time was up before everybody was looked at: no word about it', 5000, false],
  ])('held open, %s', async (_what, slowness, isSaid) => {
    const drbd = new FakeDrbd({ state: isPrimary, env: timeout(100_000) }).answer('drbdadm secondary', busy);
    const { machine } = drbd;
    const list = machine.list.bind(machine);
    machine.list = async (dir) => {
      if (dir === '/proc') machine.clock += slowness;
      return list(dir);
    };
    const { code, reason } = await act('stop', drbd);
    expect(code).toBe(1);
    expect(reason.includes('nobody visible in /proc')).toBe(isSaid);
    expect(reason).toContain('held open');
  });
  test('the opener closes in time', async () => {
    const drbd = new FakeDrbd({ state: isPrimary });
    drbd.answer('drbdadm secondary', (times) => (times < 3 ? busy : undefined));
    expect((await act('stop', drbd)).code).toBe(0);
  });
  test('drbd#164 Primary, device node missing, down fails: never 0', async () => {
    const drbd = new FakeDrbd({ state: isPrimary, nodes: false }).answer('drbdadm', busy);
    expect((await act('stop', drbd)).code).toBe(1);
  });
  test.each([
    ['fails', { code: 20, stderr: 'could not connect\n' }],
    ['prints nothing', ''],
    ['tells half', 'exists resource name:r0 role:Primary suspended:no\n'],
  ])('drbd#165 Primary, the query %s, down fails: never 0', async (_what, answer) => {
    const drbd = new FakeDrbd({ state: isPrimary }).answer('drbdsetup', answer).answer('drbdadm', busy);
    const result = await act('stop', drbd);
    expect(result).toMatchObject({ code: 1, score: '=' });
    expect(result.reason).toContain('drbdsetup events2');
  });
  test('has hardly any time: one try of each step all the same', async () => {
    const drbd = new FakeDrbd({ state: isPrimary, env: timeout(1000) });
    expect(await act('stop', drbd)).toMatchObject({
      code: 0,
      did: ['drbdadm secondary r0', 'drbdadm down r0'],
    });
  });
  test('down says yes but the resource stays', async () => {
    const drbd = new FakeDrbd({ state: isSecondary }).answer('drbdadm down', '');
    expect((await act('stop', drbd)).code).toBe(1);
  });
  test('down hangs: the reason names it', async () => {
    const drbd = new FakeDrbd({ state: isSecondary });
    drbd.machine.on('drbdadm', (_args, command) => hangs(command, drbd.machine));
    drbd.onDrbdsetup('down', (command) => hangs(command, drbd.machine));
    const result = await act('stop', drbd);
    expect(result).toMatchObject({ code: 1, reason: expect.stringContaining('hung') });
    expect(drbd.machine.clock).toBeLessThan(20_000);
  });
  test.each([
    ['drbd#124 gone', undefinedHere],
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
  test('drbd#125 the configuration is gone and the kernel refuses: failed, with its words', async () => {
    const drbd = new FakeDrbd({ state: isSecondary })
      .answer('drbdadm', undefinedHere)
      .answer('drbdsetup down', { code: 10, stderr: 'r0: Failure: (143) Interrupted by user\n' });
    const result = await act('stop', drbd);
    expect(result).toMatchObject({
      code: 1,
      score: '=',
      reason: expect.stringContaining('Interrupted by user'),
    });
  });
  test('drbd#125 the configuration is gone and so is the resource: nothing to do', async () => {
    const drbd = new FakeDrbd({}).answer('drbdadm', undefinedHere);
    expect(await act('stop', drbd)).toMatchObject({ code: 0, did: [] });
  });
  test('drbd#107 neither module nor modinfo: nothing can be there', async () => {
    const drbd = new FakeDrbd({ module: false }).answer('modinfo', { code: 1 });
    expect(await act('stop', drbd)).toMatchObject({ code: 0, did: [] });
  });
  test('no tools, nothing there', async () => {
    const drbd = new FakeDrbd({ module: false, env: { OCF_TESTER_FAIL_HAVE_BINARY: '1' } });
    expect((await act('stop', drbd)).code).toBe(0);
  });
  test.each([
    ['a name that no resource has', { OCF_RESKEY_drbd_resource: 'a b' }],
    [
      'drbd#112,118 a clone that is misconfigured',
      { OCF_RESKEY_CRM_meta_clone_node_max: '2', OCF_RESKEY_CRM_meta_notify: 'false' },
    ],
  ])('%s', async (_what, env) => {
    expect((await act('stop', new FakeDrbd({ env }))).code).toBe(0);
  });

  const outdates = { OCF_RESKEY_stop_outdates_secondary: 'true' };
  test.each([
    ['drbd#167 another node stays promoted', { OCF_RESKEY_CRM_meta_notify_master_uname: 'beta' }, true],
    ['in newer words', { OCF_RESKEY_CRM_meta_notify_promoted_uname: 'beta' }, true],
    ['drbd#168 nobody is promoted', { OCF_RESKEY_CRM_meta_notify_promoted_uname: ' ' }, false],
    ['only this node is', { OCF_RESKEY_CRM_meta_notify_promoted_uname: 'ME' }, false],
    [
      'drbd#169 that one stops too',
      { OCF_RESKEY_CRM_meta_notify_promoted_uname: 'beta', OCF_RESKEY_CRM_meta_notify_stop_uname: 'me beta' },
      false,
    ],
    [
      'D20 that one is demoted',
      {
        OCF_RESKEY_CRM_meta_notify_promoted_uname: 'beta',
        OCF_RESKEY_CRM_meta_notify_demote_uname: 'beta',
        OCF_RESKEY_CRM_meta_notify_promote_uname: 'gamma',
      },
      false,
    ],
  ])('outdates the own data when %s: %s', async (_what, env, outdated) => {
    const drbd = new FakeDrbd({ state: isSecondary, env: { ...outdates, ...env } });
    const { did } = await act('stop', drbd);
    expect(did.includes('drbdadm outdate r0')).toBe(outdated);
  });
});
