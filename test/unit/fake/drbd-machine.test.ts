import { describe, expect, test } from 'vitest';
import { promotedInText, promotedInXml } from '../../../lib/host/cluster.ts';
import { hostOn } from '../../../lib/host/host.ts';
import { blockDeviceUsers } from '../../../lib/host/storage/block-device-users.ts';
import { FakeMachine, hangs, withBlockNodes } from '../../fake/machine.ts';

describe('where the cluster believes it promoted', () => {
  test.each([
    [
      'Pacemaker 2.0',
      'resource p_drbd is running on: alpha Master\nresource p_drbd is running on: beta\n',
      ['alpha'],
    ],
    [
      'Pacemaker 2.1',
      'resource p_drbd is running on: alpha \nresource p_drbd is running on: beta Promoted\n',
      ['beta'],
    ],
    ['nowhere', 'resource p_drbd is NOT running\n', []],
  ])('%s', (_what, text, nodes) => expect(promotedInText(text)).toEqual(nodes));
  test('XML', async () => {
    const xml = '<resource><node state="promoted">node1</node><node>node2</node></resource>';
    expect(await promotedInXml(xml)).toEqual(['node1']);
  });
});

describe('who keeps a block device open', () => {
  const device = { name: 'drbd1', number: '147:1' };
  const users = async (prepare: (machine: FakeMachine) => unknown) => {
    const machine = withBlockNodes(new FakeMachine(), { '/dev/drbd1': '147:1' });
    machine.links.set('/proc/self/ns/mnt', 'mnt:[1]');
    prepare(machine);
    return blockDeviceUsers(hostOn(machine, 10_000), device, 1000);
  };
  const gone = "stat: cannot statx '/proc/9/fd/3': No such file or directory\n";
  const line = '31 30 147:1 / /srv/a\\040b rw - xfs /dev/drbd1 rw\n';
  test.each<readonly [string, (machine: FakeMachine) => unknown, readonly string[]]>([
    ['nobody', () => {}, []],
    ['a mount', (machine) => machine.files.set('/proc/self/mountinfo', line), ['mounted on /srv/a b']],
    [
      'a mount in a container',
      (machine) => machine.process(7, { comm: 'init\n', mountinfo: line }, { 'ns/mnt': 'mnt:[2]' }),
      ['mounted on /srv/a b in the mount namespace of init (pid 7)'],
    ],
    [
      'multipath',
      (machine) => machine.files.set('/sys/block/drbd1/holders/dm-3', ''),
      ['used by device dm-3'],
    ],
    [
      'a loop device',
      (machine) => machine.files.set('/sys/block/loop4/loop/backing_file', '/dev/drbd1\n'),
      ['used by device loop4'],
    ],
    [
      'swap',
      (machine) => machine.files.set('/proc/swaps', 'Filename Type\n/dev/drbd1 partition 1 0 -2\n'),
      ['in use as swap'],
    ],
    [
      'a process, not one of another device',
      (machine) =>
        machine
          .process(8, { comm: 'dd\n' }, { 'fd/3': '/dev/drbd1', 'fd/4': '/dev/drbd1', 'ns/mnt': 'mnt:[1]' })
          .process(9, { comm: 'dd\n' }, { 'fd/3': '/dev/drbd10', 'ns/mnt': 'mnt:[1]' }),
      ['open in dd (pid 8)'],
    ],
    [
      'a process that has it open by a node that is gone, and one that is about to close it',
      (machine) =>
        machine
          .process(8, { comm: 'dd\n' }, { 'fd/3': '/dev/drbd1 (deleted)', 'ns/mnt': 'mnt:[1]' })
          .process(9, { comm: 'dd\n' }, { 'fd/3': '/dev/drbd1', 'ns/mnt': 'mnt:[1]' })
          .on('stat', (args) =>
            args.at(-1) === '/proc/8/fd/3' ? '147:1 block special file\n' : { code: 1, stderr: gone },
          ),
      ['open in dd (pid 8)'],
    ],
    [
      'a plain file of its name, and the device of a container',
      (machine) =>
        machine
          .process(8, { comm: 'dd\n' }, { 'fd/3': '/dev/drbd1 (deleted)', 'ns/mnt': 'mnt:[1]' })
          .process(9, { comm: 'dd\n' }, { 'fd/3': '/dev/drbd1', 'ns/mnt': 'mnt:[1]' })
          .on('stat', (args) =>
            args.at(-1) === '/proc/8/fd/3' ? '0:0 regular file\n' : '147:7 block special file\n',
          ),
      [],
    ],
    [
      'whatever it is, it cannot be looked at',
      (machine) =>
        machine
          .process(8, { comm: 'dd\n' }, { 'fd/3': '/dev/drbd1', 'ns/mnt': 'mnt:[1]' })
          .on('stat', (_args, command) => hangs(command, machine)),
      ['perhaps open in dd (pid 8)'],
    ],
    [
      'a plain file of its name as a loop device and as swap',
      (machine) => {
        machine.factsOf.set('/dev/drbd1', { kind: 'file' });
        machine.files.set('/sys/block/loop4/loop/backing_file', '/dev/drbd1\n');
        machine.files.set('/proc/swaps', 'Filename Type\n/dev/drbd1 file 1 0 -2\n');
      },
      [],
    ],
  ])('%s', async (_what, prepare, found) => expect(await users(prepare)).toEqual(found));
});
