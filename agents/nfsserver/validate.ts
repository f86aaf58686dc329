import { requireInstalled } from './by-systemd.ts';
import { requireAddresses, requireNotifyCommand } from './notify.ts';
import type { Ctx } from './params.ts';
import { requireStarter, survey } from './survey.ts';

/** Whether this machine could run the server. */
export async function validate(ctx: Ctx): Promise<void> {
  const { host, params } = ctx;
  const { manager, daemons } = await survey(host, params);
  if (requireStarter(manager).by === 'systemd') requireInstalled(daemons);
  await requireNotifyCommand(host, params.nfs_notify_cmd);
  await requireAddresses(host, params.nfs_ip);
}
