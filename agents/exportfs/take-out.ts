import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import { daemonProcesses } from '../../lib/host/host-daemons.ts';
import { stateDir } from '../../lib/host/memory.ts';
import { flushKernelExports } from '../../lib/host/nfs/export-flush.ts';
import {
  type Export,
  readEtab,
  readState,
  type StateDirectory,
  withoutExports,
  writeState,
} from '../../lib/host/nfs/exports.ts';
import { isStillThere } from '../../lib/host/process-table.ts';

const flushMs = 5000;
const lockMs = 3000;
/** As long as anybody's exportfs may wait for DNS, more or less. */
const othersMs = 10_000;
const mostTries = 3;
const mostLooks = 10;

export type IsOurs = (entry: Export) => boolean;

/**
 * Writes etab without these lines, and makes the kernel forget them: `now` as exportfs does, else so that nothing is kept busy. Answers
 * those that are still there.
 */
export async function takeOut(
  host: Host,
  state: StateDirectory,
  isOurs: IsOurs,
  flush?: 'now',
): Promise<readonly Export[]> {
  const listed = async () => (await readEtab(host, state)).filter(isOurs);
  let left = await listed();
  for (let tries = 0; left.length > 0 && tries < mostTries; tries++) {
    await alone(host, () => write(host, state, isOurs));
    await othersDone(host);
    left = await listed();
  }
  await flushKernelExports(host, flushMs, flush);
  return left;
}

/** Whatever exportfs has written since this process read it stays: between the last look and the new etab nothing else is done. */
async function write(host: Host, state: StateDirectory, isOurs: IsOurs): Promise<void> {
  for (let looks = 0; looks < mostLooks; looks++) {
    const text = (await readState(host, state, 'etab')) ?? '';
    await othersDone(host);
    if (((await readState(host, state, 'etab')) ?? '') !== text) continue;
    await writeState(host, state, 'etab', withoutExports(text, isOurs));
    return;
  }
}

/**
 * Waits for whoever runs exportfs at this moment: it will write what it has read, be it a line that it adds, be it one of ours. Its lock
 * (lockf(3)) is none that a tool could take.
 */
async function othersDone(host: Host): Promise<void> {
  let others = await daemonProcesses(host, [{ process: 'exportfs', units: [] }]);
  await host.until(
    async () => {
      const still = await Promise.all(others.map((one) => isStillThere(host, one)));
      others = others.filter((_, at) => still[at]);
      return others.length === 0;
    },
    Math.min(othersMs, host.left() / 4),
  );
}

/** Beside no other agent that does the same, as when several exports stop at once, or that runs exportfs. */
const alone = (host: Host, work: () => Promise<void>): Promise<void> => locked(host, '-x', work);

/** Paths of etab of which nobody knows where they lead by now, and why. */
export type Looked = { readonly unknown: readonly string[] };

/**
 * An exportfs of ours, as many at once as there are, but none while an agent writes etab without it: one would undo the other. Throws
 * `Failure` where it might follow what nobody has seen.
 */
export async function besideExportfs<T>(host: Host, { unknown }: Looked, work: () => Promise<T>): Promise<T> {
  const [first, ...more] = unknown;
  if (first === undefined) return locked(host, '-s', work);
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  throw new Failure(
    'failed',
    `exportfs is not run, for it follows all of etab: where does ${first}${others} lead?`,
  );
}

/** Without flock(1), or where somebody keeps the lock, the work is done all the same. */
async function locked<T>(host: Host, how: '-x' | '-s', work: () => Promise<T>): Promise<T> {
  const dir = stateDir(host.sys.env);
  await host.sys.makeDir(dir).catch(() => undefined);
  const wait = ['flock', how, '-w', String(lockMs / 1000), `${dir}/exportfs-etab.lock`] as const;
  const lock = await host.sys.follow([...wait, 'sh', '-c', 'echo held; exec sleep 60']);
  try {
    await lock.next(Math.min(lockMs, host.left() / 4));
    return await work();
  } finally {
    lock.end();
  }
}
