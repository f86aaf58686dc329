import { expect, test } from 'vitest';
import { hashSeed, multicastMac } from '../../../../agents/IPaddr2/wanted.ts';
import { parseRules } from '../../../../lib/host/net/nftables.ts';

test('the rules of a table, as nft 1.0.6 prints them', () => {
  const match =
    '{"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"daddr"}},"right":"10.0.0.1"}}';
  const on = (nic: string) => `{"match":{"op":"==","left":{"meta":{"key":"iif"}},"right":${nic}}}`;
  const hash =
    '{"match":{"op":"==","left":{"jhash":{"mod":2,"seed":1478186391,"offset":1,"expr":{}}},"right":1}}';
  const text = `{"nftables":[{"metainfo":{"version":"1.0.6","json_schema_version":1}},
    {"table":{"family":"ip","name":"T","handle":1}},
    {"chain":{"family":"ip","table":"T","name":"prerouting","handle":1,"type":"filter","prio":-150}},
    {"rule":{"family":"ip","table":"T","chain":"prerouting","handle":3,"comment":"cip-node-1","expr":[${on('"eth0"')},${match},${hash},{"accept":null}]}},
    {"rule":{"family":"ip","table":"T","chain":"prerouting","handle":2,"expr":[${on('"7"')},${match},{"drop":null}]}}]}`;
  expect(parseRules(text)).toEqual({
    handle: 1,
    rules: [
      {
        chain: 'prerouting',
        handle: 3,
        comment: 'cip-node-1',
        drops: false,
        iif: 'eth0',
        hash: { mod: 2, seed: 1478186391 },
      },
      { chain: 'prerouting', handle: 2, comment: '', drops: true, iif: '7' },
    ],
  });
});

test.each([
  ['01:00:5e:00:00:01', '01:00:5e:00:00:01'],
  ['33-33-FF-00-00-01', '33:33:ff:00:00:01'],
  ['01:00:5e:00:00', undefined],
  ['01:00:5e:00:00:01:02', undefined],
  ['02:00:5e:00:00:01', undefined],
  ['0x:00:5e:00:00:01', undefined],
  ['01005e000001', undefined],
])('MAC address %s: %s', (text, mac) => {
  expect(multicastMac(text)).toBe(mac);
});

test.each([
  ['0', 0],
  ['0xFFFFffff', 0xffffffff],
  ['4294967296', undefined],
  ['-1', undefined],
  ['0x', undefined],
  ['ff', undefined],
])('seed %s: %s', (text, seed) => {
  expect(hashSeed(text)).toBe(seed);
});
