import { Failure } from '../../lib/contract/outcome.ts';
import { wordsOf } from '../../lib/contract/reason.ts';
import { ipCommand } from '../../lib/host/net/namespaces.ts';
import { changeRules, type Rule, type TableFamily, tableRules } from '../../lib/host/net/nftables.ts';
import type { Ctx } from './params.ts';
import type { Spot } from './spot.ts';
import { multicastMac, type Wanted } from './wanted.ts';

// Cluster-IP: all nodes have the address and a multicast MAC, so that all receive every packet, and each one's nft rules accept
// what hashes to its shares. Tables, comments, seed and MAC are the stock agent's (4.18): nodes with either work together.

/** What the rules of this node say about an instance's share. */
export type Sharing = 'taken' | 'not taken' | 'unguarded';

const firewall = 'nft';
const chain = 'prerouting';

export async function requireFirewall({ host }: Ctx, { share }: Wanted): Promise<void> {
  if (share && !(await host.sys.has(firewall)))
    throw new Failure('notInstalled', `command ${firewall}, which a Cluster-IP needs, is not installed`);
}

/** Looks at the rules. Without any that drop, this node answers every client, whoever else does. */
export async function lookAtShare(ctx: Ctx, want: Wanted): Promise<Sharing> {
  if (want.share === undefined) return 'taken';
  if (!(await ctx.host.sys.has(firewall))) return 'unguarded';
  const rules = await rulesOf(ctx, want);
  if (!rules.some(({ drops }) => drops)) return 'unguarded';
  return rules.some(isOf(want.share.number)) ? 'taken' : 'not taken';
}

/** Takes the instance's share: in one step, so that no packet meets half of the rules. */
export async function takeShare(ctx: Ctx, want: Wanted, spot: Spot): Promise<void> {
  const { host, params, log } = ctx;
  const { ip, namespace, share } = want;
  if (share === undefined) return;
  const table = tableOf(want);
  const rules = await rulesOf(ctx, want);
  const family = nftFamilyOf(want);
  const here = `${table} ${chain} iif "${spot.link.name}" ${family} daddr ${ip}`;
  const seed = params.clusterip_hash_seed ?? (await digest(ctx, want, spot)).seed;
  const mac = await macOf(ctx, want, spot);
  const guard = [
    `add rule ${here} drop`,
    // Without the answers to its own questions the node could not reach its neighbours from this address.
    ...(family === 'ip6' ? [`insert rule ${here} icmpv6 type nd-neighbor-advert accept`] : []),
  ];
  const hash = `jhash ${family} saddr mod ${share.total} seed ${seed} offset 1 == ${share.number}`;
  await changeRules(host, namespace, [
    `add table ${table}`,
    `add chain ${table} ${chain} { type filter hook ${chain} priority mangle; }`,
    ...(rules.some(({ drops }) => drops) ? [] : guard),
    ...(rules.some(isOf(share.number))
      ? []
      : [`insert rule ${here} ${hash} meta pkttype set host accept comment "${commentOf(share.number)}"`]),
    ...(params.clusterip_mac_mangle ? mangleRules(want, mac) : []),
  ]);
  const { code, stderr } = await host.tryRun(
    ipCommand(namespace, 'maddress', 'add', mac, 'dev', spot.link.name),
  );
  if (code !== 0 && !stderr.includes('File exists'))
    throw new Failure('failed', `${spot.link.name} does not listen to ${mac}: ${stderr.trim()}`);
  log.info(`share ${share.number} of ${share.total} of ${ip} taken, MAC address ${mac}`);
}

/** Gives the instance's share back. Says whether other instances on this node still need the address. */
export async function leaveShare(ctx: Ctx, want: Wanted): Promise<'needed' | 'free'> {
  const { share } = want;
  if (share === undefined) return 'free';
  let rules: readonly Rule[];
  try {
    rules = await rulesOf(ctx, want);
  } catch (error) {
    // Without the address the rules do no harm, with it and without a look at them the node might answer everyone.
    ctx.log.warn(`the shares of ${want.ip} on this node are not known: ${wordsOf(error)}`);
    return 'free';
  }
  const own = rules.filter(isOf(share.number));
  const deletions = own.map(({ handle }) => `delete rule ${tableOf(want)} ${chain} handle ${handle}`);
  if (deletions.length > 0) await changeRules(ctx.host, want.namespace, deletions);
  const others = rules.some(({ comment }) => isShare(comment) && comment !== commentOf(share.number));
  return others ? 'needed' : 'free';
}

/**
 * Takes rules and MAC address away. The caller removes the address first: an address without rules has this node answer the
 * clients of every share.
 */
export async function endSharing(ctx: Ctx, want: Wanted, spots: readonly Spot[]): Promise<void> {
  const { host, log } = ctx;
  if (want.share === undefined) return;
  // "add" first: deleting what is not there would be an error.
  const tables = [tableOf(want), ...(ctx.params.clusterip_mac_mangle ? [mangleTableOf(want)] : [])];
  const deletions = tables.flatMap((table) => [`add table ${table}`, `delete table ${table}`]);
  await changeRules(host, want.namespace, deletions).catch((error: unknown) =>
    log.warn(`rules of ${want.ip} stay: ${wordsOf(error)}`),
  );
  for (const spot of spots) {
    const mac = await macOf(ctx, want, spot);
    await host.tryRun(ipCommand(want.namespace, 'maddress', 'delete', mac, 'dev', spot.link.name));
  }
}

/** The multicast MAC address that all nodes listen to. */
export async function macOf(ctx: Ctx, want: Wanted, spot: Spot): Promise<string> {
  const { mac } = ctx.params;
  const configured = mac === undefined ? undefined : multicastMac(mac);
  return configured ?? (await digest(ctx, want, spot)).mac;
}

/** Seed and MAC that all nodes find without asking each other, as they have the same address. */
async function digest({ params }: Ctx, { ip, family }: Wanted, spot: Spot) {
  const { createHash } = await import('node:crypto');
  const words = [ip, spot.prefix, params.broadcast ?? spot.broadcast]
    .filter((word) => word !== undefined)
    .join(' ');
  const hex = createHash('md5').update(`${words}\n`).digest('hex');
  const odd = hex.slice(0, 12).replace(/^(.)[02468ace]/, '$11');
  const mac = (odd.match(/../g) ?? []).join(':');
  return { seed: `0x${hex.slice(0, 8)}`, mac: family === 'inet6' ? mac.replace(/^..:../, '33:33') : mac };
}

const nameOf = ({ ip }: Wanted): string => `IPaddr2_${ip.replaceAll(/[.:]/g, '_')}`;
const nftFamilyOf = ({ family }: Wanted): TableFamily => (family === 'inet' ? 'ip' : 'ip6');
const tableOf = (want: Wanted): string => `${nftFamilyOf(want)} ${nameOf(want)}`;
const mangleTableOf = (want: Wanted): string => `arp ${nameOf(want)}`;

const mangleRules = (want: Wanted, mac: string): readonly string[] => [
  `add table ${mangleTableOf(want)}`,
  `add chain ${mangleTableOf(want)} output { type filter hook output priority 0; }`,
  `flush chain ${mangleTableOf(want)} output`,
  `add rule ${mangleTableOf(want)} output arp saddr ip ${want.ip} arp saddr ether set ${mac}`,
];

const commentOf = (number: number): string => `cip-node-${number}`;
const isShare = (comment: string): boolean => /^cip-node-\d+$/.test(comment);
const isOf =
  (number: number) =>
  ({ comment }: Rule): boolean =>
    comment === commentOf(number);

const rulesOf = async ({ host }: Ctx, want: Wanted): Promise<readonly Rule[]> =>
  (await tableRules(host, want.namespace, nftFamilyOf(want), nameOf(want))) ?? [];
