import yargs, { type Argv } from 'yargs';
import { hideBin } from 'yargs/helpers';
import yargsChinese from '../node_modules/yargs/locales/zh_CN.json' with { type: 'json' };
import { type CommonOptions, end, languageHere, perform } from './command.ts';
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
  lang: { choices: ['en', 'zh'] as const, describe: help.lang },
} as const;

const withCommon = (args: Argv) => args.options(common);

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

void cli.parseAsync().then(
  () => end('well'),
  (error: unknown) => {
    print(2, `tsha: ${error instanceof Error ? error.message : error}\n`);
    end('unknown');
  },
);
