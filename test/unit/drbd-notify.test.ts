import { describe, expect, test } from 'vitest';
import { FakeDrbd, resource, volumes } from '../fake/drbd.ts';
import {
  act,
  away,
  good,
  isPrimary,
  isSecondary,
  type Setup,
  timeout,
  undefinedHere,
} from '../fake/drbd-actions.ts';

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
    ['post start, not running here', { env: told('post', 'start') }, [], '-'],
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
