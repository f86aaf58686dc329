import { type Export, readEtab, type StateDirectory, stateDirectory } from '../../lib/host/nfs/exports.ts';
import { nfsdThreads } from '../../lib/host/nfs/nfsd.ts';
import { type Mount, mounts } from '../../lib/host/storage/mounts.ts';
import type { Ctx } from './params.ts';
import type { Known, SeenDirectory } from './seen-directory.ts';
import { type Spellings, spellings } from './spellings.ts';
import { startedThisBoot } from './started.ts';
import type { Wanted, WantedDirectory } from './wanted.ts';

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
    /** A name could not be resolved, and what is listed may be ours. */
    | 'unknown'
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
  const known: Known = { etab, table, spelt };
  for (const one of want.directories) directories.push(await find(ctx, one, known));
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
  const isDoubtful = directories.some(({ doubt }) => doubt !== undefined);
  if (threads === 0 && !started) return count === 0 ? 'not exported' : 'left over';
  if (isDoubtful) return 'unknown';
  if (count === 0) return 'not exported';
  if (count < directories.length) return 'partly exported';
  return threads === 0 ? 'not served' : 'exported';
}

export const isListed = ({ entries }: SeenDirectory): boolean => entries.length > 0;

/**
 * Most directories stand in etab as configured or as our start spelled them, for a client that is known: then nothing but etab is looked
 * at. For all others there is more to load.
 */
async function find(ctx: Ctx, want: WantedDirectory, known: Known): Promise<SeenDirectory> {
  const { etab, spelt } = known;
  for (const path of spelt.pathsOf(want.directory)) {
    const there = etab.filter((entry) => entry.path === path);
    const entries = there.filter(({ client }) => spelt.isClient(client));
    if (entries.length > 0) return { ...want, path, entries };
    if (there.length > 0) break;
  }
  return (await import('./resolved.ts')).findResolved(ctx, want, known);
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
    case 'unknown':
      return directories.flatMap(({ doubt }) => doubt ?? []).join('; ');
    case 'left over':
      return `etab lists ${present}, but no NFS server runs here and nothing was started on this boot`;
    case 'not exported':
      return `${absent} is not exported to ${client}`;
  }
}

const named = (directories: readonly SeenDirectory[]): string =>
  directories.map(({ directory }) => directory).join(' and ');
