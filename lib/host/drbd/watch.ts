import type { Host } from '../host.ts';
import type { Followed } from '../sys/sys.ts';
import { parseProcDrbd } from './drbd84.ts';
import { drbdState } from './query.ts';
import { type DrbdState, isSameState } from './state.ts';

/** What to do after a look: end, look again because something was done, or look again when something has happened. */
export type Next = 'done' | 'again' | 'wait';

const firstPauseMs = 50;
const longestPauseMs = 1000;

/**
 * Looks at a resource until `look` is done, for at most `withinMs`, and says whether it was. Between two looks it waits for an
 * event of DRBD's, at most for a pause that grows to a second: a device that is released is not told by any event.
 */
export async function pursue(
  host: Host,
  name: string,
  withinMs: number,
  look: (state: DrbdState) => Promise<Next>,
): Promise<boolean> {
  const end = host.sys.now() + Math.min(withinMs, host.left());
  const events = eventsOf(host, name);
  try {
    let before: DrbdState | undefined;
    for (let pause = firstPauseMs; ; ) {
      const since = host.sys.now();
      await events.begin();
      const state = await drbdState(host, name);
      const next = await look(state);
      if (next === 'done') return true;
      // A command that says yes without effect must not be repeated without a pause.
      const isEffective = !isSameState(state, before);
      before = state;
      if (next === 'again' && isEffective) continue;
      const rest = end - host.sys.now();
      if (rest <= 0) return false;
      await events.happen(Math.min(pause, rest));
      // What was tried in vain may be what has caused the event.
      await host.sys.sleep(Math.max(0, Math.min(firstPauseMs - (host.sys.now() - since), rest)));
      pause = Math.min(pause * 2, longestPauseMs);
    }
  } finally {
    events.end();
  }
}

type Events = {
  /** What happens from now on is not missed, also before anybody waits for it. */
  begin(): Promise<void>;
  /** Returns when something has happened since, or after that long. */
  happen(withinMs: number): Promise<void>;
  end(): void;
};

/** Most actions never wait: nothing is started before the first wait. */
function eventsOf(host: Host, name: string): Events {
  let followed: Followed | undefined;
  let proc: string | undefined;
  return {
    async begin() {
      proc = await states84(host);
    },
    async happen(withinMs) {
      const end = host.sys.now() + withinMs;
      const left = () => Math.max(0, end - host.sys.now());
      if (proc !== undefined) {
        while (left() > 0 && (await states84(host)) === proc) await host.sys.sleep(Math.min(stepMs, left()));
        return;
      }
      // The whole state comes first, and wakes us: what has happened meanwhile is in it.
      followed ??= await host.sys.follow(['drbdsetup', 'events2', name]);
      while (left() > 0 && !tellsOfState(await followed.next(left())));
    },
    end: () => followed?.end(),
  };
}

const stepMs = 20;

/** DRBD 8.4 shows all that matters in a file; `undefined` for other versions. */
async function states84(host: Host): Promise<string | undefined> {
  const text = await host.sys.read('/proc/drbd').catch(() => '');
  if (!/^version: 8\./.test(text)) return undefined;
  return JSON.stringify(parseProcDrbd(text).map(({ done: _, ...state }) => state));
}

/** The whole state at first, then changes; those of a resync's progress or of promotion numbers alone matter to nobody. */
const tellsOfState = (text: string): boolean =>
  /^(?:exists -|destroy |(?:create|change) .* (?:role|suspended|connection|disk|peer-disk|replication|quorum|open):)/m.test(
    text,
  );
