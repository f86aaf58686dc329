import { Failure } from '../../lib/contract/outcome.ts';
import { type Rule, type Table, type TableFamily, tableNamed } from '../../lib/host/net/nftables.ts';
import type { Ctx } from './params.ts';
import { hashSeed, type Share, type Wanted } from './wanted.ts';

// Cluster-IP: all nodes have the address and a multicast MAC, so that all receive every packet, and each one's nft rules accept
// what hashes to its shares. Tables, comments, seed and MAC are the stock agent's (4.18): nodes with either work together.

/**
 * What the rules of this node say about an instance's share; it is outdated when the clients are divided by another total or seed, or on
 * another interface: a rule stays with the index of one that is gone.
 */
export type Sharing = 'taken' | 'not taken' | 'outdated' | 'unguarded';

const firewall = 'nft';

export async function requireFirewall({ host }: Ctx, { share }: Wanted): Promise<void> {
  if (share && !(await host.sys.has(firewall)))
    throw new Failure('notInstalled', `command ${firewall}, which a Cluster-IP needs, is not installed`);
}

/** Looks at the rules of the interface that has the address. Without any that drop, this node answers every client, whoever else does. */
export async function lookAtShare(ctx: Ctx, want: Wanted, nic: string): Promise<Sharing> {
  if (want.share === undefined) return 'taken';
  if (!(await ctx.host.sys.has(firewall))) return 'unguarded';
  const rules = (await tableHere(ctx, want))?.rules ?? [];
  if (!rules.some(guards(nic))) return 'unguarded';
  const own = rules.filter(isOf(want.share.number));
  if (own.length === 0) return 'not taken';
  // Without a configured seed it is that of the address and its network, which change with the prefix only.
  const seed = hashSeed(ctx.params.clusterip_hash_seed ?? '');
  return own.every(divides(want.share, nic, seed)) ? 'taken' : 'outdated';
}

/** Whether a rule divides the clients as the instance's shall be, of any seed where none is given. */
export const divides =
  ({ total }: Share, nic: string, seed?: number) =>
  (rule: Rule): boolean =>
    isOn(rule, nic) && rule.hash?.mod === total && (seed === undefined || rule.hash.seed === seed);

/** Whether a rule drops what no share accepts. */
export const guards =
  (nic: string) =>
  (rule: Rule): boolean =>
    rule.drops && isOn(rule, nic);

const isOn = ({ iif }: Rule, nic: string): boolean => iif === undefined || iif === nic;

/** The table of the address on this node. */
export const tableHere = ({ host }: Ctx, want: Wanted): Promise<Table | undefined> =>
  tableNamed(host, want.namespace, nftFamilyOf(want), nameOf(want));

export const nameOf = ({ ip }: Wanted): string => `IPaddr2_${ip.replaceAll(/[.:]/g, '_')}`;
export const nftFamilyOf = ({ family }: Wanted): TableFamily => (family === 'inet' ? 'ip' : 'ip6');

export const commentOf = (number: number): string => `cip-node-${number}`;
/** Whether a rule serves the share of this number. */
export const isOf =
  (number: number) =>
  ({ comment }: Rule): boolean =>
    comment === commentOf(number);
