import { expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { blockDeviceUsers } from '../../../../lib/host/storage/block-device-users.ts';
import { FakeMachine } from '../../../fake/machine.ts';

const mountinfo = '9 1 147:1 / /x rw - xfs /dev/drbd1 rw\n';
const users = (machine: FakeMachine) =>
  blockDeviceUsers(hostOn(machine, 1e6), { name: 'drbd1', number: '147:1' }, 1000);
const machineWith = (first: { readonly [name: string]: string }) => {
  const machine = new FakeMachine();
  machine.links.set('/proc/self/ns/mnt', 'mnt:[1]');
  machine.process(7, { comm: 'first\n', ...first }, { 'ns/mnt': 'mnt:[2]' });
  return machine;
};
const there = 'mounted on /x in the mount namespace of second (pid 8)';
const second = (machine: FakeMachine) =>
  machine.process(8, { comm: 'second\n', mountinfo }, { 'ns/mnt': 'mnt:[2]' });

test('a namespace whose first member has just ended: the next is asked', async () => {
  const machine = second(machineWith({ mountinfo }));
  const read = machine.read.bind(machine);
  machine.read = async (path) => {
    if (path === '/proc/7/mountinfo') machine.endProcess(7);
    return read(path);
  };
  expect(await users(machine)).toEqual([there]);
});

test('one that cannot be read: the next is asked, and where there is none, it may be mounted there', async () => {
  expect(await users(second(machineWith({})))).toEqual([there]);
  expect(await users(machineWith({}))).toEqual([
    'perhaps mounted in the mount namespace of first (pid 7), which cannot be read',
  ]);
});
