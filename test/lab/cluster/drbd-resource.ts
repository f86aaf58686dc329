import { addressOf, nodes } from '../settings.ts';
import { drbdDevice } from './configuration.ts';
import { lowerDisk } from './disk.ts';

export interface DrbdOptions {
  /** Further lines of the section `net`, `disk` or `handlers`. */
  net?: string[];
  disk?: string[];
  handlers?: string[];
  /** Seconds; by default enough for a loaded machine, and short for a person. */
  noticesWithin?: number;
  /** Megabytes per second; by default slow enough to be seen. */
  resyncRate?: number;
}

/** Per second. */
export const resyncMegabytes = 5;

export const resourcePath = '/etc/drbd.d/data.res';

/** DRBD's default is 10 for all of these: seconds between tries, and until a link or a peer counts as dead. */
const patience = (seconds: number): string[] => [
  `timeout ${seconds * 8};`,
  `ping-int ${seconds};`,
  `ping-timeout ${seconds * 7};`,
  `connect-int ${seconds};`,
];

const section = (name: string, lines: string[] = []): string[] =>
  lines.length > 0 ? [`${name} {`, ...lines.map((line) => `  ${line}`), '}'] : [];

/** The seed's resource on the lab's nodes, as a file for /etc/drbd.d. */
export function resourceFile(options: DrbdOptions = {}): string {
  const { net = [], disk = [], handlers = [], resyncRate = resyncMegabytes, noticesWithin = 3 } = options;
  const body = [
    'protocol C;',
    `device ${drbdDevice};`,
    `disk ${lowerDisk};`,
    'meta-disk internal;',
    ...section('net', [...patience(noticesWithin), ...net]),
    ...section('disk', ['c-plan-ahead 0;', `resync-rate ${resyncRate}M;`, ...disk]),
    ...section('handlers', handlers),
    ...nodes.flatMap((node) => section(`on ${node}`, [`address ${addressOf(node, 'replication')}:7789;`])),
  ];
  return ['resource data {', ...body.map((line) => `  ${line}`), '}', ''].join('\n');
}

/** A shell command that writes it; drbdadm adjust makes it so. */
export const configure = (options?: DrbdOptions): string =>
  `cat > ${resourcePath} <<'END'\n${resourceFile(options)}END\n`;
