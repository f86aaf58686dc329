import { join } from 'node:path';
import yargs from 'yargs';
import { agentNames, projectFolder } from '../packaging/products.ts';

/** What the bench is asked to do. Ends the process, with a message, for words that it does not know. */
export const readOptions = (words: readonly string[]) =>
  yargs(words)
    .scriptName('./build.sh bench')
    .usage(
      '$0 [options]\n\nMeasures our agents and the stock ones in turn, on this machine in namespaces of its own; writes tables, a picture and all figures.',
    )
    .options({
      agent: { choices: agentNames, array: true, describe: 'only these agents' },
      action: { type: 'string', array: true, describe: 'only these actions' },
      rounds: { type: 'number', default: 7, describe: 'how often each gets its turn' },
      runs: { type: 'number', default: 5, describe: 'calls in each turn' },
      scale: { type: 'boolean', default: true, describe: 'a node with many resources, too' },
      lab: { type: 'boolean', describe: 'on a node of the lab instead, with real DRBD and NFS' },
      failover: {
        type: 'boolean',
        describe: 'what clients of the lab see of a switchover and of the death of a node instead',
        conflicts: 'lab',
      },
      out: { type: 'string', default: join(projectFolder, '.cache/bench'), describe: 'where the results go' },
    })
    .strict()
    .parseSync();
