import type { Log } from '../../contract/log.ts';
import type { Host } from '../host.ts';
import type { Ask } from '../jobs.ts';
import { readIfThere } from '../local-files.ts';
import { memoryOf } from '../memory.ts';
import { beneath } from '../storage/beneath.ts';
import { fileNameOf } from '../sys/file-names.ts';
import { isMarked, nfsdBegun } from './nfsd-threads.ts';
import type { Settled, Waiting } from './nsm-jobs.ts';
import type { ServerMark } from './server-mark.ts';
import type { Owner } from './state-directory.ts';

export type { Waiting };

// Network Status Monitor: who holds NFSv3 locks here, and how those hosts learn that the server began anew. statd writes a record
// per client into `sm`; a record of a server that is gone belongs into `sm.bak` until its client has been told. All of it throws
// `Failure`: a record that cannot be read or kept is a client that would never learn.

/**
 * The number in statd's file `state`. `undefined` when there is none. Throws `Failure` when that cannot be found out: a number that
 * clients have heard before tells them nothing.
 */
export const readNsmState = async (host: Host, dir: string): Promise<number | undefined> =>
  (await beneath(host, dir, 'readNsmState', {})) ?? undefined;

/** Takes the next number, on disk and in the kernel, which puts it into every lock request it answers. */
export async function advanceNsmState(host: Host, dir: string, owner: Owner): Promise<number> {
  const state = await beneath(host, dir, 'advance', { owner });
  await tellState(host, state);
  return state;
}

/** The kernel's part of it. */
export const tellState = (host: Host, state: number): Promise<void> =>
  host.sys.poke('/proc/sys/fs/nfs/nsm_local_state', String(state)).catch(() => undefined); // no lockd yet

/**
 * Gives every record its second name in `sm.bak`, where it waits, before the server stops: lockd has statd remove the one in `sm`
 * as it goes down. Whatever clients with delegations of the directory do, it ends within `timeoutMs`.
 */
export const keepRecords = (host: Host, dir: string, timeoutMs: number): Promise<void> =>
  beneath(host, dir, 'keep', { into: 'sm.bak' }, { timeoutMs });

/** Gives the records of a server that runs a second name among the copies, for machines whose statd cannot be made to keep them itself. */
export const copyRecords = (host: Host, dir: string, timeoutMs: number): Promise<void> =>
  beneath(host, dir, 'keep', { into: 'sm.tsha' }, { timeoutMs });

/** Whether a record came to `sm.bak` after a moment, in seconds since 1970. */
export const isRetiredSince = (host: Host, dir: string, since: number): Promise<boolean> =>
  beneath(host, dir, 'hasRetiredSince', { since }, { timeoutMs: 3000 });

/**
 * Retires the records that are older than the NFS server of this machine: left by a server that nobody of ours started or
 * stopped. Younger ones are of clients that have their locks from this server: telling those would cost them their locks.
 */
export async function retireOlder(host: Host, log: Log, dir: string): Promise<void> {
  const since = await nfsdSince(host, log);
  if (since !== undefined) await beneath(host, dir, 'retire', { from: 'sm', notAfter: since });
}

/**
 * When the server began, in seconds since 1970: its oldest thread, or what nfsserver knows of one that has ended since. The moment of boot
 * moves with the clock, and a record's does not: once the clock was set forward, what nfsserver wrote down as it started the server is
 * nearer to the truth.
 */
async function nfsdSince(host: Host, log: Log): Promise<number | undefined> {
  const booted = /^btime (\d+)/m.exec((await readIfThere(host, '/proc/stat')) ?? '')?.[1];
  const oldest = await nfsdBegun(host);
  if (booted === undefined || oldest === undefined) return undefined;
  const { at = Infinity, threadsSince: first = oldest } = (await claimOf(host, log)) ?? {};
  return Math.min(at, Number(booted) + Math.floor(first / ticks));
}

/** agents/nfsserver/instance.ts writes it. */
type Claim = ServerMark & { readonly at?: number };

async function claimOf(host: Host, log: Log): Promise<Claim | undefined> {
  for (const { facts } of await memoryOf(host.sys, 'nfsserver', '', log).others()) {
    const claim = facts['server'] as Claim | undefined;
    if (claim !== undefined && (await isMarked(host, claim))) return claim;
  }
  return undefined;
}

/** Under this name an agent notes which server the number is of that it tells. */
export const numbered = 'numbered';

/** Whether nfsserver has told clients of this very server, under the number that stands in `state`. */
export async function isToldByServer(host: Host, log: Log): Promise<boolean> {
  for (const { facts } of await memoryOf(host.sys, 'nfsserver', '', log).others()) {
    const mark = facts[numbered] as ServerMark | undefined;
    if (mark !== undefined && (await isMarked(host, mark))) return true;
  }
  return false;
}

/** USER_HZ, the unit of /proc's times on every architecture Node runs on. */
const ticks = 100;

/** The clients that are still to be told. */
export const waitingClients = (host: Host, dir: string): Promise<readonly Waiting[]> =>
  beneath(host, dir, 'waiting', {});

/** Whose notes a round's are, as a name of a file. */
export const tallyName = (agent: string, instance: string): string => fileNameOf(`${agent}-${instance}`);

/** A new name beside the list may have to wait for clients with delegations of the directory. */
const settleMs = 5000;

/** Notes who has confirmed, and strikes those off whom nobody else is to tell. Where that fails all stay on record. */
export const settleClients = (host: Host, dir: string, ask: Ask<'settle'>): Promise<Settled> =>
  beneath(host, dir, 'settle', ask, { timeoutMs: settleMs }).catch((error: unknown) => ({
    struck: [],
    awaited: [],
    trouble: error instanceof Error ? error.message : String(error),
  }));
