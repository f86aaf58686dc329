import { Checks, type Figures } from '../test/lab/report/checks.ts';
import { Steps } from '../test/lab/report/steps.ts';
import { actionsWithin, type Timeline } from '../test/lab/report/timeline.ts';
import { start } from '../test/lab/scenarios/bring-up.ts';
import { campaign } from '../test/lab/scenarios/campaign.ts';
import { kill, standby, unstandby } from '../test/lab/scenarios/failover.ts';
import { protocols } from '../test/lab/workload/workload.ts';
import { table } from './table.ts';

/** The stock agents with the systemd drop-ins without which they never get through the first switchover. */
export const providers = ['stock-helped', 'native'] as const;
type Provider = (typeof providers)[number];

/** One failover as the clients saw it; seconds. */
export type Failover = {
  readonly back: number;
  /** Per protocol, in the order of the lab's protocols. */
  readonly stalls: readonly number[];
  readonly errors: number;
  readonly lost: number;
  readonly locksKept: boolean;
  readonly timeline: Timeline;
};
/** The same event under both. */
export type Pair = { readonly event: string } & Readonly<Record<Provider, Failover>>;

const events = ['standby', 'kill -9'] as const;
const stallRatio = 0.5;

/** Puts a cluster through a switchover and the death of a node, with clients at work: first with the stock agents, then with ours. */
export async function benchFailover(say: (text: string) => void): Promise<readonly Pair[]> {
  const interruption = new AbortController();
  process.once('SIGINT', () => interruption.abort());
  const seen = new Map<Provider, ReadonlyMap<string, Failover>>();
  for (const provider of providers) seen.set(provider, await story(provider, say, interruption.signal));
  return events.map((event) => {
    const of = (provider: Provider) => seen.get(provider)?.get(event);
    const [stock, native] = [of('stock-helped'), of('native')];
    if (!stock || !native) throw new Error(`no ${event} was measured`);
    return { event, 'stock-helped': stock, native };
  });
}

async function story(
  provider: Provider,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Failover>> {
  const plan = {
    suite: 'bookworm',
    campaign: 'failover',
    provider,
    order: 'recommended',
    grace: 15,
    purpose: 'demo',
  } as const;
  const checks = new Checks();
  const figures: Figures[] = [];
  const report = { steps: new Steps(signal), checks, figures };
  const { failures } = await campaign(plan, [start, standby, unstandby, kill], report, false);
  for (const failure of failures) throw failure;
  for (const { scenario, name, detail } of checks.failed)
    say(`${provider}, ${scenario}: not so: ${name}: ${detail}`);
  return new Map(
    events.flatMap((event) => {
      const found = figures.find(({ scenario }) => scenario.startsWith(event));
      return found ? [[event, failoverOf(found, locksKept(checks, event))] as const] : [];
    }),
  );
}

function failoverOf(figures: Figures, kept: boolean): Failover {
  const { movedAfter = Number.NaN, stalls = [], errors = 0, lost = 0, timeline } = figures;
  if (!timeline) throw new Error(`${figures.scenario} has no timeline`);
  return { back: movedAfter, stalls, errors, lost, locksKept: kept, timeline };
}

const locksKept = ({ failed }: Checks, event: string): boolean =>
  !failed.some(({ scenario, name }) => event.startsWith(scenario) && /lock/.test(name));

const seconds = (value: number) => `${value.toFixed(1)} s`;

export const failoverTable = (pairs: readonly Pair[]): string =>
  table(
    [
      'stock / native',
      'Pacemaker acts after',
      'back on the other node after',
      'ratio',
      'of it, acting',
      'ratio',
      ...protocols.flatMap((protocol) => [`longest pause, ${protocol}`, 'ratio']),
      'client errors',
      'records lost',
      'locks',
      'targets',
    ],
    1,
    pairs.map((pair) => {
      const both = (text: (of: Failover) => string) =>
        providers.map((provider) => text(pair[provider])).join(' / ');
      const compared = (of: (failover: Failover) => number) => [
        both((failover) => seconds(of(failover))),
        (of(pair.native) / of(pair['stock-helped'])).toFixed(2),
      ];
      return [
        pair.event,
        both((failover) => seconds(noticed(failover))),
        ...compared(({ back }) => back),
        ...compared((failover) => failover.back - noticed(failover)),
        ...protocols.flatMap((_, n) => compared(({ stalls }) => stalls[n] ?? Number.NaN)),
        both(({ errors }) => String(errors)),
        both(({ lost }) => String(lost)),
        both(({ locksKept }) => (locksKept ? 'kept' : 'lost')),
        verdicts(pair)
          .map((met) => (met ? '✓' : '✗'))
          .join(''),
      ];
    }),
  );

/** Seconds until the first agent was called; before that, the cluster has not yet decided that anything is the matter. */
const noticed = ({ timeline }: Failover): number => {
  const { since } = timeline;
  // one that was under way has nothing to do with it
  const first = actionsWithin(timeline).find(({ action, from }) => action !== 'monitor' && from >= since);
  return (first?.from ?? Number.NaN) - since;
};

/** Half the pause under each protocol, and no error. */
export const verdicts = (pair: Pair): readonly boolean[] => [
  ...protocols.map(
    (_, n) =>
      (pair.native.stalls[n] ?? Number.NaN) <= stallRatio * (pair['stock-helped'].stalls[n] ?? Number.NaN),
  ),
  pair.native.errors === 0,
];
