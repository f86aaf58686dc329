// Paths on Linux are bytes. Those that are no UTF-8 go through our strings as lone low surrogates, U+DC80 to U+DCFF, one for
// each byte, as Python does it (PEP 383, "surrogateescape"): nothing else in a string can be taken for them, and they find back.

/** Well-formed UTF-8 of two bytes and more (RFC 3629, section 4), or else one byte alone. */
const sequences =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g;
/** With the flag `u` a surrogate matches only where it is alone. */
const escaped = /[\udc80-\udcff]/u;

/** The text of bytes from the kernel, from a file, or from a command. */
export function textOf(bytes: Buffer): string {
  const text = bytes.toString();
  if (!text.includes('\ufffd')) return text;
  return bytes
    .toString('latin1')
    .replace(sequences, (found) =>
      found.length === 1
        ? String.fromCharCode(0xdc00 + found.charCodeAt(0))
        : Buffer.from(found, 'latin1').toString(),
    );
}

/** Whether a text came from bytes that are no UTF-8. */
export const isEscaped = (text: string): boolean => escaped.test(text);

/** The bytes that `textOf` read. */
export function bytesOf(text: string): Buffer {
  if (!isEscaped(text)) return Buffer.from(text);
  const pieces = text.split(/([\udc80-\udcff])/u);
  return Buffer.concat(
    pieces.map((piece) => (isEscaped(piece) ? Buffer.of(piece.charCodeAt(0) - 0xdc00) : Buffer.from(piece))),
  );
}
