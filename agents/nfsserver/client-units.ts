import type { Host } from '../../lib/host/host.ts';
import type { Memory } from '../../lib/host/memory.ts';
import { statd } from '../../lib/host/nfs/daemons.ts';
import { unitProcesses } from '../../lib/host/systemd.ts';
import type { Ctx } from './params.ts';

// A node may have NFS mounts of its own, whose locks need a statd. The server's takes its place while it runs.

const fact = 'client units';

/** Notes what is to be started again when the server has stopped. To be called while nothing of the server runs. */
export async function rememberClientUnits(host: Host, memory: Memory): Promise<void> {
  const running: string[] = [];
  for (const unit of statd.units) if ((await unitProcesses(host, unit)).length > 0) running.push(unit);
  await memory.note(fact, running);
}

/** Starts those, and `others`. A stop does not fail for it. */
export async function startAgain(ctx: Ctx, others: readonly string[]): Promise<void> {
  const { host, log, memory } = ctx;
  const units = [...others, ...((await memory.fact<readonly string[]>(fact)) ?? [])];
  if (units.length === 0) return;
  const { code, stderr, hung } = await host.tryRun(['systemctl', 'start', ...units]);
  if (code !== 0) log.warn(`systemctl start ${units.join(' ')}: ${hung ?? stderr.trim()}`);
}
