import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa, type Options } from 'execa';
import { inject, onTestFinished } from 'vitest';
import { projectFolder } from '../../packaging/products.ts';
import type { Flavour } from './flavours.ts';

export type Env = { readonly [name: string]: string | undefined };

export type Answer = {
  /** As Pacemaker reads it; `undefined` when a signal ended the agent. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** What follows the last prefix in stderr. */
  readonly reason: string | undefined;
  readonly ms: number;
};

export const dummyOf = (flavour: Flavour): string => join(inject('contractFolder'), flavour, 'Dummy');
/** What the dummy answers from its first probe to its end, and to an action that it has not. */
export const dummyLife = [
  ['monitor', 7],
  ['start', 0],
  ['monitor', 0],
  ['stop', 0],
  ['no_cmd', 3],
] as const;
export const rootOf = (flavour: Flavour): string => join(inject('contractFolder'), flavour, 'root');
export const agentOf = (flavour: Flavour, name: string): string =>
  join(projectFolder, flavour === 'native' ? 'dist/native' : 'dist', name);

/** A folder that ends with the test: state files, the agents' memory. */
export function sandbox(): string {
  const dir = mkdtempSync('/tmp/tsha-call-');
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** The environment of a recurring monitor in a cluster, with the agents' memory and state apart from the machine's own. */
export const cluster = (dir: string): Env => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  OCF_ROOT: '/usr/lib/ocf',
  OCF_RA_VERSION_MAJOR: '1',
  OCF_RA_VERSION_MINOR: '1',
  OCF_RESOURCE_INSTANCE: 'contract',
  OCF_EXIT_REASON_PREFIX: 'ocf-exit-reason:',
  OCF_RESKEY_CRM_meta_timeout: '20000',
  OCF_RESKEY_CRM_meta_interval: '10000',
  OCF_RESKEY_state: join(dir, 'state'),
  HA_RSCTMP: join(dir, 'memory'),
});
export const probing: Env = { OCF_RESKEY_CRM_meta_interval: '0' };

/** Runs a command with exactly this environment. */
export async function run(argv: readonly string[], env: Env = {}, options: Options = {}): Promise<Answer> {
  const [file = '', ...args] = argv;
  const since = performance.now();
  const done = await execa(file, args, {
    reject: false,
    extendEnv: false,
    env: { ...env },
    ...(options.input === undefined && { stdin: 'ignore' }),
    stripFinalNewline: false,
    ...options,
  });
  const [stdout, stderr] = [done.stdout, done.stderr].map((text) => (typeof text === 'string' ? text : ''));
  const reason = /(?:.|\n)*ocf-exit-reason:(.*)/.exec(stderr ?? '')?.[1];
  return {
    code: done.exitCode,
    stdout: stdout ?? '',
    stderr: stderr ?? '',
    reason,
    ms: performance.now() - since,
  };
}

/** Calls an agent as a cluster does, in a sandbox of its own unless one is given. */
export const call = (file: string, action: string, env: Env = {}, dir = sandbox()): Promise<Answer> =>
  run([file, action], { ...cluster(dir), ...env });

/**
 * Real agents act on the machine: here they get a network, processes and state of their own, and no door to systemd, so that a
 * stop finds nothing of the host's. Only for the network is "nothing" empty: what is on disk stays visible.
 */
const alone = `
  for dir in /run /var/lib/nfs; do [ ! -d "$dir" ] || mount -t tmpfs tmpfs "$dir"; done
  ip link set lo up
  exec "$@"`;

/** Calls an agent as a cluster does, on an empty machine. */
export const callAlone = (file: string, action: string, env: Env = {}, dir = sandbox()): Promise<Answer> =>
  run(
    [
      'unshare',
      '-mnpf',
      '--mount-proc',
      '--kill-child',
      'sh',
      '-ec',
      alone,
      'sh',
      file,
      ...(action ? [action] : []),
    ],
    { ...cluster(dir), ...env },
  );
