import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseEvents2 } from '../../../../lib/host/drbd/events2.ts';
import { splitBrainIn } from '../../../../lib/host/drbd/split-brain.ts';
import type { Resource } from '../../../../lib/host/drbd/state.ts';
import { FakeDrbd, resource, volumes } from '../../../fake/drbd.ts';
import {
  act,
  away,
  beta,
  client,
  good,
  isPrimary,
  isSecondary,
  meta,
  param,
  primary,
  secondary,
  timeout,
} from '../../../fake/drbd-actions.ts';

// What went wrong on a real DRBD 9.3.3, by the rows of the list of faults; the texts are the ones that it printed.

const text = (file: string) =>
  readFileSync(join(import.meta.dirname, '../../../fixtures/drbd', file), 'utf8')
    .replaceAll('data', 'r0')
    .replaceAll('drbd1', 'drbd0');
function captured(state: string): Resource {
  const dump = parseEvents2(text(`${state}.events2.txt`), 'r0');
  if (!dump?.resource) throw new Error(`${state} holds no resource r0`);
  return { ...dump.resource, devices: dump.resource.devices.map((device, minor) => ({ ...device, minor })) };
}
const stderr = (file: string) => text(`drbd9-by-hand/${file}.stderr.txt`);

describe('D10 stop_outdates_secondary in notifications', () => {
  const env = {
    ...param('stop_outdates_secondary', 'yes'),
    ...meta('notify_type', 'post'),
    ...meta('notify_operation', 'promote'),
    ...meta('notify_promoted_uname', 'beta'),
  };
  const outOfSight = secondary([good], away);
  /** As drbdadm 9.22 does on DRBD 9 while the resource is up. */
  const node = (state: Resource) =>
    new FakeDrbd({ state, env }).answer('drbdadm outdate', { code: 20, stderr: stderr('outdate-attached') });
  test('the kernel is asked by the minor, and the score is deleted', async () => {
    expect(await act('notify', node(outOfSight))).toMatchObject({
      code: 0,
      did: ['drbdsetup outdate 0'],
      score: '-',
    });
  });
  test('every volume that has a disk; one that is worse already counts', async () => {
    const state = resource('Secondary', volumes(good, 'Diskless', 'Outdated', 'Inconsistent'), [
      `${away} DUnknown DUnknown DUnknown`,
    ]);
    const drbd = node(state).answer('drbdsetup outdate 3', {
      code: 5,
      stderr: '3: State change failed: (-16) Disk state is lower than outdated\n',
    });
    const { did, score } = await act('notify', drbd);
    expect(did).toEqual(['drbdsetup outdate 0', 'drbdsetup outdate 3']);
    expect(score).toBe('-');
  });
  test('DRBD refuses one of them: the score stays, and who can read is told', async () => {
    const state = resource('Secondary', volumes(good, good), [`${away} DUnknown`]);
    const drbd = node(state).answer('drbdsetup outdate 1', {
      code: 17,
      stderr: '1: State change failed: (-6)\n',
    });
    const { score, lines } = await act('notify', drbd);
    expect(score).toBe('1000');
    expect(lines.join()).toContain('volume 1 could not be marked Outdated: 1: State change failed: (-6)');
  });
  test('after a stop drbdadm does it in the meta-data, as before', async () => {
    const drbd = new FakeDrbd({ state: isSecondary, env });
    expect((await act('stop', drbd)).did).toEqual(['drbdadm down r0', 'drbdadm outdate r0']);
  });
});

describe('D11 split brain, by the kernel’s own log of both nodes', () => {
  test.each([
    [1, 'node2'],
    [2, 'node1'],
  ])('node%i: told on a connection in any state', (number, peer) => {
    const log = text(`drbd9-by-hand/split-brain-node${number}.dmesg.txt`);
    for (const state of ['StandAlone', 'Connecting', 'Unconnected']) {
      const { unresolved } = splitBrainIn(log, primary([good], `${peer} ${state} Unknown DUnknown`));
      expect(unresolved).toEqual([
        {
          peer,
          here: expect.stringMatching(/^[0-9A-F]{16}$/),
          there: expect.stringMatching(/^[0-9A-F]{16}$/),
        },
      ]);
    }
  });
});

describe('D12 a Secondary whose device is open read-only', () => {
  const openers = '/sys/kernel/debug/drbd/resources/r0/volumes/0/openers';
  const refusal = { code: 17, stderr: stderr('down-held-read-only') };
  const lastStretch = 15_000;
  /** What the agent does, and when it first does so. */
  const stop = async (drbd: FakeDrbd) => {
    let first = Number.POSITIVE_INFINITY;
    drbd.machine.onTick = (clock) => {
      if (drbd.did.length > 0) first = Math.min(first, clock);
    };
    const { code, reason, did } = await act('stop', drbd);
    return { code, reason, did: [...new Set(did)], first };
  };
  const env = timeout(100_000);
  const patient = (drbd: { readonly first: number }) =>
    expect(drbd.first).toBeGreaterThanOrEqual(100_000 - lastStretch);

  test('the kernel’s list names the holder; the kernel is asked before the stop fails', async () => {
    const drbd = new FakeDrbd({ state: isSecondary, env }).answer('drbdadm down', refusal);
    drbd.machine.files.set(openers, 'bash\t11104\t8000\n');
    const result = await stop(drbd);
    expect(result).toMatchObject({ code: 1, did: ['drbdadm down r0'] });
    expect(result.reason).toMatch(/^stopping r0 failed: \/dev\/drbd0 opened by bash \(pid 11104\): \S/);
    patient(result);
    expect(drbd.state).toBe(isSecondary);
  });
  test('without that list /proc does', async () => {
    const drbd = new FakeDrbd({ state: isSecondary, env }).answer('drbdadm down', refusal);
    drbd.machine.process(11_104, { comm: 'bash\n' }, { 'fd/3': '/dev/drbd0', 'ns/mnt': 'mnt:[1]' });
    const result = await stop(drbd);
    expect(result.reason).toContain('/dev/drbd0 open in bash (pid 11104)');
    patient(result);
  });
  test('the evidence is wrong: stopped in the last stretch', async () => {
    const drbd = new FakeDrbd({ state: isSecondary, env });
    drbd.machine.files.set(openers, 'bash\t11104\t8000\n');
    const result = await stop(drbd);
    expect(result).toMatchObject({ code: 0, did: ['drbdadm down r0'] });
    patient(result);
  });
  test.each(['9.0.32', '9.1.16', '9.2.5'])(
    '%s keeps who has closed one volume while another was open: only a process that lives is a holder',
    async (version) => {
      const state = secondary([good, good], `${beta} UpToDate`);
      const drbd = () => {
        const one = new FakeDrbd({ state, env, version });
        one.machine.files.set(openers, '');
        one.machine.files.set(openers.replace('/0/', '/1/'), 'mount\t815\t8000\n');
        return one;
      };
      expect(await act('stop', drbd())).toMatchObject({ code: 0, did: ['drbdadm down r0'] });
      const isReused = drbd();
      isReused.machine.process(815, { comm: 'sleep\n' });
      expect(await stop(isReused)).toMatchObject({ code: 0, first: 0 });
      const isLive = drbd();
      isLive.machine.process(815, { comm: 'mount\n' });
      patient(await stop(isLive));
    },
  );
  test.each(['9.1.17', '9.2.6'])('%s does not: whoever is listed has it open', async (version) => {
    const drbd = new FakeDrbd({ state: isSecondary, env, version });
    drbd.machine.files.set(openers, 'mount\t815\t8000\n');
    patient(await stop(drbd));
  });
  test('a plain file of the device’s name, removed and still open, is not the device', async () => {
    const drbd = new FakeDrbd({ state: isSecondary, nodes: false, env });
    drbd.machine.files.set('/dev/drbd0', '');
    drbd.machine.process(815, { comm: 'dd\n' }, { 'fd/3': '/dev/drbd0 (deleted)', 'ns/mnt': 'mnt:[1]' });
    expect(await act('stop', drbd)).toMatchObject({ code: 0, did: ['drbdadm down r0'] });
  });
  test('/proc cannot be looked at: that holds nothing up', async () => {
    const drbd = new FakeDrbd({ state: isSecondary, env });
    const { list } = { list: drbd.machine.list.bind(drbd.machine) };
    drbd.machine.list = async (dir) => {
      if (dir === '/proc') throw Object.assign(new Error('EIO'), { code: 'EIO' });
      return list(dir);
    };
    expect(await act('stop', drbd)).toMatchObject({ code: 0, did: ['drbdadm down r0'] });
  });
  const unreadable = (drbd: FakeDrbd) => {
    drbd.machine.links.set('/proc/self/ns/mnt', 'mnt:[1]');
    drbd.machine.process(77, { comm: 'sandbox\n' }, { 'ns/mnt': 'mnt:[2]' });
    const { read } = { read: drbd.machine.read.bind(drbd.machine) };
    drbd.machine.read = async (path) => {
      if (path === '/proc/77/mountinfo') throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
      return read(path);
    };
    return drbd;
  };
  test('a mount namespace that cannot be read holds nothing up: down is tried', async () => {
    const drbd = unreadable(new FakeDrbd({ state: isSecondary }));
    expect(await act('stop', drbd)).toMatchObject({ code: 0, did: ['drbdadm down r0'] });
  });
  test('the same, and DRBD refuses: it is in the reason beside DRBD’s words', async () => {
    const drbd = unreadable(new FakeDrbd({ state: isSecondary })).answer('drbdadm down', refusal);
    const { code, reason, did } = await act('stop', drbd);
    expect({ code, first: did[0] }).toEqual({ code: 1, first: 'drbdadm down r0' });
    expect(reason).toContain('perhaps mounted in the mount namespace of sandbox (pid 77)');
  });
  test('the state becomes unknown: who held it before is not the reason', async () => {
    const drbd = new FakeDrbd({ state: isSecondary });
    drbd.machine.files.set(openers, 'bash\t11104\t8000\n');
    drbd.answer('drbdsetup events2', (times) => (times < 2 ? undefined : { code: 20, stderr: 'netlink\n' }));
    const { code, reason } = await act('stop', drbd);
    expect(code).toBe(1);
    expect(reason).toMatch(/^stopping r0 failed: .*netlink/);
    expect(reason).not.toContain('bash');
  });
  test('nobody can be seen, and DRBD refuses: its own list of openers is in the reason', async () => {
    const drbd = new FakeDrbd({ state: isSecondary }).answer('drbdadm down', refusal);
    expect((await act('stop', drbd)).reason).toContain('/dev/drbd0 opened by bash (pid 11104)');
  });
  test('one volume of two', async () => {
    const state = secondary([good, good], `${beta} UpToDate`);
    const drbd = new FakeDrbd({ state, env }).answer('drbdadm down', refusal);
    drbd.machine.files.set(openers, '');
    drbd.machine.files.set(openers.replace('/0/', '/1/'), 'dd\t7\t1\n+dd\t7\t1\n');
    const result = await stop(drbd);
    patient(result);
    expect(result.reason).toContain('/dev/drbd1 opened by dd (pid 7)');
  });
  test('the holder goes: stopped at once', async () => {
    const drbd = new FakeDrbd({ state: isSecondary, env: timeout(60_000) });
    drbd.machine.files.set(openers, 'bash\t11104\t8000\n');
    drbd.machine.onTick = (clock) => {
      if (clock > 3000) drbd.machine.files.set(openers, '');
    };
    expect(await act('stop', drbd)).toMatchObject({ code: 0, did: ['drbdadm down r0'] });
    expect(drbd.machine.clock).toBeLessThan(5000);
  });
  test('a Primary is demoted first: a reader does not hold that up', async () => {
    const drbd = new FakeDrbd({ state: isPrimary, env }).answer('drbdadm down', refusal);
    drbd.machine.files.set(openers, 'bash\t11104\t8000\n');
    const { code, did, first } = await stop(drbd);
    expect({ code, did, first }).toEqual({
      code: 1,
      did: ['drbdadm secondary r0', 'drbdadm down r0'],
      first: 0,
    });
    expect((await act('demote', new FakeDrbd({ state: isPrimary }))).code).toBe(0);
  });
});

describe('D13 a promotion over an auto-promotion', () => {
  const auto = captured('drbd9-by-hand/auto-promoted');
  test('DRBD is told, so that closing the device does not demote it', async () => {
    const drbd = new FakeDrbd({ state: auto });
    expect(await act('promote', drbd)).toMatchObject({ code: 0, did: ['drbdadm primary r0'] });
  });
  test('DRBD refuses: not promoted, whatever the role says now', async () => {
    const drbd = new FakeDrbd({ state: auto }).answer('drbdadm primary', { code: 139 });
    expect((await act('promote', drbd)).code).toBe(1);
  });
  test('the opener closes in between: promoted all the same', async () => {
    const drbd = new FakeDrbd({ state: auto });
    drbd.answer('drbdadm primary', (times) => {
      drbd.state = times === 0 ? isSecondary : isPrimary;
      return '';
    });
    expect((await act('promote', drbd)).code).toBe(0);
    expect(drbd.state?.role).toBe('Primary');
  });
});

describe('D14 a resource without volumes or connections, as a failed stop leaves it', () => {
  const nothing = secondary([], beta);
  const alone = secondary([good]);
  test('without volumes it does not run, and that is said', async () => {
    const { code, reason, score, state, lines } = await act('monitor', { state: nothing });
    expect({ code, score, state }).toEqual({ code: 7, score: '-', state: 'no-volumes' });
    expect(reason).toContain('created, but it has no volume');
    expect(lines.join()).not.toContain('connected to every peer');
  });
  test('it cannot be promoted, is not demoted, and is taken out of the kernel', async () => {
    expect(await act('promote', { state: nothing })).toMatchObject({ code: 1, did: [] });
    expect((await act('demote', { state: nothing })).code).toBe(7);
    expect(await act('stop', { state: nothing })).toMatchObject({ code: 0, did: ['drbdadm down r0'] });
  });
  test('a start makes what is missing', async () => {
    const drbd = new FakeDrbd({ state: { ...nothing, connections: [] } });
    const { code, did, score } = await act('start', drbd);
    expect({ code, score }).toEqual({ code: 0, score: '10000' });
    expect(did).toContain('drbdadm new-minor r0');
    expect(did).not.toContain('drbdadm new-resource r0');
  });
  test('without connections it runs, and that is said', async () => {
    const { code, state, lines } = await act('monitor', { state: alone });
    expect({ code, state }).toEqual({ code: 0, state: 'unconnected' });
    expect(lines).toEqual(['r0: no connection to any peer']);
  });
});

describe('D15 the peer could not be fenced', () => {
  const refusal = { code: 11, stderr: stderr('primary-peer-not-outdated') };
  test('one try, as for want of data: fence-peer runs with each', async () => {
    const drbd = new FakeDrbd({ state: secondary([good], away), env: timeout(90_000) });
    const { code, reason, did } = await act('promote', drbd.answer('drbdadm primary', refusal));
    expect({ code, did }).toEqual({ code: 1, did: ['drbdadm primary r0'] });
    expect(reason).toContain('(-7) Refusing to be Primary while peer is not outdated');
    expect(drbd.machine.clock).toBeGreaterThanOrEqual(15_000);
    expect(drbd.machine.clock).toBeLessThan(17_000);
  });
  test('a short timeout: one try as well', async () => {
    const drbd = new FakeDrbd({ state: secondary([good], away), env: timeout(10_000) });
    expect((await act('promote', drbd.answer('drbdadm primary', refusal))).did).toHaveLength(1);
  });
  test('the peer comes back: tried again at once', async () => {
    const drbd = new FakeDrbd({ state: secondary([good], away), env: timeout(90_000) });
    drbd.answer('drbdadm primary', (times) => (times === 0 ? refusal : undefined));
    drbd.machine.onTick = (clock) => {
      if (clock > 2000 && drbd.state?.connections[0]?.state === 'Connecting') drbd.state = isSecondary;
    };
    expect((await act('promote', drbd)).code).toBe(0);
    expect(drbd.machine.clock).toBeLessThan(4000);
  });
});

describe('D16 no data within reach', () => {
  const env = param('fail_promoted_without_data', 'yes');
  const isClientAlone = captured('drbd9-by-hand/client-primary-alone');
  const isWithoutQuorum = captured('drbd9-by-hand/quorum-lost-io-error');
  test('a diskless Primary without its peer says so', async () => {
    const { code, score, state, lines } = await act('monitor', { state: isClientAlone });
    expect({ code, score, state }).toEqual({ code: 8, score: '-', state: 'no-data' });
    expect(lines.join()).toContain('no UpToDate data of volume 0 within reach');
    expect((await act('monitor', { state: isClientAlone, env })).code).toBe(9);
  });
  test('with its peer it is as it should be', async () => {
    const state = primary([client], beta);
    expect(await act('monitor', { state, env })).toMatchObject({ code: 8, state: 'connected' });
    const asSecondary = captured('drbd9-by-hand/client-secondary');
    expect(await act('monitor', { state: asSecondary })).toMatchObject({ code: 0, state: 'connected' });
  });
  test('a quorum that is lost with io-error counts at once', async () => {
    const { code, reason } = await act('monitor', { state: isWithoutQuorum, env });
    expect(code).toBe(9);
    expect(reason).toBe('r0 is Primary without quorum: its I/O ends with errors');
    expect((await act('monitor', { state: isWithoutQuorum })).code).toBe(8);
  });
  test('so does I/O that is made to fail; a Secondary never does', async () => {
    expect((await act('monitor', { state: { ...isPrimary, forceIoFailures: true }, env })).code).toBe(9);
    const asSecondary = { ...isWithoutQuorum, role: 'Secondary' as const };
    expect((await act('monitor', { state: asSecondary, env })).code).toBe(0);
  });
});
