import { Failure } from '../../contract/outcome.ts';
import { wordsOf } from '../../contract/reason.ts';
import type { Host } from '../host.ts';
import { factsIfThere, isAbsence } from '../local-files.ts';
import { identityOf, processIds, processName } from '../process-table.ts';
import { mounts } from '../storage/mounts.ts';
import { type Interface, interfaces } from './addresses.ts';
import { identity } from './namespaces.ts';

/** Who keeps a namespace alive, and a file of it. */
export type Keeper = { readonly file: string; readonly who: string };

const mostKeepers = 3;

/** The keeper of a namespace that holds what is looked for among its interfaces. Throws `Failure`. */
export async function keeperWith(
  host: Host,
  ino: number,
  holds: (links: readonly Interface[], file: string) => Promise<boolean>,
): Promise<Keeper | undefined> {
  for (let tries = 1; ; tries += 1) {
    const keeper = await keeperOf(host, ino);
    if (keeper === undefined) return undefined;
    try {
      return (await holds(await interfaces(host, keeper.file), keeper.file)) ? keeper : undefined;
    } catch (error) {
      // it may have ended since it was found
      if (tries === mostKeepers) throw error;
    }
  }
}

/** A network namespace lives on without its name while a process is in it, or while it is mounted. Throws `Failure`. */
export async function keeperOf(host: Host, ino: number): Promise<Keeper | undefined> {
  const isIt = (text: string) => {
    const [, type, inode] = identity.exec(text) ?? [];
    return type === 'net' && Number(inode) === ino;
  };
  const mount = (await mounts(host)).find(({ root }) => isIt(root));
  if (mount) return { file: mount.target, who: `a mount on ${mount.target}` };
  let unknown: { readonly pid: number; readonly error: unknown } | undefined;
  for (const pid of await processIds(host)) {
    const file = `/proc/${pid}/ns/net`;
    try {
      if (isIt(await host.sys.target(file)))
        return { file, who: `pid ${pid} (${(await processName(host, pid)) ?? 'gone'})` };
    } catch (error) {
      // The kernel says EACCES of one that has ended meanwhile, too.
      if (isAbsence(error) || (await identityOf(host, pid)) === undefined || (await isBesideUs(host, pid)))
        continue;
      unknown ??= { pid, error };
    }
  }
  if (unknown)
    throw new Failure(
      'failed',
      `cannot see which network namespace pid ${unknown.pid} is in: ${wordsOf(unknown.error)}`,
    );
  return undefined;
}

/**
 * Whether a process is in our own namespace: what /proc shows of a namespace's network has an inode of its own, which may be asked of
 * processes that may not be traced, as pid 1 where this is a container.
 */
async function isBesideUs(host: Host, pid: number): Promise<boolean> {
  const inodeOf = async (whose: string) =>
    (await factsIfThere(host, `/proc/${whose}/net/dev`, 'follow'))?.ino;
  const ours = await inodeOf('self');
  return ours !== undefined && ours === (await inodeOf(String(pid)).catch(() => undefined));
}
