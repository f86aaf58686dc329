import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';

export const suites = ['bookworm', 'trixie'] as const;
export type Suite = (typeof suites)[number];

/** What is played on a cluster of its own: the story of the demo and the tests, or the faults of one part of the stack. */
export const campaigns = [
  'failover',
  'drbd',
  'nfs',
  'operate',
  'operating',
  'tutorial',
  'build',
  'migrate',
  'seed',
  'packages',
  'report',
  'faults',
  'fenced',
  'pause',
  'detection',
] as const;
export type CampaignName = (typeof campaigns)[number];

export interface LabName {
  suite: Suite;
  campaign: CampaignName;
}

/** Whose agents: both flavours of ours, or Debian's own, on a plain system or with the systemd drop-ins they need to work at all. */
export type Provider = 'native' | 'script' | 'stock' | 'stock-helped';
export const isStock = (provider: Provider): boolean => provider.startsWith('stock');

export const orders = ['recommended', 'seed'] as const;
export type Order = (typeof orders)[number];

/**
 * Seconds a new server waits for the clients of the old one, and for a client that is silent: as recommended; for a busy host, where
 * everything takes three times as long; or as the kernel has it (NFSv3 locks: 50 s).
 */
export const graces = [15, 45, 90] as const;
export type Grace = (typeof graces)[number];

export const nodes = ['node1', 'node2'] as const;
export type NodeName = (typeof nodes)[number];

/**
 * The rival is a second client machine: the kernel's NFS client is one lock owner per machine. The newcomer is one that the server has
 * not met.
 */
export const machines = [...nodes, 'client', 'rival', 'newcomer'] as const;
export type MachineName = (typeof machines)[number];

/** Those a campaign boots: DRBD, packages and corosync need no clients, the tutorial one. */
export function machinesOf(campaign: CampaignName): readonly MachineName[] {
  if (['drbd', 'packages', 'operating', 'detection'].includes(campaign)) return nodes;
  if (['tutorial', 'build', 'report'].includes(campaign)) return [...nodes, 'client'];
  return campaign === 'pause' ? machines : [...nodes, 'client', 'rival'];
}

export const networks = ['cluster', 'replication', 'management'] as const;
export type NetworkName = (typeof networks)[number];

/** Last byte of a machine's address on every network; files/etc/hosts and the DRBD and corosync files say the same. */
export const hostNumber: Record<MachineName, number> = {
  node1: 11,
  node2: 12,
  client: 13,
  rival: 14,
  newcomer: 15,
};
export const serviceAddress = '10.77.0.20';

export const addressOf = (machine: MachineName, network: NetworkName): string =>
  `10.77.${networks.indexOf(network)}.${hostNumber[machine]}`;

export const peerOf = (node: NodeName): NodeName => (node === 'node1' ? 'node2' : 'node1');

export const labFolder = import.meta.dirname;
export const projectFolder = resolve(labFolder, '../..');
export const stateFolder = resolve(process.env['TSHA_LAB_DIR'] ?? join(projectFolder, '.cache/lab'));

export const hash = (...parts: (string | Buffer)[]): string => {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part).update('\0');
  return sum.digest('hex').slice(0, 12);
};

/** One lab per campaign, suite and state folder. Sockets need a short path (108 bytes) that the UML kernel's own root shares with the host. */
export const instance = ({ suite, campaign }: LabName) => {
  const id = `${suite}-${campaign}-${hash(stateFolder).slice(0, 6)}`;
  return {
    name: `${suite} ${campaign}`,
    namespace: `tsha-lab-${id}`,
    sockets: `/dev/shm/tsha-lab-${id}`,
    folder: join(stateFolder, 'run', suite, campaign),
  };
};
export type Instance = ReturnType<typeof instance>;
