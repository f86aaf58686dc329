import { describe, expect, test } from 'vitest';
import { statOf } from '../../../fake/machine.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { unitProcess } from '../../../fake/nfs-machine-units.ts';
import { recurring, run, shared, started, stateMount } from '../../../fake/nfsserver-machine.ts';

describe('monitor', () => {
  type Change = (machine: NfsMachine) => unknown;
  const without =
    (unit: string): Change =>
    (machine) =>
      machine.stopUnit(unit);
  const needed = Object.entries(unitProcess).filter(([unit]) => unit !== 'fsidd.service');
  test.each<readonly [string, NodeJS.ProcessEnv, Change, number]>([
    ['nfsserver#7: all well', shared, () => {}, 0],
    ['nfsserver#28: rpcbind down', shared, without('rpcbind.service'), 1],
    ['nfsserver#30: rpc.mountd down', shared, without('nfs-mountd.service'), 1],
    ['nfsserver#32: rpc.idmapd down', shared, without('nfs-idmapd.service'), 1],
    ['rpc.statd down', shared, without('rpc-statd.service'), 1],
    ['nfsserver#35: nfsdcld down', shared, without('nfsdcld.service'), 1],
    [
      'nfsserver#29: rpcbind down, NFSv4 only',
      { ...shared, OCF_RESKEY_nfsv4_only: '1' },
      without('rpcbind.service'),
      0,
    ],
    [
      'nfsserver#31: rpc.mountd down, NFSv4 only',
      { ...shared, OCF_RESKEY_nfsv4_only: '1' },
      without('nfs-mountd.service'),
      1,
    ],
    [
      'nfsserver#34: statd runs outside its unit',
      shared,
      (machine) => {
        machine.stopUnit('rpc-statd.service');
        machine.spawn('rpc.statd', 4711);
      },
      0,
    ],
    [
      'nfsserver#40: rpc.mountd only in the arguments of an editor',
      shared,
      (machine) => {
        machine.stopUnit('nfs-mountd.service');
        machine.spawn('vi', 4711).files.set('/proc/4711/cmdline', 'vi\0rpc.mountd');
      },
      1,
    ],
    ...needed.map(
      ([unit, name]) =>
        [
          `S9: ${name} is dead, a user's process is called so`,
          shared,
          (machine: NfsMachine) => {
            machine.stopUnit(unit);
            machine.imposter(name, 4711);
          },
          1,
        ] as const,
    ),
    [
      "S9: a user's process is called nfsd, and older than the kernel's threads",
      shared,
      (machine: NfsMachine) => machine.process(50, { comm: 'nfsd\n', stat: statOf(50, 'nfsd', 1) }),
      0,
    ],
    ['state directory unmounted below a running server', shared, (machine) => void machine.mounted.pop(), 1],
    [
      'nfsserver#27: no threads, but the state directory is still there',
      shared,
      without('nfs-server.service'),
      1,
    ],
    [
      'nfsserver#39: no threads, no state directory, some helpers left',
      { OCF_RESKEY_nfs_no_notify: '1' },
      without('nfs-server.service'),
      7,
    ],
  ])('%s', async (_situation, env, change, code) => {
    const machine = await started({ ...env, ...recurring });
    change(machine);
    const lines = machine.mounted.map(
      (m) => `${m.id} ${m.parent} ${m.device} ${m.root} ${m.target} rw - ${m.type} ${m.source} rw\n`,
    );
    machine.files.set('/proc/self/mountinfo', lines.join(''));
    const result = await run(machine, 'monitor');
    expect(result.code).toBe(code);
    expect(Boolean(result.reason)).toBe(code !== 0);
  });

  test('nfsserver#36,37: helpers that are masked or not installed are not missed', async () => {
    const machine = new NfsMachine({ ...shared, ...recurring });
    machine.masked.add('nfsdcld.service');
    machine.links.set('/etc/systemd/system/nfsdcld.service', '/dev/null');
    machine.files.delete('/lib/systemd/system/nfs-idmapd.service');
    expect((await run(machine, 'start')).code).toBe(0);
    expect((await run(machine, 'monitor')).code).toBe(0);
  });

  test('nfsserver#97: a mount beside the state directory confuses nobody', async () => {
    const machine = new NfsMachine(shared).bindBySomeone('/', '8:9', '/var/lib/nfs-other');
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.mounted.some(({ target }) => target === '/var/lib/nfs-other')).toBe(true);
  });

  test('a server of the stock agent on the same directory is recognised', async () => {
    const machine = new NfsMachine({ ...shared, ...recurring }).bindBySomeone('/');
    machine.startUnit('rpcbind.service').startUnit('nfs-server.service');
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toEqual([]);
  });
});

describe('foreign filesystems on the state directory', () => {
  test('nfsserver#52: start refuses and changes nothing, and the stop after it succeeds', async () => {
    const machine = new NfsMachine(shared).bindBySomeone('/', '8:9');
    const result = await run(machine, 'start');
    expect(result).toMatchObject({
      code: 1,
      reason: expect.stringContaining('/dev/x is mounted on /var/lib/nfs'),
    });
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toMatchObject([{ device: '8:9' }]);
  });

  test('nfsserver#53: without nfs_shared_infodir a filesystem of the administrator stays mounted', async () => {
    const machine = new NfsMachine({ OCF_RESKEY_nfs_no_notify: '1' }).bindBySomeone('/', '8:9');
    expect((await run(machine, 'start')).code).toBe(0);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toMatchObject([{ device: '8:9' }]);
  });
});

describe('start that cannot work says why', () => {
  test.each<[string, (machine: NfsMachine) => void, number, RegExp]>([
    [
      'nfsserver#21: neither systemd nor an init script',
      (machine) => machine.factsOf.delete('/run/systemd/system'),
      5,
      /systemd/,
    ],
    [
      'nfsserver#21: no server unit',
      (machine) => machine.files.delete('/lib/systemd/system/nfs-server.service'),
      5,
      /nfs-server.service is not installed/,
    ],
    [
      'nfsserver#24: no statd unit',
      (machine) => machine.files.delete('/lib/systemd/system/rpc-statd.service'),
      5,
      /rpc-statd/,
    ],
    [
      'nfsserver#70: rpcbind fails',
      (machine) => machine.failing.add('rpcbind.service'),
      1,
      /rpcbind.service failed \(exit-code/,
    ],
    [
      'nfsserver#72: rpc.idmapd fails',
      (machine) => machine.failing.add('nfs-idmapd.service'),
      1,
      /nfs-idmapd.service failed/,
    ],
    [
      'nfsserver#74: the server fails',
      (machine) => machine.failing.add('nfs-server.service'),
      1,
      /nfs-server.service failed/,
    ],
    [
      'nfsserver#50: infodir is a file',
      (machine) => machine.disk.delete('/nfsdata/') && machine.disk.set('/nfsdata', ''),
      1,
      /not a directory/,
    ],
    [
      'nfsserver#50: the mount fails',
      (machine) => machine.on('mount', () => ({ code: 32, stderr: 'mount: no' })),
      1,
      /mount: no/,
    ],
    ['the mount has no effect', (machine) => machine.on('mount', () => ''), 1, /no effect/],
    [
      'nfsserver#75: the unit starts without threads',
      (machine) => (machine.onTick = () => machine.files.set('/proc/net/rpc/nfsd', 'th 0 0\n')),
      1,
      /no nfsd threads/,
    ],
  ])('%s', async (_situation, change, code, reason) => {
    const machine = new NfsMachine(shared);
    change(machine);
    const result = await run(machine, 'start');
    expect(result.reason).toMatch(reason);
    expect(result.code).toBe(code);
    machine.onTick = () => {};
    expect((await run(machine, 'stop')).code).toBe(0);
  });

  test('nfsserver#71: with NFSv4 only a broken rpcbind does not matter', async () => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfsv4_only: 'true' });
    machine.failing.add('rpcbind.service');
    expect((await run(machine, 'start')).code).toBe(0);
  });
});

describe('stop', () => {
  test('nfsserver#58: ends NFS daemons that hold the state directory, whoever started them', async () => {
    const machine = await started();
    machine.spawn('sm-notify', 700, { cwd: '/var/lib/nfs' }).busy.set(700, '/var/lib/nfs');
    machine
      .spawn('fsidd', 701, { cwd: '/', 'fd/3': '/var/lib/nfs/reexpdb.sqlite3' })
      .busy.set(701, '/var/lib/nfs');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.journal).toContain('signal SIGTERM 700');
    expect(machine.journal).toContain('signal SIGTERM 701');
    expect(stateMount(machine)).toEqual([]);
  });

  test('nfsserver#56,57: names a stranger that holds it, leaves it alone, and succeeds when it is gone', async () => {
    const machine = await started();
    machine.spawn('bash', 702, { cwd: '/var/lib/nfs/sm' }).busy.set(702, '/var/lib/nfs');
    const result = await run(machine, 'stop');
    expect(result).toMatchObject({
      code: 1,
      reason: expect.stringContaining('bash (pid 702, cwd /var/lib/nfs/sm)'),
    });
    expect(machine.journal.filter((line) => line.startsWith('signal'))).toEqual([]);
    machine.endProcess(702);
    expect((await run(machine, 'stop')).code).toBe(0);
  });

  test('nfsserver#63: is bounded when threads do not end, and says so', async () => {
    const machine = await started({ ...shared, OCF_RESKEY_CRM_meta_timeout: '20000' });
    machine.stuckThreads = 3;
    machine.clock = 0;
    const result = await run(machine, 'stop');
    expect(result).toMatchObject({
      code: 1,
      reason: expect.stringContaining('3 of 8 nfsd threads do not end'),
    });
    expect(machine.clock).toBeLessThan(20_000);
    expect(stateMount(machine)).toHaveLength(1);
  });

  test('nfsserver#22: succeeds where the software is gone and nothing runs', async () => {
    const machine = new NfsMachine({ ...shared, OCF_TESTER_FAIL_HAVE_BINARY: '1' });
    machine.factsOf.delete('/run/systemd/system');
    expect((await run(machine, 'stop')).code).toBe(0);
  });

  test('works with the mount of the start after the filesystem below infodir is gone', async () => {
    const machine = await started({ ...shared, OCF_RESKEY_nfs_shared_infodir: '/nfsdata/info' });
    machine.mounted.splice(1, 1);
    machine.bindBySomeone('/', '0:77', '/elsewhere'); // publishes the table
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toEqual([]);
  });

  test('nfsserver#66: unmounts a pipefs on the state directory, and only that one', async () => {
    const machine = new NfsMachine(shared);
    machine.files.set('/etc/nfs.conf', '');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.ran).toContain('mount -c -t rpc_pipefs sunrpc /var/lib/nfs/rpc_pipefs/.');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.mounted.map(({ target }) => target)).toEqual(['/', '/nfsdata', '/run/rpc_pipefs']);
  });
});

describe('nfsdcld is dead, and threads of the kernel may wait for it', () => {
  const pipe = '/run/rpc_pipefs/nfsd/cld';
  test.each<readonly [string, (machine: NfsMachine) => unknown, boolean]>([
    ['it is started before they are ended', (machine) => machine.stopUnit('nfsdcld.service'), true],
    ['it runs', () => {}, false],
    [
      'this server does not write its clients down by it',
      (machine) => {
        machine.stopUnit('nfsdcld.service');
        machine.files.delete(pipe);
      },
      false,
    ],
  ])('%s', async (_what, change, isStarted) => {
    const machine = await started(shared);
    machine.files.set(pipe, '');
    const stat = machine.handler('stat');
    machine.on('stat', (args, command) =>
      args.at(-1) === pipe ? { code: machine.files.has(pipe) ? 0 : 1 } : (stat?.(args, command) ?? ''),
    );
    change(machine);
    const before = machine.ran.length;
    expect(await run(machine, 'stop')).toMatchObject({ code: 0 });
    const ran = machine.ran.slice(before);
    const [start, end] = [ran.indexOf('systemctl start nfsdcld.service'), ran.indexOf('rpc.nfsd 0')];
    expect([start >= 0, start < end]).toEqual([isStarted, true]);
  });
});
