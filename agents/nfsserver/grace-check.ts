import { lockGraceSeconds } from '../../lib/host/nfs/lock-grace.ts';
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
