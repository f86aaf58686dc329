import type { Host } from '../host.ts';
import { hasFields, isListOf, isObject, isText, readJson } from '../json.ts';
import type { RunningAddress } from '../sys/sys.ts';
import { canonicalIp } from './address-text.ts';
import { type Namespace, shown } from './namespaces.ts';

export type Family = 'inet' | 'inet6';

/** One address on one interface, in canonical text (RFC 5952). */
export type Address = {
  readonly family: Family;
  readonly ip: string;
  readonly prefix: number;
  readonly broadcast?: string;
  /** IPv4 only; the interface's own name when nobody gave another. */
  readonly label?: string;
  /** The other end, on a point-to-point link. */
  readonly peer?: string;
  /** Another address of the same network came first: it goes with it unless the kernel promotes it. */
  readonly secondary: boolean;
  /** IPv6 duplicate address detection: not over yet, or found another owner. */
  readonly detection: 'none' | 'tentative' | 'failed';
  /** What else `ip address add` must be told to make it again: scope, metric, flags, lifetimes. */
  readonly origin: readonly string[];
};

export type Interface = {
  readonly name: string;
  readonly index: number;
  readonly altNames: readonly string[];
  /** Set to work by the administrator. */
  readonly up: boolean;
  /** Up and with a link (IFF_RUNNING): operational state up, or unknown for drivers without one. */
  readonly running: boolean;
  /** `ether`, `infiniband`, `loopback`… */
  readonly linkType: string;
  readonly addresses: readonly Address[];
};

/** As much of an interface and its addresses as the kernel's own lists tell: enough to know whether an address serves, not to work with it. */
export type Glimpse = Pick<Interface, 'name' | 'altNames' | 'running'> & {
  readonly index?: number;
  readonly addresses: readonly Pick<Address, 'family' | 'ip' | 'prefix' | 'label' | 'peer' | 'detection'>[];
};

/** An address where it was found. */
export type Sighting = PlaceOn<Interface>;
export type PlaceOn<Link extends Glimpse> = {
  readonly link: Link;
  readonly address: Link['addresses'][number];
};

/** Every interface with its addresses. */
export const interfaces = async (host: Host, namespace: Namespace): Promise<readonly Interface[]> =>
  parseAddresses(await shown(host, namespace, 'address', 'show'));

type IpLink = {
  readonly ifname: string;
  readonly ifindex: number;
  readonly flags: readonly string[];
  readonly operstate?: string;
  readonly link_type?: string;
  readonly altnames?: readonly string[];
  readonly addr_info?: readonly IpAddress[];
};
type IpAddress = {
  readonly family: string;
  readonly local?: string;
  readonly address?: string;
  readonly prefixlen: number;
  readonly broadcast?: string;
  readonly label?: string;
  readonly secondary?: boolean;
  readonly temporary?: boolean;
  readonly tentative?: boolean;
  readonly dadfailed?: boolean;
  readonly scope?: string;
  readonly metric?: number;
  readonly noprefixroute?: boolean;
  readonly nodad?: boolean;
  readonly valid_life_time?: number;
  readonly preferred_life_time?: number;
};

/**
 * `ip -j address show`, in short:
 *
 *     [{"ifindex":2,"ifname":"eth0","flags":["BROADCAST","UP","LOWER_UP"],"operstate":"UP","link_type":"ether","addr_info":
 *       [{"family":"inet","local":"192.168.144.2","prefixlen":24,"broadcast":"192.168.144.255","scope":"global","secondary":true,"label":"eth0"}]}]
 *
 * Old versions leave an empty object for an interface that a filter hid.
 */
export function parseAddresses(text: string): readonly Interface[] {
  return readJson(text, 'ip -j address show', isListOf(isLinkOrHidden)).flatMap((link) => {
    if (!('ifname' in link)) return [];
    const { ifname, ifindex, flags, operstate = 'UNKNOWN', link_type = '', altnames = [] } = link;
    const up = flags.includes('UP');
    return {
      name: ifname,
      index: ifindex,
      altNames: altnames,
      up,
      running: up && !flags.includes('NO-CARRIER') && hasLink(operstate),
      linkType: link_type,
      addresses: (link.addr_info ?? []).flatMap(readAddress),
    };
  });
}

const isLinkOrHidden = (value: unknown): value is IpLink | { readonly ifindex?: number } =>
  isObject(value) && (!Object.hasOwn(value, 'ifname') || isLink(value));

const isLink = (value: unknown): value is IpLink =>
  hasFields(value, {
    ...{ ifname: 'string', ifindex: 'number', flags: 'list' },
    ...{ 'operstate?': 'string', 'link_type?': 'string', 'altnames?': 'list', 'addr_info?': 'list' },
  }) &&
  isListOf(isText)(value['flags']) &&
  isListOf(isText)(value['altnames'] ?? []) &&
  isListOf(isIpAddress)(value['addr_info'] ?? []);

/** Without a family for what an old version's filter hid. */
const isIpAddress = (value: unknown): value is IpAddress =>
  isObject(value) &&
  (!Object.hasOwn(value, 'family') ||
    hasFields(value, {
      ...{ family: 'string', prefixlen: 'number' },
      ...{ 'local?': 'string', 'address?': 'string', 'broadcast?': 'string', 'label?': 'string' },
    }));

/** operstates of RFC 2863 with which the kernel sets IFF_RUNNING. */
const hasLink = (operState: string): boolean => ['UP', 'UNKNOWN'].includes(operState.toUpperCase());

function readAddress(info: IpAddress): readonly Address[] {
  const { family, local, address, prefixlen, broadcast, label } = info;
  const ip = local ?? address; // without `local` for an anycast or a deleted address
  if ((family !== 'inet' && family !== 'inet6') || ip === undefined) return [];
  return [
    {
      family,
      ip: canonicalIp(ip) ?? ip,
      prefix: prefixlen,
      ...(broadcast !== undefined && { broadcast }),
      ...(label !== undefined && { label }),
      ...(local !== undefined && address !== undefined && { peer: address }),
      // In JSON IPv6's "secondary" is the temporary address of RFC 4941: the same bit.
      secondary: family === 'inet' && info.secondary === true,
      detection: info.dadfailed ? 'failed' : info.tentative ? 'tentative' : 'none',
      origin: originOf(info),
    },
  ];
}

/** A lifetime without end, as `ip` prints it. */
const forEver = 2 ** 32 - 1;

const originOf = ({
  scope,
  metric,
  noprefixroute,
  nodad,
  valid_life_time: valid = forEver,
  preferred_life_time: preferred = forEver,
}: IpAddress): readonly string[] => [
  ...(scope === undefined ? [] : ['scope', scope]),
  ...(metric === undefined ? [] : ['metric', String(metric)]),
  ...(noprefixroute ? ['noprefixroute'] : []),
  ...(nodad ? ['nodad'] : []),
  ...(valid === forEver ? [] : ['valid_lft', String(valid)]),
  ...(preferred === forEver ? [] : ['preferred_lft', String(preferred)]),
];

/** The interface of this name, be it an alternative one. */
export const interfaceNamed = <Link extends Glimpse>(
  links: readonly Link[],
  name: string,
): Link | undefined =>
  links.find((link) => link.name === name) ?? links.find(({ altNames }) => altNames.includes(name));

/**
 * The same without a command, for a healthy monitor: of interfaces that are up and have a link, the addresses of this
 * process' own namespace. What is here is true; what is missing may exist nevertheless (a link that is down, an alternative
 * name), and only `interfaces` knows.
 */
export async function runningInterfaces(host: Host, family: Family): Promise<readonly Glimpse[]> {
  if (family === 'inet') return groupRunning(await host.sys.runningAddresses());
  const links = parseIfInet6(await host.sys.read('/proc/net/if_inet6').catch(() => ''));
  const running: Glimpse[] = [];
  for (const link of links) {
    const state = await host.sys.read(`/sys/class/net/${link.name}/operstate`).catch(() => 'down');
    if (hasLink(state.trim())) running.push(link);
  }
  return running;
}

/** getifaddrs(3) names an IPv4 address by its label; the interface is what is before the colon, which no name may hold. */
const groupRunning = (addresses: readonly RunningAddress[]): readonly Glimpse[] =>
  grouped(
    addresses
      .filter(({ address }) => !address.includes(':'))
      .map(({ name: label, address: ip, prefix }) => ({
        name: label.split(':', 1)[0] ?? label,
        address: { family: 'inet', ip, prefix, label, detection: 'none' },
      })),
  );

/**
 * /proc/net/if_inet6:
 *
 *     fe80000000000000505400fffe123456 02 40 20 80     eth0
 *     (1)                              (2)(3)(4)(5)    (6)
 *
 * (1) address, (2) interface index, (3) prefix length, (4) scope, (5) flags of linux/if_addr.h, all in hexadecimal, (6) interface.
 */
export const parseIfInet6 = (text: string): readonly Glimpse[] =>
  grouped(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [digits = '', index = '', prefix = '', , flags = '', name = ''] = line.split(/\s+/);
        const bits = Number.parseInt(flags, 16);
        const detection = bits & dadFailed ? 'failed' : bits & tentative ? 'tentative' : 'none';
        const ip = canonicalIp(digits.replace(/(.{4})(?!$)/g, '$1:')) ?? digits;
        return {
          name,
          index: Number.parseInt(index, 16),
          address: { family: 'inet6', ip, prefix: Number.parseInt(prefix, 16), detection },
        };
      }),
  );

// linux/if_addr.h
const dadFailed = 0x08;
const tentative = 0x40;

/** By interface, in the order in which each comes first. */
function grouped(
  found: readonly {
    readonly name: string;
    readonly index?: number;
    readonly address: Glimpse['addresses'][number];
  }[],
): readonly Glimpse[] {
  const links = new Map<string, Glimpse & { readonly addresses: Glimpse['addresses'][number][] }>();
  for (const { name, index, address } of found) {
    const link = links.get(name);
    if (link) link.addresses.push(address);
    else
      links.set(name, {
        name,
        ...(index !== undefined && { index }),
        altNames: [],
        running: true,
        addresses: [address],
      });
  }
  return [...links.values()];
}

/**
 * Whether an address of this process' namespace is configured on an interface that is up, straight from the kernel: for hosts
 * that lost their `ip` command. `undefined`: the kernel does not say.
 */
export async function isLocal(host: Host, ip: string, family: Family): Promise<boolean | undefined> {
  try {
    if (family === 'inet') return parseLocalTable(await host.sys.read('/proc/net/fib_trie')).has(ip);
    const links = parseIfInet6(await host.sys.read('/proc/net/if_inet6'));
    return links.some((link) => link.addresses.some((address) => address.ip === ip));
  } catch {
    return undefined;
  }
}

/**
 * The local addresses in the text of /proc/net/fib_trie: a leaf, and below it what it is.
 *
 *     |-- 192.168.144.2
 *        /32 host LOCAL
 */
export function parseLocalTable(text: string): ReadonlySet<string> {
  const local = new Set<string>();
  let leaf = '';
  for (const line of text.split('\n')) {
    const [, address] = /\|-- (\S+)/.exec(line) ?? [];
    if (address !== undefined) leaf = address;
    else if (/\/32 host LOCAL/.test(line)) local.add(leaf);
  }
  return local;
}
