import { expect, test } from 'vitest';
import type { Kind } from '../../../lab/faults/kind.ts';
import { allKinds } from '../../../lab/faults/kinds/all.ts';
import { again, ofTests } from '../../../lab/faults/options.ts';
import { chosenKinds, type Fault, schedule } from '../../../lab/faults/schedule.ts';

const kinds = ['a', 'b', 'c'].map(
  (name): Kind => ({ name, on: ['active', 'standby'], inject: () => Promise.resolve() }),
);

function first(count: number, seed: number): string[] {
  const faults: Fault[] = [];
  for (const fault of schedule(kinds, seed)) {
    if (faults.length === count) break;
    faults.push(fault);
  }
  return faults.map(({ number, kind, target, seed: own }) => `${number} ${kind.name} ${target} ${own}`);
}

test('the same seed makes the same schedule, another one another', () => {
  expect(first(20, 7)).toEqual(first(20, 7));
  expect(first(20, 7)).not.toEqual(first(20, 8));
});

test('every kind has its turn on each of its targets before any comes again', () => {
  const names = first(12, 3).map((line) => line.split(' ').slice(1, 3).join(' '));
  expect(new Set(names.slice(0, 6)).size).toBe(6);
  expect(names.slice(6).toSorted()).toEqual(names.slice(0, 6).toSorted());
});

test('there are thirty kinds and more, no two of one name', () => {
  expect(allKinds.length).toBeGreaterThanOrEqual(30);
  expect(new Set(allKinds.map(({ name }) => name)).size).toBe(allKinds.length);
});

test('what only fencing decides is left out without it', () => {
  const unfenced = chosenKinds(allKinds, { fenced: false, stock: false, names: [] });
  const fenced = chosenKinds(allKinds, { fenced: true, stock: false, names: [] });
  expect(unfenced.length).toBeLessThan(fenced.length);
  expect(chosenKinds(allKinds, { fenced: false, stock: true, names: [] }).some(({ ours }) => ours)).toBe(
    false,
  );
});

test('a failed fault says how it is played again', () => {
  const plan = { suite: 'bookworm', campaign: 'fenced', provider: 'native' };
  expect(again(plan, { ...ofTests(), seed: 5 }, 3)).toBe('./build.sh faults --seed 5 --only 3 --fencing');
});

test('what breaks the promises itself, to prove the judges, is played by its whole name only', () => {
  const chosen = (...names: string[]) =>
    chosenKinds(allKinds, { fenced: false, stock: false, names }).filter(({ proves }) => proves);
  expect(chosen()).toEqual([]);
  expect(chosen('judges')).toEqual([]);
  expect(chosen('the judges themselves')).toHaveLength(1);
});
