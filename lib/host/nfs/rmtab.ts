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
    const [, client, path, count] = /^(.+?):(\/.*):0x([0-9a-f]+)$/i.exec(line) ?? [];
    return client && path && count ? [{ client, path, count: Number.parseInt(count, 16) }] : [];
  });

export const formatRmtab = (entries: readonly Rmtab[]): string =>
  entries
    .map(({ client, path, count }) => `${client}:${path}:0x${count.toString(16).padStart(8, '0')}\n`)
    .join('');

/** What clients mounted of `dir`, subdirectories included: one entry per client and path, with its highest count. */
export function rmtabBelow(entries: readonly Rmtab[], dir: string): readonly Rmtab[] {
  const kept: Rmtab[] = [];
  for (const entry of entries) {
    if (!isWithin(entry.path, dir)) continue;
    const at = kept.findIndex((one) => isSameMount(one, entry));
    if (at < 0) kept.push(entry);
    else if ((kept[at]?.count ?? 0) < entry.count) kept[at] = entry;
  }
  return kept;
}

/** The entries of `backup` that `current` knows nothing of. */
export const rmtabMissing = (current: readonly Rmtab[], backup: readonly Rmtab[]): readonly Rmtab[] =>
  backup.filter((entry) => !current.some((one) => isSameMount(one, entry)));

const isSameMount = (one: Rmtab, other: Rmtab): boolean =>
  one.client === other.client && one.path === other.path;
