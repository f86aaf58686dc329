import { expect, test } from 'vitest';
import { agentCompletions } from '../../../cli/completion.ts';

test.each([
  ['agents', ['agent', ''], 'IPaddr2'],
  ['actions', ['agent', 'IPaddr2', ''], 'validate-all'],
  ['parameters', ['agent', 'IPaddr2', 'start', '--i'], '--ip='],
  ['parameters after others', ['agent', 'IPaddr2', 'start', '--nic=eth0', ''], '--ip='],
])('tsha agent: %s', (_what, words, expected) => {
  expect(agentCompletions(words, false)).toContain(expected);
});

test('what is there already is not offered again, and an agent that is none has nothing', () => {
  expect(agentCompletions(['agent', 'IPaddr2', 'start', '--ip=192.0.2.1', ''], false)).not.toContain('--ip=');
  expect(agentCompletions(['agent', 'nobody', ''], false)).toEqual([]);
});

test('zsh gets the short texts', () => {
  expect(agentCompletions(['agent', 'exportfs', 'start', ''], true)).toContainEqual(
    expect.stringMatching(/^--fsid=:Filesystem id/),
  );
});
