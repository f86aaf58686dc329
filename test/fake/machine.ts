import { type Order, perform } from '../../lib/host/jobs.ts';
import { undeleted } from '../../lib/host/local-files.ts';
import type { RunTool } from '../../lib/host/storage/file-jobs.ts';
import { mountHolding, parseMountinfo } from '../../lib/host/storage/mounts.ts';
import { type ProcessIdentity, parseStat } from '../../lib/host/sys/process-stat.ts';
import type {
  Argv,
  Command,
  FileFacts,
  Followed,
  Output,
  RunningAddress,
  Sys,
  UdpSocket,
} from '../../lib/host/sys/sys.ts';
import { type Disk, fakeDirectory } from './directory.ts';

type Handler = (
  args: readonly string[],
  command: Command,
) => Partial<Output> | string | undefined | Promise<Partial<Output> | string | undefined>;

export type Datagram = { readonly bytes: Uint8Array; readonly address?: string; readonly port?: number };

/**
 * A small Linux in memory: files by path, commands by name, a clock that only sleeping moves, and a journal of everything done
 * to it. What a test did not foresee throws, so no test passes because something answered by accident.
 */
export class FakeMachine implements Sys {
  readonly files = new Map<string, string>();
  readonly links = new Map<string, string>();
  readonly factsOf = new Map<string, Partial<FileFacts>>();
  /** Where a link of /proc leads to another mount than its text says. */
  readonly mountIds = new Map<string, number>();
  readonly journal: string[] = [];
  running: readonly RunningAddress[] = [];
  readonly env: NodeJS.ProcessEnv;
  readonly pid = 4242;
  readonly self: Argv = ['/agent'];
  uid = 0;
  clock = 0;
  private readonly commands = new Map<string, Handler>();
  private readonly livePids = new Set<number>();
  /** Called after every sleep and command: lets a situation unfold with time. */
  onTick: (clock: number) => void = () => {};

  constructor(env: NodeJS.ProcessEnv = {}) {
    this.env = env;
    this.files.set('/proc/sys/kernel/random/boot_id', 'boot-1\n');
  }

  /** The disk that work on files of others reaches (lib/host/jobs.ts), done by a child of ours. */
  disksOfOthers(disk: Disk): this {
    const [self] = this.self;
    const tool: RunTool = ([file, ...args], input) => {
      this.journal.push(`run ${[file, ...args].join(' ')}`);
      const answer = this.handler(file)(args, {
        argv: [file, ...args],
        timeoutMs: 0,
        ...(input && { input }),
      });
      if (answer instanceof Promise) throw new Error(`"${file}" must answer at once in a child`);
      const said = answer as Exclude<typeof answer, PromiseLike<unknown>>;
      const parts = typeof said === 'string' ? { stdout: said } : said;
      return { code: 0, stdout: '', stderr: '', ...parts };
    };
    return this.on(self, ([action], { input }) => {
      if (action !== 'beneath') throw new Error(`nobody expected ${self} ${action}`);
      const order = JSON.parse(String(input)) as Order;
      return JSON.stringify(perform(order, (path) => fakeDirectory(disk, path), tool));
    });
  }

  /** Defines what a command does; its answer is stdout text, or parts of an output. */
  on(name: string, handler: Handler): this {
    this.commands.set(name, handler);
    return this;
  }

  /** What a command does by now, for one that does something else in one case only. */
  handler(name: string): Handler {
    const found = this.commands.get(name);
    if (found === undefined) throw new Error(`the fake machine has no command "${name}"`);
    return found;
  }

  /** The commands that ran, one line each. */
  get ran(): readonly string[] {
    return this.journal.filter((line) => line.startsWith('run ')).map((line) => line.slice(4));
  }

  process(
    pid: number,
    files: { readonly [name: string]: string },
    links: { readonly [name: string]: string } = {},
  ): this {
    this.livePids.add(pid);
    const { stat = '', comm = 'x' } = files;
    const all = {
      status: usersOf(0),
      ...files,
      stat: parseStat(stat) ? stat : statOf(pid, comm.trimEnd()),
    };
    for (const [name, text] of Object.entries(all)) this.files.set(`/proc/${pid}/${name}`, text);
    for (const [name, target] of Object.entries(links)) this.links.set(`/proc/${pid}/${name}`, target);
    return this;
  }

  endProcess(pid: number): void {
    this.livePids.delete(pid);
    for (const map of [this.files, this.links])
      for (const path of [...map.keys()]) if (path.startsWith(`/proc/${pid}/`)) map.delete(path);
  }

  async read(path: string): Promise<string> {
    const text = this.files.get(path);
    if (text === undefined) throw errno('ENOENT', path);
    return text;
  }

  async write(path: string, text: string): Promise<void> {
    this.journal.push(`write ${path}`);
    this.files.set(path, text);
  }

  async poke(path: string, text: string): Promise<void> {
    if (!this.files.has(path)) throw errno('ENOENT', path);
    this.journal.push(`poke ${path} ${text.trim()}`);
    this.files.set(path, text);
  }

  async list(dir: string): Promise<readonly string[]> {
    const prefix = dir === '/' ? '/' : `${dir}/`;
    const names = new Set<string>();
    for (const path of [...this.files.keys(), ...this.links.keys(), ...this.factsOf.keys()])
      if (path.startsWith(prefix) && path !== prefix)
        names.add(path.slice(prefix.length).split('/')[0] ?? '');
    if (names.size === 0 && this.factsOf.get(dir)?.kind !== 'directory') throw errno('ENOENT', dir);
    return [...names];
  }

  async target(link: string): Promise<string> {
    const target = this.links.get(link);
    if (target === undefined) throw errno(this.files.has(link) ? 'EINVAL' : 'ENOENT', link);
    return target;
  }

  /** Of the mount that holds the link's text, the uppermost; nobody knows where there is no mount table. */
  async mountId(link: string): Promise<number> {
    const path = (await this.target(link)).replace(/ \(deleted\)$/, '');
    const known = this.mountIds.get(link);
    const table = this.files.get('/proc/self/mountinfo');
    if (known !== undefined || table === undefined) {
      if (known === undefined) throw errno('ENOSYS', link);
      return known;
    }
    return mountHolding(parseMountinfo(table), path)?.id ?? 0;
  }

  async facts(path: string, follow?: 'follow'): Promise<FileFacts> {
    const target = this.links.get(path);
    if (follow && target) return this.facts(target, follow);
    const known = this.factsOf.get(path);
    const holds = [...this.files.keys(), ...this.links.keys()].some((file) => file.startsWith(`${path}/`));
    if (!known && !this.files.has(path) && !target && !holds) throw errno('ENOENT', path);
    return {
      kind: target ? 'link' : this.files.has(path) ? 'file' : 'directory',
      dev: 1,
      rdev: 0,
      ino: 1,
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: this.files.get(path)?.length ?? 0,
      ...known,
    };
  }

  async makeDir(path: string): Promise<void> {
    if (this.files.has(path)) throw errno('EEXIST', path);
    this.journal.push(`mkdir ${path}`);
    this.factsOf.set(path, { kind: 'directory', mode: 0o755 });
  }

  async remove(path: string): Promise<void> {
    if (this.factsOf.get(path)?.kind === 'directory') throw errno('EISDIR', path);
    this.journal.push(`remove ${path}`);
    for (const map of [this.files, this.links, this.factsOf]) map.delete(path);
  }

  async removeTree(path: string): Promise<void> {
    this.journal.push(`remove ${path}`);
    for (const map of [this.files, this.links, this.factsOf])
      for (const entry of [...map.keys()])
        if (entry === path || entry.startsWith(`${path}/`)) map.delete(entry);
  }

  async run(command: Command): Promise<Output> {
    const [file, ...args] = command.argv;
    this.journal.push(`run ${command.argv.join(' ')}`);
    const handler = this.commands.get(file);
    if (!handler)
      throw new Error(
        `the fake machine has no command "${file}" (asked: ${command.argv.join(' ')}): machine.on('${file}', …)`,
      );
    const answer = await handler(args, command);
    this.onTick(this.clock);
    return { code: 0, stdout: '', stderr: '', ...(typeof answer === 'string' ? { stdout: answer } : answer) };
  }

  /** What followed commands have to tell and have not told yet. */
  readonly events: string[] = [];

  async follow(argv: Argv): Promise<Followed> {
    this.journal.push(`follow ${argv.join(' ')}`);
    return {
      next: async (withinMs) => {
        const end = this.clock + withinMs;
        while (this.events.length === 0 && this.clock < end) await this.sleep(Math.min(10, end - this.clock));
        return this.events.splice(0).join('');
      },
      end: () => void this.journal.push(`unfollow ${argv.join(' ')}`),
    };
  }

  async launch(argv: Argv): Promise<number> {
    this.journal.push(`launch ${argv.join(' ')}`);
    return 9999;
  }

  async runningAddresses(): Promise<readonly RunningAddress[]> {
    return this.running;
  }

  /** What the network answers to a datagram, in the name of whoever was asked unless it says another; nothing by default. */
  onUdp: (
    bytes: Uint8Array,
    to: string,
    port: number,
    from: string,
  ) => Uint8Array | readonly Datagram[] | undefined = () => undefined;
  /** Addresses that a socket can be bound to. */
  readonly local = new Set<string>();

  async openUdp(address: string, port: number): Promise<UdpSocket> {
    if (!this.local.has(address)) throw errno('EADDRNOTAVAIL', address);
    this.journal.push(`udp ${address} ${port}`);
    let listener: Parameters<UdpSocket['onMessage']>[0] = () => {};
    return {
      send: (bytes, to, toPort) => {
        const answer = this.onUdp(bytes, to, toPort, address) ?? [];
        const answers = answer instanceof Uint8Array ? [{ bytes: answer }] : answer;
        for (const one of answers)
          listener(one.bytes, { address: one.address ?? to, port: one.port ?? toPort });
      },
      onMessage: (wanted) => {
        listener = wanted;
      },
      close: () => {},
    };
  }

  async datagram(from: string, to: string, port: number): Promise<void> {
    this.journal.push(`datagram ${from} ${to} ${port}`);
  }

  places(file: string): readonly string[] {
    return [`/usr/sbin/${file}`];
  }

  async has(file: string): Promise<boolean> {
    return this.env['OCF_TESTER_FAIL_HAVE_BINARY'] !== '1' && this.commands.has(file);
  }

  /** Whether the process has not been ended. */
  isLive = (pid: number): boolean => this.livePids.has(pid);

  signal({ pid, startTime }: ProcessIdentity, signal: NodeJS.Signals | number): boolean {
    if (parseStat(this.files.get(`/proc/${pid}/stat`) ?? '')?.startTime !== startTime) return false;
    if (!this.livePids.has(pid)) return false;
    if (signal !== 0) this.journal.push(`signal ${signal} ${pid}`);
    this.onSignal(pid, signal);
    return true;
  }

  /** What a signal does; by default every process dies of TERM and KILL. */
  onSignal: (pid: number, signal: NodeJS.Signals | number) => void = (pid, signal) => {
    if (['SIGTERM', 'SIGKILL', 15, 9].includes(signal)) this.endProcess(pid);
  };

  async sleep(ms: number): Promise<void> {
    this.clock += ms;
    this.onTick(this.clock);
  }

  now(): number {
    return this.clock;
  }
}

/** proc_pid_stat(5) of a process that sleeps. */
export const statOf = (pid: number, name: string, startTime = pid * 10): string =>
  `${pid} (${name}) S 1 ${'0 '.repeat(17)}${startTime} 0`;

/** The same of a thread of the kernel: with the flag PF_KTHREAD. */
export const kernelThreadOf = (pid: number, name: string, startTime = pid * 10): string =>
  `${pid} (${name}) S 2 0 0 0 -1 ${0x0020_0040} ${'0 '.repeat(12)}${startTime} 0`;

/** What proc_pid_status(5) says of whom a process runs as. */
export const usersOf = (real: number, effective = real): string =>
  `Uid:\t${real}\t${effective}\t${effective}\t${effective}\n`;

function errno(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/** What a command that hangs until its time is up gives. */
export const hangs = (command: Command, machine: FakeMachine): Partial<Output> => {
  machine.clock += command.timeoutMs;
  return { code: 124, hung: `pid 77 in state D after ${command.timeoutMs / 1000} s` };
};

/** Block devices below /dev by their numbers, for whoever asks the kernel or stat(1) what lies at a path. */
export function withBlockNodes(
  machine: FakeMachine,
  nodes: { readonly [path: string]: string },
): FakeMachine {
  for (const [path, number] of Object.entries(nodes)) {
    const [major = 0, minor = 0] = number.split(':').map(Number);
    machine.factsOf.set(path, { kind: 'block', rdev: major * 256 + minor });
  }
  return machine.on('stat', (args) => {
    const path = args.at(-1) ?? '';
    const target = undeleted(machine.links.get(path) ?? path);
    const number = nodes[target];
    if (machine.files.has(target)) return '0:0 regular file\n';
    if (number !== undefined) return `${number} block special file\n`;
    return { code: 1, stderr: `stat: cannot statx '${path}': No such file or directory\n` };
  });
}
