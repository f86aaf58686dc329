import { Failure } from '../../lib/contract/outcome.ts';
import { wordsOf } from '../../lib/contract/reason.ts';
import { ipCommand } from '../../lib/host/net/namespaces.ts';
import { changeRules, type Rule, type Table } from '../../lib/host/net/nftables.ts';
import type { Ctx } from './params.ts';
import { commentOf, divides, guards, isOf, nameOf, nftFamilyOf, tableHere } from './share.ts';
import type { Spot } from './spot.ts';
import { hashSeed, multicastMac, type Wanted } from './wanted.ts';

// Instances on one node may start and stop at the same moment. The kernel carries out a change of the table whole or not at all, so the
// table decides who came first. Whoever takes a share makes the rule that drops anew. Whoever ends sharing deletes that rule by the handle
// it had while there was no share.

const chain = 'prerouting';

/** Whether instances on this node have shares of the address. */
type Need = 'needed' | 'free';

/** Takes the instance's share: in one step, so that no packet meets half of the rules. */
export async function takeShare(ctx: Ctx, want: Wanted, spot: Spot): Promise<void> {
  const { params, log } = ctx;
  const { ip, share } = want;
  if (share === undefined) return;
  const table = tableOf(want);
  const family = nftFamilyOf(want);
  const here = `${table} ${chain} iif "${spot.link.name}" ${family} daddr ${ip}`;
  const seed = params.clusterip_hash_seed ?? (await digest(ctx, want, spot)).seed;
  const mac = await macOf(ctx, want, spot);
  const hash = `jhash ${family} saddr mod ${share.total} seed ${seed} offset 1 == ${share.number}`;
  await changeTable(ctx, want, (seen) => {
    const rules = seen?.rules ?? [];
    const own = rules.filter(isOf(share.number));
    const isRight = divides(share, spot.link.name, hashSeed(seed));
    return [
      ...(seen ? [] : [`create table ${table}`]),
      `add chain ${table} ${chain} { type filter hook ${chain} priority mangle; }`,
      ...deletions(want, rules.filter(isGuard)),
      `add rule ${here} drop`,
      // Without the answers to its own questions the node could not reach its neighbours from this address.
      ...(family === 'ip6' && !rules.some(guards(spot.link.name))
        ? [`insert rule ${here} icmpv6 type nd-neighbor-advert accept`]
        : []),
      ...deletions(
        want,
        own.filter((rule) => !isRight(rule)),
      ),
      ...(own.some(isRight)
        ? []
        : [`insert rule ${here} ${hash} meta pkttype set host accept comment "${commentOf(share.number)}"`]),
      ...(params.clusterip_mac_mangle ? mangleRules(want, mac) : []),
    ];
  });
  await listen(ctx, want, spot);
  log.info(`share ${share.number} of ${share.total} of ${ip} taken, MAC address ${mac}`);
}

/** Gives the instance's share back. Says whether other instances on this node still need the address. */
export async function leaveShare(ctx: Ctx, want: Wanted): Promise<Need> {
  const { share } = want;
  if (share === undefined) return 'free';
  let rules = await knownRules(ctx, want);
  const own = rules.filter(isOf(share.number));
  if (own.length > 0) {
    await changeRules(ctx.host, want.namespace, deletions(want, own));
    // Others may have given theirs back meanwhile, and left the address to this one.
    rules = await knownRules(ctx, want);
  }
  return rules.some((rule) => isShare(rule) && !isOf(share.number)(rule)) ? 'needed' : 'free';
}

async function knownRules(ctx: Ctx, want: Wanted): Promise<readonly Rule[]> {
  try {
    return (await tableHere(ctx, want))?.rules ?? [];
  } catch (error) {
    // Without the address the rules do no harm, with it and without a look at them the node might answer everyone.
    ctx.log.warn(`the shares of ${want.ip} on this node are not known: ${wordsOf(error)}`);
    return [];
  }
}

/**
 * Takes the rules away, unless an instance has taken its share meanwhile. The caller removes the address first: an address without rules
 * has this node answer the clients of every share.
 */
export async function endSharing(ctx: Ctx, want: Wanted): Promise<Need> {
  if (want.share === undefined) return 'free';
  const mangle = ctx.params.clusterip_mac_mangle ? mangleTableOf(want) : undefined;
  let need: Need = 'free';
  await changeTable(ctx, want, (table) => {
    need = table?.rules.some(isShare) ? 'needed' : 'free';
    if (need === 'needed' || !(table || mangle)) return [];
    return [
      ...(table ? deletions(want, table.rules.filter(isGuard)) : [`create table ${tableOf(want)}`]),
      `delete table ${table ? `${nftFamilyOf(want)} handle ${table.handle}` : tableOf(want)}`,
      // "add" first: deleting what is not there would be an error.
      ...(mangle ? [`add table ${mangle}`, `delete table ${mangle}`] : []),
    ];
  }).catch((error: unknown) => ctx.log.warn(`rules of ${want.ip} stay: ${wordsOf(error)}`));
  return need;
}

/**
 * Changes the table by what is in it. Where that has changed since the look, the kernel refuses to delete by a handle that has gone and to
 * "create" a table that has come, and the lines are made from a new look.
 */
async function changeTable(
  ctx: Ctx,
  want: Wanted,
  linesFor: (table: Table | undefined) => readonly string[],
): Promise<void> {
  let table = await tableHere(ctx, want);
  for (;;) {
    const lines = linesFor(table);
    if (lines.length === 0) return;
    try {
      return await changeRules(ctx.host, want.namespace, lines);
    } catch (error) {
      const now = await tableHere(ctx, want);
      if (JSON.stringify(now) === JSON.stringify(table)) throw error;
      table = now;
    }
  }
}

/** Has the interface listen to the multicast MAC address. */
export async function listen(ctx: Ctx, want: Wanted, spot: Spot): Promise<void> {
  const mac = await macOf(ctx, want, spot);
  const { link } = spot;
  const { code, stderr } = await ctx.host.tryRun(
    ipCommand(want.namespace, 'maddress', 'add', mac, 'dev', link.name),
  );
  if (code !== 0 && !stderr.includes('File exists'))
    throw new Failure('failed', `${link.name} does not listen to ${mac}: ${stderr.trim()}`);
}

export async function unlisten(ctx: Ctx, want: Wanted, spot: Spot): Promise<void> {
  const mac = await macOf(ctx, want, spot);
  await ctx.host.tryRun(ipCommand(want.namespace, 'maddress', 'delete', mac, 'dev', spot.link.name));
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

const tableOf = (want: Wanted): string => `${nftFamilyOf(want)} ${nameOf(want)}`;
const mangleTableOf = (want: Wanted): string => `arp ${nameOf(want)}`;

const mangleRules = (want: Wanted, mac: string): readonly string[] => [
  `add table ${mangleTableOf(want)}`,
  `add chain ${mangleTableOf(want)} output { type filter hook output priority 0; }`,
  `flush chain ${mangleTableOf(want)} output`,
  `add rule ${mangleTableOf(want)} output arp saddr ip ${want.ip} arp saddr ether set ${mac}`,
];

const deletions = (want: Wanted, rules: readonly Rule[]): readonly string[] =>
  rules.map((rule) => `delete rule ${tableOf(want)} ${rule.chain} handle ${rule.handle}`);

const isGuard = ({ drops }: Rule): boolean => drops;
const isShare = ({ comment }: Rule): boolean => /^cip-node-\d+$/.test(comment);
