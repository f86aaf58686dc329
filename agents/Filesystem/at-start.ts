import { tidyPath } from '../../lib/host/storage/mounts.ts';
import { askedFor, type Made } from './mark.ts';
import type { Ctx } from './params.ts';

/** Where ours was mounted, and what `directory` said then: a link may lead elsewhere since, and parameters change. */
export type AtStart = {
  readonly directory: string;
  readonly asked: string;
  /** Whether that is what `directory` says now. */
  readonly isAsked: boolean;
};

/** As a start notes it; a version before this noted the path alone. */
type Noted = string | Pick<AtStart, 'directory' | 'asked'>;

/** Before the mount: a start that is killed must leave it behind. */
export const noteStart = ({ memory, params }: Ctx, directory: string): Promise<void> =>
  memory.note('directory', { directory, asked: params.directory.trim() } satisfies Noted);

/** By the start, or by the monitor that found ours without one. */
export async function atStart({ memory, params }: Ctx): Promise<AtStart | undefined> {
  const now = params.directory.trim();
  const noted = await memory.fact<Noted>('directory');
  const made = noted === undefined ? await memory.fact<Made>('mount') : undefined;
  const of = (directory: string, asked = now): AtStart => ({
    directory,
    asked,
    isAsked: tidyPath(asked) === tidyPath(now),
  });
  if (made?.asked === askedFor(params)) return of(made.target, made.directory);
  if (typeof noted === 'string') return of(noted, (await memory.params())?.['directory']?.trim());
  return noted && of(noted.directory, noted.asked);
}
