import type { ProcessIdentity } from './process-stat.ts';

export type Argv = readonly [file: string, ...args: string[]];

export type Command = {
  readonly argv: Argv;
  readonly input?: string | Uint8Array;
  readonly env?: { readonly [name: string]: string };
  /** The process tree is killed after this long. */
  readonly timeoutMs: number;
  /** For commands that leave a daemon behind: a daemon that kept our pipe would keep everyone waiting for its end. */
  readonly output?: 'ignore';
};

export type Output = {
  /** Exit status; 127 when the command does not exist, 128 + n when signal n ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly missing?: true;
  /** Set when the time was up: what the process was doing, e.g. `D in nfs4_wait_clnt_recover`. */
  readonly hung?: string;
};

/** A command that is read while it runs. */
export type Followed = {
  /** What it printed since the last call, as soon as there is something; '' when nothing came within that time. */
  next(withinMs: number): Promise<string>;
  /** Ends it and everything that it started. */
  end(): void;
};

export type FileFacts = {
  readonly kind: 'file' | 'directory' | 'block' | 'character' | 'link' | 'other';
  readonly dev: number;
  readonly rdev: number;
  readonly ino: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
};

/** An address as getifaddrs(3) names it: `name` is the label where an IPv4 address has one (`eth0:vip`). */
export type RunningAddress = { readonly name: string; readonly address: string; readonly prefix: number };

/** A UDP socket of one address of this machine. What cannot be sent is lost, as datagrams are. */
export type UdpSocket = {
  send(bytes: Uint8Array, to: string, port: number): void;
  /** `from` says who sent it, as far as the network can be believed. */
  onMessage(
    listener: (bytes: Uint8Array, from: { readonly address: string; readonly port: number }) => void,
  ): void;
  close(): void;
};

/**
 * Everything an agent may do to the machine. Tests replace this and nothing else.
 * The file verbs run in this process: they are for /proc, /sys, /dev, /etc and our own files below /run, never for a path on
 * managed storage, which may hang in the kernel (`files.ts` has those). They reject with Node's error codes (ENOENT…).
 */
export interface Sys {
  read(path: string): Promise<string>;
  /** Atomic: a temporary file beside it, then a rename. */
  write(path: string, text: string, mode?: number): Promise<void>;
  /** A plain write(2) to a file that exists: procfs, sysfs. */
  poke(path: string, text: string): Promise<void>;
  list(dir: string): Promise<readonly string[]>;
  target(link: string): Promise<string>;
  /** The id of the mount (mountinfo's first field) that a link of /proc leads to. Opens nothing there (O_PATH). */
  mountId(link: string): Promise<number>;
  /** Follows no symbolic link unless asked. */
  facts(path: string, follow?: 'follow'): Promise<FileFacts>;
  makeDir(path: string, mode?: number): Promise<void>;
  /** A file or a link, if there is one; a directory is an error (EISDIR…), so that no name can take more than was meant. */
  remove(path: string): Promise<void>;
  /** A directory of our own with all that is in it, if it is there. */
  removeTree(dir: string): Promise<void>;
  run(command: Command): Promise<Output>;
  /** Begins a command that tells of events until it is ended, at the latest with the action. One that cannot run tells nothing. */
  follow(argv: Argv): Promise<Followed>;
  /** A process that outlives the agent: own session, no descriptor of ours. Returns its pid. */
  launch(argv: Argv, logFile?: string): Promise<number>;
  /** Where root's path would have a program of this name, the first place first. */
  places(file: string): readonly string[];
  /** Whether one of them is executable. */
  has(file: string): Promise<boolean>;
  /** The addresses of every interface that is up and has a link; one that is down is left out with all its addresses. */
  runningAddresses(): Promise<readonly RunningAddress[]>;
  /** One empty UDP datagram between two IPv4 addresses. */
  datagram(from: string, to: string, port: number): Promise<void>;
  /** Binds a UDP socket; rejects with EADDRNOTAVAIL for an address that is not here, EADDRINUSE for a port that is taken. */
  openUdp(address: string, port: number): Promise<UdpSocket>;
  /** Never to a later process with the same number. False when there is no such process. */
  signal(to: ProcessIdentity, signal: NodeJS.Signals | number): boolean;
  sleep(ms: number): Promise<void>;
  /** Monotonic milliseconds since this process began. */
  now(): number;
  readonly pid: number;
  /** How this agent is started once more, without the action. */
  readonly self: Argv;
  readonly uid: number;
  readonly env: NodeJS.ProcessEnv;
}
