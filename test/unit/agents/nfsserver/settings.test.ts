import { describe, expect, test } from 'vitest';
import { readNfsdArgs } from '../../../../agents/nfsserver/nfsd-args.ts';
import { withVariables } from '../../../../agents/nfsserver/sysconfig.ts';
import type { Command } from '../../../../lib/host/sys/sys.ts';
import { hangs } from '../../../fake/machine.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { kernelNumbers } from '../../../fake/nfs-machine-units.ts';
import { recurring, run, shared, started } from '../../../fake/nfsserver-machine.ts';

const fragment = '/run/tsha-nfs/nfs.conf';
const link = '/etc/nfs.conf.d/zz-tsha-nfsserver.conf';
const local = { OCF_RESKEY_nfs_no_notify: 'true', OCF_RESKEY_nfs_server_scope: 'bank' };
const ports = {
  OCF_RESKEY_mountd_port: '892',
  OCF_RESKEY_statd_port: '662',
  OCF_RESKEY_statd_outgoing_port: '2020',
  OCF_RESKEY_lockd_tcp_port: '32803',
  OCF_RESKEY_lockd_udp_port: '32769',
};

describe('nfsd_args', () => {
  test.each<[string, object | RegExp]>([
    ['', {}],
    ['16', { threads: '16' }],
    ['-N 3 --nfs-version 4.2 -V4.1', { vers3: 'n', 'vers4.2': 'y', 'vers4.1': 'y' }],
    [
      '-t -U --port=2050 -L 20 --grace-time 30',
      { tcp: 'y', udp: 'n', port: '2050', 'lease-time': '20', 'grace-time': '30' },
    ],
    ['-H 10.0.0.20 -H fe80::1%eth0 -s -r', { host: '10.0.0.20,fe80::1%eth0', rdma: 'y' }],
    ['--rdma=20049 -d', { rdma: 'y', 'rdma-port': '20049', debug: 'all' }],
    ['-N 5', /-N needs a version/],
    ['-p', /-p needs a port/],
    ['-G soon', /-G needs a number of seconds/],
    ['; reboot', /";" is no option/],
    ['--syslog=x', /no option/],
  ])('%s', (text, expected) => {
    const read = readNfsdArgs(text);
    if (expected instanceof RegExp) expect(read).toMatch(expected);
    else expect(read).toEqual(expected);
  });

  test('what cannot be read is refused before anything happens', async () => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfsd_args: '$(reboot)' });
    expect((await run(machine, 'start')).code).toBe(6);
    expect(machine.ran).toEqual([]);
  });
});

describe('ports and arguments', () => {
  test('reach nfs-utils through nfs.conf and the kernel by itself, and are gone after the stop', async () => {
    const machine = new NfsMachine({ ...local, ...ports, OCF_RESKEY_nfsd_args: '-N 4.0 12' });
    machine.files.set('/etc/nfs.conf', '[mountd]\nport=1\n');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.get(fragment)?.split('\n').slice(1)).toEqual([
      ...['[nfsd]', 'scope=bank', 'vers4.0=n', 'threads=12'],
      ...['[statd]', 'ha-callout=/var/lib/tsha-nfsserver/statd-callout', 'port=662', 'outgoing-port=2020'],
      ...['[lockd]', 'port=32803', 'udp-port=32769'],
      ...['[mountd]', 'port=892', ''],
    ]);
    expect(machine.files.get('/proc/sys/fs/nfs/nlm_tcpport')).toBe('32803\n');
    expect(machine.files.get('/proc/sys/fs/nfs/nlm_udpport')).toBe('32769\n');
    machine.files.set('/proc/fs/nfsd/versions', '-2 +3 +4 -4.0 +4.1 +4.2\n'); // as rpc.nfsd leaves them
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.links.has(link)).toBe(false);
    expect(machine.files.get('/proc/sys/fs/nfs/nlm_tcpport')).toBe('0\n');
    expect(machine.files.get('/proc/sys/fs/nfs/nlm_udpport')).toBe('0\n');
    expect(machine.files.get('/proc/fs/nfsd/versions')).toBe('-2 +3 +4 +4.1 +4.2 +4.0\n');
    expect(machine.files.get('/etc/nfs.conf')).toBe('[mountd]\nport=1\n');
    expect(machine.warnings).toEqual([]);
  });

  test('a stop goes on where /etc became read-only meanwhile', async () => {
    const machine = await started({ ...local, ...ports });
    const remove = machine.remove.bind(machine);
    machine.remove = async (path) => {
      if (path.startsWith('/etc/'))
        throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
      await remove(path);
    };
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.files.has(fragment)).toBe(false); // the link points nowhere
    expect(machine.warnings).toEqual([expect.stringContaining('EROFS')]);
  });

  test('with NFSv4 only, NFSv3 is switched off while the server runs', async () => {
    const machine = await started({ ...local, OCF_RESKEY_nfsv4_only: 'true' });
    expect(machine.files.get(fragment)).toContain('[nfsd]\nscope=bank\nvers3=n\n');
  });

  test('a number that somebody else has changed since is his', async () => {
    const machine = await started({ ...local, ...ports });
    machine.files.set('/proc/sys/fs/nfs/nlm_tcpport', '4045\n');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.files.get('/proc/sys/fs/nfs/nlm_tcpport')).toBe('4045\n');
  });

  test('rpc.rquotad runs on its port while the server does, in place of its own service', async () => {
    const machine = new NfsMachine({ ...local, OCF_RESKEY_rquotad_port: '875' });
    machine.on('rpc.rquotad', () => '').on('systemd-run', () => '');
    machine.files.set('/lib/systemd/system/quotarpc.service', '[Unit]\n');
    expect((await run(machine, 'start')).code).toBe(0);
    const at = machine.ran.indexOf('systemctl is-active --quiet quotarpc.service');
    expect(machine.ran.slice(at, at + 4)).toEqual([
      'systemctl is-active --quiet quotarpc.service',
      'systemctl stop --job-mode=ignore-dependencies quotarpc.service',
      'systemctl reset-failed --quiet tsha-rpc-rquotad.service',
      'systemd-run --quiet --unit=tsha-rpc-rquotad.service -- rpc.rquotad -F -p 875',
    ]);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.ran.slice(-2)).toEqual([
      'systemctl stop --job-mode=ignore-dependencies tsha-rpc-rquotad.service',
      'systemctl start quotarpc.service',
    ]);
  });

  test('where it is not installed, a warning', async () => {
    const machine = await started({ ...local, OCF_RESKEY_rquotad_port: '875' });
    expect(machine.warnings).toEqual([expect.stringContaining('rpc.rquotad is not installed')]);
  });
});

describe('/etc/sysconfig/nfs, where nfs-utils reads no nfs.conf', () => {
  const file = '/etc/sysconfig/nfs';
  const admins = '# mine\nRPCNFSDARGS="8"\nexport STATDARG=\nSECURE_NFS=yes\n';
  function oldRedHat(env: NodeJS.ProcessEnv, text?: string): NfsMachine {
    const machine = new NfsMachine({ ...local, ...env });
    machine.readsFragments = false;
    machine.factsOf.set('/etc/sysconfig', { kind: 'directory' });
    if (text !== undefined) machine.files.set(file, text);
    machine.on('cp', (args) => {
      const [from = '', to = ''] = args.slice(-2);
      machine.files.set(to, machine.files.get(from) ?? '');
      return '';
    });
    machine.on('mv', (args) => {
      const [from = '', to = ''] = args.slice(-2);
      machine.files.set(to, machine.files.get(from) ?? '');
      machine.files.delete(from);
      return '';
    });
    return machine;
  }

  test('nfsserver#92: gets every value, the original is kept once and comes back', async () => {
    const machine = oldRedHat(
      { ...ports, OCF_RESKEY_nfsd_args: '-N 2 16', OCF_RESKEY_rquotad_port: '875' },
      admins,
    );
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.get(file)?.split('\n').slice(1)).toEqual([
      '# mine',
      'SECURE_NFS=yes',
      'RPCNFSDARGS="-N 2 16"',
      'LOCKD_UDPPORT="32769"',
      'LOCKD_TCPPORT="32803"',
      'STATDARG="--no-notify -p 662 -o 2020"',
      'RPCMOUNTDOPTS="-p 892"',
      'RPCRQUOTADOPTS="-p 875"',
      '',
    ]);
    expect(machine.files.get(`${file}.ha.bu`)).toBe(admins);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.files.get(file)).toBe(admins);
    expect(machine.files.has(`${file}.ha.bu`)).toBe(false);
  });

  test('nfsserver#93: a second start, after a crash of the node, neither tags twice nor loses the original', async () => {
    const machine = oldRedHat(ports, admins);
    expect((await run(machine, 'start')).code).toBe(0);
    const written = machine.files.get(file);
    machine.stopUnit('nfs-server.service');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.get(file)).toBe(written);
    expect(machine.files.get(`${file}.ha.bu`)).toBe(admins);
  });

  test('one that nobody had is gone after the stop, and one of somebody else is left alone', async () => {
    const machine = oldRedHat(ports);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.has(file)).toBe(true);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.files.has(file)).toBe(false);
    machine.files.set(file, admins);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.files.get(file)).toBe(admins);
  });

  test('nfsserver#94: neither the one nor the other: a warning, and the server serves', async () => {
    const machine = oldRedHat({ OCF_RESKEY_nfsd_args: '16' });
    machine.factsOf.delete('/etc/sysconfig');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.warnings).toEqual([expect.stringContaining('threads may have no effect')]);
  });

  test('values with / and quotes of the administrator stay as they are', () => {
    const text = withVariables('A=\'x/y\'\nB="\\$1"\n', { C: '1' });
    expect(text.split('\n').slice(1)).toEqual(["A='x/y'", 'B="\\$1"', 'C="1"', '']);
  });
});

describe('lease and grace time', () => {
  const lease = '/proc/fs/nfsd/nfsv4leasetime';
  const grace = '/proc/fs/nfsd/nfsv4gracetime';
  const lockGrace = '/proc/sys/fs/nfs/nlm_grace_period';
  const times = (leaseTime?: number, graceTime?: number) => ({
    ...shared,
    ...(leaseTime && { OCF_RESKEY_nfs_lease_time: String(leaseTime) }),
    ...(graceTime && { OCF_RESKEY_nfs_grace_time: String(graceTime) }),
  });
  const kernel = (machine: NfsMachine) =>
    [lease, grace, lockGrace].map((file) => Number(machine.files.get(file)));

  test('are in force before the server starts, and the old ones are after it', async () => {
    const machine = await started(times(15, 20));
    expect(kernel(machine)).toEqual([15, 20, 20]);
    expect(machine.files.get(fragment)).toContain('lease-time=15\ngrace-time=20\n');
    const at = (line: string) => machine.journal.findIndex((entry) => entry.startsWith(line));
    expect(at(`run tee ${lease}`)).toBeLessThan(at('run systemctl start'));
    expect(at(`run tee ${lease}`)).toBeGreaterThan(0);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(kernel(machine)).toEqual([90, 90, 0]);
  });

  test('a kernel whose nfsd keeps its mutex: start fails in time, and stop goes on', async () => {
    const machine = await started(times(15, 20));
    const stuck = (_args: unknown, command: Command) => hangs(command, machine);
    machine.on('cat', stuck).on('tee', stuck);
    const { clock } = machine;
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(kernel(machine)).toEqual([15, 20, 0]);
    expect(machine.warnings.filter((line) => /stays as it is: .*state D/.test(line))).toHaveLength(2);
    expect(await run(machine, 'start')).toMatchObject({ code: 1, reason: expect.stringContaining(lease) });
    expect(machine.clock - clock).toBeLessThan(15_000);
    expect(machine.journal.filter((line) => /^(poke|write) .proc.fs.nfsd/.test(line))).toEqual([]);
  });

  test.each<[string, number | undefined, number | undefined, string, number, RegExp?]>([
    ['too short to be a lease', 5, undefined, '', 6, /from 10 to 240/],
    ['a grace time below the lease', 60, 30, '', 6, /shorter than nfs_lease_time=60/],
    ["a grace time below the kernel's lease", undefined, 30, '', 2, /shorter than the lease of 90 s/],
    ["a grace time below nfs.conf's lease", undefined, 30, '[nfsd]\nlease-time=40\n', 2, /lease of 40 s/],
    ["a grace time that fits nfs.conf's lease", undefined, 30, '[nfsd]\nlease-time=20\n', 0],
  ])('%s', async (_what, leaseTime, graceTime, conf, code, reason) => {
    const machine = new NfsMachine(times(leaseTime, graceTime));
    machine.files.set('/etc/nfs.conf.d/ours.conf', conf);
    const result = await run(machine, 'start');
    expect(result.code).toBe(code);
    if (reason) expect(result.reason).toMatch(reason);
  });

  test('a lease alone brings a grace period that is not shorter', async () => {
    expect(kernel(await started(times(120)))).toEqual([120, 120, 120]);
    expect(kernel(await started(times(15)))).toEqual([15, 90, 0]); // the kernel's own is long enough
  });

  test('the first start with a shorter lease gives clients the time of the lease that they know', async () => {
    const first = await started(times(60, 60));
    const second = new NfsMachine(times(10, 12));
    for (const [path, text] of first.disk) second.disk.set(path, text);
    expect((await run(second, 'start')).code).toBe(0);
    expect(kernel(second)).toEqual([10, 60, 60]);
    Object.assign(second.env, recurring);
    second.files.set('/proc/fs/nfsd/v4_end_grace', 'Y\n');
    expect((await run(second, 'monitor')).code).toBe(0);
    const before = second.ran.length;
    expect((await run(second, 'monitor')).code).toBe(0);
    expect(second.ran.slice(before)).toEqual([]); // it is written down once
    expect((await run(second, 'stop')).code).toBe(0);
    expect((await run(second, 'start')).code).toBe(0);
    expect(kernel(second)).toEqual([10, 12, 12]);
  });

  test.each<[string, (machine: NfsMachine) => Promise<unknown>]>([
    [
      'a start that failed',
      async (machine) => {
        machine.failing.add('nfs-server.service');
        expect((await run(machine, 'start')).code).toBe(1);
        machine.failing.clear();
      },
    ],
    [
      'a move within the grace period',
      async (machine) => {
        machine.files.set('/proc/fs/nfsd/v4_end_grace', 'N\n');
        expect((await run(machine, 'start')).code).toBe(0);
        Object.assign(machine.env, recurring);
        expect((await run(machine, 'monitor')).code).toBe(0);
      },
    ],
  ])('%s with a shorter lease leaves them that time', async (_what, happens) => {
    const first = await started(times(60, 60));
    const second = new NfsMachine(times(10, 12));
    for (const [path, text] of first.disk) second.disk.set(path, text);
    await happens(second);
    expect((await run(second, 'stop')).code).toBe(0);
    const third = new NfsMachine(times(10, 12));
    for (const [path, text] of second.disk) third.disk.set(path, text);
    expect((await run(third, 'start')).code).toBe(0);
    expect(kernel(third)).toEqual([10, 60, 60]);
  });

  test('so does the first start with a lease on state that served without one', async () => {
    const first = await started();
    const second = new NfsMachine(times(10, 12));
    for (const [path, text] of first.disk) second.disk.set(path, text);
    expect((await run(second, 'start')).code).toBe(0);
    expect(kernel(second)).toEqual([10, 90, 90]);
  });

  test.each<
    readonly [
      what: string,
      leases: readonly (number | undefined)[],
      conf: string,
      expected: readonly number[],
    ]
  >([
    ['a longer one, then none', [200, undefined], '', [90, 200, 200]],
    ['the same, then none', [90, undefined], '', [90, 90, 0]],
    ['a shorter one, none, and the shorter one again', [20, undefined, 20], '', [20, 90, 90]],
    [
      'none, then a shorter one of nfs.conf',
      [undefined, undefined],
      'lease-time=20\ngrace-time=25\n',
      [90, 90, 90],
    ],
    [
      'none, and always the grace time of nfs.conf',
      [undefined],
      'lease-time=20\ngrace-time=25\n',
      [90, 25, 25],
    ],
    ['a longer one, then none, and enough in nfs.conf', [200, undefined], 'grace-time=220\n', [90, 220, 220]],
  ])('leases one after the other: %s', async (_what, leases, conf, expected) => {
    let disk = new Map<string, string | Uint8Array>([['/nfsdata/', '']]);
    let last: NfsMachine | undefined;
    for (const [index, seconds] of leases.entries()) {
      const machine = new NfsMachine(times(seconds, seconds));
      for (const [path, text] of disk) machine.disk.set(path, text);
      if (index === leases.length - 1) machine.files.set('/etc/nfs.conf.d/ours.conf', `[nfsd]\n${conf}`);
      expect((await run(machine, 'start')).code).toBe(0);
      ({ disk } = machine);
      last = machine;
    }
    expect(last && kernel(last)).toEqual(expected);
  });

  test.each<[string, NodeJS.ProcessEnv, number]>([
    ['its own parameter', { OCF_RESKEY_nfs_lease_time: '15', OCF_RESKEY_nfs_grace_time: '30' }, 30],
    ["nfs.conf's grace-time", {}, 20],
    ['nfsd_args', { OCF_RESKEY_nfsd_args: '-G 40' }, 40],
    ['nfsd_args that the kernel would refuse', { OCF_RESKEY_nfsd_args: '-G 5' }, 90],
  ])('lockd has its own time where nfsd has one by %s', async (_what, env, seconds) => {
    const machine = new NfsMachine({ ...shared, ...env, OCF_RESKEY_lockd_grace_time: '10' });
    machine.files.set('/etc/nfs.conf.d/ours.conf', '[nfsd]\ngrace-time=20\nlease-time=15\n');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(kernel(machine).slice(1)).toEqual([seconds, 10]);
    expect(machine.warnings.filter((line) => /lockd_grace_time/.test(line))).toEqual([]);
    expect(kernel(machine)[0]).toBe(15); // a grace time never without the lease beside it
  });

  test.each([
    ['gracetime: 15\ntcp_port: 0\n', /until this node is rebooted: nfsdctl has told lockd 15 s/],
    ['gracetime: 10\n', undefined],
    ['gracetime: 0\n', undefined],
    ['', undefined],
  ])('what nfsdctl has told lockd before counts more: %j', async (said, warning) => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_lockd_grace_time: '10' });
    machine.on('nfsdctl', () => said);
    expect((await run(machine, 'start')).code).toBe(0);
    const found = machine.warnings.filter((line) => /lockd_grace_time/.test(line)).join();
    if (warning) expect(found).toMatch(warning);
    else expect(found).toBe('');
  });

  test('nfsdctl is given no ports of lockd without a grace time', async () => {
    const ports = { OCF_RESKEY_lockd_tcp_port: '32803', OCF_RESKEY_lockd_udp_port: '32803' };
    const machine = await started({ ...shared, ...ports, OCF_RESKEY_lockd_grace_time: '10' });
    expect(machine.files.get(fragment)).toMatch(/grace-time=0\n/);
    expect(machine.files.get(fragment)).not.toContain('[lockd]');
    expect(machine.files.get('/proc/sys/fs/nfs/nlm_tcpport')).toBe('32803\n');
    expect((await started({ ...shared, ...ports })).files.get(fragment)).toContain('[lockd]\nport=32803\n');
  });

  test('a server whose start tells lockd otherwise is told of', async () => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_lockd_grace_time: '10' });
    machine.files.set('/etc/nfs.conf.d/zzz.conf', '[nfsd]\ngrace-time=20\n');
    machine.startUnit = new Proxy(machine.startUnit, {
      apply: (target, self, args) => {
        const result = Reflect.apply(target, self, args);
        machine.files.set(lockGrace, '20\n');
        return result;
      },
    });
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.warnings.join()).toMatch(/lockd_grace_time=10 has no effect: .* is 20/);
  });

  test('lockd may have a time of its own', async () => {
    const machine = await started({ ...times(15, 30), OCF_RESKEY_lockd_grace_time: '10' });
    expect(kernel(machine)).toEqual([15, 30, 10]);
    expect(kernel(await started({ ...shared, OCF_RESKEY_lockd_grace_time: '20' }))).toEqual([90, 90, 20]);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(kernel(machine)).toEqual([90, 90, 0]);
  });

  test.each<[string, NodeJS.ProcessEnv, RegExp?]>([
    ['nfs_grace_time, rounded up', times(15, 15), /new locks wait 20 s .* the 15 s of NFSv4/],
    ["nfs.conf's grace-time, which rpc.nfsd gives lockd", shared, /new locks wait 20 s .* the 15 s of NFSv4/],
    ['rounded up', { ...times(15, 15), OCF_RESKEY_lockd_grace_time: '12' }, /lockd_grace_time=12 lasts 20 s/],
    ['as recommended', { ...times(15, 15), OCF_RESKEY_lockd_grace_time: '10' }],
    ['NFSv4 only', { ...shared, OCF_RESKEY_nfsv4_only: 'true' }],
  ])('validate-all at level 10 says how long new locks wait: %s', async (_what, env, says) => {
    const machine = new NfsMachine({ ...env, OCF_CHECK_LEVEL: '10' });
    for (const [file, value] of Object.entries(kernelNumbers)) machine.files.set(file, `${value}\n`);
    machine.files.set('/etc/nfs.conf.d/ours.conf', '[nfsd]\ngrace-time=15\nlease-time=15\n');
    expect((await run(machine, 'validate-all')).code).toBe(0);
    const found = machine.warnings.filter((line) => /new locks wait|lasts/.test(line));
    if (says) expect(found.join()).toMatch(says);
    else expect(found).toEqual([]);
  });

  test('a change of the grace time needs no restart: it counts from the next start on', async () => {
    const machine = await started(times(15, 20));
    machine.env['OCF_RESKEY_nfs_grace_time'] = '30';
    expect((await run(machine, 'reload-agent')).code).toBe(0);
    expect(machine.threads).toBe(8);
  });
});

describe("lockd's grace period, which new locks wait for", () => {
  const record = '1 2 3 4 cookie 10.0.0.9 10.0.0.20';
  const rows: readonly (readonly [string, NodeJS.ProcessEnv, readonly string[], 'Y' | 'N' | 'none'])[] = [
    ['ends at once where no NFSv3 client is on record', shared, [], 'Y'],
    ['stays for a client of a server that died', shared, ['sm/clientA'], 'N'],
    ['stays for a client of a server that was stopped', shared, ['sm.bak/clientA'], 'N'],
    ["stays on local state, which knows nothing of the other node's clients", local, [], 'N'],
    ['does not exist with NFSv4 only', { ...shared, OCF_RESKEY_nfsv4_only: 'true' }, [], 'none'],
  ];
  test.each(rows)('%s', async (_, env, records, expected) => {
    const machine = new NfsMachine(env);
    for (const path of records) machine.disk.set(`/nfsdata/${path}`, record);
    expect((await run(machine, 'start')).code).toBe(0);
    expect((machine.files.get('/proc/fs/lockd/nlm_end_grace') ?? 'none').trim()).toBe(expected);
    expect(machine.warnings).toEqual([]);
  });
});
