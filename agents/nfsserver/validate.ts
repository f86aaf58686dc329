import { neededDaemons } from '../../lib/host/nfs/daemons.ts';
import { unitsFor } from './by-systemd.ts';
import { wantsV3 } from './health.ts';
import { managerOf } from './manager.ts';
import { checkNotifyCommand } from './notify-command.ts';
import type { Ctx } from './params.ts';

/** Whether this machine could run the server. */
export async function validate(ctx: Ctx): Promise<void> {
  const { host } = ctx;
  const manager = await managerOf(ctx);
  if (manager.by === 'systemd') await unitsFor(host, await neededDaemons(host, await wantsV3(ctx)));
  await checkNotifyCommand(ctx);
}
