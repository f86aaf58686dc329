import { describe, expect, test } from 'vitest';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { run, shared, started, stateMount } from '../../../fake/nfsserver-machine.ts';

// A node that is rebooted in good order, and a stop that others make slow.

const folder = '/run/systemd/system';
const dropIn = `${folder}/resource-agents-deps.target.d/99-tsha-nfsserver.conf`;

describe('N8: an orderly reboot of the active node', () => {
  const ordered = (machine: NfsMachine) =>
    (/^After=(.*)$/m.exec(machine.files.get(dropIn) ?? '')?.[1] ?? '').split(' ');

  test('the probe of a passive node has everything ordered behind Pacemaker, once', async () => {
    const machine = new NfsMachine(shared);
    expect((await run(machine, 'monitor')).code).toBe(7);
    for (const unit of ['nfs-server', 'rpc-statd', 'nfsdcld', 'nfs-mountd', 'nfs-idmapd', 'rpcbind'])
      expect(ordered(machine)).toContain(`${unit}.service`);
    const reloads = () => machine.ran.filter((line) => line === 'systemctl daemon-reload').length;
    expect(reloads()).toBe(1);
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(reloads()).toBe(1);
  });

  test('a start does it where no probe has', async () => {
    const machine = await started();
    expect(ordered(machine)).toContain('nfs-server.service');
    expect(machine.ran).toContain('systemctl start --no-block resource-agents-deps.target');
  });

  test('the target is made where the package that has it is not installed, and only there', async () => {
    const without = await started();
    expect(without.files.has(`${folder}/resource-agents-deps.target`)).toBe(true);
    const having = new NfsMachine(shared);
    having.files.set('/lib/systemd/system/resource-agents-deps.target', '[Unit]\n');
    expect((await run(having, 'start')).code).toBe(0);
    expect(having.files.has(`${folder}/resource-agents-deps.target`)).toBe(false);
  });

  test('where systemd does not read it, the server runs all the same, a warning says so, and the next action tries again', async () => {
    const machine = new NfsMachine(shared);
    const inner = machine.handler('systemctl');
    machine.on('systemctl', (args, command) =>
      args[0] === 'daemon-reload' ? { code: 1, stderr: 'no' } : inner(args, command),
    );
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.warnings).toEqual([expect.stringContaining('may cost NFSv3 clients their locks')]);
    expect(machine.files.has(dropIn)).toBe(false);
  });

  test('the stop waits for no job of the shutdown, and keeps the records', async () => {
    const machine = await started({ ...shared, OCF_RESKEY_CRM_meta_timeout: '20000' });
    machine.disk.set('/nfsdata/sm/10.0.0.51', 'x');
    machine.shutsDown = true;
    const began = machine.clock;
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.clock - began).toBeLessThan(1000);
    expect(machine.disk.has('/nfsdata/sm.bak/10.0.0.51')).toBe(true);
    expect(machine.threads).toBe(0);
    expect(stateMount(machine)).toEqual([]);
  });
});

describe('N10: rpc.statd cannot be reached as the threads end', () => {
  test.each([20_000, 60_000, 300_000])('a stop of %i ms waits a few seconds for it', async (timeout) => {
    const machine = await started({ ...shared, OCF_RESKEY_CRM_meta_timeout: String(timeout) });
    machine.statdIsDeaf = true;
    const began = machine.clock;
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.clock - began).toBeLessThanOrEqual(4000);
    expect(stateMount(machine)).toEqual([]);
  });

  test('threads that do not end are told of in time all the same', async () => {
    const machine = await started({ ...shared, OCF_RESKEY_CRM_meta_timeout: '20000' });
    machine.stuckThreads = 8;
    expect(await run(machine, 'stop')).toMatchObject({
      code: 1,
      reason: expect.stringContaining('is the storage below the exports dead?'),
    });
    expect(machine.clock).toBeLessThan(20_000);
  });
});

describe('N6: the shared directory is renamed or removed below a running server', () => {
  const renamed = (machine: NfsMachine, root: string) => {
    for (const mount of stateMount(machine)) mount.root = root;
    machine.bindBySomeone('/', '8:9', '/elsewhere'); // publishes the table
    return machine;
  };
  const at = (dir: string) => ({ ...shared, OCF_RESKEY_nfs_shared_infodir: dir });

  test.each(['/renamed', '/info//deleted'])('the kernel calls it %s', async (root) => {
    const machine = renamed(await started(at('/nfsdata/info')), root);
    expect(await run(machine, 'monitor')).toMatchObject({
      code: 1,
      reason: expect.stringContaining(
        `${root} of /dev/drbd1 is on /var/lib/nfs, not /nfsdata/info: was it renamed`,
      ),
    });
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toEqual([]);
    expect((await run(machine, 'monitor')).code).toBe(7);
  });

  test('nothing is remembered: it is known by its filesystem', async () => {
    const machine = renamed(await started(at('/nfsdata/info')), '/renamed');
    for (const file of [...machine.files.keys()]) if (file.endsWith('.json')) machine.files.delete(file);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toEqual([]);
  });

  test('its filesystem is gone as well: it is known by its mount', async () => {
    const machine = renamed(await started(at('/nfsdata/info')), '/renamed');
    machine.mounted.splice(
      machine.mounted.findIndex(({ target }) => target === '/nfsdata'),
      1,
    );
    machine.bindBySomeone('/', '8:9', '/elsewhere');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toEqual([]);
  });

  test('left behind without a server it is no clean node', async () => {
    const machine = renamed(new NfsMachine(at('/nfsdata/info')).bindBySomeone('/info'), '/renamed');
    expect(await run(machine, 'monitor')).toMatchObject({
      code: 1,
      reason: 'no nfsd threads, but /renamed of /dev/x is still mounted on /var/lib/nfs',
    });
  });

  test('another directory of the root filesystem is not taken for it', async () => {
    const machine = new NfsMachine(at('/srv/info')).bindBySomeone('/srv/theirs', '8:1');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toHaveLength(1);
  });
});
