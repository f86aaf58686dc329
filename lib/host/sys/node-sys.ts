import {
  accessSync,
  closeSync,
  constants as fsConstants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { bytesOf, isEscaped, textOf } from './bytes.ts';
import type { Environment } from './children.ts';
import { signalProcess } from './process-stat.ts';
import type { Watched } from './process-tree.ts';
import { rawArgv } from './raw-argv.ts';
import { children } from './runtime.ts';
import type { Argv, Command, FileFacts, Followed, Output, Sys } from './sys.ts';

/** As systemd's default for services, plus the sbin directories that the tools live in; appended, so an admin's own PATH wins. */
const searchPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export type Underway = Watched & { readonly argv: Argv; readonly sinceMs: number };

export type NodeSys = Sys & {
  /** The commands that are running now: what a deadline names and ends. */
  underway(): readonly Underway[];
  killUnderway(): void;
  /** What `run` begins from now on is out of the terminal's reach: Ctrl-C ends the rest. */
  shelter(): void;
};

export function nodeSys(env: NodeJS.ProcessEnv, self: Argv = [process.execPath]): NodeSys {
  const path = [...new Set([...(env['PATH'] ?? '').split(':'), ...searchPath])].filter(Boolean).join(':');
  const running = new Set<Underway>();
  const following = new Set<Followed>();
  let detached = false;
  let killings = 0;
  /** ocf-tester's way of asking how the agent behaves on a host without its tools. */
  const noTools = env['OCF_TESTER_FAIL_HAVE_BINARY'] === '1';
  const now = () => process.uptime() * 1000; // as performance.now(), without loading perf_hooks
  const inTurn = turns(now);

  const places = (file: string): readonly string[] =>
    file.includes('/') ? [file] : path.split(':').map((dir) => `${dir}/${file}`);

  async function has(file: string): Promise<boolean> {
    if (noTools) return false;
    for (const place of places(file)) {
      const found = inTurn(() => accessSync(place, fsConstants.X_OK));
      if (await found.then(() => true).catch(() => false)) return true;
    }
    return false;
  }

  const environment = (extra?: Environment): Environment => ({ ...childEnv(env), PATH: path, ...extra });

  async function run({ argv, input, env: extra, timeoutMs, output }: Command): Promise<Output> {
    const killingsBefore = killings;
    if (noTools || (argv.some(isEscaped) && !(await has(argv[0])))) return missing(argv);
    const { run: begin } = await children();
    // what was on its way when all were ended does not begin
    if (killings !== killingsBefore) return { code: 128 + 9, stdout: '', stderr: '' };
    const bytes = typeof input === 'string' ? bytesOf(input) : input;
    const child = await begin(rawArgv(argv), environment(extra), { input: bytes, output, detached }).catch(
      (error) => notRun(argv, error),
    );
    if ('code' in child) return child;
    const entry: Underway = { ...child, argv, sinceMs: now() };
    running.add(entry);
    let clock: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      clock = setTimeout(resolve, timeoutMs);
    });
    try {
      const done = await Promise.race([child.end, late]);
      if (done) return done;
      const hung = `${child.describe()} after ${seconds(now() - entry.sinceMs)}`;
      child.kill();
      child.abandon();
      return { code: 124, stdout: '', stderr: '', hung };
    } finally {
      clearTimeout(clock);
      running.delete(entry);
    }
  }

  return {
    read: (file) => inTurn(() => textOf(readFileSync(raw(file)))),
    write: (file, content, mode = 0o644) => inTurn(() => replaceFile(file, bytesOf(content), mode)),
    async poke(file, content) {
      const { open } = await import('node:fs/promises'); // the kernel may work on it for long
      const handle = await open(raw(file), fsConstants.O_WRONLY);
      try {
        await handle.write(content);
      } finally {
        await handle.close();
      }
    },
    list: (dir) => inTurn(() => namesIn(raw(dir))),
    target: (link) => inTurn(() => textOf(readlinkSync(raw(link), 'buffer'))),
    mountId: (link) => inTurn(() => mountIdOf(raw(link))),
    facts: (file, follow) => inTurn(() => fileFacts(follow ? statSync(raw(file)) : lstatSync(raw(file)))),
    makeDir: (dir, mode = 0o755) => inTurn(() => makeDirectory(dir, mode)),
    remove: (file) => inTurn(() => removeIfThere(file, {})),
    removeTree: (dir) => inTurn(() => removeIfThere(dir, { recursive: true })),
    run,
    async follow(argv) {
      const [{ followed }, { follow: begin }] = await Promise.all([import('./followed.ts'), children()]);
      const events = await followed(
        (onText) => begin(rawArgv(argv), environment(), onText),
        () => following.delete(events),
      );
      following.add(events);
      return events;
    },
    async launch(argv, logFile) {
      const { launch: begin } = await children();
      return begin(rawArgv(argv), environment(), logFile ? openSync(logFile, 'a', 0o600) : 'ignore');
    },
    places,
    has,
    async runningAddresses() {
      const { networkInterfaces } = await import('node:os');
      return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
        addresses.map(({ address, cidr }) => ({
          name,
          address,
          prefix: Number(cidr?.split('/')[1] ?? Number.NaN),
        })),
      );
    },
    datagram: async (from, to, port) => (await import('./udp.ts')).datagram(from, to, port),
    openUdp: async (address, port) => (await import('./udp.ts')).openUdp(address, port),
    signal: signalProcess,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    now,
    pid: process.pid,
    self,
    uid: process.getuid?.() ?? 0,
    env,
    underway: () => [...running],
    killUnderway() {
      killings++;
      for (const { kill } of running) kill();
      for (const events of following) events.end();
    },
    shelter() {
      detached = true;
    },
  };
}

/** A path as the kernel knows it. */
const raw = (path: string): string | Buffer => (isEscaped(path) ? bytesOf(path) : path);

/** Names are asked for as bytes only where one of them is no UTF-8: a Buffer for each entry of /proc would cost every scan. */
function namesIn(dir: string | Buffer): readonly string[] {
  const names = readdirSync(dir);
  return names.some((name) => name.includes('\ufffd')) ? readdirSync(dir, 'buffer').map(textOf) : names;
}

/** On a file system that is read-only the kernel refuses to remove even what is not there. */
function removeIfThere(path: string, how: { readonly recursive?: boolean }): void {
  if (lstatSync(raw(path), { throwIfNoEntry: false })) rmSync(raw(path), { ...how, force: true });
}

/** With its parents. Node's own recursion says ENOENT of whatever keeps it from making one of them. */
function makeDirectory(dir: string, mode: number): void {
  const above = dir.slice(0, dir.lastIndexOf('/'));
  let error = makeOne(dir, mode);
  if (error?.code === 'ENOENT' && above !== '') {
    makeDirectory(above, mode);
    error = makeOne(dir, mode);
  }
  // somebody else may have made it meanwhile
  if (error && !(error.code === 'EEXIST' && statSync(raw(dir)).isDirectory())) throw error;
}

function makeOne(dir: string, mode: number): NodeJS.ErrnoException | undefined {
  try {
    mkdirSync(raw(dir), { mode });
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/** All or nothing: where there is no room no draft stays, and a name that somebody else put there is never written through. */
function replaceFile(file: string, content: Buffer, mode: number): void {
  const draft = raw(`${file}.tsha-${process.pid}`);
  rmSync(draft, { force: true });
  try {
    writeFileSync(draft, content, { mode, flag: 'wx' });
    renameSync(draft, raw(file));
  } catch (error) {
    rmSync(draft, { force: true });
    if (!(error instanceof Error)) throw error;
    const { code = error.message } = error as NodeJS.ErrnoException; // that of a full disk does not name the file
    throw Object.assign(error, { message: `cannot write ${file}: ${code}` });
  }
}

/** The longest that timers and signals, the deadline among them, wait for a scan of thousands of files. */
const longestTurnMs = 50;

/**
 * Files of the kernel and of /run are read in this thread: handing one to another thread and back costs more than reading it,
 * and a thread that hangs in the kernel would not let the process end either.
 */
function turns(now: () => number) {
  let since = now();
  return async <T>(work: () => T): Promise<T> => {
    if (now() - since > longestTurnMs) {
      await new Promise((resolve) => setImmediate(resolve));
      since = now();
    }
    return work();
  };
}

/** The runtime's own switches must not reach children, nor what a shell script would run first, nor a locale that changes what the tools print. */
function childEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !/^(NODE_|BUN_|BASH_ENV$|ENV$|LANG$|LANGUAGE$|LC_)/.test(name),
  );
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

const missing = ([file]: Argv): Output => ({
  code: 127,
  stdout: '',
  stderr: `${file}: not found`,
  missing: true,
});

const notRun = (argv: Argv, { code }: NodeJS.ErrnoException): Output =>
  code === 'ENOENT' ? missing(argv) : { code: 126, stdout: '', stderr: `cannot run ${argv[0]}: ${code}` };

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/** open(2): a descriptor of the place itself. Node has no name for it. */
const oPath = 0o10000000;

function mountIdOf(link: string | Buffer): number {
  const descriptor = openSync(link, oPath);
  try {
    const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
    return Number(/^mnt_id:\s*(\d+)/m.exec(info)?.[1]);
  } finally {
    closeSync(descriptor);
  }
}

const fileFacts = (s: Stats): FileFacts => ({
  kind: s.isFile()
    ? 'file'
    : s.isDirectory()
      ? 'directory'
      : s.isBlockDevice()
        ? 'block'
        : s.isCharacterDevice()
          ? 'character'
          : s.isSymbolicLink()
            ? 'link'
            : 'other',
  dev: s.dev,
  rdev: s.rdev,
  ino: s.ino,
  mode: s.mode & 0o7777,
  uid: s.uid,
  gid: s.gid,
  size: s.size,
});
