import { wordsOf } from '../../lib/contract/reason.ts';
import type { Host } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import { rscTmp } from '../../lib/host/memory.ts';
import { isStillThere, type ProcessIdentity } from '../../lib/host/process-table.ts';
import { asFileName } from '../../lib/host/sys/file-names.ts';
import type { Ctx } from './params.ts';

// There is no process of ours to watch: "running" means that the clients were told since this rpc.statd came up.

/** What the last start did. */
type Done =
  /** The clients were told while this rpc.statd ran. */
  | { readonly statd: ProcessIdentity }
  | { readonly nothingToDo: string }
  /** No rpc.statd ran beside the NFS server: the clients are still to be told. */
  | { readonly awaitsStatd: true };

const fact = 'notified';

/** Writes down what a start did, for both agents; `undefined` for a stop. */
export async function noteDone(ctx: Ctx, done: Done | undefined): Promise<void> {
  await ctx.memory.note(fact, done);
  if (done !== undefined && 'statd' in done) await leaveStockMark(ctx, done.statd.pid);
}

/** What was done, held against the machine; `pid` is the rpc.statd that ended, where one is known. */
export type Seen =
  | { readonly is: 'not notified' | 'notified' }
  | { readonly is: 'nothing to do'; readonly why: string }
  /** The NFS server runs without rpc.statd: nfsserver's monitor fails for that, and its recovery makes us tell the clients anew. */
  | { readonly is: 'waiting for rpc.statd'; readonly pid: number | undefined }
  | { readonly is: 'outdated'; readonly pid: number | undefined };

export async function look(ctx: Ctx): Promise<Seen> {
  const { host, memory } = ctx;
  const done = await memory.fact<Done>(fact);
  if (done === undefined) {
    const pid = await stockMark(ctx);
    if (pid === undefined) return { is: 'not notified' };
    const { isStatd } = await import('./statd.ts');
    return (await isStatd(host, pid)) ? { is: 'notified' } : lost(host, pid);
  }
  if ('nothingToDo' in done) return { is: 'nothing to do', why: done.nothingToDo };
  if ('awaitsStatd' in done) return lost(host, undefined);
  return (await isStillThere(host, done.statd)) ? { is: 'notified' } : lost(host, done.statd.pid);
}

async function lost(host: Host, pid: number | undefined): Promise<Seen> {
  const { isMissingStatd } = await import('./statd.ts');
  const isMissing = await isMissingStatd(host);
  return { is: isMissing ? 'waiting for rpc.statd' : 'outdated', pid };
}

/** The one sentence about what was seen. */
export function sentence(seen: Seen): string {
  switch (seen.is) {
    case 'not notified':
      return 'the clients have not been notified since the start of this machine or the last stop';
    case 'notified':
      return 'the clients were notified already';
    case 'nothing to do':
      return `there is nobody to notify: ${seen.why}`;
    case 'waiting for rpc.statd':
      return `${withPid(seen.pid)} does not run beside the NFS server: the clients are told once it does`;
    case 'outdated':
      return seen.pid === undefined
        ? 'rpc.statd came up after the start: the clients must be told'
        : `${withPid(seen.pid)} ended after the clients were notified: they must be told again`;
  }
}

const withPid = (pid: number | undefined): string =>
  pid === undefined ? 'rpc.statd' : `rpc.statd (pid ${pid})`;

const stockFolder = ({ host, request }: Ctx): string =>
  `${rscTmp(host.sys.env)}/nfsnotify_${asFileName(request.instance)}`;
const stockFile = (ctx: Ctx): string =>
  `${stockFolder(ctx)}/rpc.statd_${asFileName(ctx.request.instance)}.pid`;
/** Which of these marks is ours, and of which boot. */
const ownFile = (ctx: Ctx): string => `${stockFolder(ctx)}/tsha`;

/** The stock agent's mark on the same resource, so that a running cluster can change from one to the other: rpc.statd's pid. */
async function stockMark(ctx: Ctx): Promise<number | undefined> {
  const text = (await readIfThere(ctx.host, stockFile(ctx))) ?? '';
  const pid = Number(text.trim().split(/\s+/)[0]) || undefined;
  if (pid === undefined) return undefined;
  const [ours, boot] = ((await readIfThere(ctx.host, ownFile(ctx))) ?? '').trim().split(' ');
  return ours === String(pid) && boot !== (await bootId(ctx)) ? undefined : pid;
}

/** For the way back: a stock agent that found no mark would start, and tell clients of a restart that never was. */
async function leaveStockMark(ctx: Ctx, pid: number): Promise<void> {
  const { sys } = ctx.host;
  try {
    await sys.makeDir(stockFolder(ctx));
    await sys.write(ownFile(ctx), `${pid} ${await bootId(ctx)}\n`);
    await sys.write(stockFile(ctx), `${pid}\n`);
  } catch (error) {
    ctx.log.warn(`cannot write ${stockFile(ctx)}: ${wordsOf(error)}`);
  }
}

const bootId = async ({ host }: Ctx): Promise<string> =>
  ((await readIfThere(host, '/proc/sys/kernel/random/boot_id')) ?? '').trim();

export async function dropStockMark(ctx: Ctx): Promise<void> {
  await ctx.host.sys.remove(stockFile(ctx));
  await ctx.host.sys.remove(ownFile(ctx));
}
