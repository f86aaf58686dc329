import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { complaint, didNotWork } from '../../../../lib/host/drbd/admin.ts';
import { isOnlyCreated, parseProcDrbd, parseShStatus, resourceOf } from '../../../../lib/host/drbd/drbd84.ts';
import { parseEvents2 } from '../../../../lib/host/drbd/events2.ts';
import { parseStatusJson } from '../../../../lib/host/drbd/status-json.ts';
import {
  compareVersions,
  parseToolVersion,
  parseVersion,
  procVersion,
} from '../../../../lib/host/drbd/version.ts';

const folder = join(import.meta.dirname, '../../../fixtures/drbd');
const text = (file: string) => readFileSync(join(folder, file), 'utf8');
const states = (generation: string) =>
  readdirSync(join(folder, generation))
    .filter((file) => file.endsWith('.events2.txt'))
    .map((file) => file.replace('.events2.txt', ''));

/** A resync went on between the two commands. */
const withoutProgress = (dump: unknown): unknown =>
  JSON.parse(JSON.stringify(dump), (key, value) => (key === 'done' ? undefined : value));

describe('what DRBD 9.3.3 really prints', () => {
  test.each(states('drbd9'))('%s: events2 and JSON agree', (state) => {
    const events = parseEvents2(text(`drbd9/${state}.events2.txt`), 'data');
    expect(events).toBeDefined();
    expect(withoutProgress(events)).toEqual(parseStatusJson(text(`drbd9/${state}.status.json`), 'data'));
  });

  test.each([
    ['primary-uptodate', 'Primary', ['UpToDate'], ['Connected']],
    ['primary-standalone-splitbrain', 'Primary', ['UpToDate'], ['StandAlone']],
    ['primary-connecting-splitbrain-other-side', 'Primary', ['UpToDate'], ['Connecting']],
    ['secondary-outdated-connecting', 'Secondary', ['Outdated'], ['Connecting']],
    ['v2-primary-no-data', 'Primary', ['Diskless', 'UpToDate'], ['Connecting']],
    ['q3-tiebreaker', 'Secondary', ['Diskless'], ['Connected', 'Connected']],
  ])('%s', (state, role, disks, connections) => {
    const { resource } = parseEvents2(text(`drbd9/${state}.events2.txt`), 'data') ?? {};
    expect(resource?.role).toBe(role);
    expect(resource?.devices.map(({ disk }) => disk)).toEqual(disks);
    expect(resource?.connections.map((connection) => connection.state)).toEqual(connections);
  });

  test('how far a resync is', () => {
    const { resource } = parseEvents2(text('drbd9/primary-syncsource.events2.txt'), 'data') ?? {};
    expect(resource?.connections[0]?.devices[0]).toMatchObject({ replication: 'SyncSource', done: 21.62 });
  });

  test.each([
    ['q3-primary-quorum-lost-suspended', ['quorum']],
    ['v2-primary-no-data', ['no-data']],
    ['v2-primary-suspended-fencing', ['fencing']],
    ['primary-suspended-user', ['user']],
  ])('%s: I/O is suspended by %j', (state, suspended) => {
    expect(parseEvents2(text(`drbd9/${state}.events2.txt`), 'data')?.resource?.suspended).toEqual(suspended);
  });

  test('a quorum that is lost, a client that is one', () => {
    const read = (state: string) => parseEvents2(text(`drbd9/${state}.events2.txt`), 'data')?.resource;
    expect(read('q3-secondary-isolated-no-quorum')?.devices[0]?.quorum).toBe(false);
    expect(read('q3-tiebreaker')?.devices[0]).toMatchObject({ client: true, quorum: true });
    expect(read('q3-primary-all')?.connections.map(({ devices }) => devices[0]?.client)).toEqual([
      false,
      true,
    ]);
  });

  test.each(['down', 'unconfigured'])('%s: nothing there, and certainly so', (state) => {
    expect(parseEvents2(text(`drbd9/${state}.events2.txt`), 'data')).toEqual({ resource: undefined });
  });
});

describe('what DRBD 8.4.11 really prints', () => {
  test.each(states('drbd84'))('%s: events2 and /proc/drbd agree', (state) => {
    const events = parseEvents2(text(`drbd84/${state}.events2.txt`), 'data');
    const minors = parseProcDrbd(text(`drbd84/${state}.proc-drbd.txt`));
    const { resource } = events ?? {};
    expect(resource === undefined).toBe(minors.length === 0);
    if (!resource) return;
    const proc = resourceOf('data', minors);
    expect(resource).toMatchObject({
      role: proc.role,
      suspended: proc.suspended,
      devices: proc.devices.map(({ minor, disk }) => ({ minor, disk })),
      connections: proc.connections.map(({ state: connection, role, devices }) => ({
        state: connection,
        role,
        devices: devices.map(({ replication, disk }) => ({ replication, disk })),
      })),
    });
  });
});

describe('what proves nothing', () => {
  const whole = text('drbd9/primary-uptodate.events2.txt');
  test.each([
    ['nothing', ''],
    ['no end mark', whole.replace('exists -\n', '')],
    ['cut in the middle', whole.slice(0, 200)],
    ['a role that does not exist', whole.replace('role:Primary', 'role:Boss')],
    ['devices without their resource', whole.replace(/^exists resource.*\n/, '')],
    ['a device without a disk', whole.replace('disk:UpToDate client', 'client')],
    ['another language', 'Usage: drbdsetup\n'],
  ])('events2: %s', (_what, output) => {
    expect(parseEvents2(output, 'data')).toBeUndefined();
  });
  test.each([
    ['nothing', ''],
    ['half of it', text('drbd9/primary-uptodate.status.json').slice(0, 300)],
    ['no list', '{}'],
    ['a role that does not exist', text('drbd9/primary-uptodate.status.json').replace('"Primary"', '"Boss"')],
  ])('status --json: %s', (_what, output) => {
    expect(parseStatusJson(output, 'data')).toBeUndefined();
  });
  describe('status --json: one of the four answers of the kernel is missing, and nothing says so', () => {
    const [data] = JSON.parse(text('drbd9/secondary-uptodate-both.status.json'));
    const without = (change: object) => JSON.stringify([{ ...data, ...change }]);
    const cut = data.connections.map((one: object) => ({ ...one, peer_devices: [] }));
    test.each([
      ['devices', { devices: [] }],
      ['connections', { connections: [] }],
      ['both', { devices: [], connections: [] }],
      ['peer devices', { connections: cut }],
      ['half of the devices', { devices: [...data.devices, { ...data.devices[0], volume: 1, minor: 2 }] }],
    ])('%s', (_what, change) => {
      expect(parseStatusJson(without({}), 'data')?.resource).toBeDefined();
      expect(parseStatusJson(without(change), 'data')).toBeUndefined();
    });
    test('a resource that is known to have no connection, or no volume', () => {
      const alone = without({ connections: [] });
      const lacks = { volumes: false, connections: true };
      expect(parseStatusJson(alone, 'data', lacks)?.resource).toMatchObject({
        role: 'Secondary',
        connections: [],
      });
      const empty = without({ devices: [], connections: cut });
      expect(parseStatusJson(empty, 'data', { volumes: true, connections: false })?.resource).toMatchObject({
        devices: [],
      });
    });
  });
  test('lines of other resources and changes do not count', () => {
    const output = `${whole.replace('exists -', 'change resource name:data role:Secondary')}exists -\n`;
    expect(parseEvents2(output, 'data')?.resource?.role).toBe('Primary');
    expect(parseEvents2(output, 'dat')).toEqual({ resource: undefined });
  });
  test('numbers that are none, of drbd-utils before 9.6', () => {
    const output = text('drbd9/primary-uptodate.status.json').replace('100.00', '-nan');
    expect(parseStatusJson(output, 'data')?.resource?.role).toBe('Primary');
  });
});

describe('sh-status of 8.4', () => {
  const volume = (values: string) => `_minor=1\n_res_name=r0\n${values}\n_sh_status_process\n`;
  const good =
    '_volume=0\n_known=Configured\n_cstate=Connected\n_role=Secondary\n_peer=Primary\n_disk=UpToDate\n_pdsk=UpToDate';
  const unconfigured = '_volume=1\n_known=Unconfigured\n_cstate=Unconfigured\n_role=\n_peer=\n_disk=\n_pdsk=';
  test('one volume', () => {
    expect(parseShStatus(volume(good), 'r0')?.resource).toMatchObject({
      role: 'Secondary',
      devices: [{ volume: 0, minor: 1, disk: 'UpToDate' }],
      connections: [{ state: 'Connected', role: 'Primary', devices: [{ replication: 'Established' }] }],
    });
  });
  test('a second volume without anything', () => {
    const { resource } = parseShStatus(volume(good) + volume(unconfigured), 'r0') ?? {};
    expect(resource?.devices.map(({ disk }) => disk)).toEqual(['UpToDate', 'Diskless']);
  });
  test('only created', () => {
    const { resource } = parseShStatus(volume(unconfigured), 'r0') ?? {};
    expect(resource && isOnlyCreated(resource)).toBe(true);
  });
  test('nothing is evaluated', () => {
    const evil = good.replace('_disk=UpToDate', '_disk=$(reboot)');
    expect(parseShStatus(volume(evil), 'r0')?.resource?.devices[0]?.disk).toBe('unknown');
  });
  test.each([
    ['nothing', ''],
    ['cut', volume(good).slice(0, -20)],
  ])('incomplete: %s', (_what, output) => expect(parseShStatus(output, 'r0')).toBeUndefined());
});

describe('versions', () => {
  test.each([
    ['9.2.9', [9, 2, 9]],
    ['9.2', undefined],
    ['9.2.9-1', undefined],
    ['', undefined],
  ])('%s', (given, version) => expect(parseVersion(given)).toEqual(version));
  test('of the loaded module', () => {
    expect(procVersion(text('drbd9/proc-drbd.txt'))).toEqual([9, 3, 3]);
    expect(procVersion(text('drbd84/down.proc-drbd.txt'))).toEqual([8, 4, 11]);
  });
  test('as drbdadm tells it', () => {
    expect(parseToolVersion('DRBDADM_API_VERSION=2\nDRBD_KERNEL_VERSION_CODE=0x090104\n')).toEqual([9, 1, 4]);
    expect(parseToolVersion('DRBD_KERNEL_VERSION_CODE=0x000000\n')).toBeUndefined();
  });
  test('order', () => {
    expect(compareVersions([9, 2, 10], [9, 2, 9])).toBeGreaterThan(0);
    expect(compareVersions([8, 4, 11], [9, 0, 0])).toBeLessThan(0);
  });
});

describe('drbdadm complains', () => {
  const output = (code: number, stderr: string) => ({ code, stdout: '', stderr });
  const busy =
    "1: State change failed: (-12) Device is held open by someone\nCommand 'drbdsetup-84 secondary 1' terminated with exit code 11\n";
  const warned = `/etc/drbd.d/data.res:1: in resource data, on node1:\n\tIP 10.77.1.11 not found on this host.\n${busy}`;
  test.each([
    [output(11, busy), '1: State change failed: (-12) Device is held open by someone', false],
    [output(11, warned), '1: State change failed: (-12) Device is held open by someone', false],
    [
      output(1, "'r0' not defined in your config (for this host).\n"),
      "'r0' not defined in your config (for this host).",
      true,
    ],
    [output(10, "a.res:1: Parse error: 'on' expected,\n"), "a.res:1: Parse error: 'on' expected,", true],
    [output(20, "Can not open '/etc/drbd.conf'.\n.\n"), "Can not open '/etc/drbd.conf'.", true],
    [output(1, 'sh: 1: modinfo: not found\nno resources defined!\n'), 'no resources defined!', true],
    [
      output(
        10,
        "r0: Failure: (158) Unknown resource\nCommand 'drbdsetup down r0' terminated with exit code 10\n",
      ),
      'r0: Failure: (158) Unknown resource',
      true,
    ],
    [output(5, ''), 'exit 5', false],
  ])('%j', (said, line, fault) => {
    expect(complaint(said)).toBe(line);
    expect(didNotWork(said)).toBe(fault);
  });
});
