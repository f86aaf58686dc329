import { expect } from 'vitest';
import { nfsserver } from '../../agents/nfsserver/agent.ts';
import { type Result, runAction } from '../../lib/ocf/run.ts';
import { NfsMachine } from './nfs-machine.ts';
import { recurring, troubleTo } from './story.ts';

/** The seed tutorial's parameters. */
export const shared = { OCF_RESKEY_nfs_shared_infodir: '/nfsdata', OCF_RESKEY_nfs_no_notify: 'true' };
export { recurring };

export const run = (machine: NfsMachine, action: string): Promise<Result> =>
  runAction(nfsserver, action, machine, troubleTo(machine.warnings));

export async function started(env: NodeJS.ProcessEnv = shared): Promise<NfsMachine> {
  const machine = new NfsMachine(env);
  expect(await run(machine, 'start')).toEqual({ code: 0, outcome: 'ok' });
  return machine;
}

/** A machine without systemd; `script` is its init script, which brings up what it is told to. */
export function initMachine(
  env: NodeJS.ProcessEnv = shared,
  script = '/etc/init.d/nfs',
  brings: readonly string[] = ['nfs-server.service', 'nfs-mountd.service'],
): NfsMachine {
  const machine = new NfsMachine(env);
  machine.factsOf.delete('/run/systemd/system');
  for (const file of [...machine.files.keys()])
    if (file.startsWith('/lib/systemd/')) machine.files.delete(file);
  machine.programs();
  machine.on(script, ([verb]) => {
    if (verb === 'start') for (const unit of brings) machine.startProgram(unit);
    if (verb === 'stop') for (const unit of brings) machine.stopUnit(unit);
    return verb === 'status' && machine.threads === 0 ? { code: 3 } : '';
  });
  return machine;
}

export const stateMount = (machine: NfsMachine) =>
  machine.mounted.filter(({ target }) => target === '/var/lib/nfs');
