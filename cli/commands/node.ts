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
import { connectHere, discardHere, hangUpHere, snapshotHere, takeBack } from './discard.ts';

export type NodeOptions = {
  readonly verb: Verb;
  /**
   * The resource, or one connection of it as `resource:peer`; a provider for `agents`; for `events` since when, in milliseconds since 1970;
   * nothing for `look`.
   */
  readonly connection: string | null;
  /** How much the resync will write over, for the size of a snapshot. */
  readonly kib: number | null;
};

/** `tsha node VERB`: what the other node asks of this one over ssh. What it cannot or will not do it says, with an exit status. */
export async function node(call: Call, { verb, connection, kib }: NodeOptions): Promise<Ending> {
  const { host } = call;
  const words = wordsIn(call.terminal.language);
  if (verb === 'look') {
    print(1, `${JSON.stringify(await lookAtMachine(host))}\n`);
    return 'well';
  }
  if (verb === 'agents') {
    const provider = providers.find((one) => one === connection);
    if (provider === undefined) throw new CommandError('unknown', `tsha node agents ${providers.join('|')}`);
    print(1, `${JSON.stringify({ missing: missingOf(await installedAgents(host, provider)) })}\n`);
    return 'well';
  }
  if (verb === 'events') {
    const since = Number(connection ?? 0);
    if (!Number.isFinite(since)) throw new CommandError('unknown', 'tsha node events MILLISECONDS');
    print(1, `${JSON.stringify({ events: await eventsHere(host, since) })}\n`);
    return 'well';
  }
  if (connection === null || !/^[\w.+-]+(:[\w.+-]+)?$/.test(connection))
    throw new CommandError('unknown', `tsha node ${verb} RESOURCE`);
  if (verb === 'side') {
    print(1, `${JSON.stringify(await lookAtSide(host, connection))}\n`);
    return 'well';
  }
  requireRoot(call);
  const name = await hostName(host);
  return atWork(call, `tsha node ${verb} ${connection}`, async () => {
    if (verb === 'snapshot') {
      const wish = { node: name, changedKiB: kib, at: new Date() };
      for (const path of await snapshotHere(host, connection, wish, words)) print(1, `${path}\n`);
    } else if (verb === 'connect') await connectHere(host, connection, words);
    else if (verb === 'hangup') await hangUpHere(host, connection, words);
    else {
      // ssh itself tells nobody here that its other end has gone: that side asks for `hangup`
      call.onInterrupt(() => takeBack(host, connection, words));
      await discardHere(host, connection, name, words);
    }
    return 'well';
  });
}
