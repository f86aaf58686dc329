import { describe, expect, test } from 'vitest';
import { FakeDrbd, resource, volumes } from '../../../fake/drbd.ts';
import {
  act,
  away,
  good,
  isPrimary,
  isSecondary,
  param,
  type Setup,
  timeout,
  undefinedHere,
} from '../../../fake/drbd-actions.ts';
import { hangs } from '../../../fake/machine.ts';

describe('notify', () => {
  const told = (type: string, operation: string, more: NodeJS.ProcessEnv = {}) => ({
    OCF_RESKEY_CRM_meta_notify_type: type,
    OCF_RESKEY_CRM_meta_notify_operation: operation,
    ...more,
  });
  const alone = resource('Secondary', volumes(good), [away]);
  const standalone = resource('Secondary', volumes(good), ['beta StandAlone Unknown DUnknown']);
  const beside = (state: typeof alone) => ({ state, configured: state });
  const outdates = {
    OCF_RESKEY_stop_outdates_secondary: 'true',
    OCF_RESKEY_CRM_meta_notify_promoted_uname: 'beta',
  };
  const promoted = (names: string) => ({ OCF_RESKEY_CRM_meta_notify_promoted_uname: names });
  const moves = {
    ...outdates,
    OCF_RESKEY_CRM_meta_notify_demote_uname: 'Beta',
    OCF_RESKEY_CRM_meta_notify_promote_uname: 'gamma',
  };
  test.each<readonly [string, Setup, readonly string[], string]>([
    ['drbd#173 pre start', { env: told('pre', 'start'), state: isSecondary }, ['drbdadm adjust r0'], '='],
    ['drbd#173 post start', { env: told('post', 'start'), state: isSecondary }, [], '10000'],
    [
      'drbd#173 post start, a connection stands alone',
      { env: told('post', 'start'), state: standalone },
      ['drbdadm adjust r0'],
      '10000',
    ],
    ['pre start, not running here', { env: told('pre', 'start') }, [], '='],
    ['post start, not running here', { env: told('post', 'start') }, [], '-'],
    ['drbd#174 pre stop', { env: told('pre', 'stop'), state: isSecondary }, [], '='],
    ['drbd#174 pre promote', { env: told('pre', 'promote'), state: isSecondary }, [], '='],
    ['drbd#174 pre demote', { env: told('pre', 'demote'), state: isSecondary }, [], '='],
    ['drbd#175 post stop', { env: told('post', 'stop'), state: isSecondary }, [], '10000'],
    ['drbd#175 post promote', { env: told('post', 'promote'), state: isPrimary }, [], '10000'],
    ['drbd#175 post demote', { env: told('post', 'demote'), state: isSecondary }, [], '10000'],
    ['drbd#176 post stop, peer away', { env: told('post', 'stop'), state: alone }, [], '1000'],
    ['drbd#183 post stop, not running here', { env: told('post', 'stop') }, [], '-'],
    [
      'drbd#179 connects only after promotion',
      { env: told('pre', 'start', { OCF_RESKEY_connect_only_after_promote: 'yes' }), state: isSecondary },
      [],
      '=',
    ],
    [
      'drbd#177 post promote, the promoted one out of sight',
      { env: told('post', 'promote', outdates), state: alone },
      ['drbdsetup outdate 0'],
      '-',
    ],
    [
      'D20 post demote, a move: the promoted one is the one that was demoted',
      { env: told('post', 'demote', moves), state: alone },
      [],
      '1000',
    ],
    [
      'D20 post promote, a move: the new one is promoted',
      { env: told('post', 'promote', moves), state: alone },
      ['drbdsetup outdate 0'],
      '-',
    ],
    [
      'D20 post promote, nobody was promoted before',
      { env: told('post', 'promote', { ...moves, ...promoted(' ') }), state: alone },
      ['drbdsetup outdate 0'],
      '-',
    ],
    [
      'D20 post demote, another one stays promoted',
      { env: told('post', 'demote', { ...moves, ...promoted('beta gamma') }), state: alone },
      ['drbdsetup outdate 0'],
      '-',
    ],
    [
      'drbd#178 the same, Primary here',
      { env: told('post', 'promote', outdates), state: resource('Primary', volumes(good), [away]) },
      [],
      '10000',
    ],
    [
      'drbd#181 8.4',
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
    expect(await act('notify', new FakeDrbd(setup))).toMatchObject({ code: 0, reason: '', did, score });
  });

  test('drbd#178 a Primary without its peer: a line for the night shift', async () => {
    const state = resource('Primary', volumes(good), [away]);
    const { lines } = await act('notify', { env: told('post', 'promote', outdates), state });
    expect(lines).toEqual([expect.stringContaining('split brain is possible')]);
  });
  test('drbd#180 adjust fails: a warning', async () => {
    const drbd = new FakeDrbd({ env: told('pre', 'start'), state: isSecondary });
    const { code, lines } = await act('notify', drbd.answer('drbdadm adjust', { code: 1, stderr: 'no\n' }));
    expect({ code, lines }).toEqual({ code: 0, lines: ['drbdadm adjust r0: no'] });
  });
  test('runs nothing at all when there is nothing to do', async () => {
    for (const operation of ['stop', 'promote', 'demote']) {
      const drbd = new FakeDrbd({ env: told('pre', operation), state: isSecondary });
      await act('notify', drbd);
      expect(drbd.machine.ran).toEqual([]);
    }
  });
  test('looks once, and tells the cluster nothing that it was told by the monitor', async () => {
    const drbd = new FakeDrbd({ state: isSecondary });
    await act('monitor', drbd);
    Object.assign(drbd.machine.env, told('post', 'promote'));
    const before = drbd.machine.ran.length;
    await act('notify', drbd);
    expect(drbd.machine.ran.slice(before)).toEqual(['drbdsetup events2 --now r0']);
  });

  test.each<readonly [string, (drbd: FakeDrbd) => unknown]>([
    ['drbd#180 adjust fails', (drbd) => drbd.answer('drbdadm adjust', { code: 1 })],
    ['drbd#182 the configuration is gone', (drbd) => drbd.answer('drbdadm', undefinedHere)],
    ['the kernel cannot be asked', (drbd) => drbd.answer('drbdsetup', { code: 20 })],
    ['the tools are gone', (drbd) => drbd.machine.on('drbdsetup', () => ({ code: 127, missing: true }))],
  ])('is 0 and quick when %s', async (_what, spoil) => {
    const drbd = new FakeDrbd({ env: { ...told('post', 'start'), ...timeout(90_000) }, state: isSecondary });
    spoil(drbd);
    expect((await act('notify', drbd)).code).toBe(0);
    expect(drbd.machine.clock).toBeLessThan(15_000);
  });
  test('the query hangs: each notification takes 5 s, not most of its timeout', async () => {
    for (const [type, operation] of [
      ['pre', 'start'],
      ['post', 'start'],
      ['post', 'stop'],
    ] as const) {
      const drbd = new FakeDrbd({
        env: { ...told(type, operation), ...timeout(90_000) },
        state: isSecondary,
      });
      drbd.machine.on('drbdsetup', (_args, command) => hangs(command, drbd.machine));
      expect(await act('notify', drbd)).toMatchObject({ code: 0, did: [], score: '=' });
      expect(drbd.machine.clock).toBe(5000);
    }
  });
});

describe('reload', () => {
  test.each<readonly [string, Setup, number, readonly string[], string]>([
    ['drbd#170 Secondary', { state: isSecondary }, 0, ['drbdadm adjust r0'], '10000'],
    ['drbd#170 Primary', { state: isPrimary }, 0, ['drbdadm adjust r0'], '10000'],
    ['drbd#171 not started', {}, 1, [], '-'],
  ])('%s', async (_what, setup, code, did, score) => {
    for (const action of ['reload', 'reload-agent'])
      expect(await act(action, new FakeDrbd(setup))).toMatchObject({ code, did, score });
  });
  test.each([
    ['a person', 'reload', '3.16.2', 1],
    ['a person, outside of the cluster', 'reload', '', 1],
    ['Pacemaker', 'reload-agent', '3.16.2', 0],
    ['Pacemaker 2.0, which has no other name for it', 'reload', '3.7.1', 0],
  ])('drbd#172 adjust fails for %s', async (_what, action, featureSet, code) => {
    const env = { OCF_RESKEY_crm_feature_set: featureSet };
    const drbd = new FakeDrbd({ state: isPrimary, env }).answer('drbdadm adjust', {
      code: 10,
      stderr: 'Parse error\n',
    });
    drbd.machine.on('crm_master', () => '');
    const answer = await act(action, drbd);
    expect(answer.code).toBe(code);
    expect(code === 0 ? answer.lines.join() : answer.reason).toContain('drbdadm adjust r0: Parse error');
  });
  test.each([
    ['unfence_if_all_uptodate', 'ture'],
    ['wfc_before_promote', 'ten'],
    ['check_config', 'wran'],
    ['require_drbd_module_version_ge', '9.2'],
    ['remove_master_score_if_peer_primary', 'never'],
  ])('a typo in %s stops no healthy Primary', async (name, value) => {
    const env = param(name, value);
    for (const [action, code] of [
      ['reload-agent', 0],
      ['promote', 0],
      ['monitor', 8],
      ['start', 6],
    ] as const) {
      const answer = await act(action, { state: isPrimary, env });
      expect(answer.code, action).toBe(code);
      expect(code === 6 ? answer.reason : answer.lines.join()).toContain(`${name}="${value}" is not`);
    }
  });
  test('DRBD 8.4, several hosts in the configuration: the peer is named', async () => {
    const env = { OCF_RESKEY_CRM_meta_notify_unpromoted_uname: 'me beta' };
    const state = resource('Secondary', volumes(good), ['peer Connected Secondary UpToDate']);
    const drbd = new FakeDrbd({ generation: 8, state, env });
    expect(await act('reload', drbd)).toMatchObject({ code: 0, did: ['drbdadm --peer beta adjust r0'] });
  });
});
