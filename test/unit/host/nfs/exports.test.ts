import { describe, expect, test } from 'vitest';
import { exportArgument, isHostName, sameClient } from '../../../../lib/host/nfs/client-spec.ts';
import { holdsState } from '../../../../lib/host/nfs/clients.ts';
import { parseEtab, parseKernelExports, withoutExports } from '../../../../lib/host/nfs/exports.ts';
import { parseExports } from '../../../../lib/host/nfs/exports-file.ts';

// written by exportfs of nfs-utils 2.6.2
const etab = `/tmp/xq/a\tFE80:0::1(ro,sync,wdelay,hide,fsid=0,anonuid=65534,anongid=65534,sec=sys,ro,root_squash,no_all_squash)
/tmp/xq/a\t2001:db8::/64(ro,sync)
/tmp/xq/a\t[ab]-host.example.com(ro,sync)
/tmp/xq/e\\040x\t*(rw,sync)
/tmp/xq/a\tgss/krb5(ro)
`;

test('etab: paths with blanks, every kind of client', () => {
  expect(parseEtab(etab).map(({ path, client }) => [path, client])).toEqual([
    ['/tmp/xq/a', 'FE80:0::1'],
    ['/tmp/xq/a', '2001:db8::/64'],
    ['/tmp/xq/a', '[ab]-host.example.com'],
    ['/tmp/xq/e x', '*'],
    ['/tmp/xq/a', 'gss/krb5'],
  ]);
  expect(parseEtab(etab)[0]?.options).toContain('fsid=0');
  expect(parseEtab('garbage\n\n')).toEqual([]);
});

test('etab without one entry keeps the other bytes', () => {
  const rest = withoutExports(etab, ({ client }) => client === '*');
  expect(rest).toBe(etab.replace(/^.*e\\040x.*\n/m, ''));
});

test('/etc/exports: quotes, escapes, continued lines, comments, clients without a name', () => {
  const text = `# /not this
"/srv/my files" -sync,wdelay 10.0.0.0/24(rw) \\
  @group(ro) # /nor that
/srv/b\\040c
/srv/d\t(ro)  host#1

`;
  expect(parseExports(text)).toEqual([
    { path: '/srv/my files', client: '10.0.0.0/24' },
    { path: '/srv/my files', client: '@group' },
    { path: '/srv/b c', client: '*' },
    { path: '/srv/d', client: '*' },
    { path: '/srv/d', client: 'host#1' },
  ]);
});

test('the kernel cache: joined clients, refused and expired entries', () => {
  const content = `#path domain(flags)
/nfsdata\t*,10.77.0.0/24(rw,no_root_squash,sync,wdelay,no_subtree_check,fsid=0,uuid=5d1bd9a8:c2c94f7f:8a7a1ed4:c2b2dd3b,sec=1)
# /nfsdata/my\\040files\t10.0.0.9(ro)
`;
  expect(parseKernelExports(content)).toEqual([
    { path: '/nfsdata', clients: ['*', '10.77.0.0/24'], valid: true },
    { path: '/nfsdata/my files', clients: ['10.0.0.9'], valid: false },
  ]);
});

describe('two spellings of a client', () => {
  test.each([
    ['*', '*', true],
    ['10.0.0.0/24', '10.0.0.0/255.255.255.0', false], // exportfs keeps both beside each other
    ['[fe80::1]', 'fe80::1', true],
    ['[FE80:0::1]', 'fe80::1', true],
    ['[2001:DB8:0:0::5]/64', '2001:db8::5/64', true],
    ['2001:db8::5', '2001:db8::6', false],
    ['FULL.example.com', 'full.Example.com', true],
    ['[ab]-host.example.com', 'ab-host.example.com', false],
    ['@Group', '@group', false],
    ['gss/krb5', 'gss/krb5i', false],
  ])('%s and %s', (one, other, same) => {
    expect(sameClient(one, other)).toBe(same);
  });
});

test.each([
  ['*', '*:/x'],
  ['2001:db8::5', '[2001:db8::5]:/x'],
  ['[2001:db8::]/64', '[2001:db8::]/64:/x'],
  ['2001:db8::/64', '[2001:db8::]/64:/x'],
  ['[ab]-host.example.com', '[ab]-host.example.com:/x'],
])('%s as an argument of exportfs', (client, argument) => {
  expect(exportArgument(client, '/x')).toBe(argument);
});

test.each([
  ['full.example.com', true],
  ['node1', true],
  ['*.example.com', false],
  ['10.0.0.1', false],
  ['10.0.0.0/24', false],
  ['fe80::1', false],
  ['@grp', false],
  ['gss/krb5', false],
  ['*', false],
])('%s is a host name: %s', (client, is) => {
  expect(isHostName(client)).toBe(is);
});

test('NFSv4 state names its superblock in hexadecimal', () => {
  const states = `- 0x1: { type: open, access: rw, deny: --, superblock: "93:01:131", filename: "log" }\n`;
  expect(holdsState(states, '147:1')).toBe(true);
  expect(holdsState(states, '93:1')).toBe(false);
  expect(holdsState('', '147:1')).toBe(false);
});
