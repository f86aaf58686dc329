import { readFileSync } from 'node:fs';

// Date itself brings up all of ICU before it tells an hour in local time: 4 ms and 8 MiB of an action that writes a log line.

/** Seconds east of UTC; by Date where TZ or a rule for days to come has a say. */
function offsetNow(seconds: number): number | undefined {
  if (process.env['TZ'] !== undefined) return undefined;
  try {
    return offsetAt(readFileSync('/etc/localtime'), seconds);
  } catch {
    return undefined;
  }
}

/** The same moment with local time in its UTC fields. */
export function localTime(date: Date): Date {
  const seconds = date.getTime() / 1000;
  const offset = offsetNow(seconds) ?? -date.getTimezoneOffset() * 60;
  return new Date((seconds + offset) * 1000);
}

/**
 * Seconds east of UTC at a time, in seconds since 1970, by a compiled time zone: tzfile(5), version 2 or later. `undefined` for
 * anything else, for a zone with leap seconds, and after the last change that the file has by date.
 */
export function offsetAt(zone: Buffer, seconds: number): number | undefined {
  if (zone.toString('latin1', 0, 4) !== 'TZif' || zone.toString('latin1', 4, 5) < '2') return undefined;
  const first = countsAt(zone, 0);
  const header = headerBytes + sizeOf(first, 4);
  const counts = countsAt(zone, header);
  if (counts.leaps > 0) return undefined;
  const times = header + headerBytes;
  const indexes = times + counts.times * 8;
  const types = indexes + counts.times;
  const typeOffset = (type: number) => zone.readInt32BE(types + type * 6);

  let last = -1;
  while (last + 1 < counts.times && Number(zone.readBigInt64BE(times + (last + 1) * 8)) <= seconds) last++;
  const rule = zone.toString('latin1', times + sizeOf(counts, 8)).trim();
  if (last === counts.times - 1 && rule.includes(',')) return undefined;
  return typeOffset(last < 0 ? 0 : zone.readUInt8(indexes + last));
}

const headerBytes = 44;

type Counts = {
  readonly isUt: number;
  readonly isStandard: number;
  readonly leaps: number;
  readonly times: number;
  readonly types: number;
  readonly characters: number;
};

function countsAt(zone: Buffer, header: number): Counts {
  const count = (n: number) => zone.readUInt32BE(header + 20 + n * 4);
  return {
    isUt: count(0),
    isStandard: count(1),
    leaps: count(2),
    times: count(3),
    types: count(4),
    characters: count(5),
  };
}

/** Of the data behind a header; times take four bytes in the first block, eight in the second. */
const sizeOf = (counts: Counts, time: 4 | 8): number =>
  counts.times * (time + 1) +
  counts.types * 6 +
  counts.characters +
  counts.leaps * (time + 4) +
  counts.isStandard +
  counts.isUt;
