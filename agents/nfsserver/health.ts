import { readBoolean } from '../../lib/contract/params.ts';
import type { Host } from '../../lib/host/host.ts';
import { type NfsConf, nfsConf, speaksV3 } from '../../lib/host/nfs/conf.ts';
import { isRunning, neededDaemons } from '../../lib/host/nfs/daemons.ts';
import { nfsdThreads } from '../../lib/host/nfs/nfsd.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { type Binding, binding, sharedInfodir } from './infodir.ts';
import { readNfsdArgs } from './nfsd-args.ts';
import type { Ctx } from './params.ts';

/** Our own file among the fragments of nfs.conf. */
export const ourConf = '/etc/nfs.conf.d/zz-tsha-nfsserver.conf';

/** nfs.conf as the administrator has it, whatever an earlier start left there. */
export const adminsConf = (host: Host): Promise<NfsConf> => nfsConf(host, ourConf);

/** Whether this server is to serve NFSv3: both the resource and nfs.conf must leave it on. */
export async function wantsV3({ params, host }: Pick<Ctx, 'params' | 'host'>): Promise<boolean> {
  if (params.nfsv4_only) return false;
  const args = readNfsdArgs(params.nfsd_args);
  const said = typeof args === 'string' ? undefined : readBoolean(args['vers3'] ?? '');
  return said ?? speaksV3(await adminsConf(host));
}

export type Findings = {
  readonly threads: number;
  readonly binding: Binding;
  /** What is wrong with a server that runs; empty when it serves. */
  readonly problems: readonly string[];
};

/** Looks at the machine, by /proc and /sys alone. */
export async function examine(ctx: Ctx): Promise<Findings> {
  const [threads, bound] = await Promise.all([nfsdThreads(ctx.host), binding(ctx)]);
  const problems = threads > 0 ? [...misplaced(ctx, bound), ...(await missingDaemons(ctx))] : [];
  return { threads, binding: bound, problems };
}

function misplaced(ctx: Ctx, bound: Binding): readonly string[] {
  const infodir = sharedInfodir(ctx);
  if (infodir === undefined || bound.is === 'ours') return [];
  const there = bound.is === 'foreign' ? `${bound.mount.source} is mounted there` : 'its state is local';
  return [`the NFS server runs, but not with ${infodir} on ${stateRoot}: ${there}`];
}

export async function missingDaemons(ctx: Pick<Ctx, 'params' | 'host'>): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const daemon of await neededDaemons(ctx.host, await wantsV3(ctx)))
    if (!(await isRunning(ctx.host, daemon)))
      missing.push(`${daemon.process} (${daemon.units[0]}) is not running`);
  return missing;
}
