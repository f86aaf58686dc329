import { commandLine, type Host, outputTrouble } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { CommandError } from '../exit.ts';
import { tryToKnow } from '../facts/known.ts';
import { disksOf, freeInPool, type LogicalVolume, resourceHere, usersOf } from '../facts/side.ts';
import type { Left } from '../interrupt.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { amount } from '../output/units.ts';
import { say, type Words } from '../output/words.ts';
import { shellLine } from '../stack.ts';

// What either side of a split brain does on its own node, be it asked here or by the other one.

/** `data`, or `data:alpha` for one connection of several. */
export const resourceIn = (connection: string): string => connection.split(':', 1)[0] ?? '';

const drbdMs = 20_000;
const tool = (...words: readonly string[]): Argv => ['drbdadm', ...words];

export const victimCommands = (connection: string): readonly [hangUp: Argv, giveUp: Argv] => [
  tool('disconnect', connection),
  tool('connect', '--discard-my-data', connection),
];
export const survivorCommands = (connection: string): readonly Argv[] => [tool('connect', connection)];

/** The state of one connection here; `undefined` when there is no such. */
export async function linkOf(host: Host, connection: string): Promise<string | undefined> {
  const [name = '', peer] = connection.split(':');
  const { peers } = await resourceHere(host, name);
  // 8.4 does not know the name of its only peer
  return peers.find((one) => peer === undefined || one.name === null || one.name === peer)?.connection;
}

/** The side that keeps its data begins to wait for the other one; where it waits already there is nothing to do. */
export async function connectHere(host: Host, connection: string, words: Words): Promise<void> {
  const link = await linkOf(host, connection);
  if (link === undefined) throw new CommandError('unknown', say(words.noConnection, { connection }));
  if (link !== 'StandAlone') return;
  for (const argv of survivorCommands(connection)) {
    const output = await host.tryRun(argv, { timeoutMs: drbdMs });
    if (output.code !== 0 && (await linkOf(host, connection)) === 'StandAlone')
      throw new CommandError(
        'broken',
        say(words.failedHere, { command: commandLine(argv), why: outputTrouble(output) }),
      );
  }
}

/** A connection at which nobody waits: hung up, or met. */
const settledLinks = ['StandAlone', 'Connected'] as const;
export type SettledLink = (typeof settledLinks)[number];

export const settledLinkIn = (text: string | undefined): SettledLink | undefined =>
  settledLinks.find((one) => one === text);

/** Where it waits for the other side; once the two have met DRBD goes on, and there is nothing to give up any more. What it is then. */
export async function hangUpHere(host: Host, connection: string, words: Words): Promise<SettledLink> {
  const before = settledLinkIn(await linkOf(host, connection));
  if (before) return before;
  const [disconnect] = victimCommands(connection);
  const output = await host.tryRun(disconnect, { timeoutMs: drbdMs });
  const after = settledLinkIn(await linkOf(host, connection));
  if (after) return after;
  throw new CommandError(
    'broken',
    say(words.failedHere, { command: disconnect.join(' '), why: outputTrouble(output) }),
    ['tsha status'],
  );
}

/**
 * Gives up what this node has changed alone. Throws `CommandError` for a node that works on the data: giving that up would pull it from under
 * somebody. Until DRBD has met the other side nothing is given up, and `disconnect` takes the wish back.
 */
export async function discardHere(host: Host, connection: string, node: string, words: Words): Promise<void> {
  await requireUnused(host, resourceIn(connection), node, words);
  if ((await hangUpHere(host, connection, words)) === 'Connected') return;
  const [, connect] = victimCommands(connection);
  const output = await host.tryRun(connect, { timeoutMs: drbdMs });
  if (output.code !== 0)
    throw new CommandError(
      'broken',
      say(words.failedHere, { command: connect.join(' '), why: outputTrouble(output) }),
      ['tsha status'],
    );
}

export async function requireUnused(host: Host, resource: string, node: string, words: Words): Promise<void> {
  const { role, volumes } = await resourceHere(host, resource);
  const users = await usersOf(host, volumes);
  if (role !== 'Secondary' || users.length > 0)
    throw new CommandError(
      'broken',
      `${say(words.victimInUse, { node })}${users.length > 0 ? ` (${users.join('; ')})` : ''}`,
    );
}

/** Takes the wish back, unless the two sides have met: then DRBD goes on, and a disconnect would leave half a copy. Never fails. */
export async function takeBack(host: Host, connection: string, words: Words): Promise<Left | undefined> {
  const link = await tryToKnow(() => hangUpHere(host, connection, words));
  return tellTakenBack(
    link.is === 'known' ? link.value : undefined,
    connection,
    `drbdadm disconnect ${connection}`,
    words,
  );
}

/** Says what came of it where a wish was to be taken back; `link` is the one at which it stood, undefined where nobody knows. */
export function tellTakenBack(
  link: SettledLink | undefined,
  connection: string,
  byHand: string,
  words: Words,
): Left | undefined {
  const text =
    link === undefined
      ? say(words.wishMayStand, { command: byHand })
      : link === 'Connected'
        ? words.metAgain
        : say(words.discardCancelled, { resource: connection });
  print(2, `${text}\n`);
  return link === 'StandAlone' ? undefined : 'halfway';
}

const mebibyte = 1024 * 1024;

/** `/dev/vg0/nfs-discarded-20261128-231502` */
export const snapshotPath = ({ vg, name }: LogicalVolume, stamp: string): string =>
  `/dev/${vg}/${name}-discarded-${stamp}`;

export type SnapshotWish = {
  readonly node: string;
  /** What the resync will write over at most. */
  readonly changedKiB: number | null;
  /** Chosen by the caller, who knows the names by it. */
  readonly stamp: string;
  /** Each is entered before it is begun. */
  readonly begun: string[];
};

/** A snapshot of each volume below the resource, all or none: their paths. */
export async function snapshotHere(
  host: Host,
  resource: string,
  { node, changedKiB, stamp, begun }: SnapshotWish,
  words: Words,
): Promise<readonly string[]> {
  const no = (why: string) => new CommandError('broken', say(words.noSnapshot, { node, why }));
  const disks = await disksOf(host, resource);
  if (disks.length === 0) throw no('?');
  const volumes = disks.map(({ path, lv, why }) => {
    if (!lv) throw no(why ?? say(words.noLogicalVolume, { path }));
    return lv;
  });
  await requireRoom(host, volumes, changedKiB, no, words);
  for (const lv of volumes) {
    const path = snapshotPath(lv, stamp);
    const size = lv.isThin ? [] : (['--size', `${snapshotBytes(lv, changedKiB)}b`] as const);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const argv: Argv = ['lvcreate', '--snapshot', '--name', name, ...size, `${lv.vg}/${lv.name}`];
    begun.push(path);
    const output = await host.tryRun(argv, { timeoutMs: 60_000 });
    if (output.code === 0) continue;
    const left = await dropSnapshots(host, begun);
    const why = `lvcreate: ${outputTrouble(output)}`;
    if (left.length === 0) throw no(why);
    tellSnapshots(left, node, words);
    throw new CommandError('halfway', say(words.snapshotUnknown, { node, why }));
  }
  return [...begun];
}

/** Takes away what is there of them; what may be left. */
export async function dropSnapshots(host: Host, paths: readonly string[]): Promise<readonly string[]> {
  const left: string[] = [];
  for (const path of paths) {
    const { code, hung, stderr } = await host.tryRun(['lvremove', '--yes', path], { timeoutMs: 60_000 });
    if (code !== 0 && (hung || !/Failed to find logical volume|not found/i.test(stderr))) left.push(path);
  }
  return left;
}

/** Says which are there, or may be. */
export function tellSnapshots(paths: readonly string[], node: string, words: Words): Left | undefined {
  if (paths.length === 0) return undefined;
  const command = shellLine(['lvremove', ...paths]);
  print(2, `${harmless(say(words.snapshotsStay, { node, command }))}\n`);
  return 'halfway';
}

/** A full snapshot is lost, and a full pool stops whoever writes. */
async function requireRoom(
  host: Host,
  volumes: readonly LogicalVolume[],
  changedKiB: number | null,
  no: (why: string) => CommandError,
  words: Words,
): Promise<void> {
  const needed = new Map<string, { want: number; has: number }>();
  for (const lv of volumes) {
    const holder = lv.pool === undefined ? lv.vg : `${lv.vg}/${lv.pool}`;
    if (lv.isThin && lv.pool === undefined) throw no(`lvs: ${lv.vg}/${lv.name}: pool?`);
    const free = lv.pool === undefined ? lv.free : await freeInPool(host, lv.vg, lv.pool);
    const before = needed.get(holder)?.want ?? 0;
    needed.set(holder, { want: before + snapshotBytes(lv, changedKiB), has: free });
  }
  for (const [vg, { want, has }] of needed)
    if (want > has) {
      const [wanted = '?', there = '?'] = [want, has].map((bytes) => amount(Math.ceil(bytes / 1024)));
      throw no(say(words.notEnoughFree, { vg, want: wanted, has: there }));
    }
}

/** Room for all that is written over, twice, and for what LVM itself needs; all of it when nobody knows how much that is. */
function snapshotBytes({ size }: LogicalVolume, changedKiB: number | null): number {
  const room = changedKiB === null ? size : 2 * changedKiB * 1024 + 64 * mebibyte;
  return Math.ceil(Math.min(room, size) / (4 * mebibyte)) * 4 * mebibyte;
}

/** `20261128-231502` */
export const stampOf = (at: Date): string =>
  at
    .toISOString()
    .replace(/[-:]|\.\d+Z/g, '')
    .replace('T', '-');
