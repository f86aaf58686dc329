/** The first volume of a resource, in the words of DRBD 9, which `events2` has on 8.4 too. */
export interface DrbdState {
  role: string;
  disk: string;
  /** StandAlone, Connecting, Connected… */
  connection: string;
  peerRole: string;
  /** Off, Established, SyncSource, SyncTarget… */
  replication: string;
  peerDisk: string;
}

/** Any drbdsetup would load the module. */
export const drbdStateCommand = 'test ! -e /proc/drbd || drbdsetup events2 --now data';

/** Reads the answer to `drbdStateCommand`; nothing there means that the resource is down. */
export function parseDrbdState(text: string): DrbdState | undefined {
  const field = (kind: string, name: string): string | undefined =>
    new RegExp(`^exists ${kind} .*\\b${name}:(\\S+)`, 'm').exec(text)?.[1];
  const role = field('resource', 'role');
  if (role === undefined) return undefined;
  return {
    role,
    disk: field('device', 'disk') ?? 'Diskless',
    connection: field('connection', 'connection') ?? 'StandAlone',
    peerRole: field('connection', 'role') ?? 'Unknown',
    replication: field('peer-device', 'replication') ?? 'Off',
    peerDisk: field('peer-device', 'peer-disk') ?? 'DUnknown',
  };
}

export const isInSync = (state: DrbdState | undefined): boolean =>
  state?.connection === 'Connected' &&
  state.replication === 'Established' &&
  state.disk === 'UpToDate' &&
  state.peerDisk === 'UpToDate';
