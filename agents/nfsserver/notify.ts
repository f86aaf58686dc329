import { Failure } from '../../lib/contract/outcome.ts';
import { readNsmState, waitingClients } from '../../lib/host/nfs/nsm-records.ts';
import { notifyRound, sourcesOf } from '../../lib/host/nfs/nsm-round.ts';
import { keepTelling, leaveSender } from '../../lib/host/nfs/nsm-sender.ts';
import { statdHome } from '../../lib/host/nfs/state-directory.ts';
import type { Ctx } from './params.ts';
import { isNotifyCommand } from './rules.ts';
import type { Survey } from './survey.ts';

/** Most clients answer within milliseconds; the others are told again in the background. */
const firstRoundMs = 2000;
/** In the foreground: what stays for the work after the last answer. */
const reserveMs = 3000;
const defaultMinutes = 15;

/** Tells NFSv3 clients that the server began anew. A client that cannot be told is no reason to keep all others from their files. */
export async function notify(ctx: Ctx, { v3 }: Survey): Promise<void> {
  const { host, log, memory, params } = ctx;
  if (params.nfs_no_notify || !v3) return;
  const { dir } = await statdHome(host);
  const clients = await waitingClients(host, dir);
  if (clients.length === 0) return;
  const sources = await sourcesOf(host, params.nfs_ip);
  const withinMs = params.nfs_notify_foreground ? host.left() - reserveMs : firstRoundMs;
  const state = (await readNsmState(host, dir)) ?? 1;
  const port = params.statd_outgoing_port;
  const { told, waiting, unusable } = await notifyRound(host, dir, sources, clients, {
    state,
    port,
    withinMs,
  });
  for (const reason of unusable)
    log.warn(`${reason}; a tsha:nfsnotify resource after the address would notify from there`);
  log.info(`${told.length} clients notified, ${waiting.length} have not answered yet`);
  if (waiting.length > 0 && unusable.length < sources.length)
    await leaveSender(host, memory, params.nfs_smnotify_retry_time ?? defaultMinutes);
}

/** The action `reload`: what the process in the background does, as long as it takes, or as long as it has. */
export async function notifyAgain(ctx: Ctx): Promise<void> {
  const { host, log, params } = ctx;
  const { dir } = await statdHome(host);
  const sources = await sourcesOf(host, params.nfs_ip);
  const silent = await keepTelling(host, dir, sources, params.statd_outgoing_port);
  if (silent.length === 0) return log.info('every client has been notified');
  log.warn(`never confirmed the restart of the server: ${silent.map(({ client }) => client).join(', ')}`);
}

/** nfs_notify_cmd is checked, as the stock agent does, and not used, as there. Throws `Failure`. */
export async function requireNotifyCommand(ctx: Ctx): Promise<void> {
  const { nfs_notify_cmd: command } = ctx.params;
  if (command === undefined) return;
  if (!(await ctx.host.sys.has(command)))
    throw new Failure('notInstalled', `nfs_notify_cmd ${command} is not installed`);
  if (!isNotifyCommand(command))
    throw new Failure('misconfigured', `nfs_notify_cmd="${command}" is neither sm-notify nor rpc.statd`);
}
