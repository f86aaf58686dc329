import yargs, { type Argv } from 'yargs';
import { hideBin } from 'yargs/helpers';
import yargsChinese from '../node_modules/yargs/locales/zh_CN.json' with { type: 'json' };
import { type AgentLine, agentLine, fromCommand, languages } from './agent-line.ts';
import { type CommonOptions, end, languageHere, perform } from './command.ts';
import { verbs } from './facts/verbs.ts';
import { helpIn } from './output/help.ts';
import { print } from './output/print.ts';
import { plan } from './plan.ts';

// What a promise that never settles ends with; every way out of a command says it anew.
process.exitCode = 3;

const argv = hideBin(process.argv);
const language = languageHere(argv);
const help = helpIn(language);

const common = {
  json: { boolean: true, describe: help.json },
  quiet: { alias: 'q', boolean: true, describe: help.quiet },
  color: { boolean: true, describe: help.color },
  lang: { choices: languages, describe: help.lang },
  input: { boolean: true, describe: help.input },
} as const;

/** Of commands that change something. */
const changing = {
  n: { alias: 'dry-run', boolean: true, describe: help.dryRun },
  y: { alias: 'yes', boolean: true, describe: help.yesOption },
} as const;
const although = { string: true, array: true, requiresArg: true, describe: help.although } as const;
/** Until a resync has ended; what must end sooner has a limit of its own. */
const longMs = 12 * 3_600_000;

const { color, lang, input } = common;
const withCommon = (args: Argv) => args.options(common);

/** Its options are the agent's parameters, which yargs does not know. */
async function agentByHand({ common, ...line }: AgentLine): Promise<void> {
  const { agent } = await import('./commands/agent.ts');
  await perform({ ...common, lang: language }, (call) => agent(call, line));
}

/** Of `tsha agent` yargs knows neither the agents nor their parameters. */
async function completeAgent(words: readonly string[]): Promise<void> {
  const { agentCompletions } = await import('./completion.ts');
  const forZsh = process.env['SHELL']?.includes('zsh') ?? false;
  print(
    1,
    agentCompletions(words, forZsh)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

const cli = yargs(argv)
  .scriptName('tsha')
  .usage(help.usage)
  .command(
    'status',
    help.status,
    (args) =>
      withCommon(args).option('watch', {
        alias: 'w',
        describe: help.watch,
        coerce: (value: unknown) => (value === true || value === '' ? 2 : Number(value)),
      }),
    async (options) => {
      const watchSeconds = (options as { watch?: number }).watch ?? null;
      if (watchSeconds !== null && !(watchSeconds >= 1)) throw new Error(help.watchNumber);
      const { status } = await import('./commands/status.ts');
      const withinMs = watchSeconds === null ? 30_000 : Number.MAX_SAFE_INTEGER;
      await perform(options as CommonOptions, (call) => status(call, { watchSeconds }), withinMs);
    },
  )
  .command(
    'check',
    help.check,
    (args) =>
      withCommon(args)
        .option('what-if', { string: true, describe: help.whatIf, requiresArg: true })
        .option('config', { alias: 'c', string: true, describe: help.config, requiresArg: true }),
    async (options) => {
      const { check } = await import('./commands/check.ts');
      const [node, file] = [options.whatIf ?? null, options.config ?? null];
      await perform(options as CommonOptions, (call) => check(call, { node, file }), 120_000);
    },
  )
  .command(
    'explain [word]',
    help.explain,
    (args) => withCommon(args).positional('word', { type: 'string', describe: help.explainWord }),
    async (options) => {
      const { explain } = await import('./commands/explain.ts');
      await perform(options as CommonOptions, (call) => explain(call, { word: options.word ?? null }));
    },
  )
  .command(
    'switch [node]',
    help.switchTo,
    (args) =>
      withCommon(args)
        .positional('node', { type: 'string', describe: help.node })
        .options({
          ...changing,
          although,
          service: { string: true, requiresArg: true, describe: help.service },
        }),
    async (options) => {
      const { switchOver } = await import('./commands/switch.ts');
      const wishes = {
        to: options.node ?? null,
        service: options.service ?? null,
        dryRun: options.n === true,
        yes: options.y === true,
        although: options.although ?? [],
      };
      await perform(options as CommonOptions, (call) => switchOver(call, wishes), longMs);
    },
  )
  .command(
    'maintenance <to> [node]',
    help.maintenance,
    (args) =>
      withCommon(args)
        .positional('to', { choices: ['on', 'off'] as const, demandOption: true })
        .positional('node', { type: 'string', describe: help.node })
        .options(changing)
        .check(({ to, node }) => to === 'off' || node !== undefined || 'tsha maintenance on NODE'),
    async (options) => {
      const { maintenance } = await import('./commands/maintenance.ts');
      const { to, node = null, n, y } = options;
      const wishes = { to, node, dryRun: n === true, yes: y === true };
      await perform(options as CommonOptions, (call) => maintenance(call, wishes), longMs);
    },
  )
  .command(
    'split-brain [resource]',
    help.splitBrain,
    (args) =>
      withCommon(args)
        .positional('resource', { type: 'string' })
        .options({
          discard: { string: true, requiresArg: true, describe: help.discard },
          confirm: { string: true, requiresArg: true, describe: help.confirm },
          snapshot: { boolean: true, describe: help.snapshot },
          n: changing.n,
        }),
    async (options) => {
      const { splitBrain } = await import('./commands/split-brain.ts');
      const { resource = null, discard = null, confirm = null } = options;
      const [snapshot, dryRun] = [options.snapshot === true, options.n === true];
      const wishes = { resource, discard, confirm, snapshot, dryRun };
      await perform(options as CommonOptions, (call) => splitBrain(call, wishes), longMs);
    },
  )
  .command(
    'metrics',
    help.metrics,
    (args) =>
      withCommon(args).option('output', {
        alias: 'o',
        string: true,
        requiresArg: true,
        describe: help.output,
      }),
    async (options) => {
      const { metrics } = await import('./commands/metrics.ts');
      await perform(options as CommonOptions, (call) => metrics(call, { file: options.output ?? null }));
    },
  )
  .command(
    'history',
    help.history,
    (args) =>
      withCommon(args).option('since', {
        string: true,
        requiresArg: true,
        default: '1d',
        describe: help.since,
      }),
    async (options) => {
      const { history } = await import('./history/command.ts');
      await perform(options as CommonOptions, (call) => history(call, { since: options.since }), 120_000);
    },
  )
  .command(
    'report',
    help.report,
    (args) =>
      withCommon(args).options({
        output: { alias: 'o', string: true, requiresArg: true, describe: help.reportFile },
        since: { string: true, requiresArg: true, default: '1w', describe: help.since },
      }),
    async (options) => {
      const { report } = await import('./report/command.ts');
      const wishes = { file: options.output ?? null, since: options.since };
      await perform(options as CommonOptions, (call) => report(call, wishes), 180_000);
    },
  )
  .command(
    'init',
    help.init,
    (args) =>
      withCommon(args).options({
        config: { alias: 'c', string: true, requiresArg: true, describe: help.initFile },
        'from-cluster': { boolean: true, describe: help.fromCluster },
        nodes: { string: true, requiresArg: true, describe: help.nodes },
        disk: { string: true, requiresArg: true, describe: help.disk },
        'state-disk': { string: true, requiresArg: true, describe: help.stateDisk },
        device: { string: true, requiresArg: true, describe: help.device },
        resource: { string: true, requiresArg: true, describe: help.drbdResource },
        directory: { string: true, requiresArg: true, describe: help.directory },
        ip: { string: true, requiresArg: true, describe: help.ip },
        ip6: { string: true, requiresArg: true, describe: help.ip },
        export: { string: true, array: true, requiresArg: true, describe: help.exported },
        nfs3: { boolean: true, describe: help.nfs3 },
        n: { alias: 'dry-run', boolean: true, describe: help.initDryRun },
      }),
    async (options) => {
      const { init } = await import('./init/command.ts');
      const wishes = { ...options, dryRun: options.n === true };
      // somebody may have to look an address up
      await perform(options as CommonOptions, (call) => init(call, wishes), 3_600_000);
    },
  )
  .command(
    'node <verb> [connection]',
    false, // for the other node, which asks over ssh
    (args) =>
      withCommon(args)
        .positional('verb', { choices: verbs, demandOption: true })
        .positional('connection', { type: 'string' })
        .option('kib', { number: true, requiresArg: true })
        .option('stamp', { string: true, requiresArg: true }),
    async (options) => {
      const { node } = await import('./commands/node.ts');
      const { verb, connection = null, kib = null, stamp = null } = options;
      await perform(
        options as CommonOptions,
        (call) => node(call, { verb, connection, kib, stamp }),
        300_000,
      );
    },
  )
  .command(
    'apply',
    help.apply,
    (args) =>
      withCommon(args)
        .option('config', { alias: 'c', string: true, requiresArg: true, describe: help.config })
        .options(changing),
    async (options) => {
      const { apply } = await import('./apply/command.ts');
      const wishes = { config: options.config, dryRun: options.n === true, yes: options.y === true };
      await perform(options as CommonOptions, (call) => apply(call, wishes), longMs);
    },
  )
  .command(
    'drbd <what>',
    help.drbd,
    (args) =>
      withCommon(args)
        .positional('what', { choices: ['create', 'grow'] as const, demandOption: true })
        .options(changing)
        .options({
          config: { alias: 'c', string: true, requiresArg: true, describe: help.config },
          here: { boolean: true, describe: help.here },
          'skip-sync': { boolean: true, describe: help.skipSync },
          overwrite: { string: true, array: true, requiresArg: true, describe: help.overwrite },
        }),
    async (options) => {
      const { what, config, here = false, skipSync = false, overwrite = [] } = options;
      if (what === 'grow') {
        const { grow } = await import('./drbd/grow.ts');
        const wish = { config, here, dryRun: options.n === true, yes: options.y === true };
        await perform(options as CommonOptions, (call) => grow(call, wish), longMs);
        return;
      }
      const { create } = await import('./drbd/create.ts');
      const wishes = {
        config,
        here,
        skipSync,
        overwrite,
        dryRun: options.n === true,
        yes: options.y === true,
      };
      await perform(options as CommonOptions, (call) => create(call, wishes), longMs);
    },
  )
  .command(
    'remove',
    help.remove,
    (args) =>
      withCommon(args)
        .option('config', { alias: 'c', string: true, requiresArg: true, describe: help.config })
        .options(changing),
    async (options) => {
      const { remove } = await import('./remove/command.ts');
      const wishes = { config: options.config, dryRun: options.n === true, yes: options.y === true };
      await perform(options as CommonOptions, (call) => remove(call, wishes), longMs);
    },
  )
  .command(
    'migrate',
    help.migrate,
    (args) =>
      withCommon(args)
        .option('to', { choices: ['tsha', 'stock'] as const, demandOption: true, describe: help.migrateTo })
        .options({ ...changing, although }),
    async (options) => {
      const { migrate } = await import('./migrate/command.ts');
      const { to, n, y, although: accepted = [] } = options;
      const wishes = { to, dryRun: n === true, yes: y === true, although: accepted };
      await perform(options as CommonOptions, (call) => migrate(call, wishes), longMs);
    },
  )
  .command(
    'agent <name> <action>',
    help.agent,
    (args) =>
      args.options({ color, lang, input, trace: { boolean: true, describe: help.trace } }).strict(false),
    // what agent-line.ts does not take for such a line has run no agent
    async () => {
      throw new Error(help.agent);
    },
  )
  .command(plan)
  .demandCommand(1, help.which)
  .strict()
  .recommendCommands()
  .exitProcess(false)
  .wrap(Math.min(120, process.stdout.columns ?? 100))
  .fail((message, error) => {
    print(2, `tsha: ${message || error?.message}\n${help.seeHelp}\n`);
    end('unknown');
  });
if (language === 'zh') cli.updateStrings(yargsChinese as never);

const line = agentLine(argv);
const toComplete = argv[0] === '--get-yargs-completions' ? fromCommand(argv.slice(2)) : [];
const done =
  toComplete[0] === 'agent' && toComplete.length > 1
    ? completeAgent(toComplete)
    : line
      ? agentByHand(line)
      : cli.parseAsync();
void done.then(
  () => end('well'),
  (error: unknown) => {
    print(2, `tsha: ${error instanceof Error ? error.message : error}\n`);
    end('unknown');
  },
);
