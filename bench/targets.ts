import type { Contestant, Figures, Footprint } from './statistics.ts';

/** What was measured of one action in one state of the machine. */
export type Measured = {
  readonly agent: string;
  readonly action: string;
  /** What the resource is like, for people. */
  readonly state: string;
  readonly figures: Readonly<Record<Contestant, Figures>>;
  readonly footprint?: Readonly<Record<Contestant, Footprint>>;
  /** Milliseconds of processor time that the bare runtime takes, measured in the same rounds. */
  readonly bareNode?: number;
};

export type Verdict = {
  readonly what: string;
  readonly is: number;
  readonly limit: number;
  readonly met: boolean;
};

/** Of the native flavour's monitor, as a part of what the stock agent's costs. */
const monitorRatio: Readonly<Record<string, number>> = {
  nfsserver: 0.25,
  Filesystem: 0.3,
  drbd: 0.3,
  IPaddr2: 0.35,
  exportfs: 0.6,
  nfsnotify: 1.3,
};
const commandsOfMonitor: Readonly<Record<string, number>> = { drbd: 1 };
const metadataRatio = 0.35;
const actionsRatio = 0.4;
const bareNodeRatio = 1.25;
const peakMib = 30;

/** The names of rows that are sums over several agents. */
export const allMetadata = 'all six';
export const wholeStack = 'the stack';

/** The promises that a row is to keep, and whether it does. */
export function verdicts({ agent, action, figures, footprint, bareNode }: Measured): readonly Verdict[] {
  const { native, script } = figures;
  const verdict = (what: string, is: number, limit: number) => ({ what, is, limit, met: is <= limit });
  const ratios = (limit: number) => [
    verdict('wall, native / stock', native.wallRatio, limit),
    verdict('CPU, native / stock', native.cpuRatio, limit),
  ];
  const memory = footprint ? [verdict('peak MiB, native', footprint.native.peakKib / 1024, peakMib)] : [];
  if (agent === allMetadata) return ratios(metadataRatio);
  if (agent === wholeStack) return ratios(actionsRatio);
  const limit = monitorRatio[agent];
  if (action !== 'monitor' || limit === undefined) return action === 'meta-data' ? [] : memory;
  return [
    ...ratios(limit),
    ...(footprint
      ? [verdict('commands, native', footprint.native.commands, commandsOfMonitor[agent] ?? 0)]
      : []),
    ...(bareNode === undefined ? [] : [verdict('CPU, script / node', script.cpu / bareNode, bareNodeRatio)]),
    ...memory,
  ];
}
