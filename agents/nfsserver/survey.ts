import { type NfsConf, nfsConf, speaksV3 } from '../../lib/host/nfs/conf.ts';
import { type NeededDaemon, neededDaemons } from '../../lib/host/nfs/daemons.ts';
import { findManager, type Manager } from './manager.ts';
import type { Ctx } from './params.ts';
import { type Wanted, wanted } from './wanted.ts';

/** Our own file among the fragments of nfs.conf. */
export const ourConf = '/etc/nfs.conf.d/zz-tsha-nfsserver.conf';

/**
 * What is asked for, and what this machine has to do it with. It does not change while an action runs: it is asked once and handed
 * down. What does change, above all the mount table, is looked at anew each time.
 */
export type Survey = Wanted & {
  readonly manager: Manager;
  /** nfs.conf as the administrator has it, whatever an earlier start left there. */
  readonly conf: NfsConf;
  /** Whether this server serves NFSv3: both the resource and nfs.conf must leave it on. */
  readonly v3: boolean;
  /** The daemons without which this server does not serve everything it should. */
  readonly daemons: readonly NeededDaemon[];
};

/** Reads /etc, and the names of unit files and programs; starts nothing. */
export async function survey(ctx: Ctx): Promise<Survey> {
  const { host } = ctx;
  const asked = wanted(ctx);
  const [manager, conf] = await Promise.all([findManager(ctx), nfsConf(host, ourConf)]);
  const v3 = asked.v3 ?? speaksV3(conf);
  return { ...asked, manager, conf, v3, daemons: await neededDaemons(host, v3, manager.by === 'systemd') };
}
