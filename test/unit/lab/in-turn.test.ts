import { expect, test } from 'vitest';
import { inTurn } from '../../lab/scenarios/in-turn.ts';

const play = async (recover?: 'well' | 'in vain') => {
  const played: string[] = [];
  const ok = (name: string) => async () => void played.push(name);
  const fails = (name: string) => async () => {
    played.push(name);
    throw new Error(`${name} failed`);
  };
  const ending = await inTurn(
    [ok('first'), fails('second'), ok('third'), fails('fourth')],
    undefined,
    async ({ message }) => void played.push(`told: ${message}`),
    recover && (recover === 'well' ? ok('recovered') : fails('recovery')),
  );
  return { played, failures: ending.failures.map(({ message }) => message), skipped: ending.skipped };
};

test('scenarios that build upon each other end with the first that fails', async () => {
  expect(await play()).toEqual({
    played: ['first', 'second', 'told: second failed'],
    failures: ['second failed'],
    skipped: 2,
  });
});

test('a scenario that fails does not end those that do not build upon it', async () => {
  expect(await play('well')).toEqual({
    played: ['first', 'second', 'told: second failed', 'recovered', 'third', 'fourth', 'told: fourth failed'],
    failures: ['second failed', 'fourth failed'],
    skipped: 0,
  });
});

test('what cannot be brought back is skipped, and so counted', async () => {
  expect(await play('in vain')).toEqual({
    played: ['first', 'second', 'told: second failed', 'recovery'],
    failures: ['second failed', 'recovery failed'],
    skipped: 2,
  });
});
