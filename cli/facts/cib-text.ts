import { commandFailure, type Host } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';

/** The CIB as the cluster gives it, comments and all. Throws `Failure`. */
export async function cibText(host: Host): Promise<string> {
  const argv: Argv = ['cibadmin', '--query'];
  const answer = await host.tryRun(argv, { timeoutMs: 15_000 });
  if (answer.code !== 0) throw commandFailure(argv, answer);
  return answer.stdout;
}
