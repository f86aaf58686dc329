import { constants } from 'node:os';
import fs from 'fs-extra';
import pMap from 'p-map';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { type FaultOptions, ofTests, seedOfTheDay } from './faults/options.ts';
import { givenKernel } from './image/kernel.ts';
import { Lab } from './machines/lab.ts';
import { obstacles } from './preflight.ts';
import { Checks, type Figures } from './report/checks.ts';
import { StepError, Steps } from './report/steps.ts';
import { checksTable, figuresTable } from './report/tables.ts';
import { timelineTable } from './report/timeline.ts';
import { prepareImage } from './scenarios/bring-up.ts';
import { campaign, campaignsOn, isAnswer, scenariosFor } from './scenarios/campaign.ts';
import type { Plan } from './scenarios/run.ts';
import {
  type CampaignName,
  campaigns as campaignNames,
  type Grace,
  graces,
  isStock,
  type LabName,
  type MachineName,
  machines,
  type Order,
  orders,
  type Provider,
  type Suite,
  suites,
} from './settings.ts';

const cannotRun = 3;
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    interruption.abort(new Error(`interrupted by ${signal}`));
    process.exitCode = 128 + constants.signals[signal];
  });
const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function mayRun(): Promise<boolean> {
  const found = await obstacles();
  if (found.length === 0) return true;
  say(`THE LAB CANNOT RUN HERE: ${found.join('; ')}`);
  process.exitCode = cannotRun;
  return false;
}

interface Options {
  labs: readonly LabName[];
  provider: Provider;
  order: Order;
  grace: Grace;
  keep: boolean;
  timelines: boolean;
  results?: string | undefined;
  purpose: Plan['purpose'];
  faults?: FaultOptions;
}

/** Campaigns wait most of the time: for elections, grace periods, timeouts. Three at once would make two processors late. */
const atOnce = 2;

/**
 * Has the machine to itself: while another campaign ran on the same two processors, a failover took longer than the grace period, and
 * clients lost their locks.
 */
const isAlone = ({ campaign }: LabName): boolean => campaign === 'failover';

interface Result {
  passed: number;
  failed: number;
  skipped: number;
  shown: string[];
  failures: { title: string; reason: string }[];
}
const nothing: Result = { passed: 0, failed: 0, skipped: 0, shown: [], failures: [] };

async function campaigns(options: Options): Promise<void> {
  const { labs, results } = options;
  if (!(await mayRun())) return;
  const several = labs.length > 1;
  if (several)
    for (const suite of new Set(labs.map(({ suite }) => suite)))
      await prepareImage(suite, new Steps(interruption.signal));
  const play = (lab: LabName) =>
    run(lab, options, new Steps(interruption.signal, several ? `${lab.suite} ${lab.campaign}` : ''));
  const all = [
    ...(await pMap(labs.filter(isAlone), play, { concurrency: 1 })),
    ...(await pMap(
      labs.filter((lab) => !isAlone(lab)),
      play,
      { concurrency: atOnce },
    )),
  ];
  const total = [...all, withoutDrbd9(options)].reduce((sum, each) => ({
    passed: sum.passed + each.passed,
    failed: sum.failed + each.failed,
    skipped: sum.skipped + each.skipped,
    shown: [...sum.shown, ...each.shown],
    failures: [...sum.failures, ...each.failures],
  }));
  if (results) await fs.outputJson(results, total);
  if (total.failed > 0) process.exitCode ??= 1;
}

/** No distribution has a kernel with DRBD 9 for User-Mode Linux. */
function withoutDrbd9({ labs, purpose }: Options): Result {
  const wanted = purpose === 'test' && labs.some(({ campaign }) => campaign === 'drbd');
  if (!wanted || givenKernel(process.env)) return nothing;
  say(
    '\nTHE DRBD CAMPAIGN ON DRBD 9 IS SKIPPED: TSHA_LAB_KERNEL names no kernel that has it (test/lab/README.md)',
  );
  return { ...nothing, skipped: 1 };
}

async function run(
  lab: LabName,
  { provider, order, grace, purpose, keep, timelines, faults }: Options,
  steps: Steps,
): Promise<Result> {
  if (interruption.signal.aborted) return nothing;
  const plan: Plan = { ...lab, provider, order, grace, purpose, faults };
  const checks = new Checks();
  const figures: Figures[] = [];
  const title = `${lab.suite}, ${lab.campaign}: ${provider} agents, ${order} order, ${grace} s of grace`;
  say(`\n${title}`);
  const ending = await campaign(plan, scenariosFor(plan), { steps, checks, figures }, keep);
  for (const failure of ending.failures) {
    say(`\n${title}: ${failure.message}`);
    if (isAnswer(plan, failure)) figures.push({ scenario: 'standby', outcome: 'blocked for good' });
    else addFailure(checks, failure);
  }
  if (purpose === 'test' || checks.failed.length > 0) say(`\n${title}\n${checksTable(checks.all)}`);
  if (figures.length > 0) say(figuresTable(figures));
  if (timelines)
    for (const { scenario, timeline } of figures)
      if (timeline) say(`\n${scenario}\n${timelineTable(timeline)}`);
  if (keep && (await Lab.find(lab))) explainKept(lab);
  if (isStock(provider) && lab.campaign !== 'operate') return nothing;
  return {
    passed: checks.passed.length,
    failed: checks.failed.length,
    skipped: ending.skipped,
    shown: checks.passed.map(({ name }) => name),
    failures: checks.failed.map(({ scenario, name, detail }) => ({
      title: `${lab.suite} ${lab.campaign}, ${scenario}: ${name}`,
      reason: detail,
    })),
  };
}

const allLabs = suites.flatMap((suite) => campaignNames.map((campaign): LabName => ({ suite, campaign })));

const matches = (lab: LabName, suite?: Suite, campaign?: CampaignName): boolean =>
  (!suite || lab.suite === suite) && (!campaign || lab.campaign === campaign);

/** Those of the tests; one that is fully named need not be among them. */
const wantedLabs = (suite?: Suite, campaign?: CampaignName): LabName[] =>
  allLabs.filter(
    (lab) =>
      matches(lab, suite, campaign) && ((suite && campaign) || campaignsOn[lab.suite].includes(lab.campaign)),
  );

function addFailure(checks: Checks, failure: Error): void {
  if (failure instanceof StepError) checks.add(failure.title, false, failure.reason);
  else checks.add('the run', false, failure.message);
}

function explainKept({ suite, campaign }: LabName): void {
  const command = 'npx tsx test/lab/main.ts';
  const which = `--suite ${suite} --campaign ${campaign}`;
  say(`The ${suite} ${campaign} lab is still running. Look into it, and take it down when done:
  ${command} exec node1 crm_mon -1rfn ${which}
  ${command} exec client tail -f /root/lab/writer-nfsv4.2 ${which}
  ${command} down ${which}`);
}

async function execIn(which: LabName, name: MachineName, command: string[]): Promise<void> {
  const lab = await Lab.find(which);
  if (!lab)
    throw new Error(`no ${which.suite} ${which.campaign} lab is running; start one with: demo --keep`);
  process.exitCode = await lab.machine(name).attach(command.join(' '));
}

const suite = { choices: suites, describe: 'Debian release of the machines' } as const;
const campaignOption = { choices: campaignNames, describe: 'only this part of the tests' } as const;
const labOptions = {
  suite: { ...suite, default: 'bookworm' },
  campaign: { choices: campaignNames, default: 'failover', describe: 'which of the labs' },
} as const;
const provider = {
  stock: { type: 'boolean', default: false, describe: "Debian's own shell agents instead, for comparison" },
  helped: {
    type: 'boolean',
    default: false,
    describe: 'with --stock: with the drop-ins they need',
    implies: 'stock',
  },
  agents: { choices: ['native', 'script'], default: 'native', describe: 'flavour of our agents' },
} as const;
const keep = { type: 'boolean', default: false, describe: 'leave the cluster running' } as const;
const timelines = {
  type: 'boolean',
  default: false,
  describe: 'show what each node did at every failover',
} as const;
const order = {
  choices: orders,
  default: 'recommended',
  describe: 'address after the export, or first',
} as const;
const grace = {
  choices: graces,
  default: 15 as Grace,
  describe: 'seconds that a new server waits for clients; 90 is what the kernel does by itself',
} as const;
/** No check may depend on how fast the host is: a move that takes longer than the grace costs locks. */
const patientGrace = { ...grace, default: 45 as Grace } as const;
const providerOf = (args: { stock: boolean; helped: boolean; agents: 'native' | 'script' }): Provider => {
  if (!args.stock) return args.agents;
  return args.helped ? 'stock-helped' : 'stock';
};

await yargs(hideBin(process.argv))
  .scriptName('lab')
  .command(
    'build',
    'make the images',
    (args) => args.option('suite', suite),
    async (args) => {
      if (!(await mayRun())) return;
      for (const wanted of args.suite ? [args.suite] : suites)
        await prepareImage(wanted, new Steps(interruption.signal));
    },
  )
  .command(
    'test',
    'run every scenario, on every Debian release',
    (args) =>
      args.options({
        suite,
        campaign: campaignOption,
        ...provider,
        order,
        grace: patientGrace,
        keep,
        timelines,
        results: { type: 'string', describe: 'write the sums here' },
      }),
    async (args) => {
      const labs = wantedLabs(args.suite, args.campaign);
      const { order, grace, results, keep, timelines } = args;
      await campaigns({
        labs,
        provider: providerOf(args),
        order,
        grace,
        results,
        keep,
        timelines,
        purpose: 'test',
      });
    },
  )
  .command(
    'demo',
    'show a cluster at work, through a switchover and the death of a node',
    (args) =>
      args.options({
        suite: { ...suite, default: 'bookworm' as const },
        ...provider,
        order,
        grace,
        keep,
        timelines,
      }),
    async (args) => {
      const { order, grace, keep, timelines } = args;
      const labs = [{ suite: args.suite, campaign: 'failover' }] as const;
      await campaigns({ labs, provider: providerOf(args), order, grace, keep, timelines, purpose: 'demo' });
    },
  )
  .command(
    'faults',
    'inject faults at random, and keep the books on what clients were promised',
    (args) =>
      args.options({
        suite: { ...suite, default: 'bookworm' as const },
        ...provider,
        grace: patientGrace,
        keep,
        seed: { type: 'number', describe: 'of the schedule; another one each day unless given' },
        minutes: { type: 'number', default: 5, describe: 'no fault begins later than this' },
        kinds: { type: 'string', default: '', describe: 'parts of their names, with commas between them' },
        only: { type: 'number', describe: 'the fault of this number alone, as a failed run prints it' },
        fencing: { type: 'boolean', default: false, describe: 'with a power switch that Pacemaker may use' },
        record: { type: 'boolean', default: false, describe: 'write what came of it to the ledger' },
        results: { type: 'string', describe: 'write the sums here' },
      }),
    async (args) => {
      const { grace, keep, results, minutes, only, record } = args;
      const campaign = args.fencing ? 'fenced' : 'faults';
      await campaigns({
        labs: [{ suite: args.suite, campaign }],
        provider: providerOf(args),
        ...{ order: 'recommended', grace, keep, results, timelines: false, purpose: 'test' },
        faults: {
          ...ofTests(),
          seed: args.seed ?? seedOfTheDay(),
          ...{ minutes, only, record, count: Number.POSITIVE_INFINITY },
          kinds: args.kinds.split(',').filter(Boolean),
        },
      });
    },
  )
  .command(
    'exec <machine> <command..>',
    'run a command in a machine of a lab that was kept',
    (args) =>
      args
        .positional('machine', { choices: machines, demandOption: true })
        .positional('command', { type: 'string', array: true, demandOption: true })
        .options(labOptions)
        .parserConfiguration({ 'unknown-options-as-args': true }),
    async (args) => await execIn(args, args.machine, args.command),
  )
  .command(
    'down',
    'take down a lab that was kept',
    (args) => args.options({ suite, campaign: campaignOption }),
    async (args) => {
      for (const lab of allLabs)
        if (matches(lab, args.suite, args.campaign) && (await Lab.remove(lab)))
          say(`the ${lab.suite} ${lab.campaign} lab is gone`);
    },
  )
  .demandCommand(1)
  .strict()
  .fail((message, error) => {
    process.stderr.write(`${error?.message ?? message}\n`);
    process.exitCode ??= 1;
  })
  .parseAsync();
