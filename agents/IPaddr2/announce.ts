import { firstLine } from '../../lib/host/host.ts';
import { inNamespace } from '../../lib/host/namespaces.ts';
import { parseStat } from '../../lib/host/process-tree.ts';
import type { Argv } from '../../lib/host/sys.ts';
import type { Ctx } from './params.ts';
import type { Place } from './place.ts';
import { findSender } from './senders.ts';
import type { Sighting } from './served.ts';
import { solicit } from './solicit.ts';
import type { Wanted } from './wanted.ts';

/** A background sender; a pid alone could be anyone's by now. */
type Announcer = { readonly pid: number; readonly startTime: number };

const endMs = 2000;

/**
 * Tells the neighbours where the address lives now, `count` times. By default in the background: nothing waits for it, and stop
 * ends it. A failure here is logged and no more: neighbours that were not told ask again by themselves, if later.
 */
export async function announce(ctx: Ctx, want: Wanted, place: Place, count: number): Promise<void> {
  if (place.link.name === 'lo') return;
  const sender = await findSender(ctx, want, place);
  if (!sender) {
    if (want.family === 'inet') await solicit(ctx, want, place);
    return;
  }
  const commands = sender(count).map((argv) => inNamespace(want.namespace, argv));
  ctx.log.debug(`announcing ${want.ip}: ${commands.map((argv) => argv.join(' ')).join('; ')}`);
  if (ctx.params.arp_bg === false) await sendNow(ctx, want, commands);
  else await sendLater(ctx, want, commands);
}

/** arp_count_refresh: some rounds at every monitor, for switches with a short memory. */
export async function announceAgain(ctx: Ctx, want: Wanted, { link, address }: Sighting): Promise<void> {
  const count = ctx.params.arp_count_refresh;
  if (count === 0 || want.family === 'inet6' || ctx.request.probe) return;
  await announce(ctx, want, { link, prefix: address.prefix }, count);
}

async function sendNow({ host, log }: Ctx, want: Wanted, commands: readonly Argv[]): Promise<void> {
  for (const argv of commands) {
    const { code, stderr, hung } = await host.tryRun(argv);
    if (code !== 0)
      log.warn(
        `${want.ip} could not be announced: ${argv[0]}: ${hung ?? (firstLine(stderr) || `exit ${code}`)}`,
      );
  }
}

async function sendLater(ctx: Ctx, want: Wanted, commands: readonly Argv[]): Promise<void> {
  const { host, memory, log } = ctx;
  await endAnnouncer(ctx);
  const announcers: Announcer[] = [];
  for (const argv of commands) {
    const pid = await host.sys.launch(argv).catch(() => 0);
    const startTime = await startTimeOf(ctx, pid);
    if (pid === 0) log.warn(`${want.ip} could not be announced: ${argv[0]} cannot be run`);
    if (startTime !== undefined) announcers.push({ pid, startTime });
  }
  await memory.note('announcers', announcers);
}

/** Ends what announces in the background, and sees it gone: a packet after stop would misdirect the new node's clients. */
export async function endAnnouncer(ctx: Ctx): Promise<void> {
  const { host, memory, log } = ctx;
  const announcers = (await memory.fact<readonly Announcer[]>('announcers')) ?? [];
  for (const { pid, startTime } of announcers) {
    const gone = async () => (await startTimeOf(ctx, pid)) !== startTime;
    if (await gone()) continue;
    host.sys.signal(pid, 'SIGTERM');
    if (await host.until(gone, endMs)) continue;
    host.sys.signal(pid, 'SIGKILL');
    if (!(await host.until(gone, endMs))) log.warn(`the announcer, pid ${pid}, does not end`);
  }
  if (announcers.length > 0) await memory.note('announcers', undefined);
}

/** `undefined` for a process that does not exist or has ended. */
async function startTimeOf({ host }: Ctx, pid: number): Promise<number | undefined> {
  if (pid === 0) return undefined;
  const stat = parseStat(await host.sys.read(`/proc/${pid}/stat`).catch(() => ''));
  return stat?.state === 'Z' ? undefined : stat?.startTime;
}
