import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { record } from '../../../fake/nfs-clients.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { recurring, run, shared, started } from '../../../fake/nfsserver-machine.ts';

// What NFSv3 clients are told by after a restart: the records of rpc.statd, whoever ends the server, and on a full filesystem.

const client = '10.0.0.51';
const grace = '/proc/fs/lockd/nlm_end_grace';
const fragment = '/run/tsha-nfs/nfs.conf';
const callout = '/var/lib/tsha-nfsserver/statd-callout';

describe('N9: nfsd is ended by somebody else', () => {
  test('rpc.statd is told of a program that keeps the records', async () => {
    const machine = await started();
    expect(machine.files.get(fragment)).toContain(`[statd]\nha-callout=${callout}\n`);
    expect(machine.files.get(callout)).toContain('del-client');
  });

  test.each<[string, NodeJS.ProcessEnv, (machine: NfsMachine) => void]>([
    ['NFSv4 only', { ...shared, OCF_RESKEY_nfsv4_only: '1' }, () => {}],
    [
      'the administrator has one of his own',
      shared,
      (machine) => void machine.files.set('/etc/nfs.conf', '[statd]\nha-callout=/usr/local/bin/mine\n'),
    ],
    [
      'nothing may be executed there',
      shared,
      (machine) =>
        void machine.files.set(
          '/proc/self/mountinfo',
          `${machine.files.get('/proc/self/mountinfo')}9 1 8:5 / /var/lib rw,noexec - ext4 /dev/x rw\n`,
        ),
    ],
  ])('not with: %s', async (_what, env, given) => {
    const machine = new NfsMachine(env);
    machine.files.set('/var/lib/x', '');
    given(machine);
    await run(machine, 'start');
    expect(machine.files.get(fragment)).not.toContain('ha-callout');
  });

  describe('where statd cannot be made to keep them', () => {
    const own = (machine: NfsMachine) => machine.files.set('/etc/nfs.conf', '[statd]\nha-callout=/mine\n');
    async function withoutCallout(): Promise<NfsMachine> {
      const machine = new NfsMachine({ ...shared, ...recurring });
      own(machine);
      expect((await run(machine, 'start')).code).toBe(0);
      return machine;
    }

    test('a monitor copies them, and the next start takes the copies over', async () => {
      const machine = await withoutCallout();
      machine.disk.set(`/nfsdata/sm/${client}`, record(client));
      expect((await run(machine, 'monitor')).code).toBe(0);
      machine.stopUnit('nfs-server.service'); // and lockd has it forgotten
      expect(machine.disk.has(`/nfsdata/sm/${client}`)).toBe(false);
      expect((await run(machine, 'monitor')).code).toBe(1);
      expect((await run(machine, 'stop')).code).toBe(0);
      expect((await run(machine, 'start')).code).toBe(0);
      expect(machine.disk.get(`/nfsdata/sm.bak/${client}`)).toBe(record(client));
      expect(machine.files.get(grace)).toBe('N\n');
    });

    test("lockd's grace period is not ended when the last end was not the agent's", async () => {
      const machine = await withoutCallout();
      expect(machine.files.get(grace)).toBe('Y\n'); // a new directory: there was no server before
      machine.stopUnit('nfs-server.service');
      expect((await run(machine, 'stop')).code).toBe(0);
      expect((await run(machine, 'start')).code).toBe(0);
      expect(machine.files.get(grace)).toBe('N\n');
      expect((await run(machine, 'stop')).code).toBe(0);
      expect((await run(machine, 'start')).code).toBe(0);
      expect(machine.files.get(grace)).toBe('Y\n');
    });
  });

  test('with it, a server that nobody ended in order and no record ends the grace period of lockd', async () => {
    const machine = await started();
    machine.stopUnit('nfs-server.service');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.get(grace)).toBe('Y\n');
  });

  test.each([
    ['clients are on record', true, 1],
    ['nobody is', false, 0],
  ])('restarted by somebody else: %s', async (_what, retired, code) => {
    const machine = await started({ ...shared, ...recurring });
    if (retired) machine.disk.set(`/nfsdata/sm.bak/${client}`, record(client));
    machine.retiredLately = retired;
    machine.stopUnit('nfs-server.service');
    for (const unit of ['nfs-server', 'nfs-mountd', 'nfs-idmapd']) machine.startUnit(`${unit}.service`);
    const result = await run(machine, 'monitor');
    expect(result.code).toBe(code);
    if (code === 1) expect(result.reason).toContain('its NFSv3 clients know nothing of it');
    else {
      const before = machine.ran.length;
      expect((await run(machine, 'monitor')).code).toBe(0);
      expect(machine.ran.slice(before)).toEqual([]); // it is ours from now on
    }
  });

  test('the number of threads is changed while it runs: it is the same server, whoever asks', async () => {
    const machine = await started({ ...shared, ...recurring });
    machine.disk.set(`/nfsdata/sm.bak/${client}`, record(client));
    machine.retiredLately = true;
    const noted = () =>
      JSON.parse(machine.files.get('/run/resource-agents/tsha/nfsserver-nfs.json') ?? '').facts.server;
    const first = noted();
    machine.resizeThreads();
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(noted()).toMatchObject({ at: first.at, threadsSince: first.threadsSince, pid: 61 });
    const before = machine.ran.length;
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(machine.ran.slice(before)).toEqual([]);
    machine.endProcess(61);
    machine.resizeThreads(62, 9100);
    expect((await run(machine, 'monitor')).code).toBe(0);
    machine.endProcess(62);
    machine.startUnit('nfs-server.service');
    machine.stopUnit('nfs-server.service');
    for (const unit of ['nfs-server', 'nfs-mountd', 'nfs-idmapd']) machine.startUnit(`${unit}.service`);
    expect((await run(machine, 'monitor')).reason).toContain('somebody else has restarted');
  });

  describe('the program itself, as rpc.statd runs it', () => {
    let dir = '';
    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), 'tsha-callout-'));
      for (const name of ['sm', 'sm.bak']) mkdirSync(join(dir, name));
      const text = (await started()).files.get(callout) ?? '';
      writeFileSync(join(dir, 'program'), text.replaceAll('/proc/net/rpc/nfsd', join(dir, 'nfsd')), {
        mode: 0o755,
      });
    });
    afterEach(() => rmSync(dir, { recursive: true }));
    const call = (threads: number | undefined, ...args: readonly string[]) => {
      if (threads !== undefined) writeFileSync(join(dir, 'nfsd'), `rc 0 0 0\nth ${threads} 0 0.000\nra 0\n`);
      execFileSync('sh', [join(dir, 'program'), ...args], { cwd: dir, stdio: 'pipe' });
    };
    const add = (...names: readonly string[]) => {
      for (const name of names) writeFileSync(join(dir, 'sm', name), `${record(name)}\n`);
    };
    const isKept = (name: string) => existsSync(join(dir, 'sm.bak', name));

    test('a client that leaves a running server is forgotten, one that comes is not copied', () => {
      add(client);
      call(8, 'add-client', client, 'node1');
      call(8, 'del-client', client, 'node1');
      expect(isKept(client)).toBe(false);
    });

    test('when the last thread has ended, the record gets its second name', () => {
      add(client, '10.0.0.52');
      call(0, 'del-client', client, 'node1');
      expect(isKept(client)).toBe(true);
      expect(isKept('10.0.0.52')).toBe(false);
      expect(statSync(join(dir, 'sm', client)).nlink).toBe(2);
      call(0, 'del-client', client, 'node1'); // and a second time
    });

    test('a record that is named after the client: all are kept', () => {
      add('node9.example.com', 'a name with blanks');
      call(0, 'del-client', client, 'node1');
      expect(isKept('node9.example.com')).toBe(true);
      expect(isKept('a name with blanks')).toBe(true);
    });

    test('a kernel without statistics: better one record too many', () => {
      add(client);
      writeFileSync(join(dir, 'nfsd'), '');
      call(undefined, 'del-client', client, 'node1');
      expect(isKept(client)).toBe(true);
    });
  });
});

describe("what the stock agent's stop left", () => {
  const other = '10.0.0.52';
  test.each<readonly [what: string, files: Readonly<Record<string, string>>, told: readonly string[]]>([
    ['clients of the server that it stopped', { [`sm.ha/sm/${client}`]: 'x' }, [client]],
    ['clients that were still to be told', { [`sm.ha/sm.bak/${client}`]: 'x' }, [client]],
    [
      'both, and one that is on record already',
      { [`sm.ha/sm/${client}`]: 'x', [`sm.ha/sm.bak/${other}`]: 'x', [`sm.bak/${client}`]: 'newer' },
      [client, other],
    ],
    ['nobody', { 'sm.ha/sm/': '', 'sm.ha/sm.bak/': '', 'sm.ha/state': 'x' }, []],
  ])('%s: told once', async (_what, files, told) => {
    const machine = new NfsMachine(shared);
    machine.disk.set('/nfsdata/v4recovery/', '').set('/nfsdata/kept-by-statd', '');
    for (const [path, text] of Object.entries(files)) machine.disk.set(`/nfsdata/${path}`, text);
    const records = (list: string) =>
      [...machine.disk.keys()].filter((path) => path.startsWith(`/nfsdata/${list}/`) && /\d$/.test(path));
    expect((await run(machine, 'start')).code).toBe(0);
    expect(records('sm.bak').sort()).toEqual(told.map((name) => `/nfsdata/sm.bak/${name}`));
    expect(machine.disk.get(`/nfsdata/sm.bak/${client}`)).toBe(
      files[`sm.bak/${client}`] ?? (told.length > 0 ? 'x' : undefined),
    );
    for (const name of told)
      if (name !== client || files[`sm.bak/${client}`] === undefined)
        expect(machine.owners.get(`/nfsdata/sm.bak/${name}`)).toBe('105:65534');
    expect(machine.files.get(grace)).toBe(told.length > 0 ? 'N\n' : 'Y\n');
    expect(records('sm.ha')).toEqual([]);
    expect(machine.warnings).toEqual([]);
  });

  test.each(['sm', 'sm.bak'])(
    'S1: sm.ha/%s is a link: moved aside, nobody is taken from there',
    async (name) => {
      const machine = new NfsMachine(shared);
      machine.disk.set('/nfsdata/sm.ha/', '');
      machine.odd.set(`/nfsdata/sm.ha/${name}`, 'symbolic link');
      expect((await run(machine, 'start')).code).toBe(0);
      expect([...machine.odd.keys()]).toEqual([`/nfsdata/sm.ha/${name}.refused-1`]);
    },
  );

  test.each(['symbolic link', 'device', 'FIFO'] as const)(
    'S1: among the copies is a %s: it stays there',
    async (kind) => {
      const machine = new NfsMachine(shared);
      machine.odd.set(`/nfsdata/sm.ha/sm/${client}`, kind);
      machine.disk.set(`/nfsdata/sm.ha/sm/${other}`, 'x');
      expect((await run(machine, 'start')).code).toBe(0);
      expect([...machine.odd.keys()]).toEqual([`/nfsdata/sm.ha/sm/${client}`]);
      expect(machine.disk.has(`/nfsdata/sm.bak/${client}`)).toBe(false);
      expect(machine.disk.has(`/nfsdata/sm.bak/${other}`)).toBe(true);
    },
  );
});

describe('N11: the failover filesystem is full', () => {
  test('the records reach sm.bak without room', async () => {
    const machine = await started();
    machine.disk.set(`/nfsdata/sm/${client}`, record(client));
    machine.isFull = true;
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.disk.has(`/nfsdata/sm.bak/${client}`)).toBe(true);
    expect(machine.warnings).toEqual([]);
  });

  test('where a file can have one name only, they are copied', async () => {
    const machine = await started();
    machine.hasHardLinks = false;
    machine.disk.set(`/nfsdata/sm/${client}`, record(client));
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.disk.has(`/nfsdata/sm.bak/${client}`)).toBe(true);
  });

  test('room is kept in reserve while the server runs, and given up for a move', async () => {
    const machine = await started();
    expect(machine.disk.get('/nfsdata/reserve')).toBe('reserved');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.disk.get('/nfsdata/reserve')).toBe('');
  });

  test('after the death of a node its room is given up before the daemons start', async () => {
    const machine = new NfsMachine(shared);
    machine.disk.set('/nfsdata/v4recovery/', '').set('/nfsdata/reserve', 'reserved');
    let held: unknown;
    machine.onTick = () => {
      if (machine.ran.at(-1)?.startsWith('systemctl start rpcbind'))
        held ??= machine.disk.get('/nfsdata/reserve');
    };
    expect((await run(machine, 'start')).code).toBe(0);
    expect(held).toBe('\0');
    expect(machine.disk.get('/nfsdata/reserve')).toBe('reserved');
  });

  test('a start without room for it serves and warns, every monitor warns, and takes the room once it is there', async () => {
    const machine = new NfsMachine({ ...shared, ...recurring });
    machine.disk
      .set('/nfsdata/v4recovery/', '')
      .set('/nfsdata/reserve', '')
      .set('/nfsdata/lease-time', '90')
      .set('/nfsdata/server-scope', 'x');
    machine.isFull = true;
    for (const list of ['etab', 'xtab', 'rmtab', 'export-lock', 'kept-by-statd'])
      machine.disk.set(`/nfsdata/${list}`, '');
    machine.disk.set('/nfsdata/state', new Uint8Array([3, 0, 0, 0]));
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.warnings).toEqual([expect.stringContaining('no space left on device')]);
    expect(machine.disk.get('/nfsdata/reserve')).not.toBe(''); // a server runs now
    for (const times of [2, 3]) {
      expect((await run(machine, 'monitor')).code).toBe(0);
      expect(machine.warnings).toHaveLength(times);
      expect(machine.warnings.at(-1)).toContain('the filesystem of /var/lib/nfs is full');
    }
    machine.isFull = false;
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(machine.disk.get('/nfsdata/reserve')).toBe('reserved');
    expect(machine.warnings).toHaveLength(3);
    const before = machine.ran.length;
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(machine.ran.slice(before)).toEqual([]);
  });

  test('a filesystem that becomes full is noticed within a minute, at depth 10 at once', async () => {
    const machine = await started({ ...shared, ...recurring });
    machine.on('rpcinfo', () => '');
    machine.isFull = true;
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(machine.warnings).toEqual([]);
    machine.files.set('/proc/uptime', '61.00 100.00\n');
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(machine.warnings).toHaveLength(1);
    machine.env['OCF_CHECK_LEVEL'] = '10';
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(machine.warnings).toHaveLength(2);
  });

  test.each([
    ['Using nfsdcld client tracking operations.', true, false],
    ['Using legacy client tracking operations.', true, true],
    ['Unable to initialize client recovery tracking! (-110)', true, true],
    ['something else', true, false],
    ['Using legacy client tracking operations.', false, false],
    ['Unable to initialize client recovery tracking! (-110)', false, true],
  ])(
    'the kernel is asked after the start who writes clients down, also on a machine that has slept: %s (nfsdcld: %s)',
    async (said, hasNfsdcld, isBad) => {
      const machine = new NfsMachine({ ...shared, ...recurring });
      if (!hasNfsdcld) machine.files.delete('/lib/systemd/system/nfsdcld.service');
      machine.files.set('/proc/uptime', '50000.00 1.00\n'); // the stamps stand still in sleep
      machine.kernelLog = '[    3.100000] NFSD: Unable to initialize client recovery tracking! (-110)\n';
      machine.kernelSaysAtStart = `[   51.200000] NFSD: ${said}\n`;
      expect((await run(machine, 'start')).code).toBe(0);
      expect((await run(machine, 'monitor')).code).toBe(0);
      const warning = expect.stringContaining('NFSv4 clients are not written down');
      expect(machine.warnings).toEqual(isBad ? [warning, warning] : []);
    },
  );

  test.each([
    ['is not heard any more', 'Using nfsdcld', 'Unable to initialize', [0, 2]],
    ['is heard again', 'Unable to initialize', 'Using nfsdcld', [2, 0]],
    ['is not heard, and the kernel says so only then', '', 'Unable to initialize', [0, 2]],
    ['was not heard, and the kernel says no more', 'Unable to initialize', '', [2, 0]],
  ])('somebody else restarts the server: nfsdcld %s', async (_what, first, second, expected) => {
    const machine = new NfsMachine({ ...shared, ...recurring });
    machine.kernelLog = '';
    const says = (what: string, at: number) => {
      machine.kernelSaysAtStart = what && `[ ${at}.000000] NFSD: ${what} client tracking\n`;
    };
    const warnings: number[] = [];
    says(first, 100);
    expect((await run(machine, 'start')).code).toBe(0);
    expect((await run(machine, 'monitor')).code).toBe(0);
    warnings.push(machine.warnings.length);
    machine.warnings.length = 0;
    says(second, 200);
    machine.stopUnit('nfs-server.service');
    for (const unit of ['nfs-server', 'nfs-mountd', 'nfs-idmapd']) machine.startUnit(`${unit}.service`);
    expect((await run(machine, 'monitor')).code).toBe(0);
    warnings.push(machine.warnings.length);
    expect(warnings).toEqual(expected);
  });

  test.each<[string, string, number]>([
    ['[nfsdcld]\nstoragedir=/srv/cld\n', 'storagedir=/srv/cld', 1],
    ['[statd]\nstate-directory-path=/srv/nsm\n', 'state-directory-path=/srv/nsm', 1],
    ['[nfsdcld]\nstoragedir=/var/lib/nfs/cld\n', 'storagedir', 0],
    ['[nfsdcld]\nstoragedir=/nfsdata/cld\n', 'storagedir', 0],
  ])('what nfs.conf keeps outside of the shared directory is told: %j', async (conf, words, count) => {
    const machine = new NfsMachine({ ...shared, OCF_CHECK_LEVEL: '10' });
    machine.files.set('/etc/nfs.conf.d/ours.conf', conf);
    const told = () => machine.warnings.filter((line) => line.includes(words)).length;
    expect((await run(machine, 'validate-all')).code).toBe(0);
    expect(told()).toBe(count);
    if (conf.includes('statd')) return;
    expect((await run(machine, 'start')).code).toBe(0);
    expect(told()).toBe(2 * count);
  });

  test('a lease and a scope that cannot be written down are warnings', async () => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfs_lease_time: '20' });
    const state = new Uint8Array([3, 0, 0, 0]);
    for (const name of ['v4recovery/', 'sm/', 'sm.bak/', 'etab', 'xtab', 'rmtab', 'export-lock', 'reserve'])
      machine.disk.set(`/nfsdata/${name}`, '');
    machine.disk.set('/nfsdata/state', state);
    machine.isFull = true;
    expect((await run(machine, 'start')).code).toBe(0);
    for (const words of ['no server scope can be kept', 'the lease is not on record'])
      expect(machine.warnings).toContainEqual(expect.stringContaining(words));
  });
});
