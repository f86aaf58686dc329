import { canonicalPath } from '../../lib/host/storage/mounts.ts';
import { areKin, familyOf, isRewritten, isServed } from './fstypes.ts';
import { remember, remembered } from './mark.ts';
import { hasOtherLayers, sourceName } from './names.ts';
import type { Candidate, Verdict } from './wanted.ts';

/** A server's, a FUSE or a virtual filesystem is its type's family and its name. */
export async function judgeNamed({ ctx, wanted, mount, table }: Candidate<'named'>): Promise<Verdict> {
  const { name, family } = wanted.source;
  if (family === undefined ? !isServed(mount.type) : !areKin(family, mount.type)) return 'foreign';
  const before = await remembered(ctx, 'named');
  if (familyOf(mount.type) === 'overlay')
    return hasOtherLayers(mount, ctx.params.options) ? 'foreign' : 'ours';
  const shows = (other: string) => sourceName(other, mount) === sourceName(mount.source, mount);
  if (shows(name) || (before?.type === mount.type && before.name === mount.source)) {
    await remember(ctx, { is: 'named', type: mount.type, name: mount.source });
    return 'ours';
  }
  if (name.startsWith('/') && !name.startsWith('//') && shows(await canonicalPath(ctx.host, name, table)))
    return 'ours';
  return !before && isRewritten(familyOf(mount.type), mount.source)
    ? { undecided: `${mount.type} does not show what it was mounted from` }
    : 'foreign';
}
