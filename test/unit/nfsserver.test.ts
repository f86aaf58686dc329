import { describe, expect, test } from 'vitest';
import { nfsserver } from '../../agents/nfsserver/agent.ts';
import { dropInText } from '../../agents/nfsserver/scope.ts';
import type { Log } from '../../lib/ocf/log.ts';
import { type Result, runAction } from '../../lib/ocf/run.ts';
import { NfsMachine } from './nfs-machine.ts';

const log: Log = { crit() {}, error() {}, warn() {}, info() {}, debug() {} };
const shared = { OCF_RESKEY_nfs_shared_infodir: '/nfsdata', OCF_RESKEY_nfs_no_notify: 'true' };
const run = (machine: NfsMachine, action: string): Promise<Result> =>
  runAction(nfsserver, action, machine, log);
const recurring = { OCF_RESKEY_CRM_meta_interval: '10000' };

async function started(env: NodeJS.ProcessEnv = shared): Promise<NfsMachine> {
  const machine = new NfsMachine(env);
  expect(await run(machine, 'start')).toEqual({ code: 0, outcome: 'ok' });
  return machine;
}

const stateMount = (machine: NfsMachine) => machine.mounted.filter(({ target }) => target === '/var/lib/nfs');

describe('the seed tutorial: the state directory is the exported directory', () => {
  test('start shares the state, starts the daemons, and a monitor costs no command', async () => {
    const machine = await started();
    expect(stateMount(machine)).toMatchObject([{ device: '147:1', root: '/' }]);
    for (const unit of ['rpcbind', 'rpc-statd', 'nfs-mountd', 'nfs-idmapd', 'nfsdcld', 'nfs-server'])
      expect(machine.isUp(`${unit}.service`), unit).toBe(true);
    const files = ['etab', 'rmtab', 'xtab', 'state', 'sm/', 'sm.bak/', 'v4recovery/', 'server-scope'];
    for (const file of files) expect(machine.disk.has(`/nfsdata/${file}`), file).toBe(true);
    const before = machine.ran.length;
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(machine.ran.slice(before)).toEqual([]);
  });

  test('no pipefs is mounted below the state directory where nfs.conf has it elsewhere', async () => {
    const machine = await started();
    expect(machine.mounted.filter(({ type }) => type === 'rpc_pipefs')).toHaveLength(1);
  });

  test('a pipefs directory of the administrator gets its mount', async () => {
    const machine = await started({ ...shared, OCF_RESKEY_rpcpipefs_dir: '/x/' });
    expect(machine.ran).toContain('mount -t rpc_pipefs sunrpc /x');
  });

  test('where nfs.conf has NFSv3 switched off, neither rpcbind nor rpc.statd is started or missed', async () => {
    const machine = new NfsMachine({ ...shared, ...recurring });
    machine.files.set('/etc/nfs.conf', '[general]\npipefs-directory=/run/rpc_pipefs\n[nfsd]\nvers3=n\n');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.isUp('rpcbind.service')).toBe(false);
    machine.stopUnit('rpc-statd.service');
    expect((await run(machine, 'monitor')).code).toBe(0);
  });

  test('a second start does nothing', async () => {
    const machine = await started();
    const before = machine.ran.length;
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.ran.slice(before)).toEqual([]);
  });

  test('stop takes everything down but rpcbind, and a second stop is fine', async () => {
    const machine = await started();
    for (let time = 0; time < 2; time++) {
      expect(await run(machine, 'stop')).toEqual({ code: 0, outcome: 'ok' });
      expect(stateMount(machine)).toEqual([]);
      expect(machine.threads).toBe(0);
      expect(machine.isUp('rpcbind.service')).toBe(true);
      for (const unit of ['rpc-statd', 'nfs-mountd', 'nfs-idmapd', 'nfsdcld'])
        expect(machine.isUp(`${unit}.service`), unit).toBe(false);
    }
    expect((await run(machine, 'monitor')).code).toBe(7);
  });

  test('both nodes tell clients the same scope, and clients a growing state number', async () => {
    const node1 = await started();
    const state = (machine: NfsMachine) =>
      new Int32Array((machine.disk.get('/nfsdata/state') as Uint8Array).slice().buffer)[0] ?? 0;
    const node2 = new NfsMachine(shared);
    for (const [path, text] of node1.disk) node2.disk.set(path, text);
    const [first, scope] = [state(node1), node1.files.get('/etc/nfs.conf.d/zz-tsha-nfsserver.conf')];
    expect((await run(node2, 'start')).code).toBe(0);
    expect(scope).toMatch(/scope=tsha-[0-9a-f]{16}/);
    expect(node2.files.get('/etc/nfs.conf.d/zz-tsha-nfsserver.conf')).toBe(scope);
    expect(state(node2)).toBeGreaterThan(first);
    expect(state(node2) % 2).toBe(1);
    await run(node2, 'stop');
    expect(node2.files.has('/etc/nfs.conf.d/zz-tsha-nfsserver.conf')).toBe(false);
  });

  test('records of the dead server wait in sm.bak before statd starts, owned as on this machine', async () => {
    const machine = new NfsMachine(shared);
    machine.disk.set('/nfsdata/sm/clientA', 'record');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.disk.has('/nfsdata/sm.bak/clientA')).toBe(true);
    expect(machine.owners.get('/nfsdata/sm')).toBe('105:65534');
    const order = machine.ran.map((line) => line.split(' ').slice(0, 2).join(' '));
    expect(order.indexOf('find /var/lib/nfs/sm')).toBeLessThan(order.indexOf('systemctl start'));
  });

  test('clients that hold locks at stop wait for their notification, although lockd makes statd forget them', async () => {
    const machine = await started();
    machine.disk.set('/nfsdata/sm/clientA', 'record');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.disk.has('/nfsdata/sm/clientA')).toBe(false);
    expect(machine.disk.get('/nfsdata/sm.bak/clientA')).toBe('record');
  });

  test('sm-notify of the units cannot send before the address is there', async () => {
    const machine = await started();
    const at = (line: string) => machine.journal.findIndex((entry) => entry.startsWith(line));
    expect(at('write /run/sm-notify.pid')).toBeGreaterThan(0);
    expect(at('write /run/sm-notify.pid')).toBeLessThan(at('run systemctl start'));
  });
});

describe('helpers that run before the state directory is in place', () => {
  test('are restarted on it', async () => {
    const machine = new NfsMachine(shared).startUnit('nfsdcld.service').startUnit('rpc-statd.service');
    const old = machine.files.get('/run/rpc.statd.pid');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.get('/run/rpc.statd.pid')).not.toBe(old);
    const lines = machine.ran.map((line) => line.split(' ').slice(0, 2).join(' '));
    expect(lines.indexOf('systemctl stop')).toBeLessThan(lines.indexOf('mount --bind'));
  });

  test('a server started at boot on local state is a failure, is stopped, and starts well', async () => {
    const machine = new NfsMachine(shared).startUnit('rpcbind.service').startUnit('nfs-server.service');
    const probe = await run(machine, 'monitor');
    expect(probe).toMatchObject({ code: 1, reason: expect.stringContaining('its state is local') });
    expect((await run(machine, 'stop')).code).toBe(0);
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect((await run(machine, 'start')).code).toBe(0);
  });
});

describe('monitor', () => {
  type Change = (machine: NfsMachine) => void;
  const without =
    (unit: string): Change =>
    (machine) =>
      machine.stopUnit(unit);
  test.each<[string, NodeJS.ProcessEnv, Change, number]>([
    ['all well', shared, () => {}, 0],
    ['rpcbind down', shared, without('rpcbind.service'), 1],
    ['rpc.mountd down', shared, without('nfs-mountd.service'), 1],
    ['rpc.idmapd down', shared, without('nfs-idmapd.service'), 1],
    ['rpc.statd down', shared, without('rpc-statd.service'), 1],
    ['nfsdcld down', shared, without('nfsdcld.service'), 1],
    ['rpcbind down, NFSv4 only', { ...shared, OCF_RESKEY_nfsv4_only: '1' }, without('rpcbind.service'), 0],
    [
      'rpc.mountd down, NFSv4 only',
      { ...shared, OCF_RESKEY_nfsv4_only: '1' },
      without('nfs-mountd.service'),
      1,
    ],
    [
      'statd runs outside its unit',
      shared,
      (machine) => {
        machine.stopUnit('rpc-statd.service');
        machine.spawn('rpc.statd', 4711);
      },
      0,
    ],
    [
      'rpc.mountd only in the arguments of an editor',
      shared,
      (machine) => {
        machine.stopUnit('nfs-mountd.service');
        machine.spawn('vi', 4711).files.set('/proc/4711/cmdline', 'vi\0rpc.mountd');
      },
      1,
    ],
    ['state directory unmounted below a running server', shared, (machine) => void machine.mounted.pop(), 1],
    ['no threads, but the state directory is still there', shared, without('nfs-server.service'), 1],
    ['no threads, no state directory', { OCF_RESKEY_nfs_no_notify: '1' }, without('nfs-server.service'), 7],
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

  test('helpers that are masked or not installed are not missed', async () => {
    const machine = new NfsMachine({ ...shared, ...recurring });
    machine.masked.add('nfsdcld.service');
    machine.links.set('/etc/systemd/system/nfsdcld.service', '/dev/null');
    machine.files.delete('/lib/systemd/system/nfs-idmapd.service');
    expect((await run(machine, 'start')).code).toBe(0);
    expect((await run(machine, 'monitor')).code).toBe(0);
  });

  test('a mount beside the state directory confuses nobody', async () => {
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
  test('start refuses and changes nothing, and the stop after it succeeds', async () => {
    const machine = new NfsMachine(shared).bindBySomeone('/', '8:9');
    const result = await run(machine, 'start');
    expect(result).toMatchObject({
      code: 1,
      reason: expect.stringContaining('/dev/x is mounted on /var/lib/nfs'),
    });
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toMatchObject([{ device: '8:9' }]);
  });

  test('without nfs_shared_infodir a filesystem of the administrator stays mounted', async () => {
    const machine = new NfsMachine({ OCF_RESKEY_nfs_no_notify: '1' }).bindBySomeone('/', '8:9');
    expect((await run(machine, 'start')).code).toBe(0);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toMatchObject([{ device: '8:9' }]);
  });
});

describe('start that cannot work says why', () => {
  test.each<[string, (machine: NfsMachine) => void, number, RegExp]>([
    ['no systemd', (machine) => machine.factsOf.delete('/run/systemd/system'), 5, /systemd/],
    [
      'no server unit',
      (machine) => machine.files.delete('/lib/systemd/system/nfs-server.service'),
      5,
      /not-found/,
    ],
    [
      'no statd unit',
      (machine) => machine.files.delete('/lib/systemd/system/rpc-statd.service'),
      5,
      /rpc-statd/,
    ],
    [
      'rpcbind fails',
      (machine) => machine.failing.add('rpcbind.service'),
      1,
      /rpcbind.service failed \(exit-code/,
    ],
    [
      'rpc.idmapd fails',
      (machine) => machine.failing.add('nfs-idmapd.service'),
      1,
      /nfs-idmapd.service failed/,
    ],
    [
      'the server fails',
      (machine) => machine.failing.add('nfs-server.service'),
      1,
      /nfs-server.service failed/,
    ],
    [
      'infodir is a file',
      (machine) => machine.disk.delete('/nfsdata/') && machine.disk.set('/nfsdata', ''),
      1,
      /not a directory/,
    ],
    [
      'the mount fails',
      (machine) => machine.on('mount', () => ({ code: 32, stderr: 'mount: no' })),
      1,
      /mount: no/,
    ],
    ['the mount has no effect', (machine) => machine.on('mount', () => ''), 1, /no effect/],
    [
      'the unit starts without threads',
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

  test('with NFSv4 only a broken rpcbind does not matter', async () => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfsv4_only: 'true' });
    machine.failing.add('rpcbind.service');
    expect((await run(machine, 'start')).code).toBe(0);
  });
});

describe('stop', () => {
  test('ends NFS daemons that hold the state directory, whoever started them', async () => {
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

  test('names a stranger that holds it, leaves it alone, and succeeds when it is gone', async () => {
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

  test('is bounded when threads do not end, and says so', async () => {
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

  test('succeeds where the software is gone and nothing runs', async () => {
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

  test('unmounts a pipefs on the state directory, and only that one', async () => {
    const machine = new NfsMachine(shared);
    machine.files.set('/etc/nfs.conf', '');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.ran).toContain('mount -t rpc_pipefs sunrpc /var/lib/nfs/rpc_pipefs');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.mounted.map(({ target }) => target)).toEqual(['/', '/nfsdata', '/run/rpc_pipefs']);
  });
});

describe('parameters', () => {
  test.each<[string, NodeJS.ProcessEnv, number]>([
    ['none', {}, 0],
    ['retry time', { OCF_RESKEY_nfs_smnotify_retry_time: '5' }, 0],
    ['retry time that is none', { OCF_RESKEY_nfs_smnotify_retry_time: 'abc' }, 6],
    ['init script under systemd', { OCF_RESKEY_nfs_init_script: '/nonexistent' }, 0],
    ['scope', { OCF_RESKEY_nfs_server_scope: '2001:db8::1' }, 0],
    ['scope for a shell', { OCF_RESKEY_nfs_server_scope: 'x; rm -rf /' }, 6],
    ['scope too long', { OCF_RESKEY_nfs_server_scope: 'x'.repeat(65) }, 6],
    ['clone with a shared directory', { ...shared, OCF_RESKEY_CRM_meta_clone: '0' }, 6],
    ['clone without', { OCF_RESKEY_CRM_meta_clone: '0' }, 0],
    ['relative directory', { OCF_RESKEY_nfs_shared_infodir: 'nfsdata' }, 6],
    ['what is not supported yet', { OCF_RESKEY_mountd_port: '892' }, 6],
  ])('%s', async (_what, env, code) => {
    expect((await run(new NfsMachine(env), 'validate-all')).code).toBe(code);
  });

  test('a configuration error does not keep a stop from working', async () => {
    const machine = await started();
    machine.env['OCF_RESKEY_CRM_meta_clone'] = '0';
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toEqual([]);
  });
});

describe('server scope', () => {
  const fragment = '/etc/nfs.conf.d/zz-tsha-nfsserver.conf';
  const dropIn = '/run/systemd/system/nfs-server.service.d/51-tsha-scope.conf';

  test('the parameter goes to nfs.conf where nfs-utils knows it', async () => {
    const machine = await started({ ...shared, OCF_RESKEY_nfs_server_scope: 'nfs.example.com' });
    expect(machine.files.get(fragment)).toContain('scope=nfs.example.com');
    expect(machine.ran).not.toContain('systemctl daemon-reload');
  });

  test.each([
    ['has the unit in memory', true, 1],
    ['does not', false, 0],
  ])('before that to a drop-in; systemd %s', async (_memory, outdated, reloads) => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfs_server_scope: 'nfs' });
    machine.knowsScope = false;
    machine.outdated = outdated;
    for (let time = 0; time < 2; time++) {
      expect((await run(machine, 'start')).code).toBe(0);
      expect(machine.files.get(dropIn)).toContain('ExecStart=\nExecStart=/usr/bin/unshare --uts');
      expect((await run(machine, 'stop')).code).toBe(0);
    }
    expect(machine.ran.filter((line) => line === 'systemctl daemon-reload')).toHaveLength(reloads);
  });

  test('a drop-in goes when the scope is no longer wanted', async () => {
    const machine = new NfsMachine({ OCF_RESKEY_nfs_no_notify: '1' });
    machine.files.set(dropIn, 'old');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.has(dropIn)).toBe(false);
  });

  test('one that the administrator wrote into nfs.conf is left alone', async () => {
    const machine = new NfsMachine(shared);
    machine.files.set('/etc/nfs.conf.d/ours.conf', '[nfsd]\nscope=bank\n');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.has(fragment)).toBe(false);
  });

  test('none is made up where no state is shared', async () => {
    const machine = await started({ OCF_RESKEY_nfs_no_notify: '1' });
    expect(machine.files.has(fragment)).toBe(false);
  });

  test('only the commands in force are wrapped, special characters in front', () => {
    const unit = [
      '# /lib/systemd/system/nfs-server.service',
      'ExecStartPre=-/usr/sbin/exportfs -r',
      'ExecStart=/old',
      '# /etc/systemd/system/nfs-server.service.d/admin.conf',
      'ExecStart=',
      "ExecStart=-/bin/sh -c '/usr/sbin/nfsdctl autostart || /usr/sbin/rpc.nfsd'",
      'ExecStart=/usr/sbin/rpc.nfsd \\',
      '  --debug',
      '# /run/systemd/system/nfs-server.service.d/51-resource-agents-unshare-uts.conf',
      'ExecStart=',
      'ExecStart=/usr/bin/unshare --uts x',
    ].join('\n');
    const wrapped = `/usr/bin/unshare --uts /bin/sh -c 'echo "$$0" > /proc/sys/kernel/hostname && exec "$$@"' nfs`;
    expect(dropInText(unit, 'nfs').split('\n').slice(2, -1)).toEqual([
      'ExecStart=',
      `ExecStart=-${wrapped} /bin/sh -c '/usr/sbin/nfsdctl autostart || /usr/sbin/rpc.nfsd'`,
      `ExecStart=${wrapped} /usr/sbin/rpc.nfsd --debug`,
    ]);
  });
});
