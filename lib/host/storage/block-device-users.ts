import type { Host } from '../host.ts';
import { factsIfThere, readIfThere, undeleted } from '../local-files.ts';
import { processIds, processName } from '../process-table.ts';
import { deviceNumber } from './block-devices.ts';
import { blockDeviceAt } from './managed-files.ts';
import { mountNamespace } from './mount-namespace.ts';
import { decodeOctal, parseMountinfo } from './mounts.ts';

/** A block device by the numbers of its node, e.g. `{ name: 'drbd1', number: '147:1' }`. */
export type BlockDevice = { readonly name: string; readonly number: string };

/**
 * Who keeps a block device open, one phrase each, the most telling first: mounts in any namespace, devices stacked on it, swap,
 * loop devices, processes. Only /proc, /sys and what lies at a path are looked at: nothing touches the device. On a machine with very
 * many processes what has been found within the time is the answer.
 */
export async function blockDeviceUsers(
  host: Host,
  device: BlockDevice,
  withinMs: number,
): Promise<readonly string[]> {
  const end = host.sys.now() + withinMs;
  const left = () => end - host.sys.now();
  const pids = await processIds(host);
  const found = [
    ...((await mountedIn(host, 'self', device.number)) ?? []),
    ...(await holdersOf(host, device)),
    ...((await isCalledSo(host, device)) ? await knownByPath(host, device) : []),
    ...(await mountsElsewhere(host, device, pids, left)),
    ...(await processesWith(host, device, pids, left)),
  ];
  return found.filter((phrase, index) => found.indexOf(phrase) === index);
}

async function mountsElsewhere(
  host: Host,
  { number }: BlockDevice,
  pids: readonly number[],
  left: () => number,
): Promise<string[]> {
  const own = await mountNamespace(host, 'self');
  const seen = new Set([own]);
  const unread = new Map<string, string>();
  const found: string[] = [];
  for (const pid of pids) {
    if (left() <= 0) break;
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
  return [
    ...found,
    ...[...unread.values()].map((where) => `${perhaps} mounted ${where}, which cannot be read`),
  ];
}

const perhaps = 'perhaps';

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

/** A plain file of this name, and a container's own device, are others. */
async function isCalledSo(host: Host, { name, number }: BlockDevice): Promise<boolean> {
  const node = await factsIfThere(host, `/dev/${name}`, 'follow');
  return node?.kind === 'block' && deviceNumber(node.rdev) === number;
}

/** Of these the kernel tells only the path that they were set up with. */
const knownByPath = async (host: Host, device: BlockDevice): Promise<readonly string[]> => [
  ...(await loopsOn(host, device)),
  ...(await swapsOn(host, device)),
];

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
  device: BlockDevice,
  pids: readonly number[],
  left: () => number,
): Promise<string[]> {
  const found: string[] = [];
  for (const pid of pids) {
    if (left() <= 0) break;
    const open = await openIn(host, device, pid, left);
    if (open) found.push(`${open} ${(await processName(host, pid)) ?? '?'} (pid ${pid})`);
  }
  return found;
}

async function openIn(
  host: Host,
  { name, number }: BlockDevice,
  pid: number,
  left: () => number,
): Promise<string | undefined> {
  let isUnknown = false;
  for (const fd of await host.sys.list(`/proc/${pid}/fd`).catch(() => [])) {
    const link = `/proc/${pid}/fd/${fd}`;
    if (undeleted(await host.sys.target(link).catch(() => '')) !== `/dev/${name}`) continue;
    // a name says little: it may be a plain file, or of another mount namespace
    const opened = left() > 0 ? await blockDeviceAt(host, link, left()).catch(() => 'unknown') : 'unknown';
    if (opened === number) return 'open in';
    isUnknown ||= opened === 'unknown';
  }
  return isUnknown ? `${perhaps} open in` : undefined;
}
