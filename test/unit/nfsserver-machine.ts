import { expect } from 'vitest';
import { nfsserver } from '../../agents/nfsserver/agent.ts';
import type { Log } from '../../lib/ocf/log.ts';
import { type Result, runAction } from '../../lib/ocf/run.ts';
import { NfsMachine } from './nfs-machine.ts';

const log: Log = { crit() {}, error() {}, warn() {}, info() {}, debug() {} };

/** The seed tutorial's parameters. */
export const shared = { OCF_RESKEY_nfs_shared_infodir: '/nfsdata', OCF_RESKEY_nfs_no_notify: 'true' };
export const recurring = { OCF_RESKEY_CRM_meta_interval: '10000' };

export const run = (machine: NfsMachine, action: string): Promise<Result> =>
  runAction(nfsserver, action, machine, log);

export async function started(env: NodeJS.ProcessEnv = shared): Promise<NfsMachine> {
  const machine = new NfsMachine(env);
  expect(await run(machine, 'start')).toEqual({ code: 0, outcome: 'ok' });
  return machine;
}

export const stateMount = (machine: NfsMachine) =>
  machine.mounted.filter(({ target }) => target === '/var/lib/nfs');
