import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type NfsStack, pcsCommands, shellLine } from '../../../cli/stack.ts';

const stack: NfsStack = {
  drbdResource: 'data',
  device: '/dev/drbd1',
  directory: '/nfsdata',
  fstype: 'xfs',
  ip: '10.0.0.9',
  prefix: 24,
  clients: '*',
  exportOptions: 'rw,sync',
  address: 'last',
  provider: 'tsha',
};
const lines = (changes: Partial<NfsStack> = {}) => pcsCommands({ ...stack, ...changes }).map(shellLine);

describe('the pcs commands of a stack', () => {
  test.each([
    ['last', 'resource group add nfsshare NFS nfs-daemon nfs-root nfs_ip nfs-notify'],
    ['first', 'resource group add nfsshare nfs_ip NFS nfs-daemon nfs-root nfs-notify'],
  ] as const)('address %s', (address, group) => {
    expect(lines({ address })).toContain(group);
  });

  test.each([
    [
      'tsha',
      ['drbd', 'Filesystem', 'nfsserver', 'exportfs', 'IPaddr2', 'nfsnotify'].map(
        (name) => `ocf:tsha:${name}`,
      ),
    ],
    [
      'stock',
      [
        'ocf:linbit:drbd',
        ...['Filesystem', 'nfsserver', 'exportfs', 'IPaddr2', 'nfsnotify'].map(
          (name) => `ocf:heartbeat:${name}`,
        ),
      ],
    ],
  ] as const)('agents of provider %s', (provider, agents) => {
    const created = lines({ provider }).filter((line) => line.startsWith('resource create'));
    expect(created.map((line) => line.split(' ')[3])).toEqual(agents);
  });

  test('no two monitors of one resource share an interval: pcs would change one of them', () => {
    for (const line of lines()) {
      const intervals = line.match(/interval=\S+/g) ?? [];
      expect(new Set(intervals).size).toBe(intervals.length);
    }
  });

  test.each([
    [['plain', 'a=b'], 'plain a=b'],
    [['clientspec=*'], "'clientspec=*'"],
    [["it's"], `'it'\\''s'`],
    [['$(id)', '`id`', ''], "'$(id)' '`id`' ''"],
  ])('%j is quoted for a shell', (argv, line) => {
    expect(shellLine(argv)).toBe(line);
  });

  test.each(['README.md', 'README.zh-CN.md'])('%s shows the cluster that the lab runs', (file) => {
    const block = readFileSync(file, 'utf8')
      .split('```')
      .find((text) => text.includes('# pcs resource create Data'));
    const shown = (block ?? '')
      .split('\n')
      .filter((line) => line.startsWith('# pcs '))
      .map((line) => line.replace('# pcs ', ''));
    expect(shown).toEqual(lines({ ip: '10.77.0.20', exportOptions: 'rw,sync,no_root_squash' }));
  });
});
