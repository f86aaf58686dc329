import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, commandLine } from '../../lib/host/host.ts';
import { exportArgument, isOneHost } from '../../lib/host/nfs/client-spec.ts';
import { type Export, readEtab } from '../../lib/host/nfs/exports.ts';
import { madeOf } from './astray.ts';
import type { Ctx } from './params.ts';
import type { Seen } from './seen.ts';
import { besideExportfs, type IsOurs, takeOut } from './take-out.ts';

type Manner = {
  readonly withinMs: number;
  /** Clients keep their locks: exportfs has the kernel revoke them with a path's last line (nfs-utils 2.9.2 and later). */
  readonly keepsLocks?: boolean;
};

/**
 * Takes entries out of etab and makes the kernel forget them. exportfs, which locks etab, comes first; where it would take more than
 * that, fails or waits for DNS, etab is written without it: an export that stays would keep the filesystem busy, and the node would be
 * fenced.
 */
export async function unexport(
  ctx: Ctx,
  { state, etab }: Pick<Seen, 'state' | 'etab'>,
  entries: readonly Export[],
  { withinMs, keepsLocks = false }: Manner,
): Promise<void> {
  const { host, log } = ctx;
  const isStillExported = (left: readonly Export[], why = '') =>
    new Failure('failed', `${left.map(({ path }) => path).join(' and ')} is still exported${why}`);
  if (keepsLocks || takesOthers(entries, await readEtab(host, state))) {
    const isOurs: IsOurs = (line) => entries.some((one) => isSame(one, line));
    const left = await takeOut(host, state, isOurs, 'now');
    if (left.length > 0) throw isStillExported(left);
    log.info(
      `taken out of ${state.path}/etab: ${entries.map(({ client, path }) => `${client}:${path}`).join(' ')}`,
    );
    return;
  }
  const argv = [
    'exportfs',
    '-v',
    '-u',
    ...entries.map(({ client, path }) => exportArgument(client, path)),
  ] as const;
  const output = await besideExportfs(host, () => host.tryRun(argv, { timeoutMs: withinMs }));
  if (output.code === 0) log.info(`${commandLine(argv)}: ${output.stdout.trim()}`);

  const now = await readEtab(host, state);
  const fresh = now.filter((line) => !etab.some((old) => isSame(old, line)));
  const made = await Promise.all(entries.map((entry) => madeOf(ctx, { ...entry, isWhole: true }, fresh)));
  const gone = [...entries, ...made.flat()];
  const isOurs: IsOurs = (line) => gone.some((one) => isSame(one, line));
  if (!now.some(isOurs)) return;
  const trouble = output.code === 0 ? 'exportfs ended well' : commandFailure(argv, output).message;
  log.warn(`${trouble}: taking the entries out of ${state.path}/etab without it`);
  const left = await takeOut(host, state, isOurs);
  if (left.length > 0) throw isStillExported(left, `: ${trouble}`);
}

/** `exportfs -u` takes every line of a path whose name or address means the same host as the one that is named. */
const takesOthers = (entries: readonly Export[], etab: readonly Export[]): boolean =>
  entries.some(
    ({ path, client }) =>
      isOneHost(client) &&
      etab.some(
        (line) => line.path === path && isOneHost(line.client) && !entries.some((one) => isSame(one, line)),
      ),
  );

type Line = Pick<Export, 'path' | 'client'>;

export const isSame = (one: Line, other: Line): boolean =>
  one.path === other.path && one.client === other.client;
