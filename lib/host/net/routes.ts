import type { Host } from '../host.ts';
import type { Family } from './addresses.ts';
import { ipCommand, type Namespace } from './namespaces.ts';
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
  const argv = ipCommand(namespace, '-j', '-f', family, 'route', 'show', 'match', `${ip}/${bits}`, ...filter);
  return parseRoutes(await host.run(argv)).filter(({ network, prefix }) => contains(network, prefix, ip));
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

/** `ip -j route show`, without default routes, gateways, and everything that is no unicast (unreachable, blackhole…). */
export function parseRoutes(text: string): readonly LinkRoute[] {
  const routes = JSON.parse(text || '[]') as readonly IpRoute[];
  return routes.flatMap(({ type = 'unicast', dst, dev, gateway, via, metric, protocol = '', flags = [] }) => {
    if (dst === undefined || dst === 'default' || dev === undefined) return [];
    if (type !== 'unicast' || gateway !== undefined || via !== undefined || flags.includes('dead')) return [];
    const [network = '', length] = dst.split('/');
    const prefix = length === undefined ? (network.includes(':') ? 128 : 32) : Number(length);
    return prefix === 0 ? [] : [{ network, prefix, nic: dev, metric, protocol }];
  });
}

/** Best first: longest prefix, then lowest metric, then the kernel's own, then the interface that was there first. */
export function rankRoutes(
  routes: readonly LinkRoute[],
  indexOf: (nic: string) => number,
): readonly LinkRoute[] {
  return [...routes].sort(
    (a, b) =>
      b.prefix - a.prefix ||
      (a.metric ?? 0) - (b.metric ?? 0) ||
      Number(b.protocol === 'kernel') - Number(a.protocol === 'kernel') ||
      indexOf(a.nic) - indexOf(b.nic),
  );
}
