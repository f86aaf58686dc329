import { describe, expect, test } from 'vitest';
import { drbd as agent } from '../../agents/drbd/agent.ts';
import type { Resource } from '../../lib/host/drbd/state.ts';
import type { Log } from '../../lib/ocf/log.ts';
import { runAction } from '../../lib/ocf/run.ts';
import { FakeDrbd, resource, volumes } from '../fake/drbd.ts';
import { hangs } from '../fake/machine.ts';

const silent: Log = { crit() {}, error() {}, warn() {}, info() {}, debug() {} };
const probe = { OCF_RESKEY_CRM_meta_interval: '0' };
const secondary = (devices: readonly string[], ...peers: readonly string[]) =>
  resource('Secondary', volumes(...devices), peers);
const primary = (devices: readonly string[], ...peers: readonly string[]) =>
  resource('Primary', volumes(...devices), peers);
const good = 'UpToDate';
const client = 'Diskless client';

type Row = readonly [situation: string, state: Resource | undefined, code: number, score: string];

async function look(drbd: FakeDrbd, action = 'monitor') {
  const result = await runAction(agent, action, drbd.machine, silent);
  return { code: result.code, score: drbd.score };
}

describe('monitor, DRBD 9', () => {
  const rows: readonly Row[] = [
    ['nothing configured', undefined, 7, '-'],
    ['Secondary, peer Secondary', secondary([good], 'beta Connected Secondary UpToDate'), 0, '10000'],
    ['Secondary, peer Primary', secondary([good], 'beta Connected Primary UpToDate'), 0, '10000'],
    ['Primary', primary([good], 'beta Connected Secondary UpToDate'), 8, '10000'],
    ['Primary, peer away', primary([good], 'beta Connecting Unknown DUnknown'), 8, '10000'],
    ['Primary, standing alone', primary([good], 'beta StandAlone Unknown DUnknown'), 8, '10000'],
    ['Secondary, peer away', secondary([good], 'beta Connecting Unknown DUnknown'), 0, '1000'],
    ['Secondary, standing alone', secondary([good], 'beta StandAlone Unknown DUnknown'), 0, '1000'],
    ['Secondary, no connection', secondary([good]), 0, '10000'],
    [
      'Secondary, peer away and known outdated',
      secondary([good], 'beta Connecting Unknown Outdated'),
      0,
      '10000',
    ],
    ['Secondary, peer lost its disk', secondary([good], 'beta Connected Secondary Diskless'), 0, '10000'],
    ['Consistent, alone', secondary(['Consistent'], 'beta Connecting Unknown DUnknown'), 0, '-'],
    ['Consistent, peer has the data', secondary(['Consistent'], 'beta Connected Primary UpToDate'), 0, '10'],
    ['Outdated, alone', secondary(['Outdated'], 'beta Connecting Unknown DUnknown'), 0, '-'],
    ['Outdated, peer has the data', secondary(['Outdated'], 'beta Connected Primary UpToDate'), 0, '10'],
    ['Inconsistent, alone', secondary(['Inconsistent'], 'beta Connecting Unknown DUnknown'), 0, '-'],
    ['sync target', secondary(['Inconsistent'], 'beta Connected Primary UpToDate'), 0, '10'],
    ['sync source, Secondary', secondary([good], 'beta Connected Secondary Inconsistent'), 0, '10000'],
    ['sync source, Primary', primary([good], 'beta Connected Secondary Inconsistent'), 8, '10000'],
    ['disk lost, Secondary', secondary(['Diskless'], 'beta Connected Primary UpToDate'), 0, '10'],
    ['disk lost, Primary', primary(['Diskless'], 'beta Connected Secondary UpToDate'), 8, '10'],
    ['disk lost, Primary, peer away', primary(['Diskless'], 'beta Connecting Unknown DUnknown'), 8, '-'],
    ['Failed, alone', secondary(['Failed'], 'beta Connecting Unknown DUnknown'), 0, '-'],
    ['Detaching, alone', secondary(['Detaching'], 'beta Connecting Unknown DUnknown'), 0, '-'],
    ['Failed, Primary, peer has the data', primary(['Failed'], 'beta Connected Secondary UpToDate'), 8, '10'],
    ['Attaching, alone', secondary(['Attaching'], 'beta Connecting Unknown DUnknown'), 0, '='],
    ['Attaching, peer has the data', secondary(['Attaching'], 'beta Connected Secondary UpToDate'), 0, '10'],
    ['Negotiating, alone', secondary(['Negotiating'], 'beta Connecting Unknown DUnknown'), 0, '='],
    ['both fresh', secondary(['Inconsistent'], 'beta Connected Secondary Inconsistent'), 0, '-'],
    [
      '2 volumes, all good',
      secondary([good, good], 'beta Connected Secondary UpToDate UpToDate'),
      0,
      '10000',
    ],
    [
      '2 volumes, one syncing',
      secondary([good, 'Inconsistent'], 'beta Connected Primary UpToDate UpToDate'),
      0,
      '10',
    ],
    [
      '2 volumes, one bad on both',
      secondary([good, 'Inconsistent'], 'beta Connected Secondary UpToDate Inconsistent'),
      0,
      '-',
    ],
    [
      '2 volumes, each has one',
      secondary([good, 'Inconsistent'], 'beta Connected Secondary Inconsistent UpToDate'),
      0,
      '-',
    ],
    [
      '2 volumes, a new one on a lone Primary',
      primary([good, 'Inconsistent'], 'beta Connecting Unknown DUnknown DUnknown'),
      8,
      '-',
    ],
    [
      '2 volumes, client of one',
      secondary([good, client], 'beta Connected Secondary UpToDate UpToDate'),
      0,
      '10000',
    ],
    [
      '2 volumes, peer known for one',
      secondary([good, good], 'beta Connected Secondary UpToDate DUnknown'),
      0,
      '1000',
    ],
    [
      '2 volumes, no quorum for one',
      secondary([good, `${good} noquorum`], 'beta Connected Secondary UpToDate UpToDate'),
      0,
      '-',
    ],
    [
      '3 nodes, all good',
      secondary([good], 'beta Connected Primary UpToDate', 'gamma Connected Secondary UpToDate'),
      0,
      '10000',
    ],
    [
      '3 nodes, one away',
      secondary([good], 'beta Connected Primary UpToDate', 'gamma Connecting Unknown DUnknown'),
      0,
      '1000',
    ],
    [
      '3 nodes, one alone',
      secondary([good], 'beta Connected Primary UpToDate', 'gamma StandAlone Unknown DUnknown'),
      0,
      '1000',
    ],
    [
      '3 nodes, both away',
      secondary([good], 'beta Connecting Unknown DUnknown', 'gamma Connecting Unknown DUnknown'),
      0,
      '1000',
    ],
    [
      '3 nodes, one away, Primary',
      primary([good], 'beta Connected Secondary UpToDate', 'gamma Connecting Unknown DUnknown'),
      8,
      '10000',
    ],
    [
      '3 nodes, no quorum, Primary',
      primary([`${good} noquorum`], 'beta Connecting Unknown DUnknown', 'gamma Connecting Unknown DUnknown'),
      8,
      '-',
    ],
    [
      '3 nodes, no quorum, Secondary',
      secondary(
        [`${good} noquorum`],
        'beta Connecting Unknown DUnknown',
        'gamma Connecting Unknown DUnknown',
      ),
      0,
      '-',
    ],
    [
      'peer away, tiebreaker there',
      secondary([good], 'beta Connecting Unknown DUnknown', 'tie Connected Secondary Diskless+client'),
      0,
      '1000',
    ],
    [
      'peer good, tiebreaker there',
      secondary([good], 'beta Connected Secondary UpToDate', 'tie Connected Secondary Diskless+client'),
      0,
      '10000',
    ],
    ['only a tiebreaker', secondary([good], 'tie Connected Secondary Diskless+client'), 0, '10000'],
    [
      'client, all peers good',
      secondary([client], 'beta Connected Secondary UpToDate', 'gamma Connected Secondary UpToDate'),
      0,
      '9999',
    ],
    [
      'client, Primary',
      primary([client], 'beta Connected Secondary UpToDate', 'gamma Connected Secondary UpToDate'),
      8,
      '9999',
    ],
    [
      'client, one peer away',
      secondary([client], 'beta Connected Secondary UpToDate', 'gamma Connecting Unknown DUnknown'),
      0,
      '999',
    ],
    [
      'client, Primary, one peer away',
      primary([client], 'beta Connected Secondary UpToDate', 'gamma Connecting Unknown DUnknown'),
      8,
      '9999',
    ],
    ['client, nobody good', secondary([client], 'beta Connecting Unknown DUnknown'), 0, '-'],
    ['client without quorum', secondary([`${client} noquorum`], 'beta Connected Secondary UpToDate'), 0, '-'],
    ['two Primaries', primary([good], 'beta Connected Primary UpToDate'), 8, '10000'],
    ['no volumes at all', secondary([]), 0, '-'],
    [
      'I/O suspended without quorum',
      { ...primary([`${good} noquorum`], 'beta Connecting Unknown DUnknown'), suspended: ['quorum'] },
      8,
      '-',
    ],
    [
      'I/O suspended without data',
      { ...primary(['Diskless'], 'beta Connecting Unknown DUnknown'), suspended: ['no-data'] },
      8,
      '-',
    ],
    [
      'I/O made to fail',
      { ...primary([good], 'beta Connected Secondary UpToDate'), forceIoFailures: true },
      8,
      '-',
    ],
  ];
  test.each(rows)('%s', async (_situation, state, code, score) => {
    const drbd = new FakeDrbd(state ? { state } : {});
    expect(await look(drbd)).toEqual({ code, score });
    expect(drbd.machine.ran.filter((line) => line.startsWith('drbd'))).toEqual([
      'drbdsetup events2 --now r0',
    ]);
  });

  test.each<Row>([
    ['nothing configured', undefined, 7, '='],
    ['running', secondary([good], 'beta Connected Secondary UpToDate'), 0, '10000'],
    ['Primary', primary([good], 'beta Connected Secondary UpToDate'), 8, '10000'],
  ])('probe: %s', async (_situation, state, code, score) => {
    expect(await look(new FakeDrbd({ env: probe, ...(state && { state }) }))).toEqual({ code, score });
  });

  test.each([
    ['recurring', {}, 7, '-'],
    ['probe', probe, 7, '='],
  ])('no module, %s: nothing is asked that would load it', async (_what, env, code, score) => {
    const drbd = new FakeDrbd({ env, module: false });
    expect(await look(drbd)).toEqual({ code, score });
    expect(drbd.did).toEqual([]);
    expect(drbd.machine.ran.some((line) => line.startsWith('drbd'))).toBe(false);
  });

  test('device nodes are missing, the kernel decides', async () => {
    const state = primary([good], 'beta Connected Secondary UpToDate');
    expect(await look(new FakeDrbd({ state, nodes: false }))).toEqual({ code: 8, score: '10000' });
  });

  test('status, called by a person, writes no score', async () => {
    const drbd = new FakeDrbd({ state: primary([good], 'beta Connected Secondary UpToDate') });
    expect(await look(drbd, 'status')).toEqual({ code: 8, score: '=' });
  });
});

describe('monitor when the kernel cannot be asked', () => {
  const state = primary([good], 'beta Connected Secondary UpToDate');
  test.each([
    ['the query fails', { code: 20, stderr: 'could not connect to netlink\n' }],
    ['the query prints garbage', 'lorem ipsum\n'],
    ['the query prints nothing', ''],
    ['the query ends early', 'exists resource name:r0 role:Primary suspended:no\n'],
  ])('%s: failed, never "not running", score untouched', async (_what, answer) => {
    for (const env of [{}, probe]) {
      const drbd = new FakeDrbd({ state, env }).answer('drbdsetup events2', answer);
      expect(await look(drbd)).toEqual({ code: 1, score: '=' });
    }
  });

  test('the query fails twice, then works', async () => {
    const drbd = new FakeDrbd({ state });
    drbd.answer('drbdsetup events2', (times) => (times < 2 ? { code: 20 } : undefined));
    expect(await look(drbd)).toEqual({ code: 8, score: '10000' });
  });

  test('the query hangs: a reason before the timeout', async () => {
    const drbd = new FakeDrbd({ state });
    drbd.machine.on('drbdsetup', (_args, command) => hangs(command, drbd.machine));
    const result = await runAction(agent, 'monitor', drbd.machine, silent);
    expect(result).toMatchObject({ code: 1, reason: expect.stringContaining('drbdsetup events2') });
    expect(drbd.machine.clock).toBeLessThan(20_000);
    expect(drbd.score).toBe('=');
  });

  test.each([
    ['recurring, DRBD devices exist', {}, true, 1],
    ['probe, DRBD devices exist', probe, true, 1],
    ['recurring, none exists', {}, false, 7],
    ['probe, none exists', probe, false, 7],
  ])('drbdsetup is missing: %s', async (_what, env, exist, code) => {
    const drbd = new FakeDrbd({ state, env });
    drbd.machine.on('drbdsetup', () => ({ code: 127, missing: true }));
    drbd.machine.files.set('/sys/block/sda/dev', '8:0\n');
    if (exist) drbd.machine.files.set('/sys/block/drbd0/dev', '147:0\n');
    expect((await look(drbd)).code).toBe(code);
  });

  test('DRBD 9, events2 fails: the JSON status is a second opinion', async () => {
    const json = JSON.stringify([{ name: 'r0', role: 'Primary', devices: [], connections: [] }]);
    const drbd = new FakeDrbd({ state })
      .answer('drbdsetup events2', { code: 20 })
      .answer('drbdsetup status', json);
    expect((await look(drbd)).code).toBe(8);
  });
});

describe('monitor, DRBD 8.4', () => {
  const rows: readonly Row[] = [
    ['only created', secondary(['Diskless'], 'peer StandAlone Unknown DUnknown'), 7, '-'],
    ['nothing', undefined, 7, '-'],
    ['connected', secondary([good], 'peer Connected Secondary UpToDate'), 0, '10000'],
    ['Primary', primary([good], 'peer Connected Secondary UpToDate'), 8, '10000'],
    ['two Primaries', primary([good], 'peer Connected Primary UpToDate'), 8, '10000'],
    ['Secondary, alone', secondary([good], 'peer Connecting Unknown DUnknown'), 0, '1000'],
    ['Primary, alone', primary([good], 'peer Connecting Unknown DUnknown'), 8, '10000'],
    ['split brain', primary([good], 'peer StandAlone Unknown DUnknown'), 8, '10000'],
    ['peer known outdated', secondary([good], 'peer Connecting Unknown Outdated'), 0, '10000'],
    ['Outdated, alone', secondary(['Outdated'], 'peer Connecting Unknown DUnknown'), 0, '-'],
    ['sync target', secondary(['Inconsistent'], 'peer Connected Primary UpToDate'), 0, '10'],
    ['disk lost, Primary', primary(['Diskless'], 'peer Connected Secondary UpToDate'), 8, '10'],
    ['disk lost, Primary, alone', primary(['Diskless'], 'peer Connecting Unknown DUnknown'), 8, '-'],
    ['Attaching, peer good', secondary(['Attaching'], 'peer Connected Secondary UpToDate'), 0, '10'],
    ['Negotiating, alone', secondary(['Negotiating'], 'peer Connecting Unknown DUnknown'), 0, '='],
    [
      'one of two volumes only created',
      secondary([good, 'Diskless'], 'peer Connected Secondary UpToDate DUnknown'),
      0,
      '-',
    ],
    [
      'promoted halfway',
      primary([`${good} Primary`, `${good} Secondary`], 'peer Connected Secondary UpToDate UpToDate'),
      8,
      '10000',
    ],
  ];
  test.each(rows)('%s', async (_situation, state, code, score) => {
    const drbd = new FakeDrbd({ generation: 8, ...(state && { state }) });
    expect(await look(drbd)).toEqual({ code, score });
  });

  const mapped = (drbd: FakeDrbd, ...resources: readonly string[]) => {
    for (const [minor, name] of resources.entries()) {
      const folder = `/sys/kernel/debug/drbd/resources/${name}/volumes`;
      const volume = [...drbd.machine.factsOf.keys()].filter((path) => path.startsWith(folder)).length;
      drbd.machine.factsOf.set(`${folder}/${volume}`, { kind: 'directory' });
      drbd.machine.links.set(
        `/sys/kernel/debug/drbd/minors/${minor}`,
        `../resources/${name}/volumes/${volume}`,
      );
    }
    return drbd;
  };
  test.each(rows.filter(([, state]) => state))(
    '%s: no command where debugfs names the minors',
    async (_what, state, code, score) => {
      const drbd = new FakeDrbd({ generation: 8, ...(state && { state }) });
      mapped(drbd, ...(state?.devices ?? []).map(() => 'r0'));
      expect(await look(drbd)).toEqual({ code, score });
      expect(drbd.machine.ran.filter((line) => line.startsWith('drbd'))).toEqual([]);
    },
  );
  const one = primary([good], 'peer Connected Secondary UpToDate');
  test.each<readonly [string, Resource | undefined, readonly string[]]>([
    ['the minor belongs to another resource', one, ['r1']],
    ['a volume has no line', one, ['r0', 'r0']],
    ['nothing is there', undefined, []],
    ['I/O is suspended', { ...one, suspended: ['user'] }, ['r0']],
  ])('drbdsetup is asked when %s', async (_what, state, resources) => {
    const drbd = mapped(new FakeDrbd({ generation: 8, ...(state && { state }) }), ...resources);
    expect((await look(drbd)).code).toBe(state ? 8 : 7);
    expect(drbd.machine.ran).toContain('drbdsetup events2 --now r0');
  });

  test('kernels without events2: sh-status', async () => {
    const status =
      '_minor=0\n_res_name=r0\n_volume=0\n_known=Configured\n_cstate=Connected\n_role=Primary\n_peer=Secondary\n_disk=UpToDate\n_pdsk=UpToDate\n_sh_status_process\n';
    const drbd = new FakeDrbd({ generation: 8 })
      .answer('drbdsetup events2', { code: 20 })
      .answer('drbdsetup sh-status', status);
    expect(await look(drbd)).toEqual({ code: 8, score: '10000' });
  });
  test('neither answers', async () => {
    const drbd = new FakeDrbd({ generation: 8 }).answer('drbdsetup', { code: 20 });
    expect(await look(drbd)).toEqual({ code: 1, score: '=' });
  });
});

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

test('what an operator should know is logged once', async () => {
  const drbd = new FakeDrbd({ state: primary([good], 'beta StandAlone Unknown DUnknown') });
  const lines: string[] = [];
  const log: Log = { ...silent, warn: (line) => lines.push(line) };
  for (const _ of [1, 2, 3]) await runAction(agent, 'monitor', drbd.machine, log);
  expect(lines).toEqual([expect.stringContaining('connection to beta is StandAlone: split brain')]);
});
