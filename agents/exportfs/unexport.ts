import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, commandLine } from '../../lib/host/host.ts';
import { exportArgument, isOneHost } from '../../lib/host/nfs/client-spec.ts';
import { type Export, readEtab } from '../../lib/host/nfs/exports.ts';
import { madeOf } from './astray.ts';
import type { Ctx } from './params.ts';
import type { Seen } from './seen.ts';
import { besideExportfs, type IsOurs, type Looked, takeOut } from './take-out.ts';

type Manner = {
  readonly withinMs: number;
  /** Unset where somebody may have changed since where the lines of etab lead: no exportfs runs then. */
  readonly looked?: Looked;
  /** Clients keep their locks: exportfs has the kernel revoke them with a path's last line (nfs-utils 2.9.2 and later). */
  readonly keepsLocks?: boolean;
};

/**
 * Takes entries out of etab and makes the kernel forget them. exportfs, which locks etab, comes first; where it would take more than
 * that, or follow what nobody has seen, fails or waits for DNS, etab is written without it: an export that stays would keep the
 * filesystem busy, and the node would be fenced.
 */
export async function unexport(
  ctx: Ctx,
  { state, etab }: Pick<Seen, 'state' | 'etab'>,
  entries: readonly Export[],
  { withinMs, looked, keepsLocks = false }: Manner,
): Promise<void> {
  const { host, log } = ctx;
  const isStillExported = (left: readonly Export[], why = '') =>
    new Failure('failed', `${left.map(({ path }) => path).join(' and ')} is still exported${why}`);
  const byExportfs =
    looked?.unknown.length === 0 && !keepsLocks && !takesOthers(entries, await readEtab(host, state));
  const trouble = byExportfs ? await runExportfs(ctx, looked, entries, withinMs) : undefined;
  if (!byExportfs) {
    const left = await takeOut(host, state, (line) => entries.some((one) => isSame(one, line)), 'now');
    if (left.length > 0) throw isStillExported(left);
    log.info(
      `taken out of ${state.path}/etab: ${entries.map(({ client, path }) => `${client}:${path}`).join(' ')}`,
    );
  }
  const now = await readEtab(host, state);
  const fresh = now.filter((line) => !etab.some((old) => isSame(old, line)));
  const gone = [...entries];
  for (const { path, client, options } of entries) {
    const made = await madeOf(ctx, { path, client, options: options.join(','), beside: [] }, fresh);
    gone.push(...made.lines);
    if (made.doubt !== undefined) throw new Failure('failed', made.doubt);
  }
  const isOurs: IsOurs = (line) => gone.some((one) => isSame(one, line));
  if (!now.some(isOurs)) return;
  const why = trouble ?? 'they were there again';
  log.warn(`${why}: taking the entries out of ${state.path}/etab without exportfs`);
  const left = await takeOut(host, state, isOurs);
  if (left.length > 0) throw isStillExported(left, `: ${why}`);
}

/** What is to be said when entries are there all the same. */
async function runExportfs(
  { host, log }: Ctx,
  looked: Looked,
  entries: readonly Export[],
  timeoutMs: number,
): Promise<string> {
  const names = entries.map(({ client, path }) => exportArgument(client, path));
  const argv = ['exportfs', '-v', '-u', ...names] as const;
  const output = await besideExportfs(host, looked, () => host.tryRun(argv, { timeoutMs }));
  if (output.code !== 0) return commandFailure(argv, output).message;
  log.info(`${commandLine(argv)}: ${output.stdout.trim()}`);
  return 'exportfs ended well';
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
