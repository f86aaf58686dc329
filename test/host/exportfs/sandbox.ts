import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { agentUnderTest } from '../agent-under-test.ts';
import { runAndKill } from '../killed.ts';
import { installedStock, type Stock } from '../stock.ts';

type Params = { readonly [name: string]: string | number };

export type Answer = {
  readonly code: number | undefined;
  readonly reason: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
};

/**
 * A mount namespace with a state directory of its own and the kernel files of an NFS server that runs 8 threads; the real
 * exportfs works in it. This machine's own exports and kernel are not reached.
 */
export type Sandbox = {
  /** Exists on both sides; directories to export belong below it. */
  readonly folder: string;
  /** The bundled agent. */
  readonly agent: string;
  directory(name: string): string;
  /** Mounts a filesystem that never answers. */
  silence(directory: string): Promise<void>;
  run(command: string, ...args: readonly string[]): Promise<string>;
  read(path: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
  /** The etab that exportfs itself writes for these exports and no others, each an `-o` and a `client:/path`. */
  fresh(...exports: readonly (readonly [options: string, argument: string])[]): Promise<string>;
  /** The same once another export has come and gone. */
  freshThenMore: Sandbox['fresh'];
  /** `path client` of every line of etab. */
  exported(): Promise<readonly string[]>;
  ours(action: string, params: Params): Promise<Answer>;
  /** The stock agent: the installed one, unless another release is given. */
  stock(action: string, params: Params, release?: Stock): Promise<Answer>;
  /** Our action under strace: the commands it executed, and whether it opened a socket. */
  traced(action: string, params: Params): Promise<{ commands: readonly string[]; sockets: number }>;
  /** Our action, killed with all its children after so many milliseconds; whether it was still running. */
  killed(action: string, params: Params, afterMs: number): Promise<boolean>;
  close(): Promise<void>;
};

const setup = `
mount -t tmpfs state /var/lib/nfs
touch /var/lib/nfs/etab /var/lib/nfs/rmtab
mount -t tmpfs nfsd /proc/fs/nfsd
echo 8 > /proc/fs/nfsd/threads
: > /proc/fs/nfsd/unlock_filesystem
for file in hosts exports; do mount --bind "$1/$file" "/etc/$file"; done
[ ! -d /etc/exports.d ] || mount -t tmpfs exports.d /etc/exports.d
echo ready
exec sleep infinity
`;

/** An export that comes and goes, so that exportfs writes etab once more. */
export const settling = [
  ['exportfs', '-i', '192.0.2.77:/usr/share'],
  ['exportfs', '-u', '192.0.2.77:/usr/share'],
] as const;

const silentFuse = join(import.meta.dirname, '../Filesystem/silent-fuse.mjs');

/** In a mount namespace of its own, below the sandbox's: options and argument by turns. */
const freshly = `
mount -t tmpfs fresh /var/lib/nfs
touch /var/lib/nfs/etab
while [ $# -gt 0 ]; do exportfs -i \${1:+-o "$1"} "$2" >&2; shift 2; done
exec cat /var/lib/nfs/etab
`;

export async function openSandbox(): Promise<Sandbox> {
  const folder = mkdtempSync('/tmp/tsha-exportfs-');
  mkdirSync(join(folder, 'memory'));
  writeFileSync(
    join(folder, 'hosts'),
    '127.0.0.1 localhost\n192.0.2.9 full.example.com short\n192.0.2.8 other.example.com\n',
  );
  // a line that exportfs without -i stumbles over, and asks DNS about
  writeFileSync(join(folder, 'exports'), '/usr/share nowhere.invalid(ro)\n');
  const agent = await agentUnderTest('exportfs');
  const holder = execa('unshare', ['-m', '--propagation', 'private', 'sh', '-ec', setup, 'sandbox', folder], {
    stdin: 'ignore',
    cwd: '/',
    reject: false,
  });
  await Promise.race([
    new Promise((resolve) => holder.stdout.once('data', resolve)),
    holder.then(({ stderr }) => Promise.reject(new Error(`no sandbox: ${stderr}`))),
  ]);
  const inside = (argv: readonly string[]) => ['-t', String(holder.pid), '-m', '--', ...argv];
  const run: Sandbox['run'] = async (command, ...args) =>
    (await execa('nsenter', inside([command, ...args]), { cwd: '/', stdin: 'ignore' })).stdout;

  const envOf = (params: Params, { functions }: Stock = installedStock) => ({
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    OCF_ROOT: '/usr/lib/ocf',
    OCF_FUNCTIONS_DIR: functions,
    OCF_RA_VERSION_MAJOR: '1',
    OCF_RESOURCE_INSTANCE: 'share',
    OCF_RESOURCE_TYPE: 'exportfs',
    OCF_RESKEY_CRM_meta_timeout: '20000',
    HA_RSCTMP: join(folder, 'memory'), // one for all agents: what one started the other must know
    ...Object.fromEntries(
      Object.entries(params).map(([name, value]) => [
        name === name.toUpperCase() ? name : `OCF_RESKEY_${name.replace(/^meta_/, 'CRM_meta_')}`,
        String(value),
      ]),
    ),
  });

  async function call(argv: readonly string[], params: Params, release?: Stock): Promise<Answer> {
    const done = await execa('nsenter', inside(argv), {
      reject: false,
      extendEnv: false,
      cwd: '/',
      stdin: 'ignore',
      timeout: 200_000,
      env: envOf(params, release),
    });
    const reason = /(?:.|\n)*ocf-exit-reason:(.*)/.exec(done.stderr)?.[1];
    return { code: done.exitCode, reason, stdout: done.stdout, stderr: done.stderr };
  }

  const ours = [process.execPath, agent];
  const drivers: ReturnType<typeof runDriver>[] = [];
  const runDriver = (directory: string) =>
    execa('nsenter', inside([process.execPath, silentFuse, directory]), {
      cwd: '/',
      stdin: 'ignore',
      reject: false,
    });
  return {
    folder,
    agent,
    async silence(directory) {
      const child = runDriver(directory);
      drivers.push(child);
      await new Promise((resolve, reject) => {
        child.stdout.once('data', resolve);
        void child.then(({ stderr }) => reject(new Error(stderr)));
      });
    },
    directory(name) {
      const path = join(folder, name);
      mkdirSync(path, { recursive: true });
      return path;
    },
    run,
    read: (path) => run('cat', path),
    async write(path, text) {
      await execa('nsenter', inside(['tee', path]), { cwd: '/', input: text });
    },
    fresh: (...exports) =>
      run('unshare', '-m', '--propagation', 'private', 'sh', '-ec', freshly, 'fresh', ...exports.flat()),
    freshThenMore: (...exports) => {
      const script = freshly.replace(
        'exec cat',
        `${settling.map((argv) => argv.join(' ')).join('\n')}\nexec cat`,
      );
      return run(
        'unshare',
        '-m',
        '--propagation',
        'private',
        'sh',
        '-ec',
        script,
        'fresh',
        ...exports.flat(),
      );
    },
    async exported() {
      const etab = await run('cat', '/var/lib/nfs/etab');
      return etab
        .split('\n')
        .filter(Boolean)
        .map((line) => line.replace('\t', ' ').replace(/\([^()]*\)$/, ''))
        .sort();
    },
    ours: (action, params) => call([...ours, action], params),
    stock: (action, params, release = installedStock) =>
      call([join(release.agents, 'exportfs'), action], params, release),
    killed: (action, params, afterMs) =>
      runAndKill(['nsenter', ...inside([...ours, action])], envOf(params), afterMs),
    async traced(action, params) {
      const file = join(folder, 'strace');
      const strace = ['strace', '-f', '-qq', '-o', file, '-e', 'trace=execve,socket', ...ours, action];
      await call(strace, params);
      const lines = readFileSync(file, 'utf8').split('\n');
      const commands = lines.flatMap((line) => /execve\("([^"]+)".*= 0$/.exec(line)?.[1] ?? []);
      return {
        commands: commands.filter((command) => command !== process.execPath),
        sockets: lines.filter((line) => line.includes('socket(')).length,
      };
    },
    async close() {
      for (const child of drivers) child.kill('SIGKILL'); // nsenter becomes the driver: what hangs gets an error
      await Promise.all(drivers);
      holder.kill('SIGKILL');
      await holder;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
