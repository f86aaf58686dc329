import { neededDaemons } from '../../lib/host/nfs-state.ts';
import { hasSystemd, isInstalled } from '../../lib/host/units.ts';
import { Failure } from '../../lib/ocf/outcome.ts';
import { wantsV3 } from './health.ts';
import type { Ctx } from './params.ts';

/** Whether this machine could run the server. */
export async function validate(ctx: Ctx): Promise<void> {
  const { host } = ctx;
  if (!(await hasSystemd(host))) throw new Failure('notInstalled', 'systemd does not run here');
  const needed = await neededDaemons(host, await wantsV3(ctx));
  for (const unit of ['nfs-server.service', ...needed.map(({ unit }) => unit)])
    if (!(await isInstalled(host, unit)))
      throw new Failure('notInstalled', `${unit} is not installed or is masked`);
}
