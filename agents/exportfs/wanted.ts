import type { Params } from '../../lib/contract/params.ts';
import { decodeOctal, tidyPath } from '../../lib/host/storage/mounts.ts';
import type { params } from './params.ts';

/** What the parameters ask for: one or several directories for one client. */
export type Wanted = { readonly client: string; readonly directories: readonly WantedDirectory[] };

export type WantedDirectory = {
  /** As configured: absolute and tidy, links not yet followed. */
  readonly directory: string;
  /** In the order in which exportfs shall read them, which matters: the later of two wins, and `sec=` begins a section. */
  readonly options: readonly string[];
};

/**
 * The directories with the options of each. The parameter fsid takes the place of one in the options. Of several directories the first
 * has the number that is set, the others count on from it.
 */
export function wanted({
  params: { clientspec, directory, options, fsid },
}: {
  readonly params: Pick<Params<typeof params>, 'clientspec' | 'directory' | 'options' | 'fsid'>;
}): Wanted {
  const common = splitOptions(options);
  const first = fsid ?? fsidIn(common);
  const rest = common.filter((option) => !isFsid(option));
  const paths = directoriesIn(directory);
  const asTheyAre = first === undefined || (fsid === undefined && paths.length === 1);
  const directories = paths.map((path, index) => ({
    directory: path,
    options: asTheyAre ? common : [...rest, `fsid=${index === 0 ? first : Number(first) + index}`],
  }));
  return { client: clientspec, directories };
}

export const splitOptions = (options: string | undefined): readonly string[] =>
  (options ?? '').split(',').filter(Boolean);

/** The fsid that these options set: of two the later one, as for exportfs. */
export const fsidIn = (options: readonly string[]): string | undefined =>
  options.findLast(isFsid)?.slice('fsid='.length);

const isFsid = (option: string): boolean => option.startsWith('fsid=');

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
