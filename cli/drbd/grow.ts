import { basename } from 'node:path';
import { z } from 'zod';
import { type Host, hostName } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { agreed, requireRoot } from '../commands/change.ts';
import { type Pair, type Volume, volumesOf } from '../configuration/pair.ts';
import { configurationFile, pairFrom, textOf } from '../configuration/read.ts';
import { CommandError, type Ending } from '../exit.ts';
import { tshaThere } from '../facts/other-node.ts';
import { print, printLines } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { amount } from '../output/units.ts';
import { say } from '../output/words.ts';
import { shellLine } from '../stack.ts';
import { filesystemSize, growFilesystem, isMountedHere, leftAtEnd } from './filesystem-size.ts';
import { followSync } from './follow-sync.ts';
import { answerOfPeer, peerRefuses } from './peer.ts';
import { run } from './run.ts';
import { placeIn, sizeOf } from './side.ts';
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

/** A volume whose disks have become larger than its device, or whose device than its filesystem. */
type Wider = {
  readonly volume: Volume;
  readonly number: number;
  readonly what: 'device' | 'filesystem';
  readonly from: number;
  readonly to: number;
};

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
  const wider = await look(call, pair, text, own, peer);
  if (wider.length === 0) {
    print(1, `${words.nothingToGrow}\n`);
    return 'well';
  }
  const commands = wider.flatMap((one) => commandsFor(pair, one));
  printLines([
    ...wider.map(({ volume, what, from, to }) =>
      say(what === 'device' ? words.grows : words.growsInto, {
        ...{ device: volume.device, directory: harmless(volume.directory) },
        ...{ from: amount(from / 1024), to: amount(to / 1024) },
      }),
    ),
    ...commands.map((argv) => `  ${shellLine(argv)}`),
  ]);
  if (options.dryRun) return 'attention';
  const proposal = {
    ...{ question: words.question, yes: options.yes, what: 'tsha drbd grow', plan: wider },
    again: async () => look(call, pair, text, await sizesOf(host, pair, node), peer),
  };
  return agreed(call, proposal, async (plan) => {
    for (const argv of plan.flatMap((one) => commandsFor(pair, one))) await run(host, argv, 600_000);
    for (const { volume } of plan)
      print(1, terminal.marks(`✓ ${volume.device}: ${amount((await deviceSize(host, volume)) / 1024)}\n`));
    return followSync(call, pair);
  });
}

/** What can grow; throws `CommandError` where it cannot, as on the node that does not serve. */
async function look(
  call: Call,
  pair: Pair,
  text: string,
  own: Sizes,
  peer: string,
): Promise<readonly Wider[]> {
  const asked = await tshaThere(call.host, peer, ['drbd', 'grow', '--here', '-c', '-'], text);
  if (asked.is !== 'answered') throw peerRefuses(call, peer, asked.why);
  return widerOf(call, pair, own, answerOfPeer(call, peer, asked.text, sizesAnswer), peer);
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
    const isWider = Math.min(mine, other) - metaDataOf(mine) > device;
    if (isWider) found.push({ volume, number, what: 'device', from: device, to: Math.min(mine, other) });
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
    if (await isMountedHere(call.host, volume)) {
      // one that was broken off after `drbdadm resize` has this left to do
      const size = isWider ? device : await filesystemSize(call.host, volume);
      if (size + leftAtEnd < device)
        found.push({ volume, number, what: 'filesystem', from: size, to: device });
    } else if (isWider)
      throw new CommandError('broken', say(words.notHere, { directory: harmless(volume.directory) }));
  }
  return found;
}

const commandsFor = ({ drbd }: Pair, { volume, number, what }: Wider): readonly Argv[] => [
  ...(what === 'device' ? [['drbdadm', 'resize', `${drbd.resource}/${number}`] as const] : []),
  growFilesystem(volume),
];
