import { describe, expect, test } from 'vitest';
import { offsetAt } from '../../../lib/contract/local-time.ts';

type Change = readonly [at: number, type: number];

/** A compiled time zone as tzfile(5) has it: an empty first block, then this. */
function zone(offsets: readonly number[], changes: readonly Change[], rule: string, leaps = 0): Buffer {
  const header = (times: number, types: number, leapSeconds: number) => {
    const bytes = Buffer.alloc(44);
    bytes.write('TZif2', 'latin1');
    [0, 0, leapSeconds, times, types, 4].forEach((count, n) => void bytes.writeUInt32BE(count, 20 + n * 4));
    return bytes;
  };
  const times = Buffer.alloc(changes.length * 8);
  changes.forEach(([at], n) => void times.writeBigInt64BE(BigInt(at), n * 8));
  const types = Buffer.alloc(offsets.length * 6);
  offsets.forEach((offset, n) => void types.writeInt32BE(offset, n * 6));
  return Buffer.concat([
    header(0, 1, 0),
    Buffer.alloc(6 + 4), // the first block's one type and its letters
    header(changes.length, offsets.length, leaps),
    times,
    Buffer.from(changes.map(([, type]) => type)),
    types,
    Buffer.from('ABC\0'),
    Buffer.alloc(leaps * 12),
    Buffer.from(`\n${rule}\n`),
  ]);
}

const summers: readonly Change[] = [
  [1000, 1],
  [2000, 0],
];

describe('seconds east of UTC', () => {
  test.each<[string, Buffer, number, number | undefined]>([
    ['UTC', zone([0], [], 'UTC0'), 5, 0],
    ['a zone that never changed', zone([19800], [], 'IST-5:30'), 5, 19800],
    ['before the first change', zone([3600, 7200], summers, 'CET-1'), 999, 3600],
    ['in the second of a change', zone([3600, 7200], summers, 'CET-1'), 1000, 7200],
    ['between two changes', zone([3600, 7200], summers, 'CET-1'), 1999, 7200],
    ['after the last change, for good', zone([3600, 7200], summers, 'CET-1'), 9999, 3600],
    ['west', zone([-12600], [], 'NST3:30'), 5, -12600],
    [
      'after the last change, by a rule',
      zone([3600, 7200], summers, 'CET-1CEST,M3.5.0,M10.5.0/3'),
      2000,
      undefined,
    ],
    [
      'between changes, a rule for later',
      zone([3600, 7200], summers, 'CET-1CEST,M3.5.0,M10.5.0/3'),
      1500,
      7200,
    ],
    ['leap seconds', zone([0], [], 'UTC0', 1), 5, undefined],
    ['no such file', Buffer.from('Europe/Berlin'), 5, undefined],
    ['an old file', Buffer.concat([Buffer.from('TZif'), Buffer.alloc(60)]), 5, undefined],
  ])('%s', (_, file, seconds, expected) => {
    expect(offsetAt(file, seconds)).toBe(expected);
  });

  test('a file that is cut short throws, and is not believed', () => {
    expect(() => offsetAt(zone([0], summers, 'UTC0').subarray(0, 60), 5)).toThrow(RangeError);
  });
});
