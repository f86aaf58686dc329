import type { Host } from '../../lib/host/host.ts';
import { isHostName, sameClient } from '../../lib/host/nfs/client-spec.ts';
import { type Export, readEtab, type StateDirectory, stateDirectory } from '../../lib/host/nfs/exports.ts';
import { canonicalPath, type Mount, mounts } from '../../lib/host/storage/mounts.ts';
import type { Ctx } from './params.ts';
import { type Wanted, wantedExports } from './wanted.ts';

/** A directory of this resource and what etab holds for its client: normally one entry, or none. */
export type Found = Wanted & {
  /** Links followed: how etab spells it. */
  readonly path: string;
  readonly entries: readonly Export[];
};

export type Exported = {
  readonly table: readonly Mount[];
  readonly state: StateDirectory;
  readonly etab: readonly Export[];
  readonly found: readonly Found[];
};

/** How the last start's exports are spelled in etab: spares a monitor following links and asking DNS. */
export type Spelling = { readonly directory: string; readonly path: string; readonly client: string };

const dnsMs = 3000;

/** Compares etab with what is wanted. */
export async function findExported(ctx: Ctx): Promise<Exported> {
  const { host, params } = ctx;
  const table = await mounts(host);
  const state = await stateDirectory(host, table);
  const etab = await readEtab(host, state);
  const remembered = await spellings(ctx);
  const clients = [params.clientspec, ...remembered.map(({ client }) => client)];
  const found: Found[] = [];
  for (const wanted of wantedExports(params)) {
    const path = await spelledPath(host, table, etab, remembered, wanted.directory);
    const here = etab.filter((entry) => entry.path === path);
    const names = await clientNames(host, clients, here);
    const entries = here.filter(({ client }) => names.some((name) => sameClient(name, client)));
    found.push({ ...wanted, path, entries });
  }
  return { table, state, etab, found };
}

export const spellings = async ({ memory }: Ctx): Promise<readonly Spelling[]> =>
  (await memory.fact<readonly Spelling[]>('spellings')) ?? [];

/** Most directories are no link and stand in etab as configured: then nothing but etab is looked at. */
async function spelledPath(
  host: Host,
  table: readonly Mount[],
  etab: readonly Export[],
  remembered: readonly Spelling[],
  directory: string,
): Promise<string> {
  const known = [directory, ...remembered.filter((r) => r.directory === directory).map(({ path }) => path)];
  const listed = known.find((path) => etab.some((entry) => entry.path === path));
  return listed ?? (await canonicalPath(host, directory, table));
}

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

export const isExported = ({ entries }: Found): boolean => entries.length > 0;

/** `/a and /b`, for reasons. */
export const listed = (found: readonly { readonly directory: string }[]): string =>
  found.map(({ directory }) => directory).join(' and ');
