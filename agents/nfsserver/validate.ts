import { requireInstalled } from './by-systemd.ts';
import { requireStarter } from './manager.ts';
import { requireAddresses, requireNotifyCommand } from './notify.ts';
import type { Ctx } from './params.ts';
import { survey } from './survey.ts';

/** Whether this machine could run the server. */
export async function validate(ctx: Ctx): Promise<void> {
  const { manager, daemons } = await survey(ctx);
  if (requireStarter(manager).by === 'systemd') requireInstalled(daemons);
  await requireNotifyCommand(ctx);
  await requireAddresses(ctx);
}
