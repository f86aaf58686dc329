import { expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { parseThreads } from '../../../../lib/host/nfs/nfsd.ts';
import { clientIn, nextNsmState } from '../../../../lib/host/nfs/nsm-jobs.ts';
import { isInstalled, parseUnits, unitProcesses } from '../../../../lib/host/systemd.ts';
import { FakeMachine } from '../../../fake/machine.ts';

test.each<[number | undefined, number]>([
  [undefined, 1],
  [0, 1],
  [1, 3],
  [2, 3],
  [41, 43],
  [-7, 1], // random bytes of the stock agent
  [0x7fffffff, 1],
])('the number after %s', (last, next) => {
  expect(nextNsmState(last)).toBe(next);
});

test('the threads are the first number of the line th', () => {
  const text = 'rc 0 0 0\nfh 0 0 0 0 0\nio 0 0\nth 8 0 0.000 0.000\nra 32 0 0\nnet 0 0 0 0\n';
  expect(parseThreads(text)).toBe(8);
  expect(parseThreads('th 0 0\n')).toBe(0);
  expect(parseThreads('')).toBeUndefined();
});

test.each([
  ['0100007f 000186b5 00000003 00000010 0011223344556677 10.77.0.13 node1', '10.77.0.13'],
  ['0100007f 000186b5 00000003 00000010 0011223344556677 fe80::1 node1', 'fe80::1'],
  ['  0100007f  000186b5 00000003 00000010 00112233  name  node1', 'name'],
  ['0100007f 000186b5', undefined],
  ['', undefined],
])('a record of statd: %j', (line, client) => {
  expect(clientIn(line)).toBe(client);
});

test('systemctl show of several units', () => {
  const text = `Result=success
ExecMainStatus=0
Id=nfs-server.service
LoadState=loaded
ActiveState=active
FragmentPath=/lib/systemd/system/nfs-server.service
DropInPaths=/run/systemd/system/nfs-server.service.d/a.conf /etc/systemd/system/nfs-server.service.d/b.conf
NeedDaemonReload=yes

Result=exit-code
ExecMainStatus=1
Id=rpc-statd.service
LoadState=loaded
ActiveState=failed

Id=fsidd.service
LoadState=not-found
ActiveState=inactive
`;
  expect(parseUnits(text)).toEqual([
    {
      id: 'nfs-server.service',
      active: 'active',
      result: 'success',
      status: '0',
      files: [
        '/lib/systemd/system/nfs-server.service',
        '/run/systemd/system/nfs-server.service.d/a.conf',
        '/etc/systemd/system/nfs-server.service.d/b.conf',
      ],
      stale: true,
    },
    {
      id: 'rpc-statd.service',
      active: 'failed',
      result: 'exit-code',
      status: '1',
      files: [],
      stale: false,
    },
    {
      id: 'fsidd.service',
      active: 'inactive',
      result: '',
      status: '',
      files: [],
      stale: false,
    },
  ]);
});

test('unit files: installed, masked by a link or an empty file, overridden', async () => {
  const machine = new FakeMachine();
  const host = hostOn(machine, 1000);
  machine.files.set('/lib/systemd/system/a.service', '[Unit]\n');
  expect(await isInstalled(host, 'a.service')).toBe(true);
  expect(await isInstalled(host, 'b.service')).toBe(false);
  machine.links.set('/etc/systemd/system/a.service', '/dev/null');
  expect(await isInstalled(host, 'a.service')).toBe(false);
  machine.links.clear();
  machine.files.set('/run/systemd/system/a.service', '');
  expect(await isInstalled(host, 'a.service')).toBe(false);
});

test.each(['', '/unified', '/systemd'])("a unit's processes below /sys/fs/cgroup%s", async (hierarchy) => {
  const machine = new FakeMachine();
  machine.files.set(`/sys/fs/cgroup${hierarchy}/system.slice/a.service/cgroup.procs`, '12\n345\n');
  expect(await unitProcesses(hostOn(machine, 1000), 'a.service')).toEqual([12, 345]);
  expect(await unitProcesses(hostOn(machine, 1000), 'b.service')).toEqual([]);
});
