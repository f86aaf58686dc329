import { describe, expect, test } from 'vitest';
import { claimedAfter, parseGraces, periodOf } from '../../lab/workload/graces.ts';
import type { Attempt } from '../../lab/workload/journal.ts';
import { clientsOfAllKinds, grantedAfter, lockers } from '../../lab/workload/wishes.ts';

const attempt = (outcome: string, start: number, end: number): Attempt => ({
  ...{ outcome, start, end },
  ...{ number: 1, message: '' },
});

describe('a wish comes true', () => {
  const before = attempt('ok', 98, 98.1);
  test.each<[string, readonly Attempt[], number | undefined]>([
    ['with the attempt that waited', [before, attempt('ok', 99, 112), attempt('ok', 112.2, 112.3)], 12],
    [
      'not with the one that was under way, if the next waits again',
      [attempt('ok', 99.9, 106), attempt('ok', 106.2, 118), attempt('ok', 118.2, 118.3)],
      18,
    ],
    [
      'with the first success after a failure',
      [attempt('ok', 99, 104), attempt('error', 104.2, 104.3), attempt('ok', 104.5, 104.7)],
      4.7,
    ],
    ['at once where nothing waits', [before, attempt('ok', 100.2, 100.3), attempt('ok', 100.5, 100.6)], 0.3],
    ['never', [before, attempt('error', 101, 102)], undefined],
    ['not yet', [before], undefined],
  ])('%s', (_what, attempts, seconds) => {
    const found = grantedAfter(attempts, 100);
    if (seconds === undefined) expect(found).toBeUndefined();
    else expect(found).toBeCloseTo(seconds);
  });
});

describe('grace periods', () => {
  const graces = parseGraces('90.0 - Y 0\n104.0 N N 0\n106.5 N N 1\n109.0 Y N 1\n124.1 Y Y 2\n125');

  test('are read, but for a line that is being written', () => {
    expect(graces).toHaveLength(5);
    expect(graces[0]).toEqual({ time: 90, nfsd: undefined, lockd: true, locks: 0 });
  });

  test.each([
    ['nfsd', { from: 4, to: 9 }],
    ['lockd', { from: 4, to: 24.1 }],
  ] as const)('of %s', (whose, period) => {
    const found = periodOf(graces, whose, 100);
    expect(found?.from).toBeCloseTo(period.from);
    expect(found?.to).toBeCloseTo(period.to);
  });

  test('none: it was over all the time', () => {
    expect(periodOf(graces, 'nfsd', 110)).toBeUndefined();
  });

  test('and how soon the locks are there again', () => {
    expect(claimedAfter(graces, 1, 100)).toBeCloseTo(6.5);
    expect(claimedAfter(graces, 3, 100)).toBeUndefined();
  });
});

test('without NFSv3 locks on record only clients of NFSv4 hold any', () => {
  expect(clientsOfAllKinds.map(lockers)).toEqual([
    ['NFSv4.2'],
    [],
    ['NFSv3'],
    ['NFSv4.2'],
    ['NFSv4.2', 'NFSv3'],
  ]);
});
