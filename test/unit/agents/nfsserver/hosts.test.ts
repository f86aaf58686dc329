import { describe, expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { statdHome } from '../../../../lib/host/nfs/state-directory.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { no } from '../../../fake/nfs-machine-files.ts';
import { initMachine, recurring, run, shared, stateMount } from '../../../fake/nfsserver-machine.ts';

const local = { OCF_RESKEY_nfs_no_notify: 'true' };
const passwd = (user: string, uid: number) =>
  `root:x:0:0::/:/bin/sh\n${user}:x:${uid}:${uid}::/:/bin/false\n`;

/** A machine on which the package made these directories for statd. */
function withRecords(user: string, uid: number, dirs: Readonly<Record<string, number>>): NfsMachine {
  const machine = new NfsMachine(shared);
  machine.factsOf.delete('/var/lib/nfs/sm');
  machine.files.set('/etc/passwd', passwd(user, uid));
  for (const [dir, mode] of Object.entries(dirs))
    machine.factsOf.set(`${dir}/sm`, { kind: 'directory', uid, gid: uid, mode });
  return machine;
}
const redHat = () => withRecords('rpcuser', 29, { '/var/lib/nfs/statd': 0o40700 });
const debian = () => withRecords('statd', 105, { '/var/lib/nfs': 0o40755 });

describe('where statd keeps its records is told by the machine', () => {
  const own = '/var/lib/nfs/statd';
  const root = '/var/lib/nfs';
  test.each<[string, NfsMachine, (machine: NfsMachine) => void, string, number, number]>([
    ["Red Hat's directories", redHat(), () => {}, own, 29, 0o700],
    ["Debian's and SUSE's", debian(), () => {}, root, 105, 0o755],
    [
      'none of the accounts that one knows',
      withRecords('nsm', 7, { [root]: 0o40750 }),
      () => {},
      root,
      7,
      0o750,
    ],
    [
      'the account, when shared state hides the directories',
      redHat(),
      (m) => m.bindBySomeone('/'),
      own,
      29,
      0o700,
    ],
    ['the same on Debian', debian(), (m) => m.bindBySomeone('/'), root, 105, 0o755],
    [
      'the directory in which statd works',
      debian(),
      (m) => m.bindBySomeone('/').spawn('rpc.statd', 9, { cwd: own }),
      own,
      105,
      0o755,
    ],
    [
      "S8: a user's process with statd's name in a folder of his says nothing",
      debian(),
      (m) => m.bindBySomeone('/').imposter('rpc.statd', 9, { cwd: `${root}/his` }),
      root,
      105,
      0o755,
    ],
    [
      'S8: nor does one with the number that the pid file of an earlier statd has',
      debian(),
      (m) => {
        m.files.set('/run/rpc.statd.pid', '9\n');
        m.bindBySomeone('/').imposter('rpc.statd', 9, { cwd: `${root}/his` });
      },
      root,
      105,
      0o755,
    ],
    [
      'the account, when a stock agent has made the other directory, too',
      withRecords('statd', 105, { [root]: 0o40755, [own]: 0o40755 }),
      () => {},
      root,
      105,
      0o755,
    ],
    [
      'nfs.conf before all',
      debian(),
      (m) => m.files.set('/etc/nfs.conf', '[statd]\nstate-directory-path=/srv/nsm\n'),
      '/srv/nsm',
      105,
      0o755,
    ],
  ])('%s', async (_what, machine, change, dir, uid, mode) => {
    change(machine);
    expect(await statdHome(hostOn(machine, 1000))).toEqual({ dir, owner: { uid, gid: uid }, mode });
  });

  test("nfsserver#46: Red Hat's layout in a fresh shared directory, of its account and with its mode", async () => {
    const machine = redHat();
    expect((await run(machine, 'start')).code).toBe(0);
    for (const list of ['sm', 'sm.bak']) {
      expect(machine.disk.has(`/nfsdata/statd/${list}/`)).toBe(true);
      expect(machine.owners.get(`/nfsdata/statd/${list}`)).toBe('29:29');
    }
    expect(machine.owners.get('/nfsdata/statd/state')).toBe('29:29');
    expect(machine.disk.get('/nfsdata/statd/state')).toBeInstanceOf(Uint8Array);
    expect(machine.modes.get('/nfsdata/statd/sm')).toBe(0o700);
  });
});

describe('units by whatever name they have', () => {
  /** Renames units of the fake machine. */
  function renamed(names: Readonly<Record<string, string>>): NfsMachine {
    const machine = new NfsMachine({ ...shared, ...recurring });
    for (const [old, name] of Object.entries(names)) {
      machine.files.set(`/lib/systemd/system/${name}`, machine.files.get(`/lib/systemd/system/${old}`) ?? '');
      machine.files.delete(`/lib/systemd/system/${old}`);
    }
    return machine;
  }

  test("nfsserver#23: Red Hat 7's nfs-lock and nfs-idmap are started, watched and stopped", async () => {
    const machine = renamed({
      'rpc-statd.service': 'nfs-lock.service',
      'nfs-idmapd.service': 'nfs-idmap.service',
    });
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.isUp('nfs-lock.service')).toBe(true);
    expect((await run(machine, 'monitor')).code).toBe(0);
    machine.stopUnit('nfs-lock.service');
    expect((await run(machine, 'monitor')).reason).toContain('rpc.statd');
    machine.startUnit('nfs-lock.service');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.isUp('nfs-lock.service')).toBe(false);
  });

  test.each(['nfsserver.service', 'nfs-kernel-server.service'])('the server itself is %s', async (name) => {
    const machine = renamed({ 'nfs-server.service': name });
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.isUp(name)).toBe(true);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.threads).toBe(0);
  });

  test('a unit that systemd refuses because it was started so often is started nevertheless', async () => {
    const machine = new NfsMachine(shared);
    machine.refusesOnce = 'nfs-server.service';
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.ran.some((line) => /^systemctl reset-failed .*nfs-server.service$/.test(line))).toBe(true);
  });

  test('a unit that is active although somebody has ended the threads is started anew', async () => {
    const machine = new NfsMachine(shared).startUnit('nfs-server.service');
    for (const unit of ['nfs-mountd', 'nfs-idmapd', 'nfsdcld', 'rpc-statd'])
      machine.stopUnit(`${unit}.service`);
    machine.threads = 0;
    machine.bindBySomeone('/', '8:9', '/elsewhere'); // publishes the threads, too
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.threads).toBe(8);
  });

  test('one that is enabled at boot is worth a warning', async () => {
    const machine = new NfsMachine(shared);
    machine.links.set('/etc/systemd/system/multi-user.target.wants/nfs-server.service', '/x');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.warnings).toEqual([expect.stringContaining('enabled at boot')]);
  });
});

describe('without systemd', () => {
  test('nfsserver#19: an init script that is not there', async () => {
    const machine = initMachine({ ...shared, OCF_RESKEY_nfs_init_script: '/nope' });
    expect(await run(machine, 'start')).toMatchObject({ code: 5, reason: expect.stringContaining('/nope') });
    expect((await run(machine, 'stop')).code).toBe(0);
    expect((await run(machine, 'monitor')).code).toBe(7);
  });

  test('nfsserver#21: none at all', async () => {
    const machine = new NfsMachine(shared);
    machine.factsOf.delete('/run/systemd/system');
    const result = await run(machine, 'start');
    expect(result).toMatchObject({ code: 5, reason: expect.stringContaining('/etc/init.d/nfsserver') });
    expect((await run(machine, 'validate-all')).code).toBe(0);
    machine.env['OCF_CHECK_LEVEL'] = '10';
    expect((await run(machine, 'validate-all')).code).toBe(5);
  });

  test.each([
    ['/etc/init.d/nfsserver', {}],
    ['/etc/init.d/nfs', {}],
    ['/etc/init.d/nfs-kernel-server', {}],
    ['/opt/nfs', { OCF_RESKEY_nfs_init_script: '/opt/nfs' }],
  ])('nfsserver#41: %s starts the server, the agent statd before it', async (script, env) => {
    const machine = initMachine({ ...shared, ...env, ...recurring }, script);
    expect((await run(machine, 'start')).code).toBe(0);
    const at = (line: string) => machine.ran.indexOf(line);
    expect(at('rpc.statd --no-notify')).toBeGreaterThan(at('rpcbind'));
    expect(at(`${script} start`)).toBeGreaterThan(at('rpc.statd --no-notify'));
    expect(stateMount(machine)).toHaveLength(1);
    const before = machine.ran.length;
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(machine.ran.slice(before)).toEqual([]);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toEqual([]);
    expect(machine.isUp('rpcbind.service')).toBe(true);
    expect((await run(machine, 'monitor')).code).toBe(7);
  });

  test("Debian's script, which does nothing without /etc/exports: what it leaves out is started", async () => {
    const machine = initMachine({ ...shared, ...recurring }, '/etc/init.d/nfs-kernel-server', []);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.ran).toContain('rpc.nfsd');
    expect(machine.ran).toContain('rpc.mountd');
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.threads).toBe(0);
  });

  test('nfsserver#42,43: statd is missed, but not with NFSv4 only', async () => {
    for (const [env, code] of [
      [{}, 1],
      [{ OCF_RESKEY_nfsv4_only: 'yes' }, 0],
    ] as const) {
      const machine = initMachine({ ...shared, ...env, ...recurring });
      expect((await run(machine, 'start')).code).toBe(0);
      machine.stopUnit('rpc-statd.service');
      const result = await run(machine, 'monitor');
      expect(result.code).toBe(code);
      if (code === 1) expect(result.reason).toContain('rpc.statd');
    }
  });

  test.each([
    [0, 1, /no nfsd threads, but .* exit 0/],
    [1, 1, /exit 1, dead, but its pid file is there/],
    [4, 1, /exit 4/],
    [3, 7, /no nfsd threads/],
  ])('nfsserver#44: no threads, and the script says %i', async (said, code, reason) => {
    const machine = initMachine({ ...local, ...recurring });
    machine.on('/etc/init.d/nfs', () => ({
      code: said,
      stdout: said === 1 ? 'dead, but its pid file is there\n' : '',
    }));
    const result = await run(machine, 'monitor');
    expect(result.code).toBe(code);
    expect(result.reason).toMatch(reason);
  });

  test('nfsserver#64: a statd that cannot be ended is a failed stop', async () => {
    const machine = initMachine();
    expect((await run(machine, 'start')).code).toBe(0);
    const [statd] = [...machine.files].find(([, text]) => text === 'rpc.statd\n') ?? [];
    const pid = Number(statd?.split('/')[2]);
    machine.onSignal = (target) => target !== pid && machine.endProcess(target);
    expect(await run(machine, 'stop')).toMatchObject({
      code: 1,
      reason: `rpc.statd (pid ${pid}) cannot be ended`,
    });
  });

  test('a script that fails is named, and a helper that does not start', async () => {
    const failing = initMachine().on('/etc/init.d/nfs', () => no('nfsd: no such module\nmore', 1));
    expect((await run(failing, 'start')).reason).toBe('/etc/init.d/nfs start: nfsd: no such module');
    const helper = initMachine();
    helper.failing.add('rpc-statd.service');
    expect((await run(helper, 'start')).reason).toBe('rpc.statd does not start: exit 1');
  });

  test('rpcbind is started by its own script where there is one', async () => {
    const machine = initMachine();
    machine.on('/etc/init.d/rpcbind', () => {
      machine.startProgram('rpcbind.service');
      return '';
    });
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.ran).toContain('/etc/init.d/rpcbind start');
    expect(machine.ran).not.toContain('rpcbind');
  });

  test('nfsserver#91: an old nfs-utils gets the scope as the name of the node, in a namespace of its own', async () => {
    const machine = initMachine({ ...shared, OCF_RESKEY_nfs_server_scope: 'bank' });
    machine.knowsScope = false;
    machine.on('unshare', (args) => {
      expect(args.slice(0, 5)).toEqual([
        '--uts',
        'sh',
        '-c',
        'echo "$0" > /proc/sys/kernel/hostname && exec "$@"',
        'bank',
      ]);
      expect(args.slice(5)).toEqual(['/etc/init.d/nfs', 'start']);
      machine.startProgram('nfs-server.service');
      machine.startProgram('nfs-mountd.service');
      return '';
    });
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.get('/proc/sys/kernel/hostname')).toBe('node1\n');
    expect(machine.files.get('/run/tsha-nfs/nfs.conf')).not.toContain('scope');
  });
});
