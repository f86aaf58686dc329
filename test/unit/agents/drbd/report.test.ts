import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { handInstance } from '../../../../lib/contract/request.ts';
import { parseProcDrbd } from '../../../../lib/host/drbd/drbd84.ts';
import type { Suspension } from '../../../../lib/host/drbd/words.ts';
import { FakeDrbd } from '../../../fake/drbd.ts';
import {
  act,
  away,
  beta,
  good,
  isAlone,
  isPrimary,
  isSecondary,
  param,
  primary,
  probe,
  type Setup,
  secondary,
} from '../../../fake/drbd-actions.ts';
import { hangs } from '../../../fake/machine.ts';

// What operators and the cluster are told besides exit code and score.

const degraded = param('report_degraded', 'true');
const isStandalone = 'beta StandAlone Unknown DUnknown';
const gammaAway = 'gamma Connecting Unknown DUnknown';
const suspended = (state: typeof isPrimary, why: Suspension) => ({ ...state, suspended: [why] });

describe('degraded: its own code only when asked for, a phrase in the log, a word in the node attribute', () => {
  test.each([
    [10, 'Primary, peer away', primary([good], away), 8, '10000', 'connecting', 'to beta is Connecting'],
    [
      11,
      'Primary, alone',
      primary([good], isStandalone),
      8,
      '10000',
      'standalone',
      'StandAlone: split brain',
    ],
    [13, 'Secondary, alone', secondary([good], isStandalone), 0, '1000', 'standalone', 'StandAlone: split'],
    [185, 'by an administrator', secondary([good], isStandalone), 0, '1000', 'standalone', 'administrator'],
    [27, 'disk lost, Primary', primary(['Diskless'], beta), 8, '10', 'diskless', 'volume 0 is Diskless'],
    [28, 'and peer away', primary(['Diskless'], away), 8, '-', 'diskless', 'volume 0 is Diskless'],
    [48, 'no quorum', primary([`${good} noquorum`], away, gammaAway), 8, '-', 'no-quorum', 'has no quorum'],
    [
      65,
      'suspended without quorum',
      suspended(primary([`${good} noquorum`], away), 'quorum'),
      8,
      '-',
      'no-quorum',
      'I/O is suspended (quorum)',
    ],
    [
      66,
      'suspended without data',
      suspended(primary(['Diskless'], away), 'no-data'),
      8,
      '-',
      'suspended no-data',
      'I/O is suspended (no-data)',
    ],
    [
      67,
      'I/O made to fail',
      { ...isPrimary, forceIoFailures: true },
      8,
      '-',
      'io-failing',
      'I/O is made to fail',
    ],
  ] as const)('drbd#%i %s', async (_number, _what, state, code, score, attribute, phrase) => {
    const plain = await act('monitor', { state });
    expect(plain).toMatchObject({ code, score, state: attribute, reason: '' });
    expect(plain.lines.join()).toContain(phrase);
    const asked = await act('monitor', { state, env: degraded });
    expect(asked).toMatchObject({ code: code === 8 ? 191 : 190, score, state: attribute });
    expect(asked.reason).toContain(phrase);
  });

  test.each([
    ['all is well', { state: isPrimary }, 8],
    ['a probe', { state: primary([good], away), env: probe }, 8],
    ['Pacemaker 2.0', { state: isAlone, env: { OCF_RESKEY_crm_feature_set: '3.7.1' } }, 0],
    ['no Pacemaker', { state: isAlone, env: { OCF_RESKEY_crm_feature_set: '' } }, 0],
  ] as const)('never for %s', async (_what, setup: Setup, code) => {
    const drbd = new FakeDrbd({ ...setup, env: { ...degraded, ...setup.env } });
    drbd.machine.on('crm_master', () => '');
    expect((await act('monitor', drbd)).code).toBe(code);
  });
  test('never for a person', async () => {
    expect((await act('status', { state: isAlone, env: degraded })).code).toBe(0);
  });
  test('a resync and a peer that is behind count too', async () => {
    const behind = (disk: string) => ({
      state: primary([good], `beta Connected Secondary ${disk}`),
      env: degraded,
    });
    expect((await act('monitor', behind('Inconsistent+SyncSource:3'))).code).toBe(191);
    expect((await act('monitor', behind('Outdated'))).code).toBe(191);
  });
  test('the log has it once, not with every monitor', async () => {
    const drbd = new FakeDrbd({ state: primary([good], isStandalone), env: degraded });
    const lines: string[] = [];
    for (const _ of [1, 2, 3]) lines.push(...(await act('monitor', drbd)).lines);
    expect(lines).toEqual([expect.stringContaining('connection to beta is StandAlone')]);
    drbd.state = isPrimary;
    expect((await act('monitor', drbd)).lines).toEqual(['r0: connected to every peer, all data UpToDate']);
  });
});

describe('fail_promoted_without_data', () => {
  const env = param('fail_promoted_without_data', 'yes');
  test('drbd#28 no data within reach: failed', async () => {
    const result = await act('monitor', { state: primary(['Diskless'], away), env });
    expect(result).toMatchObject({ code: 9, score: '-' });
    expect(result.reason).toContain('without UpToDate data within reach');
  });
  test.each([
    ['the peer has the data', primary(['Diskless'], beta), 8],
    ['each has one volume', primary([good, 'Diskless'], 'beta Connected Secondary Diskless UpToDate'), 8],
    ['Secondary', secondary(['Diskless'], away), 0],
  ])('not when %s', async (_what, state, code) => {
    expect((await act('monitor', { state, env })).code).toBe(code);
  });
  test('drbd#65 suspended I/O: 9 when it has lasted for an interval, and not after it has gone on', async () => {
    const drbd = new FakeDrbd({ state: suspended(primary([`${good} noquorum`], away), 'quorum'), env });
    const at = async (second: number) => {
      drbd.machine.files.set('/proc/uptime', `${second}.00 1.00\n`);
      return (await act('monitor', drbd)).code;
    };
    expect([await at(100), await at(105), await at(110)]).toEqual([8, 8, 9]);
    drbd.state = isPrimary;
    expect(await at(120)).toBe(8);
    drbd.state = suspended(isPrimary, 'fencing');
    expect(await at(130)).toBe(8);
  });
});

describe('D21 fail_promoted_without_data while a peer is being fenced', () => {
  const fencing = suspended(primary([good], away), 'fencing');
  const node = (handler: string | undefined) => {
    const drbd = new FakeDrbd({ state: fencing, env: param('fail_promoted_without_data', 'yes') });
    if (handler)
      drbd.options = `<section name="handlers"><option name="fence-peer" value="${handler}"/></section>`;
    return drbd;
  };
  const codeAt = async (drbd: FakeDrbd, second: number) => {
    drbd.machine.files.set('/proc/uptime', `${second}.00 1.00\n`);
    return (await act('monitor', drbd)).code;
  };
  test.each([
    ['its handler names a time', '/usr/lib/drbd/crm-fence-peer.9.sh --timeout 40', 40],
    ['its handler names none', '/usr/lib/drbd/crm-fence-peer.9.sh', 90],
    ['another handler', '/usr/local/bin/fence', 90],
    ['no handler is known', undefined, 90],
  ])('%s: 9 after that', async (_what, handler, seconds) => {
    const drbd = node(handler);
    for (const age of [0, 10, 20, seconds - 1]) expect(await codeAt(drbd, 100 + age)).toBe(8);
    expect(await codeAt(drbd, 100 + seconds)).toBe(9);
  });
  test('the configuration cannot be read, or drbdadm hangs: the monitor ends in time', async () => {
    const drbd = node(undefined);
    drbd.machine.on('drbdadm', (_args, command) => hangs(command, drbd.machine));
    expect([await codeAt(drbd, 100), await codeAt(drbd, 150)]).toEqual([8, 8]);
    expect(drbd.machine.clock).toBeLessThan(20_000);
    expect(await codeAt(drbd, 190)).toBe(9);
  });
  test.each([
    ['Secondary in between', secondary([good], away), 0],
    ['without data in between', suspended(primary(['Diskless'], away), 'no-data'), 9],
    ['I/O made to fail in between', { ...fencing, forceIoFailures: true }, 9],
    ['I/O goes on in between', isPrimary, 8],
  ])('%s: what was before does not count', async (_what, between, code) => {
    const drbd = node(undefined);
    expect(await codeAt(drbd, 100)).toBe(8);
    drbd.state = between;
    expect(await codeAt(drbd, 110)).toBe(code);
    drbd.state = suspended(primary([good], away), 'quorum');
    expect([await codeAt(drbd, 300), await codeAt(drbd, 310)]).toEqual([8, 9]);
  });
});

describe('D22 calls by hand', () => {
  const env = { OCF_RESOURCE_INSTANCE: handInstance, OCF_RESKEY_crm_feature_set: undefined, ...probe };
  test('a look tells the cluster nothing, and runs no handler', async () => {
    for (const state of [isPrimary, isAlone, undefined]) {
      const drbd = new FakeDrbd({
        ...(state && { state }),
        env: { ...env, ...param('unfence_if_all_uptodate', 'yes') },
      });
      for (const action of ['monitor', 'status', 'stop']) await act(action, drbd);
      const tools = /^(crm_attribute|crm_master|attrd_updater|cibadmin)|unfence/;
      expect(drbd.machine.ran.filter((line) => tools.test(line))).toEqual([]);
    }
  });
  test('a recurring monitor by hand tells nothing either', async () => {
    const recurring = {
      ...env,
      OCF_RESKEY_CRM_meta_interval: '10000',
      ...param('unfence_if_all_uptodate', '1'),
    };
    const { score, state, did } = await act('monitor', { state: isPrimary, env: recurring });
    expect({ score, state, did }).toEqual({ score: '=', state: '=', did: [] });
  });
  test('a resource of the cluster with that name is one', async () => {
    const given = { OCF_RESOURCE_INSTANCE: handInstance };
    expect((await act('monitor', { state: isPrimary, env: given })).score).toBe('10000');
  });
  test.each(['Primary', 'Secondary'] as const)(
    'one resource, then another that is down: the %s that was seen first is not it',
    async (role) => {
      const state = { ...primary([good], away), role, name: 'r1' };
      const drbd = new FakeDrbd({ state, env: { ...env, ...param('drbd_resource', 'r1') } });
      drbd.answer('drbdadm sh-dev', '/dev/drbd5\n');
      expect((await act('monitor', drbd)).code).toBe(role === 'Primary' ? 8 : 0);
      drbd.machine.env['OCF_RESKEY_drbd_resource'] = 'r0';
      const { code, reason } = await act('monitor', drbd);
      expect({ code, reason }).toEqual({ code: 7, reason: expect.not.stringContaining('rename') });
    },
  );
});

describe('the node attribute', () => {
  const written = (drbd: FakeDrbd) => drbd.machine.ran.filter((line) => line.startsWith('attrd_updater'));
  test('is written when it changes, deleted on stop', async () => {
    const drbd = new FakeDrbd({ state: isSecondary });
    for (const _ of [1, 2]) await act('monitor', drbd);
    drbd.state = isAlone;
    await act('monitor', drbd);
    await act('stop', drbd);
    expect(written(drbd)).toEqual([
      'attrd_updater -n tsha-drbd-r0 -U connected',
      'attrd_updater -n tsha-drbd-r0 -U connecting',
      'attrd_updater -n tsha-drbd-r0 -D',
    ]);
    expect(drbd.attributes.size).toBe(0);
  });
  test('is deleted when the resource is gone, and when it is not wanted any more', async () => {
    const gone = new FakeDrbd({ state: isSecondary });
    await act('monitor', gone);
    gone.state = undefined;
    await act('monitor', gone);
    expect(gone.attributes.size).toBe(0);

    const off = new FakeDrbd({ state: isSecondary });
    await act('monitor', off);
    off.machine.env['OCF_RESKEY_state_attribute'] = 'no';
    await act('monitor', off);
    expect(written(off).at(-1)).toBe('attrd_updater -n tsha-drbd-r0 -D');
  });
  test('state_attribute=false: none', async () => {
    const drbd = new FakeDrbd({ state: isSecondary, env: param('state_attribute', 'false') });
    for (const action of ['monitor', 'stop']) await act(action, drbd);
    expect(written(drbd)).toEqual([]);
  });
  test('a resync is told in steps of ten percent', async () => {
    const at = (done: number) => primary([good], `beta Connected Secondary Inconsistent+SyncSource:${done}`);
    const drbd = new FakeDrbd({ state: at(3) });
    for (const done of [3, 5, 9.9, 11, 19, 27]) {
      drbd.state = at(done);
      await act('monitor', drbd);
    }
    expect(written(drbd).map((line) => line.split(' ').at(-1))).toEqual(['0%', '10%', '20%']);
  });
  test('a steady monitor runs one command besides the query at most; what was deleted by hand is back in time', async () => {
    const drbd = new FakeDrbd({ state: isPrimary, env: param('unfence_if_all_uptodate', 'yes') });
    await act('monitor', drbd);
    const most = async (from: number): Promise<number> => {
      const counts: number[] = [];
      for (let second = from; second < from + 130; second += 10) {
        drbd.machine.files.set('/proc/uptime', `${second}.00 1.00\n`);
        const before = drbd.machine.ran.length;
        await act('monitor', drbd);
        counts.push(drbd.machine.ran.length - before);
      }
      return Math.max(...counts);
    };
    expect(await most(5010)).toBe(2);
    drbd.attributes.clear();
    expect(await most(5140)).toBe(4);
    expect(drbd.attributes).toEqual(
      new Map([
        ['promotion score', '10000'],
        ['tsha-drbd-r0', 'connected'],
      ]),
    );
  });
});

test('keep_promoted_score: drbd#39 a volume that is added does not cost a Primary its score', async () => {
  const added = primary([good, 'Inconsistent'], 'beta Connecting Unknown DUnknown DUnknown');
  expect(await act('monitor', { state: added })).toMatchObject({ code: 8, score: '-' });
  const env = param('keep_promoted_score', 'yes');
  expect(await act('monitor', { state: added, env })).toMatchObject({ code: 8, score: '10000' });
  const better = primary([good, 'Inconsistent'], 'beta Connected Secondary UpToDate UpToDate');
  expect(await act('monitor', { state: better, env })).toMatchObject({ score: '10' });
  const broken = primary([good, 'Failed'], 'beta Connecting Unknown DUnknown DUnknown');
  expect(await act('monitor', { state: broken, env })).toMatchObject({ score: '-' });
});

test('drbd 8.4 tells how far a resync is', () => {
  const [minor] = parseProcDrbd(
    readFileSync(
      join(import.meta.dirname, '../../../fixtures/drbd/drbd84/primary-syncsource.proc-drbd.txt'),
      'utf8',
    ),
  );
  expect(minor).toMatchObject({ cstate: 'SyncSource', done: 1.1 });
});
