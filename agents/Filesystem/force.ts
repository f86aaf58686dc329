import { signalNumber } from '../../lib/host/sys/signals.ts';

/** What `force_unmount` says. */
export type Force = {
  /** Whether processes that keep the filesystem busy may be ended. */
  readonly evict: boolean;
  readonly move: boolean;
  readonly unknown: readonly string[];
};

/**
 * A comma list whose last word of a kind wins. `true` and `safe` differ in the stock agent by how it finds the users; here one
 * search is both. The same holds for xargs, noxargs, ps and nops: how it signals and what it logs.
 */
export function readForce(text: string): Force {
  let evict = false;
  let move = false;
  let modeNamed = false;
  let modifierNamed = false;
  const unknown: string[] = [];
  for (const word of text.split(',').map((part) => part.trim())) {
    if (/^(yes|true|1|ja|on|safe)$/i.test(word)) [evict, modeNamed] = [true, true];
    else if (/^(no|false|0|nein|off)$/i.test(word)) [evict, modeNamed] = [false, true];
    else if (/^(no)?move$/.test(word)) [move, modifierNamed] = [word === 'move', true];
    else if (/^(no)?(xargs|ps)$/.test(word)) modifierNamed = true;
    else if (word !== '') unknown.push(word);
  }
  return { evict: modeNamed ? evict : modifierNamed, move, unknown };
}

/** Where `force_unmount=move` puts a mount, as the stock agent does: beside its mount point, hidden. */
export function asideOf(directory: string): string {
  const at = directory.lastIndexOf('/') + 1;
  return `${directory.slice(0, at)}.${directory.slice(at)}`;
}

/** Words as `signalNumber` reads them. */
export const readSignals = (text: string): readonly (number | undefined)[] =>
  text.split(/\s+/).filter(Boolean).map(signalNumber);

/** Those of them that exist. */
export const signalsOf = (text: string): readonly number[] =>
  readSignals(text).filter((signal) => signal !== undefined);

/** `undefined` for what is not a number of seconds. */
export const readSeconds = (text: string): number | undefined =>
  /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : undefined;
