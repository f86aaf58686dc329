import { type Params, readBoolean } from '../../lib/contract/params.ts';
import type { Request } from '../../lib/contract/request.ts';
import { addressFamily, canonicalIp } from '../../lib/host/net/address-text.ts';
import type { Family } from '../../lib/host/net/addresses.ts';
import type { Namespace } from '../../lib/host/net/namespaces.ts';
import type { Ctx, params } from './params.ts';

/** The address that the parameters ask for, old spellings resolved. */
export type Wanted = {
  readonly ip: string;
  readonly family: Family;
  /** As configured: may be an alternative name. */
  readonly nic?: string;
  /** The part after the interface name. */
  readonly label?: string;
  readonly prefix?: number;
  readonly namespace: Namespace;
  /** Set for an instance of a Cluster-IP. */
  readonly share?: Share;
};

/** Which part of the clients an instance of a Cluster-IP serves: `number` (from 1) of `total`. */
export type Share = { readonly number: number; readonly total: number };

/** `undefined` when `ip` is no address: nothing can be served, and nothing be found. */
export function wanted({ params, request, host, log }: Ctx): Wanted | undefined {
  const ip = wantedIp(params, request);
  if (ip === undefined) return undefined;
  const family = familyOf(ip);
  const { nic, label } = nicAndLabel(params);
  const netmask = params.cidr_netmask ?? host.sys.env['OCF_RESKEY_netmask'];
  const prefix = netmask === undefined ? undefined : prefixLength(netmask, family);
  const share = shareOf(params, request);
  if (netmask?.includes('.') && prefix !== undefined && request.action === 'start')
    log.warn(`cidr_netmask=${netmask} is understood as ${prefix}: please configure the prefix length`);
  return {
    ip,
    family,
    ...(nic !== undefined && { nic }),
    ...(label !== undefined && { label }),
    ...(prefix !== undefined && { prefix }),
    namespace: params.network_namespace,
    ...(share !== undefined && { share }),
  };
}

/** The canonical address of this instance: the configured one, or with unique_clone_address the clone's own. */
export function wantedIp(
  { ip, unique_clone_address }: Params<typeof params>,
  request: Request,
): string | undefined {
  const base = ip === undefined ? undefined : canonicalIp(ip); // undefined when a probe or stop looks although it is missing
  if (base === undefined || !unique_clone_address) return base;
  const octets = base.split('.');
  const last = Number(octets.at(-1)) + Number(request.meta('clone') ?? 0);
  return canonicalIp([...octets.slice(0, -1), last].join('.'));
}

/**
 * A globally unique clone of one address is a Cluster-IP: every node has the address and serves its share of the clients. On `lo`
 * nobody asks for addresses; LVS back ends have the same one there.
 */
export function shareOf(given: Params<typeof params>, request: Request): Share | undefined {
  const total = Number(request.meta('clone_max') || 1);
  if (total === 1 || !globallyUnique(request) || given.unique_clone_address) return undefined;
  if (nicAndLabel(given).nic === 'lo') return undefined;
  return { number: Number(request.meta('clone') || 0) + 1, total };
}

export const globallyUnique = (request: Request): boolean =>
  readBoolean(request.meta('globally_unique') ?? '') === true;

export const familyOf = (ip: string): Family => (ip.includes(':') ? 'inet6' : 'inet');

/** fe80::/10: every interface may have the same, and they are different addresses. */
export const isLinkLocal = (ip: string): boolean => /^fe[89ab]/.test(ip);

export const isLoopback = (ip: string): boolean => ip.startsWith('127.') || ip === '::1';

/** `eth0:web` is the old form of nic=eth0 iflabel=web. */
export function nicAndLabel({ nic: text, iflabel }: Params<typeof params>): {
  readonly nic: string | undefined;
  readonly label: string | undefined;
} {
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon < 0) return { nic: text, label: iflabel };
  return { nic: text.slice(0, colon), label: text.slice(colon + 1) || iflabel };
}

/** A prefix length as a number or, for IPv4, as a dotted mask; `undefined` for what is none. */
export function prefixLength(text: string, family: Family): number | undefined {
  const bits = /^\d{1,3}$/.test(text) ? Number(text) : family === 'inet' ? maskBits(text) : undefined;
  return bits !== undefined && bits >= 1 && bits <= (family === 'inet' ? 32 : 128) ? bits : undefined;
}

function maskBits(text: string): number | undefined {
  if (addressFamily(text) !== 4) return undefined;
  const bits = text
    .split('.')
    .map((octet) => Number(octet).toString(2).padStart(8, '0'))
    .join('');
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined;
}

/** IFNAMSIZ less its NUL: a label shares the limit of interface names. */
export const longestLabel = 15;

/** Canonical text of six octets with any separator, of which the first is odd: else `undefined`. */
export function multicastMac(text: string): string | undefined {
  const octets = /^[0-9a-f]{2}([^0-9a-z][0-9a-f]{2}){5}$/i.test(text) ? text.match(/[0-9a-f]{2}/gi) : null;
  return octets && Number.parseInt(octets[0] ?? '0', 16) % 2 === 1
    ? octets.join(':').toLowerCase()
    : undefined;
}

/** A seed as nft takes it; `undefined` for what is none. */
export const hashSeed = (text: string): number | undefined =>
  /^(0x[0-9a-f]+|\d+)$/i.test(text) && Number(text) < 2 ** 32 ? Number(text) : undefined;
