import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, type Host } from '../../lib/host/host.ts';
import { daemonProcesses } from '../../lib/host/host-daemons.ts';
import { stateDir } from '../../lib/host/memory.ts';
import { exportArgument } from '../../lib/host/nfs/client-spec.ts';
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
import type { Ctx } from './params.ts';

const flushMs = 5000;
const lockMs = 3000;
/** As long as anybody's exportfs may wait for DNS, more or less. */
const othersMs = 10_000;
const mostTries = 3;

type IsOurs = (entry: Export) => boolean;

/**
 * Takes entries out of etab and makes the kernel forget them. exportfs, which locks etab, comes first; where it fails or waits
 * for DNS, etab is written without it: an export that stays would keep the filesystem busy, and the node would be fenced.
 */
export async function unexport(
  { host, log }: Ctx,
  state: StateDirectory,
  entries: readonly Export[],
  withinMs: number,
): Promise<void> {
  const argv = [
    'exportfs',
    '-v',
    '-u',
    ...entries.map(({ client, path }) => exportArgument(client, path)),
  ] as const;
  const output = await host.tryRun(argv, { timeoutMs: withinMs });
  if (output.code === 0) log.info(`${argv.join(' ')}: ${output.stdout.trim()}`);

  const isOurs: IsOurs = ({ path, client }) => entries.some((e) => e.path === path && e.client === client);
  const listed = async () => (await readEtab(host, state)).filter(isOurs);
  let left = await listed();
  if (left.length === 0) return;
  const trouble = output.code === 0 ? 'exportfs ended well' : commandFailure(argv, output).message;
  log.warn(`${trouble}: taking the entries out of ${state.path}/etab without it`);
  await othersDone(host);
  for (let tries = 0; left.length > 0 && tries < mostTries; tries++) {
    await alone(host, async () => {
      const text = (await readState(host, state, 'etab')) ?? '';
      await writeState(host, state, 'etab', withoutExports(text, isOurs));
    });
    await othersDone(host);
    left = await listed();
  }
  await flushKernelExports(host, flushMs);
  if (left.length > 0)
    throw new Failure(
      'failed',
      `${left.map(({ path }) => path).join(' and ')} is still exported: ${trouble}`,
    );
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

/** Beside no other agent that does the same, as when DNS is gone and several exports stop at once. Without flock(1) it is done all the same. */
async function alone(host: Host, work: () => Promise<void>): Promise<void> {
  const dir = stateDir(host.sys.env);
  await host.sys.makeDir(dir).catch(() => undefined);
  const wait = ['flock', '-w', String(lockMs / 1000), `${dir}/etab.lock`] as const;
  const lock = await host.sys.follow([...wait, 'sh', '-c', 'echo held; exec sleep 60']);
  try {
    await lock.next(Math.min(lockMs, host.left() / 4));
    await work();
  } finally {
    lock.end();
  }
}
