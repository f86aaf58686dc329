import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import { type Interface, interfaces, type Sighting } from '../../lib/host/net/addresses.ts';
import { ipCommand, namespaceExists, namespaceId } from '../../lib/host/net/namespaces.ts';
import { advertise } from './advertise.ts';
import { announce, endAnnouncer } from './announce.ts';
import { addAddress, labelSource, removeAddress } from './change.ts';
import { takeShare } from './change-share.ts';
import { type ChosenSpot, chooseSpot } from './choose-spot.ts';
import { giveBackToLoopback, takeFromLoopback } from './loopback.ts';
import { settled } from './monitor.ts';
import type { Ctx } from './params.ts';
import { mustAsk, requireUnused } from './require-unused.ts';
import { spellingRules } from './rules.ts';
import { judge, look, lostNamespace, ownIndexes, sentence, sightings, withShare } from './seen.ts';
import { requireSender } from './senders.ts';
import { requireFirewall } from './share.ts';
import { type Spot, spotOf } from './spot.ts';
import { takeDown } from './take-down.ts';
import { type Wanted, wanted } from './wanted.ts';

/** An interface that was just switched on, or whose switch boots, negotiates its link for a while. */
const linkMs = 8000;
const detectionMs = 10_000;
/** The stop of another instance that took the address away puts it back for the share of this one. */
const putBackMs = 2000;
/** What undoing a start needs, kept back from every wait. */
const undoMs = 3000;

export async function start(ctx: Ctx): Promise<void> {
  const { host, params, log, memory } = ctx;
  const want = wanted(ctx);
  const [problem] = spellingRules(params);
  if (want === undefined || problem !== undefined)
    throw new Failure('notInstalled', problem ?? `ip=${params.ip} is not an address`);
  const lost = await lostNamespace(ctx, want);
  if (lost) throw new Failure('failed', sentence(want, { is: 'lost namespace', lost }));
  if (!(await namespaceExists(host, want.namespace)))
    throw new Failure('notInstalled', `network namespace ${want.namespace} does not exist`);
  if (want.namespace !== undefined) await memory.note('namespace', await namespaceId(host, want.namespace));
  warnOfOldParameters(ctx, want);
  await requireFirewall(ctx, want);

  let links = await interfaces(host, want.namespace);
  const own = await ownIndexes(ctx, want, links);
  const before = await withShare(ctx, want, judge(want, links, params.check_link_status, own));
  switch (before.is) {
    case 'served':
      await memory.note('index', before.at.link.index);
      log.info(`${sentence(want, before)} already`);
      return;
    case 'tentative':
      return requireServed(ctx, want);
    case 'link down':
    case 'not our share':
    case 'outdated share':
    case 'unguarded':
      try {
        await takeShare(ctx, want, spotOf(before.at));
        links = await interfaces(host, want.namespace);
        // The stop of another instance may have taken the address away before this one had its share.
        if (judge(want, links, params.check_link_status, own).is === 'absent') break;
        if (before.is !== 'link down') return await requireServed(ctx, want);
        await bringBack(ctx, want, before.at);
        return;
      } catch (error) {
        if (want.share) await undo(ctx, want, spotOf(before.at), false);
        throw error;
      }
    case 'elsewhere':
    case 'other label':
    case 'duplicate':
      throw new Failure('failed', sentence(want, before));
    default:
  }

  let spot = await chooseSpot(ctx, want, links);
  const old = sightings(want, links, own, spot.link);
  const stranger = old.find(({ link }) => link !== spot.link);
  if (stranger)
    throw new Failure('failed', `${want.ip} is already on ${stranger.link.name}, not on ${spot.link.name}`);
  await requireSender(ctx);
  if (mustAsk(ctx, want, spot.link)) {
    spot = { ...spot, link: await switchOn(ctx, want, spot.link) };
    await requireUnused(ctx, want, spot.link);
  }
  await memory.note('index', spot.link.index);
  if (await serve(ctx, want, spot, old)) {
    log.info(`${want.ip}/${spot.prefix} added to ${spot.link.name}`);
    await announce(ctx, want, spot, params.arp_count);
  } else log.info(`${want.ip}/${spot.prefix} has come to ${spot.link.name} meanwhile`);
}

/** Adds the address and sees that it works, or leaves nothing behind. Says whether it was this call that added it. */
async function serve(ctx: Ctx, want: Wanted, spot: ChosenSpot, old: readonly Sighting[]): Promise<boolean> {
  let added = false;
  try {
    for (const sighting of old) {
      const { address } = sighting;
      ctx.log.warn(`${want.ip}/${address.prefix} on ${spot.link.name} is replaced by /${spot.prefix}`);
      await removeAddress(ctx, want.namespace, sighting);
    }
    await takeFromLoopback(ctx, want);
    await takeShare(ctx, want, spot);
    await labelSource(ctx, want, 'add');
    await advertise(ctx, want, spot.link, async () => {
      added = await addAddress(ctx, want, spot);
      await switchOn(ctx, want, spot.link);
      await requireServed(ctx, want);
    });
  } catch (error) {
    await undo(ctx, want, spot, added);
    throw error;
  }
  return added;
}

/** Has an address that is there answer again, and tells the neighbours: another node may have answered for it meanwhile. */
async function bringBack(ctx: Ctx, want: Wanted, at: Sighting): Promise<void> {
  await ctx.memory.note('index', at.link.index);
  await advertise(ctx, want, at.link, async () => {
    const link = await switchOn(ctx, want, at.link);
    await requireServed(ctx, want);
    if (mustAsk(ctx, want, link)) await requireUnused(ctx, want, link);
  });
  await announce(ctx, want, spotOf(at), ctx.params.arp_count);
}

/** Says what has become of the interface. */
async function switchOn(ctx: Ctx, want: Wanted, link: Interface): Promise<Interface> {
  const { host, log } = ctx;
  if (!link.up) {
    log.info(`interface ${link.name} is switched on`);
    await host.run(ipCommand(want.namespace, 'link', 'set', 'dev', link.name, 'up'));
  }
  const isAwaited = !link.up || ctx.params.check_link_status;
  const running = link.running || (isAwaited && (await waitForLink(ctx, want, link)));
  return { ...link, up: true, running };
}

/** Until the interface has a link, within bounds. Says whether it has. */
function waitForLink({ host, log }: Ctx, want: Wanted, link: Interface): Promise<boolean> {
  log.info(`waiting for the link of ${link.name}`);
  return host.until(
    async () => {
      const now = await interfaces(host, want.namespace);
      return now.some(({ index, running }) => index === link.index && running);
    },
    waitAtMost(host, linkMs),
  );
}

async function requireServed(ctx: Ctx, want: Wanted): Promise<void> {
  let seen = await settled(ctx, want, waitAtMost(ctx.host, detectionMs));
  if (want.share && seen.is === 'absent')
    await ctx.host.until(
      async () => {
        seen = await look(ctx, want);
        return seen.is !== 'absent';
      },
      waitAtMost(ctx.host, putBackMs),
      50,
    );
  if (seen.is !== 'served') throw new Failure('failed', sentence(want, seen));
}

const waitAtMost = (host: Host, ms: number): number => Math.max(0, Math.min(ms, host.left() - undoMs));

/**
 * Best effort: the reason of the failure that brought us here matters more than that of its undoing. An address that this start did not
 * add stays, but for a Cluster-IP's without any share: other instances have stopped and left it to this one.
 */
async function undo(ctx: Ctx, want: Wanted, spot: Spot, added: boolean): Promise<void> {
  try {
    await endAnnouncer(ctx);
    const isOurs = added || want.share !== undefined;
    const here = async () =>
      sightings(want, await interfaces(ctx.host, want.namespace), [spot.link.index]).filter(
        ({ link, address }) => link.index === spot.link.index && address.prefix === spot.prefix,
      );
    if (isOurs || (await here()).length === 0) {
      const removed = await takeDown(ctx, want, async () => (isOurs ? here() : []), spot);
      if (removed === 'needed') return;
    }
    await giveBackToLoopback(ctx, want);
  } catch (error) {
    ctx.log.warn(`undoing the start of ${want.ip}: ${error instanceof Error ? error.message : error}`);
  }
}

function warnOfOldParameters({ params, log }: Ctx, { share }: Wanted): void {
  if (params.clusterip_hash !== 'sourceip-sourceport')
    log.warn('clusterip_hash has no effect: Linux removed the module it was for');
  if (share && (params.clusterip_table !== 'mangle' || params.clusterip_chain !== 'PREROUTING'))
    log.warn(
      'clusterip_table and clusterip_chain have no effect: with nft the address has a table of its own',
    );
}
