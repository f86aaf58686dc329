import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import type { Memory } from '../../lib/host/memory.ts';
import type { Change } from '../../lib/host/nfs/client-list.ts';
import { holdsAnything, leaseSeconds, type OldClient, oldClients } from '../../lib/host/nfs/clients.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { beneath } from '../../lib/host/storage/beneath.ts';
import type { Ctx } from './params.ts';

// NFSv4.0 clients on nfsdcld's list of who may claim at the next start. The kernel puts one there with the OPEN_CONFIRM of its first
// file (Linux 7.2). A client that has claimed its files sends none any more: it would lose its locks at the second move.
//
// Nobody may claim whose lease was over: others may have had his locks since. The kernel takes only those off the list that it has put
// there, so this agent takes off whoever it has put there, before the lease can end.

const fact = 'on nfsdcld’s list';
const patienceMs = 5000;

/** The share of a lease after which a silent client is taken off. A Linux client renews its lease after two thirds. */
const freshShare = 0.8;

type Listed = {
  /** Whom this agent has put on the list of the server that runs: at most these, and all of them once it is `settled`. */
  readonly names: readonly string[];
  readonly settled: boolean;
  /** Of that server, in seconds. */
  readonly lease: number;
};

/** A server that has just started has a new list. */
export const beginList = (memory: Memory): Promise<void> => memory.hint(fact, undefined);

/** A monitor's part of it: whoever holds something and renews its lease is on the list. Never fails. */
export async function keepOnList(ctx: Ctx): Promise<void> {
  await warned(ctx, async () => {
    const { host, memory } = ctx;
    const all = await oldClients(host);
    const before = await memory.fact<Listed>(fact);
    if (all.length === 0 && before === undefined) return;
    // an earlier version noted 0 for a lease that it could not read
    const { names, settled, lease } =
      before !== undefined && before.lease > 0 ? before : await noted(ctx, before);
    const wanted: string[] = [];
    for (const one of all)
      if (isFresh(one, lease) && (names.includes(one.name) || (await holdsAnything(host, one.id))))
        wanted.push(one.name);
    const add = settled ? wanted.filter((name) => !names.includes(name)) : wanted;
    const remove = names.filter((name) => !wanted.includes(name));
    if (add.length === 0 && remove.length === 0) return;
    // before it is done: whoever is on the list unknown to us would never be taken off
    await memory.hint(fact, { names: [...names, ...add], settled: false, lease } satisfies Listed);
    await changeList(host, { add, remove });
    await memory.hint(fact, { names: wanted, settled: true, lease } satisfies Listed);
  });
}

/** A stop's part: it knows all who hold something, and no lease ends any more. Never fails. */
export async function completeList(ctx: Ctx): Promise<void> {
  await warned(ctx, async () => {
    const add: string[] = [];
    for (const { id, name, status } of await oldClients(ctx.host))
      if (/^(?:confirmed|courtesy)$/.test(status) && (await holdsAnything(ctx.host, id))) add.push(name);
    if (add.length > 0) await changeList(ctx.host, { add, remove: [] });
  });
}

/** The lease is asked for once: a steady monitor starts no process. */
async function noted({ host, memory }: Ctx, before: Listed | undefined): Promise<Listed> {
  const lease = await leaseSeconds(host);
  if (lease === undefined) throw new Failure('failed', 'nfsd does not tell its lease');
  const listed: Listed = { names: [], settled: true, ...before, lease };
  await memory.hint(fact, listed);
  return listed;
}

/** Where the kernel does not tell when a lease was renewed, nobody can be taken off in time: there only a stop writes the list. */
const isFresh = ({ status, silentFor = Number.POSITIVE_INFINITY }: OldClient, lease: number): boolean =>
  status === 'confirmed' && silentFor < lease * freshShare;

const changeList = (host: Host, change: Change) =>
  beneath(host, stateRoot, 'changeClientList', change, { timeoutMs: patienceMs });

async function warned({ log }: Ctx, work: () => Promise<void>): Promise<void> {
  await work().catch((error: Error) => {
    if (!(error instanceof Failure)) throw error;
    log.warn(
      `NFSv4.0 clients that have claimed their locks may lose them at the next move: ${error.message}`,
    );
  });
}
