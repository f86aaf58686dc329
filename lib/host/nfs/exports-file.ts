import type { Host } from '../host.ts';
import { listIfThere, readIfThere } from '../local-files.ts';
import { decodeOctal } from '../storage/mounts.ts';

/** What an administrator exports by exports(5): one directory to one client, both as written. */
export type WrittenExport = { readonly path: string; readonly client: string };

/** All that /etc/exports and /etc/exports.d say. Throws `Failure` where that cannot be read. */
export async function writtenExports(host: Host): Promise<readonly WrittenExport[]> {
  const more = (await listIfThere(host, '/etc/exports.d')).filter(
    (name) => name.endsWith('.exports') && !name.startsWith('.'),
  );
  const files = ['/etc/exports', ...more.map((name) => `/etc/exports.d/${name}`)];
  const texts = await Promise.all(files.map((file) => readIfThere(host, file)));
  return texts.flatMap((text) => parseExports(text ?? ''));
}

/**
 *     "/srv/my files"  -sync  10.0.0.0/24(rw,fsid=5) other(ro)   # comment
 *     (1)              (2)    (3)
 *
 * (1) the path, (2) options of all clients that follow, (3) a client, `*` where only options stand. A line goes on behind a backslash.
 */
export function parseExports(text: string): readonly WrittenExport[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => {
      const [path, ...clients] = wordsOf(line);
      if (path === undefined) return [];
      const named = clients.filter((word) => !word.startsWith('-'));
      return (named.length > 0 ? named : ['*']).map((word) => ({
        path,
        client: word.split('(', 1)[0] || '*',
      }));
    });
}

function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let isQuoted = false;
  for (const char of line) {
    if (char === '#' && word === undefined && !isQuoted) break;
    if (char === '"') {
      isQuoted = !isQuoted;
      word ??= '';
    } else if (!isQuoted && /\s/.test(char)) {
      if (word !== undefined) words.push(decodeOctal(word));
      word = undefined;
    } else word = (word ?? '') + char;
  }
  return word === undefined ? words : [...words, decodeOctal(word)];
}
