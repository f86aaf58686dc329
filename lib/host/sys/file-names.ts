import { bytesOf } from './bytes.ts';

// Names that others choose, an instance's above all, become names of files here and nowhere else: one name is one file, in the
// directory that is meant, whatever it is made of.

/** NAME_MAX, and the end of a draft. */
const longestName = 255 - '.tsha-4194304'.length;
/** What fits with our own beginning and end as well. */
const longestEscaped = 200;

/** Whether a text names a file of a directory: no path, and neither the directory itself nor the one above. */
export const isFileName = (text: string): boolean =>
  !/^\.{0,2}$|[/\0]/.test(text) && bytesOf(text).length <= longestName;

/** A text as it is where it names a file, for names that the stock agents have too; else escaped. */
export const asFileName = (text: string): string => (isFileName(text) ? text : fileNameOf(text));

/**
 * A text as a file's name: `Data:0` is `Data%3A0`, byte by byte what encodeURIComponent makes of it, which fails for what is no UTF-8. Too
 * long a text is its beginning and a hash, `long%.1c9f…`.
 */
export function fileNameOf(text: string): string {
  const name = escaped(bytesOf(text));
  if (name.length <= longestEscaped) return /^\.{1,2}$/.test(name) ? name.replaceAll('.', '%2E') : name;
  const beginning = name.slice(0, longestEscaped - hashLength - 2).replace(/%.?$/, '');
  return `${beginning}%.${hash(name)}`;
}

const escaped = (bytes: Buffer): string =>
  bytes
    .toString('latin1')
    .replace(
      /[^A-Za-z0-9_.!~*'()-]/g,
      (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );

const hashLength = 16;

/** FNV-1a of 64 bits: node:crypto would cost a monitor 2 ms. */
function hash(text: string): string {
  let sum = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) sum = ((sum ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return sum.toString(16).padStart(hashLength, '0');
}
