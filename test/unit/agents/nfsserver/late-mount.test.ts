import { describe, expect, test } from 'vitest';
import { usersOf } from '../../../fake/machine.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { run, shared, started, stateMount } from '../../../fake/nfsserver-machine.ts';

// What the mount table does not show: a mount(8) of a start that was given up, which will mount the state directory when the storage
// answers; and copies of the state directory in other mount namespaces, which must go with it.

/** A machine on which that start's mount(8) is still in the kernel. */
function mounting(machine: NfsMachine, target = '/var/lib/nfs'): NfsMachine {
  machine.links.set('/proc/self/ns/mnt', 'mnt:[1]');
  return machine.process(
    950,
    {
      comm: 'mount\n',
      status: usersOf(0),
      cmdline: `mount\0-c\0--bind\0--make-private\0--\0/proc/self/fd/9\0${target}\0`,
    },
    { exe: '/usr/bin/mount', cwd: '/', root: '/', 'ns/mnt': 'mnt:[1]' },
  ) as NfsMachine;
}

describe('a mount of the state directory that is still in the kernel', () => {
  test.each(['monitor', 'stop'])('%s says so', async (action) => {
    expect(await run(mounting(new NfsMachine(shared)), action)).toMatchObject({
      code: 1,
      reason: expect.stringMatching(/^mount \(pid 950\) of a start before this is still in the kernel/),
    });
  });

  test('a stop waits for it, and unmounts what it has mounted', async () => {
    const machine = mounting(await started());
    const bound = stateMount(machine);
    const others = machine.mounted.filter((mount) => !bound.includes(mount));
    machine.mounted.splice(0, machine.mounted.length, ...others);
    machine.files.set(
      '/proc/self/mountinfo',
      (machine.files.get('/proc/self/mountinfo') ?? '').replace(/^.* \/var\/lib\/nfs .*\n/m, ''),
    );
    const before = machine.files.get('/proc/self/mountinfo') ?? '';
    const [mount] = bound;
    machine.onTick = () => {
      if (machine.clock < 500 || !machine.isLive(950) || !mount) return;
      machine.endProcess(950);
      machine.mounted.push(mount);
      const { id, parent, device, root, target, type, source } = mount;
      const line = `${id} ${parent} ${device} ${root} ${target} rw - ${type} ${source} rw\n`;
      machine.files.set('/proc/self/mountinfo', before + line);
    };
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.ran).toContain('umount -- /var/lib/nfs');
    expect(stateMount(machine)).toEqual([]);
  });

  test.each([
    ['for another place', '/srv', shared],
    ['where no state directory is asked for', '/var/lib/nfs', { OCF_RESKEY_nfs_no_notify: 'true' }],
  ])('is nothing to us %s', async (_what, target, env) => {
    const machine = mounting(new NfsMachine(env), target);
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect((await run(machine, 'stop')).code).toBe(0);
  });
});

describe('a copy of the state directory in another mount namespace', () => {
  /** A machine whose process 960 uses the copy in its own. */
  async function copied(name: string, unit = 'x.service'): Promise<NfsMachine> {
    const machine = await started();
    const read = machine.read.bind(machine);
    machine.read = async (path) =>
      path === '/proc/self/mountinfo'
        ? (await read(path)).replace(/ \/ \/ rw - /, ' / / rw shared:1 - ')
        : read(path);
    machine.links.set('/proc/self/ns/mnt', 'mnt:[1]');
    const table = (await machine.read('/proc/self/mountinfo'))
      .replace(/ shared:1 /, ' master:1 ')
      .replace(/^(\d+) (\d+) /gm, (_all, id, parent) => `${Number(id) + 1000} ${Number(parent) + 1000} `);
    const id = (stateMount(machine)[0]?.id ?? 0) + 1000;
    machine.spawn(name, 960, { cwd: '/var/lib/nfs', root: '/', 'ns/mnt': 'mnt:[2]' });
    machine.files.set('/proc/960/mountinfo', table);
    machine.files.set('/proc/960/cgroup', `0::/system.slice/${unit}\n`);
    machine.mountIds.set('/proc/960/cwd', id);
    machine.busy.set(960, '/var/lib/nfs');
    return machine;
  }

  test('a daemon of nfs-utils that has it is stopped like any', async () => {
    const machine = await copied('rpc.gssd', 'rpc-gssd.service');
    const stopped = 'systemctl stop --job-mode=ignore-dependencies rpc-gssd.service';
    machine.onTick = () => machine.ran.at(-1) === stopped && machine.endProcess(960);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.ran).toContain(stopped);
  });

  test('anybody else is named, and lives', async () => {
    const machine = await copied('bash');
    expect(await run(machine, 'stop')).toMatchObject({
      code: 1,
      reason: '/var/lib/nfs is kept busy by bash (pid 960, cwd /var/lib/nfs in another mount namespace)',
    });
    expect(machine.isLive(960)).toBe(true);
  });
});
