import { drbd as agent } from '../../agents/drbd/agent.ts';
import type { Resource } from '../../lib/host/drbd/state.ts';
import type { Log } from '../../lib/ocf/log.ts';
import { runAction } from '../../lib/ocf/run.ts';
import { type FakeDrbd, resource, volumes } from './drbd.ts';

export const silent: Log = { crit() {}, error() {}, warn() {}, info() {}, debug() {} };
export const timeout = (ms: number) => ({ OCF_RESKEY_CRM_meta_timeout: String(ms) });
export const good = 'UpToDate';
const beta = 'beta Connected Secondary UpToDate';
export const away = 'beta Connecting Unknown DUnknown';
export const isSecondary = resource('Secondary', volumes(good), [beta]);
export const isPrimary = resource('Primary', volumes(good), [beta]);
export const busy = { code: 11, stderr: '0: State change failed: (-12) Device is held open by someone\n' };
export const undefinedHere = { code: 1, stderr: "'r0' not defined in your config (for this host).\n" };

export type Setup = ConstructorParameters<typeof FakeDrbd>[0];

export async function act(action: string, drbd: FakeDrbd, log = silent) {
  const { code, reason = '' } = await runAction(agent, action, drbd.machine, log);
  return { code, reason, did: drbd.did, score: drbd.score };
}

/** The device is mounted, so that it cannot become Secondary. */
export function heldOpen(drbd: FakeDrbd): FakeDrbd {
  drbd.machine.files.set(
    '/proc/self/mountinfo',
    '30 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 30 147:0 / /srv/nfs rw - xfs /dev/drbd0 rw\n',
  );
  drbd.machine.process(815, { comm: 'tar\n' }, { 'fd/3': '/dev/drbd0', 'ns/mnt': 'mnt:[1]' });
  return drbd.answer('drbdadm secondary', busy);
}

export const probe = { OCF_RESKEY_CRM_meta_interval: '0' };
export const secondary = (devices: readonly string[], ...peers: readonly string[]) =>
  resource('Secondary', volumes(...devices), peers);
export const primary = (devices: readonly string[], ...peers: readonly string[]) =>
  resource('Primary', volumes(...devices), peers);
export const client = 'Diskless client';

export type Row = readonly [situation: string, state: Resource | undefined, code: number, score: string];

export async function look(drbd: FakeDrbd, action = 'monitor') {
  const result = await runAction(agent, action, drbd.machine, silent);
  return { code: result.code, score: drbd.score };
}
