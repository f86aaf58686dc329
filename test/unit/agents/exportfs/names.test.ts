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
    machine.mount('/srv/a', '147:1');
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

describe('names that nobody can resolve', () => {
  const line = etabLine('/usr', 'full.example.com');
  const silent = (m: ExportingMachine) => m.on('getent', (_args, command) => hangs(command, m));
  const alias = { ...single, clientspec: 'short' };
  const io = JSON.stringify({ trouble: 'input/output error', code: 'EIO' });
  const linked = { directory: '/nfs/link/a', rmtab_backup: 'none' };
  const disk = (m: ExportingMachine) => m.mount('/nfs', '147:1').on('/agent', () => io);
  const hung = (m: ExportingMachine) => disk(m).on('/agent', (_args, command) => hangs(command, m));

  type Row = readonly [string, typeof single | typeof linked, (m: ExportingMachine) => unknown, string];
  test.each<Row>([
    ['DNS is silent', alias, silent, line],
    ['getent is not installed', alias, (m) => m.on('getent', () => ({ code: 127, missing: true })), line],
    ['getent cannot be loaded', alias, (m) => m.on('getent', () => ({ code: 127, stderr: 'no' })), line],
    ['storage below a link hangs', linked, hung, etabLine('/nfs/real', '*')],
    ['storage below a link answers EIO', linked, disk, etabLine('/nfs/real', '*')],
    ['and no server runs, but it was started', alias, (m) => silent(m.stopNfsd()), line],
  ])('%s: what may be ours is not called absent', async (_what, params, prepare, etab) => {
    const { machine, run, watch } = node(params, (m) => {
      prepare(m);
      m.etab = etab;
      m.files.set('/run/resource-agents/share', '');
    });
    const told = { code: 1, reason: expect.stringMatching(/^cannot tell whether .* is ours: /) };
    expect(await watch()).toMatchObject(told);
    expect(await run('reload-agent')).toMatchObject(told);
    expect(await run('stop')).toMatchObject(told);
    expect(machine.etab).toBe(etab);
  });

  test.each<Row>([
    ['nothing is exported', alias, silent, ''],
    ['only to networks', alias, silent, etabLine('/usr', '10.0.0.0/8')],
    ['only other directories', alias, silent, etabLine('/var', 'full.example.com')],
    ['that the host does not exist is an answer', alias, () => {}, line],
    ['left over from another boot', alias, (m) => silent(m.stopNfsd()), line],
    ['nothing that a link could lead to', linked, hung, etabLine('/nfs/real', '10.0.0.0/8')],
    ['a mount point is no link', { ...linked, directory: '/nfs' }, disk, etabLine('/nfs/real', '*')],
  ])('%s: not exported', async (_what, params, prepare, etab) => {
    const { code } = node(params, (m) => {
      prepare(m);
      m.etab = etab;
    });
    expect(await code('monitor')).toBe(7);
    expect(await code('stop')).toBe(0);
  });

  test('what our own start spelled is known to be gone, and what another resource spelled is not ours', async () => {
    const { machine, code, watch } = node(alias, (m) => void m.hostNames.set('short', 'full.example.com'));
    expect(await code('start')).toBe(0);
    machine.etab = etabLine('/usr', 'other.example.com');
    silent(machine);
    expect((await watch()).code).toBe(7);
    expect(await code('stop')).toBe(0);

    machine.env['OCF_RESOURCE_INSTANCE'] = 'second';
    expect((await watch()).code).toBe(1);
    const spellings = [{ directory: '/usr', path: '/usr', client: 'other.example.com' }];
    const page = { bootId: 'boot-1', facts: { spellings } };
    machine.files.set('/run/resource-agents/tsha/exportfs-third.json', JSON.stringify(page));
    expect((await watch()).code).toBe(7);
  });

  test('one of two directories in doubt: the other one goes', async () => {
    const { machine, run } = node({ ...linked, directory: '/usr /nfs/link/a' }, (m) => {
      hung(m);
      m.etab = etabLine('/usr', '*') + etabLine('/nfs/real', '*');
    });
    expect(await run('stop')).toMatchObject({ code: 1, reason: expect.stringContaining('cannot tell') });
    expect(machine.exported).toEqual(['/nfs/real *']);
  });

  test('several directories ask DNS once', async () => {
    const { machine, code } = node({ ...alias, directory: '/usr /var' }, silent);
    machine.etab = line + etabLine('/var', 'full.example.com');
    expect(await code('monitor')).toBe(1);
    expect(machine.ran.filter((one) => one.startsWith('getent'))).toHaveLength(1);
  });
});

describe('exportfs -u takes every line of a path that means the same host', () => {
  /** As the real one: by what names and addresses resolve to. */
  const greedy = (m: ExportingMachine, same: readonly string[]) => {
    const real = m.handler('exportfs');
    m.on('exportfs', (args, command) => {
      if (!args.includes('-u')) return real(args, command);
      for (const one of same) m.etab = m.etab.replace(new RegExp(`^/usr\t${one}\\(.*\n`, 'm'), '');
      return '';
    });
  };

  test('a host that DNS calls otherwise now: the old line goes, the new one stays', async () => {
    const { machine, code } = node({ ...single, clientspec: 'short' });
    greedy(machine, ['old.example.com', 'new.example.com']);
    machine.hostNames.set('short', 'old.example.com');
    expect(await code('start')).toBe(0);
    machine.hostNames.set('short', 'new.example.com');
    for (const action of ['reload-agent', 'start']) expect(await code(action)).toBe(0);
    expect(machine.exported).toEqual(['/usr new.example.com']);
  });

  test('another spelling of an address', async () => {
    const { machine, code } = node({ ...single, clientspec: '2001:db8::5' });
    greedy(machine, ['2001:db8::5', '2001:db8:0::5']);
    machine.etab = etabLine('/usr', '2001:db8:0::5');
    expect(await code('start')).toBe(0);
    expect(machine.exported).toEqual(['/usr 2001:db8::5']);
  });

  test('another resource with that host by its name', async () => {
    const { machine, code } = node({ ...single, clientspec: '192.0.2.5' });
    greedy(machine, ['192.0.2.5', 'host.example.com']);
    expect(await code('start')).toBe(0);
    machine.etab += etabLine('/usr', 'host.example.com');
    expect(await code('stop')).toBe(0);
    expect(machine.exported).toEqual(['/usr host.example.com']);
  });

  test('what is gone after all is told', async () => {
    const { machine, run } = node({ ...single, clientspec: '2001:db8::5' });
    machine.etab = etabLine('/usr', '2001:db8:0::5');
    const { write } = machine;
    machine.write = async (path, text) => write.call(machine, path, path.endsWith('/etab') ? '' : text);
    expect(await run('start')).toMatchObject({ code: 1, reason: expect.stringContaining('does not list') });
  });
});
