import { commandTrouble, type Host } from '../../lib/host/host.ts';
import { isHostName, sameClient } from '../../lib/host/nfs/client-spec.ts';
import { type Export, readEtab, type StateDirectory, stateDirectory } from '../../lib/host/nfs/exports.ts';
import { nfsdThreads } from '../../lib/host/nfs/nfsd.ts';
import { answersHere, type Mount, mountOn, mounts, resolvePath } from '../../lib/host/storage/mounts.ts';
import type { Ctx } from './params.ts';
import { isSpelledByAnother, type Spellings, spellings } from './spellings.ts';
import { startedThisBoot } from './started.ts';
import type { Wanted, WantedDirectory } from './wanted.ts';

/** A wanted directory and what etab holds for its client: normally one entry, or none. */
export type SeenDirectory = WantedDirectory & {
  /** Links followed: how etab spells it. */
  readonly path: string;
  readonly entries: readonly Export[];
  /** Why nobody knows whether there is an entry: etab has lines that may be ours under names that could not be resolved. */
  readonly doubt?: string;
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
  const ask = askOnce(host, want.client);
  const directories: SeenDirectory[] = [];
  for (const one of want.directories) directories.push(await find(ctx, one, { etab, table, spelt, ask }));
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

type Known = Pick<Seen, 'etab' | 'table' | 'spelt'> & { readonly ask: () => Promise<Canonical> };

/**
 * Most directories stand in etab as configured or as our start spelled them, for a client that is known: then nothing but etab is looked
 * at. What our start spelled and etab has not is not exported, whatever else cannot be found out.
 */
async function find(ctx: Ctx, want: WantedDirectory, known: Known): Promise<SeenDirectory> {
  const { etab, table, spelt, ask } = known;
  const [directory = '', ...remembered] = spelt.pathsOf(want.directory);
  const listed = [directory, ...remembered].find((path) => etab.some((entry) => entry.path === path));
  const { path, trouble } =
    listed === undefined ? await resolvePath(ctx.host, directory, table) : { path: listed };
  const entriesOf = (isOurs: (client: string) => boolean) =>
    etab.filter((entry) => entry.path === path && isOurs(entry.client));
  const ours = entriesOf(spelt.isClient);
  if (ours.length > 0) return { ...want, path, entries: ours };

  const [spec = ''] = spelt.clients;
  const mayBe = (client: string) => spelt.isClient(client) || (isHostName(spec) && isHostName(client));
  const here = entriesOf(mayBe);
  const { name, silence } = here.length > 0 ? await ask() : {};
  const entries = entriesOf((client) => name !== undefined && sameClient(name, client));
  if (entries.length > 0 || remembered.length > 0) return { ...want, path, entries };

  const unlisted = listed === undefined ? etab.filter(({ client }) => mayBe(client)) : [];
  const unseen = unlisted.length > 0 ? (trouble ?? (await linkTrouble(ctx.host, path, table))) : undefined;
  const doubt = (await doubtAbout(ctx, here, silence)) ?? (await doubtAbout(ctx, unlisted, unseen));
  return { ...want, path, entries, ...(doubt && { doubt }) };
}

/** Of lines that may be ours the first that no other resource has written. */
async function doubtAbout(
  ctx: Ctx,
  lines: readonly Export[],
  why: string | undefined,
): Promise<string | undefined> {
  for (const line of why === undefined ? [] : lines)
    if (!(await isSpelledByAnother(ctx, line)))
      return `cannot tell whether ${line.path}, exported to ${line.client}, is ours: ${why}`;
  return undefined;
}

const lookMs = 3000;

/** realpath(1) takes for no link what it gets an error from. */
async function linkTrouble(host: Host, path: string, table: readonly Mount[]): Promise<string | undefined> {
  if (answersHere(path, table) || mountOn(table, path)) return undefined;
  const { pathFacts } = await import('../../lib/host/storage/managed-files.ts');
  return pathFacts(host, path, lookMs).then(
    () => undefined,
    ({ message }: Error) => message,
  );
}

/** A host's name in DNS, if it has one; `silence`: why that could not be found out. */
type Canonical = { readonly name?: string; readonly silence?: string };

const dnsMs = 3000;
const notFound = 2; // exit status of getent

/** DNS is asked only where it could matter, and once for all directories. */
function askOnce(host: Host, client: string): Known['ask'] {
  let answer: Promise<Canonical> | undefined;
  const ask = async (): Promise<Canonical> => {
    const argv = ['getent', 'ahosts', client] as const;
    const output = await host.tryRun(argv, { timeoutMs: dnsMs });
    if (output.code !== 0 && output.code !== notFound) return { silence: commandTrouble(argv, output) };
    const [, , name] = output.stdout.split('\n', 1)[0]?.trim().split(/\s+/) ?? [];
    return name === undefined ? {} : { name };
  };
  return () => {
    answer ??= ask();
    return answer;
  };
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
