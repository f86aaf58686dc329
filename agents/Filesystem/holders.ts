import type { Host } from '../../lib/host/host.ts';
import { listIfThere, readIfThere, undeleted } from '../../lib/host/local-files.ts';
import { nfsClientsOn } from '../../lib/host/nfs/clients.ts';
import { kernelExports } from '../../lib/host/nfs/exports.ts';
import { beginOf, processIds } from '../../lib/host/process-table.ts';
import { isOn, type MountUser } from '../../lib/host/storage/mount-users.ts';
import { decodeOctal, type Mount, parseMountinfo } from '../../lib/host/storage/mounts.ts';
import { isDriven } from './fstypes.ts';
import { describeElsewhere, nameOf, otherNamespaces, overlaysIn } from './namespaces.ts';

// Who keeps a mount or its disk busy without being a process that uses the mount.

/** What keeps a mount or its device busy without being a process of this mount namespace; one phrase each. */
export async function kernelUsers(host: Host, mount: Mount, until?: number): Promise<readonly string[]> {
  const found = await Promise.all([
    loopDevicesOn(host, mount),
    swapsOn(host, mount),
    exportsOn(host, mount),
    nfsClientsOn(host, mount),
    overlaysOn(host, mount, until),
    driversOf(host, mount),
    describeElsewhere(host, mount, until),
  ]);
  return found.flat();
}

/**
 * Overlays whose layers lie on the mount, in any mount namespace: they hold its filesystem, but not the mount, which the kernel
 * unmounts nevertheless.
 */
export async function overlaysOn(
  host: Host,
  { target }: Pick<Mount, 'target'>,
  until?: number,
): Promise<readonly string[]> {
  const phrase = (overlay: Mount) => `an overlay on ${overlay.target} has layers on it`;
  const own = parseMountinfo((await readIfThere(host, '/proc/self/mountinfo')) ?? '');
  const found = overlaysIn(own, target).map(phrase);
  for (const { members, table } of await otherNamespaces(host, until))
    found.push(...overlaysIn(table, target).map((overlay) => `${phrase(overlay)} (pid ${members[0]})`));
  return [...new Set(found)];
}

/** Processes that have a file open by this path: the driver of a FUSE filesystem has its disk. */
export async function openersOf(host: Host, path: string): Promise<readonly MountUser[]> {
  const found: MountUser[] = [];
  for (const pid of await processIds(host))
    for (const fd of await listIfThere(host, `/proc/${pid}/fd`).catch(() => [])) {
      if (undeleted(await host.sys.target(`/proc/${pid}/fd/${fd}`).catch(() => '')) !== path) continue;
      const startTime = await beginOf(host, pid);
      found.push({ pid, startTime, name: await nameOf(host, pid), how: `fd ${fd} ${path}` });
      break;
    }
  return found;
}

/** A FUSE filesystem is as busy as what waits for its driver, and such a call is in no table. */
async function driversOf(host: Host, { type, source }: Mount): Promise<readonly string[]> {
  if (!isDriven(type) || !source.startsWith('/dev/')) return [];
  return (await openersOf(host, source)).map(
    ({ name, pid }) => `its driver ${name}[${pid}] has ${source} open`,
  );
}

async function loopDevicesOn(host: Host, mount: Mount): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await listIfThere(host, '/sys/block')) {
    if (!name.startsWith('loop')) continue;
    const file = ((await readIfThere(host, `/sys/block/${name}/loop/backing_file`)) ?? '').trimEnd();
    if (isOn(file, mount)) found.push(`loop device ${name} has its backing file ${undeleted(file)}`);
  }
  return found;
}

async function swapsOn(host: Host, mount: Mount): Promise<readonly string[]> {
  const [, ...lines] = ((await readIfThere(host, '/proc/swaps')) ?? '').split('\n');
  return lines
    .map((line) => decodeOctal(line.split(/\s/, 1)[0] ?? ''))
    .filter((file) => isOn(file, mount))
    .map((file) => `swap file ${file} is in use`);
}

async function exportsOn(host: Host, mount: Mount): Promise<readonly string[]> {
  const found = (await kernelExports(host)).filter(({ path }) => isOn(path, mount));
  const pathsOf = (wanted: boolean) => [
    ...new Set(found.filter(({ valid }) => valid === wanted).map(({ path }) => path)),
  ];
  return [
    ...pathsOf(true).map((path) => `the NFS server exports ${path}`),
    ...pathsOf(false).map((path) => `the NFS server has not yet forgotten ${path}`),
  ];
}
