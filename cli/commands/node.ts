import { hostName } from '../../lib/host/host.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import { lookAtMachine } from '../facts/machine.ts';
import { providers } from '../facts/migration.ts';
import { lookAtSide } from '../facts/side.ts';
import type { Verb } from '../facts/verbs.ts';
import { eventsHere } from '../history/gather.ts';
import { installedAgents, missingOf } from '../migrate/agents.ts';
import { print } from '../output/print.ts';
import { wordsIn } from '../output/words.ts';
import { atWork, requireRoot } from './change.ts';
import {
  connectHere,
  discardHere,
  dropSnapshots,
  hangUpHere,
  snapshotHere,
  stampOf,
  takeBack,
  tellSnapshots,
} from './discard.ts';

export type NodeOptions = {
  readonly verb: Verb;
  /**
   * The resource, or one connection of it as `resource:peer`; a provider for `agents`; for `events` since when, in milliseconds since 1970;
   * nothing for `look`.
   */
  readonly connection: string | null;
  /** How much the resync will write over, for the size of a snapshot. */
  readonly kib: number | null;
  /** What ends the name of a snapshot. */
  readonly stamp: string | null;
};

/** `tsha node VERB`: what the other node asks of this one over ssh. What it cannot or will not do it says, with an exit status. */
export async function node(call: Call, options: NodeOptions): Promise<Ending> {
  for (const line of await answer(call, options)) print(1, `${line}\n`);
  return 'well';
}

/** The lines of the answer. */
export async function answer(
  call: Call,
  { verb, connection, kib, stamp }: NodeOptions,
): Promise<readonly string[]> {
  const { host } = call;
  const words = wordsIn(call.terminal.language);
  if (verb === 'look') return [JSON.stringify(await lookAtMachine(host))];
  if (verb === 'agents') {
    const provider = providers.find((one) => one === connection);
    if (provider === undefined) throw new CommandError('unknown', `tsha node agents ${providers.join('|')}`);
    return [JSON.stringify({ missing: missingOf(await installedAgents(host, provider)) })];
  }
  if (verb === 'events') {
    const since = Number(connection ?? 0);
    if (!Number.isFinite(since)) throw new CommandError('unknown', 'tsha node events MILLISECONDS');
    return [JSON.stringify({ events: await eventsHere(host, since) })];
  }
  if (connection === null || !/^[\w.+-]+(:[\w.+-]+)?$/.test(connection))
    throw new CommandError('unknown', `tsha node ${verb} RESOURCE`);
  if (verb === 'side') return [JSON.stringify(await lookAtSide(host, connection))];
  if (stamp !== null && !/^\d{8}-\d{6}$/.test(stamp)) throw new CommandError('unknown', `--stamp=${stamp}`);
  requireRoot(call);
  const name = await hostName(host);
  return atWork(call, `tsha node ${verb} ${connection}`, async () => {
    if (verb === 'snapshot') {
      const begun: string[] = [];
      call.onInterrupt(async () => tellSnapshots(await dropSnapshots(host, begun), name, words));
      return snapshotHere(
        host,
        connection,
        { node: name, changedKiB: kib, stamp: stamp ?? stampOf(new Date()), begun },
        words,
      );
    }
    if (verb === 'hangup') return [await hangUpHere(host, connection, words)];
    if (verb === 'connect') await connectHere(host, connection, words);
    else {
      // ssh itself tells nobody here that its other end has gone: that side asks for `hangup`
      call.onInterrupt(() => takeBack(host, connection, words));
      await discardHere(host, connection, name, words);
    }
    return [];
  });
}
