export interface DrbdState {
  connection: string;
  role: string;
  disk: string;
  peerDisk: string;
}

/** Reads minor 1 out of /proc/drbd as DRBD 8.4 writes it; nothing there means that the resource is down. */
export function parseProcDrbd(text: string): DrbdState | undefined {
  const found = /^ *1: cs:(\S+) ro:([^/\s]+)\/\S+ ds:([^/\s]+)\/(\S+)/m.exec(text);
  if (!found) return undefined;
  const [, connection = '', role = '', disk = '', peerDisk = ''] = found;
  return { connection, role, disk, peerDisk };
}

export const isInSync = (state: DrbdState | undefined): boolean =>
  state?.connection === 'Connected' && state.disk === 'UpToDate' && state.peerDisk === 'UpToDate';
