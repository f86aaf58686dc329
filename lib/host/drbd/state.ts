import type { Version } from './version.ts';

/** What the kernel says about one DRBD resource. `unknown` is never "not running". */
export type DrbdState =
  | { readonly kind: 'absent-module' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly why: string }
  | Configured;

export type Configured = {
  readonly kind: 'configured';
  readonly resource: Resource;
  readonly kernel: Version;
};

export type Resource = {
  readonly name: string;
  /** Of this node: Primary, Secondary; Primary when any volume is (DRBD 8.4 has a role per volume). */
  readonly role: string;
  /** What froze I/O: user, no-data, fencing, quorum. */
  readonly suspended: readonly string[];
  readonly forceIoFailures: boolean;
  readonly devices: readonly Device[];
  readonly connections: readonly Connection[];
};

export type Device = {
  readonly volume: number;
  readonly minor: number;
  /** UpToDate, Consistent, Outdated, Inconsistent, Negotiating, Attaching, Detaching, Failed, Diskless. */
  readonly disk: string;
  /** Without a disk on purpose. */
  readonly client: boolean;
  readonly quorum: boolean;
  /** DRBD 8.4 only, from /proc/drbd: a promotion can have reached one volume and not the other. */
  readonly role?: string;
};

export type Connection = {
  /** The peer's name; DRBD 8.4 does not know it and says `peer`. */
  readonly peer: string;
  /** Connected, Connecting, StandAlone… in DRBD 9's words, also for 8.4. */
  readonly state: string;
  readonly role: string;
  readonly devices: readonly PeerDevice[];
};

export type PeerDevice = {
  readonly volume: number;
  /** Established, SyncSource, SyncTarget, Off… */
  readonly replication: string;
  /** As `Device.disk`, and DUnknown. */
  readonly disk: string;
  readonly client: boolean;
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

const roles: ReadonlySet<string> = new Set(['Primary', 'Secondary', 'Unknown']);
export const isRole = (word: string | undefined): word is string => word !== undefined && roles.has(word);

/** A name that a resource can have: the stock agent's characters, and nothing that a tool takes for an option. */
export const isResourceName = (name: string): boolean =>
  /^[%+./0-9:=@A-Z_a-z][-%+./0-9:=@A-Z_a-z]*$/.test(name);
