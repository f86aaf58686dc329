import { gzipSync } from 'node:zlib';

/** A file of an archive: nothing but text. */
export type Part = { readonly name: string; readonly text: string };

/** A ustar archive of these files, compressed, all below one folder. */
export function tarOf(folder: string, parts: readonly Part[], at: Date): Buffer {
  const blocks = parts.flatMap(({ name, text }) => {
    const content = Buffer.from(text);
    return [header(`${folder}/${name}`, content.length, at), content, Buffer.alloc(-content.length & 511)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** Of 512 bytes, numbers in octal; its own checksum counts as blanks while it is made. */
function header(name: string, size: number, at: Date): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  const fields: readonly (readonly [offset: number, text: string])[] = [
    [0, name.slice(0, 99)],
    [100, octal(0o600, 7)],
    [108, octal(0, 7)],
    [116, octal(0, 7)],
    [124, octal(size, 11)],
    [136, octal(Math.floor(at.getTime() / 1000), 11)],
    [148, ' '.repeat(8)],
    [156, '0'],
    [257, 'ustar\x0000'],
    [265, 'root'],
    [297, 'root'],
  ];
  for (const [offset, text] of fields) block.write(text, offset, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
