import { describe, expect, test } from 'vitest';
import { type ParamTable, readParams } from '../../../lib/contract/params.ts';
import { readRequest } from '../../../lib/contract/request.ts';
import { catalogue } from '../../../metadata/catalogue.ts';
import { validParams } from '../../contract/agents.ts';
import { isSuperLinear } from './growth.ts';

// S16: every action reads its parameters before anything else, each of up to 128 kB.

const pumps = [
  ' ',
  '/',
  '/a',
  '../',
  ',',
  'a,',
  '=',
  'a=',
  ':',
  '1.',
  '-',
  '"',
  '[',
  '\\040',
  '\\ ',
  '\n',
  'a ',
];
const heads = ['', '/', 'a', '10.0.0.1', 'UUID=', '-', '['];

describe.each(catalogue.map(({ agent }) => agent))('$name', (agent) => {
  const given: Readonly<Record<string, string>> = validParams[agent.name as keyof typeof validParams];
  const usual = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name.replace('OCF_RESKEY_', ''), value]),
  );
  const request = readRequest('start', { OCF_RESOURCE_INSTANCE: 'linear' });
  const table: ParamTable = agent.params;

  test.each(Object.keys(table).filter((name) => table[name]?.type === 'string'))(
    'the longer %s is, the longer it takes, and no more',
    (name) => {
      const work = (text: string) => {
        const { params, missing } = readParams(table, { ...usual, [name]: text });
        if (missing.length === 0) agent.rules?.(params, request);
      };
      const slow = heads
        .flatMap((head) => pumps.map((pump) => ({ head, pump })))
        .find(({ head, pump }) => isSuperLinear(work, (size) => `${head}${pump.repeat(size)}/x`));
      expect(slow).toBeUndefined();
    },
  );
});
