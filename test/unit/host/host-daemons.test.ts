import { describe, expect, test } from 'vitest';
import { hostOn } from '../../../lib/host/host.ts';
import { daemonProcesses, type HostDaemon } from '../../../lib/host/host-daemons.ts';
import { neverEnded } from '../../../lib/host/never-ended.ts';
import { FakeMachine, statOf, usersOf } from '../../fake/machine.ts';

const statd: HostDaemon = {
  process: 'rpc.statd',
  units: ['rpc-statd.service'],
  accounts: ['rpcuser', 'statd'],
};
const program = '/usr/sbin/rpc.statd';

type Given = {
  readonly comm?: string;
  readonly uids?: string;
  readonly cgroup?: string;
  readonly exe?: string | undefined;
  /** Of the running program, if it is not the file of that name. */
  readonly ino?: number;
  readonly links?: Readonly<Record<string, string>>;
  readonly unreadable?: readonly string[];
};

/** Process 9: by default root's rpc.statd, started by hand. */
function machineWith({
  comm = 'rpc.statd',
  uids = usersOf(0),
  cgroup,
  exe = program,
  ...given
}: Given): FakeMachine {
  const machine = new FakeMachine();
  machine.files.set(
    '/etc/passwd',
    'root:x:0:0::/:/bin/sh\nstatd:x:105:65534::/:/bin/false\njo:x:1000:1000::/:/bin/sh\n',
  );
  machine.files.set('/proc/self/mountinfo', '1 0 254:0 / / rw - ext4 /dev/root rw\n');
  machine.factsOf.set(program, { kind: 'file', ino: 7 });
  if (exe !== program) machine.factsOf.set(exe, { kind: 'file', ino: 8 });
  for (const type of ['mnt', 'pid', 'user']) machine.links.set(`/proc/self/ns/${type}`, `${type}:[1]`);
  const namespaces = { 'ns/mnt': 'mnt:[1]', 'ns/pid': 'pid:[1]', 'ns/user': 'user:[1]' };
  machine.process(
    9,
    { comm: `${comm}\n`, status: uids, ...(cgroup !== undefined && { cgroup }) },
    { ...(exe !== '' && { exe }), ...namespaces, ...given.links },
  );
  const target = machine.target.bind(machine);
  machine.target = async (link) => {
    if (given.unreadable?.includes(link)) throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
    return target(link);
  };
  const { ino } = given;
  const facts = machine.facts.bind(machine);
  machine.facts = async (path, follow) => ({
    ...(await facts(path, follow)),
    ...(ino !== undefined && path === '/proc/9/exe' && { ino }),
  });
  return machine;
}

describe('S8, S9: whether a process is root’s rpc.statd', () => {
  test.each<[boolean, string, Given]>([
    [true, 'started by hand', {}],
    [true, 'as its account', { uids: usersOf(105) }],
    [
      true,
      'by its unit, whatever its program',
      { cgroup: '0::/system.slice/rpc-statd.service\n', exe: '/opt/statd' },
    ],
    [
      true,
      'by its unit in the old hierarchy',
      { cgroup: '3:cpu:/\n1:name=systemd:/system.slice/rpc-statd.service\n', exe: '/opt/statd' },
    ],
    [true, 'replaced by an upgrade since', { exe: `${program} (deleted)` }],
    [true, 'by an agent that may not look at its program', { unreadable: ['/proc/9/exe', '/proc/9/ns/mnt'] }],
    [false, 'of another name', { comm: 'sleep' }],
    [false, "a user's copy", { uids: usersOf(1000), exe: '/home/jo/rpc.statd' }],
    [false, 'the program itself, run by a user', { uids: usersOf(1000) }],
    [
      false,
      "a user's program with the setuid bit, by that name",
      { uids: usersOf(1000, 0), exe: '/usr/bin/passwd' },
    ],
    [false, 'sudo, by a link of that name', { exe: '/usr/bin/sudo' }],
    [false, "a user's that cannot be looked at", { uids: usersOf(1000), unreadable: ['/proc/9/exe'] }],
    [false, "root's, from elsewhere", { exe: '/root/rpc.statd' }],
    [false, "root's, of the same path but another file", { ino: 9 }],
    [
      false,
      "in a user's control group that ends the same",
      { uids: usersOf(1000), cgroup: '0::/user.slice/user-1000.slice/system.slice/rpc-statd.service\n' },
    ],
    [false, 'in a unit that is another', { exe: '/home/jo/x', cgroup: '0::/system.slice/apache2.service\n' }],
    [false, "in a container's mount namespace", { links: { 'ns/mnt': 'mnt:[2]' } }],
    [false, 'in a namespace of processes of its own', { links: { 'ns/pid': 'pid:[2]' } }],
    [false, 'in a namespace of users of its own', { links: { 'ns/user': 'user:[2]' } }],
    [
      false,
      'a zombie, or a thread of the kernel',
      { exe: '', cgroup: '0::/system.slice/rpc-statd.service\n' },
    ],
  ])('%s: %s', async (is, _what, given) => {
    const found = await daemonProcesses(hostOn(machineWith(given), 1e6), [statd]);
    expect(found).toEqual(is ? [{ pid: 9, startTime: 90, name: 'rpc.statd' }] : []);
  });

  test('more than its name is read of a process only if it is called so', async () => {
    const machine = machineWith({ comm: 'sleep' });
    const read: string[] = [];
    for (const verb of ['read', 'target'] as const) {
      const look = machine[verb].bind(machine);
      machine[verb] = async (path) => {
        read.push(path);
        return look(path);
      };
    }
    await daemonProcesses(hostOn(machine, 1e6), [statd]);
    expect(read).toEqual(['/proc/9/comm']);
  });
});

describe('S10: who is never signalled', () => {
  const uid = { hacluster: 106 };
  test.each<[boolean, string, number, { comm: string; uid?: number; exe: string; cgroup?: string }]>([
    [true, 'we ourselves', 4242, { comm: 'node', exe: '/usr/bin/node' }],
    [true, 'whoever called us', 900, { comm: 'sh', exe: '/bin/sh' }],
    [true, 'init', 1, { comm: 'init', exe: '/sbin/init' }],
    [true, 'corosync', 7, { comm: 'corosync', exe: '/usr/sbin/corosync' }],
    [true, 'sbd', 7, { comm: 'sbd', exe: '/usr/sbin/sbd' }],
    [
      true,
      'pcsd, a script',
      7,
      { comm: 'pcsd', exe: '/usr/bin/python3', cgroup: '/system.slice/pcsd.service' },
    ],
    [
      true,
      "Pacemaker's executor, whose name the kernel cuts",
      7,
      { comm: 'pacemaker-execd', exe: '/usr/lib/pacemaker/pacemaker-execd' },
    ],
    [
      true,
      'its controller, as its account',
      7,
      { comm: 'pacemaker-contr', uid: uid.hacluster, exe: '/usr/libexec/pacemaker/pacemaker-controld' },
    ],
    [true, 'one that an upgrade has replaced', 7, { comm: 'corosync', exe: '/usr/sbin/corosync (deleted)' }],
    [false, 'any other of root', 7, { comm: 'bash', exe: '/bin/bash' }],
    [false, "a user's corosync", 7, { comm: 'corosync', uid: 1000, exe: '/usr/sbin/corosync' }],
    [false, "a user's pacemakerd", 7, { comm: 'pacemakerd', uid: 1000, exe: '/home/jo/pacemakerd' }],
    [
      false,
      'sudo by that name, among what Pacemaker runs',
      7,
      { comm: 'pacemakerd', exe: '/usr/bin/sudo', cgroup: '/system.slice/pacemaker.service' },
    ],
  ])('%s: %s', async (is, _what, pid, { comm, exe, ...more }) => {
    const machine = new FakeMachine();
    machine.files.set('/etc/passwd', `hacluster:x:${uid.hacluster}:105::/:/bin/false\n`);
    machine.files.set('/proc/self/mountinfo', '1 0 254:0 / / rw - ext4 /dev/root rw\n');
    machine.process(4242, { stat: statOf(4242, 'node').replace(' S 1 ', ' S 900 ') }).process(900, {});
    const cgroup = `0::${more.cgroup ?? '/user.slice/user-0.slice/session-1.scope'}\n`;
    machine.factsOf.set(exe, { kind: 'file', ino: 5 });
    machine.process(
      pid,
      {
        comm: `${comm}\n`,
        status: usersOf(more.uid ?? 0),
        cgroup,
        ...(pid > 7 && { stat: machine.files.get(`/proc/${pid}/stat`) ?? '' }),
      },
      { exe },
    );
    expect(await (await neverEnded(hostOn(machine, 1e6)))({ pid, name: comm })).toBe(is);
  });
});
