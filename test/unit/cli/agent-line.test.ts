import { expect, test } from 'vitest';
import { agentLine, fromCommand } from '../../../cli/agent-line.ts';

const look = { agent: 'IPaddr2', action: 'monitor', words: ['--ip=203.0.113.7'], trace: false, common: {} };

test.each([
  ['as it is written', 'agent IPaddr2 monitor --ip=203.0.113.7', look],
  [
    'an option before it',
    '--no-color agent IPaddr2 monitor --ip=203.0.113.7',
    { ...look, common: { color: false } },
  ],
  [
    'a language before it',
    '--lang zh agent IPaddr2 monitor --ip=203.0.113.7',
    { ...look, common: { lang: 'zh' } },
  ],
  [
    'several before it',
    '-q --lang=en --no-input agent IPaddr2 monitor --ip=203.0.113.7',
    { ...look, common: { quiet: true, lang: 'en', input: false } },
  ],
  [
    'a language among its parameters',
    'agent IPaddr2 monitor --lang zh --ip=203.0.113.7',
    { ...look, common: { lang: 'zh' } },
  ],
  ['a trace before the agent', 'agent --trace IPaddr2 monitor --ip=203.0.113.7', { ...look, trace: true }],
  ['a trace before the action', 'agent IPaddr2 --trace monitor --ip=203.0.113.7', { ...look, trace: true }],
  ['JSON is asked for', 'agent IPaddr2 monitor --ip=203.0.113.7 --json', { ...look, common: { json: true } }],
  [
    'what is no parameter stays as it is',
    'agent IPaddr2 monitor --ip 203.0.113.7',
    { ...look, words: ['--ip', '203.0.113.7'] },
  ],
])('tsha agent: %s', (_what, line, expected) => {
  expect(agentLine(line.split(' '))).toEqual(expected);
});

test.each([
  ['another command', 'status agent monitor'],
  ['no action', 'agent IPaddr2 --trace'],
  ['help', 'agent IPaddr2 monitor --help'],
  ['a language that there is not', '--lang fr agent IPaddr2 monitor'],
  ['an option of its own before it', '--trace agent IPaddr2 monitor'],
  ['a value before it', '--color false agent IPaddr2 monitor'],
])('tsha agent: %s is left to yargs', (_what, line) => {
  expect(agentLine(line.split(' '))).toBeNull();
});

test('what is completed begins with the command', () => {
  expect(fromCommand(['-q', '--lang', 'zh', 'agent', ''])).toEqual(['agent', '']);
});
