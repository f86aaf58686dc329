import ipaddr from 'ipaddr.js';
import { interfaces } from '../../lib/host/net/addresses.ts';
import type { Ctx } from './params.ts';
import type { Spot } from './spot.ts';
import type { Wanted } from './wanted.ts';

/** The discard service. */
const port = 9;
const mostTried = 16;

/**
 * Without a program that sends ARP the kernel can be made to: a datagram from the new address to one of its network that nobody
 * is known to have makes it ask everyone, three times a second apart, and by RFC 826 everyone who knows the sender's address
 * learns its new place from the question. It stops by itself when the address is no longer local.
 */
export async function solicit(ctx: Ctx, want: Wanted, spot: Spot): Promise<void> {
  const { host, log } = ctx;
  const target = want.namespace === undefined ? await unknownNeighbour(ctx, want, spot) : undefined;
  const noSender = `neither send_arp nor arping is installed`;
  if (target === undefined) {
    log.warn(`${noSender}: the neighbours of ${want.ip} may look for it at its old place for minutes`);
    return;
  }
  log.info(`${noSender}: ${want.ip} is announced by asking for ${target}`);
  await host.sys
    .datagram(want.ip, target, port)
    .catch((error: Error) => log.warn(`${want.ip} could not be announced: ${error.message}`));
}

/** An address of the network that is neither in the neighbour table nor our own, from the far end of the network. */
async function unknownNeighbour({ host }: Ctx, want: Wanted, { prefix }: Spot): Promise<string | undefined> {
  if (prefix > 30) return undefined;
  const links = await interfaces(host, want.namespace);
  const own = links.flatMap(({ addresses }) => addresses);
  const known = await host.sys.read('/proc/net/arp').catch(() => '');
  const taken = new Set([
    ...known.split('\n').map((line) => line.split(/\s+/)[0]),
    ...own.map(({ ip }) => ip),
  ]);
  const last = number(ipaddr.IPv4.broadcastAddressFromCIDR(`${want.ip}/${prefix}`).toByteArray());
  const first = number(ipaddr.IPv4.networkAddressFromCIDR(`${want.ip}/${prefix}`).toByteArray());
  for (let one = last - 1; one > Math.max(first, last - mostTried); one -= 1) {
    const text = [24, 16, 8, 0].map((shift) => (one >>> shift) & 255).join('.');
    if (!taken.has(text)) return text;
  }
  return undefined;
}

const number = (octets: readonly number[]): number => octets.reduce((sum, octet) => sum * 256 + octet, 0);
