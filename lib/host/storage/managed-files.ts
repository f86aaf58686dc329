import { Failure } from '../../contract/outcome.ts';
import { type Host, outputTrouble } from '../host.ts';
import { kindIfThere } from '../local-files.ts';
import type { FileFacts, Output } from '../sys/sys.ts';
import { answersHere, canonicalPath, mounts } from './mounts.ts';

// Paths on managed storage: a dead disk or server makes any system call on them hang in the kernel, where not even SIGKILL
// helps. So each look is a child process that can be left behind.

export type PathFacts = {
  readonly kind: FileFacts['kind'];
  /** `major:minor` of the filesystem as stat(2) has it; a subvolume of btrfs has one of its own, unlike in mountinfo. */
  readonly device: string;
  readonly ino: string;
};

const kinds: readonly (readonly [RegExp, FileFacts['kind']])[] = [
  [/^regular/, 'file'],
  [/^directory/, 'directory'],
  [/^block special/, 'block'],
  [/^character special/, 'character'],
  [/^symbolic link/, 'link'],
];

/**
 * What tools say (LC_ALL=C) of a path where there is nothing. Every other error says nothing about what is there, nor does a tool that
 * misses a library of its own (127).
 */
const isAbsent = ({ code, stderr }: Output): boolean =>
  code === 1 && /(?:^|: )(No such file or directory|Not a directory)$/m.test(stderr);

/**
 * What a path is, links followed; `undefined` only where there is nothing. Throws `Failure` when that cannot be found out: the
 * storage does not answer, or answers with an error (EIO, ESTALE, ENOTCONN of a FUSE filesystem whose daemon died).
 */
export async function pathFacts(
  host: Host,
  path: string,
  timeoutMs?: number,
): Promise<PathFacts | undefined> {
  // 8:1 12 directory
  // (1) (2) (3) device, inode, kind in words
  const words = await stat(host, path, '%Hd:%Ld %i %F', timeoutMs);
  if (words === undefined) return undefined;
  const [device = '', ino = '', ...kind] = words;
  return { device, ino, kind: kindOf(kind) };
}

/** `major:minor` of the block device at a path, links followed; `undefined` of anything else. Throws as `pathFacts`. */
export async function blockDeviceAt(
  host: Host,
  path: string,
  timeoutMs: number,
): Promise<string | undefined> {
  // 147:1 block special file
  const [number, ...kind] = (await stat(host, path, '%Hr:%Lr %F', timeoutMs)) ?? [];
  return kindOf(kind) === 'block' ? number : undefined;
}

async function stat(
  host: Host,
  path: string,
  format: string,
  timeoutMs: number | undefined,
): Promise<readonly string[] | undefined> {
  const argv = ['stat', '-L', '-c', format, '--', path] as const;
  const output = await host.tryRun(argv, timeoutMs === undefined ? {} : { timeoutMs });
  if (output.hung) throw new Failure('failed', `${path} does not answer: ${output.hung}`);
  if (output.missing) throw new Failure('notInstalled', 'command stat is not installed');
  if (output.code === 0) return output.stdout.trim().split(' ');
  if (isAbsent(output)) return undefined;
  throw new Failure('failed', `cannot look at ${path}: ${lastWords(output)}`);
}

const kindOf = (words: readonly string[]): FileFacts['kind'] =>
  kinds.find(([pattern]) => pattern.test(words.join(' ')))?.[1] ?? 'other';

/** Of `stat: cannot statx '/x': Input/output error` the error alone: the path is named by whoever asked. */
const lastWords = (output: Output): string =>
  output.code === 1 ? (outputTrouble(output).split(': ').at(-1) ?? '') : outputTrouble(output);

/** Creates a directory with its parents, mode 0755; an existing one is left as it is. */
export async function ensureDirectory(host: Host, path: string): Promise<void> {
  const table = await mounts(host);
  const real = await canonicalPath(host, path, table);
  const isThere = async () =>
    answersHere(real, table)
      ? (await kindIfThere(host, real)) === 'directory'
      : (await pathFacts(host, real))?.kind === 'directory';
  if (await isThere()) return;
  const why = answersHere(real, table)
    ? await host.sys.makeDir(real, 0o755).catch((error: Error) => error.message)
    : await makeDirectory(host, real);
  if (!(await isThere()))
    throw new Failure(
      'notInstalled',
      `${path} is not a directory and cannot be made one: ${why || 'no reason given'}`,
    );
}

async function makeDirectory(host: Host, path: string): Promise<string> {
  const output = await host.tryRun(['mkdir', '-p', '-m', '0755', '--', path]);
  if (output.hung) throw new Failure('failed', `${path} does not answer: ${output.hung}`);
  return output.stderr.trim();
}

/** The text of a file; `undefined` when there is none. Throws `Failure` when the storage does not answer. */
export async function readManaged(host: Host, path: string, timeoutMs?: number): Promise<string | undefined> {
  const output = await host.tryRun(['cat', '--', path], timeoutMs === undefined ? {} : { timeoutMs });
  if (output.hung) throw new Failure('failed', `${path} does not answer: ${output.hung}`);
  if (output.code === 0) return output.stdout;
  if (isAbsent(output)) return undefined;
  throw new Failure('failed', `cannot read ${path}: ${lastWords(output)}`);
}
