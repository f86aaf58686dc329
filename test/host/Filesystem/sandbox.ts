import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { type Mount, parseMountinfo } from '../../../lib/host/storage/mounts.ts';
import { agentUnderTest } from '../agent-under-test.ts';
import { runAndKill } from '../killed.ts';
import { loopOf } from '../loop.ts';
import { installedStock, type Stock } from '../stock.ts';

export type Answer = {
  readonly code: number | undefined;
  readonly reason: string | undefined;
  readonly stderr: string;
  readonly ms: number;
};
export type Holder = { readonly pid: number | undefined; end(): Promise<void> };
type Background = ReturnType<typeof spawnInside>;
type Params = { readonly [name: string]: string | number };

/** A folder, a private mount namespace and loop devices, all gone when it is closed. */
export type Sandbox = {
  readonly folder: string;
  /** Whose namespace it is. */
  readonly pid: number | undefined;
  /** Runs a command in the namespace; rejects when it fails. */
  run(command: string, ...args: readonly string[]): Promise<string>;
  /** Starts a command in the namespace that is ended with the sandbox; its input stays open. */
  background(argv: readonly string[]): Background;
  /** A bash script in the namespace, once it says that it is ready. */
  holder(script: string): Promise<Holder>;
  /** The same as nobody, an ordinary user. */
  user(script: string): Promise<Holder>;
  /** A new loop device with a new filesystem of this type; without a type it stays blank. */
  disk(type?: Type, ...mkfs: readonly string[]): Promise<string>;
  image(type: 'ext4'): Promise<string>;
  /** The namespace's mounts below a directory, or below the folder. */
  mounts(dir?: string): readonly Mount[];
  /** The same as lines `target source`. */
  mounted(): Promise<readonly string[]>;
  isMounted(directory: string): boolean;
  /** Calls our agent; parameters of the resource by name, `meta_…` and variables in capitals as they are. */
  ours(action: string, params: Params): Promise<Answer>;
  /** The stock agent: the installed one, unless another release is given. */
  stock(action: string, params: Params, release?: Stock): Promise<Answer>;
  /** The same, ended with all its children after so many seconds: the code is `undefined` then. */
  stockFor(seconds: number, action: string, params: Params): Promise<Answer>;
  /** Our action, killed with all its children after so many milliseconds; whether it was still running. */
  killed(action: string, params: Params, afterMs: number): Promise<boolean>;
  close(): Promise<void>;
};

const sizes = { ext2: 16, ext4: 32, xfs: 320, btrfs: 120, vfat: 16 };
export type Type = keyof typeof sizes;

/** What a shell would say of a command that SIGKILL ended. */
const byKill = 137;

const spawnInside = (pid: number | undefined, argv: readonly string[]) =>
  execa('nsenter', ['-t', String(pid), '-m', '--', ...argv], { cwd: '/', reject: false });

export async function openSandbox(): Promise<Sandbox> {
  const folder = mkdtempSync('/tmp/tsha-fs-');
  chmodSync(folder, 0o755); // ocf-tester asks for the meta-data as nobody
  const agent = await agentUnderTest('Filesystem');
  const holder = execa(
    'unshare',
    ['-m', '--propagation', 'private', 'sh', '-c', 'echo; exec sleep infinity'],
    {
      stdin: 'ignore',
      cwd: '/',
      reject: false,
    },
  );
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  const inside = (argv: readonly string[]) => ['-t', String(holder.pid), '-m', '--', ...argv];
  const children: Background[] = [];
  const loops: string[] = [];
  let images = 0;

  const run: Sandbox['run'] = async (command, ...args) =>
    (await execa('nsenter', inside([command, ...args]), { cwd: '/', stdin: 'ignore' })).stdout;

  const mounts: Sandbox['mounts'] = (dir = folder) =>
    parseMountinfo(readFileSync(`/proc/${holder.pid}/mountinfo`, 'utf8')).filter(({ target }) =>
      target.startsWith(`${dir}/`),
    );

  async function newImage(
    type: keyof typeof sizes | undefined,
    mkfs: readonly string[] = [],
  ): Promise<string> {
    const file = join(folder, `disk${images++}.img`);
    await execa('truncate', ['-s', `${sizes[type ?? 'ext4']}M`, file]);
    if (type === 'vfat') await execa('mkfs.vfat', [...mkfs, file]);
    else if (type) await execa(`mkfs.${type}`, ['-q', /^ext/.test(type) ? '-F' : '-f', ...mkfs, file]);
    return file;
  }

  const envOf = (params: Params, { functions }: Stock = installedStock) => ({
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    OCF_ROOT: '/usr/lib/ocf',
    OCF_FUNCTIONS_DIR: functions,
    OCF_RA_VERSION_MAJOR: '1',
    OCF_RESOURCE_INSTANCE: 't1',
    OCF_RESOURCE_TYPE: 'Filesystem',
    OCF_RESKEY_CRM_meta_timeout: '20000',
    HA_RSCTMP: join(folder, 'memory'),
    ...Object.fromEntries(
      Object.entries(params).map(([name, value]) => [
        name === name.toUpperCase() ? name : `OCF_RESKEY_${name.replace(/^meta_/, 'CRM_meta_')}`,
        String(value),
      ]),
    ),
  });

  async function call(argv: readonly string[], params: Params, release?: Stock): Promise<Answer> {
    const since = performance.now();
    const done = await execa('nsenter', inside(argv), {
      reject: false,
      extendEnv: false,
      cwd: '/',
      stdin: 'ignore',
      env: envOf(params, release),
      timeout: overdueMs(params),
    });
    const reason = /(?:.|\n)*ocf-exit-reason:(.*)/.exec(done.stderr)?.[1];
    return { code: done.exitCode, reason, stderr: done.stderr, ms: performance.now() - since };
  }

  mkdirSync(join(folder, 'memory'));
  const background: Sandbox['background'] = (argv) => {
    const child = spawnInside(holder.pid, argv);
    children.push(child);
    return child;
  };

  async function holding(argv: readonly string[]): Promise<Holder> {
    const child = background(argv);
    await new Promise((resolve, reject) => {
      child.stdout.once('data', resolve);
      void child.then(({ stderr }) => reject(new Error(`the holder ended: ${stderr}`)));
    });
    const end = async () => {
      child.kill('SIGKILL');
      await child;
    };
    return { pid: child.pid, end };
  }

  return {
    folder,
    pid: holder.pid,
    run,
    background,
    holder: (script) => holding(['bash', '-c', script]),
    user: (script) =>
      holding(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'bash', '-c', script]),
    async disk(type, ...mkfs) {
      const file = await newImage(type, mkfs);
      const loop = await loopOf(file);
      loops.push(loop);
      return loop;
    },
    image: (type) => newImage(type),
    mounts,
    mounted: async () => mounts().map(({ target, source }) => `${target} ${source}`),
    isMounted: (directory) => mounts().some(({ target }) => target === directory),
    ours: (action, params) => call([process.execPath, agent, action], params),
    stock: (action, params, release = installedStock) =>
      call([join(release.agents, 'Filesystem'), action], params, release),
    async stockFor(seconds, action, params) {
      const agent = join(installedStock.agents, 'Filesystem');
      const answer = await call(['timeout', '-s', 'KILL', String(seconds), agent, action], params);
      return answer.code === byKill ? { ...answer, code: undefined } : answer;
    },
    killed: (action, params, afterMs) =>
      runAndKill(['nsenter', ...inside([process.execPath, agent, action])], envOf(params), afterMs),
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(children);
      holder.kill('SIGKILL');
      await holder;
      for (const loop of loops) await execa('losetup', ['-d', loop], { reject: false });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** An operation's timeout: what waits for a share of it outlasts every test. */
export const anHour = 3_600_000;

/** An agent that ends by its own timeout has ended long before, on however slow a machine: then its exit code is `undefined`. */
const overdueMs = ({ meta_timeout = 20_000 }: Params) => 10 * Number(meta_timeout);

/** Parameters of a recurring monitor. */
export const recurring = { meta_interval: 10_000 } as const;

let count = 0;
/** A directory of its own, which does not exist yet. */
export const freshDirectory = ({ folder }: Sandbox): string => join(folder, `m${count++}`);

/** A started resource on a fresh disk. */
export async function startedOn(
  sandbox: Sandbox,
  type: 'ext4' | 'xfs' | 'btrfs' = 'ext4',
  more: { readonly [name: string]: string } = {},
) {
  const resource = {
    device: await sandbox.disk(type),
    directory: freshDirectory(sandbox),
    fstype: type,
    meta_timeout: 40_000,
    ...more,
  };
  expect(await sandbox.ours('start', resource)).toMatchObject({ code: 0 });
  return resource;
}

/** Whether a process runs: one that has ended and is not waited for does not. */
export const isAlive = (pid: number | undefined): boolean =>
  existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

/** The kernel gives exclusive access only to a device that no filesystem uses. */
export function isFree(device: string): boolean {
  try {
    closeSync(openSync(device, constants.O_RDONLY | constants.O_EXCL));
    return true;
  } catch {
    return false;
  }
}
