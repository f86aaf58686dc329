import { describe, expect, test } from 'vitest';
import { drbd as agent } from '../../agents/drbd/agent.ts';
import type { Resource } from '../../lib/host/drbd/state.ts';
import type { Log } from '../../lib/ocf/log.ts';
import { runAction } from '../../lib/ocf/run.ts';
import { FakeDrbd } from '../fake/drbd.ts';
import { good, look, primary, probe, secondary, silent } from '../fake/drbd-actions.ts';
import { hangs } from '../fake/machine.ts';

describe('the promotion score', () => {
  const alone = secondary([good], 'beta Connecting Unknown DUnknown');
  const withPrimary = secondary([good], 'beta Connected Primary UpToDate');
  const yields = (value: string) => ({ OCF_RESKEY_remove_master_score_if_peer_primary: value });
  test.each([
    ['own values', { OCF_RESKEY_adjust_master_score: '0 0 5 7' }, alone, '5'],
    ['three values', { OCF_RESKEY_adjust_master_score: '0 10 1000' }, alone, '1000'],
    ['five values', { OCF_RESKEY_adjust_master_score: '0 10 20 30 40' }, alone, '1000'],
    ['falling', { OCF_RESKEY_adjust_master_score: '5 4 3 2' }, alone, '1000'],
    ['a word', { OCF_RESKEY_adjust_master_score: '0 10 many 10000' }, alone, '1000'],
    ['negative', { OCF_RESKEY_adjust_master_score: '-1 10 20 30' }, alone, '1000'],
    ['all zero', { OCF_RESKEY_adjust_master_score: '0 0 0 0' }, alone, '-'],
    [
      'Consistent with a value',
      { OCF_RESKEY_adjust_master_score: '5 10 1000 10000' },
      secondary(['Consistent'], 'beta Connecting Unknown DUnknown'),
      '5',
    ],
    ['yields to a Primary', yields('true'), withPrimary, '-'],
    [
      'not to one without data',
      yields('yes'),
      secondary([good], 'beta Connected Primary Inconsistent'),
      '10000',
    ],
    ['not to one the cluster knows', yields('unexpected'), withPrimary, '10000', ['beta']],
    ['to one the cluster does not know', yields('unexpected'), withPrimary, '-', []],
    [
      'two Primaries are allowed',
      { ...yields('unexpected'), OCF_RESKEY_CRM_meta_promoted_max: '2' },
      withPrimary,
      '10000',
      [],
    ],
  ])(
    '%s',
    async (_what, env: NodeJS.ProcessEnv, state: Resource, score: string, promoted: readonly string[] = []) => {
      const drbd = new FakeDrbd({ env, state });
      drbd.promotedNodes = promoted;
      expect(await look(drbd)).toEqual({ code: 0, score });
    },
  );

  test('a cluster that cannot be asked is not one that knows nothing', async () => {
    const drbd = new FakeDrbd({ env: yields('unexpected'), state: withPrimary }).answer('crm_resource', {
      code: 102,
    });
    expect(await look(drbd)).toEqual({ code: 0, score: '10000' });
  });

  test.each([
    ['Pacemaker 2.1', '3.10.0', '', 'crm_attribute --promotion -v 1000'],
    ['its own directory', '3.19.0', '/opt/sbin', '/opt/sbin/crm_attribute --promotion -v 1000'],
    ['Pacemaker 2.0', '3.7.1', '', 'crm_master -l reboot -v 1000'],
    ['Pacemaker 1.1', '3.0.14', '/usr/sbin', '/usr/sbin/crm_master -l reboot -v 1000'],
  ])('command of %s', async (_what, featureSet, dir, line) => {
    const drbd = new FakeDrbd({
      state: alone,
      env: { OCF_RESKEY_crm_feature_set: featureSet, HA_SBIN_DIR: dir },
    });
    for (const name of ['crm_master', '/usr/sbin/crm_master', '/opt/sbin/crm_attribute'])
      drbd.machine.on(name, () => '');
    await look(drbd);
    expect(drbd.machine.ran.filter((ran) => ran.includes('crm_'))).toEqual([line]);
  });

  test('is written again only when it changes, or once a minute', async () => {
    const drbd = new FakeDrbd({ state: alone });
    const written = () => drbd.machine.ran.filter((line) => line.startsWith('crm_attribute')).length;
    await look(drbd);
    await look(drbd);
    expect(written()).toBe(1);
    drbd.state = withPrimary;
    await look(drbd);
    expect(written()).toBe(2);
    drbd.machine.files.set('/proc/uptime', '5061.00 9000.00\n');
    await look(drbd);
    expect(written()).toBe(3);
  });

  test('is always written by a probe: it went with the node', async () => {
    const drbd = new FakeDrbd({ state: alone, env: probe });
    await look(drbd);
    await look(drbd);
    expect(drbd.machine.ran.filter((line) => line.startsWith('crm_attribute'))).toHaveLength(2);
  });

  test.each([
    ['fails', () => ({ code: 102, stderr: 'No such device or address\n' })],
    ['is missing', () => ({ code: 127, missing: true as const })],
  ])('its command %s: the answer stays, one line in the log', async (_what, answer) => {
    const drbd = new FakeDrbd({ state: alone }).answer('crm_attribute', answer);
    const lines: string[] = [];
    const log: Log = { ...silent, warn: (line) => lines.push(line) };
    const result = await runAction(agent, 'monitor', drbd.machine, log);
    expect(result.code).toBe(0);
    expect(lines.filter((line) => line.includes('score'))).toHaveLength(1);
  });

  test.each([
    [20_000, 5000],
    [4000, 1500],
    [1000, 340],
  ])('its command hangs, timeout %i ms: at most %i ms of it', async (timeout, most) => {
    const drbd = new FakeDrbd({ state: alone, env: { OCF_RESKEY_CRM_meta_timeout: String(timeout) } });
    drbd.machine.on('crm_attribute', (_args, command) => hangs(command, drbd.machine));
    expect((await look(drbd)).code).toBe(0);
    expect(drbd.machine.clock).toBeLessThanOrEqual(most);
  });

  test('unfence: when everything became good, and not for ever', async () => {
    const state = primary([good], 'beta Connected Secondary UpToDate');
    const drbd = new FakeDrbd({ state, env: { OCF_RESKEY_unfence_if_all_uptodate: 'true' } });
    await look(drbd);
    await look(drbd);
    expect(drbd.did).toEqual(['drbdadm unfence-peer r0']);
  });
  test('unfence: not while a peer is behind', async () => {
    const state = primary([good], 'beta Connected Secondary Inconsistent');
    const drbd = new FakeDrbd({ state, env: { OCF_RESKEY_unfence_if_all_uptodate: 'true' } });
    await look(drbd);
    expect(drbd.did).toEqual([]);
  });
});
