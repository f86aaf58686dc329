import { Failure } from '../../lib/contract/outcome.ts';
import { decodeOctal, mountOn, mounts, tidyPath } from '../../lib/host/storage/mounts.ts';
import { isClusterAware } from './fstypes.ts';
import type { Ctx } from './params.ts';

const dropIn = '/run/systemd/system/resource-agents-deps.target.d/99-Filesystem-remote.conf';
const ordering = 'After=remote-fs.target';
/** systemd reacts to a new mount within this. */
const reactionMs = 200;

/**
 * Orders Pacemaker's end at shutdown before that of the network's filesystems, as the stock agent does. Best effort, once:
 * systemd's daemon-reload is not cheap.
 */
export async function unmountBeforeTheNetworkGoes({ params, host, log }: Ctx): Promise<void> {
  const { fstype = '', force_clones } = params;
  if (!(isClusterAware(fstype) || force_clones) || !(await systemdRuns(host))) return;
  const written = await host.sys.read(dropIn).catch(() => '');
  if (written.includes(ordering)) return;
  try {
    await host.sys.makeDir(dropIn.slice(0, dropIn.lastIndexOf('/')));
    await host.sys.write(dropIn, `[Unit]\n${ordering}\n`);
    await host.run(['systemctl', 'daemon-reload'], { timeoutMs: host.left() / 4 });
  } catch (error) {
    log.warn(
      `cannot order Pacemaker's shutdown before ${ordering}: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** systemd unmounts at once what an obsolete or failed unit for the same directory says should not be mounted. */
export async function outliveSystemd({ params, host, log }: Ctx, directory: string): Promise<void> {
  if (!(await systemdRuns(host)) || !(await isInFstab(host, directory))) return;
  log.warn(`/etc/fstab names ${directory} too: systemd may unmount it behind the cluster's back`);
  await host.sys.sleep(Math.min(reactionMs, host.left()));
  if (!mountOn(await mounts(host), directory))
    throw new Failure(
      'failed',
      `systemd unmounted ${directory} right after ${params.device} was mounted: remove it from /etc/fstab`,
    );
}

/** fstab(5): the second word; blanks in it are escaped as in the mount table. */
export async function isInFstab(host: Ctx['host'], directory: string): Promise<boolean> {
  const fstab = await host.sys.read('/etc/fstab').catch(() => '');
  return fstab
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .some(
      ([first = '#', target]) =>
        !first.startsWith('#') && !!target && tidyPath(decodeOctal(target)) === directory,
    );
}

const systemdRuns = (host: Ctx['host']): Promise<boolean> =>
  host.sys.facts('/run/systemd/system').then(
    () => true,
    () => false,
  );
