import type { Host } from '../host.ts';
import type { Dump } from './events2.ts';
import type { Resource } from './state.ts';
import { diskOf, type Link, linkOf, type Pause, type Replication, replicationOf, roleOf } from './words.ts';

// DRBD 8.4 tells its state per minor, with one word for connection and replication, and knows exactly one peer.

/** One minor as 8.4 describes it, `local/peer`. */
export type Minor84 = {
  readonly minor: number;
  readonly volume: number;
  readonly cstate: string;
  readonly role: string;
  readonly peerRole: string;
  readonly disk: string;
  readonly peerDisk: string;
  readonly suspended: boolean;
  /** What suspends a resync. */
  readonly paused: readonly Pause[];
  /** Of a resync, in percent. */
  readonly done?: number;
};

/*
 *  1: cs:PausedSyncT ro:Secondary/Primary ds:Inconsistent/UpToDate C r-p---
 *     ns:0 nr:5612 dw:5612 …
 *     [>....................] sync'ed:  2.1% (388180/393168)K
 * (1)(2)            (3)                  (4)                   (5)(6)  (7)
 *
 * (1) minor  (2) connection and replication in one word  (3) role and (4) disk, `here/there`  (5) protocol, a blank when not connected
 * (6) flags: I/O runs or is suspended (r, s); a resync waits for another one, is paused by the peer, by a user (a, p, u); two more
 * (7) how far a resync or a verification is, on a later line
 */
const minorLine =
  /^\s*(\d+): cs:(\w+) ro:(\w+)\/(\w+) ds:(\w+)\/(\w+) +(?:[ABC] +)?([rs])([a-]?)([p-]?)([u-]?)/;
const progressLine = /^\s*\[[=>.]*\] (?:sync'ed|verified): *([\d.]+)%/;

/** The device lines of 8.4's /proc/drbd. They name neither resource nor volume. */
export function parseProcDrbd(text: string): readonly Minor84[] {
  const found: Minor84[] = [];
  for (const line of text.split('\n')) {
    const progress = progressLine.exec(line)?.[1];
    const syncing = progress === undefined ? undefined : found.pop();
    if (syncing) found.push({ ...syncing, done: Number(progress) });
    const [, minor, cstate = '', role = '', peerRole = '', disk = '', peerDisk = '', io, ...flags] =
      minorLine.exec(line) ?? [];
    if (minor !== undefined)
      found.push({
        minor: Number(minor),
        volume: 0,
        cstate,
        role,
        peerRole,
        disk,
        peerDisk,
        suspended: io === 's',
        paused: pauses84.flatMap(([flag, pause]) => (flags.includes(flag) ? [pause] : [])),
      });
  }
  return found;
}

/** In the order in which drbdsetup names them. */
const pauses84 = [
  ['u', 'user'],
  ['p', 'peer'],
  ['a', 'dependency'],
] as const;

/**
 * `drbdsetup sh-status RES` of 8.4: shell assignments, read here and never evaluated, with `_sh_status_process` after each
 * volume (`_minor=1`, `_res_name=data`, `_known=Configured`, `_cstate=Connected`, `_role=Secondary`, …). `undefined` for anything
 * incomplete.
 */
export function parseShStatus(text: string, name: string): Dump | undefined {
  const volumes = text.split(/^_sh_status_process\b.*$/m);
  const rest = volumes.pop();
  if (volumes.length === 0 || rest?.trim()) return undefined;
  const minors: Minor84[] = [];
  for (const assignments of volumes) {
    const value = (key: string) =>
      new RegExp(`^_${key}=(.*)$`, 'm').exec(assignments)?.[1]?.replace(/^'(.*)'$/, '$1') ?? '';
    if (value('res_name') !== name) continue;
    if (value('known') === 'NA') continue;
    minors.push({
      minor: Number(value('minor')),
      volume: Math.max(0, Number(value('volume'))),
      cstate: value('known') === 'Configured' ? value('cstate') : 'StandAlone',
      role: value('role') || 'Secondary',
      peerRole: value('peer') || 'Unknown',
      disk: value('disk') || 'Diskless',
      peerDisk: value('pdsk') || 'DUnknown',
      suspended: value('flags_susp') === '1',
      paused: [],
    });
  }
  if (minors.length === 0) return { resource: undefined };
  return minors.every(({ role }) => roleOf(role)) ? { resource: resourceOf(name, minors) } : undefined;
}

const debugfs = '/sys/kernel/debug/drbd';

/**
 * One resource from /proc/drbd alone, without a command: debugfs says which minors are its volumes. `undefined` where that is
 * not certain, also when the resource is not there at all: then drbdsetup is asked.
 */
export async function resourceInProc(host: Host, name: string, proc: string): Promise<Resource | undefined> {
  const volumes = await host.sys.list(`${debugfs}/resources/${name}/volumes`).catch(() => []);
  const mine: Minor84[] = [];
  for (const minor of volumes.length > 0 ? parseProcDrbd(proc) : []) {
    const link = await host.sys.target(`${debugfs}/minors/${minor.minor}`).catch(() => '');
    const [, resource, volume] = /^\.\.\/resources\/(.+)\/volumes\/(\d+)$/.exec(link) ?? [];
    if (resource === name && !minor.suspended) mine.push({ ...minor, volume: Number(volume) });
  }
  const complete = mine.length > 0 && mine.length === volumes.length;
  return complete ? resourceOf(name, mine) : undefined;
}

/** 8.4's minors of one resource in DRBD 9's terms. */
export function resourceOf(name: string, minors: readonly Minor84[]): Resource {
  const [first] = minors;
  const peerRole = minors.find((minor) => minor.peerRole === 'Primary')?.peerRole ?? first?.peerRole;
  return {
    name,
    role: minors.some(({ role }) => role === 'Primary') ? 'Primary' : 'Secondary',
    suspended: minors.some((minor) => minor.suspended) ? ['user'] : [],
    forceIoFailures: false,
    devices: minors.map(({ volume, minor, disk, role }) => ({
      volume,
      minor,
      disk: diskOf(disk),
      role: roleOf(role) ?? 'Unknown',
      client: false,
      quorum: true,
    })),
    connections: [
      {
        peer: 'peer',
        state: linkIn84(first?.cstate ?? 'StandAlone'),
        role: roleOf(peerRole) ?? 'Unknown',
        devices: minors.map(({ volume, cstate, peerDisk, paused, done }) => ({
          volume,
          replication: replicationIn84(cstate),
          disk: diskOf(peerDisk),
          client: false,
          ...(paused.length > 0 && { paused }),
          ...(done !== undefined && { done }),
        })),
      },
    ],
  };
}

/** 8.4's one word without an established connection: as 9 names it, or one of 8.4's own for a handshake that is going on. */
function linkIn84(cstate: string): Link {
  if (cstate === 'WFConnection') return 'Connecting';
  const link = linkOf(cstate);
  return link === 'unknown' ? 'Connected' : link;
}

function replicationIn84(cstate: string): Replication {
  if (cstate === 'Connected') return 'Established';
  if (cstate === 'WFConnection' || cstate === 'WFReportParams' || linkOf(cstate) !== 'unknown') return 'Off';
  return replicationOf(cstate);
}

/** 8.4 calls a volume unconfigured that has neither disk nor network and is not Primary: created, but not in use. */
export const isOnlyCreated = (resource: Resource): boolean =>
  resource.role !== 'Primary' &&
  resource.devices.every(({ disk }) => disk === 'Diskless') &&
  resource.connections.every(({ state }) => state === 'StandAlone');
