import type { Host } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import { lockGraceSeconds } from '../../lib/host/nfs/lock-grace.ts';
import { type Mount, mounts } from '../../lib/host/storage/mounts.ts';
import { defaultTime, secondsSaid } from './kernel.ts';
import type { Ctx } from './params.ts';
import type { Survey } from './survey.ts';

/** How long new locks will wait after a start, where that is longer than somebody may think. */
export async function warnLongGrace({ host, log, params }: Ctx, facts: Survey): Promise<void> {
  const graceTime = params.nfs_grace_time ?? secondsSaid(facts, 'grace-time');
  const lockd = await lockGraceSeconds(host, params.lockd_grace_time ?? graceTime);
  if (!facts.v3 || lockd === undefined) return;
  if (params.lockd_grace_time !== undefined && lockd !== params.lockd_grace_time)
    log.warn(
      `lockd_grace_time=${params.lockd_grace_time} lasts ${lockd} s: the kernel rounds up to a multiple of nlm_timeout`,
    );
  const nfsd = graceTime ?? defaultTime;
  if (lockd > nfsd)
    log.warn(
      `new locks wait ${lockd} s for clients of NFSv3 after a start, longer than the ${nfsd} s of NFSv4: lockd_grace_time=10 is enough where they are told within seconds`,
    );
}

/** An NFS mount of this node that keeps lockd running: NFSv3, or 2, with locks on its server. */
const usesLockd = ({ type, superOptions }: Mount): boolean =>
  type === 'nfs' &&
  superOptions.some((option) => /^vers=[23]$/.test(option)) &&
  !superOptions.some((option) => /^(?:nolock|local_lock=all)$/.test(option));

const clientMounts = async (host: Host): Promise<readonly string[]> =>
  (await mounts(host)).filter(usesLockd).map(({ target }) => target);

const remedy = 'mount with vers=4 or nolock where the NFS server may run';

/** lockd begins a grace period with its first user, and a mount of this node is one. */
export async function warnOwnMounts({ host, log }: Ctx, { v3 }: Survey): Promise<void> {
  const found = v3 ? await clientMounts(host) : [];
  if (found.length > 0)
    log.warn(
      `NFSv3 clients will lose locks in a failover to this node: lockd runs for ${found.join(', ')} and begins no grace period then; ${remedy}`,
    );
}

/** Of a server that has just started, for clients that may claim. `Y`: lockd counts no grace period. */
export async function warnNoLockGrace({ host, log }: Ctx, { v3 }: Survey): Promise<void> {
  const isOver = v3
    ? await readIfThere(host, '/proc/fs/lockd/nlm_end_grace').catch(() => undefined)
    : undefined;
  if (!isOver?.startsWith('Y')) return;
  const found = await clientMounts(host);
  const why =
    found.length > 0 ? `lockd ran before the server, for ${found.join(', ')}` : 'lockd ran before the server';
  log.warn(
    `lockd has no grace period: locks of NFSv3 clients may be given to others before they are claimed (${why}); ${remedy}`,
  );
}
