import { expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { nfsClientsOn } from '../../../../lib/host/nfs/clients.ts';
import { FakeMachine, kernelThreadOf, statOf } from '../../../fake/machine.ts';

// Captured from Linux 7.2: an NFSv4.1 client with a delegation, and an NFSv3 client with a lock.
const states = `- 0x000000011739036baf96029d01000000: { type: open, access: rw, deny: --, superblock: "07:00:16", filename: "/lock-v41", owner: "open id:" }
- 0x000000011739036baf96029d02000000: { type: deleg, access: w, superblock: "07:00:16", filename: "/lock-v41" }
`;
const info = `clientid: 0x9d0296af6b033917
address: "10.77.0.13:757"
status: confirmed
`;
const locks = `1: POSIX  ADVISORY  WRITE 3171 07:00:13 0 EOF
2: DELEG  ACTIVE    WRITE 3179 07:00:16 0 EOF
3: POSIX  ADVISORY  WRITE 811 00:16:96 0 EOF
`;
const mount = {
  id: 40,
  parent: 1,
  device: '7:0',
  root: '/',
  target: '/srv/one',
  options: [],
  shared: undefined,
  master: undefined,
  type: 'ext4',
  source: '/dev/loop0',
  superOptions: [],
};

function server(): FakeMachine {
  const machine = new FakeMachine();
  machine.files.set('/proc/fs/nfsd/clients/14/states', states);
  machine.files.set('/proc/fs/nfsd/clients/14/info', info);
  machine.files.set('/proc/locks', locks);
  for (const pid of [3171, 811]) machine.process(pid, { stat: kernelThreadOf(pid, 'lockd') });
  return machine;
}

test.each([
  ['7:0', ['NFSv4 clients hold files open: 10.77.0.13', 'NFSv3 clients hold locks']],
  ['0:22', ['NFSv3 clients hold locks']],
  ['7:1', []],
])('the clients of the NFS server that keep %s busy', async (device, phrases) => {
  expect(await nfsClientsOn(hostOn(server(), 1000), { ...mount, device })).toEqual(phrases);
});

test.each(['mysqld', 'lockd'])(
  'S9: a lock of a program on this machine, %s, is none of a client',
  async (name) => {
    const machine = server().process(3171, { stat: statOf(3171, name) });
    expect(await nfsClientsOn(hostOn(machine, 1000), { ...mount, device: '7:0' })).toHaveLength(1);
  },
);
