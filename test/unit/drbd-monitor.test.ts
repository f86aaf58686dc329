import { describe, expect, test } from 'vitest';
import { drbd as agent } from '../../agents/drbd/agent.ts';
import type { Log } from '../../lib/ocf/log.ts';
import { runAction } from '../../lib/ocf/run.ts';
import { FakeDrbd } from '../fake/drbd.ts';
import { client, good, look, primary, probe, type Row, secondary, silent } from '../fake/drbd-actions.ts';
import { hangs } from '../fake/machine.ts';

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

test('what an operator should know is logged once', async () => {
  const drbd = new FakeDrbd({ state: primary([good], 'beta StandAlone Unknown DUnknown') });
  const lines: string[] = [];
  const log: Log = { ...silent, warn: (line) => lines.push(line) };
  for (const _ of [1, 2, 3]) await runAction(agent, 'monitor', drbd.machine, log);
  expect(lines).toEqual([expect.stringContaining('connection to beta is StandAlone: split brain')]);
});
