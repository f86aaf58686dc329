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
  for (const { facts, params } of await memory.others()) {
    const known = ((facts[spellingsFact] as readonly Spelling[] | undefined) ?? []).filter(
      (one) => one.path === path,
    );
    if (known.some((one) => one.client === client)) return true;
    // a name may be any other by DNS: only as long as its start has not seen which
    if (known.length === 0 && isAskedFor(params, path, client)) return true;
  }
  return false;
}

function isAskedFor(
  { directory = '', clientspec = '' }: RawParams = {},
  path: string,
  client: string,
): boolean {
  if (!directoriesIn(directory).includes(path)) return false;
  return sameClient(clientspec, client) || (isHostName(clientspec) && isHostName(client));
}
