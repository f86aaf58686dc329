import type { Host } from '../host.ts';
import type { Dump } from './events2.ts';
import { isRole, type Resource } from './state.ts';

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
  /** Of a resync, in percent. */
  readonly done?: number;
};

/** The device lines of 8.4's /proc/drbd. They name neither resource nor volume. */
export function parseProcDrbd(text: string): readonly Minor84[] {
  const found: Minor84[] = [];
  for (const line of text.split('\n')) {
    const progress = /^\s*\[[=>.]*\] (?:sync'ed|verified): *([\d.]+)%/.exec(line)?.[1];
    const syncing = progress === undefined ? undefined : found.pop();
    if (syncing) found.push({ ...syncing, done: Number(progress) });
    const [, minor, cstate = '', role = '', peerRole = '', disk = '', peerDisk = '', io] =
      /^\s*(\d+): cs:(\w+) ro:(\w+)\/(\w+) ds:(\w+)\/(\w+) +[ABC]? +([rs])/.exec(line) ?? [];
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
      });
  }
  return found;
}

/**
 * `drbdsetup sh-status RES` of 8.4: shell assignments, read here and never evaluated, with `_sh_status_process` after each
 * volume. `undefined` for anything incomplete.
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
    });
  }
  if (minors.length === 0) return { resource: undefined };
  return minors.every(({ role }) => isRole(role)) ? { resource: resourceOf(name, minors) } : undefined;
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
      disk,
      role,
      client: false,
      quorum: true,
    })),
    connections: [
      {
        peer: 'peer',
        state: connectionWord(first?.cstate ?? 'StandAlone'),
        role: peerRole ?? 'Unknown',
        devices: minors.map(({ volume, cstate, peerDisk, done }) => ({
          volume,
          replication: replicationWord(cstate),
          disk: peerDisk,
          client: false,
          ...(done !== undefined && { done }),
        })),
      },
    ],
  };
}

/** The states of 8.4's one word in which there is no established connection. */
const unconnected: ReadonlySet<string> = new Set([
  'StandAlone',
  'Disconnecting',
  'Unconnected',
  'Timeout',
  'BrokenPipe',
  'NetworkFailure',
  'ProtocolError',
  'TearDown',
  'WFConnection',
  'WFReportParams',
]);

function connectionWord(cstate: string): string {
  if (cstate === 'WFConnection') return 'Connecting';
  return cstate !== 'WFReportParams' && unconnected.has(cstate) ? cstate : 'Connected';
}

function replicationWord(cstate: string): string {
  if (cstate === 'Connected') return 'Established';
  return unconnected.has(cstate) ? 'Off' : cstate;
}

/** 8.4 calls a volume unconfigured that has neither disk nor network and is not Primary: created, but not in use. */
export const isOnlyCreated = (resource: Resource): boolean =>
  resource.role !== 'Primary' &&
  resource.devices.every(({ disk }) => disk === 'Diskless') &&
  resource.connections.every(({ state }) => state === 'StandAlone');
