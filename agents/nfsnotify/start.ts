import { Failure } from '../../lib/contract/outcome.ts';
import { wordsOf } from '../../lib/contract/reason.ts';
import type { Host } from '../../lib/host/host.ts';
import { nfsConf, speaksV3 } from '../../lib/host/nfs/conf.ts';
import { isMarked, markServer, ownThreads } from '../../lib/host/nfs/nfsd-threads.ts';
import {
  advanceNsmState,
  isToldByServer,
  numbered,
  readNsmState,
  retireOlder,
  tallyName,
  waitingClients,
} from '../../lib/host/nfs/nsm-records.ts';
import {
  firstRound,
  notFoundOut,
  serviceHosts,
  usableSources,
  withoutAddress,
} from '../../lib/host/nfs/nsm-round.ts';
import { endSender, leaveSender } from '../../lib/host/nfs/nsm-sender.ts';
import type { ServerMark } from '../../lib/host/nfs/server-mark.ts';
import { statdHome } from '../../lib/host/nfs/state-directory.ts';
import type { ProcessIdentity } from '../../lib/host/process-table.ts';
import { beneath } from '../../lib/host/storage/beneath.ts';
import type { Ctx } from './params.ts';
import { forgetList, reconnectClients } from './reconnect.ts';
import { look, noteDone, sentence } from './seen.ts';
import { currentStatd } from './statd.ts';
import { wanted } from './wanted.ts';

/** An address that Pacemaker starts at the same time, or that IPv6 still checks for duplicates, is there soon. */
const addressMs = 10_000;
/** An rpc.statd that systemd starts again is. */
const statdMs = 2000;

export async function start(ctx: Ctx): Promise<void> {
  const { host, log, memory } = ctx;
  const before = await look(ctx);
  if (before.is === 'notified' || before.is === 'nothing to do') return log.info(sentence(before));
  await noteDone(ctx, undefined);
  await endSender(host, memory);
  await forgetList(ctx);
  // The address serves: whoever waits is called back while the notifications are made ready.
  const calledBack = reconnectClients(ctx).catch((error: unknown) =>
    log.warn(`clients find out later that the server moved: ${wordsOf(error)}`),
  );
  try {
    await tellClients(ctx);
  } finally {
    await calledBack;
  }
}

async function tellClients(ctx: Ctx): Promise<void> {
  const { host, log, memory, request } = ctx;
  const conf = await nfsConf(host);
  const isV4Only = !speaksV3(conf);
  const statd = isV4Only ? await currentStatd(host) : await awaitStatd(host);
  if (!statd && isV4Only) return noteDone(ctx, { nothingToDo: 'NFSv4 only' });
  if (!statd) return leaveToServer(ctx);

  const { dir, owner, mode } = await statdHome(host, conf);
  const { hosts: list, keepState, wait, port, minutes } = wanted(ctx);
  // a name server that is silent takes seconds
  const asked = [beneath(host, dir, 'prepareNotify', { owner, mode }), serviceHosts(host, list)] as const;
  const [{ moved, hasRecords }, hosts] = await Promise.all(asked);
  for (const sentence of moved) log.warn(sentence);
  if (!hasRecords)
    throw new Failure('failed', `${dir}/sm is not there: where does rpc.statd keep its records?`);
  const unknown = notFoundOut(hosts) ?? withoutAddress(hosts);
  if (unknown) throw new Failure('failed', unknown);
  const sources = await usableSources(host, hosts, Math.min(addressMs, host.left() / 4));
  await retireOlder(host, log, dir);
  const clients = await waitingClients(host, dir);
  // A client that hears a new number claims its locks: once for each server, whose grace period is over when a start comes again.
  const isSame = await isNumbered(ctx);
  const isKept = keepState || clients.length === 0 || isSame;
  const state = isKept ? ((await readNsmState(host, dir)) ?? 1) : await advanceNsmState(host, dir, owner);
  if (!isKept) await memory.keep(numbered, await markServer(host));
  const { waiting, unusable } = await firstRound(host, log, dir, sources, clients, {
    name: tallyName('nfsnotify', request.instance),
    state,
    port,
    wait,
  });
  if (unusable.length > 0) throw new Failure('failed', unusable.join('; '));
  await noteDone(ctx, { statd });
  if (waiting.length > 0) await leaveSender(host, memory, minutes);
}

/** Whether this very server has its number already, also by another resource, or by nfsserver's own round. */
async function isNumbered({ host, log, memory }: Ctx): Promise<boolean> {
  const others = (await memory.others()).map(({ kept }) => kept?.[numbered]);
  for (const mark of [await memory.fact(numbered), ...others])
    if (mark !== undefined && (await isMarked(host, mark as ServerMark))) return true;
  return isToldByServer(host, log);
}

async function awaitStatd(host: Host): Promise<ProcessIdentity | undefined> {
  let statd: ProcessIdentity | undefined;
  await host.until(
    async () => {
      statd = await currentStatd(host);
      return statd !== undefined || (await ownThreads(host)) === 0;
    },
    Math.min(statdMs, host.left() / 4),
  );
  return statd;
}

/**
 * An NFS server that lost its rpc.statd is nfsserver's to mend, and its monitor will say so. A start that failed meanwhile would have
 * this node banned until a person cleans up (Pacemaker's start-failure-is-fatal).
 */
async function leaveToServer(ctx: Ctx): Promise<void> {
  if ((await ownThreads(ctx.host)) === 0)
    throw new Failure('failed', 'rpc.statd is not running: the NFS server must be started first');
  ctx.log.warn(sentence({ is: 'waiting for rpc.statd', pid: undefined }));
  await noteDone(ctx, { awaitsStatd: true });
}
