import { describe, expect, test } from 'vitest';
import { drbd } from '../../../agents/drbd/agent.ts';
import { exportfs } from '../../../agents/exportfs/agent.ts';
import { filesystem } from '../../../agents/Filesystem/agent.ts';
import { nfsnotify } from '../../../agents/nfsnotify/agent.ts';
import { nfsserver } from '../../../agents/nfsserver/agent.ts';
import type { ParamTable } from '../../../lib/contract/params.ts';
import type { AgentDef } from '../../../lib/ocf/agent.ts';
import { type Result, runAction } from '../../../lib/ocf/run.ts';
import { FakeDrbd } from '../../fake/drbd.ts';
import { node as exporting, single } from '../../fake/exportfs-node.ts';
import { FilesystemMachine } from '../../fake/filesystem-machine.ts';
import type { FakeMachine } from '../../fake/machine.ts';
import { clientsOn, record } from '../../fake/nfs-clients.ts';
import { NfsMachine } from '../../fake/nfs-machine.ts';
import { shared } from '../../fake/nfsserver-machine.ts';
import { silentLog } from '../../fake/story.ts';

// S19: /run has room for so many more writes. A start that could not write down what a monitor or stop relies on has failed; what says
// it has started is there for every later monitor, and a stop takes it away whatever can be written.

type Case = {
  readonly agent: unknown;
  readonly machine: () => FakeMachine;
  /** What a recurring monitor says of it; 0 when nothing is said here. */
  readonly watch?: number;
  /** What is left on the machine of what a start does. */
  readonly left?: (machine: FakeMachine) => readonly unknown[];
};

const named = { device: 'server:/x', directory: '/nfsdata', fstype: 'nfs' };

function withClients(answers: boolean): FakeMachine {
  const machine = new NfsMachine({
    OCF_RESOURCE_INSTANCE: 'nfs-notify',
    OCF_RESKEY_source_host: '10.0.0.20',
    OCF_RESKEY_notify_args: '-m 1',
  });
  machine.bindBySomeone('/').startUnit('rpcbind.service').startUnit('nfs-server.service');
  machine.disk.set('/nfsdata/sm/', '').set('/nfsdata/sm.bak/', '');
  machine.local.add('10.0.0.20');
  machine.disk.set('/nfsdata/sm.bak/10.0.0.51', record('10.0.0.51'));
  return answers ? Object.assign(machine, clientsOn(machine)) : machine;
}

const cases: Readonly<Record<string, Case>> = {
  exportfs: {
    agent: exportfs,
    machine: () => exporting(single).machine,
    left: (machine) => (machine as ReturnType<typeof exporting>['machine']).exported,
  },
  'exportfs before the NFS server': {
    agent: exportfs,
    machine: () =>
      exporting(single, ({ files }) => {
        files.set('/proc/net/rpc/nfsd', 'th 0 0 0.000\n');
        files.set('/proc/fs/nfsd/threads', '0\n');
      }).machine,
    // the mark alone tells its export from a leftover
    watch: 1,
  },
  Filesystem: {
    agent: filesystem,
    machine: () => new FilesystemMachine(),
    left: (machine) => (machine as FilesystemMachine).targets.filter((target) => target === '/nfsdata'),
  },
  'Filesystem by the name of a server': {
    agent: filesystem,
    machine: () => {
      const machine = new FilesystemMachine(named);
      machine.files.set('/proc/filesystems', 'nodev\tnfs\n');
      return machine;
    },
    left: (machine) => (machine as FilesystemMachine).targets.filter((target) => target === '/nfsdata'),
  },
  'nfsnotify, clients answer': { agent: nfsnotify, machine: () => withClients(true) },
  'nfsnotify, clients do not answer': { agent: nfsnotify, machine: () => withClients(false) },
  nfsserver: { agent: nfsserver, machine: () => new NfsMachine(shared) },
  'nfsserver with everything': {
    agent: nfsserver,
    machine: () =>
      new NfsMachine({
        ...shared,
        OCF_RESKEY_nfsv4_only: 'true',
        OCF_RESKEY_nfs_lease_time: '15',
        OCF_RESKEY_nfs_grace_time: '15',
        OCF_RESKEY_nfs_server_scope: 'scope',
        OCF_RESKEY_rpcpipefs_dir: '/var/lib/nfs/pipefs',
      }),
  },
  drbd: {
    agent: drbd,
    machine: () => new FakeDrbd({ env: { OCF_RESKEY_CRM_meta_timeout: '100000' } }).machine,
  },
};

const full = (path: string) =>
  Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC', path });

/** Of everything below /run the machine takes `room` more writes. */
function fill(machine: FakeMachine, room: number): { readonly refused: () => number } {
  const write = machine.write.bind(machine);
  let [written, refused] = [0, 0];
  machine.write = async (path, text) => {
    if (path.startsWith('/run/') && written++ >= room) {
      refused++;
      throw full(path);
    }
    return write(path, text);
  };
  return { refused: () => refused };
}

const call = (agent: unknown, machine: FakeMachine, action: string, interval = '0'): Promise<Result> => {
  machine.clock = 0;
  machine.env['OCF_RESKEY_CRM_meta_interval'] = interval;
  return runAction(agent as AgentDef<ParamTable>, action, machine, silentLog);
};

describe.each(Object.entries(cases))(
  'S19: %s',
  (_name, { agent, machine: make, watch = 0, left = () => [] }) => {
    test('with room for any number of writes', async () => {
      for (let room = 0, hasFailed = true; hasFailed; room++) {
        const machine = make();
        const { refused } = fill(machine, room);
        const started = await call(agent, machine, 'start');
        hasFailed = refused() > 0;
        const where = `room for ${room}`;
        expect(room, 'a start that never comes to its end').toBeLessThan(40);
        if (room === 0) expect(started, where).toMatchObject({ code: 1 });
        if (started.code === 0)
          expect((await call(agent, machine, 'monitor', '10000')).code, where).toBe(watch);
        else
          expect(started, where).toMatchObject({ code: 1, reason: expect.stringMatching(/ENOSPC|no space/) });
        expect(await call(agent, machine, 'stop'), where).toMatchObject({ code: 0 });
        expect((await call(agent, machine, 'monitor', '10000')).code, where).toBe(7);
        expect(left(machine), where).toEqual([]);
      }
    });

    test('full from then on: a monitor and a stop need no room', async () => {
      const machine = make();
      expect(await call(agent, machine, 'start')).toMatchObject({ code: 0 });
      fill(machine, 0);
      for (let turn = 0; turn < 2; turn++)
        expect((await call(agent, machine, 'monitor', '10000')).code).toBe(watch);
      expect(await call(agent, machine, 'stop')).toMatchObject({ code: 0 });
      expect((await call(agent, machine, 'monitor', '10000')).code).toBe(7);
      expect(left(machine)).toEqual([]);
    });
  },
);
