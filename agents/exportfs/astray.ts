import type { Host } from '../../lib/host/host.ts';
import type { Export, StateDirectory } from '../../lib/host/nfs/exports.ts';
import { leadsTo } from '../../lib/host/storage/leads-to.ts';
import { answersHere, type Mount, mountOn } from '../../lib/host/storage/mounts.ts';
import type { Ctx } from './params.ts';
import { isSpelledByAnother } from './spellings.ts';
import { takeOut } from './take-out.ts';
import { fsidIn } from './wanted.ts';

// exportfs resolves every path of etab anew whenever it runs for anything, and writes down where the path leads by then. A link that a
// client has put in the place of an exported directory would so make an export of what the link leads to.

const lookMs = 3000;

type Tables = {
  readonly etab: readonly Export[];
  readonly state: StateDirectory;
  readonly table: readonly Mount[];
};

/** Before an exportfs of ours runs: lines that a link of others leads away by now go, whoever they belong to. */
export async function dropStrays(ctx: Ctx, { etab, state, table }: Tables): Promise<void> {
  const { host, log } = ctx;
  const paths = new Set(etab.map(({ path }) => path));
  const strays = new Set<string>();
  await Promise.all(
    [...paths].map(async (path) => {
      if (answersHere(path, table) || mountOn(table, path)) return;
      const { stray } = await leadsTo(host, path, table, lookMs);
      if (stray === undefined) return;
      strays.add(path);
      log.error(`${path} is taken out of etab, for exportfs would export what it leads to: ${stray}`);
    }),
  );
  if (strays.size > 0) await takeOut(host, state, ({ path }) => strays.has(path));
}

/** A line that was asked for, as far as it is known: exportfs spells out what `options` leave open. */
export type Asked = Pick<Export, 'path' | 'client' | 'options'> & { readonly isWhole: boolean };

/** The lines that exportfs has made of this one, by resolving its path anew. */
export async function madeOf(ctx: Ctx, asked: Asked, etab: readonly Export[]): Promise<readonly Export[]> {
  const { path, client, options, isWhole } = asked;
  const fsid = fsidIn(options);
  const found: Export[] = [];
  for (const line of etab) {
    if (line.path === path || line.client !== client) continue;
    if (isWhole && line.options.join(',') !== options.join(',')) continue;
    if (!(await isSpelledByAnother(ctx, line))) found.push(line);
  }
  if (found.length === 0) return [];
  const real = await whereExportfsFinds(ctx.host, path);
  return found.filter((line) => line.path === real || (fsid !== undefined && fsidIn(line.options) === fsid));
}

/** Links followed wherever they lead, as exportfs does. */
async function whereExportfsFinds(host: Host, path: string): Promise<string | undefined> {
  const output = await host.tryRun(['realpath', '-m', '-z', '--', path], { timeoutMs: lookMs });
  return output.code === 0 ? output.stdout.replace(/\0$/, '') : undefined;
}
