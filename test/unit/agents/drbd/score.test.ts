import { describe, expect, test } from 'vitest';
import type { Resource } from '../../../../lib/host/drbd/state.ts';
import { FakeDrbd } from '../../../fake/drbd.ts';
import {
  act,
  away,
  betaPrimary,
  good,
  isAlone,
  isPrimary,
  isSecondary,
  look,
  meta,
  param,
  primary,
  probe,
  secondary,
  timeout,
} from '../../../fake/drbd-actions.ts';
import { hangs } from '../../../fake/machine.ts';

describe('the promotion score', () => {
  const withPrimary = secondary([good], betaPrimary);
  const yields = (value: string) => param('remove_master_score_if_peer_primary', value);
  test.each([
    ['drbd#72 own values', param('adjust_master_score', '0 0 5 7'), isAlone, '5'],
    ['drbd#73 three values', param('adjust_master_score', '0 10 1000'), isAlone, '1000'],
    ['drbd#73 five values', param('adjust_master_score', '0 10 20 30 40'), isAlone, '1000'],
    ['drbd#73 falling', param('adjust_master_score', '5 4 3 2'), isAlone, '1000'],
    ['drbd#73 a word', param('adjust_master_score', '0 10 many 10000'), isAlone, '1000'],
    ['drbd#73 negative', param('adjust_master_score', '-1 10 20 30'), isAlone, '1000'],
    ['drbd#74 all zero', param('adjust_master_score', '0 0 0 0'), isAlone, '-'],
    [
      'drbd#18 Consistent with a value',
      param('adjust_master_score', '5 10 1000 10000'),
      secondary(['Consistent'], away),
      '5',
    ],
    ['drbd#75 yields to a Primary', yields('true'), withPrimary, '-'],
    [
      'drbd#76 not to one without data',
      yields('yes'),
      secondary([good], 'beta Connected Primary Inconsistent'),
      '10000',
    ],
    ['drbd#77 not to one the cluster knows', yields('unexpected'), withPrimary, '10000', ['beta']],
    ['drbd#78 to one the cluster does not know', yields('unexpected'), withPrimary, '-', []],
    [
      'drbd#80 two Primaries are allowed',
      { ...yields('unexpected'), ...meta('promoted_max', '2') },
      withPrimary,
      '10000',
      [],
    ],
  ])(
    '%s',
    async (_what, env: NodeJS.ProcessEnv, state: Resource, score: string, promoted: readonly string[] = []) => {
      const drbd = new FakeDrbd({ env, state });
      drbd.promotedNodes = promoted;
      expect(await look(drbd)).toMatchObject({ code: 0, score });
    },
  );

  test.each<readonly [string, { readonly code: number } | string]>([
    ['cannot be asked', { code: 102 }],
    ['answers with nothing', ''],
    ['answers with no XML', 'Segmentation fault\n'],
    ['is cut short in its answer', '<pacemaker-result><resources><resource id="p_drbd"><node>'],
  ])('a cluster that %s is not one that knows nothing', async (_what, told) => {
    const drbd = new FakeDrbd({ env: yields('unexpected'), state: withPrimary }).answer('crm_resource', told);
    expect(await look(drbd)).toMatchObject({ code: 0, score: '10000' });
  });
  test('drbd#78,79 a Primary that the cluster does not know is told once, then nothing is written', async () => {
    const drbd = new FakeDrbd({ env: yields('unexpected'), state: withPrimary });
    const first = await act('monitor', drbd);
    expect(first).toMatchObject({
      score: '-',
      lines: [expect.stringContaining('giving up the promotion score')],
    });
    const before = drbd.machine.ran.length;
    expect((await act('monitor', drbd)).lines).toEqual([]);
    expect(drbd.machine.ran.slice(before)).toEqual([
      'drbdsetup events2 --now r0',
      'crm_resource --resource p_drbd --locate --output-as=xml',
    ]);
  });
  test('drbd#73 four numbers that are none: one warning, by the start', async () => {
    const { lines } = await act('start', { env: param('adjust_master_score', '5 4 3 2') });
    expect(lines).toEqual(['adjust_master_score="5 4 3 2" is not four rising numbers: using the default']);
  });

  test.each([
    ['Pacemaker 2.1', '3.10.0', '', 'crm_attribute --promotion -v 1000'],
    ['its own directory', '3.19.0', '/opt/sbin', '/opt/sbin/crm_attribute --promotion -v 1000'],
    ['Pacemaker 2.0', '3.7.1', '', 'crm_master -l reboot -v 1000'],
    ['Pacemaker 1.1', '3.0.14', '/usr/sbin', '/usr/sbin/crm_master -l reboot -v 1000'],
  ])('command of %s', async (_what, featureSet, dir, line) => {
    const drbd = new FakeDrbd({
      state: isAlone,
      env: { OCF_RESKEY_crm_feature_set: featureSet, HA_SBIN_DIR: dir },
    });
    for (const name of ['crm_master', 'crm_attribute', 'attrd_updater'])
      for (const place of ['', '/usr/sbin/', '/opt/sbin/']) drbd.machine.on(place + name, () => '');
    await look(drbd);
    expect(drbd.machine.ran.filter((ran) => /crm_(?:attribute|master)/.test(ran))).toEqual([line]);
  });

  test('is written again where the cluster has lost it, and its attribute manager does not know', async () => {
    const drbd = new FakeDrbd({ state: isAlone });
    await look(drbd);
    drbd.isScoreLost = true;
    await look(drbd);
    expect(drbd.isScoreLost).toBe(true); // not in the same minute
    drbd.machine.files.set('/proc/uptime', '5061.00 9000.00\n');
    await look(drbd);
    expect(drbd.isScoreLost).toBe(false);
  });

  test.each([{ code: 102 }, { code: 124, hung: 'pid 1 in state S' }])(
    'a cluster that cannot be asked has lost nothing: the same is written again (%j)',
    async (answer) => {
      const drbd = new FakeDrbd({ state: isAlone });
      await look(drbd);
      const honest = drbd.machine.handler('crm_attribute');
      drbd.machine.on('crm_attribute', (args, command) =>
        args.includes('--query') ? answer : honest?.(args, command),
      );
      drbd.machine.files.set('/proc/uptime', '5061.00 9000.00\n');
      await look(drbd);
      expect(drbd.machine.ran.at(-1)).toBe('crm_attribute --promotion -v 1000');
      expect(drbd.machine.ran.filter((line) => /--refresh/.test(line))).toEqual([]);
    },
  );

  test('is written again only when it changes, and asked for once a minute', async () => {
    const drbd = new FakeDrbd({ state: isAlone });
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
    expect(drbd.machine.ran.at(-1)).toBe('crm_attribute --promotion --query --quiet');
  });

  test('is always written by a probe: it went with the node', async () => {
    const drbd = new FakeDrbd({ state: isAlone, env: probe });
    await look(drbd);
    await look(drbd);
    expect(drbd.machine.ran.filter((line) => line.startsWith('crm_attribute'))).toHaveLength(2);
  });

  test.each([
    ['drbd#70 fails', () => ({ code: 102, stderr: 'No such device or address\n' })],
    ['is missing', () => ({ code: 127, missing: true as const })],
  ])('its command %s: the answer stays, one line in the log', async (_what, answer) => {
    const drbd = new FakeDrbd({ state: isSecondary }).answer('crm_attribute', answer);
    const { code, lines } = await act('monitor', drbd);
    expect(code).toBe(0);
    expect(lines).toEqual([expect.stringContaining('promotion score 10000 not written')]);
  });

  test.each([
    ['', 20_000, 5000],
    ['drbd#68 ', 4000, 2000],
    ['drbd#69 ', 1000, 667],
  ])('%sits command hangs, timeout %i ms: at most %i ms of it', async (_case, ms, most) => {
    const drbd = new FakeDrbd({ state: isPrimary, env: timeout(ms) });
    drbd.machine.on('crm_attribute', (_args, command) => hangs(command, drbd.machine));
    expect((await look(drbd)).code).toBe(8);
    expect(drbd.machine.clock).toBeLessThanOrEqual(most);
    expect(drbd.attributes.has('promotion score')).toBe(false);
  });
});

describe('unfence_if_all_uptodate', () => {
  const env = param('unfence_if_all_uptodate', 'true');
  const constraint =
    '<rsc_location id="drbd-fence-by-handler-r0-ms_drbd" rsc="ms_drbd"><rule role="Master" score="-INFINITY"/></rsc_location>';
  const fenced = (xml: string | { code: number }) =>
    new FakeDrbd({ state: isPrimary, env }).answer('cibadmin', xml);
  test('drbd#81 all is good and a peer is fenced: the handler runs, and not with every monitor', async () => {
    const drbd = fenced(`<constraints>${constraint}</constraints>`);
    for (const _ of [1, 2]) await look(drbd);
    expect(drbd.did).toEqual(['drbdadm unfence-peer r0']);
    expect(drbd.score).toBe('10000');
  });
  test.each([
    ['no constraint', '<constraints/>', 0],
    ['one of another resource', constraint.replace('-r0-', '-r00-'), 0],
    ['one with a prefix of its own', constraint.replace('drbd-fence-by-handler', 'mine'), 1],
    ['one without the clone in its name', constraint.replace('-ms_drbd"', '"'), 1],
    ['a cluster that does not say', { code: 102 }, 1],
  ])('drbd#81 %s', async (_what, xml, times) => {
    const drbd = fenced(xml);
    await look(drbd);
    expect(drbd.did).toHaveLength(times);
  });
  test('drbd#81 the handler hangs: bounded', async () => {
    const drbd = fenced(constraint);
    drbd.machine.on('drbdadm', (_args, command) => hangs(command, drbd.machine));
    expect((await look(drbd)).code).toBe(8);
    expect(drbd.machine.clock).toBeLessThanOrEqual(10_000);
  });
  test('drbd#82 not while a peer is behind', async () => {
    const drbd = new FakeDrbd({ state: primary([good], 'beta Connected Secondary Inconsistent'), env });
    await look(drbd);
    expect(drbd.did).toEqual([]);
    expect(drbd.machine.ran.some((line) => line.startsWith('cibadmin'))).toBe(false);
  });
});
