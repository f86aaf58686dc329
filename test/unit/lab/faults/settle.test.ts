import { expect, test } from 'vitest';
import { hasNothingToDo } from '../../../lab/faults/settle.ts';

const said = (node1: string, node2: string): string =>
  `Controller on node1 in state ${node1}: ok\nController on node2 in state ${node2}: ok`;

test.each([
  { what: 'the other one decides, and is idle', answer: said('S_NOT_DC', 'S_IDLE'), idle: true },
  { what: 'this one decides, and is idle', answer: said('S_IDLE', 'S_NOT_DC'), idle: true },
  {
    what: 'a decision waits for what is under way',
    answer: said('S_NOT_DC', 'S_POLICY_ENGINE'),
    idle: false,
  },
  { what: 'something is being done', answer: said('S_NOT_DC', 'S_TRANSITION_ENGINE'), idle: false },
  { what: 'nobody decides', answer: said('S_NOT_DC', 'S_NOT_DC'), idle: false },
  { what: 'both decide', answer: said('S_IDLE', 'S_IDLE'), idle: false },
  { what: 'one does not answer', answer: 'Controller on node1 in state S_IDLE: ok', idle: false },
  { what: 'no answer', answer: '', idle: false },
])('the cluster has nothing to do: $what', ({ answer, idle }) => {
  expect(hasNothingToDo(answer)).toBe(idle);
});
