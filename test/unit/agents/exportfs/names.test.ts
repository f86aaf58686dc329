import { describe, expect, test } from 'vitest';
import { node, single } from '../../../fake/exportfs-node.ts';
import { type ExportingMachine, etabLine } from '../../../fake/exports.ts';
import { hangs } from '../../../fake/machine.ts';

describe('host names', () => {
  const alias = { ...single, clientspec: 'short' };
  const resolves = (m: ExportingMachine) => void m.hostNames.set('short', 'full.example.com');

  test('the canonical name is remembered, and DNS not asked again', async () => {
    const { machine, code, watch } = node(alias, resolves);
    expect(await code('start')).toBe(0);
    expect(machine.exported).toEqual(['/usr full.example.com']);
    machine.hostNames.clear();
    expect((await watch()).code).toBe(0);
    expect(machine.ran).toEqual([]);
    expect(await code('stop')).toBe(0);
    expect(machine.exported).toEqual([]);
  });

  test('forgotten, it is asked for once more', async () => {
    const { machine, code } = node(alias, resolves);
    machine.etab = etabLine('/usr', 'full.example.com');
    expect(await code('monitor')).toBe(0);
    expect(await code('stop')).toBe(0);
    expect(machine.exported).toEqual([]);
  });

  test('letter case does not matter', async () => {
    const { code } = node({ ...single, clientspec: 'FULL.example.com' }, (m) => {
      m.etab = etabLine('/usr', 'full.example.com');
    });
    expect(await code('monitor')).toBe(0);
  });

  test('DNS that hangs does not keep the export', async () => {
    const { machine, warnings, run } = node({ ...single, clientspec: 'full.example.com' });
    machine.etab = etabLine('/usr', 'full.example.com') + etabLine('/srv/a', '*');
    machine.on('exportfs', (_args, command) => hangs(command, machine));
    expect((await run('stop')).code).toBe(0);
    expect(machine.exported).toEqual(['/srv/a *']);
    expect(machine.ran).toContainEqual(expect.stringMatching(/^tee .*nfsd.export\/flush$/));
    expect(warnings[0]).toContain('did not end');
    expect(machine.clock).toBeLessThanOrEqual(25_000);
  });
});

describe('directories', () => {
  test('a link is followed, and its target remembered', async () => {
    const { machine, code, watch } = node({ directory: '/tmp/link/', rmtab_backup: 'none' }, (m) => {
      m.links.set('/tmp/link', '/srv/a');
      m.directories.add('/tmp/link');
    });
    expect(await code('start')).toBe(0);
    expect(machine.exported).toEqual(['/srv/a *']);
    machine.links.clear();
    expect((await watch()).code).toBe(0);
    expect(await code('stop')).toBe(0);
    expect(machine.exported).toEqual([]);
  });

  test.each([
    ['a single one with a blank', '/srv/my files', ['/srv/my\\040files *']],
    ['one of a list, as in etab', '/usr /srv/my\\040files', ['/usr *', '/srv/my\\040files *']],
    ['one of a list, behind a backslash', '/srv/my\\ files /usr', ['/srv/my\\040files *', '/usr *']],
  ])('%s', async (_what, directory, exported) => {
    const { machine, code } = node({ directory, rmtab_backup: 'none' }, (m) =>
      m.directories.add('/srv/my files'),
    );
    expect(await code('start')).toBe(0);
    expect(machine.exported).toEqual(exported);
    expect(await code('stop')).toBe(0);
    expect(machine.exported).toEqual([]);
  });

  test('a missing one keeps nothing from being stopped', async () => {
    const { machine, code } = node({ directory: '/usr /no_such', rmtab_backup: 'none' });
    machine.etab = etabLine('/usr', '*') + etabLine('/no_such', '*');
    expect(await code('stop')).toBe(0);
    expect(machine.exported).toEqual([]);
  });
});
