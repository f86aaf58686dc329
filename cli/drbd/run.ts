import { commandFailure, type Host } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Pair } from '../configuration/pair.ts';
import { CommandError } from '../exit.ts';

/** Throws `CommandError('broken')` for a command that did not do its work. */
export async function run(host: Host, argv: Argv, timeoutMs = 120_000): Promise<string> {
  const answer = await host.tryRun(argv, { timeoutMs });
  if (answer.code !== 0) throw new CommandError('broken', commandFailure(argv, answer).message);
  return answer.stdout;
}

/** A line for each volume. */
export const statesOf = async (
  host: Host,
  what: 'cstate' | 'dstate',
  { drbd }: Pair,
): Promise<readonly string[]> =>
  (await run(host, ['drbdadm', what, drbd.resource], 10_000)).split('\n').filter(Boolean);
