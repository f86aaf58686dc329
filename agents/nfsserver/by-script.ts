import { Failure } from '../../lib/contract/outcome.ts';
import { firstLine, type Host } from '../../lib/host/host.ts';
import { type Daemon, isRunning, mountd, statd } from '../../lib/host/nfs/daemons.ts';
import { ownThreads } from '../../lib/host/nfs/nfsd-threads.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { argsFor } from './nfsd-args.ts';
import type { Ctx } from './params.ts';

// Machines whose first process is not systemd: an init script starts the server, and what it leaves out is started by command, as
// statd is everywhere and all of it is on Debian when /etc/exports is empty.

/** What must stay of the time for looking at the result. */
const reserveMs = 5000;
const bindScripts = ['/etc/init.d/rpcbind', '/etc/init.d/portmap'] as const;

/** Helpers first: nfsd and lockd look for them as they start. `scope`: the node's name that nfsd is to see, if any. */
export async function startByScript(
  ctx: Ctx,
  script: string,
  needed: readonly Daemon[],
  scope: string | undefined,
): Promise<void> {
  const { host, log } = ctx;
  for (const daemon of needed) if (daemon !== mountd) await launch(ctx, daemon);
  const timeoutMs = Math.max(1000, host.left() - reserveMs);
  const argv = inScope(scope, [script, 'start']);
  const { code, stderr, stdout, hung } = await host.tryRun(argv, { timeoutMs });
  if (code !== 0)
    throw new Failure(
      'failed',
      `${script} start: ${hung ?? (firstLine(stderr || stdout) || `exit ${code}`)}`,
    );
  if ((await ownThreads(host)) === 0) {
    log.info(`${script} started no nfsd threads (Debian's does not without /etc/exports): rpc.nfsd does`);
    await host.run(inScope(scope, ['rpc.nfsd', ...argsFor(ctx.params)]));
  }
  for (const daemon of needed) await launch(ctx, daemon);
}

async function launch(ctx: Ctx, daemon: Daemon): Promise<void> {
  const { host } = ctx;
  if (await isRunning(host, daemon)) return;
  const timeoutMs = Math.max(1000, host.left() - reserveMs);
  // a daemon that kept our pipe would keep us waiting for its end
  const output = await host.tryRun(await commandFor(ctx, daemon), { timeoutMs, output: 'ignore' });
  if (output.missing) throw new Failure('notInstalled', `command ${daemon.process} is not installed`);
  if (output.code !== 0)
    throw new Failure('failed', `${daemon.process} does not start: ${output.hung ?? `exit ${output.code}`}`);
}

/** nfs.conf says the same to those that read it; older ones know only their arguments. */
async function commandFor(ctx: Ctx, { process }: Daemon): Promise<Argv> {
  const { statd_port, statd_outgoing_port, mountd_port } = ctx.params;
  const option = (letter: string, port: number | undefined) =>
    port === undefined ? [] : [letter, String(port)];
  switch (process) {
    case 'rpcbind':
      for (const script of bindScripts) if (await ctx.host.sys.has(script)) return [script, 'start'];
      return ['rpcbind'];
    case statd.process:
      return [process, '--no-notify', ...option('-p', statd_port), ...option('-o', statd_outgoing_port)];
    case mountd.process:
      return [process, ...option('-p', mountd_port)];
    default:
      return [process];
  }
}

/** A node name of its own for the kernel to take the scope from. The text for the shell is constant; the name is an argument. */
const inScope = (scope: string | undefined, argv: Argv): Argv =>
  scope === undefined
    ? argv
    : [
        ...(['unshare', '--uts', 'sh', '-c', 'echo "$0" > /proc/sys/kernel/hostname && exec "$@"'] as const),
        scope,
        ...argv,
      ];

/** Says what the script said if it failed. */
export async function stopByScript(
  host: Host,
  script: string,
  timeoutMs: number,
): Promise<string | undefined> {
  const { code, stderr, hung } = await host.tryRun([script, 'stop'], { timeoutMs });
  return code === 0 ? undefined : `${script} stop: ${hung ?? (firstLine(stderr) || `exit ${code}`)}`;
}

/** What the script says of a server without threads. LSB: 3 is "not running". */
export async function scriptStatus(
  host: Host,
  script: string,
): Promise<'stopped' | { readonly said: string }> {
  const { code, stdout, stderr, hung } = await host.tryRun([script, 'status']);
  if (code === 3) return 'stopped';
  const said = hung ?? (firstLine(stderr) || firstLine(stdout));
  return { said: `${script} status: exit ${code}${said ? `, ${said}` : ''}` };
}
