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

/** What words about access times mean; `strictatime` is what mountinfo shows nothing of. */
const times: ReadonlyMap<string, string> = new Map([
  ['noatime', 'noatime'],
  ['relatime', 'relatime'],
  ['strictatime', 'strictatime'],
  ['atime', 'relatime'],
  ['nostrictatime', 'relatime'],
]);

const propagation = /^r?(private|shared|slave|unbindable)$/;

/** The arguments of each mount(8) that gives what was bound its options; `shown` are those that it has by now. */
export function stepsAfterBind(options: string, shown: readonly string[]): readonly (readonly string[])[] {
  const words = options.split(',').map((word) => word.trim());
  const before = flagsOf([], shown);
  const after = flagsOf(words, shown);
  // mount(8) does these itself, to what is mounted by then
  const others = words.filter((word) => word.startsWith('X-mount.'));
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
