import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { plan } from './plan.ts';

// `tsha plan | head`: a reader that leaves early is no error
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

void yargs(hideBin(process.argv))
  .scriptName('tsha')
  .usage('$0 <command>: for the people who run tsha clusters')
  .command(plan)
  .demandCommand(1, 'Which command?')
  .strict()
  .recommendCommands()
  .wrap(Math.min(120, process.stdout.columns ?? 100))
  .showHelpOnFail(false, 'See tsha --help.')
  .parseAsync();
