import { setTimeout as sleep } from 'node:timers/promises';
import { type NodeName, peerOf } from '../../settings.ts';
import { claimedAfter, Graces, type Period, periodOf } from '../../workload/graces.ts';
import { type Clients, grantedAfter, lockers, type Wish, Wishes, wishes } from '../../workload/wishes.ts';
import type { Protocol } from '../../workload/workload.ts';
import { startCluster } from '../bring-up.ts';
import { atMostOne, timelineOf } from '../judge.ts';
import { now, type Run } from '../run.ts';
import { type Event, play } from './events.ts';

/** When each wish came true, seconds after the event; `undefined`: not while it was looked at. */
export type Granted = Readonly<Record<Wish, number | undefined>>;

/** One event as one kind of clients saw it; seconds after it. */
export type Pause = {
  readonly clients: string;
  readonly event: string;
  readonly granted: Readonly<Partial<Record<Protocol, Granted>>>;
  /** Where the seconds went. */
  readonly acted: number | undefined;
  readonly address: number | undefined;
  readonly nfsdGrace: Period | undefined;
  readonly lockdGrace: Period | undefined;
  /** Until NFSv3's lock was held again, where there is no other. */
  readonly claimed: number | undefined;
  /** Until both copies were there again, from the moment that was asked for; and how much had to be copied. */
  readonly resync: number;
  readonly resyncedKb: number;
  readonly errors: number;
  /** Per protocol that held any. */
  readonly lost: readonly Protocol[];
};

const patience = 150;
/** Milliseconds: an interval of its monitors here, and what one takes. */
const seenAfter = 12_000;

/** Every event under every kind of clients, on one cluster. */
export function pauses(
  kinds: readonly Clients[],
  events: readonly Event[],
  seen: Pause[],
): (run: Run) => Promise<void> {
  return async (run) => {
    const { steps, lab, checks } = run;
    checks.begin('start');
    await startCluster(run);
    const graces = new Graces(lab);
    await steps.run('the grace periods are watched', 60, (signal) => graces.start(signal));
    for (const clients of kinds)
      for (const event of events) seen.push(await one(run, graces, clients, event));
  };
}

async function one(run: Run, graces: Graces, clients: Clients, event: Event): Promise<Pause> {
  const { steps, checks, cluster, lab, watch, figures } = run;
  const title = `${event.name}, ${clients.name}`;
  checks.begin(title);
  const from = await steps.run(`${title}: which node is active`, 60, (signal) => cluster.allStarted(signal));
  const to = peerOf(from);
  const work = new Wishes(lab, clients);
  await steps.run(`${title}: clients at work`, 120, async (signal) => {
    await lab.machine(to).run('dmesg -C', { signal });
    await event.prepare?.(run, signal);
    await work.furnish(from, signal);
    await work.start(signal);
    if (!clients.v3Locks) await work.forgetRecords(from, signal);
  });
  // clients of today came long ago: whom no monitor has seen yet, nobody calls back
  await steps.run(`${title}: a monitor sees them`, 30, (signal) => sleep(seenAfter, undefined, { signal }));
  const happened = await steps.run(`${title}: ${from} to ${to}`, 200, async (signal) => {
    const newcomer = async () => {
      await watch.gone(from, 'address', signal);
      await work.come(signal);
    };
    const [at] = await Promise.all([play(run, event, from, signal), work.go(signal), newcomer()]);
    return at;
  });
  const back = now();
  await steps
    .run(`${title}: every wish comes true`, patience, (signal) => work.granted(wishes, back, signal))
    .catch((error: Error) => checks.add('every wish comes true', false, error.message));
  const looked = await steps.run(`${title}: what the clients saw`, 60, (signal) =>
    look(run, graces, work, { from, to, happened, back }, signal),
  );
  figures.push({
    scenario: title,
    outcome: `all started on ${to}`,
    movedAfter: back - happened,
    errors: looked.errors,
    timeline: looked.timeline,
  });
  await steps.run(`${title}: clients go`, 60, (signal) => work.stop(signal));

  const asked = now();
  const resync = await steps.run(`${title}: both copies`, 240, async (signal) => {
    await event.repair(run, from, signal);
    await cluster.inSync(signal);
    return now() - asked;
  });
  const resyncedKb = await steps.run(`${title}: what was copied`, 60, async (signal) => {
    await graces.start(signal, event.name.startsWith('kill') ? [from] : []);
    const said = await lab.machine(to).ask('dmesg', { signal });
    return Number(/.*will sync (\d+) KB/s.exec(said)?.[1] ?? 0);
  });
  atMostOne(run, ['address']);
  const { timeline: _, ...pause } = looked;
  return { clients: clients.name, event: event.name, ...pause, resync, resyncedKb };
}

type When = { from: NodeName; to: NodeName; happened: number; back: number };

async function look(
  run: Run,
  graces: Graces,
  work: Wishes,
  { to, happened, back }: When,
  signal: AbortSignal,
) {
  const { checks, watch } = run;
  const { clients } = work;
  const granted: Partial<Record<Protocol, Granted>> = {};
  let errors = 0;
  for (const protocol of clients.protocols) {
    const each = await Promise.all(
      wishes.map(async (wish) => {
        const attempts = await work.journal(protocol, wish, signal);
        // a newcomer's attempts fail until there is a server
        if (wish !== 'mount')
          errors += attempts.filter(({ outcome, end }) => outcome !== 'ok' && end >= happened).length;
        return [wish, grantedAfter(attempts, happened)] as const;
      }),
    );
    granted[protocol] = Object.fromEntries(each) as Granted;
  }
  const lost: Protocol[] = [];
  for (const protocol of lockers(clients)) {
    const { errors: failures, stolen, refused } = await work.fateOf(protocol, happened, signal);
    errors += failures.length;
    const isKept = failures.length === 0 && stolen.length === 0 && refused.length > 0;
    if (!isKept) lost.push(protocol);
    checks.add(
      `${protocol}: the lock is kept, the rival refused`,
      isKept,
      `refused ${refused.length}, stolen ${stolen.length}, ${failures[0]?.message ?? 'no error'}`,
    );
  }
  const seen = await graces.of(to, signal);
  const timeline = await timelineOf(run, happened, back, signal);
  const first = timeline.actions
    .filter(({ action, from: began }) => action !== 'monitor' && began >= happened)
    .toSorted((a, b) => a.from - b.from)[0];
  const arrived = watch.heldFrom(to, 'address', happened);
  return {
    granted,
    errors,
    lost,
    acted: first && first.from - happened,
    address: arrived === undefined ? undefined : arrived - happened,
    nfsdGrace: periodOf(seen, 'nfsd', happened),
    lockdGrace: periodOf(seen, 'lockd', happened),
    // a lock of NFSv4 may come back as a delegation, and be known to its client alone
    claimed: lockers(clients).join() === 'NFSv3' ? claimedAfter(seen, 1, happened) : undefined,
    timeline,
  };
}
