import type { Log } from '../contract/log.ts';
import { Failure } from '../contract/outcome.ts';
import { wordsOf } from '../contract/reason.ts';
import type { Host } from './host.ts';
import { stateDir } from './memory.ts';
import { identityOf, isStillThere, type ProcessIdentity, processName } from './process-table.ts';

// Work that must not overlap with that of other calls on this node. Whoever comes first writes down that he does, and only then looks who
// else has: of two that come at once at least one sees the other. What is written is an empty file with its process's identity for a
// name: one that has ended keeps nobody out. No program runs for it, as flock(1) would.

/** Alone, or beside others that are not alone. */
type Way = 'alone' | 'beside';
type Holder = ProcessIdentity & { readonly way: Way };
type Caller = { readonly host: Host; readonly log: Log };

const lookMs = 50;

/** Nobody else works under this name meanwhile. Throws `Failure` where others do not end within half of the time that is left. */
export const alone = <T>(caller: Caller, name: string, work: () => Promise<T>): Promise<T> =>
  hold(caller, name, 'alone', work);

/** Nobody works `alone` under this name meanwhile. */
export const beside = <T>(caller: Caller, name: string, work: () => Promise<T>): Promise<T> =>
  hold(caller, name, 'beside', work);

async function hold<T>({ host, log }: Caller, name: string, way: Way, work: () => Promise<T>): Promise<T> {
  const me = await identityOf(host, host.sys.pid);
  if (me === undefined) return work(); // without /proc nobody could be told from one that has ended
  const dir = stateDir(host.sys.env);
  const own = `${dir}/${name}.${way}-${me.pid}-${me.startTime}`;
  let isHere = false;
  const come = async () => {
    isHere = true;
    try {
      await host.sys.makeDir(dir);
      await host.sys.write(own, '', 0o600);
    } catch (error) {
      // a /run that is read-only: what others wrote before still counts
      log.debug(`cannot write ${own}: ${wordsOf(error)}`);
    }
  };
  const leave = async () => {
    isHere = false;
    await host.sys.remove(own).catch(() => undefined);
  };
  let others: readonly Holder[] = [];
  /** Of those that want to be alone one stays, and the others make room. */
  const comesFirst = (other: Holder) => other.way === 'alone' && (way === 'beside' || other.pid < me.pid);
  const isFree = async () => {
    others = (await holders(host, dir, name)).filter(
      (other) => other.pid !== me.pid && (way === 'alone' || other.way === 'alone'),
    );
    if (isHere && others.some(comesFirst)) await leave();
    return others.length === 0;
  };
  try {
    await come();
    const isDone = await host.until(
      async () => {
        if (!isHere) {
          if (!(await isFree())) return false;
          await come();
        }
        return isFree();
      },
      host.left() / 2,
      lookMs,
    );
    const [first] = others;
    if (!isDone && first)
      throw new Failure(
        'failed',
        `pid ${first.pid} (${(await processName(host, first.pid)) ?? 'gone'}) does not end its work on ${name}`,
      );
    return await work();
  } finally {
    await leave();
  }
}

/** Who is at work, or waits to be. What is left of others is removed. */
async function holders(host: Host, dir: string, name: string): Promise<readonly Holder[]> {
  const found: Holder[] = [];
  for (const file of await host.sys.list(dir).catch(() => [])) {
    if (!file.startsWith(`${name}.`)) continue;
    const [, way, pid, startTime] = /^(alone|beside)-(\d+)-(\d+)$/.exec(file.slice(name.length + 1)) ?? [];
    if (way === undefined) continue;
    const holder = { way: way as Way, pid: Number(pid), startTime: Number(startTime) };
    if (await isStillThere(host, holder)) found.push(holder);
    else await host.sys.remove(`${dir}/${file}`).catch(() => undefined);
  }
  return found;
}
