import { Failure } from '../../lib/contract/outcome.ts';
import { serverNames } from '../../lib/host/nfs/daemons.ts';
import { hasSystemd, isInstalled } from '../../lib/host/systemd.ts';
import type { Ctx } from './params.ts';

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

export async function findManager(ctx: Pick<Ctx, 'host' | 'params'>): Promise<Manager> {
  const { host, params } = ctx;
  if (await hasSystemd(host))
    return { by: 'systemd', server: await firstOf(serverNames, (unit) => isInstalled(host, unit)) };
  const { nfs_init_script: named } = params;
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
