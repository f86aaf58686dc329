import { commandFailure, commandLine, type Host } from '../../lib/host/host.ts';
import { hasFields, isListOf, readJson } from '../../lib/host/json.ts';
import { listIfThere, readIfThere } from '../../lib/host/local-files.ts';
import { type BlockDevice, blockDeviceUsers } from '../../lib/host/storage/block-device-users.ts';
import { kernelName, nodeAt } from '../../lib/host/storage/block-devices.ts';
import { decodeOctal, parseMountinfo } from '../../lib/host/storage/mounts.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Language } from '../output/terminal.ts';
import { amount } from '../output/units.ts';
import { say } from '../output/words.ts';
import { diskWords } from './words.ts';

/** What a disk shows that DRBD is to have. Only `empty` may be given away without asking anybody. */
export type SeenDisk =
  | { readonly is: 'absent' }
  | { readonly is: 'no block device' }
  | { readonly is: 'used'; readonly by: readonly string[] }
  | { readonly is: 'marked'; readonly marks: readonly Mark[] }
  | { readonly is: 'written'; readonly at: number }
  | { readonly is: 'empty'; readonly bytes: number };

/** What a program left on it to be known by: `xfs` at 0, `drbd` near the end. */
type Mark = { readonly type: string; readonly offset: number };

const kib = 1024;
const blockBytes = 4 * kib;
/** Where most of what has a beginning or an end is found. */
const edgeBytes = 1024 * kib;
const mostSamples = 32;
const lookMs = 30_000;

/**
 * Looks at a disk, and reads it only in children with a deadline; writes nothing. Throws `Failure` where anything could not be found out:
 * that is never "empty".
 */
export async function lookAtDisk(host: Host, path: string): Promise<SeenDisk> {
  const table = parseMountinfo(await host.sys.read('/proc/self/mountinfo'));
  const node = await nodeAt(host, path, table);
  if (!node) return { is: 'absent' };
  if (node.kind !== 'block' || node.number === undefined) return { is: 'no block device' };
  const name = (await kernelName(host, node.number)) ?? '';
  const by = await usersOf(host, { name, number: node.number });
  if (by.length > 0) return { is: 'used', by };
  const marks = await marksOn(host, path);
  if (marks.length > 0) return { is: 'marked', marks };
  const bytes = 512 * Number(await host.sys.read(`/sys/dev/block/${node.number}/size`));
  for (const { from, length } of samples(bytes))
    if (!(await isZero(host, path, from, length))) return { is: 'written', at: from };
  return { is: 'empty', bytes };
}

/** What blocks the way must be told for sure; who it is, as far as it can be told. */
async function usersOf(host: Host, device: BlockDevice): Promise<readonly string[]> {
  const { number, name } = device;
  const told = await blockDeviceUsers(host, device, 5000);
  if (told.length > 0) return told;
  const holders = await listIfThere(host, `/sys/dev/block/${number}/holders`);
  const mounted = parseMountinfo(await host.sys.read('/proc/self/mountinfo')).filter(
    (one) => one.device === number,
  );
  const swaps = ((await readIfThere(host, '/proc/swaps')) ?? '')
    .split('\n')
    .filter((line) => decodeOctal(line.split(/\s/, 1)[0] ?? '') === `/dev/${name}`);
  return [
    ...holders.map((holder) => `used by device ${holder}`),
    ...mounted.map(({ target }) => `mounted on ${target}`),
    ...swaps.map(() => 'in use as swap'),
  ];
}

/*
 *   { "signatures": [ {"device":"loop0", "offset":"0x0", "type":"xfs", "uuid":"…", "label":null} ] }
 */
const isSignatures = (value: unknown): value is { readonly signatures: readonly Signature[] } =>
  hasFields(value, { signatures: 'list' }) && isListOf(isSignature)(value['signatures']);

const isSignature = (value: unknown): value is Signature =>
  hasFields(value, { type: 'string', offset: 'string' });
type Signature = { readonly type: string; readonly offset: string };

async function marksOn(host: Host, path: string): Promise<readonly Mark[]> {
  const argv: Argv = ['wipefs', '--no-act', '--json', path];
  const answer = await host.tryRun(argv, { timeoutMs: lookMs });
  if (answer.code !== 0) throw commandFailure(argv, answer);
  if (answer.stdout.trim() === '') return [];
  const { signatures } = readJson(answer.stdout, commandLine(argv), isSignatures);
  return signatures.map(({ type, offset }) => ({ type, offset: Number(offset) }));
}

/** The first and the last MiB, and blocks at even distances between them. */
function samples(bytes: number): readonly { readonly from: number; readonly length: number }[] {
  if (bytes <= 2 * edgeBytes) return [{ from: 0, length: bytes }];
  const [first, last] = [edgeBytes, bytes - edgeBytes];
  const step = Math.max(blockBytes, Math.floor((last - first) / mostSamples / blockBytes) * blockBytes);
  const between = [];
  for (let from = first; from + blockBytes <= last; from += step) between.push({ from, length: blockBytes });
  return [{ from: 0, length: edgeBytes }, ...between, { from: last, length: edgeBytes }];
}

async function isZero(host: Host, path: string, from: number, length: number): Promise<boolean> {
  const argv: Argv = ['cmp', '--quiet', `--bytes=${length}`, `--ignore-initial=${from}:0`, path, '/dev/zero'];
  const answer = await host.tryRun(argv, { timeoutMs: lookMs });
  if (answer.code === 0) return true;
  // 1: they differ; a file that ends early would answer so as well
  if (answer.code === 1) return false;
  throw commandFailure(argv, answer);
}

/** What was found, to a person. */
export function diskSentence(path: string, seen: SeenDisk, language: Language): string {
  const words = diskWords(language);
  switch (seen.is) {
    case 'absent':
      return say(words.absent, { path });
    case 'no block device':
      return say(words.noBlockDevice, { path });
    case 'used':
      return say(words.used, { path, by: seen.by.join(', ') });
    case 'marked':
      return say(words.marked, {
        path,
        marks: seen.marks.map(({ type, offset }) => `${type} (${offset})`).join(', '),
      });
    case 'written':
      return say(words.written, { path, at: seen.at });
    case 'empty':
      return say(words.empty, { path, size: amount(seen.bytes / kib) });
  }
}
