import { describe, expect, test } from 'vitest';
import { hangs } from '../../../fake/machine.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { recurring, run, shared, started, stateMount } from '../../../fake/nfsserver-machine.ts';

// What others have on the same node: mounts of rpc_pipefs, processes on the state directory, a second resource.

describe('pipefs', () => {
  test("nfsserver#69: the distribution's mount is hidden while the server runs, and there again after it", async () => {
    const machine = new NfsMachine(shared);
    machine.files.set('/etc/nfs.conf', '');
    const theirs = { id: 7, parent: 1, device: '0:50', root: '/', target: '/var/lib/nfs/rpc_pipefs' };
    machine.mounted.push({ ...theirs, type: 'rpc_pipefs', source: 'sunrpc' });
    machine.bindBySomeone('/', '8:9', '/elsewhere'); // publishes the table
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.mounted.filter(({ target }) => target === theirs.target)).toHaveLength(2);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.mounted.filter(({ target }) => target === theirs.target)).toMatchObject([{ id: 7 }]);
  });

  test('nfsserver#66: rpc.gssd is left alone unless it keeps the state directory busy', async () => {
    const machine = await started();
    machine.spawn('rpc.gssd', 900, { cwd: '/' });
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.journal).not.toContain('signal SIGTERM 900');
    expect(machine.clock).toBe(0);
  });

  test('one that was mounted elsewhere goes with the server', async () => {
    const machine = await started({ ...shared, OCF_RESKEY_rpcpipefs_dir: '/x' });
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.mounted.map(({ target }) => target)).toEqual(['/', '/nfsdata', '/run/rpc_pipefs']);
  });
});

describe('holders of the state directory at stop', () => {
  const inUnit = (machine: NfsMachine, name: string, pid: number, unit: string) => {
    machine.spawn(name, pid, { cwd: '/var/lib/nfs' }).busy.set(pid, '/var/lib/nfs');
    machine.files.set(`/proc/${pid}/cgroup`, `0::/system.slice/${unit}\n`);
  };

  test('one that systemd watches is stopped by it, and started again when others need it', async () => {
    const machine = await started();
    inUnit(machine, 'rpc.gssd', 900, 'rpc-gssd.service');
    machine.onTick = () =>
      machine.ran.at(-1) === 'systemctl stop --job-mode=ignore-dependencies rpc-gssd.service' &&
      machine.endProcess(900);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.ran).toContain('systemctl stop --job-mode=ignore-dependencies rpc-gssd.service');
    expect(machine.ran.at(-1)).toBe('systemctl start rpc-gssd.service');
    expect(machine.journal.filter((line) => line.startsWith('signal'))).toEqual([]);
  });

  test("a unit that is not of nfs-utils is not stopped for it: Pacemaker's own least of all", async () => {
    const machine = await started();
    inUnit(machine, 'sm-notify', 901, 'pacemaker.service');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.ran.join('\n')).not.toContain('pacemaker');
    expect(machine.journal).toContain('signal SIGTERM 901');
  });

  test('rpc.statd that served the mounts of this node before runs again afterwards, on the local state', async () => {
    const machine = new NfsMachine(shared).startUnit('rpc-statd.service');
    expect((await run(machine, 'start')).code).toBe(0);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.isUp('rpc-statd.service')).toBe(true);
    expect(machine.ran.indexOf('umount -- /var/lib/nfs')).toBeLessThan(
      machine.ran.indexOf('systemctl start rpc-statd.service'),
    );
  });
});

test('a stop without a start leaves the rpc.statd of this node’s mounts alone', async () => {
  const machine = new NfsMachine(shared).startUnit('rpc-statd.service');
  expect((await run(machine, 'stop')).code).toBe(0);
  expect(machine.isUp('rpc-statd.service')).toBe(true);
  expect(machine.ran).toEqual([]);
});

test('it runs again after the stop of a start that was refused', async () => {
  const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfs_notify_cmd: 'sm-notify' }).startUnit(
    'rpc-statd.service',
  );
  expect((await run(machine, 'start')).code).toBe(5);
  expect((await run(machine, 'stop')).code).toBe(0);
  expect(machine.isUp('rpc-statd.service')).toBe(true);
});

describe('an NFSv3 mount of this node, which keeps lockd running', () => {
  const record = '1 2 3 4 cookie 10.0.0.9 10.0.0.20';
  /** Such a mount; lockd begins no grace period beside it. */
  function mounted(env: NodeJS.ProcessEnv, options: string): NfsMachine {
    const machine = new NfsMachine(env);
    const read = machine.read.bind(machine);
    machine.read = async (path) => {
      const text = await read(path);
      if (path === '/proc/fs/lockd/nlm_end_grace' && /vers=3$/.test(options)) return 'Y\n';
      return path === '/proc/self/mountinfo'
        ? `${text}99 1 0:77 / /home rw - nfs filer:/home rw,${options}\n`
        : text;
    };
    return machine;
  }

  test.each([
    ['vers=3', 1],
    ['vers=3,nolock,local_lock=all', 0],
    ['vers=4.2', 0],
  ])('%s: validate-all at level 10', async (options, count) => {
    const machine = mounted({ ...shared, OCF_CHECK_LEVEL: '10' }, options);
    expect((await run(machine, 'validate-all')).code).toBe(0);
    expect(machine.warnings.filter((line) => line.includes('lockd runs for /home'))).toHaveLength(count);
  });

  test.each([
    ['vers=3', 'sm.bak/clientA', 1],
    ['vers=4.2', 'sm.bak/clientA', 0],
    ['vers=3', undefined, 0],
  ])('%s with %s on record: a start', async (options, file, count) => {
    const machine = mounted(shared, options);
    if (file) machine.disk.set(`/nfsdata/${file}`, record);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.warnings.filter((line) => line.includes('no grace period'))).toHaveLength(count);
  });
});

describe('a second resource on the node', () => {
  const other = (machine: NfsMachine, env: NodeJS.ProcessEnv) => {
    for (const name of Object.keys(machine.env)) delete machine.env[name];
    Object.assign(machine.env, { OCF_RESOURCE_INSTANCE: 'second', ...env });
  };
  const elsewhere = { ...shared, OCF_RESKEY_nfs_shared_infodir: '/srv/other' };
  const nowhere = { OCF_RESKEY_nfs_no_notify: '1' };

  test.each([
    ['with its own directory', shared, elsewhere],
    ['with the same directory', shared, shared],
    ['without a directory', nowhere, nowhere],
  ])('nfsserver#99: %s is refused, and its stop leaves the first alone', async (_what, first, second) => {
    const machine = await started(first);
    other(machine, second);
    const result = await run(machine, 'start');
    expect(result).toMatchObject({ code: 1, reason: expect.stringContaining('already managed by nfs:') });
    expect((await run(machine, 'stop')).code).toBe(0);
    other(machine, { OCF_RESOURCE_INSTANCE: 'nfs', ...first, ...recurring });
    expect((await run(machine, 'monitor')).code).toBe(0);
  });

  test('a probe says of a server with the state of another resource that it is not this one', async () => {
    const machine = await started();
    other(machine, elsewhere);
    expect((await run(machine, 'monitor')).code).toBe(7);
  });

  test.each([
    ['with the same directory', shared, shared],
    ['without a directory beside one with it', shared, nowhere],
    ['without a directory', nowhere, nowhere],
  ])(
    'nfsserver#99: a probe of one %s is 7 while the cluster has both, and a stop leaves the first alone',
    async (_what, first, second) => {
      const machine = await started(first);
      machine.resources = ['nfs', 'second'];
      other(machine, second);
      expect((await run(machine, 'monitor')).code).toBe(7);
      expect((await run(machine, 'stop')).code).toBe(0);
      expect(machine.threads).toBe(8);
      other(machine, { OCF_RESOURCE_INSTANCE: 'nfs', ...first, ...recurring });
      const before = machine.ran.length;
      expect((await run(machine, 'monitor')).code).toBe(0);
      expect(machine.ran.slice(before)).toEqual([]);
    },
  );

  test.each([
    ['long', 'n'.repeat(250)],
    ['long in another script', '文件服务'.repeat(10)],
    ['a clone’s instance', 'nfs:0'],
  ])(
    "nfsserver#99: the first one's name is %s: it is known in the cluster's configuration",
    async (_what, name) => {
      const machine = await started({ ...shared, OCF_RESOURCE_INSTANCE: name });
      machine.resources = [name.replace(':0', ''), 'second'];
      other(machine, shared);
      expect((await run(machine, 'monitor')).code).toBe(7);
      expect((await run(machine, 'stop')).code).toBe(0);
      expect(machine.threads).toBe(8);
      machine.resources = [`${name}2`, 'second']; // and one that is no more is not taken for it
      expect((await run(machine, 'monitor')).code).toBe(0);
    },
  );

  test.each([
    ['the cluster knows it no more', ['second'], shared, 0],
    ['it was an instance of a clone', ['second', 'nf'], { ...shared, OCF_RESKEY_nfs_ip: '10.0.0.20' }, 0],
    ['the cluster does not tell, the parameters are the same', undefined, shared, 0],
    ['the cluster does not tell, others', undefined, { ...shared, OCF_RESKEY_nfs_ip: '10.0.0.20' }, 7],
  ])('whose is the server of another name: %s', async (_what, resources, env, code) => {
    const machine = await started();
    machine.resources = resources;
    other(machine, env);
    expect((await run(machine, 'monitor')).code).toBe(code);
    Object.assign(machine.env, recurring);
    const asked = () => machine.ran.filter((line) => line.startsWith('cibadmin')).length;
    expect((await run(machine, 'monitor')).code).toBe(code);
    const before = asked();
    expect((await run(machine, 'monitor')).code).toBe(code);
    if (resources) expect(asked()).toBe(before); // it is this one's from then on
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.threads).toBe(code === 0 ? 0 : 8);
  });

  test("a person's call with the same parameters looks at the cluster's server", async () => {
    const machine = await started();
    machine.resources = ['nfs'];
    other(machine, { ...shared, OCF_RESOURCE_INSTANCE: 'by-hand' });
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(machine.ran.join()).not.toContain('cibadmin');
  });

  test('a resource that got another name while it ran takes the server over, and can stop it', async () => {
    const machine = await started();
    other(machine, shared);
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toEqual([]);
  });

  test.each([
    ['the state directory itself', '/var/lib/nfs'],
    ['the state directory with a slash', '/var/lib/nfs/'],
  ])('N7: a renamed resource whose nfs_shared_infodir is %s knows its own server', async (_what, dir) => {
    const itself = { OCF_RESKEY_nfs_shared_infodir: dir, OCF_RESKEY_nfs_no_notify: 'true' };
    const machine = new NfsMachine(itself).bindBySomeone('/'); // a failover filesystem, mounted right there
    expect((await run(machine, 'start')).code).toBe(0);
    other(machine, itself);
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.threads).toBe(0);
    expect(stateMount(machine)).toHaveLength(1); // the Filesystem resource's to unmount
  });

  test.each([
    ['the failover filesystem', '/nfsdata'],
    ['a directory of it', '/nfsdata/info'],
  ])(
    'N7: the state directory is a link to nfs_shared_infodir, %s: nothing is mounted or unmounted',
    async (_what, dir) => {
      const itself = { OCF_RESKEY_nfs_shared_infodir: dir, OCF_RESKEY_nfs_no_notify: 'true' };
      const machine = new NfsMachine(itself);
      machine.disk.set(`${dir}/`, '');
      machine.links.set('/var/lib/nfs', dir);
      machine.on('realpath', (args) => `${args.at(-1)}\0`);
      const table = () => machine.mounted.map(({ target }) => target);
      const before = table();
      expect((await run(machine, 'monitor')).code).toBe(7);
      expect((await run(machine, 'start')).code).toBe(0);
      expect(table()).toEqual(before);
      for (const instance of ['nfs', 'renamed']) {
        other(machine, { ...itself, OCF_RESOURCE_INSTANCE: instance, ...recurring });
        expect(await run(machine, 'monitor')).toMatchObject({ code: 0 });
      }
      expect((await run(machine, 'stop')).code).toBe(0);
      expect(machine.threads).toBe(0);
      expect(table()).toEqual(before);
      expect((await run(machine, 'monitor')).code).toBe(7);
    },
  );

  test('what was noted about a server before this one counts for nothing', async () => {
    const machine = await started();
    machine.stopUnit('nfs-server.service');
    machine.startUnit('nfs-server.service');
    other(machine, shared);
    expect((await run(machine, 'start')).code).toBe(0);
  });
});

describe('a container with an NFS server of its own', () => {
  test('its threads are not this node’s: start, monitor and stop go by themselves', async () => {
    const machine = new NfsMachine({ ...shared, ...recurring }).serveInContainer();
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.threads).toBe(8);
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toEqual([]);
    expect((await run(machine, 'monitor')).code).toBe(7);
  });

  test('what somebody else has ended does not run because the container’s does', async () => {
    const machine = await started({ ...shared, ...recurring });
    machine.serveInContainer();
    const before = machine.ran.length;
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(machine.ran.slice(before)).toEqual([]); // the thread that is known runs
    machine.stopUnit('nfs-server.service');
    for (const unit of ['nfs-mountd', 'nfs-idmapd']) machine.startUnit(`${unit}.service`);
    expect(await run(machine, 'monitor')).toMatchObject({
      code: 1,
      reason: expect.stringContaining('no nfsd threads'),
    });
  });

  test('a start that brings up none is no success because of them', async () => {
    const machine = new NfsMachine(shared).serveInContainer();
    machine.startUnit = () => machine;
    expect(await run(machine, 'start')).toMatchObject({
      code: 1,
      reason: expect.stringContaining('no nfsd threads'),
    });
  });

  test('nfsd that does not answer under its mutex: all threads count', async () => {
    const machine = new NfsMachine({ ...shared, ...recurring }).serveInContainer();
    machine.on('cat', (_args, command) => hangs(command, machine));
    expect((await run(machine, 'monitor')).code).toBe(1);
  });
});
