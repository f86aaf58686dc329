import { fewAtOnce } from '../few-at-once.ts';
import type { Host } from '../host.ts';
import { factsIfThere } from '../local-files.ts';
import type { Kind } from '../sys/directory.ts';
import { beneath, RefusedFailure } from './beneath.ts';
import type { Leads, Trouble } from './file-jobs.ts';
import { type Mount, mountHolding, trustedPart } from './mounts.ts';

export type LeadsTo = {
  /** Without links, as far as they were followed. */
  readonly path: string;
  /** Of what lies below managed storage, `null` where there is nothing; unset of what this process may look at itself. */
  readonly kind?: Kind | null;
  /** Why it cannot be found out: the storage does not answer, or with an error. */
  readonly trouble?: string;
  /** The link that others made, or may have made, and that would choose what root works on. */
  readonly stray?: string;
};

/**
 * Where a path leads without anybody but root of this machine choosing the place: root's own links are followed anywhere, those below
 * managed storage only as long as they stay on the mount that the path itself names.
 */
export async function leadsTo(
  host: Host,
  path: string,
  table: readonly Mount[],
  timeoutMs?: number,
): Promise<LeadsTo> {
  const led = await leadTo(host, [path], table, timeoutMs);
  return led.get(path) ?? { path, trouble: `nobody looked at ${path}` };
}

/** Each child is a runtime of its own. */
const mostChildren = 4;

/**
 * The same of many paths: one child looks at all that lie below one mount. Once a mount has not answered, those that nobody has begun to
 * look at are not looked at: whoever asks for many wants to know all of them.
 */
export async function leadTo(
  host: Host,
  paths: readonly string[],
  table: readonly Mount[],
  timeoutMs?: number,
): Promise<ReadonlyMap<string, LeadsTo>> {
  const found = new Map<string, LeadsTo>();
  const below = new Map<string, Way[]>();
  for (const path of new Set(paths)) {
    const way = await wayOf(host, path, table);
    if (!('names' in way)) found.set(path, way);
    else below.set(way.anchor, [...(below.get(way.anchor) ?? []), way]);
  }
  const inTurn = fewAtOnce(mostChildren);
  let silence: Trouble | undefined;
  await Promise.all(
    [...below].map(([anchor, ways]) =>
      inTurn(async () => {
        const led = silence ?? (await follow(host, anchor, ways, timeoutMs));
        if ('trouble' in led && !led.isRefused) silence ??= led;
        for (const [at, way] of ways.entries())
          found.set(way.path, judge(way, 'trouble' in led ? led : led[at], table));
      }),
    ),
  );
  return found;
}

/** A path that leads below managed storage. */
type Way = {
  readonly path: string;
  /** Without the links of root's. */
  readonly whole: string;
  readonly anchor: string;
  readonly names: readonly string[];
};

async function wayOf(host: Host, path: string, table: readonly Mount[]): Promise<Way | LeadsTo> {
  const { known, rest, links, trouble } = await trustedPart(host, path, table);
  const whole = [known === '/' ? '' : known, ...rest].join('/') || '/';
  if (trouble !== undefined) return { path: whole, trouble };
  for (const link of links) {
    const { uid = 0 } = (await factsIfThere(host, link)) ?? {};
    if (uid !== 0) return { path: whole, stray: `${link} is a link of user ${uid}, and not of root` };
  }
  return rest.length === 0 ? { path: whole } : { path, whole, anchor: known, names: rest };
}

/** Where each leads, or why nobody can look below their anchor. */
async function follow(
  host: Host,
  anchor: string,
  ways: readonly Way[],
  timeoutMs: number | undefined,
): Promise<readonly (Leads | Trouble)[] | Trouble> {
  const ask = { ways: ways.map(({ names }) => names) };
  const limit = timeoutMs === undefined ? {} : { timeoutMs };
  try {
    return await beneath(host, { anchor, way: [] }, 'follow', ask, limit);
  } catch (error) {
    const trouble = error instanceof Error ? error.message : String(error);
    return { trouble, ...(error instanceof RefusedFailure && { isRefused: true }) };
  }
}

function judge({ whole, anchor }: Way, led: Leads | Trouble | undefined, table: readonly Mount[]): LeadsTo {
  if (led === undefined) return { path: whole, trouble: `nobody looked at ${whole}` };
  if ('trouble' in led) {
    if (led.isRefused) return { path: whole, stray: led.trouble };
    return { path: whole, trouble: led.code === undefined ? led.trouble : `${whole}: ${led.trouble}` };
  }
  if ('link' in led)
    return { path: whole, stray: `${led.link} is a link to ${led.target}, which leads out of ${anchor}` };
  if (led.path !== whole && mountHolding(table, led.path) !== mountHolding(table, whole))
    return { path: whole, stray: `a link leads to another mount: from ${whole} to ${led.path}` };
  return led;
}
