import { Checks, type Figures } from '../test/lab/report/checks.ts';
import { Steps } from '../test/lab/report/steps.ts';
import { campaign } from '../test/lab/scenarios/campaign.ts';
import { events } from '../test/lab/scenarios/pause/events.ts';
import { type Pause, pauses } from '../test/lab/scenarios/pause/pause.ts';
import type { Plan } from '../test/lab/scenarios/run.ts';
import type { Suite } from '../test/lab/settings.ts';
import type { Period } from '../test/lab/workload/graces.ts';
import { clientsOfAllKinds, wishes } from '../test/lab/workload/wishes.ts';
import { type Protocol, protocols } from '../test/lab/workload/workload.ts';
import { providers } from './failover.ts';
import { table } from './table.ts';

type Provider = (typeof providers)[number];
/** The same event under the same clients; one of the two may have none, where its cluster came to a halt before. */
export type PausePair = { readonly clients: string; readonly event: string } & Readonly<
  Partial<Record<Provider, Pause>>
>;

export type PauseOptions = {
  readonly suite: Suite;
  readonly clients?: readonly string[] | undefined;
  readonly event?: readonly string[] | undefined;
};

/** Puts a cluster through every event under every kind of clients: first with the stock agents, then with ours. */
export async function benchPause(
  { suite, clients, event }: PauseOptions,
  say: (text: string) => void,
): Promise<readonly PausePair[]> {
  const interruption = new AbortController();
  process.once('SIGINT', () => interruption.abort());
  const kinds = clientsOfAllKinds.filter(({ name }) => clients?.includes(name) ?? true);
  const chosen = events.filter(({ name }) => event?.includes(name) ?? true);
  const seen: Record<Provider, Pause[]> = { 'stock-helped': [], native: [] };
  for (const provider of providers) {
    const plan: Plan = {
      ...{ suite, campaign: 'pause', provider, order: 'recommended' },
      ...{ grace: 15, purpose: 'demo' },
    };
    const checks = new Checks();
    const figures: Figures[] = [];
    const report = { steps: new Steps(interruption.signal), checks, figures };
    const { failures } = await campaign(plan, [pauses(kinds, chosen, seen[provider])], report, false);
    for (const failure of failures) say(`${provider}: ended before its time: ${failure.message}`);
    for (const { scenario, name, detail } of checks.failed)
      say(`${provider}, ${scenario}: not so: ${name}: ${detail}`);
  }
  return kinds.flatMap(({ name }) =>
    chosen.map((each) => {
      const of = (provider: Provider) =>
        seen[provider].find(({ clients, event }) => clients === name && event === each.name);
      const [stock, native] = [of('stock-helped'), of('native')];
      return {
        ...{ clients: name, event: each.name },
        ...(stock && { 'stock-helped': stock }),
        ...(native && { native }),
      };
    }),
  );
}

const seconds = (value: number | undefined): string => value?.toFixed(1) ?? '–';

/** What the users of each protocol waited for, and below it where the seconds went. */
export const pauseText = (pairs: readonly PausePair[]): string =>
  [
    'Seconds from the event until a client may do it again, or for the first time; stock / native, and their ratio:\n',
    pauseTable(pairs),
    '\nWhere the seconds go, native:\n',
    wayTable(pairs.flatMap(({ native }) => native ?? [])),
    '\nand stock:\n',
    wayTable(pairs.flatMap((pair) => pair['stock-helped'] ?? [])),
  ].join('\n');

const names = { write: 'goes on writing', open: 'opens', create: 'creates', lock: 'locks', mount: 'mounts' };

const pauseTable = (pairs: readonly PausePair[]): string =>
  table(
    ['clients', 'of', 'event', ...wishes.flatMap((wish) => [names[wish], 'ratio']), 'errors', 'locks'],
    3,
    pairs.flatMap((pair) => protocolsOf(pair).map((protocol) => rowOf(pair, protocol))),
  );

const protocolsOf = (pair: PausePair): readonly Protocol[] =>
  protocols.filter((protocol) => providers.some((provider) => pair[provider]?.granted[protocol]));

function rowOf(pair: PausePair, protocol: Protocol): string[] {
  const both = (text: (pause: Pause) => string) =>
    providers.map((provider) => (pair[provider] ? text(pair[provider]) : '–')).join(' / ');
  return [
    pair.clients,
    protocol,
    pair.event,
    ...wishes.flatMap((wish) => {
      const [stock, native] = providers.map((provider) => pair[provider]?.granted[protocol]?.[wish]);
      const isBoth = stock !== undefined && native !== undefined;
      return [
        both((pause) => seconds(pause.granted[protocol]?.[wish])),
        isBoth ? (native / stock).toFixed(2) : '',
      ];
    }),
    both(({ errors }) => String(errors)),
    both(({ lost }) => (lost.includes(protocol) ? 'lost' : 'kept')),
  ];
}

const period = (of: Period | undefined): string =>
  of === undefined ? 'none' : `${seconds(of.from)} to ${seconds(of.to)}`;

/** Of the client that waited longest for a new lock. */
const wayTable = (seen: readonly Pause[]): string =>
  table(
    [
      'clients',
      'event',
      'Pacemaker acts',
      'address',
      'old locks claimed',
      "nfsd's grace",
      "lockd's grace",
      'new lock',
      'of it, after both graces',
      'second copy again',
      'KB copied',
    ],
    2,
    seen.map((pause) => {
      const locked = Math.max(...Object.values(pause.granted).map(({ lock }) => lock ?? Number.NaN));
      const free = Math.max(pause.address ?? 0, pause.nfsdGrace?.to ?? 0, pause.lockdGrace?.to ?? 0);
      return [
        pause.clients,
        pause.event,
        seconds(pause.acted),
        seconds(pause.address),
        seconds(pause.claimed),
        period(pause.nfsdGrace),
        period(pause.lockdGrace),
        seconds(locked),
        seconds(locked - free),
        seconds(pause.resync),
        String(pause.resyncedKb),
      ];
    }),
  );
