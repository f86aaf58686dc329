import { logFile, logPattern, parseActions, type Timeline } from '../report/timeline.ts';
import { type NodeName, nodes } from '../settings.ts';
import { type Comparison, compareRecords, longestStall, ofOutcome } from '../workload/journal.ts';
import { type Exclusive, exclusives } from '../workload/watch.ts';
import { type Protocol, protocols } from '../workload/workload.ts';
import { now, type Run } from './run.ts';

interface Seen {
  protocol: Protocol;
  stall: number;
  lockStall: number;
  errors: string[];
  records: Comparison;
}

/** Waits until every client program works again, then looks whether they, and the data, came through unharmed. */
export async function judge(run: Run, active: NodeName, happened: number, scenario: string): Promise<void> {
  const { cluster, workload, steps, checks, figures } = run;
  const movedAfter = now() - happened;
  await steps.run('all client programs work again', 300, (signal) => workload.allActive(now(), signal));

  const seen: Seen[] = [];
  for (const protocol of protocols)
    seen.push(
      await steps.run(`${protocol}: records, errors and locks`, 120, (s) =>
        look(run, protocol, active, happened, s),
      ),
    );

  atMostOne(run, exclusives);

  const state = await steps.run('state of the cluster', 60, (signal) => cluster.seenFrom(active, signal));
  const failures = state?.failures ?? [];
  const reasons = failures.map(
    ({ resource, task, node, status, reason }) => `${resource} ${task} on ${node}: ${reason || status}`,
  );
  checks.add('no failed action', state !== undefined && failures.length === 0, reasons.join('; '));
  const complaints = (
    await steps.run('kernel logs of the clients', 60, (signal) => workload.kernelComplaints(signal))
  ).filter((line) => !isRefusal(run, line));
  checks.add(
    "the clients' kernels report no lost state",
    complaints.length === 0,
    complaints.slice(-2).join('; '),
  );

  const sum = (of: (each: Seen) => number): number => seen.map(of).reduce((total, value) => total + value, 0);
  figures.push({
    scenario,
    outcome: `all started on ${active}`,
    movedAfter,
    stalls: seen.map(({ stall }) => stall),
    lockStalls: seen.map(({ lockStall }) => lockStall),
    errors: sum(({ errors }) => errors.length),
    acknowledged: sum(({ records }) => records.acknowledged),
    found: sum(({ records }) => records.found),
    lost: sum(({ records }) => records.lost.length),
    timeline: await steps.run('what Pacemaker did', 60, (signal) =>
      timelineOf(run, happened, happened + movedAfter, signal),
    ),
  });
}

/** Of what was seen since the nodes are watched. */
export function atMostOne({ watch, checks }: Run, whats: readonly Exclusive[]): void {
  for (const what of whats) {
    const overlaps = watch.overlapsOf(what);
    const longest = Math.max(0, ...overlaps.map(({ from, to }) => to - from));
    checks.add(
      `${what} on at most one node ever`,
      overlaps.length === 0,
      overlaps.length > 0 ? `both for ${longest.toFixed(1)} s` : '',
    );
  }
  // an overloaded host stops both nodes for seconds: what does not run promotes nothing
  const unwatched = watch.longestUnwatched();
  checks.add(
    'the nodes were watched without a gap',
    watch.sampleCount > 0 && unwatched < 20,
    `${watch.sampleCount} samples, at most ${unwatched.toFixed(2)} s without one`,
  );
}

/** Of the nodes that answer; one that was killed had nothing to do in it. */
export async function timelineOf(
  { lab }: Run,
  since: number,
  until: number,
  signal: AbortSignal,
): Promise<Timeline> {
  const year = new Date(since * 1000).getUTCFullYear();
  const actions = await Promise.all(
    nodes.map(async (node) =>
      parseActions(
        node,
        await lab.machine(node).ask(`grep -aE '${logPattern}' ${logFile}`, { signal }),
        year,
      ),
    ),
  );
  return { since, until, actions: actions.flat() };
}

const isAddressFirst = ({ plan }: Run): boolean => plan.campaign === 'seed' || plan.order === 'seed';

/** Where the address comes first, clients meet a server that does not export yet: `check` says so (ADDRESS_FIRST). */
const isRefusal = (run: Run, message: string): boolean =>
  isAddressFirst(run) && /Permission denied|Stale file handle|check lease failed .* error 13$/.test(message);

async function look(
  run: Run,
  protocol: Protocol,
  active: NodeName,
  happened: number,
  signal: AbortSignal,
): Promise<Seen> {
  const { workload, checks } = run;
  // the journal first: what is acknowledged in it must be in a file that is read later
  const writer = await workload.journal('writer', protocol, signal);
  const records = compareRecords(
    ofOutcome(writer, 'ok').map(({ number }) => number),
    await workload.recordsOn(active, protocol, signal),
  );
  const complete = records.lost.length === 0 && records.repeated.length === 0;
  const harm = [
    ...(records.lost.length > 0 ? [`lost ${records.lost.slice(0, 5).join(', ')}…`] : []),
    ...(records.repeated.length > 0 ? [`more than once ${records.repeated.slice(0, 5).join(', ')}…`] : []),
  ];
  checks.add(
    `${protocol}: every acknowledged record is there once`,
    complete && records.acknowledged > 0,
    [`${records.found} of ${records.acknowledged}`, ...harm].join('; '),
  );

  const holder = await workload.journal('holder', protocol, signal);
  const failed = [...writer, ...holder].filter(({ outcome, end }) => outcome !== 'ok' && end >= happened);
  const errors = failed.map(({ message }) => message);
  const unexpected = errors.filter((message) => !isRefusal(run, message));
  checks.add(
    `${protocol}: the client saw no error${isAddressFirst(run) ? ' but refusals' : ''}`,
    unexpected.length === 0,
    errors.length > 0 ? `${errors.length} × ${[...new Set(errors)].join(', ')}` : '',
  );

  const rival = (await workload.journal('rival', protocol, signal)).filter(({ end }) => end >= happened);
  const refused = ofOutcome(rival, 'refused').length;
  const stolen = ofOutcome(rival, 'stolen').map(({ end }) => `${(end - happened).toFixed(1)} s`);
  const known = await workload.lockKnownTo(active, protocol, signal);
  checks.add(
    `${protocol}: the lock is kept, the rival refused`,
    stolen.length === 0 && refused > 0 && known,
    `refused ${refused} times${stolen.length > 0 ? `, stolen ${stolen.length} times, after ${stolen.slice(0, 3).join(', ')}` : ''}${known ? '' : ', unknown to the server'}`,
  );

  return {
    protocol,
    stall: longestStall(writer, happened),
    lockStall: longestStall(rival, happened),
    errors,
    records,
  };
}
