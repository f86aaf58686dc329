import { Failure } from '../contract/outcome.ts';
import { wordsOf } from '../contract/reason.ts';
import type { Host } from './host.ts';
import type { FileFacts } from './sys/sys.ts';

// Files of the kernel, of /etc and of /run, which this process reads itself. That there is none is an answer; that it cannot be
// read is none: EACCES, EIO, ELOOP or ENAMETOOLONG taken for "absent" would make a false "stopped" of it. Paths on managed storage
// have `storage/managed-files.ts`.

type Machine = Pick<Host, 'sys'>;

/** Gone, or below something that is no directory; a process that ended meanwhile answers ESRCH below /proc. */
const absent: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ESRCH']);

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;

/** Whether an error of a file says that there is none. */
export const isAbsence = (error: unknown): boolean => absent.has(codeOf(error));

async function ifThere<T>(path: string, look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw new Failure('failed', `cannot look at ${path}: ${codeOf(error) ?? wordsOf(error)}`, {
      cause: error,
    });
  }
}

/** The text of a file; `undefined` when there is none. Throws `Failure` when that cannot be found out, as all of these. */
export const readIfThere = ({ sys }: Machine, path: string): Promise<string | undefined> =>
  ifThere(path, sys.read(path));

/** The names in a directory; none when there is no directory. */
export const listIfThere = async ({ sys }: Machine, dir: string): Promise<readonly string[]> =>
  (await ifThere(dir, sys.list(dir))) ?? [];

/** What a link says; `undefined` when there is none. */
export const targetIfThere = ({ sys }: Machine, link: string): Promise<string | undefined> =>
  ifThere(link, sys.target(link));

/** Facts of a file, of a link itself unless `follow` is said; `undefined` when there is nothing. */
export const factsIfThere = (
  { sys }: Machine,
  path: string,
  follow?: 'follow',
): Promise<FileFacts | undefined> => ifThere(path, sys.facts(path, follow));

/** What a path is; `undefined` when there is nothing. */
export const kindIfThere = async (
  host: Machine,
  path: string,
  follow?: 'follow',
): Promise<FileFacts['kind'] | undefined> => (await factsIfThere(host, path, follow))?.kind;

/** Whether there is anything of this name, a link that leads nowhere included. */
export const isThere = async (host: Machine, path: string): Promise<boolean> =>
  (await factsIfThere(host, path)) !== undefined;

const deletedSuffix = ' (deleted)';
/** A path as /proc and /sys show it, without what they say of a file that was removed. */
export const undeleted = (text: string): string =>
  text.endsWith(deletedSuffix) ? text.slice(0, -deletedSuffix.length) : text;
