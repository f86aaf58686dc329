import type { Host } from '../../lib/host/host.ts';
import { exportArgument } from '../../lib/host/nfs/client-spec.ts';
import { type Export, readEtab } from '../../lib/host/nfs/exports.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { placeOf } from '../../lib/host/storage/managed-paths.ts';
import { type Mount, mountHolding, mountOn } from '../../lib/host/storage/mounts.ts';
import type { Ctx } from './params.ts';
import { placeholder } from './placeholder.ts';
import type { Seen } from './seen.ts';
import { besideExportfs, type Looked } from './take-out.ts';
import { isSame } from './unexport.ts';
import { fsidIn } from './wanted.ts';

// Between the end of an export and the end of nfsd, clients that still reach this node would get errors: permission denied from
// the kernel, which knows their address no more, or stale handles. But mountd leaves a question about an unknown handle open
// while some export of that client, marked `mountpoint`, still waits for its filesystem (nfs-utils, export/cache.c). The kernel
// then answers nothing (NFSv3) or "later" (NFSv4), and clients wait as for a server that reboots. So a placeholder that never
// becomes a mount point takes the export's place. It serves no file.

const placeholderMs = 5000;
/** For a placeholder of exports that are known by their filesystem's UUID: the directory below /run has none. */
const anyFsid = '74736861-0000-4000-8000-000000000000';

/**
 * Tells of a path whether nfsd must end before its filesystem can go: the state of the NFS server's daemons lies on it, mounted on
 * /var/lib/nfs or reached by a link. Then nothing needs to be torn from the clients, who keep their locks for the next node; revoking
 * them now (Linux 6.9 and later) would lose them. exportfs' own state does not count: nfs.conf may have etab elsewhere.
 */
export async function endsWithServer(
  host: Host,
  table: readonly Mount[],
): Promise<(path: string) => boolean> {
  const { real, managed } = await placeOf(host, stateRoot, table);
  const isLinked = managed && real !== stateRoot;
  const shared = mountOn(table, stateRoot) ?? (isLinked ? mountHolding(table, real) : undefined);
  return (path) => shared !== undefined && shared.device === mountHolding(table, path)?.device;
}

/**
 * Puts the placeholder beside the exports that are about to go, and answers whether it has tried. Only for the last ones: waiting clients keep
 * nfsd's threads.
 */
export async function keepClientsWaiting(
  ctx: Ctx,
  { table, state, directories, threads }: Seen,
  looked: Looked,
): Promise<boolean> {
  const { host, log } = ctx;
  const ours = directories.flatMap(({ entries }) => entries);
  const [first] = ours;
  if (!first || threads === 0) return false;
  const goesWithServer = await endsWithServer(host, table);
  if (!directories.every(({ path }) => goesWithServer(path))) return false;
  const etab = await readEtab(host, state);
  if (etab.some((line) => !ours.some((one) => isSame(one, line)))) return false;
  const numbers = ours.map(({ options }) => fsidIn(options));
  // a root of NFSv4's namespace must not be replaced by mountd's own pseudo root meanwhile
  const fsid = numbers.find((number) => number === '0') ?? numbers[0] ?? anyFsid;
  try {
    await host.sys.makeDir(placeholder(ctx));
    const argument = exportArgument(first.client, placeholder(ctx));
    const argv = ['exportfs', '-i', '-o', `ro,mp,fsid=${fsid}`, argument] as const;
    await besideExportfs(host, looked, () => host.run(argv, { timeoutMs: placeholderMs }));
    return true;
  } catch (error) {
    log.info(`clients may see errors now: ${error instanceof Error ? error.message : error}`);
    return true;
  }
}

/** After the real export is back. The end of nfs-server.service empties etab anyway. */
export async function dropPlaceholder(ctx: Ctx, etab: readonly Export[], looked: Looked): Promise<void> {
  const { host, log } = ctx;
  const left = etab.filter(({ path }) => path === placeholder(ctx));
  if (left.length === 0) return;
  const names = left.map(({ client, path }) => exportArgument(client, path));
  const output = await besideExportfs(host, looked, () => host.tryRun(['exportfs', '-u', ...names]));
  if (output.code !== 0) log.warn(`cannot take ${placeholder(ctx)} out of etab: ${output.stderr.trim()}`);
}
