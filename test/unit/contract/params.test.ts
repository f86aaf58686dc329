import { describe, expect, test } from 'vitest';
import { paramTable, rawParams, readBoolean, readParams } from '../../../lib/contract/params.ts';

const table = paramTable({
  device: { type: 'string', required: true, short: '' },
  fstype: { type: 'string', short: '' },
  fast: { type: 'boolean', default: false, short: '' },
  count: { type: 'integer', default: 5, min: 1, max: 9, short: '' },
  free: { type: 'integer', short: '' },
  mode: { type: 'select', options: ['auto', 'force'], default: 'auto', short: '' },
});

const read = (env: NodeJS.ProcessEnv) => readParams(table, rawParams(table, env));

describe('reading parameters', () => {
  test('defaults stand for what is unset or empty, as with the shell’s :-', () => {
    const { params, missing, problems } = read({ OCF_RESKEY_device: '/dev/x', OCF_RESKEY_count: '' });
    expect(params).toEqual({
      device: '/dev/x',
      fstype: undefined,
      fast: false,
      count: 5,
      free: undefined,
      mode: 'auto',
    });
    expect([missing, problems]).toEqual([[], []]);
  });

  test('every missing parameter is named, unknown ones are ignored', () => {
    expect(read({ OCF_RESKEY_foo: '1' }).missing).toEqual(['device']);
  });

  test.each([
    ['fast', 'enabled', 'parameter fast="enabled" is not a yes or a no'],
    ['count', '0', 'parameter count="0" is not a whole number from 1 to 9'],
    ['count', '10', 'parameter count="10" is not a whole number from 1 to 9'],
    ['count', '3.5', 'parameter count="3.5" is not a whole number from 1 to 9'],
    ['count', '1e0', 'parameter count="1e0" is not a whole number from 1 to 9'],
    ['free', '9007199254740993', 'parameter free="9007199254740993" is not a whole number'],
    ['free', ' 1', 'parameter free=" 1" is not a whole number'],
    ['mode', 'AUTO', 'parameter mode="AUTO" is not one of auto, force'],
  ])('%s=%j is a problem and reads as the default', (name, value, problem) => {
    const { params, problems } = read({ OCF_RESKEY_device: 'd', [`OCF_RESKEY_${name}`]: value });
    expect(problems).toEqual([problem]);
    expect(params).toEqual(read({ OCF_RESKEY_device: 'd' }).params);
  });

  test.each(['a b', '$(touch /x)', '`id`', "it's", '"', 'line\nbreak', '秘密', 'secret-value'])(
    'text is passed on as it is: %j',
    (value) => {
      expect(read({ OCF_RESKEY_device: value }).params.device).toBe(value);
    },
  );
});

test.each([
  ...['yes', 'true', '1', 'YES', 'TRUE', 'True', 'ja', 'on', 'ON', 'Yes', 'On', 'y'].map(
    (word) => [word, true] as const,
  ),
  ...['no', 'false', '0', 'No', 'FALSE', 'off', 'nein'].map((word) => [word, false] as const),
  ...['', 'maybe', 'enabled', '2', 'yes '].map((word) => [word, undefined] as const),
])('the OCF boolean %j is %s', (word, value) => {
  expect(readBoolean(word)).toBe(value);
});
