import { factsIfThere } from '../../lib/host/local-files.ts';
import { deviceNumber, serialOf } from '../../lib/host/storage/block-devices.ts';
import { pathFacts } from '../../lib/host/storage/managed-files.ts';
import {
  answersHere,
  coverOf,
  isMountedStill,
  type Mount,
  mayBeSameMount,
  mounts,
  treeOptions,
  unlinkedRoot,
} from '../../lib/host/storage/mounts.ts';
import { asideOf } from './force.ts';
import { askedFor, type Made } from './mark.ts';
import type { Ctx } from './params.ts';
import type { Verdict } from './wanted.ts';

const lookMs = 5000;

/** What is noted of a mount that is ours. A directory that cannot be looked at proves nothing later. */
export async function describeMade(
  ctx: Ctx,
  mount: Mount,
  asked: string,
  known: Made | undefined,
): Promise<Made> {
  const { id, parent, device, root, type, source, target } = mount;
  const { host } = ctx;
  const [serial, table] = [await serialOf(host, device), await mounts(host)];
  const look = (path: string) => directoryAt(ctx, path, table).catch(() => undefined);
  const above = await look(directoryOf(target));
  const shown = root === '/' ? undefined : await look(target);
  // what is looked at where it was mounted before is not what is asked for now
  const before = known?.target === target ? known.directory : undefined;
  const isThere = await isMountedStill(host, mount); // else the path may have led elsewhere
  return {
    ...{
      asked,
      directory: before ?? ctx.params.directory.trim(),
      id,
      parent,
      device,
      root,
      type,
      source,
      target,
      superOptions: treeOptions(mount),
    },
    ...(serial && { serial }),
    ...(isThere && above && { above }),
    ...(isThere && shown && { shown }),
  };
}

/** Whether a mount that is where ours was is the one that a start made, or a monitor saw: `undefined` where nothing says so. */
export async function judgeMade(
  ctx: Ctx,
  mount: Mount,
  table: readonly Mount[],
): Promise<Verdict | undefined> {
  const { made } = (await madeIn(ctx, [mount])) ?? {};
  if (!made) return undefined;
  // beside it where a stop with `move` has put it
  const isThere = mount.target === made.target || mount.target === asideOf(made.target);
  return isThere ? showsOurs(ctx, made, mount, table) : undefined;
}

/** As a version before this noted it, too. */
type Noted = Omit<Made, 'root' | 'superOptions'> & Partial<Made>;

async function madeIn(
  { memory, params, host }: Ctx,
  table: readonly Mount[],
): Promise<{ readonly made: Made; readonly mount: Mount } | undefined> {
  const noted = await memory.fact<Noted>('mount');
  if (noted?.asked !== askedFor(params)) return undefined;
  const mount = table.find((one) => mayBeSameMount({ superOptions: one.superOptions, ...noted }, one));
  if (!mount || (await serialOf(host, mount.device)) !== noted.serial) return undefined;
  return { made: { root: mount.root, superOptions: [], ...noted }, mount };
}

/** A directory that is bound, or a subvolume, keeps its inode when it is renamed; a whole filesystem is no part of itself. */
async function showsOurs(
  ctx: Ctx,
  { root, shown }: Made,
  mount: Mount,
  table: readonly Mount[],
): Promise<Verdict | undefined> {
  if (unlinkedRoot(mount.root) === unlinkedRoot(root)) return 'ours';
  if (shown === undefined || mount.root === '/') return undefined;
  const by = coverOf(table, mount);
  if (by) return { undecided: `${by.source} was mounted over ${by.target}` };
  return (await directoryAt(ctx, mount.target, table)) === shown ? 'ours' : undefined;
}

/**
 * Ours under another path than it was mounted on: a directory above it was renamed. Then it is on the same name of the same directory of
 * the same mount; whoever unmounts it by hand and mounts something elsewhere may get its id, but not that. `by`: something hides it, so
 * that nobody can look. `why`: what that directory was is not known, since a version before this did not note it, or it did not answer.
 */
export async function madeElsewhere(
  ctx: Ctx,
  table: readonly Mount[],
): Promise<{ readonly mount: Mount; readonly by?: Mount; readonly why?: string } | undefined> {
  const { made, mount } = (await madeIn(ctx, table)) ?? {};
  if (!made || !mount || mount.target === made.target) return undefined;
  if ((made.parent ?? mount.parent) !== mount.parent) return undefined;
  if (nameOf(mount.target) !== nameOf(made.target)) return undefined;
  if (made.above === undefined) return { mount, why: `nobody noted which directory ${made.target} lay in` };
  const by = coverOf(table, mount);
  if (by) return { mount, by };
  if ((await directoryAt(ctx, directoryOf(mount.target), table)) !== made.above) return undefined;
  return (await showsOurs(ctx, made, mount, table)) === 'ours' ? { mount } : undefined;
}

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** A directory by filesystem and inode; `undefined` where there is none. */
async function directoryAt(
  { host }: Ctx,
  path: string,
  table: readonly Mount[],
): Promise<string | undefined> {
  if (answersHere(path, table)) {
    const facts = await factsIfThere(host, path);
    return facts && `${deviceNumber(facts.dev)} ${facts.ino}`;
  }
  const facts = await pathFacts(host, path, lookMs);
  return facts && `${facts.device} ${facts.ino}`;
}
