import { addressFamily, canonicalIp } from '../net/address-text.ts';

// One client as exportfs(8) takes it: host, address, network, wildcard, @netgroup, gss/…, or * for the world.

/**
 * The argument that makes exportfs export `path` to this client: an IPv6 address needs brackets there, although etab and every
 * listing show it without them.
 */
export function exportArgument(client: string, path: string): string {
  const { address, length } = splitIPv6(client);
  return address === undefined ? `${client}:${path}` : `[${address}]${length}:${path}`;
}

/** Whether two spellings mean the same client, without asking DNS. */
export const sameClient = (one: string, other: string): boolean => spelling(one) === spelling(other);

/** Only such a client may be called by another name: exportfs writes the canonical one into etab. */
export const isHostName = (client: string): boolean =>
  /^[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?\.?$/i.test(client) && !/^[\d.]+$/.test(client);

/** A host name or an address: none of a network, a wildcard, a netgroup, a security flavour. */
export const isOneHost = (client: string): boolean =>
  client !== '' && !client.startsWith('@') && !/[*?[\]/]/.test(client);

/** Host names and IPv6 addresses have many spellings, netgroups and security flavours have one. */
function spelling(client: string): string {
  const { address, length } = splitIPv6(client);
  if (address !== undefined) return `${canonicalIPv6(address)}${length}`;
  return client.startsWith('@') || client.startsWith('gss/') ? client : client.toLowerCase();
}

function splitIPv6(client: string): { readonly address: string | undefined; readonly length: string } {
  const [, bracketed, bare, length = ''] = /^(?:\[([^\]]*)\]|([^[\]/]*))(\/.*)?$/.exec(client) ?? [];
  const address = bracketed ?? bare;
  return address !== undefined && addressFamily(address) === 6
    ? { address, length }
    : { address: undefined, length: '' };
}

/** As RFC 5952 writes it; a scope (`%eth0`) stays as it is. */
function canonicalIPv6(address: string): string {
  const [bare = '', scope] = address.split('%');
  const canonical = canonicalIp(bare) ?? bare;
  return scope === undefined ? canonical : `${canonical}%${scope}`;
}
