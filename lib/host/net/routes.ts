import type { Host } from '../host.ts';
import { hasFields, isListOf, readJson } from '../json.ts';
import type { Family } from './addresses.ts';
import { type Namespace, shown } from './namespaces.ts';
import { contains } from './networks.ts';

/** A route to a network that is directly attached to an interface. */
export type LinkRoute = {
  /** Network address; with `prefix` the destination. */
  readonly network: string;
  readonly prefix: number;
  readonly nic: string;
  /** `undefined` where the kernel prints none: 0 for IPv4. */
  readonly metric: number | undefined;
  /** Who made it: `kernel`, `ra`, `static`… */
  readonly protocol: string;
  /** Its interface has lost its link. */
  readonly linkDown: boolean;
};

/** The attached networks of the main table that hold `ip`; `protocol` as `ip route` takes it, name or number. */
export async function linkRoutes(
  host: Host,
  namespace: Namespace,
  family: Family,
  ip: string,
  protocol?: string,
): Promise<readonly LinkRoute[]> {
  const bits = family === 'inet' ? '32' : '128';
  const filter = protocol === undefined ? [] : ['proto', protocol];
  const text = await shown(
    host,
    namespace,
    ...['-f', family, 'route', 'show', 'match', `${ip}/${bits}`, ...filter],
  );
  return parseRoutes(text).filter(({ network, prefix }) => contains(network, prefix, ip));
}

type IpRoute = {
  readonly type?: string;
  readonly dst?: string;
  readonly dev?: string;
  readonly gateway?: string;
  readonly via?: unknown;
  readonly metric?: number;
  readonly protocol?: string;
  readonly flags?: readonly string[];
};

const isRoute = (value: unknown): value is IpRoute =>
  hasFields(value, {
    ...{ 'type?': 'string', 'dst?': 'string', 'dev?': 'string', 'gateway?': 'string' },
    ...{ 'metric?': 'number', 'protocol?': 'string', 'flags?': 'list' },
  });

/**
 * `ip -j route show`, without default routes, gateways, routes to a single host, which lead to no network, and everything that is no
 * unicast (unreachable, blackhole…).
 *
 *     {"dst":"192.168.144.0/24","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"192.168.144.1","metric":50,"flags":["linkdown"]}
 */
export function parseRoutes(text: string): readonly LinkRoute[] {
  // iproute2 prints nothing where no route fits
  const routes = readJson(text || '[]', 'ip -j route show', isListOf(isRoute));
  return routes.flatMap(({ type = 'unicast', dst, dev, gateway, via, metric, protocol = '', flags = [] }) => {
    if (dst === undefined || dst === 'default' || dev === undefined) return [];
    if (type !== 'unicast' || gateway !== undefined || via !== undefined || flags.includes('dead')) return [];
    const [network = '', length] = dst.split('/');
    const host = network.includes(':') ? 128 : 32;
    const prefix = length === undefined ? host : Number(length);
    if (prefix === 0 || prefix === host) return [];
    return [{ network, prefix, nic: dev, metric, protocol, linkDown: flags.includes('linkdown') }];
  });
}

/**
 * Best first: longest prefix, then those with a link, then lowest metric, then the kernel's own, then the interface that was there first.
 * A network that has lost its link is no other network.
 */
export function rankRoutes(
  routes: readonly LinkRoute[],
  indexOf: (nic: string) => number,
  hasLink: (route: LinkRoute) => boolean,
): readonly LinkRoute[] {
  return [...routes].sort(
    (a, b) =>
      b.prefix - a.prefix ||
      Number(hasLink(b)) - Number(hasLink(a)) ||
      (a.metric ?? 0) - (b.metric ?? 0) ||
      Number(b.protocol === 'kernel') - Number(a.protocol === 'kernel') ||
      indexOf(a.nic) - indexOf(b.nic),
  );
}
