import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import { agentConf, type NfsConf, nfsConf, speaksV3 } from '../../lib/host/nfs/conf.ts';
import { type NeededDaemon, neededDaemons, serverNames } from '../../lib/host/nfs/daemons.ts';
import { hasSystemd, isInstalled } from '../../lib/host/systemd.ts';
import type { Ctx } from './params.ts';
import { type Wanted, wanted } from './wanted.ts';

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
export async function survey(host: Host, params: Ctx['params']): Promise<Survey> {
  const asked = wanted({ params });
  const [manager, conf] = await Promise.all([
    findManager(host, params.nfs_init_script),
    nfsConf(host, agentConf),
  ]);
  const v3 = asked.v3 ?? speaksV3(conf);
  return { ...asked, manager, conf, v3, daemons: await neededDaemons(host, v3, manager.by === 'systemd') };
}

/** What can start and stop the server. */
export type Starter =
  | { readonly by: 'systemd'; readonly server: string }
  | { readonly by: 'script'; readonly script: string };

/** What starts and stops the server on this machine, if anything does. An init script counts only where systemd does not run. */
export type Manager =
  | Starter
  /** The server's unit is not installed or masked; its helpers may be there all the same. */
  | { readonly by: 'systemd'; readonly server: undefined }
  | { readonly by: 'nobody'; readonly why: string };

/** SUSE's, Red Hat's, Debian's. */
const scripts = ['/etc/init.d/nfsserver', '/etc/init.d/nfs', '/etc/init.d/nfs-kernel-server'] as const;

/** `named`: nfs_init_script. Reads names of unit files and programs; starts nothing. */
export async function findManager(host: Host, named: string | undefined): Promise<Manager> {
  if (await hasSystemd(host))
    return { by: 'systemd', server: await firstOf(serverNames, (unit) => isInstalled(host, unit)) };
  const script = await firstOf(named === undefined ? scripts : [named], (file) => host.sys.has(file));
  if (script !== undefined) return { by: 'script', script };
  return {
    by: 'nobody',
    why: named
      ? `nfs_init_script ${named} cannot be executed, and systemd does not run here`
      : `systemd does not run here, and there is no init script (${scripts.join(', ')})`,
  };
}

/** Throws `Failure` where nothing can start the server. */
export function requireStarter(manager: Manager): Starter {
  if (manager.by === 'nobody') throw new Failure('notInstalled', manager.why);
  if (manager.by === 'systemd' && manager.server === undefined)
    throw new Failure('notInstalled', `${serverNames[0]} is not installed or is masked`);
  return manager;
}

async function firstOf<T>(all: readonly T[], is: (one: T) => Promise<boolean>): Promise<T | undefined> {
  for (const one of all) if (await is(one)) return one;
  return undefined;
}
