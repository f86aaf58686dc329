import { type Interface, interfaceNamed, isLocal, type Sighting } from '../../lib/host/net/addresses.ts';
import { ipCommand, namespaceExists } from '../../lib/host/net/namespaces.ts';
import { endAnnouncer } from './announce.ts';
import { interfacesAtRest } from './at-rest.ts';
import { giveBackToLoopback } from './loopback.ts';
import type { Ctx } from './params.ts';
import { lostNamespace, ownIndexes, sentence, sightings } from './seen.ts';
import { pidFileOf } from './senders.ts';
import { takeDown } from './take-down.ts';
import { isLinkLocal, type Wanted, wanted } from './wanted.ts';

/** Looks for the address first: routes, prefix and label that start needed may be gone, the address must not stay for that. */
export async function stop(ctx: Ctx): Promise<void> {
  const { host, log } = ctx;
  await endAnnouncer(ctx);
  const want = wanted(ctx);
  if (want === undefined) return;
  await host.sys.remove(pidFileOf(ctx, want.ip)).catch(() => undefined);
  await stopInLostNamespace(ctx, want);
  if (!(await namespaceExists(host, want.namespace))) {
    log.info(`network namespace ${want.namespace} does not exist: ${want.ip} is not there`);
    return;
  }
  if (await goneWithoutTools(ctx, want)) return;
  await stopIn(ctx, want);
}

async function stopInLostNamespace(ctx: Ctx, want: Wanted): Promise<void> {
  const lost = await lostNamespace(ctx, want);
  if (lost === undefined) return;
  ctx.log.warn(sentence(want, { is: 'lost namespace', lost }));
  try {
    await stopIn(ctx, { ...want, namespace: lost.file });
  } catch (error) {
    // it may have ended with its last process
    if (await lostNamespace(ctx, want)) throw error;
  }
}

async function stopIn(ctx: Ctx, want: Wanted): Promise<void> {
  const { host, params, log } = ctx;
  let strangers: readonly Sighting[] = [];
  const removed = await takeDown(ctx, want, async () => {
    const { ours, others } = await sort(ctx, want);
    strangers = others;
    return ours;
  });
  if (removed === 'needed') {
    log.info(`${want.ip} stays: other instances on this node serve their shares of it`);
    return;
  }
  for (const { link, address } of strangers)
    log.warn(`${want.ip}/${address.prefix} on ${link.name} is left alone: it is not on ${want.nic}`);
  for (const { link, address } of removed) log.info(`${want.ip}/${address.prefix} removed from ${link.name}`);
  if (removed.length > 0 && params.flush_routes)
    await host.tryRun(ipCommand(want.namespace, '-f', want.family, 'route', 'flush', 'cache'));
  await giveBackToLoopback(ctx, want);
}

type Sorted = { readonly ours: readonly Sighting[]; readonly others: readonly Sighting[] };

/**
 * The places of the address, any prefix, any label. Ours are those on the configured interface and on the one that start used, which is
 * known by its index whatever its name is now. When there is neither, every place may be ours: no two of a network may have the address.
 */
async function sort(ctx: Ctx, want: Wanted): Promise<Sorted> {
  const links = await interfacesAtRest(ctx, want);
  const own = await ownIndexes(ctx, want, links);
  if (want.nic === undefined) return { ours: sightings(want, links, own), others: [] };
  const used = links.find(({ index }) => own.includes(index));
  const named = interfaceNamed(links, want.nic);
  const all = isLinkLocal(want.ip)
    ? [named, used].filter(once).flatMap((nic) => sightings(want, links, own, nic))
    : sightings(want, links, own);
  if (named === undefined && used === undefined) return { ours: all, others: [] };
  const isOurs = ({ link }: Sighting) => link === named || link === used;
  return { ours: all.filter(isOurs), others: all.filter((sighting) => !isOurs(sighting)) };
}

const once = (link: Interface | undefined, at: number, all: readonly unknown[]): boolean =>
  link !== undefined && all.indexOf(link) === at;

/** On a host that lost its `ip` command the kernel tells whether there is anything to remove. */
async function goneWithoutTools({ host }: Ctx, want: Wanted): Promise<boolean> {
  if (want.namespace !== undefined || (await host.sys.has('ip'))) return false;
  return (await isLocal(host, want.ip, want.family)) === false;
}
