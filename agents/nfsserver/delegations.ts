import { wordsOf } from '../../lib/contract/reason.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import type { Ctx } from './params.ts';

// Linux (since 6.6, which brought write delegations; seen with 7.2) gives a client a write delegation with each file that it claims, whether
// it had one or not. Under a delegation a client locks by itself and believes what it has in its cache. So a client that has a file
// only open, and claims that before another claims his lock of the same file, is given that lock; and one of NFSv4.0 does not see what
// others wrote before the restart. Where no leases may be taken the kernel gives none, and the clients claim their locks from the server.

const leases = '/proc/sys/fs/leases-enable';
const fact = 'leases';

const graceIsOver = '/proc/fs/nfsd/v4_end_grace';

/** Before the first thread runs, for as long as clients may claim. Leaves alone what the administrator has switched off. */
export async function withholdDelegations({ host, log, memory }: Ctx): Promise<void> {
  const was = (await readIfThere(host, leases))?.trim() ?? '0';
  if (was === '0') return;
  await memory.note(fact, was);
  await host.sys
    .poke(leases, '0\n')
    .catch((error) =>
      log.warn(
        `a client may be given a lock that another has not claimed yet: ${leases} stays as it is: ${wordsOf(error)}`,
      ),
    );
}

/** A monitor's part of it. Never fails. */
export async function allowAfterGrace(ctx: Ctx): Promise<void> {
  const { host, memory } = ctx;
  if ((await memory.fact(fact)) === undefined) return;
  const { textOf } = await import('./kernel.ts');
  const isOver = await textOf(host, graceIsOver).catch(() => undefined); // a nfsd that hangs is another's affair
  if (isOver?.startsWith('Y')) await allowDelegations(ctx);
}

/** Once nobody may claim any more. */
export async function allowDelegations({ host, log, memory }: Ctx): Promise<void> {
  const was = await memory.fact<string>(fact);
  if (was === undefined) return;
  try {
    if ((await readIfThere(host, leases))?.trim() === '0') await host.sys.poke(leases, `${was}\n`);
    await memory.hint(fact, undefined);
  } catch (error) {
    log.warn(`no client is given a delegation: ${leases} stays 0: ${wordsOf(error)}`);
  }
}
