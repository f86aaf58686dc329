import { wordsOf } from '../../lib/contract/reason.ts';
import { serverUnits } from '../../lib/host/nfs/daemons.ts';
import { endAfterPacemaker } from '../../lib/host/shutdown-order.ts';
import type { Ctx } from './params.ts';
import type { Survey } from './survey.ts';

/** What the stop of this agent needs while it works: rpc.statd is asked through rpcbind, and the state directory must stay. */
const needed = [...serverUnits, 'rpcbind.service', 'rpcbind.socket', 'gssproxy.service', 'var-lib-nfs.mount'];

/**
 * An orderly reboot is a move like any other. Without this systemd ends the server beside Pacemaker: lockd has statd forget every
 * NFSv3 client before the agent can copy the records, and their locks are lost. Best effort: never fails.
 */
export async function endServerAfterPacemaker(ctx: Ctx, { manager }: Survey): Promise<void> {
  const { host, log } = ctx;
  if (manager.by !== 'systemd') return;
  try {
    await endAfterPacemaker(host, 'tsha-nfsserver', needed, host.left() / 4);
  } catch (error) {
    log.warn(`a reboot of this node may cost NFSv3 clients their locks: ${wordsOf(error)}`);
  }
}
