import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { drbdDevice } from '../cluster/configuration.ts';
import type { FailedAction } from '../cluster/crm-mon.ts';
import { layDisk, lowerDisk } from '../cluster/disk.ts';
import { configure, type DrbdOptions } from '../cluster/drbd-resource.ts';
import { gatherFacts } from '../report/facts.ts';
import { startCluster } from '../scenarios/bring-up.ts';
import { tsha } from '../scenarios/operate/tsha.ts';
import { now, type Run } from '../scenarios/run.ts';
import { isStock, type NodeName, nodes, peerOf } from '../settings.ts';
import { Books } from './books.ts';
import { areAlike } from './checker.ts';
import { type ClientFate, FaultClients } from './clients.ts';
import { FailureLogs, seenInTime } from './failures.ts';
import { PowerSwitch, type Switched } from './fencing/power-switch.ts';
import { isExplained, type Kind, NotInjectedError, normal, type Scene, unproven } from './kind.ts';
import { allKinds } from './kinds/all.ts';
import { commitHere, type FaultRecord, record } from './ledger.ts';
import { leftBehind, seesWhatIsPlanted } from './left.ts';
import { type Baseline, baselineOf, changesSince, mendEverything } from './mend.ts';
import { again, type FaultOptions, ofTests } from './options.ts';
import { randomOf } from './random.ts';
import { chosenKinds, type Fault, schedule } from './schedule.ts';
import { isIdle, type Settled, settle } from './settle.ts';

/** DRBD lies on a disk that can be made to fail, and decides nothing by itself when data went two ways: then somebody lost something. */
export async function disksThatFail({ lab, plan, steps }: Run): Promise<void> {
  const fenced = plan.campaign === 'fenced';
  await steps.run('DRBD on disks that can fail', 60, async (signal) => {
    for (const node of lab.nodes) {
      await node.run(layDisk, { signal });
      await node.run(configure({ resyncRate: 40, ...(fenced ? fencedByHandlers : {}) }), { signal });
    }
  });
}

const fencedByHandlers: DrbdOptions = {
  fencing: 'resource-and-stonith',
  handlers: [
    'fence-peer /usr/lib/drbd/crm-fence-peer.sh;',
    'after-resync-target /usr/lib/drbd/crm-unfence-peer.sh;',
  ],
};

/** Fault after fault, and after each the books are looked at. */
export async function playFaults(run: Run): Promise<void> {
  if (run.plan.campaign !== 'fenced') return await playAll(run, []);
  const power = new PowerSwitch(run);
  await power.start();
  try {
    await playAll(run, power.log);
  } finally {
    power.stop();
  }
}

async function playAll(run: Run, switched: readonly Switched[]): Promise<void> {
  const { plan, steps, checks } = run;
  const options = plan.faults ?? ofTests();
  checks.begin('faults');
  const home = await startCluster(run);
  checks.begin('faults');
  const clients = new FaultClients(run.lab);
  if (isStock(plan.provider))
    await steps.run('no delegations', 60, async (signal) => {
      for (const node of run.lab.nodes) await node.run(noDelegations, { signal });
    });
  await steps.run('clients of NFSv3, 4.0 and 4.2 at work', 300, (signal) => clients.start(signal));
  const books = new Books(run, clients);
  const logs = new FailureLogs(run);
  const baseline = await steps.run('the configuration', 60, (signal) => baselineOf(run, home, signal));

  await steps.run('the judge sees what is left where something is', 120, async (signal) => {
    for (const node of nodes) {
      const unseen = await seesWhatIsPlanted(run, node, signal);
      checks.add(`what is left on ${node} is seen`, unseen.length === 0, unseen.join(', '));
    }
  });

  await steps.run('the logs of the nodes', 60, (signal) => logs.read(signal));

  const kinds = chosenKinds(allKinds, {
    fenced: plan.campaign === 'fenced',
    stock: isStock(plan.provider),
    names: options.kinds,
  });
  const commit = await commitHere();
  const done: FaultRecord[] = [];
  const began = now();
  const end = began + options.minutes * 60;
  let tries = 0;
  try {
    for (const fault of schedule(kinds, options.seed)) {
      if (now() > end || done.length >= options.count || tries >= 2 * options.count) break;
      if (options.only !== undefined && fault.number < options.only) continue;
      tries++;
      await new Play(run, clients, books, logs, baseline, options, fault, switched).play(began, (came) =>
        done.push(came),
      );
      if (options.only !== undefined) break;
    }
    if (!kinds.every(({ proves }) => proves))
      checks.add('faults were injected', done.length > 0, `${done.length} of ${tries}`);
    const { wrongs, notJudged } = await steps.run('the last books', 300, async (signal) =>
      books.read(await run.cluster.allStarted(signal), {}, signal),
    );
    const unseen = notJudged.map((what) => `NOT JUDGED: ${what}`);
    checks.add('nothing else happened until the end', wrongs.length === 0, [...wrongs, ...unseen].join('; '));
    checks.add(
      'both nodes were watched',
      run.watch.longestUnwatched(began) < (now() - began) / 2,
      `at most ${run.watch.longestUnwatched(began).toFixed(1)} s without a sample`,
    );
    await sameDisks(run);
  } finally {
    if (options.record && done.length > 0) await record(run, options, commit, done);
  }
}

/** Our agent withholds them while clients claim; with the stock one each failover could end a run (docs/differences/nfsserver.md). */
const noDelegations = `echo 'fs.leases-enable=0' > /etc/sysctl.d/ha-nfs.conf && sysctl -q -p /etc/sysctl.d/ha-nfs.conf && sync`;

/** One fault, from its beginning until all is well again, or a person had to see to it. */
class Play {
  readonly #run: Run;
  readonly #clients: FaultClients;
  readonly #books: Books;
  readonly #logs: FailureLogs;
  readonly #baseline: Baseline;
  readonly #options: FaultOptions;
  readonly #fault: Fault;
  readonly #switched: readonly Switched[];
  readonly #wrongs: string[] = [];
  /** Where the machine kept the books from being read: nobody's fault, and no proof of anything. */
  readonly #notJudged: string[] = [];
  /** When the fault was over, or everything mended by hand. */
  #over = now();
  #hit: readonly NodeName[] = [];
  #sceneOf: (signal: AbortSignal) => Scene = () => {
    throw new Error('nothing was injected yet');
  };
  /** Why the fault did not happen. */
  #missed: string | undefined;

  constructor(
    run: Run,
    clients: FaultClients,
    books: Books,
    logs: FailureLogs,
    baseline: Baseline,
    options: FaultOptions,
    fault: Fault,
    switched: readonly Switched[],
  ) {
    this.#run = run;
    this.#clients = clients;
    this.#books = books;
    this.#logs = logs;
    this.#baseline = baseline;
    this.#options = options;
    this.#fault = fault;
    this.#switched = switched;
  }

  /** Whom the cluster switched off since a moment. */
  #fenced(since: number): string[] {
    return this.#switched
      .filter(({ time, action }) => time >= since && action !== 'on')
      .map(({ node }) => node);
  }

  get #title(): string {
    const { number, kind, target } = this.#fault;
    return `${number}: ${kind.name}, ${target}`;
  }

  /** `tell` hears what came of it, also where nothing more can be done. */
  async play(began: number, tell: (came: FaultRecord) => void): Promise<void> {
    const { kind } = this.#fault;
    const { steps, checks } = this.#run;
    const since = now();
    let settled: Settled | undefined;
    let trouble: string | undefined;
    try {
      settled = await this.#inTurn();
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error);
      this.#wrongs.push(trouble);
      process.stdout.write(`${await gatherFacts(this.#run.lab)}\n`);
      try {
        settled = await this.#byHand();
      } catch (beyond) {
        tell({ ...this.#record(since, began), human: true });
        throw beyond;
      }
    }
    const { fates, lost } = await steps.run('the books', 300, (signal) =>
      this.#judge(settled.home, since, signal),
    );
    if (kind.proves) {
      this.#wrongs.splice(0, Number.POSITIVE_INFINITY, ...unproven(kind.proves, this.#wrongs));
      const { afterwards } = kind;
      if (afterwards) await steps.run('undone', 60, (signal) => afterwards(this.#sceneOf(signal)));
    }
    const fenced = this.#fenced(since);
    const detail = this.#detail(settled, fates, fenced);
    const passed = this.#wrongs.length === 0;
    checks.add(this.#title, passed, detail);
    const mark = this.#missed === undefined ? '✔' : '○';
    process.stdout.write(`${passed ? mark : '✘'} ${this.#title}: ${detail}\n`);
    if ((this.#missed !== undefined || kind.proves) && passed) return;
    const alone = trouble === undefined && kind.human === undefined;
    tell({
      ...this.#record(since, began),
      ...{ survived: alone, human: !alone, lost },
      ...lockSums(fates),
      pauses: Object.fromEntries(fates.map(({ version, pause }) => [version, round(pause)])),
      ...(trouble === undefined
        ? {
            waits: {
              served: round(settled.served),
              written: round(settled.written),
              synced: round(settled.synced),
              locked: round(settled.locked),
            },
          }
        : {}),
    });
  }

  /** As far as it is known without the books. */
  #record(since: number, began: number): FaultRecord {
    const { number, kind, target } = this.#fault;
    const fenced = this.#fenced(since);
    return {
      ...{ number, kind: kind.name, target },
      at: Math.round(since - began),
      until: Math.round(now() - began),
      ...{ survived: false, human: false, wrongs: this.#wrongs, lost: 0, locksTold: 0, locksSilent: 0 },
      ...(fenced.length > 0 ? { fenced } : {}),
      ...(this.#notJudged.length > 0 ? { notJudged: this.#notJudged } : {}),
      pauses: {},
    };
  }

  async #byHand(): Promise<Settled> {
    const { steps } = this.#run;
    await steps.run('everything is mended by hand', 300, (signal) =>
      mendEverything(this.#run, this.#baseline, signal),
    );
    const since = this.#isOver();
    return await steps.run('settled by hand', 300, (signal) =>
      settle(this.#run, this.#clients, since, signal),
    );
  }

  #isOver(): number {
    this.#over = now();
    return this.#over;
  }

  #detail(
    { served, synced, locked }: Settled,
    fates: readonly ClientFate[],
    fenced: readonly string[],
  ): string {
    const seconds = (value: number): string => `${Math.round(value)} s`;
    const pauses = fates.map(({ version, pause }) => `v${version} ${seconds(pause)}`).join(', ');
    const waits = `served after ${seconds(served)}, both copies ${seconds(synced)}, new locks ${seconds(locked)}`;
    const locks = fates
      .filter(({ lock }) => lock.told > 0)
      .map(({ version, lock }) => `; v${version} lost its lock ${lock.told} times, and was told`)
      .join('');
    const off = fenced.length > 0 ? `; fenced ${fenced.join(', ')}` : '';
    const wrongs = this.#wrongs.map((wrong) => `; ${wrong}`).join('');
    const unseen = this.#notJudged.map((what) => `; NOT JUDGED: ${what}`).join('');
    const replay = wrongs ? `; again: ${again(this.#run.plan, this.#options, this.#fault.number)}` : '';
    const missed = this.#missed === undefined ? '' : `NOT INJECTED: ${this.#missed}; `;
    return `${missed}pause ${pauses}; ${waits}${locks}${off}${unseen}${wrongs}${replay}`;
  }

  async #inTurn(): Promise<Settled> {
    const { kind, target, seed } = this.#fault;
    const run = this.#run;
    const { steps } = run;
    const active = await steps.run('which node is active', 60, (signal) => run.cluster.allStarted(signal));
    const standby = peerOf(active);
    const hit = { active: [active], standby: [standby], both: [...nodes] }[target];
    this.#hit = hit;
    const random = randomOf(seed);
    this.#sceneOf = (signal) => ({
      ...{ run, nodes: hit, active, standby, random, signal },
      shell: async (command) => {
        const answers = await Promise.all(
          hit.map((node) =>
            run.lab.machine(node).ask(`( ${command}\n); echo "ended $?"`, { signal, timeout: 120_000 }),
          ),
        );
        return answers.some((answer) => !/^ended [1-9]\d*$/m.test(answer));
      },
      sleep: async (seconds) => await sleep(seconds * 1000, undefined, { signal }),
    });
    this.#missed = await steps.run(`${this.#title} (${hit.join(' and ')})`, 180, async (signal) => {
      try {
        await kind.inject(this.#sceneOf(signal));
      } catch (error) {
        if (error instanceof NotInjectedError) return error.message;
        throw error;
      }
      return undefined;
    });
    if (kind.human && this.#missed === undefined) await this.#toldTo(active, kind.human);
    const { heal } = kind;
    if (heal) await steps.run('healed', 180, (signal) => heal(this.#sceneOf(signal)));
    const since = this.#isOver();
    return await steps.run('settled', kind.bound ?? normal, (signal) =>
      settle(run, this.#clients, since, signal),
    );
  }

  /** Before a person comes, the command says that one is needed. */
  async #toldTo(active: NodeName, human: RegExp): Promise<void> {
    const { plan, steps, cluster } = this.#run;
    if (isStock(plan.provider)) return;
    await steps.run('tsha status tells of it', 90, async (signal) => {
      for (;;) {
        const home = await cluster.allStarted(signal);
        for (const node of [home, active, peerOf(active)]) {
          const { code, said } = await tsha(this.#run, node, 'status', signal);
          if (code !== 0 && human.test(said)) return;
        }
        await sleep(1000, undefined, { signal });
      }
    });
  }

  async #judge(
    home: NodeName,
    since: number,
    signal: AbortSignal,
  ): Promise<{ fates: ClientFate[]; lost: number }> {
    const run = this.#run;
    const { kind } = this.#fault;
    const { fates, lost, wrongs, notJudged, unwatched } = await this.#books.read(home, kind, signal);
    this.#wrongs.push(...wrongs);
    this.#notJudged.push(...notJudged);
    const fenced = this.#fenced(since);
    const stoodStill = unwatched > standstill;
    if (fenced.length > 0 && !kind.fences && !stoodStill)
      this.#wrongs.push(`fenced for nothing: ${fenced.join(', ')}`);
    if (new Set(fenced).size > 1) this.#wrongs.push('each fenced the other');
    await this.#judgeFailures(home, stoodStill, signal);
    const left = await leftBehind(run, { home, since: this.#over }, signal);
    this.#wrongs.push(...left.wrongs);
    this.#notJudged.push(...left.unseen.map((node) => `${node} does not say what is left on it`));
    const changes = await changesSince(run, this.#baseline, home, signal);
    this.#wrongs.push(...changes.map((change) => `the configuration is not as it was: ${change}`));
    const scores = await promotionScores(run, home, signal);
    if (scores === undefined) this.#notJudged.push('whether both nodes have a promotion score');
    else if (scores !== nodes.length) this.#wrongs.push('a node has no promotion score');
    await forgetFailures(run, home, signal);
    return { fates, lost };
  }

  async #judgeFailures(home: NodeName, stoodStill: boolean, signal: AbortSignal): Promise<void> {
    const { kind } = this.#fault;
    const state = await seenInTime(this.#run, home, signal);
    const logged = await this.#logs.read(signal);
    if (!state) this.#notJudged.push('which actions failed: the cluster does not say');
    const known = new Set(state?.failures.map(({ resource, task, node }) => `${resource} ${task} ${node}`));
    const forgotten = logged.filter(({ resource, task, node }) => !known.has(`${resource} ${task} ${node}`));
    const [remembered, others] = [state?.failures ?? [], forgotten].map((failures) =>
      unexplained(failures, kind, this.#hit, stoodStill).map(inWords),
    );
    this.#wrongs.push(...(remembered ?? []).map((words) => `unexplained: ${words}`));
    // a node's log has results as well that the cluster had no use for any more
    for (const words of new Set(others)) this.#notJudged.push(`failed by the log alone: ${words}`);
  }
}

/** By what Pacemaker promotes by, its configuration. The agent looks once a minute whether that has its score still. */
async function promotionScores(
  { lab, plan }: Run,
  home: NodeName,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (isStock(plan.provider)) return nodes.length;
  const count = `cib=$(cibadmin --query --scope status) && echo "$cib" | grep -c 'name="master-Data"'; true`;
  for (const end = now() + 120; ; await sleep(3000, undefined, { signal })) {
    const answer = (await lab.machine(home).ask(count, { signal })).trim();
    const found = answer === '' ? undefined : Number(answer);
    if (found === nodes.length || now() > end) return found;
  }
}

/** Seconds. A host that lets a node stand still for so long makes actions late, and the other node believe it dead. */
const standstill = 2.5;

const round = (value: number): number => Math.round(value * 10) / 10;

const lockSums = (fates: readonly ClientFate[]): { locksTold: number; locksSilent: number } => ({
  locksTold: fates.filter(({ lock }) => lock.told > 0).length,
  locksSilent: fates.filter(({ lock }) => lock.silently > 0).length,
});

/** What a kind does not explain; where the host let a node stand still, nothing about lateness. */
const unexplained = (
  failures: readonly FailedAction[],
  kind: Kind,
  hit: readonly NodeName[],
  stoodStill: boolean,
): FailedAction[] =>
  failures
    .filter((failure) => !isExplained(kind, hit, failure))
    .filter(({ reason, status }) => !(stoodStill && /time|deadline/i.test(`${status} ${reason}`)));

const inWords = ({ resource, task, node, reason, status }: FailedAction): string =>
  `${resource} ${task} on ${node}: ${reason || status}`;

/** The next fault begins with a cluster that remembers nothing. */
async function forgetFailures(run: Run, home: NodeName, signal: AbortSignal): Promise<void> {
  const state = await run.cluster.seenFrom(home, signal);
  if (!state || (state.failures.length === 0 && state.failCounts.length === 0)) return;
  await run.lab.machine(home).run('crm_resource --cleanup', { signal });
  while (!(await isIdle(run, home, signal))) await sleep(500, undefined, { signal });
}

/** How many bytes there were, and their sum. */
const sumOf = (bytes: number): string =>
  `head -c ${bytes} ${lowerDisk} | python3 -c '
import hashlib, sys
count, sum = 0, hashlib.sha1()
while part := sys.stdin.buffer.read(1 << 20):
    count += len(part)
    sum.update(part)
print(count, sum.hexdigest())'`;

/** In the end both disks have the same bits. */
async function sameDisks({ lab, cluster, steps, checks }: Run): Promise<void> {
  const { bytes, sums } = await steps.run('both disks, bit by bit', 240, async (signal) => {
    await cluster.inSync(signal);
    // not by blockdev: DRBD opens for nobody on the node that is not promoted
    const sectors = await lab
      .machine('node1')
      .run(`cat /sys/class/block/${basename(drbdDevice)}/size`, { signal });
    await cluster.stopAll('node1', signal);
    const bytes = Number(sectors) * 512;
    return {
      bytes,
      sums: await Promise.all(lab.nodes.map((node) => node.run(sumOf(bytes), { signal }))),
    };
  });
  checks.add('both disks are alike, bit by bit', areAlike(bytes, sums), sums.join(', '));
}
