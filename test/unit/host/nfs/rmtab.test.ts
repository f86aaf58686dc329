import { expect, test } from 'vitest';
import { formatRmtab, parseRmtab, rmtabBelow, rmtabMissing } from '../../../../lib/host/nfs/rmtab.ts';

const text = `10.0.0.7:/srv/a:0x00000001
10.0.0.7:/srv/a:0x00000003
10.0.0.8:/srv/a/sub:0x00000001
10.0.0.9:/srv/ab:0x00000001
2001:db8::7:/srv/a:0x0000000a
not a line
`;

test('entries of a directory: its subdirectories, not its neighbours, each client once with its highest count', () => {
  expect(formatRmtab(rmtabBelow(parseRmtab(text), '/srv/a'))).toBe(
    `10.0.0.7:/srv/a:0x00000003
10.0.0.8:/srv/a/sub:0x00000001
2001:db8::7:/srv/a:0x0000000a
`,
  );
});

test('only what mountd does not know is missing, whatever its count', () => {
  const backup = parseRmtab('10.0.0.7:/srv/a:0x00000009\n10.0.0.1:/srv/a:0x00000001\n');
  expect(rmtabMissing(parseRmtab(text), backup)).toEqual([{ client: '10.0.0.1', path: '/srv/a', count: 1 }]);
});
