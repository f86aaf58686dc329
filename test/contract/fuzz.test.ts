import { mkdtempSync, rmSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { makeCase } from '../fuzz/case.ts';
import { fuzz, report } from '../fuzz/fuzz.ts';
import { makeWorkshop } from '../fuzz/world.ts';
import type { flavours } from './flavours.ts';

// The fuzzer of the executables for a while; ./build.sh fuzz does more.

/** The same runs every time, so that a fault is a change's. */
const seed = 18;

function workshop(builds: readonly (typeof flavours)[number][]) {
  const dir = mkdtempSync('/tmp/tsha-fuzz-');
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return makeWorkshop(dir, builds);
}

test.each([
  ['script', 120],
  ['native', 300],
] as const)('%s: %i fuzzed runs, no fault', async (flavour, runs) => {
  const { faults, calls } = await fuzz(workshop([flavour]), {
    seed,
    flavours: [flavour],
    from: 0,
    runs,
    jobs: 4,
  });
  expect(faults.map(report)).toEqual([]);
  expect(calls).toBeGreaterThan(runs);
});

test('a run is the same whenever it is made', () => {
  for (const run of [0, 7, 4711]) expect(makeCase(5, run, 'native')).toEqual(makeCase(5, run, 'native'));
  expect(makeCase(5, 1, 'native')).not.toEqual(makeCase(6, 1, 'native'));
});
