import { wordsOf } from '../../lib/contract/reason.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import { type Memory, memoryOf } from '../../lib/host/memory.ts';
import type { Ctx } from './params.ts';

// Linux (seen with 7.2; write delegations came with 6.6) gives a client a delegation with each file that it claims, whether it
// had one or not; a write delegation where it may write. Under that a client locks by itself and believes what it has in its cache. So a
// client that has a file only open, and claims that before another claims his lock of the same file, is given that lock; and one of NFSv4.0
// does not see what others wrote before the restart. Where no leases may be taken the kernel gives none, and the clients claim their locks
// from the server.

const leases = '/proc/sys/fs/leases-enable';
const fact = 'leases';

/** The number is the node's: another instance than the one that set it, a person's hand or a renamed resource, may have to give it back. */
const ofNode = ({ host, log }: Ctx): Memory => memoryOf(host.sys, 'node', 'delegations', log);

/** Before the first thread runs, for as long as clients may claim. Leaves alone what the administrator has switched off. */
export async function withholdDelegations(ctx: Ctx): Promise<void> {
  const { host, log } = ctx;
  const warned = (error: unknown) =>
    log.warn(
      `a client may be given a lock that another has not claimed yet: ${leases} stays as it is: ${wordsOf(error)}`,
    );
  const was = await readIfThere(host, leases).catch(warned);
  if (was === undefined || was.trim() === '0') return;
  const memory = ofNode(ctx);
  await memory.insist(fact, was.trim());
  try {
    await host.sys.poke(leases, '0\n');
  } catch (error) {
    warned(error);
    await memory.forget();
  }
}

/** A monitor's part of it. Never fails. */
export async function allowAfterGrace(ctx: Ctx): Promise<void> {
  if ((await ofNode(ctx).fact(fact)) === undefined) return;
  const { isGraceOver } = await import('./kernel.ts');
  if (await isGraceOver(ctx.host)) await allowDelegations(ctx);
}

/** Once nobody may claim any more. */
export async function allowDelegations(ctx: Ctx): Promise<void> {
  const { host, log } = ctx;
  const memory = ofNode(ctx);
  const was = await memory.fact<string>(fact);
  if (was === undefined) return;
  try {
    if ((await readIfThere(host, leases))?.trim() === '0') await host.sys.poke(leases, `${was}\n`);
    await memory.forget();
  } catch (error) {
    log.warn(`no client is given a delegation: ${leases} stays 0: ${wordsOf(error)}`);
  }
}
