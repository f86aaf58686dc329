import { drbd as agent } from '../../agents/drbd/agent.ts';
import type { Resource } from '../../lib/host/drbd/state.ts';
import { runAction } from '../../lib/ocf/run.ts';
import { FakeDrbd, resource, volumes } from './drbd.ts';
import { wordsTo } from './story.ts';

export type Setup = ConstructorParameters<typeof FakeDrbd>[0];

export const timeout = (ms: number) => ({ OCF_RESKEY_CRM_meta_timeout: String(ms) });
export const param = (name: string, value: string) => ({ [`OCF_RESKEY_${name}`]: value });
export const meta = (name: string, value: string | undefined) => ({ [`OCF_RESKEY_CRM_meta_${name}`]: value });
export const probe = meta('interval', '0');

export const good = 'UpToDate';
export const client = 'Diskless client';
export const away = 'beta Connecting Unknown DUnknown';
export const beta = 'beta Connected Secondary UpToDate';
export const betaPrimary = 'beta Connected Primary UpToDate';
export const secondary = (devices: readonly string[], ...peers: readonly string[]) =>
  resource('Secondary', volumes(...devices), peers);
export const primary = (devices: readonly string[], ...peers: readonly string[]) =>
  resource('Primary', volumes(...devices), peers);
export const isSecondary = secondary([good], beta);
export const isPrimary = primary([good], beta);
export const isAlone = secondary([good], away);

export const busy = { code: 11, stderr: '0: State change failed: (-12) Device is held open by someone\n' };
export const noData = { code: 17, stderr: '0: State change failed: (-2) Need access to UpToDate data\n' };
export const undefinedHere = { code: 1, stderr: "'r0' not defined in your config (for this host).\n" };

/**
 * Calls the agent on a node with DRBD and tells what came of it: the answer, what was done to DRBD, what the cluster was told
 * (`-` deleted, `=` untouched) and the log.
 */
export async function act(action: string, given: FakeDrbd | Setup) {
  const drbd = given instanceof FakeDrbd ? given : new FakeDrbd(given);
  const lines: string[] = [];
  const { code, reason = '' } = await runAction(agent, action, drbd.machine, wordsTo(lines));
  return { code, reason, did: drbd.did, score: drbd.score, state: drbd.attribute, lines };
}

/** The device is mounted, so that it cannot become Secondary. */
export function heldOpen(drbd: FakeDrbd): FakeDrbd {
  drbd.machine.files.set(
    '/proc/self/mountinfo',
    '30 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 30 147:0 / /srv/nfs rw - xfs /dev/drbd0 rw\n',
  );
  drbd.machine.process(815, { comm: 'tar\n' }, { 'fd/3': '/dev/drbd0', 'ns/mnt': 'mnt:[1]' });
  if (drbd.generation === 8) drbd.answer('drbdsetup secondary', busy);
  return drbd.answer('drbdadm secondary', busy);
}

/** A monitor by its answer, the promotion score and the node attribute; `undefined`: nothing is in the kernel. */
export type Row = readonly [
  number: number,
  situation: string,
  state: Resource | undefined,
  code: number,
  score: string,
  attribute: string,
];

export async function look(given: FakeDrbd | Setup, action = 'monitor') {
  const { code, score, state } = await act(action, given);
  return { code, score, state };
}
