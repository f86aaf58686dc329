import { expect, test } from 'vitest';
import { paramTable, type RawParams } from '../../../lib/contract/params.ts';
import { type LastRight, withLastRight } from '../../../lib/ocf/despite.ts';

const table = paramTable({
  fixed: { type: 'string', short: 'x' },
  one: { type: 'string', reloadable: true, short: 'x' },
  two: { type: 'string', reloadable: true, short: 'x' },
});
/** No value is "bad", and fixed=strict allows no second value. */
const isRight = (raw: RawParams) =>
  !Object.values(raw).includes('bad') && !(raw['fixed'] === 'strict' && raw['two'] !== undefined);

test.each<readonly [string, RawParams, RawParams | undefined, LastRight | undefined]>([
  [
    'one is wrong: the other is taken',
    { fixed: 'x', one: 'bad', two: 'new' },
    { fixed: 'x', one: 'old', two: 'old' },
    { raw: { fixed: 'x', one: 'old', two: 'new' }, kept: ['one'] },
  ],
  ['nothing is remembered: the default', { one: 'bad' }, undefined, { raw: {}, kept: ['one'] }],
  ['one was not set before, one is not any more', { one: 'bad' }, { two: 'old' }, { raw: {}, kept: ['one'] }],
  [
    'what is remembered is not right beside the others: the defaults',
    { fixed: 'strict', one: 'bad' },
    { fixed: 'x', one: 'old', two: 'old' },
    { raw: { fixed: 'strict' }, kept: ['one'] },
  ],
  ['another is wrong', { fixed: 'bad', one: 'bad' }, { fixed: 'x' }, undefined],
])('%s', (_what, given, last, result) => {
  expect(withLastRight(table, given, last, isRight)).toEqual(result);
});
