import type { SeenDirectory } from './seen-directory.ts';
import { fsidIn } from './wanted.ts';

/** Options that exclude each other, exportfs' default first. */
const choices = [
  ['ro', 'rw'],
  ['sync', 'async'],
  ['wdelay', 'no_wdelay'],
  ['hide', 'nohide'],
  ['nocrossmnt', 'crossmnt'],
  ['secure', 'insecure'],
  ['root_squash', 'no_root_squash'],
  ['no_all_squash', 'all_squash'],
  ['no_subtree_check', 'subtree_check'],
  ['secure_locks', 'insecure_locks'],
  ['acl', 'no_acl'],
] as const;

const synonyms: ReadonlyMap<string, string> = new Map([
  ['auth_nlm', 'secure_locks'],
  ['no_auth_nlm', 'insecure_locks'],
]);

/**
 * What can be told of an export that no start of ours made, one phrase each: only exportfs knows all options and their defaults.
 * Security flavours have options of their own; those after a configured `sec=` are not compared.
 */
export function otherThanConfigured({ path, options, entries }: SeenDirectory): readonly string[] {
  const [entry] = entries;
  if (!entry) return [];
  const byFlavour = options.some((option) => option.startsWith('sec='));
  const wanted = upToFlavours(options).map((option) => synonyms.get(option) ?? option);
  const actual = upToFlavours(entry.options);
  const found: string[] = [];
  for (const pair of byFlavour ? [] : choices) {
    const [standard] = pair;
    const want = wanted.findLast((option) => pair.some((choice) => choice === option)) ?? standard;
    const is = actual.findLast((option) => pair.some((choice) => choice === option)) ?? standard;
    if (want !== is) found.push(`${path} is ${is}, not ${want}`);
  }
  const [want, is] = [fsidIn(options), fsidIn(entry.options)];
  if (fsidKey(want) !== fsidKey(is)) found.push(`${path} has fsid ${is ?? 'unset'}, not ${want ?? 'unset'}`);
  return found;
}

const upToFlavours = (options: readonly string[]): readonly string[] => {
  const at = options.findIndex((option) => option.startsWith('sec='));
  return at < 0 ? options : options.slice(0, at);
};

/** `root` is 0, and exportfs writes numbers in decimal. */
function fsidKey(fsid: string | undefined): string | undefined {
  if (fsid === 'root') return '0';
  return fsid !== undefined && /^(0x[\da-f]+|\d+)$/i.test(fsid) ? String(Number(fsid)) : fsid;
}
