import { describe, expect, test } from 'vitest';
import { parseConfiguration } from '../../../../lib/host/drbd/configuration.ts';
import { FakeDrbd } from '../../../fake/drbd.ts';
import {
  act,
  isPrimary,
  isSecondary,
  meta,
  param,
  probe,
  type Setup,
  undefinedHere,
} from '../../../fake/drbd-actions.ts';

test('a demote without its resource fails, and bans it from no node', async () => {
  const { code, reason } = await act('demote', { env: param('drbd_resource', '') });
  expect([code, reason]).toEqual([1, expect.stringContaining('drbd_resource is not set')]);
});

describe('a start is refused, a stop is not', () => {
  test.each<readonly [string, Setup, number, string]>([
    ['drbd#121 no resource', { env: param('drbd_resource', '') }, 6, 'drbd_resource is not set'],
    ['drbd#121 a name with a blank', { env: param('drbd_resource', 'a b') }, 6, 'not a name DRBD allows'],
    ['a name like an option', { env: param('drbd_resource', '--help') }, 6, 'not a name DRBD allows'],
    ['drbd#122 a file name with a blank', { env: param('drbdconf', '/etc/my drbd.conf') }, 6, 'drbdconf'],
    ['drbd#109 ge without patch level', { env: param('require_drbd_module_version_ge', '9.2') }, 6, 'x.y.z'],
    [
      'drbd#108 module too old',
      { env: param('require_drbd_module_version_ge', '9.2.10') },
      5,
      '9.2.9 is older than',
    ],
    [
      'drbd#108 module too new',
      { env: param('require_drbd_module_version_lt', '9.0.0') },
      5,
      '9.2.9 is not older than',
    ],
    ['a word for yielding', { env: param('remove_master_score_if_peer_primary', 'maybe') }, 6, 'unexpected'],
    ['drbd#111 clone-node-max=2', { env: meta('clone_node_max', '2') }, 6, 'clone-node-max'],
    ['drbd#111 promoted-node-max=2', { env: meta('promoted_node_max', '2') }, 6, 'promoted-node-max'],
    ['drbd#111 master-node-max=2', { env: meta('master_node_max', '2') }, 6, 'promoted-node-max'],
    ['drbd#111 promoted-max=3', { env: meta('promoted_max', '3') }, 6, 'promoted-max'],
    ['drbd#111 master-max=3', { env: meta('master_max', '3') }, 6, 'promoted-max'],
    [
      'drbd#113 two Primaries of three',
      { env: { ...meta('promoted_max', '2'), ...meta('clone_max', '3') } },
      6,
      'clone-max=2',
    ],
    [
      'drbd#113 two Primaries of who knows',
      { env: { ...meta('promoted_max', '2'), ...meta('clone_max', undefined) } },
      6,
      'clone-max=2',
    ],
    ['three nodes, DRBD 8.4', { generation: 8, env: meta('clone_max', '3') }, 6, 'for two nodes only'],
    [
      'drbd#117 notify off',
      { env: meta('notify', 'false') },
      6,
      'pcs resource meta p_drbd-clone notify=true',
    ],
    [
      'no clone',
      { env: { ...meta('notify', undefined), ...meta('clone', undefined), ...meta('clone_max', undefined) } },
      6,
      'pcs resource promotable p_drbd notify=true',
    ],
  ])('%s', async (_what, setup, code, reason) => {
    const start = await act('start', new FakeDrbd(setup));
    expect(start).toMatchObject({ code, reason: expect.stringContaining(reason) });
    expect((await act('stop', new FakeDrbd(setup))).code).toBe(0);
    expect((await act('notify', new FakeDrbd(setup))).code).toBe(0);
  });

  test.each<readonly [string, Setup]>([
    ['drbd#110 ge empty: not checked', { env: param('require_drbd_module_version_ge', '') }],
    ['drbd#110 lt empty: not checked', { env: param('require_drbd_module_version_lt', '') }],
    ['drbd#114 three nodes', { env: meta('clone_max', '3') }],
    ['drbd#115 promoted-max=0', { env: meta('promoted_max', '0') }],
    [
      'drbd#120 notify off and ignored',
      { env: { ...meta('notify', 'false'), ...param('ignore_missing_notifications', 'yes') } },
    ],
    [
      'drbd#119 notified, if of nobody',
      { env: { ...meta('notify', 'false'), ...meta('notify_start_uname', ' ') } },
    ],
    ['drbd#119 notified, empty', { env: { ...meta('notify', 'false'), ...meta('notify_start_uname', '') } }],
    ['a score nobody understands', { env: param('adjust_master_score', 'high') }],
  ])('accepted: %s', async (_what, setup) => {
    expect((await act('start', new FakeDrbd(setup))).code).toBe(0);
  });

  test('drbd#118 whatever became of the clone, what runs is watched and demoted', async () => {
    const env = { ...meta('clone_node_max', '2'), ...meta('notify', 'false') };
    const state = { ...isSecondary, role: 'Primary' } as const;
    expect((await act('monitor', new FakeDrbd({ env, state }))).code).toBe(8);
    expect((await act('demote', new FakeDrbd({ env, state }))).code).toBe(0);
    expect((await act('promote', new FakeDrbd({ env, state: isSecondary }))).code).toBe(6);
  });
});

test('drbd#117 notify off: nothing is brought up, a notification is 0', async () => {
  const env = meta('notify', 'false');
  for (const action of ['start', 'promote', 'reload', 'reload-agent'])
    expect((await act(action, { env, state: isSecondary })).code).toBe(6);
  expect((await act('notify', { env, state: isSecondary })).code).toBe(0);
  expect((await act('demote', { env, state: isPrimary })).code).toBe(0);
});

test('drbd#103 an action that nobody knows: 3, whatever else is wrong', async () => {
  expect((await act('frobnicate', { env: param('drbd_resource', '') })).code).toBe(3);
});

describe('without module, tools or configuration a probe finds nothing', () => {
  const gone: readonly (readonly [string, Setup, (drbd: FakeDrbd) => unknown])[] = [
    ['drbd#105 no module', { module: false }, (drbd) => drbd.answer('modinfo', { code: 1 })],
    [
      'drbd#122 no configuration file',
      {},
      (drbd) => drbd.answer('drbdadm', { code: 20, stderr: 'Can not open\n' }),
    ],
    ['drbd#123 not in the configuration', {}, (drbd) => drbd.answer('drbdadm', undefinedHere)],
  ];
  test.each(gone)('%s', async (_what, setup, spoil) => {
    for (const [env, score] of [
      [probe, '='],
      [{}, '-'],
    ] as const) {
      const drbd = new FakeDrbd({ ...setup, env });
      spoil(drbd);
      expect(await act('monitor', drbd)).toMatchObject({ code: 7, score });
    }
  });
});

describe('two Primaries', () => {
  const env = meta('promoted_max', '2');
  test.each([
    ['allowed', '<option name="allow-two-primaries" value="yes"/>', 0],
    ['allowed, without a value', '<option name="allow-two-primaries"/>', 0],
    ['drbd#116,127,128 forbidden', '<option name="allow-two-primaries" value="no"/>', 6],
    ['drbd#116,127,128 not mentioned', '', 6],
  ])('%s', async (_what, option, code) => {
    for (const action of ['start', 'promote']) {
      const drbd = new FakeDrbd({ env, state: isSecondary });
      drbd.options = `<section name="net"><option name="protocol" value="C"/>${option}</section>`;
      expect((await act(action, drbd)).code).toBe(code);
    }
    for (const action of ['monitor', 'stop'])
      expect((await act(action, { env, state: isSecondary })).code).toBe(0);
  });
  test('a connection’s own word counts', async () => {
    const connection = (value: string) =>
      `<connection><section name="net"><option name="allow-two-primaries" value="${value}"/></section></connection>`;
    const common = (value: string) =>
      `<section name="net"><option name="allow-two-primaries" value="${value}"/></section>`;
    const allowed = async (xml: string) => (await parseConfiguration(xml)).twoPrimaries;
    expect(await allowed(connection('yes'))).toBe(true);
    expect(await allowed(connection('yes') + connection('no'))).toBe(false);
    expect(await allowed(connection('no') + common('yes'))).toBe(false);
    expect(await allowed(`<connection></connection>${common('yes')}`)).toBe(true);
  });
});

describe('validate-all', () => {
  const deep = { OCF_CHECK_LEVEL: '10' };
  const noClone = {
    ...meta('notify', undefined),
    ...meta('clone', undefined),
    ...meta('clone_max', undefined),
  };
  test.each<readonly [string, Setup, number]>([
    ['drbd#129 before there is a clone: 0, silent, nothing run', { env: noClone, module: false }, 0],
    ['drbd#118 notify off', { env: meta('notify', 'false') }, 0],
    ['a clone that cannot work', { env: meta('clone_node_max', '2') }, 6],
    ['no resource', { env: { ...noClone, ...param('drbd_resource', '') } }, 6],
  ])('level 0: %s', async (_what, setup, code) => {
    const drbd = new FakeDrbd(setup);
    const result = await act('validate-all', drbd);
    expect(result).toMatchObject({ code, lines: [] });
    expect(drbd.machine.ran).toEqual([]);
  });
  test.each<readonly [string, Setup, (drbd: FakeDrbd) => unknown, number]>([
    ['all is well', {}, () => {}, 0],
    ['module not loaded, but there', { module: false }, () => {}, 0],
    ['drbd#123 not in the configuration', {}, (drbd) => drbd.answer('drbdadm sh-dev', undefinedHere), 5],
    ['drbd#105 no module', { module: false }, (drbd) => drbd.answer('modinfo', { code: 1 }), 5],
    ['drbd#106 modinfo alone', { module: false }, (drbd) => drbd.answer('modinfo', '9.1.4-k\n'), 0],
  ])('level 10: %s', async (_what, setup, spoil, code) => {
    const drbd = new FakeDrbd({ ...setup, env: { ...noClone, ...deep } });
    spoil(drbd);
    expect((await act('validate-all', drbd)).code).toBe(code);
    expect(drbd.score).toBe('=');
    expect(drbd.did).toEqual([]);
  });
});

test('drbd#126 8.4 insists on -S for a stacked resource: asked once, kept', async () => {
  const drbd = new FakeDrbd({ generation: 8, state: isSecondary });
  const { machine } = drbd;
  machine.on('drbdadm', (args) => {
    if (!args.includes('-S'))
      return { code: 1, stderr: "'r0' is a stacked resource, and not available in normal mode.\n" };
    if (args.includes('down')) drbd.state = undefined;
    return args.includes('sh-dev') ? '/dev/drbd0\n' : '';
  });
  expect((await act('start', drbd)).code).toBe(0);
  expect(machine.ran.filter((line) => line.startsWith('drbdadm') && !line.includes('-S'))).toHaveLength(1);
  expect((await act('stop', drbd)).code).toBe(0);
});
