import type { Log } from '../../contract/log.ts';
import type { Host } from '../host.ts';
import type { Memory } from '../memory.ts';
import { identityOf, isStillThere, type ProcessIdentity } from '../process-table.ts';
import { readNsmState, settleClients, type Waiting, waitingClients } from './nsm-records.ts';
import {
  filesOf,
  type Heard,
  notFoundOut,
  notifyRound,
  type Source,
  serviceHosts,
  someOf,
  sourcesFor,
  usableSources,
  warnOfOdd,
} from './nsm-round.ts';
import { statdHome } from './state-directory.ts';

// Clients that do not answer at once are told again by a process of its own: this agent once more, with the action `reload` and
// as much time as the administrator grants.

const fact = 'sender';
/** Timers of the runtime overflow above 2^31 ms. */
const forEverMs = 2_000_000_000;

/** Leaves the repeating process behind; `minutes` 0 is for ever. */
export async function leaveSender(host: Host, memory: Memory, minutes: number): Promise<void> {
  const timeoutMs = minutes === 0 ? forEverMs : minutes * 60_000;
  const pid = await host.sys.launch([
    'env',
    `OCF_RESKEY_CRM_meta_timeout=${timeoutMs}`,
    ...host.sys.self,
    'reload',
  ]);
  const sender = await identityOf(host, pid);
  // one that stop does not know of would keep the state directory busy
  await memory.insist(fact, sender).catch((error: unknown) => {
    if (sender) host.sys.signal(sender, 'SIGKILL');
    throw error;
  });
}

const patienceMs = 2500;

/** Ends the process that an earlier start of this very resource left, and nobody else's. */
export async function endSender(host: Host, memory: Memory): Promise<void> {
  const sender = await memory.fact<ProcessIdentity>(fact);
  if (!sender) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!(await isStillThere(host, sender))) break;
    host.sys.signal(sender, signal);
    await host.until(async () => !(await isStillThere(host, sender)), patienceMs);
  }
  await memory.note(fact, undefined);
}

const againMs = 30_000;
/** How long this one waits for others who do not tell, however long it tells itself. */
const othersMs = 15 * 60_000;
/** What stays of the time for the work after the last answer. */
const reserveMs = 3000;

/**
 * The work of the process in the background: tells those again that have not confirmed, until all have or the time is up, and says who
 * never did.
 */
export async function keepTelling(
  { host, log }: { readonly host: Host; readonly log: Log },
  name: string,
  list: string | undefined,
  port: number | undefined,
): Promise<void> {
  const { dir } = await statdHome(host);
  const sources = await sourcesInTime(host, log, list);
  if (sources === undefined) return;
  const state = (await readNsmState(host, dir)) ?? 1;
  const begun = host.sys.now();
  const named = new Set<string>();
  let heard: Heard = new Map();
  for (;;) {
    const clients = await waitingClients(host, dir);
    const withinMs = Math.min(host.left() - reserveMs, againMs);
    if (withinMs <= 0) return giveUp(host, log, dir, sources, clients, { name, state, heard });
    const next = host.sys.now() + withinMs;
    const round = await notifyRound(host, dir, sources, clients, {
      name,
      state,
      port,
      withinMs,
      heard,
      hasWaited: host.sys.now() - begun >= othersMs,
    });
    const { waiting, odd } = round;
    if (waiting.length === 0) return log.info('every client has been notified');
    heard = round.heard;
    const news = [...odd].filter(([client]) => !named.has(client));
    warnOfOdd(log, news);
    for (const [client] of news) named.add(client);
    // a round may end at once, where nothing can be sent from
    await host.sys.sleep(Math.max(0, next - host.sys.now()));
  }
}

/**
 * Says who has not confirmed. Whoever has confirmed to one address of the service has heard of the restart and is struck off, unless another
 * resource still tells it: clients of one network may have no way to the address of another.
 */
async function giveUp(
  host: Host,
  log: Log,
  dir: string,
  sources: readonly Source[],
  clients: readonly Waiting[],
  { name, state, heard }: { readonly name: string; readonly state: number; readonly heard: Heard },
): Promise<void> {
  const isPartly = ({ file }: Waiting) => (heard.get(file)?.size ?? 0) > 0;
  const partly = clients.filter(isPartly);
  const never = clients.filter((one) => !isPartly(one));
  const notTo = (one: Waiting) => sourcesFor(one, sources).filter((from) => !heard.get(one.file)?.has(from));
  const own = { state, told: filesOf(partly), passed: filesOf(never), isUp: true as const };
  await settleClients(host, dir, { name, own });
  const missed = partly.filter((one) => notTo(one).length > 0);
  if (missed.length > 0)
    log.warn(
      someOf(
        missed.map(
          (one) =>
            `${one.client} confirmed to ${[...(heard.get(one.file) ?? [])].join(' and ')}, not to ${notTo(one).join(' and ')}`,
        ),
      ),
    );
  if (never.length > 0)
    log.warn(`never confirmed the restart of the server: ${someOf(never.map(({ client }) => client))}`);
}

/**
 * The addresses to send from; asked for again and again where a resolver is silent, for whoever confirmed to a part of them would count as
 * told. `undefined` when the time is up before.
 */
async function sourcesInTime(
  host: Host,
  log: Log,
  list: string | undefined,
): Promise<readonly Source[] | undefined> {
  for (;;) {
    const hosts = await serviceHosts(host, list);
    const trouble = notFoundOut(hosts);
    if (trouble === undefined) return usableSources(host, hosts, 0);
    if (host.left() <= againMs + reserveMs) {
      log.warn(`nobody was told of the restart of the server: ${trouble}`);
      return undefined;
    }
    await host.sys.sleep(againMs);
  }
}
