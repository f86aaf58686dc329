import {
  type Family,
  type Glimpse,
  type Interface,
  interfaceNamed,
  type PlaceOn,
  runningInterfaces,
} from '../../lib/host/net/addresses.ts';
import type { Keeper } from '../../lib/host/net/nameless-namespaces.ts';
import { type NamespaceId, namespaceExists, namespaceId } from '../../lib/host/net/namespaces.ts';
import type { Ctx } from './params.ts';
import { lookAtShare } from './share.ts';
import { isLinkLocal, isLoopback, type Wanted } from './wanted.ts';

/** How much of what is wanted is there; everything but `absent` and `no interface` says where. */
export type Seen<At = PlaceOn<Glimpse>> =
  | { readonly is: 'served' | 'link down' | 'tentative' | 'duplicate'; readonly at: At }
  | { readonly is: 'other label' | 'other prefix' | 'elsewhere' | 'renamed'; readonly at: At }
  | { readonly is: 'not our share' | 'outdated share' | 'unguarded'; readonly at: At }
  | { readonly is: 'absent' | 'no interface' | 'no namespace' }
  | { readonly is: 'lost namespace'; readonly lost: Keeper };

/** Looks at the machine; for a healthy address in our own namespace without a command, unless it is a Cluster-IP. */
export async function look(ctx: Ctx, want: Wanted): Promise<Seen> {
  const seen = await withShare(ctx, want, await lookForAddress(ctx, want));
  if (seen.is === 'served' && seen.at.address.detection === 'tentative')
    ctx.log.warn(`${sentence(want, seen)}, which has no link: duplicate address detection has not begun`);
  return seen;
}

/** An instance of a Cluster-IP has its share, or only an address that others here may need. */
export async function withShare<At extends PlaceOn<Glimpse>>(
  ctx: Ctx,
  want: Wanted,
  seen: Seen<At>,
): Promise<Seen<At>> {
  if (seen.is !== 'served') return seen;
  const { at } = seen;
  switch (await lookAtShare(ctx, want, at.link.name)) {
    case 'taken':
      return seen;
    case 'not taken':
      return { is: 'not our share', at };
    case 'outdated':
      return { is: 'outdated share', at };
    case 'unguarded':
      return { is: 'unguarded', at };
  }
}

async function lookForAddress(ctx: Ctx, want: Wanted): Promise<Seen> {
  const { host, params } = ctx;
  const lost = await lostNamespace(ctx, want);
  if (lost) return { is: 'lost namespace', lost };
  if (!(await namespaceExists(host, want.namespace))) return { is: 'no namespace' };
  // The rules of a Cluster-IP are asked for by the name of its interface, which a label does not tell.
  if (want.namespace === undefined && want.share === undefined) {
    const quick = judge(want, await runningInterfaces(host, want.family), params.check_link_status, []);
    if ('at' in quick && conclusive.has(quick.is)) return quick;
  }
  const { interfacesAtRest } = await import('./at-rest.ts');
  const links = await interfacesAtRest(ctx, want);
  return judge(want, links, params.check_link_status, await ownIndexes(ctx, want, links));
}

/** The namespace that start used, where its name is gone, or another one's by now, and the address still in it. */
export async function lostNamespace(ctx: Ctx, want: Wanted): Promise<Keeper | undefined> {
  if (want.namespace === undefined) return undefined;
  const used = await ctx.memory.fact<NamespaceId>('namespace');
  if (used === undefined) return undefined;
  const named = await namespaceId(ctx.host, want.namespace);
  if (named?.dev === used.dev && named.ino === used.ino) return undefined;
  const { keeperWith } = await import('../../lib/host/net/nameless-namespaces.ts');
  return keeperWith(ctx.host, used.ino, async (links, namespace) => {
    const there = { ...want, namespace };
    const seen = judge(there, links, false, await ownIndexes(ctx, there, links));
    return 'at' in seen && seen.is !== 'elsewhere';
  });
}

/** The interface that start used, whatever its name is now. */
const usedIndex = ({ memory }: Ctx): Promise<number | undefined> => memory.fact<number>('index');

/**
 * Interfaces that the address is ours on whatever is configured: the one that start used and, where only the prefix of an address that stands
 * alone was asked for, the one that it would choose.
 */
export async function ownIndexes(
  ctx: Ctx,
  want: Wanted,
  links: readonly Interface[],
): Promise<readonly number[]> {
  const used = await usedIndex(ctx);
  const own = used === undefined ? [] : [used];
  const isAsked = want.nic === undefined && want.prefix === wholeOf(want.family);
  const isElsewhere = ({ index, addresses }: Interface) =>
    index !== used && addresses.some(({ ip, prefix }) => ip === want.ip && prefix === want.prefix);
  if (!isAsked || !links.some(isElsewhere)) return own;
  const { routedLink } = await import('./choose-spot.ts');
  const chosen = await routedLink(ctx, want, links);
  return chosen === undefined ? own : [...own, chosen.index];
}

const wholeOf = (family: Family): number => (family === 'inet' ? 32 : 128);

/** What the kernel's own lists show of an address on a running interface needs no second look; what they leave out does. */
const conclusive: ReadonlySet<Seen['is']> = new Set(['served', 'tentative', 'duplicate']);

/**
 * The best of all places where the address is. Without a configured prefix or interface any of them is right. Where a link is not asked for,
 * neither is the end of duplicate address detection, which waits for one.
 */
export function judge<Link extends Glimpse>(
  want: Wanted,
  links: readonly Link[],
  checkLink: boolean,
  own: readonly number[],
): Seen<PlaceOn<Link>> {
  const nic = want.nic === undefined ? undefined : interfaceNamed(links, want.nic);
  const everywhere = sightings(want, links, own, nic);
  if (want.nic !== undefined && nic === undefined)
    return everywhere[0] ? { is: 'renamed', at: everywhere[0] } : { is: 'no interface' };
  const here = everywhere.filter(({ link }) => nic === undefined || link === nic);
  const [stranger] = everywhere;
  const [first] = here;
  if (first === undefined) return stranger ? { is: 'elsewhere', at: stranger } : { is: 'absent' };

  const samePrefix = here.filter(({ address }) => (want.prefix ?? address.prefix) === address.prefix);
  const labelled = samePrefix.filter((sighting) => hasLabel(want, sighting));
  const linked = labelled.filter(({ link }) => link.running || !checkLink);
  const unique = linked.filter(({ address }) => address.detection !== 'failed');
  const usable =
    unique.find(({ address }) => address.detection === 'none') ?? unique.find(({ link }) => !link.running);

  if (usable) return { is: 'served', at: usable };
  if (unique[0]) return { is: 'tentative', at: unique[0] };
  if (linked[0]) return { is: 'duplicate', at: linked[0] };
  if (labelled[0]) return { is: 'link down', at: labelled[0] };
  if (samePrefix[0]) return { is: 'other label', at: samePrefix[0] };
  return { is: 'other prefix', at: first };
}

/**
 * Every place of the address that may be ours; `nic` is the interface that was configured or chosen, `own` are `ownIndexes`. One on `lo`
 * counts only where it was asked for: LVS back ends keep theirs there. A link-local one counts only on `nic`: those of other interfaces are
 * other addresses.
 */
export const sightings = <Link extends Glimpse>(
  want: Wanted,
  links: readonly Link[],
  own: readonly number[],
  nic = want.nic === undefined ? undefined : interfaceNamed(links, want.nic),
): readonly PlaceOn<Link>[] =>
  links
    .filter((link) => !isLinkLocal(want.ip) || link === nic)
    .filter(({ name }) => name !== 'lo' || want.nic === 'lo' || isLoopback(want.ip))
    .flatMap((link) => {
      const isOurs = link === nic || (link.index !== undefined && own.includes(link.index));
      return link.addresses
        .filter((address) => address.ip === want.ip && (isOurs || !isRealServers(address)))
        .map((address) => ({ link, address }));
    });

/**
 * Whether the address stands alone, as LVS real servers and kube-proxy have it on a dummy. One that start made is known by its interface.
 */
const isRealServers = ({ ip, prefix, family, peer }: Glimpse['addresses'][number]): boolean =>
  prefix === wholeOf(family) && peer === undefined && !isLoopback(ip);

const hasLabel = ({ label }: Wanted, { link, address }: PlaceOn<Glimpse>): boolean =>
  label === undefined || address.label === `${link.name}:${label}`;

/** What is seen, said to a person. */
export function sentence(want: Wanted, seen: Seen): string {
  const { ip } = want;
  switch (seen.is) {
    case 'no namespace':
      return `network namespace ${want.namespace} does not exist`;
    case 'lost namespace':
      return `${ip} is in a namespace that is no longer named ${want.namespace}: ${seen.lost.who} keeps it`;
    case 'no interface':
      return `interface ${want.nic} does not exist`;
    case 'renamed':
      return `interface ${want.nic} does not exist; ${ip} is on ${seen.at.link.name}`;
    case 'absent':
      return `${ip} is not configured${want.nic === undefined ? '' : ` on ${want.nic}`}`;
    case 'elsewhere':
      return `${ip} is not on ${want.nic} but on ${seen.at.link.name}`;
    case 'other prefix':
      return `${ip} is on ${seen.at.link.name} with prefix /${seen.at.address.prefix}, not /${want.prefix}`;
    case 'other label':
      return `${ip} is on ${seen.at.link.name} without label ${seen.at.link.name}:${want.label}`;
    case 'link down':
      return `${ip} is on ${seen.at.link.name}, which has no link`;
    case 'tentative':
      return `${ip} on ${seen.at.link.name}: duplicate address detection does not end`;
    case 'duplicate':
      return `${ip} on ${seen.at.link.name} is also owned by another host: duplicate address detection failed`;
    case 'not our share':
      return `${ip} is on ${seen.at.link.name}, but share ${want.share?.number} of it is not taken here`;
    case 'outdated share':
      return `${ip} is on ${seen.at.link.name}, but share ${want.share?.number} of ${want.share?.total} was taken with another clone-max or seed, or on another interface`;
    case 'unguarded':
      return `${ip} is on ${seen.at.link.name} without rules: this node answers the clients of all others too`;
    case 'served':
      return `${ip} is on ${seen.at.link.name}`;
  }
}
