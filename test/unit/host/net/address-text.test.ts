import { isIP } from 'node:net';
import { expect, test } from 'vitest';
import { addressFamily } from '../../../../lib/host/net/address-text.ts';

test.each([
  '',
  '*',
  'client',
  '@netgroup',
  '1.2.3',
  '1.2.3.4',
  '0.0.0.0',
  '255.255.255.255',
  '256.1.1.1',
  '01.2.3.4',
  '0x1.2.3.4',
  '1.2.3.4/24',
  '::',
  '::1',
  'fe80::1%eth0',
  'fe80::1%',
  '::ffff:192.0.2.1',
  '::ffff:192.0.2.256',
  '2001:DB8::0001',
  '1:2:3:4:5:6:7:8',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1::2::3',
  '12345::',
  '[::1]',
  ' 1.2.3.4',
  '1.2.3.4\n',
])('%j is what node:net takes it for', (text) => {
  expect(addressFamily(text)).toBe(isIP(text));
});
