import type { Version } from './version.ts';
import type { Disk, Link, Pause, Replication, Role, Suspension } from './words.ts';

/** What the kernel says about one DRBD resource. `unknown` is never "not running". */
export type DrbdState =
  | { readonly is: 'absent-module' }
  | { readonly is: 'absent' }
  | { readonly is: 'unknown'; readonly why: string }
  | Configured;

export type Configured = {
  readonly is: 'configured';
  readonly resource: Resource;
  readonly kernel: Version;
};

export type Resource = {
  readonly name: string;
  /** Of this node; Primary when any volume is (DRBD 8.4 has a role per volume). */
  readonly role: Role;
  /** What froze I/O; empty when nothing did. */
  readonly suspended: readonly Suspension[];
  readonly forceIoFailures: boolean;
  readonly devices: readonly Device[];
  readonly connections: readonly Connection[];
};

export type Device = {
  readonly volume: number;
  readonly minor: number;
  readonly disk: Disk;
  /** Without a disk on purpose. */
  readonly client: boolean;
  readonly quorum: boolean;
  /** DRBD 8.4 only, from /proc/drbd: a promotion can have reached one volume and not the other. */
  readonly role?: Role;
};

export type Connection = {
  /** The peer's name; DRBD 8.4 does not know it and says `peer`. */
  readonly peer: string;
  readonly state: Link;
  /** The peer's. */
  readonly role: Role;
  readonly devices: readonly PeerDevice[];
};

export type PeerDevice = {
  readonly volume: number;
  readonly replication: Replication;
  readonly disk: Disk;
  readonly client: boolean;
  /** What keeps a resync from going on; left out when nothing does. */
  readonly paused?: readonly Pause[];
  /** How far a resync or a verification is, in percent, where that was told along. */
  readonly done?: number;
};

/** Apart from how far a resync is. */
export const isSameState = (one: Resource | DrbdState, other: Resource | DrbdState | undefined): boolean =>
  facts(one) === facts(other);
const facts = (state: Resource | DrbdState | undefined): string | undefined =>
  JSON.stringify(state, (key, value: unknown) => (key === 'done' ? undefined : value));

export const isPrimary = ({ role }: Resource): boolean => role === 'Primary';

/** Volumes of DRBD 8.4 that a promotion did not reach. */
export const secondaryVolumes = ({ role, devices }: Resource): readonly number[] =>
  role === 'Primary'
    ? devices.filter((device) => device.role === 'Secondary').map(({ volume }) => volume)
    : [];

/** A name that drbdadm takes for one resource, and no tool for an option. */
export const isResourceName = (name: string): boolean => nameTrouble(name) === undefined;

/** Why a name cannot be that of a resource; `undefined` when it can. */
export function nameTrouble(name: string): string | undefined {
  if (name === 'all') return 'means every resource to drbdadm';
  if (/^minor-\d+$/.test(name)) return 'means a minor to drbdadm';
  if (/^[^/:]+[/:]/.test(name)) return 'means a volume or a peer of a resource to drbdadm';
  return /^[%+.0-9=@A-Z_a-z][-%+.0-9=@A-Z_a-z]*$/.test(name) ? undefined : 'is not a name DRBD allows';
}
