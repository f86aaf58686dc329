import { isWithin } from '../storage/mounts.ts';

/** One NFSv3 client's mount as mountd counts it. */
export type Rmtab = { readonly client: string; readonly path: string; readonly count: number };

/**
 * mountd's rmtab, a mount a line; others are passed over:
 *
 *     2001:db8::7:/srv/data:0x00000002
 *     (1)         (2)       (3)
 *
 * (1) the client, which may be an IPv6 address, (2) the path, which may hold colons, (3) how often it is mounted.
 */
export const parseRmtab = (text: string): readonly Rmtab[] =>
  text.split('\n').flatMap((line) => {
    const end = line.lastIndexOf(':');
    const between = line.indexOf(':/', 1);
    const count = /^0x([0-9a-f]{1,8})$/i.exec(line.slice(end + 1))?.[1];
    if (between < 0 || between >= end || count === undefined) return [];
    const [client, path] = [line.slice(0, between), line.slice(between + 1, end)];
    return [{ client, path, count: Number.parseInt(count, 16) }];
  });

export const formatRmtab = (entries: readonly Rmtab[]): string =>
  entries
    .map(({ client, path, count }) => `${client}:${path}:0x${count.toString(16).padStart(8, '0')}\n`)
    .join('');

/** What clients mounted of `dir`, subdirectories included: one entry per client and path, with its highest count. */
export function rmtabBelow(entries: readonly Rmtab[], dir: string): readonly Rmtab[] {
  const kept = new Map<string, Rmtab>();
  for (const entry of entries) {
    if (!isWithin(entry.path, dir)) continue;
    const known = kept.get(mountOf(entry));
    if (known === undefined || known.count < entry.count) kept.set(mountOf(entry), entry);
  }
  return [...kept.values()];
}

/** The entries of `backup` that `current` knows nothing of. */
export function rmtabMissing(current: readonly Rmtab[], backup: readonly Rmtab[]): readonly Rmtab[] {
  const known = new Set(current.map(mountOf));
  return backup.filter((entry) => !known.has(mountOf(entry)));
}

/** Who has mounted what; neither holds a line break. */
const mountOf = ({ client, path }: Rmtab): string => `${client}\n${path}`;
