import type { Host } from '../host.ts';
import type { Resource } from './state.ts';

/** Two nodes whose data has gone two ways: the data generations that DRBD compared when they met. */
export type SplitBrain = {
  /** Empty where the kernel does not name it: 8.4 has but one. */
  readonly peer: string;
  /** Current UUID of the data, 16 hexadecimal digits; empty when the log no longer has it. */
  readonly here: string;
  readonly there: string;
};

/** A split brain that one of DRBD's after-sb policies has ended by giving up one side's changes. */
export type Solved = SplitBrain & { readonly survivor: 'here' | 'there'; readonly second: number };

export type SplitBrainNews = {
  /** Of peers that are not connected, unless a later handshake with them went well. */
  readonly unresolved: readonly SplitBrain[];
  /** Whether the log has a handshake with this peer that went well, after any split brain with it. */
  hasReunion(peer: string): boolean;
  /** The last one. */
  readonly solved: Solved | undefined;
};

/** What a line of the log is told by. */
export type LoggedResource = {
  readonly name: string;
  readonly devices: readonly { readonly minor: number }[];
};

const logMs = 2000;

/** What the kernel's log says; nothing when it cannot be read or has been overwritten. */
export async function splitBrainNews(host: Host, resource: Resource): Promise<SplitBrainNews> {
  const output = await host.tryRun(['dmesg'], { timeoutMs: Math.min(logMs, host.left() / 4) });
  return splitBrainIn(output.stdout, resource);
}

/**
 * Split brains in the kernel's log, of DRBD 8.4 and 9. An unresolved one stays so when an administrator disconnects after it.
 * 8.4 has one peer and does not name it.
 */
export function splitBrainIn(log: string, resource: Resource): SplitBrainNews {
  const unresolved = new Map<string, SplitBrain>();
  const reunited = new Set<string>();
  const uuid = { self: '', peer: '' };
  let solved: Solved | undefined;
  for (const line of log.split('\n')) {
    const place = placeOf(line, resource);
    if (!place) continue;
    const { peer, message, second } = place;
    const [, side, current = ''] = /^(self|peer) ([0-9A-F]{16}):/.exec(message) ?? [];
    if (side === 'self' || side === 'peer') uuid[side] = current;
    const generations = { peer, here: uuid.self, there: uuid.peer };
    const from = /^Split-Brain detected, .*automatically solved\. Sync from (this|peer) node/.exec(
      message,
    )?.[1];
    if (from) solved = { ...generations, survivor: from === 'this' ? 'here' : 'there', second };
    if (isSplit.test(message)) {
      unresolved.set(peer, generations);
      reunited.delete(peer);
    } else if (from || isReunion.test(message)) {
      unresolved.delete(peer);
      unresolved.delete(''); // of 8.4, whose module has been replaced by DRBD 9's since
      reunited.add(peer);
    }
  }
  const lost = resource.connections.filter(({ state }) => state !== 'Connected').map(({ peer }) => peer);
  const found = [...lost, ''].flatMap((peer) => unresolved.get(peer) ?? []);
  return { unresolved: found, hasReunion: (peer) => reunited.has(peer), solved };
}

/**
 * Where a line of the log belongs, `undefined` for another resource's:
 *
 *   [   82.250000] drbd data/0 drbd1 node2: Split-Brain detected but unresolved, dropping connection!      DRBD 9
 *   [   82.250000] block drbd1: Split-Brain detected but unresolved, dropping connection!                  8.4, a volume
 *   [   82.290000] drbd data: conn( Disconnecting -> StandAlone )                                          8.4, the connection
 *   (1)            (2)  (3)         (4)    (5)
 *
 * (1) seconds since boot  (2) who speaks  (3) resource, volume, minor  (4) the peer  (5) the message
 */
export function placeOf(line: string, { name, devices }: LoggedResource) {
  const [, time = '', text = ''] = /^(?:<\d+>)?\[ *([\d.]+)\] (.*)$/.exec(line) ?? [];
  const [, kind, words = '', message = ''] = /^(drbd|block) ([^:]*): (.*)$/.exec(text) ?? [];
  const [first = '', ...rest] = words.split(' ');
  const isOurs =
    kind === 'drbd'
      ? first === name || first.startsWith(`${name}/`)
      : devices.some(({ minor }) => first === `drbd${minor}`);
  if (!isOurs) return undefined;
  const peer = (kind === 'drbd' ? rest[first.includes('/') ? 1 : 0] : undefined) ?? '';
  return { peer, message, second: Number(time) };
}

/** The handler's end is the last trace where the message itself is no longer in the buffer. */
const isSplit = /^Split-Brain detected but unresolved|^helper command: \S+ split-brain(?: |$)/;
const isReunion =
  /repl\( \w+ -> (?:Established|WFBitMap|Sync)|conn\( WFReportParams -> (?:Connected|WFBitMap|Sync)/;

/** The most that each side can have changed since they parted, and when they met again, in seconds of uptime. */
export type ChangedAlone = { readonly hereKiB: number; readonly thereKiB: number; readonly second: number };

/**
 * The amounts of the last handshake with this peer that ended in a split brain: `self 0123456789ABCDE0:…:… bits:64 flags:0` and the peer's, in blocks
 * of the bitmap, of all volumes together. 4 KiB each; DRBD 9.3 can be told otherwise, and then does not say so here.
 */
export function changedAlone(log: string, resource: Resource, peer: string): ChangedAlone | undefined {
  const bits = { self: new Map<string, number>(), peer: new Map<string, number>() };
  let last: ChangedAlone | undefined;
  for (const line of log.split('\n')) {
    const place = placeOf(line, resource);
    if (!place || (place.peer !== '' && place.peer !== peer)) continue;
    const [, side, count] = /^(self|peer) [0-9A-F]{16}:.* bits:(\d+)/.exec(place.message) ?? [];
    const volume = /\b(?:block )?(drbd\d+)\b/.exec(line)?.[1] ?? '';
    if (side === 'self' || side === 'peer') bits[side].set(volume, Number(count));
    if (/^Split-Brain detected but unresolved/.test(place.message))
      last = { hereKiB: sumOf(bits.self) * 4, thereKiB: sumOf(bits.peer) * 4, second: place.second };
  }
  return last;
}

const sumOf = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, one) => sum + one, 0);

/** When a node was Primary last, in seconds of uptime; null at an end that the log does not tell. */
export type PrimaryTime = { readonly from: number | null; readonly until: number | null };

/**
 * Of this node, by the log's `role( Secondary -> Primary )`; `undefined` when it tells of none. Of a resource with several volumes 8.4 has a
 * line for each: the first one and the last one count.
 */
export function lastPrimaryTime(log: string, resource: Resource): PrimaryTime | undefined {
  let last: PrimaryTime | undefined;
  for (const line of log.split('\n')) {
    const place = placeOf(line, resource);
    const [, before, after] = /(?:^|\s)role\( (\w+) -> (\w+) \)/.exec(place?.message ?? '') ?? [];
    if (!place || before === after) continue;
    if (after === 'Primary') {
      if (last === undefined || last.until !== null) last = { from: place.second, until: null };
    } else if (before === 'Primary') last = { from: last?.from ?? null, until: place.second };
  }
  return last;
}
