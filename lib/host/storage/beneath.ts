import { Failure } from '../../contract/outcome.ts';
import { commandTrouble, type Host } from '../host.ts';
import type { Answer, Ask, JobName, Order, Told } from '../jobs.ts';
import type { Anchored } from '../sys/directory.ts';
import { mounts, tidyPath, trustedPart } from './mounts.ts';

// The one way to files that others may have put there: below the NFS server's state directory, on an exported filesystem. A child
// does the work (jobs.ts): it follows no link, opens nothing but files and directories, and can be left behind in the kernel.

/**
 * Where a directory is: links are followed as long as they lie where only this machine's root writes, and nowhere on managed storage.
 * Throws `Failure`.
 */
export async function anchored(host: Host, path: string): Promise<Anchored> {
  const { known, rest, trouble } = await trustedPart(host, path, await mounts(host));
  if (trouble !== undefined) throw new Failure('failed', trouble);
  return { anchor: known, way: rest };
}

/** Something lies there that is not what may lie there; who asked says whether that matters. */
export class RefusedFailure extends Failure {}

export type BeneathOptions = { readonly timeoutMs?: number };

/**
 * Does one job below a directory. Throws `Failure`: the storage does not answer, the kernel refuses (`cause` is its code), or, as a
 * `RefusedFailure`, something lies there that is not touched.
 */
export async function beneath<Name extends JobName>(
  host: Host,
  directory: string | Anchored,
  job: Name,
  ask: Ask<Name>,
  { timeoutMs }: BeneathOptions = {},
): Promise<Answer<Name>> {
  const place = typeof directory === 'string' ? await anchored(host, directory) : directory;
  const [self, ...args] = host.sys.self;
  const order: Order = { ...place, job, ask };
  const named = typeof directory === 'string' ? [directory] : [place.anchor, ...place.way];
  const { path = '' } = ask as { readonly path?: string };
  const where = tidyPath([...named, path].join('/'));
  const output = await host.tryRun([self, ...args, 'beneath'], {
    input: JSON.stringify(order),
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  if (output.hung) throw new Failure('failed', `${where} does not answer: ${output.hung}`);
  const told = answerOf(output.stdout);
  if (told === undefined)
    throw new Failure('failed', `nobody looked after ${where}: ${commandTrouble([self], output)}`);
  if ('answer' in told) return told.answer as Answer<Name>;
  if (told.isRefused) throw new RefusedFailure('failed', told.trouble);
  throw new Failure('failed', `${where}: ${told.trouble}`, { cause: told.code });
}

function answerOf(text: string): Told | undefined {
  try {
    return JSON.parse(text) as Told;
  } catch {
    return undefined;
  }
}
