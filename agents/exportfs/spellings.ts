import type { RawParams } from '../../lib/contract/params.ts';
import { isHostName, sameClient } from '../../lib/host/nfs/client-spec.ts';
import type { Ctx } from './params.ts';
import { directoriesIn, type Wanted } from './wanted.ts';

/**
 * How the last start's exports stand in etab. exportfs follows links and asks DNS for a host's canonical name; remembered, neither
 * has to be done again.
 */
export type Spelling = {
  readonly directory: string;
  readonly path: string;
  readonly client: string;
  /** As exportfs wrote them, defaults spelled out, separated by commas. Unset where the start did not see them. */
  readonly options?: string;
  /** Paths of others that had the same then: the same client, and the same options as far as they are known. */
  readonly beside?: readonly string[];
};

/** The names under which etab and the kernel may know what is wanted: as configured, and as exportfs spelled them. */
export type Spellings = {
  readonly remembered: readonly Spelling[];
  readonly clients: readonly string[];
  /** Whether this spelling of a client is ours. */
  isClient(name: string): boolean;
  /** The spellings of one configured directory. */
  pathsOf(directory: string): readonly string[];
};

const fact = 'spellings';

export async function spellings({ memory }: Ctx, { client }: Wanted): Promise<Spellings> {
  const remembered = (await memory.fact<readonly Spelling[]>(fact)) ?? [];
  const clients = [client, ...remembered.map((one) => one.client)];
  return {
    remembered,
    clients,
    isClient: (name) => clients.some((one) => sameClient(one, name)),
    pathsOf: (directory) => [
      directory,
      ...remembered.filter((one) => one.directory === directory).map(({ path }) => path),
    ],
  };
}

export const rememberSpellings = ({ memory }: Ctx, spelt: readonly Spelling[]): Promise<void> =>
  memory.note(fact, spelt);

/** Whether another resource of this node has exported `path` to a client that stands in etab as `client`, or is about to. */
export async function isSpelledByAnother(
  { memory }: Ctx,
  { path, client }: { readonly path: string; readonly client: string },
): Promise<boolean> {
  const others = await memory.others();
  return others.some(
    ({ facts, params }) =>
      ((facts[fact] as readonly Spelling[] | undefined) ?? []).some(
        (one) => one.path === path && one.client === client,
      ) || isAskedFor(params, path, client),
  );
}

function isAskedFor(
  { directory = '', clientspec = '' }: RawParams = {},
  path: string,
  client: string,
): boolean {
  if (!directoriesIn(directory).includes(path)) return false;
  return sameClient(clientspec, client) || (isHostName(clientspec) && isHostName(client));
}
