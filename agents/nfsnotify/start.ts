import { Failure } from '../../lib/contract/outcome.ts';
import { nfsConf, speaksV3 } from '../../lib/host/nfs/conf.ts';
import {
  advanceNsmState,
  readNsmState,
  retireOlder,
  waitingClients,
} from '../../lib/host/nfs/nsm-records.ts';
import { awaitSources, notifyRound, sourcesOf } from '../../lib/host/nfs/nsm-round.ts';
import { endSender, keepTelling, leaveSender } from '../../lib/host/nfs/nsm-sender.ts';
import { statdHome } from '../../lib/host/nfs/state-directory.ts';
import { pathFacts } from '../../lib/host/storage/managed-files.ts';
import { reconnectClients } from './connections.ts';
import { currentStatd, mark, verdict } from './marker.ts';
import { type Options, readOptions } from './options.ts';
import type { Ctx } from './params.ts';

/** Most clients answer within milliseconds; the others are told again in the background. */
const firstRoundMs = 2000;
/** An address that Pacemaker starts at the same time, or that IPv6 still checks for duplicates, is there soon. */
const addressMs = 10_000;
/** With -d: what stays for the work after the last answer. */
const reserveMs = 3000;

export async function start(ctx: Ctx): Promise<void> {
  const { host, log, memory, params } = ctx;
  if ((await verdict(ctx).catch(() => 'failed')) === 'ok')
    return log.info('the clients were notified already');
  await mark(ctx, undefined);
  await endSender(host, memory);
  await reconnectClients(ctx);

  const conf = await nfsConf(host);
  const statd = await currentStatd(host);
  if (!statd && !speaksV3(conf)) {
    log.info('the server speaks NFSv4 only: there is nobody to notify');
    return mark(ctx, { nothingToDo: 'NFSv4 only' });
  }
  if (!statd) throw new Failure('failed', 'rpc.statd is not running: the NFS server must be started first');

  const { dir, owner } = await statdHome(host, conf);
  if ((await pathFacts(host, `${dir}/sm`))?.kind !== 'directory')
    throw new Failure('failed', `${dir}/sm is not there: where does rpc.statd keep its records?`);
  const options = optionsOf(ctx);
  const sources = await sourcesOf(host, params.source_host);
  await awaitSources(host, sources, Math.min(addressMs, host.left() / 4));
  await retireOlder(host, dir);
  const clients = await waitingClients(host, dir);
  // a new number for a new notification, unless nobody waits for one or the administrator keeps it
  const isKept = options.keepState || clients.length === 0;
  const state = isKept ? ((await readNsmState(host, dir)) ?? 1) : await advanceNsmState(host, dir, owner);
  const withinMs = options.wait ? host.left() - reserveMs : firstRoundMs;
  const { port } = options;
  const { told, waiting, unusable } = await notifyRound(host, dir, sources, clients, {
    state,
    port,
    withinMs,
  });
  log.info(`${told.length} clients notified, ${waiting.length} have not answered yet`);
  if (unusable.length > 0) throw new Failure('failed', unusable.join('; '));
  await mark(ctx, { statd });
  if (waiting.length > 0) await leaveSender(host, memory, options.minutes);
}

/** What the process in the background does: as long as it takes, or as long as it has. */
export async function again({ host, log, params }: Ctx): Promise<void> {
  const { dir } = await statdHome(host);
  const sources = await sourcesOf(host, params.source_host);
  const silent = await keepTelling(host, dir, sources, optionsOf({ params }).port);
  if (silent.length === 0) return log.info('every client has been notified');
  log.warn(`never confirmed the restart of the server: ${silent.map(({ client }) => client).join(', ')}`);
}

/** The rules have refused what cannot be read. */
function optionsOf({ params }: Pick<Ctx, 'params'>): Options {
  const options = readOptions(params.notify_args);
  if (typeof options === 'string') throw new Failure('misconfigured', options);
  return options;
}
