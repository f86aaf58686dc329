import type { Params } from '../../lib/contract/params.ts';
import { decodeOctal, tidyPath } from '../../lib/host/storage/mounts.ts';
import type { params } from './params.ts';

/** One directory to export, as configured: absolute and tidy, links not yet followed. */
export type Wanted = { readonly directory: string; readonly options: readonly string[] };

/** The directories with the options of each. */
export function wantedExports({
  directory,
  options,
  fsid,
}: Pick<Params<typeof params>, 'directory' | 'options' | 'fsid'>): readonly Wanted[] {
  const common = splitOptions(options);
  const first = fsid ?? fsidIn(common);
  const rest = common.filter((option) => !option.startsWith('fsid='));
  return directoriesIn(directory).map((one, index) => ({
    directory: one,
    options: first === undefined ? rest : [...rest, `fsid=${index === 0 ? first : Number(first) + index}`],
  }));
}

export const splitOptions = (options: string | undefined): readonly string[] =>
  (options ?? '').split(',').filter(Boolean);

export const fsidIn = (options: readonly string[]): string | undefined =>
  options.find((option) => option.startsWith('fsid='))?.slice('fsid='.length);

/**
 * A list, where every word is an absolute path; otherwise one directory with blanks in its name. Inside a list a blank is
 * written as in etab, `\040`, or behind a backslash.
 */
export function directoriesIn(text: string): readonly string[] {
  const words = text
    .trim()
    .replaceAll('\\ ', '\\040')
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => decodeOctal(word));
  const paths = words.every((word) => word.startsWith('/')) ? words : [decodeOctal(text.trim())];
  return [...new Set(paths.map((path) => (path.startsWith('/') ? tidyPath(path) : path)))];
}
