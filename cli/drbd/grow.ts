import { basename } from 'node:path';
import { z } from 'zod';
import { commandFailure, type Host, hostName } from '../../lib/host/host.ts';
import { mounts, mountsOn } from '../../lib/host/storage/mounts.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { approve, atWork, requireRoot } from '../commands/change.ts';
import { type Pair, type Volume, volumesOf } from '../configuration/pair.ts';
import { configurationFile, pairFrom, textOf } from '../configuration/read.ts';
import { CommandError, type Ending } from '../exit.ts';
import { tshaThere, understood } from '../facts/other-node.ts';
import { print, printLines } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { amount } from '../output/units.ts';
import { say } from '../output/words.ts';
import { shellLine } from '../stack.ts';
import { followSync } from './follow-sync.ts';
import { placeIn, run, sizeOf } from './side.ts';
import { drbdWords } from './words.ts';

export type GrowOptions = {
  readonly config: string | undefined;
  /** Only the sizes of this node's disks, as the other one asks for them. */
  readonly here: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
};

const sizesAnswer = z.object({ disks: z.array(z.object({ path: z.string(), bytes: z.number() })) });
type Sizes = z.infer<typeof sizesAnswer>;

/** A volume whose disks have become larger than its device. */
type Wider = { readonly volume: Volume; readonly number: number; readonly from: number; readonly to: number };

/** `tsha drbd grow`: after the disks below were made larger on both nodes, DRBD's devices and the filesystems on them, while clients work. */
export async function grow(call: Call, options: GrowOptions): Promise<Ending> {
  const { host, terminal } = call;
  const words = drbdWords(terminal.language);
  const file = options.config ?? configurationFile;
  const text = textOf(file, terminal.language);
  const pair = pairFrom(file, text, terminal.language);
  const { node, peer } = placeIn(call, pair, await hostName(host));
  requireRoot(call);
  const own = await sizesOf(host, pair, node);
  if (options.here) {
    print(1, `${JSON.stringify(own)}\n`);
    return 'well';
  }
  const asked = await tshaThere(host, peer, ['drbd', 'grow', '--here', '-c', '-'], text);
  if (asked.is !== 'answered')
    throw new CommandError('broken', say(words.peerRefuses, { peer, why: asked.why }));
  const theirs = understood(peer, asked.text, sizesAnswer);
  if (theirs.is === 'unknown')
    throw new CommandError('broken', say(words.peerRefuses, { peer, why: theirs.why }));
  const wider = await widerOf(call, pair, own, theirs.value, peer);
  if (wider.length === 0) {
    print(1, `${words.nothingToGrow}\n`);
    return 'well';
  }
  const commands: Argv[] = [];
  for (const one of wider) commands.push(...(await commandsFor(call, pair, one)));
  printLines([
    ...wider.map(({ volume, from, to }) =>
      say(words.grows, { device: volume.device, from: amount(from / 1024), to: amount(to / 1024) }),
    ),
    ...commands.map((argv) => `  ${shellLine(argv)}`),
  ]);
  if (options.dryRun) return 'attention';
  await approve(call, words.question, options.yes);
  return atWork(call, 'tsha drbd grow', async () => {
    for (const argv of commands) await run(host, argv, 600_000);
    for (const { volume } of wider)
      print(1, terminal.marks(`✓ ${volume.device}: ${amount((await deviceSize(host, volume)) / 1024)}\n`));
    return followSync(call, pair);
  });
}

async function sizesOf(host: Host, pair: Pair, node: string): Promise<Sizes> {
  const disks = [];
  for (const { disks: all } of volumesOf(pair)) {
    const path = all[node] ?? '';
    disks.push({ path, bytes: await sizeOf(host, path) });
  }
  return { disks };
}

/** By sysfs: a Secondary of DRBD 8.4 cannot be opened. */
const deviceSize = async ({ sys }: Host, { device }: Volume): Promise<number> =>
  512 * Number(await sys.read(`/sys/class/block/${basename(device)}/size`));

/** At the end of a disk: 36 KiB, and a bit for each 4 KiB, rounded up generously. */
const metaDataOf = (bytes: number): number => bytes / 32_768 + 256 * 1024;

async function widerOf(
  call: Call,
  pair: Pair,
  own: Sizes,
  theirs: Sizes,
  peer: string,
): Promise<readonly Wider[]> {
  const words = drbdWords(call.terminal.language);
  const found: Wider[] = [];
  for (const [number, volume] of volumesOf(pair).entries()) {
    const [mine, other] = [own.disks[number]?.bytes ?? 0, theirs.disks[number]?.bytes ?? 0];
    const device = await deviceSize(call.host, volume);
    if (Math.min(mine, other) - metaDataOf(mine) > device)
      found.push({ volume, number, from: device, to: Math.min(mine, other) });
    if (mine !== other)
      throw new CommandError(
        'broken',
        say(words.sizes, {
          path: harmless(own.disks[number]?.path ?? ''),
          own: amount(mine / 1024),
          theirs: amount(other / 1024),
          peer,
        }),
      );
  }
  return found;
}

/** A filesystem grows where it is mounted: on the node that serves. */
async function commandsFor(
  { host, terminal }: Call,
  { drbd }: Pair,
  { volume, number }: Wider,
): Promise<readonly Argv[]> {
  const { device, directory, type } = volume;
  const argv: Argv = ['drbdadm', 'role', drbd.resource];
  const role = await host.tryRun(argv, { timeoutMs: 10_000 });
  if (role.code !== 0) throw commandFailure(argv, role);
  if (!role.stdout.startsWith('Primary') || mountsOn(await mounts(host), directory).length === 0)
    throw new CommandError(
      'broken',
      say(drbdWords(terminal.language).notHere, { directory: harmless(directory) }),
    );
  const filesystem: Argv =
    type === 'xfs'
      ? ['xfs_growfs', directory]
      : type === 'btrfs'
        ? ['btrfs', 'filesystem', 'resize', 'max', directory]
        : ['resize2fs', device];
  return [['drbdadm', 'resize', `${drbd.resource}/${number}`], filesystem];
}
