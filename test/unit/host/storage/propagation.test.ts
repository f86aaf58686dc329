import { expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { type Mount, parseMountinfo } from '../../../../lib/host/storage/mounts.ts';
import { takenAlongWith, usersInTheWay } from '../../../../lib/host/storage/propagation.ts';
import { FakeMachine } from '../../../fake/machine.ts';

// Who keeps /data from being unmounted: whoever uses it, and whoever uses a copy that must go with it.

const shared = '1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n';
const ours = '31 1 147:1 / /data rw shared:9 - xfs /dev/drbd1 rw\n';
const slave = '101 100 8:1 / / rw shared:70 master:1 - ext4 /dev/sda1 rw\n';
const copy = '131 101 147:1 / /data rw master:9 - xfs /dev/drbd1 rw\n';

/** A machine whose process 7 lives in another mount namespace with this table, and stands on the mount of that id. */
function machineWith(table: string, id = 131, own = shared + ours): FakeMachine {
  const machine = new FakeMachine().process(
    7,
    { comm: 'app\n', mountinfo: table },
    { exe: '/bin/app', cwd: '/data', root: '/', 'ns/mnt': 'mnt:[2]' },
  );
  machine.links.set('/proc/self/ns/mnt', 'mnt:[1]');
  machine.files.set('/proc/self/mountinfo', own);
  machine.mountIds.set('/proc/7/cwd', id);
  return machine;
}

const users = (machine: FakeMachine) => {
  const mount = parseMountinfo(machine.files.get('/proc/self/mountinfo') ?? '').find(({ id }) => id === 31);
  return usersInTheWay(hostOn(machine, 1e6), mount as Mount, 'thorough', 1e6);
};

test.each([
  ['a service of systemd with directories of its own: a slave that is shared again', slave + copy],
  ['a namespace that nobody made private: a peer', slave.replace('shared:70 master:1', 'shared:1') + copy],
  ['a copy that is covered as a whole', `${slave}${copy}140 131 0:60 / /data rw - tmpfs x rw\n`],
  [
    'a slave of a slave, two mounts below a bind mount of the same tree',
    `${slave}110 101 8:1 / /host rw master:70 - ext4 /dev/sda1 rw\n${copy.replace('101', '110').replace('/data', '/host/data')}`,
  ],
])('%s', async (_what, table) => {
  const machine = machineWith(table);
  const at = table.includes('/host/data') ? '/host/data' : '/data';
  machine.links.set('/proc/7/cwd', at);
  expect(await users(machine)).toMatchObject([{ pid: 7, how: `cwd ${at} in another mount namespace` }]);
});

test.each([
  ['a private copy, which does not go with ours', slave.replace('shared:70 master:1 ', '') + copy],
  ['another filesystem at the same place', slave + copy.replace('147:1', '8:5')],
  ['another directory of the same filesystem', slave + copy.replace('147:1 /', '147:1 /sub')],
  [
    'a copy below which something is mounted: it stays',
    `${slave}${copy}140 131 0:60 / /data/x rw - tmpfs x rw\n`,
  ],
])('not a user of %s', async (_what, table) => {
  expect(await users(machineWith(table))).toEqual([]);
});

test('not a user of any copy where the tree is not shared: no other namespace is asked', async () => {
  const machine = machineWith(slave + copy, 131, shared.replace('shared:1 ', '') + ours);
  expect(await users(machine)).toEqual([]);
});

test('a user of a copy in our own namespace', async () => {
  const own = `${shared}${ours}40 1 8:1 / /again rw shared:1 - ext4 /dev/sda1 rw\n41 40 147:1 / /again/data rw shared:9 - xfs /dev/drbd1 rw\n`;
  const machine = machineWith('', 41, own);
  machine.links.set('/proc/7/cwd', '/again/data');
  expect(await users(machine)).toMatchObject([{ how: 'cwd /again/data' }]);
});

test('a namespace is seen by one who has its root directory, and also through a thread', async () => {
  const jailed = machineWith('', 131).process(
    6,
    { comm: 'jailed\n', mountinfo: slave },
    { root: '/jail', 'ns/mnt': 'mnt:[2]' },
  );
  jailed.files.set('/proc/7/mountinfo', slave + copy);
  expect(await users(jailed)).toMatchObject([{ pid: 7 }]);

  const threaded = machineWith('', 131);
  threaded.links.set('/proc/7/ns/mnt', 'mnt:[1]');
  threaded.links.set('/proc/7/task/7/ns/mnt', 'mnt:[1]');
  threaded.links.set('/proc/7/task/8/ns/mnt', 'mnt:[2]');
  threaded.files.set('/proc/7/task/8/mountinfo', slave + copy);
  threaded.links.set('/proc/7/cwd', '/');
  threaded.links.set('/proc/7/task/8/cwd', '/data');
  threaded.mountIds.set('/proc/7/task/8/cwd', 131);
  expect(await users(threaded)).toMatchObject([
    { pid: 7, how: 'thread 8: cwd /data in another mount namespace' },
  ]);
});

test('what is unmounted has no say where its parent is in no table', () => {
  expect(takenAlongWith(parseMountinfo(slave + copy), parseMountinfo(ours)[0] as Mount)).toEqual([]);
});
