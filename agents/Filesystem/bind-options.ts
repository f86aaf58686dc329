// A bind mount begins with the flags of the mount that it is made from. A remount sets all of them anew (MS_REMOUNT | MS_BIND), those that
// nobody mentions are gone then: a nosuid filesystem would be bound without it.

/** Flags of one mount as mountinfo shows them, each with the word that takes it back. */
const flags = [
  ['ro', 'rw'],
  ['nosuid', 'suid'],
  ['nodev', 'dev'],
  ['noexec', 'exec'],
  ['nosymfollow', 'symfollow'],
  ['nodiratime', 'diratime'],
] as const;

const opposite: ReadonlyMap<string, string> = new Map(flags.map(([flag, back]) => [back, flag]));

/** What words about access times mean; `strictatime` is what mountinfo shows nothing of. */
const times: ReadonlyMap<string, string> = new Map([
  ['noatime', 'noatime'],
  ['relatime', 'relatime'],
  ['strictatime', 'strictatime'],
  ['atime', 'relatime'],
  ['nostrictatime', 'relatime'],
]);

const propagation = /^r?(private|shared|slave|unbindable)$/;

/** What mount(8) takes for more than one flag, or does itself to what is mounted by then: handed on as it is. */
const implied = new Set(['user', 'users', 'owner', 'group']);
const flagNames: ReadonlySet<string> = new Set([...flags.flat(), ...times.keys()]);
/** `ro=recursive` and the like are of util-linux 2.39. */
const isHandedOn = (word: string): boolean =>
  word.startsWith('X-mount.') || implied.has(word) || (word.includes('=') && flagNames.has(nameOf(word)));
const nameOf = (word: string): string => word.split('=', 1)[0] ?? '';

/** The arguments of each mount(8) that gives what was bound its options; `shown` are those that it has by now. */
export function stepsAfterBind(options: string, shown: readonly string[]): readonly (readonly string[])[] {
  const words = options.split(',').map((word) => word.trim());
  const before = flagsOf([], shown);
  const others = words.filter(isHandedOn);
  const after = flagsOf(words, shown).filter(
    (word) => !others.some((one) => nameOf(one) === opposite.get(word)),
  );
  const isChanged = others.length > 0 || after.join() !== before.join();
  return [
    ...(isChanged ? [['-o', ['remount', 'bind', ...after, ...others].join(',')]] : []),
    ...words.filter((word) => propagation.test(word)).map((word) => [`--make-${word}`]),
  ];
}

/** Those that it has, with what the words say of them, the last of several. */
function flagsOf(words: readonly string[], shown: readonly string[]): readonly string[] {
  const all = flags.map(([flag, back]) => {
    const last = words.findLast((word) => word === flag || word === back);
    return (last ?? (shown.includes(flag) ? flag : back)) === flag ? flag : back;
  });
  const time = words.findLast((word) => times.has(word)) ?? shown.findLast((word) => times.has(word));
  return [
    ...all.filter((word) => word.startsWith('no') || /^r[ow]$/.test(word)),
    times.get(time ?? '') ?? 'strictatime',
  ];
}
