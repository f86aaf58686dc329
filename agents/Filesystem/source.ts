import type { Tag } from '../../lib/host/storage/block-devices.ts';
import { isServed, isVirtual } from './fstypes.ts';

/** What the parameter `device` means. */
export type Source =
  | { readonly kind: 'block'; readonly path: string }
  | { readonly kind: 'tag'; readonly tag: Tag; readonly value: string }
  /** A server's path, a directory, an image file, a mere name: the mount table has nothing that could be compared safely. */
  | { readonly kind: 'other'; readonly name: string };

type Described = { readonly device: string; readonly fstype: string | undefined; readonly options: string };

/** From the text alone. */
export function readSource({ device, fstype = '', options }: Described): Source {
  const text = device.trim();
  const name = { kind: 'other', name: text } as const;
  if (isVirtual(fstype) || hasOption(options, 'loop', 'bind', 'rbind')) return name;
  if (isServed(fstype) && !text.startsWith('/dev/')) return name;
  const tagged = readTag(text);
  if (tagged) return tagged;
  return isRemoteName(text) ? name : { kind: 'block', path: text };
}

/** Whether one of the options is set, with or without a value: exactly, `errors=remount-ro` is no `ro`. */
export const hasOption = (options: string, ...names: readonly string[]): boolean =>
  options.split(',').some((option) => names.includes(option.split('=', 1)[0]?.trim() ?? ''));

/** `server:/path`, `user@server:path`, `//server/share`, `[v6::address]:/path`. */
const isRemoteName = (text: string): boolean => text.startsWith('//') || /^[^/]+:/.test(text);

const spellings: readonly (readonly [RegExp, Tag])[] = [
  [/^(?:-U\s*|--uuid[= ]\s*)(.+)$/, 'UUID'],
  [/^(?:-L\s*|--label[= ]\s*)(.+)$/, 'LABEL'],
  [/^UUID=(.+)$/, 'UUID'],
  [/^LABEL=(.+)$/, 'LABEL'],
  [/^PARTUUID=(.+)$/, 'PARTUUID'],
  [/^PARTLABEL=(.+)$/, 'PARTLABEL'],
];

function readTag(text: string): Source | undefined {
  for (const [pattern, tag] of spellings) {
    const value = pattern
      .exec(text)?.[1]
      ?.replace(/^"(.*)"$/, '$1')
      .trim();
    if (value) return { kind: 'tag', tag, value };
  }
  return undefined;
}
