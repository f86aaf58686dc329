import type { Host } from '../../lib/host/host.ts';
import { isHostName, sameClient } from '../../lib/host/nfs/client-spec.ts';
import type { Export, StateDirectory } from '../../lib/host/nfs/exports.ts';
import { leadTo } from '../../lib/host/storage/leads-to.ts';
import { answersHere, type Mount, mountOn, mounts, resolvePath } from '../../lib/host/storage/mounts.ts';
import { isSpelledByAnother } from './others.ts';
import type { Ctx } from './params.ts';
import { isPlaceholder } from './placeholder.ts';
import type { Spelling } from './spellings.ts';
import { type Looked, takeOut } from './take-out.ts';
import { fsidIn, splitOptions } from './wanted.ts';

// exportfs resolves every path of etab anew whenever it runs for anything, and writes down where the path leads by then. A link that a
// client has put in the place of an exported directory would so make an export of what the link leads to.

const lookMs = 3000;

type Tables = {
  readonly etab: readonly Export[];
  readonly state: StateDirectory;
  readonly table: readonly Mount[];
};

/**
 * Before an exportfs of ours runs: lines that a link of others leads away by now go, whoever they belong to. A stop knows a way without
 * exportfs and does not wait long. A start fails without an answer: fifty of them at once on one processor take their time.
 */
export async function dropStrays(
  ctx: Ctx,
  { etab, state, table }: Tables,
  withinMs: number = lookMs,
): Promise<Looked> {
  const { host, log } = ctx;
  const paths = etab
    .map(({ path }) => path)
    .filter((path) => !answersHere(path, table) && !mountOn(table, path));
  const strays = new Set<string>();
  const unknown: string[] = [];
  for (const [path, { stray, trouble }] of await leadTo(host, paths, table, withinMs)) {
    if (trouble !== undefined) unknown.push(`${path} (${trouble})`);
    if (stray === undefined) continue;
    strays.add(path);
    log.error(`${path} is taken out of etab, for exportfs would export what it leads to: ${stray}`);
  }
  if (strays.size > 0) await takeOut(host, state, ({ path }) => strays.has(path));
  return { unknown };
}

/** A line that was asked for, as far as it is known. */
export type Asked = Omit<Spelling, 'directory'> & {
  /** The number that was asked for, of a line that nobody has seen in etab. */
  readonly fsid?: string | undefined;
};

/** What exportfs has made of a line, by resolving its path anew. */
export type Made = {
  readonly lines: readonly Export[];
  /** Why nobody knows of another line whether it is one of these. */
  readonly doubt?: string;
};

/**
 * Finds the lines that came to be in the place of one that is not in etab any more. Where its path leads by now proves nothing: whoever
 * put a link there may have taken it away again. So what is known of the line decides, and who else may have asked for those.
 */
export async function madeOf(ctx: Ctx, asked: Asked, etab: readonly Export[]): Promise<Made> {
  const { path, client, options, beside } = asked;
  const alike: Export[] = [];
  for (const line of etab) {
    if (!isAlike(asked, line) || beside?.includes(line.path) || isPlaceholder(ctx, line.path)) continue;
    if (!(await isSpelledByAnother(ctx, line))) alike.push(line);
  }
  if (alike.length === 0) return { lines: [] };
  const table = await mounts(ctx.host);
  const { theirs, silence } = await written(ctx.host, alike, table);
  const left = alike.filter((line) => !theirs.has(line.path));
  const real =
    options === undefined || beside === undefined ? await resolvePath(ctx.host, path, table) : undefined;
  const isSure = (line: Export) =>
    silence === undefined && (real === undefined || line.path === real.path || hasNumber(asked, line));
  // a version that did not look beside it has started ours: every line that is like it would fail the stop
  const isOld = options !== undefined && beside === undefined;
  if (isOld && silence === undefined) return { lines: left.filter(isSure) };
  const open = left.find((line) => !isSure(line));
  if (open === undefined) return { lines: left };
  const why = [silence ?? real?.trouble].flatMap((one) => (one === undefined ? [] : `: ${one}`)).join('');
  const doubt = `cannot tell whether ${open.path}, exported to ${client}, came of ${path}${why}`;
  return { lines: left.filter(isSure), doubt };
}

/** Whether a line may have been made of this one, by what it says. */
export function isAlike(asked: Asked, line: Export): boolean {
  if (line.path === asked.path || line.client !== asked.client) return false;
  if (hasNumber(asked, line) || asked.options === undefined) return true;
  return afterAccess(line.options.join(',')) === afterAccess(asked.options);
}

function hasNumber({ options, fsid = fsidIn(splitOptions(options)) }: Asked, line: Export): boolean {
  return fsid !== undefined && fsidIn(line.options) === fsid;
}

/** exportfs writes the word in front, which nobody reads before a `sec=`, in another way when it writes the line again. */
const afterAccess = (options: string): string => options.replace(/^r[ow],/, '');

/** The paths of those lines that an administrator has written down: they are his, whatever was made of ours. */
async function written(
  host: Host,
  lines: readonly Export[],
  table: readonly Mount[],
): Promise<{ readonly theirs: ReadonlySet<string>; readonly silence?: string | undefined }> {
  const { writtenExports } = await import('../../lib/host/nfs/exports-file.ts');
  const mayMean = (client: string) => (line: Export) =>
    sameClient(client, line.client) || (isHostName(client) && isHostName(line.client));
  const paths = (await writtenExports(host))
    .filter(({ client }) => lines.some(mayMean(client)))
    .map(({ path }) => path);
  const led = [...(await leadTo(host, paths, table, lookMs))];
  const theirs = led.flatMap(([path, { path: real, stray }]) => (stray === undefined ? [path, real] : path));
  return { theirs: new Set(theirs), silence: led.flatMap(([, { trouble }]) => trouble ?? [])[0] };
}
