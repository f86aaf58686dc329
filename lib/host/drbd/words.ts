// The words DRBD has for its states, of version 9; those of 8.4 are told in the same ones (drbd84.ts). A word that is not among them
// is read as `unknown`, which is never taken for a good one.

const roles = ['Primary', 'Secondary', 'Unknown'] as const;
const disks = [
  'Diskless',
  'Attaching',
  'Detaching',
  'Failed',
  'Negotiating',
  'Inconsistent',
  'Outdated',
  'DUnknown',
  'Consistent',
  'UpToDate',
] as const;
const links = [
  'StandAlone',
  'Disconnecting',
  'Unconnected',
  'Timeout',
  'BrokenPipe',
  'NetworkFailure',
  'ProtocolError',
  'TearDown',
  'Connecting',
  'Connected',
] as const;
const replications = [
  'Off',
  'Established',
  'StartingSyncS',
  'StartingSyncT',
  'WFBitMapS',
  'WFBitMapT',
  'WFSyncUUID',
  'SyncSource',
  'SyncTarget',
  'VerifyS',
  'VerifyT',
  'PausedSyncS',
  'PausedSyncT',
  'Ahead',
  'Behind',
] as const;
/** What suspends I/O: an administrator, data out of reach, a peer that is being fenced, a lost quorum. */
const suspensions = ['user', 'no-data', 'fencing', 'quorum'] as const;
/** What suspends a resync: an administrator here, the peer, a resync that has to come first. */
const pauses = ['user', 'peer', 'dependency'] as const;

/** `Unknown`, of a peer, is DRBD's own word for one that is not connected. */
export type Role = (typeof roles)[number];
export type Disk = (typeof disks)[number] | 'unknown';
/** Of a connection. */
export type Link = (typeof links)[number] | 'unknown';
export type Replication = (typeof replications)[number] | 'unknown';
export type Suspension = (typeof suspensions)[number] | 'unknown';
export type Pause = (typeof pauses)[number] | 'unknown';

/** A role has no `unknown`: an answer with another one is no answer. */
export const roleOf = (word: string | undefined): Role | undefined => roles.find((one) => one === word);
export const diskOf = (word: string): Disk => disks.find((one) => one === word) ?? 'unknown';
export const linkOf = (word: string): Link => links.find((one) => one === word) ?? 'unknown';
export const replicationOf = (word: string): Replication =>
  replications.find((one) => one === word) ?? 'unknown';

/** Comma-separated, `no` for none: `user,quorum`. */
export const suspensionsOf = (words: string): readonly Suspension[] =>
  named(words).map((word) => suspensions.find((one) => one === word) ?? 'unknown');
export const pausesOf = (words: string): readonly Pause[] =>
  named(words).map((word) => pauses.find((one) => one === word) ?? 'unknown');
const named = (words: string): readonly string[] =>
  words.split(',').filter((word) => word !== 'no' && word !== '');

/** Data is being copied, or waits for that. */
export const isSync = (replication: Replication): boolean =>
  /^(?:Sync|PausedSync|Ahead|Behind)/.test(replication);
