import type { RawParams } from '../../lib/contract/params.ts';
import { isHostName, sameClient } from '../../lib/host/nfs/client-spec.ts';
import type { Ctx } from './params.ts';
import { type Spelling, spellingsFact } from './spellings.ts';
import { directoriesIn } from './wanted.ts';

/** Whether another resource of this node has exported `path` to a client that stands in etab as `client`, or is about to. */
export async function isSpelledByAnother(
  { memory }: Ctx,
  { path, client }: { readonly path: string; readonly client: string },
): Promise<boolean> {
  const others = await memory.others();
  return others.some(
    ({ facts, params }) =>
      ((facts[spellingsFact] as readonly Spelling[] | undefined) ?? []).some(
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
