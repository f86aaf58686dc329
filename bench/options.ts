import { join } from 'node:path';
import yargs from 'yargs';
import { agentNames, projectFolder } from '../packaging/products.ts';
import { events } from '../test/lab/scenarios/pause/events.ts';
import { suites } from '../test/lab/settings.ts';
import { clientsOfAllKinds } from '../test/lab/workload/wishes.ts';

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
      pause: {
        type: 'boolean',
        describe:
          'how long clients of the lab wait for anything new after a move, a standby and a death instead: files, locks, mounts',
        conflicts: ['lab', 'failover'],
      },
      detection: {
        type: 'boolean',
        describe:
          "what corosync's token costs and gives in the lab instead: how soon a silent node is missed, false alarms",
        conflicts: ['lab', 'failover', 'pause'],
      },
      deaths: { type: 'number', default: 5, describe: 'with --detection: how often a node stands still' },
      watched: {
        type: 'number',
        default: 120,
        describe: 'with --detection: seconds in which false alarms are counted',
      },
      clients: {
        choices: clientsOfAllKinds.map(({ name }) => name),
        array: true,
        describe: 'with --pause: only these clients',
        implies: 'pause',
      },
      event: {
        choices: events.map(({ name }) => name),
        array: true,
        describe: 'with --pause: only these events',
        implies: 'pause',
      },
      suite: {
        choices: suites,
        default: suites[0],
        describe: 'with --pause: Debian release of the machines',
      },
      out: { type: 'string', default: join(projectFolder, '.cache/bench'), describe: 'where the results go' },
    })
    .strict()
    .parseSync();
