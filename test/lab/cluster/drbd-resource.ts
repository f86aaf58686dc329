import { addressOf, nodes } from '../settings.ts';
import { drbdDevice } from './configuration.ts';
import { lowerDisk } from './disk.ts';

export interface DrbdOptions {
  /** Further lines of the section `net`, `disk` or `handlers`. */
  net?: string[];
  disk?: string[];
  handlers?: string[];
}

/** Per second. Slow enough to be seen. */
export const resyncMegabytes = 5;

export const resourcePath = '/etc/drbd.d/data.res';

/** Death of a peer or a link is noticed within seconds; everything else is DRBD's default. */
const impatient = ['timeout 25;', 'ping-int 3;', 'ping-timeout 20;', 'connect-int 3;'];

const section = (name: string, lines: string[] = []): string[] =>
  lines.length > 0 ? [`${name} {`, ...lines.map((line) => `  ${line}`), '}'] : [];

/** The seed's resource on the lab's nodes, as a file for /etc/drbd.d. */
export function resourceFile({ net = [], disk = [], handlers = [] }: DrbdOptions = {}): string {
  const body = [
    'protocol C;',
    `device ${drbdDevice};`,
    `disk ${lowerDisk};`,
    'meta-disk internal;',
    ...section('net', [...impatient, ...net]),
    ...section('disk', ['c-plan-ahead 0;', `resync-rate ${resyncMegabytes}M;`, ...disk]),
    ...section('handlers', handlers),
    ...nodes.flatMap((node) => section(`on ${node}`, [`address ${addressOf(node, 'replication')}:7789;`])),
  ];
  return ['resource data {', ...body.map((line) => `  ${line}`), '}', ''].join('\n');
}
