import type { Host } from '../../lib/host/host.ts';
import { isHostName, sameClient } from '../../lib/host/nfs/client-spec.ts';
import { type Export, readEtab, type StateDirectory, stateDirectory } from '../../lib/host/nfs/exports.ts';
import { nfsdThreads } from '../../lib/host/nfs/nfsd.ts';
import { canonicalPath, type Mount, mounts } from '../../lib/host/storage/mounts.ts';
import type { Ctx } from './params.ts';
import { type Spellings, spellings } from './spellings.ts';
import { startedThisBoot } from './started.ts';
import type { Wanted, WantedDirectory } from './wanted.ts';

/** A wanted directory and what etab holds for its client: normally one entry, or none. */
export type SeenDirectory = WantedDirectory & {
  /** Links followed: how etab spells it. */
  readonly path: string;
  readonly entries: readonly Export[];
};

/**
 * How much of what is wanted this node exports. A list alone proves nothing: etab outlives a crash, and with a shared state
 * directory it comes over from the other node.
 */
export type Seen = {
  readonly is:
    | 'exported'
    /** All is listed and was started here, but the NFS server has no threads. */
    | 'not served'
    | 'partly exported'
    /** Something is listed, but no NFS server runs here and nothing was started on this boot. */
    | 'left over'
    | 'not exported';
  readonly directories: readonly SeenDirectory[];
  readonly table: readonly Mount[];
  readonly state: StateDirectory;
  readonly etab: readonly Export[];
  readonly spelt: Spellings;
  /** Whether a start on this boot made it, ours or the stock agent's. */
  readonly started: boolean;
  /** Of the kernel's NFS server. */
  readonly threads: number;
};

/** Compares etab with what is wanted. Throws `Failure` when the storage below etab does not answer. */
export async function look(ctx: Ctx, want: Wanted): Promise<Seen> {
  const { host } = ctx;
  const table = await mounts(host);
  const state = await stateDirectory(host, table);
  const etab = await readEtab(host, state);
  const spelt = await spellings(ctx, want);
  const directories: SeenDirectory[] = [];
  for (const one of want.directories) {
    const path = await pathIn(etab, host, table, spelt.pathsOf(one.directory));
    const here = etab.filter((entry) => entry.path === path);
    const names = await clientNames(host, spelt.clients, here);
    const entries = here.filter(({ client }) => names.some((name) => sameClient(name, client)));
    directories.push({ ...one, path, entries });
  }
  const started = await startedThisBoot(ctx);
  const threads = await nfsdThreads(host);
  return {
    is: judge(directories, started, threads),
    directories,
    table,
    state,
    etab,
    spelt,
    started,
    threads,
  };
}

function judge(directories: readonly SeenDirectory[], started: boolean, threads: number): Seen['is'] {
  const count = directories.filter(isListed).length;
  if (count === 0) return 'not exported';
  if (threads === 0 && !started) return 'left over';
  if (count < directories.length) return 'partly exported';
  return threads === 0 ? 'not served' : 'exported';
}

export const isListed = ({ entries }: SeenDirectory): boolean => entries.length > 0;

/** Most directories are no link and stand in etab as configured: then nothing but etab is looked at. */
async function pathIn(
  etab: readonly Export[],
  host: Host,
  table: readonly Mount[],
  [directory = '', ...remembered]: readonly string[],
): Promise<string> {
  const listed = [directory, ...remembered].find((path) => etab.some((entry) => entry.path === path));
  return listed ?? (await canonicalPath(host, directory, table));
}

const dnsMs = 3000;

/** DNS is asked only where it could matter: the directory is exported to some host, not to one of the known spellings. */
async function clientNames(
  host: Host,
  known: readonly string[],
  here: readonly Export[],
): Promise<readonly string[]> {
  const [spec = ''] = known;
  const strangers = here.filter(({ client }) => !known.some((name) => sameClient(name, client)));
  const certain = strangers.length < here.length;
  if (certain || !isHostName(spec) || !strangers.some(({ client }) => isHostName(client))) return known;
  const { stdout } = await host.tryRun(['getent', 'ahosts', spec], { timeoutMs: dnsMs });
  const [, , canonical] = stdout.split('\n', 1)[0]?.trim().split(/\s+/) ?? [];
  return canonical === undefined ? known : [...known, canonical];
}

/** The one sentence about what was seen. */
export function sentence({ client }: Wanted, { is, directories }: Pick<Seen, 'is' | 'directories'>): string {
  const present = named(directories.filter(isListed));
  const absent = named(directories.filter((one) => !isListed(one)));
  switch (is) {
    case 'exported':
      return `${present} is exported to ${client}`;
    case 'not served':
      return `the NFS server has no threads: nobody serves ${present}`;
    case 'partly exported':
      return `${absent} is no longer exported to ${client}, only ${present} is`;
    case 'left over':
      return `etab lists ${present}, but no NFS server runs here and nothing was started on this boot`;
    case 'not exported':
      return `${absent} is not exported to ${client}`;
  }
}

const named = (directories: readonly SeenDirectory[]): string =>
  directories.map(({ directory }) => directory).join(' and ');
