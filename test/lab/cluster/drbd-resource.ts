import { addressOf, nodes } from '../settings.ts';
import { drbdDevice } from './configuration.ts';
import { lowerDisk } from './disk.ts';

export interface DrbdOptions {
  /** Further lines of the section `net` or `handlers`. */
  net?: string[];
  handlers?: string[];
  /** dont-care unless given. DRBD 9 has it in `net`, 8.4 in `disk`. */
  fencing?: 'resource-only' | 'resource-and-stonith';
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

export type Generation = 8 | 9;

/** The seed's resource on the lab's nodes, as a file for /etc/drbd.d. */
export function resourceFile(options: DrbdOptions = {}, generation: Generation = 8): string {
  const { net = [], handlers = [], resyncRate = resyncMegabytes, noticesWithin = 3 } = options;
  const fencing = options.fencing ? [`fencing ${options.fencing};`] : [];
  const body = [
    'protocol C;',
    `device ${drbdDevice};`,
    `disk ${lowerDisk};`,
    'meta-disk internal;',
    ...section('net', [...patience(noticesWithin), ...net, ...(generation === 9 ? fencing : [])]),
    ...section('disk', [
      'c-plan-ahead 0;',
      `resync-rate ${resyncRate}M;`,
      `c-max-rate ${resyncRate}M;`, // without which DRBD 9 goes as fast as it can
      ...(generation === 8 ? fencing : []),
    ]),
    ...section('handlers', handlers),
    ...nodes.flatMap((node) => section(`on ${node}`, [`address ${addressOf(node, 'replication')}:7789;`])),
  ];
  return ['resource data {', ...body.map((line) => `  ${line}`), '}', ''].join('\n');
}

/** A shell command that writes it, for the DRBD that is loaded; drbdadm adjust makes it so. */
export function configure(options: DrbdOptions = {}): string {
  const written = (generation: Generation) =>
    `cat > ${resourcePath} <<'END'\n${resourceFile(options, generation)}END\n`;
  return options.fencing ? `if ${isDrbd9}; then\n${written(9)}else\n${written(8)}fi\n` : written(8);
}

/** A shell command that succeeds where DRBD 9 is loaded. */
export const isDrbd9 = "grep -qs '^version: 9' /proc/drbd";
