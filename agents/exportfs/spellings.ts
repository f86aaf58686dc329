import { sameClient } from '../../lib/host/nfs/client-spec.ts';
import type { Ctx } from './params.ts';
import type { Wanted } from './wanted.ts';

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

export const spellingsFact = 'spellings';

export async function spellings({ memory }: Ctx, { client }: Wanted): Promise<Spellings> {
  const remembered = (await memory.fact<readonly Spelling[]>(spellingsFact)) ?? [];
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
  memory.note(spellingsFact, spelt);
