import { expect, test } from 'vitest';
import { answer } from '../../../lab/faults/fencing/power-switch.ts';

const asked = async (question: string) => {
  const done: string[] = [];
  const said = await answer(question, {
    isOn: (node) => node === 'node1',
    off: async (node) => {
      done.push(`off ${node}`);
      await Promise.resolve();
    },
    on: (node) => void done.push(`on ${node}`),
  });
  return [said, ...done];
};

test.each([
  { question: 'monitor -\n', says: ['ok'] },
  { question: 'list -\n', says: ['ok node1 node2'] },
  { question: 'status node1\n', says: ['ok'] },
  { question: 'status node2\n', says: ['off'] },
  { question: 'off node1\n', says: ['ok', 'off node1'] },
  { question: 'on node2\n', says: ['ok', 'on node2'] },
  { question: 'reboot node1\n', says: ['ok', 'off node1', 'on node1'] },
  { question: 'off client\n', says: ['error there is no machine client'] },
  { question: 'explode node1\n', says: ['error no action explode'] },
])('the power switch is asked: $question', async ({ question, says }) => {
  expect(await asked(question)).toEqual(says);
});
