import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure } from '../../lib/host/host.ts';
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
import type { Ctx } from './params.ts';

const flushMs = 5000;

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

  const isOurs = ({ path, client }: Export) => entries.some((e) => e.path === path && e.client === client);
  if (!(await readEtab(host, state)).some(isOurs)) return;
  const trouble = output.code === 0 ? 'exportfs ended well' : commandFailure(argv, output).message;
  log.warn(`${trouble}: taking the entries out of ${state.path}/etab without it`);
  const text = (await readState(host, state, 'etab')) ?? '';
  await writeState(host, state, 'etab', withoutExports(text, isOurs));
  await flushKernelExports(host, flushMs);
  const left = (await readEtab(host, state)).filter(isOurs);
  if (left.length > 0)
    throw new Failure(
      'failed',
      `${left.map(({ path }) => path).join(' and ')} is still exported: ${trouble}`,
    );
}
