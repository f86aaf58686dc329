import { wordsOf } from '../../lib/contract/reason.ts';
import { commandLine, outputTrouble } from '../../lib/host/host.ts';
import { stateDir } from '../../lib/host/memory.ts';
import { interfaces } from '../../lib/host/net/addresses.ts';
import { inNamespace } from '../../lib/host/net/namespaces.ts';
import { identityOf, type ProcessIdentity } from '../../lib/host/process-table.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { complaintsOf, reportAnnouncer } from './complaints.ts';
import type { Ctx } from './params.ts';
import { judge, ownIndexes } from './seen.ts';
import { type Spot, spotOf } from './spot.ts';
import type { Wanted } from './wanted.ts';

const endMs = 2000;

/**
 * Tells the neighbours where the address lives now, `count` times. By default in the background: nothing waits for it, and stop
 * ends it. A failure here is logged and no more: neighbours that were not told ask again by themselves, if later.
 */
export const announce = (ctx: Ctx, want: Wanted, spot: Spot, count: number): Promise<void> =>
  bestEffort(ctx, want, () => tellNeighbours(ctx, want, spot, count));

async function bestEffort(ctx: Ctx, want: Wanted, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    ctx.log.warn(`${want.ip} could not be announced: ${wordsOf(error)}`);
  }
}

async function tellNeighbours(ctx: Ctx, want: Wanted, spot: Spot, count: number): Promise<void> {
  if (spot.link.name === 'lo') return;
  const { findSender } = await import('./senders.ts');
  const sender = await findSender(ctx, want, spot);
  if (!sender) {
    if (want.family === 'inet' && !want.share) await (await import('./solicit.ts')).solicit(ctx, want, spot);
    return;
  }
  const commands = sender(count).map((argv) => inNamespace(want.namespace, argv));
  ctx.log.debug(`announcing ${want.ip}: ${commands.map((argv) => commandLine(argv)).join('; ')}`);
  if (ctx.params.arp_bg === false) await Promise.all(commands.map((argv) => sendNow(ctx, want, argv)));
  else await sendLater(ctx, want, commands);
}

/** arp_count_refresh: some rounds at every monitor, for switches with a short memory. */
export async function announceAgain(ctx: Ctx, want: Wanted): Promise<void> {
  const { host, params } = ctx;
  await bestEffort(ctx, want, async () => {
    if (await isAnnouncing(ctx)) return;
    const links = await interfaces(host, want.namespace);
    const seen = judge(want, links, params.check_link_status, await ownIndexes(ctx, want, links));
    if (seen.is === 'served') await tellNeighbours(ctx, want, spotOf(seen.at), params.arp_count_refresh);
  });
}

/** What start announces is not cut off, nor is what a monitor began. */
async function isAnnouncing({ host, memory }: Ctx): Promise<boolean> {
  const { isAtWork } = await import('../../lib/host/process-end.ts');
  const announcers = (await memory.fact<readonly ProcessIdentity[]>('announcers')) ?? [];
  const atWork = await Promise.all(announcers.map((announcer) => isAtWork(host, announcer)));
  return atWork.includes(true);
}

async function sendNow({ host, log }: Ctx, want: Wanted, argv: Argv): Promise<void> {
  const output = await host.tryRun(argv);
  // Thomas Habets' arping says 1 because nobody answers what asks for no answer
  const unanswered = output.code === 1 && output.stderr.trim() === '' && !output.hung;
  if (output.code !== 0 && !unanswered)
    log.warn(`${want.ip} could not be announced: ${argv[0]}: ${outputTrouble(output)}`);
}

async function sendLater(ctx: Ctx, want: Wanted, commands: readonly Argv[]): Promise<void> {
  const { host, memory, log } = ctx;
  await endAnnouncer(ctx);
  const announcers: ProcessIdentity[] = [];
  await host.sys.makeDir(stateDir(host.sys.env)).catch(() => undefined);
  for (const argv of commands) {
    try {
      const announcer = await identityOf(host, await host.sys.launch(argv, complaintsOf(ctx)));
      if (announcer) announcers.push(announcer);
    } catch (error) {
      log.warn(`${want.ip} could not be announced: ${argv[0]}: ${wordsOf(error)}`);
    }
  }
  // one that stop does not know of would go on misdirecting clients
  await memory.insist('announcers', announcers).catch((error: unknown) => {
    for (const announcer of announcers) host.sys.signal(announcer, 'SIGKILL');
    throw error;
  });
}

/**
 * Ends what announces in the background, and sees it gone: a packet after stop would misdirect the new node's clients. That it cannot be
 * found is a warning, for the address itself must go all the same.
 */
export async function endAnnouncer(ctx: Ctx): Promise<void> {
  await endAnnouncers(ctx).catch((error: unknown) =>
    ctx.log.warn(`the announcer of ${ctx.params.ip} may go on: ${wordsOf(error)}`),
  );
}

async function endAnnouncers(ctx: Ctx): Promise<void> {
  const { host, memory } = ctx;
  const announcers = (await memory.fact<readonly ProcessIdentity[]>('announcers')) ?? [];
  if (announcers.length > 0) await endAll(ctx, announcers);
  await reportAnnouncer(ctx);
  await host.sys.remove(complaintsOf(ctx)).catch(() => undefined);
}

async function endAll({ host, memory, log }: Ctx, announcers: readonly ProcessIdentity[]): Promise<void> {
  const { isAtWork } = await import('../../lib/host/process-end.ts');
  for (const announcer of announcers) {
    // for its packet socket alone the kernel takes a tenth of a second after its last breath
    const gone = async () => !(await isAtWork(host, announcer));
    if (await gone()) continue;
    host.sys.signal(announcer, 'SIGKILL'); // send_arp would sleep its second to the end before it obeys a SIGTERM
    if (!(await host.until(gone, endMs))) log.warn(`the announcer, pid ${announcer.pid}, does not end`);
  }
  await memory.note('announcers', undefined);
}
