import { describe, expect, test } from 'vitest';
import { FakeDrbd } from '../../../fake/drbd.ts';
import {
  act,
  away,
  beta,
  betaPrimary,
  good,
  isPrimary,
  isSecondary,
  look,
  meta,
  primary,
  probe,
  type Row,
  secondary,
} from '../../../fake/drbd-actions.ts';
import { hangs } from '../../../fake/machine.ts';

describe('monitor, DRBD 9', () => {
  const rows: readonly Row[] = [
    [1, 'nothing configured', undefined, 7, '-', '='],
    [7, 'Secondary, peer Secondary', secondary([good], beta), 0, '10000', 'connected'],
    [8, 'Secondary, peer Primary', secondary([good], betaPrimary), 0, '10000', 'connected'],
    [9, 'Primary', primary([good], beta), 8, '10000', 'connected'],
    [12, 'Secondary, peer away', secondary([good], away), 0, '1000', 'connecting'],
    [14, 'Secondary, no connection', secondary([good]), 0, '10000', 'unconnected'],
    [
      15,
      'Secondary, peer away and known outdated',
      secondary([good], 'beta Connecting Unknown Outdated'),
      0,
      '10000',
      'connecting',
    ],
    [
      16,
      'Secondary, peer lost its disk',
      secondary([good], 'beta Connected Secondary Diskless'),
      0,
      '10000',
      'peer-diskless',
    ],
    [17, 'Consistent, alone', secondary(['Consistent'], away), 0, '-', 'consistent'],
    [19, 'Consistent, peer has the data', secondary(['Consistent'], betaPrimary), 0, '10', 'consistent'],
    [20, 'Outdated, alone', secondary(['Outdated'], away), 0, '-', 'outdated'],
    [21, 'Outdated, peer has the data', secondary(['Outdated'], betaPrimary), 0, '10', 'outdated'],
    [22, 'Inconsistent, alone', secondary(['Inconsistent'], away), 0, '-', 'inconsistent'],
    [
      23,
      'sync target',
      secondary(['Inconsistent'], 'beta Connected Primary UpToDate+SyncTarget:42.5'),
      0,
      '10',
      'synctarget 40%',
    ],
    [
      24,
      'sync source, Secondary',
      secondary([good], 'beta Connected Secondary Inconsistent+SyncSource:9.9'),
      0,
      '10000',
      'syncsource 0%',
    ],
    [
      25,
      'sync source, Primary',
      primary([good], 'beta Connected Secondary Inconsistent+SyncSource'),
      8,
      '10000',
      'syncsource',
    ],
    [26, 'disk lost, Secondary', secondary(['Diskless'], betaPrimary), 0, '10', 'diskless'],
    [29, 'Failed, alone', secondary(['Failed'], away), 0, '-', 'failed'],
    [29, 'Detaching, alone', secondary(['Detaching'], away), 0, '-', 'detaching'],
    [30, 'Failed, Primary, peer has the data', primary(['Failed'], beta), 8, '10', 'failed'],
    [31, 'Attaching, alone', secondary(['Attaching'], away), 0, '=', 'attaching'],
    [32, 'Attaching, peer has the data', secondary(['Attaching'], beta), 0, '10', 'attaching'],
    [33, 'Negotiating, alone', secondary(['Negotiating'], away), 0, '=', 'negotiating'],
    [
      34,
      'both fresh',
      secondary(['Inconsistent'], 'beta Connected Secondary Inconsistent'),
      0,
      '-',
      'inconsistent',
    ],
  ];
  test.each(rows)('drbd#%i %s', async (_number, _situation, state, code, score, attribute) => {
    const drbd = new FakeDrbd(state ? { state } : {});
    expect(await look(drbd)).toEqual({ code, score, state: attribute });
    const asked = drbd.machine.ran.filter((line) => line.startsWith('drbd'));
    expect(asked).toEqual(['drbdsetup events2 --now r0', ...(state ? [] : ['drbdsetup events2 --now'])]);
  });

  test('drbd#59 two Primaries, as the cluster wants it', async () => {
    const state = primary([good], betaPrimary);
    const env = meta('promoted_max', '2');
    expect(await look({ state, env })).toEqual({ code: 8, score: '10000', state: 'connected' });
  });

  test.each([
    ['drbd#2 nothing configured', undefined, 7, '='],
    ['running', isSecondary, 0, '10000'],
    ['Primary', isPrimary, 8, '10000'],
  ] as const)('probe: %s', async (_what, state, code, score) => {
    expect(await look({ env: probe, ...(state && { state }) })).toEqual({ code, score, state: '=' });
  });

  test.each([
    ['drbd#3 recurring', {}, 7, '-', 9],
    ['drbd#3 recurring, 8.4', {}, 7, '-', 8],
    ['drbd#4 probe', probe, 7, '=', 9],
  ] as const)(
    'no module, %s: nothing is asked that would load it',
    async (_what, env, code, score, generation) => {
      const drbd = new FakeDrbd({ env, module: false, generation });
      expect(await look(drbd)).toMatchObject({ code, score });
      expect(drbd.machine.ran.some((line) => line.startsWith('drbd'))).toBe(false);
    },
  );

  test('drbd#5 a Primary without its device nodes: the kernel decides', async () => {
    expect(await look({ state: isPrimary, nodes: false })).toMatchObject({ code: 8, score: '10000' });
  });
  test('drbd#6 two devices, the first without its node', async () => {
    const state = secondary([good, good], 'beta Connected Secondary UpToDate UpToDate');
    const drbd = new FakeDrbd({ state, configured: state });
    drbd.machine.factsOf.delete('/dev/drbd0');
    expect(await look(drbd)).toMatchObject({ code: 0, score: '10000' });
  });

  test('drbd#61 lines of other resources and changes do not count', async () => {
    const others = [
      'exists resource name:r00 role:Primary suspended:no',
      'exists resource name:r0 role:Secondary suspended:no force-io-failures:no',
      'exists device name:r0 volume:0 minor:0 disk:UpToDate client:no quorum:yes',
      'exists device name:r00 volume:1 minor:7 disk:Failed client:no quorum:no',
      'change resource name:r0 role:Primary may_promote:no promotion_score:10101',
      'change device name:r0 volume:0 disk:Failed',
      'exists -',
    ].join('\n');
    const drbd = new FakeDrbd({ state: isSecondary }).answer('drbdsetup events2', others);
    expect(await look(drbd)).toMatchObject({ code: 0, score: '10000' });
  });

  test('drbd#71 status, called by a person, tells the cluster nothing', async () => {
    expect(await look({ state: isPrimary }, 'status')).toEqual({ code: 8, score: '=', state: '=' });
  });
});

describe('monitor when the kernel cannot be asked', () => {
  test.each([
    ['drbd#62 the query fails', { code: 20, stderr: 'could not connect to netlink\n' }],
    ['drbd#63 the query prints garbage', 'lorem ipsum\n'],
    ['drbd#63 the query prints nothing', ''],
    ['the query ends early', 'exists resource name:r0 role:Primary suspended:no\n'],
  ])('%s: asked again, then failed, never "not running", score untouched', async (_what, answer) => {
    for (const env of [{}, probe]) {
      const drbd = new FakeDrbd({ state: isPrimary, env }).answer('drbdsetup events2', answer);
      expect(await look(drbd)).toEqual({ code: 1, score: '=', state: '=' });
      expect(drbd.machine.ran.filter((line) => line.includes('events2')).length).toBeGreaterThan(3);
    }
  });

  test('the query fails twice, then works', async () => {
    const drbd = new FakeDrbd({ state: isPrimary });
    drbd.answer('drbdsetup events2', (times) => (times < 2 ? { code: 20 } : undefined));
    expect(await look(drbd)).toMatchObject({ code: 8, score: '10000' });
  });

  test('drbd#64 the query hangs: a reason before the timeout', async () => {
    const drbd = new FakeDrbd({ state: isPrimary });
    drbd.machine.on('drbdsetup', (_args, command) => hangs(command, drbd.machine));
    const result = await act('monitor', drbd);
    expect(result).toMatchObject({ code: 1, score: '=' });
    expect(result.reason).toContain('drbdsetup events2');
    expect(drbd.machine.clock).toBeLessThan(20_000);
  });

  test.each([
    ['recurring, DRBD devices exist', {}, true, 1],
    ['probe, DRBD devices exist', probe, true, 1],
    ['recurring, none exists', {}, false, 7],
    ['probe, none exists', probe, false, 7],
  ])('drbdsetup is missing: %s', async (_what, env, exist, code) => {
    const drbd = new FakeDrbd({ state: isPrimary, env });
    drbd.machine.on('drbdsetup', () => ({ code: 127, missing: true }));
    drbd.machine.files.set('/sys/block/sda/dev', '8:0\n');
    if (exist) drbd.machine.files.set('/sys/block/drbd0/dev', '147:0\n');
    expect((await look(drbd)).code).toBe(code);
  });

  test('DRBD 9, events2 fails: the JSON status is a second opinion', async () => {
    expect(await look(byJson('Primary'))).toMatchObject({ code: 8, score: '10000' });
    expect(await look(byJson('Secondary'))).toMatchObject({ code: 0, score: '10000' });
  });

  const device = { volume: 0, minor: 0, 'disk-state': 'UpToDate' };
  const connection = {
    name: 'beta',
    'connection-state': 'Connected',
    'peer-role': 'Secondary',
    peer_devices: [{ volume: 0, 'replication-state': 'Established', 'peer-disk-state': 'UpToDate' }],
  };
  const byJson = (role: string, change: object = {}) =>
    new FakeDrbd({ state: isPrimary })
      .answer('drbdsetup events2', { code: 20 })
      .answer(
        'drbdsetup status',
        JSON.stringify([{ name: 'r0', role, devices: [device], connections: [connection], ...change }]),
      );
  test.each([
    ['devices', { devices: [] }],
    ['connections', { connections: [] }],
    ['peer devices', { connections: [{ ...connection, peer_devices: [] }] }],
  ])(
    'D19 the JSON status has no %s: unknown, and never "not running" or a better score',
    async (_what, change) => {
      for (const role of ['Primary', 'Secondary'])
        expect(await look(byJson(role, change))).toEqual({ code: 1, score: '=', state: '=' });
    },
  );
  test('D19 the kernel itself says that there is no connection', async () => {
    const drbd = byJson('Secondary', { connections: [] });
    drbd.machine.factsOf.set('/sys/kernel/debug/drbd/resources/r0/connections', { kind: 'directory' });
    expect(await look(drbd)).toMatchObject({ code: 0, score: '10000' });
  });
});
