import { describe, expect, test } from 'vitest';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { recurring, run, shared, started, stateMount } from '../../../fake/nfsserver-machine.ts';

describe('the seed tutorial: the state directory is the exported directory', () => {
  test('nfsserver#1,3,7,45: start shares the state, starts the daemons, and a monitor costs no command', async () => {
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

  test('nfsserver#68: no pipefs is mounted below the state directory where nfs.conf has it elsewhere', async () => {
    const machine = await started();
    expect(machine.mounted.filter(({ type }) => type === 'rpc_pipefs')).toHaveLength(1);
  });

  test('nfsserver#67: a pipefs directory of the administrator gets its mount', async () => {
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

  test('nfsserver#5,51: a second start does nothing', async () => {
    const machine = await started();
    const before = machine.ran.length;
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.ran.slice(before)).toEqual([]);
  });

  test('nfsserver#4,6,8: stop takes everything down but rpcbind, and a second stop is fine', async () => {
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

  test('nfsserver#48: both nodes tell clients the same scope, and clients a growing state number', async () => {
    const node1 = await started();
    const state = (machine: NfsMachine) =>
      new Int32Array((machine.disk.get('/nfsdata/state') as Uint8Array).slice().buffer)[0] ?? 0;
    const node2 = new NfsMachine(shared);
    for (const [path, text] of node1.disk) node2.disk.set(path, text);
    const [first, scope] = [state(node1), node1.files.get('/run/tsha-nfs/nfs.conf')];
    expect((await run(node2, 'start')).code).toBe(0);
    expect(scope).toMatch(/scope=tsha-[0-9a-f]{16}/);
    expect(node2.files.get('/run/tsha-nfs/nfs.conf')).toBe(scope);
    expect(state(node2)).toBeGreaterThan(first);
    expect(state(node2) % 2).toBe(1);
    await run(node2, 'stop');
    expect(node2.files.has('/run/tsha-nfs/nfs.conf')).toBe(false);
  });

  test('nfsserver#47,55: records of the dead server wait in sm.bak before statd starts, owned as on this machine', async () => {
    const machine = new NfsMachine(shared);
    machine.disk.set('/nfsdata/sm/clientA', 'record');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.disk.has('/nfsdata/sm.bak/clientA')).toBe(true);
    expect(machine.owners.get('/nfsdata/sm')).toBe('105:65534');
    const order = machine.ran.map((line) => line.split(' ').slice(0, 2).join(' '));
    expect(order.indexOf('find /var/lib/nfs/sm')).toBeLessThan(order.indexOf('systemctl start'));
  });

  test('nfsserver#54: clients that hold locks at stop wait for their notification, although lockd makes statd forget them', async () => {
    const machine = await started();
    machine.disk.set('/nfsdata/sm/clientA', 'record');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.disk.has('/nfsdata/sm/clientA')).toBe(false);
    expect(machine.disk.get('/nfsdata/sm.bak/clientA')).toBe('record');
  });

  test('nfsserver#79: sm-notify of the units cannot send before the address is there', async () => {
    const machine = await started();
    const at = (line: string) => machine.journal.findIndex((entry) => entry.startsWith(line));
    expect(at('write /run/sm-notify.pid')).toBeGreaterThan(0);
    expect(at('write /run/sm-notify.pid')).toBeLessThan(at('run systemctl start'));
  });
});

describe('helpers that run before the state directory is in place', () => {
  test('nfsserver#83,84: are restarted on it', async () => {
    const machine = new NfsMachine(shared).startUnit('nfsdcld.service').startUnit('rpc-statd.service');
    const old = machine.files.get('/run/rpc.statd.pid');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.get('/run/rpc.statd.pid')).not.toBe(old);
    const lines = machine.ran.map((line) => line.split(' ').slice(0, 2).join(' '));
    expect(lines.indexOf('systemctl stop')).toBeLessThan(lines.indexOf('mount -c'));
  });

  test('nfsserver#100: a server started at boot on local state is a failure, is stopped, and starts well', async () => {
    const machine = new NfsMachine(shared).startUnit('rpcbind.service').startUnit('nfs-server.service');
    const probe = await run(machine, 'monitor');
    expect(probe).toMatchObject({ code: 1, reason: expect.stringContaining('its state is local') });
    expect((await run(machine, 'stop')).code).toBe(0);
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect((await run(machine, 'start')).code).toBe(0);
  });
});
