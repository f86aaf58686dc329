import { describe, expect, test } from 'vitest';
import { hangs } from '../../../fake/machine.ts';
import { clientsOn, record } from '../../../fake/nfs-clients.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { run } from '../../../fake/nfsserver-machine.ts';

/** A standby node that takes over from one whose clients had locks. */
function successor(env: NodeJS.ProcessEnv, ...clients: readonly string[]) {
  const machine = new NfsMachine({ OCF_RESKEY_nfs_shared_infodir: '/nfsdata', ...env });
  for (const client of clients) machine.disk.set(`/nfsdata/sm/${client}`, record(client));
  for (const address of ['0.0.0.0', '10.0.0.20', '10.0.1.20']) machine.local.add(address);
  return Object.assign(machine, clientsOn(machine));
}

describe('the notification at the end of start', () => {
  test('nfsserver#76: comes from every address of nfs_ip, after the server is up', async () => {
    const machine = successor({ OCF_RESKEY_nfs_ip: '10.0.0.20,10.0.1.20' }, '10.0.0.51');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told.map(({ from }) => from).sort()).toEqual(['10.0.0.20', '10.0.1.20']);
    expect(machine.disk.has('/nfsdata/sm.bak/10.0.0.51')).toBe(false);
    const at = (line: string) => machine.journal.findIndex((entry) => entry.startsWith(line));
    expect(at('udp ')).toBeGreaterThan(at('run systemctl start'));
  });

  test('N4: a name without address keeps no other from being told; validate-all refuses it', async () => {
    const env = { OCF_RESKEY_nfs_ip: 'nowhere,10.0.0.20', OCF_CHECK_LEVEL: '10' };
    const machine = successor(env, '10.0.0.51');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told).toMatchObject([{ from: '10.0.0.20' }]);
    expect(await run(machine, 'validate-all')).toMatchObject({
      code: 6,
      reason: 'nfs_ip: nowhere has no address: missing in /etc/hosts?',
    });
  });

  test('a resolver that does not answer keeps nobody waiting: told in the background once it does', async () => {
    const machine = successor({ OCF_RESKEY_nfs_ip: 'nfs.example.com', OCF_CHECK_LEVEL: '10' }, '10.0.0.51');
    machine.on('getent', (_args, command) =>
      machine.clock > 60_000 ? '10.0.0.20  STREAM nfs.example.com\n' : hangs(command, machine),
    );
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.clock).toBeLessThan(5000);
    expect(machine.told).toEqual([]);
    expect(machine.journal).toContain('launch env OCF_RESKEY_CRM_meta_timeout=900000 /agent reload');
    expect(await run(machine, 'validate-all')).toMatchObject({
      code: 1,
      reason: expect.stringContaining('nfs_ip: "getent ahosts nfs.example.com" did not end'),
    });
    machine.env['OCF_RESKEY_CRM_meta_timeout'] = '900000';
    expect((await run(machine, 'reload')).code).toBe(0);
    expect(machine.told).toContainEqual(expect.objectContaining({ from: '10.0.0.20' }));
    expect(machine.disk.has('/nfsdata/sm.bak/10.0.0.51')).toBe(false);
  });

  test('without nfs_ip the kernel chooses the address, and the node its name', async () => {
    const machine = successor({}, '10.0.0.51');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told).toMatchObject([{ from: '0.0.0.0', name: 'node1' }]);
  });

  test.each<[string, NodeJS.ProcessEnv]>([
    ['nfsserver#79: nfs_no_notify', { OCF_RESKEY_nfs_no_notify: 'yes' }],
    ['nfsserver#80: NFSv4 only', { OCF_RESKEY_nfsv4_only: 'yes' }],
    ['nfsserver#81: an address that is not here yet', { OCF_RESKEY_nfs_ip: '10.0.0.99' }],
    ['N4: a name without address', { OCF_RESKEY_nfs_ip: 'nowhere' }],
  ])('%s: it is not sent, and the clients go on waiting', async (_why, env) => {
    const machine = successor(env, '10.0.0.51');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told).toEqual([]);
    const places = ['sm', 'sm.bak'].map((list) => `/nfsdata/${list}/10.0.0.51`);
    expect(places.some((place) => machine.disk.has(place))).toBe(true);
    expect(machine.journal.filter((line) => line.startsWith('launch'))).toEqual([]);
  });

  test('nfsserver#77: goes on in the background for a silent client, for as long as wanted, until the stop', async () => {
    const machine = successor({ OCF_RESKEY_nfs_smnotify_retry_time: '3' }, '10.0.0.51');
    machine.deaf.add('10.0.0.51');
    machine.spawn('node', 9999);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.journal).toContain('launch env OCF_RESKEY_CRM_meta_timeout=180000 /agent reload');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.journal).toContain('signal SIGTERM 9999');
  });

  test('nfsserver#77: in the foreground start waits for the silent client, but not past its own time', async () => {
    const env = { OCF_RESKEY_nfs_notify_foreground: 'yes', OCF_RESKEY_CRM_meta_timeout: '40000' };
    const machine = successor({ ...env, OCF_RESKEY_statd_outgoing_port: '2020' }, '10.0.0.51');
    machine.deaf.add('10.0.0.51');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.clock).toBeGreaterThan(20_000);
    expect(machine.clock).toBeLessThan(40_000);
    expect(machine.journal).toContain('udp 0.0.0.0 2020');
  });

  test('the state number that clients hear is the one on disk and in the kernel', async () => {
    const machine = successor({}, '10.0.0.51');
    machine.disk.set('/nfsdata/state', new Uint8Array(new Int32Array([41]).buffer));
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told).toMatchObject([{ state: 43 }]);
    expect(machine.files.get('/proc/sys/fs/nfs/nsm_local_state')).toBe('43');
  });
});
