import type { Host } from '../host.ts';
import { processName } from '../process-table.ts';
import { blockDeviceUsers, isCertainUser } from '../storage/block-device-users.ts';
import type { Opener } from './admin.ts';
import type { Configured } from './state.ts';
import { compareVersions, type Version } from './version.ts';

export type Holders = {
  /** One phrase each, `/dev/drbd1 mounted on /srv`, `/dev/drbd1 open in dd (pid 6835)`. */
  readonly phrases: readonly string[];
  /** Whether somebody certainly does, and not only perhaps, from where this agent cannot look. */
  readonly isCertain: boolean;
  /** Whether everybody was looked at within the time. */
  readonly isComplete: boolean;
};

/**
 * Who keeps a resource's devices open: by the mounts, devices and processes of /proc and /sys, and by the kernel's own list where it
 * has one. Nothing touches the devices.
 */
export async function deviceHolders(
  host: Host,
  { resource: { name, devices }, kernel }: Configured,
  withinMs: number,
): Promise<Holders> {
  const end = host.sys.now() + withinMs;
  const phrases: string[] = [];
  let isCertain = false;
  for (const [index, { volume, minor }] of devices.entries()) {
    const openers = await openersOf(host, name, volume, minor);
    if (openers?.length === 0) continue;
    const device = `drbd${minor}`;
    const block = { name: device, number: `${drbdMajor}:${minor}` };
    const share = (end - host.sys.now()) / (devices.length - index);
    const users = await blockDeviceUsers(host, block, Math.max(0, share));
    isCertain ||= users.some(isCertainUser) || (await areOpen(host, openers ?? [], kernel));
    phrases.push(
      ...withOpeners(
        users.map((user) => `/dev/${device} ${user}`),
        openers ?? [],
      ),
    );
  }
  return { phrases, isCertain, isComplete: host.sys.now() < end };
}

/** The phrases, and those openers among the kernel's whose process is not named by one of them. */
export const withOpeners = (phrases: readonly string[], openers: readonly Opener[]): readonly string[] => [
  ...phrases,
  ...openers
    .filter(({ pid }) => !phrases.some((phrase) => phrase.includes(`(pid ${pid})`)))
    .map(({ device, name, pid }) => `/dev/${device} opened by ${name} (pid ${pid})`),
];

/**
 * The kernel's own list of DRBD 9, a line per opener: name, pid, and how many milliseconds ago, separated by tabs. A line that begins
 * with `+` repeats the one that caused an auto-promotion. `undefined` where there is none: 8.4, debugfs not mounted.
 */
async function openersOf(
  host: Host,
  resource: string,
  volume: number,
  minor: number,
): Promise<readonly Opener[] | undefined> {
  const file = `/sys/kernel/debug/drbd/resources/${resource}/volumes/${volume}/openers`;
  const text = await host.sys.read(file).catch(() => undefined);
  return text?.split('\n').flatMap((line) => {
    const [, name = '', pid] = /^([^+\t][^\t]*)\t(\d+)\t/.exec(line) ?? [];
    return pid === undefined ? [] : [{ device: `drbd${minor}`, name, pid: Number(pid) }];
  });
}

/**
 * Whether one of the list has its device open. Before DRBD 9.1.17 and 9.2.6 the list of a volume was emptied only when no volume of the
 * resource was open any more: what mount opened and umount closed stayed in it.
 */
async function areOpen(host: Host, openers: readonly Opener[], kernel: Version): Promise<boolean> {
  if (compareVersions(kernel, kernel[1] <= 1 ? [9, 1, 17] : [9, 2, 6]) >= 0) return openers.length > 0;
  for (const { pid, name } of openers)
    if ((await processName(host, pid).catch(() => undefined)) === name) return true;
  return false;
}

const drbdMajor = 147;
