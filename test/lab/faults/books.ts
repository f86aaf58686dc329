import { now, type Run } from '../scenarios/run.ts';
import type { NodeName } from '../settings.ts';
import { exclusives, longestGap } from '../workload/watch.ts';
import type { ClientFate, FaultClients, LockFate } from './clients.ts';
import type { Kind } from './kind.ts';

/** What was found since the books were read before. */
interface Entry {
  fates: ClientFate[];
  lost: number;
  wrongs: string[];
  /** Where the machine kept the books from being read: nobody's fault, and no proof of anything. */
  notJudged: string[];
  /** Seconds that nobody looked at a node, at most. */
  unwatched: number;
}

/**
 * Whoever is not back when the grace period ends has lost his lock: on a busy machine nobody's fault. A client of NFSv4 uses its lock as soon
 * as it has it back; one of NFSv3 at once, so that of it nothing tells more than how long its other programs waited.
 */
export const wasInTime = (
  { version, pause, lock }: Pick<ClientFate, 'version' | 'pause'> & { lock: Pick<LockFate, 'soonest'> },
  grace: number,
): boolean => (version === '3' ? pause : lock.soonest) < grace / 2;

/** The books on what clients and nodes may not go through: read after each fault, and once more at the end, with nothing left out in between. */
export class Books {
  readonly #run: Run;
  readonly #clients: FaultClients;
  #since: number;
  /** What began before this may end in an error still. */
  #errorsUntil: number;

  constructor(run: Run, clients: FaultClients) {
    this.#run = run;
    this.#clients = clients;
    this.#since = now();
    this.#errorsUntil = now();
  }

  async read(
    home: NodeName,
    { errors: mayErr, locks }: Pick<Kind, 'errors' | 'locks'>,
    signal: AbortSignal,
  ): Promise<Entry> {
    const { plan, watch } = this.#run;
    const wrongs: string[] = [];
    const notJudged: string[] = [];
    const since = this.#since;
    const began = now();
    for (const { program, isAlive } of await this.#clients.silent(began, signal))
      if (isAlive) notJudged.push(`${program} waits for an answer`);
      else wrongs.push(`${program} has ended`);

    const fates = await this.#clients.fates(signal);
    for (const fate of fates) {
      const { version, errors, misread, lock } = fate;
      const unexpected = errors.filter(({ start }) => start >= this.#errorsUntil);
      if (unexpected.length > 0 && !mayErr) {
        const messages = new Set(unexpected.map(({ message }) => message));
        wrongs.push(`NFSv${version}: ${unexpected.length} errors: ${[...messages].join(', ')}`);
      }
      wrongs.push(...misread.slice(0, 3).map((what) => `NFSv${version}: read ${what}`));
      if (lock.silently > 0) wrongs.push(`NFSv${version}: ${lock.silently} locks lost without a word`);
      if (lock.told > 0 && !locks && wasInTime(fate, plan.grace))
        wrongs.push(`NFSv${version}: lost its lock, and was told`);
    }
    if (mayErr) this.#errorsUntil = began;
    await this.#clients.takeAgain(
      fates
        .filter(({ version, lock }) => version === '3' && lock.told + lock.silently > 0)
        .map(({ version }) => version),
      signal,
    );
    const data = await this.#clients.data(home, signal);
    wrongs.push(...data.wrongs);

    this.#since = now();
    const unwatched = watch.longestUnwatched(since);
    for (const what of exclusives) {
      if (watch.overlapsOf(what, since).length > 0) wrongs.push(`${what} on both nodes`);
      // whoever does not see what is there has not seen that something is not
      if (unwatched <= longestGap && watch.heldFrom(home, what, since) === undefined)
        wrongs.push(`the watch does not see what ${home} has: ${what}`);
    }
    if (unwatched > longestGap)
      notJudged.push(`what both nodes had at once: ${Math.round(unwatched)} s without a sample`);
    return { fates, lost: data.lost, wrongs, notJudged, unwatched };
  }
}
