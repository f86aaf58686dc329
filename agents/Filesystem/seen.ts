import { deviceUnder } from '../../lib/host/storage/block-devices.ts';
import { coverOf, type Mount, mounts, mountsOn } from '../../lib/host/storage/mounts.ts';
import { asideOf, readForce } from './force.ts';
import { noteMade } from './made.ts';
import { judge } from './ours.ts';
import type { Ctx } from './params.ts';
import type { Seen } from './situation.ts';
import { type Labels, wanted as readWanted, type Verdict, type Wanted } from './wanted.ts';

/** Looks at the directory, beside it where a stop with `move` may have left ours, and where ours was when it was seen last. */
export async function look(ctx: Ctx, labels: Labels = 'links'): Promise<Seen> {
  const table = await mounts(ctx.host);
  const wanted = await readWanted(ctx, table, labels);
  const seen = await lookAround(ctx, wanted, table);
  if (seen.is === 'ours' || seen.is === 'covered' || seen.is === 'aside') return seen;
  return (await import('./seen-before.ts')).lookWhereItWas(ctx, seen, labels, {
    again: () => look(ctx, 'search'),
    around: (there) => lookAround(ctx, there, table),
  });
}

async function lookAround(ctx: Ctx, wanted: Wanted, table: readonly Mount[]): Promise<Seen> {
  const { directory, source } = wanted;
  const on = await lookOn(ctx, wanted, directory, table);
  if (on.is === 'ours' || on.is === 'covered' || directory === '/') return on;
  // A tmpfs is told by its type alone: beside the directory it is ours only where a stop may have put it.
  if (source.is === 'memory' && !readForce(ctx.params.force_unmount).move) return on;
  const beside = await lookOn(ctx, wanted, asideOf(directory), table);
  if (beside.is === 'ours') return { ...beside, is: 'aside' };
  return beside.is === 'covered' ? beside : on;
}

async function lookOn(ctx: Ctx, wanted: Wanted, directory: string, table: readonly Mount[]): Promise<Seen> {
  const layers = directory === '/' ? [] : mountsOn(table, directory);
  const top = layers.at(-1);
  if (!top) return { table, wanted, is: 'absent' };
  const verdict = await judged(ctx, wanted, top, table);
  if (verdict === 'ours') {
    const by = coverOf(table, top);
    if (by) return { table, wanted, is: 'covered', mount: top, by };
    await noteMade(ctx, top);
    return { table, wanted, is: 'ours', mount: top };
  }
  let unsure = { mount: top, verdict };
  for (const layer of layers.slice(0, -1)) {
    const below = await judged(ctx, wanted, layer, table);
    if (below === 'ours') return { table, wanted, is: 'covered', mount: layer, by: top };
    if (unsure.verdict === 'foreign') unsure = { mount: layer, verdict: below };
  }
  return unsure.verdict === 'foreign'
    ? { table, wanted, is: 'foreign', mount: top }
    : { table, wanted, is: 'undecided', mount: unsure.mount, why: unsure.verdict.undecided };
}

/** What the source's name does not decide any more, the mount itself does, where a start or a monitor has seen it. */
async function judged(ctx: Ctx, wanted: Wanted, mount: Mount, table: readonly Mount[]): Promise<Verdict> {
  const verdict = await judge(ctx, wanted, mount, table);
  if (verdict === 'ours') return verdict;
  return (await (await import('./made-before.ts')).judgeMade(ctx, mount, table)) ?? verdict;
}

/** The number of the disk that is asked for, or of the one that ours was seen on. */
export const diskOf = async ({ host }: Ctx, seen: Seen): Promise<string | undefined> =>
  'mount' in seen && seen.is !== 'foreign' && seen.is !== 'undecided'
    ? deviceUnder(host, seen.mount, seen.table)
    : seen.wanted.number;

/** What is seen, to a person. */
export function sentence({ params: { device } }: Pick<Ctx, 'params'>, seen: Seen): string {
  const { directory } = seen.wanted;
  switch (seen.is) {
    case 'ours':
      return `${device} is mounted on ${seen.mount.target}`;
    case 'absent':
      return `${device} is not mounted on ${directory}`;
    case 'foreign':
      return `another device (${named(seen.mount)}) is mounted on ${directory}, not ${device}`;
    case 'undecided':
      return `${named(seen.mount)} is mounted on ${seen.mount.target}; whether that is ${device} is unknown: ${seen.why}`;
    case 'covered':
      return `${seen.mount.source} is mounted on ${seen.mount.target}, but ${seen.by.source} was mounted over ${seen.by.target === seen.mount.target ? 'it' : seen.by.target}: unmount that by hand`;
    case 'aside':
      return `${seen.mount.source} is on ${seen.mount.target}, not on ${directory}: a stop moved it there and did not end; stop it again`;
    case 'moved':
      return `${seen.mount.source} is on ${seen.mount.target}, not on ${directory}: ${seen.why}`;
  }
}

/** By its source, and where that says nothing by the path within it, and by a type that is no disk's. */
const named = ({ source, root, type, device }: Mount): string =>
  `${source}${root === '/' ? '' : `[${root}]`}${device.startsWith('0:') ? `, ${type}` : ''}`;
