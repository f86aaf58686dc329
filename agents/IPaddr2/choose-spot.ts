import { Failure } from '../../lib/contract/outcome.ts';
import { type Address, type Interface, interfaceNamed } from '../../lib/host/net/addresses.ts';
import { contains } from '../../lib/host/net/networks.ts';
import { type LinkRoute, linkRoutes, rankRoutes } from '../../lib/host/net/routes.ts';
import type { Ctx } from './params.ts';
import type { Spot } from './spot.ts';
import { isLoopback, longestLabel, type Wanted } from './wanted.ts';

/** Where start adds the address, and how. */
export type ChosenSpot = Spot & {
  readonly label?: string;
  /** Of the route that decided; IPv6's prefix route gets the same. */
  readonly metric?: number;
};

/** Interface and prefix as configured; what is not configured comes from the attached networks that hold the address. */
export async function chooseSpot(ctx: Ctx, want: Wanted, links: readonly Interface[]): Promise<ChosenSpot> {
  const given = want.nic === undefined ? undefined : interfaceNamed(links, want.nic);
  if (want.nic !== undefined && given === undefined)
    throw new Failure('notInstalled', `interface ${want.nic} does not exist`);

  const complete = given !== undefined && want.prefix !== undefined;
  const routes = complete && want.family === 'inet' ? [] : await routesTo(ctx, want, given, links);
  const [route] = routes;
  if (route && given === undefined) requireNoCloser(want, route, links);
  tellRivals(ctx, want, routes);
  const link = given ?? interfaceNamed(links, route?.nic ?? (isLoopback(want.ip) ? 'lo' : ''));
  const prefix = want.prefix ?? route?.prefix ?? (isLoopback(want.ip) ? loopbackPrefix(want) : undefined);
  if (link === undefined || prefix === undefined) throw new Failure('notInstalled', noRoute(want));

  const label = want.label === undefined ? undefined : `${link.name}:${want.label}`;
  if (label !== undefined && label.length > longestLabel)
    throw new Failure('misconfigured', `label ${label} is longer than ${longestLabel} characters`);
  const broadcast = ctx.params.broadcast ?? inheritedBroadcast(want, link, prefix);
  return {
    link,
    prefix,
    ...(broadcast !== undefined && { broadcast }),
    ...(label !== undefined && { label }),
    ...(want.family === 'inet6' && route?.metric !== undefined && { metric: route.metric }),
  };
}

/** The interface that the routes choose. */
export const routedLink = async (
  ctx: Ctx,
  want: Wanted,
  links: readonly Interface[],
): Promise<Interface | undefined> =>
  interfaceNamed(links, (await routesTo(ctx, want, undefined, links))[0]?.nic ?? '');

/** The attached networks that the address may be in, best first. */
async function routesTo(
  ctx: Ctx,
  want: Wanted,
  nic: Interface | undefined,
  links: readonly Interface[],
): Promise<readonly LinkRoute[]> {
  const attached = await linkRoutes(ctx.host, want.namespace, want.family, want.ip, ctx.params.proto);
  const indexOf = (name: string) => interfaceNamed(links, name)?.index ?? Number.MAX_SAFE_INTEGER;
  const fitting = attached.filter(
    (route) => route.prefix <= (want.prefix ?? 128) && (nic === undefined || route.nic === nic.name),
  );
  const hasLink = (route: LinkRoute) =>
    !route.linkDown && (interfaceNamed(links, route.nic)?.running ?? true);
  return rankRoutes(fitting, indexOf, hasLink);
}

function tellRivals({ log }: Ctx, { ip }: Wanted, [best, ...others]: readonly LinkRoute[]): void {
  const rivals = others.filter(({ nic, prefix }) => nic !== best?.nic && prefix === best?.prefix);
  if (best && rivals.length > 0)
    log.info(
      `${ip}: interface ${best.nic} chosen, ${rivals.map(({ nic }) => nic).join(', ')} lead to the same network`,
    );
}

/** An interface that is switched off has no routes; the network that it is in is the address's all the same. */
function requireNoCloser(
  { ip, prefix: most = 128 }: Wanted,
  best: LinkRoute,
  links: readonly Interface[],
): void {
  const isCloser = ({ ip: other, prefix, family, peer }: Address) =>
    prefix > best.prefix &&
    prefix <= most &&
    prefix < (family === 'inet' ? 32 : 128) &&
    peer === undefined &&
    contains(other, prefix, ip);
  const off = links.find(({ up, addresses }) => !up && addresses.some(isCloser));
  if (off)
    throw new Failure(
      'failed',
      `${off.name}, which is in a network of ${ip}, is down; ${best.nic} is in a wider one: switch it on or configure nic`,
    );
}

const loopbackPrefix = ({ family }: Wanted): number => (family === 'inet' ? 8 : 128);

/** The broadcast address of the network that the interface is already in. */
function inheritedBroadcast(
  { family, ip }: Wanted,
  { name, addresses }: Interface,
  prefix: number,
): string | undefined {
  if (family === 'inet6' || name === 'lo') return undefined;
  const neighbours = addresses.filter(
    (address) =>
      address.family === 'inet' &&
      address.prefix <= prefix &&
      contains(address.ip, address.prefix, ip) &&
      address.broadcast !== undefined,
  );
  return neighbours.sort((a, b) => b.prefix - a.prefix)[0]?.broadcast;
}

function noRoute({ ip, nic, prefix }: Wanted): string {
  const where = nic === undefined ? 'no interface is in a network' : `${nic} is not in a network`;
  const wide = prefix === undefined ? '' : ` of at least /${prefix}`;
  return `${where}${wide} with ${ip}: configure ${nic === undefined ? 'nic and cidr_netmask' : 'cidr_netmask'}`;
}
