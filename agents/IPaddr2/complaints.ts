import { firstLine } from '../../lib/host/host.ts';
import { stateDir } from '../../lib/host/memory.ts';
import { fileNameOf } from '../../lib/host/sys/file-names.ts';
import type { Ctx } from './params.ts';

/** Nobody waits for a background sender: what it complained of is told by whoever comes next. */
export async function reportAnnouncer(ctx: Ctx): Promise<void> {
  const { host, log } = ctx;
  const text = await host.sys.read(complaintsOf(ctx)).catch(() => '');
  if (text.trim() === '') return;
  log.warn(`announcing ${ctx.params.ip}: ${firstLine(text)}`);
  await host.sys.remove(complaintsOf(ctx)).catch(() => undefined);
}

export const complaintsOf = ({ host, request }: Ctx): string =>
  `${stateDir(host.sys.env)}/IPaddr2-${fileNameOf(request.instance)}.announcer`;
