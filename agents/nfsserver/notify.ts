import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import { markServer } from '../../lib/host/nfs/nfsd-threads.ts';
import { numbered, readNsmState, tallyName, waitingClients } from '../../lib/host/nfs/nsm-records.ts';
import {
  firstRound,
  notFoundOut,
  serviceHosts,
  usableSources,
  withoutAddress,
} from '../../lib/host/nfs/nsm-round.ts';
import { keepTelling, leaveSender } from '../../lib/host/nfs/nsm-sender.ts';
import { statdHome } from '../../lib/host/nfs/state-directory.ts';
import type { Ctx } from './params.ts';
import { isNotifyCommand } from './rules.ts';
import type { Survey } from './survey.ts';

const defaultMinutes = 15;
/** The address and the exports, which all clients need, start after this. */
const lookUpMs = 2000;

/** Tells NFSv3 clients that the server began anew. A client that cannot be told is no reason to keep all others from their files. */
export async function notify(ctx: Ctx, { v3 }: Survey): Promise<void> {
  const { host, log, memory, params } = ctx;
  if (params.nfs_no_notify || !v3) return;
  const { dir } = await statdHome(host);
  const clients = await waitingClients(host, dir);
  if (clients.length === 0) return;
  await memory.note(numbered, await markServer(host));
  const minutes = params.nfs_smnotify_retry_time ?? defaultMinutes;
  const hosts = await serviceHosts(host, params.nfs_ip, lookUpMs);
  const trouble = notFoundOut(hosts);
  if (trouble) {
    log.warn(`clients are notified later, in the background: ${trouble}`);
    return leaveSender(host, memory, minutes);
  }
  const unknown = withoutAddress(hosts);
  if (unknown) log.warn(`clients are not notified from every nfs_ip: ${unknown}`);
  const sources = await usableSources(host, hosts, 0);
  const { waiting, unusable } = await firstRound(host, log, dir, sources, clients, {
    name: nameOf(ctx),
    wait: params.nfs_notify_foreground,
    state: (await readNsmState(host, dir)) ?? 1,
    port: params.statd_outgoing_port,
  });
  for (const reason of unusable)
    log.warn(`${reason}; a tsha:nfsnotify resource after the address would notify from there`);
  if (waiting.length > 0 && unusable.length < sources.length) await leaveSender(host, memory, minutes);
}

/**
 * The action `reload`, as which the sender in the background calls this agent: it tells the clients that have not answered yet, until
 * all have or the action's time is up.
 */
export const notifyAgain = (ctx: Ctx): Promise<void> =>
  keepTelling(ctx, nameOf(ctx), ctx.params.nfs_ip, ctx.params.statd_outgoing_port);

const nameOf = ({ request }: Ctx): string => tallyName('nfsserver', request.instance);

/** Throws `Failure` for a name in nfs_ip that has no address, or whose address cannot be found out: nobody could be notified from it. */
export async function requireAddresses(host: Host, names: Ctx['params']['nfs_ip']): Promise<void> {
  const hosts = await serviceHosts(host, names);
  const trouble = notFoundOut(hosts);
  if (trouble) throw new Failure('failed', `nfs_ip: ${trouble}`);
  const unknown = withoutAddress(hosts);
  if (unknown) throw new Failure('misconfigured', `nfs_ip: ${unknown}`);
}

/** nfs_notify_cmd is checked, as the stock agent does, and not used, as there. Throws `Failure`. */
export async function requireNotifyCommand(host: Host, command: string | undefined): Promise<void> {
  if (command === undefined) return;
  if (!(await host.sys.has(command)))
    throw new Failure('notInstalled', `nfs_notify_cmd ${command} is not installed`);
  if (!isNotifyCommand(command))
    throw new Failure('misconfigured', `nfs_notify_cmd="${command}" is neither sm-notify nor rpc.statd`);
}
