import type { Host } from '../host.ts';
import { readIfThere } from '../local-files.ts';
import { processIds, processName } from '../process-table.ts';
import { mountNamespace } from './mount-namespace.ts';
import { decodeOctal, parseMountinfo } from './mounts.ts';

/** A block device by the numbers of its node, e.g. `{ name: 'drbd1', number: '147:1' }`. */
export type BlockDevice = { readonly name: string; readonly number: string };

/**
 * Who keeps a block device open, one phrase each, the most telling first: mounts in any namespace, devices stacked on it, swap,
 * loop devices, processes. Only texts of /proc and /sys are read: nothing touches the device. On a machine with very many
 * processes what has been found within the time is the answer.
 */
export async function blockDeviceUsers(
  host: Host,
  device: BlockDevice,
  withinMs: number,
): Promise<readonly string[]> {
  const end = host.sys.now() + withinMs;
  const isLate = () => host.sys.now() >= end;
  const pids = await processIds(host);
  const found = [
    ...((await mountedIn(host, 'self', device.number)) ?? []),
    ...(await holdersOf(host, device)),
    ...(await loopsOn(host, device)),
    ...(await swapsOn(host, device)),
    ...(await mountsElsewhere(host, device, pids, isLate)),
    ...(await processesWith(host, device, pids, isLate)),
  ];
  return found.filter((phrase, index) => found.indexOf(phrase) === index);
}

async function mountsElsewhere(
  host: Host,
  { number }: BlockDevice,
  pids: readonly number[],
  isLate: () => boolean,
): Promise<string[]> {
  const own = await mountNamespace(host, 'self');
  const seen = new Set([own]);
  const unread = new Map<string, string>();
  const found: string[] = [];
  for (const pid of pids) {
    if (isLate()) break;
    const namespace = await mountNamespace(host, pid);
    if (namespace === undefined || seen.has(namespace)) continue;
    const elsewhere = await mountedIn(host, pid, number).catch(() => undefined);
    const whose = async () =>
      `in the mount namespace of ${(await processName(host, pid)) ?? '?'} (pid ${pid})`;
    if (elsewhere === undefined) {
      // another of its members may be asked; that it has ended says nothing about them
      if (own !== undefined && (await mountNamespace(host, pid)) === namespace)
        unread.set(namespace, await whose());
      continue;
    }
    seen.add(namespace);
    unread.delete(namespace);
    if (elsewhere.length > 0) found.push(`${elsewhere[0]} ${await whose()}`);
  }
  return [...found, ...[...unread.values()].map((where) => `${perhaps} ${where}, which cannot be read`)];
}

const perhaps = 'perhaps mounted';

/** Whether a phrase says that somebody has the device open, and not only that nobody can tell. */
export const isCertainUser = (phrase: string): boolean => !phrase.startsWith(perhaps);

/** `undefined` of a process that is gone. */
async function mountedIn(
  host: Host,
  pid: number | 'self',
  number: string,
): Promise<readonly string[] | undefined> {
  const text = await readIfThere(host, `/proc/${pid}/mountinfo`);
  if (text === undefined) return undefined;
  return parseMountinfo(text)
    .filter(({ device }) => device === number)
    .map(({ target }) => `mounted on ${target}`);
}

/** Device mapper, md, bcache… */
const holdersOf = async (host: Host, { name }: BlockDevice): Promise<string[]> =>
  (await host.sys.list(`/sys/block/${name}/holders`).catch(() => [])).map(
    (holder) => `used by device ${holder}`,
  );

async function loopsOn(host: Host, { name }: BlockDevice): Promise<string[]> {
  const found: string[] = [];
  for (const disk of await host.sys.list('/sys/block').catch(() => [])) {
    if (!disk.startsWith('loop')) continue;
    const file = await host.sys.read(`/sys/block/${disk}/loop/backing_file`).catch(() => '');
    if (file.trimEnd() === `/dev/${name}`) found.push(`used by device ${disk}`);
  }
  return found;
}

async function swapsOn(host: Host, { name }: BlockDevice): Promise<string[]> {
  const table = await host.sys.read('/proc/swaps').catch(() => '');
  return table.split('\n').some((line) => decodeOctal(line.split(/\s/, 1)[0] ?? '') === `/dev/${name}`)
    ? ['in use as swap']
    : [];
}

async function processesWith(
  host: Host,
  { name }: BlockDevice,
  pids: readonly number[],
  isLate: () => boolean,
): Promise<string[]> {
  const found: string[] = [];
  for (const pid of pids) {
    if (isLate()) break;
    for (const fd of await host.sys.list(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await host.sys.target(`/proc/${pid}/fd/${fd}`).catch(() => '');
      if (target.replace(/ \(deleted\)$/, '') !== `/dev/${name}`) continue;
      found.push(`open in ${(await processName(host, pid)) ?? '?'} (pid ${pid})`);
      break;
    }
  }
  return found;
}
