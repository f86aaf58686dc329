import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { campaign, longestMs } from './campaign.ts';

// The campaigns' own promise: what failed is said so that it can be tried again.

afterEach(() => vi.unstubAllEnvs());

const file = 'test/host/campaign.test.ts';

/** The situations that were tried, and the words of the failure. */
async function tried(runs: number, isWrong: (n: number) => boolean = () => false, seconds?: number) {
  const seen: number[] = [];
  const judge = async (n: number) => {
    await sleep(20);
    seen.push(n);
    if (isWrong(n)) throw new Error(`${n} is wrong`);
  };
  const limit = seconds === undefined ? {} : { seconds };
  const failure = await campaign({ file, situations: fc.nat(1000), runs, judge, ...limit }).then(
    () => undefined,
    (error: Error) => error.message,
  );
  return { seen, failure };
}

test('a failure is made small, and its words lead back to it', { timeout: longestMs }, async () => {
  const { failure = '' } = await tried(200, (n) => n > 500);
  expect(failure).toContain('situation: 501');
  expect(failure).toContain('501 is wrong');
  const [, seed = '', path = ''] = /TSHA_CAMPAIGN_SEED=(\d+) TSHA_CAMPAIGN_PATH=([\d:]+)/.exec(failure) ?? [];
  vi.stubEnv('TSHA_CAMPAIGN_SEED', seed);
  vi.stubEnv('TSHA_CAMPAIGN_PATH', path);
  const again = await tried(200, (n) => n > 500);
  expect(again.seen).toEqual([501]);
  expect(again.failure).toContain('501 is wrong');
});

test('a seed gives the same situations, as many as asked for', async () => {
  vi.stubEnv('TSHA_CAMPAIGN_SEED', '7');
  const first = await tried(5);
  vi.stubEnv('TSHA_CAMPAIGN_RUNS', '8');
  const second = await tried(5);
  expect(first).toMatchObject({ failure: undefined, seen: second.seen.slice(0, 5) });
  expect(second.seen).toHaveLength(8);
});

test.each([
  { what: 'one that is right', isWrong: () => false, failure: undefined },
  { what: 'one that is wrong', isWrong: () => true, failure: expect.stringContaining('is wrong') },
])('the situation underway when the time is up is judged to its end: $what', async ({ isWrong, failure }) => {
  const first = await tried(5, isWrong, 0);
  expect(first.failure).toEqual(failure);
  expect(first.seen).toHaveLength(1);
});
