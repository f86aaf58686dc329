import { commandTrouble, type Host } from '../../lib/host/host.ts';
import { isHostName, sameClient } from '../../lib/host/nfs/client-spec.ts';
import type { Export } from '../../lib/host/nfs/exports.ts';
import { leadsTo } from '../../lib/host/storage/leads-to.ts';
import { madeOf } from './astray.ts';
import { isSpelledByAnother } from './others.ts';
import type { Ctx } from './params.ts';
import type { Canonical, Known, SeenDirectory } from './seen-directory.ts';
import type { WantedDirectory } from './wanted.ts';

/**
 * A directory that does not stand in etab under a name that is known: its links are followed, and DNS is asked. What our start spelled
 * and etab has not is not exported, whatever else cannot be found out, but for what exportfs may have made of it. Nor is what a stray
 * link leads to: no start of ours exports it.
 */
export async function findResolved(ctx: Ctx, want: WantedDirectory, known: Known): Promise<SeenDirectory> {
  const { etab, table, spelt } = known;
  const [directory = '', ...remembered] = spelt.pathsOf(want.directory);
  const listed = [directory, ...remembered].find((path) => etab.some((entry) => entry.path === path));
  const { path, trouble } =
    listed === undefined ? await leadsTo(ctx.host, directory, table, lookMs) : { path: listed };
  const entriesOf = (isOurs: (client: string) => boolean) =>
    etab.filter((entry) => entry.path === path && isOurs(entry.client));
  const ours = entriesOf(spelt.isClient);
  if (ours.length > 0) return { ...want, path, entries: ours };

  const [spec = ''] = spelt.clients;
  const mayBe = (client: string) => spelt.isClient(client) || (isHostName(spec) && isHostName(client));
  const here = entriesOf(mayBe);
  if (here.length > 0) known.name ??= nameOf(ctx.host, spec);
  const { name, silence } = here.length > 0 ? ((await known.name) ?? {}) : {};
  const entries = entriesOf((client) => name !== undefined && sameClient(name, client));
  if (entries.length > 0) return { ...want, path, entries };
  let open: string | undefined;
  for (const one of spelt.remembered) {
    if (one.directory !== want.directory) continue;
    const { lines, doubt } = await madeOf(ctx, one, etab);
    open ??= doubt;
    if (lines.length > 0)
      return { ...want, path: one.path, entries: lines, isAstray: true, ...(open && { doubt: open }) };
  }
  if (remembered.length > 0) return { ...want, path, entries, ...(open && { doubt: open }) };

  const unlisted = listed === undefined ? etab.filter(({ client }) => mayBe(client)) : [];
  const doubt = (await doubtAbout(ctx, here, silence)) ?? (await doubtAbout(ctx, unlisted, trouble));
  return { ...want, path, entries, ...(doubt && { doubt }) };
}

/** Of lines that may be ours the first that no other resource has written. */
async function doubtAbout(
  ctx: Ctx,
  lines: readonly Export[],
  why: string | undefined,
): Promise<string | undefined> {
  for (const line of why === undefined ? [] : lines)
    if (!(await isSpelledByAnother(ctx, line)))
      return `cannot tell whether ${line.path}, exported to ${line.client}, is ours: ${why}`;
  return undefined;
}

const lookMs = 3000;

const dnsMs = 3000;
const notFound = 2; // exit status of getent

async function nameOf(host: Host, client: string): Promise<Canonical> {
  const argv = ['getent', 'ahosts', client] as const;
  const output = await host.tryRun(argv, { timeoutMs: dnsMs });
  if (output.code !== 0 && output.code !== notFound) return { silence: commandTrouble(argv, output) };
  const [, , name] = output.stdout.split('\n', 1)[0]?.trim().split(/\s+/) ?? [];
  return name === undefined ? {} : { name };
}
