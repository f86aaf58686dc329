import { Failure, type Health } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import { processesNamed, statd } from '../../lib/host/nfs/daemons.ts';
import { identityOf, isStillThere, type ProcessIdentity } from '../../lib/host/process-table.ts';
import type { Ctx } from './params.ts';

// There is no process to watch: "running" means that the clients were told since this rpc.statd came up.

type Marker = { readonly statd: ProcessIdentity } | { readonly nothingToDo: string };

const fact = 'notified';

export const mark = ({ memory }: Ctx, marker: Marker | undefined): Promise<void> => memory.note(fact, marker);

/** What is remembered, held against the machine. Throws `Failure` when the rpc.statd of the notification is gone. */
export async function verdict(ctx: Ctx): Promise<Health> {
  const { host, memory } = ctx;
  const marker = await memory.fact<Marker>(fact);
  if (marker && 'nothingToDo' in marker) return 'ok';
  if (marker) {
    if (await isStillThere(host, marker.statd)) return 'ok';
    throw goneFailure(marker.statd.pid);
  }
  const pid = await stockMarker(ctx);
  if (pid === undefined) return 'notRunning';
  if (await isStatd(host, pid)) return 'ok';
  throw goneFailure(pid);
}

const goneFailure = (pid: number) =>
  new Failure(
    'failed',
    `rpc.statd (pid ${pid}) ended after the clients were notified: they must be told again`,
  );

/** The rpc.statd of this machine: the one that says so itself, if there are several. */
export async function currentStatd(host: Host): Promise<ProcessIdentity | undefined> {
  const own = Number((await host.sys.read('/run/rpc.statd.pid').catch(() => '')).trim());
  if (own > 0 && (await isStatd(host, own))) return identityOf(host, own);
  const [found] = await processesNamed(host, new Set([statd.process]));
  return found && identityOf(host, found.pid);
}

const isStatd = async (host: Host, pid: number): Promise<boolean> =>
  (await host.sys.read(`/proc/${pid}/comm`).catch(() => '')).trim() === statd.process;

const stockFile = ({ host, request: { instance } }: Ctx): string =>
  `${host.sys.env['HA_RSCTMP'] || '/run/resource-agents'}/nfsnotify_${instance}/rpc.statd_${instance}.pid`;

/** The stock agent's mark on the same resource, so that a running cluster can change from it to this one. */
async function stockMarker(ctx: Ctx): Promise<number | undefined> {
  const text = await ctx.host.sys.read(stockFile(ctx)).catch(() => '');
  return Number(text.trim().split(/\s+/)[0]) || undefined;
}

export const dropStockMarker = (ctx: Ctx): Promise<void> => ctx.host.sys.remove(stockFile(ctx));
