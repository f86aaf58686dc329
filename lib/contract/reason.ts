import { veiled } from './secrets.ts';

/** Pacemaker up to 3.0.1 cuts an exit reason here (EXIT_REASON_MAX_LEN). */
const longestReasonBytes = 128;

/**
 * One line that every consumer passes on whole: no line breaks or NUL, no `&` (Pacemaker 2.1.5's XML output drops the whole of
 * stderr for one), no secret, at most 128 bytes, cut between characters.
 */
export function reasonLine(reason: string): string {
  const line = oneLine(veiled(reason).replaceAll('&', '+'));
  if (Buffer.byteLength(line) <= longestReasonBytes) return line;
  let kept = '';
  let bytes = 3;
  for (const character of line) {
    bytes += Buffer.byteLength(character);
    if (bytes > longestReasonBytes) break;
    kept += character;
  }
  return `${kept.trimEnd()}...`;
}

/** What others wrote may hold line breaks, and escapes that a terminal obeys. */
export const oneLine = (text: string): string => text.replace(/\p{Cc}[\p{Cc}\s]*/gu, ' ').trim();

/** Anything may be thrown: `undefined`, an object that has no text, an error whose message is not one. Never throws. */
export function wordsOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } catch {
    return 'something that has no text was thrown';
  }
}
