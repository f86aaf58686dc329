import { Failure } from '../../lib/contract/outcome.ts';
import {
  type Interface,
  interfaceNamed,
  interfaces,
  isLocal,
  type Sighting,
} from '../../lib/host/net/addresses.ts';
import { ipCommand, namespaceExists } from '../../lib/host/net/namespaces.ts';
import { endAnnouncer } from './announce.ts';
import { labelSource, removeAddress } from './change.ts';
import { giveBackToLoopback } from './loopback.ts';
import type { Ctx } from './params.ts';
import { pidFileOf } from './senders.ts';
import { sightings } from './served.ts';
import { endSharing, leaveShare, spotOf } from './share.ts';
import { type Wanted, wanted } from './wanted.ts';

/** Looks for the address first: routes, prefix and label that start needed may be gone, the address must not stay for that. */
export async function stop(ctx: Ctx): Promise<void> {
  const { host, params, log } = ctx;
  await endAnnouncer(ctx);
  const want = wanted(ctx);
  if (want === undefined) return;
  await host.sys.remove(pidFileOf(ctx, want.ip));
  if (!(await namespaceExists(host, want.namespace))) {
    log.info(`network namespace ${want.namespace} does not exist: ${want.ip} is not there`);
    return;
  }
  if (await goneWithoutTools(ctx, want)) return;

  if ((await leaveShare(ctx, want)) === 'needed') {
    log.info(`${want.ip} stays: other instances on this node serve their shares of it`);
    return;
  }
  const found = await ours(ctx, want);
  for (const sighting of found) {
    await removeAddress(ctx, want.namespace, sighting);
    log.info(`${want.ip}/${sighting.address.prefix} removed from ${sighting.link.name}`);
  }
  const [left] = found.length > 0 ? await ours(ctx, want) : [];
  if (left) throw new Failure('failed', `${want.ip} cannot be removed from ${left.link.name}`);
  await endSharing(ctx, want, found.map(spotOf));
  if (found.length > 0 && params.flush_routes)
    await host.tryRun(ipCommand(want.namespace, '-f', want.family, 'route', 'flush', 'cache'));
  await labelSource(ctx, want, 'del');
  await giveBackToLoopback(ctx, want);
}

/**
 * Every place of the address that this resource answers for: any prefix, any label, on its interface. An interface that has
 * another name now is known by its index.
 */
async function ours({ host, memory, log }: Ctx, want: Wanted): Promise<readonly Sighting[]> {
  const links = await interfaces(host, want.namespace);
  const all = sightings(want, links);
  if (want.nic === undefined) return all;
  const nic = interfaceNamed(links, want.nic) ?? (await renamed(links, memory));
  if (nic === undefined && all[0])
    log.warn(`interface ${want.nic} does not exist; ${want.ip} on ${all[0].link.name} is left alone`);
  return all.filter(({ link }) => link === nic);
}

async function renamed(links: readonly Interface[], memory: Ctx['memory']): Promise<Interface | undefined> {
  const index = await memory.fact<number>('index');
  return links.find((link) => link.index === index);
}

/** On a host that lost its `ip` command the kernel tells whether there is anything to remove. */
async function goneWithoutTools({ host }: Ctx, want: Wanted): Promise<boolean> {
  if (want.namespace !== undefined || (await host.sys.has('ip'))) return false;
  return (await isLocal(host, want.ip, want.family)) === false;
}
