import type { Ctx } from './params.ts';
import { isListed, type Seen } from './seen.ts';
import type { SeenDirectory } from './seen-directory.ts';

/** Options that somebody changed behind the cluster's back: said once, not at every monitor. */
export async function noteDrift({ log, memory }: Ctx, { directories, spelt }: Seen): Promise<void> {
  const found: string[] = [];
  for (const one of directories.filter(isListed)) {
    const written = spelt.remembered.find(({ path }) => path === one.path)?.options;
    if (written !== undefined) found.push(...otherThanWritten(one, written));
    else found.push(...(await import('./common-options.ts')).otherThanConfigured(one));
  }
  const text = found.join('; ');
  if (text === ((await memory.fact<string>('drift')) ?? '')) return;
  if (text) log.warn(`exported with other options than configured: ${text}`);
  await memory.hint('drift', text || undefined);
}

/** What etab says otherwise than exportfs wrote there at our start: every option counts, and we need to know none of them. */
function otherThanWritten({ path, entries }: SeenDirectory, written: string): readonly string[] {
  const is = entries[0]?.options ?? [];
  const was = written.split(',');
  if (is.join(',') === written) return [];
  const added = is.filter((option) => !was.includes(option)).join(',');
  const gone = was.filter((option) => !is.includes(option)).join(',');
  return [`${path} is ${added || is.join(',')}, not ${gone || written}`];
}
