import { constants } from 'node:os';
import fs from 'fs-extra';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { Lab } from './machines/lab.ts';
import { obstacles } from './preflight.ts';
import { Checks, type Figures } from './report/checks.ts';
import { StepError, Steps } from './report/steps.ts';
import { checksTable, figuresTable } from './report/tables.ts';
import { prepareImage } from './scenarios/bring-up.ts';
import { campaign, isAnswer, scenariosFor } from './scenarios/campaign.ts';
import type { Plan } from './scenarios/run.ts';
import {
  isStock,
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
const steps = new Steps(interruption.signal);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function mayRun(): Promise<boolean> {
  const found = await obstacles();
  if (found.length === 0) return true;
  say(`THE LAB CANNOT RUN HERE: ${found.join('; ')}`);
  process.exitCode = cannotRun;
  return false;
}

interface Options {
  suites: readonly Suite[];
  provider: Provider;
  order: Order;
  keep: boolean;
  results?: string | undefined;
  purpose: Plan['purpose'];
}

async function campaigns({
  suites: wanted,
  provider,
  order,
  keep,
  results,
  purpose,
}: Options): Promise<void> {
  if (!(await mayRun())) return;
  let [passed, failed, skipped] = [0, 0, 0];
  for (const suite of wanted) {
    const plan: Plan = { suite, provider, order, purpose };
    const checks = new Checks();
    const figures: Figures[] = [];
    say(`\n${suite}: ${provider} agents, ${order} order`);
    const ending = await campaign(plan, scenariosFor(plan), { steps, checks, figures }, keep);
    if (ending.failure) {
      say(`\n${ending.failure.message}`);
      if (isAnswer(plan, ending)) figures.push({ scenario: 'standby', outcome: 'blocked for good' });
      else addFailure(checks, ending.failure);
    }
    if (purpose === 'test' || checks.failed.length > 0) say(checksTable(checks.all));
    say(figuresTable(figures));
    if (keep && (await Lab.find(suite))) explainKept(suite);
    if (isStock(provider)) continue;
    passed += checks.passed;
    failed += checks.failed.length;
    skipped += ending.skipped;
    if (interruption.signal.aborted) break;
  }
  if (results) await fs.outputJson(results, { passed, failed, skipped });
  if (failed > 0) process.exitCode ??= 1;
}

function addFailure(checks: Checks, failure: Error): void {
  if (failure instanceof StepError) checks.add(failure.title, false, failure.reason);
  else checks.add('the run', false, failure.message);
}

function explainKept(suite: Suite): void {
  const command = 'npx tsx test/lab/main.ts';
  say(`The ${suite} lab is still running. Look into it, and take it down when done:
  ${command} exec node1 crm_mon -1rfn --suite ${suite}
  ${command} exec client tail -f /root/lab/writer-nfsv4.2 --suite ${suite}
  ${command} down --suite ${suite}`);
}

async function execIn(suite: Suite, name: MachineName, command: string[]): Promise<void> {
  const lab = await Lab.find(suite);
  if (!lab) throw new Error(`no ${suite} lab is running; start one with: demo --keep`);
  process.exitCode = await lab.machine(name).attach(command.join(' '));
}

const suite = { choices: suites, describe: 'Debian release of the machines' } as const;
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
const order = {
  choices: orders,
  default: 'recommended',
  describe: 'address after the export, or first',
} as const;
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
      for (const wanted of args.suite ? [args.suite] : suites) await prepareImage(wanted, steps);
    },
  )
  .command(
    'test',
    'run every scenario, on every Debian release',
    (args) =>
      args.options({
        suite,
        ...provider,
        order,
        results: { type: 'string', describe: 'write the sums here' },
      }),
    async (args) => {
      const wanted = args.suite ? [args.suite] : suites;
      const { order, results } = args;
      await campaigns({
        suites: wanted,
        provider: providerOf(args),
        order,
        results,
        keep: false,
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
        keep: { type: 'boolean', default: false, describe: 'leave the cluster running' },
      }),
    async (args) => {
      const { order, keep } = args;
      await campaigns({ suites: [args.suite], provider: providerOf(args), order, keep, purpose: 'demo' });
    },
  )
  .command(
    'exec <machine> <command..>',
    'run a command in a machine of a lab that was kept',
    (args) =>
      args
        .positional('machine', { choices: machines, demandOption: true })
        .positional('command', { type: 'string', array: true, demandOption: true })
        .option('suite', { ...suite, default: 'bookworm' as const })
        .parserConfiguration({ 'unknown-options-as-args': true }),
    async (args) => await execIn(args.suite, args.machine, args.command),
  )
  .command(
    'down',
    'take down a lab that was kept',
    (args) => args.option('suite', suite),
    async (args) => {
      for (const wanted of args.suite ? [args.suite] : suites)
        if (await Lab.remove(wanted)) say(`the ${wanted} lab is gone`);
    },
  )
  .demandCommand(1)
  .strict()
  .fail((message, error) => {
    process.stderr.write(`${error?.message ?? message}\n`);
    process.exitCode ??= 1;
  })
  .parseAsync();
