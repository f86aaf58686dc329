import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import { serverNames } from '../../lib/host/nfs/daemons.ts';
import { hasSystemd, isInstalled } from '../../lib/host/systemd.ts';
import type { Ctx } from './params.ts';

/** What starts and stops the server on this machine. An init script counts only where systemd does not run. */
export type Manager =
  | { readonly by: 'systemd'; readonly server: string }
  | { readonly by: 'script'; readonly script: string };

/** SUSE's, Red Hat's, Debian's. */
const scripts = ['/etc/init.d/nfsserver', '/etc/init.d/nfs', '/etc/init.d/nfs-kernel-server'] as const;

/** The manager; `undefined` where the software is not installed. */
export async function findManager({
  host,
  params,
}: Pick<Ctx, 'host' | 'params'>): Promise<Manager | undefined> {
  if (await hasSystemd(host)) {
    const server = await firstOf(serverNames, (unit) => isInstalled(host, unit));
    return server === undefined ? undefined : { by: 'systemd', server };
  }
  const wanted = params.nfs_init_script === undefined ? scripts : [params.nfs_init_script];
  const script = await firstOf(wanted, (file) => host.sys.has(file));
  return script === undefined ? undefined : { by: 'script', script };
}

/** Throws `Failure` where there is none. */
export async function managerOf(ctx: Pick<Ctx, 'host' | 'params'>): Promise<Manager> {
  const found = await findManager(ctx);
  if (found) return found;
  throw new Failure('notInstalled', await whyNone(ctx));
}

async function whyNone({
  host,
  params,
}: {
  readonly host: Host;
  readonly params: Ctx['params'];
}): Promise<string> {
  if (await hasSystemd(host)) return `${serverNames[0]} is not installed or is masked`;
  if (params.nfs_init_script !== undefined)
    return `nfs_init_script ${params.nfs_init_script} cannot be executed, and systemd does not run here`;
  return `systemd does not run here, and there is no init script (${scripts.join(', ')})`;
}

async function firstOf<T>(all: readonly T[], is: (one: T) => Promise<boolean>): Promise<T | undefined> {
  for (const one of all) if (await is(one)) return one;
  return undefined;
}
